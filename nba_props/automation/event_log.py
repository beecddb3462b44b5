"""The event log under the name that ``dagster.yaml`` of a Dagster home has."""

from __future__ import annotations

import os

from nba_props.automation.upstream import is_tested
from nba_props.automation.upstream.stock_event_log import StockEventLog


def batch_events() -> None:
    """Let this process and its children pass a run's partition events to the storage in batches."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")


def _fitting() -> type[StockEventLog]:
    if not is_tested("the event log", "which is slow over many partitions"):
        return StockEventLog
    from nba_props.automation.upstream.batched_event_log import BatchedEventLog

    return BatchedEventLog


#: the event log of a home
SqliteEventLog = _fitting()
