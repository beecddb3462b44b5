"""The streak of game days without a placeholder: the detector of a day, and the validation of a span."""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.quality.sums import Published, within
from nba_props.facts.vocabulary import StreakVerdict
from nba_props.facts.words import plural

BRIEF_STREAK = 30


def streak_unbroken(p: Published, day: date) -> Finding:
    """No placeholder is published on the date, so that it does not end the streak of game days without one.

    A placeholder that was archived since ends the streak too, but the date passes.
    """
    if day not in set(p.streaks["game_date"]):
        return Finding(True, "the date is not a game day of the streak")
    streaks = within(p.streaks, p.first, day).sort_values("game_date")
    streak = int(streaks["streak"].iloc[-1])
    text = f"{plural(streak, 'game day')} in a row without a placeholder, {BRIEF_STREAK} are the goal"
    broken = streaks[streaks["verdict"] != StreakVerdict.CLEAN]
    if streak < min(BRIEF_STREAK, len(streaks)) and len(broken):
        text += f"; {_broken(broken.iloc[-1])}"
    standing = int(within(p.rows, day, day)["placeholders"].sum())
    return Finding(standing == 0, text, {"streak": streak, "placeholders": standing})


def long_streak(p: Published, first: date, last: date) -> Finding:
    """Thirty consecutive game days without a placeholder, each with evidence."""
    streaks = within(p.streaks, first, last).sort_values("game_date")
    if streaks.empty:
        return Finding(False, "no game day has evidence", {"streak": 0}, Severity.WARN)
    newest = streaks.iloc[-1]
    streak = int(newest["streak"])
    text = f"{streak} of {BRIEF_STREAK} consecutive game days without a placeholder as of {newest['game_date']}"
    broken = streaks[streaks["verdict"] != StreakVerdict.CLEAN]
    if streak < BRIEF_STREAK and len(broken):
        text += f"; {_broken(broken.iloc[-1])}"
    figures = {"streak": streak, "verdict": str(newest["verdict"])}
    return Finding(streak >= BRIEF_STREAK, text, figures, Severity.WARN)


def _broken(day: pd.Series) -> str:
    """What ended a streak, in words; a placeholder ended it even if it was archived since."""
    count = f" ({int(day['placeholders'])} were published)" if day["verdict"] == StreakVerdict.PLACEHOLDER else ""
    return f"broken on {day['game_date']}: {day['verdict']}{count}"
