"""The past of a team and of the league: pace, offence, defence and results."""

from __future__ import annotations

from nba_props.domain.history.relations import GAME_MINUTES, POSSESSIONS, SLATE, before, behind


def team_form_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per date and team: pace and offence over its last 10 games, defence over its last 15.

    Pace = possessions x 48 / (team minutes / 5) (docs/legacy-systems.md#context). Results are rounded to nine places,
    because the order in which an engine adds fractions is not guaranteed.
    """
    return f"""
    WITH team_games AS (
      SELECT b.game_date, b.game_id, b.team_id,
        SUM(b.points) AS points,
        {POSSESSIONS} AS possessions,
        {GAME_MINUTES} AS minutes
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
      GROUP BY b.game_date, b.game_id, b.team_id
    ),
    both AS (
      SELECT t.*, o.points AS points_allowed, o.possessions AS possessions_faced
      FROM team_games AS t
      JOIN team_games AS o ON o.game_id = t.game_id AND o.team_id <> t.team_id
    ),
    teams AS (
      SELECT DISTINCT game_date, team_id FROM {asked} AS s
      WHERE game_date BETWEEN @first AND @last AND team_id IS NOT NULL
      UNION DISTINCT
      SELECT DISTINCT game_date, opponent_team_id AS team_id FROM {asked} AS s
      WHERE game_date BETWEEN @first AND @last AND opponent_team_id IS NOT NULL
    ),
    ranked AS (
      SELECT s.game_date, s.team_id, b.points, b.possessions, b.minutes, b.points_allowed, b.possessions_faced,
        ROW_NUMBER() OVER (
          PARTITION BY s.game_date, s.team_id ORDER BY b.game_date DESC, b.game_id DESC
        ) AS recency
      FROM teams AS s
      JOIN both AS b ON b.team_id = s.team_id AND {before(look_back_days)}
    )
    SELECT game_date, team_id,
      ROUND(AVG(CASE WHEN recency <= 10 THEN possessions * 48 / minutes END), 9) AS pace_last_10,
      ROUND(100 * SUM(CASE WHEN recency <= 10 THEN points END)
        / NULLIF(SUM(CASE WHEN recency <= 10 THEN possessions END), 0), 9) AS off_rating_last_10,
      ROUND(100 * SUM(CASE WHEN recency <= 15 THEN points_allowed END)
        / NULLIF(SUM(CASE WHEN recency <= 15 THEN possessions_faced END), 0), 9) AS def_rating_last_15
    FROM ranked
    GROUP BY game_date, team_id
    """


def team_state_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per date and team: games and wins in the look-back, and the date of the last one."""
    return f"""
    WITH team_games AS (
      SELECT b.game_date, b.game_id, b.team_id, MAX(CASE WHEN b.won THEN 1 ELSE 0 END) AS win
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
      GROUP BY b.game_date, b.game_id, b.team_id
    ),
    teams AS (
      SELECT DISTINCT game_date, team_id FROM {asked} AS s
      WHERE game_date BETWEEN @first AND @last AND team_id IS NOT NULL
    )
    SELECT s.game_date, s.team_id, COUNT(*) AS games, SUM(b.win) AS wins, MAX(b.game_date) AS last_played_on
    FROM teams AS s
    JOIN team_games AS b ON b.team_id = s.team_id AND {before(look_back_days)}
    GROUP BY s.game_date, s.team_id
    """


def league_form_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per date: the league's points per minute, pace and points per 100 possessions over the look-back."""
    return f"""
    WITH team_games AS (
      SELECT b.game_date, b.game_id, b.team_id, SUM(b.points) AS points, SUM(b.minutes) AS player_minutes,
        {POSSESSIONS} AS possessions, {GAME_MINUTES} AS minutes
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
      GROUP BY b.game_date, b.game_id, b.team_id
    ),
    league_days AS (
      SELECT game_date, SUM(points) AS points, SUM(player_minutes) AS player_minutes, SUM(possessions) AS possessions,
        SUM(possessions * 48 / minutes) AS paces, COUNT(*) AS team_games
      FROM team_games GROUP BY game_date
    ),
    dates AS (
      SELECT DISTINCT s.game_date FROM {asked} AS s WHERE s.game_date BETWEEN @first AND @last
    )
    SELECT s.game_date,
      ROUND(SUM(b.points) / NULLIF(SUM(b.player_minutes), 0), 9) AS points_per_minute,
      ROUND(SUM(b.paces) / SUM(b.team_games), 9) AS pace,
      ROUND(100 * SUM(b.points) / NULLIF(SUM(b.possessions), 0), 9) AS def_rating
    FROM dates AS s
    JOIN league_days AS b ON {before(look_back_days)}
    GROUP BY s.game_date
    """
