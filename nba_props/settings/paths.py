"""Paths of a deployment's files by its environment, whether or not they exist."""

from __future__ import annotations

from pathlib import Path

_PROJECT_MARK = "workspace.yaml"


def project_root() -> Path:
    """The checkout the process runs in (the folder with workspace.yaml above it), else the working directory."""
    here = Path.cwd().resolve()
    return next((p for p in (here, *here.parents) if (p / _PROJECT_MARK).exists()), here)


def home_of(named: str | Path | None) -> Path:
    """The folder of lake, Dagster instance and reports, by the value of ``NBA_PROPS_HOME``, if it has one."""
    return expanded(named or project_root() / ".nba_props")


def expanded(path: str | Path) -> Path:
    """An absolute path, ``~`` replaced.

    Raises:
        RuntimeError: it begins with ``~`` and a name that is not a user's.
    """
    return Path(path).expanduser().absolute()


def reports_of(home: Path) -> Path:
    """The folder of the scoreboard's pages in a home."""
    return home / "reports"


def site_of(home: Path) -> Path:
    """The folder of the site's pages in a home."""
    return home / "site"
