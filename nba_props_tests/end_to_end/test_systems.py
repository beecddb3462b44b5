"""All systems together: models train themselves, one failure stays its own, and the future does not matter."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.assets import predictions as assets
from nba_props.automation import planning
from nba_props.automation.preparing import PREPARES_RUN_TAG
from nba_props.automation.ranges import RANGE_END, RANGE_START
from nba_props.catalog import TABLES
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS
from nba_props.domain.systems.ensemble import Ensemble
from nba_props.schemas import analytics, raw
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.schemas.predictions import LEDGER
from nba_props.simulator import payloads
from nba_props_tests import league
from nba_props_tests.conftest import DAY, WEEK, Platform, open_platform

pytestmark = pytest.mark.slow

TRAINED = ("xgboost_v1", "catboost_v8")


def rows_of(platform: Platform, system: str, day=DAY) -> pd.DataFrame:
    return platform.warehouse.read(SYSTEM_TABLES[system], [day])


def test_failing_systems_do_not_stop_the_others(slated, monkeypatch):
    platform = slated
    broken, honest = ("moving_average", "catboost_v8"), assets._rows

    def fail(context, system, *arguments):
        if system.system_id in broken:
            raise ZeroDivisionError("a bug in the formula")
        return honest(context, system, *arguments)

    monkeypatch.setattr(assets, "_rows", fail)
    platform.rebuild()
    outcome = platform.run("predict", DAY, select=platform.of("predict", "nba_predictions"))
    assert outcome.success, outcome.errors
    errors = [f"nba_predictions/{system}: ZeroDivisionError: a bug in the formula" for system in broken]
    assert sorted(outcome.failures) == sorted(errors)
    assert platform.failed(outcome) == {
        **{f"{system}.covers_slate": "ERROR" for system in broken},
        "prediction_accuracy.expected_outputs": "ERROR",
        "prediction_accuracy.validation_all_systems_present": "ERROR",
    }
    assert all(rows_of(platform, system).empty for system in broken)
    published = platform.query(
        "SELECT system_id, COUNT(*) AS n FROM nba_predictions.current_predictions GROUP BY system_id"
    )
    assert dict(zip(published["system_id"], published["n"], strict=True)) == {
        s.system_id: 36 for s in SYSTEMS if s.system_id not in broken
    }
    for system in (s for s in SYSTEMS if isinstance(s, Ensemble)):
        absent = [c for c in system.names if c in broken]
        components = rows_of(platform, system.system_id)["components"].map(json.loads)
        assert all(sorted(row["left_out"]) == sorted(absent) for row in components)


def test_a_storage_error_fails_the_whole_run(slated, monkeypatch):
    platform = slated
    from nba_props.warehouse.base import CorruptPartition

    def corrupt(*arguments):
        raise CorruptPartition("the disk is gone")

    monkeypatch.setattr(assets, "_rows", corrupt)
    platform.rebuild()
    assert not platform.publish(DAY).success


@pytest.mark.long
def test_a_past_date_has_the_models_that_it_needs_trained_in_order(platform):
    """Two weeks back, long after, without a plan: both systems answer, with models of the dates' own weeks,
    which a run of the job that trains has made known to Dagster.
    """
    shutil.rmtree(platform.settings.models)
    platform.now = league.tipoff(DAY) + timedelta(days=60)
    first = DAY - timedelta(6)
    chosen = platform.definitions.resolve_job_def("predict").get_subset(
        asset_selection=set(platform.publication(TRAINED)), asset_check_selection=set()
    )
    tags = {RANGE_START: first.isoformat(), RANGE_END: DAY.isoformat(), "dagster/sensor_name": "one"}
    result = chosen.execute_in_process(instance=platform.instance, tags=tags)
    runs = platform.instance.get_runs(dg.RunsFilter(tags={PREPARES_RUN_TAG: result.run_id}))
    assert [run.job_name for run in runs] == ["train"], "of both systems and both weeks at once"
    for system in TRAINED:
        assert platform.models.weeks(system) == [week_of(first), week_of(DAY)]
        for day in (first, DAY):
            rows = rows_of(platform, system, day)
            assert rows["forecast"].notna().all()
            assert set(rows["model_version"]) == {platform.models.card(system, week_of(day)).version}
            assert platform.models.card(system, week_of(day)).trained_through < week_of(day)
        recorded = platform.instance.get_materialized_partitions(dg.AssetKey(["nba_models", system]))
        assert recorded == {str(week_of(first)), str(week_of(DAY))}


def test_the_running_week_is_trained_by_its_schedule_alone(slated):
    platform = slated
    shutil.rmtree(platform.settings.models)
    outcome = platform.publish(DAY, SYSTEM_TABLES)
    assert outcome.success
    for system in TRAINED:
        assert platform.models.weeks(system) == []
        rows = rows_of(platform, system)
        assert rows["forecast"].isna().all()
        assert set(rows["abstain_reason"]) == {"NO_MODEL: none is trained yet"}
    failed = platform.failed(outcome)
    assert {f"{s}.model_is_in_force" for s in TRAINED} <= set(failed)
    assert failed["xgboost_v1.model_is_in_force"] == "ERROR"
    assert rows_of(platform, "ensemble_v1")["forecast"].notna().all()


def land_last_spring(zone, night: date) -> None:
    """The small league's first weeks moved into last spring, with odds, and one opening night behind them."""
    spring = [
        replace(g, game_id=f"00224{g.game_id[5:]}", day=g.day + SPRING, tipoff_at=g.tipoff_at + SPRING)
        for g in league.games(30)
    ]
    opening = [replace(g, day=night, tipoff_at=league.tipoff(night, 19 + k)) for k, g in enumerate(league.games(1))]
    for season, games, before in (("2024-25", spring, night), ("2025-26", opening, night)):
        entries = []
        for g in games:
            final = g.day < before
            sides = [
                payloads.schedule_team(t.team_id, t.city, t.name, t.code, league.score(g, t) if final else None)
                for t in (g.home, g.away)
            ]
            entries.append(payloads.schedule_game(g.game_id, g.day, g.tipoff_at, *sides, final=final))
        zone.land(f"nba_stats/scheduleleaguev2/{season}.json.gz", payloads.schedule(season, entries))
    for day in sorted({g.day for g in spring}):
        rows = [r | {"SEASON_ID": "22024"} for g in spring if g.day == day for r in league.log_rows(g)]
        zone.land(
            f"nba_stats/leaguegamelog/2024-25/{day}-regular-season.json.gz",
            payloads.game_log("2024-25", "Regular Season", day, rows),
        )
    for game in opening:
        zone.land(*league.capture(game, 60))


