"""A lake with two seasons of history, made once for a whole run of the benchmarks."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from nba_props.automation.event_log import batch_events
from nba_props.automation.runner import Outcome, execute
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.settings import Settings
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse

LANDING = Path(os.environ.get("NBA_PROPS_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")) / "landing"
HISTORY = (date(2024, 10, 22), date(2025, 10, 20))
SPAN = (date(2025, 10, 21), date(2025, 11, 15))
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Bench:
    settings: Settings
    warehouse: LakeWarehouse
    definitions: dg.Definitions
    instance: dg.DagsterInstance

    def run(self, job: str, first: date, last: date | None = None) -> tuple[Outcome, float]:
        started = time.perf_counter()
        outcome = execute(self.definitions, self.instance, job, first, last or first)
        if not outcome.success:
            raise RuntimeError(outcome.errors)
        return outcome, time.perf_counter() - started


@contextmanager
def bench(ingested: tuple[date, date] = HISTORY):
    """A platform on a persistent SQLite instance in a temporary folder, its history ingested."""
    if not LANDING.is_dir():
        raise SystemExit(f"no payloads at {LANDING}: set NBA_PROPS_REAL_DATA")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings("local", Path(folder), str(LANDING), first_date=ingested[0])
        warehouse, zone = LakeWarehouse(settings.lake), LandingZone(settings.landing)
        settings.dagster_home.mkdir()
        batch_events()
        overrides = {
            "telemetry": {"enabled": False},
            "event_log_storage": {"module": "nba_props.automation.event_log", "class": "SqliteEventLog", "config": {}},
        }
        os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
        with dg.DagsterInstance.local_temp(str(settings.dagster_home), overrides) as instance:
            made = Bench(
                settings, warehouse, build_defs(deployed(settings, warehouse, zone, clock=lambda: NOW)), instance
            )
            made.run("ingest_history", *ingested)
            yield made
