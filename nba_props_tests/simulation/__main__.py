"""``python -m nba_props_tests.simulation SEED``: play a seed again, or shrink it."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from nba_props.domain.models import learner, training
from nba_props.presentation import charts
from nba_props.process.revision import revision
from nba_props_tests import dagster_in_memory
from nba_props_tests.conftest import LADDER, few_trees, no_catalog, open_platform
from nba_props_tests.copies import copied
from nba_props_tests.dagster_in_memory import instance_that_forgets
from nba_props_tests.simulation.play import Broken, Counts, Prepared, plan, play, shrunk
from nba_props_tests.simulation.world import rung_of


def preparing(folder: Path) -> Prepared:
    """Makes the league up to what seeds begin with, when it is asked for first, on the rungs below it."""
    few_trees()

    @cache
    def rung(name: str) -> Path:
        place, step = folder / name, LADDER[name]
        if step.below:
            copied(rung(step.below), place)
        with instance_that_forgets() as instance:
            step.climb(open_platform(place, instance, asked=step.asked, first_date=step.first))
        return place

    return lambda dates: rung(rung_of(dates))


@contextmanager
def cheaply() -> Iterator[None]:
    """As the suite runs: instances in memory are copied, nothing waits for the disk, and nothing is drawn."""
    logging.disable(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch, no_catalog():
        for saving in (
            dagster_in_memory.keep_connections, dagster_in_memory.copy_tables, dagster_in_memory.read_migrations_once
        ):  # fmt: skip
            saving(patch)
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(charts, "_svg", lambda _: b"<svg></svg>")
        patch.setattr(charts, "_png", lambda _: b"PNG")
        patch.setattr(training, "MIN_ROWS", 150)
        patch.setattr(learner, "THREADS", 1)
        yield


def main() -> None:
    """Play seeds, print what happened in them, and shrink the first that breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int, help="the seed, or the first of several")
    parser.add_argument("--to", type=int, help="play all seeds up to this one")
    parser.add_argument("--minutes", type=float, help="play seeds for as long")
    parser.add_argument("--events", help="numbers of the events to play, comma-separated")
    parser.add_argument(
        "--keep-going", action="store_true", help="go on after a seed that breaks, without shrinking it"
    )
    asked = parser.parse_args()
    only = [int(n) for n in asked.events.split(",")] if asked.events else None
    last = asked.to or (sys.maxsize if asked.minutes else asked.seed)
    until = time.monotonic() + 60 * (asked.minutes or 1e9)
    counts, broke = Counts(), list[int]()
    with tempfile.TemporaryDirectory() as made, cheaply():
        base = preparing(Path(made) / "prepared")
        seed = asked.seed
        while seed <= last and time.monotonic() < until:
            began = time.monotonic()
            try:
                play(base, Path(made) / str(seed), seed, only, counts)
            except Broken as broken:
                broke.append(seed)
                print(f"BROKEN {broken} (commit {revision()})", flush=True)
                if not asked.keep_going:
                    fewest = shrunk(base, Path(made) / f"{seed}-shrunk", seed) if only is None else only
                    names = plan(seed)
                    print(f"fewest events: {seed} --events {','.join(map(str, fewest))} ({[names[n] for n in fewest]})")
                    break
            else:
                print(f"seed {seed}: converged after {time.monotonic() - began:.1f} s", flush=True)
            shutil.rmtree(Path(made) / str(seed))
            seed += 1
    print(counts.table().to_string())
    print(f"{seed - asked.seed - len(broke)} seeds converged, broken: {broke or 'none'}")
    raise SystemExit(bool(broke))


if __name__ == "__main__":
    main()
