"""The event log keeps what Dagster's own keeps, in fewer transactions."""

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.storage.event_log import SqliteEventLogStorage

from nba_props.automation.event_log import SqliteEventLog, batch_events

PARTITIONS = dg.DailyPartitionsDefinition("2025-11-01", end_date="2025-12-20")


@dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
def points(context: dg.AssetExecutionContext) -> None:
    for key in context.partition_keys:
        context.add_asset_metadata({"rows": 3}, asset_key="points", partition_key=key)


@dg.asset_check(asset=points)
def enough() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with the settings that a user gets."""
    from importlib import resources

    (tmp_path / "dagster.yaml").write_text((resources.files("nba_props") / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    return tmp_path


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(assets=[points], asset_checks=[enough])
    tags = {
        "dagster/asset_partition_range_start": "2025-11-01",
        "dagster/asset_partition_range_end": "2025-12-10",
    }
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, tags=tags)


def shape(storage: SqliteEventLogStorage, run_id: str) -> list[tuple[str, str | None]]:
    records = storage.get_logs_for_run(run_id)
    return [
        (r.dagster_event.event_type_value, r.dagster_event.partition if r.dagster_event.asset_key else None)
        for r in records
        if r.dagster_event
    ]


@pytest.mark.parametrize("batched", [True, False])
def test_a_run_is_stored_as_by_the_stock_storage_and_readable_by_it(home, batched):
    if batched:
        batch_events()
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, SqliteEventLog)
        run_id = run(instance).run_id
        own = shape(instance.event_log_storage, run_id)
        materialized = instance.get_materialized_partitions(points.key)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.get() as stock:
        assert type(stock.event_log_storage) is SqliteEventLogStorage
        assert shape(stock.event_log_storage, run_id) == own
        assert stock.get_materialized_partitions(points.key) == materialized
        assert len(materialized) == 40
        assert sorted(map(str, shape(stock.event_log_storage, run(stock).run_id))) == sorted(map(str, own))
        history = stock.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(points.key, "enough"), limit=200
        )
        assert [r.status.value for r in history].count("SUCCEEDED") == 2


def test_a_batch_costs_one_transaction_for_each_database(home):
    batch_events()
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        run_id = run(instance).run_id  # opens both databases
        records = [r for r in storage.get_logs_for_run(run_id) if r.dagster_event.is_step_materialization]
        commits = []
        for shard in (run_id, "index"):
            db.event.listen(storage._engine(shard), "commit", lambda _, shard=shard: commits.append(shard))
        storage.store_event_batch(records)
        assert sorted(commits) == sorted([run_id, "index"])
        commits.clear()
        storage.store_event(records[0])
        assert len(commits) > 1


def test_a_failed_batch_leaves_no_events(home, monkeypatch):
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        run_id = run(instance).run_id
        before = storage.get_logs_for_run(run_id)
        records = [r for r in before if r.dagster_event.is_step_materialization]
        stored = SqliteEventLog.store_event

        def fail_at_the_third(self, event):
            if event is records[2]:
                raise RuntimeError("the disk is full")
            stored(self, event)

        monkeypatch.setattr(SqliteEventLog, "store_event", fail_at_the_third)
        with pytest.raises(RuntimeError, match="disk is full"):
            storage.store_event_batch(records)
        monkeypatch.undo()
        assert len(storage.get_logs_for_run(run_id)) == len(before)
        storage.store_event(records[0])  # and it goes on
        assert len(storage.get_logs_for_run(run_id)) == len(before) + 1


def test_few_databases_stay_open_however_many_runs_there_are(home):
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        for number in range(20):
            instance.report_engine_event("hello", run_id=f"run-{number}", job_name="job")
        assert len(storage._engines) <= 8
        assert all(len(storage.get_logs_for_run(f"run-{n}")) == 1 for n in range(20))
