"""The model store: what is in force, what a killed or corrupted write leaves, and old models kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from nba_props.domain.systems import xgboost_v1
from nba_props.domain.systems.trained import train
from nba_props.warehouse import models
from nba_props.warehouse.models import CorruptModel, ModelStore
from nba_props_tests.domain.test_trained import NOW, WEEK, played


@pytest.fixture(scope="module")
def model():
    return train(xgboost_v1.TRAINED, played(), WEEK, 3, NOW)


@pytest.fixture(params=["folder", "memory://models", "bucket"])
def store(request, tmp_path):
    if request.param == "bucket":
        return ModelStore(f"gs://{request.getfixturevalue('make_bucket')()}/models/main")
    root = str(tmp_path / "models") if request.param == "folder" else f"{request.param}/{tmp_path.name}"
    return ModelStore(root)


def test_the_newest_model_of_the_week_or_before_is_in_force(store, model):
    assert store.weeks("xgboost_v1") == []
    assert store.newest("xgboost_v1", WEEK) is None
    store.put(model)
    later = replace(model, card=replace(model.card, week=WEEK + timedelta(14), fingerprint="f" * 32))
    store.put(later)
    assert store.weeks("xgboost_v1") == [WEEK, WEEK + timedelta(14)]
    assert store.newest("xgboost_v1", WEEK - timedelta(1)) is None
    assert store.newest("xgboost_v1", WEEK + timedelta(13)) == model.card
    assert store.newest("xgboost_v1", WEEK + timedelta(20)) == later.card
    assert store.load(model.card) == model


def test_a_retrained_week_keeps_the_old_file(store, model):
    store.put(model)
    again = replace(model, card=replace(model.card, fingerprint="e" * 32))
    store.put(again)
    assert store.card("xgboost_v1", WEEK) == again.card
    assert store.load(model.card) == model


def test_a_file_that_is_not_the_cards_is_named(store, model):
    store.put(model)
    path = store._path / "xgboost_v1" / str(WEEK) / model.card.file_name
    path.write_bytes(model.artefact[:-1])
    with pytest.raises(CorruptModel, match=r"not the file its card describes.*nba_models/xgboost_v1 for 2025-12-01"):
        store.load(model.card)
    path.unlink()
    with pytest.raises(CorruptModel, match="can't be read"):
        store.load(model.card)
    (store._path / "xgboost_v1" / str(WEEK) / "card.json").write_text('{"week": "2025-12-01"}')
    with pytest.raises(CorruptModel, match="can't be read"):
        store.card("xgboost_v1", WEEK)


def test_a_killed_training_leaves_the_model_before_in_force(tmp_path, model, monkeypatch):
    store = ModelStore(str(tmp_path))
    store.put(model)
    honest = models.replace

    def killed(path, data):
        if path.name == "card.json":
            raise KeyboardInterrupt
        honest(path, data)

    monkeypatch.setattr(models, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.put(replace(model, card=replace(model.card, fingerprint="d" * 32)))
    assert store.card("xgboost_v1", WEEK) == model.card
    assert store.load(model.card) == model
    assert date(2025, 12, 1) == WEEK
