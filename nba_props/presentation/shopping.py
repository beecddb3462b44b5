"""Line shopping for people to read: each side of a line at its best price, and what it is worth by the other books."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pandas as pd

from nba_props.domain.odds import settled
from nba_props.domain.results import results_sql
from nba_props.domain.scoring import mean_intervals
from nba_props.domain.stored import span_sql
from nba_props.domain.views.shopping import implied_sql, payout_sql
from nba_props.facts import markets
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
  {results_sql(span_sql(PREDICTION_ACCURACY))}
)
{_of_side("over")} UNION ALL {_of_side("under")}
"""


def best_sides(
    warehouse: Warehouse, first: date, last: date, asked: Collection[str], *, alternates: bool = False
) -> pd.DataFrame:
    """Each side of each priced line of some dates at its best price, worth most first; of the main line of any book
    unless ``alternates`` are asked for.

    Returns:
        One row per player, market, line and side: ``price`` and ``book``, the best; ``chance``, P(the side wins) by the
        other engines, and ``fair_price``; ``ev`` and ``ev_shrunk`` [units]; ``stake``, a share of the bankroll; the
        lowest and highest main line; ``result``, and ``profit``, what a unit won or lost, once the date is graded.
    """
    rows = warehouse.query(_SIDES_SQL, first=first, last=last, markets=list(asked))
    rows = rows.sort_values(["ev", "player_name", "line"], ascending=[False, True, True], kind="stable")
    if not alternates:
        mains = rows.loc[rows["is_main"].astype(bool), [*PROP, "line"]].drop_duplicates()
        rows = rows.merge(mains, on=[*PROP, "line"])
    # a book may list a line twice, as its main one and as an alternate
    rows = rows.drop_duplicates([*PROP, "line", "side"], ignore_index=True)
    return rows.assign(profit=settled(rows["side"], rows["line"], rows["price"], rows["result"]))


_HOLD = f"1 - 1 / ({implied_sql('{0}over_price')} + {implied_sql('{0}under_price')})"
_HOLDS_SQL = f"""
SELECT market, COUNT(*) AS quotes, AVG({_HOLD.format("")}) AS hold, AVG({_HOLD.format("best_")}) AS best_hold
FROM {span_sql(PRICES)} AS p WHERE is_main AND best_over_price IS NOT NULL AND best_under_price IS NOT NULL
GROUP BY market
"""
#: of each kind of bet, by date and market: how many are settled, what they promised and what they returned
_RETURNS_SQL = f"""
WITH results AS ({results_sql(span_sql(PREDICTION_ACCURACY))})
SELECT 'EV' AS kind, game_date, market, COUNT(*) AS bets, SUM(ev) AS promised, SUM(profit) AS profit FROM (
  SELECT s.*, CASE WHEN result = line THEN 0.0
    WHEN (side = '{Recommendation.OVER}') = (result > line) THEN {payout_sql("price")} ELSE -1.0 END AS profit
  FROM (
    SELECT game_date, game_id, player_id, market, side, line, MIN(price) AS price, MIN(ev) AS ev, MIN(result) AS result
    FROM ({_of_side("over")} UNION ALL {_of_side("under")}) AS sides
    WHERE ev > 0 AND is_main AND result IS NOT NULL
    GROUP BY game_date, game_id, player_id, market, side, line
  ) AS s
) AS t
GROUP BY game_date, market
UNION ALL
SELECT 'ARBITRAGE' AS kind, game_date, market, COUNT(*) AS bets, SUM(promised) AS promised, SUM(profit) AS profit
FROM nba_monitoring.arbitrages WHERE game_date BETWEEN @first AND @last AND profit IS NOT NULL
GROUP BY game_date, market
UNION ALL
SELECT 'MIDDLE' AS kind, game_date, market, COUNT(*) AS bets, SUM(CASE WHEN hit THEN 1.0 ELSE 0.0 END) AS promised,
  SUM(profit) AS profit
FROM nba_monitoring.middles WHERE game_date BETWEEN @first AND @last AND profit IS NOT NULL
GROUP BY game_date, market
"""


def by_market(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """What shopping for the best price gained on some dates, a row for each market with prices, in their usual order.

    Returns:
        ``market, quotes, hold`` and ``best_hold``, the books' and that of the best price of each side. Of the sides
        with EV above 0 (``ev``), of arbitrages and of middles: ``<kind>_bets``, ``_nights``, what they ``_promised``
        (of middles how often they hit) and ``_returned`` a unit, with the bounds ``_returned_low`` and ``_high``.
    """
    holds = warehouse.query(_HOLDS_SQL, first=first, last=last)
    returns = warehouse.query(_RETURNS_SQL, first=first, last=last, markets=list(markets.keys()))
    out = holds.set_index("market").reindex([m.key for m in markets.MARKETS if m.key in set(holds["market"])])
    for kind, rows in returns.groupby("kind"):
        daily = rows.set_index(["market", "game_date"]).astype({"bets": "float64"}).sort_index()
        found = mean_intervals(daily["profit"], daily["bets"])
        promised = daily.groupby(level="market")["promised"].sum() / found["rows"]
        names = {"value": "returned", "low": "returned_low", "high": "returned_high", "rows": "bets", "dates": "nights"}
        own = found.rename(columns=names).assign(promised=promised).add_prefix(f"{kind.lower()}_")
        out = out.join(own)
    return out.reset_index()


def record(rows: pd.DataFrame) -> str | None:
    """What the sides with an EV above 0 promised and returned; None before the results."""
    worth = rows[rows["ev"].gt(0) & rows["profit"].notna()]
    if worth.empty:
        return None
    daily = worth.assign(kind="all", one=1.0).groupby(["kind", "game_date"])[["profit", "one"]].sum()
    (found,) = mean_intervals(daily["profit"], daily["one"]).to_dict("records")
    bounds = "" if pd.isna(found["low"]) else f" [{found['low']:+.1%}, {found['high']:+.1%}]"
    return (
        f"{plural(len(worth), 'side')} with EV above 0 promised {worth['ev'].mean():+.1%} and returned "
        f"{found['value']:+.1%}{bounds} a unit on {plural(int(found['dates']), 'night')}"
    )
