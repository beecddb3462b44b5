"""Contracts of the minutes that players are expected to play, and of how good these forecasts were."""

from nba_props.schemas.analytics import CUTOFF_AT, PERSON
from nba_props.schemas.base import Table, count, real, text
from nba_props.schemas.raw import GAME_DATE

MINUTES = Table(
    "nba_analytics",
    "minutes_forecasts",
    "One row per slate player: the minutes that he plays, should he play, by a model of his past minutes.",
    (
        *PERSON,
        CUTOFF_AT,
        real("minutes", "Forecast; null with a reason", "min", nullable=True, ge=0, le=48),
        real("low", "A tenth of results are below it", "min", nullable=True, ge=0),
        real("high", "A tenth are above it", "min", nullable=True, ge=0),
        real("deviation", "Standard deviation of his minutes around the forecast", "min", nullable=True, ge=0),
        real("minutes_ewma", "The exponentially weighted mean of his past minutes, which it has to beat", "min",
             nullable=True, source=("nba_analytics.player_features.minutes_ewma",)),
        text("model_version", "Version of the model", nullable=True),
        text("abstain_reason", "Why there is no forecast", nullable=True),
    ),
    key=("player_id",),
)  # fmt: skip

#: the players that are scored: all who played, and those of them with a line of points
EVERYONE, QUOTED = "ALL", "QUOTED"
MINUTES_SCORES = Table(
    "nba_predictions",
    "minutes_scores",
    "Sums of the errors of a date's minutes forecasts, beside the exponentially weighted mean's on the same players.",
    (
        GAME_DATE,
        text("players", "ALL who played, or those of them who were QUOTED in points", isin=(EVERYONE, QUOTED)),
        count("forecasts", "Forecasts whose minutes are known", "forecasts"),
        real("error", "Sum of their absolute errors", "min", ge=0),
        real("ewma_error", "Sum of the mean's", "min", ge=0),
        count("within_80", "Results from low to high", "forecasts"),
    ),
    key=("players",),
)
