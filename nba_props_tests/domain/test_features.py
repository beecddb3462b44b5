"""Features against a slow loop over the rows, with their corrected definitions, reasons and reproducibility."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import context, features, history
from nba_props.facts.calendar import look_back_start
from nba_props.schemas.features import FEATURES, LEGACY, MARKET, NAMES, PLAYER_FEATURES, SCHEMA_HASH
from nba_props_tests.conftest import BEFORE_SYSTEMS
from nba_props_tests.conftest import DAY as PLATFORM_DAY
from nba_props_tests.domain.test_history import DAY, FIRST, LOOK_BACK, NO_REPORT, ask, stored


def reached(day: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp(look_back_start(day.date(), LOOK_BACK))


def build(lake, days):
    boxes, people = stored(lake, 30, days)
    games, season, form = ask(lake, days)
    lines = TABLES["nba_analytics.betting_lines"].empty().reindex(range(len(people)))
    lines = lines.assign(
        game_date=people["game_date"], game_id=people["game_id"], player_id=people["player_id"], has_prop_line=True,
        line=20.5, consensus_line=20.0, opening_line=19.5, line_movement=1.0,
    )  # fmt: skip
    built = context.build(people, games, season, form, lines, NO_REPORT)
    span = {"first": days[0], "last": days[-1]}
    met = lake.query(history.matchup_sql(), **span, last_season_from=FIRST)
    state = lake.query(history.team_state_sql(LOOK_BACK), **span)
    statements = (history.league_form_sql, history.absence_sql, history.shot_zones_sql)
    rows = features.build(built, games, lines, met, state, *(lake.query(sql(LOOK_BACK), **span) for sql in statements))
    return boxes, games, built, PLAYER_FEATURES.validate(rows)


def test_features_equal_a_loop_over_the_rows(lake):
    days = [DAY - timedelta(1), DAY]
    boxes, _, _, rows = build(lake, days)
    checked = 0
    pooled = {}
    for day in rows["game_date"].unique():
        behind = boxes[(boxes["game_date"] < day) & (boxes["game_date"] >= reached(day))]
        pooled[day] = behind["points"].sum() / behind["minutes"].sum()
    for row in rows.itertuples():
        past = boxes[(boxes["player_id"] == row.player_id) & (boxes["game_date"] < row.game_date)]
        past = past[past["game_date"] >= reached(row.game_date)].sort_values("game_date", ascending=False).head(30)
        points, minutes = past["points"].to_numpy(float), past["minutes"].to_numpy(float)
        trend = points[:3].mean() - points[3:5].mean()
        assert row.recent_trend == np.sign(trend) * (2 if abs(trend) >= 5 else 1 if abs(trend) >= 2 else 0)
        ten = past.head(10)
        assert row.pct_three == pytest.approx(ten["fg3a"].sum() / ten["fga"].sum())
        assert row.pct_free_throw == pytest.approx(min(0.5, ten["ftm"].sum() / ten["points"].sum()))
        assert row.ppm_avg_last_10 == pytest.approx(ten["points"].sum() / ten["minutes"].sum())
        assert row.minutes_avg_last_10 == pytest.approx(ten["minutes"].mean())
        w = 0.5 ** (np.arange(len(past)) / 6)
        assert row.points_ewma == pytest.approx((w * points).sum() / w.sum())
        w = 0.5 ** (np.arange(len(past)) / 5)
        assert row.minutes_ewma == pytest.approx((w * minutes).sum() / w.sum())
        w = 0.5 ** (np.arange(len(past)) / 16)
        shrunk = ((w * points).sum() + 90 * pooled[row.game_date]) / ((w * minutes).sum() + 90)
        assert row.ppm_shrunk == pytest.approx(shrunk)
        assert row.back_to_back == float((row.game_date - past["game_date"].iloc[0]).days == 1)
        checked += 1
    assert checked == 60


def test_the_trend_rises_when_points_rise():
    """The legacy trend had the wrong sign (docs/legacy-systems.md#features)."""
    rising = pd.DataFrame(
        {"game_date": pd.Timestamp(DAY), "player_id": 1, "recency": range(1, 6), "points": [30, 30, 30, 10, 10],
         "minutes": 30, "fga": 10, "fg3a": 5, "fta": 2, "ftm": 2}
    )  # fmt: skip
    rate = pd.Series([0.5], index=[pd.Timestamp(DAY)])
    assert features.form(rising, rate)["recent_trend"].tolist() == [2.0]
    assert features.form(rising.assign(points=[10, 10, 10, 30, 30]), rate)["recent_trend"].tolist() == [-2.0]
    assert features.form(rising.head(4), rate)["recent_trend"].isna().all()


def test_every_null_has_a_reason_and_is_not_replaced_by_a_default(lake):
    _, _, _, rows = build(lake, [DAY])
    for row in rows.to_dict("records"):
        reasons = json.loads(row["null_reasons"])
        assert {n for n in NAMES if pd.isna(row[n])} == set(reasons)
        assert all(reasons.values())
    always = {"shot_zone_mismatch_score", "usage_spike_score", "injury_risk", "pct_paint", "pct_mid_range"}
    assert set(rows.columns[rows.isna().all()]) >= always


def test_the_vector_is_the_legacy_one_and_more():
    assert len(LEGACY) == 33
    assert [f.name for f in LEGACY][:4] == [
        "points_avg_last_5",
        "points_avg_last_10",
        "points_avg_season",
        "points_std_last_10",
    ]
    assert set(MARKET) <= {f.name for f in LEGACY}
    assert len(set(NAMES)) == len(FEATURES)
    assert all(f.unit and f.description for f in FEATURES)


def test_a_served_row_and_its_recomputation_are_bit_equal(published):
    """A week later, with more box scores and quotes landed, the same date gives the same bits."""
    platform = published
    served = platform.warehouse.read(PLAYER_FEATURES, [PLATFORM_DAY])
    platform.materialize(PLATFORM_DAY, PLATFORM_DAY + timedelta(7), job="ingest_history")
    platform.materialize(PLATFORM_DAY, PLATFORM_DAY, platform.of("predict", *BEFORE_SYSTEMS))
    again = platform.warehouse.read(PLAYER_FEATURES, [PLATFORM_DAY])
    pdt.assert_frame_equal(served, again, check_exact=True)
    assert set(served["schema_hash"]) == {SCHEMA_HASH}


def test_absences_league_and_rest_equal_a_loop_over_the_rows(lake):
    days = [DAY - timedelta(2), DAY]
    boxes, _, _, rows = build(lake, days)
    checked = 0
    for row in rows.itertuples():
        behind = boxes[(boxes["game_date"] < row.game_date) & (boxes["game_date"] >= reached(row.game_date))]
        team = (row.player_id - 1) // 15 + 1
        own = behind[behind["team_id"] == team]
        games = (
            own.drop_duplicates("game_id").sort_values(["game_date", "game_id"], ascending=False)["game_id"].tolist()
        )
        ago = {g: n for n, g in enumerate(games)}
        missing, missed = 0.0, np.nan
        for player, mine in own.groupby("player_id"):
            last = min(ago[g] for g in mine["game_id"])
            if player == row.player_id:
                missed = float(last)
            elif 1 <= last <= 3:
                missing += mine["minutes"].mean()
        assert row.games_missed == pytest.approx(missed, nan_ok=True)
        assert row.teammates_missing_minutes == pytest.approx(missing)
        sums = behind[["points", "fga", "fta", "tov", "oreb"]].sum()
        possessions = sums["fga"] + 0.44 * sums["fta"] + sums["tov"] - sums["oreb"]
        assert row.league_def_rating == pytest.approx(100 * sums["points"] / possessions)
        past = boxes[(boxes["player_id"] == row.player_id) & (boxes["game_date"] < row.game_date)]
        past = past[past["game_date"] >= pd.Timestamp(FIRST)]
        assert row.days_rest == (row.game_date - past["game_date"].max()).days
        assert row.games_season == len(past)
        checked += 1
    assert checked == 60
    assert (rows["teammates_missing_minutes"] > 0).any()
    assert (rows["games_missed"] > 0).any()
