"""Commands that show what is stored: what they print, for people and for machines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from nba_props.catalog import TABLES, VIEWS
from nba_props.cli import printing
from nba_props.cli.printing import Column
from nba_props.domain import digests
from nba_props.presentation.players import people
from nba_props.schemas.predictions import LEDGER
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.cli.conftest import invoke
from nba_props_tests.conftest import DAY


def someone(home: Path) -> str:
    rows = LakeWarehouse(home / "home" / "lake").query(
        "SELECT MIN(player_name) AS name FROM nba_predictions.ledger WHERE game_date = @day AND line IS NOT NULL",
        day=DAY,
    )
    return rows["name"][0]


@pytest.mark.parametrize("command", ["board", "player", "history", "validate", "report", "sql", "batches"])
def test_every_command_on_a_simulated_league_says_that_it_is_simulated(invented, command):
    more = {
        "board": [str(DAY)], "player": [someone(invented)], "history": [someone(invented), str(DAY)],
        "validate": [str(DAY)], "report": [str(DAY)], "sql": ["select 1 as a"],
    }.get(command, [])  # fmt: skip
    read = invoke(command, *more)
    assert read.stdout.startswith("SIMULATED LEAGUE"), read.output
    assert read.output.count("SIMULATED LEAGUE") == 1
    machine = invoke(command, *more, "--format", "json")
    assert machine.stderr.startswith("SIMULATED LEAGUE")
    assert isinstance(json.loads(machine.stdout), list)
    (invented / "home" / "lake" / "SOURCE").write_text("REAL")
    assert "SIMULATED" not in invoke(command, *more).output


def test_a_graded_date_shows_its_results(invented):
    shown = invoke("board", str(DAY)).output.splitlines()
    record = re.compile(r"\d+ picks?: \d+-\d+.*; [+-]\d+\.\d units at the quoted prices")
    assert [n for n, line in enumerate(shown) if record.fullmatch(line)] == [2], shown
    rows = json.loads(invoke("board", str(DAY), "--format", "json").stdout)
    assert {r["outcome"] for r in rows if r["side"] in ("OVER", "UNDER")} <= {"WIN", "LOSS", "PUSH", "VOID"}
    assert all(type(r["result"]) is int for r in rows if r["outcome"] in ("WIN", "LOSS"))
    assert {r["game_date"] for r in rows} == {str(DAY)}


def test_validate_prints_failures_first_and_what_passed_on_request(invented):
    short, long = invoke("validate", str(DAY)), invoke("validate", str(DAY), "--all")
    assert short.exit_code == long.exit_code == 0, short.output
    checks = json.loads(invoke("validate", str(DAY), "--format", "json").stdout)
    passed = sum(c["verdict"] == "passes" for c in checks)
    order = [c["verdict"] for c in checks]
    assert order == sorted(order, key=["fails", "warns", "passes"].index)
    assert [line.split()[0] for line in short.output.splitlines()[1:-1]] == ["warns"] * (len(checks) - passed)
    assert short.output.splitlines()[-1].startswith(f"{passed} of {len(checks)} checks pass for {DAY}; ")
    assert [line.split()[0] for line in long.output.splitlines()[1:-1]] == order


def test_history_shows_the_ids_that_a_repair_needs(invented):
    name = someone(invented)
    rows = json.loads(invoke("history", name, str(DAY), "--format", "json").stdout)
    shown = invoke("history", name, str(DAY)).output
    assert all(f"run       {r['run_id']} published" in shown for r in rows)
    assert all(r["system_id"] in shown for r in rows)


def test_tables_are_listed_with_their_whole_names_in_a_narrow_terminal(home, monkeypatch):
    (home / "home").mkdir()
    monkeypatch.setattr(printing, "terminal", lambda **_: Console(file=sys.stdout, width=80, force_terminal=True))
    shown = invoke("sql", "show tables").output
    assert all(address in shown for address in (*TABLES, *VIEWS))


def test_a_whole_number_stays_one_beside_a_null(home):
    (home / "home").mkdir()
    query = "select 1::{} as n union all select null order by n"
    for kind in ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint"):
        found = invoke("sql", query.format(kind), "--format", "json").stdout
        assert json.loads(found) == [{"n": 1}, {"n": None}], kind
        assert ".0" not in found, kind


def test_versions_of_a_date_are_listed_and_sql_reads_each(invented):
    lake = LakeWarehouse(invented / "home" / "lake")
    count = f"select count(*) as n from nba_predictions.ledger where game_date = '{DAY}'"
    known = json.loads(invoke("versions", str(DAY), "--format", "json").stdout)
    (before,) = json.loads(invoke("sql", count, "--format", "json").stdout)
    assert before["n"] > 0
    rows = lake.read(LEDGER, [DAY])
    with lake.publication("a-run", "quarantine", "0.1+gabc"):
        lake.remove(LEDGER, list(digests.row_ids(LEDGER, rows))[:5], DAY)
    assert json.loads(invoke("versions", str(DAY), "--format", "json").stdout) == known, "the run failed"
    with lake.publication("a-run", "quarantine", "0.1+gabc") as publication:
        lake.remove(LEDGER, list(digests.row_ids(LEDGER, rows))[5:10], DAY)
        publication.publish()
    listed = invoke("versions", str(DAY)).output
    assert re.search(rf"{len(known) + 1} versions? of {DAY}", listed)
    assert re.search(r"quarantine +a-run +0\.1\+gabc +\d+ +1: ledger\n", listed), listed
    *_, last = json.loads(invoke("versions", str(DAY), "--format", "json").stdout)
    assert last["changed"] == ["nba_predictions.ledger"]
    assert last["rows_by_table"]["nba_predictions.ledger"] == before["n"] - 10
    assert (len(last["rows_by_table"]), sum(last["rows_by_table"].values())) == (last["tables"], last["rows"])
    for row, n in ((known[-1], before["n"]), (last, before["n"] - 10)):
        asked = invoke("sql", count, "--as-of", row["instant"], "--format", "json")
        assert json.loads(asked.stdout) == [{"n": n}], asked.output


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_version_names_its_run_at_any_width(invented, monkeypatch, width):
    lake = LakeWarehouse(invented / "home" / "lake")
    with lake.publication("5d2b1c9e-7f60-4c1a-9a57-0e6b6f3d8a11", "quarantine", "0.1+gabc") as publication:
        lake.remove(LEDGER, list(digests.row_ids(LEDGER, lake.read(LEDGER, [DAY])))[:5], DAY)
        publication.publish()
    monkeypatch.setattr(printing, "terminal", lambda **_: Console(file=sys.stdout, width=width, force_terminal=True))
    listed = invoke("versions", str(DAY)).output
    assert "5d2b1c9e" in listed, listed
    assert "0.1+gabc" in listed or width < 120, listed


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["sql", "select 1 as a", "--as-of", "2026-01-09"],
            2,
            "'2026-01-09' is not an instant such as 2026-01-09T17:00Z",
        ),
        (["sql", "select 1 as a", "--as-of", "2026-01-09T17:00"], 2, "has no time zone"),
        (["sql", "select 1 as a", "--as-of", "2098-01-09T17:00Z"], 1, "2098-01-09T17:00:00+00:00 is in the future"),
        (["versions", "2026-01-09"], 1, "no version of 2026-01-09 is kept: nba-props run 2026-01-09 makes one"),
    ],
)
def test_a_wrong_instant_and_a_date_without_versions_are_one_sentence(home, arguments, status, said):
    (home / "home").mkdir()
    result = invoke(*arguments)
    assert result.exit_code == status
    assert said in " ".join(result.output.split())


def test_sql_refuses_to_write(home):
    (home / "home").mkdir()
    result = invoke("sql", "drop table x")
    assert result.exit_code == 1
    assert "Error:" in result.output


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1 a, 2 a", "2"),
        ("select [1, 2] as l, map {'k': 3} as m, {'f': null} as s", "2"),
        ("select list(range) as l, null as n from range(3)", "2"),
        ("select date '2026-01-09' d, timestamptz '2026-01-09 12:00:00+00' t", "2026-01-09"),
        ("show all tables", "nba_raw"),
    ],
)
def test_sql_prints_whatever_a_statement_returns(home, query, form, said):
    (home / "home").mkdir()
    result = invoke("sql", query, "--format", form)
    assert result.exit_code == 0, result.output
    assert said in result.output
    assert form != "json" or isinstance(json.loads(result.output), list)


def test_output_contains_no_control_characters(home):
    (home / "home").mkdir()
    assert "\x1b" not in invoke("sql", "select chr(27) || '[2J' as a").output
    column = Column("a", ("\x1b[2J", "b"), shorter=(("\x1b", "b"),))
    assert "\x1b" not in "".join((*column.cells, *column.shorter[0]))


def test_a_terminal_without_accents_shows_marks_in_their_place(home):
    (home / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "nba_props", "sql", "select 'Dončić' as a"], capture_output=True, check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert b"Don?i?" in done.stdout


def test_a_name_of_a_narrow_board_can_be_typed(invented):
    first, _, last = someone(invented).partition(" ")
    assert someone(invented) in invoke("player", f"{first[0]}. {last}").output
    assert "player PART-OF-A-NAME lists the matches" in invoke("player", "Q. Nobody").output


def test_a_mistyped_name_suggests_the_right_one_and_a_shared_one_lists_all_its_players(invented):
    name = someone(invented)
    first, _, last = name.partition(" ")
    assert name in invoke("player", f"{last} {first}").output
    wrong = invoke("player", f"{first[:-1]} {last[:1]}{last}")
    assert wrong.exit_code == 1
    assert f"did you mean {name}" in wrong.output
    known = people(LakeWarehouse(invented / "home" / "lake"), last.split()[-1])["player_name"]
    said = invoke("player", last.split()[-1]).output
    assert len(known) > 1
    assert all(other in said for other in known)
    log = invoke("player", name, "--games", "1").output
    assert re.search(r": the last 1 of \d+ games, forecasts of", log)


def test_as_many_rows_as_were_asked_for_whatever_the_form(invented):
    board = ["board", str(DAY), "--format", "json"]
    everybody = json.loads(invoke(*board).stdout)
    assert json.loads(invoke(*board, "--rows", "3").stdout) == everybody[:3]


def test_a_report_without_rows_names_the_command_to_run_first(invented):
    ahead = DAY + timedelta(1)
    assert f"nothing is published for {ahead}: nba-props run {ahead} does that" in invoke("report", str(ahead)).output
