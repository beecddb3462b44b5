"""Ticks: what they request, once, whatever arrives in whatever order and whenever the daemon is killed."""

from __future__ import annotations

import json
import shutil
import time
from datetime import date, timedelta

import dagster as dg
import pandas as pd
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from nba_props.assets.inputs import Inputs
from nba_props.automation.jobs import FOLLOW_JOB, GRADE_JOB, HISTORY_JOB, LINES_JOB, PREDICT_JOB
from nba_props.automation.ranges import RANGE_END, RANGE_START, dates_in
from nba_props.automation.runner import execute
from nba_props.automation.sensors import news, training
from nba_props.domain import gate
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import EASTERN
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.settings import Live
from nba_props.sources.registry import FEEDS
from nba_props.storage.landing import LandingZone, capture_suffix
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc

GAMES = [g for g in league.games() if g.day == DAY]


def tick(platform, name: str, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    sensor = next(s for s in platform.definitions.sensors if s.name == name)
    resources = platform.definitions.resources
    named = {k: resources[k] for k in ("inputs", "preparation", "warehouse", "clock", "settings")}
    context = dg.build_sensor_context(instance=platform.instance, cursor=cursor, resources=named)
    return sensor(context)


def asked(result) -> list[tuple[str, str]]:
    return [(r.job_name, dates_in(r.tags, r.partition_key)) for r in result.run_requests or []]


def tonight(result) -> list[tuple[str, str]]:
    """What was asked for today's games."""
    return [(job, key) for job, key in asked(result) if key == str(DAY)]


def test_new_odds_request_a_run_of_their_date_once(before_tipoff):
    first = tick(before_tipoff, "new_odds_sensor")
    assert tonight(first) == [(PREDICT_JOB, str(DAY))]
    again = tick(before_tipoff, "new_odds_sensor", first.cursor)
    assert tonight(again) == []
    lost = tick(before_tipoff, "new_odds_sensor", None)
    assert [r.run_key for r in lost.run_requests] == [r.run_key for r in first.run_requests], "the daemon knows it"
    for broken in ("{", "[]", "7", "null"):
        assert asked(tick(before_tipoff, "new_odds_sensor", broken)) == asked(first)


def until_quiet(platform, cursor: str | None = None) -> tuple[list[tuple[str, str]], str]:
    """What some looks ask for, and the cursor after them."""
    found: list[tuple[str, str]] = []
    for _ in range(9):
        result = tick(platform, "new_odds_sensor", cursor)
        cursor = result.cursor
        if not result.run_requests:
            return found, cursor
        found += asked(result)
    raise AssertionError(f"it asks for ever: {found}")


PAST = [str(DAY - timedelta(n)) for n in (2, 4, 6, 8, 10)]


def test_odds_of_other_dates_start_runs_after_tonights_a_few_at_a_time(before_tipoff):
    first = tick(before_tipoff, "new_odds_sensor")
    assert asked(first) == [(PREDICT_JOB, str(DAY)), *((PREDICT_JOB, d) for d in PAST[:3])]
    priority = [int(r.tags["dagster/priority"]) for r in first.run_requests]
    assert priority[0] > max(priority[1:])
    second = tick(before_tipoff, "new_odds_sensor", first.cursor)
    assert asked(second) == [(PREDICT_JOB, d) for d in PAST[3:]]
    third = tick(before_tipoff, "new_odds_sensor", second.cursor)
    assert asked(third) == []
    ahead = "3 dates wait for their history, the first 2025-11-12"
    assert ahead in third.skip_reason.skip_message, "tonight is not over"
    past = next(g for g in league.games() if str(g.day) == PAST[4])
    before_tipoff.zone.land(*league.capture(past, 33))
    late = tick(before_tipoff, "new_odds_sensor", third.cursor)
    assert asked(late) == [(PREDICT_JOB, PAST[4])], "late odds of a past date"
    assert asked(tick(before_tipoff, "new_odds_sensor", late.cursor)) == []


def test_odds_that_landed_ahead_wait_for_the_games_before_them(before_tipoff):
    _, cursor = until_quiet(before_tipoff)
    before_tipoff.materialize(DAY + timedelta(1), DAY + timedelta(1), job=HISTORY_JOB)
    assert asked(tick(before_tipoff, "new_odds_sensor", cursor)) == [(PREDICT_JOB, str(DAY + timedelta(2)))]


def test_a_date_that_was_published_before_the_first_tick_is_not_requested_again(late):
    found, cursor = until_quiet(late)
    assert PAST[0] not in [key for _, key in found]
    late.zone.land(*league.capture(next(g for g in league.games() if str(g.day) == PAST[0]), 33))
    assert asked(tick(late, "new_odds_sensor", cursor)) == [(PREDICT_JOB, PAST[0])]
    assert PAST[0] in [key for _, key in until_quiet(late)[0]], "newer odds, though the cursor is lost"


def test_an_invented_league_has_its_own_last_date(before_tipoff):
    zone, years_later = before_tipoff.zone, DAY + timedelta(800)
    assert news.other_dates(zone, years_later) == []
    zone.land("landing.json", {"data_source": "SIMULATED", "first_date": str(league.FIRST)})
    simulated = LandingZone(zone.root)
    dates = news.other_dates(simulated, years_later)
    assert dates[0] == max(g.day for g in league.games())
    assert min(dates) == dates[0] - timedelta(14)
    assert news.other_dates(simulated, DAY)[:3] == [DAY + timedelta(n) for n in (2, 4, 6)]


def test_a_date_without_a_partition_is_not_requested(before_tipoff):
    """Dagster refuses a run of a date after today, and the whole look with it."""
    known = [DAY, league.FIRST, league.FIRST - timedelta(1)]
    ahead = date.today() + timedelta(3)  # noqa: DTZ011 Dagster's own clock, not ours
    found = news.with_history(before_tipoff.inputs, [*known, ahead])
    assert found == {DAY, league.FIRST}


def test_without_a_landing_zone_a_tick_is_skipped_with_the_reason(platform):
    shutil.rmtree(platform.settings.home.parent / "landing")
    for name in ("new_odds_sensor", "new_results_sensor"):
        assert "there is no landing zone" in tick(platform, name).skip_message


def test_a_published_date_is_followed_until_its_games_begin(published):
    before_tipoff = published
    found, cursor = until_quiet(before_tipoff)
    assert [f for f in found if f[1] == str(DAY)] == [(FOLLOW_JOB, str(DAY))]
    before_tipoff.now = GAMES[1].tipoff_at + timedelta(seconds=1)
    before_tipoff.zone.land(*league.capture(GAMES[0], 5, shift=1.0))
    begun = tick(before_tipoff, "new_odds_sensor", cursor)
    assert asked(begun) == [(FOLLOW_JOB, str(DAY))], "the last capture has the closes, and publishes nothing"
    assert asked(tick(before_tipoff, "new_odds_sensor", begun.cursor)) == []
    before_tipoff.now += timedelta(hours=9)
    assert asked(tick(before_tipoff, "new_odds_sensor", begun.cursor)) == [], "nor the next morning, as a past date"


def test_a_report_after_the_last_tipoff_is_not_loaded(published):
    before_tipoff = published
    _, cursor = until_quiet(before_tipoff)
    before_tipoff.now = GAMES[1].tipoff_at + timedelta(seconds=1)
    before_tipoff.zone.land(f"injury_report/{DAY}/report-20251110T235900Z.json", {"records": []})
    assert asked(tick(before_tipoff, "new_odds_sensor", cursor)) == []


def test_any_number_of_files_late_early_and_twice_is_one_request(before_tipoff):
    _, cursor = until_quiet(before_tipoff)
    for minutes in (300, 90, 200, 12):  # in no order
        before_tipoff.zone.land(*league.capture(GAMES[0], minutes))
    path, content = league.capture(GAMES[0], 300)
    before_tipoff.zone.land(path.replace(".json.gz", ".json"), content)  # the same once more
    before_tipoff.zone.land_bytes(f"the_odds_api/player_points/{DAY}/cut-20251110T170000Z.json.gz", b"\x1f\x8b")
    result = tick(before_tipoff, "new_odds_sensor", cursor)
    assert len(result.run_requests) == 1
    assert asked(tick(before_tipoff, "new_odds_sensor", result.cursor)) == []


def test_an_injury_report_counts_as_new_too(before_tipoff):
    _, cursor = until_quiet(before_tipoff)
    before_tipoff.zone.land(f"injury_report/{DAY}/report-20251110T203000Z.json", {"records": []})
    assert asked(tick(before_tipoff, "new_odds_sensor", cursor)) == [(PREDICT_JOB, str(DAY))]


@pytest.mark.parametrize("files", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_hundred_thousand_files_do_not_slow_a_tick(before_tipoff, files):
    folder = before_tipoff.zone._path / "the_odds_api" / "player_points" / str(DAY)
    for n in range(files):
        (folder / f"{n:032d}-20251110T170000Z.json.gz").touch()
    tick(before_tipoff, "new_odds_sensor")
    started = time.process_time()
    assert len({path.name: path.stat().st_mtime for path in folder.iterdir()}) >= files
    looked = time.process_time() - started
    started = time.process_time()
    result = tick(before_tipoff, "new_odds_sensor")
    took = time.process_time() - started
    assert took < 2 * looked + 0.5, "no more than to look at each file once or twice"
    assert len(tonight(result)) == 1
    assert len(result.cursor) < 40 * 22, "the cursor grows with the dates nearby and not with the files"


def ledger(platform) -> pd.DataFrame:
    return platform.warehouse.read(LEDGER, [DAY])


def test_only_games_whose_line_moved_are_published_again(predicted):
    before_tipoff = predicted
    before = ledger(before_tipoff)
    before_tipoff.now += timedelta(minutes=100)
    before_tipoff.zone.land(*league.capture(GAMES[0], 5, shift=1.5))
    before_tipoff.zone.land(*league.capture(GAMES[1], 5))
    followed = before_tipoff.run(FOLLOW_JOB, DAY)
    assert followed.success, followed.errors
    fresh = ledger(before_tipoff)
    fresh = fresh[fresh["run_id"] == followed.run_id]
    assert set(fresh["game_id"]) == {GAMES[0].game_id}
    assert set(fresh["system_id"]) == set(SYSTEM_TABLES)
    assert len(ledger(before_tipoff)) == len(before) + len(fresh)
    again = before_tipoff.run(FOLLOW_JOB, DAY)
    assert again.success
    assert (ledger(before_tipoff)["run_id"] != again.run_id).all(), "nothing is said twice"


def test_after_tipoff_nothing_is_published_by_following(predicted):
    before_tipoff = predicted
    before = ledger(before_tipoff)
    before_tipoff.now = GAMES[0].tipoff_at + timedelta(minutes=1)
    for game in GAMES:
        before_tipoff.zone.land(*league.capture(game, 3, shift=2.0))
    assert before_tipoff.publish(DAY, slate=True, job=FOLLOW_JOB).success
    fresh = ledger(before_tipoff).merge(before[["prediction_id"]], how="left", indicator=True)
    fresh = fresh[fresh["_merge"] == "left_only"]
    assert set(fresh["game_id"]) == {GAMES[1].game_id}, "the first game has begun"


def rows(**changes) -> pd.DataFrame:
    base = {
        "system_id": "s",
        "game_id": "g",
        "player_id": 1,
        "market": "points",
        "line": 20.5,
        "sportsbook": "draftkings",
        "abstain_reason": None,
    }
    return pd.DataFrame([{**base, **changes}])


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({}, False),
        ({"line": 20.75}, False),
        ({"line": 21.0}, True),
        ({"line": 20.0}, True),
        ({"line": None, "sportsbook": None}, True),
        ({"sportsbook": "fanduel"}, True),
        ({"abstain_reason": "REPORTED_ABSENT"}, True),
        ({"abstain_reason": "MISSING_INPUT: points_avg_last_5"}, False),
        ({"player_id": 2}, True),
        ({"market": "rebounds"}, True),
        ({"system_id": "t"}, True),
    ],
)
def test_what_counts_as_new(change, moved):
    assert gate.moved(rows(), rows(**change)).any() == moved
    if not {"player_id", "system_id", "market"} & set(change):
        assert gate.moved(rows(**change), rows()).any() == moved
    assert gate.moved(rows().iloc[:0], rows()).all()


