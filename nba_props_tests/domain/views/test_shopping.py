"""Arbitrages and middles: what they cost, and what they paid."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.domain.prices import prices
from nba_props.presentation import shopping
from nba_props.schemas.analytics import PRICES, SLATE
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props_tests.domain.test_consensus import offers
from nba_props_tests.domain.test_lines import CUTOFF, DAY, slate
from nba_props_tests.presentation.test_shopping import graded

TODAY, LATER = DAY.date(), (CUTOFF + pd.Timedelta(hours=5)).to_pydatetime()


def of(lake, view: str, quotes: list[tuple], result: int | None) -> pd.DataFrame:
    lake.write_unchecked(PRICES, PRICES.conform(prices(offers(*quotes))), TODAY)
    lake.write_unchecked(PREDICTION_ACCURACY, graded(result), TODAY)
    return lake.query(f"SELECT * FROM nba_monitoring.{view} WHERE game_date = @day", day=TODAY)


#: +115 and +102 at one line: 1 / 2.15 + 1 / 2.02 = .960
SURE = [("draftkings", 20.5, 115, -140, 60), ("fanduel", 20.5, -125, 102, 46), ("betmgm", 21.5, -110, -110, 60)]


@pytest.mark.parametrize("result", [25, 12, None])
def test_an_arbitrage_pays_the_same_whatever_happens(lake, result):
    (found,) = of(lake, "arbitrages", SURE, result).to_dict("records")
    sure = 1 / (1 / 2.15 + 1 / 2.02) - 1
    assert found["promised"] == pytest.approx(sure, abs=1e-6)
    assert (found["over_book"], found["under_book"]) == ("draftkings", "fanduel")
    assert (found["over_minutes"], found["under_minutes"]) == (60, 46)
    assert pd.isna(found["profit"]) if result is None else found["profit"] == pytest.approx(sure, abs=1e-6)


def test_an_arbitrage_on_a_whole_line_may_push(lake):
    whole = [(book, 20.0, over, under, minutes) for book, _, over, under, minutes in SURE]
    (found,) = of(lake, "arbitrages", whole, 20).to_dict("records")
    assert found["profit"] == 0
    assert found["promised"] > 0


@pytest.mark.parametrize(("minutes", "found"), [(46, 1), (44, 0)])
def test_prices_from_captures_too_far_apart_could_not_be_had_together(lake, minutes, found):
    quotes = [(*q[:4], minutes if q[0] == "fanduel" else 60) for q in SURE]
    assert len(of(lake, "arbitrages", quotes, 25)) == found
    apart = [(*q[:4], minutes if q[0] == "betmgm" else 60) for q in APART]
    assert len(of(lake, "middles", apart, 25)) == found


def test_prices_with_a_hold_make_no_arbitrage(lake):
    assert of(lake, "arbitrages", [("draftkings", 20.5, -105, -115, 60), ("fanduel", 20.5, -115, -105, 60)], 25).empty


APART = [("draftkings", 20.5, -110, -110, 60), ("fanduel", 20.5, -105, -125, 60), ("betmgm", 22.5, -120, -102, 60)]
HIT, ONE = (100 / 105 + 100 / 102) / 2, {"over": (100 / 105 - 1) / 2, "under": (100 / 102 - 1) / 2}


@pytest.mark.parametrize(
    ("result", "hit", "profit"), [(21, True, HIT), (22, True, HIT), (23, False, ONE["over"]), (20, False, ONE["under"])]
)
def test_a_middle_wins_both_between_the_lines_and_one_outside(lake, result, hit, profit):
    (found,) = of(lake, "middles", APART, result).to_dict("records")
    assert (found["over_line"], found["over_book"], found["under_line"]) == (20.5, "fanduel", 22.5)
    assert bool(found["hit"]) is hit
    assert found["profit"] == pytest.approx(profit, abs=1e-6)


def test_a_middle_on_whole_lines_pushes_at_its_ends(lake):
    apart = [("draftkings", 20.0, 100, -120, 60), ("fanduel", 21.0, -120, 100, 60)]
    (found,) = of(lake, "middles", apart, 20).to_dict("records")
    assert found["profit"] == pytest.approx(0.5), "the over pushes and the under wins"
    assert not found["hit"]


def test_before_the_result_neither_has_a_return(lake):
    (found,) = of(lake, "middles", APART, None).to_dict("records")
    assert pd.isna(found["hit"])
    assert pd.isna(found["profit"])


def test_neither_lines_less_than_a_point_apart_nor_alternates_make_a_middle(lake):
    near = [("draftkings", 20.5, -110, -110, 60), ("fanduel", 21.0, -110, -110, 60)]
    assert of(lake, "middles", near, 25).empty
    ladder = [*near[:1], ("draftkings", 25.5, 240, -300, 60), ("fanduel", 20.5, -110, -110, 60)]
    assert of(lake, "middles", ladder, 25).empty


def test_a_withdrawn_line_hides_no_middle(lake):
    withdrawn = [("williamhill_us", 19.5, -110, -110, 120), ("williamhill_us", 19.5, None, -130, 60)]
    (found,) = of(lake, "middles", [*APART, *withdrawn], 21).to_dict("records")
    assert (found["over_line"], found["under_line"]) == (20.5, 22.5)


def test_two_prices_of_one_book_make_no_arbitrage(lake):
    twice = [("draftkings", 20.5, 115, -140, 60), ("draftkings", 20.5, -140, 115, 60)]
    assert of(lake, "arbitrages", twice, 25).empty


def test_a_report_counts_the_sides_that_prices_lists(lake):
    """A book's alternate at another's main line is a side of a main line, too."""
    late = [*((book, 20.5, -110, -110, 60) for book in ("draftkings", "fanduel", "betmgm", "williamhill_us")),
            ("bovada", 19.5, 105, -125, 60), ("bovada", 20.5, 140, None, 60)]  # fmt: skip
    of(lake, "middles", late, 25)
    lake.write_unchecked(SLATE, slate(1), TODAY)
    listed = shopping.best_sides(lake, TODAY, TODAY, ["points"], LATER)
    worth = listed[listed["ev"] > 0]
    (found,) = shopping.by_market(lake, TODAY, TODAY).to_dict("records")
    assert len(worth) == found["ev_bets"] == 2
    assert found["ev_promised"] == pytest.approx(worth["ev"].mean())
    assert found["ev_returned"] == pytest.approx(worth["profit"].mean())


def test_a_report_adds_them_up_by_market(lake):
    of(lake, "middles", [*APART, *SURE[:1]], 21)
    (found,) = shopping.by_market(lake, TODAY, TODAY).to_dict("records")
    assert (found["market"], found["middle_bets"], found["middle_promised"]) == ("points", 1, 1.0)
    assert 0 < found["best_hold"] < found["hold"]
    assert pd.isna(found["middle_returned_low"]), "one night"
