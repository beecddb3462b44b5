"""A warehouse in DuckDB's memory for tests of statements: handwritten rows in the tables of their contracts, and the
catalog's views over them. What a warehouse has to do with files, partitions and processes is tested on the real ones.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.schemas import Table
from nba_props.warehouse.base import MissingPartition
from nba_props.warehouse.frames import checked, new_rows, refuse_strays, split, to_frame
from nba_props.warehouse.lake import queries
from nba_props.warehouse.lake.types import DUCKDB_TYPES
from nba_props.warehouse.sql import to_duckdb


class Frames:
    """As much of a warehouse as a statement needs."""

    def __init__(self) -> None:
        self.query_count = 0
        self._connection = queries.in_memory()
        self._there: set[str] = set()
        self._days: dict[str, set[date]] = {}

    def write(self, table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> None:
        rows = checked(table, frame)
        refuse_strays(table, rows, partitions)
        self.put(table, rows, partitions)

    def write_unchecked(self, table: Table, rows: pd.DataFrame, partition: date) -> None:
        self.put(table, table.conform(rows), [partition])

    def append(self, table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> dict[date, tuple[int, int]]:
        account = {}
        for day, rows in split(table, table.validate(digests.sealed(table, frame)), partitions).items():
            known = self.read(table, [day]) if day in self.partitions(table) else table.empty()
            new = new_rows(table, rows, known)
            self.put(table, pd.concat([f for f in (known, new) if len(f)] or [known], ignore_index=True), [day])
            account[day] = (len(new), len(rows) - len(new))
        return account

    def put(self, table: Table, rows: pd.DataFrame, partitions: Collection[date]) -> None:
        """Replace partitions by conformed rows, whatever these say."""
        self._ensure(table.address)
        name, days = _quoted(table.address), [*partitions]
        new = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
        self._connection.execute(f"DELETE FROM {name} WHERE list_contains($days, game_date)", {"days": days})
        self._connection.register("new", new)
        self._connection.execute(f"INSERT INTO {name} SELECT * FROM new")
        self._connection.unregister("new")
        self._days.setdefault(table.address, set()).update(days)

    def partitions(self, table: Table) -> list[date]:
        return sorted(self._days.get(table.address, ()))

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        if missing := set(partitions) - self._days.get(table.address, set()):
            raise MissingPartition(f"{table.address} has no partition {missing}")
        found = self._connection.execute(
            f"SELECT * FROM {_quoted(table.address)} WHERE list_contains($days, game_date)", {"days": [*partitions]}
        )
        return to_frame(found.to_arrow_table().cast(table.arrow_schema()))

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        self.query_count += 1
        statement = to_duckdb(sql)
        for address in statement.reads:
            self._ensure(address)
        return to_frame(self._connection.execute(statement.sql, parameters).to_arrow_table())

    def _ensure(self, address: str) -> None:
        if address in self._there:
            return
        self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{address.split(".", maxsplit=1)[0]}"')
        if address in VIEWS:
            statement = to_duckdb(VIEWS[address].sql)
            for read in statement.reads:
                self._ensure(read)
            self._connection.execute(f"CREATE VIEW {_quoted(address)} AS {statement.sql}")
        else:
            columns = ", ".join(f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in TABLES[address].columns)
            self._connection.execute(f"CREATE TABLE {_quoted(address)} ({columns})")
        self._there.add(address)


def _quoted(address: str) -> str:
    return ".".join(f'"{part}"' for part in address.split("."))
