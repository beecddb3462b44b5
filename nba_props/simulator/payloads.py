"""Payloads in exactly the shapes of the APIs; the values are the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nba_props.storage.landing import SIMULATED_MARK, LandingZone

BOOK_TITLES = {
    "draftkings": "DraftKings",
    "fanduel": "FanDuel",
    "betmgm": "BetMGM",
    "williamhill_us": "Caesars",
    "betrivers": "BetRivers",
    "bovada": "Bovada",
    "betonlineag": "BetOnline.ag",
    "fanatics": "Fanatics",
    "prizepicks": "PrizePicks",
    "underdog": "Underdog Fantasy",
}

GAME_LOG_HEADERS = [
    "SEASON_ID", "PLAYER_ID", "PLAYER_NAME", "TEAM_ID", "TEAM_ABBREVIATION", "TEAM_NAME", "GAME_ID", "GAME_DATE",
    "MATCHUP", "WL", "MIN", "FGM", "FGA", "FG_PCT", "FG3M", "FG3A", "FG3_PCT", "FTM", "FTA", "FT_PCT", "OREB", "DREB",
    "REB", "AST", "STL", "BLK", "TOV", "PF", "PTS", "PLUS_MINUS", "FANTASY_PTS", "VIDEO_AVAILABLE",
]  # fmt: skip

ROSTER_HEADERS = [
    "PERSON_ID", "DISPLAY_LAST_COMMA_FIRST", "DISPLAY_FIRST_LAST", "ROSTERSTATUS", "FROM_YEAR", "TO_YEAR", "PLAYERCODE",
    "PLAYER_SLUG", "TEAM_ID", "TEAM_CITY", "TEAM_NAME", "TEAM_ABBREVIATION", "TEAM_CODE", "TEAM_SLUG",
    "GAMES_PLAYED_FLAG", "OTHERLEAGUE_EXPERIENCE_CH",
]  # fmt: skip


def instant(moment: datetime) -> str:
    """An aware instant as the APIs write it: 2025-11-05T17:00:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def market(key: str, quotes: Iterable[Mapping[str, Any]], last_update: datetime) -> dict[str, Any]:
    """One market of one book from quotes with ``player, line, over, under``; a None price leaves its side out."""
    outcomes = []
    for q in quotes:
        for side, price in (("Over", q["over"]), ("Under", q["under"])):
            if price is not None:
                outcomes.append({"name": side, "description": q["player"], "price": price, "point": q["line"]})
    return {"key": key, "last_update": instant(last_update), "outcomes": outcomes}


