"""Systems in shadow: what earns a weight, and what loses it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_props.domain import promotion
from nba_props.domain.models.card import week_of
from nba_props.domain.promotion import FEWEST_DATES, LOST, promotions
from nba_props.schemas.monitoring import PROMOTIONS
from nba_props.schemas.predictions import EVIDENCE

FROZEN = date(2026, 11, 30)
FIRST = FROZEN + timedelta(1)


def quotes(gains: np.ndarray, market: str = "rebounds", first: date = FIRST, a_day: int = 100) -> pd.DataFrame:
    """The evidence of a system that gains so much a quote on each date."""
    rows = pd.DataFrame({"game_date": pd.Timestamp(first) + pd.to_timedelta(range(len(gains)), unit="D")})
    made = EVIDENCE.empty().reindex(rows.index).assign(
        game_date=rows["game_date"], market=market, system_id="candidate", model_version="1", quotes=a_day, games=5,
        consensus_log_loss=0.69 * a_day, log_loss=(0.69 - np.asarray(gains)) * a_day,
    ).fillna(0.0)  # fmt: skip
    return EVIDENCE.validate(made)


def noisy(mean: float, days: int, spread: float = 0.002, seed: int = 1) -> np.ndarray:
    return mean + spread * np.random.default_rng(seed).standard_normal(days)


def weights(days: list[date], market: str = "rebounds", weight: float | None = 0.03) -> pd.DataFrame:
    return pd.DataFrame(
        {"game_date": pd.to_datetime(days), "system_id": "candidate", "market": market, "candidate_weight": weight}
    )


def judged(scores: pd.DataFrame, *days: date, weight: float | None = 0.03) -> pd.DataFrame:
    found = promotions(scores, weights(list(days), weight=weight), {"candidate": FROZEN}, list(days))
    return PROMOTIONS.validate(found).set_index("game_date")


def on(scores: pd.DataFrame, day: date, **more) -> pd.Series:
    return judged(scores, day, **more).loc[pd.Timestamp(day)]


def after(days: int) -> date:
    """The Monday from which on so many dates of evidence count."""
    return week_of(FIRST + timedelta(days - 1)) + timedelta(7)


def test_a_weight_is_earned_by_sixty_dates_with_a_gain_that_is_surely_above_zero():
    scores = quotes(noisy(0.001, 120))
    before, then = on(scores, after(FEWEST_DATES) - timedelta(1)), on(scores, after(FEWEST_DATES))
    assert (before["standing"], before["weight"], before["dates"]) == ("SHADOW", 0, 55)
    assert before["reason"].startswith("in shadow, 55 of 60 dates since it was frozen on 2026-11-30, gain +0.00")
    assert (then["standing"], then["weight"], then["dates"]) == ("PUBLISHED", 0.03, 62)
    assert then["since"] == pd.Timestamp(after(FEWEST_DATES))
    assert then["gain_low"] > 0
    assert then["reason"].startswith("earned on 62 dates after 2026-11-30, gain +0.00")


def test_a_system_without_a_weight_of_its_own_counts_whole():
    scores = quotes(noisy(0.001, 70))
    assert on(scores, after(FEWEST_DATES), weight=None)["weight"] == 1
    assert on(scores, FIRST, weight=None)["weight"] == 0


@pytest.mark.parametrize("mean", [0.0, -0.001, 0.0001], ids=["none", "a loss", "too small to tell"])
def test_no_gain_earns_no_weight(mean):
    row = on(quotes(noisy(mean, 100)), after(90))
    assert (row["standing"], row["weight"]) == ("SHADOW", 0)
    assert row["dates"] >= FEWEST_DATES
    assert "the lower bound of its gain is not above 0" in row["reason"]


def test_dates_up_to_the_freeze_do_not_count():
    early = quotes(noisy(0.01, 200), first=FROZEN - timedelta(199))
    assert early["game_date"].max() == pd.Timestamp(FROZEN)
    row = on(early, FIRST)
    assert (row["standing"], row["dates"], row["quotes"]) == ("SHADOW", 0, 0)
    assert pd.isna(row["gain"])
    assert row["evidence_from"] == pd.Timestamp(FIRST)


def test_a_weight_is_lost_when_the_newest_sixty_dates_are_surely_not_good_and_has_to_be_earned_afresh():
    gains = np.concatenate([noisy(0.002, 70), noisy(-0.002, 70, seed=2), noisy(0.003, 70, seed=3)])
    days = [FIRST + timedelta(n) for n in range(0, 240, 7)]
    found = judged(quotes(gains), *days)
    standing = found["standing"].tolist()
    changes = [n for n in range(1, len(standing)) if standing[n] != standing[n - 1]]
    assert [standing[n] for n in changes] == ["PUBLISHED", "SHADOW", "PUBLISHED"]
    fell = found.iloc[changes[1]]
    assert fell["newest_low"] < LOST
    assert (fell["dates"], fell["evidence_from"]) == (0, fell["since"])
    assert "lost its weight" in fell["reason"]
    rose = found.iloc[changes[2]]
    assert rose["dates"] >= FEWEST_DATES
    assert rose["evidence_from"] == fell["since"]
    assert (found["weight"] > 0).tolist() == [s == "PUBLISHED" for s in standing]


def test_the_future_changes_nothing():
    scores = quotes(noisy(0.001, 120))
    for day in (FIRST + timedelta(20), after(FEWEST_DATES), FIRST + timedelta(90)):
        known = scores[scores["game_date"] < pd.Timestamp(week_of(day))]
        later = scores["game_date"] >= pd.Timestamp(week_of(day))
        corrupted = scores.assign(log_loss=scores["log_loss"].mask(later, 1e6))
        pd.testing.assert_series_equal(on(known, day), on(scores, day))
        pd.testing.assert_series_equal(on(corrupted, day), on(scores, day))


def test_a_date_does_not_depend_on_the_others_of_a_run():
    gains = np.concatenate([noisy(0.002, 70), noisy(-0.002, 70, seed=2)])
    days = [FIRST + timedelta(n) for n in range(0, 140, 5)]
    together = judged(quotes(gains), *days)
    for day in days[::4]:
        pd.testing.assert_series_equal(together.loc[pd.Timestamp(day)], on(quotes(gains), day))


def test_markets_are_judged_apart():
    both = pd.concat([quotes(noisy(0.002, 80)), quotes(noisy(-0.002, 80), market="threes")])
    day = after(70)
    asked = pd.concat([weights([day]), weights([day], market="threes"), weights([day], market="points")])
    found = PROMOTIONS.validate(promotions(both, asked, {"candidate": FROZEN}, [day])).set_index("market")
    assert found["standing"].to_dict() == {"points": "SHADOW", "rebounds": "PUBLISHED", "threes": "SHADOW"}
    assert found.loc["points", "dates"] == 0


#: any gains, and the same gain on every date, which earns a weight once there are enough of them
GAINS = st.lists(st.floats(-0.01, 0.01), min_size=1, max_size=150) | st.builds(
    lambda gain, dates: [gain] * dates, st.floats(0.0005, 0.01), st.integers(1, 150)
)


@settings(max_examples=settings().max_examples // 4)  # of four systems each, judged on four dates
@given(st.lists(st.tuples(GAINS, st.integers(0, 160)), min_size=4, max_size=4))
def test_no_weight_without_the_evidence(drawn):
    """What the check of the table asks of every row."""
    names = [f"candidate_{n}" for n in range(len(drawn))]
    scores = pd.concat([quotes(np.array(g)).assign(system_id=s) for s, (g, _) in zip(names, drawn, strict=True)])
    days = sorted({FIRST + timedelta(ahead) for _, ahead in drawn})
    asked = pd.concat([weights(days).assign(system_id=name) for name in names])
    found = PROMOTIONS.validate(promotions(scores, asked, dict.fromkeys(names, FROZEN), days))
    assert len(found) == len(names) * len(days)
    for row in found.to_dict("records"):
        assert (row["weight"] > 0) == (row["standing"] == "PUBLISHED")
        if row["standing"] == "PUBLISHED":
            assert row["dates"] >= FEWEST_DATES
            assert not row["newest_low"] < LOST
        if row["since"] == pd.Timestamp(week_of(row["game_date"].date())) and row["standing"] == "PUBLISHED":
            assert row["gain_low"] > 0


def test_a_formula_without_skill_is_seldom_promoted():
    """A season has many Mondays: by the usual interval, 11 of these 100 were promoted on one of them."""
    names = [f"candidate_{seed}" for seed in range(100)]
    scores = pd.concat([quotes(noisy(0.0, 170, seed=n)).assign(system_id=name) for n, name in enumerate(names)])
    days = [FIRST + timedelta(n) for n in range(0, 175, 7)]
    asked = pd.concat([weights(days).assign(system_id=name) for name in names])
    found = promotions(scores, asked, dict.fromkeys(names, FROZEN), days)
    assert found[found["standing"] == "PUBLISHED"]["system_id"].nunique() <= 2


def test_without_a_system_in_shadow_there_are_no_rows():
    assert promotions(EVIDENCE.empty(), weights([]), {"candidate": FROZEN}, [FIRST]).empty
    assert len(judged(EVIDENCE.empty(), FIRST)) == 1


def test_evidence_of_few_dates_has_no_bounds_and_shows_its_gain():
    row = on(quotes(noisy(0.001, 5)), after(5))
    assert row["gain"] == pytest.approx(0.001, abs=0.003)
    assert pd.isna(row["gain_low"])
    assert promotion.reasons(judged(quotes(noisy(0.001, 5)), after(5)))[0].endswith("nats a quote")
