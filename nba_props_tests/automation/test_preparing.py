"""A run started in the UI loads what it needs first, as a command does."""

from __future__ import annotations

import shutil
import threading
from datetime import date, timedelta

import dagster as dg
import filelock
import pytest

from nba_props.assets.tables import asset_key
from nba_props.automation import planning, preparing
from nba_props.automation.preparing import PREPARES_RUN_TAG
from nba_props.automation.ranges import RANGE_END, RANGE_START
from nba_props.catalog import TABLES
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import days as dates_between
from nba_props.process import stopping
from nba_props.schemas import raw, reference
from nba_props.schemas.base import VOLATILE
from nba_props.schemas.predictions import LEDGER
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, open_platform
from nba_props_tests.copies import copied

LAST = DAY + timedelta(4)


@pytest.fixture
def fresh(rung, tmp_path):
    """Makes platforms with everything landed and nothing loaded."""
    with dg.DagsterInstance.ephemeral() as instance:

        def make(name: str) -> Platform:
            copied(rung("landed"), tmp_path / name)
            return open_platform(tmp_path / name, instance, now=league.tipoff(LAST))

        yield make


def clicked(platform: Platform, job: str, first, last, select=None, **tags: str) -> dg.ExecuteInProcessResult:
    """A run as the UI and its backfills launch it: dates in tags, and no plan."""
    span = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
    return platform.definitions.resolve_job_def(job).execute_in_process(
        instance=platform.instance, tags={**span, **tags}, raise_on_error=False, asset_selection=select
    )


def prepared_by(platform: Platform, run_id: str) -> list[str]:
    """The jobs that were run for a run, oldest first."""
    runs = platform.instance.get_runs(dg.RunsFilter(tags={PREPARES_RUN_TAG: run_id}))
    return [run.job_name for run in reversed(runs)]


@pytest.mark.long
def test_five_dates_launched_in_the_ui_on_a_home_where_nothing_is_loaded(fresh):
    by_clicks, by_command = fresh("clicks"), fresh("command")
    result = clicked(by_clicks, "predict", DAY, LAST)
    assert result.success
    jobs = prepared_by(by_clicks, result.run_id)
    assert {"ingest_history", "ingest_lines", "train"} <= set(jobs)

    by_command.catch_up(DAY, LAST)
    assert by_command.predict(DAY, LAST).success
    days = dates_between(DAY, LAST)
    for table in TABLES.values():
        found, expected = (p.warehouse.read(table, p.warehouse.partitions(table)) for p in (by_clicks, by_command))
        compared = [c for c in table.column_names if c not in VOLATILE]
        keys = [c for c in ("game_date", *table.key, "system_id", "player_id") if c in compared]
        found, expected = (
            f[compared].sort_values(list(dict.fromkeys(keys))).reset_index(drop=True) for f in (found, expected)
        )
        assert found.equals(expected), table.address
    assert set(by_clicks.warehouse.partitions(LEDGER)) == set(days)

    again = clicked(by_clicks, "predict", DAY, LAST)
    assert again.success
    assert prepared_by(by_clicks, again.run_id) == [], "nothing is left to load"


def test_any_asset_launched_in_the_ui_loads_what_it_needs(fresh):
    platform = fresh("one-asset")
    result = clicked(platform, "predict", DAY, DAY, select=[asset_key(raw.SCHEDULE), asset_key(raw.QUARANTINED_GAMES)])
    assert result.success
    assert prepared_by(platform, result.run_id) == [], "a date's own payloads need no other date"
    platform.run("predict", DAY, select=[asset_key(reference.PLAYERS)])
    assert not platform.warehouse.read(reference.PLAYERS, [DAY]).shape[0], "a command plans before it runs"
    result = clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)])
    assert result.success
    assert "ingest_history" in prepared_by(platform, result.run_id)
    assert len(platform.warehouse.read(reference.PLAYERS, [DAY])) > 20


@pytest.mark.parametrize("tag", ["dagster/sensor_name", "dagster/schedule_name"])
def test_runs_of_sensors_and_schedules_never_wait_for_a_season(fresh, tag):
    platform = fresh("automation")
    result = clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)], **{tag: "one"})
    assert prepared_by(platform, result.run_id) == []


@pytest.mark.parametrize("trains", [True, False], ids=["trained", "failing"])
def test_a_sensors_run_of_a_past_date_trains_the_week_before_its_system_predicts(slated, monkeypatch, trains):
    """By a run of the job that trains; where that one fails, the system abstains and the others go on."""
    asked: list[tuple] = []

    def note(definitions, instance, job, first, last, **_):
        asked.append((job, first, last))
        return preparing.runner.Outcome("r1", trains, [] if trains else ["no memory"])

    monkeypatch.setattr(preparing.runner, "execute", note)
    shutil.rmtree(f"{slated.settings.models}/catboost_v8")
    systems = [asset_key(SYSTEM_TABLES[s]) for s in ("catboost_v8", "xgboost_v1")]
    sensor = {"dagster/sensor_name": "new_odds_sensor"}
    assert clicked(slated, "predict", DAY, DAY, select=systems, **sensor).success
    assert asked == [], "the running week's models are the schedule's to make"
    slated.now += timedelta(14)
    slated.rebuild()
    result = clicked(slated, "predict", DAY, DAY, select=systems, **sensor)
    assert result.success
    assert asked == [("train", week_of(DAY), week_of(DAY))], "the system that has a model asks for none"
    said = [e.user_message for e in slated.instance.all_logs(result.run_id)]
    failure = f"train of {week_of(DAY)}..{week_of(DAY)}, which predict needs first, failed: no memory (run r1)"
    assert (failure in said) != trains
    assert any(f"materialize nba_models/catboost_v8 for {week_of(DAY)}" in text for text in said)
    rows = slated.warehouse.read(SYSTEM_TABLES["catboost_v8"], [DAY])
    assert set(rows["abstain_reason"]) == {"NO_MODEL: none is trained yet"}
    assert slated.warehouse.read(SYSTEM_TABLES["xgboost_v1"], [DAY])["forecast"].notna().all()


