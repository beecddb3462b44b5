"""Findings about what was published and how it was graded: the detectors, and the final validation.

What is validated is in docs/legacy-systems.md#the-brief.

Every finding reads the ledger itself, judged as it stands now; from the grades come outcomes only. So a row that a
second writer put there is seen before anybody grades it. A finding judges the dates that were asked for, from daily
sums: one query serves any number of windows, and a window counts what was published in it, since a date that nobody
asked for is no defect of the one that was. Detectors look at every published row, valid or not: a figure that is too
good or too even is a defect of the data until proven otherwise.

**False alarms.** A detector is asked on every date of a season, so that one with an interval of 95 % is bound to fire.
Here all rates of severity ERROR together raise a false alarm in at most one of twenty clean seasons (``FALSE_ERRORS``),
of what is fair: each ask has an equal share of that chance, 165 dates times five rates of each system and the share of
unders (:func:`limit`; 4.5 standard deviations with eight systems). Windows overlap, so the true rate is lower. A rate's
deviation allows for what the players of a night have in common (``DATE_CORRELATION``).

Two warnings are no part of that promise, since they ask for a look only. ``chances_as_good_as_quotes`` asks an interval
of 95 % every day: a system exactly as good as the quotes is warned of in about one of six seasons, one that is truly
better more seldom. ``sides_not_skewed`` has a bound of its own: eight systems that each take one side in 65 % of their
picks, one pick like another, are warned of in fewer than one of a hundred seasons; from 75 % on they will be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pandas as pd

from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL, claimed_lines_sql
from nba_props.domain.scoring import LOG_LOSS_SQL, log_loss_differences, rate_intervals
from nba_props.domain.views.ledger import CURRENT_RANK, named_sql
from nba_props.facts.calendar import COUNTED_SQL, EASTERN, FINAL, PLAYABLE, days, season_start
from nba_props.facts.words import percent, plural
from nba_props.schemas.monitoring import MIN_DATES
from nba_props.schemas.raw import SCHEDULE

if TYPE_CHECKING:
    from nba_props.warehouse.base import Warehouse

#: fewest decided bets or lines that a rate is judged on
ENOUGH = 100
WIN_RATE = (0.40, 0.65)
SHARE_UNDER = (0.42, 0.58)
#: what the share of one side may truly be in a fair market: books shade their lines and prices
FAIR = (0.45, 0.55)
MAX_ONE_SIDED = 0.85
#: fewest players with a line for a day's lines to have to differ
FEW_LINES = 5
#: beyond these a system sees the future until proven otherwise
TOO_GOOD_ROWS, TOO_GOOD_HIT_RATE, TOO_GOOD_MAE = 1000, 0.58, 0.25
#: the brief's success criteria (docs/legacy-systems.md#the-brief)
BRIEF_WIN_RATE = (0.50, 0.65)
BRIEF_STREAK = 30
WINDOW_DATES = 30
WINDOW = timedelta(WINDOW_DATES - 1)
#: game dates of a season, on each of which every detector is asked
SEASON_DATES = 165
#: false alarms of severity ERROR in a clean season, all detectors together
FALSE_ERRORS = 0.05
#: rates that are judged for each system on each date: both sides, hits, errors, and the brief's win rate
_RATES_OF_A_SYSTEM = 5
#: correlation of two results of one night that is allowed for. There was none: over 101 dates with real odds, 6,153
#: lines, the shares of unders by date varied with .64 of a binomial's variance
DATE_CORRELATION = 0.002
#: from then on, Eastern, of the day after, a final game has its box scores
RESULTS_DUE = time(9)
#: so long before its first tip-off a slate without any odds is an error; a week later nobody can mend it by a capture
ODDS_DUE, ODDS_LATE = timedelta(hours=1), timedelta(days=7)

_RANGE = "game_date BETWEEN @first AND @last"
_LEDGER = f"(SELECT * FROM nba_predictions.ledger WHERE {_RANGE})"
#: outcomes of the ledger's rows, as far as they are graded
_GRADES = f"""(
  SELECT game_date, prediction_id, MAX(outcome) AS outcome, MAX(actual_points) AS actual_points,
    MAX(absolute_error) AS absolute_error, MAX(line_absolute_error) AS line_absolute_error,
    MAX(market_over_probability) AS market_over_probability
  FROM nba_predictions.prediction_accuracy WHERE {_RANGE} GROUP BY game_date, prediction_id
)"""


@dataclass(frozen=True)
class Finding:
    """What a rule found in a window: whether it passed, in words, and its figures."""

    passed: bool
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    #: there was nothing to judge: a check of one date has nothing against that, the validation of a span says so
    nothing: bool = False
    #: it asks for a look and not for a halt
    warns: bool = False
    #: systems whose figures are a likely bug, and these figures
    suspects: Mapping[str, str] = field(default_factory=dict)


class Published:
    """Daily sums of what was published and graded in first..last; each is one query, run when first asked for.

    Args:
        query: runs a statement of the warehouse.
        systems: the systems that publish.
        first: the first date that any window reaches back to.
        last: the last one.
        now: the time; None where nobody asks what should be there by now.
        scheduled: dates whose schedule was taken in; None where that is not known, and no date is then without one.
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

    def _daily(self, sql: str) -> pd.DataFrame:
        rows = self._query(sql, first=self.first, last=self.last)
        rows["game_date"] = rows["game_date"].dt.date
        return rows

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Rows of the ledger by date, system, side, validity and standing, with what came of them."""
        return self._daily(
            f"""
            SELECT j.game_date, {named_sql("j")} AS system_id, j.recommendation,
              COALESCE(j.line_problem IS NULL AND j.line_source = 'ACTUAL_PROP', FALSE) AS is_valid_line,
              j.is_current,
              COUNT(*) AS published,
              COUNT(CASE WHEN j.line IS NOT NULL OR j.line_problem IS NOT NULL THEN 1 END) AS claims,
              COUNT(CASE WHEN j.line_problem IN ({PLACEHOLDER_REASONS_SQL}) THEN 1 END) AS placeholders,
              COUNT(CASE WHEN g.outcome IS NULL OR g.outcome = 'PENDING' THEN 1 END) AS pending,
              COUNT(CASE WHEN g.outcome = 'WIN' THEN 1 END) AS wins,
              COUNT(CASE WHEN g.outcome = 'LOSS' THEN 1 END) AS losses,
              SUM(CASE WHEN g.outcome IN ('WIN', 'LOSS') THEN COALESCE(CASE WHEN j.recommendation = 'OVER'
                THEN g.market_over_probability ELSE 1 - g.market_over_probability END, 0.5) END) AS quoted_wins,
              COUNT(CASE WHEN j.line IS NOT NULL AND g.absolute_error IS NOT NULL THEN 1 END) AS rows_with_error,
              SUM(CASE WHEN j.line IS NOT NULL THEN g.absolute_error END) AS error,
              SUM(CASE WHEN g.absolute_error IS NOT NULL THEN g.line_absolute_error END) AS line_error,
              SUM(CASE WHEN g.absolute_error IS NOT NULL
                THEN (j.predicted_points - j.line) * (j.predicted_points - j.line) END) AS disagreement
            FROM (
              SELECT p.*, {CURRENT_RANK} = 1 AS is_current FROM ({claimed_lines_sql(_LEDGER)}) AS p
            ) AS j
            LEFT JOIN {_GRADES} AS g ON g.game_date = j.game_date AND g.prediction_id = j.prediction_id
            GROUP BY j.game_date, {named_sql("j")}, j.recommendation, is_valid_line, is_current
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
    def bets(self) -> pd.DataFrame:
        """Current rows by date, system, side and validity: bets won and lost; errors beside the line's."""
        return self.cells[self.cells["is_current"].astype(bool)].rename(columns={"published": "bets"})

    @cached_property
    def decided(self) -> pd.DataFrame:
        """Decided current bets by date, system and side; ``squared`` is for the mean size of a night."""
        sides = self.bets[self.bets["recommendation"].isin(["OVER", "UNDER"])]
        sides = sides.assign(decided=sides["wins"] + sides["losses"])
        daily = sides.groupby(["game_date", "system_id", "recommendation"], as_index=False)[["wins", "decided"]].sum()
        return daily.assign(squared=daily["decided"] ** 2, dates=(daily["decided"] > 0).astype(int))

    @cached_property
    def chances(self) -> pd.DataFrame:
        """Losses of published P(over) and of the quotes' on the same decided rows, by date and system."""
        return self._daily(
            f"SELECT game_date, {named_sql('a')} AS system_id, {LOG_LOSS_SQL} "
            f"FROM nba_predictions.prediction_accuracy AS a WHERE {_RANGE} GROUP BY game_date, {named_sql('a')}"
        )

    @cached_property
    def on_valid_lines(self) -> pd.DataFrame:
        """The same by date and system on verified lines, with errors."""
        valid = self.bets[self.bets["is_valid_line"].astype(bool)]
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

        How many players have one and how many different ones there are: of all together in every row of the ledger, of
        a system in its current rows. Of all together also how many players end under and over theirs, by the lines that
        stand: a player counts once a date, however often his line moved, and where his current rows have several
        different lines, each has an equal share of him.
        """
        return self._daily(
            f"""
            SELECT claimed.game_date, '' AS system_id, claimed.players, claimed.distinct_lines,
              COALESCE(standing.unders, 0.0) AS unders, COALESCE(standing.players - standing.unders, 0.0) AS overs
            FROM (
              SELECT game_date, COUNT(DISTINCT player_id) AS players, COUNT(DISTINCT line) AS distinct_lines
              FROM {_LEDGER} AS p WHERE line IS NOT NULL GROUP BY game_date
            ) AS claimed
            LEFT JOIN (
              SELECT game_date, SUM(share_under) AS unders, COUNT(share_under) AS players
              FROM (
                SELECT game_date, player_id,
                  AVG(CASE WHEN points < line THEN 1.0 WHEN points > line THEN 0.0 END) AS share_under
                FROM (
                  SELECT c.game_date, c.player_id, c.line, MAX(g.actual_points) AS points
                  FROM nba_predictions.current_predictions AS c
                  LEFT JOIN {_GRADES} AS g ON g.game_date = c.game_date AND g.prediction_id = c.prediction_id
                  WHERE c.game_date BETWEEN @first AND @last AND c.line IS NOT NULL
                  GROUP BY c.game_date, c.player_id, c.line
                ) AS his
                GROUP BY game_date, player_id
              ) AS judged
              GROUP BY game_date
            ) AS standing ON standing.game_date = claimed.game_date
            UNION ALL
            SELECT game_date, {named_sql("c")} AS system_id, COUNT(DISTINCT player_id) AS players,
              COUNT(DISTINCT line) AS distinct_lines, 0.0 AS unders, 0.0 AS overs
            FROM nba_predictions.current_predictions AS c
            WHERE {_RANGE} AND line IS NOT NULL
            GROUP BY game_date, {named_sql("c")}
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
        """Games by date that have box scores and stand in no schedule."""
        return self._daily(
            f"""
            SELECT b.game_date, COUNT(DISTINCT b.game_id) AS games
            FROM nba_raw.box_scores AS b
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_raw.schedule WHERE {_RANGE}
            ) AS s ON s.game_date = b.game_date AND s.game_id = b.game_id
            WHERE b.game_date BETWEEN @first AND @last AND b.season_type IN ({COUNTED_SQL}) AND s.game_id IS NULL
            GROUP BY b.game_date
            """
        )

    @cached_property
    def streaks(self) -> pd.DataFrame:
        """The placeholder-free streak as of each game day."""
        return self._daily(f"SELECT * FROM nba_monitoring.placeholder_free_streak WHERE {_RANGE}")

    def has_schedule(self, day: date) -> bool:
        """Whether the date's schedule was taken in, as far as that is known, and holds every game that was played."""
        return (self.scheduled is None or day in self.scheduled) and day not in set(self.unscheduled["game_date"])

    def is_free(self, first: date, last: date) -> bool:
        """Whether nobody plays on these dates, by a schedule that was taken in and is contradicted by no box score."""
        return _within(self.games, first, last).empty and all(self.has_schedule(d) for d in days(first, last))


