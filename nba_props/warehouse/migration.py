"""Migration from an earlier release: tables and columns that have another name now are renamed where they are stored.

A lake's folders and BigQuery's tables are renamed as they are, so that rows, ids, digests and statements stay the same.
Until then the warehouse is not opened, since the table would seem empty. Columns are renamed and filled in BigQuery, by
one statement for each table; a lake's files stay as they are, and are read under today's names (``growth``). A
migration that was killed half-way can be run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from nba_props.catalog import TABLES
from nba_props.schemas import Table
from nba_props.warehouse.base import Warehouse, unmigrated


@dataclass(frozen=True)
class Move:
    """A table that is, or was, stored under the name of an earlier release."""

    table: Table
    #: rows by date; None where a partition can't be opened, which is moved as it is
    rows: dict[date, int | None]

    @property
    def text(self) -> str:
        columns = [f"{c.formerly} -> {c.name}" for c in self.table.columns if c.formerly]
        columns += [f"{c.name} = {c.before}" for c in self.table.columns if c.before is not None]
        names = [f"{self.table.lasting_name} -> {self.table.address}"] if self.table.formerly else [self.table.address]
        counted = sum(n or 0 for n in self.rows.values())
        unread = sum(n is None for n in self.rows.values())
        more = f", {unread} dates that can't be read" if unread else ""
        return f"{', '.join([*names, *columns])}: {len(self.rows)} dates, {counted} rows{more}"


def needed(warehouse: Warehouse) -> list[Move]:
    """The tables that still have the name of an earlier release, with what is in them."""
    found = ((t, warehouse.stored_before(t)) for t in renamed())
    return [Move(t, rows) for t, rows in found if rows is not None]


def migrate(warehouse: Warehouse, *, dry_run: bool = False) -> list[Move]:
    """Give a warehouse's tables today's names; returns what was moved, or would be. A second call moves nothing.

    Args:
        warehouse: opened as it was found (``open_warehouse(settings, as_found=True)``).
        dry_run: touch nothing.

    Raises:
        WarehouseError: a table is stored under both names; nothing of it was moved twice, and nothing is lost.
    """
    moves = needed(warehouse)
    if not dry_run and moves:
        for move in moves:
            warehouse.take_over(move.table)
        warehouse.create_views()
    return moves


def renamed() -> Iterator[Table]:
    """The tables that an earlier release stored under another name, or with other columns."""
    return (t for t in TABLES.values() if t.formerly or any(c.formerly or c.before is not None for c in t.columns))


def refuse_unmigrated(warehouse: Warehouse) -> None:
    """Raise unless every table has today's name."""
    for move in needed(warehouse):
        raise unmigrated(move.table, warehouse.place, move.rows)
