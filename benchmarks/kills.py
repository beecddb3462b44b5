"""``python -m benchmarks.kills [N]``: N kills at random moments of each operation, and eight processes at once."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from nba_props_tests import conftest, faults, league


def main(kills: int) -> None:
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        history = folder / "history"
        with dg.DagsterInstance.ephemeral() as instance:
            platform = conftest.open_platform(history, instance, asked=league.MARKETS)
            league.land(platform.zone, asked=league.MARKETS)
            platform.ingest(league.FIRST, conftest.DAY)
        scenes = faults.scenes(history, folder)
        tallies = {name: faults.Tally() for name in scenes}
        for name, scene in scenes.items():
            started = time.monotonic()
            for seed in range(kills):
                faults.kill(scene, seed, tallies[name])
            print(
                f"{name}: {kills} kills within {scene.seconds:.1f} s each, {time.monotonic() - started:.0f} s",
                flush=True,
            )
        print(faults.summary(tallies).to_string(index=False))
        for text in [t for tally in tallies.values() for t in tally.faults]:
            print(text)
        print("eight at once:", faults.together(scenes["publish"], folder))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
