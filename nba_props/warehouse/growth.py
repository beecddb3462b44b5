"""How a table's contract may change under rows that are stored: one rule for every warehouse.

A column that is new and may be null reads as null from what was written before. Anything else (a new column that may
not be null, one that is gone, renamed or of another type) is an error that names the partition, the columns and the way
out: no answer is better than one with another meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nba_props.schemas import Table, WriteMode

#: the type of a column in which another's writer found no value and so no type
ALL_NULL = "NULL"


@dataclass(frozen=True)
class Fit:
    """What stored columns are under a contract."""

    #: columns that read as null
    absent: tuple[str, ...]
    #: what can't be read under the contract, in words; none when all can
    broken: tuple[str, ...]


def fit(table: Table, stored: Mapping[str, str]) -> Fit:
    """How columns that were stored, with their types' names, fit the contract of today."""
    missing = [c for c in table.columns if stored.get(c.name, ALL_NULL) == ALL_NULL]
    broken = [f"{c.name} is missing and can't be null" for c in missing if not c.nullable]
    broken += [f"{name} is none of the contract's (removed or renamed)" for name in stored if not _has(table, name)]
    broken += [
        f"{c.name} is {stored[c.name]} and not {c.type}"
        for c in table.columns
        if c not in missing and stored[c.name] != c.type
    ]
    return Fit(tuple(c.name for c in missing if c.nullable), tuple(broken))


def _has(table: Table, name: str) -> bool:
    return name in table.column_names


def complaint(table: Table, partition: object, broken: Iterable[str], span: str | None = None) -> str:
    """The error of a partition that was written under another contract."""
    return f"{table.address} partition {partition} was written under another contract: {'; '.join(broken)}. " + way_out(
        table, span or str(partition)
    )


def way_out(table: Table, span: str) -> str:
    """The command that helps; there is none for a ledger, whose rows can't be made again."""
    if table.write_mode is WriteMode.APPEND:
        return (
            "Its rows can't be made again: go on with the release that wrote it. A contract of what only grows may "
            "gain columns that can be null, and lose, rename or retype none"
        )
    return f"`nba-props backfill {span} --force` makes it again"
