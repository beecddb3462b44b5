"""A statement that a person types, over a lake and nothing else: DuckDB's own SQL, or GoogleSQL (``dialects``)."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from nba_props.catalog import TABLES
from nba_props.schemas import Table
from nba_props.warehouse import dialects
from nba_props.warehouse.base import CorruptPartition, RefusedError, UnreadableError, WarehouseError
from nba_props.warehouse.frames import dtype_of
from nba_props.warehouse.lake.queries import Queries
from nba_props.warehouse.lake.scans import arrow_dataset, failing, nothing, selected

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: what precedes the statement that an EXPLAIN explains
_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*EXPLAIN\b\s*(?:ANALYZE\b\s*)?(?:\([^)]*\)\s*)?", re.IGNORECASE | re.DOTALL
)
#: in the first line of an error, cases folded
_LACKS_A_NAME = re.compile(r'"[^\W\d]\w*"')
_ONE_QUERY = "one SELECT (or DESCRIBE, SHOW, EXPLAIN of one) is allowed, nothing that changes data"


def answer(queries: Queries, sql: str) -> pd.DataFrame:
    """The result of one statement that only reads: what DuckDB can't read is GoogleSQL.

    Raises:
        WarehouseError: it is not read-only, or it fails.
    """
    import duckdb

    if dialects.has_backticks(sql):
        return _in_googlesql(queries, sql)
    if dialects.is_likely_googlesql(sql):
        try:
            return _in_googlesql(queries, sql)
        except WarehouseError as error:
            if isinstance(error.__cause__, RefusedError):
                raise  # DuckDB would answer another question
    try:
        return _in_duckdb(queries, sql)
    except WarehouseError as error:
        cause = error.__cause__
        if not isinstance(cause, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
            raise
        if isinstance(cause, duckdb.BinderException) and not dialects.double_quotes_are_text(sql):
            raise
        try:
            return _in_googlesql(queries, sql)
        except WarehouseError as other:
            raise _meant(error, other) from error


def _in_googlesql(queries: Queries, sql: str) -> pd.DataFrame:
    try:
        translated = dialects.from_googlesql(sql, set(queries.views.addresses))
    except UnreadableError as error:
        raise WarehouseError(f"read as GoogleSQL: {error}") from error
    if translated is None:
        raise WarehouseError(_ONE_QUERY)
    try:
        return _in_duckdb(queries, translated)
    except WarehouseError as error:
        if isinstance(error, CorruptPartition):
            raise
        raise WarehouseError(f"read as GoogleSQL: {error}") from error.__cause__


def _in_duckdb(queries: Queries, sql: str) -> pd.DataFrame:
    """The result of one statement in DuckDB's SQL.

    DuckDB reaches no file here, neither to read nor to write: Arrow reads the partitions for it.
    """
    import duckdb
    import pyarrow as pa

    asked: Collection[str] = ()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_external_access = false")
        try:
            _refuse_changes(connection, sql)
            asked = _tables_read(connection, queries, sql)
            _offer(connection, queries, asked)
            connection.execute("SET lock_configuration = true")
            return connection.execute(sql).to_arrow_table().to_pandas(types_mapper=dtype_of)
        except (duckdb.Error, pa.ArrowException, ValueError, OverflowError) as error:
            raise queries.explained(asked, error) from error


def _offer(connection: duckdb.DuckDBPyConnection, queries: Queries, asked: Collection[str]) -> None:
    """Create every table and view by its name, with rows only for the tables in ``asked``."""

    def scan(table: Table) -> str:
        if table.address not in asked:
            return nothing(table)
        try:
            listed, unreadable = queries.scans.files(table)
        except CorruptPartition as error:
            return failing(table, error)
        whole = []
        for number, (fit, paths) in enumerate(listed.items()):
            name = f"_files_{number}_of_{table.dataset}_{table.name}"
            connection.register(name, arrow_dataset(table, fit, paths))
            whole.append(f"SELECT {selected(table, fit)} FROM {name}")
        return " UNION ALL ".join([*whole, *unreadable]) or nothing(table)

    queries.views.create(connection, queries.views.addresses, {}, lru_cache(maxsize=None)(scan))


def _tables_read(connection: duckdb.DuckDBPyConnection, queries: Queries, sql: str) -> Collection[str]:
    """The tables behind a statement, through views too; all of them where DuckDB can't name them."""
    import duckdb

    explained = _EXPLAIN.match(sql)
    try:
        names = connection.get_table_names(sql[explained.end() :] if explained else sql, qualified=True)
    except duckdb.Error:
        return TABLES.keys()
    # DuckDB names a table as it was written, with its alias and its catalog
    bare = [re.split(r"\s+AS\s+", name, flags=re.IGNORECASE)[0].replace('"', "").lower() for name in names]
    found = {".".join(name.split(".")[-2:]) for name in bare}
    if not found <= set(queries.views.addresses):
        return TABLES.keys()
    return {table.address for address in found for table in queries.views.tables_behind(address)}


def _refuse_changes(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise unless the text is one statement that only reads, and so is what an EXPLAIN explains: it may run it."""
    import duckdb

    refusal = WarehouseError(_ONE_QUERY)
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise refusal
    if statements[0].type == duckdb.StatementType.EXPLAIN:
        explained = _EXPLAIN.match(statements[0].query)
        if explained is None:
            raise refusal
        _refuse_changes(connection, statements[0].query[explained.end() :])
    elif statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.RELATION):
        raise refusal


def _meant(as_duckdb: WarehouseError, as_googlesql: WarehouseError) -> WarehouseError:
    """Which error to show of a statement that fails in both dialects: that of the dialect that got further with it."""
    import duckdb

    first, second = as_duckdb.__cause__, as_googlesql.__cause__
    if isinstance(second, RefusedError):
        return as_googlesql
    if not isinstance(second, duckdb.Error) or _first_line(first) == _first_line(second):
        return as_duckdb
    # what DuckDB does not find and can't be a name, such as "2026-01-09", is GoogleSQL's text
    if isinstance(first, duckdb.BinderException) and _LACKS_A_NAME.search(_first_line(first)):
        return WarehouseError(f"{as_duckdb}\n{as_googlesql}")
    return as_googlesql


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0].casefold()
