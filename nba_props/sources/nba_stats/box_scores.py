"""leaguegamelog: box scores of every player in a season or between two dates; always by field name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from nba_props.domain.names import player_lookup
from nba_props.domain.results import adds_up
from nba_props.facts.calendar import COUNTED_SEASON_TYPES, season_of
from nba_props.facts.teams import NBA, are_teams
from nba_props.schemas import raw as tables
from nba_props.sources.nba_stats.common import BAD_FIELD, SOURCE, result_set, season_type
from nba_props.sources.nba_stats.landed import gamelog_folder
from nba_props.sources.rejects import POSITION, Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingZone, Payload, PayloadError

#: column of the payload -> column of nba_raw.box_scores, for required whole numbers from 0
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
#: more than any player's: the longest game, of six overtimes, had 78 minutes, and the record is 100 points
_MOST = {"MIN": 80, "PLAYER_ID": fields.MOST_ID, "TEAM_ID": fields.MOST_ID}
_MOST_OF_A_COUNT = 100
#: columns that may be null
_NULLABLE = {
    "WL": "neither W nor L",
    "PLUS_MINUS": f"not a whole number from -{_MOST_OF_A_COUNT} to {_MOST_OF_A_COUNT}",
}
#: unknown columns that are named in a remark
_MOST_NAMED = 50
#: known columns that no table needs
_IGNORED = {"TEAM_NAME", "FG_PCT", "FG3_PCT", "FT_PCT", "REB", "FANTASY_PTS", "VIDEO_AVAILABLE"}


def read_box_scores(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """The box scores of the given dates; of a game's captures the newest complete one counts, else the newest."""
    wanted = {d.isoformat() for d in days}
    rows: list[list[Any]] = []
    rejects: list[Reject] = []
    unknown: dict[date, set[str]] = {}
    for season in sorted({season_of(d) for d in days}):
        landed = zone.list(gamelog_folder(season))
        for payload in zone.ahead([p for p in landed if p.subject[:10] in wanted]):
            day = date.fromisoformat(payload.subject[:10])
            try:
                log, refused, extra = read_game_log(zone.load(payload), payload, day)
            except PayloadError as error:
                rejects.append(Reject.of(payload, error, day))
                continue
            rows += log
            rejects += refused
            unknown.setdefault(day, set()).update(extra)
    remarks: dict[date, dict[str, Any]] = {
        day: {"unknown_columns": sorted(extra)[:_MOST_NAMED]} for day, extra in unknown.items() if extra
    }
    if not rows:
        return Parsed.of(tables.BOX_SCORES, pd.DataFrame(), rejects, remarks)
    frame, refused = type_box_scores(pd.DataFrame(rows, columns=list(_DELIVERED), dtype=object))
    superseded = frame["payload_order"] != _counting_capture(frame)
    kept = frame[~superseded].drop(columns="payload_order").assign(data_source=zone.data_source(SOURCE))
    for stamp, rows_of in superseded.groupby(frame["game_date"]):
        remarks.setdefault(stamp.date(), {})["superseded_rows"] = int(rows_of.sum())
    return Parsed.of(tables.BOX_SCORES, kept.reset_index(drop=True), rejects + refused, remarks)


def _counting_capture(frame: pd.DataFrame) -> pd.Series:
    """For each row which capture of its game counts: one of half-time does not replace a complete one."""
    newest = frame.groupby("game_id")["payload_order"].transform("max")
    if frame["payload_order"].eq(newest).all():
        return newest
    whole = adds_up(frame, by=["game_id", "payload_order"]).rename("whole").reset_index()
    of_game = whole[whole["whole"]].groupby("game_id")["payload_order"].max()
    return frame["game_id"].map(of_game).fillna(newest)


def read_game_log(content: Any, payload: Payload, day: date) -> tuple[list[list[Any]], list[Reject], set[str]]:
    """One payload's rows as delivered, in ``_DELIVERED``; rows of the wrong length; and unknown columns.

    Raises:
        PayloadError: WRONG_SHAPE, MISSING_COLUMN or EMPTY_PAYLOAD.
    """
    headers, row_set = result_set(content, "LeagueGameLog", payload)
    missing = [c for c in _REQUIRED if c not in headers]
    if missing:
        raise PayloadError("MISSING_COLUMN", f"{payload.path} has no column {', '.join(missing)}")
    at = [headers.index(c) for c in _REQUIRED]  # of two columns with one name the first counts
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
    read = _read(raw)
    bad = pd.Series(False, index=raw.index)
    rejects: list[Reject] = []
    for mask, reason, column, what in _problems(raw, read):
        held = mask.fillna(True).astype(bool)
        rejects += _refused(raw, held & ~bad, reason, column, what)
        bad |= held
    won = read.names["WL"].map({"W": True, "L": False}).astype("boolean")
    plus_minus = read.numbers["PLUS_MINUS"].where(read.numbers["PLUS_MINUS"].abs() <= _MOST_OF_A_COUNT)
    plus_minus = plus_minus.where(plus_minus % 1 == 0).astype("Int64")
    for column, found in (("WL", won), ("PLUS_MINUS", plus_minus)):
        unknown = raw[column].map(fields.is_unknown).astype(bool)
        lost = found.isna() & ~unknown & ~bad
        rejects += _refused(raw, lost, BAD_FIELD, column, f"{_NULLABLE[column]}; stored as null")
    return _rows(raw, read, won, plus_minus)[~bad].reset_index(drop=True), rejects


