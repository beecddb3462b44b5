"""Sensors and schedules that start the jobs of feeds, by the night's tip-offs or by the time of day."""

from datetime import timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import TIMEZONE
from nba_props.automation.sensors.asking import has_games, instant_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import game_date_of
from nba_props.facts.tipoffs import Tipoffs
from nba_props.operations.freshness import tipoffs
from nba_props.process.clock import Clock
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.sources.base import START, Captures, Feed, Timetable
from nba_props.warehouse.base import Warehouse

#: captures that were missed longer ago are not made up for
_LONGEST_GAP = timedelta(hours=12)
#: the time before a sensor's first tick that the tick covers
_FIRST_TICK = timedelta(minutes=5)


def build_capture_sensors(default_status: dg.DefaultSensorStatus, seconds: int) -> list[dg.SensorDefinition]:
    """The sensors of feeds whose captures follow the night's tip-offs."""
    return [_sensor(feed, feed.job.captures, default_status, seconds) for feed in registry.feeds() if feed.job.captures]


def _sensor(
    feed: Feed, captures: Captures, default_status: dg.DefaultSensorStatus, seconds: int
) -> dg.SensorDefinition:
    @dg.sensor(
        name=captures.name,
        job_name=feed.job.name,
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description=captures.description,
    )
    def look(
        context: dg.SensorEvaluationContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        now = clock()
        if not feed.switch.is_on(settings.live):
            return dg.SkipReason(feed.switch.off)
        since = max(instant_of(context.cursor) or now - _FIRST_TICK, now - _LONGEST_GAP)
        day = game_date_of(now)
        tonight = tipoffs(warehouse, day, day).get(day, Tipoffs(day))
        requests = [
            dg.RunRequest(
                run_key=f"capture:{asked.key}",
                run_config={"ops": {feed.job.step: {"config": dict(asked.arguments)}}},
            )
            for asked in captures.due(settings.live, tonight, since, now)
        ]
        reason = None if requests else f"no capture is due; {tonight.games} games are known for {day}"
        if reason and not tonight.games and day not in warehouse.partitions(SCHEDULE):
            reason = f"the schedule of {day} is not loaded, so no capture is known to be due: type `{START}`"
        return dg.SensorResult(run_requests=requests, cursor=now.isoformat(), skip_reason=reason)

    return look


def build_fetch_schedules(default_status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """The schedules of feeds that are fetched at times of the day."""
    return [_schedule(feed, feed.job.timetable, default_status) for feed in registry.feeds() if feed.job.timetable]


def _schedule(feed: Feed, times: Timetable, default_status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=times.name, cron_schedule=times.cron, job_name=feed.job.name, execution_timezone=TIMEZONE,
        default_status=default_status, description=times.description,
    )  # fmt: skip
    def scheduled(
        context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings], inputs: dg.ResourceParam[Inputs]
    ) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        if not feed.switch.is_on(settings.live):
            return dg.SkipReason(feed.switch.off)
        today = game_date_of(at)
        if times.games_within and not has_games(
            inputs, dates_between(today, today + timedelta(times.games_within - 1))
        ):
            return dg.SkipReason(times.idle)
        return dg.RunRequest(run_key=f"{times.name}:{at.isoformat()}")

    return scheduled
