"""Charts: their axes, their intervals, and pictures that need no network."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nba_props.domain import scoring
from nba_props.presentation import charts as plots
from nba_props_tests.domain.scoring.test_scoring import chances, graded
from nba_props_tests.presentation.test_score_tables import everything


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that are made into pictures."""
    figures: list[Figure] = []
    monkeypatch.setattr(plots, "_svg", lambda figure: figures.append(figure) or b"")
    return figures


def intervals(figure: Figure) -> int:
    return sum(len(c.get_segments()) for c in figure.axes[0].collections if isinstance(c, LineCollection))


@pytest.mark.parametrize(("dates", "bars"), [(2, 0), (12, 2)])
def test_no_bar_is_drawn_without_an_interval(drawn, dates, bars):
    plots.mae_differences(everything(dates), "points")
    tables = scoring.reliability(chances(graded(300 * dates, dates)))
    plots.reliability({"a": tables.loc["a"]})
    differences, reliability = drawn
    assert intervals(differences) == bars
    assert intervals(reliability) == (6 if bars else 0)
    labels = [label.get_text() for label in differences.axes[0].get_yticklabels()]
    assert all(f"{dates} nights" in label for label in labels)


@pytest.mark.parametrize("days", [1, 2, 7, 170])
def test_charts_of_days_have_days_on_their_axes(drawn, days):
    index = pd.date_range("2025-10-21", periods=days)
    kinds = pd.DataFrame(1.0, index=index, columns=["verified quote", "no line", "placeholder or unverified"])
    plots.line_quality(kinds)
    plots.streak(pd.Series(1.0, index=index), 30)
    for figure in drawn:
        labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
        assert labels == [f"{day:%b} {day.day}" for day in index[:: -(-days // 6)]]
        assert len(labels) == len(set(labels)) <= 6


@pytest.mark.parametrize("days", [1, 2, 30])
def test_every_system_has_a_chart_of_its_nights_on_the_same_axes(drawn, days):
    rows = pd.DataFrame(
        {"game_date": pd.date_range("2026-01-09", periods=days), "wins": 3.0, "losses": 2.0, "total": 1.5}
    )
    plots.nights(pd.concat(rows.assign(system_id=s, total=rows["total"] * k) for k, s in enumerate("abc")))
    units, bets = drawn
    for figure in drawn:
        shown = [axes for axes in figure.axes if axes.get_visible()]
        assert len(shown) == 3
        assert len({axes.get_ylim() for axes in shown}) == len({axes.get_xlim() for axes in shown}) == 1
        labels = [label.get_text() for label in shown[-1].get_xticklabels()]
        assert labels == [f"{day:%b} {day.day}" for day in rows["game_date"][:: -(-days // 3)]]
    assert [axes.get_title(loc="left") for axes in units.axes[:3]] == ["a  +0.0", "b  +1.5", "c  +3.0"]
    assert bets.axes[0].get_title(loc="left") == f"a  {3 * days}-{2 * days}"
    low, high = bets.axes[0].get_ylim()
    assert low == 0
    assert high >= 5


def test_a_chart_on_a_page_fits_the_screen_and_loads_nothing_from_the_network(pictures):
    days = pd.Series([1.0, 2.0], index=pd.date_range("2026-01-09", periods=2))
    picture = plots.streak(days, 30)
    assert picture == plots.streak(days, 30), "the same figures are the same bytes"
    text = picture.decode()
    root = ElementTree.fromstring(text)  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in text
    assert not [colour for colour in plots._SCREENS if f": {colour}" in text], "no colour is of one screen only"
    assert "Jan 9" in text, "letters are letters"
    links = {value for node in root.iter() for name, value in node.attrib.items() if name.endswith("href")}
    assert links
    assert all(link.startswith("#") for link in links)
    assert plots.data_uri(picture).startswith("data:image/svg+xml;base64,")
    assert plots.data_uri(plots.bars({"a": 1.0}, "share")).startswith("data:image/png;base64,")
