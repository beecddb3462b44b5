"""The local warehouse: a lake of Parquet files, one per table and game_date, queried by DuckDB in memory.

A partition is written to a temporary name beside its place and renamed over it, so a reader sees the old rows or the
new ones, and a killed writer leaves the old ones. Any number of processes may read and write at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props import stopping
from nba_props.domain.calendar import named_day
from nba_props.schemas import TABLES, VIEWS, Table
from nba_props.schemas.base import DUCKDB_TYPES, Type
from nba_props.storage import TEMPORARY, create, replacing
from nba_props.warehouse import digests, growth, usage
from nba_props.warehouse.base import (
    AppendResult,
    CorruptPartition,
    Damage,
    MissingPartition,
    MixedSources,
    PartitionState,
    WarehouseError,
)
from nba_props.warehouse.frames import checked, new_rows, split, to_frame
from nba_props.warehouse.sql import to_duckdb

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow

_LOG = logging.getLogger(__name__)
_PREFIX = "game_date="
_FILE = "data.parquet"
_LOCK = ".lock"
#: folders that have the form of a partition's name, as DuckDB's glob says it and as we do
_DATES = f"{_PREFIX}[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DATE_FORM = re.compile(rf"{_PREFIX}\d{{4}}-\d{{2}}-\d{{2}}", re.ASCII)
#: what a lake can be claimed by
SOURCES = ("REAL", "SIMULATED")
_SOURCE_MARK = "SOURCE"
_ORPHAN_AGE_SECONDS = 3600
_LOCK_TIMEOUT_SECONDS = 120
_LOOK_AGAIN_SECONDS = 1.0
#: the views that the catalog has, and what they select
_CATALOG_NOTE = ".catalog.json"
#: where files that can't be read are kept
SET_ASIDE = "_set_aside"


#: the key of a Parquet file's metadata under which it says what is in it
_STATE = "nba_props"


@dataclass(frozen=True)
class _Footer:
    """What the end of a partition's file says, and which file that was."""

    file: tuple[int, ...]
    rows: int
    #: None where an earlier release or another's writer wrote the file
    content: Mapping[str, str] | None
    made_from: str
    #: its columns with the contract's names of their types
    columns: Mapping[str, str]


