"""The command that copies tables for other tools."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from nba_props.cli.group import example, main
from nba_props.cli.printing import Output
from nba_props.cli.session import to_read
from nba_props.cli.values import DateSpan, Instant, OneOf, is_address
from nba_props.deployment import load_settings
from nba_props.facts.words import plural


def _forms() -> list[str]:
    from nba_props.data.export import FORMS

    return list(FORMS)


def _names() -> list[str]:
    from nba_props.catalog import TABLES, VIEWS

    every = [*TABLES, *VIEWS]
    return sorted([*every, *(address.partition(".")[2] for address in every)])


@main.command(
    **example(
        "nba-props export 2026-01-09..2026-01-10",
        "nba-props export 2026-01-09 --table current_predictions --into predictions",
        "nba-props export 2026-01-09..2026-01-10 --to delta",
    )
)
@click.argument("span", type=DateSpan())
@click.option("--to", "form", type=OneOf("FORM", _forms), default="folder", show_default=True, help="folder or delta.")
@click.option(
    "--into",
    "target",
    type=click.Path(path_type=Path),
    help="Folder of the copy.  [default: export, or export_delta, in the working directory]",
)
@click.option(
    "--table",
    "names",
    type=OneOf("TABLE", _names, 'nba-props sql "show tables"'),
    multiple=True,
    help="Table or view; may be repeated.  [default: every table]",
)
@click.option("--as-of", "instant", type=Instant(), help="Copy the tables as runs had published them by then.")
def export(span: list[date], form: str, target: Path | None, names: tuple[str, ...], instant: datetime | None) -> None:
    """Copy the tables of SPAN for other tools; another SPAN adds its dates, the same one replaces them.

    folder: a Parquet file for each table and date, dataset/table/2026-01-09.parquet, and _datapackage.json, which
    describes every column (Frictionless). delta: a Delta table for each table, which needs the library deltalake.
    """
    from nba_props.data import Lake
    from nba_props.data.export import export as copy

    out = Output()
    target = target or Path("export" if form == "folder" else f"export_{form}")
    if is_address(target):
        raise click.UsageError("--into has to be a folder of this machine: copy it to a bucket afterwards")
    settings = load_settings()
    lake = Lake(settings, to_read(settings, out))
    if instant is not None:
        lake = lake.as_of(instant)
    made = copy(lake, settings.home, span, target, form, names)
    out.print(
        f"export    {target}: {plural(made.tables, 'table')}, {plural(made.dates, 'date')}, {plural(made.rows, 'row')}"
    )
