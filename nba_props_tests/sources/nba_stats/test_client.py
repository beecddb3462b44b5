"""stats.nba.com as it answers and as it fails, on a server of our own, through nba_api itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from nba_props.simulator import payloads
from nba_props.sources import nba_stats
from nba_props.sources.answers import Limits
from nba_props.sources.nba_stats import capture as stats_fetch
from nba_props.sources.nba_stats.client import PAUSE, StatsApi, StatsApiError
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.nba_stats.scoring_shares import read_scoring
from nba_props.storage.landing import Payload
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc
from nba_props_tests.sources.fake_server import Answer

NOW = utc(2025, 11, 13, 9)
DAYS = [DAY, DAY + timedelta(2)]
NOTHING = payloads.game_log(league.SEASON, "Playoffs", DAY, [])


@pytest.fixture
def api(server, waits) -> StatsApi:
    return StatsApi(
        base_url=server.url + "/stats/{endpoint}", cdn_schedule=server.url + "/cdn.json", sleep=waits.append
    )


def log(points: int = 0) -> dict:
    rows = [r for g in league.games() if g.day in DAYS for r in league.log_rows(g)]
    rows[0] = league.scoring_more(rows[0], points)
    return payloads.game_log(league.SEASON, "Regular Season", DAYS[0], rows)


def season(server, content) -> None:
    server.on(
        "/stats/leaguegamelog",
        lambda asked: Answer(content if asked["SeasonType"] == "Regular Season" else NOTHING),
    )


def test_dates_are_one_call_a_season_type_and_one_file_each(server, api, zone, waits):
    season(server, log())
    done = stats_fetch.box_scores(api, zone, DAYS, lambda: NOW, played=DAYS)
    assert (done.failures, len(done.landed)) == ([], 2)
    assert [asked["SeasonType"] for _, asked in server.asked] == ["Regular Season", "Playoffs", "PlayIn", "IST"]
    first = server.asked[0][1]
    assert (first["Season"], first["PlayerOrTeam"]) == ("2025-26", "P")
    assert (first["DateFrom"], first["DateTo"]) == ("11/10/2025", "11/12/2025")
    assert waits == [PAUSE, PAUSE, PAUSE]
    parsed = nba_stats.read_box_scores(zone, DAYS)
    assert parsed.rejects == []
    assert parsed.frame.groupby("game_date").size().tolist() == [36, 36]


def test_the_cup_final_is_requested_by_its_own_name_and_read_as_one(server, api, zone):
    """No usual season type has it; a season before the cup is not asked for one."""
    final = league.Game("0062500001", DAY, *league.TEAMS[:2], league.tipoff(DAY))
    content = payloads.game_log(league.SEASON, "IST", DAY, league.log_rows(final))
    server.on("/stats/leaguegamelog", lambda asked: Answer(content if asked["SeasonType"] == "IST" else NOTHING))
    done = stats_fetch.box_scores(api, zone, [DAY], lambda: NOW, played=[DAY])
    assert (done.failures, len(done.landed)) == ([], 1)
    assert "2025-11-10-nba-cup" in done.landed[0]
    frame = nba_stats.read_box_scores(zone, [DAY]).frame
    assert (len(frame), set(frame["season_type"])) == (18, {"NBA Cup"})
    server.asked.clear()
    stats_fetch.box_scores(api, zone, [date(2022, 11, 10)], lambda: NOW)
    assert [asked["SeasonType"] for _, asked in server.asked] == ["Regular Season", "Playoffs", "PlayIn"]


def test_what_did_not_change_is_not_landed_again_and_a_correction_supersedes(server, api, zone):
    season(server, log())
    stats_fetch.box_scores(api, zone, DAYS, lambda: NOW)
    again = stats_fetch.box_scores(api, zone, DAYS, lambda: NOW + timedelta(hours=1))
    assert (again.landed, again.present) == ([], 2)
    season(server, log(points=2))
    corrected = stats_fetch.box_scores(api, zone, DAYS, lambda: NOW + timedelta(hours=2))
    assert (len(corrected.landed), corrected.present) == (1, 1)
    parsed = nba_stats.read_box_scores(zone, DAYS)
    assert len(parsed.frame) == 72
    assert sum(r.get("superseded_rows", 0) for r in parsed.remarks.values()) == 36


@pytest.mark.parametrize(
    ("answer", "code", "attempts"),
    [
        (Answer(drop=True), "NO_ANSWER", 4),
        (Answer(b"<!DOCTYPE html><title>busy"), "NOT_JSON", 4),
        (Answer(b""), "NOT_JSON", 4),
        (Answer({}, 503), "SERVER_ERROR", 4),
        (Answer({}, 429), "SERVER_ERROR", 4),
        (Answer(b"Access Denied", 403), "REFUSED", 1),
        (Answer({"message": "hello"}), "WRONG_SHAPE", 1),
        (Answer([]), "WRONG_SHAPE", 1),
    ],
)
def test_failures_have_names_and_only_some_are_retried(server, api, answer, code, attempts):
    server.on("/stats/leaguegamelog", answer)
    with pytest.raises(StatsApiError) as failure:
        api.game_log(league.SEASON, "Regular Season")
    assert failure.value.code == code
    assert len(server.asked) == attempts


def test_after_a_temporary_failure_the_rows_are_read(server, api):
    server.on("/stats/leaguegamelog", Answer(drop=True), Answer(b"<html>"), Answer(log()))
    assert len(api.game_log(league.SEASON, "Regular Season")["resultSets"][0]["rowSet"]) == 72


def test_a_timeout_counts_as_no_answer(server, waits):
    import threading

    hold = threading.Event()

    def slow(_):
        hold.wait(2)
        return Answer({})

    server.on("/stats/leaguegamelog", slow)
    api = StatsApi(base_url=server.url + "/stats/{endpoint}", sleep=waits.append, limits=Limits(silence=0.05))
    with pytest.raises(StatsApiError, match="NO_ANSWER: ReadTimeout"):
        api.game_log(league.SEASON, "Regular Season")
    hold.set()


def test_status_200_without_rows_is_a_failure_where_games_were_played(server, api, zone):
    server.on("/stats/leaguegamelog", Answer(NOTHING))
    done = stats_fetch.box_scores(api, zone, DAYS, lambda: NOW, played=[DAY])
    assert done.landed == []
    assert done.failures == [f"{DAY}: games were played and the site returned no rows"]


def test_an_unresponsive_site_leaves_what_is_landed_in_use_with_a_warning(server, api, zone):
    season(server, log())
    stats_fetch.box_scores(api, zone, DAYS, lambda: NOW)
    server.on("/stats/leaguegamelog", Answer(drop=True))
    done = stats_fetch.box_scores(api, zone, DAYS, lambda: NOW + timedelta(days=1))
    assert len(done.failures) == 4, "one for each season type"
    assert "NO_ANSWER" in done.failures[0]
    assert "what was landed before stays in use" in done.failures[0]
    assert len(nba_stats.read_box_scores(zone, DAYS).frame) == 72


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(b"blocked", 403)])
def test_an_unresponsive_site_gets_no_further_requests(server, api, zone, answer):
    """Of two seasons, with rosters and shot zones: one request is tried, and the schedule's second place."""
    days = [date(2024, 11, 10), DAY]
    server.on("/stats/leaguegamelog", answer)
    server.on("/cdn.json", Answer(schedule()))
    done = stats_fetch.box_scores(api, zone, days, lambda: NOW, played=days)
    assert done.silent
    assert set(server.paths()) == {"/stats/leaguegamelog"}
    assert len({tuple(asked.items()) for _, asked in server.asked}) == 1
    assert done.failures[-1] == f"NBA Cup 2025-26: {stats_fetch.NOT_ASKED}"
    assert not [f for f in done.failures if "returned no rows" in f], "which was not the cause"
    elsewhere = stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW, site=False)
    assert (len(elsewhere.landed), server.paths()[-1]) == (1, "/cdn.json")
    assert "/stats/scheduleleaguev2" not in server.paths()


