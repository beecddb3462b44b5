"""``python -m benchmarks.load``: a season in ten markets with a capture of every game every five minutes.

Some 10^5 payloads and 10^7 quotes: two players a game, quoted as always, so that the number of payloads is that of a
season and a payload is small. Printed are the season's backfill of lines, a slate, a fortnight's backfill and the pages
of a slate, each in a process of its own with its peak of memory; then a process that ticks every sensor a thousand
times and runs a system and the gate three hundred times, with its memory and open files as it goes; and what a date
takes on the disk. ``--captures`` and ``--dates`` make it smaller.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.seasons import Home
from nba_props.automation import planning
from nba_props.automation.instance import open_instance
from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB, PREDICT_JOB, SITE_JOB
from nba_props.automation.runner import execute
from nba_props.definitions import build_defs
from nba_props.deployment import deployed, load_settings
from nba_props.facts.calendar import days, spans
from nba_props.facts.markets import keys
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.settings import Settings
from nba_props.simulator import league, market
from nba_props.simulator.season import Season
from nba_props.sources import odds_api
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import few_trees

#: the slate, and the last of the fortnight
NIGHT = date(2026, 1, 9)
AFTERNOON = datetime(2026, 1, 9, 20, tzinfo=UTC)
FORTNIGHT = (NIGHT - timedelta(14), NIGHT - timedelta(1))
PLAYERS_PER_GAME = 2
EVERY = 5


def land(home: Path, captures: int, dates: int) -> None:
    """The season's payloads; odds on the last so many dates up to the night."""
    market.CAPTURES = tuple(range(EVERY * (captures - 2), -2 * EVERY, -EVERY))  # type: ignore[assignment]
    plain = league.play

    def play(*given: Any) -> Season:
        season = plain(*given)
        few = season.market.groupby("game", sort=False).head(PLAYERS_PER_GAME)
        return Season(**{**vars(season), "market": few})

    league.play = play
    league.simulate(
        home / "landing", odds_days=days(NIGHT - timedelta(dates - 1), NIGHT), asked=keys(), progress=lambda *_: None
    )


def lines(home: Path) -> None:
    """Every landed date's quotes and lines."""
    with opened(home) as ours:
        landed = odds_api.landed_days(ours.zone)
        ours.run_job(HISTORY_JOB, date(2025, 10, 20), NIGHT)
        for first, last in spans(landed, bridge=2):
            ours.run_job(LINES_JOB, first, last)


def night(home: Path) -> None:
    """A slate, with its models."""
    with opened(home) as ours:
        ours.run([NIGHT])


def fortnight(home: Path) -> None:
    """Two weeks, as `nba-props backfill` does."""
    with opened(home) as ours:
        ours.run(days(*FORTNIGHT))


def pages(home: Path) -> None:
    """The pages of the slate."""
    with opened(home) as ours:
        ours.run_job(SITE_JOB, NIGHT, NIGHT)


def daemon(home: Path) -> None:
    """Ticks and runs in one process: its memory and open files at every tenth of them."""
    with opened(home) as ours:
        definitions = ours.definitions
        # those of failed runs are called by Dagster with a run, not by a tick
        sensors = [s for s in definitions.sensors or () if type(s) is dg.SensorDefinition]
        repository = definitions.get_repository_def()
        cursors: dict[str, str | None] = {}
        began = time.monotonic()
        for tick in range(1000):
            for sensor in sensors:
                with dg.build_sensor_context(
                    instance=ours.instance, cursor=cursors.get(sensor.name), repository_def=repository,
                    resources=definitions.resources,
                ) as context:  # fmt: skip
                    cursors[sensor.name] = sensor.evaluate_tick(context).cursor
            _report("tick", tick, 1000, began)
        began = time.monotonic()
        tables = (LEDGER, QUARANTINED_PREDICTIONS)
        select = planning.resolve(definitions, ["moving_average"])
        select = [k for k in select if k.path[-1] == "moving_average" or k.path[-1] in [t.name for t in tables]]
        for number in range(300):
            outcome = execute(definitions, ours.instance, PREDICT_JOB, NIGHT, NIGHT, select=select)
            if not outcome.success:
                raise RuntimeError(outcome.errors)
            _report("run", number, 300, began)


def _report(what: str, number: int, of: int, began: float) -> None:
    if number % (of // 10) == of // 10 - 1:
        with open("/proc/self/statm") as statm:
            resident = int(statm.read().split()[1]) * resource.getpagesize() >> 20
        each = (time.monotonic() - began) / (number + 1)
        print(f"  {what} {number + 1}: {resident} MB, {len(os.listdir('/proc/self/fd'))} open files, "
              f"{1000 * each:.0f} ms each", flush=True)  # fmt: skip


class _Deployed(Home):
    """A home in every market, on the instance that its user has, on the afternoon of the night."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        super().__init__(settings, instance)
        self.instance = instance
        self.definitions = build_defs(deployed(settings, self.warehouse, self.zone, clock=lambda: AFTERNOON))

    def run_job(self, job: str, first: date, last: date) -> None:
        outcome = execute(self.definitions, self.instance, job, first, last)
        if not outcome.success:
            raise RuntimeError(outcome.errors)


@contextmanager
def opened(home: Path) -> Iterator[_Deployed]:
    """A home for work in this process."""
    settings = load_settings({"NBA_PROPS_HOME": str(home), "NBA_PROPS_MARKETS": "all"})
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    with open_instance(settings) as instance:
        yield _Deployed(settings, instance)


STAGES = {"lines": lines, "night": night, "fortnight": fortnight, "pages": pages, "daemon": daemon}


def main() -> None:
    """Land the season and run each stage in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=81, help="captures of a game")
    parser.add_argument("--dates", type=int, default=400, help="dates with odds")
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        few_trees()
        STAGES[asked.stage](asked.home)
        return
    with tempfile.TemporaryDirectory() as made:
        home = asked.home or Path(made)
        if not (home / "landing").exists():
            land(home, asked.captures, asked.dates)
        zone = LandingZone(str(home / "landing"))
        landed = odds_api.landed_days(zone)
        payloads = sum(len(odds_api.captures(zone, day)) for day in landed)
        print(f"{payloads:,} payloads of odds on {len(landed)} dates", flush=True)
        for stage in STAGES:
            began = time.monotonic()
            command = [sys.executable, "-m", "benchmarks.load", "--home", str(home), "--stage", stage]
            process = subprocess.Popen(command)
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise SystemExit(f"{stage} failed")
            print(f"{stage}: {time.monotonic() - began:,.1f} s, {used.ru_maxrss >> 10:,} MB at most", flush=True)
        _sizes(home, landed)


def _sizes(home: Path, landed: Sequence[date]) -> None:
    """What a date takes on the disk."""
    lake = LakeWarehouse(home / "lake")
    quotes = sum(lake.row_counts(ODDS_QUOTES, landed).values())
    print(f"{quotes:,} quotes")
    for place, per in (("landing", landed), ("lake", landed), ("site", [NIGHT]), ("dagster", landed)):
        taken = sum(f.stat().st_size for f in (home / place).rglob("*") if f.is_file() and not f.is_symlink())
        print(f"{place}: {taken / 1e6:,.1f} MB, {taken / 1e6 / len(per):,.2f} MB a date")


if __name__ == "__main__":
    main()
