"""Every way a payload can be wrong: the rest goes on, nothing is lost, the message names file and reason."""

from __future__ import annotations

import copy
import gzip
import json
import os
from datetime import date

import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.simulator import payloads
from nba_props.sources import nba_stats, odds_api
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.rejects import Parsed, quarantine_frame
from nba_props.storage import fields
from nba_props.storage.landing import LandingError, LandingZone, Payload, PayloadError
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc

GAME = next(g for g in league.games() if g.day == DAY)
GOOD_PATH, GOOD = league.capture(GAME, 60)


def raw_file(zone: LandingZone, path: str, data: bytes) -> None:
    target = zone._path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def odds_reasons(zone: LandingZone) -> tuple[int, list[str]]:
    rows, rejects = odds_api.read_day(zone, DAY)
    frame = quarantine_frame(TABLES["nba_raw.quarantined_quotes"], rejects, DAY)
    assert len(frame) == len(rejects)
    assert all(r.payload in r.detail or r.position for r in rejects)
    return len(rows), [r.reason for r in rejects]


GOOD_QUOTES = 12 * len(league.BOOKS)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.json", b"", "EMPTY_FILE"),
        ("text.json", b"<html>Access Denied</html>", "NOT_JSON"),
        ("cut.json", json.dumps(GOOD).encode()[:-40], "TRUNCATED"),
        ("cut.json.gz", gzip.compress(json.dumps(GOOD).encode())[:-20], "TRUNCATED"),
        ("plain.json.gz", json.dumps(GOOD).encode(), "NOT_JSON"),
        ("list.json", b"[1, 2]", "WRONG_SHAPE"),
        ("null.json", b"null", "WRONG_SHAPE"),
        ("no-event.json", b'{"timestamp": "2025-11-10T20:00:00Z", "data": null}', "WRONG_SHAPE"),
        ("live-without-instant.json", json.dumps(GOOD["data"]).encode(), "NO_SNAPSHOT_TIME"),
        ("bad-time.json", json.dumps({**GOOD, "timestamp": "yesterday"}).encode(), "BAD_TIME"),
        ("naive-time.json", json.dumps({**GOOD, "timestamp": "2025-11-10T20:00:00"}).encode(), "BAD_TIME"),
        *(
            (f"{field}-{year}.json", json.dumps(change(f"{year}-11-10T20:00:00Z")).encode(), "BAD_TIME")
            for year in ("0001", "1999", "2101", "9999", "2024", "2035")
            for field, change in (
                ("seen", lambda t: {**GOOD, "timestamp": t}),
                ("begins", lambda t: {**GOOD, "data": {**GOOD["data"], "commence_time": t}}),
            )
            if field == "seen" or year not in ("2024", "2035")  # of these the folder is another
        ),
        (
            "wrong-day.json",
            json.dumps({**GOOD, "data": {**GOOD["data"], "commence_time": "2025-11-12T00:00:00Z"}}).encode(),
            "WRONG_DAY",
        ),
    ],
)
def test_one_bad_odds_file_never_stops_the_rest(zone, name, data, reason):
    zone.land(GOOD_PATH, GOOD)
    raw_file(zone, f"{odds_api.folder(DAY)}/{name}", data)
    assert odds_reasons(zone) == (GOOD_QUOTES, [reason])


HOSTILE_NAMES = [
    "A" * 101, "A" * 1_000_000, "Ada\u202eArcher", "Ada\u200bArcher", "Ada\x00Archer", "Ada\nArcher", "\x1b[31mAda",
    "[/i]", "<b>Ada</b>", "Ada 2", "2025-11-10", "\ud800", "...", "\u2066Ada\u2069", "Ada\ufeff", "\U000e0041da",
]  # fmt: skip
#: as feeds have written them
REAL_NAMES = [
    "Luka Dončić", "D'Angelo Russell", "Nickeil Alexander-Walker", "Trent, Jr., Gary", "T.J. McConnell", "Kelly Oubre Jr",
    "D\u2019Angelo Russell", "Nene", "Dario Šarić", "Shai Gilgeous-Alexander", "Robert Williams III", "Moritz (Moe) Wagner",
    "Nikola Joki\u0107", "Nikola Jokic\u0301", "\u59da\u660e", "K. Caldwell-Pope",
]  # fmt: skip


