"""Dates and numbers from outside have one form; whatever else is typed or set is refused in one sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date

import click
import pytest
from click.testing import CliRunner

from nba_props.automation.instance import open_instance
from nba_props.automation.sensors.asking import instant_of
from nba_props.cli import main
from nba_props.cli.values import DateSpan, Day, Whole
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import named_day, parse_day
from nba_props.settings import BadSetting
from nba_props.sources.odds_api.feed import minutes

ARABIC, FULL_WIDTH = ("2026-01-09".translate({ord("0") + n: zero + n for n in range(10)}) for zero in (0x660, 0xFF10))
THREE = "\uff13"
ODD_DATES = [
    "", " ", "0001-01-01", "9999-12-31", "1945-12-31", "2200-01-01", "2026-W02-5", "20260109", "2026-1-9", "2026-13-01",
    "2026-02-30", " 2026-01-09", "2026-01-09 ", "2026-01-09\n", "2026-01-09\x00", "2026-01-09T00:00", ARABIC,
    FULL_WIDTH, "2026\u201101\u201109", "-026-01-09", "2026-01-0²", "nan", "to-day",
]  # fmt: skip
ODD_SPANS = ["2026-01-09..", "..2026-01-09", "..", "2026-01-09...2026-01-10", "2026-01-09..2026-01-10..2026-01-11",
             "2026-01-09 .. 2026-01-10", "2026-01-10..2026-01-09", "2026-01-09..9999-12-31"]  # fmt: skip
ODD_NUMBERS = ["\u0663", THREE, "²", "1_0", " 1", "1 ", "1\n", "+1", "1e3", "1.0", "", "0x10", "9" * 5000, "-"]


@pytest.mark.parametrize("text", ODD_DATES)
def test_no_other_form_is_a_date(text):
    with pytest.raises(ValueError, match="is not"):
        parse_day(text)
    assert named_day(text) is None


def test_a_date_is_one():
    assert parse_day("2026-01-09") == named_day("2026-01-09") == date(2026, 1, 9)


def refused(kind: click.ParamType, text: str) -> str:
    with pytest.raises(click.BadParameter) as error:
        kind.convert(text, None, None)
    assert error.value.exit_code == 2
    assert "\n" not in error.value.message
    return error.value.message


@pytest.mark.parametrize("text", [*ODD_DATES, *ODD_SPANS])
def test_a_span_is_refused_with_the_right_form(text):
    said = refused(DateSpan(), text)
    assert "2025-11-01..2025-11-15" in said or "ends before it begins" in said


@pytest.mark.parametrize("text", ODD_DATES)
def test_a_single_date_is_refused(text):
    assert "is not" in refused(Day(), text)


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_a_number_is_in_plain_digits(text):
    if text != "":  # click itself leaves out what is empty
        assert "is not a whole number" in refused(Whole(min=0), text)
    with pytest.raises(ValueError, match="is not a list of minutes"):
        minutes(f"30,{text}")
    if text.strip():
        with pytest.raises(BadSetting, match=r"NBA_PROPS_MAX_GAMES is .* not a positive whole number"):
            load_settings({"NBA_PROPS_MAX_GAMES": text})


@pytest.mark.parametrize("text", [t for t in ODD_DATES if t])
def test_a_first_date_is_refused(text):
    with pytest.raises(BadSetting, match=r"^NBA_PROPS_FIRST_DATE is .* is not "):
        load_settings({"NBA_PROPS_FIRST_DATE": text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NBA_PROPS_LOOK_BACK_DAYS", "999999999"),
        ("NBA_PROPS_TRAINING_SEASONS", "2025"),
        ("NBA_PROPS_MIN_MINUTES", "49"),
        ("NBA_PROPS_MIN_MINUTES", "15.5"),
        ("NBA_PROPS_ALERT_COOLDOWN_MINUTES", "9" * 12),
        ("NBA_PROPS_ODDS_REGIONS", "us\nx-key: y"),
        ("NBA_PROPS_ODDS_REGIONS", "us&apiKey=x"),
        ("NBA_PROPS_STATS", "on\n"),
        ("NBA_PROPS_PROFILE", "local "),
        ("NBA_PROPS_HOME", __file__),
        ("NBA_PROPS_LANDING", "s3://bucket/landing"),
        ("NBA_PROPS_LANDING", "nowhere://x"),
        ("NBA_API_PROXY", "proxy:8080"),
        ("NBA_API_PROXY", "socks5://proxy:8080"),
        ("NBA_API_PROXY", "http://proxy\nx: y"),
        ("NBA_PROPS_UI_HOSTS", "https://ui.example.com"),
        ("NBA_PROPS_UI_HOSTS", "ui.example.com, a b"),
        ("NBA_PROPS_UI_HOSTS", "*"),
    ],
)
def test_a_setting_out_of_all_bounds_is_refused(name, value):
    with pytest.raises(BadSetting, match=name):
        load_settings({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NBA_API_PROXY", "http://user:pa55word@proxy:8080"),
        ("NBA_API_PROXY", "https://[::1]:3128/"),
        ("NBA_PROPS_UI_HOSTS", "ui.example.com, [::1]:3000,10.0.0.1,"),
    ],
)
def test_a_valid_host_is_accepted(name, value):
    load_settings({name: value})


def test_a_password_is_not_shown_when_its_proxy_is_refused():
    with pytest.raises(BadSetting) as error:
        load_settings({"NBA_API_PROXY": "ftp://user:pa55word@proxy"})
    assert "pa55word" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("NBA_PROPS_ALIASES", None, "bad aliases: NBA_PROPS_ALIASES names"),
        ("NBA_PROPS_ALIASES", b"\xff", "bad aliases:"),
        (
            "NBA_PROPS_ALIASES",
            b"alias,player_name\nAda,Ada Archer\nonly one\n",
            "off aliases: 1 in use, 1 lines left out",
        ),
        ("NBA_PROPS_ALIASES", b"alias,player_name\nAda,Ada Archer\n", "ok  aliases: 1 in use"),
    ],
)
def test_doctor_looks_at_the_files_that_settings_name(name, content, said, tmp_path):
    file, home = tmp_path / "own", tmp_path / "home"
    if content is not None:
        file.write_bytes(content)
    (home / "landing").mkdir(parents=True)
    result = CliRunner().invoke(main, ["doctor", "--offline"], env={"NBA_PROPS_HOME": str(home), name: str(file)})
    assert said in result.output, result.output


def test_an_empty_dagster_home_is_treated_as_unset(tmp_path, monkeypatch):
    """It put Dagster's databases into the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "")
    settings = load_settings({"NBA_PROPS_HOME": str(tmp_path / "home")})
    with open_instance(settings):
        assert os.environ["DAGSTER_HOME"] == str(settings.dagster_home)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("cursor", [None, "", "soon", "2026-01-09", "0001-01-01T00:00Z", "9999-12-31T23:59Z", "[]"])
