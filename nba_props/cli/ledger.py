"""Commands that correct the ledger: quarantine, restore, rollback, batches, reline, import-legacy."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from nba_props.cli.group import RUN_FAILS, example, main
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
from nba_props.cli.values import BATCH_ID, DRY_RUN, PREDICATE, RUN_ID, WRITER, DateSpan
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import spans
from nba_props.facts.words import plural
from nba_props.process import clock


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


@main.command(
    **example(
        "nba-props quarantine placeholder 2026-01-09..2026-01-10 --dry-run", fails="grading the changed dates fails"
    )
)
@click.argument("predicate", type=PREDICATE)
@click.argument("span", type=DateSpan())
@click.option("--run", "run_id", type=RUN_ID, default="", help="Only rows of this run.")
@click.option(
    "--system",
    "system_id",
    type=WRITER,
    default=None,
    help="Only rows of this system, which may be any name in the ledger.",
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


@main.command(**example("nba-props restore last", fails="grading the changed dates fails"))
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


@main.command(**example("nba-props rollback last --dry-run", fails="grading the changed dates fails"))
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
    **example(
        "nba-props import-legacy old.parquet --dry-run",
        "nba-props import-legacy old.csv --real-lines",
        fails="rows can't be read, or grading them fails",
    ),
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


@main.command(**example("nba-props batches"))
@FORMAT
def batches(form: str) -> None:
    """List the batches of the archive: what was removed, when, and whether it was restored."""
    from nba_props.operations import ledger

    with Output(form) as out:
        frame = ledger.batches(to_read(out=out))
        out.rows(frame, f"{len(frame)} batch{'' if len(frame) == 1 else 'es'}")


@main.command(**example("nba-props reline 2026-01-09..2026-01-10 --dry-run", fails=RUN_FAILS))
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
            settings, now = opened.settings, clock_of(opened.settings)()
            changed = ledger.lines_to_change(opened.warehouse, span, settings.markets, now, settings.books)
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
        print_undo(opened, outcomes, span)
        if not ok:
            sys.exit(1)
