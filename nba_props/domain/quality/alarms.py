"""How far a rate may deviate by chance: the bound beyond which a detector fires.

Detectors run on every date of a season, so one with a 95 % interval is bound to fire. Here all rates of severity ERROR
together raise a false alarm in at most one of twenty clean, fair seasons (``FALSE_ERRORS``): each test has an equal
share of that probability, 165 dates times five rates of each system and the share of unders (:func:`limit`; 4.5
standard deviations with eight systems). Windows overlap, so the true rate is lower. A rate's deviation allows for the
correlation of a night's results (``DATE_CORRELATION``).

Two warnings are not covered by that bound. ``chances_as_good_as_quotes`` tests a 95 % interval every day: a system
exactly as good as the quotes gets a warning in about one of six seasons, a better one less often. ``sides_not_skewed``
has a bound of its own: eight systems with 65 % of their picks on one side, independent of each other, get a warning in
fewer than one of a hundred seasons; with 75 % they get one.
"""

from __future__ import annotations

import math
from statistics import NormalDist

#: game dates of a season; every detector runs on each
SEASON_DATES = 165
#: false alarms of severity ERROR in a clean season, all detectors together
FALSE_ERRORS = 0.05
#: rates that are judged for each system on each date: both sides, hits, errors, and the brief's win rate
_RATES_OF_A_SYSTEM = 5
#: the allowed correlation of two results of a night. None was observed: over 101 dates with real odds, 6,153 lines, the
#: variance of the shares of unders by date was .64 of a binomial's
DATE_CORRELATION = 0.002


def limit(systems: int) -> float:
    """Standard deviations that a rate may be off by: an equal share of ``FALSE_ERRORS`` for each test of a season."""
    tests = SEASON_DATES * (_RATES_OF_A_SYSTEM * systems + 1)
    return NormalDist().inv_cdf(1 - FALSE_ERRORS / tests / 2)


def spread(total: float, squared: float) -> float:
    """The factor by which correlation within nights widens a variance; ``squared`` sums the squares of night sizes."""
    return 1 + max(squared / total - 1, 0.0) * DATE_CORRELATION


def off_by(count: float, total: float, squared: float, low: float, high: float) -> float:
    """By how many standard deviations a rate lies beyond low..high; 0 for one within."""
    rate = count / total
    edge = min(max(rate, low), high)
    return abs(rate - edge) / math.sqrt(edge * (1 - edge) / total * spread(total, squared))
