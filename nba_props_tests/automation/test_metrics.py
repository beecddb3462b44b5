"""Numbers for a monitoring system: what they say, what they cost, and what is never among them."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
import yaml
from click.testing import CliRunner
from dagster._core.events import DagsterEvent
from pydantic import SecretStr

from nba_props.assets.inputs import landing_key
from nba_props.automation import api, metrics
from nba_props.automation.fetching import report
from nba_props.automation.instance import open_instance
from nba_props.automation.location import PROCESS_TAG, tags_of
from nba_props.cli import main
from nba_props.cli.metrics import metrics_of
from nba_props.deployment import deployed
from nba_props.operations.home import SIDES
from nba_props.presentation.exposition import Gauge, exposition
from nba_props.process import alive
from nba_props.process.alive import this_process
from nba_props.settings import Live
from nba_props.sources import registry
from nba_props.sources.base import Fetched
from nba_props.storage.landing import LandingError
from nba_props_tests.conftest import DAY, SOME_SYSTEMS
from nba_props_tests.presentation.test_exposition import parsed
from nba_props_tests.test_docs import PRODUCTION

ODDS = next(feed for feed in registry.feeds() if feed.odds)


def numbers(platform) -> dict[str, dict[str, float]]:
    """Every metric by name, and its values by their labels as text."""
    return {
        name: {" ".join(f"{k}={v}" for k, v in labels): value for labels, value in values.items()}
        for name, values in parsed(exposition(gauges_of(platform))).items()
    }


def gauges_of(platform) -> Iterator[Gauge]:
    deployment = deployed(platform.settings, platform.warehouse, platform.zone, clock=lambda: platform.now)
    return metrics.gauges(deployment, lambda: nullcontext(platform.instance), platform.definitions)


def parts_of(text: str) -> dict[str, float]:
    """Which parts of the numbers could be read."""
    return {dict(key)["part"]: value for key, value in parsed(text)["nba_props_readable"].items()}


@dg.op
def nothing() -> None:
    """Nothing."""


@dg.job(name="small")
def small() -> None:
    """A job of one step that does nothing."""
    nothing()


def live(platform):
    """The platform with a feed that is on, so that it follows the clock."""
    return platform.with_live(
        Live(
            odds_key=SecretStr("k" * 32),
            odds_reserve=77,
            webhooks={"ERROR": SecretStr("https://hooks.example/secret-path")},
        )
    )


def test_runs_are_counted_by_job_and_status_and_the_newest_success_has_its_time(platform):
    for _ in range(2):
        assert small.execute_in_process(instance=platform.instance).success
    waiting = platform.instance.create_run_for_job(small)
    (record,) = platform.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    platform.now = record.update_timestamp
    found = numbers(platform)
    assert found["nba_props_runs_ended"] == {"job=small status=SUCCESS": 2}
    assert found["nba_props_run_success_timestamp_seconds"] == {"job=small": record.end_time}
    assert found["nba_props_run_duration_seconds"]["job=small"] == pytest.approx(record.end_time - record.start_time)
    assert found["nba_props_runs_active"]["status=STARTED"] == 0
    platform.instance.report_run_failed(waiting)
    assert numbers(platform)["nba_props_runs_ended"]["job=small status=FAILURE"] == 1
    for days in (2, 30):
        platform.now += timedelta(days=days)
        later = numbers(platform)
        assert "nba_props_runs_ended" not in later, "none in the last day"


def test_the_newest_success_of_a_job_has_its_time_however_old_it_is(slated):
    assert slated.publish(DAY, SOME_SYSTEMS).success
    (record,) = slated.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    job = f"job={record.dagster_run.job_name}"
    for days in (2, 30):
        slated.now = record.update_timestamp + timedelta(days=days)
        found = numbers(slated)
        assert found["nba_props_run_success_timestamp_seconds"][job] == record.end_time
        assert found["nba_props_run_duration_seconds"][job] == pytest.approx(record.end_time - record.start_time)


def begun(platform, **tags: str) -> str:
    """A run that has begun and not ended."""
    run = platform.instance.create_run_for_job(small, tags=tags)
    for event in (dg.DagsterEventType.PIPELINE_STARTING, dg.DagsterEventType.PIPELINE_START):
        platform.instance.report_dagster_event(DagsterEvent(event.value, job_name="small"), run_id=run.run_id)
    return run.run_id


def test_a_run_whose_process_was_killed_is_not_under_way(platform):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"])
    host, _, started = this_process().rpartition(f" {os.getpid()} ")
    begun(platform, **{PROCESS_TAG: this_process()})
    begun(platform)
    begun(platform, **{PROCESS_TAG: f"another-{host} {child.pid} {started}"})
    begun(platform, **{PROCESS_TAG: f"{host} {os.getpid()} 1"})  # its number is this process's now
    begun(platform, **{PROCESS_TAG: alive.process(child.pid)})
    found = numbers(platform)
    assert (found["nba_props_runs_active"]["status=STARTED"], found["nba_props_runs_abandoned"][""]) == (4, 1)
    child.kill()
    child.wait()
    found = numbers(platform)
    assert (found["nba_props_runs_active"]["status=STARTED"], found["nba_props_runs_abandoned"][""]) == (3, 2)


def test_a_run_of_a_terminal_names_its_process():
    assert tags_of(None)[PROCESS_TAG] == this_process()


def test_a_check_has_its_newest_result(slated):
    outcome = slated.publish(DAY, SOME_SYSTEMS)
    assert outcome.success
    found = numbers(slated)["nba_props_check_failed"]
    failed = {label for label, value in found.items() if value}
    assert {(label.split()[0].split("=")[1], label.split()[1].split("=")[1]) for label in failed} == {
        (asset, name) for asset, name, *_ in outcome.failed_checks
    }
    passed = "asset=nba_predictions/ledger check=no_placeholder_lines severity=ERROR"
    assert found[passed] == 0
    slated.instance.report_dagster_event(_failure(slated), run_id=_a_run(slated))
    assert numbers(slated)["nba_props_check_failed"][passed] == 1
    slated.instance.report_dagster_event(_failure(slated, "WARN"), run_id=_a_run(slated))
    again = numbers(slated)["nba_props_check_failed"]
    assert (again[passed], again[passed.replace("ERROR", "WARN")]) == (0, 1)
    assert again.keys() == found.keys(), "a check that fails is not another series"


def _a_run(platform) -> str:
    return platform.instance.create_run_for_job(small).run_id


def _failure(platform, severity: str = "ERROR"):
    key = dg.AssetKey(["nba_predictions", "ledger"])
    result = dg.AssetCheckEvaluation(
        asset_key=key,
        check_name="no_placeholder_lines",
        passed=False,
        metadata={},
        severity=dg.AssetCheckSeverity[severity],
    )
    return DagsterEvent(dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, job_name="small", event_specific_data=result)


def test_what_is_late_is_what_the_checks_against_the_clock_say(published):
    platform = live(published)
    platform.now = platform.now.replace(hour=15)  # ten in the morning, Eastern
    found = numbers(platform)
    late = found["nba_props_late"]
    assert late["kind=table name=nba_predictions.ledger"] == 0
    assert late.get("kind=feed name=the_odds_api") in (0, 1, None)
    assert "nba_props_late" not in numbers(published), "with every feed off nothing is expected"
    newest = found["nba_props_newest_date_timestamp_seconds"]
    assert newest["table=nba_predictions.ledger"] == pytest.approx(_midnight(DAY))
    platform.now += timedelta(days=2)
    assert numbers(platform)["nba_props_late"]["kind=table name=nba_predictions.ledger"] == 1, "nothing of that day"


def _midnight(day) -> float:
    from nba_props.facts.tipoffs import day_bounds

    return day_bounds(day)[0].timestamp()


def fetched(platform, done: Fetched) -> None:
    """A job of a feed records what it did."""

    @dg.op
    def land(context) -> None:
        report(context, None, ODDS.name, done, landing_key(ODDS))

    @dg.job
    def fetch() -> None:
        land()

    assert fetch.execute_in_process(instance=platform.instance).success


def test_credits_are_those_of_the_newest_fetch(platform):
    platform = live(platform)
    before = numbers(platform)
    assert "nba_props_credits_left" not in before, "an unknown balance has no number"
    assert before["nba_props_credits_reserve"] == {"feed=the_odds_api": 77}
    for credits, remaining in ((12, 400), (5, 395)):
        fetched(platform, Fetched(landed=["a"], credits=credits, remaining=remaining))
    found = numbers(platform)
    assert found["nba_props_credits_left"] == {"feed=the_odds_api": 395}
    assert found["nba_props_credits_spent"] == {"feed=the_odds_api": 5}
    fetched(platform, Fetched(present=1))
    assert "nba_props_credits_left" not in numbers(platform), "its newest fetch heard of no balance"


def test_the_ui_draws_the_credits_at_the_asset_of_the_feed(platform):
    fetched(platform, Fetched(landed=["a"], credits=12, remaining=400))
    (record,) = platform.instance.fetch_observations(landing_key(ODDS), limit=1).records
    metadata = record.event_log_entry.asset_observation.metadata
    assert {name: value.value for name, value in metadata.items()} == {
        "landed": 1, "unchanged": 0, "failures": 0, "credits": 12, "credits_remaining": 400,
    }  # fmt: skip


@contextmanager
def statements() -> Iterator[Counter]:
    """The statements that Dagster's databases get inside."""
    found: Counter = Counter()

    def note(connection, cursor, statement, parameters, context, many):
        found[statement.split()[0]] += 1

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "before_cursor_execute", note)