def test_a_bad_answer_does_not_count_as_no_answer(server, api, zone):
    server.on("/stats/leaguegamelog", Answer({"message": "hello"}))
    done = stats_fetch.box_scores(api, zone, [DAY], lambda: NOW)
    assert not done.silent
    assert len(server.asked) == 4, "each season type was asked for"
    assert all("WRONG_SHAPE" in f for f in done.failures)


def test_shot_zones_stop_at_the_first_request_without_an_answer(server, api, zone):
    season(server, log())
    stats_fetch.box_scores(api, zone, DAYS, lambda: NOW)
    server.on("/stats/boxscorescoringv3", Answer(b"blocked", 403))
    done = stats_fetch.shot_zones(api, zone, DAYS, lambda: NOW)
    assert server.paths().count("/stats/boxscorescoringv3") == 1
    assert len(done.failures) == 2
    assert done.failures[1] == f"shot zones of 3 more games: {stats_fetch.NOT_ASKED}"


def schedule() -> dict:
    return league.schedule(league.games(), DAY)


def test_the_schedule_is_landed_when_it_changes(server, api, zone):
    server.on("/stats/scheduleleaguev2", Answer({**schedule(), "meta": {"time": "1"}}))
    first = stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW)
    assert len(first.landed) == 1
    server.on("/stats/scheduleleaguev2", Answer({**schedule(), "meta": {"time": "2"}}))
    assert stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW + timedelta(hours=1)).present == 1
    server.on("/stats/scheduleleaguev2", Answer(league.schedule(league.games(), DAY + timedelta(9))))
    assert len(stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW + timedelta(hours=2)).landed) == 1
    assert len(nba_stats.read_schedule(zone, [DAY]).frame) == 2


