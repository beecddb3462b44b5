"""Boards for the terminal: which columns are shown where there is room, and the lines above and below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from nba_props.cli.printing import Column, Output
from nba_props.cli.program import program
from nba_props.domain.odds import american
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS
from nba_props.domain.views.shadow import BY_THEMSELVES
from nba_props.facts.books import short_name
from nba_props.facts.calendar import EASTERN
from nba_props.facts.markets import ALL, MARKETS, POINTS, short_names
from nba_props.facts.vocabulary import Outcome, Recommendation
from nba_props.facts.words import listed, plural
from nba_props.presentation.board import (
    ELSEWHERE,
    forecasts,
    is_pick,
    old_quotes,
    other_markets,
    picks,
    record,
    usual_system,
)
from nba_props.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pandas as pd

_SIDES = {Recommendation.OVER: "O", Recommendation.UNDER: "U", Recommendation.PASS: "\N{MIDDLE DOT}"}
_RESULTS = {Outcome.WIN: "W", Outcome.LOSS: "L", Outcome.PUSH: "push", Outcome.VOID: "void"}
_STYLES = {
    Recommendation.OVER: "green", Recommendation.UNDER: "red", "yes": "green", "no": "red", "W": "green", "L": "red",
}  # fmt: skip
_LEGEND = (
    "O over, U under, \N{MIDDLE DOT} no pick, - no forecast. best: the best price of that side, at its book. "
    "edge: forecast less line. P: probability that the side wins; mkt: the same by the books together, or by "
    "the quote without its vig if they are fewer than three. EV: average profit of one unit at the best price, if P "
    "is right; value: whether EV is positive. "
    "agree: systems on that side, of those with a forecast. Tip-offs are US/Eastern."
)
#: spans of up to this many dates print a board for each date, longer ones only the last
_BOARDS = 2


def print_boards(
    out: Output,
    warehouse: Warehouse,
    span: Sequence[date],
    rows: int,
    system: str | None = None,
    market: str = POINTS,
    *,
    systems: bool = False,
    game: str | None = None,
) -> None:
    """Print one board for each date of a span, of one game if asked; for a long span only the last."""
    system_of(system, market)
    shown = list(span) if len(span) <= _BOARDS or out.form != "table" else [span[-1]]
    found = picks(warehouse, shown[0], shown[-1], system, market)
    if game and len(found):
        found = _of_game(found, game)
    if out.form != "table":
        source = click.get_current_context().get_parameter_source("rows")
        asked = source is not None and source.name == "COMMANDLINE" and rows > 0
        out.rows(found.groupby("game_date").head(rows) if asked and len(found) else found, "Board", "board")
        return
    for day in shown:
        _print_board(
            out, found[found["game_date"].dt.date == day] if len(found) else found, day, rows, system, market, systems
        )
    if len(found):
        if systems:
            out.print(f"{', '.join(f'{_short(n)} {n}' for n in SYSTEM_TABLES if n in found)}.", style="dim")
        graded = f" {_result_heading(found)}: the result; W won, L lost." if found["result"].notna().any() else ""
        out.print(_LEGEND + graded, style="dim")
    if market != ALL and (others := other_markets(warehouse, shown[-1], market)):
        listed = ", ".join(f"{key} {players}" for key, players in others.items())
        out.print(f"players with a line in other markets on {shown[-1]}: {listed}; --market shows one, or all")


def _of_game(found: pd.DataFrame, game: str) -> pd.DataFrame:
    """The rows of a game, by a team of it or both.

    Raises:
        ClickException: there is no such game.
    """
    names = found["away_team"] + "@" + found["home_team"]
    wanted = game.upper().replace(" ", "")
    mine = found[names.eq(wanted) | found["away_team"].eq(wanted) | found["home_team"].eq(wanted)]
    if mine.empty:
        raise click.ClickException(f"no game of {game} has a line: there are {listed(sorted(set(names)))}")
    return mine


def system_of(system: str | None, market: str) -> str:
    """The system that a market's board shows: the given one, if it forecasts the market, else the usual one.

    Raises:
        ClickException: it does not forecast the market.
    """
    if system is None:
        return usual_system(market)
    if not forecasts(system, market):
        others = [s.system_id for s in SYSTEMS if market in s.markets and not s.shadow]
        raise click.ClickException(f"{system} does not forecast {market}: {listed(others)} do")
    return system


def _print_board(
    out: Output, board: pd.DataFrame, day: date, rows: int, asked: str | None, market: str, systems: bool
) -> None:
    of = "" if market == POINTS else ", every market" if market == ALL else f", {market}"
    if board.empty:
        out.print(f"Slate of {day}{of}: no player with a line")
        return
    shown = board if rows == 0 else board.head(rows)
    count = plural(is_pick(board).sum(), "pick")
    lines = plural(len(board), "player") + " with a line" if market != ALL else plural(len(board), "line")
    by_whom = asked or (usual_system(market) if market != ALL else f"{usual_system(POINTS)}, elsewhere {ELSEWHERE}")
    title = f"Slate of {day}{of}: {lines}, {count} of {by_whom}"
    if asked in BY_THEMSELVES:
        title += f", which is in shadow until it has earned a weight: {program()} weights {day}"
    chances = board["chance_by"].value_counts()
    if list(chances.index) not in ([], [by_whom]):  # the probability is not the picking system's own
        by = ", else ".join(chances.index)
        title += f"\nside and edge by {by_whom}; P, EV and value by {by}" + (
            ", where it has one" if market == ALL else ""
        )
    for found in filter(None, (record(board), old_quotes(board))):
        title += f"\n{found}"
    out.rows(shown, title, f"board of {day}", columns_of(shown, systems=systems))
    if len(shown) < len(board):
        options = ("" if market == POINTS else f" --market {market}") + (f" --system {asked}" if asked else "")
        out.print(f"{len(board) - len(shown)} more: {program()} board {day}{options} --rows 0")


def columns_of(board: pd.DataFrame, *, systems: bool = False) -> list[Column]:
    """A board's columns for display: those that fit 80 characters first, more where there is room.

    With ``systems``, every system's forecast takes precedence over all but player, line and result.
    """
    letters, sides = side_of(board["side"])
    tipoff = board["tipoff_at"].dt.tz_convert(EASTERN).dt.strftime("%H:%M ET").fillna("tip-off open")
    is_judged = is_pick(board) & board["ev"].notna()
    value = list(board["ev"].gt(0).map({True: "yes", False: "no"}).where(is_judged, ""))
    result = list(board["outcome"].map(_RESULTS).fillna(""))

    def spare(alone: int, beside_systems: int) -> int:
        return beside_systems if systems else alone

    found = [
        Column("player", list(board["player_name"]), shorter=shorter_names(board["player_name"])),
        *market_column(board["market"]),
        Column("team", list(board["team"].fillna("?")), spare=spare(0, 4)),
        Column("game", list(board["away_team"] + " @ " + board["home_team"]), spare=spare(3, 6)),
        Column("tip-off", list(tipoff), spare=spare(2, 6)),
        Column("", letters, styles=sides),
        Column("line", numbers(board["line"], "{:.1f}"), right=True, styles=sides),
        Column("opened", numbers(board["opening_line"], "{:.1f}"), right=True, spare=spare(4, 7)),
        Column("best", numbers(board["price"], "{:+.0f}"), right=True, spare=spare(0, 3)),
        Column("at", [short_name(b) for b in board["book"]], spare=spare(0, 3)),
        Column("proj", numbers(board["forecast"], "{:.1f}"), right=True, spare=spare(0, 8)),
        Column("edge", numbers(board["edge"], "{:+.1f}"), right=True, styles=sides, spare=spare(0, 2)),
        Column("P", numbers(board["chance"], "{:.0%}"), right=True, spare=spare(0, 5)),
        Column("mkt", numbers(board["market_chance"], "{:.0%}"), right=True, spare=spare(0, 5)),
        Column("fair", numbers(american(board["market_chance"]), "{:+.0f}"), right=True, spare=spare(5, 7)),
        Column("EV", _percentages(board["ev"]), right=True, spare=spare(1, 5)),
        Column("value", value, styles=_styles(value), spare=spare(0, 4)),
        Column("agree", [f"{a}/{s}" for a, s in zip(board["agree"], board["forecasts"], strict=True)], right=True,
               spare=spare(0, 4)),
        Column("books", numbers(board["books"], "{:.0f}"), right=True, spare=spare(5, 7)),
    ]  # fmt: skip
    if board["result"].notna().any():
        found.append(Column(_result_heading(board), numbers(board["result"], "{:.0f}"), right=True))
        found.append(Column("", result, styles=_styles(result)))
    own = [n for n in SYSTEM_TABLES if n in board and board[n].notna().any()]
    heading = _short if systems else _stacked
    return found + [Column(heading(n), numbers(board[n], "{:.1f}"), right=True, spare=spare(6, 0)) for n in own]


def _result_heading(board: pd.DataFrame) -> str:
    """The short name of a board's market, such as pts."""
    asked = set(board["market"])
    return next((m.short.lower() for m in MARKETS if asked == {m.key}), "result")


