"""Systems that a setting puts in shadow, and the dates on which formulas were frozen."""

from __future__ import annotations

from datetime import date

import pytest

from nba_props.deployment import frozen, in_shadow
from nba_props.settings import BadSetting, read_settings


def of(text: str):
    return read_settings({"NBA_PROPS_SHADOW": text})


@pytest.mark.parametrize("system", ["market_anchored_v1", "market_consensus_v1"])
def test_a_formula_is_not_frozen_before_it_was_written(system):
    """Dates that it was made with would count as evidence, and the best start could be chosen afterwards."""
    with pytest.raises(BadSetting, match="its formula is of 2026-11-30, not earlier"):
        in_shadow(of(f"{system}:2026-01-01"))
    assert frozen(of(f"{system}:2026-12-05"))[system] == date(2026, 12, 5)


def test_a_system_without_a_date_of_its_own_takes_that_of_the_setting():
    assert in_shadow(of("catboost_v8:2026-12-01"))["catboost_v8"] == date(2026, 12, 1)
    assert "catboost_v8" not in frozen(of(""))
