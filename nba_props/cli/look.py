"""Commands that show what is stored: boards, players, the history of a prediction, SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from nba_props.cli.boards import numbers, print_boards, system_of
from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import text_of, to_read
from nba_props.cli.values import MARKET_SHOWN, MARKETS_SHOWN, PLAYER, ROWS, SYSTEM_SHOWN, DateSpan, Day, Instant, Whole
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import game_date_of, season_start
from nba_props.facts.markets import ALL, POINTS
from nba_props.facts.words import plural
from nba_props.schemas.reference import PLAYERS
from nba_props.warehouse.base import WarehouseError, is_simulated

if TYPE_CHECKING:
    import pandas as pd

#: most players listed when a name is ambiguous
_NAMED = 40
#: characters of a run's id that tell runs apart, as Dagster's UI shows them
_RUN = 8


@main.command(
    **example(
        "nba-props board",
        "nba-props board tonight --rows 0",
        "nba-props board 2026-01-09 --systems",
        "nba-props board --market rebounds",
        "nba-props board 2026-01-09 --game BOS",
        fails="nothing is published for DATE",
    )
)
@click.argument("span", type=DateSpan(), required=False, metavar="[DATE]")
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows to print; 0 for all.")
@MARKETS_SHOWN
@SYSTEM_SHOWN
@click.option("--systems", is_flag=True, help="Also show every system's forecast.")
@click.option("--game", metavar="TEAM", help="Only the game of this team, by its three letters, or of AWAY@HOME.")
@FORMAT
def board(
    span: list[date] | None, rows: int, market: str, system: str | None, systems: bool, game: str | None, form: str
) -> None:
    """Show the stored picks of DATE, largest edge first; without DATE those of the newest date. `open` shows more.

    Nothing is run. Columns: line, best price and its book, the system's forecast and its edge over the line, P of that
    side beside the market's, and how many of the systems with a forecast agree.
    """
    from nba_props.operations import ledger

    with Output(form) as out:
        warehouse = to_read(out=out)
        stored = ledger.own_dates(warehouse)
        days = span or stored[-1:]
        asked = [d for d in days if d in set(stored)]
        if not asked:
            what = f" for {text_of(days)}" if days else ""
            newest = f", and {program()} board {stored[-1]} shows the newest" if stored and days else ""
            first = f"{'demo' if is_simulated(warehouse) else 'start'} makes a first prediction"
            remedy = "run DATE predicts a date" if stored else first
            raise click.ClickException(f"nothing is published{what}: {program()} {remedy}{newest}")
        print_boards(out, warehouse, asked, rows, system, market, systems=systems, game=game)
        if form == "table":
            out.print(f"in a browser: {program()} open {asked[-1]}")


@main.command(
    **example(
        "nba-props player Doncic",
        'nba-props player "Luka Doncic" --games 82',
        "nba-props player Doncic --market assists",
        fails="no player matches NAME, or several do",
    )
)
@click.argument("name", type=PLAYER)
@click.option("--games", type=Whole(1, 200), default=15, show_default=True, help="Games to show, the newest first.")
@MARKET_SHOWN
@SYSTEM_SHOWN
@FORMAT
def player(name: str, games: int, market: str, system: str | None, form: str) -> None:
    """Show a player's games of the season: the result against the line, forecast, pick and outcome.

    NAME is an id, a name or a part of one, in any spelling.
    """
    from nba_props.presentation import players

    with Output(form) as out:
        warehouse = to_read(out=out)
        who = one(players.people(warehouse, name), name, lambda: players.near(warehouse, name))
        last = max([*warehouse.partitions(PLAYERS), game_date_of(clock_of(load_settings())())])
        newest = warehouse.partitions(PLAYERS)[-1]
        chosen = system_of(system, market)
        log = players.player_log(warehouse, int(who["player_id"]), season_start(newest), last, chosen, market)
        rest, known = players.form(log), len(log)
        log = log.head(games)
        count = plural(known, "game") if len(log) == known else f"the last {len(log)} of {plural(known, 'game')}"
        title = f"{who['player_name']} ({who['team']}, id {who['player_id']}): {count}, forecasts of {chosen}"
        if market != POINTS:
            title += f", {market}"
        shown = log.drop(columns=["prediction_id", "is_home"]).assign(
            opponent=log["is_home"].map({True: "", False: "@ "}).fillna("") + log["opponent"],
            forecast=log["forecast"].round(1),
        )
        out.rows(log if form != "table" else shown, title)
        for text in rest:
            out.print(text)


def one(found: pd.DataFrame, text: str, near: Callable[[], list[str]]) -> pd.Series:
    """The only player that matches.

    Args:
        found: the players that match.
        text: what was typed.
        near: gives similar names; called when no player matches.

    Raises:
        ClickException: no player matches, or several do.
    """
    if found.empty:
        alike = near()
        remedy = (
            f"did you mean {' or '.join(alike)}?" if alike else f"{program()} player PART-OF-A-NAME lists the matches"
        )
        raise click.ClickException(f"no player is called {text}: {remedy}")
    if len(found) > 1:
        names = [f"{n} ({t}, {i})" for i, n, t in found.head(_NAMED).itertuples(index=False)]
        more = f"; and {len(found) - _NAMED} more: type more of the name" if len(found) > _NAMED else ""
        raise click.ClickException(f"{text} can be {len(found)} players: {', '.join(names)}{more}")
    return found.iloc[0]


@main.command(**example("nba-props history Doncic 2026-01-09", fails="nothing was ever published for PLAYER on DATE"))
@click.argument("player", type=PLAYER)
@click.argument("day", type=Day(), metavar="DATE")
@MARKETS_SHOWN
@FORMAT
def history(player: str, day: date, market: str, form: str) -> None:
    """Show every prediction ever published for PLAYER (name or id) on DATE: line, quote, run, status and grade."""
    from nba_props.operations import ledger
    from nba_props.presentation import players

    with Output(form) as out:
        warehouse = to_read(out=out)
        every = ledger.history(warehouse, player, day)
        if every.empty:
            found = players.people(warehouse, player, day)
            if len(found):
                every = ledger.history(warehouse, str(one(found, player, list)["player_id"]), day)
        frame = every if market == ALL else every[every["market"] == market]
        others = plural(len(every) - len(frame), "row") + f" in other markets: --market {ALL} shows them"
        if frame.empty:
            of, more = ("" if market in (POINTS, ALL) else f" in {market}"), f"; {others}" if len(every) else ""
            raise click.ClickException(f"nothing was ever published for {player}{of} on {day}{more}")
        title = f"{frame['player_name'].iloc[0]}, {day}{'' if market == POINTS else f', {market}'}"
        out.rows(frame, title, columns=_history_columns(frame))
        for run_id, own in frame.groupby("run_id", sort=False) if form == "table" else ():
            written = own["created_at"].min().strftime("%Y-%m-%d %H:%M")
            out.print(f"run       {run_id} published {plural(len(own), 'row')}, the first at {written} UTC")
        if len(frame) < len(every):
            out.print(f"others    {others}")


def _history_columns(frame: pd.DataFrame) -> list[Column]:
    """The columns of a player's history for display; ids are left out where they do not fit, never shortened."""
    written = frame["created_at"].dt.strftime("%Y-%m-%d %H:%M")
    return [
        Column("system", list(frame["system_id"])),
        *([Column("market", list(frame["market"]))] if len(set(frame["market"])) > 1 else []),
        Column("forecast", numbers(frame["forecast"], "{:.1f}"), right=True),
        Column("side", list(frame["recommendation"])),
        Column("line", numbers(frame["line"], "{:.1f}"), right=True),
        Column("book", list(frame["sportsbook"].fillna("")), spare=2),
        Column("standing", list(frame["standing"])),
        Column("outcome", list(frame["outcome"].fillna(""))),
        Column("result", numbers(frame["result"], "{:.0f}"), right=True),
        Column("written (UTC)", list(written), spare=3),
        Column("model", list(frame["model_version"].fillna("")), spare=4),
        Column("run", list(frame["run_id"]), spare=5),
        Column("quote", list(frame["quote_id"].fillna("")), spare=6),
    ]


