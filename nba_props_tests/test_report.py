"""What the page, the terminal and the pictures say of scores, and what they do not."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nba_props import plots, report
from nba_props.domain import scoring
from nba_props_tests.domain.test_scoring import chances, graded

TABLES = (report.ERRORS, report.BETS, report.SIDES, report.CHANCES)


def everything(dates: int) -> pd.DataFrame:
    found = scoring.table(graded(300 * dates, dates))
    return found[found["tier"] == "ALL"]


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that are made into pictures."""
    figures: list[Figure] = []
    monkeypatch.setattr(plots, "_png", lambda figure: figures.append(figure) or b"")
    return figures


def intervals(figure: Figure) -> int:
    return sum(len(c.get_segments()) for c in figure.axes[0].collections if isinstance(c, LineCollection))


@pytest.mark.parametrize("dates", [1, 2, 9])
def test_below_ten_nights_no_table_has_a_bracket_and_the_note_says_why(dates):
    scores = everything(dates)
    for columns in TABLES:
        assert not report.shown(scores, columns).map(lambda cell: "[" in cell).any(axis=None)
    nights = "1 night" if dates == 1 else f"{dates} nights"
    assert report.note(scores) == f"{nights}: too few for an interval (10 are needed)."
    assert all("nothing yet" in sentence for sentence in report.in_words(scores))


def test_from_ten_nights_on_every_score_has_its_interval_and_the_note_says_what_it_is():
    scores = everything(10)
    bets, sides, errors = (report.shown(scores, t) for t in (report.BETS, report.SIDES, report.ERRORS))
    known = report.shown(scores.head(1), report.CHANCES)
    less = known[["less the quote's", "less a coin's"]]
    for cells in (errors["MAE - line"], bets[["hit rate", "ROI"]], sides[["overs", "unders"]], less):
        assert cells.map(lambda cell: cell.count("[") == 1).all(axis=None)
    assert report.note(scores) == "In brackets: 95 % intervals, from the sums of each night."


def test_the_number_of_nights_stands_beside_every_n():
    for columns in TABLES:
        headings = [heading for heading, _ in columns.values()]
        assert {("n", "nights"), ("bets", "nights"), ("nights", "overs")} & set(pairwise(headings))
    bets = report.shown(everything(2), report.SIDES)
    assert bets["overs"].str.fullmatch(r"\d+\.\d% of \d+").all()
    assert bets["nights"].tolist() == ["2", "2"]
    fewer = report.shown(everything(2).assign(over_dates=1), report.SIDES)
    assert fewer["overs"].str.fullmatch(r"\d+\.\d% of \d+, 1 night").all(), "a side may have fewer nights than all bets"


def test_some_scores_of_a_table_may_have_too_few_nights_and_others_not():
    f = graded(3000, 12)
    f.loc[f["game_date"] >= pd.Timestamp("2025-11-09"), "over_probability"] = None
    scores = scoring.table(f).query("tier == 'ALL'")
    assert report.note(scores) == (
        "In brackets: 95 % intervals, from the sums of each night. "
        "8 nights: too few for an interval (10 are needed)."
    )  # fmt: skip
    assert "[" not in report.shown(scores.head(1), report.CHANCES)["less the quote's"].iloc[0]


def test_nothing_graded_has_no_note_and_no_sentence():
    f = graded(50, 1)
    pending = f.assign(outcome="PENDING", absolute_error=None, line_absolute_error=None, actual_margin=None)
    scores = scoring.table(pending.astype({c: float for c in pending if "error" in c or "margin" in c}))
    assert report.note(scores) == ""
    assert report.in_words(scores) == []


@pytest.mark.parametrize("late", [0, 1, 5])
def test_bets_that_nobody_could_have_placed_are_counted_in_words(late):
    f = graded(300, 2).assign(is_valid_line=True, is_current=True, is_backfill=False)
    bets = f.index[scoring.bets(f)]
    f.loc[bets[:late], "is_backfill"] = True
    f.loc[~f.index.isin(bets), "is_backfill"] = True  # what is no bet is not counted
    said = report.after_the_fact(f)
    assert said == (
        f"{late} of {len(bets)} bets were published after tip-off (backfill): what they would have done, not bets that "
        "anyone could have placed."
        if late
        else ""
    )
    assert report.after_the_fact(f.head(0)) == ""


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.09, "better than its prices need, by more than chance"),
        (-0.09, -0.01, "worse than its prices need, by more than chance"),
        (-0.04, 0.09, "no different from that, as far as these nights can tell"),
    ],
)
def test_a_sentence_says_no_more_than_the_interval(low, high, verdict):
    row = everything(12).iloc[[0]].assign(roi_low=low, roi_high=high)
    (sentence,) = report.in_words(row)
    assert sentence.endswith(f"{verdict}.")
    assert "on 12 nights" in sentence


@pytest.mark.parametrize(("dates", "bars"), [(2, 0), (12, 2)])
def test_no_bar_is_drawn_without_an_interval(drawn, dates, bars):
    plots.mae_differences(everything(dates))
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
        assert labels == [f"{day:%Y-%m-%d}" for day in index[:: -(-days // 12)]]
        assert len(labels) == len(set(labels)) <= 12
