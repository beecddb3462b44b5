"""Every rule of the platform, by dataset. Each evaluates any number of dates with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence

from nba_props.checks import analytics, distributions, minutes, monitoring, predictions, raw, reference
from nba_props.checks.partitioned import Rule
from nba_props.domain.systems import System


def all_rules(systems: Sequence[System]) -> list[Rule]:
    """Every rule, with those on the tables of these systems."""
    return [
        *raw.rules(),
        *reference.RULES,
        *analytics.rules(systems),
        *predictions.rules(systems),
        *minutes.RULES,
        *distributions.RULES,
        *monitoring.RULES,
    ]
