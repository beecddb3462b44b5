"""A player's past: his games, season, opponents, absences and the injury report on his team."""

from __future__ import annotations

from nba_props.domain.games import counted_sql
from nba_props.domain.history.relations import (
    LONGEST_REST,
    POSSESSIONS,
    SLATE,
    before,
    behind,
    of_season,
)
from nba_props.facts.calendar import look_back_start_sql, span_look_back_start_sql
from nba_props.facts.vocabulary import ABSENT, NOT_LISTED, TEAM_UNKNOWN, InjuryStatus, sql_list
from nba_props.schemas.raw import BOX_SCORE_STATS

#: columns of past games that only the table has, for its readers; no feature is made of them
_DESCRIPTIVE = ("season", "season_type", "team_id", "team", "opponent", "is_home")


def historical_games_sql(look_back_days: int, max_games: int, asked: str = SLATE, *, described: bool = True) -> str:
    """``nba_analytics.historical_games`` for @first..@last: played games only, newest first.

    Games are numbered by player before they are joined, since most of a season's pairs of a player's games are not
    kept. Without ``described`` it has only the columns that features are made of.
    """
    columns = ["game_id", *(_DESCRIPTIVE if described else ()), *(c.name for c in BOX_SCORE_STATS)]
    read, kept = (", ".join(f"{alias}.{column}" for column in columns) for alias in ("b", "g"))
    return f"""
    WITH games AS (
      SELECT b.game_date AS played_on, b.player_id, {read},
        ROW_NUMBER() OVER (PARTITION BY b.player_id ORDER BY b.game_date, b.game_id) AS number
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days)}
    ),
    newest AS (
      SELECT s.game_date, s.player_id, MAX(g.number) AS number
      FROM {asked} AS s
      JOIN games AS g ON g.player_id = s.player_id AND g.played_on < s.game_date
      WHERE s.game_date BETWEEN @first AND @last
      GROUP BY s.game_date, s.player_id
    )
    SELECT s.game_date, s.player_id, s.number - g.number + 1 AS recency, g.played_on, {kept}
    FROM newest AS s
    JOIN games AS g ON g.player_id = s.player_id AND g.number BETWEEN s.number - {max_games} + 1 AND s.number
    WHERE g.played_on >= {look_back_start_sql("s.game_date", look_back_days)}
    """


def season_sql(asked: str = SLATE) -> str:
    """Per player: games, points and minutes of his season so far (from @history_from)."""
    return f"""
    SELECT s.game_date, s.player_id, COUNT(*) AS games_season,
      AVG(b.points) AS points_avg_season, AVG(b.minutes) AS minutes_avg_season
    {of_season(asked)}
    GROUP BY s.game_date, s.player_id
    """


def matchup_sql(asked: str = SLATE) -> str:
    """Per player: games and mean points against the opponent, this season and last (from @last_season_from)."""
    return f"""
    SELECT s.game_date, s.player_id, COUNT(*) AS games_vs, AVG(b.points) AS points_vs
    FROM {asked} AS s
    JOIN nba_raw.box_scores AS b
      ON b.player_id = s.player_id AND b.opponent = s.opponent AND b.game_date < s.game_date
        AND CAST(SUBSTR(b.season, 1, 4) AS INT64) >= CAST(SUBSTR(s.season, 1, 4) AS INT64) - 1
    WHERE s.game_date BETWEEN @first AND @last
      AND b.game_date >= @last_season_from AND b.game_date < @last AND {counted_sql("b")}
    GROUP BY s.game_date, s.player_id
    """


