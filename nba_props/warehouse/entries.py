"""What is recorded of partitions besides their rows: how many they are, and the statement of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from nba_props.domain import digests
from nba_props.schemas import Table
from nba_props.warehouse.frames import stamp

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A partition in an engine's manifest: what was recorded when it was last written."""

    table: Table
    rows: int
    #: different after each write of the partition
    version: Hashable
    #: what its writer stated of the rows (``digests``); None if an earlier release or another program wrote it
    statement: str | bytes | None
    #: where the rows are, for messages that name it
    place: str = ""

    @cached_property
    def _stated(self) -> tuple[Mapping[str, str] | None, str]:
        return digests.stated(self.table, self.statement)

    @property
    def content(self) -> Mapping[str, str] | None:
        """Digests of the rows by facet of the table; None where they are not stated."""
        return self._stated[0]

    @property
    def made_from(self) -> str:
        """Digest of what the rows were made from; ``""`` where it is not stated."""
        return self._stated[1]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What is recorded of a partition as it is written: how many rows it has, and the statement of them."""

    rows: int
    statement: str | None


@dataclass(frozen=True)
class Change:
    """Partitions of a ledger, locked: their rows as stored, and as they will be."""

    stored: pd.DataFrame
    rows: pd.DataFrame
    #: the manifest's entries of the stored rows
    entries: Mapping[date, Entry]
    #: digest of what the new rows are made from, by partition
    made_from: Mapping[date, str]
    #: digests of the new rows
    content: Mapping[date, Mapping[str, str]]
    #: what a partition should hold and does not, because it was altered after it was written; None if it was not
    owed: Mapping[date, Mapping[str, str] | None]
    #: a person accepts the stored rows as they are, by sealing them
    is_accepted: bool

    @property
    def written(self) -> dict[date, Written]:
        """What is to be recorded of the new rows."""
        unmet = {day: digests.unmet(self.owed[day], self.content[day]) for day in self.made_from}
        return noted(self.rows, self.content, self.made_from, unmet)


def noted(
    rows: pd.DataFrame,
    content: Mapping[date, Mapping[str, str]],
    made_from: Mapping[date, str],
    due: Mapping[date, Mapping[str, str] | None] | None = None,
) -> dict[date, Written]:
    """What is to be recorded of each partition in ``content``, the digests of its rows, which are among ``rows``."""
    counts = rows.groupby("game_date").size()
    return {
        day: Written(
            rows=int(counts.get(stamp(day), 0)),
            statement=digests.statement(stated, made_from.get(day, ""), (due or {}).get(day)),
        )
        for day, stated in content.items()
    }
