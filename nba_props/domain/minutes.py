"""What the past games of a player say of his minutes: his last game, and means with a short and a long memory."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.context import halved
from nba_props.facts.keys import PLAYER_DAY

#: half-lives, in games, of the means beside the feature ``minutes_ewma``
_SHORT, _LONG = 2, 20
OF_PAST = ("minutes_last", "minutes_ewma_short", "minutes_ewma_long")


def of_past(past: pd.DataFrame) -> pd.DataFrame:
    """``OF_PAST`` by ``game_date, player_id``, from rows of ``nba_analytics.historical_games``."""
    minutes = past["minutes"].astype("float64")
    short, long = (halved(past["recency"], life) for life in (_SHORT, _LONG))
    terms = past[PLAYER_DAY].assign(
        last=minutes.where(past["recency"] == 1), short=short, long=long, by_short=short * minutes,
        by_long=long * minutes,
    )  # fmt: skip
    sums = terms.groupby(PLAYER_DAY).sum(min_count=1)
    # sums of fractions depend on their order
    means = {"minutes_last": sums["last"], "minutes_ewma_short": (sums["by_short"] / sums["short"]).round(9),
             "minutes_ewma_long": (sums["by_long"] / sums["long"]).round(9)}  # fmt: skip
    return pd.DataFrame(means).reset_index()
