"""When odds are captured, and the captures themselves: requests in, landed payloads out.

A capture lands what it got before anyone parses it, under a name of day, event and instant. One event's failure does
not cost the others their capture.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from nba_props.facts.calendar import EASTERN, game_date_of, is_undecided, parse_instant
from nba_props.facts.rhythm import FULL, RHYTHMS
from nba_props.sources import odds_api
from nba_props.sources.http import UNREACHABLE
from nba_props.sources.odds_api.client import (
    CONCURRENCY,
    HISTORICAL_FACTOR,
    BudgetExhausted,
    OddsApi,
    OddsApiError,
    cost,
)
from nba_props.storage.landing import FetchError, LandingError, LandingZone, Payload, capture_suffix
from nba_props.storage.naming import id_part

MARKETS = "player_points"
REGIONS = "us"
#: the first capture of a game day, Eastern
OPENING = time(10)
#: no game begins later, Eastern: until then one whose tip-off is to be decided may be expected
LATEST_START = time(22, 30)
#: most games of a date: each of the thirty teams plays once
MOST_GAMES = 15
#: a landed capture this close before the wanted instant is the one that the archive would give again
_SAME_SNAPSHOT = timedelta(minutes=10)
#: errors of a disk that the next payload would meet as well
_LASTING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


@dataclass(frozen=True, order=True)
class Due:
    """A capture at an instant: of the games of one tip-off, or of every game not begun."""

    at: datetime
    tipoff: datetime | None = field(default=None, compare=False)


@dataclass
class Fetched:
    """What a fetch did."""

    landed: list[str] = field(default_factory=list)
    #: payloads that had been landed before
    present: int = 0
    failures: list[str] = field(default_factory=list)
    credits: int = 0
    remaining: int | None = None
    #: the budget's reserve was reached; what was left was not asked for
    exhausted: bool = False
    #: the code of a host's silence, after which what was left was not asked for; empty where it speaks
    silent: str = ""

    def add(self, other: Fetched) -> None:
        """Count another fetch in."""
        self.landed += other.landed
        self.failures += other.failures
        self.present += other.present
        self.credits += other.credits
        self.remaining = other.remaining if other.remaining is not None else self.remaining
        self.exhausted |= other.exhausted
        self.silent = self.silent or other.silent


def latest_start(day: date) -> datetime:
    """The instant by which every game of a date has begun, as far as its tip-off is not known."""
    return datetime.combine(day, LATEST_START, EASTERN).astimezone(UTC)


def captures_of(day: date, tipoffs: Iterable[datetime], undecided: int = 0, rhythm: str = FULL) -> list[Due]:
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
    day: date,
    tipoffs: Iterable[datetime],
    after: datetime,
    now: datetime,
    undecided: int = 0,
    rhythm: str = FULL,
) -> list[Due]:
    """The captures whose instant lies in (after, now]; one for all games stands for those of single tip-offs."""
    found = [d for d in captures_of(day, tipoffs, undecided, rhythm) if after < d.at <= now]
    whole = [d for d in found if d.tipoff is None]
    return whole[-1:] or [d for d in found if d.tipoff is not None and d.tipoff > now]


def price_of_capture(games: int, regions: str = REGIONS) -> int:
    """Credits that one capture of some games costs at most."""
    return games * cost(MARKETS, regions)


def price_of_day(
    day: date, tipoffs: Sequence[datetime], regions: str = REGIONS, rhythm: str = FULL, undecided: int = 0
) -> int:
    """Credits that the captures of a game day cost at most; ``tipoffs`` has an instant for each game.

    A capture of all games asks for those that have not begun.
    """
    starts = [*tipoffs, *([latest_start(day)] * undecided)]
    asked = sum(
        sum(start > d.at if d.tipoff is None else start == d.tipoff for start in starts)
        for d in captures_of(day, tipoffs, undecided, rhythm)
    )
    return price_of_capture(asked, regions)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The instants between which a game of an Eastern date tips off."""
    first = datetime.combine(day, time(), EASTERN).astimezone(UTC)
    last = datetime.combine(day + timedelta(1), time(), EASTERN).astimezone(UTC) - timedelta(seconds=1)
    return first, last


def odds(
    api: OddsApi,
    zone: LandingZone,
    day: date,
    clock: Callable[[], datetime],
    tipoff: datetime | None = None,
    regions: str = REGIONS,
    since: datetime | None = None,
) -> Fetched:
    """Capture the games of a date that have not begun, or those of one tip-off.

    An event whose start is to be decided has not begun, and may be of any tip-off. One that was captured at ``since``
    or later is not bought again.

    Raises:
        OddsApiError: the list of games could not be had.
    """
    now = clock()
    # books and the league differ by minutes on when a game begins
    near = timedelta(minutes=20)

    def is_asked(start: datetime) -> bool:
        if is_undecided(start):
            return True
        return start > now and (tipoff is None or abs(start - tipoff) <= near)

    done = Fetched()
    starts = _starts(api.events(*day_bounds(day)), done)
    open_events = [e for e, start in starts if game_date_of(start) == day and is_asked(start)]
    if since is not None:
        landed = captured_since(zone, day, since)
        done.present += sum(id_part(e["id"]) in landed for e in open_events)
        open_events = [e for e in open_events if id_part(e["id"]) not in landed]

    def capture(event: dict[str, Any]) -> tuple[str, Any]:
        content = api.event_odds(event["id"], MARKETS, regions)
        return f"{odds_api.folder(day)}/{id_part(event['id'])}{capture_suffix(clock())}.json.gz", content

    done.add(_land_all(api, zone, open_events, capture))
    return done