def past_form_sql(look_back_days: int) -> str:
    """``historical_games`` with rest, form and the opponent's defence as of *before* each past game.

    ``days_rest`` since the game before, null after more than 300 days; ``form`` is the mean points of the last 5 less
    that of the season, both before the game and of its season; the defence is points allowed per 100 possessions over
    the opponent's 15 games before. Each is null without an earlier game. The statement reads a whole season before the
    oldest game, so that a date's result does not depend on the dates queried with it.
    """
    return f"""
    WITH appearances AS (
      SELECT b.player_id, b.game_id, b.game_date, b.season,
        LAG(b.game_date) OVER (PARTITION BY b.player_id ORDER BY b.game_date, b.game_id) AS previous,
        AVG(b.points) OVER (
          PARTITION BY b.player_id, b.season ORDER BY b.game_date, b.game_id ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING
        ) AS last_5,
        AVG(b.points) OVER (
          PARTITION BY b.player_id, b.season ORDER BY b.game_date, b.game_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS season_avg
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days, LONGEST_REST)}
    ),
    team_games AS (
      SELECT b.game_date, b.game_id, b.team, SUM(b.points) AS points,
        {POSSESSIONS} AS possessions
      FROM nba_raw.box_scores AS b
      WHERE {behind(look_back_days, LONGEST_REST)}
      GROUP BY b.game_date, b.game_id, b.team
    ),
    defences AS (
      SELECT t.game_id, t.team,
        SUM(o.points) OVER (
          PARTITION BY t.team ORDER BY t.game_date, t.game_id ROWS BETWEEN 15 PRECEDING AND 1 PRECEDING
        ) AS allowed,
        SUM(o.possessions) OVER (
          PARTITION BY t.team ORDER BY t.game_date, t.game_id ROWS BETWEEN 15 PRECEDING AND 1 PRECEDING
        ) AS faced
      FROM team_games AS t
      JOIN team_games AS o ON o.game_id = t.game_id AND o.team <> t.team
    )
    SELECT h.game_date, h.player_id, h.recency, h.points, h.is_home,
      CASE WHEN DATE_DIFF(h.played_on, a.previous, DAY) <= {LONGEST_REST}
        THEN DATE_DIFF(h.played_on, a.previous, DAY) END AS days_rest,
      a.last_5 - a.season_avg AS form,
      ROUND(100 * d.allowed / NULLIF(d.faced, 0), 9) AS opponent_def_rating
    FROM nba_analytics.historical_games AS h
    JOIN appearances AS a ON a.player_id = h.player_id AND a.game_id = h.game_id
    LEFT JOIN defences AS d ON d.game_id = h.game_id AND d.team = h.opponent
    WHERE h.game_date BETWEEN @first AND @last
    """


def shot_zones_sql(look_back_days: int) -> str:
    """Shares of points by shot zone of the past games in the look-backs of @first..@last."""
    return f"""
    SELECT b.game_id, b.player_id, b.points_paint, b.points_mid_range
    FROM nba_raw.scoring_shares AS b
    WHERE b.game_date >= {span_look_back_start_sql(look_back_days)} AND b.game_date < @last
    """


def absence_sql(look_back_days: int, asked: str = SLATE) -> str:
    """Per player: ``games_missed`` of his team since he last played, and ``teammates_missing_minutes``.

    The latter are the usual minutes (mean of the look-back) of team-mates who sat out the team's last game but played
    in one of the three before: absences too recent to show in averages. Both come from box scores alone.
    """
    return f"""
    WITH teams AS (
      SELECT DISTINCT s.game_date, s.team_id FROM {asked} AS s
      WHERE s.game_date BETWEEN @first AND @last AND s.team_id IS NOT NULL
    ),
    games AS (
      SELECT DISTINCT b.game_date, b.game_id, b.team_id FROM nba_raw.box_scores AS b WHERE {behind(look_back_days)}
    ),
    ranked AS (
      SELECT s.game_date, s.team_id, b.game_id,
        ROW_NUMBER() OVER (PARTITION BY s.game_date, s.team_id ORDER BY b.game_date DESC, b.game_id DESC) AS ago
      FROM teams AS s
      JOIN games AS b ON b.team_id = s.team_id AND {before(look_back_days)}
    ),
    members AS (
      SELECT r.game_date, r.team_id, b.player_id, MIN(r.ago) AS ago, AVG(b.minutes) AS minutes
      FROM ranked AS r
      JOIN nba_raw.box_scores AS b ON b.game_id = r.game_id AND b.team_id = r.team_id
      WHERE {behind(look_back_days)}
      GROUP BY r.game_date, r.team_id, b.player_id
    ),
    missing AS (
      SELECT game_date, team_id, SUM(CASE WHEN ago BETWEEN 2 AND 4 THEN minutes ELSE 0 END) AS minutes
      FROM members GROUP BY game_date, team_id
    )
    SELECT s.game_date, s.player_id, m.ago - 1 AS games_missed,
      ROUND(t.minutes - COALESCE(CASE WHEN m.ago BETWEEN 2 AND 4 THEN m.minutes END, 0), 9) AS teammates_missing_minutes
    FROM {asked} AS s
    JOIN missing AS t ON t.game_date = s.game_date AND t.team_id = s.team_id
    LEFT JOIN members AS m ON m.game_date = s.game_date AND m.team_id = s.team_id AND m.player_id = s.player_id
    WHERE s.game_date BETWEEN @first AND @last
    """


