"""The same season on a lake and on BigQuery, through emulators with Google's own clients: every table row by row.

With ``NBA_PROPS_SMOKE_PROJECT`` and ``NBA_PROPS_SMOKE_BUCKET`` (and ``NBA_PROPS_SMOKE_LOCATION``) a shorter one runs in a
real project, in datasets and a folder of its own, and takes them away again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg
import pandas as pd
import pandas.testing as pdt
import pytest
from dagster_gcp import GCSResource

from nba_props.assets.tables import asset_key
from nba_props.catalog import TABLES, VIEWS
from nba_props.operations import remediation
from nba_props.operations.selection import Selection
from nba_props.schemas import raw
from nba_props.schemas.analytics import HISTORICAL_GAMES
from nba_props.settings import Gcp
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, open_platform

#: the first date of the league with odds, and a free one
SPAN = (league.FIRST + timedelta(10), league.FIRST + timedelta(11))
#: what names the run, or was hashed from its name
OF_THE_RUN = {"run_id", "quarantine_id", "row_digest", "archived_id", "archive_digest"}
LEDGER_FAMILY = ["nba_predictions.ledger", "nba_predictions.archived_predictions",
                 "nba_predictions.remediations", "nba_predictions.judged_predictions",
                 "nba_predictions.current_predictions"]  # fmt: skip
GRADES = ["nba_predictions.prediction_accuracy", "nba_predictions.grade_history", "nba_monitoring.scoreboard"]
Tables = dict[str, pd.DataFrame]


def tables(platform: Platform, addresses: Iterable[str] = (*TABLES, *VIEWS)) -> Tables:
    """Tables and views, rows in an order of their own values."""
    found = {}
    for address in addresses:
        if address in TABLES:
            table = TABLES[address]
            frame = platform.warehouse.read(table, platform.warehouse.partitions(table))
        else:
            frame = platform.query(f"SELECT * FROM {address}")
        kept = frame[[c for c in frame.columns if c not in OF_THE_RUN]]
        order = kept.astype(str).sort_values(list(kept.columns)).index
        found[address] = kept.loc[order].reset_index(drop=True)
    return found


def stories(platform: Platform, first: date, last: date, landed: date | None = None) -> dict[str, Tables]:
    """Ingest, train, predict, publish, grade, quarantine, restore; what the tables hold after each.

    The league is landed through ``landed``, or the last of the dates.
    """
    league.land(platform.zone, days=((landed or last) - league.FIRST).days + 1, asked=platform.settings.markets)
    platform.materialize(league.FIRST, first - timedelta(1), job="ingest_history")
    platform.now = league.tipoff(last) + timedelta(days=10)
    systems = ("moving_average", "similarity_balanced_v1", "zone_matchup_v1", "xgboost_v1")
    published = platform.publish(first, systems, last, slate=True)
    assert published.success, published.errors
    stages = {"published": tables(platform)}
    assert platform.run("grade", first, last).success
    stages["graded"] = tables(platform, GRADES)
    chosen = Selection("system", first, first, system_id="moving_average")
    account = remediation.quarantine(platform.warehouse, chosen, platform.now)
    assert account.total > 0
    stages["quarantined"] = tables(platform, LEDGER_FAMILY)
    assert remediation.restore(platform.warehouse, account.batch_id, platform.now).total == account.total
    stages["restored"] = tables(platform, LEDGER_FAMILY)
    return stages


def differences(local: Tables, cloud: Tables) -> list[str]:
    found = []
    for address, frame in local.items():
        try:
            pdt.assert_frame_equal(cloud[address], frame, check_exact=True)
        except AssertionError as error:
            found.append(f"{address}: {error}")
    return found


def take_away(gcp: Gcp, platform: Platform) -> None:
    """Remove a deployment's datasets and everything of it in the bucket."""
    client = platform.warehouse._api.client
    for dataset in client.list_datasets():
        if dataset.dataset_id.startswith(gcp.prefix):
            client.delete_dataset(dataset.reference, delete_contents=True, not_found_ok=True)
    bucket = GCSResource(project=gcp.project).get_client().bucket(gcp.bucket)
    for folder in (f"warehouse/{gcp.deployment}/", f"models/{gcp.deployment}/", f"reports/{gcp.deployment}/"):
        for blob in bucket.list_blobs(prefix=folder):
            blob.delete()


