"""What a person types and sees."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from rich.console import Console

from nba_props.automation.planning import plan
from nba_props.automation.runner import Outcome
from nba_props.catalog import TABLES, VIEWS
from nba_props.cli import demo, printing
from nba_props.cli.group import main
from nba_props.cli.printing import Column, Output
from nba_props.cli.session import print_findings, session
from nba_props.deployment import load_settings
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import SYSTEMS
from nba_props.presentation.players import people
from nba_props.schemas.base import ContractError
from nba_props.schemas.raw import SCHEDULE
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import CorruptModel
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.automation.test_stopping import environment
from nba_props_tests.conftest import DAY, open_platform
from nba_props_tests.copies import copied
from nba_props_tests.warehouse.samples import take_out


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NBA_PROPS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    return tmp_path


def invoke(*arguments: str):
    result = CliRunner().invoke(main, list(arguments))
    if os.environ.get("DAGSTER_HOME", "").startswith("/tmp"):  # noqa: S108
        del os.environ["DAGSTER_HOME"]
    return result


def test_run_prints_the_board_the_gate_and_where_to_look(home, landed_history):
    copied(landed_history, home)
    last = DAY + timedelta(2)
    result = invoke("run", f"{DAY}..{last}", "--rows", "3")
    assert result.exit_code == 0, result.output
    assert f"Slate of {last}: 24 players with a line" in result.output
    assert any(f"{t.code} @" in result.output or f"@ {t.code}" in result.output for t in league.TEAMS)
    assert " DK " in result.output, "its best price has a book"
    assert "published with line" in result.output
    assert "checks passed, 0 failed" in result.output
    assert str(home / "home" / "lake") in result.output
    assert (home / "home" / "dagster" / "dagster.yaml").exists()
    assert "21 more" in result.output
    assert "1 run in" in result.output, "history is not ingested twice"
    gate = result.output[result.output.index("Gate") :]
    days = {g.day for g in league.games() if DAY <= g.day <= last}
    assert len(days) > 1
    assert all(str(day) in gate for day in days), "a span reports each date"

    before = runs(home)
    again = invoke("run", f"{DAY}..{last}", "--rows", "3")
    assert again.exit_code == 0, again.output
    assert f"{DAY}..{last} is up to date" in again.output
    assert f"Slate of {last}: 24 players with a line" in again.output
    assert runs(home) == before, "what is fresh is kept"
    looked = json.loads(invoke("board", str(DAY), "--format", "json").output)
    assert len(looked) == 24
    assert {"player_name", "line", "price", "book", "edge", "chance", "agree"} <= set(looked[0])

    table = "nba_predictions.ledger"
    counted = invoke("sql", f"select count(*) as n from {table}", "--format", "json")
    rows = 2 * 36 * len(SYSTEMS)
    assert json.loads(counted.output) == [{"n": rows}]
    csv = invoke(
        "sql",
        f"select game_date, line from nba_analytics.betting_lines where game_date = '{DAY}' order by line limit 1",
        "--format",
        "csv",
    )
    assert csv.output == f"game_date,line\n{DAY},7.5\n"
    assert str(rows) in invoke("sql", f"select count(*) as n from {table}").output


def runs(home: Path) -> list[str]:
    return sorted(p.name for p in (home / "home" / "dagster" / "history" / "runs").glob("*-*.db"))


@pytest.fixture
def invented(home, rung) -> Path:
    """A home whose lake says that its league is an invented one; a date of it is published and graded."""
    copied(rung("predicted"), home)
    (home / "home" / "lake" / "SOURCE").write_text("SIMULATED")
    return home


def someone(home: Path) -> str:
    rows = LakeWarehouse(home / "home" / "lake").query(
        "SELECT MIN(player_name) AS name FROM nba_predictions.ledger WHERE game_date = @day AND line IS NOT NULL",
        day=DAY,
    )
    return rows["name"][0]


@pytest.mark.parametrize("command", ["board", "player", "history", "validate", "report", "sql", "batches"])
def test_every_look_at_an_invented_league_says_that_it_is_one(invented, command):
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


def test_a_second_demo_and_whatever_runs_a_job_say_that_the_league_is_invented(invented):
    for simulated in (True, False):
        with Output() as out, out.console.capture() as said:
            demo._run(out, load_settings(), [DAY], 3, force=False)
        assert said.get().startswith("SIMULATED LEAGUE") is simulated
        assert "published already" in said.get()
        with Output() as out, out.console.capture() as said:
            session(out)
        assert said.get().startswith("SIMULATED LEAGUE") is simulated
        (invented / "home" / "lake" / "SOURCE").write_text("REAL")


def test_an_empty_lake_is_of_what_is_landed(home):
    league.land(LandingZone(str(home / "landing")))
    (home / "landing" / "landing.json").write_text(json.dumps({"data_source": "SIMULATED"}))
    with Output() as out, out.console.capture() as said:
        session(out)
    assert said.get().startswith("SIMULATED LEAGUE")


def test_a_graded_date_shows_what_came_of_it(invented):
    shown = invoke("board", str(DAY)).output.splitlines()
    record = re.compile(r"\d+ picks?: \d+-\d+.*; [+-]\d+\.\d units at the quoted prices")
    assert [n for n, line in enumerate(shown) if record.fullmatch(line)] == [2], shown
    rows = json.loads(invoke("board", str(DAY), "--format", "json").stdout)
    assert {r["outcome"] for r in rows if r["side"] in ("OVER", "UNDER")} <= {"WIN", "LOSS", "PUSH", "VOID"}
    assert all(type(r["points"]) is int for r in rows if r["outcome"] in ("WIN", "LOSS"))
    assert {r["game_date"] for r in rows} == {str(DAY)}


def test_validate_says_what_failed_first_and_what_passed_when_asked(invented):
    short, long = invoke("validate", str(DAY)), invoke("validate", str(DAY), "--all")
    assert short.exit_code == long.exit_code == 0, short.output
    checks = json.loads(invoke("validate", str(DAY), "--format", "json").stdout)
    passed = sum(c["verdict"] == "passes" for c in checks)
    order = [c["verdict"] for c in checks]
    assert order == sorted(order, key=["fails", "warns", "passes"].index)
    assert [line.split()[0] for line in short.output.splitlines()[1:-1]] == ["warns"] * (len(checks) - passed)
    assert short.output.splitlines()[-1].startswith(f"{passed} of {len(checks)} checks pass for {DAY}; ")
    assert [line.split()[0] for line in long.output.splitlines()[1:-1]] == order


def test_history_names_what_a_repair_is_told(invented):
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


def test_a_sentence_of_an_error_is_broken_between_words(home):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nba_props", "run", "someday"], stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, "COLUMNS": "60"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    with suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    assert process.wait(60) == 2
    lines = shown.decode().splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()).endswith(
        "Error: Invalid value for 'SPAN': 'someday' is neither a date such as 2025-11-05 or today nor a span such as "
        "2025-11-01..2025-11-15: 'someday' is not a date such as 2025-11-05"
    )


def test_a_bar_moves_in_a_terminal_and_names_the_step(rung, tmp_path):
    copied(rung("predicted"), tmp_path / "platform")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nba_props", "grade", str(DAY)], stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, **environment(tmp_path / "platform"), "COLUMNS": "120"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    with suppress(OSError):  # what reading gives once the program has ended
        while piece := os.read(master, 65536):
            shown += piece
    assert process.wait(60) == 0, shown.decode()
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", shown.decode())
    seen = re.findall(rf"grade {DAY}  (\w+) .*? (\d+)/(\d+)", text)
    total = int(seen[-1][2])
    assert len({done for _, done, _ in seen}) > total // 2, "the number moves"
    assert len({step for step, _, _ in seen}) > total // 2, "beside the step's name"
    assert f"{total}/{total}" in text
    # what is on a valid line stands apart from what is not
    assert re.search(r"outcome +on_a_line +without_a_line", text)
    grades = re.findall(r"^(WIN|LOSS|PUSH|NO_BET|VOID|PENDING) +(\d+) +(\d+)", text, re.M)
    assert [outcome for outcome, *_ in grades][:2] == ["WIN", "LOSS"]
    assert all(apart == "0" for outcome, _, apart in grades if outcome in ("WIN", "LOSS", "PUSH"))
    assert f"\nGrades of the current predictions, {DAY}" in text.replace("\r", "")


def test_without_a_landing_zone_it_ends_with_one_sentence(home):
    result = invoke("run", str(DAY))
    assert result.exit_code == 1
    assert result.output.startswith("Error: there is no landing zone at")
    assert "NBA_PROPS_LANDING" in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.long
def test_a_failed_run_says_why_and_exits_with_one(home):
    (home / "landing").mkdir()
    zone = LandingZone(str(home / "landing"))
    league.land(zone)
    hole = league.FIRST + timedelta(2)
    (zone._path / league.log_path(hole)).unlink()
    result = invoke("run", str(hole + timedelta(4)))
    assert result.exit_code == 1
    assert "history_complete" in result.output
    assert str(hole) in result.output
    assert "next" not in result.output, "the next date would fail of the same"


def test_what_published_nothing_is_not_to_be_undone(home, rung):
    copied(rung("predicted"), home)
    table = "nba_predictions.ledger"
    lake = LakeWarehouse(home / "home" / "lake")
    again = invoke("backfill", str(DAY), "--select", "moving_average", "--force")
    assert again.exit_code == 0, again.output
    assert "0 new rows" in again.output
    assert "rollback" not in again.output
    ids = lake.query(f"SELECT prediction_id AS id FROM {table} WHERE system_id = 'moving_average' LIMIT 7")["id"]
    assert take_out(lake, list(ids), DAY) == 7
    mended = invoke("backfill", str(DAY), "--select", "moving_average", "--force")
    run_id = lake.query(f"SELECT run_id FROM {table} ORDER BY created_at DESC LIMIT 1")["run_id"][0]
    assert f"run       {run_id}; 7 new rows; undo with `nba-props rollback {run_id}`" in mended.output


IDLE = DAY + timedelta(1)


def test_a_date_without_games_says_so_and_trains_nothing(home):
    league.land(LandingZone(str(home / "landing")))
    result = invoke("run", str(IDLE))
    assert result.exit_code == 0, result.output
    assert f"no game is scheduled on {IDLE}: nothing to predict" in result.output
    assert not (home / "home" / "models").exists()
    assert LakeWarehouse(home / "home" / "lake").partitions(SCHEDULE) == [IDLE]


def test_a_day_off_by_a_schedule_that_lost_its_games_is_none(home):
    """The newest schedule lacks the games of a date: what was played, taken in or landed says otherwise."""
    zone = LandingZone(str(home / "landing"))
    zone.land(
        f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz",
        league.schedule([g for g in league.games() if g.day != DAY], DAY + timedelta(1)),
    )
    games = [g for g in league.games() if g.day == DAY]
    league.land_log(zone, DAY, [row for g in games for row in league.log_rows(g)])
    result = invoke("run", str(DAY))
    assert result.exit_code == 1, result.output
    assert f"no game is scheduled on {DAY}" in result.output
    assert (
        f"ERROR nba_raw.schedule {len(games)} games have box scores and stand in no schedule of {DAY}" in result.output
    )


def test_a_day_off_whose_taking_in_is_refused_has_failed(home):
    """The schedule and the game log that are stored have rows; those that are landed now have none."""
    zone = LandingZone(str(home / "landing"))
    league.land(zone)
    with dg.DagsterInstance.ephemeral() as instance:
        open_platform(home, instance).materialize(DAY, DAY, job="ingest_history")
    (zone._path / league.log_path(DAY)).unlink()
    zone.land(
        f"nba_stats/scheduleleaguev2/{league.SEASON}-20251231T080000Z.json.gz",
        league.schedule([g for g in league.games() if g.day != DAY], DAY + timedelta(1)),
    )
    result = invoke("run", str(DAY))
    assert result.exit_code == 1, result.output
    assert f"no game is scheduled on {DAY}" in result.output
    assert "failed box_scores" in result.output
    assert f"nba_raw.box_scores partition {DAY} would go from" in result.output


def test_a_model_that_cannot_be_read_is_trained_again(platform):
    """A card that is no JSON, of a week whose newest training was refused for another reason."""
    store, week = platform.models, week_of(DAY)
    store.refuse("catboost_v8", week, "WORSE_THAN_LAST_10: MAE 6", platform.inputs.trained_from("catboost_v8", week))
    assert "train" not in [job for job, *_ in plan(platform.definitions, platform.inputs, [DAY])]
    (platform.settings.home / "models" / "catboost_v8" / str(week) / "card.json").write_text("{")
    assert ("train", week, week) in list(plan(platform.definitions, platform.inputs, [DAY]))


@pytest.mark.parametrize("error", [CorruptModel("the card can't be read"), ContractError("a column is missing")])
def test_what_a_user_can_mend_is_a_sentence(home, monkeypatch, error):
    def broken(*_: object, **__: object) -> None:
        raise error

    (home / "landing").mkdir()
    monkeypatch.setattr("nba_props.cli.daily.predict", broken)
    result = invoke("run", str(DAY))
    assert (result.exit_code, result.output) == (1, f"Error: {error}\n")


@pytest.mark.long
def test_a_backfill_takes_in_what_was_landed_of_earlier_dates_first(home, rung):
    """A corrected box score of five days ago, with an old file time: the models and averages of the date are of it."""
    copied(rung("predicted"), home)
    assert "nothing is missing or stale" in invoke("backfill", str(DAY)).output
    early = max(g.day for g in league.games() if g.day < DAY - timedelta(4))
    rows = [row for g in league.games() if g.day == early for row in league.log_rows(g)]
    points = sum(r["PTS"] for r in rows)
    rows[0]["PTS"] += 1
    rows[0]["FTM"] += 1
    zone = LandingZone(str(home / "landing"))
    league.land_log(zone, early, rows, "-20251231T080000Z")
    os.utime(zone._path / league.log_path(early, "-20251231T080000Z"), (1, 1))
    looked = invoke("backfill", str(DAY), "--dry-run")
    first = f"earlier   new payloads of earlier dates: ingest_history of {early} and the steps after it run first"
    assert first in looked.output
    done = invoke("backfill", str(DAY))
    assert done.exit_code in (0, 1)  # the team's points no longer add up
    assert "1 of 1 dates are missing or stale" in done.output
    lake = LakeWarehouse(home / "home" / "lake")
    stored = lake.query("SELECT SUM(points) AS n FROM nba_raw.box_scores WHERE game_date = @day", day=early)
    assert stored["n"][0] == points + 1
    assert "nothing is missing or stale" in invoke("backfill", str(DAY)).output


@pytest.mark.parametrize("command", ["grade", "reline"])
def test_what_was_never_published_is_said_with_the_way_there(home, command):
    league.land(LandingZone(str(home / "landing")))
    result = invoke(command, str(DAY))
    assert result.exit_code == 0
    assert f"nothing is published for {DAY}" in result.output
    assert f"`nba-props run {DAY}` predicts it" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", str(DAY), "--out", "/"], "is a directory"),
        (["simulate", "--seasons", "0", "--out", "x"], "0 is not in the range"),
        (["simulate", "--seasons", "400", "--out", "x"], "400 is not in the range"),
        (["fetch", "odds", str(DAY), "--before", "x", "--dry-run"], "'x' is not a list of minutes"),
        (["run", f"{DAY}.."], "is neither a date"),
        (["run", str(DAY), "--rows", "-5"], "-5 is not in the range"),
        (["quarantine", "run", str(DAY)], "the predicate run needs --run"),
        (["quarantine", "system", str(DAY)], "the predicate system needs --system"),
    ],
)
def test_a_wrong_argument_is_a_sentence(home, arguments, said):
    (home / "landing").mkdir()
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("landing.json", b'{"first_date": "soon"}', "is not a manifest of a landing zone"),
        ("landing.json", b"{", "is not a manifest of a landing zone"),
        ("landing.json", b"[]", "is not a manifest of a landing zone"),
        ("player_aliases.csv", "alias,player_name\nDon\u010di\u0107,Luka\n".encode("utf-16"), "is not in UTF-8"),
        ("player_aliases.csv", b"alias\nx\n", "needs the columns alias and player_name"),
    ],
)
def test_a_damaged_file_of_the_zone_is_a_sentence(home, name, content, said):
    league.land(LandingZone(str(home / "landing")))
    (home / "landing" / name).write_bytes(content)
    result = invoke("backfill", str(DAY), "--dry-run")
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize("span", ["someday", "2025-11-05..2025-11-01", "2025-13-01"])
def test_a_bad_date_is_refused(home, span):
    result = invoke("run", span)
    assert result.exit_code == 2
    assert span.split("..")[0] in result.output


def test_a_date_before_the_first_partition_is_refused(home):
    (home / "landing").mkdir()
    result = invoke("run", "2025-10-01")
    assert result.exit_code == 1
    assert "NBA_PROPS_FIRST_DATE" in result.output


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
def test_sql_prints_whatever_a_statement_gives(home, query, form, said):
    (home / "home").mkdir()
    result = invoke("sql", query, "--format", form)
    assert result.exit_code == 0, result.output
    assert said in result.output
    assert form != "json" or isinstance(json.loads(result.output), list)


def test_what_is_printed_moves_no_cursor(home):
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


def test_a_mistyped_name_leads_to_the_right_one_and_a_shared_one_to_all_who_have_it(invented):
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


def test_a_report_of_nothing_names_the_command_that_comes_first(invented):
    ahead = DAY + timedelta(1)
    assert f"nothing is published for {ahead}: nba-props run {ahead} does that" in invoke("report", str(ahead)).output


def test_the_command_starts_without_dagster():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, nba_props.cli.group, nba_props.cli; print('dagster' in sys.modules, 'pandas' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[0] == "False"


def test_the_plan_asks_for_what_is_missing_and_nothing_else(make_platform):
    platform = make_platform()
    before, week = DAY - timedelta(1), week_of(DAY)
    steps = list(plan(platform.definitions, platform.inputs, [DAY]))
    assert steps == [
        ("ingest_history", league.FIRST, before),
        ("ingest_lines", league.FIRST + timedelta(10), before - timedelta(1)),
        ("train", week, week),
        ("predict", DAY, DAY),
    ]
    first = list(plan(platform.definitions, platform.inputs, [league.FIRST]))
    assert first == [("train", week_of(league.FIRST), week_of(league.FIRST)), ("predict", league.FIRST, league.FIRST)]
    idle = DAY + timedelta(1)
    assert list(plan(platform.definitions, platform.inputs, [idle])) == [("predict", idle, idle)]


def test_a_plan_asks_for_nothing_twice_and_sees_payloads_with_an_old_file_time(platform):
    steps = [s for s in plan(platform.definitions, platform.inputs, [DAY]) if s[0] != "predict"]
    for step in steps:
        assert platform.run(*step).success
    assert [s[0] for s in plan(platform.definitions, platform.inputs, [DAY])] == ["predict"]
    game = next(g for g in league.games() if g.day == DAY - timedelta(4))
    path, content = league.capture(game, 5, shift=1.0)
    platform.zone.land(path, content)
    os.utime(Path(platform.zone.root) / path, (1, 1))
    asked = plan(platform.definitions, platform.inputs, [DAY])
    assert (step := next(asked))[:2] == ("ingest_lines", game.day)
    assert platform.run(*step).success
    week = week_of(DAY)
    assert list(asked) == [("train", week, week), ("predict", DAY, DAY)], "its models learned from another line"


def test_brackets_in_what_is_said_are_no_markup(home, monkeypatch):
    """A reason, an interval or a player's name may hold any: it is shown, and crashes nothing."""
    outcome = Outcome(
        "run", False, errors=["box_scores: [/i] [too few] [red]"], failed_checks=[("a", "b", "WARN", "[x]")]
    )
    out = Output()
    with out.console.capture() as said:
        assert not print_findings(out, [outcome])
    assert said.get() == "failed box_scores: [/i] [too few] [red]\nWARN a b: [x]\n"
