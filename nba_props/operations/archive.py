"""The rows of the archive: those of a batch, those that are unchanged, those that were removed and not restored.

A row is identified by its content (``digests.row_ids``): a foreign row may have a valid row's id, or none.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_props.domain import digests
from nba_props.facts.vocabulary import RemediationStep as Step
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, LEDGER_AS_FOUND
from nba_props.warehouse.base import Warehouse


def own_ids(rows: pd.DataFrame) -> pd.Series:
    """The id of each row's content (``digests.row_ids``), from the ledger's columns."""
    ledger = LEDGER_AS_FOUND.conform(rows[LEDGER.column_names])
    return digests.row_ids(LEDGER, ledger).set_axis(rows.index)


def as_archived(rows: pd.DataFrame, *, is_sealed: bool) -> pd.Series:
    """Whether each row of the archive is unchanged: it has the id of its content and its own digest."""
    own = own_ids(rows)
    # batches of an earlier release identify their rows by prediction_id alone
    has_its_id = rows["archived_id"].isna() | rows["archived_id"].str.split("#").str[0].eq(own.str.split("#").str[0])
    stated = rows["archive_digest"]
    unstated = stated.isna() & (not is_sealed)
    return has_its_id & (unstated | stated.eq(digests.row_digests(ARCHIVED_PREDICTIONS, rows)))


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """The archived rows, each with an ``archived_id``; an earlier release, whose ids were unique, stored none."""
    own = own_ids(rows)
    return rows.assign(archived_id=rows["archived_id"].where(rows["archived_id"].notna(), own))


def stored_rows(warehouse: Warehouse, batch_id: str, span: tuple[date, date] | None = None) -> pd.DataFrame:
    """The rows of a batch, on all dates or on those of a span, whether or not they were altered."""
    within = "AND game_date BETWEEN @first AND @last" if span else ""
    return ARCHIVED_PREDICTIONS.conform(
        warehouse.query(
            f"SELECT * FROM nba_predictions.archived_predictions WHERE batch_id = @batch_id {within}",
            batch_id=batch_id,
            **({"first": span[0], "last": span[1]} if span else {}),
        )
    )


def archived_rows(warehouse: Warehouse, batch_id: str, span: tuple[date, date]) -> pd.DataFrame:
    """The unchanged rows of a batch on the dates of a span."""
    return _unchanged(warehouse, stored_rows(warehouse, batch_id, span))


def _unchanged(warehouse: Warehouse, rows: pd.DataFrame) -> pd.DataFrame:
    """Those of some archived rows that are unchanged, so that an altered one can't identify a valid one."""
    return named(rows[as_archived(rows, is_sealed=warehouse.is_sealed())])


def removed(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """``game_date, archived_id`` of the rows of a span that were removed and not restored since."""
    if not any(first <= d <= last for d in warehouse.partitions(ARCHIVED_PREDICTIONS)):
        return pd.DataFrame(columns=["game_date", "archived_id"])
    span = {"first": first, "last": last}
    stored = warehouse.query(
        "SELECT * FROM nba_predictions.archived_predictions WHERE game_date BETWEEN @first AND @last", **span
    )
    rows = _unchanged(warehouse, ARCHIVED_PREDICTIONS.conform(stored))
    steps = warehouse.query(
        "SELECT game_date, batch_id, step, MAX(recorded_at) AS done_at FROM nba_predictions.remediations "
        "WHERE game_date BETWEEN @first AND @last GROUP BY game_date, batch_id, step",
        **span,
    )
    row = ["game_date", "archived_id"]
    moved = rows[[*row, "batch_id"]].merge(steps, on=["game_date", "batch_id"])
    newest = moved.sort_values("done_at", kind="stable").drop_duplicates([*row, "step"], keep="last")
    restored = newest[newest["step"].eq(Step.RESTORED)]
    both = newest[newest["step"].eq(Step.REMOVED)].merge(restored, on=row, how="left", suffixes=("", "_back"))
    return both.loc[~(both["done_at_back"] >= both["done_at"]), row]
