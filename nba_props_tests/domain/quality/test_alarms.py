"""How rarely detectors fire by chance, and that they fire on what they are for."""

from __future__ import annotations

import math
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import quality
from nba_props.domain.quality import alarms, detectors


class Season(quality.Published):
    """A season's daily sums as chance makes them; nothing is stored and nothing is asked."""

    def __init__(self, seed: int, *, under: float = 0.5, leak: float = 0.0, nights: int = alarms.SEASON_DATES) -> None:
        """``under`` is the chance of a line's under; ``leak`` the share of bets that know the result."""
        names = tuple(f"system_{i}" for i in range(8))
        last = date(2025, 10, 21) + timedelta(nights - 1)
        super().__init__(pytest.fail, names, date(2025, 10, 21), last)
        rng = np.random.default_rng(seed)
        night = np.repeat(np.arange(nights), rng.integers(1, 14, nights) * 11)
        # what a night's results have in common: a deviation of the chance itself
        chance = under + rng.normal(0, np.sqrt(0.25 * alarms.DATE_CORRELATION), nights)
        ends_under = rng.random(len(night)) < chance[night]
        dates = np.array([self.first + timedelta(n) for n in range(nights)])
        cells = []
        for i, name in enumerate(names):
            bets = rng.random(len(night)) < 0.15 + 0.1 * i
            says_under = rng.random(len(night)) < 0.3 + 0.08 * i  # the last one bets nearly everything on one side
            knows = rng.random(len(night)) < leak
            says_under = np.where(knows, ends_under, says_under)
            miss, off = rng.normal(0, 6, len(night)), rng.normal(0, 2, len(night))
            error, line_error = np.abs(miss + off), np.abs(miss)
            for side, mine in (("UNDER", bets & says_under), ("OVER", bets & ~says_under), ("PASS", ~bets)):
                won = mine & (ends_under == (side == "UNDER")) & (side != "PASS")
                count = lambda w, mine=mine: np.bincount(night[mine], w[mine], nights)
                ones = np.ones(len(night))
                sums = {
                    "published": count(ones), "wins": count(won), "losses": count((~won & (side != "PASS")).astype(float)),
                    "rows_with_error": count(ones), "error": count(error), "line_error": count(line_error),
                    "disagreement": count(off**2), "quoted_wins": count(0.5 * (side != "PASS") * ones),
                }  # fmt: skip
                frame = pd.DataFrame(sums).assign(game_date=dates, system_id=name, recommendation=side)
                cells.append(frame.assign(is_valid_line=True, is_current=True))
        self.__dict__["cells"] = pd.concat(cells, ignore_index=True)
        unders = np.bincount(night, ends_under, nights)
        total = np.bincount(night, minlength=nights)
        self.__dict__["lines"] = pd.DataFrame(
            {"game_date": dates, "system_id": "", "players": total, "distinct_lines": 20, "unders": unders, "overs": total - unders}
        )  # fmt: skip

    def alarms(self, every: int = 1) -> set[str]:
        """The detectors of severity ERROR that fire on some date of the season."""
        asks = {n: f for n, f in quality.DETECTORS.items() if n in self.RATES}
        dates = [self.first + timedelta(n) for n in range(0, (self.last - self.first).days + 1, every)]
        found = {name for name, find in asks.items() if any(not find(self, d).passed for d in dates)}
        return found | {"win_rates" for d in dates if not quality.win_rates_in_range(self, d, d).passed}

    RATES = ("win_rates_plausible", "share_under_plausible", "not_too_good", "lines_vary")


@pytest.mark.long
def test_two_clean_seasons_raise_no_false_alarm():
    for seed in range(2):
        assert Season(seed).alarms(every=4) == set(), seed


@pytest.mark.long
def test_twenty_clean_seasons_checked_on_every_date_raise_at_most_one_false_alarm():
    loud = [seed for seed in range(20) if Season(seed).alarms()]
    assert len(loud) <= 1, loud


