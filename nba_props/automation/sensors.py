"""What happens by itself: captures when they are due, predictions after new payloads, grades after results, alerts.

Cursor sensors and not declarative automation, for three reasons measured on this version: they ask for any date, not
only the newest window; a tick is a pure function of landing zone and cursor; and the checks that block stand in the
same run as what they block.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import daily_partitions
from nba_props.assets.raw import ODDS_FILES, STATS_FILES
from nba_props.assets.tables import asset_key
from nba_props.automation.alerts import Alert, Alerts
from nba_props.automation.audit import AUDIT_JOB
from nba_props.automation.fetching import CAPTURE_JOB, INJURIES_JOB, STATS_JOB
from nba_props.automation.first_day import START, build_first_day_sensor
from nba_props.automation.jobs import (
    FOLLOW_JOB,
    FRESHNESS_JOB,
    GRADE_JOB,
    HISTORY_JOB,
    JOBS,
    LINES_JOB,
    PAST_JOB,
    PREDICT_JOB,
    ROSTERS_JOB,
    TRAIN_JOB,
)
from nba_props.automation.planning import preparation, untrained
from nba_props.automation.reconcile import RECONCILE_JOB
from nba_props.automation.runner import RANGE_END, RANGE_START
from nba_props.checks.freshness import FRESHNESS, TONIGHT, Tipoffs, tipoffs
from nba_props.checks.partitioned import Scope
from nba_props.checks.rules import HISTORY_COMPLETE
from nba_props.domain.systems.trained import week_of
from nba_props.facts.calendar import EASTERN, game_date_of, parse_instant, season_of, season_start, spans
from nba_props.facts.calendar import days as dates_between
from nba_props.operations.remediation import own_dates
from nba_props.revision import COMMAND_TAG
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import BOX_SCORES, ODDS_QUOTES, SCHEDULE
from nba_props.settings import Settings
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.sources.odds_api import capture
from nba_props.storage.landing import Arrivals, LandingError, LandingZone
from nba_props.warehouse.base import Warehouse

Clock = Callable[[], datetime]


#: past dates whose game logs are watched for results and corrections
_RESULT_DAYS = 14
#: how the mark of results begins that were only taken in, for want of predictions to grade
_TAKEN_IN = "taken in:"
#: the mark of a date whose games have no game log yet
_AWAITED = "awaited"
#: a silence of captures longer than this is not caught up with
_LONGEST_SILENCE = timedelta(hours=12)
#: dates around today whose odds start runs by themselves; those of any other date are `nba-props backfill`'s
_BACK, _AHEAD = timedelta(14), timedelta(7)
#: runs of other dates than tonight's that one look asks for at most
_OTHERS_A_TICK = 3
#: the tag of runs that take in what models learn from: the date that asked for them
PREPARES_TAG = "nba_props/prepares"
#: from then on, Eastern, a day looks for what models learn from: last night's results have been taken in by the clock
_PREPARED_FROM = time(5)
_PREPARE_SECONDS = 600
#: dates of one such run at most, so that tonight's do not wait for a whole season
_PREPARED_TOGETHER = 31
#: the queue takes the higher number first
_TONIGHT_FIRST, _AFTER_TONIGHT = {"dagster/priority": "10"}, {"dagster/priority": "-1"}
#: checks of severity WARN that are worth a person's look, and so an alert
ALERTING_WARNINGS = ("covers_slate", "model_is_in_force", "names_resolved")
_NO_GAMES = "no game is scheduled in the week, so that it needs no models"
#: checks that a night lacks odds: one cause for each date, whoever notices first
_NO_ODDS = ("games_have_quotes", TONIGHT)
#: Dagster's tag of runs that a sensor asked for
_SENSOR_TAG = "dagster/sensor_name"
#: jobs whose failing checks are alerts; those of a command, and of a span by clicks, are their
#: author's to read
_WATCHED_JOBS = (PREDICT_JOB, FOLLOW_JOB, GRADE_JOB, FRESHNESS_JOB)


def _fingerprint(names: list[str]) -> str:
    """A hash of names: payloads are written once, so a new one is a new name."""
    return hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()


def _read(cursor: str | None) -> dict[str, str]:
    """The cursor's marks by date; an unreadable one is an empty one, whose requests are known by their run keys."""
    try:
        found = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _instant(cursor: str | None) -> datetime | None:
    """The cursor of a sensor of the clock; None for none, and for one that somebody made unreadable in the UI."""
    try:
        return parse_instant(cursor) if cursor else None
    except ValueError:
        return None