class LakeWarehouse:
    """Tables under ``root/<dataset>/<table>/game_date=YYYY-MM-DD/data.parquet``."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self.query_count = 0
        self._count_lock = threading.Lock()
        self._own = threading.local()
        #: footers by path, as long as the file is the same
        self._footers: dict[str, _Footer] = {}
        #: columns by Parquet schema: there are few, and comparing two is cheaper than reading one
        self._shapes: list[tuple[Any, Mapping[str, str]]] = []
        #: tables whose files all had the contract's columns: those columns, when that was seen, and of which folder
        self._whole: dict[str, tuple[Any, float, int]] = {}

    # -- names and places -------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        return str(self.root)

    @property
    def catalog(self) -> str | None:
        return str(self.catalog_path)

    def table(self, table: Table) -> str:
        return table.address

    @property
    def catalog_path(self) -> Path:
        """A DuckDB file that holds only views over the lake, for BI tools."""
        return self.root / "catalog.duckdb"

    def _folder(self, table: Table) -> Path:
        return self.root / table.dataset / table.name

    def _file(self, table: Table, partition: date) -> Path:
        return self._folder(table) / f"{_PREFIX}{partition.isoformat()}" / _FILE

    def partitions(self, table: Table) -> list[date]:
        return [d for d in self._days(table) if self._file(table, d).is_file()]

    def _days(self, table: Table) -> list[date]:
        """The dates that something is named after as a partition's folder is, in order."""
        return sorted(d for d in map(_day, self._names(table)) if d is not None)

    def _names(self, table: Table) -> list[str]:
        try:
            return os.listdir(self._folder(table))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _has_partition(self, table: Table) -> bool:
        return any(self._file(table, d).is_file() for d in self._days(table))

    def _needs_catalog(self, table: Table) -> bool:
        """Whether the catalog won't find the table's next partition by itself."""
        return not self._has_partition(table) or not self._glob_is_exact(table)

    def strays(self) -> list[tuple[str, str]]:
        """What lies in the lake and is not of it, and why: no reader takes it in."""
        known = {self._folder(t): t for t in TABLES.values()}
        datasets = {folder.parent for folder in known}
        found = []
        for dataset in sorted(datasets):
            found += [
                (e.path, "is not named like a table") for e in _entries(dataset) if Path(e.path) not in known
            ]  # fmt: skip
        found += [
            (entry.path, "is not named like a dataset of tables")
            for entry in _entries(self.root)
            if entry.is_dir() and not entry.name.startswith((".", "_")) and Path(entry.path) not in datasets
        ]
        return [*found, *chain.from_iterable(map(_strays, known))]

    def create_views(self) -> None:
        self.refresh_catalog()

    @property
    def source_path(self) -> Path:
        """The file that says whether the lake holds real or simulated data."""
        return self.root / _SOURCE_MARK

    def source(self) -> str | None:
        try:
            found = self.source_path.read_bytes().decode("utf-8", "replace").strip()
            wrong = f"says {found[:40]!r}, neither {' nor '.join(SOURCES)}"
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            found, wrong = "", "is a folder"
        if found not in SOURCES:
            raise WarehouseError(
                f"{self.source_path} {wrong}, so that nobody knows what the lake holds: nba-props doctor --repair"
            )
        return found

    def claim(self, source: str) -> None:
        if not os.path.lexists(self.source_path):
            create(self.source_path, source.encode())  # where another process was first, its word counts
        found = self.source()
        if found != source:
            raise MixedSources(
                f"the lake {self.root} holds {found} data and can't take {source} data in: "
                "set NBA_PROPS_HOME to another folder for the one or the other"
            )

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> None:
        rows = checked(table, frame)
        pieces = split(table, rows, partitions)
        content = digests.contents(table, rows, pieces)
        first_time = self._needs_catalog(table)
        for partition, piece in pieces.items():
            self._replace(table, partition, piece, content[partition], (made_from or {}).get(partition, ""))
        if first_time:
            self.refresh_catalog()

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> AppendResult:
        pieces = split(table, table.validate(frame), partitions)
        first_time = self._needs_catalog(table)
        added = present = 0
        for partition, rows in pieces.items():
            with self._lock(table, partition):
                new = self._append(table, partition, rows, (made_from or {}).get(partition))
            added += new
            present += len(rows) - new
        if first_time:
            self.refresh_catalog()
        return AppendResult(added, present)

    def _append(self, table: Table, partition: date, rows: pd.DataFrame, made_from: str | None) -> int:
        """How many rows were new; the partition is locked."""
        import pandas as pd

        before = self._footer(table, partition)
        known = table.empty() if before is None else self.read(table, [partition])
        new = new_rows(table, rows, known)
        stopping.check()
        source = made_from if made_from is not None else before.made_from if before else ""
        if len(new) or before is None:
            frames = [f for f in (known, new) if len(f)]
            whole = pd.concat(frames, ignore_index=True) if frames else table.empty()
            self._replace(table, partition, whole, digests.content(table, whole, partition), source)
        elif source != before.made_from:
            content = before.content or digests.content(table, known, partition)
            self._replace(table, partition, known, content, source)
        return len(new)

    def remove(self, table: Table, keys: Sequence[str], partition: date) -> int:
        (key,) = table.key
        with self._lock(table, partition):
            known = self.read(table, [partition])
            leaving = known[key].isin(list(keys))
            if leaving.any():
                before, left = self._footer(table, partition), known[~leaving]
                source = before.made_from if before else ""
                self._replace(table, partition, left, digests.content(table, left, partition), source)
        return int(leaving.sum())

    def row_counts(self, table: Table, days: Collection[date]) -> dict[date, int]:
        found = {}
        for day in sorted(set(days)):
            try:
                footer = self._footer(table, day)
            except CorruptPartition as error:
                _LOG.warning("%s", error)
                continue
            if footer is not None:
                found[day] = footer.rows
        return found

    def states(self, table: Table, days: Collection[date] | None = None) -> dict[date, PartitionState]:
        asked = self._days(table) if days is None else sorted(set(days))
        found: dict[date, PartitionState] = {}
        folder = str(self._folder(table))
        for day in asked:
            try:
                footer = self._footer(table, day, folder)
                if footer is None:
                    continue
                content = footer.content
                if content is None:
                    content = digests.content(table, self.read(table, [day]), day)
                    self._footers[str(self._file(table, day))] = replace(footer, content=content)
            except CorruptPartition as error:  # whoever asks for this date is told, and it is made again
                _LOG.warning("%s", error)
                continue
            found[day] = PartitionState(footer.rows, content, footer.made_from)
        return found

    def _footer(self, table: Table, partition: date, folder: str | None = None) -> _Footer | None:
        """What a partition's file says of itself; None when there is none.

        Asked for every partition before every query: ``folder`` is the table's, for whoever asks in a loop.
        """
        path = f"{folder or self._folder(table)}/{_PREFIX}{partition.isoformat()}/{_FILE}"
        try:
            known = self._footers.get(path)
            if known is not None and known.file == _identity(os.stat(path)):
                return known
            if not os.path.isfile(path):
                return None
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self._read_footer(table, partition, path)

    def _read_footer(self, table: Table, partition: date, path: str) -> _Footer | None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with open(path, "rb") as source:
                status = os.fstat(source.fileno())
                metadata = pq.ParquetFile(source).metadata
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        content, made_from = digests.stated(table, (metadata.metadata or {}).get(_STATE.encode()))
        footer = _Footer(
            _identity(status),
            metadata.num_rows,
            content,
            made_from,
            self._columns(metadata.schema),
        )
        self._footers[path] = footer
        return footer

    def _columns(self, schema: Any) -> Mapping[str, str]:
        for known, columns in self._shapes:
            if known.equals(schema):
                return columns
        columns = stored_columns(schema.to_arrow_schema())
        self._shapes.append((schema, columns))
        return columns

    def _unreadable(self, table: Table, partition: date, error: Exception) -> CorruptPartition:
        return CorruptPartition(
            f"{table.address} partition {partition} can't be read ({self._file(table, partition)}): {error}. "
            "Materialize it again"
        )

    def fingerprints(self, table: Table) -> dict[date, str]:
        found = {}
        for day in self.partitions(table):
            path = self._file(table, day)
            try:
                found[day] = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
            except FileNotFoundError:
                continue  # taken away in between
            except OSError as error:
                raise CorruptPartition(f"{table.address} partition {day} can't be read ({path}): {error}") from error
        return found

    def write_unchecked(self, table: Table, rows: pd.DataFrame, partition: date) -> None:
        self._replace(table, partition, table.conform(rows))

    def _replace(
        self,
        table: Table,
        partition: date,
        rows: pd.DataFrame,
        content: Mapping[str, str] | None = None,
        made_from: str = "",
    ) -> None:
        """Put a file with these rows, and what it says of them, in the partition's place; no ``content``, no word."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = self._file(table, partition)
        arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
        try:
            _sweep(target.parent)
            with (
                replacing(target) as sink,
                # the contract gives the types again: without Arrow's own schema a file has a third of the size
                pq.ParquetWriter(sink, table.arrow_schema(), compression="zstd", store_schema=False) as writer,
            ):
                writer.write_table(arrow)
                if content is not None:
                    writer.add_key_value_metadata({_STATE: digests.statement(content, made_from)})
            self._whole.pop(table.address, None)
        except OSError as error:
            raise WarehouseError(
                f"cannot write {table.address} partition {partition} under {self.root}: {error.strerror or error}. "
                "The old partition is unchanged; free the disk or fix the permissions and run again"
            ) from error

    @contextmanager
    def _lock(self, table: Table, partition: date) -> Iterator[None]:
        import filelock

        path = self._folder(table) / f"{_PREFIX}{partition.isoformat()}" / _LOCK
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(path, timeout=_LOCK_TIMEOUT_SECONDS)
            lock.acquire()
        except filelock.Timeout as error:
            raise WarehouseError(
                f"{table.address} partition {partition} is held by another run for over {_LOCK_TIMEOUT_SECONDS} s; "
                "wait for it or stop it, then run again"
            ) from error
        except OSError as error:
            raise WarehouseError(f"cannot lock {table.address} partition {partition}: {error}") from error
        try:
            yield
        finally:
            lock.release()

    # -- reading ----------------------------------------------------------------------------------------------------

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        import pyarrow as pa

        missing = [d for d in partitions if not self._file(table, d).is_file()]
        if missing:
            raise MissingPartition(
                f"{table.address} has no partition {', '.join(map(str, missing[:5]))}"
                f"{' and more' if len(missing) > 5 else ''}: materialize it first"
            )
        pieces = [self._read_file(table, d) for d in partitions]
        arrow = pa.concat_tables(pieces) if pieces else table.arrow_schema().empty_table()
        usage.charge(usage.Usage(bytes_to_client=arrow.nbytes))
        return to_frame(arrow)

    def _read_file(self, table: Table, partition: date) -> pyarrow.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._file(table, partition)
        try:
            # one open handle, so that a replacement in between can't mix two versions
            with path.open("rb") as source:
                arrow = pq.ParquetFile(source).read(use_threads=False)  # a date is small: threads cost more
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        fit = growth.fit(table, stored_columns(arrow.schema))
        if fit.broken:
            raise CorruptPartition(growth.complaint(table, partition, fit.broken))
        wanted = table.arrow_schema()
        arrow = arrow.drop_columns([n for n in fit.absent if n in arrow.schema.names])
        for name in fit.absent:
            arrow = arrow.append_column(wanted.field(name), pa.nulls(len(arrow), wanted.field(name).type))
        try:
            return arrow.select(table.column_names).cast(wanted).replace_schema_metadata(None)
        except pa.ArrowException as error:
            raise self._unreadable(table, partition, error) from error

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        import duckdb

        statement = to_duckdb(sql)
        with self._count_lock:
            self.query_count += 1
        connection = self._connection()
        try:
            self._create_views(connection, statement.reads, self._own.views)
            arrow = connection.execute(statement.sql, parameters).to_arrow_table()
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise CorruptPartition(f"a partition behind {', '.join(statement.reads)} can't be read: {error}") from error
        except (duckdb.InterruptException, RuntimeError) as error:
            # DuckDB swallows whatever a signal's handler raises and says this instead
            if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
                raise stopping.Stopped from error
            raise
        except duckdb.Error as error:
            raise WarehouseError(f"a statement over {', '.join(statement.reads)} failed: {error}") from error
        usage.charge(usage.Usage(queries=1, bytes_to_client=arrow.nbytes))
        return to_frame(arrow)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection, which keeps its views: opening one costs as much as a small query."""
        import duckdb

        if not hasattr(self._own, "connection"):
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            # partitions are renamed over: nothing of a file may outlive a query
            connection.execute("SET enable_external_file_cache = false")
            self._own.connection, self._own.views = connection, {}
        return self._own.connection

    def read_only(self, sql: str) -> pd.DataFrame:
        """The result of one statement, in DuckDB's own SQL, over the lake and nothing else."""
        import duckdb

        readers = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.RELATION)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            self._create_views(connection, [*TABLES, *VIEWS], {}, self._scan_or_complaint)
            folder = str(self.root.absolute())
            # a pattern is judged as it is written, what it finds as it is named
            allowed = ", ".join(_quoted(f"{place}/") for place in dict.fromkeys((folder, _literal(folder))))
            connection.execute(f"SET allowed_directories = [{allowed}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            try:
                statements = connection.extract_statements(sql)
                if len(statements) != 1 or statements[0].type not in readers:
                    raise WarehouseError(
                        "one SELECT (or DESCRIBE, SHOW, EXPLAIN) is allowed, nothing that changes data"
                    )
                return connection.execute(statements[0]).to_arrow_table().to_pandas()
            except duckdb.Error as error:
                raise WarehouseError(str(error)) from error

    def _create_views(
        self,
        connection: duckdb.DuckDBPyConnection,
        addresses: Sequence[str],
        known: dict[str, str],
        scan: Callable[[Table], str] | None = None,
    ) -> None:
        """Views of the given names and of what they read; ``known`` are those that the connection has already."""
        scan = scan or lru_cache(maxsize=None)(self._scan)  # one look at a table, however many views read it
        for address in addresses:
            if address in VIEWS:
                self._create_views(connection, to_duckdb(VIEWS[address].sql).reads, known, scan)
                body = _view(address)
            elif address in TABLES:
                body = scan(TABLES[address])
            else:
                raise WarehouseError(f"there is no table or view {address}; there are {', '.join([*TABLES, *VIEWS])}")
            if known.get(address) != body:
                dataset, name = address.split(".")
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')
                connection.execute(f'CREATE OR REPLACE VIEW "{dataset}"."{name}" AS {body}')
                known[address] = body

    def _scan(self, table: Table) -> str:
        """The statement behind a table's view: the contract's columns of every partition.

        Raises:
            CorruptPartition: one can't be read, or was written under a contract that is not this one's past.
        """
        whole = f"SELECT {_selected(table, ())} FROM {self._read_parquet(table)}"
        if self._is_known_whole(table):
            return whole
        looked = time.monotonic(), self._changed(table)
        exact = self._glob_is_exact(table)
        absent = self._absent(table)
        if not absent:
            return f"SELECT {_selected(table)} WHERE FALSE"
        if absent.keys() == {()} and exact:
            self._whole[table.address] = (table.columns, *looked)
            return whole
        # DuckDB could unite files of unlike columns by itself, but opens all of them for it
        folder = self._folder(table).absolute()
        files = {
            lacking: [str(folder / f"{_PREFIX}{day.isoformat()}" / _FILE) for day in days]
            for lacking, days in absent.items()
        }
        return " UNION ALL ".join(
            f"SELECT {_selected(table, lacking)} FROM {self._read_parquet(table, paths)}"
            for lacking, paths in sorted(files.items())
        )

    def _is_known_whole(self, table: Table) -> bool:
        """All files were under the contract a moment ago, and no partition was added since.

        A run asks hundreds of statements, and a look at each file of its tables would cost as much as the statements.
        """
        columns, looked, changed = self._whole.get(table.address, (None, 0.0, 0))
        is_recent = time.monotonic() - looked < _LOOK_AGAIN_SECONDS
        return columns is table.columns and is_recent and changed == self._changed(table)

    def _changed(self, table: Table) -> int:
        try:
            return os.stat(self._folder(table)).st_mtime_ns
        except FileNotFoundError:
            return 0

    def _scan_or_complaint(self, table: Table) -> str:
        """The same, or, where that can't be read, a view that says so to whoever asks it."""
        try:
            return self._scan(table)
        except CorruptPartition as error:
            return f"SELECT {_selected(table)} WHERE error({_quoted(str(error))}) IS NULL"

    def _lasting_scan(self, table: Table) -> str:
        """The same for a catalog: partitions come and change without it being made anew."""
        try:
            absent = self._absent(table)
        except CorruptPartition:
            return self._scan_or_complaint(table)
        if not absent.keys() - {()}:
            return self._scan(table)
        united = f"SELECT * FROM {self._read_parquet(table, united=True)}"
        names = ", ".join(f'"{n}"' for n in table.column_names)
        return f"SELECT {names} FROM (SELECT {_selected(table)} WHERE FALSE UNION ALL BY NAME {united})"

    def _absent(self, table: Table) -> dict[tuple[str, ...], list[date]]:
        """The partitions by the contract's columns that they lack.

        Raises:
            CorruptPartition: one lacks more than the contract allows.
        """
        found: dict[tuple[str, ...], list[date]] = {}
        fits: dict[int, growth.Fit] = {}
        broken: dict[date, growth.Fit] = {}
        folder = str(self._folder(table))
        for day in self._days(table):
            try:
                footer = self._footer(table, day, folder)
            except CorruptPartition:
                found.setdefault((), []).append(day)  # who asks for this date is told, and nobody else
                continue
            if footer is None:
                continue
            columns = id(footer.columns)  # few are distinct, and those are kept
            if columns not in fits:
                fits[columns] = growth.fit(table, footer.columns)
            if fits[columns].broken:
                broken[day] = fits[columns]
            found.setdefault(fits[columns].absent, []).append(day)
        if broken:
            first, last = min(broken), max(broken)
            more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            span = str(first) if first == last else f"{first}..{last}"
            raise CorruptPartition(growth.complaint(table, f"{first}{more}", broken[first].broken, span))
        return found

    def _read_parquet(self, table: Table, paths: Sequence[str] | None = None, united: bool = False) -> str:
        files = (
            self._glob(table) if paths is None else f"[{', '.join(_quoted(_literal(path)) for path in paths)}]"
        )  # fmt: skip
        options = "hive_partitioning = true, hive_types = {'game_date': DATE}"
        return f"read_parquet({files}, {options}{', union_by_name = true' if united else ''})"

    def _glob(self, table: Table) -> str:
        """DuckDB's pattern of every partition's file, quoted: what is named otherwise does not match it."""
        return _quoted(f"{_literal(str(self._folder(table).absolute()))}/{_DATES}/{_FILE}")

    def _glob_is_exact(self, table: Table) -> bool:
        """Whether the pattern matches partitions only: 2026-13-01 has the form of a date, and a folder may have a
        file's name.
        """
        named = [_day(n) for n in self._names(table) if _DATE_FORM.fullmatch(n)]
        return all(day is not None and not self._file(table, day).is_dir() for day in named)

    # -- damage -----------------------------------------------------------------------------------------------------

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        found = []
        for table in TABLES.values():
            for day in self.partitions(table):
                if days is None or day in days:
                    try:
                        self._read_file(table, day)
                    except CorruptPartition as error:
                        found.append(Damage(table, day, str(error)))
        return found

    def set_aside(self, damage: Damage, now: datetime) -> str:
        table, day = damage.table, damage.partition
        target = self.root / SET_ASIDE / table.address / f"{day.isoformat()}-{now:%Y%m%dT%H%M%S%fZ}.parquet"
        with self._lock(table, day):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._file(table, day), target)
            self._whole.pop(table.address, None)
        return str(target)

    # -- the catalog ------------------------------------------------------------------------------------------------

    def refresh_catalog(self) -> Path:
        """Bring the catalog up to date in a copy beside it, and rename that over; nothing is done when nothing changed.

        The views it has stand in a file beside it: opening the catalog itself costs more than most of its changes.
        """
        import duckdb
        import filelock

        self.root.mkdir(parents=True, exist_ok=True)
        noted = self.catalog_note
        with filelock.FileLock(self.root / ".catalog.lock"):
            known = self._noted_views()
            wanted = {a: _view(a) for a in VIEWS}
            wanted |= {a: self._lasting_scan(t) for a, t in TABLES.items()}
            if known == wanted:
                return self.catalog_path
            folder = None
            try:
                folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=self.root))
                fresh = folder / "catalog.duckdb"
                if known and not self.catalog_flaw():
                    shutil.copyfile(self.catalog_path, fresh)
                else:
                    known = {}  # made anew: it holds nothing but views
                with duckdb.connect(str(fresh)) as connection:
                    connection.execute("SET TimeZone = 'UTC'")
                    for address in [*TABLES, *VIEWS]:
                        try:
                            self._create_views(connection, [address], known, lambda t: wanted[t.address])
                        except duckdb.Error as error:  # one unreadable table must not cost the others their views
                            _LOG.warning("no view of %s in the catalog: %s", address, error)
                os.replace(fresh, self.catalog_path)
                (folder / "note").write_text(json.dumps(known))
                os.replace(folder / "note", noted)
            except (OSError, duckdb.IOException) as error:
                way_out = (
                    "move that folder away with `nba-props doctor --repair`"
                    if self.catalog_path.is_dir()
                    else "free the disk or fix the permissions and run again"
                )
                raise WarehouseError(
                    f"cannot write the catalog of views {self.catalog_path}: {error}. The tables are unchanged; "
                    f"{way_out}"
                ) from error
            finally:
                if folder is not None:
                    shutil.rmtree(folder, ignore_errors=True)
        return self.catalog_path

    def catalog_flaw(self) -> str:
        """Why the catalog can't be opened; empty when it can, or when there is none."""
        import duckdb

        if not os.path.lexists(self.catalog_path):
            return ""
        try:
            duckdb.connect(str(self.catalog_path), read_only=True).close()
        except duckdb.Error as error:
            # whoever has it open for writing has it open
            return "" if "lock" in str(error) else str(error).splitlines()[0]
        return ""

    @property
    def catalog_note(self) -> Path:
        """What views the catalog has, as text: losing it means making them anew."""
        return self.root / _CATALOG_NOTE

    def catalog_note_flaw(self) -> str:
        """Why the note can't be read; empty when it can."""
        try:
            found = json.loads(self.catalog_note.read_bytes())
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            return str(error)
        return "" if isinstance(found, dict) else "it holds no views"

    def _noted_views(self) -> dict[str, str]:
        """The views that the catalog has; none where it or its note can't be read, so that they are made anew."""
        if not (self.catalog_path.is_file() and self.catalog_note.is_file()) or self.catalog_note_flaw():
            return {}
        return dict(json.loads(self.catalog_note.read_bytes()))


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind long ago."""
    for orphan in folder.glob(f"{TEMPORARY}*"):
        try:
            if time.time() - orphan.stat().st_mtime > _ORPHAN_AGE_SECONDS:
                orphan.unlink()
        except FileNotFoundError:
            continue


@lru_cache(maxsize=10_000)
def _day(folder: str) -> date | None:
    """The date of a partition's folder; None for what is not named like one."""
    return named_day(folder.removeprefix(_PREFIX)) if folder.startswith(_PREFIX) else None


