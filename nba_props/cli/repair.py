"""Finding and repairing damage: doctor, scrub, quarantine, restore, rollback, reline, backup, prune, migrate."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Output
from nba_props.cli.program import program
from nba_props.cli.session import (
    print_findings,
    print_undo,
    published,
    session,
    text_of,
    to_read,
    within_reach,
)
from nba_props.cli.values import BATCH_ID, DRY_RUN, PREDICATE, RUN_ID, WRITER, DateSpan, Whole
from nba_props.deployment import load_settings
from nba_props.facts.calendar import spans
from nba_props.facts.words import plural
from nba_props.process import clock
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse, WarehouseError


def _remediate(job: str, config: dict[str, Any], dry_run: bool, form: str) -> None:
    """Run a remediation job, print what it did, and regrade the dates it changed."""
    from nba_props.automation import runner
    from nba_props.automation.instance import open_instance
    from nba_props.automation.jobs import GRADE_JOB

    with Output(form) as out:
        opened = session(out, landed=False)
        with open_instance(opened.settings) as instance:
            config = {**config, "dry_run": dry_run}
            account = runner.remediate(opened.definitions, instance, job, config, opened.caller)
        out.rows(account.rows, f"{'Would move' if dry_run else 'Moved'} {plural(account.total, 'row')}")
        out.print(f"batch     {account.batch_id}: {account.action}")
        if account.standing:
            out.print(f"kept      {account.standing:,} of its rows were in the ledger already")
        touched = [] if dry_run else spans(account.days)
        outcomes = [o for first, last in touched for o in opened.follow([(GRADE_JOB, first, last)])]
        if account.total and not dry_run and account.undo:
            out.print(f"undo      {account.undo}")
        print_findings(out, outcomes)
        if not all(o.success for o in outcomes):
            sys.exit(1)


@main.command(**example("nba-props quarantine placeholder 2026-01-09..2026-01-10 --dry-run"))
@click.argument("predicate", type=PREDICATE)
@click.argument("span", type=DateSpan())
@click.option("--run", "run_id", type=RUN_ID, default="", help="Only rows of this run.")
@click.option(
    "--system",
    "system_id",
    type=WRITER,
    default=None,
    help="Only rows of this system, also one that is not the platform's.",
)
@DRY_RUN
@FORMAT
def quarantine(predicate: str, span: list[date], run_id: str, system_id: str | None, dry_run: bool, form: str) -> None:
    """Move published rows of SPAN that match PREDICATE to the archive.

    PREDICATE is placeholder, no_source, not_its_quote, in_play, invalid_line, run (with --run) or system
    (with --system).
    """
    for name, given in (("run", run_id), ("system", system_id)):
        if predicate == name and not given:
            raise click.UsageError(f"the predicate {name} needs --{name}")
    from nba_props.operations import ledger

    settings = load_settings()
    warehouse = to_read(settings)
    within_reach(settings, warehouse, span)
    if system_id:
        WRITER.require(system_id, ledger.writers(warehouse, span[0], span[-1]))
    config = {
        "predicate": predicate,
        "first": str(span[0]),
        "last": str(span[-1]),
        "run_id": run_id,
        "system_id": system_id or "",
    }
    _remediate("quarantine", config, dry_run, form)


@main.command(**example("nba-props restore last"))
@click.argument("batch_id", type=BATCH_ID)
@DRY_RUN
@FORMAT
def restore(batch_id: str, dry_run: bool, form: str) -> None:
    """Put the archived rows of BATCH_ID back, unless the ledger has them already; `last` is the newest batch."""
    from nba_props.operations import ledger

    warehouse = to_read()
    if batch_id == "last":
        batch_id = ledger.latest_batch(warehouse)
    ledger.require_batch(warehouse, batch_id)
    _remediate("restore", {"batch_id": batch_id}, dry_run, form)


@main.command(**example("nba-props rollback last --dry-run"))
@click.argument("run_id", type=RUN_ID)
@DRY_RUN
@FORMAT
def rollback(run_id: str, dry_run: bool, form: str) -> None:
    """Move the rows that RUN_ID published to the archive; earlier rows become current again.

    `last` is the newest run that published anything, imports included.
    """
    from nba_props.operations import ledger

    warehouse = to_read()
    if run_id == "last":
        run_id = ledger.latest_run(warehouse)
    ledger.require_run(warehouse, run_id)
    _remediate("rollback", {"run_id": run_id}, dry_run, form)


@main.command(
    "import-legacy",
    **example("nba-props import-legacy old.parquet --dry-run", "nba-props import-legacy old.csv --real-lines"),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--real-lines", is_flag=True, help="Give forecasts whose own line is not valid the line that this platform chose."
)
@click.option("--dry-run", is_flag=True, help="Judge and count on a copy, and keep nothing.")
@FORMAT
def import_legacy(files: tuple[Path, ...], real_lines: bool, dry_run: bool, form: str) -> None:
    """Pass FILES, exports of the old player_prop_predictions table (CSV or Parquet), through the gate and grade them.

    Rows backed by a stored quote are published under imported_<system>, the others are quarantined with the reason;
    all are kept as delivered in nba_predictions.imported_predictions. The dates need their slate and quotes.
    """
    from nba_props.automation import runner
    from nba_props.automation.importing import IMPORT_JOB
    from nba_props.automation.instance import open_instance
    from nba_props.automation.jobs import GRADE_JOB
    from nba_props.operations.exports import read_export
    from nba_props.operations.importing import require_judgeable

    # refused before a run starts
    require_judgeable(to_read(), [read_export(f) for f in files], clock.utc_now())
    config = {"files": [str(f.absolute()) for f in files], "real_lines": real_lines, "dry_run": dry_run}
    with Output(form) as out:
        opened = session(out, landed=False)
        with open_instance(opened.settings) as instance:
            done = runner.remediate(opened.definitions, instance, IMPORT_JOB, config, opened.caller)
        out.rows(done.rows, f"Judged {plural(done.total, 'row')}{', and kept nothing' if dry_run else ''}")
        for why, count in done.unread.items():
            out.print_marked("not read", "yellow", f"{plural(count, 'row')}: {why}")
        if done.repeated:
            out.print(f"repeated  {plural(done.repeated, 'row')}, exact copies of others: judged once")
        outcomes = [] if dry_run else opened.follow([(GRADE_JOB, *span) for span in spans(done.days)])
        if not dry_run:
            published, quarantined = (sum(counts[n] for counts in done.new.values()) for n in (0, 1))
            both = "; a forecast with the real line counts in both: its own claim is quarantined" if real_lines else ""
            out.print(f"new rows  {published} published, {quarantined} quarantined{both}")
        if done.undo and not dry_run:
            out.print(f"undo      {done.undo}")
        if not print_findings(out, outcomes) or done.unread:
            sys.exit(1)
        if done.days and not dry_run:
            out.print(f"next      {program()} report {text_of(done.days)}")


@main.command(**example("nba-props migrate --dry-run"))
@click.option("--dry-run", is_flag=True, help="Print what would be renamed and change nothing.")
def migrate(dry_run: bool) -> None:
    """Rename the tables of an earlier release's warehouse to this release's names; rows and ids stay the same.

    Stop `dev` first. If it is killed, run it again; on a warehouse of this release it does nothing.
    """
    from nba_props.warehouse.migration import migrate as move
    from nba_props.warehouse.registry import open_warehouse

    with Output() as out:
        moves = move(open_warehouse(load_settings(), as_found=True), dry_run=dry_run)
        for made in moves:
            out.print(f"{'would rename' if dry_run else 'renamed'} {made.text}")
        if not moves:
            out.print("nothing has an older name")


@main.command(**example("nba-props doctor --offline"))
@click.option("--offline", is_flag=True, help="Contact no feed.")
@click.option(
    "--repair", "repairing", is_flag=True, help="Set aside files of the home that can't be read, and create them again."
)
@FORMAT
def doctor(offline: bool, repairing: bool, form: str) -> None:
    """Check settings, feeds, files and freshness, with a remedy for each fault; exit status 1 when something is bad.

    Files with unknown names are a warning. --repair deletes nothing: a file that can't be read is kept in its folder
    under a dated name. Stop `dev` first.
    """
    import pandas as pd

    from nba_props.automation.home import flaws
    from nba_props.operations.doctor import examine, next_command
    from nba_props.operations.home import repair
    from nba_props.warehouse.registry import open_warehouse

    with Output(form) as out:
        settings = load_settings()
        zone, warehouse = LandingZone(settings.landing), open_warehouse(settings)
        if repairing:
            for done in repair(flaws(settings, warehouse), clock.utc_now()):
                out.print_marked("repaired", "green", done)
        with out.console.status("checking the home" if offline else "checking the home and the feeds"):
            findings = examine(settings, zone, warehouse, clock.utc_now, flaws, ask=not offline)
        styles = {"ok": "green", "off": "yellow", "bad": "red"}
        if form != "table":
            out.rows(pd.DataFrame(map(asdict, findings)), "Findings")
        for finding in findings if form == "table" else ():
            advice = f" -> {finding.advice}" if finding.advice else ""
            out.print_marked(f"{finding.state:<3}", styles[finding.state], f"{finding.what}: {finding.text}{advice}")
        out.print(f"next: {next_command(findings, zone)}")
        if any(f.state == "bad" for f in findings):
            sys.exit(1)


@main.command(**example("nba-props scrub 2026-01-09..2026-01-10"))
@click.argument("span", type=DateSpan(), required=False)
@click.option("--quarantine", "aside", is_flag=True, help="Move damaged files out of their tables.")
@click.option("--seal", is_flag=True, help="Accept the ledger as it is: add the missing digests.")
def scrub(span: list[date] | None, aside: bool, seal: bool) -> None:
    """Read every partition (of SPAN) and list those that are damaged or altered; exit status 1 when there are any.

    Files with unknown names are listed, too; nothing reads them, and they do not change the exit status.

    With --quarantine, damaged files are moved to _set_aside in the lake (on BigQuery they count as never written), and
    `backfill` materializes the dates again. A ledger that can be read stays in place: `quarantine invalid_line` removes
    wrong rows, or a backup replaces it. --seal is for rows from a release before digests, and for a partition that was
    restored by hand.
    """
    from nba_props.catalog import TABLES
    from nba_props.operations.doctor import strays
    from nba_props.schemas import WriteMode

    out = Output()
    settings = load_settings()
    warehouse = to_read(settings)
    if span:
        within_reach(settings, warehouse, span)
    if seal:
        _seal(out, warehouse, span)
    for path, why in strays(settings, LandingZone(settings.landing), warehouse):
        out.print_marked("stray    ", "yellow", f"{path} {why}: nothing reads it")
    damaged = warehouse.damaged(set(span) if span else None)
    stored = any(warehouse.partitions(t) for t in TABLES.values())
    if stored and not warehouse.is_sealed():
        unsealed = _unsealed(warehouse, span)
        of_before = f"{len(unsealed)} dates of the ledger, {unsealed[0]}..{unsealed[-1]}, were" if unsealed else ""
        out.print(
            f"          {of_before or 'rows of the ledger may have been'} published by a release before digests: "
            "when nothing is damaged or altered, `nba-props scrub --seal` accepts everything stored, and a row "
            "without a digest counts as foreign from then on",
        )
    for damage in damaged:
        out.print_marked("altered  " if damage.is_readable else "damaged  ", "red", damage.reason)
        is_ledger = damage.table.write_mode is WriteMode.APPEND
        if is_ledger and damage.is_readable:
            out.print(
                f"          nba-props quarantine invalid_line {damage.partition} --dry-run shows wrong rows; "
                "missing rows are in a backup (docs/runbooks/damage.md); if everything is correct as it is, "
                f"nba-props scrub {damage.partition} --seal accepts it",
            )
            continue
        if aside:
            out.print(f"set aside {warehouse.set_aside(damage, datetime.now(UTC))}")
        if is_ledger:
            out.print(
                f"          {damage.table.address} is append-only: earlier rows of the date can't be computed again, "
                "restore them from a backup",
            )
    if not damaged:
        out.print("every partition is as it was written" if stored else f"{warehouse.place} holds nothing yet")
        return
    days = sorted({d.partition for d in damaged if d.table.write_mode is not WriteMode.APPEND})
    if aside and days:
        out.print(f"fix       nba-props backfill {days[0]}..{days[-1]}")
    if not aside or len(days) < len({d.partition for d in damaged}):
        sys.exit(1)


@main.command(**example("nba-props backup ../backup-of-today"))
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy lake, models and payloads of the home to a new folder TARGET, at any time, also while other commands run.

    The copy is a complete home: set NBA_PROPS_HOME to it, or copy a partition's folder back.
    """
    from nba_props.operations.backup import backup as copy

    if "://" in str(target) or ":/" in str(target):
        raise click.UsageError("TARGET has to be a folder of this machine: copy the backup to a bucket afterwards")
    made = copy(load_settings(), target)
    out = Output()
    for text in made.lost:
        out.print_marked("not copied", "red", text)
    out.print(
        f"backup    {target}: {made.partitions} partitions, {made.files} files, {made.size / 1e6:.1f} MB",
    )
    if made.lost:
        sys.exit(1)


