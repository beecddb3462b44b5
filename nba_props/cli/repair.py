"""What is wrong, and what puts it right: doctor, scrub, quarantine, restore, rollback, reline, backup, prune."""

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
    published,
    say_findings,
    say_undo,
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
    """Run a remediation job, print its account, and grade the dates it touched again."""
    from nba_props.automation import runner
    from nba_props.automation.jobs import GRADE_JOB

    with Output(form) as out:
        opened = session(out, landed=False)
        with runner.open_instance(opened.settings) as instance:
            config = {**config, "dry_run": dry_run}
            account = runner.remediate(opened.definitions, instance, job, config, opened.caller)
        out.rows(account.rows, f"{'Would move' if dry_run else 'Moved'} {plural(account.total, 'row')}")
        out.say(f"batch     {account.batch_id}: {account.action}")
        if account.standing:
            out.say(f"standing  {account.standing:,} of its rows are in the ledger again already")
        touched = [] if dry_run else spans(account.days)
        outcomes = [o for first, last in touched for o in opened.follow([(GRADE_JOB, first, last)])]
        if account.total and not dry_run and account.undo:
            out.say(f"undo      {account.undo}")
        say_findings(out, outcomes)
        if not all(o.success for o in outcomes):
            sys.exit(1)


@main.command(**example("nba-props quarantine placeholder 2026-01-09..2026-01-10 --dry-run"))
@click.argument("predicate", type=PREDICATE)
@click.argument("span", type=DateSpan())
@click.option("--run", "run_id", type=RUN_ID, default="", help="Only rows of this run.")
@click.option("--system", "system_id", type=WRITER, default=None, help="Only rows of this system, ours or not.")
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
    from nba_props.operations import remediation

    settings = load_settings()
    warehouse = to_read(settings)
    within_reach(settings, warehouse, span)
    if system_id:
        WRITER.require(system_id, remediation.writers(warehouse, span[0], span[-1]))
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
    """Put the archived rows of BATCH_ID back, those that are not in the ledger again; `last` is the newest batch."""
    from nba_props.operations import remediation

    warehouse = to_read()
    if batch_id == "last":
        batch_id = remediation.latest_batch(warehouse)
    remediation.require_batch(warehouse, batch_id)
    _remediate("restore", {"batch_id": batch_id}, dry_run, form)


@main.command(**example("nba-props rollback last --dry-run"))
@click.argument("run_id", type=RUN_ID)
@DRY_RUN
@FORMAT
def rollback(run_id: str, dry_run: bool, form: str) -> None:
    """Move what RUN_ID published to the archive; the rows before it are current again.

    `last` is the newest run that published anything, an import among them.
    """
    from nba_props.operations import remediation

    warehouse = to_read()
    if run_id == "last":
        run_id = remediation.latest_run(warehouse)
    remediation.require_run(warehouse, run_id)
    _remediate("rollback", {"run_id": run_id}, dry_run, form)


@main.command(
    "import-legacy",
    **example("nba-props import-legacy old.parquet --dry-run", "nba-props import-legacy old.csv --real-lines"),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--real-lines", is_flag=True, help="Give forecasts whose own line is not valid the line that is chosen here."
)
@click.option("--dry-run", is_flag=True, help="Judge and count with a copy, and keep nothing.")
@FORMAT
def import_legacy(files: tuple[Path, ...], real_lines: bool, dry_run: bool, form: str) -> None:
    """Judge FILES, exports of the old player_prop_predictions table (CSV or Parquet), by the gate, and grade them.

    Rows that a stored quote stands behind are published under imported_<system>, the others are quarantined with the
    reason; all are kept as delivered in nba_predictions.imported_predictions. The dates need their slate and quotes.
    """
    from nba_props.automation import runner
    from nba_props.automation.importing import IMPORT_JOB
    from nba_props.automation.jobs import GRADE_JOB
    from nba_props.operations import importing

    # what can't be judged is no run
    importing.require_judgeable(to_read(), [importing.read_export(f) for f in files], clock.utc_now())
    config = {"files": [str(f.absolute()) for f in files], "real_lines": real_lines, "dry_run": dry_run}
    with Output(form) as out:
        opened = session(out, landed=False)
        with runner.open_instance(opened.settings) as instance:
            done = runner.remediate(opened.definitions, instance, IMPORT_JOB, config, opened.caller)
        out.rows(done.rows, f"Judged {plural(done.total, 'row')}{', and kept nothing' if dry_run else ''}")
        for why, count in done.unread.items():
            out.tell("not read", "yellow", f"{plural(count, 'row')}: {why}")
        if done.repeated:
            out.say(f"repeated  {plural(done.repeated, 'row')}, word for word another one: judged once")
        outcomes = [] if dry_run else opened.follow([(GRADE_JOB, *span) for span in spans(done.days)])
        if not dry_run:
            published, quarantined = (sum(counts[n] for counts in done.new.values()) for n in (0, 1))
            both = "; a forecast with the real line is in both, its own claim in quarantine" if real_lines else ""
            out.say(f"new rows  {published} published, {quarantined} quarantined{both}")
        if done.undo and not dry_run:
            out.say(f"undo      {done.undo}")
        if not say_findings(out, outcomes) or done.unread:
            sys.exit(1)
        if done.days and not dry_run:
            out.say(f"next      {program()} report {text_of(done.days)}")


