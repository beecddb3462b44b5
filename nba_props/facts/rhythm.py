"""How often a game day's odds are captured, by the values of NBA_PROPS_ODDS_RHYTHM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rhythm:
    """When a game day's odds are captured: at opening, every full hour after it, and minutes before each tip-off."""

    hourly: bool
    before: tuple[int, ...]


FULL, THRIFTY = "full", "thrifty"
#: thrifty is two captures a game: 450 credits are 225 games, a month of a season
RHYTHMS: Mapping[str, Rhythm] = {FULL: Rhythm(True, (60, 30, 5)), THRIFTY: Rhythm(False, (30,))}
