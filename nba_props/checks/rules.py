"""The rules themselves. Each answers for any number of dates with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from nba_props.checks.partitioned import Rule, Scope, Verdict
from nba_props.domain import quality
from nba_props.domain.history import GAMES_FOUND_SQL
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL, STALE_AFTER, claimed_lines_sql, is_stale
from nba_props.domain.systems.base import System
from nba_props.domain.systems.trained import MAX_AGE, Card, Trained, refusal, week_of
from nba_props.domain.views.ledger import archived_sql, held_back_sql
from nba_props.facts.calendar import FINAL, PLAYABLE, look_back_start, playable_sql, season_start
from nba_props.facts.calendar import days as dates_between
from nba_props.schemas import Table, analytics, predictions, raw, reference
from nba_props.schemas.features import EXPECTED, EXPECTED_WITH_FEED, FEATURES, PLAYER_FEATURES

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
#: the share of quotes whose names must resolve
NAMES_RESOLVED_SHARE = 0.995
#: of those reported out or doubtful, the share that may be on no slate
ABSENT_STRANGERS_SHARE = 0.3
#: fewer rostered players on one side than this is no roster
MIN_PLAYERS_PER_TEAM = 8


def schema_rule(table: Table) -> Rule:
    """What is stored keeps its contract: types, nulls, bounds, allowed values, unique keys."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        frame = scope.warehouse.read(table, days)
        violations = table.violations(frame)
        at = violations["index"].dropna().astype(int)
        by_day = frame["game_date"].reindex(at).groupby(frame["game_date"].reindex(at)).size()
        sizes = frame.groupby("game_date").size()
        general = violations["index"].isna().sum()
        found = {}
        for day in days:
            count = int(by_day.get(pd.Timestamp(day), 0)) + int(general)
            first = ""
            if count:
                mine = violations[
                    violations["index"].isna()
                    | violations["index"].map(
                        lambda i, d=day: pd.notna(i) and frame["game_date"].iloc[int(i)] == pd.Timestamp(d)
                    )
                ]
                worst = mine.iloc[0]
                first = f": {worst['column']} {worst['check']} for {worst['failure_case']!r}"
            rows = int(sizes.get(pd.Timestamp(day), 0))
            found[day] = Verdict(count == 0, f"{rows} rows, {count} breaches{first}", {"rows": rows, "breaches": count})
        return found

    return Rule(
        "schema",
        table,
        f"Types, nulls, bounds and allowed values of {table.address}; unique: {', '.join(table.unique) or 'nothing'}.",
        evaluate,
        blocking=True,
    )


def _within_span(table: Table) -> str:
    return f"(SELECT * FROM {table.address} WHERE game_date BETWEEN @first AND @last)"


