"""``nba_predictions``: one asset per system, from one factory, and the gate before the published ledger."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import dagster as dg
import pandas as pd

from nba_props.assets import figures
from nba_props.assets.inputs import MODELS, unused
from nba_props.assets.models import model_key
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.assets.windows import WINDOWS
from nba_props.domain import gate, history, lines
from nba_props.domain.models.card import week_of
from nba_props.domain.models.learner import model_id
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS, System
from nba_props.domain.systems.base import SystemInputs, stored_sql
from nba_props.facts.calendar import season_start
from nba_props.facts.digest import digest
from nba_props.facts.markets import POINTS
from nba_props.facts.words import plural
from nba_props.process import stopping
from nba_props.process.clock import Clock
from nba_props.process.revision import COMMAND_TAG, publication
from nba_props.schemas import Table, analytics, predictions, raw, reference
from nba_props.settings import Settings
from nba_props.storage.models import UNTRAINED, ModelStore
from nba_props.warehouse.base import Warehouse, WarehouseError

#: the tag of runs that publish only games whose lines or players moved, and no game that has begun
FOLLOW_TAG = "nba_props/follow"
_CURRENT_SQL = "SELECT * FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last"
_KNOWN_SQL = (
    f"SELECT prediction_id, {', '.join(predictions.LEDGER.content)} "
    "FROM nba_predictions.ledger WHERE game_date BETWEEN @first AND @last"
)
#: for a person to read: no row depends on it
_GAMES_SQL = "SELECT game_id, away_team, home_team FROM nba_raw.schedule WHERE game_date BETWEEN @first AND @last"


class Alerting(Protocol):
    """Sends alerts (``automation/alerts.py``)."""

    def report(self, severity: str, cause: str, text: str) -> bool:
        """Send an alert, unless its cause was sent within the cool-down; returns whether it was sent."""


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The systems and the gate."""
    return [*(build_system(system, partitions) for system in SYSTEMS), gate_predictions(partitions)]


