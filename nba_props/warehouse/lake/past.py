"""A lake as of an instant: for each date its newest version not after it, by the files that were current then.

Of a date that no run has written since versions are kept, a current file that was written before the instant was
current then, too. What can't be known, because it was replaced before versions were kept or its version was removed, is
an error in statements that read that date of that table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from nba_props.catalog import TABLES
from nba_props.process import clock
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, NotKept, past_is_fixed
from nba_props.warehouse.lake.files import is_as_written, is_lost
from nba_props.warehouse.lake.layout import LOCK_TIMEOUT_SECONDS, Layout, day_of
from nba_props.warehouse.lake.manifests import Manifest, Manifests

#: a publication that has chosen its instant has its manifest after a moment, and its lock for no longer than this
_PUBLISHING = timedelta(seconds=LOCK_TIMEOUT_SECONDS)
#: a file of a partition, or why it is not known which one it was
_File = str | NotKept


class Past(Layout):
    """The partitions of a lake at an instant."""

    def __init__(self, layout: Layout, manifests: Manifests, instant: datetime) -> None:
        super().__init__(layout.root)
        self._layout, self._manifests, self._instant = layout, manifests, instant
        #: the file of each date, by the table's address; looked up once, since the past stays as it is
        self._files: dict[str, dict[date, _File]] = {}
        #: files that are as they were written
        self._whole: set[str] = set()

    @property
    def now(self) -> Layout:
        return self._layout

    def _of(self, address: str) -> Mapping[date, _File]:
        """The file of each date of a table, in order."""
        if address not in self._files:
            table = TABLES[address]
            days = sorted({*self._versions, *self._layout.days(table)})
            found = {day: self._file_of(table, day) for day in days}
            self._files[address] = {day: file for day, file in found.items() if file is not None}
        return self._files[address]

    @cached_property
    def _versions(self) -> dict[date, Manifest | NotKept | None]:
        """Of each date with versions the newest one not after the instant, or the oldest one; None if there is none."""
        return {day: self._version(day) for day in self._manifests.days()}

    def _version(self, day: date) -> Manifest | NotKept | None:
        is_recent = clock.utc_now() - self._instant < _PUBLISHING
        with self._manifests.settled(day) if is_recent else nullcontext():
            known = self._manifests.instants(day)
        if not known:  # a run is writing its first version, or was killed
            return None
        past = [at for at in known if at <= self._instant]
        try:
            return self._manifests.read(day, known[max(past) if past else min(known)])
        except FileNotFoundError:
            return self._not_kept(str(day), min(known))
        except CorruptPartition as error:
            return NotKept(str(error))

    def _file_of(self, table: Table, day: date) -> _File | None:
        if day not in self._versions:
            found = self._current(table, day)
            if not isinstance(found, NotKept) or not self._manifests.folder(day).exists():
                return found
            # a run has begun the date's first version since the dates were listed
            self._versions[day] = self._version(day)
        version = self._versions[day]
        if version is None or isinstance(version, NotKept):
            return version
        kept = version.tables.get(table.lasting_name)
        if kept is None:
            return None
        path = f"{self._manifests.file(day, kept.name)}"
        if version.instant <= self._instant:
            return path
        if version.first is not None and version.first > self._instant:
            return None  # nothing was stored then
        if version.is_as_found:
            return self._if_of_then(table, day, path, kept.written)
        return self._not_kept(f"{table.address} of {day}", version.instant)

    def _current(self, table: Table, day: date) -> _File | None:
        """Of a date without versions the current file, if it was current then."""
        path = self._layout.located(table, day)
        if path is None:
            lost = is_lost(self._layout.file(table, day))
            return NotKept(f"{table.address} partition {day} was written, and its file is gone") if lost else None
        try:
            written = datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
        except OSError as error:
            return NotKept(f"{table.address} partition {day} can't be read ({path}): {error}")
        return self._if_of_then(table, day, path, written)

    def _if_of_then(self, table: Table, day: date, path: str, written: datetime) -> _File:
        """A file that was current from when it was written on."""
        if written <= self._instant:
            return path
        return NotKept(
            f"what {table.address} had on {day} as of {self._instant.isoformat()} is not known: its rows were written "
            f"at {written.isoformat()}, before a run kept a version of that date"
        )

    def _not_kept(self, what: str, oldest: datetime) -> NotKept:
        return NotKept(
            f"{what} as of {self._instant.isoformat()} is no longer kept: the oldest version of that date is of "
            f"{oldest.isoformat()}; NBA_PROPS_VERSION_DAYS sets for how long replaced ones are kept"
        )

    # -- what a reader asks -----------------------------------------------------------------------------------------

    def days(self, table: Table) -> list[date]:
        return list(self._of(table.address))

    def names(self, table: Table) -> list[str]:
        return [self.file(table, day).parent.name for day in self.days(table)]

    def partitions(self, table: Table) -> list[date]:
        return self.days(table)

    def find(self, link: str) -> tuple[str, tuple[object, ...]] | None:
        """Where the rows of a partition were.

        Raises:
            NotKept: that is not known, or no longer kept.
        """
        *_, dataset, name, folder, _ = link.rsplit("/", 4)
        day = day_of(folder)
        file = self._of(f"{dataset}.{name}").get(day) if day is not None else None
        if isinstance(file, NotKept):
            raise NotKept(str(file))
        if day is None or file is None:
            return None
        if not os.path.exists(file):
            raise self._gone(f"{dataset}.{name} of {day}", day, file)
        self._refuse_changed(f"{dataset}.{name} of {day}", file)
        return file, (file,)

    def _gone(self, what: str, day: date, file: str) -> NotKept:
        version = self._versions.get(day)
        known = self._manifests.instants(day)
        if known and isinstance(version, Manifest) and version.file_name not in known.values():
            return self._not_kept(what, min(known))
        return NotKept(f"{what} as of {self._instant.isoformat()} can't be read: {file} is gone")

    def _refuse_changed(self, what: str, file: str) -> None:
        """Raise :class:`NotKept` for a file that has other content than its name states."""
        if file in self._whole:
            return
        try:
            if not is_as_written(file):
                raise NotKept(f"{what} as of {self._instant.isoformat()} was changed after it was written ({file})")
        except OSError as error:
            raise NotKept(f"{what} as of {self._instant.isoformat()} can't be read: {error}") from error
        self._whole.add(file)

    def refuse_lost(self, table: Table, partition: date) -> None:
        """What is lost today was not then."""

    def changes(self, table: Table) -> tuple[int, int]:
        return 0, 0

    def locked(self, table: Table, partition: date) -> AbstractContextManager[None]:
        raise past_is_fixed()
