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


@given(st.lists(st.integers(0, 70), min_size=1, max_size=20), st.sampled_from([0.5, 8, 22.5]), st.booleans())
def test_bars_are_in_colour_where_the_side_would_have_won(results, line, over):
    picture = svg.bars(results, [str(n) for n in range(len(results))], line, over, "a <b> & 'c'")
    won = sum(r > line if over else r < line for r in results)
    assert len(heights(picture, "win")) == won
    assert len(heights(picture, "lose")) == len(results) - won
    top = max(results, default=0)
    if top > 0:
        assert max(heights(picture, "win") + heights(picture, "lose")) <= svg.HIGH


@pytest.mark.parametrize("picture", [
    svg.steps([0.0], [20.5], ["now"], "one capture"), svg.steps([0, 5, 9], [0.5, 0.5, 1.5], ["a", "b"], "three"),
    svg.masses(0, [0.4, 0.35, 0.25], 0.5, "a low count"), svg.masses(12, [1.0], None, "all on one"),
    svg.bars([0, 0], ["a", "b"], None, over=True, what="nothing"),
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
