"""One rule for what the NBA plays: a schedule that has all six season types, seen by everybody who asks it."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from nba_props.assets.inputs import Inputs
from nba_props.automation import fetching
from nba_props.automation.alerts import Alerts
from nba_props.automation.reconcile import missing_outputs
from nba_props.catalog import TABLES
from nba_props.checks.partitioned import Scope
from nba_props.checks.raw import BOX_SCORES_MATCH_SCHEDULE, GAMES_HAVE_QUOTES
from nba_props.domain import games
from nba_props.domain.history import GAMES_FOUND_SQL
from nba_props.domain.quotes import match_games
from nba_props.facts.calendar import SEASON_TYPES
from nba_props.operations import freshness
from nba_props.schemas import raw
from nba_props.settings import Live
from nba_props.simulator import payloads
from nba_props.sources import nba_stats
from nba_props.sources.base import Fetched, LiveFeeds
from nba_props.sources.nba_stats import feed
from nba_props.sources.odds_api.quotes import _accounts
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props_tests import league
from nba_props_tests.conftest import make_settings, utc

FIRST = date(2025, 12, 1)
#: a date for each season type, and one with a postponed game
DAYS = {t.name: FIRST + timedelta(n) for n, t in enumerate(SEASON_TYPES)}
POSTPONED = FIRST + timedelta(len(SEASON_TYPES))
COUNTED = {"Regular Season", "Playoffs", "PlayIn", "NBA Cup"}
COUNTED_DAYS = {DAYS[t] for t in COUNTED}


@pytest.fixture
def stored(lake, zone):
    """A lake with the schedule, in which every game is final, and nothing else."""
    entries = []
    for prefix, day, late in [*((t.prefix, DAYS[t.name], False) for t in SEASON_TYPES), ("002", POSTPONED, True)]:
        home, away = (payloads.schedule_team(t.team_id, t.city, t.name, t.code, 100) for t in league.TEAMS[:2])
        entries.append(
            payloads.schedule_game(
                f"{prefix}2500{day.day:03d}", day, league.tipoff(day), home, away, final=True, postponed=late
            )
        )
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}.json.gz", payloads.schedule(league.SEASON, entries))
    days = [*DAYS.values(), POSTPONED]
    parsed = nba_stats.read_schedule(zone, days)
    assert parsed.rejects == []
    for table in TABLES.values():
        lake.write(table, parsed.frame if table is raw.SCHEDULE else table.empty(), days)
    return lake


SPAN = {"first": FIRST, "last": POSTPONED}


def test_the_schedule_keeps_all_games_and_those_that_count_are_predicted(stored):
    schedule = stored.read(raw.SCHEDULE, [*DAYS.values(), POSTPONED])
    assert set(schedule["season_type"]) == set(DAYS)
    assert set(games.playable(schedule)["game_date"].dt.date) == COUNTED_DAYS


def test_history_waits_for_the_box_scores_of_those_that_count(stored):
    assert set(stored.query(GAMES_FOUND_SQL, **SPAN)["game_date"].dt.date) == COUNTED_DAYS


def test_feeds_are_expected_to_deliver_on_their_dates_only(stored):
    assert set(freshness.tipoffs(stored, FIRST, POSTPONED)) == COUNTED_DAYS


def test_only_their_dates_are_a_failed_fetch_when_the_site_has_no_rows(stored, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(feed, "stats", lambda _, days, played: asked.append((days, set(played))) or Fetched())
    clock = lambda: league.tipoff(POSTPONED + timedelta(2))
    (job,) = (j for j in fetching.build_fetch_jobs() if j.name == "fetch_stats")
    named = {"ops": {"land_stats": {"config": {"first": str(FIRST), "last": str(POSTPONED)}}}}
    resources = {
        "feeds": LiveFeeds(Live(stats=True), LandingZone(str(tmp_path)), clock),
        "alerts": Alerts(Live(), tmp_path, clock),
        "warehouse": stored,
    }
    assert job.execute_in_process(named, resources=resources).success
    assert asked == [([*DAYS.values(), POSTPONED], COUNTED_DAYS)]


def test_only_their_outputs_are_expected_at_night(stored):
    missing = missing_outputs(stored, [*DAYS.values(), POSTPONED], utc(2026, 7, 1, 12))
    assert {day for day, rule in missing if rule == "expected_outputs"} == COUNTED_DAYS


def test_checks_expect_their_box_scores_and_quotes_only(stored, tmp_path):
    settings = make_settings(tmp_path)
    scope, days = (
        Scope(Inputs(stored, LandingZone(settings.landing), ModelStore(settings.models), settings)),
        [*DAYS.values(), POSTPONED],
    )
    for rule in (BOX_SCORES_MATCH_SCHEDULE, GAMES_HAVE_QUOTES):
        failed = {d for d, v in rule.evaluate(scope, days).items() if not v.passed}
        assert failed == COUNTED_DAYS, rule.name


def test_their_quotes_are_loaded_and_those_of_the_others_counted(stored):
    schedule = stored.read(raw.SCHEDULE, [*DAYS.values(), POSTPONED])
    start = schedule["tipoff_at"]
    parsed = pd.DataFrame(
        {
            "game_date": schedule["game_date"], "quote_id": schedule["game_id"], "commence_at": start,
            "snapshot_at": start - pd.Timedelta(hours=1), "home_team_name": league.TEAMS[0].full,
            "away_team_name": league.TEAMS[1].full,
        }
    )  # fmt: skip
    matched, unknown = match_games(parsed, schedule)
    assert set(matched["game_date"].dt.date) == {*COUNTED_DAYS, POSTPONED}
    assert unknown.empty
    counted = _accounts(parsed, matched, unknown)
    others = {day for day, quotes in counted.items() if quotes["quotes_of_games_that_are_not_predicted"] == 1}
    assert others == set(DAYS.values()) - COUNTED_DAYS
