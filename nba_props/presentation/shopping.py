"""Line shopping for people to read: each side of a line at its best price, and what it is worth by the other books."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.odds import payout
from nba_props.domain.stored import span_sql
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import Recommendation
from nba_props.facts.words import plural
from nba_props.schemas.analytics import PRICES, SLATE
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.base import Warehouse


def _of_side(side: str) -> str:
    """The statement for one side of every line at its best price."""
    chance = "p.over_probability" if side == "over" else "1 - p.over_probability"
    return f"""
    SELECT p.game_date, p.game_id, p.player_id, p.player_name, s.team, p.market, '{side.upper()}' AS side, p.line,
      p.is_main, p.{side}_price AS price, p.bookmaker AS book, {chance} AS chance, p.fair_line,
      p.fair_{side}_price AS fair_price,
      p.{side}_ev AS ev, p.{side}_ev_shrunk AS ev_shrunk, p.{side}_stake AS stake, p.engines, p.line_low, p.line_high,
      p.minutes_before_game, p.is_outlier, p.quote_id, r.result
    FROM {span_sql(PRICES)} AS p
    LEFT JOIN {span_sql(SLATE)} AS s ON s.game_date = p.game_date AND s.player_id = p.player_id
    LEFT JOIN results AS r ON r.game_date = p.game_date AND r.game_id = p.game_id AND r.player_id = p.player_id
      AND r.market = p.market
    WHERE p.bookmaker = p.best_{side}_book AND p.{side}_price = p.best_{side}_price AND p.is_current
      AND p.fair_line IS NOT NULL AND p.market IN UNNEST(@markets)
    """


_SIDES_SQL = f"""
WITH results AS (
  SELECT DISTINCT game_date, game_id, player_id, market, result FROM {span_sql(PREDICTION_ACCURACY)} AS a
  WHERE result IS NOT NULL
)
{_of_side("over")} UNION ALL {_of_side("under")}
"""


def best_sides(
    warehouse: Warehouse, first: date, last: date, markets: Collection[str], *, alternates: bool = False
) -> pd.DataFrame:
    """Each side of each priced line of some dates at its best price, worth most first; of the main line of any book
    unless ``alternates`` are asked for.

    Returns:
        One row per player, market, line and side: ``price`` and ``book``, the best; ``chance``, P(the side wins) by the
        other engines, and ``fair_price``; ``ev`` and ``ev_shrunk`` [units]; ``stake``, a share of the bankroll; the
        lowest and highest main line; ``result``, and ``profit``, what a unit won or lost, once the date is graded.
    """
    rows = warehouse.query(_SIDES_SQL, first=first, last=last, markets=list(markets))
    rows = rows.sort_values(["ev", "player_name", "line"], ascending=[False, True, True], kind="stable")
    if not alternates:
        mains = rows.loc[rows["is_main"].astype(bool), [*PROP, "line"]].drop_duplicates()
        rows = rows.merge(mains, on=[*PROP, "line"])
    # a book may list a line twice, as its main one and as an alternate
    rows = rows.drop_duplicates([*PROP, "line", "side"], ignore_index=True)
    margin = (rows["result"].astype("float64") - rows["line"]) * np.where(rows["side"] == Recommendation.OVER, 1, -1)
    profit = np.select([margin > 0, margin < 0, margin == 0], [payout(rows["price"]), -1.0, 0.0], np.nan)
    return rows.assign(profit=profit)


def record(rows: pd.DataFrame) -> str | None:
    """What the sides with an EV above 0 promised and returned; None before the results."""
    worth = rows[rows["ev"].gt(0) & rows["profit"].notna()]
    if worth.empty:
        return None
    return (
        f"{plural(len(worth), 'side')} with EV above 0 promised {worth['ev'].mean():+.1%} and returned "
        f"{worth['profit'].mean():+.1%} a unit"
    )
