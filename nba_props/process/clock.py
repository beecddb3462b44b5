"""The time, as a function that everything with a clock takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

#: what time it is: aware, in UTC
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)
