"""The record of The Odds API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from nba_props.domain.book_lines import CLOSE_WITHIN
from nba_props.domain.finding import Finding
from nba_props.domain.games import playable
from nba_props.facts.calendar import EASTERN, game_date_of, parse_day, parse_instant
from nba_props.facts.rhythm import FULL, RHYTHMS
from nba_props.facts.teams import MOST_GAMES
from nba_props.facts.tipoffs import Tipoffs
from nba_props.facts.words import plural
from nba_props.schemas import raw
from nba_props.settings import Live, env_file
from nba_props.sources.answers import UNREACHABLE
from nba_props.sources.base import (
    EXPECTED_FROM,
    Argument,
    Asked,
    Captures,
    Command,
    Feed,
    Fetched,
    FetchJob,
    FirstDay,
    Intake,
    LiveFeeds,
    Moment,
    Nights,
    Odds,
    Option,
    Probe,
    RawTable,
    Stage,
    Step,
    Switch,
)
from nba_props.sources.http import silence
from nba_props.sources.nba_stats.capture import land_schedules
from nba_props.sources.nba_stats.games import games_of
from nba_props.sources.nba_stats.schedule import read_schedule
from nba_props.sources.odds_api import capture, times
from nba_props.sources.odds_api.client import NO_KEY, BudgetExhausted, OddsApiError, open_api
from nba_props.sources.odds_api.landed import folders, landed_days, payloads
from nba_props.sources.odds_api.parse import not_as_landed
from nba_props.sources.odds_api.quotes import read_quotes
from nba_props.sources.payloads import how_old, newest_capture, newest_figure

if TYPE_CHECKING:
    import pandas as pd

#: captures are hourly from ten o'clock Eastern to the last tip-off
MAX_AGE = timedelta(minutes=80)
KEY = (
    "the-odds-api.com sends a key by mail, its free plan has 500 credits a month (as of May 2026): "
    "put ODDS_API_KEY=... into"
)
#: odds captured more recently than this are not bought again
_SAME_CAPTURE = timedelta(hours=1)
#: up to a week before a tip-off
_MINUTES = re.compile(r"[0-9]{1,4}(,[0-9]{1,4}){0,9}")


# -- fetching ---------------------------------------------------------------------------------------------------------


def odds(feeds: LiveFeeds, day: date, tipoff: datetime | None = None, since: datetime | None = None) -> Fetched:
    """Capture the odds of a date's games that have not begun, or of those of one tip-off.

    What was captured at ``since`` or later is not bought again.
    """
    api, live = open_api(feeds.live), feeds.live
    return capture.odds(api, feeds.zone, day, feeds.clock, live.odds_regions, tipoff, since, live.markets)


def odds_history(feeds: LiveFeeds, days: Iterable[date], minutes_before: Sequence[int]) -> Fetched:
    """Buy past dates' odds from the archive, as far as they are not landed and the budget allows.

    When a date's list of games is not available, that is recorded as a failure and the other dates are bought.

    Raises:
        OddsApiError: the account has no access, and nothing was landed.
    """
    api, total, left = open_api(feeds.live), Fetched(), list(days)
    while left:
        day = left.pop(0)
        try:
            total.add(
                capture.history(api, feeds.zone, day, minutes_before, feeds.live.odds_regions, feeds.live.markets)
            )
        except OddsApiError as error:
            has_no_access = error.status in (401, 403)
            if has_no_access and not total.landed:
                raise
            total.failures.append(f"{day}: {error}")
            total.exhausted |= isinstance(error, BudgetExhausted)
            total.silent = UNREACHABLE if error.code == UNREACHABLE else ""
            if has_no_access:
                break
        if total.exhausted or total.silent:
            break
    if total.silent and left:
        total.failures.append(f"{len(left)} more dates were not requested, since the host can't be reached")
    return total


def by_hand(feeds: LiveFeeds, days: Sequence[date], options: Mapping[str, Any]) -> Fetched:
    """Buy the past dates from the archive, and capture the others."""
    today = game_date_of(feeds.clock())
    past = [d for d in days if d < today]
    done = odds_history(feeds, past, options["before"]) if past else Fetched()
    for day in [d for d in days if d >= today]:
        done.add(odds(feeds, day))
    return done


def plan(feeds: LiveFeeds, days: Sequence[date], options: Mapping[str, Any]) -> list[str]:
    """What a fetch by hand requests and costs at most; the schedules that show this are landed first."""
    land_schedules(feeds, days)
    today, live = game_date_of(feeds.clock()), feeds.live
    past = [d for d in days if d < today]
    games = playable(read_schedule(feeds.zone, days).frame)
    count = int(games["game_date"].dt.date.isin(past).sum())
    to_come, snapshots = len(games) - count, len(options["before"])
    price = times.price_of_history(len(past), count, snapshots, live.odds_regions, live.markets)
    to_come_price = times.price_of_capture(to_come, live.odds_regions, live.markets)
    lines = [
        f"plan      {len(past)} past dates, {count} games, {snapshots} snapshots each: at most {price:,} credits"
        f"; {to_come} games of today or later: at most {to_come_price:,} credits"
    ]
    if to_come:
        a_day = sum(_price_of_day(games, d, live) for d in days if d >= today)
        lines.append(
            f"automatic a running daemon captures them for at most {a_day} credits "
            f"(NBA_PROPS_ODDS_RHYTHM={live.odds_rhythm}, regions {live.odds_regions}, "
            f"{plural(len(live.markets), 'market')})"
        )
        before = [m for m in RHYTHMS[live.odds_rhythm].before if m <= CLOSE_WITHIN]
        closes = times.price_of_capture(to_come * len(before), live.odds_regions, live.markets)
        lines.append(
            f"closes    at most {closes:,} of these are for the quotes {' and '.join(map(str, before))} minutes before "
            "each tip-off, the closes that CLV is judged by"
        )
    return [*lines, f"reserve   {live.odds_reserve} credits are never spent (NBA_PROPS_ODDS_RESERVE)"]


def _price_of_day(games: pd.DataFrame, day: date, live: Live) -> int:
    """Credits that a date's captures cost at most, by the games of its schedule."""
    starts = games.loc[[d.date() == day for d in games["game_date"]], "tipoff_at"]
    known = [at.to_pydatetime() for at in starts.dropna()]
    return times.price_of_day(day, known, live.odds_regions, live.odds_rhythm, len(starts) - len(known), live.markets)


