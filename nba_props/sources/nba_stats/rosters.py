"""commonallplayers: who belongs to which team, as of its capture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from nba_props.domain.names import player_lookup
from nba_props.facts.calendar import game_date_of, season_of
from nba_props.facts.teams import is_team
from nba_props.schemas import raw as tables
from nba_props.sources.nba_stats.common import SOURCE, result_set
from nba_props.sources.nba_stats.landed import roster_folder
from nba_props.sources.rejects import POSITION, Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingZone, Payload, PayloadError


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
                rejects.append(Reject.of(payload, error, day))
                continue
            rows += [{**m, "game_date": pd.Timestamp(day), "captured_at": captured_at} for m in members]
            rejects += refused
    if not rows:
        return Parsed.of(tables.ROSTERS, pd.DataFrame(), rejects)
    frame = pd.DataFrame(rows).assign(data_source=zone.data_source(SOURCE))
    # the site lists some people twice
    once = frame.drop_duplicates(["player_id", "player_lookup", "team_id", "captured_at"])
    return Parsed.of(tables.ROSTERS, once, rejects)


def _roster(content: Any, payload: Payload, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
    headers, row_set = result_set(content, "CommonAllPlayers", payload)
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
