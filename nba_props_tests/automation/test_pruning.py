"""Old runs go, and what the UI, the checks and the plans know of each partition stays."""

import math
import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus
from dagster._utils.test.schedule_storage import TestScheduleStorage

from nba_props.automation import pruning
from nba_props.automation.instance import open_instance
from nba_props.automation.runner import execute
from nba_props.automation.upstream import batched_event_log
from nba_props.cli import main
from nba_props.deployment import load_settings
from nba_props.process import clock, stopping
from nba_props.settings import Settings
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import league
from nba_props_tests.copies import copied
from nba_props_tests.warehouse.samples import D1, NAMES, names

PARTITIONS = dg.DailyPartitionsDefinition("2025-11-01", end_date="2025-11-30")
FIRST, SECOND = date(2025, 11, 1), date(2025, 11, 2)
AGE = timedelta(30)


@dg.asset(partitions_def=PARTITIONS)
def points(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Rows of a date."""
    context.log.info("x" * 20_000)
    return dg.MaterializeResult(metadata={"rows": len(context.run.run_id)})


@dg.asset_check(asset=points)
def enough() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


DEFINITIONS = dg.Definitions([points], asset_checks=[enough], jobs=[dg.define_asset_job("make", [points])])


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "set, so that it is taken back in the end")
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    return load_settings()


def in_days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days)


def bytes_of(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def shown(instance: dg.DagsterInstance) -> tuple[object, ...]:
    """What the UI shows of the asset: its partitions, the newest of each, and the newest result of its check."""
    newest = [
        instance.fetch_materializations(
            dg.AssetRecordsFilter(points.key, asset_partitions=[str(day)]), limit=1
        ).records[0]
        for day in (FIRST, SECOND)
    ]
    key = dg.AssetCheckKey(points.key, "enough")
    (check,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    record = instance.get_latest_materialization_event(points.key)
    return instance.get_materialized_partitions(points.key), newest, check.evaluation, check.status, record


def test_a_pruned_home_is_smaller_and_shows_what_it_showed(settings):
    with open_instance(settings) as instance:
        for day in (FIRST, SECOND, FIRST, SECOND, FIRST):
            assert execute(DEFINITIONS, instance, "make", day, day).success
        failing = instance.create_run_for_job(DEFINITIONS.resolve_job_def("make"))  # never begun
        before, runs = shown(instance), instance.get_run_ids()
    (settings.dagster_home / "storage" / runs[-1] / "compute_logs").mkdir(parents=True)
    (settings.dagster_home / "storage" / runs[-1] / "compute_logs" / "x.out").write_bytes(b"x" * 1000)
    size = bytes_of(settings.home)

    looked = pruning.prune(settings, in_days(31), AGE, dry_run=True)
    assert looked.counts["runs"] == 5
    assert bytes_of(settings.home) == pytest.approx(size, rel=0.01)
    assert pruning.prune(settings, in_days(29), AGE).counts["runs"] == 0
    done = pruning.prune(settings, in_days(31), AGE)
    assert done.counts == {**looked.counts, **done.counts}
    assert done.notes == ["unfinished runs of that age: 1; end them in the UI"]
    assert bytes_of(settings.home) < 0.6 * size
    logs = {p.stem for p in (settings.dagster_home / "history" / "runs").glob("*.db")}
    assert logs == {"index", failing.run_id}
    assert not (settings.dagster_home / "storage" / runs[-1]).exists()

    with open_instance(settings) as instance:
        assert instance.get_run_ids() == [failing.run_id]
        assert shown(instance) == before
        events = instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION)
        )
        assert len(events) == 2, "of each partition the newest"
        assert execute(DEFINITIONS, instance, "make", SECOND, SECOND).success, "and it goes on"
    assert pruning.prune(settings, in_days(31), AGE).counts["runs"] == 1


def test_logs_of_deleted_runs_are_removed(settings):
    with open_instance(settings) as instance:
        assert execute(DEFINITIONS, instance, "make", FIRST, FIRST).success
        instance.run_storage.delete_run(instance.get_run_ids()[0])
    assert pruning.prune(settings, in_days(31), AGE).counts["logs of runs"] == 1
    assert list((settings.dagster_home / "history" / "runs").glob("*-*.db")) == []


def test_leftovers_of_killed_processes_are_removed_and_what_is_set_aside_only_on_request(settings):
    settings.home.mkdir(parents=True)
    landing = Path(settings.landing)
    left = [
        settings.lake / "nba_raw" / "schedule" / "game_date=2026-01-09" / ".tmp-0a",
        settings.home / "models" / "catboost_v8" / "2026-01-05" / ".tmp-0b",
        landing / "the_odds_api" / f".{'0' * 32}",
        settings.lake / ".tmp-catalog" / "catalog.duckdb",
        settings.lake / "nba_raw" / "schedule" / "game_date=2026-01-09" / f"{'0' * 32}.{'0' * 8}.parquet",  # replaced
    ]
    stays = [
        settings.lake / "nba_raw" / "schedule" / "game_date=2026-01-09" / "data.parquet",
        landing / ".tmp-of-somebody", landing / ".hidden", settings.lake / ".catalog.json",
    ]  # fmt: skip
    aside = [
        settings.lake / "_set_aside" / "nba_raw.schedule" / "2026-01-09-20260110T000000000000Z.parquet",
        settings.lake / "_set_aside" / "versions" / "game_date=2026-01-09-20260110T000000000000Z-x.json",
        settings.dagster_home / "history" / "runs.db.damaged-20260109T120000Z",
    ]
    for path in [*left, *stays, *aside]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert pruning.prune(settings, in_days(31), AGE).counts["files that killed processes left"] == 0, "they are new"
    for path in [*left, left[3].parent]:
        os.utime(path, (1, 1))
    assert pruning.prune(settings, in_days(31), AGE, dry_run=True).counts["files that killed processes left"] == 5
    assert all(p.exists() for p in left)
    pruning.prune(settings, in_days(31), AGE)
    assert not any(p.exists() for p in left)
    assert all(p.exists() for p in [*stays, *aside])
    assert pruning.prune(settings, in_days(29), AGE, set_aside=True).counts["files set aside"] == 0
    assert pruning.prune(settings, in_days(31), AGE, set_aside=True).counts["files set aside"] == 3
    assert all(p.exists() for p in stays)
    assert not any(p.exists() for p in aside)


def test_what_its_writer_removes_meanwhile_is_in_nobodys_way(settings, monkeypatch):
    folder = settings.lake / "nba_raw" / "schedule" / "game_date=2026-01-09"
    folder.mkdir(parents=True)
    left = [folder / name for name in (".tmp-0a", ".tmp-0b", f"{'0' * 32}.{'0' * 8}.parquet")]
    (folder / "data.parquet").write_bytes(b"x")
    found = pruning._orphans

    def meanwhile(settings):
        listed = list(found(settings))
        for path in left[::2]:
            path.unlink()
        return listed

    for path in left:
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    monkeypatch.setattr(pruning, "_orphans", meanwhile)
    pruning.prune(settings, in_days(31), AGE)
    assert not any(path.exists() for path in left)
    assert pruning._size(left[0]) == 0
    monkeypatch.setattr(Path, "is_dir", lambda _: True)
    assert pruning._size(left[0]) == 0, "a folder that is removed while it is read"
    assert pruning._changed(left[0]) == math.inf


def test_old_ticks_are_removed(settings):
    state = TestScheduleStorage.build_sensor("my_sensor")
    with open_instance(settings) as instance:
        instance.add_instigator_state(state)
        for days in (40, 20):
            tick = TickData(
                state.instigator_origin_id, "my_sensor", InstigatorType.SENSOR, TickStatus.SKIPPED,
                in_days(-days).timestamp(), [], [], selector_id=state.selector_id,
            )  # fmt: skip
            instance.create_tick(tick)
    pruning.prune(settings, in_days(0), AGE)
    with open_instance(settings) as instance:
        (left,) = instance.get_ticks(state.instigator_origin_id, state.selector_id)
        assert left.timestamp == pytest.approx(in_days(-20).timestamp(), abs=60)


def test_the_command_lists_what_would_be_removed(settings):
    result = CliRunner().invoke(main, ["prune", "--dry-run"])
    assert result.exit_code == 0, result.output
    assert "Would delete, older than 30 days" in result.output
    assert not settings.home.exists()


def test_nothing_is_planned_after_a_prune(rung, tmp_path, settings, monkeypatch):
    copied(rung("predicted"), tmp_path)
    monkeypatch.setenv("NBA_PROPS_LANDING", str(tmp_path / "landing"))
    span = f"{league.FIRST + timedelta(20)}"
    with open_instance(load_settings()) as instance:
        assert execute(DEFINITIONS, instance, "make", FIRST, FIRST).success
    looked = CliRunner().invoke(main, ["backfill", span, "--dry-run"]).output
    assert "0 of 1 dates are missing or stale" in looked
    assert pruning.prune(load_settings(), in_days(31), AGE).counts["runs"] == 1
    assert CliRunner().invoke(main, ["backfill", span, "--dry-run"]).output == looked


def test_runs_in_one_process_leave_nothing_behind(settings, monkeypatch):
    """No listener, no thread, no open file, no note stays with each of them."""
    monkeypatch.setattr(batched_event_log, "_OPEN_ENGINES", 2)  # the newest runs' databases stay open

    def left(instance: dg.DagsterInstance) -> tuple[int, ...]:
        files = len(os.listdir("/proc/self/fd"))
        return len(instance._subscribers), threading.active_count(), files, len(stopping._watched)

    heard: list[str] = []
    with open_instance(settings) as instance:
        for number in range(5):
            assert execute(DEFINITIONS, instance, "make", FIRST, FIRST, lambda step, *_: heard.append(step)).success
            if number == 2:
                before = left(instance)
        assert left(instance) == before
        assert before[0] == 0
    assert heard == ["points", "points_enough"] * 5


def test_replaced_versions_go_after_their_days_and_the_newest_stays(settings, monkeypatch):
    settings = replace(settings, version_days=3)
    lake = open_warehouse(settings)
    made = in_days(-4)
    for n in range(3):
        monkeypatch.setattr(clock, "utc_now", lambda n=n: made + timedelta(days=n))
        with lake.publication(f"run-{n}", "predict", "0.1") as publication:
            lake.write(NAMES, names(D1, n + 1), [D1])
            publication.publish()
    monkeypatch.undo()

    def removed(dry_run: bool) -> int:
        return pruning.prune(settings, in_days(0), AGE, dry_run=dry_run).counts["files of replaced versions"]

    assert [removed(True), removed(False), removed(False)] == [2, 2, 0]
    assert [v.run_id for v in lake.versions(D1)] == ["run-1", "run-2"]
    for path in settings.lake.rglob("*.parquet"):  # days later
        os.utime(path, (0, 0), follow_symlinks=False)
    pruned = pruning.prune(settings, in_days(0), AGE)
    assert pruned.counts["files that killed processes left"] == 2, "of the runs before, in the partition's own folder"
    assert len(lake.as_of(made + timedelta(days=1.5)).read(NAMES, [D1])) == 2
    assert len(lake.read(NAMES, [D1])) == 3
