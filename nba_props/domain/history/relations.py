"""What the statements on history share: the player-games that they are for, and the past games in their look-back."""

from __future__ import annotations

from nba_props.domain.games import counted_sql, playable_sql
from nba_props.facts import markets
from nba_props.facts.calendar import look_back_start_sql, span_look_back_start_sql

#: days after which a player's last game does not count for his rest; longer than any off-season
LONGEST_REST = 300
#: the player-games of @first..@last to predict
SLATE = "nba_analytics.slate"
#: the same columns for the games that were played, one row for each player who entered
PLAYED = f"""(
  SELECT b.game_date, b.game_id, b.player_id, b.player_name, b.player_lookup, b.season, b.season_type, b.team_id,
    b.team, CASE WHEN b.team_id = g.home_team_id THEN g.away_team_id ELSE g.home_team_id END AS opponent_team_id,
    b.opponent, b.is_home, g.tipoff_at AS cutoff_at, b.minutes AS minutes_played,
    {", ".join(f"b.{stat}" for stat in markets.stats())}
  FROM nba_raw.box_scores AS b
  JOIN nba_raw.schedule AS g ON g.game_date = b.game_date AND g.game_id = b.game_id
  WHERE b.game_date BETWEEN @first AND @last AND g.game_date BETWEEN @first AND @last
    AND {counted_sql("b")}
)"""

#: possessions of one side of a game, from the rows ``b`` of its players (docs/legacy-systems.md#context)
POSSESSIONS = "SUM(b.fga) + 0.44 * SUM(b.fta) + SUM(b.tov) - SUM(b.oreb)"
#: player minutes are rounded, so a game has 48 plus 5 for each overtime that the sum of its players' minutes shows
GAME_MINUTES = "48 + 5 * GREATEST(0, ROUND((SUM(b.minutes) - 240) / 25))"

#: per date of @first..@last with games that count: how many are ``expected`` by the schedule and ``found`` in the box
#: scores
GAMES_FOUND_SQL = f"""
SELECT s.game_date, COUNT(DISTINCT s.game_id) AS expected, COUNT(DISTINCT b.game_id) AS found
FROM nba_raw.schedule AS s
LEFT JOIN (
  SELECT DISTINCT game_date, game_id FROM nba_raw.box_scores WHERE game_date BETWEEN @first AND @last
) AS b ON b.game_date = s.game_date AND b.game_id = s.game_id
WHERE s.game_date BETWEEN @first AND @last AND {playable_sql("s")}
GROUP BY s.game_date
"""


def behind(days: int, more_days: int = 0) -> str:
    """The condition for box scores ``b`` in the look-back of any date of @first..@last, or ``more_days`` before it."""
    return f"""
    b.game_date >= {span_look_back_start_sql(days, more_days)} AND b.game_date < @last
    AND {counted_sql("b")}
    """


def before(days: int) -> str:
    """The condition for box scores ``b`` in the look-back of ``s.game_date``, strictly before it."""
    return f"""
    b.game_date < s.game_date
    AND b.game_date >= {look_back_start_sql("s.game_date", days)}
    """


def of_season(asked: str) -> str:
    """The box scores ``b`` of the players ``s`` of @first..@last in their season so far (from @history_from)."""
    return f"""FROM {asked} AS s
    JOIN nba_raw.box_scores AS b
      ON b.player_id = s.player_id AND b.season = s.season AND b.game_date < s.game_date
    WHERE s.game_date BETWEEN @first AND @last
      AND b.game_date >= @history_from AND b.game_date < @last AND {counted_sql("b")}"""
