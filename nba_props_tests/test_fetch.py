"""``nba-props fetch`` and ``doctor``: a plan with its cost first, and advice that helps."""

from __future__ import annotations

import io
import os
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner
from rich.console import Console

from nba_props.cli import main, printing
from nba_props.deployment import load_settings
from nba_props.facts.calendar import EASTERN
from nba_props.facts.rhythm import FULL, THRIFTY
from nba_props.operations import doctor
from nba_props.operations.doctor import Examination, examine, next_command
from nba_props.settings import Live, SettingsError
from nba_props.simulator import payloads
from nba_props.sources.base import LiveFeeds
from nba_props.sources.odds_api import times
from nba_props.sources.odds_api.feed import odds
from nba_props.storage.landing import LandingZone, Payload
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc
from nba_props_tests.sources.fake_server import Answer
from nba_props_tests.sources.odds_api.test_client import EVENTS, GAMES, KEY, credits, listed

OTHER = DAY + timedelta(2)


@pytest.fixture
def home(tmp_path, monkeypatch, server):
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER", "ODDS_API", "SLACK"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NBA_PROPS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    monkeypatch.setenv("NBA_PROPS_ODDS_URL", server.url)
    monkeypatch.setenv("NBA_PROPS_STATS_URL", server.url + "/stats/{endpoint}")
    monkeypatch.setenv("NBA_PROPS_CDN_URL", server.url + "/cdn.json")
    monkeypatch.setenv("NBA_PROPS_INJURY_URL", server.url)
    return tmp_path


def invoke(*arguments: str):
    return CliRunner().invoke(main, list(arguments))


def land_schedule(home) -> LandingZone:
    zone = LandingZone(str(home / "landing"))
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz", league.schedule(league.games(), league.FIRST))
    return zone