def _unsealed(warehouse: Warehouse, span: list[date] | None) -> list[date]:
    """The dates of the ledger (of SPAN) on which no row has a digest."""
    from nba_props.schemas.predictions import LEDGER

    days = [d for d in warehouse.dates(LEDGER) if span is None or d in span]
    if not days:
        return []
    try:
        rows = warehouse.query(
            f"SELECT game_date, COUNT(row_digest) AS sealed FROM {LEDGER.address} "
            "WHERE game_date BETWEEN @first AND @last GROUP BY game_date",
            first=days[0],
            last=days[-1],
        )
    except WarehouseError:
        return []  # damaged partitions are reported separately
    return sorted({d.date() for d in rows.loc[rows["sealed"] == 0, "game_date"]} & set(days))


def _seal(out: Output, warehouse: Warehouse, span: list[date] | None) -> None:
    """Accept the append-only tables (of SPAN) as they are."""
    from nba_props.catalog import TABLES
    from nba_props.schemas import WriteMode

    for table in (t for t in TABLES.values() if t.write_mode is WriteMode.APPEND):
        days = [d for d in warehouse.dates(table) if span is None or d in span]
        for altered in filter(None, (warehouse.alteration(table, d) for d in days)):
            out.print_marked("altered  ", "yellow", f"{altered}: accepted from here on")
        rows = sum(warehouse.seal(table, d) for d in days)
        out.print(f"sealed    {table.address}: {len(days)} dates, {rows} rows had no digest")
    if span is None:
        warehouse.mark_sealed()


