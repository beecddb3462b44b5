"""The algorithm of every warehouse: check a frame, split it, replace partitions, append by key, keep a manifest.

An engine is a subclass (``lake/``, ``bigquery/``) that fills in the primitives below. It replaces a partition together
with the statement of its rows in one step, or announces first that old or new rows may be there (``_announce``).
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.process import stopping
from nba_props.schemas import Table, WriteMode
from nba_props.warehouse.base import (
    CorruptPartition,
    Damage,
    MissingPartition,
    MixedSources,
    PartitionState,
    Publication,
    Version,
    Warehouse,
    WarehouseError,
)
from nba_props.warehouse.entries import Change, Entry, Written, noted
from nba_props.warehouse.frames import checked, joined, new_rows, refuse_strays, rows_of, split, to_frame

if TYPE_CHECKING:
    import pandas as pd

#: names of marks: what the warehouse was claimed by, and that every valid row in it has a digest
SOURCE_MARK, SEALED_MARK = "SOURCE", "SEALED"
#: the text of ``SEALED_MARK`` where every partition has had a statement of its rows from the beginning
SEALED_WHOLE = "WHOLE"


class PartitionedWarehouse(Warehouse):
    """What every warehouse does the same way."""

    #: the setting by which real and simulated data are kept apart, as messages name it
    elsewhere: ClassVar[str]

    def __init__(self) -> None:
        self.query_count = 0
        self._count_lock = threading.Lock()
        #: digests computed from rows, by table and date, with the version of those rows
        self._contents: dict[tuple[str, date], tuple[Hashable, Mapping[str, str]]] = {}

    # -- what an engine fills in ------------------------------------------------------------------------------------

    @abstractmethod
    def _entries(self, table: Table, days: Collection[date] | None) -> Mapping[date, Entry]:
        """The entries of partitions that exist and can be opened, of all dates or these, in order."""

    @abstractmethod
    def _stored(self, table: Table, days: list[date]) -> pd.DataFrame:
        """The rows of a locked ledger's partitions; none of a date that has no partition."""

    @abstractmethod
    def _locked(self, table: Table, days: Sequence[date]) -> AbstractContextManager[None]:
        """Inside, no other process changes these partitions of a ledger."""

    @abstractmethod
    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        """Replace each partition in ``written`` atomically by its rows among ``rows``, and record what is written.

        :meth:`write` calls it without a lock, with rows sorted by date; a change of a ledger with the lock.
        """

    @abstractmethod
    def _create_mark(self, name: str, text: str) -> None:
        """Write a mark of the whole warehouse, unless it exists."""

    @abstractmethod
    def _sealed_as(self) -> str | None:
        """The text of ``SEALED_MARK``; None without that mark."""

    # -- what an engine can do better -------------------------------------------------------------------------------

    def _batches(self, days: Collection[date]) -> Iterable[list[date]]:
        """The partitions that are locked and changed together: all of a call."""
        return [list(days)] if days else []

    def _entry(self, table: Table, partition: date) -> Entry | None:
        """The entry of one partition; None when there is none.

        Raises:
            CorruptPartition: it can't be opened.
        """
        return self._entries(table, [partition]).get(partition)

    def _settled(self, table: Table, days: Collection[date]) -> Mapping[date, Entry]:
        """The entries of a locked ledger's partitions, after what a killed writer left was repaired.

        Raises:
            CorruptPartition: one of them can't be read.
        """
        return self._entries(table, days)

    def _announce(self, table: Table, change: Change) -> None:
        """Record that old or new rows may be there, where rows and their statement can't be written in one step.

        A writer that is killed in between then causes no false alarm, and the next write settles which rows they are.
        """

    def _insert(self, table: Table, change: Change, added: Mapping[date, pd.DataFrame]) -> None:
        """Carry out a change that adds rows; ``added`` has those of each date with any."""
        self._replace(table, change.rows, change.written)

    def _delete(self, table: Table, change: Change, gone: pd.DataFrame) -> None:
        """Carry out a change that removes rows."""
        self._replace(table, change.rows, change.written)

    @property
    def catalog(self) -> str | None:
        return None

    def publication(self, run_id: str, job_name: str, revision: str) -> AbstractContextManager[Publication]:
        return nullcontext(Publication())

    def as_of(self, instant: datetime) -> Warehouse:
        raise WarehouseError(f"{self.place} keeps no past")

    def versions(self, day: date) -> list[Version]:
        raise WarehouseError(f"{self.place} keeps no versions")

    def dates(self, table: Table) -> list[date]:
        return self.partitions(table)

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        return to_frame(self.arrow(sql, **parameters))

    def held(self, tables: Collection[Table], until: date) -> AbstractContextManager[None]:
        return nullcontext()

    def damaged_versions(self, days: Collection[date] | None = None) -> list[tuple[Path, str]]:
        return []

    def set_version_aside(self, path: Path, now: datetime) -> str:
        raise WarehouseError(f"{self.place} keeps no versions")

    def _is_empty(self) -> bool:
        """Whether the warehouse holds nothing yet."""
        return not any(self.partitions(table) for table in TABLES.values())

    def _dates_to_check(self, table: Table) -> list[date]:
        """The dates whose partitions may be damaged."""
        return self.partitions(table)

    def _flaw(self, entry: Entry) -> str | None:
        """What is wrong with a partition by the storage itself, in words; None if nothing is."""
        return None

    @property
    def _title(self) -> str:
        """The warehouse at the beginning of a sentence."""
        return self.place

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> None:
        rows = checked(table, frame)
        refuse_strays(table, rows, partitions)
        content = digests.contents(table, rows, partitions)
        self._replace(table, rows, noted(rows, content, made_from or {}))

    def write_unchecked(self, table: Table, rows: pd.DataFrame, partition: date) -> None:
        """Replace a partition as another program would, which does not know the contract: for simulations and tests."""
        self._replace(table, table.conform(rows), {partition: Written(rows=len(rows), statement=None)})

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> dict[date, tuple[int, int]]:
        pieces = split(table, table.validate(digests.sealed(table, frame)), partitions)
        by_day: dict[date, tuple[int, int]] = {}
        for days in self._batches(pieces):
            with self._locked(table, days):
                new = self._append(table, {day: pieces[day] for day in days}, made_from or {})
            by_day |= {day: (new[day], len(pieces[day]) - new[day]) for day in days}
        return by_day

    def _append(
        self, table: Table, pieces: Mapping[date, pd.DataFrame], made_from: Mapping[date, str]
    ) -> dict[date, int]:
        """How many rows of each locked partition were new."""
        entries = self._settled(table, pieces)
        stored = self._stored(table, list(pieces))
        known = self._adopted(table, stored, entries)
        new = {day: new_rows(table, rows, known) for day, rows in pieces.items()}
        stopping.check()
        before = {day: entry.made_from for day, entry in entries.items()}
        origin = {day: made_from.get(day, before.get(day, "")) for day in pieces}
        # a partition that gains no row and is made from the same stays as it was written
        changed = {day: origin[day] for day in pieces if len(new[day]) or before.get(day) != origin[day]}
        if changed:
            whole = rows_of(joined(table, [known, *new.values()]), changed)
            change = self._begin(table, stored, whole, entries, changed)
            self._insert(table, change, {day: new[day] for day in changed if len(new[day])})
        return {day: len(rows) for day, rows in new.items()}

    def _adopted(self, table: Table, stored: pd.DataFrame, entries: Mapping[date, Entry]) -> pd.DataFrame:
        """A ledger's rows, with digests added where a release without digests wrote all rows of a date."""
        if stored.empty or self._is_stated(table):
            return stored
        pieces = []
        for at, rows in stored.groupby("game_date"):
            entry = entries.get(at.date())
            pieces.append(digests.adopted(table, entry.statement if entry else None, rows, at.date()))
        return joined(table, pieces)

    def remove(self, table: Table, ids: Collection[str], partition: date) -> int:
        with self._locked(table, [partition]):
            entries, stored = self._settled(table, [partition]), self._stored(table, [partition])
            leaving = digests.row_ids(table, stored).isin(list(ids))
            if leaving.any():
                change = self._begin(table, stored, stored[~leaving], entries, _origin(entries, partition))
                self._delete(table, change, stored[leaving])
        return int(leaving.sum())

    def put_back(self, table: Table, partition: date, missing: Callable[[pd.DataFrame], pd.DataFrame]) -> int:
        with self._locked(table, [partition]):
            entries, stored = self._settled(table, [partition]), self._stored(table, [partition])
            rows = table.conform(missing(stored))
            if len(rows):
                whole = joined(table, [stored, rows])
                change = self._begin(table, stored, whole, entries, _origin(entries, partition))
                self._replace(table, change.rows, change.written)
        return len(rows)

    def seal(self, table: Table, partition: date) -> int:
        with self._locked(table, [partition]):
            entries, stored = self._settled(table, [partition]), self._stored(table, [partition])
            if stored.empty and partition not in entries:
                raise missing_partition(table, [partition])
            whole = digests.completed(table, stored)
            change = self._begin(table, stored, whole, entries, _origin(entries, partition), is_accepted=True)
            self._replace(table, change.rows, change.written)
        return int(stored[table.sealed_by].isna().sum()) if table.sealed_by else 0

    def _begin(
        self,
        table: Table,
        stored: pd.DataFrame,
        rows: pd.DataFrame,
        entries: Mapping[date, Entry],
        made_from: Mapping[date, str],
        *,
        is_accepted: bool = False,
    ) -> Change:
        """Build and announce the change of a ledger's ``stored`` rows. If they had been altered, that stays on record
        unless ``is_accepted``.
        """
        content = digests.contents(table, rows, made_from)
        owed: dict[date, Mapping[str, str] | None] = dict.fromkeys(made_from)
        for day in () if is_accepted else made_from:
            before, entry = rows_of(stored, [day]), entries.get(day)
            if entry is not None:
                owed[day] = digests.owed(table, entry.statement, before, day, is_stated=self._is_stated(table))
            elif len(before) and len(rows_of(rows, [day])):  # another program's rows, of which some may stay
                owed[day] = {}
        change = Change(stored, rows, entries, made_from, content, owed, is_accepted)
        self._announce(table, change)
        return change

    # -- what is recorded of partitions -----------------------------------------------------------------------------

    def row_counts(self, table: Table, days: Collection[date]) -> dict[date, int]:
        return {day: entry.rows for day, entry in self._entries(table, days).items()}

    def states(self, table: Table) -> dict[date, PartitionState]:
        entries = self._entries(table, None)
        content = {day: entry.content for day, entry in entries.items() if entry.content is not None}
        content |= self._computed(table, {day: entry for day, entry in entries.items() if day not in content})
        return {
            day: PartitionState(entry.rows, content[day], entry.made_from)
            for day, entry in entries.items()
            if day in content
        }

    def _computed(self, table: Table, entries: Mapping[date, Entry]) -> dict[date, Mapping[str, str]]:
        """Digests of the rows of partitions for which none are stated; read once for each version."""
        kept = {day: self._contents.get((table.address, day)) for day in entries}
        found = {day: of[1] for day, of in kept.items() if of is not None and of[0] == entries[day].version}
        asked = [day for day in entries if day not in found]
        if asked:
            found |= digests.contents(table, self.read(table, asked), asked)
        for day in asked:
            if not digests.is_under_way(entries[day].statement):
                self._contents[table.address, day] = entries[day].version, found[day]
        return found

    def alteration(self, table: Table, partition: date) -> str | None:
        entry = self._entry(table, partition)
        if entry is None:
            return None
        rows = self.read(table, [partition])
        is_stated = self._is_stated(table)
        altered = digests.alteration(table, entry.statement, rows, partition, is_stated=is_stated) or self._flaw(entry)
        where = f" ({entry.place})" if entry.place else ""
        return f"{table.address} partition {partition}{where} {altered}" if altered else None

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        found = []
        for table in TABLES.values():
            for day in self._dates_to_check(table):
                if days is None or day in days:
                    try:
                        altered = self.alteration(table, day)
                    except CorruptPartition as error:
                        found.append(Damage(table, day, str(error)))
                        continue
                    if altered:
                        found.append(Damage(table, day, altered, is_readable=True))
        return found

    # -- what the whole warehouse holds -----------------------------------------------------------------------------

    def claim(self, source: str) -> None:
        found = self.source()
        if found is None:
            if self._is_empty():
                self.mark_sealed(is_new=True)
            self._create_mark(SOURCE_MARK, source)  # where another process was first, its mark counts
            found = self.source()
        if found != source:
            raise MixedSources(
                f"{self._title} holds {found} data and can't hold {source} data as well: "
                f"set {self.elsewhere} for one of the two"
            )

    def is_sealed(self) -> bool:
        return self._sealed_as() is not None

    def mark_sealed(self, *, is_new: bool = False) -> None:
        self._create_mark(SEALED_MARK, SEALED_WHOLE if is_new else "")

    def _is_stated(self, table: Table) -> bool:
        """Whether every partition of a table was written with a statement of its rows."""
        sealed_as = self._sealed_as()
        return sealed_as == SEALED_WHOLE or (sealed_as is not None and table.write_mode is WriteMode.APPEND)


def missing_partition(table: Table, days: Sequence[date]) -> MissingPartition:
    """The error of a read of partitions that were never written."""
    more = " and more" if len(days) > 5 else ""
    return MissingPartition(
        f"{table.address} has no partition {', '.join(map(str, days[:5]))}{more}: materialize it first"
    )


def _origin(entries: Mapping[date, Entry], day: date) -> dict[date, str]:
    """What a partition's rows are made from; removing rows or putting them back does not change it."""
    return {day: entries[day].made_from if day in entries else ""}
