"""What can happen: payloads that land well or badly, sensors that tick, people who type, processes that end midway."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import dagster as dg

from nba_props.automation import planning
from nba_props.automation.jobs import GRADE_JOB, PREDICT_JOB, RELINE_JOB
from nba_props.automation.ranges import RANGE_END, RANGE_START
from nba_props.automation.runner import remediate
from nba_props.automation.sensors.news import on_odds
from nba_props.automation.sensors.results import on_results
from nba_props.catalog import TABLES
from nba_props.facts.calendar import game_date_of, spans
from nba_props.operations.ledger import batches, own_dates
from nba_props.process.errors import NbaPropsError
from nba_props.schemas import WriteMode
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER
from nba_props.storage.landing import capture_suffix
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.conftest import REFRESHING
from nba_props_tests.dagster_in_memory import instance_of_what_counts
from nba_props_tests.simulation.interruptions import (
    damage,
    ending,
    ending_in_a_version,
    lose_catalog,
    meanwhile,
    read_catalog,
    read_everything,
)
from nba_props_tests.simulation.releases import release
from nba_props_tests.simulation.servers import next_date, odds_from_the_client, results_from_the_client
from nba_props_tests.simulation.world import World
from nba_props_tests.sources.mutations import mutated, places

Event = Callable[[World], object]


def _game(world: World) -> league.Game:
    """A game that has not ended, mostly tonight's."""
    open_ones = [g for g in world.games if g.tipoff_at + timedelta(hours=2) > world.now]
    return world.rng.choice(open_ones[:2] or world.games)


def _capture(world: World, game: league.Game, ago: float = 0.0, **more: object) -> tuple[str, object]:
    """A capture of now, or of some minutes ago: before the game, or in play."""
    minutes = (game.tipoff_at - world.now).total_seconds() / 60 + ago
    return league.capture(game, int(minutes), world.rng.choice([-1.0, 0.0, 0.5]), **more)


def odds(world: World) -> int:
    """The books' quotes of both games of the next date."""
    first = _game(world)
    return world.land_all(_capture(world, game) for game in world.games if game.day == first.day)


def odds_twice(world: World) -> bool:
    """One capture under two names."""
    path, content = _capture(world, _game(world))
    head = path.removesuffix(".json.gz").rpartition("-")[0]
    twin = f"{head}{capture_suffix(world.now + timedelta(seconds=61))}.json.gz"
    if not world.land(path, content) or not world.land(twin, content):
        return False
    world.repeated.add(twin)
    return True


def odds_late(world: World) -> bool:
    """A capture of hours ago, after newer ones."""
    return world.land(*_capture(world, _game(world), ago=world.rng.choice([45, 180])))


def odds_of_unknown_players(world: World) -> bool:
    """A book spells a name as nobody does."""
    game = _game(world)
    names = {league.player(team, 2)[1]: f"Zzyzx {world.rng.randrange(99)} Qwertz" for team in (game.home, game.away)}
    return world.land(*_capture(world, game, names=names))


def odds_of_another_game(world: World) -> bool:
    """A payload lies under another game's name."""
    path, _ = _capture(world, world.games[0])
    return world.land(path, _capture(world, world.games[-1])[1])


def odds_corrected(world: World) -> bool:
    """The feed takes back what it sent a minute ago: other lines."""
    game = _game(world)
    world.pass_time(1)
    minutes = int((game.tipoff_at - world.now).total_seconds() / 60)
    return world.land_all(league.capture(game, minutes + ago, shift) for ago, shift in ((1, 3.0), (0, 0.0))) == 2


def odds_by_the_client(world: World) -> bool:
    """The client of odds asks servers that are in trouble."""
    return odds_from_the_client(world, next_date(world))


def results_by_the_client(world: World) -> bool:
    """The client of box scores asks servers that are in trouble."""
    return results_from_the_client(world, played(world))


