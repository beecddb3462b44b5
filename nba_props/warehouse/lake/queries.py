"""The project's own statements over a lake: GoogleSQL, translated, run by DuckDB in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from nba_props.process import stopping
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, WarehouseError
from nba_props.warehouse.lake.layout import Layout
from nba_props.warehouse.lake.partitions import Partitions
from nba_props.warehouse.lake.scans import Scans
from nba_props.warehouse.lake.views import Views
from nba_props.warehouse.sql import Statement, to_duckdb

if TYPE_CHECKING:
    import duckdb
    import pyarrow

T = TypeVar("T")


def in_memory() -> duckdb.DuckDBPyConnection:
    """A connection to a database of its own that holds nothing but views."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # partitions are renamed over: nothing of a file may outlive a query
    connection.execute("SET enable_external_file_cache = false")
    return connection


class Queries:
    """DuckDB over the partitions of a lake, a connection for each thread."""

    def __init__(self, layout: Layout, partitions: Partitions, scans: Scans, views: Views) -> None:
        self.scans = scans
        self.views = views
        self._layout = layout
        self._partitions = partitions
        self._own = threading.local()

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pyarrow.Table:
        """The result of a statement.

        Raises:
            WarehouseError: the statement fails; a partition that can't be read is named.
            Stopped: this process was asked to stop meanwhile.
        """
        statement = to_duckdb(sql)
        what = f"a statement over {', '.join(statement.reads)} failed"
        return self._guarded(statement.reads, what, lambda: self._execute(statement, parameters))

    @contextmanager
    def held(self, tables: Collection[Table], until: date) -> Iterator[None]:
        """Inside, statements of this thread find the rows of these tables until a date in memory, and no later ones.

        Raises:
            WarehouseError: a partition of these dates can't be read; it is named.
            Stopped: this process was asked to stop meanwhile.
        """
        connection, names = self._connection(), {t.address: f"held_{t.name}" for t in tables}
        try:
            for table in tables:
                self._guarded([table.address], "", partial(self._hold, table, names[table.address], until))
            self._own.held = names
            yield
        finally:
            self._own.held = {}
            for name in names.values():
                connection.execute(f'DROP TABLE IF EXISTS "{name}"')

    def _hold(self, table: Table, name: str, until: date) -> None:
        rows = f"SELECT * FROM ({self.scans.of(table)}) WHERE game_date <= DATE '{until}'"
        self._connection().execute(f'CREATE OR REPLACE TABLE "{name}" AS {rows}')

    def _guarded(self, reads: Collection[str], what: str, act: Callable[[], T]) -> T:
        """What ``act`` returns; it is asked again if files have changed meanwhile."""
        import duckdb

        try:
            try:
                return act()
            except (duckdb.IOException, duckdb.InvalidInputException):
                # another program removed a file, or replaced a plain one, since it was listed
                self.scans.forget()
                return act()
        except (duckdb.InterruptException, RuntimeError) as error:
            # DuckDB swallows whatever a signal's handler raises and raises this instead
            if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
                raise stopping.Stopped from error
            raise
        except duckdb.Error as error:
            raise self.explained(reads, error, what) from error

    def _execute(self, statement: Statement, parameters: Mapping[str, Any]) -> pyarrow.Table:
        connection = self._connection()
        scan = lru_cache(maxsize=None)(self._rows)  # one look at a table, however many views read it
        self.views.create(connection, statement.reads, self._own.views, scan)
        return connection.execute(statement.sql, parameters).to_arrow_table()

    def _rows(self, table: Table) -> str:
        """The statement for a table's rows: those that this thread holds, or those in the files."""
        held = self._own.held.get(table.address)
        return f'SELECT * FROM "{held}"' if held else self.scans.of(table)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection, which keeps its views: opening one costs as much as a small query."""
        if not hasattr(self._own, "connection"):
            self._own.connection, self._own.views, self._own.held = in_memory(), {}, {}
        return self._own.connection

    def explained(self, addresses: Iterable[str], error: Exception, what: str = "") -> WarehouseError:
        """The error of a failed statement; it names the partition that can't be read, if that is the cause."""
        import duckdb

        # what DuckDB raises because of a file; any other error is the statement's own
        of_a_file = (duckdb.IOException, duckdb.InvalidInputException, duckdb.InternalException)
        may_be = isinstance(error, of_a_file) or type(error) is duckdb.Error
        first: CorruptPartition | None = None
        for found in self._unreadable(addresses) if may_be else ():
            if str(found) in str(error):  # another date of the same table may be unreadable, too
                return found
            first = first or found
        return first or WarehouseError(f"{what}: {error}" if what else str(error))

    def _unreadable(self, addresses: Iterable[str]) -> Iterator[CorruptPartition]:
        """What is wrong with the partitions behind these tables and views that can't be read."""
        tables = {t.address: t for address in addresses for t in self.views.tables_behind(address)}
        for table in tables.values():
            for day in self._layout.days(table):
                try:
                    self._layout.refuse_lost(table, day)
                    if self._layout.located(table, day):
                        self._partitions.read(table, day)
                except CorruptPartition as error:
                    yield error
