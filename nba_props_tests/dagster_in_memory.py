"""Ephemeral Dagster instances whose storage keeps one connection: the stock one opens another for every statement,
and a run has thousands of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from dagster._core.storage.event_log.in_memory import InMemoryEventLogStorage
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
