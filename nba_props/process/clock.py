"""The clock: the current time as a function, so that tests and rehearsals can replace it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

#: gives the current time, aware, in UTC
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)
