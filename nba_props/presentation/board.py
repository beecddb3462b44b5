"""A slate for people to read: the board of picks, a player's games and lines, the gate's summary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches

import numpy as np
import pandas as pd

from nba_props.domain.lines import STALE_AFTER, claimed_lines_sql
from nba_props.domain.names import player_lookup
from nba_props.domain.odds import expected_profit, over_probability
from nba_props.domain.systems import SYSTEM_TABLES, catboost_v8, ensemble, xgboost_v1
from nba_props.domain.views.ledger import is_imported_sql
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.vocabulary import SIDES, LineSource, Outcome, Recommendation
from nba_props.facts.words import percent, plural
from nba_props.schemas.reference import PLAYERS
from nba_props.warehouse.base import Warehouse

_PERSON = ["player_id", "player_name", "team"]
#: the system whose picks a board shows by default
SYSTEM = ensemble.V1_1.system_id
#: systems with a P(over), in the order in which they are used where the board's own system has none
CHANCES = (catboost_v8.SYSTEM.system_id, xgboost_v1.SYSTEM.system_id)

#: the current rows of the ledger on some dates, each with the problem of its line
_CURRENT_SQL = f"""
SELECT j.* FROM ({
    claimed_lines_sql("(SELECT * FROM nba_predictions.ledger WHERE game_date BETWEEN @first AND @last)")
}) AS j
JOIN (
  SELECT game_date, prediction_id FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last
) AS k ON k.game_date = j.game_date AND k.prediction_id = j.prediction_id
"""
# a pick is made against a valid line: a row that bypassed the gate without one is only in the gate's summary
_BOARD_SQL = f"""
SELECT c.game_date, c.game_id, c.player_id, c.player_name, c.team, g.away_team, g.home_team, g.tipoff_at, c.system_id,
  c.predicted_points, c.recommendation, c.over_probability, c.line, c.over_price, c.under_price, c.sportsbook,
  c.line_minutes_before_game, c.cutoff_at, c.created_at, a.actual_points, a.outcome, a.profit, b.line AS newest_line,
  b.opening_line, b.books, b.best_over_price, b.best_over_book, b.best_under_price, b.best_under_book
FROM (
  SELECT p.*, s.team FROM ({_CURRENT_SQL}) AS p
  JOIN nba_analytics.slate AS s ON s.game_date = p.game_date AND s.player_id = p.player_id
  WHERE p.line IS NOT NULL AND p.line_problem IS NULL AND s.game_date BETWEEN @first AND @last
) AS c
JOIN nba_raw.schedule AS g ON g.game_date = c.game_date AND g.game_id = c.game_id
LEFT JOIN (SELECT * FROM nba_analytics.betting_lines WHERE game_date BETWEEN @first AND @last) AS b
  ON b.game_date = c.game_date AND b.game_id = c.game_id AND b.player_id = c.player_id
LEFT JOIN (SELECT * FROM nba_predictions.prediction_accuracy WHERE game_date BETWEEN @first AND @last) AS a
  ON a.game_date = c.game_date AND a.prediction_id = c.prediction_id
