"""The smallest warehouse: what an engine has to fill in, over dictionaries of one process."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from nba_props.catalog import TABLES, VIEWS
from nba_props.schemas import Table
from nba_props.warehouse import dialects
from nba_props.warehouse.base import Damage, WarehouseError
from nba_props.warehouse.entries import Entry, Written
from nba_props.warehouse.frames import in_order, joined, rows_of
from nba_props.warehouse.lake.views import Views
from nba_props.warehouse.partitioned import SEALED_MARK, SOURCE_MARK, PartitionedWarehouse, missing_partition
from nba_props.warehouse.sql import to_duckdb


class MemoryWarehouse(PartitionedWarehouse):
    """Rows by table and date, each with its entry; one lock for all."""

    elsewhere = "another process"

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[str, dict[date, tuple[Entry, pd.DataFrame]]] = {}
        self._marks: dict[str, str] = {}
        self._lock = threading.RLock()
        self._versions = itertools.count()

    @property
    def place(self) -> str:
        return "memory"

    def _of(self, table: Table) -> dict[date, tuple[Entry, pd.DataFrame]]:
        return dict(sorted(self._parts.get(table.address, {}).items()))

    # -- what every engine fills in ---------------------------------------------------------------------------------

    def _entries(self, table: Table, days: Collection[date] | None) -> dict[date, Entry]:
        return {day: entry for day, (entry, _) in self._of(table).items() if days is None or day in days}

    def _stored(self, table: Table, days: list[date]) -> pd.DataFrame:
        return joined(table, [rows for day, (_, rows) in self._of(table).items() if day in days])

    def _locked(self, table: Table, days: Sequence[date]) -> threading.RLock:
        return self._lock

    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        for day, of in written.items():
            entry = Entry(table=table, rows=of.rows, version=next(self._versions), statement=of.statement)
            self._parts.setdefault(table.address, {})[day] = entry, rows_of(rows, [day])

    def _create_mark(self, name: str, text: str) -> None:
        self._marks.setdefault(name, text)

    def _sealed_as(self) -> str | None:
        return self._marks.get(SEALED_MARK)

    # -- what every engine answers in its own way -------------------------------------------------------------------

    def source(self) -> str | None:
        return self._marks.get(SOURCE_MARK)

    def partitions(self, table: Table) -> list[date]:
        return list(self._of(table))

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        if missing := [day for day in partitions if day not in self._of(table)]:
            raise missing_partition(table, missing)
        return in_order(table, self._stored(table, list(partitions)), partitions)

    def fingerprints(self, table: Table) -> dict[date, str]:
        return {day: hashlib.sha256(rows.to_csv().encode()).hexdigest() for day, (_, rows) in self._of(table).items()}

    def arrow(self, sql: str, /, **parameters: Any) -> pa.Table:
        self.query_count += 1
        statement = to_duckdb(sql)
        with duckdb.connect() as connection:

            def scan(table: Table) -> str:
                rows = pa.Table.from_pandas(self.read(table, self.partitions(table)), schema=table.arrow_schema())
                connection.register(f"rows_of_{table.dataset}_{table.name}", rows)
                return f"SELECT * FROM rows_of_{table.dataset}_{table.name}"

            connection.execute("SET TimeZone = 'UTC'")
            Views(VIEWS).create(connection, statement.reads, {}, lru_cache(maxsize=None)(scan))
            return connection.execute(statement.sql, parameters).to_arrow_table()

    def read_only(self, sql: str) -> pd.DataFrame:
        if dialects.from_googlesql(sql, {*TABLES, *VIEWS}) is None:
            raise WarehouseError("one SELECT is allowed, nothing that changes data")
        return self.query(sql)

    def create_views(self) -> None:
        """They are made for each query."""

    def set_aside(self, damage: Damage, now: datetime) -> str:
        self._parts[damage.table.address].pop(damage.partition)
        return "nowhere"

    def strays(self) -> list[tuple[str, str]]:
        return []

    def stored_before(self, table: Table) -> None:
        return None

    def take_over(self, table: Table) -> None:
        raise WarehouseError("nothing is stored under a former name")
