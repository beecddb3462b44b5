"""What tables of scores show: intervals from ten nights on, the number of nights, a note on both."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from nba_props.domain import scoring
from nba_props.presentation import score_tables, verdicts
from nba_props_tests.domain.scoring.test_scoring import graded, scores_of

TABLES = tuple(score_tables.TABLES.values())


def everything(dates: int) -> pd.DataFrame:
    found = scores_of(graded(300 * dates, dates))
    return found[found["tier"] == "ALL"]


def with_verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(verdict=verdicts.verdicts(scores))


@pytest.mark.parametrize("dates", [1, 2, 9])
def test_below_ten_nights_no_table_has_an_interval_and_the_note_explains_why(dates):
    scores = with_verdicts(everything(dates))
    for columns in TABLES:
        assert not score_tables.shown(scores, columns).map(lambda cell: "[" in cell).any(axis=None)
    nights = "1 night" if dates == 1 else f"{dates} nights"
    assert score_tables.note(scores) == f"{nights}: too few for an interval (10 are needed)."
    assert all("too few to judge" in sentence for sentence in verdicts.in_words(scores))


def test_from_ten_nights_on_every_score_has_an_interval_and_the_note_explains_it():
    scores = everything(10)
    bets, sides, errors = (
        score_tables.shown(scores, t) for t in (score_tables.BETS, score_tables.SIDES, score_tables.ERRORS)
    )
    known = score_tables.shown(scores.head(1), score_tables.CHANCES)
    less = known[["less the quote's", "less a coin's"]]
    for cells in (errors["MAE - line"], bets[["hit rate", "ROI"]], sides[["overs", "unders"]], less):
        assert cells.map(lambda cell: cell.count("[") == 1).all(axis=None)
    assert score_tables.note(scores) == "In brackets: 95 % intervals, from the sums of each night."


def test_the_number_of_nights_is_shown_beside_every_n():
    for columns in TABLES:
        headings = [c.heading for c in columns.values()]
        assert {("n", "nights"), ("bets", "nights"), ("nights", "overs")} & set(pairwise(headings))
    bets = score_tables.shown(everything(2), score_tables.SIDES)
    assert bets["overs"].str.fullmatch(r"\d+\.\d% of \d+").all()
    assert bets["nights"].tolist() == ["2", "2"]
    fewer = score_tables.shown(everything(2).assign(over_dates=1), score_tables.SIDES)
    assert fewer["overs"].str.fullmatch(r"\d+\.\d% of \d+, 1 night").all(), "a side may have fewer nights than all bets"


def test_some_scores_of_a_table_may_have_too_few_nights_and_others_not():
    f = graded(3000, 12)
    f.loc[f["game_date"] >= pd.Timestamp("2025-11-09"), "over_probability"] = None
    scores = scores_of(f).query("tier == 'ALL'")
    assert score_tables.note(scores) == (
        "In brackets: 95 % intervals, from the sums of each night. "
        "8 nights: too few for an interval (10 are needed)."
    )  # fmt: skip
    assert "[" not in score_tables.shown(scores.head(1), score_tables.CHANCES)["less the quote's"].iloc[0]


def test_nothing_graded_has_no_note_and_no_sentence():
    f = graded(50, 1)
    pending = f.assign(outcome="PENDING", absolute_error=None, line_absolute_error=None, actual_margin=None)
    scores = scores_of(pending.astype({c: float for c in pending if "error" in c or "margin" in c}))
    assert score_tables.note(scores) == ""
    assert verdicts.in_words(scores) == []


def test_nights_add_up_to_the_scores():
    f = graded(800, 12)
    nights = score_tables.by_night(scoring.sums(f))
    scores = scores_of(f).query("tier == 'ALL'").set_index("system_id")
    assert len(nights) == scores["bet_dates"].sum()
    for system, own in nights.groupby("system_id"):
        assert own["game_date"].is_monotonic_increasing
        assert (own["wins"].sum(), own["losses"].sum()) == tuple(scores.loc[system, ["wins", "losses"]])
        assert own["total"].tolist() == pytest.approx(own["units"].cumsum().tolist())
        bets = own["wins"].sum() + own["losses"].sum()
        assert own["total"].iloc[-1] / bets == pytest.approx(scores.loc[system, "roi"])
    assert score_tables.by_night(pd.DataFrame()).empty
