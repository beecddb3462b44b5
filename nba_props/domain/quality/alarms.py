"""How far chance takes a rate: the bound beyond which a detector speaks.

A detector is asked on every date of a season, so that one with an interval of 95 % is bound to fire. Here all rates of
severity ERROR together raise a false alarm in at most one of twenty clean seasons (``FALSE_ERRORS``), of what is fair:
each ask has an equal share of that chance, 165 dates times five rates of each system and the share of unders
(:func:`limit`; 4.5 standard deviations with eight systems). Windows overlap, so the true rate is lower. A rate's
deviation allows for what the players of a night have in common (``DATE_CORRELATION``).

Two warnings are no part of that promise, since they ask for a look only. ``chances_as_good_as_quotes`` asks an interval
of 95 % every day: a system exactly as good as the quotes is warned of in about one of six seasons, one that is truly
better more seldom. ``sides_not_skewed`` has a bound of its own: eight systems that each take one side in 65 % of their
picks, one pick like another, are warned of in fewer than one of a hundred seasons; from 75 % on they will be.
"""

from __future__ import annotations

import math
from statistics import NormalDist

#: game dates of a season, on each of which every detector is asked
SEASON_DATES = 165
#: false alarms of severity ERROR in a clean season, all detectors together
FALSE_ERRORS = 0.05
#: rates that are judged for each system on each date: both sides, hits, errors, and the brief's win rate
_RATES_OF_A_SYSTEM = 5
#: correlation of two results of one night that is allowed for. There was none: over 101 dates with real odds, 6,153
#: lines, the shares of unders by date varied with .64 of a binomial's variance
DATE_CORRELATION = 0.002


def limit(systems: int) -> float:
    """Standard deviations that a rate may be off by: an equal share of ``FALSE_ERRORS`` for each ask of a season."""
    asks = SEASON_DATES * (_RATES_OF_A_SYSTEM * systems + 1)
    return NormalDist().inv_cdf(1 - FALSE_ERRORS / asks / 2)


def spread(total: float, squared: float) -> float:
    """By how much what a night's results have in common widens a variance; ``squared`` sums the squared night sizes."""
    return 1 + max(squared / total - 1, 0.0) * DATE_CORRELATION


def off_by(count: float, total: float, squared: float, low: float, high: float) -> float:
    """By how many standard deviations a rate lies beyond low..high; 0 for one within."""
    rate = count / total
    edge = min(max(rate, low), high)
    return abs(rate - edge) / math.sqrt(edge * (1 - edge) / total * spread(total, squared))
