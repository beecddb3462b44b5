"""What is noted of partitions beside their rows: how many there are, and what was stated of them."""

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
    """A partition in an engine's manifest: what was noted when it was last written."""

    table: Table
    rows: int
    #: another one after each writing of the partition
    version: Hashable
    #: what its writer stated of the rows (``digests``); None where an earlier release or another writer wrote it
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
    """What is noted of a partition that is written now: how many rows it has, and the statement of them."""

    rows: int
    statement: str | None


@dataclass(frozen=True)
class Change:
    """Partitions of a ledger, locked: their rows as stored, and as they will be."""

    stored: pd.DataFrame
    rows: pd.DataFrame
    #: what the manifest has of the stored ones
    entries: Mapping[date, Entry]
    #: digest of what the new rows are made from, by partition
    made_from: Mapping[date, str]
    #: digests of the new rows
    content: Mapping[date, Mapping[str, str]]
    #: what a partition should hold and does not, because it was altered after it was written; None where it was not
    owed: Mapping[date, Mapping[str, str] | None]
    #: the stored rows are accepted as they are, by a person who seals them
    is_accepted: bool

    @property
    def written(self) -> dict[date, Written]:
        """What is to be noted of the new rows."""
        unmet = {day: digests.unmet(self.owed[day], self.content[day]) for day in self.made_from}
        return noted(self.rows, self.content, self.made_from, unmet)


def noted(
    rows: pd.DataFrame,
    content: Mapping[date, Mapping[str, str]],
    made_from: Mapping[date, str],
    due: Mapping[date, Mapping[str, str] | None] | None = None,
) -> dict[date, Written]:
    """What is to be noted of each partition in ``content``, the digests of its rows, which are among ``rows``."""
    counts = rows.groupby("game_date").size()
    return {
        day: Written(
            rows=int(counts.get(stamp(day), 0)),
            statement=digests.statement(said, made_from.get(day, ""), (due or {}).get(day)),
        )
        for day, said in content.items()
    }