def test_lines_launched_in_the_ui_train_nothing(fresh, monkeypatch):
    """What of the plan is followed is looked at, not done: loading a season has tests of its own."""
    platform, asked = fresh("lines"), []

    def note(definitions, instance, job, first, last, **_):
        asked.append(job)
        return preparing.runner.Outcome("r1", True)

    monkeypatch.setattr(preparing.runner, "execute", note)
    monkeypatch.setattr(preparing.planning, "untrained", lambda *_: [DAY])
    clicked(platform, "ingest_lines", DAY, DAY)
    assert "ingest_history" in asked
    assert "train" not in asked
    asked.clear()
    clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)])
    assert "train" not in asked, "nor do the players of a date"
    asked.clear()
    with_model = [asset_key(reference.PLAYERS), asset_key(SYSTEM_TABLES["catboost_v8"])]
    clicked(platform, "predict", DAY, DAY, select=with_model)
    assert asked[-1] == "train"


def test_a_run_that_waits_for_another_names_it(fresh, monkeypatch):
    platform = fresh("waiting")
    home = platform.settings.home
    home.mkdir(parents=True, exist_ok=True)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with filelock.FileLock(home / ".preparing"):
            held.set()
            let_go.wait(30)

    other = threading.Thread(target=hold)
    tags = {PREPARES_RUN_TAG: "f" * 36, RANGE_START: str(DAY), RANGE_END: str(LAST)}
    job = platform.definitions.resolve_job_def("ingest_history")
    busy = platform.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(preparing.planning, "needed", lambda *_: iter(()))
    told_at_all = platform.instance.report_engine_event

    def report(*arguments, **named):
        told_at_all(*arguments, **named)
        let_go.set()

    monkeypatch.setattr(platform.instance, "report_engine_event", report)
    other.start()
    assert held.wait(30)
    result = clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)])
    other.join(30)
    expected = (
        f"waits for ingest_history of {DAY}..{LAST} (run {busy.run_id[:8]}), which run ffffffff needs first: runs load "
        "their inputs one after the other"
    )
    events = platform.instance.all_logs(result.run_id)
    events_of_engine = [e.dagster_event.message for e in events if e.dagster_event and e.dagster_event.is_engine_event]
    assert f"predict {expected}" in events_of_engine
    assert expected in [e.user_message for e in events]
    again = clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)])
    assert "waits for" not in str(platform.instance.all_logs(again.run_id)), "no other run prepares"


def test_a_run_has_at_most_31_dates_so_that_its_memory_does_not_grow_with_a_span():
    parts = planning.together(dates_between(date(2025, 10, 21), date(2026, 4, 12)))
    assert max((last - first).days + 1 for first, last in parts) == 31
    assert [day for part in parts for day in dates_between(*part)] == dates_between(
        date(2025, 10, 21), date(2026, 4, 12)
    )
    assert planning.together([date(2025, 11, 1), date(2025, 11, 20)]) == [(date(2025, 11, 1), date(2025, 11, 20))]


def test_a_plan_that_fails_fails_the_run_and_names_the_failed_one(fresh, monkeypatch):
    platform = fresh("failing")
    monkeypatch.setattr(
        preparing.runner, "execute", lambda *_, **__: preparing.runner.Outcome("r1", False, ["no disk"])
    )
    result = clicked(platform, "predict", DAY, DAY, select=[asset_key(reference.PLAYERS)])
    assert not result.success
    (failure,) = (e for e in result.all_events if e.is_step_failure)
    said = failure.step_failure_data.error.message
    assert "ingest_history of 2025-10-21..2025-11-09, which predict needs first, failed: no disk (run r1)" in said


def test_a_cancelled_run_cancels_the_run_that_it_has_started(platform, monkeypatch):
    """What ``runner.execute`` leaves to be said on a stop is said as well when a run is cancelled in the UI."""
    said: list[str] = []
    ended: list[int] = []
    monkeypatch.setattr(stopping.os, "_exit", ended.append)
    monkeypatch.setattr(stopping, "_GRACE", 0)
    monkeypatch.setattr(stopping, "_closing", [lambda: said.append("inner") or ""])
    try:
        stopping.watch("a run in the UI", lambda: True, lambda: said.append("outer"))
        for thread in stopping.threading.enumerate():
            if thread.name.startswith("watch a run"):
                thread.join(5)
    finally:
        stopping._asked.clear()
        stopping._watched.discard("a run in the UI")
    assert said == ["inner", "outer"]
    assert ended == [stopping.EXIT_STATUS]