def test_the_number_of_queries_does_not_grow(published):
    def cost() -> tuple[int, int]:
        before = published.warehouse.query_count
        with statements() as asked:
            numbers(published)
        return asked.total(), published.warehouse.query_count - before

    numbers(published)  # what is asked once in a process
    least = cost()
    for day in range(12):
        small.execute_in_process(instance=published.instance)
        fetched(published, Fetched(landed=["a"], credits=day, remaining=day))
    assert cost() == least
    assert least[0] < 60
    assert least[1] < 12


def test_no_secret_and_no_text_is_among_them(published):
    platform = live(published)
    platform = replace(
        platform,
        settings=replace(
            platform.settings, live=replace(platform.settings.live, proxy=SecretStr("https://user:hush@proxy.example"))
        ),
    )
    deployment = deployed(platform.settings, platform.warehouse, platform.zone, clock=lambda: platform.now)
    text = exposition(metrics.gauges(deployment, lambda: nullcontext(platform.instance), platform.definitions))
    for secret in ("k" * 32, "secret-path", "hooks.example", "hush", "proxy.example", str(platform.settings.home)):
        assert secret not in text
    assert text.count("nba_props_late") > 5


def test_the_rules_for_alerts_name_numbers_that_there_are(published):
    rules = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "prometheus-rules.yaml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({alert["alert"] for alert in alerts}) == len(alerts) >= 8
    values = {gauge.name: {pair for key in gauge.values for pair in key} for gauge in gauges_of(published)}
    labels = {name: {label for label, _ in pairs} for name, pairs in values.items()}
    for alert in alerts:
        named = re.findall(r"nba_props_\w+", alert["expr"])
        assert set(named) <= set(labels), alert
        # a matcher with a value that no series has never fires
        matched = re.findall(r"(nba_props_\w+){(?:exported_)?(\w+)=\"(\w+)\"}", alert["expr"])
        assert alert["expr"].count('="') == len(matched)
        for name, label, value in matched:
            assert not values[name] or (label, value) in values[name], alert
        assert alert["labels"]["severity"] in ("page", "ticket")
        # the one number that is not ours is of the file that the page writes
        if not named:
            assert re.findall(r"\w+{", alert["expr"]) == ["node_textfile_mtime_seconds{"]
            (written,) = re.findall(r"nba-props metrics --to (\S+)", PRODUCTION.read_text())
            (pattern,) = re.findall(r'file=~"(.+?)"', alert["expr"])
            assert re.fullmatch(pattern, written)
        used = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
        assert not named or used <= labels[named[0]] or not labels[named[0]], alert


