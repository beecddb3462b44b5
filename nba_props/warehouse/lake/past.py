"""A lake as of an instant: for each date its newest version not after it, by the files that were current then.

Of a date that no run has written since versions are kept, a current file that was written before the instant was
current then, too. What can't be known, because it was replaced before versions were kept or its version was removed, is
an error in statements that read that date of that table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from functools import cached_property

from nba_props.catalog import TABLES
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, NotKept, past_is_fixed
from nba_props.warehouse.lake.layout import Layout
from nba_props.warehouse.lake.manifests import Manifest, Manifests

#: a file of a partition, or why it is not known which one it was
_File = str | NotKept


class Past(Layout):
    """The partitions of a lake at an instant."""

    def __init__(self, layout: Layout, manifests: Manifests, instant: datetime) -> None:
        super().__init__(layout.root)
        self._layout, self._manifests, self._instant = layout, manifests, instant

    @cached_property
    def _files(self) -> Mapping[str, Mapping[date, _File]]:
        """The file of each date, by the table's address; looked up once, since the past stays as it is."""
        found: dict[str, dict[date, _File]] = {address: {} for address in TABLES}
        versioned = self._manifests.days()
        for day in versioned:
            for address, file in self._of_versions(day).items():
                found[address][day] = file
        for table in TABLES.values():
            for day in set(self._layout.days(table)) - set(versioned):
                if (path := self._layout.located(table, day)) is not None:
                    found[table.address][day] = self._current(table, day, path)
        return {address: dict(sorted(of.items())) for address, of in found.items()}

    def _current(self, table: Table, day: date, path: str) -> _File:
        try:
            written = datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
        except OSError as error:
            return NotKept(f"{table.address} partition {day} can't be read ({path}): {error}")
        return self._if_of_then(table, day, path, written)

    def _of_versions(self, day: date) -> dict[str, _File]:
        known = self._manifests.instants(day)
        if not known:  # a run is writing its first version, or was killed
            return {}
        past = [at for at in known if at <= self._instant]
        try:
            manifest = self._manifests.read(day, known[max(past) if past else min(known)])
        except FileNotFoundError:
            return {t.address: self._not_kept(t, day, min(known)) for t in TABLES.values()}
        except CorruptPartition as error:
            return {t.address: NotKept(str(error)) for t in TABLES.values()}
        files = {t: self._kept(t, day, manifest) for t in TABLES.values() if t.lasting_name in manifest.tables}
        if past:
            return {t.address: path for t, path in files.items()}
        if manifest.first is not None and manifest.first > self._instant:
            return {}  # nothing was stored then
        if manifest.is_as_found:
            written = {t: manifest.tables[t.lasting_name].written for t in files}
            return {t.address: self._if_of_then(t, day, path, written[t]) for t, path in files.items()}
        return {t.address: self._not_kept(t, day, manifest.instant) for t in files}

    def _kept(self, table: Table, day: date, manifest: Manifest) -> str:
        return str(self._manifests.file(table, day, manifest.tables[table.lasting_name].name))

    def _if_of_then(self, table: Table, day: date, path: str, written: datetime) -> _File:
        """A file that was current from when it was written on."""
        if written <= self._instant:
            return path
        return NotKept(
            f"what {table.address} had on {day} as of {self._instant.isoformat()} is not known: its rows were written "
            f"at {written.isoformat()}, before a run kept a version of that date"
        )

    def _not_kept(self, table: Table, day: date, oldest: datetime) -> NotKept:
        return NotKept(
            f"{table.address} of {day} as of {self._instant.isoformat()} is no longer kept: the oldest version of that "
            f"date is of {oldest.isoformat()}; NBA_PROPS_VERSION_DAYS sets for how long replaced ones are kept"
        )

    # -- what a reader asks -----------------------------------------------------------------------------------------

    def days(self, table: Table) -> list[date]:
        return list(self._files[table.address])

    def names(self, table: Table) -> list[str]:
        return [self.file(table, day).parent.name for day in self.days(table)]

    def partitions(self, table: Table) -> list[date]:
        return self.days(table)

    def find(self, link: str) -> tuple[str, tuple[object, ...]] | None:
        """Where the rows of a partition were.

        Raises:
            NotKept: that is not known, or no longer kept.
        """
        found = self._by_link.get(link)
        if found is None:
            return None
        table, day, file = found
        if isinstance(file, NotKept):
            raise NotKept(str(file))
        if not os.path.exists(file):
            known = self._manifests.instants(day)
            raise self._not_kept(table, day, min(known, default=self._instant))
        return file, (file,)

    @cached_property
    def _by_link(self) -> Mapping[str, tuple[Table, date, _File]]:
        return {
            str(self.file(table, day)): (table, day, file)
            for table in TABLES.values()
            for day, file in self._files[table.address].items()
        }

    def refuse_lost(self, table: Table, partition: date) -> None:
        """What is lost today was not then."""

    def changes(self, table: Table) -> tuple[int, int]:
        return 0, 0

    def locked(self, table: Table, partition: date) -> AbstractContextManager[None]:
        raise past_is_fixed()
