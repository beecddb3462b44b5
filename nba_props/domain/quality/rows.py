"""Rows of systems and of the ledger: coverage, provenance, placeholders, grades."""

from __future__ import annotations

from collections.abc import Collection

from nba_props.domain.consensus import MIN_ENGINES
from nba_props.domain.finding import Finding, Severity
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL, claimed_lines_sql
from nba_props.domain.quality.daily import Daily, Figures, known
from nba_props.domain.quality.validation import set_aside
from nba_props.domain.stored import span_sql
from nba_props.domain.views.ledger import archived_sql, held_back_sql
from nba_props.facts.markets import quoted_market_sql
from nba_props.facts.vocabulary import LineSource, sql_list
from nba_props.schemas.base import Table
from nba_props.schemas.predictions import LEDGER


def none_from_the_future(table: Table, breach: str) -> Daily:
    """No row of a table uses what became known at or after its cut-off; ``breach`` is the condition in SQL."""
    sql = f"""
    SELECT game_date, COUNT(*) AS rows_checked, SUM(CASE WHEN {breach} THEN 1 ELSE 0 END) AS rows_from_the_future
    FROM {table.address} WHERE game_date BETWEEN @first AND @last GROUP BY game_date
    """

    def judge(f: Figures) -> Finding:
        bad = f["rows_from_the_future"]
        return Finding(bad == 0, f"{bad} of {f['rows_checked']} rows use data from after their cut-off", known(f))

    return Daily(sql, judge, {"rows_checked": 0, "rows_from_the_future": 0})


def provenance(table: Table) -> Daily:
    """Every line of a table is valid: a verified quote backs it."""
    sql = f"""
    SELECT game_date, COUNT(*) AS rows_checked,
      SUM(CASE WHEN line_source = '{LineSource.ACTUAL_PROP}' THEN 1 ELSE 0 END) AS lines,
      SUM(CASE WHEN line = 20.0 AND line_problem IS NULL THEN 1 ELSE 0 END) AS verified_lines_of_20,
      SUM(CASE WHEN line_problem IS NOT NULL THEN 1 ELSE 0 END) AS invalid_lines,
      MIN(line_problem) AS example
    FROM ({claimed_lines_sql(span_sql(table))}) AS judged
    GROUP BY game_date
    """

    def judge(f: Figures) -> Finding:
        text = f"{f['lines']} lines in {f['rows_checked']} rows, {f['invalid_lines']} without provenance"
        if f["example"]:
            text += f": {f['example']}"
        return Finding(f["invalid_lines"] == 0, text, known(f))

    empty = {"rows_checked": 0, "lines": 0, "verified_lines_of_20": 0, "invalid_lines": 0, "example": None}
    return Daily(sql, judge, empty)


_UNLIKE = " OR ".join(
    f"(b.{mine} <> q.{own} OR (b.{mine} IS NULL) <> (q.{own} IS NULL))"
    for mine, own in (
        ("bookmaker", "bookmaker"), ("line", "line"), ("over_price", "over_price"), ("under_price", "under_price"),
        ("quoted_at", "snapshot_at"),
    )
)  # fmt: skip
#: every row of book_lines against the quote that it names
OFFERS = Daily(
    f"""
        SELECT b.game_date, COUNT(*) AS rows_checked,
          SUM(CASE WHEN q.quote_id IS NULL OR {_UNLIKE} OR q.game_id <> b.game_id
            OR COALESCE({quoted_market_sql("q.market")} <> b.market, TRUE)
            OR COALESCE(r.player_id <> b.player_id, TRUE) THEN 1 ELSE 0 END) AS rows_unlike_their_quote,
          SUM(CASE WHEN b.cutoff_at IS NULL OR b.quoted_at >= b.cutoff_at THEN 1 ELSE 0 END) AS rows_from_the_future
        FROM nba_analytics.book_lines AS b
        LEFT JOIN nba_raw.odds_quotes AS q ON q.game_date = b.game_date AND q.quote_id = b.quote_id
          AND q.game_date BETWEEN @first AND @last
        LEFT JOIN nba_reference.resolved_names AS r ON r.game_date = q.game_date AND r.game_id = q.game_id
          AND r.source_name = q.source_name AND r.source = q.data_source AND r.game_date BETWEEN @first AND @last
        WHERE b.game_date BETWEEN @first AND @last
        GROUP BY b.game_date
        """,
    lambda f: Finding(
        not f["rows_unlike_their_quote"] and not f["rows_from_the_future"],
        f"{f['rows_checked']} offers, {f['rows_unlike_their_quote']} unlike their quote, "
        f"{f['rows_from_the_future']} from after the cut-off",
        known(f),
    ),
    {"rows_checked": 0, "rows_unlike_their_quote": 0, "rows_from_the_future": 0},
)
#: every offer has a price, by three other engines or with the reason why it has none
PRICES = Daily(
    f"""
        SELECT b.game_date, COUNT(*) AS offers, COUNT(p.fair_line) AS priced,
          SUM(CASE WHEN p.quote_id IS NULL OR p.line <> b.line
            OR (p.fair_line IS NULL) <> (p.no_price_reason IS NOT NULL)
            OR (p.fair_line IS NOT NULL AND p.engines < {MIN_ENGINES}) THEN 1 ELSE 0 END) AS wrong
        FROM nba_analytics.book_lines AS b
        LEFT JOIN nba_analytics.prices AS p ON p.game_date = b.game_date AND p.quote_id = b.quote_id
          AND p.game_date BETWEEN @first AND @last
        WHERE b.game_date BETWEEN @first AND @last
        GROUP BY b.game_date
        """,
    lambda f: Finding(
        not f["wrong"],
        f"{f['priced']} of {f['offers']} offers have a fair price, {f['wrong']} are missing or contradict their offer",
        known(f),
    ),
    {"offers": 0, "priced": 0, "wrong": 0},
)


