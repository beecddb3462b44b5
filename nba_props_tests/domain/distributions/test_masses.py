"""The probability of each result."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from nba_props.domain.distributions import masses, shapes
from nba_props.domain.models.chance import QUANTILES
from nba_props.facts import markets
from nba_props.facts.keys import PROP
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.distributions import DISTRIBUTIONS, LEVELS
from nba_props_tests.domain.distributions.test_shapes import past

DAY = pd.Timestamp("2025-11-05")
VERSION = "xgboost-1/2025-11-03/abc"
KEYS = markets.keys()
SHAPES = shapes.fit(pd.concat([past(m) for m in KEYS])).assign(game_date=DAY)
MODELS = pd.DataFrame(
    {
        "game_date": DAY, "market": "points", "model_version": [VERSION],
        "quantiles": [json.dumps((3 * norm.ppf(QUANTILES)).tolist())], "last_result": pd.Timestamp("2025-11-02"),
    }
)  # fmt: skip


def rows_of(*given_rows: tuple) -> pd.DataFrame:
    """Distributions of rows of (market, consensus, forecast), each of another player."""
    lines = pd.DataFrame(
        {
            "game_date": DAY, "game_id": "1", "player_id": range(1, len(given_rows) + 1), "player_name": "A B",
            "player_lookup": "ab", "market": [m for m, *_ in given_rows], "cutoff_at": pd.Timestamp("2025-11-06", tz="UTC"),
        }
    )  # fmt: skip
    lines = BETTING_LINES.empty().reindex(range(len(lines))).assign(**lines)
    known = lines[PROP].assign(median=[c for _, c, _ in given_rows])
    forecasts = lines[PROP].assign(forecast=[f for *_, f in given_rows], model_version=VERSION)
    return DISTRIBUTIONS.validate(masses.distributions(lines, known, forecasts, SHAPES, MODELS))


CENTRES = st.lists(
    st.tuples(st.sampled_from(KEYS), st.floats(-2, 60), st.none() | st.floats(0, 60)), min_size=1, max_size=6
)


@given(CENTRES)
def test_masses_are_a_distribution_with_their_mean_and_quantiles(some):
    found = rows_of(*some)
    assert found["anchor"].eq("CONSENSUS").all()
    mass = masses.as_array(found)
    assert (mass >= 0).all()
    assert mass.sum(axis=1) == pytest.approx(1, abs=1e-9)
    results = np.arange(masses.MOST + 1)
    assert found["mean"].to_numpy() == pytest.approx(mass @ results, abs=1e-4)
    spread = np.sqrt((mass * (results - (mass @ results)[:, None]) ** 2).sum(axis=1))
    assert found["deviation"].to_numpy() == pytest.approx(spread, abs=1e-3)
    reached = mass.cumsum(axis=1)
    for name, level in LEVELS.items():
        at = found[name].to_numpy(int)
        assert (reached[np.arange(len(found)), at] >= level - 1e-9).all()
        below = np.where(at > 0, reached[np.arange(len(found)), np.maximum(at - 1, 0)], 0)
        assert (below < level + 1e-9).all()
    most = found["market"].map({m.key: m.most_line + 0.5 for m in markets.MARKETS}).to_numpy()
    assert (mass[results[None, :] > most[:, None]] == 0).all()


@given(CENTRES)
def test_p_over_falls_as_the_line_rises(some):
    mass = masses.as_array(rows_of(*some))
    lines = np.arange(0.5, 40, 0.5)
    found = np.column_stack([masses.over_chance(mass, np.full(len(mass), line)) for line in lines])
    known = ~np.isnan(found)
    assert ((found[known] >= 0) & (found[known] <= 1)).all()
    halves = found[:, lines % 1 == 0.5]
    assert (np.diff(halves, axis=1) <= 1e-9).all()


def test_at_the_consensus_the_sides_are_equally_likely_where_lines_stand_near_the_median():
    found = rows_of(("points", 20.5, None), ("points_rebounds_assists", 30.5, None))
    chance = masses.over_chance(masses.as_array(found), found["centre"].to_numpy())
    assert chance == pytest.approx(0.5, abs=0.005)


def test_a_whole_line_leaves_out_the_result_that_equals_it():
    mass = np.zeros((1, masses.MOST + 1))
    mass[0, [19, 20, 21]] = 0.2, 0.5, 0.3
    assert masses.over_chance(mass, np.array([20.0])) == pytest.approx([0.6])
    assert masses.over_chance(mass, np.array([20.5])) == pytest.approx([0.3])


def test_a_forecast_places_a_distribution_only_where_there_is_no_consensus():
    both, own = rows_of(("points", 20.0, 35.0), ("points", None, 35.0)).to_dict("records")
    assert (both["anchor"], both["centre"]) == ("CONSENSUS", 20.0)
    assert (own["anchor"], own["centre"]) == ("UNANCHORED", 35.0)
    assert both["masses"] == rows_of(("points", 20.0, None)).loc[0, "masses"]
    # in the shape of its model's errors, three times as wide
    assert own["deviation"] > 15
    assert own["last_result"] == pd.Timestamp("2025-11-02")


def test_a_row_without_a_distribution_has_the_reason():
    found = rows_of(("points", None, None), ("rebounds", None, 5.0), ("points", 20.0, None))
    assert found["no_distribution_reason"].tolist() == [
        "NO_CONSENSUS_AND_NO_FORECAST",
        "NO_SHAPE: the model of the forecast is not in force",
        None,
    ]
    assert found["masses"].isna().tolist() == [True, True, False]
    assert found["anchor"].tolist() == [None, "UNANCHORED", "CONSENSUS"]
    assert found.loc[1, ["mean", "q50", "lowest", "last_result"]].isna().all()


def test_a_model_of_another_version_lends_its_errors_to_no_forecast():
    lines = rows_of(("points", None, 20.0))
    assert lines["masses"].notna().all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "MODELS", MODELS.assign(model_version="another"))
        assert rows_of(("points", None, 20.0))["masses"].isna().all()


def test_many_rows_are_made_in_parts_as_a_few_are(monkeypatch):
    some = [("points", 10.0 + n, None) for n in range(7)]
    whole = rows_of(*some)
    monkeypatch.setattr(masses, "_AT_ONCE", 3)
    pd.testing.assert_frame_equal(rows_of(*some), whole)


def test_without_lines_or_shapes_there_are_no_distributions():
    assert rows_of().empty
    lines = rows_of(("points", 20.0, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "SHAPES", SHAPES.iloc[:0])
        patch.setitem(globals(), "MODELS", MODELS.iloc[:0])
        found = rows_of(("points", 20.0, 21.0), ("points", None, None))
    assert len(found) == len(lines) + 1
    assert found["masses"].isna().all()
