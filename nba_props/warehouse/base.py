"""The interface that every warehouse implements, the values it returns, and the errors it raises.

WarehouseError
├── MissingPartition    a partition was read that was never written
├── CorruptPartition    a stored partition can't be read
│   └── NotKept         of a past partition nothing is kept
├── PartitionMismatch   a frame holds rows outside the partitions it was to be written to
├── MixedSources        rows of another source were about to be written
├── RowsWouldBeLost     a partition of a feed was about to lose most of its rows
├── LedgerConflict      rows with a known key differ from what the ledger already holds
└── UnreadableError     a typed statement can't be read
    └── RefusedError    a typed statement uses something that a lake does not support
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nba_props.facts.vocabulary import League
from nba_props.process.errors import NbaPropsError
from nba_props.schemas.base import Table, WriteMode

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow


class WarehouseError(NbaPropsError):
    """Base of everything a warehouse raises; the message names table, partition and remedy."""


class MissingPartition(WarehouseError):
    """A partition was read that was never written."""


class CatalogError(WarehouseError):
    """The views that other tools open can't be written; no row and no result depends on them."""


class CorruptPartition(WarehouseError):
    """A stored partition can't be read."""


class NotKept(CorruptPartition):
    """A partition was read as of an instant of which nothing is kept."""


class PartitionMismatch(WarehouseError):
    """A frame holds rows outside the partitions it was to be written to."""


class MixedSources(WarehouseError):
    """Rows of another source were about to be written to a warehouse."""


class RowsWouldBeLost(WarehouseError):
    """A partition of a feed's table was about to lose most of its rows."""


class LedgerConflict(WarehouseError):
    """Rows with a known key differ from what the ledger already holds."""


class UnreadableError(WarehouseError):
    """A statement can't be read as GoogleSQL or translated into DuckDB's SQL; the message gives the reason."""


class RefusedError(UnreadableError):
    """A statement is valid GoogleSQL, and a part of it has no equivalent over a lake."""


def unmigrated(table: Table, place: str, days: Collection[date], columns: Collection[str] = ()) -> WarehouseError:
    """The error of a warehouse in which a table still has its earlier name, or the ``columns`` of then."""
    what = f"has the columns of then: {', '.join(columns)}" if columns else f"is stored there as {table.lasting_name}"
    return WarehouseError(
        f"{place} is of an earlier release: {table.address} {what} ({len(days)} dates). Stop whatever uses it and run "
        "`nba-props migrate`, which changes no row; `nba-props migrate --dry-run` shows what it would do"
    )


def refuse_future(instant: datetime, now: datetime) -> None:
    """Raise unless an instant has a time zone and has passed: what a later one will read is not known yet."""
    if instant.tzinfo is None:
        raise WarehouseError(f"{instant} has no time zone: 2026-01-09T17:00Z has one")
    if instant > now:
        raise WarehouseError(f"{instant.isoformat()} is in the future: it is {now:%Y-%m-%dT%H:%M:%SZ}")


def past_is_fixed() -> WarehouseError:
    """The error of a write to a warehouse as of an instant."""
    return WarehouseError("this is the past, which can only be read")


def remedy(table: Table) -> str:
    """What to do about a partition that can't be read or is empty: a ledger's rows can't be made again."""
    if table.write_mode is WriteMode.APPEND:
        return "Put its backup in its place: see docs/runbooks/damage.md"
    return "Materialize it again"


@dataclass(frozen=True)
class PartitionState:
    """A partition as it was last written."""

    rows: int
    #: digest of the rows by facet of the table: ``""`` is all columns but volatile ones
    content: Mapping[str, str]
    #: digest of what it was made from, as the writer gave it; ``""`` when none was given
    made_from: str


@dataclass(frozen=True)
class Damage:
    """A partition that is not as it was written, and why."""

    table: Table
    partition: date
    reason: str
    #: its rows can be read, but are not the ones that were written
    is_readable: bool = False


