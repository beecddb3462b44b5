"""Rules on ``nba_predictions``: forecasts, the published ledger, and grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from nba_props.checks.common import daily, lines_have_provenance, no_future_data, schema_rule
from nba_props.checks.models import inputs_as_in_training, model_is_in_force
from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.domain.quality import rows
from nba_props.domain.systems import SYSTEM_TABLES, System
from nba_props.schemas import predictions

NO_PLACEHOLDER_LINES = daily(
    "no_placeholder_lines",
    predictions.LEDGER,
    "No published line is a placeholder. Fails when one is in the ledger, warns while a system of this platform lacks "
    "a row that was held back; rows in quarantine or archive are only counted.",
    rows.PLACEHOLDERS,
    blocking=True,
)


def _of_grades(name: str, find: Callable[[quality.Published, date], Finding]) -> Rule:
    """A rule on published rows and their grades, from a function of ``domain/quality``."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        key = ("published", days[0], days[-1])
        if key not in scope.memo:
            systems = tuple(SYSTEM_TABLES)
            scope.memo[key] = quality.published(scope.warehouse, systems, days[0], days[-1], scope.now)
        return {d: find(scope.memo[key], d) for d in days}

    limit = quality.LIMITS.get(name)
    first_line = (find.__doc__ or name).split("\n")[0]
    description = f"{first_line} Limit: {limit}." if limit else first_line
    return Rule(name, predictions.PREDICTION_ACCURACY, description, evaluate)


def _of_one_date(
    find: Callable[[quality.Published, date, date], Finding],
) -> Callable[[quality.Published, date], Finding]:
    """A part of the final validation of one date, as in ``nba-props validate``."""

    def of_date(published: quality.Published, day: date) -> Finding:
        found = find(published, day, day)
        # early in a season, or without odds, there may be nothing to judge: other checks report that
        return replace(found, passed=True) if found.nothing else found

    of_date.__doc__ = find.__doc__
    return of_date


_GRADED = (
    daily(
        "every_row_is_graded",
        predictions.PREDICTION_ACCURACY,
        "As many grades as published rows: none is lost, none is counted twice.",
        rows.GRADES,
        blocking=True,
    ),
    *(_of_grades(name, find) for name, find in quality.DETECTORS.items()),
    # long_streak needs thirty game days, which a new platform lacks: streak_unbroken is its daily form
    *(_of_grades(n, _of_one_date(f)) for n, f in quality.VALIDATION.items() if f is not quality.long_streak),
)


def rules(systems: Sequence[System]) -> list[Rule]:
    """The rules on these systems' tables, on the ledger and on the grades."""
    return [
        *(schema_rule(s.table) for s in systems),
        schema_rule(predictions.LEDGER),
        schema_rule(predictions.PREDICTION_ACCURACY),
        *(
            daily(
                "covers_slate",
                s.table,
                "One row per player of the slate and market; a player without a forecast has a reason.",
                rows.coverage(s.table, s.markets),
            )
            for s in systems
        ),
        *(
            rule(own)
            for s in systems
            if (own := s.needs().models)
            for rule in (model_is_in_force, inputs_as_in_training)
        ),
        NO_PLACEHOLDER_LINES,
        lines_have_provenance(predictions.LEDGER, blocking=False),
        no_future_data(
            predictions.LEDGER,
            # the flag decides the current row, so it must agree with the clock; without a cut-off no row is early
            "line_minutes_before_game <= 0 OR COALESCE(created_at < cutoff_at, FALSE) = COALESCE(is_backfill, FALSE)",
            "Every published line was seen before the cut-off, and a row is a backfill exactly when it was published "
            "at or after it, or when the cut-off is unknown.",
        ),
        *_GRADED,
    ]
