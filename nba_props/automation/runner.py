"""Runs jobs through Dagster from a terminal: which dates, in which order, and what became of them."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from importlib import resources
from typing import Any

import dagster as dg
import filelock
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from nba_props import stopping
from nba_props.assets.tables import asset_key, table_of
from nba_props.automation.event_log import batch_events
from nba_props.automation.jobs import HISTORY_JOB, PREDICT_JOB, ROSTERS_JOB, TRAIN_JOB
from nba_props.domain.calendar import days as dates_between
from nba_props.domain.calendar import history_start, identity_start
from nba_props.domain.history import GAMES_FOUND_SQL
from nba_props.domain.systems import SYSTEMS
from nba_props.domain.systems.trained import training_start, week_of
from nba_props.remediation import Account, RemediationError
from nba_props.schemas import TABLES, monitoring, predictions, raw
from nba_props.settings import Settings, SettingsError
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.sources.landing import LandingZone
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.models import ModelStore

#: what follows a system's rows wherever they are made anew
_PUBLISHING = (
    predictions.PLAYER_PROP_PREDICTIONS,
    predictions.QUARANTINED_PREDICTIONS,
    predictions.PREDICTION_ACCURACY,
    predictions.GRADE_HISTORY,
    monitoring.SCOREBOARD,
)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


#: when the payloads behind a raw table were landed, by game date
_LANDED: dict[str, Callable[[LandingZone, Sequence[date]], dict[date, datetime]]] = {
    raw.ODDS_QUOTES.address: lambda zone, days: zone.newest_landed_at(odds_api.folder, days),
    raw.BOX_SCORES.address: partial(nba_stats.landed_at, nba_stats.gamelog_folder),
    raw.INJURY_REPORTS.address: lambda zone, days: zone.newest_landed_at(injury_report.folder, days),
    raw.SCORING_SHARES.address: partial(nba_stats.landed_at, nba_stats.scoring_folder),
}

#: the tags by which Dagster knows a run over a range of partitions
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dataclass
class Outcome:
    """What a run did."""

    run_id: str
    success: bool
    errors: list[str] = field(default_factory=list)
    #: systems that failed while the run went on, and why
    failures: list[str] = field(default_factory=list)
    #: asset, check, severity and description of every check that did not pass
    failed_checks: list[tuple[str, str, str, str]] = field(default_factory=list)
    passed_checks: int = 0


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The persistent instance: that of DAGSTER_HOME when set, else one under the project's home."""
    home = os.environ.setdefault("DAGSTER_HOME", str(settings.dagster_home))
    os.makedirs(home, exist_ok=True)
    config = os.path.join(home, "dagster.yaml")
    if not os.path.exists(config):
        with resources.as_file(resources.files("nba_props") / "dagster.yaml") as source:
            shutil.copyfile(source, config)
    batch_events()
    # two processes that make the databases of a new home at the same moment spoil them
    with filelock.FileLock(os.path.join(home, ".opening")):
        # what a step prints belongs to the terminal: a redirected one hides the progress bar
        overrides = {"compute_logs": {"module": NoOpComputeLogManager.__module__, "class": "NoOpComputeLogManager"}}
        return dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides))


