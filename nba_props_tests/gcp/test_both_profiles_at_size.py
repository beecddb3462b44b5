"""Both profiles on slates as large as life: real ones of two weeks, and the simulated night of 454 players."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import fsspec
import pytest

from nba_props.facts.calendar import days
from nba_props.facts.markets import keys
from nba_props.simulator.incidents import NIGHT
from nba_props.simulator.league import simulate
from nba_props_tests import league
from nba_props_tests.conftest import DAY, SOME_SYSTEMS, Platform, open_platform, utc
from nba_props_tests.gcp.test_both_profiles import Tables, differences, stories, tables

pytestmark = [pytest.mark.slow, pytest.mark.long]


def predicted(platform: Platform, first: date, last: date) -> Tables:
    """Everything that a span needs and gives."""
    for outcome in (*platform.catch_up(first, last), platform.predict(first, last)):
        assert outcome.success, outcome.errors
    return tables(platform)


def both(landing: Path, folder: Path, gcp, first: date, last: date, first_date: date) -> tuple[Tables, Tables]:
    fsspec.filesystem("gcs", project=gcp.project).put(str(landing), f"{gcp.bucket}/landing", recursive=True)
    now = utc(2026, 11, 23)
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        local = open_platform(folder / "local", one, now, landing=str(landing), first_date=first_date, asked=keys())
        cloud = open_platform(folder / "cloud", other, now, gcp=gcp, first_date=first_date, asked=keys())
        return predicted(local, first, last), predicted(cloud, first, last)


@pytest.mark.real
def test_real_slates_of_two_weeks(real_data, tmp_path, make_gcp):
    first, last = date(2025, 11, 1), date(2025, 11, 15)
    local, cloud = both(real_data / "landing", tmp_path, make_gcp(), first, last, date(2024, 10, 22))
    # and those whose lines models learn from
    assert set(local["nba_analytics.slate"]["game_date"].dt.date) >= set(days(first, last))
    assert local["nba_predictions.current_predictions"]["line"].notna().sum() > 5_000
    assert differences(local, cloud) == []


def test_a_night_and_then_a_season_of_26_dates(tmp_path, make_gcp):
    first, last = league.FIRST + timedelta(4), league.FIRST + timedelta(29)
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        local = open_platform(tmp_path / "local", one)
        cloud = open_platform(tmp_path / "cloud", other, gcp=make_gcp())
        made = []
        for platform in (local, cloud):
            stories(platform, DAY, DAY, landed=last)
            platform.now = league.tipoff(last) + timedelta(days=10)
            assert platform.publish(first, (*SOME_SYSTEMS, "xgboost_v1"), last, slate=True).success
            assert platform.run("grade", first, last).success
            made.append(tables(platform))
    assert differences(*made) == []


def test_the_simulated_night(tmp_path, make_gcp):
    simulate(tmp_path / "landing", odds_days=[NIGHT], asked=keys())
    local, cloud = both(tmp_path / "landing", tmp_path, make_gcp(), NIGHT, NIGHT, date(2025, 8, 1))
    assert len(local["nba_analytics.slate"]) == 454
    assert set(local["nba_predictions.current_predictions"]["market"]) == set(keys())
    assert differences(local, cloud) == []
