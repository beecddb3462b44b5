"""Forecasts of minutes: what they are made of, their spread, and their scores."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from nba_props.domain.features import ABSENT_RISK
from nba_props.domain.minutes import of_past
from nba_props.domain.models import chance
from nba_props.domain.models.card import Card, Model
from nba_props.domain.models.training import train
from nba_props.domain.systems import RECIPES, TRAINED, minutes, recipes_of
from nba_props.facts.keys import PLAYER_GAME
from nba_props.schemas.minutes import MINUTES, MINUTES_SCORES

WEEK = date(2025, 11, 3)
DAY = pd.Timestamp("2025-11-05")
NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)


def past(*games: int, player: int = 1) -> pd.DataFrame:
    """A player's past minutes, the newest first."""
    n = len(games)
    return pd.DataFrame(
        {"game_date": DAY, "player_id": player, "recency": pd.array(range(1, n + 1), dtype="Int64"),
         "minutes": pd.array(games, dtype="Int64")}
    )  # fmt: skip


def test_what_the_past_says_is_the_last_game_and_two_means():
    (row,) = of_past(past(10, 30, 30)).to_dict("records")
    assert row["minutes_last"] == 10
    half = 0.5 ** (1 / 2)
    assert row["minutes_ewma_short"] == pytest.approx((10 + 30 * half + 30 * half**2) / (1 + half + half**2))
    assert 10 < row["minutes_ewma_short"] < row["minutes_ewma_long"] < 30


def test_the_order_of_games_and_other_players_change_nothing():
    both = pd.concat([past(12, 33, 8), past(40, 2, player=2)])
    shuffled = both.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(of_past(both), of_past(shuffled))
    pd.testing.assert_frame_equal(of_past(both).iloc[:1], of_past(past(12, 33, 8)))