def plan(
    warehouse: Warehouse,
    landing: LandingZone,
    settings: Settings,
    days: Sequence[date],
    models: ModelStore,
    today: date,
) -> list[tuple[str, date, date]]:
    """The runs that ``days`` need: job, first and last date; what earlier dates lack comes before the dates themselves.

    Averages need every date since the season began, or of the look-back if that is longer. Who plays where needs the
    game days of the season before, models those of the seasons they learn from. Nothing before the first partition is
    asked for. Models of past weeks are trained by the systems that need them; the running week's is trained here.
    """
    before = days[0] - timedelta(1)
    full_from = max(history_start(days[0], settings.look_back_days), settings.first_date)
    identity_from = max(identity_start(days[0]), settings.first_date)
    learn_from = max(training_start(week_of(days[0]), settings.training_seasons), settings.first_date)
    wanted = {
        *(dates_between(full_from, before) if full_from <= before else []),
        *nba_stats.landed_box_score_days(landing, min(identity_from, learn_from), before),
    }
    present = set(warehouse.partitions(raw.SCHEDULE)) & set(warehouse.partitions(raw.BOX_SCORES))
    lacking = (wanted - present) | (wanted & _thin_dates(warehouse, min(identity_from, learn_from), before))
    rosters = set(nba_stats.landed_roster_days(landing, identity_from, before)) - set(warehouse.partitions(raw.ROSTERS))
    return [
        *((HISTORY_JOB, *span) for span in spans(lacking)),
        *((ROSTERS_JOB, *span) for span in spans(rosters)),
        *_training(models, days, today),
        (PREDICT_JOB, days[0], days[-1]),
    ]


def _training(models: ModelStore, days: Sequence[date], today: date) -> list[tuple[str, date, date]]:
    """The training of the running week, when a date of it is asked for and a system has no model for it yet."""
    week = week_of(today)
    lacking = any(week not in models.weeks(s.system_id) for s in SYSTEMS if s.trained)
    return [(TRAIN_JOB, week, week)] if lacking and week in {week_of(d) for d in days} else []


def _thin_dates(warehouse: Warehouse, first: date, last: date) -> set[date]:
    """Stored dates on which a scheduled game has no box scores: they were ingested before it was played or landed."""
    rows = warehouse.query(GAMES_FOUND_SQL, first=first, last=last)
    rows = rows[rows["found"] < rows["expected"]]
    return set(rows["game_date"].dt.date)


def spans(days: Iterable[date], bridge: int = 7) -> list[tuple[date, date]]:
    """Dates as few spans; gaps of up to ``bridge`` dates are bridged, since a run costs more than an empty date."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and (day - found[-1][1]).days <= bridge + 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    first: date,
    last: date,
    on_step: Callable[[str, int, int], None] | None = None,
    select: Sequence[dg.AssetKey] | None = None,
    warehouse: Warehouse | None = None,
) -> Outcome:
    """Run a job for one date or a span, in this process, recorded in the instance like any other run.

    ``select`` narrows it to some of its assets and their checks. ``on_step`` is called after each step: its name, how
    many are done, how many there are. A stop says what the run has published in ``warehouse`` by then.
    """
    job = definitions.resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    chosen = job.get_subset(asset_selection=set(select)) if select else job
    total = len(chosen.graph.node_dict)
    done = 0

    def listen(entry: dg.EventLogEntry) -> None:
        nonlocal done
        event = entry.dagster_event
        if on_step and event and (event.is_step_success or event.is_step_failure or event.is_step_skipped):
            done += 1
            on_step(event.step_key or "", done, total)

    instance.add_event_listener(run_id, listen)
    selection = (
        {"partition_key": first.isoformat()}
        if first == last
        else {
            "tags": {
                RANGE_START: first.isoformat(),
                RANGE_END: last.isoformat(),
            }
        }
    )
    with (
        stopping.closing_with(partial(_published, warehouse, run_id, first, last)),
        stopping.closing_with(partial(_cancel, instance, run_id)),
    ):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=_QUIET,
            raise_on_error=False,
            asset_selection=list(select) if select else None,
            **selection,
        )
    outcome = Outcome(run_id, result.success)
    for event in result.all_events:
        if event.is_step_failure:
            outcome.errors.append(f"{event.step_key}: {_cause(event)}")
    failures = {}
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key:
            found = event.materialization.metadata.get("failure")
            if found is not None:
                failures[event.asset_key.to_user_string()] = str(found.value)
    outcome.failures = [f"{asset}: {text}" for asset, text in failures.items()]
    for check in result.get_asset_check_evaluations():
        if check.passed:
            outcome.passed_checks += 1
        else:
            outcome.failed_checks.append(
                (check.asset_key.to_user_string(), check.check_name, check.severity.value, check.description or "")
            )
    return outcome


def _published(warehouse: Warehouse | None, run_id: str, first: date, last: date) -> str:
    """What a run that is stopped has published of its dates."""
    if warehouse is None:
        return ""
    rows = warehouse.query(
        "SELECT DISTINCT game_date FROM nba_predictions.player_prop_predictions "
        "WHERE game_date BETWEEN @first AND @last AND run_id = @run_id ORDER BY game_date",
        first=first,
        last=last,
        run_id=run_id,
    )
    asked = f"{first}" if first == last else f"{first}..{last}"
    done = [str(d.date()) for d in rows["game_date"]]
    if not done:
        return f"nothing of {asked} was published"
    if first == last:
        return f"{asked} was published before, and stands"
    return f"published before, and standing: {len(done)} dates of {asked}, {done[0]} to {done[-1]}"


def _cancel(instance: dg.DagsterInstance, run_id: str) -> str:
    """Record that a run of this process was stopped; nothing to say of one that has not begun or is over."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return ""
    instance.report_run_canceling(run, "stopped from the terminal")
    instance.report_run_canceled(run, "stopped from the terminal")
    return f"run {run_id} is recorded as cancelled"


