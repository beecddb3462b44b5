"""Every feed of the platform. A new one is a folder with its record, a line here, and its tables in ``catalog.py``."""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_props.schemas import Table
from nba_props.sources.base import Feed, Odds, RawTable
from nba_props.sources.injury_report.feed import FEED as INJURY_REPORT
from nba_props.sources.nba_stats.feed import FEED as NBA_STATS
from nba_props.sources.odds_api.feed import FEED as ODDS_API
from nba_props.storage.landing import LandingZone

FEEDS: tuple[Feed, ...] = (ODDS_API, NBA_STATS, INJURY_REPORT)


def feeds() -> tuple[Feed, ...]:
    """Every feed; called for each use, so that a test can add one."""
    return FEEDS


def source_of(table: Table) -> tuple[Feed, RawTable] | None:
    """The feed that a table or a quarantine is made from, and how; None for a table that is not made from payloads."""
    return next(
        (
            (feed, source)
            for feed in feeds()
            for source in feed.tables
            if table.address in (source.table.address, source.quarantine.address)
        ),
        None,
    )


def days_with_odds(zone: LandingZone) -> list[date]:
    """The game dates for which odds are landed, in order."""
    return sorted({day for odds in _odds() for day in odds.landed_days(zone)})


def with_odds(zone: LandingZone) -> LandingZone | None:
    """The landing zone if it has odds; without any, no quote can be traced to a payload."""
    return zone if zone.exists() and days_with_odds(zone) else None


def not_as_landed(zone: LandingZone, quotes: pd.DataFrame) -> set[str]:
    """The ids of stored quotes that no payload has, or has with another player, line or price."""
    return set.intersection(*(odds.not_as_landed(zone, quotes) for odds in _odds()))


def _odds() -> list[Odds]:
    return [feed.odds for feed in feeds() if feed.odds is not None]


def layout() -> tuple[tuple[str, str], ...]:
    """The folders that payloads are read from, and how their subjects look."""
    return tuple(entry for feed in feeds() for entry in feed.layout)
