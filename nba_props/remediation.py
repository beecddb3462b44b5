"""Taking rows out of the ledger, and back: selected once, archived first, safe to kill and to run again.

A batch goes date by date. On each it selects its rows, appends them to the archive, removes exactly those ids from the
ledger, and records the date as done. A run that was killed is finished by the same command: dates on record are
skipped, and a date whose rows are in the archive already removes those and selects nothing anew. Restoring is the same
way back. Every step is atomic by itself, so a reader sees a row in the ledger, or in the archive, never in neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from nba_props.domain import lines
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL, claimed_lines_sql
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER_AS_FOUND, PLAYER_PROP_PREDICTIONS, REMEDIATIONS
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.warehouse.base import Warehouse, WarehouseError

#: named predicates over a judged ledger row ``j``; a changed meaning is a new version
PREDICATES: Mapping[str, tuple[int, str, str]] = {
    "placeholder": (1, f"j.line_problem IN ({PLACEHOLDER_REASONS_SQL})", "a placeholder line"),
    "no_source": (1, "j.line_problem IN ('NO_SOURCE', 'UNKNOWN_SOURCE')", "a line without a source"),
    "not_its_quote": (
        1,
        "j.line_problem IN ('NO_QUOTE', 'LINE_MISMATCH', 'PRICE_MISMATCH', 'BOOK_MISMATCH', 'QUOTE_OF_ANOTHER')",
        "a line that is not its quote's",
    ),
    "in_play": (1, "j.line_problem = 'IN_PLAY_QUOTE'", "a quote taken at or after the cut-off"),
    "invalid_line": (1, "j.line_problem IS NOT NULL", "any line that is not valid"),
    "run": (1, "j.run_id = @run_id", "rows that a run published"),
    "system": (1, "j.system_id = @system_id", "rows of a system"),
}


class RemediationError(WarehouseError):
    """A remediation can't be done as asked, or its accounts do not add up."""


@dataclass(frozen=True)
class Selection:
    """Which rows: a predicate, the dates it looks at, and its arguments."""

    predicate: str
    first: date
    last: date
    run_id: str = ""
    system_id: str = ""

    def __post_init__(self) -> None:
        if self.predicate not in PREDICATES:
            raise RemediationError(f"there is no predicate {self.predicate!r}; there are {', '.join(PREDICATES)}")
        for name in ("run", "system"):
            if self.predicate == name and not getattr(self, f"{name}_id"):
                raise RemediationError(f"the predicate {name} needs {name}_id")

    @property
    def action(self) -> str:
        """The selection in one line: part of every archived row."""
        version = PREDICATES[self.predicate][0]
        more = "".join(f" {k}={v}" for k, v in (("run_id", self.run_id), ("system_id", self.system_id)) if v)
        return f"quarantine {self.predicate}/{version} {self.first}..{self.last}{more}"


@dataclass(frozen=True)
class Account:
    """What a remediation did, or would do: rows by date and system."""

    batch_id: str
    action: str
    rows: pd.DataFrame
    days: tuple[date, ...]

    @property
    def total(self) -> int:
        return int(self.rows["rows"].sum())


def _account(batch_id: str, action: str, moved: Sequence[pd.DataFrame]) -> Account:
    rows = (
        pd.concat([m[["game_date", "system_id"]] for m in moved])
        if moved
        else pd.DataFrame(columns=["game_date", "system_id"])
    )
    counts = rows.groupby(["game_date", "system_id"]).size().rename("rows").reset_index()
    return Account(batch_id, action, counts, tuple(sorted({d.date() for d in rows["game_date"]})))


def selected(warehouse: Warehouse, selection: Selection) -> pd.DataFrame:
    """The ledger rows that a selection means, with their ``line_problem``."""
    condition = PREDICATES[selection.predicate][1]
    within = "(SELECT * FROM nba_predictions.player_prop_predictions WHERE game_date BETWEEN @first AND @last)"
    parameters = {n: getattr(selection, n) for n in ("run_id", "system_id") if f"@{n}" in condition}
    only = "" if selection.predicate == "system" or not selection.system_id else " AND j.system_id = @system_id"
    if only:
        parameters["system_id"] = selection.system_id
    sql = f"SELECT j.* FROM ({claimed_lines_sql(within)}) AS j WHERE {condition}{only}"
    return warehouse.query(sql, first=selection.first, last=selection.last, **parameters)


