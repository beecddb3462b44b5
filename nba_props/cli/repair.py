"""Commands that look after a home: doctor, scrub, backup, prune, migrate."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import click

from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Output
from nba_props.cli.session import to_read, within_reach
from nba_props.cli.values import DateSpan, Whole, is_address
from nba_props.deployment import clock_of, load_settings
from nba_props.process import clock
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Damage, Warehouse, WarehouseError


@main.command(**example("nba-props doctor --offline", fails="something is bad"))
@click.option("--offline", is_flag=True, help="Contact no feed.")
@click.option(
    "--repair", "repairing", is_flag=True, help="Set aside files of the home that can't be read, and create them again."
)
@FORMAT
def doctor(offline: bool, repairing: bool, form: str) -> None:
    """Check settings, feeds, files and freshness, with a remedy for each fault.

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
            findings = examine(settings, zone, warehouse, clock_of(settings), flaws, ask=not offline)
        styles = {"ok": "green", "off": "yellow", "bad": "red"}
        if form != "table":
            out.rows(pd.DataFrame(map(asdict, findings)), "Findings")
        for finding in findings if form == "table" else ():
            advice = f" -> {finding.advice}" if finding.advice else ""
            out.print_marked(f"{finding.state:<3}", styles[finding.state], f"{finding.what}: {finding.text}{advice}")
        out.print(f"next: {next_command(findings, zone)}")
        if any(f.state == "bad" for f in findings):
            sys.exit(1)


@main.command(
    **example(
        "nba-props scrub 2026-01-09..2026-01-10",
        fails="a partition is damaged or altered; with --quarantine only if `backfill` can't make it again",
    )
)
@click.argument("span", type=DateSpan(), required=False)
@click.option("--quarantine", "aside", is_flag=True, help="Move damaged files out of their tables.")
@click.option("--seal", is_flag=True, help="Accept the ledger as it is: add the missing digests.")
def scrub(span: list[date] | None, aside: bool, seal: bool) -> None:
    """Read every partition (of SPAN) and list those that are damaged or altered.

    Kept files of versions are read as well. Files with unknown names are listed, too, as a warning: nothing reads them.

    With --quarantine, damaged files are moved to _set_aside in the lake (on BigQuery they count as never written), and
    `backfill` materializes the dates again. A ledger that can be read stays in place: `quarantine invalid_line` removes
    wrong rows, or a backup replaces it. --seal is for rows from a release before digests, and for a partition that was
    restored by hand.
    """
    from nba_props.catalog import TABLES
    from nba_props.operations.doctor import strays

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
    is_stored = any(warehouse.partitions(t) for t in TABLES.values())
    if is_stored and not warehouse.is_sealed():
        _print_unsealed(out, warehouse, span)
    for damage in damaged:
        _print_damage(out, warehouse, damage, aside=aside)
    versions = warehouse.damaged_versions(set(span) if span else None)
    for file, reason in versions:
        out.print_marked("damaged  ", "red", reason)
        if aside:
            out.print(f"set aside {warehouse.set_version_aside(file, clock.utc_now())}")
    if not damaged and not versions:
        out.print("every partition is as it was written" if is_stored else f"{warehouse.place} holds nothing yet")
        return
    days = sorted({d.partition for d in damaged if not _is_append_only(d)})
    if aside and days:
        out.print(f"fix       nba-props backfill {days[0]}..{days[-1]}")
    if aside and versions:
        out.print(
            "          versions that need these files can't be read any more; the tables of today are not concerned"
        )
    if not aside or any(map(_is_append_only, damaged)):
        sys.exit(1)


def _is_append_only(damage: Damage) -> bool:
    """Whether earlier rows of the table can't be computed again."""
    from nba_props.schemas import WriteMode

    return damage.table.write_mode is WriteMode.APPEND


def _print_damage(out: Output, warehouse: Warehouse, damage: Damage, *, aside: bool) -> None:
    """Print what is wrong with a partition and the remedy; with ``aside``, move an unreadable file out of its table."""
    out.print_marked("altered  " if damage.is_readable else "damaged  ", "red", damage.reason)
    if _is_append_only(damage) and damage.is_readable:
        out.print(
            f"          nba-props quarantine invalid_line {damage.partition} --dry-run shows wrong rows; "
            "missing rows are in a backup (docs/runbooks/damage.md); if everything is correct as it is, "
            f"nba-props scrub {damage.partition} --seal accepts it",
        )
        return
    if aside:
        out.print(f"set aside {warehouse.set_aside(damage, clock.utc_now())}")
    if _is_append_only(damage):
        out.print(
            f"          {damage.table.address} is append-only: earlier rows of the date can't be computed again, "
            "restore them from a backup",
        )


def _print_unsealed(out: Output, warehouse: Warehouse, span: list[date] | None) -> None:
    """Print which dates of the ledger (of SPAN) were published before digests, and how to accept them."""
    unsealed = _unsealed(warehouse, span)
    of_before = f"{len(unsealed)} dates of the ledger, {unsealed[0]}..{unsealed[-1]}, were" if unsealed else ""
    out.print(
        f"          {of_before or 'rows of the ledger may have been'} published by a release before digests: "
        "when nothing is damaged or altered, `nba-props scrub --seal` accepts everything stored, and a row "
        "without a digest counts as foreign from then on",
    )


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


@main.command(**example("nba-props backup ../backup-of-today", fails="a file can't be copied"))
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy lake, models and payloads of the home to a new folder TARGET, at any time, also while other commands run.

    The copy is a complete home, but for earlier versions: set NBA_PROPS_HOME to it, or copy a partition's folder back.
    """
    from nba_props.operations.backup import backup as copy

    if not str(target).strip() or target == Path():
        raise click.UsageError("TARGET is empty: name a folder that does not exist yet")
    if is_address(target):
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
    """Delete records and logs of old runs, replaced versions of dates, and leftovers of killed processes.

    Current rows and models are never deleted. A version of a date goes once another one has replaced it for
    NBA_PROPS_VERSION_DAYS, whatever DAYS is; `sql --as-of` can't read it afterwards.

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
