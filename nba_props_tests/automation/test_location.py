"""Runs of a terminal belong to their job in the UI, and say who asked for them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._core.workspace.load_target import EmptyWorkspaceTarget

from nba_props.automation import location, planning, runner
from nba_props.automation.instance import open_instance
from nba_props.automation.location import Caller, workspace
from nba_props.operations.selection import RemediationError
from nba_props.process.revision import revision
from nba_props.storage.landing import LandingZone
from nba_props_tests.conftest import DAY, Platform

BY_JOB = """
query RunsOfJob($filter: RunsFilter) {
  pipelineRunsOrError(filter: $filter, limit: 10) {
    ... on Runs { results {
      runId pipelineName tags { key value } repositoryOrigin { repositoryName repositoryLocationName }
    } }
  }
}
"""


@pytest.fixture
def instance(platform, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with open_instance(platform.settings) as opened:
        yield opened


def runs_of_job(instance: dg.DagsterInstance, job: str, label: str) -> list[dict]:
    """What the UI's page of a job asks."""
    from dagster_graphql.schema import create_schema

    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as process:
        asked = {"filter": {"pipelineName": job, "tags": [{"key": ".dagster/repository", "value": label}]}}
        answer = create_schema().execute(BY_JOB, variables=asked, context_value=process.create_request_context())
    assert not answer.errors
    return answer.data["pipelineRunsOrError"]["results"]


def test_a_run_from_the_terminal_is_listed_under_its_job_in_the_ui(platform: Platform, instance):
    caller = Caller.of("backfill", f"{DAY}..{DAY}")
    select = planning.resolve(platform.definitions, ["schedule"])
    outcome = runner.execute(platform.definitions, instance, "ingest_history", DAY, DAY, select=select, caller=caller)
    assert outcome.success
    (origin,) = location_origins_from_yaml_paths([str(workspace(Path(instance.root_directory), platform.zone))])
    run = instance.get_run_by_id(outcome.run_id)
    assert run.remote_job_origin.repository_origin.code_location_origin == origin
    assert run.remote_job_origin.job_name == "ingest_history"
    (shown,) = runs_of_job(instance, "ingest_history", "__repository__@nba_props")
    assert shown["runId"] == outcome.run_id
    assert shown["repositoryOrigin"] == {"repositoryName": "__repository__", "repositoryLocationName": "nba_props"}
    tags = {t["key"]: t["value"] for t in shown["tags"]}
    assert tags["nba_props/command"] == "backfill"
    assert tags["nba_props/span"] == f"{DAY}..{DAY}"
    assert tags["user"] == caller.user != ""
    assert tags["nba_props/revision"] == revision()
    assert tags["dagster/max_retries"] == "0", "a run from a terminal is not restarted automatically"


def test_a_remediation_from_the_terminal_is_listed_under_its_job_too(platform: Platform, instance):
    config = {"predicate": "placeholder", "first": str(DAY), "last": str(DAY)}
    caller = Caller("quarantine", str(DAY), "ann")
    runner.remediate(platform.definitions, instance, "quarantine", config, caller)
    with pytest.raises(RemediationError):
        runner.remediate(platform.definitions, instance, "rollback", {"run_id": "x"}, caller)
    for job in ("quarantine", "rollback"):
        (shown,) = runs_of_job(instance, job, "__repository__@nba_props")
        assert {"key": "user", "value": "ann"} in shown["tags"]


def test_the_instance_is_not_patched_afterwards(platform: Platform, instance):
    select = planning.resolve(platform.definitions, ["schedule"])
    runner.execute(platform.definitions, instance, "ingest_history", DAY, DAY, select=select)
    assert "create_run_for_job" not in vars(instance)


def test_the_name_of_the_location_shows_that_a_league_is_simulated(tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    path = workspace(tmp_path, LandingZone(str(landing)))
    assert [o.location_name for o in location_origins_from_yaml_paths([str(path)])] == ["nba_props"]
    (landing / "landing.json").write_text(json.dumps({"data_source": "SIMULATED"}))
    assert workspace(tmp_path, LandingZone(str(landing))) == path, "it is ours: another league has another name"
    (origin,) = location_origins_from_yaml_paths([str(path)])
    assert origin.location_name == "nba_props (simulated)"
    assert origin.loadable_target_origin.module_name == "nba_props.definitions"


def test_the_workspace_of_a_deployment_stays_and_its_runs_belong_to_its_location(platform: Platform, instance):
    path = Path(instance.root_directory) / location.WORKSPACE
    deployed = "load_from: [{grpc_server: {host: code-location, port: 4000, location_name: nba_props}}]\n"
    path.write_text(deployed)
    origin = location.job_origin(platform.definitions, instance, "predict")
    assert path.read_text() == deployed
    assert origin.repository_origin.get_label() == "__repository__@nba_props"


def test_a_run_that_no_ui_can_show_has_no_origin(platform: Platform):
    assert location.job_origin(platform.definitions, platform.instance, "predict") is None


def test_a_user_without_a_name_is_a_number(monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(location.getpass, "getuser", nobody)
    assert Caller.of("run", str(date(2026, 1, 9))).user.isdigit()
