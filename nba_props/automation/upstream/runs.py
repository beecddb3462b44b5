"""Runs of this process: the UI assigns them to their job like other runs, and they are released once they are over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from nba_props.automation.upstream import is_tested


@contextmanager
def listening(
    instance: dg.DagsterInstance, run_id: str, listen: Callable[[dg.EventLogEntry], None] | None = None
) -> Iterator[None]:
    """While in here, ``listen`` is called with a run's events; afterwards the instance keeps nothing of the run.

    Dagster has no way to remove a listener, and remembers every run whose events it stored.
    """
    if listen is not None:
        instance.add_event_listener(run_id, listen)
    try:
        yield
    finally:
        if is_tested("listening to a run", "and a long process keeps a little of every run"):
            instance._subscribers.pop(run_id, None)


def job_origin(workspace: Path, job_name: str) -> Any | None:
    """The origin of a job in the first location of a workspace file; None if the version of Dagster is not tested."""
    if not is_tested("running a job", "and runs of a terminal are listed under no job"):
        return None
    from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
    from dagster._core.remote_origin import RemoteRepositoryOrigin
    from dagster._core.workspace.load import location_origins_from_yaml_paths

    location, *_ = location_origins_from_yaml_paths([str(workspace)])
    return RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job_name)


@contextmanager
def belonging(instance: dg.DagsterInstance, origin: Any | None) -> Iterator[None]:
    """While in here, a created run has this origin, by which the UI assigns it to a job.

    ``execute_in_process`` has no argument for it.
    """
    if origin is None:
        yield
        return
    create = instance.create_run_for_job
    instance.create_run_for_job = partial(create, remote_job_origin=origin)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del instance.create_run_for_job
