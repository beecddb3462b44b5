"""Playing a seed: events, invariants after each, and the tables of a plain backfill when the faults stop."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nba_props.automation import planning
from nba_props.automation.jobs import PREDICT_JOB, TRAIN_JOB
from nba_props.catalog import TABLES
from nba_props.process.errors import NbaPropsError
from nba_props.schemas import WriteMode
from nba_props_tests.conftest import IN_AUTUMN
from nba_props_tests.copies import copied
from nba_props_tests.dagster_in_memory import instance_of_what_counts, instance_that_forgets
from nba_props_tests.simulation import invariants
from nba_props_tests.simulation.events import EVENTS, backfill, deliver, grade, tick_before
from nba_props_tests.simulation.interruptions import noting_publications
from nba_props_tests.simulation.servers import TROUBLES
from nba_props_tests.simulation.world import SHORT, Dates, World, cast_of, dates_of, empty, opened

#: events of a seed, and of a short one
LENGTH, FEW = 12, 7
#: of a short seed's events, those that are of different kinds
OWN = 6
#: what a seed of the autumn meets besides its events
WINTER = "winter_time"
#: runs in which everything is made up for once the faults stop
BOUND = 4
#: tables that show when something was published, which differs from a plain backfill by right
_OF_THE_LEDGER = (
    "nba_predictions.prediction_accuracy", "nba_predictions.closing_line_value", "nba_predictions.quote_scores",
    "nba_predictions.evidence", "nba_predictions.distribution_scores", "nba_predictions.combination_scores",
    "nba_predictions.minutes_scores", "nba_monitoring.scoreboard", "nba_monitoring.market_scores",
    "nba_monitoring.promotions",
)  # fmt: skip


#: the folder of a league up to the morning of some dates, with its models
Prepared = Callable[[Dates], Path]


class Broken(AssertionError):
    """An invariant does not hold, or the tables do not converge."""


def plan(seed: int) -> list[str]:
    """The names of a seed's events."""
    names, weights = list(EVENTS), [weight for _, weight in EVENTS.values()]
    rng = random.Random(seed)  # noqa: S311
    drawn = rng.choices(names, weights, k=FEW if seed in SHORT else LENGTH)
    if seed in SHORT:  # the first play all kinds, each where it finds something to happen to
        turn = names[OWN * (seed - 1) : OWN * seed]
        drawn[-OWN:] = turn or rng.sample(names, OWN)
    return drawn


@dataclass
class Counts:
    """How often each kind was drawn, took place, left every invariant as it was, and was in a seed that converged."""

    drawn: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    converged: Counter[str] = field(default_factory=Counter)
    seeds: int = 0

    def add(self, world: World, *, converged: bool) -> None:
        """Add a seed."""
        self.seeds += 1
        self.drawn += world.drawn
        self.injected += world.happened
        self.survived += world.survived
        self.converged += world.survived if converged else Counter()

    def table(self) -> pd.DataFrame:
        """A row for every kind there is."""
        columns = {
            name: pd.Series(vars(self)[name], dtype=int) for name in ("drawn", "injected", "survived", "converged")
        }
        return pd.DataFrame(columns).reindex([*EVENTS, *TROUBLES, WINTER]).fillna(0).astype(int)


def play(
    prepared: Prepared, folder: Path, seed: int, only: Sequence[int] | None = None, counts: Counts | None = None
) -> World:
    """Play a seed, or some of its events, on copies of a prepared league.

    Raises:
        Broken: with the seed and the events so far.
    """
    dates = dates_of(seed)
    copied(prepared(dates), folder / "world")
    counts = counts or Counts()
    with ExitStack() as stack:
        instance = stack.enter_context(instance_of_what_counts())
        platform = opened(folder / "world", instance, dates, dates.begin)
        world = World(platform, dates=dates, cast=cast_of(seed), open=stack)
        stack.enter_context(noting_publications(world))
        empty(platform, dates)
        tick_before(world)
        world.remember()
        done: list[str] = []
        try:
            for n, name in enumerate(plan(seed)):
                if only is not None and n not in only:
                    continue
                # an event's choices are its own, so that others can be left out
                world.rng = random.Random(f"{seed}/{n}")  # noqa: S311
                done.append(f"{n} {name} at {world.now:%m-%d %H:%M}")
                _take_place(world, name, f"seed {seed} after {done}")
            if dates.league_begins == IN_AUTUMN:
                world.drawn[WINTER] = world.happened[WINTER] = world.survived[WINTER] = 1
            _converges(world, prepared, folder, f"seed {seed} after {done}")
        except BaseException:
            counts.add(world, converged=False)
            raise
        counts.add(world, converged=True)
    return world


