"""A silent feed is noticed by the hour of the day."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from nba_props.automation.jobs import FRESHNESS_JOB
from nba_props.automation.sensors import failures
from nba_props.domain.finding import Finding
from nba_props.facts.tipoffs import Tipoffs
from nba_props.operations import freshness
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Live
from nba_props.sources import registry
from nba_props.sources.base import Moment
from nba_props.sources.injury_report import feed as injury_feed
from nba_props.sources.nba_stats import feed as stats_feed
from nba_props.sources.odds_api import feed as odds_feed
from nba_props.storage.landing import capture_suffix
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc

TIPOFFS = [g.tipoff_at for g in league.games() if g.day == DAY]
TONIGHT = Tipoffs(DAY, tuple(TIPOFFS))
TO_BE_DECIDED = Tipoffs(DAY, undecided=2)
NO_GAMES = Tipoffs(DAY)
NOON = utc(2025, 11, 10, 17)


def odds_freshness(zone, tonight, now) -> Finding:
    return odds_feed.freshness(Moment(Live(), zone, tonight, NO_GAMES, now))


def injuries_freshness(zone, tonight, now) -> Finding:
    return injury_feed.freshness(Moment(Live(), zone, tonight, NO_GAMES, now))


def stats_freshness(zone, last_night, now) -> Finding:
    return stats_feed.freshness(Moment(Live(), zone, NO_GAMES, last_night, now))


def tonights_odds(platform, now) -> Finding:
    feed = registry.ODDS_API
    return freshness.tonights_odds(platform.settings, platform.zone, platform.warehouse, now, feed, feed.odds)


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
    found = odds_freshness(zone, TONIGHT, now)
    assert (found.passed, text in found.text) == (fresh, True), found
    assert odds_freshness(zone, NO_GAMES, now).passed, "a day without games needs no odds"


def test_an_injury_report_is_expected_on_game_days(zone):
    assert not injuries_freshness(zone, TONIGHT, NOON).passed
    land(zone, f"injury_report/{DAY}", NOON - timedelta(minutes=119), ".pdf")
    assert injuries_freshness(zone, TONIGHT, NOON).passed
    assert not injuries_freshness(zone, TONIGHT, NOON + timedelta(minutes=5)).passed
    assert injuries_freshness(zone, NO_GAMES, NOON).passed


def test_box_scores_and_a_schedule_are_expected_the_morning_after_games(zone):
    morning = utc(2025, 11, 11, 14, 30)
    assert stats_freshness(zone, TONIGHT, morning).text == "no schedule of 2025-26 was landed"
    path = f"nba_stats/scheduleleaguev2/{league.SEASON}"
    zone.land(f"{path}-20251110T080000Z.json", league.schedule(league.games(), DAY))
    missing = stats_freshness(zone, TONIGHT, morning)
    assert (missing.passed, missing.text) == (False, f"no box scores of {DAY} were landed, and games were played")
    assert stats_freshness(zone, TONIGHT, utc(2025, 11, 11, 13)).passed, "they are not expected before nine"
    assert stats_freshness(zone, NO_GAMES, morning + timedelta(days=9)).passed, "nor after a day without games"
    league.land_log(zone, DAY, [r for g in league.games() if g.day == DAY for r in league.log_rows(g)])
    assert "older than its games" in stats_freshness(zone, TONIGHT, morning).text
    zone.land(f"{path}-20251111T080000Z.json", league.schedule(league.games(), DAY + timedelta(1)))
    assert stats_freshness(zone, TONIGHT, morning).passed


@pytest.fixture
def on(platform):
    """The platform with a key, and today's schedule loaded."""
    platform.materialize(DAY, DAY, job="ingest_history")
    return platform.with_live(Live(odds_key="key"))


def captures(platform) -> list[Path]:
    return sorted((platform.settings.home.parent / "landing/the_odds_api/player_points" / str(DAY)).iterdir())