def _cause(failure: dg.DagsterEvent) -> str:
    """What a step failed of in the end, beneath what wrapped it."""
    error = failure.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return (error.message if error else failure.message or "").strip()


def remediate(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job_name: str, config: dict[str, Any]
) -> Account:
    """Run a remediation job with its config, recorded in the instance; returns its account.

    Raises:
        RemediationError: it was refused; the message says why.
    """
    job = definitions.resolve_job_def(job_name)
    (op,) = job.graph.node_dict
    run_id = str(uuid.uuid4())
    with stopping.closing_with(partial(_cancel, instance, run_id)):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config={**_QUIET, "ops": {op: {"config": config}}},
            raise_on_error=False,
        )
    if not result.success:
        failed = next(e for e in result.all_events if e.is_step_failure)
        raise RemediationError(_cause(failed))
    return result.output_for_node(op)


def resolve(definitions: dg.Definitions, names: Sequence[str]) -> list[dg.AssetKey]:
    """The assets that names mean (``xgboost_v1``, ``nba_raw.box_scores``), and what publishes and grades systems.

    Raises:
        SettingsError: a name is none of an asset.
    """
    short = {t.name: t for t in TABLES.values()}
    found: list[dg.AssetKey] = []
    for name in names:
        table = TABLES.get(name.replace("/", ".")) or short.get(name)
        if table is None:
            raise SettingsError(f"there is no asset {name}; there are {', '.join(sorted(short))}")
        found.append(asset_key(table))
        if table.name in predictions.SYSTEM_TABLES:
            found += [asset_key(t) for t in _PUBLISHING]
    graph = definitions.resolve_asset_graph()
    together = {k for key in found for k in graph.get(key).execution_set_asset_keys}
    return sorted(together)


def pending(
    definitions: dg.Definitions,
    warehouse: Warehouse,
    landing: LandingZone,
    keys: Sequence[dg.AssetKey],
    days: Sequence[date],
) -> list[date]:
    """The dates on which one of the assets is missing, or older than a table or payload it is made from."""
    graph = definitions.resolve_asset_graph()
    own = [k for k in keys if ".".join(k.path) in TABLES]
    parents = {k: [p for p in graph.get(k).parent_keys if ".".join(p.path) in TABLES] for k in own}
    written = {k: warehouse.written_at(table_of(k)) for k in {*own, *(p for ps in parents.values() for p in ps)}}
    landed = {k: _LANDED[table_of(k).address](landing, days) for k in own if table_of(k).address in _LANDED}

    def lacks(day: date) -> bool:
        for key, above in parents.items():
            at = written[key].get(day)
            if at is None or landed.get(key, {}).get(day, at) > at:
                return True
            if any(day in written[p] and written[p][day] > at for p in above):
                return True
        return False

    return [d for d in days if lacks(d)]
