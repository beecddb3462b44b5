"""Scores of distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import norm

from nba_props.domain.distributions import masses, shapes
from nba_props.domain.quality.distributions import whole
from nba_props.domain.scoring import distribution_scores
from nba_props.domain.scoring.distributions import crps, share_within
from nba_props.facts.keys import PROP
from nba_props.schemas.distributions import DISTRIBUTION_SCORES
from nba_props_tests.domain.distributions import test_masses as made
from nba_props_tests.domain.distributions.test_shapes import past


def world(seed: int = 3, n: int = 4_000) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Distributions, results and lines of points; results are as the shape says, and a line is the half point below."""
    rows = past(seed=seed, n=n)
    found = made.rows_of(*[("points", m, None) for m in rows["median"]])
    results = found[PROP].assign(result=rows["result"].to_numpy())
    lines = found[PROP].assign(line=np.floor(found["centre"]) + 0.5, over_price=-120, under_price=100)
    return found, results, lines


def scored(found: pd.DataFrame, results: pd.DataFrame, lines: pd.DataFrame) -> dict:
    (row,) = DISTRIBUTION_SCORES.validate(distribution_scores(found, results, lines)).to_dict("records")
    return row


def test_right_distributions_have_four_fifths_of_the_results_in_their_middle_and_flat_tenths():
    row = scored(*world())
    n = row["results"]
    assert row["within_80"] / n == pytest.approx(0.8, abs=0.02)
    assert [row[f"pit_{k}"] / n for k in range(10)] == pytest.approx([0.1] * 10, abs=0.02)
    assert sum(row[f"pit_{k}"] for k in range(10)) == pytest.approx(n)
    assert sum(row[f"pit_{k}"] for k in range(1, 9)) == pytest.approx(row["within_80"])


def test_shuffled_results_have_no_skill():
    """The shape then describes the players' differences, and the line is the better."""
    found, results, lines = world()
    right = scored(found, results, lines)
    shuffled = results.assign(result=np.random.default_rng(4).permutation(results["result"]))
    wrong = scored(found, shuffled, lines)
    assert right["crps_with_line"] <= right["line_crps"]
    assert wrong["crps"] > 1.3 * right["crps"]
    assert wrong["within_80"] / wrong["results"] < 0.72


def test_shapes_fitted_to_shuffled_results_are_worse_than_a_normal_distribution_at_the_line(monkeypatch):
    rows = past()
    shuffled = rows.assign(result=np.random.default_rng(5).permutation(rows["result"]))
    monkeypatch.setattr(made, "SHAPES", shapes.fit(shuffled).assign(game_date=made.DAY))
    row = scored(*world())
    assert row["crps_with_line"] > row["line_crps"]


def test_a_distribution_without_a_result_or_a_line_is_left_out_where_it_takes_one():
    found, results, lines = (f.iloc[:3] for f in world())
    row = scored(found, results.iloc[:2], lines.assign(line=[np.nan, 20.5, 20.5]))
    assert (row["results"], row["with_line"]) == (2, 1)
    assert row["crps_with_line"] < row["crps"]
    assert distribution_scores(found, results.iloc[:0], lines).empty
    assert distribution_scores(found.assign(masses=None), results, lines).empty


@pytest.mark.parametrize("masses", ["[NaN, 0.5, 0.5]", "[0.5,", "[]", "[5.0, 3.0]", "{}", "[-0.5, 1.5]"])
def test_broken_masses_have_no_score(masses):
    """NaN would be a perfect one: sums leave it out and count the result."""
    found, results, lines = (f.iloc[:3] for f in world())
    broken = found.assign(masses=[masses, *found["masses"][1:]])
    assert scored(broken, results, lines)["results"] == 2
    finding = whole(broken, lines, found.assign(median=found["centre"]), [found["game_date"].iloc[0].date()])
    assert next(iter(finding.values())).figures["wrong"] == 1


def test_their_chances_at_the_line_are_scored_beside_the_quotes():
    found, results, lines = (f.iloc[:5].reset_index(drop=True) for f in world())
    results = results.assign(result=[30, 30, 10, 20, 30])
    lines = lines.assign(line=[20.5, 20.5, 20.5, 20.0, 20.5], over_price=[-120, -120, -120, -120, None])
    row = scored(found, results, lines)
    assert (row["with_line"], row["with_quote"]) == (5, 3), "one equals its line, one has a single price"
    chance = masses.over_chance(masses.as_array(found), lines["line"].to_numpy("float64"))[:3]
    assert row["log_loss"] == pytest.approx(-np.log(np.where([1, 1, 0], chance, 1 - chance)).sum(), abs=1e-6)
    own = (120 / 220) / (120 / 220 + 1 / 2)
    assert row["own_log_loss"] == pytest.approx(-2 * np.log(own) - np.log(1 - own), abs=1e-6)
    alone = scored(found.assign(anchor="UNANCHORED"), results, lines)
    assert (alone["with_line"], alone["with_quote"], alone["log_loss"]) == (5, 0, 0), "it says nothing of a bet"


@given(
    mass=arrays.arrays("float64", 30, elements=st.floats(0, 1)).filter(lambda m: m.sum() > 0.1),
    result=st.integers(0, 29),
)
def test_the_score_is_that_of_two_draws(mass, result):
    """E|X - y| - E|X - X'| / 2, another form of the same."""
    p = mass / mass.sum()
    k = np.arange(30)
    expected = (p * abs(k - result)).sum() - (p[:, None] * p * abs(k[:, None] - k)).sum() / 2
    assert crps(p.cumsum()[None, :], np.array([result]))[0] == pytest.approx(expected, abs=1e-9)


def test_a_sharp_right_forecast_scores_nothing_and_a_wrong_one_its_distance():
    sure = (np.arange(30) >= 7).astype(float)[None, :]
    assert crps(sure, np.array([7]))[0] == 0
    assert crps(sure, np.array([12]))[0] == 5


@given(result=st.integers(0, 29), low=st.floats(0, 1), mean=st.floats(1, 25))
def test_the_shares_of_the_parts_sum_to_one(result, low, mean):
    reached = norm.cdf((np.arange(30) + 0.5 - mean) / 3)[None, :]
    reached[0, -1] = 1
    parts = [share_within(reached, np.array([result]), a, b)[0] for a, b in ((0.0, low), (low, 1.0))]
    assert sum(parts) == pytest.approx(1)


def test_a_result_without_any_mass_lies_at_one_end():
    mass = np.zeros((2, masses.MOST + 1))
    mass[:, 20] = 1
    at = np.array([3, 40])
    reached = mass.cumsum(axis=1)
    assert share_within(reached, at, 0.1, 0.9).tolist() == [0, 0]
    assert share_within(reached, at, 0.0, 0.1)[0] == pytest.approx(1)
    assert share_within(reached, at, 0.9, 1.0)[1] == pytest.approx(1)