def test_results_request_the_grades_of_their_date(before_tipoff, published):
    assert tick(before_tipoff, "new_results_sensor").run_requests == []
    platform = published
    platform.now = league.tipoff(DAY) + timedelta(hours=12)
    first = tick(platform, "new_results_sensor")
    assert asked(first) == [(GRADE_JOB, str(DAY))]
    assert tick(platform, "new_results_sensor", first.cursor).run_requests == []
    corrected = [r for g in GAMES for r in league.log_rows(g)]
    league.land_log(platform.zone, DAY, corrected, "-20251112T090000Z")
    again = tick(platform, "new_results_sensor", first.cursor)
    assert asked(again) == [(GRADE_JOB, str(DAY))]
    assert again.run_requests[0].run_key != first.run_requests[0].run_key


def results_until_quiet(platform, cursor: str | None = None) -> tuple[list[list[tuple[str, str]]], str]:
    """What each look at results asks for until one asks for nothing, and the cursor after them."""
    found: list[list[tuple[str, str]]] = []
    for _ in range(12):
        result = tick(platform, "new_results_sensor", cursor)
        cursor = result.cursor
        if not result.run_requests:
            return found, cursor
        found.append(asked(result))
    raise AssertionError(f"it asks for ever: {found}")


@pytest.mark.long
def test_results_of_a_date_that_was_never_predicted_are_loaded(evening, monkeypatch):
    """Its predict failed and its results came two days later: else every later date would wait for its history."""
    platform, day = evening, DAY + timedelta(2)
    shutil.rmtree(platform.warehouse._file(LEDGER, DAY).parent)
    platform.now = league.tipoff(DAY) + timedelta(days=4)
    off = [(HISTORY_JOB, str(DAY + timedelta(1)))]
    first, cursor = results_until_quiet(platform)
    assert first == [off], "a day off that is not loaded, and no game whose results are not there"
    with monkeypatch.context() as patch:
        patch.setattr(Inputs, "game_days", lambda *_: pytest.fail("the schedule is read once"))
        assert tick(platform, "new_results_sensor", cursor).cursor == cursor
    games = [g for g in league.games() if g.day in (DAY, day)]
    for at in (DAY, day):
        league.land_log(platform.zone, at, [r for g in games if g.day == at for r in league.log_rows(g)])
    late = tick(platform, "new_results_sensor", cursor)
    assert asked(late) == [(HISTORY_JOB, f"{DAY}..{day}")], "one run over both"
    assert {int(r.tags["dagster/priority"]) for r in late.run_requests} == {-1}
    assert asked(tick(platform, "new_results_sensor", late.cursor)) == [], "once, whatever became of the run"
    platform.materialize(DAY, day, job=HISTORY_JOB)
    assert results_until_quiet(platform)[0] == [], "loaded dates are not requested after a lost cursor"
    corrected = [r for g in games if g.day == day for r in league.log_rows(g)]
    league.land_log(platform.zone, day, corrected, "-20251115T090000Z")
    assert asked(tick(platform, "new_results_sensor", late.cursor)) == [(HISTORY_JOB, str(day))], "they differ"


