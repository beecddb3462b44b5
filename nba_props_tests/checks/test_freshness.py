"""A silent feed is noticed by the hour of the day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nba_props.automation import sensors
from nba_props.automation.jobs import FRESHNESS_JOB
from nba_props.checks import freshness
from nba_props.settings import Live
from nba_props.sources.landing import capture_suffix
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc

TIPOFFS = [g.tipoff_at for g in league.games() if g.day == DAY]
NOON = utc(2025, 11, 10, 17)


def land(zone, folder: str, at, suffix: str = ".json") -> None:
    zone.land_bytes(f"{folder}/x{capture_suffix(at)}{suffix}", b"{}")


@pytest.mark.parametrize(
    ("age", "now", "fresh", "text"),
    [
        (None, NOON, False, "no capture of 2025-11-10 was landed"),
        (79, NOON, True, "79 minutes old"),
        (81, NOON, False, "81 minutes old; at most 80"),
        (None, utc(2025, 11, 10, 15, 10), True, "no capture is expected now"),
        (None, TIPOFFS[-1] + timedelta(minutes=1), True, "no capture is expected now"),
    ],
)
def test_odds_are_expected_hourly_until_the_last_tipoff(zone, age, now, fresh, text):
    if age is not None:
        land(zone, f"the_odds_api/player_points/{DAY}", now - timedelta(minutes=age))
        land(zone, f"the_odds_api/player_points/{DAY}", now - timedelta(hours=5))
    found = freshness.odds_freshness(zone, TIPOFFS, now)
    assert (found.fresh, text in found.text) == (fresh, True), found
    assert freshness.odds_freshness(zone, [], now).fresh, "a day without games needs no odds"


def test_an_injury_report_is_expected_on_game_days(zone):
    assert not freshness.injuries_freshness(zone, TIPOFFS, NOON).fresh
    land(zone, f"injury_report/{DAY}", NOON - timedelta(minutes=119), ".pdf")
    assert freshness.injuries_freshness(zone, TIPOFFS, NOON).fresh
    assert not freshness.injuries_freshness(zone, TIPOFFS, NOON + timedelta(minutes=5)).fresh
    assert freshness.injuries_freshness(zone, [], NOON).fresh


def test_box_scores_and_a_schedule_are_expected_the_morning_after_games(zone):
    morning = utc(2025, 11, 11, 14, 30)
    assert freshness.stats_freshness(zone, TIPOFFS, morning).text == "no schedule of 2025-26 was landed"
    path = f"nba_stats/scheduleleaguev2/{league.SEASON}"
    zone.land(f"{path}-20251110T080000Z.json", league.schedule(league.games(), DAY))
    missing = freshness.stats_freshness(zone, TIPOFFS, morning)
    assert (missing.fresh, missing.text) == (False, f"no box scores of {DAY} were landed, and games were played")
    assert freshness.stats_freshness(zone, TIPOFFS, utc(2025, 11, 11, 13)).fresh, "before nine nobody expects them"
    assert freshness.stats_freshness(zone, [], morning + timedelta(days=9)).fresh, "nor after a day without games"
    league.land_log(zone, DAY, [r for g in league.games() if g.day == DAY for r in league.log_rows(g)])
    assert "older than its games" in freshness.stats_freshness(zone, TIPOFFS, morning).text
    zone.land(f"{path}-20251111T080000Z.json", league.schedule(league.games(), DAY + timedelta(1)))
    assert freshness.stats_freshness(zone, TIPOFFS, morning).fresh


def test_a_stale_feed_is_an_alert(platform):
    assert platform.run("ingest_history", DAY).success
    on = platform.with_live(Live(odds_key="key"))
    on.now = TIPOFFS[-1] - timedelta(minutes=1)  # the league's captures are an hour before each tip-off
    job = on.definitions.resolve_job_def(FRESHNESS_JOB)
    fresh = job.execute_in_process(instance=on.instance)
    assert [a.cause for a in sensors.check_alerts(on.instance, fresh.dagster_run)] == []
    for file in (on.settings.home.parent / "landing/the_odds_api/player_points" / str(DAY)).iterdir():
        file.unlink()
    stale = job.execute_in_process(instance=on.instance)
    (alert,) = sensors.check_alerts(on.instance, stale.dagster_run)
    assert alert.cause.startswith("check failed: landing/the_odds_api feed_is_fresh")
    assert alert.text.startswith(f"no capture of {DAY} was landed")


def test_a_feed_that_is_off_is_expected_to_say_nothing(platform):
    found = freshness.feeds_freshness(platform.settings, platform.zone, platform.warehouse, platform.now)
    assert set(found) == {"the_odds_api", "nba_stats", "injury_report"}
    assert all(f.fresh and not f.expected for f in found.values())
