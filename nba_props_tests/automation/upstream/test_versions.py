"""Private parts of Dagster are used with the tested version only, and named in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from nba_props.automation import upstream
from nba_props.automation.instance import open_dagster
from nba_props.automation.upstream import forgetting, instance, partitioned_checks, runs, webserver
from nba_props.automation.upstream.partitioned_checks import PartitionEvaluations
from nba_props.operations.home import HomeError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def another_version(monkeypatch, caplog):
    monkeypatch.setattr(upstream, "TESTED", "0.0.1")
    monkeypatch.setattr(upstream, "_warned", set())
    return caplog


def test_the_tested_version_is_the_pinned_one():
    assert f"dagster=={upstream.TESTED}" in (ROOT / "setup.cfg").read_text()
    assert upstream.TESTED == partitioned_checks.TESTED_WITH


def test_no_other_package_imports_what_dagster_does_not_export():
    private = re.compile(r"^\s*(from|import) dagster\._", re.MULTILINE)
    found = {
        p.relative_to(ROOT / "nba_props") for p in (ROOT / "nba_props").rglob("*.py") if private.search(p.read_text())
    }
    assert {p.parts[:2] for p in found} == {("automation", "upstream")}


ANOTHER_VERSION = """
import builtins
from datetime import date

import dagster as dg

dg.__version__ = "1.99.0"
stock_import = builtins.__import__

def without_private_names(name, globals=None, locals=None, fromlist=(), level=0):
    ours = str((globals or {}).get("__name__", "")).startswith("nba_props")
    named_in_docs = ("dagster._core.storage.event_log", "SqliteEventLogStorage")
    if ours and name.startswith("dagster._") and (name, *fromlist) != named_in_docs:
        raise ImportError(f"Dagster 1.99.0 has no {name}")
    return stock_import(name, globals, locals, fromlist, level)

builtins.__import__ = without_private_names
from nba_props.automation.instance import open_instance
from nba_props.automation.runner import execute
from nba_props.definitions import defs
from nba_props.deployment import load_settings
import nba_props.cli.program

@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-11-01"))
def points():
    return None

with open_instance(load_settings()) as instance:
    small = dg.Definitions(assets=[points], jobs=[dg.define_asset_job("small", [points])])
    outcome = execute(small, instance, "small", date(2025, 11, 1), date(2025, 11, 1))
    materialized = instance.get_materialized_partitions(points.key)
    print(type(instance.event_log_storage).__name__, outcome.success, materialized)
"""


def test_with_another_version_that_has_no_private_name_everything_loads_and_a_run_succeeds(tmp_path):
    env = {**os.environ, "NBA_PROPS_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path / "dagster")}
    done = subprocess.run([sys.executable, "-c", ANOTHER_VERSION], check=False, capture_output=True, text=True, env=env)
    assert done.stdout == "StockEventLog True {'2025-11-01'}\n", done.stderr
    assert "Dagster 1.99.0 is not the tested 1.13.27: the event log uses Dagster's standard behaviour" in done.stderr


def test_with_another_version_runs_are_listed_under_no_job(another_version, tmp_path):
    assert runs.job_origin(tmp_path / "workspace.yaml", "predict") is None
    assert "runs of a terminal are listed under no job" in another_version.text
    assert runs.job_origin(tmp_path / "workspace.yaml", "predict") is None
    assert another_version.text.count("runs of a terminal") == 1, "once"


def test_with_another_version_an_instance_is_configured_by_its_folder(another_version, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with instance.opener(tmp_path, {}, instance.TO_THE_TERMINAL)() as opened:
        assert opened.root_directory == str(tmp_path)


def test_with_another_version_settings_that_dagster_refuses_are_a_sentence(another_version, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))  # opening sets it, for good
    (tmp_path / "dagster.yaml").write_text("nonsense_key: 1\n")
    with pytest.raises(HomeError, match=r"dagster\.yaml can't be used: .*nonsense_key"):
        open_dagster(tmp_path)


def test_with_another_version_a_listener_stays(another_version):
    with dg.DagsterInstance.ephemeral() as ephemeral:
        with runs.listening(ephemeral, "run", lambda _: None):
            pass
        assert "run" in ephemeral._subscribers


def test_with_another_version_no_events_are_deleted(another_version):
    with dg.DagsterInstance.ephemeral() as ephemeral, pytest.raises(forgetting.UnknownStorage, match="can't be pruned"):
        forgetting.forget_events(ephemeral.event_log_storage, ["run"])


def test_with_another_version_a_range_has_one_result(another_version, monkeypatch):
    monkeypatch.setattr(partitioned_checks, "TESTED_WITH", "0.0.1")
    partitioned_checks._warn.cache_clear()
    evaluations = PartitionEvaluations(None, dg.AssetKey("a"), ["2025-11-01"])  # nothing of the run is touched
    evaluations.record("schema", {"2025-11-01": dg.AssetCheckResult(passed=True)}, blocking=True)
    assert "shows the range's only" in another_version.text
    partitioned_checks._warn.cache_clear()


def test_with_another_version_no_ui_is_served_without_its_guard(another_version, monkeypatch):
    from dagster_webserver import cli

    monkeypatch.setattr(cli, "main", lambda: pytest.fail("served"))
    with pytest.raises(webserver.NoGuard, match=r"is not served.*Dagster 0\.0\.1"):
        webserver.serve(lambda app: app)
    assert another_version.text == "", "it does not fall back"
