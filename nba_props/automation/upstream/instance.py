"""Opening an instance with settings besides those of the file in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._check import CheckError
from dagster._core.instance.ref import InstanceRef

from nba_props.automation.upstream import is_tested

#: settings that leave a step's output on the terminal: capturing it would hide a progress bar
TO_THE_TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
#: errors of Dagster about settings that it can't use
REFUSALS = (dg.DagsterInvalidConfigError, CheckError)


def settings_of(home: Path, own: Mapping[str, Any], overrides: Mapping[str, Any]) -> InstanceRef | None:
    """The settings of an instance: ``own``, read from its file, with ``overrides`` in precedence.

    Dagster looks for the file by a pattern, and misses it in a folder with ``[`` or ``*`` in its name. None if only
    Dagster's own reading of the folder is left.
    """
    if not is_tested("opening an instance", "which captures what steps print"):
        return None
    return InstanceRef.from_dir(str(home), overrides={**own, **overrides})


def opened(home: Path, ref: InstanceRef | None) -> dg.DagsterInstance:
    """The instance with these settings or, without any, of the folder as Dagster reads it."""
    return dg.DagsterInstance.from_ref(ref) if ref is not None else dg.DagsterInstance.from_config(str(home))


__all__ = ["REFUSALS", "TO_THE_TERMINAL", "InstanceRef", "opened", "settings_of"]