def _take_place(world: World, name: str, where: str) -> None:
    """One event, and what holds after it."""
    world.drawn[name] += 1
    world.pass_time(1)  # two payloads of one minute would have one name
    before = world.happened.copy()
    try:
        # some are counted where they happen, in the middle of something
        done = EVENTS[name][0](world)
        world.happened[name] += done is None or bool(done)
    except NbaPropsError as refused:
        # a person or a log has this sentence; without a cause it is a defect
        if not world.damaged:
            raise Broken(f"{where}: {refused}") from refused
        world.reported.append(f"{name}: {refused}")
        world.happened[name] += 1
    if broken := invariants.check(world):
        raise Broken(f"{where}: {broken[:3]}")
    world.survived += world.happened - before
    world.remember()


def _converges(world: World, prepared: Prepared, folder: Path, where: str) -> None:
    """Once the faults stop, a bounded number of runs ends with the tables of a plain backfill of what has landed."""
    world.platform.now = world.dates.end
    deliver(world)
    settle(world, where)
    world.remember()
    copied(prepared(world.dates), folder / "plain")
    with instance_that_forgets() as instance:
        plain = opened(folder / "plain", instance, world.dates, world.now)
        shutil.rmtree(plain.zone._path)
        copied(world.platform.zone._path, plain.zone._path)
        other = World(plain, dates=world.dates, cast=world.cast)
        for job, first, last in plain.missing(world.span[0], world.span[-1]):  # a week that begins has its models
            plain.materialize(first, last, None if job == TRAIN_JOB else other.assets(job), job)
        # checks change nothing, and the world has run them; grades are among what this job makes
        plain.materialize(world.span[0], world.span[-1], other.assets(PREDICT_JOB))
        found, expected = outcome(world), outcome(other)
    differing = [(table, day) for table, days in expected.items() for day in days if found[table].get(day) != days[day]]
    differing += [(table, day) for table, days in found.items() for day in days if day not in expected[table]]
    if differing:
        raise Broken(f"{where}: {differing[:5]} of {len(differing)} differ from a plain backfill of the same payloads")


def settle(world: World, where: str) -> None:
    """Ask for everything once more, until nothing is pending."""
    for _ in range(BOUND):
        backfill(world)
        if not planning.pending(
            world.platform.definitions, world.platform.inputs, world.assets(PREDICT_JOB), world.span
        ):
            break
        grade(world)
    else:
        raise Broken(f"{where}: dates are still pending after {BOUND} rounds: {world.reported[-3:]}")
    if broken := [*invariants.check(world), *invariants.nothing_dropped(world)]:
        raise Broken(f"{where}, settled: {broken[:3]}")
    if world.damaged:
        raise Broken(f"{where}: {sorted(world.damaged)} are still damaged")


def outcome(world: World) -> dict[str, dict[str, str]]:
    """The content of each partition of a world's dates with rows, run ids and clocks aside."""
    return {
        table.address: {
            str(day): state.content[""]
            for day, state in world.lake.states(table).items()
            if day in world.span and state.rows
        }
        for table in TABLES.values()
        if table.write_mode is not WriteMode.APPEND and table.address not in _OF_THE_LEDGER
    }


def shrunk(prepared: Prepared, folder: Path, seed: int) -> list[int]:
    """The fewest events of a broken seed that still break it, each left out in turn."""
    kept = list(range(len(plan(seed))))
    for n in list(kept):
        without = [k for k in kept if k != n]
        try:
            play(prepared, folder / f"without-{n}", seed, without)
        except Broken:
            kept = without
        shutil.rmtree(folder / f"without-{n}", ignore_errors=True)
    return kept