@pytest.mark.parametrize("name", REAL_NAMES)
def test_real_names_are_accepted(name):
    assert fields.person({"name": name}, "name") == name


def changed(change) -> dict:
    content = copy.deepcopy(GOOD)
    change(content["data"]["bookmakers"][0])
    return content


def outcome(book):
    return book["markets"][0]["outcomes"][0]


@pytest.mark.parametrize(
    ("change", "lost", "reason"),
    [
        (lambda b: outcome(b).pop("price"), 0, "MISSING_PRICE"),
        (lambda b: outcome(b).update(price=None), 0, "MISSING_PRICE"),
        (lambda b: outcome(b).update(price="-110"), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=1.91), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=0), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=True), 0, "BAD_PRICE"),
        (lambda b: outcome(b).pop("point"), 0, "MISSING_POINT"),
        (lambda b: outcome(b).update(point=0), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=20.25), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point="20.5"), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=85), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=99), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=1e308), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=10**400), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(point=float("nan")), 0, "BAD_POINT"),
        (lambda b: outcome(b).update(price=99), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=100_001), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=1e15), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=-1e308), 0, "BAD_PRICE"),
        (lambda b: outcome(b).update(price=10**400), 0, "BAD_PRICE"),
        (lambda b: outcome(b).pop("description"), 0, "MISSING_PLAYER"),
        *((lambda b, name=name: outcome(b).update(description=name), 0, "MISSING_PLAYER") for name in HOSTILE_NAMES),
        (lambda b: b.update(key="draft kings"), 12, "WRONG_SHAPE"),
        (lambda b: b.update(key="../x"), 12, "WRONG_SHAPE"),
        (lambda b: b["markets"][0].update(outcomes=None), 12, "BOOK_WITHOUT_PRICES"),
        (lambda b: b["markets"].append({"key": "player_rebounds"}), 0, "WRONG_SHAPE"),
        (lambda b: b["markets"].append(b["markets"][0]), 0, "DUPLICATE_MARKET"),
        (lambda b: outcome(b).update(name="Yes"), 0, "WRONG_SHAPE"),
        (lambda b: b["markets"][0]["outcomes"].append(outcome(b)), 0, "DUPLICATE_OUTCOME"),
        (lambda b: b["markets"][0].update(key="player_dunks"), 12, "UNKNOWN_MARKET"),
        (lambda b: b["markets"][0].update(key=["player_points"]), 12, "UNKNOWN_MARKET"),
        (lambda b: b["markets"][0].update(last_update="soon"), 0, "BAD_TIME"),
        (lambda b: b["markets"][0].update(outcomes=[]), 12, "BOOK_WITHOUT_PRICES"),
        (lambda b: b.update(markets=[]), 12, "BOOK_WITHOUT_PRICES"),
        (lambda b: b.pop("markets"), 12, "BOOK_WITHOUT_PRICES"),
        (lambda b: b.pop("key"), 12, "WRONG_SHAPE"),
    ],
)
def test_one_bad_outcome_never_stops_the_rest_and_becomes_no_number(zone, change, lost, reason):
    zone.land(GOOD_PATH, changed(change))
    count, reasons = odds_reasons(zone)
    assert count == GOOD_QUOTES - lost
    assert reasons == [reason]
    rows, _ = odds_api.read_day(zone, DAY)
    assert all(r["line"] > 0 and r["over_price"] != 0 and r["under_price"] != 0 for r in rows)


def test_the_live_object_takes_its_instant_from_the_name(zone):
    at = utc(2025, 11, 10, 20)
    zone.land(f"{odds_api.folder(DAY)}/event-20251110T200000Z.json.gz", GOOD["data"])
    rows, rejects = odds_api.read_day(zone, DAY)
    assert rejects == []
    assert {r["snapshot_at"] for r in rows} == {at}


def test_a_duplicate_capture_counts_once(platform):
    path, content = league.capture(GAME, 30)
    platform.zone.land(path.replace(".json.gz", "-again.json.gz"), content)
    assert platform.slate(DAY).failed_checks == []
    quotes = platform.query(
        "SELECT COUNT(*) AS n, COUNT(DISTINCT quote_id) AS d FROM nba_raw.odds_quotes WHERE game_date = @day", day=DAY
    )
    assert quotes["n"][0] == quotes["d"][0] == 2 * 3 * GOOD_QUOTES


