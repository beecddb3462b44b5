"""Systems that a setting puts in shadow, and the dates on which formulas were frozen."""

from __future__ import annotations

from datetime import date

import pytest

from nba_props.deployment import frozen, in_shadow
from nba_props.settings import BadSetting, read_settings


def of(text: str):
    return read_settings({"NBA_PROPS_SHADOW": text})


@pytest.mark.parametrize("system", ["market_anchored_v1", "market_consensus_v1"])
def test_a_setting_does_not_move_the_date_of_a_formula(system):
    """Dates that it was made with would count as evidence, or a bad record would not, and the start be chosen after it."""
    for other in ("2026-01-01", "2027-03-21"):
        with pytest.raises(BadSetting, match="its formula was frozen on 2026-11-30"):
            in_shadow(of(f"{system}:{other}"))
    assert in_shadow(of(f"{system}:2026-11-30"))[system] == date(2026, 11, 30)


def test_a_system_without_a_date_of_its_own_takes_that_of_the_setting():
    assert in_shadow(of("catboost_v8:2026-12-01"))["catboost_v8"] == date(2026, 12, 1)
    assert "catboost_v8" not in frozen(of(""))