def test_the_plan_and_its_cost_are_shown_before_any_request(home, server, monkeypatch):
    land_schedule(home)
    result = invoke("fetch", "odds", f"{DAY}..{OTHER}", "--before", "240,30", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "3 past dates, 4 games, 2 snapshots each: at most 83 credits" in result.output
    assert "50 credits are never spent" in result.output
    assert server.asked == []
    refused = invoke("fetch", "odds", str(DAY))
    assert refused.exit_code == 1
    assert "ODDS_API_KEY is not set" in refused.output


def test_past_odds_are_bought_and_spending_stops_at_the_reserve(home, server, monkeypatch):
    zone = land_schedule(home)
    monkeypatch.setenv("ODDS_API_KEY", KEY)
    envelope = {"timestamp": "2025-11-10T14:55:40Z", "data": [listed(g) for g in GAMES]}
    server.on(f"/historical{EVENTS}", Answer(envelope, headers=credits(90)))
    for game in GAMES:
        snapshot = league.capture(game, 33)[1]
        server.on(f"/historical{EVENTS}/{game.event_id}/odds", Answer(snapshot, headers=credits(80, 10)))
    result = invoke("fetch", "odds", f"{DAY}..{OTHER}")
    assert "landed    2 payloads, 0 already there" in result.output
    assert result.exit_code == 0, result.output  # the other dates have no games of theirs in the archive
    assert KEY not in result.output
    assert len(zone.list(f"the_odds_api/player_points/{DAY}")) == 2
    server.on(f"/historical{EVENTS}", Answer(envelope, headers=credits(55)))
    stopped = invoke("fetch", "odds", f"{DAY}..{OTHER}", "--before", "300")
    assert stopped.exit_code == 1
    assert "reserve of 50" in stopped.output


def test_events_whose_start_is_to_be_decided_are_captured(home, server):
    """Midnight Eastern does not count as a start that is past."""
    zone, (known, undecided) = LandingZone(str(home / "landing")), GAMES
    (home / "landing").mkdir()
    server.on(EVENTS, Answer([listed(known), {**listed(undecided), "commence_time": f"{DAY}T05:00:00Z"}]))
    for game in GAMES:
        server.on(f"{EVENTS}/{game.event_id}/odds", Answer(league.capture(game, 60)[1]["data"], headers=credits(400)))
    feeds = LiveFeeds(Live(odds_key=KEY, odds_url=server.url), zone, lambda: utc(2025, 11, 10, 17))
    assert len(odds(feeds, DAY).landed) == 2
    later = replace(feeds, clock=lambda: known.tipoff_at - timedelta(minutes=5))
    assert len(odds(later, DAY, known.tipoff_at).landed) == 2, "it may be of any tip-off"
    begun = replace(feeds, clock=lambda: known.tipoff_at + timedelta(minutes=1))
    assert [Payload(p).subject for p in odds(begun, DAY).landed] == [undecided.event_id]


def test_a_night_whose_tipoffs_are_to_be_decided_is_captured_hourly():
    hours = [f"{d.at.astimezone(EASTERN):%H:%M}" for d in times.captures_of(DAY, [], FULL, undecided=2)]
    assert hours == [f"{h}:00" for h in range(10, 23)]
    both = times.captures_of(DAY, [GAMES[0].tipoff_at], FULL, undecided=1)
    assert [d.tipoff for d in both if d.tipoff] == [GAMES[0].tipoff_at] * 2, "60 minutes before is a full hour"
    assert f"{both[-1].at.astimezone(EASTERN):%H:%M}" == "22:00"
    assert times.price_of_day(DAY, [], "us,us2", FULL, undecided=2) == 13 * 2 * 2
    assert times.price_of_day(DAY, [GAMES[0].tipoff_at], "us", THRIFTY, undecided=1) == 3, "no tip-off is known of one"


def test_a_wrong_key_is_one_sentence(home, server, monkeypatch):
    monkeypatch.setenv("ODDS_API_KEY", KEY)
    land_schedule(home)
    server.on(f"/historical{EVENTS}", Answer({"message": f"key {KEY} unknown", "error_code": "INVALID_KEY"}, 401))
    result = invoke("fetch", "odds", str(DAY))
    assert result.exit_code == 1
    assert "Error: INVALID_KEY (401)" in result.output
    assert KEY not in result.output


def test_statistics_are_landed_and_a_run_loads_them(home, server, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_STATS", "on")
    monkeypatch.setattr("nba_props.sources.nba_stats.client.PAUSE", 0.0)
    rows = [r for g in GAMES for r in league.log_rows(g)]
    full = payloads.game_log(league.SEASON, "Regular Season", DAY, rows)
    empty = payloads.game_log(league.SEASON, "Regular Season", DAY, [])
    server.on("/stats/leaguegamelog", lambda asked: Answer(full if asked["SeasonType"] == "Regular Season" else empty))
    server.on("/stats/scheduleleaguev2", Answer(league.schedule(league.games(), OTHER)))
    server.on(
        "/stats/commonallplayers", Answer({"resultSets": [{"name": "CommonAllPlayers", "headers": [], "rowSet": []}]})
    )
    result = invoke("fetch", "stats", str(DAY), "--no-shot-zones")
    assert result.exit_code == 0, result.output
    assert "landed    3 payloads" in result.output
    server.on(
        "/stats/boxscorescoringv3",
        lambda asked: Answer(league.scoring(next(g for g in GAMES if g.game_id == asked["GameID"]))),
    )
    zones = invoke("fetch", "stats", str(DAY))
    assert zones.exit_code == 0, zones.output
    assert len(LandingZone(str(home / "landing")).names(f"nba_stats/boxscorescoringv3/{league.SEASON}")) == len(GAMES)
    again = invoke("fetch", "stats", str(DAY))
    assert again.exit_code == 0, again.output
    assert f"{2 + len(GAMES)} already there" in again.output or f"{3 + len(GAMES)} already there" in again.output


def test_the_error_of_a_switched_off_feed_names_its_setting(home):
    for feed in (["stats", str(DAY)], ["injuries"]):
        result = invoke("fetch", *feed)
        assert result.exit_code == 1
        assert "NBA_PROPS_STATS is off: set it to on" in result.output


def test_a_simulated_zone_refuses_real_payloads(home):
    LandingZone(str(home / "landing")).land("landing.json", {"data_source": "SIMULATED"})
    result = invoke("fetch", "odds")
    assert result.exit_code == 1
    assert "holds a simulated league" in result.output


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("NBA_PROPS_STATS", "yes", "it can be on or off"),
        ("NBA_PROPS_ODDS_RHYTHM", "lazy", "it can be full or thrifty"),
        ("NBA_PROPS_ODDS_RESERVE", "-1", "not a positive whole number"),
        ("NBA_PROPS_ODDS_URL", "http://odds.example.org/v4", "http://odds.example.org is refused: .* https://"),
        ("NBA_PROPS_STATS_URL", "stats.example.org/{endpoint}", "an address begins with https://"),
        (
            "SLACK_WEBHOOK_URL_ERROR",
            "http://me:s3cret@hooks.example.org/s3cret",
            "http://hooks.example.org is refused",
        ),
    ],
)
def test_an_invalid_setting_is_named(name, value, text):
    with pytest.raises(SettingsError, match=f"{name}.*{text}"):
        load_settings({name: value, "NBA_PROPS_FIRST_DATE": "2025-10-21"})


