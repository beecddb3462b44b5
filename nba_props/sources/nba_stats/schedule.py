"""scheduleleaguev2: which games a season has, and when they begin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from nba_props.facts.calendar import FINAL, game_date_of, is_undecided, season_of
from nba_props.facts.teams import is_team
from nba_props.schemas import raw as tables
from nba_props.sources.nba_stats.common import SOURCE, season_type
from nba_props.sources.nba_stats.landed import SCHEDULE_FOLDER, schedules_near
from nba_props.sources.rejects import POSITION, Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingError, LandingZone, Payload, PayloadError, limited

_SEASON = re.compile(r"20\d\d-\d\d", re.ASCII)
#: a game that begins after midnight is on the day after the stated one
_PAST_MIDNIGHT = timedelta(1)
#: more points than a team has scored in a game: the record is 186
_MOST_SCORED = 250


def read_schedule(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The games of the given dates, from each season's newest schedule that can be read.

    Raises:
        LandingError: a season of the dates has no schedule that can be read, so it is unknown whether games are
            missing.
    """
    landed: dict[str, list[Payload]] = {}
    for payload in zone.list(SCHEDULE_FOLDER):  # the newest capture comes last
        landed.setdefault(payload.subject, []).append(payload)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for season in sorted({season_of(d) for d in days}):
        first = min(d for d in days if season_of(d) == season)
        if season not in landed:
            raise LandingError(
                f"the landing zone {zone.root} has no schedule of the season {season}: "
                f"`nba-props start` fetches those of a first prediction, and `nba-props fetch stats "
                f"{first}` this one, with NBA_PROPS_STATS=on; or set "
                "NBA_PROPS_FIRST_DATE to the first date that is covered"
            )
        games, refused = _newest_schedule(zone, season, landed[season], first)
        rows += games
        rejects += refused
    wanted = set(days)
    frame = pd.DataFrame([r for r in rows if r["game_date"] in wanted])
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(SOURCE))
    kept = [r for r in rejects if r.game_date is None or r.game_date in wanted]
    return Parsed.of(tables.SCHEDULE, frame, kept)


def _newest_schedule(
    zone: LandingZone, season: str, payloads: Sequence[Payload], day: date
) -> tuple[list[dict[str, Any]], list[Reject]]:
    """The games of the newest payload that can be read; newer ones that can't are held back under ``day``."""
    unreadable: list[Reject] = []
    for payload in reversed(payloads):
        try:
            games, refused = parse_schedule(zone.load(payload), payload)
        except PayloadError as error:
            unreadable.append(Reject.of(payload, error, day))
            continue
        return games, [*unreadable, *refused]
    newest = unreadable[0]
    raise LandingError(
        f"the schedule of the season {season} can't be read ({newest.reason}): {newest.detail}. "
        "Land it again under a newer capture instant"
    )


def read_departed(zone: LandingZone, days: Sequence[date], schedule: pd.DataFrame) -> pd.DataFrame:
    """Rows of games that were scheduled on a date while it could be predicted and have left its ``schedule``.

    They are read from captures alone, so that a backfill finds what was known on the day. The newest of a game's
    captures counts.
    """
    here = set(zip(pd.to_datetime(schedule["game_date"]).dt.date, schedule["game_id"], strict=True))
    asked: dict[Payload, set[date]] = {}
    for day, payloads in schedules_near(zone, days).items():
        for payload in payloads:
            asked.setdefault(payload, set()).add(day)
    rows: dict[tuple[date, str], dict[str, Any]] = {}
    for payload in sorted(asked, key=lambda p: p.order):
        try:
            games, _ = parse_schedule(zone.load(payload), payload)
        except PayloadError:
            continue  # read_schedule holds it back
        rows |= {(g["game_date"], g["game_id"]): g for g in games if g["game_date"] in asked[payload]}
    frame = pd.DataFrame([g for key, g in rows.items() if key not in here])
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(SOURCE))
    return Parsed.of(tables.SCHEDULE, frame, []).frame


