"""``python -m nba_props_tests.simulation SEED``: play a seed again, or shrink it."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import dagster as dg

from nba_props_tests.conftest import LADDER, few_trees, open_platform
from nba_props_tests.simulation.play import Broken, plan, play, shrunk


def prepared(folder: Path) -> Path:
    """The league up to the morning of the first date, with its models."""
    few_trees()
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_platform(folder, instance)
        LADDER["landed"].climb(platform)
        LADDER["prepared"].climb(platform)
    return folder


def main() -> None:
    """Play seeds, print what happened, and shrink the first that breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--to", type=int, help="play all seeds up to this one")
    parser.add_argument("--events", help="numbers of the events to play, comma-separated")
    asked = parser.parse_args()
    only = [int(n) for n in asked.events.split(",")] if asked.events else None
    happened: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as made:
        base = prepared(Path(made) / "prepared")
        for seed in range(asked.seed, (asked.to or asked.seed) + 1):
            began = time.monotonic()
            try:
                world = play(base, Path(made) / str(seed), seed, only)
            except Broken as broken:
                print(f"BROKEN {broken}")
                if only is None:
                    fewest = shrunk(base, Path(made) / f"{seed}-shrunk", seed)
                    names = plan(seed)
                    print(f"fewest events: --events {','.join(map(str, fewest))} ({[names[n] for n in fewest]})")
                raise SystemExit(1) from broken
            happened += world.happened
            print(f"seed {seed}: {sum(world.happened.values())} events in {time.monotonic() - began:.1f} s", flush=True)
    print(", ".join(f"{name} {n}" for name, n in happened.most_common()))


if __name__ == "__main__":
    main()
