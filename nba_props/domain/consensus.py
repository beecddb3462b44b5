"""The consensus of the books: the median that their lines and prices imply together, and P(over) at any line by it.

A line stands on a half point; the prices say where beside it the median is. A book's P(over) without the vig at its
line, with the spread of results around lines in its market, gives its median; the consensus is their mean, with equal
weights. Books that share an odds engine are one opinion. It knows no more of basketball than the books do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nba_props.facts.keys import PROP
from nba_props.facts.markets import spreads

#: fewest odds engines that make a consensus
MIN_ENGINES = 3
#: why there is none
TOO_FEW = "TOO_FEW_BOOKS"


def spread(line: pd.Series, market: pd.Series) -> np.ndarray:
    """Standard deviation of the result around a line, in its market's unit."""
    fixed, by_line = (market.map({key: pair[n] for key, pair in spreads().items()}).to_numpy("float64") for n in (0, 1))
    return np.sqrt(fixed + by_line * line.to_numpy("float64"))


def implied_median(line: pd.Series, over_probability: pd.Series, market: pd.Series) -> np.ndarray:
    """The median result that a line and its P(over) imply: line + spread x the normal quantile of P(over)."""
    from scipy.special import ndtri

    return line.to_numpy("float64") + spread(line, market) * ndtri(over_probability.to_numpy("float64"))


def over_chance(median: pd.Series, line: pd.Series, market: pd.Series, moved: pd.Series | float = 0.0) -> np.ndarray:
    """P(result above the line, given that it differs from it) by a median; it falls as the line rises.

    Args:
        median: the median of the result.
        line: the line.
        market: the market of each.
        moved: by how many spreads the median is moved.
    """
    from scipy.special import ndtr

    distance = (median.to_numpy("float64") - line.to_numpy("float64")) / spread(line, market)
    return ndtr(distance + np.asarray(moved, dtype="float64"))


def by_engine(offers: pd.DataFrame, among: Sequence[str] = PROP) -> pd.DataFrame:
    """``among, engine, median``: the mean of the medians of an engine's books.

    Args:
        offers: rows of ``nba_analytics.book_lines``; only main lines count.
        among: the columns whose books make one consensus.
    """
    main = offers[offers["is_main"].astype(bool)]
    implied = implied_median(main["line"], main["own_over_probability"], main["market"])
    keys = [*among, "engine"]
    return main[keys].assign(median=implied).groupby(keys, as_index=False)["median"].mean()


def of_all(offers: pd.DataFrame) -> pd.DataFrame:
    """``PROP, median, engines``: the consensus of all engines on each player and market, null of fewer than three."""
    found = by_engine(offers).groupby(PROP).agg(median=("median", "mean"), engines=("median", "size")).reset_index()
    return found.assign(median=found["median"].where(found["engines"] >= MIN_ENGINES))


def rows(offers: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``nba_analytics.consensus``, from those of ``nba_analytics.book_lines``."""
    who = offers[[*PROP, "player_name", "player_lookup", "cutoff_at"]].drop_duplicates(PROP)
    found = who.merge(of_all(offers), on=PROP, validate="one_to_one")
    return found.assign(no_consensus_reason=found["median"].isna().map({True: TOO_FEW, False: None}))


def of_others(offers: pd.DataFrame, among: Sequence[str] = PROP, least: int = MIN_ENGINES) -> pd.DataFrame:
    """``among, engine, median, engines``: for each engine the consensus of the others, null of fewer than ``least``."""
    found = by_engine(offers, among)
    groups = found.groupby(list(among))["median"]
    others = groups.transform("size") - 1
    median = (groups.transform("sum") - found["median"]) / others
    return found.assign(median=median.where(others >= least), engines=others)
