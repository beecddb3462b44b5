"""The local warehouse: a lake of Parquet files, one per table and game_date, queried by DuckDB in memory.

A partition is a link to a file that never changes (``files``): a writer makes a new file and replaces the link, so a
reader sees the old rows or the new ones, and a killed writer leaves the old ones. Any number of processes may read and
write at once.
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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.facts.calendar import named_day
from nba_props.process import stopping
from nba_props.schemas import Table, View, WriteMode
from nba_props.schemas.base import DUCKDB_TYPES, Type
from nba_props.storage.files import ASIDE, TEMPORARY, create
from nba_props.warehouse import dialects, files, growth, usage
from nba_props.warehouse.base import (
    SEALED_WHOLE,
    AppendResult,
    CorruptPartition,
    Damage,
    MissingPartition,
    MixedSources,
    PartitionState,
    WarehouseError,
    way_out,
)
from nba_props.warehouse.frames import arrow_by_date, checked, dtype_of, new_rows, refuse_strays, split, to_frame
from nba_props.warehouse.sql import Statement, to_duckdb
from nba_props.warehouse.translation import RefusedError, UnreadableError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow

_LOG = logging.getLogger(__name__)
_PREFIX = "game_date="
_LOCK = ".lock"
#: folders that have the form of a partition's name, as DuckDB's glob says it and as we do
_DATES = f"{_PREFIX}[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DATE_FORM = re.compile(rf"{_PREFIX}\d{{4}}-\d{{2}}-\d{{2}}", re.ASCII)
#: what a lake can be claimed by
SOURCES = ("REAL", "SIMULATED")
_SOURCE_MARK = "SOURCE"
#: there when every row of the ledgers has a digest
_SEALED_MARK = "SEALED"
#: a byte longer with every change of a table's partitions, so that readers need not look at each of them
_CHANGES = ".changes"
_LOCK_TIMEOUT_SECONDS = 120
_LOOK_AGAIN_SECONDS = 1.0
#: the views that the catalog has, and what they select
_CATALOG_NOTE = ".catalog.json"
#: where files that can't be read are kept
SET_ASIDE = "_set_aside"


#: what stands before the statement that an EXPLAIN explains
_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*EXPLAIN\b\s*(?:ANALYZE\b\s*)?(?:\([^)]*\)\s*)?", re.IGNORECASE | re.DOTALL
)

#: in the first line of an error, cases folded
_LACKS_A_NAME = re.compile(r'"[^\W\d]\w*"')
_ONE_QUERY = "one SELECT (or DESCRIBE, SHOW, EXPLAIN of one) is allowed, nothing that changes data"
#: the key of a Parquet file's metadata under which it says what is in it
_STATE = "nba_props"


@dataclass(frozen=True)
class _Footer:
    """What the end of a partition's file says, and which file that was."""

    path: str
    identity: tuple[object, ...]
    rows: int
    #: what its writer stated of it
    statement: bytes | None
    #: None where an earlier release or another's writer wrote the file
    content: Mapping[str, str] | None
    made_from: str
    #: its columns with the contract's names of their types
    columns: Mapping[str, str]


@dataclass(frozen=True)
class _Scan:
    """The statement that reads a table's partitions as they were at a moment."""

    sql: str
    columns: Any
    changes: tuple[int, int]
    looked: float


