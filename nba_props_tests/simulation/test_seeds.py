"""Seeds, played; and that a broken ledger is seen, and that a failure is shrunk to what it takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.schemas.predictions import LEDGER
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.warehouse.base import WarehouseError
from nba_props_tests import league
from nba_props_tests.conftest import DAY, IN_AUTUMN, NEXT
from nba_props_tests.simulation import events, interruptions, invariants, play, releases, servers
from nba_props_tests.simulation.world import (
    AUTUMN_EVERY,
    SHORT,
    WHOLE_EVERY,
    Dates,
    World,
    cast_of,
    dates_of,
    rung_of,
)

#: of the short seeds those of `make test`: all kinds of events are among them
FIRST = SHORT[:7]
LONG = range(SHORT[-1] + 1, SHORT[-1] + 49)


def _among_the_long_tests(seed: int) -> Any:
    """One of the others, in a group that any worker may take."""
    return pytest.param(seed, marks=[pytest.mark.long, pytest.mark.xdist_group(f"seeds {seed % 11}")])


@pytest.fixture(scope="module")
def counts() -> play.Counts:
    """What the seeds of this module have met so far."""
    return play.Counts()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*FIRST, *map(_among_the_long_tests, (*SHORT[len(FIRST) :], *LONG))])
def test_invariants_hold_and_tables_converge(
    rung: Callable[[str], Path], tmp_path: Path, seed: int, counts: play.Counts
):
    world = play.play(lambda dates: rung(rung_of(dates)), tmp_path, seed, counts=counts)
    assert sum(world.drawn.values()) >= len(play.plan(seed))
    assert world.published, "a seed that publishes nothing proves nothing"


def test_every_kind_took_place_in_the_seeds_before_and_they_converged(counts: play.Counts):
    if counts.seeds < len(FIRST):
        pytest.skip("not all of the seeds were played")
    table = counts.table()
    assert [name for name in events.EVENTS if not table["converged"][name]] == []
    assert (table["injected"] == table["converged"]).all()


def test_every_event_is_drawn_and_one_seed_in_some_runs_every_table():
    assert {name for seed in FIRST for name in play.plan(seed)} == set(events.EVENTS)
    assert {*interruptions.ENDS, *interruptions.IN_A_VERSION} < set(events.EVENTS)
    casts = [cast_of(seed) for seed in FIRST]
    assert set().union(*map(cast_of, SHORT[:25])) >= {table.address for table in SYSTEM_TABLES.values()}
    assert all({LEDGER.address, ODDS_QUOTES.address} < cast for cast in casts)
    assert [cast_of(seed) for seed in LONG].count(frozenset()) == len(LONG) // WHOLE_EVERY
    assert [dates_of(seed).league_begins for seed in LONG].count(IN_AUTUMN) == len(LONG) // AUTUMN_EVERY


def test_a_seed_is_always_the_same_events():
    assert play.plan(7) == play.plan(7) != play.plan(8)


def test_an_event_meets_dates_in_their_order(predicted):
    """A set of dates has another order in each process: one seed would then draw other events."""
    world = World(predicted)
    world.pass_time(10_000)
    assert events.played(world) == [DAY, NEXT]


@pytest.fixture
def published(predicted) -> World:
    """A world in which all is well, with one system."""
    world = World(predicted, cast=cast_of(FIRST[0]))
    assert invariants.check(world) == []
    world.remember()
    return world


def _made_up(world: World) -> None:
    row = world.rows().query("quote_id.notna()").sort_values("prediction_id").iloc[[0]]
    made = row.assign(prediction_id="0" * 32, line=20.0, quote_id=None, sportsbook=None, row_digest=None)
    world.platform.warehouse.append(LEDGER, made, [DAY], {})


def _another_line(world: World) -> None:
    rows = world.rows()
    rows.loc[rows["line"].notna(), "line"] += 1.0
    world.platform.warehouse.write_unchecked(LEDGER, rows, DAY)


def _gone(world: World) -> None:
    # `remove` takes only rows that the archive has
    world.platform.warehouse.write_unchecked(LEDGER, world.platform.warehouse.read(LEDGER, [DAY]).iloc[1:], DAY)


def _altered(world: World) -> None:
    rows = world.rows()
    rows["forecast"] += 1.0
    world.platform.warehouse.write_unchecked(LEDGER, digests.sealed(LEDGER, rows.assign(row_digest=None)), DAY)


def _too_late(world: World) -> None:
    rows = world.rows()
    rows["created_at"] = rows["cutoff_at"]
    world.platform.warehouse.write_unchecked(LEDGER, rows.assign(is_backfill=False), DAY)


@pytest.mark.parametrize("left", [b"PAR1", None])
def test_a_harmed_partition_is_seen_unless_the_seed_harmed_it(published: World, left: bytes | None):
    file = Path(published.lake._layout.located(LEDGER, DAY))
    file.unlink()  # a copy shares it
    if left is not None:
        file.write_bytes(left)
    published.looked_at.clear()
    with pytest.raises(WarehouseError, match=f"{LEDGER.address} partition {DAY}"):
        invariants.check(published)


def test_a_payload_that_is_dropped_without_a_word_is_seen(published: World):
    published.landed.add("the_odds_api/player_points/2025-11-10/lost.json.gz")
    assert invariants.nothing_dropped(published) == [
        "the_odds_api/player_points/2025-11-10/lost.json.gz: neither rows nor a reason"
    ]


@pytest.mark.long  # the seeds above meet each of them
@pytest.mark.parametrize(
    ("ending", "name", "at"),
    [
        *((interruptions.ending, name, 1) for name in interruptions.ENDS),
        *((interruptions.ending_in_a_version, name, 0) for name in interruptions.IN_A_VERSION),
    ],
)
def test_a_command_meets_its_end_at_the_file_that_was_drawn_or_as_it_publishes(
    published: World, ending: Callable[..., AbstractContextManager[None]], name: str, at: int
):
    with ending(published, name, at):
        events.predict_again(published)
    assert published.happened[name] == 1
    assert invariants.check(published) == []


@pytest.mark.long
def test_what_happens_meanwhile_happens_once_and_before_a_table_of_this_world_is_written(published: World):
    happened: list[int] = []
    with interruptions.meanwhile(published, 3, lambda: happened.append(1)):
        other = published.another()
        events.predict_again(other)
        assert happened == [], "another process writes"
        events.predict_again(published)
    assert happened == [1]
    published.open.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_made_up, "0" * 32),
        (_another_line, "quote"),
        (_gone, "lost"),
        (_altered, "changed"),
        (_too_late, "after its cut-off"),
    ],
)
def test_a_broken_ledger_is_seen(published: World, harm: Callable[[World], None], said: str):
    harm(published)
    assert any(said in problem for problem in invariants.check(published))


@pytest.mark.parametrize("troubles", [0, 3, 4])
def test_a_client_gives_up_after_its_attempts_and_not_before(
    published: World, monkeypatch: pytest.MonkeyPatch, troubles: int
):
    class Troubled(servers.Servers):
        def __init__(self, rng: random.Random, paths: Iterable[str], say: servers.Say) -> None:
            super().__init__(rng, paths, say)
            self.left = {path: [*servers.TROUBLES][:troubles] for path in self.left}
            self.gives_in = troubles < servers.ATTEMPTS

    monkeypatch.setattr(servers, "Servers", Troubled)
    assert servers.odds_from_the_client(published, NEXT)
    assert published.broken == []
    assert len(published.landed) == (2 if troubles < servers.ATTEMPTS else 0)
    assert bool(published.reported) == (troubles == servers.ATTEMPTS)


def test_a_release_ends_with_its_seed(published: World):
    before = {table.address: table.columns for table in TABLES.values()}
    assert releases.release(published)
    assert before != {table.address: table.columns for table in TABLES.values()}
    assert invariants.check(published) == []
    published.open.close()
    assert before == {table.address: table.columns for table in TABLES.values()}


def test_a_version_without_all_that_its_run_wrote_is_seen(published: World):
    with interruptions.noting_publications(published):
        events.predict_again(published)
    assert invariants.check(published) == []
    (run_id, day), wrote = next(iter(published.wrote.items()))
    published.wrote[run_id, day] = {**wrote, "nba_raw.lost": next(iter(wrote.values()))}
    assert invariants.check(published) == [f"nba_raw.lost of {day}: not in the version of the run that wrote it"]


def test_the_night_in_which_clocks_are_set_back_is_in_the_span():
    dates = Dates(IN_AUTUMN)
    first, last = dates.span[0], dates.span[-1]
    assert (league.tipoff(last) - league.tipoff(first)) > timedelta(days=(last - first).days)


def test_the_table_has_every_kind_and_counts_what_converged(published: World):
    counts = play.Counts()
    published.drawn["odds"] = published.happened["odds"] = published.survived["odds"] = 1
    counts.add(published, converged=False)
    counts.add(published, converged=True)
    table = counts.table()
    assert {*events.EVENTS, *servers.TROUBLES} < set(table.index)
    assert table.loc["odds"].to_dict() == {"drawn": 2, "injected": 2, "survived": 2, "converged": 1}


def test_a_failure_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def breaks(_prepared: play.Prepared, _folder: Path, seed: int, only: list[int]) -> None:
        if {3, 5} <= set(only):
            raise play.Broken(seed)

    monkeypatch.setattr(play, "play", breaks)
    assert play.shrunk(lambda _: tmp_path, tmp_path, 1) == [3, 5]
