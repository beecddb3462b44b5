"""The sensor of new odds and injury reports: it predicts and follows tonight, then predicts nearby dates."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import daily_partitions
from nba_props.automation.jobs import FOLLOW_JOB, PREDICT_JOB, AssetJob
from nba_props.automation.sensors.asking import AFTER_TONIGHT, TONIGHT_FIRST, marks_of
from nba_props.checks.analytics import HISTORY_COMPLETE
from nba_props.checks.partitioned import Scope
from nba_props.facts.calendar import game_date_of
from nba_props.operations.freshness import tipoffs
from nba_props.operations.ledger import own_dates
from nba_props.process.clock import Clock
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.sources import registry
from nba_props.storage.landing import Arrivals, LandingZone

#: dates around today whose new odds start runs; other dates need `nba-props backfill`
_BACK, _AHEAD = timedelta(14), timedelta(7)
#: the most runs of other dates than tonight's that one tick requests
_OTHERS_A_TICK = 3


def open_dates(inputs: Inputs, now: datetime) -> dict[date, bool]:
    """Today and whether a tip-off is known, if one of its games may still begin; empty otherwise.

    Today is a day off only by the newest landed schedule: until that one is loaded, a game may still begin.
    """
    today = game_date_of(now)
    tonight = tipoffs(inputs.warehouse, today, today).get(today)
    if tonight is None:
        return {today: False} if inputs.not_loaded(SCHEDULE, [today]) else {}
    if not tonight.known:
        return {today: False}
    return {today: True} if tonight.any_to_begin(now) else {}


def other_dates(landing: LandingZone, today: date) -> list[date]:
    """The nearby dates with landed odds, without today: later ones in order, then past ones, newest first.

    A simulated league without odds near today has its last date as the centre instead.
    """
    landed = registry.days_with_odds(landing)
    centre = today
    if landing.is_simulated and landed and not any(today - _BACK <= d <= today + _AHEAD for d in landed):
        centre = landed[-1]
    near = [d for d in landed if centre - _BACK <= d <= centre + _AHEAD and d != today]
    return [*(d for d in near if d > centre), *(d for d in reversed(near) if d <= centre)]


def with_history(inputs: Inputs, days: Sequence[date]) -> set[date]:
    """The dates that have a partition and would pass ``history_complete``; runs of others could only fail.

    Dates after today have no partition yet.
    """
    first = inputs.settings.first_date
    newest = daily_partitions(first, inputs.landing.last_date).get_last_partition_key()
    there = sorted(d for d in days if first <= d and newest is not None and d.isoformat() <= newest)
    if not there:
        return set()
    return {day for day, found in HISTORY_COMPLETE.evaluate(Scope(inputs), there).items() if found.passed}


def _on_odds(job: str, day: date, arrivals: Arrivals, priority: Mapping[str, str]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"odds:{day}:{arrivals}",
        job_name=job,
        partition_key=day.isoformat(),
        tags={"nba_props/cause": f"{arrivals.count} payloads of {day}", **priority},
    )


def on_odds(seen: dict[str, str], inputs: Inputs, now: datetime) -> dg.SensorResult:
    """The runs that new odds and injury reports need, tonight's first; ``seen`` are the marks of the last tick.

    Dates that are not requested, because a tick requests few of them or because they lack their history, stay new for
    the next tick.
    """
    landing, warehouse, today = inputs.landing, inputs.warehouse, game_date_of(now)
    published = set(own_dates(warehouse))
    arrived = {}
    for day in [today, *other_dates(landing, today)]:
        arrivals = landing.arrivals(*(f for feed in registry.feeds() if feed.news for f in feed.news(day)))
        if arrivals is not None:
            arrived[day] = arrivals
    news = [day for day, a in arrived.items() if a.is_news(str(seen.get(day.isoformat(), "")))]
    requests = []
    open_ones = open_dates(inputs, now)
    if today in news and today in open_ones:
        job = FOLLOW_JOB if open_ones[today] and today in published else PREDICT_JOB
        requests.append(_on_odds(job, today, arrived[today], TONIGHT_FIRST))
    elif today in news and today in published and inputs.not_loaded(ODDS_QUOTES, [today]):
        # the last capture may land as the last game begins: nothing more is published, and it has the closes
        requests.append(_on_odds(FOLLOW_JOB, today, arrived[today], TONIGHT_FIRST))
    others = [day for day in news if day != today]
    # a published date without a mark may have been published from these payloads
    unseen = [day for day in others if day.isoformat() not in seen and day in published]
    known = set(unseen) - inputs.not_loaded(ODDS_QUOTES, unseen)
    waiting = [day for day in others if day not in known]
    ready = with_history(inputs, waiting)
    asked = [day for day in waiting if day in ready][:_OTHERS_A_TICK]
    requests += [_on_odds(PREDICT_JOB, day, arrived[day], AFTER_TONIGHT) for day in asked]
    later = set(waiting) - set(asked)
    marks = {day.isoformat(): str(arrived[day]) for day in arrived if day not in later}
    marks |= {day.isoformat(): seen[day.isoformat()] for day in later if day.isoformat() in seen}
    reason = None
    if not requests:
        reason = "no new payload of a game that has not begun, or of a nearby date"
        if later:
            reason += f"; {len(later)} dates wait for their history, the first {min(later)}: nba-props backfill"
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(marks), skip_reason=reason)


def build_news_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int, jobs: Sequence[AssetJob]
) -> dg.SensorDefinition:
    """The sensor of new odds and injury reports."""

    @dg.sensor(
        jobs=[j for j in jobs if j.name in (PREDICT_JOB, FOLLOW_JOB)],
        minimum_interval_seconds=seconds,
        default_status=default_status,
        description="New odds or injury reports: tonight is predicted, and followed until it begins; then dates of the "
        "last two weeks and the next one are predicted, a few at a time.",
    )
    def new_odds_sensor(
        context: dg.SensorEvaluationContext, inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        if not inputs.landing.exists():
            return dg.SkipReason(f"there is no landing zone at {inputs.landing.root}")
        return on_odds(marks_of(context.cursor), inputs.fresh(), clock())

    return new_odds_sensor
