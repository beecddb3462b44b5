"""Rules on ``nba_monitoring``: scores that can't be true."""

from __future__ import annotations

from nba_props.checks.common import daily
from nba_props.domain.quality import beside
from nba_props.schemas import monitoring

RULES = (
    daily(
        "not_too_good_beside_the_market",
        monitoring.MARKET_SCORES,
        "No system's season is surely better than the other books by more than "
        f"{beside.TOO_GOOD_LOG_LOSS} nats a quote, or than the close by an EV of {beside.TOO_GOOD_CLV:.0%}.",
        beside.NOT_TOO_GOOD,
    ),
)