class LakeWarehouse:
    """Tables under ``root/<dataset>/<table>/game_date=YYYY-MM-DD/data.parquet``, each of which ``files`` resolves."""

    def __init__(self, root: str | os.PathLike[str], views: Mapping[str, View] = VIEWS) -> None:
        self.root = Path(root)
        self.views = views
        self.query_count = 0
        self._count_lock = threading.Lock()
        self._own = threading.local()
        #: footers by path, as long as the file is the same
        self._footers: dict[str, _Footer] = {}
        #: columns by Parquet schema: there are few, and comparing two is cheaper than reading one
        self._shapes: list[tuple[Any, Mapping[str, str]]] = []
        #: by table the statement that reads it
        self._scans: dict[str, _Scan] = {}

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
        return self._folder(table) / f"{_PREFIX}{partition.isoformat()}" / files.CURRENT

    def _located(self, table: Table, partition: date) -> str | None:
        """The file that is the partition now; None when it was never written."""
        found = files.locate(str(self._file(table, partition)))
        return found[0] if found else None

    def partitions(self, table: Table) -> list[date]:
        return [d for d in self._days(table) if self._located(table, d)]

    def dates(self, table: Table) -> list[date]:
        return self.partitions(table)

    def _days(self, table: Table) -> list[date]:
        """The dates that something is named after as a partition's folder is, in order."""
        return sorted(d for d in map(_day, self._names(table)) if d is not None)

    def _names(self, table: Table) -> list[str]:
        try:
            return os.listdir(self._folder(table))
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise CorruptPartition(
                f"{error.filename} or a folder above it is a file, so that nobody can tell what {table.address} holds: "
                "put the folder back in its place"
            ) from error

    def _has_partition(self, table: Table) -> bool:
        return any(self._located(table, d) for d in self._days(table))

    def _needs_catalog(self, table: Table) -> bool:
        """Whether the catalog won't find the table's next partition by itself."""
        return not self._has_partition(table) or not self._glob_is_exact(table)

    def stored_before(self, table: Table) -> dict[date, int | None] | None:
        days = self._days(table.before)
        if not days:
            return None
        counts = self.row_counts(table.before, days)
        return {day: counts.get(day) for day in days}

    def take_over(self, table: Table) -> None:
        before = table.before
        for day in self._days(before):
            source, target = self._file(before, day).parent, self._file(table, day).parent
            # whoever writes there still is waited for
            with self._lock(before, day):
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(source, target)
                except OSError as error:
                    raise WarehouseError(
                        f"cannot move {source} to {target}: {error.strerror or error}. Where both hold rows, a release "
                        f"before wrote after the migration: stop it, keep both folders, and move {source} away"
                    ) from error
        self._note_change(table)
        (self._folder(before) / _CHANGES).unlink(missing_ok=True)
        with suppress(OSError):  # what else somebody put there stays, as a stray
            self._folder(before).rmdir()

    def strays(self) -> list[tuple[str, str]]:
        """What lies in the lake and is not of it, and why: no reader takes it in."""
        known = {self._folder(t): t for t in TABLES.values()}
        datasets = {folder.parent for folder in known}
        found = []
        for dataset in sorted(datasets):
            found += [
                (e.path, "is not named like a table") for e in _entries(dataset) if Path(e.path) not in known
            ]  # fmt: skip
        own = {*datasets, *(self.root / name for name in (_SOURCE_MARK, _SEALED_MARK, self.catalog_path.name))}
        found += [
            (entry.path, "is neither a dataset of tables nor a file of the lake")
            for entry in _entries(self.root)
            if not entry.name.startswith((".", "_", self.catalog_path.name))
            and Path(entry.path) not in own
            # what `doctor --repair` has put aside is kept beside its place
            and ASIDE not in entry.name
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
            if not any(self._names(t) for t in TABLES.values()):
                self.mark_sealed(is_new=True)
            create(self.source_path, source.encode())  # where another process was first, its word counts
        found = self.source()
        if found != source:
            raise MixedSources(
                f"the lake {self.root} holds {found} data and can't take {source} data in: "
                "set NBA_PROPS_HOME to another folder for the one or the other"
            )

    def is_sealed(self) -> bool:
        return self._sealed_as() is not None

    @property
    def is_whole(self) -> bool:
        """Whether every partition of every table was written with a statement of its rows."""
        return self._sealed_as() == SEALED_WHOLE

    def _is_stated(self, table: Table) -> bool:
        """Whether every partition of a table was written with a statement of its rows."""
        sealed_as = self._sealed_as()
        return sealed_as == SEALED_WHOLE or (sealed_as is not None and table.write_mode is WriteMode.APPEND)

    def _sealed_as(self) -> str | None:
        """What the mark says, nothing when it can't be read; None where there is none."""
        mark = self.root / _SEALED_MARK
        if not os.path.lexists(mark):
            return None
        try:
            return mark.read_text().strip()
        except (OSError, ValueError):
            return ""

    def mark_sealed(self, *, is_new: bool = False) -> None:
        if not self.is_sealed():
            create(self.root / _SEALED_MARK, (SEALED_WHOLE if is_new else "").encode())

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
        first_time = self._needs_catalog(table)
        for partition, piece in arrow_by_date(table, rows, partitions).items():
            self._replace(table, partition, piece, content[partition], (made_from or {}).get(partition, ""))
        if first_time:
            self.refresh_catalog(table)

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> AppendResult:
        pieces = split(table, table.validate(digests.sealed(table, frame)), partitions)
        first_time = self._needs_catalog(table)
        account = {}
        for partition, rows in pieces.items():
            with self._lock(table, partition):
                new = self._append(table, partition, rows, (made_from or {}).get(partition))
            account[partition] = (new, len(rows) - new)
        if first_time:
            self.refresh_catalog(table)
        return AppendResult(account)

    def _append(self, table: Table, partition: date, rows: pd.DataFrame, made_from: str | None) -> int:
        """How many rows were new; the partition is locked."""
        import pandas as pd

        self._refuse_lost(table, partition)
        before = self._footer(table, partition)
        stored = known = table.empty() if before is None else self.read(table, [partition])
        if before is not None:
            known = digests.adopted(table, before.statement, stored, partition, is_sealed=self._is_stated(table))
        new = new_rows(table, rows, known)
        stopping.check()
        source = made_from if made_from is not None else before.made_from if before else ""
        if len(new) or before is None:
            frames = [f for f in (known, new) if len(f)]
            whole = pd.concat(frames, ignore_index=True) if frames else table.empty()
            self._restate(table, partition, stored, whole, before, source)
        elif source != before.made_from:
            self._restate(table, partition, stored, known, before, source)
        return len(new)

    def _restate(
        self,
        table: Table,
        partition: date,
        known: pd.DataFrame,
        rows: pd.DataFrame,
        before: _Footer | None,
        made_from: str,
    ) -> None:
        """Put ``rows`` in the place of a ledger's ``known`` ones; that those were altered stays on record."""
        content = digests.content(table, rows, partition)
        due = (
            digests.due(table, before.statement, known, content, partition, is_sealed=self._is_stated(table))
            if before
            else None
        )
        self._replace(table, partition, rows, content, made_from, due)

    def remove(self, table: Table, ids: Collection[str], partition: date) -> int:
        with self._lock(table, partition):
            known = self.read(table, [partition])
            leaving = digests.row_ids(table, known).isin(list(ids))
            if leaving.any():
                self._put(table, partition, known, known[~leaving])
        return int(leaving.sum())

    def put_back(self, table: Table, partition: date, missing: Callable[[pd.DataFrame], pd.DataFrame]) -> int:
        import pandas as pd

        with self._lock(table, partition):
            known = self.read(table, [partition]) if self._located(table, partition) else table.empty()
            rows = table.conform(missing(known))
            if len(rows):
                frames = [f for f in (known, rows) if len(f)]
                self._put(table, partition, known, pd.concat(frames, ignore_index=True))
        return len(rows)

    def seal(self, table: Table, partition: date) -> int:
        with self._lock(table, partition):
            known = self.read(table, [partition])
            whole, before = digests.completed(table, known), self._footer(table, partition)
            source = before.made_from if before else ""
            self._replace(table, partition, whole, digests.content(table, whole, partition), source)
        return int(known[table.sealed_by].isna().sum()) if table.sealed_by else 0

    def _put(self, table: Table, partition: date, known: pd.DataFrame, rows: pd.DataFrame) -> None:
        """Replace a locked partition's rows by others, which are made from what those were."""
        self._refuse_lost(table, partition)
        before = self._footer(table, partition)
        self._restate(table, partition, known, rows, before, before.made_from if before else "")

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
        link = f"{folder or self._folder(table)}/{_PREFIX}{partition.isoformat()}/{files.CURRENT}"
        try:
            found = files.locate(link)
        except OSError as error:
            raise self._unreadable(table, partition, error) from error
        if found is None:
            return None
        known = self._footers.get(link)
        if known is None or known.identity != found[1]:
            known = self._footers[link] = self._read_footer(table, partition, *found)
        return known

    def _read_footer(self, table: Table, partition: date, path: str, identity: tuple[object, ...]) -> _Footer:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with open(path, "rb") as source:
                metadata = pq.ParquetFile(source).metadata
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        statement = (metadata.metadata or {}).get(_STATE.encode())
        content, made_from = digests.stated(table, statement)
        return _Footer(path, identity, metadata.num_rows, statement, content, made_from, self._columns(metadata.schema))

    def _columns(self, schema: Any) -> Mapping[str, str]:
        for known, columns in self._shapes:
            if known.equals(schema):
                return columns
        columns = stored_columns(schema.to_arrow_schema())
        self._shapes.append((schema, columns))
        return columns

    def _unreadable(self, table: Table, partition: date, error: Exception) -> CorruptPartition:
        where = self._file(table, partition)
        return CorruptPartition(
            f"{table.address} partition {partition} can't be read ({where}): {error}. {way_out(table)}"
        )

    def fingerprints(self, table: Table) -> dict[date, str]:
        found = {}
        for day in self.partitions(table):
            path = self._located(table, day)
            if path is None:
                continue  # taken away in between
            try:
                # of the bytes and not by the name, which says nothing of what somebody wrote into the file
                found[day] = hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
            except OSError as error:
                found[day] = f"unreadable: {type(error).__name__}"  # who reads it is told more
        return found

    def write_unchecked(self, table: Table, rows: pd.DataFrame, partition: date) -> None:
        self._replace(table, partition, table.conform(rows))

    def _replace(
        self,
        table: Table,
        partition: date,
        rows: pd.DataFrame | pyarrow.Table,
        content: Mapping[str, str] | None = None,
        made_from: str = "",
        due: Mapping[str, str] | None = None,
    ) -> None:
        """Put a file with these rows, and what it says of them, in the partition's place; no ``content``, no word."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = rows
        if not isinstance(rows, pa.Table):
            arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
        sink = pa.BufferOutputStream()
        # the contract gives the types again: without Arrow's own schema a file has a third of the size
        with pq.ParquetWriter(sink, table.arrow_schema(), compression="zstd", store_schema=False) as writer:
            writer.write_table(arrow)
            if content is not None:
                writer.add_key_value_metadata({_STATE: digests.statement(content, made_from, due)})
        try:
            files.put(self._file(table, partition), sink.getvalue())
        except OSError as error:
            raise WarehouseError(
                f"cannot write {table.address} partition {partition} under {self.root}: {error.strerror or error}. "
                "The old partition is unchanged; free the disk or fix the permissions and run again"
            ) from error
        self._note_change(table)

    def _note_change(self, table: Table) -> None:
        """Let every reader look again at the table's partitions; without it they do so within a second."""
        self._scans.pop(table.address, None)
        try:
            with (self._folder(table) / _CHANGES).open("ab") as marks:
                marks.write(b".")
        except OSError as error:
            _LOG.warning("readers of %s see its change a second later: %s", table.address, error)

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

        missing = [d for d in partitions if not self._located(table, d)]
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

        path = self._located(table, partition) or str(self._file(table, partition))
        try:
            # one open handle, so that a replacement of a plain file in between can't mix two versions
            with open(path, "rb") as source:
                arrow = pq.ParquetFile(source).read(use_threads=False)  # a date is small: threads cost more
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(table, partition, error) from error
        fit = growth.fit(table, stored_columns(arrow.schema))
        if fit.broken:
            raise CorruptPartition(growth.complaint(table, partition, fit.broken))
        wanted = table.arrow_schema()
        if "game_date" in arrow.schema.names and len(arrow):
            # as DuckDB reads it: a partition's rows are of the date that its folder names
            dates = pa.array([partition] * len(arrow), pa.date32())
            arrow = arrow.set_column(arrow.schema.get_field_index("game_date"), "game_date", dates)
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
        try:
            try:
                arrow = self._execute(statement, parameters)
            except (duckdb.IOException, duckdb.InvalidInputException):
                # somebody else's hands took a file away, or replaced a plain one, since it was listed
                self._scans.clear()
                arrow = self._execute(statement, parameters)
        except (duckdb.InterruptException, RuntimeError) as error:
            # DuckDB swallows whatever a signal's handler raises and says this instead
            if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
                raise stopping.Stopped from error
            raise
        except duckdb.Error as error:
            what = f"a statement over {', '.join(statement.reads)} failed"
            raise self._explained(statement.reads, error, what) from error
        usage.charge(usage.Usage(queries=1, bytes_to_client=arrow.nbytes))
        return to_frame(arrow)

    def _execute(self, statement: Statement, parameters: Mapping[str, Any]) -> pyarrow.Table:
        connection = self._connection()
        self._create_views(connection, statement.reads, self._own.views)
        return connection.execute(statement.sql, parameters).to_arrow_table()

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
        """The result of one statement over the lake and nothing else, in DuckDB's own SQL or in GoogleSQL
        (``dialects``): what DuckDB can't read is GoogleSQL.
        """
        import duckdb

        if dialects.has_backticks(sql):
            return self._answered_in_googlesql(sql)
        if dialects.is_likely_googlesql(sql):
            try:
                return self._answered_in_googlesql(sql)
            except WarehouseError as error:
                if isinstance(error.__cause__, RefusedError):
                    raise  # DuckDB would answer, and something else
        try:
            return self._answered(sql)
        except WarehouseError as error:
            cause = error.__cause__
            if not isinstance(cause, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
                raise
            if isinstance(cause, duckdb.BinderException) and not dialects.double_quotes_are_text(sql):
                raise
            try:
                return self._answered_in_googlesql(sql)
            except WarehouseError as other:
                raise _meant(error, other) from error

    def _answered_in_googlesql(self, sql: str) -> pd.DataFrame:
        try:
            translated = dialects.from_googlesql(sql, {*TABLES, *self.views})
        except UnreadableError as error:
            raise WarehouseError(f"read as GoogleSQL: {error}") from error
        if translated is None:
            raise WarehouseError(_ONE_QUERY)
        try:
            return self._answered(translated)
        except WarehouseError as error:
            if isinstance(error, CorruptPartition):
                raise
            raise WarehouseError(f"read as GoogleSQL: {error}") from error.__cause__

    def _answered(self, sql: str) -> pd.DataFrame:
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
                asked = self._tables_read(connection, sql)
                self._offer(connection, asked)
                connection.execute("SET lock_configuration = true")
                return connection.execute(sql).to_arrow_table().to_pandas(types_mapper=dtype_of)
            except (duckdb.Error, pa.ArrowException, ValueError, OverflowError) as error:
                raise self._explained(asked, error) from error

    def _explained(self, addresses: Iterable[str], error: Exception, what: str = "") -> WarehouseError:
        """What to say of a statement that failed: which partition can't be read, where that is why."""
        import duckdb

        # what DuckDB says of a file; any other error is the statement's own
        of_a_file = (duckdb.IOException, duckdb.InvalidInputException, duckdb.InternalException)
        may_be = isinstance(error, of_a_file) or type(error) is duckdb.Error
        tables = {t.address: t for a in addresses for t in (self._behind(a) if a in self.views else [TABLES[a]])}
        for table in tables.values() if may_be else ():
            for day in self._days(table):
                try:
                    self._refuse_lost(table, day)
                    if self._located(table, day):
                        self._read_file(table, day)
                except CorruptPartition as found:
                    return found
        return WarehouseError(f"{what}: {error}" if what else str(error))

    def _offer(self, connection: duckdb.DuckDBPyConnection, asked: Collection[str]) -> None:
        """Every table and view by its name; rows only for the tables that are asked for."""

        def scan(table: Table) -> str:
            if table.address not in asked:
                return f"SELECT {_selected(table)} WHERE FALSE"
            try:
                listed, unreadable = self._files(table)
            except CorruptPartition as error:
                return _complaint(table, error)
            name = f"_files_of_{table.dataset}_{table.name}"
            connection.register(name, _dataset(table, [path for paths in listed.values() for path in paths]))
            return " UNION ALL ".join([f"SELECT {_selected(table, ())} FROM {name}", *unreadable])

        self._create_views(connection, [*TABLES, *self.views], {}, lru_cache(maxsize=None)(scan))

    def _tables_read(self, connection: duckdb.DuckDBPyConnection, sql: str) -> Collection[str]:
        """The tables behind a statement, through views too; all of them where DuckDB can't say."""
        import duckdb

        explained = _EXPLAIN.match(sql)
        try:
            names = connection.get_table_names(sql[explained.end() :] if explained else sql, qualified=True)
        except duckdb.Error:
            return TABLES.keys()
        # DuckDB names a table as it was written, with its alias and its catalog
        bare = [re.split(r"\s+AS\s+", name, flags=re.IGNORECASE)[0].replace('"', "").lower() for name in names]
        found = {".".join(name.split(".")[-2:]) for name in bare}
        if not found <= TABLES.keys() | self.views.keys():
            return TABLES.keys()
        return {t.address for a in found if a in self.views for t in self._behind(a)} | (found & TABLES.keys())

    def _view(self, address: str) -> str:
        """A view's statement, and a mark of the contracts behind it: DuckDB keeps what a ``*`` once was."""
        contracts = json.dumps([(t.address, [(c.name, c.type) for c in t.columns]) for t in self._behind(address)])
        mark = hashlib.blake2b(contracts.encode(), digest_size=8).hexdigest()
        return f"{to_duckdb(self.views[address].sql).sql} /* {mark} */"

    def _behind(self, address: str) -> list[Table]:
        """The tables that a view reads, through others too."""
        read = to_duckdb(self.views[address].sql).reads
        found = {t.address: t for a in read if a in self.views for t in self._behind(a)}
        found |= {a: TABLES[a] for a in read if a in TABLES}
        return [found[a] for a in sorted(found)]

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
            if address in self.views:
                self._create_views(connection, to_duckdb(self.views[address].sql).reads, known, scan)
                body = self._view(address)
            elif address in TABLES:
                body = scan(TABLES[address])
            else:
                names = ", ".join([*TABLES, *self.views])
                raise WarehouseError(f"there is no table or view {address}; there are {names}")
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
        changes = self._changes(table)
        known = self._scans.get(table.address)
        if known and known.columns is table.columns and known.changes == changes and _is_recent(known.looked):
            return known.sql
        looked = time.monotonic()
        listed, unreadable = self._files(table)
        # DuckDB could unite files of unlike columns by itself, but opens all of them for it
        whole = (
            f"SELECT {_selected(table, lacking)} FROM {_read_parquet(map(_literal, paths))}"
            for lacking, paths in sorted(listed.items())
        )
        sql = " UNION ALL ".join([*whole, *unreadable])
        sql = sql or f"SELECT {_selected(table)} WHERE FALSE"
        self._scans[table.address] = _Scan(sql, table.columns, changes, looked)
        return sql

    def _changes(self, table: Table) -> tuple[int, int]:
        """What differs after a partition of the table was written, or one came or went by another's hand.

        A run asks hundreds of statements, and a look at each file of its tables would cost as much as the statements.
        """
        found = []
        for name in ("", _CHANGES):
            try:
                status = os.stat(f"{self._folder(table)}/{name}")
            except FileNotFoundError:
                found.append(0)
            else:
                found.append(status.st_size if name else status.st_mtime_ns)
        return found[0], found[1]

    def _lasting_scan(self, table: Table) -> str:
        """The same for a catalog: partitions come and change without it being made anew."""
        try:
            lacking = self._files(table)[0].keys() - {()}
        except CorruptPartition as error:
            return _complaint(table, error)
        if not self._has_partition(table):
            return f"SELECT {_selected(table)} WHERE FALSE"
        every = [self._glob(table)]
        if not self._glob_is_exact(table):
            every = [_literal(str(self._file(table, d).absolute())) for d in self.partitions(table)]
        if not lacking:
            return f"SELECT {_selected(table, ())} FROM {_read_parquet(every)}"
        united = f"SELECT * FROM {_read_parquet(every, united=True)}"
        names = ", ".join(f'"{n}"' for n in table.column_names)
        return f"SELECT {names} FROM (SELECT {_selected(table)} WHERE FALSE UNION ALL BY NAME {united})"

    def _files(self, table: Table) -> tuple[dict[tuple[str, ...], list[str]], list[str]]:
        """The files of the partitions by the contract's columns that they lack; and for each date that can't be read a
        statement that tells whoever asks for it, and nobody else.

        Raises:
            CorruptPartition: one lacks more than the contract allows.
        """
        found: dict[tuple[str, ...], list[str]] = {}
        unreadable = []
        fits: dict[int, growth.Fit] = {}
        broken: dict[date, growth.Fit] = {}
        folder = str(self._folder(table))
        for day in self._days(table):
            try:
                footer = self._footer(table, day, folder)
                if footer is None:
                    self._refuse_lost(table, day)
                    continue
            except CorruptPartition as error:
                unreadable.append(_complaint(table, error, day))
                continue
            columns = id(footer.columns)  # few are distinct, and those are kept
            if columns not in fits:
                fits[columns] = growth.fit(table, footer.columns)
            if fits[columns].broken:
                broken[day] = fits[columns]
            found.setdefault(fits[columns].absent, []).append(os.path.abspath(footer.path))
        if broken:
            first, last = min(broken), max(broken)
            more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            span = str(first) if first == last else f"{first}..{last}"
            raise CorruptPartition(growth.complaint(table, f"{first}{more}", broken[first].broken, span))
        return found, unreadable

    def copy_partition(self, table: Table, partition: date, into: LakeWarehouse) -> None:
        """Copy a partition as it is into another lake."""
        path = self._located(table, partition)
        if path is None:
            raise MissingPartition(f"{table.address} has no partition {partition}")
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise self._unreadable(table, partition, error) from error
        try:
            files.copy(os.path.basename(path), data, into._file(table, partition))
        except OSError as error:
            raise WarehouseError(
                f"cannot copy {table.address} partition {partition} to {into.root}: {error.strerror or error}"
            ) from error

    def _glob(self, table: Table) -> str:
        """DuckDB's pattern of every partition's file: what is named otherwise does not match it."""
        return f"{_literal(str(self._folder(table).absolute()))}/{_DATES}/{files.CURRENT}"

    def _glob_is_exact(self, table: Table) -> bool:
        """Whether the pattern matches partitions only: 2026-13-01 has the form of a date, and a folder may have a
        file's name.
        """
        named = [_day(n) for n in self._names(table) if _DATE_FORM.fullmatch(n)]
        return all(day is not None and (self._located(table, day) or not self._is_there(table, day)) for day in named)

    def _is_there(self, table: Table, day: date) -> bool:
        return os.path.lexists(self._file(table, day))

    # -- damage -----------------------------------------------------------------------------------------------------

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        found = []
        for table in TABLES.values():
            for day in self._days(table):
                if days is None or day in days:
                    try:
                        self._refuse_lost(table, day)
                        altered = self.alteration(table, day)
                    except CorruptPartition as error:
                        found.append(Damage(table, day, str(error)))
                        continue
                    if altered:
                        found.append(Damage(table, day, altered, is_readable=True))
        return found

    def _refuse_lost(self, table: Table, partition: date) -> None:
        """Raise :class:`CorruptPartition` for a partition that was written and whose link is gone."""
        link = self._file(table, partition)
        if files.is_lost(link):
            left = [p.name for p in files.versions(link.parent)]
            mend = f"`ln -s {left[-1]} {link}` puts its newest file back" if left else "put its backup in its place"
            raise CorruptPartition(
                f"{table.address} partition {partition} was written and {link} is gone or leads nowhere: {mend}"
            )

    def alteration(self, table: Table, partition: date) -> str | None:
        footer = self._footer(table, partition)
        if footer is None:
            return None
        rows = self.read(table, [partition])
        altered = digests.alteration(table, footer.statement, rows, partition, is_sealed=self._is_stated(table))
        if altered is None and not files.is_as_written(footer.path):
            altered = "was changed in its place after it was written"
        return f"{table.address} partition {partition} ({footer.path}) {altered}" if altered else None

    def set_aside(self, damage: Damage, now: datetime) -> str:
        table, day = damage.table, damage.partition
        target = self.root / SET_ASIDE / table.address / f"{day.isoformat()}-{now:%Y%m%dT%H%M%S%fZ}.parquet"
        with self._lock(table, day):
            target.parent.mkdir(parents=True, exist_ok=True)
            path, link = self._located(table, day), self._file(table, day)
            kept = [Path(path)] if path is not None and os.path.exists(path) else files.versions(link.parent)
            for number, file in enumerate(kept):  # before the partition goes: a kill in between loses nothing
                shutil.copyfile(file, target if not number else target.with_suffix(f".{number}.parquet"))
            link.unlink(missing_ok=True)
            files.forget(link)
            self._note_change(table)
        return str(target)

    # -- the catalog ------------------------------------------------------------------------------------------------

    def refresh_catalog(self, only: Table | None = None) -> Path:
        """Bring the catalog up to date in a copy beside it, and rename that over; nothing is done when nothing changed.

        With ``only`` the other tables are taken to be as they were when the catalog was made.
        The views it has stand in a file beside it: opening the catalog itself costs more than most of its changes.
        """
        import duckdb
        import filelock

        self.root.mkdir(parents=True, exist_ok=True)
        noted = self.catalog_note
        with filelock.FileLock(self.root / ".catalog.lock"):
            known = self._noted_views()
            wanted = {a: self._view(a) for a in self.views}
            same = {} if only is None else {a: sql for a, sql in known.items() if a != only.address}
            wanted |= {a: same[a] if a in same else self._lasting_scan(t) for a, t in TABLES.items()}
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
                    for address in [*TABLES, *self.views]:
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


def _meant(as_duckdb: WarehouseError, as_googlesql: WarehouseError) -> WarehouseError:
    """Which error to show of a statement that fails in both dialects: that of the one that got further with it."""
    import duckdb

    first, second = as_duckdb.__cause__, as_googlesql.__cause__
    if isinstance(second, RefusedError):
        return as_googlesql
    if not isinstance(second, duckdb.Error) or _first_line(first) == _first_line(second):
        return as_duckdb
    # what DuckDB lacks under a name that nothing can have, such as "2026-01-09", is GoogleSQL's text
    if isinstance(first, duckdb.BinderException) and _LACKS_A_NAME.search(_first_line(first)):
        return WarehouseError(f"{as_duckdb}\n{as_googlesql}")
    return as_googlesql


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0].casefold()


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


def _dataset(table: Table, paths: Sequence[str]) -> Any:
    """Partitions as one Arrow dataset, of which a statement about some dates opens those alone."""
    import pyarrow.dataset as ds
    from pyarrow import fs

    form, local = ds.ParquetFileFormat(), fs.LocalFileSystem()
    fragments = [
        form.make_fragment(p, local, ds.field("game_date") == _day(os.path.basename(os.path.dirname(p)))) for p in paths
    ]
    return ds.FileSystemDataset(fragments, table.arrow_schema(), form, local)


def _is_recent(looked: float) -> bool:
    return time.monotonic() - looked < _LOOK_AGAIN_SECONDS


@lru_cache(maxsize=10_000)
def _day(folder: str) -> date | None:
    """The date of a partition's folder; None for what is not named like one."""
    return named_day(folder.removeprefix(_PREFIX)) if folder.startswith(_PREFIX) else None


def _strays(folder: Path) -> Iterator[tuple[str, str]]:
    """What lies in a table's folder and is not of a partition, by path, and why."""
    if folder.is_file():
        yield str(folder), "is a file in the place of a table's folder"
    for entry in _entries(folder):
        if entry.name == _CHANGES:
            continue
        if _day(entry.name) is None:
            yield entry.path, f"is not named like a partition ({_PREFIX}2026-01-09)"
        elif not entry.is_dir():
            yield entry.path, "is named like a partition and is not a folder"
        else:
            yield from _strays_beside(Path(entry.path))


def _strays_beside(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in _entries(folder):
        if entry.name == files.CURRENT:
            if files.locate(entry.path) is None:
                yield entry.path, "is named like a partition's file and is neither that nor a link to one"
        elif entry.name not in (_LOCK, files.WRITTEN) and not (
            entry.name.startswith(TEMPORARY) or files.is_ours(entry.name)
        ):
            yield entry.path, f"is neither {files.CURRENT} nor a file that it led to"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read_parquet(places: Iterable[str], united: bool = False) -> str:
    """DuckDB's reading of paths or patterns."""
    options = "hive_partitioning = true, hive_types = {'game_date': DATE}"
    options += ", union_by_name = true" if united else ""
    return f"read_parquet([{', '.join(map(_quoted, places))}], {options})"


def _literal(path: str) -> str:
    """A path for DuckDB, which takes ``*``, ``?`` and ``[`` for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


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


def _selected(table: Table, absent: Collection[str] | None = None) -> str:
    """The contract's columns for a SELECT: all of them null, or those that are absent from the files."""
    return ", ".join(
        f'CAST(NULL AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' if absent is None or c.name in absent else f'"{c.name}"'
        for c in table.columns
    )


def _complaint(table: Table, error: Exception, day: date | None = None) -> str:
    """A statement that says to whoever runs it why a table or a date can't be read: no condition avoids that but
    one that asks for other dates.
    """
    said = f"error({_quoted(str(error))})"
    columns = ", ".join(
        f"DATE '{day}' AS \"{c.name}\"" if day and c.name == "game_date"
        else f'CAST({said} AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"'
        for c in table.columns
    )  # fmt: skip
    return f"SELECT {columns} WHERE {said} IS NULL"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
