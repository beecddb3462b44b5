"""Findings about what was published and how it was graded: the detectors, and the final validation.

What is validated is in docs/legacy-systems.md#the-brief.

Findings read the ledger itself, judged as it is now, and only outcomes from the grades, so that a second writer's rows
are found before they are graded. They are made from daily sums: one query serves any number of windows, and a window
counts what was published in it, so that a date is not blamed for others that were never run. Detectors look at every
published row, valid or not: a figure that is too good or too even is a defect of the data until proven otherwise.
``alarms`` has how rarely they fire by chance.

Belongs here: what must hold of stored data, as a :class:`Finding` in words and figures. Not here: the asset that a rule
checks and what it blocks (checks), or what is held back row by row (domain/gate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from nba_props.domain.finding import Finding
from nba_props.domain.quality.detectors import (
    ENOUGH,
    MAX_ONE_SIDED,
    SHARE_UNDER,
    WIN_RATE,
    chances_as_good_as_quotes,
    lines_vary,
    not_too_good,
    share_under_plausible,
    sides_not_skewed,
    too_good,
    win_rates_plausible,
)
from nba_props.domain.quality.outputs import RESULTS_DUE, expected_outputs, gradable_are_graded, odds_are_overdue
from nba_props.domain.quality.streak import BRIEF_STREAK, long_streak, streak_unbroken
from nba_props.domain.quality.sums import Published, by_system, published
from nba_props.domain.quality.validation import (
    BRIEF_WIN_RATE,
    all_systems_present,
    lines_are_real,
    no_placeholders,
    win_rates_in_range,
)
from nba_props.facts.words import percents

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
#: the limits of those that have one, for the descriptions of their checks
LIMITS: Mapping[str, str] = {
    "validation_win_rates": percents(*BRIEF_WIN_RATE),
    "win_rates_plausible": f"{percents(*WIN_RATE)} on {ENOUGH} bets or more",
    "share_under_plausible": f"{percents(*SHARE_UNDER)} of {ENOUGH} players or more",
    "sides_not_skewed": f"{percents(MAX_ONE_SIDED)} of {ENOUGH} picks or more",
}


def suspects(p: Published, found: Mapping[str, Finding], first: date, last: date) -> dict[str, str]:
    """Systems whose figures are too good to be true, with the figures: those of the findings, and of the span itself.

    Args:
        p: what was published.
        found: the span's ``findings``.
        first: the span's first date.
        last: its last one.
    """
    named = [(system, text) for finding in found.values() for system, text in finding.suspects.items()]
    return by_system(dict.fromkeys([*named, *too_good(p, first, last).items()]))


def findings(p: Published, first: date, last: date) -> dict[str, Finding]:
    """The validation of a span and every detector as of its end, by name; for one date, the results of its checks."""
    found = {name: find(p, first, last) for name, find in VALIDATION.items()}
    if p.is_free(first, last):
        found = {name: replace(f, passed=f.passed or f.nothing) for name, f in found.items()}
    return found | {name: find(p, last) for name, find in DETECTORS.items()}


__all__ = [
    "BRIEF_STREAK", "DETECTORS", "LIMITS", "RESULTS_DUE", "VALIDATION", "Finding", "Published", "all_systems_present",
    "chances_as_good_as_quotes", "expected_outputs", "findings", "gradable_are_graded", "lines_are_real", "lines_vary",
    "long_streak", "no_placeholders", "not_too_good", "odds_are_overdue", "published",
    "share_under_plausible", "sides_not_skewed", "streak_unbroken", "suspects", "too_good", "win_rates_in_range",
    "win_rates_plausible",
]  # fmt: skip
