"""What a feed is: one record from which its assets, jobs, sensors, checks, command and staleness are made.

A record names what is particular to its feed; everything that holds for all of them loops over ``registry.FEEDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import IntEnum, StrEnum
from typing import Any, Literal

from nba_props.domain.finding import Finding
from nba_props.facts.tipoffs import Tipoffs
from nba_props.process.clock import Clock
from nba_props.schemas import Table
from nba_props.settings import Live, Settings, SettingsError
from nba_props.sources.rejects import Parsed
from nba_props.storage.landing import LandingZone

#: the command that takes a first day's steps
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
    #: the budget's reserve was reached; what was left was not asked for
    exhausted: bool = False
    #: the code of a host's silence, after which what was left was not asked for; empty where it answers
    silent: str = ""

    def add(self, other: Fetched) -> None:
        """Count another fetch in."""
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
        """Raise :class:`SettingsError` where payloads would be landed beside those of a simulated league."""
        if self.zone.exists() and self.zone.is_simulated:
            raise SettingsError(
                f"the landing zone {self.zone.root} holds a simulated league, and nothing real is landed beside it: "
                "`nba-props start` names the line that gives real data a home of its own"
            )


@dataclass(frozen=True)
class Switch:
    """Whether a feed is asked at all: ``off`` is the reason when not, ``advice`` how it is switched on."""

    is_on: Callable[[Live], bool]
    off: str
    advice: str


# -- by hand ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """An option of a command: a switch, or a text that ``read`` turns into a value or refuses with a ValueError.

    ``name`` is without its dashes; the command's functions find the value under it.
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
    #: lands payloads of the dates that were named, by the values of the options
    fetch: Callable[[LiveFeeds, Sequence[date], Mapping[str, Any]], Fetched]
    #: whether dates have to be named or may be, today by default; or there are none to name
    span: Literal["needed", "optional", "none"] = "none"
    options: tuple[Option, ...] = ()
    #: what the fetch would ask for and cost, printed before it; with --dry-run it is all that is done
    plan: Callable[[LiveFeeds, Sequence[date], Mapping[str, Any]], list[str]] | None = None
    #: the dates to name for what is overdue
    overdue: str = ""


@dataclass(frozen=True)
class Probe:
    """One free request that shows whether a feed answers, for the doctor."""

    #: makes the request; the answer in words
    ask: Callable[[LiveFeeds], str]
    #: the switch in words: off, and on
    off: str
    on: str
    #: what to do about an error that is not the network's
    advice: str


# -- on the first day -------------------------------------------------------------------------------------------------


class Stage(IntEnum):
    """In which order the steps of a first day are taken: what tonight is and what is over follows from the schedule."""

    SCHEDULE = 0
    TONIGHT = 1
    PAST = 2


@dataclass(frozen=True)
class Step:
    """One thing to take: requests and credits are the most it can need."""

    name: str
    requests: int
    take: Callable[[], Fetched] = field(repr=False, compare=False)
    credits: int = 0
    stage: Stage = Stage.PAST
    #: the host whose silence ends all steps that ask it; empty for a step that stands for itself
    host: str = ""
    #: asked for each day again
    daily: bool = False


@dataclass(frozen=True)
class Games:
    """The games of a date, those of them that have not begun, and the next date after it with games."""

    today: int
    to_begin: int
    next_day: date | None


@dataclass(frozen=True)
class FirstDay:
    """What is known when a first prediction is planned.

    Args:
        feeds: settings of the feeds, landing zone and clock.
        settings: which seasons are read.
        today: the Eastern date.
        games: its games by the landed schedule; None without one.
        odds: whether tonight's odds are wanted.
        shot_zones: whether the requests for each game are.
    """

    feeds: LiveFeeds
    settings: Settings
    today: date
    games: Games | None
    odds: bool = True
    shot_zones: bool = False


# -- by itself --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timetable:
    """A schedule that starts a feed's job; with ``games_within``, if one of so many dates from today on has games."""

    name: str
    cron: str
    description: str
    games_within: int = 0
    #: why nothing is asked for when none of them has
    idle: str = ""


@dataclass(frozen=True)
class Asked:
    """A run of a feed's job that is due: what makes it the same run when it is asked for again, and its arguments."""

    key: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Captures:
    """A sensor that starts a feed's job at instants that follow the night's tip-offs."""

    name: str
    description: str
    #: the captures whose instant lies between two, the second included, of a night's games
    due: Callable[[Live, Tipoffs, datetime, datetime], list[Asked]]


@dataclass(frozen=True)
class Argument:
    """An argument of a run, a text; one without a default has to be given."""

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
    #: what alerts call it
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
    """The jobs that make rows of payloads, apart from ``predict``, which makes those of every table."""

    HISTORY = "ingest_history"
    PAST = "ingest_past_seasons"
    ROSTERS = "ingest_rosters"
    LINES = "ingest_lines"
    FOLLOW = "follow"
    GRADE = "grade"


@dataclass(frozen=True)
class RawTable:
    """A table of a feed's payloads, and the quarantine of what could not become a row of it."""

    table: Table
    quarantine: Table
    #: the rows of some dates; the frames of ``reads`` are further arguments
    read: Callable[..., Parsed]
    #: which payloads make a date's partition stale when they come
    payloads: Names
    intakes: frozenset[Intake]
    #: other tables whose rows of the same dates are read, by argument
    reads: Mapping[str, Table] = field(default_factory=dict)
    #: a payload holds many dates: one of them is stale when its rows differ, and not whenever a payload comes
    holds_many_dates: bool = False


@dataclass(frozen=True)
class Odds:
    """Where a feed of odds lands a game date's captures, and which dates have any: tonight has to have some."""

    folders: Callable[[date], tuple[str, ...]]
    landed_days: Callable[[LandingZone], list[date]]


@dataclass(frozen=True)
class Feed:
    """All that the platform knows of a feed by name."""

    #: of its folder in the landing zone, and of the asset that stands for it
    name: str
    title: str
    #: of the landing asset
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
    #: the folders whose payloads start a prediction of a date, or follow one
    news: Callable[[date], tuple[str, ...]] | None = None
    odds: Odds | None = None

    def require(self, feeds: LiveFeeds) -> None:
        """Raise :class:`SettingsError` where the feed is switched off, or real payloads don't belong."""
        feeds.require_real()
        if not self.switch.is_on(feeds.live):
            raise SettingsError(self.switch.advice)
