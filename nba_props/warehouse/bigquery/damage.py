"""Partitions in BigQuery whose rows are not as they were written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.schemas import Table, WriteMode
from nba_props.warehouse.base import CorruptPartition, Damage, WarehouseError, remedy
from nba_props.warehouse.bigquery.manifest import Mark
from nba_props.warehouse.bigquery.reading import Reader
from nba_props.warehouse.bigquery.tables import Tables

#: how a partition's rows differ from what was stated of them; None when they don't
Alteration = Callable[[Table, date], str | None]


def damaged(tables: Tables, reader: Reader, days: Collection[date] | None, alteration: Alteration) -> list[Damage]:
    """The partitions, of all dates or these, that are not as they were written: one count of each table's rows, and a
    look at those of ledgers.
    """
    found: list[Damage] = []
    stored: Collection[str] | None = None
    for table in TABLES.values():
        marked = {d: m for d, m in tables.marked(table).items() if days is None or d in days}
        if not marked:
            stored = tables.stored() if stored is None else stored
            if table.address not in stored:
                continue
        try:
            tables.ensure(table.address)
        except WarehouseError as error:
            found += [Damage(table, day, str(error)) for day in marked]
            continue
        broken = tables.contracts.broken(table, marked)
        found += [Damage(table, day, text) for day, text in broken.items()]
        counted = reader.counts(table, days)
        wrong = _flaws(table, {*marked, *counted} - set(broken), marked, counted, alteration)
        if wrong:  # a writer may have stored the rows and not yet the mark: check again
            marked, counted = tables.marked(table), reader.counts(table, list(wrong))
            wrong = _flaws(table, wrong, marked, counted, alteration)
        is_ledger = table.write_mode is WriteMode.APPEND
        found += [Damage(table, day, text, is_readable=is_ledger) for day, text in wrong.items()]
    return found


def _flaws(
    table: Table,
    days: Collection[date],
    marked: Mapping[date, Mark],
    counted: Mapping[date, int],
    alteration: Alteration,
) -> dict[date, str]:
    found = {}
    for day in sorted(days):
        try:
            text = _flaw(table, day, marked.get(day), counted.get(day, 0), alteration)
        except CorruptPartition as error:
            text = str(error)
        if text:
            found[day] = text
    return found


def _flaw(table: Table, day: date, mark: Mark | None, rows: int, alteration: Alteration) -> str | None:
    """What is wrong with the rows of a date, in words."""
    name = f"{table.address} partition {day}"
    if mark is None:
        # it may be gone by now
        return f"{name} holds {rows} rows, though no mark records that it was written" if rows else None
    # rows with a statement are compared with it; a table other than a ledger is made again when it has changed
    is_ledger = table.write_mode is WriteMode.APPEND
    is_counted = not digests.is_under_way(mark.statement) and not (is_ledger and mark.statement and rows)
    if rows != mark.rows and is_counted:
        return (
            f"{name} holds {rows or 'no'} rows, though {mark.rows} were written on "
            f"{mark.written_at:%Y-%m-%d %H:%M} UTC. {remedy(table)}"
        )
    return alteration(table, day) if is_ledger else None
