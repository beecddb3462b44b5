"""Removing rows from the ledger and restoring them: selected once, archived first, safe to kill and to run again.

A batch works date by date: it selects its rows, appends those to the archive that are not in it, removes exactly the
selected rows from the ledger, and records the date as done. A row is identified by its content (``digests.row_ids``): a
foreign row may have a valid row's id, or none. The same command completes a run that was killed; neither the archive
nor a record decides what leaves the ledger. Restoring is the reverse. Every step is atomic, so that a reader sees a row
in the ledger, or in the archive, never in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import pandas as pd

from nba_props.domain import digests
from nba_props.domain.alike import alike
from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import RemediationStep as Step
from nba_props.operations.archive import archived_rows, as_archived, named, stored_rows
from nba_props.operations.ledger import no_row_of, require_run
from nba_props.operations.selection import RemediationError, Seen, Selection, command_of, selected
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, LEDGER_AS_FOUND, REMEDIATIONS
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse


@dataclass(frozen=True)
class Account:
    """What a remediation did, or would do: rows by date and system, and the command that undoes it.

    ``standing`` counts the rows of a restored batch that the ledger had already.
    """

    batch_id: str
    action: str
    rows: pd.DataFrame
    days: tuple[date, ...]
    undo: str
    standing: int = 0

    @property
    def total(self) -> int:
        return int(self.rows["rows"].sum())


def _account(batch_id: str, action: str, moved: Sequence[pd.DataFrame], undo: str | None = None) -> Account:
    rows = (
        pd.concat([m[["game_date", "system_id"]] for m in moved])
        if moved
        else pd.DataFrame(columns=["game_date", "system_id"])
    )
    counts = rows.groupby(["game_date", "system_id"], dropna=False).size().rename("rows").reset_index()
    days = tuple(sorted({d.date() for d in rows["game_date"]}))
    return Account(batch_id, action, counts, days, f"nba-props restore {batch_id}" if undo is None else undo)


def quarantine(
    warehouse: Warehouse,
    selection: Selection,
    now: datetime,
    *,
    zone: LandingZone | None = None,
    seen: Seen | None = None,
    dry_run: bool = False,
) -> Account:
    """Move the selected rows to the archive, each identified by its content: another row may have its id.

    Raises:
        RemediationError: rows archived and rows removed do not add up.
    """
    batch_id = _open_batch(warehouse, selection.action)
    waiting = selected(warehouse, selection, zone, seen)
    if dry_run:
        return _account(batch_id, selection.action, [waiting])
    waiting = waiting.drop(columns="line_problem").rename(columns={"problem": "line_problem", "row_id": "archived_id"})
    archived = archived_rows(warehouse, batch_id, (selection.first, selection.last))
    done = _recorded(warehouse, batch_id, Step.REMOVED)
    moved = []
    for day in sorted({d.date() for d in [*waiting["game_date"], *archived["game_date"]]}):
        rows, kept = (f[f["game_date"] == pd.Timestamp(day)] for f in (waiting, archived))
        if len(rows):
            kept = _archive(warehouse, batch_id, selection, rows, kept, now)
            warehouse.remove(LEDGER, list(rows["archived_id"]), day)
        left = digests.row_ids(LEDGER, _ledger(warehouse, [day])).isin(rows["archived_id"])
        if left.any():
            raise RemediationError(f"{int(left.sum())} of {len(rows)} archived rows of {day} are still in the ledger")
        if len(rows) or day not in done:
            _record(warehouse, batch_id, Step.REMOVED, selection.action, day, len(kept), now)
        moved.append(kept)
    account = _account(batch_id, selection.action, [m for m in moved if len(m)])
    if account.days:
        _record(warehouse, batch_id, Step.DONE, selection.action, account.days[-1], account.total, now)
    return account


def _archive(
    warehouse: Warehouse,
    batch_id: str,
    selection: Selection,
    rows: pd.DataFrame,
    kept: pd.DataFrame,
    now: datetime,
) -> pd.DataFrame:
    """Append a date's selected rows to the archive, unless they are ``kept`` there; returns all of the batch's.

    Raises:
        RemediationError: not all of them are there afterwards, unchanged.
    """
    day = rows["game_date"].iloc[0].date()
    fresh = rows[~rows["archived_id"].isin(kept["archived_id"])]
    if len(fresh):
        marks = {"batch_id": batch_id, "deletion_reason": selection.action, "deleted_at": pd.Timestamp(now)}
        warehouse.append(ARCHIVED_PREDICTIONS, fresh.assign(**marks), [day])
        kept = archived_rows(warehouse, batch_id, (day, day))
    missing = int((~rows["archived_id"].isin(kept["archived_id"])).sum())
    if missing:
        raise RemediationError(
            f"{missing} of {len(rows)} rows of {day} are not in nba_predictions.archived_predictions unchanged: "
            "nothing was removed"
        )
    return kept


def rollback(warehouse: Warehouse, run_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Move the rows that a run published to the archive; earlier rows become current again."""
    require_run(warehouse, run_id)
    days = warehouse.dates(LEDGER)
    account = quarantine(warehouse, Selection("run", days[0], days[-1], run_id=run_id), now, dry_run=dry_run)
    if not account.total:
        raise no_row_of(run_id)
    return account


