"""Captures of odds: requests in, landed payloads out.

Answers are landed before they are parsed, under a name of date, event and instant. When one event fails, the others are
captured all the same.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

from nba_props.facts.calendar import game_date_of, is_undecided, parse_instant
from nba_props.facts.markets import POINTS
from nba_props.facts.tipoffs import day_bounds
from nba_props.process.clock import Clock
from nba_props.sources.answers import UNREACHABLE
from nba_props.sources.base import Fetched
from nba_props.sources.http import FetchError
from nba_props.sources.odds_api.client import (
    CONCURRENCY,
    BudgetExhausted,
    OddsApi,
    OddsApiError,
)
from nba_props.sources.odds_api.landed import captures, folder
from nba_props.sources.odds_api.times import feed_keys
from nba_props.storage.landing import LandingError, LandingZone, Payload, capture_suffix
from nba_props.storage.naming import id_part

#: a landed capture this close before the wanted instant is the one that the archive would return again
_SAME_SNAPSHOT = timedelta(minutes=10)
#: errors of a disk that the next payload would run into as well
_LASTING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def odds(
    api: OddsApi,
    zone: LandingZone,
    day: date,
    clock: Clock,
    regions: str,
    tipoff: datetime | None = None,
    since: datetime | None = None,
    markets: Collection[str] = (POINTS,),
) -> Fetched:
    """Capture some markets of the games of a date that have not begun, or of those of one tip-off.

    An event whose start is to be decided has not begun, and may be of any tip-off. One that was captured at ``since``
    or later is not bought again.

    Raises:
        OddsApiError: the list of games is not available.
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
        content = api.event_odds(event["id"], feed_keys(markets), regions)
        return f"{folder(day, markets)}/{id_part(event['id'])}{capture_suffix(clock())}.json.gz", content

    done.add(_land_all(api, zone, open_events, capture))
    return done


def captured_since(zone: LandingZone, day: date, since: datetime) -> set[str]:
    """The events of a date that were captured at an instant or later."""
    landed = captures(zone, day) if zone.exists() else []
    return {p.subject for p in landed if p.captured_at and p.captured_at >= since}


def history(
    api: OddsApi,
    zone: LandingZone,
    day: date,
    minutes_before: Sequence[int],
    regions: str,
    markets: Collection[str] = (POINTS,),
) -> Fetched:
    """The archive's snapshots of a past date's games, some minutes before each tip-off; what is landed is not bought.

    Raises:
        OddsApiError: the list of games is not available.
    """
    first, _ = day_bounds(day)
    done, spent = Fetched(), api.budget.spent
    starts = _starts(api.historical_events(first + timedelta(hours=10)).get("data"), done)
    events = [(e, start) for e, start in starts if game_date_of(start) == day]
    landed = zone.list(folder(day, markets))  # a capture of points alone lacks the others
    wanted = [
        (event, at)
        for event, start in events
        for at in (start - timedelta(minutes=m) for m in minutes_before)
        if not _has(landed, event["id"], at)
    ]

    def snapshot(asked: tuple[dict[str, Any], datetime]) -> tuple[str, Any]:
        event, at = asked
        content = api.historical_event_odds(event["id"], at, feed_keys(markets), regions)
        taken = _taken(content, event["id"])
        return f"{folder(day, markets)}/{id_part(event['id'])}{capture_suffix(taken)}.json.gz", content

    done.add(_land_all(api, zone, wanted, snapshot))
    done.present += len(events) * len(minutes_before) - len(wanted)
    done.credits = api.budget.spent - spent
    return done


def _starts(listed: Any, done: Fetched) -> list[tuple[dict[str, Any], datetime]]:
    """The listed games that can be requested, with their starts; a failure is recorded for each of the others."""
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
        raise ValueError(f"{name} is not an instant")
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _has(landed: Sequence[Payload], event_id: Any, at: datetime) -> bool:
    subject = id_part(event_id)
    return any(
        p.subject == subject and p.captured_at and timedelta() <= at - p.captured_at <= _SAME_SNAPSHOT for p in landed
    )


def _land_all(
    api: OddsApi, zone: LandingZone, asked: Sequence[Any], fetch: Callable[[Any], tuple[str, Any]]
) -> Fetched:
    """Fetch with limited concurrency and land each answer. An exhausted budget, an unreachable host or a zone that
    can't be written ends it, so that nothing is bought that can't be stored. Other failures are recorded.
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
        done.failures.append(f"{unasked} more were not requested, since {why}")
    done.silent = UNREACHABLE if gone.is_set() else ""
    if exhausted:
        done.failures.append(str(exhausted))
        done.exhausted = True
    done.credits = api.budget.spent - spent
    done.remaining = api.budget.remaining
    return done
