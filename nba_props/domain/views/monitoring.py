"""The views of ``nba_monitoring``.

Every view reads ``judged_predictions``, so that a valid line is in all of them what it is at the gate. A game day is a
date with scheduled games, from the first date with predictions on; a game day without rows is in the views as UNKNOWN.
Rows of other writers to the ledger are in them too, under the ``system_id`` they have, on every date.
"""

from __future__ import annotations

from nba_props.domain.games import playable_sql
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL
from nba_props.domain.scoring import BET_SQL, T_SERIES, Z
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.ledger import archived_sql, held_back_sql, is_imported_sql, market_sql, named_sql
from nba_props.domain.views.shopping import SHOPPING_VIEWS
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import LineSource, Outcome, StreakVerdict, sql_list
from nba_props.schemas.base import View
from nba_props.schemas.monitoring import MIN_DATES, MIN_EQUAL_DATES

#: fewest players with a line on a game day
FEW_PLAYERS = 5


_JUDGED = "nba_predictions.judged_predictions"


_PLACEHOLDER = f"p.line_problem IN ({PLACEHOLDER_REASONS_SQL})"


_SYSTEMS = " UNION ALL ".join(
    f"SELECT '{system_id}' AS system_id, '{POINTS}' AS market" for system_id in sorted(SYSTEM_TABLES)
)


GAME_DAYS_SQL = f"""
  SELECT s.game_date, COUNT(DISTINCT s.game_id) AS games
  FROM nba_raw.schedule AS s
  WHERE {playable_sql("s")}
    AND s.game_date >= (SELECT MIN(game_date) FROM nba_predictions.ledger)
  GROUP BY s.game_date
"""


#: the systems with rows on each date in each market, game day or not
_WRITERS = (
    f"SELECT DISTINCT p.game_date, {named_sql('p')} AS system_id, {market_sql('p')} AS market "
    "FROM nba_predictions.ledger AS p"
)


#: and those whose placeholders were archived, or are held back
_WRITERS_EVER = f"""
  {_WRITERS}
  UNION ALL
  SELECT a.game_date, {named_sql("a")} AS system_id, {market_sql("a")} AS market
  FROM nba_predictions.archived_predictions AS a
  WHERE a.line_problem IN ({PLACEHOLDER_REASONS_SQL})
  UNION ALL
  SELECT h.game_date, {named_sql("h")} AS system_id, {market_sql("h")} AS market
  FROM nba_predictions.quarantined_predictions AS h
  WHERE h.reason IN ({PLACEHOLDER_REASONS_SQL})
"""


def _grid(writers: str) -> str:
    """SQL for every system on every game day in the market of points, and these writers; ``games`` is 0 on other
    dates.
    """
    return f"""
  SELECT w.game_date, w.system_id, w.market, COALESCE(MAX(w.games), 0) AS games
  FROM (
    SELECT d.game_date, s.system_id, s.market, d.games FROM ({GAME_DAYS_SQL}) AS d CROSS JOIN ({_SYSTEMS}) AS s
    UNION ALL
    SELECT o.game_date, o.system_id, o.market, d.games
    FROM ({writers}) AS o LEFT JOIN ({GAME_DAYS_SQL}) AS d ON d.game_date = o.game_date
  ) AS w
  GROUP BY w.game_date, w.system_id, w.market
"""


_LINE_TEXT = (
    "CONCAT(CAST(CAST(FLOOR(p.line) AS INT64) AS STRING), CASE WHEN p.line > FLOOR(p.line) THEN '.5' ELSE '.0' END)"
)


