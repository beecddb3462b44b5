"""``python -m benchmarks.markets``: what every market costs beside points alone, in one run.

A simulated league is quoted in points, and the same league in every market. A slate of 454 players and 53 dates are
predicted in both, each in a process of its own, which remembers its peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation import planning, runner
from nba_props.definitions import build_defs
from nba_props.deployment import deployed, load_settings
from nba_props.facts.calendar import days
from nba_props.facts.markets import POINTS, keys
from nba_props.simulator.league import simulate
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.lake import LakeWarehouse

SPAN = (date(2025, 11, 19), date(2026, 1, 10))
NIGHT = date(2026, 1, 9)


def measure(home: Path, first: date, last: date, *, prepare: bool) -> dict[str, Any]:
    """Predict a span: seconds inside steps, queries, rows published and the process's peak of memory.

    With ``prepare``, only what comes before: history, lines, models.
    """
    settings = load_settings({"NBA_PROPS_HOME": str(home)})
    zone, warehouse = LandingZone(settings.landing), LakeWarehouse(settings.lake)
    queries, plain = [0], LakeWarehouse.query

    def counted(self: LakeWarehouse, *given: Any, **values: Any) -> Any:
        queries[0] += 1
        return plain(self, *given, **values)

    LakeWarehouse.query = counted  # type: ignore[method-assign]
    definitions = build_defs(deployed(settings, warehouse, zone))
    inside = 0.0
    with dg.DagsterInstance.ephemeral() as instance:
        if prepare:
            inputs = Inputs(warehouse, zone, ModelStore(settings.models), settings)
            steps = [step for step in planning.plan(definitions, inputs, days(first, last)) if step[0] != "predict"]
            for job, start, end in [*steps, ("ingest_history", first, last)]:
                if not runner.execute(definitions, instance, job, start, end).success:
                    raise RuntimeError(f"{job} failed")
            return {}
        outcome = runner.execute(definitions, instance, "predict", first, last)
        if not outcome.success:
            raise RuntimeError(outcome.errors)
        for record in instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS):
            inside += record.dagster_event.event_specific_data.duration_ms / 1000
    asked = queries[0]
    rows = warehouse.query(
        "SELECT COUNT(*) AS n FROM nba_predictions.current_predictions "
        "WHERE game_date BETWEEN @first AND @last",
        first=first, last=last,
    )["n"][0]  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seconds": inside, "queries": asked, "megabytes": peak, "rows": int(rows)}


def apart(home: Path, first: date, last: date, *options: str) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.markets", "--home", str(home), str(first), str(last), *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(folder: Path) -> None:
    """Print each measurement in points, in every market, and the ratio."""
    homes = {"points": (POINTS,), "every market": keys()}
    for name, asked in homes.items():
        simulate(folder / name / "landing", odds_days=days(*SPAN), asked=asked)
        apart(folder / name, *SPAN, "--prepare")
    for what, span in (("a slate of 454", (NIGHT, NIGHT)), (f"{len(days(*SPAN))} dates", SPAN)):
        apart(folder / "points", *span)  # a first run fills the caches of the machine
        one, all_ = (apart(folder / name, *span) for name in homes)
        for figure, value in all_.items():
            print(f"{what}, {figure}: points {one[figure]:,.5g}, every market {value:,.5g}, "
                  f"ratio {value / one[figure]:.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("span", type=date.fromisoformat, nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.home:
        print(json.dumps(measure(chosen.home, *chosen.span, prepare=chosen.prepare)))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            compare(Path(temporary))
