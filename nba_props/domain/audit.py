"""The audit of what only grows: is every row valid, and is every row of before still there as it was?

A row is remembered as two hashes, of its key and of all of it. A remembered row that is no longer there as it was is
accounted for when the archive holds it as it was; anything else is a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.gate import REASONS, prediction_problem
from nba_props.domain.lines import claimed_lines_sql
from nba_props.schemas import Table
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, PLAYER_PROP_PREDICTIONS

#: what the audit watches: tables that only grow, and whose rows somebody will want back
WATCHED = (PLAYER_PROP_PREDICTIONS, ARCHIVED_PREDICTIONS)
_IN_SPAN = "WHERE game_date BETWEEN @first AND @last"
ROWS_SQL = {
    PLAYER_PROP_PREDICTIONS.address: claimed_lines_sql(f"(SELECT * FROM {PLAYER_PROP_PREDICTIONS.address} {_IN_SPAN})"),
    ARCHIVED_PREDICTIONS.address: f"SELECT * FROM {ARCHIVED_PREDICTIONS.address} {_IN_SPAN}",
}
#: kinds of findings beside the gate's reasons
KINDS = {
    **REASONS,
    "NO_ID": "the row has no prediction_id, so that nothing can take it out by its key",
    "SAME_ID": "another row of the date has the same prediction_id",
    "ROWS_GONE": "the row was there before, and is in no archive",
    "ROWS_CHANGED": "the row was another one before, which is in no archive",
}


@dataclass(frozen=True)
class Rows:
    """The hashes of a partition's rows: of their keys, and of all of them; as many of the one as of the other."""

    keys: np.ndarray
    contents: np.ndarray

    def to_bytes(self) -> bytes:
        return np.stack([self.keys, self.contents]).astype("<u8").tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> Rows:
        keys, contents = np.frombuffer(data, dtype="<u8").reshape(2, -1)
        return Rows(keys, contents)

    def where(self, chosen: np.ndarray) -> Rows:
        return Rows(self.keys[chosen], self.contents[chosen])


NO_ROWS = Rows(np.array([], dtype="<u8"), np.array([], dtype="<u8"))


def hashed(table: Table, frame: pd.DataFrame) -> Rows:
    """The hashes of some rows in the columns of a table; the same row has the same ones in every partition."""
    columns = frame[table.column_names]
    return Rows(_hash(columns[list(table.key)]), _hash(columns))


def _hash(frame: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype="uint64")


def problems(judged: pd.DataFrame) -> pd.Series:
    """What is wrong with each row of the ledger, by the gate's reasons and by its id; null for nothing.

    Args:
        judged: rows of the ledger with their ``line_problem``.
    """
    # a slate that is followed has a player several times, one run of a system only once
    of_one_run = judged.assign(system_id=judged["system_id"] + " " + judged["run_id"])
    # a row beside one with a bad line is not to blame for it
    sound = of_one_run[of_one_run["line_problem"].isna()]
    found = judged["line_problem"].fillna(prediction_problem(sound).reindex(judged.index))
    ids = judged["prediction_id"]
    found = found.where(found.notna() | ~ids.duplicated(keep=False), "SAME_ID")
    return found.where(found.notna() | ids.notna(), "NO_ID")


def losses(before: Rows, now: Rows, archived: Rows) -> tuple[Rows, dict[str, np.ndarray]]:
    """The rows of before that are missing from ``now`` and from the archive, and by kind the hashes of those that went
    and of those that changed: what is still there under its key.
    """
    lost = ~np.isin(before.contents, now.contents) & ~np.isin(before.contents, archived.contents)
    missing = before.where(lost)
    changed = np.isin(missing.keys, now.keys)
    kinds = {"ROWS_GONE": missing.contents[~changed], "ROWS_CHANGED": missing.contents[changed]}
    return missing, {kind: rows for kind, rows in kinds.items() if len(rows)}


def together(*parts: Rows) -> Rows:
    """All rows of some parts."""
    return Rows(np.concatenate([p.keys for p in parts]), np.concatenate([p.contents for p in parts]))


def counted(reasons: Sequence[object] | pd.Series) -> dict[str, int]:
    """How many rows there are of each reason."""
    found = pd.Series(reasons, dtype=object).dropna().value_counts()
    return {str(k): int(v) for k, v in found.items()}
