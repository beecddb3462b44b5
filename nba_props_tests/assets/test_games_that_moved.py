"""A game that is postponed or moved after it was predicted: its rows stay what they were, and no new ones come."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from nba_props.assets.inputs import landing_key
from nba_props.schemas import raw
from nba_props.schemas.predictions import LEDGER
from nba_props.sources import nba_stats, registry
from nba_props.sources.nba_stats.schedule import read_departed
from nba_props.storage.landing import capture_suffix
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT

GAME, OTHER = (g for g in league.games() if g.day == DAY)
AT = GAME.tipoff_at - timedelta(hours=2)


def land_schedule(zone, at=AT, **change) -> None:
    content = league.schedule(league.games(), DAY)
    for group in content["leagueSchedule"]["gameDates"]:
        for game in group["games"]:
            if game["gameId"] == GAME.game_id:
                game.update(change)
    zone.land(f"{nba_stats.SCHEDULE_FOLDER}/{league.SEASON}{capture_suffix(at)}.json.gz", content)


POSTPONED = {"postponedStatus": "P", "gameStatusText": "PPD"}
MOVED = {"gameDateTimeUTC": "2025-12-20T00:00:00Z", "gameDateEst": "2025-12-19T00:00:00Z"}


@pytest.mark.parametrize("change", [POSTPONED, MOVED], ids=["postponed", "moved"])
def test_what_was_published_stays_valid_and_nothing_new_is(published, change):
    before = published.warehouse.read(LEDGER, [DAY])
    quotes = published.warehouse.read(raw.ODDS_QUOTES, [DAY])
    mine = before[before["game_id"] == GAME.game_id]
    assert mine["has_prop_line"].any()
    land_schedule(published.zone, **change)
    published.now += timedelta(minutes=5)
    assert published.publish(DAY, slate=True).success
    pd.testing.assert_frame_equal(published.warehouse.read(raw.ODDS_QUOTES, [DAY]), quotes)
    assert published.warehouse.read(raw.QUARANTINED_QUOTES, [DAY]).empty
    after = published.warehouse.read(LEDGER, [DAY])
    assert set(after.loc[after["game_id"] == GAME.game_id, "prediction_id"]) == set(mine["prediction_id"])
    slate = published.query("SELECT DISTINCT game_id FROM nba_analytics.slate WHERE game_date = @day", day=DAY)
    assert slate["game_id"].tolist() == [OTHER.game_id]
    judged = published.query(
        "SELECT DISTINCT line_problem FROM nba_predictions.judged_predictions WHERE game_date = @day", day=DAY
    )
    assert judged["line_problem"].tolist() == [None]


def test_moved_games_are_found_in_the_schedules_that_their_date_could_be_predicted_from(zone):
    land_schedule(zone, AT - timedelta(days=9), **MOVED)
    land_schedule(zone, AT - timedelta(days=5))
    land_schedule(zone, AT, **MOVED)
    land_schedule(zone, AT + timedelta(days=9), **MOVED)
    schedule = nba_stats.read_schedule(zone, [DAY, NEXT]).frame
    assert schedule.loc[schedule["game_date"].dt.date == DAY, "game_id"].tolist() == [OTHER.game_id]
    found = read_departed(zone, [DAY, NEXT], schedule)
    assert found[["game_id", "tipoff_at"]].to_numpy().tolist() == [[GAME.game_id, pd.Timestamp(GAME.tipoff_at)]]
    raw.SCHEDULE.validate(found)


def test_a_start_that_was_changed_long_before_is_not_a_moved_game(zone):
    land_schedule(zone, AT - timedelta(days=9))
    land_schedule(zone, AT - timedelta(days=5), **MOVED)
    schedule = nba_stats.read_schedule(zone, [DAY]).frame
    assert read_departed(zone, [DAY], schedule).empty
    land_schedule(zone, AT - timedelta(days=5, hours=1), homeTeam=None)
    assert read_departed(zone, [DAY], schedule).empty


def test_the_schedules_that_count_are_inputs_of_the_quotes(published):
    def digest():
        return published.inputs.digests(raw.ODDS_QUOTES, [landing_key(registry.ODDS_API)], [DAY])[DAY]

    before = digest()
    land_schedule(published.zone, AT + timedelta(days=9))
    assert digest() == before
    land_schedule(published.zone, AT)
    assert digest() != before
