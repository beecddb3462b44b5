"""Rules as Dagster checks with a result for every date, in runs of one date and in range runs.

In a range run Dagster records one evaluation without a partition; the caller of :func:`build_checks` decides how those
of each date are recorded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import dagster as dg

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


class Recorder(Protocol):
    """Records results of the checks of one asset for each partition of a run."""

    def record(self, check_name: str, results: Mapping[str, dg.AssetCheckResult], *, blocking: bool) -> None:
        """Record the results of a check by partition."""
        ...


#: makes the recorder of a run's checks on an asset over some partitions
Recording = Callable[[dg.AssetCheckExecutionContext, dg.AssetKey, Sequence[str]], Recorder]


@dataclass(frozen=True)
class Scope:
    """What a rule may read."""

    inputs: Inputs
    #: the time; None for rules that do not depend on it
    now: datetime | None = None
    #: rows that one rule of a step has read and the next may use; nothing is written in between
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
    """A named rule on a table; ``evaluate`` returns a finding for each of the dates."""

    name: str
    table: Table
    description: str
    evaluate: Callable[[Scope, Sequence[date]], dict[date, Finding]]
    blocking: bool = False


def build_checks(
    rules: Iterable[Rule], partitions: dg.PartitionsDefinition, recording: Recording
) -> list[dg.AssetChecksDefinition]:
    """One step for each table, which evaluates all its rules."""
    by_table: dict[str, list[Rule]] = {}
    for rule in rules:
        by_table.setdefault(rule.table.address, []).append(rule)
    return [_table_checks(own, partitions, recording) for own in by_table.values()]


def _table_checks(
    rules: list[Rule], partitions: dg.PartitionsDefinition, recording: Recording
) -> dg.AssetChecksDefinition:
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
        recorder = recording(context, asset_key(table), [d.isoformat() for d in days])
        for key in sorted(context.selected_asset_check_keys, key=lambda k: k.name):
            rule = by_name[key.name]
            with usage.within(step):
                found = rule.evaluate(scope, days)
            if len(days) > 1:
                each = {d.isoformat(): _result(rule, finding) for d, finding in found.items()}
                recorder.record(rule.name, each, blocking=rule.blocking)
            yield _result(rule, _together(found))

    return checks


def result(
    finding: Finding, figures: Mapping[str, Any], asset: dg.AssetKey | None = None, check: str | None = None
) -> dg.AssetCheckResult:
    """A finding as Dagster's result; steps with several checks name ``asset`` and ``check``."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity(finding.severity.value),
        description=finding.text,
        metadata=figures,
    )


def _result(rule: Rule, finding: Finding) -> dg.AssetCheckResult:
    return result(finding, finding.figures, asset_key(rule.table), rule.name)


def _together(found: dict[date, Finding]) -> Finding:
    """The finding of the only date, or one for all of them with the failed dates and the worst severity."""
    if len(found) == 1:
        return next(iter(found.values()))
    failed = {day: f for day, f in found.items() if not f.passed}
    figures = {"dates": len(found), "failed_dates": [d.isoformat() for d in sorted(failed)]}
    if not failed:
        return Finding(True, f"all {len(found)} dates pass", figures)
    day, first = next(iter(failed.items()))
    text = f"{len(failed)} of {len(found)} dates fail; {day}: {first.text}"
    return Finding(False, text, figures, Severity.WARN if all(f.warns for f in failed.values()) else Severity.ERROR)