def open_dates(inputs: Inputs, now: datetime) -> dict[date, bool]:
    """Today, if a game of it may still begin or its schedule is unknown, and whether a tip-off is known.

    A day off is known by a schedule that was taken in and is the newest one that was landed.
    """
    today = game_date_of(now)
    tonight = tipoffs(inputs.warehouse, today, today).get(today)
    if tonight is None:
        return {today: False} if inputs.outdated(SCHEDULE, (STATS_FILES.key,), [today]) else {}
    if not tonight.known:
        return {today: False}
    return {today: True} if tonight.any_to_begin(now) else {}


def other_dates(landing: LandingZone, today: date) -> list[date]:
    """The dates nearby that odds were landed for, today apart: those to come in order, then past ones, newest first.

    An invented league has no day of its own: where none of its odds are nearby, its last date stands for today.
    """
    landed = odds_api.landed_days(landing)
    centre = today
    if landing.is_simulated and landed and not any(today - _BACK <= d <= today + _AHEAD for d in landed):
        centre = landed[-1]
    near = [d for d in landed if centre - _BACK <= d <= centre + _AHEAD and d != today]
    return [*(d for d in near if d > centre), *(d for d in reversed(near) if d <= centre)]


def with_history(inputs: Inputs, days: Sequence[date]) -> set[date]:
    """The dates that have a partition and that ``history_complete`` would let through: of others a run could only fail.

    A date after today has no partition yet.
    """
    first = inputs.settings.first_date
    newest = daily_partitions(first, inputs.landing.last_date).get_last_partition_key()
    there = sorted(d for d in days if first <= d and newest is not None and d.isoformat() <= newest)
    if not there:
        return set()
    return {day for day, verdict in HISTORY_COMPLETE.evaluate(Scope(inputs), there).items() if verdict.passed}


def _on_odds(job: str, day: date, arrivals: Arrivals, priority: Mapping[str, str]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"odds:{day}:{arrivals}",
        job_name=job,
        partition_key=day.isoformat(),
        tags={"nba_props/cause": f"{arrivals.count} payloads of {day}", **priority},
    )


def on_odds(seen: dict[str, str], inputs: Inputs, now: datetime) -> dg.SensorResult:
    """The runs that landed odds and injury reports ask for, tonight's first; ``seen`` are the marks of the last look.

    What is not asked for yet, since a look asks for few other dates or because they lack their history, stays news.
    """
    landing, warehouse, today = inputs.landing, inputs.warehouse, game_date_of(now)
    published = set(own_dates(warehouse))
    arrived = {}
    for day in [today, *other_dates(landing, today)]:
        arrivals = landing.arrivals(odds_api.folder(day), injury_report.folder(day))
        if arrivals is not None:
            arrived[day] = arrivals
    news = [day for day, a in arrived.items() if a.is_news(str(seen.get(day.isoformat(), "")))]
    requests = []
    open_ones = open_dates(inputs, now)
    if today in news and today in open_ones:
        job = FOLLOW_JOB if open_ones[today] and today in published else PREDICT_JOB
        requests.append(_on_odds(job, today, arrived[today], _TONIGHT_FIRST))
    others = [day for day in news if day != today]
    # what is published and was never looked at may have been published from these payloads
    unseen = [day for day in others if day.isoformat() not in seen and day in published]
    known = set(unseen) - inputs.outdated(ODDS_QUOTES, (ODDS_FILES.key, asset_key(SCHEDULE)), unseen)
    waiting = [day for day in others if day not in known]
    ready = with_history(inputs, waiting)
    asked = [day for day in waiting if day in ready][:_OTHERS_A_TICK]
    requests += [_on_odds(PREDICT_JOB, day, arrived[day], _AFTER_TONIGHT) for day in asked]
    # what is not asked for yet stays news
    later = set(waiting) - set(asked)
    marks = {day.isoformat(): str(arrived[day]) for day in arrived if day not in later}
    marks |= {day.isoformat(): seen[day.isoformat()] for day in later if day.isoformat() in seen}
    reason = None
    if not requests:
        reason = "no new payload of a game that has not begun, nor of a date nearby"
        if later:
            reason += f"; {len(later)} dates wait for their history, the first {min(later)}: nba-props backfill"
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(marks), skip_reason=reason)


