"""Exit statuses: the documented ones are those that commands end with."""

from __future__ import annotations

import ast
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import nba_props.cli
from nba_props.cli import main
from nba_props.cli.group import STATUSES, Typed
from nba_props.cli.reference import commands, markdown

COMMANDS = dict(commands(main))
PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def functions() -> dict[str, list[ast.FunctionDef]]:
    """The functions of the package by name, nested ones too."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for path in Path(nba_props.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
    return found


FUNCTIONS = functions()


def exits(name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function, or one that it calls by name, ends the program or raises an error of the terminal."""
    for function in FUNCTIONS.get(name, ()):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "click.ClickException"):
                return True
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if called and called not in seen and exits(called, seen | {name, called}):
                return True
    return False


def callback(command: click.Command) -> str:
    """The module's function behind a command."""
    assert command.callback is not None
    return command.callback.__qualname__.partition(".")[0]


def test_the_page_matches_the_program():
    assert PAGE.read_text() == markdown(), "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_documents_exit_status_1_if_it_can_end_with_it_on_its_own(name):
    command = COMMANDS[name]
    assert isinstance(command, Typed)
    assert bool(command.fails) is exits(callback(command)), name
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert row.endswith(f"| {command.fails} |")
    shown = " ".join(CliRunner().invoke(main, [*name.split(), "-h"]).output.split())
    assert (f"Exit status 1 if {command.fails}." in shown) is bool(command.fails)


def test_the_search_for_exits_finds_them_and_nothing_else():
    assert exits("predict"), "through update_scores"
    assert not exits("text_of")


def test_every_status_is_documented_in_help_and_page():
    assert list(STATUSES) == [0, 1, 2, 130]
    shown = " ".join(CliRunner().invoke(main, ["-h"]).output.split())
    assert "Exit status: 0 success, 1 failure, 2 wrong usage, 130 stopped." in shown
    assert all(f"| {status} | " in PAGE.read_text() for status in STATUSES)


def test_commands_end_with_these_statuses(monkeypatch, tmp_path):
    runner = CliRunner()
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    ended = [runner.invoke(main, line.split()).exit_code for line in ("incidents", "board", "run", "board nonsense")]
    assert ended == [0, 1, 2, 2]
