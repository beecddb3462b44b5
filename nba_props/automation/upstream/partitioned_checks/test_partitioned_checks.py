"""A check has a result for each partition of a run, of one partition or of a range, however often it is repeated."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from . import TESTED_WITH, PartitionEvaluations, _warn, partitioned_asset_check, together

DAYS = dg.DailyPartitionsDefinition("2026-01-01")
FIRST, LAST = "2026-01-01", "2026-01-04"
RANGE = {"dagster/asset_partition_range_start": FIRST, "dagster/asset_partition_range_end": LAST}
KEYS = [f"2026-01-0{n}" for n in range(1, 5)]
CHECK = dg.AssetCheckKey(dg.AssetKey("points"), "is_complete")


def project(*damaged, severity=dg.AssetCheckSeverity.ERROR, blocking=False):
    """A table with a check that some days fail, and a table that is made from it."""

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def points(context: dg.AssetExecutionContext) -> None:
        """A table."""

    @dg.asset(partitions_def=DAYS, deps=[points], backfill_policy=dg.BackfillPolicy.single_run())
    def board(context: dg.AssetExecutionContext) -> None:
        """A table made from it."""

    @partitioned_asset_check(asset=points.key, partitions_def=DAYS, blocking=blocking)
    def is_complete(context, partitions):
        """Every day is complete."""
        return {
            p: dg.AssetCheckResult(passed=p not in damaged, severity=severity, metadata={"day": p}) for p in partitions
        }

    return dg.Definitions(
        [points, board], asset_checks=[is_complete], jobs=[dg.define_asset_job("daily", [points, board])]
    ).resolve_job_def("daily")


@pytest.mark.parametrize("of", [lambda a: a, lambda a: a.key, lambda _: "points", lambda _: ["points"]])
def test_the_asset_is_named_as_in_a_check_of_dagster(instance, of):
    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def points() -> None:
        """A table."""

    @partitioned_asset_check(asset=of(points), partitions_def=DAYS)
    def is_complete(context, partitions):
        """Every day is complete."""
        return {p: dg.AssetCheckResult(passed=True) for p in partitions}

    job = dg.Definitions([points], asset_checks=[is_complete]).resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(instance=instance, tags=RANGE)
    assert set(evaluations(instance, run.run_id)) == {*KEYS, None}


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def evaluations(instance, run_id):
    """The evaluations of a run by their partition."""
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.dagster_event.asset_check_evaluation_data for entry in logs]
    by_partition = {e.partition: e for e in found}
    assert len(found) == len(by_partition), "each once"
    return by_partition


def statuses(instance):
    """What Dagster takes for the newest result of each partition, as its UI shows it."""
    infos = instance.event_log_storage.get_asset_check_partition_info([CHECK])
    return {i.partition_key: i.latest_execution_status.value for i in infos if i.partition_key}


def test_a_range_has_a_result_for_each_partition_and_one_for_all(instance):
    run = project("2026-01-02").execute_in_process(instance=instance, tags=RANGE)
    found = evaluations(instance, run.run_id)
    assert set(found) == {*KEYS, None}
    assert [p for p in KEYS if not found[p].passed] == ["2026-01-02"]
    assert all(found[p].metadata["day"].value == p for p in KEYS)
    summary = found[None]
    assert not summary.passed
    assert summary.metadata["failed_partitions"].value == ["2026-01-02"]
    assert summary.description == "1 of 4 partitions fail"
    assert statuses(instance) == {p: "FAILED" if p == "2026-01-02" else "SUCCEEDED" for p in KEYS}


def test_each_is_of_the_newest_materialization_of_its_partition(instance):
    job = project()
    job.execute_in_process(instance=instance, partition_key="2026-01-03")
    run = job.execute_in_process(instance=instance, tags=RANGE)
    found = evaluations(instance, run.run_id)
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=CHECK.asset_key, asset_partitions=KEYS), limit=4
    ).records
    newest = {r.partition_key: r.storage_id for r in records}
    assert {p: found[p].target_materialization_data.storage_id for p in KEYS} == newest
    assert {r.run_id for r in records} == {run.run_id}


def test_a_range_may_be_repeated_and_the_newest_result_counts(instance):
    project("2026-01-02").execute_in_process(instance=instance, tags=RANGE)
    for _ in range(2):
        assert project().execute_in_process(instance=instance, tags=RANGE).success
        assert set(statuses(instance).values()) == {"SUCCEEDED"}
    project("2026-01-04").execute_in_process(instance=instance, tags=RANGE)
    assert [p for p, status in statuses(instance).items() if status == "FAILED"] == ["2026-01-04"]


def test_a_run_of_one_partition_has_its_result_and_no_other(instance):
    run = project("2026-01-02").execute_in_process(instance=instance, partition_key="2026-01-02")
    found = evaluations(instance, run.run_id)
    assert set(found) == {"2026-01-02"}
    assert not found["2026-01-02"].passed
    assert found["2026-01-02"].metadata["day"].value == "2026-01-02"


def test_a_blocking_check_stops_the_run_and_its_partitions_show_which_one_did(instance):
    run = project("2026-01-03", blocking=True).execute_in_process(instance=instance, tags=RANGE, raise_on_error=False)
    assert not run.success
    assert not instance.get_materialized_partitions(dg.AssetKey("board"))
    found = evaluations(instance, run.run_id)
    assert [p for p in KEYS if not found[p].passed] == ["2026-01-03"]
    assert all(found[p].blocking for p in found)


def test_a_warning_blocks_nothing(instance):
    job = project("2026-01-03", severity=dg.AssetCheckSeverity.WARN, blocking=True)
    run = job.execute_in_process(instance=instance, tags=RANGE)
    assert run.success
    found = evaluations(instance, run.run_id)
    assert found[None].severity is dg.AssetCheckSeverity.WARN
    assert instance.get_materialized_partitions(dg.AssetKey("board")) == set(KEYS)


def test_the_summary_has_the_worst_severity():
    warning = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)
    error = dg.AssetCheckResult(passed=False)
    passed = dg.AssetCheckResult(passed=True)
    assert together({"a": warning, "b": passed}).severity is dg.AssetCheckSeverity.WARN
    assert together({"a": warning, "b": error}).severity is dg.AssetCheckSeverity.ERROR
    assert together({"b": passed, "a": passed}).passed
    assert together({"a": warning}) is warning


def test_a_check_without_results_does_not_pass():
    with pytest.raises(ValueError, match="neither passes nor fails"):
        together({})


@pytest.mark.parametrize("judged", [[], ["2026-01-02"]])
@pytest.mark.parametrize("tags", [RANGE, {"dagster/partition": "2026-01-01"}], ids=["range", "one"])
def test_a_judge_that_leaves_a_partition_out_fails(instance, judged, tags):
    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def points() -> None: ...

    @partitioned_asset_check(asset=points.key, partitions_def=DAYS)
    def is_complete(context, partitions):
        """Every day is complete."""
        return {partition: dg.AssetCheckResult(passed=True) for partition in judged}

    definitions = dg.Definitions([points], asset_checks=[is_complete], jobs=[dg.define_asset_job("daily")])
    run = definitions.resolve_job_def("daily").execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    assert not run.success
    assert not run.get_asset_check_evaluations()


def test_the_check_keeps_the_words_of_its_function():
    job = project()
    spec = job.asset_layer.asset_graph.get_check_spec(CHECK)
    assert spec.description == "Every day is complete."
    assert spec.partitions_def == DAYS


def test_with_another_version_of_dagster_a_range_has_one_result_and_a_warning(instance, monkeypatch, caplog):
    _warn.cache_clear()
    monkeypatch.setattr(f"{partitioned_asset_check.__module__}.TESTED_WITH", "0.0.1")
    run = project("2026-01-02").execute_in_process(instance=instance, tags=RANGE)
    found = evaluations(instance, run.run_id)
    assert set(found) == {None}
    assert not found[None].passed
    assert "shows the range's only" in caplog.text
    PartitionEvaluations(None, dg.AssetKey("points"), KEYS).record("is_complete", {}, blocking=True)
    assert caplog.text.count("shows the range's only") == 1, "once"


def test_it_is_tested_with_the_version_that_runs_here():
    assert dg.__version__ == TESTED_WITH, "run these tests with it, then name it"


def test_dagster_by_itself_records_one_result_without_a_partition():
    """Once this fails, Dagster can do it, and this folder can go."""
    script = Path(__file__).with_name("reproduction.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "judged ['2026-01-01', '2026-01-02', '2026-01-03']: partition=None passed=False",
        "AssetCheckResult takes a partition_key: False",
    ]
