"""A league of four teams, small enough to check by hand, landed in the shapes of the real APIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from nba_props.facts import markets
from nba_props.facts.calendar import EASTERN
from nba_props.simulator import payloads
from nba_props.sources import odds_api
from nba_props.storage.landing import LandingZone, capture_suffix

SEASON = "2025-26"
FIRST = date(2025, 10, 21)
PLAYERS_PER_TEAM = 9
BOOKS = ("draftkings", "fanduel", "betmgm", "prizepicks")
#: markets that the books quote beside points, where a test asks for them
MARKETS = ("points", "rebounds", "assists", "points_rebounds_assists")


@dataclass(frozen=True)
class Team:
    team_id: int
    city: str
    name: str
    code: str

    @property
    def full(self) -> str:
        return f"{self.city} {self.name}"


TEAMS = (
    Team(101, "Alba", "Herons", "ALB"),
    Team(102, "Brink", "Otters", "BRI"),
    Team(103, "Corva", "Lynxes", "COR"),
    Team(104, "Dunmore", "Rooks", "DUN"),
)
_FIRST_NAMES = ("Ada", "Ben", "Cyrus", "Dév", "Eli", "Finn", "Gus", "Hal", "Ivo")
_LAST_NAMES = ("Archer", "Bàrnes", "Cole Jr.", "D'Arcy", "Eaton", "Frost", "Grey-Hall", "Hunt III", "Irons")


@dataclass(frozen=True)
class Game:
    game_id: str
    day: date
    home: Team
    away: Team
    tipoff_at: datetime

    @property
    def event_id(self) -> str:
        return f"{self.game_id:0>32}"


def player(team: Team, slot: int) -> tuple[int, str]:
    """Id and name of a team's player."""
    return team.team_id * 100 + slot, f"{_FIRST_NAMES[slot]} {team.name[:-1]} {_LAST_NAMES[slot]}"


def tipoff(day: date, hour: int = 19) -> datetime:
    return datetime.combine(day, time(hour), EASTERN).astimezone(UTC)