def _judge_placeholders(f: Figures) -> Finding:
    published, waiting = f["placeholders_published"], f["placeholders_waiting"]
    dealt_with = set_aside(f["placeholders_in_quarantine"], f["placeholders_archived"])
    if published:
        text = f"{published} of {f['published']} published rows carry a placeholder line{dealt_with}"
        return Finding(False, f"{text}: `nba-props quarantine placeholder DATE` removes them", known(f))
    if waiting:
        text = f"none published; {waiting} players lack a row that the gate held back as a placeholder{dealt_with}"
        text += ": `nba-props run DATE --force` once the system is fixed"
        return Finding(False, text, known(f), Severity.WARN)
    return Finding(True, f"{f['published']} published rows, no placeholder among them{dealt_with}", known(f))


PLACEHOLDERS = Daily(
    f"""
        WITH counts AS (
          SELECT game_date, 1 AS published,
            CASE WHEN line_problem IN ({PLACEHOLDER_REASONS_SQL}) THEN 1 ELSE 0 END AS placeholders,
            0 AS waiting, 0 AS held_back, 0 AS archived
          FROM ({claimed_lines_sql(span_sql(LEDGER))}) AS judged
          UNION ALL
          SELECT game_date, 0 AS published, 0 AS placeholders, waiting, held_back, 0 AS archived
          FROM ({held_back_sql()}) AS h
          UNION ALL
          SELECT game_date, 0 AS published, 0 AS placeholders, 0 AS waiting, 0 AS held_back, archived
          FROM ({archived_sql()}) AS a
        )
        SELECT game_date, SUM(published) AS published, SUM(placeholders) AS placeholders_published,
          SUM(waiting) AS placeholders_waiting, SUM(held_back) AS placeholders_in_quarantine,
          SUM(archived) AS placeholders_archived
        FROM counts GROUP BY game_date
        """,
    _judge_placeholders,
    {
        "published": 0,
        "placeholders_published": 0,
        "placeholders_waiting": 0,
        "placeholders_in_quarantine": 0,
        "placeholders_archived": 0,
    },
)


def coverage(table: Table, markets: Collection[str]) -> Daily:
    """A system's table has a row for every row of lines in its markets, and forecasts for some."""
    sql = f"""
    WITH asked AS (
      SELECT game_date, market, COUNT(*) AS players FROM nba_analytics.betting_lines
      WHERE game_date BETWEEN @first AND @last AND market IN ({sql_list(markets)}) GROUP BY game_date, market
    ),
    own AS (
      SELECT game_date, market, COUNT(*) AS row_count, COUNT(forecast) AS forecasts,
        COUNT(abstain_reason) AS abstentions
      FROM {table.address} WHERE game_date BETWEEN @first AND @last GROUP BY game_date, market
    )
    SELECT a.game_date, COUNT(*) AS markets, SUM(a.players) AS slate, SUM(COALESCE(o.row_count, 0)) AS rows_found,
      SUM(COALESCE(o.forecasts, 0)) AS forecasts, SUM(COALESCE(o.abstentions, 0)) AS abstentions,
      STRING_AGG(CASE WHEN o.row_count IS NULL THEN a.market END, ', ') AS markets_absent,
      STRING_AGG(CASE WHEN o.row_count <> a.players THEN a.market END, ', ') AS markets_incomplete
    FROM asked AS a LEFT JOIN own AS o ON o.game_date = a.game_date AND o.market = a.market
    GROUP BY a.game_date
    """
    empty = {"markets": 0, "slate": 0, "rows_found": 0, "forecasts": 0, "abstentions": 0}
    return Daily(sql, _judge_coverage, {**empty, "markets_absent": None, "markets_incomplete": None})


def _judge_coverage(f: Figures) -> Finding:
    rows, slate = f["rows_found"], f["slate"]
    figures = known({**f, "rows": rows})
    who = "players" if f["markets"] <= 1 else f"players in {f['markets']} markets"
    if slate and not rows:
        return Finding(False, f"no row for any of {slate} {who}: the system failed, see its step's error", figures)
    if f["markets_absent"]:
        return Finding(False, f"no row in {f['markets_absent']}: the system failed there", figures)
    if slate and not f["forecasts"]:
        return Finding(False, f"no forecast for any of {slate} {who}", figures, Severity.WARN)
    text = f"{rows} rows for {slate} {who}: {f['forecasts']} forecasts, {f['abstentions']} abstentions"
    if f["markets_incomplete"]:
        text += f"; rows are missing or too many in {f['markets_incomplete']}"
    ok = not f["markets_incomplete"] and rows == slate and f["forecasts"] + f["abstentions"] == rows
    return Finding(ok, text, figures, Severity.WARN)


def _judge_grades(f: Figures) -> Finding:
    text = f"{f['published']} published rows, {f['graded']} grades"
    if f["published"] > f["graded"]:
        text += ": rows without an id of their own have none, see `nba-props quarantine invalid_line DATE --dry-run`"
    return Finding(f["published"] == f["graded"], text, known(f))


GRADES = Daily(
    """
        SELECT p.game_date, p.published, COALESCE(a.graded, 0) AS graded FROM (
          SELECT game_date, COUNT(*) AS published FROM nba_predictions.ledger
          WHERE game_date BETWEEN @first AND @last GROUP BY game_date
        ) AS p LEFT JOIN (
          SELECT game_date, COUNT(*) AS graded FROM nba_predictions.prediction_accuracy
          WHERE game_date BETWEEN @first AND @last GROUP BY game_date
        ) AS a ON a.game_date = p.game_date
        """,
    _judge_grades,
    {"published": 0, "graded": 0},
)
