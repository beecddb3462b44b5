"""Sensors and schedules: captures when they are due, predictions after new payloads, grades after results, alerts.

Belongs here: when a run starts, and over which dates. Not here: what it does (jobs.py), and what is missing or stale
(planning.py).

What starts a run is the idiom that fits its cause:

* **Nothing** for views: they are virtual assets, always as new as their tables.
* **A condition of the asset** (``conditions.py``) where its dependencies in Dagster are all that it waits for, and one
  run is right however many of them changed: the pages that gather dates.
* **A schedule** for an hour of the day that a person or the league sets: slate, second grades, training, audits.
* **A sensor** with a cursor for everything else, because a condition would lose what tests hold:

  * New payloads are not an asset's materialization: their arrivals are compared by name, the debounce of a slate that
    changes all evening, and a lost cursor asks for runs that the daemon knows by their keys.
  * Any date is asked for, not the newest window, and only one whose history is complete; a tick asks for a few.
  * One run makes a date: a blocking check stops what is downstream in its own run, and not in another one.
  * Captures cost credits, so they are due by tip-offs and bounded by a gap, not by what is stale.
  * Grades are one run over many dates. Scoreboards belong to it, and to ``nba-props grade`` without a daemon. Those of
    later dates sum it too, and no mapping of partitions says "all of the season so far" without drawing
    a season into every range, so ``backfill`` finds them by their digests.
  * The pages of dates are those of the newest fortnight *of a run*, so that a backfill asks for no season of pages,
    and a corrected date of last month gets its own; a condition knows the newest fortnight of the calendar alone.
"""

from collections.abc import Sequence

import dagster as dg

from nba_props.automation.first_day import build_first_day_sensor
from nba_props.automation.jobs import AssetJob
from nba_props.automation.sensors.captures import build_capture_sensors
from nba_props.automation.sensors.conditions import build_condition_sensor
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
        build_condition_sensor(default_status, seconds),
        *build_failure_sensors(default_status, seconds),
    ]