def logs(zone: LandingZone, change=None, day: date = DAY):
    rows = [r for g in league.games() if g.day == day for r in league.log_rows(g)]
    content = payloads.game_log(league.SEASON, "Regular Season", day, rows)
    if change:
        change(content["resultSets"][0])
    zone.land(league.log_path(day), content)
    parsed = nba_stats.read_box_scores(zone, [day])
    return parsed, [r.reason for r in parsed.rejects]


ROWS = 4 * league.PLAYERS_PER_TEAM


def cell(result_set, row: int, column: str, value) -> None:
    result_set["rowSet"][row][result_set["headers"].index(column)] = value


@pytest.mark.parametrize(
    ("change", "kept", "reasons"),
    [
        (lambda s: cell(s, 0, "MIN", -3), ROWS - 1, ["NEGATIVE_NUMBER"]),
        (lambda s: cell(s, 0, "PTS", None), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "PTS", "many"), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "FGA", 2.5), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "PLAYER_NAME", None), ROWS - 1, ["MISSING_NAME"]),
        *((lambda s, name=name: cell(s, 0, "PLAYER_NAME", name), ROWS - 1, ["MISSING_NAME"]) for name in HOSTILE_NAMES),
        (lambda s: cell(s, 0, "PTS", 99), ROWS - 1, ["CONTRADICTORY_ROW"]),
        (lambda s: cell(s, 0, "FGM", 1), ROWS - 1, ["CONTRADICTORY_ROW"]),
        (lambda s: cell(s, 0, "FG3M", 1), ROWS - 1, ["CONTRADICTORY_ROW"]),
        (lambda s: cell(s, 0, "FGA", 2), ROWS - 1, ["CONTRADICTORY_ROW"]),
        (
            lambda s: [cell(s, 0, c, league.log_rows(GAME)[0][c] + 5) for c in ("FTM", "PTS")],
            ROWS - 1,
            ["CONTRADICTORY_ROW"],
        ),
        (lambda s: cell(s, 0, "MIN", 81), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "AST", 101), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "AST", "1_0"), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "AST", True), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "PLAYER_ID", 10**10), ROWS - 1, ["BAD_NUMBER"]),
        (lambda s: cell(s, 0, "TEAM_ABBREVIATION", "XYZ"), ROWS - 1, ["BAD_MATCHUP"]),
        (lambda s: cell(s, 0, "MATCHUP", f"{GAME.home.code} vs. XYZ"), ROWS - 1, ["BAD_MATCHUP"]),
        (lambda s: cell(s, 0, "MATCHUP", f"{GAME.home.code} @ {GAME.away.code}"), ROWS - 1, ["BAD_MATCHUP"]),
        (lambda s: cell(s, 0, "MATCHUP", f"{GAME.home.code} vs. {GAME.home.code}"), ROWS - 1, ["BAD_MATCHUP"]),
        (lambda s: cell(s, 0, "MATCHUP", f"{GAME.home.code} vs. BOS"), ROWS - 1, ["UNKNOWN_TEAM"]),
        (lambda s: cell(s, 0, "TEAM_ID", 1610612738), ROWS - 1, ["UNKNOWN_TEAM"]),
        (lambda s: cell(s, 0, "SEASON_ID", "22024"), ROWS - 1, ["BAD_SEASON"]),
        (lambda s: cell(s, 0, "PLUS_MINUS", "many"), ROWS, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "PLUS_MINUS", 2.5), ROWS, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "PLUS_MINUS", 1e15), ROWS, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "PLUS_MINUS", None), ROWS, []),
        (lambda s: cell(s, 0, "WL", "X"), ROWS, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "WL", None), ROWS, []),
        (lambda s: cell(s, 0, "GAME_ID", "20251110"), ROWS - 1, ["BAD_GAME_ID"]),
        (lambda s: cell(s, 0, "GAME_DATE", "2025-11-09"), ROWS - 1, ["WRONG_DAY"]),
        (lambda s: cell(s, 0, "MATCHUP", "bye"), ROWS - 1, ["BAD_MATCHUP"]),
        (lambda s: s["rowSet"].append(list(s["rowSet"][0])), ROWS, ["DUPLICATE_ROW"]),
        (
            lambda s: (s["rowSet"].append(list(s["rowSet"][0])), cell(s, -1, "PTS", 99)),
            ROWS - 1,
            ["CONFLICTING_ROWS"] * 2,
        ),
        (lambda s: s["rowSet"][0].pop(), ROWS - 1, ["WRONG_SHAPE"]),
        (lambda s: s["rowSet"].clear(), 0, ["EMPTY_PAYLOAD"]),
        (lambda s: s.update(name="Other"), 0, ["WRONG_SHAPE"]),
    ],
)
def test_one_bad_box_score_never_stops_the_rest(zone, change, kept, reasons):
    parsed, found = logs(zone, change)
    assert (len(parsed.frame), found) == (kept, reasons)
    if kept:
        TABLES["nba_raw.box_scores"].validate(parsed.frame)


