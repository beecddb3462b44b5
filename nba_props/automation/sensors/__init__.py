"""Sensors and schedules: captures when they are due, predictions after new payloads, grades after results, alerts.

Belongs here: when a run starts, and over which dates. Not here: what it does (jobs.py), and what is missing or stale
(planning.py).

Cursor sensors and not declarative automation, for three reasons measured on this version: they request any date, not
only the newest window; a tick is a pure function of landing zone and cursor; and blocking checks are in the same run
as what they block.
"""

from collections.abc import Sequence

import dagster as dg

from nba_props.automation.first_day import build_first_day_sensor
from nba_props.automation.jobs import AssetJob
from nba_props.automation.sensors.captures import build_capture_sensors
from nba_props.automation.sensors.failures import build_failure_sensors
from nba_props.automation.sensors.news import build_news_sensor
from nba_props.automation.sensors.pages import build_pages_sensor
from nba_props.automation.sensors.results import build_results_sensor
from nba_props.automation.sensors.schedules import build_schedules
from nba_props.automation.sensors.training import build_training_sensor

__all__ = ["build_schedules", "build_sensors"]


def build_sensors(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> list[dg.SensorDefinition]:
    """Every sensor, with ticks at least so many seconds apart; all keep their state over a restart.

    ``jobs`` are the jobs of assets.
    """
    return [
        build_news_sensor(default_status, seconds, jobs),
        build_results_sensor(default_status, seconds, jobs),
        *build_capture_sensors(default_status, seconds),
        build_first_day_sensor(default_status, seconds, jobs),
        build_training_sensor(default_status, seconds, jobs),
        build_pages_sensor(default_status, seconds, jobs),
        *build_failure_sensors(default_status, seconds),
    ]
