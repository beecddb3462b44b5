"""Day one, from an empty folder against feeds of our own: what the docs say is typed, and nothing else."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.cli.session import here
from nba_props.deployment import load_settings
from nba_props.domain.models.card import week_of
from nba_props.facts.calendar import identity_start
from nba_props.facts.teams import MOST_GAMES
from nba_props.operations import day_one
from nba_props.operations.doctor import examine, next_command
from nba_props.schemas import raw
from nba_props.settings import Live, Settings, SettingsError, env_file
from nba_props.simulator import payloads
from nba_props.sources import http, nba_stats, registry
from nba_props.sources.base import LiveFeeds
from nba_props.sources.nba_stats import capture
from nba_props.sources.nba_stats.first_day import past_seasons
from nba_props.sources.nba_stats.games import games_of as landed_games_of
from nba_props.sources.nba_stats.games import unlanded
from nba_props.sources.odds_api.feed import odds_history
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, in_front, utc
from nba_props_tests.sources.fake_feeds import OUT, Feeds, games_of
from nba_props_tests.sources.fake_server import Answer
from nba_props_tests.sources.odds_api.test_client import EVENTS, KEY

PAGE = (Path(__file__).parents[2] / "docs" / "day-one.md").read_text()
NOVEMBER, OPENING = utc(2025, 11, 10, 17), utc(2025, 10, 21, 17)
_OURS = ("NBA_PROPS", "DAGSTER", "ODDS_API", "SLACK", "PYTHON_DOTENV")


def block(kind: str) -> list[str]:
    """The lines of the page's first block of a kind."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.S)
    return [line.split("  #")[0].strip() for line in found[1].splitlines()]