def test_games_whose_tipoffs_are_to_be_decided_are_games(zone):
    for feed in (odds_freshness, injuries_freshness):
        assert not feed(zone, TO_BE_DECIDED, NOON).passed
        assert feed(zone, TO_BE_DECIDED, utc(2025, 11, 11, 3, 31)).passed, "no game begins after half past ten"
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}-20251110T080000Z.json", league.schedule(league.games(), DAY))
    assert not stats_freshness(zone, TO_BE_DECIDED, utc(2025, 11, 11, 14, 30)).passed


def test_a_night_without_known_tipoffs_and_odds_is_an_alert(on):
    for file in captures(on):
        file.unlink()
    schedule = on.warehouse.read(SCHEDULE, [DAY])
    on.warehouse.write(
        SCHEDULE, schedule.assign(tipoff_at=pd.Series(pd.NaT, schedule.index, dtype="datetime64[us, UTC]")), [DAY]
    )
    causes = []
    for at in (NOON, utc(2025, 11, 11, 2, 29), utc(2025, 11, 11, 2, 31)):
        on.now = at
        causes.append(alerts_of_the_hour(on))
    assert causes == [*[[("WARN", f"no odds: {DAY}")]] * 2, [("ERROR", f"no odds: {DAY}")]]
    found = tonights_odds(on, NOON)
    assert found.text.startswith(f"NO ODDS: 2 games on {DAY}, all tip-offs to be decided")


def alerts_of_the_hour(platform) -> list[tuple[str, str]]:
    run = platform.definitions.resolve_job_def(FRESHNESS_JOB).execute_in_process(instance=platform.instance)
    return [(a.severity, a.cause) for a in failures.check_alerts(platform.instance, run.dagster_run)]


def test_a_stale_feed_is_an_alert(on):
    on.now = TIPOFFS[-1] - timedelta(minutes=1)  # the league's captures are an hour before each tip-off
    assert alerts_of_the_hour(on) == []
    for file in captures(on):
        if f"{on.now - timedelta(hours=3):%Y%m%dT%H}" < file.name.split("-")[-1][:11]:
            file.unlink()
    assert alerts_of_the_hour(on) == [("ERROR", "check failed: landing/the_odds_api feed_is_fresh")]


def test_a_night_without_odds_is_one_alert_that_grows_with_the_hour(on):
    for file in captures(on):
        file.unlink()
    causes = []
    for at in (utc(2025, 11, 10, 14), NOON, TIPOFFS[0] - timedelta(minutes=61), TIPOFFS[0] - timedelta(minutes=59)):
        on.now = at
        causes.append(alerts_of_the_hour(on))
    assert causes == [[], *[[("WARN", f"no odds: {DAY}")]] * 2, [("ERROR", f"no odds: {DAY}")]]
    on.now = TIPOFFS[-1] + timedelta(minutes=1)
    assert alerts_of_the_hour(on) == [], "it is too late for tonight"
    found = tonights_odds(on, NOON)
    assert found.text.startswith(f"NO ODDS: 2 games on {DAY}, the first at 19:00 Eastern")
    league.land_log(on.zone, DAY, [], "-20251110T180000Z")
    on.zone.land(*league.capture(next(g for g in league.games() if g.day == DAY), 60))
    assert tonights_odds(on, NOON).passed


def test_a_night_whose_schedule_is_not_loaded_is_not_a_night_off(platform):
    unknown = utc(2025, 11, 11, 17)
    found = tonights_odds(platform, unknown)
    assert (found.passed, found.warns) == (False, True)
    assert "the schedule of 2025-11-11 is not loaded" in found.text
    early = tonights_odds(platform, utc(2025, 11, 11, 14))
    assert early.passed


def test_where_no_odds_are_ever_captured_none_are_missing(platform):
    shutil.rmtree(platform.settings.home.parent / "landing/the_odds_api")
    assert tonights_odds(platform, NOON).passed