def _days_off(inputs: Inputs, days: Sequence[date]) -> list[date] | None:
    """The dates without games; None while there is no schedule to tell."""
    try:
        busy = inputs.game_days(days) if days else []
    except LandingError:
        return None
    return [d for d in days if d not in busy]


def on_results(seen: dict[str, str], inputs: Inputs, today: date) -> dg.SensorResult:
    """The dates whose box scores are new or corrected, all in as few runs as can be and after tonight's.

    The predictions of each are graded then. A date without predictions is taken in all the same, a day off as well, if
    it was not yet: else every later date would wait for its history.
    """
    landing, warehouse = inputs.landing, inputs.warehouse
    published = set(warehouse.partitions(LEDGER))
    back = (today - timedelta(n) for n in range(_RESULT_DAYS + 1))
    watched = {d.isoformat(): d for d in back if d in published or inputs.settings.first_date <= d < today}
    names: dict[str, list[str]] = {}
    for season in sorted({season_of(d) for d in watched.values()}):
        for name in landing.names(nba_stats.gamelog_folder(season)):
            if name[:10] in watched:
                names.setdefault(name[:10], []).append(name)
    # yesterday is taken in by the clock; of an older date the schedule is asked once
    older = {d for d in watched.values() if season_start(today) <= d < today - timedelta(1)} - published
    silent = {d.isoformat() for d in older} - set(names)
    off = _days_off(inputs, sorted(watched[day] for day in silent if day not in seen))
    names |= {d.isoformat(): [] for d in off or ()}
    jobs = {day: GRADE_JOB if watched[day] in published else HISTORY_JOB for day in names}
    marks = {day: _fingerprint(found) for day, found in names.items()}
    # a date that is published after its results were taken in has no grades yet
    marks |= {day: _TAKEN_IN + marks[day] for day, job in jobs.items() if job == HISTORY_JOB}
    news = [day for day in sorted(marks, reverse=True) if seen.get(day) != marks[day]]
    # at the first look many dates are new; those whose results were taken in and graded are done
    first_look = {watched[day] for day in news if seen.get(day, _TAKEN_IN).startswith(_TAKEN_IN)}
    known = (set(warehouse.partitions(PREDICTION_ACCURACY)) & first_look) | {
        watched[day] for day in news if jobs[day] == HISTORY_JOB
    }
    untaken = inputs.outdated(BOX_SCORES, (STATS_FILES.key,), sorted(known))
    done = {d.isoformat() for d in known - untaken}
    asked = [day for day in news if day not in done]
    new = {job: [watched[day] for day in asked if jobs[day] == job] for job in (HISTORY_JOB, GRADE_JOB)}
    graded = _to_grade(warehouse, new[GRADE_JOB], published)
    kept = dict(marks)
    looked_up = silent - set(names) if off is not None else silent & set(seen)
    kept |= {day: seen.get(day, _AWAITED) for day in looked_up}
    return dg.SensorResult(
        run_requests=[
            _over(
                job,
                first,
                last,
                f"results:{_fingerprint([f'{day} {marks[day]}' for day in sorted(asked)])}",
                _AFTER_TONIGHT,
            )
            for job, together in ((HISTORY_JOB, spans(new[HISTORY_JOB])), (GRADE_JOB, graded))
            for first, last in together
        ],
        cursor=json.dumps(kept),
        skip_reason=None if asked else "no new box scores of dates with predictions, and none that was not taken in",
    )