@pytest.fixture
def world(tmp_path, monkeypatch, server):
    """An empty folder, feeds of the small league, and the clock; ``begin`` writes .env as the page shows it, and reads it."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in [n for n in os.environ if n.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("nba_props.sources.nba_stats.client.PAUSE", 0.0)
    feeds = Feeds(server, NOVEMBER)
    monkeypatch.setattr("nba_props.deployment.utc_now", lambda: feeds.now)
    for name, value in feeds.environment().items():
        monkeypatch.setenv(name, value)
    for name in (
        "ODDS_API_KEY",
        "NBA_PROPS_STATS",
        "NBA_PROPS_HOME",
        "NBA_PROPS_LANDING",
        "DAGSTER_HOME",
        env_file.KEPT,
    ):
        monkeypatch.setenv(name, "")  # so that what is set by .env and by commands ends with the test
        monkeypatch.delenv(name)
    return feeds


def begin(world: Feeds, now: datetime, *without: str) -> None:
    world.now = now
    world.open()
    lines = [line.replace("your-key", KEY) for line in block("ini") if not line.startswith(without)]
    Path(".env").write_text("\n".join(lines) + "\n")
    env_file.load()


def typed(command: str):
    return CliRunner().invoke(main, shlex.split(command)[1:])


def live(world: Feeds) -> tuple[Settings, LiveFeeds]:
    settings = load_settings()
    return settings, LiveFeeds(settings.live, LandingZone(settings.landing), lambda: world.now)


# -- the plan: cheap --------------------------------------------------------------------------------------------------


def test_the_plan_of_an_empty_folder_shows_the_most_requests_that_can_be_made(world):
    begin(world, OPENING)
    result = typed("nba-props start --dry-run")
    assert result.exit_code == 0, result.output
    assert world.server.asked == []
    assert not Path(".nba_props/landing").exists()
    text = " ".join(result.output.split())
    assert "tonight's odds: 16 requests, 15 credits" in text
    for season in ("2025-26", "2024-25", "2023-24", "2022-23"):
        assert f"schedule {season}: 1 request" in text
    assert text.count("4 requests") == 3, "the cup's final has a type of its own since 2023"
    assert "box scores 2022-23: 3 requests" in text
    assert "NBA_PROPS_ODDS_RESERVE" in text
    assert "--shot-zones makes" in text
    assert KEY not in text


@pytest.mark.parametrize("without", [(), ("NBA_PROPS_STATS",)], ids=["as the page says", "switched off"])
def test_the_plan_on_the_page_is_the_one_that_is_printed(world, without):
    begin(world, utc(2026, 11, 10, 17), *without)
    sample = re.search(r"```text\n(plan .*?)```", PAGE, re.S)[1]
    printed = typed("nba-props start --dry-run").output
    assert printed.startswith(sample)
    assert all(line.startswith("note ") for line in printed.removeprefix(sample).splitlines())


@pytest.mark.parametrize("now", [NOVEMBER, OPENING], ids=["november", "opening night"])
def test_what_was_fetched_is_not_requested_again_and_a_stop_costs_nothing(world, now):
    begin(world, now)
    settings, feeds = live(world)
    steps = list(day_one.plan(settings, feeds).steps)
    assert [s.name for s in steps[:4]] == ["schedule 2025-26", "tonight's odds", "injury report", "rosters"]
    assert len([s for s in steps if s.name.startswith("box scores")]) == 4
    for _, done in day_one.fetch(steps[:7], lambda _: None):  # killed after some of them
        assert done.failures == []
    spent = 500 - world.remaining
    assert spent == 2
    settings, feeds = live(world)
    left = day_one.plan(settings, feeds)
    names = {s.name for s in left.steps}
    assert {s.name for s in steps[7:]} <= names
    assert "rosters" not in names
    for _, done in day_one.fetch(left.steps, lambda _: None):
        assert done.failures == []
    assert 500 - world.remaining == spent, "odds of the last hour are not bought again"
    _, feeds = live(world)
    done = day_one.plan(settings, feeds)
    assert {s.name for s in done.steps} == {"schedule 2025-26", "tonight's odds", "injury report"}
    zone = feeds.zone
    for season in ("2025-26", "2024-25", "2023-24", "2022-23"):
        over = {g.day for g in games_of(season) if g.day < world.today}
        first = date(int(season[:4]), 10, 1)
        assert set(nba_stats.landed_box_score_days(zone, first, first + timedelta(300))) == over


def test_a_partly_landed_season_is_requested_from_its_first_gap_on(world):
    begin(world, NOVEMBER)
    settings, feeds = live(world)
    for _ in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None):
        pass
    lost = [g.day for g in games_of("2024-25")][6]
    (path,) = Path(".nba_props/landing/nba_stats/leaguegamelog/2024-25").glob(f"{lost}*")
    path.unlink()
    _, feeds = live(world)
    assert unlanded(feeds.zone, date(2024, 10, 1), world.today) == [lost]
    world.server.asked.clear()
    for _ in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None):
        pass
    logs = [asked for path, asked in world.server.asked if path.endswith("leaguegamelog")]
    assert {(a["Season"], a["DateFrom"], a["DateTo"]) for a in logs} == {
        ("2024-25", f"{lost:%m/%d/%Y}", f"{lost:%m/%d/%Y}")
    }


def test_without_a_key_the_plan_explains_how_to_get_one_and_costs_nothing(world):
    begin(world, NOVEMBER, "ODDS_API_KEY")
    settings, feeds = live(world)
    plan = day_one.plan(settings, feeds)
    assert plan.credits == 0
    text = "\n".join(day_one.plan_lines(plan, settings.live))
    assert "the-odds-api.com" in text
    assert f"put ODDS_API_KEY=... into {Path.cwd() / '.env'}" in text
    assert "Without a line nothing is published as a pick" in text
    assert "NBA_PROPS_ODDS_RESERVE" not in text


def test_every_region_is_in_the_cost(world, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_ODDS_REGIONS", "us,us2")
    begin(world, NOVEMBER)
    settings, feeds = live(world)
    assert day_one.plan(settings, feeds).credits == 2 * MOST_GAMES
    result = typed("nba-props fetch odds --dry-run")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "2 games of today or later: at most 4 credits" in text
    # tip-offs at 19:00 and 20:00: 9 + 10 full hours, 18:30, 18:55, 19:30 and 19:55; 18:00 and 19:00 are full hours
    assert f"at most {2 * (9 + 10 + 4)} credits (NBA_PROPS_ODDS_RHYTHM=full, regions us,us2, 1 market)" in text
    monkeypatch.setenv("NBA_PROPS_ODDS_RHYTHM", "thrifty")
    assert "at most 8 credits (NBA_PROPS_ODDS_RHYTHM=thrifty" in " ".join(
        typed("nba-props fetch odds --dry-run").output.split()
    )


def test_the_planned_seasons_are_those_that_models_and_identities_read():
    settings = Settings("local", Path("home"), "landing", date(2010, 10, 1))
    assert [d.year for d in past_seasons(DAY, settings)] == [2024, 2023, 2022]
    assert past_seasons(DAY, settings)[-1] == identity_start(DAY)
    assert [d.year for d in past_seasons(DAY, replace(settings, training_seasons=5))] == [
        2024,
        2023,
        2022,
        2021,
        2020,
    ]
    assert past_seasons(DAY, replace(settings, first_date=date(2025, 10, 1))) == []


def test_an_unresponsive_site_gets_no_further_requests(world):
    begin(world, NOVEMBER)
    world.server.on("/stats/commonallplayers", Answer(b"blocked", 403))
    settings, feeds = live(world)
    outcomes = {s.name: d for s, d in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None)}
    assert "not requested" in outcomes["box scores 2024-25"].failures[0]
    assert not [a for p, a in world.server.asked if p.endswith("leaguegamelog")]
    world.server.on("/stats/scheduleleaguev2", Answer(b"blocked", 403))
    for path in Path(".nba_props/landing/nba_stats/scheduleleaguev2").iterdir():
        path.unlink()
    result = typed("nba-props start")
    assert result.exit_code == 1
    assert "Set NBA_API_PROXY, or type `nba-props start` again later" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"message": "hello"}), "WRONG_SHAPE"),
        (
            Answer(payloads.game_log("2024-25", "Regular Season", DAY, [])),
            "games were played and the site returned no rows",
        ),
    ],
    ids=["no game log", "no rows"],
)
def test_a_bad_season_is_an_error_of_its_own_and_not_an_unresponsive_site(world, answer, said):
    begin(world, NOVEMBER)
    world.server.on(
        "/stats/leaguegamelog", lambda asked: answer if asked["Season"] == "2024-25" else world.game_log(asked)
    )
    settings, feeds = live(world)
    outcomes = {s.name: d for s, d in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None)}
    assert said in outcomes["box scores 2024-25"].failures[0]
    assert outcomes["box scores 2023-24"].landed, "the seasons after it are asked for"
    assert outcomes["box scores 2022-23"].failures == []


def test_an_unreadable_schedule_is_reported_as_unreadable(world):
    begin(world, NOVEMBER)
    world.server.on(
        "/stats/scheduleleaguev2",
        lambda asked: (
            Answer({"leagueSchedule": {"seasonYear": "2024-25", "gameDates": 1}})
            if asked["Season"] == "2024-25"
            else world.schedule(asked)
        ),
    )
    settings, feeds = live(world)
    outcomes = {s.name: d for s, d in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None)}
    assert outcomes["box scores 2024-25"].failures == [
        "box scores 2024-25: not requested, the season's schedule can't be read"
    ]
    assert outcomes["box scores 2023-24"].landed


def test_a_bug_is_not_reported_as_an_unresponsive_site(world, monkeypatch):
    begin(world, NOVEMBER)
    monkeypatch.setattr(capture, "roster", lambda *_: {}["a mistake of ours"])
    result = typed("nba-props start")
    assert isinstance(result.exception, KeyError), "not swallowed, and not called the site's"


@pytest.fixture
def offline(monkeypatch) -> None:
    """Nothing listens where the feeds would be."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    for name, path in {"ODDS": "", "STATS": "/stats/{endpoint}", "CDN": "/cdn.json", "INJURY": ""}.items():
        monkeypatch.setenv(f"NBA_PROPS_{name}_URL", url + path)
    monkeypatch.setattr("nba_props.sources.http._ATTEMPTS_TO_CONNECT", 1)


