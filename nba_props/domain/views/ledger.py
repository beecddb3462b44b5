"""Views of the ledger: current rows, judged rows, rows under the old table's name, revisions; and archived rows."""

from __future__ import annotations

from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL, claimed_lines_sql
from nba_props.domain.views.shadow import has_weight_sql
from nba_props.facts.markets import POINTS, keys
from nba_props.facts.vocabulary import LineSource
from nba_props.schemas.base import View
from nba_props.schemas.predictions import IMPORTED_PREFIX


def named_sql(alias: str) -> str:
    """SQL for a row's system; a name for rows without one, since null equals nothing in a join."""
    return f"COALESCE({alias}.system_id, 'no system')"


def market_sql(alias: str) -> str:
    """SQL for a row's market; one that other writers left out is that of points, the only one they know."""
    return f"COALESCE({alias}.market, '{POINTS}')"


def series_sql(alias: str) -> str:
    """SQL for what is judged apart: a row's system, with the market after it unless that is points."""
    name = named_sql(alias)
    return f"CASE WHEN {market_sql(alias)} = '{POINTS}' THEN {name} ELSE CONCAT({name}, ' ', {alias}.market) END"


def market_of(series: str) -> str:
    """The market of a series, by the name that ``series_sql`` gave it."""
    last = series.rpartition(" ")[2]
    return last if last in keys() else POINTS


def is_imported_sql(alias: str) -> str:
    """SQL for whether a row was imported, so that it is not of a system of this platform."""
    return f"STARTS_WITH(COALESCE({alias}.system_id, ''), '{IMPORTED_PREFIX}')"


def held_back_sql(*, bounded: bool = True) -> str:
    """SQL for placeholders in quarantine by ``game_date, system_id, market``: ``held_back``, and of these ``waiting``,
    those of systems of this platform that have published nothing in their place since.

    Imported rows never wait: they are judged once. ``bounded`` reads @first..@last only.
    """
    within = " WHERE game_date BETWEEN @first AND @last" if bounded else ""
    return f"""
      SELECT h.game_date, {named_sql("h")} AS system_id, {market_sql("h")} AS market, COUNT(*) AS held_back,
        COUNT(CASE WHEN NOT {is_imported_sql("h")}
          AND COALESCE(p.published_at <= h.quarantined_at, TRUE) THEN 1 END) AS waiting
      FROM (SELECT * FROM nba_predictions.quarantined_predictions{within}) AS h
      LEFT JOIN (
        SELECT game_date, system_id, game_id, player_id, market, MAX(created_at) AS published_at
        FROM nba_predictions.ledger{within} GROUP BY game_date, system_id, game_id, player_id, market
      ) AS p ON p.game_date = h.game_date AND p.system_id = h.system_id AND p.game_id = h.game_id
        AND p.player_id = h.player_id AND p.market = {market_sql("h")}
      WHERE h.reason IN ({PLACEHOLDER_REASONS_SQL})
      GROUP BY h.game_date, {named_sql("h")}, {market_sql("h")}
    """


def archived_sql(*, bounded: bool = True) -> str:
    """SQL for placeholders that were published and are now ``archived``, by ``game_date, system_id, market``; restored
    ones are not counted.
    """
    within = " WHERE game_date BETWEEN @first AND @last" if bounded else ""
    return f"""
      SELECT a.game_date, {named_sql("a")} AS system_id, {market_sql("a")} AS market,
        COUNT(DISTINCT COALESCE(a.archived_id, a.prediction_id)) AS archived
      FROM (SELECT * FROM nba_predictions.archived_predictions{within}) AS a
      LEFT JOIN (
        SELECT DISTINCT game_date, prediction_id, COALESCE(line, -1) AS line, COALESCE(line_source, '') AS line_source
        FROM nba_predictions.ledger{within}
      ) AS p ON p.game_date = a.game_date AND p.prediction_id = a.prediction_id
        AND p.line = COALESCE(a.line, -1) AND p.line_source = COALESCE(a.line_source, '')
      WHERE a.line_problem IN ({PLACEHOLDER_REASONS_SQL}) AND p.prediction_id IS NULL
      GROUP BY a.game_date, {named_sql("a")}, {market_sql("a")}
    """