def test_a_part_that_cannot_be_read_is_said_and_the_others_are_there(published, monkeypatch):
    def damaged(*_):
        raise LandingError("the landing zone can't be read")

    monkeypatch.setattr(metrics, "feeds_freshness", damaged)
    found = numbers(published)
    parts = {"part=league": 1, "part=runs": 1, "part=checks": 1, "part=freshness": 0, "part=credits": 1}
    assert found["nba_props_readable"] == parts
    assert "nba_props_late" not in found
    assert found["nba_props_runs_active"]
    monkeypatch.setattr(metrics, "feeds_freshness", lambda *_: 1 / 0)
    assert numbers(published)["nba_props_readable"] == parts, "a record that can't be decoded, or a bug"


def test_a_run_that_cannot_be_decoded_costs_the_numbers_of_runs_alone(typed):
    with open_instance(typed.settings) as instance:
        instance.create_run_for_job(small)
    with closing(sqlite3.connect(typed.settings.home / "dagster/history/runs.db")) as runs, runs:
        runs.execute("UPDATE runs SET run_body = '{}'")
    done = CliRunner().invoke(main, ["metrics"])
    assert done.exit_code == 0, done.output
    found = parts_of(done.stdout)
    assert found == {"league": 1, "freshness": 1, "runs": 0, "checks": 1, "credits": 1}


