"""The event log by the name under which ``dagster.yaml`` of a home knows it."""

from nba_props.automation.upstream.event_log import SqliteEventLog

__all__ = ["SqliteEventLog"]
