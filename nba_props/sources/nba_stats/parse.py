"""stats.nba.com payloads: leaguegamelog, scheduleleaguev2 and commonallplayers; always by field name."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from nba_props.domain.names import player_lookup
from nba_props.domain.results import adds_up
from nba_props.facts.calendar import (
    COUNTED_SEASON_TYPES,
    EASTERN,
    FINAL,
    game_date_of,
    is_undecided,
    season_of,
    season_type_of,
)
from nba_props.facts.teams import NBA, are_teams, is_team
from nba_props.schemas import raw as tables
from nba_props.sources.rejects import POSITION, Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingError, LandingZone, Payload, PayloadError, limited

FEED = "NBA_STATS"
#: the reason of a field that is null in a row which is kept
BAD_FIELD = "BAD_FIELD"


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
#: a row as it was delivered, with its place
_DELIVERED = (*_REQUIRED, "payload", "payload_order", "position", "day")
#: what no player has reached: the longest game, of six overtimes, had 78 minutes, and most points of a player are 100
_MOST = {"MIN": 80, "PLAYER_ID": fields.MOST_ID, "TEAM_ID": fields.MOST_ID}
_MOST_OF_A_COUNT = 100
#: columns that a table takes null of
_NULLABLE = {"WL": "neither W nor L", "PLUS_MINUS": f"no whole number from -{_MOST_OF_A_COUNT} to {_MOST_OF_A_COUNT}"}
#: more columns than a result set has
_MOST_COLUMNS = 200
#: unknown columns that are named in a remark
_MOST_NAMED = 50
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
    rows: list[list[Any]] = []
    rejects: list[Reject] = []
    unknown: dict[date, set[str]] = {}
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
            rows += log
            rejects += refused
            unknown.setdefault(date.fromisoformat(day), set()).update(extra)
    remarks: dict[date, dict[str, Any]] = {
        day: {"unknown_columns": sorted(extra)[:_MOST_NAMED]} for day, extra in unknown.items() if extra
    }
    if not rows:
        return Parsed.of(tables.BOX_SCORES, pd.DataFrame(), rejects, remarks)
    frame, refused = type_box_scores(pd.DataFrame(rows, columns=list(_DELIVERED), dtype=object))
    superseded = frame["payload_order"] != _counting_capture(frame)
    kept = frame[~superseded].drop(columns="payload_order").assign(data_source=zone.data_source(FEED))
    for stamp, rows_of in superseded.groupby(frame["game_date"]):
        remarks.setdefault(stamp.date(), {})["superseded_rows"] = int(rows_of.sum())
    return Parsed.of(tables.BOX_SCORES, kept.reset_index(drop=True), rejects + refused, remarks)


def _counting_capture(frame: pd.DataFrame) -> pd.Series:
    """For each row which capture of its game counts: one in part, or of half-time, takes no whole one's place."""
    newest = frame.groupby("game_id")["payload_order"].transform("max")
    if frame["payload_order"].eq(newest).all():
        return newest
    whole = adds_up(frame, by=["game_id", "payload_order"]).rename("whole").reset_index()
    of_game = whole[whole["whole"]].groupby("game_id")["payload_order"].max()
    return frame["game_id"].map(of_game).fillna(newest)


