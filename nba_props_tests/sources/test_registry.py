"""A new feed is its record and a line in the registry: everything that loops over feeds finds the toy by these two."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner

from nba_props.assets.tables import asset_key
from nba_props.automation import planning
from nba_props.automation.jobs import FRESHNESS_JOB, HISTORY_JOB
from nba_props.catalog import TABLES
from nba_props.cli import main
from nba_props.operations import day_one, doctor
from nba_props.schemas import raw
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.settings import Live
from nba_props.sources import registry
from nba_props.sources.base import LiveFeeds, Odds
from nba_props_tests.automation.test_sensors import asked, scheduled, tick
from nba_props_tests.conftest import DAY
from nba_props_tests.sources import toy

KEYS = [asset_key(toy.RATINGS), asset_key(toy.QUARANTINED_RATINGS)]


@pytest.fixture
def registered(monkeypatch):
    """The two lines of a new feed: its record in the registry, its tables among the contracts."""
    monkeypatch.setattr(registry, "FEEDS", (*registry.FEEDS, toy.FEED))
    for table in (toy.RATINGS, toy.QUARANTINED_RATINGS):
        monkeypatch.setitem(TABLES, table.address, table)


@pytest.fixture
def platform(registered, make_platform):
    """The landed league with the feeds of stats.nba.com and the toy switched on."""
    return make_platform().with_live(Live(stats=True))


def live(platform) -> LiveFeeds:
    return LiveFeeds(platform.settings.live, platform.zone, lambda: platform.now)


def test_every_table_of_a_feed_is_in_the_catalog():
    """A feed has its record in the registry, and its tables in the catalog."""
    sources = [source for feed in registry.FEEDS for source in feed.tables]
    assert {t.address for source in sources for t in (source.table, source.quarantine)} <= set(TABLES)


def test_its_table_is_an_asset_beside_its_quarantine_with_their_checks(platform):
    graph = platform.definitions.resolve_asset_graph()
    files = dg.AssetKey(["landing", "toy"])
    assert {k: graph.get(k).parent_keys for k in KEYS} == {key: {files} for key in KEYS}
    assert graph.get(files).description == toy.FEED.description
    assert {k.name for k in graph.asset_check_keys if k.asset_key in KEYS} == {"schema", "nothing_quarantined"}
    toy.land(live(platform), [DAY])
    platform.zone.land(f"{toy.folder(DAY)}/ratings-20251110T100000Z.json", {"0022500001": "many"})
    outcome = platform.run(HISTORY_JOB, DAY, select=KEYS)
    assert outcome.success, outcome.errors
    assert list(platform.warehouse.read(toy.RATINGS, [DAY])["rating"]) == [3]
    assert list(platform.warehouse.read(toy.QUARANTINED_RATINGS, [DAY])["reason"]) == ["NOT_STARS"]


def test_a_payload_makes_its_partition_stale_for_the_planner_and_nothing_else(platform):
    days = [DAY - timedelta(1), DAY]
    toy.land(live(platform), days)
    assert platform.run(HISTORY_JOB, *days, select=KEYS).success
    assert planning.stale(platform.definitions, platform.inputs, KEYS, days) == {}
    platform.now += timedelta(minutes=1)
    toy.land(live(platform), [DAY], stars=5)
    late = planning.stale(platform.definitions, platform.inputs, KEYS, days)
    assert {day: set(addresses) for day, addresses in late.items()} == {DAY: {".".join(k.path) for k in KEYS}}
    steps = planning.preparation(platform.definitions, platform.inputs, [DAY + timedelta(1)], [DAY + timedelta(7)])
    job, _, _ = next(step for step in steps if step[1] <= DAY <= step[2])
    assert job == HISTORY_JOB


def test_it_has_a_job_that_a_schedule_and_a_sensor_start(platform):
    job = platform.definitions.resolve_job_def("fetch_toy")
    assert job.execute_in_process(instance=platform.instance).success
    assert len(platform.zone.names(toy.folder(DAY))) == 1
    assert scheduled(platform, "fetch_toy_daily", platform.now).run_key.startswith("fetch_toy_daily:")
    (request,) = tick(platform, "toy_sensor").run_requests
    assert request.run_key == f"capture:toy {platform.now:%H:%M}"
    off = platform.with_live(Live())
    for skipped in (tick(off, "toy_sensor"), scheduled(off, "fetch_toy_daily", off.now)):
        assert skipped.skip_message == toy.FEED.switch.off


def test_its_payloads_start_predictions(platform):
    seen = tick(platform, "new_odds_sensor").cursor
    toy.land(live(platform), [DAY])
    assert ("predict", str(DAY)) in asked(tick(platform, "new_odds_sensor", seen))


def test_its_freshness_is_checked(platform):
    (key,) = (
        k
        for k in platform.definitions.resolve_job_def(FRESHNESS_JOB).asset_layer.asset_graph.asset_check_keys
        if k.asset_key.path == ["landing", "toy"]
    )

    def is_fresh() -> bool:
        job = platform.definitions.resolve_job_def(FRESHNESS_JOB).get_subset(
            asset_selection=set(), asset_check_selection={key}
        )
        (found,) = job.execute_in_process(instance=platform.instance).get_asset_check_evaluations()
        return found.passed

    assert key.name == "feed_is_fresh"
    assert not is_fresh()
    toy.land(live(platform), [DAY])
    assert is_fresh()


def test_it_has_a_command_lines_of_the_doctor_and_a_step_of_the_first_day(platform, monkeypatch):
    shown = CliRunner().invoke(main, ["fetch", "--help"]).output
    assert "Land the ratings of SPAN." in shown
    monkeypatch.setenv("NBA_PROPS_HOME", str(platform.settings.home))
    monkeypatch.setenv("NBA_PROPS_LANDING", platform.zone.root)
    refused = CliRunner().invoke(main, ["fetch", "toy", str(DAY)])
    assert (refused.exit_code, refused.output.strip()) == (1, f"Error: {toy.FEED.switch.advice}")
    monkeypatch.setenv("NBA_PROPS_STATS", "on")
    done = CliRunner().invoke(main, ["fetch", "toy", str(DAY)])
    assert done.exit_code == 0, done.output
    assert "landed    1 payloads" in done.output
    found = {f.what: f for f in doctor.examine(
        platform.settings, platform.zone, platform.warehouse, lambda: platform.now + timedelta(days=1), ask=False
    )}  # fmt: skip
    assert found["The Toy"].text == "taken out, no request was made (--offline)"
    assert found["toy is fresh"].advice == "nba-props fetch toy, and is the daemon running?"
    assert "stray" not in found, "its folder is one of payloads"
    plan = day_one.plan(platform.settings, live(platform))
    assert "ratings" in [step.name for step in plan.steps]
    assert "ratings are a matter of taste" in plan.notes


def test_a_table_and_its_quarantine_have_one_feed():
    for feed in registry.feeds():
        for source in feed.tables:
            assert registry.source_of(source.table) == registry.source_of(source.quarantine) == (feed, source)
    addresses = [t.address for feed in registry.feeds() for s in feed.tables for t in (s.table, s.quarantine)]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == {a for a in TABLES if a.startswith(f"{raw.SCHEDULE.dataset}.")}


def test_odds_of_any_feed_are_odds(slated, monkeypatch):
    """A quote is as landed if any feed has it."""
    other = Odds(toy.FEED.news, lambda _: [DAY + timedelta(40)], lambda _, quotes: set(quotes["quote_id"]) - {"theirs"})
    monkeypatch.setattr(registry, "FEEDS", (*registry.FEEDS, replace(toy.FEED, odds=other)))
    landed = registry.days_with_odds(slated.zone)
    assert (DAY in landed, landed[-1]) == (True, DAY + timedelta(40))
    ours = slated.warehouse.read(ODDS_QUOTES, [DAY]).head(2)
    stored = pd.concat([ours, ours.head(1).assign(quote_id="theirs"), ours.head(1).assign(quote_id="unknown")])
    assert registry.not_as_landed(slated.zone, stored) == {"unknown"}
