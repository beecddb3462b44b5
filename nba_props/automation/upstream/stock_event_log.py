"""Dagster's SQLite event log, where nothing private of Dagster is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

import dagster as dg

# not exported, but named in Dagster's documentation as the module and class of an instance's settings
from dagster._core.storage.event_log import SqliteEventLogStorage

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData


class StockEventLog(SqliteEventLogStorage):
    """Dagster's event log, by default in the folder where Dagster keeps its databases."""

    @classmethod
    def config_type(cls) -> Any:
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        base_dir = config_value.get("base_dir") or os.path.join(os.environ["DAGSTER_HOME"], "history", "runs")
        return cls(base_dir, inst_data)

    def close(self, shard: str) -> None:
        """Close a database, so that its file can be deleted: here none stays open."""

    def rebuild_index(self) -> int | None:
        """Fill a new index; returns the number of runs, or None where that can't be done, as here."""
        return None
