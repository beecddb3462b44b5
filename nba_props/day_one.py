"""The first day with live feeds: what a first prediction needs, what that costs, and taking it.

What is landed is not asked for again, so that it goes on where it was stopped. The plan is made of what the landing
zone has: before the first schedule is there it says what can be asked for at most.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from nba_props import env_file
from nba_props.domain.calendar import (
    FINAL,
    SEASON_TYPES,
    game_date_of,
    identity_start,
    last_season_start,
    season_of,
    season_start,
    season_year,
)
from nba_props.domain.calendar import days as dates_between
from nba_props.domain.slate import playable
from nba_props.domain.systems.trained import training_start, week_of
from nba_props.settings import Live, Settings, SettingsError
from nba_props.sources import capture, injury_report, nba_stats, stats_fetch
from nba_props.sources.capture import Fetched
from nba_props.sources.feeds import Feeds
from nba_props.sources.landing import FetchError, LandingError, LandingZone, Payload
from nba_props.sources.odds_client import OddsApiError
from nba_props.sources.stats_client import StatsApi

if TYPE_CHECKING:
    import pandas as pd

COMMAND = "nba-props start"
KEY = (
    "the-odds-api.com sends a key by mail, its free plan has 500 credits a month (as of May 2026): "
    "put ODDS_API_KEY=... into"
)
#: a request to stats.nba.com with its pause
_SECONDS = 5
#: training on three seasons and predicting a slate, measured on two cores
WORK_MINUTES = 3
#: odds that were captured so lately are not bought again
_SAME_CAPTURE = timedelta(hours=1)
#: the home that is proposed beside one with a simulated league
_REAL_HOME = ".nba_props_real"


@dataclass(frozen=True)
class Step:
    """One thing to take: requests and credits are the most it can need."""

    name: str
    requests: int
    take: Callable[[], Fetched] = field(repr=False, compare=False)
    credits: int = 0
    #: asked of stats.nba.com, whose silence ends all such steps
    of_site: bool = True


@dataclass(frozen=True)
class Plan:
    """What a first prediction still needs, in order, and what is left out, in words."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """Requests at most."""
        return sum(step.requests for step in self.steps)

    @property
    def credits(self) -> int:
        """Credits of The Odds API at most."""
        return sum(step.credits for step in self.steps)

    @property
    def minutes(self) -> int:
        """Minutes that the requests may take, at least one."""
        return max(1, round(self.requests * _SECONDS / 60))


@dataclass(frozen=True)
class Games:
    """The games of a date, those of them that have not begun, and the next date after it with games."""

    today: int
    to_begin: int
    next_day: date | None


# -- what is there ----------------------------------------------------------------------------------------------------


def refusal(settings: Settings, zone: LandingZone, stored: str | None) -> str | None:
    """Why nothing can be started here, with the one line to type; None where it can.

    Args:
        settings: where things are, and which feeds are on.
        zone: the landing zone.
        stored: what the warehouse holds, REAL, SIMULATED or nothing.
    """
    file = env_file.path()
    if (zone.exists() and zone.is_simulated) or stored == "SIMULATED":
        what = f"{settings.home if settings.gcp is None else zone.root} holds the simulated league, and real data needs"
        if settings.gcp is not None:
            return f"{what} a bucket and datasets of its own: set NBA_PROPS_BUCKET and NBA_PROPS_DATASET_PREFIX"
        if os.environ.get("NBA_PROPS_HOME") or os.environ.get("NBA_PROPS_LANDING"):
            return f"{what} a home of its own: set NBA_PROPS_HOME to another folder, and NBA_PROPS_LANDING to none"
        line = shlex.quote(f"NBA_PROPS_HOME={file.with_name(_REAL_HOME)}")
        return f"{what} a home of its own. Type: echo {line} >> {shlex.quote(str(file))}"
    if not settings.live.stats:
        line = f"echo NBA_PROPS_STATS=on >> {shlex.quote(str(file))}"
        return f"NBA_PROPS_STATS is off, and schedule and box scores come from stats.nba.com alone. Type: {line}"
    return None


def past_seasons(day: date, settings: Settings) -> list[date]:
    """The first date of each past season that models or identities of a date read, newest first.

    Models learn from ``NBA_PROPS_TRAINING_SEASONS`` seasons, and who met whom counts from the one before them on.
    """
    learned = last_season_start(training_start(week_of(day), settings.training_seasons))
    first = max(min(learned, identity_start(day)), settings.first_date)
    return [date(year, 10, 1) for year in range(season_year(day) - 1, season_year(first) - 1, -1)]


def unlanded(zone: LandingZone, first: date, today: date) -> list[date] | None:
    """The dates of the season that begins on ``first`` whose games are over and have no game log; None without a
    schedule to tell.
    """
    days = dates_between(first, min(today - timedelta(1), first + timedelta(364)))
    games = _schedule(zone, days or [first])
    if games is None:
        return None
    played = {d.date() for d in games.loc[games["status"] == FINAL, "game_date"]} if len(games) else set()
    return sorted(played - set(nba_stats.landed_box_score_days(zone, first, today))) if days else []


def games_of(zone: LandingZone, now: datetime) -> Games | None:
    """What the landed schedule says of the date of an instant; None without one."""
    today = game_date_of(now)
    games = _schedule(zone, dates_between(today, season_start(today) + timedelta(364)))
    if games is None:
        return None
    tonight = games[[d.date() == today for d in games["game_date"]]]
    later = [d.date() for d in games["game_date"] if d.date() > today]
    begun = sum(at.to_pydatetime() <= now for at in tonight["tipoff_at"].dropna()) if len(tonight) else 0
    return Games(len(tonight), len(tonight) - begun, min(later, default=None))


def _schedule(zone: LandingZone, days: Sequence[date]) -> pd.DataFrame | None:
    try:
        return playable(nba_stats.read_schedule(zone, days).frame) if zone.exists() else None
    except LandingError:
        return None


def land_schedules(feeds: Feeds, days: Sequence[date]) -> Fetched:
    """Land the schedules of the dates' seasons that are not landed, where stats.nba.com may be asked.

    Raises:
        LandingError: it may not, or does not answer; the message names the command that brings them.
    """
    done, zone = Fetched(), feeds.zone
    for season in sorted({season_of(d) for d in days}):
        if _has_schedule(zone, season):
            continue
        if not feeds.live.stats:
            raise LandingError(
                f"no schedule of the season {season} is landed, so that nobody knows which games there are: "
                f"`{COMMAND}` brings it, with NBA_PROPS_STATS=on"
            )
        done.add(stats_fetch.schedule(feeds.stats_api(), zone, season, feeds.clock))
        if not _has_schedule(zone, season):
            raise FetchError("NO_SCHEDULE", done.failures[-1])
    return done


def _has_schedule(zone: LandingZone, season: str) -> bool:
    return zone.exists() and any(p.subject == season for p in zone.list(nba_stats.SCHEDULE_FOLDER))


# -- the plan ---------------------------------------------------------------------------------------------------------


def plan(settings: Settings, feeds: Feeds, *, shot_zones: bool = False, odds: bool = True) -> Plan:
    """What is still to be taken for a first prediction of today; nothing is asked.

    Args:
        settings: seasons and feeds.
        feeds: what is asked, and the landing zone that says what is there.
        shot_zones: and where the points of this season's games came from, a request for each game.
        odds: and tonight's odds, where there is a key.
    """
    zone, now = feeds.zone, feeds.clock()
    today = game_date_of(now)
    api, start = feeds.stats_api(), season_start(today)
    games = games_of(zone, now)
    steps = [Step(f"schedule {season_of(today)}", 1, partial(_schedule_of, feeds, api, season_of(today)))]
    notes = []
    if odds and feeds.live.odds_key:
        if games is None or games.to_begin:
            asked = capture.MOST_GAMES if games is None else games.to_begin
            if games and len(capture.captured_since(zone, today, now - _SAME_CAPTURE)) >= games.today:
                asked = 0  # the list of games is free, and may have one more
            credits = capture.price_of_capture(asked, feeds.live.odds_regions)
            steps.append(Step("tonight's odds", 1 + asked, partial(_odds, feeds), credits, of_site=False))
    elif odds:
        notes.append(
            f"no odds: ODDS_API_KEY is not set. {KEY} {env_file.path()}. Without a line nothing is published as a bet"
        )
    if games is None or games.to_begin:
        most = len(injury_report.report_instants(now))
        steps.append(Step("injury report", most, feeds.injuries, of_site=False))
    if not _has_roster(zone, today):
        steps.append(Step("rosters", 1, partial(stats_fetch.roster, api, zone, season_of(today), feeds.clock)))
    for first in [start, *past_seasons(today, settings)]:
        season, missing = season_of(first), unlanded(zone, first, today)
        if first < start and not _has_schedule(zone, season):
            steps.append(Step(f"schedule {season}", 1, partial(_schedule_of, feeds, api, season, vital=False)))
        if missing is None or missing:
            name = f"box scores {season}"
            steps.append(Step(name, _types(first), partial(_box_scores, feeds, api, first, today)))
    wanted, unknown = _without_zones(zone, start, today)
    if shot_zones and (wanted or unknown):
        most = capture.MOST_GAMES * (today - start).days if unknown else wanted
        steps.append(Step("shot zones", most, partial(_shot_zones, feeds, api, start, today)))
    elif wanted or unknown:
        notes.append(
            f"no shot zones: a request for each game of this season{f', {wanted} by now' if wanted else ''}, which "
            "--shot-zones takes; zone_matchup_v1 and the models go without"
        )
    return Plan(tuple(steps), tuple(notes))


def _types(first: date) -> int:
    """Requests for a season's box scores: one for each season type that counts."""
    return sum(t.counts and t.since <= season_year(first) for t in SEASON_TYPES)