def captured_since(zone: LandingZone, day: date, since: datetime) -> set[str]:
    """The events of a date that were captured at an instant or later."""
    landed = zone.list(odds_api.folder(day)) if zone.exists() else []
    return {p.subject for p in landed if p.captured_at and p.captured_at >= since}


def history(
    api: OddsApi, zone: LandingZone, day: date, minutes_before: Sequence[int], regions: str = REGIONS
) -> Fetched:
    """The archive's snapshots of a past date's games, some minutes before each tip-off; what is landed is not bought.

    Raises:
        OddsApiError: the list of games could not be had.
    """
    first, _ = day_bounds(day)
    done, spent = Fetched(), api.budget.spent
    starts = _starts(api.historical_events(first + timedelta(hours=10)).get("data"), done)
    events = [(e, start) for e, start in starts if game_date_of(start) == day]
    landed = zone.list(odds_api.folder(day))
    wanted = [
        (event, at)
        for event, start in events
        for at in (start - timedelta(minutes=m) for m in minutes_before)
        if not _has(landed, event["id"], at)
    ]

    def snapshot(asked: tuple[dict[str, Any], datetime]) -> tuple[str, Any]:
        event, at = asked
        content = api.historical_event_odds(event["id"], at, MARKETS, regions)
        taken = _taken(content, event["id"])
        return f"{odds_api.folder(day)}/{id_part(event['id'])}{capture_suffix(taken)}.json.gz", content

    done.add(_land_all(api, zone, wanted, snapshot))
    done.present += len(events) * len(minutes_before) - len(wanted)
    done.credits = api.budget.spent - spent
    return done


def _starts(listed: Any, done: Fetched) -> list[tuple[dict[str, Any], datetime]]:
    """The listed games that can be asked for, with their starts; of what can't, the failure is noted."""
    if not isinstance(listed, list):
        done.failures.append(f"the games: a list was expected, not {type(listed).__name__}")
        return []
    found = []
    for number, event in enumerate(listed, 1):
        try:
            if not isinstance(event, dict) or not isinstance(event.get("id"), str):
                raise ValueError("an object with an id was expected")
            found.append((event, _instant(event, "commence_time")))
        except ValueError as error:
            done.failures.append(f"game {number} of the list: {error}")
    return found


def _taken(envelope: dict[str, Any], event_id: str) -> datetime:
    try:
        return _instant(envelope, "timestamp")
    except ValueError as error:
        raise OddsApiError("WRONG_SHAPE", f"the archive's odds of {event_id}: {error}") from None


def _instant(fields: dict[str, Any], name: str) -> datetime:
    text = fields.get(name)
    if not isinstance(text, str) or len(text) > 40:
        raise ValueError(f"{name} is no instant")
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def price_of_history(dates: int, games: int, snapshots: int, regions: str = REGIONS) -> int:
    """Credits that the archive's snapshots of some dates cost at most."""
    return dates + games * snapshots * HISTORICAL_FACTOR * cost(MARKETS, regions)


def _has(landed: Sequence[Payload], event_id: Any, at: datetime) -> bool:
    subject = id_part(event_id)
    return any(
        p.subject == subject and p.captured_at and timedelta() <= at - p.captured_at <= _SAME_SNAPSHOT for p in landed
    )


def _land_all(
    api: OddsApi, zone: LandingZone, asked: Sequence[Any], fetch: Callable[[Any], tuple[str, Any]]
) -> Fetched:
    """Fetch with limited concurrency and land each answer; an exhausted budget ends it, as does a host that can't be
    reached, or a zone that takes nothing more: nothing is bought that can't be kept. Other failures are noted.
    """
    done = Fetched()
    spent = api.budget.spent
    exhausted: BudgetExhausted | None = None
    refused, gone = threading.Event(), threading.Event()

    def one(item: Any) -> Payload | Exception | None:
        if refused.is_set() or gone.is_set():
            return None
        try:
            return zone.land(*fetch(item))
        except (FetchError, FileExistsError, ValueError) as error:
            if isinstance(error, FetchError) and error.code == UNREACHABLE:
                gone.set()
            return error
        except (LandingError, OSError) as error:
            if isinstance(error, LandingError) or error.errno in _LASTING:
                refused.set()
            return error

    unasked = 0
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for outcome in pool.map(one, asked):
            match outcome:
                case Payload():
                    done.landed.append(outcome.path)
                case FileExistsError():
                    done.present += 1
                case BudgetExhausted():
                    exhausted = outcome
                case None:
                    unasked += 1
                case _:
                    done.failures.append(str(outcome))
    if unasked:
        why = "nothing can be landed" if refused.is_set() else "the host can't be reached"
        done.failures.append(f"{unasked} more were not asked for, since {why}")
    done.silent = UNREACHABLE if gone.is_set() else ""
    if exhausted:
        done.failures.append(str(exhausted))
        done.exhausted = True
    done.credits = api.budget.spent - spent
    done.remaining = api.budget.remaining
    return done