@pytest.mark.parametrize(
    ("command", "failures"),
    [
        ("nba-props start", 1),
        (f"nba-props fetch stats {DAY - timedelta(30)}..{DAY}", 7),
        ("nba-props fetch injuries", 1),
        ("nba-props fetch odds 2024-11-10..2024-12-10", 1),
    ],
)
def test_the_error_on_a_machine_without_a_network_asks_whether_it_is_online(
    world, offline, monkeypatch, command, failures
):
    begin(world, NOVEMBER)
    asked: list[str] = []
    plain = http.Http._ask
    monkeypatch.setattr(http.Http, "_ask", lambda self, place, *rest: asked.append(place) or plain(self, place, *rest))
    result = typed(command)
    text = " ".join(result.output.split())
    assert result.exit_code == 1
    assert (
        "127.0.0.1 can't be reached (it refuses the connection, or there is no route to it; is this machine online?)"
        in text
    )
    assert len(asked) <= 2, "one request, and the schedule's second place"
    assert text.count("failed") + text.count("Error:") == failures
    if command == "nba-props start":
        assert text.endswith("Type `nba-props start` again once it is")


def test_past_odds_stop_at_the_first_request_that_fails(world, offline):
    begin(world, NOVEMBER)
    _, feeds = live(world)
    done = odds_history(feeds, [DAY - timedelta(n) for n in range(90)], [30])
    assert len(done.failures) == 2
    assert done.failures[1] == "89 more dates were not requested, since the host can't be reached"