def published(
    warehouse: Warehouse, systems: tuple[str, ...], first: date, last: date, now: datetime | None
) -> Published:
    """What the findings of first..last read: from the start of the season on, or of the window if that is earlier.

    Of dates on which nobody plays there is no window to read.
    """
    known = frozenset(warehouse.partitions(SCHEDULE))
    asked = Published(warehouse.query, systems, first, last, now=now, scheduled=known)
    if asked.is_free(first, last):
        return asked
    back = min(season_start(first), first - WINDOW)
    return Published(warehouse.query, systems, back, last, now=now, scheduled=known)


def _within(frame: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    return frame[(frame["game_date"] >= first) & (frame["game_date"] <= last)]


def limit(systems: int) -> float:
    """Standard deviations that a rate may be off by: an equal share of ``FALSE_ERRORS`` for each ask of a season."""
    asks = SEASON_DATES * (_RATES_OF_A_SYSTEM * systems + 1)
    return NormalDist().inv_cdf(1 - FALSE_ERRORS / asks / 2)


def _spread(total: float, squared: float) -> float:
    """By how much what a night's results have in common widens a variance; ``squared`` sums the squared night sizes."""
    return 1 + max(squared / total - 1, 0.0) * DATE_CORRELATION


def _off(count: float, total: float, squared: float, low: float, high: float) -> float:
    """By how many standard deviations a rate lies beyond low..high; 0 for one within."""
    rate = count / total
    edge = min(max(rate, low), high)
    return abs(rate - edge) / math.sqrt(edge * (1 - edge) / total * _spread(total, squared))


# -- detectors ------------------------------------------------------------------------------------------------------


def win_rates_plausible(p: Published, day: date) -> Finding:
    """No system wins far too often or far too seldom on one side, whatever its lines are (30 days).

    Outside 40-65 % on at least 100 bets, and further from 45-55 % than chance takes one of twenty clean seasons.
    """
    bets = _within(p.decided, day - WINDOW, day).groupby(["system_id", "recommendation"]).sum(numeric_only=True)
    figures: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for (system, side), row in bets[bets["decided"] >= ENOUGH].iterrows():
        wins, decided = float(row["wins"]), float(row["decided"])
        shown = f"{percent(wins / decided)} of {decided:.0f} on {plural(row['dates'], 'date')}"
        figures[f"{system} {side}"] = shown
        outside = not WIN_RATE[0] <= wins / decided <= WIN_RATE[1]
        if outside and _off(wins, decided, float(row["squared"]), *FAIR) > limit(len(p.systems)):
            wrong.append((str(system), f"{side} {shown}"))
    if wrong:
        text = "; ".join(f"{system} {shown}" for system, shown in wrong)
        text = f"win rates outside 40-65 %: {text}: suspect the lines or a leak"
        return Finding(False, text, figures, suspects=_by_system(wrong))
    counted = f"{len(figures)} of {len(bets)} sides have {ENOUGH} decided bets or more in {WINDOW_DATES} days"
    text = f"{counted} (a system's overs and unders are counted apart)"
    return Finding(
        True, f"{text}, none shown to be outside 40-65 %" if figures else f"{text}: too few to judge", figures
    )


def share_under_plausible(p: Published, day: date) -> Finding:
    """About half of the players end under the line that stands for them (30 days, each player once a date).

    A market sets its lines so that half end under them; invented lines, such as one value for everybody, do not. Judged
    are the lines of the current rows, valid or not: a line that moved, or was published anew, is one result and not
    many, and a superseded one is ``no_placeholders``' to see. Fails outside 42-58 % of at least 100 players, further
    from 45-55 % than chance takes one of twenty clean seasons.
    """
    lines = _within(p.lines[p.lines["system_id"] == ""], day - WINDOW, day)
    nightly = (lines["unders"] + lines["overs"]).astype("float64")
    unders, decided = float(lines["unders"].sum()), float(nightly.sum())
    if decided < ENOUGH:
        return Finding(True, f"{decided:.0f} players with a result, too few to judge", {"players": int(decided)})
    share = unders / decided
    off = _off(unders, decided, float((nightly**2).sum()), *FAIR)
    ok = SHARE_UNDER[0] <= share <= SHARE_UNDER[1] or off <= limit(len(p.systems))
    dates = int((nightly > 0).sum())
    text = f"{percent(share)} of {decided:.0f} players on {plural(dates, 'date')} end under their line"
    return Finding(
        ok,
        text if ok else f"{text}: lines of a market do not",
        {"share_under": share, "players": int(decided), "dates": dates},
    )


def lines_vary(p: Published, day: date) -> Finding:
    """The lines of a day are not all the same, neither of all systems nor of one (chance does not do that)."""
    today = _within(p.lines, day, day)
    if today.empty:
        return Finding(True, "no lines")
    whole = today[today["system_id"] == ""]
    players, distinct = int(whole["players"].iloc[0]), int(whole["distinct_lines"].iloc[0])
    even = today[(today["players"] >= FEW_LINES) & (today["distinct_lines"] == 1)]
    names = ", ".join(str(s) for s in even["system_id"] if s) or "all systems"
    text = f"{distinct} different lines of {players} players"
    return Finding(
        even.empty,
        text if even.empty else f"{text}; one line for everybody: {names}",
        {"players": players, "distinct_lines": distinct},
    )


def sides_not_skewed(p: Published, day: date) -> Finding:
    """No system picks nearly everything on one side (30 days): 85 % of at least 100 picks, which no coin does.

    A warning: a formula may prefer a side. One that takes it in up to 65 % of its picks is warned of by chance in fewer
    than one of a hundred seasons, eight systems together.
    """
    bets = _within(p.bets, day - WINDOW, day)
    sides = bets[bets["recommendation"].isin(["OVER", "UNDER"])]
    counts = sides.pivot_table(index="system_id", columns="recommendation", values="bets", aggfunc="sum", fill_value=0)
    total, most = counts.sum(axis=1), counts.max(axis=1)
    dates = sides[sides["bets"] > 0].groupby("system_id")["game_date"].nunique()
    judged = counts[total >= ENOUGH]
    share = (most / total).reindex(judged.index)
    skewed = [
        f"{s} {percent(v)} {judged.loc[s].idxmax()} of {int(total[s])} on {plural(dates[s], 'date')}"
        for s, v in share.items()
        if v > MAX_ONE_SIDED
    ]
    figures = {str(s): round(float(v), 4) for s, v in share.items()}
    if skewed:
        return Finding(False, f"one-sided: {'; '.join(skewed)}", figures)
    counted = f"{len(figures)} of {len(counts)} systems have {ENOUGH} picks or more in {WINDOW_DATES} days"
    text = f"{counted} (overs and unders together)"
    return Finding(True, f"{text}, none over 85 % on one side" if figures else f"{text}: too few to judge", figures)


def results_due(day: date) -> datetime:
    """When the box scores of a date's games are there: nine in the morning of the next day, Eastern."""
    return datetime.combine(day + timedelta(1), RESULTS_DUE, EASTERN)


def odds_are_overdue(first_tipoff: datetime | None, now: datetime | None) -> bool:
    """Whether a slate without odds is an error: from an hour before its first tip-off until a week after it.

    Before that they may still come; after that they can only be bought, and a history may well have none.
    """
    if first_tipoff is None or now is None:
        return False
    return first_tipoff - ODDS_DUE <= now <= first_tipoff + ODDS_LATE


def gradable_are_graded(p: Published, day: date) -> Finding:
    """Every final game has its box score, and no prediction on it is left pending.

    A final game without one is a warning until nine in the morning of the next day, Eastern, and an error from then on.
    """
    games, rows = _within(p.games, day, day), _within(p.rows, day, day)
    if games.empty:
        return Finding(True, "nothing to grade")
    final, missing = int(games["final"].iloc[0]), int(games["final_without_box"].iloc[0])
    published, pending = int(rows["published"].sum()), int(rows["pending"].sum())
    figures = {"final_games": final, "final_without_box": missing, "published": published, "pending": pending}
    text = f"{published - pending} of {published} rows graded"
    if published:
        text += f" ({percent(1 - pending / published)})"
    late = p.now is not None and p.now >= results_due(day)
    if missing and late:
        text += f"; {missing} of {final} final games still without box score, due since {results_due(day):%H:%M %Z}"
        return Finding(False, f"{text} on {results_due(day):%Y-%m-%d}: nba-props fetch stats {day}", figures)
    return Finding(
        missing == 0, f"{text}; {missing} of {final} final games without box score", figures, warns=missing > 0
    )


def expected_outputs(p: Published, day: date) -> Finding:
    """A game day has predictions of every system for every game; a day without games has none to have.

    A date without games is one whose schedule was taken in and says so; box scores of other games contradict it.
    """
    games = _within(p.games, day, day)
    strays = _within(p.unscheduled, day, day)
    if p.scheduled is not None and day not in p.scheduled:
        return Finding(
            False,
            f"the schedule of {day} was never taken in, so that nobody knows what to expect: materialize "
            "nba_raw/schedule for it",
        )
    scheduled = 0 if games.empty else int(games["games"].iloc[0])
    if len(strays):
        count = int(strays["games"].iloc[0])
        return Finding(
            False,
            f"{count} games have box scores and stand in no schedule of {day}, which has {scheduled}: land the "
            "season's schedule anew and materialize nba_raw/schedule",
            {"games": scheduled, "unscheduled_games": count},
        )
    if not scheduled:
        return Finding(True, "no games on this date")
    predicted = int(games["predicted"].iloc[0])
    present = set(_within(p.rows, day, day)["system_id"])
    absent = [s for s in p.systems if s not in present]
    figures = {
        "games": scheduled,
        "games_predicted": predicted,
        "systems": len(p.systems) - len(absent),
        "absent_systems": absent,
    }
    ok = predicted == scheduled and not absent
    text = f"{predicted} of {scheduled} games have predictions, of {figures['systems']} of {len(p.systems)} systems"
    return Finding(ok, f"{text}; absent: {', '.join(absent)}" if absent else text, figures)


def not_too_good(p: Published, day: date) -> Finding:
    """No system is so much better than the market that it must have seen the future (season to date, valid lines)."""
    sums = _summed(p.on_valid_lines, season_start(day), day)
    figures: dict[str, Any] = {}
    for system, row in sums[sums["rows_with_error"] > 0].iterrows():
        n = row["rows_with_error"]
        errors = f"MAE {row['error'] / n:.3f}, line {row['line_error'] / n:.3f}"
        figures[str(system)] = f"{errors}, n {n:.0f} on {plural(row['dates_with_error'], 'date')}"
    if wrong := too_good(p, season_start(day), day):
        text = "; ".join(f"{system} {shown}" for system, shown in wrong.items())
        return Finding(False, f"{text}: a leak of the future until proven otherwise", figures, suspects=wrong)
    enough = int((sums[["decided", "rows_with_error"]].max(axis=1) >= TOO_GOOD_ROWS).sum()) if len(sums) else 0
    text = f"{enough} of {len(sums)} systems have {TOO_GOOD_ROWS:,} bets or forecasts on verified lines this season"
    return Finding(True, f"{text}, none implausibly good" if enough else f"{text}: too few to judge", figures)


def too_good(p: Published, first: date, last: date) -> dict[str, str]:
    """Systems that must have seen the future to do as they did in first..last on valid lines, and what they did.

    On at least 1,000 rows: more than 58 % of its bets won, and more than bets that win as often as their quotes say win
    in one of twenty seasons; or an error over .25 points under the line's, and further than chance takes a forecast as
    good as the line. How far a row's two errors can differ is bounded by the distance of forecast and line.
    """
    most = limit(len(p.systems))
    wrong: list[tuple[str, str]] = []
    for system, row in _summed(p.on_valid_lines, first, last).iterrows():
        decided, n = row["decided"], row["rows_with_error"]
        lucky = decided >= TOO_GOOD_ROWS and row["wins"] / decided > TOO_GOOD_HIT_RATE
        # books move prices before they move lines, so that the better side of a line is no secret
        quoted = row["quoted_wins"] / decided if decided else 0.5
        if lucky and _off(row["wins"], decided, row["squared"], quoted, quoted) > most:
            won = f"wins {percent(row['wins'] / decided)} of {decided:.0f} on {plural(row['dates'], 'date')}"
            wrong.append((str(system), f"{won}, {percent(quoted)} by the quotes"))
        gain = row["line_error"] - row["error"]
        chance = math.sqrt(row["disagreement"] * _spread(n, row["rows_squared"])) if n else 0.0
        if n >= TOO_GOOD_ROWS and gain / n > TOO_GOOD_MAE and gain > most * chance:
            dates = plural(row["dates_with_error"], "date")
            wrong.append((str(system), f"beats the line by {gain / n:.2f} points on {n:.0f} rows of {dates}"))
    return _by_system(wrong)


def _summed(daily: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    return _within(daily, first, last).groupby("system_id").sum(numeric_only=True).astype("float64")


def _by_system(found: Collection[tuple[str, str]]) -> dict[str, str]:
    systems = dict.fromkeys(system for system, _ in found)
    return {system: ", ".join(shown for own, shown in found if own == system) for system in systems}


def chances_as_good_as_quotes(p: Published, day: date) -> Finding:
    """No system publishes a P(over) that is shown to be worse than the quotes' own (log-loss, season to date).

    Shown is by an interval of 95 %, from ten dates on, so this warns and never fails: asked on every date of a season,
    it is wrong of a system exactly as good as the quotes in about one of six.
    """
    if p.is_free(day, day):
        return Finding(True, "no games on this date")
    season = _within(p.chances, season_start(day), day).set_index(["system_id", "game_date"]).astype("float64")
    season = season[season["chances"] > 0]
    figures: dict[str, Any] = {}
    worse = []
    for system, row in log_loss_differences(season).iterrows() if len(season) else ():
        if row["dates"] < MIN_DATES:
            rows = f"{row['rows']:.0f} rows of {plural(row['dates'], 'date')}"
            figures[str(system)] = f"{row['value']:+.4f} on {rows}, too few for an interval"
            continue
        bounds = f"[{row['low']:+.4f}, {row['high']:+.4f}]"
        shown = f"{row['value']:+.4f} {bounds} on {row['rows']:.0f} rows of {plural(row['dates'], 'date')}"
        figures[str(system)] = shown
        if row["low"] > 0:
            worse.append(f"{system} {shown}")
    if worse:
        text = f"P(over) has a worse log-loss than the quotes' own: {'; '.join(worse)}: believe the quotes"
        return Finding(False, text, figures, warns=True)
    if not figures:
        return Finding(True, "no P(over) is graded beside a quote's", figures)
    return Finding(True, f"{len(figures)} systems' P(over) are not shown to be worse than the quotes' own", figures)


def streak_unbroken(p: Published, day: date) -> Finding:
    """No placeholder stands on the date, so that it does not end the streak of thirty game days without one.

    A placeholder that was archived since ends the streak, too, and is no fault of the date any more.
    """
    if day not in set(p.streaks["game_date"]):
        return Finding(True, "the date is no game day of the streak")
    streaks = _within(p.streaks, p.first, day).sort_values("game_date")
    streak = int(streaks["streak"].iloc[-1])
    text = f"{streak} game days in a row without a placeholder, {BRIEF_STREAK} are the goal"
    broken = streaks[streaks["verdict"] != "CLEAN"]
    if streak < min(BRIEF_STREAK, len(streaks)) and len(broken):
        text += f"; {_broken(broken.iloc[-1])}"
    standing = int(_within(p.rows, day, day)["placeholders"].sum())
    return Finding(standing == 0, text, {"streak": streak, "placeholders": standing})


def _broken(day: pd.Series) -> str:
    """What ended a streak, in words: ``PLACEHOLDER`` stays so when its rows were archived since."""
    count = f" ({int(day['placeholders'])} were published)" if day["verdict"] == "PLACEHOLDER" else ""
    return f"broken on {day['game_date']}: {day['verdict']}{count}"


# -- the brief's final validation: docs/legacy-systems.md#the-brief -------------------------------------------------


def no_placeholders(p: Published, first: date, last: date) -> Finding:
    """Not one published row carries a placeholder line."""
    rows = _within(p.rows, first, last)
    found, inspected = int(rows["placeholders"].sum()), int(rows["published"].sum())
    figures = {"placeholders": found, "rows_inspected": inspected}
    if not inspected:
        free = p.is_free(first, last)
        text = "no games" if free else "no row was published, so nothing was inspected"
        return Finding(free, text, figures)
    text = f"{found} placeholders in {inspected} published rows"
    streaks = _within(p.streaks, first, last)
    archived = int(streaks["placeholders"].sum()) - int(rows["placeholders"].sum())
    return Finding(found == 0, f"{text}{set_aside(int(streaks['held_back'].sum()), archived)}", figures)


def set_aside(in_quarantine: int, archived: int) -> str:
    """The placeholders that are dealt with, in brackets; empty where there are none."""
    counts = {"in quarantine": in_quarantine, "archived": archived}
    said = ", ".join(f"{count} {where}" for where, count in counts.items() if count > 0)
    return f" ({said}, where no user sees them)" if said else ""


def lines_are_real(p: Published, first: date, last: date) -> Finding:
    """Every line claimed is a sportsbook's verified quote."""
    rows = _within(p.rows, first, last)
    claims, verified = int(rows["claims"].sum()), int(rows["verified"].sum())
    figures = {"claims": claims, "verified": verified}
    if not claims:
        return Finding(False, "no row claims a line", figures, nothing=True)
    dates = rows.loc[rows["claims"] > 0, "game_date"].nunique()
    text = f"{percent(verified / claims)} of {claims} lines on {plural(dates, 'date')} verified"
    if verified < claims:
        text += f": {claims - verified} are not their quote's (`nba-props quarantine invalid_line` lists them)"
    return Finding(verified == claims, text, figures)


def win_rates_in_range(p: Published, first: date, last: date) -> Finding:
    """No system's win rate on valid lines is shown to lie outside 50-65 %.

    Shown is what chance does to a rate within it in one of twenty seasons; the interval in the text is one of 95 %.
    """
    daily = _within(p.on_valid_lines, first, last)
    sums = _summed(daily, first, last)
    by_date = daily.set_index(["system_id", "game_date"])
    rates = rate_intervals(by_date["wins"], by_date["decided"])
    figures: dict[str, Any] = {}
    wrong, high = [], {}
    for system, row in sums[sums["decided"] > 0].iterrows():
        decided, found = row["decided"], rates.loc[system]
        bounds = (
            f"{percent(found['low'])}, {percent(found['high'])}"
            if found["dates"] >= MIN_DATES
            else "too few dates for an interval"
        )
        shown = f"{percent(found['value'])} [{bounds}] of {decided:.0f} on {plural(found['dates'], 'date')}"
        figures[str(system)] = shown
        if _off(row["wins"], decided, row["squared"], *BRIEF_WIN_RATE) > limit(len(p.systems)):
            wrong.append(f"{system} {shown}")
            if found["value"] > BRIEF_WIN_RATE[1]:
                high[str(system)] = f"wins {shown}"
    if not figures:
        return Finding(False, "no bet on a valid line is decided", figures, nothing=True)
    text = "; ".join(f"{k} {v}" for k, v in figures.items())
    text = f"outside 50-65 %: {'; '.join(wrong)}" if wrong else text
    return Finding(not wrong, text, figures, suspects=high)


def all_systems_present(p: Published, first: date, last: date) -> Finding:
    """Every system has published on every game day since the season's first on which one has; days before are named."""
    rows = _within(p.rows, first, last)
    scheduled = set(_within(p.games, first, last)["game_date"])
    figures: dict[str, Any] = {"game_days": len(scheduled), "systems": len(p.systems)}
    if rows.empty:
        free = p.is_free(first, last)
        text = "no games" if free else f"nothing was published; {len(scheduled)} game days are known"
        return Finding(free, text, figures)
    # what was imported is another system's record
    own = p.rows.loc[p.rows["system_id"].isin(p.systems), "game_date"]
    begun = min(own) if len(own) else first
    game_days = {d for d in scheduled if d >= begun}
    have = {s: set(rows.loc[rows["system_id"] == s, "game_date"]) for s in p.systems}
    gaps = {s: sorted(game_days - have[s]) for s in p.systems if game_days - have[s]}
    figures = {**figures, "game_days": len(game_days), "gaps": {s: len(g) for s, g in gaps.items()}}
    if gaps:
        shown = "; ".join(f"{s} lacks {len(g)}, the first {g[0]}" for s, g in gaps.items())
        return Finding(False, f"of {len(game_days)} game days {shown}", figures)
    text = f"all {len(p.systems)} systems on all {len(game_days)} game days"
    if before := len(scheduled) - len(game_days):
        text += f"; nothing was published on {before} game days before {begun}, the season's first"
    return Finding(True, text, figures)


def long_streak(p: Published, first: date, last: date) -> Finding:
    """Thirty consecutive game days without a placeholder, each with evidence."""
    streaks = _within(p.streaks, first, last).sort_values("game_date")
    if streaks.empty:
        return Finding(False, "no game day has evidence", {"streak": 0})
    newest = streaks.iloc[-1]
    streak = int(newest["streak"])
    text = f"{streak} of {BRIEF_STREAK} consecutive game days without a placeholder as of {newest['game_date']}"
    broken = streaks[streaks["verdict"] != "CLEAN"]
    if streak < BRIEF_STREAK and len(broken):
        text += f"; {_broken(broken.iloc[-1])}"
    return Finding(streak >= BRIEF_STREAK, text, {"streak": streak, "verdict": str(newest["verdict"])})


VALIDATION: Mapping[str, Callable[[Published, date, date], Finding]] = {
    "validation_no_placeholders": no_placeholders,
    "validation_lines_are_real": lines_are_real,
    "validation_win_rates": win_rates_in_range,
    "validation_all_systems_present": all_systems_present,
    "validation_streak_of_30": long_streak,
}
DETECTORS: Mapping[str, Callable[[Published, date], Finding]] = {
    "win_rates_plausible": win_rates_plausible,
    "share_under_plausible": share_under_plausible,
    "lines_vary": lines_vary,
    "sides_not_skewed": sides_not_skewed,
    "gradable_are_graded": gradable_are_graded,
    "expected_outputs": expected_outputs,
    "not_too_good": not_too_good,
    "chances_as_good_as_quotes": chances_as_good_as_quotes,
    "streak_unbroken": streak_unbroken,
}
#: findings that ask for a look and not for a halt: a side a formula prefers, a streak that is still young
WARNINGS = ("sides_not_skewed", "validation_streak_of_30")


def warns(name: str, finding: Finding) -> bool:
    """Whether a finding that did not pass asks for a look and not for a halt."""
    return name in WARNINGS or finding.warns or finding.nothing


def suspects(p: Published, found: Mapping[str, Finding], first: date, last: date) -> dict[str, str]:
    """Systems whose figures are a likely bug and no success, with the figures: of the findings, and of the span itself.

    Args:
        p: what was published.
        found: the span's ``findings``.
        first: the span's first date.
        last: its last one.
    """
    named = [(system, text) for finding in found.values() for system, text in finding.suspects.items()]
    return _by_system(dict.fromkeys([*named, *too_good(p, first, last).items()]))


def findings(p: Published, first: date, last: date) -> dict[str, Finding]:
    """The validation of a span and every detector as of its end, by name: of one date, what its checks say."""
    found = {name: find(p, first, last) for name, find in VALIDATION.items()}
    if p.is_free(first, last):
        found = {name: replace(f, passed=f.passed or f.nothing) for name, f in found.items()}
    return found | {name: find(p, last) for name, find in DETECTORS.items()}
