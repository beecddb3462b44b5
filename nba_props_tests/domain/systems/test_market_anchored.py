"""``market_anchored_v1``: the consensus, moved towards a model's forecast by a weight that past results give."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from nba_props.domain import gate
from nba_props.domain.consensus import spread
from nba_props.domain.distributions.shapes import unit
from nba_props.domain.features import ABSENT_RISK
from nba_props.domain.systems import SYSTEM_TABLES, market_anchored
from nba_props.domain.systems.base import SystemInputs
from nba_props.domain.systems.market_anchored import MIN_RESULTS, PRIOR, weights
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.schemas.analytics import BETTING_LINES, CONSENSUS
from nba_props.schemas.features import PLAYER_FEATURES

DAY = pd.Timestamp("2025-11-05")
MONDAY = pd.Timestamp("2025-11-03")


def record(skill: float, n: int = 3_000, market: str = "points", bias: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Past forecasts whose distance from the consensus, in spreads, is kept by results to a share of ``skill``."""
    rng = np.random.default_rng(seed)
    median = pd.Series(rng.uniform(8, 28, n))
    far = rng.standard_normal(n) * 0.5
    u = unit(median, pd.Series(market, index=median.index))
    return pd.DataFrame(
        {
            "game_date": MONDAY - pd.to_timedelta(1 + np.arange(n) % 60, unit="D"), "market": market,
            "forecast": median + u * (far + bias), "median": median,
            "result": median + u * (skill * far + rng.standard_normal(n)),
        }
    )  # fmt: skip


def weight_of(past: pd.DataFrame, week: pd.Timestamp = MONDAY) -> float:
    (row,) = weights(past, [week]).to_dict("records")
    return row["weight"]


def test_the_weight_is_the_slope_that_results_have_followed_drawn_towards_zero():
    past = record(0.2, n=200_000)
    assert weight_of(past) == pytest.approx(0.2, abs=0.015)
    assert weight_of(record(0.2)) < 0.2
    x = (past["forecast"] - past["median"]) / unit(past["median"], past["market"])
    x = x.clip(-1.5, 1.5) - x.clip(-1.5, 1.5).median()
    y = (past["result"] - past["median"]) / unit(past["median"], past["market"])
    expected = (x * y).sum() / ((x**2).sum() + (y**2).mean() / PRIOR**2)
    assert weight_of(past) == pytest.approx(expected)


def test_shuffled_results_give_next_to_no_weight_and_a_wrong_model_none():
    past = record(0.3)
    shuffled = past.assign(result=np.random.default_rng(2).permutation(past["result"]))
    assert weight_of(shuffled) < 0.03
    assert weight_of(record(-0.3)) == 0


def test_too_few_results_give_no_weight():
    assert weight_of(record(0.5, n=MIN_RESULTS - 1)) == 0
    assert weight_of(record(0.5, n=MIN_RESULTS)) > 0


def test_a_model_that_is_always_too_high_has_the_weight_of_one_that_is_not():
    assert weight_of(record(0.2, bias=0.4)) == pytest.approx(weight_of(record(0.2)), abs=0.02)


def test_results_from_the_monday_on_change_nothing():
    past = record(0.2)
    known = past[past["game_date"] < MONDAY - pd.Timedelta(days=7)]
    later = past["game_date"] >= MONDAY - pd.Timedelta(days=7)
    corrupted = past.assign(result=past["result"].mask(later, 1e6), forecast=past["forecast"].mask(later, -50))
    week = MONDAY - pd.Timedelta(days=7)
    assert weight_of(known, week) == weight_of(past, week) == weight_of(corrupted, week) > 0
    both = weights(past, [week, MONDAY]).set_index("week")["weight"]
    assert both[week] == weight_of(past, week)
    assert both[MONDAY] == weight_of(past)


