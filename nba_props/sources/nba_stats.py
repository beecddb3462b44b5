"""stats.nba.com payloads: leaguegamelog, scheduleleaguev2 and commonallplayers; always by field name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from nba_props.domain.calendar import game_date_of, parse_instant, season_of, season_type_of
from nba_props.domain.names import player_lookup
from nba_props.sources.landing import LandingError, LandingZone, Payload, PayloadError
from nba_props.sources.rejects import Reject

FEED = "NBA_STATS"


@dataclass
class Parsed:
    """Rows of the requested dates, what was held back, and remarks for the materialization."""

    frame: pd.DataFrame
    rejects: list[Reject] = field(default_factory=list)
    remarks: dict[str, Any] = field(default_factory=dict)


# -- box scores -------------------------------------------------------------------------------------------------------

#: column of the payload -> column of nba_raw.box_scores, for the whole numbers that must be there and not negative
_COUNTS = {
    "MIN": "minutes",
    "FGM": "fgm",
    "FGA": "fga",
    "FG3M": "fg3m",
    "FG3A": "fg3a",
    "FTM": "ftm",
    "FTA": "fta",
    "OREB": "oreb",
    "DREB": "dreb",
    "AST": "ast",
    "STL": "stl",
    "BLK": "blk",
    "TOV": "tov",
    "PF": "pf",
    "PTS": "points",
}
_NEEDED = (
    "SEASON_ID",
    "PLAYER_ID",
    "PLAYER_NAME",
    "TEAM_ID",
    "TEAM_ABBREVIATION",
    "GAME_ID",
    "GAME_DATE",
    "MATCHUP",
    "WL",
)
_REQUIRED = (*_NEEDED, *_COUNTS, "PLUS_MINUS")
#: known columns that no table needs
_IGNORED = {"TEAM_NAME", "FG_PCT", "FG3_PCT", "FT_PCT", "REB", "FANTASY_PTS", "VIDEO_AVAILABLE"}


def gamelog_folder(season: str) -> str:
    """The landing folder of a season's game logs."""
    return f"nba_stats/leaguegamelog/{season}"


def _seasons(first: date, last: date) -> list[str]:
    """The seasons that the years of a span touch."""
    return sorted({season_of(date(year, month, 1)) for year in range(first.year, last.year + 1) for month in (1, 12)})


def landed_box_score_days(zone: LandingZone, first: date, last: date) -> list[date]:
    """The dates in first..last for which a game log was landed."""
    found = {p.subject[:10] for season in _seasons(first, last) for p in zone.list(gamelog_folder(season))}
    return sorted(d for d in map(date.fromisoformat, found) if first <= d <= last)


def landed_at(folder: Callable[[str], str], zone: LandingZone, days: Sequence[date]) -> dict[date, datetime]:
    """When the newest payload of each date was landed in a season's folder whose names begin with the date."""
    found: dict[date, datetime] = {}
    wanted = {d.isoformat(): d for d in days}
    for season in sorted({season_of(d) for d in days}):
        for name, stamp in zone.landed_at(folder(season)).items():
            day = wanted.get(name[:10])
            if day:
                found[day] = max(stamp, found.get(day, stamp))
    return found


def landed_roster_days(zone: LandingZone, first: date, last: date) -> list[date]:
    """The dates in first..last on which a roster was captured."""
    captures = [p.captured_at for season in _seasons(first, last) for p in zone.list(roster_folder(season))]
    return sorted({d for d in (game_date_of(c) for c in captures if c) if first <= d <= last})


