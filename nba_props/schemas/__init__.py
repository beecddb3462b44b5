"""The contract of every table: types, units, nullability, bounds, keys and lineage.

Belongs here: what a table promises. Does not: how rows are made (domain) or stored (warehouse).
"""

from nba_props.schemas import analytics, features, monitoring, predictions, raw, reference
from nba_props.schemas.base import Column, ContractError, Table, Type, View, WriteMode

_TABLES = [
    raw.SCHEDULE,
    raw.QUARANTINED_GAMES,
    raw.BOX_SCORES,
    raw.QUARANTINED_BOX_SCORES,
    raw.SCORING_SHARES,
    raw.QUARANTINED_SCORING,
    raw.ROSTERS,
    raw.QUARANTINED_ROSTERS,
    raw.INJURY_REPORTS,
    raw.QUARANTINED_INJURIES,
    raw.ODDS_QUOTES,
    raw.QUARANTINED_QUOTES,
    reference.PLAYERS,
    reference.RESOLVED_NAMES,
    reference.UNRESOLVED_NAMES,
    analytics.SLATE,
    analytics.HISTORICAL_GAMES,
    analytics.BETTING_LINES,
    analytics.CONTEXT,
    features.PLAYER_FEATURES,
    *predictions.SYSTEM_TABLES.values(),
    predictions.LEDGER,
    predictions.QUARANTINED_PREDICTIONS,
    predictions.IMPORTED_PREDICTIONS,
    predictions.PUBLICATIONS,
    predictions.ARCHIVED_PREDICTIONS,
    predictions.REMEDIATIONS,
    predictions.PREDICTION_ACCURACY,
    predictions.GRADE_HISTORY,
    monitoring.SCOREBOARD,
]

TABLES: dict[str, Table] = {t.address: t for t in _TABLES}

__all__ = ["TABLES", "Column", "ContractError", "Table", "Type", "View", "WriteMode"]
