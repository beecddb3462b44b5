"""The local warehouse: a lake of Parquet files, one per table and game_date, queried by DuckDB in memory.

A partition is written to a temporary name beside its place and renamed over it, so a reader sees the old rows or the
new ones, and a killed writer leaves the old ones. Any number of processes may read and write at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.schemas import TABLES, VIEWS, Table
from nba_props.schemas.base import DUCKDB_TYPES
from nba_props.warehouse import usage
from nba_props.warehouse.base import (
    AppendResult,
    CorruptPartition,
    Damage,
    MissingPartition,
    MixedSources,
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
_SOURCE_MARK = "SOURCE"
_TEMPORARY = ".tmp-"
_ORPHAN_AGE_SECONDS = 3600
_LOCK_TIMEOUT_SECONDS = 120
#: the views that the catalog has, and what they select
_CATALOG_NOTE = ".catalog.json"
#: where files that can't be read are kept
_SET_ASIDE = "_set_aside"


class LakeWarehouse:
    """Tables under ``root/<dataset>/<table>/game_date=YYYY-MM-DD/data.parquet``."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self.query_count = 0
        self._count_lock = threading.Lock()
        self._own = threading.local()

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
        try:
            names = os.listdir(self._folder(table))
        except FileNotFoundError:
            return []
        days = [date.fromisoformat(n.removeprefix(_PREFIX)) for n in names if n.startswith(_PREFIX)]
        return sorted(d for d in days if self._file(table, d).exists())

    def _has_partition(self, table: Table) -> bool:
        return next(self._folder(table).glob(f"{_PREFIX}*/{_FILE}"), None) is not None

    def create_views(self) -> None:
        self.refresh_catalog()

    def source(self) -> str | None:
        mark = self.root / _SOURCE_MARK
        return mark.read_text() if mark.exists() else None

    def claim(self, source: str) -> None:
        mark = self.root / _SOURCE_MARK
        if not mark.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            temporary = mark.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
            temporary.write_text(source)
            try:
                os.link(temporary, mark)  # fails when another process was first
            except FileExistsError:
                _LOG.debug("the lake was claimed at the same moment")
            finally:
                temporary.unlink()
        found = mark.read_text()
        if found != source:
            raise MixedSources(
                f"the lake {self.root} holds {found} data and can't take {source} data in: "
                "set NBA_PROPS_HOME to another folder for the one or the other"
            )

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(self, table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> None:
        pieces = split(table, checked(table, frame), partitions)
        first_time = not self._has_partition(table)
        for partition, rows in pieces.items():
            self._replace(table, partition, rows)
        if first_time:
            self.refresh_catalog()

    def append(self, table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> AppendResult:
        import pandas as pd

        pieces = split(table, table.validate(frame), partitions)
        first_time = not self._has_partition(table)
        added = present = 0
        for partition, rows in pieces.items():
            with self._lock(table, partition):
                known = self.read(table, [partition]) if self._file(table, partition).exists() else table.empty()
                new = new_rows(table, rows, known)
                added += len(new)
                present += len(rows) - len(new)
                if len(new) or not self._file(table, partition).exists():
                    frames = [f for f in (known, new) if len(f)]
                    self._replace(table, partition, pd.concat(frames) if frames else table.empty())
                else:
                    os.utime(self._file(table, partition))  # it is up to date as of now, though nothing was new
        if first_time:
            self.refresh_catalog()
        return AppendResult(added, present)

    def remove(self, table: Table, keys: Sequence[str], partition: date) -> int:
        (key,) = table.key
        with self._lock(table, partition):
            known = self.read(table, [partition])
            leaving = known[key].isin(list(keys))
            if leaving.any():
                self._replace(table, partition, known[~leaving])
        return int(leaving.sum())

    def written_at(self, table: Table) -> dict[date, datetime]:
        found = {}
        for day in self.partitions(table):
            try:
                stamp = self._file(table, day).stat().st_mtime
            except FileNotFoundError:
                continue
            found[day] = datetime.fromtimestamp(stamp, UTC)
        return found

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

    def _replace(self, table: Table, partition: date, rows: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = self._file(table, partition)
        temporary = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _sweep(target.parent)
            arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
            with temporary.open("wb") as sink:
                pq.write_table(arrow, sink, compression="zstd")
                sink.flush()
                os.fsync(sink.fileno())
            os.replace(temporary, target)
        except OSError as error:
            temporary.unlink(missing_ok=True) if os.access(target.parent, os.W_OK) else None
            raise WarehouseError(
                f"cannot write {table.address} partition {partition} under {self.root}: {error.strerror or error}. "
                "The old partition is unchanged; free the disk or fix the permissions and run again"
            ) from error

    @contextmanager
    def _lock(self, table: Table, partition: date) -> Iterator[None]:
        import filelock

        path = self._folder(table) / f"{_PREFIX}{partition.isoformat()}" / ".lock"
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

        missing = [d for d in partitions if not self._file(table, d).exists()]
        if missing:
            raise MissingPartition(
                f"{table.address} has no partition {', '.join(map(str, missing[:5]))}"
                f"{' and more' if len(missing) > 5 else ''}: materialize it first"
            )
        pieces = [self._read_file(table, d) for d in partitions]
        arrow = pa.concat_tables(pieces) if pieces else table.arrow_schema().empty_table()
        usage.charge(usage.Usage(bytes_to_client=arrow.nbytes))
        return table.conform(to_frame(arrow))

    def _read_file(self, table: Table, partition: date) -> pyarrow.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._file(table, partition)
        try:
            # one open handle, so that a replacement in between can't mix two versions
            with path.open("rb") as source:
                arrow = pq.ParquetFile(source).read(use_threads=False)  # a date is small: threads cost more
        except (pa.ArrowException, OSError) as error:
            raise CorruptPartition(
                f"{table.address} partition {partition} can't be read ({path}): {error}. Materialize it again"
            ) from error
        if arrow.schema.names != table.column_names:
            raise CorruptPartition(
                f"{table.address} partition {partition} was written under another contract: it has "
                f"{sorted(set(arrow.schema.names) ^ set(table.column_names))} more or less. Materialize it again"
            )
        return arrow

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
            self._create_views(connection, [*TABLES, *VIEWS], {})
            folder = str(self.root.absolute()).replace("'", "''")
            connection.execute(f"SET allowed_directories = ['{folder}/']")
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
        self, connection: duckdb.DuckDBPyConnection, addresses: Sequence[str], known: dict[str, str]
    ) -> None:
        """Views of the given names and of what they read; ``known`` are those that the connection has already."""
        for address in addresses:
            if address in VIEWS:
                statement = to_duckdb(VIEWS[address].sql)
                self._create_views(connection, statement.reads, known)
                body = statement.sql
            elif address in TABLES:
                body = self._scan(TABLES[address])
            else:
                raise WarehouseError(f"there is no table or view {address}; there are {', '.join([*TABLES, *VIEWS])}")
            if known.get(address) != body:
                dataset, name = address.split(".")
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')
                connection.execute(f'CREATE OR REPLACE VIEW "{dataset}"."{name}" AS {body}')
                known[address] = body

    def _scan(self, table: Table) -> str:
        if not self._has_partition(table):
            columns = ", ".join(f'CAST(NULL AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)
            return f"SELECT {columns} WHERE FALSE"
        columns = ", ".join(f'"{c.name}"' for c in table.columns)
        glob = str(self._folder(table).absolute() / f"{_PREFIX}*" / _FILE).replace("'", "''")
        options = "hive_partitioning = true, hive_types = {'game_date': DATE}"
        return f"SELECT {columns} FROM read_parquet('{glob}', {options})"

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
        target = self.root / _SET_ASIDE / table.address / f"{day.isoformat()}-{now:%Y%m%dT%H%M%S%fZ}.parquet"
        with self._lock(table, day):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._file(table, day), target)
        return str(target)

    # -- the catalog ------------------------------------------------------------------------------------------------

    def refresh_catalog(self) -> Path:
        """Bring the catalog up to date in a copy beside it, and rename that over; nothing is done when nothing changed.

        The views it has stand in a file beside it: opening the catalog itself costs more than most of its changes.
        """
        import duckdb
        import filelock

        self.root.mkdir(parents=True, exist_ok=True)
        noted = self.root / _CATALOG_NOTE
        with filelock.FileLock(self.root / ".catalog.lock"):
            known = json.loads(noted.read_text()) if noted.exists() and self.catalog_path.exists() else {}
            wanted = {a: to_duckdb(v.sql).sql for a, v in VIEWS.items()}
            wanted |= {a: self._scan(t) for a, t in TABLES.items()}
            if known == wanted:
                return self.catalog_path
            folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self.root))
            try:
                fresh = folder / "catalog.duckdb"
                if known:
                    shutil.copyfile(self.catalog_path, fresh)
                with duckdb.connect(str(fresh)) as connection:
                    connection.execute("SET TimeZone = 'UTC'")
                    for address in [*TABLES, *VIEWS]:
                        try:
                            self._create_views(connection, [address], known)
                        except duckdb.Error as error:  # one unreadable table must not cost the others their views
                            _LOG.warning("no view of %s in the catalog: %s", address, error)
                os.replace(fresh, self.catalog_path)
                (folder / "note").write_text(json.dumps(known))
                os.replace(folder / "note", noted)
            except (OSError, duckdb.IOException) as error:
                raise WarehouseError(
                    f"cannot write the catalog of views {self.catalog_path}: {error}. The tables are unchanged; free "
                    "the disk or fix the permissions and run again"
                ) from error
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        return self.catalog_path


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind long ago."""
    for orphan in folder.glob(f"{_TEMPORARY}*"):
        try:
            if time.time() - orphan.stat().st_mtime > _ORPHAN_AGE_SECONDS:
                orphan.unlink()
        except FileNotFoundError:
            continue
