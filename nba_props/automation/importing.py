"""The import of another system's predictions as a Dagster job; the work is done by ``operations/importing.py``."""

from pathlib import Path
from typing import Any

import dagster as dg

from nba_props.automation.remediation import note, tag
from nba_props.operations.exports import read_export
from nba_props.operations.importing import bring_in
from nba_props.process.clock import Clock
from nba_props.process.revision import COMMAND_TAG, run_tags
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props.warehouse.base import Publication, Warehouse

IMPORT_JOB = "import_legacy"


class ImportConfig(dg.Config):
    """Which exports to judge, and what to do with forecasts whose own line is not valid."""

    files: list[str]
    real_lines: bool = False
    dry_run: bool = False


@dg.op
def import_rows(
    context: dg.OpExecutionContext,
    config: ImportConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
    publication: dg.ResourceParam[Publication],
) -> Any:
    """Store, judge and publish the rows of exports of the old production table."""
    tag(context, dry_run=config.dry_run)
    done = bring_in(
        warehouse,
        [read_export(Path(f)) for f in config.files],
        context.run_id,
        clock(),
        real_lines=config.real_lines,
        dry_run=config.dry_run,
        job_name=context.job_name,
        command=context.run.tags.get(COMMAND_TAG),
    )
    context.add_output_metadata(
        {
            "rows": done.total,
            "dry_run": config.dry_run,
            "unread": done.unread,
            "repeated": done.repeated,
            "undo": done.undo,
            "by_system_and_outcome": dg.MetadataValue.md(done.rows.to_markdown(index=False)),
        }
    )
    if not config.dry_run:
        files = ", ".join(Path(f).name for f in config.files)
        counts = {d: {"rows_published": rows, "rows_quarantined": others} for d, (rows, others) in done.new.items()}
        origin = {"files": files, "run": dg.MetadataValue.dagster_run(context.run_id), "undo": done.undo}
        by_day = {day: {**counted, **origin} for day, counted in counts.items()}
        for table in (LEDGER, QUARANTINED_PREDICTIONS):
            note(context, warehouse, table, by_day, f"{context.job_name}: {files}")
    return done


@dg.job(
    tags=run_tags(),
    name=IMPORT_JOB,
    description="Judge an export of the old production table by the gate: rows with a verified quote are published "
    "under imported_<system>, the others quarantined. Grade the dates afterwards (job grade).",
)
def import_job() -> None:
    """Judge an export of the old production table by the gate."""
    import_rows()
