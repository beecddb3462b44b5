"""A slate for people to read: the board of picks, its record, the gate's summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.book_lines import STALE_AFTER
from nba_props.domain.lines import claimed_lines_sql
from nba_props.domain.odds import expected_profit, over_probability
from nba_props.domain.stored import span_sql
from nba_props.domain.systems import MARKETS_OWN, SYSTEM_TABLES, SYSTEMS, TRAINED, catboost_v8, ensemble, xgboost_v1
from nba_props.domain.views.ledger import is_imported_sql
from nba_props.domain.views.shadow import has_weight_sql
from nba_props.facts import markets
from nba_props.facts.keys import PROP
from nba_props.facts.markets import ALL, POINTS
from nba_props.facts.vocabulary import SIDES, LineSource, Outcome, Recommendation
from nba_props.facts.words import percent, plural
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.monitoring import PROMOTIONS
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.warehouse.base import Warehouse

#: the systems whose picks a board shows by default: in the market of points, and in others
SYSTEM, ELSEWHERE = ensemble.V1_1.system_id, xgboost_v1.SYSTEM.system_id
#: systems with a P(over), in the order in which they are used where the board's own system has none
CHANCES = tuple(dict.fromkeys([catboost_v8.SYSTEM.system_id, *TRAINED]))

#: the current rows of the ledger on some dates, each with the problem of its line
CURRENT_SQL = f"""
SELECT j.* FROM ({claimed_lines_sql(span_sql(LEDGER))}) AS j
JOIN (
  SELECT game_date, prediction_id FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last
) AS k ON k.game_date = j.game_date AND k.prediction_id = j.prediction_id
"""
_HAS_WEIGHT = has_weight_sql("p", "w")
# a pick is made against a valid line: a row that bypassed the gate without one is only in the gate's summary
_BOARD_SQL = f"""
SELECT c.game_date, c.game_id, c.player_id, c.player_name, c.team, c.has_weight, g.away_team, g.home_team,
  g.tipoff_at, c.system_id, c.market, c.forecast, c.recommendation, c.over_probability,
  c.line, c.over_price, c.under_price, c.sportsbook,
  c.line_minutes_before_game, c.cutoff_at, c.created_at, a.result, a.outcome, a.profit, b.line AS newest_line,
  b.opening_line, b.books, b.best_over_price, b.best_over_book, b.best_under_price, b.best_under_book
FROM (
  SELECT p.*, s.team, {_HAS_WEIGHT} AS has_weight FROM ({CURRENT_SQL}) AS p
  JOIN nba_analytics.slate AS s ON s.game_date = p.game_date AND s.player_id = p.player_id
  LEFT JOIN {span_sql(PROMOTIONS)} AS w
    ON w.game_date = p.game_date AND w.system_id = p.system_id AND w.market = p.market
  WHERE p.line IS NOT NULL AND p.line_problem IS NULL AND p.market IN UNNEST(@markets)
    AND s.game_date BETWEEN @first AND @last AND (p.system_id = @system OR {_HAS_WEIGHT})
) AS c
JOIN nba_raw.schedule AS g ON g.game_date = c.game_date AND g.game_id = c.game_id
LEFT JOIN {span_sql(BETTING_LINES)} AS b
  ON b.game_date = c.game_date AND b.game_id = c.game_id AND b.player_id = c.player_id AND b.market = c.market
LEFT JOIN {span_sql(PREDICTION_ACCURACY)} AS a
  ON a.game_date = c.game_date AND a.prediction_id = c.prediction_id
WHERE g.game_date BETWEEN @first AND @last
"""

_GATE_SQL = f"""
SELECT game_date, outcome, COUNT(*) AS row_count FROM (
  SELECT game_date,
    CASE
      WHEN line_problem IS NOT NULL THEN CONCAT('published past the gate: ', line_problem)
      WHEN abstain_reason IS NOT NULL THEN 'published, abstained'
      WHEN line_source = '{LineSource.ACTUAL_PROP}' THEN 'published with line'
      ELSE 'published, no line'
    END AS outcome
  FROM ({CURRENT_SQL}) AS c WHERE NOT {is_imported_sql("c")}
  UNION ALL
  SELECT game_date, CONCAT('quarantined: ', reason) AS outcome
  FROM nba_predictions.quarantined_predictions AS q
  WHERE game_date BETWEEN @first AND @last AND NOT {is_imported_sql("q")}
) AS o
GROUP BY game_date, outcome
"""
#: the columns of a board that are the same for every system
_PROP = (
    "game_date", "game_id", "player_id", "market", "player_name", "team", "away_team", "home_team", "tipoff_at", "line",
    "over_price", "under_price", "sportsbook", "opening_line", "books",
)  # fmt: skip


def usual_system(market: str) -> str:
    """The system whose picks a market's board shows by default."""
    return SYSTEM if market in (POINTS, ALL) else ELSEWHERE


def usual_system_sql(market: str) -> str:
    """``usual_system`` as SQL."""
    return f"CASE WHEN {market} = '{POINTS}' THEN '{SYSTEM}' ELSE '{ELSEWHERE}' END"