def _has_roster(zone: LandingZone, today: date) -> bool:
    return zone.exists() and bool(nba_stats.landed_roster_days(zone, today, today))


def _without_zones(zone: LandingZone, first: date, today: date) -> tuple[int, bool]:
    """Played games of a season without shot zones, and whether that is unknown for want of a schedule."""
    games = _schedule(zone, dates_between(first, today))
    if games is None:
        return 0, True
    played = games.loc[games["status"] == FINAL, "game_id"] if len(games) else []
    landed = {Payload(n).subject[11:] for n in zone.names(nba_stats.scoring_folder(season_of(first)))}
    return len(set(played) - landed), False


def told(plan: Plan, live: Live) -> list[str]:
    """The plan as lines to print, one a step, with what it needs at most."""
    lines = [f"plan      {plan.requests} requests at most, about {plan.minutes} min; {plan.credits} credits at most"]
    for step in plan.steps:
        credits = f", {step.credits} credits" if step.credits else ""
        lines.append(f"          {step.name}: {step.requests} request{'s' if step.requests > 1 else ''}{credits}")
    lines.append(f"then      models and prediction, about {WORK_MINUTES} min")
    if live.odds_key:
        lines.append(f"reserve   {live.odds_reserve} credits are never spent (NBA_PROPS_ODDS_RESERVE)")
    return [*lines, *(f"note      {text}" for text in plan.notes)]


