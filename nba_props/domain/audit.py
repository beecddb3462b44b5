"""The audit of what only grows: is every row valid, and is every row of before still there as it was?

A row is remembered as two hashes, of its key and of all of it. A remembered row that is no longer there as it was is
accounted for when the archive holds it as it was; anything else is a loss.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.digests import row_digests
from nba_props.domain.gate import REASONS, prediction_problem
from nba_props.domain.lines import claimed_lines_sql
from nba_props.schemas import Table
from nba_props.schemas.predictions import (
    ARCHIVED_PREDICTIONS,
    LEDGER,
    LEDGER_AS_FOUND,
    REMEDIATIONS,
)

#: what the audit watches: tables that only grow, and whose rows somebody will want back
WATCHED = (LEDGER, ARCHIVED_PREDICTIONS, REMEDIATIONS)
_LEDGER = LEDGER.column_names
_IN_SPAN = "WHERE game_date BETWEEN @first AND @last"
ROWS_SQL = {
    LEDGER.address: claimed_lines_sql(f"(SELECT * FROM {LEDGER.address} {_IN_SPAN})"),
    ARCHIVED_PREDICTIONS.address: f"SELECT * FROM {ARCHIVED_PREDICTIONS.address} {_IN_SPAN}",
    REMEDIATIONS.address: f"SELECT * FROM {REMEDIATIONS.address} {_IN_SPAN}",
}
#: the quotes that rows of the ledger name
NAMED_QUOTES_SQL = f"""
SELECT q.* FROM nba_raw.odds_quotes AS q
WHERE q.game_date BETWEEN @first AND @last AND q.quote_id IN (
  SELECT p.quote_id FROM {LEDGER.address} AS p
  WHERE p.game_date BETWEEN @first AND @last AND p.quote_id IS NOT NULL
)
"""
#: kinds of findings beside the gate's reasons
KINDS = {
    **REASONS,
    "NO_ID": "the row has no prediction_id, so that nothing can take it out by its key",
    "SAME_ID": "another row of the date has the same prediction_id, and is the one that was published",
    "ROW_ALTERED": "the row is not as it was published: its digest is another's",
    "NO_DIGEST": "the row has no digest, as every published one has: this platform did not publish it",
    "NOT_LANDED": "no landed payload has the quote that the row names, or has it with another line or price",
    "RETURNED": "the row was taken out and nobody restored it: an older copy of its partition was put in place",
    "PARTITION_ALTERED": "the partition is not the one that was written, though every row in it is as published",
    "UNREADABLE": "the partition can't be read, and so not judged",
    "ROWS_GONE": "the row was there before, and is in no archive",
    "ROWS_CHANGED": "the row was another one before, which is in no archive",
}


#: kinds of rows that were there and are not
LOST = ("ROWS_GONE", "ROWS_CHANGED")


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
    """The hashes of some rows in the columns of a table; the same row has the same ones in every partition, and when
    it is given its digest.
    """
    columns = frame[hashed_columns(table)]
    return Rows(_hash(columns[list(table.key)]), _hash(columns))


def hashed_columns(table: Table) -> list[str]:
    """The columns that a row is remembered by: all but digests, which an old row is given when it is vouched for."""
    digested = {t.sealed_by for t in WATCHED}
    return [c for c in table.column_names if c not in digested]


def _hash(frame: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype="uint64")


def verdicts(
    judged: pd.DataFrame,
    not_landed: Collection[str] = (),
    *,
    is_sealed: bool = False,
    seen: np.ndarray | None = None,
) -> pd.DataFrame:
    """The ``problem`` of each row of the ledger, by the gate's reasons, its quote, id or digest, null for none; and
    whether it is ``nameless``: nothing can be said of it under its ``prediction_id``, which it lacks or shares.

    Of rows with one id one that an audit has seen before is right, else the earliest that is as it was published; the
    others are not. A date on which no row has a digest is of a release before them, where there was one.

    Args:
        judged: all rows of the ledger on some dates, with their ``line_problem``.
        not_landed: the quotes that no payload has as they are stored (``odds_api.not_as_landed``).
        is_sealed: whether every row that was published has a digest (``Warehouse.is_sealed``).
        seen: the hashes of rows (:func:`hashed`) that were there when an audit looked last.
    """
    altered, unsealed, repeated = _doubts(judged, is_sealed, seen)
    ids = judged["prediction_id"]
    doubtful = judged["line_problem"].notna() | altered | unsealed
    found = judged["line_problem"].fillna(_prediction_problem(judged, doubtful | repeated))
    for wrong, kind in (
        (judged["quote_id"].isin(list(not_landed)), "NOT_LANDED"),
        (ids.isna(), "NO_ID"),
        (repeated, "SAME_ID"),
        (altered, "ROW_ALTERED"),
        (unsealed, "NO_DIGEST"),
    ):
        found = found.where(found.notna() | ~wrong, kind)
    return pd.DataFrame({"problem": found, "nameless": ids.isna() | repeated})


def _doubts(judged: pd.DataFrame, is_sealed: bool, seen: np.ndarray | None) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Whether each row has a wrong digest, lacks one that it should have, repeats the id of a better row."""
    stated = judged["row_digest"]
    altered = stated.notna() & stated.ne(row_digests(LEDGER, LEDGER_AS_FOUND.conform(judged[_LEDGER])))
    unsealed = stated.isna() & (is_sealed | stated.notna().groupby(judged["game_date"]).transform("any"))
    order = judged[["game_date", "prediction_id", "created_at"]].assign(
        doubtful=judged["line_problem"].notna() | altered | unsealed, new=True
    )
    if seen is not None:
        order["new"] = ~np.isin(hashed(LEDGER, judged).contents, seen)
    order = order.sort_values(["doubtful", "new", "created_at"], kind="stable")
    repeated = order.duplicated(["game_date", "prediction_id"]).reindex(judged.index)
    return altered, unsealed, judged["prediction_id"].notna() & repeated