def test_an_old_landing_zone_is_loaded_by_one_run_after_tonight(make_platform):
    platform = make_platform()
    first = tick(platform, "new_results_sensor")
    assert [r.tags["dagster/priority"] for r in first.run_requests] == ["-1"]
    looks, cursor = results_until_quiet(platform)
    assert looks == [[(HISTORY_JOB, f"{DAY - timedelta(14)}..{DAY - timedelta(2)}")]]
    assert results_until_quiet(platform, cursor)[0] == []


def test_a_date_that_was_published_after_its_results_were_loaded_is_graded(published):
    platform = published
    platform.now = league.tipoff(DAY) + timedelta(hours=12)
    rows = platform.warehouse.read(LEDGER, [DAY])
    shutil.rmtree(platform.warehouse._file(LEDGER, DAY).parent)
    looks, cursor = results_until_quiet(platform)
    assert looks == [], "its box scores were loaded"
    platform.warehouse.write_unchecked(LEDGER, rows, DAY)
    assert asked(tick(platform, "new_results_sensor", cursor)) == [(GRADE_JOB, str(DAY))]


def without_games(platform, *days) -> None:
    """A newer schedule in which nothing is played on some dates."""
    games = [g for g in league.games() if g.day not in days]
    path = f"nba_stats/scheduleleaguev2/{league.SEASON}{capture_suffix(platform.now)}.json.gz"
    platform.zone.land(path, league.schedule(games, DAY))


