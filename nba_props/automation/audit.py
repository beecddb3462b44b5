"""The hourly job that audits ledger and archive, and its alerts."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from nba_props.assets.tables import asset_key
from nba_props.automation.alerts import Alert, Alerts
from nba_props.domain import audit as rules
from nba_props.domain.gate import PLACEHOLDER_DETECTED
from nba_props.domain.lines import PLACEHOLDER_REASONS
from nba_props.facts.digest import digest
from nba_props.operations.audit import Found, Memory, audit, known_faults, place
from nba_props.process.revision import run_tags
from nba_props.schemas.predictions import LEDGER
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse

AUDIT_JOB = "ledger_audit"
_DATES_SHOWN = 10


def alerts_of(found: Sequence[Found]) -> Iterator[Alert]:
    """One alert for each kind of new findings, with its dates; rows that were reported before cause none.

    The cause identifies the new rows: other rows of the same dates are another cause.
    """
    by_kind: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        if one.new:
            by_kind.setdefault((one.table, one.kind), []).append(one)
    for (table, kind), news in by_kind.items():
        rows, days = sum(f.rows for f in news), sorted(f.day for f in news)
        which = digest("".join(f.mark for f in news), 4)
        what = f"{PLACEHOLDER_DETECTED}: " if kind in PLACEHOLDER_REASONS else ""
        shown = ", ".join(f"{f.day} {f.rows}" for f in news[:_DATES_SHOWN])
        more = f" and {len(days) - _DATES_SHOWN} more dates" if len(days) > _DATES_SHOWN else ""
        remedy = (
            "nba-props scrub has the remedy"
            if kind == "UNREADABLE"
            else f"nba-props quarantine invalid_line {days[0]}..{days[-1]} --dry-run"
            if kind not in rules.LOST
            else "restore the partition from a backup (docs/runbooks/damage.md)"
        )
        yield Alert(
            "ERROR",
            f"ledger audit: {kind} in {table}, {rows} rows of {days[0]}..{days[-1]} [{which}]",
            f"{what}{rows} rows in {table}: {rules.KINDS[kind]}. By date: {shown}{more}. {remedy}",
        )


@dg.op
def audit_ledger(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    alerts: dg.ResourceParam[Alerts],
) -> None:
    """Judge what changed in ledger and archive since the last audit."""
    memory = Memory(place(settings))
    result = audit(warehouse, memory, registry.with_odds(LandingZone(settings.landing)))
    wrong = known_faults(memory)
    shown: dict[str, Any] = {
        "partitions": result.dates,
        "partitions_judged": len(result.judged),
        "rows_judged": result.rows,
        "rows_wrong": int(wrong["rows"].sum()),
        "wrong": dg.MetadataValue.md(wrong.to_markdown(index=False) if len(wrong) else "nothing"),
    }
    context.add_output_metadata(shown)
    context.log_event(
        dg.AssetObservation(asset_key(LEDGER), description="The hourly audit of ledger and archive", metadata=shown)
    )
    for alert in alerts_of(result.found):
        context.log.error(f"{alert.cause}: {alert.text}")
        alerts.send(alert)
    # after the alerts: a process killed in between sends them again
    memory.save()


@dg.job(
    tags=run_tags(),
    name=AUDIT_JOB,
    description="Audits ledger and archive by fingerprint: dates that changed are judged again, whatever changed them.",
)
def audit_job() -> None:
    """Whether ledger and archive are unchanged and valid."""
    audit_ledger()
