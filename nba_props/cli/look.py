"""Commands that read what is stored: boards, players, scores, validation, history, SQL."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nba_props.cli.group import example, main
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import text_of, to_read, within_reach
from nba_props.cli.values import PLAYER, ROWS, SYSTEM, DateSpan, Day, Whole
from nba_props.deployment import clock_of, load_settings
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import EASTERN, game_date_of, season_start
from nba_props.facts.vocabulary import Outcome, Recommendation, Tier
from nba_props.facts.words import plural
from nba_props.schemas.predictions import IMPORTED_PREFIX
from nba_props.schemas.reference import PLAYERS
from nba_props.warehouse.base import Warehouse, WarehouseError, is_simulated

if TYPE_CHECKING:
    import pandas as pd

    from nba_props.presentation.report import Score, Span

#: short names of books for narrow columns
BOOKS = {
    "draftkings": "DK", "fanduel": "FD", "betmgm": "MGM", "williamhill_us": "CZR", "fanatics": "FAN",
    "betrivers": "BR", "espnbet": "ESPN", "hardrockbet": "HR", "bovada": "BOV", "betonlineag": "BOL",
    "pointsbetus": "PB", "unibet_us": "UNI", "mybookieag": "MYB", "betus": "BUS", "lowvig": "LV", "ballybet": "BALY",
    "betparx": "PARX", "superbook": "SB", "wynnbet": "WYNN",
}  # fmt: skip
_SIDES = {Recommendation.OVER: "O", Recommendation.UNDER: "U", Recommendation.PASS: "\N{MIDDLE DOT}"}
_RESULTS = {Outcome.WIN: "W", Outcome.LOSS: "L", Outcome.PUSH: "push", Outcome.VOID: "void"}
_STYLES = {
    Recommendation.OVER: "green", Recommendation.UNDER: "red", "yes": "green", "no": "red", "W": "green", "L": "red",
}  # fmt: skip
_LEGEND = (
    "O over, U under, \N{MIDDLE DOT} no pick, - no forecast. best: the best price of that side, at its book. "
    "edge: forecast less line. P: probability that the side wins; mkt: the same by the quote without its vig. "
    "EV: average profit of one unit at the best price, if P is right; value: whether EV is positive. "
    "agree: systems on that side, of those with a forecast. Tip-offs are US/Eastern."
)
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.I)
#: verdicts of checks, the worst first, and their colours
_VERDICTS = {"fails": "red", "warns": "yellow", "passes": "green"}
#: most players listed when a name is ambiguous
_NAMED = 40
#: spans of up to this many dates print a board for each date, longer ones only the last
_BOARDS = 2


@main.command(**example("nba-props board", "nba-props board tonight --rows 0", "nba-props board 2026-01-09 --systems"))
@click.argument("span", type=DateSpan(), required=False, metavar="[DATE]")
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows to print; 0 for all.")
@click.option("--system", type=SYSTEM, default=None, help="System whose picks are shown.  [default: ensemble_v1_1]")
@click.option("--systems", is_flag=True, help="Also show every system's forecast.")
@FORMAT
def board(span: list[date] | None, rows: int, system: str | None, systems: bool, form: str) -> None:
    """Show the stored picks of DATE, largest edge first; without DATE those of the newest date.

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
        print_boards(out, warehouse, asked, rows, system, systems=systems)


def print_boards(
    out: Output,
    warehouse: Warehouse,
    span: Sequence[date],
    rows: int,
    system: str | None = None,
    *,
    systems: bool = False,
) -> None:
    """Print one board for each date of a span; for a long span only the last."""
    from nba_props.presentation import board as made

    system = system or made.SYSTEM
    shown = list(span) if len(span) <= _BOARDS or out.form != "table" else [span[-1]]
    picks = made.picks(warehouse, shown[0], shown[-1], system)
    if out.form != "table":
        source = click.get_current_context().get_parameter_source("rows")
        asked = source is not None and source.name == "COMMANDLINE" and rows > 0
        out.rows(picks.groupby("game_date").head(rows) if asked and len(picks) else picks, "Board", "board")
        return
    for day in shown:
        _print_board(out, picks[picks["game_date"].dt.date == day] if len(picks) else picks, day, rows, system, systems)
    if len(picks):
        if systems:
            out.print(f"{', '.join(f'{_short(n)} {n}' for n in SYSTEM_TABLES if n in picks)}.", style="dim")
        graded = " pts: points scored; W won, L lost." if picks["points"].notna().any() else ""
        out.print(_LEGEND + graded, style="dim")


