"""What a step cost: queries, bytes scanned, bytes moved, shown where a warehouse bills for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields


@dataclass
class Usage:
    """Figures of one step or of a whole process; None where nothing was said, as 0 may be an answer."""

    queries: int | None = None
    #: what the warehouse says it scanned, 0 for an answer it had kept; a local one says nothing
    bytes_processed: int | None = None
    #: result rows as they reach the client, in Arrow's format
    bytes_to_client: int | None = None
    #: frames as they leave for the warehouse, in Parquet
    bytes_from_client: int | None = None

    def add(self, other: Usage) -> None:
        for name, value in other.figures().items():
            setattr(self, name, (getattr(self, name) or 0) + value)

    def figures(self) -> dict[str, int]:
        """What there is to show, by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def billed(self) -> dict[str, int]:
        """The figures, where the warehouse is one that bills; none of a local one."""
        return self.figures() if self.bytes_processed is not None or self.bytes_from_client is not None else {}


class _Step(threading.local):
    """The step that this thread is in: its inputs are read, it computes, its outputs are stored."""

    name: str | None = None
    is_over = True
    usage = Usage()


_step = _Step()


def enter(step: str) -> None:
    """From here on usage is this step's; entering it again goes on, until it was left."""
    if _step.name != step or _step.is_over:
        _step.name, _step.usage = step, Usage()
    _step.is_over = False


def leave() -> Usage:
    """Usage is nobody's from here on; returns the step's so far. Its next output is still its own."""
    _step.is_over = True
    return _step.usage


def resume(step: str) -> None:
    """A further output of the step that was left last."""
    if _step.name == step:
        _step.is_over = False
    else:
        enter(step)


@contextmanager
def within(step: str) -> Iterator[Usage]:
    """What is asked in here is asked for a step; gives its usage, which is whole when this is over."""
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