def quarantine(warehouse: Warehouse, selection: Selection, now: datetime, *, dry_run: bool = False) -> Account:
    """Move the selected rows to the archive.

    Raises:
        RemediationError: rows archived and rows removed do not add up.
    """
    batch_id = _open_batch(warehouse, selection.action)
    waiting = selected(warehouse, selection)
    if dry_run:
        return _account(batch_id, selection.action, [waiting])
    archived = _archived(warehouse, batch_id)
    done = _recorded(warehouse, batch_id, "REMOVED")
    days = sorted({d.date() for d in [*waiting["game_date"], *archived["game_date"]]} - done)
    moved = [archived[archived["game_date"].isin([pd.Timestamp(d) for d in done])]]
    for day in days:
        rows = archived[archived["game_date"] == pd.Timestamp(day)]
        if rows.empty:
            rows = waiting[waiting["game_date"] == pd.Timestamp(day)].assign(
                batch_id=batch_id, deletion_reason=selection.action, deleted_at=pd.Timestamp(now)
            )
            kept = warehouse.append(ARCHIVED_PREDICTIONS, rows, [day])
            if kept.added != len(rows):
                raise RemediationError(
                    f"{len(rows)} rows of {day} were selected and {kept.added} archived; nothing was removed"
                )
        warehouse.remove(PLAYER_PROP_PREDICTIONS, rows["prediction_id"].tolist(), day)
        left = warehouse.read(PLAYER_PROP_PREDICTIONS, [day])["prediction_id"].isin(rows["prediction_id"])
        if left.any():
            raise RemediationError(f"{int(left.sum())} of {len(rows)} archived rows of {day} are still in the ledger")
        _record(warehouse, batch_id, "REMOVED", selection.action, day, len(rows), now)
        moved.append(rows)
    account = _account(batch_id, selection.action, [m for m in moved if len(m)])
    if account.days:
        _record(warehouse, batch_id, "DONE", selection.action, account.days[-1], account.total, now)
    return account