def parse_schedule(content: Any, payload: Payload) -> tuple[list[dict[str, Any]], list[Reject]]:
    """A season's games and the entries held back.

    An invalid field that may be null is stored as null, and held back by itself.

    Raises:
        PayloadError: WRONG_SHAPE, or WRONG_SEASON where it is the schedule of another season.
    """
    try:
        schedule = fields.record(content, "leagueSchedule")
        stated = fields.text(schedule, "seasonYear")
        groups = schedule.get("gameDates")
        if not isinstance(groups, list):
            raise FieldError("gameDates", groups, "not a list")
    except FieldError as error:
        raise PayloadError("WRONG_SHAPE", f"{payload.path} is not a leagueSchedule payload: {error}") from error
    if stated != payload.subject or not _SEASON.fullmatch(stated):
        raise PayloadError("WRONG_SEASON", f"{payload.path}: seasonYear is {fields.shown(stated)}")
    lists = [g["games"] for g in groups if isinstance(g, dict) and isinstance(g.get("games"), list)]
    limited([*groups, *(game for games in lists for game in games)], payload, "dates and games")
    season = _Season(payload, stated, _codes(lists))
    for g, group in enumerate(groups):
        season.add_date(group, g)
    return season.rows, season.rejects


class _Season:
    """The games of a season's schedule, and the entries held back."""

    def __init__(self, payload: Payload, season: str, codes: Mapping[Any, str]) -> None:
        self._payload, self._season, self._codes = payload, season, codes
        self._seen: set[str] = set()
        self._games = 0
        self.rows: list[dict[str, Any]] = []
        self.rejects: list[Reject] = []

    def _reject(self, place: str, reason: str, detail: Any, raw: Any, day: date | None) -> None:
        path = self._payload.path
        self.rejects.append(Reject(path, place, reason, f"{path}: {detail}", raw, day))

    def add_date(self, group: Any, number: int) -> None:
        """Read the games that are listed under a date."""
        games = group.get("games") if isinstance(group, dict) else None
        if not isinstance(games, list):
            place = f"gameDates[{number}]"
            self._reject(place, "WRONG_SHAPE", f"{place} has no list of games", group, _group_day(group))
            return
        for game in games:
            self._add_game(game, group, f"games[{self._games}]")
            self._games += 1

    def _add_game(self, game: Any, group: Any, place: str) -> None:
        day = _group_day(group)
        day = day if _is_in(self._season, day) else None  # without a date of its own every date holds it back
        try:
            if not isinstance(game, dict):
                raise FieldError("the game", game, "not an object")
            own, tipoff_at, far = _when(game, group)
            if not _is_in(self._season, own):
                raise PayloadError("BAD_TIME", f"the game is on {own}, not in the season {self._season}")
            day = own
            row, wrong = _game(game, self._season, self._codes)
            wrong += [far] if far else []
            if row["game_id"] in self._seen:
                raise PayloadError("DUPLICATE_GAME", f"game {row['game_id']} is in the schedule twice")
        except PayloadError as error:
            self._reject(place, error.reason, error.detail, game, day)
        except FieldError as error:
            self._reject(place, "BAD_GAME", error, game, day)
        else:
            self._seen.add(row["game_id"])
            when = {"game_date": own, "tipoff_at": tipoff_at, "payload": self._payload.path}
            self.rows.append({**row, **when, POSITION: place})
            for field in wrong:
                self._reject(place, "BAD_FIELD", f"{field}; stored as null", game, day)


def _codes(lists: Sequence[Sequence[Any]]) -> dict[Any, str]:
    """The code that each team's id has in most entries of a schedule."""
    games = (g for games in lists for g in games if isinstance(g, dict))
    teams = (team for g in games for team in (g.get("homeTeam"), g.get("awayTeam")) if isinstance(team, dict))
    pairs = ((team.get("teamId"), team.get("teamTricode")) for team in teams)
    counts = Counter((i, code) for i, code in pairs if isinstance(i, int) and isinstance(code, str))
    return {team_id: code for (team_id, code), _ in reversed(counts.most_common())}


def _group_day(group: Any) -> date | None:
    """The date that a group of games is under: "10/21/2025 00:00:00"."""
    found = str(group.get("gameDate"))[:10] if isinstance(group, dict) else ""
    return fields.date_in(f"{found[6:]}-{found[:2]}-{found[3:5]}")


