"""Commands that run jobs, and errors as one sentence."""

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

from nba_props.automation import planning
from nba_props.automation.planning import plan
from nba_props.automation.runner import Outcome
from nba_props.cli import demo
from nba_props.cli.printing import Output
from nba_props.cli.session import print_findings, session
from nba_props.deployment import load_settings
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import SYSTEMS, catboost_v8
from nba_props.schemas.base import ContractError
from nba_props.schemas.raw import SCHEDULE
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import CorruptModel
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.automation.test_stopping import environment
from nba_props_tests.cli.conftest import invoke, runs
from nba_props_tests.conftest import DAY, open_platform
from nba_props_tests.copies import copied
from nba_props_tests.warehouse.samples import take_out


def test_run_prints_the_board_the_gate_and_where_to_look(home, landed_history, monkeypatch):
    monkeypatch.setattr(planning, "RUN_DATES", 2)
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
    assert "2 runs in" in result.output, "two of its dates together, then the third; history is not ingested twice"
    assert result.output.count("undo with `nba-props rollback") == 2
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


def test_a_second_demo_and_every_command_that_runs_a_job_say_that_the_league_is_simulated(invented):
    for simulated in (True, False):
        with Output() as out, out.console.capture() as said:
            demo._run(out, load_settings(), [DAY], 3, force=False)
        assert said.get().startswith("SIMULATED LEAGUE") is simulated
        assert "published already" in said.get()
        with Output() as out, out.console.capture() as said:
            session(out)
        assert said.get().startswith("SIMULATED LEAGUE") is simulated
        (invented / "home" / "lake" / "SOURCE").write_text("REAL")


def test_an_empty_lake_has_the_source_of_its_landing_zone(home):
    league.land(LandingZone(str(home / "landing")))
    (home / "landing" / "landing.json").write_text(json.dumps({"data_source": "SIMULATED"}))
    with Output() as out, out.console.capture() as said:
        session(out)
    assert said.get().startswith("SIMULATED LEAGUE")


def test_an_error_message_is_wrapped_between_words(home):
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


@pytest.mark.long
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
def test_a_failed_run_prints_the_reason_and_exits_with_one(home):
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


@pytest.mark.long
def test_a_run_that_published_nothing_shows_no_way_to_undo_it(home, rung):
    copied(rung("predicted"), home)
    table = "nba_predictions.ledger"
    lake = LakeWarehouse(home / "home" / "lake")
    again = invoke("backfill", str(DAY), "--select", "moving_average", "--force")
    assert again.exit_code == 0, again.output
    assert "0 new rows" in again.output
    assert "rollback" not in again.output
    ids = lake.query(f"SELECT prediction_id AS id FROM {table} WHERE system_id = 'moving_average' LIMIT 7")["id"]
    assert take_out(lake, list(ids), DAY) == 7
    repaired = invoke("backfill", str(DAY), "--select", "moving_average", "--force")
    run_id = lake.query(f"SELECT run_id FROM {table} ORDER BY created_at DESC LIMIT 1")["run_id"][0]
    assert f"run       {run_id}; 7 new rows; undo with `nba-props rollback {run_id}`" in repaired.output


IDLE = DAY + timedelta(1)


def test_a_date_without_games_is_reported_and_trains_nothing(home):
    league.land(LandingZone(str(home / "landing")))
    result = invoke("run", str(IDLE))
    assert result.exit_code == 0, result.output
    assert f"no game is scheduled on {IDLE}: nothing to predict" in result.output
    assert not (home / "home" / "models").exists()
    assert LakeWarehouse(home / "home" / "lake").partitions(SCHEDULE) == [IDLE]


def test_a_schedule_that_lost_its_games_makes_no_day_off(home):
    """The newest schedule lacks the games of a date: what was played, loaded or landed contradicts it."""
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
        f"ERROR nba_raw.schedule {len(games)} games have box scores and are not in the schedule of {DAY}"
        in result.output
    )


def test_a_day_off_that_is_refused_when_loading_has_failed(home):
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
    """A card that is not JSON, of a week whose newest training was refused for another reason."""
    store, week = platform.models, week_of(DAY)
    store.refuse(
        "catboost_v8",
        week,
        "WORSE_THAN_LAST_10: MAE 6",
        platform.inputs.trained_from(catboost_v8.SYSTEM.recipes[0], week),
    )
    assert "train" not in [job for job, *_ in plan(platform.definitions, platform.inputs, [DAY])]
    (platform.settings.home / "models" / "catboost_v8" / str(week) / "card.json").write_text("{")
    assert ("train", week, week) in list(plan(platform.definitions, platform.inputs, [DAY]))


@pytest.mark.parametrize("error", [CorruptModel("the card can't be read"), ContractError("a column is missing")])
def test_an_error_that_a_user_can_fix_is_a_sentence(home, monkeypatch, error):
    def broken(*_: object, **__: object) -> None:
        raise error

    (home / "landing").mkdir()
    monkeypatch.setattr("nba_props.cli.daily.predict", broken)
    result = invoke("run", str(DAY))
    assert (result.exit_code, result.output) == (1, f"Error: {error}\n")


@pytest.mark.long
def test_a_backfill_loads_what_was_landed_for_earlier_dates_first(home, rung):
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
def test_a_date_that_was_never_published_is_reported_with_the_command_to_run(home, command):
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


def test_the_command_starts_without_dagster():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, nba_props.cli.group, nba_props.cli; print('dagster' in sys.modules, 'pandas' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[0] == "False"


def test_the_plan_contains_what_is_missing_and_nothing_else(make_platform):
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


def test_a_plan_has_no_duplicates_and_includes_payloads_with_an_old_file_time(platform):
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


def test_brackets_in_messages_are_not_markup(home, monkeypatch):
    """A reason, an interval or a player's name may hold any: it is shown, and crashes nothing."""
    outcome = Outcome(
        "run", False, errors=["box_scores: [/i] [too few] [red]"], failed_checks=[("a", "b", "WARN", "[x]")]
    )
    out = Output()
    with out.console.capture() as said:
        assert not print_findings(out, [outcome])
    assert said.get() == "failed box_scores: [/i] [too few] [red]\nWARN a b: [x]\n"
