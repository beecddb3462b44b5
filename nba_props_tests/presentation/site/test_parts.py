"""The parts that pages are made of, without a lake."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.presentation import charts
from nba_props.presentation.site import build, slate, svg
from nba_props.presentation.site.player import results_of, splits

_TEXT = st.text() | st.sampled_from(["</script>", "<!--", "\u2028", "\u2029", "]]>", "\u202e"])


@given(st.recursive(_TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.booleans(),
                    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner)))  # fmt: skip
def test_json_in_a_page_is_the_value_and_ends_no_script(value):
    text = build._json(value)
    assert "<" not in text
    assert json.loads(text) == json.loads(json.dumps(value))


def test_nan_is_an_error_and_never_in_a_page():
    with pytest.raises(ValueError, match="not JSON compliant"):
        build._json([float("nan")])


@given(st.lists(st.none() | st.floats(-500, 500, allow_nan=False) | st.integers(-300, 300), min_size=1, max_size=20))
def test_rows_keep_every_number_and_null(values):
    found = slate.rows_of((pd.Series(values, dtype="float64"), pd.Series([f"{v}" for v in values])))
    assert [row[1] for row in found] == [f"{v}" for v in values]
    assert [row[0] for row in found] == [None if v is None else pytest.approx(v) for v in values]
    assert all(isinstance(row[0], int) for row in found if row[0] is not None and row[0] == int(row[0]))


@pytest.mark.parametrize("status", [None, float("nan"), "NOT_LISTED", "AVAILABLE"])
def test_who_is_not_in_doubt_has_no_status(status):
    assert slate.status_words(status) == ""
    assert slate.status_words("QUESTIONABLE") == "Questionable"


def heights(picture: str, kind: str) -> list[float]:
    """The heights of the bars of a kind."""
    root = ElementTree.fromstring(picture)  # noqa: S314
    paths = [p.get("d") for p in root.iter() if p.tag.endswith("path") and p.get("class") == kind]
    bars = [
        re.fullmatch(r"M[\d.]+ ([\d.]+)V([\d.]+)h[\d.]+V[\d.]+z", bar)
        for d in paths
        for bar in re.findall(r"M[^M]+", d)
    ]
    return [float(b[1]) - float(b[2]) for b in bars]


@given(
    st.lists(st.integers(0, 70), min_size=1, max_size=20),
    st.sampled_from([0.5, 8, 22.5]),
    st.sampled_from(["OVER", "UNDER", None]),
)
def test_bars_are_in_colour_where_the_side_would_have_won(results, line, side):
    picture = svg.bars(results, [str(n) for n in range(len(results))], line, side, "a <b> & 'c'")
    won = sum({"OVER": r > line, "UNDER": r < line}.get(side, False) for r in results)
    assert len(heights(picture, "win")) == won
    assert len(heights(picture, "lose")) == len(results) - won
    top = max(results, default=0)
    if top > 0:
        assert max(heights(picture, "win") + heights(picture, "lose")) <= svg.HIGH


@pytest.mark.parametrize("picture", [
    svg.steps([0, 5, 9], [0.5, 0.5, 1.5], ["a", "b"], "three"),
    svg.masses(0, [0.4, 0.35, 0.25], 0.5, "a low count"), svg.masses(12, [1.0], 11.5, "all on one"),
    svg.bars([0, 0], ["a", "b"], 0.5, None, "nothing"),
])  # fmt: skip
def test_charts_are_svg_with_a_name(picture):
    root = ElementTree.fromstring(picture)  # noqa: S314
    assert root.get("role") == "img"
    assert root.get("aria-label")


def test_masses_show_the_probability_of_each_result():
    assert len(heights(svg.masses(3, [0.2, 0.5, 0.3], 4.5, ""), "win")) == 1
    high = heights(svg.masses(3, [0.2, 0.5, 0.3], 4.5, ""), "lose")
    assert high[1] / high[0] == pytest.approx(2.5, abs=0.01)


def games(days: list[str], home: list[bool], points: list[int]) -> pd.DataFrame:
    """Games of one player, the newest first."""
    made = pd.DataFrame({"player_id": 1, "recency": range(1, len(days) + 1), "played_on": pd.to_datetime(days), "is_home": home,
                         "opponent": "AAA", "minutes": 30, "points": points})  # fmt: skip
    return results_of(made.assign(**{stat: 1 for stat in slate.STATS if stat != "points"}))


def test_splits_are_means_of_the_games_they_name():
    found = splits(
        games(["2026-01-09", "2026-01-08", "2026-01-05"], [True, False, True], [30, 20, 10]), pd.Series({1: "AAA"})
    )
    mine = found.set_index("split")
    assert mine["points"].to_dict() == {
        "all": 20, "last 10": 20, "at home": 20, "away": 20, "back-to-back": 30, "rested": 20,
        "against tonight's opponent": 20,
    }  # fmt: skip
    assert mine["games"].to_dict()["rested"] == 1, "what was before the oldest game is not known"
    assert mine.loc["all", "points_rebounds_assists"] == 20 + 3


def test_the_picture_of_a_partition_is_a_png(pictures):
    props = pd.DataFrame({"player_name": ["A. Player"], "market": ["points"], "leans": ["OVER"], "line": [20.5], "forecast": [np.nan],
                          "books_ev_shrunk": [0.03]})  # fmt: skip
    assert charts.slate(props).startswith(b"\x89PNG")


def sides_of(*rows: dict) -> pd.DataFrame:
    """Sides of one player's points, each with a price, as ``shopping.best_sides`` has them."""
    usual = {
        "game_date": pd.Timestamp("2026-01-09"), "game_id": "1", "player_id": 7, "market": "points", "side": "OVER", "line": 20.5,
        "line_is_main": True, "is_main": True, "price": 110, "book": "fanduel", "chance": 0.5, "fair_price": 100.0, "ev": 0.05,
        "ev_shrunk": 0.03, "stake": 0.005, "quote_age": 1.0, "result": 24,
    }  # fmt: skip
    return pd.DataFrame([usual | row for row in rows])