#: from the small league's first date to the last weeks of the season before
SPRING = date(2025, 3, 10) - league.FIRST


@pytest.mark.long
def test_on_opening_night_the_one_system_that_needs_no_season_forecasts_and_the_others_give_the_reason(tmp_path):
    """Ninety days of last season are behind it, models of them in force, and no game of this one."""
    night = league.FIRST
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_platform(
            tmp_path, instance, league.tipoff(night) - timedelta(hours=3), first_date=league.FIRST + SPRING
        )
        land_last_spring(platform.zone, night)
        for job, first, last in platform.missing(night):
            platform.materialize(first, last, job=job)
        assert all(platform.models.in_force(system, week_of(night)) for system in TRAINED)
        platform.materialize(night, night, platform.publication(SYSTEM_TABLES))
        rows = {s: rows_of(platform, s, night) for s in SYSTEM_TABLES}
    assert {len(own) for own in rows.values()} == {36}
    del rows["market_consensus_v1"], rows["market_anchored_v1"]  # the books' own
    reasons = {s: " and ".join(sorted(set(own["abstain_reason"].fillna("a forecast")))) for s, own in rows.items()}
    of_the_season = ("moving_average", "zone_matchup_v1", "similarity_balanced_v1", *TRAINED)
    assert reasons == {
        "shrunk_rate_v1": "a forecast",
        **dict.fromkeys(of_the_season, "MISSING_INPUT: points_avg_season"),
        **dict.fromkeys(("ensemble_v1", "ensemble_v1_1"), "FEWER_THAN_2_COMPONENTS"),
    }


def test_weeks_with_too_little_history_have_a_reason_instead_of_a_model(platform):
    shutil.rmtree(platform.settings.models)
    first = week_of(league.FIRST)
    platform.materialize(first, week_of(DAY), job="train")
    for system in TRAINED:
        weeks = platform.models.weeks(system)
        assert week_of(DAY) in weeks
        assert first not in weeks
        assert platform.models.refusal(system, first)["reason"].startswith("TOO_FEW_ROWS")
        assert platform.models.refusal(system, week_of(DAY)) == {}
        assert platform.instance.get_materialized_partitions(dg.AssetKey(["nba_models", system])) == {
            str(w) for w in weeks
        }


def test_a_model_is_judged_against_that_of_the_week_before_in_any_order_of_training(platform):
    """Whichever week is trained first, the models in force end up the same."""
    week = week_of(DAY)
    before = week - timedelta(7)
    assert platform.models.weeks("xgboost_v1") == [before, week], "though only the later one was asked for"
    assert planning.untrained(platform.inputs, [week]) == []
    assert platform.train(before).success
    assert planning.untrained(platform.inputs, [before, week]) == []