def test_a_day_off_needs_no_run_and_one_without_known_tipoffs_does(platform):
    report = f"injury_report/{DAY}/report-20251110T{{}}0000Z.json"
    assert news.open_dates(platform.inputs, platform.now) == {DAY: False}, "its schedule is not loaded"
    platform.materialize(DAY, DAY, job=HISTORY_JOB)
    assert news.open_dates(platform.inputs, platform.now) == {DAY: True}
    schedule = platform.warehouse.read(SCHEDULE, [DAY])
    undecided = schedule.assign(tipoff_at=pd.Series(pd.NaT, schedule.index, dtype="datetime64[us, UTC]"))
    platform.warehouse.write(SCHEDULE, undecided, [DAY])
    assert news.open_dates(platform.inputs, platform.now + timedelta(hours=4)) == {DAY: False}
    without_games(platform, DAY)
    platform.warehouse.write(SCHEDULE, SCHEDULE.empty(), [DAY])
    platform.zone.land(report.format(15), {"records": []})
    assert tonight(tick(platform, "new_odds_sensor")) == [(PREDICT_JOB, str(DAY))], "the schedule may have changed"
    platform.materialize(DAY, DAY, job=HISTORY_JOB)
    _, cursor = until_quiet(platform)
    platform.zone.land(report.format(16), {"records": []})
    assert tonight(tick(platform, "new_odds_sensor", cursor)) == []


