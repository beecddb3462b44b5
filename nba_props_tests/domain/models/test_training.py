"""Models: what they may see, what is refused, and that chance gives no skill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib import metadata

import numpy as np
import pandas as pd
import pytest

from nba_props.domain.models import chance, training
from nba_props.domain.models.card import Card, Model, refusal, week_of, why_not
from nba_props.domain.models.chance import anchored_probability, over_probability
from nba_props.domain.models.training import TooFewRows, train
from nba_props.domain.odds import over_probability as market_probability
from nba_props.domain.systems import catboost_v8, xgboost_v1
from nba_props.schemas.analytics import LINE_COLUMNS
from nba_props.schemas.features import LEGACY, MARKET, NAMES, SCHEMA_HASH
from nba_props_tests.conftest import utc
from nba_props_tests.domain.given import given

WEEK = date(2025, 12, 1)
NOW = utc(2025, 12, 1, 9)
BOTH = [xgboost_v1.SYSTEM.recipes[0], catboost_v8.SYSTEM.recipes[0]]
SYSTEM_OF = {s.SYSTEM.system_id: s.SYSTEM for s in (xgboost_v1, catboost_v8)}


def played(seed: int = 1, rows: int = 3000) -> pd.DataFrame:
    """Training rows whose points follow the level of the player, with noise; a week of them lies after ``WEEK``."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(3, 4, rows)
    frame = pd.DataFrame({n: rng.normal(size=rows) for n in NAMES})
    frame["points_avg_last_10"] = level
    frame["points_ewma"] = level + rng.normal(0, 1, rows)
    frame["vegas_points_line"] = np.where(rng.random(rows) < 0.5, np.nan, np.round(level) + 0.5)
    frame["game_date"] = pd.Timestamp(WEEK) - pd.to_timedelta(rng.integers(-7, 60, rows), unit="D")
    frame["game_id"] = [f"{i:010d}" for i in range(rows)]
    frame["player_id"] = rng.integers(1, 400, rows)
    frame["result"] = rng.poisson(level)
    quoted = frame["vegas_points_line"].notna()
    frame["line"] = frame["consensus_line"] = frame["vegas_points_line"]
    frame["over_price"] = pd.array(np.where(quoted, -110, np.nan), dtype="Int64")
    frame["under_price"] = pd.array(np.where(quoted, -112, np.nan), dtype="Int64")
    return frame


@cache
def taught(system_id: str = "xgboost_v1", seed: int = 1, week: date = WEEK) -> Model:
    """A model of ``played(seed)``."""
    (system,) = (s for s in BOTH if s.system_id == system_id)
    return train(system, played(seed), week, 3, NOW)


