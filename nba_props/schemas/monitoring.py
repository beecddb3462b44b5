"""Contract of ``nba_monitoring``: the scoreboard. Its views are in ``domain/views/monitoring.py``."""

from __future__ import annotations

from nba_props.facts import markets
from nba_props.facts.markets import ALL, tier_names
from nba_props.facts.vocabulary import Basis, Span, Standing, either, words
from nba_props.schemas.base import Table, count, day, real, text
from nba_props.schemas.raw import GAME_DATE, MARKET, STAT

#: fewest dates with rows for an interval; with fewer, the spread between dates is unknown
MIN_DATES = 10
#: as how many dates with equally many rows they must count at least: 1 / sum of squared shares of the rows
MIN_EQUAL_DATES = 5

_BOUND = f"of its date-clustered 95 % interval; null below {MIN_DATES} dates, or if one date has most of the rows"

SCORES = (
    count("predictions", "Current predictions against a valid line", "rows"),
    count("rows_scored", "Of these, with a forecast and a result: the rows of every error here", "rows"),
    count("dates", "Dates with scored rows", "dates", nullable=True),
    real("mae", "Mean absolute error", STAT, nullable=True),
    real("rmse", "Root mean squared error", STAT, nullable=True),
    real("bias", "Mean of forecast less result", STAT, nullable=True),
    real("line_mae", "The line's mean absolute error on the same rows", STAT, nullable=True),
    real("last_10_mae", "The last-10 average's on the same rows", STAT, nullable=True),
    real("mae_difference", "mae less line_mae: positive is worse than the line", STAT, nullable=True),
    real("mae_difference_low", f"Lower bound {_BOUND}", STAT, nullable=True),
    real("mae_difference_high", "Upper bound", STAT, nullable=True),
    count("wins", "Bets won; a bet is a current OVER or UNDER on a valid line that was won or lost", "rows"),
    count("losses", "Bets lost", "rows"),
    count("pushes", "Picks pushed: current OVER or UNDER on a valid line, result equal to it", "rows"),
    count("voids", "Void rows, with a side or without", "rows"),
    count("pending", "Rows without a box score yet, with a side or without", "rows"),
    count("bet_dates", "Dates with a bet", "dates", nullable=True),
    real("hit_rate", "Wins among bets", "0-1", nullable=True),
    real("hit_rate_low", f"Lower bound {_BOUND}", "0-1", nullable=True),
    real("hit_rate_high", "Upper bound", "0-1", nullable=True),
    real("break_even", "Break-even hit rate of the bets at the quoted prices", "0-1", nullable=True),
    *(
        column
        for side in ("over", "under")
        for column in (
            count(f"{side}_bets", f"Bets on the {side}", "rows"),
            count(f"{side}_dates", f"Dates with a bet on the {side}", "dates", nullable=True),
            real(f"{side}_hit_rate", f"Hit rate of the {side}s", "0-1", nullable=True),
            real(f"{side}_hit_rate_low", f"Lower bound {_BOUND}", "0-1", nullable=True),
            real(f"{side}_hit_rate_high", "Upper bound", "0-1", nullable=True),
            real(
                f"{side}_break_even",
                f"Break-even hit rate of the {side}s at the quoted prices",
                "0-1",
                nullable=True,
            ),
        )
    ),
    real("roi", "Profit per bet of one unit at the quoted prices", "units", nullable=True),
    real("roi_low", f"Lower bound {_BOUND}", "units", nullable=True),
    real("roi_high", "Upper bound", "units", nullable=True),
    real("best_price_roi", "The same at the best prices offered", "units", nullable=True),
    count(
        "rows_with_probability",
        "Decided rows with a P(over) of the system: the rows of the scores below",
        "rows",
    ),
    count("dates_with_probability", "Dates with such rows", "dates", nullable=True),
    real("log_loss", "Logarithmic loss of P(over); a coin scores 0.6931", "nats", nullable=True),
    real("market_log_loss", "The de-vigged quote's on the same rows", "nats", nullable=True),
    real(
        "log_loss_difference", "log_loss less market_log_loss: positive is worse than the quote", "nats", nullable=True
    ),
    real("log_loss_difference_low", f"Lower bound {_BOUND}", "nats", nullable=True),
    real("log_loss_difference_high", "Upper bound", "nats", nullable=True),
    real("coin_log_loss_difference", "log_loss less a coin's: positive is worse than a coin", "nats", nullable=True),
    real("coin_log_loss_difference_low", f"Lower bound {_BOUND}", "nats", nullable=True),
    real("coin_log_loss_difference_high", "Upper bound", "nats", nullable=True),
    real("brier", "Brier score of P(over); a coin scores 0.25", nullable=True),
    real("market_brier", "The de-vigged quote's on the same rows", nullable=True),
    real(
        "calibration_error",
        "Distance of mean P(over) and over rate in each tenth of 0-1, averaged over the tenths by rows",
        "0-1",
        nullable=True,
    ),
)

