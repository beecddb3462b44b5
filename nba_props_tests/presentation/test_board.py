"""The board of a slate, by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.domain.odds import payout
from nba_props.presentation import board

_TIP = pd.Timestamp("2026-01-10T00:00Z")


def row(system: str, forecast: float | None, *, player: int = 1, line: float = 20.5, side: str = "PASS", **more):
    """A row of the statement behind the board."""
    return {
        "game_date": pd.Timestamp("2026-01-09"), "game_id": "g", "player_id": player, "market": "points",
        "player_name": f"P {player}",
        "team": "AAA", "away_team": "AAA", "home_team": "BBB", "tipoff_at": _TIP, "system_id": system,
        "forecast": forecast, "recommendation": side, "over_probability": None, "line": line,
        "over_price": -110, "under_price": -110, "sportsbook": "draftkings", "created_at": _TIP, "newest_line": line,
        "opening_line": line, "books": 3, "best_over_price": 105, "best_over_book": "fanduel",
        "best_under_price": -102, "best_under_book": "betmgm", "line_minutes_before_game": 30.0,
        "cutoff_at": _TIP, "has_weight": True, "result": None, "outcome": None, "profit": None,
        **more,
    }  # fmt: skip


def of(*rows: dict, system: str | None = board.SYSTEM) -> pd.DataFrame:
    return board.of_rows(pd.DataFrame(list(rows)), system).set_index("player_id")


def test_the_best_price_is_that_of_the_side_it_leans_to():
    found = of(
        row(board.SYSTEM, 23.0, side="OVER"),
        row("catboost_v8", 22.0, over_probability=0.56),
        row("moving_average", 19.0),
    ).loc[1]
    assert (found["side"], found["leans"], found["edge"]) == ("OVER", "OVER", 2.5)
    assert (found["price"], found["book"]) == (105, "fanduel")
    assert (found["agree"], found["forecasts"]) == (2, 3)
    assert (found["chance"], found["chance_by"]) == (0.56, "catboost_v8")
    assert found["market_chance"] == pytest.approx(0.5)
    assert found["ev"] == pytest.approx(0.56 * 2.05 - 1)
    under = of(row(board.SYSTEM, 18.0, side="UNDER"), row("catboost_v8", 19.0, over_probability=0.44)).loc[1]
    assert (under["price"], under["book"], under["edge"]) == (-102, "betmgm", -2.5)
    assert under["chance"] == pytest.approx(0.56)


def test_a_line_that_was_old_when_it_was_published_is_counted():
    """The book may have moved since without an update of the feed: it is unknown whether it was still offered."""
    day, hour = 24 * 60.0, pd.Timedelta(hours=1)
    found = of(
        row(board.SYSTEM, 23.0, player=1),
        row(board.SYSTEM, 23.0, player=2, line_minutes_before_game=21.5 * 60),
        row(
            board.SYSTEM,
            23.0,
            player=3,
            line_minutes_before_game=day,
            created_at=_TIP - 20 * hour,
            tipoff_at=_TIP + hour,
        ),
        row(board.SYSTEM, 23.0, player=4, line_minutes_before_game=day, created_at=_TIP + 40 * 24 * hour),
        row(board.SYSTEM, 23.0, player=5, line_minutes_before_game=day, cutoff_at=pd.NaT),
    )
    assert found["quote_age"].sort_index().fillna(-1).tolist() == [0.5, 21.5, 4.0, 24.0, -1]
    assert board.old_quotes(found) == (
        "2 of 5 lines: quoted more than 6 hours before publication or tip-off (up to 24.0), so perhaps no longer offered"
    )
    assert board.old_quotes(found.loc[[1, 3]]) == ""


def test_a_price_of_another_line_is_not_used():
    """The chosen line moved after it was published: the published quote's own price and book stand."""
    found = of(row(board.SYSTEM, 23.0, side="OVER", newest_line=21.5)).loc[1]
    assert (found["price"], found["book"], found["line"]) == (-110, "draftkings", 20.5)


def test_what_a_system_did_not_predict_is_null():
    found = of(row(board.SYSTEM, None), row("moving_average", 25.0)).loc[1]
    blank = ["forecast", "side", "edge", "leans", "price", "book", "chance", "chance_by", "market_chance", "ev"]
    assert found[blank].isna().all()
    assert (found["agree"], found["forecasts"]) == (0, 1)
    alone = of(row("moving_average", 25.0)).loc[1]
    assert alone[["forecast", "side", "price"]].isna().all(), "the board's own system has no row of him"
    exact = of(row(board.SYSTEM, 20.5)).loc[1]
    assert exact["edge"] == 0
    assert exact[["leans", "price", "chance"]].isna().all()


