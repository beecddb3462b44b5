"""Every table and view, by its address."""

from __future__ import annotations

from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views import ledger, slate
from nba_props.domain.views.monitoring import MONITORING_VIEWS
from nba_props.schemas import (
    Table,
    View,
    analytics,
    distributions,
    features,
    minutes,
    monitoring,
    predictions,
    raw,
    reference,
)

TABLES: dict[str, Table] = {
    t.address: t
    for t in (
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
        analytics.BOOK_LINES,
        analytics.BETTING_LINES,
        analytics.CONSENSUS,
        analytics.PRICES,
        analytics.CONTEXT,
        features.PLAYER_FEATURES,
        features.MARKET_FEATURES,
        minutes.MINUTES,
        distributions.SHAPES,
        distributions.DEPENDENCE,
        distributions.DISTRIBUTIONS,
        *SYSTEM_TABLES.values(),
        predictions.LEDGER,
        predictions.QUARANTINED_PREDICTIONS,
        predictions.IMPORTED_PREDICTIONS,
        predictions.PUBLICATIONS,
        predictions.ARCHIVED_PREDICTIONS,
        predictions.REMEDIATIONS,
        predictions.PREDICTION_ACCURACY,
        predictions.GRADE_HISTORY,
        predictions.CLOSING_LINE_VALUE,
        predictions.QUOTE_SCORES,
        predictions.EVIDENCE,
        distributions.DISTRIBUTION_SCORES,
        distributions.COMBINATION_SCORES,
        minutes.MINUTES_SCORES,
        monitoring.SCOREBOARD,
        monitoring.MARKET_SCORES,
        monitoring.PROMOTIONS,
    )
}

VIEWS: dict[str, View] = {
    v.address: v
    for v in (
        ledger.CURRENT_PREDICTIONS,
        ledger.JUDGED_PREDICTIONS,
        ledger.PLAYER_PROP_PREDICTIONS,
        slate.rotation_players(),
        ledger.LEDGER_REVISIONS,
        *MONITORING_VIEWS,
    )
}


def views(min_minutes: int) -> dict[str, View]:
    """Every view by its address; ``min_minutes`` of projected minutes make a player one of the rotation."""
    rotation = slate.rotation_players(min_minutes)
    return {**VIEWS, rotation.address: rotation}


__all__ = ["TABLES", "VIEWS", "views"]