def event_odds(
    event_id: str,
    commence_at: datetime,
    home_team: str,
    away_team: str,
    books: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """The live event-odds object; ``books`` maps a book's key to its markets."""
    return {
        "id": event_id,
        "sport_key": "basketball_nba",
        "sport_title": "NBA",
        "commence_time": instant(commence_at),
        "home_team": home_team,
        "away_team": away_team,
        "bookmakers": [
            {"key": key, "title": BOOK_TITLES.get(key, key), "markets": list(markets)} for key, markets in books.items()
        ],
    }


def historical(event: Mapping[str, Any], snapshot_at: datetime) -> dict[str, Any]:
    """The historical envelope around an event; the snapshots before and after are five minutes away."""
    return {
        "timestamp": instant(snapshot_at),
        "previous_timestamp": instant(snapshot_at - timedelta(minutes=5)),
        "next_timestamp": instant(snapshot_at + timedelta(minutes=5)),
        "data": event,
    }


def game_log(season: str, season_type: str, day: date, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One day of leaguegamelog (``PlayerOrTeam=P``); a column that a row lacks is null."""
    return {
        "resource": "leaguegamelog",
        "parameters": {
            "LeagueID": "00",
            "Season": season,
            "SeasonType": season_type,
            "PlayerOrTeam": "P",
            "Counter": 0,
            "Sorter": "DATE",
            "Direction": "ASC",
            "DateFrom": f"{day:%m/%d/%Y}",
            "DateTo": f"{day:%m/%d/%Y}",
        },
        "resultSets": [
            {
                "name": "LeagueGameLog",
                "headers": list(GAME_LOG_HEADERS),
                "rowSet": [[row.get(h) for h in GAME_LOG_HEADERS] for row in rows],
            }
        ],
    }


def scoring(
    game_id: str, home: tuple[int, Iterable[Mapping[str, Any]]], away: tuple[int, Iterable[Mapping[str, Any]]]
) -> dict[str, Any]:
    """boxscorescoringv3 of a game, from each side's team id and its players.

    A player has ``player_id, minutes, points`` and, of his points, ``paint, mid_range, three, free_throw``; the shares
    of a player without points are 0.
    """

    def player(p: Mapping[str, Any]) -> dict[str, Any]:
        def share(points: int) -> float:
            return round(points / p["points"], 3) if p["points"] else 0.0

        return {
            "personId": p["player_id"],
            "statistics": {
                "minutes": f"{p['minutes']}:00",
                "percentagePoints2pt": share(p["paint"] + p["mid_range"]),
                "percentagePointsMidrange2pt": share(p["mid_range"]),
                "percentagePoints3pt": share(p["three"]),
                "percentagePointsFreeThrow": share(p["free_throw"]),
                "percentagePointsPaint": share(p["paint"]),
            },
        }

    sides = {"homeTeam": home, "awayTeam": away}
    return {
        "boxScoreScoring": {
            "gameId": game_id,
            "homeTeamId": home[0],
            "awayTeamId": away[0],
            **{
                side: {"teamId": team, "players": [player(p) for p in players]}
                for side, (team, players) in sides.items()
            },
        }
    }


def schedule(season: str, games: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A season's scheduleleaguev2 from entries of ``schedule_game``, grouped by date."""
    by_day: dict[str, list[Mapping[str, Any]]] = {}
    for game in games:
        by_day.setdefault(str(game["gameDateEst"])[:10], []).append(game)
    return {
        "meta": {"version": 1},
        "leagueSchedule": {
            "seasonYear": season,
            "leagueId": "00",
            "gameDates": [
                {"gameDate": f"{date.fromisoformat(day):%m/%d/%Y} 00:00:00", "games": entries}
                for day, entries in sorted(by_day.items())
            ],
        },
    }


def schedule_team(team_id: int, city: str, name: str, tricode: str, score: int | None) -> dict[str, Any]:
    """One team of a schedule entry; the score is 0 until the game is played."""
    return {"teamId": team_id, "teamName": name, "teamCity": city, "teamTricode": tricode, "score": score or 0}


def schedule_game(
    game_id: str,
    day: date,
    tipoff_at: datetime | None,
    home: Mapping[str, Any],
    away: Mapping[str, Any],
    *,
    final: bool,
    postponed: bool = False,
    arena: str = "",
) -> dict[str, Any]:
    """One game of scheduleleaguev2."""
    return {
        "gameId": game_id,
        "gameCode": f"{day:%Y%m%d}/{away['teamTricode']}{home['teamTricode']}",
        "gameStatus": 3 if final else 1,
        "gameStatusText": "PPD" if postponed else "Final" if final else "Scheduled",
        "gameDateEst": f"{day.isoformat()}T00:00:00Z",
        "gameDateTimeUTC": instant(tipoff_at) if tipoff_at else None,
        "gameLabel": "",
        "postponedStatus": "P" if postponed else "A",
        "isNeutral": False,
        "arenaName": arena,
        "homeTeam": home,
        "awayTeam": away,
    }


def rosters(season: str, players: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """commonallplayers of a season from ``player_id, player_name, team_id, team``; team id 0 means none."""
    rows = []
    for p in players:
        values = {
            "PERSON_ID": p["player_id"],
            "DISPLAY_FIRST_LAST": p["player_name"],
            "ROSTERSTATUS": int(bool(p["team_id"])),
            "TEAM_ID": p["team_id"],
            "TEAM_ABBREVIATION": p["team"],
            "GAMES_PLAYED_FLAG": "Y",
        }
        rows.append([values.get(h, "") for h in ROSTER_HEADERS])
    return {
        "resource": "commonallplayers",
        "parameters": {"LeagueID": "00", "Season": season, "IsOnlyCurrentSeason": 1},
        "resultSets": [{"name": "CommonAllPlayers", "headers": list(ROSTER_HEADERS), "rowSet": rows}],
    }


def land(zone: LandingZone, path: str, content: Mapping[str, Any]) -> None:
    """Land a payload with the mark of a simulated league."""
    zone.land(path, {SIMULATED_MARK: True, **content})
