"""When odds are captured, and what that costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from nba_props.facts.calendar import EASTERN
from nba_props.facts.markets import POINTS, market
from nba_props.facts.rhythm import RHYTHMS
from nba_props.facts.tipoffs import latest_start
from nba_props.sources.odds_api.client import HISTORICAL_FACTOR, cost

#: the first capture of a game day, Eastern
OPENING = time(10)


@dataclass(frozen=True, order=True)
class Due:
    """A capture at an instant: of the games of one tip-off, or of every game not begun."""

    at: datetime
    tipoff: datetime | None = field(default=None, compare=False)


def captures_of(day: date, tipoffs: Iterable[datetime], rhythm: str, undecided: int = 0) -> list[Due]:
    """The captures of a game day: at opening, every full hour until the last tip-off, and before each tip-off.

    ``undecided`` games, whose tip-offs are to be decided, may be the last to begin. A thrifty ``rhythm`` leaves the
    hours after opening out, and most of those before a tip-off.
    """
    wanted = RHYTHMS[rhythm]
    starts = sorted(set(tipoffs))
    ends = [*starts[-1:], *([latest_start(day)] if undecided else [])]
    if not ends:
        return []
    opening = datetime.combine(day, OPENING, EASTERN).astimezone(UTC)
    hours = []
    at = opening
    while at < max(ends):
        hours.append(Due(at))
        if not wanted.hourly:
            break
        at += timedelta(hours=1)
    full = {d.at for d in hours}
    before = [Due(start - timedelta(minutes=m), start) for start in starts for m in wanted.before]
    return sorted([*hours, *(d for d in before if d.at not in full)])


def due(
    day: date, tipoffs: Iterable[datetime], after: datetime, now: datetime, rhythm: str, undecided: int = 0
) -> list[Due]:
    """The captures that are due in (after, now]; one of all games replaces those of single tip-offs."""
    found = [d for d in captures_of(day, tipoffs, rhythm, undecided) if after < d.at <= now]
    whole = [d for d in found if d.tipoff is None]
    return whole[-1:] or [d for d in found if d.tipoff is not None and d.tipoff > now]


def feed_keys(markets: Collection[str]) -> str:
    """Markets as a request names them: The Odds API's keys of their main lines, comma-separated."""
    return ",".join(market(key).feed_key for key in markets)


def price_of_capture(games: int, regions: str, markets: Collection[str] = (POINTS,)) -> int:
    """Credits that one capture of some games costs at most."""
    return games * cost(feed_keys(markets), regions)


def price_of_day(
    day: date,
    tipoffs: Sequence[datetime],
    regions: str,
    rhythm: str,
    undecided: int = 0,
    markets: Collection[str] = (POINTS,),
) -> int:
    """Credits that the captures of a game day cost at most; ``tipoffs`` has an instant for each game.

    A capture of all games asks for those that have not begun.
    """
    starts = [*tipoffs, *([latest_start(day)] * undecided)]
    asked = sum(
        sum(start > d.at if d.tipoff is None else start == d.tipoff for start in starts)
        for d in captures_of(day, tipoffs, rhythm, undecided)
    )
    return price_of_capture(asked, regions, markets)


def price_of_history(dates: int, games: int, snapshots: int, regions: str, markets: Collection[str] = (POINTS,)) -> int:
    """Credits that the archive's snapshots of some dates cost at most."""
    return dates + games * snapshots * HISTORICAL_FACTOR * cost(feed_keys(markets), regions)
