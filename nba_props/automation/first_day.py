"""A daemon that was started with keys and nothing else: the schedule, without which nothing is due, is brought."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation.alerts import Alerts
from nba_props.automation.fetching import tell
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
#: seconds between two looks at least: on BigQuery each is a query
_SECONDS = 60


@dg.op(pool="nba_stats")
def land_first_day(
    context: dg.OpExecutionContext,
    settings: dg.ResourceParam[Settings],
    feeds: dg.ResourceParam[LiveFeeds],
    alerts: dg.ResourceParam[Alerts],
) -> None:
    """Land what a first prediction needs of stats.nba.com and the injury report."""
    total = Fetched()
    plan = day_one.plan(settings, feeds, odds=False)
    for step, done in day_one.take(plan.steps, lambda step: context.log.info(step.name)):
        context.log.info(f"{step.name}: {len(done.landed)} payloads landed")
        total.add(done)
    tell(context, alerts, "first day", total)


@dg.job(
    tags=run_tags(),
    name=FIRST_JOB,
    description="Schedules, rosters, the box scores that models and identities need, and the injury report, as far as "
    "they are not landed; no credit is spent.",
)
def first_job() -> None:
    """What a first prediction needs, into the landing zone."""
    land_first_day()


def due(inputs: Inputs, day: date) -> dg.RunRequest | dg.SkipReason:
    """What is missing on a day whose schedule nobody has: its payloads, or that they are taken in; once a day each."""
    if inputs.landing.exists() and inputs.landing.is_simulated:
        return dg.SkipReason("an invented league asks no feed")
    known = inputs.warehouse.partitions(SCHEDULE)
    if known and known[-1] >= day - timedelta(1):
        return dg.SkipReason(f"the schedule is taken in through {known[-1]}: morning_slate goes on with it")
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
    """The sensor that brings a schedule where there is none."""

    @dg.sensor(
        jobs=[first_job, next(j for j in jobs if j.name == HISTORY_JOB)],
        minimum_interval_seconds=max(seconds, _SECONDS),
        default_status=default_status,
        description="A home without a schedule of today: what a first prediction needs is fetched once a day, and the "
        "schedule is taken in, so that captures become due.",
    )
    def first_day_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.RunRequest | dg.SkipReason:
        return due(inputs.fresh(), game_date_of(clock()))

    return first_day_sensor
