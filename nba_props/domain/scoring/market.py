"""Scores against the market: P(over) on every quote of every book, and the closing value and return of bets.

A score of one quote per player has several times the interval of one of every quote. Each difference is of the same
quotes; each mean has the number of rows and dates behind it, and an interval from ten dates on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from nba_props.domain.closing import OTHER_BOOKS, VALID_SQL
from nba_props.domain.results import results_sql
from nba_props.domain.scoring.chances import loss_sql, squared_sql
from nba_props.domain.scoring.intervals import Z, mean_intervals, nonzero
from nba_props.domain.scoring.ratios import boards
from nba_props.domain.stored import span_sql
from nba_props.facts.markets import ALL
from nba_props.facts.vocabulary import Anchor, Basis
from nba_props.schemas.predictions import PREDICTION_ACCURACY


class Score(NamedTuple):
    """A score against the market: the unit, and the average whose proof ``needed`` counts bets for."""

    unit: str
    claim: float | None = None


#: the unit of what a market counts, which differs by market
_STAT = "stat"
#: by the name in ``nba_monitoring.market_scores``
SCORES = {
    "LOG_LOSS_LESS_OWN": Score("nats"),
    "LOG_LOSS_LESS_CONSENSUS": Score("nats"),
    "BRIER_LESS_OWN": Score("1"),
    "BRIER_LESS_CONSENSUS": Score("1"),
    "CLV_POINTS": Score(_STAT, 0.1),
    "CLV_PROBABILITY": Score("1", 0.01),
    "CLV_EV": Score("units", 0.01),
    "OTHERS_CLV_PROBABILITY": Score("1", 0.01),
    "CLV_PROMISED": Score("units"),
    "CLV_RETURN": Score("units"),
    "OTHERS_CLV_EV": Score("units", 0.01),
    "OTHERS_CLV_PROMISED": Score("units"),
    "OTHERS_CLV_RETURN": Score("units"),
    "PROMISED": Score("units"),
    "RETURN": Score("units", 0.01),
    "CRPS_LESS_LINE": Score(_STAT),
    "WITHIN_80": Score("1"),
}
#: the scores of quotes: the columns of ``quote_scores`` whose difference they are
_OF_QUOTES = {
    "LOG_LOSS_LESS_OWN": ("log_loss", "own_log_loss"),
    "LOG_LOSS_LESS_CONSENSUS": ("log_loss", "others_log_loss"),
    "BRIER_LESS_OWN": ("brier", "own_brier"),
    "BRIER_LESS_CONSENSUS": ("brier", "others_brier"),
}
#: the scores of bets and the column of each, by whether they are judged by true closes; what the judged bets promised
#: and returned stands beside the verdict
_OF_CLOSES = {
    "is_close": {
        "CLV_POINTS": "clv_points", "CLV_PROBABILITY": "clv_probability", "CLV_EV": "clv_ev",
        "CLV_PROMISED": "ev", "CLV_RETURN": "profit",
    },
    "judges_are_close": {
        "OTHERS_CLV_PROBABILITY": "others_clv_probability", "OTHERS_CLV_EV": "others_clv_ev",
        "OTHERS_CLV_PROMISED": "ev", "OTHERS_CLV_RETURN": "profit",
    },
}  # fmt: skip
#: the series of each kind of distribution
DISTRIBUTION_SERIES = {Anchor.CONSENSUS: "distributions", Anchor.UNANCHORED: "unanchored_distributions"}
_SERIES = ["system_id", "market"]
#: bets for an average to differ from 0 in four of five cases, by those for one of two, in which it is at its bound
_POWER = ((Z + 0.8416212335729143) / Z) ** 2


def _sums_sql(chance: str) -> str:
    losses = (
        f"ROUND(SUM({loss('is_over', whose)}), 6) AS {prefix}{name}"
        for name, loss in (("log_loss", loss_sql), ("brier", squared_sql))
        for prefix, whose in (("", chance), ("own_", "own_over_probability"), ("others_", "others_chance"))
    )
    return f"COUNT(*) AS quotes, {', '.join(losses)}"


#: every quote of @first..@last that was decided, and that has its own P(over) and the other books'
QUOTES_SQL = f"""
  SELECT p.game_date, p.game_id, p.player_id, p.market, p.line, p.own_over_probability,
    p.over_probability AS others_chance, r.result > p.line AS is_over
  FROM nba_analytics.prices AS p
  JOIN ({results_sql(span_sql(PREDICTION_ACCURACY))}) AS r ON r.game_date = p.game_date AND r.game_id = p.game_id
    AND r.player_id = p.player_id AND r.market = p.market
  WHERE p.game_date BETWEEN @first AND @last AND p.is_main AND r.result <> p.line
    AND p.own_over_probability IS NOT NULL AND p.over_probability IS NOT NULL
"""


def said_sql(also: str = "TRUE") -> str:
    """SQL for the ``quotes`` at whose line a system has a P(over), its ``chance``, in rows ``a`` of a condition."""
    return f"""
  SELECT q.*, a.system_id, a.model_version, a.over_probability AS chance
  FROM nba_predictions.prediction_accuracy AS a
  JOIN quotes AS q ON q.game_date = a.game_date AND q.game_id = a.game_id AND q.player_id = a.player_id
    AND q.market = a.market AND q.line = a.line
  WHERE a.game_date BETWEEN @first AND @last AND a.is_current AND a.over_probability IS NOT NULL AND {VALID_SQL}
    AND {also}
