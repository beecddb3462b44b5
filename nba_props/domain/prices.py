"""What a quote is worth: its sides by the consensus of the other books, and where each side is cheapest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.book_lines import AT_LINE, best_prices
from nba_props.domain.odds import american, expected_profit, payout
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.keys import PROP
from nba_props.schemas.analytics import PRICES

#: how much of the distance between the others' probability and the quote's own a result keeps, by that distance: up to
#: .02 all of it, up to .04 three quarters, beyond about two thirds (measured on real quotes of 2024 and 2025)
KEPT = ((0.02, 1.0), (0.04, 0.75), (1.0, 0.65))
#: a quote at a larger distance from the others is an outlier
OUTLIER = KEPT[0][0]
#: the share of Kelly's stake, and the largest stake of the bankroll
KELLY_SHARE, MOST_STAKED = 0.25, 0.01


def prices(offers: pd.DataFrame, books: Sequence[str] = SPORTSBOOKS) -> pd.DataFrame:
    """The price of every quote, in the columns of ``nba_analytics.prices``.

    A book is judged by the engines other than its own: a price that it had a part in would judge itself.

    Args:
        offers: rows of ``nba_analytics.book_lines``.
        books: every sportsbook, in the order in which equal best prices are named.
    """
    rows = offers.merge(consensus.of_others(offers), on=[*PROP, "engine"], how="left", validate="many_to_one")
    # an engine without a main line is judged by all that have one
    everyone = consensus.of_all(offers).rename(columns={"median": "all_median", "engines": "all_engines"})
    rows = rows.merge(everyone, on=PROP, how="left", validate="many_to_one")
    alone = rows["engines"].isna()
    rows["engines"] = rows["engines"].where(~alone, rows["all_engines"]).fillna(0)
    rows["fair_line"] = rows["median"].where(~alone, rows["all_median"])
    chance = pd.Series(consensus.over_chance(rows["fair_line"], rows["line"], rows["market"]), index=rows.index)
    own = rows["own_over_probability"].astype("float64")
    kept = shrunk(chance, own)
    for side, p, q in (("over", chance, kept), ("under", 1 - chance, 1 - kept)):
        price = rows[f"{side}_price"]
        rows[f"fair_{side}_price"] = american(p).round()
        rows[f"{side}_ev"] = expected_profit(p, price)
        rows[f"{side}_ev_shrunk"] = expected_profit(q, price)
        rows[f"{side}_stake"] = stake(q, price)
    rows["over_probability"] = chance
    current = rows[rows["is_current"].astype(bool)]
    for side in ("over", "under"):
        names = {f"{side}_price": f"best_{side}_price", "bookmaker": f"best_{side}_book"}
        rows = rows.join(best_prices(current, side, books).rename(columns=names), on=AT_LINE)
    main = rows[rows["is_main"].astype(bool)].groupby(PROP)["line"].agg(line_low="min", line_high="max").reset_index()
    rows = rows.merge(main, on=PROP, how="left", validate="many_to_one")
    distance = (chance - own).abs()
    rows["is_outlier"] = (distance > OUTLIER).astype("boolean").where(distance.notna().to_numpy())
    rows["no_price_reason"] = rows["fair_line"].isna().map({True: consensus.TOO_FEW, False: None})
    return rows[list(PRICES.column_names)]


def shrunk(chance: pd.Series, own: pd.Series) -> pd.Series:
    """A probability moved from the quote's own towards the others', as far as results have followed (``KEPT``); null
    for a quote without one of its own.
    """
    gap = chance - own
    bounds, shares = (np.array(column) for column in zip(*KEPT, strict=True))
    return own + gap * shares[np.searchsorted(bounds, gap.abs().round(9).fillna(0))]


def stake(chance: pd.Series, price: pd.Series) -> pd.Series:
    """A quarter of Kelly's stake as a share of the bankroll, at most one hundredth; 0 for a side that is worth
    nothing, null without a probability or a price.
    """
    kelly = expected_profit(chance, price) / payout(price)
    return (KELLY_SHARE * kelly).clip(0, MOST_STAKED)
