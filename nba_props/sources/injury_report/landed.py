"""Where injury reports are landed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from nba_props.sources.payloads import by_folder
from nba_props.storage.landing import LandingZone


def folder(day: date) -> str:
    """The landing folder of a game date's reports."""
    return f"injury_report/{day.isoformat()}"


def folders(day: date) -> tuple[date, date]:
    """The dates whose folders may hold reports that name the games of ``day``: the evening before, and its own."""
    return day - timedelta(1), day


def payloads(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
    """The reports in every folder that is read for a date."""
    asked = {d: folders(d) for d in days}
    read = sorted({f for of_date in asked.values() for f in of_date})
    # for a single date a bucket is not listed as a whole
    found = by_folder(folder)(zone, read) if len(days) > 1 else {f: zone.names(folder(f)) for f in read}
    return {d: [f"{f}/{name}" for f in of_date for name in found[f]] for d, of_date in asked.items()}
