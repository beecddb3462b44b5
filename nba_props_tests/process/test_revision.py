"""Which code this is."""

from __future__ import annotations

import subprocess

from nba_props import __version__
from nba_props.presentation import pages
from nba_props.process import revision
from nba_props_tests.conftest import DAY, SOME_SYSTEMS


def test_an_image_records_the_code_that_it_was_built_from(monkeypatch):
    monkeypatch.setenv("NBA_PROPS_REVISION", " v7 ")
    assert revision.revision() == "v7"


def test_without_a_checkout_the_revision_is_the_version(monkeypatch, tmp_path):
    monkeypatch.delenv("NBA_PROPS_REVISION", raising=False)
    assert revision.revision().startswith(__version__)
    assert revision._commit(tmp_path) == ""
    (tmp_path / ".git").mkdir()
    assert revision._commit(tmp_path) == "", "git knows no commit there"


def test_the_revision_of_a_checkout_is_its_commit_and_whether_files_differ(tmp_path, monkeypatch):
    def git(*words: str) -> str:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        done = subprocess.run(["git", "-C", str(tmp_path), *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    file = tmp_path / "file"
    file.write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "--short=9", "HEAD")
    git("tag", "-a", "v1", "-m", "a tag changes nothing")
    # a hook of another checkout, which says where git should look
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert revision._commit(tmp_path) == f"g{commit}"
    file.write_text("two")
    assert revision._commit(tmp_path) == f"g{commit}.dirty"


def test_every_row_and_run_has_the_revision_that_published_it(slated, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_REVISION", "r1")
    platform = slated
    platform.publish(DAY)  # as a command does
    monkeypatch.setenv("NBA_PROPS_REVISION", "r2")
    again = platform.definitions.resolve_job_def("predict").execute_in_process(
        instance=platform.instance, partition_key=DAY.isoformat(), asset_selection=platform.publication(["catboost_v8"], slate=False),
        tags={"nba_props/planned": "true"}, raise_on_error=False,
    )  # fmt: skip
    assert platform.instance.get_run_by_id(again.run_id).tags["nba_props/revision"] == "r2", "one by clicks, too"
    said = platform.query(
        "SELECT system_id, revision, job_name FROM nba_predictions.ledger_revisions WHERE game_date = @day", day=DAY
    )
    assert set(said.loc[said["system_id"].isin(SOME_SYSTEMS), "revision"]) == {"r1"}
    assert set(said.loc[said["system_id"] == "catboost_v8", "revision"]) == {"r2"}
    assert set(said["job_name"]) == {"predict"}


def test_a_run_that_publishes_nothing_new_records_no_publication(published):
    before = len(published.query("SELECT run_id FROM nba_predictions.publications WHERE game_date = @day", day=DAY))
    assert published.publish(DAY).success
    after = published.query("SELECT run_id FROM nba_predictions.publications WHERE game_date = @day", day=DAY)
    assert len(after) == before == 1


def test_runs_without_assets_have_a_revision(published):
    jobs = published.definitions.resolve_all_job_defs()
    rest = [
        j for j in jobs if not j.asset_layer.executable_asset_keys and not j.asset_layer.asset_graph.asset_check_keys
    ]
    assert {"quarantine", "rollback", "restore", "capture_odds", "fetch_stats", "import_legacy"} <= {
        j.name for j in rest
    }
    for job in rest:
        assert job.tags["nba_props/revision"] == revision.revision(), job.name


def test_every_page_shows_the_revision_that_wrote_it(monkeypatch):
    monkeypatch.setenv("NBA_PROPS_REVISION", "r7")
    assert "nba_props r7" in pages.render("reports.html.jinja", pages=[], simulated=False)