def rows(*given: dict, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """The system's rows of players with a consensus of 20.3 and a line of 20.5, unless given otherwise."""
    usual = {"median": 20.3, "model": 24.0, "line": 20.5, "team_games": 40, "risk": 0.0}
    each = [{**usual, **g} for g in given]
    n = len(each)
    keys = pd.DataFrame({"game_date": [DAY] * n, "game_id": "1", "player_id": range(1, n + 1), "market": "points"})

    def of(name: str) -> list:
        return [e[name] for e in each]

    lines = BETTING_LINES.empty().reindex(range(n)).assign(**keys, player_name="A B", player_lookup="ab")
    lines = lines.assign(
        cutoff_at=DAY.tz_localize("UTC") + timedelta(days=1), line=of("line"), over_price=-110, under_price=-110,
        has_prop_line=True, line_source="ACTUAL_PROP", quote_id=[f"q{k}" for k in range(n)],
    )  # fmt: skip
    games = keys[PLAYER_GAME].assign(team_games=of("team_games"))
    return market_anchored.SYSTEM.rows(
        SystemInputs(
            lines=lines,
            tables={
                PLAYER_FEATURES.address: keys[PLAYER_GAME].assign(injury_risk=of("risk")),
                CONSENSUS.address: keys.assign(median=of("median")),
            },
            systems=keys[PROP].assign(forecast=of("model")),
            answers={"record": record(0.3) if past is None else past, "games": games.dropna()},
        )
    )


def test_a_forecast_moves_the_consensus_by_its_weight():
    (row,) = rows({}).to_dict("records")
    w = weight_of(record(0.3))
    u = float(unit(pd.Series([20.3]), pd.Series(["points"]))[0])
    past = record(0.3)
    middle = ((past["forecast"] - past["median"]) / unit(past["median"], past["market"])).clip(-1.5, 1.5).median()
    delta = w * ((24 - 20.3) / u - middle)
    assert row["forecast"] == pytest.approx(20.3 + u * delta)
    s = float(spread(pd.Series([20.5]), pd.Series(["points"]))[0])
    assert row["over_probability"] == pytest.approx(norm.cdf((20.3 - 20.5) / s + delta))
    assert row["system_id"] == "market_anchored_v1"


def test_a_team_in_its_first_games_moves_it_less_and_an_extreme_forecast_no_more():
    late, early, first, far, farther = (
        rows({}, {"team_games": 3}, {"team_games": 0}, {"model": 60.0}, {"model": 50.0})
    )["forecast"] - 20.3
    assert early == pytest.approx(late * 3 / 15)
    assert first == 0
    assert far == farther > late


def test_without_a_weight_the_forecast_is_the_consensus_and_has_no_probability_of_its_own():
    found = rows({}, {"model": None}, {"team_games": None}, past=record(0.3, n=100))
    assert found["forecast"].tolist() == [20.3] * 3
    assert found["over_probability"].isna().all()
    assert found["confidence_score"].between(0.5, 0.6).all(), "that of the consensus, which the gate asks for"
    assert set(found["recommendation"]) == {"PASS"}


def test_what_is_missing_is_a_reason_and_never_a_default():
    found = rows({"median": None}, {"model": None}, {"team_games": None}, {"risk": ABSENT_RISK})
    assert found["forecast"].isna().all()
    assert found["over_probability"].isna().all()
    assert found["abstain_reason"].tolist() == [
        "TOO_FEW_BOOKS", "NO_FORECAST: of xgboost_v1", "TEAM_UNKNOWN", "REPORTED_ABSENT",
    ]  # fmt: skip


def test_no_row_is_held_back_by_the_gate():
    found = rows({}, {"model": None}, {"median": 2.0, "line": 1.5}).assign(line_problem=None)
    table = SYSTEM_TABLES["market_anchored_v1"]
    judged = table.validate(found.drop(columns="line_problem")).assign(stands_in=table.name, line_problem=None)
    _, held_back = gate.split(judged)
    assert held_back.empty


def test_it_is_in_shadow_by_itself():
    assert market_anchored.SYSTEM.frozen_on == date(2026, 11, 30)
    assert not market_anchored.SYSTEM.is_market


def test_the_order_of_results_changes_no_bit_of_a_weight():
    past = record(0.2)
    for seed in range(5):
        assert weight_of(past.sample(frac=1, random_state=seed)) == weight_of(past)
