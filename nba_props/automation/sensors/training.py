"""The training of the week's models: a sensor loads their training data, and schedules train once these are loaded."""

from collections.abc import Sequence
from datetime import date, time, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import TIMEZONE
from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB, PAST_JOB, ROSTERS_JOB, TRAIN_JOB, AssetJob
from nba_props.automation.planning import RUN_DATES, untrained
from nba_props.automation.planning import preparation as needed_first
from nba_props.automation.preparing import Preparation
from nba_props.automation.ranges import dates_in, dates_of
from nba_props.automation.sensors.asking import AFTER_TONIGHT, has_games, run_over, week_dates
from nba_props.domain.models.card import week_of
from nba_props.facts.calendar import EASTERN, game_date_of, spans
from nba_props.facts.calendar import days as dates_between
from nba_props.process.clock import Clock

#: the tag of runs that load training data: the date on which they were requested
PREPARES_TAG = "nba_props/prepares"
#: training data are loaded from this time on, Eastern: by then a schedule has loaded last night's results
_PREPARED_FROM = time(5)
_PREPARE_SECONDS = 600
_NO_GAMES = "no game is scheduled in the week, so it needs no models"


def to_prepare(preparation: Preparation, instance: dg.DagsterInstance, today: date) -> list[dg.RunRequest] | None:
    """The runs that load the training data of this week's models and were not requested yet today; None while such runs
    are active.

    They are of the first job that is due, because the later ones depend on its result. Dates whose runs failed today
    are left out, so the models learn from the rest.
    """
    inputs = preparation.inputs
    if inputs.landing.is_simulated:
        return []  # a simulated league has no current week: commands load what they need
    # runs of yesterday may still be active
    asked_on = [today.isoformat(), (today - timedelta(1)).isoformat()]
    runs = instance.get_runs(dg.RunsFilter(tags={PREPARES_TAG: asked_on}))
    if any(not run.is_finished for run in runs):
        return None
    tried = {(run.job_name, dates_of(run)) for run in runs if run.tags[PREPARES_TAG] == today.isoformat()}
    week = week_of(today)
    found: list[dg.RunRequest] = []
    for job, start, end in needed_first(preparation.definitions(), inputs.fresh(), [week], [week]):
        if found and found[0].job_name != job:
            break
        # tonight's runs do not wait for a whole season
        pieces = spans(dates_between(start, end), longest=RUN_DATES)
        requests = [_preparing(job, first, last, today) for first, last in pieces]
        found += [r for r in requests if (job, dates_in(r.tags, r.partition_key)) not in tried]
    return found


def _preparing(job: str, first: date, last: date, today: date) -> dg.RunRequest:
    return run_over(job, first, last, f"prepare:{today}", {PREPARES_TAG: today.isoformat(), **AFTER_TONIGHT})


def build_training_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor that loads training data."""

    @dg.sensor(
        jobs=[j for j in jobs if j.name in (PAST_JOB, HISTORY_JOB, ROSTERS_JOB, LINES_JOB)],
        minimum_interval_seconds=max(seconds, _PREPARE_SECONDS),
        default_status=default_status,
        description="Loads what was landed for the week's models to learn from, before they are trained.",
    )
    def training_inputs_sensor(
        context: dg.SensorEvaluationContext,
        inputs: dg.ResourceParam[Inputs],
        preparation: dg.ResourceParam[Preparation],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        if clock().astimezone(EASTERN).time() < _PREPARED_FROM:
            return dg.SkipReason(f"waits until {_PREPARED_FROM:%H:%M} Eastern, when last night's results are there")
        today = game_date_of(clock())
        if not has_games(inputs, week_dates(today)):
            return dg.SkipReason(_NO_GAMES)
        asked = to_prepare(preparation, context.instance, today)
        if not asked:
            return dg.SkipReason(
                "no training data are left to load" if asked is not None else "the training data are being loaded"
            )
        return dg.SensorResult(run_requests=asked)

    return training_inputs_sensor


def training_schedule(
    cron: str, name: str, description: str, default_status: dg.DefaultScheduleStatus, *, only_stale: bool
) -> dg.ScheduleDefinition:
    """A schedule that trains the week's models."""

    @dg.schedule(
        name=name, cron_schedule=cron, job_name=TRAIN_JOB, execution_timezone=TIMEZONE,
        default_status=default_status, description=description,
    )  # fmt: skip
    def scheduled(
        context: dg.ScheduleEvaluationContext,
        inputs: dg.ResourceParam[Inputs],
        preparation: dg.ResourceParam[Preparation],
    ) -> dg.RunRequest | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        day = game_date_of(context.scheduled_execution_time)
        week = week_of(day)
        if not has_games(inputs, week_dates(day)):
            return dg.SkipReason(_NO_GAMES)
        if to_prepare(preparation, context.instance, day) != []:
            return dg.SkipReason("the training data are loaded first: see training_inputs_sensor")
        if only_stale and not untrained(inputs.fresh(), [week]):
            return dg.SkipReason("the week's models are trained on what is stored now")
        return dg.RunRequest(run_key=f"{name}:{day}", partition_key=week.isoformat())

    return scheduled
