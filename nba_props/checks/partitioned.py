"""How a rule becomes a Dagster check with a result of its own for every date, in single and in range runs.

In a range run Dagster records one evaluation without a partition; the evaluations per date are logged here under the
same run. That needs two imports that Dagster does not export: they stay in this module, and a test guards them.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata, DagsterEventType

from nba_props.assets.inputs import Inputs
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import asset_key
from nba_props.domain.finding import Finding, Severity
from nba_props.process.clock import Clock
from nba_props.schemas import Table
from nba_props.settings import Settings
from nba_props.storage.models import ModelStore
from nba_props.warehouse import usage
from nba_props.warehouse.base import Warehouse

#: the materialization that a date's evaluation is about
Targets = dict[str, AssetCheckEvaluationTargetMaterializationData]


@dataclass(frozen=True)
class Scope:
    """What a rule may read."""

    inputs: Inputs
    #: the time; None where nobody asks what should be there by now
    now: datetime | None = None
    #: what one rule of a step has read and the next may use; nothing is written in between
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def warehouse(self) -> Warehouse:
        return self.inputs.warehouse

    @property
    def settings(self) -> Settings:
        return self.inputs.settings

    @property
    def models(self) -> ModelStore:
        return self.inputs.models


@dataclass(frozen=True)
class Rule:
    """A named rule on a table; ``evaluate`` answers for all dates at once."""

    name: str
    table: Table
    description: str
    evaluate: Callable[[Scope, Sequence[date]], dict[date, Finding]]
    blocking: bool = False


def build_checks(rules: Iterable[Rule], partitions: dg.PartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """One step per table that evaluates all its rules."""
    by_table: dict[str, list[Rule]] = {}
    for rule in rules:
        by_table.setdefault(rule.table.address, []).append(rule)
    return [_table_checks(own, partitions) for own in by_table.values()]


def _table_checks(rules: list[Rule], partitions: dg.PartitionsDefinition) -> dg.AssetChecksDefinition:
    table = rules[0].table
    by_name = {rule.name: rule for rule in rules}
    step = f"{table.dataset}__{table.name}__checks"

    @dg.multi_asset_check(
        name=step,
        specs=[
            dg.AssetCheckSpec(
                rule.name,
                asset=asset_key(table),
                description=rule.description,
                blocking=rule.blocking,
                partitions_def=partitions,
            )
            for rule in rules
        ],
        can_subset=True,
    )
    def checks(
        context: dg.AssetCheckExecutionContext,
        inputs: dg.ResourceParam[Inputs],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        days = partition_days(context)
        scope = Scope(inputs.fresh(), clock())
        targets: Targets = {}
        for key in sorted(context.selected_asset_check_keys, key=lambda k: k.name):
            rule = by_name[key.name]
            with usage.within(step):
                found = rule.evaluate(scope, days)
            if len(days) > 1:
                targets = targets or _newest_materializations(
                    context.instance, asset_key(table), [d.isoformat() for d in days]
                )
                _record(context, rule, found, targets)
            yield _result(rule, found)

    return checks


def _result(rule: Rule, found: dict[date, Finding]) -> dg.AssetCheckResult:
    """The finding of the only date, or one for all: with the dates that failed, as grave as the gravest of them."""
    (finding,) = found.values() if len(found) == 1 else (_together(found),)
    return dg.AssetCheckResult(
        asset_key=asset_key(rule.table),
        check_name=rule.name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity(finding.severity.value),
        description=finding.text,
        metadata=finding.figures,
    )


def _together(found: dict[date, Finding]) -> Finding:
    failed = {day: f for day, f in found.items() if not f.passed}
    figures = {"dates": len(found), "failed_dates": [d.isoformat() for d in sorted(failed)]}
    if not failed:
        return Finding(True, f"all {len(found)} dates pass", figures)
    day, first = next(iter(failed.items()))
    text = f"{len(failed)} of {len(found)} dates fail; {day}: {first.text}"
    return Finding(False, text, figures, Severity.WARN if all(f.warns for f in failed.values()) else Severity.ERROR)


def _record(context: dg.AssetCheckExecutionContext, rule: Rule, found: dict[date, Finding], targets: Targets) -> None:
    """Log each date's evaluation under this run, against the date's newest materialization."""
    key = asset_key(rule.table)
    batch = str(uuid.uuid4())
    for number, (day, finding) in enumerate(found.items(), start=1):
        partition = day.isoformat()
        evaluation = dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=rule.name,
            partition=partition,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity(finding.severity.value),
            blocking=rule.blocking,
            description=finding.text,
            metadata={k: _metadata(v) for k, v in finding.figures.items()},
            target_materialization_data=targets.get(partition),
        )
        context.instance.report_dagster_event(
            DagsterEvent(
                DagsterEventType.ASSET_CHECK_EVALUATION.value,
                job_name=context.run.job_name,
                event_specific_data=evaluation,
            ),
            run_id=context.run.run_id,
            batch_metadata=DagsterEventBatchMetadata(batch, is_end=number == len(found)),
        )


def _newest_materializations(instance: dg.DagsterInstance, key: dg.AssetKey, partitions: list[str]) -> Targets:
    newest: Targets = {}
    cursor = None
    while len(newest) < len(partitions):
        page = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions), limit=1000, cursor=cursor
        )
        for record in page.records:
            if record.partition_key is not None:
                newest.setdefault(
                    record.partition_key,
                    AssetCheckEvaluationTargetMaterializationData(
                        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
                    ),
                )
        if not page.has_more:
            break
        cursor = page.cursor
    return newest


def _metadata(value: Any) -> dg.MetadataValue:
    match value:
        case dg.MetadataValue():
            return value
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(value)
        case str():
            return dg.MetadataValue.text(value)
        case _:
            return dg.MetadataValue.json(value)