@dataclass(frozen=True)
class _Read:
    """The columns of delivered rows as numbers and names, null where they are not, and what follows from them."""

    numbers: dict[str, pd.Series]
    names: dict[str, pd.Series]
    game_id: pd.Series
    season_type: pd.Series
    #: team, where and opponent
    matchup: pd.DataFrame
    season_year: pd.Series


def _read(raw: pd.DataFrame) -> _Read:
    numbers = {c: _numbers(raw[c]) for c in (*_COUNTS, "PLAYER_ID", "TEAM_ID", "PLUS_MINUS")}
    names = {c: _words(raw[c]) for c in ("TEAM_ABBREVIATION", "MATCHUP", "GAME_ID", "SEASON_ID", "WL")}
    names["PLAYER_NAME"] = _words(raw["PLAYER_NAME"], fields.person)
    game_id = names["GAME_ID"].where(names["GAME_ID"].map(fields.is_game_id))
    kinds = game_id.map({g: season_type(g) for g in game_id.dropna().unique()})
    matchup = names["MATCHUP"].str.extract(r"^(?P<team>[A-Z]{3}) (?P<where>vs\.|@) (?P<opponent>[A-Z]{3})$")
    year = pd.to_numeric(names["SEASON_ID"].str.extract(r"^\d((?:19|20)[0-9]{2})$")[0], errors="coerce")
    return _Read(numbers, names, game_id, kinds, matchup, year)


#: which rows are held back, with reason, column and what is wrong with it
_Problem = tuple[pd.Series, str, str, str]


def _problems(raw: pd.DataFrame, read: _Read) -> Iterator[_Problem]:
    """What is wrong with rows: each is held back for the first that applies."""
    for column in (*_COUNTS, "PLAYER_ID", "TEAM_ID"):
        values, most = read.numbers[column], _MOST.get(column, _MOST_OF_A_COUNT)
        yield values.isna() | (values % 1 != 0), "BAD_NUMBER", column, "missing or not a whole number"
        yield values < 0, "NEGATIVE_NUMBER", column, "negative"
        yield values > most, "BAD_NUMBER", column, f"more than {most}"
    yield from _problems_of_names(raw, read)
    yield from _problems_of_others(raw, read)
    n = {column: read.numbers[column] for column in _COUNTS}
    shots = 2 * n["FGM"] + n["FG3M"] + n["FTM"]
    yield shots != n["PTS"], "CONTRADICTORY_ROW", "PTS", "not the sum of the shots made"
    for less, more in (("FGM", "FGA"), ("FG3M", "FG3A"), ("FTM", "FTA"), ("FG3M", "FGM"), ("FG3A", "FGA")):
        yield n[less] > n[more], "CONTRADICTORY_ROW", less, f"more than {more}"


def _problems_of_names(raw: pd.DataFrame, read: _Read) -> list[_Problem]:
    names, matchup = read.names, read.matchup
    team_id = read.numbers["TEAM_ID"].where(read.numbers["TEAM_ID"] % 1 == 0)
    return [
        (names["PLAYER_NAME"].isna(), "MISSING_NAME", "PLAYER_NAME", "no player's name"),
        (names["TEAM_ABBREVIATION"].isna(), "MISSING_NAME", "TEAM_ABBREVIATION", "no team's"),
        (read.season_type.isna(), "BAD_GAME_ID", "GAME_ID", "not an NBA game id"),
        (raw["GAME_DATE"].astype(str).str[:10] != raw["day"], "WRONG_DAY", "GAME_DATE", "not the payload's date"),
        (matchup["opponent"].isna(), "BAD_MATCHUP", "MATCHUP", "not 'AAA vs. BBB' or 'AAA @ BBB'"),
        (read.season_year.isna(), "BAD_SEASON", "SEASON_ID", "not a digit and a year"),
        (names["SEASON_ID"].str[3:5] != read.game_id.str[3:5], "BAD_SEASON", "SEASON_ID",
         "not the season of its game id"),
        (matchup["team"] != names["TEAM_ABBREVIATION"], "BAD_MATCHUP", "MATCHUP", "not a game of the row's team"),
        (matchup["team"] == matchup["opponent"], "BAD_MATCHUP", "MATCHUP", "a game of a team with itself"),
        (read.season_type.isin(COUNTED_SEASON_TYPES) & (matchup["team"].isin(NBA) != matchup["opponent"].isin(NBA)),
         "UNKNOWN_TEAM", "MATCHUP", "a game of an NBA team with another's"),
        (~are_teams(team_id, names["TEAM_ABBREVIATION"]), "UNKNOWN_TEAM", "TEAM_ABBREVIATION",
         "not the code of the team whose id is there"),
    ]  # fmt: skip


