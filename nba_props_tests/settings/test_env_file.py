"""The file .env: what it sets, what wins against it, and a sentence for what is not a setting."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.settings import BadSetting, env_file, read_settings
from nba_props.settings.variables import KNOWN, misspelt

HIDDEN = "s3cr3t-of-an-account"


def loaded(folder, text: str | bytes, **environ: str) -> dict[str, str]:
    file = folder / ".env"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    env_file.load(environ, file)
    return environ


def test_the_file_sets_what_the_environment_lacks_and_the_environment_wins(tmp_path):
    text = f"# my keys\nexport ODDS_API_KEY='{HIDDEN}'\nNBA_PROPS_STATS=on # yes\n\nNBA_PROPS_ODDS_REGIONS=us,eu\r\n"
    found = loaded(tmp_path, text, NBA_PROPS_ODDS_REGIONS="us")
    assert (found["ODDS_API_KEY"], found["NBA_PROPS_STATS"], found["NBA_PROPS_ODDS_REGIONS"]) == (HIDDEN, "on", "us")


def test_no_file_and_a_switched_off_one_set_nothing(tmp_path):
    environ: dict[str, str] = {}
    env_file.load(environ, tmp_path / ".env")
    assert environ == {}
    assert loaded(tmp_path, "NBA_PROPS_STATS=on", PYTHON_DOTENV_DISABLED="1") == {"PYTHON_DOTENV_DISABLED": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"NBA_PROPS_STATS=on\n\n{HIDDEN}\n", "line 3: that is not a setting"),
        (f"A=1\nODDS_API_KEY='{HIDDEN}\n", "line 2: that is not a setting"),
        (f"A=1\n'B=C'={HIDDEN}\n", "line 2: that is not a setting"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (f"ODDS_API_KEY={HIDDEN}\0\n", "not a file of settings"),
    ],
)
def test_a_bad_line_is_one_sentence_with_its_place_and_without_its_text(tmp_path, text, said):
    with pytest.raises(BadSetting, match=said) as refused:
        loaded(tmp_path, text)
    assert HIDDEN not in str(refused.value)
    assert str(tmp_path / ".env") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / ".env").mkdir()
    with pytest.raises(BadSetting, match=r"\.env can't be read: Is a directory"):
        env_file.load({}, tmp_path / ".env")


def test_dagsters_processes_have_the_settings_of_the_command(tmp_path, monkeypatch):
    """Dagster lets the file of its working directory win, and its code servers then load the definitions."""
    from dagster._cli.utils import _inject_local_env_file

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NBA_PROPS_STATS=on\nNBA_PROPS_ODDS_REGIONS=eu\n")
    for name in ("NBA_PROPS_STATS", env_file.KEPT, env_file.DISABLED):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_ODDS_REGIONS", "us")
    env_file.load()  # `nba-props dev`
    with _inject_local_env_file(logging.getLogger("test")):  # its server
        assert os.environ["NBA_PROPS_ODDS_REGIONS"] == "eu"
        env_file.load()  # the definitions
        assert os.environ["NBA_PROPS_ODDS_REGIONS"] == "us"
        assert os.environ["NBA_PROPS_STATS"] == "on"


def test_a_misspelt_variable_is_named_with_the_nearest():
    near = {"ODDS_API_KEYS": HIDDEN, "OTHER": "1", "NBA_PROP_STATS": "on"}
    assert misspelt(near) == [
        "NBA_PROP_STATS is not a setting: did you mean NBA_PROPS_STATS?",
        "ODDS_API_KEYS is not a setting: did you mean ODDS_API_KEY?",
    ]
    assert misspelt(dict.fromkeys(KNOWN, "1")) == []
    assert read_settings(near).live.stats is False, "a name that may be another program's is not an error"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NBA_PROPS_ODDS_REGION", "NBA_PROPS_ODDS_REGION is not a setting: did you mean NBA_PROPS_ODDS_REGIONS?"),
        ("NBA_PROPS_XYZZY_PLUGH", "NBA_PROPS_XYZZY_PLUGH is not a setting: nothing reads it, remove it"),
    ],
)
def test_an_unknown_setting_is_an_error(name, text):
    with pytest.raises(BadSetting, match=f"^{re.escape(text)}$"):
        read_settings({name: "eu"})


def test_every_variable_that_is_read_or_set_is_known():
    root = Path(__file__).parents[2]
    sources = [
        p for room in ("nba_props", "deploy") for p in (root / room).rglob("*") if p.suffix in (".py", ".yaml", ".env")
    ] + [root / ".ci/run", root / "Makefile", *(root / ".github").rglob("*.yml")]
    named = {
        n
        for p in sources
        for n in re.findall(r"\b(?:NBA_PROPS_[A-Z_]*[A-Z]|ODDS_API_KEY|SLACK_WEBHOOK_URL_[A-Z]+)\b", p.read_text())
    }
    # the tests name wrong ones on purpose: of these only what they read
    named |= {
        n
        for p in (root / "nba_props_tests").rglob("*.py")
        for n in re.findall(r"environ(?:\.get\(|\[)[\"'](NBA_PROPS_[A-Z_]+)", p.read_text())
    }
    assert len(named) > 25
    assert named - KNOWN == set()


@pytest.mark.slow
def test_the_program_reads_the_file_before_it_does_anything(tmp_path):
    environ = {
        n: v for n, v in os.environ.items() if not n.startswith(("NBA_PROPS", "PYTHON_DOTENV", "DAGSTER", "ODDS"))
    }
    environ["ODDS_API_KEYS"] = "k"
    (tmp_path / ".env").write_text(f"ODDS_API_KEY={HIDDEN}\nNBA_PROPS_STATS=yes\n")
    command = [sys.executable, "-m", "nba_props", "doctor", "--offline"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Error: NBA_PROPS_STATS is 'yes'; it can be on or off" in done.stderr
    assert "warning: ODDS_API_KEYS is not a setting: did you mean ODDS_API_KEY?" in done.stderr
    (tmp_path / ".env").write_text(f"{HIDDEN}\n")
    bad = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert bad.stderr.startswith("Error: ")
    assert HIDDEN not in done.stderr + done.stdout + bad.stderr + bad.stdout


def test_a_tilde_in_the_home_of_the_file_is_expanded(tmp_path):
    """No shell has put a folder in the place of ``~``."""
    environ = loaded(tmp_path, "NBA_PROPS_HOME=~/props\n")
    assert read_settings(environ).home == Path.home() / "props"


def test_settings_of_the_file_are_distinguished_from_those_of_the_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NBA_PROPS_HOME=there")
    assert env_file.names("NBA_PROPS_HOME", {"NBA_PROPS_HOME": "there"})
    assert not env_file.names("NBA_PROPS_HOME", {"NBA_PROPS_HOME": "elsewhere"})
    assert not env_file.names("NBA_PROPS_HOME", {})
    assert not env_file.names("NBA_PROPS_HOME", {"NBA_PROPS_HOME": "there", env_file.DISABLED: "1"})


@pytest.mark.parametrize("before", [None, "", "A=1\n", "A=1", "# a remark"])
def test_a_line_to_paste_changes_no_line_before_it(tmp_path, monkeypatch, before):
    monkeypatch.chdir(tmp_path)
    if before is not None:
        (tmp_path / ".env").write_text(before)
    kept = env_file.read(tmp_path / ".env")
    for settings in (["NBA_PROPS_HOME=a folder's"], ["NBA_PROPS_HOME=b", "NBA_PROPS_LANDING="]):
        subprocess.run(["sh", "-c", env_file.adding(*settings)], check=True)
    assert env_file.read(tmp_path / ".env") == {**kept, "NBA_PROPS_HOME": "b", "NBA_PROPS_LANDING": ""}


@pytest.mark.parametrize(
    ("text", "mode", "others"),
    [
        (f"ODDS_API_KEY={HIDDEN}", 0o644, "everyone"),
        (f"SLACK_WEBHOOK_URL_ERROR={HIDDEN}", 0o640, "its group"),
        (f"ODDS_API_KEY={HIDDEN}", 0o600, ""),
        ("NBA_PROPS_HOME=/somewhere", 0o644, ""),
        (None, 0, ""),
    ],
)
def test_the_doctor_reports_who_else_can_read_keys(tmp_path, monkeypatch, text, mode, others):
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(env_file, "path", lambda: tmp_path / ".env")
    if text is not None:
        (tmp_path / ".env").write_text(text)
        (tmp_path / ".env").chmod(mode)
    said = CliRunner().invoke(main, ["doctor", "--offline"]).output
    assert (f"{tmp_path}/.env has keys and can be read by {others} -> chmod 600" in said) == bool(others)
    assert ("chmod" in said) == bool(others)
    assert HIDDEN not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NBA_API_PROXY", f"socks5://user:{HIDDEN}@host"),
        ("SLACK_WEBHOOK_URL_ERROR", f"http://hooks.slack.com/services/{HIDDEN}"),
        ("NBA_PROPS_ODDS_URL", f"http://user:{HIDDEN}@host"),
        ("NBA_PROPS_LANDING", f"nosuch://user:{HIDDEN}@host/landing"),
    ],
)
def test_no_traceback_contains_a_secret(name, value):
    """Dagster prints the whole chain of an error that loading the definitions raises."""
    with pytest.raises(BadSetting) as raised:
        read_settings({name: value})
    assert HIDDEN not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("name", ["NBA_PROPS_HOME", "NBA_PROPS_LANDING", "NBA_PROPS_ALIASES"])
def test_a_folder_of_an_unknown_user_is_a_sentence(name):
    with pytest.raises(BadSetting, match=f"^{name} is '~nosuchuser/x', in the folder of an unknown user$"):
        read_settings({name: "~nosuchuser/x"})


@pytest.mark.parametrize("text", ["foo", "[]", '{"A": 1}'])
def test_a_foreign_value_of_the_handed_on_variables_is_a_sentence(tmp_path, text):
    with pytest.raises(BadSetting, match=f"^{env_file.KEPT} is set by this program .*unset it$"):
        env_file.load({env_file.KEPT: text}, tmp_path / ".env")
