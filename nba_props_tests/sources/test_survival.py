"""Whatever a feed sends is survived: a wrong field is null or its row is held back, and the rest of the date goes on."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from nba_props.domain.calendar import days
from nba_props.domain.quotes import match_games
from nba_props.schemas import Table, raw
from nba_props.schemas.base import Type
from nba_props.simulator import payloads
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.sources.landing import LandingError, LandingZone
from nba_props.sources.rejects import Parsed, keep_contract, quarantine_frame
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
        ({"player_name": None}, "r.json: player_name is None, and must be known"),
        ({"player_name": 5}, "r.json: player_name is 5, not STRING"),
        ({"player_name": "\ud800"}, r"r.json: player_name is '\ud800', with characters that are no text"),
        ({"team_id": float("nan")}, "r.json: team_id is nan, and must be known"),
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


def test_of_equal_rows_one_is_kept_and_of_different_ones_of_a_key_none():
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


def test_many_bad_values_in_a_long_column_are_found_without_a_walk_through_it():
    frame = pd.concat([rosters()] * 4000, ignore_index=True).assign(player_id=range(1, 12001))
    frame = frame.astype({"player_id": object})
    frame.loc[[17, 9000], "player_id"] = ["x", {}]
    kept, rejects = keep_contract(raw.ROSTERS, frame)
    assert (len(kept), len(rejects)) == (11998, 2)


# -- the schedule -----------------------------------------------------------------------------------------------------


def land_schedule(zone: LandingZone, change: Callable[[list[dict]], Any], suffix: str = "") -> nba_stats.Parsed:
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
def test_a_tip_off_to_be_decided_is_unknown_and_its_date_is_the_stated_one(zone, text):
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
        "Invalid isoformat string: 'tonight'; null is taken for it"
    )
    assert reject.position.startswith("games[")


def test_a_game_without_teams_is_held_back_under_its_own_date_only(zone):
    land_schedule(zone, lambda games: games[0]["homeTeam"].update(teamId=0, teamTricode=""))
    other = DAY + timedelta(2)
    assert [r.reason for r in nba_stats.read_schedule(zone, [DAY]).rejects] == ["TEAM_TO_BE_DECIDED"]
    assert nba_stats.read_schedule(zone, [other]).rejects == []


def test_the_schedule_before_stays_in_use_when_the_newest_can_not_be_read(zone):
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


# -- mutations --------------------------------------------------------------------------------------------------------

HOSTILE: list[Any] = [
    None, float("nan"), float("inf"), -float("inf"), "", " ", "x", "\ud800", "a\x00b", "\u202eoops", "z" * 5000, True, False,
    0, -1, 1.5, 1e308, -1e308, 10**400, 2**63, 99, "7", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00",
    "2025-11-10T20:00:00", "2025-11-10T05:00:00Z", [], {}, [[]], [{}], {"a": []}, [None], "-0", "1e9", "\u0967\u0968",
]  # fmt: skip


def places(value: Any, at: tuple = ()) -> list[tuple]:
    """Every place in a payload, by its path."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(p for k, v in inside for p in places(v, (*at, k)))]


def mutated(content: Any, rng: random.Random, where: list[tuple]) -> Any:
    """The payload with one to three of its values gone, doubled or replaced by something hostile."""
    content = copy.deepcopy(content)
    for path in rng.sample(where, rng.randint(1, 3)):
        holder = content
        try:
            for step in path[:-1]:
                holder = holder[step]
            match rng.random():
                case x if x < 0.15:
                    del holder[path[-1]]
                case x if x < 0.25 and isinstance(holder, list):
                    holder.append(copy.deepcopy(holder[path[-1]]))
                case _:
                    holder[path[-1]] = copy.deepcopy(rng.choice(HOSTILE))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return content


def quotes(zone: LandingZone, schedule: pd.DataFrame) -> Parsed:
    rows, rejects = odds_api.read_day(zone, DAY)
    if not rows:
        return Parsed(raw.ODDS_QUOTES.empty(), rejects)
    parsed = pd.DataFrame(rows).assign(game_date=pd.Timestamp(DAY))
    for column in ("snapshot_at", "last_update_at", "commence_at"):
        parsed[column] = pd.to_datetime(parsed[column], utc=True)
    matched, _, _ = match_games(parsed, schedule)
    return Parsed.of(raw.ODDS_QUOTES, matched, rejects)