@pytest.mark.parametrize("system", BOTH, ids=lambda t: t.system_id)
class TestAModel:
    def test_learns_and_describes_itself(self, system):
        frame, model = played(), taught(system.system_id)
        card = model.card
        assert card.schema_hash == SCHEMA_HASH
        assert card.library_version == system.learner.version()
        assert card.trained_through < WEEK
        assert card.rows == (frame["game_date"] < pd.Timestamp(WEEK)).sum()
        assert card.metrics["holdout_mae"] < 4
        assert {"holdout_last_10_mae", "holdout_line_mae", "holdout_rows_with_line"} <= set(card.metrics)
        assert sum(card.importances.values()) == pytest.approx(1, abs=0.01)
        assert next(iter(card.importances)) in ("points_avg_last_10", "points_ewma", "vegas_points_line")
        assert Card.from_json(card.to_json()) == card
        assert b"sklearn" not in model.artefact
        assert not model.artefact.startswith(b"\x80"), "a pickle"

    def test_is_blind_to_its_week_and_after(self, system):
        """Deleting or corrupting every later game gives the same model, byte for byte of its forecasts."""
        frame = played()
        later = frame["game_date"] >= pd.Timestamp(WEEK)
        assert later.sum() > 200
        corrupt = frame.copy()
        corrupt.loc[later, [*NAMES, "result"]] = 999.0
        others = (frame[~later], corrupt.sample(frac=1, random_state=3))
        made = [taught(system.system_id), *(train(system, f, WEEK, 3, NOW) for f in others)]
        assert len({m.card.fingerprint for m in made}) == 1
        asked = frame[list(system.inputs)].head(500)
        answers = [system.learner.predict(m.artefact, asked) for m in made]
        np.testing.assert_array_equal(answers[0], answers[1])
        np.testing.assert_array_equal(answers[0], answers[2])

    def test_learns_from_so_many_seasons_and_no_more(self, system):
        frame = played()
        frame.loc[frame.index[:100], "game_date"] = pd.Timestamp("2022-12-01")
        assert train(system, frame, WEEK, 3, NOW).card.trained_from >= date(2023, 10, 1)
        assert train(system, frame, WEEK, 4, NOW).card.trained_from == date(2022, 12, 1)

    def test_needs_rows(self, system):
        few = played(rows=training.MIN_ROWS)
        with pytest.raises(TooFewRows, match=f"{training.MIN_ROWS} are needed"):
            train(system, few, WEEK, 3, NOW)

    def test_has_no_skill_on_shuffled_points(self, system):
        """The canary: were anything of the outcome in the inputs, shuffled points would still be learnt."""
        frame = played(rows=6000)
        rng = np.random.default_rng(5)
        shuffled = frame.assign(result=rng.permutation(frame["result"].to_numpy()))
        model = train(system, shuffled, WEEK, 3, NOW)
        test = played(seed=9, rows=3000)
        points = rng.permutation(frame["result"].to_numpy())[:3000]
        own = np.abs(system.learner.predict(model.artefact, test[list(system.inputs)]) - points).mean()
        constant = np.abs(np.median(frame["result"]) - points).mean()
        assert own > constant - 0.05
        assert model.card.metrics["holdout_mae"] > constant - 0.25
        skilled = train(system, frame, WEEK, 3, NOW)
        assert skilled.card.metrics["holdout_mae"] < 0.75 * model.card.metrics["holdout_mae"]

    @pytest.mark.parametrize(
        ("change", "day", "reason"),
        [
            ({}, WEEK, None),
            ({}, WEEK + timedelta(13), None),
            ({}, WEEK + timedelta(14), "MODEL_TOO_OLD: of the week of 2025-12-01, 14 days before"),
            ({"schema_hash": "other"}, WEEK, "MODEL_SCHEMA_DIFFERS"),
            ({"library_version": "0.1"}, WEEK, "MODEL_LIBRARY_DIFFERS"),
            ({"library": "another"}, WEEK, "MODEL_LIBRARY_DIFFERS"),
            ({"trained_through": WEEK}, WEEK, "MODEL_KNOWS_THE_FUTURE"),
        ],
    )
    def test_is_refused_when_it_does_not_fit(self, system, change, day, reason):
        card = replace(taught(system.system_id).card, **change)
        found = refusal(system, card, day)
        assert found is None if reason is None else found.startswith(reason)

    def test_serves_each_date_with_its_own_model_and_abstains_with_a_reason(self, system):
        model, other = taught(system.system_id), taught(system.system_id, 2, WEEK + timedelta(7))
        days = [WEEK, WEEK + timedelta(8), WEEK + timedelta(30)]
        chosen = {days[0]: model, days[1]: other, days[2]: "MODEL_TOO_OLD: of another age"}
        features = played(seed=4, rows=30).drop(columns=["line", "over_price", "under_price", "consensus_line"])
        features = features.assign(
            game_date=np.repeat(pd.to_datetime(days), 10), player_id=range(30), player_name="A", player_lookup="a",
            cutoff_at=pd.Timestamp(NOW),
        )  # fmt: skip
        features.loc[0, system.required[0]] = np.nan
        lines = features[["game_date", "game_id", "player_id"]].assign(**{c.name: None for c in LINE_COLUMNS})
        lines["line"] = [12.5, np.nan] * 15
        models = {system.system_id: chosen}
        out = SYSTEM_OF[system.system_id].rows(given(features, lines, models=models))
        assert set(out["model_version"][1:10]) == {model.card.version}
        assert set(out["model_version"][10:20]) == {other.card.version}
        assert set(out["abstain_reason"][20:]) == {"MODEL_TOO_OLD: of another age"}
        assert out["forecast"][20:].isna().all()
        assert out["abstain_reason"][0] == f"MISSING_INPUT: {system.required[0]}"
        direct = system.learner.predict(other.artefact, features.loc[10:19, list(system.inputs)])
        np.testing.assert_array_equal(out["forecast"][10:20], direct.clip(0, 60))
        assert out["over_probability"].isna().all(), "no quote proved anything yet, so P(over) is withheld"
        shuffled = SYSTEM_OF[system.system_id].rows(
            given(features.sample(frac=1, random_state=1), lines, models=models)
        )
        pd.testing.assert_frame_equal(shuffled.sort_values("player_id", ignore_index=True), out, check_exact=True)

    def test_without_models_it_raises(self, system):
        with pytest.raises(KeyError, match=system.system_id):
            SYSTEM_OF[system.system_id].rows(given(pd.DataFrame(), pd.DataFrame()))


