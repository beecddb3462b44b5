"""A feed's record, from which its assets, jobs, sensors, checks, command and staleness are made.

A record has what is particular to its feed; code that holds for every feed loops over ``registry.FEEDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import IntEnum, StrEnum
from typing import Any, Literal

import pandas as pd

from nba_props.domain.finding import Finding
from nba_props.facts.tipoffs import Tipoffs
from nba_props.process.clock import Clock
from nba_props.schemas import Table
from nba_props.settings import Live, Settings, SettingsError
from nba_props.sources.rejects import Parsed
from nba_props.storage.landing import LandingZone

#: the command that runs the steps of a first day
START = "nba-props start"
#: from then on, Eastern, a game day's captures and reports are expected
EXPECTED_FROM = time(10, 20)
#: the tip-offs between two dates, by date, as far as the schedule is stored
Nights = Callable[[date, date], Mapping[date, Tipoffs]]
#: the names of the payloads that each date's rows are made from
Names = Callable[[LandingZone, Sequence[date]], Mapping[date, Sequence[str]]]


# -- fetching ---------------------------------------------------------------------------------------------------------


@dataclass
class Fetched:
    """What a fetch did."""

    landed: list[str] = field(default_factory=list)
    #: payloads that had been landed before
    present: int = 0
    failures: list[str] = field(default_factory=list)
    credits: int = 0
    remaining: int | None = None
    #: the budget's reserve was reached; the remaining requests were not made
    exhausted: bool = False
    #: the code of a host's failure to answer, after which no more requests were made; empty if it answered
    silent: str = ""

    def add(self, other: Fetched) -> None:
        """Add the counts of another fetch."""
        self.landed += other.landed
        self.failures += other.failures
        self.present += other.present
        self.credits += other.credits
        self.remaining = other.remaining if other.remaining is not None else self.remaining
        self.exhausted |= other.exhausted
        self.silent = self.silent or other.silent


@dataclass(frozen=True)
class LiveFeeds:
    """What every fetch works with.

    Args:
        live: which feeds are on, and where they are.
        zone: where payloads are landed.
        clock: the time.
    """

    live: Live
    zone: LandingZone
    clock: Clock

    def require_real(self) -> None:
        """Raise :class:`SettingsError` if the zone holds a simulated league, beside which nothing real is landed."""
        if self.zone.exists() and self.zone.is_simulated:
            raise SettingsError(
                f"the landing zone {self.zone.root} holds a simulated league, and real payloads are not landed beside "
                "it: `nba-props start` prints the line that gives real data a home of its own"
            )


@dataclass(frozen=True)
class Switch:
    """Whether a feed is used: ``off`` is the reason if it is not, ``advice`` how to switch it on."""

    is_on: Callable[[Live], bool]
    off: str
    advice: str


# -- by hand ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """An option of a command: a switch, or a text that ``read`` turns into a value or refuses with a ValueError.

    ``name`` is without its dashes; the command's functions get the value under it.
    """

    name: str
    default: str | bool
    help: str
    read: Callable[[str], Any] = str


@dataclass(frozen=True)
class Command:
    """``nba-props fetch NAME``."""

    name: str
    help: str
    examples: tuple[str, ...]
    #: lands the payloads of the given dates; it gets the values of the options
    fetch: Callable[[LiveFeeds, Sequence[date], Mapping[str, Any]], Fetched]
    #: whether dates are required, optional (today by default) or not accepted
    span: Literal["needed", "optional", "none"] = "none"
    options: tuple[Option, ...] = ()
    #: what the fetch would request and cost, printed first; with --dry-run nothing else is done
    plan: Callable[[LiveFeeds, Sequence[date], Mapping[str, Any]], list[str]] | None = None
    #: the dates to pass for what is overdue
    overdue: str = ""


@dataclass(frozen=True)
class Probe:
    """One free request that shows whether a feed answers, for the doctor."""

    #: makes the request, and describes the answer
    ask: Callable[[LiveFeeds], str]
    #: how the doctor describes the switch, off and on
    off: str
    on: str
    #: what to do about an error that is not the network's
    advice: str


# -- on the first day -------------------------------------------------------------------------------------------------


class Stage(IntEnum):
    """The order of a first day's steps: only the schedule shows which games are tonight's and which are over."""

    SCHEDULE = 0
    TONIGHT = 1
    PAST = 2


@dataclass(frozen=True)
class Step:
    """One thing to fetch; ``requests`` and ``credits`` are upper limits."""

    name: str
    requests: int
    take: Callable[[], Fetched] = field(repr=False, compare=False)
    credits: int = 0
    stage: Stage = Stage.PAST
    #: the host: once it fails to answer, all steps that need it end; empty for an independent step
    host: str = ""
    #: repeated every day
    daily: bool = False


@dataclass(frozen=True)
class Games:
    """How many games a date has, how many of them have not begun, and the next date with games."""

    today: int
    to_begin: int
    next_day: date | None


@dataclass(frozen=True)
class FirstDay:
    """What is known when a first prediction is planned.

    Args:
        feeds: settings of the feeds, landing zone and clock.
        settings: determine which seasons are read.
        today: the Eastern date.
        games: its games by the landed schedule; None without one.
        odds: whether tonight's odds are wanted.
        shot_zones: whether shot zones are, at one request for each game.
    """

    feeds: LiveFeeds
    settings: Settings
    today: date
    games: Games | None
    odds: bool = True
    shot_zones: bool = False


# -- automatic runs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timetable:
    """A schedule that starts a feed's job; with ``games_within``, only if one of the next dates has games."""

    name: str
    cron: str
    description: str
    games_within: int = 0
    #: why nothing is fetched when none of them has
    idle: str = ""