def test_a_payload_without_a_column_is_refused_with_its_name(zone):
    def drop(result_set):
        result_set["headers"][result_set["headers"].index("PTS")] = "POINTS"

    parsed, reasons = logs(zone, drop)
    assert reasons == ["MISSING_COLUMN"]
    assert "PTS" in parsed.rejects[0].detail
    assert league.log_path(DAY) in parsed.rejects[0].detail


def test_an_unknown_column_is_reported_and_harmless(zone):
    def add(result_set):
        result_set["headers"].insert(3, "SHOE_SIZE")
        for row in result_set["rowSet"]:
            row.insert(3, 48)

    parsed, reasons = logs(zone, add)
    assert reasons == []
    assert [r["unknown_columns"] for r in parsed.remarks.values()] == [["SHOE_SIZE"]]
    assert len(parsed.frame) == ROWS
    assert parsed.frame["points"].between(0, 60).all()


def test_a_corrected_box_score_supersedes_game_by_game(zone):
    logs(zone)
    rows = league.log_rows(GAME)
    rows[0] = league.scoring_more(rows[0], 77 - rows[0]["PTS"])
    league.land_log(zone, DAY, rows, "-20251112T120000Z")
    parsed = nba_stats.read_box_scores(zone, [DAY])
    assert len(parsed.frame) == ROWS
    assert sum(r.get("superseded_rows", 0) for r in parsed.remarks.values()) == ROWS // 2
    assert (parsed.frame["points"] == 77).sum() == 1


def test_a_partial_capture_does_not_replace_a_whole_one(zone):
    rows = league.log_rows(GAME)[1:]  # a scorer less: now one of the teams has lost
    for team in {r["TEAM_ID"] for r in rows}:
        first, *others = (r for r in rows if r["TEAM_ID"] == team)
        first["MIN"] = 240 - sum(r["MIN"] for r in others)
        for row in (first, *others):
            row["WL"] = "L" if team == rows[0]["TEAM_ID"] else "W"
    league.land_log(zone, DAY, rows)
    whole = nba_stats.read_box_scores(zone, [DAY]).frame
    league.land_log(zone, DAY, rows[:1], "-20251112T120000Z")
    parsed = nba_stats.read_box_scores(zone, [DAY])
    pd.testing.assert_frame_equal(parsed.frame, whole)
    assert sum(r.get("superseded_rows", 0) for r in parsed.remarks.values()) == 1


def land_schedule(zone: LandingZone, change) -> Parsed:
    content = league.schedule(league.games(), DAY)
    games = content["leagueSchedule"]["gameDates"]
    change([g for d in games for g in d["games"] if g["gameDateEst"][:10] == str(DAY)])
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz", content)
    return nba_stats.read_schedule(zone, [DAY])