def test_the_market_is_hidden_from_one_and_shown_to_the_other():
    assert set(xgboost_v1.SYSTEM.inputs).isdisjoint(MARKET)
    # what all players of a date share names the date
    shared = {n for n in NAMES if n.startswith("league_")}
    assert len(shared) == 2
    assert set(xgboost_v1.SYSTEM.inputs) == set(NAMES) - set(MARKET) - shared
    assert catboost_v8.SYSTEM.inputs == tuple(f.name for f in LEGACY)
    assert len(catboost_v8.SYSTEM.inputs) == 33


def test_a_chance_falls_with_the_line_and_a_hit_line_is_set_aside():
    card = taught().card
    forecast = np.full(9, 15.0)
    chance = over_probability(
        card.residuals, forecast, np.array([3.5, 8.5, 12.5, 14.5, 15.5, 18.5, 25.5, 15.0, np.nan])
    )
    assert (np.diff(chance[:7]) < 0).all()
    assert 0.35 < chance[3] < 0.65
    assert chance[4] < chance[7] < chance[3], "a whole line lies between its half points"
    assert np.isnan(chance[8])


def quoted(rows: int = 9000, skill: float = 1.0) -> pd.DataFrame:
    """Rows with a line each, of which points follow a level that the line knows only in part."""
    frame = played(rows=rows)
    rng = np.random.default_rng(8)
    known = frame["points_avg_last_10"]
    hidden = known + skill * rng.normal(0, 3, rows)
    frame["points_ewma"] = hidden
    frame["line"] = np.round(known) + 0.5
    frame["over_price"] = pd.array(rng.choice([-130, -110, 105], rows), dtype="Int64")
    frame["under_price"] = pd.array(rng.choice([-130, -110, 105], rows), dtype="Int64")
    frame["result"] = np.maximum(0, np.round(hidden + rng.normal(0, 4, rows)))
    return frame


@pytest.mark.parametrize("skill", [0.0, 0.6])
def test_a_slope_that_is_not_earned_is_rare_without_skill_and_usual_with_it(skill: float):
    """Of 400 models, hardly any without skill has a slope; rows of a date miss together."""
    rng = np.random.default_rng(3)
    dates = pd.Series(np.repeat(pd.date_range("2026-01-01", periods=40), 50))
    earned = 0
    for _ in range(400):
        moves = rng.normal(0, 0.5, len(dates))
        together = np.repeat(rng.normal(0, 0.2, 40), 50)
        missed = (rng.random(len(dates)) < 1 / (1 + np.exp(-together - skill * moves))) - 0.5
        earned += chance.errors_above_0(missed, moves, dates) >= chance.EARNED
    assert earned > 360 if skill else earned < 6


def test_a_models_chance_moves_the_quotes_as_far_as_it_was_calibrated(monkeypatch):
    monkeypatch.setattr(chance, "CHANCE_DATES", 5)
    knows = train(BOTH[0], quoted(), WEEK, 3, NOW).card
    assert knows.chance["rows"] >= chance.CHANCE_ROWS
    assert knows.chance["dates"] >= chance.CHANCE_DATES
    assert knows.chance["slope"] > 0.3
    rows = quoted()
    guess = rows.assign(result=np.where(np.random.default_rng(1).random(len(rows)) < 0.5, 0, rows["line"] + 9))
    blind = train(BOTH[0], guess, WEEK, 3, NOW).card
    assert blind.chance["slope"] == 0, "what held-out rows don't tell from 0 moves no quote"
    assert 0 <= blind.chance["fitted"] < 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chance, "SLOPE_PRIOR", 0.02)
        doubted = train(BOTH[0], quoted(), WEEK, 3, NOW).card
    assert doubted.chance["slope"] < knows.chance["slope"] / 2, "what is doubted is drawn to the quote"
    line = np.full(3, 15.5)
    prices = pd.Series([-110, 120, None], dtype="Int64"), pd.Series([-110, -140, None], dtype="Int64")
    market = market_probability(*prices).to_numpy()
    moved = anchored_probability(knows, np.array([25.0, 25.0, 25.0]), line, *prices)
    assert (moved[:2] > market[:2]).all()
    assert np.isnan(moved[2]), "without a quote there is nothing to anchor on"
    still = anchored_probability(blind, np.full(3, 25.0), line, *prices)
    np.testing.assert_array_equal(still[:2], market[:2])


