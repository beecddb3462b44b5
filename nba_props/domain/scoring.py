"""Scores of graded predictions, each beside the line's on the same rows, each with its interval.

Every score is a ratio of sums, so a grade is summed once per date, tier and system, and any span adds up its dates.
Rows of one date share news and opponents, so intervals of means are bootstrapped over dates, not over rows. Proper
scores come from ``scoringrules``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.calendar import season_start
from nba_props.domain.odds import payout

RESAMPLES = 2000
#: losses of a forecaster that always says one half
COIN_LOG_LOSS, COIN_BRIER = float(np.log(2)), 0.25
_TIERS = {"UNDER_10": 0.0, "10_TO_20": 10.0, "OVER_20": 20.5}
#: least probability that a log-loss is taken of
_TINY = 1e-6
#: equal parts of 0-1 that calibration is judged in
_BINS = 10
_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_GROUP = ["tier", "system_id"]


def wilson(wins: Any, decided: Any) -> tuple[Any, Any, Any]:
    """Rate and Wilson 95 % interval of wins in decided bets, for numbers or arrays; null without any."""
    n = np.where(np.asarray(decided) > 0, decided, np.nan)
    rate = wins / n
    centre, half = rate + _Z**2 / (2 * n), _Z * np.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2))
    return rate, (centre - half) / (1 + _Z**2 / n), (centre + half) / (1 + _Z**2 / n)


def tier_of(line: pd.Series) -> pd.Series:
    """UNDER_10, 10_TO_20 or OVER_20 of each line."""
    names = np.array(list(_TIERS), dtype=object)
    return pd.Series(names[np.searchsorted(list(_TIERS.values()), line, side="right") - 1], index=line.index)


def sums(graded: pd.DataFrame) -> pd.DataFrame:
    """Sums of current grades on valid lines, by tier (``ALL`` included), system and date.

    Args:
        graded: rows of ``nba_predictions.prediction_accuracy``.
    """
    rows = graded[graded["is_valid_line"].astype(bool) & graded["is_current"].astype(bool)]
    number = {c: rows[c].astype("float64") for c in rows if rows[c].dtype.kind in "fiu" or c == "actual_points"}
    error, line = number["absolute_error"], number["line_absolute_error"]
    scored = error.notna()
    outcome, over = rows["outcome"], rows["recommendation"].eq("OVER")
    decided = outcome.isin(["WIN", "LOSS"])
    odds = 1 + payout(rows["over_price"]).where(over, payout(rows["under_price"]))
    found = {
        "predictions": 1.0,
        "rows_scored": scored,
        "error": error,
        "error_squared": error**2,
        "signed": number["signed_error"],
        "line_error": line.where(scored),
        "last_10_rows": number["last_10_absolute_error"].notna() & scored,
        "last_10_error": number["last_10_absolute_error"].where(scored),
        **{f"{o.lower()}": outcome.eq(o) for o in ("WIN", "LOSS", "PUSH", "VOID", "PENDING")},
        "decided": decided,
        "odds": odds.where(decided),
        "profit": number["profit"].where(decided),
        "best_rows": number["best_profit"].notna() & decided,
        "best_profit": number["best_profit"].where(decided),
        **_sides(outcome, over, decided, odds),
        **_probabilities(rows, number),
    }
    wide = pd.DataFrame({k: v if np.isscalar(v) else v.astype("float64") for k, v in found.items()}, index=rows.index)
    keys = rows[["system_id", "game_date"]].assign(tier=tier_of(number["line"]))
    tiered = wide.groupby([keys["tier"], keys["system_id"], keys["game_date"]]).sum()
    everything = tiered.groupby(level=["system_id", "game_date"]).sum()
    return pd.concat([pd.concat({"ALL": everything}, names=["tier"]), tiered])


def _sides(outcome: pd.Series, over: pd.Series, decided: pd.Series, odds: pd.Series) -> dict[str, pd.Series]:
    found = {}
    for side, chosen in (("over", over), ("under", ~over)):
        found[f"{side}_bets"] = decided & chosen
        found[f"{side}_wins"] = outcome.eq("WIN") & chosen
        found[f"{side}_odds"] = odds.where(decided & chosen)
    return found


def _probabilities(rows: pd.DataFrame, number: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Losses of P(over) and of the de-vigged quote's, on rows that have both and were decided one way."""
    import scoringrules

    chance, market = number["over_probability"], number["market_over_probability"]
    known = chance.notna() & market.notna() & number["actual_margin"].notna() & number["actual_margin"].ne(0)
    over = number["actual_margin"].gt(0).astype("float64")
    found: dict[str, pd.Series] = {"chances": known}
    for prefix, values in (("", chance), ("market_", market)):
        safe = values.where(known, 0.5).clip(_TINY, 1 - _TINY)
        for name, score in (("log_loss", scoringrules.log_score), ("brier", scoringrules.brier_score)):
            losses = np.asarray(score(over.to_numpy(), safe.to_numpy()), dtype="float64")
            found[f"{prefix}{name}"] = pd.Series(losses, index=rows.index).where(known)
    place = np.minimum((chance.where(known, 0.0) * _BINS).astype(int), _BINS - 1)
    for k in range(_BINS):
        mine = known & (place == k)
        found[f"bin_{k}_gap"] = (chance - over).where(mine)
    return found


