"""The statements by which DuckDB reads a table's partitions."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nba_props.schemas import Column, Table
from nba_props.warehouse import growth
from nba_props.warehouse.base import CorruptPartition
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.layout import DATES, Layout, day_of
from nba_props.warehouse.lake.partitions import Partitions
from nba_props.warehouse.lake.types import DUCKDB_TYPES

_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class _Scan:
    """The statement that reads a table's partitions as they were at a moment."""

    sql: str
    columns: Any
    changes: tuple[int, int]
    looked: float


class Scans:
    """Statements over the partitions of a lake, each with the columns of its table's contract."""

    def __init__(self, layout: Layout, partitions: Partitions) -> None:
        self._layout = layout
        self._partitions = partitions
        self._known: dict[str, _Scan] = {}

    def forget(self, table: Table | None = None) -> None:
        """Look again at the partitions of a table, or of all."""
        if table is None:
            self._known.clear()
        else:
            self._known.pop(table.address, None)

    def of(self, table: Table) -> str:
        """The statement for one query: every partition by its current file.

        Raises:
            CorruptPartition: one was written under a contract that today's does not extend.
        """
        changes = self._layout.changes(table)
        known = self._known.get(table.address)
        if known and known.columns is table.columns and known.changes == changes and _is_recent(known.looked):
            return known.sql
        looked = time.monotonic()
        listed, unreadable = self.files(table)
        # DuckDB could unite files of unlike columns by itself, but opens all of them for it
        whole = (
            f"SELECT {selected(table, fit)} FROM {_read_parquet(map(_literal, paths))}"
            for fit, paths in sorted(listed.items())
        )
        sql = " UNION ALL ".join([*whole, *unreadable]) or nothing(table)
        self._known[table.address] = _Scan(sql, table.columns, changes, looked)
        return sql

    def lasting(self, table: Table) -> str:
        """The statement for a catalog: it stays valid as partitions are added and replaced."""
        try:
            is_exact = all(fit.is_exact for fit in self.files(table)[0])
        except CorruptPartition as error:
            return failing(table, error)
        if not self._layout.has_partition(table):
            return nothing(table)
        every = [f"{_literal(str(self._layout.folder(table).absolute()))}/{DATES}/{files.CURRENT}"]
        if not self._layout.glob_is_exact(table):
            days = self._layout.partitions(table)
            every = [_literal(str(self._layout.file(table, day).absolute())) for day in days]
        if is_exact:
            return f"SELECT {selected(table, growth.Fit())} FROM {_read_parquet(every)}"
        united = f"SELECT * FROM {_read_parquet(every, united=True)}"
        return f"SELECT {_of_any_release(table)} FROM ({_nothing_ever(table)} UNION ALL BY NAME {united})"

    def files(self, table: Table) -> tuple[dict[growth.Fit, list[str]], list[str]]:
        """The partitions' files by how their columns fit the contract; and for each date that can't be read a
        statement that fails in queries that include that date, and in no others.

        Raises:
            CorruptPartition: one lacks more than the contract allows.
        """
        found: dict[growth.Fit, list[str]] = {}
        unreadable = []
        fits: dict[int, growth.Fit] = {}
        broken: dict[date, growth.Fit] = {}
        folder = str(self._layout.folder(table))
        for day in self._layout.days(table):
            try:
                footer = self._partitions.footer(table, day, folder)
                if footer is None:
                    self._layout.refuse_lost(table, day)
                    continue
            except CorruptPartition as error:
                unreadable.append(failing(table, error, day))
                continue
            columns = id(footer.columns)  # few are distinct, and those are kept
            if columns not in fits:
                fits[columns] = growth.fit(table, footer.columns)
            if fits[columns].broken:
                broken[day] = fits[columns]
            found.setdefault(fits[columns], []).append(os.path.abspath(footer.place))
        if broken:
            first, last = min(broken), max(broken)
            more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            span = str(first) if first == last else f"{first}..{last}"
            raise CorruptPartition(growth.complaint(table, f"{first}{more}", broken[first].broken, span))
        return found, unreadable


def arrow_dataset(table: Table, fit: growth.Fit, paths: Sequence[str]) -> Any:
    """Partitions of one fit as an Arrow dataset, of which a statement about some dates opens those alone."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import fs

    formerly = {c.name: c.formerly for c in table.columns if c.name in fit.renamed}
    schema = pa.schema([f.with_name(formerly.get(f.name, f.name)) for f in table.arrow_schema()])

    form, local = ds.ParquetFileFormat(), fs.LocalFileSystem()
    dated = [(path, day_of(os.path.basename(os.path.dirname(path)))) for path in paths]
    fragments = [form.make_fragment(path, local, ds.field("game_date") == day) for path, day in dated]
    return ds.FileSystemDataset(fragments, schema, form, local)


def selected(table: Table, fit: growth.Fit) -> str:
    """The contract's columns for a SELECT from files that fit it so."""

    def read(column: Column) -> str:
        if column.name in fit.absent:
            return _constant(column, "NULL" if column.before is None else _quoted(column.before))
        return f'"{column.formerly}" AS "{column.name}"' if column.name in fit.renamed else f'"{column.name}"'

    return ", ".join(map(read, table.columns))


def _constant(column: Column, value: str = "NULL", name: str = "") -> str:
    return f'CAST({value} AS {DUCKDB_TYPES[column.type]}) AS "{name or column.name}"'


def nothing(table: Table) -> str:
    """A statement without rows."""
    return f"SELECT {', '.join(_constant(c) for c in table.columns)} WHERE FALSE"


def _nothing_ever(table: Table) -> str:
    """A statement without rows that has each column under its former name, too."""
    former = [_constant(c, name=c.formerly) for c in table.columns if c.formerly]
    return f"SELECT {', '.join([*map(_constant, table.columns), *former])} WHERE FALSE"


def _of_any_release(table: Table) -> str:
    """The contract's columns from files of this release and of earlier ones, united by the names of their columns."""

    def read(column: Column) -> str:
        may_be = [f'"{column.name}"', *([f'"{column.formerly}"'] if column.formerly else [])]
        may_be += [] if column.before is None else [_quoted(column.before)]
        return f'COALESCE({", ".join(may_be)}) AS "{column.name}"' if len(may_be) > 1 else may_be[0]

    return ", ".join(map(read, table.columns))


def failing(table: Table, error: Exception, day: date | None = None) -> str:
    """A statement that fails with the reason why a table or a date can't be read; only a condition that asks for other
    dates avoids it.
    """
    raised = f"error({_quoted(str(error))})"
    columns = ", ".join(
        f"DATE '{day}' AS \"{c.name}\"" if day and c.name == "game_date"
        else f'CAST({raised} AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"'
        for c in table.columns
    )  # fmt: skip
    return f"SELECT {columns} WHERE {raised} IS NULL"


def _is_recent(looked: float) -> bool:
    return time.monotonic() - looked < _LOOK_AGAIN_SECONDS


def _read_parquet(places: Iterable[str], united: bool = False) -> str:
    """DuckDB's reading of paths or patterns."""
    options = "hive_partitioning = true, hive_types = {'game_date': DATE}"
    options += ", union_by_name = true" if united else ""
    return f"read_parquet([{', '.join(map(_quoted, places))}], {options})"


def _literal(path: str) -> str:
    """A path for DuckDB, which takes ``*``, ``?`` and ``[`` for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
