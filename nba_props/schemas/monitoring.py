"""Contract of ``nba_monitoring``: the scoreboard. Its views are in ``domain/views/monitoring.py``."""

from __future__ import annotations

from nba_props.schemas.base import Column, Table, Type
from nba_props.schemas.raw import GAME_DATE

#: fewest dates with rows that an interval is made of; below, the spread between dates is not known
MIN_DATES = 10
SPANS = ("SEASON", "LAST_30_DAYS", "LAST_7_DAYS")
TIERS = ("ALL", "UNDER_10", "10_TO_20", "OVER_20")


def _number(name: str, description: str, unit: str | None = None) -> Column:
    return Column(name, Type.FLOAT64, description, unit, nullable=True)


def _count(name: str, description: str) -> Column:
    return Column(name, Type.INT64, description, "rows", ge=0)


def _dates(name: str, description: str) -> Column:
    return Column(name, Type.INT64, description, "dates", nullable=True, ge=0)


_BOUND = f"of its date-clustered 95 % interval; null below {MIN_DATES} dates"

SCORES = (
    _count("predictions", "Current predictions against a valid line"),
    _count("rows_scored", "Of these, with a forecast and points: the rows of every error here"),
    _dates("dates", "Dates with scored rows"),
    _number("mae", "Mean absolute error", "points"),
    _number("rmse", "Root mean squared error", "points"),
    _number("bias", "Mean of forecast less points", "points"),
    _number("line_mae", "The line's mean absolute error on the same rows", "points"),
    _number("last_10_mae", "The last-10 average's on the same rows", "points"),
    _number("mae_difference", "mae less line_mae: positive is worse than the line", "points"),
    _number("mae_difference_low", f"Lower bound {_BOUND}", "points"),
    _number("mae_difference_high", "Upper bound", "points"),
    _count("wins", "Bets won; a bet is a current OVER or UNDER on a valid line that was won or lost"),
    _count("losses", "Bets lost"),
    _count("pushes", "Picks pushed: current OVER or UNDER on a valid line, points equal to it"),
    _count("voids", "Void rows, with a side or without"),
    _count("pending", "Rows without a box score yet, with a side or without"),
    _dates("bet_dates", "Dates with a bet"),
    _number("hit_rate", "Wins among bets", "0-1"),
    _number("hit_rate_low", f"Lower bound {_BOUND}", "0-1"),
    _number("hit_rate_high", "Upper bound", "0-1"),
    _number("break_even", "Hit rate that the quoted prices of the bets need", "0-1"),
    *(
        column
        for side in ("over", "under")
        for column in (
            _count(f"{side}_bets", f"Bets on the {side}"),
            _dates(f"{side}_dates", f"Dates with a bet on the {side}"),
            _number(f"{side}_hit_rate", f"Hit rate of the {side}s", "0-1"),
            _number(f"{side}_hit_rate_low", f"Lower bound {_BOUND}", "0-1"),
            _number(f"{side}_hit_rate_high", "Upper bound", "0-1"),
            _number(f"{side}_break_even", f"Hit rate that the quoted prices of the {side}s need", "0-1"),
        )
    ),
    _number("roi", "Profit per bet of one unit at the quoted prices", "units"),
    _number("roi_low", f"Lower bound {_BOUND}", "units"),
    _number("roi_high", "Upper bound", "units"),
    _number("best_price_roi", "The same at the best prices offered", "units"),
    _count("rows_with_probability", "Decided rows with a P(over) of the system: the rows of the scores below"),
    _dates("dates_with_probability", "Dates with such rows"),
    _number("log_loss", "Logarithmic loss of P(over); a coin has 0.6931", "nats"),
    _number("market_log_loss", "The de-vigged quote's on the same rows", "nats"),
    _number("log_loss_difference", "log_loss less market_log_loss: positive is worse than the quote", "nats"),
    _number("log_loss_difference_low", f"Lower bound {_BOUND}", "nats"),
    _number("log_loss_difference_high", "Upper bound", "nats"),
    _number("coin_log_loss_difference", "log_loss less a coin's: positive is worse than a coin", "nats"),
    _number("coin_log_loss_difference_low", f"Lower bound {_BOUND}", "nats"),
    _number("coin_log_loss_difference_high", "Upper bound", "nats"),
    _number("brier", "Brier score of P(over); a coin has 0.25"),
    _number("market_brier", "The de-vigged quote's on the same rows"),
    _number(
        "calibration_error",
        "Distance of mean P(over) and over rate in each tenth of 0-1, averaged over the tenths by rows",
        "0-1",
    ),
)  # fmt: skip

SCOREBOARD = Table(
    "nba_monitoring",
    "scoreboard",
    "Each system's scores as of a date, beside the sportsbook line's on the same rows, by span and tier of the line.",
    (
        GAME_DATE,
        Column("span", Type.STRING, "SEASON, LAST_30_DAYS or LAST_7_DAYS, up to and including the date", isin=SPANS),
        Column("tier", Type.STRING, "ALL, or lines under 10, of 10 to 20, over 20", isin=TIERS),
        Column("system_id", Type.STRING, "Prediction system"),
        Column("first_date", Type.DATE, "First date of the span"),
        *SCORES,
    ),
    key=("span", "tier", "system_id"),
)