#: every row of the ledger with the code that published it
LEDGER_REVISIONS = View(
    "nba_predictions",
    "ledger_revisions",
    "For every row of the ledger the revision of the code that published it, the run and its command; null where a "
    "release before revisions published it.",
    """
    SELECT
      p.game_date, p.prediction_id, p.game_id, p.player_id, p.system_id, p.model_version, p.created_at, p.run_id,
      u.revision, u.job_name, u.command
    FROM nba_predictions.ledger AS p
    LEFT JOIN nba_predictions.publications AS u ON u.game_date = p.game_date AND u.run_id = p.run_id
    """,
)


#: 1 for the current row of each system, player, game and market
CURRENT_RANK = """ROW_NUMBER() OVER (
          PARTITION BY game_date, game_id, player_id, system_id, market
          ORDER BY CASE WHEN is_backfill THEN 1 ELSE 0 END, created_at DESC, prediction_id
        )"""


CURRENT_PREDICTIONS = View(
    "nba_predictions",
    "current_predictions",
    "The current row of each system, player, game and market: the last published before the cut-off, "
    "else the newest published after the fact.",
    f"""
    SELECT * EXCEPT (current_rank)
    FROM (
      SELECT
        p.*,
        {CURRENT_RANK} AS current_rank
      FROM nba_predictions.ledger AS p
    ) AS ranked
    WHERE current_rank = 1
    """,
)


_OLD_ORDER = CURRENT_RANK.removeprefix("ROW_NUMBER() ")


#: the predecessor's table; columns of it that have no source here are left out
PLAYER_PROP_PREDICTIONS = View(
    "nba_predictions",
    "player_prop_predictions",
    "The ledger of points under the name and the columns of the system before: every row that was published, but those "
    "of systems in shadow. is_active for the current ones, superseded_by names the current row for the others. "
    "updated_at is when a row ceased to be the current one, else when it was published. See "
    "docs/from-the-old-system.md.",
    f"""
    SELECT prediction_id, ranked.system_id, player_lookup, ranked.game_date, game_id, forecast AS predicted_points,
      confidence_score, recommendation, has_prop_line, line AS current_points_line, line_margin, line_source,
      line_source_api, sportsbook,
      line_minutes_before_game, model_version,
      current_rank = 1 AS is_active, CASE WHEN current_rank > 1 THEN current_id END AS superseded_by, created_at,
      CASE WHEN superseded_at > created_at THEN superseded_at ELSE created_at END AS updated_at
    FROM (
      SELECT
        p.*,
        {CURRENT_RANK} AS current_rank,
        FIRST_VALUE(prediction_id) {_OLD_ORDER} AS current_id,
        LAG(created_at) {_OLD_ORDER} AS superseded_at
      FROM nba_predictions.ledger AS p
      WHERE market = '{POINTS}'
    ) AS ranked
    LEFT JOIN nba_monitoring.promotions AS w
      ON w.game_date = ranked.game_date AND w.system_id = ranked.system_id AND w.market = ranked.market
    WHERE {has_weight_sql("ranked", "w")}
    """,
    newest_by="created_at",
)


def judged_sql(rows: str = "nba_predictions.ledger", *, bounded: bool = True) -> str:
    """SQL that selects every row of ``rows``, which has the ledger's columns, with three more.

    ``line_problem`` is the problem of its line, ``is_valid_line`` whether a verified quote backs it (false without a
    line), ``is_current`` whether it is the current row of its system, player, game and
    market.

    ``rows`` are whole dates. If ``bounded``, the parameters ``@first`` and ``@last`` are these dates.
    """
    return f"""
    SELECT j.*, COALESCE(j.line_problem IS NULL AND j.line_source = '{LineSource.ACTUAL_PROP}', FALSE) AS is_valid_line,
      {CURRENT_RANK} = 1 AS is_current
    FROM ({claimed_lines_sql(rows, bounded=bounded)}) AS j
    """


JUDGED_PREDICTIONS = View(
    "nba_predictions",
    "judged_predictions",
    "Every row of the ledger with the problem of its line (null for a valid one or none), whether its line is valid "
    "(a verified quote backs it), and whether it is the current row.",
    judged_sql(bounded=False),
)
