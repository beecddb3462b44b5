"""The assets of weekly models: which of them are put in force, and what their cards say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pandas as pd

from nba_props.assets.models import models_for
from nba_props.checks.rules import WARN, _judge_model
from nba_props.domain.systems import SYSTEMS as ALL
from nba_props.domain.systems import trained
from nba_props.domain.systems.trained import week_of
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.sources import odds_api
from nba_props_tests.conftest import DAY

WEEK, SYSTEMS = week_of(DAY), ("catboost_v8", "xgboost_v1")


def test_a_model_that_is_no_better_than_the_last_10_average_is_not_put_in_force(platform, monkeypatch):
    """Judged on rows that it has not seen; the one in force stays, and why is kept."""
    store, measure = platform.models, trained._metrics
    for system in SYSTEMS:
        model = store.load(store.newest(system, DAY))
        store.put(replace(model, card=replace(model.card, fingerprint="in-force")))
    monkeypatch.setattr(trained, "JUDGED_ROWS", 1)
    monkeypatch.setattr(trained, "_metrics", lambda rows, forecast: measure(rows, forecast + 30))
    platform.materialize(WEEK, WEEK, job="train")
    for system in SYSTEMS:
        assert store.newest(system, DAY).fingerprint == "in-force"
        assert store.refusal(system, WEEK)["reason"].startswith("WORSE_THAN_LAST_10: MAE")


def test_where_a_week_has_no_model_that_of_the_week_before_is_there_whatever_was_asked_for_before(
    platform, monkeypatch
):
    store, measure, later = platform.models, trained._metrics, WEEK + timedelta(7)
    platform.materialize(WEEK, later - timedelta(1), job="ingest_history")
    for system in SYSTEMS:
        shutil.rmtree(f"{platform.settings.models}/{system}")

    def spoiled(rows, forecast):
        return measure(rows, forecast + (30 if rows["game_date"].max() >= pd.Timestamp(WEEK) else 0))

    monkeypatch.setattr(trained, "JUDGED_ROWS", 1)
    monkeypatch.setattr(trained, "_metrics", spoiled)
    platform.materialize(later, later, job="train")
    for system in SYSTEMS:
        assert store.newest(system, later).week == WEEK
        assert store.refusal(system, later)["reason"].startswith("WORSE_THAN_LAST_10: MAE")
        now = platform.inputs.fresh()
        assert store.made_from(system, later) == now.trained_from(system, later), "and nothing of it is stale"
        assert store.made_from(system, WEEK) == now.trained_from(system, WEEK)


def test_why_a_week_has_no_model_does_not_depend_on_an_old_one(platform, monkeypatch):
    """A model of last season that nobody would serve was the reason, and an error, where it was still stored."""
    store, (system, _) = platform.models, SYSTEMS
    chosen = {}
    why = "WORSE_THAN_LAST_10: MAE 6"
    (learner,) = (s.trained for s in ALL if s.trained and s.system_id == system)
    store.refuse(system, WEEK, why, platform.inputs.trained_from(system, WEEK))
    card = store.card(system, WEEK)
    for case, weeks in (("alone", []), ("beside an old one", [replace(card, week=WEEK - timedelta(28))])):
        monkeypatch.setattr(type(store), "newest", lambda *_, kept=weeks: kept[0] if kept else None)
        chosen[case], _ = models_for(
            learner, [DAY], platform.warehouse, platform.settings, store, platform.now, platform.inputs
        )
        newest = store.newest(system, WEEK)
        verdict = _judge_model(learner, newest, DAY, why, {})
        assert (verdict.passed, verdict.severity) == (False, WARN)
        assert verdict.description == f"{why}; no earlier model can serve, so the system abstains"
    assert chosen["alone"] == chosen["beside an old one"] == {DAY: f"NO_MODEL: {why}"}


def test_a_card_says_of_how_many_landed_dates_the_lines_were_missing(platform):
    """A run that was started without a plan learns from what is stored; each date that is only landed is counted."""
    assert {platform.models.newest(s, DAY).dates_without_lines for s in SYSTEMS} == {0}
    later = WEEK + timedelta(7)
    platform.materialize(WEEK, later - timedelta(1), job="ingest_history")
    platform.materialize(later, later, job="train")
    landed = {d for d in odds_api.landed_days(platform.zone) if d < later}
    lacking = landed - set(platform.warehouse.partitions(BETTING_LINES))
    assert len(lacking) >= 3
    assert {platform.models.newest(s, later).dates_without_lines for s in SYSTEMS} == {len(lacking)}