def minutes(text: str) -> list[int]:
    """``60,30`` as numbers of minutes.

    Raises:
        ValueError: it is not a list of minutes.
    """
    if not _MINUTES.fullmatch(text):
        raise ValueError(f"{text!r} is not a list of minutes such as 30 or 60,30")
    return [int(m) for m in text.split(",")]


def first_day(at: FirstDay) -> tuple[list[Step], list[str]]:
    """Tonight's odds, where there is a key and a game to begin."""
    if not at.odds:
        return [], []
    if not at.feeds.live.odds_key:
        return [], [
            f"no odds: ODDS_API_KEY is not set. {KEY} {env_file.path()}. Without a line nothing is published as a pick"
        ]
    if at.games is not None and not at.games.to_begin:
        return [], []
    asked, since = MOST_GAMES if at.games is None else at.games.to_begin, at.feeds.clock() - _SAME_CAPTURE
    if at.games and len(capture.captured_since(at.feeds.zone, at.today, since)) >= at.games.today:
        asked = 0  # the list of games is free, and may have one more
    live = at.feeds.live
    credits = times.price_of_capture(asked, live.odds_regions, live.markets)
    return [Step("tonight's odds", 1 + asked, partial(_tonight, at.feeds), credits, Stage.TONIGHT, daily=True)], []


def _tonight(feeds: LiveFeeds) -> Fetched:
    now = feeds.clock()
    games = games_of(feeds.zone, now)
    if games is not None and not games.to_begin:
        return Fetched()
    try:
        return odds(feeds, game_date_of(now), since=now - _SAME_CAPTURE)
    except OddsApiError as error:
        if error.status in (401, 403):
            raise
        return Fetched(failures=[f"odds: {error}"], silent=silence(error))


def by_itself(feeds: LiveFeeds, arguments: Mapping[str, str], nights: Nights) -> Fetched:
    """Capture the games of a date, or those of one tip-off."""
    tipoff = arguments["tipoff"]
    return odds(feeds, parse_day(arguments["day"]), parse_instant(tipoff) if tipoff else None)