def test_a_week_without_games_trains_nothing(platform):
    idle = week_of(DAY) + timedelta(21)
    assert platform.run("train", idle).success
    for system in TRAINED:
        assert idle not in platform.models.weeks(system)
        assert platform.models.made_from(system, idle) is None


def test_a_model_of_other_features_is_refused(slated, monkeypatch):
    platform = slated
    from nba_props.domain.systems import trained

    monkeypatch.setattr(trained, "SCHEMA_HASH", "another")
    outcome = platform.publish(DAY, ["catboost_v8"])
    assert outcome.success
    assert rows_of(platform, "catboost_v8")["abstain_reason"].str.startswith("MODEL_SCHEMA_DIFFERS").all()
    assert platform.failed(outcome)["catboost_v8.model_is_in_force"] == "ERROR"


def test_the_same_model_again_publishes_nothing_new(predicted):
    platform = predicted
    before = platform.query("SELECT * FROM nba_predictions.ledger ORDER BY prediction_id")
    assert platform.train(week_of(DAY)).success
    platform.materialize(DAY, DAY, platform.publication(TRAINED, slate=False))
    after = platform.query("SELECT * FROM nba_predictions.ledger ORDER BY prediction_id")
    pdt.assert_frame_equal(after, before)


def damaged(platform: Platform, how: str) -> None:
    """What the landing zone would hold had the future not happened, or happened otherwise."""
    rng = np.random.default_rng(11)
    for day in sorted({g.day for g in league.games() if g.day >= DAY}):
        path = platform.zone._path / league.log_path(day)
        rows = [r for g in league.games() if g.day == day for r in league.log_rows(g)]
        path.unlink()
        if how == "corrupt":
            for row in rows:
                points = int(rng.integers(0, 60))
                row |= {
                    "PTS": points, "FTM": points, "FTA": points, "FGM": 0, "FG3A": 0,
                    "MIN": int(rng.integers(0, 48)), "FGA": int(rng.integers(0, 40)),
                }  # fmt: skip
            league.land_log(platform.zone, day, rows)
    for game in [g for g in league.games() if g.day >= DAY]:
        path, _ = league.capture(game, -30)
        (platform.zone._path / path).unlink(missing_ok=True)
        if how == "corrupt":
            platform.zone.land(*league.capture(game, -30, shift=float(rng.integers(-9, 30))))


@pytest.mark.parametrize("how", ["delete", pytest.param("corrupt", marks=pytest.mark.long)])
def test_nothing_at_or_after_the_cut_off_moves_a_bit(two_weeks, tmp_path, how):
    """Box scores of the date and later, quotes from tip-off on: gone or turned upside down, no feature, model or
    prediction changes. The whole way is run again, from landing to models to ledger.
    """
    platform, last = two_weeks, WEEK + timedelta(6)
    assert platform.warehouse.partitions(raw.BOX_SCORES)[-1] == last > DAY, "what came after it is loaded"
    platform.materialize(DAY, DAY, platform.publication(SYSTEM_TABLES))
    shutil.copytree(platform.zone.root, tmp_path / "other" / "landing")
    other = open_platform(tmp_path / "other", platform.instance)
    damaged(other, how)
    other.prepare()
    other.materialize(DAY, last, job="ingest_history")
    other.materialize(DAY, DAY, other.publication(SYSTEM_TABLES))
    known_before = (analytics.HISTORICAL_GAMES, analytics.BETTING_LINES, analytics.CONTEXT)
    for table in (*known_before, PLAYER_FEATURES, *SYSTEM_TABLES.values(), LEDGER):
        theirs, mine = (
            p.warehouse.read(table, [DAY]).drop(columns=["run_id", "row_digest"], errors="ignore")
            for p in (other, platform)
        )
        assert len(mine), table.address
        pdt.assert_frame_equal(theirs, mine, check_exact=True, obj=table.address)
    for system in TRAINED:
        mine, theirs = (p.models.card(system, week_of(DAY)) for p in (platform, other))
        assert mine.fingerprint == theirs.fingerprint
        assert mine.residuals == theirs.residuals
    if how == "corrupt":
        boxes = [p.warehouse.read(raw.BOX_SCORES, [DAY]) for p in (platform, other)]
        assert not boxes[0]["points"].equals(boxes[1]["points"]), (
            "the damage has to be there for the test to mean anything"
        )
    assert TABLES[PLAYER_FEATURES.address] is PLAYER_FEATURES


@pytest.mark.long
def test_no_system_fails_on_a_day_off(predicted):
    """`market_anchored_v1` failed on one that was run by itself: an empty column had no type to be joined by."""
    off = DAY + timedelta(1)
    outcome = predicted.publish(off, SYSTEM_TABLES, slate=True)
    assert outcome.success
    assert outcome.failures == []
