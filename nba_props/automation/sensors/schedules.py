"""Schedules at times of day, Eastern, on both sides of daylight saving time."""

from datetime import timedelta

import dagster as dg

from nba_props.assets.partitions import TIMEZONE
from nba_props.automation.audit import AUDIT_JOB
from nba_props.automation.jobs import FRESHNESS_JOB, GRADE_JOB, PREDICT_JOB
from nba_props.automation.reconcile import RECONCILE_JOB
from nba_props.automation.sensors.captures import build_fetch_schedules
from nba_props.automation.sensors.training import training_schedule
from nba_props.facts.calendar import game_date_of


def build_schedules(default_status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """Every schedule."""

    def at(cron: str, name: str, job: str, description: str, back: int | None = None) -> dg.ScheduleDefinition:
        """A schedule of a job without partitions or, with ``back``, of the date so many days before its tick."""

        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone=TIMEZONE,
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
            tick = context.scheduled_execution_time
            if back is None:
                return dg.RunRequest(run_key=f"{name}:{tick.isoformat()}")
            key = (game_date_of(tick) - timedelta(back)).isoformat()
            return dg.RunRequest(run_key=f"{name}:{key}", partition_key=key)

        return scheduled

    return [
        *build_fetch_schedules(default_status),
        at("0 9 * * *", "morning_slate", PREDICT_JOB, "Everything for today's games, before the first odds.", back=0),
        at("30 4 * * *", "grade_last_night", GRADE_JOB, "Grades of last night's predictions.", back=1),
        at("30 12 * * *", "grade_again", GRADE_JOB, "The second pass, after the league's corrections.", back=1),
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
        at("0 5 * * *", "reconcile_nightly", RECONCILE_JOB, "Are last week's expected outputs complete?"),
        at("20 * * * *", "freshness_hourly", FRESHNESS_JOB, "Is every enabled feed fresh, has tonight odds?"),
        at("40 * * * *", "ledger_audit_hourly", AUDIT_JOB, "Are ledger and archive unchanged and valid?"),
    ]  # fmt: skip
