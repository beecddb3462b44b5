"""Dates: the Eastern game date, seasons and the spans that history needs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")

#: game types whose box scores count as history and whose games get predictions
COUNTED_SEASON_TYPES = ("Regular Season", "PlayIn", "Playoffs", "NBA Cup")
#: the same, as the inside of an SQL list
COUNTED_SQL = ", ".join(repr(t) for t in COUNTED_SEASON_TYPES)

_SEASON_TYPES = {
    "001": "Pre Season",
    "002": "Regular Season",
    "003": "All-Star",
    "004": "Playoffs",
    "005": "PlayIn",
    "006": "NBA Cup",
}


def game_date_of(instant: datetime) -> date:
    """The Eastern date of an aware instant: 2025-11-06T01:00Z -> 2025-11-05."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(EASTERN).date()


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant as aware UTC; raises ValueError for text without a time zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return instant.astimezone(UTC)


def season_year(day: date) -> int:
    """The year the season of a date starts in; the boundary is 1 October (reference 1.5)."""
    return day.year if day.month >= 10 else day.year - 1


def season_of(day: date) -> str:
    """The season of a date: 2025-11-05 -> 2025-26."""
    year = season_year(day)
    return f"{year}-{(year + 1) % 100:02d}"


def season_start(day: date) -> date:
    """1 October of the date's season: nothing of the season is played before."""
    return date(season_year(day), 10, 1)


def season_type_of(game_id: str) -> str:
    """Season type by the game id's prefix; raises KeyError for a prefix the NBA does not use."""
    return _SEASON_TYPES[game_id[:3]]


def days(first: date, last: date) -> list[date]:
    """Every date from first to last, both included."""
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def history_start(day: date, look_back_days: int) -> date:
    """First date whose games the averages of ``day`` may use: its season's start, or the look-back if longer."""
    return min(season_start(day), day - timedelta(look_back_days))


def identity_start(day: date) -> date:
    """First date whose box scores say who plays where on ``day``: the start of the season before."""
    return date(season_year(day) - 1, 10, 1)
