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
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from nba_props import env_file
from nba_props.domain.slate import playable
from nba_props.domain.systems.trained import training_start, week_of
from nba_props.facts.calendar import (
    FINAL,
    SEASON_TYPES,
    game_date_of,
    identity_start,
    last_season_start,
    season_of,
    season_start,
    season_year,
)
from nba_props.facts.calendar import days as dates_between
from nba_props.settings import Live, Settings, SettingsError, project_root
from nba_props.sources import injury_report, nba_stats
from nba_props.sources.feeds import Feeds
from nba_props.sources.http import UNREACHABLE, silence
from nba_props.sources.nba_stats import capture as stats_fetch
from nba_props.sources.nba_stats.client import StatsApi
from nba_props.sources.odds_api import capture
from nba_props.sources.odds_api.capture import Fetched
from nba_props.sources.odds_api.client import OddsApiError
from nba_props.storage.landing import FetchError, LandingError, LandingZone, Payload

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
#: and the one that is proposed for the simulated league beside real data
DEMO_HOME = ".nba_props_demo"


@dataclass(frozen=True)
class Step:
    """One thing to take: requests and credits are the most it can need."""

    name: str
    requests: int
    take: Callable[[], Fetched] = field(repr=False, compare=False)
    credits: int = 0
    #: asked of stats.nba.com, whose silence ends all such steps
    of_site: bool = True
    #: asked for each day anew
    daily: bool = False


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


def require_real(settings: Settings, zone: LandingZone, stored: str | None) -> None:
    """Refuse to bring real data where the simulated league is.

    Args:
        settings: where things are.
        zone: the landing zone.
        stored: what the warehouse holds, REAL, SIMULATED or nothing.

    Raises:
        SettingsError: it is there; the message has the one line to type.
    """
    if not (zone.exists() and zone.is_simulated) and stored != "SIMULATED":
        return
    what = f"{settings.home if settings.gcp is None else zone.root} holds the simulated league, and real data needs"
    if settings.gcp is not None:
        raise SettingsError(
            f"{what} a bucket and datasets of its own: set NBA_PROPS_BUCKET and NBA_PROPS_DATASET_PREFIX"
        )
    own = [f"NBA_PROPS_HOME={_free_home()}", *(["NBA_PROPS_LANDING="] if os.environ.get("NBA_PROPS_LANDING") else [])]
    exported = any(os.environ.get(n) and not env_file.names(n) for n in ("NBA_PROPS_HOME", "NBA_PROPS_LANDING"))
    line = f"export {' '.join(map(shlex.quote, own))}" if exported else env_file.adding(*own)
    raise SettingsError(f"{what} a home of its own. Type: {line}   and then: {COMMAND}")


def require_simulated(settings: Settings, zone: LandingZone, stored: str | None) -> None:
    """Refuse to simulate a league where real data is, or is meant to be; the arguments are those of
    :func:`require_real`.

    Raises:
        SettingsError: the home holds real data, or has none and is named by .env or for feeds; the message has the one
            line to type.
    """
    simulated = zone.exists() and zone.is_simulated
    filled = zone.exists() and not simulated and any(Path(zone.root).iterdir())
    if filled or stored == "REAL":
        what = f"{settings.home} holds real data"
    elif (
        not simulated
        and os.environ.get("NBA_PROPS_HOME")
        and (env_file.names("NBA_PROPS_HOME") or settings.live.stats or settings.live.odds_key)
    ):
        what = f"{settings.home} is named for real data{' in .env' if env_file.names('NBA_PROPS_HOME') else ''}"
    else:
        return
    own = shlex.quote(f"NBA_PROPS_HOME={project_root() / DEMO_HOME}")
    raise SettingsError(f"{what}, and the simulated league needs a home of its own. Type: {own} nba-props demo")


def _free_home() -> Path:
    """A home for real data that no simulated league has taken."""
    names = (f"{_REAL_HOME}{f'_{n}' if n > 1 else ''}" for n in count(1))
    homes = (env_file.path().with_name(name) for name in names)
    return next(h for h in homes if not LandingZone(str(h / "landing")).is_simulated)


