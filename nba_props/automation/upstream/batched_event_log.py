"""Dagster's SQLite event log, for runs over hundreds of partitions.

The stock storage opens an engine for every statement and commits every event several times, which took more than half
of the time of a backfill. This one writes the same files in the same format; a home can switch between the two.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

from nba_props.automation.upstream.stock_event_log import StockEventLog

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData

#: databases kept open at once: the index, and the newest runs
_OPEN_ENGINES = 8
_MIRRORED = ASSET_EVENTS | ASSET_CHECK_EVENTS | set(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)


class BatchedEventLog(StockEventLog):
    """An event log that keeps its databases open and stores a batch of events in one transaction for each database."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._batch = threading.local()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    def _engine(self, shard: str) -> Engine:
        """The open engine of a database; the one that was used longest ago is closed if there are too many."""
        if shard not in self._engines:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            # the write-ahead log survives a killed process without a flush at every commit
            db.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
            self._engines[shard] = engine
            while len(self._engines) > _OPEN_ENGINES:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables:
            if not super().has_table(table_name):
                return False
            self._tables.add(table_name)
        return True

    @contextmanager
    def _begin(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held = getattr(self._batch, "connections", None)
        if held is not None:
            if shard not in held:
                held[shard] = self._batch.stack.enter_context(self._begin(shard))
            yield held[shard]
            return
        with self._db_lock, self._begin(shard) as connection:
            yield connection

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        # the run's database is always opened before the index, so two processes can't wait for each other
        with self._db_lock, ExitStack() as stack:
            self._batch.stack, self._batch.connections = stack, {}
            try:
                for event in events:
                    self.store_event(event)
            finally:
                del self._batch.connections

    def get_all_run_ids(self) -> Sequence[str]:
        # the stock method uses a folder's name as a pattern
        return sorted(p.stem for p in Path(self._base_dir).glob("*.db") if p.stem not in (INDEX_SHARD_NAME, ".db"))

    def close(self, shard: str) -> None:
        """Close a database, so that its file can be deleted."""
        with self._db_lock:
            if engine := self._engines.pop(shard, None):
                engine.dispose()
            self._initialized_dbs.discard(shard)

    def rebuild_index(self) -> int:
        """Fill a new index with the events of the runs' own databases, in the order in which the runs ended."""
        runs = sorted(self.get_all_run_ids(), key=lambda r: os.stat(self.path_for_shard(r)).st_mtime_ns)
        for run_id in runs:
            for event in self.get_logs_for_run(run_id):
                if event.dagster_event_type in _MIRRORED:
                    self._mirror(event)
        return len(runs)

    def _mirror(self, event: EventLogEntry) -> None:
        """Store an event in the index, as the stock storage does after storing it in the run's own database."""
        values = self._event_to_row(event)
        with self.index_transaction() as connection:
            if connection.execute(db.select(db.func.max(SqlEventLogStorageTable.c.id))).scalar() is None:
                # sensors remember ids of the lost index: these are higher than any it had
                values["id"] = time.time_ns() // 1_000_000
            made = connection.execute(SqlEventLogStorageTable.insert().values(**values))
            number: int = made.inserted_primary_key[0]  # type: ignore[index]
            if event.dagster_event_type in ASSET_EVENTS:
                self._store_asset_event_tags(connection, [event], [number])
                self._store_asset_event(connection, event, number)
        if event.dagster_event_type in ASSET_CHECK_EVENTS:
            self.store_asset_check_event(event, number)

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
