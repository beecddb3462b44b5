"""``similarity_balanced_v1``: what a player scored in his most similar past games.

Formula: docs/legacy-systems.md#similarity_balanced_v1.

The formula is the legacy one with correct history: the opponent's tier, rest, venue and form as of before each past
game. The legacy system used the middle tier, a home venue and later form for every game. What is unknown, such as the
form before a season's first game, adds nothing to the score.

The legacy system rounds its points to .01 before the ensembles read them; here nothing is rounded on the way. That
moves an ensemble by .006 points at most and changes no side; where a rounded value was a tie, results differ by .01
(3 % of inputs).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.systems.base import MAX_POINTS, side_of
from nba_props.domain.systems.formula import Formula
from nba_props.facts.keys import PLAYER_DAY

MIN_SCORE, MOST, FEWEST = 70, 20, 5


def tier(rating: pd.Series) -> pd.Series:
    """Tier by points allowed per 100 possessions: 0 elite (< 110), 1 average (< 115), 2 weak; null stays null."""
    tiers = np.where(rating < 110, 0.0, np.where(rating < 115, 1.0, 2.0))
    return pd.Series(tiers, index=rating.index).where(rating.notna())


def _form(difference: pd.Series) -> pd.Series:
    """1 hot (last 5 at least 3 points above the season), -1 cold, 0 normal; null stays null."""
    forms = np.where(difference >= 3, 1.0, np.where(difference <= -3, -1.0, 0.0))
    return pd.Series(forms, index=difference.index).where(difference.notna())


def similar_games(features: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """The past games that count: ``row`` (index of the feature row), ``score`` (0-100) and ``points``, best first."""
    now = pd.DataFrame(
        {
            "row": features.index,
            "game_date": features["game_date"],
            "player_id": features["player_id"],
            "now_tier": tier(features["opponent_def_rating"].astype("float64")),
            "now_rest": features["days_rest"].astype("float64").clip(upper=3),
            "now_home": features["home_away"].astype("float64"),
            "now_form": _form((features["points_avg_last_5"] - features["points_avg_season"]).astype("float64")),
        }
    )
    games = now.merge(past, on=PLAYER_DAY)
    tiers = (tier(games["opponent_def_rating"].astype("float64")) - games["now_tier"]).abs()
    rests = (games["days_rest"].astype("float64").clip(upper=3) - games["now_rest"]).abs()
    venue = games["is_home"].astype("float64") == games["now_home"]
    forms = (_form(games["form"].astype("float64")) - games["now_form"]).abs()
    games["score"] = (
        np.where(tiers == 0, 40, np.where(tiers == 1, 20, 0))
        + np.where(rests == 0, 30, np.where(rests == 1, 15, 0))
        + np.where(venue, 15, 0)
        + np.where(forms == 0, 15, np.where(forms > 0, 5, 0))
    )
    games = games[games["score"] >= MIN_SCORE].sort_values(["row", "recency"], kind="stable")
    games = games.sort_values(["row", "score"], ascending=[True, False], kind="stable")
    return games[games.groupby("row").cumcount() < MOST][["row", "score", "points"]].astype({"points": "float64"})


def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Points, confidence and side of each row; null with a reason where fewer than five games are similar."""
    if past is None:
        raise ValueError("similarity needs the players' past games")
    games = similar_games(features, past)
    by = games.assign(weighted=games["score"] * games["points"]).groupby("row")
    kept = pd.DataFrame(
        {
            "n": by.size(),
            "mean_score": by["score"].mean(),
            "spread": by["points"].std(ddof=0),
            "base": by["weighted"].sum() / by["score"].sum(),
        }
    ).reindex(features.index)
    f = features.drop(columns="game_date").astype("float64")
    adjustments = pd.DataFrame(
        {
            "term_fatigue": (f["fatigue_score"] - 70) * 0.015,
            "term_zone": 0.40 * f["shot_zone_mismatch_score"],
            "term_pace": 0.80 * f["pace_score"],
            "term_usage": 0.80 * f["usage_spike_score"],
            "term_venue": np.where(f["home_away"] == 1, 0.8, -0.5),
        },
        index=f.index,
    )
    enough = kept["n"] >= FEWEST
    points = (kept["base"] + adjustments.sum(axis=1).round(2)).clip(0, MAX_POINTS).where(enough)
    n, score, spread = kept["n"], kept["mean_score"], kept["spread"]
    confidence = (
        35
        + np.where(n >= 15, 12, np.where(n >= 10, 9, np.where(n >= 7, 6, -10)))
        + np.where(score >= 85, 12, np.where(score >= 75, 9, np.where(score >= 70, 6, 3)))
        + np.where(spread < 4, 10, np.where(spread < 6, 6, np.where(spread < 8, 2, -5)))
    ).clip(0, 100)
    bets = pd.Series(confidence >= 65, index=f.index) & ((points - f["line"]).round(9).abs() >= 2)
    return adjustments.assign(
        term_base=kept["base"],
        term_similar_games=n,
        forecast=points,
        confidence_score=pd.Series(confidence / 100, index=f.index).where(enough),
        side=side_of(points, f["line"], bets),
        reason=pd.Series(f"FEWER_THAN_{FEWEST}_SIMILAR_GAMES", index=f.index, dtype=object).where(~enough, None),
    )


SYSTEM = Formula(
    system_id="similarity_balanced_v1",
    description="Mean of the player's most similar past games, weighted by similarity.",
    model_version="legacy-t-merge-2",
    required=(
        "opponent_def_rating",
        "days_rest",
        "home_away",
        "points_avg_last_5",
        "points_avg_season",
        "fatigue_score",
    ),
    optional=("shot_zone_mismatch_score", "pace_score", "usage_spike_score"),
    forecast=forecast,
    uses_past=True,
)
