"""What happens by itself: captures when they are due, predictions after new payloads, grades after results, alerts.

Cursor sensors and not declarative automation, for three reasons measured on this version: they ask for any date, not
only the newest window; a tick is a pure function of landing zone and cursor; and the checks that block stand in the
same run as what they block.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from nba_props.automation.alerts import Alert, Alerts
from nba_props.automation.fetching import CAPTURE_JOB, INJURIES_JOB, STATS_JOB
from nba_props.automation.jobs import FOLLOW_JOB, FRESHNESS_JOB, GRADE_JOB, JOBS, PREDICT_JOB, TRAIN_JOB
from nba_props.automation.reconcile import RECONCILE_JOB
from nba_props.automation.runner import RANGE_START
from nba_props.checks.freshness import tipoffs
from nba_props.domain.calendar import game_date_of, season_of
from nba_props.schemas.predictions import PLAYER_PROP_PREDICTIONS
from nba_props.settings import Settings
from nba_props.sources import capture, injury_report, nba_stats, odds_api
from nba_props.sources.landing import LandingZone
from nba_props.warehouse.base import Warehouse

Clock = Callable[[], datetime]

#: past dates whose game logs are watched for results and corrections
_RESULT_DAYS = 14
#: a silence of captures longer than this is not caught up with
_LONGEST_SILENCE = timedelta(hours=12)
#: jobs whose failing checks are alerts; those of a run over a span are its author's to read
_WATCHED_JOBS = (PREDICT_JOB, FOLLOW_JOB, GRADE_JOB, FRESHNESS_JOB)


def _fingerprint(names: list[str]) -> str:
    """A hash of names: payloads are written once, so a new one is a new name."""
    return hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()


def _read(cursor: str | None) -> dict[str, str]:
    """The cursor's marks by date; an unreadable one is an empty one, whose requests are known by their run keys."""
    try:
        found = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def open_dates(warehouse: Warehouse, now: datetime) -> dict[date, bool]:
    """Today, if a game of it has not begun or its schedule is unknown, and whether the schedule is known."""
    today = game_date_of(now)
    starts = tipoffs(warehouse, today, today).get(today)
    if starts is None:
        return {today: False}
    return {today: True} if any(t > now for t in starts) else {}


