"""Docs say what is true: their commands run, their links lead somewhere, the dictionary is the contracts'."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date, datetime, time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from nba_props.cli import main
from nba_props.cli.boards import print_boards
from nba_props.cli.printing import Output
from nba_props.cli.scores import print_scores
from nba_props.deployment import clock_of, frozen, load_settings
from nba_props.facts.books import NAMES
from nba_props.facts.calendar import EASTERN
from nba_props.facts.markets import keys
from nba_props.facts.rhythm import RHYTHMS
from nba_props.presentation import report
from nba_props.presentation.dictionary import markdown
from nba_props.presentation.variables import brought_up_to_date
from nba_props.settings import Live
from nba_props.settings.variables import Topic, Variables
from nba_props.simulator.incidents import INCIDENTS
from nba_props.sources.odds_api import times
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import league, notebooks

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: rows of the board whose names decide how wide README's sample is
SAMPLE_ROWS = 6
#: its commands are for another profile
PRODUCTION = ROOT / "docs" / "production.md"


def commands(*pages: Path) -> list[str]:
    """The lines of the pages' bash blocks."""
    return [
        line.split("  #")[0].strip()
        for page in pages
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
        for line in block.splitlines()
        if line.strip()
    ]


#: its commands take published rows out, and publish and grade them again
BAD_ROWS = ROOT / "docs" / "runbooks" / "bad-rows.md"
#: its commands are typed from an empty folder, in test_day_one.py
DAY_ONE = ROOT / "docs" / "day-one.md"
BLOCKS = commands(*(p for p in PAGES if p != PRODUCTION))


def ours(*pages: Path) -> list[str]:
    """The pages' commands of the program itself, each once."""
    return list(dict.fromkeys(c for c in commands(*pages) if "nba-props" in c))


def test_every_make_target_exists():
    targets = {c.split()[1] for c in BLOCKS if c.startswith("make ")}
    assert {"run", "test", "dev"} <= targets
    for target in targets:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_program_has_one_name_and_each_page_explains_its_path_once():
    for page in PAGES:
        assert ".venv/bin/nba-props" not in page.read_text(), page.name
    for page in (ROOT / "README.md", DAY_ONE):
        assert page.read_text().count("`. .venv/bin/activate`") == 1, page.name
    assert "`make install`" in DAY_ONE.read_text()


def test_an_install_prints_what_it_does_and_how_long_it_takes(tmp_path):
    """With a package installer that does nothing, in a folder of its own."""
    for name in ("Makefile", "requirements.lock", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "uv"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    alone = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}  # without the variables of `make test`
    done = subprocess.run(
        ["make", f"PYTHON={sys.executable}", "install"],
        cwd=tmp_path,
        env=alone,
        capture_output=True,
        text=True,
        check=True,
    )
    first, *steps, last = done.stdout.splitlines()
    assert re.fullmatch(r"building .venv, once: about \d{3} packages, about a minute with a good network", first)
    assert [step.split()[0] for step in steps] == ["1/3", "2/3", "3/3"]
    assert last.endswith("Type: . .venv/bin/activate   and then: nba-props -h")


def assert_sample_of_report_is_current():
    """README's sample of the report is how the command begins in a terminal of 80 columns."""
    (sample,) = re.findall(r"```text\n(2 nights: .*?)\.\.\.\n```", (ROOT / "README.md").read_text(), re.S)
    out = terminal_of_80()
    settings, span = load_settings(), [date(2026, 1, 9), date(2026, 1, 10)]
    found = report.read(open_warehouse(settings), span[0], span[-1], clock_of(settings)(), frozen(settings))
    print_scores(out, found, span)
    assert_lines(sample, out, 6)


def terminal_of_80() -> Output:
    out = Output()
    out.console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    return out


def assert_lines(sample: str, out: Output, count: int) -> None:
    shown = out.console.file.getvalue().splitlines()
    lines = sample.splitlines()
    assert len(lines) == count
    for line in lines:
        assert line in shown, "\n".join(shown)