def _print_board(out: Output, picks: pd.DataFrame, day: date, rows: int, system: str, systems: bool) -> None:
    from nba_props.presentation.board import is_pick, old_quotes, record

    if picks.empty:
        out.print(f"Slate of {day}: no player with a line")
        return
    shown = picks if rows == 0 else picks.head(rows)
    count = plural(is_pick(picks).sum(), "pick")
    title = f"Slate of {day}: {plural(len(picks), 'player')} with a line, {count} of {system}"
    chances = picks["chance_by"].value_counts()
    if list(chances.index) not in ([], [system]):  # the probability is not the picking system's own
        by = ", else ".join(chances.index)
        title += f"\nside and edge by {system}; P, EV and value by {by}"
    for found in filter(None, (record(picks), old_quotes(picks))):
        title += f"\n{found}"
    out.rows(shown, title, f"board of {day}", columns_of(shown, systems=systems))
    if len(shown) < len(picks):
        out.print(f"{len(picks) - len(shown)} more: {program()} board {day} --rows 0")


def columns_of(picks: pd.DataFrame, *, systems: bool = False) -> list[Column]:
    """A board's columns for display: those that fit 80 characters first, more where there is room.

    With ``systems``, every system's forecast takes precedence over all but player, line and result.
    """
    from nba_props.presentation.board import is_pick

    sides = _styles(picks["side"].fillna("").map(lambda s: s or "-"))
    tipoff = picks["tipoff_at"].dt.tz_convert(EASTERN).dt.strftime("%H:%M ET").fillna("tip-off open")
    names = list(picks["player_name"])
    short = [f"{n[0]}. {n.partition(' ')[2]}" if " " in n else n for n in names]
    is_judged = is_pick(picks) & picks["ev"].notna()
    value = list(picks["ev"].gt(0).map({True: "yes", False: "no"}).where(is_judged, ""))
    result = list(picks["outcome"].map(_RESULTS).fillna(""))

    def spare(alone: int, beside_systems: int) -> int:
        return beside_systems if systems else alone

    found = [
        Column("player", names, shorter=(short, *_cut(short))),
        Column("team", list(picks["team"].fillna("?")), spare=spare(0, 4)),
        Column("game", list(picks["away_team"] + " @ " + picks["home_team"]), spare=spare(3, 6)),
        Column("tip-off", list(tipoff), spare=spare(2, 6)),
        Column("", [_SIDES.get(s, "-") for s in picks["side"]], styles=sides),
        Column("line", _numbers(picks["line"], "{:.1f}"), right=True, styles=sides),
        Column("opened", _numbers(picks["opening_line"], "{:.1f}"), right=True, spare=spare(4, 7)),
        Column("best", _numbers(picks["price"], "{:+.0f}"), right=True, spare=spare(0, 3)),
        Column("at", [BOOKS.get(b, b or "") for b in picks["book"].fillna("")], spare=spare(0, 3)),
        Column("proj", _numbers(picks["forecast"], "{:.1f}"), right=True, spare=spare(0, 8)),
        Column("edge", _numbers(picks["edge"], "{:+.1f}"), right=True, styles=sides, spare=spare(0, 2)),
        Column("P", _numbers(picks["chance"], "{:.0%}"), right=True, spare=spare(0, 5)),
        Column("mkt", _numbers(picks["market_chance"], "{:.0%}"), right=True, spare=spare(0, 5)),
        Column("EV", _percentages(picks["ev"]), right=True, spare=spare(1, 5)),
        Column("value", value, styles=_styles(value), spare=spare(0, 4)),
        Column("agree", [f"{a}/{s}" for a, s in zip(picks["agree"], picks["spoke"], strict=True)], right=True,
               spare=spare(0, 4)),
        Column("books", _numbers(picks["books"], "{:.0f}"), right=True, spare=spare(5, 7)),
    ]  # fmt: skip
    if picks["points"].notna().any():
        found.append(Column("pts", _numbers(picks["points"], "{:.0f}"), right=True))
        found.append(Column("", result, styles=_styles(result)))
    own = [n for n in SYSTEM_TABLES if n in picks]
    heading = _short if systems else _stacked
    return found + [Column(heading(n), _numbers(picks[n], "{:.1f}"), right=True, spare=spare(6, 0)) for n in own]


