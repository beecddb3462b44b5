"""stats.nba.com payloads: leaguegamelog, scheduleleaguev2 and commonallplayers; always by field name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from nba_props.domain.calendar import EASTERN, game_date_of, is_undecided, season_of, season_type_of
from nba_props.domain.names import player_lookup
from nba_props.domain.results import adds_up
from nba_props.schemas import raw as tables
from nba_props.sources import fields
from nba_props.sources.fields import FieldError
from nba_props.sources.landing import LandingError, LandingZone, Payload, PayloadError
from nba_props.sources.rejects import POSITION, Parsed, Reject

FEED = "NBA_STATS"


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
    found = {fields.date_in(p.subject) for season in _seasons(first, last) for p in zone.list(gamelog_folder(season))}
    return sorted(d for d in found if d and first <= d <= last)


def landed_roster_days(zone: LandingZone, first: date, last: date) -> list[date]:
    """The dates in first..last on which a roster was captured."""
    captures = [p.captured_at for season in _seasons(first, last) for p in zone.list(roster_folder(season))]
    return sorted({d for d in (game_date_of(c) for c in captures if c) if first <= d <= last})


def read_box_scores(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The box scores of the given dates; of a game's captures the newest of a whole game counts, else the newest."""
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
    if not logs:
        return Parsed.of(tables.BOX_SCORES, pd.DataFrame(), rejects, unknown_columns=sorted(unknown))
    frame, refused = type_box_scores(pd.concat(logs, ignore_index=True))
    superseded = frame["payload_order"] != _counting_capture(frame)
    kept = frame[~superseded].drop(columns="payload_order").assign(data_source=zone.data_source(FEED))
    return Parsed.of(
        tables.BOX_SCORES,
        kept.reset_index(drop=True),
        rejects + refused,
        unknown_columns=sorted(unknown),
        superseded_rows=int(superseded.sum()),
    )


def _counting_capture(frame: pd.DataFrame) -> pd.Series:
    """For each row which capture of its game counts: one in part, or of half-time, takes no whole one's place."""
    newest = frame.groupby("game_id")["payload_order"].transform("max")
    if frame["payload_order"].eq(newest).all():
        return newest
    whole = adds_up(frame, by=["game_id", "payload_order"]).rename("whole").reset_index()
    of_game = whole[whole["whole"]].groupby("game_id")["payload_order"].max()
    return frame["game_id"].map(of_game).fillna(newest)


def read_game_log(content: Any, payload: Payload, day: date) -> tuple[pd.DataFrame, list[Reject], set[str]]:
    """One payload's rows as delivered, with their place; rows of the wrong length; and columns nobody knows.

    Raises:
        PayloadError: WRONG_SHAPE, MISSING_COLUMN or EMPTY_PAYLOAD.
    """
    headers, row_set = _result_set(content, "LeagueGameLog", payload)
    missing = [c for c in _REQUIRED if c not in headers]
    if missing:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} has no column {', '.join(missing)}")
    at = [headers.index(c) for c in _REQUIRED]  # a name that is there twice means its first column
    whole = [isinstance(row, list) and len(row) == len(headers) for row in row_set]
    rejects = [
        Reject(
            payload.path,
            f"rowSet[{i}]",
            "WRONG_SHAPE",
            f"{payload.path}: the row does not have {len(headers)} values",
            row,
            day,
        )
        for i, (row, ok) in enumerate(zip(row_set, whole, strict=True))
        if not ok
    ]
    positions = [i for i, ok in enumerate(whole) if ok]
    if not positions:
        raise PayloadError("EMPTY_PAYLOAD", f"{payload.path} has no usable rows")
    rows = [[row_set[i][a] for a in at] for i in positions]
    log = pd.DataFrame(rows, columns=list(_REQUIRED), dtype=object)
    log = log.assign(
        payload=payload.path, payload_order="-".join(payload.order), position=positions, day=day.isoformat()
    )
    return log, rejects, set(map(str, headers)) - set(_REQUIRED) - _IGNORED


