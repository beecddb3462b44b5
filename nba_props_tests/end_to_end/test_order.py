"""A warehouse promises no order of rows: BigQuery gives another one each time, and no answer may depend on it."""

from __future__ import annotations

import pytest
import sqlglot

from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import DAY
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


@pytest.mark.long
def test_the_order_of_rows_changes_no_table(platform, predicted):
    platform.warehouse = ShuffledLake(platform.settings.lake)
    assert platform.predict(DAY).success
    assert platform.warehouse.shuffled > 50
    assert differences(tables(predicted), tables(platform)) == []
    assert set(platform.warehouse.read(PREDICTION_ACCURACY, [DAY])["outcome"]) > {"WIN", "LOSS"}, "graded too"
