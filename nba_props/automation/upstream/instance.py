"""Opening an instance with settings besides those of the file in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from nba_props.automation.upstream import is_tested, is_the_tested_version

#: settings that leave a step's output on the terminal: capturing it would hide a progress bar
TO_THE_TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


def refusals() -> tuple[type[Exception], ...]:
    """Errors of Dagster about settings that it can't use."""
    if not is_the_tested_version():
        return (dg.DagsterInvalidConfigError,)
    from dagster._check import CheckError

    return dg.DagsterInvalidConfigError, CheckError


def opener(home: Path, own: Mapping[str, Any], overrides: Mapping[str, Any]) -> Callable[[], dg.DagsterInstance]:
    """What opens the instance of a folder with ``own`` settings, read from its file; ``overrides`` take precedence.

    Settings that Dagster refuses raise one of ``refusals()`` here or, with an untested version, when it is called: then
    only Dagster's own way to open a folder is left. Dagster looks for the file by a pattern, and misses
    it in a folder with ``[`` or ``*`` in its name.
    """
    if not is_tested("opening an instance", "which captures what steps print"):
        return partial(dg.DagsterInstance.from_config, str(home))
    from dagster._core.instance.ref import InstanceRef

    return partial(dg.DagsterInstance.from_ref, InstanceRef.from_dir(str(home), overrides={**own, **overrides}))