def scores(daily: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One row per tier and system with every score, from the daily sums of a span (result of ``sums``)."""
    s = daily.groupby(level=_GROUP).sum()
    n, decided = _some(s["rows_scored"]), _some(s["decided"])
    difference = daily["error"] - daily["line_error"]
    low, high = _interval(difference, daily["rows_scored"], seed)
    roi_low, roi_high = _interval(daily["profit"], daily["decided"], seed)
    hit, hit_low, hit_high = wilson(s["win"], s["decided"])
    out = pd.DataFrame(
        {
            "predictions": s["predictions"],
            "rows_scored": s["rows_scored"],
            "mae": s["error"] / n,
            "rmse": np.sqrt(s["error_squared"] / n),
            "bias": s["signed"] / n,
            "line_mae": s["line_error"] / n,
            "last_10_mae": s["last_10_error"] / _some(s["last_10_rows"]),
            "mae_difference": (s["error"] - s["line_error"]) / n,
            "mae_difference_low": low,
            "mae_difference_high": high,
            "wins": s["win"],
            "losses": s["loss"],
            "pushes": s["push"],
            "voids": s["void"],
            "pending": s["pending"],
            "hit_rate": hit,
            "hit_rate_low": hit_low,
            "hit_rate_high": hit_high,
            "break_even": decided / _some(s["odds"]),
            "roi": s["profit"] / decided,
            "roi_low": roi_low,
            "roi_high": roi_high,
            "best_price_roi": s["best_profit"] / _some(s["best_rows"]),
        }
    )
    for side in ("over", "under"):
        rate, rate_low, rate_high = wilson(s[f"{side}_wins"], s[f"{side}_bets"])
        out[f"{side}_bets"] = s[f"{side}_bets"]
        out[f"{side}_hit_rate"], out[f"{side}_hit_rate_low"], out[f"{side}_hit_rate_high"] = rate, rate_low, rate_high
        out[f"{side}_break_even"] = _some(s[f"{side}_bets"]) / _some(s[f"{side}_odds"])
    chances = _some(s["chances"])
    out["rows_with_probability"] = s["chances"]
    for name in ("log_loss", "market_log_loss", "brier", "market_brier"):
        out[name] = s[name] / chances
    out["calibration_error"] = s[[f"bin_{k}_gap" for k in range(_BINS)]].abs().sum(axis=1) / chances
    return out.reset_index()


def _some(counts: pd.Series) -> pd.Series:
    """Counts to divide by: null where there is nothing to divide."""
    return counts.where(counts > 0)


def _interval(total: pd.Series, rows: pd.Series, seed: int) -> tuple[pd.Series, pd.Series]:
    """Bootstrap 95 % interval of ``total / rows`` over whole dates, for each tier and system; null with one date.

    All groups are resampled by the same draws of dates, so that their intervals can be compared.
    """
    t, r = (v.unstack("game_date").fillna(0.0) for v in (total, rows))
    days = t.shape[1]
    draws = np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), RESAMPLES).astype("float64")
    counts = r.to_numpy() @ draws.T
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, t.to_numpy() @ draws.T / counts, np.nan)
    enough = (r > 0).sum(axis=1) > 1
    bounds = np.full((2, len(t)), np.nan)
    if enough.any():
        bounds[:, enough.to_numpy()] = np.nanquantile(means[enough.to_numpy()], [0.025, 0.975], axis=1)
    return pd.Series(bounds[0], index=t.index), pd.Series(bounds[1], index=t.index)


def reliability(chance: pd.Series, over: pd.Series, groups: int = 10) -> pd.DataFrame:
    """Mean P(over), over rate with Wilson interval and rows, in groups of equal size by P(over)."""
    place = (chance.rank(method="first") - 1) * min(groups, len(chance)) // len(chance)
    by = pd.DataFrame({"chance": chance, "over": over.astype("float64")}).groupby(place.to_numpy())
    rate, low, high = wilson(by["over"].sum(), by.size())
    return pd.DataFrame({"chance": by["chance"].mean(), "rate": rate, "low": low, "high": high, "rows": by.size()})


def table(graded: pd.DataFrame) -> pd.DataFrame:
    """One row per tier and system with every score of some rows of ``prediction_accuracy``; empty without any."""
    daily = sums(graded) if len(graded) else pd.DataFrame()
    return scores(daily) if len(daily) else pd.DataFrame()


def span_starts(day: date) -> dict[str, date]:
    """First date of each of the scoreboard's spans that end on a date."""
    return {"SEASON": season_start(day), "LAST_30_DAYS": day - timedelta(29), "LAST_7_DAYS": day - timedelta(6)}


def scoreboard(graded: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """Rows of ``nba_monitoring.scoreboard`` for some dates, from the grades of their seasons; tiers by season."""
    if graded.empty:
        return pd.DataFrame()
    daily = sums(graded)
    on = daily.index.get_level_values("game_date")
    everything = daily.index.get_level_values("tier") == "ALL"
    parts = []
    for day in days:
        for span, first in span_starts(day).items():
            within = (on >= pd.Timestamp(first)) & (on <= pd.Timestamp(day)) & (everything | (span == "SEASON"))
            if within.any():
                dates = {"game_date": pd.Timestamp(day), "span": span, "first_date": pd.Timestamp(first)}
                parts.append(scores(daily[within]).assign(**dates))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
