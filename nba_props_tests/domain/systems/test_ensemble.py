"""The ensembles' vectors (docs/legacy-systems.md#test-vectors) and every case the legacy formula leaves undefined."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nba_props.domain.systems import ensemble
from nba_props.domain.systems.base import SystemInputs
from nba_props.schemas.analytics import LINE_COLUMNS

DAY = pd.Timestamp("2025-11-05")
KEYS = {"game_date": DAY, "game_id": "g", "player_id": 7}
#: the vector of docs/legacy-systems.md#test-vectors: points, confidence, recommendation
GOLDEN = {
    "moving_average": (21.90, 0.52, "PASS"),
    "zone_matchup_v1": (24.324, 0.52, "PASS"),
    "similarity_balanced_v1": (26.09, 0.66, "OVER"),
    "xgboost_v1": (25.08, 0.84, "OVER"),
    "catboost_v8": (22.55, 0.50, "PASS"),
}


def run(system, components, line=22.5, quote="q", quoted="q", slate_quote="q"):
    """The ensemble's one row, from its components' stored rows."""
    stored = pd.DataFrame(
        [
            {**KEYS, "player_name": "A", "player_lookup": "a", "market": "points", "cutoff_at": DAY.tz_localize("UTC"), "system_id": name,
             "forecast": points, "confidence_score": confidence, "recommendation": side, "quote_id": quoted}
            for name, (points, confidence, side) in components.items() if name in system.names
        ]
    )  # fmt: skip
    lines = pd.DataFrame([KEYS]).assign(market="points", **{c.name: None for c in LINE_COLUMNS})
    lines["quote_id"], lines["line"], lines["has_prop_line"] = slate_quote, line, not np.isnan(line)
    return system.rows(SystemInputs(lines, systems=stored)).iloc[0]


@pytest.mark.parametrize(
    ("system", "points", "confidence", "spread"),
    [(ensemble.V1, 23.8777, 0.70, 1.6327), (ensemble.V1_1, 23.4824, 0.758, 1.5589)],
    ids=["ensemble_v1", "ensemble_v1_1"],
)
def test_golden_vectors(system, points, confidence, spread):
    row = run(system, GOLDEN)
    assert row["forecast"] == pytest.approx(points, abs=5e-5)
    assert row["confidence_score"] == pytest.approx(confidence, abs=5e-4)
    assert row["recommendation"] == "PASS"
    assert json.loads(row["components"])["spread"] == pytest.approx(spread, abs=5e-5)
    assert json.loads(row["components"])["left_out"] == []


def test_without_a_line_there_is_no_line():
    row = run(ensemble.V1, GOLDEN, line=float("nan"))
    assert row["recommendation"] == "NO_LINE"
    assert row["forecast"] == pytest.approx(23.8777, abs=5e-5)


@pytest.mark.parametrize("system", [ensemble.V1, ensemble.V1_1], ids=lambda s: s.system_id)
def test_fewer_than_two_components_abstain_instead_of_giving_zero(system):
    silent = (np.nan, np.nan, "PASS")
    only = {**dict.fromkeys(GOLDEN, silent), "catboost_v8": GOLDEN["catboost_v8"]}
    row = run(system, only)
    assert np.isnan(row["forecast"])
    assert np.isnan(row["confidence_score"])
    assert row["abstain_reason"] == "FEWER_THAN_2_COMPONENTS"
    assert row["recommendation"] == "PASS"
    assert "moving_average" in json.loads(row["components"])["left_out"]


def test_a_component_that_did_not_run_is_left_out_by_name():
    """Its rows are absent altogether, as when its step failed."""
    there = {k: v for k, v in GOLDEN.items() if k != "similarity_balanced_v1"}
    row = run(ensemble.V1, there)
    expected = np.average([21.90, 24.324, 22.55], weights=[52, 52, 50])
    assert row["forecast"] == pytest.approx(expected)
    assert json.loads(row["components"])["left_out"] == ["similarity_balanced_v1"]


def test_fixed_weights_are_renormalized_over_the_systems_that_answered():
    there = {k: GOLDEN[k] for k in ("catboost_v8", "zone_matchup_v1", "xgboost_v1")}
    row = run(ensemble.V1_1, there)
    assert row["forecast"] == pytest.approx((0.45 * 22.55 + 0.10 * 24.324) / 0.55)


def test_a_majority_against_the_ensembles_margin_is_a_pass_with_the_reason():
    """Three of four say UNDER, yet the confidence-weighted mean is above the line."""
    rows = {
        "moving_average": (20.0, 0.30, "UNDER"),
        "zone_matchup_v1": (20.2, 0.30, "UNDER"),
        "catboost_v8": (20.4, 0.95, "UNDER"),
        "similarity_balanced_v1": (40.0, 0.95, "OVER"),
    }
    row = run(ensemble.V1, rows, line=22.5)
    assert row["forecast"] > 24
    assert row["recommendation"] == "PASS"
    crossing = {**rows, "similarity_balanced_v1": (27.0, 0.95, "OVER"), "moving_average": (26.0, 0.95, "UNDER"),
                "zone_matchup_v1": (26.5, 0.95, "UNDER"), "catboost_v8": (26.2, 0.95, "UNDER")}  # fmt: skip
    row = run(ensemble.V1, crossing, line=22.5)
    assert row["recommendation"] == "PASS"
    assert json.loads(row["components"])["vote_against_margin"] == 1
    agreed = {k: (p, c, "OVER") for k, (p, c, _) in crossing.items()}
    assert run(ensemble.V1, agreed, line=22.5)["recommendation"] == "OVER"


def test_a_side_on_another_line_is_not_a_vote():
    crossing = dict.fromkeys(ensemble.V1.names, (26.2, 0.95, "UNDER"))
    assert run(ensemble.V1, crossing, line=22.5)["recommendation"] == "PASS"
    moved = run(ensemble.V1, crossing, line=22.5, quoted="older")
    assert moved["recommendation"] == "OVER", "the sign of the margin decides when there is no vote on this line"


@pytest.mark.parametrize("seed", range(20))
def test_no_side_contradicts_its_margin_and_no_value_is_out_of_range(seed):
    rng = np.random.default_rng(seed)
    n = 200
    names = ensemble.V1_1.names
    features = pd.DataFrame({"line": np.where(rng.random(n) < 0.2, np.nan, rng.integers(5, 35, n) + 0.5)})
    for name in names:
        points = rng.uniform(0, 60, n)
        features[name] = np.where(rng.random(n) < 0.3, np.nan, points)
        features[f"{name}__confidence"] = rng.uniform(0, 1, n)
        features[f"{name}__side"] = rng.choice([-1.0, 0.0, 1.0], n)
    for system in (ensemble.V1, ensemble.V1_1):
        out = ensemble.combine(system, features)
        spoke = features[list(system.names)].notna().sum(axis=1)
        assert (out["forecast"].isna() == (spoke < 2)).all()
        assert (out["forecast"].isna() == out["reason"].notna()).all()
        assert out["forecast"].dropna().between(0, 60).all()
        assert out["confidence_score"].dropna().between(0.20, 0.95).all()
        margin = out["forecast"] - features["line"]
        assert (margin[out["side"] == "OVER"] > 0).all()
        assert (margin[out["side"] == "UNDER"] < 0).all()
