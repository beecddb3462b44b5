"""Assets with conditions: asked for once after many changes, not while more are on their way, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from nba_props.assets.site import GATHERED_PAGES, SLATE_PAGE
from nba_props.automation.jobs import SITE_JOB
from nba_props_tests.conftest import DAY

SCOREBOARD = dg.AssetKey(["nba_monitoring", "scoreboard"])
DAYS = [str(DAY - timedelta(n)) for n in range(20)]


class Evening:
    """A daemon's ticks over the definitions of a platform."""

    def __init__(self, platform) -> None:
        self.platform, self.cursor = platform, None
        self.tick()  # the first one only notes what is there

    def tick(self) -> list[dg.AssetKey]:
        """What a tick asks for."""
        found = dg.evaluate_automation_conditions(self.platform.definitions, self.platform.instance, cursor=self.cursor)
        self.cursor = found.cursor
        keys = [*self.platform.definitions.resolve_asset_graph().materializable_asset_keys]
        return [k for k in keys if found.get_num_requested(k)]

    def made(self, key: dg.AssetKey, *days: str) -> None:
        """Something was made, by runs of which nothing else matters."""
        for day in days or (None,):
            self.platform.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day))

    def begins(self, key: dg.AssetKey, day: str) -> dg.DagsterRun:
        """A run that makes a date of an asset is under way."""
        job = self.platform.definitions.resolve_job_def(SITE_JOB).get_subset(asset_selection={key})
        return self.platform.instance.create_run_for_job(
            job, asset_selection=frozenset({key}), tags={"dagster/partition": day}
        )


@pytest.fixture
def evening(platform):
    return Evening(platform)


def test_nothing_is_asked_for_while_nothing_changes(evening):
    assert [evening.tick() for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize("key", [SLATE_PAGE, SCOREBOARD])
def test_one_run_follows_many_dates_and_one_only(evening, key):
    evening.made(key, *DAYS)
    assert evening.tick() == [GATHERED_PAGES]
    assert evening.tick() == [], "it is asked for already"
    evening.made(GATHERED_PAGES)
    assert [evening.tick() for _ in range(3)] == [[], [], []]
    evening.made(key, DAYS[-1])
    assert evening.tick() == [GATHERED_PAGES], "an old date counts as much as the newest"


def test_a_run_that_failed_is_not_repeated_for_ever(evening):
    evening.made(SLATE_PAGE, DAYS[0])
    assert evening.tick() == [GATHERED_PAGES]
    assert [evening.tick() for _ in range(5)] == [[]] * 5, "a person looks at the failure; the next date asks again"
    evening.made(SLATE_PAGE, DAYS[1])
    assert evening.tick() == [GATHERED_PAGES]


def test_it_waits_for_the_pages_that_are_being_made(evening):
    evening.made(SLATE_PAGE, DAYS[0])
    run = evening.begins(SLATE_PAGE, DAYS[1])
    assert evening.tick() == []
    evening.platform.instance.report_run_failed(run)
    assert evening.tick() == [GATHERED_PAGES]


def test_a_lost_cursor_asks_for_nothing(evening):
    evening.made(SLATE_PAGE, DAYS[0])
    assert evening.tick() == [GATHERED_PAGES]
    evening.cursor = None
    assert [evening.tick() for _ in range(2)] == [[], []]


def test_the_definitions_have_one_sensor_of_conditions_for_all_assets(platform):
    graph = platform.definitions.resolve_asset_graph()
    with_condition = {k for k in graph.get_all_asset_keys() if graph.get(k).automation_condition is not None}
    assert with_condition == {GATHERED_PAGES}
    assert graph.get(GATHERED_PAGES).partitions_def is None, "its pages are of all dates"
    (sensor,) = [s for s in platform.definitions.sensors if isinstance(s, dg.AutomationConditionSensorDefinition)]
    assert sensor.name == "automation_conditions"
    assert sensor.run_tags["dagster/priority"] == "-1", "no slate waits for a page"
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
