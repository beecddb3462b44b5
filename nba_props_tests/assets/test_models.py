"""The assets of weekly models: which of them are put in force, and what their cards say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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