def odds_damaged(world: World) -> bool:
    """Half a file, bytes, an error page, or JSON of another shape."""
    path, content = _capture(world, _game(world))
    whole = gzip.compress(json.dumps(content, default=str).encode(), mtime=0)
    bad = [
        whole[: len(whole) // 2], world.rng.randbytes(200), b"", gzip.compress(b"<html>502</html>", mtime=0),
        gzip.compress(b'{"data": 7}', mtime=0), gzip.compress(b"[[[[", mtime=0),
    ]  # fmt: skip
    return world.land(path, world.rng.choice(bad))


def _mutated(world: World, content: object) -> bytes:
    text = json.dumps(content, default=str)
    return mutated(text.encode(), list(places(json.loads(text))), world.rng, packed=True).data


def odds_mutated(world: World) -> bool:
    """A payload with values, keys or bytes that no feed sends."""
    path, content = _capture(world, _game(world))
    return world.land(path, _mutated(world, content))


def played(world: World) -> list[date]:
    """The dates whose games are over, in order: an event draws for each."""
    return sorted({g.day for g in world.games if g.tipoff_at + timedelta(hours=3) < world.now})


def _log_rows(world: World, day: date) -> list[dict[str, Any]]:
    return [r for g in world.games if g.day == day for r in league.log_rows(g)]


def results(world: World) -> int:
    """The box scores of the dates whose games are over."""
    return world.land_all((league.log_path(day), league.log(day, _log_rows(world, day))) for day in played(world))


def results_corrected(world: World) -> int:
    """A correction: somebody scored two more."""
    landed = 0
    for day in played(world):
        rows = _log_rows(world, day)
        at = world.rng.randrange(len(rows))
        rows[at] = league.scoring_more(rows[at], 2)
        if _landed(world, day):
            landed += world.land(league.log_path(day, capture_suffix(world.now)), league.log(day, rows))
    return landed


def results_mutated(world: World) -> int:
    """A game log with values, keys or bytes that no feed sends."""
    return world.land_all(
        (league.log_path(day, capture_suffix(world.now)), _mutated(world, league.log(day, _log_rows(world, day))))
        for day in played(world)[-1:]
    )


def results_damaged(world: World) -> bool:
    """A game log that can't be read."""
    return world.land(
        league.log_path(world.span[0], capture_suffix(world.now)), world.rng.choice([b"", b"\x1f\x8b\x08", b"null"])
    )


def _landed(world: World, day: date) -> bool:
    return (world.platform.zone._path / league.log_path(day)).exists()


def deliver(world: World) -> None:
    """The feeds send what is missing, as it should have been: the last odds before each game, and each game log."""
    for game in world.games:
        world.land(*league.capture(game, 20))
    for day in world.span:
        league.land_log(world.platform.zone, day, _log_rows(world, day), capture_suffix(world.now))


def time_passes(world: World) -> None:
    """Minutes, hours, or past midnight."""
    world.pass_time(world.rng.choice([5, 40, 150, 300, 720]))


def clock_is_set_back(world: World) -> None:
    """The machine's clock was ahead by some minutes."""
    world.pass_time(-world.rng.choice([2, 7, 20]))


def news_sensor(world: World) -> bool:
    """The sensor of odds ticks, and what it asks for runs."""
    return _run(world, on_odds(world.seen.get("news", {}), world.platform.inputs, world.now), "news")


def results_sensor(world: World) -> bool:
    """The sensor of box scores ticks, and what it asks for runs."""
    found = on_results(world.seen.get("results", {}), world.platform.inputs, game_date_of(world.now))
    return _run(world, found, "results")


def _run(world: World, found: dg.SensorResult, sensor: str) -> bool:
    world.seen[sensor] = json.loads(found.cursor or "{}")
    for request in found.run_requests or ():
        keys = [request.partition_key] if request.partition_key else [request.tags[k] for k in (RANGE_START, RANGE_END)]
        world.run(request.job_name, *(date.fromisoformat(key) for key in keys))
    return bool(found.run_requests)


def tick_before(world: World) -> None:
    """The sensors have seen what is there when a seed begins."""
    inputs = world.platform.inputs
    world.seen["news"] = json.loads(on_odds({}, inputs, world.now).cursor or "{}")
    world.seen["results"] = json.loads(on_results({}, inputs, game_date_of(world.now)).cursor or "{}")


def backfill(world: World, first: int = 0, last: int | None = None) -> bool:
    """`nba-props backfill` of the dates up to now, or some of them."""
    asked = [day for day in world.span if day <= game_date_of(world.now)][first:last]
    pending = planning.pending(world.platform.definitions, world.platform.inputs, world.assets(PREDICT_JOB), asked)
    if pending:
        for step in planning.plan(world.platform.definitions, world.platform.inputs, pending):
            world.run(*step)
    return bool(pending)


def backfill_of_some_dates(world: World) -> bool:
    """`nba-props backfill` of a span that overlaps others."""
    first = world.rng.randrange(len(world.span))
    return backfill(world, first, first + 1 + world.rng.randrange(2))


def predict_again(world: World) -> None:
    """`nba-props run DATE --force`."""
    day = world.rng.choice([d for d in world.span if d <= game_date_of(world.now)])
    world.run(PREDICT_JOB, day)


def grade(world: World) -> bool:
    """`nba-props grade` of what is published."""
    dates = [d for d in own_dates(world.platform.warehouse) if d in world.span]
    for first, last in spans(dates, bridge=0):
        world.run(GRADE_JOB, first, last)
    return bool(dates)


def reline(world: World) -> bool:
    """Lines of a published date are chosen again."""
    dates = [d for d in own_dates(world.platform.warehouse) if d in world.span][:1]
    for day in dates:
        world.run(RELINE_JOB, day)
    return bool(dates)


def _remediate(world: World, job: str, **config: object) -> bool:
    """Whether it was not refused."""
    try:
        remediate(world.platform.definitions, world.platform.instance, job, config)
    except NbaPropsError as refused:
        world.reported.append(f"{job}: {refused}")
        return False
    return True


def quarantine(world: World) -> bool:
    """Somebody takes placeholder or invalid rows out."""
    predicate, before = world.rng.choice(["placeholder", "invalid_line"]), len(batches(world.platform.warehouse))
    span = {"first": f"{world.span[0]}", "last": f"{world.span[-1]}"}
    _remediate(world, "quarantine", predicate=predicate, **span, dry_run=False)
    return len(batches(world.platform.warehouse)) > before


def restore(world: World) -> bool:
    """Somebody puts the last batch back."""
    known = batches(world.platform.warehouse)
    return len(known) > 0 and _remediate(world, "restore", batch_id=str(known["batch_id"].iloc[0]), dry_run=False)


def rollback(world: World) -> bool:
    """Somebody takes the last run's rows back."""
    rows = world.rows()
    mine = rows[rows["game_date"].dt.date.isin(world.span)].sort_values("created_at")
    return len(mine) > 0 and _remediate(world, "rollback", run_id=str(mine["run_id"].iloc[-1]), dry_run=False)


def forge(world: World) -> bool:
    """Another writer appends a prediction with a made-up line of 20.0, as in January 2026."""
    rows = world.rows()
    mine = rows[rows["game_date"].dt.date.isin(world.span) & rows["forecast"].notna()]
    if mine.empty:
        return False
    row = mine.sort_values("prediction_id").iloc[[world.rng.randrange(len(mine))]]
    ident = f"forged{len(world.forged):026d}"
    made = row.assign(
        prediction_id=ident, line=20.0, quote_id=None, sportsbook=None, row_digest=None, run_id="old-writer"
    )
    world.forged.add(ident)
    world.platform.warehouse.append(LEDGER, made, [row["game_date"].iloc[0].date()], {})
    return True


#: what a process may be about as something happens to it
_WORK: tuple[Event, ...] = (backfill, predict_again, grade, reline, quarantine, restore, rollback)


#: at which of its files or tables something happens to a process: some write few
FEW_OR_MANY = (0, 1, 2, 3, 5, 8, 13, 20)


def _at_work(world: World, during: Callable[[int], AbstractContextManager[None]], has_met: Callable[[], bool]) -> bool:
    """Commands, until one has written as much as it takes to meet something: some have nothing to write."""
    # what is made again last has each of its tables, which are not many with one system
    for work, numbers in (
        *((work, FEW_OR_MANY) for work in world.rng.choices(_WORK, k=2)),
        (predict_again, FEW_OR_MANY[:-2]),
    ):
        with during(world.rng.choice(numbers)):
            work(world)
        if has_met():
            return True
    return False


def _ending(name: str) -> Event:
    def event(world: World) -> bool:
        before = world.happened[name]
        _at_work(world, lambda file: ending(world, name, file), lambda: world.happened[name] > before)
        return False  # it is counted where it is met

    event.__name__, event.__doc__ = name, "A command meets it at one of its files."
    return event


def _ending_in_a_version(name: str) -> Event:
    def event(world: World) -> bool:
        before = world.happened[name]
        for work, steps in ((world.rng.choice((backfill, news_sensor)), 24), (predict_again, 8)):
            odds(world)  # what is made again as it was is kept already
            with ending_in_a_version(world, name, world.rng.randrange(steps)):
                work(world)
            if world.happened[name] > before:
                break
            world.pass_time(1)
        return False  # it is counted where it is met

    event.__name__, event.__doc__ = name, "A command that has news meets it as it publishes a version."
    return event


def lost_catalog(world: World) -> None:
    """The file of views for other programs is lost, or the note of what it holds; the next work makes it again."""
    with patch.object(LakeWarehouse, "refresh_catalog", REFRESHING):
        lose_catalog(world)
        world.rng.choice(_WORK)(world)
        world.lake.refresh_catalog()
        world.broken += read_catalog(world)


def second_writer(world: World) -> bool:
    """Another process does its own work on the same home while this one is about to write a table."""
    came: list[World] = []

    def others_work() -> None:
        came.append(other)
        others(other)

    other = world.another()
    others = other.rng.choice(_WORK)
    has_come = _at_work(world, lambda write: meanwhile(world, write, others_work), lambda: bool(came))
    world.reported += other.reported
    world.broken += other.broken
    return has_come


def reader(world: World) -> bool:
    """A dashboard reads everything while a table is about to be written."""
    seen: list[list[str]] = []

    def reads() -> None:
        seen.append(read_everything(world))

    has_read = _at_work(world, lambda write: meanwhile(world, write, reads), lambda: bool(seen))
    world.broken += [problem for found in seen for problem in found]
    return has_read


def damaged_file(world: World) -> bool:
    """A partition that can be made again loses half of its bytes."""
    ours = [t for t in TABLES.values() if t.write_mode is WriteMode.REPLACE]
    ours = [t for t in ours if not world.cast or t.address in world.cast]
    there = [(t.address, day) for t in ours for day in world.lake.partitions(t) if day in world.span]
    return bool(there) and damage(world, *world.rng.choice(there))


def lost_dagster_home(world: World) -> None:
    """Dagster's record of all runs is gone."""
    world.platform.instance = world.open.enter_context(instance_of_what_counts())


def scrub(world: World) -> None:
    """`nba-props scrub` finds what was damaged, and nothing else but what another writer forged."""
    found = {(d.table.address, d.partition) for d in world.lake.damaged(world.span)}
    forged = {(t.address, day) for t in (LEDGER, ARCHIVED_PREDICTIONS) for day in world.span} if world.forged else set()
    world.broken += [f"{where} is damaged, says the scrub" for where in found - forged - set(world.damaged)]
    world.broken += [f"the scrub does not find {where}" for where in set(world.damaged) - found]


#: every event and how often it is drawn. The first short seeds play them six by six, in an order in which each finds
#: something to happen to: at night, in the evening, at night, in the morning, at night (all dates), in the evening, at night
EVENTS: dict[str, tuple[Event, int]] = {
    event.__name__: (event, weight)
    for event, weight in (
        (results, 4), (results_corrected, 1), (results_mutated, 1), (results_damaged, 1), (results_sensor, 2), (grade, 1),
        (odds, 8), (odds_twice, 1), (odds_late, 1), (odds_of_unknown_players, 1), (odds_of_another_game, 1),
        (odds_damaged, 1),
        (forge, 1), (quarantine, 1), (restore, 1), (rollback, 1), (reline, 1),
        (_ending_in_a_version("full_disk_in_a_version"), 1),
        (odds_by_the_client, 2), (odds_corrected, 1), (odds_mutated, 2), (news_sensor, 5), (time_passes, 8),
        (clock_is_set_back, 1),
        (results_by_the_client, 1), (backfill, 1), (damaged_file, 1), (scrub, 1), (backfill_of_some_dates, 1),
        (predict_again, 1),
        (lost_dagster_home, 1), (lost_catalog, 1), (release, 2), (second_writer, 2), (reader, 1),
        (_ending("killed_before_a_file"), 1),
        (_ending("killed_after_a_file"), 1), (_ending("stopped"), 1), (_ending("full_disk"), 1),
        (_ending("read_only_disk"), 1), (_ending_in_a_version("killed_before_a_step_of_a_version"), 1),
        (_ending_in_a_version("killed_after_a_step_of_a_version"), 1),
    )
}  # fmt: skip
