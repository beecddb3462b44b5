"""The Odds API as it answers and as it fails, on a server of our own."""

from __future__ import annotations

import logging
import traceback
from datetime import date, timedelta

import pytest

from nba_props.facts.calendar import EASTERN, game_date_of, parse_instant
from nba_props.facts.rhythm import FULL, RHYTHMS
from nba_props.sources import odds_api
from nba_props.sources.odds_api import capture, times
from nba_props.sources.odds_api.client import Budget, BudgetExhausted, OddsApi, OddsApiError, cost
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc
from nba_props_tests.sources.fake_server import Answer

KEY = "s3cr3t-k3y-of-12-34"
EVENTS = "/sports/basketball_nba/events"
GAMES = [g for g in league.games() if g.day == DAY]
NOON = utc(2025, 11, 10, 17)


def credits(remaining: int, last: int = 1) -> dict[str, str]:
    return {"x-requests-remaining": str(remaining), "x-requests-used": "9", "x-requests-last": str(last)}


def event(game: league.Game) -> dict:
    _, content = league.capture(game, 60)
    return content["data"]


def listed(game: league.Game) -> dict:
    return {k: v for k, v in event(game).items() if k != "bookmakers"}


@pytest.fixture
def api(server, waits) -> OddsApi:
    return OddsApi(KEY, Budget(reserve=20), server.url, waits.append)


def live(server, remaining: int = 400) -> None:
    server.on(EVENTS, Answer([listed(g) for g in GAMES]))
    for game in GAMES:
        server.on(f"{EVENTS}/{game.event_id}/odds", Answer(event(game), headers=credits(remaining)))


def test_the_open_games_of_a_date_are_captured_and_parsed(server, api, zone):
    live(server)
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert len(done.landed) == 2
    assert (done.failures, done.present, done.credits, done.remaining) == ([], 0, 2, 400)
    asked = dict(server.asked)
    assert asked[EVENTS]["commenceTimeFrom"] == "2025-11-10T05:00:00Z"
    assert asked[EVENTS]["commenceTimeTo"] == "2025-11-11T04:59:59Z"
    assert asked[f"{EVENTS}/{GAMES[0].event_id}/odds"] == {
        "markets": "player_points", "regions": "us", "oddsFormat": "american", "apiKey": KEY,
    }  # fmt: skip
    rows, rejects = odds_api.read_day(zone, DAY)
    assert rejects == []
    assert {r["snapshot_at"] for r in rows} == {NOON}, "a live answer has the instant of its capture"
    assert len(rows) == 2 * 4 * 12
    again = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert (again.landed, again.present) == ([], 2), "the same instant a second time changes nothing"


def test_games_that_have_begun_and_those_of_other_dates_are_left_alone(server, api, zone):
    live(server)
    other = listed(next(g for g in league.games() if g.day == DAY + timedelta(2)))
    server.on(EVENTS, Answer([*[listed(g) for g in GAMES], other]))
    later = GAMES[0].tipoff_at + timedelta(minutes=1)
    done = capture.odds(api, zone, DAY, lambda: later, "us")
    assert len(done.landed) == 1
    assert GAMES[1].event_id in done.landed[0]
    one = capture.odds(api, zone, DAY, lambda: NOON, "us", tipoff=GAMES[0].tipoff_at)
    assert [GAMES[0].event_id in path for path in one.landed] == [True]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer({"message": "x", "error_code": "EXCEEDED_FREQ_LIMIT"}, 429), "EXCEEDED_FREQ_LIMIT"),
        (Answer({"message": "slow down"}, 429), "EXCEEDED_FREQ_LIMIT"),
        (Answer({"message": "oops"}, 503), "UNKNOWN"),
        (Answer(b"<html>bad gateway</html>", 502), "NOT_JSON"),
        (Answer(drop=True), "NO_ANSWER"),
    ],
)
def test_a_temporary_failure_is_retried(server, api, waits, answer, code):
    path = f"{EVENTS}/e/odds"
    server.on(path, answer, answer, Answer(event(GAMES[0]), headers=credits(99)))
    assert api.event_odds("e", "player_points", "us")["id"] == GAMES[0].event_id
    assert len(waits) == 2
    assert all(w >= 2 for w in waits)
    server.on(path, answer)
    with pytest.raises(OddsApiError) as failure:
        api.event_odds("e", "player_points", "us")
    assert failure.value.code == code
    assert len(waits) == 5, "and not for ever"


