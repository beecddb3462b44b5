"""Remediation as Dagster jobs with typed config; the work is done by ``operations/remediation.py``."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from nba_props.assets.tables import asset_key
from nba_props.facts.calendar import parse_day
from nba_props.operations import remediation
from nba_props.operations.audit import Memory, place
from nba_props.operations.remediation import Account
from nba_props.operations.selection import Selection
from nba_props.process.clock import Clock
from nba_props.process.revision import run_tags
from nba_props.schemas import Table
from nba_props.schemas.predictions import LEDGER
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Publication, Warehouse

#: the tag, "true", of dry runs
DRY_RUN_TAG = "nba_props/dry_run"


class QuarantineConfig(dg.Config):
    """Which rows of the ledger to move to the archive."""

    predicate: str
    first: str
    last: str
    run_id: str = ""
    system_id: str = ""
    dry_run: bool = False


class RestoreConfig(dg.Config):
    """Which batch of the archive to put back."""

    batch_id: str
    dry_run: bool = False


class RollbackConfig(dg.Config):
    """Which run's rows to move to the archive."""

    run_id: str
    dry_run: bool = False


def tag(context: dg.OpExecutionContext, *, dry_run: bool) -> None:
    """Mark a dry run in the list of runs."""
    if dry_run:
        context.instance.add_run_tags(context.run_id, {DRY_RUN_TAG: "true"})


def note(
    context: dg.OpExecutionContext,
    warehouse: Warehouse,
    table: Table,
    account: Mapping[date, Mapping[str, Any]],
    description: str,
) -> None:
    """Record what a job did to each date of a table, as an event of the partition.

    A partition that no run has made gets a materialization: with an observation alone the UI shows it as missing.
    """
    if not account:
        return
    key, days = asset_key(table), sorted(account)
    counted = warehouse.row_counts(table, days)
    made = context.instance.get_materialized_partitions(key)
    for day in days:
        event = dg.AssetObservation if day.isoformat() in made else dg.AssetMaterialization
        metadata = {k: v for k, v in account[day].items() if v != ""} | {
            "dagster/partition_row_count": counted.get(day, 0)
        }
        context.log_event(event(key, partition=day.isoformat(), description=description, metadata=metadata))


def _report(context: dg.OpExecutionContext, warehouse: Warehouse, account: Account, dry_run: bool) -> Account:
    context.log.info(f"{'would move' if dry_run else 'moved'} {account.total} rows: {account.action}")
    origin = {"batch_id": account.batch_id, "action": account.action, "undo": account.undo}
    context.add_output_metadata(
        {
            **origin,
            "rows": account.total,
            "dry_run": dry_run,
            "by_date_and_system": dg.MetadataValue.md(account.rows.to_markdown(index=False)),
        }
    )
    if not dry_run:
        moved = "rows_put_back" if context.job_name == "restore" else "rows_taken_out"
        by_day = account.rows.assign(day=account.rows["game_date"].dt.date).groupby("day") if account.total else ()
        of_day = {
            day: {
                moved: int(rows["rows"].sum()),
                "by_system": dg.MetadataValue.md(rows[["system_id", "rows"]].to_markdown(index=False)),
                **origin,
            }
            for day, rows in by_day
        }
        note(context, warehouse, LEDGER, of_day, f"{context.job_name}: {account.action}")
    return account


@dg.op
def quarantine_rows(
    context: dg.OpExecutionContext,
    config: QuarantineConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    publication: dg.ResourceParam[Publication],
):
    """Move published rows that match a named predicate to the archive."""
    tag(context, dry_run=config.dry_run)
    first, last = parse_day(config.first), parse_day(config.last)
    selection = Selection(config.predicate, first, last, config.run_id, config.system_id)
    zone = registry.with_odds(LandingZone(settings.landing))
    if zone is None:
        context.log.warning(f"{settings.landing} has no odds: quotes are not compared with their payloads")
    seen = Memory(place(settings)).known_valid
    account = remediation.quarantine(warehouse, selection, clock(), zone=zone, seen=seen, dry_run=config.dry_run)
    return _report(context, warehouse, account, config.dry_run)


@dg.op
def restore_rows(
    context: dg.OpExecutionContext,
    config: RestoreConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
    publication: dg.ResourceParam[Publication],
):
    """Put the archived rows of a batch back into the ledger."""
    tag(context, dry_run=config.dry_run)
    account = remediation.restore(warehouse, config.batch_id, clock(), dry_run=config.dry_run)
    return _report(context, warehouse, account, config.dry_run)


@dg.op
def rollback_rows(
    context: dg.OpExecutionContext,
    config: RollbackConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
    publication: dg.ResourceParam[Publication],
):
    """Move what a run published to the archive."""
    tag(context, dry_run=config.dry_run)
    account = remediation.rollback(warehouse, config.run_id, clock(), dry_run=config.dry_run)
    return _report(context, warehouse, account, config.dry_run)


_AFTERWARDS = "Grade its dates again afterwards (job grade); the command line does so by itself."


@dg.job(
    tags=run_tags(),
    name="quarantine",
    description=f"Move published rows that match a named predicate to the archive. {_AFTERWARDS}",
)
def quarantine_job() -> None:
    """Move published rows that match a named predicate to the archive."""
    quarantine_rows()


@dg.job(
    tags=run_tags(),
    name="restore",
    description=f"Put the archived rows of a batch back into the ledger. {_AFTERWARDS}",
)
def restore_job() -> None:
    """Put the archived rows of a batch back into the ledger."""
    restore_rows()


@dg.job(
    tags=run_tags(),
    name="rollback",
    description=f"Move what a run published to the archive. {_AFTERWARDS}",
)
def rollback_job() -> None:
    """Move what a run published to the archive."""
    rollback_rows()


REMEDIATION_JOBS = (quarantine_job, restore_job, rollback_job)