def prop(**values) -> pd.DataFrame:
    """A prop with our pick: over 20.5."""
    usual = {
        "game_date": pd.Timestamp("2026-01-09"), "game_id": "1", "player_id": 7, "player_name": "A. Player", "market": "points",
        "line": 20.5, "leans": "OVER", "side": "OVER", "chance": 0.55, "market_chance": 0.5, "agree": 5, "outcome": "WIN",
        "profit": 1.1, "result": 24, "price": -110, "book": "betmgm", "age": 9.0,
    }  # fmt: skip
    return pd.DataFrame([usual | values])


def test_best_prices_are_sides_of_main_lines_worth_more_than_their_price():
    """In order of what is kept of it; those of our pick are marked, beside others the pick is named."""
    sides = sides_of(
        {}, {"side": "UNDER", "price": 130, "ev_shrunk": 0.09}, {"line": 22.5, "ev_shrunk": 0.02}, {"line": 25.5, "line_is_main": False},
        {"line": 19.5, "ev": -0.01},
    )  # fmt: skip
    found = slate.prices_of(prop(), sides)
    assert found[["line", "leans", "price", "why"]].to_numpy().tolist() == [
        [20.5, "UNDER", 130, "our pick: over 20.5"], [20.5, "OVER", 110, ""], [22.5, "OVER", 110, "our pick: over 20.5"],
    ]  # fmt: skip
    assert found["side"].tolist()[1] == "OVER"
    assert found["side"].isna().tolist() == [True, False, True]
    assert found["outcome"].isna().tolist() == [True, False, True], "the pick's outcome is of its own side"
    assert (found["book"] == "fanduel").all()
    assert (found["age"] == 1.0).all()
    without = slate.prices_of(prop(side="PASS", leans="OVER"), sides_of({}))
    assert without["why"].tolist() == ["no pick"]


def test_a_slate_takes_price_book_age_and_worth_from_one_quote():
    """Of a line that is offered; a published line that no book has any more keeps its own price, and is worth nothing known."""
    worth = slate.worth_of(sides_of({}))
    (row,) = worth.to_dict("records")
    assert (row["best_price"], row["best_book"], row["best_age"]) == (110, "fanduel", 1.0)
    assert (row["books_chance"], row["books_ev"], row["books_ev_shrunk"]) == (0.5, 0.05, 0.03)
    assert worth["is_alternate"].tolist() == [False]
    assert slate.worth_of(sides_of({"is_main": False}))["is_alternate"].tolist() == [True]


@pytest.mark.parametrize("masses", ["[NaN, 0.5, 0.5]", "[0.5, oops]", "[]", "[5.0, 3.0]", "[null]", "[0.001, 0.001]"])
def test_broken_masses_are_on_no_page(masses):
    """One bad row once failed the whole date, or stood there as a probability of nought."""
    good = {"lowest": 1, "masses": "[0.5, 0.5]", "no_distribution_reason": None}
    found = slate._unbroken(
        pd.DataFrame([good, {**good, "masses": masses}, {**good, "masses": None, "no_distribution_reason": "x"}])
    )
    assert found["masses"].isna().tolist() == [False, True, True]
    assert found["no_distribution_reason"].tolist() == [None, "the stored masses are broken", "x"]
