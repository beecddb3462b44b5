"""A consistent copy of what can't be computed again, taken at any time, even while runs are active.

Rows move from the ledger to the archive in steps: archived, removed, recorded. Copied in the opposite order (records,
ledger, archive, then the rest), a row is in the copy's ledger or in its archive, and the copy is like a lake whose
remediation was killed: the same command continues from there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nba_props.catalog import TABLES
from nba_props.schemas import Table
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, REMEDIATIONS
from nba_props.settings import Settings, SettingsError
from nba_props.warehouse.base import CorruptPartition
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import refuse_unmigrated

_FIRST = (REMEDIATIONS, LEDGER, ARCHIVED_PREDICTIONS)
#: folders of a home, besides the lake, whose files are written atomically and never changed
_BESIDE = ("models", "landing")


@dataclass(frozen=True)
class Backup:
    """The size of a backup, and what it lacks."""

    partitions: int
    files: int
    size: int
    #: partitions that can't be read at all, and why
    lost: tuple[str, ...] = ()


def backup(settings: Settings, target: Path) -> Backup:
    """Copy the lake, the models and the payloads of a home to a new folder, which is a complete home.

    Damaged files are copied as they are: `scrub` finds them in the copy, too.

    Raises:
        SettingsError: the tables are on BigQuery, or the folder is not empty, or is inside the home.
        WarehouseError: a partition can't be copied, or the lake is of an earlier release and has to be migrated first.
    """
    if settings.gcp is not None:
        raise SettingsError("the tables are on BigQuery, which has snapshots for this: see docs/production.md")
    if target.resolve().is_relative_to(settings.home.resolve()):
        raise SettingsError(
            f"{target} is inside the home that it should protect: choose a folder outside of {settings.home}"
        )
    if not settings.lake.is_dir():
        raise SettingsError(f"there is no lake at {settings.lake}: is NBA_PROPS_HOME the home that you mean?")
    if target.exists() and any(target.iterdir()):
        raise SettingsError(f"{target} is not empty: choose a folder that does not exist yet")
    lake = LakeWarehouse(settings.lake)
    refuse_unmigrated(lake)
    copy = LakeWarehouse(target / "lake")
    # read first: a partition that is sealed meanwhile may be copied in its earlier state
    is_sealed, is_whole = lake.is_sealed(), lake.is_whole
    partitions = 0
    lost: list[str] = []
    for table in _in_order():
        lost += lake.lost_partitions(table)
        for day in lake.partitions(table):
            try:
                lake.copy_partition(table, day, copy)
            except CorruptPartition as error:
                lost.append(str(error))
                continue
            partitions += 1
    if source := lake.source():
        copy.claim(source)
    if is_sealed:
        copy.mark_sealed(is_new=is_whole)
    copy.create_views()
    for name in _BESIDE:
        if (settings.home / name).is_dir():
            shutil.copytree(settings.home / name, target / name, ignore=_no_plain_file)
    files = [p for p in target.rglob("*") if p.is_file() and not p.is_symlink()]
    return Backup(partitions, len(files), sum(p.stat().st_size for p in files), tuple(lost))


def _no_plain_file(folder: str, names: list[str]) -> list[str]:
    """The names to skip: links, pipes and unfinished files."""
    plain = {
        e.name for e in os.scandir(folder) if e.is_file(follow_symlinks=False) or e.is_dir(follow_symlinks=False)
    }  # fmt: skip
    return [n for n in names if n.startswith(".") or n not in plain]


def _in_order() -> Iterator[Table]:
    yield from _FIRST
    yield from (t for t in TABLES.values() if t not in _FIRST)
