"""The views of what differing books seem to give away: arbitrages and middles, each with what it returned."""

from __future__ import annotations

from nba_props.domain.results import results_sql
from nba_props.facts.keys import PROP
from nba_props.schemas.base import View

#: narrowest gap between the lines of a middle
_LEAST_GAP = 1
#: two prices could be had together if they were captured so many minutes apart at most
_TOGETHER = 15
_KEY = ", ".join(PROP)


def implied_sql(price: str) -> str:
    """SQL for the implied probability of an American price."""
    return f"CASE WHEN {price} < 0 THEN -{price} / (100.0 - {price}) ELSE 100.0 / (100.0 + {price}) END"


def _of(relation: str) -> str:
    return ", ".join(f"{relation}.{key}" for key in PROP)


def _on(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{key} = {right}.{key}" for key in PROP)


#: the best price of a side of a line, its book, and how old it was at the cut-off
_BEST = ", ".join(
    f"MIN(best_{side}_price) AS {side}_price, MIN(best_{side}_book) AS {side}_book, "
    f"MIN(CASE WHEN bookmaker = best_{side}_book AND {side}_price = best_{side}_price "
    f"THEN minutes_before_game END) AS {side}_minutes"
    for side in ("over", "under")
)
#: every line in the books' last captures
_LINES = f"""
  SELECT {_KEY}, line, MIN(player_name) AS player_name, MAX(CASE WHEN is_main THEN 1 ELSE 0 END) AS is_main, {_BEST}
  FROM nba_analytics.prices WHERE is_current
  GROUP BY {_KEY}, line
"""
#: those that are a main line, with the lowest and the highest of each prop
_MAIN_LINES = f"""
  SELECT m.*, MIN(m.line) OVER (PARTITION BY {_KEY}) AS lowest, MAX(m.line) OVER (PARTITION BY {_KEY}) AS highest
  FROM ({_LINES}) AS m WHERE m.is_main = 1
"""
_SURE = f"1 / ({implied_sql('t.over_price')} + {implied_sql('t.under_price')}) - 1"

ARBITRAGES = View(
    "nba_monitoring",
    "arbitrages",
    "Lines at which the best over and the best under price cost less together than they pay: what both pay for a unit "
    "split between them, and what they paid (0 on a push). Both quotes were captured within a quarter of an "
    "hour; many are gone when they are seen.",
    f"""
    SELECT {_of("t")}, t.player_name, t.line, t.over_price, t.over_book, t.over_minutes,
      t.under_price, t.under_book, t.under_minutes, ROUND({_SURE}, 6) AS promised, r.result,
      CASE WHEN r.result = t.line THEN 0.0 WHEN r.result IS NOT NULL THEN ROUND({_SURE}, 6) END AS profit
    FROM ({_LINES}) AS t
    LEFT JOIN ({results_sql()}) AS r ON {_on("r", "t")}
    WHERE t.over_price IS NOT NULL AND t.under_price IS NOT NULL AND t.over_book <> t.under_book
      AND ABS(t.over_minutes - t.under_minutes) <= {_TOGETHER} AND {_SURE} > 0
    """,
)


def settled_sql(won: str, pushed: str, price: str) -> str:
    """SQL for the profit of a unit at an American price, by the conditions of a win and a push (``odds.settled``)."""
    payout = f"CASE WHEN {price} < 0 THEN -100.0 / {price} ELSE {price} / 100.0 END"
    return f"CASE WHEN {pushed} THEN 0.0 WHEN {won} THEN {payout} ELSE -1.0 END"


_OVER_PAID = settled_sql("r.result > o.line", "r.result = o.line", "o.over_price")
_UNDER_PAID = settled_sql("r.result < u.line", "r.result = u.line", "u.under_price")
MIDDLES = View(
    "nba_monitoring",
    "middles",
    "Players on whom main lines differ by a point or more: half a unit on the over of the lowest and half on the under "
    "of the highest, both at the best price, captured within a quarter of an hour. A result between them wins both. "
    "Whether it did (hit), and the profit of the unit.",
    f"""
    SELECT {_of("o")}, o.player_name, o.line AS over_line, o.over_price, o.over_book,
      o.over_minutes, u.line AS under_line, u.under_price, u.under_book, u.under_minutes, r.result,
      CASE WHEN r.result IS NOT NULL THEN r.result > o.line AND r.result < u.line END AS hit,
      CASE WHEN r.result IS NOT NULL THEN
        ROUND(({_OVER_PAID} + {_UNDER_PAID}) / 2, 6) END
        AS profit
    FROM ({_MAIN_LINES}) AS o
    JOIN ({_MAIN_LINES}) AS u ON {_on("u", "o")}
    LEFT JOIN ({results_sql()}) AS r ON {_on("r", "o")}
    WHERE o.line = o.lowest AND u.line = u.highest AND u.line - o.line >= {_LEAST_GAP}
      AND o.over_price IS NOT NULL AND u.under_price IS NOT NULL
      AND ABS(o.over_minutes - u.under_minutes) <= {_TOGETHER}
    """,
)
SHOPPING_VIEWS = (ARBITRAGES, MIDDLES)