def _to_grade(warehouse: Warehouse, days: Sequence[date], published: Collection[date]) -> list[tuple[date, date]]:
    """Dates to grade as few spans; those in between are off days, or have predictions too.

    Of a date that may yet be predicted no grades are made: a partition of none would say that it is graded.
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


def has_games(inputs: Inputs, days: Sequence[date]) -> bool:
    """Whether a game is scheduled on one of the dates, or nobody knows."""
    off = _days_off(inputs, days)
    return off is None or len(off) < len(days)


def _week(day: date) -> list[date]:
    """The dates of a date's week, from Monday on."""
    return dates_between(week_of(day), week_of(day) + timedelta(6))


def to_prepare(inputs: Inputs, instance: dg.DagsterInstance, today: date) -> list[dg.RunRequest] | None:
    """The runs that take in what this week's models learn from, as far as today has not tried them yet.

    Those of the first job that is due, since what the others have to do depends on it; None while such runs are under
    way. What was tried and is not taken in all the same does not keep the models from learning from the rest.
    """
    if inputs.landing.is_simulated:
        return []  # an invented league has no week of its own: commands take in what they need
    # those of yesterday may still be under way
    asked_on = [today.isoformat(), (today - timedelta(1)).isoformat()]
    runs = instance.get_runs(dg.RunsFilter(tags={PREPARES_TAG: asked_on}))
    if any(not run.is_finished for run in runs):
        return None
    tried = {(run.job_name, dates_of(run)) for run in runs if run.tags[PREPARES_TAG] == today.isoformat()}
    from nba_props.definitions import build_defs  # which imports this module

    definitions = build_defs(inputs.settings, inputs.warehouse, inputs.landing, model_store=inputs.models)
    week = week_of(today)
    found: list[dg.RunRequest] = []
    for job, start, end in preparation(definitions, inputs.fresh(), [week], [week]):
        if found and found[0].job_name != job:
            break
        pieces = spans(dates_between(start, end), longest=_PREPARED_TOGETHER)
        requests = [_preparing(job, first, last, today) for first, last in pieces]
        found += [r for r in requests if (job, _dates(r.tags, r.partition_key)) not in tried]
    return found


def _preparing(job: str, first: date, last: date, today: date) -> dg.RunRequest:
    return _over(job, first, last, f"prepare:{today}", {PREPARES_TAG: today.isoformat(), **_AFTER_TONIGHT})


