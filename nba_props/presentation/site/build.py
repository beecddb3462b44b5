"""The site's files: a folder for each date, and the pages that gather dates.

    <site>/index.html                   the dates, and a search for a player
    <site>/<date>/index.html            the slate of a date
    <site>/<date>/odds-<market>.js      the odds of all books, which the slate loads when they are asked for
    <site>/<date>/<player_id>.html      a player of it, for every player with a line
    <site>/record/index.html            the record of the season, in points; record/<market>.html in another market
    <site>/health.html                  checks, feeds, freshness
    <site>/site-<hash>.css, .js         style and scripts, by their content: older pages keep theirs

All links are relative, so that a page opens from a folder and from any host. A date's pages are made from the lake's
rows of it and before, and are made again as a whole: the slate last, so that it leads to no missing page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from nba_props.domain.closing import OPENING_BETS
from nba_props.domain.stored import span_sql
from nba_props.facts import markets
from nba_props.facts.calendar import season_start
from nba_props.facts.digest import digest
from nba_props.facts.markets import ALL_TIERS, POINTS
from nba_props.facts.vocabulary import Span
from nba_props.facts.words import percent, plural
from nba_props.presentation import board, report
from nba_props.presentation.pages import read_template, render
from nba_props.presentation.site import player, slate
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.monitoring import MARKET_SCORES, MIN_DATES, SCOREBOARD
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Settings
from nba_props.storage.files import TEMPORARY, open_path, replace
from nba_props.warehouse.base import Warehouse, is_simulated

if TYPE_CHECKING:
    from upath import UPath

INDEX = "index.html"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: the pages beside those of dates, by the name in the navigation
GATHERED = {"Record": "record/index.html", "Health": "health.html"}
#: what a page of a date is made from, beside the slate: they name the tables whose changes make it stale
_DATES_SQL = f"""
SELECT b.game_date, COUNT(DISTINCT b.game_id) AS games, COUNT(DISTINCT b.player_id) AS players, COUNT(*) AS props
FROM {span_sql(BETTING_LINES)} AS b WHERE b.line IS NOT NULL GROUP BY b.game_date
"""
_PICKS_SQL = f"""
SELECT game_date, COUNT(*) AS picks, COUNT(CASE WHEN outcome = 'WIN' THEN 1 END) AS won,
  COUNT(CASE WHEN outcome = 'LOSS' THEN 1 END) AS lost, SUM(profit) AS profit
FROM {span_sql(PREDICTION_ACCURACY)} AS a
WHERE is_current AND is_valid_line AND recommendation IN ('OVER', 'UNDER') AND market = '{POINTS}'
  AND system_id = '{board.SYSTEM}'
GROUP BY game_date
"""
_PLAYERS_SQL = f"""
SELECT player_id, MAX(player_name) AS player_name, MAX(game_date) AS newest
FROM {span_sql(BETTING_LINES)} AS b WHERE line IS NOT NULL AND CAST(game_date AS STRING) IN UNNEST(@days)
GROUP BY player_id ORDER BY player_name, player_id
"""


def dates(settings: Settings) -> list[date]:
    """The dates that have a slate's page, in order."""
    folder = open_path(settings.site)
    named = [p for p in folder.iterdir() if _DAY.fullmatch(p.name)] if folder.exists() else []
    return sorted(date.fromisoformat(p.name) for p in named if (p / INDEX).exists())


def write_slate(warehouse: Warehouse, settings: Settings, day: date, now: datetime) -> dict[str, Any]:
    """Write the pages of a date, and return the slate's path and what is on it."""
    found = slate.read(warehouse, day, now)
    site, others = open_path(settings.site), [d for d in dates(settings) if d != day]
    folder = site / f"{day}"
    there = {f"{d}": {p.name for p in (site / f"{d}").iterdir()} for d in others if day - player.LOOK_BACK <= d < day}
    common = _common(site, warehouse, "../", "", now)
    sizes = {}
    for name, text in files_of_date(
        found, player.read(warehouse, found), there, **common, record=record(warehouse, day),
        before=max((d for d in others if d < day), default=None),
        after=min((d for d in others if d > day), default=None),
        empty=_why_empty(warehouse, day, found.props),
    ):  # fmt: skip
        content = text.encode()
        replace(folder / name, content, durable=False)
        sizes[name] = len(content)
    for path in list(folder.iterdir()):
        if path.name not in sizes and not path.name.startswith(TEMPORARY):
            path.unlink()
    best = found.props[found.props["books_ev_shrunk"].notna()].nlargest(10, "books_ev_shrunk")
    return {
        "path": str(folder / INDEX), "bytes": sizes[INDEX], "files": len(sizes), "bytes_of_all": sum(sizes.values()),
        "best": best, **counts_of(found.props),
    }  # fmt: skip


