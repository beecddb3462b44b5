"""Line shopping for people to read: each side of a line at its best price, and what it is worth by the other books."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import numpy as np
import pandas as pd

from nba_props.domain.book_lines import AT_LINE, STALE_AFTER
from nba_props.domain.odds import settled
from nba_props.domain.results import results_sql
from nba_props.domain.scoring import mean_intervals
from nba_props.domain.stored import span_sql
from nba_props.domain.views.shopping import implied_sql, settled_sql
from nba_props.facts import markets
from nba_props.facts.keys import PROP
from nba_props.facts.markets import ALL
from nba_props.facts.vocabulary import Recommendation
from nba_props.facts.words import plural
from nba_props.schemas.analytics import PRICES, SLATE
from nba_props.schemas.monitoring import MIN_DATES
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.base import Warehouse

#: every priced quote, and whether its line is the main one of some book
_PRICED = f"""
    SELECT p.*, m.line IS NOT NULL AS line_is_main
    FROM {span_sql(PRICES)} AS p
    LEFT JOIN (SELECT DISTINCT {", ".join(AT_LINE)} FROM {span_sql(PRICES)} AS q WHERE is_main) AS m
      ON {" AND ".join(f"m.{key} = p.{key}" for key in AT_LINE)}
    """


def _of_side(side: str) -> str:
    """The statement for one side of every line at its best price."""
    chance = "p.over_probability" if side == "over" else "1 - p.over_probability"
    return f"""
    SELECT p.game_date, p.game_id, p.player_id, p.player_name, s.team, p.market, '{side.upper()}' AS side, p.line,
      p.line_is_main, p.is_main, p.{side}_price AS price, p.bookmaker AS book, {chance} AS chance, p.fair_line,
      p.fair_{side}_price AS fair_price,
      p.{side}_ev AS ev, p.{side}_ev_shrunk AS ev_shrunk, p.{side}_stake AS stake, p.engines, p.line_low, p.line_high,
      p.quoted_at, p.cutoff_at, p.is_outlier, p.quote_id, r.result
    FROM ({_PRICED}) AS p
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
    warehouse: Warehouse, first: date, last: date, asked: Collection[str], now: datetime, *, alternates: bool = False
) -> pd.DataFrame:
    """Each side of each priced line of some dates at its best price, worth most by what results have followed first; of
    the main line of any book unless ``alternates`` are asked for.

    Returns:
        One row per player, market, line and side: ``price`` and ``book``, the best; ``chance``, P(the side wins) by the
        other engines, and ``fair_price``; ``ev`` and ``ev_shrunk`` [units]; ``quote_age`` [hours], the price's age now,
        or at the cut-off if that was earlier; ``stake``, a share of the bankroll, null for an old price, which may no
        longer be offered; the lowest and highest main line; ``result``, and ``profit``, what a unit won or lost, once
        the date is graded.
    """
    rows = warehouse.query(_SIDES_SQL, first=first, last=last, markets=list(asked))
    order = ["ev_shrunk", "ev", "player_name", "line"]
    rows = rows.sort_values(order, ascending=[False, False, True, True], kind="stable")
    if not alternates:
        rows = rows[rows["line_is_main"].astype(bool)]
    # a book may list a line twice, as its main one and as an alternate
    rows = rows.drop_duplicates([*PROP, "line", "side"], ignore_index=True)
    age = (rows["cutoff_at"].clip(upper=pd.Timestamp(now)) - rows["quoted_at"]) / pd.Timedelta(hours=1)
    return rows.assign(
        quote_age=age,
        stake=rows["stake"].where(age <= STALE_AFTER / pd.Timedelta(hours=1)),
        profit=settled(rows["side"], rows["line"], rows["price"], rows["result"]),
    )