SCOREBOARD = Table(
    "nba_monitoring",
    "scoreboard",
    "Each system's scores as of a date, beside the sportsbook line's on the same rows, by market, span and tier of the "
    "line.",
    (
        GAME_DATE,
        MARKET,
        text("span", f"{either(Span)}, up to and including the date", isin=words(Span)),
        text("tier", "ALL, or a range of lines: of points those under 10, of 10 to 20, over 20", isin=tier_names()),
        text("system_id", "Prediction system"),
        day("first_date", "First date of the span"),
        *SCORES,
    ),
    key=("market", "span", "tier", "system_id"),
)

MARKET_SCORES = Table(
    "nba_monitoring",
    "market_scores",
    "What each system is worth beside the market as of a date, by market and span: P(over) on every quote of every "
    "book less the quote itself and less the consensus of the other books, and the closing value of bets. Besides the "
    "systems: other_books, the consensus; opening_bets and opening_bets_of_halves, what the books find worth its price "
    "at the opening; distributions and unanchored_distributions.",
    (
        GAME_DATE,
        text("market", f"{either(markets.keys())}; {ALL}: all together"),
        text("span", f"{either(Span)}, up to and including the date", isin=words(Span)),
        text("system_id", "Prediction system, or one of the series above"),
        text(
            "score",
            "LOG_LOSS or BRIER, LESS_OWN: less the quote's without the vig (of distributions at the chosen line), "
            "LESS_CONSENSUS: less the other books'. "
            "CLV_POINTS, CLV_PROBABILITY, CLV_EV: see nba_predictions.closing_line_value, with what these bets "
            "PROMISED and their RETURN; OTHERS: by other books. PROMISED and RETURN: of all opening bets. "
            "CRPS_LESS_LINE: the score of distributions less that of a normal distribution at the line; "
            "WITHIN_80: the share of results in their middle 80 %",
        ),
        text("basis", either(Basis), isin=words(Basis)),
        text("unit", "Of the score"),
        day("first_date", "First date of the span"),
        real("value", "Mean", nullable=True),
        real("low", f"Lower bound {_BOUND}", nullable=True),
        real("high", "Upper bound", nullable=True),
        count("rows", "Quotes, bets or results", "rows"),
        count("dates", "Dates with any", "dates"),
        real("claim", "The average that needed is for", nullable=True),
        count(
            "needed",
            "Bets of which, at this spread, such an average differs from 0 in four of five cases",
            "bets",
            nullable=True,
        ),
    ),
    key=("market", "span", "system_id", "score", "basis"),
)  # fmt: skip

_GAIN = "log-loss of market_consensus_v1 less the system's, on every quote of every book"
PROMOTIONS = Table(
    "nba_monitoring",
    "promotions",
    "The weight of each system in shadow, by market, and the evidence for it: as of the Monday of the date's week, on "
    "dates after its formula was frozen (domain/promotion.py).",
    (
        GAME_DATE,
        text("system_id", "The system"),
        MARKET,
        text("standing", either(Standing), isin=words(Standing)),
        real("weight", "What counts of it: 0 in shadow, else its own weight, or 1", ge=0),
        real("candidate_weight", "The weight that it would have; null for a system without one", nullable=True, ge=0),
        text("reason", "Why the weight is what it is"),
        day("frozen_on", "When its formula was frozen"),
        day("evidence_from", "First date that counts: the day after, or that on which it last lost its weight"),
        count("dates", "Dates with quotes since", "dates"),
        count("quotes", "Quotes on them", "quotes"),
        real("gain", f"Mean {_GAIN}", "nats", nullable=True),
        real("gain_low", "Lower bound of its 95 % interval, which holds on all Mondays at once", "nats", nullable=True),
        real("gain_high", "Upper bound", "nats", nullable=True),
        count("newest_dates", "The newest of these dates, up to 60, by which a weight is lost", "dates"),
        real("newest_gain", "Mean gain on them", "nats", nullable=True),
        real("newest_low", "Its lower bound", "nats", nullable=True),
        day("since", "Monday of the last promotion or demotion", nullable=True),
    ),
    key=("system_id", "market"),
)