def read_box_scores(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The box scores of the given dates; where a game was landed more than once, its newest capture counts."""
    wanted = {d.isoformat() for d in days}
    logs: list[pd.DataFrame] = []
    rejects: list[Reject] = []
    unknown: set[str] = set()
    for season in sorted({season_of(d) for d in days}):
        landed = zone.list(gamelog_folder(season))
        for payload in zone.ahead([p for p in landed if p.subject[:10] in wanted]):
            day = payload.subject[:10]
            try:
                log, refused, extra = read_game_log(zone.load(payload), payload, date.fromisoformat(day))
            except PayloadError as error:
                rejects.append(
                    Reject(payload.path, None, error.reason, error.detail, game_date=date.fromisoformat(day))
                )
                continue
            logs.append(log)
            rejects += refused
            unknown |= extra
    remarks: dict[str, Any] = {"unknown_columns": sorted(unknown)}
    if not logs:
        return Parsed(pd.DataFrame(), rejects, remarks)
    frame, refused = type_box_scores(pd.concat(logs, ignore_index=True))
    newest = frame.groupby("game_id")["payload_order"].transform("max")
    superseded = frame["payload_order"] < newest
    kept = frame[~superseded].drop(columns="payload_order").assign(data_source=zone.data_source(FEED))
    remarks["superseded_rows"] = int(superseded.sum())
    return Parsed(kept.reset_index(drop=True), rejects + refused, remarks)


def read_game_log(content: Any, payload: Payload, day: date) -> tuple[pd.DataFrame, list[Reject], set[str]]:
    """One payload's rows as delivered, with their place; rows of the wrong length; and columns nobody knows.

    Raises:
        PayloadError: WRONG_SHAPE, MISSING_COLUMN or EMPTY_PAYLOAD.
    """
    headers, row_set = _result_set(content, "LeagueGameLog", payload)
    missing = [c for c in _REQUIRED if c not in headers]
    if missing:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} has no column {', '.join(missing)}")
    whole = [isinstance(row, list) and len(row) == len(headers) for row in row_set]
    rejects = [
        Reject(payload.path, f"rowSet[{i}]", "WRONG_SHAPE", f"the row does not have {len(headers)} values", row, day)
        for i, (row, ok) in enumerate(zip(row_set, whole, strict=True))
        if not ok
    ]
    positions = [i for i, ok in enumerate(whole) if ok]
    if not positions:
        raise PayloadError("EMPTY_PAYLOAD", f"{payload.path} has no usable rows")
    log = pd.DataFrame([row_set[i] for i in positions], columns=headers, dtype=object)[list(_REQUIRED)]
    log = log.assign(
        payload=payload.path, payload_order="-".join(payload.order), position=positions, day=day.isoformat()
    )
    return log, rejects, set(headers) - set(_REQUIRED) - _IGNORED


def type_box_scores(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """Typed rows of ``nba_raw.box_scores`` (with ``payload_order``), and the rows held back with their reason."""
    numbers = {c: pd.to_numeric(raw[c], errors="coerce") for c in (*_COUNTS, "PLAYER_ID", "TEAM_ID")}
    game_id = raw["GAME_ID"].astype(str).str.strip()
    season_type = game_id.map({g: _season_type(g) for g in game_id.unique()})
    matchup = raw["MATCHUP"].astype(str).str.extract(r"^(?P<team>[A-Z]{3}) (?P<where>vs\.|@) (?P<opponent>[A-Z]{3})$")
    season_year = pd.to_numeric(raw["SEASON_ID"].astype(str).str[1:], errors="coerce")

    problems: list[tuple[pd.Series, str, str]] = []
    for column, values in numbers.items():
        problems.append((values.isna() | (values % 1 != 0), "BAD_NUMBER", f"{column} is missing or not a whole number"))
        problems.append((values < 0, "NEGATIVE_NUMBER", f"{column} is negative"))
    problems += [
        (raw["PLAYER_NAME"].isna() | raw["TEAM_ABBREVIATION"].isna(), "MISSING_NAME", "player or team has no name"),
        (~game_id.str.fullmatch(r"\d{10}") | season_type.isna(), "BAD_GAME_ID", "GAME_ID is not an NBA game id"),
        (raw["GAME_DATE"].astype(str).str[:10] != raw["day"], "WRONG_DAY", "GAME_DATE is not the payload's date"),
        (matchup["opponent"].isna(), "BAD_MATCHUP", "MATCHUP is not 'AAA vs. BBB' or 'AAA @ BBB'"),
        (season_year.isna(), "BAD_SEASON", "SEASON_ID is not a digit and a year"),
    ]
    key = ["payload", "GAME_ID", "PLAYER_ID"]
    repeated = raw.astype(dict.fromkeys(_REQUIRED, str)).duplicated([*_REQUIRED, "payload"])
    problems.append((repeated, "DUPLICATE_ROW", "the same row stands in the payload already"))
    clashing = raw[~repeated].duplicated(key, keep=False).reindex(raw.index, fill_value=False)
    problems.append((clashing, "CONFLICTING_ROWS", "two different rows for one player and game: neither is used"))

    bad = pd.Series(False, index=raw.index)
    rejects: list[Reject] = []
    for mask, reason, detail in problems:
        for row in raw[mask & ~bad].to_dict("records"):
            delivered = {c: row[c] for c in _REQUIRED}
            place, day = f"rowSet[{row['position']}]", date.fromisoformat(row["day"])
            rejects.append(Reject(row["payload"], place, reason, detail, delivered, day))
        bad |= mask

    seasons = {y: f"{int(y)}-{(int(y) + 1) % 100:02d}" for y in season_year.dropna().unique()}
    frame = pd.DataFrame(
        {
            "game_date": pd.to_datetime(raw["day"]),
            "game_id": game_id,
            "player_id": numbers["PLAYER_ID"],
            "player_name": raw["PLAYER_NAME"],
            "player_lookup": raw["PLAYER_NAME"].map(player_lookup, na_action="ignore"),
            "season": season_year.map(seasons),
            "season_type": season_type,
            "team_id": numbers["TEAM_ID"],
            "team": raw["TEAM_ABBREVIATION"],
            "opponent": matchup["opponent"],
            "is_home": matchup["where"] == "vs.",
            "won": raw["WL"].map({"W": True, "L": False}).astype("boolean"),
            **{name: numbers[column] for column, name in _COUNTS.items()},
            "plus_minus": pd.to_numeric(raw["PLUS_MINUS"], errors="coerce").round().astype("Int64"),
            "payload": raw["payload"],
            "payload_order": raw["payload_order"],
        }
    )
    return frame[~bad].reset_index(drop=True), rejects


def _season_type(game_id: str) -> str | None:
    try:
        return season_type_of(game_id)
    except KeyError:
        return None


def _result_set(content: Any, name: str, payload: Payload) -> tuple[list[str], list[Any]]:
    sets = content.get("resultSets") if isinstance(content, dict) else None
    for one in sets if isinstance(sets, list) else []:
        if isinstance(one, dict) and one.get("name") == name:
            headers, rows = one.get("headers"), one.get("rowSet")
            if isinstance(headers, list) and isinstance(rows, list):
                return headers, rows
    raise PayloadError("WRONG_SHAPE", f"{payload.path} has no result set {name} with headers and rowSet")


# -- schedule ---------------------------------------------------------------------------------------------------------

SCHEDULE_FOLDER = "nba_stats/scheduleleaguev2"


def read_schedule(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The games of the given dates, from the newest capture of each season's schedule.

    Raises:
        LandingError: a season of the dates has no schedule payload: nobody can say whether games are missing.
    """
    landed: dict[str, Payload] = {p.subject: p for p in zone.list(SCHEDULE_FOLDER)}  # the newest capture comes last
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for season in sorted({season_of(d) for d in days}):
        if season not in landed:
            raise LandingError(
                f"the landing zone {zone.root} has no schedule of the season {season}: "
                f"land {SCHEDULE_FOLDER}/{season}.json.gz, or set NBA_PROPS_FIRST_DATE to the first date it covers"
            )
        payload = landed[season]
        try:
            games, refused = parse_schedule(zone.load(payload), payload)
        except PayloadError as error:
            raise LandingError(
                f"the schedule of the season {season} can't be read ({error.reason}): {error.detail}. "
                "Land it again under a newer capture instant"
            ) from error
        rows += games
        rejects += refused
    wanted = set(days)
    frame = pd.DataFrame([r for r in rows if r["game_date"] in wanted])
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(FEED))
    kept = [r for r in rejects if r.game_date is None or r.game_date in wanted]
    return Parsed(frame, kept)


