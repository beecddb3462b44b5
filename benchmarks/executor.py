"""One date in a process of its own, with the executor named on the command line."""

import sys
from pathlib import Path

import dagster as dg

from benchmarks.data import HISTORY, LANDING, NOW
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.settings import Settings


def defs_with(home: str, executor: str) -> dg.Definitions:
    """The platform's definitions over the benchmark's lake, with another executor."""
    definitions = build_defs(
        deployed(Settings("local", Path(home), str(LANDING), first_date=HISTORY[0]), clock=lambda: NOW)
    )
    chosen = dg.in_process_executor if executor == "in_process" else dg.multiprocess_executor
    return dg.Definitions.merge(dg.Definitions(executor=chosen), dg.Definitions(
        assets=definitions.assets, asset_checks=definitions.asset_checks, jobs=definitions.jobs,
        resources=definitions.resources,
    ))  # fmt: skip


def predict_job(home: str, executor: str) -> dg.JobDefinition:
    """The job, as a process that is spawned for a step rebuilds it."""
    return defs_with(home, executor).resolve_job_def("predict")


if __name__ == "__main__":
    home, day, executor = sys.argv[1:]
    folder = Path(home) / "executors"
    folder.mkdir(exist_ok=True)
    with dg.DagsterInstance.local_temp(str(folder), {"telemetry": {"enabled": False}}) as instance:
        job = dg.build_reconstructable_job("benchmarks.executor", "predict_job", (home, executor), {})
        result = dg.execute_job(job, instance, tags={"dagster/partition": day})
        if not result.success:
            raise SystemExit(1)
