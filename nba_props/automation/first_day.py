"""The first day of a daemon with keys and an empty home: it fetches and loads the schedule, so captures become due."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation.alerts import Alerts
from nba_props.automation.fetching import report
from nba_props.automation.jobs import HISTORY_JOB, AssetJob
from nba_props.facts.calendar import game_date_of
from nba_props.facts.tipoffs import day_bounds
from nba_props.operations import day_one
from nba_props.process.clock import Clock
from nba_props.process.revision import run_tags
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Settings
from nba_props.sources.base import START, Fetched, LiveFeeds
from nba_props.sources.nba_stats.games import games_of

FIRST_JOB = "fetch_first_day"
#: least seconds between two ticks of the sensor: on BigQuery each is a query
_SECONDS = 60


@dg.op(pool="nba_stats")
def land_first_day(
    context: dg.OpExecutionContext,
    settings: dg.ResourceParam[Settings],
    feeds: dg.ResourceParam[LiveFeeds],
    alerts: dg.ResourceParam[Alerts],
) -> None:
    """Land what a first prediction needs from stats.nba.com and the injury report."""
    total = Fetched()
    plan = day_one.plan(settings, feeds, odds=False)
    for step, done in day_one.fetch(plan.steps, lambda step: context.log.info(step.name)):
        context.log.info(f"{step.name}: {len(done.landed)} payloads landed")
        total.add(done)
    report(context, alerts, "first day", total)


@dg.job(
    tags=run_tags(),
    name=FIRST_JOB,
    description="Fetches schedules, rosters, the box scores that models and identities need, and the injury report, "
    "unless they are landed already; spends no credits.",
)
def first_job() -> None:
    """Land what a first prediction needs."""
    land_first_day()


def due(inputs: Inputs, day: date) -> dg.RunRequest | dg.SkipReason:
    """The run that a day without a schedule needs, once a day: fetching its payloads, or loading them."""
    if inputs.landing.exists() and inputs.landing.is_simulated:
        return dg.SkipReason("a simulated league has no feeds")
    known = inputs.warehouse.partitions(SCHEDULE)
    if known and known[-1] >= day - timedelta(1):
        return dg.SkipReason(f"the schedule is loaded through {known[-1]}: morning_slate loads the next dates")
    if games_of(inputs.landing, _noon(day)) is not None:
        return dg.RunRequest(run_key=f"schedule:{day}", job_name=HISTORY_JOB, partition_key=day.isoformat())
    if not inputs.settings.live.stats:
        return dg.SkipReason(f"no schedule of {day} is landed: NBA_PROPS_STATS=on, and `{START}`")
    return dg.RunRequest(run_key=f"first:{day}", job_name=FIRST_JOB)


def _noon(day: date) -> datetime:
    return day_bounds(day)[0] + timedelta(hours=12)


def build_first_day_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor that gets a schedule if there is none."""

    @dg.sensor(
        jobs=[first_job, next(j for j in jobs if j.name == HISTORY_JOB)],
        minimum_interval_seconds=max(seconds, _SECONDS),
        default_status=default_status,
        description="While there is no schedule of today: fetches once a day what a first prediction needs, and loads "
        "the schedule, so that captures become due.",
    )
    def first_day_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.RunRequest | dg.SkipReason:
        return due(inputs.fresh(), game_date_of(clock()))

    return first_day_sensor