def build_system(system: System, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset of one prediction system.

    A system that raises has no rows on these dates and a failing check; the other systems and the gate still run.
    """
    table, needs = system.table, system.needs()
    deps: list[Table | dg.AssetKey] = [*needs.tables, *(s.table for s in needs.systems)]
    deps += [analytics.HISTORICAL_GAMES, raw.BOX_SCORES] if needs.uses_past else []
    deps += [w.table for w in WINDOWS.get(table.address, ()) if w.table not in deps]
    deps += [model_key(system_id) for system_id in dict.fromkeys(recipe.system_id for recipe in needs.models)]

    @table_assets(
        table, partitions=partitions, name=system.system_id, ins={"line_rows": analytics.BETTING_LINES}, deps=deps
    )
    def system_predictions(
        context: dg.AssetExecutionContext,
        line_rows: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        model_store: dg.ResourceParam[ModelStore],
    ):
        days = partition_days(context)
        failure: dict[str, Any] = {}
        try:
            frame = table.validate(_rows(context, system, days, line_rows, warehouse, settings, model_store))
        except WarehouseError:
            raise  # a storage error is not the system's fault: the run has to fail
        except Exception as error:
            stopping.check()  # libraries take a stop for an error of their own
            context.log.exception(f"{system.system_id} failed and has no rows: the other systems go on")
            failure["failure"] = f"{type(error).__name__}: {error}"
            frame = table.empty()
        return emit(
            context,
            [table],
            [frame],
            figures.forecasts,
            of_date=lambda day: failure,
        )

    return system_predictions


def _rows(
    context: dg.AssetExecutionContext,
    system: System,
    days: Sequence[date],
    line_rows: pd.DataFrame,
    warehouse: Warehouse,
    settings: Settings,
    model_store: ModelStore,
) -> pd.DataFrame:
    """The rows of a system for some dates; a missing model is logged with the command that makes it."""
    inputs = read_inputs(system, days, line_rows, warehouse, settings, model_store)
    for name, models in inputs.models.items():
        if untrained := sorted(day for day, model in models.items() if model == UNTRAINED):
            context.log.warning(
                f"{plural(len(untrained), 'date')} from {untrained[0]} on have no model"
                f"{'' if name == system.system_id else f' {name}'}, so the system abstains: "
                f"materialize {MODELS}/{system.system_id} for {week_of(untrained[0])}, or type "
                f"`nba-props train {untrained[0]}`"
            )
    return system.rows(inputs)


def read_inputs(
    system: System,
    days: Sequence[date],
    line_rows: pd.DataFrame,
    warehouse: Warehouse,
    settings: Settings,
    model_store: ModelStore,
) -> SystemInputs:
    """The inputs of a system for some dates, read from warehouse and model store."""
    needs, span = system.needs(), {"first": days[0], "last": days[-1]}
    others = [s.table for s in needs.systems]
    quoted = {POINTS, *line_rows["market"]}
    idle = unused(quoted)
    tables = {t.address: t.empty() if t.address in idle else warehouse.read(t, days) for t in needs.tables}
    # a date without games needs no model
    busy = sorted({d.date() for rows in tables.values() for d in rows["game_date"].unique()})
    return SystemInputs(
        lines=line_rows,
        tables=tables,
        past=warehouse.query(history.past_form_sql(settings.look_back_days), **span) if needs.uses_past else None,
        systems=warehouse.query(stored_sql(others), **span) if others else pd.DataFrame(),
        answers={name: warehouse.query(sql, **_asked(sql, days, settings)) for name, sql in needs.statements.items()},
        models={model_id(r): model_store.serving(r, busy) for r in needs.models if r.market in quoted},
    )


def _asked(sql: str, days: Sequence[date], settings: Settings) -> dict[str, date]:
    """The parameters of a statement that a system needs (``Needs.statements``)."""
    known = {
        "first": days[0], "last": days[-1], "history_from": season_start(days[0]),
        "learn_from": settings.first_date, "learn_before": week_of(days[-1]),
    }  # fmt: skip
    return {name: day for name, day in known.items() if f"@{name}" in sql}


@table_assets(
    predictions.LEDGER,
    predictions.QUARANTINED_PREDICTIONS,
    name="gate",
    deps=[*SYSTEM_TABLES.values(), raw.ODDS_QUOTES, reference.RESOLVED_NAMES],
)
def gate_predictions(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
    alerts: dg.ResourceParam[Alerting],
):
    """The gate: every system's rows in, the ledger and the quarantine out.

    Rows held back are reported: a line in the log for each reason, and one alert for the run.
    """
    days = partition_days(context)
    claims = f"({stored_sql(SYSTEM_TABLES.values())})"
    judged = warehouse.query(lines.claimed_lines_sql(claims), first=days[0], last=days[-1])
    published, held_back = gate.split(judged)
    now = pd.Timestamp(clock())
    current, known = (warehouse.query(sql, first=days[0], last=days[-1]) for sql in (_CURRENT_SQL, _KNOWN_SQL))
    if context.run.tags.get(FOLLOW_TAG):
        published = published[gate.moved(current, published) & (published["cutoff_at"] > now)]
    published = published.assign(
        run_id=context.run.run_id,
        created_at=now,
        is_backfill=published["cutoff_at"].isna() | (published["cutoff_at"] <= now),
    )
    published = gate.renewed(published, current, set(known["prediction_id"]))
    published, conflicting = gate.without_conflicts(published, known)
    held_back = pd.concat([f for f in (held_back, conflicting) if len(f)] or [held_back], ignore_index=True)
    held_back = held_back.assign(run_id=context.run.run_id, quarantined_at=now)
    _report(context, alerts, held_back, days)
    _sign(context, warehouse, published[~published["prediction_id"].isin(known["prediction_id"])], now)
    return emit(
        context,
        [predictions.LEDGER, predictions.QUARANTINED_PREDICTIONS],
        [published, held_back],
        figures.gate,
        games=figures.games(warehouse.query(_GAMES_SQL, first=days[0], last=days[-1])),
    )


def _sign(context: dg.AssetExecutionContext, warehouse: Warehouse, new: pd.DataFrame, now: pd.Timestamp) -> None:
    """Record which code is about to publish, before it does, so that every row of the ledger has that record."""
    run = context.run
    signed = publication(new["game_date"], run.run_id, run.job_name, run.tags.get(COMMAND_TAG), now)
    if len(signed):
        warehouse.append(predictions.PUBLICATIONS, signed, sorted({d.date() for d in signed["game_date"]}))


def _report(context: dg.AssetExecutionContext, alerts: Alerting, held_back: pd.DataFrame, days: Sequence[date]) -> None:
    """Log one line for each reason that rows were held back for, and send one alert that lists them all.

    The alert's cause consists of dates, reasons and a mark of the rows: a slate that is published all day long repeats
    no alert, and different rows cause another one.
    """
    reports = gate.messages(held_back, context.run.run_id)
    if not reports:
        return
    for one in reports:
        (context.log.error if one.is_placeholder else context.log.warning)(one.text)
    span = f"{days[0]}" if len(days) == 1 else f"{days[0]}..{days[-1]}"
    severity = "ERROR" if any(one.is_placeholder for one in reports) else "WARN"
    reasons = ", ".join(f"{one.reason} {one.rows}" for one in sorted(reports, key=lambda one: one.reason))
    cause = f"gate held rows back: {reasons} {span} [{_mark(held_back)}]"
    try:
        alerts.report(severity, cause, "\n".join(one.text for one in reports))
    except OSError as error:  # the valid rows are published even if the alert can't be sent
        context.log.error(f"the alert {cause!r} could not be written: {error}")


def _mark(held_back: pd.DataFrame) -> str:
    """A short id of the rows held back, by reason, system, game, player and market, whatever the line."""
    columns = held_back[["reason", "system_id", "game_id", "player_id", "market"]].astype(str)
    rows = sorted(columns.agg(" ".join, axis=1))
    return digest("\n".join(rows), 4)