WHERE g.game_date BETWEEN @first AND @last
"""

#: a name as narrow boards show it
_INITIAL = re.compile(r"(\w)\. *(.+)")
_GATE_SQL = f"""
SELECT game_date, outcome, COUNT(*) AS row_count FROM (
  SELECT game_date,
    CASE
      WHEN line_problem IS NOT NULL THEN CONCAT('published past the gate: ', line_problem)
      WHEN abstain_reason IS NOT NULL THEN 'published, abstained'
      WHEN line_source = '{LineSource.ACTUAL_PROP}' THEN 'published with line'
      ELSE 'published, no line'
    END AS outcome
  FROM ({_CURRENT_SQL}) AS c WHERE NOT {is_imported_sql("c")}
  UNION ALL
  SELECT game_date, CONCAT('quarantined: ', reason) AS outcome
  FROM nba_predictions.quarantined_predictions AS q
  WHERE game_date BETWEEN @first AND @last AND NOT {is_imported_sql("q")}
) AS o
GROUP BY game_date, outcome
"""


#: the columns of a board that are the same for every system
_PROP = (
    "game_date", "game_id", "player_id", "player_name", "team", "away_team", "home_team", "tipoff_at", "line",
    "over_price", "under_price", "sportsbook", "opening_line", "books",
)  # fmt: skip


def picks(warehouse: Warehouse, first: date, last: date, system: str = SYSTEM) -> pd.DataFrame:
    """The board of some dates: one row per player with a valid line, see :func:`of_rows`."""
    return of_rows(warehouse.query(_BOARD_SQL, first=first, last=last), system)


def of_rows(rows: pd.DataFrame, system: str = SYSTEM) -> pd.DataFrame:
    """One system's view of each player's line: the side, its best price, and how many systems agree.

    Args:
        rows: a row per player and system, as ``_BOARD_SQL`` gives it.
        system: the system whose picks they are.

    Returns:
        Picks first, then the largest edges. Beside the prop itself: ``forecast``; ``side``, the recommendation (null
        where the system gave no forecast); ``edge``, forecast less line [points]; ``leans``, OVER or UNDER by the sign
        of the edge; ``price`` and ``book``, the best of that side at that line; ``chance``, P(the side wins), pushes
        aside, by the first system that has one, ``chance_by``; ``market_chance``, the same by the published quote
        without its vig; ``ev``, expected profit of one unit at ``price`` by ``chance``; ``quote_age`` [hours], the
        published quote's age at publication, or at tip-off if that was earlier; ``spoke``, the number of systems with
        a forecast, and ``agree``, how many of them lean to that side; once the date is graded ``points``, the side's
        ``outcome``, and the ``profit`` of one unit on it at the published quote's price. Then a column per system: its
        forecast.
    """
    rows = rows[rows["system_id"].isin(SYSTEM_TABLES)] if len(rows) else rows  # imported records have no board
    if rows.empty:
        return pd.DataFrame()
    # of two rows with the same id one is forged, which the audit reports; the older one is shown
    rows = rows.sort_values("created_at", kind="stable").drop_duplicates([*PLAYER_GAME, "system_id"])
    # systems may have been published against different quotes: that of the board's own system counts, else the newest
    ranked = rows.assign(is_own=rows["system_id"].eq(system)).sort_values(
        ["is_own", "created_at", "system_id"], ascending=[False, False, True], kind="stable"
    )
    board = ranked.drop_duplicates(PLAYER_GAME).set_index(PLAYER_GAME)
    own = ranked[ranked["is_own"]].set_index(PLAYER_GAME)
    forecast = own["predicted_points"].reindex(board.index)
    made = board[[c for c in _PROP if c not in PLAYER_GAME]].assign(
        forecast=forecast,
        side=own["recommendation"].reindex(board.index).where(forecast.notna()),
        edge=forecast - board["line"],
        points=board["actual_points"],
        outcome=own["outcome"].reindex(board.index),
        profit=own["profit"].reindex(board.index),
    )
    over = made["edge"].gt(0)
    made["leans"] = np.sign(made["edge"]).map({1.0: Recommendation.OVER.value, -1.0: Recommendation.UNDER.value})
    # the best price is of the line chosen now; the published quote may have another line
    is_same = board["newest_line"].eq(board["line"])
    for side in ("over", "under"):
        for column, best, quoted in (
            ("price", f"best_{side}_price", f"{side}_price"), ("book", f"best_{side}_book", "sportsbook"),
        ):  # fmt: skip
            board[f"{side}_{column}"] = board[best].where(is_same & board[best].notna(), board[quoted])
    leans = made["leans"].notna()
    for column in ("price", "book"):
        made[column] = board[f"over_{column}"].where(over, board[f"under_{column}"]).where(leans)
    # a probability is only valid for its own line
    lines = pd.MultiIndex.from_frame(board.reset_index()[[*PLAYER_GAME, "line"]])
    same_line = rows[pd.MultiIndex.from_frame(rows[[*PLAYER_GAME, "line"]]).isin(lines)]
    chances = same_line.pivot(index=PLAYER_GAME, columns="system_id", values="over_probability")
    chances = chances.reindex(board.index).astype("float64")
    made["chance"], made["chance_by"] = np.nan, None
    for name in dict.fromkeys([c for c in (system, *CHANCES) if c in chances]):
        fills = leans & made["chance"].isna() & chances[name].notna()
        made.loc[fills, "chance"] = chances[name].where(over, 1 - chances[name])[fills]
        made.loc[fills, "chance_by"] = name
    market = over_probability(made["over_price"], made["under_price"])
    made["market_chance"] = market.where(over, 1 - market).where(leans)
    made["ev"] = expected_profit(made["chance"], made["price"])
    # the minutes refer to the cut-off known then; the game may have been moved since
    cutoff, published = (pd.to_datetime(board[c], utc=True) for c in ("cutoff_at", "created_at"))
    early = (cutoff - published).clip(lower=pd.Timedelta(0)) / pd.Timedelta(hours=1)
    made["quote_age"] = board["line_minutes_before_game"].astype("float64") / 60 - early
    forecasts = rows.pivot(index=PLAYER_GAME, columns="system_id", values="predicted_points").reindex(board.index)
    margins = forecasts.sub(made["line"], axis=0).to_numpy()
    same = np.where(over.to_numpy()[:, None], margins > 0, margins < 0) & leans.to_numpy()[:, None]
    made["agree"] = same.sum(axis=1)
    made["spoke"] = forecasts.notna().sum(axis=1)
    order = made.assign(is_none=~is_pick(made), size=-made["edge"].abs())
    order = order.reset_index().sort_values(["game_date", "is_none", "size", "player_name"], kind="stable")
    made = made.loc[pd.MultiIndex.from_frame(order[PLAYER_GAME])].join(forecasts).reset_index()
    return made[[*_PROP, *(c for c in made.columns if c not in _PROP)]]


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


def gate_summary(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Our systems' rows per date and outcome of the gate: published with and without a line, abstained, quarantined."""
    rows = warehouse.query(_GATE_SQL, first=days[0], last=days[-1])
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot(index="game_date", columns="outcome", values="row_count").fillna(0).astype(int)
    wide.index = wide.index.strftime("%Y-%m-%d")
    return wide.rename_axis(index="date", columns=None).reset_index()


