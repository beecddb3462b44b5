"""The sensor of the site: the pages of a date are made after what they show was published or graded.

What gathers dates has a condition of its own (``conditions.py``).
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from nba_props.assets.site import SLATE_PAGE
from nba_props.automation.jobs import FOLLOW_JOB, GRADE_JOB, PREDICT_JOB, RELINE_JOB, SITE_JOB, AssetJob
from nba_props.automation.ranges import dates_of
from nba_props.automation.sensors.asking import AFTER_TONIGHT, run_over
from nba_props.facts.calendar import parse_day

#: the newest dates of a run whose pages are made; a backfill of a season asks for no season of pages
_NEWEST = timedelta(13)
_JOBS = (PREDICT_JOB, FOLLOW_JOB, GRADE_JOB, RELINE_JOB)


def build_pages_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor that makes pages after runs that published or graded their dates."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[j for j in jobs if j.name in _JOBS],
        request_jobs=[j for j in jobs if j.name == SITE_JOB],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="After predictions or grades the pages of their dates are made, those of a long run for its newest "
        "fourteen dates.",
    )
    def pages_sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        if not (text := dates_of(run)):
            return dg.SkipReason(f"run {run.run_id} has no dates")
        start, _, end = text.partition("..")
        first, last = parse_day(start), parse_day(end or start)
        cause = f"pages:{run.run_id}"
        return run_over(SITE_JOB, max(first, last - _NEWEST), last, cause, AFTER_TONIGHT, only=[SLATE_PAGE])

    return pages_sensor
