"""Every table and view, by its address."""

from __future__ import annotations

from nba_props.domain.views import ledger, monitoring, slate
from nba_props.schemas import TABLES, View

VIEWS: dict[str, View] = {
    v.address: v
    for v in (
        ledger.CURRENT_PREDICTIONS,
        ledger.JUDGED_PREDICTIONS,
        ledger.PLAYER_PROP_PREDICTIONS,
        slate.rotation_players(),
        ledger.LEDGER_REVISIONS,
        *monitoring.MONITORING_VIEWS,
    )
}


def views(min_minutes: int) -> dict[str, View]:
    """Every view by its address, where players matter from so many projected minutes on."""
    matter = slate.rotation_players(min_minutes)
    return {**VIEWS, matter.address: matter}


__all__ = ["TABLES", "VIEWS", "views"]
