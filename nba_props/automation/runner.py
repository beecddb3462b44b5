"""Running jobs through Dagster from a terminal, and their outcomes."""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from nba_props.assets.tables import asset_key
from nba_props.automation.location import Caller, job_origin, tags_of
from nba_props.automation.ranges import partition_key, range_tags
from nba_props.automation.upstream.runs import belonging, listening
from nba_props.facts.words import plural
from nba_props.operations.selection import RemediationError
from nba_props.process import stopping
from nba_props.schemas import predictions
from nba_props.warehouse.base import Warehouse

#: the message of a stop while rows are being moved
_MOVED = "rows moved so far stay moved, and the same command continues from there"
#: how Dagster names this project's exceptions
_OUR_CLASS = re.compile(r"^nba_props(\.\w+)+: ")
#: looks at the status of a run that is recorded as cancelled, and seconds between them
_SETTLED, _SETTLING = 5, 0.1
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
#: the tag of runs whose inputs are planned already and that have no caller
PLANNED_TAG = "nba_props/planned"


@dataclass
class Outcome:
    """The outcome of a run."""

    run_id: str
    success: bool
    errors: list[str] = field(default_factory=list)
    #: systems that failed while the run continued, and why
    failures: list[str] = field(default_factory=list)
    #: asset, check, severity and description of every check that did not pass
    failed_checks: list[tuple[str, str, str, str]] = field(default_factory=list)
    passed_checks: int = 0


def execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    first: date,
    last: date,
    on_step: Callable[[str, int, int], None] | None = None,
    select: Sequence[dg.AssetKey] | None = None,
    warehouse: Warehouse | None = None,
    tags: Mapping[str, str] | None = None,
    caller: Caller | None = None,
) -> Outcome:
    """Run a job for one date or a span, in this process, recorded in the instance like any other run of the job.

    Args:
        definitions: the definitions with the job.
        instance: the instance that records the run.
        job_name: the job.
        first: the first partition.
        last: the last partition.
        on_step: called after each step with its name, the number of steps done and that of all.
        select: the assets of the job to run, with their checks; all by default.
        warehouse: when the run is stopped, the message counts what it has published there.
        tags: further tags of the run.
        caller: the user and the command that asked for it.
    """
    job = definitions.resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    chosen = job.get_subset(asset_selection=set(select)) if select else job
    total = len(chosen.graph.node_dict)
    done = 0

    def listen(entry: dg.EventLogEntry) -> None:
        nonlocal done
        stopping.hold()  # a later event would replace the status of a cancelled run
        event = entry.dagster_event
        if on_step and event and (event.is_step_success or event.is_step_failure or event.is_step_skipped):
            done += 1
            on_step(event.step_key or "", done, total)

    planned = {} if caller else {PLANNED_TAG: "true"}
    publishes = asset_key(predictions.LEDGER) in job.asset_layer.executable_asset_keys
    with (
        listening(instance, run_id, listen),
        belonging(instance, job_origin(definitions, instance, job_name)),
        stopping.closing_with(partial(_published, warehouse if publishes else None, run_id, first, last)),
        stopping.closing_with(partial(_cancel, instance, run_id)),
    ):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=_QUIET,
            raise_on_error=False,
            asset_selection=list(select) if select else None,
            partition_key=partition_key(first, last),
            tags={**planned, **tags_of(caller), **range_tags(first, last), **(tags or {})},
        )
    return _outcome(run_id, result)


def _outcome(run_id: str, result: dg.ExecuteInProcessResult) -> Outcome:
    """The outcome of a run, from its events."""
    outcome = Outcome(run_id, result.success)
    for event in result.all_events:
        if event.is_step_failure:
            outcome.errors.append(f"{event.step_key}: {_cause(event)}")
        elif event.is_job_failure and not outcome.errors:  # after the last step
            outcome.errors.append(_cause(event))
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
    """A sentence on what a stopped run has published of its dates."""
    if warehouse is None:
        return ""
    rows = warehouse.query(
        "SELECT game_date, COUNT(*) AS n FROM nba_predictions.ledger "
        "WHERE game_date BETWEEN @first AND @last AND run_id = @run_id GROUP BY game_date ORDER BY game_date",
        first=first,
        last=last,
        run_id=run_id,
    )
    asked = f"{first}" if first == last else f"{first}..{last}"
    done = [str(d.date()) for d in rows["game_date"]]
    if not done:
        return f"nothing of {asked} was published"
    of = asked if first == last else f"{plural(len(done), 'date')} of {asked} ({done[0]} to {done[-1]})"
    return f"{plural(rows['n'].sum(), 'row')} of {of} were already published; undo with `nba-props rollback {run_id}`"


def _cancel(instance: dg.DagsterInstance, run_id: str) -> str:
    """Record that a run of this process was stopped; returns a sentence, empty if the run has not begun or is over."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return ""
    instance.report_run_canceling(run, "stopped from the terminal")
    # the event that the run was storing meanwhile, its start or end, may still replace the status
    for _ in range(_SETTLED):
        if run.status is not dg.DagsterRunStatus.CANCELED:
            instance.report_run_canceled(run, "stopped from the terminal")
        time.sleep(_SETTLING)
        run = instance.get_run_by_id(run_id) or run
    return f"run {run_id} is recorded as cancelled"


def _cause(failure: dg.DagsterEvent) -> str:
    """The cause of a failure without Dagster's wrapping, and its root cause unless the message has that."""
    error = (failure.step_failure_data if failure.is_step_failure else failure.job_failure_data).error
    while error and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    root = error
    while root and root.cause:
        root = root.cause
    if error is None or root is None:
        return (failure.message or "").strip()
    text, why = (_OUR_CLASS.sub("", e.message.strip()) for e in (error, root))
    return text if why.partition(": ")[2] in text else f"{text} ({why})"


def remediate(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    config: dict[str, Any],
    caller: Caller | None = None,
) -> Any:
    """Run a job of one op, a remediation or an import, recorded in the instance; returns the op's result.

    Raises:
        RemediationError: it was refused; the message has the reason.
    """
    job = definitions.resolve_job_def(job_name)
    (op,) = job.graph.node_dict
    run_id = str(uuid.uuid4())
    with (
        listening(instance, run_id),
        belonging(instance, job_origin(definitions, instance, job_name)),
        stopping.closing_with(lambda: "; ".join(filter(None, (_cancel(instance, run_id), _MOVED)))),
    ):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config={**_QUIET, "ops": {op: {"config": config}}},
            raise_on_error=False,
            tags=tags_of(caller),
        )
    if not result.success:
        failed = next(e for e in result.all_events if e.is_step_failure or e.is_job_failure)
        done = "" if failed.is_step_failure else ". What was asked for is done: `nba-props batches` lists the batch"
        raise RemediationError(f"{_cause(failed)}{done}")
    return result.output_for_node(op)
