"""What this code makes of three histories: a digest of every table and view of each, run ids and clocks aside.

``python -m benchmarks.yardstick FOLDER > FILE`` plays two weeks of real payloads, the two nights of ``demo`` and 26
dates of the tests' small league by commands, each in a home of its own below FOLDER, and prints the digests as JSON.
The files of two commits are equal if nothing has changed that a reader of the tables could see.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from benchmarks.data import LANDING
from nba_props.schemas.base import VOLATILE
from nba_props.storage.landing import LandingZone
from nba_props_tests import league

#: instants, runs and payloads of rows, and what is derived from them: they differ in every run
_OF_THE_RUN = VOLATILE | {
    "first_created_at", "last_created_at", "updated_at", "first_seen", "last_seen", "revision", "command",
    "published_at",
}  # fmt: skip
_SEASON = (league.FIRST + timedelta(4), league.FIRST + timedelta(29))


def _typed(environment: Mapping[str, str], *arguments: str) -> str:
    """The output of a command, whatever its exit status: a small league fails some checks."""
    return subprocess.run(
        [sys.executable, "-m", "nba_props", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
    ).stdout


def _digests(environment: Mapping[str, str]) -> dict[str, str]:
    """Rows and a digest of each table and view, in any order of rows."""
    found = {}
    for table in json.loads(_typed(environment, "sql", "SHOW TABLES", "--format", "json")):
        name = table["name"]
        rows = list(csv.DictReader(io.StringIO(_typed(environment, "sql", f"SELECT * FROM {name}", "--format", "csv"))))
        said = sorted(json.dumps({k: v for k, v in row.items() if k not in _OF_THE_RUN}) for row in rows)
        digest = hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()
        found[name] = f"{len(rows)} rows {digest}"
    return found


def _environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PROPS", "DAGSTER"))}
    return {**kept, "NBA_PROPS_HOME": str(home), **more}


def real(folder: Path) -> dict[str, str]:
    """Two weeks of real payloads, with the history of two seasons."""
    environment = _environment(folder / "home", NBA_PROPS_LANDING=str(LANDING), NBA_PROPS_FIRST_DATE="2023-10-24")
    for command in ("backfill", "grade"):
        _typed(environment, command, "2025-11-01..2025-11-15")
    return _digests(environment)


def nights(folder: Path) -> dict[str, str]:
    """The two nights of the demo."""
    environment = _environment(folder / "home")
    _typed(environment, "demo")
    _typed(environment, "grade", "2026-01-09..2026-01-10")
    return _digests(environment)


def season(folder: Path) -> dict[str, str]:
    """26 dates of the tests' small league."""
    league.land(LandingZone(str(folder / "landing")))
    environment = _environment(
        folder / "home",
        NBA_PROPS_LANDING=str(folder / "landing"),
        NBA_PROPS_FIRST_DATE=str(league.FIRST),
    )
    for command in ("backfill", "grade"):
        _typed(environment, command, "..".join(map(str, _SEASON)))
    return _digests(environment)


_HISTORIES = {"real": real, "nights": nights, "season": season}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=list(_HISTORIES))
    arguments = parser.parse_args()
    found = {}
    for name, history in _HISTORIES.items():
        if arguments.only in (None, name):
            (arguments.folder / name).mkdir(parents=True)
            found[name] = history((arguments.folder / name).absolute())
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