@pytest.mark.parametrize(
    ("status", "code", "field"),
    [
        (401, "MISSING_KEY", "error_code"),
        (401, "INVALID_KEY", "error_code"),
        (401, "DEACTIVATED_KEY", "error_code"),
        (401, "OUT_OF_USAGE_CREDITS", "error_code"),
        (429, "OUT_OF_USAGE_CREDITS", "error_code"),
        (401, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN", "code"),
        (403, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN", "error_code"),
        (422, "INVALID_MARKET", "error_code"),
        (422, "INVALID_REGION", "error_code"),
        (422, "INVALID_HISTORICAL_TIMESTAMP", "error_code"),
        (422, "HISTORICAL_MARKETS_UNAVAILABLE_AT_DATE", "error_code"),
        (404, "EVENT_NOT_FOUND", "error_code"),
    ],
)
def test_a_permanent_failure_is_not_retried(server, api, waits, status, code, field):
    server.on(f"{EVENTS}/e/odds", Answer({"message": f"no, {KEY} is bad", field: code}, status))
    with pytest.raises(OddsApiError, match=code) as failure:
        api.event_odds("e", "player_points", "us")
    assert (failure.value.code, failure.value.status) == (code, status)
    assert len(server.asked) == 1
    assert waits == []
    assert KEY not in str(failure.value)


@pytest.mark.parametrize("body", [[], "text", None, 3])
def test_an_answer_of_another_shape_is_an_error(server, api, body):
    server.on(f"{EVENTS}/e/odds", Answer(body))
    with pytest.raises(OddsApiError, match="WRONG_SHAPE"):
        api.event_odds("e", "player_points", "us")
    server.on(EVENTS, Answer({"events": []}))
    with pytest.raises(OddsApiError, match="WRONG_SHAPE"):
        api.events(NOON, NOON)


def test_the_key_appears_nowhere(server, api, zone, caplog):
    caplog.set_level(logging.DEBUG)
    live(server)
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    server.on(f"{EVENTS}/e/odds", Answer(drop=True))
    with pytest.raises(OddsApiError) as failure:
        api.event_odds("e", "player_points", "us")
    printed = "".join(traceback.format_exception(failure.value))
    landed = "".join(str(zone.load(p)) for p in zone.list(odds_api.folder(DAY)))
    assert "apiKey=***" in caplog.text, "the library logs the URL"
    for text in (caplog.text, printed, landed, repr(api), *done.landed):
        assert KEY not in text
    error: BaseException | None = failure.value
    while error:
        assert KEY not in f"{error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_one_games_failure_does_not_affect_the_others(server, api, zone):
    live(server)
    server.on(f"{EVENTS}/{GAMES[0].event_id}/odds", Answer({"message": "gone", "error_code": "EVENT_NOT_FOUND"}, 404))
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert len(done.landed) == 1
    assert len(done.failures) == 1
    assert "EVENT_NOT_FOUND" in done.failures[0]


def test_spending_stops_at_the_reserve(server, api, zone):
    live(server, remaining=20)
    api.budget.remaining = 21
    done = capture.odds(api, zone, DAY, lambda: NOON, "us")
    assert len(done.landed) == 1, "one credit above the reserve was left"
    assert "reserve of 20" in done.failures[0]
    asked = len(server.asked)
    with pytest.raises(BudgetExhausted):
        api.historical_event_odds("e", NOON, "player_points", "us")
    assert len(server.asked) == asked, "it was not sent"
    api.events(NOON, NOON)  # what is free is always asked


def test_what_requests_cost():
    assert cost("player_points", "us") == 1
    assert cost("player_points,player_points_alternate", "us,us2") == 4
    assert times.price_of_history(dates=53, games=372, snapshots=2, regions="us") == 53 + 7440


def test_the_archive_is_bought_once(server, api, zone):
    def snapshot(parameters: dict[str, str]) -> Answer:
        at = parse_instant(parameters["date"]) - timedelta(minutes=3)
        minutes = int((GAMES[0].tipoff_at - at).total_seconds() // 60)
        return Answer(league.capture(GAMES[0], minutes)[1], headers=credits(900, 10))

    envelope = {"timestamp": "2025-11-10T14:55:40Z", "data": [listed(GAMES[0])]}
    server.on(f"/historical{EVENTS}", Answer(envelope, headers=credits(920)))
    server.on(f"/historical{EVENTS}/{GAMES[0].event_id}/odds", snapshot)
    done = capture.history(api, zone, DAY, (240, 30), "us")
    assert len(done.landed) == 2
    assert done.credits == 21
    rows, rejects = odds_api.read_day(zone, DAY)
    assert rejects == []
    assert {r["snapshot_at"] for r in rows} == {
        GAMES[0].tipoff_at - timedelta(minutes=243), GAMES[0].tipoff_at - timedelta(minutes=33)
    }  # fmt: skip
    again = capture.history(api, zone, DAY, (240, 30), "us")
    assert (again.landed, again.present, again.credits) == ([], 2, 1)
    server.on(f"/historical{EVENTS}", Answer({"timestamp": "2025-11-10T14:55:40Z", "data": []}, headers=credits(9, 0)))
    assert capture.history(api, zone, DAY, (30,), "us").landed == []


def test_a_day_is_captured_at_opening_hourly_and_before_each_tipoff():
    tipoffs = [utc(2025, 11, 11, 0), utc(2025, 11, 11, 0), utc(2025, 11, 11, 2, 30)]
    plan = times.captures_of(date(2025, 11, 10), tipoffs, FULL)
    local = [f"{d.at.astimezone(EASTERN):%H:%M}{'' if d.tipoff is None else '*'}" for d in plan]
    assert local == [
        *(f"{h}:00" for h in range(10, 19)), "18:30*", "18:55*", "19:00", "20:00", "20:30*", "21:00", "21:25*",
    ]  # fmt: skip
    assert all(game_date_of(d.at) == date(2025, 11, 10) for d in plan)
    assert times.captures_of(date(2025, 11, 10), [], FULL) == []


def test_what_is_due_since_the_last_capture():
    day, tipoffs = date(2025, 11, 10), [utc(2025, 11, 11, 0), utc(2025, 11, 11, 2, 30)]
    at = lambda h, m=0: utc(2025, 11, 10 + h // 24, h % 24, m)
    assert times.due(day, tipoffs, at(14, 50), at(14, 55), FULL) == []
    assert [d.at for d in times.due(day, tipoffs, at(14, 55), at(15), FULL)] == [at(15)]
    (before,) = times.due(day, tipoffs, at(23, 25), at(23, 30), FULL)
    assert before.tipoff == tipoffs[0]
    late = times.due(day, tipoffs, at(10), at(23, 50), FULL)
    assert [d.at for d in late] == [at(23)], "after a silence one capture of all games is enough"
    assert times.due(day, tipoffs, at(23, 50), at(24, 1), FULL)[0].tipoff is None
    assert times.due(day, tipoffs, at(26, 26), at(26, 40), FULL) == [], "nothing after the last tip-off"


@pytest.mark.parametrize("day", [date(2025, 11, 2), date(2026, 3, 8)])
def test_captures_survive_the_clock_changes(day):
    first, last = capture.day_bounds(day)
    assert game_date_of(first) == game_date_of(last) == day
    tip = first + timedelta(hours=20)
    plan = [d.at for d in times.captures_of(day, [tip], FULL)]
    assert plan[0].astimezone(EASTERN).hour == 10
    assert plan == sorted(set(plan))
    assert {tip - timedelta(minutes=m) for m in RHYTHMS[FULL].before} <= set(plan)