def test_of_a_locked_database_one_part_is_waited_for(typed, monkeypatch):
    waits = []

    def is_locked(*_):
        waits.append(1)
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    with open_instance(typed.settings):
        pass
    monkeypatch.setattr(metrics, "OF_INSTANCE", dict.fromkeys(metrics.OF_INSTANCE, is_locked))
    done = CliRunner().invoke(main, ["metrics"])
    found = parts_of(done.stdout)
    assert found == {"league": 1, "freshness": 1, "runs": 0, "checks": 0, "credits": 0}
    assert len(waits) == 1


@pytest.fixture
def typed(published, monkeypatch):
    """The environment of a terminal whose home is the platform's."""
    settings = published.settings
    for name, value in (("HOME", settings.home), ("LANDING", settings.landing), ("FIRST_DATE", settings.first_date)):
        monkeypatch.setenv(f"NBA_PROPS_{name}", str(value))
    monkeypatch.setenv("DAGSTER_HOME", str(settings.home / "dagster"))
    return published


def test_the_command_prints_them_or_replaces_a_file(typed, tmp_path):
    done = CliRunner().invoke(main, ["metrics"])
    assert done.exit_code == 0, done.output
    assert parsed(done.stdout)["nba_props_info"]
    file = tmp_path / "nba_props.prom"
    file.write_text("old")
    assert CliRunner().invoke(main, ["metrics", "--to", str(file)]).exit_code == 0
    assert parsed(file.read_text()).keys() == parsed(done.stdout).keys()
    assert [p.name for p in tmp_path.glob("nba_props.prom*")] == ["nba_props.prom"], "nothing half written stays"


def test_a_file_in_a_folder_that_does_not_exist_is_refused(typed, tmp_path):
    done = CliRunner().invoke(main, ["metrics", "--to", str(tmp_path / "none/x.prom")])
    assert (done.exit_code, f"there is no folder {tmp_path / 'none'}" in done.output) == (2, True)
    assert not (tmp_path / "none").exists()


def test_reading_a_home_in_which_nothing_ran_creates_nothing_and_states_no_number(tmp_path, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    done = CliRunner().invoke(main, ["metrics"])
    assert done.exit_code == 0, done.output
    found = parsed(done.stdout)
    assert found.keys() == {"nba_props_info", "nba_props_readable"}
    assert dict(next(iter(found["nba_props_info"])))["league"] == "unknown"
    assert found["nba_props_readable"] == {(("part", "freshness"),): 1}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("dagster/history/runs.db", {"runs", "checks", "credits"}),
        ("dagster/history/runs/index.db", {"checks", "credits"}),
        ("dagster/dagster.yaml", {"runs", "checks", "credits"}),
        ("dagster/.opening", {"runs", "checks", "credits"}),
        ("lake/SOURCE", {"league"}),
    ],
)
def test_what_is_damaged_costs_its_part_and_no_other(typed, file, parts):
    from starlette.testclient import TestClient

    settings = typed.settings
    with open_instance(settings):
        pass
    path = settings.home / file
    assert CliRunner().invoke(main, ["metrics"]).exit_code == 0
    if path.name == ".opening":  # as on a disk that is read-only
        path.unlink()
        path.mkdir()
    else:
        for side in SIDES:
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.write_bytes(b"[damaged" * 999)
    served = api.app(settings, typed.warehouse, lambda: typed.now, metrics_of(settings))
    with TestClient(served) as client:
        texts = [CliRunner().invoke(main, ["metrics"]).stdout, client.get("/metrics").text]
    for text in texts:
        found = parts_of(text)
        assert {part for part, value in found.items() if not value} == parts
        assert len(found) == 5


def test_the_server_has_them_for_scrapers_of_this_machine_alone(typed):
    from starlette.testclient import TestClient

    from nba_props.automation.webserver import Guard

    settings = typed.settings
    served = api.app(settings, typed.warehouse, lambda: typed.now, metrics_of(settings))
    with TestClient(Guard(served), base_url="http://127.0.0.1:8000") as client:
        answer = client.get("/metrics")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert parsed(answer.text)["nba_props_readable"]
        assert (client.head("/metrics").status_code, client.head("/metrics").content) == (200, b"")
        assert client.get("/metrics", headers={"host": "evil.example"}).status_code == 403
        assert client.post("/metrics").status_code == 405
        assert "/metrics" not in json.loads(client.get("/openapi.json").text)["paths"], "no data of the platform"
