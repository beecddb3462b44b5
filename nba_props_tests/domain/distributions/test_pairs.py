"""Two props of one player."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nba_props.domain.distributions import pairs
from nba_props.domain.distributions.shapes import unit
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.schemas.distributions import COMBINATION_SCORES, DEPENDENCE
from nba_props_tests.domain.distributions import test_masses as made

DAY = made.DAY


def past(correlation: float, n: int = 4_000, seed: int = 1) -> pd.DataFrame:
    """Results of points and threes of one player that are normal around the consensus and go together."""
    rng = np.random.default_rng(seed)
    both = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], n)
    keys = pd.DataFrame(
        {
            "game_date": pd.Timestamp("2025-10-21") + pd.to_timedelta(np.arange(n) % 10, unit="D"),
            "game_id": [f"g{k // 20}" for k in range(n)], "player_id": np.arange(n),
        }
    )  # fmt: skip
    parts = []
    for column, (market, low, high) in enumerate((("points", 8, 28), ("threes", 0.5, 4))):
        median = pd.Series(rng.uniform(low, high, n))
        spread = unit(median, pd.Series(market, index=median.index))
        parts.append(keys.assign(market=market, median=median, result=median + spread * both[:, column]))
    return pd.concat(parts, ignore_index=True)


def fitted(rows: pd.DataFrame) -> pd.DataFrame:
    return DEPENDENCE.validate(pairs.fit(rows).assign(game_date=DAY))


def grid(rows: pd.DataFrame) -> np.ndarray:
    (row,) = fitted(rows)["excess"]
    return np.array(json.loads(row))


def test_the_dependence_is_how_much_oftener_both_results_are_low_than_by_chance():
    found = grid(past(0.6))
    # of a normal pair with a correlation of .6 both are below their medians in .25 + asin(.6) / 2 pi of cases
    assert found[4, 4] == pytest.approx(np.arcsin(0.6) / (2 * np.pi), abs=0.02)
    assert (found > 0).all()
    assert np.abs(grid(past(0.0))).max() < 0.02
    assert (grid(past(-0.6)) < 0).all()


def test_shuffled_results_do_not_depend_on_each_other():
    rows = past(0.8)
    points = rows["market"] == "points"
    rng = np.random.default_rng(3)
    rows.loc[points, "result"] = rows.loc[points, "median"] + rng.permutation(
        (rows["result"] - rows["median"])[points].to_numpy()
    )
    assert np.abs(grid(rows)).max() < 0.03


def test_a_pair_has_the_games_with_both_results_and_too_few_make_none():
    rows = past(0.5)
    lacking = rows[(rows["market"] == "points") | (rows["player_id"] < 500)]
    (row,) = fitted(lacking).to_dict("records")
    assert (row["market"], row["other_market"], row["results"]) == ("points", "threes", 500)
    assert row["last_result"] == pd.Timestamp("2025-10-30")
    assert fitted(rows[(rows["market"] == "points") | (rows["player_id"] < 299)]).empty
    assert fitted(rows[rows["market"] == "points"]).empty
    assert fitted(rows.iloc[:0]).empty


def test_the_order_of_results_does_not_matter():
    rows = past(0.5)
    pd.testing.assert_frame_equal(fitted(rows), fitted(rows.sample(frac=1, random_state=2)))


_CHANCE = arrays.arrays("float64", 5, elements=st.floats(0.001, 0.999))


@given(first=_CHANCE, second=_CHANCE, excess=arrays.arrays("float64", (5, 9, 9), elements=st.floats(-0.25, 0.25)),
       results=st.floats(0, 1e5))  # fmt: skip
def test_outcomes_are_probabilities_whose_sides_are_those_of_the_props(first, second, excess, results):
    found = pairs.outcomes(first, second, excess, np.full(5, results))
    assert (found >= -1e-9).all(axis=None)
    assert found.sum(axis=1).to_numpy() == pytest.approx(1)
    assert (found["both_over"] + found["over_under"]).to_numpy() == pytest.approx(first)
    assert (found["both_over"] + found["under_over"]).to_numpy() == pytest.approx(second)


@given(first=_CHANCE, second=_CHANCE)
def test_without_dependence_they_are_the_products(first, second):
    found = pairs.outcomes(first, second, np.zeros((5, 9, 9)), np.full(5, 1e6))
    pd.testing.assert_frame_equal(found, pairs.independent(first, second), check_exact=False, atol=1e-9)


def combined(correlation: float = 0.6) -> pd.DataFrame:
    found = made.rows_of(("points", 20.0, None), ("threes", 2.2, None))
    found = found.assign(player_id=1)
    lines = found[PROP].assign(line=[20.5, 2.5])
    return pairs.combined(found, lines, fitted(past(correlation)))


def test_two_props_of_a_player_are_combined_by_their_dependence():
    (row,) = combined().to_dict("records")
    assert (row["market"], row["line"], row["other_market"], row["other_line"]) == ("points", 20.5, "threes", 2.5)
    assert row["independent_both_over"] == pytest.approx(row["over_probability"] * row["other_over_probability"])
    assert row["both_over"] > 1.2 * row["independent_both_over"]
    (weak,) = combined(0.0).to_dict("records")
    assert weak["both_over"] == pytest.approx(weak["independent_both_over"], abs=0.02)


def test_a_prop_without_a_consensus_or_a_line_is_in_no_pair():
    found = made.rows_of(("points", None, 20.0), ("threes", 2.2, None)).assign(player_id=1)
    assert pairs.combined(found, found[PROP].assign(line=[20.5, 2.5]), fitted(past(0.5))).empty
    whole = made.rows_of(("points", 20.0, None), ("threes", 2.2, None)).assign(player_id=1)
    assert pairs.combined(whole, whole[PROP].assign(line=[20.5, np.nan]), fitted(past(0.5))).empty
    assert pairs.combined(whole, whole[PROP].assign(line=[20.5, 2.5]), DEPENDENCE.empty()).empty


def test_the_score_is_of_the_outcome_and_of_whether_both_were_over():
    one = combined()
    results = one[PLAYER_GAME].merge(pd.DataFrame({"market": ["points", "threes"], "result": [25, 1]}), how="cross")
    (row,) = COMBINATION_SCORES.validate(pairs.combination_scores(one, results)).to_dict("records")
    (said,) = one.to_dict("records")
    assert row["log_loss"] == pytest.approx(-np.log(said["over_under"]), abs=1e-6)
    assert row["independent_log_loss"] == pytest.approx(-np.log(said["independent_over_under"]), abs=1e-6)
    assert row["both_log_loss"] == pytest.approx(-np.log(1 - said["both_over"]), abs=1e-6)
    pushed = results.assign(result=[25, 2.5])
    assert pairs.combination_scores(one, pushed).empty
    assert pairs.combination_scores(one, results.iloc[:1]).empty