@pytest.mark.parametrize(
    ("change", "games", "reasons"),
    [
        (lambda g: None, 2, []),
        (lambda g: g[0].update(gameDateTimeUTC=None), 2, []),
        (lambda g: g[0].update(gameId="12"), 1, ["BAD_GAME_ID"]),
        (lambda g: g[0].pop("homeTeam"), 1, ["BAD_GAME"]),
        (lambda g: g[0]["homeTeam"].update(teamId=0), 1, ["TEAM_TO_BE_DECIDED"]),
        (lambda g: g[0].update(gameDateTimeUTC="tonight"), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(arenaName=float("nan")), 2, []),
        (lambda g: g[0].update(arenaName=7), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(isNeutral="no"), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(gameStatus=float("nan")), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameStatus=10**400), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameStatus=1.5), 1, ["BAD_GAME"]),
        (lambda g: g[0]["homeTeam"].update(teamName=None), 1, ["BAD_GAME"]),
        (lambda g: g[0]["homeTeam"].update(teamId="a"), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameDateTimeUTC=None, gameDateEst="soon"), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameDateTimeUTC="0001-01-01T00:00:00Z"), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(gameDateTimeUTC="9999-12-31T23:59:59Z"), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(gameDateTimeUTC="2026-03-01T00:00:00Z"), 2, ["BAD_FIELD"]),
        (lambda g: g[0].update(gameDateTimeUTC=None, gameDateEst="2035-11-10T00:00:00Z"), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameDateTimeUTC=None, gameDateEst="0001-11-10T00:00:00Z"), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(gameDateEst="2035-11-10T00:00:00Z"), 2, []),  # the tip-off is where the game stands
        (lambda g: g[0].update(gameId="0022400001"), 1, ["BAD_GAME_ID"]),
        (lambda g: g[0]["homeTeam"].update(teamTricode="XYZ"), 1, ["UNKNOWN_TEAM"]),
        (lambda g: g[0]["homeTeam"].update(teamTricode="xyz!"), 1, ["UNKNOWN_TEAM"]),
        (lambda g: g[0]["homeTeam"].update(teamTricode="BOS"), 1, ["UNKNOWN_TEAM"]),
        (lambda g: g[0]["homeTeam"].update(teamId=1610612738), 1, ["UNKNOWN_TEAM"]),
        (lambda g: g[0]["homeTeam"].update(teamId=10**10), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(homeTeam=g[0]["awayTeam"]), 1, ["CONTRADICTORY_ROW"]),
        (lambda g: g[0]["homeTeam"].update(teamName="Her\u202eons"), 1, ["BAD_GAME"]),
        (lambda g: g[0].update(arenaName="x" * 101), 2, ["BAD_FIELD"]),
        (lambda g: g[1].update(gameId=g[0]["gameId"]), 1, ["DUPLICATE_GAME"]),
    ],
)
def test_one_bad_game_never_stops_the_rest(zone, change, games, reasons):
    parsed = land_schedule(zone, change)
    assert (len(parsed.frame), [r.reason for r in parsed.rejects]) == (games, reasons)
    frame = TABLES["nba_raw.schedule"].validate(parsed.frame)
    assert frame["home_score"].isna().all(), "a game that is not final has no score"


def test_without_a_schedule_a_date_cannot_be_read(zone):
    with pytest.raises(LandingError, match=r"no schedule of the season 2025-26.*NBA_PROPS_FIRST_DATE"):
        nba_stats.read_schedule(zone, [DAY])


def test_the_error_of_a_missing_landing_zone_names_the_setting(tmp_path):
    with pytest.raises(LandingError, match="NBA_PROPS_LANDING"):
        LandingZone(str(tmp_path / "nowhere")).list("the_odds_api")


def test_payloads_are_written_once(zone):
    zone.land("a/b.json.gz", {"x": 1})
    with pytest.raises(FileExistsError):
        zone.land("a/b.json.gz", {"x": 2})
    assert zone.load(Payload("a/b.json.gz")) == {"x": 1}


def test_reading_a_day_lists_only_its_folders(zone, monkeypatch):
    league.land(zone)
    listed = []
    original = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or original(path))
    odds_api.read_day(zone, DAY)
    assert [p.rsplit("/", 2)[-2:] for p in listed] == [[f"player_{what}", str(DAY)] for what in ("points", "markets")]


def test_a_bucket_works_like_a_folder():
    memory = LandingZone("memory://landing-test")
    memory._path.mkdir(parents=True, exist_ok=True)
    memory.land(GOOD_PATH, GOOD)
    rows, rejects = odds_api.read_day(memory, DAY)
    assert (len(rows), rejects) == (GOOD_QUOTES, [])
    with pytest.raises(FileExistsError):
        memory.land(GOOD_PATH, GOOD)


