"""Which payloads a date's rows are made from, and how old the newest are, by their names and folders alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from nba_props.domain.finding import Finding
from nba_props.facts.calendar import game_date_of, season_of
from nba_props.sources.base import Names
from nba_props.storage.landing import LandingZone, Payload


def by_prefix(folder: Callable[[str], str]) -> Names:
    """Payloads of a season's folder whose names begin with their date."""

    def names(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
        wanted = {d.isoformat(): d for d in days}
        found: dict[date, list[str]] = defaultdict(list)
        for season in sorted({season_of(d) for d in days}):
            for name in zone.names(folder(season)):
                if name[:10] in wanted:
                    found[wanted[name[:10]]].append(name)
        return found

    return names


def by_folder(folder: Callable[[date], str]) -> Names:
    """Payloads in a folder of their date."""

    def names(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
        if len(days) == 1:
            return {days[0]: zone.names(folder(days[0]))}
        found = zone.tree(folder(days[0]).rsplit("/", 1)[0]) if days else {}
        return {d: found.get(d.isoformat(), ()) for d in days}

    return names


def by_capture(folder: Callable[[str], str]) -> Names:
    """Payloads of a season's folder by the Eastern date of their capture."""

    def names(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
        found: dict[date, list[str]] = defaultdict(list)
        for season in sorted({season_of(d) for d in days}):
            for payload in zone.list(folder(season)):
                if payload.captured_at is not None:
                    found[game_date_of(payload.captured_at)].append(payload.path)
        return found

    return names


def newest_capture(zone: LandingZone, folder: str) -> datetime | None:
    """The newest capture instant in the names of a folder; None without one."""
    stamps = [Payload(name).captured_at for name in zone.names(folder)]
    return max((s for s in stamps if s), default=None)


def newest_figure(newest: datetime | None) -> dict[str, str]:
    """The newest capture as a figure of a finding; empty without one."""
    return {"newest": newest.isoformat()} if newest else {}


def how_old(newest: datetime | None, now: datetime, limit: timedelta, what: str) -> Finding:
    """Whether the newest capture is at most ``limit`` old."""
    if newest is None:
        return Finding(False, f"no {what} was landed")
    age = now - newest
    minutes = int(age.total_seconds() // 60)
    text = f"the newest {what} is {minutes} minutes old; at most {int(limit.total_seconds() // 60)} are expected"
    return Finding(age <= limit, text, newest_figure(newest))
