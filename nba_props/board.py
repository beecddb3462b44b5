"""What a person reads in the terminal after a run: the slate board and the gate's account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from nba_props.domain.calendar import EASTERN
from nba_props.domain.lines import claimed_lines_sql
from nba_props.warehouse.base import Warehouse

#: the ledger's rows of some dates with the problem of their line, current ones only
_CURRENT_SQL = f"""
SELECT j.* FROM ({
    claimed_lines_sql("(SELECT * FROM nba_predictions.ledger WHERE game_date BETWEEN @first AND @last)")
}) AS j
JOIN (
  SELECT game_date, prediction_id FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last
) AS k ON k.game_date = j.game_date AND k.prediction_id = j.prediction_id
"""
# a pick is made against a valid line, so a row past the gate with another is none; the gate's account has it
_BOARD_SQL = f"""
SELECT c.game_date, c.player_name, c.team, g.away_team, g.home_team, g.tipoff_at, c.line, c.over_price, c.under_price,
  c.sportsbook, c.system_id, c.predicted_points, c.recommendation
FROM (
  SELECT p.*, s.team FROM ({_CURRENT_SQL}) AS p
  JOIN nba_analytics.slate AS s ON s.game_date = p.game_date AND s.player_id = p.player_id
  WHERE p.line IS NOT NULL AND p.line_problem IS NULL AND s.game_date BETWEEN @first AND @last
) AS c
JOIN nba_raw.schedule AS g ON g.game_date = c.game_date AND g.game_id = c.game_id
WHERE g.game_date BETWEEN @first AND @last
ORDER BY g.tipoff_at, g.game_id, c.line DESC, c.player_name
"""

_GATE_SQL = f"""
SELECT game_date, outcome, COUNT(*) AS row_count FROM (
  SELECT game_date,
    CASE
      WHEN line_problem IS NOT NULL THEN CONCAT('published past the gate: ', line_problem)
      WHEN abstain_reason IS NOT NULL THEN 'published, abstained'
      WHEN line_source = 'ACTUAL_PROP' THEN 'published with line'
      ELSE 'published, no line'
    END AS outcome
  FROM ({_CURRENT_SQL}) AS c
  UNION ALL
  SELECT game_date, CONCAT('quarantined: ', reason) AS outcome
  FROM nba_predictions.quarantined_predictions WHERE game_date BETWEEN @first AND @last
) AS o
GROUP BY game_date, outcome
"""


#: how a recommendation stands beside a forecast
_SHORT = {"OVER": "O", "UNDER": "U", "PASS": "·"}


def slate_board(warehouse: Warehouse, day: date) -> pd.DataFrame:
    """One row per player with a valid line: player, game, line, book, each system's forecast with O, U or · (pass)."""
    rows = warehouse.query(_BOARD_SQL, first=day, last=day)
    if rows.empty:
        return pd.DataFrame()
    tipoff = rows["tipoff_at"].dt.tz_convert(EASTERN).dt.strftime("%H:%M")
    points = rows["predicted_points"].map("{:.1f}".format, na_action="ignore").fillna("-")
    cells = rows.assign(
        player=rows["player_name"] + (" (" + rows["team"].fillna("?") + ")"),
        game=rows["away_team"] + " @ " + rows["home_team"] + " " + tipoff.fillna("tbd"),
        prices=[f"{o:+d}/{u:+d}" for o, u in zip(rows["over_price"], rows["under_price"], strict=True)],
        cell=points + " " + rows["recommendation"].map(_SHORT),
    )
    keys = ["game", "player", "line", "prices", "sportsbook"]
    order = cells.drop_duplicates(keys)[keys]
    wide = cells.pivot(index=keys, columns="system_id", values="cell").reset_index()
    board = order.merge(wide, on=keys).rename(columns={"sportsbook": "book"})
    return board.rename(columns=_heading)


def gate_account(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Rows per date and outcome of the gate: published with and without a line, abstained, quarantined by reason."""
    rows = warehouse.query(_GATE_SQL, first=days[0], last=days[-1])
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot(index="game_date", columns="outcome", values="row_count").fillna(0).astype(int)
    wide.index = wide.index.strftime("%Y-%m-%d")
    return wide.rename_axis(index="date", columns=None).reset_index()


def _heading(name: str) -> str:
    """A system's id on several lines: ensemble_v1_1 -> ensemble, v1_1."""
    stem, mark, version = name.partition("_v")
    return stem.replace("_", "\n") + (f"\nv{version}" if mark else "")
