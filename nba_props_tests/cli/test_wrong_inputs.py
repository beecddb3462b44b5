"""What is typed wrongly ends in one sentence and a status that is not 0: no traceback, no run, no empty page."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_props.cli import main, values
from nba_props.facts.calendar import parse_instant
from nba_props_tests import league
from nba_props_tests.conftest import DAY
from nba_props_tests.copies import copied

#: dates that no command takes, and what each says
NO_DATES = {
    "0001-01-01": "not in the years",
    "9999-12-31": "not in the years",
    "2025-02-30": "not a date of the calendar",
    "20251110": "2025-11-05",
    "the day after": "2025-11-05",
}
NO_SPANS = {**NO_DATES, "2025-11-11..2025-11-10": "ends before it begins", "..": "2025-11-05", "": "2025-11-05"}
SPANNED = {
    "run": [], "backfill": [], "train": [], "grade": [], "reline": [], "validate": [], "report": [], "board": [],
    "scrub": [], "quarantine": ["placeholder"],
}  # fmt: skip
FUTURE = "2099-01-01"
BEFORE = str(league.FIRST - timedelta(40))


def _cases() -> Iterator[tuple[list[str], int, str]]:
    for command, first in SPANNED.items():
        wrong = list(NO_SPANS.items())
        for text, said in wrong if command == "run" else wrong[len(command) % 2 :: 2]:
            yield [command, *first, text], 2, said
        yield [command, *first, FUTURE], 1, "2099-01-01"
        yield [command, *first, BEFORE], 1, BEFORE
    for text, said in NO_DATES.items():
        yield ["history", "Anybody", text], 2, said
    yield from (
        (["history", "Nobody At All", str(DAY)], 1, "nothing was ever published for Nobody At All"),
        (["history", "Anybody", FUTURE], 1, "nothing was ever published"),
        (["distribution", "Anybody", "--line", "nan"], 2, "nan is not a line, such as 22.5 or 8"),
        (["distribution", "Anybody", "--line", "25.3"], 2, "25.3 is not a line"),
        (["distribution", "Anybody", "--line", "150"], 2, "no line of points is above 84.5"),
        (["distribution", "Anybody", "--with", "points"], 2, "--with takes another market than points"),
        (
            ["distribution", "Anybody", FUTURE],
            1,
            "2099-01-01 has no distributions: nba-props run 2099-01-01 makes them",
        ),
        (["player", "Nobody At All"], 1, "no player is called Nobody At All"),
        (["player", ""], 1, "no player is called"),
        (["player", "\N{SNOWMAN}"], 1, "no player is called"),
        (["player", "x", "--games", "0"], 2, "0 is not in the range"),
        (["rollback", "x"], 1, "run x has no row in the ledger"),
        (["rollback", ""], 1, "has no row in the ledger"),
        (["restore", "x"], 1, "there is no batch x"),
        (["restore", "last"], 1, "the archive is empty"),
        (["quarantine", "placeholders", str(DAY)], 2, "did you mean placeholder?"),
        (["quarantine", "run", str(DAY)], 2, "needs --run"),
        (["quarantine", "placeholder", str(DAY), "--system", "catboost"], 2, "did you mean catboost_v8?"),
        (["backfill", str(DAY), "--select", "catboost"], 2, "did you mean catboost_v8?"),
        (["backfill", str(DAY), "--select", "x"], 2, "there is no asset x"),
        (["backfill", str(DAY), "--select", "qq"], 2, 'there is no asset qq; `nba-props sql "show tables"` lists them'),
        (["board", str(DAY), "--system", "ensemble_v1.1"], 2, "did you mean ensemble_v1_1?"),
        (["board", str(DAY), "--rows", "-1"], 2, "-1 is not in the range"),
        (["board", str(DAY), "--rows", "1e3"], 2, "not a whole number"),
        (["board", str(DAY), "--format", "xml"], 2, "xml"),
        (["board", str(DAY), str(DAY)], 2, "unexpected extra argument"),
        (["demo", "--incident", "frozenbook"], 2, "did you mean frozen_book?"),
        (["simulate", "--incident", "x", "--out", "y"], 2, "there is no incident x; `nba-props incidents` lists them"),
        (["simulate"], 2, "--out"),
        (["report", str(DAY), "--out", "nosuch/page.html"], 2, "there is no folder nosuch"),
        (["simulate", "--out", "gs://bucket/zone"], 2, "is an address, not a folder of this machine"),
        (["simulate", "--out", "zone", "--seasons", "51"], 2, "51 is not in the range"),
        (["report", str(DAY + timedelta(1))], 1, "nothing is published for"),
        (["report", str(DAY), "--out", "/"], 2, "is a directory"),
        (["fetch", "odds", str(DAY), "--before", "half an hour"], 2, "not a list of minutes"),
        (["fetch", "injury"], 2, "No such command"),
        (["prune", "--older-than", "3"], 2, "3 is not in the range"),
        (["sql", "select * from nba_predictions.currant_predictions"], 1, "currant_predictions"),
        (["sql", "select"], 1, "Error"),
        (["sql", ""], 1, "one SELECT"),
        (["sql", "drop table x"], 1, "one SELECT"),
        (["sql", "select 1; select 2"], 1, "one"),
        (["backup", ""], 2, "TARGET is empty"),
        (["backup", "s3://bucket/x"], 2, "a folder of this machine"),
        (["dev", "--port", "0"], 2, "0 is not in the range"),
        (["dev", "--port", "65536"], 2, "65536 is not in the range"),
        (["dev", "--host", "no-such-host.invalid"], 1, "can't be listened on"),
        (["rn", str(DAY)], 2, "No such command"),
        (["run"], 2, "Missing argument"),
        (["run", str(DAY), "--fore"], 2, "No such option"),
    )


CASES = list(_cases())
#: odd values of variables, and a word of what is said
SETTINGS = {
    ("NBA_PROPS_PROFILE", "gpc"): "it can be local or gcp",
    ("NBA_PROPS_FIRST_DATE", "soon"): "NBA_PROPS_FIRST_DATE",
    ("NBA_PROPS_FIRST_DATE", "0001-01-01"): "NBA_PROPS_FIRST_DATE",
    ("NBA_PROPS_LOOK_BACK_DAYS", "-1"): "NBA_PROPS_LOOK_BACK_DAYS",
    ("NBA_PROPS_MAX_GAMES", "many"): "NBA_PROPS_MAX_GAMES",
    ("NBA_PROPS_TRAINING_SEASONS", "0"): "NBA_PROPS_TRAINING_SEASONS",
    ("NBA_PROPS_LANDING", "sftp+x://host/zone"): "NBA_PROPS_LANDING",
    ("NBA_PROPS_STATS", "yes"): "it can be on or off",
    ("NBA_PROPS_ODDS_REGIONS", "u s"): "NBA_PROPS_ODDS_REGIONS",
    ("NBA_PROPS_ODDS_URL", "http://example.org"): "NBA_PROPS_ODDS_URL",
    ("NBA_PROPS_CLOCK", "clock"): "simulated league",
    ("NBA_PROPS_UI_HOSTS", "a b"): "NBA_PROPS_UI_HOSTS",
    ("NBA_API_PROXY", "nowhere"): "NBA_API_PROXY",
    ("NBA_PROPS_ODDS_RHYTHM", "slow"): "NBA_PROPS_ODDS_RHYTHM",
    ("NBA_PROPS_BOOKS", "fanduel,fanduel"): "NBA_PROPS_BOOKS has 'fanduel' twice",
    ("NBA_PROPS_HOME", "/dev/null"): "NBA_PROPS_HOME",
}


@pytest.fixture(scope="module")
def folder(rung, tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("wrong") / "platform"
    copied(rung("predicted"), made)
    return made


@pytest.fixture
def home(folder, monkeypatch, tmp_path) -> Path:
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER", "NBA_API", "ODDS_API"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_HOME", str(folder / "home"))
    monkeypatch.setenv("NBA_PROPS_LANDING", str(folder / "landing"))
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home" / "dagster"))
    monkeypatch.chdir(tmp_path)
    return folder / "home"


def runs(home: Path) -> list[str]:
    return sorted(p.name for p in (home / "dagster" / "history" / "runs").glob("*-*.db"))


def refused(arguments: list[str], status: int, said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == status, result.output
    assert said in result.output
    assert "Traceback" not in result.output
    assert "Error" in result.output


def test_there_are_enough_of_them():
    assert len(CASES) + len(SETTINGS) >= 80


@pytest.mark.parametrize(("arguments", "status", "said"), CASES, ids=[" ".join(c[0]) for c in CASES])
def test_a_wrong_input_is_one_sentence(home, arguments, status, said):
    before = runs(home)
    refused(arguments, status, said)
    assert runs(home) == before, "a typo starts no run"
    assert not list(home.glob("reports/*"))


@pytest.mark.parametrize(("setting", "said"), SETTINGS.items(), ids=[" ".join(s) for s in SETTINGS])
def test_an_odd_setting_is_one_sentence_that_names_it(home, monkeypatch, setting, said):
    monkeypatch.setenv(*setting)
    result = CliRunner().invoke(main, ["board", str(DAY)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code != 0
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_taken_port_is_reported_and_nothing_is_started(home, monkeypatch):
    monkeypatch.delenv("MAKELEVEL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = port + 1 if port < 65535 else port - 1
        refused(["dev", "--port", str(port)], 1, f"name another --port, as in `nba-props dev --port {other}`")
        monkeypatch.setenv("MAKELEVEL", "1")
        refused(["dev", "--port", str(port)], 1, f"as in `make dev PORT={other}`")


def test_an_empty_home_is_reported(home, monkeypatch, tmp_path):
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "typo"))
    refused(["board"], 2, "is NBA_PROPS_HOME the home that you mean?")
    (tmp_path / "typo").mkdir()
    refused(["board"], 1, "nothing is published")
    refused(["player", "Anybody"], 1, "no player is called")


def test_today_and_tomorrow_are_dates_in_eastern_time(home, monkeypatch):
    monkeypatch.setattr(values, "clock_of", lambda _: lambda: parse_instant("2025-11-11T03:30Z"))
    assert values.day_of("today") == date(2025, 11, 10), "half past ten in the evening of the tenth"
    assert values.day_of("tonight") == date(2025, 11, 10)
    assert values.day_of("yesterday") == date(2025, 11, 9)
    assert values.DateSpan().convert("yesterday..tomorrow", None, None) == [date(2025, 11, d) for d in (9, 10, 11)]
