"""``nba_models``: a model of each trained system for each week, and the choice of one for a date."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from nba_props import plots
from nba_props.assets.tables import OWNERS, asset_key
from nba_props.domain import training
from nba_props.domain.calendar import game_date_of
from nba_props.domain.systems.trained import (
    Card,
    Model,
    TooFewRows,
    Trained,
    refusal,
    train,
    training_start,
    week_of,
)
from nba_props.partitions import partition_days
from nba_props.schemas import analytics, raw
from nba_props.settings import Settings
from nba_props.warehouse import usage
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.models import ModelStore

DATASET = "nba_models"
_SHOWN_IMPORTANCES = 15
#: a model is due on Monday at noon Eastern
_DUE = "0 12 * * 1"


def model_key(system_id: str) -> dg.AssetKey:
    return dg.AssetKey([DATASET, system_id])


def build_model(
    trained: Trained, weeks: dg.WeeklyPartitionsDefinition, description: str, clock: Callable[[], datetime]
) -> dg.AssetsDefinition:
    """The asset of a system's weekly models."""
    key = model_key(trained.system_id)

    @dg.multi_asset(
        name=f"{trained.system_id}_model",
        specs=[
            dg.AssetSpec(
                key,
                description=f"{description} One model a week, trained on games before it begins and on nothing later.",
                deps=[
                    # what it reads of them is bounded by a query: no window of partitions says "everything before"
                    dg.AssetDep(asset_key(t), partition_mapping=dg.AllPartitionMapping())
                    for t in (raw.SCHEDULE, raw.BOX_SCORES, analytics.BETTING_LINES)
                ],
                group_name="models",
                owners=OWNERS,
                kinds={"python", trained.learner.library},
                code_version="1",
                partitions_def=weeks,
                freshness_policy=dg.FreshnessPolicy.cron(
                    deadline_cron=_DUE, lower_bound_delta=timedelta(days=2), timezone="America/New_York"
                ),
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def models(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        model_store: dg.ResourceParam[ModelStore],
    ):
        asked = partition_days(context)
        with usage.within(trained.system_id) as cost:
            made, refused = train_weeks(trained, asked, warehouse, settings, model_store, clock())
        if refused:
            # the weeks that could be trained are in force and recorded; the others fail this run by name
            record(context, trained.system_id, made)
            reasons = "; ".join(f"{week}: {why}" for week, why in refused.items())
            raise dg.Failure(f"{len(refused)} of {len(asked)} weeks could not be trained: {reasons}")
        for card in made:
            context.add_asset_metadata(card_metadata(card), asset_key=key, partition_key=card.week.isoformat())
        yield dg.MaterializeResult(asset_key=key, metadata=cost.figures())

    return models


def train_weeks(
    trained: Trained,
    weeks: Sequence[date],
    warehouse: Warehouse,
    settings: Settings,
    store: ModelStore,
    now: datetime,
) -> tuple[list[Card], dict[date, str]]:
    """Train and store the models of some weeks, in order; their features are computed once.

    Returns:
        The cards of the models made, and for each week without one the reason.
    """
    ordered = sorted(weeks)
    seasons = settings.training_seasons
    stored = warehouse.partitions(raw.BOX_SCORES)
    last = ordered[-1] - timedelta(1)
    usable = [d for d in stored if training_start(ordered[0], seasons) <= d <= last]
    if not usable:
        return [], dict.fromkeys(ordered, "there are no box scores before it")
    frame = training_frame(warehouse, settings, usable[0], last)
    made: list[Card] = []
    refused: dict[date, str] = {}
    for week in ordered:
        try:
            model = train(trained, frame, week, seasons, now)
        except TooFewRows as error:
            refused[week] = str(error)
            continue
        store.put(model)
        made.append(model.card)
    return made, refused


def training_frame(warehouse: Warehouse, settings: Settings, first: date, last: date) -> pd.DataFrame:
    """``training.frame`` of stored box scores and lines."""
    lined = warehouse.partitions(analytics.BETTING_LINES)

    def lines(start: date, end: date) -> pd.DataFrame:
        return warehouse.read(analytics.BETTING_LINES, [d for d in lined if start <= d <= end])

    return training.frame(warehouse.query, lines, first, last, settings.look_back_days, settings.max_games)


def models_for(
    trained: Trained,
    days: Sequence[date],
    warehouse: Warehouse,
    settings: Settings,
    store: ModelStore,
    now: datetime,
) -> tuple[dict[date, Model | str], list[Card]]:
    """For each date its model, or why it has none; and the cards of models that had to be trained first.

    A past week that lacks its model is trained here, so that a backfill of any season needs no preparation. The week
    that is running is not: its model is the weekly run's, and a missing one must show.
    """
    weeks = sorted({week_of(d) for d in days})
    present = set(store.weeks(trained.system_id))
    missing = [w for w in weeks if w not in present and w < week_of(game_date_of(now))]
    made: list[Card] = []
    refused: dict[date, str] = {}
    if missing:
        made, refused = train_weeks(trained, missing, warehouse, settings, store, now)
    chosen: dict[date, Model | str] = {}
    loaded: dict[str, Model] = {}
    newest = {week: store.newest(trained.system_id, week) for week in weeks}
    for day in days:
        card = newest[week_of(day)]
        why = refusal(trained, card, day) if card else f"NO_MODEL: {refused.get(week_of(day), 'none is trained yet')}"
        if why or card is None:
            chosen[day] = why or "NO_MODEL"
            continue
        if card.fingerprint not in loaded:
            loaded[card.fingerprint] = store.load(card)
        chosen[day] = loaded[card.fingerprint]
    return chosen, made


def record(context: dg.AssetExecutionContext, system_id: str, cards: Sequence[Card]) -> None:
    """Tell Dagster of models that were trained by a step of another asset."""
    for card in cards:
        context.log_event(
            dg.AssetMaterialization(model_key(system_id), partition=card.week.isoformat(), metadata=card_metadata(card))
        )


def card_metadata(card: Card) -> dict[str, Any]:
    """What the UI shows of a model: its card, and its importances as a picture."""
    top = dict(list(card.importances.items())[:_SHOWN_IMPORTANCES])
    importances = plots.bars(top, "share of importance")
    return {
        "version": card.version,
        "trained_on": f"{card.rows} games of players, {card.trained_from} to {card.trained_through}",
        "dagster/partition_row_count": card.rows,
        **card.metrics,
        "importances": dg.MetadataValue.md(f"![importances]({plots.data_uri(importances)})"),
        "schema_hash": card.schema_hash,
        "fingerprint": card.fingerprint,
        "card": dg.MetadataValue.json(
            {"parameters": dict(card.parameters), "inputs": list(card.inputs), "sha256": card.sha256}
        ),
    }
