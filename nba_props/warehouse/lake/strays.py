"""Files and folders under a lake that are not part of it: no reader uses them, and people are shown them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nba_props.catalog import TABLES
from nba_props.storage.files import ASIDE, TEMPORARY
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.layout import CATALOG, CHANGES, LOCK, PREFIX, Layout, day_of
from nba_props.warehouse.partitioned import SEALED_MARK, SOURCE_MARK


def strays(layout: Layout) -> list[tuple[str, str]]:
    """The files and folders under a lake that are not part of it, by path, and why."""
    tables = {layout.folder(t) for t in TABLES.values()}
    datasets = {folder.parent for folder in tables}
    found = [
        (entry.path, "is not named like a table")
        for dataset in sorted(datasets)
        for entry in _entries(dataset)
        if Path(entry.path) not in tables
    ]
    found += [
        (entry.path, "is neither a dataset of tables nor a file of the lake")
        for entry in _entries(layout.root)
        if entry.name not in (SOURCE_MARK, SEALED_MARK)
        and not entry.name.startswith((".", "_", CATALOG))
        and Path(entry.path) not in datasets
        # what `doctor --repair` sets aside is kept beside its place
        and ASIDE not in entry.name
    ]
    return [*found, *(stray for table in TABLES.values() for stray in _in_table(layout.folder(table)))]


def _in_table(folder: Path) -> Iterator[tuple[str, str]]:
    """What is in a table's folder and not part of a partition, by path, and why."""
    if folder.is_file():
        yield str(folder), "is a file in the place of a table's folder"
    for entry in _entries(folder):
        if entry.name == CHANGES:
            continue
        if day_of(entry.name) is None:
            yield entry.path, f"is not named like a partition ({PREFIX}2026-01-09)"
        elif not entry.is_dir():
            yield entry.path, "is named like a partition and is not a folder"
        else:
            yield from _in_partition(Path(entry.path))


def _in_partition(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in _entries(folder):
        if entry.name == files.CURRENT:
            if files.locate(entry.path) is None:
                yield entry.path, "is named like a partition's file and is neither that nor a link to one"
        elif entry.name not in (LOCK, files.WRITTEN) and not (
            entry.name.startswith(TEMPORARY) or files.is_ours(entry.name)
        ):
            yield entry.path, f"is neither {files.CURRENT} nor a file that it led to"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
