"""The truth of the simulated props: how the result of each is spread, by everything that is known at tip-off.

``Season.market`` has what each player can be expected to have if he plays. A result is a count with that mean and more
spread than a Poisson's, since minutes and form vary: a negative binomial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.facts.markets import Market

#: variance of a statistic as a x mean + b x mean², and a share of the mean by which a negative binomial is moved to the
#: left to be no more skewed than the results: points come by twos and threes, and team-mates share the shots.
#: These and ``_TOGETHER`` are fitted to the results of six simulated seasons
_SHAPES = {"points": (2.85, 0.008, 0.25), "fg3m": (1.0, 0.035, 0.0)}
_SHAPE_OF_OTHERS = (1.0, 0.175, 0.0)
#: covariance of two statistics of a player as a share of the product of their means: minutes and form are the same
_TOGETHER = 0.06


@dataclass(frozen=True)
class Truth:
    """How the results of some players in a market are spread; by a belief that errs, each is moved by a shift."""

    #: P(over) by player (rows) at the lines -0.5, 0.5, 1.5 and so on
    at_half_points: np.ndarray

    @property
    def medians(self) -> np.ndarray:
        """The line at which over and under are even, of each player; between half points by interpolation."""
        above = (self.at_half_points > 0.5).sum(axis=1)
        rows = np.arange(len(above))
        high, low = self.at_half_points[rows, above - 1], self.at_half_points[rows, above]
        return above - 1.5 + (high - 0.5) / (high - low)

    def even_lines(self, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """The half point nearest to each player's median, moved by ``shift`` (players along its last axis)."""
        return np.maximum(np.floor(self.medians + shift) + 0.5, 0.5)

    def over_chance(self, lines: np.ndarray | float, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """P(result > line) of each player at his line, or at several: players along the last axis of both."""
        last = self.at_half_points.shape[1] - 1
        place = np.clip(np.asarray(lines - shift) + 0.5, 0, last)
        below = np.minimum(place.astype(int), last - 1)
        rows = np.arange(len(self.at_half_points))
        left, right = self.at_half_points[rows, below], self.at_half_points[rows, below + 1]
        return left + (right - left) * (place - below)


def truth(expected: pd.DataFrame, market: Market) -> Truth:
    """The truth of some players in a market.

    Args:
        expected: rows of ``Season.market``: a column with the expected count for each statistic that a market counts;
            their sums are above 0.
        market: the market.
    """
    parts = expected[list(market.stats)].to_numpy("float64")
    of_mean, of_square, left = np.array([_SHAPES.get(stat, _SHAPE_OF_OTHERS) for stat in market.stats]).T
    mean = parts.sum(axis=1)
    shared = _TOGETHER * (mean**2 - (parts**2).sum(axis=1))
    variance = parts @ of_mean + parts**2 @ of_square + shared
    moved = parts @ left
    beyond = Truth(_negative_binomial(mean + moved, variance))
    lines = np.arange(beyond.at_half_points.shape[1])[:, None] - 0.5
    at_half_points = beyond.over_chance(lines, -moved).T
    at_half_points[:, 0] = 1.0  # no result is below 0
    return Truth(at_half_points)


def _negative_binomial(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """P(count > line) at the lines -0.5, 0.5 and so on (columns) of counts with a mean and a larger variance (rows)."""
    size, more = (mean**2 / (variance - mean))[:, None], (1 - mean / variance)[:, None]
    counts = np.arange(1, int(2.5 * mean.max(initial=0.0)) + 12)
    none = (1 - more) ** size
    chances = none * np.cumprod((counts - 1 + size) / counts * more, axis=1)
    return 1 - np.cumsum(np.hstack([np.zeros_like(none), none, chances]), axis=1)
