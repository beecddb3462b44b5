"""A game day with webserver and daemon, at high speed: the test changes only the outside world and the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from nba_props.assets.site import GATHERED_PAGES, SLATE_PAGE
from nba_props.automation.alerts import Alerts
from nba_props.automation.instance import open_instance
from nba_props.automation.jobs import SITE_JOB
from nba_props.deployment import load_settings
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import game_date_of
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.simulator import payloads
from nba_props.simulator.incidents import second_writer
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, open_platform

pytestmark = pytest.mark.slow

GAMES = [g for g in league.games() if g.day == DAY]
#: the job of what a condition asks for, which Dagster makes
BY_CONDITION = "__ASSET_JOB"
PAGES = (SITE_JOB, BY_CONDITION)
FORECASTS = 36 * len(SYSTEM_TABLES)
PATIENCE = 90


class Day:
    """The outside world: what lands, what time it is, and the two processes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.clock = folder, folder / "clock"
        environ = {
            "NBA_PROPS_HOME": str(folder / "home"), "NBA_PROPS_LANDING": str(folder / "landing"),
            "NBA_PROPS_FIRST_DATE": str(league.FIRST), "NBA_PROPS_CLOCK": str(self.clock), "NBA_PROPS_SENSOR_SECONDS": "1",
        }  # fmt: skip
        for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER", "ODDS_API", "SLACK"))]:
            monkeypatch.delenv(name)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        self.zone = LandingZone(str(folder / "landing"))
        self.timeline: list[str] = []
        self.processes: dict[str, subprocess.Popen] = {}

    def prepare(self) -> None:
        """History and models; nothing of the day itself but its schedule."""
        self.zone.land("landing.json", {"data_source": "SIMULATED", "first_date": str(league.FIRST)})
        self.at(GAMES[0].tipoff_at - timedelta(hours=9))
        with dg.DagsterInstance.ephemeral() as instance:
            platform = open_platform(self.folder, instance, self.now)
            for game in (g for g in league.games() if g.day < DAY):
                if not self.zone.has(league.log_path(game.day)):
                    today = [g for g in league.games() if g.day == game.day]
                    league.land_log(self.zone, game.day, [r for g in today for r in league.log_rows(g)])
            schedule = f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz"
            self.zone.land(schedule, league.schedule(league.games(), DAY))
            assert platform.ingest(league.FIRST, DAY).success
            assert platform.train(week_of(DAY)).success
        self.settings = load_settings()
        self.lake = LakeWarehouse(self.settings.lake)
        self.home = open_instance(self.settings)

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.clock.read_text())

    def at(self, instant: datetime) -> None:
        temporary = self.clock.with_suffix(".new")
        temporary.write_text(payloads.instant(instant))
        os.replace(temporary, self.clock)

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.log").open("a")
        self.processes[name] = subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:], "-m", "nba_props.definitions"],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for something to have happened, or tell what the processes said."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(p.read_text()[-3000:] for p in self.folder.glob("*.log"))
                raise AssertionError(f"{what} did not happen in {PATIENCE} s\n{self.runs()}\n{logs}")
            time.sleep(0.5)
        self.timeline.append(f"{self.now:%m-%d %H:%M} {what}")

    def runs(self) -> list[tuple[str, str]]:
        """Job and status of every run, oldest first."""
        found = self.home.get_runs(dg.RunsFilter())
        return [(r.job_name, r.status.value) for r in reversed(found)]

    def work(self) -> list[tuple[str, str]]:
        """The same without those that make pages, which come after them in an order of their own."""
        return [run for run in self.runs() if run[0] not in PAGES]

    def gathered(self) -> bool:
        """Whether the pages that gather dates are newer than every date's, and all is done."""
        pages = (self.home.get_latest_materialization_event(key) for key in (SLATE_PAGE, GATHERED_PAGES))
        slate, gathered = (event.timestamp if event else 0.0 for event in pages)
        return 0 < slate < gathered and self.idle()

    def idle(self) -> bool:
        return all(status in ("SUCCESS", "FAILURE") for _, status in self.runs())

    def ledger(self) -> pd.DataFrame:
        days = self.lake.partitions(LEDGER)
        return self.lake.read(LEDGER, days)

    def alerts(self) -> list[str]:
        return [s["cause"] for s in Alerts(self.settings.live, self.settings.home, lambda: self.now).sent()]


@pytest.fixture
def day(tmp_path, monkeypatch, trees_as_delivered):
    made = Day(tmp_path, monkeypatch)
    made.prepare()
    yield made
    for name in list(made.processes):
        made.kill(name)
    made.home.dispose()


