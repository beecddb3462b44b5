"""The consensus of the books, and the prices by it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from nba_props.domain import consensus
from nba_props.domain.book_lines import book_lines, judged_quotes
from nba_props.domain.odds import over_probability
from nba_props.domain.prices import prices, shrunk
from nba_props.facts import markets
from nba_props.facts.books import ENGINES
from nba_props.facts.keys import PROP
from nba_props.facts.markets import POINTS
from nba_props.schemas.analytics import BOOK_LINES, CONSENSUS, PRICES
from nba_props_tests.domain.test_lines import CUTOFF, quotes, resolved, slate

#: one book of each of five engines
BOOKS = ("draftkings", "fanduel", "betmgm", "williamhill_us", "bovada")


def offers(*rows: tuple) -> pd.DataFrame:
    """The offers of rows of (book, line, over, under, minutes before the cut-off) on player 1."""
    return BOOK_LINES.validate(book_lines(judged_quotes(slate(1), quotes(*rows), resolved(1))))


def at(*lines: float, over: int = -110, under: int = -110) -> list[tuple]:
    return [(book, line, over, under, 60) for book, line in zip(BOOKS, lines, strict=False)]


class TestWhatABookOffers:
    def test_is_its_last_capture_with_the_main_line_and_where_it_opened(self):
        found = offers(
            ("draftkings", 18.5, -110, -110, 600), ("draftkings", 20.5, -115, -105, 60),
            ("draftkings", 24.5, 200, -260, 60), ("draftkings", 30.5, 500, None, 60), ("draftkings", 21.5, -110, -110, -5),
        )  # fmt: skip
        assert found["line"].tolist() == [20.5, 24.5, 30.5]
        assert found["is_main"].tolist() == [True, False, False]
        assert found["is_current"].all()
        assert set(found["opening_line"]) == {18.5}
        assert set(found["opening_quote_id"]) == {"q0"}
        assert found["own_over_probability"].isna().tolist() == [False, False, True]
        assert (found["quoted_at"] < found["cutoff_at"]).all()

    def test_keeps_a_main_line_whose_side_was_withdrawn_since(self):
        found = offers(("draftkings", 20.5, -110, -110, 60), ("draftkings", 20.5, None, -130, 30))
        assert found[["is_main", "is_current", "quote_id"]].to_numpy().tolist() == [
            [True, False, "q0"],
            [False, True, "q1"],
        ]

    def test_is_nothing_of_books_that_are_not_sportsbooks_stale_or_in_play(self):
        stale = quotes(("fanduel", 20.5, -110, -110, 60))
        stale["last_update_at"] -= pd.Timedelta(hours=9)
        rows = pd.concat([stale, quotes(("prizepicks", 20.5, -110, -110, 60), ("betmgm", 20.5, -110, -110, -1))])
        assert book_lines(judged_quotes(slate(1), rows, resolved(1))).empty

    def test_is_as_old_as_the_cut_off_that_counts_makes_it(self):
        """A capture may state a later start than the one that counts."""
        rows = quotes(("fanduel", 20.5, -110, -110, 50))
        known = slate(1, cutoff=CUTOFF - pd.Timedelta(minutes=20))
        (found,) = book_lines(judged_quotes(known, rows, resolved(1))).to_dict("records")
        assert (found["minutes_before_game"], found["is_close"]) == (30, True)

    def test_has_the_age_of_its_price_and_its_hold(self):
        rows = quotes(("fanduel", 20.5, -110, -110, 60))
        rows["last_update_at"] -= pd.Timedelta(minutes=12)
        (found,) = book_lines(judged_quotes(slate(1), rows, resolved(1))).to_dict("records")
        assert found["age_minutes"] == 12
        assert found["hold"] == pytest.approx(1 / 22)


class TestTheConsensus:
    def test_is_the_mean_of_the_medians_that_line_and_prices_imply(self):
        rows = [("draftkings", 20.5, -130, 100, 60), ("fanduel", 21.5, 105, -135, 60), ("betmgm", 20.5, -110, -110, 60)]
        (found,) = consensus.of_all(offers(*rows)).to_dict("records")
        by_hand = []
        for _, line, over, under, _ in rows:
            own = over_probability(pd.Series([over]), pd.Series([under]))[0]
            by_hand.append(line + np.sqrt(10.5 + 2.25 * line) * norm.ppf(own))
        assert found["median"] == pytest.approx(np.mean(by_hand))
        assert found["engines"] == 3

    def test_counts_books_of_one_engine_once(self):
        twins = [book for book, engine in ENGINES.items() if engine == "kambi"]
        rows = [*at(20.5, 20.5), *((book, 26.5, -110, -110, 60) for book in twins)]
        (found,) = consensus.of_all(offers(*rows)).to_dict("records")
        assert (found["engines"], found["median"]) == (3, pytest.approx((20.5 + 20.5 + 26.5) / 3))
        others = consensus.of_others(offers(*rows, ("betmgm", 20.5, -110, -110, 60))).set_index("engine")
        assert others.loc["kambi", "median"] == pytest.approx(20.5)
        apart = [
            *at(20.5, 20.5),
            *((book, line, -110, -110, 60) for book, line in zip(twins, (24.5, 26.5), strict=False)),
        ]
        assert consensus.of_all(offers(*apart))["median"].tolist() == pytest.approx([(20.5 + 20.5 + 25.5) / 3])

    def test_is_a_row_of_each_player_and_market_with_a_reason_where_there_is_none(self):
        known, alone = offers(*at(20.5, 21.5, 22.5)), offers(*at(20.5, 21.5)).assign(player_id=2, player_name="B")
        found = CONSENSUS.validate(consensus.rows(pd.concat([known, alone], ignore_index=True)))
        assert found[["player_id", "player_name", "engines"]].to_numpy().tolist() == [[1, "A", 3], [2, "B", 2]]
        assert found["median"].tolist() == pytest.approx([21.5, np.nan], nan_ok=True)
        assert found["no_consensus_reason"].tolist() == [None, "TOO_FEW_BOOKS"]
        assert set(found["cutoff_at"]) == {CUTOFF}

    def test_gives_more_chance_by_a_median_that_is_moved_up(self):
        median, line, market = pd.Series([20.5]), pd.Series([21.5]), pd.Series([POINTS])
        still = (20.5 - 21.5) / np.sqrt(10.5 + 2.25 * 21.5)
        assert consensus.over_chance(median, line, market, 0.25)[0] == pytest.approx(norm.cdf(still + 0.25))

    def test_needs_three_engines_and_for_a_book_three_others(self):
        assert consensus.of_all(offers(*at(20.5, 20.5)))["median"].isna().all()
        three = offers(*at(20.5, 20.5, 20.5))
        assert consensus.of_all(three)["median"].notna().all()
        assert consensus.of_others(three)["median"].isna().all()
        assert consensus.of_others(offers(*at(20.5, 20.5, 20.5, 20.5)))["median"].notna().all()

    @given(st.floats(0, 60), st.sampled_from(markets.MARKETS))
    def test_gives_a_chance_that_falls_as_the_line_rises(self, median, market):
        lines = pd.Series(np.arange(0.5, market.most_line, 0.5))
        same = pd.Series(market.key, index=lines.index)
        chance = consensus.over_chance(pd.Series(median, index=lines.index), lines, same)
        assert ((chance >= 0) & (chance <= 1)).all()
        # strictly, where a double can still tell
        inner = (chance > 1e-12) & (chance < 1 - 1e-12)
        assert (np.diff(chance[inner]) < 0).all()
        assert (np.diff(chance) <= 0).all()

    @given(st.floats(0.5, 40), st.floats(0.02, 0.98), st.sampled_from(markets.keys()))
    def test_gives_back_the_price_of_a_line_that_all_books_share(self, line, own, market):
        lines, keys = pd.Series([line]), pd.Series([market])
        median = consensus.implied_median(lines, pd.Series([own]), keys)
        assert consensus.over_chance(pd.Series(median), lines, keys)[0] == pytest.approx(own)


class TestAPrice:
    def test_is_by_the_other_books_and_moves_with_no_price_of_its_own(self):
        before = PRICES.validate(prices(offers(*at(20.5, 20.5, 20.5, 20.5, 20.5)))).set_index("bookmaker")
        moved = at(20.5, 20.5, 20.5, 20.5)
        after = prices(offers(*moved, ("bovada", 20.5, 130, -160, 60))).set_index("bookmaker")
        columns = ["fair_line", "over_probability", "fair_over_price", "engines"]
        assert before.loc["bovada", columns].tolist() == after.loc["bovada", columns].tolist()
        assert before.loc["fanduel", "fair_line"] > after.loc["fanduel", "fair_line"]

    def test_of_each_side_by_hand(self):
        found = prices(offers(*at(20.5, 20.5, 20.5, 20.5), ("bovada", 19.5, 105, -125, 60))).set_index("bookmaker")
        mine = found.loc["bovada"]
        chance = norm.cdf((20.5 - 19.5) / np.sqrt(10.5 + 2.25 * 19.5))
        assert mine["over_probability"] == pytest.approx(chance)
        assert mine["over_ev"] == pytest.approx(chance * 2.05 - 1)
        assert mine["under_ev"] == pytest.approx((1 - chance) * 1.8 - 1)
        own = mine["own_over_probability"]
        assert own == pytest.approx((100 / 205) / (100 / 205 + 125 / 225))
        assert chance - own > 0.04
        kept = own + 0.65 * (chance - own)
        assert mine["over_ev_shrunk"] == pytest.approx(kept * 2.05 - 1)
        assert mine["over_stake"] == pytest.approx(min(0.01, (kept * 2.05 - 1) / 1.05 / 4))
        assert mine["under_ev_shrunk"] == pytest.approx((1 - kept) * 1.8 - 1)
        assert mine["under_stake"] == 0
        assert mine["fair_over_price"] == round(-100 * chance / (1 - chance))
        assert mine["is_outlier"]
        distance = (found["over_probability"] - found["own_over_probability"]).abs()
        assert found["is_outlier"].tolist() == (distance > 0.02).tolist()
        assert (mine["line_low"], mine["line_high"]) == (19.5, 20.5)

    def test_falls_along_a_books_ladder(self):
        ladder = [("draftkings", line, 150, None, 60) for line in (14.5, 17.5, 23.5, 29.5)]
        found = prices(offers(*at(20.5, 21.5, 20.5, 20.5), *ladder))
        mine = found[found["bookmaker"] == "draftkings"].sort_values("line")
        assert len(mine) == 5
        assert (mine["over_probability"].diff().dropna() < 0).all()
        assert (
            mine.loc[~mine["is_main"].astype(bool), ["over_ev_shrunk", "under_ev", "is_outlier"]].isna().all(axis=None)
        )
        assert mine["over_ev"].notna().all()

    def test_has_a_reason_where_there_is_none(self):
        found = PRICES.validate(prices(offers(*at(20.5, 20.5, 20.5))))
        assert set(found["no_price_reason"]) == {"TOO_FEW_BOOKS"}
        columns = ["fair_line", "over_probability", "over_ev", "under_ev", "over_stake", "fair_over_price"]
        assert found[columns].isna().all(axis=None)
        assert found["best_over_price"].notna().all()

    def test_best_prices_are_at_the_same_line_and_in_the_last_capture(self):
        found = prices(
            offers(
                ("draftkings", 20.5, -115, -105, 60), ("fanduel", 20.5, 102, -130, 60), ("betmgm", 19.5, 200, 200, 60),
                ("bovada", 20.5, 300, -110, 90), ("bovada", 20.5, None, -108, 60),
            )
        )  # fmt: skip
        at_20 = found[found["line"] == 20.5]
        assert set(at_20["best_over_book"]) == {"fanduel"}
        assert set(at_20["best_under_book"]) == {"draftkings"}

    def test_of_a_book_whose_engine_has_no_main_line_is_by_all_that_have_one(self):
        ladder = ("bovada", 22.5, 150, None, 60)
        found = prices(offers(*at(20.5, 20.5, 20.5, 20.5), ladder, ("fanduel", 22.5, 120, None, 60)))
        mine = found.set_index(["bookmaker", "line"])[["engines", "fair_line"]]
        assert mine.loc[("bovada", 22.5)].tolist() == [4, 20.5]
        assert mine.loc[("fanduel", 22.5)].tolist() == [3, 20.5]
        assert len(found) == 6
        nobody = prices(offers(ladder, ("draftkings", 22.5, 140, None, 60)))
        assert nobody["engines"].tolist() == [0, 0]
        assert nobody["fair_line"].isna().all()
        assert set(nobody["no_price_reason"]) == {"TOO_FEW_BOOKS"}
        assert nobody["line_low"].isna().all(), "no line is a main one"
        two = prices(offers(ladder, *at(20.5, 21.5)))
        assert two.loc[two["bookmaker"] == "bovada", ["engines", "fair_line"]].isna().to_numpy().tolist() == [
            [False, True]
        ]
        assert two.set_index("bookmaker").loc["bovada", "engines"] == 2

    def test_says_nothing_about_an_outlier_without_a_probability_of_its_own(self):
        found = prices(offers(*at(20.5, 20.5, 20.5, 20.5), ("bovada", 20.5, 150, None, 60)))
        said = found.set_index("bookmaker")["is_outlier"]
        assert said.drop("bovada").tolist() == [False] * 4
        assert pd.isna(said["bovada"])
        assert found["no_price_reason"].isna().all()

    def test_an_edge_is_shrunk_as_far_as_results_have_followed(self):
        distances = [0.01, -0.02, 0.021, 0.03, -0.04, 0.041, 0.05, 0.95, None]
        own = pd.Series([0.5] * 7 + [0.04, 0.5])
        shares = [1, 1, 0.75, 0.75, 0.75, 0.65, 0.65, 0.65]
        kept = [o + d * share for o, d, share in zip(own, distances, shares, strict=False)]
        found = shrunk(own + pd.Series(distances), own).tolist()
        assert found[:-1] == pytest.approx(kept)
        assert np.isnan(found[-1])
        assert np.isnan(shrunk(pd.Series([0.5]), pd.Series([np.nan]))[0])


def test_no_market_and_no_player_is_a_loop():
    """As many players and markets as there are, one pass: 2,000 props of five books are the rows that each gives alone."""
    one = offers(*at(20.5, 21.5, 20.5, 19.5, 20.5))
    many = pd.concat(
        [one.assign(player_id=n, quote_id=one["quote_id"] + f"-{n}") for n in range(400)], ignore_index=True
    )
    alone, together = prices(one), prices(many)
    mine = together[together["player_id"] == 7].drop(columns=["player_id", "quote_id"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.drop(columns=["player_id", "quote_id"]))
    assert len(together) == len(many)
    assert not together.duplicated([*PROP, "bookmaker", "line"]).any()
    assert set(together["market"]) == {POINTS}