def rows(skill: float = 1.0, n: int = 3_000, seed: int = 1) -> pd.DataFrame:
    """Training rows whose minutes are those of the last game and of the mean, and noise."""
    rng = np.random.default_rng(seed)
    usual = rng.uniform(5, 38, n)
    last = np.clip(usual + rng.normal(0, 6, n), 0, 45)
    frame = pd.DataFrame({name: rng.normal(0, 1, n) for name in minutes.INPUTS})
    played = skill * (0.5 * usual + 0.5 * last) + (1 - skill) * rng.permutation(usual) + rng.normal(0, 4, n)
    return frame.assign(
        minutes_ewma_short=usual, minutes_last=last, minutes_ewma=usual, minutes_played=np.clip(played, 0, 48).round(),
        player_id=np.arange(n), game_id=[f"g{k}" for k in range(n)], consensus_line=20.5, line=20.5, result=99.0,
        game_date=pd.Timestamp("2025-10-21") + pd.to_timedelta(np.arange(n) % 13, unit="D"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    return train(minutes.RECIPE, rows(), WEEK, 3, NOW)


def test_a_model_learns_minutes_and_no_line_is_beside_them(model):
    card = model.card
    assert card.metrics["holdout_mae"] < card.metrics["holdout_last_10_mae"]
    assert card.metrics["holdout_rows_with_line"] == 0, "the line is of points"
    assert (card.residuals, card.chance) == ((), {})
    assert len(card.bands) == 8
    again = Card.from_json(card.to_json())
    assert again == card
    assert train(minutes.RECIPE, rows().assign(result=1.0), WEEK, 3, NOW).card.version == card.version


def test_shuffled_minutes_have_no_skill():
    frame = rows()
    shuffled = frame.assign(minutes_played=np.random.default_rng(2).permutation(frame["minutes_played"]))
    card = train(minutes.RECIPE, shuffled, WEEK, 3, NOW).card
    constant = (shuffled["minutes_played"] - shuffled["minutes_played"].median()).abs().mean()
    assert card.metrics["holdout_mae"] > 0.95 * constant


def test_games_from_the_monday_on_change_nothing(model):
    later = rows(seed=9).assign(game_date=pd.Timestamp(WEEK))
    both = pd.concat([rows(), later], ignore_index=True)
    assert train(minutes.RECIPE, both, WEEK, 3, NOW).card.version == model.card.version


def slate(**more) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Features, past and context of three players: one steady, one reported out, one who never played."""
    keys = pd.DataFrame({"game_date": DAY, "game_id": "1", "player_id": [1, 2, 3]})
    features = keys.assign(
        player_name="A B", player_lookup="ab", cutoff_at=DAY.tz_localize("UTC"), minutes_ewma=[30.0, 30.0, None],
        injury_risk=[0.0, float(ABSENT_RISK), 0.0], **{n: 0.0 for n in minutes.INPUTS if n not in (*minutes.OF_PAST, "minutes_avg_season")},
    )  # fmt: skip
    known = keys.assign(minutes_avg_season=[30.0, 30.0, None])
    return features.assign(**more), pd.concat([past(31, 29), past(31, 29, player=2)]), known


def test_a_forecast_has_its_spread_and_a_player_without_one_the_reason(model):
    found = MINUTES.validate(minutes.forecasts(*slate(), {DAY.date(): model}))
    steady = found.iloc[0]
    assert steady["low"] < steady["minutes"] < steady["high"]
    assert steady["deviation"] > 0
    assert steady["model_version"] == model.card.version
    assert found["abstain_reason"].tolist() == [None, "REPORTED_ABSENT", "MISSING_INPUT: minutes_ewma"]
    assert found["minutes"].notna().tolist() == [True, False, False]


def test_without_a_model_there_is_no_forecast_and_the_reason_is_its_own():
    found = MINUTES.validate(minutes.forecasts(*slate(), {DAY.date(): "NO_MODEL: none is trained yet"}))
    assert found["minutes"].isna().all()
    assert found.loc[0, "abstain_reason"] == "NO_MODEL: none is trained yet"


def test_the_spread_is_that_of_the_band_of_the_forecast():
    rng = np.random.default_rng(4)
    forecast = np.concatenate([rng.uniform(0, 10, 4_000), rng.uniform(30, 40, 4_000)])
    results = forecast + np.concatenate([rng.normal(0, 2, 4_000), rng.normal(0, 6, 4_000)])
    bands = chance.bands(results, forecast)
    found = minutes._around(np.array([5.0, 35.0, 99.0]), json.loads(json.dumps(bands)))
    assert found[0, 2] == pytest.approx(2, abs=0.2)
    assert found[1, 2] == pytest.approx(6, abs=0.4)
    assert (found[1, 1] - found[1, 0]) == pytest.approx(2 * 1.2816 * 6, abs=1)
    assert found[2, 1] > 99


def test_scores_stand_beside_those_of_the_mean(model):
    found = minutes.forecasts(*slate(), {DAY.date(): model})
    played = found[PLAYER_GAME].assign(minutes_played=[28, 20, 5])
    both = MINUTES_SCORES.validate(minutes.scores(found, played, found[PLAYER_GAME].iloc[:1])).set_index("players")
    assert both["forecasts"].tolist() == [1, 1]
    assert both.loc["ALL", "error"] == pytest.approx(abs(found.loc[0, "minutes"] - 28), abs=1e-6)
    assert both.loc["QUOTED", "ewma_error"] == 2
    assert minutes.scores(found, played.iloc[1:], found[PLAYER_GAME]).empty
    assert minutes.scores(found, played, found[PLAYER_GAME].iloc[1:])["players"].tolist() == ["ALL"]


def test_its_models_are_trained_with_those_of_the_systems():
    assert RECIPES["minutes_v1"] is minutes.RECIPE
    assert TRAINED["minutes_v1"] == (minutes.RECIPE,)
    assert recipes_of(["minutes_forecasts"], ["points"]) == [minutes.RECIPE]
    assert minutes.RECIPE not in recipes_of(["xgboost_v1"], ["points"])
    assert replace(minutes.RECIPE) == minutes.RECIPE
