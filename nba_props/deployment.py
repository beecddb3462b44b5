"""Settings become the objects that a process works with: one place for definitions, commands and tests."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from nba_props.facts.calendar import parse_instant
from nba_props.process.clock import Clock, utc_now
from nba_props.settings import BadSetting, Settings


def clock_of(settings: Settings) -> Clock:
    """The time, or in a rehearsal what its file says it is."""
    file = settings.rehearsal_clock
    return utc_now if file is None else partial(_read_clock, file)


def _read_clock(file: Path) -> datetime:
    try:
        return parse_instant(file.read_text().strip())
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"NBA_PROPS_CLOCK names {file}, which holds no instant such as 2026-01-09T17:00Z: {error}"
        ) from error
