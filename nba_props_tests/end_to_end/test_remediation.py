"""What an operator does at night: quarantine, restore, roll back, reline, regenerate one system; and killed half-way."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pandas.testing as pdt
import pytest
from click.testing import CliRunner

from nba_props.automation import planning, runner
from nba_props.catalog import TABLES
from nba_props.checks.partitioned import Scope
from nba_props.checks.predictions import NO_PLACEHOLDER_LINES
from nba_props.cli import main
from nba_props.domain import quality
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.markets import POINTS
from nba_props.operations import remediation
from nba_props.operations.ledger import batches, history, lines_to_change
from nba_props.operations.selection import RemediationError, Selection
from nba_props.schemas.monitoring import SCOREBOARD
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, REMEDIATIONS
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT, SOME_SYSTEMS, Platform

pytestmark = pytest.mark.slow

SPAN = [DAY, NEXT]


@pytest.fixture
def platform(two_dates):
    """Two game dates predicted and graded, and thirty rows of a second writer on each."""
    for day in SPAN:
        poison(two_dates, day)
    return two_dates


def poison(platform: Platform, day) -> None:
    """What the old system left: 20.0 without a source, later than the honest rows, so that it is what one sees."""
    rows = platform.warehouse.read(LEDGER, [day])
    fakes = rows[rows["line"].isna()].head(30).assign(
        line=20.0, has_prop_line=True, line_source=None, created_at=rows["created_at"].max() + pd.Timedelta(minutes=9)
    )  # fmt: skip
    fakes["prediction_id"] = [f"fake-{day}-{i}" for i in range(len(fakes))]
    platform.warehouse.write_unchecked(LEDGER, pd.concat([rows, fakes]), day)


def ledger(platform: Platform) -> pd.DataFrame:
    return platform.warehouse.read(LEDGER, SPAN).sort_values("prediction_id", ignore_index=True)


def archive(platform: Platform) -> pd.DataFrame:
    days = platform.warehouse.partitions(ARCHIVED_PREDICTIONS)
    return platform.warehouse.read(ARCHIVED_PREDICTIONS, days)


PLACEHOLDERS = Selection("placeholder", DAY, NEXT)


def test_a_dry_run_counts_and_changes_nothing(platform):
    before = ledger(platform)
    account = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now, dry_run=True)
    assert account.total == 60
    assert account.rows["game_date"].dt.date.unique().tolist() == SPAN
    pdt.assert_frame_equal(ledger(platform), before)
    assert platform.warehouse.partitions(ARCHIVED_PREDICTIONS) == []


def test_quarantine_moves_exactly_the_bad_rows_and_restore_brings_them_back(platform):
    before = ledger(platform)
    account = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    kept, moved = ledger(platform), archive(platform)
    assert account.total == len(moved) == len(before) - len(kept) == 60
    assert moved["prediction_id"].str.startswith("fake").all()
    assert not kept["prediction_id"].str.startswith("fake").any()
    assert set(moved["deletion_reason"]) == {f"quarantine placeholder/1 {DAY}..{NEXT}"}
    assert set(moved["batch_id"]) == {account.batch_id}
    assert set(moved["line_problem"]) == {"PLACEHOLDER_LINE"}

    again = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    assert again.total == 0
    pdt.assert_frame_equal(ledger(platform), kept)

    back = remediation.restore(platform.warehouse, account.batch_id, platform.now)
    assert back.total == 60
    pdt.assert_frame_equal(ledger(platform), before)
    assert remediation.restore(platform.warehouse, account.batch_id, platform.now).total == 0
    pdt.assert_frame_equal(ledger(platform), before)
    assert len(archive(platform)) == 60

    second = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    assert second.batch_id != account.batch_id
    assert second.total == 60
    listed = batches(platform.warehouse).set_index("batch_id")
    assert listed.loc[[account.batch_id, second.batch_id], "archived"].tolist() == [60, 60]
    assert listed["is_complete"].tolist() == [True, True]


def test_the_runbooks_first_command_finds_the_bad_rows(platform, monkeypatch):
    """Date, system, severity and count of each, in a terminal of 80 columns."""
    page = Path(__file__).parents[2] / "docs" / "runbooks" / "bad-rows.md"
    command = shlex.split(re.findall(r"```bash\n(nba-props .*)\n", page.read_text())[0])
    monkeypatch.setenv("NBA_PROPS_HOME", str(platform.settings.home))
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(main, command[1:])
    assert shown.exit_code == 0, shown.output
    found = re.findall(r"^(\S+) +(\w+) +CRITICAL +(\d+) *$", shown.output, re.M)
    assert {day for day, _, _ in found} == {str(DAY), str(NEXT)}
    assert {system for _, system, _ in found} <= set(SYSTEM_TABLES)
    assert sum(int(count) for _, _, count in found) == 60


def test_archived_rows_are_only_counted_until_they_are_restored(platform):
    def said():
        found = NO_PLACEHOLDER_LINES.evaluate(Scope(platform.inputs, platform.now), SPAN)
        stored = quality.published(platform.warehouse, tuple(SYSTEM_TABLES), DAY, NEXT, platform.now)
        span = quality.no_placeholders(stored, DAY, NEXT)
        assert span.passed == all(v.passed for v in found.values()), span.text
        assert f"{sum(v.figures['placeholders_archived'] for v in found.values())} archived" in f"{span.text}0 archived"
        alerts = platform.query("SELECT game_date, severity FROM nba_monitoring.placeholder_alerts")
        return [(v.passed, v.figures["placeholders_archived"]) for v in found.values()], set(alerts["severity"])

    assert said() == ([(False, 0)] * 2, {"OK", "CRITICAL"})
    account = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    assert said() == ([(True, 30)] * 2, {"OK"})
    remediation.restore(platform.warehouse, account.batch_id, platform.now)
    assert said() == ([(False, 0)] * 2, {"OK", "CRITICAL"})


def test_a_partly_regenerated_span_is_restored_without_duplicates(platform):
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    account = remediation.quarantine(
        platform.warehouse, Selection("system", DAY, NEXT, system_id="xgboost_v1"), platform.now
    )
    assert account.total == 72
    before_rerun = ledger(platform)
    # one date is published again, with the same keys
    platform.materialize(DAY, DAY, platform.publication(["xgboost_v1"], slate=False))
    regenerated = ledger(platform)
    assert len(regenerated) == len(before_rerun) + 36
    back = remediation.restore(platform.warehouse, account.batch_id, platform.now)
    assert back.total == 36
    assert ledger(platform)["prediction_id"].is_unique
    assert len(ledger(platform)) == len(before_rerun) + 72


@pytest.mark.parametrize("kill_at", [n if n == 3 else pytest.param(n, marks=pytest.mark.long) for n in range(8)])
def test_a_killed_remediation_is_completed_by_the_same_command(platform, monkeypatch, kill_at):
    """Every write of a quarantine and of its restoring is a place to die; the same command brings the same end."""
    before = ledger(platform)
    store = platform.warehouse
    honest = store._replace
    writes = 0

    def dying(*arguments):
        nonlocal writes
        writes += 1
        if writes == kill_at + 1:
            raise KeyboardInterrupt
        honest(*arguments)

    monkeypatch.setattr(store, "_replace", dying)
    died = False
    try:
        account = remediation.quarantine(store, PLACEHOLDERS, platform.now)
    except KeyboardInterrupt:
        died = True
    monkeypatch.setattr(store, "_replace", honest)
    rows = pd.concat([ledger(platform)["prediction_id"], archive(platform)["prediction_id"]])
    assert set(rows) == set(before["prediction_id"]), "a row is in neither place"
    if died:
        account = remediation.quarantine(store, PLACEHOLDERS, platform.now + timedelta(minutes=3))
    assert account.total == 60
    assert len(archive(platform)) == 60
    assert archive(platform)["prediction_id"].is_unique
    assert len(ledger(platform)) == len(before) - 60
    done = store.query(
        "SELECT COUNT(*) AS n, SUM(row_count) AS moved FROM nba_predictions.remediations WHERE step = 'REMOVED'"
    )
    assert (done["n"][0], done["moved"][0]) == (2, 60)

    writes = 0
    monkeypatch.setattr(store, "_replace", dying)
    try:
        remediation.restore(store, account.batch_id, platform.now)
    except KeyboardInterrupt:
        monkeypatch.setattr(store, "_replace", honest)
        remediation.restore(store, account.batch_id, platform.now)
    monkeypatch.setattr(store, "_replace", honest)
    pdt.assert_frame_equal(ledger(platform), before)


def test_rolling_a_run_back_makes_the_earlier_rows_current_again(platform):
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    before = platform.query("SELECT prediction_id FROM nba_predictions.current_predictions ORDER BY prediction_id")
    game = next(g for g in league.games() if g.day == DAY)
    platform.zone.land(*league.capture(game, 5, shift=1.0))
    platform.now += timedelta(minutes=10)
    moved = platform.publish(DAY, slate=True)
    assert moved.success
    after = platform.query("SELECT prediction_id FROM nba_predictions.current_predictions ORDER BY prediction_id")
    assert not after.equals(before)
    account = remediation.rollback(platform.warehouse, moved.run_id, platform.now)
    assert account.total == 12 * len(SOME_SYSTEMS)
    pdt.assert_frame_equal(
        platform.query("SELECT prediction_id FROM nba_predictions.current_predictions ORDER BY prediction_id"), before
    )
    with pytest.raises(RemediationError, match="has no row in the ledger"):
        remediation.rollback(platform.warehouse, moved.run_id, platform.now)


def test_one_system_is_regenerated_and_no_other_is_touched(platform):
    keys = planning.resolve(platform.definitions, ["zone_matchup_v1"])
    others = {
        (s, d): platform.warehouse._file(t, d).read_bytes()
        for s, t in SYSTEM_TABLES.items()
        for d in SPAN
        if s != "zone_matchup_v1"
    }
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    before = ledger(platform)
    remediation.quarantine(
        platform.warehouse, Selection("system", DAY, NEXT, system_id="zone_matchup_v1"), platform.now
    )
    outcome = runner.execute(platform.definitions, platform.instance, "predict", DAY, NEXT, select=keys)
    assert outcome.errors == []
    for (system, day), content in others.items():
        assert platform.warehouse._file(SYSTEM_TABLES[system], day).read_bytes() == content
    after = ledger(platform)
    rest = before["system_id"] != "zone_matchup_v1"
    pdt.assert_frame_equal(
        after[after["system_id"] != "zone_matchup_v1"].reset_index(drop=True), before[rest].reset_index(drop=True)
    )
    own = after.loc[after["system_id"] == "zone_matchup_v1", "prediction_id"]
    assert sorted(own) == sorted(before.loc[~rest, "prediction_id"])
    assert not {k.path[-1] for k in keys} & (set(SYSTEM_TABLES) - {"zone_matchup_v1"})


def test_only_what_is_missing_or_stale_is_requested(platform):
    keys = planning.assets_of(platform.definitions, "predict")
    span = [DAY + timedelta(n) for n in range(4)]
    assert planning.pending(platform.definitions, platform.inputs, keys, span) == [
        DAY,
        NEXT,
        *span[3:],
    ], "someone wrote to the ledger after it was graded"
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    platform.materialize(DAY, NEXT, platform.publication((), slate=False))
    platform.materialize(DAY, NEXT, job="grade")
    assert planning.pending(platform.definitions, platform.inputs, keys, span) == span[3:]
    platform.materialize(DAY, DAY, job="ingest_history")  # its box scores are newer than its grades now, and the same
    assert planning.pending(platform.definitions, platform.inputs, keys, span) == span[3:]
    platform.materialize(span[-1], span[-1])
    assert planning.pending(platform.definitions, platform.inputs, keys, span) == []
    game = next(g for g in league.games() if g.day == DAY)
    platform.zone.land(*league.capture(game, 5, shift=1.0))  # the odds of one date are newer than its quotes now
    assert planning.pending(platform.definitions, platform.inputs, keys, span) == [DAY]
    assert planning.late_scores(platform.definitions, platform.inputs, span) == []
    scoreboard = platform.warehouse._file(SCOREBOARD, NEXT).parent
    kept = shutil.copytree(scoreboard, platform.settings.home / "kept")
    shutil.rmtree(scoreboard)  # a run that was killed after the grades
    assert planning.late_scores(platform.definitions, platform.inputs, span) == [NEXT]
    shutil.copytree(kept, scoreboard)
    zone = planning.resolve(platform.definitions, ["nba_predictions/zone_matchup_v1"])
    shutil.rmtree(platform.warehouse._file(SYSTEM_TABLES["zone_matchup_v1"], NEXT).parent)
    assert planning.pending(platform.definitions, platform.inputs, zone, span) == [NEXT]


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        ({"predicate": "ugly"}, "there is no predicate 'ugly'"),
        ({"predicate": "run"}, "needs run_id"),
        ({"predicate": "system"}, "needs system_id"),
    ],
)
def test_an_invalid_selection_is_refused(selection, text):
    with pytest.raises(RemediationError, match=text):
        Selection(**selection, first=DAY, last=NEXT)


def test_an_unknown_batch_is_refused(platform):
    with pytest.raises(RemediationError, match="there is no batch nothing"):
        remediation.restore(platform.warehouse, "nothing", platform.now)


def test_the_jobs_take_typed_config_and_return_their_account(platform):
    config = {"predicate": "placeholder", "first": str(DAY), "last": str(NEXT), "dry_run": False}
    account = runner.remediate(platform.definitions, platform.instance, "quarantine", config)
    assert account.total == 60
    back = runner.remediate(platform.definitions, platform.instance, "restore", {"batch_id": account.batch_id})
    assert back.total == 60
    with pytest.raises(RemediationError, match="there is no predicate 'ugly'"):
        runner.remediate(platform.definitions, platform.instance, "quarantine", {**config, "predicate": "ugly"})


def test_the_story_of_a_player(platform):
    name = league.player(league.TEAMS[0], 0)[1]
    story = history(platform.warehouse, name, DAY)
    assert set(story["system_id"]) == set(SYSTEM_TABLES)
    bad = platform.warehouse.read(LEDGER, [DAY])
    bad = bad[bad["prediction_id"].str.startswith("fake")].iloc[0]
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    story = history(platform.warehouse, str(bad["player_id"]), DAY)
    assert story["standing"].str.startswith("archived").any()
    assert (story["standing"] == "current").any()
    assert history(platform.warehouse, bad["player_name"].upper(), DAY).equals(story)


@pytest.mark.long
def test_relining_has_a_preview(platform):
    remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    assert lines_to_change(platform.warehouse, SPAN, [POINTS], platform.now)["rows"].sum() == 0
    game = next(g for g in league.games() if g.day == DAY)
    platform.zone.land(*league.capture(game, 5, shift=1.0))
    quotes = planning.resolve(platform.definitions, ["odds_quotes", "resolved_names"])
    assert platform.run("predict", DAY, select=quotes).success
    before = ledger(platform)
    asked = lines_to_change(platform.warehouse, SPAN, [POINTS], platform.now)
    assert asked["rows"].tolist() == [12] * len(SYSTEM_TABLES)
    assert set(asked["game_date"].dt.date) == {DAY}
    pdt.assert_frame_equal(ledger(platform), before)
    platform.now += timedelta(minutes=9)
    assert platform.run("reline", DAY).success
    assert len(ledger(platform)) - len(before) == asked["rows"].sum()
    assert lines_to_change(platform.warehouse, SPAN, [POINTS], platform.now)["rows"].sum() == 0


def test_every_step_is_on_record(platform):
    account = remediation.quarantine(platform.warehouse, PLACEHOLDERS, platform.now)
    remediation.restore(platform.warehouse, account.batch_id, platform.now)
    rows = platform.warehouse.read(REMEDIATIONS, platform.warehouse.partitions(REMEDIATIONS))
    steps = rows.groupby("step")["row_count"].sum().to_dict()
    assert steps == {"REMOVED": 60, "RESTORED": 60, "DONE": 60}
    assert TABLES[REMEDIATIONS.address] is REMEDIATIONS


@pytest.mark.long
def test_dates_that_were_run_one_by_one_are_not_stale_as_a_range(predicted):
    """The day off between them has no roster, no odds and no slate, and needs none."""
    platform = predicted
    for job, first, last in platform.missing(NEXT):
        platform.materialize(first, last, job=job)
    platform.materialize(NEXT, NEXT)
    keys = planning.assets_of(platform.definitions, "predict")
    assert planning.pending(platform.definitions, platform.inputs, keys, [DAY, DAY + timedelta(1), NEXT]) == []
