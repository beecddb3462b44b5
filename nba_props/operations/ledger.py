"""Questions about the ledger and its archive: what was published, by which run, and where each row is now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import pandas as pd

from nba_props.domain import lines
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.ledger import market_sql
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import RemediationStep as Step
from nba_props.operations.selection import RemediationError
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.warehouse.base import Warehouse

_SAME_CONTENT = " AND ".join(f"(n.{c} = a.{c} OR (n.{c} IS NULL AND a.{c} IS NULL))" for c in LEDGER.content)


def own_dates(warehouse: Warehouse) -> list[date]:
    """The dates of the ledger with a partition of one of our systems: not those with imported rows alone."""
    own = {d for table in SYSTEM_TABLES.values() for d in warehouse.partitions(table)}
    return [d for d in warehouse.partitions(LEDGER) if d in own]


def writers(warehouse: Warehouse, first: date, last: date) -> list[str]:
    """The systems that have rows in the ledger, ours or not."""
    rows = warehouse.query(
        f"SELECT DISTINCT system_id FROM {LEDGER.address} WHERE game_date BETWEEN @first AND @last",
        first=first,
        last=last,
    )
    return sorted(rows["system_id"].dropna())


def history(warehouse: Warehouse, player: str, day: date) -> pd.DataFrame:
    """Every prediction ever published for a player-game, of all markets, archived ones included, oldest first.

    Args:
        warehouse: where the ledger is.
        player: name, normalized name or id.
        day: the game date.
    """
    columns = (
        "game_date, player_id, player_name, player_lookup, market, system_id, model_version, forecast, recommendation, "
        "line, sportsbook, quote_id, run_id, created_at, prediction_id"
    )
    return warehouse.query(
        f"""
        SELECT h.player_name, {market_sql("h")} AS market, h.system_id, h.model_version, h.forecast,
          h.recommendation, h.line, h.sportsbook, h.quote_id, h.created_at, h.run_id,
          CASE WHEN h.batch_id IS NOT NULL THEN CONCAT('archived ', h.batch_id)
            WHEN c.prediction_id IS NOT NULL THEN 'current' ELSE 'superseded' END AS standing,
          a.outcome, a.result
        FROM (
          SELECT {columns}, CAST(NULL AS STRING) AS batch_id
          FROM nba_predictions.ledger WHERE game_date = @day
          UNION ALL
          SELECT {columns}, batch_id FROM nba_predictions.archived_predictions
          WHERE game_date = @day AND prediction_id NOT IN (
            SELECT prediction_id FROM nba_predictions.ledger WHERE game_date = @day
          )
        ) AS h
        LEFT JOIN (SELECT prediction_id FROM nba_predictions.current_predictions WHERE game_date = @day) AS c
          ON c.prediction_id = h.prediction_id
        LEFT JOIN (SELECT * FROM nba_predictions.prediction_accuracy WHERE game_date = @day) AS a
          ON a.prediction_id = h.prediction_id
        WHERE LOWER(h.player_name) = LOWER(@player) OR h.player_lookup = @player
          OR CAST(h.player_id AS STRING) = @player
        ORDER BY {market_sql("h")}, h.system_id, h.created_at, h.prediction_id
        """,
        day=day,
        player=player,
    )


def lines_to_change(
    warehouse: Warehouse,
    days: Sequence[date],
    asked: Collection[str],
    now: datetime,
    books: Sequence[str] = SPORTSBOOKS,
) -> pd.DataFrame:
    """The rows that re-selecting the lines of some dates in some markets would publish, by date, system and market.

    A row that was published in time stays the current one of a game that has begun: one with the chosen line is
    published beside it once.
    """
    present = set(warehouse.partitions(BETTING_LINES))
    known = [d for d in days if d in present]
    slate, resolved = (warehouse.read(t, known) for t in (SLATE, RESOLVED_NAMES))
    _, chosen = lines.read_lines(warehouse.query, slate, resolved, known, asked, books)
    span = {"first": days[0], "last": days[-1]}
    current = warehouse.query(
        "SELECT game_date, game_id, player_id, market, system_id, quote_id AS published, is_backfill, cutoff_at "
        "FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last",
        **span,
    )
    both = current[current["market"].isin(asked)].merge(chosen[[*PROP, "quote_id"]], how="left")
    moved = both[both["quote_id"].fillna("") != both["published"].fillna("")]
    row = [*PROP, "system_id", "quote_id"]
    there = warehouse.query(
        f"SELECT DISTINCT {', '.join(row)} FROM {LEDGER.address} WHERE game_date BETWEEN @first AND @last", **span
    )
    in_time = ~moved["is_backfill"].astype("boolean").fillna(True).astype(bool)
    is_late = in_time & ~(moved["cutoff_at"] > pd.Timestamp(now))
    mine, known_rows = (pd.MultiIndex.from_frame(f[row].fillna({"quote_id": ""})) for f in (moved, there))
    is_there = mine.isin(known_rows)
    return (
        moved[~(is_late & is_there)].groupby(["game_date", "system_id", "market"]).size().rename("rows").reset_index()
    )


def batches(warehouse: Warehouse) -> pd.DataFrame:
    """Every batch with its action, dates, archived rows, how many of them are in the ledger again, unchanged or
    published again, and whether it was completed.
    """
    return warehouse.query(
        f"""
        SELECT a.batch_id, MIN(a.deletion_reason) AS action, MIN(a.game_date) AS first_date,
          MAX(a.game_date) AS last_date,
          COUNT(*) AS archived, COUNT(COALESCE(p.prediction_id, n.prediction_id)) AS in_the_ledger,
          MAX(a.deleted_at) AS deleted_at, COUNT(r.batch_id) > 0 AS is_complete
        FROM nba_predictions.archived_predictions AS a
        LEFT JOIN (
          SELECT DISTINCT game_date, prediction_id, row_digest FROM nba_predictions.ledger
        ) AS p
          ON p.game_date = a.game_date AND p.prediction_id = a.prediction_id
            AND COALESCE(p.row_digest, '') = COALESCE(a.row_digest, '')
        LEFT JOIN (
          SELECT DISTINCT game_date, prediction_id, {", ".join(LEDGER.content)} FROM nba_predictions.ledger
        ) AS n
          ON a.line_problem IS NULL AND n.game_date = a.game_date AND n.prediction_id = a.prediction_id
            AND {_SAME_CONTENT}
        LEFT JOIN (SELECT DISTINCT batch_id FROM nba_predictions.remediations WHERE step = '{Step.DONE}') AS r
          ON r.batch_id = a.batch_id
        GROUP BY a.batch_id
        ORDER BY deleted_at, batch_id
        """
    )


def latest_batch(warehouse: Warehouse) -> str:
    """The newest batch of the archive.

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
    found = warehouse.query("SELECT run_id FROM nba_predictions.ledger ORDER BY created_at DESC, run_id LIMIT 1")
    if found.empty:
        raise RemediationError("nothing is published")
    return str(found["run_id"].iloc[0])


def require_batch(warehouse: Warehouse, batch_id: str) -> None:
    """Raise :class:`RemediationError` when nothing was ever archived under an id."""
    if batch_id not in set(batches(warehouse)["batch_id"]):
        raise RemediationError(f"there is no batch {batch_id} in nba_predictions.archived_predictions")


def require_run(warehouse: Warehouse, run_id: str) -> None:
    """Raise :class:`RemediationError` when a run has no row in the ledger, and none in the archive."""
    days = warehouse.dates(LEDGER)
    if not days:
        raise RemediationError("nothing is published")
    for table in (LEDGER, ARCHIVED_PREDICTIONS):
        found = warehouse.query(
            f"SELECT COUNT(*) AS n FROM {table.address} WHERE game_date BETWEEN @first AND @last AND run_id = @run_id",
            first=days[0],
            last=days[-1],
            run_id=run_id,
        )
        if found["n"].iloc[0]:
            return
    raise no_row_of(run_id)


def no_row_of(run_id: str) -> RemediationError:
    """The error of a run without rows."""
    return RemediationError(f"run {run_id} has no row in the ledger: see {LEDGER.address}.run_id")
