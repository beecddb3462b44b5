"""The part of a warehouse that rules need to read, as a protocol, so that the domain depends on no warehouse."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from nba_props.schemas import Table


class Stored(Protocol):
    """Stored tables."""

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        """The result of a portable GoogleSQL statement with parameters ``@name``."""

    def partitions(self, table: Table) -> list[date]:
        """The dates of a table's partitions, in order."""


def span_sql(table: Table) -> str:
    """SQL for the rows of a table in @first..@last, as a relation."""
    return f"(SELECT * FROM {table.address} WHERE game_date BETWEEN @first AND @last)"