@main.command(**example("nba-props prune --dry-run"))
@click.option(
    "--older-than",
    "days",
    type=Whole(15, 3650),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Minimum age of the runs to delete; sensors look back 14 days.",
)
@click.option(
    "--set-aside", "aside", is_flag=True, help="Also delete, for good, files that `scrub` and `doctor` set aside."
)
@click.option("--dry-run", is_flag=True, help="Print what would be deleted and delete nothing.")
@FORMAT
def prune(days: int, aside: bool, dry_run: bool, form: str) -> None:
    """Delete records and logs of old runs, and leftovers of killed processes; rows and models are never deleted.

    The UI keeps each partition's newest materialization and the newest result of each check.
    """
    from nba_props.automation import pruning
    from nba_props.warehouse.registry import open_warehouse

    with Output(form) as out:
        settings = load_settings()
        open_warehouse(settings)  # refuses a warehouse of an earlier release
        account = pruning.prune(settings, clock.utc_now(), timedelta(days), set_aside=aside, dry_run=dry_run)
        out.rows(account.table(), f"{'Would delete' if dry_run else 'Deleted'}, older than {days} days")
        for text in account.notes:
            out.print(text)


@main.command(**example("nba-props reline 2026-01-09..2026-01-10 --dry-run"))
@click.argument("span", type=DateSpan())
@DRY_RUN
@FORMAT
def reline(span: list[date], dry_run: bool, form: str) -> None:
    """Re-select the lines of SPAN from stored quotes; changes are published as new rows and graded."""
    from nba_props.automation.jobs import RELINE_JOB
    from nba_props.operations import ledger

    with Output(form) as out:
        opened = session(out)
        if not published(opened, span, "there is no line to re-select"):
            return
        if dry_run:
            changed = ledger.lines_to_change(opened.warehouse, span)
            out.rows(changed, f"{int(changed['rows'].sum())} rows would be published again")
            return
        outcomes = opened.follow([(RELINE_JOB, span[0], span[-1])])
        ok = print_findings(out, outcomes)
        fresh = opened.warehouse.query(
            "SELECT game_date, system_id, COUNT(*) AS new_rows FROM nba_predictions.ledger "
            "WHERE run_id = @run_id AND game_date BETWEEN @first AND @last GROUP BY game_date, system_id "
            "ORDER BY game_date, system_id",
            run_id=outcomes[-1].run_id,
            first=span[0],
            last=span[-1],
        )
        out.rows(fresh, f"{int(fresh['new_rows'].sum())} rows published again")
        print_undo(opened, outcomes[-1], span)
        if not ok:
            sys.exit(1)
