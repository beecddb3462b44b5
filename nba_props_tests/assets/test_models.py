"""The assets of weekly models: which of them are put in force, and what their cards say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from nba_props.automation.planning import untrained
from nba_props.domain.finding import Severity
from nba_props.domain.models import card as cards
from nba_props.domain.models import training
from nba_props.domain.models.card import week_of
from nba_props.domain.quality.models import model_in_force
from nba_props.domain.systems import RECIPES
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.raw import BOX_SCORES
from nba_props.sources import odds_api
from nba_props_tests.conftest import DAY, Platform

WEEK, SYSTEMS = week_of(DAY), ("catboost_v8", "xgboost_v1")
LATER = WEEK + timedelta(7)


def measured(monkeypatch, error: Callable[[date], float]) -> None:
    """Models with the holdout error that ``error`` gives for the newest date that they learned from, apart from noise."""
    measure = training._metrics

    def metrics(rows, forecast, recipe):
        found, newest = measure(rows, forecast, recipe), rows["game_date"].max().date()
        return {**found, "holdout_mae": error(newest), "holdout_last_10_mae": 5.0, "holdout_gain_se": 0.01}

    monkeypatch.setattr(cards, "JUDGED_ROWS", 1)
    monkeypatch.setattr(training, "_metrics", metrics)


def test_a_model_that_is_no_better_than_the_last_10_average_is_not_put_in_force(platform, monkeypatch):
    """Judged on rows that it has not seen; why is kept, and a model of other inputs does not go on for the same week."""
    store = platform.models
    measured(monkeypatch, lambda _: 5.1)
    platform.materialize(WEEK, WEEK, job="train")
    for system in SYSTEMS:
        assert store.refusal(system, WEEK)["reason"].startswith("WORSE_THAN_LAST_10: MAE")
        assert store.in_force(system, DAY).week == WEEK - timedelta(7)


@pytest.fixture
def two_weeks(two_weeks) -> Platform:
    """History of two weeks, and no model yet."""
    for system in SYSTEMS:
        shutil.rmtree(f"{two_weeks.settings.models}/{system}")
    return two_weeks


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param(5.1, id="than the last-10 average"),
        pytest.param(4.8, id="than the model of the week before", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param([WEEK, LATER], id="in order", marks=pytest.mark.long),
        pytest.param([LATER], id="alone"),
        pytest.param([LATER, WEEK, LATER], id="again"),
    ],
)
def test_which_model_serves_a_week_does_not_depend_on_earlier_requests(two_weeks, monkeypatch, asked, worse):
    store = two_weeks.models
    measured(monkeypatch, lambda newest: worse if newest >= WEEK else 4.5)
    for week in asked:
        two_weeks.materialize(week, week, job="train")
    for system in SYSTEMS:
        assert store.in_force(system, WEEK).week == WEEK
        assert store.in_force(system, LATER).week == WEEK
        assert store.refusal(system, LATER)["reason"].startswith("WORSE_THAN_")
        assert store.in_force(system, LATER + timedelta(7)) == (store.card(system, LATER) if worse < 5 else None)
    assert untrained(two_weeks.inputs, sorted({*asked})) == [], "and nothing of it is stale"


def test_the_week_before_is_trained_again_when_its_training_data_has_changed(two_weeks, monkeypatch):
    """Else a week that has no model of its own would be served by another than a fresh home has."""
    measured(monkeypatch, lambda newest: 5.1 if newest >= WEEK else 4.5)
    two_weeks.materialize(LATER, LATER, job="train")
    before = {s: two_weeks.models.in_force(s, LATER).fingerprint for s in SYSTEMS}
    past = two_weeks.warehouse.partitions(BOX_SCORES)[0]
    rows = two_weeks.warehouse.read(BOX_SCORES, [past])
    two_weeks.warehouse.write(BOX_SCORES, rows.assign(points=rows["points"] + 1), [past])
    assert untrained(two_weeks.inputs, [LATER]) == [LATER]
    two_weeks.materialize(LATER, LATER, job="train")
    assert untrained(two_weeks.inputs, [LATER]) == []
    for system in SYSTEMS:
        assert two_weeks.models.in_force(system, LATER).week == WEEK
        assert two_weeks.models.in_force(system, LATER).fingerprint != before[system]


def test_why_a_week_has_no_model_does_not_depend_on_an_old_one(platform):
    """A stored model of last season, too old to be served, was given as the reason, and was an error."""
    store, (system, _) = platform.models, SYSTEMS
    why = "WORSE_THAN_LAST_10: MAE 6"
    shutil.rmtree(f"{platform.settings.models}/{system}/{WEEK - timedelta(7)}")
    model = store.load(store.card(system, WEEK))
    store.refuse(system, WEEK, why, platform.inputs.trained_from(RECIPES[system], WEEK))
    for old in (None, replace(model, card=replace(model.card, week=WEEK - timedelta(28)))):
        if old is not None:
            store.put(old)
        assert store.serving(RECIPES[system], [DAY]) == {DAY: f"NO_MODEL: {why}"}
        found = model_in_force(RECIPES[system], store.in_force(system, DAY), DAY, why, {})
        assert (found.passed, found.severity) == (False, Severity.WARN)
        assert found.text == f"{why}; the week before has no model either, so the system abstains"


def test_a_card_counts_the_landed_dates_without_lines(platform):
    """A run that was started without a plan learns from what is stored; each date that is only landed is counted."""
    assert {platform.models.in_force(s, DAY).dates_without_lines for s in SYSTEMS} == {0}
    later = WEEK + timedelta(7)
    platform.materialize(WEEK, later - timedelta(1), job="ingest_history")
    platform.materialize(later, later, job="train")
    landed = {d for d in odds_api.landed_days(platform.zone) if d < later}
    lacking = landed - set(platform.warehouse.partitions(BETTING_LINES))
    assert len(lacking) >= 3
    assert {platform.models.in_force(s, later).dates_without_lines for s in SYSTEMS} == {len(lacking)}