def _strays(folder: Path) -> Iterator[tuple[str, str]]:
    """What lies in a table's folder and is not of a partition, by path, and why."""
    if folder.is_file():
        yield str(folder), "is a file in the place of a table's folder"
    for entry in _entries(folder):
        if _day(entry.name) is None:
            yield entry.path, f"is not named like a partition ({_PREFIX}2026-01-09)"
        elif not entry.is_dir():
            yield entry.path, "is named like a partition and is not a folder"
        else:
            yield from _strays_beside(Path(entry.path))


def _strays_beside(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in _entries(folder):
        if entry.name == _FILE:
            if not entry.is_file():
                yield entry.path, "is named like a partition's file and is not a file"
        elif entry.name != _LOCK and not entry.name.startswith(TEMPORARY):
            yield entry.path, f"is not {_FILE}, which is all that a partition has"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _literal(path: str) -> str:
    """A path for DuckDB, which takes ``*``, ``?`` and ``[`` for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def stored_columns(schema: pyarrow.Schema) -> dict[str, str]:
    """A file's columns with the contract's names of their types, or Arrow's where the contract has none."""
    found = {f.name: _type_name(f.type) for f in schema}
    for name in schema.names:
        if schema.names.count(name) > 1:
            found[name] = "there more than once"
    return found


def _type_name(kind: pyarrow.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    kinds = {
        Type.STRING: pa.types.is_string(kind) or pa.types.is_large_string(kind),
        Type.INT64: pa.types.is_int64(kind),
        Type.FLOAT64: pa.types.is_float64(kind),
        Type.BOOL: pa.types.is_boolean(kind),
        Type.DATE: pa.types.is_date32(kind),
        Type.TIMESTAMP: pa.types.is_timestamp(kind) and kind.tz is not None,
        growth.ALL_NULL: pa.types.is_null(kind),
    }
    return next((str(name) for name, is_it in kinds.items() if is_it), str(kind))


def _view(address: str) -> str:
    """A view's statement, and a mark of the contracts behind it: DuckDB keeps what a ``*`` once was."""
    contracts = json.dumps([(t.address, [(c.name, c.type) for c in t.columns]) for t in _behind(address)])
    return f"{to_duckdb(VIEWS[address].sql).sql} /* {hashlib.blake2b(contracts.encode(), digest_size=8).hexdigest()} */"


def _behind(address: str) -> list[Table]:
    """The tables that a view reads, through others too."""
    found = {t.address: t for a in to_duckdb(VIEWS[address].sql).reads if a in VIEWS for t in _behind(a)}
    found |= {a: TABLES[a] for a in to_duckdb(VIEWS[address].sql).reads if a in TABLES}
    return [found[a] for a in sorted(found)]


def _selected(table: Table, absent: Collection[str] | None = None) -> str:
    """The contract's columns for a SELECT: all of them null, or those that are absent from the files."""
    return ", ".join(
        f'CAST(NULL AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' if absent is None or c.name in absent else f'"{c.name}"'
        for c in table.columns
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
