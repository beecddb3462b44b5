"""A home of its own for commands, and commands as a person types them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_props.cli.group import main
from nba_props_tests import league
from nba_props_tests.copies import copied


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


def runs(home: Path) -> list[str]:
    return sorted(p.name for p in (home / "home" / "dagster" / "history" / "runs").glob("*-*.db"))


@pytest.fixture
def invented(home, rung) -> Path:
    """A home whose lake says that its league is an invented one; a date of it is published and graded."""
    copied(rung("predicted"), home)
    (home / "home" / "lake" / "SOURCE").write_text("SIMULATED")
    return home