def _prediction_problem(judged: pd.DataFrame, doubtful: pd.Series) -> pd.Series:
    """What is wrong with each forecast; a row is not to blame for a ``doubtful`` one beside it."""
    rows = judged[judged["line_problem"].isna()]
    # a slate that is followed has a player several times, one run of a system only once
    apart = rows["run_id"].where(~doubtful[rows.index], pd.Series(range(len(rows)), index=rows.index).astype(str))
    return prediction_problem(rows.assign(system_id=rows["system_id"] + " " + apart)).reindex(judged.index)


def losses(before: Rows, now: Rows, archived: Rows) -> tuple[Rows, dict[str, np.ndarray]]:
    """The rows of before that are missing from ``now`` and from the archive, and by kind the hashes of those that went
    and of those that changed: what is still there under its key.
    """
    lost = ~np.isin(before.contents, now.contents) & ~np.isin(before.contents, archived.contents)
    missing = before.where(lost)
    changed = np.isin(missing.keys, now.keys)
    kinds = {"ROWS_GONE": missing.contents[~changed], "ROWS_CHANGED": missing.contents[changed]}
    return missing, {kind: rows for kind, rows in kinds.items() if len(rows)}


def sound(rows: Rows, wrong: Mapping[str, np.ndarray]) -> np.ndarray:
    """The hashes of remembered rows that nothing was wrong with, or that are lost; what took a lost row's key is none.

    Args:
        rows: what a date had, its lost rows included.
        wrong: by kind the hashes of those that something was found about.
    """
    none = NO_ROWS.contents
    lost = np.concatenate([none, *(wrong.get(kind, none) for kind in LOST)])
    bad = np.concatenate([none, *(found for kind, found in wrong.items() if kind not in LOST)])
    is_lost = np.isin(rows.contents, lost)
    took = np.isin(rows.keys, rows.keys[is_lost]) & ~is_lost
    return rows.contents[~took & ~np.isin(rows.contents, bad)]


def together(*parts: Rows) -> Rows:
    """All rows of some parts."""
    return Rows(np.concatenate([p.keys for p in parts]), np.concatenate([p.contents for p in parts]))


def counted(reasons: Sequence[object] | pd.Series) -> dict[str, int]:
    """How many rows there are of each reason."""
    found = pd.Series(reasons, dtype=object).dropna().value_counts()
    return {str(k): int(v) for k, v in found.items()}
