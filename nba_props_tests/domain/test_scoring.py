"""Scores against plain arithmetic on the rows, and intervals against what they promise."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from nba_props.domain import scoring
from nba_props.domain.odds import over_probability, payout


def graded(n: int = 600, days: int = 20, seed: int = 1) -> pd.DataFrame:
    """Grades of two systems against half-point and whole lines, some void, pending or not bet."""
    rng = np.random.default_rng(seed)
    f = pd.DataFrame({"system_id": rng.choice(["a", "b"], n), "line": rng.integers(8, 60, n) / 2})
    f["game_date"] = pd.Timestamp("2025-11-01") + pd.to_timedelta(rng.integers(0, days, n), unit="D")
    points = rng.poisson(f["line"]).astype(float)
    f["predicted_points"] = f["line"] + rng.normal(0, 3, n)
    f["recommendation"] = np.where(
        f["predicted_points"] > f["line"] + 1, "OVER", np.where(f["predicted_points"] < f["line"] - 1, "UNDER", "PASS")
    )
    void, pending = rng.random(n) < 0.05, rng.random(n) < 0.05
    points[void | pending] = np.nan
    f["actual_points"] = points
    f["actual_margin"] = points - f["line"]
    f["signed_error"] = f["predicted_points"] - points
    f["absolute_error"] = f["signed_error"].abs()
    f["line_absolute_error"] = (f["line"] - points).abs()
    f["last_10_absolute_error"] = np.where(rng.random(n) < 0.1, np.nan, (f["line"] + 1 - points).abs())
    bet = f["recommendation"] != "PASS"
    won = (f["actual_margin"] > 0) == (f["recommendation"] == "OVER")
    f["outcome"] = np.select(
        [void, pending, ~bet, f["actual_margin"] == 0, won], ["VOID", "PENDING", "NO_BET", "PUSH", "WIN"], "LOSS"
    )
    f["over_price"], f["under_price"] = rng.choice([-120, -110, 105], n), rng.choice([-115, -105, 100], n)
    price = payout(f["over_price"]).where(f["recommendation"] == "OVER", payout(f["under_price"]))
    f["profit"] = np.select(
        [f["outcome"] == "WIN", f["outcome"] == "LOSS", f["outcome"].isin(["PUSH", "VOID"])], [price, -1.0, 0.0], np.nan
    )
    f["best_profit"] = f["profit"]
    f["over_probability"] = np.where(f["system_id"] == "a", rng.uniform(0.2, 0.8, n), np.nan)
    f["market_over_probability"] = over_probability(f["over_price"], f["under_price"])
    f["is_valid_line"] = rng.random(n) < 0.95
    f["is_current"] = rng.random(n) < 0.95
    return f


def row(table: pd.DataFrame, system: str, tier: str = "ALL") -> pd.Series:
    return table.set_index(["tier", "system_id"]).loc[(tier, system)]


@pytest.mark.parametrize("tier", ["ALL", "UNDER_10", "10_TO_20", "OVER_20"])
@pytest.mark.parametrize("system", ["a", "b"])
def test_every_score_is_what_the_rows_say(system, tier):
    f = graded()
    s = row(scoring.table(f), system, tier)
    own = f[(f["system_id"] == system) & f["is_valid_line"] & f["is_current"]]
    bounds = {"ALL": (0, 99), "UNDER_10": (0, 9.5), "10_TO_20": (10, 20), "OVER_20": (20.5, 99)}[tier]
    own = own[own["line"].between(*bounds)]
    scored = own.dropna(subset=["absolute_error"])
    assert (s["predictions"], s["rows_scored"]) == (len(own), len(scored))
    assert s["mae"] == pytest.approx(scored["absolute_error"].mean())
    assert s["rmse"] == pytest.approx(np.sqrt((scored["signed_error"] ** 2).mean()))
    assert s["bias"] == pytest.approx(scored["signed_error"].mean())
    assert s["line_mae"] == pytest.approx(scored["line_absolute_error"].mean())
    assert s["last_10_mae"] == pytest.approx(scored["last_10_absolute_error"].mean())
    assert s["mae_difference"] == pytest.approx(s["mae"] - s["line_mae"])
    assert s["mae_difference_low"] < s["mae_difference"] < s["mae_difference_high"]
    counts = own["outcome"].value_counts()
    for column, outcome in (
        ("wins", "WIN"),
        ("losses", "LOSS"),
        ("pushes", "PUSH"),
        ("voids", "VOID"),
        ("pending", "PENDING"),
    ):
        assert s[column] == counts.get(outcome, 0)
    decided = own[own["outcome"].isin(["WIN", "LOSS"])]
    assert s["hit_rate"] == pytest.approx((decided["outcome"] == "WIN").mean())
    assert s["roi"] == pytest.approx(decided["profit"].mean())
    odds = 1 + payout(decided["over_price"]).where(decided["recommendation"] == "OVER", payout(decided["under_price"]))
    assert s["break_even"] == pytest.approx(1 / odds.mean())
    overs = decided[decided["recommendation"] == "OVER"]
    assert s["over_bets"] == len(overs)
    assert s["over_hit_rate"] == pytest.approx((overs["outcome"] == "WIN").mean())
    assert s["over_bets"] + s["under_bets"] == len(decided)
    known = own[own["over_probability"].notna() & own["actual_margin"].notna() & (own["actual_margin"] != 0)]
    assert s["rows_with_probability"] == len(known)
    if len(known):
        y, p = (known["actual_margin"] > 0).astype(float), known["over_probability"]
        assert s["brier"] == pytest.approx(((p - y) ** 2).mean())
        assert s["log_loss"] == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        m = known["market_over_probability"]
        assert s["market_brier"] == pytest.approx(((m - y) ** 2).mean())
        gaps = (p - y).groupby(np.floor(p * 10)).sum().abs().sum()
        assert s["calibration_error"] == pytest.approx(gaps / len(known))
    else:
        assert np.isnan(s["log_loss"])


def test_wilson_is_scipys():
    for wins, n in ((0, 10), (3, 10), (10, 10), (570, 1000)):
        found = scoring.wilson(wins, n)
        interval = binomtest(wins, n).proportion_ci(0.95, method="wilson")
        assert [float(x) for x in found] == pytest.approx([wins / n, interval.low, interval.high])
    assert np.isnan(scoring.wilson(0, 0)).all()


def test_the_sql_interval_is_the_same(lake):
    from nba_props.schemas.monitoring import _wilson

    rows = lake.query(
        f"SELECT {_wilson('-')} AS low, {_wilson('+')} AS high FROM (SELECT 57 AS wins, 100 AS decided) AS t"
    )
    _, low, high = scoring.wilson(57, 100)
    assert rows["low"][0] == pytest.approx(float(low), abs=1e-6)
    assert rows["high"][0] == pytest.approx(float(high), abs=1e-6)
    none = lake.query(f"SELECT {_wilson('-')} AS low FROM (SELECT 0 AS wins, 0 AS decided) AS t")
    assert none["low"].isna().all()


def test_the_interval_is_wider_when_dates_move_together():
    """Rows of a date that share their luck are worth less than as many independent ones."""
    f = graded(2000, 25)
    f["system_id"], f["is_valid_line"], f["is_current"] = "a", True, True
    shock = pd.Series(np.random.default_rng(3).normal(0, 2, 25))
    together = f.assign(absolute_error=f["absolute_error"] + (f["game_date"].dt.dayofyear - 305).map(shock))
    alone, shared = (row(scoring.table(x), "a") for x in (f, together))
    width = [s["mae_difference_high"] - s["mae_difference_low"] for s in (alone, shared)]
    assert width[1] > 2 * width[0]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(60):
        f = graded(400, 30, seed)
        f["absolute_error"] = f["line_absolute_error"] + np.random.default_rng(seed + 99).normal(0.3, 2, 400)
        f["system_id"], f["is_valid_line"], f["is_current"] = "a", True, True
        s = row(scoring.table(f), "a")
        covered += s["mae_difference_low"] <= 0.3 <= s["mae_difference_high"]
    assert 51 <= covered <= 60


def test_one_date_has_no_interval_and_nothing_has_no_scores():
    f = graded(50, 1)
    assert np.isnan(row(scoring.table(f), "a")["mae_difference_low"])
    assert scoring.table(f.iloc[:0]).empty
    pending = f.assign(outcome="PENDING", absolute_error=np.nan, line_absolute_error=np.nan, actual_margin=np.nan)
    s = row(scoring.table(pending), "a")
    assert np.isnan(s[["mae", "hit_rate", "roi", "log_loss", "break_even"]].astype(float)).all()
    assert s["rows_scored"] == 0


def test_reliability_groups_are_equal_and_ordered():
    f = graded()
    known = f.dropna(subset=["over_probability", "actual_margin"])
    t = scoring.reliability(known["over_probability"], known["actual_margin"] > 0)
    assert len(t) == 10
    assert t["rows"].sum() == len(known)
    assert t["rows"].max() - t["rows"].min() <= 1
    assert t["chance"].is_monotonic_increasing
    assert (t["low"] <= t["rate"]).all()
    assert len(scoring.reliability(known["over_probability"].head(3), known["actual_margin"].head(3) > 0)) == 3


def test_a_scoreboard_row_knows_only_its_span():
    from nba_props.schemas.monitoring import SCOREBOARD

    f = graded(900, 40)
    day = date(2025, 11, 20)
    board = SCOREBOARD.validate(scoring.scoreboard(f, [day, date(2025, 12, 5)]))
    assert set(board["span"]) == {"SEASON", "LAST_30_DAYS", "LAST_7_DAYS"}
    today = board[board["game_date"] == pd.Timestamp(day)]
    season = row(today[today["span"] == "SEASON"], "a")
    assert season["mae"] == pytest.approx(row(scoring.table(f[f["game_date"] <= pd.Timestamp(day)]), "a")["mae"])
    corrupt = f.copy()
    later = corrupt["game_date"] > pd.Timestamp(day)
    corrupt.loc[later, ["absolute_error", "profit"]] = 1e6
    again = SCOREBOARD.validate(scoring.scoreboard(corrupt, [day]))
    pd.testing.assert_frame_equal(again, today.reset_index(drop=True))
    week = row(today[today["span"] == "LAST_7_DAYS"], "a")
    within = f[(f["game_date"] > pd.Timestamp("2025-11-13")) & ~later]
    assert week["rows_scored"] == row(scoring.table(within), "a")["rows_scored"]
    assert set(today.loc[today["span"] == "LAST_7_DAYS", "tier"]) == {"ALL"}


def test_a_whole_line_belongs_to_one_tier():
    assert scoring.tier_of(pd.Series([0.5, 9.5, 10.0, 20.0, 20.5])).tolist() == [
        "UNDER_10", "UNDER_10", "10_TO_20", "10_TO_20", "OVER_20",
    ]  # fmt: skip
