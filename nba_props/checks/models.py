"""Rules on the tables of trained systems: a model in force for the date, and inputs like those it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.finding import Finding
from nba_props.domain.models.card import MAX_AGE, week_of
from nba_props.domain.models.learner import Recipe
from nba_props.domain.quality import models
from nba_props.domain.systems import SYSTEM_TABLES


def model_is_in_force(trained: Recipe) -> Rule:
    """Each date's newest model is of its week, made from the stored data, and in force."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        busy = models.days_with_players(scope.warehouse, days)
        weeks = {week_of(d) for d in days if d in busy}
        cards = {week: scope.models.in_force(trained.system_id, week) for week in weeks}
        refused = {week: scope.models.refusal(trained.system_id, week).get("reason", "") for week in weeks}
        in_force = {card.week for card in cards.values() if card}
        made_from = {week: scope.inputs.trained_from(trained.system_id, week) for week in in_force}
        return {
            day: models.model_in_force(trained, cards[week_of(day)], day, refused[week_of(day)], made_from)
            if day in busy
            else Finding(True, "no players on this date")
            for day in days
        }

    return Rule(
        "model_is_in_force",
        SYSTEM_TABLES[trained.system_id],
        f"A model of at most {MAX_AGE.days} days, with these features and this library, serves the date. Warns about a "
        "week without a new model, a model that was refused, and one whose inputs have changed since.",
        evaluate,
    )


def inputs_as_in_training(trained: Recipe) -> Rule:
    """Each input of a model is known about as often on the slate as in its training rows."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        known = models.known_shares(scope.warehouse, trained, days)
        cards = {week: scope.models.in_force(trained.system_id, week) for week in {week_of(d) for d in known}}
        return {d: models.inputs_as_in_training(trained, cards.get(week_of(d)), known.get(d)) for d in days}

    return Rule(
        "inputs_as_in_training",
        SYSTEM_TABLES[trained.system_id],
        "No input is known much more or less often on the slate than in the model's training rows "
        f"(shares differ by less than {models.KNOWN_SHARE_DIFFERS}).",
        evaluate,
    )
