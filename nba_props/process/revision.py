"""The revision of the code, recorded with every run (and so every row) and on every page."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nba_props.process.version import __version__

if TYPE_CHECKING:
    import pandas as pd

#: the variable with the revision where there is no checkout; set in images
REVISION = "NBA_PROPS_REVISION"
#: the run tags for the revision, and for the command typed in a terminal, without its span
REVISION_TAG, COMMAND_TAG = "nba_props/revision", "nba_props/command"
_LIMIT_SECONDS = 5


def revision() -> str:
    """``NBA_PROPS_REVISION`` where it is set; else the version, and in a checkout the commit: ``0.1.0+g1a2b3c4``.

    ``.dirty`` follows when files of the checkout differ from that commit.
    """
    return os.environ.get(REVISION, "").strip() or _of_the_code()


def publication(days: pd.Series, run_id: str, job_name: str, command: str | None, now: datetime) -> pd.DataFrame:
    """Rows of ``nba_predictions.publications``: the revision with which a run publishes rows of these game dates."""
    import pandas as pd

    account = {
        "run_id": run_id, "revision": revision(), "job_name": job_name, "command": command,
        "recorded_at": pd.Timestamp(now),
    }  # fmt: skip
    each = pd.to_datetime(days).drop_duplicates()
    return pd.DataFrame([{"game_date": day, **account} for day in each], columns=["game_date", *account])


def run_tags() -> dict[str, str]:
    """Tags for jobs without assets, so that every run of them records the revision."""
    return {REVISION_TAG: revision()}


@cache
def _of_the_code() -> str:
    described = _commit(Path(__file__).parents[2])
    return f"{__version__}+{described}" if described else __version__


def _commit(root: Path) -> str:
    """The commit of a checkout as ``g1a2b3c4`` or ``g1a2b3c4.dirty``; empty where there is none, or git fails."""
    if not (root / ".git").exists():  # the package may be installed inside another project's checkout
        return ""
    # the state of this checkout, even if a hook's environment points git elsewhere
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - no argument comes from outside
            ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=9", "--dirty=.dirty"],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=_LIMIT_SECONDS, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"g{done.stdout.strip()}"