def read_game_log(content: Any, payload: Payload, day: date) -> tuple[list[list[Any]], list[Reject], set[str]]:
    """One payload's rows as delivered, in ``_DELIVERED``; rows of the wrong length; and columns nobody knows.

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
    path, order, text = payload.path, "-".join(payload.order), day.isoformat()
    log = [[*(row_set[i][a] for a in at), path, order, i, text] for i in positions]
    unknown = {h if isinstance(h, str) else fields.shown(h) for h in headers} - set(_REQUIRED) - _IGNORED
    return log, rejects, {fields.shown(h)[1:-1] for h in unknown}


def type_box_scores(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """Typed rows of ``nba_raw.box_scores`` (with ``payload_order``), and the rows held back with their reason."""
    numbers = {c: _numbers(raw[c]) for c in (*_COUNTS, "PLAYER_ID", "TEAM_ID", "PLUS_MINUS")}
    names = {c: _words(raw[c]) for c in ("TEAM_ABBREVIATION", "MATCHUP", "GAME_ID", "SEASON_ID", "WL")}
    names["PLAYER_NAME"] = _words(raw["PLAYER_NAME"], fields.person)
    game_id = names["GAME_ID"].where(names["GAME_ID"].map(fields.is_game_id))
    season_type = game_id.map({g: _season_type(g) for g in game_id.dropna().unique()})
    matchup = names["MATCHUP"].str.extract(r"^(?P<team>[A-Z]{3}) (?P<where>vs\.|@) (?P<opponent>[A-Z]{3})$")
    season_year = pd.to_numeric(names["SEASON_ID"].str.extract(r"^\d((?:19|20)[0-9]{2})$")[0], errors="coerce")

    problems: list[tuple[pd.Series, str, str, str]] = []
    for column in (*_COUNTS, "PLAYER_ID", "TEAM_ID"):
        values, most = numbers[column], _MOST.get(column, _MOST_OF_A_COUNT)
        problems.append((values.isna() | (values % 1 != 0), "BAD_NUMBER", column, "missing or not a whole number"))
        problems.append((values < 0, "NEGATIVE_NUMBER", column, "negative"))
        problems.append((values > most, "BAD_NUMBER", column, f"more than {most}"))
    n = {column: numbers[column] for column in _COUNTS}
    problems += [
        (names["PLAYER_NAME"].isna(), "MISSING_NAME", "PLAYER_NAME", "no player's name"),
        (names["TEAM_ABBREVIATION"].isna(), "MISSING_NAME", "TEAM_ABBREVIATION", "no team's"),
        (season_type.isna(), "BAD_GAME_ID", "GAME_ID", "not an NBA game id"),
        (raw["GAME_DATE"].astype(str).str[:10] != raw["day"], "WRONG_DAY", "GAME_DATE", "not the payload's date"),
        (matchup["opponent"].isna(), "BAD_MATCHUP", "MATCHUP", "not 'AAA vs. BBB' or 'AAA @ BBB'"),
        (season_year.isna(), "BAD_SEASON", "SEASON_ID", "not a digit and a year"),
        (names["SEASON_ID"].str[3:5] != game_id.str[3:5], "BAD_SEASON", "SEASON_ID", "not the season of its game id"),
        (matchup["team"] != names["TEAM_ABBREVIATION"], "BAD_MATCHUP", "MATCHUP", "not a game of the row's team"),
        (matchup["team"] == matchup["opponent"], "BAD_MATCHUP", "MATCHUP", "a game of a team with itself"),
        (season_type.isin(COUNTED_SEASON_TYPES) & (matchup["team"].isin(NBA) != matchup["opponent"].isin(NBA)),
         "UNKNOWN_TEAM", "MATCHUP", "a game of an NBA team with another's"),
        (~are_teams(numbers["TEAM_ID"].where(numbers["TEAM_ID"] % 1 == 0), names["TEAM_ABBREVIATION"]), "UNKNOWN_TEAM",
         "TEAM_ABBREVIATION", "not the code of the team whose id is there"),
    ]  # fmt: skip
    same = raw[list(_REQUIRED)].astype(str).assign(payload=raw["payload"])  # a list has no hash
    repeated = same.duplicated()
    problems.append((repeated, "DUPLICATE_ROW", "PLAYER_ID", "in the same row of the payload already"))
    key = ["payload", "GAME_ID", "PLAYER_ID"]
    clashing = same[~repeated].duplicated(key, keep=False).reindex(raw.index, fill_value=False)
    problems.append((clashing, "CONFLICTING_ROWS", "PLAYER_ID", "in two different rows of a game: neither is used"))
    problems += [
        (_strangers(raw["payload"], game_id, matchup), "BAD_MATCHUP", "MATCHUP", "not as the game's other rows say"),
        (2 * n["FGM"] + n["FG3M"] + n["FTM"] != n["PTS"], "CONTRADICTORY_ROW", "PTS", "not the sum of the shots made"),
        *((n[less] > n[more], "CONTRADICTORY_ROW", less, f"more than {more}")
          for less, more in (("FGM", "FGA"), ("FG3M", "FG3A"), ("FTM", "FTA"), ("FG3M", "FGM"), ("FG3A", "FGA"))),
    ]  # fmt: skip

    bad = pd.Series(False, index=raw.index)
    rejects: list[Reject] = []

    def refuse(mask: pd.Series, reason: str, column: str, what: str) -> None:
        for row in raw[mask].to_dict("records") if mask.any() else ():
            delivered = {c: row[c] for c in _REQUIRED}
            place, day = f"rowSet[{row['position']}]", date.fromisoformat(row["day"])
            detail = f"{row['payload']}: {column} is {fields.shown(row[column])}, {what}"
            rejects.append(Reject(row["payload"], place, reason, detail, delivered, day))

    for mask, reason, column, what in problems:
        held = mask.fillna(True).astype(bool)
        refuse(held & ~bad, reason, column, what)
        bad |= held
    won = names["WL"].map({"W": True, "L": False}).astype("boolean")
    plus_minus = numbers["PLUS_MINUS"].where(numbers["PLUS_MINUS"].abs() <= _MOST_OF_A_COUNT)
    plus_minus = plus_minus.where(plus_minus % 1 == 0).astype("Int64")
    for column, found in (("WL", won), ("PLUS_MINUS", plus_minus)):
        unknown = raw[column].map(fields.is_unknown).astype(bool)
        refuse(found.isna() & ~unknown & ~bad, BAD_FIELD, column, f"{_NULLABLE[column]}; null is taken for it")

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
            "won": won,
            **{name: numbers[column] for column, name in _COUNTS.items()},
            "plus_minus": plus_minus,
            "payload": raw["payload"],
            "payload_order": raw["payload_order"],
            POSITION: "rowSet[" + raw["position"].astype(str) + "]",
        }
    )
    return frame[~bad].reset_index(drop=True), rejects


def _strangers(payload: pd.Series, game_id: pd.Series, matchup: pd.DataFrame) -> pd.Series:
    """Which rows name other teams than most rows of their game in their payload do."""
    here = matchup["where"] == "vs."
    pair = matchup["team"].where(here, matchup["opponent"]) + "-" + matchup["opponent"].where(here, matchup["team"])
    game = payload + game_id.fillna("")
    counts = pair.groupby([game, pair]).transform("size")
    return pair.notna() & (counts < counts.groupby(game).transform("max"))


def refused_players(quarantined: pd.DataFrame) -> pd.DataFrame:
    """Whose rows ``nba_raw.quarantined_box_scores`` holds: ``game_date, payload, game_id, player_id``.

    Game and player are null where the row does not tell them. A payload that could not be read at all has no rows.
    """
    held = quarantined[quarantined["position"].notna() & quarantined["reason"].ne(BAD_FIELD)]  # of that the row is kept
    rows = [_as_record(text) for text in held["raw"]]
    games = [_word(r.get("GAME_ID", r.get("game_id"))) for r in rows]
    numbers = pd.Series(
        [fields.number(r.get("PLAYER_ID", r.get("player_id"))) for r in rows], index=held.index, dtype="float64"
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


def _numbers(values: pd.Series) -> pd.Series:
    """A column of a payload as numbers, null for what is none."""
    try:
        plain = pd.to_numeric(values) if pd.api.types.infer_dtype(values, skipna=True) == "integer" else None
    except (OverflowError, ValueError):  # one whole number is too large for any type
        plain = None
    known = map(fields.number, values) if plain is None else plain
    return pd.Series(known, index=values.index, dtype="float64")


def _words(values: pd.Series, read: Callable[[Mapping[str, Any], str], str | None] = fields.optional_name) -> pd.Series:
    """A column of a payload as names, null for what is none."""
    return pd.Series((_word(v, read) for v in values), index=values.index, dtype=object)


def _word(value: Any, read: Callable[[Mapping[str, Any], str], str | None] = fields.optional_name) -> str | None:
    try:
        return read({"": value}, "")
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
            if isinstance(headers, list) and isinstance(rows, list) and len(headers) <= _MOST_COLUMNS:
                limited(rows, payload, "rows")
                return headers, rows
    raise PayloadError("WRONG_SHAPE", f"{payload.path} has no result set {name} with headers and rowSet")


# -- schedule ---------------------------------------------------------------------------------------------------------

SCHEDULE_FOLDER = "nba_stats/scheduleleaguev2"
_SEASON = re.compile(r"20\d\d-\d\d", re.ASCII)
#: a game that begins after midnight is on the day after the stated one
_PAST_MIDNIGHT = timedelta(1)
#: more points than a team has scored in a game: the record is 186
_MOST_SCORED = 250
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
                f"`nba-props start` brings those of a first prediction, and `nba-props fetch stats "
                f"{min(d for d in days if season_of(d) == season)}` this one, with NBA_PROPS_STATS=on; or set "
                "NBA_PROPS_FIRST_DATE to the first date that is covered"
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
    if stated != payload.subject or not _SEASON.fullmatch(stated):
        raise PayloadError("WRONG_SEASON", f"{payload.path}: seasonYear is {fields.shown(stated)}")
    lists = [g["games"] for g in groups if isinstance(g, dict) and isinstance(g.get("games"), list)]
    limited([*groups, *(game for games in lists for game in games)], payload, "dates and games")
    codes = _codes(lists)
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
            day = day if _is_in(stated, day) else None  # then every date holds it back
            try:
                if not isinstance(game, dict):
                    raise FieldError("the game", game, "not an object")
                own, tipoff_at, far = _when(game, group)
                if not _is_in(stated, own):
                    raise PayloadError("BAD_TIME", f"the game is on {own}, not in the season {stated}")
                day = own
                row, wrong = _game(game, stated, codes)
                row |= {"game_date": own, "tipoff_at": tipoff_at, "payload": payload.path}
                wrong += [far] if far else []
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

    The start is None while it is to be decided, which the league writes as midnight Eastern or TBD, and when it is no
    instant, or one of another day than both stated ones; then the date is the stated one.

    Raises:
        FieldError: no date is there, or two are stated.
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
        raise FieldError("gameDateEst", game["gameDateEst"], f"and it stands among the games of {stated[-1]}")
    return day, None, wrong


def _tipoff(game: dict[str, Any]) -> datetime | None:
    found = fields.optional_instant(game, "gameDateTimeUTC")
    if found is None or is_undecided(found) or str(game.get("gameStatusText")).strip().upper() == "TBD":
        return None
    return found


def _is_in(season: str, day: date | None) -> bool:
    """Whether a date can be one of a season's; one has gone on into October."""
    return day is not None and 0 <= day.year - int(season[:4]) <= 1


