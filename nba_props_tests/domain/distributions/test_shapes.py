"""Shapes of past results."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import norm

from nba_props.domain.distributions import shapes
from nba_props.domain.models.chance import QUANTILES
from nba_props.facts import markets
from nba_props.schemas.distributions import SHAPES

FIRST = pd.Timestamp("2025-10-21")


def past(market: str = "points", n: int = 6_000, bias: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Results that are normal around the consensus with the market's spread, ``bias`` spreads above it."""
    rng = np.random.default_rng(seed)
    median = pd.Series(rng.uniform(8, 28, n) * markets.scales()[market])
    spread = shapes.unit(median, pd.Series(market, index=median.index))
    result = np.rint(median + spread * (rng.standard_normal(n) + bias)).clip(0)
    day = FIRST + pd.to_timedelta(np.arange(n) % 10, unit="D")
    return pd.DataFrame({"game_date": day, "market": market, "median": median, "result": result})


def fitted(*parts: pd.DataFrame) -> pd.DataFrame:
    found = shapes.fit(pd.concat(parts, ignore_index=True))
    return SHAPES.validate(found.assign(game_date=pd.Timestamp("2025-11-05")))


def test_a_shape_has_the_quantiles_of_the_results_it_was_fitted_to():
    found = shapes.as_arrays(fitted(past()))
    assert found.shape == (shapes.BANDS, len(QUANTILES))
    inner = slice(10, -10)
    assert np.abs(found[:, inner] - norm.ppf(QUANTILES)[inner]).max() < 0.12


def test_bands_part_the_results_into_equal_thirds_that_leave_no_gap():
    found = fitted(past(), past("rebounds"))
    for _, own in found.groupby("market"):
        assert own["band"].tolist() == [1, 2, 3]
        assert own["results"].tolist() == [2_000] * 3
        assert own["high"].iloc[:-1].tolist() == own["low"].iloc[1:].tolist()
        assert own["low"].isna().tolist() == [True, False, False]
        assert own["high"].isna().tolist() == [False, False, True]
    assert found["first_result"].eq(FIRST).all()
    assert found["last_result"].eq(FIRST + pd.Timedelta(days=9)).all()


def test_the_median_of_a_shape_is_the_consensus_where_lines_stand_near_the_median():
    """Prices say where the median of points is; of threes they say which side of a coarse line is likelier."""
    points, threes = (shapes.as_arrays(fitted(past(m, bias=0.3))) for m in ("points", "threes"))
    assert points[:, 99] == pytest.approx(0, abs=1e-9)
    assert QUANTILES[99] == pytest.approx(0.5)
    assert (threes[:, 99] > 0.15).all()


def test_too_few_results_of_a_market_make_no_shape():
    found = fitted(past(), past("blocks", n=shapes.MIN_RESULTS - 1))
    assert set(found["market"]) == {"points"}
    assert fitted(past(n=10)).empty
    assert set(fitted(past(n=shapes.MIN_RESULTS))["market"]) == {"points"}


def test_the_order_of_results_does_not_matter():
    rows = past()
    pd.testing.assert_frame_equal(fitted(rows), fitted(rows.sample(frac=1, random_state=2)))


def test_every_date_of_a_month_has_the_shapes_of_results_before_it():
    assert {shapes.month_of(date(2025, 11, d)) for d in (1, 15, 30)} == {date(2025, 11, 1)}
    days = [date(2025, 11, 2), date(2025, 11, 9)]
    found = shapes.copies(shapes.fit(past()), days)
    assert sorted(set(found["game_date"].dt.date)) == days
    assert len(found) == shapes.BANDS * len(days)


_DISTANCES = arrays.arrays("float64", (3, 7), elements=st.floats(-6, 6))
_QUANTILES = arrays.arrays("float64", (2, len(QUANTILES)), elements=st.floats(-3, 3)).map(lambda q: np.sort(q, axis=1))


@given(distance=_DISTANCES, quantiles=_QUANTILES, prior=st.floats(0, 1))
def test_what_lies_below_rises_with_the_distance_and_is_a_probability(distance, quantiles, prior):
    ordered = np.sort(distance, axis=1)
    found = shapes.below(ordered, quantiles, np.array([0, 1, 1]), np.full(3, prior))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found, axis=1) >= -1e-9).all()


def test_at_a_quantile_of_the_shape_lies_its_level_and_each_row_has_its_own_shape():
    quantiles = np.stack([norm.ppf(QUANTILES), 2 * norm.ppf(QUANTILES) + 1])
    at = [10, 99, 180]
    found = shapes.below(quantiles[:, at], quantiles, np.array([0, 1]), np.zeros(2))
    assert found == pytest.approx(np.stack([QUANTILES[at]] * 2))
    alone = shapes.below(quantiles[1:, at], quantiles[1:], np.array([0]), np.zeros(1))
    assert found[1:] == pytest.approx(alone)


def test_the_prior_is_the_normal_distribution():
    quantiles = np.stack([2 * norm.ppf(QUANTILES)])
    at = np.array([[-1.0, 0.0, 1.0]])
    found = shapes.below(at, quantiles, np.array([0]), np.ones(1))
    assert found == pytest.approx(norm.cdf(at))


def test_quantiles_are_stored_as_numbers_of_json():
    (first, *_) = fitted(past())["quantiles"]
    assert len(json.loads(first)) == len(QUANTILES)


def test_equal_lines_leave_no_consensus_without_a_band():
    rows = past(n=900).assign(median=20.5)
    found = fitted(rows)
    assert found["low"].isna().any()
    assert found["high"].isna().any()
    assert found["results"].sum() == 900