def _styles(words: Iterable[str]) -> list[str]:
    return [_STYLES.get(word, "dim") for word in words]


def _cut(names: Sequence[str]) -> tuple[Sequence[str], ...]:
    return tuple(
        [n if len(n) <= most else f"{n[: most - 1]}\N{HORIZONTAL ELLIPSIS}" for n in names] for most in (20, 16)
    )


def _numbers(values: pd.Series, form: str) -> list[str]:
    return ["" if v != v or v is None else form.format(v) for v in values.astype("float64")]  # noqa: PLR0124


def _percentages(values: pd.Series) -> list[str]:
    """Whole percentages with a sign; one decimal where they would round to ``-0%`` or ``+0%``."""
    whole, finer = (_numbers(values, form) for form in ("{:+.0%}", "{:+.1%}"))
    return [f if w[1:] == "0%" else w for w, f in zip(whole, finer, strict=True)]


def _stacked(name: str) -> str:
    """A system's id on several lines: ensemble_v1_1 -> ensemble, v1_1."""
    stem, mark, version = name.partition("_v")
    return stem.replace("_", "\n") + (f"\nv{version}" if mark else "")


def _short(name: str) -> str:
    """A system's id in a few letters: ensemble_v1_1 -> ens1.1."""
    stem, _, version = name.partition("_v")
    return stem[:3] + version.replace("_", ".")


@main.command(**example("nba-props player Doncic", 'nba-props player "Luka Doncic" --games 82'))
@click.argument("name", type=PLAYER)
@click.option("--games", type=Whole(1, 200), default=15, show_default=True, help="Games to show, the newest first.")
@click.option("--system", type=SYSTEM, default=None, help="System whose forecasts are shown.  [default: ensemble_v1_1]")
@FORMAT
def player(name: str, games: int, system: str | None, form: str) -> None:
    """Show a player's games of the season: points against the line, forecast, pick and outcome.

    NAME is an id, a name or a part of one, in any spelling.
    """
    from nba_props.presentation import board as made

    system = system or made.SYSTEM
    with Output(form) as out:
        warehouse = to_read(out=out)
        who = _one(made.people(warehouse, name), name, lambda: made.near(warehouse, name))
        last = max([*warehouse.partitions(PLAYERS), game_date_of(clock_of(load_settings())())])
        newest = warehouse.partitions(PLAYERS)[-1]
        log = made.player_log(warehouse, int(who["player_id"]), season_start(newest), last, system)
        rest, known = made.form(log), len(log)
        log = log.head(games)
        count = plural(known, "game") if len(log) == known else f"the last {len(log)} of {plural(known, 'game')}"
        title = f"{who['player_name']} ({who['team']}, id {who['player_id']}): {count}, forecasts of {system}"
        shown = log.drop(columns=["prediction_id", "is_home"]).assign(
            opponent=log["is_home"].map({True: "", False: "@ "}).fillna("") + log["opponent"],
            forecast=log["forecast"].round(1),
        )
        out.rows(log if form != "table" else shown, title)
        for text in rest:
            out.print(text)


