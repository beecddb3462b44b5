"""American odds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from nba_props.facts.books import ENGINES
from nba_props.facts.vocabulary import Recommendation


def engine_of(bookmaker: pd.Series) -> pd.Series:
    """The odds engine of each book: its own, unless several share one."""
    return bookmaker.map(ENGINES).fillna(bookmaker)


def implied_probability(price: pd.Series) -> pd.Series:
    """Implied probability of American prices, vig included: -110 -> 0.5238, +150 -> 0.4; null stays null."""
    p = price.astype("float64")
    return pd.Series(np.where(p < 0, -p / (100 - p), 100 / (100 + p)), index=price.index)


def over_probability(over_price: pd.Series, under_price: pd.Series, method: str = "multiplicative") -> pd.Series:
    """P(over) of a two-sided quote without the vig; null without both prices.

    Args:
        over_price: American price of the over.
        under_price: American price of the under.
        method: how the vig is taken out of both implied probabilities (``DEVIG``). With two outcomes Shin's method is
            the additive one.
    """
    return DEVIG[method](implied_probability(over_price), implied_probability(under_price))


def _multiplicative(over: pd.Series, under: pd.Series) -> pd.Series:
    """The share of the over in both."""
    return over / (over + under)


def _additive(over: pd.Series, under: pd.Series) -> pd.Series:
    """Half of the vig from each."""
    return (1 + over - under) / 2


def _power(over: pd.Series, under: pd.Series) -> pd.Series:
    """Both to the power that makes their sum one, by Newton's method."""
    power = pd.Series(1.0, index=over.index)
    for _ in range(_NEWTON_STEPS):
        a, b = over**power, under**power
        power = power - (a + b - 1) / (a * np.log(over) + b * np.log(under))
    return over**power


_NEWTON_STEPS = 12
#: the ways to take the vig out of a quote, by name; the first is used everywhere
DEVIG: Mapping[str, Callable[[pd.Series, pd.Series], pd.Series]] = {
    "multiplicative": _multiplicative,
    "additive": _additive,
    "power": _power,
}


def hold(over_price: pd.Series, under_price: pd.Series) -> pd.Series:
    """The share of all stakes that a book keeps if both sides are staked evenly: -110 and -110 -> 0.0455; null without
    both prices.
    """
    return 1 - 1 / (implied_probability(over_price) + implied_probability(under_price))


def american(probability: pd.Series) -> pd.Series:
    """The fair American price of a probability, unrounded: 0.6 -> -150, 0.5 -> +100; null stays null."""
    p = probability.astype("float64")
    return pd.Series(np.where(p > 0.5, -100 * p / (1 - p), 100 * (1 - p) / p), index=p.index)


def expected_profit(chance: pd.Series, price: pd.Series) -> pd.Series:
    """Expected profit of one unit (EV), pushes aside: 0.55 at -110 -> 0.05; null without a probability or a price."""
    return chance.astype("float64") * (payout(price) + 1) - 1


def settled(side: pd.Series, line: pd.Series, price: pd.Series, result: pd.Series) -> pd.Series:
    """Profit of one unit on a side, OVER or UNDER: its payout, -1 if it lost, 0 on a push; null without a result."""
    difference = result.astype("float64") - line.astype("float64")
    margin = difference.where(side.eq(Recommendation.OVER), -difference)
    profit = np.select([margin > 0, margin < 0, margin == 0], [payout(price), -1.0, 0.0], np.nan)
    return pd.Series(profit, index=price.index)


def payout(price: pd.Series) -> pd.Series:
    """Profit of one unit won at an American price: -110 -> 0.909, +150 -> 1.5; null stays null."""
    p = price.astype("float64")
    return pd.Series(np.where(p < 0, -100 / p, p / 100), index=price.index)