def due(live: Live, tonight: Tipoffs, after: datetime, now: datetime) -> list[Asked]:
    """The captures whose instant lies in (after, now]."""
    found = times.due(tonight.day, tonight.known, after, now, live.odds_rhythm, tonight.undecided)
    return [
        Asked(
            f"{d.at.isoformat()}:{d.tipoff or ''}",
            {"day": tonight.day.isoformat(), "tipoff": d.tipoff.isoformat() if d.tipoff else ""},
        )
        for d in found
    ]


def ask(feeds: LiveFeeds) -> str:
    """The credits that are left, by a free request for the games of this instant."""
    api, now = open_api(feeds.live), feeds.clock()
    api.events(now, now)
    left = api.budget.remaining
    credits = "credits left unknown" if left is None else f"{left:,} credits left"
    return f"answers, {credits}, {feeds.live.odds_reserve} of them in reserve"


def freshness(at: Moment) -> Finding:
    """Whether the newest capture of today's games is as recent as the rhythm, from opening to the last tip-off."""
    day = game_date_of(at.now)
    stamps = [newest_capture(at.zone, place) for place in folders(day)]
    newest = max((stamp for stamp in stamps if stamp), default=None)
    if not at.tonight.any_to_begin(at.now) or at.now.astimezone(EASTERN).time() < EXPECTED_FROM:
        return Finding(True, "no capture is expected now", newest_figure(newest), nothing=True)
    limit, rhythm = MAX_AGE, at.live.odds_rhythm
    if rhythm != FULL:
        slack = MAX_AGE - timedelta(hours=1)
        captures = times.captures_of(day, at.tonight.known, rhythm, at.tonight.undecided)
        instants = [d.at for d in captures if d.at <= at.now - slack]
        limit = max(limit, at.now - instants[-1] + slack) if instants else limit
    return how_old(newest, at.now, limit, f"capture of {day}")


# -- the record -------------------------------------------------------------------------------------------------------

FEED = Feed(
    name="the_odds_api",
    title="The Odds API",
    description="Captures of The Odds API, one file per event and instant with one market or several, as delivered.",
    kinds=frozenset({"json"}),
    layout=((r"the_odds_api/player_(points|markets)/\d{4}-\d{2}-\d{2}", ".+"),),
    tables=(
        RawTable(
            raw.ODDS_QUOTES,
            raw.QUARANTINED_QUOTES,
            read_quotes,
            payloads,
            frozenset({Intake.LINES, Intake.FOLLOW}),
            reads={"schedule_rows": raw.SCHEDULE},
        ),
    ),
    switch=Switch(lambda live: bool(live.odds_key), "ODDS_API_KEY is not set", NO_KEY),
    command=Command(
        "odds",
        "Capture today's odds, or buy those of a past SPAN from the archive.\n\n"
        "The plan and its cost are printed first. A landed snapshot is not bought again; spending stops at the "
        "reserve.",
        ("nba-props fetch odds --dry-run", "nba-props fetch odds 2025-11-19..2026-01-10 --before 240,30 --dry-run"),
        by_hand,
        span="optional",
        options=(Option("before", "30", "Past dates: minutes before tip-off, comma-separated.", minutes),),
        plan=plan,
    ),
    job=FetchJob(
        name="capture_odds",
        step="land_odds",
        pool="odds_api",
        description="Odds of games that have not begun, from The Odds API into the landing zone.",
        about="Land the odds of games that have not begun.",
        called="odds",
        run=by_itself,
        arguments=(
            Argument("day", "The date of the games."),
            Argument("tipoff", "Those of one tip-off, an instant; all of the date's without it.", ""),
        ),
        captures=Captures(
            "capture_sensor",
            "Captures odds at opening, hourly, and 60, 30 and 5 minutes before each tip-off; in the thrifty "
            "rhythm at opening and 30 minutes before each.",
            due,
        ),
    ),
    freshness=freshness,
    probe=Probe(ask, "no key", "a key is set", "look up the code at the-odds-api.com, or the network"),
    first_day=first_day,
    news=folders,
    odds=Odds(folders, landed_days, not_as_landed),
)
