"""The first day with live feeds: what a first prediction needs, what that costs, and taking it.

What is landed is not asked for again, so that it goes on where it was stopped. The plan is made of what the landing
zone has: before the first schedule is there it says what can be asked for at most.
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
#: a request to stats.nba.com with its pause
_SECONDS = 5
#: training on three seasons and predicting a slate, measured on two cores
WORK_MINUTES = 3
#: the home that is proposed beside one with a simulated league
_REAL_HOME = ".nba_props_real"
#: and the one that is proposed for the simulated league beside real data
DEMO_HOME = ".nba_props_demo"


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
    """Refuse to simulate a league where real data is, or is meant to be; the arguments are those of
    :func:`require_real`.

    Raises:
        SettingsError: the home holds real data, or has none and is named by .env or for feeds; the message has the one
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


# -- the plan ---------------------------------------------------------------------------------------------------------


def plan(settings: Settings, feeds: LiveFeeds, *, shot_zones: bool = False, odds: bool = True) -> Plan:
    """What is still to be taken for a first prediction of today; nothing is asked.

    Args:
        settings: seasons and feeds.
        feeds: what is asked, and the landing zone that says what is there.
        shot_zones: and where the points of this season's games came from, a request for each game.
        odds: and tonight's odds, where there is a key.
    """
    feeds.require_real()
    now = feeds.clock()
    question = FirstDay(feeds, settings, game_date_of(now), games_of(feeds.zone, now), odds, shot_zones)
    steps: list[Step] = []
    notes: list[str] = []
    for feed in registry.feeds():
        if feed.first_day is not None:
            own, said = feed.first_day(question)
            steps += [replace(step, take=partial(_take, feed, feeds, step)) for step in own]
            notes += said
    return Plan(tuple(sorted(steps, key=lambda step: step.stage)), tuple(notes))


def _take(feed: Feed, feeds: LiveFeeds, step: Step) -> Fetched:
    feed.require(feeds)
    return step.take()


def lacking(settings: Settings, feeds: LiveFeeds) -> list[str]:
    """What a first prediction needs and is not landed, by the names of its steps; what is asked for daily apart."""
    return [step.name for step in plan(settings, feeds, odds=False).steps if not step.daily]


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


# -- taking -----------------------------------------------------------------------------------------------------------


def take(steps: Sequence[Step], before: Callable[[Step], None]) -> Iterator[tuple[Step, Fetched]]:
    """Take the steps in order; ``before`` is called with each. A host that is silent is asked for nothing more; what is
    wrong with one answer costs the others nothing.

    Raises:
        FetchError: the running season's schedule can't be had, or the key of The Odds API is refused.
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