def test_a_feed_that_is_off_is_expected_to_deliver_nothing(platform):
    found = freshness.feeds_freshness(platform.settings, platform.zone, platform.warehouse, platform.now)
    assert set(found) == {"the_odds_api", "nba_stats", "injury_report"}
    assert all(f.passed and f.nothing for f in found.values())


MORNING = utc(2025, 11, 10, 14, 31)  # 9:31 Eastern
SLATE_OUT, LINES_OUT, LEDGER_OUT, GRADES_OUT = freshness.OUTPUTS


def model_freshness(platform, system_id, now) -> Finding:
    return freshness.model_freshness(platform.settings, platform.zone, platform.models, system_id, now)


def _output(platform, output, now) -> Finding:
    live = platform.with_live(Live(odds_key="key"))
    return freshness.output_freshness(live.settings, live.zone, live.warehouse, output, now)


def test_todays_slate_is_expected_in_the_morning_whatever_else_was_made_since(predicted):
    platform = predicted
    for output in (SLATE_OUT, LINES_OUT, LEDGER_OUT):
        assert _output(platform, output, MORNING).passed
        # a day later the one that is there is an old one, and making it again makes nothing fresh
        later = MORNING + timedelta(2)
        assert not _output(platform, output, later).passed
    platform.materialize(DAY + timedelta(2), DAY + timedelta(2), job="ingest_history")
    platform.materialize(DAY, DAY)
    for output in (SLATE_OUT, LINES_OUT, LEDGER_OUT):
        found = _output(platform, output, MORNING + timedelta(2))
        assert (found.passed, found.text) == (False, "2025-11-12 has not been materialized: nba-props run 2025-11-12")
    early = _output(platform, SLATE_OUT, MORNING + timedelta(2, minutes=-2))
    assert (early.passed, early.nothing) == (True, True)


def test_a_day_off_needs_no_slate_and_an_unloaded_schedule_is_reported(platform):
    off = MORNING + timedelta(1)
    assert "is not loaded" in _output(platform, SLATE_OUT, off).text
    platform.materialize(DAY + timedelta(1), DAY + timedelta(1), job="ingest_history")
    found = _output(platform, SLATE_OUT, off)
    assert (found.passed, found.nothing, found.text) == (True, True, "no games on 2025-11-11")


def test_last_nights_grades_are_expected_in_the_morning(predicted):
    morning_after = MORNING + timedelta(1)
    assert _output(predicted, GRADES_OUT, MORNING).nothing, "nothing was published the night before"
    found = _output(predicted, GRADES_OUT, morning_after)
    graded = predicted.warehouse.partitions(PREDICTION_ACCURACY)
    assert found.passed == (DAY in graded)
    shutil.rmtree(predicted.warehouse._file(PREDICTION_ACCURACY, DAY).parent, ignore_errors=True)
    assert not _output(predicted, GRADES_OUT, morning_after).passed


def test_the_running_weeks_model_is_expected_on_monday_noon(platform):
    live = platform.with_live(Live(odds_key="key"))
    noon = utc(2025, 11, 17, 17, 1)
    early = model_freshness(live, "xgboost_v1", noon - timedelta(minutes=2))
    assert (early.passed, early.nothing) == (True, True)
    this_week = model_freshness(live, "xgboost_v1", MORNING + timedelta(2))
    assert this_week.passed, this_week
    late = model_freshness(live, "xgboost_v1", noon)
    has_games = bool(live.inputs.game_days([noon.date() + timedelta(n) for n in range(7)]))
    assert late.passed == (not has_games)


def test_a_simulated_league_and_one_without_feeds_have_no_expected_outputs(platform):
    found = freshness.output_freshness(platform.settings, platform.zone, platform.warehouse, SLATE_OUT, MORNING)
    assert (found.passed, found.nothing) == (True, True)
    assert model_freshness(platform, "xgboost_v1", MORNING).nothing is True