def rollback(warehouse: Warehouse, run_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Move what a run published to the archive; the rows before it are current again."""
    days = warehouse.partitions(PLAYER_PROP_PREDICTIONS)
    if not days:
        raise RemediationError("nothing is published")
    account = quarantine(warehouse, Selection("run", days[0], days[-1], run_id=run_id), now, dry_run=dry_run)
    if not account.total:
        raise RemediationError(
            f"run {run_id} has no row in the ledger: see nba_predictions.player_prop_predictions.run_id"
        )
    return account


def restore(warehouse: Warehouse, batch_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Put a batch's archived rows back into the ledger, those that are not in it again already.

    The archive keeps its copy. Running it twice changes nothing.
    """
    rows = _archived(warehouse, batch_id)
    if rows.empty:
        raise RemediationError(f"there is no batch {batch_id} in nba_predictions.archived_predictions")
    days = sorted({d.date() for d in rows["game_date"]})
    known = warehouse.read(PLAYER_PROP_PREDICTIONS, days)["prediction_id"]
    missing = rows[~rows["prediction_id"].isin(known)]
    action = f"restore {batch_id}"
    if not dry_run:
        ledger = missing[PLAYER_PROP_PREDICTIONS.column_names]
        for day in days:
            mine = ledger[ledger["game_date"] == pd.Timestamp(day)]
            if len(mine):
                # on record first: a run that is killed in between still has its rows to put back, and the same count
                _record(warehouse, batch_id, "RESTORED", action, day, len(mine), now)
                warehouse.append(LEDGER_AS_FOUND, mine, [day])
    return _account(batch_id, action, [missing] if len(missing) else [])


def batches(warehouse: Warehouse) -> pd.DataFrame:
    """Every batch with its action, dates, rows archived, and whether it is done."""
    return warehouse.query(
        """
        SELECT a.batch_id, MIN(a.deletion_reason) AS action, MIN(a.game_date) AS first_date,
          MAX(a.game_date) AS last_date,
          COUNT(*) AS archived, COUNT(p.prediction_id) AS in_the_ledger, MAX(a.deleted_at) AS deleted_at,
          MAX(CASE WHEN r.batch_id IS NULL THEN 0 ELSE 1 END) AS done
        FROM nba_predictions.archived_predictions AS a
        LEFT JOIN nba_predictions.player_prop_predictions AS p
          ON p.game_date = a.game_date AND p.prediction_id = a.prediction_id
        LEFT JOIN (SELECT DISTINCT batch_id FROM nba_predictions.remediations WHERE step = 'DONE') AS r
          ON r.batch_id = a.batch_id
        GROUP BY a.batch_id
        ORDER BY deleted_at, batch_id
        """
    )


def lines_to_change(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """What choosing the lines of some dates anew would publish: rows by date and system."""
    present = set(warehouse.partitions(BETTING_LINES))
    known = [d for d in days if d in present]
    chosen = lines.betting_lines(*(warehouse.read(t, known) for t in (SLATE, ODDS_QUOTES, RESOLVED_NAMES)))
    standing = warehouse.query(
        "SELECT game_date, game_id, player_id, system_id, quote_id AS published "
        "FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last",
        first=days[0],
        last=days[-1],
    )
    both = standing.merge(chosen[["game_date", "game_id", "player_id", "quote_id"]], how="left")
    moved = both[both["quote_id"].fillna("") != both["published"].fillna("")]
    return moved.groupby(["game_date", "system_id"]).size().rename("rows").reset_index()


def latest_batch(warehouse: Warehouse) -> str:
    """The batch that went into the archive last.

    Raises:
        RemediationError: there is none.
    """
    found = batches(warehouse)
    if found.empty:
        raise RemediationError("the archive is empty")
    return str(found["batch_id"].iloc[-1])


def latest_run(warehouse: Warehouse) -> str:
    """The run that published last.

    Raises:
        RemediationError: nothing is published.
    """
    found = warehouse.query(
        "SELECT run_id FROM nba_predictions.player_prop_predictions ORDER BY created_at DESC, run_id LIMIT 1"
    )
    if found.empty:
        raise RemediationError("nothing is published")
    return str(found["run_id"].iloc[0])


def history(warehouse: Warehouse, player: str, day: date) -> pd.DataFrame:
    """Every prediction ever published for a player-game, archived ones included, oldest first.

    Args:
        warehouse: where the ledger is.
        player: name, normalised name or id.
        day: the game date.
    """
    columns = (
        "game_date, player_id, player_name, player_lookup, system_id, model_version, predicted_points, recommendation, "
        "line, sportsbook, quote_id, run_id, created_at, prediction_id"
    )
    return warehouse.query(
        f"""
        SELECT h.player_name, h.system_id, h.model_version, h.predicted_points, h.recommendation, h.line, h.sportsbook,
          h.quote_id, h.created_at, h.run_id,
          CASE WHEN h.batch_id IS NOT NULL THEN CONCAT('archived ', h.batch_id)
            WHEN c.prediction_id IS NOT NULL THEN 'current' ELSE 'superseded' END AS standing,
          a.outcome, a.actual_points
        FROM (
          SELECT {columns}, CAST(NULL AS STRING) AS batch_id
          FROM nba_predictions.player_prop_predictions WHERE game_date = @day
          UNION ALL
          SELECT {columns}, batch_id FROM nba_predictions.archived_predictions
          WHERE game_date = @day AND prediction_id NOT IN (
            SELECT prediction_id FROM nba_predictions.player_prop_predictions WHERE game_date = @day
          )
        ) AS h
        LEFT JOIN (SELECT prediction_id FROM nba_predictions.current_predictions WHERE game_date = @day) AS c
          ON c.prediction_id = h.prediction_id
        LEFT JOIN (SELECT * FROM nba_predictions.prediction_accuracy WHERE game_date = @day) AS a
          ON a.prediction_id = h.prediction_id
        WHERE LOWER(h.player_name) = LOWER(@player) OR h.player_lookup = @player
          OR CAST(h.player_id AS STRING) = @player
        ORDER BY h.system_id, h.created_at, h.prediction_id
        """,
        day=day,
        player=player,
    )


def _open_batch(warehouse: Warehouse, action: str) -> str:
    """The id of the batch of an action that is not done yet: the same until it is, then the next."""
    done = warehouse.query(
        "SELECT COUNT(DISTINCT batch_id) AS n FROM nba_predictions.remediations "
        "WHERE step = 'DONE' AND action = @action",
        action=action,
    )
    return hashlib.blake2b(f"{action} #{int(done['n'].iloc[0])}".encode(), digest_size=6).hexdigest()


def _archived(warehouse: Warehouse, batch_id: str) -> pd.DataFrame:
    rows = warehouse.query(
        "SELECT * FROM nba_predictions.archived_predictions WHERE batch_id = @batch_id", batch_id=batch_id
    )
    return ARCHIVED_PREDICTIONS.conform(rows)


def _recorded(warehouse: Warehouse, batch_id: str, step: str) -> set[date]:
    rows = warehouse.query(
        "SELECT game_date FROM nba_predictions.remediations WHERE batch_id = @batch_id AND step = @step",
        batch_id=batch_id,
        step=step,
    )
    return {d.date() for d in rows["game_date"]}


def _record(warehouse: Warehouse, batch_id: str, step: str, action: str, day: date, rows: int, now: datetime) -> None:
    record = {
        "game_date": pd.Timestamp(day), "batch_id": batch_id, "step": step, "action": action, "row_count": rows,
        "recorded_at": pd.Timestamp(now),
    }  # fmt: skip
    warehouse.append(REMEDIATIONS, pd.DataFrame([record]), [day])