def assert_sample_of_board_is_current():
    """README's sample of the board is what a terminal of 80 columns shows."""
    (sample,) = re.findall(
        r"```text\nSIMULATED LEAGUE.*?\n(Slate of .*?)\.\.\.\n```", (ROOT / "README.md").read_text(), re.S
    )
    out = terminal_of_80()
    print_boards(out, open_warehouse(load_settings()), [date(2026, 1, 9)], SAMPLE_ROWS)
    assert_lines(sample, out, 7)


def assert_notebooks_are_current() -> None:
    """What is stored in notebooks is what they answer over the demo."""
    for path in sorted(notebooks.FOLDER.glob("*.ipynb")):
        found, stored = notebooks.answers(path), notebooks.stored(path)
        texts = [[answer.get("text/plain") for answer in answers] for answers in (found, stored)]
        assert texts[0] == texts[1], f"NBA_PROPS_HOME=... python -m nba_props_tests.notebooks {path}"


#: what its statements answer over the demo stands behind them
OLD = ROOT / "docs" / "from-the-old-system.md"


def assert_answers_are_current(runner: CliRunner) -> None:
    """The old system's queries answer what the page says: so many rows, the first of them."""
    block = "\n".join(re.findall(r"```bash\n(.*?)```", OLD.read_text(), re.S))
    stated = re.findall(r"^(nba-props sql .*)  # (\d+) rows?: (.*)$", block, re.M)
    assert len(stated) == block.count("nba-props sql") >= 5
    for command, count, first in stated:
        rows = json.loads(runner.invoke(main, [*shlex.split(command)[1:], "--format", "json"]).stdout)
        assert (str(len(rows)), ", ".join(map(str, rows[0].values()))) == (count, first), command


@pytest.mark.parametrize("command", ours(*PAGES))
def test_every_command_parses(command):
    name, *arguments = shlex.split(command)[1:]
    with click.Context(main) as context:
        assert main.get_command(context, name).make_context(name, arguments, context)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([p for p in PAGES if p not in (PRODUCTION, BAD_ROWS, DAY_ONE)], id="pages"),
        pytest.param([BAD_ROWS], id="bad-rows"),
    ],
)
def test_every_command_runs(pages, tmp_path, monkeypatch, trees_as_delivered):
    import os

    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER", "ODDS_API"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.chdir(tmp_path)  # some write into the working folder
    runner = CliRunner()
    first = runner.invoke(main, ["demo"])
    assert first.exit_code == 0, first.output
    assert "SIMULATED LEAGUE" in first.output
    assert "162 players with a line" in first.output
    assert "99 players with a line" in first.output
    assert_sample_of_board_is_current()
    assert_notebooks_are_current()
    again = runner.invoke(main, ["demo"])
    assert "published already" in again.output
    if OLD in pages:
        assert_answers_are_current(runner)
    asked = ours(*pages)
    assert len(asked) >= 2
    for command in asked:
        result = runner.invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
        if command.startswith("nba-props validate "):
            result = runner.invoke(main, [*shlex.split(command)[1:], "--all"])
            assert "% [too few dates for an interval] of" in result.output, "text in brackets is not markup"
        if command.startswith("nba-props report "):
            assert "2 nights and fewer: too few for an interval (10 are needed)." in result.output
            assert "[" not in result.output, "two nights have no interval"
            assert_sample_of_report_is_current()
    # a lake of one kind takes nothing of the other
    real = tmp_path / "real"
    (real / "nba_stats/scheduleleaguev2").mkdir(parents=True)
    monkeypatch.setenv("NBA_PROPS_LANDING", str(real))
    refused = runner.invoke(main, ["run", "2026-01-09"])
    assert refused.exit_code == 1
    assert "holds SIMULATED data and can't hold REAL data as well" in refused.output


