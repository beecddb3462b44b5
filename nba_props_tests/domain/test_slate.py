"""Who could play, as of a date: rosters by last appearance, opening nights, trades, landed rosters, debutants."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import games, slate
from nba_props.facts.calendar import days, identity_start
from nba_props.schemas import raw
from nba_props.schemas.raw import BOX_SCORE_STATS
from nba_props.simulator import payloads
from nba_props_tests import league
from nba_props_tests.conftest import BEFORE_SYSTEMS, DAY, utc

ALB, BRI, COR, DUN = league.TEAMS


def players_on(platform, day):
    return platform.query("SELECT * FROM nba_reference.players WHERE game_date = @day", day=day).set_index("player_id")


def test_rosters_are_the_players_who_appeared_since_the_season_began(slated):
    players = players_on(slated, DAY)
    assert len(players) == 36
    assert players["on_roster"].all()
    assert (players["last_game_date"] < pd.Timestamp(DAY)).all()
    assert players.loc[league.player(COR, 4)[0], "team"] == "COR"


def test_a_traded_player_belongs_to_the_team_he_last_appeared_for(make_platform):
    moved_id, moved_name = league.player(ALB, 4)
    switch = DAY - timedelta(6)

    def fill(zone):
        all_games = league.games()
        zone.land(
            f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz",
            league.schedule(all_games, league.FIRST + timedelta(30)),
        )
        for day in sorted({g.day for g in all_games}):
            rows = [r for g in all_games if g.day == day for r in league.log_rows(g)]
            for row in rows:
                if day >= switch and row["PLAYER_ID"] == moved_id:
                    row["PLAYER_ID"] = 999_999  # his old slot is somebody else's now
                if day >= switch and row["PLAYER_ID"] == league.player(DUN, 8)[0]:
                    row |= {"PLAYER_ID": moved_id, "PLAYER_NAME": moved_name}
            league.land_log(zone, day, rows)

    platform = make_platform(fill)
    platform.materialize(switch - timedelta(2), DAY - timedelta(1), job="ingest_history")
    platform.materialize(DAY, DAY, platform.of("predict", "nba_raw", "nba_reference"))
    assert players_on(platform, DAY).loc[moved_id, "team"] == "DUN"


def opening_night(zone, *, quoted: dict[str, str]):
    """Last season in April, then an opening night this October with odds for renamed or unknown players."""
    last = [league.Game("0022500901", date(2026, 4, 1), ALB, BRI, league.tipoff(date(2026, 4, 1)))]
    night = date(2026, 10, 20)
    opening = league.Game("0022600001", night, ALB, COR, league.tipoff(night))
    for season, entries in (("2025-26", last), ("2026-27", [opening])):
        games = []
        for g in entries:
            home, away = (payloads.schedule_team(t.team_id, t.city, t.name, t.code, None) for t in (g.home, g.away))
            games.append(payloads.schedule_game(g.game_id, g.day, g.tipoff_at, home, away, final=False))
        zone.land(f"nba_stats/scheduleleaguev2/{season}.json.gz", payloads.schedule(season, games))
    league.land_log(zone, last[0].day, league.log_rows(last[0]))
    zone.land(*league.capture(opening, 60, names=quoted))
    return opening


def slate_of(platform):
    return platform.query("SELECT * FROM nba_analytics.slate").set_index("player_name")


def test_an_opening_night_takes_last_seasons_rosters_until_a_newer_one_lands(make_platform):
    """A Brink player is quoted for a game of Alba against Corva: traded, as a landed roster says."""
    traded, rookie = league.player(BRI, 2)[1], "Rookie Newman"
    quoted = {league.player(COR, 0)[1]: traded, league.player(COR, 1)[1]: rookie}
    made = {}
    platform = make_platform(lambda zone: made.update(game=opening_night(zone, quoted=quoted)))
    game = made["game"]
    lately = game.day.replace(day=1), game.day - timedelta(1)
    platform.materialize(date(2026, 4, 1), date(2026, 4, 1), job="ingest_history")
    platform.materialize(*lately, job="ingest_history")

    outcome = platform.slate(game.day)
    rows = slate_of(platform)
    assert rows.loc[[league.player(ALB, s)[1] for s in range(9)], "team"].eq("ALB").all()
    moved = rows.loc[traded]
    assert moved["team_null_reason"] == "QUOTED_FOR_A_GAME_OF_OTHER_TEAMS"
    assert moved[["team", "opponent", "is_home"]].isna().all()
    assert moved["game_id"] == game.game_id
    assert platform.failed(outcome)["upcoming_player_game_context.slate_is_complete"] == "ERROR"
    unresolved = platform.query("SELECT source_name, reason FROM nba_reference.unresolved_names")
    assert rookie in set(unresolved["source_name"])

    members = [
        {"player_id": league.player(BRI, 2)[0], "player_name": traded, "team_id": COR.team_id, "team": "COR"},
        {"player_id": 777, "player_name": rookie, "team_id": COR.team_id, "team": "COR"},
        {"player_id": 778, "player_name": "Free Agent", "team_id": 0, "team": ""},
    ]
    late = [{**members[0], "team_id": DUN.team_id, "team": "DUN"}]
    for at, landed in (("20261018T120000Z", members), ("20261021T030000Z", late)):
        path = f"nba_stats/commonallplayers/2026-27/x-{at}.json.gz"
        platform.zone.land(path, payloads.rosters("2026-27", landed))
    platform.materialize(*lately, job="ingest_rosters")
    platform.materialize(game.day, game.day, platform.of("predict", *BEFORE_SYSTEMS))
    rows = slate_of(platform)
    for name in (traded, rookie):
        assert rows.loc[name, "team"] == "COR", "a roster captured after tip-off must not count"
        assert rows.loc[name, "team_source"] == "ROSTER"
        assert not rows.loc[name, "is_home"]
    assert "Free Agent" not in rows.index


def test_spans_of_days():
    assert days(date(2025, 11, 1), date(2025, 11, 3)) == [date(2025, 11, n) for n in (1, 2, 3)]
    assert utc(2025, 11, 1).tzinfo is not None


BOXES, SCHEDULE = TABLES["nba_raw.box_scores"], TABLES["nba_raw.schedule"]


def store_games(lake, *games: tuple[date, str, str, int, list[int]], season_type: str = "Regular Season") -> None:
    """Games by date, season, id, team and who of it played; both teams' rosters are the team's own."""
    for day, season, game_id, team_id, people in games:
        game = {"game_date": pd.Timestamp(day), "game_id": game_id, "season": season, "season_type": season_type,
                "payload": "p", "data_source": "REAL"}  # fmt: skip
        plan = {**game, "tipoff_at": pd.Timestamp(league.tipoff(day)), "status": 3, "is_postponed": False,
                "home_team_id": team_id, "home_team": "A", "home_team_name": "A", "away_team_id": 99, "away_team": "B",
                "away_team_name": "B", "is_neutral": False}  # fmt: skip
        lake.write(SCHEDULE, SCHEDULE.empty().reindex([0]).assign(**plan), [day])
        rows = [
            {**game, "player_id": p, "player_name": f"P{p}", "player_lookup": f"p{p}", "team_id": team_id, "team": "A",
             "opponent": "B", "is_home": True, **{c.name: 1 for c in BOX_SCORE_STATS}} for p in people
        ]  # fmt: skip
        lake.write(BOXES, BOXES.empty().reindex(range(len(rows))).assign(**pd.DataFrame(rows)), [day])


def known(lake, day: date) -> pd.DataFrame:
    lake.write(raw.ROSTERS, raw.ROSTERS.empty(), [day])
    span = {"first": day, "last": day, "identity_from": identity_start(day)}
    return lake.query(slate.PLAYERS_SQL, **span).set_index("player_id")


def test_a_player_who_missed_a_whole_season_is_known_and_on_no_roster_until_he_plays(lake):
    """Saddiq Bey on 2025-10-22: his last box score is of April 2024."""
    night, week_later = date(2025, 10, 22), date(2025, 10, 29)
    store_games(
        lake,
        (date(2022, 4, 1), "2021-22", "0022100001", 1, [1]),  # too long ago
        (date(2023, 4, 1), "2022-23", "0022200001", 1, [2]),
        (date(2024, 4, 1), "2023-24", "0022300001", 1, [3]),
        (date(2025, 4, 1), "2024-25", "0022400001", 1, [4]),
        (night, "2025-26", "0022500001", 1, [4]),
        (week_later, "2025-26", "0022500002", 1, [3, 4]),
        (date(2025, 11, 5), "2025-26", "0022500003", 1, [3, 4]),
    )
    first = known(lake, night)
    assert sorted(first.index) == [2, 3, 4]
    assert first["on_roster"].to_dict() == {2: False, 3: False, 4: True}
    assert known(lake, week_later)["on_roster"].to_dict() == {2: False, 3: False, 4: True}
    assert known(lake, date(2025, 11, 5))["on_roster"].to_dict() == {2: False, 3: True, 4: True}


def test_a_date_of_games_that_do_not_count_has_no_players_and_no_slate(lake):
    day = date(2025, 10, 10)
    store_games(lake, (date(2025, 4, 1), "2024-25", "0022400001", 1, [4]))
    store_games(lake, (day, "2025-26", "0012500001", 1, [4]), season_type="Pre Season")
    assert known(lake, day).empty
    assert games.playable(lake.read(SCHEDULE, [day])).empty


AT_SCALE = """
import sys
from datetime import date, timedelta
import pandas as pd
from nba_props.catalog import TABLES
from nba_props.domain import slate
from nba_props.warehouse.lake import LakeWarehouse
lake = LakeWarehouse(sys.argv[1])
boxes, schedule = TABLES["nba_raw.box_scores"], TABLES["nba_raw.schedule"]
first, dates, players = date(2024, 10, 22), 240, 700
days = [first + timedelta(n) for n in range(dates)]
game = {"season": "2024-25", "season_type": "Regular Season"}
plan = schedule.empty().reindex(range(dates)).assign(
    game_date=pd.to_datetime(days), game_id=[f"g{n}" for n in range(dates)], tipoff_at=pd.Timestamp("2024-10-22T23:00Z"),
    status=3, is_postponed=False, home_team_id=1, away_team_id=2, home_team="A", away_team="B", is_neutral=False,
    home_team_name="A", away_team_name="B", payload="p", data_source="REAL", **game)
lake.write(schedule, plan, days)
people = pd.DataFrame({"player_id": range(1, players + 1)})
for day in days[:2]:
    rows = boxes.empty().reindex(range(players)).assign(
        game_date=pd.Timestamp(day), game_id="g", player_id=people["player_id"], player_name="n", player_lookup="n",
        team_id=1, team="A", opponent="B", is_home=True, payload="p", data_source="REAL", **game)
    counts = [c.name for c in boxes.columns if not c.nullable and rows[c.name].isna().any()]
    lake.write_unchecked(boxes, rows.assign(**dict.fromkeys(counts, 0)), day)
found = lake.query(slate.PLAYERS_SQL, first=days[0], last=days[-1], identity_from=first)
print(len(found))
"""


@pytest.mark.slow
@pytest.mark.long
def test_a_season_of_all_players_is_computed(tmp_path):
    """167,300 players of dates. A plan that DuckDB waits for ever on can only be stopped in another process."""
    done = subprocess.run(
        [sys.executable, "-c", AT_SCALE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 239 * 700