def switched_off(settings: Settings) -> str:
    """Why nothing can be fetched, with the line to type; empty where it can."""
    if settings.live.stats:
        return ""
    return (
        "NBA_PROPS_STATS is off, and schedule and box scores come from stats.nba.com alone. "
        f"Type: {env_file.adding('NBA_PROPS_STATS=on')}   and then: {COMMAND}"
    )


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
    feeds.require_real()
    zone, now = feeds.zone, feeds.clock()
    today = game_date_of(now)
    api, start = feeds.stats_api(), season_start(today)
    games = games_of(zone, now)
    steps = [Step(f"schedule {season_of(today)}", 1, partial(_schedule_of, feeds, api, season_of(today)), daily=True)]
    notes = []
    if odds and feeds.live.odds_key:
        if games is None or games.to_begin:
            asked = capture.MOST_GAMES if games is None else games.to_begin
            if games and len(capture.captured_since(zone, today, now - _SAME_CAPTURE)) >= games.today:
                asked = 0  # the list of games is free, and may have one more
            credits = capture.price_of_capture(asked, feeds.live.odds_regions)
            steps.append(Step("tonight's odds", 1 + asked, partial(_odds, feeds), credits, of_site=False, daily=True))
    elif odds:
        notes.append(
            f"no odds: ODDS_API_KEY is not set. {KEY} {env_file.path()}. Without a line nothing is published as a pick"
        )
    if games is None or games.to_begin:
        most = len(injury_report.report_instants(now))
        steps.append(Step("injury report", most, feeds.injuries, of_site=False, daily=True))
    if not _has_roster(zone, today):
        rosters = partial(stats_fetch.roster, api, zone, season_of(today), feeds.clock)
        steps.append(Step("rosters", 1, rosters, daily=True))
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


def lacking(settings: Settings, feeds: Feeds) -> list[str]:
    """What a first prediction needs and is not landed, by the names of its steps; what is asked for daily apart."""
    return [step.name for step in plan(settings, feeds, odds=False).steps if not step.daily]


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
    """Take the steps in order; ``before`` hears of each. When stats.nba.com is silent, it is asked for nothing more;
    what is wrong with one answer costs the others nothing.

    Raises:
        FetchError: the running season's schedule can't be had, or the key of The Odds API is refused.
    """
    silent = False
    for step in steps:
        if silent and step.of_site:
            yield step, Fetched(failures=[f"{step.name}: {stats_fetch.NOT_ASKED}"])
            continue
        before(step)
        done = step.take()
        silent |= step.of_site and bool(done.silent)
        yield step, done


def _schedule_of(feeds: Feeds, api: StatsApi, season: str, *, vital: bool = True) -> Fetched:
    done = stats_fetch.schedule(api, feeds.zone, season, feeds.clock)
    if vital and not _has_schedule(feeds.zone, season):
        raise FetchError("NO_SCHEDULE", f"{done.failures[0]}. {_way_out(done.silent)}")
    return done


def _way_out(silent: str) -> str:
    """What to do about a schedule that can't be had."""
    if silent == UNREACHABLE:
        return f"Type `{COMMAND}` again once it is"
    return f"Set NBA_API_PROXY, or type `{COMMAND}` again later" if silent else f"Type `{COMMAND}` again later"


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
        return Fetched(failures=[f"odds: {error}"], silent=silence(error))


def _box_scores(feeds: Feeds, api: StatsApi, first: date, today: date) -> Fetched:
    """The season's game logs from the first date that has none to the last; none without its schedule."""
    missing = unlanded(feeds.zone, first, today)
    if missing is None:
        season = season_of(first)
        why = "can't be read" if _has_schedule(feeds.zone, season) else "is not there"
        return Fetched(failures=[f"box scores {season}: not asked for, the season's schedule {why}"])
    if not missing:
        return Fetched()
    return stats_fetch.box_scores(api, feeds.zone, missing, feeds.clock, missing)


def _shot_zones(feeds: Feeds, api: StatsApi, first: date, today: date) -> Fetched:
    landed = nba_stats.landed_box_score_days(feeds.zone, first, today)
    return stats_fetch.shot_zones(api, feeds.zone, landed, feeds.clock) if landed else Fetched()