def _when(game: dict[str, Any], group: Any) -> tuple[date, datetime | None, FieldError | None]:
    """A game's Eastern date, its scheduled start, and what is wrong with the start.

    There is no start, and the stated date counts, if it is to be decided, which the league writes as midnight Eastern
    or TBD; if it is not an instant; and if it is far from both stated dates.

    Raises:
        FieldError: there is no date, or two different ones.
    """
    stated = [d for d in (fields.date_in(str(game.get("gameDateEst"))), _group_day(group)) if d]
    wrong = None
    try:
        tipoff_at = _tipoff(game)
        if tipoff_at:
            day = game_date_of(tipoff_at)
            if not stated or min(abs(day - d) for d in stated) <= _PAST_MIDNIGHT:
                return day, tipoff_at, None
            wrong = FieldError("gameDateTimeUTC", game["gameDateTimeUTC"], f"far from the stated {stated[0]}")
    except FieldError as error:
        wrong = error
    day = fields.day(game, "gameDateEst")
    if max(abs(day - d) for d in stated) > _PAST_MIDNIGHT:
        raise FieldError("gameDateEst", game["gameDateEst"], f"but it is listed under {stated[-1]}")
    return day, None, wrong


def _tipoff(game: dict[str, Any]) -> datetime | None:
    found = fields.optional_instant(game, "gameDateTimeUTC")
    if found is None or is_undecided(found) or str(game.get("gameStatusText")).strip().upper() == "TBD":
        return None
    return found


def _is_in(season: str, day: date | None) -> bool:
    """Whether a date can be one of a season's; one season lasted until October."""
    return day is not None and 0 <= day.year - int(season[:4]) <= 1


def _game(game: dict[str, Any], season: str, codes: Mapping[Any, str]) -> tuple[dict[str, Any], list[FieldError]]:
    """One game without its time, and the errors of fields that are null for it."""
    wrong: list[FieldError] = []

    def nullable(read: Callable[..., Any], *asked: Any) -> Any:
        try:
            return read(*asked)
        except FieldError as error:
            wrong.append(error)
            return None

    game_id = fields.text(game, "gameId")
    if not fields.is_game_id(game_id):
        raise PayloadError("BAD_GAME_ID", f"gameId is {fields.shown(game_id)}, not an NBA game id")
    kind = season_type(game_id)
    if kind is None:
        raise PayloadError("BAD_GAME_ID", f"gameId is {fields.shown(game_id)}, of no season type")
    if game_id[3:5] != season[2:4]:
        raise PayloadError("BAD_GAME_ID", f"gameId is {fields.shown(game_id)}, not of the season {season}")
    status = fields.whole(game, "gameStatus", 1, 3)
    row: dict[str, Any] = {
        "game_id": game_id,
        "season": season,
        "season_type": kind,
        "status": status,
        "is_postponed": game.get("postponedStatus") == "P",
        "is_neutral": nullable(fields.optional_flag, game, "isNeutral"),
        "arena": nullable(fields.optional_name, game, "arenaName"),
    }
    for side in ("home", "away"):
        team = fields.record(game, f"{side}Team")
        team_id, code = fields.optional_whole(team, "teamId"), fields.optional_name(team, "teamTricode")
        if not team_id or not code:
            raise PayloadError("TEAM_TO_BE_DECIDED", f"game {game_id} has no {side} team yet")
        if not is_team(team_id, code) or codes.get(team_id, code) != code:
            raise PayloadError(
                "UNKNOWN_TEAM", f"game {game_id}: {fields.shown(code)} is not the code of team {team_id}"
            )
        city, name = fields.optional_name(team, "teamCity"), fields.name(team, "teamName")
        row[f"{side}_team_id"] = team_id
        row[f"{side}_team"] = code
        row[f"{side}_team_name"] = f"{city} {name}" if city else name
        row[f"{side}_score"] = (
            nullable(fields.optional_whole, team, "score", 0, _MOST_SCORED) if status == FINAL else None
        )
    if row["home_team_id"] == row["away_team_id"]:
        raise PayloadError("CONTRADICTORY_ROW", f"game {game_id} has team {row['home_team_id']} both at home and away")
    return row, wrong