@dataclass(frozen=True)
class Asked:
    """A due run of a feed's job: a key, so that it is started once, and its arguments."""

    key: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Captures:
    """A sensor that starts a feed's job at instants computed from the night's tip-offs."""

    name: str
    description: str
    #: the captures of a night's games that are due after one instant and not after another
    due: Callable[[Live, Tipoffs, datetime, datetime], list[Asked]]


@dataclass(frozen=True)
class Argument:
    """A text argument of a run, required unless it has a default."""

    name: str
    help: str
    default: str | None = None


@dataclass(frozen=True)
class FetchJob:
    """A job of one step that lands what is new, and what starts it."""

    name: str
    step: str
    #: the pool that limits concurrent runs of the step
    pool: str
    description: str
    #: what the step does, in a sentence
    about: str
    #: its name in alerts
    called: str
    run: Callable[[LiveFeeds, Mapping[str, str], Nights], Fetched]
    arguments: tuple[Argument, ...] = ()
    timetable: Timetable | None = None
    captures: Captures | None = None


@dataclass(frozen=True)
class Moment:
    """What a feed's freshness is judged by: its settings, what is landed, the games of tonight and of last night."""

    live: Live
    zone: LandingZone
    tonight: Tipoffs
    last_night: Tipoffs
    now: datetime


# -- payloads and rows ------------------------------------------------------------------------------------------------


class Intake(StrEnum):
    """The jobs that turn payloads into rows, besides ``predict``, which does so for every table."""

    HISTORY = "ingest_history"
    PAST = "ingest_past_seasons"
    ROSTERS = "ingest_rosters"
    LINES = "ingest_lines"
    FOLLOW = "follow"
    GRADE = "grade"


@dataclass(frozen=True)
class RawTable:
    """A table made from a feed's payloads, and the quarantine of what could not become a row of it."""

    table: Table
    quarantine: Table
    #: the rows of some dates; the frames of ``reads`` are further arguments
    read: Callable[..., Parsed]
    #: the payloads that make a date's partition stale when they arrive
    payloads: Names
    intakes: frozenset[Intake]
    #: other tables whose rows of the same dates are read, by argument
    reads: Mapping[str, Table] = field(default_factory=dict)
    #: a payload holds many dates: a date is stale if its rows differ, not whenever a payload arrives
    holds_many_dates: bool = False


@dataclass(frozen=True)
class Odds:
    """Where a feed of odds lands a game date's captures, which dates have any (tonight must), and what they held."""

    folders: Callable[[date], tuple[str, ...]]
    landed_days: Callable[[LandingZone], list[date]]
    #: the ids of those stored quotes that no payload of the feed has as they are stored
    not_as_landed: Callable[[LandingZone, pd.DataFrame], set[str]]


@dataclass(frozen=True)
class Feed:
    """Everything that is specific to one feed."""

    #: the name of its folder in the landing zone, and of its asset there
    name: str
    title: str
    #: the description of that asset
    description: str
    kinds: frozenset[str]
    #: the folders that payloads are read from, and how their subjects look, as regular expressions
    layout: tuple[tuple[str, str], ...]
    tables: tuple[RawTable, ...]
    switch: Switch
    command: Command
    job: FetchJob
    freshness: Callable[[Moment], Finding]
    probe: Probe | None = None
    #: the steps of a first day, and notes on those that are left out
    first_day: Callable[[FirstDay], tuple[list[Step], list[str]]] | None = None
    #: the folders whose new payloads start the predictions of a date, or update them
    news: Callable[[date], tuple[str, ...]] | None = None
    odds: Odds | None = None

    def require(self, feeds: LiveFeeds) -> None:
        """Raise :class:`SettingsError` if the feed is off, or the zone holds a simulated league."""
        feeds.require_real()
        if not self.switch.is_on(feeds.live):
            raise SettingsError(self.switch.advice)