def test_a_model_whose_chances_were_fitted_on_other_prices_is_another_one(monkeypatch):
    """Its inputs may hold no price: the same forecasts with another P(over) are not the same answer."""
    monkeypatch.setattr(chance, "CHANCE_DATES", 5)
    rows = quoted()
    one, same, other = (
        train(BOTH[0], frame, WEEK, 3, NOW).card
        for frame in (rows, rows, rows.assign(over_price=rows["under_price"], under_price=rows["over_price"]))
    )
    assert one.version == same.version
    assert one.sha256 == other.sha256
    assert one.chance != other.chance
    assert one.version != other.version


def test_a_model_without_enough_quotes_gives_no_chance():
    card = taught().card
    assert card.chance == {}
    price = pd.Series([-110], dtype="Int64")
    assert np.isnan(anchored_probability(card, np.array([20.0]), np.array([15.5]), price, price)).all()


def metrics(mae: float, last_10: float = 5.0, se: float = 0.02, rows: int = 5000) -> dict[str, float]:
    return {"holdout_mae": mae, "holdout_last_10_mae": last_10, "holdout_gain_se": se, "holdout_rows": rows}


@pytest.mark.parametrize(
    ("own", "in_force", "reason"),
    [
        (metrics(4.7), None, ""),
        (metrics(5.0), None, "WORSE_THAN_LAST_10"),
        (metrics(44.1, rows=72), None, ""),  # too few rows to judge by
        (metrics(4.71), metrics(4.7), ""),
        (metrics(4.8), metrics(4.7), "WORSE_THAN_THE_MODEL_IN_FORCE"),
        (metrics(4.8, last_10=5.12), metrics(4.7), ""),  # its holdout was harder
        (metrics(4.8, se=0.1), metrics(4.7), ""),
    ],
)
def test_a_model_is_put_in_force_only_if_it_is_good_enough(own, in_force, reason):
    """Beside the last-10 average, and beside the model of the week before."""
    card = taught().card
    before = None if in_force is None else replace(card, metrics=in_force, week=card.week - timedelta(7))
    assert why_not(replace(card, metrics=own), before).startswith(reason)
    assert bool(why_not(replace(card, metrics=own), before)) == bool(reason)


@pytest.mark.parametrize("change", [{"library_version": "0"}, {"schema_hash": "another"}])
def test_a_model_is_not_judged_by_one_that_could_not_serve_in_its_place(change):
    """Else the week would have none: 2024-02-13, asked for after 2023-12-06, had none in force."""
    card = replace(taught().card, metrics=metrics(4.8))
    before = replace(card, metrics=metrics(4.7), week=WEEK - timedelta(7))
    assert why_not(card, before)
    assert why_not(card, replace(before, **change)) == ""


@pytest.mark.parametrize(("day", "monday"), [("2025-12-01", "2025-12-01"), ("2025-12-07", "2025-12-01")])
def test_a_week_begins_on_monday(day, monday):
    assert week_of(date.fromisoformat(day)) == date.fromisoformat(monday)


def test_trees_start_from_the_median_so_that_a_short_history_gives_points_and_not_forty_too_many():
    frame = played(rows=1500)
    frame["result"] = frame["result"] + 12
    model = train(BOTH[0], frame, WEEK, 3, NOW)
    assert model.card.metrics["holdout_mae"] < 6
    asked = frame[list(xgboost_v1.SYSTEM.inputs)].head(50)
    assert xgboost_v1.SYSTEM.recipes[0].learner.predict(model.artefact, asked).max() < frame["result"].max() + 5


@pytest.mark.parametrize(("installed", "version"), [("xgboost-cpu", "3.2.0+cpu"), ("xgboost", "3.2.0")])
def test_each_build_of_xgboost_has_a_version_of_its_own(installed, version, monkeypatch):
    """The columns that a seed draws depend on the compiler, so that a model of one build is not one of the other."""

    def found(name: str) -> str:
        if name != installed:
            raise metadata.PackageNotFoundError(name)
        return "3.2.0"

    monkeypatch.setattr(metadata, "version", found)
    assert xgboost_v1.XGBoost().version() == version
