"""The command for the probabilities of a player's results."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click
import pandas as pd

from nba_props.cli.boards import BOOKS, numbers
from nba_props.cli.group import example, main
from nba_props.cli.look import one
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.session import to_read
from nba_props.cli.values import MARKET, MARKET_SHOWN, PLAYER, Day
from nba_props.facts import markets
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.distributions import DISTRIBUTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEGEND = (
    "P: probability that the result is above the line, given that it is not equal to it; fair: its prices without a "
    "vig; over, under: the best price that a book offers."
)
_NO_BET = "Without a quote this says nothing of a bet: such models are worse than a coin at P(over)."


@main.command(
    **example(
        'nba-props distribution "Quillan Merriweather" 2026-01-09',
        'nba-props distribution "Quillan Merriweather" 2026-01-09 --line 25.5 --line 31',
        fails="PLAYER has no distribution on DATE",
    )
)
@click.argument("player", type=PLAYER)
@click.argument("day", type=Day(), required=False, metavar="[DATE]")
@MARKET_SHOWN
@click.option(
    "--line", "lines", type=click.FloatRange(min=0.5, max=200), multiple=True, help="Another line; can be repeated."
)
@click.option("--with", "beside", type=MARKET, help="Both sides together with those of another market, in shadow.")
@FORMAT
def distribution(
    player: str, day: date | None, market: str, lines: Sequence[float], beside: str | None, form: str
) -> None:
    """Show the probability of PLAYER's results on DATE, and P(over) at every line that a book offers.

    Without DATE that of the newest date. The distribution is around the consensus of the books, in the shape of past
    results; without a consensus around a model's forecast.
    """
    from nba_props.presentation import distributions, players

    if beside == market:
        raise click.UsageError(f"--with takes another market than {market}")
    with Output(form) as out:
        warehouse = to_read(out=out)
        stored = [day] if day else warehouse.partitions(DISTRIBUTIONS)[-1:]
        if not stored:
            raise click.ClickException("no date has distributions: nba-props run DATE makes them")
        who = one(players.people(warehouse, player, stored[0]), player, lambda: players.near(warehouse, player))
        found = distributions.read(warehouse, who["player_id"], market, stored[0])
        what = f"{who['player_name']}, {markets.market(market).title.lower()}, {stored[0]}"
        if found.empty:
            raise click.ClickException(f"{what}: he is not on the slate, or no book quotes him in this market")
        row = found.iloc[0]
        if pd.isna(row["masses"]):
            raise click.ClickException(f"{what}: no distribution, {row['no_distribution_reason']}")
        offered = distributions.offered(warehouse, who["player_id"], market, stored[0])
        more = lines or ([] if len(offered) else distributions.usual_lines(row))
        asked = pd.concat([offered, pd.DataFrame({"line": [n for n in more if n not in set(offered["line"])]})])
        table = distributions.chances(row, asked.sort_values("line", ignore_index=True))
        if lines:
            table = table[table["line"].isin(lines)]
        anchored = row["anchor"] == Anchor.CONSENSUS
        title = "\n".join([f"{what}:", *distributions.in_words(row), distributions.bars(row)])
        out.rows(table, title, "distribution", _columns(table, anchored=anchored))
        if form == "table":
            out.print(_LEGEND if anchored else _NO_BET, style="dim")
        if beside:
            pair = distributions.together(warehouse, who["player_id"], [market, beside], stored[0])
            if pair.empty:
                raise click.ClickException(f"{what}: no line, consensus or past of both {market} and {beside}")
            both = distributions.outcomes(pair.iloc[0])
            out.rows(both, "Together, in shadow: recorded for its score, no claim", "together", _outcome_columns(both))


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
                Column("at", [BOOKS.get(b, b) if isinstance(b, str) else "" for b in book]),
            ]
    return found