def _over(job: str, first: date, last: date, cause: str, tags: Mapping[str, str]) -> dg.RunRequest:
    """One run over a span, or of a date."""
    one = first == last
    span = {} if one else {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
    return dg.RunRequest(
        run_key=f"{cause}:{job}:{first}..{last}",
        job_name=job,
        partition_key=first.isoformat() if one else None,
        tags={**tags, **span},
    )


def build_sensors(default_status: dg.DefaultSensorStatus, seconds: int) -> list[dg.SensorDefinition]:
    """Every sensor, looking that often; all of them forget nothing over a restart."""

    @dg.sensor(
        jobs=[j for j in JOBS if j.name in (PREDICT_JOB, FOLLOW_JOB)],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New odds or injury reports: tonight is predicted, or followed until it begins; dates of the "
        "last two weeks and the next one are predicted after it, a few at a time.",
    )
    def new_odds_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        return on_odds(_read(context.cursor), inputs.fresh(), clock())

    @dg.sensor(
        jobs=[j for j in JOBS if j.name in (GRADE_JOB, HISTORY_JOB)],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New or corrected box scores: the predictions of their dates are graded, many dates in one run, "
        "after tonight's; those of other dates are taken in, for the history of the dates after them.",
    )
    def new_results_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        return on_results(_read(context.cursor), inputs.fresh(), game_date_of(clock()))

    @dg.sensor(
        job_name=CAPTURE_JOB,
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="Captures odds at opening, hourly, and 60, 30 and 5 minutes before each tip-off; in the thrifty "
        "rhythm at opening and 30 minutes before each.",
    )
    def capture_sensor(
        context: dg.SensorEvaluationContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        now = clock()
        if not settings.live.odds_key:
            return dg.SkipReason("ODDS_API_KEY is not set")
        before = _instant(context.cursor) or now - timedelta(minutes=5)
        day = game_date_of(now)
        tonight = tipoffs(warehouse, day, day).get(day, Tipoffs(day))
        since = max(before, now - _LONGEST_SILENCE)
        asked = capture.due(day, tonight.known, since, now, tonight.undecided, settings.live.odds_rhythm)
        requests = [
            dg.RunRequest(
                run_key=f"capture:{d.at.isoformat()}:{d.tipoff or ''}",
                run_config={
                    "ops": {
                        "land_odds": {
                            "config": {"day": day.isoformat(), "tipoff": d.tipoff.isoformat() if d.tipoff else ""}
                        }
                    }
                },
            )
            for d in asked
        ]
        reason = None if requests else f"no capture is due; {tonight.games} games are known for {day}"
        if reason and not tonight.games and day not in warehouse.partitions(SCHEDULE):
            reason = f"the schedule of {day} was not taken in, so that no capture is known to be due: {START} does it"
        return dg.SensorResult(run_requests=requests, cursor=now.isoformat(), skip_reason=reason)

    @dg.sensor(
        jobs=[j for j in JOBS if j.name in (PAST_JOB, HISTORY_JOB, ROSTERS_JOB, LINES_JOB)],
        minimum_interval_seconds=max(seconds, _PREPARE_SECONDS),
        default_status=default_status,
        description="Takes in what was landed for the week's models to learn from, before they are trained.",
    )
    def training_inputs_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        if clock().astimezone(EASTERN).time() < _PREPARED_FROM:
            return dg.SkipReason(f"last night's results come first: from {_PREPARED_FROM:%H:%M} Eastern on")
        today = game_date_of(clock())
        if not has_games(inputs, _week(today)):
            return dg.SkipReason(_NO_GAMES)
        asked = to_prepare(inputs, context.instance, today)
        if not asked:
            return dg.SkipReason("nothing is to be taken in" if asked is not None else "it is being taken in")
        return dg.SensorResult(run_requests=asked)

    @dg.run_failure_sensor(
        default_status=default_status, minimum_interval_seconds=seconds, description="A failed run is an alert."
    )
    def run_failure_alert(context: dg.RunFailureSensorContext, alerts: dg.ResourceParam[Alerts]) -> None:
        run = context.dagster_run
        if COMMAND_TAG in run.tags:
            return  # who typed it has read it
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

    return [
        new_odds_sensor,
        new_results_sensor,
        capture_sensor,
        build_first_day_sensor(default_status, seconds),
        training_inputs_sensor,
        run_failure_alert,
        check_failure_alert,
    ]


def dates_of(run: dg.DagsterRun) -> str:
    """The date or span that a run is for; empty for one that has none."""
    return _dates(run.tags, run.tags.get("dagster/partition"))


def _dates(tags: Mapping[str, str], day: str | None) -> str:
    return day or (f"{tags[RANGE_START]}..{tags[RANGE_END]}" if RANGE_START in tags else "")


def check_alerts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Alert]:
    """An alert for each check of severity ERROR that a watched run failed, and one for all warnings worth a look.

    The other warnings are for the page of the asset.
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
    bare = any(f.check_name == TONIGHT for f in failed)
    for found in failed:
        if bare and found.check_name == FRESHNESS and found.asset_key == ODDS_FILES.key:
            continue  # a night without any odds says it already
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


def build_schedules(default_status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """What happens at a time of day, Eastern, whatever the clocks do."""

    def today(context: dg.ScheduleEvaluationContext) -> date:
        return game_date_of(context.scheduled_execution_time)

    def partition(cron: str, name: str, job: str, back: int, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone="America/New_York",
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
            key = (today(context) - timedelta(back)).isoformat()
            return dg.RunRequest(run_key=f"{name}:{key}", partition_key=key)

        return scheduled

    def simple(cron: str, name: str, job: str, description: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=job, execution_timezone="America/New_York",
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(
            context: dg.ScheduleEvaluationContext,
            settings: dg.ResourceParam[Settings],
            inputs: dg.ResourceParam[Inputs],
        ) -> dg.RunRequest | dg.SkipReason:
            if job in (STATS_JOB, INJURIES_JOB) and not settings.live.stats:
                return dg.SkipReason("NBA_PROPS_STATS is off")
            # the first report of a date comes the evening before
            if job == INJURIES_JOB and not has_games(inputs, [today(context), today(context) + timedelta(1)]):
                return dg.SkipReason("neither today nor tomorrow has games, so that there is no report")
            return dg.RunRequest(run_key=f"{name}:{context.scheduled_execution_time.isoformat()}")

        return scheduled

    def training(cron: str, name: str, description: str, *, only_stale: bool) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=name, cron_schedule=cron, job_name=TRAIN_JOB, execution_timezone="America/New_York",
            default_status=default_status, description=description,
        )  # fmt: skip
        def scheduled(
            context: dg.ScheduleEvaluationContext, inputs: dg.ResourceParam[Inputs]
        ) -> dg.RunRequest | dg.SkipReason:
            if not inputs.landing.exists():
                return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
            day = today(context)
            week = week_of(day)
            if not has_games(inputs, _week(day)):
                return dg.SkipReason(_NO_GAMES)
            if to_prepare(inputs, context.instance, day) != []:
                return dg.SkipReason("what the models learn from is taken in first: see training_inputs_sensor")
            if only_stale and not untrained(inputs.fresh(), [week]):
                return dg.SkipReason("the week's models learned from what is stored now")
            return dg.RunRequest(run_key=f"{name}:{day}", partition_key=week.isoformat())

        return scheduled

    return [
        simple("0 3,8 * * *", "fetch_results", STATS_JOB, "Schedule, roster, last night's box scores and corrections."),
        simple("0,15,30,45 9-22 * * *", "fetch_injury_report", INJURIES_JOB, "The official injury report."),
        partition("0 9 * * *", "morning_slate", PREDICT_JOB, 0, "Everything for today's games, before the first odds."),
        partition("30 4 * * *", "grade_last_night", GRADE_JOB, 1, "Grades of last night's predictions."),
        partition("30 12 * * *", "grade_again", GRADE_JOB, 1, "The second pass, after the league's corrections."),
        training("0 6 * * 1", "weekly_training", "The models of the week that begins today.", only_stale=False),
        training(
            "45 8 * * *",
            "train_again",
            "The week's models again, when what they learned from was corrected since or came too late for them.",
            only_stale=True,
        ),
        simple("0 5 * * *", "reconcile_nightly", RECONCILE_JOB, "Are last week's expected outputs there?"),
        simple("20 * * * *", "freshness_hourly", FRESHNESS_JOB, "Has every feed that is on spoken, has tonight odds?"),
        simple("40 * * * *", "ledger_audit_hourly", AUDIT_JOB, "Are ledger and archive as they were, and valid?"),
    ]