def availability_sql(asked: str = SLATE) -> str:
    """Per player whose game is in an injury report: his status in the newest report before the cut-off.

    ``injury_status`` is the stated one, or NOT_LISTED; ``injury_reported_at`` the report's instant;
    ``teammates_reported_absent`` how many others of his team are OUT or DOUBTFUL in it. A game without a report has no
    row. A status is null if it is unknown: if it can't be read, or if the player is not listed and his team has not
    submitted its list or has an unreadable name in it. So is the count where a team-mate's status is unknown. A row
    whose team name is neither team's may be of either.
    """
    return f"""
    WITH newest AS (
      SELECT s.game_date, s.game_id, MAX(r.report_at) AS report_at
      FROM (
        SELECT DISTINCT a.game_date, a.game_id, a.cutoff_at FROM {asked} AS a
        WHERE a.game_date BETWEEN @first AND @last
      ) AS s
      JOIN nba_raw.schedule AS g ON g.game_date = s.game_date AND g.game_id = s.game_id
      JOIN nba_raw.injury_reports AS r
        ON r.game_date = g.game_date AND r.home_team = g.home_team AND r.away_team = g.away_team
          AND r.report_at < s.cutoff_at
      WHERE g.game_date BETWEEN @first AND @last AND r.game_date BETWEEN @first AND @last
      GROUP BY s.game_date, s.game_id
    ),
    named AS (
      SELECT n.game_date, n.game_id, n.report_at, r.player_lookup, r.status,
        CASE WHEN r.team_name = g.home_team_name THEN g.home_team_id
          WHEN r.team_name = g.away_team_name THEN g.away_team_id END AS team_id
      FROM newest AS n
      JOIN nba_raw.schedule AS g ON g.game_date = n.game_date AND g.game_id = n.game_id
      JOIN nba_raw.injury_reports AS r
        ON r.game_date = n.game_date AND r.report_at = n.report_at AND r.home_team = g.home_team
          AND r.away_team = g.away_team
      WHERE g.game_date BETWEEN @first AND @last AND r.game_date BETWEEN @first AND @last
    ),
    listed AS (
      SELECT game_date, game_id, team_id,
        SUM(CASE WHEN status IN ({sql_list(ABSENT)}) THEN 1 ELSE 0 END) AS absent,
        SUM(CASE WHEN status = '{InjuryStatus.STATUS_UNREADABLE}' THEN 1 ELSE 0 END) AS unread,
        SUM(CASE WHEN status IN ({sql_list(TEAM_UNKNOWN)}) THEN 1 ELSE 0 END) AS unnamed
      FROM named GROUP BY game_date, game_id, team_id
    ),
    strays AS (SELECT game_date, game_id FROM listed WHERE team_id IS NULL)
    SELECT s.game_date, s.player_id, n.report_at AS injury_reported_at,
      CASE WHEN s.team_id IS NULL OR m.status = '{InjuryStatus.STATUS_UNREADABLE}' THEN NULL
        WHEN m.status IS NOT NULL THEN m.status
        WHEN COALESCE(t.unnamed, 0) > 0 OR x.game_id IS NOT NULL THEN NULL
        ELSE '{NOT_LISTED}' END AS injury_status,
      CASE WHEN s.team_id IS NULL OR COALESCE(t.unnamed, 0) > 0 OR x.game_id IS NOT NULL
          OR COALESCE(t.unread, 0) > CASE WHEN m.status = '{InjuryStatus.STATUS_UNREADABLE}' THEN 1 ELSE 0 END THEN NULL
        ELSE COALESCE(t.absent, 0) - CASE WHEN m.status IN ({sql_list(ABSENT)}) THEN 1 ELSE 0 END
      END AS teammates_reported_absent
    FROM {asked} AS s
    JOIN newest AS n ON n.game_date = s.game_date AND n.game_id = s.game_id
    LEFT JOIN named AS m
      ON m.game_date = s.game_date AND m.game_id = s.game_id AND m.player_lookup = s.player_lookup
        AND m.team_id = s.team_id
    LEFT JOIN listed AS t ON t.game_date = s.game_date AND t.game_id = s.game_id AND t.team_id = s.team_id
    LEFT JOIN strays AS x ON x.game_date = s.game_date AND x.game_id = s.game_id
    WHERE s.game_date BETWEEN @first AND @last
    """
