"""Rules on ``nba_reference``: players and resolved names."""

from __future__ import annotations

from nba_props.checks.common import daily, no_future_data, schema_rule
from nba_props.domain.quality import deliveries
from nba_props.schemas import reference

RULES = (
    schema_rule(reference.PLAYERS),
    schema_rule(reference.RESOLVED_NAMES),
    daily(
        "names_resolved",
        reference.RESOLVED_NAMES,
        f"At least {deliveries.NAMES_RESOLVED_SHARE:.1%} of the day's quotes belong to a known player.",
        deliveries.NAMES,
    ),
    no_future_data(
        reference.PLAYERS, "last_game_date >= game_date", "Teams come from appearances before the date only."
    ),
)