def forecasts(system: str, market: str) -> bool:
    """Whether a system forecasts a market."""
    return any(s.system_id == system and (market == ALL or market in s.markets) for s in SYSTEMS)


def picks(
    warehouse: Warehouse, first: date, last: date, system: str | None = None, market: str = POINTS
) -> pd.DataFrame:
    """The board of some dates and a market, or all: one row per player and market with a valid line, see
    :func:`of_rows`.
    """
    return of_rows(published(warehouse, first, last, system, market), system)


def published(
    warehouse: Warehouse, first: date, last: date, system: str | None = None, market: str = ALL
) -> pd.DataFrame:
    """The published rows behind a board, one per player, market and system that counts, or that is asked for."""
    asked = list(markets.keys()) if market == ALL else [market]
    return warehouse.query(_BOARD_SQL, first=first, last=last, markets=asked, system=system or "")


def of_rows(rows: pd.DataFrame, system: str | None = None) -> pd.DataFrame:
    """One system's view of each player's line: the side, its best price, and how many systems agree.

    Args:
        rows: a row per player, market and system, as ``_BOARD_SQL`` gives it.
        system: the system whose picks they are; each market's usual one by default.

    Returns:
        Picks first, then the largest edges, by the error of the markets' lines. Beside the prop itself: ``forecast``;
        ``side``, the recommendation (null where the system gave no forecast); ``edge``, forecast less line [stat];
        ``leans``, OVER or UNDER by the sign of the edge; ``price`` and ``book``, the best of that side at that line;
        ``chance``, P(the side wins), pushes aside, by the first system that has one, ``chance_by``; ``market_chance``,
        the same by the consensus of the books, or by the published quote without its vig where there is none; ``ev``,
        expected profit of one unit at ``price`` by ``chance``;
        ``quote_age`` [hours], the published quote's age at publication, or at tip-off if that was earlier;
        ``forecasts``, the number of systems with a forecast, and ``agree``, how many of them lean to that side; once
        the date is graded ``result``, the side's ``outcome``, and the ``profit`` of one unit on it at the published
        quote's price. Then a column per system: its forecast.
    """
    rows = rows[rows["system_id"].isin(SYSTEM_TABLES)] if len(rows) else rows  # imported records have no board
    if rows.empty:
        return pd.DataFrame()
    rows = first_of_each(rows)
    # systems may have been published against different quotes: that of the board's own system counts, else the newest
    wanted = rows["market"].map(usual_system) if system is None else system
    ranked = rows.assign(is_own=rows["system_id"].eq(wanted)).sort_values(
        ["is_own", "created_at", "system_id"], ascending=[False, False, True], kind="stable"
    )
    board = ranked.drop_duplicates(PROP).set_index(PROP)
    own = ranked[ranked["is_own"]].set_index(PROP).reindex(board.index)
    forecast = own["forecast"]
    edge = forecast - board["line"]
    leans = np.sign(edge).map({1.0: Recommendation.OVER.value, -1.0: Recommendation.UNDER.value})
    of_systems = rows.pivot(index=PROP, columns="system_id", values="forecast").reindex(board.index)
    idle = set(rows.loc[~rows["has_weight"].astype(bool), "system_id"])
    opinions = of_systems.drop(columns=[*MARKETS_OWN, *idle], errors="ignore")
    made = board[[c for c in _PROP if c not in PROP]].assign(
        forecast=forecast,
        side=own["recommendation"].where(forecast.notna()),
        edge=edge,
        result=board["result"],
        outcome=own["outcome"],
        profit=own["profit"],
        leans=leans,
    )
    made = made.assign(**_best_prices(board, leans)).join(_chances(rows, board, leans, system))
    made = made.assign(
        ev=expected_profit(made["chance"], made["price"]),
        quote_age=_quote_age(board),
        agree=_agreeing(opinions, board["line"], leans),
        forecasts=opinions.notna().sum(axis=1),
    )
    order = made.assign(
        is_none=~is_pick(made), size=-made["edge"].abs() / made.index.get_level_values("market").map(markets.scales())
    )
    order = order.reset_index().sort_values(["game_date", "is_none", "size", "player_name"], kind="stable")
    made = made.loc[pd.MultiIndex.from_frame(order[PROP])].join(of_systems).reset_index()
    return made[[*_PROP, *(c for c in made.columns if c not in _PROP)]]


