"""Every feed of the platform. A new one is a folder with its record, a line here, and its tables in ``catalog.py``."""

from __future__ import annotations

from nba_props.schemas import Table
from nba_props.sources.base import Feed, RawTable
from nba_props.sources.injury_report.feed import FEED as INJURY_REPORT
from nba_props.sources.nba_stats.feed import FEED as NBA_STATS
from nba_props.sources.odds_api.feed import FEED as ODDS_API

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


def layout() -> tuple[tuple[str, str], ...]:
    """The folders that payloads are read from, and how their subjects look."""
    return tuple(entry for feed in feeds() for entry in feed.layout)