def files_of_date(
    found: slate.Slate, beside: player.Players, there: Mapping[str, Collection[str]], **named: Any
) -> Iterator[tuple[str, str]]:
    """Name and text of each file of a date, the slate last: it leads to no page that is not there.

    Args:
        found: the slate.
        beside: what its players' pages show besides.
        there: the files of earlier dates, which a player's games link to.
        named: the other names of the templates.
    """
    named |= {"day": found.day, "long_day": long_day(found.day), "system": board.SYSTEM, "elsewhere": board.ELSEWHERE}
    lined = found.props["line"].notna()
    for market in found.props.loc[lined, "market"].unique():
        yield f"odds-{market}.js", f"nbaProps.odds[{json.dumps(market)}] = {_json(slate.odds(found, market))};\n"
    for player_id, page in player.pages(found, beside):
        name = f"{player_id}.html"
        linked = {g["date"] for g in page["log"] if name in there.get(g["date"], ())}
        yield name, render("site/player.html.jinja", **named, **page, linked=linked, id=player_id)
    yield INDEX, render(
        "site/slate.html.jinja", **named, lines=int(lined.sum()), headline=headline(counts_of(found.props)),
        data=_json(slate.data(found)) if lined.any() else "",
    )  # fmt: skip


def write_gathered(warehouse: Warehouse, settings: Settings, last: date, now: datetime, **read: Any) -> dict[str, Any]:
    """Write the pages that gather dates: the index, and the record of the season and the health as of ``last``.

    Args:
        warehouse: where the tables are.
        settings: those of the home.
        last: the newest date that counts.
        now: the time by which results and odds are due.
        read: ``frozen``, the systems that can claim something, and ``feeds``, the findings on the feeds by name.
    """
    site = open_path(settings.site)
    first = season_start(last)
    graded = report.graded_rows(warehouse, first, last)
    nights = graded.groupby("market")["game_date"].nunique() if len(graded) else {}
    # with fewer nights there is no interval, and a row in the table of other markets tells as much
    asked = [m.key for m in markets.MARKETS if m.key == POINTS or nights.get(m.key, 0) >= MIN_DATES]
    for market, found in report.read_each(warehouse, first, last, now, read["frozen"], asked, graded).items():
        name = _record_page(market)
        common = _common(site, warehouse, "../", f"record/{name}", now)
        others = {m: _record_page(m) for m in asked if m != market}
        text = report.page_of(
            warehouse,
            first,
            last,
            found,
            base="site/record.html.jinja",
            listed=False,
            others=others,
            **_of_site(common),
        )
        replace(site / "record" / name, text.encode(), durable=False)
        if market == POINTS:
            _write_health(site, _common(site, warehouse, "", "health.html", now), found, read["feeds"], last)
    return {**write_index(warehouse, settings, now), "record": str(site / "record" / INDEX), "markets": len(asked)}


