"""What a first prediction needs from stats.nba.com: schedules, rosters, seasons of box scores, shot zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

from nba_props.domain.models.card import training_start, week_of
from nba_props.facts.calendar import (
    SEASON_TYPES,
    identity_start,
    last_season_start,
    season_of,
    season_start,
    season_year,
)
from nba_props.facts.teams import MOST_GAMES
from nba_props.settings import Settings
from nba_props.sources.answers import UNREACHABLE
from nba_props.sources.base import START, Fetched, FirstDay, LiveFeeds, Stage, Step
from nba_props.sources.http import FetchError
from nba_props.sources.nba_stats import capture
from nba_props.sources.nba_stats.client import HOST, StatsApi, open_api
from nba_props.sources.nba_stats.games import has_schedule, unlanded, without_zones
from nba_props.sources.nba_stats.landed import landed_box_score_days, landed_roster_days


def past_seasons(day: date, settings: Settings) -> list[date]:
    """The first date of each past season that a date's models or identities need, newest first.

    Models are trained on ``NBA_PROPS_TRAINING_SEASONS`` seasons, whose features look back one season more.
    """
    learned = last_season_start(training_start(week_of(day), settings.training_seasons))
    first = max(min(learned, identity_start(day)), settings.first_date)
    return [date(year, 10, 1) for year in range(season_year(day) - 1, season_year(first) - 1, -1)]


def first_day(at: FirstDay) -> tuple[list[Step], list[str]]:
    """Schedule, roster, the seasons that are read, and shot zones if wanted, as far as they are missing."""
    zone, api, start = at.feeds.zone, open_api(at.feeds.live), season_start(at.today)
    season = season_of(at.today)
    take = partial(_schedule, at.feeds, api, season)
    steps = [Step(f"schedule {season}", 1, take, stage=Stage.SCHEDULE, host=HOST, daily=True)]
    if not (zone.exists() and landed_roster_days(zone, at.today, at.today)):
        rosters = partial(capture.roster, api, zone, season, at.feeds.clock)
        steps.append(Step("rosters", 1, rosters, host=HOST, daily=True))
    for first in [start, *past_seasons(at.today, at.settings)]:
        steps += _season(at, api, first)
    wanted, unknown = without_zones(zone, start, at.today)
    if not (wanted or unknown):
        return steps, []
    if not at.shot_zones:
        return steps, [
            f"no shot zones: a request for each game of this season{f', {wanted} by now' if wanted else ''}, which "
            "--shot-zones makes; zone_matchup_v1 and the models do without"
        ]
    most = MOST_GAMES * (at.today - start).days if unknown else wanted
    return [*steps, Step("shot zones", most, partial(_shot_zones, at.feeds, api, start, at.today), host=HOST)], []


def _season(at: FirstDay, api: StatsApi, first: date) -> Iterator[Step]:
    """What is missing of the season that begins on a date; a past one needs its schedule before its box scores."""
    season, missing = season_of(first), unlanded(at.feeds.zone, first, at.today)
    if first < season_start(at.today) and not has_schedule(at.feeds.zone, season):
        take = partial(_schedule, at.feeds, api, season, vital=False)
        yield Step(f"schedule {season}", 1, take, host=HOST)
    if missing is None or missing:
        take = partial(_box_scores, at.feeds, api, first, at.today)
        types = sum(t.counts and t.since <= season_year(first) for t in SEASON_TYPES)
        yield Step(f"box scores {season}", types, take, host=HOST)


def _schedule(feeds: LiveFeeds, api: StatsApi, season: str, *, vital: bool = True) -> Fetched:
    done = capture.schedule(api, feeds.zone, season, feeds.clock)
    if vital and not has_schedule(feeds.zone, season):
        raise FetchError("NO_SCHEDULE", f"{done.failures[0]}. {_remedy(done.silent)}")
    return done


def _remedy(silent: str) -> str:
    """What to do about a schedule that is not available."""
    if silent == UNREACHABLE:
        return f"Type `{START}` again once it is"
    return f"Set NBA_API_PROXY, or type `{START}` again later" if silent else f"Type `{START}` again later"


def _box_scores(feeds: LiveFeeds, api: StatsApi, first: date, today: date) -> Fetched:
    """Land the season's game logs from the first date without one to the last; nothing without its schedule."""
    missing = unlanded(feeds.zone, first, today)
    if missing is None:
        season = season_of(first)
        why = "can't be read" if has_schedule(feeds.zone, season) else "is missing"
        return Fetched(failures=[f"box scores {season}: not requested, the season's schedule {why}"])
    if not missing:
        return Fetched()
    return capture.box_scores(api, feeds.zone, missing, feeds.clock, missing)


def _shot_zones(feeds: LiveFeeds, api: StatsApi, first: date, today: date) -> Fetched:
    landed = landed_box_score_days(feeds.zone, first, today)
    return capture.shot_zones(api, feeds.zone, landed, feeds.clock) if landed else Fetched()