@dataclass(frozen=True)
class Version:
    """A date as a run left it."""

    #: from when on it is the date's newest
    instant: datetime
    run_id: str
    job_name: str
    revision: str
    #: the number of rows of each table, None where they can't be counted
    tables: Mapping[str, int | None]
    #: the tables that differ from the version before; None if that is no longer kept
    changed: tuple[str, ...] | None


class Publication:
    """What a run writes, from its beginning to its end; this one is of a warehouse that needs no record of it."""

    def publish(self) -> list[date]:
        """Make what was written a version of each of its dates, which are returned: all tables of a date at once."""
        return []


class Warehouse(Protocol):
    """Tables partitioned by ``game_date``; every call is safe while other processes read and write."""

    #: queries run so far; tests assert that it does not grow with the number of players
    query_count: int

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the tables are, as text for people."""

    @property
    def catalog(self) -> str | None:
        """A file of views for BI tools; None for a warehouse that they can connect to directly."""

    # -- partitions -------------------------------------------------------------------------------------------------

    def write(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> None:
        """Replace each partition whole and atomically; a partition without rows is written empty.

        ``made_from`` is stored with each partition for :meth:`states`, in the same step as its rows.

        Raises:
            ContractError: the frame breaks the table's contract; nothing was written.
            PartitionMismatch: the frame has rows outside ``partitions``; nothing was written.
        """

    @abstractmethod
    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        """The rows of the partitions, in partition order, with the contract's dtypes.

        Raises:
            MissingPartition: one of them was never written.
            CorruptPartition: one of them can't be read.
        """

    @abstractmethod
    def partitions(self, table: Table) -> list[date]:
        """The partitions that exist, in order."""

    def dates(self, table: Table) -> list[date]:
        """The dates for which the table has a partition or rows, from any writer, in order."""

    def row_counts(self, table: Table, days: Collection[date]) -> dict[date, int]:
        """How many rows each of these partitions holds, of those that exist and can be opened."""

    def states(self, table: Table) -> dict[date, PartitionState]:
        """The state of each partition that exists, in order; no rows are read for it.

        Where an earlier release or another writer stored no state, the rows are read and ``made_from`` is ``""``.

        Raises:
            CorruptPartition: one can't be read.
        """

    @abstractmethod
    def fingerprints(self, table: Table) -> dict[date, str]:
        """A short text for each partition, from any writer, that differs when a row does.

        Computed by the storage itself, more cheaply than by reading the rows.
        """

    # -- ledgers ----------------------------------------------------------------------------------------------------

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> dict[date, tuple[int, int]]:
        """Append rows whose key is new to a ledger, under a lock.

        The newest ``made_from`` is kept, also when no row was new; a date without one keeps the one before.

        Returns:
            How many rows were new, and how many were there already, by partition.

        Raises:
            LedgerConflict: a known key comes with other content; the partition is left as it was.
        """

    def remove(self, table: Table, ids: Collection[str], partition: date) -> int:
        """Remove rows from a ledger partition, atomically: those with these ids (``digests.row_ids``), no other.

        Returns how many there were.
        """

    def put_back(self, table: Table, partition: date, missing: Callable[[pd.DataFrame], pd.DataFrame]) -> int:
        """Add rows, as they are, to a ledger partition, atomically: what ``missing`` returns, given the rows there.

        Returns how many that were.
        """

    def seal(self, table: Table, partition: date) -> int:
        """Accept what a ledger partition holds now as its content, and give rows without a digest one.

        A row whose digest is wrong keeps it. Returns how many had none.

        Raises:
            MissingPartition: there is no such partition, and no row.
        """

    # -- statements -------------------------------------------------------------------------------------------------

    @abstractmethod
    def arrow(self, sql: str, /, **parameters: Any) -> pyarrow.Table:
        """The result of a portable GoogleSQL statement as the engine gives it; tables are named ``dataset.table``,
        parameters ``@name``.
        """

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        """The same as a frame with the project's dtypes."""

    def held(self, tables: Collection[Table], until: date) -> AbstractContextManager[None]:
        """Inside, statements of this thread may find these tables as they are now and without later dates, so that many
        statements read each file once.
        """

    @abstractmethod
    def read_only(self, sql: str) -> pd.DataFrame:
        """The result of one statement that changes nothing, in GoogleSQL as written (``dialects``); over a lake in
        DuckDB's own SQL as well.

        Raises:
            WarehouseError: the statement is not read-only, or it fails; the message is the engine's.
        """

    @abstractmethod
    def create_views(self) -> None:
        """Create or replace every view, so that anyone can query it.

        Raises:
            CatalogError: the file that has them can't be written.
        """

    # -- versions ---------------------------------------------------------------------------------------------------

    def publication(self, run_id: str, job_name: str, revision: str) -> AbstractContextManager[Publication]:
        """Inside, what this process writes belongs to a run, which publishes it once it has succeeded."""

    def as_of(self, instant: datetime) -> Warehouse:
        """The warehouse as it was at an instant, to read; ``docs/concepts.md`` has what that promises.

        Raises:
            WarehouseError: the instant has no time zone or is in the future, or nothing is kept of that time.
        """

    def versions(self, day: date) -> list[Version]:
        """The versions of a date that are kept, the oldest first.

        Raises:
            WarehouseError: the warehouse keeps the past in another way, or a version can't be read.
        """

    # -- what the warehouse holds -----------------------------------------------------------------------------------

    @abstractmethod
    def source(self) -> str | None:
        """What the warehouse was claimed by, REAL or SIMULATED; None before the first data."""

    def claim(self, source: str) -> None:
        """Bind the warehouse to one source of data, REAL or SIMULATED, for good; a new one is sealed with it.

        Raises:
            MixedSources: it holds data of the other one.
        """

    def is_sealed(self) -> bool:
        """Whether every row that was published here has a digest: the warehouse was made since there are digests, or
        :meth:`mark_sealed` was called.
        """

    def mark_sealed(self, *, is_new: bool = False) -> None:
        """Record that from here on every valid ledger row has a digest and every valid ledger partition a statement; if
        the warehouse ``is_new``, every valid partition of any table has one.
        """

    # -- damage -----------------------------------------------------------------------------------------------------

    def alteration(self, table: Table, partition: date) -> str | None:
        """How a partition's rows differ from what was stated of them when they were written; None when they don't.

        Raises:
            CorruptPartition: it can't be read.
        """

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        """The partitions, of all dates or these, that are not as they were written."""

    def damaged_versions(self, days: Collection[date] | None = None) -> list[tuple[Path, str]]:
        """The files of versions, of all dates or these, that are not as they were written, and what is wrong."""

    def set_version_aside(self, path: Path, now: datetime) -> str:
        """Let the versions that need a damaged file count as no longer kept; returns where the file is."""

    @abstractmethod
    def set_aside(self, damage: Damage, now: datetime) -> str:
        """Let a damaged partition count as never written, so that it is made again; returns where its rows are."""

    @abstractmethod
    def strays(self) -> list[tuple[str, str]]:
        """Files or objects among the partitions that are not part of any, and why; no reader uses them."""

    # -- earlier releases -------------------------------------------------------------------------------------------

    @abstractmethod
    def stored_before(self, table: Table) -> dict[date, int | None] | None:
        """What is stored under the table's earlier name, or with columns that have to be migrated: rows by date, None
        where they can't be counted; None if nothing is.
        """

    @abstractmethod
    def take_over(self, table: Table) -> None:
        """Rename what is stored under the table's earlier name, as it is, and columns that have another name now.

        A call that was killed can be repeated.

        Raises:
            WarehouseError: something is in its place already; nothing there was touched.
        """


def is_simulated(warehouse: Warehouse) -> bool:
    """Whether the warehouse holds a simulated league."""
    return warehouse.source() == League.SIMULATED
