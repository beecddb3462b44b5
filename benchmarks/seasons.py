"""Whole simulated seasons, backfilled and graded: every date's checks, and what they said.

``python -m benchmarks.seasons --seeds 20`` simulates one clean season for each seed, backfills it date range by date
range as a user would, and counts what was found. Trees are few, so that twenty seasons take an hour and not a day.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation import planning, runner
from nba_props.definitions import build_defs
from nba_props.domain.calendar import days as dates_between
from nba_props.domain.systems import catboost_v8, xgboost_v1
from nba_props.settings import load_settings
from nba_props.simulator.league import simulate
from nba_props.sources import odds_api
from nba_props.sources.landing import LandingZone
from nba_props.warehouse.models import ModelStore
from nba_props.warehouse.opening import open_warehouse

_STEP = 14


def season(seed: int, folder: Path, last_dates: int) -> collections.Counter[tuple[str, str, str]]:
    """Findings by asset, check and severity over the last dates of a season; what failed is named, too."""
    simulate(folder / "landing", 1, seed, lambda *_: None)
    settings = load_settings({"NBA_PROPS_HOME": str(folder)})
    zone, warehouse = LandingZone(settings.landing), open_warehouse(settings)
    inputs = Inputs(warehouse, zone, ModelStore(settings.models), settings)
    definitions = build_defs(settings, warehouse, zone)
    landed = odds_api.landed_days(zone)[-last_dates:]
    found: collections.Counter[tuple[str, str, str]] = collections.Counter()
    with dg.DagsterInstance.ephemeral() as instance:
        for start in range(0, len(landed), _STEP):
            part = landed[start : start + _STEP]
            span = dates_between(part[0], part[-1])
            for job, first, last in planning.plan(definitions, inputs, span):
                outcome = runner.execute(definitions, instance, job, first, last)
                for error in [*outcome.errors, *outcome.failures]:
                    found[error[:80], "failed", "ERROR"] += 1
                for asset, check, severity, text in outcome.failed_checks:
                    found[asset, check, severity] += 1
                    if severity == "ERROR":
                        print(f"seed {seed} {first}..{last} {asset} {check}: {text[:300]}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--dates", type=int, default=400, help="the last so many dates of each season")
    arguments = parser.parse_args()
    catboost_v8.CatBoost.parameters = {**catboost_v8.CatBoost.parameters, "iterations": 60}
    xgboost_v1.XGBoost.rounds = 60
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = season(seed, Path(folder), arguments.dates)
        errors = sum(n for (_, _, severity), n in found.items() if severity == "ERROR")
        took = timedelta(seconds=round(time.monotonic() - started))
        print(f"seed {seed}: {errors} errors, {sum(found.values()) - errors} warnings, {took}", dict(found), flush=True)


if __name__ == "__main__":
    main()
