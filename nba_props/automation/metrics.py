"""Numbers for a monitoring system: runs, freshness, checks and credits, read from stored tables and Dagster's records.

Belongs here: numbers and names of jobs, tables and checks. Not here: texts of findings, errors and settings, which may
quote anything, and so a secret.

A scrape asks a fixed number of queries, whatever is stored: see ``_RUNS`` and ``operations/freshness.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from functools import cache, partial
from typing import TypeVar

import dagster as dg

from nba_props import __version__
from nba_props.assets.inputs import landing_key
from nba_props.automation.fetching import CREDITS_LEFT, CREDITS_SPENT
from nba_props.automation.location import PROCESS_TAG
from nba_props.deployment import Deployment
from nba_props.domain.finding import Finding
from nba_props.domain.systems import TRAINED
from nba_props.facts.tipoffs import day_bounds
from nba_props.operations.freshness import OUTPUTS, feeds_freshness, model_freshness, output_freshness
from nba_props.operations.home import is_in_use, sentence
from nba_props.presentation.exposition import Gauge
from nba_props.process.alive import has_ended
from nba_props.process.errors import NbaPropsError
from nba_props.process.revision import revision
from nba_props.schemas.monitoring import SCOREBOARD
from nba_props.sources import registry

_LOG = logging.getLogger(__name__)
#: the newest runs that are read for what ended in a day
_RUNS, _RUNS_SINCE, _DAY = 2000, timedelta(days=8), timedelta(days=1)
_UNFINISHED = tuple(dg.DagsterRunStatus[name] for name in ("QUEUED", "STARTING", "STARTED", "CANCELING"))
T = TypeVar("T")
Part = Callable[[Deployment, dg.DagsterInstance, dg.Definitions], list[Gauge]]
#: opens an instance, for one scrape
Opened = AbstractContextManager[dg.DagsterInstance] | None


def gauges(deployment: Deployment, opened: Callable[[], Opened], definitions: dg.Definitions) -> Iterator[Gauge]:
    """Every metric of a home.

    A part that can't be read is 0 in ``nba_props_readable`` and has no numbers; one of which nothing is stored yet has
    neither.

    Args:
        deployment: the home's objects.
        opened: opens its Dagster instance; None for a home in which nothing ever ran.
        definitions: what may have run and been checked.
    """
    info = Gauge("nba_props_info", "1, with the version, the revision and the kind of league as labels.")
    readable = Gauge(
        "nba_props_readable",
        "1 where a part of these numbers could be read, 0 where it could not; absent where nothing is stored yet.",
    )
    found = [info, readable]
    #: a database is locked: none is asked again, since each wait may outlast a scrape
    locked: list[Exception] = []

    def read(name: str, part: Callable[[], T | None]) -> T | None:
        try:
            made = part()
        except Exception as error:
            known = str(error) if isinstance(error, NbaPropsError) else sentence(error, deployment.settings)
            if is_in_use(error):
                locked.append(error)
            why = known or f"{type(error).__name__}: {error}"
            _LOG.error("the numbers of %s can't be read: %s", name, why, exc_info=None if known else error)
            readable.put(0, part=name)
            return None
        readable.put(None if made is None else 1, part=name)
        return made

    league = read("league", deployment.warehouse.source)
    info.put(1, version=__version__, revision=revision(), league=(league or "unknown").lower())
    found += read("freshness", partial(_freshness, deployment)) or []
    with ExitStack() as stack:

        @cache
        def instance() -> dg.DagsterInstance | None:
            at = opened()
            return stack.enter_context(at) if at is not None else None

        for name, part in OF_INSTANCE.items():

            def numbers(part: Part = part) -> list[Gauge] | None:
                if locked:
                    raise locked[0]
                at = instance()
                return None if at is None else part(deployment, at, definitions)

            found += read(name, numbers) or []
    return iter(found)


def _runs(deployment: Deployment, instance: dg.DagsterInstance, definitions: dg.Definitions) -> list[Gauge]:
    now = deployment.clock()
    ended = Gauge("nba_props_runs_ended", "Runs that ended in the last 24 hours, by job and status.")
    active = Gauge("nba_props_runs_active", "Runs that wait or are under way, by status.")
    abandoned = Gauge("nba_props_runs_abandoned", "Runs without an end whose process on this machine was killed.")
    success = Gauge("nba_props_run_success_timestamp_seconds", "When the newest successful run of a job ended.")
    took = Gauge("nba_props_run_duration_seconds", "How long the newest successful run of a job took.")
    waiting = [r.dagster_run for r in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED))]
    left = [run for run in waiting if has_ended(run.tags.get(PROCESS_TAG, ""))]
    abandoned.put(len(left))
    for status in _UNFINISHED:
        active.put(sum(run.status is status and run not in left for run in waiting), status=status.value)
    counts: dict[tuple[str, str], int] = {}
    newest: dict[str, tuple[float, float]] = {}

    def note(record: dg.RunRecord) -> None:
        end = record.end_time
        if end is not None and record.dagster_run.status is dg.DagsterRunStatus.SUCCESS:
            job = record.dagster_run.job_name
            newest[job] = max(newest.get(job, (0.0, 0.0)), (end, end - (record.start_time or end)))

    for record in instance.get_run_records(dg.RunsFilter(updated_after=now - _RUNS_SINCE), limit=_RUNS):
        run, end = record.dagster_run, record.end_time
        note(record)
        if end is not None and end >= (now - _DAY).timestamp():
            counts[run.job_name, run.status.value] = counts.get((run.job_name, run.status.value), 0) + 1
    # an older success is a number too: an alert for it would turn green otherwise
    for job in {*definitions.get_repository_def().job_names} - {*newest}:
        asked = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
        for record in instance.get_run_records(asked, limit=1):
            note(record)
    for (job, ending), count in counts.items():
        ended.put(count, job=job, status=ending)
    for job, (end, seconds) in newest.items():
        success.put(end, job=job)
        took.put(seconds, job=job)
    return [ended, active, abandoned, success, took]


def _checks(deployment: Deployment, instance: dg.DagsterInstance, definitions: dg.Definitions) -> list[Gauge]:
    failed = Gauge(
        "nba_props_check_failed",
        "1 where the newest result of a check is a failure of this severity, else 0.",
    )
    at = Gauge("nba_props_check_timestamp_seconds", "When the newest result of any check was recorded.")
    keys = sorted(definitions.resolve_asset_graph().asset_check_keys)
    newest = 0.0
    for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(keys).items():
        event = record.event.dagster_event if record.event else None
        if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue  # planned in a run that has not come so far, or never did
        result = event.asset_check_evaluation_data
        for severity in dg.AssetCheckSeverity:  # both, so that a check that fails is not another series
            is_failure = not result.passed and result.severity is severity
            failed.put(is_failure, asset=key.asset_key.to_user_string(), check=key.name, severity=severity.value)
        newest = max(newest, record.create_timestamp)
    at.put(newest or None)
    return [failed, at]


def _freshness(deployment: Deployment) -> list[Gauge]:
    settings, zone, warehouse, now = deployment.settings, deployment.landing, deployment.warehouse, deployment.clock()
    late = Gauge(
        "nba_props_late",
        "1 where a feed, a table or a system's models lack what is expected by now, else 0; absent where nothing is.",
    )
    newest = Gauge("nba_props_newest_date_timestamp_seconds", "Midnight Eastern of the newest date of a table.")
    found: dict[tuple[str, str], Finding] = {
        **{("feed", name): f for name, f in feeds_freshness(settings, zone, warehouse, now).items()},
        **{("table", o.table.address): output_freshness(settings, zone, warehouse, o, now) for o in OUTPUTS},
        **{("models", name): model_freshness(settings, zone, deployment.models, name, now) for name in TRAINED},
    }
    for (kind, name), finding in found.items():
        late.put(None if finding.nothing else not finding.passed, kind=kind, name=name)
    for table in (*(o.table for o in OUTPUTS), SCOREBOARD):
        days = warehouse.partitions(table)
        newest.put(day_bounds(days[-1])[0].timestamp() if days else None, table=table.address)
    return [late, newest]


def _credits(deployment: Deployment, instance: dg.DagsterInstance, definitions: dg.Definitions) -> list[Gauge]:
    reserve = Gauge("nba_props_credits_reserve", "Credits of a feed that are never spent.")
    left = Gauge("nba_props_credits_left", "Credits of a feed that were left after its newest fetch.")
    spent = Gauge("nba_props_credits_spent", "Credits that the newest fetch of a feed spent.")
    at = Gauge("nba_props_fetch_timestamp_seconds", "When the newest fetch of a feed by a job ended.")
    for feed in registry.feeds():
        for record in instance.fetch_observations(landing_key(feed), limit=1).records:
            event = record.event_log_entry.asset_observation
            numbers = event.metadata if event else {}
            at.put(record.timestamp, feed=feed.name)
            for gauge, name in ((left, CREDITS_LEFT), (spent, CREDITS_SPENT)):
                value = numbers.get(name)
                gauge.put(value.value if isinstance(value, dg.IntMetadataValue) else None, feed=feed.name)
        if feed.odds:
            reserve.put(deployment.settings.live.odds_reserve, feed=feed.name)
    return [left, spent, reserve, at]


#: what is read of Dagster's records, by the name of each part
OF_INSTANCE: Mapping[str, Part] = {"runs": _runs, "checks": _checks, "credits": _credits}
