"""The site's files: a folder for each date, and the pages that gather dates.

    <site>/index.html                   the dates, and a search for a player
    <site>/<date>/index.html            the slate of a date
    <site>/<date>/prices.html           the sides that are worth more than their best price
    <site>/<date>/odds-<market>.js      the odds of all books, which the slate loads when they are asked for
    <site>/<date>/<player_id>.html      a player of it, for every player with a line
    <site>/record/index.html            the record of the season, in points; record/<market>.html in another market
    <site>/health.html                  checks, feeds, freshness
    <site>/style-<hash>.css, *-<hash>.js  style and scripts, by their content: older pages keep theirs

All links are relative, so that a page opens from a folder and from any host. A date's pages are made from the lake's
rows of it and before, and are made again as a whole: on a disk the new folder replaces the old at once, in a bucket the
slate is written last, so that it leads to no missing page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nba_props.deployment import frozen
from nba_props.domain.stored import span_sql
from nba_props.facts import markets
from nba_props.facts.calendar import season_start
from nba_props.facts.digest import digest
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import SIDES, Outcome, sql_list
from nba_props.operations.freshness import feeds_freshness
from nba_props.presentation import board, report
from nba_props.presentation.pages import INDEX, read_template, render
from nba_props.presentation.site import player, sentences, slate
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.monitoring import MIN_DATES
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.settings import Settings
from nba_props.storage.files import open_path, replace, replace_folder
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse, is_simulated

if TYPE_CHECKING:
    from upath import UPath

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: the pages beside those of dates, by the name in the navigation
GATHERED = {"Record": "record/index.html", "Health": "health.html"}
_DATES_SQL = f"""
SELECT b.game_date, COUNT(DISTINCT b.game_id) AS games, COUNT(DISTINCT b.player_id) AS players, COUNT(*) AS props
FROM {span_sql(BETTING_LINES)} AS b WHERE b.line IS NOT NULL GROUP BY b.game_date
"""
_PICKS_SQL = f"""
SELECT game_date, COUNT(*) AS picks, COUNT(CASE WHEN outcome = '{Outcome.WIN}' THEN 1 END) AS won,
  COUNT(CASE WHEN outcome = '{Outcome.LOSS}' THEN 1 END) AS lost, SUM(profit) AS profit
FROM {span_sql(PREDICTION_ACCURACY)} AS a
WHERE is_current AND is_valid_line AND recommendation IN ({sql_list(SIDES)}) AND market = '{POINTS}'
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
    return sorted(
        date.fromisoformat(day) for day, files in _listing(open_path(settings.site)).items() if INDEX in files
    )


def _listing(site: UPath) -> dict[str, set[str]]:
    """The files of each date's folder, in one request where they are in a bucket."""
    if not site.exists():
        return {}
    if isinstance(site, Path):
        return {p.name: {f.name for f in p.iterdir()} for p in site.iterdir() if _DAY.fullmatch(p.name) and p.is_dir()}
    found: dict[str, set[str]] = {}
    for path in site.fs.find(site.path, maxdepth=2):
        *_, folder, name = path.split("/")
        if _DAY.fullmatch(folder):
            found.setdefault(folder, set()).add(name)
    return found


def write_slate(warehouse: Warehouse, settings: Settings, day: date, now: datetime) -> dict[str, Any]:
    """Write the pages of a date, and return the slate's path and what is on it."""
    site = open_path(settings.site)
    with _alone(site):
        found = slate.read(warehouse, day, now)
        there = _listing(site)
        others = [date.fromisoformat(d) for d, files in there.items() if INDEX in files and d != f"{day}"]
        made = {
            name: text.encode()
            for name, text in files_of_date(
                found, player.read(warehouse, found), there, **_common(site, warehouse, "../", "", now),
                record=sentences.record(warehouse, day), empty=sentences.why_empty(warehouse, day, found.props),
                before=max((d for d in others if d < day), default=None),
                after=min((d for d in others if d > day), default=None),
            )
        }  # fmt: skip
        replace_folder(site / f"{day}", made)
    best = found.props[found.props["books_ev_shrunk"].notna()].nlargest(10, "books_ev_shrunk")
    return {
        "path": str(site / f"{day}" / INDEX), "bytes": len(made[INDEX]), "files": len(made),
        "bytes_of_files": sum(map(len, made.values())), "best": best, **sentences.counts_of(found.props),
    }  # fmt: skip