def test_the_first_tick_on_results_requests_one_run_after_tonight(late):
    """Dates with results and old predictions: one run, after tonight; those that are graded ask for none."""
    old = [DAY - timedelta(n) for n in range(2, 12, 2)]
    before_tipoff = late
    rows = before_tipoff.warehouse.read(LEDGER, [old[0]])
    for day in old[1:]:
        moved = rows.assign(game_date=pd.Timestamp(day), prediction_id=rows["prediction_id"] + str(day))
        before_tipoff.warehouse.write_unchecked(LEDGER, moved, day)
    before_tipoff.warehouse.write(PREDICTION_ACCURACY, PREDICTION_ACCURACY.empty(), [old[1]])
    first = tick(before_tipoff, "new_results_sensor")
    assert asked(first) == [(GRADE_JOB, f"{old[4]}..{old[0]}")]
    tonights = {int(r.tags["dagster/priority"]) for r in tick(before_tipoff, "new_odds_sensor").run_requests}
    assert {int(r.tags["dagster/priority"]) for r in first.run_requests} == {-1}
    assert max(tonights) > -1, "the queue takes tonight first"
    assert tick(before_tipoff, "new_results_sensor", first.cursor).run_requests == []


def test_no_grades_are_made_of_a_date_in_between_that_may_yet_be_predicted(late):
    """They would be none, and say that the date is graded."""
    old = [DAY - timedelta(n) for n in (2, 6)]
    before_tipoff = late
    rows = before_tipoff.warehouse.read(LEDGER, [old[0]])
    moved = rows.assign(game_date=pd.Timestamp(old[1]), prediction_id=rows["prediction_id"] + "2")
    before_tipoff.warehouse.write_unchecked(LEDGER, moved, old[1])
    first = tick(before_tipoff, "new_results_sensor")
    assert asked(first) == [(GRADE_JOB, str(old[1])), (GRADE_JOB, str(old[0]))]


def test_captures_are_requested_when_they_are_due(before_tipoff):
    assert "ODDS_API_KEY is not set" in tick(before_tipoff, "capture_sensor").skip_message
    platform = before_tipoff.with_live(Live(odds_key="key"))
    platform.now = utc(2025, 11, 10, 14, 59)
    quiet = tick(platform, "capture_sensor", utc(2025, 11, 10, 14, 50).isoformat())
    assert quiet.run_requests == []
    platform.now = utc(2025, 11, 10, 15, 0, 20)  # ten o'clock Eastern
    first = tick(platform, "capture_sensor", quiet.cursor)
    (request,) = first.run_requests
    assert request.run_config == {"ops": {"land_odds": {"config": {"day": str(DAY), "tipoff": ""}}}}
    assert tick(platform, "capture_sensor", first.cursor).run_requests == []
    platform.now = GAMES[0].tipoff_at - timedelta(minutes=5)
    last = tick(platform, "capture_sensor", (platform.now - timedelta(minutes=1)).isoformat())
    assert last.run_requests[0].run_config["ops"]["land_odds"]["config"]["tipoff"] == GAMES[0].tipoff_at.isoformat()
    platform.now = utc(2025, 11, 10, 21, 30)
    silent = tick(platform, "capture_sensor", utc(2025, 11, 10, 15, 1).isoformat())
    assert len(silent.run_requests) == 1, "after a silence one capture of all games"


