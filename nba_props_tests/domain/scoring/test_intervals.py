"""Intervals from daily sums against independent formulas, against what must hold of any, and against the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from nba_props.domain.scoring import intervals
from nba_props.schemas.monitoring import MIN_DATES, MIN_EQUAL_DATES


def of_one(found_by, sums, rows):
    """The interval of a single group, from an entry for each of its dates."""
    index = pd.MultiIndex.from_product([["one"], range(len(rows))], names=["group", "game_date"])
    (found,) = found_by(*(pd.Series(np.asarray(v, float), index) for v in (sums, rows))).itertuples(index=False)
    return found


def mean_interval(total, rows):
    return of_one(intervals.mean_intervals, total, rows)


def rate_interval(wins, decided):
    return of_one(intervals.rate_intervals, wins, decided)


def wilson(wins: int, decided: int):
    """Wilson's bounds, which ignore the dates."""
    return stats.binomtest(wins, decided).proportion_ci(0.95, method="wilson")


def equal_dates(decided: list[int]) -> float:
    """As how many dates of equal size these dates count."""
    return round(sum(decided) ** 2 / sum(n**2 for n in decided), 9)


@st.composite
def nights(draw, least: int = 1):
    """Wins and decided bets of some dates."""
    decided = draw(st.lists(st.integers(1, 60), min_size=least, max_size=30))
    if least >= MIN_DATES:
        assume(equal_dates(decided) >= MIN_EQUAL_DATES)
    return [draw(st.integers(0, n)) for n in decided], decided


def test_dates_of_equal_size_have_students_interval_of_their_means():
    totals = np.random.default_rng(1).normal(3, 20, 12)
    found = mean_interval(totals, np.full(12, 40))
    low, high = stats.t.interval(0.95, 11, (totals / 40).mean(), stats.sem(totals / 40))
    assert found == pytest.approx((totals.sum() / 480, low, high, 480, 12), abs=1e-5)


def test_unequal_dates_have_the_interval_of_bell_and_mccaffrey():
    """CR2 and its degrees of freedom, written out in matrices of rows as the literature has them."""
    rng = np.random.default_rng(2)
    sizes = np.array([1, 2, 3, 5, 5, 8, 13, 21, 4, 6, 2, 9])
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    y = rng.normal(1, 2, len(cluster)) + rng.normal(0, 0.5, len(sizes))[cluster]
    x = np.ones((len(y), 1))
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    left = np.eye(len(y)) - hat
    residual = left @ y
    columns = []
    for g in range(len(sizes)):
        mine = cluster == g
        values, vectors = np.linalg.eigh(left[np.ix_(mine, mine)])
        adjusted = vectors @ np.diag(values**-0.5) @ vectors.T
        columns.append(left[:, mine] @ adjusted @ x[mine] @ bread)
    spread = np.hstack(columns)
    variance = sum(float(y @ c.ravel()) ** 2 for c in columns)
    eigen = np.linalg.eigvalsh(spread.T @ spread)
    freedom = eigen.sum() ** 2 / (eigen**2).sum()
    assert residual.sum() == pytest.approx(0, abs=1e-9)
    reach = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    found = mean_interval(np.bincount(cluster, y), sizes)
    assert found.value == pytest.approx(y.mean())
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=1e-3)
    assert freedom < len(sizes) - 1


def test_the_quantile_is_students():
    freedom = pd.Series([2, 3, 5, 7.5, 9, 14.2, 29, 60, 200, 1e6])
    assert intervals._quantile(freedom).to_numpy() == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.01)
    assert intervals._quantile(freedom[4:]).to_numpy() == pytest.approx(stats.t.ppf(0.975, freedom[4:]), rel=1e-4)


def test_a_rate_of_dates_without_variation_has_wilsons_interval():
    for wins, decided in (([5] * 12, [10] * 12), ([3] * 10, [3] * 10), ([0] * 11, [2] * 11)):
        found = rate_interval(wins, decided)
        assert found[:3] == pytest.approx((sum(wins) / sum(decided), *wilson(sum(wins), sum(decided))))


def test_a_rate_of_correlated_dates_has_the_interval_of_fewer_bets():
    """Twelve dates, each all won or all lost, are worth about twelve bets and not two hundred and forty."""
    found = rate_interval([20, 0] * 6, [20] * 12)
    low, high = wilson(6, 12)
    assert found.low < low
    assert found.high > high


def test_any_number_of_groups_at_once_is_each_by_itself():
    rng = np.random.default_rng(3)
    decided = rng.integers(0, 30, (50, 14))
    wins = rng.binomial(decided, 0.5)
    index = pd.MultiIndex.from_product([range(50), range(14)], names=["system_id", "game_date"])
    found = intervals.rate_intervals(pd.Series(wins.ravel(), index), pd.Series(decided.ravel(), index))
    means = intervals.mean_intervals(pd.Series(wins.ravel(), index), pd.Series(decided.ravel(), index))
    for g in range(50):
        assert tuple(found.loc[g]) == pytest.approx(rate_interval(wins[g], decided[g]), nan_ok=True)
        assert tuple(means.loc[g]) == pytest.approx(mean_interval(wins[g], decided[g]), nan_ok=True)