_LOG_SQL = f"""
SELECT k.game_date, COALESCE(b.opponent, '') AS opponent, b.is_home, b.minutes, b.points, c.line, c.sportsbook,
  c.predicted_points AS forecast, c.recommendation AS side, a.outcome, c.prediction_id
FROM (
  SELECT game_date, game_id FROM nba_raw.box_scores
  WHERE game_date BETWEEN @first AND @last AND player_id = @player_id
  UNION DISTINCT
  SELECT game_date, game_id FROM nba_predictions.ledger
  WHERE game_date BETWEEN @first AND @last AND player_id = @player_id AND system_id = @system
) AS k
LEFT JOIN (
  SELECT * FROM nba_raw.box_scores WHERE game_date BETWEEN @first AND @last AND player_id = @player_id
) AS b ON b.game_date = k.game_date AND b.game_id = k.game_id
LEFT JOIN (
  SELECT * FROM ({_CURRENT_SQL}) AS v WHERE player_id = @player_id AND system_id = @system AND line_problem IS NULL
) AS c ON c.game_date = k.game_date AND c.game_id = k.game_id
LEFT JOIN (
  SELECT game_date, prediction_id, outcome FROM nba_predictions.prediction_accuracy
  WHERE game_date BETWEEN @first AND @last AND player_id = @player_id
) AS a ON a.game_date = c.game_date AND a.prediction_id = c.prediction_id
ORDER BY k.game_date DESC
"""


def people(warehouse: Warehouse, text: str, day: date | None = None) -> pd.DataFrame:
    """The players whom an id, a name or a part of one matches: ``player_id``, ``player_name``, ``team``, one row each.

    Args:
        warehouse: where the tables are.
        text: an id, or letters of the name in any spelling; also ``C. Jessamy``, as narrow boards show it.
        day: the date whose players are searched; None is the newest stored date.
    """
    known = _known(warehouse, day)
    asked = player_lookup(text)
    exact = known[known["player_lookup"].eq(asked) | known["player_id"].astype(str).eq(text)]
    part = known[known["player_lookup"].str.contains(asked, regex=False)] if asked else known.head(0)
    if part.empty and (short := _INITIAL.fullmatch(text.strip())):
        first, rest = map(player_lookup, short.groups())
        part = known[known["player_lookup"].str.startswith(first) & known["player_lookup"].str.endswith(rest)]
    if part.empty and len(words := [w for w in map(player_lookup, text.split()) if w]) > 1:
        has_all = [known["player_lookup"].str.contains(word, regex=False) for word in words]
        part = known[np.logical_and.reduce(has_all)]
    return (exact if len(exact) else part)[_PERSON].reset_index(drop=True)


def near(warehouse: Warehouse, text: str, day: date | None = None) -> list[str]:
    """Names of players that are spelled similarly, the nearest first."""
    known = _known(warehouse, day).drop_duplicates("player_lookup").set_index("player_lookup")["player_name"]
    return [known[lookup] for lookup in get_close_matches(player_lookup(text), list(known.index), 3, 0.75)]


def _known(warehouse: Warehouse, day: date | None) -> pd.DataFrame:
    """The players of the newest stored date, or of the newest up to a day."""
    days = [d for d in warehouse.partitions(PLAYERS) if day is None or d <= day]
    if not days:
        return pd.DataFrame(columns=[*_PERSON, "player_lookup"], dtype=str)
    return warehouse.query(
        "SELECT player_id, player_name, team, player_lookup FROM nba_reference.players "
        "WHERE game_date BETWEEN @first AND @last ORDER BY player_name",
        first=days[-1],
        last=days[-1],
    )


def player_log(warehouse: Warehouse, player_id: int, first: date, last: date, system: str = SYSTEM) -> pd.DataFrame:
    """A player's games in a span, newest first: opponent, minutes, points, the published line, forecast, side, outcome.

    Games that are predicted and not yet played have no points.
    """
    return warehouse.query(_LOG_SQL, first=first, last=last, player_id=player_id, system=system)


def form(log: pd.DataFrame) -> list[str]:
    """How often a player was over his newest line in the games before it, and his average points, in words."""
    lined = log[log["line"].notna()]
    if lined.empty:
        return []
    newest = lined.iloc[0]
    before = log[(log["game_date"] < newest["game_date"]) & log["points"].notna()]["points"]
    if before.empty:
        return []
    last = [before.head(n) for n in (5, 10, 20) if len(before) >= n] or [before]
    over = ", ".join(f"{int((p > newest['line']).sum())} of the last {len(p)}" for p in last)
    mean = ", ".join(f"{p.mean():.1f} in the last {len(p)}" for p in last)
    before_it = f"before {newest['game_date'].date()}"
    return [
        f"line of {newest['game_date'].date()}: {newest['line']:g} ({newest['sportsbook']}); over it in {over}",
        f"points   {mean} games {before_it}",
    ]
