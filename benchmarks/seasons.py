"""Whole simulated seasons, backfilled and graded: the results of every date's checks.

``python -m benchmarks.seasons --seeds 20`` simulates one clean season for each seed, backfills it date range by date
range as a user would, and counts what was found. Trees are few, so that twenty seasons take an hour and not a day.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation import planning, runner
from nba_props.definitions import build_defs
from nba_props.deployment import deployed, load_settings
from nba_props.facts.calendar import days as dates_between
from nba_props.settings import Settings
from nba_props.simulator.league import simulate
from nba_props.sources import odds_api
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import few_trees

_STEP = 14


Findings = collections.Counter[tuple[str, str, str]]


class Home:
    """A home and its landing zone, and what its runs found by asset, check and severity, errors included."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.zone, self.warehouse = LandingZone(settings.landing), open_warehouse(settings)
        self._inputs = Inputs(self.warehouse, self.zone, ModelStore(settings.models), settings)
        self._definitions, self._instance = build_defs(deployed(settings, self.warehouse, self.zone)), instance
        self.found: Findings = collections.Counter()

    def run(self, span: Sequence[date]) -> None:
        """What `nba-props run` does for these dates."""
        for job, first, last in planning.plan(self._definitions, self._inputs, span):
            outcome = runner.execute(self._definitions, self._instance, job, first, last)
            for error in [*outcome.errors, *outcome.failures]:
                self.found[error[:80], "failed", "ERROR"] += 1
                print(f"{job} {first}..{last} {error[:300]}", flush=True)
            for asset, check, severity, text in outcome.failed_checks:
                self.found[asset, check, severity] += 1
                if severity == "ERROR":
                    print(f"{job} {first}..{last} {asset} {check}: {text[:300]}", flush=True)

    @property
    def errors(self) -> int:
        return sum(n for (_, _, severity), n in self.found.items() if severity == "ERROR")


def season(seed: int, folder: Path, last_dates: int) -> Home:
    """The last dates of a simulated season, backfilled."""
    simulate(folder / "landing", 1, seed, lambda *_: None)
    with dg.DagsterInstance.ephemeral() as instance:
        home = Home(load_settings({"NBA_PROPS_HOME": str(folder)}), instance)
        landed = odds_api.landed_days(home.zone)[-last_dates:]
        for start in range(0, len(landed), _STEP):
            part = landed[start : start + _STEP]
            home.run(dates_between(part[0], part[-1]))
    return home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--dates", type=int, default=400, help="the last so many dates of each season")
    arguments = parser.parse_args()
    few_trees()
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            home = season(seed, Path(folder), arguments.dates)
        took = timedelta(seconds=round(time.monotonic() - started))
        warnings = sum(home.found.values()) - home.errors
        print(f"seed {seed}: {home.errors} errors, {warnings} warnings, {took}", dict(home.found), flush=True)


if __name__ == "__main__":
    main()
