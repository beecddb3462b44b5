"""``nba_models``: for each system that needs one a model a week and market. Only these assets train."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg
import pandas as pd

from nba_props.assets.inputs import MODELS, Inputs
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import Preparer, as_markdown, asset_key, costed, watch
from nba_props.assets.training import train_week, train_weeks
from nba_props.assets.versions import code_version
from nba_props.domain.models.card import Card
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.systems import TRAINED
from nba_props.presentation import charts as plots
from nba_props.process.clock import Clock
from nba_props.schemas import analytics, raw

_SHOWN_IMPORTANCES = 15


def model_key(system_id: str) -> dg.AssetKey:
    """The asset key of a system's models."""
    return dg.AssetKey([MODELS, system_id])


def build(weeks: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The models of every system that has a recipe."""
    return [build_models(recipes, weeks) for recipes in TRAINED.values()]


def build_models(recipes: Sequence[Recipe], weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset of a system's weekly models, one for each market of the deployment."""
    recipe = recipes[0]
    key = model_key(recipe.system_id)
    spec = dg.AssetSpec(
        key,
        description=f"{recipe.description} One model a week, trained on games before it begins and on nothing later.",
        deps=[
            # a query bounds what it reads of them: no partition mapping expresses "everything before"
            dg.AssetDep(asset_key(t), partition_mapping=dg.AllPartitionMapping())
            for t in (raw.SCHEDULE, raw.BOX_SCORES, analytics.BETTING_LINES)
        ],
        group_name="models",
        kinds={"python", recipe.learner.library},
        code_version=code_version(train_week, *recipes),
        partitions_def=weeks,
        skippable=True,
    )

    @dg.multi_asset(name=f"{recipe.system_id}_model", specs=[spec], backfill_policy=dg.BackfillPolicy.single_run())
    def models(
        context: dg.AssetExecutionContext,
        inputs: dg.ResourceParam[Inputs],
        preparation: dg.ResourceParam[Preparer],
        clock: dg.ResourceParam[Clock],
    ):
        watch(context.instance, context.run.run_id)
        asked = partition_days(context)
        preparation.before_training(context, asked)
        made: dict[date, list[Card]] = {}
        with costed(context, key, recipe.system_id):
            known = inputs.fresh()  # training changes no table
            for own in [r for r in recipes if r.market in inputs.settings.markets]:
                cards, refused = train_weeks(own, asked, known, clock())
                for card in cards:  # a model that was refused is stored and not materialized
                    made.setdefault(card.week, []).append(card)
                for week, why in refused.items():
                    context.log.warning(f"{model_id(own)} of {week} has no new model in force: {why}")
            for week, cards in sorted(made.items()):
                metadata = cards_metadata(cards)
                context.log_event(dg.AssetMaterialization(key, partition=week.isoformat(), metadata=metadata))
        yield from ()

    return models


def cards_metadata(cards: Sequence[Card]) -> dict[str, Any]:
    """The metadata of a week's models: the card of the first market, and the errors of all."""
    if len(cards) == 1:
        return card_metadata(cards[0])
    errors = pd.DataFrame(
        {
            "market": [c.market for c in cards],
            "rows": [c.rows for c in cards],
            **{
                heading: [c.metrics.get(name) for c in cards]
                for heading, name in (
                    ("MAE", "holdout_mae"),
                    ("last-10 MAE", "holdout_last_10_mae"),
                    ("MAE with a line", "holdout_mae_with_line"),
                    ("line MAE", "holdout_line_mae"),
                )
            },
            "P(over)": [bool(c.chance) for c in cards],
        }
    )
    return {"markets": as_markdown(errors), **card_metadata(cards[0])}


def card_metadata(card: Card) -> dict[str, Any]:
    """The metadata of a model's materialization: its card, and its importances as a picture."""
    top = dict(list(card.importances.items())[:_SHOWN_IMPORTANCES])
    importances = plots.bars(top, "share of importance")
    return {
        "version": card.version,
        "trained_on": f"{card.rows} games of players, {card.trained_from} to {card.trained_through}",
        "dagster/partition_row_count": card.rows,
        "dates_without_lines": card.dates_without_lines,
        **({} if card.bands else {"over_probability": _over_probability(card)}),
        **card.metrics,
        "importances": dg.MetadataValue.md(f"![importances]({plots.data_uri(importances)})"),
        "schema_hash": card.schema_hash,
        "fingerprint": card.fingerprint,
        "card": dg.MetadataValue.json(
            {"parameters": dict(card.parameters), "inputs": list(card.inputs), "sha256": card.sha256}
        ),
    }


def _over_probability(card: Card) -> str:
    if not card.chance:
        return "withheld: too few held-out rows with a quote"
    rows = f"{card.chance['rows']:.0f} rows of {card.chance['dates']:.0f} dates"
    if "fitted" in card.chance:
        return f"the quote's: {rows} don't tell the fitted slope of {card.chance['fitted']:.3f} from 0"
    return f"the quote's, moved by {card.chance['slope']:.2f} of the model's difference: fitted on {rows}"
