"""The sensor of new and corrected box scores: it grades the predictions of their dates, or loads dates without any."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation.jobs import GRADE_JOB, HISTORY_JOB, AssetJob
from nba_props.automation.sensors.asking import AFTER_TONIGHT, days_off, fingerprint, marks_of, run_over
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import game_date_of, season_start, spans
from nba_props.operations.freshness import tipoffs
from nba_props.process.clock import Clock
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import BOX_SCORES, SCHEDULE
from nba_props.warehouse.base import Warehouse

#: past dates whose game logs are watched for results and corrections
_RESULT_DAYS = 14
#: the beginning of the mark of a date whose results were loaded without predictions to grade; cursors have it
_LOADED = "taken in:"
#: the mark of a date whose games have no game log yet
_AWAITED = "awaited"


def on_results(seen: dict[str, str], inputs: Inputs, today: date) -> dg.SensorResult:
    """The runs of dates whose box scores are new or corrected, as few as possible and after tonight's.

    They grade each date's predictions. A date without predictions, a day off included, is loaded if it is not yet, as
    part of the history of later dates. ``seen`` are the marks of the last tick.
    """
    warehouse = inputs.warehouse
    published = set(warehouse.partitions(LEDGER))
    back = (today - timedelta(n) for n in range(_RESULT_DAYS + 1))
    watched = {d.isoformat(): d for d in back if d in published or inputs.settings.first_date <= d < today}
    landed = inputs.payloads(BOX_SCORES, list(watched.values()))
    names = {day: list(landed[d]) for day, d in watched.items() if landed.get(d)}
    # a schedule of the clock loads yesterday; whether an older date is a day off is looked up once
    older = {d for d in watched.values() if season_start(today) <= d < today - timedelta(1)} - published
    without = {d.isoformat() for d in older} - set(names)
    off = days_off(inputs, sorted(watched[day] for day in without if day not in seen))
    names |= {d.isoformat(): [] for d in off or ()}
    jobs = {day: GRADE_JOB if watched[day] in published else HISTORY_JOB for day in names}
    marks = {day: fingerprint(found) for day, found in names.items()}
    # a date that is published after its results were loaded has no grades yet
    marks |= {day: _LOADED + marks[day] for day, job in jobs.items() if job == HISTORY_JOB}
    news = [day for day in sorted(marks, reverse=True) if seen.get(day) != marks[day]]
    # at the first tick many dates are new; those whose results were loaded and graded are done
    first_tick = {watched[day] for day in news if seen.get(day, _LOADED).startswith(_LOADED)}
    known = (set(warehouse.partitions(PREDICTION_ACCURACY)) & first_tick) | {
        watched[day] for day in news if jobs[day] == HISTORY_JOB
    }
    done = {d.isoformat() for d in known - inputs.not_loaded(BOX_SCORES, sorted(known))}
    asked = [day for day in news if day not in done]
    kept = dict(marks)
    looked_up = without - set(names) if off is not None else without & set(seen)
    kept |= {day: seen.get(day, _AWAITED) for day in looked_up}
    cause = f"results:{fingerprint([f'{day} {marks[day]}' for day in sorted(asked)])}"
    return dg.SensorResult(
        run_requests=_runs(warehouse, {watched[day]: jobs[day] for day in asked}, published, cause),
        cursor=json.dumps(kept),
        skip_reason=None if asked else "no new box scores of dates with predictions, and none left to load",
    )


def _runs(
    warehouse: Warehouse, asked: Mapping[date, str], published: Collection[date], cause: str
) -> list[dg.RunRequest]:
    """The runs of some dates, each with its job."""
    days = {job: [day for day, own in asked.items() if own == job] for job in (HISTORY_JOB, GRADE_JOB)}
    graded = _to_grade(warehouse, days[GRADE_JOB], published)
    return [
        run_over(job, first, last, cause, AFTER_TONIGHT)
        for job, together in ((HISTORY_JOB, spans(days[HISTORY_JOB])), (GRADE_JOB, graded))
        for first, last in together
    ]


def _to_grade(warehouse: Warehouse, days: Sequence[date], published: Collection[date]) -> list[tuple[date, date]]:
    """The dates to grade in as few spans as possible; dates in between are days off, or have predictions too.

    A date that may yet be predicted is not graded: an empty partition would count as its grades.
    """
    if len(days) < 2:
        return spans(days)
    playing = tipoffs(warehouse, min(days), max(days))
    known = set(warehouse.partitions(SCHEDULE))
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        between = dates_between(found[-1][1], day)[1:-1] if found else []
        if found and all(d in published or (d in known and d not in playing) for d in between):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def build_results_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor of new box scores."""

    @dg.sensor(
        jobs=[j for j in jobs if j.name in (GRADE_JOB, HISTORY_JOB)],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New or corrected box scores: the predictions of their dates are graded, many dates in one run, "
        "after tonight's; those of other dates are loaded, as history for later dates.",
    )
    def new_results_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        return on_results(marks_of(context.cursor), inputs.fresh(), game_date_of(clock()))

    return new_results_sensor
