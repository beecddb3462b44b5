"""Where payloads of stats.nba.com are landed, and which dates have any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from nba_props.facts.calendar import EASTERN, game_date_of, season_of
from nba_props.storage import fields
from nba_props.storage.landing import LandingZone, Payload

SCHEDULE_FOLDER = "nba_stats/scheduleleaguev2"
#: the capture instant of a payload without one in its name: before all others
_EVER = datetime.min.replace(tzinfo=UTC)


def gamelog_folder(season: str) -> str:
    """The landing folder of a season's game logs."""
    return f"nba_stats/leaguegamelog/{season}"


def roster_folder(season: str) -> str:
    """The landing folder of a season's roster payloads."""
    return f"nba_stats/commonallplayers/{season}"


def scoring_folder(season: str) -> str:
    """The landing folder of a season's boxscorescoringv3 payloads."""
    return f"nba_stats/boxscorescoringv3/{season}"


def _seasons(first: date, last: date) -> list[str]:
    """The seasons that the years of a span touch."""
    return sorted({season_of(date(year, month, 1)) for year in range(first.year, last.year + 1) for month in (1, 12)})


def landed_box_score_days(zone: LandingZone, first: date, last: date) -> list[date]:
    """The dates in first..last for which a game log was landed."""
    found = {fields.date_in(p.subject) for season in _seasons(first, last) for p in zone.list(gamelog_folder(season))}
    return sorted(d for d in found if d and first <= d <= last)


def landed_roster_days(zone: LandingZone, first: date, last: date) -> list[date]:
    """The dates in first..last on which a roster was captured."""
    captures = [p.captured_at for season in _seasons(first, last) for p in zone.list(roster_folder(season))]
    return sorted({d for d in (game_date_of(c) for c in captures if c) if first <= d <= last})


def schedules_near(zone: LandingZone, days: Sequence[date]) -> dict[date, list[Payload]]:
    """For each date the schedules that were the newest at some instant of it or of the day before, oldest first.

    Predictions for the date were made from one of them, whatever later ones contain.
    """
    landed: dict[str, list[tuple[datetime, Payload]]] = {}
    for payload in zone.list(SCHEDULE_FOLDER):  # the newest capture comes last
        landed.setdefault(payload.subject, []).append((payload.captured_at or _EVER, payload))
    found: dict[date, list[Payload]] = {}
    for day in days:
        start, end = (datetime.combine(day + timedelta(n), time(0), EASTERN) for n in (-1, 1))
        captures = [(at, p) for at, p in landed.get(season_of(day), ()) if at < end]
        before = [p for at, p in captures if at <= start][-1:]
        found[day] = before + [p for at, p in captures if at > start]
    return found


def newest_schedules(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
    """The newest schedule of each date's season."""
    newest = {p.subject: p.path for p in zone.list(SCHEDULE_FOLDER)}
    return {d: [newest.get(season_of(d), "")] for d in days}
