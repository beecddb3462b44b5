"""Findings about what was published and how it was graded: the detectors, and the brief's final validation.

A finding judges a window of dates from daily sums, so one query serves any number of windows. Detectors look at every
published row, valid or not: a figure that is too good or too even is a defect of the data until proven otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from nba_props.domain.calendar import PLAYABLE, season_start
from nba_props.domain.lines import PLACEHOLDER_REASONS_SQL
from nba_props.domain.scoring import wilson

#: fewest decided bets or lines that a rate is judged on (reference 5.6)
ENOUGH = 100
WIN_RATE = (0.40, 0.65)
SHARE_UNDER = (0.42, 0.58)
MAX_ONE_SIDED = 0.85
#: fewest players with a line for a day's lines to have to differ
FEW_LINES = 5
#: beyond these a system sees the future until proven otherwise (issue 4)
TOO_GOOD_ROWS, TOO_GOOD_HIT_RATE, TOO_GOOD_MAE = 1000, 0.58, 0.25
#: the brief's success criteria (reference 6.2)
BRIEF_WIN_RATE = (0.50, 0.65)
BRIEF_ACTUAL_PROP = 0.95
BRIEF_STREAK = 30
WINDOW = timedelta(29)

_RANGE = "game_date BETWEEN @first AND @last"


@dataclass(frozen=True)
class Finding:
    """What a rule found in a window: whether it passed, in words, and its figures."""

    passed: bool
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    #: there was nothing to judge, which the validation of a span takes for a failure
    nothing: bool = False


class Published:
    """Daily sums of what was published and graded in first..last; each is one query, run when first asked for."""

    def __init__(self, query: Callable[..., pd.DataFrame], systems: tuple[str, ...], first: date, last: date) -> None:
        self._query = query
        self.systems = systems
        self.first = first
        self.last = last

    def _daily(self, sql: str) -> pd.DataFrame:
        rows = self._query(sql, first=self.first, last=self.last)
        rows["game_date"] = rows["game_date"].dt.date
        return rows

    @cached_property
    def bets(self) -> pd.DataFrame:
        """Decided and open bets by date, system and side; errors beside the line's by date and system."""
        return self._daily(
            f"""
            SELECT game_date, system_id, recommendation, is_valid_line, COUNT(*) AS bets,
              COUNT(CASE WHEN outcome = 'WIN' THEN 1 END) AS wins,
              COUNT(CASE WHEN outcome = 'LOSS' THEN 1 END) AS losses,
              COUNT(CASE WHEN line IS NOT NULL AND absolute_error IS NOT NULL THEN 1 END) AS rows_with_error,
              SUM(CASE WHEN line IS NOT NULL THEN absolute_error END) AS error,
              SUM(CASE WHEN absolute_error IS NOT NULL THEN line_absolute_error END) AS line_error
            FROM nba_predictions.prediction_accuracy
            WHERE {_RANGE} AND is_current
            GROUP BY game_date, system_id, recommendation, is_valid_line
            """
        )

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Lines by date, one for each player and value: how many, how many decided each way, their spread."""
        return self._daily(
            f"""
            SELECT game_date, COUNT(DISTINCT player_id) AS players, COUNT(DISTINCT line) AS distinct_lines,
              COUNT(CASE WHEN margin < 0 THEN 1 END) AS unders, COUNT(CASE WHEN margin > 0 THEN 1 END) AS overs
            FROM (
              SELECT game_date, player_id, line, MAX(actual_margin) AS margin
              FROM nba_predictions.prediction_accuracy
              WHERE {_RANGE} AND line IS NOT NULL
              GROUP BY game_date, player_id, line
            ) AS claimed
            GROUP BY game_date
            """
        )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of the ledger by date and system: all, claiming a line, on a verified one, placeholders."""
        return self._daily(
            f"""
            SELECT game_date, system_id, COUNT(*) AS published,
              COUNT(CASE WHEN line IS NOT NULL OR line_problem IS NOT NULL THEN 1 END) AS claims,
              COUNT(CASE WHEN is_valid_line THEN 1 END) AS verified,
              COUNT(CASE WHEN line_problem IN ({PLACEHOLDER_REASONS_SQL}) THEN 1 END) AS placeholders,
              COUNT(CASE WHEN outcome = 'PENDING' THEN 1 END) AS pending
            FROM nba_predictions.prediction_accuracy
            WHERE {_RANGE}
            GROUP BY game_date, system_id
            """
        )

    @cached_property
    def games(self) -> pd.DataFrame:
        """Games by date: scheduled, with a prediction, final, and final without a box score."""
        return self._daily(
            f"""
            SELECT s.game_date, COUNT(*) AS games, COUNT(p.game_id) AS predicted,
              COUNT(CASE WHEN s.status = 3 THEN 1 END) AS final,
              COUNT(CASE WHEN s.status = 3 AND b.game_id IS NULL THEN 1 END) AS final_without_box
            FROM (
              SELECT game_date, game_id, MAX(status) AS status FROM nba_raw.schedule
              WHERE {_RANGE} AND {PLAYABLE} GROUP BY game_date, game_id
            ) AS s
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_predictions.prediction_accuracy WHERE {_RANGE}
            ) AS p ON p.game_date = s.game_date AND p.game_id = s.game_id
            LEFT JOIN (
              SELECT DISTINCT game_date, game_id FROM nba_raw.box_scores WHERE {_RANGE}
            ) AS b ON b.game_date = s.game_date AND b.game_id = s.game_id
            GROUP BY s.game_date
            """
        )

    @cached_property
    def streaks(self) -> pd.DataFrame:
        """The placeholder-free streak as of each game day."""
        return self._daily(f"SELECT * FROM nba_monitoring.placeholder_free_streak WHERE {_RANGE}")


