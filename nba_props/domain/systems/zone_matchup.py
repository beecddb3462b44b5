"""``zone_matchup_v1``: season average adjusted for each shot zone by the opponent's defence.

Formula: docs/legacy-systems.md#zone_matchup_v1.

Kept as in the legacy formula: one overall defensive rating is used for all four zones, fatigue is read inverted (a
fresh player is penalized), and confidence never exceeds 0.60. Where the share of a zone is unknown, its term is left
out and listed in the row; the legacy system used 12.0, which always counted in full.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.systems.base import MAX_POINTS, v1_confidence, v1_side
from nba_props.domain.systems.formula import Formula

_ZONES = {"pct_paint": 1.2, "pct_mid_range": 1.0, "pct_three": 1.1, "pct_free_throw": 0.8}
_LEAGUE_RATING = 110.0


def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Points, confidence and side of each row; see ``rows.Forecast``."""
    f = features.drop(columns="game_date", errors="ignore").astype("float64")
    leak = f["opponent_def_rating"] - _LEAGUE_RATING
    fatigue = f["fatigue_score"]
    terms = {"term_base": f["points_avg_season"]}
    for zone, multiplier in _ZONES.items():
        share = f[zone]
        weight = np.where(share >= 0.40, 1.0, np.where(share >= 0.20, 0.7, 0.4))
        terms[f"term_{zone}"] = ((0.3 * leak * multiplier).clip(-3, 3) * weight).where(share.notna())
    terms["term_pace"] = 0.4 * f["pace_score"]
    terms["term_venue"] = pd.Series(np.where(f["home_away"] == 1, 0.8, -0.8), index=f.index)
    tired = np.where(fatigue > 70, -1.5, np.where(fatigue > 50, -0.8, 0.0))
    terms["term_fatigue"] = pd.Series(tired, index=f.index)
    frame = pd.DataFrame(terms)
    points = frame.sum(axis=1).clip(0, MAX_POINTS)
    confidence = v1_confidence(f)
    return frame.assign(forecast=points, confidence_score=confidence, side=v1_side(points, confidence, f["line"]))


SYSTEM = Formula(
    system_id="zone_matchup_v1",
    description="Season average adjusted by the opponent's defence for each shot zone.",
    model_version="legacy-t-merge-1",
    required=(
        "points_avg_season",
        "points_std_last_10",
        "games_in_last_7_days",
        "fatigue_score",
        "home_away",
        "opponent_def_rating",
    ),
    optional=("pace_score", *_ZONES),
    forecast=forecast,
)