def build_sensors(default_status: dg.DefaultSensorStatus, seconds: int) -> list[dg.SensorDefinition]:
    """Every sensor, looking that often; all of them forget nothing over a restart."""

    @dg.sensor(
        jobs=[j for j in JOBS if j.name in (PREDICT_JOB, FOLLOW_JOB)],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New odds or injury reports of games that have not begun: their date is predicted, or followed.",
    )
    def new_odds_sensor(
        context: dg.SensorEvaluationContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        seen = _read(context.cursor)
        now, requests, kept = clock(), [], {}
        for day, scheduled in open_dates(warehouse, now).items():
            arrivals = landing.arrivals(odds_api.folder(day), injury_report.folder(day))
            if arrivals is None:
                continue
            kept[day.isoformat()] = str(arrivals)
            if arrivals.is_news(str(seen.get(day.isoformat(), ""))):
                published = day in warehouse.partitions(PLAYER_PROP_PREDICTIONS)
                job = FOLLOW_JOB if scheduled and published else PREDICT_JOB
                requests.append(
                    dg.RunRequest(
                        run_key=f"odds:{day}:{arrivals}",
                        job_name=job,
                        partition_key=day.isoformat(),
                        tags={"nba_props/cause": f"{arrivals.count} payloads of {day}"},
                    )
                )
        if not requests:
            return dg.SensorResult(skip_reason="no new payload of a game that has not begun", cursor=json.dumps(kept))
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(kept))

    @dg.sensor(
        job_name=GRADE_JOB,
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New or corrected box scores: the predictions of their dates are graded.",
    )
    def new_results_sensor(
        context: dg.SensorEvaluationContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        today = game_date_of(clock())
        published = set(warehouse.partitions(PLAYER_PROP_PREDICTIONS))
        watched = {(today - timedelta(n)).isoformat() for n in range(_RESULT_DAYS + 1)}
        names: dict[str, list[str]] = {}
        for season in sorted({season_of(date.fromisoformat(d)) for d in watched}):
            for name in landing.names(nba_stats.gamelog_folder(season)):
                if name[:10] in watched and date.fromisoformat(name[:10]) in published:
                    names.setdefault(name[:10], []).append(name)
        marks = {day: _fingerprint(found) for day, found in names.items()}
        seen = _read(context.cursor)
        requests = [
            dg.RunRequest(run_key=f"results:{day}:{mark}", partition_key=day)
            for day, mark in sorted(marks.items())
            if seen.get(day) != mark
        ]
        return dg.SensorResult(
            run_requests=requests,
            cursor=json.dumps(marks),
            skip_reason=None if requests else "no new box scores of dates with predictions",
        )

    @dg.sensor(
        job_name=CAPTURE_JOB,
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="Captures odds at opening, hourly, and 60, 30 and 5 minutes before each tip-off.",
    )
    def capture_sensor(
        context: dg.SensorEvaluationContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        now = clock()
        if not settings.live.odds_key:
            return dg.SkipReason("ODDS_API_KEY is not set")
        before = datetime.fromisoformat(context.cursor) if context.cursor else now - timedelta(minutes=5)
        day = game_date_of(now)
        starts = tipoffs(warehouse, day, day).get(day, [])
        asked = capture.due(day, starts, max(before, now - _LONGEST_SILENCE), now)
        requests = [
            dg.RunRequest(
                run_key=f"capture:{d.at.isoformat()}:{d.tipoff or ''}",
                run_config={
                    "ops": {
                        "land_odds": {
                            "config": {"day": day.isoformat(), "tipoff": d.tipoff.isoformat() if d.tipoff else ""}
                        }
                    }
                },
            )
            for d in asked
        ]
        reason = None if requests else f"no capture is due; {len(starts)} games with tip-offs are known for {day}"
        return dg.SensorResult(run_requests=requests, cursor=now.isoformat(), skip_reason=reason)

    @dg.run_failure_sensor(
        default_status=default_status, minimum_interval_seconds=seconds, description="A failed run is an alert."
    )
    def run_failure_alert(context: dg.RunFailureSensorContext, alerts: dg.ResourceParam[Alerts]) -> None:
        run = context.dagster_run
        where = run.tags.get("dagster/partition") or "no partition"
        text = f"run {run.run_id} of {where}: {context.failure_event.message}"
        alerts.send(Alert("ERROR", f"run failed: {run.job_name}", text))
        for alert in check_alerts(context.instance, run):
            alerts.send(alert)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=default_status,
        minimum_interval_seconds=seconds,
        description="A failed check is an alert.",
    )
    def check_failure_alert(context: dg.RunStatusSensorContext, alerts: dg.ResourceParam[Alerts]) -> None:
        for alert in check_alerts(context.instance, context.dagster_run):
            alerts.send(alert)

    return [new_odds_sensor, new_results_sensor, capture_sensor, run_failure_alert, check_failure_alert]


def check_alerts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Alert]:
    """An alert for each check of severity ERROR that a watched run failed; warnings are for the page of the asset."""
    if run.job_name not in _WATCHED_JOBS or RANGE_START in run.tags:
        return
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        event: Any = record.dagster_event
        found = event.asset_check_evaluation_data if event else None
        if found is None or found.passed or found.severity is not dg.AssetCheckSeverity.ERROR:
            continue
        day = found.partition or run.tags.get("dagster/partition") or ""
        cause = f"check failed: {found.asset_key.to_user_string()} {found.check_name} {day}".strip()
        yield Alert("ERROR", cause, f"{found.description or 'no description'} (run {run.run_id})")


def build_schedules(default_status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """What happens at a time of day, Eastern, whatever the clocks do."""

    def today(context: dg.ScheduleEvaluationContext) -> date:
        return game_date_of(context.scheduled_execution_time)

    def partition(cron: str, name: str, job: str, back: int, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone="America/New_York",
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
            day = today(context) - timedelta(back)
            if job == TRAIN_JOB:
                day -= timedelta(day.weekday())
            key = day.isoformat()
            return dg.RunRequest(run_key=f"{name}:{key}", partition_key=key)

        return scheduled

    def simple(cron: str, name: str, job: str, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone="America/New_York",
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(
            context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
        ) -> dg.RunRequest | dg.SkipReason:
            if job in (STATS_JOB, INJURIES_JOB) and not settings.live.stats:
                return dg.SkipReason("NBA_PROPS_STATS is off")
            return dg.RunRequest(run_key=f"{name}:{context.scheduled_execution_time.isoformat()}")

        return scheduled

    return [
        simple("0 3,8 * * *", "fetch_results", STATS_JOB, "Schedule, roster, last night's box scores and corrections."),
        simple("0,15,30,45 9-22 * * *", "fetch_injury_report", INJURIES_JOB, "The official injury report."),
        partition("0 9 * * *", "morning_slate", PREDICT_JOB, 0, "Everything for today's games, before the first odds."),
        partition("30 4 * * *", "grade_last_night", GRADE_JOB, 1, "Grades of last night's predictions."),
        partition("30 12 * * *", "grade_again", GRADE_JOB, 1, "The second pass, after the league's corrections."),
        partition("0 6 * * 1", "weekly_training", TRAIN_JOB, 0, "The models of the week that begins today."),
        simple("0 5 * * *", "reconcile_nightly", RECONCILE_JOB, "Are last week's expected outputs there?"),
        simple("20 * * * *", "freshness_hourly", FRESHNESS_JOB, "Has every feed that is on spoken lately?"),
    ]