def test_a_refused_key_ends_it_before_the_long_part(world):
    begin(world, NOVEMBER)
    world.server.on(EVENTS, Answer({"message": "unknown", "error_code": "INVALID_KEY"}, 401))
    result = typed("nba-props start")
    assert result.exit_code == 1
    assert "INVALID_KEY (401)" in result.output
    assert not [p for p in world.server.paths() if p.endswith("leaguegamelog")]


# -- two leagues, two homes -------------------------------------------------------------------------------------------


def pasted(result, command: str) -> str:
    """The line to type in a refusal."""
    assert result.exit_code == 1, result.output
    said = " ".join(result.output.split("\n"))
    (line,) = re.findall(rf"Type: (.*?)(?:   and then: {command}|$)", said.strip())
    return line


def simulated(home: str) -> None:
    LandingZone(f"{home}/landing").land("landing.json", {"data_source": "SIMULATED"})


def in_a_shell(line: str) -> None:
    """Type a line, and take over what it leaves in the environment and in .env."""
    done = subprocess.run(["sh", "-c", f"{line} && env -0"], check=True, capture_output=True, text=True)
    for pair in done.stdout.split("\0"):
        name, _, value = pair.partition("=")
        if name.startswith("NBA_PROPS_"):
            os.environ[name] = value
    env_file.load()


def test_a_home_that_env_names_for_real_data_refuses_a_simulated_league(world, monkeypatch):
    begin(world, NOVEMBER, "ODDS_API_KEY", "NBA_PROPS_STATS")
    with Path(".env").open("a") as file:
        file.write("NBA_PROPS_HOME=.nba_props_real\n")
    env_file.load()
    result = typed("nba-props demo")
    assert pasted(result, "") == f"NBA_PROPS_HOME={Path.cwd() / '.nba_props_demo'} nba-props demo"
    assert "is named for real data in .env" in result.output.replace("\n", " ")
    assert not Path(".nba_props_real").exists()
    monkeypatch.setenv("NBA_PROPS_HOME", str(Path.cwd() / ".nba_props_demo"))
    settings = load_settings()
    day_one.require_simulated(settings, LandingZone(settings.landing), None)
    assert here(settings) == f"NBA_PROPS_HOME={settings.home} nba-props", "what is typed next is of this home"
    monkeypatch.setenv("NBA_PROPS_STATS", "on")
    assert "is named for real data, and" in typed("nba-props demo").output.replace("\n", " ")
    monkeypatch.delenv("NBA_PROPS_HOME")
    settings = load_settings()
    day_one.require_simulated(settings, LandingZone(settings.landing), None)  # the usual home is the demo's


