"""The columns of every table and view with their meaning: the catalog's comments, and what analysts are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nba_props.catalog import TABLES
from nba_props.domain.views.columns import COLUMNS
from nba_props.schemas import Column, Table, Type, View
from nba_props.warehouse.lake.scans import nothing
from nba_props.warehouse.lake.types import DUCKDB_TYPES
from nba_props.warehouse.lake.views import Views
from nba_props.warehouse.sql import reads

if TYPE_CHECKING:
    import duckdb

_TYPES = {name: kind for kind, name in DUCKDB_TYPES.items()}


def columns_of(address: str, views: Mapping[str, View]) -> tuple[Column, ...]:
    """The columns of a table or view in their order; those of a view may be null.

    Raises:
        KeyError: there is neither a table nor a view of this address.
    """
    return TABLES[address].columns if address in TABLES else _of_view(address, tuple(views.values()))


@lru_cache(maxsize=64)
def _of_view(address: str, views: Sequence[View]) -> tuple[Column, ...]:
    """The columns of a view over tables without rows."""
    import duckdb

    named = Views({view.address: view for view in views})
    if address not in named.views:
        raise KeyError(address)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        named.create(connection, [address], {}, nothing)
        return _found(connection, address, named)


def _found(connection: duckdb.DuckDBPyConnection, address: str, named: Views) -> tuple[Column, ...]:
    """The columns of a view that a connection has."""
    listed = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name || '.' || table_name = ? "
        "ORDER BY column_index",
        [address],
    )
    found = {name: _type(kind) for name, kind in listed.fetchall()}
    known = dict(COLUMNS)
    # of tables that describe a column differently the one counts that the statement names first
    for table in reversed(_tables_of(address, named)):
        known |= {column.name: column for column in table.columns}
    return tuple(replace(known[name], type=kind, nullable=True) for name, kind in found.items())


def _tables_of(address: str, named: Views) -> list[Table]:
    """A table, or the tables behind a view in the order in which its statement names them or views of them."""
    if address in TABLES:
        return [TABLES[address]]
    sql = named.views[address].sql
    return [table for read in sorted(reads(sql), key=sql.index) for table in _tables_of(read, named)]


def _type(name: str) -> Type:
    """A type of the contract for one of DuckDB's, which sums whole numbers into 128 bits."""
    return Type.INT64 if name == "HUGEINT" else _TYPES[name]


def comment(connection: duckdb.DuckDBPyConnection, addresses: Sequence[str], named: Views) -> None:
    """Give tables and views of a connection, and their columns, their meanings as comments."""
    connection.execute("BEGIN")  # one change of the file instead of a thousand
    for address in addresses:
        described = TABLES[address] if address in TABLES else named.views[address]
        columns = described.columns if isinstance(described, Table) else _found(connection, address, named)
        texts = [f"COMMENT ON VIEW {address} IS {_quoted(described.description)}"]
        texts += [f'COMMENT ON COLUMN {address}."{c.name}" IS {_quoted(c.full_description)}' for c in columns]
        connection.execute(";".join(texts))
    connection.execute("COMMIT")


def meanings(views: Mapping[str, View]) -> list[object]:
    """What the comments are made from, to tell whether they are those of this release."""
    tables = [(t.address, t.description, [(c.name, c.full_description) for c in t.columns]) for t in TABLES.values()]
    own = [(c.name, c.full_description) for c in COLUMNS.values()]
    return [*tables, *((v.address, v.description) for v in views.values()), own]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
