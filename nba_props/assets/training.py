"""Training for ``nba_models``: the training frame from stored tables, and the weeks trained from it in order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import pandas as pd

from nba_props.assets.inputs import Inputs
from nba_props.domain.models import frame
from nba_props.domain.models.card import WORSE_THAN_INCUMBENT, Card, training_start, week_of
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.models.training import TooFewRows, train
from nba_props.schemas import analytics, raw
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.storage.landing import LandingError
from nba_props.warehouse.base import Warehouse

_WEEK = timedelta(7)
#: the newest training frame of this process, by what it is made from
_frames: dict[tuple[str, date, date, str, tuple[str, ...]], frame.Rows] = {}


def train_weeks(
    recipe: Recipe, weeks: Sequence[date], inputs: Inputs, now: datetime
) -> tuple[list[Card], dict[date, str]]:
    """Train and store the models of some weeks, in order; their features are computed once.

    The model of the week before is trained as well where it is missing or stale: it is the one that a model is judged
    against and, where the week's own is refused, the one that serves. So results do not depend on the order of runs.

    Returns:
        The cards of the models put in force, and for each other week the reason why it has none.
    """
    idle = _idle(weeks, inputs)
    refused = dict.fromkeys(idle, "NO_GAMES: no game is scheduled in the week, so none is needed")
    busy = sorted(set(weeks) - idle)
    if not busy:
        return [], refused
    rows = _rows_before(min(weeks), max(weeks), inputs)
    own = rows.of(recipe) if rows else None
    lined = set(inputs.warehouse.partitions(analytics.BETTING_LINES))
    unlined = [d for d in registry.days_with_odds(inputs.landing) if d not in lined]
    made: list[Card] = []
    for week in _with_weeks_before(recipe, busy, weeks, inputs):
        card, why = train_week(recipe, week, own, inputs, now, unlined)
        if why:
            refused[week] = why
        elif card:
            made.append(card)
    return made, refused


def _idle(weeks: Collection[date], inputs: Inputs) -> set[date]:
    """The weeks that have no game by the landed schedule."""
    try:
        busy = {week_of(d) for d in inputs.game_days([w + timedelta(n) for w in weeks for n in range(7)])}
    except LandingError:
        return set()  # without a schedule no week is known to be idle
    return set(weeks) - busy


def _with_weeks_before(recipe: Recipe, busy: Sequence[date], asked: Collection[date], inputs: Inputs) -> list[date]:
    """The weeks in order, with the week before each where that lacks a model of the stored data."""
    before = {week - _WEEK for week in busy} - set(asked)
    lacking = {week for week in before if inputs.lacks_model(recipe, week)}
    return sorted({*busy, *(lacking - _idle(lacking, inputs))})


def train_week(
    recipe: Recipe,
    week: date,
    rows: pd.DataFrame | None,
    inputs: Inputs,
    now: datetime,
    unlined: Sequence[date],
) -> tuple[Card | None, str]:
    """Train and store the model of a week: its card where it was put in force, else why it was not."""
    store, seasons = inputs.models, inputs.settings.training_seasons
    start = max(training_start(week, seasons), inputs.settings.first_date)
    lacking = sum(start <= d < week for d in unlined)
    made_from = inputs.trained_from(recipe, week)
    try:
        if rows is None:
            raise TooFewRows("there are no box scores before it")
        incumbent = store.incumbent(model_id(recipe), week)
        model = train(recipe, rows, week, seasons, now, incumbent, made_from, lacking)
    except TooFewRows as error:
        why = f"TOO_FEW_ROWS: {error} (`nba-props start` takes past seasons)"
        store.refuse(model_id(recipe), week, why, made_from)
        return None, why
    why = model.card.refused
    if why and not why.startswith(WORSE_THAN_INCUMBENT):
        store.refuse(model_id(recipe), week, why, made_from)
    else:
        store.put(model)  # one that is worse than the incumbent may serve the week after
    return model.card, why


def _rows_before(first: date, last: date, inputs: Inputs) -> frame.Rows | None:
    """The training frame of the weeks first..last; None without a box score before them.

    All systems and markets learn from the same rows, so that the frame is kept for the next recipe of the run.
    """
    start, end = training_start(first, inputs.settings.training_seasons), last - timedelta(1)
    usable = [d for d in inputs.warehouse.partitions(raw.BOX_SCORES) if start <= d <= end]
    if not usable:
        return None
    settings = inputs.settings
    known = (inputs.warehouse.place, usable[0], end, inputs.learned(last), settings.markets)
    if known not in _frames:
        _frames.clear()
        _frames[known] = training_frame(inputs.warehouse, settings, usable[0], end)
    return _frames[known]


def training_frame(warehouse: Warehouse, settings: Settings, first: date, last: date) -> frame.Rows:
    """The training frame (``frame.build``) of the dates first..last from stored box scores and lines."""
    lined = warehouse.partitions(analytics.BETTING_LINES)

    def lines(start: date, end: date) -> pd.DataFrame:
        return warehouse.read(analytics.BETTING_LINES, [d for d in lined if start <= d <= end])

    with warehouse.held([raw.BOX_SCORES, raw.SCHEDULE], last):
        return frame.build(
            warehouse.query, lines, first, last, settings.look_back_days, settings.max_games, settings.markets
        )
