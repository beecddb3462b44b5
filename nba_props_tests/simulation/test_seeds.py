"""Seeds, played; and that a broken ledger is seen, and that a failure is shrunk to what it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nba_props.schemas.predictions import LEDGER
from nba_props_tests.conftest import DAY, NEXT
from nba_props_tests.simulation import events, invariants, play
from nba_props_tests.simulation.world import World

_LONG = [pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 9)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, *_LONG])
def test_invariants_hold_and_tables_converge(landed_history: Path, tmp_path: Path, seed: int):
    world = play.play(landed_history, tmp_path, seed)
    assert sum(world.happened.values()) >= play.LENGTH
    assert world.published, "a seed that publishes nothing proves nothing"


def test_a_seed_is_always_the_same_events():
    assert play.plan(7) == play.plan(7) != play.plan(8)


def test_an_event_meets_dates_in_their_order(predicted):
    """A set of dates has another order in each process: one seed would then draw other events."""
    world = World(predicted)
    world.pass_time(10_000)
    assert events.played(world) == [DAY, NEXT]


@pytest.fixture
def published(predicted) -> World:
    """A world in which all is well."""
    world = World(predicted)
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


def _too_late(world: World) -> None:
    rows = world.rows()
    rows["created_at"] = rows["cutoff_at"]
    world.platform.warehouse.write_unchecked(LEDGER, rows.assign(is_backfill=False), DAY)


@pytest.mark.parametrize(
    ("harm", "said"),
    [(_made_up, "0" * 32), (_another_line, "quote"), (_gone, "lost"), (_too_late, "after its cut-off")],
)
def test_a_broken_ledger_is_seen(published: World, harm: Callable[[World], None], said: str):
    harm(published)
    assert any(said in problem for problem in invariants.check(published))


def test_a_failure_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def breaks(_prepared: Path, _folder: Path, seed: int, only: list[int]) -> None:
        if {3, 7} <= set(only):
            raise play.Broken(seed)

    monkeypatch.setattr(play, "play", breaks)
    assert play.shrunk(tmp_path, tmp_path, 1) == [3, 7]
