"""The model store: what is in force, what a killed or corrupted write leaves, and old models kept."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.domain.models.card import Model
from nba_props.domain.models.training import train
from nba_props.domain.systems import catboost_v8, xgboost_v1
from nba_props.storage import files as storage
from nba_props.storage import models
from nba_props.storage.files import open_path
from nba_props.storage.models import CorruptModel, ModelStore
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.domain.models.test_training import NOW, WEEK, played
from nba_props_tests.warehouse.samples import D1, NAMES, names


@pytest.fixture(scope="module")
def model():
    made = train(xgboost_v1.SYSTEM.recipes[0], played(), WEEK, 3, NOW)
    return replace(made, card=replace(made.card, refused=""))


@pytest.fixture(params=["folder", "memory://models", "bucket"])
def store(request, tmp_path):
    if request.param == "bucket":
        return ModelStore(f"gs://{request.getfixturevalue('make_bucket')()}/models/main")
    root = str(tmp_path / "models") if request.param == "folder" else f"{request.param}/{tmp_path.name}"
    return ModelStore(root)


def test_the_model_of_the_week_or_of_the_one_before_is_in_force(store, model):
    assert store.weeks("xgboost_v1") == []
    assert store.in_force("xgboost_v1", WEEK) is None
    store.put(model)
    later = replace(model, card=replace(model.card, week=WEEK + timedelta(14), fingerprint="f" * 32))
    store.put(later)
    assert store.weeks("xgboost_v1") == [WEEK, WEEK + timedelta(14)]
    assert store.in_force("xgboost_v1", WEEK - timedelta(1)) is None
    assert store.in_force("xgboost_v1", WEEK + timedelta(13)) == model.card
    assert store.in_force("xgboost_v1", WEEK + timedelta(20)) == later.card
    assert store.in_force("xgboost_v1", WEEK + timedelta(28)) is None
    assert store.load(model.card) == model


def test_a_model_that_is_worse_than_the_one_before_may_serve_the_week_after(store, model):
    store.put(model)
    worse = replace(model.card, week=WEEK + timedelta(7), refused="WORSE_THAN_THE_MODEL_IN_FORCE: by far")
    store.put(replace(model, card=worse))
    assert store.in_force("xgboost_v1", WEEK + timedelta(7)) == model.card
    assert store.in_force("xgboost_v1", WEEK + timedelta(14)).week == WEEK + timedelta(7)
    store.put(replace(model, card=replace(worse, refused="")))
    assert store.in_force("xgboost_v1", WEEK + timedelta(7)).week == WEEK + timedelta(7)
    store.refuse("xgboost_v1", WEEK + timedelta(7), "TOO_FEW_ROWS: 3", "x")
    assert store.in_force("xgboost_v1", WEEK + timedelta(7)) == model.card
    assert store.in_force("xgboost_v1", WEEK + timedelta(14)) is None


def test_a_card_and_a_record_of_different_trainings_count_as_missing(store, model):
    """Who was killed between the two left a week that no plan would have trained again."""
    store.put(replace(model, card=replace(model.card, made_from="x")))
    assert store.made_from("xgboost_v1", WEEK) == "x"
    store._put_refusal("xgboost_v1", WEEK, "WORSE_THAN_THE_MODEL_IN_FORCE: by far", "y")
    assert store.made_from("xgboost_v1", WEEK) is None
    store._put_refusal("xgboost_v1", WEEK, "TOO_FEW_ROWS: 3", "y")
    assert store.made_from("xgboost_v1", WEEK) is None
    store.refuse("xgboost_v1", WEEK, "TOO_FEW_ROWS: 3", "y")
    assert store.made_from("xgboost_v1", WEEK) == "y"


@pytest.mark.parametrize("text", ["[1]", "null", "1e999", "{}", '{"reason": "x"}', "[" * 100_000, "\x00"])
def test_unreadable_records_are_named(store, model, text):
    store.put(model)
    folder = store._path / "xgboost_v1" / WEEK.isoformat()
    (folder / "refused.json").write_text(text)
    with pytest.raises(CorruptModel, match=r"refused\.json can't be read"):
        store.in_force("xgboost_v1", WEEK)
    assert store.made_from("xgboost_v1", WEEK) is None
    (folder / "refused.json").unlink()
    (folder / "card.json").write_text(text)
    with pytest.raises(CorruptModel, match=r"card\.json can't be read"):
        store.in_force("xgboost_v1", WEEK)
    store.refuse("xgboost_v1", WEEK, "TOO_FEW_ROWS: 3", "x")
    assert store.in_force("xgboost_v1", WEEK) is None


def test_a_retrained_week_keeps_the_old_file(store, model):
    store.put(model)
    again = replace(model, card=replace(model.card, fingerprint="e" * 32))
    store.put(again)
    assert store.card("xgboost_v1", WEEK) == again.card
    assert store.load(model.card) == model


def test_a_file_that_is_not_the_cards_is_named(store, model):
    store.put(model)
    path = artefact_of(store, model)
    path.write_bytes(model.artefact[:-1])
    with pytest.raises(CorruptModel, match=r"not the file its card describes.*nba_models/xgboost_v1 for 2025-12-01"):
        store.load(model.card)
    path.unlink()
    with pytest.raises(CorruptModel, match="can't be read"):
        store.load(model.card)
    (store._path / "xgboost_v1" / str(WEEK) / "card.json").write_text('{"week": "2025-12-01"}')
    with pytest.raises(CorruptModel, match="can't be read"):
        store.card("xgboost_v1", WEEK)


def artefact_of(store, model):
    return store._path / "xgboost_v1" / str(WEEK) / f"{model.card.fingerprint}-{model.card.sha256}.ubj"


def other(model: Model, artefact: bytes = b"another model", **card) -> Model:
    """A model of the same rows whose library wrote other bytes."""
    sha256 = hashlib.sha256(artefact).hexdigest()
    return Model(replace(model.card, sha256=sha256, **card), artefact)


def in_force(store) -> Model:
    return store.load(store.card("xgboost_v1", WEEK))


class Killed(BaseException):
    """The process ends here: nothing after it happens."""


@pytest.mark.parametrize("same_rows", [True, False])
@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("nth", range(4))
def test_a_training_killed_at_any_write_leaves_a_whole_model_in_force(
    tmp_path, model, monkeypatch, same_rows, step, nth
):
    store = ModelStore(str(tmp_path))
    store.put(model)
    retrained = other(model) if same_rows else other(model, fingerprint="d" * 32)
    honest, calls = getattr(os, step), []

    def killed(*args):
        calls.append(args)
        if len(calls) > nth:
            raise Killed
        return honest(*args)

    monkeypatch.setattr(os, step, killed)
    try:
        store.put(retrained)
    except Killed:
        was_killed = True
    else:
        was_killed = False
    monkeypatch.undo()
    assert was_killed is (nth < {"fsync": 4, "replace": 2}[step])
    fresh = ModelStore(str(tmp_path))
    assert in_force(fresh) in (model, retrained)
    assert fresh.load(model.card) == model, "a model that was once in force can be read for good"
    fresh.put(retrained)
    assert in_force(fresh) == retrained


def test_two_trainings_at_once_both_leave_a_model_that_can_be_read(store, model, monkeypatch):
    mine, theirs = model, other(model)
    honest = models.replace
    for before_write in range(2):
        writes = []

        def interleaved(path, data, before_write=before_write, writes=writes):
            if len(writes) == before_write:
                monkeypatch.setattr(models, "replace", honest)
                store.put(theirs)
            writes.append(path)
            honest(path, data)

        monkeypatch.setattr(models, "replace", interleaved)
        store.put(mine)
        monkeypatch.setattr(models, "replace", honest)
        assert in_force(store) == mine
        assert store.load(theirs.card) == theirs


def test_the_card_is_written_last(store, model, monkeypatch):
    written = []
    monkeypatch.setattr(models, "replace", lambda path, _: written.append(path.name))
    store.put(model)
    assert written == [artefact_of(store, model).name, "card.json"]


def test_a_store_of_an_earlier_release_is_read(store, model):
    store.put(model)
    named_by_its_rows = artefact_of(store, model).with_name(f"{model.card.fingerprint}.ubj")
    named_by_its_rows.write_bytes(model.artefact)
    artefact_of(store, model).unlink()
    assert in_force(store) == model
    retrained = other(model)
    store.put(retrained)
    assert in_force(store) == retrained
    assert store.load(model.card) == model, "its file is not written over"


@pytest.mark.parametrize("system", [xgboost_v1, catboost_v8], ids=lambda s: s.SYSTEM.system_id)
def test_equal_rows_make_equal_bytes(system):
    numbers = np.random.default_rng(1)
    inputs = pd.DataFrame(numbers.random((300, len(system.SYSTEM.inputs))), columns=list(system.SYSTEM.inputs))
    points = inputs.iloc[:, 0] * 20 + numbers.random(300)
    one, again = (system.SYSTEM.recipes[0].learner.fit(inputs, points) for _ in range(2))
    assert one == again
    assert np.ptp(system.SYSTEM.recipes[0].learner.predict(one, inputs)) > 5, "it has learnt something"


def test_files_that_are_replaced_are_on_the_disk_before_they_are_seen(tmp_path, monkeypatch):
    """One function does it for models, reports and the lake."""
    events = []
    for name in ("fsync", "replace"):
        plain = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, plain=plain: (events.append(name), plain(*a))[1])
    storage.replace(open_path(str(tmp_path / "deep" / "file")), b"content")
    assert events == ["fsync", "replace", "fsync"], "and its place in the folder before what is written next"
    assert (tmp_path / "deep" / "file").read_bytes() == b"content"
    events.clear()
    LakeWarehouse(tmp_path / "lake").write_unchecked(NAMES, names(D1, 1), D1)
    assert events == ["fsync", "replace", "replace"], "the file first, then the link to it"


def test_a_file_whose_writing_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def killed_half_way():
        with storage.replacing(path) as sink:
            sink.write(b"half")
            raise Killed

    with pytest.raises(Killed):
        killed_half_way()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"
