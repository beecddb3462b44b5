"""Whatever a feed sends is survived: a wrong field is null or its row is held back, and the rest of the date goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from nba_props.facts.calendar import days
from nba_props.schemas import raw
from nba_props.sources import nba_stats
from nba_props.sources.rejects import Parsed, keep_contract, quarantine_frame
from nba_props.storage.landing import LandingZone
from nba_props_tests import league
from nba_props_tests.conftest import DAY

GAMES = [g for g in league.games() if g.day == DAY]
ROSTER = {
    "player_id": 7, "player_name": "Ada Archer", "player_lookup": "adaarcher", "team_id": 101, "team": "ALB",
    "captured_at": pd.Timestamp("2025-11-10T12:00Z"), "payload": "r.json", "data_source": "NBA_STATS",
    "game_date": pd.Timestamp(DAY),
}  # fmt: skip


def rosters(*changes: dict[str, Any]) -> pd.DataFrame:
    good = [{**ROSTER, "player_id": n, "position": f"rowSet[{n}]"} for n in range(1, 4)]
    rows = [*good, *({**ROSTER, "position": "rowSet[9]", **c} for c in changes)]
    return pd.DataFrame({c: pd.Series([r[c] for r in rows], dtype=object) for c in rows[0]})


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"player_id": 0}, "r.json: player_id is 0, less than 1"),
        ({"player_id": 2.5}, "r.json: player_id is 2.5, not INT64"),
        ({"player_id": 10**400}, "r.json: player_id is a whole number of 1329 bits, not INT64"),
        ({"player_id": float("inf")}, "r.json: player_id is inf, not INT64"),
        ({"player_name": None}, "r.json: player_name is None, but it is required"),
        ({"player_name": 5}, "r.json: player_name is 5, not STRING"),
        ({"player_name": "\ud800"}, r"r.json: player_name is '\ud800', with characters that are not text"),
        ({"team_id": float("nan")}, "r.json: team_id is nan, but it is required"),
        ({"captured_at": "soon"}, "r.json: captured_at is 'soon', not TIMESTAMP"),
    ],
)
def test_a_row_that_breaks_the_contract_is_held_back_alone_and_says_where_and_why(change, detail):
    kept, rejects = keep_contract(raw.ROSTERS, rosters(change))
    assert kept["player_id"].tolist() == [1, 2, 3]
    raw.ROSTERS.validate(kept)
    (reject,) = rejects
    assert (reject.reason, reject.position, reject.payload) == ("CONTRACT_BREACH", "rowSet[9]", "r.json")
    assert reject.detail == detail
    assert reject.game_date == DAY
    assert len(quarantine_frame(raw.QUARANTINED_ROSTERS, rejects, DAY)) == 1


def test_one_of_equal_rows_is_kept_and_none_of_different_rows_with_one_key():
    frame = rosters({"player_id": 1, "player_name": "Ada Archer"}, {"player_id": 2, "team": "BRI"})
    kept, rejects = keep_contract(raw.ROSTERS, frame)
    assert kept["player_id"].tolist() == [1, 3]
    assert [(r.reason, r.position) for r in rejects] == [
        ("CONFLICTING_ROWS", "rowSet[2]"), ("DUPLICATE_ROW", "rowSet[9]"), ("CONFLICTING_ROWS", "rowSet[9]"),
    ]  # fmt: skip


def test_clean_rows_go_through_unchanged_and_no_rows_are_an_empty_table():
    frame = rosters()
    kept, rejects = keep_contract(raw.ROSTERS, frame)
    assert rejects == []
    pd.testing.assert_frame_equal(kept, raw.ROSTERS.conform(frame.drop(columns="position")))
    assert list(keep_contract(raw.ROSTERS, pd.DataFrame())[0].columns) == raw.ROSTERS.column_names


def test_many_bad_values_in_a_long_column_are_found_without_a_loop_over_it():
    frame = pd.concat([rosters()] * 4000, ignore_index=True).assign(player_id=range(1, 12001))
    frame = frame.astype({"player_id": object})
    frame.loc[[17, 9000], "player_id"] = ["x", {}]
    kept, rejects = keep_contract(raw.ROSTERS, frame)
    assert (len(kept), len(rejects)) == (11998, 2)


# -- the schedule -----------------------------------------------------------------------------------------------------


def land_schedule(zone: LandingZone, change: Callable[[list[dict]], Any], suffix: str = "") -> Parsed:
    content = league.schedule(league.games(), DAY)
    change([g for d in content["leagueSchedule"]["gameDates"] for g in d["games"] if g["gameDateEst"][:10] == str(DAY)])
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}{suffix}.json.gz", content)
    return nba_stats.read_schedule(zone, [DAY])


def test_a_date_on_which_no_arena_is_known_is_ingested_like_any_other(zone):
    """Every play-in and play-off game of the real payloads has ``"arenaName": NaN``."""
    parsed = land_schedule(zone, lambda games: [g.update(arenaName=float("nan")) for g in games])
    assert parsed.rejects == []
    assert raw.SCHEDULE.validate(parsed.frame)["arena"].tolist() == [None, None]


@pytest.mark.parametrize("text", ["Scheduled", "TBD", "tbd "])
def test_a_tip_off_to_be_decided_is_null_and_its_date_is_kept(zone, text):
    def change(games):
        start = "2025-11-10T05:00:00Z" if text == "Scheduled" else "2025-11-11T02:00:00Z"
        games[0].update(gameDateTimeUTC=start, gameStatusText=text)

    parsed = land_schedule(zone, change)
    assert parsed.rejects == []
    assert parsed.frame["tipoff_at"].isna().tolist() == [True, False]
    assert len(parsed.frame) == 2


def test_a_wrong_field_is_named_with_its_payload_and_value(zone):
    parsed = land_schedule(zone, lambda games: games[0].update(gameDateTimeUTC="tonight"))
    (reject,) = parsed.rejects
    assert reject.detail == (
        "nba_stats/scheduleleaguev2/2025-26.json.gz: gameDateTimeUTC is 'tonight', not an instant: "
        "Invalid isoformat string: 'tonight'; stored as null"
    )
    assert reject.position.startswith("games[")


def test_a_game_without_teams_is_held_back_under_its_own_date_only(zone):
    land_schedule(zone, lambda games: games[0]["homeTeam"].update(teamId=0, teamTricode=""))
    other = DAY + timedelta(2)
    assert [r.reason for r in nba_stats.read_schedule(zone, [DAY]).rejects] == ["TEAM_TO_BE_DECIDED"]
    assert nba_stats.read_schedule(zone, [other]).rejects == []


def test_the_schedule_before_stays_in_use_when_the_newest_is_unreadable(zone):
    land_schedule(zone, lambda games: None)
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}-20251110T120000Z.json.gz", {"leagueSchedule": None})
    parsed = nba_stats.read_schedule(zone, [DAY])
    assert len(parsed.frame) == 2
    assert [r.reason for r in parsed.rejects] == ["WRONG_SHAPE"]
    other = league.schedule(league.games(), DAY)
    other["leagueSchedule"]["seasonYear"] = "2024-25"
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}-20251110T130000Z.json.gz", other)
    assert [r.reason for r in nba_stats.read_schedule(zone, [DAY]).rejects] == ["WRONG_SEASON", "WRONG_SHAPE"]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.long
def test_every_date_of_five_real_seasons_parses_alone_as_it_does_among_others(real_data, monkeypatch):
    zone = LandingZone(str(real_data / "landing"))
    read, cache = zone.load, {}
    monkeypatch.setattr(
        LandingZone, "load", lambda self, p: cache[p.path] if p.path in cache else cache.setdefault(p.path, read(p))
    )
    for first, last in ((date(y, 10, 1), date(y + 1, 9, 30)) for y in range(2021, 2026)):
        whole = nba_stats.read_schedule(zone, days(first, last))
        assert whole.rejects == []
        with_games = sorted(set(whole.frame["game_date"].dt.date))
        alone = [nba_stats.read_schedule(zone, [d]).frame for d in [*with_games, first]]
        assert alone.pop().empty
        together = pd.concat(alone, ignore_index=True).sort_values(["game_date", "game_id"], ignore_index=True)
        pd.testing.assert_frame_equal(together, whole.frame.sort_values(["game_date", "game_id"], ignore_index=True))


@pytest.mark.real
def test_real_dates_of_play_offs_and_cup_are_read(real_data):
    zone = LandingZone(str(real_data / "landing"))
    for day, games, undecided in ((date(2024, 4, 20), 4, 0), (date(2025, 12, 9), 2, 2), (date(2025, 12, 11), 4, 0)):
        frame = nba_stats.read_schedule(zone, [day]).frame
        assert (len(frame), int(frame["tipoff_at"].isna().sum())) == (games, undecided), day
