"""What Dagster records of a partitioned asset check in a run over a range: one evaluation, which names no partition.

python reproduction.py
"""

import inspect
import sys

import dagster as dg

DAYS = dg.DailyPartitionsDefinition("2026-01-01")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def points(context: dg.AssetExecutionContext) -> None:
    """A table with a partition a day, all of them made by one run."""


@dg.asset_check(asset=points, partitions_def=DAYS)
def is_complete(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """The second of January is damaged, and no other day."""
    damaged = "2026-01-02" in context.partition_keys
    return dg.AssetCheckResult(passed=not damaged, metadata={"judged": list(context.partition_keys)})


def main() -> None:
    """Check three days in one run, and print what is recorded."""
    definitions = dg.Definitions([points], asset_checks=[is_complete], jobs=[dg.define_asset_job("daily", [points])])
    span = {"dagster/asset_partition_range_start": "2026-01-01", "dagster/asset_partition_range_end": "2026-01-03"}
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("daily").execute_in_process(instance=instance, tags=span)
        for evaluation in result.get_asset_check_evaluations():
            judged = evaluation.metadata["judged"].value
            sys.stdout.write(f"judged {judged}: partition={evaluation.partition} passed={evaluation.passed}\n")
    accepted = "partition_key" in inspect.signature(dg.AssetCheckResult.__new__).parameters
    sys.stdout.write(f"AssetCheckResult takes a partition_key: {accepted}\n")


if __name__ == "__main__":
    main()
