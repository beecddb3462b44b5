"""What the feeds delivered: box scores as scheduled, quotes for every game, fresh books, known names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import pandas as pd

from nba_props.domain.book_lines import is_stale
from nba_props.domain.finding import Finding, Severity
from nba_props.domain.games import PLAYABLE, playable_sql
from nba_props.domain.quality.daily import Daily, Figures, known
from nba_props.domain.quality.outputs import odds_are_overdue
from nba_props.domain.stored import Stored
from nba_props.facts import markets
from nba_props.facts.calendar import FINAL
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import BookKind

#: the share of quotes whose names must resolve
NAMES_RESOLVED_SHARE = 0.995


def _judge_box_scores(f: Figures) -> Finding:
    ok = not (f["missing_games"] or f["unscheduled_games"] or f["wrong_scores"])
    text = (
        f"{f['games']} games; {f['missing_games']} final games without box scores, "
        f"{f['unscheduled_games']} unscheduled games, {f['wrong_scores']} teams with other points than the final score"
    )
    return Finding(ok, text, known(f), Severity.WARN)


#: box scores are expected of games that count
_IS_FINAL = f"(status = {FINAL} AND {PLAYABLE})"
BOX_SCORES = Daily(
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
)


def _judge_quotes(f: Figures, now: datetime | None, asked: Collection[str]) -> Finding:
    games, quoted, first = f["games"], f["games_with_lines"], f["first_tipoff"]
    unquoted = [m for m in asked if m != POINTS and not f[f"games_{m}"]]
    figures = {k: v for k, v in f.items() if not k.startswith("games_") or k == "games_with_lines"}
    f = {**figures, "markets_without_quotes": ", ".join(unquoted)} if set(asked) - {POINTS} else figures
    if games == 0:
        return Finding(True, "no games on this date", known(f), Severity.WARN)
    of = " of points" if set(asked) - {POINTS} else ""
    if quoted:
        text = f"{quoted} of {games} games have sportsbook quotes{of} from before the cut-off"
        if unquoted:
            text += f"; none is in {', '.join(unquoted)}, which NBA_PROPS_MARKETS asks for"
        return Finding(quoted == games and not unquoted, text, known(f), Severity.WARN)
    overdue = odds_are_overdue(datetime.fromisoformat(first) if first else None, now)
    text = (
        f"NO ODDS: none of {games} games has a sportsbook's quote{of} from before the cut-off, so no player has a line"
        f"{of}; the first tip-off is {first or 'unknown'}"
    )
    return Finding(False, text, known(f), Severity.ERROR if overdue else Severity.WARN)


_KEYS = markets.keys()
#: games with quotes in each market
_QUOTED_IN = {m: f"COUNT(DISTINCT CASE WHEN q.market = '{m}' THEN q.game_id END)" for m in _KEYS}
_QUOTED_GAMES_SQL = f"""
        SELECT s.game_date, COUNT(DISTINCT s.game_id) AS games, {_QUOTED_IN[POINTS]} AS games_with_lines,
          {", ".join(f"{count} AS games_{m}" for m, count in _QUOTED_IN.items())}, MIN(s.tipoff_at) AS first_tipoff
        FROM nba_raw.schedule AS s
        LEFT JOIN (
          SELECT DISTINCT game_date, game_id, {markets.quoted_market_sql("market")} AS market FROM nba_raw.odds_quotes
          WHERE game_date BETWEEN @first AND @last AND book_kind = '{BookKind.SPORTSBOOK}' AND NOT is_in_play
        ) AS q ON q.game_date = s.game_date AND q.game_id = s.game_id
        WHERE s.game_date BETWEEN @first AND @last AND {playable_sql("s")}
        GROUP BY s.game_date
"""


def games_with_quotes(now: datetime | None, asked: Collection[str] = (POINTS,)) -> Daily:
    """Whether every game has quotes of points; a slate without any is an error once its first tip-off is near.

    Of the other markets that are asked for each needs a quote, in whatever game: they cost credits as well.
    """
    empty = {"games": 0, "games_with_lines": 0, "first_tipoff": None, **{f"games_{m}": 0 for m in _KEYS}}
    return Daily(_QUOTED_GAMES_SQL, lambda f: _judge_quotes(f, now, asked), empty)


def stale_books(stored: Stored, days: Sequence[date]) -> dict[date, Finding]:
    """The books whose quotes were stale when they were captured."""
    quotes = stored.query(
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
            f"stale when captured, so not used as lines: {books}; their lines come from earlier, fresh quotes"
            if books
            else "every book's quotes were fresh"
        )
        found[day] = Finding(not books, text, {"stale_quotes": sum(books.values()), **books}, Severity.WARN)
    return found


def _judge_names(f: Figures) -> Finding:
    total = f["resolved_quotes"] + f["unresolved_quotes"]
    share = f["resolved_quotes"] / total if total else None
    figures = known({**f, "resolved_share": share})
    if share is None:
        return Finding(True, "no quotes", figures, Severity.WARN)
    text = f"{share:.2%} of {total} quotes resolve; {f['unresolved_names']} names do not"
    if f["examples"]:
        text += f": {f['examples']}"
    return Finding(share >= NAMES_RESOLVED_SHARE, text, figures, Severity.WARN)


NAMES = Daily(
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
)
