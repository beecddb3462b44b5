"""The asset of shapes: dates of a month share a fit, but not that of an interrupted run."""

from __future__ import annotations

import json

import pandas as pd

from nba_props.assets.tables import asset_key
from nba_props.schemas.distributions import DEPENDENCE, SHAPES
from nba_props_tests.conftest import DAY, NEXT


def test_a_table_that_an_interrupted_run_left_is_not_copied_to_other_dates(predicted):
    """A kill between the two tables leaves new shapes beside an older dependence."""
    assert DAY.month == NEXT.month
    warehouse = predicted.warehouse
    old = {
        "game_date": pd.Timestamp(DAY), "market": "points", "other_market": "rebounds",
        "excess": json.dumps([[0.2] * 9] * 9), "results": 9_999, "last_result": pd.Timestamp(DAY),
    }  # fmt: skip
    warehouse.write(DEPENDENCE, DEPENDENCE.conform(pd.DataFrame([old])), [DAY], {DAY: "older inputs"})
    predicted.materialize(NEXT, NEXT, [asset_key(SHAPES), asset_key(DEPENDENCE)])
    assert warehouse.read(DEPENDENCE, [NEXT]).empty
    assert len(warehouse.read(DEPENDENCE, [DAY])) == 1
