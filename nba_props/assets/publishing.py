"""The end of a run that writes tables: what it has written becomes a version of each of its dates, if it succeeded.

It is the end of a resource, which Dagster reaches in every run, from a terminal, the UI, a sensor or a schedule: after
the last step, and before the run is recorded as a success.
"""

import sys
from collections.abc import Iterator

import dagster as dg

from nba_props.process.errors import NbaPropsError
from nba_props.process.revision import revision
from nba_props.warehouse.base import Publication, Warehouse

#: the resource of every run that writes tables
PUBLICATION = "publication"


class NotPublished(NbaPropsError, dg.DagsterError):
    """A run has written its tables, and no version of them could be published.

    It is an error of Dagster's kind: any other one from the end of a resource is a line in the log of a successful run.
    """


def has_failed_step(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a step of a run has failed so far."""
    of_a_step = dg.DagsterEventType.STEP_FAILURE
    return bool(instance.get_records_for_run(run_id, of_type=of_a_step, limit=1).records)


def publication_of(warehouse: Warehouse) -> dg.ResourceDefinition:
    """The resource over a warehouse."""

    def publication(context: dg.InitResourceContext) -> Iterator[Publication]:
        run, instance = context.run, context.instance
        if run is None or instance is None:  # nothing runs, as in a sensor
            yield Publication()
            return
        with warehouse.publication(run.run_id, run.job_name, revision()) as opened:
            yield opened
            if sys.exc_info()[0] is not None:  # the run was interrupted between two steps
                return
            if not has_failed_step(instance, run.run_id):
                try:
                    opened.publish()
                except Exception as error:
                    raise NotPublished(str(error)) from error

    return dg.ResourceDefinition(publication)