def _by_query(
    sql: str | Callable[[Scope], str],
    judge: Callable[[dict[str, Any]], Verdict],
    empty: dict[str, Any],
    parameters: Callable[[Scope, Sequence[date]], dict[str, Any]] | None = None,
) -> Callable[[Scope, Sequence[date]], dict[date, Verdict]]:
    """A rule from a query that gives one row of figures per ``game_date``; a date without one has ``empty`` figures."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        text = sql if isinstance(sql, str) else sql(scope)
        extra = parameters(scope, days) if parameters else {}
        rows = scope.warehouse.query(text, first=days[0], last=days[-1], **extra)
        found = {r["game_date"].date(): r for r in rows.to_dict("records")}
        return {
            d: judge({**empty, **{k: _plain(v) for k, v in found.get(d, {}).items() if k != "game_date"}}) for d in days
        }

    return evaluate


def _games_known(
    evaluate: Callable[[Scope, Sequence[date]], dict[date, Verdict]],
) -> Callable[[Scope, Sequence[date]], dict[date, Verdict]]:
    """A rule about a date's games, which fails where nobody knows that there are none.

    That is without a stored schedule, and with box scores of games that the schedule lacks.
    """

    def judged(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        found = evaluate(scope, days)
        free = [d for d in days if not found[d].figures.get("games")]
        if not free:
            return found
        stored = scope.warehouse.partitions(raw.SCHEDULE)
        published = quality.Published(scope.warehouse.query, (), days[0], days[-1], scheduled=stored)
        unknown = {d: quality.expected_outputs(published, d) for d in free if not published.has_schedule(d)}
        return found | {d: Verdict(False, f.text, dict(f.figures)) for d, f in unknown.items()}

    return judged


def _plain(value: Any) -> Any:
    """A figure as Dagster metadata takes it: plain numbers and text, zero-safe."""
    if value is None or (not isinstance(value, list | dict) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _figures(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in figures.items() if v is not None}


# -- raw ------------------------------------------------------------------------------------------------------------


def nothing_quarantined(table: Table) -> Rule:
    """Rows and payloads that were held back, by reason."""
    sql = f"""
    SELECT game_date, reason, COUNT(*) AS held_back, MIN(detail) AS example
    FROM {table.address} WHERE game_date BETWEEN @first AND @last
    GROUP BY game_date, reason
    """

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        rows = scope.warehouse.query(sql, first=days[0], last=days[-1])
        found = {}
        for day in days:
            mine = rows[rows["game_date"] == pd.Timestamp(day)]
            total = int(mine["held_back"].sum())
            reasons = {str(r.reason): int(r.held_back) for r in mine.itertuples()}
            text = "; ".join(f"{r.reason} {int(r.held_back)} ({r.example})" for r in mine.itertuples())
            found[day] = Verdict(total == 0, text or "nothing held back", {"held_back": total, **reasons}, WARN)
        return found

    return Rule("nothing_quarantined", table, f"Nothing delivered had to be held back in {table.address}.", evaluate)


def _judge_box_scores(f: dict[str, Any]) -> Verdict:
    ok = not (f["missing_games"] or f["unscheduled_games"] or f["wrong_scores"])
    text = (
        f"{f['games']} games; {f['missing_games']} final games without box scores, "
        f"{f['unscheduled_games']} games nobody scheduled, {f['wrong_scores']} teams whose points do not add up"
    )
    return Verdict(ok, text, _figures(f), WARN)


#: nobody waits for the box scores of games that do not count
_IS_FINAL = f"(status = {FINAL} AND {PLAYABLE})"
BOX_SCORES_MATCH_SCHEDULE = Rule(
    "box_scores_match_schedule",
    raw.BOX_SCORES,
    "Every final game that counts has box scores, every box score its game, and points add up to the score.",
    _by_query(
        f"""
        WITH sides AS (
          SELECT game_date, game_id, home_team_id AS team_id, home_score AS score, {_IS_FINAL} AS final
          FROM nba_raw.schedule WHERE game_date BETWEEN @first AND @last
          UNION ALL
          SELECT game_date, game_id, away_team_id AS team_id, away_score AS score, {_IS_FINAL} AS final
          FROM nba_raw.schedule WHERE game_date BETWEEN @first AND @last
        ),
        played AS (
          SELECT game_date, game_id, team_id, SUM(points) AS points FROM nba_raw.box_scores
          WHERE game_date BETWEEN @first AND @last GROUP BY game_date, game_id, team_id
        ),
        both AS (
          SELECT COALESCE(p.game_date, s.game_date) AS game_date, COALESCE(p.game_id, s.game_id) AS game_id,
            CASE WHEN s.final AND p.game_id IS NULL THEN 1 ELSE 0 END AS missing,
            CASE WHEN s.game_id IS NULL THEN 1 ELSE 0 END AS unscheduled,
            CASE WHEN s.score IS NOT NULL AND p.points <> s.score THEN 1 ELSE 0 END AS wrong_score
          FROM sides AS s
          FULL OUTER JOIN played AS p
            ON p.game_date = s.game_date AND p.game_id = s.game_id AND p.team_id = s.team_id
        )
        SELECT game_date, COUNT(DISTINCT game_id) AS games,
          COUNT(DISTINCT CASE WHEN missing = 1 THEN game_id END) AS missing_games,
          COUNT(DISTINCT CASE WHEN unscheduled = 1 THEN game_id END) AS unscheduled_games,
          SUM(wrong_score) AS wrong_scores
        FROM both GROUP BY game_date
        """,
        _judge_box_scores,
        {"games": 0, "missing_games": 0, "unscheduled_games": 0, "wrong_scores": 0},
    ),
)


def _judge_coverage_of_games(f: dict[str, Any], now: datetime | None) -> Verdict:
    games, quoted, first = f["games"], f["games_with_lines"], f["first_tipoff"]
    if games == 0:
        return Verdict(True, "no games on this date", _figures(f), WARN)
    if quoted:
        text = f"{quoted} of {games} games have sportsbook quotes from before the cut-off"
        return Verdict(quoted == games, text, _figures(f), WARN)
    text = f"NO ODDS: none of {games} games has a sportsbook's quote from before the cut-off, so that nobody has a line"
    overdue = quality.odds_are_overdue(datetime.fromisoformat(first) if first else None, now)
    return Verdict(False, f"{text}; the first tip-off is {first or 'unknown'}", _figures(f), ERROR if overdue else WARN)


@_games_known
def _games_have_quotes(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
    """How many games have quotes; a slate without any is an error when its first tip-off is near or past."""
    empty = {"games": 0, "games_with_lines": 0, "first_tipoff": None}
    return _by_query(_QUOTED_GAMES_SQL, lambda f: _judge_coverage_of_games(f, scope.now), empty)(scope, days)


_QUOTED_GAMES_SQL = f"""
        SELECT s.game_date, COUNT(DISTINCT s.game_id) AS games, COUNT(DISTINCT q.game_id) AS games_with_lines,
          MIN(s.tipoff_at) AS first_tipoff
        FROM nba_raw.schedule AS s
        LEFT JOIN (
          SELECT DISTINCT game_date, game_id FROM nba_raw.odds_quotes
          WHERE game_date BETWEEN @first AND @last AND book_kind = 'SPORTSBOOK' AND NOT is_in_play
        ) AS q ON q.game_date = s.game_date AND q.game_id = s.game_id
        WHERE s.game_date BETWEEN @first AND @last AND {playable_sql("s")}
        GROUP BY s.game_date
