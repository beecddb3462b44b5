"""The command for line shopping: each side of a line at its best price, beside what the other books make of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click
import numpy as np

from nba_props.cli.boards import market_column, numbers, shorter_names, side_of
from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import text_of, to_read
from nba_props.cli.values import MARKETS_SHOWN, PLAYER, ROWS, DateSpan
from nba_props.deployment import clock_of, load_settings
from nba_props.facts import markets
from nba_props.facts.books import short_name
from nba_props.facts.markets import ALL
from nba_props.facts.words import plural
from nba_props.presentation import players, shopping
from nba_props.schemas.analytics import PRICES

if TYPE_CHECKING:
    import pandas as pd

_LEGEND = (
    "O over, U under. P: probability of the side by the lines and prices of the other books; fair: its price without a "
    "vig. EV: average profit of a unit at the best price, if P is right; kept: the same by the part of the difference "
    "from the book's own P that results have followed; stake: a quarter of Kelly's by that, at most 1 % of the "
    "bankroll; the sides of a player are one opinion, so bet one of them. lines: lowest and highest main line; others: "
    "odds engines behind P. On real lines of 2024 and 2025 sides with EV above 0 earned nothing."
)


@main.command(
    **example(
        "nba-props prices",
        "nba-props prices tonight --market rebounds",
        "nba-props prices 2026-01-09 --market all --rows 0",
        "nba-props prices 2026-01-09 --player Kirkbride --market all",
        fails="no quote of DATE has a fair price",
    )
)
@click.argument("span", type=DateSpan(), required=False, metavar="[DATE]")
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows to print; 0 for all.")
@click.option("--player", type=PLAYER, help="Sides of one player, by name or id.")
@click.option("--alternates", is_flag=True, help="Alternate lines too, whose prices say less.")
@MARKETS_SHOWN
@FORMAT
def prices(span: list[date] | None, rows: int, player: str | None, market: str, form: str, *, alternates: bool) -> None:
    """Show each side of DATE's lines at its best price, and what it is worth by the other books.

    Without DATE those of the newest date. The sides that are worth most, by the part of it that results have followed,
    come first; once the results are in, what such sides returned stands above them.
    """
    with Output(form) as out:
        warehouse = to_read(out=out)
        days = span or warehouse.partitions(PRICES)[-1:]
        asked = list(markets.keys()) if market == ALL else [market]
        now = clock_of(load_settings())()
        found = shopping.best_sides(warehouse, days[0], days[-1], asked, now, alternates=alternates) if days else None
        of = "" if market in (markets.POINTS, ALL) else f", {market}"
        if player and found is not None and len(found):
            found = found[found["player_id"].isin(players.people(warehouse, player, days[-1])["player_id"])]
            of += f", {player}"
        if player and days and (found is None or found.empty):
            near = " or ".join(players.near(warehouse, player))
            raise click.ClickException(
                f"no side of {player} has a fair price on {text_of(days)}" + (f"; near names: {near}" if near else "")
            )
        if found is None or found.empty:
            what = f"{f' of {text_of(days)}' if days else ''}{of}"
            raise click.ClickException(
                f"no quote{what} has a fair price, which takes three other books: {program()} run DATE makes prices"
            )
        title = "\n".join(
            filter(
                None,
                [
                    f"Prices of {text_of(days)}{of}: {plural(len(found), 'side')}",
                    shopping.record(found),
                    shopping.old_prices(found),
                ],
            )
        )
        shown = found if rows == 0 or form != "table" else found.head(rows)
        out.rows(shown, title, "prices", _columns(shown))
        if len(shown) < len(found):
            options = ("" if market == markets.POINTS else f" --market {market}") + " --alternates" * alternates
            options += f' --player "{player}"' if player else ""
            out.print(f"{len(found) - len(shown):,} more: {program()} prices {text_of(days)}{options} --rows 0")
        if form == "table":
            out.print(_LEGEND, style="dim")


def _columns(sides: pd.DataFrame) -> list[Column]:
    """The columns of sides for display: those that fit 80 characters first."""
    low, high = (numbers(sides[c], "{:g}") for c in ("line_low", "line_high"))
    letters, colours = side_of(sides["side"])
    graded = sides["result"].notna().any()
    won = list(np.select([sides["profit"] > 0, sides["profit"] < 0, sides["profit"] == 0], ["W", "L", "push"], ""))
    return [
        Column("player", list(sides["player_name"]), shorter=shorter_names(sides["player_name"])),
        *market_column(sides["market"]),
        Column("team", list(sides["team"].fillna("?")), spare=2),
        Column("", letters, styles=colours),
        Column("line", numbers(sides["line"], "{:.1f}"), right=True, styles=colours),
        Column("best", numbers(sides["price"], "{:+.0f}"), right=True),
        Column("at", [short_name(book) for book in sides["book"]]),
        Column("P", numbers(sides["chance"], "{:.0%}"), right=True),
        Column("fair", numbers(sides["fair_price"], "{:+.0f}"), right=True),
        Column("EV", numbers(sides["ev"], "{:+.1%}"), right=True),
        Column("kept", numbers(sides["ev_shrunk"], "{:+.1%}"), right=True),
        Column("stake", numbers(sides["stake"], "{:.2%}"), right=True, spare=1),
        Column("lines", [a if a == b else f"{a}-{b}" for a, b in zip(low, high, strict=True)], spare=3),
        Column("age", numbers(sides["quote_age"], "{:.1f}h"), right=True, spare=2),
        Column("others", numbers(sides["engines"], "{:.0f}"), right=True, spare=4),
        *([Column("result", numbers(sides["result"], "{:.0f}"), right=True), Column("", won)] if graded else []),
    ]