def scheduled(platform, name: str, at) -> dg.RunRequest | dg.SkipReason:
    """What a schedule asks for at an instant."""
    schedule = next(s for s in platform.definitions.schedules if s.name == name)
    needed = {k: platform.definitions.resources[k] for k in sorted(schedule.required_resource_keys)}
    context = dg.build_schedule_context(scheduled_execution_time=at.astimezone(EASTERN), resources=needed)
    with pytest.MonkeyPatch.context() as patch:
        # of a context for tests Dagster takes no instance that lives in memory
        patch.setattr(dg.ScheduleEvaluationContext, "instance", property(lambda _: platform.instance))
        return schedule(context)


@pytest.mark.parametrize(
    ("name", "at", "key"),
    [
        ("morning_slate", utc(2025, 11, 1, 13), "2025-11-01"),  # 9:00, daylight time
        ("morning_slate", utc(2025, 11, 3, 14), "2025-11-03"),  # 9:00, standard time
        ("grade_last_night", utc(2025, 11, 2, 9, 30), "2025-11-01"),
        ("grade_again", utc(2026, 3, 8, 16, 30), "2026-03-07"),
        ("weekly_training", utc(2025, 11, 10, 11), "2025-11-10"),
    ],
)
def test_schedules_run_on_eastern_time_across_clock_changes(platform, name, at, key):
    schedule = next(s for s in platform.definitions.schedules if s.name == name)
    assert schedule.execution_timezone == "America/New_York"
    result = scheduled(platform, name, at)
    assert result.partition_key == key
    ticks = schedule_execution_time_iterator(
        (at - timedelta(minutes=1)).timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    assert next(iter(ticks)) == at


def test_without_live_feeds_nothing_is_fetched(platform):
    fetching = [feed.job.timetable.name for feed in FEEDS if feed.job.timetable]
    assert sorted(fetching) == ["fetch_injury_report", "fetch_results"]
    for name in fetching:
        found = scheduled(platform, name, utc(2025, 11, 10, 14))
        assert "NBA_PROPS_STATS is off" in found.skip_message


def test_injury_reports_are_not_requested_when_no_game_is_near(platform):
    on = platform.with_live(Live(stats=True))
    for at, is_asked in (
        (utc(2025, 11, 10, 14), True),
        (utc(2025, 11, 11, 14), True),  # a day off, and the evening before a game
        (utc(2025, 12, 11, 14), False),
        (utc(2027, 8, 1, 14), True),  # there is no schedule to tell
    ):
        found = scheduled(on, "fetch_injury_report", at)
        assert isinstance(found, dg.RunRequest) is is_asked, at


def test_every_schedule_and_sensor_is_on(platform):
    assert all(s.default_status is dg.DefaultSensorStatus.RUNNING for s in platform.definitions.sensors)
    assert all(s.default_status is dg.DefaultScheduleStatus.RUNNING for s in platform.definitions.schedules)
    assert json.dumps([s.name for s in platform.definitions.sensors])
    assert date(2025, 11, 10) == DAY


WEDNESDAY = utc(2025, 11, 12, 13, 45)
"""8:45 in the morning, Eastern, in the week of ``DAY``."""


def prepare_by_itself(platform) -> list[tuple[str, str]]:
    """Run what the sensor asks for until it is quiet: job and dates of each run."""
    done: list[tuple[str, str]] = []
    for _ in range(9):
        result = tick(platform, "training_inputs_sensor")
        if isinstance(result, dg.SkipReason):
            return done
        for request in result.run_requests:
            first = date.fromisoformat(request.partition_key or request.tags[RANGE_START])
            last = date.fromisoformat(request.partition_key or request.tags[RANGE_END])
            tags = {k: v for k, v in request.tags.items() if k == training.PREPARES_TAG}
            outcome = execute(platform.definitions, platform.instance, request.job_name, first, last, tags=tags)
            assert outcome.success, outcome.errors
            done.append((request.job_name, f"{first}..{last}"))
    raise AssertionError(f"it asks for ever: {done}")


@pytest.mark.long
def test_models_are_trained_again_once_their_training_data_was_corrected(platform):
    platform.now = WEDNESDAY - timedelta(minutes=30)
    assert "trained on what is stored now" in scheduled(platform, "train_again", WEDNESDAY).skip_message
    assert prepare_by_itself(platform) == []
    day = DAY - timedelta(4)
    rows = [r for g in league.games() if g.day == day for r in league.log_rows(g)]
    league.land_log(platform.zone, day, [league.scoring_more(r, 1) for r in rows], "-20251112T090000Z")
    assert "are loaded first" in scheduled(platform, "train_again", WEDNESDAY).skip_message
    assert prepare_by_itself(platform)[0] == (HISTORY_JOB, f"{day}..{day}")
    assert scheduled(platform, "train_again", WEDNESDAY).partition_key == "2025-11-10"


@pytest.mark.long
def test_missing_lines_are_loaded_before_the_week_is_trained(platform):
    """Odds older than the odds sensor looks back: the command line takes them in as well."""
    day = DAY - timedelta(2)
    shutil.rmtree(platform.warehouse._file(ODDS_QUOTES, day).parent)
    shutil.rmtree(platform.warehouse._file(BETTING_LINES, day).parent)
    monday = utc(2025, 11, 10, 11)
    assert "are loaded first" in scheduled(platform, "weekly_training", monday).skip_message
    platform.now = utc(2025, 11, 10, 9, 59)
    assert "waits until 05:00 Eastern" in tick(platform, "training_inputs_sensor").skip_message
    platform.now = utc(2025, 11, 10, 10, 1)
    (request,) = tick(platform, "training_inputs_sensor").run_requests
    assert (request.job_name, request.partition_key) == (LINES_JOB, str(day))
    assert int(request.tags["dagster/priority"]) < 0
    run = platform.instance.create_run_for_job(
        platform.definitions.resolve_job_def(LINES_JOB),
        tags={**request.tags, "dagster/partition": str(day)},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert "are being loaded" in tick(platform, "training_inputs_sensor").skip_message, "asked for once"
    assert "are loaded first" in scheduled(platform, "weekly_training", monday).skip_message
    platform.instance.report_run_failed(run)
    assert "no training data are left to load" in tick(platform, "training_inputs_sensor").skip_message, "once a day"
    assert scheduled(platform, "weekly_training", monday).partition_key == str(DAY), "from what there is"
    platform.now += timedelta(days=1)
    assert prepare_by_itself(platform) == [(LINES_JOB, f"{day}..{day}")]


def test_a_long_history_is_loaded_month_by_month(make_platform, monkeypatch):
    monkeypatch.setattr(training, "RUN_DATES", 10)
    platform = make_platform()
    found = training.to_prepare(platform.definitions.resources["preparation"], platform.instance, DAY)
    assert {r.job_name for r in found} == {HISTORY_JOB}
    assert [dates_in(r.tags, r.partition_key) for r in found] == [
        "2025-10-21..2025-10-30", "2025-10-31..2025-11-09",
    ]  # fmt: skip
    assert len({r.run_key for r in found}) == 2
    sensor = next(s for s in platform.definitions.sensors if s.name == "training_inputs_sensor")
    assert {t.job_name for t in sensor.targets} >= {HISTORY_JOB, LINES_JOB}


def test_a_week_without_games_is_never_trained(platform):
    """All summer no digest of inputs would be stored, and each day would request a training again."""
    for name, at in (("train_again", utc(2025, 12, 10, 13, 45)), ("weekly_training", utc(2025, 12, 8, 11))):
        assert "no game is scheduled in the week" in scheduled(platform, name, at).skip_message
        platform.now = at
        assert "no game is scheduled in the week" in tick(platform, "training_inputs_sensor").skip_message
