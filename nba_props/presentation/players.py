"""A player for people to read: who a name means, his games against the line, and his form."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches

import numpy as np
import pandas as pd

from nba_props.domain.names import player_lookup
from nba_props.facts import markets
from nba_props.facts.markets import POINTS
from nba_props.presentation.board import CURRENT_SQL, SYSTEM
from nba_props.schemas.reference import PLAYERS
from nba_props.warehouse.base import Warehouse

_PERSON = ["player_id", "player_name", "team"]
#: a name as narrow boards show it
_INITIAL = re.compile(r"(\w)\. *(.+)")
_LOG_SQL = f"""
SELECT k.game_date, COALESCE(b.opponent, '') AS opponent, b.is_home, b.minutes, {{result}} AS result,
  c.line, c.sportsbook,
  c.forecast, c.recommendation AS side, a.outcome, c.prediction_id
FROM (
  SELECT game_date, game_id FROM nba_raw.box_scores
  WHERE game_date BETWEEN @first AND @last AND player_id = @player_id
  UNION DISTINCT
  SELECT game_date, game_id FROM nba_predictions.ledger
  WHERE game_date BETWEEN @first AND @last AND player_id = @player_id AND system_id = @system
    AND market = @market
) AS k
LEFT JOIN (
  SELECT * FROM nba_raw.box_scores WHERE game_date BETWEEN @first AND @last AND player_id = @player_id
) AS b ON b.game_date = k.game_date AND b.game_id = k.game_id
LEFT JOIN (
  SELECT * FROM ({CURRENT_SQL}) AS v WHERE player_id = @player_id AND system_id = @system AND market = @market
    AND line_problem IS NULL
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


def near(warehouse: Warehouse, text: str) -> list[str]:
    """Names of players that are spelled similarly, the nearest first."""
    known = _known(warehouse).drop_duplicates("player_lookup").set_index("player_lookup")["player_name"]
    return [known[lookup] for lookup in get_close_matches(player_lookup(text), list(known.index), 3, 0.75)]


def _known(warehouse: Warehouse, day: date | None = None) -> pd.DataFrame:
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


def player_log(
    warehouse: Warehouse, player_id: int, first: date, last: date, system: str = SYSTEM, market: str = POINTS
) -> pd.DataFrame:
    """A player's games in a span in a market, newest first: opponent, minutes, result, the published line, forecast,
    side, outcome.

    Games that are predicted and not yet played have no result.
    """
    sql = _LOG_SQL.format(result=markets.market(market).result_sql)
    return warehouse.query(sql, first=first, last=last, player_id=player_id, system=system, market=market)


def form(log: pd.DataFrame) -> list[str]:
    """How often a player was over his newest line in the games before it, and his average, in words."""
    lined = log[log["line"].notna()]
    if lined.empty:
        return []
    newest = lined.iloc[0]
    before = log[(log["game_date"] < newest["game_date"]) & log["result"].notna()]["result"]
    if before.empty:
        return []
    last = [before.head(n) for n in (5, 10, 20) if len(before) >= n] or [before]
    over = ", ".join(f"{int((p > newest['line']).sum())} of the last {len(p)}" for p in last)
    mean = ", ".join(f"{p.mean():.1f} in the last {len(p)}" for p in last)
    before_it = f"before {newest['game_date'].date()}"
    return [
        f"line of {newest['game_date'].date()}: {newest['line']:g} ({newest['sportsbook']}); over it in {over}",
        f"average  {mean} games {before_it}",
    ]