"""
GAMES_HAVE_QUOTES = Rule(
    "games_have_quotes",
    raw.ODDS_QUOTES,
    "Every game of the date has quotes of a sportsbook from before the cut-off. A slate without any is an error from "
    "an hour before its first tip-off on.",
    _games_have_quotes,
)


def _books_are_fresh(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
    """No book's market was untouched for hours when it was captured."""
    quotes = scope.warehouse.query(
        "SELECT game_date, bookmaker, snapshot_at, last_update_at, COUNT(*) AS quotes FROM nba_raw.odds_quotes "
        "WHERE game_date BETWEEN @first AND @last GROUP BY game_date, bookmaker, snapshot_at, last_update_at",
        first=days[0],
        last=days[-1],
    )
    stale = quotes[is_stale(quotes)]
    found = {}
    for day in days:
        mine = stale[stale["game_date"] == pd.Timestamp(day)]
        books = {str(b): int(n) for b, n in mine.groupby("bookmaker")["quotes"].sum().items()}
        text = (
            f"stale when captured, so not used as lines: {books}; a line of theirs is one of an earlier, fresh quote"
            if books
            else "every book's quotes were fresh"
        )
        found[day] = Verdict(not books, text, {"stale_quotes": sum(books.values()), **books}, WARN)
    return found


BOOKS_ARE_FRESH = Rule(
    "books_are_fresh",
    raw.ODDS_QUOTES,
    f"No quote was older than {STALE_AFTER.total_seconds() / 3600:.0f} hours by its own market's clock when captured.",
    _books_are_fresh,
)


# -- reference ------------------------------------------------------------------------------------------------------


def _judge_names(f: dict[str, Any]) -> Verdict:
    total = f["resolved_quotes"] + f["unresolved_quotes"]
    share = f["resolved_quotes"] / total if total else None
    figures = _figures({**f, "resolved_share": share})
    if share is None:
        return Verdict(True, "no quotes", figures, WARN)
    text = f"{share:.2%} of {total} quotes resolve; {f['unresolved_names']} names do not"
    return Verdict(
        share >= NAMES_RESOLVED_SHARE, f"{text}{': ' + f['examples'] if f['examples'] else ''}", figures, WARN
    )


NAMES_RESOLVED = Rule(
    "names_resolved",
    reference.RESOLVED_NAMES,
    f"At least {NAMES_RESOLVED_SHARE:.1%} of the day's quotes belong to a known player.",
    _by_query(
        """
        SELECT game_date, SUM(resolved) AS resolved_quotes, SUM(unresolved) AS unresolved_quotes,
          SUM(names) AS unresolved_names, STRING_AGG(example, ', ') AS examples
        FROM (
          SELECT game_date, quotes AS resolved, 0 AS unresolved, 0 AS names, CAST(NULL AS STRING) AS example
          FROM nba_reference.resolved_names WHERE game_date BETWEEN @first AND @last
          UNION ALL
          SELECT game_date, 0 AS resolved, quotes AS unresolved, 1 AS names, source_name AS example
          FROM nba_reference.unresolved_names WHERE game_date BETWEEN @first AND @last
        ) AS n
        GROUP BY game_date
        """,
        _judge_names,
        {"resolved_quotes": 0, "unresolved_quotes": 0, "unresolved_names": 0, "examples": None},
    ),
)


def _judge_absent(f: dict[str, Any]) -> Verdict:
    strangers = f["absent"] - f["known"]
    # two-way players who have not appeared for the club yet are on the report and on no slate
    ok = strangers <= max(2, ABSENT_STRANGERS_SHARE * f["absent"])
    text = f"{f['absent']} players reported out or doubtful, {strangers} of them on no slate"
    if strangers:
        text += f": {f['examples']}"
    return Verdict(ok, text if f["absent"] else "no report before the date's tip-offs", _figures(f), WARN)