_HOLD = f"1 - 1 / ({implied_sql('{0}over_price')} + {implied_sql('{0}under_price')})"
_HOLDS_SQL = f"""
SELECT market, COUNT(*) AS quotes, AVG({_HOLD.format("")}) AS hold, AVG({_HOLD.format("best_")}) AS best_hold
FROM {span_sql(PRICES)} AS p WHERE is_main AND best_over_price IS NOT NULL AND best_under_price IS NOT NULL
GROUP BY market
"""
_PAID = settled_sql(f"(side = '{Recommendation.OVER}') = (result > line)", "result = line", "price")
#: of each kind of bet, by date and market: how many are settled, what they promised and what they returned
_RETURNS_SQL = f"""
WITH results AS ({results_sql(span_sql(PREDICTION_ACCURACY))})
SELECT 'EV' AS kind, game_date, market, COUNT(*) AS bets, SUM(ev) AS promised, SUM(profit) AS profit FROM (
  SELECT s.*, {_PAID} AS profit
  FROM (
    SELECT game_date, game_id, player_id, market, side, line, MIN(price) AS price, MIN(ev) AS ev, MIN(result) AS result
    FROM ({_of_side("over")} UNION ALL {_of_side("under")}) AS sides
    WHERE ev > 0 AND line_is_main AND result IS NOT NULL
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
    """What shopping for the best price gained on some dates: a row for each market with prices, in their usual order,
    and one for all of several.

    Returns:
        ``market, quotes, hold`` and ``best_hold``, the books' and that of the best price of each side. Of the sides
        with EV above 0 (``ev``), of arbitrages and of middles: ``<kind>_bets``, ``_nights``, what they ``_promised``
        (of middles how often they hit) and ``_returned`` a unit, with the bounds ``_returned_low`` and ``_high``.
    """
    holds = warehouse.query(_HOLDS_SQL, first=first, last=last)
    returns = warehouse.query(_RETURNS_SQL, first=first, last=last, markets=list(markets.keys()))
    there = [m.key for m in markets.MARKETS if m.key in set(holds["market"])]
    out = holds.set_index("market").reindex(there)
    if len(there) > 1:
        means = (np.average(out[column], weights=out["quotes"]) for column in ("hold", "best_hold"))
        out.loc[ALL] = [out["quotes"].sum(), *means]
        returns = pd.concat([returns, returns.assign(market=ALL)])
    for kind, rows in returns.groupby("kind"):
        daily = rows.groupby(["market", "game_date"])[["bets", "promised", "profit"]].sum().astype("float64")
        found = mean_intervals(daily["profit"], daily["bets"])
        promised = daily.groupby(level="market")["promised"].sum() / found["rows"]
        names = {"value": "returned", "low": "returned_low", "high": "returned_high", "rows": "bets", "dates": "nights"}
        own = found.rename(columns=names).assign(promised=promised).add_prefix(f"{kind.lower()}_")
        out = out.join(own)
    return out.reset_index()


def record(rows: pd.DataFrame) -> str | None:
    """What the sides with an EV above 0, and those with a stake, promised and returned; None before the results."""
    settled_ones = rows[rows["profit"].notna()]
    worth, staked = settled_ones[settled_ones["ev"] > 0], settled_ones[settled_ones["stake"].fillna(0) > 0]
    if worth.empty:
        return None
    found = [f"{plural(len(worth), 'side')} with EV above 0 {_kept(worth, 'ev')}"]
    if len(staked):
        found.append(f"{plural(len(staked), 'side')} with a stake {_kept(staked, 'ev_shrunk')}")
    nights = len(set(worth["game_date"]))
    few = ": too few for a conclusion" if nights < MIN_DATES else ""
    return f"{'; '.join(found)}. {plural(nights, 'night')}{few}"


def _kept(rows: pd.DataFrame, promise: str) -> str:
    """What some sides promised and returned a unit, with an interval where there is one."""
    daily = rows.assign(kind="all", one=1.0).groupby(["kind", "game_date"])[["profit", "one"]].sum()
    (found,) = mean_intervals(daily["profit"], daily["one"]).to_dict("records")
    bounds = "" if pd.isna(found["low"]) else f" [{found['low']:+.1%}, {found['high']:+.1%}]"
    return f"promised {rows[promise].mean():+.1%} and returned {found['value']:+.1%}{bounds} a unit"


def old_prices(rows: pd.DataFrame) -> str | None:
    """A sentence with the number of best prices from old quotes; None when there are none."""
    limit = STALE_AFTER / pd.Timedelta(hours=1)
    old = rows.loc[rows["quote_age"] > limit, "quote_age"]
    if old.empty:
        return None
    return (
        f"{len(old):,} of {plural(len(rows), 'price')}: quoted more than {limit:.0f} hours before now or tip-off "
        f"(up to {old.max():.1f}), so perhaps no longer offered, and without a stake"
    )
