"""``shrunk_rate_v1``: expected minutes times an expected rate, both from weighted history, without the market.

The weights of minutes and points decay with each game; the rate is shrunk to the league's, more so for players with
few minutes. What the opponent allows and the pace of both teams scale the result by half of their distance from the
league's mean, because a rating over fifteen games is itself noisy.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.systems.base import side_of
from nba_props.domain.systems.formula import Formula
from nba_props.facts import markets

#: the share of a rating's distance from the league's mean that is applied
TRUST = 0.5
#: least distance from the line for a side, in points; in other markets by the error of their lines
MIN_EDGE = 1.5


def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Forecast, confidence and side of each row; see ``rows.Forecast``.

    Confidence is 0.8 times one less the swing of a player's minutes (their deviation as a share of the usual ones): how
    steady he is, not a probability. It is 0 for players who usually play a minute or less.
    """
    f = features.drop(columns="game_date", errors="ignore").astype("float64")
    defence = TRUST * (f["opponent_def_rating"] / f["league_def_rating"] - 1)
    pace = TRUST * ((f["team_pace"] + f["opponent_pace"]) / 2 / f["league_pace"] - 1)
    base = f["minutes_ewma"] * f["ppm_shrunk"]
    terms = pd.DataFrame({"term_base": base, "term_defence": base * defence, "term_pace": base * pace})
    expected = terms.sum(axis=1).clip(0, f["ceiling"])
    swing = (f["minutes_std_last_10"] / f["minutes_ewma"].where(f["minutes_ewma"] > 1)).clip(0, 1).fillna(1.0)
    confidence = (0.8 * (1 - swing)).clip(0, 0.8)
    bets = (expected - f["line"]).abs() >= MIN_EDGE * f["scale"]
    return terms.assign(
        forecast=expected,
        confidence_score=np.round(confidence, 9),
        side=side_of(expected, f["line"], bets),
    )


SYSTEM = Formula(
    system_id="shrunk_rate_v1",
    description="Weighted minutes times a shrunken rate per minute, adjusted for opponent and pace; every market.",
    model_version="1",
    markets=markets.keys(),
    required=("minutes_ewma", "ppm_shrunk", "minutes_std_last_10"),
    optional=("opponent_def_rating", "league_def_rating", "team_pace", "opponent_pace", "league_pace"),
    elsewhere={
        "ppm_shrunk": "per_minute_shrunk",
        "opponent_def_rating": "opponent_allows",
        "league_def_rating": "league_allows",
    },
    forecast=forecast,
)