def parse_schedule(content: Any, payload: Payload) -> tuple[list[dict[str, Any]], list[Reject]]:
    """A season's games and the entries held back.

    Raises:
        PayloadError: WRONG_SHAPE.
    """
    try:
        schedule = content["leagueSchedule"]
        season, groups = str(schedule["seasonYear"]), schedule["gameDates"]
        entries = [(group.get("gameDate"), game) for group in groups for game in group["games"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise PayloadError("WRONG_SHAPE", f"{payload.path} is no leagueSchedule: {error!r}") from error
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    for i, (_, game) in enumerate(entries):
        day = None
        try:
            row = _game(game, season, payload)
            day = row["game_date"]
            if row["game_id"] in seen:
                raise PayloadError("DUPLICATE_GAME", f"game {row['game_id']} stands in the schedule twice")
            seen.add(row["game_id"])
            rows.append(row)
        except PayloadError as error:
            rejects.append(Reject(payload.path, f"games[{i}]", error.reason, error.detail, game, game_date=day))
        except (KeyError, TypeError, ValueError) as error:
            rejects.append(Reject(payload.path, f"games[{i}]", "BAD_GAME", f"{type(error).__name__}: {error}", game))
    return rows, rejects


def _game(game: dict[str, Any], season: str, payload: Payload) -> dict[str, Any]:
    game_id = str(game["gameId"])
    if len(game_id) != 10 or not game_id.isdigit():
        raise PayloadError("BAD_GAME_ID", f"{game_id!r} is not an NBA game id")
    tipoff_at = parse_instant(game["gameDateTimeUTC"]) if game.get("gameDateTimeUTC") else None
    final = int(game["gameStatus"]) == 3
    row: dict[str, Any] = {
        "game_date": game_date_of(tipoff_at) if tipoff_at else date.fromisoformat(str(game["gameDateEst"])[:10]),
        "game_id": game_id,
        "season": season,
        "season_type": season_type_of(game_id),
        "tipoff_at": tipoff_at,
        "status": int(game["gameStatus"]),
        "is_postponed": game.get("postponedStatus") == "P",
        "is_neutral": bool(game.get("isNeutral")),
        "arena": game.get("arenaName"),
        "payload": payload.path,
    }
    for side in ("home", "away"):
        team = game[f"{side}Team"]
        if int(team["teamId"]) <= 0 or not team["teamTricode"]:
            raise PayloadError("TEAM_TO_BE_DECIDED", f"game {game_id} has no {side} team yet")
        row[f"{side}_team_id"] = int(team["teamId"])
        row[f"{side}_team"] = str(team["teamTricode"])
        row[f"{side}_team_name"] = f"{team['teamCity']} {team['teamName']}".strip()
        row[f"{side}_score"] = int(team["score"]) if final and team.get("score") is not None else None
    return row


# -- rosters ----------------------------------------------------------------------------------------------------------


def roster_folder(season: str) -> str:
    """The landing folder of a season's roster payloads."""
    return f"nba_stats/commonallplayers/{season}"


def read_rosters(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """Team membership in the roster payloads captured on the given dates."""
    wanted = set(days)
    frames: list[pd.DataFrame] = []
    rejects: list[Reject] = []
    for season in sorted({season_of(d) for d in days}):
        for payload in zone.list(roster_folder(season)):
            captured_at = payload.captured_at
            if captured_at is None:
                rejects.append(
                    Reject(payload.path, None, "NO_SNAPSHOT_TIME", "a roster's name needs its capture instant")
                )
                continue
            day = game_date_of(captured_at)
            if day not in wanted:
                continue
            try:
                frames.append(
                    _roster(zone.load(payload), payload).assign(game_date=pd.Timestamp(day), captured_at=captured_at)
                )
            except PayloadError as error:
                rejects.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
    if not frames:
        return Parsed(pd.DataFrame(), rejects)
    frame = pd.concat(frames, ignore_index=True).assign(data_source=zone.data_source(FEED))
    return Parsed(frame.drop_duplicates(["player_id", "captured_at"]), rejects)


def _roster(content: Any, payload: Payload) -> pd.DataFrame:
    headers, row_set = _result_set(content, "CommonAllPlayers", payload)
    needed = {
        "PERSON_ID": "player_id",
        "DISPLAY_FIRST_LAST": "player_name",
        "TEAM_ID": "team_id",
        "TEAM_ABBREVIATION": "team",
    }
    missing = [c for c in needed if c not in headers]
    if missing:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} has no column {', '.join(missing)}")
    raw = pd.DataFrame(row_set, columns=headers)[list(needed)].rename(columns=needed)
    rostered = raw[pd.to_numeric(raw["team_id"], errors="coerce").fillna(0) > 0].reset_index(drop=True)
    return rostered.assign(player_lookup=[player_lookup(n) for n in rostered["player_name"]], payload=payload.path)


# -- scoring shares ---------------------------------------------------------------------------------------------------

_SHARES = {
    "percentagePointsPaint": "points_paint",
    "percentagePointsMidrange2pt": "points_mid_range",
    "percentagePoints3pt": "points_three",
    "percentagePointsFreeThrow": "points_free_throw",
}


def scoring_folder(season: str) -> str:
    """The landing folder of a season's boxscorescoringv3 payloads."""
    return f"nba_stats/boxscorescoringv3/{season}"


def read_scoring(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """Where players' points came from in the games of the given dates; the newest capture of a game counts."""
    wanted = {d.isoformat() for d in days}
    newest: dict[str, Payload] = {}
    for season in sorted({season_of(d) for d in days}):
        newest |= {p.subject: p for p in zone.list(scoring_folder(season)) if p.subject[:10] in wanted}
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for payload in zone.ahead(list(newest.values())):
        day = date.fromisoformat(payload.subject[:10])
        try:
            mine, refused = parse_scoring(zone.load(payload), payload, day)
        except PayloadError as error:
            rejects.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
            continue
        rows += mine
        rejects += refused
    frame = pd.DataFrame(rows)
    return Parsed(frame.assign(data_source=zone.data_source(FEED)) if len(frame) else frame, rejects)


def parse_scoring(content: Any, payload: Payload, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Rows of one boxscorescoringv3 payload; a player without minutes has none.

    Raises:
        PayloadError: it has not the shape of that endpoint.
    """
    try:
        game = content["boxScoreScoring"]
        game_id = str(game["gameId"])
        players = [(side, p) for side in ("homeTeam", "awayTeam") for p in game[side]["players"]]
    except (KeyError, TypeError) as error:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} is no boxscorescoringv3 payload: {error}") from error
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for n, (side, player) in enumerate(players):
        try:
            statistics = player["statistics"]
            if not statistics["minutes"]:
                continue
            shares = {name: float(statistics[key]) for key, name in _SHARES.items()}
            player_id = int(player["personId"])
        except (KeyError, TypeError, ValueError) as error:
            detail = f"player {n} of {side} lacks {error}"
            rejects.append(Reject(payload.path, f"{side}/{n}", "MALFORMED_ROW", detail, player, game_date=day))
            continue
        wrong = {k: v for k, v in shares.items() if not 0 <= v <= 1}
        if wrong:
            detail = f"player {player_id}: {wrong} is no share"
            rejects.append(Reject(payload.path, f"{side}/{n}", "OUT_OF_RANGE", detail, player, game_date=day))
            continue
        rows.append(
            {
                "game_date": pd.Timestamp(day),
                "game_id": game_id,
                "player_id": player_id,
                **shares,
                "payload": payload.path,
            }
        )
    return rows, rejects
