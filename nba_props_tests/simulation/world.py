"""The world of a seed: a small league, a clock, the systems deployed, what has landed, and what was ever published."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from nba_props.assets.publishing import has_failed_step
from nba_props.assets.tables import asset_key
from nba_props.automation import planning
from nba_props.automation.jobs import PREDICT_JOB, TRAIN_JOB
from nba_props.catalog import TABLES
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS
from nba_props.facts.calendar import days
from nba_props.schemas import analytics, features
from nba_props.schemas.predictions import (
    ARCHIVED_PREDICTIONS,
    GRADE_HISTORY,
    LEDGER,
    PREDICTION_ACCURACY,
    QUARANTINED_PREDICTIONS,
)
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.lake.manifests import Kept
from nba_props_tests import league
from nba_props_tests.conftest import DAY, IN_AUTUMN, NEXT, Platform, open_platform
from nba_props_tests.dagster_in_memory import instance_of_what_counts

#: hours from the first tip-off to when a seed begins
MORNING, EVENING, NIGHT = -9, -3, 5


@dataclass(frozen=True)
class Dates:
    """The dates that are predicted: one with games, or two with a day off between them.

    Args:
        league_begins: the first day of the small league, twenty days before.
        hour: hours after the first tip-off at which a seed begins: in the morning, when nothing of the date has landed,
            or in the evening or at night, when it is predicted from the odds of the afternoon.
        is_single: whether it is the first date alone.
    """

    league_begins: date
    hour: int = MORNING
    is_single: bool = False

    @cached_property
    def span(self) -> list[date]:
        first = self.league_begins + (DAY - league.FIRST)
        return [first] if self.is_single else days(first, first + (NEXT - DAY))

    @cached_property
    def games(self) -> list[league.Game]:
        return [game for game in league.games(first=self.league_begins) if game.day in self.span]

    @property
    def begin(self) -> datetime:
        return league.tipoff(self.span[0]) + timedelta(hours=self.hour)

    @property
    def end(self) -> datetime:
        """It ends after all is played."""
        return league.tipoff(self.span[-1]) + timedelta(hours=18)


USUAL = Dates(league.FIRST)
#: short seeds: fewer events, one system, and no table without which it can do; and one date, but for one in so many
SHORT = range(1, 301)
EVERY_DATE = 5
#: of the others, one in so many meets the night in which clocks are set back
AUTUMN_EVERY = 5
#: what every cast needs and makes
_ALWAYS = (
    analytics.HISTORICAL_GAMES, analytics.CONTEXT, analytics.SLATE, analytics.BETTING_LINES, features.PLAYER_FEATURES,
    LEDGER, QUARANTINED_PREDICTIONS, PREDICTION_ACCURACY, GRADE_HISTORY,
)  # fmt: skip
#: payloads of these never land in a seed, and no cast needs them to be made again
_BESIDE = {"nba_raw.injury_reports", "nba_raw.rosters", "nba_raw.scoring_shares"}
#: of those that are not short, one in so many runs every system and every table
WHOLE_EVERY = 8


@dataclass
class World:
    """A platform whose surroundings a seed decides; ``rng`` is the event's own, so that events can be left out."""

    platform: Platform
    rng: random.Random = field(default_factory=random.Random)
    dates: Dates = USUAL
    #: the tables that are deployed; all of them when empty
    cast: frozenset[str] = frozenset()
    #: id and digest of every row that was ever published; one that is rolled back may be published again, later
    published: set[tuple[str, str]] = field(default_factory=set)
    #: ids of the rows that another writer forged
    forged: set[str] = field(default_factory=set)
    #: how often each event was drawn, found something to happen to, and left every invariant as it was
    drawn: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    #: the sensors' cursors
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    #: checks, runs and commands that failed
    reported: list[str] = field(default_factory=list)
    #: what an event itself found to be broken
    broken: list[str] = field(default_factory=list)
    #: payloads that were landed, by path
    landed: set[str] = field(default_factory=set)
    #: those whose quotes others have as well: they are counted and neither stored nor held back
    repeated: set[str] = field(default_factory=set)
    #: partitions that somebody damaged and nobody has made again, by table and date, with the damaged file
    damaged: dict[tuple[str, date], str] = field(default_factory=dict)
    #: the last state of each partition that was looked at
    looked_at: dict[tuple[str, date], Any] = field(default_factory=dict)
    #: what each run wrote of a date that it began to publish, by run and date
    wrote: dict[tuple[str, date], Mapping[str, Kept]] = field(default_factory=dict)
    #: the deployed assets of each job
    deployed: dict[str, list[dg.AssetKey]] = field(default_factory=dict)
    #: instances that were opened on the way
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def span(self) -> list[date]:
        return self.dates.span

    @property
    def games(self) -> list[league.Game]:
        return self.dates.games

    @property
    def now(self) -> datetime:
        return self.platform.now

    @property
    def lake(self) -> LakeWarehouse:
        return self.platform.warehouse

    def pass_time(self, minutes: float) -> None:
        """The clock goes on, never beyond the end; it may also be set back by minutes."""
        self.platform.now = min(self.platform.now + timedelta(minutes=minutes), self.dates.end)

    def land(self, path: str, content: Any) -> bool:
        """Land a payload, or bytes that no feed should send; a payload that is there is never changed.

        Returns:
            Whether it was not there.
        """
        file = self.platform.zone._path / path
        if file.exists():
            return False
        self.landed.add(path)
        if isinstance(content, bytes):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        else:
            self.platform.zone.land(path, content)
        return True

    def land_all(self, payloads: Iterable[tuple[str, Any]]) -> int:
        """Land several; how many were not there."""
        return sum([self.land(path, content) for path, content in payloads])

    def assets(self, job: str) -> list[dg.AssetKey]:
        """The assets of a job that are deployed; to ask for them costs as much as a step."""
        if job not in self.deployed:
            self.deployed[job] = self._deployed(job)
        return self.deployed[job]

    def _deployed(self, job: str) -> list[dg.AssetKey]:
        known = planning.assets_of(self.platform.definitions, job)
        if not self.cast:
            return known
        graph = self.platform.definitions.resolve_asset_graph()
        deployed = [k for k in known if ".".join(k.path) in self.cast]
        # a step makes all of its tables
        return sorted({k for key in deployed for k in graph.get(key).execution_set_asset_keys})

    def run(self, job: str, first: Any, last: Any = None) -> None:
        """Run a job as a sensor or a person asks for it; what it reports is kept."""
        last = last or first
        select = self.assets(job) if job != TRAIN_JOB else None
        outcome = self.platform.run(job, first, last, select)
        self.reported += [] if outcome.success else [f"{job} of {first} failed: {outcome.errors[:1]}"]
        self.reported += [f"{asset} {name}" for asset, name, *_ in outcome.failed_checks]
        self.reported += outcome.failures
        has_published = outcome.run_id in {run_id for run_id, _ in self.wrote}
        if has_published and has_failed_step(self.platform.instance, outcome.run_id):
            self.broken.append(f"{job} of {first} failed and published what it had made")
        if outcome.success and job == PREDICT_JOB:
            asked = [t for t in SYSTEM_TABLES.values() if asset_key(t) in select]
            self.broken += [
                f"{table.address} of {day}: missing after a run that reports success"
                for table in asked
                for day in set(days(first, last)) - set(self.lake.partitions(table))
            ]

    def another(self) -> World:
        """Another process on the same home: with a warehouse, an instance and definitions of its own."""
        folder = self.platform.settings.home.parent
        instance = self.open.enter_context(instance_of_what_counts())
        platform = opened(folder, instance, self.dates, self.now)
        rng = random.Random(self.rng.random())  # noqa: S311
        return World(platform, rng, self.dates, self.cast, forged=self.forged, wrote=self.wrote)

    def rows(self, table: Any = LEDGER) -> Any:
        return self.lake.read(table, self.lake.partitions(table))

    def kept(self) -> set[tuple[str, str]]:
        """Id and digest of every row of ledger and archive that nobody forged."""
        rows = pd.concat(
            [self.rows(table)[["prediction_id", "row_digest"]] for table in (LEDGER, ARCHIVED_PREDICTIONS)]
        )
        rows = rows[~rows["prediction_id"].isin(self.forged)].astype(str)
        return set(rows.itertuples(index=False, name=None))

    def remember(self) -> None:
        """Note what is published by now."""
        self.published |= self.kept()