def _one(found: pd.DataFrame, text: str, near: Callable[[], list[str]]) -> pd.Series:
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


@main.command(**example("nba-props history Doncic 2026-01-09"))
@click.argument("player", type=PLAYER)
@click.argument("day", type=Day())
@FORMAT
def history(player: str, day: date, form: str) -> None:
    """Show every prediction ever published for PLAYER (name or id) on DATE: line, quote, run, status and grade."""
    from nba_props.operations import ledger
    from nba_props.presentation import board

    with Output(form) as out:
        warehouse = to_read(out=out)
        frame = ledger.history(warehouse, player, day)
        if frame.empty:
            found = board.people(warehouse, player, day)
            if len(found):
                frame = ledger.history(warehouse, str(_one(found, player, list)["player_id"]), day)
        if frame.empty:
            raise click.ClickException(f"nothing was ever published for {player} on {day}")
        title = f"{frame['player_name'].iloc[0]}, {day}"
        out.rows(frame, title, columns=_history_columns(frame))
        for run_id, own in frame.groupby("run_id", sort=False) if form == "table" else ():
            written = own["created_at"].min().strftime("%Y-%m-%d %H:%M")
            out.print(f"run       {run_id} published {plural(len(own), 'row')}, the first at {written} UTC")


def _history_columns(frame: pd.DataFrame) -> list[Column]:
    """The columns of a player's history for display; ids are left out where they do not fit, never shortened."""
    written = frame["created_at"].dt.strftime("%Y-%m-%d %H:%M")
    return [
        Column("system", list(frame["system_id"])),
        Column("points", _numbers(frame["predicted_points"], "{:.1f}"), right=True),
        Column("side", list(frame["recommendation"])),
        Column("line", _numbers(frame["line"], "{:.1f}"), right=True),
        Column("book", list(frame["sportsbook"].fillna("")), spare=2),
        Column("standing", list(frame["standing"])),
        Column("outcome", list(frame["outcome"].fillna(""))),
        Column("scored", _numbers(frame["actual_points"], "{:.0f}"), right=True),
        Column("written (UTC)", list(written), spare=3),
        Column("model", list(frame["model_version"].fillna("")), spare=4),
        Column("run", list(frame["run_id"]), spare=5),
        Column("quote", list(frame["quote_id"].fillna("")), spare=6),
    ]


