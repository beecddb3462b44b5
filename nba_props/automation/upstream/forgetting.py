"""Deleting the events of old runs, without the materializations that Dagster would delete with them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as db

from nba_props.automation.upstream import is_the_tested_version
from nba_props.process.errors import NbaPropsError

_NEWEST = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION")


class UnknownStorage(NbaPropsError):
    """A storage keeps its events in an unknown way."""


def forget_events(log: object, runs: Sequence[str]) -> None:
    """Delete the events of some runs, except each partition's newest materialization and each check's newest result.

    Raises:
        UnknownStorage: the events are not in a storage whose tables are known.
    """
    unknown = UnknownStorage(f"runs can't be pruned: how {type(log).__name__} keeps events is not known here")
    if not is_the_tested_version():
        raise unknown
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        SqlEventLogStorageTable,
    )

    if not isinstance(log, SqlEventLogStorage):
        raise unknown
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    newest = db.select(db.func.max(events.id)).where(events.dagster_event_type.in_(_NEWEST))
    newest = newest.group_by(events.asset_key, events.partition, events.dagster_event_type)
    results = db.select(db.func.max(checks.id))
    results = results.group_by(checks.asset_key, checks.check_name, checks.partition, checks.execution_status)
    with log.index_connection() as connection:
        gone = db.and_(events.run_id.in_(runs), events.id.not_in(newest))
        tagged = db.select(events.id).where(gone)
        connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(tagged)))
        connection.execute(SqlEventLogStorageTable.delete().where(gone))
        connection.execute(
            AssetCheckExecutionsTable.delete().where(checks.run_id.in_(runs), checks.id.not_in(results))
        )  # fmt: skip
    if log.supports_global_concurrency_limits:
        for run_id in runs:
            log.free_concurrency_slots_for_run(run_id)