def _game(game: dict[str, Any], season: str, codes: Mapping[Any, str]) -> tuple[dict[str, Any], list[FieldError]]:
    """One game but for its time, and what of it is wrong and null for that."""
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
    if game_id[3:5] != season[2:4]:
        raise PayloadError("BAD_GAME_ID", f"gameId is {fields.shown(game_id)}, not of the season {season}")
    status = fields.whole(game, "gameStatus", 1, 3)
    row: dict[str, Any] = {
        "game_id": game_id,
        "season": season,
        "season_type": season_type,
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
            raise PayloadError("UNKNOWN_TEAM", f"game {game_id}: {fields.shown(code)} is no code of team {team_id}")
        city, name = fields.optional_name(team, "teamCity"), fields.name(team, "teamName")
        row[f"{side}_team_id"] = team_id
        row[f"{side}_team"] = code
        row[f"{side}_team_name"] = f"{city} {name}" if city else name
        row[f"{side}_score"] = (
            nullable(fields.optional_whole, team, "score", 0, _MOST_SCORED) if status == FINAL else None
        )
    if row["home_team_id"] == row["away_team_id"]:
        raise PayloadError("CONTRADICTORY_ROW", f"game {game_id} is of team {row['home_team_id']} with itself")
    return row, wrong


# -- rosters ----------------------------------------------------------------------------------------------------------


def roster_folder(season: str) -> str:
    """The landing folder of a season's roster payloads."""
    return f"nba_stats/commonallplayers/{season}"


def read_rosters(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """Team membership in the roster payloads captured on the given dates."""
    wanted = set(days)
    rows: list[dict[str, Any]] = []
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
            rows += [{**m, "game_date": pd.Timestamp(day), "captured_at": captured_at} for m in members]
            rejects += refused
    if not rows:
        return Parsed.of(tables.ROSTERS, pd.DataFrame(), rejects)
    frame = pd.DataFrame(rows).assign(data_source=zone.data_source(FEED))
    # the site lists some people twice
    once = frame.drop_duplicates(["player_id", "player_lookup", "team_id", "captured_at"])
    return Parsed.of(tables.ROSTERS, once, rejects)


def _roster(content: Any, payload: Payload, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
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
            name, code = fields.person(person, "DISPLAY_FIRST_LAST"), fields.name(person, "TEAM_ABBREVIATION")
            if not is_team(team_id, code):
                raise FieldError("TEAM_ABBREVIATION", code, f"not the code of team {team_id}")
            rows.append(
                {
                    "player_id": fields.whole(person, "PERSON_ID", 1), "player_name": name,
                    "player_lookup": player_lookup(name), "team_id": team_id, "team": code, "payload": payload.path,
                    POSITION: place,
                }
            )  # fmt: skip
        except FieldError as error:
            rejects.append(Reject(payload.path, place, "BAD_FIELD", f"{payload.path}: {error}", person, day))
    return rows, rejects


# -- scoring shares ---------------------------------------------------------------------------------------------------

_SHARES = {
    "percentagePointsPaint": "points_paint",
    "percentagePointsMidrange2pt": "points_mid_range",
    "percentagePoints3pt": "points_three",
    "percentagePointsFreeThrow": "points_free_throw",
}
#: shares are rounded: together they are all points, or a little more
_MOST_SHARED = 1.02


def scoring_folder(season: str) -> str:
    """The landing folder of a season's boxscorescoringv3 payloads."""
    return f"nba_stats/boxscorescoringv3/{season}"


def read_scoring(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """Where players' points came from in the games of the given dates; the newest capture of a game counts."""
    wanted = {d.isoformat() for d in days}
    landed: dict[str, list[Payload]] = {}
    for season in sorted({season_of(d) for d in days}):
        for payload in zone.list(scoring_folder(season)):  # the newest capture comes last
            if payload.subject[:10] in wanted:
                landed.setdefault(payload.subject, []).append(payload)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for newest in zone.ahead([captures[-1] for captures in landed.values()]):
        day = date.fromisoformat(newest.subject[:10])
        for payload in (newest, *landed[newest.subject][-2::-1]):  # the one before it where it can't be read
            try:
                mine, refused = parse_scoring(zone.load(payload), payload, day)
            except PayloadError as error:
                rejects.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
                continue
            rows += mine
            rejects += refused
            break
    frame = pd.DataFrame(rows)
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(FEED))
    return Parsed.of(tables.SCORING_SHARES, frame, rejects)


def _shares(statistics: Mapping[str, Any]) -> tuple[dict[str, float | None], list[FieldError]]:
    """A player's shares, and what of them is none and null for that."""
    shares: dict[str, float | None] = dict.fromkeys(_SHARES.values())
    wrong: list[FieldError] = []
    for key, name in _SHARES.items():
        try:
            shares[name] = fields.optional_share(statistics, key)
        except FieldError as error:
            wrong.append(error)
    return shares, wrong


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
    if payload.subject != f"{day}-{game_id}":
        raise PayloadError("WRONG_GAME", f"{payload.path}: gameId is {game_id}")
    limited([p for players in sides.values() for p in players], payload, "players")
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for side, players in sides.items():
        for n, player in enumerate(players):
            place = f"{side}/{n}"
            try:
                statistics = fields.record(player, "statistics")
                if "minutes" not in statistics:
                    raise FieldError("minutes", None, "and must be there, if blank")
                if not fields.optional_name(statistics, "minutes"):
                    continue
                player_id = fields.whole(player, "personId", 1)
            except FieldError as error:
                detail = f"{payload.path}: {error}"
                rejects.append(Reject(payload.path, place, "MALFORMED_ROW", detail, player, game_date=day))
                continue
            shares, wrong = _shares(statistics)
            for field in wrong:
                detail = f"{payload.path}: player {player_id}: {field}; null is taken for it"
                rejects.append(Reject(payload.path, place, BAD_FIELD, detail, player, game_date=day))
            if sum(s or 0.0 for s in shares.values()) > _MOST_SHARED:
                detail = f"{payload.path}: player {player_id}: his shares are more than all of his points"
                rejects.append(Reject(payload.path, place, "CONTRADICTORY_ROW", detail, player, game_date=day))
                continue
            rows.append(
                {
                    "game_date": pd.Timestamp(day), "game_id": game_id, "player_id": player_id, **shares,
                    "payload": payload.path, POSITION: place,
                }
            )  # fmt: skip
    return rows, rejects
