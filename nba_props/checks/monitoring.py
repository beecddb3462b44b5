"""Rules on ``nba_monitoring``: scores that can't be true, and weights that were not earned."""

from __future__ import annotations

from nba_props.checks.common import daily, schema_rule
from nba_props.domain import promotion
from nba_props.domain.quality import beside, promotions
from nba_props.schemas import monitoring

RULES = (
    daily(
        "not_too_good_beside_the_market",
        monitoring.MARKET_SCORES,
        "No system's season is surely better than the other books by more than "
        f"{beside.TOO_GOOD_LOG_LOSS} nats a quote, or than the close by an EV of {beside.TOO_GOOD_CLV:.0%}.",
        beside.NOT_TOO_GOOD,
    ),
    schema_rule(monitoring.PROMOTIONS),
    daily(
        "weights_are_earned",
        monitoring.PROMOTIONS,
        f"No system in shadow has a weight without {promotion.FEWEST_DATES} dates since it was frozen and a gain that "
        "is surely above 0; warns in the week of a change.",
        promotions.EARNED,
    ),
)