REPORTED_ABSENT_KNOWN = Rule(
    "reported_absent_known",
    analytics.CONTEXT,
    f"At least {1 - ABSENT_STRANGERS_SHARE:.0%} of those who are reported out or doubtful are players of the slate.",
    _by_query(
        """
        WITH reported AS (
          SELECT r.game_date, r.player_lookup, MAX(r.player_name) AS player_name
          FROM nba_raw.injury_reports AS r
          JOIN (
            SELECT game_date, MAX(injury_reported_at) AS newest
            FROM nba_analytics.upcoming_player_game_context WHERE game_date BETWEEN @first AND @last GROUP BY game_date
          ) AS c ON c.game_date = r.game_date AND r.report_at <= c.newest
          WHERE r.game_date BETWEEN @first AND @last AND r.status IN ('OUT', 'DOUBTFUL')
          GROUP BY r.game_date, r.player_lookup
        )
        SELECT r.game_date, COUNT(*) AS absent, COUNT(s.player_lookup) AS known,
          STRING_AGG(CASE WHEN s.player_lookup IS NULL THEN r.player_name END, ', ') AS examples
        FROM reported AS r
        LEFT JOIN (
          SELECT DISTINCT game_date, player_lookup FROM nba_analytics.slate WHERE game_date BETWEEN @first AND @last
        ) AS s ON s.game_date = r.game_date AND s.player_lookup = r.player_lookup
        GROUP BY r.game_date
        """,
        _judge_absent,
        {"absent": 0, "known": 0, "examples": None},
    ),
)


# -- analytics ------------------------------------------------------------------------------------------------------


def _judge_slate(f: dict[str, Any]) -> Verdict:
    ok = f["thin_sides"] == 0
    text = (
        f"{f['players']} players in {f['games']} games; {f['thin_sides']} sides with fewer than {MIN_PLAYERS_PER_TEAM}"
    )
    if f["games"] == 0:
        text = "no games on this date"
    return Verdict(ok, f"{text}{': ' + f['teams'] if f['teams'] else ''}", _figures(f))


SLATE_IS_COMPLETE = Rule(
    "slate_is_complete",
    analytics.CONTEXT,
    f"Every scheduled game is in the context with at least {MIN_PLAYERS_PER_TEAM} players of each team.",
    _games_known(
        _by_query(
            f"""
        WITH sides AS (
          SELECT game_date, game_id, home_team_id AS team_id, home_team AS team FROM nba_raw.schedule
          WHERE game_date BETWEEN @first AND @last AND {PLAYABLE}
          UNION ALL
          SELECT game_date, game_id, away_team_id AS team_id, away_team AS team FROM nba_raw.schedule
          WHERE game_date BETWEEN @first AND @last AND {PLAYABLE}
        ),
        counted AS (
          SELECT s.game_date, s.game_id, s.team, COUNT(c.player_id) AS players
          FROM sides AS s
          LEFT JOIN nba_analytics.upcoming_player_game_context AS c
            ON c.game_date = s.game_date AND c.game_id = s.game_id AND c.team_id = s.team_id
              AND c.game_date BETWEEN @first AND @last
          GROUP BY s.game_date, s.game_id, s.team
        )
        SELECT game_date, COUNT(DISTINCT game_id) AS games, SUM(players) AS players,
          SUM(CASE WHEN players < {MIN_PLAYERS_PER_TEAM} THEN 1 ELSE 0 END) AS thin_sides,
          STRING_AGG(CASE WHEN players < {MIN_PLAYERS_PER_TEAM} THEN team END, ', ') AS teams
        FROM counted GROUP BY game_date
        """,
            _judge_slate,
            {"games": 0, "players": 0, "thin_sides": 0, "teams": None},
        )
    ),
)