def games(days: int = 30, first: date = FIRST) -> list[Game]:
    """Two games on each even day, four teams in turn; odd days are free."""
    pairs = (((0, 1), (2, 3)), ((2, 0), (3, 1)), ((0, 3), (1, 2)))
    found = []
    for n in range(0, days, 2):
        day = first + timedelta(n)
        for k, (home, away) in enumerate(pairs[(n // 2) % 3]):
            number = n * 2 + k + 1
            found.append(Game(f"00225{number:05d}", day, TEAMS[home], TEAMS[away], tipoff(day, 19 + k)))
    return found


def points(slot: int, game: Game) -> int:
    """What a player scores: his level, and a swing by game that repeats every five games."""
    return 6 + 2 * slot + (int(game.game_id[-5:]) * 7 + slot * 3) % 5


def rebounds(slot: int, game: Game) -> tuple[int, int]:
    """Offensive and defensive rebounds, in a rhythm of their own."""
    return 1, 2 + slot % 3 + (int(game.game_id[-5:]) * 3 + slot) % 4


def assists(slot: int, game: Game) -> int:
    return 1 + slot % 4 + (int(game.game_id[-5:]) * 5 + slot * 2) % 3


def log_rows(game: Game, absent: frozenset[int] = frozenset()) -> list[dict[str, Any]]:
    """Box-score rows of a game; players in ``absent`` did not play."""
    rows = []
    for team, other, where in ((game.home, game.away, "vs."), (game.away, game.home, "@")):
        for slot in range(PLAYERS_PER_TEAM):
            player_id, name = player(team, slot)
            if player_id in absent:
                continue
            scored, (offensive, defensive) = points(slot, game), rebounds(slot, game)
            rows.append(
                {
                    "SEASON_ID": "22025", "PLAYER_ID": player_id, "PLAYER_NAME": name, "TEAM_ID": team.team_id,
                    "TEAM_ABBREVIATION": team.code, "TEAM_NAME": team.full, "GAME_ID": game.game_id,
                    "GAME_DATE": game.day.isoformat(), "MATCHUP": f"{team.code} {where} {other.code}", "WL": "W",
                    "MIN": 18 + 2 * slot, "FGM": scored // 2, "FGA": scored, "FG_PCT": 0.5, "FG3M": 0, "FG3A": 2,
                    "FG3_PCT": 0.0, "FTM": scored % 2, "FTA": 2, "FT_PCT": 0.5, "OREB": offensive, "DREB": defensive,
                    "REB": offensive + defensive, "AST": assists(slot, game), "STL": 1, "BLK": 0, "TOV": 1, "PF": 2, "PTS": scored, "PLUS_MINUS": 1,
                    "FANTASY_PTS": None, "VIDEO_AVAILABLE": 1,
                }
            )  # fmt: skip
    return rows


def scoring_more(row: dict[str, Any], more: int) -> dict[str, Any]:
    """A box-score row with more points, all of them free throws."""
    return {**row, **{column: row[column] + more for column in ("PTS", "FTM", "FTA")}}


def score(game: Game, team: Team) -> int:
    return sum(r["PTS"] for r in log_rows(game) if r["TEAM_ID"] == team.team_id)


def schedule(all_games: list[Game], played_before: date) -> dict[str, Any]:
    """The season's schedule; games before ``played_before`` are final."""
    entries = []
    for g in all_games:
        final = g.day < played_before
        home, away = (
            payloads.schedule_team(t.team_id, t.city, t.name, t.code, score(g, t) if final else None)
            for t in (g.home, g.away)
        )
        entries.append(payloads.schedule_game(g.game_id, g.day, g.tipoff_at, home, away, final=final))
    return payloads.schedule(SEASON, entries)


def line(slot: int, market: str = "points") -> float:
    """The books' line of a player: half a point from what he usually has."""
    usual = {"points": 8 + 2 * slot, "oreb": 1, "dreb": 3 + slot % 3, "ast": 2 + slot % 4}
    return sum(usual[stat] for stat in markets.market(market).stats) - 0.5


def books(
    game: Game,
    at: datetime,
    shift: float = 0.0,
    names: dict[str, str] | None = None,
    asked: Sequence[str] = ("points",),
) -> dict[str, Any]:
    """What the books quote: six players a side, one book half a point apart, DFS on whole numbers; in other markets
    than points two books, two players a side.
    """
    found: dict[str, Any] = {}
    for b, book in enumerate(BOOKS):
        quotes = []
        for team in (game.home, game.away):
            for slot in range(6):
                name = player(team, slot)[1]
                own = (
                    line(slot)
                    + shift
                    + (0.5 if book == "prizepicks" else -1.0 if book == "betmgm" and slot == 1 else 0)
                )
                quotes.append(
                    {"player": (names or {}).get(name, name), "line": own, "over": -110 - b, "under": -112 - b}
                )
        found[book] = [payloads.market("player_points", quotes, at)]
    for market in asked[1:]:
        for b, book in enumerate(BOOKS[:2]):
            quotes = [
                {"player": player(team, slot)[1], "line": line(slot, market), "over": 100 + b, "under": -130 - b}
                for team in (game.home, game.away)
                for slot in range(2, 4)
            ]
            found[book].append(payloads.market(markets.market(market).feed_key, quotes, at))
    return found


def capture(
    game: Game,
    minutes_before: int,
    shift: float = 0.0,
    names: dict[str, str] | None = None,
    asked: Sequence[str] = ("points",),
) -> tuple[str, Any]:
    """Path and content of a historical capture."""
    at = game.tipoff_at - timedelta(minutes=minutes_before)
    event = payloads.event_odds(
        game.event_id, game.tipoff_at, game.home.full, game.away.full, books(game, at, shift, names, asked)
    )
    path = f"{odds_api.folder(game.day, asked)}/{game.event_id}{capture_suffix(at)}.json.gz"
    return path, payloads.historical(event, at)


def scoring(game: Game, paint: float = 0.5, mid: float = 0.25, **changes: Any) -> dict[str, Any]:
    """What boxscorescoringv3 answers for a game; ``changes`` replaces statistics of the first home player."""

    def person(team: Team, slot: int) -> dict[str, Any]:
        shares = {
            "minutes": "18:00", "percentagePointsPaint": paint, "percentagePointsMidrange2pt": mid,
            "percentagePoints3pt": 0.25, "percentagePointsFreeThrow": 0.0, "percentagePoints2pt": 0.75,
        }  # fmt: skip
        own = changes if (team, slot) == (game.home, 0) else {}
        return {"personId": player(team, slot)[0], "statistics": shares | own}

    sides = {"homeTeam": game.home, "awayTeam": game.away}
    return {
        "boxScoreScoring": {
            "gameId": game.game_id,
            **{side: {"players": [person(t, s) for s in range(PLAYERS_PER_TEAM)]} for side, t in sides.items()},
        }
    }


def scoring_path(game: Game, suffix: str = "") -> str:
    return f"nba_stats/boxscorescoringv3/{SEASON}/{game.day}-{game.game_id}{suffix}.json.gz"


def log_path(day: date, suffix: str = "") -> str:
    return f"nba_stats/leaguegamelog/{SEASON}/{day}-regular-season{suffix}.json.gz"


def log(day: date, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A game log as the API sends it."""
    return payloads.game_log(SEASON, "Regular Season", day, rows)


def land_log(zone: LandingZone, day: date, rows: list[dict[str, Any]], suffix: str = "") -> None:
    zone.land(log_path(day, suffix), log(day, rows))


def land(
    zone: LandingZone, days: int = 30, odds_from: int = 10, asked: Sequence[str] = ("points",), first: date = FIRST
) -> list[Game]:
    """Land the whole league: schedule, box scores and shot zones of every game, odds at noon, an hour before, in-play."""
    all_games = games(days, first)
    zone.land(f"nba_stats/scheduleleaguev2/{SEASON}.json.gz", schedule(all_games, first + timedelta(days)))
    by_day: dict[date, list[Game]] = {}
    for g in all_games:
        by_day.setdefault(g.day, []).append(g)
    for day, today in by_day.items():
        land_log(zone, day, [r for g in today for r in log_rows(g)])
        for g in today:
            zone.land(scoring_path(g), scoring(g))
        if day < first + timedelta(odds_from):
            continue
        for g in today:
            for minutes, shift in ((420, -1.0), (30, 0.0), (-30, 8.0)):
                zone.land(*capture(g, minutes, shift, asked=asked))
    return all_games
