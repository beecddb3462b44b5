"""History and context against a slow oracle that walks row by row, and the number of queries they take."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import context, history
from nba_props.facts.calendar import look_back_start
from nba_props.schemas import analytics, raw
from nba_props_tests.frames import Frames

DAY = date(2025, 12, 20)
FIRST = date(2025, 10, 1)
LOOK_BACK, MOST = 90, 30
NO_REPORT = pd.DataFrame(
    {
        "game_date": pd.Series(dtype="datetime64[ns]"), "player_id": pd.Series(dtype="Int64"),
        "injury_reported_at": pd.Series(dtype="datetime64[ns, UTC]"), "injury_status": pd.Series(dtype=object),
        "teammates_reported_absent": pd.Series(dtype="Int64"),
    }
)  # fmt: skip


def box_scores(players: int, rng: np.random.Generator) -> pd.DataFrame:
    """Random appearances of ``players`` on teams of fifteen, from 1 July to the day after DAY."""
    rows = []
    for p in range(players):
        day = date(2025, 7, 1) + timedelta(int(rng.integers(0, 9)))
        while day <= DAY + timedelta(1):
            rows.append((day, p + 1, p // 15))
            day += timedelta(int(rng.integers(1, 6)))
    f = pd.DataFrame(rows, columns=["game_date", "player_id", "team"])
    n = len(f)
    f["game_date"] = pd.to_datetime(f["game_date"])
    out = raw.BOX_SCORES.empty().reindex(range(n)).drop(columns=f.columns)
    out = pd.concat(
        [f[["game_date", "player_id"]], out.drop(columns=[c for c in f if c in out], errors="ignore")], axis=1
    )
    pair = f["team"] // 2
    out["game_id"] = [f"00225{d.dayofyear:03d}{g:02d}" for d, g in zip(f["game_date"], pair, strict=True)]
    out["team_id"], out["team"] = f["team"] + 1, "T" + f["team"].astype(str)
    out["opponent"], out["is_home"], out["won"] = "OPP", f["team"] % 2 == 0, True
    out["player_name"] = "P" + f["player_id"].astype(str)
    out["player_lookup"] = out["player_name"].str.lower()
    out["season"] = np.where(f["game_date"] >= "2025-10-01", "2025-26", "2024-25")
    out["season_type"] = "Regular Season"
    for c in raw.BOX_SCORE_STATS:
        out[c.name] = rng.integers(0, 40, n)
    out["plus_minus"], out["payload"], out["data_source"] = 0, "p", "NBA_STATS"
    return out[raw.BOX_SCORES.column_names]


def slate(players: int, days: list[date]) -> pd.DataFrame:
    rows = [(d, p + 1, p // 15) for d in days for p in range(players)]
    f = pd.DataFrame(rows, columns=["game_date", "player_id", "team"])
    f["game_date"] = pd.to_datetime(f["game_date"])
    cutoff = f["game_date"].dt.tz_localize("UTC") + pd.Timedelta(hours=24)
    return pd.DataFrame(
        {
            "game_date": f["game_date"], "game_id": "0022500001", "player_id": f["player_id"],
            "player_name": "P" + f["player_id"].astype(str), "player_lookup": "p" + f["player_id"].astype(str),
            "season": "2025-26", "season_type": "Regular Season", "team_id": f["team"] + 1,
            "team": "T" + f["team"].astype(str), "opponent_team_id": (f["team"] ^ 1) + 1, "opponent": "X", "is_home": True,
            "team_source": "LAST_GAME", "team_null_reason": None, "tipoff_at": cutoff, "cutoff_at": cutoff, "is_quoted": False,
        }
    )  # fmt: skip


def stored(lake: Frames, players: int, days: list[date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    boxes, people = box_scores(players, np.random.default_rng(players)), slate(players, days)
    lake.write(raw.BOX_SCORES, boxes, sorted({d.date() for d in boxes["game_date"]}))
    lake.write(analytics.SLATE, people, days)
    return boxes, people


def ask(lake: Frames, days: list[date], look_back: int = LOOK_BACK, most: int = MOST):
    span = {"first": days[0], "last": days[-1]}
    games = lake.query(history.historical_games_sql(look_back, most), **span)
    season = lake.query(history.season_sql(), **span, history_from=FIRST)
    form = lake.query(history.team_form_sql(look_back), **span)
    return TABLES["nba_analytics.historical_games"].validate(games), season, form


@pytest.mark.parametrize(("look_back", "most"), [(LOOK_BACK, MOST), (30, 5)])
def test_history_equals_a_loop_over_the_rows(lake, look_back, most):
    days = [DAY - timedelta(3), DAY]
    boxes, people = stored(lake, 20, days)
    games, _, _ = ask(lake, days, look_back, most)
    for person in people.itertuples():
        own = []
        for b in boxes.itertuples():
            start = look_back_start(person.game_date.date(), look_back)
            if b.player_id == person.player_id and start <= b.game_date.date() < person.game_date.date():
                own.append((b.game_date, b.game_id, b.points))
        own = sorted(own, reverse=True)[:most]
        mine = games[(games["game_date"] == person.game_date) & (games["player_id"] == person.player_id)].sort_values(
            "recency"
        )
        assert list(zip(mine["played_on"], mine["game_id"], mine["points"], strict=True)) == own
        assert mine["recency"].tolist() == list(range(1, len(own) + 1))


def test_context_equals_a_loop_over_the_rows(lake):
    days = [DAY - timedelta(1), DAY]
    boxes, people = stored(lake, 30, days)
    games, season, form = ask(lake, days)
    lines = people[["game_date", "player_id"]].assign(
        has_prop_line=False, line=np.nan, consensus_line=np.nan, opening_line=np.nan, no_line_reason="NOT_QUOTED"
    )
    built = TABLES["nba_analytics.upcoming_player_game_context"].validate(
        context.build(people, games, season, form, lines, NO_REPORT)
    )
    assert len(built) == len(people)
    for row in built.itertuples():
        past = boxes[(boxes["player_id"] == row.player_id) & (boxes["game_date"] < row.game_date)]
        past = past.sort_values("game_date", ascending=False)
        recent = past[past["game_date"] >= pd.Timestamp(look_back_start(row.game_date.date(), LOOK_BACK))].head(MOST)
        ages = [(row.game_date - d).days for d in recent["game_date"]]
        scored, played = recent["points"].tolist(), recent["minutes"].tolist()
        this_season = past[past["season"] == "2025-26"]
        assert row.days_rest == ages[0]
        assert row.back_to_back == (ages[0] == 1)
        assert row.games_in_last_7_days == sum(a <= 7 for a in ages)
        assert row.minutes_in_last_14_days == sum(m for a, m in zip(ages, played, strict=True) if a <= 14)
        pairs = sum(1 for near, far in zip(ages, ages[1:], strict=False) if far - near == 1 and far <= 14)
        assert row.back_to_backs_last_14_days == pairs
        assert row.points_avg_last_5 == pytest.approx(np.mean(scored[:5]))
        assert row.points_avg_last_10 == pytest.approx(np.mean(scored[:10]))
        assert row.points_std_last_10 == pytest.approx(np.std(scored[:10], ddof=1))
        weights = [0.5 ** (n / 5) for n in range(len(played))]
        assert row.projected_minutes == pytest.approx(np.average(played, weights=weights))
        assert row.points_avg_season == pytest.approx(this_season["points"].mean())
        assert row.games_season == len(this_season)
        fatigue = 100 - (15 if ages[0] == 1 else 0) + (5 if ages[0] >= 3 else 0)
        week = [m for a, m in zip(ages, played, strict=True) if a <= 7]
        fatigue -= 10 * (len(week) >= 4) + 10 * (sum(week) > 240) + 8 * (bool(week) and sum(week) / len(week) > 35)
        fatigue -= 12 if pairs >= 2 else 5 if pairs == 1 else 0
        assert row.fatigue_score == min(100, max(0, fatigue))


def test_minutes_are_projected_from_the_past_alone(lake):
    boxes, people = stored(lake, 30, [DAY])
    lines = people[["game_date", "player_id"]].assign(
        has_prop_line=False, line=np.nan, consensus_line=np.nan, opening_line=np.nan, no_line_reason="NOT_QUOTED"
    )

    def projected() -> pd.Series:
        games, season, form = ask(lake, [DAY])
        return context.build(people, games, season, form, lines, NO_REPORT)["projected_minutes"]

    before = projected()
    late = [d for d in sorted({d.date() for d in boxes["game_date"]}) if d >= DAY]
    assert len(late) == 2
    lake.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), late)
    pd.testing.assert_series_equal(projected(), before)
    last = max(d for d in lake.partitions(raw.BOX_SCORES) if d < DAY)
    lake.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), [last])
    assert (projected() != before).any(), "and of the past every game counts"


def test_team_form_equals_a_loop_over_the_games(lake):
    boxes, _ = stored(lake, 60, [DAY])
    _, _, form = ask(lake, [DAY])
    assert sorted(form["team_id"]) == [1, 2, 3, 4]
    for row in form.itertuples():
        totals = []
        start = pd.Timestamp(look_back_start(DAY, LOOK_BACK))
        recent = boxes[(boxes["game_date"] < pd.Timestamp(DAY)) & (boxes["game_date"] >= start)]
        for (day, game), g in recent.groupby(["game_date", "game_id"]):
            own, other = g[g["team_id"] == row.team_id], g[g["team_id"] != row.team_id]
            if own.empty or other.empty:
                continue
            poss = [x["fga"].sum() + 0.44 * x["fta"].sum() + x["tov"].sum() - x["oreb"].sum() for x in (own, other)]
            overtimes = max(0, np.floor((own["minutes"].sum() - 240) / 25 + 0.5))
            totals.append((day, game, own["points"].sum(), poss[0], 48 + 5 * overtimes, other["points"].sum(), poss[1]))
        totals = sorted(totals, reverse=True)
        ten, fifteen = totals[:10], totals[:15]
        assert row.pace_last_10 == pytest.approx(np.mean([t[3] * 48 / t[4] for t in ten]))
        assert row.off_rating_last_10 == pytest.approx(100 * sum(t[2] for t in ten) / sum(t[3] for t in ten))
        assert row.def_rating_last_15 == pytest.approx(100 * sum(t[5] for t in fifteen) / sum(t[6] for t in fifteen))


def test_queries_do_not_grow_with_players_or_dates():
    counts = []
    for players, days in ((10, [DAY]), (500, [DAY]), (10, [DAY - timedelta(n) for n in range(9, -1, -1)])):
        warehouse = Frames()
        stored(warehouse, players, days)
        ask(warehouse, days)
        counts.append(warehouse.query_count)
    assert counts == [3, 3, 3]


def test_a_player_without_any_game_has_reasons_instead_of_numbers(lake):
    people = slate(1, [DAY])
    lake.write(analytics.SLATE, people, [DAY])
    games, season, form = ask(lake, [DAY])
    lines = people[["game_date", "player_id"]].assign(
        has_prop_line=False, line=np.nan, consensus_line=np.nan, opening_line=np.nan, no_line_reason="NOT_QUOTED"
    )
    row = context.build(people, games, season, form, lines, NO_REPORT).iloc[0]
    assert pd.isna(row["points_avg_last_5"])
    assert pd.isna(row["fatigue_score"])
    assert row["games_in_last_7_days"] == 0
    assert pd.isna(row["projected_minutes"])
    for name in (
        "points_avg_last_5",
        "projected_minutes",
        "points_avg_season",
        "fatigue_score",
        "line",
        "opponent_def_rating_last_15",
    ):
        assert f'"{name}": ' in row["null_reasons"]


def test_on_opening_night_the_games_of_last_spring_are_the_history_and_the_season_is_empty(lake):
    """No summer is counted: 90 days of last season are behind it, the playoffs too, and no season average exists."""
    night = date(2025, 10, 21)
    spring = box_scores(15, np.random.default_rng(3)).drop_duplicates("player_id").assign(season="2024-25")
    dates = [date(2025, 2, 4), date(2025, 2, 5), date(2025, 4, 15), date(2025, 6, 20)]
    boxes = pd.concat(
        [spring.assign(game_date=pd.Timestamp(d), game_id=f"00224000{i:02d}") for i, d in enumerate(dates)]
    )
    lake.write(raw.BOX_SCORES, boxes, dates)
    lake.write(analytics.SLATE, slate(15, [night]), [night])
    games, season, _ = ask(lake, [night])
    assert (
        games.groupby("player_id")["played_on"].apply(lambda s: [d.date() for d in s.sort_values()]).tolist()
        == [dates[1:]] * 15
    )
    assert season.empty
    span = {"first": night, "last": night}
    past = lake.query(history.past_form_sql(LOOK_BACK), **span)
    assert len(past) == 0, "historical games are not stored yet"
    missing = lake.query(history.absence_sql(LOOK_BACK), **span)
    assert missing["games_missed"].tolist() == [0] * 15
    # the same night asked for with a date before the season and one long after it
    wide = [date(2025, 9, 20), night, date(2026, 1, 20)]
    lake.write(analytics.SLATE, slate(15, [wide[0], wide[2]]), [wide[0], wide[2]])
    again = lake.query(history.historical_games_sql(LOOK_BACK, MOST), first=wide[0], last=wide[2])
    pd.testing.assert_frame_equal(
        again[again["game_date"] == pd.Timestamp(night)].sort_values(["player_id", "recency"], ignore_index=True),
        games.sort_values(["player_id", "recency"], ignore_index=True), check_dtype=False,
    )  # fmt: skip


def availability(lake: Frames, *listed: tuple[str, str, str]) -> pd.DataFrame:
    """What is known of three players of each team when the newest report has ``listed``: team, player and status."""
    people = slate(33, [DAY])
    people = people[people["player_id"].isin([1, 2, 3, 31, 32, 33])].copy()
    people["team_id"] = np.where(people["player_id"] < 10, 1, 2)
    game = {
        "game_date": pd.Timestamp(DAY), "game_id": "0022500001", "season": "2025-26", "season_type": "Regular Season",
        "tipoff_at": people["cutoff_at"].iloc[0], "status": 1, "is_postponed": False, "home_team_id": 1,
        "home_team": "HOM", "home_team_name": "Home Herons", "away_team_id": 2, "away_team": "AWY",
        "away_team_name": "Away Otters", "home_score": None, "away_score": None, "is_neutral": False, "arena": None,
        "payload": "p", "data_source": "S",
    }  # fmt: skip
    rows = [
        {
            "game_date": pd.Timestamp(DAY), "report_at": game["tipoff_at"] - pd.Timedelta(hours=2), "away_team": "AWY",
            "home_team": "HOM", "team_name": team, "source_name": name, "player_name": name, "player_lookup": name,
            "status": status, "reason": None, "payload": "p", "data_source": "S",
        }
        for team, name, status in listed
    ]  # fmt: skip
    lake.write(raw.SCHEDULE, raw.SCHEDULE.conform(pd.DataFrame([game])), [DAY])
    lake.write(raw.INJURY_REPORTS, raw.INJURY_REPORTS.validate(pd.DataFrame(rows)), [DAY])
    lake.write(analytics.SLATE, people, [DAY])
    found = lake.query(history.availability_sql(), first=DAY, last=DAY).set_index("player_id").sort_index()
    assert found["injury_reported_at"].notna().all()
    plain = found[["injury_status", "teammates_reported_absent"]].astype(object)
    return plain.where(plain.notna(), None)


HOME, AWAY = "Home Herons", "Away Otters"


def test_a_player_whom_a_submitted_list_lacks_is_not_listed(lake):
    found = availability(lake, (HOME, "p1", "OUT"), (HOME, "p2", "QUESTIONABLE"))
    assert found["injury_status"].tolist() == ["OUT", "QUESTIONABLE", *["NOT_LISTED"] * 4]
    assert found["teammates_reported_absent"].tolist() == [0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("status", ["NOT_SUBMITTED", "NAME_UNREADABLE"])
def test_without_a_full_list_only_the_named_players_of_a_team_have_a_status(lake, status):
    found = availability(lake, (HOME, "p1", "OUT"), (AWAY, "notyetsubmitted", status), (AWAY, "p31", "OUT"))
    assert found["injury_status"].tolist() == ["OUT", "NOT_LISTED", "NOT_LISTED", "OUT", None, None]
    assert found["teammates_reported_absent"].tolist() == [0, 1, 1, None, None, None]


def test_an_unreadable_status_leaves_no_player_available(lake):
    found = availability(lake, (HOME, "p1", "OUT"), (HOME, "p2", "STATUS_UNREADABLE"))
    assert found["injury_status"].tolist() == ["OUT", None, "NOT_LISTED", *["NOT_LISTED"] * 3]
    assert found["teammates_reported_absent"].tolist() == [None, 1, None, 0, 0, 0]


def test_a_team_under_an_ambiguous_name_may_be_either(lake):
    found = availability(lake, (HOME, "p1", "OUT"), ("The Otters", "p31", "OUT"))
    assert found["injury_status"].tolist() == ["OUT", None, None, None, None, None]
    assert found["teammates_reported_absent"].isna().all()
