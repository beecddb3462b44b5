"""The books and their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nba_props.facts.books import BOOK_KINDS, DFS_BOOKS, ENGINES, OTHER_NAMES, SPORTSBOOKS, book_kind, in_order


@given(st.lists(st.sampled_from(SPORTSBOOKS), unique=True))
def test_named_books_come_first_and_the_others_keep_the_house_order(named):
    order = in_order(named)
    assert list(order[: len(named)]) == named
    assert sorted(order) == sorted(SPORTSBOOKS)
    rest = order[len(named) :]
    assert list(rest) == sorted(rest, key=SPORTSBOOKS.index)
    assert in_order(order) == order


def test_naming_no_book_or_the_first_ones_is_the_house_order():
    assert in_order([]) == in_order(SPORTSBOOKS[:3]) == in_order(SPORTSBOOKS) == SPORTSBOOKS


def test_every_book_is_of_one_kind():
    assert set(BOOK_KINDS) == {*SPORTSBOOKS, *DFS_BOOKS}
    assert len(BOOK_KINDS) == len(SPORTSBOOKS) + len(DFS_BOOKS)
    assert [book_kind(b) for b in ("draftkings", "prizepicks", "a new one")] == ["SPORTSBOOK", "DFS", "UNKNOWN"]
    assert {*ENGINES, *OTHER_NAMES.values()} <= set(SPORTSBOOKS)
    assert not set(OTHER_NAMES) & set(SPORTSBOOKS)