def _of_site(common: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the site's template that the report does not name itself."""
    return {k: v for k, v in common.items() if k not in ("now", "simulated")}


def _record_page(market: str) -> str:
    return INDEX if market == POINTS else f"{market}.html"


def _write_health(
    site: UPath, common: Mapping[str, Any], found: report.ReportData, feeds: Mapping[str, Any], last: date
) -> None:
    streaks = found.published.streaks.sort_values("game_date")
    text = render(
        "site/health.html.jinja", **common, last=last, findings=found.findings, feeds=feeds,
        streak=int(streaks["streak"].iloc[-1]) if len(streaks) else None,
    )  # fmt: skip
    replace(site / "health.html", text.encode(), durable=False)


def write_index(warehouse: Warehouse, settings: Settings, now: datetime) -> dict[str, Any]:
    """Write the page of all dates that have pages, with a search for their players."""
    site, known = open_path(settings.site), dates(settings)
    rows, people = pd.DataFrame(), []
    if known:
        span = {"first": known[0], "last": known[-1]}
        counts, picks = (warehouse.query(sql, **span) for sql in (_DATES_SQL, _PICKS_SQL))
        rows = pd.DataFrame({"game_date": pd.to_datetime(known[::-1])})
        rows = rows.merge(counts, on="game_date", how="left").merge(picks, on="game_date", how="left")
        found = warehouse.query(_PLAYERS_SQL, **span, days=[f"{d}" for d in known])
        people = slate.rows_of((found["player_name"], found["player_id"], found["newest"].dt.strftime("%Y-%m-%d")))
    text = render(
        "site/index.html.jinja", **_common(site, warehouse, "", INDEX, now), people=_json(people), system=board.SYSTEM,
        dates=[
            {**row, "day": row["game_date"].date(), "words": long_day(row["game_date"].date())}
            for row in slate.records(rows)
        ],
    )  # fmt: skip
    replace(site / INDEX, text.encode(), durable=False)
    return {"index": str(site / INDEX), "dates": len(known)}


def headline(counts: Mapping[str, int]) -> str:
    """What is on a slate, in a sentence."""
    return (
        f"{plural(counts['props'], 'prop')} with a line on {plural(counts['players'], 'player')} in "
        f"{plural(counts['games'], 'game')} and {plural(counts['markets'], 'market')}; "
        f"{plural(counts['picks'], 'pick')}"
    )


def counts_of(props: pd.DataFrame) -> dict[str, int]:
    """How many props with a line, games, players, markets and picks are on a slate."""
    lined = props[props["line"].notna()]
    found = {
        name: int(lined[c].nunique())
        for name, c in (("games", "game_id"), ("players", "player_id"), ("markets", "market"))
    }
    return {"props": len(lined), **found, "picks": int(board.is_pick(lined).sum())}


def record(warehouse: Warehouse, day: date) -> list[str]:
    """What the season's bets before a date have returned, in sentences, for the page that shows tonight's."""
    first = season_start(day)
    scores, beside = (
        warehouse.query(
            f"SELECT * FROM {span_sql(table)} AS s WHERE span = '{Span.SEASON}' AND game_date < @day AND {which}",
            first=first, last=day, day=day,
        )
        for table, which in (
            (SCOREBOARD, f"tier = '{ALL_TIERS}' AND market = '{POINTS}' AND system_id = '{board.SYSTEM}'"),
            (MARKET_SCORES,
             f"market = '{markets.ALL}' AND system_id = '{OPENING_BETS}' AND score IN ('PROMISED', 'RETURN')"),
        )
    )  # fmt: skip
    found = []
    newest = scores.sort_values("game_date").tail(1).to_dict("records")
    for row in newest:
        bets = row["wins"] + row["losses"]
        if bets:
            found.append(
                f"The season's {plural(bets, 'bet')} of {board.SYSTEM} before this date: {percent(row['hit_rate'])} "
                f"won, break-even {percent(row['break_even'])}; return {_bounded(row, 'roi')} on "
                f"{plural(row['bet_dates'], 'night')}."
            )
    last = beside[beside["game_date"] == beside["game_date"].max()].set_index("score") if len(beside) else beside
    if {"PROMISED", "RETURN"} <= set(last.index):
        row = last.loc["RETURN"].to_dict() | {"roi": last.loc["RETURN", "value"]}
        row |= {"roi_low": row["low"], "roi_high": row["high"]}
        found.append(
            f"{plural(row['rows'], 'side')} that the other books found worth the price at the opening promised "
            f"{percent(last.loc['PROMISED', 'value'], '+')} a unit and returned {_bounded(row, 'roi')}."
        )
    return found or ["Nothing of this season is graded before this date: no record to show yet."]


def _bounded(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = "too few nights for an interval" if pd.isna(low) else f"{percent(low, '+')} to {percent(high, '+')}"
    return f"{percent(row[name], '+')} ({interval})"


def _why_empty(warehouse: Warehouse, day: date, props: pd.DataFrame) -> str:
    if len(props):
        return f"{plural(props['player_id'].nunique(), 'player')} on the slate, and no book has a line on any of them."
    games = warehouse.query(f"SELECT COUNT(*) AS n FROM {span_sql(SCHEDULE)} AS s", first=day, last=day)["n"].iloc[0]
    return "No games on this date." if not games else f"{plural(games, 'game')}, and nothing is predicted yet."


def long_day(day: date) -> str:
    """A date in words."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def _common(site: UPath, warehouse: Warehouse, root: str, here: str, now: datetime) -> dict[str, Any]:
    """The values of the site's template: files are written where they are not there yet."""
    for name, text in files().values():
        if not (site / name).exists():
            replace(site / name, text.encode(), durable=False)
    names = {what: name for what, (name, _) in files().items()}
    return {**names, "root": root, "here": here, "pages": GATHERED, "now": now, "simulated": is_simulated(warehouse)}


@cache
def files() -> dict[str, tuple[str, str]]:
    """Style and scripts, each with its name and text."""
    texts = {
        "style": ("css", read_template("style.css") + read_template("site/site.css")),
        "script": ("js", read_template("site/site.js")),
        "finder": ("js", read_template("site/find.js")),
    }
    return {what: (f"{what}-{digest(text, 8)}.{kind}", text) for what, (kind, text) in texts.items()}


def _json(value: Any) -> str:
    """JSON that can stand in a script of a page."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
