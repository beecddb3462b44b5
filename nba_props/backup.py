"""A copy of what can't be made again, taken at any time beside whatever runs, and whole.

Rows move from the ledger to the archive in steps: archived, removed, recorded. Copied in the opposite order (records,
ledger, archive, then the rest), a row is in the copy's ledger or in its archive, and the copy is like a lake whose
remediation was killed: the same command goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nba_props.schemas import TABLES, Table
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, PLAYER_PROP_PREDICTIONS, REMEDIATIONS
from nba_props.settings import Settings, SettingsError
from nba_props.warehouse.lake import LakeWarehouse

_FIRST = (REMEDIATIONS, PLAYER_PROP_PREDICTIONS, ARCHIVED_PREDICTIONS)
#: folders of a home whose files are written whole and never changed, beside the lake
_BESIDE = ("models", "landing")


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    partitions: int
    files: int
    size: int


def backup(settings: Settings, target: Path) -> Backup:
    """Copy the lake, the models and what is landed under home to a new folder, which is a home again.

    What is damaged is copied as it is: `scrub` finds it in the copy as in the original.

    Raises:
        SettingsError: the tables are on BigQuery, or the folder holds something.
        WarehouseError: a partition can't be copied.
    """
    if settings.gcp is not None:
        raise SettingsError("the tables are on BigQuery, which has snapshots for this: see docs/production.md")
    if target.exists() and any(target.iterdir()):
        raise SettingsError(f"{target} is not empty: name a folder that is not there yet")
    lake = LakeWarehouse(settings.lake)
    copy = LakeWarehouse(target / "lake")
    partitions = 0
    for table in _in_order():
        for day in lake.partitions(table):
            lake.copy_partition(table, day, copy)
            partitions += 1
    if source := lake.source():
        copy.claim(source)
    copy.create_views()
    for name in _BESIDE:
        if (settings.home / name).is_dir():
            shutil.copytree(settings.home / name, target / name, ignore=shutil.ignore_patterns(".*"))
    files = [p for p in target.rglob("*") if p.is_file() and not p.is_symlink()]
    return Backup(partitions, len(files), sum(p.stat().st_size for p in files))


def _in_order() -> Iterator[Table]:
    yield from _FIRST
    yield from (t for t in TABLES.values() if t not in _FIRST)
