"""The event log under the name that ``dagster.yaml`` of a Dagster home has."""

from nba_props.automation.upstream.event_log import SqliteEventLog

__all__ = ["SqliteEventLog"]