def test_entries_of_one_date_are_one_date():
    parts = pd.DataFrame({"system_id": "a", "game_date": [*range(12)] * 2, "wins": 1.0, "decided": [2.0, 3.0] * 12})
    daily = parts.set_index(["system_id", "game_date"])
    found = intervals.rate_intervals(daily["wins"], daily["decided"]).loc["a"]
    by_date = parts.groupby("game_date")[["wins", "decided"]].sum()
    assert tuple(found) == pytest.approx(rate_interval(by_date["wins"], by_date["decided"]))
    assert found["dates"] == 12


def test_nothing_has_no_mean_and_a_total_that_is_missing_is_an_error():
    assert rate_interval([0, 0], [0, 0]) == pytest.approx((np.nan, np.nan, np.nan, 0, 0), nan_ok=True)
    assert mean_interval([np.nan, 2], [0, 4])[:1] == (0.5,), "a date without rows has no total"
    with pytest.raises(ValueError, match="1 dates have rows and no total"):
        mean_interval([np.nan, 2], [3, 4])


def test_one_large_date_beside_small_ones_has_no_interval():
    """With effects of the date, intervals from a thousand rows and nine times one cover the truth two times of three."""
    assert np.isnan(rate_interval([500, *[1] * 9], [1000, *[1] * 9]).low)
    assert np.isnan(mean_interval([500, *[1] * 9], [1000, *[1] * 9]).low)
    assert not np.isnan(mean_interval([20, *[10] * 9], [40, *[20] * 9]).low)


# -- what must hold of any ------------------------------------------------------------------------------------------


@given(nights())
def test_an_interval_begins_at_ten_dates(night):
    wins, decided = night
    found = [rate_interval(wins, decided), mean_interval(wins, decided)]
    for f in found:
        assert f.dates == len(decided)
        enough = len(decided) >= MIN_DATES and equal_dates(decided) >= MIN_EQUAL_DATES
        assert np.isnan(f.low) == np.isnan(f.high) == (not enough)
        assert f.value == pytest.approx(sum(wins) / sum(decided))


@given(nights(MIN_DATES))
def test_a_rate_holds_its_value_stays_in_bounds_and_is_never_narrower_than_wilsons(night):
    wins, decided = night
    found = rate_interval(wins, decided)
    low, high = wilson(sum(wins), sum(decided))
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    assert found.low <= low + 1e-12
    assert found.high >= high - 1e-12
    lost = rate_interval([n - w for w, n in zip(wins, decided, strict=True)], decided)
    assert (1 - lost.high, 1 - lost.low) == pytest.approx((found.low, found.high))


@given(nights(MIN_DATES), st.randoms(use_true_random=False), st.integers(0, 5))
def test_neither_the_order_of_dates_nor_dates_without_rows_matter(night, random, empty):
    pairs = [*zip(*night, strict=True), *[(0, 0)] * empty]
    random.shuffle(pairs)
    for interval in (rate_interval, mean_interval):
        shuffled = interval([w for w, _ in pairs], [n for _, n in pairs])
        assert tuple(shuffled) == pytest.approx(interval(*night))


@given(nights(MIN_DATES), st.floats(-50, 50), st.floats(0.1, 50))
def test_an_interval_of_a_mean_moves_and_grows_with_its_unit(night, shift, scale):
    totals, rows = (np.array(v, float) for v in night)
    plain, moved = mean_interval(totals, rows), mean_interval(scale * totals + shift * rows, rows)
    assert moved[:3] == pytest.approx([scale * v + shift for v in plain[:3]], abs=1e-6)
    copied = mean_interval(7 * totals, 7 * rows)
    assert copied[:3] == pytest.approx(plain[:3]), "repeated rows are not evidence"


@given(st.lists(st.floats(-9, 9), min_size=MIN_DATES, max_size=30), st.floats(-30, 30))
def test_one_more_date_narrows_an_interval_by_no_more_than_an_average_date_does(totals, another):
    rows = np.full(len(totals), 5.0)

    def width(more: float) -> float:
        found = mean_interval([*totals, more], [*rows, 5.0])
        return found.high - found.low

    assert width(another) >= width(float(np.mean(totals))) - 1e-9


@given(nights(MIN_DATES))
def test_as_many_dates_with_the_same_results_narrow_the_interval(night):
    wins, decided = night
    for interval in (rate_interval, mean_interval):
        once, twice = interval(wins, decided), interval(wins * 2, decided * 2)
        assert twice.low >= once.low - 1e-9
        assert twice.high <= once.high + 1e-9


@given(nights(MIN_DATES), st.floats(1.2, 4))
def test_a_return_is_above_nothing_when_its_rate_is_above_break_even(night, odds):
    wins, bets = (pd.Series(v, dtype=float) for v in night)
    index = pd.MultiIndex.from_product([["a"], range(len(bets))], names=["system_id", "game_date"])
    profit, staked, bets = (
        pd.Series(v.to_numpy(), index) for v in (wins * odds - bets, bets * odds, bets)
    )  # fmt: skip
    found = intervals.return_intervals(profit, staked, bets).iloc[0]
    rate = rate_interval(*night)
    assert found[["value", "low", "high"]].tolist() == pytest.approx([odds * v - 1 for v in rate[:3]])
    assert (found["low"] > 1e-9) == (rate.low - 1 / odds > 1e-9 / odds)
    assert -1 <= found["low"] <= found["high"] <= odds - 1 + 1e-9