LINE_QUALITY_DAILY = View(
    "nba_monitoring",
    "line_quality_daily",
    "Per game day, system or other writer, and market: where the lines of the current predictions come from. "
    "actual_prop_count, no_prop_line_count, other_source_count and missing_source_count add up to total_predictions. "
    "rotation_* count the rows of players in nba_analytics.rotation_players: most others never have a line.",
    f"""
    SELECT g.game_date, g.system_id, g.market, g.games,
      COUNT(p.prediction_id) AS total_predictions,
      COUNT(CASE WHEN p.line_source = '{LineSource.ACTUAL_PROP}' THEN 1 END) AS actual_prop_count,
      COUNT(CASE WHEN p.line_source = '{LineSource.NO_PROP_LINE}' THEN 1 END) AS no_prop_line_count,
      COUNT(CASE WHEN p.line_source NOT IN ({sql_list(LineSource)}) THEN 1 END) AS other_source_count,
      COUNT(CASE WHEN p.prediction_id IS NOT NULL AND p.line_source IS NULL THEN 1 END) AS missing_source_count,
      COUNT(CASE WHEN p.is_valid_line THEN 1 END) AS valid_line_count,
      COUNT(CASE WHEN {_PLACEHOLDER} THEN 1 END) AS placeholder_count,
      COUNT(p.line_problem) AS invalid_line_count,
      COUNT(CASE WHEN p.prediction_id IS NOT NULL AND p.line IS NULL THEN 1 END) AS null_line_count,
      COUNT(CASE WHEN p.line = 20.0 AND p.line_problem IS NULL THEN 1 END) AS verified_line_of_20_count,
      ROUND(100 * COUNT(CASE WHEN p.is_valid_line THEN 1 END)
        / NULLIF(COUNT(CASE WHEN p.line IS NOT NULL OR p.line_problem IS NOT NULL THEN 1 END), 0), 4)
        AS actual_prop_pct_of_lines,
      ROUND(100 * COUNT(CASE WHEN {_PLACEHOLDER} THEN 1 END) / NULLIF(COUNT(p.prediction_id), 0), 4)
        AS placeholder_pct,
      COUNT(CASE WHEN r.player_id IS NOT NULL THEN p.prediction_id END) AS rotation_predictions,
      COUNT(CASE WHEN r.player_id IS NOT NULL AND p.is_valid_line THEN 1 END)
        AS rotation_valid_line_count,
      ROUND(100 * COUNT(CASE WHEN r.player_id IS NOT NULL AND p.is_valid_line
        THEN 1 END) / NULLIF(COUNT(CASE WHEN r.player_id IS NOT NULL THEN p.prediction_id END), 0), 4)
        AS rotation_valid_line_pct,
      ROUND(AVG(CASE WHEN p.line_source = '{LineSource.ACTUAL_PROP}' THEN p.line END), 4) AS avg_actual_line,
      ROUND(STDDEV_SAMP(CASE WHEN p.line_source = '{LineSource.ACTUAL_PROP}' THEN p.line END), 4) AS stddev_actual_line,
      COUNT(DISTINCT p.sportsbook) AS sportsbooks,
      MIN(p.created_at) AS first_created_at,
      MAX(p.created_at) AS last_created_at,
      CASE
        WHEN COUNT(p.prediction_id) = 0 THEN 'UNKNOWN'
        WHEN COUNT(CASE WHEN {_PLACEHOLDER} THEN 1 END) > 0 THEN 'CRITICAL'
        WHEN COUNT(p.line_problem) > 0 THEN 'WARNING'
        WHEN g.market = '{POINTS}' AND COUNT(CASE WHEN p.line_source = '{LineSource.ACTUAL_PROP}' THEN 1 END)
          < {FEW_PLAYERS} THEN 'WARNING'
        ELSE 'OK'
      END AS severity
    FROM ({_grid(_WRITERS)}) AS g
    LEFT JOIN {_JUDGED} AS p ON p.game_date = g.game_date AND {named_sql("p")} = g.system_id
      AND {market_sql("p")} = g.market AND p.is_current
    LEFT JOIN (
      SELECT DISTINCT game_date, player_id FROM nba_analytics.rotation_players
    ) AS r ON r.game_date = p.game_date AND r.player_id = p.player_id
    GROUP BY g.game_date, g.system_id, g.market, g.games
    """,
)


