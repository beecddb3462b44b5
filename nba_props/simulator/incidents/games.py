"""Incidents of schedule and results: games that move, tip off at odd hours, or are corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nba_props.facts.calendar import game_date_of, parse_instant
from nba_props.simulator import payloads
from nba_props.simulator.incidents.tools import (
    CLOCK_CHANGE,
    NIGHT,
    edit_schedule,
    event_of,
    game_log,
    games_of,
    rewrite,
)
from nba_props.storage.landing import LandingZone, capture_suffix


def empty_rowset(zone: LandingZone) -> str:
    """The game log of the night before arrives without rows."""
    payload, content = game_log(zone, NIGHT - timedelta(1))
    content["resultSets"][0]["rowSet"] = []
    rewrite(zone, payload, content)
    return f"the game log of {NIGHT - timedelta(1)} has no rows"


def game_moved(zone: LandingZone) -> str:
    """A quoted game is moved by 45 days; its odds stay landed."""
    game = games_of(zone, NIGHT)[0]
    later = parse_instant(game["gameDateTimeUTC"]) + timedelta(days=45)

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(later)
            entry["gameDateEst"] = f"{game_date_of(later)}T00:00:00Z"

    edit_schedule(zone, NIGHT, change)
    payload, log = game_log(zone, NIGHT)
    result = log["resultSets"][0]
    result["rowSet"] = [r for r in result["rowSet"] if game["gameId"] not in r]  # it was not played that night
    rewrite(zone, payload, log)
    return f"game {game['gameId']} moved to {game_date_of(later)}; its odds of the old date stay landed"


def past_midnight(zone: LandingZone) -> str:
    """One game of the night tips off five minutes after midnight, so it belongs to the next date."""
    next_day = NIGHT + timedelta(1)
    busy = {t for g in games_of(zone, next_day) for t in (g["homeTeam"]["teamId"], g["awayTeam"]["teamId"])}
    game = next(g for g in games_of(zone, NIGHT) if not busy & {g["homeTeam"]["teamId"], g["awayTeam"]["teamId"]})
    tipoff = datetime(next_day.year, next_day.month, next_day.day, 5, 5, tzinfo=UTC)  # 00:05 Eastern

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(tipoff)

    edit_schedule(zone, NIGHT, change)
    for payload, content in event_of(zone, NIGHT, game):
        content["data"]["commence_time"] = payloads.instant(tipoff)
        rewrite(zone, payload, content, payload.path.replace(NIGHT.isoformat(), next_day.isoformat(), 1))
    return f"game {game['gameId']} of the evening of {NIGHT} tips off at 00:05 Eastern on {next_day}"


def clock_change(zone: LandingZone) -> str:
    """A game in the hour that happens twice when clocks go back, in its second pass."""
    game = games_of(zone, CLOCK_CHANGE)[0]
    tipoff = datetime(2025, 11, 2, 6, 30, tzinfo=UTC)  # 01:30 Eastern standard time; 05:30 UTC is 01:30 too

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(tipoff)

    edit_schedule(zone, CLOCK_CHANGE, change)
    for n, (payload, content) in enumerate(event_of(zone, CLOCK_CHANGE, game)):
        content["data"]["commence_time"] = payloads.instant(tipoff)
        content["timestamp"] = payloads.instant(tipoff - timedelta(minutes=90 - 30 * n))
        rewrite(zone, payload, content)
    return f"game {game['gameId']} tips off at 01:30 Eastern, after the clock change"


def corrected_box_scores(zone: LandingZone) -> str:
    """A newer game log takes two points from the best scorer of the night before."""
    day = NIGHT - timedelta(1)
    payload, content = game_log(zone, day)
    result = content["resultSets"][0]
    at = {h: i for i, h in enumerate(result["headers"])}
    row = max(result["rowSet"], key=lambda r: r[at["PTS"]])
    row[at["PTS"]] -= 2
    row[at["FGM"]] -= 1
    at_noon = datetime(NIGHT.year, NIGHT.month, NIGHT.day, 17, tzinfo=UTC)
    zone.land(f"{payload.path.split('.json')[0]}{capture_suffix(at_noon)}.json.gz", content)
    return f"two points of {row[at['PLAYER_NAME']]} on {day} were taken away the next day"
