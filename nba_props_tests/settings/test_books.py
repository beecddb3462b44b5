"""NBA_PROPS_BOOKS: the order of sportsbooks in which a line is chosen."""

from __future__ import annotations

import pytest

from nba_props.facts.books import SPORTSBOOKS, in_order
from nba_props.settings import BadSetting, read_settings


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("fanduel", ["fanduel"]),
        (" FanDuel , betmgm", ["fanduel", "betmgm"]),
        ("BOVADA,draftkings", ["bovada", "draftkings"]),
        ("draftkings", []),
        ("", []),
        (",".join(reversed(SPORTSBOOKS)), [*reversed(SPORTSBOOKS)]),
    ],
)
def test_named_books_come_first_in_any_case(value, first):
    assert read_settings({"NBA_PROPS_BOOKS": value}).books == in_order(first)


def test_it_is_the_house_order_unless_set():
    assert read_settings({}).books == SPORTSBOOKS


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("fanduell", "has 'fanduell', which is not a sportsbook: did you mean fanduel?"),
        ("fanduel,Caesars", "has 'caesars', which is not a sportsbook: did you mean williamhill_us?"),
        ("xyz", f"has 'xyz', which is not a sportsbook: they are {', '.join(SPORTSBOOKS)}"),
        ("fanduel draftkings", "has 'fanduel draftkings', which is not a sportsbook: "),
        (
            "fanduel,PrizePicks",
            "has 'prizepicks', a DFS book: its prices are multipliers, and no line is chosen from it",
        ),
        ("fanduel,betmgm,FanDuel", "has 'fanduel' twice: a book has one place in the order"),
        ("fanduel,,betmgm", "is 'fanduel,,betmgm'; it can be sportsbooks with commas between, such as fanduel,"),
        ("fanduel,", "is 'fanduel,'; it can be sportsbooks with commas between"),
        (" ", "is ' '; it can be sportsbooks with commas between"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(value, said):
    with pytest.raises(BadSetting) as error:
        read_settings({"NBA_PROPS_BOOKS": value})
    assert str(error.value).startswith(f"NBA_PROPS_BOOKS {said}")
    assert "\n" not in str(error.value)
