"""``moving_average``: weighted last-5, last-10 and season averages with small adjustments.

Formula: docs/legacy-systems.md#moving_average.

Kept as in the legacy formula: the fatigue score runs from 0 to 100 with
100 fresh, yet a score above 70 is *penalized*; confidence never exceeds 0.60; a spread above 6 points never bets.
The legacy system used 0 for adjustments without data; here such a term is left out and listed in the row.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.systems.base import MAX_POINTS, v1_confidence, v1_side
from nba_props.domain.systems.formula import Formula


def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Points, confidence and side of each row; see ``rows.Forecast``."""
    f = features.drop(columns="game_date", errors="ignore").astype("float64")
    fatigue = f["fatigue_score"]
    terms = pd.DataFrame(
        {
            "term_base": 0.50 * f["points_avg_last_5"] + 0.30 * f["points_avg_last_10"] + 0.20 * f["points_avg_season"],
            "term_fatigue": np.where(fatigue > 70, -2.5, np.where(fatigue > 50, -1.0, 0.0)),
            "term_zone": 0.30 * f["shot_zone_mismatch_score"],
            "term_rest": np.where(f["back_to_back"] == 1, -1.5, 0.0),
            "term_pace": 0.30 * f["pace_score"],
            "term_venue": np.where(f["home_away"] == 1, 0.5, -0.5),
            "term_usage": 0.40 * f["usage_spike_score"],
        },
        index=f.index,
    )
    points = terms.sum(axis=1).clip(0, MAX_POINTS)  # the sum skips nulls: terms without data
    confidence = v1_confidence(f)
    return terms.assign(forecast=points, confidence_score=confidence, side=v1_side(points, confidence, f["line"]))


SYSTEM = Formula(
    system_id="moving_average",
    description="Weighted last-5, last-10 and season averages, adjusted for fatigue, rest, pace and venue.",
    model_version="legacy-t-merge-1",
    required=(
        "points_avg_last_5",
        "points_avg_last_10",
        "points_avg_season",
        "points_std_last_10",
        "games_in_last_7_days",
        "fatigue_score",
        "home_away",
        "back_to_back",
    ),
    optional=("shot_zone_mismatch_score", "pace_score", "usage_spike_score"),
    forecast=forecast,
)
