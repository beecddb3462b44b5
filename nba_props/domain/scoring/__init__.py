"""Scores of graded predictions, each beside the line's on the same rows, each with its interval.

Every score is a ratio of sums: grades are summed by date, tier and system, and a span adds up its dates. Proper scores
come from ``scoringrules``.

Belongs here: what is computed from grades. Not here: what a grade is (domain/grading.py), or which figures are
suspicious (domain/quality).
"""

from nba_props.domain.scoring.chances import COIN_BRIER, LOG_LOSS_SQL, log_loss_differences, reliability
from nba_props.domain.scoring.daily import BET_SQL, bets, sums
from nba_props.domain.scoring.distributions import distribution_scores
from nba_props.domain.scoring.intervals import T_SERIES, Z, mean_intervals, rate_intervals
from nba_props.domain.scoring.market import QUOTE_SCORES_SQL, market_board, market_scores, market_sums
from nba_props.domain.scoring.ratios import scoreboard, scores

__all__ = [
    "BET_SQL", "COIN_BRIER", "LOG_LOSS_SQL", "QUOTE_SCORES_SQL", "T_SERIES", "Z", "bets", "distribution_scores",
    "log_loss_differences", "market_board", "market_scores", "market_sums", "mean_intervals", "rate_intervals",
    "reliability", "scoreboard", "scores", "sums",
]  # fmt: skip
