"""Commands in messages can be typed as they stand, wherever the program is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.cli import program as where
from nba_props.cli.printing import Output
from nba_props.cli.program import program, typed
from nba_props_tests.conftest import DAY


@pytest.fixture
def unactivated(tmp_path, monkeypatch):
    """The program in an environment that is not activated, as ``make run`` leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/nba-props")])
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NBA_PROPS_LANDING", raising=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`nba-props start` fetches it", "`.venv/bin/nba-props start` fetches it"),
        ("nba-props COMMAND -h, nba-props  -h", ".venv/bin/nba-props COMMAND -h, .venv/bin/nba-props  -h"),
        (".venv/bin/nba-props run x", ".venv/bin/nba-props run x"),
        ("/home/me/nba-props is a folder", "/home/me/nba-props is a folder"),
        ("nba-props, my-nba-props and nba-props-ui", "nba-props, my-nba-props and nba-props-ui"),
    ],
)
def test_a_message_names_the_program_as_it_was_called(unactivated, text, expected):
    assert typed(text) == expected
    assert typed(expected) == expected


def test_a_page_is_named_by_where_it_is(unactivated, tmp_path, monkeypatch):
    monkeypatch.setattr(where, "_PAGES", tmp_path / "share")
    assert typed("see docs/production.md") == "see docs/production.md", "nothing is installed"
    page = tmp_path / "share/docs/runbooks/damage.md"
    page.parent.mkdir(parents=True)
    page.touch()
    assert typed("(docs/runbooks/damage.md)") == f"({page})"
    assert typed(typed("(docs/runbooks/damage.md)")) == f"({page})"
    (tmp_path / "docs/runbooks").mkdir(parents=True)
    (tmp_path / "docs/runbooks/damage.md").touch()
    assert typed("(docs/runbooks/damage.md)") == "(docs/runbooks/damage.md)", "a checkout has it"


def test_on_the_path_it_is_called_by_its_name(unactivated, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert program() == "nba-props"


def test_errors_words_and_help_can_be_typed(unactivated, capsys):
    runner = CliRunner()
    refused = runner.invoke(main, ["run", str(DAY)])
    assert "`.venv/bin/nba-props start`" in refused.output
    assert " nba-props" not in refused.output
    wrong = runner.invoke(main, ["backfill", str(DAY), "--select", "x"])
    assert '`.venv/bin/nba-props sql "show tables"` lists them' in wrong.output
    for arguments in (["-h"], ["run", "-h"], ["fetch", "odds", "-h"], ["fetch", "-h"]):
        text = runner.invoke(main, arguments).output
        assert ".venv/bin/nba-props" in text
        assert " nba-props " not in text
    with Output() as out:
        out.print("undo with `nba-props rollback x`")
        out.print_marked("bad", "red", "fix it: nba-props train today")
    printed = capsys.readouterr().out
    assert "`.venv/bin/nba-props rollback x`" in printed
    assert "bad fix it: .venv/bin/nba-props train today" in printed


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=lambda n: n.name)
def test_dev_ends_its_servers_by_every_signal_that_stops_it(number):
    """A terminal that is closed sends SIGHUP; servers that are left would keep the port."""
    code = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from nba_props.cli.servers import _serve; "
        "sys.exit(_serve([['sh', '-c', 'echo $$; exec sleep 60']] * 2, dict(os.environ), '127.0.0.1', 9))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as dev:
        servers = [int(dev.stdout.readline()) for _ in range(2)]
        dev.send_signal(number)
        assert dev.wait(20) == 0
    for server in servers:
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
