"""What the doctor says of models, where trained is not enough, and of a home that does not exist."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from nba_props.domain.models.card import Card
from nba_props.domain.models.learner import model_id
from nba_props.domain.systems import xgboost_v1
from nba_props.operations.doctor import examine, trained_models
from nba_props.process.clock import utc_now
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.domain.models.test_training import WEEK

RECIPES = xgboost_v1.SYSTEM.recipes[:2]
ADVICE = "nba-props train"


def test_models_are_ok_only_when_they_serve(tmp_path):
    store = ModelStore(str(tmp_path))

    def found():
        one = trained_models(store, RECIPES, WEEK, ADVICE)
        return one.state, one.text, one.advice

    names = [model_id(r) for r in RECIPES]
    week = f"week of {WEEK}: "
    assert found() == ("off", f"{week}none of {', '.join(names)}", ADVICE)
    points, _ = (card(store, recipe) for recipe in RECIPES)
    assert found() == ("ok", f"{week}all trained", "")
    store.refuse(names[0], WEEK, "WORSE_THAN_LAST_10: MAE 5 on 9 rows", "x")
    state, text, advice = found()
    assert (state, advice) == ("ok", "")
    assert text == f"{week}{names[0]} is not in force (WORSE_THAN_LAST_10: MAE 5 on 9 rows)"
    write(store, replace(points, library_version="0.1"))
    (tmp_path / names[1] / WEEK.isoformat() / "card.json").write_text("{")
    state, text, advice = found()
    assert (state, advice) == ("bad", ADVICE)
    assert f"{names[0]} can't serve (MODEL_LIBRARY_DIFFERS" in text
    assert f"{names[1]} can't serve (" in text
    assert "can't be read" in text


def card(store, recipe) -> Card:
    """The card of a model of the week, which is stored; no model is needed to say whether it would serve."""
    made = Card(
        system_id=model_id(recipe),
        market=recipe.market,
        week=WEEK,
        library=recipe.learner.library,
        library_version=recipe.learner.version(),
        schema_hash=recipe.schema_hash,
        inputs=recipe.inputs,
        parameters={},
        trained_from=WEEK - timedelta(99),
        trained_through=WEEK - timedelta(1),
        rows=9_999,
        fingerprint="f" * 32,
        sha256="0" * 64,
        suffix=recipe.learner.suffix,
        metrics={},
        importances={},
    )
    write(store, made)
    return made


def write(store, made: Card) -> None:
    folder = store._path / made.system_id / made.week.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(made.to_json())
    (folder / "refused.json").unlink(missing_ok=True)


def test_a_home_that_does_not_exist_is_not_ok(tmp_path):
    settings = make_settings(tmp_path)
    zone = LandingZone(settings.landing)

    def home():
        found = examine(settings, zone, LakeWarehouse(settings.lake), utc_now, lambda *_: [], ask=False)
        return next(f for f in found if f.what == "home")

    assert (home().state, home().text[:9]) == ("off", "there is ")
    assert "NBA_PROPS_HOME" in home().advice
    assert not settings.home.exists(), "looking creates nothing"
    settings.home.mkdir()
    assert (home().state, home().text, home().advice) == ("ok", str(settings.home), "")