@pytest.mark.long
def test_a_day_runs_unattended(day):
    port = "3199"
    day.start("webserver", "python", "-m", "nba_props.automation.webserver", "-h", "127.0.0.1", "-p", port)
    day.start("daemon", "dagster-daemon", "run")

    # in the morning the first odds land
    day.at(GAMES[0].tipoff_at - timedelta(minutes=415))
    for game in GAMES:
        day.zone.land(*league.capture(game, 420, -1.0))
    day.until("first odds, predicted", lambda: len(day.lake.partitions(LEDGER)) == 1 and day.idle())
    assert len(day.ledger()) == FORECASTS
    assert day.work() == [("predict", "SUCCESS")]

    # the daemon is killed; meanwhile a line moves; it is started again
    day.kill("daemon")
    day.at(GAMES[0].tipoff_at - timedelta(minutes=55))
    day.zone.land(*league.capture(GAMES[0], 60, 1.0))
    day.start("daemon", "dagster-daemon", "run")
    day.until("line moved, followed", lambda: len(day.ledger()) > FORECASTS and day.idle())
    followed = day.ledger()
    moved = followed[followed.duplicated(["system_id", "player_id"], keep=False)]
    assert set(moved["game_id"]) == {GAMES[0].game_id}, "only the game whose line moved"
    assert day.work() == [("predict", "SUCCESS"), ("follow", "SUCCESS")]
    assert [v.job_name for v in day.lake.versions(DAY)][-2:] == ["predict", "follow"]

    # an injury report before the second game: one more of its players gets no forecast any more
    star = league.player(GAMES[1].home, 5)
    first, _, rest = star[1].partition(" ")
    at = GAMES[1].tipoff_at - timedelta(minutes=100)
    record = {
        "date": f"{DAY:%m/%d/%Y}", "matchup": f"{GAMES[1].away.code}@{GAMES[1].home.code}", "team": GAMES[1].home.full,
        "player": f"{rest}, {first}", "status": "Out", "reason": "Illness",
    }  # fmt: skip
    content = {"metadata": {"report_at": payloads.instant(at)}, "records": [record]}
    day.zone.land(f"injury_report/{DAY}/report-{at:%Y%m%dT%H%M%SZ}.json.gz", content)
    day.until("injury, followed", lambda: len(day.ledger()) > len(followed) and day.idle())
    last = day.ledger().sort_values("created_at").drop_duplicates(["system_id", "player_id"], keep="last")
    assert last.loc[last["player_id"] == star[0], "forecast"].isna().all()

    # after the last tip-off what lands is loaded, since it may be a close, and publishes nothing
    before = len(day.ledger())
    day.at(GAMES[1].tipoff_at + timedelta(minutes=31))
    for game in GAMES:
        day.zone.land(*league.capture(game, -30, 8.0))
    day.until("last odds, loaded", lambda: len(day.work()) == 4 and day.idle())
    assert len(day.ledger()) == before

    # the next morning the results are there
    day.at(GAMES[1].tipoff_at + timedelta(hours=9))
    schedule = f"nba_stats/scheduleleaguev2/{league.SEASON}-20251111T080000Z.json.gz"
    day.zone.land(schedule, league.schedule(league.games(), DAY + timedelta(1)))
    league.land_log(day.zone, DAY, [r for g in GAMES for r in league.log_rows(g)])
    day.until("results, graded", lambda: len(day.work()) == 5 and day.idle())
    grades = day.lake.read(PREDICTION_ACCURACY, [DAY])
    assert len(grades) == before
    assert set(grades["outcome"]) & {"WIN", "LOSS"}
    assert day.alerts() == []

    # a second writer fills in 20.0; the league corrects a box score; the grades find the placeholders
    assert second_writer(day.lake, [DAY], rows=36) == 36
    rows = [r for g in GAMES for r in league.log_rows(g)]
    rows[0] = league.scoring_more(rows[0], 1)
    league.land_log(day.zone, DAY, rows, "-20251111T160000Z")
    day.until("placeholders, alerted", lambda: any("validation_no_placeholders" in c for c in day.alerts()))
    assert len([c for c in day.alerts() if "validation_no_placeholders" in c]) == 1

    # nothing was lost or done twice, and the pages that gather dates followed, by their condition alone
    day.until("pages gathered", day.gathered)
    jobs = [job for job, _ in day.runs()]
    assert 1 <= jobs.count(BY_CONDITION) <= jobs.count(SITE_JOB), "a run for many changes, never more"
    assert [job for job, _ in day.work()] == ["predict", "follow", "follow", "follow", "grade", "grade"]
    assert day.ledger()["prediction_id"].is_unique
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=10) as answer:
        assert b"dagster_webserver_version" in answer.read()
    assert game_date_of(day.now) > DAY
    (day.folder / "timeline.txt").write_text("\n".join(day.timeline))