def type_box_scores(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """Typed rows of ``nba_raw.box_scores`` (with ``payload_order``), and the rows held back with their reason."""
    numbers = {c: _numbers(raw[c]) for c in (*_COUNTS, "PLAYER_ID", "TEAM_ID")}
    names = {c: _words(raw[c]) for c in ("PLAYER_NAME", "TEAM_ABBREVIATION", "MATCHUP", "GAME_ID", "SEASON_ID", "WL")}
    game_id = names["GAME_ID"].where(names["GAME_ID"].map(fields.is_game_id))
    season_type = game_id.map({g: _season_type(g) for g in game_id.dropna().unique()})
    matchup = names["MATCHUP"].str.extract(r"^(?P<team>[A-Z]{3}) (?P<where>vs\.|@) (?P<opponent>[A-Z]{3})$")
    season_year = pd.to_numeric(names["SEASON_ID"].str.extract(r"^\d((?:19|20)\d\d)$")[0], errors="coerce")

    problems: list[tuple[pd.Series, str, str, str]] = []
    for column, values in numbers.items():
        problems.append((values.isna() | (values % 1 != 0), "BAD_NUMBER", column, "missing or not a whole number"))
        problems.append((values < 0, "NEGATIVE_NUMBER", column, "negative"))
    problems += [
        (names["PLAYER_NAME"].map(player_lookup, na_action="ignore").fillna("").eq(""), "MISSING_NAME", "PLAYER_NAME",
         "no player's name"),
        (names["TEAM_ABBREVIATION"].isna(), "MISSING_NAME", "TEAM_ABBREVIATION", "no team's"),
        (season_type.isna(), "BAD_GAME_ID", "GAME_ID", "not an NBA game id"),
        (raw["GAME_DATE"].astype(str).str[:10] != raw["day"], "WRONG_DAY", "GAME_DATE", "not the payload's date"),
        (matchup["opponent"].isna(), "BAD_MATCHUP", "MATCHUP", "not 'AAA vs. BBB' or 'AAA @ BBB'"),
        (season_year.isna(), "BAD_SEASON", "SEASON_ID", "not a digit and a year"),
    ]  # fmt: skip
    same = raw[list(_REQUIRED)].astype(str).assign(payload=raw["payload"])  # a list has no hash
    repeated = same.duplicated()
    problems.append((repeated, "DUPLICATE_ROW", "PLAYER_ID", "in the same row of the payload already"))
    key = ["payload", "GAME_ID", "PLAYER_ID"]
    clashing = same[~repeated].duplicated(key, keep=False).reindex(raw.index, fill_value=False)
    problems.append((clashing, "CONFLICTING_ROWS", "PLAYER_ID", "in two different rows of a game: neither is used"))

    bad = pd.Series(False, index=raw.index)
    rejects: list[Reject] = []
    for mask, reason, column, what in problems:
        held = mask & ~bad
        for row in raw[held].to_dict("records") if held.any() else ():
            delivered = {c: row[c] for c in _REQUIRED}
            place, day = f"rowSet[{row['position']}]", date.fromisoformat(row["day"])
            detail = f"{row['payload']}: {column} is {fields.shown(row[column])}, {what}"
            rejects.append(Reject(row["payload"], place, reason, detail, delivered, day))
        bad |= mask

    seasons = {y: f"{int(y)}-{(int(y) + 1) % 100:02d}" for y in season_year.dropna().unique()}
    frame = pd.DataFrame(
        {
            "game_date": pd.to_datetime(raw["day"]),
            "game_id": game_id,
            "player_id": numbers["PLAYER_ID"],
            "player_name": names["PLAYER_NAME"],
            "player_lookup": names["PLAYER_NAME"].map(player_lookup, na_action="ignore"),
            "season": season_year.map(seasons),
            "season_type": season_type,
            "team_id": numbers["TEAM_ID"],
            "team": names["TEAM_ABBREVIATION"],
            "opponent": matchup["opponent"],
            "is_home": matchup["where"] == "vs.",
            "won": names["WL"].map({"W": True, "L": False}).astype("boolean"),
            **{name: numbers[column] for column, name in _COUNTS.items()},
            "plus_minus": _numbers(raw["PLUS_MINUS"]).round().astype("Int64"),
            "payload": raw["payload"],
            "payload_order": raw["payload_order"],
            POSITION: "rowSet[" + raw["position"].astype(str) + "]",
        }
    )
    return frame[~bad].reset_index(drop=True), rejects


def refused_players(quarantined: pd.DataFrame) -> pd.DataFrame:
    """Whose rows ``nba_raw.quarantined_box_scores`` holds: ``game_date, payload, game_id, player_id``.

    Game and player are null where the row does not tell them. A payload that could not be read at all has no rows.
    """
    held = quarantined[quarantined["position"].notna()]
    rows = [_as_record(text) for text in held["raw"]]
    games = [_word(r.get("GAME_ID", r.get("game_id"))) for r in rows]
    numbers = pd.Series(
        [_number(r.get("PLAYER_ID", r.get("player_id"))) for r in rows], index=held.index, dtype="float64"
    )
    return held[["game_date", "payload"]].assign(
        game_id=pd.Series([g if g and fields.is_game_id(g) else None for g in games], index=held.index, dtype=object),
        player_id=numbers.where((numbers % 1 == 0) & (numbers > 0)).astype("Int64"),
    )


def _as_record(text: Any) -> dict[str, Any]:
    """A quarantined row as it was delivered; nothing where it is no object, or was too long to be kept whole."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


#: no count, id or difference of points is larger, and doubles still tell whole numbers apart
_LARGEST = 1e15


def _numbers(values: pd.Series) -> pd.Series:
    """A column of a payload as numbers, null for what is none."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    plain = kind in ("integer", "floating", "mixed-integer-float", "empty")
    try:
        found = pd.to_numeric(values if plain else pd.Series(map(_number, values), index=values.index, dtype="float64"))
    except (OverflowError, ValueError):  # one whole number is too large for any type
        found = pd.Series(map(_number, values), index=values.index, dtype="float64")
    found = found.astype("float64")
    return found.where(found.abs() < _LARGEST)


def _number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return math.nan
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    return float(value) if known else math.nan


def _words(values: pd.Series) -> pd.Series:
    """A column of a payload as text in one line, null for what is none."""
    return values.map(_word).astype(object)


def _word(value: Any) -> str | None:
    try:
        return fields.optional_text({"": value}, "")
    except FieldError:
        return None


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
#: when a payload was captured whose name does not say: before all that do
_EVER = datetime.min.replace(tzinfo=UTC)


def read_schedule(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The games of the given dates, from each season's newest schedule that can be read.

    Raises:
        LandingError: a season of the dates has no schedule payload that can be read: nobody can say whether games are
            missing.
    """
    landed: dict[str, list[Payload]] = {}
    for payload in zone.list(SCHEDULE_FOLDER):  # the newest capture comes last
        landed.setdefault(payload.subject, []).append(payload)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for season in sorted({season_of(d) for d in days}):
        if season not in landed:
            raise LandingError(
                f"the landing zone {zone.root} has no schedule of the season {season}: "
                f"land {SCHEDULE_FOLDER}/{season}.json.gz, or set NBA_PROPS_FIRST_DATE to the first date it covers"
            )
        games, refused = _newest_schedule(zone, season, landed[season], min(d for d in days if season_of(d) == season))
        rows += games
        rejects += refused
    wanted = set(days)
    frame = pd.DataFrame([r for r in rows if r["game_date"] in wanted])
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(FEED))
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
            unreadable.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
            continue
        return games, [*unreadable, *refused]
    newest = unreadable[0]
    raise LandingError(
        f"the schedule of the season {season} can't be read ({newest.reason}): {newest.detail}. "
        "Land it again under a newer capture instant"
    )


def schedules_near(zone: LandingZone, days: Sequence[date]) -> dict[date, list[Payload]]:
    """For each date the schedules that were the newest at some instant of it or of the day before, oldest first.

    Predictions for the date were made from one of them, whatever later ones say.
    """
    landed: dict[str, list[tuple[datetime, Payload]]] = {}
    for payload in zone.list(SCHEDULE_FOLDER):  # the newest capture comes last
        landed.setdefault(payload.subject, []).append((payload.captured_at or _EVER, payload))
    found: dict[date, list[Payload]] = {}
    for day in days:
        start, end = (datetime.combine(day + timedelta(n), time(0), EASTERN) for n in (-1, 1))
        captures = [(at, p) for at, p in landed.get(season_of(day), ()) if at < end]
        before = [p for at, p in captures if at <= start][-1:]
        found[day] = before + [p for at, p in captures if at > start]
    return found


def read_departed(zone: LandingZone, days: Sequence[date], schedule: pd.DataFrame) -> pd.DataFrame:
    """Games that stood on a date when it could be predicted and are not in its ``schedule`` any more, as its rows.

    From captures alone, so that a backfill finds what the day itself knew. The newest of a game's captures counts.
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
            continue  # the schedule's own reading holds it back
        rows |= {(g["game_date"], g["game_id"]): g for g in games if g["game_date"] in asked[payload]}
    frame = pd.DataFrame([g for key, g in rows.items() if key not in here])
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(FEED))
    return Parsed.of(tables.SCHEDULE, frame, []).frame


def parse_schedule(content: Any, payload: Payload) -> tuple[list[dict[str, Any]], list[Reject]]:
    """A season's games and the entries held back.

    A field that is wrong where the table takes null is null, and held back by itself.

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
        raise PayloadError("WRONG_SHAPE", f"{payload.path} is no leagueSchedule: {error}") from error
    if stated != payload.subject:
        raise PayloadError("WRONG_SEASON", f"{payload.path}: seasonYear is {fields.shown(stated)}")
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    n = 0
    for g, group in enumerate(groups):
        games = group.get("games") if isinstance(group, dict) else None
        if not isinstance(games, list):
            detail = f"{payload.path}: gameDates[{g}] has no list of games"
            rejects.append(Reject(payload.path, f"gameDates[{g}]", "WRONG_SHAPE", detail, group, _group_day(group)))
            continue
        for game in games:
            place = f"games[{n}]"
            n += 1
            day = _group_day(group)
            try:
                if not isinstance(game, dict):
                    raise FieldError("the game", game, "not an object")
                day = _game_day(game)
                row, wrong = _game(game, stated, payload)
                if row["game_id"] in seen:
                    raise PayloadError("DUPLICATE_GAME", f"game {row['game_id']} stands in the schedule twice")
            except PayloadError as error:
                detail = f"{payload.path}: {error.detail}"
                rejects.append(Reject(payload.path, place, error.reason, detail, game, game_date=day))
            except FieldError as error:
                rejects.append(Reject(payload.path, place, "BAD_GAME", f"{payload.path}: {error}", game, game_date=day))
            else:
                seen.add(row["game_id"])
                rows.append({**row, POSITION: place})
                rejects += [
                    Reject(payload.path, place, "BAD_FIELD", f"{payload.path}: {w}; null is taken for it", game, day)
                    for w in wrong
                ]
    return rows, rejects


def _group_day(group: Any) -> date | None:
    """The date that a group of games is under: "10/21/2025 00:00:00"."""
    found = str(group.get("gameDate"))[:10] if isinstance(group, dict) else ""
    try:
        return date(int(found[6:]), int(found[:2]), int(found[3:5]))
    except ValueError:
        return None


def _tipoff(game: dict[str, Any]) -> datetime | None:
    """The scheduled start; None while it is to be decided, which the league writes as midnight Eastern or TBD.

    Raises:
        FieldError: what is there is no instant.
    """
    found = fields.optional_instant(game, "gameDateTimeUTC")
    if found is None or is_undecided(found) or str(game.get("gameStatusText")).strip().upper() == "TBD":
        return None
    return found


def _game_day(game: dict[str, Any]) -> date:
    """The Eastern date of tip-off, or the one stated while the tip-off is not known.

    Raises:
        FieldError: neither is there.
    """
    try:
        tipoff_at = _tipoff(game)
    except FieldError:
        tipoff_at = None
    return game_date_of(tipoff_at) if tipoff_at else fields.day(game, "gameDateEst")


def _game(game: dict[str, Any], season: str, payload: Payload) -> tuple[dict[str, Any], list[FieldError]]:
    """One game, and what of it is wrong and null for that."""
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
    season_type = _season_type(game_id)
    if season_type is None:
        raise PayloadError("BAD_GAME_ID", f"gameId is {fields.shown(game_id)}, of no season type")
    status = fields.whole(game, "gameStatus", 1, 3)
    row: dict[str, Any] = {
        "game_date": _game_day(game),
        "game_id": game_id,
        "season": season,
        "season_type": season_type,
        "tipoff_at": nullable(_tipoff, game),
        "status": status,
        "is_postponed": game.get("postponedStatus") == "P",
        "is_neutral": nullable(fields.optional_flag, game, "isNeutral"),
        "arena": nullable(fields.optional_text, game, "arenaName"),
        "payload": payload.path,
    }
    for side in ("home", "away"):
        team = fields.record(game, f"{side}Team")
        team_id, code = fields.optional_whole(team, "teamId"), fields.optional_text(team, "teamTricode")
        if not team_id or not code:
            raise PayloadError("TEAM_TO_BE_DECIDED", f"game {game_id} has no {side} team yet")
        city, name = fields.optional_text(team, "teamCity"), fields.text(team, "teamName")
        row[f"{side}_team_id"] = team_id
        row[f"{side}_team"] = code
        row[f"{side}_team_name"] = f"{city} {name}" if city else name
        row[f"{side}_score"] = nullable(fields.optional_whole, team, "score") if status == 3 else None
    return row, wrong


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
                members, refused = _roster(zone.load(payload), payload, day)
            except PayloadError as error:
                rejects.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
                continue
            frames.append(members.assign(game_date=pd.Timestamp(day), captured_at=captured_at))
            rejects += refused
    if not frames:
        return Parsed.of(tables.ROSTERS, pd.DataFrame(), rejects)
    frame = pd.concat(frames, ignore_index=True).assign(data_source=zone.data_source(FEED))
    # the site lists some people twice
    return Parsed.of(tables.ROSTERS, frame.drop_duplicates(["player_id", "team_id", "captured_at"]), rejects)


def _roster(content: Any, payload: Payload, day: date) -> tuple[pd.DataFrame, list[Reject]]:
    headers, row_set = _result_set(content, "CommonAllPlayers", payload)
    needed = ("PERSON_ID", "DISPLAY_FIRST_LAST", "TEAM_ID", "TEAM_ABBREVIATION")
    missing = [c for c in needed if c not in headers]
    if missing:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} has no column {', '.join(missing)}")
    at = {c: headers.index(c) for c in needed}
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for n, values in enumerate(row_set):
        place = f"rowSet[{n}]"
        if not isinstance(values, list) or len(values) != len(headers):
            detail = f"{payload.path}: the row does not have {len(headers)} values"
            rejects.append(Reject(payload.path, place, "WRONG_SHAPE", detail, values, day))
            continue
        person = {c: values[i] for c, i in at.items()}
        try:
            team_id = fields.optional_whole(person, "TEAM_ID")
            if not team_id:
                continue  # he belongs to no team
            name = fields.text(person, "DISPLAY_FIRST_LAST")
            rows.append(
                {
                    "player_id": fields.whole(person, "PERSON_ID", 1), "player_name": name,
                    "player_lookup": player_lookup(name), "team_id": team_id,
                    "team": fields.text(person, "TEAM_ABBREVIATION"), "payload": payload.path, POSITION: place,
                }
            )  # fmt: skip
        except FieldError as error:
            rejects.append(Reject(payload.path, place, "BAD_FIELD", f"{payload.path}: {error}", person, day))
    return pd.DataFrame(rows, columns=["player_id", "player_name", "player_lookup", "team_id", "team", "payload",
                                       POSITION]), rejects  # fmt: skip


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
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(FEED))
    return Parsed.of(tables.SCORING_SHARES, frame, rejects)


def parse_scoring(content: Any, payload: Payload, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Rows of one boxscorescoringv3 payload; a player without minutes has none.

    A share that is none is null, and held back by itself.

    Raises:
        PayloadError: it has not the shape of that endpoint.
    """
    try:
        game = fields.record(content, "boxScoreScoring")
        game_id = fields.text(game, "gameId")
        if not fields.is_game_id(game_id):
            raise FieldError("gameId", game_id, "not an NBA game id")
        sides: dict[str, Any] = {s: fields.record(game, s).get("players") for s in ("homeTeam", "awayTeam")}
        for side, players in sides.items():
            if not isinstance(players, list):
                raise FieldError(f"{side}.players", players, "not a list")
    except FieldError as error:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} is no boxscorescoringv3 payload: {error}") from error
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for side, players in sides.items():
        for n, player in enumerate(players):
            place = f"{side}/{n}"
            try:
                statistics = fields.record(player, "statistics")
                if not statistics.get("minutes"):
                    continue
                player_id = fields.whole(player, "personId", 1)
            except FieldError as error:
                detail = f"{payload.path}: {error}"
                rejects.append(Reject(payload.path, place, "MALFORMED_ROW", detail, player, game_date=day))
                continue
            shares: dict[str, float | None] = {}
            for key, name in _SHARES.items():
                try:
                    shares[name] = fields.optional_share(statistics, key)
                except FieldError as error:
                    detail = f"{payload.path}: player {player_id}: {error}; null is taken for it"
                    rejects.append(Reject(payload.path, place, "BAD_FIELD", detail, player, game_date=day))
                    shares[name] = None
            rows.append(
                {
                    "game_date": pd.Timestamp(day), "game_id": game_id, "player_id": player_id, **shares,
                    "payload": payload.path, POSITION: place,
                }
            )  # fmt: skip
    return rows, rejects