def test_an_invalid_cursor_is_ignored(cursor):
    assert instant_of(cursor) is None


@pytest.mark.parametrize("text", [None, "", "soon", "2026-01-09T17:00"])
def test_a_rehearsal_clock_without_an_instant_is_named(tmp_path, text):
    clock = tmp_path / "clock"
    if text is not None:
        clock.write_text(text)
    with pytest.raises(BadSetting, match=r"NBA_PROPS_CLOCK names .*clock, which has no instant"):
        clock_of(replace(load_settings({"NBA_PROPS_HOME": str(tmp_path)}), rehearsal_clock=clock))()


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["run", "2026-W02-5"], {}),
        (["validate", "0001-01-01..9999-12-31"], {}),
        (["history", "Ada", ARABIC], {}),
        (["run", "2026-01-09", "--rows", THREE], {}),
        (["prune", "--older-than", "3"], {}),
        (["scrub"], {"NBA_PROPS_FIRST_DATE": "9999-01-01"}),
        (["doctor", "--offline"], {"NBA_PROPS_MAX_GAMES": THREE}),
    ],
)
def test_a_command_ends_with_status_2_and_one_sentence(arguments, environ, tmp_path):
    result = CliRunner().invoke(main, arguments, env={"NBA_PROPS_HOME": str(tmp_path), **environ})
    assert result.exit_code == 2, result.output
    assert len([line for line in result.output.splitlines() if line.startswith("Error: ")]) == 1
    assert "Traceback" not in result.output