def test_real_payloads_and_a_simulated_league_never_share_a_home(world):
    begin(world, NOVEMBER)
    settings, feeds = live(world)
    next(day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None))
    before = sorted(Path(".nba_props").rglob("*"))
    result = typed("nba-props demo")
    assert "holds real data" in result.output
    assert pasted(result, "") == f"NBA_PROPS_HOME={Path.cwd() / '.nba_props_demo'} nba-props demo"
    assert sorted(Path(".nba_props").rglob("*")) == before
    with pytest.raises(SettingsError, match="holds real data"):
        day_one.require_simulated(replace(settings, landing="elsewhere"), LandingZone("elsewhere"), "REAL")
    assert typed("nba-props simulate --out .nba_props/landing").exit_code == 1
    # the other way round, for any command
    simulated("taken")
    real = replace(feeds, zone=LandingZone("taken/landing"))
    for ask in (
        *(partial(feed.require, real) for feed in registry.feeds()), lambda: day_one.plan(settings, real, odds=False),
    ):  # fmt: skip
        with pytest.raises(
            SettingsError, match="real payloads are not landed beside it: `nba-props start` prints the line"
        ):
            ask()
    assert [p.name for p in Path("taken/landing").iterdir()] == ["landing.json"]


@pytest.mark.parametrize("how", ["usual", "in .env", "exported", "landing exported"])
def test_after_any_simulated_league_start_has_one_line_to_paste(world, monkeypatch, how):
    begin(world, NOVEMBER)
    simulated(".nba_props_real")
    if how == "usual":
        simulated(".nba_props")
    elif how == "in .env":
        with Path(".env").open("a") as file:
            file.write("NBA_PROPS_HOME=.nba_props_real")  # and no end of the line
        env_file.load()
    elif how == "exported":
        monkeypatch.setenv("NBA_PROPS_HOME", ".nba_props_real")
    else:
        monkeypatch.setenv("NBA_PROPS_LANDING", str(Path(".nba_props_real/landing").absolute()))
    in_a_shell(pasted(typed("nba-props start"), "nba-props start"))
    if how == "in .env":
        for name in ("NBA_PROPS_HOME", env_file.KEPT):  # another process
            monkeypatch.delenv(name, raising=False)
        env_file.load()
    again = typed("nba-props start --dry-run")
    assert again.exit_code == 0, again.output
    settings = load_settings()
    assert settings.home.name == ".nba_props_real_2", "the first name was taken by the simulated league"
    assert settings.landing == str(settings.home / "landing")
    assert env_file.read(Path(".env"))["NBA_PROPS_STATS"] == "on"


# -- locked doors -----------------------------------------------------------------------------------------------------


def test_a_home_of_the_simulated_league_names_the_line_to_type(world):
    begin(world, NOVEMBER)
    LandingZone(".nba_props/landing").land("landing.json", {"data_source": "SIMULATED"})
    result = typed("nba-props start")
    assert result.exit_code == 1
    (line,) = re.findall(r"Type: (echo .*? >> \S+)   and then: nba-props start", " ".join(result.output.split(" ")))
    subprocess.run(["sh", "-c", line], check=True)
    assert env_file.read(Path(".env"))["NBA_PROPS_HOME"] == str(Path.cwd() / ".nba_props_real")
    env_file.load()
    assert typed("nba-props start --dry-run").exit_code == 0


def test_a_switched_off_site_names_the_line_to_type(world):
    begin(world, NOVEMBER, "NBA_PROPS_STATS")
    plan = typed("nba-props start --dry-run")
    assert plan.exit_code == 0, "a plan sends no request"
    assert "tonight's odds: 16 requests" in plan.output
    assert "Type: echo NBA_PROPS_STATS=on >>" in plan.output
    result = typed("nba-props start")
    assert result.exit_code == 1
    assert f"Type: echo NBA_PROPS_STATS=on >> {Path.cwd() / '.env'}" in result.output.replace("\n", " ")


