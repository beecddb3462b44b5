"""Rules on the tables of trained systems: a model in force for the date, and inputs like those it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.finding import Finding
from nba_props.domain.models.card import MAX_AGE, week_of
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.quality import models
from nba_props.domain.systems import SYSTEM_TABLES


def model_is_in_force(recipes: Sequence[Recipe]) -> Rule:
    """The newest model of each date and market is of its week, made from the stored data, and in force."""

    def of_recipe(scope: Scope, recipe: Recipe, days: Sequence[date]) -> dict[date, Finding]:
        name, weeks = model_id(recipe), {week_of(d) for d in days}
        cards = {week: scope.models.in_force(name, week) for week in weeks}
        refused = {week: scope.models.refusal(name, week).get("reason", "") for week in weeks}
        in_force = {card.week for card in cards.values() if card}
        made_from = {week: scope.inputs.trained_from(recipe, week) for week in in_force}
        return {d: models.model_in_force(recipe, cards[week_of(d)], d, refused[week_of(d)], made_from) for d in days}

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        busy = models.markets_by_date(scope.warehouse, days)
        found: dict[date, dict[str, Finding]] = {d: {} for d in days}
        for recipe in recipes:
            mine = [d for d in days if recipe.market in busy.get(d, ())]
            for day, finding in (of_recipe(scope, recipe, mine) if mine else {}).items():
                found[day][recipe.market] = finding
        return {
            d: models.of_markets(own) if own else Finding(True, "no players on this date") for d, own in found.items()
        }

    return Rule(
        "model_is_in_force",
        SYSTEM_TABLES[recipes[0].system_id],
        f"A model of at most {MAX_AGE.days} days, with these features and this library, serves each market of the "
        "date. Warns about a week without a new model, a model that was refused, and one whose inputs have changed "
        "since.",
        evaluate,
    )


def inputs_as_in_training(recipes: Sequence[Recipe]) -> Rule:
    """Each input of a model is known about as often on the slate as in its training rows."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        known = models.known_shares(scope.warehouse, recipes, days)
        found: dict[date, dict[str, Finding]] = {d: {} for d in days}
        for recipe in recipes:
            mine = [d for d in days if (d, recipe.market) in known]
            cards = {week: scope.models.in_force(model_id(recipe), week) for week in {week_of(d) for d in mine}}
            for day in mine:
                found[day][recipe.market] = models.inputs_as_in_training(
                    recipe, cards[week_of(day)], known[day, recipe.market]
                )
        none = models.inputs_as_in_training(recipes[0], None, None)
        return {d: models.of_markets(own) if own else none for d, own in found.items()}

    return Rule(
        "inputs_as_in_training",
        SYSTEM_TABLES[recipes[0].system_id],
        "No input is known much more or less often on the slate than in the model's training rows "
        f"(shares differ by less than {models.KNOWN_SHARE_DIFFERS}).",
        evaluate,
    )
