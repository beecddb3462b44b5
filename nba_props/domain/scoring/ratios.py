"""Every score of a system, from the daily sums of a span, and the scoreboard that they make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_props.domain.scoring.chances import COIN_LOG_LOSS, TENTHS
from nba_props.domain.scoring.daily import sums
from nba_props.domain.scoring.intervals import groups_of, mean_intervals, nonzero, rate_intervals, return_intervals
from nba_props.facts.calendar import season_start
from nba_props.facts.markets import ALL_TIERS
from nba_props.facts.vocabulary import Span


def scores(daily: pd.DataFrame) -> pd.DataFrame:
    """One row per group (tier, market, system) with every score, from the daily sums of a span (result of ``sums``)."""
    s = daily.groupby(level=groups_of(daily)).sum()
    n, decided, chances = nonzero(s["rows_scored"]), nonzero(s["decided"]), nonzero(s["chances"])
    means, rates = _mean_differences(daily), _hit_rates(daily)
    returns = return_intervals(daily["profit"], daily["odds"], daily["decided"])
    hit = rates.xs("all")
    out = pd.DataFrame(
        {
            "predictions": s["predictions"],
            "rows_scored": s["rows_scored"],
            "dates": means.xs("mae")["dates"],
            "mae": s["error"] / n,
            "rmse": np.sqrt(s["error_squared"] / n),
            "bias": s["signed"] / n,
            "line_mae": s["line_error"] / n,
            "last_10_mae": s["last_10_error"] / nonzero(s["last_10_rows"]),
            **_named(mae_difference=means.xs("mae")),
            "wins": s["win"],
            "losses": s["loss"],
            "pushes": s["push"],
            "voids": s["void"],
            "pending": s["pending"],
            "bet_dates": hit["dates"],
            **_named(hit_rate=hit),
            "break_even": decided / nonzero(s["odds"]),
            **_named(roi=returns),
            "best_price_roi": s["best_profit"] / nonzero(s["best_rows"]),
        }
    )
    for side in ("over", "under"):
        out[f"{side}_bets"], out[f"{side}_dates"] = s[f"{side}_bets"], rates.xs(side)["dates"]
        out = out.assign(**_named(**{f"{side}_hit_rate": rates.xs(side)}))
        out[f"{side}_break_even"] = nonzero(s[f"{side}_bets"]) / nonzero(s[f"{side}_odds"])
    out["rows_with_probability"], out["dates_with_probability"] = s["chances"], means.xs("quote")["dates"]
    for name in ("log_loss", "market_log_loss", "brier", "market_brier"):
        out[name] = s[name] / chances
    out = out.assign(**_named(log_loss_difference=means.xs("quote"), coin_log_loss_difference=means.xs("coin")))
    out["calibration_error"] = s[[f"tenth_{k}_gap" for k in range(TENTHS)]].abs().sum(axis=1) / chances
    return out.reset_index()


def _mean_differences(daily: pd.DataFrame) -> pd.DataFrame:
    """Error less the line's (``mae``), log-loss less the quotes' (``quote``) and a coin's (``coin``)."""
    return mean_intervals(
        *_stacked(
            mae=(daily["error"] - daily["line_error"], daily["rows_scored"]),
            quote=(daily["log_loss"] - daily["market_log_loss"], daily["chances"]),
            coin=(daily["log_loss"] - COIN_LOG_LOSS * daily["chances"], daily["chances"]),
        )
    )


def _hit_rates(daily: pd.DataFrame) -> pd.DataFrame:
    """Hit rates of all bets, of the overs and of the unders."""
    return rate_intervals(
        *_stacked(
            all=(daily["win"], daily["decided"]),
            over=(daily["over_wins"], daily["over_bets"]),
            under=(daily["under_wins"], daily["under_bets"]),
        )
    )


def _stacked(**pairs: tuple[pd.Series, pd.Series]) -> tuple[pd.Series, pd.Series]:
    """Totals and rows of several scores, each in one series, with the score as the first level of the index."""
    totals, rows = ({name: pair[k] for name, pair in pairs.items()} for k in (0, 1))
    return pd.concat(totals, names=["score"]), pd.concat(rows, names=["score"])


def _named(**found: pd.DataFrame) -> dict[str, pd.Series]:
    """Value and bounds as the columns ``name``, ``name_low`` and ``name_high``."""
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {f"{name}{end}": frame[column] for name, frame in found.items() for end, column in ends.items()}


def span_starts(day: date) -> dict[str, date]:
    """First date of each of the scoreboard's spans that end on a date."""
    starts = {
        Span.SEASON: season_start(day),
        Span.LAST_30_DAYS: day - timedelta(29),
        Span.LAST_7_DAYS: day - timedelta(6),
    }
    return {span.value: first for span, first in starts.items()}


def scoreboard(graded: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """Rows of ``nba_monitoring.scoreboard`` for some dates, from the grades of their seasons; tiers by season.

    A date without predictions has no rows: the scoreboard is that of the date before.
    """
    if graded.empty:
        return pd.DataFrame()
    daily = sums(graded)
    everything = daily.index.get_level_values("tier") == ALL_TIERS
    dates = set(days) & {d.date() for d in graded["game_date"].unique()}
    return boards(daily, dates, scores, lambda span: everything | (span == Span.SEASON))


def boards(
    daily: pd.DataFrame,
    days: Collection[date],
    score: Callable[[pd.DataFrame], pd.DataFrame],
    kept: Callable[[str], np.ndarray] | None = None,
) -> pd.DataFrame:
    """The scores of every span that ends on one of some dates, with ``game_date``, ``span`` and ``first_date``.

    Args:
        daily: sums by date, whose index has a level ``game_date``.
        days: the dates.
        score: one row per group from the sums of spans, which are the first level of their index.
        kept: which of the sums count in a span; all by default.
    """
    on = daily.index.get_level_values("game_date")
    parts = []
    for day in sorted(days):
        starts = span_starts(day)
        within = {span: (on >= pd.Timestamp(first)) & (on <= pd.Timestamp(day)) for span, first in starts.items()}
        spans = {span: daily[there & kept(span)] if kept else daily[there] for span, there in within.items()}
        spans = {span: own for span, own in spans.items() if len(own)}
        if spans:
            board = score(pd.concat(spans, names=["span"])).assign(game_date=pd.Timestamp(day))
            parts.append(board.assign(first_date=pd.to_datetime(board["span"].map(starts))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