def account(step: Step, done: Fetched) -> str:
    """What came of a step, in words."""
    credits = f", {done.credits} credits" if done.credits else ""
    left = f", {done.remaining:,} left" if done.remaining is not None else ""
    present = f", {done.present} landed before" if done.present else ""
    payloads = "1 payload" if len(done.landed) == 1 else f"{len(done.landed)} payloads"
    return f"{step.name}: {payloads}{present}{credits}{left}"


def waiting(games: Games | None, today: date) -> list[str]:
    """What to say of a day with nothing to predict."""
    none = f"all games of {today} have begun" if games and games.today else f"nobody plays on {today}"
    if games is None or games.next_day is None:
        return [f"today     {none}, and the schedule has no later game: type `{COMMAND}` again when the season begins"]
    return [
        f"today     {none}: what was landed is taken in",
        f"next      games on {games.next_day}: type `{COMMAND}` that day, or leave `nba-props dev` running",
    ]


def price_of_day(games: pd.DataFrame, day: date, regions: str, rhythm: str) -> int:
    """Credits that a date's captures cost at most, by the games of its schedule."""
    starts = games.loc[[d.date() == day for d in games["game_date"]], "tipoff_at"]
    known = [at.to_pydatetime() for at in starts.dropna()]
    return capture.price_of_day(day, known, regions, rhythm, undecided=len(starts) - len(known))


# -- taking -----------------------------------------------------------------------------------------------------------


def take(steps: Sequence[Step], before: Callable[[Step], None]) -> Iterator[tuple[Step, Fetched]]:
    """Take the steps in order; ``before`` hears of each. When stats.nba.com is silent, it is asked for nothing more.

    Raises:
        FetchError: the running season's schedule can't be had, or the key of The Odds API is refused.
    """
    silent = False
    for step in steps:
        if silent and step.of_site:
            yield step, Fetched(failures=[f"{step.name}: not asked for, stats.nba.com does not answer"])
            continue
        before(step)
        done = step.take()
        silent |= step.of_site and bool(done.failures) and not done.landed and not done.present
        yield step, done


def _schedule_of(feeds: Feeds, api: StatsApi, season: str, *, vital: bool = True) -> Fetched:
    done = stats_fetch.schedule(api, feeds.zone, season, feeds.clock)
    if vital and not _has_schedule(feeds.zone, season):
        raise FetchError("NO_SCHEDULE", f"{done.failures[0]}. Set NBA_API_PROXY, or type `{COMMAND}` again later")
    return done


def _odds(feeds: Feeds) -> Fetched:
    now = feeds.clock()
    games = games_of(feeds.zone, now)
    if games is not None and not games.to_begin:
        return Fetched()
    try:
        return feeds.odds(game_date_of(now), since=now - _SAME_CAPTURE)
    except OddsApiError as error:
        if error.status in (401, 403):
            raise
        return Fetched(failures=[f"odds: {error}"])


def _box_scores(feeds: Feeds, api: StatsApi, first: date, today: date) -> Fetched:
    """The season's game logs from the first date that has none to the last; none without its schedule."""
    missing = unlanded(feeds.zone, first, today)
    if missing is None:
        return Fetched(failures=[f"box scores {season_of(first)}: not asked for, the season has no schedule"])
    if not missing:
        return Fetched()
    return stats_fetch.box_scores(api, feeds.zone, missing, feeds.clock, missing)


def _shot_zones(feeds: Feeds, api: StatsApi, first: date, today: date) -> Fetched:
    landed = nba_stats.landed_box_score_days(feeds.zone, first, today)
    return stats_fetch.shot_zones(api, feeds.zone, landed, feeds.clock) if landed else Fetched()


def require(settings: Settings, zone: LandingZone, stored: str | None) -> None:
    """Raise :class:`SettingsError` with the one line to type where nothing can be started."""
    if why := refusal(settings, zone, stored):
        raise SettingsError(f"{why}   and then: {COMMAND}")
