"""A daemon with keys and an empty home: it gets what is missing, once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import dagster as dg
import pytest

from nba_props.automation.first_day import FIRST_JOB, due
from nba_props.facts.tipoffs import Tipoffs
from nba_props.operations import freshness
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Live
from nba_props.sources import nba_stats
from nba_props.sources.base import Moment
from nba_props.sources.odds_api import feed
from nba_props.storage.landing import LandingZone, capture_suffix
from nba_props_tests import league
from nba_props_tests.automation.test_sensors import tick
from nba_props_tests.conftest import DAY, utc
from nba_props_tests.sources.fake_feeds import Feeds
from nba_props_tests.sources.odds_api.test_client import KEY

NOON = utc(2025, 11, 10, 17)


@pytest.fixture
def empty(make_platform, server, monkeypatch):
    monkeypatch.setattr("nba_props.sources.nba_stats.client.PAUSE", 0.0)
    feeds = Feeds(server, NOON)
    feeds.open()
    names = feeds.environment()
    live = Live(
        odds_key=KEY, stats=True, odds_url=names["NBA_PROPS_ODDS_URL"], stats_url=names["NBA_PROPS_STATS_URL"],
        cdn_url=names["NBA_PROPS_CDN_URL"], injury_url=names["NBA_PROPS_INJURY_URL"],
    )  # fmt: skip
    return make_platform(lambda zone: None, NOON).with_live(live)


def test_captures_become_due_on_a_home_that_had_nothing(empty, server):
    waiting = tick(empty, "capture_sensor", (NOON - timedelta(hours=1)).isoformat())
    assert "the schedule of 2025-11-10 is not loaded" in waiting.skip_reason.skip_message
    assert "`nba-props start`" in waiting.skip_reason.skip_message
    first = tick(empty, "first_day_sensor")
    assert (first.job_name, first.run_key) == (FIRST_JOB, f"first:{DAY}")
    done = empty.definitions.resolve_job_def(FIRST_JOB).execute_in_process(instance=empty.instance)
    assert done.success
    assert not [p for p in server.paths() if "odds" in p], "no credit is spent"
    assert empty.zone.names(nba_stats.gamelog_folder(league.SEASON))
    taken = tick(empty, "first_day_sensor")
    assert (taken.job_name, taken.partition_key) == ("ingest_history", str(DAY))
    assert empty.run(taken.job_name, DAY).success
    assert empty.warehouse.partitions(SCHEDULE) == [DAY]
    assert "is loaded through" in tick(empty, "first_day_sensor").skip_message
    asked = tick(empty, "capture_sensor", (NOON - timedelta(hours=1)).isoformat())
    assert len(asked.run_requests) == 1, "noon's capture"


def test_what_cannot_be_fetched_is_reported(empty, platform):
    off = empty.with_live(Live(odds_key=KEY))
    said = due(off.inputs, DAY)
    assert isinstance(said, dg.SkipReason)
    assert "NBA_PROPS_STATS=on, and `nba-props start`" in said.skip_message
    assert "is loaded through" in due(platform.inputs, DAY).skip_message
    long_after = due(platform.with_live(Live(stats=True)).inputs, DAY + timedelta(10))
    assert long_after.job_name == "ingest_history", "the season's schedule is landed, and these dates are not loaded"
    off.zone.land("landing.json", {"data_source": "SIMULATED"})
    invented = replace(off.inputs, landing=LandingZone(off.zone.root))
    assert "has no feeds" in due(invented, DAY).skip_message


def test_the_thrifty_rhythm_has_its_captures_and_freshness(before_tipoff):
    platform = before_tipoff.with_live(Live(odds_key=KEY, odds_rhythm="thrifty"))
    opening, first = utc(2025, 11, 10, 15), league.tipoff(DAY)
    platform.now = opening + timedelta(seconds=20)
    (whole,) = tick(platform, "capture_sensor", (opening - timedelta(minutes=1)).isoformat()).run_requests
    assert whole.run_config["ops"]["land_odds"]["config"]["tipoff"] == ""
    for hours in (1, 2, 5):
        platform.now = opening + timedelta(hours=hours, seconds=20)
        assert tick(platform, "capture_sensor", (platform.now - timedelta(minutes=1)).isoformat()).run_requests == []
    platform.now = first - timedelta(minutes=30)
    (late,) = tick(platform, "capture_sensor", (platform.now - timedelta(minutes=1)).isoformat()).run_requests
    assert late.run_config["ops"]["land_odds"]["config"]["tipoff"] == first.isoformat()
    # a capture of ten o'clock is fresh all afternoon, and no longer once the one before the tip-off is overdue
    tonight = freshness.tipoffs(platform.warehouse, DAY, DAY)[DAY]
    zone = LatestAt(opening + timedelta(minutes=1))
    afternoon, overdue = first - timedelta(hours=2), first - timedelta(minutes=5)
    night = Moment(platform.settings.live, zone, tonight, Tipoffs(DAY - timedelta(1)), afternoon)
    full = replace(night, live=Live())
    assert feed.freshness(night).passed
    assert not feed.freshness(full).passed
    assert not feed.freshness(replace(night, now=overdue)).passed
    assert feed.freshness(replace(night, zone=LatestAt(first - timedelta(minutes=29)), now=overdue)).passed
    live = replace(platform.settings.live, odds_rhythm="full")
    found = freshness.feeds_freshness(platform.with_live(live).settings, zone, platform.warehouse, afternoon)
    assert not found["the_odds_api"].passed


class LatestAt:
    """A landing zone with one capture."""

    def __init__(self, at: datetime) -> None:
        self._names = [f"event{capture_suffix(at)}.json.gz"]

    def names(self, folder: str) -> list[str]:
        return self._names
