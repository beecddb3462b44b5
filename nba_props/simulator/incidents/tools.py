"""Tools for incidents: their dates, and changes of landed payloads."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from upath import UPath

from nba_props.facts.calendar import game_date_of, parse_instant, season_of
from nba_props.simulator import payloads
from nba_props.sources import nba_stats, odds_api
from nba_props.storage.landing import LandingZone, Payload, capture_suffix

NIGHT = date(2026, 1, 9)
#: a date of the All-Star break
FREE_DAY = date(2026, 2, 14)
#: the Sunday on which clocks go back
CLOCK_CHANGE = date(2025, 11, 2)


def rewrite(zone: LandingZone, payload: Payload, content: Any, path: str | None = None) -> None:
    """Replace a landed payload, which only a simulator may do."""
    remove(zone, payload)
    zone.land(path or payload.path, content)


def remove(zone: LandingZone, payload: Payload) -> None:
    """Delete a landed payload."""
    (UPath(zone.root) / payload.path).unlink()


def captures(zone: LandingZone, day: date) -> Iterator[tuple[Payload, dict[str, Any]]]:
    """The date's odds captures and their contents."""
    for payload in odds_api.captures(zone, day):
        yield payload, zone.load(payload)


def edit_outcomes(zone: LandingZone, day: date, change: Callable[[str, dict[str, Any]], None]) -> int:
    """Apply a change to every outcome of a date's captures; returns how many outcomes there are."""
    count = 0
    for payload, content in captures(zone, day):
        for book in content["data"]["bookmakers"]:
            for market in book["markets"]:
                for outcome in market["outcomes"]:
                    change(book["key"], outcome)
                    count += 1
        rewrite(zone, payload, content)
    return count


def game_log(zone: LandingZone, day: date) -> tuple[Payload, dict[str, Any]]:
    """The date's game log and its content."""
    folder = nba_stats.gamelog_folder(season_of(day))
    payload = next(p for p in zone.list(folder) if p.subject.startswith(day.isoformat()))
    return payload, zone.load(payload)


def edit_schedule(zone: LandingZone, day: date, change: Callable[[dict[str, Any]], None]) -> None:
    """Land a newer capture of the season's schedule with every game changed by ``change``."""
    payload = next(p for p in zone.list(nba_stats.SCHEDULE_FOLDER) if p.subject == season_of(day))
    content = copy.deepcopy(zone.load(payload))
    games = [g for d in content["leagueSchedule"]["gameDates"] for g in d["games"]]
    for game in games:
        change(game)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    path = f"{nba_stats.SCHEDULE_FOLDER}/{season_of(day)}{capture_suffix(at)}.json.gz"
    payloads.land(zone, path, payloads.schedule(season_of(day), games))


def games_of(zone: LandingZone, day: date) -> list[dict[str, Any]]:
    """The date's games, as the schedule's payload has them."""
    payload = next(p for p in zone.list(nba_stats.SCHEDULE_FOLDER) if p.subject == season_of(day))
    groups = zone.load(payload)["leagueSchedule"]["gameDates"]
    return [g for d in groups for g in d["games"] if game_date_of(parse_instant(g["gameDateTimeUTC"])) == day]


def event_of(zone: LandingZone, day: date, game: dict[str, Any]) -> list[tuple[Payload, dict[str, Any]]]:
    """The captures of one game of the date."""
    home = f"{game['homeTeam']['teamCity']} {game['homeTeam']['teamName']}"
    return [(p, c) for p, c in captures(zone, day) if c["data"]["home_team"] == home]


def most_quoted(zone: LandingZone, day: date) -> str:
    """The player with draftkings' highest line before tip-off on a date."""
    best = ("", 0.0)
    for _, content in captures(zone, day):
        if content["timestamp"] >= content["data"]["commence_time"]:
            continue
        for book in content["data"]["bookmakers"]:
            for outcome in book["markets"][0]["outcomes"] if book["key"] == "draftkings" else ():
                if outcome["point"] > best[1]:
                    best = (outcome["description"], outcome["point"])
    return best[0]
