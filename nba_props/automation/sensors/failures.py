"""Sensors that turn failed runs and failed checks into alerts."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from nba_props.automation.alerts import Alert, Alerts
from nba_props.automation.jobs import FOLLOW_JOB, FRESHNESS_JOB, GRADE_JOB, PREDICT_JOB
from nba_props.automation.ranges import RANGE_START, dates_of
from nba_props.checks.freshness import FRESHNESS, TONIGHT
from nba_props.process.revision import COMMAND_TAG

#: checks whose warnings are alerts, too
ALERTING_WARNINGS = ("covers_slate", "model_is_in_force", "names_resolved")
#: checks that a night has odds: their failures are one cause for each date, so one alert
_NO_ODDS = ("games_have_quotes", TONIGHT)
#: Dagster's tag of runs that a sensor asked for
_SENSOR_TAG = "dagster/sensor_name"
#: jobs whose failed checks are alerts; a person who started a run sees them without one
_WATCHED_JOBS = (PREDICT_JOB, FOLLOW_JOB, GRADE_JOB, FRESHNESS_JOB)


def check_alerts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Alert]:
    """An alert for each check of severity ERROR that a watched run failed, and one for all warnings that are alerts.

    Other warnings are only on the asset's page.
    """
    by_hand = COMMAND_TAG in run.tags or (RANGE_START in run.tags and _SENSOR_TAG not in run.tags)
    if run.job_name not in _WATCHED_JOBS or by_hand:
        return
    warned: dict[str, list[str]] = {}
    day = dates_of(run)
    events: list[Any] = [
        r.dagster_event for r in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    ]
    failed = [e.asset_check_evaluation_data for e in events if e and not e.asset_check_evaluation_data.passed]
    if RANGE_START in run.tags:  # each date has an evaluation of its own
        failed = [f for f in failed if f.partition]
    without_odds = {f.asset_key for f in failed if f.check_name == TONIGHT}
    for found in failed:
        if found.check_name == FRESHNESS and found.asset_key in without_odds:
            continue  # the alert of a night without any odds is enough
        asset, name = found.asset_key.to_user_string(), found.check_name
        text = f"{found.description or 'no description'} (run {run.run_id})"
        if name in _NO_ODDS and (name == TONIGHT or found.severity is dg.AssetCheckSeverity.ERROR):
            night = found.partition or day or found.metadata["game_date"].value
            yield Alert(found.severity.value, f"no odds: {night}", text)
        elif found.severity is dg.AssetCheckSeverity.ERROR:
            cause = f"check failed: {asset} {name} {found.partition or day}".strip()
            yield Alert("ERROR", cause, text)
        elif name in ALERTING_WARNINGS:
            warned.setdefault(name, []).append(f"{asset} {name}: {text}")
    if warned:
        text = "\n".join(line for lines in warned.values() for line in lines)
        yield Alert("WARN", f"checks warn: {', '.join(sorted(warned))} {day}".strip(), text)


def build_failure_sensors(default_status: dg.DefaultSensorStatus, seconds: int) -> list[dg.SensorDefinition]:
    """The sensors of finished runs."""

    @dg.run_failure_sensor(
        default_status=default_status, minimum_interval_seconds=seconds, description="A failed run is an alert."
    )
    def run_failure_alert(context: dg.RunFailureSensorContext, alerts: dg.ResourceParam[Alerts]) -> None:
        run = context.dagster_run
        if COMMAND_TAG in run.tags:
            return  # the person who typed the command has seen it
        dates = dates_of(run)
        text = f"run {run.run_id} of {dates or 'no partition'}: {context.failure_event.message}"
        alerts.send(Alert("ERROR", f"run failed: {run.job_name} {dates}".strip(), text))
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

    return [run_failure_alert, check_failure_alert]
