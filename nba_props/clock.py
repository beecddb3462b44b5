"""The time of commands and definitions: now, or what a rehearsal's file says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from nba_props.facts.calendar import parse_instant
from nba_props.settings import BadSetting, Settings


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The time, or what a rehearsal's file says it is."""
    file = settings.rehearsal_clock
    return utc_now if file is None else partial(_told, file)


def _told(file: Path) -> datetime:
    try:
        return parse_instant(file.read_text().strip())
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"NBA_PROPS_CLOCK names {file}, which holds no instant such as 2026-01-09T17:00Z: {error}"
        ) from error
