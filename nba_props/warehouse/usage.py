"""What a step cost: queries, bytes scanned, bytes moved, shown where a warehouse bills for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields


@dataclass
class Usage:
    """Figures of one step or of a whole process; None where unknown, since 0 is a valid figure."""

    queries: int | None = None
    #: scanned by the warehouse, 0 for a cached result; None for a local one
    bytes_processed: int | None = None
    #: result rows as received, in Arrow's format
    bytes_to_client: int | None = None
    #: frames as sent to the warehouse, in Parquet
    bytes_from_client: int | None = None

    def add(self, other: Usage) -> None:
        for name, value in other.figures().items():
            setattr(self, name, (getattr(self, name) or 0) + value)

    def figures(self) -> dict[str, int]:
        """The figures that are known, by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def billed(self) -> dict[str, int]:
        """The figures of a warehouse that bills; empty for a local one."""
        return self.figures() if self.bytes_processed is not None or self.bytes_from_client is not None else {}


class _Step(threading.local):
    """The step that this thread is in: its inputs are read, it computes, its outputs are stored."""

    name: str | None = None
    is_over = True
    usage = Usage()


_step = _Step()


def enter(step: str) -> None:
    """Attribute usage to this step from here on; entering it again before it was left continues it."""
    if _step.name != step or _step.is_over:
        _step.name, _step.usage = step, Usage()
    _step.is_over = False


def leave() -> Usage:
    """Stop attributing usage; returns the step's so far. A further output of the step resumes it."""
    _step.is_over = True
    return _step.usage


def resume(step: str) -> None:
    """Attribute usage to the step that was left last again, for a further output of it."""
    if _step.name == step:
        _step.is_over = False
    else:
        enter(step)


@contextmanager
def within(step: str) -> Iterator[Usage]:
    """Attribute usage inside to a step; yields it, complete at the end."""
    enter(step)
    try:
        yield _step.usage
    finally:
        leave()


def charge(usage: Usage) -> None:
    """Add to the step that this thread is in, if it is in one."""
    if not _step.is_over:
        _step.usage.add(usage)


def step_name() -> str | None:
    """The step that this thread is in."""
    return None if _step.is_over else _step.name