def _problems_of_others(raw: pd.DataFrame, read: _Read) -> list[_Problem]:
    """What contradicts other rows of the payload."""
    same = raw[list(_REQUIRED)].astype(str).assign(payload=raw["payload"])  # a list has no hash
    repeated = same.duplicated()
    key = ["payload", "GAME_ID", "PLAYER_ID"]
    clashing = same[~repeated].duplicated(key, keep=False).reindex(raw.index, fill_value=False)
    mismatched = _mismatched(raw["payload"], read.game_id, read.matchup)
    return [
        (repeated, "DUPLICATE_ROW", "PLAYER_ID", "in the same row of the payload already"),
        (clashing, "CONFLICTING_ROWS", "PLAYER_ID", "in two different rows of a game: neither is used"),
        (mismatched, "BAD_MATCHUP", "MATCHUP", "not the teams of the game's other rows"),
    ]


def _refused(raw: pd.DataFrame, held: pd.Series, reason: str, column: str, what: str) -> list[Reject]:
    """Delivered rows as rejects."""
    rows = raw[held].to_dict("records") if held.any() else []
    return [
        Reject(
            row["payload"],
            f"rowSet[{row['position']}]",
            reason,
            f"{row['payload']}: {column} is {fields.shown(row[column])}, {what}",
            {c: row[c] for c in _REQUIRED},
            date.fromisoformat(row["day"]),
        )
        for row in rows
    ]


def _rows(raw: pd.DataFrame, read: _Read, won: pd.Series, plus_minus: pd.Series) -> pd.DataFrame:
    """Rows in the columns of the table, with null for what can't be read."""
    seasons = {y: f"{int(y)}-{(int(y) + 1) % 100:02d}" for y in read.season_year.dropna().unique()}
    player_name = read.names["PLAYER_NAME"]
    return pd.DataFrame(
        {
            "game_date": pd.to_datetime(raw["day"]),
            "game_id": read.game_id,
            "player_id": read.numbers["PLAYER_ID"],
            "player_name": player_name,
            "player_lookup": player_name.map(player_lookup, na_action="ignore"),
            "season": read.season_year.map(seasons),
            "season_type": read.season_type,
            "team_id": read.numbers["TEAM_ID"],
            "team": read.names["TEAM_ABBREVIATION"],
            "opponent": read.matchup["opponent"],
            "is_home": read.matchup["where"] == "vs.",
            "won": won,
            **{name: read.numbers[column] for column, name in _COUNTS.items()},
            "plus_minus": plus_minus,
            "payload": raw["payload"],
            "payload_order": raw["payload_order"],
            POSITION: "rowSet[" + raw["position"].astype(str) + "]",
        }
    )


def _mismatched(payload: pd.Series, game_id: pd.Series, matchup: pd.DataFrame) -> pd.Series:
    """Which rows name other teams than most rows of their game in their payload do."""
    here = matchup["where"] == "vs."
    pair = matchup["team"].where(here, matchup["opponent"]) + "-" + matchup["opponent"].where(here, matchup["team"])
    game = payload + game_id.fillna("")
    counts = pair.groupby([game, pair]).transform("size")
    return pair.notna() & (counts < counts.groupby(game).transform("max"))


def refused_players(quarantined: pd.DataFrame) -> pd.DataFrame:
    """The players whose rows are in ``nba_raw.quarantined_box_scores``: ``game_date, payload, game_id, player_id``.

    Game and player are null where the row does not have them. A payload that could not be read at all has no rows.
    """
    held = quarantined[quarantined["position"].notna() & quarantined["reason"].ne(BAD_FIELD)]  # the row itself is kept
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
    """A quarantined row as it was delivered; empty where it is not an object, or was too long to be kept whole."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _numbers(values: pd.Series) -> pd.Series:
    """A column of a payload as numbers, null where they are not."""
    try:
        plain = pd.to_numeric(values) if pd.api.types.infer_dtype(values, skipna=True) == "integer" else None
    except (OverflowError, ValueError):  # one whole number is too large for any type
        plain = None
    known = map(fields.number, values) if plain is None else plain
    return pd.Series(known, index=values.index, dtype="float64")


def _words(values: pd.Series, read: Callable[[Mapping[str, Any], str], str | None] = fields.optional_name) -> pd.Series:
    """A column of a payload as names, null where they are not."""
    return pd.Series((_word(v, read) for v in values), index=values.index, dtype=object)


def _word(value: Any, read: Callable[[Mapping[str, Any], str], str | None] = fields.optional_name) -> str | None:
    try:
        return read({"": value}, "")
    except FieldError:
        return None
