"""Schedules at times of day, Eastern, on both sides of daylight saving time."""

from datetime import timedelta

import dagster as dg

from nba_props.automation.audit import AUDIT_JOB
from nba_props.automation.jobs import FRESHNESS_JOB, GRADE_JOB, PREDICT_JOB
from nba_props.automation.reconcile import RECONCILE_JOB
from nba_props.automation.sensors.captures import build_fetch_schedules
from nba_props.automation.sensors.training import training_schedule
from nba_props.facts.calendar import game_date_of

_EASTERN = "America/New_York"


def build_schedules(default_status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """Every schedule."""

    def dated(cron: str, name: str, job: str, back: int, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone=_EASTERN,
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
            key = (game_date_of(context.scheduled_execution_time) - timedelta(back)).isoformat()
            return dg.RunRequest(run_key=f"{name}:{key}", partition_key=key)

        return scheduled

    def undated(cron: str, name: str, job: str, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone=_EASTERN,
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
            return dg.RunRequest(run_key=f"{name}:{context.scheduled_execution_time.isoformat()}")

        return scheduled

    return [
        *build_fetch_schedules(default_status),
        dated("0 9 * * *", "morning_slate", PREDICT_JOB, 0, "Everything for today's games, before the first odds."),
        dated("30 4 * * *", "grade_last_night", GRADE_JOB, 1, "Grades of last night's predictions."),
        dated("30 12 * * *", "grade_again", GRADE_JOB, 1, "The second pass, after the league's corrections."),
        training_schedule(
            "0 6 * * 1", "weekly_training", "The models of the week that begins today.", default_status,
            only_stale=False,
        ),
        training_schedule(
            "45 8 * * *",
            "train_again",
            "The week's models again, if their training data were corrected since or arrived too late for them.",
            default_status,
            only_stale=True,
        ),
        undated("0 5 * * *", "reconcile_nightly", RECONCILE_JOB, "Are last week's expected outputs complete?"),
        undated("20 * * * *", "freshness_hourly", FRESHNESS_JOB, "Is every enabled feed fresh, has tonight odds?"),
        undated("40 * * * *", "ledger_audit_hourly", AUDIT_JOB, "Are ledger and archive unchanged and valid?"),
    ]  # fmt: skip
