"""What the week's models learn from is taken in first, and they are trained once it is."""

from collections.abc import Sequence
from datetime import date, time, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB, PAST_JOB, ROSTERS_JOB, TRAIN_JOB, AssetJob
from nba_props.automation.planning import preparation as needed_first
from nba_props.automation.planning import untrained
from nba_props.automation.preparing import Preparation
from nba_props.automation.sensors.asking import AFTER_TONIGHT, dates_in, dates_of, has_games, run_over, week_dates
from nba_props.domain.models.card import week_of
from nba_props.facts.calendar import EASTERN, game_date_of, spans
from nba_props.facts.calendar import days as dates_between
from nba_props.process.clock import Clock

#: the tag of runs that take in what models learn from: the date that asked for them
PREPARES_TAG = "nba_props/prepares"
#: from then on, Eastern, a day looks for what models learn from: last night's results have been taken in by the clock
_PREPARED_FROM = time(5)
_PREPARE_SECONDS = 600
#: dates of one such run at most, so that tonight's do not wait for a whole season
_PREPARED_TOGETHER = 31
_NO_GAMES = "no game is scheduled in the week, so that it needs no models"


def to_prepare(preparation: Preparation, instance: dg.DagsterInstance, today: date) -> list[dg.RunRequest] | None:
    """The runs that take in what this week's models learn from, as far as today has not tried them yet.

    Those of the first job that is due, since what the others have to do depends on it; None while such runs are under
    way. What was tried and is not taken in all the same does not keep the models from learning from the rest.
    """
    inputs = preparation.inputs
    if inputs.landing.is_simulated:
        return []  # an invented league has no week of its own: commands take in what they need
    # those of yesterday may still be under way
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
        pieces = spans(dates_between(start, end), longest=_PREPARED_TOGETHER)
        requests = [_preparing(job, first, last, today) for first, last in pieces]
        found += [r for r in requests if (job, dates_in(r.tags, r.partition_key)) not in tried]
    return found


def _preparing(job: str, first: date, last: date, today: date) -> dg.RunRequest:
    return run_over(job, first, last, f"prepare:{today}", {PREPARES_TAG: today.isoformat(), **AFTER_TONIGHT})


def build_training_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor that has taken in what models learn from."""

    @dg.sensor(
        jobs=[j for j in jobs if j.name in (PAST_JOB, HISTORY_JOB, ROSTERS_JOB, LINES_JOB)],
        minimum_interval_seconds=max(seconds, _PREPARE_SECONDS),
        default_status=default_status,
        description="Takes in what was landed for the week's models to learn from, before they are trained.",
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
            return dg.SkipReason(f"last night's results come first: from {_PREPARED_FROM:%H:%M} Eastern on")
        today = game_date_of(clock())
        if not has_games(inputs, week_dates(today)):
            return dg.SkipReason(_NO_GAMES)
        asked = to_prepare(preparation, context.instance, today)
        if not asked:
            return dg.SkipReason("nothing is to be taken in" if asked is not None else "it is being taken in")
        return dg.SensorResult(run_requests=asked)

    return training_inputs_sensor


def training_schedule(
    cron: str, name: str, description: str, default_status: dg.DefaultScheduleStatus, *, only_stale: bool
) -> dg.ScheduleDefinition:
    """A schedule of the week's models."""

    @dg.schedule(
        name=name, cron_schedule=cron, job_name=TRAIN_JOB, execution_timezone="America/New_York",
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
            return dg.SkipReason("what the models learn from is taken in first: see training_inputs_sensor")
        if only_stale and not untrained(inputs.fresh(), [week]):
            return dg.SkipReason("the week's models learned from what is stored now")
        return dg.RunRequest(run_key=f"{name}:{day}", partition_key=week.isoformat())

    return scheduled
