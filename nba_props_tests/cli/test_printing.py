"""Tables that fit, the same rows as JSON and CSV, and records where nothing fits."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nba_props.cli import boards
from nba_props.cli.boards import columns_of, print_boards
from nba_props.cli.daily import _print_gate
from nba_props.cli.printing import Column, Output, as_table, at_words, fits, fitted, print_line, progress
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.shadow import BY_THEMSELVES
from nba_props_tests.presentation.test_board import of, row


def paper(width: int, *, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, highlight=False)


def output(width: int, *, terminal: bool = True) -> Output:
    out = Output()
    out.console = paper(width, terminal=terminal)
    return out


def shown(columns: list[Column], width: int) -> str:
    console = paper(width)
    kept, gap = fitted(columns, width)
    console.print(as_table(kept, gap), soft_wrap=True)
    return console.file.getvalue()


def board_columns(
    name: str = "Shai Gilgeous-Alexander", *, systems: bool = False, graded: bool = False
) -> list[Column]:
    what_came = {"result": 28, "outcome": "WIN", "profit": 0.98} if graded else {}
    picks = of(
        row("ensemble_v1_1", 29.25, line=31.5, side="UNDER", player_name=name, **what_came),
        row("catboost_v8", 30.0, line=31.5, over_probability=0.41),
        row("ensemble_v1_1", None, player=2),
        *(
            row(system, 33.0 + n / 10, line=31.5)
            for n, system in enumerate(
                n for n in SYSTEM_TABLES if n not in ("ensemble_v1_1", "catboost_v8", *BY_THEMSELVES)
            )
        ),
    ).reset_index()
    return columns_of(picks, systems=systems)


@pytest.mark.parametrize("width", [80, 120])
def test_a_board_of_every_market_names_each(width):
    picks = of(
        row("ensemble_v1_1", 29.25, line=31.5, side="UNDER"),
        row("xgboost_v1", 4.5, line=6.5, side="UNDER", market="rebounds"),
        row("xgboost_v1", 30.0, line=31.5, side="PASS", market="points_rebounds_assists", player=2),
        system=None,
    ).reset_index()
    assert picks["market"].tolist() == ["rebounds", "points", "points_rebounds_assists"], "by the error of the lines"
    assert picks["side"].tolist() == ["UNDER", "UNDER", "PASS"]
    text = shown(columns_of(picks), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    for name in ("REB", "PTS", "PRA"):
        assert name in text


NAMES = ["Shai Gilgeous-Alexander", "Nickeil Alexander-Walker of the Longest Name There Is"]


@pytest.mark.parametrize("graded", [False, True], ids=["tonight", "graded"])
@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("name", NAMES)
def test_a_board_shows_every_number_whole(width, name, graded):
    text = shown(board_columns(name, graded=graded), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    for number in ("31.5", "-102", "MGM", "29.2", "-2.2", "59%", "50%", "2/8", "yes", *(["28 W"] if graded else [])):
        assert number in text.replace("28  W", "28 W")
    assert "\N{HORIZONTAL ELLIPSIS}" not in text or name.startswith("Nickeil"), "only a name is ever cut"


@pytest.mark.parametrize("graded", [False, True], ids=["tonight", "graded"])
@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("name", NAMES)
def test_a_board_of_all_systems_has_every_forecast_at_every_width(width, name, graded):
    text = shown(board_columns(name, systems=True, graded=graded), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    assert text.splitlines()[0].split()[-9:] == [
        "xgb1", "cat8", "ens1", "ens1.1", "shr1", "sim1", "zon1", "mov", "mc1",
    ]  # fmt: skip
    for number in ("31.5", "29.2", "30.0", *(f"33.{n}" for n in range(6)), *(["28"] if graded else [])):
        assert number in text
    seen = {width: shown(board_columns(systems=True), width) for width in (80, 100, 120, 160)}
    assert len({len(text.splitlines()[1]) for text in seen.values()}) == len(seen), "more room shows more"


def test_more_room_shows_more():
    seen = {width: shown(board_columns(), width) for width in (80, 100, 120, 250)}
    assert "tip-off" not in seen[80]
    assert "19:00 ET" in seen[100]
    assert "opened" in seen[120]
    assert "catboost" in seen[250]


def test_a_pick_that_is_not_worth_its_price_is_shown_as_no_value():
    picks = of(
        row("ensemble_v1_1", 23.0, side="OVER"), row("catboost_v8", 22.0, over_probability=0.45),
        row("ensemble_v1_1", 23.0, side="OVER", player=2), row("catboost_v8", 22.0, over_probability=0.55, player=2),
        row("ensemble_v1_1", 23.0, player=3), row("catboost_v8", 22.0, over_probability=0.55, player=3),
        row("ensemble_v1_1", 23.0, side="OVER", player=4),
    ).reset_index()  # fmt: skip
    (column,) = [c for c in columns_of(picks) if c.heading == "value"]
    said = dict(zip(picks["player_id"], column.cells, strict=True))
    assert said == {1: "no", 2: "yes", 3: "", 4: ""}, "of a pick with a P alone"


@pytest.mark.parametrize("graded", [False, True], ids=["tonight", "graded"])
def test_a_board_shows_which_system_picks_whose_p_it_is_and_the_result(monkeypatch, graded):
    what_came = {"result": 25, "outcome": "WIN", "profit": 0.95} if graded else {}
    picks = of(
        row("ensemble_v1_1", 23.0, side="OVER", **what_came),
        row("catboost_v8", 22.0, over_probability=0.56),
    ).reset_index()
    monkeypatch.setattr(boards, "picks", lambda *_: picks)
    monkeypatch.setattr(boards, "other_markets", lambda *_: {"rebounds": 12, "threes": 9})
    out = output(80)
    print_boards(out, None, [date(2026, 1, 9)], 20)
    lines = out.console.file.getvalue().splitlines()
    assert lines[:2] == [
        "Slate of 2026-01-09: 1 player with a line, 1 pick of ensemble_v1_1",
        "side and edge by ensemble_v1_1; P, EV and value by catboost_v8",
    ]
    record = "1 pick: 1-0 (100.0 %); +0.9 units at the quoted prices"
    assert (lines[2] == record) is graded
    assert (record in lines) is graded
    assert "in other markets on 2026-01-09: rebounds 12, threes 9; --market shows one" in " ".join(lines)
    assert all(len(line) <= 80 for line in lines)
    assert "bet" not in " ".join(lines).replace("better", ""), "nothing was staked"


_CELLS = st.lists(st.text("abcdefgh ", max_size=40), min_size=2, max_size=2)


@given(st.lists(st.tuples(_CELLS, st.integers(0, 3)), min_size=1, max_size=8), st.integers(20, 200))
def test_required_columns_stay_and_others_are_shown_where_they_fit(drawn, width):
    columns = [Column(f"c{n}", cells, spare=spare if n else 0) for n, (cells, spare) in enumerate(drawn)]
    kept, gap = fitted(columns, width)
    assert [c for c in columns if not c.spare] == [c for c in kept if not c.spare]
    assert not fits(columns, width, 2) or kept == columns
    dropped = [c.spare for c in columns if c not in kept]
    assert not dropped or min(dropped) > max((c.spare for c in kept), default=0)
    if fits(kept, width, gap):
        console = paper(width)
        console.print(as_table(kept, gap), soft_wrap=True)
        lines = console.file.getvalue().splitlines()
        for column in kept:
            assert all(any(cell.rstrip() in line for line in lines) for cell in column.cells)


def test_rows_wider_than_the_terminal_are_printed_value_by_value():
    out = output(60)
    frame = pd.DataFrame({f"a_long_name_{n}": [n * 1_000_000.5] for n in range(8)})
    out.rows(frame, "1 row")
    text = out.console.file.getvalue()
    assert "- row 1 -" in text
    assert "a_long_name_7  7000003.5" in text
    out = output(20)
    out.rows(frame.head(1), "t", columns=[Column("two\nlines", ["x" * 30]), Column("b", ["1"])])
    assert "two lines  " + "x" * 30 in out.console.file.getvalue(), "a heading is one line"


def test_a_pipe_gets_every_column_whole():
    out = output(80, terminal=False)
    frame = pd.DataFrame({f"column_{n}": [f"value {n} " + "x" * 100] for n in range(30)})
    out.rows(frame, "1 row")
    title, headings, _, values = out.console.file.getvalue().splitlines()
    assert title == "1 row"
    assert headings.split() == list(frame.columns)
    assert values.split() == " ".join(frame.iloc[0]).split()
    out = output(80, terminal=False)
    out.rows(frame, "1 row", columns=[Column(f"c{n}", ["x" * 20], spare=n) for n in range(30)])
    assert out.console.file.getvalue().splitlines()[1].split() == [f"c{n}" for n in range(30)], "spare ones as well"
    out = output(80, terminal=False)
    out.rows(frame, "1 row", columns=[Column("two\nlines", ["1"])])
    assert out.console.file.getvalue().splitlines()[1] == "two lines"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_title_is_a_line_of_its_own_however_narrow_its_table(terminal):
    out = output(80, terminal=terminal)
    out.rows(pd.DataFrame({"a": [1]}), "A title that is wider than the table under it")
    out.rows(pd.DataFrame({"a": [1]}), "Another")
    lines = out.console.file.getvalue().splitlines()
    assert lines[0] == "A title that is wider than the table under it"
    assert lines[4:6] == ["", "Another"], "a blank line keeps two tables apart"


def test_what_a_user_types_again_is_never_cut():
    frame = pd.DataFrame(
        {
            "run_id": ["3ea645ad-c021-4b76-b904-e7cfd03e73dd"], "n": [1234.5678], "text": ["some words " * 30],
            "name": ["nba_analytics.upcoming_player_game_context"],
            "player_name": ["Nickeil Alexander-Walker of the Longest Name There Is"],
            "path": ["/a/" + "b" * 40],
        }
    )  # fmt: skip
    for width in (60, 80, 120, 230):
        out = output(width)
        out.rows(frame, "1 row")
        text = " ".join(out.console.file.getvalue().split())
        for column in ("run_id", "n", "name", "player_name", "path"):
            assert str(frame[column][0]) in text
    assert "\N{HORIZONTAL ELLIPSIS}" in text, "prose is cut where that makes a table of it"


@given(st.text("ab /\n", max_size=120), st.integers(10, 40), st.integers(0, 8))
def test_lines_break_between_words_and_lose_none(text, width, indent):
    print_line(console := paper(width), text, indent=indent)
    found = console.file.getvalue()
    assert found.split() == text.split()
    for line in found.split("\n"):
        assert len(line) <= width or any(indent + len(word) > width for word in line.split())
    assert indent or at_words(text, width) + "\n" == found


def test_words_are_wrapped_in_a_terminal_and_not_in_a_pipe():
    said = "WARN a sentence of several words about /a/path/that/is/longer/than/the/terminal/is/wide and more"
    out = output(40)
    out.print(said)
    lines = out.console.file.getvalue().splitlines()
    assert " ".join(lines) == said
    assert lines[1:] == ["and more"]
    assert all(len(line) <= 40 or "/a/path/that/is/longer/than/the/terminal/is/wide" in line for line in lines)
    out.print_marked("ERROR", "red", "words " * 20)
    assert out.console.file.getvalue().splitlines()[-1].startswith("      words"), "under the words, not the mark"
    pipe = output(40, terminal=False)
    pipe.print(said)
    pipe.print_marked("ERROR", "red", "words " * 20)
    assert len(pipe.console.file.getvalue().splitlines()) == 2


def test_printed_commands_name_the_home_that_they_are_for():
    out = output(120)
    out.called = "NBA_PROPS_HOME=/else nba-props"
    out.print("undo with `nba-props rollback 1`, or .venv/bin/nba-props")
    out.print_marked("WARN", "yellow", "`nba-props quarantine placeholder DATE` takes them out")
    assert out.console.file.getvalue().splitlines() == [
        "undo with `NBA_PROPS_HOME=/else nba-props rollback 1`, or .venv/bin/nba-props",
        "WARN `NBA_PROPS_HOME=/else nba-props quarantine placeholder DATE` takes them out",
    ]


def test_the_label_of_a_simulated_league_is_printed_once_and_kept_out_of_machine_output(capsys):
    for form in ("table", "csv", "json"):
        with Output(form) as out:
            out.label(simulated=False)
            out.label(simulated=True)
            out.label(simulated=True)
            out.rows(pd.DataFrame({"a": [1]}), "t")
        printed = capsys.readouterr()
        where, other = (printed.out, printed.err) if form == "table" else (printed.err, printed.out)
        assert where.count("SIMULATED LEAGUE") == 1
        assert "SIMULATED" not in other


@pytest.mark.parametrize("tables", [0, 1, 2])
def test_json_is_one_document_whatever_is_printed(tables, capsys):
    with Output("json") as out:
        out.print("words")
        for n in range(tables):
            out.rows(pd.DataFrame({"day": pd.to_datetime(["2026-01-09"]), "n": [n], "none": [None]}), "t", f"t{n}")
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    one = [{"day": "2026-01-09", "n": 0, "none": None}]
    assert read == ([], one, {"t0": one, "t1": [{**one[0], "n": 1}]})[tables]
    assert "words" in printed.err


def test_csv_of_two_tables_has_a_blank_line_between(capsys):
    with Output("csv") as out:
        out.rows(pd.DataFrame({"a": [1]}), "t", "t1")
        out.rows(pd.DataFrame({"b": [2]}), "t", "t2")
    assert capsys.readouterr().out == "a\n1\n\nb\n2\n"


def typed() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-01-09", None]), "at": pd.to_datetime(["2026-01-09 12:30", None], utc=True),
            "n": pd.array([3, None], dtype="Int64"), "x": [0.5, float("inf")], "is": pd.array([True, None], "boolean"),
            "list": [np.array([pd.Timestamp("2026-01-09"), None]), None],
            "object": [{"k": Decimal("1.5"), "deep": np.array([np.array([1, 2])], dtype=object)}, None],
        }
    )  # fmt: skip
    frame.columns = ["day", "at", "n", "x", "is", "list", "n"]
    return frame


def test_json_has_the_types_of_its_values_and_every_column(capsys):
    with Output("json") as out:
        out.rows(typed(), "t")
    assert json.loads(capsys.readouterr().out) == [
        {
            "day": "2026-01-09", "at": "2026-01-09T12:30:00+00:00", "n": 3, "x": 0.5, "is": True,
            "list": ["2026-01-09T00:00:00", None], "n_1": {"k": 1.5, "deep": [[1, 2]]},
        },
        {"day": None, "at": None, "n": None, "x": "inf", "is": None, "list": None, "n_1": None},
    ]  # fmt: skip


def test_csv_has_every_column_and_json_where_a_value_is_not_a_scalar(capsys):
    with Output("csv") as out:
        out.rows(typed(), "t")
    head, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["day", "at", "n", "x", "is", "list", "n_1"]
    assert first[:5] == ["2026-01-09", "2026-01-09T12:30:00+00:00", "3", "0.5", "true"]
    assert json.loads(first[5]) == ["2026-01-09T00:00:00", None]
    assert json.loads(first[6]) == {"k": 1.5, "deep": [[1, 2]]}
    assert second == ["", "", "", "inf", "", "", ""]


def test_a_long_step_takes_no_room_from_the_number_and_the_time():
    console = paper(80)
    with progress(console) as bars:
        bars.add_task(
            "grade 2026-01-09..2026-01-10  nba_predictions__prediction_accuracy__checks", total=14, completed=11
        )
    assert "11/14 0:00:0" in console.file.getvalue()


def test_the_summary_of_the_gate_fits_with_every_reason():
    account = pd.DataFrame(
        {
            "date": ["2026-01-09"], "published with line": [1281], "published, abstained": [570],
            "published, no line": [1781], "quarantined: MISSING_QUOTE": [12], "quarantined: LINE_NOT_QUOTED": [1],
        }
    )  # fmt: skip
    out = output(80)
    _print_gate(out, account)
    lines = out.console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].split() == ["2026-01-09", "1281", "570", "1781", "12", "1"]


@pytest.mark.parametrize(
    ("title", "said"), [("0 batches", "0 batches"), ("Gate", "Gate: no rows"), ("10 of them", "10 of them: no rows")]
)
def test_that_there_are_no_rows_is_printed_once(title, said):
    out = output(80)
    out.rows(pd.DataFrame(), title)
    assert out.console.file.getvalue() == f"{said}\n"


def test_what_failed_half_way_prints_no_rows(capsys):
    out = Output("json")
    out.rows(pd.DataFrame({"a": [1]}), "t")
    out.__exit__(RuntimeError, RuntimeError(), None)
    assert capsys.readouterr().out == ""
