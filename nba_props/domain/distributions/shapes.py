"""How results lie around the consensus: quantiles of past distances, by market and band, fitted once a month.

A distance is (result - consensus) / spread, with the spread of the market (``consensus.spread``). A result is a whole
number and a consensus is not: each result counts as five values evenly within half a point of it. Where lines stand
near the median, the median of the distances is moved to 0, as the prices have said where it is. A normal distribution
counts as ``PRIOR`` further results of each band. Measured on the real lines of 2024 and 2025, with shapes of earlier
months: docs/concepts.md#distributions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.history import PLAYED
from nba_props.domain.models.chance import QUANTILES
from nba_props.facts import markets
from nba_props.schemas.distributions import SHAPES

#: as how many results of a band the normal distribution counts
PRIOR = 1_000
#: fewest results of a market that make a shape
MIN_RESULTS = 300
#: bands of the consensus with equally many results each
BANDS = 3
#: the rules that a shape was fitted by: stored ones of others are stale
RULES = (1, MIN_RESULTS, BANDS)
#: where in its unit interval each result is counted
_WITHIN = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])
_MIDDLE = len(QUANTILES) // 2
_PAST_SQL = f"""
SELECT c.game_date, c.game_id, c.player_id, c.market, c.median, {markets.result_of_sql("c.market", "p")} AS result
FROM nba_analytics.consensus AS c
JOIN {PLAYED} AS p ON p.game_date = c.game_date AND p.game_id = c.game_id AND p.player_id = c.player_id
WHERE c.game_date BETWEEN @first AND @last AND c.median IS NOT NULL
"""


def month_of(day: date) -> date:
    """The first of a date's month: its shapes know results of earlier dates only."""
    return day.replace(day=1)


def read_past(query: Callable[..., pd.DataFrame], first: date, last: date) -> pd.DataFrame:
    """``PLAYER_GAME, market, median, result`` of every consensus of first..last on a player who played."""
    return query(_PAST_SQL, first=first, last=last).astype({"result": "float64"})


def fit(past: pd.DataFrame) -> pd.DataFrame:
    """The shapes of past results, in the columns of ``nba_analytics.shapes`` but the date.

    Args:
        past: ``game_date, market, median, result``, as from ``read_past``.
    """
    enough = past.groupby("market")["result"].transform("size") >= MIN_RESULTS
    rows = past[enough].reset_index(drop=True)
    if rows.empty:
        return SHAPES.empty().drop(columns="game_date")
    cuts = np.arange(1, BANDS) / BANDS
    edges = rows.groupby("market")["median"].quantile(cuts).unstack().to_numpy()
    names, market = np.unique(rows["market"].to_numpy(str), return_inverse=True)
    band = (rows["median"].to_numpy()[:, None] >= edges[market]).sum(axis=1)
    distance = rows["result"].to_numpy("float64")[:, None] + _WITHIN - rows["median"].to_numpy()[:, None]
    found, code = np.unique(market * BANDS + band, return_inverse=True)
    quantiles = _quantiles(distance / unit(rows["median"], rows["market"])[:, None], code)
    of = names[found // BANDS]
    has_median = np.array([markets.market(m).has_even_lines for m in of])
    quantiles -= np.where(has_median, quantiles[:, _MIDDLE], 0.0)[:, None]
    bounds = np.column_stack([np.full(len(names), np.nan), edges, np.full(len(names), np.nan)])[found // BANDS]
    place, dates = found % BANDS, rows["game_date"].groupby(code)
    at, of_market = np.arange(len(found)), found // BANDS
    low, high = bounds[at, place], bounds[at, place + 1]
    # equal lines can leave a band without results: the outermost ones that have some are open
    changes = of_market[1:] != of_market[:-1]
    low[np.r_[True, changes]] = np.nan
    high[np.r_[changes, True]] = np.nan
    return pd.DataFrame(
        {
            "market": of, "band": place + 1, "low": low, "high": high,
            "quantiles": [json.dumps([round(q, 5) for q in row]) for row in quantiles.tolist()],
            "results": np.bincount(code), "first_result": dates.min().to_numpy(),
            "last_result": dates.max().to_numpy(),
        }
    )  # fmt: skip


def unit(centre: pd.Series, market: pd.Series) -> np.ndarray:
    """The spread of a market around a consensus; of one below 0 as of 0."""
    return consensus.spread(centre.clip(lower=0), market)


def _quantiles(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """``QUANTILES`` of the values of each code, linear between neighbours; one row per code."""
    of = np.repeat(code, values.shape[1])
    each = values.ravel()
    ordered = each[np.lexsort((each, of))]
    sizes = np.bincount(of)
    at = (sizes.cumsum() - sizes)[:, None] + QUANTILES * (sizes - 1)[:, None]
    below = at.astype(int)
    above = np.minimum(below + 1, (sizes.cumsum() - 1)[:, None])
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def below(distance: np.ndarray, quantiles: np.ndarray, shape: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """P(distance below), for rows of distances.

    Args:
        distance: one row for each distribution, one column for each bound.
        quantiles: ``QUANTILES`` of each shape, one row a shape.
        shape: the number of each row's shape.
        prior: the weight of the normal distribution in each row, 0-1.
    """
    from scipy.special import ndtr

    low, high = quantiles[:, 0][shape][:, None], quantiles[:, -1][shape][:, None]
    # one interpolation for all shapes: each has a stretch of the axis to itself
    stretch = float(np.ptp(quantiles)) + 1
    start = shape[:, None] * stretch - quantiles.min()
    axis = (quantiles + np.arange(len(quantiles))[:, None] * stretch - quantiles.min()).ravel()
    inner = np.interp(np.clip(distance, low, high) + start, axis, np.tile(QUANTILES, len(quantiles)))
    normal = ndtr(distance)
    # beyond the outermost quantiles it falls as the normal distribution does
    tail = QUANTILES[0]
    inner = np.where(distance < low, tail * normal / np.maximum(ndtr(low), 1e-12), inner)
    inner = np.where(distance > high, 1 - tail * ndtr(-distance) / np.maximum(ndtr(-high), 1e-12), inner)
    return (1 - prior[:, None]) * inner + prior[:, None] * normal


def as_arrays(shapes: pd.DataFrame) -> np.ndarray:
    """The quantiles of rows of ``nba_analytics.shapes``, one row each."""
    return np.array([json.loads(text) for text in shapes["quantiles"]]).reshape(-1, len(QUANTILES))


def copies(shapes: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The shapes of a month for each of some of its dates."""
    return shapes.merge(pd.DataFrame({"game_date": pd.to_datetime(list(days))}), how="cross")