def test_fetch_odds_fetches_its_schedule_or_names_the_command_that_does(world, monkeypatch):
    begin(world, NOVEMBER)
    result = typed("nba-props fetch odds")
    assert result.exit_code == 0, result.output
    assert "landed    2 payloads" in result.output
    assert LandingZone(".nba_props/landing").names(nba_stats.SCHEDULE_FOLDER)
    monkeypatch.setenv("NBA_PROPS_STATS", "off")
    refused = typed("nba-props fetch odds 2024-11-12")
    assert refused.exit_code == 1
    assert "`nba-props start` fetches it, with NBA_PROPS_STATS=on" in refused.output.replace("\n", " ")
    unscheduled = typed("nba-props run 2024-11-12")
    assert unscheduled.exit_code == 1
    assert "`nba-props start` fetches" in unscheduled.output


def next_of(now: datetime) -> tuple[str, str]:
    """The doctor's finding about today, and its next command."""
    settings = load_settings()
    zone = LandingZone(settings.landing)
    found = examine(settings, zone, open_warehouse(settings), lambda: now, ask=False)
    return next((f.text for f in found if f.what == "today"), ""), next_command(found, zone)


def test_the_doctor_distinguishes_a_home_before_the_season_from_a_stopped_start(world):
    summer = utc(2025, 10, 10, 17)
    begin(world, summer, "ODDS_API_KEY")
    assert next_of(summer) == ("", "nba-props start"), "nothing is there"
    settings, feeds = live(world)
    steps = day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None)
    next(steps)
    printed, command = next_of(summer)
    assert printed.startswith("no games on 2025-10-10; next games on 2025-10-21; not landed yet: schedule 2024-25")
    assert command == "nba-props start"
    assert [f for _, done in steps for f in done.failures] == []
    assert next_of(summer) == ("no games on 2025-10-10; next games on 2025-10-21", "nba-props dev")


@pytest.mark.parametrize("without", [(), ("ODDS_API_KEY",), ("ODDS_API_KEY", "NBA_PROPS_STATS")], ids=len)
def test_the_doctor_of_a_season_under_way_names_start_until_tonight_is_predicted(world, without):
    begin(world, NOVEMBER, *without)
    _, feeds = live(world)
    settings = load_settings()
    feeds = replace(feeds, live=replace(feeds.live, stats=True))
    for _ in day_one.fetch(day_one.plan(settings, feeds).steps, lambda _: None):
        pass
    assert next_of(NOVEMBER) == (f"2 games of {DAY} to begin, not predicted yet", "nba-props start")
    assert "nba-props run" not in typed("nba-props doctor --offline").output


@pytest.mark.parametrize("day", ["today", "tomorrow", "2025-11-10"])
def test_every_command_on_an_empty_home_points_to_start(world, day):
    begin(world, NOVEMBER)
    refused = typed(f"nba-props run {day}")
    assert (refused.exit_code, refused.output.count("nba-props start")) == (1, 1)
    looked = typed(f"nba-props board {day}")
    assert "`nba-props start` creates a home for the real league" in looked.output


def test_in_a_simulated_home_today_and_tomorrow_are_refused_alike(world):
    begin(world, NOVEMBER)
    manifest = {"data_source": "SIMULATED", "first_date": "2024-10-20", "last_date": "2025-04-12"}
    LandingZone(".nba_props/landing").land("landing.json", manifest)
    said = {d: typed(f"nba-props run {d}").output.partition(" is ")[2] for d in ("today", "tomorrow")}
    assert said["today"] == said["tomorrow"]
    assert "after the simulated league's last date, 2025-04-12" in said["today"].replace("\n", " ")


# -- the whole story --------------------------------------------------------------------------------------------------


