"""The closing value of bets: by their own book, by others, and never by a book that chose them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from nba_props.domain import closing
from nba_props.domain.odds import over_probability, payout
from nba_props.domain.systems import INDEPENDENT, SYSTEMS, ensemble, reads_books
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import ChosenBy
from nba_props.schemas.predictions import CLOSING_LINE_VALUE
from nba_props_tests.domain.test_consensus import BOOKS, offers
from nba_props_tests.domain.test_grading import prediction
from nba_props_tests.domain.test_lines import CUTOFF, DAY

#: six engines, so that each half has three
SIX = (*BOOKS, "fanatics")
#: what the values of others are by
OTHERS = ["judges", "judges_are_close", "others_clv_probability", "others_clv_ev"]


def day(opening: dict[str, tuple], close: dict[str, tuple], at: int = 600, last: int = 6) -> pd.DataFrame:
    """Offers from the ``line, over, under`` of books at the opening and at the close."""
    rows = [(b, *quote, at) for b, quote in opening.items()] + [(b, *quote, last) for b, quote in close.items()]
    return offers(*rows)


def quick(opening: dict[str, tuple], close: dict[str, tuple]) -> pd.DataFrame:
    """The same with the columns that bets are made and judged from only, for many examples."""
    names = pd.Series(SIX)
    first, last = (
        pd.DataFrame([quotes[book] for book in SIX], columns=["line", "over", "under"]) for quotes in (opening, close)
    )
    return pd.DataFrame({"bookmaker": names, "engine": names, "line": last["line"]}).assign(
        game_date=DAY, game_id="0022500001", player_id=1, market="points", cutoff_at=CUTOFF, is_main=True,
        is_close=True, quote_id="q" + names, quoted_at=CUTOFF - pd.Timedelta(minutes=6),
        minutes_before_game=6.0, own_over_probability=over_probability(last["over"], last["under"]),
        opening_line=first["line"], opening_over_price=first["over"], opening_under_price=first["under"],
        opening_quote_id="o" + names, opening_at=CUTOFF - pd.Timedelta(minutes=600),
    )  # fmt: skip


def several(pairs: list[tuple[dict[str, tuple], dict[str, tuple]]]) -> pd.DataFrame:
    """The same for several players, each with an opening and a close."""
    return pd.concat([quick(*pair).assign(player_id=n) for n, pair in enumerate(pairs, 1)], ignore_index=True)


def at(line: float, over: int = -110, under: int = -110) -> dict[str, tuple]:
    return dict.fromkeys(SIX, (line, over, under))


def shown(**values) -> pd.DataFrame:
    """A graded pick as it was published nine hours before the cut-off."""
    claim = {
        "game_date": DAY, "player_id": 1, "system_id": "shrunk_rate_v1", "line": 20.5, "over_price": -110,
        "under_price": -110, "cutoff_at": CUTOFF, "quoted_at": CUTOFF - pd.Timedelta(minutes=600), "created_at": CUTOFF - pd.Timedelta(minutes=540), "result": 25,
    }  # fmt: skip
    row = prediction(**{**claim, **values})
    own = over_probability(pd.Series([row["over_price"]]), pd.Series([row["under_price"]]))[0]
    return pd.DataFrame([{**row, "market_over_probability": own}])


def bets(row: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    results = row[[*PROP, "result"]].dropna().drop_duplicates()
    return CLOSING_LINE_VALUE.validate(closing.bets(row, results, found, INDEPENDENT))


def pick(found: pd.DataFrame) -> pd.Series:
    (one,) = found[found["prediction_id"].notna()].to_dict("records")
    return pd.Series(one)


class TestAPickByItsOwnBook:
    def test_gains_what_the_line_moved_its_way(self):
        over = pick(bets(shown(recommendation="OVER"), day(at(20.5), at(22.5))))
        assert (over["clv_points"], over["close_line"], over["close_minutes"]) == (2, 22.5, 6)
        chance = norm.cdf((22.5 - 20.5) / np.sqrt(10.5 + 2.25 * 20.5))
        # the close's own spread is that of its line
        assert over["clv_probability"] == pytest.approx(chance - 0.5)
        assert over["clv_ev"] == pytest.approx(chance * (1 + 100 / 110) - 1)
        under = pick(bets(shown(recommendation="UNDER"), day(at(20.5), at(22.5))))
        assert under["clv_points"] == -2
        assert under["clv_probability"] == pytest.approx(-over["clv_probability"])

    def test_gains_by_prices_where_the_line_stands(self):
        found = pick(bets(shown(recommendation="OVER"), day(at(20.5), at(20.5, -130, 100))))
        own = over_probability(pd.Series([-130]), pd.Series([100]))[0]
        assert found["clv_points"] == 0
        assert found["clv_probability"] == pytest.approx(own - 0.5)

    def test_is_not_judged_by_a_line_from_before_it_was_shown(self):
        found = pick(bets(shown(recommendation="OVER"), day(at(20.5), {})))
        assert found["no_close_reason"] == "NOT_QUOTED_LATER"
        assert found[["close_line", "is_close", "clv_points", "clv_ev", "others_clv_ev"]].isna().all()

    def test_is_not_judged_by_its_own_quote_if_clocks_disagree(self):
        skewed = shown(recommendation="OVER", line=21.5, quoted_at=CUTOFF - pd.Timedelta(minutes=6))
        found = pick(bets(skewed, day(at(20.5), at(21.5))))
        assert found["no_close_reason"] == "NOT_QUOTED_LATER"
        assert found["judges"] == 0

    @pytest.mark.parametrize(("last", "close"), [(45, True), (46, False)])
    def test_tells_a_true_close_from_an_older_last_line(self, last, close):
        found = pick(bets(shown(recommendation="OVER"), day(at(20.5), at(21.5), last=last)))
        assert found["is_close"] == close
        assert found["judges_are_close"] == close
        assert found["clv_points"] == 1

    def test_counts_as_it_was_first_shown(self):
        later = CUTOFF - pd.Timedelta(minutes=60)
        rows = [
            shown(recommendation="OVER"),
            shown(recommendation="UNDER", prediction_id="p2", created_at=later),
        ]
        found = pick(bets(pd.concat(rows), day(at(20.5), at(21.5))))
        assert (found["side"], found["prediction_id"]) == ("OVER", "p")

    def test_has_its_result(self):
        for result, profit in ((25, 100 / 110), (16, -1.0)):
            assert pick(bets(shown(result=result), day(at(20.5), at(21.5))))["profit"] == pytest.approx(profit)
        assert pd.isna(pick(bets(shown(result=None), day(at(20.5), at(21.5))))["profit"])


class TestOtherBooks:
    def test_judge_a_pick_that_they_had_no_part_in(self):
        found = day(at(20.5), {**at(22.5), "draftkings": (20.5, -110, -110)})
        mine = pick(bets(shown(recommendation="OVER"), found))
        assert (mine["clv_points"], mine["clv_probability"]) == (0, pytest.approx(0))
        assert mine["judges"] == 4, "without bovada, whose lines follow those of draftkings"
        assert mine["others_clv_probability"] == pytest.approx(norm.cdf(2 / np.sqrt(10.5 + 2.25 * 20.5)) - 0.5)

    def test_need_three_engines(self):
        some = dict.fromkeys(("draftkings", "fanduel", "betmgm"), (22.5, -110, -110))
        mine = pick(bets(shown(recommendation="OVER"), day(at(20.5), some)))
        # the two others of later, and no line from before the bet
        assert mine["judges"] == 0
        assert pd.isna(mine["others_clv_ev"])

    def test_never_judge_a_system_that_reads_them(self):
        readers = {s.system_id for s in SYSTEMS} - INDEPENDENT
        for system in (*readers, "unknown", "market_consensus_v2"):
            mine = pick(bets(shown(recommendation="OVER", system_id=system), day(at(20.5), at(22.5))))
            assert mine["chosen_by"] == "ALL_BOOKS"
            assert mine["judges"] == 0
            assert pd.isna(mine["others_clv_ev"])
            assert mine["clv_points"] == 2

    def test_know_which_systems_read_them(self):
        readers = {s.system_id for s in SYSTEMS if reads_books(s)}
        assert {"market_consensus_v1", "catboost_v8"} < readers
        assert {"xgboost_v1", "shrunk_rate_v1", "moving_average"} < INDEPENDENT
        # an ensemble reads what its members do
        assert reads_books(ensemble.V1_1)
        assert not readers & INDEPENDENT
        assert readers | INDEPENDENT == {s.system_id for s in SYSTEMS}

    def test_that_copy_one_another_are_one_opinion(self):
        two = dict.fromkeys(("draftkings", "bovada", "fanduel"), (22.5, -110, -110, 6))
        found = offers(*((b, *quote) for b, quote in two.items()))
        mine = pick(bets(shown(recommendation="OVER", sportsbook="betmgm"), found))
        assert mine["judges"] == 0, "three books, two opinions"
        more = offers(*((b, *quote) for b, quote in {**two, "fanatics": (22.5, -110, -110, 6)}.items()))
        assert pick(bets(shown(recommendation="OVER", sportsbook="betmgm"), more))["judges"] == 4

    def test_of_one_kind_judge_together(self):
        """Three older lines are not made younger by two closes."""
        lines = dict.fromkeys(("fanduel", "draftkings"), (21.5, -110, -110, 6))
        lines |= dict.fromkeys(("williamhill_us", "fanatics", "bovada"), (23.5, -110, -110, 200))
        found = offers(*((b, *quote) for b, quote in lines.items()))
        mine = pick(bets(shown(recommendation="OVER", sportsbook="betmgm"), found))
        assert (mine["judges"], mine["judges_are_close"]) == (3, False)
        three = norm.cdf(3 / np.sqrt(10.5 + 2.25 * 20.5)) - 0.5
        assert mine["others_clv_probability"] == pytest.approx(three)


prices = st.tuples(st.sampled_from([18.5, 19.5, 20.5, 21.5]), st.integers(-140, -101), st.integers(-140, -101))
board = st.fixed_dictionaries(dict.fromkeys(SIX, prices))
#: eight players an example: as many boards in an eighth of the examples
boards = st.lists(st.tuples(board, board), min_size=8, max_size=8)
A_FEW = settings(max_examples=settings().max_examples // 8)


class TestOpeningBets:
    def test_are_on_the_book_that_stands_apart_if_it_is_worth_its_price(self):
        found = closing.opening_bets(day({**at(20.5), "fanduel": (18.5, -110, -110)}, at(20.5)))
        mine = found[found["chosen_by"] == "ALL_BOOKS"].iloc[0]
        assert (mine["bookmaker"], mine["side"], mine["line"]) == ("fanduel", "OVER", 18.5)
        chance = norm.cdf(2 / np.sqrt(10.5 + 2.25 * 18.5))
        assert mine["chance"] == pytest.approx(chance)
        assert mine["ev"] == pytest.approx(chance * (1 + 100 / 110) - 1)
        assert mine["minutes_before_game"] == 600

    def test_are_made_at_the_first_capture_by_the_books_that_are_in_it(self):
        late = [(b, 20.5, -110, -110, 300) for b in SIX] + [("fanduel", 16.5, -110, -110, 400)]
        assert closing.opening_bets(offers(*late)).empty

    @settings(max_examples=15)
    @given(board, board)
    def test_of_a_half_are_judged_by_the_other_half_alone(self, opening, close):
        found = quick(opening, close)
        halves = closing.halves(found).set_index("engine")["half"]
        assert halves.value_counts().tolist() == [3, 3]
        assert halves["bovada"] == halves["draftkings"]
        both = closing.opening_bets(found)
        both = both[both["chosen_by"] != ChosenBy.ALL_BOOKS].reset_index(drop=True)
        value = closing.closing_value(both, found)
        assert (both["ev"] > 0).all()
        assert not both.duplicated("chosen_by").any()
        for half in set(both["chosen_by"]):
            mine = both[both["chosen_by"] == half]
            assert halves[mine["engine"]].eq(half).all()
            # whatever its own half says at the close, and the other at the opening, moves nothing
            own = {b: (25.5, -140, 110) for b in SIX if halves[b] == half}
            moved = closing.closing_value(mine, quick(opening, {**close, **own}))
            pd.testing.assert_frame_equal(moved[OTHERS], value.loc[mine.index, OTHERS])
            others = {b: (15.5, -140, 110) for b in SIX if halves[b] != half}
            anew = closing.opening_bets(quick({**opening, **others}, close))
            pd.testing.assert_frame_equal(
                anew[anew["chosen_by"] == half].reset_index(drop=True), mine.reset_index(drop=True)
            )

    @A_FEW
    @given(boards)
    def test_that_all_books_chose_are_judged_by_their_own_book_alone(self, pairs):
        found = several(pairs)
        all_books = closing.opening_bets(found)
        all_books = all_books[all_books["chosen_by"] == ChosenBy.ALL_BOOKS]
        value = closing.closing_value(all_books, found)
        assert value["judges"].eq(0).all()
        assert value[["others_clv_probability", "others_clv_ev"]].isna().all(axis=None)
        assert value["clv_ev"].notna().all()

    @A_FEW
    @given(boards)
    def test_are_worth_at_the_close_what_their_price_pays_by_it(self, pairs):
        found = several(pairs)
        both = closing.opening_bets(found)
        value = closing.closing_value(both, found)
        chance = both["own_probability"] + value["clv_probability"]
        assert ((chance > 0) & (chance < 1)).all()
        assert np.allclose(value["clv_ev"], chance * (1 + payout(both["price"])) - 1)
        assert (value["clv_points"].abs() == (value["close_line"] - both["line"]).abs()).all()

    def test_are_the_same_of_the_columns_that_they_need(self):
        opening, close = {**at(20.5), "fanduel": (18.5, -105, -115)}, at(21.5)
        whole, few = day(opening, close), quick(opening, close)
        made = closing.opening_bets(whole), closing.opening_bets(few)
        names = ["chosen_by", "side", "bookmaker", "line", "price", "ev"]
        assert made[0][names].to_numpy().tolist() == made[1][names].to_numpy().tolist()
        values = [closing.closing_value(*pair)["clv_ev"].tolist() for pair in zip(made, (whole, few), strict=True)]
        assert values[0] == values[1]

    def test_without_offers_there_are_no_bets(self):
        assert bets(shown().iloc[:0], offers()).empty
