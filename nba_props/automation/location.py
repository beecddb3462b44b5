"""The code location: where Dagster's UI finds this project's definitions, its name, and the tags of its runs.

The UI assigns runs to jobs by the code location's name: a run that is started from a terminal has to be of the location
that `nba-props dev` serves, or of the deployment's. Either is in the workspace file of the Dagster home.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from nba_props.automation.upstream import runs
from nba_props.process.alive import this_process
from nba_props.process.revision import COMMAND_TAG, REVISION_TAG, revision
from nba_props.storage.files import replace
from nba_props.storage.landing import LandingZone

WORKSPACE = "workspace.yaml"
#: the run tag of the span that was typed in a terminal
SPAN_TAG = "nba_props/span"
#: the run tag of the process that works at a run, by which a killed one is noticed
PROCESS_TAG = "nba_props/process"
_USER_TAG = "user"  # Dagster's own: the UI filters runs by it
#: Dagster's own: a run that was ended in a terminal is not retried
_NO_RETRY = {"dagster/max_retries": "0"}
_OURS = "# written by nba-props: the name says whether the league is simulated"


def location_name(*, simulated: bool) -> str:
    """The name of the code location, which is on every page of the UI."""
    return "nba_props (simulated)" if simulated else "nba_props"


def workspace(home: Path, landing: LandingZone) -> Path:
    """The workspace file of a Dagster home; a deployment's own file is left unchanged."""
    path = home / WORKSPACE
    text = (
        f"{_OURS}\nload_from:\n  - python_module:\n      module_name: nba_props.definitions\n"
        f"      location_name: {location_name(simulated=landing.is_simulated)}\n"
    ).encode()
    found = path.read_bytes() if path.exists() else b""
    if found != text and (not found or found.startswith(_OURS.encode())):
        replace(path, text)
    return path


def job_origin(definitions: dg.Definitions, instance: dg.DagsterInstance, job_name: str) -> Any | None:
    """The origin of a job by the workspace of the instance's home; None for an instance that no UI can show."""
    landing = (definitions.resources or {}).get("landing")
    if not instance.is_persistent or not isinstance(landing, LandingZone):
        return None
    return runs.job_origin(workspace(Path(instance.root_directory), landing), job_name)


@dataclass(frozen=True)
class Caller:
    """The user who started a run in a terminal, the command and its span: ``backfill``, ``2026-01-14..2026-01-18``."""

    command: str
    span: str = ""
    user: str = ""

    @classmethod
    def of(cls, command: str, span: str = "") -> Caller:
        """A caller with the user of this process."""
        return cls(command, span, _user())

    @property
    def tags(self) -> Mapping[str, str]:
        """The same as tags of a run."""
        values = {COMMAND_TAG: self.command, SPAN_TAG: self.span, _USER_TAG: self.user}
        return {**_NO_RETRY, **{tag: value for tag, value in values.items() if value}}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def tags_of(caller: Caller | None) -> dict[str, str]:
    """The tags of every run that is started in a process of ours."""
    return {REVISION_TAG: revision(), PROCESS_TAG: this_process(), **(caller.tags if caller else {})}