def cast_of(seed: int) -> frozenset[str]:
    """The tables that a seed deploys: one or two of the systems with what they need, or everything."""
    if seed not in SHORT and seed % WHOLE_EVERY == 0:
        return frozenset()
    asked = random.Random(f"cast {seed}").sample(SYSTEMS, 1 if seed in SHORT else 2)  # noqa: S311
    made = [t for t in TABLES.values() if t.dataset in ("nba_raw", "nba_reference")]
    if seed in SHORT:
        made = [t for t in made if t.address not in _BESIDE and "quarantined" not in t.name]
    for system in asked:
        needs = [system.needs(), *(s.needs() for s in system.needs().systems)]
        made += [SYSTEM_TABLES[s.system_id] for s in (system, *system.needs().systems)]
        made += [table for need in needs for table in need.tables]
    return frozenset(t.address for t in (*made, *_ALWAYS))


def dates_of(seed: int) -> Dates:
    """The dates that a seed plays on."""
    hour = (MORNING, NIGHT, EVENING, NIGHT)[seed % 4]
    if seed in SHORT:
        return Dates(league.FIRST, hour, is_single=seed % EVERY_DATE != 0)
    return Dates(IN_AUTUMN if seed % AUTUMN_EVERY == 0 else league.FIRST, hour)


def rung_of(dates: Dates) -> str:
    """Where the league of some dates is prepared, on the ladder."""
    stage = "prepared" if dates.hour == MORNING else "at_dusk"
    return f"autumn_{stage}" if dates.league_begins == IN_AUTUMN else stage


def opened(folder: Path, instance: dg.DagsterInstance, dates: Dates, now: datetime) -> Platform:
    """The platform of a folder at an instant."""
    return open_platform(folder, instance, now, first_date=dates.league_begins)


def empty(platform: Platform, dates: Dates) -> None:
    """Take the payloads of the span and later out of a league: they land when the seed says so, or not at all."""
    for game in league.games(first=dates.league_begins):
        if game.day < dates.span[0]:
            continue
        for minutes in (420, 30, -30):
            (platform.zone._path / league.capture(game, minutes)[0]).unlink(missing_ok=True)
        (platform.zone._path / league.log_path(game.day)).unlink(missing_ok=True)
