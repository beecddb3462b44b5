"""A warehouse promises no order of rows: BigQuery gives another one each time, and no answer may depend on it."""

from __future__ import annotations

import shutil
from datetime import timedelta

import dagster as dg
import pytest
import sqlglot

from nba_props.definitions import build_defs
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import DAY, open_platform
from nba_props_tests.gcp.test_both_profiles import differences, tables

pytestmark = pytest.mark.slow


class ShuffledLake(LakeWarehouse):
    """A lake that gives the rows of a query in another order each time, unless the statement says in which."""

    shuffled = 0

    def query(self, sql, /, **parameters):
        rows = super().query(sql, **parameters)
        if sqlglot.parse_one(sql, read="bigquery").args.get("order"):
            return rows
        self.shuffled += 1
        return rows.sample(frac=1, random_state=self.shuffled).reset_index(drop=True)

    def read(self, table, partitions):
        rows = super().read(table, partitions)
        return rows if table.unique else rows.sample(frac=1, random_state=len(rows)).reset_index(drop=True)


def test_the_order_of_rows_changes_no_table(landed_history, tmp_path):
    made = []
    for name, kind in (("plain", LakeWarehouse), ("shuffled", ShuffledLake)):
        folder = tmp_path / name
        shutil.copytree(landed_history, folder)
        with dg.DagsterInstance.ephemeral() as instance:
            platform = open_platform(folder, instance)
            platform.warehouse = kind(platform.settings.lake)
            now = platform.now
            platform.definitions = build_defs(
                platform.settings, platform.warehouse, platform.zone, clock=lambda n=now: n
            )
            assert platform.predict(DAY).success
            later = now + timedelta(days=4)
            platform.definitions = build_defs(
                platform.settings, platform.warehouse, platform.zone, clock=lambda n=later: n
            )
            assert platform.run("grade", DAY).success
            made.append(tables(platform))
    assert platform.warehouse.shuffled > 50
    assert differences(*made) == []
