"""Private parts of Dagster are used with the tested version only, and named in one folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from nba_props.automation import upstream
from nba_props.automation.upstream import forgetting, instance, runs
from nba_props.automation.upstream.check_evaluations import PartitionEvaluations

ROOT = Path(__file__).parents[3]


@pytest.fixture
def another_version(monkeypatch, caplog):
    monkeypatch.setattr(upstream, "TESTED", "0.0.1")
    monkeypatch.setattr(upstream, "_warned", set())
    return caplog


def test_the_tested_version_is_the_pinned_one():
    assert f"dagster=={upstream.TESTED}" in (ROOT / "setup.cfg").read_text()


def test_no_other_room_imports_what_dagster_does_not_export():
    private = re.compile(r"^\s*(from|import) dagster\._", re.MULTILINE)
    found = {
        p.relative_to(ROOT / "nba_props") for p in (ROOT / "nba_props").rglob("*.py") if private.search(p.read_text())
    }
    assert {p.parts[:2] for p in found} == {("automation", "upstream")}


def test_with_another_version_the_stock_event_log_is_used_and_a_warning_says_so():
    code = (
        "import dagster; dagster.__version__ = '1.99.0'; import nba_props.automation.event_log as log; "
        "from nba_props.automation.upstream.event_log import StockEventLog; print(log.SqliteEventLog is StockEventLog)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert "Dagster 1.99.0 is not the tested 1.13.27: the event log uses Dagster's standard behaviour" in done.stderr


def test_with_another_version_runs_are_listed_under_no_job(another_version, tmp_path):
    assert runs.job_origin(tmp_path / "workspace.yaml", "predict") is None
    assert "runs of a terminal are listed under no job" in another_version.text
    assert runs.job_origin(tmp_path / "workspace.yaml", "predict") is None
    assert another_version.text.count("runs of a terminal") == 1, "once"


def test_with_another_version_an_instance_is_what_its_folder_says(another_version, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert instance.settings_of(tmp_path, {}, instance.TO_THE_TERMINAL) is None
    with instance.opened(tmp_path, None) as opened:
        assert opened.root_directory == str(tmp_path)


def test_with_another_version_a_listener_stays(another_version):
    with dg.DagsterInstance.ephemeral() as ephemeral:
        with runs.listening(ephemeral, "run", lambda _: None):
            pass
        assert "run" in ephemeral._subscribers


def test_with_another_version_no_events_are_deleted(another_version):
    with dg.DagsterInstance.ephemeral() as ephemeral, pytest.raises(forgetting.UnknownStorage, match="can't be pruned"):
        forgetting.forget_events(ephemeral.event_log_storage, ["run"])


def test_with_another_version_a_range_has_one_result(another_version):
    evaluations = PartitionEvaluations(None, dg.AssetKey("a"), ["2025-11-01"])  # nothing of the run is touched
    evaluations.record("schema", {"2025-11-01": dg.AssetCheckResult(passed=True)}, blocking=True)
    assert "shows the range's only" in another_version.text
