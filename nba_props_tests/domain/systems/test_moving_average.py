"""Vectors of the legacy formula (docs/legacy-systems.md#test-vectors) and its documented quirks."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.domain.systems.moving_average import SYSTEM, forecast
from nba_props_tests.domain.given import given

A = {
    "points_avg_last_5": 24.0, "points_avg_last_10": 22.0, "points_avg_season": 21.0, "points_std_last_10": 5.0,
    "games_in_last_7_days": 3, "fatigue_score": 85.0, "shot_zone_mismatch_score": 2.0, "pace_score": 1.0,
    "usage_spike_score": 0.5, "home_away": True, "back_to_back": False, "line": 22.5,
}  # fmt: skip
B = {
    **A,
    "fatigue_score": 45.0,
    "back_to_back": True,
    "home_away": False,
    "points_std_last_10": 7.0,
    "games_in_last_7_days": 4,
}
C = {**A, "points_avg_last_5": 8.0, "points_avg_last_10": 9.0, "points_avg_season": 9.5, "points_std_last_10": 3.5,
     "games_in_last_7_days": 1, "fatigue_score": 60.0, "line": 8.5}  # fmt: skip


@pytest.mark.parametrize(
    ("features", "points", "confidence", "side"),
    [
        (A, 21.90, 0.52, "PASS"),
        # 22.8 base, no fatigue, +0.6 zone, -1.5 rest, +0.3 pace, -0.5 venue, +0.2 usage; 0.50 - 0.15 + 0.10
        (B, 21.90, 0.45, "PASS"),
        # 8.6 base, -1.0 fatigue, +0.6, +0.3, +0.5, +0.2; 0.50 - 0.10
        (C, 9.20, 0.40, "PASS"),
        ({**A, "line": 19.5}, 21.90, 0.52, "OVER"),
        ({**A, "line": 24.5}, 21.90, 0.52, "UNDER"),
        ({**A, "line": 19.9}, 21.90, 0.52, "PASS"),  # exactly 2.0 is not an edge
        ({**A, "line": float("nan")}, 21.90, 0.52, "PASS"),
        ({**A, "fatigue_score": 70.0}, 23.40, 0.52, "PASS"),  # above 50, not above 70
        ({**A, "fatigue_score": 50.0}, 24.40, 0.52, "PASS"),
        ({**A, "points_std_last_10": 6.0}, 21.90, 0.52, "PASS"),
        ({**A, "points_std_last_10": 4.0}, 21.90, 0.60, "PASS"),
        ({**A, "points_avg_last_5": 150.0, "line": 20.5}, 60.0, 0.52, "OVER"),
        ({**C, "points_avg_last_5": 0.0, "points_avg_last_10": 0.0, "points_avg_season": 0.0, "pace_score": -3.0,
          "shot_zone_mismatch_score": -10.0}, 0.0, 0.40, "PASS"),
    ],
)  # fmt: skip
def test_golden_vectors(features, points, confidence, side):
    out = forecast(pd.DataFrame([features])).iloc[0]
    assert out["forecast"] == pytest.approx(points, abs=1e-9)
    assert out["confidence_score"] == pytest.approx(confidence, abs=1e-9)
    assert out["side"] == side


def context_and_lines(**changes):
    row = {"game_date": pd.Timestamp("2025-11-05"), "game_id": "0022500001", "player_id": 7, "player_name": "A B",
           "player_lookup": "ab", "cutoff_at": pd.Timestamp("2025-11-06T00:00Z"), **A, **changes}  # fmt: skip
    context = pd.DataFrame([row]).astype({"home_away": "float64", "back_to_back": "float64"})
    line = row["line"]
    lines = context[["game_date", "game_id", "player_id"]].assign(
        has_prop_line=line == line, line_source="ACTUAL_PROP" if line == line else "NO_PROP_LINE", line_source_api="ODDS_API",
        sportsbook="draftkings", quote_id="q", line=line, over_price=-110, under_price=-110, line_minutes_before_game=60.0,
    )  # fmt: skip
    return context.drop(columns="line"), lines


def test_a_missing_adjustment_is_left_out_and_named():
    row = SYSTEM.rows(given(*context_and_lines(shot_zone_mismatch_score=float("nan")))).iloc[0]
    assert row["forecast"] == pytest.approx(21.90 - 0.6)
    assert row["abstain_reason"] is None
    assert '"left_out": ["shot_zone_mismatch_score"]' in row["components"]
    assert "zone" not in row["components"].replace("shot_zone", "")


@pytest.mark.parametrize("missing", SYSTEM.required)
def test_a_missing_input_abstains_with_its_name(missing):
    row = SYSTEM.rows(given(*context_and_lines(**{missing: None}))).iloc[0]
    assert pd.isna(row["forecast"])
    assert row["recommendation"] == "PASS"
    assert row["abstain_reason"] == f"MISSING_INPUT: {missing}"


def test_an_abstention_without_a_line_recommends_no_line():
    assert SYSTEM.rows(given(*context_and_lines(line=float("nan")))).iloc[0]["recommendation"] == "NO_LINE"
    both = SYSTEM.rows(given(*context_and_lines(line=float("nan"), home_away=None))).iloc[0]
    assert both["recommendation"] == "NO_LINE"
    assert both["abstain_reason"] == "MISSING_INPUT: home_away"


def test_the_feature_hash_follows_the_inputs_only():
    one = SYSTEM.rows(given(*context_and_lines())).iloc[0]["feature_hash"]
    same = SYSTEM.rows(given(*context_and_lines(line=30.5))).iloc[0]["feature_hash"]
    other = SYSTEM.rows(given(*context_and_lines(pace_score=1.0000001))).iloc[0]["feature_hash"]
    assert one == same != other