@contextmanager
def _alone(site: UPath) -> Iterator[None]:
    """No other process of this machine writes to the site meanwhile: who reads first also writes first."""
    import filelock

    if not isinstance(site, Path):
        yield
        return
    site.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(site / ".lock"):
        yield


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
    named |= {
        "day": found.day,
        "long_day": sentences.long_day(found.day),
        "system": board.SYSTEM,
        "elsewhere": board.ELSEWHERE,
    }
    lined = found.props["line"].notna()
    for market in found.props.loc[lined, "market"].unique():
        yield f"odds-{market}.js", f"nbaProps.odds[{json.dumps(market)}] = {_json(slate.odds(found, market))};\n"
    for player_id, page in player.pages(found, beside):
        name = f"{player_id}.html"
        linked = {g["date"] for g in page["log"] if name in there.get(g["date"], ())}
        yield name, render("site/player.html.jinja", **named, **page, linked=linked, id=player_id)
    asked = [m for m in markets.MARKETS if m.key in set(found.props.loc[lined, "market"])]
    pages = {INDEX: ("Slate", "props", found.props, sentences.of_slate(found))}
    if lined.any():
        pages = {"prices.html": ("Best prices", "sides", found.prices, sentences.of_prices(found)), **pages}
    for name, (title, what, rows, said) in pages.items():
        yield name, render(
            "site/slate.html.jinja", **named, title=title, is_prices=name != INDEX, lines=int(lined.sum()), asked=asked,
            sentences=said, data=_json(slate.data(found, rows, what)) if lined.any() else "",
        )  # fmt: skip


def write_gathered(
    warehouse: Warehouse, settings: Settings, landing: LandingZone, last: date, now: datetime
) -> dict[str, Any]:
    """Write the pages that gather dates: the index, and the record of the season and the health as of ``last``.

    Args:
        warehouse: where the tables are.
        settings: those of the home.
        last: a date that counts; record and health are as of the newest one that has pages.
        landing: the landing zone, whose feeds the page of health judges.
        now: the time by which results and odds are due.
    """
    site = open_path(settings.site)
    with _alone(site):
        last = max([*dates(settings), last])
        first = season_start(last)
        graded = report.graded_rows(warehouse, first, last)
        nights = graded.groupby("market")["game_date"].nunique() if len(graded) else {}
        # with fewer nights there is no interval, and a row in the table of other markets tells as much
        asked = [m.key for m in markets.MARKETS if m.key == POINTS or nights.get(m.key, 0) >= MIN_DATES]
        each = report.read_each(warehouse, first, last, now, frozen(settings), asked, graded)
        common, record = _common(site, warehouse, "../", "", now), {}
        own = {k: v for k, v in common.items() if k not in ("now", "simulated")}  # which the report names itself
        own |= {"base": "site/record.html.jinja", "listed": False, "asked": {m: _record_page(m) for m in asked}}
        for market, found in each.items():
            name = _record_page(market)
            own["here"] = f"record/{name}"
            record[name] = report.page_of(warehouse, first, last, found, **own).encode()
        replace_folder(site / "record", record)
        common |= {"root": "", "here": "health.html"}
        health = _health(common, each[POINTS], feeds_freshness(settings, landing, warehouse, now), last)
        replace(site / "health.html", health.encode(), durable=False)
        listed = write_index(warehouse, settings, now)
    return {**listed, "record": str(site / "record" / INDEX), "markets": len(asked)}


def _record_page(market: str) -> str:
    return INDEX if market == POINTS else f"{market}.html"


def _health(common: Mapping[str, Any], found: report.ReportData, feeds: Mapping[str, Any], last: date) -> str:
    streaks = found.published.streaks.sort_values("game_date")
    return render(
        "site/health.html.jinja", **common, last=last, findings=found.findings, feeds=feeds,
        streak=int(streaks["streak"].iloc[-1]) if len(streaks) else None,
    )  # fmt: skip


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
            {**row, "day": row["game_date"].date(), "words": sentences.long_day(row["game_date"].date())}
            for row in slate.records(rows)
        ],
    )  # fmt: skip
    replace(site / INDEX, text.encode(), durable=False)
    return {"index": str(site / INDEX), "dates": len(known)}


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
