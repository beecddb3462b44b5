"""Daily sums of what was published and graded, from which findings judge a window."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from functools import cached_property

import pandas as pd

from nba_props.domain.games import PLAYABLE, counted_sql
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL
from nba_props.domain.scoring import LOG_LOSS_SQL
from nba_props.domain.stored import Stored, span_sql
from nba_props.domain.views.ledger import judged_sql, market_of, series_sql
from nba_props.facts import markets
from nba_props.facts.calendar import FINAL, days, season_start
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import DECIDED, SIDES, Outcome, Recommendation, sql_list
from nba_props.schemas.predictions import LEDGER
from nba_props.schemas.raw import SCHEDULE

WINDOW_DATES = 30
WINDOW = timedelta(WINDOW_DATES - 1)

_VARIED = [m.key for m in markets.MARKETS if m.has_even_lines]
_RANGE = "game_date BETWEEN @first AND @last"
_LEDGER = span_sql(LEDGER)
#: the grades of the ledger's rows
_GRADES = f"""(
  SELECT game_date, prediction_id, MAX(outcome) AS outcome, MAX(result) AS result,
    MAX(absolute_error) AS absolute_error, MAX(line_absolute_error) AS line_absolute_error,
    MAX(market_over_probability) AS market_over_probability
  FROM nba_predictions.prediction_accuracy WHERE {_RANGE} GROUP BY game_date, prediction_id
)"""


class Published:
    """Daily sums of what was published and graded in first..last; each is one query, run on first use.

    Args:
        query: runs a statement of the warehouse.
        systems: the systems that publish.
        first: the first date of any window.
        last: the last one.
        now: the time; None if nothing that is judged is due at a time.
        scheduled: dates whose schedule was loaded; None to assume that every date's was.
    """

    def __init__(
        self,
        query: Callable[..., pd.DataFrame],
        systems: tuple[str, ...],
        first: date,
        last: date,
        *,
        now: datetime | None = None,
        scheduled: Collection[date] | None = None,
    ) -> None:
        self._query = query
        self.systems = systems
        self.first = first
        self.last = last
        self.now = now
        self.scheduled = scheduled

    @property
    def series(self) -> int:
        """How many series are judged: one for each system, and one for each of its other markets."""
        found = set(self.cells["system_id"])
        elsewhere = [s for s in found if (m := market_of(s)) != POINTS and s.removesuffix(f" {m}") in self.systems]
        return len(self.systems) + len(elsewhere)

    def _daily(self, sql: str) -> pd.DataFrame:
        rows = self._query(sql, first=self.first, last=self.last)
        rows["game_date"] = rows["game_date"].dt.date
        return rows

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Rows of the ledger by date, series (a system, with the market after it unless that is points), side, validity
        and whether they are current, with their grades.
        """
        return self._daily(
            f"""
            SELECT j.game_date, {series_sql("j")} AS system_id, j.recommendation, j.is_valid_line, j.is_current,
              COUNT(*) AS published,
              COUNT(CASE WHEN j.line IS NOT NULL OR j.line_problem IS NOT NULL THEN 1 END) AS claims,
              COUNT(CASE WHEN j.line_problem IN ({PLACEHOLDER_REASONS_SQL}) THEN 1 END) AS placeholders,
              COUNT(CASE WHEN g.outcome IS NULL OR g.outcome = '{Outcome.PENDING}' THEN 1 END) AS pending,
              COUNT(CASE WHEN g.outcome = '{Outcome.WIN}' THEN 1 END) AS wins,
              COUNT(CASE WHEN g.outcome = '{Outcome.LOSS}' THEN 1 END) AS losses,
              SUM(CASE WHEN g.outcome IN ({sql_list(DECIDED)}) THEN COALESCE(
                CASE WHEN j.recommendation = '{Recommendation.OVER}' THEN g.market_over_probability
                ELSE 1 - g.market_over_probability END, 0.5) END) AS quoted_wins,
              COUNT(CASE WHEN j.line IS NOT NULL AND g.absolute_error IS NOT NULL THEN 1 END) AS rows_with_error,
              SUM(CASE WHEN j.line IS NOT NULL THEN g.absolute_error END) AS error,
              SUM(CASE WHEN g.absolute_error IS NOT NULL THEN g.line_absolute_error END) AS line_error,
              SUM(CASE WHEN g.absolute_error IS NOT NULL
                THEN (j.forecast - j.line) * (j.forecast - j.line) END) AS disagreement
            FROM ({judged_sql(_LEDGER)}) AS j
            LEFT JOIN {_GRADES} AS g ON g.game_date = j.game_date AND g.prediction_id = j.prediction_id
            GROUP BY j.game_date, {series_sql("j")}, j.recommendation, j.is_valid_line, j.is_current
            """
        )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of the ledger by date and system: all, claiming a line, on a verified one, placeholders, ungraded."""
        cells = self.cells
        counted = cells.assign(verified=cells["published"].where(cells["is_valid_line"].astype(bool), 0))
        sums = ["published", "claims", "verified", "placeholders", "pending"]
        return counted.groupby(["game_date", "system_id"], as_index=False, dropna=False)[sums].sum()

    @cached_property
    def current(self) -> pd.DataFrame:
        """The current rows among the cells."""
        return self.cells[self.cells["is_current"].astype(bool)]

    @cached_property
    def decided(self) -> pd.DataFrame:
        """Decided current bets by date, system and side, and how many would be won by the quotes' probabilities;
        ``squared`` is for the mean size of a night.
        """
        sides = self.current[self.current["recommendation"].isin(SIDES)]
        sides = sides.assign(decided=sides["wins"] + sides["losses"])
        daily = sides.groupby(["game_date", "system_id", "recommendation"], as_index=False)[
            ["wins", "decided", "quoted_wins"]
        ].sum()
        return daily.assign(squared=daily["decided"] ** 2, dates=(daily["decided"] > 0).astype(int))

    @cached_property
    def chances(self) -> pd.DataFrame:
        """Losses of published P(over) and of the quotes' on the same decided rows, by date and system."""
        return self._daily(
            f"SELECT game_date, {series_sql('a')} AS system_id, {LOG_LOSS_SQL} "
            f"FROM nba_predictions.prediction_accuracy AS a WHERE {_RANGE} GROUP BY game_date, {series_sql('a')}"
        )

    @cached_property
    def on_valid_lines(self) -> pd.DataFrame:
        """The same by date and system on verified lines, with errors."""
        valid = self.current[self.current["is_valid_line"].astype(bool)]
        valid = valid.assign(decided=valid["wins"] + valid["losses"])
        sums = ["wins", "decided", "quoted_wins", "rows_with_error", "error", "line_error", "disagreement"]
        daily = valid.groupby(["game_date", "system_id"], as_index=False)[sums].sum()
        return daily.assign(
            squared=daily["decided"] ** 2,
            rows_squared=daily["rows_with_error"] ** 2,
            dates=(daily["decided"] > 0).astype(int),
            dates_with_error=(daily["rows_with_error"] > 0).astype(int),
        )

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Lines by date, of all systems together (``system_id`` is empty) and of each.

        The number of players with a line and of different lines: of all systems in every row of the ledger, of one
        system in its current rows. For all systems also how many players end under and over their current line: a
        player counts once a date, however often his line moved, and if his current rows have several lines, each has an
        equal share of him.
        """
        return self._daily(
            f"""
            SELECT claimed.game_date, '' AS system_id, claimed.players, claimed.distinct_lines,
              COALESCE(standing.unders, 0.0) AS unders, COALESCE(standing.players - standing.unders, 0.0) AS overs
            FROM (
              SELECT game_date, COUNT(DISTINCT player_id) AS players, COUNT(DISTINCT line) AS distinct_lines
              FROM {_LEDGER} AS p WHERE line IS NOT NULL AND market = '{POINTS}' GROUP BY game_date
            ) AS claimed
            LEFT JOIN (
              SELECT game_date, SUM(share_under) AS unders, COUNT(share_under) AS players
              FROM (
                SELECT game_date, player_id,
                  AVG(CASE WHEN points < line THEN 1.0 WHEN points > line THEN 0.0 END) AS share_under
                FROM (
                  SELECT c.game_date, c.player_id, c.line, MAX(g.result) AS points
                  FROM nba_predictions.current_predictions AS c
                  LEFT JOIN {_GRADES} AS g ON g.game_date = c.game_date AND g.prediction_id = c.prediction_id
                  WHERE c.game_date BETWEEN @first AND @last AND c.line IS NOT NULL AND c.market = '{POINTS}'
                  GROUP BY c.game_date, c.player_id, c.line
                ) AS his
                GROUP BY game_date, player_id
              ) AS judged
              GROUP BY game_date
            ) AS standing ON standing.game_date = claimed.game_date
            UNION ALL
            SELECT game_date, {series_sql("c")} AS system_id, COUNT(DISTINCT player_id) AS players,
              COUNT(DISTINCT line) AS distinct_lines, 0.0 AS unders, 0.0 AS overs
            FROM nba_predictions.current_predictions AS c
            WHERE {_RANGE} AND line IS NOT NULL AND market IN ({sql_list(_VARIED)})
            GROUP BY game_date, {series_sql("c")}
            """
        )

    @cached_property
    def games(self) -> pd.DataFrame:
        """Games by date: scheduled, with a prediction, final, and final without a box score."""
        return self._daily(
            f"""
            SELECT s.game_date, COUNT(*) AS games, COUNT(p.game_id) AS predicted,
              COUNT(CASE WHEN s.status = {FINAL} THEN 1 END) AS final,
              COUNT(CASE WHEN s.status = {FINAL} AND b.game_id IS NULL THEN 1 END) AS final_without_box
            FROM (
              SELECT game_date, game_id, MAX(status) AS status FROM nba_raw.schedule
              WHERE {_RANGE} AND {PLAYABLE} GROUP BY game_date, game_id
            ) AS s
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_predictions.ledger WHERE {_RANGE}
            ) AS p ON p.game_date = s.game_date AND p.game_id = s.game_id
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_raw.box_scores WHERE {_RANGE}
            ) AS b ON b.game_date = s.game_date AND b.game_id = s.game_id
            GROUP BY s.game_date
            """
        )

    @cached_property
    def unscheduled(self) -> pd.DataFrame:
        """Games by date that have box scores and are in no schedule."""
        return self._daily(
            f"""
            SELECT b.game_date, COUNT(DISTINCT b.game_id) AS games
            FROM nba_raw.box_scores AS b
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_raw.schedule WHERE {_RANGE}
            ) AS s ON s.game_date = b.game_date AND s.game_id = b.game_id
            WHERE b.game_date BETWEEN @first AND @last AND {counted_sql("b")} AND s.game_id IS NULL
            GROUP BY b.game_date
            """
        )

    @cached_property
    def streaks(self) -> pd.DataFrame:
        """The placeholder-free streak as of each game day."""
        return self._daily(f"SELECT * FROM nba_monitoring.placeholder_free_streak WHERE {_RANGE}")

    def has_schedule(self, day: date) -> bool:
        """Whether the date's schedule was loaded and has every game with a box score."""
        return (self.scheduled is None or day in self.scheduled) and day not in set(self.unscheduled["game_date"])

    def is_free(self, first: date, last: date) -> bool:
        """Whether the dates have no games, by a loaded schedule that no box score contradicts."""
        return within(self.games, first, last).empty and all(self.has_schedule(d) for d in days(first, last))


def published(stored: Stored, systems: tuple[str, ...], first: date, last: date, now: datetime | None) -> Published:
    """The sums for the findings of first..last: from the start of the season, or of the window if that is earlier.

    For dates without games they cover these dates only.
    """
    known = frozenset(stored.partitions(SCHEDULE))
    asked = Published(stored.query, systems, first, last, now=now, scheduled=known)
    if asked.is_free(first, last):
        return asked
    back = min(season_start(first), first - WINDOW)
    return Published(stored.query, systems, back, last, now=now, scheduled=known)


def within(frame: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The daily sums of a window."""
    return frame[(frame["game_date"] >= first) & (frame["game_date"] <= last)]


def summed(daily: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The sums of a window by system."""
    return within(daily, first, last).groupby("system_id").sum(numeric_only=True).astype("float64")


def by_system(found: Collection[tuple[str, str]]) -> dict[str, str]:
    """The texts about each system, joined, from pairs of system and text."""
    systems = dict.fromkeys(system for system, _ in found)
    return {system: ", ".join(shown for own, shown in found if own == system) for system in systems}