def _styles(words: Iterable[str]) -> list[str]:
    return [_STYLES.get(word, "dim") for word in words]


def side_of(sides: pd.Series) -> tuple[list[str], list[str]]:
    """The letters of some sides, and the style of each."""
    return [_SIDES.get(s, "-") for s in sides], _styles(sides.fillna("").map(lambda s: s or "-"))


def market_column(asked: pd.Series) -> list[Column]:
    """The column of rows' markets, by their short names; none where all are of one."""
    short = short_names()
    return [Column("market", [short[m] for m in asked])] if len(set(asked)) > 1 else []


def shorter_names(names: pd.Series) -> tuple[Sequence[str], ...]:
    """Shorter forms of players' names: with an initial, and cut."""
    short = [f"{n[0]}. {n.partition(' ')[2]}" if " " in n else n for n in names]
    return short, *_cut(short)


def _cut(names: Sequence[str]) -> tuple[Sequence[str], ...]:
    return tuple(
        [n if len(n) <= most else f"{n[: most - 1]}\N{HORIZONTAL ELLIPSIS}" for n in names] for most in (20, 16)
    )


def numbers(values: pd.Series, form: str) -> list[str]:
    """Numbers as texts of one format; empty for null."""
    return ["" if v != v or v is None else form.format(v) for v in values.astype("float64")]  # noqa: PLR0124


def _percentages(values: pd.Series) -> list[str]:
    """Whole percentages with a sign; one decimal where they would round to ``-0%`` or ``+0%``."""
    whole, finer = (numbers(values, form) for form in ("{:+.0%}", "{:+.1%}"))
    return [f if w[1:] == "0%" else w for w, f in zip(whole, finer, strict=True)]


def _stacked(name: str) -> str:
    """A system's id on several lines: ensemble_v1_1 -> ensemble, v1_1."""
    stem, mark, version = name.partition("_v")
    return stem.replace("_", "\n") + (f"\nv{version}" if mark else "")


def _short(name: str) -> str:
    """A system's id in a few letters: ensemble_v1_1 -> ens1.1; in initials where another's are the same."""
    stem, _, version = name.partition("_v")
    alike = {other.partition("_v")[0] for other in SYSTEM_TABLES if other.startswith(stem[:3])}
    letters = stem[:3] if len(alike) == 1 else "".join(word[0] for word in stem.split("_"))
    return letters + version.replace("_", ".")
