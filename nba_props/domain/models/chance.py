"""A model's P(over): its own, from residuals of its holdout, and the quote's, moved towards it by a fitted slope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nba_props.domain.models.card import Card
from nba_props.domain.odds import over_probability as market_probability
from nba_props.facts.markets import POINTS, scales

#: the spread of results grows with the forecast: residuals are in units of sqrt(forecast + this), in points; in other
#: markets by the squared error of their lines
_SPREAD_FLOOR = 4.0
#: the levels of the quantiles that describe a shape
QUANTILES = np.linspace(0.005, 0.995, 199)
#: fewest held-out rows with a quote, and fewest dates with one, to fit P(over) on
CHANCE_ROWS, CHANCE_DATES = 1_000, 10
#: deviation of the slope before any row is known. On real lines of 2024 and 2025 slopes were .07 to .44, and without it
#: one that 230 later rows did not bear out made P(over) of points worse than the quotes'
SLOPE_PRIOR = 0.15
#: a slope counts once it lies this many standard errors above 0: half as wide again as the usual interval, since there
#: is a model every week. Slopes of 2024 that held-out rows did not tell from 0 made P(over) of sums worse than quotes
EARNED = 3.0


def unit(forecast: np.ndarray, scale: float | np.ndarray) -> np.ndarray:
    """The unit of residuals around forecasts, in markets of some scale (``markets.scales``)."""
    return np.sqrt(forecast + _SPREAD_FLOOR * scale**2)


def residual_quantiles(results: pd.Series, forecast: np.ndarray, market: str = POINTS) -> tuple[float, ...]:
    """Quantiles of the residuals at 0.005 .. 0.995, in units of sqrt(forecast + 4), in other markets than points by
    their scale (``_SPREAD_FLOOR``)."""
    residuals = (results - forecast) / unit(forecast, scales()[market])
    return tuple(round(float(q), 5) for q in np.quantile(residuals, QUANTILES))


#: a band of forecasts: its upper edge, and the quantiles .1 and .9 and the deviation of the residuals in it
Band = tuple[float, float, float, float]
#: bands with equally many held-out forecasts each
_BANDS = 8


def bands(results: np.ndarray, forecast: np.ndarray) -> tuple[Band, ...]:
    """The spread of residuals by band of the forecast, from low to high; the last has no edge."""
    edges = np.quantile(forecast, np.arange(1, _BANDS) / _BANDS)
    place, residuals = np.searchsorted(edges, forecast, side="right"), results - forecast
    found = []
    for n, upper in enumerate([*edges, np.inf]):
        own = residuals[place == n]
        if len(own):
            low, high = (round(float(q), 5) for q in np.quantile(own, (0.1, 0.9)))
            found.append((round(float(upper), 5), low, high, round(float(own.std()), 5)))
    return tuple(found)


def over_probability(
    residuals: Sequence[float], forecast: np.ndarray, line: np.ndarray, market: str = POINTS
) -> np.ndarray:
    """A model's own P(result > line) given that they are not equal, from quantiles of its residuals; null without a
    line. Overconfident by itself: see :func:`anchored_probability`."""
    each = unit(forecast, scales()[market])
    whole = np.where(
        np.mod(line, 1) == 0, 0.5, 0.0
    )  # a whole line can be hit exactly: leave out half of one on either side

    def below(bound: np.ndarray) -> np.ndarray:
        return np.interp((bound - forecast) / each, residuals, QUANTILES)

    over, under = 1 - below(line + whole), below(line - whole)
    return np.where(np.isnan(line), np.nan, over / (over + under))


def anchor(
    rows: pd.DataFrame, forecast: np.ndarray, residuals: Sequence[float], market: str = POINTS
) -> dict[str, float]:
    """The slope by which the model's P(over) moves the quote's, fitted on held-out rows with a quote.

    logit p = logit p_quote + slope (logit p_model - logit p_quote - median), slope between 0 and 1 and drawn towards 0
    (``SLOPE_PRIOR``). A slope that these rows don't tell from 0 is 0, and P(over) is the quote's own. Nothing is fitted
    with fewer than ``CHANCE_ROWS`` rows or ``CHANCE_DATES`` dates: P(over) is then withheld.

    Returns:
        ``slope``, ``median``, ``rows``, ``dates``; and of a slope that is 0 for want of evidence what was ``fitted``.
        Empty when nothing is fitted.
    """
    from scipy.optimize import minimize_scalar

    line = rows["line"].to_numpy(dtype="float64")
    results = rows["result"].to_numpy(dtype="float64")
    quoted = market_probability(rows["over_price"], rows["under_price"]).to_numpy()
    used = ~np.isnan(line) & ~np.isnan(quoted) & (results != line)
    dates = rows.loc[used, "game_date"]
    if used.sum() < CHANCE_ROWS or dates.nunique() < CHANCE_DATES:
        return {}
    base = logit(quoted[used])
    gap = logit(over_probability(residuals, forecast[used], line[used], market)) - base
    median = float(np.median(gap))
    over = results[used] > line[used]

    def loss(slope: float) -> float:
        chance = base + slope * (gap - median)
        return float(np.logaddexp(0, np.where(over, -chance, chance)).sum() + (slope / SLOPE_PRIOR) ** 2 / 2)

    slope = float(minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-4}).x)
    found = {"slope": round(slope, 3), "median": round(median, 4), "rows": int(used.sum()), "dates": dates.nunique()}
    earned = errors_above_0(over - quoted[used], gap - median, dates) >= EARNED
    return found if earned else {**found, "slope": 0.0, "fitted": found["slope"]}


def errors_above_0(missed: np.ndarray, moves: np.ndarray, dates: pd.Series) -> float:
    """How many standard errors, by date, the slope of a logistic model lies above 0: t of its daily scores at 0.

    Args:
        missed: outcomes of 0 and 1 less their probabilities without the slope.
        moves: what the slope multiplies, per row.
        dates: the date of each row.
    """
    scores = pd.Series(missed * moves).groupby(dates.to_numpy()).sum()
    spread = float(scores.std() * np.sqrt(len(scores)))
    return float(scores.sum()) / spread if spread > 0 else 0.0


def anchored_probability(
    card: Card, forecast: np.ndarray, line: np.ndarray, over_price: pd.Series, under_price: pd.Series
) -> np.ndarray:
    """P(result > line) given that they are not equal: the quote's, moved towards the model's by the fitted slope.

    Null without both prices, and for a model without a fitted slope: a model's own P(over) is worse than a coin
    (log-loss .70 to .72).
    """
    quoted = market_probability(over_price, under_price).to_numpy()
    if not card.chance:
        return np.full(len(forecast), np.nan)
    if not card.chance["slope"]:  # the very number: a rounding would be a difference to the quote on every row
        return np.where(np.isnan(forecast), np.nan, quoted)
    base = logit(quoted)
    gap = logit(over_probability(card.residuals, forecast, line, card.market)) - base
    moved = base + card.chance["slope"] * (gap - card.chance["median"])
    return np.where(np.isnan(quoted), np.nan, 1 / (1 + np.exp(-moved)))


def logit(chance: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, kept away from 0 and 1."""
    safe = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe))
