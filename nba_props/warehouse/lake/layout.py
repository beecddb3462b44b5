"""Where a lake's files are: ``root/<dataset>/<table>/game_date=YYYY-MM-DD/data.parquet``, with a lock beside each."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from functools import lru_cache
from pathlib import Path

from nba_props.facts.calendar import named_day
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, WarehouseError
from nba_props.warehouse.lake import files

_LOG = logging.getLogger(__name__)
#: a DuckDB file of views, for BI tools
CATALOG = "catalog.duckdb"
PREFIX = "game_date="
#: folders that have the form of a partition's name, as a glob and as a pattern
DATES = f"{PREFIX}[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DATE_FORM = re.compile(rf"{PREFIX}\d{{4}}-\d{{2}}-\d{{2}}", re.ASCII)
LOCK = ".lock"
LOCK_TIMEOUT_SECONDS = 120
#: grows by a byte with every change of a table's partitions, so that readers need not look at each of them
CHANGES = ".changes"


class Layout:
    """The folders and files of a lake."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def now(self) -> Layout:
        """The partitions of today; see ``Past``."""
        return self

    def find(self, link: str) -> tuple[str, tuple[object, ...]] | None:
        """Where the rows of a partition are, see :func:`files.locate`."""
        return files.locate(link)

    def folder(self, table: Table) -> Path:
        """The folder of a table."""
        return self.root / table.dataset / table.name

    def file(self, table: Table, partition: date) -> Path:
        """The link, or plain file, that is a partition."""
        return self.folder(table) / f"{PREFIX}{partition.isoformat()}" / files.CURRENT

    def located(self, table: Table, partition: date) -> str | None:
        """The file that a partition is now; None when it was never written."""
        found = self.find(str(self.file(table, partition)))
        return found[0] if found else None

    def names(self, table: Table) -> list[str]:
        """The names in a table's folder, in no order."""
        try:
            return os.listdir(self.folder(table))
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise CorruptPartition(
                f"{error.filename} or a folder above it is a file, so it is unknown what {table.address} holds: "
                "put the folder back in its place"
            ) from error

    def days(self, table: Table) -> list[date]:
        """The dates of the folders that are named like a partition's, in order."""
        return sorted(d for d in map(day_of, self.names(table)) if d is not None)

    def partitions(self, table: Table) -> list[date]:
        """The dates that have a partition, in order."""
        return [d for d in self.days(table) if self.located(table, d)]

    def has_partition(self, table: Table) -> bool:
        """Whether a table has a partition."""
        return any(self.located(table, d) for d in self.days(table))

    def glob_is_exact(self, table: Table) -> bool:
        """Whether ``DATES`` matches partitions only: 2026-13-01 has the form of a date, and a folder may have a file's
        name.
        """
        named = [day_of(n) for n in self.names(table) if _DATE_FORM.fullmatch(n)]
        return all(
            day is not None and (self.located(table, day) or not os.path.lexists(self.file(table, day)))
            for day in named
        )

    def refuse_lost(self, table: Table, partition: date) -> None:
        """Raise :class:`CorruptPartition` for a partition that was written and whose link is gone."""
        link = self.file(table, partition)
        if files.is_lost(link):
            left = [p.name for p in files.versions(link.parent)]
            repair = f"`ln -s {left[-1]} {link}` puts its newest file back" if left else "put its backup in its place"
            raise CorruptPartition(
                f"{table.address} partition {partition} was written and {link} is gone or leads nowhere: {repair}"
            )

    def rename(self, before: Table, table: Table) -> None:
        """Move the partitions of one table to another that has none of these dates."""
        for day in self.days(before):
            source, target = self.file(before, day).parent, self.file(table, day).parent
            with self.locked(before, day):  # a process of the earlier release may still be writing
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(source, target)
                except OSError as error:
                    raise WarehouseError(
                        f"cannot move {source} to {target}: {error.strerror or error}. Where both hold rows, an "
                        f"earlier release wrote after the migration: stop it, keep both folders, and move {source} away"
                    ) from error
        self.note_change(table)
        (self.folder(before) / CHANGES).unlink(missing_ok=True)
        with suppress(OSError):  # other files in it stay, as strays
            self.folder(before).rmdir()

    # -- changes and locks ------------------------------------------------------------------------------------------

    def note_change(self, table: Table) -> None:
        """Make every reader look at the table's partitions again; without it they do so within a second."""
        try:
            with (self.folder(table) / CHANGES).open("ab") as marks:
                marks.write(b".")
        except OSError as error:
            _LOG.warning("readers of %s see its change a second later: %s", table.address, error)

    def changes(self, table: Table) -> tuple[int, int]:
        """A value that changes when a partition of the table is written, or added or removed by another program.

        A run makes hundreds of statements, and a look at each file of its tables would cost as much as the statements.
        """
        found = []
        for name in ("", CHANGES):
            try:
                status = os.stat(f"{self.folder(table)}/{name}")
            except FileNotFoundError:
                found.append(0)
            else:
                found.append(status.st_size if name else status.st_mtime_ns)
        return found[0], found[1]

    def locked(self, table: Table, partition: date) -> AbstractContextManager[None]:
        """Inside, no other process has the partition's lock.

        Raises:
            WarehouseError: another one held it for too long, or the lock can't be written.
        """
        path = self.file(table, partition).with_name(LOCK)
        return held(path, f"{table.address} partition {partition}")


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Inside, no other process has this lock.

    Raises:
        WarehouseError: another one held it for too long, or the lock can't be written.
    """
    import filelock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=LOCK_TIMEOUT_SECONDS)
        lock.acquire()
    except filelock.Timeout as error:
        raise WarehouseError(
            f"{what} is held by another run for over {LOCK_TIMEOUT_SECONDS} s; wait for it or stop it, then run again"
        ) from error
    except OSError as error:
        raise WarehouseError(f"cannot lock {what}: {error}") from error
    try:
        yield
    finally:
        lock.release()


@lru_cache(maxsize=10_000)
def day_of(folder: str) -> date | None:
    """The date of a partition's folder; None for a folder of another name."""
    return named_day(folder.removeprefix(PREFIX)) if folder.startswith(PREFIX) else None