@main.command(**example("nba-props migrate --dry-run"))
@click.option("--dry-run", is_flag=True, help="Say what would be renamed and touch nothing.")
def migrate(dry_run: bool) -> None:
    """Bring a warehouse of an earlier release to this one's names; no row and no id changes.

    Stop `dev` before it. Killed half-way it is run again; on a warehouse of this release it does nothing.
    """
    from nba_props.warehouse.migration import migrate as move
    from nba_props.warehouse.opening import open_warehouse

    with Output() as out:
        moves = move(open_warehouse(load_settings(), as_found=True), dry_run=dry_run)
        for made in moves:
            out.say(f"{'would rename' if dry_run else 'renamed'} {made.text}")
        if not moves:
            out.say("nothing has an older name")


@main.command(**example("nba-props doctor --offline"))
@click.option("--offline", is_flag=True, help="Ask no feed.")
@click.option(
    "--repair", "mend", is_flag=True, help="Move files of the home aside that can't be read, and make them again."
)
@FORMAT
def doctor(offline: bool, mend: bool, form: str) -> None:
    """What is configured, reachable, whole and fresh, and what to do otherwise; exit status 1 when something is bad.

    Files that are named like nothing of ours are a warning. --repair deletes nothing: what can't be read is kept beside
    its place under a dated name. Stop `dev` before it.
    """
    import pandas as pd

    from nba_props.automation.home import flaws
    from nba_props.operations.doctor import examine, next_command
    from nba_props.operations.home import repair
    from nba_props.warehouse.opening import open_warehouse

    with Output(form) as out:
        settings = load_settings()
        zone, warehouse = LandingZone(settings.landing), open_warehouse(settings)
        if mend:
            for done in repair(flaws(settings, warehouse), clock.utc_now()):
                out.tell("repaired", "green", done)
        with out.console.status("reading the home" if offline else "reading the home and asking the feeds"):
            findings = examine(settings, zone, warehouse, clock.utc_now, flaws, ask=not offline)
        styles = {"ok": "green", "off": "yellow", "bad": "red"}
        if form != "table":
            out.rows(pd.DataFrame(map(asdict, findings)), "Findings")
        for finding in findings if form == "table" else ():
            advice = f" -> {finding.advice}" if finding.advice else ""
            out.tell(f"{finding.state:<3}", styles[finding.state], f"{finding.what}: {finding.text}{advice}")
        out.say(f"next: {next_command(findings, zone)}")
        if any(f.state == "bad" for f in findings):
            sys.exit(1)


@main.command(**example("nba-props scrub 2026-01-09..2026-01-10"))
@click.argument("span", type=DateSpan(), required=False)
@click.option("--quarantine", "aside", is_flag=True, help="Move damaged files out of their tables.")
@click.option("--seal", is_flag=True, help="Vouch for the ledger as it is: give rows without a digest one.")
def scrub(span: list[date] | None, aside: bool, seal: bool) -> None:
    """Read every partition (of SPAN) and name those that are damaged or altered; exit status 1 when there are any.

    Files that are named like nothing of ours are named as well; nothing reads them, and they change no status.

    With --quarantine damaged files are kept under _set_aside in the lake (on BigQuery they count as never written), and
    `backfill` makes the dates again. A ledger that can be read stays where it is: `quarantine invalid_line` takes the
    wrong rows out, or a backup takes its place. --seal is for rows of a release before digests, and for a partition
    that was put back by hand.
    """
    from nba_props.operations.doctor import strays
    from nba_props.schemas import TABLES, WriteMode

    out = Output()
    settings = load_settings()
    warehouse = to_read(settings)
    if span:
        within_reach(settings, warehouse, span)
    if seal:
        _seal(out, warehouse, span)
    for path, why in strays(settings, LandingZone(settings.landing), warehouse):
        out.tell("stray    ", "yellow", f"{path} {why}: nothing reads it")
    damaged = warehouse.damaged(set(span) if span else None)
    stored = any(warehouse.partitions(t) for t in TABLES.values())
    if stored and not warehouse.is_sealed():
        unsealed = _unsealed(warehouse, span)
        of_before = f"{len(unsealed)} dates of the ledger, {unsealed[0]}..{unsealed[-1]}, were" if unsealed else ""
        out.say(
            f"          {of_before or 'rows of the ledger may have been'} published by a release before digests: "
            "when nothing is damaged or altered, `nba-props scrub --seal` vouches for all that is there, and a row "
            "without a digest is none of ours from then on",
        )
    for damage in damaged:
        out.tell("altered  " if damage.is_readable else "damaged  ", "red", damage.reason)
        is_ledger = damage.table.write_mode is WriteMode.APPEND
        if is_ledger and damage.is_readable:
            out.say(
                f"          nba-props quarantine invalid_line {damage.partition} --dry-run shows rows that are "
                "wrong; missing rows are in a backup (docs/runbooks/damage.md); when all is right as it is, "
                f"nba-props scrub {damage.partition} --seal vouches for it",
            )
            continue
        if aside:
            out.say(f"set aside {warehouse.set_aside(damage, datetime.now(UTC))}")
        if is_ledger:
            out.say(
                f"          {damage.table.address} only grows: what the date held before can't be made again, "
                "put its backup in its place",
            )
    if not damaged:
        out.say("every partition is as it was written" if stored else f"{warehouse.place} holds nothing yet")
        return
    days = sorted({d.partition for d in damaged if d.table.write_mode is not WriteMode.APPEND})
    if aside and days:
        out.say(f"mend      nba-props backfill {days[0]}..{days[-1]}")
    if not aside or len(days) < len({d.partition for d in damaged}):
        sys.exit(1)


