"""The nightly job that compares the last week's outputs with its schedule, and alerts on what is missing."""

from datetime import date, datetime

import dagster as dg

from nba_props.automation.alerts import Alert, Alerts
from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.domain.games import PLAYABLE
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.operations.freshness import expected_dates
from nba_props.operations.ledger import own_dates
from nba_props.process.clock import Clock
from nba_props.process.revision import run_tags
from nba_props.warehouse.base import Warehouse

RECONCILE_JOB = "reconcile"


def missing_outputs(warehouse: Warehouse, days: list[date], now: datetime) -> dict[tuple[date, str], Finding]:
    """What some dates lack, by date and rule: a schedule, predictions of a game or a system, box scores."""
    published = quality.published(warehouse, tuple(SYSTEM_TABLES), days[0], days[-1], now)
    scheduled = warehouse.query(
        "SELECT game_date, COUNT(*) AS games FROM nba_raw.schedule "
        f"WHERE game_date BETWEEN @first AND @last AND {PLAYABLE} GROUP BY game_date",
        first=days[0],
        last=days[-1],
    )
    games = {r.game_date.date(): int(r.games) for r in scheduled.itertuples()}
    partitions = set(own_dates(warehouse))
    found = {}
    for day in days:
        for name, rule in (
            ("expected_outputs", quality.expected_outputs),
            ("gradable_are_graded", quality.gradable_are_graded),
        ):
            finding = rule(published, day)
            if not finding.passed:
                found[day, name] = finding
        if games.get(day) and day not in partitions:
            text = f"{games[day]} games were scheduled and nothing was ever published"
            found[day, "expected_outputs"] = Finding(False, text)
    return found


@dg.op
def reconcile_outputs(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    alerts: dg.ResourceParam[Alerts],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Compare the last week's outputs with its schedule."""
    missing = missing_outputs(warehouse, expected_dates(clock()), clock())
    context.add_output_metadata({"missing": {f"{day} {rule}": f.text for (day, rule), f in missing.items()}})
    for (day, rule), finding in missing.items():
        context.log.warning(f"{day} {rule}: {finding.text}")
        text = f"{finding.text}; the remedy is nba-props backfill {day}"
        alerts.send(Alert(finding.severity, f"reconcile: {rule} {day}", text))


@dg.job(
    tags=run_tags(),
    name=RECONCILE_JOB,
    description="Compares last week's outputs with its schedule; missing ones are alerts.",
)
def reconcile_job() -> None:
    """Compare the last week's outputs with its schedule."""
    reconcile_outputs()
