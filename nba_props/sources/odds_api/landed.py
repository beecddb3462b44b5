"""Where captures of The Odds API are landed, and which dates have any."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial

from nba_props.facts.markets import POINTS
from nba_props.sources.nba_stats.landed import schedules_near
from nba_props.sources.payloads import by_folder
from nba_props.storage import fields
from nba_props.storage.landing import LandingZone, Payload

#: of points alone, and of several markets in one response
_POINTS, _MARKETS = "the_odds_api/player_points", "the_odds_api/player_markets"


def folder(day: date, markets: Collection[str] = (POINTS,)) -> str:
    """The landing folder of a game date's captures of some markets."""
    return f"{_POINTS if set(markets) == {POINTS} else _MARKETS}/{day.isoformat()}"


def folders(day: date) -> tuple[str, ...]:
    """Every landing folder that may hold captures of a game date."""
    return tuple(f"{root}/{day.isoformat()}" for root in (_POINTS, _MARKETS))


def captures(zone: LandingZone, day: date) -> list[Payload]:
    """The captures of a game date, of whatever markets."""
    return [payload for place in folders(day) for payload in zone.list(place)]


def landed_days(zone: LandingZone) -> list[date]:
    """The game dates that have a folder of captures."""
    names = [name for root in (_POINTS, _MARKETS) for name in zone.folders(root)]
    return sorted({d for name in names if (d := fields.date_in(name)) and name == d.isoformat()})


def payloads(zone: LandingZone, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
    """A date's captures, and the schedules in which games are looked up that the newest one no longer has."""
    found = [by_folder(place)(zone, days) for place in (folder, partial(folder, markets=()))]
    near = schedules_near(zone, days)
    own = {d: [name for one in found for name in one[d]] for d in days}
    return {d: [*own[d], *(p.path for p in near[d])] if own[d] else () for d in days}
