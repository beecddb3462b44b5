"""One bad entry of a feed costs itself and nothing else; credits are counted from below whatever a server says."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from nba_props.settings import Live
from nba_props.sources import odds_api
from nba_props.sources.base import LiveFeeds
from nba_props.sources.nba_stats import capture as stats_fetch
from nba_props.sources.odds_api import capture
from nba_props.sources.odds_api.client import Budget, BudgetExhausted, Credits, OddsApi, OddsApiError
from nba_props.sources.odds_api.feed import odds_history
from nba_props.storage.landing import LandingZone
from nba_props_tests import league
from nba_props_tests.conftest import DAY
from nba_props_tests.sources.fake_server import Answer
from nba_props_tests.sources.nba_stats.test_client import DAYS, NOW, log
from nba_props_tests.sources.odds_api.test_client import EVENTS, GAMES, KEY, NOON, credits, listed

BAD_EVENTS = [
    None, 7, "text", [], {}, {"id": "x"}, {"id": None, "commence_time": "2025-11-11T00:00:00Z"},
    {"id": {"a": 1}, "commence_time": "2025-11-11T00:00:00Z"}, {"id": "x", "commence_time": None},
    {"id": "x", "commence_time": 17}, {"id": "x", "commence_time": "soon"}, {"id": "x", "commence_time": "0001-01-01"},
    {"id": "x", "commence_time": "9999-12-31T23:59:59+00:00"}, {"id": "x", "commence_time": "2025-11-11T00:00:00"},
    {"id": "x", "commence_time": "x" * 100_000},
]  # fmt: skip


@pytest.fixture
def api(server, waits) -> OddsApi:
    return OddsApi(KEY, Budget(reserve=20), server.url, waits.append)


def live(server) -> None:
    for game in GAMES:
        server.on(f"{EVENTS}/{game.event_id}/odds", Answer(league.capture(game, 60)[1]["data"], headers=credits(400)))
        server.on(
            f"/historical{EVENTS}/{game.event_id}/odds", Answer(league.capture(game, 33)[1], headers=credits(400))
        )


def test_bad_events_among_good_ones_are_noted_and_the_good_ones_landed(server, api, zone):
    live(server)
    entries = [*BAD_EVENTS, *(listed(g) for g in GAMES)]
    server.on(EVENTS, Answer(entries))
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert len(done.landed) == len(GAMES)
    assert len(done.failures) == len(BAD_EVENTS)
    assert all(f.startswith(f"game {n} of the list: ") for n, f in enumerate(done.failures, 1))
    assert max(map(len, done.failures)) < 200
    server.on(
        f"/historical{EVENTS}", Answer({"timestamp": "2025-11-10T15:00:00Z", "data": entries}, headers=credits(500))
    )
    past = capture.history(api, zone, DAY, (30,), "us")
    assert (len(past.landed), len(past.failures)) == (len(GAMES), len(BAD_EVENTS))


def test_what_cannot_be_stored_is_not_bought(server, api, zone, monkeypatch):
    """A full disk: what was asked for already is lost, and no credit is spent on more."""
    live(server)
    server.on(EVENTS, Answer([listed(g) for g in GAMES]))
    monkeypatch.setattr(capture, "CONCURRENCY", 1)
    monkeypatch.setattr(zone, "land", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert done.landed == []
    assert "No space left on device" in done.failures[0]
    assert done.failures[1:] == [f"{len(GAMES) - 1} more were not requested, since nothing can be landed"]
    assert sum(path.endswith("/odds") for path, _ in server.asked) == 1


def test_a_temporary_error_affects_one_event(server, api, zone, monkeypatch):
    live(server)
    server.on(EVENTS, Answer([listed(g) for g in GAMES]))
    land, asked = zone.land, []

    def flaky(*args):
        asked.append(args)
        if len(asked) == 1:
            raise OSError(5, "Input/output error")
        return land(*args)

    monkeypatch.setattr(zone, "land", flaky)
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert len(done.landed) == len(GAMES) - 1
    assert len(done.failures) == 1


def test_a_file_in_the_place_of_a_folder_does_not_count_as_an_existing_capture(server, api, zone):
    """It cost the credits of each capture, and was counted as landed before."""
    live(server)
    server.on(EVENTS, Answer([listed(g) for g in GAMES]))
    folder = Path(zone.root) / odds_api.folder(DAY)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert (done.landed, done.present) == ([], 0)
    assert f"{folder} is not a folder" in done.failures[0]


@pytest.mark.parametrize("event_id", ["..", ".", "", "\x00", "a\nb", "x" * 5_000, "\ud800"])
def test_an_id_that_is_not_a_path_segment_is_not_requested(server, api, event_id):
    for ask in (
        lambda: api.event_odds(event_id, "player_points", "us"),
        lambda: api.historical_event_odds(event_id, NOON, "player_points", "us"),
    ):
        with pytest.raises(OddsApiError, match="BAD_EVENT_ID") as failure:
            ask()
        assert len(str(failure.value)) < 200
    assert server.asked == []


@pytest.mark.parametrize("event_id", ["../../../v3/x", "a/b", "a?apiKey=x", "a#b", "a b", "%2e%2e", "é"])
def test_an_id_stays_one_segment_of_the_path(server, api, event_id):
    with pytest.raises(OddsApiError, match=r"UNKNOWN \(404\)"):
        api.event_odds(event_id, "player_points", "us")
    ((path, parameters),) = server.asked
    assert path.startswith(f"{EVENTS}/")
    assert path.endswith("/odds")
    assert path.count("/") == EVENTS.count("/") + 2
    assert parameters["apiKey"] == KEY


@pytest.mark.parametrize("data", ["missing", None, {}, "x", 7, {"id": "e"}])
def test_an_invalid_list_of_the_archive_is_noted(server, api, zone, data):
    envelope = {} if data == "missing" else {"data": data}
    server.on(f"/historical{EVENTS}", Answer(envelope, headers=credits(400)))
    done = capture.history(api, zone, DAY, (30,), "us")
    assert done.landed == []
    assert done.failures == [
        f"the games: a list was expected, not {type(None if data == 'missing' else data).__name__}"
    ]


@pytest.mark.parametrize("stamp", [{}, {"timestamp": None}, {"timestamp": "soon"}, {"timestamp": ["x"]}])
def test_a_snapshot_without_an_instant_does_not_affect_the_others(server, api, zone, stamp):
    live(server)
    first, second = GAMES
    snapshot = {k: v for k, v in league.capture(first, 33)[1].items() if k != "timestamp"}
    server.on(f"/historical{EVENTS}/{first.event_id}/odds", Answer({**snapshot, **stamp}, headers=credits(400)))
    server.on(f"/historical{EVENTS}", Answer({"data": [listed(g) for g in GAMES]}, headers=credits(500)))
    done = capture.history(api, zone, DAY, (30,), "us")
    assert [second.event_id in path for path in done.landed] == [True]
    assert len(done.failures) == 1
    assert first.event_id in done.failures[0]
    assert "timestamp" in done.failures[0]


def feeds(server, tmp_path) -> LiveFeeds:
    return LiveFeeds(Live(odds_key=KEY, odds_url=server.url), LandingZone(str(tmp_path)), lambda: NOON)


def test_a_date_whose_games_cannot_be_fetched_does_not_affect_the_others(server, tmp_path, monkeypatch):
    live(server)
    monkeypatch.setattr("time.sleep", lambda _: None)
    valid = Answer({"data": [listed(g) for g in GAMES]}, headers=credits(500))
    bad = Answer([], headers=credits(500))
    server.on(f"/historical{EVENTS}", bad, valid, bad)
    days = [DAY - timedelta(1), DAY, DAY + timedelta(1)]
    done = odds_history(feeds(server, tmp_path), days, (30,))
    assert len(done.landed) == len(GAMES)
    assert [f[:10] for f in done.failures] == [str(days[0]), str(days[2])]


def test_a_key_that_is_refused_midway_does_not_hide_what_was_landed(server, tmp_path):
    live(server)
    refused = Answer({"error_code": "DEACTIVATED_KEY"}, 401)
    server.on(f"/historical{EVENTS}", Answer({"data": [listed(g) for g in GAMES]}, headers=credits(500)), refused)
    done = odds_history(feeds(server, tmp_path), [DAY, DAY + timedelta(1), DAY + timedelta(2)], (30,))
    assert len(done.landed) == len(GAMES)
    assert len(done.failures) == 1
    assert "DEACTIVATED_KEY" in done.failures[0]
    with pytest.raises(OddsApiError, match="DEACTIVATED_KEY"):
        odds_history(feeds(server, tmp_path), [DAY], (30,))


# -- box scores


def test_rows_without_a_date_are_counted_and_the_others_landed():
    content = log()
    result = content["resultSets"][0]
    whole, failures = stats_fetch.split_by_date(content)
    assert (sorted(whole), failures) == (DAYS, [])
    bad = [None, 7, "text", {}, [], [None] * 40, ["x"] * 40, [{}] * 40]
    damaged = {
        **content,
        "resultSets": [None, "x", {"name": "LeagueGameLog"}, {**result, "rowSet": [*bad, *result["rowSet"]]}],
    }
    found, failures = stats_fetch.split_by_date(damaged)
    assert {d: c["resultSets"][0]["rowSet"] for d, c in found.items()} == {
        d: c["resultSets"][0]["rowSet"] for d, c in whole.items()
    }
    assert failures == [f"{len(bad)} of {len(bad) + len(result['rowSet'])} rows of the game log have no date"]


@pytest.mark.parametrize(
    "results",
    [[None], [7], [{}], [{"name": "LeagueGameLog"}], [{"name": "LeagueGameLog", "headers": "GAME_DATE", "rowSet": []}],
     [{"headers": ["GAME_DATE"], "rowSet": {"a": 1}}], [{"headers": None, "rowSet": None}], [[["GAME_DATE"]]]],
)  # fmt: skip
def test_a_game_log_without_a_table_is_a_failure_without_a_traceback(server, waits, zone, results):
    from nba_props.sources.nba_stats.client import StatsApi

    server.on("/stats/leaguegamelog", Answer({"resultSets": results}))
    api = StatsApi(base_url=server.url + "/stats/{endpoint}", sleep=waits.append)
    done = stats_fetch.box_scores(api, zone, [DAY], lambda: NOW)
    assert done.landed == []
    assert len(done.failures) == 4, "one for each season type"
    assert all("WRONG_SHAPE" in f for f in done.failures)


def test_half_a_surrogate_pair_is_landed_unchanged(zone):
    content = {"name": "x\ud800y", "text": "é"}
    payload = zone.land("nba_stats/x.json", content)
    assert zone.load(payload) == content
    assert json.loads(zone.load_bytes(payload).decode("utf-8")) == content, "what others read, too"


# -- credits


def reported(remaining: int | None = None, last: int | None = None) -> Credits:
    return Credits(remaining, last)


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("no header ever", reported(), reported()),
        ("headers that vanish", reported(30), reported()),
        ("what is left grows", reported(30), reported(10_000)),
        ("what is left stands still", reported(30), reported(30, 0)),
        ("nothing costs anything", reported(30), reported(30, 0)),
        ("no answer at all", reported(30), None),
    ],
)
def test_ten_credits_above_the_reserve_are_ten_requests(name, first, then):
    budget = Budget(reserve=20)
    budget.settle(0, first)
    sent = 0
    with suppress(BudgetExhausted):
        for _ in range(100):
            budget.ask(1)
            budget.settle(1, then)
            sent += 1
    assert sent == 10
    with pytest.raises(BudgetExhausted, match=r"reserve of 20 \(NBA_PROPS_ODDS_RESERVE\)"):
        budget.ask(1)
    assert budget.spent >= 0
    budget.ask(0)  # what is free is always asked


def test_what_is_under_way_counts_too():
    budget = Budget(reserve=20)
    for _ in range(10):
        budget.ask(1)
    with pytest.raises(BudgetExhausted, match="the balance is unknown, with 10 under way"):
        budget.ask(1)
    budget.settle(1, reported(500))
    budget.ask(1)


def test_a_request_that_cost_more_than_its_price_counts_at_its_cost():
    budget = Budget(reserve=20)
    budget.settle(0, reported(100))
    budget.ask(1)
    budget.settle(1, reported(None, 75))
    assert budget.spent == 75
    budget.ask(5)
    with pytest.raises(BudgetExhausted):
        budget.ask(1)


@pytest.mark.parametrize(
    ("text", "remaining"),
    [("99", 99), ("99.5", 99), ("0", 0), ("-3000", 0), ("inf", None), ("nan", None), ("", None), ("1e30", None),
     ("9" * 400, None), ("1,000", None), ("٣", None), ("0x10", None), (" 7", None)],
)  # fmt: skip
def test_headers_of_every_kind(server, waits, text, remaining):
    said = {f"x-requests-{n}": text.encode().decode("latin-1") for n in ("remaining", "used", "last")}
    server.on(EVENTS, Answer([], headers=said))
    api = OddsApi(KEY, Budget(reserve=0), server.url, waits.append)
    api.events(NOON, NOON)
    assert api.budget.remaining == (7 if text == " 7" else remaining)
    assert api.budget.spent >= 0