"""


#: rows of ``nba_predictions.quote_scores`` for @first..@last
QUOTE_SCORES_SQL = f"""
WITH quotes AS ({QUOTES_SQL}),
said AS ({said_sql()})
SELECT game_date, market, system_id, {_sums_sql("chance")} FROM said GROUP BY game_date, market, system_id
UNION ALL
SELECT game_date, market, '{OTHER_BOOKS}' AS system_id, {_sums_sql("others_chance")} FROM quotes
GROUP BY game_date, market
"""


def market_sums(quotes: pd.DataFrame, bets: pd.DataFrame, spreads: pd.DataFrame) -> pd.DataFrame:
    """``total`` and ``rows`` of each score by date, indexed by ``score, basis, system_id, market, game_date``.

    Scores are also there for all markets together, unless their unit is what the market counts.

    Args:
        quotes: rows of ``nba_predictions.quote_scores``.
        bets: rows of ``nba_predictions.closing_line_value``.
        spreads: rows of ``nba_predictions.distribution_scores``.
    """
    systems = quotes[quotes["system_id"] != OTHER_BOOKS]
    parts = []
    for score, (mine, other) in _OF_QUOTES.items():
        # the consensus is not compared with itself
        some = systems if other.startswith("others") else quotes
        parts.append(_part(some, score, Basis.QUOTE, some[mine] - some[other], some["quotes"]))
    # a bet without a result is not judged: its player did not play, or his line moved because he would not
    played = bets[bets["profit"].notna()]
    for label, scores in _OF_CLOSES.items():
        is_close = played[label].astype("boolean")
        for basis, some in ((Basis.CLOSE, is_close.fillna(False)), (Basis.LAST_LINE, ~is_close.fillna(True))):
            own = played[some.to_numpy(bool)]
            parts += [_part(own, score, basis, own[column]) for score, column in scores.items()]
    # what opening bets promised and returned; a system's return is the scoreboard's
    promised = played[played["prediction_id"].isna()]
    parts += [_part(promised, *pair) for pair in (
        ("PROMISED", Basis.RESULT, promised["ev"]), ("RETURN", Basis.RESULT, promised["profit"]),
    )]  # fmt: skip
    shaped = spreads.assign(system_id=spreads["anchor"].map(DISTRIBUTION_SERIES))
    lined = shaped[shaped["with_line"].gt(0)]
    less = lined["crps_with_line"] - lined["line_crps"]
    quoted = shaped[shaped["with_quote"].fillna(0).gt(0)]
    beside = quoted["log_loss"] - quoted["own_log_loss"]
    parts += [
        _part(lined, "CRPS_LESS_LINE", Basis.RESULT, less, lined["with_line"]),
        _part(quoted, "LOG_LOSS_LESS_OWN", Basis.RESULT, beside, quoted["with_quote"]),
        _part(shaped, "WITHIN_80", Basis.RESULT, shaped["within_80"], shaped["results"]),
    ]
    daily = pd.concat(parts).groupby(level=["score", "basis", *_SERIES, "game_date"]).sum()
    is_common = np.array([SCORES[score].unit != _STAT for score in daily.index.get_level_values("score")], dtype=bool)
    pooled = daily[is_common].reset_index()
    keys = daily.index.names
    return pd.concat([daily, pooled.assign(market=ALL).groupby(keys)[["total", "rows"]].sum()])


def _part(
    frame: pd.DataFrame, score: str, basis: Basis, values: pd.Series, rows: pd.Series | float = 1.0
) -> pd.DataFrame:
    found = frame[[*_SERIES, "game_date"]].assign(
        score=score, basis=basis.value, total=values.astype("float64"), rows=rows
    )
    found = found[found["total"].notna()].astype({"rows": "float64"})
    return found.set_index(["score", "basis", *_SERIES, "game_date"])


def market_scores(daily: pd.DataFrame) -> pd.DataFrame:
    """One row per score, basis, system and market, from the sums of a span (``market_sums``).

    Returns:
        ``value`` with the bounds of its date-clustered 95 % interval, ``rows`` and ``dates``, and ``needed``: with how
        many bets, at the spread of these, an average of ``claim`` differs from 0 in four of five cases.
    """
    found = mean_intervals(daily["total"], daily["rows"]).reset_index()
    claim = found["score"].map({name: score.claim for name, score in SCORES.items()}).astype("float64")
    reach = (found["high"] - found["low"]) / 2
    return found.assign(
        unit=found["score"].map({name: score.unit for name, score in SCORES.items()}),
        claim=claim,
        needed=np.ceil(found["rows"] * _POWER * (nonzero(reach) / claim) ** 2),
    )


def market_board(quotes: pd.DataFrame, bets: pd.DataFrame, spreads: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """Rows of ``nba_monitoring.market_scores`` for some dates, from the scores of their seasons (``market_sums``)."""
    daily = market_sums(quotes, bets, spreads)
    dates = {d.date() for d in daily.index.get_level_values("game_date").unique()}
    return boards(daily, set(days) & dates, market_scores)
