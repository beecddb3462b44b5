"""Incidents of names: players with the same name or another spelling, or quoted for a team they never played for."""

from __future__ import annotations

from typing import Any

from nba_props.domain.names import player_lookup
from nba_props.facts.calendar import season_of
from nba_props.facts.markets import POINTS, market
from nba_props.simulator.incidents.tools import (
    NIGHT,
    captures,
    edit_outcomes,
    event_of,
    game_log,
    games_of,
    most_quoted,
    rewrite,
)
from nba_props.sources import nba_stats
from nba_props.storage.landing import LandingZone


def traded_today(zone: LandingZone) -> str:
    """The player with the highest line is quoted for a game of two other teams."""
    name = most_quoted(zone, NIGHT)
    moved: list[dict[str, Any]] = []
    target = None
    for payload, content in list(captures(zone, NIGHT)):
        home = content["data"]["home_team"]
        here = any(
            o["description"] == name for b in content["data"]["bookmakers"] for m in b["markets"] for o in m["outcomes"]
        )
        if not here and target is None:
            target = home
        for book in content["data"]["bookmakers"]:
            for quoted in book["markets"]:
                if here:
                    moved += [o for o in quoted["outcomes"] if o["description"] == name]
                    quoted["outcomes"] = [o for o in quoted["outcomes"] if o["description"] != name]
                elif home == target and quoted["key"] == market(POINTS).feed_key:
                    quoted["outcomes"] += [
                        {"name": side, "description": name, "price": -112, "point": 21.5} for side in ("Over", "Under")
                    ]
        rewrite(zone, payload, content)
    return f"{name} is quoted for the game at {target}, of two teams he never played for"


def same_name(zone: LandingZone) -> str:
    """A player of each team of one game has the same name."""
    game = games_of(zone, NIGHT)[0]
    home, away = game["homeTeam"]["teamId"], game["awayTeam"]["teamId"]
    books = event_of(zone, NIGHT, game)[0][1]["data"]["bookmakers"]
    quoted = {player_lookup(o["description"]) for b in books for m in b["markets"] for o in m["outcomes"]}
    _, log = game_log(zone, NIGHT)
    at = {h: i for i, h in enumerate(log["resultSets"][0]["headers"])}
    rows = log["resultSets"][0]["rowSet"]
    known = [r for r in rows if r[at["TEAM_ID"]] == home and player_lookup(r[at["PLAYER_NAME"]]) in quoted]
    other = next(r for r in rows if r[at["TEAM_ID"]] == away and player_lookup(r[at["PLAYER_NAME"]]) not in quoted)
    name, twin = known[0][at["PLAYER_NAME"]], other[at["PLAYER_ID"]]
    for payload in zone.list(nba_stats.gamelog_folder(season_of(NIGHT))):
        content = zone.load(payload)
        for row in content["resultSets"][0]["rowSet"]:
            if row[at["PLAYER_ID"]] == twin:
                row[at["PLAYER_NAME"]] = name
        rewrite(zone, payload, content)
    return f"players of both teams of game {game['gameId']} have the name {name}"


def suffix_dropped(zone: LandingZone) -> str:
    """Every book leaves out the suffixes of names."""
    suffixes = {"Jr.", "II", "III"}
    touched = set()

    def change(_: str, outcome: dict[str, Any]) -> None:
        words = outcome["description"].split(" ")
        if words[-1] in suffixes:
            touched.add(outcome["description"])
            outcome["description"] = " ".join(words[:-1])

    edit_outcomes(zone, NIGHT, change)
    return f"every book drops the suffix of {', '.join(sorted(touched))}"


def book_renames_player(zone: LandingZone) -> str:
    """One book calls the player with the highest line by a nickname."""
    name = most_quoted(zone, NIGHT)

    def change(book: str, outcome: dict[str, Any]) -> None:
        if book == "draftkings" and outcome["description"] == name:
            outcome["description"] = "The Lighthouse"

    edit_outcomes(zone, NIGHT, change)
    return f"draftkings calls {name} The Lighthouse"
