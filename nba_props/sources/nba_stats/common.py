"""What the parsers of stats.nba.com share: the source that its rows name, result sets, season types."""

from __future__ import annotations

from typing import Any

from nba_props.facts.calendar import season_type_of
from nba_props.facts.vocabulary import DataSource
from nba_props.storage.landing import Payload, PayloadError, limited

#: how rows name their source
SOURCE = DataSource.NBA_STATS.value
#: the reason code of a field that is stored as null in a row that is kept
BAD_FIELD = "BAD_FIELD"
#: more columns than a result set has
_MOST_COLUMNS = 200


def season_type(game_id: str) -> str | None:
    """The season type of a game id; None for a prefix that the NBA does not use."""
    try:
        return season_type_of(game_id)
    except KeyError:
        return None


def result_set(content: Any, name: str, payload: Payload) -> tuple[list[str], list[Any]]:
    """Headers and rows of a payload's result set.

    Raises:
        PayloadError: WRONG_SHAPE, it has none of that name; or TOO_LARGE.
    """
    sets = content.get("resultSets") if isinstance(content, dict) else None
    for one in sets if isinstance(sets, list) else []:
        if isinstance(one, dict) and one.get("name") == name:
            headers, rows = one.get("headers"), one.get("rowSet")
            if isinstance(headers, list) and isinstance(rows, list) and len(headers) <= _MOST_COLUMNS:
                limited(rows, payload, "rows")
                return headers, rows
    raise PayloadError("WRONG_SHAPE", f"{payload.path} has no result set {name} with headers and rowSet")