PLACEHOLDER_ALERTS = View(
    "nba_monitoring",
    "placeholder_alerts",
    "Per game day, system or other writer, and market: rows inspected, placeholders published (CRITICAL), published "
    "and since archived, held back by the gate. Archived rows, and those that valid ones replaced, are dealt with: "
    "WARNING is a system of this platform with rows that were not replaced yet. A game day without a row inspected is "
    "UNKNOWN, never healthy.",
    f"""
    WITH inspected AS (
      SELECT p.game_date, {named_sql("p")} AS system_id, {market_sql("p")} AS market, p.created_at,
        p.player_name, p.line, p.line_source,
        {_PLACEHOLDER} AS is_issue,
        ROW_NUMBER() OVER (
          PARTITION BY p.game_date, {named_sql("p")}, {market_sql("p")}
          ORDER BY CASE WHEN {_PLACEHOLDER} THEN 0 ELSE 1 END, p.player_name, p.prediction_id
        ) AS place
      FROM {_JUDGED} AS p
    ),
    published AS (
      SELECT p.game_date, p.system_id, p.market, COUNT(*) AS rows_inspected,
        COUNT(CASE WHEN p.is_issue THEN 1 END) AS issue_count,
        STRING_AGG(CASE WHEN p.is_issue AND p.place <= 10 THEN
          CONCAT(p.player_name, ' ', {_LINE_TEXT}, ' ', COALESCE(p.line_source, 'no source')) END, '; '
          ORDER BY p.place) AS examples,
        MIN(CASE WHEN p.is_issue THEN p.created_at END) AS first_seen,
        MAX(CASE WHEN p.is_issue THEN p.created_at END) AS last_seen
      FROM inspected AS p
      GROUP BY p.game_date, p.system_id, p.market
    ),
    archived AS ({archived_sql(bounded=False)}),
    held_back AS ({held_back_sql(bounded=False)})
    SELECT g.game_date, g.system_id, g.market, COALESCE(p.rows_inspected, 0) AS rows_inspected,
      COALESCE(p.issue_count, 0) AS issue_count, COALESCE(r.archived, 0) AS archived_count,
      COALESCE(h.held_back, 0) AS held_back_count, p.examples,
      p.first_seen, p.last_seen,
      CASE
        WHEN p.issue_count > 0 THEN 'CRITICAL'
        WHEN {is_imported_sql("g")} THEN 'OK'
        WHEN COALESCE(p.rows_inspected, 0) = 0 THEN 'UNKNOWN'
        WHEN h.waiting > 0 THEN 'WARNING'
        ELSE 'OK'
      END AS severity
    FROM ({_grid(_WRITERS_EVER)}) AS g
    LEFT JOIN published AS p ON p.game_date = g.game_date AND p.system_id = g.system_id AND p.market = g.market
    LEFT JOIN held_back AS h ON h.game_date = g.game_date AND h.system_id = g.system_id AND h.market = g.market
    LEFT JOIN archived AS r ON r.game_date = g.game_date AND r.system_id = g.system_id AND r.market = g.market
    """,
)


_T = " + ".join(f"{factor!r} / POW(df, {power})" for power, factor in enumerate(T_SERIES))


def _rate_bound(sign: str) -> str:
    """SQL for a bound of ``scoring.rate_intervals`` from ``rate, decided, bet_dates`` and the squared quantile."""
    half = "SQRT(square * rate * (1 - rate) / decided + square * square / (4 * decided * decided))"
    bound = f"(rate + square / (2 * decided) {sign} {half}) / (1 + square / decided)"
    return f"CASE WHEN bet_dates >= {MIN_DATES} AND as_many >= {MIN_EQUAL_DATES} THEN ROUND({bound}, 6) END"


#: rates by system, market and month with their variance over dates and its degrees of freedom, as in ``scoring``
_RATES = f"""
  SELECT system_id, market, month, SUM(decided) AS decided, COUNT(*) AS bet_dates,
    SUM(wins) / SUM(decided) AS rate, ROUND(1 / SUM(POW(decided / all_decided, 2)), 9) AS as_many,
    SUM(POW(wins - decided * all_wins / all_decided, 2) / NULLIF(1 - decided / all_decided, 0))
      / POW(SUM(decided), 2) AS variance,
    1 / (SUM(POW(decided / all_decided, 2))
      + POW(SUM(POW(decided / all_decided, 2) / NULLIF(1 - decided / all_decided, 0)), 2)
      - SUM(POW(POW(decided / all_decided, 2) / NULLIF(1 - decided / all_decided, 0), 2))) AS df
  FROM (
    SELECT d.*, SUM(d.wins) OVER (PARTITION BY d.system_id, d.market, d.month) AS all_wins,
      SUM(d.decided) OVER (PARTITION BY d.system_id, d.market, d.month) AS all_decided
    FROM (
      SELECT {named_sql("a")} AS system_id, a.market, FORMAT_DATE('%Y-%m', a.game_date) AS month, a.game_date,
        COUNT(CASE WHEN a.outcome = '{Outcome.WIN}' THEN 1 END) AS wins, COUNT(*) AS decided
      FROM (SELECT * FROM nba_predictions.prediction_accuracy WHERE {BET_SQL}) AS a
      GROUP BY {named_sql("a")}, a.market, FORMAT_DATE('%Y-%m', a.game_date), a.game_date
    ) AS d
  ) AS s
  GROUP BY system_id, market, month
"""