def published(day: date):
    return open_warehouse(load_settings()).query(
        "SELECT system_id, player_id, has_prop_line, forecast FROM nba_predictions.ledger "
        "WHERE game_date BETWEEN @first AND @last",
        first=day,
        last=day,
    )


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("now", [NOVEMBER, OPENING], ids=["november", "opening-night"])
def test_the_commands_of_the_page_lead_to_a_board(world, now):
    begin(world, now)
    plan, start, doctor = (typed(command) for command in block("bash"))
    assert plan.exit_code == 0, plan.output
    assert start.exit_code == 0, start.output
    assert f"Slate of {world.today}: 24 players with a line" in start.output
    assert "nba-props dev" in start.output
    rows = published(world.today)
    assert len(rows), start.output
    assert rows["has_prop_line"].sum() >= 24
    forecasts = rows[rows["forecast"].notna()].groupby("system_id").size()
    assert week_of(world.today) in ModelStore(load_settings().models).weeks("catboost_v8")
    if now == NOVEMBER:
        assert {"catboost_v8", "xgboost_v1", "ensemble_v1"} <= set(forecasts.index)
        out = [league.player(g.home, OUT)[0] for g in games_of("2025-26") if g.day == world.today]
        assert rows.loc[rows["player_id"].isin(out), "forecast"].isna().all(), "the injury report was read"
    else:
        assert "shrunk_rate_v1" in set(forecasts.index), "there are no averages of this season yet"
    assert doctor.exit_code == 0, doctor.output
    assert "498 credits left, 50 of them in reserve" in doctor.output
    assert "next: nba-props dev" in doctor.output
    again = typed("nba-props start")
    assert again.exit_code == 0, again.output
    assert world.remaining == 498
    assert len(published(world.today)) == len(rows), "nothing is made again"
    assert KEY not in plan.output + start.output + doctor.output + again.output


#: the program, in November
PROGRAM = """
import sys
from datetime import datetime
from nba_props.process import stopping
stopping.listen()
from nba_props.__main__ import _read_environment
_read_environment()
import nba_props.deployment
nba_props.deployment.utc_now = lambda: datetime.fromisoformat("2025-11-10T17:00:00+00:00")
from nba_props.cli import main
from nba_props.cli.session import here
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_start_can_be_stopped_at_any_moment_and_run_again(world, how):
    begin(world, NOVEMBER)
    reached, go_on = threading.Event(), threading.Event()

    def slow(asked: dict[str, str]) -> Answer:
        if asked["Season"] == "2023-24":
            reached.set()
            go_on.wait(60)
        return world.game_log(asked)

    world.server.on("/stats/leaguegamelog", slow)
    command = [sys.executable, "-c", PROGRAM, "start"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=in_front,  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert reached.wait(60)
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    go_on.set()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "stopped: landed payloads are kept, `nba-props start` continues from there" in said
    assert world.remaining == 498
    plan = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True).stdout
    assert "box scores 2023-24" in plan
    assert "box scores 2022-23" in plan
    assert "box scores 2024-25" not in plan
    assert "tonight's odds: 1 request\n" in plan
    assert "; 0 credits at most" in plan


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("now", [NOVEMBER, OPENING], ids=["november", "opening-night"])
def test_a_season_without_the_seasons_before_it_can_be_predicted(world, now):
    """Only this season is landed, and no schedule of the last one, into which the look-back reaches."""
    begin(world, now)
    assert typed(f"nba-props fetch stats {league.FIRST}..{world.today} --no-shot-zones").exit_code == 0
    assert typed("nba-props fetch odds").exit_code == 0
    result = typed(f"nba-props run {world.today}")
    assert result.exit_code == 0, result.output
    assert "24 players with a line" in result.output
    if now == OPENING:
        assert "0 games of players before 2025-10-20" in result.output or "no box scores before it" in result.output


@pytest.mark.slow
@pytest.mark.long
def test_start_prepares_a_day_off_and_a_night_that_has_begun(world):
    begin(world, NOVEMBER + timedelta(1), "ODDS_API_KEY")
    result = typed("nba-props start")
    assert result.exit_code == 0, result.output
    assert f"no games on {DAY + timedelta(1)}" in result.output
    assert f"games on {DAY + timedelta(2)}: type `nba-props start` that day" in result.output
    assert len(open_warehouse(load_settings()).read(raw.BOX_SCORES, [DAY])), "what was landed is loaded"
    world.now = league.tipoff(DAY + timedelta(2), 23)
    late = landed_games_of(LandingZone(load_settings().landing), world.now)
    assert (late.today, late.to_begin) == (2, 0)
    assert day_one.waiting(late, world.today)[0].startswith(f"today     all games of {DAY + timedelta(2)} have begun")
    assert day_one.waiting(None, world.today)[0].endswith("when the season begins")
    assert Live().stats is False
