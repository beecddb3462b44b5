"""Commands that judge what is stored: the scoreboard, and validation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import text_of, to_read, within_reach
from nba_props.cli.site import open_page
from nba_props.cli.values import MARKET_SHOWN, DateSpan, Day, new_file
from nba_props.deployment import clock_of, frozen, load_settings
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.markets import ALL_TIERS, POINTS
from nba_props.facts.words import listed
from nba_props.schemas.predictions import IMPORTED_PREFIX

if TYPE_CHECKING:
    import pandas as pd

    from nba_props.presentation.report import ReportData
    from nba_props.presentation.score_tables import Score

#: verdicts of checks, the worst first, and their colours
_VERDICTS = {"fails": "red", "warns": "yellow", "passes": "green"}


@main.command(**example("nba-props validate 2026-01-09..2026-01-10", fails="a check fails; warnings do not count"))
@click.argument("span", type=DateSpan())
@click.option("--all", "everything", is_flag=True, help="Also show the checks that passed.")
@FORMAT
def validate(span: list[date], everything: bool, form: str) -> None:
    """Run the final validation of SPAN and the detectors as of its end; show failures, warnings and the number passed.

    Reads the current ledger, graded or not; for one date the results equal those of the date's checks.
    """
    import pandas as pd

    from nba_props.domain import quality

    with Output(form) as out:
        settings = load_settings()
        warehouse = to_read(settings, out)
        within_reach(settings, warehouse, span)
        published = quality.published(warehouse, tuple(SYSTEM_TABLES), span[0], span[-1], clock_of(settings)())
        findings = quality.findings(published, span[0], span[-1])
        verdicts = pd.DataFrame(
            [(name, "passes" if f.passed else "warns" if f.warns else "fails", f.text) for name, f in findings.items()],
            columns=["check", "verdict", "text"],
        ).sort_values("verdict", key=lambda v: v.map(list(_VERDICTS).index), kind="stable")
        if form != "table":
            out.rows(verdicts, "Validation")
        for name, verdict, text in verdicts.itertuples(index=False) if form == "table" else ():
            if everything or verdict != "passes":
                out.print_marked(f"{verdict:<6}", _VERDICTS[verdict], f"{name.removeprefix('validation_')}: {text}")
        passed = int(verdicts["verdict"].eq("passes").sum())
        more = "" if everything or not passed else f"; {program()} validate {text_of(span)} --all shows what they found"
        out.print(f"{passed} of {len(verdicts)} checks pass for {text_of(span)}{more}")
        if verdicts["verdict"].eq("fails").any():
            sys.exit(1)


@main.command(
    **example(
        "nba-props report 2026-01-09..2026-01-10",
        "nba-props report 2026-01-09..2026-01-10 --open",
        "nba-props report 2026-01-09..2026-01-10 --market rebounds",
        fails="nothing in SPAN is graded, or --open finds no browser",
    )
)
@click.argument("span", type=DateSpan())
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the page.  [default: <home>/reports/]",
)
@click.option("--open", "opened", is_flag=True, help="Open the page in a browser.")
@MARKET_SHOWN
@FORMAT
def report(span: list[date], out: Path | None, opened: bool, market: str, form: str) -> None:
    """Print the scoreboard of SPAN, and write it with charts as one HTML page.

    One market has all tables; the others have a row for each system.
    """
    from nba_props.presentation import report as page
    from nba_props.presentation.score_tables import typed
    from nba_props.schemas.predictions import LEDGER

    file = out and new_file(out, "--out")
    with Output(form) as printed:
        settings = load_settings()
        warehouse = to_read(settings, printed)
        graded = page.graded_rows(warehouse, span[0], span[-1])
        if graded.empty or market not in set(graded["market"]):
            is_published = any(span[0] <= d <= span[-1] for d in warehouse.partitions(LEDGER))
            command = f"{program()} {'grade' if is_published else 'run'} {text_of(span)}"
            what = "no prediction on a verified line is graded" if is_published else "nothing is published"
            if market != POINTS:
                what = f"{what} in {market}"
            raise click.ClickException(f"{what} for {text_of(span)}: {command} does that")
        found = page.read(warehouse, span[0], span[-1], clock_of(settings)(), frozen(settings), graded, market)
        if form != "table":
            printed.rows(typed(_all_scores(found)), "Scores")
        else:
            print_scores(printed, found, span)
        path = page.write_report(warehouse, settings, span[0], span[-1], found, file)
        printed.print(f"page      {path}")
        if opened and not open_page(path):
            raise click.ClickException(f"no browser could be started here: open {path} yourself")


@main.command(
    **example("nba-props weights", "nba-props weights 2026-01-09", fails="no date of SPAN has a system in shadow")
)
@click.argument("span", type=DateSpan(), required=False, metavar="[DATE]")
@FORMAT
def weights(span: list[date] | None, form: str) -> None:
    """Show the weight of each system in shadow on DATE, by market, and why it is what it is.

    Without DATE that of the newest date. A system in shadow is recorded and scored, and its weight is 0 until it has
    gained on the consensus of the books for sure, on at least 60 dates after its formula was frozen.
    """
    from nba_props.presentation import market_tables
    from nba_props.presentation import report as page
    from nba_props.schemas.monitoring import PROMOTIONS

    with Output(form) as out:
        warehouse = to_read(out=out)
        days = span or warehouse.partitions(PROMOTIONS)[-1:]
        found = page.weights(warehouse, days[0], days[-1]) if days else None
        if found is None or found.empty:
            of = f" of {text_of(days)}" if days else ""
            raise click.ClickException(f"no system in shadow has a row{of}: {program()} run DATE makes them")
        columns = {name: c for name, c in market_tables.WEIGHTS.items() if name != "reason"}
        made = score_columns(found, columns, market_tables.shown)
        out.rows(found, f"Weights of {text_of(days)}", "weights", made)
        for (system, reason), own in found.groupby(["system_id", "reason"], sort=False) if form == "table" else ():
            out.print(f"{system}, {', '.join(own['market'])}: {reason}")


@main.command(name="claims", **example("nba-props claims", "nba-props claims 2026-12-31"))
@click.argument("day", type=Day(), required=False, metavar="[DATE]")
@FORMAT
def show_claims(day: date | None, form: str) -> None:
    """Show what the ledger allows to claim of each system as of DATE, and nothing else.

    Without DATE that of the newest graded date. A claim takes a frozen formula, and P(over) that was published before
    the cut-off on 300 games and 5,000 quotes since: a backfill claims nothing.
    """
    from nba_props.presentation import claims as page
    from nba_props.schemas.predictions import PREDICTION_ACCURACY

    with Output(form) as out:
        settings = load_settings()
        warehouse = to_read(settings, out)
        graded = warehouse.partitions(PREDICTION_ACCURACY)
        last = day or (graded[-1] if graded else clock_of(settings)().date())
        known = frozen(settings)
        found = page.read(warehouse, known, last)
        if form != "table":
            out.rows(found, f"Claims as of {last}")
            return
        out.print(f"As of {last}:")
        for sentence in found["sentence"]:
            out.print(sentence)
        out.print(f"{listed(page.unfrozen(known))}: no claim, since their formulas are not frozen")


def print_scores(out: Output, found: ReportData, span: Sequence[date]) -> None:
    """Print the headline and the score tables of a span, with notes."""
    from nba_props.presentation import market_tables, score_tables, verdicts
    from nba_props.presentation import report as page

    everything = found.scores[found.scores["tier"] == ALL_TIERS]
    out.print(verdicts.headline(everything, found.suspects))
    scored = everything.assign(verdict=verdicts.verdicts(everything, found.suspects))
    is_imported = scored["system_id"].str.startswith(IMPORTED_PREFIX)
    # imported records have tables of their own, without the prefix: few terminals have room for it
    imported = scored[is_imported].assign(system_id=lambda f: f["system_id"].str.removeprefix(IMPORTED_PREFIX))
    of = "" if found.market == POINTS else f" of {found.market}"
    for lead, rows in (("", scored[~is_imported]), ("Imported records. ", imported)):
        for title, columns in score_tables.TABLES.items():
            table = score_tables.shown(rows, columns)
            if len(table) or not lead:  # an export has no P(over)
                made = score_columns(rows, columns, score_tables.shown)
                out.rows(table, f"{lead}{title}{of}, {text_of(span)}", columns=made)
    if len(found.elsewhere):
        columns = score_tables.ELSEWHERE
        table = score_tables.shown(found.elsewhere, columns)
        made = score_columns(found.elsewhere, columns, score_tables.shown)
        out.rows(table, f"Other markets, {text_of(span)}", columns=made)
    for title, rows, columns in page.beside(found):
        made = score_columns(rows, columns, market_tables.shown)
        out.rows(market_tables.shown(rows, columns), f"{title}, {text_of(span)}", columns=made)
    out.print("A bet is a pick that was won or lost, one unit on it at the quoted price.")
    for sentence in found.claims["sentence"]:
        out.print(sentence)
    for text in filter(None, (score_tables.note(everything), verdicts.after_the_fact(found.graded))):
        out.print(text)


def _all_scores(found: ReportData) -> pd.DataFrame:
    """The scores of the market shown, then one row for each system and other market."""
    import pandas as pd

    own = found.scores.assign(market=found.market)
    whole = pd.concat([own, found.elsewhere], ignore_index=True) if len(found.elsewhere) else own
    return whole[["market", *(c for c in whole.columns if c != "market")]]


def score_columns(
    scores: pd.DataFrame, columns: Mapping[str, Score], shown: Callable[..., pd.DataFrame]
) -> list[Column]:
    """A score table's columns for display: intervals where there is room, the first columns in preference to others."""
    whole, short = shown(scores, columns), shown(scores, columns, brackets=False)
    return [
        Column(
            c.heading,
            list(whole[c.heading]),
            right=name not in ("market", "system_id", "verdict", "judged_by", "reason", "players"),
            shorter=(list(short[c.heading]),) if (whole[c.heading] != short[c.heading]).any() else (),
            spare=c.spare,
        )
        for name, c in columns.items()
        if c.heading in whole
    ]
