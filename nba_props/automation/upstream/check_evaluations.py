"""An evaluation of a check for each partition of a run over a range.

Dagster records one without a partition; those per partition are logged here under the same run.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from nba_props.automation.upstream import is_tested

if TYPE_CHECKING:
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData,
    )


class PartitionEvaluations:
    """Evaluations of the checks of one asset, for the partitions of a run."""

    def __init__(self, context: dg.AssetCheckExecutionContext, key: dg.AssetKey, partitions: Sequence[str]) -> None:
        self._context, self._key, self._partitions = context, key, partitions

    def record(self, check_name: str, results: Mapping[str, dg.AssetCheckResult], *, blocking: bool) -> None:
        """Log a check's result for each partition, with the partition's newest materialization as its target."""
        if not is_tested("a check's result over a range", "and shows the range's only, not each partition's"):
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
    def _newest(self) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
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