def test_no_text_of_the_settings_contains_a_secret():
    environ = {
        "ODDS_API_KEY": "s3cret",
        "SLACK_WEBHOOK_URL_ERROR": "https://h/s3cret",
        "NBA_API_PROXY": "http://u:s3cret@p",
    }
    settings = load_settings({**environ, "NBA_PROPS_FIRST_DATE": "2025-10-21"})
    assert settings.live.odds_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_the_doctor_shows_what_is_off_and_what_to_do(platform, server):
    found = {f.what: f for f in examine(platform.settings, platform.zone, platform.warehouse, lambda: platform.now)}
    assert found["The Odds API"].advice.startswith("ODDS_API_KEY is not set")
    assert found["stats.nba.com"].state == "off"
    assert found["schedule"].text == f"20 dates, {league.FIRST}..{DAY - timedelta(1)}"
    assert found["predictions"].state == "off"
    assert found["models"].state == "ok"
    assert not [f for f in found.values() if f.state == "bad"]

    server.on(EVENTS, Answer([], headers=credits(437, 0)))
    server.on("/stats/commonallplayers", Answer(b"blocked", 403))
    live = Live(odds_key=KEY, stats=True, odds_url=server.url, stats_url=server.url + "/stats/{endpoint}")
    on = platform.with_live(live)
    assert on.run("ingest_history", DAY).success
    asked = {f.what: f for f in examine(on.settings, on.zone, on.warehouse, lambda: on.now)}
    assert asked["The Odds API"].state == "ok"
    assert asked["The Odds API"].text == "answers, 437 credits left, 50 of them in reserve"
    assert asked["stats.nba.com"].advice == "it blocks many networks: set NBA_API_PROXY"
    assert asked["injury_report is fresh"].text.startswith("no injury report of")
    assert asked["the_odds_api is fresh"].state == "ok", "the league's captures are an hour before each tip-off"
    assert KEY not in str(asked)

    (on.zone._path / "landing.json").write_text('{"data_source": "SIMULATED"}')
    invented = examine(on.settings, LandingZone(on.zone.root), on.warehouse, lambda: on.now)
    assert not [f.what for f in invented if f.what.endswith("is fresh")], "an invented league has no feeds"


def test_the_doctor_of_an_empty_home(home):
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "bad landing zone: nothing at" in result.output
    assert "nba-props simulate" in result.output
    assert "off The Odds API: no key" in result.output
    assert "off stats.nba.com: switched off" in result.output
    assert result.output.rstrip().endswith("next: nba-props start")


def test_the_doctor_shows_the_state_of_each_key_whatever_else_is_missing(home, server, monkeypatch):
    monkeypatch.setenv("ODDS_API_KEY", KEY)
    monkeypatch.setenv("NBA_PROPS_STATS", "on")
    monkeypatch.setenv("ODDS_API_KEYS", "k")
    server.on(EVENTS, Answer([], headers=credits(431, 0)))
    server.on("/stats/commonallplayers", Answer(b"blocked", 403))
    said = invoke("doctor").output
    assert "ok  The Odds API: answers, 431 credits left, 50 of them in reserve" in said
    assert "bad stats.nba.com: REFUSED" in said
    assert "off environment: ODDS_API_KEYS is not a setting: did you mean ODDS_API_KEY?" in said
    assert "off alerts of severity WARN" in said
    server.on(EVENTS, Answer({"message": "no", "error_code": "INVALID_KEY"}, 401))
    assert "bad The Odds API: INVALID_KEY (401)" in invoke("doctor").output
    before = len(server.asked)
    offline = invoke("doctor", "--offline").output
    assert "off The Odds API: a key is set, no request was made" in offline
    assert "off stats.nba.com: switched on, no request was made" in offline
    assert len(server.asked) == before
    assert KEY not in said + offline


