"""Rules on shapes and distributions: nothing from the future, and every row a distribution or a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nba_props.checks.common import no_future_data, schema_rule
from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.finding import Finding
from nba_props.domain.quality import distributions
from nba_props.schemas.analytics import BETTING_LINES, CONSENSUS
from nba_props.schemas.distributions import (
    COMBINATION_SCORES,
    DEPENDENCE,
    DISTRIBUTION_SCORES,
    DISTRIBUTIONS,
    SHAPES,
)


def _whole(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
    rows, lines, known = (scope.warehouse.read(t, days) for t in (DISTRIBUTIONS, BETTING_LINES, CONSENSUS))
    return distributions.whole(rows, lines, known, days)


_OF_ITS_MONTH = "last_result >= DATE_TRUNC(game_date, MONTH)"
RULES = (
    schema_rule(CONSENSUS),
    schema_rule(SHAPES),
    no_future_data(
        SHAPES,
        _OF_ITS_MONTH,
        "Every result behind a shape is from before the date's month.",
    ),
    schema_rule(DEPENDENCE),
    no_future_data(
        DEPENDENCE,
        _OF_ITS_MONTH,
        "Every result behind a dependence is from before the date's month.",
    ),
    schema_rule(DISTRIBUTIONS),
    no_future_data(DISTRIBUTIONS, "last_result >= game_date", "No shape knows a result on or after the date."),
    Rule(
        "distributions_are_whole",
        DISTRIBUTIONS,
        "Every row has masses that sum to 1 or a reason, and is placed by the consensus exactly where there is one.",
        _whole,
    ),
    schema_rule(DISTRIBUTION_SCORES),
    schema_rule(COMBINATION_SCORES),
)