def test_two_captures_in_one_second_are_not_an_error(server, api, zone):
    """Another process landed it in between: the name is taken, and the first one's stays."""
    server.on("/stats/scheduleleaguev2", Answer(schedule()))
    (path,) = stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW).landed
    before = zone.load(Payload(path))
    server.on("/stats/scheduleleaguev2", Answer(league.schedule(league.games(), DAY + timedelta(9))))
    again = stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW)
    assert (again.landed, again.present, again.failures) == ([], 1, [])
    assert zone.load(Payload(path)) == before


def test_the_cdn_has_the_running_seasons_schedule(server, api, zone):
    server.on("/stats/scheduleleaguev2", Answer(drop=True))
    server.on("/cdn.json", Answer(schedule()))
    assert len(stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW).landed) == 1
    other = stats_fetch.schedule(api, zone, "2024-25", lambda: NOW)
    assert other.landed == [], "the CDN has no other season"
    assert "NO_ANSWER" in other.failures[0]
    server.on("/cdn.json", Answer(b"denied", 403))
    assert "stays in use" in stats_fetch.schedule(api, zone, league.SEASON, lambda: NOW).failures[0]


def test_a_roster_is_landed_with_its_instant(server, api, zone, real_data):
    import gzip
    import json

    sample = json.loads(gzip.decompress((real_data / "samples/nba_stats/commonallplayers.json.gz").read_bytes()))
    server.on("/stats/commonallplayers", Answer(sample))
    done = stats_fetch.roster(api, zone, league.SEASON, lambda: NOW)
    assert done.failures == []
    parsed = read_rosters(zone, [NOW.date()])
    assert parsed.rejects == []
    assert len(parsed.frame) > 400


def test_a_proxy_is_used_and_never_shown(server, waits):
    api = StatsApi(proxy="http://user:pa55word@127.0.0.1:9", base_url="https://nowhere.invalid/stats/{endpoint}",
                   sleep=waits.append, limits=Limits(connect=1))  # fmt: skip
    with pytest.raises(StatsApiError, match="UNREACHABLE: the proxy can't be reached") as failure:
        api.roster(league.SEASON)
    assert len(waits) == 2, "a pause, and one between two attempts: no more are made where nothing listens"
    assert "pa55word" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_shot_zones_are_requested_once_per_game(server, api, zone, real_data):
    import json

    sample = json.loads((real_data / "samples/nba_stats/boxscorescoringv3.json").read_text())
    season(server, log())
    stats_fetch.box_scores(api, zone, [DAY], lambda: NOW)
    server.on(
        "/stats/boxscorescoringv3",
        lambda asked: Answer({**sample, "boxScoreScoring": {**sample["boxScoreScoring"], "gameId": asked["GameID"]}}),
    )
    done = stats_fetch.shot_zones(api, zone, [DAY], lambda: NOW)
    games = {g.game_id for g in league.games() if g.day == DAY}
    assert (len(done.landed), done.failures) == (2, [])
    assert {asked["GameID"] for path, asked in server.asked if path.endswith("scoringv3")} == games
    assert read_scoring(zone, [DAY]).rejects == []
    assert stats_fetch.shot_zones(api, zone, [DAY], lambda: NOW).present == 2
    assert stats_fetch.shot_zones(api, zone, [DAY + timedelta(1)], lambda: NOW).landed == []
