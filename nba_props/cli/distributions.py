"""The command for the probabilities of a player's results."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click
import pandas as pd

from nba_props.cli.boards import numbers
from nba_props.cli.group import example, main
from nba_props.cli.look import one
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import to_read
from nba_props.cli.values import MARKET, MARKET_SHOWN, PLAYER, Day
from nba_props.facts import markets
from nba_props.facts.books import short_name
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.distributions import DISTRIBUTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nba_props.warehouse.base import Warehouse

_LEGEND = (
    "P: probability that the result is above the line, given that it is not equal to it, by all books together; fair: "
    "its American price without a vig; over, under: the best price offered. What a price is worth by the *other* books "
    "alone is in `prices`."
)
_NO_BET = (
    "Around a model's forecast, as too few books make a consensus: it tells nothing about a bet, so it has no prices."
)


class _Line(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A line: a half or a whole number."""

    name = "LINE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            line = float(value)
        except ValueError:
            line = float("nan")
        if not (line > 0 and (2 * line).is_integer()):
            self.fail(f"{value} is not a line, such as 22.5 or 8")
        return line


@main.command(
    **example(
        'nba-props distribution "Quillan Merriweather" 2026-01-09',
        'nba-props distribution "Quillan Merriweather" 2026-01-09 --line 25.5 --line 31',
        'nba-props distribution "Quillan Merriweather" 2026-01-09 --results',
        fails="PLAYER has no distribution on DATE",
    )
)
@click.argument("player", type=PLAYER)
@click.argument("day", type=Day(), required=False, metavar="[DATE]")
@MARKET_SHOWN
@click.option("--line", "lines", type=_Line(), multiple=True, help="Only this line; can be repeated.")
@click.option("--results", is_flag=True, help="The probability of each result instead.")
@click.option("--with", "beside", type=MARKET, help="Both sides together with those of another market, in shadow.")
@FORMAT
def distribution(
    player: str, day: date | None, market: str, lines: Sequence[float], results: bool, beside: str | None, form: str
) -> None:
    """Show P(over) of PLAYER, a name or an id, at every line that a book offers on DATE, or of each result.

    Without DATE that of the newest date. The distribution is around the consensus of the books, in the shape of past
    results; without a consensus around a model's forecast.
    """
    from nba_props.presentation import distributions, players

    if results and lines:
        raise click.UsageError("--results has no lines: leave out --line")
    lines = list(dict.fromkeys(lines))
    if beside == market:
        raise click.UsageError(f"--with takes another market than {market}")
    most = markets.market(market).most_line
    if too_high := [n for n in lines if n > most]:
        raise click.UsageError(f"--line {too_high[0]:g}: no line of {market} is above {most:g}")
    with Output(form) as out:
        warehouse = to_read(out=out)
        stored = warehouse.partitions(DISTRIBUTIONS)
        if not stored or (day and day not in stored):
            newest = f"; the newest date with some is {stored[-1]}" if stored else ""
            command = f"{program()} run {day or 'DATE'}"
            raise click.ClickException(f"{day or 'no date'} has no distributions: {command} makes them{newest}")
        asked = day or stored[-1]
        who = one(players.people(warehouse, player, asked), player, lambda: players.near(warehouse, player))
        name = f"{who['player_name']}, {markets.market(market).title.lower()}, {asked}"
        row = _row(distributions.read(warehouse, who["player_id"], market, asked), name, asked)
        title = "\n".join([f"{name}:", *distributions.in_words(row), distributions.bars(row)])
        if results:
            table = distributions.results(row)
            out.rows(table, title, "results", _result_columns(table))
        else:
            table = _at_lines(warehouse, row, who["player_id"], lines)
            anchored = row["anchor"] == Anchor.CONSENSUS
            out.rows(table, title, "distribution", _columns(table, anchored=anchored))
            out.print(_LEGEND if anchored else _NO_BET, style="dim")
        if beside:
            _print_together(out, warehouse, int(who["player_id"]), [market, beside], asked, name)


def _row(found: pd.DataFrame, name: str, day: date) -> pd.Series:
    """The only row, if it has a distribution.

    Raises:
        ClickException: there is none, with the reason, or its masses are broken.
    """
    from nba_props.domain.distributions.masses import as_array, is_whole

    if found.empty:
        raise click.ClickException(f"{name}: he is not on the slate, or no book quotes him in this market")
    row = found.iloc[0]
    if pd.isna(row["masses"]):
        raise click.ClickException(f"{name}: no distribution, {row['no_distribution_reason']}")
    if not is_whole(as_array(found.head(1)))[0]:
        raise click.ClickException(
            f"{name}: the stored masses are broken: {program()} run {day} --force makes them again"
        )
    return row


def _at_lines(warehouse: Warehouse, row: pd.Series, player_id: int, lines: Sequence[float]) -> pd.DataFrame:
    """P(over) at some lines, or at those that books offer, or at usual ones where none does."""
    from nba_props.presentation import distributions

    offered = distributions.offered(warehouse, player_id, row["market"], row["game_date"].date())
    more = lines or ([] if len(offered) else distributions.usual_lines(row))
    asked = pd.concat([offered, pd.DataFrame({"line": [n for n in more if n not in set(offered["line"])]})])
    table = distributions.chances(row, asked.sort_values("line", ignore_index=True))
    return table[table["line"].isin(lines)] if lines else table


def _print_together(out: Output, warehouse: Warehouse, player_id: int, both: list[str], day: date, name: str) -> None:
    from nba_props.presentation import distributions

    pair = distributions.together(warehouse, player_id, both, day)
    if pair.empty:
        raise click.ClickException(
            f"{name}, together: {distributions.why_not_together(warehouse, player_id, both, day)}"
        )
    table = distributions.outcomes(pair.iloc[0])
    out.rows(table, "Together, in shadow: recorded for its score, no claim", "together", _outcome_columns(table))


def _result_columns(rows: pd.DataFrame) -> list[Column]:
    return [
        Column("result", numbers(rows["result"], "{:g}"), right=True),
        Column("P", numbers(rows["probability"], "{:.1%}"), right=True),
        Column("at most", numbers(rows["reached"], "{:.1%}"), right=True),
    ]


def _outcome_columns(rows: pd.DataFrame) -> list[Column]:
    return [
        Column("first", list(rows["first"])),
        Column("second", list(rows["second"])),
        Column("P", numbers(rows["probability"], "{:.1%}"), right=True),
        Column("independent", numbers(rows["independent"], "{:.1%}"), right=True),
    ]


def _columns(rows: pd.DataFrame, *, anchored: bool) -> list[Column]:
    found = [
        Column("line", numbers(rows["line"], "{:g}"), right=True),
        Column("P", numbers(rows["over_probability"], "{:.1%}"), right=True),
    ]
    if not anchored:
        return found
    for side in ("over", "under"):
        price, book = rows.get(f"{side}_price"), rows.get(f"{side}_book")
        found.append(Column(f"fair {side}", numbers(rows[f"fair_{side}_price"], "{:+.0f}"), right=True))
        if price is not None and book is not None:
            found += [
                Column(side, numbers(price, "{:+.0f}"), right=True),
                Column("at", [short_name(b) for b in book]),
            ]
    return found
