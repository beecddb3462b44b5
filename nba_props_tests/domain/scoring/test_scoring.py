"""Scores against plain arithmetic on the rows; where they have an interval and where none."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import scoring
from nba_props.domain.odds import over_probability, payout
from nba_props.domain.scoring.chances import tenth_of
from nba_props.domain.scoring.daily import tier_of


def graded(n: int = 600, days: int = 20, seed: int = 1) -> pd.DataFrame:
    """Grades of two systems against half-point and whole lines, some void, pending or not bet."""
    rng = np.random.default_rng(seed)
    f = pd.DataFrame({"market": "points", "system_id": rng.choice(["a", "b"], n), "line": rng.integers(8, 60, n) / 2})
    f["game_date"] = pd.Timestamp("2025-11-01") + pd.to_timedelta(rng.integers(0, days, n), unit="D")
    points = rng.poisson(f["line"]).astype(float)
    f["forecast"] = f["line"] + rng.normal(0, 3, n)
    f["recommendation"] = np.where(
        f["forecast"] > f["line"] + 1, "OVER", np.where(f["forecast"] < f["line"] - 1, "UNDER", "PASS")
    )
    void, pending = rng.random(n) < 0.05, rng.random(n) < 0.05
    points[void | pending] = np.nan
    f["result"] = points
    f["actual_margin"] = points - f["line"]
    f["signed_error"] = f["forecast"] - points
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


def scores_of(f: pd.DataFrame) -> pd.DataFrame:
    return scoring.scores(scoring.sums(f))


def row(table: pd.DataFrame, system: str, tier: str = "ALL") -> pd.Series:
    return table.set_index(["tier", "system_id"]).loc[(tier, system)]


@pytest.mark.parametrize("tier", ["ALL", "UNDER_10", "10_TO_20", "OVER_20"])
@pytest.mark.parametrize("system", ["a", "b"])
def test_every_score_follows_from_the_rows(system, tier):
    f = graded()
    s = row(scores_of(f), system, tier)
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


def test_the_interval_is_wider_when_dates_move_together():
    """Rows of a date that share their luck are worth less than as many independent ones."""
    f = graded(2000, 25)
    f["system_id"], f["is_valid_line"], f["is_current"] = "a", True, True
    shock = pd.Series(np.random.default_rng(3).normal(0, 2, 25))
    together = f.assign(absolute_error=f["absolute_error"] + (f["game_date"].dt.dayofyear - 305).map(shock))
    alone, shared = (row(scores_of(x), "a") for x in (f, together))
    width = [s["mae_difference_high"] - s["mae_difference_low"] for s in (alone, shared)]
    assert width[1] > 2 * width[0]


def test_nothing_has_no_scores():
    f = graded(50, 1)
    pending = f.assign(outcome="PENDING", absolute_error=np.nan, line_absolute_error=np.nan, actual_margin=np.nan)
    s = row(scores_of(pending), "a")
    assert np.isnan(s[["mae", "hit_rate", "roi", "log_loss", "break_even"]].astype(float)).all()
    assert s["rows_scored"] == s["dates"] == s["bet_dates"] == s["dates_with_probability"] == 0


def bounds(table: pd.DataFrame) -> pd.DataFrame:
    return table[[c for c in table if c.endswith(("_low", "_high"))]]


@pytest.mark.parametrize("days", [1, 2, 9])
def test_below_ten_dates_there_is_no_interval_of_any_score(days):
    found = scores_of(graded(900, days))
    assert bounds(found).shape[1] == 14
    assert bounds(found).isna().all(axis=None)
    assert (found["dates"] == days).all()
    assert found["mae_difference"].notna().all()


def test_from_ten_dates_on_every_score_has_an_interval_around_it():
    found = scores_of(graded(4000, 10))
    assert (found["dates"] == 10).all()
    known = found[found["system_id"] == "a"]
    for low in bounds(known).columns[::2]:
        name = low.removesuffix("_low")
        assert (known[low] < known[name]).all(), name
        assert (known[name] < known[f"{name}_high"]).all(), name


def test_a_score_with_rows_on_fewer_dates_than_the_others_has_no_interval_of_its_own():
    f = graded(4000, 12)
    late = f["game_date"] >= pd.Timestamp("2025-11-09")
    f.loc[late & f["recommendation"].eq("OVER"), "recommendation"] = "UNDER"
    f.loc[late, "over_probability"] = np.nan
    s = row(scores_of(f), "a")
    assert (s["dates"], s["bet_dates"], s["over_dates"], s["under_dates"], s["dates_with_probability"]) == (
        12, 12, 8, 12, 8,
    )  # fmt: skip
    assert s[["over_hit_rate_low", "log_loss_difference_low", "coin_log_loss_difference_high"]].isna().all()
    assert s[["mae_difference_low", "hit_rate_low", "under_hit_rate_high", "roi_high"]].notna().all()


def test_the_spans_of_a_week_have_no_interval_and_those_of_a_month_do():
    board = scoring.scoreboard(graded(4000, 40), [date(2025, 12, 9)])
    week = board["span"] == "LAST_7_DAYS"
    assert bounds(board[week]).isna().all(axis=None)
    assert board.loc[week, "dates"].eq(7).all()
    assert board.loc[~week, ["mae_difference_low", "hit_rate_low", "roi_low"]].notna().all(axis=None)


def test_scores_are_deterministic(monkeypatch):
    f = graded()

    def refuse(*_, **__):
        raise AssertionError("a score must not depend on a seed")

    monkeypatch.setattr(np.random, "default_rng", refuse)
    monkeypatch.setattr(np.random, "RandomState", refuse)
    assert scores_of(f)["mae_difference_low"].notna().all()


def test_a_bet_is_one_thing_on_rows_and_in_sql(accuracy):
    f, lake = accuracy
    rows = lake.query(f"SELECT COUNT(*) AS n FROM nba_predictions.prediction_accuracy WHERE {scoring.BET_SQL}")
    assert rows["n"][0] == scoring.bets(f).sum() > 100
    everything = scores_of(f).query("tier == 'ALL'")
    assert rows["n"][0] == everything[["wins", "losses"]].to_numpy().sum()
    assert rows["n"][0] == everything[["over_bets", "under_bets"]].to_numpy().sum()


def test_the_view_gives_the_intervals_of_the_scores(accuracy):
    f, lake = accuracy
    view = lake.query("SELECT * FROM nba_monitoring.performance_valid_lines_only ORDER BY month, system_id")
    assert view["month"].tolist() == ["2025-11", "2025-11", "2025-12", "2025-12"]
    for month, own in f.groupby(f["game_date"].dt.strftime("%Y-%m")):
        found = view[view["month"] == month].set_index("system_id")
        s = scores_of(own).query("tier == 'ALL'").set_index("system_id")
        for column, name in {
            "win_rate": "hit_rate", "win_rate_low": "hit_rate_low", "win_rate_high": "hit_rate_high",
            "dates": "dates", "bet_dates": "bet_dates", "wins": "wins", "losses": "losses", "avg_error": "mae",
        }.items():  # fmt: skip
            expected = pytest.approx(s[name].astype(float).tolist(), abs=1e-6, nan_ok=True)
            assert found[column].astype(float).tolist() == expected, column
        assert found["win_rate_low"].isna().all() == (month == "2025-12"), "November has 30 dates, December nine"


def test_the_log_losses_of_sql_equal_the_scores(accuracy):
    f, lake = accuracy
    daily = lake.query(
        f"SELECT system_id, game_date, {scoring.LOG_LOSS_SQL} FROM nba_predictions.prediction_accuracy "
        "WHERE game_date BETWEEN @first AND @last GROUP BY system_id, game_date",
        first=date(2025, 11, 1), last=date(2025, 12, 31),
    )  # fmt: skip
    found = scoring.log_loss_differences(daily.set_index(["system_id", "game_date"]))
    s = scores_of(f).query("tier == 'ALL'").set_index("system_id")
    assert found.loc["a", ["value", "low", "high", "rows", "dates"]].tolist() == pytest.approx(
        s.loc["a", ["log_loss_difference", "log_loss_difference_low", "log_loss_difference_high",
                    "rows_with_probability", "dates_with_probability"]].tolist()
    )  # fmt: skip
    assert s.loc["a", "log_loss_difference"] == pytest.approx(s.loc["a", "log_loss"] - s.loc["a", "market_log_loss"])
    assert s.loc["a", "coin_log_loss_difference"] == pytest.approx(s.loc["a", "log_loss"] - np.log(2))
    assert found.loc["a", "low"] > 0, "chances drawn from a hat are worse than the quotes'"
    assert found.loc["b", ["rows", "dates"]].tolist() == [0, 0]
    assert np.isnan(found.loc["b", "value"])


@pytest.fixture(scope="module")
def accuracy(tmp_path_factory):
    """Grades of 39 dates, thirty of them in November, as rows and in a lake."""
    from nba_props.schemas.base import Type
    from nba_props.schemas.predictions import PREDICTION_ACCURACY
    from nba_props.warehouse.lake import LakeWarehouse

    f = graded(3000, 39)
    plain = {
        Type.STRING: "x", Type.INT64: 1, Type.FLOAT64: 0.0, Type.BOOL: False, Type.TIMESTAMP: pd.Timestamp(0, tz="UTC")
    }  # fmt: skip
    filled = {c.name: c.isin[0] if c.isin else plain[c.type] for c in PREDICTION_ACCURACY.columns if c.name not in f}
    rows = f.assign(**filled).assign(prediction_id=[str(i) for i in range(len(f))])
    lake = LakeWarehouse(tmp_path_factory.mktemp("accuracy") / "lake")
    lake.write(PREDICTION_ACCURACY, rows, sorted(set(f["game_date"].dt.date)))
    return f, lake


def chances(f: pd.DataFrame) -> pd.DataFrame:
    known = f[f["is_valid_line"] & f["is_current"]].dropna(subset=["over_probability", "actual_margin"])
    known = known[known["actual_margin"] != 0]
    return known[["system_id", "game_date"]].assign(
        chance=known["over_probability"], over=known["actual_margin"] > 0
    )  # fmt: skip


def test_the_calibration_error_is_that_of_the_picture():
    f = graded(3000, 20)
    t = scoring.reliability(chances(f)).loc["a"]
    assert (t["chance"] - t["rate"]).abs().mul(t["rows"]).sum() / t["rows"].sum() == pytest.approx(
        row(scores_of(f), "a")["calibration_error"]
    )
    assert t.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert ((t["chance"] >= t.index / 10) & (t["chance"] <= (t.index + 1) / 10)).all()
    assert ((t["low"] < t["rate"]) & (t["rate"] < t["high"])).all()
    assert scoring.reliability(chances(graded(500, 5)))["low"].isna().all()


def test_calibration_errors_of_a_span_are_computed_from_its_dates():
    """Signed gaps of a tenth add up over dates, so the error of a span needs no rows."""
    f = graded(3000, 20)
    whole = scoring.sums(f)
    half = f["game_date"] < pd.Timestamp("2025-11-09")
    parts = pd.concat([scoring.sums(f[half]), scoring.sums(f[~half])])
    assert scoring.scores(parts)["calibration_error"].tolist() == pytest.approx(
        scoring.scores(whole)["calibration_error"].tolist(), nan_ok=True
    )


def test_a_chance_of_one_lies_in_the_last_tenth():
    assert tenth_of(pd.Series([0.0, 0.099, 0.1, 0.5, 0.999, 1.0])).tolist() == [0, 0, 1, 5, 9, 9]


def test_a_scoreboard_row_depends_only_on_its_span():
    from nba_props.schemas.monitoring import SCOREBOARD

    f = graded(900, 40)
    day = date(2025, 11, 20)
    board = SCOREBOARD.validate(scoring.scoreboard(f, [day, date(2025, 12, 5)]))
    assert set(board["span"]) == {"SEASON", "LAST_30_DAYS", "LAST_7_DAYS"}
    today = board[board["game_date"] == pd.Timestamp(day)]
    season = row(today[today["span"] == "SEASON"], "a")
    assert season["mae"] == pytest.approx(row(scores_of(f[f["game_date"] <= pd.Timestamp(day)]), "a")["mae"])
    corrupt = f.copy()
    later = corrupt["game_date"] > pd.Timestamp(day)
    corrupt.loc[later, ["absolute_error", "profit"]] = 1e6
    again = SCOREBOARD.validate(scoring.scoreboard(corrupt, [day]))
    pd.testing.assert_frame_equal(again, today.reset_index(drop=True))
    week = row(today[today["span"] == "LAST_7_DAYS"], "a")
    within = f[(f["game_date"] > pd.Timestamp("2025-11-13")) & ~later]
    assert week["rows_scored"] == row(scores_of(within), "a")["rows_scored"]
    assert set(today.loc[today["span"] == "LAST_7_DAYS", "tier"]) == {"ALL"}


def test_a_whole_line_belongs_to_one_tier():
    lines = pd.Series([0.5, 9.5, 10.0, 20.0, 20.5])
    assert tier_of(lines, pd.Series("points", index=lines.index)).tolist() == [
        "UNDER_10", "UNDER_10", "10_TO_20", "10_TO_20", "OVER_20",
    ]  # fmt: skip
