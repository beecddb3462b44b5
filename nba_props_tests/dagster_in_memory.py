"""Ephemeral Dagster instances that are cheap: their storage keeps one connection, where the stock one opens another for
every statement of a run's thousands, and copies its empty tables, where the stock one asks a hundred migrations for them.
The class of a step's resources is made once.
"""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import dagster as dg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.definitions import scoped_resources_builder
from dagster._core.storage.event_log import in_memory as events
from dagster._core.storage.event_log.in_memory import InMemoryEventLogStorage
from dagster._core.storage.runs import in_memory as runs
from dagster._core.storage.runs.in_memory import InMemoryRunStorage
from sqlalchemy.engine import Connection

Connect = Callable[[Any], AbstractContextManager[Connection]]


def keep_connections(patch: pytest.MonkeyPatch) -> None:
    """Let the instances of this process use the connection that they hold anyway, in the thread that made them."""
    for storage, name in ((InMemoryEventLogStorage, "_connect"), (InMemoryRunStorage, "connect")):
        patch.setattr(storage, name, _kept(getattr(storage, name)))
        patch.setattr(storage, "__init__", _noted(storage.__init__))


def _noted(plain: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *arguments: Any, **named: Any) -> None:
        self._made_in = threading.current_thread()
        plain(self, *arguments, **named)

    return init


def _kept(plain: Connect) -> Connect:
    @contextmanager
    def connect(self: Any) -> Iterator[Connection]:
        held = self._held_conn
        if self._made_in is not threading.current_thread() or held.in_transaction():
            with plain(self) as other:
                yield other
        else:
            with held.begin():
                yield held

    return connect


def read_migrations_once(patch: pytest.MonkeyPatch) -> None:
    """Let whatever makes Dagster's databases, in memory or in a home, read its hundred migrations once."""
    plain = ScriptDirectory.from_config
    read: dict[str | None, ScriptDirectory] = {}

    def from_config(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in read:
            read[place] = plain(config)
        return read[place]

    patch.setattr(ScriptDirectory, "from_config", from_config)


def make_classes_once(patch: pytest.MonkeyPatch) -> None:
    """Let the fields of a step's resources be compiled once for each set of names, and not once for each step."""
    made = functools.cache(namedtuple)
    patch.setattr(scoped_resources_builder, "namedtuple", lambda name, fields: made(name, tuple(fields)))


@contextmanager
def instance_that_forgets() -> Iterator[dg.DagsterInstance]:
    """An instance for runs whose tables are needed and whose events are not."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.event_log_storage.store_event = lambda _: None  # type: ignore[method-assign]
        yield instance


#: events of steps that nothing asks an instance for once the run is over
_PASSING = {
    dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_INPUT, dg.DagsterEventType.STEP_OUTPUT,
    dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.LOADED_INPUT, dg.DagsterEventType.HANDLED_OUTPUT,
    dg.DagsterEventType.RESOURCE_INIT_STARTED, dg.DagsterEventType.RESOURCE_INIT_SUCCESS,
    dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.LOGS_CAPTURED, None,
}  # fmt: skip


@contextmanager
def instance_of_what_counts() -> Iterator[dg.DagsterInstance]:
    """An instance that keeps runs, materializations, observations and checks: half of the events are of other kinds."""
    with dg.DagsterInstance.ephemeral() as instance:
        plain = instance.event_log_storage.store_event

        def store(event: dg.EventLogEntry) -> None:
            if event.dagster_event_type not in _PASSING:
                plain(event)

        instance.event_log_storage.store_event = store  # type: ignore[method-assign]
        yield instance


def copy_tables(patch: pytest.MonkeyPatch) -> None:
    """Let Dagster make the tables of each storage once in this process."""
    for module, storage, schema in (
        (events, InMemoryEventLogStorage, "SqlEventLogStorageMetadata"),
        (runs, InMemoryRunStorage, "RunStorageSqlMetadata"),
    ):
        tables = _Tables(getattr(module, schema), module.stamp_alembic_rev)
        patch.setattr(module, schema, tables)
        patch.setattr(module, "stamp_alembic_rev", tables.stamp)
        patch.setattr(storage, "__init__", tables.kept(storage.__init__))
    for name in ("has_table", "_has_asset_key_col_on_connection"):
        patch.setattr(InMemoryEventLogStorage, name, _remembered(getattr(InMemoryEventLogStorage, name)))


class _Tables:
    """The tables of a storage's schema, as Dagster made them in the first database."""

    def __init__(self, schema: Any, stamp: Callable[..., None]) -> None:
        self._schema, self._stamp = schema, stamp
        self._empty: sqlite3.Connection | None = None

    def create_all(self, connection: Connection) -> None:
        if self._empty is None:
            self._schema.create_all(connection)
        else:
            self._empty.backup(_driver(connection))

    def stamp(self, config: Any, connection: Connection) -> None:
        if self._empty is None:
            self._stamp(config, connection)

    def kept(self, plain: Callable[..., None]) -> Callable[..., None]:
        def init(storage: Any, *arguments: Any, **named: Any) -> None:
            plain(storage, *arguments, **named)
            if self._empty is None and not arguments and not any(named.values()):
                self._empty = sqlite3.connect(":memory:", check_same_thread=False)
                _driver(storage._held_conn).backup(self._empty)

        return init


def _driver(connection: Connection) -> sqlite3.Connection:
    return connection.connection.driver_connection


def _remembered(plain: Callable[..., bool]) -> Callable[..., bool]:
    """Which tables and columns there are is asked a hundred times a run; none is ever dropped."""

    def has(storage: Any, *arguments: Any) -> bool:
        known = storage.__dict__.setdefault("_known", set())
        asked = plain, arguments[-1]
        if asked not in known and plain(storage, *arguments):
            known.add(asked)
        return asked in known

    return has
