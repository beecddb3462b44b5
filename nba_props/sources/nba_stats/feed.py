"""The record of stats.nba.com."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.facts.calendar import EASTERN, game_date_of, parse_day, season_of
from nba_props.facts.calendar import days as dates_between
from nba_props.schemas import raw
from nba_props.sources.base import (
    Argument,
    Command,
    Feed,
    Fetched,
    FetchJob,
    Intake,
    LiveFeeds,
    Moment,
    Nights,
    Option,
    Probe,
    RawTable,
    Timetable,
)
from nba_props.sources.nba_stats import capture
from nba_props.sources.nba_stats.box_scores import read_box_scores
from nba_props.sources.nba_stats.client import HOST, SWITCH, open_api
from nba_props.sources.nba_stats.first_day import first_day
from nba_props.sources.nba_stats.landed import (
    SCHEDULE_FOLDER,
    gamelog_folder,
    newest_schedules,
    roster_folder,
    scoring_folder,
)
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.nba_stats.schedule import read_schedule
from nba_props.sources.nba_stats.scoring_shares import read_scoring
from nba_props.sources.payloads import by_capture, by_prefix, newest_figure
from nba_props.storage.landing import Payload

#: dates whose box scores are fetched again each time: the league corrects them for days
CORRECTED_DAYS = 3

# -- fetching ---------------------------------------------------------------------------------------------------------


def stats(feeds: LiveFeeds, days: Sequence[date], played: Collection[date] = (), *, shot_zones: bool = True) -> Fetched:
    """Land schedule and box scores of some dates and today's roster; shot zones are a request for each game."""
    api, zone, clock = open_api(feeds.live), feeds.zone, feeds.clock
    seasons = sorted({season_of(d) for d in days})
    total = capture.box_scores(api, zone, days, clock, set(played))
    if total.silent:
        # the schedule of the running season has a second source
        total.add(capture.schedule(api, zone, seasons[-1], clock, site=False))
        rest = [*(f"schedule {s}" for s in seasons[:-1]), "rosters", *(["shot zones"] if shot_zones else [])]
        total.failures += [f"{what}: {capture.NOT_ASKED}" for what in rest]
        return total
    for season in seasons:
        total.add(capture.schedule(api, zone, season, clock))
    total.add(capture.roster(api, zone, seasons[-1], clock))
    if shot_zones and not total.silent:
        total.add(capture.shot_zones(api, zone, days, clock))
    return total


def by_hand(feeds: LiveFeeds, days: Sequence[date], options: Mapping[str, Any]) -> Fetched:
    """Land the dates of a command."""
    return stats(feeds, days, shot_zones=options["shot-zones"])


def by_itself(feeds: LiveFeeds, arguments: Mapping[str, str], nights: Nights) -> Fetched:
    """Land some dates, by default the last three; where games were played, no rows are a failure."""
    today = game_date_of(feeds.clock())
    first, last = arguments["first"], arguments["last"]
    start = parse_day(first) if first else today - timedelta(CORRECTED_DAYS)
    end = parse_day(last) if last else today
    return stats(feeds, dates_between(start, end), [d for d in nights(start, end) if d < today])


def ask(feeds: LiveFeeds) -> str:
    """Whether the site answers, by a request for today's roster."""
    open_api(feeds.live).roster(season_of(game_date_of(feeds.clock())))
    return "answers"


def freshness(at: Moment) -> Finding:
    """Whether last night's box scores are landed by nine in the morning, Eastern, and a schedule since the games.

    An unchanged schedule is not landed again, so without games its age means nothing.
    """
    today = game_date_of(at.now)
    yesterday = today - timedelta(1)
    stamps = at.zone.landed_at(SCHEDULE_FOLDER)
    schedules = {Payload(n).captured_at or landed for n, landed in stamps.items() if n.startswith(season_of(today))}
    if not schedules:
        return Finding(False, f"no schedule of {season_of(today)} was landed")
    newest = newest_figure(max(schedules))
    if not at.last_night.games or at.now.astimezone(EASTERN).time() < quality.RESULTS_DUE:
        return Finding(True, "no result is expected now", newest, nothing=True)
    if str(yesterday) not in {n[:10] for n in at.zone.names(gamelog_folder(season_of(yesterday)))}:
        return Finding(False, f"no box scores of {yesterday} were landed, and games were played", newest)
    fresh = max(schedules) > max(at.last_night.latest)
    text = f"box scores of {yesterday} are landed, the schedule {'too' if fresh else 'is older than its games'}"
    return Finding(fresh, text, newest)


# -- the record -------------------------------------------------------------------------------------------------------

_DAY, _SEASON = r"\d{4}-\d{2}-\d{2}", r"\d{4}-\d{2}"
_RESULTS = frozenset({Intake.HISTORY, Intake.PAST, Intake.GRADE})

FEED = Feed(
    name="nba_stats",
    title=HOST,
    description="Payloads of stats.nba.com: game logs, schedules and rosters, as delivered.",
    kinds=frozenset({"json"}),
    layout=(
        (SCHEDULE_FOLDER, _SEASON),
        (gamelog_folder(_SEASON), f"{_DAY}-.+"),
        (scoring_folder(_SEASON), rf"{_DAY}-\d{{10}}"),
        (roster_folder(_SEASON), _DAY),
    ),
    tables=(
        RawTable(
            raw.SCHEDULE,
            raw.QUARANTINED_GAMES,
            read_schedule,
            newest_schedules,
            frozenset({Intake.HISTORY, Intake.GRADE}),
            holds_many_dates=True,
        ),
        RawTable(raw.BOX_SCORES, raw.QUARANTINED_BOX_SCORES, read_box_scores, by_prefix(gamelog_folder), _RESULTS),
        RawTable(raw.SCORING_SHARES, raw.QUARANTINED_SCORING, read_scoring, by_prefix(scoring_folder), _RESULTS),
        RawTable(
            raw.ROSTERS, raw.QUARANTINED_ROSTERS, read_rosters, by_capture(roster_folder), frozenset({Intake.ROSTERS})
        ),
    ),
    switch=SWITCH,
    command=Command(
        "stats",
        "Download schedule, roster, box scores and shot zones of SPAN.\n\n"
        "Box scores are one request for each season and season type, shot zones one for each game.",
        ("nba-props fetch stats 2025-11-19..2026-01-10",),
        by_hand,
        span="needed",
        options=(
            Option(
                "shot-zones",
                default=True,
                help="Also fetch where points came from (for zone_matchup_v1): one request for each game without them.",
            ),
        ),
        overdue="yesterday",
    ),
    job=FetchJob(
        name="fetch_stats",
        step="land_stats",
        pool="nba_stats",
        description="Schedule, roster and box scores, from stats.nba.com into the landing zone.",
        about="Land schedule, roster, box scores and shot zones of past dates.",
        called="box scores",
        run=by_itself,
        arguments=(
            Argument("first", "The first date to ask for; without it, three days ago.", ""),
            Argument("last", "The last date; without it, today.", ""),
        ),
        timetable=Timetable(
            "fetch_results", "0 3,8 * * *", "Schedule, roster, last night's box scores and corrections."
        ),
    ),
    freshness=freshness,
    probe=Probe(ask, "switched off", "switched on", "it blocks many networks: set NBA_API_PROXY"),
    first_day=first_day,
)
