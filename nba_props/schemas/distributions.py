"""Contracts of distributions: the shapes of past results, the probability of each result, and their scores."""

from dataclasses import replace

from nba_props.facts.vocabulary import Anchor, either, words
from nba_props.schemas.analytics import CUTOFF_AT, PERSON
from nba_props.schemas.base import Table, count, day, real, text, whole
from nba_props.schemas.raw import GAME_DATE, MARKET, STAT

_MEDIAN = "nba_analytics.consensus.median"

SHAPES = Table(
    "nba_analytics",
    "shapes",
    "How results lie around the consensus, by market and band of it: quantiles of their distance from it in units of "
    "the market's spread, fitted to the results before the date's month. The dates of a month have the same.",
    (
        GAME_DATE,
        MARKET,
        whole("band", "Its number, from low to high consensus", ge=1),
        real("low", "Of a consensus from here on; null for the lowest band", STAT, nullable=True, source=(_MEDIAN,)),
        real("high", "To below here; null for the highest", STAT, nullable=True, source=(_MEDIAN,)),
        text(
            "quantiles",
            "JSON array: the quantiles .005, .010, ... .995 of (result - consensus) / spread",
            source=(_MEDIAN,),
        ),
        count("results", "Results behind it", "results"),
        day("first_result", "Date of the first", source=("nba_raw.box_scores.game_date",)),
        day("last_result", "Date of the last, before the month", source=("nba_raw.box_scores.game_date",)),
    ),
    key=("market", "band"),
)

_QUANTILES = {
    "q10": "a tenth", "q25": "a quarter", "q50": "a half", "q75": "three quarters", "q90": "nine tenths",
}  # fmt: skip
DISTRIBUTIONS = Table(
    "nba_predictions",
    "distributions",
    "One row per row of betting_lines: the probability of each result, around the consensus of the books in the shape "
    "of past results; without a consensus around a system's own forecast, which tells nothing about a bet.",
    (
        *PERSON,
        MARKET,
        CUTOFF_AT,
        text(
            "anchor",
            "CONSENSUS: around nba_analytics.consensus. UNANCHORED: around the forecast of xgboost_v1, in the shape of "
            f"its model's errors. {either(Anchor)}; null with a reason",
            nullable=True,
            isin=words(Anchor),
        ),
        real("centre", "The consensus, or the forecast", STAT, nullable=True, source=(_MEDIAN,)),
        real("mean", "Mean result", STAT, nullable=True, ge=0),
        real("deviation", "Standard deviation of the result", STAT, nullable=True, ge=0),
        *(
            whole(
                name,
                f"The smallest result with a probability of at least {share} that the result is at most it",
                STAT,
                nullable=True,
                ge=0,
            )
            for name, share in _QUANTILES.items()
        ),
        whole("lowest", "The result that the first of the masses is of", STAT, nullable=True, ge=0),
        text("masses", "JSON array: P(result) for each result from the lowest on; they sum to 1", nullable=True),
        day("last_result", "Date of the last result behind the shape", nullable=True),
        text("no_distribution_reason", "Why there is none", nullable=True),
    ),
    key=("market", "player_id"),
)
#: the names of the quantiles and their levels
LEVELS = {name: int(name[1:]) / 100 for name in _QUANTILES}

DISTRIBUTION_SCORES = Table(
    "nba_predictions",
    "distribution_scores",
    "Sums of the scores of a date's distributions, beside a normal distribution at the line with the market's spread.",
    (
        GAME_DATE,
        MARKET,
        text("anchor", either(Anchor), isin=words(Anchor)),
        count("results", "Distributions whose result is known", "results"),
        real("crps", "Sum of their continuous ranked probability scores: less is better", STAT),
        count("with_line", "Of these, with a line", "results"),
        real("crps_with_line", "Sum of their scores", STAT),
        real("line_crps", "Sum of the scores of the normal distributions at their lines", STAT),
        count("with_quote", "Of these, not equal to the line, with both prices", "results", nullable=True),
        real("log_loss", "Sum of the log-losses of their P(over) at the line", "nats", nullable=True, ge=0),
        real("own_log_loss", "Sum of those of the quotes' own", "nats", nullable=True, ge=0),
        real("within_80", "Sum of the share of each result's mass that lies between the quantiles .1 and .9"),
        *(
            real(f"pit_{n}", f"Sum of the share of each result's mass between the quantiles .{n} and {(n + 1) / 10:g}")
            for n in range(10)
        ),
    ),
    key=("market", "anchor"),
)

_OTHER = replace(MARKET, name="other_market", description=f"The other: {MARKET.description}", before=None)
DEPENDENCE = Table(
    "nba_analytics",
    "dependence",
    "How the results of one player in two markets go together: the empirical copula of their distances from the "
    "consensus, less independence, fitted to the results before the date's month.",
    (
        GAME_DATE,
        MARKET,
        _OTHER,
        text(
            "excess",
            "JSON array, nine rows of nine: P(both below the tenths i and j of their own results) less the product of "
            "the two alone",
            source=(_MEDIAN,),
        ),
        count("results", "Games with both results", "results"),
        day("last_result", "Date of the last, before the month", source=("nba_raw.box_scores.game_date",)),
    ),
    key=("market", "other_market"),
)

COMBINATION_SCORES = Table(
    "nba_predictions",
    "combination_scores",
    "Sums of the log-loss of two props of one player together, in shadow: by their dependence, and as if they were "
    "independent.",
    (
        GAME_DATE,
        MARKET,
        _OTHER,
        count("pairs", "Players with a line, a consensus and a result off the line in both markets", "pairs"),
        real("log_loss", "Of which of the four outcomes it was, over or under in both", "nats", ge=0),
        real("independent_log_loss", "The same by the product of the two probabilities", "nats", ge=0),
        real("both_log_loss", "Of whether both were over", "nats", ge=0),
        real("independent_both_log_loss", "The same by the product", "nats", ge=0),
    ),
    key=("market", "other_market"),
)
