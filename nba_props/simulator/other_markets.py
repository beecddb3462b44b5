"""What the books quote in markets other than points: the same books and captures, lines at the median of a count.

A market's result is a count with the mean that the league's rates give and more spread than a Poisson's, since minutes
and form vary (a negative binomial). Lines stand where over and under are likeliest to be even; in markets with low
counts they can't be, and the prices say so. Books disagree, and lines move, in proportion to the error of the lines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_props.facts import markets
from nba_props.facts.markets import POINTS, Market
from nba_props.simulator import payloads
from nba_props.simulator.market import ALTERNATES, CAPTURES, DFS, HOLDS, prices, quotes_of

#: squared share by which a player's count varies beside chance: his minutes and his form
_VARIES = 0.14
#: by how much the variance of a sum exceeds those of its parts, which share minutes
_TOGETHER = 1.15
#: how much more a quoted player scores if he plays than the market of points expects, whose lines are below the mean
_OF_THOSE_WHO_PLAY = 1.03
#: the chance that a book quotes a player, and that a line moves between the captures before and after
_QUOTED, _MOVES = 0.8, 0.44
#: the share of those lines that have still to move, by capture
_STILL_TO_MOVE = (1.0, 0.6, 0.15, 0.0, 0.0)
#: markets whose lines are off by less than this on average are quoted by two books only
_THIN = 1.0


def spread(expected: pd.DataFrame, market: Market) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of what a market counts.

    Args:
        expected: a column with the expected count for each statistic that a market counts, a row for each player.
        market: the market.
    """
    likely = expected.assign(points=_OF_THOSE_WHO_PLAY * expected["points"])
    parts = likely[list(market.stats)].to_numpy("float64")
    variance = (parts + _VARIES * parts**2).sum(axis=1)
    return parts.sum(axis=1), variance * (_TOGETHER if len(market.stats) > 1 else 1.0)


def chance_over(mean: np.ndarray, variance: np.ndarray, line: np.ndarray) -> np.ndarray:
    """P(result > line) of counts with a mean and a larger variance."""
    from scipy.stats import nbinom

    return np.asarray(nbinom.sf(np.floor(line), mean**2 / (variance - mean), mean / variance))


def even_line(mean: np.ndarray, variance: np.ndarray, most: float) -> np.ndarray:
    """The half-point line at which over and under are nearest to even."""
    lines = np.arange(0.5, min(most, mean.max(initial=0.5) * 2 + 5), 1.0)
    gaps = np.abs(chance_over(mean[:, None], variance[:, None], lines[None, :]) - 0.5)
    return lines[gaps.argmin(axis=1)]


def add(
    captures: Sequence[tuple[datetime, dict[str, Any]]],
    seeds: Sequence[int],
    names: Sequence[str],
    numbers: Sequence[int],
    expected: pd.DataFrame,
    asked: Collection[str],
) -> None:
    """Add some markets to the captures of a game (``market.game_captures``).

    Args:
        captures: the instants and contents, changed in place.
        seeds: those of the game; each market has a generator of its own, so that none depends on another.
        names: the quoted players' names as the league spells them.
        numbers: their numbers in the league.
        expected: what the market expects of them, a column for each statistic.
        asked: the markets.
    """
    for place, market in enumerate(markets.MARKETS):
        if market.key == POINTS or market.key not in asked:
            continue
        rng = np.random.default_rng([*seeds, 1 + place])
        mean, variance = spread(expected, market)
        known = np.flatnonzero(mean >= 0.95 * market.line_error).tolist()
        if not known:
            continue
        quoted = _captured(
            rng, market, [names[i] for i in known], [numbers[i] for i in known], mean[known], variance[known]
        )
        for (at, content), books in zip(captures, quoted, strict=False):
            for book in content["data"]["bookmakers"]:
                book["markets"] += [
                    payloads.market(key, own, at - timedelta(seconds=40))
                    for key, own in books.get(book["key"], {}).items()
                ]


def _captured(
    rng: np.random.Generator,
    market: Market,
    names: Sequence[str],
    numbers: Sequence[int],
    mean: np.ndarray,
    variance: np.ndarray,
) -> list[Mapping[str, Mapping[str, list[dict[str, Any]]]]]:
    """The quotes of each capture by book and The Odds API's key."""
    n, scale = len(names), min(markets.scales()[market.key], 1.2)
    main, alternate = market.feed_keys
    books = list(HOLDS)[:2] if market.line_error < _THIN else list(HOLDS)
    close = even_line(mean, variance, market.most_line)
    drift = rng.choice([-1.0, 1.0], size=n) * (rng.random(n) < _MOVES * scale)
    before = close + drift * (rng.random((len(CAPTURES), n)) < np.array(_STILL_TO_MOVE)[:, None])
    in_play = close + np.rint(rng.normal(0, market.line_error, n))
    lines = np.maximum(np.where(np.array(CAPTURES)[:, None] < 0, in_play, before), 0.5)
    # an array of captures by books by players
    shaded = rng.choice([-1.0, 1.0], size=(len(books), n)) * (rng.random((len(books), n)) < 0.2 * scale)
    own = np.maximum(lines[:, None] + shaded, 0.5)
    over = np.clip(chance_over(mean, variance, own) + rng.normal(0, 0.012, own.shape), 0.12, 0.85)
    some = {b: rng.random(n) < _QUOTED for b in (*books, *DFS)}
    priced = {b: prices(b, over[:, i]) for i, b in enumerate(books)}
    even = {b: prices(b, np.full(n, 0.5)) for b in DFS}
    step = max(1.0, np.rint(5 * scale))
    found: list[Mapping[str, Mapping[str, list[dict[str, Any]]]]] = []
    for number in range(len(CAPTURES)):
        quoted: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for i, book in enumerate(books):
            of_capture = priced[book][0][number], priced[book][1][number]
            quoted[book] = {main: quotes_of(book, names, numbers, some[book], own[number, i], of_capture)}
            if book in ALTERNATES:
                rungs = [{**q, "line": q["line"] + step, "over": 240, "under": None} for q in quoted[book][main][::2]]
                quoted[book][alternate] = [q for q in rungs if q["line"] <= market.most_line]
        for book in DFS if len(books) > 2 else ():
            quoted[book] = {main: quotes_of(book, names, numbers, some[book], lines[number], even[book])}
        found.append(quoted)
    return found