@pytest.mark.parametrize(
    ("damage", "loud"),
    [
        ({"under": 0.9}, {"win_rates_plausible", "share_under_plausible"}),
        ({"under": 0.7}, {"share_under_plausible"}),
        ({"leak": 0.5}, {"win_rates_plausible"}),
    ],
)
def test_what_the_detectors_are_for_is_detected_within_two_weeks(damage, loud):
    season = Season(3, nights=14, **damage)
    found = {n for n in loud if not quality.DETECTORS[n](season, season.last).passed}
    assert found == loud


def test_the_win_rates_of_the_old_incident_are_detected_in_their_first_nights():
    """85-97 % of a few hundred bets; and a system that wins 65 % of a season's bets has seen the results."""
    first = Season(5, under=0.9, nights=4)
    assert not quality.share_under_plausible(first, first.last).passed
    assert not quality.win_rates_plausible(first, first.last).passed
    leaky = Season(1, leak=0.3)
    assert not quality.not_too_good(leaky, leaky.last).passed
    assert not quality.win_rates_in_range(Season(1, leak=0.6), leaky.first, leaky.last).passed


def test_chances_as_good_as_the_quotes_are_warned_of_in_about_one_of_six_seasons():
    """Two hundred systems whose P(over) is exactly as good as the quotes, each asked through a season of its own."""
    rng, nights, first = np.random.default_rng(1), alarms.SEASON_DATES, date(2025, 10, 21)
    names = [f"system_{i:03d}" for i in range(200)]
    rows = rng.integers(1, 14, (len(names), nights)) * 11.0
    dates = [first + timedelta(n) for n in range(nights)]
    index = pd.MultiIndex.from_product([names, dates], names=["system_id", "game_date"])
    sums = {
        "chances": rows.ravel(),
        "log_loss": (rng.normal(size=rows.shape) * np.sqrt(rows)).ravel(),
        "market_log_loss": 0.0,
    }
    season = quality.Published(pytest.fail, tuple(names), first, dates[-1])
    season.__dict__["chances"] = pd.DataFrame(sums, index=index).reset_index()
    season.__dict__["games"] = pd.DataFrame({"game_date": dates})
    loud: set[str] = set()
    for day in dates[9::3]:
        text = quality.chances_as_good_as_quotes(season, day).text
        loud |= {name for name in names if name in text}
    assert 0.10 < len(loud) / len(names) < 0.22, len(loud)


def test_a_slightly_preferred_side_raises_no_warning_by_chance():
    """Every ask of a season of eight systems, as if none overlapped another, at the fewest bets that are judged."""
    most, n = round(detectors.MAX_ONE_SIDED * detectors.ENOUGH), detectors.ENOUGH
    beyond = {
        p: sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(most + 1, n + 1)) for p in (0.5, 0.65, 0.75)
    }
    asks = alarms.SEASON_DATES * 8
    assert asks * 2 * beyond[0.5] < 1e-9
    assert asks * beyond[0.65] < 0.01
    assert asks * beyond[0.75] > 1, "and one that truly takes it in three of four is warned of"


def test_the_share_of_a_false_alarm_is_what_the_docs_say():
    assert alarms.limit(8) == pytest.approx(4.48, abs=0.01)
    asks = alarms.SEASON_DATES * (8 * 5 + 1)
    assert 2 * (1 - NormalDist().cdf(alarms.limit(8))) * asks == pytest.approx(alarms.FALSE_ERRORS, rel=1e-3)
    # the old rule: 59 % of 137 lines, a few nights into a season
    early = Season(0, nights=2)
    lines = pd.DataFrame({"game_date": [early.first], "system_id": "", "players": 137, "distinct_lines": 20, "unders": 81, "overs": 56})  # fmt: skip
    early.__dict__["lines"] = lines
    assert quality.share_under_plausible(early, early.first).passed
