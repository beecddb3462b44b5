"""The messages of a run in this process about its end."""

from __future__ import annotations

from contextlib import contextmanager

import dagster as dg
import pytest

from nba_props.automation import runner
from nba_props.automation.runner import execute, remediate
from nba_props.process import stopping
from nba_props.schemas.predictions import LEDGER
from nba_props_tests.conftest import DAY, SOME_SYSTEMS


def _named(said: str) -> None:
    try:
        raise TypeError("text expected")
    except TypeError as error:
        raise ValueError(said) from error


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("payload 7: arenaName is NaN", "ValueError: payload 7: arenaName is NaN (TypeError: text expected)"),
        ("payload 7: text expected", "ValueError: payload 7: text expected"),
    ],
)
def test_a_failed_step_reports_its_own_error_and_not_only_the_cause(said, printed):
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-11-01"))
    def table() -> None:
        _named(said)

    day = dg.DailyPartitionsDefinition("2025-11-01").start.date()
    definitions = dg.Definitions([table], jobs=[dg.define_asset_job("make", [table])])
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = execute(definitions, instance, "make", day, day)
    assert not outcome.success
    assert outcome.errors == [f"table: {printed}"]


@pytest.fixture
def last_lines(monkeypatch):
    """What a stop would say in the middle of each run."""
    said: list[str] = []

    @contextmanager
    def closing_with(call):
        said.append(call())
        yield

    monkeypatch.setattr(stopping, "closing_with", closing_with)
    return said


def test_a_stop_does_not_mention_publishing_where_nothing_is_published(platform, last_lines):
    execute(platform.definitions, platform.instance, "ingest_history", DAY, DAY, warehouse=platform.warehouse)
    assert last_lines == ["", ""]
    execute(platform.definitions, platform.instance, "predict", DAY, DAY, select=platform.of("predict", "nba_raw"),
            warehouse=platform.warehouse)  # fmt: skip
    assert last_lines[-2] == f"nothing of {DAY} was published"


def test_a_stop_after_rows_were_published_shows_how_many_remain_and_how_to_roll_them_back(slated, monkeypatch):
    last_lines: list[str] = []

    @contextmanager
    def closing_with(call):
        yield
        last_lines.append(call())

    monkeypatch.setattr(stopping, "closing_with", closing_with)
    outcome = execute(slated.definitions, slated.instance, "predict", DAY, DAY, warehouse=slated.warehouse,
                      select=slated.publication(SOME_SYSTEMS, slate=False))  # fmt: skip
    rows = slated.warehouse.row_counts(LEDGER, [DAY])[DAY]
    assert last_lines[-1] == (
        f"{rows} rows of {DAY} were already published; undo with `nba-props rollback {outcome.run_id}`"
    )


def test_a_stop_in_a_remediation_says_that_moved_rows_stay_moved(platform, last_lines):
    config = {"predicate": "placeholder", "first": str(DAY), "last": str(DAY)}
    remediate(platform.definitions, platform.instance, "quarantine", config)
    assert last_lines == ["rows moved so far stay moved, and the same command continues from there"]


@pytest.mark.parametrize("late", [dg.DagsterEventType.PIPELINE_START, dg.DagsterEventType.PIPELINE_SUCCESS])
def test_a_cancelled_run_stays_cancelled_when_its_own_event_comes_a_moment_later(monkeypatch, late):
    """Its main thread had begun to store that event as the signal came: the run was left as started for good."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(dg.job(name="j")(lambda: None), status=dg.DagsterRunStatus.STARTING)
        plain, arriving = instance.report_run_canceled, [late]

        def overtaken(*given, **named):
            plain(*given, **named)
            if arriving:
                event = dg.DagsterEvent(arriving.pop().value, "j", message="")
                instance.report_dagster_event(event, run.run_id)

        monkeypatch.setattr(instance, "report_run_canceled", overtaken)
        assert "recorded as cancelled" in runner._cancel(instance, run.run_id)
        assert not arriving
        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
