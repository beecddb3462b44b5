"""The same season on a lake and on BigQuery, through emulators with Google's own clients: every table row by row."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props import remediation
from nba_props.domain.systems.trained import week_of
from nba_props.remediation import Selection
from nba_props.schemas import TABLES, VIEWS
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, open_platform

pytestmark = pytest.mark.slow

SPAN = (league.FIRST + timedelta(4), league.FIRST + timedelta(29))
#: what names the run or was hashed from it, and nothing else may differ
OF_THE_RUN = {"run_id", "quarantine_id"}


def tables(platform: Platform) -> dict[str, pd.DataFrame]:
    """Every table and view, rows in an order of their own values."""
    found = {a: platform.warehouse.read(t, platform.warehouse.partitions(t)) for a, t in TABLES.items()}
    found |= {a: platform.query(f"SELECT * FROM {a}") for a in VIEWS}
    return {address: in_order(frame) for address, frame in found.items()}


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[[c for c in frame.columns if c not in OF_THE_RUN]]
    order = kept.astype(str).sort_values(list(kept.columns)).index
    return kept.loc[order].reset_index(drop=True)


def a_season(platform: Platform) -> dict[str, dict[str, pd.DataFrame]]:
    """Ingest, predict, publish, grade, quarantine, restore, backfill; what the tables hold after each."""
    stages = {}
    league.land(platform.zone)
    platform.prepare()
    assert platform.predict(DAY).success
    stages["predicted"] = tables(platform)
    platform.now += timedelta(days=1)
    assert platform.run("grade", DAY).success
    stages["graded"] = tables(platform)
    chosen = Selection("system", DAY, DAY, system_id="moving_average")
    account = remediation.quarantine(platform.warehouse, chosen, platform.now)
    assert account.total > 0
    stages["quarantined"] = tables(platform)
    assert remediation.restore(platform.warehouse, account.batch_id, platform.now).total == account.total
    stages["restored"] = tables(platform)
    platform.now = league.tipoff(SPAN[1]) + timedelta(days=10)
    assert platform.train(week_of(platform.now.date())).success
    assert platform.predict(*SPAN).success
    stages["backfilled"] = tables(platform)
    return stages


@pytest.fixture(scope="module")
def both(tmp_path_factory, make_gcp):
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        local = open_platform(tmp_path_factory.mktemp("local"), one)
        cloud = open_platform(tmp_path_factory.mktemp("cloud"), other, gcp=make_gcp())
        yield a_season(local), a_season(cloud)


@pytest.mark.parametrize("stage", ["predicted", "graded", "quarantined", "restored", "backfilled"])
def test_every_table_and_view_is_equal_row_by_row(both, stage):
    local, cloud = (stages[stage] for stages in both)
    assert sum(map(len, local.values())) > 1000
    differing = []
    for address, frame in local.items():
        try:
            pdt.assert_frame_equal(cloud[address], frame, check_exact=True)
        except AssertionError as error:
            differing.append(f"{address}: {error}")
    assert differing == []