PERFORMANCE_VALID_LINES_ONLY = View(
    "nba_monitoring",
    "performance_valid_lines_only",
    "Per system, market and calendar month, current predictions against verified lines only: wins, losses, pushes, "
    f"voids, pending and no bets apart; win rate with its date-clustered 95 % interval, null below {MIN_DATES} dates "
    "with a bet; error beside the line's on the same rows.",
    f"""
    WITH counted AS (
      SELECT {named_sql("a")} AS system_id, a.market, FORMAT_DATE('%Y-%m', a.game_date) AS month,
        COUNT(*) AS predictions,
        COUNT(CASE WHEN a.outcome = '{Outcome.WIN}' THEN 1 END) AS wins,
        COUNT(CASE WHEN a.outcome = '{Outcome.LOSS}' THEN 1 END) AS losses,
        COUNT(CASE WHEN a.outcome = '{Outcome.PUSH}' THEN 1 END) AS pushes,
        COUNT(CASE WHEN a.outcome = '{Outcome.VOID}' THEN 1 END) AS voids,
        COUNT(CASE WHEN a.outcome = '{Outcome.PENDING}' THEN 1 END) AS pending,
        COUNT(CASE WHEN a.outcome = '{Outcome.NO_BET}' THEN 1 END) AS no_bets,
        COUNT(a.absolute_error) AS rows_with_error,
        COUNT(DISTINCT CASE WHEN a.absolute_error IS NOT NULL THEN a.game_date END) AS dates,
        ROUND(AVG(a.absolute_error), 6) AS avg_error,
        ROUND(AVG(CASE WHEN a.absolute_error IS NOT NULL THEN a.line_absolute_error END), 6) AS avg_line_error,
        ROUND(AVG(a.signed_error), 6) AS bias,
        ROUND(AVG(a.confidence_score), 6) AS avg_confidence,
        ROUND(AVG(a.line), 6) AS avg_line,
        ROUND(SUM(a.profit), 6) AS profit,
        COUNT(DISTINCT a.sportsbook) AS sportsbooks
      FROM nba_predictions.prediction_accuracy AS a
      WHERE a.is_valid_line AND a.is_current
      GROUP BY {named_sql("a")}, a.market, FORMAT_DATE('%Y-%m', a.game_date)
    ),
    rates AS ({_RATES}),
    squares AS (
      SELECT r.*, POW({_T}, 2) * variance / NULLIF(rate * (1 - rate) / decided, 0) AS clustered FROM rates AS r
    ),
    bounds AS (
      SELECT system_id, market, month, bet_dates, ROUND(rate, 6) AS win_rate,
        {_rate_bound("-")} AS win_rate_low, {_rate_bound("+")} AS win_rate_high
      FROM (
        SELECT q.*, CASE WHEN clustered > {Z**2!r} THEN clustered ELSE {Z**2!r} END AS square FROM squares AS q
      ) AS q
    )
    SELECT c.system_id, c.market, c.month, c.predictions, c.wins, c.losses, c.pushes, c.voids, c.pending, c.no_bets,
      COALESCE(b.bet_dates, 0) AS bet_dates, b.win_rate, b.win_rate_low, b.win_rate_high,
      c.rows_with_error, c.dates, c.avg_error, c.avg_line_error, c.bias, c.avg_confidence, c.avg_line, c.profit,
      c.sportsbooks
    FROM counted AS c
    LEFT JOIN bounds AS b ON b.system_id = c.system_id AND b.market = c.market AND b.month = c.month
    """,
    newest_by="month",
)


_SCOPES = """
  SELECT 'Overall' AS scope, 1 AS first_rank, 1000000 AS last_rank
  UNION ALL SELECT 'Last 30 game days' AS scope, 1 AS first_rank, 30 AS last_rank
  UNION ALL SELECT 'Last game day' AS scope, 1 AS first_rank, 1 AS last_rank
"""