def test_picks_come_first_then_the_largest_edges():
    found = of(
        row(board.SYSTEM, 29.0, player=1),
        row(board.SYSTEM, 22.5, player=2, side="OVER"),
        row(board.SYSTEM, 17.0, player=3, side="UNDER"),
        row(board.SYSTEM, None, player=4),
    )
    assert list(found.index) == [3, 2, 1, 4]


def test_systems_published_against_two_quotes_leave_one_row_a_player():
    found = of(row("moving_average", 25.0, line=19.5), row(board.SYSTEM, 23.0, side="OVER"))
    assert list(found["line"]) == [20.5], "the board's own system decides"


def test_p_is_for_the_boards_own_line():
    """A system that was run again alone may stand on another quote: its P says nothing of this line."""
    found = of(
        row(board.SYSTEM, 23.0, side="OVER"),
        row("catboost_v8", 22.0, line=15.5, over_probability=0.85),
        row("xgboost_v1", 22.0, over_probability=0.55),
    ).loc[1]
    assert (found["chance"], found["chance_by"]) == (0.55, "xgboost_v1")


def test_a_forged_duplicate_does_not_replace_the_first_row():
    late = _TIP + pd.Timedelta(hours=1)
    found = of(row(board.SYSTEM, 23.0, side="OVER"), row(board.SYSTEM, 99.0, side="OVER", created_at=late))
    assert list(found["forecast"]) == [23.0]


def test_a_graded_board_shows_the_results_of_each_player_and_of_the_date():
    def graded(player: int, side: str, outcome: str, points: int | None, profit: float) -> dict:
        return row(board.SYSTEM, 23.0, player=player, side=side, outcome=outcome, result=points, profit=profit)

    found = of(
        graded(1, "OVER", "WIN", 30, 0.91), graded(2, "UNDER", "LOSS", 22, -1.0), graded(3, "OVER", "WIN", 21, 0.91),
        graded(4, "OVER", "PUSH", 20, 0.0), graded(5, "OVER", "VOID", None, 0.0),
        graded(6, "PASS", "NO_BET", 9, 0.0), row("moving_average", 19.0, player=1, outcome="LOSS", result=30),
    )  # fmt: skip
    assert (found.loc[1, "result"], found.loc[1, "outcome"]) == (30, "WIN"), "the board's own system's"
    assert found.loc[6, "result"] == 9, "and of those that it did not pick"
    assert board.record(found) == "5 picks: 2-1 (66.7 %), 1 push, 1 void; +0.8 units at the quoted prices"
    assert board.record(found[found["outcome"].eq("PUSH")]) == "1 pick: 0-0, 1 push; +0.0 units at the quoted prices"
    tonight = of(row(board.SYSTEM, 23.0, side="OVER"))
    assert board.record(tonight) == ""
    assert board.record(tonight.assign(outcome="PENDING")) == "", "what is not decided has no record"


def test_no_rows_are_an_empty_board():
    assert board.of_rows(pd.DataFrame()).empty


_POINTS = st.floats(0, 60).map(lambda x: round(x, 1))
_PRICES = st.integers(100, 900).flatmap(lambda p: st.sampled_from([p, -p]))


@given(st.lists(st.tuples(_POINTS, _POINTS, st.floats(0, 1), _PRICES), min_size=1, max_size=12))
def test_edge_side_price_and_chance_always_agree(players):
    rows = []
    for number, (own, other, chance, price) in enumerate(players):
        rows.append(row(board.SYSTEM, own, player=number, best_over_price=price))
        rows.append(row("catboost_v8", other, player=number, over_probability=chance))
    found = of(*rows)
    assert len(found) == len(players)
    for number, (own, other, chance, price) in enumerate(players):
        seen = found.loc[number]
        assert seen["edge"] == own - 20.5
        side = {1: "OVER", -1: "UNDER"}.get((own > 20.5) - (own < 20.5))
        assert (seen["leans"] or None) == side or (side is None and pd.isna(seen["leans"]))
        if side:
            mine = chance if side == "OVER" else 1 - chance
            at = price if side == "OVER" else -102
            assert seen["chance"] == mine
            assert seen["price"] == at
            assert seen["ev"] == pytest.approx(mine * (1 + payout(pd.Series([at]))[0]) - 1)
            assert seen["agree"] == 1 + ((other > 20.5) if side == "OVER" else (other < 20.5))
