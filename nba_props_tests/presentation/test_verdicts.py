"""Scores in words claim no more than their intervals do."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.domain import scoring
from nba_props.presentation import verdicts
from nba_props_tests.domain.scoring.test_scoring import graded
from nba_props_tests.presentation.test_score_tables import everything

SCORES: dict = {
    "system_id": "ensemble_v1_1", "wins": 78.0, "losses": 53.0, "hit_rate": 78 / 131, "bet_dates": 2, "break_even": 0.531,
    "roi": 0.125, "roi_low": None, "roi_high": None, "rows_scored": 250.0, "mae": 5.2404, "line_mae": 5.28,
    "mae_difference": -0.0396, "mae_difference_low": None, "mae_difference_high": None,
}  # fmt: skip

MANY = {"bet_dates": 40, "mae_difference_low": -0.06, "mae_difference_high": -0.02}


def scores_of(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([SCORES | row for row in rows])


@pytest.mark.parametrize("late", [0, 1, 5])
def test_bets_published_too_late_to_be_placed_are_counted_in_a_sentence(late):
    f = graded(300, 2).assign(is_valid_line=True, is_current=True, is_backfill=False)
    bets = f.index[scoring.bets(f)]
    f.loc[bets[:late], "is_backfill"] = True
    f.loc[~f.index.isin(bets), "is_backfill"] = True  # rows that are not bets are not counted
    said = verdicts.after_the_fact(f)
    assert said == (
        f"{late} of {len(bets)} bets were published after tip-off (backfill), when they could no longer be placed: "
        "their results are hypothetical."
        if late
        else ""
    )
    assert verdicts.after_the_fact(f.head(0)) == ""


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.09, "better than break-even by more than chance"),
        (-0.09, -0.01, "worse than break-even by more than chance"),
        (-0.04, 0.09, "indistinguishable from break-even on these nights"),
    ],
)
def test_a_sentence_claims_no_more_than_the_interval(low, high, verdict):
    row = everything(12).iloc[[0]].assign(roi_low=low, roi_high=high)
    (sentence,) = verdicts.in_words(row)
    assert f" a bet [{100 * low:+.1f} %, {100 * high:+.1f} %], {verdict}. MAE " in sentence
    assert "on 12 nights" in sentence


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {},
            "ensemble_v1_1 won 59.5 % of 131 bets on 2 nights, break-even 53.1 %: 2 nights are too few to judge. "
            "MAE 5.240, the line's 5.280 on the same 250 rows.",
        ),
        (
            {"wins": 1.0, "losses": 0.0, "hit_rate": 1.0, "bet_dates": 1, "rows_scored": 1.0},
            "ensemble_v1_1 won 100.0 % of 1 bet on 1 night, break-even 53.1 %: 1 night is too few to judge. "
            "MAE 5.240, the line's 5.280 on the same 1 row.",
        ),
        (
            {**MANY, "roi_low": 0.021, "roi_high": 0.233},
            "ensemble_v1_1 won 59.5 % of 131 bets on 40 nights, break-even 53.1 %: return +12.5 % a bet "
            "[+2.1 %, +23.3 %], better than break-even by more than chance. "
            "MAE 5.240, the line's 5.280 on the same 250 rows: -0.040 [-0.060, -0.020], closer than the line.",
        ),
        (
            {**MANY, "roi": -0.1, "roi_low": -0.2, "roi_high": 0.01, "mae_difference_high": 0.03},
            "ensemble_v1_1 won 59.5 % of 131 bets on 40 nights, break-even 53.1 %: return -10.0 % a bet "
            "[-20.0 %, +1.0 %], indistinguishable from break-even on these nights. "
            "MAE 5.240, the line's 5.280 on the same 250 rows: -0.040 [-0.060, +0.030], no clear difference.",
        ),
        (
            {**MANY, "roi_low": -0.2, "roi_high": -0.01, "mae_difference_low": 0.01, "mae_difference_high": 0.03},
            "ensemble_v1_1 won 59.5 % of 131 bets on 40 nights, break-even 53.1 %: return +12.5 % a bet "
            "[-20.0 %, -1.0 %], worse than break-even by more than chance. "
            "MAE 5.240, the line's 5.280 on the same 250 rows: -0.040 [+0.010, +0.030], further off than the line.",
        ),
        (
            {"wins": 0.0, "losses": 0.0},
            "ensemble_v1_1 has no decided bet. MAE 5.240, the line's 5.280 on the same 250 rows.",
        ),
        ({"rows_scored": 0.0}, "ensemble_v1_1 won 59.5 % of 131 bets on 2 nights, break-even 53.1 %: 2 nights are too few to judge."),
    ],
    ids=["few nights", "one bet", "better", "inconclusive", "worse", "no bets", "no forecast scored"],
)  # fmt: skip
def test_a_system_in_words(row, said):
    assert verdicts.in_words(scores_of(row)) == [said]


@pytest.mark.parametrize("row", [{}, {**MANY, "roi_low": 0.3, "roi_high": 0.5}, {"wins": 0.0, "losses": 0.0}])
def test_what_is_too_good_to_be_true_is_called_a_likely_bug(row):
    why = "wins 90.0 % of 1200 on 40 dates, 51.0 % by the quotes"
    (sentence,) = verdicts.in_words(scores_of(row), {"ensemble_v1_1": why})
    assert f": a likely bug until proven otherwise ({why})." in sentence
    assert "better" not in sentence
    assert "too few to judge" not in sentence


def test_the_headline_counts_the_verdicts_of_the_sentences():
    better, worse, same = (
        {**MANY, "roi_low": low, "roi_high": high} for low, high in ((0.1, 0.2), (-0.2, -0.1), (-1, 1))
    )
    few, none = {}, {"wins": 0.0, "losses": 0.0}
    named = [row | {"system_id": f"s{k}"} for k, row in enumerate((better, worse, same, same, few, none))]
    assert verdicts.headline(scores_of(*named)) == (
        "Of 4 systems with bets on 10 nights or more, 1 did better than break-even by more than chance, 1 worse, "
        "and 2 were indistinguishable from it."
    )
    assert verdicts.headline(scores_of(*named), ["s0"]) == (
        "Of 3 systems with bets on 10 nights or more, 0 did better than break-even by more than chance, 1 worse, "
        "and 2 were indistinguishable from it. 1 system too good or too bad to be true: a likely bug, not a result."
    )
    assert verdicts.headline(scores_of(few, none)) == "2 nights: too few to tell skill from luck, 10 are needed."
    assert verdicts.headline(scores_of(none)) == "No bet is decided on these nights."


def test_an_imported_record_is_never_called_better():
    """Its rows may have been written after the game: only their own word says when."""
    better = {**MANY, "roi_low": 0.8, "roi_high": 0.9}
    oracle = scores_of({**better, "system_id": "imported_oracle"})
    unjudged = "Not judged: 1 imported system: only the export states when a row was written."
    assert verdicts.headline(oracle) == unjudged
    assert verdicts.headline(scores_of({**better, "system_id": "imported_oracle"}, better)) == (
        "Of 1 system with bets on 10 nights or more, 1 did better than break-even by more than chance, 0 worse, "
        f"and 0 were indistinguishable from it. {unjudged}"
    )
    (sentence,) = verdicts.in_words(oracle)
    assert "no verdict, since what was imported may have been written after the game" in sentence
    assert "better" not in sentence


@pytest.mark.parametrize(
    ("row", "suspects", "said"),
    [
        ({"roi_low": None, "roi_high": None}, (), "too few nights"),
        ({"roi_low": 0.01, "roi_high": 0.2}, (), "better"),
        ({"roi_low": -0.2, "roi_high": -0.01}, (), "worse"),
        ({"roi_low": -0.2, "roi_high": 0.01}, (), "inconclusive"),
        ({"roi_low": 0.01, "roi_high": 0.2}, ("ensemble_v1_1",), "likely a bug"),
        ({"wins": 0.0, "losses": 0.0}, (), "no bet"),
        ({"roi_low": 0.01, "roi_high": 0.2, "system_id": "imported_oracle"}, (), "imported"),
        ({"roi_low": 0.01, "roi_high": 0.2, "system_id": "imported_oracle"}, ("imported_oracle",), "likely a bug"),
    ],
)
def test_a_verdict_is_one_word_and_claims_no_more_than_the_sentence(row, suspects, said):
    assert verdicts.verdicts(scores_of(row), suspects) == [said]