def _history_complete(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
    """Every date of the season so far has its partitions, and every game scheduled in the look-back has box scores.

    Of the season before, into which the look-back of autumn dates reaches, only what was taken in is judged: who starts
    in November without last season's payloads forecasts from fewer games, and is not held up.
    """
    look_back, earliest = scope.settings.look_back_days, scope.settings.first_date
    reach = {d: max(min(look_back_start(d, look_back), season_start(d)), earliest) for d in days}
    demanded = {d: max(season_start(d), earliest) for d in days}
    games = scope.warehouse.query(GAMES_FOUND_SQL, first=min(reach.values()), last=days[-1])
    by_day = games.set_index(games["game_date"].dt.date)
    stored = [set(scope.warehouse.partitions(t)) for t in (raw.SCHEDULE, raw.BOX_SCORES)]
    present = stored[0] & stored[1]
    found = {}
    for day in days:
        so_far = dates_between(demanded[day], day - timedelta(1))
        absent = [d for d in so_far if d not in present]
        span = by_day[(by_day.index >= reach[day]) & (by_day.index < day)] if len(by_day) else by_day
        thin = span[span["found"] < span["expected"]]
        holes = sorted({*absent, *thin.index})
        figures = {
            "look_back_from": reach[day].isoformat(),
            "dates_expected": len(so_far),
            "dates_missing": len(holes),
            "games_expected": int(span["expected"].sum()),
            "games_missing": int((span["expected"] - span["found"]).sum()),
        }
        text = f"{figures['games_expected']} games since {reach[day]}, none missing"
        if holes:
            text = (
                f"box scores or schedule are missing on {len(holes)} dates before {day}, from {holes[0]} to "
                f"{holes[-1]}: materialize nba_raw/schedule and nba_raw/box_scores for them, then this date again"
            )
        found[day] = Verdict(not holes, text, figures)
    return found


HISTORY_COMPLETE = Rule(
    "history_complete",
    analytics.HISTORICAL_GAMES,
    "No date of the season so far is missing, and no stored game of the look-back lacks its box scores.",
    _history_complete,
    blocking=True,
)


def no_future_data(table: Table, moments: str, description: str) -> Rule:
    """Nothing behind the rows was known at or after their cut-off; ``moments`` is an SQL condition for a breach."""
    sql = f"""
    SELECT game_date, COUNT(*) AS rows_checked, SUM(CASE WHEN {moments} THEN 1 ELSE 0 END) AS rows_from_the_future
    FROM {table.address} WHERE game_date BETWEEN @first AND @last GROUP BY game_date
    """

    def judge(f: dict[str, Any]) -> Verdict:
        bad = f["rows_from_the_future"]
        return Verdict(bad == 0, f"{bad} of {f['rows_checked']} rows use data from their future", _figures(f))

    return Rule(
        "no_future_data",
        table,
        description,
        _by_query(sql, judge, {"rows_checked": 0, "rows_from_the_future": 0}),
        blocking=True,
    )


def lines_have_provenance(table: Table, *, blocking: bool) -> Rule:
    """Every line of the table is valid by ``is_valid_line``: a verified quote stands behind it, or it has no line."""
    claims = _within_span(table)
    sql = f"""
    SELECT game_date, COUNT(*) AS rows_checked,
      SUM(CASE WHEN line_source = 'ACTUAL_PROP' THEN 1 ELSE 0 END) AS lines,
      SUM(CASE WHEN line = 20.0 AND line_problem IS NULL THEN 1 ELSE 0 END) AS verified_lines_of_20,
      SUM(CASE WHEN line_problem IS NOT NULL THEN 1 ELSE 0 END) AS invalid_lines,
      MIN(line_problem) AS example
    FROM ({claimed_lines_sql(claims)}) AS judged
    GROUP BY game_date
    """

    def judge(f: dict[str, Any]) -> Verdict:
        ok = f["invalid_lines"] == 0
        text = f"{f['lines']} lines in {f['rows_checked']} rows, {f['invalid_lines']} without provenance"
        return Verdict(ok, f"{text}{': ' + f['example'] if f['example'] else ''}", _figures(f))

    empty = {"rows_checked": 0, "lines": 0, "verified_lines_of_20": 0, "invalid_lines": 0, "example": None}
    return Rule(
        "lines_have_provenance",
        table,
        "Every line equals a stored quote of an allowed sportsbook, seen before the cut-off.",
        _by_query(sql, judge, empty),
        blocking=blocking,
    )


#: the features that may be null
_WHY_NULL = {f.name: f.null_reason for f in FEATURES if f.null_reason}
#: with as many games of the season behind him everything is known of a player whose feeds speak
_SETTLED_GAMES = 5


def inputs_are_known(systems: Sequence[System]) -> Rule:
    """Every input that a feed gives is known of somebody; a dead one is named with the systems that go without it.

    Named are all. A warning is what is dead though its feed spoke: a silent feed has a check of its own, and of an
    input that no feed gives, or that is null by its nature, there is nothing to mend.
    """
    names = tuple(_WHY_NULL)
    counts = ", ".join(f"COUNT({n}) AS {n}" for n in names)
    users = {n: [s.system_id for s in systems if n in (*s.required, *s.optional)] for n in names}
    sql = f"""
    SELECT game_date, COUNT(*) AS settled, {counts} FROM {PLAYER_FEATURES.address}
    WHERE game_date BETWEEN @first AND @last AND games_season >= {_SETTLED_GAMES} GROUP BY game_date
    """

    def judge(f: dict[str, Any]) -> Verdict:
        if not f["settled"]:
            return Verdict(True, f"nobody has {_SETTLED_GAMES} games of the season behind him", {"players": 0}, WARN)
        spoke = {_WHY_NULL[n] for n in EXPECTED_WITH_FEED if f[n]}
        due = [*EXPECTED, *(n for n in EXPECTED_WITH_FEED if _WHY_NULL[n] in spoke)]
        unknown = [n for n in names if not f[n] and users[n]]
        dead = [n for n in unknown if n in due]
        figures = {"players": f["settled"], "unknown_to_all": ", ".join(unknown)}
        told = [
            f"{n} is unknown of all {f['settled']} players: {', '.join(users[n])} went without"
            + ("" if n in due else f" ({_WHY_NULL[n]})")
            for n in sorted(unknown, key=lambda n: n not in due)
        ]
        if not dead:
            told.insert(0, f"every input that is due is known of somebody among {f['settled']} players")
        return Verdict(not dead, "; ".join(told), figures, WARN)

    return Rule(
        "inputs_are_known",
        PLAYER_FEATURES,
        "No input of a system, if its feed spoke, is unknown of everybody who has "
        f"{_SETTLED_GAMES} games of the season behind him.",
        _by_query(sql, judge, {"settled": 0, **dict.fromkeys(names, 0)}),
    )


# -- predictions ----------------------------------------------------------------------------------------------------


def _judge_placeholders(f: dict[str, Any]) -> Verdict:
    published, waiting = f["placeholders_published"], f["placeholders_waiting"]
    dealt_with = quality.set_aside(f["placeholders_in_quarantine"], f["placeholders_archived"])
    if published:
        text = f"{published} of {f['published']} published rows carry a placeholder line{dealt_with}"
        return Verdict(False, f"{text}: `nba-props quarantine placeholder DATE` takes them out", _figures(f))
    if waiting:
        text = f"none published; {waiting} players lack a row that the gate held back as a placeholder{dealt_with}"
        return Verdict(False, f"{text}: `nba-props run DATE --force` when the system is mended", _figures(f), WARN)
    return Verdict(True, f"{f['published']} published rows, no placeholder among them{dealt_with}", _figures(f))


NO_PLACEHOLDER_LINES = Rule(
    "no_placeholder_lines",
    predictions.LEDGER,
    "No published line is a placeholder. Fails when one stands in the ledger, warns while a system of this platform "
    "lacks a row that was held back; what is in quarantine or archived is only counted.",
    _by_query(
        f"""
        WITH counts AS (
          SELECT game_date, 1 AS published,
            CASE WHEN line_problem IN ({PLACEHOLDER_REASONS_SQL}) THEN 1 ELSE 0 END AS placeholders,
            0 AS waiting, 0 AS held_back, 0 AS archived
          FROM ({claimed_lines_sql(_within_span(predictions.LEDGER))}) AS judged
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
    ),
    blocking=True,
)


def _judge_coverage(f: dict[str, Any]) -> Verdict:
    ok = f["rows"] == f["slate"] and f["forecasts"] + f["abstentions"] == f["rows"]
    if f["slate"] and not f["rows"]:
        return Verdict(
            False, f"no row for any of {f['slate']} players: the system failed, its step says why", _figures(f)
        )
    if f["slate"] and not f["forecasts"]:
        return Verdict(False, f"no forecast for any of {f['slate']} players", _figures(f), WARN)
    text = f"{f['rows']} rows for {f['slate']} players: {f['forecasts']} forecasts, {f['abstentions']} abstentions"
    return Verdict(ok, text, _figures(f), WARN)


def covers_slate(table: Table) -> Rule:
    """A system has one row for every player of the context, and forecasts for some."""
    sql = f"""
    WITH context AS (
      SELECT game_date, COUNT(*) AS slate FROM nba_analytics.upcoming_player_game_context
      WHERE game_date BETWEEN @first AND @last GROUP BY game_date
    ),
    own AS (
      SELECT game_date, COUNT(*) AS row_count, COUNT(predicted_points) AS forecasts,
        COUNT(abstain_reason) AS abstentions
      FROM {table.address} WHERE game_date BETWEEN @first AND @last GROUP BY game_date
    )
    SELECT c.game_date, c.slate, COALESCE(o.row_count, 0) AS rows_found, COALESCE(o.forecasts, 0) AS forecasts,
      COALESCE(o.abstentions, 0) AS abstentions
    FROM context AS c LEFT JOIN own AS o ON o.game_date = c.game_date
    """

    def judge(f: dict[str, Any]) -> Verdict:
        return _judge_coverage({**f, "rows": f.pop("rows_found")})

    return Rule(
        "covers_slate",
        table,
        "One row per player of the context; a player without a forecast has a reason.",
        _by_query(sql, judge, {"slate": 0, "rows_found": 0, "forecasts": 0, "abstentions": 0}),
    )


#: difference of the shares of known values, between training rows and a slate, from which an input is another one
KNOWN_SHARE_DIFFERS = 0.3


def model_is_in_force(trained: Trained) -> Rule:
    """The newest model before each date is of its week, made from what is stored now, and may serve it."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        slates = scope.warehouse.query(
            "SELECT game_date, COUNT(*) AS players FROM nba_analytics.slate "
            "WHERE game_date BETWEEN @first AND @last GROUP BY game_date",
            first=days[0],
            last=days[-1],
        )
        busy = {d.date() for d in slates["game_date"]}
        weeks = {week_of(d) for d in days if d in busy}
        cards = {week: scope.models.in_force(trained.system_id, week) for week in weeks}
        refused = {week: scope.models.refusal(trained.system_id, week).get("reason", "") for week in weeks}
        in_force = {card.week for card in cards.values() if card}
        made_from = {week: scope.inputs.trained_from(trained.system_id, week) for week in in_force}
        found = {}
        for day in days:
            week = week_of(day)
            if day not in busy:
                found[day] = Verdict(True, "no players on this date")
                continue
            found[day] = _judge_model(trained, cards[week], day, refused[week], made_from)
        return found

    return Rule(
        "model_is_in_force",
        trained.system_table,
        f"A model of at most {MAX_AGE.days} days, of these features and this library, serves the date. A week without "
        "a new one warns, as do one that did not earn its place and one whose inputs have changed since.",
        evaluate,
    )


def _judge_model(
    trained: Trained, card: Card | None, day: date, refused: str, made_from: Mapping[date, str]
) -> Verdict:
    way_out = f"nba-props train {day}, or materialize nba_models/{trained.system_id} for {week_of(day)}"
    if card is None:
        if refused:
            return Verdict(False, f"{refused}; nor has the week before a model, so the system abstains", severity=WARN)
        return Verdict(False, f"there is no model of its week or the one before, so the system abstains: {way_out}")
    figures = {"model": card.version, "model_age_days": (day - card.week).days, "rows": card.rows}
    if why := refusal(trained, card, day):
        return Verdict(False, f"{why}; the system abstains: {way_out}", figures)
    if refused:
        return Verdict(False, f"not in force: {refused}; the model of {card.week} serves", figures, WARN)
    if card.week < week_of(day):
        return Verdict(
            False, f"the week of {week_of(day)} has no model, that of {card.week} serves: {way_out}", figures, WARN
        )
    if card.made_from and card.made_from != made_from[card.week]:
        return Verdict(False, f"stale: what it learned from has changed since: {way_out}", figures, WARN)
    if card.dates_without_lines:
        text = f"trained without the lines of {card.dates_without_lines} landed dates: {way_out}"
        return Verdict(False, text, {**figures, "dates_without_lines": card.dates_without_lines}, WARN)
    return Verdict(True, f"model of {card.week}, trained on {card.rows} rows through {card.trained_through}", figures)


def inputs_as_in_training(trained: Trained) -> Rule:
    """Each input of a model is known about as often on the slate as in the rows that it learned from."""
    shares = ", ".join(f"AVG(CASE WHEN {n} IS NULL THEN 0.0 ELSE 1.0 END) AS {n}" for n in trained.inputs)
    sql = f"""
    SELECT game_date, {shares} FROM {PLAYER_FEATURES.address}
    WHERE game_date BETWEEN @first AND @last AND {" AND ".join(f"{n} IS NOT NULL" for n in trained.required)}
    GROUP BY game_date
    """

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        rows = scope.warehouse.query(sql, first=days[0], last=days[-1])
        known = {r["game_date"].date(): r for r in rows.to_dict("records")}
        cards = {week: scope.models.in_force(trained.system_id, week) for week in {week_of(d) for d in known}}
        return {d: _judge_inputs(trained, cards.get(week_of(d)), known.get(d)) for d in days}

    return Rule(
        "inputs_as_in_training",
        trained.system_table,
        "No input is known much more often, or more seldom, on the slate than in the rows the model learned from "
        f"(shares differ by less than {KNOWN_SHARE_DIFFERS}).",
        evaluate,
    )


def _judge_inputs(trained: Trained, card: Card | None, now: Mapping[str, Any] | None) -> Verdict:
    if card is None or now is None or not card.known:
        return Verdict(True, "no model and no slate to compare")
    differing = {
        n: f"{n} is known for {now[n]:.0%} of the slate, for {card.known.get(n, 0):.0%} in training"
        for n in trained.inputs
        if n in card.known and abs(now[n] - card.known[n]) >= KNOWN_SHARE_DIFFERS
    }
    text = "; ".join(differing.values()) or f"all {len(trained.inputs)} inputs are known as often as in training"
    return Verdict(not differing, text, {"model": card.version, "inputs_differing": len(differing)}, WARN)


def _judge_accounts(f: dict[str, Any]) -> Verdict:
    text = f"{f['published']} published rows, {f['graded']} grades"
    if f["published"] > f["graded"]:
        text += ": rows without an id of their own have none, see `nba-props quarantine invalid_line DATE --dry-run`"
    return Verdict(f["published"] == f["graded"], text, _figures(f))


EVERY_ROW_IS_GRADED = Rule(
    "every_row_is_graded",
    predictions.PREDICTION_ACCURACY,
    "As many grades as published rows: none is lost, none is counted twice.",
    _by_query(
        """
        SELECT p.game_date, p.published, COALESCE(a.graded, 0) AS graded FROM (
          SELECT game_date, COUNT(*) AS published FROM nba_predictions.ledger
          WHERE game_date BETWEEN @first AND @last GROUP BY game_date
        ) AS p LEFT JOIN (
          SELECT game_date, COUNT(*) AS graded FROM nba_predictions.prediction_accuracy
          WHERE game_date BETWEEN @first AND @last GROUP BY game_date
        ) AS a ON a.game_date = p.game_date
        """,
        _judge_accounts,
        {"published": 0, "graded": 0},
    ),
    blocking=True,
)


def _from_findings(name: str, find: Callable[[quality.Published, date], quality.Finding]) -> Rule:
    """A rule on what was published, and how it was graded, from a function of ``domain/quality.py``."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Verdict]:
        key = ("published", days[0], days[-1])
        if key not in scope.memo:
            systems = tuple(predictions.SYSTEM_TABLES)
            scope.memo[key] = quality.published(scope.warehouse, systems, days[0], days[-1], scope.now)
        found = {d: find(scope.memo[key], d) for d in days}
        return {
            d: Verdict(f.passed, f.text, dict(f.figures), WARN if quality.warns(name, f) else ERROR)
            for d, f in found.items()
        }

    return Rule(name, predictions.PREDICTION_ACCURACY, (find.__doc__ or name).split("\n")[0], evaluate)


def _validation(
    find: Callable[[quality.Published, date, date], quality.Finding],
) -> Callable[[quality.Published, date], quality.Finding]:
    """A part of the final validation of one date, as in ``nba-props validate``."""

    def of_date(published: quality.Published, day: date) -> quality.Finding:
        found = find(published, day, day)
        # early in a season, or without odds, there may be nothing to judge: other checks say so
        return replace(found, passed=True) if found.nothing else found

    of_date.__doc__ = find.__doc__
    return of_date


DETECTORS = [
    *(_from_findings(name, find) for name, find in quality.DETECTORS.items()),
    # a platform younger than thirty game days can't have its streak yet: streak_unbroken is the daily form of that one
    *(_from_findings(n, _validation(f)) for n, f in quality.VALIDATION.items() if f is not quality.long_streak),
]


def all_rules(systems: Sequence[System]) -> list[Rule]:
    """Every rule of the platform."""
    system_tables = [s.table for s in systems]
    tables = [
        raw.SCHEDULE,
        raw.BOX_SCORES,
        raw.SCORING_SHARES,
        raw.INJURY_REPORTS,
        raw.ROSTERS,
        raw.ODDS_QUOTES,
        reference.PLAYERS,
        reference.RESOLVED_NAMES,
        analytics.SLATE,
        analytics.HISTORICAL_GAMES,
        analytics.BETTING_LINES,
        analytics.CONTEXT,
        PLAYER_FEATURES,
        *system_tables,
        predictions.LEDGER,
        predictions.PREDICTION_ACCURACY,
    ]
    quarantines = [
        raw.QUARANTINED_GAMES,
        raw.QUARANTINED_BOX_SCORES,
        raw.QUARANTINED_QUOTES,
        raw.QUARANTINED_ROSTERS,
        raw.QUARANTINED_SCORING,
        raw.QUARANTINED_INJURIES,
    ]
    return [
        *(schema_rule(t) for t in tables),
        *(nothing_quarantined(t) for t in quarantines),
        BOX_SCORES_MATCH_SCHEDULE,
        GAMES_HAVE_QUOTES,
        BOOKS_ARE_FRESH,
        NAMES_RESOLVED,
        no_future_data(
            reference.PLAYERS, "last_game_date >= game_date", "Teams come from appearances before the date only."
        ),
        HISTORY_COMPLETE,
        no_future_data(
            analytics.HISTORICAL_GAMES, "played_on >= game_date", "Every game of a history was played before the date."
        ),
        lines_have_provenance(analytics.BETTING_LINES, blocking=True),
        no_future_data(
            analytics.BETTING_LINES,
            "has_prop_line AND (quoted_at >= cutoff_at OR opening_at >= cutoff_at OR cutoff_at IS NULL)",
            "Every line was seen before the cut-off.",
        ),
        SLATE_IS_COMPLETE,
        no_future_data(
            analytics.CONTEXT,
            "history_through >= game_date OR injury_reported_at >= cutoff_at",
            "No game on or after the date is in any average, no report of or after the cut-off in anyone's standing.",
        ),
        REPORTED_ABSENT_KNOWN,
        inputs_are_known(systems),
        *(covers_slate(t) for t in system_tables),
        *(rule(s.trained) for s in systems if s.trained for rule in (model_is_in_force, inputs_as_in_training)),
        NO_PLACEHOLDER_LINES,
        lines_have_provenance(predictions.LEDGER, blocking=False),
        no_future_data(
            predictions.LEDGER,
            # the flag chooses the current row, so it says what the clock says; without a cut-off nothing was early
            "line_minutes_before_game <= 0 OR COALESCE(created_at < cutoff_at, FALSE) = COALESCE(is_backfill, FALSE)",
            "Every published line was seen before the cut-off, and a row is a backfill exactly when it was published "
            "at or after it, or when nobody knows the cut-off.",
        ),
        EVERY_ROW_IS_GRADED,
        *DETECTORS,
    ]