def test_the_doctor_shows_its_progress_in_a_terminal_while_it_waits(home, monkeypatch):
    screen = Console(file=io.StringIO(), width=80, force_terminal=True)
    monkeypatch.setattr(printing, "terminal", lambda **_: screen)
    seen = []

    def examine(*_, ask: bool) -> list[Examination]:
        until = time.monotonic() + 10
        while "checking the home" not in screen.file.getvalue() and time.monotonic() < until:
            time.sleep(0.02)
        seen.append((ask, screen.file.getvalue()))
        return [Examination("home", "ok", "empty")]

    monkeypatch.setattr(doctor, "examine", examine)
    for options in ([], ["--offline"]):
        screen.file = io.StringIO()
        invoke("doctor", *options)
        assert "home: empty" in screen.file.getvalue()
    assert [(asks, "and the feeds" in said) for asks, said in seen] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("simulated", "found", "expected"),
    [
        (False, [Examination("predictions", "off", "none")], "nba-props start"),
        (True, [Examination("predictions", "off", "none")], "nba-props demo"),
        (False, [Examination("predictions", "ok", "3 dates")], "nba-props dev"),
        (False, [Examination("f", "bad", "x", "nba-props doctor --repair"), Examination("predictions", "off", "none")],
         "nba-props doctor --repair"),
        (False, [Examination("the_odds_api is fresh", "bad", "x", "nba-props fetch odds, and is the daemon running?"),
                 Examination("today", "off", "x", "nba-props start")], "nba-props start"),
        (False, [Examination("nba_stats is fresh", "bad", "x", "nba-props fetch stats yesterday, and ...")],
         "nba-props fetch stats yesterday"),
        (False, [Examination("stats.nba.com", "bad", "x", "it blocks many networks"), Examination("predictions", "ok", "1 date")],
         "nba-props dev"),
    ],
)  # fmt: skip
def test_the_doctor_names_one_next_command(zone, simulated, found, expected):
    if simulated:
        zone.land("landing.json", {"data_source": "SIMULATED"})
    assert next_command(found, zone) == expected


def next_of(platform, now) -> tuple[dict[str, Examination], str]:
    found = examine(platform.settings, platform.zone, platform.warehouse, lambda: now, ask=False)
    return {f.what: f for f in found}, next_command(found, platform.zone)


def test_the_next_command_of_a_simulated_home_uses_its_own_dates(predicted):
    (predicted.settings.home / "lake" / "SOURCE").write_text("SIMULATED")
    predicted.zone.land("landing.json", {"data_source": "SIMULATED"})
    simulated = replace(predicted, zone=LandingZone(predicted.zone.root))
    found, command = next_of(simulated, utc(2031, 3, 3, 17))
    assert found["models"].state == "ok", "those of its newest date, whatever day it is"
    assert "today" not in found
    assert "nba-props start" not in str(found)
    assert command == "nba-props board"


def test_the_next_command_of_a_real_home_follows_its_evening(evening):
    found, command = next_of(evening, evening.now)
    assert (found["today"].state, command) == ("ok", "nba-props dev"), "predicted, and not begun"
    assert found["today"].text == f"2 games of {DAY}, predicted"
    morning = evening.now + timedelta(hours=17)
    found, command = next_of(evening, morning)
    assert found["today"].text.startswith(f"no games on {DAY + timedelta(1)}; next games on {OTHER}; not landed yet")
    assert command == "nba-props start", "which fetches the results"
    assert found["grades"].advice == f"nba-props fetch stats {DAY}"
    for day in {g.day for g in league.games() if g.day >= DAY}:
        league.land_log(evening.zone, day, [r for g in league.games() if g.day == day for r in league.log_rows(g)])
    found, command = next_of(evening, morning)
    assert (found["today"].state, found["grades"].state) == ("ok", "off")
    assert command == f"nba-props grade {DAY}"
    found, command = next_of(evening, morning + timedelta(days=1))
    assert found["today"].text == f"2 games of {OTHER} to begin, not predicted yet"
    assert command == "nba-props start"


def test_once_a_night_is_graded_the_next_command_is_dev(predicted):
    found, command = next_of(predicted, predicted.now + timedelta(hours=17))
    assert (found["grades"].text, command) == (f"through {DAY}", "nba-props dev")