def restore(warehouse: Warehouse, batch_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Put a batch's archived rows back into the ledger, unless it has them already.

    The archive keeps its copy. Running it twice changes nothing.
    """
    rows = _to_restore(warehouse, batch_id)
    if rows.empty:
        raise RemediationError(f"there is no batch {batch_id} in nba_predictions.archived_predictions")
    days = sorted({d.date() for d in rows["game_date"]})
    missing = _missing(rows, _ledger(warehouse, days))
    action = f"restore {batch_id}"
    if not dry_run:
        for day in days:
            mine = missing[missing["game_date"] == pd.Timestamp(day)]
            # recorded first: a run that is killed in between still has its rows to put back, and the same count
            _record(warehouse, batch_id, Step.RESTORED, action, day, len(mine), now)
            if len(mine):
                warehouse.put_back(LEDGER_AS_FOUND, day, partial(_to_put_back, mine))
    undo = command_of(str(rows["deletion_reason"].iloc[0]))
    account = _account(batch_id, action, [missing] if len(missing) else [], undo)
    return replace(account, standing=len(rows) - len(missing))


def _to_restore(warehouse: Warehouse, batch_id: str) -> pd.DataFrame:
    """All rows of a batch.

    Raises:
        RemediationError: a row is not as it was archived, and must not enter the ledger.
    """
    stored = stored_rows(warehouse, batch_id)
    rows, wrong = named(stored), ~as_archived(stored, is_sealed=warehouse.is_sealed())
    wrong |= rows.duplicated(["game_date", "archived_id"], keep=False)
    if wrong.any():
        raise RemediationError(
            f"{int(wrong.sum())} of {len(rows)} rows of batch {batch_id} in nba_predictions.archived_predictions are "
            "not as they were archived: put a backup of these partitions in their place (docs/runbooks/damage.md)"
        )
    return rows


def _missing(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The archived rows that the ledger has neither unchanged nor, if they are valid, published again."""
    again = rows["line_problem"].isna() & _is_republished(rows, known)
    return rows[~again & ~rows["archived_id"].isin(digests.row_ids(LEDGER, known))]


def _to_put_back(archived: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows to add to the ledger's of a date so that it has the archived ones again."""
    rows = _missing(archived, known)
    ledger = LEDGER_AS_FOUND.conform(rows[LEDGER.column_names]).set_axis(rows.index)
    valid = rows["line_problem"].isna()
    if not valid.any():
        return ledger
    # valid rows from before digests get one
    sealed = digests.completed(LEDGER, ledger)["row_digest"]
    return ledger.assign(row_digest=sealed.where(valid, ledger["row_digest"]))


def _is_republished(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Whether the ledger has a valid row with the id and the content of each row."""
    content = list(LEDGER.content)
    valid = known[known["row_digest"].eq(digests.row_digests(LEDGER, known))]
    key = ["game_date", "prediction_id"]
    now = valid[[*key, *content]].drop_duplicates(key)
    both = rows[[*key, *content]].merge(now, on=key, how="left", suffixes=("", "_now"))
    return alike(both, content, "_now").set_axis(rows.index)


def _ledger(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Every row that the ledger has on some dates."""
    known = [d for d in warehouse.partitions(LEDGER) if d in set(days)]
    return warehouse.read(LEDGER, known)


def _open_batch(warehouse: Warehouse, action: str) -> str:
    """The id of an action's unfinished batch: the same until the batch is done, then the next."""
    done = warehouse.query(
        "SELECT COUNT(DISTINCT batch_id) AS n FROM nba_predictions.remediations "
        f"WHERE step = '{Step.DONE}' AND action = @action",
        action=action,
    )
    return digest(f"{action} #{int(done['n'].iloc[0])}", 6)


def _recorded(warehouse: Warehouse, batch_id: str, step: Step) -> set[date]:
    rows = warehouse.query(
        "SELECT game_date FROM nba_predictions.remediations WHERE batch_id = @batch_id AND step = @step",
        batch_id=batch_id,
        step=step.value,
    )
    return {d.date() for d in rows["game_date"]}


def _record(warehouse: Warehouse, batch_id: str, step: Step, action: str, day: date, rows: int, now: datetime) -> None:
    record = {
        "game_date": pd.Timestamp(day), "batch_id": batch_id, "step": step.value, "action": action, "row_count": rows,
        "recorded_at": pd.Timestamp(now),
    }  # fmt: skip
    warehouse.append(REMEDIATIONS, pd.DataFrame([record]), [day])
