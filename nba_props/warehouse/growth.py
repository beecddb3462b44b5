"""How a table's contract may change while rows are stored: one rule for every warehouse.

A new nullable column reads as null from partitions that were written before. Anything else (a new required column, one
that is removed, renamed or of another type) is an error that names the partition, the columns and the remedy: no answer
is better than one with another meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nba_props.schemas import Table, WriteMode

#: the type of a column that another program stored without a value, and so without a type
ALL_NULL = "NULL"


@dataclass(frozen=True)
class Fit:
    """How stored columns fit a contract."""

    #: columns that read as null
    absent: tuple[str, ...]
    #: what can't be read under the contract, in words; empty when all can
    broken: tuple[str, ...]


def fit(table: Table, stored: Mapping[str, str]) -> Fit:
    """How stored columns, with the names of their types, fit today's contract."""
    missing = [c for c in table.columns if stored.get(c.name, ALL_NULL) == ALL_NULL]
    broken = [f"{c.name} is missing and can't be null" for c in missing if not c.nullable]
    broken += [f"{name} is not in the contract (removed or renamed)" for name in stored if not _has(table, name)]
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
    what = f"{table.address} partition {partition} was written under another contract: {'; '.join(broken)}"
    return f"{what}. {_remedy(table, span or str(partition))}"


def _remedy(table: Table, span: str) -> str:
    """The command that helps; for a ledger, whose rows can't be made again, there is none."""
    if table.write_mode is WriteMode.APPEND:
        return (
            "Its rows can't be made again: keep using the release that wrote it. The contract of a ledger may gain "
            "nullable columns, and may not lose, rename or retype any"
        )
    return f"`nba-props backfill {span} --force` makes it again"