def first_of_each(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each system, player and market: of two with the same id one is forged, which the audit reports, and
    the older one is shown.
    """
    return rows.sort_values("created_at", kind="stable").drop_duplicates([*PROP, "system_id"])


def _best_prices(board: pd.DataFrame, leans: pd.Series) -> dict[str, pd.Series]:
    """The best price of each player's side and its book; those of the published quote where its line is an older one.

    The best prices are those of the newest line, which may differ from the published one.
    """
    is_same = board["newest_line"].eq(board["line"])

    def best(side: str, column: str, quoted: str) -> pd.Series:
        found = board[f"best_{side}_{column}"]
        return found.where(is_same & found.notna(), board[quoted])

    def of_its_side(column: str, over_quoted: str, under_quoted: str) -> pd.Series:
        over, under = best("over", column, over_quoted), best("under", column, under_quoted)
        return over.where(leans.eq(Recommendation.OVER), under).where(leans.notna())

    return {
        "price": of_its_side("price", "over_price", "under_price"),
        "book": of_its_side("book", "sportsbook", "sportsbook"),
    }


def _chances(rows: pd.DataFrame, board: pd.DataFrame, leans: pd.Series, system: str | None) -> pd.DataFrame:
    """P of each player's side by the first system that has one, the name of that system, and P by the quote."""
    over = leans.eq(Recommendation.OVER)
    # a probability is only valid for its own line
    lines = pd.MultiIndex.from_frame(board.reset_index()[[*PROP, "line"]])
    same_line = rows[pd.MultiIndex.from_frame(rows[[*PROP, "line"]]).isin(lines)]
    chances = same_line.pivot(index=PROP, columns="system_id", values="over_probability")
    chances = chances.reindex(board.index).astype("float64")
    made = pd.DataFrame({"chance": np.nan, "chance_by": None}, index=board.index)
    for name in dict.fromkeys([c for c in (system, *CHANCES) if c is not None and c in chances]):
        fills = leans.notna() & made["chance"].isna() & chances[name].notna()
        made.loc[fills, "chance"] = chances[name].where(over, 1 - chances[name])[fills]
        made.loc[fills, "chance_by"] = name
    market = over_probability(board["over_price"], board["under_price"])
    for name in MARKETS_OWN & set(chances):
        market = chances[name].fillna(market)
    return made.assign(market_chance=market.where(over, 1 - market).where(leans.notna()))


def _quote_age(board: pd.DataFrame) -> pd.Series:
    """The published quote's age at publication, or at tip-off if that was earlier [hours]."""
    # the minutes refer to the cut-off known then; the game may have been moved since
    cutoff, published = (pd.to_datetime(board[c], utc=True) for c in ("cutoff_at", "created_at"))
    early = (cutoff - published).clip(lower=pd.Timedelta(0)) / pd.Timedelta(hours=1)
    return board["line_minutes_before_game"].astype("float64") / 60 - early


def _agreeing(forecasts: pd.DataFrame, line: pd.Series, leans: pd.Series) -> pd.Series:
    """How many of the forecasts, a column per system, are on each player's side of the line."""
    margins = forecasts.sub(line, axis=0)
    over = margins.gt(0).mul(leans.eq(Recommendation.OVER), axis=0)
    under = margins.lt(0).mul(leans.eq(Recommendation.UNDER), axis=0)
    return (over | under).sum(axis=1)


def old_quotes(board: pd.DataFrame) -> str:
    """A sentence with the number of lines from old quotes; empty when there are none."""
    limit = STALE_AFTER / pd.Timedelta(hours=1)
    old = board.loc[board["quote_age"] > limit, "quote_age"]
    if old.empty:
        return ""
    return (
        f"{len(old)} of {plural(len(board), 'line')}: quoted more than {limit:.0f} hours before publication or tip-off "
        f"(up to {old.max():.1f}), so perhaps no longer offered"
    )


def is_pick(board: pd.DataFrame) -> pd.Series:
    """Which rows of a board are picks: OVER or UNDER."""
    return board["side"].isin(SIDES)


def record(board: pd.DataFrame) -> str:
    """The record of a board's picks in a sentence; empty while none of them has a result."""
    picks = board[is_pick(board)]
    found = picks["outcome"].value_counts()
    won, lost, pushed, void = (int(found.get(o, 0)) for o in (Outcome.WIN, Outcome.LOSS, Outcome.PUSH, Outcome.VOID))
    if not won + lost + pushed + void:
        return ""
    rest = {"push": pushed, "void": void, "open": len(picks) - won - lost - pushed - void}
    parts = [f"{won}-{lost}"]
    if won + lost:
        parts[0] += f" ({percent(won / (won + lost))})"
    parts += [f"{n} {what}" for what, n in rest.items() if n]
    return f"{plural(len(picks), 'pick')}: {', '.join(parts)}; {picks['profit'].sum():+.1f} units at the quoted prices"


def other_markets(warehouse: Warehouse, day: date, market: str = POINTS) -> dict[str, int]:
    """How many players have a published line on a date in each market but one, in their usual order."""
    rows = warehouse.query(
        "SELECT market, COUNT(DISTINCT player_id) AS players FROM nba_predictions.current_predictions "
        "WHERE game_date BETWEEN @first AND @last AND line IS NOT NULL AND market <> @market GROUP BY market",
        first=day,
        last=day,
        market=market,
    )
    found = dict(zip(rows["market"], rows["players"].astype(int), strict=True))
    return {m.key: found[m.key] for m in markets.MARKETS if m.key in found}


def gate_summary(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Our systems' rows per date and outcome of the gate: published with and without a line, abstained, quarantined."""
    rows = warehouse.query(_GATE_SQL, first=days[0], last=days[-1])
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot(index="game_date", columns="outcome", values="row_count").fillna(0).astype(int)
    wide.index = wide.index.strftime("%Y-%m-%d")
    return wide.rename_axis(index="date", columns=None).reset_index()