@main.command(**example("nba-props validate 2026-01-09..2026-01-10"))
@click.argument("span", type=DateSpan())
@click.option("--all", "everything", is_flag=True, help="Also show the checks that passed.")
@FORMAT
def validate(span: list[date], everything: bool, form: str) -> None:
    """Run the final validation of SPAN and the detectors as of its end; show failures, warnings and the number passed.

    Reads the current ledger, graded or not; for one date the results equal those of the date's checks. Exit status 1
    when a check fails.
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


@main.command(**example("nba-props report 2026-01-09..2026-01-10", "nba-props report 2026-01-09..2026-01-10 --open"))
@click.argument("span", type=DateSpan())
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the page.  [default: home/reports/]"
)
@click.option("--open", "opened", is_flag=True, help="Open the page in a browser.")
@FORMAT
def report(span: list[date], out: Path | None, opened: bool, form: str) -> None:
    """Print the scoreboard of SPAN, and write it with charts as one HTML page."""
    from nba_props.presentation import report as page
    from nba_props.schemas.predictions import LEDGER

    with Output(form) as printed:
        settings = load_settings()
        warehouse = to_read(settings, printed)
        graded = page.graded_rows(warehouse, span[0], span[-1])
        if graded.empty:
            is_published = any(span[0] <= d <= span[-1] for d in warehouse.partitions(LEDGER))
            command = f"{program()} {'grade' if is_published else 'run'} {text_of(span)}"
            what = "no prediction on a verified line is graded" if is_published else "nothing is published"
            raise click.ClickException(f"{what} for {text_of(span)}: {command} does that")
        found = page.read(warehouse, span[0], span[-1], clock_of(settings)(), graded)
        if form != "table":
            printed.rows(page.typed(found.scores), "Scores")
        else:
            print_scores(printed, found, span)
        path = page.write_report(warehouse, settings, span[0], span[-1], out, found)
        printed.print(f"page      {path}")
        if opened and not _open_page(path):
            raise click.ClickException(f"no browser could be started here: open {path} yourself")


def print_scores(out: Output, found: Span, span: Sequence[date]) -> None:
    """Print the headline and the score tables of a span, with notes."""
    from nba_props.presentation import report as page

    everything = found.scores[found.scores["tier"] == Tier.ALL]
    out.print(page.headline(everything, found.suspects))
    scored = everything.assign(verdict=page.verdicts(everything, found.suspects))
    is_imported = scored["system_id"].str.startswith(IMPORTED_PREFIX)
    # imported records have tables of their own, without the prefix: few terminals have room for it
    imported = scored[is_imported].assign(system_id=lambda f: f["system_id"].str.removeprefix(IMPORTED_PREFIX))
    for lead, rows in (("", scored[~is_imported]), ("Imported records. ", imported)):
        for title, columns in page.TABLES.items():
            table = page.shown(rows, columns)
            if len(table) or not lead:  # an export has no P(over)
                out.rows(table, f"{lead}{title}, {text_of(span)}", columns=score_columns(rows, columns))
    out.print("A bet is a pick that was won or lost, one unit on it at the quoted price.")
    for text in filter(None, (page.note(everything), page.after_the_fact(found.graded))):
        out.print(text)


def score_columns(scores: pd.DataFrame, columns: Mapping[str, Score]) -> list[Column]:
    """A score table's columns for display: intervals where there is room, the first columns in preference to others."""
    from nba_props.presentation import report as page

    whole, short = page.shown(scores, columns), page.shown(scores, columns, brackets=False)
    return [
        Column(
            c.heading,
            list(whole[c.heading]),
            right=name not in ("system_id", "verdict"),
            shorter=(list(short[c.heading]),) if (whole[c.heading] != short[c.heading]).any() else (),
            spare=c.spare,
        )
        for name, c in columns.items()
    ]


def _open_page(path: str) -> bool:
    """Show a page in the browser; False when there is no browser, or the page is not a local file."""
    import webbrowser

    return "://" not in path and webbrowser.open(Path(path).absolute().as_uri())


@main.command(**example("nba-props batches"))
@FORMAT
def batches(form: str) -> None:
    """List the batches of the archive: what was removed, when, and whether it was restored."""
    from nba_props.operations import ledger

    with Output(form) as out:
        frame = ledger.batches(to_read(out=out))
        out.rows(frame, f"{len(frame)} batch{'' if len(frame) == 1 else 'es'}")


def _tables() -> pd.DataFrame:
    """Every table and view with its description; the engine's SHOW TABLES does not look into datasets."""
    import pandas as pd

    from nba_props.catalog import TABLES, VIEWS

    found = [(address, t.description) for known in (TABLES, VIEWS) for address, t in known.items()]
    return pd.DataFrame(sorted(found), columns=["name", "description"])


@main.command(
    **example('nba-props sql "select system_id, count(*) from nba_predictions.current_predictions group by 1"')
)
@click.argument("query")
@FORMAT
def sql(query: str, form: str) -> None:
    """Run one read-only QUERY in GoogleSQL, or over a lake also in DuckDB's SQL; tables are named dataset.table.

    Rows wider than the terminal are printed one value per line. For a name that only the old system had, the error
    gives the one to use here.
    """
    from nba_props.presentation.old_names import explained

    with Output(form) as out:
        warehouse = to_read(out=out)
        try:
            frame = _tables() if _SHOW_TABLES.fullmatch(query) else warehouse.read_only(query)
        except WarehouseError as error:
            if not (more := explained(query, str(error))):
                raise
            raise WarehouseError(f"{error}\n{more}") from error
        out.rows(frame, f"{len(frame)} row{'' if len(frame) == 1 else 's'}")
