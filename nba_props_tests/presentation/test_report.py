"""What the page, the terminal and the pictures say of scores, and what they do not."""

from __future__ import annotations

import io
import json
import webbrowser
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from rich.console import Console

from nba_props.cli import look, main
from nba_props.cli.printing import Output, fits, fitted
from nba_props.domain import scoring
from nba_props.presentation import charts as plots
from nba_props.presentation import report
from nba_props_tests.domain.scoring.test_scoring import chances, graded

TABLES = tuple(report.TABLES.values())


def everything(dates: int) -> pd.DataFrame:
    found = scoring.table(graded(300 * dates, dates))
    return found[found["tier"] == "ALL"]


def with_verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(verdict=report.verdicts(scores))


def span_of(rows: pd.DataFrame, **more) -> report.Span:
    """What is read of graded rows, without any finding."""
    daily = scoring.sums(rows)
    return report.Span(rows, daily, scoring.scores(daily), None, {}, {}, None, **more)


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that are made into pictures."""
    figures: list[Figure] = []
    monkeypatch.setattr(plots, "_svg", lambda figure: figures.append(figure) or b"")
    return figures


def intervals(figure: Figure) -> int:
    return sum(len(c.get_segments()) for c in figure.axes[0].collections if isinstance(c, LineCollection))


@pytest.mark.parametrize("dates", [1, 2, 9])
def test_below_ten_nights_no_table_has_a_bracket_and_the_note_says_why(dates):
    scores = with_verdicts(everything(dates))
    for columns in TABLES:
        assert not report.shown(scores, columns).map(lambda cell: "[" in cell).any(axis=None)
    nights = "1 night" if dates == 1 else f"{dates} nights"
    assert report.note(scores) == f"{nights}: too few for an interval (10 are needed)."
    assert all("too few to judge" in sentence for sentence in report.in_words(scores))


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
        headings = [c.heading for c in columns.values()]
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
        (0.01, 0.09, "better than break-even by more than chance"),
        (-0.09, -0.01, "worse than break-even by more than chance"),
        (-0.04, 0.09, "indistinguishable from break-even on these nights"),
    ],
)
def test_a_sentence_says_no_more_than_the_interval(low, high, verdict):
    row = everything(12).iloc[[0]].assign(roi_low=low, roi_high=high)
    (sentence,) = report.in_words(row)
    assert f" a bet [{100 * low:+.1f} %, {100 * high:+.1f} %], {verdict}. MAE " in sentence
    assert "on 12 nights" in sentence


SCORES: dict = {
    "system_id": "ensemble_v1_1", "wins": 78.0, "losses": 53.0, "hit_rate": 78 / 131, "bet_dates": 2, "break_even": 0.531,
    "roi": 0.125, "roi_low": None, "roi_high": None, "rows_scored": 250.0, "mae": 5.2404, "line_mae": 5.28,
    "mae_difference": -0.0396, "mae_difference_low": None, "mae_difference_high": None,
}  # fmt: skip
MANY = {"bet_dates": 40, "mae_difference_low": -0.06, "mae_difference_high": -0.02}


def scores_of(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([SCORES | row for row in rows])


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
    assert report.in_words(scores_of(row)) == [said]


@pytest.mark.parametrize("row", [{}, {**MANY, "roi_low": 0.3, "roi_high": 0.5}, {"wins": 0.0, "losses": 0.0}])
def test_what_is_too_good_to_be_true_is_a_likely_bug_and_no_success(row):
    why = "wins 90.0 % of 1200 on 40 dates, 51.0 % by the quotes"
    (sentence,) = report.in_words(scores_of(row), {"ensemble_v1_1": why})
    assert f": a likely bug until proven otherwise ({why})." in sentence
    assert "better" not in sentence
    assert "too few to judge" not in sentence


def test_the_headline_counts_what_the_sentences_say():
    better, worse, same = (
        {**MANY, "roi_low": low, "roi_high": high} for low, high in ((0.1, 0.2), (-0.2, -0.1), (-1, 1))
    )
    few, none = {}, {"wins": 0.0, "losses": 0.0}
    named = [row | {"system_id": f"s{k}"} for k, row in enumerate((better, worse, same, same, few, none))]
    assert report.headline(scores_of(*named)) == (
        "Of 4 systems with bets on 10 nights or more, 1 did better than break-even by more than chance, 1 worse, "
        "and 2 were indistinguishable from it."
    )
    assert report.headline(scores_of(*named), ["s0"]) == (
        "Of 3 systems with bets on 10 nights or more, 0 did better than break-even by more than chance, 1 worse, "
        "and 2 were indistinguishable from it. 1 system too good or too bad to be true: a likely bug, not a result."
    )
    assert report.headline(scores_of(few, none)) == "2 nights: too few to tell skill from luck, 10 are needed."
    assert report.headline(scores_of(none)) == "No bet is decided on these nights."


def test_an_imported_record_is_never_told_apart_as_better():
    """Its rows may have been written after the game: only their own word says when."""
    better = {**MANY, "roi_low": 0.8, "roi_high": 0.9}
    oracle = scores_of({**better, "system_id": "imported_oracle"})
    unjudged = "Not judged: 1 imported system: only the export states when a row was written."
    assert report.headline(oracle) == unjudged
    assert report.headline(scores_of({**better, "system_id": "imported_oracle"}, better)) == (
        "Of 1 system with bets on 10 nights or more, 1 did better than break-even by more than chance, 0 worse, "
        f"and 0 were indistinguishable from it. {unjudged}"
    )
    (sentence,) = report.in_words(oracle)
    assert "no verdict, since what was imported may have been written after the game" in sentence
    assert "better" not in sentence


@pytest.mark.parametrize("width", [80, 120])
def test_imported_records_stand_apart_and_leave_every_table_one(width):
    f = graded(6000, 12).assign(is_valid_line=True, is_current=True, is_backfill=False)
    names = {"a": "moving_average_baseline_v1", "b": "imported_moving_average_baseline_v1"}
    found = span_of(f.assign(system_id=f["system_id"].map(names)))
    out = Output()
    out.console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    look.print_scores(out, found, [date(2026, 1, 1), date(2026, 1, 12)])
    said = out.console.file.getvalue()
    assert "- row" not in said, "no table is too wide"
    assert max(map(len, said.splitlines())) <= width
    words = " ".join(said.split())
    *both, only_own = report.TABLES
    assert [words.count(f"Imported records. {title}, 2026-01-01..") for title in both] == [1] * len(both)
    assert [words.count(f"{title}, 2026-01-01..") for title in both] == [2] * len(both)
    assert words.count(f"{only_own}, 2026-01-01..") == 1, "an export has no P(over)"
    assert said.count("\nmoving_average_baseline_v1 ") == 2 * len(report.TABLES) - 1
    assert "imported_" not in said


def test_nights_add_up_to_the_scores():
    f = graded(800, 12)
    nights = report.by_night(scoring.sums(f))
    scores = scoring.table(f).query("tier == 'ALL'").set_index("system_id")
    assert len(nights) == scores["bet_dates"].sum()
    for system, own in nights.groupby("system_id"):
        assert own["game_date"].is_monotonic_increasing
        assert (own["wins"].sum(), own["losses"].sum()) == tuple(scores.loc[system, ["wins", "losses"]])
        assert own["total"].tolist() == pytest.approx(own["units"].cumsum().tolist())
        bets = own["wins"].sum() + own["losses"].sum()
        assert own["total"].iloc[-1] / bets == pytest.approx(scores.loc[system, "roi"])
    assert report.by_night(pd.DataFrame()).empty


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


def test_a_picture_of_a_page_follows_the_screen_and_asks_nothing_of_a_network():
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


@pytest.mark.parametrize("nights", [2, 12], ids=["no interval", "intervals"])
@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_every_table_of_scores_fits_the_terminal_with_whole_numbers(width, nights):
    scores = everything(nights)
    scores = with_verdicts(scores.assign(system_id=["similarity_balanced_v1", "ensemble_v1_1"]))
    scores = scores.assign(rows_scored=123_456.0, wins=12_345.0)
    for title, columns in report.TABLES.items():
        kept, gap = fitted(look.score_columns(scores, columns), width)
        assert fits(kept, width, gap), f"{title} is wider than {width}"
        for column in kept:
            assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(column.cells)
            forms = (report.shown(scores, columns, brackets=b)[column.heading] for b in (True, False))
            assert tuple(column.cells) in map(tuple, forms)
        assert len(kept) >= 4
    first = next(iter(report.TABLES))
    assert first == "Scoreboard"
    bare = fitted(look.score_columns(scores, report.TABLES[first]), 80)[0]
    assert [c.heading for c in bare] == ["system", "bets", "nights", "hit rate", "break-even", "ROI", "MAE - line"]


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
def test_a_verdict_is_a_word_and_claims_no_more_than_the_sentence(row, suspects, said):
    assert report.verdicts(scores_of(row), suspects) == [said]


def test_a_machine_gets_the_scores_as_numbers(monkeypatch, tmp_path):
    rows = graded(3000, 12).assign(is_backfill=False)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.setattr(look, "to_read", lambda *_: None)
    monkeypatch.setattr(report, "graded_rows", lambda *_: rows)
    monkeypatch.setattr(report, "read", lambda *_: span_of(rows))
    monkeypatch.setattr(report, "write_report", lambda *_: "page.html")
    result = CliRunner().invoke(main, ["report", "2025-11-01..2025-11-12", "--format", "json"])
    found = {(r["tier"], r["system_id"]): r for r in json.loads(result.stdout)}
    expected = scoring.table(rows).set_index(["tier", "system_id"])
    assert set(found) == set(expected.index)
    one = found["ALL", "a"]
    assert (type(one["wins"]), type(one["dates"]), type(one["roi"])) == (int, int, float)
    assert one["mae"] == expected.loc[("ALL", "a"), "mae"]
    assert {*expected.columns, "tier", "system_id"} == set(one), "no column is lost"


@pytest.mark.parametrize(
    ("options", "page", "browser", "status"),
    [
        ([], "reports/a b.html", True, 0),
        (["--open"], "reports/a b.html", True, 0),
        (["--open"], "reports/a b.html", False, 1),
        (["--open"], "gs://bucket/reports/a.html", True, 1),
    ],
    ids=["not asked for", "opened", "no browser", "no file of this machine"],
)
def test_the_page_is_opened_in_a_browser(monkeypatch, tmp_path, options, page, browser, status):
    path = page if "://" in page else str(tmp_path / page)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.setattr(look, "to_read", lambda *_: None)
    monkeypatch.setattr(report, "graded_rows", lambda *_: graded(300, 2).assign(is_backfill=False))
    monkeypatch.setattr(report, "read", lambda *given: span_of(given[-1]))
    monkeypatch.setattr(report, "write_report", lambda *_: path)
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or browser)
    result = CliRunner().invoke(main, ["report", "2025-11-01..2025-11-02", *options])
    assert result.exit_code == status, result.output
    assert f"page      {path}" in result.output
    asked = options and "://" not in page
    assert opened == ([(tmp_path / page).as_uri()] if asked else [])
    if status:
        assert f"Error: no browser could be started here: open {path} yourself" in result.output
