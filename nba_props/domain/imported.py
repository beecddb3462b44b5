"""The claims of imported rows, all of points: each with the quote that backs its own line, or with our line."""

from __future__ import annotations

from nba_props.domain.lines import LINE_SOURCE_APIS
from nba_props.domain.stored import span_sql
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.markets import POINTS, market
from nba_props.facts.vocabulary import LineSource, Recommendation, sql_list
from nba_props.schemas.predictions import IMPORTED_PREDICTIONS, IMPORTED_PREFIX

_CLAIM_COLUMNS = """
  l.game_date, s.game_id, s.player_id, s.player_name, l.player_lookup, '{points}' AS market,
  CONCAT('{prefix}', l.system_id) AS system_id, COALESCE(l.source_version, 'none') AS model_version,
  l.predicted_points AS forecast,
  CASE WHEN l.confidence_score > 1 THEN l.confidence_score / 100 ELSE l.confidence_score END AS confidence_score,
  CAST(NULL AS FLOAT64) AS over_probability, CAST(NULL AS STRING) AS abstain_reason, l.source_row AS components,
  l.row_id AS feature_hash, s.cutoff_at, l.source_created_at
""".replace("{prefix}", IMPORTED_PREFIX).replace("{points}", POINTS)
_ROWS = span_sql(IMPORTED_PREDICTIONS)
#: a name that two players of a slate share matches neither
_SLATE = """(
  SELECT game_date, player_lookup, MIN(game_id) AS game_id, MIN(player_id) AS player_id,
    MIN(player_name) AS player_name, MIN(cutoff_at) AS cutoff_at, MIN(team) AS team, MIN(opponent) AS opponent
  FROM nba_analytics.slate WHERE game_date BETWEEN @first AND @last
  GROUP BY game_date, player_lookup HAVING COUNT(*) = 1
)"""
#: a row with a game id matches the slate's player only if he plays in that game: by the NBA's id, or by date and one of
#: the teams (the old system's ids, ``20251110_ALB_BRI``, whose team codes may differ)
_OF_ITS_GAME = """{slate}.game_date = {row}.game_date AND {slate}.player_lookup = {row}.player_lookup AND (
    {slate}.game_id = COALESCE({row}.source_game_id, {slate}.game_id)
    OR STARTS_WITH({row}.source_game_id, FORMAT_DATE('%Y%m%d_', {slate}.game_date)) AND (
      STRPOS({row}.source_game_id, COALESCE({slate}.team, '_')) > 0
      OR STRPOS({row}.source_game_id, COALESCE({slate}.opponent, '_')) > 0
    )
  )"""
#: the house order whatever a deployment chooses lines by: the quote that backs a claim, and so the id under which it is
#: published, must not depend on a setting
_BOOK_ORDER = " ".join(f"WHEN '{book}' THEN {n}" for n, book in enumerate(SPORTSBOOKS))
_APIS = " ".join(f"WHEN '{source}' THEN '{api}'" for source, api in LINE_SOURCE_APIS.items())
#: each row with the last quote before the cut-off that has its line, from its book where one is given
AS_CLAIMED_SQL = f"""
SELECT {_CLAIM_COLUMNS}, l.source_recommendation AS recommendation, l.has_prop_line,
  CASE l.line_source WHEN 'ODDS_API' THEN '{LineSource.ACTUAL_PROP}' ELSE l.line_source END AS line_source,
  CASE WHEN q.quote_id IS NULL THEN l.line_source_api ELSE q.api END AS line_source_api,
  COALESCE(l.sportsbook, q.bookmaker) AS sportsbook, q.quote_id, l.line, q.over_price, q.under_price,
  q.minutes_before_game AS line_minutes_before_game, l.predicted_points - l.line AS line_margin
FROM {_ROWS} AS l
LEFT JOIN {_SLATE} AS s ON {_OF_ITS_GAME.format(row="l", slate="s")}
LEFT JOIN (
  SELECT m.row_id, q.*, CASE q.data_source {_APIS} END AS api,
    ROW_NUMBER() OVER (
      PARTITION BY m.row_id ORDER BY CASE q.bookmaker {_BOOK_ORDER} ELSE 99 END, q.snapshot_at DESC, q.quote_id
    ) AS place
  FROM {_ROWS} AS m
  JOIN {_SLATE} AS t ON {_OF_ITS_GAME.format(row="m", slate="t")}
  JOIN nba_reference.resolved_names AS r
    ON r.game_date = t.game_date AND r.game_id = t.game_id AND r.player_id = t.player_id
  JOIN nba_raw.odds_quotes AS q
    ON q.game_date = r.game_date AND q.game_id = r.game_id AND q.source_name = r.source_name
      AND q.data_source = r.source AND q.line = m.line
  WHERE r.game_date BETWEEN @first AND @last AND q.game_date BETWEEN @first AND @last
    AND q.market IN ({sql_list(market(POINTS).feed_keys)}) AND q.over_price IS NOT NULL AND q.under_price IS NOT NULL
    AND q.snapshot_at < t.cutoff_at AND NOT q.is_in_play AND m.line_source IN ('{LineSource.ACTUAL_PROP}', 'ODDS_API')
    AND COALESCE(m.sportsbook, q.bookmaker) = q.bookmaker
    AND q.bookmaker IN ({sql_list(SPORTSBOOKS)})
) AS q ON q.row_id = l.row_id AND q.place = 1
"""
#: each row's forecast against the line that this platform chose, with the resulting side
RELINED_SQL = f"""
SELECT {_CLAIM_COLUMNS},
  CASE WHEN l.predicted_points > b.line THEN '{Recommendation.OVER}'
    WHEN l.predicted_points < b.line THEN '{Recommendation.UNDER}' ELSE '{Recommendation.PASS}' END AS recommendation,
  b.has_prop_line, b.line_source, b.line_source_api, b.sportsbook, b.quote_id, b.line, b.over_price, b.under_price,
  b.line_minutes_before_game, l.predicted_points - b.line AS line_margin
FROM {_ROWS} AS l
JOIN {_SLATE} AS s ON {_OF_ITS_GAME.format(row="l", slate="s")}
JOIN nba_analytics.betting_lines AS b
  ON b.game_date = s.game_date AND b.game_id = s.game_id AND b.player_id = s.player_id AND b.market = '{POINTS}'
WHERE b.game_date BETWEEN @first AND @last AND b.line_source = '{LineSource.ACTUAL_PROP}'
"""
