"""Paths of a deployment's files by its environment, whether or not they exist."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_PROJECT_MARK = "workspace.yaml"


def project_root(start: Path | None = None) -> Path:
    """The checkout the process runs in (the folder with workspace.yaml above it), else the working directory."""
    here = (start or Path.cwd()).resolve()
    return next((p for p in (here, *here.parents) if (p / _PROJECT_MARK).exists()), here)


def home_of(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of lake, Dagster instance and reports, whether or not it exists."""
    return expanded(environ.get("NBA_PROPS_HOME") or project_root() / ".nba_props")


def profile_of(environ: Mapping[str, str] = os.environ) -> str:
    """The profile, for a process that needs no other setting of it."""
    return environ.get("NBA_PROPS_PROFILE") or "local"


def expanded(path: str | Path) -> Path:
    """An absolute path, ``~`` replaced.

    Raises:
        RuntimeError: it begins with ``~`` and a name that is not a user's.
    """
    return Path(path).expanduser().absolute()


def reports_of(home: Path) -> Path:
    """The folder of the scoreboard's pages in a home."""
    return home / "reports"
