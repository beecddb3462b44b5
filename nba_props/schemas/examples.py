"""An example value of every column, made from its contract: its allowed values, its unit, its bounds, or its name.

Values show the form and are of no game.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from nba_props.facts.vocabulary import DataSource, LineSource, NullReason, Recommendation
from nba_props.schemas.base import Column, ContractError, Type

#: what a column holds
Value = str | int | float | bool | date | datetime

_ID = "9f2c41d07ab3"
_PLAYER, _TRICODE, _TEAM = "Caspian Jessamy", "HRG", "Harbourgate Herons"
_BOOK, _OTHER_BOOK = "draftkings", "fanduel"
#: texts and ids by the name of their column, which has one form in every table
_BY_NAME: Mapping[str, str | int] = {
    "abstain_reason": "MISSING_INPUT: minutes_ewma",
    "action": "quarantine placeholder/1 2026-01-09..2026-01-10",
    "archive_digest": _ID,
    "archived_id": f"{_ID}/0",
    "arena": "Harbour Dome",
    "away_team": "RVH",
    "away_team_id": 1610612902,
    "away_team_name": "Riverhead Otters",
    "batch_id": _ID,
    "best_candidate": _PLAYER,
    "best_over_book": _BOOK,
    "best_under_book": _OTHER_BOOK,
    "bet_id": _ID,
    "bookmaker": _BOOK,
    "close_quote_id": _ID,
    "command": "nba-props run 2026-01-09",
    "components": '{"fatigue": -0.4}',
    "confidence_score": "0.84",
    "data_source": "SIMULATED",
    "deletion_reason": "quarantine placeholder/1 2026-01-09..2026-01-10",
    "detail": "line 120.5 is above 84.5",
    "engine": "kambi",
    "event_id": _ID,
    "examples": f"{_PLAYER} 20.0 no source",
    "excess": "[[0.012, -0.003]]",
    "feature_hash": _ID,
    "game_id": "0022500551",
    "grade_id": _ID,
    "home_team": _TRICODE,
    "home_team_id": 1610612901,
    "home_team_name": _TEAM,
    "job_name": "predict",
    "last_season": "2025-26",
    "line_problem": "PLACEHOLDER_LINE",
    "line_source": LineSource.ACTUAL_PROP.value,
    "line_source_api": "ODDS_API",
    "market": "points",
    "masses": "[0.05, 0.1, 0.85]",
    "model_version": "2",
    "no_distribution_reason": "NO_SHAPE",
    "null_reasons": '{"opponent_pace": "TEAM_UNKNOWN"}',
    "opening_quote_id": _ID,
    "opponent": "RVH",
    "opponent_team_id": 1610612902,
    "over_book": _BOOK,
    "player_id": 1630001,
    "player_lookup": "caspianjessamy",
    "player_name": _PLAYER,
    "position": "row 17",
    "prediction_id": _ID,
    "quantiles": "[-2.4, 0.0, 2.6]",
    "quarantine_id": _ID,
    "quote_id": _ID,
    "raw": '{"point": 120.5}',
    "reason": "BAD_POINT",
    "replaces": _ID,
    "revision": "0.1.0+3fa9c21",
    "row_digest": _ID,
    "row_id": _ID,
    "run_id": "5d2b1c9e-7f60-4c1a-9a57-0e6b6f3d8a11",
    "schema_hash": _ID,
    "scope": "Overall",
    "season": "2025-26",
    "season_type": "Regular Season",
    "severity": "OK",
    "source": DataSource.THE_ODDS_API.value,
    "source_game_id": "0022500551",
    "source_name": _PLAYER,
    "source_prediction_id": _ID,
    "source_recommendation": Recommendation.OVER.value,
    "source_row": '{"player_lookup": "caspianjessamy"}',
    "source_version": "v1",
    "sportsbook": _BOOK,
    "superseded_by": _ID,
    "system_id": "ensemble_v1_1",
    "team": _TRICODE,
    "team_id": 1610612901,
    "team_name": _TEAM,
    "team_null_reason": NullReason.TEAM_UNKNOWN.value,
    "under_book": _OTHER_BOOK,
    "unit": "stat",
}
#: paths of payloads by what the name of their table ends with
_PAYLOADS: Mapping[str, str] = {
    "schedule": "nba_stats/scheduleleaguev2/2025-26.json.gz",
    "games": "nba_stats/scheduleleaguev2/2025-26.json.gz",
    "box_scores": "nba_stats/leaguegamelog/2025-26/2026-01-09-regular-season.json.gz",
    "scoring_shares": "nba_stats/boxscorescoringv3/2025-26/2026-01-09-0022500551.json.gz",
    "scoring": "nba_stats/boxscorescoringv3/2025-26/2026-01-09-0022500551.json.gz",
    "rosters": "nba_stats/commonallplayers/2025-26/2026-01-09-20260109T160000Z.json.gz",
    "injury_reports": "injury_report/2026-01-09/report-20260109T173000Z.json.gz",
    "injuries": "injury_report/2026-01-09/report-20260109T173000Z.json.gz",
    "quotes": f"the_odds_api/player_markets/2026-01-09/{_ID}-20260109T170000Z.json.gz",
}
#: by the unit of a number
_BY_UNIT: Mapping[str, float] = {"stat": 18.5, "points": 18.5, "min": 31.5, "0-1": 0.55, "0-100": 97.5, "units": 0.91}
#: the first of the codes that a description lists
_CODE = re.compile(r"(?:^|: )([A-Z][A-Z_]+)\b|, or ([A-Z_]{4,});|such as ([\d-]+)")
_DAY = date(2026, 1, 9)
_INSTANT = datetime(2026, 1, 9, 17, tzinfo=UTC)
_PRICE, _CHANCE = -110, 0.53


def example(column: Column, address: str = "") -> Value:
    """A value that the column may hold, of its type: text, whole number, number, truth value, date or UTC instant.

    Args:
        column: the column.
        address: its table or view, where a value has another form in another one.

    Raises:
        ContractError: a column of text has neither allowed values nor a known name, and its description lists no code.
    """
    if column.type is Type.DATE:
        return _DAY
    if column.type is Type.TIMESTAMP:
        return _INSTANT
    if column.type is Type.BOOL:
        return True
    return _text(column, address) if column.type is Type.STRING else _number(column)


def example_text(column: Column, address: str = "") -> str:
    """The same as text: a number as JSON has it, a date or an instant in ISO 8601."""
    value = example(column, address)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else json.dumps(value)


def _text(column: Column, address: str) -> str:
    if column.isin:
        return column.isin[0]
    if column.name == "payload":
        return next((path for end, path in _PAYLOADS.items() if address.endswith(end)), _PAYLOADS["quotes"])
    if column.name in _BY_NAME:
        return str(_BY_NAME[column.name])
    found = _CODE.search(column.description)
    if found is None:
        raise ContractError(f"{column.name}: no example follows from {column.description!r}; add one by its name")
    return found[found.lastindex or 0]


def _number(column: Column) -> int | float:
    usual = _BY_UNIT.get(column.unit or "", 3)
    if "American" in column.description:
        usual = _PRICE
    elif column.le == 1 or column.description.startswith("P("):
        usual = _CHANCE
    value = float(_BY_NAME.get(column.name, usual))
    value = value if column.ge is None else max(value, column.ge)
    value = value if column.le is None else min(value, column.le)
    return int(value) if column.type is Type.INT64 else value
