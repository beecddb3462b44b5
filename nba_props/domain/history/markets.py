"""What every market counts, of the past of players, opponents and the league: one statement each for all markets.

The columns are those of box scores that a market counts (``markets.stats``); sums of them are the markets' own.
"""

from __future__ import annotations

from nba_props.domain.history.relations import POSSESSIONS, SLATE, before, behind, of_season
from nba_props.facts import markets


def _each(form: str) -> str:
    """A term for each statistic that a market counts, named like it."""
    return ", ".join(f"{form.format(stat)} AS {stat}" for stat in markets.stats())


def season_stats_sql(asked: str = SLATE) -> str:
    """Per player: the mean of each statistic in his season so far (from @history_from)."""
    return f"""
    SELECT s.game_date, s.player_id, {_each("AVG(b.{0})")}
    {of_season(asked)}
    GROUP BY s.game_date, s.player_id
    """


def allowed_stats_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per date and team: each statistic of its opponents per 100 possessions, over its last 15 games."""
    return f"""
    WITH team_games AS (
      SELECT b.game_date, b.game_id, b.team_id, {POSSESSIONS} AS possessions, {_each("SUM(b.{0})")}
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
      GROUP BY b.game_date, b.game_id, b.team_id
    ),
    faced AS (
      SELECT t.game_date, t.game_id, t.team_id, o.possessions, {_each("o.{0}")}
      FROM team_games AS t
      JOIN team_games AS o ON o.game_id = t.game_id AND o.team_id <> t.team_id
    ),
    teams AS (
      SELECT DISTINCT s.game_date, s.opponent_team_id AS team_id FROM {asked} AS s
      WHERE s.game_date BETWEEN @first AND @last AND s.opponent_team_id IS NOT NULL
    ),
    ranked AS (
      SELECT s.game_date, s.team_id, b.possessions, {_each("b.{0}")},
        ROW_NUMBER() OVER (
          PARTITION BY s.game_date, s.team_id ORDER BY b.game_date DESC, b.game_id DESC
        ) AS recency
      FROM teams AS s
      JOIN faced AS b ON b.team_id = s.team_id AND {before(look_back_days)}
    )
    SELECT game_date, team_id, {_each("ROUND(100 * SUM({0}) / NULLIF(SUM(possessions), 0), 9)")}
    FROM ranked WHERE recency <= 15
    GROUP BY game_date, team_id
    """


def league_stats_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per date: the league's sums of minutes, possessions and each statistic over the look-back.

    Possessions are whole hundredths and summed so: with fractions the last bit of a sum depends on the engine.
    """
    return f"""
    WITH league_days AS (
      SELECT b.game_date, SUM(b.minutes) AS minutes, {POSSESSIONS} AS possessions, {_each("SUM(b.{0})")}
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
      GROUP BY b.game_date
    ),
    dates AS (
      SELECT DISTINCT s.game_date FROM {asked} AS s WHERE s.game_date BETWEEN @first AND @last
    )
    SELECT s.game_date, SUM(b.minutes) AS minutes, ROUND(100 * SUM(b.possessions)) AS possession_hundredths,
      {_each("SUM(b.{0})")}
    FROM dates AS s
    JOIN league_days AS b ON {before(look_back_days)}
    GROUP BY s.game_date
    """