def test_every_command_of_production_runs_on_bigquery(make_gcp, tmp_path, monkeypatch):
    gcp = make_gcp()
    for name, value in {
        "PROFILE": "gcp", "GCP_PROJECT": gcp.project, "GCP_LOCATION": gcp.location, "BUCKET": gcp.bucket,
        "DATASET_PREFIX": gcp.prefix, "BIGQUERY_URL": gcp.bigquery_url, "BIGQUERY_STORAGE": gcp.bigquery_storage,
        "HOME": str(tmp_path), "FIRST_DATE": str(league.FIRST),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"NBA_PROPS_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    runner, asked = CliRunner(), commands(PRODUCTION)
    empty = runner.invoke(main, ["doctor", "--offline"])
    assert f"landing zone: gs://{gcp.bucket}/landing" in empty.output, "an empty bucket is there"
    league.land(LandingZone(f"gs://{gcp.bucket}/landing"))
    outputs = {}
    for command in asked:
        result = runner.invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
        outputs[shlex.split(command)[1]] = result.output
    assert set(outputs) == {"doctor", "backfill", "sql", "scrub"}
    assert "3 of 3 dates are missing or stale" in outputs["backfill"]
    assert "4 on 2 of these dates" in outputs["backfill"]
    assert "holds nothing yet" in outputs["scrub"]


def test_the_table_of_credits_matches_the_code():
    """A game at 19:30 Eastern, by the captures that the sensor asks for."""
    page = (ROOT / "docs" / "automation.md").read_text()
    listed = re.findall(r"^\| ([0-9]+), [a-z ]+ \| (.*) \|$", page, re.M)
    rows, by_markets = listed[:4], listed[4:]
    assert [int(games) for games, _ in rows] == [1, 13, 50, 215]
    day = date(2025, 12, 5)

    def price(rhythm: str, regions: str, *clock: int, games: int = 1, markets: int = 1) -> int:
        at = datetime.combine(day, time(*clock), EASTERN)
        return times.price_of_day(day, [at] * games, regions, rhythm, markets=keys()[:markets])

    for games, cells in rows:
        found = [int(c.replace(",", "")) for c in cells.split(" | ")]
        per_game = [price(r, regions, 19, 30) for r in RHYTHMS for regions in ("us", "us,us2")]
        assert found == [int(games) * p for p in per_game]
    assert [int(games) for games, _ in by_markets] == [8, 215]
    for games, cells in by_markets:
        found = [int(c.replace(",", "")) for c in cells.split(" | ")]
        assert found == [int(games) * price(r, "us", 19, 30, markets=n) for r in RHYTHMS for n in (1, 4, 10)]
    assert len(keys()) == 10
    assert price("thrifty", "us", 19, 30, games=13) == 26
    assert "at most 5 (tip-off at 13:00) to 15 (22:30) credits, or 2" in page
    assert (price("full", "us", 13), price("full", "us", 22, 30)) == (5, 15)
    # the free plan's credits, less the reserve, are a month's games
    assert 500 - Live().odds_reserve >= 215 * price("thrifty", "us", 19, 30)
    assert 3 <= 500 // (13 * price("full", "us", 19, 30)) < 4


def test_the_data_dictionary_matches_the_contracts():
    assert (ROOT / "docs" / "data-dictionary.md").read_text() == markdown() + "\n", "run `make docs`"


def test_the_tables_of_variables_match_the_settings():
    written = [page for page in PAGES if "<!-- variables:" in page.read_text()]
    assert [page.read_text() for page in written] == [brought_up_to_date(p.read_text()) for p in written], (
        "run `make docs`"
    )
    text = "".join(page.read_text() for page in written)
    shown = {name for name, field in Variables.model_fields.items() if f"| `{field.alias}` |" in text}
    assert shown == {n for n, f in Variables.model_fields.items() if f.json_schema_extra["topic"] is not Topic.OTHER}


def test_the_short_names_of_books_are_explained():
    page = (ROOT / "docs" / "reading.md").read_text()
    assert all(f"{short} {key}" in page for key, (_, short) in NAMES.items())


def test_incidents_are_listed():
    output = CliRunner().invoke(main, ["incidents"]).output
    assert all(name in output for name in INCIDENTS)
    assert len(INCIDENTS) == 20
