"""Vectors of the other legacy systems (docs/legacy-systems.md#test-vectors), and what they do without an input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nba_props.domain.systems import SYSTEMS, shrunk_rate, similarity, zone_matchup
from nba_props.domain.systems.formula import Formula
from nba_props.schemas.analytics import LINE_COLUMNS
from nba_props_tests.domain.given import given

DAY = pd.Timestamp("2025-11-05")
A = {
    "game_date": DAY, "player_id": 7, "points_avg_last_5": 24.0, "points_avg_last_10": 22.0, "points_avg_season": 21.0,
    "points_std_last_10": 5.0, "games_in_last_7_days": 3, "fatigue_score": 85.0, "shot_zone_mismatch_score": 2.0,
    "pace_score": 1.0, "usage_spike_score": 0.5, "opponent_def_rating": 114.0, "home_away": 1, "back_to_back": 0,
    "pct_paint": 0.42, "pct_mid_range": 0.18, "pct_three": 0.40, "pct_free_throw": 0.16, "days_rest": 1, "line": 22.5,
}  # fmt: skip
B = {**A, "fatigue_score": 45.0, "back_to_back": 1, "home_away": 0, "opponent_def_rating": 108.0,
     "points_std_last_10": 7.0, "games_in_last_7_days": 4}  # fmt: skip
C = {**A, "points_avg_last_5": 8.0, "points_avg_last_10": 9.0, "points_avg_season": 9.5, "points_std_last_10": 3.5,
     "games_in_last_7_days": 1, "fatigue_score": 60.0, "pct_paint": 0.15, "pct_three": 0.70, "line": 8.5}  # fmt: skip
#: the history of the vectors, newest first: every opponent average, every game at home
_FORM = {"n": 0.0, "h": 4.0, "c": -4.0}
PAST = pd.DataFrame(
    {
        "game_date": DAY, "player_id": 7, "recency": range(1, 13),
        "points": [26, 18, 24, 30, 15, 22, 25, 20, 19, 23, 28, 21], "days_rest": [1, 2, 1, 2, 3, 1, 2, 1, 1, 2, 2, 1],
        "form": [_FORM[c] for c in "nhnncnnhnnnn"], "is_home": True, "opponent_def_rating": 112.0,
    }
)  # fmt: skip


def one(system, features, past=None):
    return system.forecast(pd.DataFrame([{**features, "ceiling": 60.0, "scale": 1.0}]), past).iloc[0]


@pytest.mark.parametrize(
    ("features", "points", "confidence", "side"),
    [
        (A, 24.324, 0.52, "PASS"),
        # 21 base; d=-2: paint -.72, mid -.6*.4, three -.66, ft -.48*.4; pace +.4; away -.8; no fatigue
        (B, 21 - 0.72 - 0.24 - 0.66 - 0.192 + 0.4 - 0.8, 0.45, "PASS"),
        # d=4: paint 1.44*.4, mid 1.2*.4, three 1.32, ft .96*.4; +.4 +.8 -.8
        (C, 9.5 + 0.576 + 0.48 + 1.32 + 0.384 + 0.4 + 0.8 - 0.8, 0.40, "PASS"),
        ({**A, "line": 20.5}, 24.324, 0.52, "OVER"),
    ],
)
def test_zone_matchup(features, points, confidence, side):
    out = one(zone_matchup.SYSTEM, features)
    assert out["forecast"] == pytest.approx(points, abs=1e-9)
    assert out["confidence_score"] == pytest.approx(confidence)
    assert out["side"] == side


def test_zone_matchup_leaves_out_an_unknown_zone():
    out = one(zone_matchup.SYSTEM, {**A, "pct_paint": np.nan, "pct_mid_range": np.nan})
    assert out["forecast"] == pytest.approx(24.324 - 1.44 - 0.4 * 1.2)
    assert np.isnan(out["term_pct_paint"])


def test_similarity():
    out = one(similarity.SYSTEM, A, PAST)
    assert out["forecast"] == pytest.approx(26.09, abs=0.005)
    assert out["confidence_score"] == pytest.approx(0.66)
    assert out["side"] == "OVER"
    assert out["term_similar_games"] == 11
    assert out["term_base"] == pytest.approx(23.06, abs=0.005)
    games = similarity.similar_games(pd.DataFrame([A]), PAST)
    assert games["score"].mean() == pytest.approx(85)


def test_similarity_abstains_where_too_little_is_similar():
    away_at_an_elite = {**A, "home_away": 0, "opponent_def_rating": 108.0}
    out = one(similarity.SYSTEM, away_at_an_elite, PAST)  # at most 20 + 30 + 0 + 15 = 65
    assert np.isnan(out["forecast"])
    assert out["reason"] == "FEWER_THAN_5_SIMILAR_GAMES"
    assert np.isnan(one(similarity.SYSTEM, A, PAST.head(4))["forecast"])


@pytest.mark.parametrize(
    ("unknown", "worth"), [("form", 15), ("days_rest", 30), ("opponent_def_rating", 40), ("is_home", 15)]
)
def test_an_unknown_value_of_a_past_game_matches_nothing(unknown, worth):
    alike = PAST.head(1).assign(form=4.0, points=20)
    (known,) = similarity.similar_games(pd.DataFrame([A]), alike)["score"]
    assert known == 100
    assert similarity.similar_games(pd.DataFrame([A]), alike.assign(**{unknown: np.nan}))["score"].tolist() == [
        s for s in [100 - worth] if s >= similarity.MIN_SCORE
    ]


def test_similarity_uses_the_twenty_best_games():
    many = pd.concat([PAST.assign(recency=PAST["recency"] + 12 * k) for k in range(3)], ignore_index=True)
    games = similarity.similar_games(pd.DataFrame([A]), many.sample(frac=1, random_state=3))
    assert len(games) == 20
    assert games["score"].is_monotonic_decreasing


def test_shrunk_rate_is_minutes_times_rate_with_half_of_each_adjustment():
    features = {"minutes_ewma": 30.0, "ppm_shrunk": 0.6, "minutes_std_last_10": 6.0, "opponent_def_rating": 120.0,
                "league_def_rating": 115.0, "team_pace": 102.0, "opponent_pace": 100.0, "league_pace": 99.0, "line": 16.5}  # fmt: skip
    out = one(shrunk_rate.SYSTEM, features)
    expected = 18 * (1 + 0.5 * (120 / 115 - 1) + 0.5 * (101 / 99 - 1))
    assert out["forecast"] == pytest.approx(expected)
    assert out["side"] == "OVER"
    assert out["confidence_score"] == pytest.approx(0.8 * (1 - 6 / 30))
    assert one(shrunk_rate.SYSTEM, {**features, "minutes_ewma": 1.0})["confidence_score"] == 0
    unknown = one(shrunk_rate.SYSTEM, {**features, "opponent_def_rating": np.nan, "league_pace": np.nan})
    assert unknown["forecast"] == pytest.approx(18.0)


@pytest.mark.parametrize("system", [s for s in SYSTEMS if isinstance(s, Formula)], ids=lambda s: s.system_id)
def test_every_system_abstains_with_a_reason_and_answers_for_every_row(system):
    n = 6
    rng = np.random.default_rng(1)
    inputs = {c: rng.uniform(1, 3, n) for c in (*system.required, *system.optional)}
    features = pd.DataFrame({"game_date": DAY, "game_id": "g", "player_id": range(n), "player_name": "A", "player_lookup": "a",
                             "cutoff_at": DAY.tz_localize("UTC"), **inputs})  # fmt: skip
    features.loc[2, system.required[0]] = np.nan
    lines = features[["game_date", "game_id", "player_id"]].assign(**{c.name: None for c in LINE_COLUMNS})
    lines["line"] = [10.5, np.nan] * 3
    lines["has_prop_line"] = lines["line"].notna()
    past = pd.concat([PAST.assign(player_id=k) for k in range(n)], ignore_index=True) if system.uses_past else None
    out = system.rows(given(features, lines, past))
    assert len(out) == n
    assert out.loc[2, "abstain_reason"] == f"MISSING_INPUT: {system.required[0]}"
    assert out.loc[2, "forecast"] != out.loc[2, "forecast"]
    assert (out["recommendation"].eq("NO_LINE") == out["line"].isna()).all()
    assert (out["forecast"].isna() == out["abstain_reason"].notna()).all()
    assert out["forecast"].dropna().between(0, 60).all()
    assert out["confidence_score"].dropna().between(0, 1).all()
    assert out["feature_hash"].nunique() == n
    shuffled = system.rows(given(features.sample(frac=1, random_state=2), lines, past)).sort_values("player_id")
    assert shuffled["forecast"].tolist() == pytest.approx(out["forecast"].tolist(), nan_ok=True)
    assert shuffled["feature_hash"].tolist() == out["feature_hash"].tolist()
