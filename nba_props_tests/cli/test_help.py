"""What help says: every command in a section, whole sentences, an example that is understood, values that complete."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.cli.group import SECTIONS, summary
from nba_props.domain.systems import SYSTEMS
from nba_props.operations.selection import PREDICATES
from nba_props.presentation.board import SYSTEM
from nba_props.simulator.incidents import INCIDENTS
from nba_props_tests import league
from nba_props_tests.conftest import DAY

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(main.commands)


def test_every_command_is_in_one_section():
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == COMMANDS


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_sections_with_whole_sentences(flag):
    text = CliRunner().invoke(main, [flag]).output
    assert "..." not in text.replace("[ARGS]...", "")
    flat = " ".join(text.split())
    assert [flat.index(f"{section}:") for section in SECTIONS] == sorted(flat.index(f"{s}:") for s in SECTIONS)
    for command in main.commands.values():
        assert summary(command) in flat
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_parses(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("old.csv", "old.parquet"):
        (tmp_path / file).touch()
    command = main.commands[name]
    found = [line.strip() for line in (command.epilog or "").splitlines() if "nba-props" in line]
    assert found
    shown = CliRunner().invoke(main, [name, "-h"]).output
    for line in found:
        assert " ".join(line.split()) in " ".join(shown.split())
        program, first, *rest = shlex.split(line)
        assert (program, first) == ("nba-props", name)
        with click.Context(main) as context:
            assert command.make_context(first, rest, context)


def completed(*words: str, incomplete: str) -> list[str]:
    completion = ShellComplete(main, {}, "nba-props", "_NBA_PROPS_COMPLETE")
    return [item.value for item in completion.get_completions(list(words), incomplete)]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (("run",), "to", {"today", "tonight", "tomorrow"}),
        (("demo", "--incident"), "", set(INCIDENTS)),
        (("board", "--system"), "", {s.system_id for s in SYSTEMS}),
        (("backfill", "2026-01-09", "--select"), "catboost", {"catboost_v8"}),
        (("quarantine",), "place", {"placeholder"}),
        (("sql", "--format"), "", {"table", "csv", "json"}),
    ],
)
def test_values_are_completed(words, incomplete, expected):
    assert set(completed(*words, incomplete=incomplete)) == expected


@pytest.mark.parametrize("command", [["run"], ["history"], ["fetch", "odds"], []])
def test_help_lists_the_words_that_are_dates(command):
    text = " ".join(CliRunner().invoke(main, [*command, "-h"]).output.split())
    assert "DATE is 2026-01-09, today, tonight, tomorrow or yesterday (US/Eastern)" in text
    assert "DATE is" not in CliRunner().invoke(main, ["doctor", "-h"]).output


def test_what_is_stored_is_completed(rung, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(rung("predicted") / "home"))
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    name = league.player(league.TEAMS[0], 0)[1]
    first = name.split()[0]
    assert first in completed("player", incomplete=first[:-1].lower())
    assert first in completed("history", incomplete=first[:-1])
    for words in (("rollback",), ("quarantine", "run", str(DAY), "--run")):
        last, run_id = completed(*words, incomplete="")
        assert last == "last"
        assert completed(*words, incomplete=run_id[:5]) == [run_id]
    assert completed("restore", incomplete="") == ["last"]
    monkeypatch.setenv("NBA_PROPS_HOME", "/nowhere/at/all")
    assert completed("player", incomplete="") == completed("rollback", incomplete="") == []
    monkeypatch.setenv("NBA_PROPS_PROFILE", "none such")
    assert completed("player", incomplete="") == []


def test_help_names_every_predicate_and_the_default_system():
    text = " ".join(CliRunner().invoke(main, ["quarantine", "-h"]).output.split())
    named = re.findall(r"\w+", text.partition("PREDICATE is ")[2].partition(".")[0])
    assert set(PREDICATES) <= set(named)
    for command in ("board", "player", "run"):
        shown = " ".join(CliRunner().invoke(main, [command, "-h"]).output.split())
        assert f"[default: {SYSTEM};" in shown


def test_make_help_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    documented = [
        line.partition(":")[0]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if "##" in line and line[0].isalpha()
    ]
    assert {"run", "test", "dev", "help"} <= set(documented)
    for target in documented:
        assert f"make {target} " in done.stdout
