"""Odds, beside a library that computes them one at a time."""

from __future__ import annotations

import numpy as np
import odds_tools
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nba_props.domain import odds
from nba_props.domain.prices import KELLY_SHARE, MOST_STAKED, stake

#: prices as books write them
AMERICAN = st.one_of(st.integers(-2000, -100), st.integers(100, 2000))
CHANCE = st.floats(0.02, 0.98)


def decimal(price: int) -> float:
    return odds_tools.american_to_decimal(price)


@given(st.lists(st.tuples(AMERICAN, AMERICAN), min_size=1))
def test_the_vig_is_taken_out_as_by_others(pairs):
    over, under = (pd.Series(prices) for prices in zip(*pairs, strict=True))
    prices = [[decimal(price) for price in pair] for pair in pairs]
    for method in odds.DEVIG:
        if method == "additive" and any(abs(1 / a - 1 / b) >= 0.99 for a, b in prices):
            continue  # the library refuses what has no probability left
        if method == "power" and any(1 / a + 1 / b < 1.001 for a, b in prices):
            continue
        expected = [odds_tools.fair_probabilities(pair, method)[0] for pair in prices]
        assert odds.over_probability(over, under, method).tolist() == pytest.approx(expected, abs=1e-9), method
    total = [odds_tools.overround(pair) for pair in prices]
    assert odds.hold(over, under).tolist() == pytest.approx([1 - 1 / t for t in total])


@given(st.lists(st.tuples(AMERICAN, CHANCE), min_size=1))
def test_what_a_bet_is_worth_and_its_stake_are_as_by_others(bets):
    price, chance = (pd.Series(values) for values in zip(*bets, strict=True))
    worth = [odds_tools.expected_value(decimal(a), p) for a, p in bets]
    assert odds.expected_profit(chance, price).tolist() == pytest.approx(worth, abs=1e-12)
    staked = [min(odds_tools.kelly_fraction(decimal(a), p, KELLY_SHARE), MOST_STAKED) for a, p in bets]
    assert stake(chance, price).tolist() == pytest.approx(staked, abs=1e-12)
    fair = [odds_tools.decimal_to_american(1 / p) for p in chance]
    assert odds.american(chance).tolist() == pytest.approx(fair)


@pytest.mark.parametrize(
    ("chance", "price", "staked"),
    # a quarter of Kelly's 2 % at evens, of 0.8 %, of 1 % at +150, of 20 %, and of nothing
    [(0.51, 100, 0.005), (0.504, 100, 0.002), (0.406, 150, 0.0025), (0.6, 100, 0.01), (0.5, -110, 0.0)],
)
def test_a_stake_is_a_quarter_of_kellys_and_at_most_a_hundredth(chance, price, staked):
    assert stake(pd.Series([chance]), pd.Series([price]))[0] == pytest.approx(staked, abs=1e-12)


@given(
    st.lists(
        st.tuples(st.sampled_from(["OVER", "UNDER"]), st.integers(1, 60), st.integers(0, 60), AMERICAN), min_size=1
    )
)
@example([("OVER", 40, 20, -110), ("UNDER", 40, 20, 150), ("OVER", 39, 20, -110), ("UNDER", 41, 20, 150)])
def test_a_bet_is_settled_by_the_side_of_the_line_that_the_result_is_on(bets):
    side, halves, result, price = (pd.Series(values) for values in zip(*bets, strict=True))
    found = odds.settled(side, halves / 2, price, result)
    for n, (taken, twice, points, asked) in enumerate(bets):
        won = (2 * points > twice) == (taken == "OVER")
        expected = 0.0 if 2 * points == twice else decimal(asked) - 1 if won else -1.0
        assert found[n] == pytest.approx(expected)
    assert odds.settled(side, halves / 2, price, pd.Series(np.nan, index=price.index)).isna().all()


def test_books_of_one_engine_are_one_opinion():
    books = pd.Series(["betrivers", "ballybet", "fanduel"])
    assert odds.engine_of(books).tolist() == ["kambi", "kambi", "fanduel"]


def test_without_a_price_there_is_no_probability():
    known, unknown = pd.Series([-110], dtype="Int64"), pd.Series([None], dtype="Int64")
    for method in odds.DEVIG:
        assert odds.over_probability(known, unknown, method).isna().all()
    assert odds.hold(unknown, known).isna().all()
    assert stake(pd.Series([0.6]), unknown).isna().all()
    assert odds.american(pd.Series([0.5])).tolist() == [100], "evens are written with a plus"
    assert odds.american(pd.Series([None], dtype="float64")).isna().all()
