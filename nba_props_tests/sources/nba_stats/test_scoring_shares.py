"""Shot zones: a landed boxscorescoringv3 payload becomes rows, then features; anything odd is held back with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import features
from nba_props.schemas import raw
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.sources.nba_stats.scoring_shares import read_scoring
from nba_props_tests import league
from nba_props_tests.conftest import DAY

payload, path = league.scoring, league.scoring_path
GAME = next(g for g in league.games() if g.day == DAY)


def test_a_payload_becomes_rows(zone):
    zone.land(path(GAME), payload(GAME))
    parsed = read_scoring(zone, [DAY, DAY + timedelta(1)])
    rows = raw.SCORING_SHARES.validate(parsed.frame)
    assert parsed.rejects == []
    assert len(rows) == 2 * league.PLAYERS_PER_TEAM
    assert set(rows["points_paint"]) == {0.5}
    assert read_scoring(zone, [DAY + timedelta(2)]).frame.empty


def test_the_newest_capture_counts(zone):
    zone.land(path(GAME), payload(GAME))
    zone.land(path(GAME, "-20251112T000000Z"), payload(GAME, paint=0.75, mid=0.0))
    assert set(read_scoring(zone, [DAY]).frame["points_paint"]) == {0.75}


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"percentagePointsPaint": 1.4}, ["BAD_FIELD"]),
        ({"percentagePointsPaint": None}, []),
        ({"percentagePointsPaint": float("nan")}, []),
        ({"percentagePointsPaint": "much"}, ["BAD_FIELD"]),
    ],
)
def test_an_odd_share_is_null_and_the_others_are_kept(zone, change, reasons):
    zone.land(path(GAME), payload(GAME, **change))
    parsed = read_scoring(zone, [DAY])
    assert len(parsed.frame) == 2 * league.PLAYERS_PER_TEAM
    assert parsed.frame["points_paint"].isna().tolist() == [True] + [False] * 17
    assert [(r.reason, r.game_date, r.position) for r in parsed.rejects] == [(r, DAY, "homeTeam/0") for r in reasons]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"percentagePointsPaint": 0.9, "percentagePointsMidrange2pt": 0.9}, "CONTRADICTORY_ROW"),
        ({"minutes": []}, "MALFORMED_ROW"),
        ({"minutes": 7}, "MALFORMED_ROW"),
    ],
)
def test_an_impossible_row_is_held_back(zone, change, reason):
    zone.land(path(GAME), payload(GAME, **change))
    parsed = read_scoring(zone, [DAY])
    assert (len(parsed.frame), [r.reason for r in parsed.rejects]) == (17, [reason])


def test_shares_of_another_game_than_in_their_file_name_are_refused(zone):
    zone.land(path(GAME), payload(replace(GAME, game_id="0022500999")))
    assert [r.reason for r in read_scoring(zone, [DAY]).rejects] == ["WRONG_GAME"]


def test_a_player_without_minutes_has_no_shares(zone):
    zone.land(path(GAME), payload(GAME, minutes=""))
    parsed = read_scoring(zone, [DAY])
    assert len(parsed.frame) == 2 * league.PLAYERS_PER_TEAM - 1
    assert parsed.rejects == []


@pytest.mark.parametrize("content", [{}, [], {"boxScoreScoring": {"gameId": "1"}}, {"boxScoreTraditional": {}}])
def test_another_payload_is_refused_by_name(zone, content):
    zone.land(path(GAME), content)
    (reject,) = read_scoring(zone, [DAY]).rejects
    assert (reject.reason, reject.game_date) == ("MISSING_COLUMN", DAY)


def test_the_real_response_has_the_shape_we_read(real_data, zone):
    content = json.loads((real_data / "samples" / "nba_stats" / "boxscorescoringv3.json").read_text())
    zone.land(path(replace(GAME, game_id=content["boxScoreScoring"]["gameId"])), content)
    parsed = read_scoring(zone, [DAY])
    assert parsed.rejects == []
    rows = raw.SCORING_SHARES.validate(parsed.frame)
    assert len(rows) > 12
    shares = rows[["points_paint", "points_mid_range", "points_three", "points_free_throw"]].sum(axis=1)
    assert shares.between(0, 1.01).all()


def test_shares_are_weighted_by_points_and_need_five_games():
    day = pd.Timestamp(DAY)
    past = pd.DataFrame({"game_date": day, "player_id": 1, "recency": range(1, 13), "points": [10, 20] * 6})
    past["game_id"] = [f"g{i}" for i in range(12)]
    shots = pd.DataFrame(
        {"game_id": past["game_id"], "player_id": 1, "points_paint": [0.2, 0.5] * 6, "points_mid_range": 0.1}
    )
    found = features.shot_zones(past, shots).loc[(day, 1)]
    assert found["points_paint"] == pytest.approx((10 * 0.2 + 20 * 0.5) / 30)
    assert found["points_mid_range"] == pytest.approx(0.1)
    assert np.isnan(features.shot_zones(past, shots.head(4)).loc[(day, 1), "points_paint"])
    assert features.shot_zones(past, shots.iloc[10:]).empty, "games beyond the last ten do not count"


def test_landed_shot_zones_reach_the_vector_and_the_zone_system(predicted):
    rows = predicted.warehouse.read(PLAYER_FEATURES, [DAY])
    assert rows["pct_paint"].tolist() == pytest.approx([0.5] * 36)
    assert rows["pct_mid_range"].tolist() == pytest.approx([0.25] * 36)
    zone_rows = predicted.query("SELECT components FROM nba_predictions.zone_matchup_v1")["components"]
    assert zone_rows.str.contains('"left_out": []', regex=False).all()
