"""The audit of append-only tables: is every row valid, and is every earlier row unchanged?

The audit remembers a row as two hashes: of its key, and of its content. A remembered row that is missing or changed is
accounted for if the archive has it unchanged; otherwise it is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.digests import row_digests
from nba_props.domain.gate import REASONS, prediction_problem
from nba_props.domain.lines import claimed_lines_sql
from nba_props.domain.stored import span_sql
from nba_props.schemas import Column, Table
from nba_props.schemas.predictions import (
    ARCHIVED_PREDICTIONS,
    LEDGER,
    LEDGER_AS_FOUND,
    REMEDIATIONS,
)

#: the tables that are audited: append-only ones, whose rows may have to be restored
WATCHED = (LEDGER, ARCHIVED_PREDICTIONS, REMEDIATIONS)
_LEDGER = LEDGER.column_names
ROWS_SQL = {
    LEDGER.address: claimed_lines_sql(span_sql(LEDGER)),
    **{t.address: f"SELECT * FROM {span_sql(t)} AS r" for t in (ARCHIVED_PREDICTIONS, REMEDIATIONS)},
}
#: the quotes that rows of the ledger refer to
NAMED_QUOTES_SQL = f"""
SELECT q.* FROM nba_raw.odds_quotes AS q
WHERE q.game_date BETWEEN @first AND @last AND q.quote_id IN (
  SELECT p.quote_id FROM {LEDGER.address} AS p
  WHERE p.game_date BETWEEN @first AND @last AND p.quote_id IS NOT NULL
)
"""
#: the kinds of findings, the gate's reasons among them
KINDS = {
    **REASONS,
    "NO_ID": "the row has no prediction_id, so it can't be removed by its key",
    "SAME_ID": "another row of the date has the same prediction_id, and that one was published",
    "ROW_ALTERED": "the row was changed after it was published: its digest does not match",
    "NO_DIGEST": "the row has no digest, which every published row has: this platform did not publish it",
    "NOT_LANDED": "no landed payload has the row's quote, or it has another line or price there",
    "RETURNED": "the row was removed and not restored: an older copy of its partition was put in place",
    "PARTITION_ALTERED": "the partition is not the one that was written, though every row in it is as published",
    "UNREADABLE": "the partition can't be read, so its rows are not judged",
    "ROWS_GONE": "the row was there before, is gone, and is not in the archive",
    "ROWS_CHANGED": "the row was changed, and its earlier content is not in the archive",
}


#: the kinds of findings about rows that were lost
LOST = ("ROWS_GONE", "ROWS_CHANGED")


@dataclass(frozen=True)
class Rows:
    """The hashes of a partition's rows, two per row: of its key, and of its content."""

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
    """The hashes of rows of a table. They do not depend on the partition, nor on whether the row has its digest yet."""
    contents = _hash(frame[[c.name for c in hashed_columns(table)]])
    for column in (c for c in table.columns if c.before is not None):
        differs = frame[column.name].ne(column.before).to_numpy(dtype=bool)
        contents = contents ^ np.where(differs, _hash(frame[[column.name]]), np.uint64(0))
    return Rows(_hash(frame[list(table.key)]), contents)


def hashed_columns(table: Table) -> list[Column]:
    """The columns that are hashed together: all but digests, which old rows are given later, and columns that older
    rows lack, which only count where they differ from what older rows mean.
    """
    digested = {t.sealed_by for t in WATCHED}
    return [c for c in table.columns if c.name not in digested and c.before is None]


def _hash(frame: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype="uint64")


def verdicts(
    judged: pd.DataFrame,
    not_landed: Collection[str] = (),
    *,
    is_sealed: bool = False,
    seen: np.ndarray | None = None,
) -> pd.DataFrame:
    """The ``problem`` of each row of the ledger (one of ``KINDS``), null for none; and whether it is ``nameless``: it
    lacks a ``prediction_id`` or shares it, so it can't be identified by it.

    Of rows with one id, the one that an earlier audit accepted is valid, otherwise the earliest that is as published.
    Dates on which no row has a digest are from a release before digests, unless ``is_sealed``.

    Args:
        judged: all rows of the ledger on some dates, with their ``line_problem``.
        not_landed: the quotes that no payload has as they are stored (``registry.not_as_landed``).
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
    """What is wrong with each forecast; rows are not judged as duplicates of ``doubtful`` ones."""
    rows = judged[judged["line_problem"].isna()]
    # a slate that is published several times has a player several times, but once in each run of a system
    apart = rows["run_id"].where(~doubtful[rows.index], pd.Series(range(len(rows)), index=rows.index).astype(str))
    return prediction_problem(rows.assign(system_id=rows["system_id"] + " " + apart)).reindex(judged.index)


def losses(before: Rows, now: Rows, archived: Rows) -> tuple[Rows, dict[str, np.ndarray]]:
    """The earlier rows that are neither in ``now`` nor in the archive, and by kind the hashes of those that are gone
    and of those that changed (whose key is still there).
    """
    lost = ~np.isin(before.contents, now.contents) & ~np.isin(before.contents, archived.contents)
    missing = before.where(lost)
    changed = np.isin(missing.keys, now.keys)
    kinds = {"ROWS_GONE": missing.contents[~changed], "ROWS_CHANGED": missing.contents[changed]}
    return missing, {kind: rows for kind, rows in kinds.items() if len(rows)}


def valid(rows: Rows, wrong: Mapping[str, np.ndarray]) -> np.ndarray:
    """The hashes of remembered rows that were valid, lost ones included, but not those that replaced a lost row.

    Args:
        rows: the rows of a date, its lost ones included.
        wrong: the hashes of rows with findings, by kind.
    """
    none = NO_ROWS.contents
    lost = np.concatenate([none, *(wrong.get(kind, none) for kind in LOST)])
    bad = np.concatenate([none, *(found for kind, found in wrong.items() if kind not in LOST)])
    is_lost = np.isin(rows.contents, lost)
    replaces = np.isin(rows.keys, rows.keys[is_lost]) & ~is_lost
    return rows.contents[~replaces & ~np.isin(rows.contents, bad)]


def together(*parts: Rows) -> Rows:
    """The rows of all parts."""
    return Rows(np.concatenate([p.keys for p in parts]), np.concatenate([p.contents for p in parts]))


def counted(reasons: Sequence[object] | pd.Series) -> dict[str, int]:
    """How many rows there are of each reason."""
    found = pd.Series(reasons, dtype=object).dropna().value_counts()
    return {str(k): int(v) for k, v in found.items()}
