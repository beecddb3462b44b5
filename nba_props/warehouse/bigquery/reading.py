"""Rows out of BigQuery: the last frames read are kept, and a partition emptied by another program is an error."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from nba_props.domain import digests
from nba_props.facts.calendar import is_plausible
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, remedy
from nba_props.warehouse.bigquery.client import Api
from nba_props.warehouse.bigquery.manifest import Mark
from nba_props.warehouse.bigquery.tables import DATE_COLUMN, Tables
from nba_props.warehouse.bigquery.types import listed
from nba_props.warehouse.frames import in_order, joined, stamp, to_frame

if TYPE_CHECKING:
    import pandas as pd

_FRAMES_KEPT, _ROWS_KEPT = 8, 20_000


class Reader:
    """Reads the partitions of tables."""

    def __init__(self, api: Api, tables: Tables) -> None:
        self._api, self._tables = api, tables
        self._lock = threading.Lock()
        #: the last frames read, with their versions: eight systems read the same lines one after the other
        self._frames: dict[tuple[Any, ...], tuple[tuple[Any, ...], pd.DataFrame]] = {}

    def read(self, table: Table, partitions: Sequence[date], marked: Mapping[date, Mark]) -> pd.DataFrame:
        """The rows of partitions that have marks, in partition order."""
        asked = (table.address, *partitions)
        state = tuple(marked[d].version for d in partitions)
        with self._lock:
            known = self._frames.get(asked)
        if known is None or known[0] != state:
            rows = self._without_emptied(table, partitions, marked, self.select(table, partitions))
            known = (state, in_order(table, rows, partitions))
            # while a write is under way, one mark covers the old rows and then the new ones
            is_open = any(digests.is_under_way(marked[d].statement) for d in partitions)
            with self._lock:
                self._frames.pop(asked, None)
                if len(known[1]) <= _ROWS_KEPT and not is_open:
                    self._frames[asked] = known
                while len(self._frames) > _FRAMES_KEPT:
                    self._frames.pop(next(iter(self._frames)))
        return known[1].copy()

    def select(self, table: Table, days: Sequence[date]) -> pd.DataFrame:
        """The rows of some dates, in no order."""
        if len(days) == (max(days) - min(days)).days + 1:
            return self._where(table, "BETWEEN @first AND @last", first=min(days), last=max(days))
        return self._where(table, "IN UNNEST(@days)", days=list(days))

    def ledger(self, table: Table, days: list[date]) -> pd.DataFrame:
        """A ledger's rows of some dates, marked or not, in no order."""
        return table.conform(self._where(table, "IN UNNEST(@days)", days=days))

    def _where(self, table: Table, condition: str, **parameters: Any) -> pd.DataFrame:
        name = self._tables.ensure(table.address)
        sql = f"SELECT {listed(table.column_names)} FROM `{name}` WHERE {DATE_COLUMN} {condition}"
        return to_frame(self._api.rows(sql, parameters, table.address))

    def _without_emptied(
        self, table: Table, days: Sequence[date], marked: Mapping[date, Mark], rows: pd.DataFrame
    ) -> pd.DataFrame:
        """The rows, read once more for dates that have none and should.

        Raises:
            CorruptPartition: rows were written and there are none: another program emptied the partition.
        """
        emptied = [d for d in _without_rows(days, rows) if marked[d].rows]
        if not emptied:
            return rows
        now = self._tables.marked(table)  # they may have been replaced in between, by empty ones too
        emptied = [d for d in emptied if d in now and now[d].rows]
        late = self.select(table, emptied) if emptied else rows.iloc[:0]
        left = _without_rows(emptied, late)
        if left:
            raise CorruptPartition(
                f"{table.address} partition {left[0]} holds no row, though {now[left[0]].rows} were written on "
                f"{now[left[0]].written_at:%Y-%m-%d %H:%M} UTC. {remedy(table)}"
            )
        return joined(table, [rows, late]) if len(late) else rows

    def counts(self, table: Table, days: Collection[date] | None) -> dict[date, int]:
        """How many rows the table has on each date, marked or not, of all dates or these."""
        asked = sorted(days) if days is not None else [date.min, date.max]
        if not asked:
            return {}
        counted = self._api.rows(
            f"SELECT {DATE_COLUMN}, COUNT(*) AS row_count FROM `{self._tables.ensure(table.address)}` "
            f"WHERE {DATE_COLUMN} BETWEEN @first AND @last GROUP BY {DATE_COLUMN}",
            {"first": asked[0], "last": asked[-1]},
            table.address,
        ).to_pydict()  # a frame has no dates of other centuries
        found = dict(zip(counted[DATE_COLUMN], counted["row_count"], strict=True))
        return {d: n for d, n in found.items() if d is not None and (days is None or d in days)}

    def fingerprints(self, table: Table) -> dict[date, str]:
        """A digest of the rows of each date that has any, computed by BigQuery."""
        found = self._api.rows(
            f"SELECT {DATE_COLUMN}, COUNT(*) AS row_count, "
            "BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS digest "
            f"FROM `{self._tables.ensure(table.address)}` AS t GROUP BY {DATE_COLUMN}",
            {},
            table.address,
        ).to_pydict()
        return {
            day: f"{count} {digest}"
            for day, count, digest in zip(found[DATE_COLUMN], found["row_count"], found["digest"], strict=True)
            if day is not None and is_plausible(day)
        }


def _without_rows(days: Sequence[date], frame: pd.DataFrame) -> list[date]:
    there = set(frame[DATE_COLUMN])
    return [d for d in days if stamp(d) not in there]
