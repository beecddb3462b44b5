"""A partition's file: what it states of its rows, the rows themselves, and how one is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.schemas import Table
from nba_props.warehouse import growth
from nba_props.warehouse.base import CorruptPartition, MissingPartition, WarehouseError, remedy
from nba_props.warehouse.entries import Entry
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.layout import PREFIX, Layout
from nba_props.warehouse.lake.types import stored_columns

if TYPE_CHECKING:
    import pyarrow

#: takes table, date, file and number of rows of what is about to be written
Announce = Callable[[Table, date, str, int], None]
#: the key of a Parquet file's metadata for the statement of its rows
_STATE = "nba_props"


@dataclass(frozen=True, kw_only=True)
class Footer(Entry):
    """What the end of a partition's file holds; its ``version`` distinguishes the file from any other."""

    #: its columns with the contract's names of their types
    columns: Mapping[str, str]


class Partitions:
    """The files of a lake's partitions."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        #: footers by path, as long as the file is the same
        self._footers: dict[str, Footer] = {}
        #: columns by Parquet schema: there are few, and comparing two is cheaper than reading one
        self._shapes: list[tuple[Any, Mapping[str, str]]] = []

    def footer(self, table: Table, partition: date, folder: str | None = None) -> Footer | None:
        """The footer of a partition's file; None when there is none.

        Called for every partition before every query: ``folder`` is the table's, for a caller with a loop.

        Raises:
            CorruptPartition: the file can't be opened.
        """
        link = f"{folder or self._layout.folder(table)}/{PREFIX}{partition.isoformat()}/{files.CURRENT}"
        try:
            found = self._layout.find(link)
        except OSError as error:
            raise self._unreadable(table, partition, error) from error
        if found is None:
            return None
        known = self._footers.get(link)
        if known is None or known.version != found[1]:
            known = self._footers[link] = self._read_footer(table, partition, *found)
        return known

    def _read_footer(self, table: Table, partition: date, path: str, identity: tuple[object, ...]) -> Footer:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with open(path, "rb") as source:
                metadata = pq.ParquetFile(source).metadata
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        return Footer(
            table=table,
            rows=metadata.num_rows,
            version=identity,
            statement=(metadata.metadata or {}).get(_STATE.encode()),
            place=path,
            columns=self._columns(metadata.schema),
        )

    def _columns(self, schema: Any) -> Mapping[str, str]:
        for known, columns in self._shapes:
            if known.equals(schema):
                return columns
        columns = stored_columns(schema.to_arrow_schema())
        self._shapes.append((schema, columns))
        return columns

    def _unreadable(self, table: Table, partition: date, error: Exception) -> CorruptPartition:
        where = self._layout.file(table, partition)
        return CorruptPartition(
            f"{table.address} partition {partition} can't be read ({where}): {error}. {remedy(table)}"
        )

    def read(self, table: Table, partition: date) -> pyarrow.Table:
        """A partition's rows as today's contract has them.

        Raises:
            CorruptPartition: the file can't be read, or was written under a contract that today's does not extend.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._layout.located(table, partition) or str(self._layout.file(table, partition))
        try:
            # one open handle, so that a replacement of a plain file in between can't mix two versions
            with open(path, "rb") as source:
                arrow = pq.ParquetFile(source).read(use_threads=False)  # a date is small: threads cost more
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        fit = growth.fit(table, stored_columns(arrow.schema))
        if fit.broken:
            raise CorruptPartition(growth.complaint(table, partition, fit.broken))
        try:
            return _conformed(table, partition, arrow, fit)
        except pa.ArrowException as error:
            raise self._unreadable(table, partition, error) from error

    def write(
        self, table: Table, partition: date, rows: pyarrow.Table, statement: str | None, announce: Announce
    ) -> None:
        """Put a file with these rows, and the statement of them, in the partition's place.

        ``announce`` gets the file's name before any reader can find it.

        Raises:
            WarehouseError: it can't be written; the old partition is unchanged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        # the contract gives the types again: without Arrow's own schema a file has a third of the size
        with pq.ParquetWriter(sink, table.arrow_schema(), compression="zstd", store_schema=False) as writer:
            writer.write_table(rows)
            if statement is not None:
                writer.add_key_value_metadata({_STATE: statement})
        data = sink.getvalue()
        name = files.name_for(data)
        try:
            announce(table, partition, name, len(rows))
            files.put(self._layout.file(table, partition), data, name)
        except OSError as error:
            raise WarehouseError(
                f"cannot write {table.address} partition {partition} under {self._layout.root}: "
                f"{error.strerror or error}. "
                "The old partition is unchanged; free the disk or fix the permissions and run again"
            ) from error

    def copy(self, table: Table, partition: date, into: Layout) -> None:
        """Copy a partition as it is into another lake."""
        path = self._layout.located(table, partition)
        if path is None:
            raise MissingPartition(f"{table.address} has no partition {partition}")
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise self._unreadable(table, partition, error) from error
        try:
            files.copy(os.path.basename(path), data, into.file(table, partition))
        except OSError as error:
            raise WarehouseError(
                f"cannot copy {table.address} partition {partition} to {into.root}: {error.strerror or error}"
            ) from error


def _conformed(table: Table, partition: date, arrow: pyarrow.Table, fit: growth.Fit) -> pyarrow.Table:
    """Stored rows with the contract's columns and types; those that are absent are null or ``Column.before``."""
    import pyarrow as pa

    wanted = table.arrow_schema()
    if "game_date" in arrow.schema.names and len(arrow):
        # as DuckDB reads it: a partition's rows are of the date that its folder names
        dates = pa.array([partition] * len(arrow), pa.date32())
        arrow = arrow.set_column(arrow.schema.get_field_index("game_date"), "game_date", dates)
    arrow = arrow.drop_columns([n for n in fit.absent if n in arrow.schema.names])
    arrow = arrow.rename_columns({c.formerly: c.name for c in table.columns if c.name in fit.renamed})
    for column in (c for c in table.columns if c.name in fit.absent):
        kind = wanted.field(column.name)
        arrow = arrow.append_column(kind, pa.repeat(pa.scalar(column.before, kind.type), len(arrow)))
    return arrow.select(table.column_names).cast(wanted).replace_schema_metadata(None)
