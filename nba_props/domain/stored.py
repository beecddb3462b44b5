"""What rules read: the part of a warehouse that the domain needs, so that it depends on none."""

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
        """The dates that a table has, in order."""