DATA_QUALITY_SUMMARY = View(
    "nba_monitoring",
    "data_quality_summary",
    "Lines of all current predictions by market: overall, of the last 30 game days, and of the last one, so that a "
    "fresh incident shows beside a long clean past.",
    f"""
    WITH days AS (
      SELECT d.game_date, ROW_NUMBER() OVER (ORDER BY d.game_date DESC) AS place FROM ({GAME_DAYS_SQL}) AS d
    )
    SELECT s.scope, m.market, COUNT(DISTINCT d.game_date) AS game_days,
      COUNT(DISTINCT p.game_date) AS game_days_with_predictions,
      COUNT(p.prediction_id) AS total_predictions,
      COUNT(CASE WHEN p.is_valid_line THEN 1 END) AS valid_line_count,
      COUNT(CASE WHEN {_PLACEHOLDER} THEN 1 END) AS placeholder_count,
      COUNT(CASE WHEN p.prediction_id IS NOT NULL AND p.line IS NULL THEN 1 END) AS null_line_count,
      COUNT(CASE WHEN p.line_source = '{LineSource.ACTUAL_PROP}' THEN 1 END) AS actual_prop_count,
      COUNT(CASE WHEN p.line_source = '{LineSource.NO_PROP_LINE}' THEN 1 END) AS no_prop_line_count,
      COUNT(CASE WHEN p.line_source NOT IN ({sql_list(LineSource)}) THEN 1 END) AS other_source_count,
      COUNT(CASE WHEN p.prediction_id IS NOT NULL AND p.line_source IS NULL THEN 1 END) AS missing_source_count,
      ROUND(100 * COUNT(CASE WHEN p.is_valid_line THEN 1 END)
        / NULLIF(COUNT(CASE WHEN p.line IS NOT NULL OR p.line_problem IS NOT NULL THEN 1 END), 0), 4)
        AS actual_prop_pct_of_lines,
      ROUND(100 * COUNT(CASE WHEN {_PLACEHOLDER} THEN 1 END) / NULLIF(COUNT(p.prediction_id), 0), 4)
        AS placeholder_pct,
      MIN(p.game_date) AS first_date, MAX(p.game_date) AS last_date
    FROM ({_SCOPES}) AS s
    JOIN days AS d ON d.place BETWEEN s.first_rank AND s.last_rank
    CROSS JOIN (
      SELECT '{POINTS}' AS market
      UNION DISTINCT SELECT j.market FROM {_JUDGED} AS j WHERE j.is_current
    ) AS m
    LEFT JOIN {_JUDGED} AS p ON p.game_date = d.game_date AND p.market = m.market AND p.is_current
    GROUP BY s.scope, m.market
    """,
    newest_by="scope",
)


PLACEHOLDER_FREE_STREAK = View(
    "nba_monitoring",
    "placeholder_free_streak",
    "Per game day: consecutive game days, itself included, without a published placeholder. One ends the streak, "
    "even if it was archived since or is on a date without games; so does a game day without evidence.",
    f"""
    WITH days AS (
      SELECT s.game_date, s.rows_inspected, s.placeholders, s.held_back
      FROM (
        SELECT game_date, SUM(rows_inspected) AS rows_inspected,
          SUM(issue_count) + SUM(archived_count) AS placeholders,
          SUM(held_back_count) AS held_back
        FROM nba_monitoring.placeholder_alerts GROUP BY game_date
      ) AS s
      LEFT JOIN ({GAME_DAYS_SQL}) AS d ON d.game_date = s.game_date
      WHERE d.game_date IS NOT NULL OR s.placeholders > 0
    ),
    judged AS (
      SELECT d.*, CASE WHEN d.placeholders = 0 AND d.rows_inspected > 0 THEN 1 ELSE 0 END AS is_clean FROM days AS d
    ),
    runs AS (
      SELECT j.*, SUM(1 - j.is_clean) OVER (ORDER BY j.game_date) AS resets FROM judged AS j
    )
    SELECT r.game_date, r.rows_inspected, r.placeholders, r.held_back,
      CASE WHEN r.is_clean = 1 THEN '{StreakVerdict.CLEAN}' WHEN r.placeholders > 0 THEN '{StreakVerdict.PLACEHOLDER}'
        ELSE '{StreakVerdict.NO_EVIDENCE}' END
        AS verdict,
      SUM(r.is_clean) OVER (PARTITION BY r.resets ORDER BY r.game_date) AS streak
    FROM runs AS r
    """,
)


MONITORING_VIEWS = (
    LINE_QUALITY_DAILY,
    PLACEHOLDER_ALERTS,
    PERFORMANCE_VALID_LINES_ONLY,
    DATA_QUALITY_SUMMARY,
    PLACEHOLDER_FREE_STREAK,
    *SHOPPING_VIEWS,
)
