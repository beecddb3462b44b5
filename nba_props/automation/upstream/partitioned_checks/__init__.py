"""A result of an asset check for each partition of a run over a range, where Dagster records one for all of them.

This folder depends on Dagster alone and can be copied whole: ``README.md`` says how to use it.
"""

import functools
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData,
    )

#: the version whose private names are used here; with any other a range run has Dagster's single result
TESTED_WITH = "1.13.27"
_LOG = logging.getLogger(__name__)
#: judges partitions: the context and their keys in, a result for each key out
Judge = Callable[[dg.AssetCheckExecutionContext, Sequence[str]], Mapping[str, dg.AssetCheckResult]]


def partitioned_asset_check(
    *,
    asset: dg.AssetsDefinition | dg.AssetKey | str | Sequence[str],
    partitions_def: dg.PartitionsDefinition,
    blocking: bool = False,
    **more: Any,
) -> Callable[[Judge], dg.AssetChecksDefinition]:
    """Decorate a :data:`Judge` as an asset check with a result for each partition, whatever a run covers.

    Args:
        asset: the partitioned asset, or its key.
        partitions_def: its partitions.
        blocking: whether a failure stops what is downstream in the run, for all partitions of it.
        more: further arguments of ``dagster.asset_check``; name and description are those of the function.
    """

    found = asset.key if isinstance(asset, dg.AssetsDefinition) else asset
    key = found if isinstance(found, dg.AssetKey) else dg.AssetKey(found)

    def decorate(judge: Judge) -> dg.AssetChecksDefinition:
        named = {"name": judge.__name__, "description": judge.__doc__, **more}

        # without functools.wraps: Dagster reads inputs from the signature that it would show
        @dg.asset_check(asset=key, partitions_def=partitions_def, blocking=blocking, **named)
        def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            partitions = context.partition_keys
            results = judge(context, partitions)
            if missing := [partition for partition in partitions if partition not in results]:
                raise dg.DagsterInvariantViolationError(
                    f"the check {named['name']} has no result for {len(missing)} of {len(partitions)} partitions, the "
                    f"first {missing[0]}"
                )
            if len(partitions) > 1:
                PartitionEvaluations(context, key, partitions).record(named["name"], results, blocking=blocking)
            return together(results)

        return check

    return decorate


def together(results: Mapping[str, dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """The result of the only partition, or one for all of them: failed if any is, with the worst severity.

    Raises:
        ValueError: there is none: nothing was judged, which is not a success.
    """
    if not results:
        raise ValueError("a check without results neither passes nor fails")
    if len(results) == 1:
        return next(iter(results.values()))
    failed = {partition: result for partition, result in sorted(results.items()) if not result.passed}
    worst = {result.severity for result in failed.values()}
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN if worst == {dg.AssetCheckSeverity.WARN} else dg.AssetCheckSeverity.ERROR,
        description=f"{len(failed)} of {len(results)} partitions fail" if failed else f"all {len(results)} pass",
        metadata={"partitions": len(results), "failed_partitions": list(failed)},
    )


class PartitionEvaluations:
    """Evaluations of the checks of one asset, for the partitions of a run."""

    def __init__(self, context: dg.AssetCheckExecutionContext, key: dg.AssetKey, partitions: Sequence[str]) -> None:
        self._context, self._key, self._partitions = context, key, partitions

    def record(self, check_name: str, results: Mapping[str, dg.AssetCheckResult], *, blocking: bool) -> None:
        """Log a check's result for each partition, with the partition's newest materialization as its target."""
        if not _is_tested():
            return
        from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata, DagsterEventType

        batch = str(uuid.uuid4())
        for number, (partition, result) in enumerate(results.items(), start=1):
            evaluation = dg.AssetCheckEvaluation(
                asset_key=self._key,
                check_name=check_name,
                partition=partition,
                passed=result.passed,
                severity=result.severity,
                blocking=blocking,
                description=result.description,
                metadata=result.metadata,
                target_materialization_data=self._newest.get(partition),
            )
            self._context.instance.report_dagster_event(
                DagsterEvent(
                    DagsterEventType.ASSET_CHECK_EVALUATION.value,
                    job_name=self._context.run.job_name,
                    event_specific_data=evaluation,
                ),
                run_id=self._context.run.run_id,
                batch_metadata=DagsterEventBatchMetadata(batch, is_end=number == len(results)),
            )

    @cached_property
    def _newest(self) -> dict[str, "AssetCheckEvaluationTargetMaterializationData"]:
        """The newest materialization of each partition that has one."""
        from dagster._core.definitions.asset_checks.asset_check_evaluation import (
            AssetCheckEvaluationTargetMaterializationData,
        )

        newest: dict[str, AssetCheckEvaluationTargetMaterializationData] = {}
        cursor = None
        while len(newest) < len(self._partitions):
            page = self._context.instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=self._key, asset_partitions=self._partitions), limit=1000, cursor=cursor
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


def _is_tested() -> bool:
    """Whether Dagster is the tested version; otherwise warns once what is lost."""
    if dg.__version__ != TESTED_WITH:
        _warn(dg.__version__)
    return dg.__version__ == TESTED_WITH


@functools.cache
def _warn(version: str) -> None:
    _LOG.warning(
        "Dagster %s is not the tested %s: a check's result over a range uses Dagster's standard behaviour, and shows "
        "the range's only, not each partition's",
        version,
        TESTED_WITH,
    )
