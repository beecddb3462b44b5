"""When a date's games begin, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from nba_props.facts.calendar import EASTERN

#: no game begins later, Eastern; one whose tip-off is to be decided may begin until then
LATEST_START = time(22, 30)


def latest_start(day: date) -> datetime:
    """The instant by which every game of a date has begun whose tip-off is not known."""
    return datetime.combine(day, LATEST_START, EASTERN).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The instants between which a game of an Eastern date tips off."""
    first = datetime.combine(day, time(), EASTERN).astimezone(UTC)
    last = datetime.combine(day + timedelta(1), time(), EASTERN).astimezone(UTC) - timedelta(seconds=1)
    return first, last


@dataclass(frozen=True)
class Tipoffs:
    """When a date's predicted games begin: the known tip-offs, and the number that is to be decided."""

    day: date
    known: tuple[datetime, ...] = ()
    undecided: int = 0

    @property
    def games(self) -> int:
        """The number of games."""
        return len(self.known) + self.undecided

    @property
    def latest(self) -> tuple[datetime, ...]:
        """The instants by which the games have begun, in order; the last may be that of undecided ones."""
        return (*self.known, *([latest_start(self.day)] if self.undecided else []))

    def any_to_begin(self, now: datetime) -> bool:
        """Whether any game may not have begun yet."""
        return any(t > now for t in self.latest)
