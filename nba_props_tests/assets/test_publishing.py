"""The end of a run: what it wrote becomes a version of each date, if it succeeded; whatever started it."""

from __future__ import annotations

import errno
from datetime import datetime

import dagster as dg
import pytest

from nba_props.assets.publishing import PUBLICATION
from nba_props.automation import runner
from nba_props.operations.selection import RemediationError
from nba_props.process import clock
from nba_props.process.revision import revision
from nba_props.schemas.analytics import SLATE
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake import LakeWarehouse, manifests
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform

pytestmark = pytest.mark.slow


def rows(platform: Platform, instant: datetime, address: str = LEDGER.address) -> int:
    found = platform.warehouse.as_of(instant).query(
        f"SELECT COUNT(*) AS n FROM {address} WHERE game_date = @day", day=DAY
    )
    return int(found["n"][0])


@pytest.mark.long
def test_runs_rollback_quarantine_and_restore_make_a_version_each(published):
    start = clock.utc_now()
    game = next(g for g in league.games() if g.day == DAY)
    published.zone.land(*league.capture(game, 5, shift=1.0))
    made = published.publish(DAY, slate=True)
    assert made.errors == []
    known = len(published.warehouse.versions(DAY))
    newest = published.warehouse.versions(DAY)[-1]
    assert (newest.run_id, newest.job_name, newest.revision) == (made.run_id, "predict", revision())
    assert {LEDGER.address, SLATE.address, "nba_predictions.publications"} <= set(newest.changed)
    instants, counts = [start, clock.utc_now()], [rows(published, start), len(published.warehouse.read(LEDGER, [DAY]))]
    assert counts[0] < counts[1]

    def remediate(job: str, **config):
        account = runner.remediate(published.definitions, published.instance, job, config)
        instants.append(clock.utc_now())
        counts.append(len(published.warehouse.read(LEDGER, [DAY])))
        return account

    account = remediate("rollback", run_id=made.run_id)
    remediate("restore", batch_id=account.batch_id)
    remediate("quarantine", predicate="system", first=str(DAY), last=str(DAY), system_id="moving_average")
    remediate("restore", batch_id=account.batch_id, dry_run=True)
    versions = published.warehouse.versions(DAY)
    assert [v.job_name for v in versions[known:]] == ["rollback", "restore", "quarantine"]
    assert LEDGER.address in versions[-1].changed
    assert SLATE.address not in versions[-1].changed
    assert [rows(published, t) for t in instants] == counts
    assert counts[2] < counts[1] == counts[3] > counts[4] == counts[5]
    view = "nba_predictions.current_predictions"
    assert rows(published, instants[4], view) < rows(published, instants[3], view) == rows(published, instants[1], view)


def test_a_run_that_fails_publishes_nothing_and_the_next_one_all(slated, monkeypatch):
    store = slated.warehouse
    before, start = store.versions(DAY), clock.utc_now()
    plain = LakeWarehouse.append

    def broken(lake, table, *given, **named):
        if table is QUARANTINED_PREDICTIONS:
            raise WarehouseError("the disk is gone")
        return plain(lake, table, *given, **named)

    monkeypatch.setattr(LakeWarehouse, "append", broken)
    assert not slated.publish(DAY).success
    assert store.partitions(LEDGER) == [DAY]
    assert store.versions(DAY) == before
    now = clock.utc_now()
    for table in (LEDGER.address, "nba_predictions.moving_average", "nba_predictions.current_predictions"):
        assert rows(slated, now, table) == rows(slated, start, table) == 0
    monkeypatch.setattr(LakeWarehouse, "append", plain)
    assert slated.publish(DAY).errors == []
    assert len(store.versions(DAY)) == len(before) + 1
    assert rows(slated, clock.utc_now()) == len(store.read(LEDGER, [DAY])) > 0
    assert rows(slated, clock.utc_now(), "nba_predictions.moving_average") > 0


def test_a_run_that_can_publish_no_version_fails_though_its_tables_are_written(slated, monkeypatch):
    store = slated.warehouse
    known = len(store.versions(DAY))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(manifests, "replace", full)
    outcome = slated.publish(DAY)
    assert not outcome.success
    (why,) = outcome.errors
    assert why.startswith(f"what this run has written of {DAY} is current, but no version of it could be published")
    assert "No space left on device" in why
    assert slated.instance.get_run_by_id(outcome.run_id).status is dg.DagsterRunStatus.FAILURE
    config = {"predicate": "system", "first": str(DAY), "last": str(DAY), "system_id": "moving_average"}
    with pytest.raises(RemediationError, match=r"no version of it .* What was asked for is done: `nba-props batches`"):
        runner.remediate(slated.definitions, slated.instance, "quarantine", config)
    assert len(store.versions(DAY)) == known
    monkeypatch.undo()
    assert slated.run("grade", DAY).errors == []
    assert rows(slated, clock.utc_now()) == len(store.read(LEDGER, [DAY])) > 0


def test_every_job_that_may_write_a_table_publishes_it(make_platform):
    definitions = make_platform().definitions
    jobs = [definitions.resolve_job_def(job.name) for job in definitions.jobs]
    writing = {
        job.name for job in jobs
        if any(PUBLICATION in node.definition.required_resource_keys for node in job.graph.nodes)
        or any(out.io_manager_key == "warehouse_io" for node in job.graph.nodes for out in node.definition.output_defs)
    }  # fmt: skip
    others = {job.name for job in jobs} - writing
    # these start runs of the others, fetch payloads, train models, judge or draw pages
    assert others == {"train", "reconcile", "ledger_audit", "site", "feeds_are_fresh", "capture_odds"} | {
        name for name in others if name.startswith("fetch")
    }


def test_a_run_without_tables_leaves_no_trace(lake):
    with lake.publication("nothing", "site", "0.1") as publication:
        assert publication.publish() == []
    assert not lake.root.exists()
