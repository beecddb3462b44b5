"""Processes killed without warning, and eight at once. ``python -m benchmarks.kills`` does the same two hundred times."""

from __future__ import annotations

from functools import cache

import pytest

from nba_props_tests import faults

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene_of(rung, tmp_path_factory):
    """Makes scenes by their names, each once."""
    return cache(
        lambda name: faults.scenes(rung("many_prepared"), tmp_path_factory.mktemp("scene"), names=[name])[name]
    )


@pytest.mark.long
def test_a_backfill_killed_at_any_moment_loses_nothing_and_a_rerun_ends_the_same(rung, tmp_path):
    scene = faults.scenes(rung("many_prepared"), tmp_path, names=["backfill"])["backfill"]
    tally = faults.Tally()
    for seed in range(3):
        faults.kill(scene, seed, tally)
    assert tally.faults == []
    assert tally.kills == 3


@pytest.mark.parametrize(
    "name", ["publish", *(pytest.param(n, marks=pytest.mark.long) for n in ("quarantine", "restore"))]
)
def test_killed_at_any_moment_nothing_is_lost_and_a_rerun_ends_the_same(scene_of, name):
    tally = faults.Tally()
    faults.kill(scene_of(name), 0, tally)
    assert tally.faults == []
    assert tally.kills == 1


def test_the_check_sees_a_lost_row_and_a_half_partition(scene_of, tmp_path):
    """The judge itself: it must find what it looks for."""
    from nba_props.schemas.predictions import LEDGER

    scene = scene_of("quarantine")
    folder = faults.copy(scene.before, tmp_path / "platform")
    lake = faults.lake(folder)
    rows = lake.read(LEDGER, [faults.DAY])
    lake.write_unchecked(LEDGER, rows.iloc[1:], faults.DAY)
    found = " ".join(faults.faults(scene, folder, faults.state(folder)))
    assert "neither old nor new" in found
    assert "in neither ledger nor archive" in found


@pytest.mark.long
def test_eight_processes_and_two_readers_share_a_lake(scene_of, tmp_path):
    result = faults.together(scene_of("publish"), tmp_path)
    assert result["failed"] == []
    assert result["errors"] == []
    assert min(result["reads"]) > 3
    assert result["equal"]
    assert result["rows"] == result["rows_alone"] > 0