ROSTER_PATH = f"{nba_stats.roster_folder(league.SEASON)}/{DAY}-20251110T120000Z.json.gz"
PEOPLE = [
    {"player_id": league.player(t, s)[0], "player_name": league.player(t, s)[1], "team_id": t.team_id, "team": t.code}
    for t in league.TEAMS for s in range(3)
]  # fmt: skip
RECORDS = [
    {"date": "11/10/2025", "matchup": "ALB@BRI", "team": "Alba Herons", "player": f"Archer{i}, Ada", "status": "Out",
     "reason": "Rest"} for i in range(4)
]  # fmt: skip
LOG = payloads.game_log(league.SEASON, "Regular Season", DAY, [r for g in GAMES for r in league.log_rows(g)[:4]])
SCHEDULE_PATH = f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz"

#: the table, where its payload is landed, the payload, and how it is read
FEEDS: dict[str, tuple[Table, str, Any, Callable[[LandingZone], Parsed]]] = {
    "schedule": (raw.SCHEDULE, SCHEDULE_PATH, league.schedule(GAMES, DAY),
                 lambda z: nba_stats.read_schedule(z, [DAY])),
    "box scores": (raw.BOX_SCORES, league.log_path(DAY), LOG, lambda z: nba_stats.read_box_scores(z, [DAY])),
    "scoring shares": (raw.SCORING_SHARES, league.scoring_path(GAMES[0]), league.scoring(GAMES[0]),
                       lambda z: nba_stats.read_scoring(z, [DAY])),
    "rosters": (raw.ROSTERS, ROSTER_PATH, payloads.rosters(league.SEASON, PEOPLE),
                lambda z: nba_stats.read_rosters(z, [DAY])),
    "injuries": (raw.INJURY_REPORTS, f"injury_report/{DAY}/report-20251110T180000Z.json.gz",
                 {"metadata": {"report_at": "2025-11-10T18:00:00Z"}, "records": RECORDS},
                 lambda z: injury_report.read_reports(z, [DAY])),
}  # fmt: skip


class Held(LandingZone):
    """A zone that holds one payload in memory, so that hundreds cost no files."""

    def __init__(self, root: str, path: str, content: Any) -> None:
        super().__init__(root)
        self.path, self.content = path, content

    def list(self, folder: str):
        from nba_props.sources.landing import Payload

        return [Payload(self.path)] if self.path.startswith(f"{folder}/") else []

    def load(self, payload) -> Any:
        return self.content


@pytest.mark.parametrize("mutations", [40, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("feed", [*FEEDS, "quotes"])
def test_no_mutation_of_a_payload_stops_its_date(zone, feed, mutations):
    schedule = nba_stats.read_schedule(Held(zone.root, SCHEDULE_PATH, league.schedule(GAMES, DAY)), [DAY]).frame
    odds_path, odds = league.capture(GAMES[0], 60)
    odds["data"]["bookmakers"] = odds["data"]["bookmakers"][:2]
    table, path, content, read = FEEDS.get(feed) or (raw.ODDS_QUOTES, odds_path, odds, lambda z: quotes(z, schedule))
    clean = read(Held(zone.root, path, content))
    assert clean.rejects == []
    assert len(clean.frame)
    rng, where = random.Random(feed), places(content)[1:]  # noqa: S311 - no secret
    untouched = held_back = 0
    frames, refused = [], []
    for n in range(mutations):
        changed = mutated(content, rng, where)
        try:
            parsed = read(Held(zone.root, path, changed))
        except LandingError:
            assert feed == "schedule", "only a season without any readable schedule stops a date"
            continue
        assert not parsed.frame.duplicated(table.unique).any(), (n, changed)
        assert all(r.payload == path and path in r.detail for r in parsed.rejects), parsed.rejects
        frames.append(parsed.frame)
        refused += parsed.rejects
        untouched += len(parsed.frame) == len(clean.frame)
        held_back += bool(parsed.rejects)
    everything = pd.concat(frames, ignore_index=True)
    assert replace(table, key=()).violations(everything).empty
    for column in (c.name for c in table.columns if c.type is Type.STRING):
        "".join(everything[column].dropna()).encode()
    raw.QUARANTINED_GAMES.validate(quarantine_frame(raw.QUARANTINED_GAMES, refused, DAY))
    assert held_back > 0.2 * mutations
    assert untouched, "some mutations harm nothing, or the test reads nothing"
