"""boxscorescoringv3: where the points of a game's players came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from nba_props.facts.calendar import season_of
from nba_props.schemas import raw as tables
from nba_props.sources.nba_stats.common import BAD_FIELD, SOURCE
from nba_props.sources.nba_stats.landed import scoring_folder
from nba_props.sources.rejects import POSITION, Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingZone, Payload, PayloadError, limited

_SHARES = {
    "percentagePointsPaint": "points_paint",
    "percentagePointsMidrange2pt": "points_mid_range",
    "percentagePoints3pt": "points_three",
    "percentagePointsFreeThrow": "points_free_throw",
}
#: shares are rounded: together they are all points, or a little more
_MOST_SHARED = 1.02


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
        for payload in (newest, *landed[newest.subject][-2::-1]):  # the one before it if it can't be read
            try:
                mine, refused = parse_scoring(zone.load(payload), payload, day)
            except PayloadError as error:
                rejects.append(Reject.of(payload, error, day))
                continue
            rows += mine
            rejects += refused
            break
    frame = pd.DataFrame(rows)
    if len(frame):
        frame = frame.assign(data_source=zone.data_source(SOURCE))
    return Parsed.of(tables.SCORING_SHARES, frame, rejects)


def _shares(statistics: Mapping[str, Any]) -> tuple[dict[str, float | None], list[FieldError]]:
    """A player's shares, and the errors of those that can't be read and are null."""
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

    A share that can't be read is null, and held back by itself.

    Raises:
        PayloadError: MISSING_COLUMN, WRONG_GAME or TOO_LARGE.
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
        raise PayloadError("MISSING_COLUMN", f"{payload.path} is not a boxscorescoringv3 payload: {error}") from error
    if payload.subject != f"{day}-{game_id}":
        raise PayloadError("WRONG_GAME", f"{payload.path}: gameId is {game_id}")
    limited([p for players in sides.values() for p in players], payload, "players")
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for side, players in sides.items():
        for n, player in enumerate(players):
            row, wrong = _player(player)
            place = f"{side}/{n}"
            rejects += [
                Reject(payload.path, place, why, f"{payload.path}: {detail}", player, game_date=day)
                for why, detail in wrong
            ]
            if row:
                at = {"game_date": pd.Timestamp(day), "game_id": game_id}
                rows.append({**at, **row, "payload": payload.path, POSITION: place})
    return rows, rejects


def _player(player: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A player's id and shares, empty without minutes or if they can't be used; and reasons with their details."""
    try:
        statistics = fields.record(player, "statistics")
        if "minutes" not in statistics:
            raise FieldError("minutes", None, "but it is required, even if blank")
        if not fields.optional_name(statistics, "minutes"):
            return {}, []
        player_id = fields.whole(player, "personId", 1)
    except FieldError as error:
        return {}, [("MALFORMED_ROW", str(error))]
    shares, wrong = _shares(statistics)
    rejects = [(BAD_FIELD, f"player {player_id}: {field}; stored as null") for field in wrong]
    if sum(s or 0.0 for s in shares.values()) > _MOST_SHARED:
        return {}, [*rejects, ("CONTRADICTORY_ROW", f"player {player_id}: his shares are more than all of his points")]
    return {"player_id": player_id, **shares}, rejects
