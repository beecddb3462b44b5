"""Tables that fit, the same rows as JSON and CSV, and records where nothing fits."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nba_props.cli.look import columns_of
from nba_props.cli.printing import Column, Output, as_table, fits, fitted
from nba_props_tests.test_board import of, row


def shown(columns: list[Column], width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    kept, gap = fitted(columns, width)
    console.print(as_table(kept, "title", gap))
    return console.file.getvalue()


def board_columns(name: str = "Shai Gilgeous-Alexander", *, systems: bool = False) -> list[Column]:
    picks = of(
        row("ensemble_v1_1", 29.25, line=31.5, side="UNDER", player_name=name),
        row("catboost_v8", 30.0, line=31.5, over_probability=0.41),
        row("moving_average", 33.0, line=31.5),
        row("ensemble_v1_1", None, player=2),
    ).reset_index()
    return columns_of(picks, systems=systems)


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("name", ["Shai Gilgeous-Alexander", "Nickeil Alexander-Walker of the Longest Name There Is"])
def test_a_board_shows_every_number_whole(width, name):
    text = shown(board_columns(name), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    for number in ("31.5", "-102", "MGM", "29.2", "-2.2", "59%", "50%", "2/3"):
        assert number in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text or name.startswith("Nickeil"), "only a name is ever cut"


def test_more_room_shows_more():
    seen = {width: shown(board_columns(), width) for width in (80, 100, 120, 200)}
    assert "tip-off" not in seen[80]
    assert "19:00 ET" in seen[100]
    assert "opened" in seen[120]
    assert "catboost" in seen[200]
    assert "catboost" in shown(board_columns(systems=True), 120), "they are asked for"


_CELLS = st.lists(st.text("abcdefgh ", max_size=40), min_size=2, max_size=2)


@given(st.lists(st.tuples(_CELLS, st.integers(0, 3)), min_size=1, max_size=8), st.integers(20, 200))
def test_what_must_stay_stays_and_what_fits_is_shown(drawn, width):
    columns = [Column(f"c{n}", cells, spare=spare if n else 0) for n, (cells, spare) in enumerate(drawn)]
    kept, gap = fitted(columns, width)
    assert [c for c in columns if not c.spare] == [c for c in kept if not c.spare]
    assert not fits(columns, width, 2) or kept == columns
    dropped = [c.spare for c in columns if c not in kept]
    assert not dropped or min(dropped) > max((c.spare for c in kept), default=0)
    if fits(kept, width, gap):
        console = Console(file=io.StringIO(), width=width)
        console.print(as_table(kept, "", gap))
        lines = console.file.getvalue().splitlines()
        for column in kept:
            assert all(any(cell in line for line in lines) for cell in column.cells)


def test_rows_wider_than_the_terminal_are_printed_value_by_value(monkeypatch):
    out = Output()
    monkeypatch.setattr(out, "console", Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None))
    frame = pd.DataFrame({f"a_long_name_{n}": [n * 1_000_000.5] for n in range(8)})
    out.rows(frame, "1 row")
    text = out.console.file.getvalue()
    assert "- row 1 -" in text
    assert "a_long_name_7  7000003.5" in text


def test_an_id_and_a_number_are_never_cut(monkeypatch):
    out = Output()
    monkeypatch.setattr(out, "console", Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None))
    frame = pd.DataFrame({"run_id": ["3ea645ad-c021-4b76-b904-e7cfd03e73dd"], "n": [1234.5678], "text": ["x" * 300]})
    out.rows(frame, "1 row")
    text = out.console.file.getvalue()
    assert "3ea645ad-c021-4b76-b904-e7cfd03e73dd" in text
    assert "1234.5678" in text


@pytest.mark.parametrize("tables", [0, 1, 2])
def test_json_is_one_document_whatever_is_printed(tables, capsys):
    with Output("json") as out:
        out.say("words")
        for n in range(tables):
            out.rows(pd.DataFrame({"day": pd.to_datetime(["2026-01-09"]), "n": [n], "none": [None]}), "t", f"t{n}")
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    one = [{"day": "2026-01-09T00:00:00", "n": 0, "none": None}]
    assert read == ([], one, {"t0": one, "t1": [{**one[0], "n": 1}]})[tables]
    assert "words" in printed.err


def test_csv_of_two_tables_has_a_blank_line_between(capsys):
    with Output("csv") as out:
        out.rows(pd.DataFrame({"a": [1]}), "t", "t1")
        out.rows(pd.DataFrame({"b": [2]}), "t", "t2")
    assert capsys.readouterr().out == "a\n1\n\nb\n2\n"


def test_what_failed_half_way_prints_no_rows(capsys):
    out = Output("json")
    out.rows(pd.DataFrame({"a": [1]}), "t")
    out.__exit__(RuntimeError, RuntimeError(), None)
    assert capsys.readouterr().out == ""
