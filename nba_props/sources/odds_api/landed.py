"""Where captures of The Odds API are landed, and which dates have any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from nba_props.sources.nba_stats.landed import schedules_near
from nba_props.sources.payloads import by_folder
from nba_props.storage import fields
from nba_props.storage.landing import LandingZone

_ROOT = "the_odds_api/player_points"


def folder(day: date) -> str:
    """The landing folder of a game date's captures."""
    return f"{_ROOT}/{day.isoformat()}"


def folders(day: date) -> tuple[str, ...]:
    """Every landing folder that may hold captures of a game date."""
    return (folder(day),)


def landed_days(zone: LandingZone) -> list[date]:
    """The game dates that have a folder of captures."""
    names = zone.folders(_ROOT)
    return sorted(d for name in names if (d := fields.date_in(name)) and name == d.isoformat())


def payloads(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
    """A date's captures, and the schedules in which games are looked up that the newest one no longer has."""
    captures, near = by_folder(folder)(zone, days), schedules_near(zone, days)
    return {d: [*captures[d], *(p.path for p in near[d])] if captures[d] else () for d in days}