@pytest.fixture(scope="module")
def platforms(tmp_path_factory, deploy):
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        local = open_platform(tmp_path_factory.mktemp("local"), one, asked=league.MARKETS)
        cloud = open_platform(tmp_path_factory.mktemp("cloud"), other, gcp=deploy(), asked=league.MARKETS)
        yield local, cloud
        take_away(cloud.settings.gcp, cloud)
        left = [d.dataset_id for d in cloud.warehouse._api.client.list_datasets()]
        assert [d for d in left if d.startswith(cloud.settings.gcp.prefix)] == []


@pytest.fixture(scope="module")
def both(platforms):
    return tuple(stories(p, *SPAN) for p in platforms)


@pytest.mark.long
@pytest.mark.parametrize("stage", ["published", "graded", "quarantined", "restored"])
def test_every_table_and_view_is_equal_row_by_row(both, stage):
    local, cloud = (stages[stage] for stages in both)
    assert sum(map(len, local.values())) > 200
    assert differences(local, cloud) == []


@pytest.mark.long
def test_the_cost_of_a_step_is_recorded_beside_its_materializations(both, platforms):
    def figures(platform: Platform, table) -> dict[str, int]:
        records = platform.instance.fetch_observations(asset_key(table), limit=1).records
        found = records[0].asset_observation.metadata if records else {}
        names = ("queries", "bytes_processed", "bytes_to_client", "bytes_from_client")
        return {n: found[n].value for n in names if n in found}

    local, cloud = platforms
    for table in (HISTORICAL_GAMES, raw.ODDS_QUOTES):
        assert figures(cloud, table)["bytes_from_client"] > 0
    assert figures(cloud, HISTORICAL_GAMES)["queries"] == 2, "the statement, and the span's transaction"
    assert "bytes_processed" in figures(cloud, HISTORICAL_GAMES)
    assert figures(cloud, HISTORICAL_GAMES)["bytes_to_client"] > 10_000
    assert figures(local, HISTORICAL_GAMES) == {}, "a lake is not billed"
    record = cloud.instance.fetch_materializations(asset_key(HISTORICAL_GAMES), limit=1).records[0]
    assert "queries" not in record.asset_materialization.metadata, "it is the run's, not the partition's"


@pytest.mark.skipif(not os.environ.get("NBA_PROPS_SMOKE_PROJECT"), reason="NBA_PROPS_SMOKE_PROJECT names no project")
def test_smoke_in_a_real_project(tmp_path, monkeypatch):
    for name in ("STORAGE_EMULATOR_HOST", "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"):
        monkeypatch.delenv(name, raising=False)
    gcp = Gcp(
        project=os.environ["NBA_PROPS_SMOKE_PROJECT"],
        location=os.environ.get("NBA_PROPS_SMOKE_LOCATION", "US"),
        bucket=os.environ["NBA_PROPS_SMOKE_BUCKET"],
        prefix=f"smoke_{uuid.uuid4().hex[:8]}_",
    )
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        local = open_platform(tmp_path / "local", one)
        own = f"gs://{gcp.bucket}/reports/{gcp.deployment}/landing"
        cloud = open_platform(tmp_path / "cloud", other, gcp=gcp, landing=own)
        try:
            stages, real = stories(local, DAY, DAY), stories(cloud, DAY, DAY)
        finally:
            take_away(gcp, cloud)
    for stage in stages:
        assert differences(stages[stage], real[stage]) == [], stage