# -- the truth ------------------------------------------------------------------------------------------------------

TRIES = 4000
RATE, SHIFT = 0.525, 0.1


def seasons(dates: int, alike: float) -> dict[str, np.ndarray]:
    """Sums by date of many seasons of one system: slates as uneven as real ones, rows of a date ``alike`` (ICC).

    On the real lines of 94 dates the coefficient of variation of rows per date is .4 to .6, and the intraclass
    correlation within a date .002 to .01 for errors beside the line's and about nothing for overs.
    """
    rng = np.random.default_rng([dates, int(1000 * alike)])
    rows = np.maximum(1, rng.gamma(3.3, 20 / 3.3, (TRIES, dates)).round())
    sd = 2.0
    difference = SHIFT * rows + rng.normal(0, sd * np.sqrt(1 - alike), rows.shape) * np.sqrt(rows)
    difference += rows * rng.normal(0, sd * np.sqrt(alike), rows.shape)
    a = (1 - alike) / alike
    chance = rng.beta(RATE * a, (1 - RATE) * a, rows.shape)
    # bets at three prices, each date's spread over them
    prices = np.array([1.833, 1.909, 2.05])
    at = rng.multinomial(rows.astype(int), [0.3, 0.5, 0.2])
    won = rng.binomial(at, chance[..., None])
    return {
        "rows": rows,
        "difference": difference,
        "wins": won.sum(axis=-1),
        "odds": (at * prices).sum(axis=-1),
        "profit": (won * prices).sum(axis=-1) - rows,
        "roi": np.array(RATE * (np.array([0.3, 0.5, 0.2]) @ prices) - 1),
    }


def covered(found: pd.DataFrame, truth: float) -> float:
    return float(((found["low"] <= truth) & (truth <= found["high"])).mean())


@pytest.mark.parametrize("alike", [0.01, 0.05])
@pytest.mark.parametrize("dates", [10, 15, 30, 60])
def test_intervals_have_their_stated_coverage(dates, alike):
    made = seasons(dates, alike)
    index = pd.MultiIndex.from_product([range(TRIES), range(dates)], names=["season", "game_date"])
    daily = {name: pd.Series(v.ravel(), index) for name, v in made.items() if v.ndim}
    mean = intervals.mean_intervals(daily["difference"], daily["rows"])
    rate = intervals.rate_intervals(daily["wins"], daily["rows"])
    roi = intervals.return_intervals(daily["profit"], daily["odds"], daily["rows"])
    found = {
        "mean": covered(mean, SHIFT), "rate": covered(rate, RATE), "return": covered(roi, float(made["roi"])),
    }  # fmt: skip
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def test_an_interval_that_lasts_holds_on_every_date_at_once():
    """Looked at on every tenth date of a hundred and fifty: one in eight usual intervals misses once, few that last."""
    dates = 150
    made = seasons(dates, 0.01)
    missed = {rule: np.zeros(TRIES, bool) for rule in (intervals.mean_intervals, intervals.lasting_mean_intervals)}
    for n in range(10, dates + 1, 10):
        index = pd.MultiIndex.from_product([range(TRIES), range(n)], names=["season", "game_date"])
        total, rows = (pd.Series(made[c][:, :n].ravel(), index) for c in ("difference", "rows"))
        for rule in missed:
            missed[rule] |= ~rule(total, rows).eval("low <= @SHIFT <= high").to_numpy()
    usual, lasting = (float(ever.mean()) for ever in missed.values())
    assert usual > 0.12
    assert lasting < 0.05


def test_an_interval_that_lasts_is_half_as_wide_again():
    each = pd.Series(np.random.default_rng(2).standard_normal(60), pd.MultiIndex.from_product(
        [["a"], pd.date_range("2026-01-01", periods=60)], names=["who", "game_date"]
    ))  # fmt: skip
    widths = [
        rule(each, each * 0 + 1).eval("high - low").iloc[0]
        for rule in (intervals.mean_intervals, intervals.lasting_mean_intervals)
    ]
    assert widths[1] / widths[0] == pytest.approx(1.55, abs=0.01)


def test_resampled_intervals_have_less_than_their_stated_coverage():
    """What the scores had before: at ten dates nine of ten percentile intervals, not nineteen of twenty."""
    made = seasons(10, 0.01)
    draws = np.random.default_rng(0).multinomial(10, np.full(10, 0.1), 1000).astype(float)
    held = 0
    for total, rows in zip(made["difference"][:500], made["rows"][:500], strict=True):
        low, high = np.quantile(draws @ total / (draws @ rows), [0.025, 0.975])
        held += low <= SHIFT <= high
    assert held / 500 < 0.93
