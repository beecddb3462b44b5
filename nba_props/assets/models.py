"""``nba_models``: a model of each trained system for each week, and the choice of one for a date."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import OWNERS, Preparer, asset_key, cost_of, watch
from nba_props.assets.versions import code_version
from nba_props.domain import training
from nba_props.domain.systems.trained import (
    WORSE_THAN_INCUMBENT,
    Card,
    Model,
    TooFewRows,
    Trained,
    refusal,
    train,
    training_start,
    week_of,
)
from nba_props.facts.calendar import game_date_of
from nba_props.presentation import charts as plots
from nba_props.process.clock import Clock
from nba_props.schemas import analytics, raw
from nba_props.settings import Settings
from nba_props.sources import odds_api
from nba_props.storage.landing import LandingError
from nba_props.storage.models import ModelStore
from nba_props.warehouse import usage
from nba_props.warehouse.base import Warehouse

DATASET = "nba_models"
_SHOWN_IMPORTANCES = 15


#: the newest training frame of this process, by what it is made from
_frames: dict[tuple[str, date, date, str], pd.DataFrame] = {}


def model_key(system_id: str) -> dg.AssetKey:
    return dg.AssetKey([DATASET, system_id])


def build_model(
    trained: Trained, weeks: dg.WeeklyPartitionsDefinition, description: str, clock: Clock
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
                code_version=code_version(train_weeks, type(trained.learner).__name__, trained.inputs),
                partitions_def=weeks,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def models(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        model_store: dg.ResourceParam[ModelStore],
        inputs: dg.ResourceParam[Inputs],
        preparation: dg.ResourceParam[Preparer],
    ):
        watch(context.instance, context.run.run_id)
        asked = partition_days(context)
        preparation.before_training(context, asked)
        with usage.within(trained.system_id) as cost:
            made, refused = train_weeks(trained, asked, warehouse, settings, model_store, clock(), inputs.fresh())
        # only the weeks whose model is in force are materialized
        record(context, trained.system_id, made)
        if billed := cost.billed():
            context.log_event(cost_of(key, billed))
        for week, why in refused.items():
            context.log.warning(f"{trained.system_id} of {week} has no new model in force: {why}")
        yield from ()

    return models


def train_weeks(
    trained: Trained,
    weeks: Sequence[date],
    warehouse: Warehouse,
    settings: Settings,
    store: ModelStore,
    now: datetime,
    inputs: Inputs,
) -> tuple[list[Card], dict[date, str]]:
    """Train and store the models of some weeks, in order; their features are computed once.

    That of the week before is trained as well where it is missing or stale: a model is judged against it, and it serves
    where the week's own has not earned its place. So neither depends on what was asked for before.

    Returns:
        The cards of the models put in force, and for each other week the reason why it has none.
    """
    ordered, idle = sorted(weeks), _idle(weeks, inputs)
    seasons = settings.training_seasons
    stored = warehouse.partitions(raw.BOX_SCORES)
    last = ordered[-1] - timedelta(1)
    usable = [d for d in stored if training_start(ordered[0], seasons) <= d <= last]
    frame = None
    if usable and len(idle) < len(ordered):
        # both systems learn from the same rows: the second of a run finds them here
        known = (warehouse.place, usable[0], last, inputs.learned(last + timedelta(1)))
        if known not in _frames:
            _frames.clear()
            _frames[known] = training_frame(warehouse, settings, usable[0], last)
        frame = _frames[known]
    lined, landed = set(warehouse.partitions(analytics.BETTING_LINES)), odds_api.landed_days(inputs.landing)
    made: list[Card] = []
    refused: dict[date, str] = {}
    refused |= dict.fromkeys(idle, "NO_GAMES: no game is scheduled in the week, so none is needed")

    def attempt(week: date) -> None:
        start = max(training_start(week, seasons), settings.first_date)
        lacking = [d for d in landed if start <= d < week and d not in lined]
        made_from = inputs.trained_from(trained.system_id, week)
        try:
            if frame is None:
                raise TooFewRows("there are no box scores before it")
            incumbent = store.incumbent(trained.system_id, week)
            model = train(trained, frame, week, seasons, now, incumbent, made_from, len(lacking))
        except TooFewRows as error:
            refused[week] = f"TOO_FEW_ROWS: {error} (`nba-props start` takes past seasons)"
        else:
            why = model.card.refused
            if not why:
                store.put(model)
                made.append(model.card)
                return
            refused[week] = why
            if why.startswith(WORSE_THAN_INCUMBENT):  # it may serve the week after
                store.put(model)
                return
        store.refuse(trained.system_id, week, refused[week], made_from)

    for week in [w for w in ordered if w not in idle]:
        before = week - timedelta(7)
        if before not in ordered and inputs.lacks_model(trained, before) and not _idle([before], inputs):
            attempt(before)
        attempt(week)
    return made, refused


def _idle(weeks: Sequence[date], inputs: Inputs) -> set[date]:
    """The weeks that have no game by the landed schedule."""
    try:
        busy = {week_of(d) for d in inputs.game_days([w + timedelta(n) for w in weeks for n in range(7)])}
    except LandingError:
        return set()  # nobody knows
    return set(weeks) - busy


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
    inputs: Inputs,
) -> tuple[dict[date, Model | str], list[Card]]:
    """For each date its model, or why it has none; and the cards of models that had to be trained first.

    The plan of a command trains before anything is predicted. A run that was started in the UI has no plan: a past
    week that was never trained is trained here, from what is stored. The running week is not: its model is the weekly
    run's, and a missing one must show.
    """
    weeks = sorted({week_of(d) for d in days})
    running = week_of(game_date_of(now))
    missing = [w for w in weeks if w < running and store.made_from(trained.system_id, w) is None]
    made: list[Card] = []
    if missing:
        made, _ = train_weeks(trained, missing, warehouse, settings, store, now, inputs)
    refused = {w: store.refusal(trained.system_id, w).get("reason", "none is trained yet") for w in weeks}
    chosen: dict[date, Model | str] = {}
    loaded: dict[str, Model] = {}
    cards = {week: store.in_force(trained.system_id, week) for week in weeks}
    for day in days:
        card = cards[week_of(day)]
        if card is None:
            chosen[day] = f"NO_MODEL: {refused[week_of(day)]}"
            continue
        if why := refusal(trained, card, day):
            chosen[day] = why
            continue
        if card.fingerprint not in loaded:
            loaded[card.fingerprint] = store.load(card)
        chosen[day] = loaded[card.fingerprint]
    return chosen, made


def record(context: dg.AssetExecutionContext, system_id: str, cards: Sequence[Card]) -> None:
    """Materialize the weeks of models that were put in force."""
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
        "dates_without_lines": card.dates_without_lines,
        "over_probability": (
            f"the quote's, moved by {card.chance['slope']:.2f} of the model's difference: fitted on "
            f"{card.chance['rows']:.0f} rows of {card.chance['dates']:.0f} dates"
            if card.chance
            else "withheld: too few held-out rows with a quote"
        ),
        **card.metrics,
        "importances": dg.MetadataValue.md(f"![importances]({plots.data_uri(importances)})"),
        "schema_hash": card.schema_hash,
        "fingerprint": card.fingerprint,
        "card": dg.MetadataValue.json(
            {"parameters": dict(card.parameters), "inputs": list(card.inputs), "sha256": card.sha256}
        ),
    }