def test_capture_instants_are_in_the_name():
    assert Payload("x/event-20251110T200000Z.json.gz").captured_at == utc(2025, 11, 10, 20)
    assert Payload("x/2025-11-10-regular-season.json.gz").captured_at is None
    assert Payload("x/2025-11-10-regular-season-20251112T120000Z.json").subject == "2025-11-10-regular-season"
    assert str(PayloadError("A", "b")) == "b"


@pytest.mark.parametrize(
    ("change", "game", "player"),
    [
        (lambda s: cell(s, 0, "PTS", None), True, True),
        (lambda s: cell(s, 0, "PTS", 2**80), True, True),
        (lambda s: s["rowSet"].append([*s["rowSet"][0][:-2], 99, 1]), True, True),  # in conflict with the first
        (lambda s: cell(s, 0, "PLAYER_ID", "x"), True, False),
        (lambda s: cell(s, 0, "PLAYER_ID", -3), True, False),
        (lambda s: cell(s, 0, "GAME_ID", "today"), False, True),
        (lambda s: s["rowSet"][0].pop(), False, False),
    ],
)  # fmt: skip
def test_the_player_of_a_held_back_box_score_row_is_recorded(zone, change, game, player):
    parsed, _ = logs(zone, change)
    held = nba_stats.refused_players(quarantine_frame(TABLES["nba_raw.quarantined_box_scores"], parsed.rejects, DAY))
    first = league.log_rows(GAME)[0]
    assert set(held["game_id"].fillna("")) == {first["GAME_ID"] if game else ""}
    assert set(held["player_id"].fillna(0)) == {first["PLAYER_ID"] if player else 0}
    assert set(held["payload"]) == {league.log_path(DAY)}


def test_an_unreadable_payload_holds_back_no_players_row(zone):
    raw_file(zone, league.log_path(DAY), b"<html>Access Denied</html>")
    rejects = nba_stats.read_box_scores(zone, [DAY]).rejects
    assert len(rejects) == 1
    assert nba_stats.refused_players(quarantine_frame(TABLES["nba_raw.quarantined_box_scores"], rejects, DAY)).empty


def rosters(zone: LandingZone, change) -> Parsed:
    people = [
        {
            "player_id": league.player(t, s)[0],
            "player_name": league.player(t, s)[1],
            "team_id": t.team_id,
            "team": t.code,
        }
        for t in league.TEAMS[:2]
        for s in range(2)
    ]
    content = payloads.rosters(league.SEASON, people)
    change(content["resultSets"][0])
    zone.land(f"{nba_stats.roster_folder(league.SEASON)}/{DAY}-20251110T120000Z.json.gz", content)
    return read_rosters(zone, [DAY])


@pytest.mark.parametrize(
    ("change", "kept", "reasons"),
    [
        (lambda s: None, 4, []),
        (lambda s: s["rowSet"].append(list(s["rowSet"][0])), 4, []),  # the site lists some people twice
        (lambda s: cell(s, 0, "TEAM_ID", 0), 3, []),
        (lambda s: cell(s, 0, "PERSON_ID", 10**10), 3, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "TEAM_ID", True), 3, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "TEAM_ABBREVIATION", "BOS"), 3, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "TEAM_ABBREVIATION", "a/b"), 3, ["BAD_FIELD"]),
        (lambda s: cell(s, 0, "PERSON_ID", s["rowSet"][1][0]), 2, ["CONFLICTING_ROWS"] * 2),
        *((lambda s, name=name: cell(s, 0, "DISPLAY_FIRST_LAST", name), 3, ["BAD_FIELD"]) for name in HOSTILE_NAMES),
    ],
)
def test_one_bad_member_of_a_team_never_stops_the_rest(zone, change, kept, reasons):
    parsed = rosters(zone, change)
    assert (len(parsed.frame), [r.reason for r in parsed.rejects]) == (kept, reasons)
    TABLES["nba_raw.rosters"].validate(parsed.frame)


def test_a_row_with_one_null_field_holds_back_no_player(zone):
    parsed, _ = logs(zone, lambda s: cell(s, 0, "PLUS_MINUS", "many"))
    assert parsed.frame["plus_minus"].isna().sum() == 1
    table = TABLES["nba_raw.quarantined_box_scores"]
    assert nba_stats.refused_players(quarantine_frame(table, parsed.rejects, DAY)).empty