def _within(frame: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    return frame[(frame["game_date"] >= first) & (frame["game_date"] <= last)]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


# -- detectors ------------------------------------------------------------------------------------------------------


def win_rates_plausible(p: Published, day: date) -> Finding:
    """No system wins far too often or far too seldom on one side, whatever its lines are (30 days)."""
    bets = _within(p.bets, day - WINDOW, day).groupby(["system_id", "recommendation"])[["wins", "losses"]].sum()
    figures: dict[str, Any] = {}
    wrong = []
    for (system, side), row in bets.iterrows():
        decided = int(row["wins"] + row["losses"])
        if decided < ENOUGH:
            continue
        rate = row["wins"] / decided
        figures[f"{system} {side}"] = f"{_percent(rate)} of {decided}"
        if not WIN_RATE[0] <= rate <= WIN_RATE[1]:
            wrong.append(f"{system} {side} {_percent(rate)} of {decided}")
    if wrong:
        return Finding(False, f"win rates outside 40-65 %: {'; '.join(wrong)}: suspect the lines or a leak", figures)
    return Finding(True, f"{len(figures)} win rates on at least {ENOUGH} bets, all within 40-65 %", figures)


def share_under_plausible(p: Published, day: date) -> Finding:
    """About half of the players end under their line (30 days)."""
    lines = _within(p.lines, day - WINDOW, day)[["unders", "overs"]].sum()
    decided = int(lines.sum())
    if decided < ENOUGH:
        return Finding(True, f"{decided} decided lines, too few to judge", {"decided_lines": decided})
    share, low, high = (float(v) for v in wilson(lines["unders"], decided))
    # of a hundred lines 58 and more end under by chance now and then: the interval has to exclude one half, too
    ok = SHARE_UNDER[0] <= share <= SHARE_UNDER[1] or low <= 0.5 <= high
    text = f"{_percent(share)} of {decided} players end under their line"
    return Finding(
        ok, text if ok else f"{text}: lines of a market do not", {"share_under": share, "decided_lines": decided}
    )


def lines_vary(p: Published, day: date) -> Finding:
    """The lines of a day are not all the same."""
    today = _within(p.lines, day, day)
    if today.empty:
        return Finding(True, "no lines")
    players, distinct = int(today["players"].iloc[0]), int(today["distinct_lines"].iloc[0])
    ok = players < FEW_LINES or distinct > 1
    return Finding(
        ok, f"{distinct} different lines of {players} players", {"players": players, "distinct_lines": distinct}
    )


def sides_not_skewed(p: Published, day: date) -> Finding:
    """No system bets nearly everything on one side (30 days)."""
    bets = _within(p.bets, day - WINDOW, day)
    sides = bets[bets["recommendation"].isin(["OVER", "UNDER"])]
    counts = sides.pivot_table(index="system_id", columns="recommendation", values="bets", aggfunc="sum", fill_value=0)
    total, most = counts.sum(axis=1), counts.max(axis=1)
    judged = counts[total >= ENOUGH]
    share = (most / total).reindex(judged.index)
    skewed = [
        f"{s} {_percent(v)} {judged.loc[s].idxmax()} of {int(total[s])}" for s, v in share.items() if v > MAX_ONE_SIDED
    ]
    figures = {str(s): round(float(v), 4) for s, v in share.items()}
    if skewed:
        return Finding(False, f"one-sided: {'; '.join(skewed)}", figures)
    return Finding(True, f"{len(figures)} systems with at least {ENOUGH} bets, none over 85 % on one side", figures)


def gradable_are_graded(p: Published, day: date) -> Finding:
    """Every final game has its box score, and no prediction on it is left pending."""
    games, rows = _within(p.games, day, day), _within(p.rows, day, day)
    if games.empty or rows.empty:
        return Finding(True, "nothing to grade")
    final, missing = int(games["final"].iloc[0]), int(games["final_without_box"].iloc[0])
    published, pending = int(rows["published"].sum()), int(rows["pending"].sum())
    coverage = 1 - pending / published
    figures = {"final_games": final, "final_without_box": missing, "published": published, "pending": pending}
    text = f"{published - pending} of {published} rows graded ({_percent(coverage)})"
    return Finding(missing == 0, f"{text}; {missing} of {final} final games without box score", figures)


def expected_outputs(p: Published, day: date) -> Finding:
    """A game day has predictions of every system for every game; a day without games has none to have."""
    games = _within(p.games, day, day)
    if games.empty:
        return Finding(True, "no games on this date")
    scheduled, predicted = int(games["games"].iloc[0]), int(games["predicted"].iloc[0])
    present = set(_within(p.rows, day, day)["system_id"])
    absent = [s for s in p.systems if s not in present]
    figures = {"games": scheduled, "games_predicted": predicted, "systems": len(present), "absent_systems": absent}
    ok = predicted == scheduled and not absent
    text = f"{predicted} of {scheduled} games have predictions, of {len(present)} of {len(p.systems)} systems"
    return Finding(ok, f"{text}; absent: {', '.join(absent)}" if absent else text, figures)


def not_too_good(p: Published, day: date) -> Finding:
    """No system is so much better than the market that it must have seen the future (season to date, valid lines)."""
    valid = p.bets[p.bets["is_valid_line"].astype(bool)]
    season = _within(valid, season_start(day), day)
    sums = season.groupby("system_id")[["wins", "losses", "rows_with_error", "error", "line_error"]].sum()
    figures: dict[str, Any] = {}
    wrong = []
    for system, row in sums.iterrows():
        decided, n = int(row["wins"] + row["losses"]), int(row["rows_with_error"])
        if decided >= TOO_GOOD_ROWS and row["wins"] / decided > TOO_GOOD_HIT_RATE:
            wrong.append(f"{system} wins {_percent(row['wins'] / decided)} of {decided}")
        if n >= TOO_GOOD_ROWS and (row["error"] - row["line_error"]) / n < -TOO_GOOD_MAE:
            wrong.append(f"{system} beats the line by {(row['line_error'] - row['error']) / n:.2f} points on {n} rows")
        if n:
            figures[str(system)] = f"MAE {row['error'] / n:.3f}, line {row['line_error'] / n:.3f}, n {n}"
    if wrong:
        return Finding(False, f"{'; '.join(wrong)}: a leak of the future until proven otherwise", figures)
    return Finding(True, "no system is better than a market lets one be", figures)


def streak_unbroken(p: Published, day: date) -> Finding:
    """Thirty game days in a row without a placeholder, or every one so far where there are not thirty yet."""
    if day not in set(p.streaks["game_date"]):
        return Finding(True, "no games on this date")
    streaks = _within(p.streaks, p.first, day).sort_values("game_date")
    streak = int(streaks["streak"].iloc[-1])
    goal = min(BRIEF_STREAK, len(streaks))
    text = f"{streak} game days in a row without a placeholder, {BRIEF_STREAK} are the goal"
    if streak >= goal:
        return Finding(True, text, {"streak": streak})
    broken = streaks[streaks["verdict"] != "CLEAN"].iloc[-1]
    return Finding(False, f"{text}; broken on {broken['game_date']}: {broken['verdict']}", {"streak": streak})


# -- the brief's final validation -----------------------------------------------------------------------------------


def no_placeholders(p: Published, first: date, last: date) -> Finding:
    """Not one published row carries a placeholder line."""
    rows = _within(p.rows, first, last)
    found, inspected = int(rows["placeholders"].sum()), int(rows["published"].sum())
    figures = {"placeholders": found, "rows_inspected": inspected}
    if not inspected:
        return Finding(False, "no row was published, so nothing was inspected", figures)
    return Finding(found == 0, f"{found} placeholders in {inspected} published rows", figures)


def lines_are_real(p: Published, first: date, last: date) -> Finding:
    """More than 95 % of the lines claimed are a sportsbook's verified quote."""
    rows = _within(p.rows, first, last)
    claims, verified = int(rows["claims"].sum()), int(rows["verified"].sum())
    figures = {"claims": claims, "verified": verified}
    if not claims:
        return Finding(False, "no row claims a line", figures, nothing=True)
    return Finding(
        verified / claims > BRIEF_ACTUAL_PROP, f"{_percent(verified / claims)} of {claims} lines verified", figures
    )


def win_rates_in_range(p: Published, first: date, last: date) -> Finding:
    """No system's win rate on valid lines is shown to lie outside 50-65 %: its 95 % interval reaches into the range."""
    valid = p.bets[p.bets["is_valid_line"].astype(bool)]
    sums = _within(valid, first, last).groupby("system_id")[["wins", "losses"]].sum()
    figures: dict[str, Any] = {}
    wrong = []
    for system, row in sums.iterrows():
        decided = int(row["wins"] + row["losses"])
        if not decided:
            continue
        rate, low, high = wilson(row["wins"], decided)
        shown = f"{_percent(rate)} [{_percent(low)}, {_percent(high)}] of {decided}"
        figures[str(system)] = shown
        if high < BRIEF_WIN_RATE[0] or low > BRIEF_WIN_RATE[1]:
            wrong.append(f"{system} {shown}")
    if not figures:
        return Finding(False, "no bet on a valid line is decided", figures, nothing=True)
    text = "; ".join(f"{k} {v}" for k, v in figures.items())
    return Finding(not wrong, f"outside 50-65 %: {'; '.join(wrong)}" if wrong else text, figures)


def all_systems_present(p: Published, first: date, last: date) -> Finding:
    """Every system has published on every game day."""
    game_days = set(_within(p.streaks, first, last)["game_date"])  # since the first predictions there are
    rows = _within(p.rows, first, last)
    days = {s: set(rows.loc[rows["system_id"] == s, "game_date"]) for s in p.systems}
    gaps = {s: sorted(game_days - have) for s, have in days.items() if game_days - have}
    figures = {"game_days": len(game_days), "systems": len(p.systems), "gaps": {s: len(g) for s, g in gaps.items()}}
    if not game_days:
        return Finding(False, "there is no game day in this span", figures)
    if gaps:
        shown = "; ".join(f"{s} lacks {len(g)}, the first {g[0]}" for s, g in gaps.items())
        return Finding(False, f"of {len(game_days)} game days {shown}", figures)
    return Finding(True, f"all {len(p.systems)} systems on all {len(game_days)} game days", figures)


def long_streak(p: Published, first: date, last: date) -> Finding:
    """Thirty consecutive game days without a placeholder, each with evidence."""
    streaks = _within(p.streaks, first, last).sort_values("game_date")
    if streaks.empty:
        return Finding(False, "no game day has evidence", {"streak": 0})
    newest = streaks.iloc[-1]
    streak = int(newest["streak"])
    text = f"{streak} of {BRIEF_STREAK} consecutive game days without a placeholder as of {newest['game_date']}"
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
    "streak_unbroken": streak_unbroken,
}
#: findings that ask for a look and not for a halt: a side a formula prefers, a streak that is still young
WARNINGS = ("sides_not_skewed", "gradable_are_graded", "validation_streak_of_30")


def findings(p: Published, first: date, last: date) -> dict[str, Finding]:
    """The validation of a span and every detector as of its end, by name."""
    found = {name: find(p, first, last) for name, find in VALIDATION.items()}
    return found | {name: find(p, last) for name, find in DETECTORS.items()}