@main.command(
    **example(
        "nba-props versions 2026-01-09",
        "nba-props versions 2026-01-09 --format json",
        fails="no version of DATE is kept",
    )
)
@click.argument("day", type=Day(), metavar="DATE")
@FORMAT
def versions(day: date, form: str) -> None:
    """Show the versions of DATE that are kept: each run that published it, and which tables the run changed, if any.

    `sql --as-of INSTANT` reads them. Replaced versions are kept for the days of NBA_PROPS_VERSION_DAYS.
    """
    from nba_props.data.lake import frame_of

    with Output(form) as out:
        found = to_read(out=out).versions(day)
        if not found:
            raise click.ClickException(f"no version of {day} is kept: {program()} run {day} makes one")
        frame = frame_of(found)
        changed = [[_named(v.changed, most) for v in found] for most in (3, 1, 0)]
        columns = [
            Column("since (UTC)", [f"{v.instant:%Y-%m-%dT%H:%M:%S.%fZ}" for v in found]),
            Column("job", list(frame["job_name"])),
            Column("run", list(frame["run_id"]), shorter=([run_id[:_RUN] for run_id in frame["run_id"]],)),
            Column("revision", list(frame["revision"]), spare=1),
            Column("tables", [str(n) for n in frame["tables"]], right=True),
            Column("changed", changed[0], shorter=tuple(changed[1:])),
        ]
        out.rows(frame, f"{plural(len(found), 'version')} of {day}", columns=columns)


def _named(tables: Sequence[str] | None, most: int) -> str:
    """How many tables there are, and so many of their names; empty if that is not known."""
    if tables is None:
        return ""
    first = ", ".join(address.split(".")[1] for address in tables[:most])
    return f"{len(tables)}{f': {first}' if first else ''}{', ...' if 0 < most < len(tables) else ''}"


@main.command(
    **example(
        'nba-props sql "select system_id, count(*) from nba_predictions.current_predictions group by 1"',
        'nba-props sql "select count(*) from nba_predictions.ledger" --as-of 2026-01-09T17:00Z',
    )
)
@click.argument("query")
@click.option("--as-of", "instant", type=Instant(), help="Read the tables as runs had published them by then.")
@FORMAT
def sql(query: str, instant: datetime | None, form: str) -> None:
    """Run one read-only QUERY in GoogleSQL, or over a lake also in DuckDB's SQL; tables are named dataset.table.

    Rows wider than the terminal are printed one value per line. For a name that only the old system had, the error
    gives the one to use here. INSTANT is 2026-01-09T17:00Z; `versions` lists those of a date.
    """
    from nba_props.data import Lake
    from nba_props.presentation.old_names import explained

    with Output(form) as out:
        settings = load_settings()
        lake = Lake(settings, to_read(settings, out))
        if instant is not None:
            lake = lake.as_of(instant)
        try:
            frame = lake.sql(query)
        except WarehouseError as error:
            if not (more := explained(query, str(error))):
                raise
            raise WarehouseError(f"{error}\n{more}") from error
        out.rows(frame, plural(len(frame), "row"))
