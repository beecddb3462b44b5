"""The first day with live feeds: what a first prediction needs, what it costs, and fetching it.

Landed payloads are not requested again, so a stopped start continues where it was. The plan depends on the landing
zone: before the first schedule is landed, its numbers are upper bounds.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from nba_props.facts.calendar import game_date_of
from nba_props.facts.vocabulary import League
from nba_props.settings import Live, Settings, SettingsError, env_file, project_root
from nba_props.sources import registry
from nba_props.sources.base import START, Feed, Fetched, FirstDay, Games, LiveFeeds, Step
from nba_props.sources.http import not_asked
from nba_props.sources.nba_stats.games import games_of
from nba_props.storage.landing import LandingZone

COMMAND = START
#: seconds of a request to stats.nba.com with its pause
_SECONDS = 5
#: minutes to train on three seasons and predict a slate, measured on two cores
WORK_MINUTES = 3
#: the home to propose for real data beside a simulated league
_REAL_HOME = ".nba_props_real"
#: the home to propose for a simulated league beside real data
DEMO_HOME = ".nba_props_demo"


@dataclass(frozen=True)
class Plan:
    """The steps that a first prediction still needs, in order, and notes on what is left out."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """The most requests."""
        return sum(step.requests for step in self.steps)

    @property
    def credits(self) -> int:
        """The most credits of The Odds API."""
        return sum(step.credits for step in self.steps)

    @property
    def minutes(self) -> int:
        """The minutes that the requests may take, at least one."""
        return max(1, round(self.requests * _SECONDS / 60))


# -- what is there ----------------------------------------------------------------------------------------------------


def require_real(settings: Settings, zone: LandingZone, stored: str | None) -> None:
    """Refuse to load real data into a home with the simulated league.

    Args:
        settings: the settings with the home.
        zone: the landing zone.
        stored: what the warehouse holds: REAL, SIMULATED or nothing.

    Raises:
        SettingsError: the home has the simulated league; the message has the line to type.
    """
    if not (zone.exists() and zone.is_simulated) and stored != League.SIMULATED:
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
    """Refuse to simulate a league in a home for real data; the arguments are those of :func:`require_real`.

    Raises:
        SettingsError: the home holds real data, or is meant to: it is set in .env, or feeds are on; the message has the
            line to type.
    """
    simulated = zone.exists() and zone.is_simulated
    filled = zone.exists() and not simulated and any(Path(zone.root).iterdir())
    if filled or stored == League.REAL:
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
    """A home for real data that has no simulated league."""
    names = (f"{_REAL_HOME}{f'_{n}' if n > 1 else ''}" for n in count(1))
    homes = (env_file.path().with_name(name) for name in names)
    return next(h for h in homes if not LandingZone(str(h / "landing")).is_simulated)


def switched_off(settings: Settings) -> str:
    """Why nothing can be fetched, with the line to type; empty if it can."""
    if settings.live.stats:
        return ""
    return (
        "NBA_PROPS_STATS is off, and schedule and box scores come from stats.nba.com alone. "
        f"Type: {env_file.adding('NBA_PROPS_STATS=on')}   and then: {COMMAND}"
    )


# -- the plan ---------------------------------------------------------------------------------------------------------


def plan(settings: Settings, feeds: LiveFeeds, *, shot_zones: bool = False, odds: bool = True) -> Plan:
    """What is still to be fetched for a first prediction of today; makes no request.

    Args:
        settings: seasons and feeds.
        feeds: the live feeds, with the landing zone.
        shot_zones: also fetch where the points of this season's games came from, a request for each game.
        odds: also fetch tonight's odds, if there is a key.
    """
    feeds.require_real()
    now = feeds.clock()
    question = FirstDay(feeds, settings, game_date_of(now), games_of(feeds.zone, now), odds, shot_zones)
    steps: list[Step] = []
    notes: list[str] = []
    for feed in registry.feeds():
        if feed.first_day is not None:
            own, remarks = feed.first_day(question)
            steps += [replace(step, take=partial(_fetch, feed, feeds, step)) for step in own]
            notes += remarks
    return Plan(tuple(sorted(steps, key=lambda step: step.stage)), tuple(notes))


def _fetch(feed: Feed, feeds: LiveFeeds, step: Step) -> Fetched:
    feed.require(feeds)
    return step.take()


def lacking(settings: Settings, feeds: LiveFeeds) -> list[str]:
    """The names of the steps that a first prediction still needs, except those that are fetched daily."""
    return [step.name for step in plan(settings, feeds, odds=False).steps if not step.daily]


def plan_lines(plan: Plan, live: Live) -> list[str]:
    """The plan as lines to print, one for each step with its most requests and credits."""
    lines = [f"plan      {plan.requests} requests at most, about {plan.minutes} min; {plan.credits} credits at most"]
    for step in plan.steps:
        credits = f", {step.credits} credits" if step.credits else ""
        lines.append(f"          {step.name}: {step.requests} request{'s' if step.requests > 1 else ''}{credits}")
    lines.append(f"then      models and prediction, about {WORK_MINUTES} min")
    if live.odds_key:
        lines.append(f"reserve   {live.odds_reserve} credits are never spent (NBA_PROPS_ODDS_RESERVE)")
    return [*lines, *(f"note      {text}" for text in plan.notes)]


def account(step: Step, done: Fetched) -> str:
    """The result of a step in one line."""
    credits = f", {done.credits} credits" if done.credits else ""
    left = f", {done.remaining:,} left" if done.remaining is not None else ""
    present = f", {done.present} landed before" if done.present else ""
    payloads = "1 payload" if len(done.landed) == 1 else f"{len(done.landed)} payloads"
    return f"{step.name}: {payloads}{present}{credits}{left}"


def waiting(games: Games | None, today: date) -> list[str]:
    """The lines to print on a day with nothing to predict."""
    none = nothing_to_predict(games, today)
    if games is None or games.next_day is None:
        return [f"today     {none}, and the schedule has no later game: type `{COMMAND}` again when the season begins"]
    return [
        f"today     {none}: what was landed is loaded",
        f"next      games on {games.next_day}: type `{COMMAND}` that day, or leave `nba-props dev` running",
    ]


def nothing_to_predict(games: Games | None, today: date) -> str:
    """Why there is nothing to predict: no games today, or all of them have begun."""
    return f"all games of {today} have begun" if games and games.today else f"no games on {today}"


# -- fetching ---------------------------------------------------------------------------------------------------------


def fetch(steps: Sequence[Step], before: Callable[[Step], None]) -> Iterator[tuple[Step, Fetched]]:
    """Fetch the steps in order, and yield each with its result; ``before`` is called before each.

    A host that fails to answer gets no more requests; any other failure affects its own step only.

    Raises:
        FetchError: the current season's schedule is not available, or the key of The Odds API is refused.
    """
    silent: set[str] = set()
    for step in steps:
        if step.host in silent:
            yield step, Fetched(failures=[f"{step.name}: {not_asked(step.host)}"])
            continue
        before(step)
        done = step.take()
        if done.silent and step.host:
            silent.add(step.host)
        yield step, done
