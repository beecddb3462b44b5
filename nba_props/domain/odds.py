"""Sportsbooks and American odds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.facts.vocabulary import BookKind

#: US sportsbooks by The Odds API's key, in the order in which a line is chosen (the house order)
SPORTSBOOKS = (
    "draftkings",
    "fanduel",
    "betmgm",
    "williamhill_us",  # Caesars
    "fanatics",
    "betrivers",
    "espnbet",
    "hardrockbet",
    "bovada",
    "betonlineag",
    "pointsbetus",
    "unibet_us",
    "mybookieag",
    "betus",
    "lowvig",
    "ballybet",
    "betparx",
    "superbook",
    "wynnbet",
)
#: daily-fantasy books: their quotes are stored and never chosen as a line, since their prices are multipliers
DFS_BOOKS = ("prizepicks", "underdog", "betr_us_dfs", "pick6")

BOOK_KINDS = {**dict.fromkeys(SPORTSBOOKS, BookKind.SPORTSBOOK), **dict.fromkeys(DFS_BOOKS, BookKind.DFS)}


def book_kind(bookmaker: str) -> str:
    """SPORTSBOOK, DFS, or UNKNOWN for a key in neither list; quotes of an unknown book are stored and never chosen."""
    return BOOK_KINDS.get(bookmaker, BookKind.UNKNOWN).value


def implied_probability(price: pd.Series) -> pd.Series:
    """Implied probability of American prices, vig included: -110 -> 0.5238, +150 -> 0.4; null stays null."""
    p = price.astype("float64")
    return pd.Series(np.where(p < 0, -p / (100 - p), 100 / (100 + p)), index=price.index).where(p.notna())


def over_probability(over_price: pd.Series, under_price: pd.Series) -> pd.Series:
    """De-vigged (multiplicative) P(over) of a two-sided quote: the over's share of both implied probabilities."""
    over = implied_probability(over_price)
    return over / (over + implied_probability(under_price))


def expected_profit(chance: pd.Series, price: pd.Series) -> pd.Series:
    """Expected profit of one unit (EV), pushes aside: 0.55 at -110 -> 0.05; null without a probability or a price."""
    return chance.astype("float64") * (payout(price) + 1) - 1


def payout(price: pd.Series) -> pd.Series:
    """Profit of one unit won at an American price: -110 -> 0.909, +150 -> 1.5; null stays null."""
    p = price.astype("float64")
    return pd.Series(np.where(p < 0, -100 / p, p / 100), index=price.index).where(p.notna())
