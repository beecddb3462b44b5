"""Scores of graded predictions, each beside the line's on the same rows, each with its interval.

Every score is a ratio of sums: grades are summed by date, tier and system, and a span adds up its dates. Proper scores
come from ``scoringrules``.

Belongs here: what is computed from grades. Not here: what a grade is (domain/grading.py), or which figures are
suspicious (domain/quality).
"""

from nba_props.domain.scoring.chances import (
    COIN_BRIER,
    COIN_LOG_LOSS,
    LOG_LOSS_SQL,
    TENTHS,
    log_loss_differences,
    reliability,
    tenth_of,
)
from nba_props.domain.scoring.daily import BET_SQL, PICK_SQL, bets, sums, tier_of
from nba_props.domain.scoring.intervals import T_SERIES, Z, mean_intervals, rate_intervals, return_intervals
from nba_props.domain.scoring.ratios import scoreboard, scores, span_starts

__all__ = [
    "BET_SQL", "COIN_BRIER", "COIN_LOG_LOSS", "LOG_LOSS_SQL", "PICK_SQL", "TENTHS", "T_SERIES", "Z", "bets",
    "log_loss_differences", "mean_intervals", "rate_intervals", "reliability", "return_intervals", "scoreboard",
    "scores", "span_starts", "sums", "tenth_of", "tier_of",
]  # fmt: skip