@main.command(**example("nba-props backup ../backup-of-today"))
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy lake, models and payloads of the home to the new folder TARGET, at any time, beside whatever runs.

    The copy is a home again: set NBA_PROPS_HOME to it, or copy a partition's folder back.
    """
    from nba_props.operations.backup import backup as copy

    if "://" in str(target) or ":/" in str(target):
        raise click.UsageError("TARGET is a folder of this machine: copy it to a bucket from there")
    made = copy(load_settings(), target)
    out = Output()
    for text in made.lost:
        out.tell("not copied", "red", text)
    out.say(
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
        return []  # what is damaged is named by itself
    return sorted({d.date() for d in rows.loc[rows["sealed"] == 0, "game_date"]} & set(days))


def _seal(out: Output, warehouse: Warehouse, span: list[date] | None) -> None:
    """Vouch for what only grows (of SPAN) as it is."""
    from nba_props.schemas import TABLES, WriteMode

    for table in (t for t in TABLES.values() if t.write_mode is WriteMode.APPEND):
        days = [d for d in warehouse.dates(table) if span is None or d in span]
        for altered in filter(None, (warehouse.alteration(table, d) for d in days)):
            out.tell("altered  ", "yellow", f"{altered}: vouched for from here on")
        rows = sum(warehouse.seal(table, d) for d in days)
        out.say(f"sealed    {table.address}: {len(days)} dates, {rows} rows had no digest")
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
    help="Runs that ended so long ago; sensors look back 14 days.",
)
@click.option(
    "--set-aside", "aside", is_flag=True, help="And files that `scrub` and `doctor` set aside so long ago: for good."
)
@click.option("--dry-run", is_flag=True, help="Say what would go and delete nothing.")
@FORMAT
def prune(days: int, aside: bool, dry_run: bool, form: str) -> None:
    """Delete the records and logs of old runs, and what killed processes left behind; no row and no model goes.

    What the UI knows of each partition, its newest materialization and the newest result of each check, stays.
    """
    from nba_props.automation import pruning
    from nba_props.warehouse.opening import open_warehouse

    with Output(form) as out:
        settings = load_settings()
        open_warehouse(settings)  # one of an earlier release is refused
        account = pruning.prune(settings, clock.utc_now(), timedelta(days), set_aside=aside, dry_run=dry_run)
        out.rows(account.table(), f"{'Would delete' if dry_run else 'Deleted'}, older than {days} days")
        for text in account.notes:
            out.say(text)


@main.command(**example("nba-props reline 2026-01-09..2026-01-10 --dry-run"))
@click.argument("span", type=DateSpan())
@DRY_RUN
@FORMAT
def reline(span: list[date], dry_run: bool, form: str) -> None:
    """Choose the lines of SPAN again from stored quotes; what changes is published as new rows and graded."""
    from nba_props.automation.jobs import RELINE_JOB
    from nba_props.operations import remediation

    with Output(form) as out:
        opened = session(out)
        if not published(opened, span, "there is no line to choose again"):
            return
        if dry_run:
            changed = remediation.lines_to_change(opened.warehouse, span)
            out.rows(changed, f"{int(changed['rows'].sum())} rows would be published again")
            return
        outcomes = opened.follow([(RELINE_JOB, span[0], span[-1])])
        sound = say_findings(out, outcomes)
        fresh = opened.warehouse.query(
            "SELECT game_date, system_id, COUNT(*) AS new_rows FROM nba_predictions.ledger "
            "WHERE run_id = @run_id AND game_date BETWEEN @first AND @last GROUP BY game_date, system_id "
            "ORDER BY game_date, system_id",
            run_id=outcomes[-1].run_id,
            first=span[0],
            last=span[-1],
        )
        out.rows(fresh, f"{int(fresh['new_rows'].sum())} rows published again")
        say_undo(opened, outcomes[-1], span)
        if not sound:
            sys.exit(1)
