"""How a table's contract may change while rows are stored: one rule for every warehouse.

A new nullable column reads as null from partitions that were written before, a column with ``before`` as that value,
and one that has another name now by its name of then (``formerly``). Anything else (a new required column, one that is
removed or of another type) is an error that names the partition, the columns and the remedy: no answer is better than
one with another meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nba_props.schemas import Table, WriteMode

#: the type of a column that another program stored without a value, and so without a type
ALL_NULL = "NULL"


@dataclass(frozen=True, order=True)
class Fit:
    """How stored columns fit a contract; without any argument, as they are."""

    #: columns that are not stored: they read as ``Column.before``, or as null
    absent: tuple[str, ...] = ()
    #: columns that are stored under their former name
    renamed: tuple[str, ...] = ()
    #: what can't be read under the contract, in words; empty when all can
    broken: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether every column of the contract is stored by its name."""
        return not (self.absent or self.renamed or self.broken)


def fit(table: Table, stored: Mapping[str, str]) -> Fit:
    """How stored columns, with the names of their types, fit today's contract."""
    renamed = [c for c in table.columns if c.formerly in stored and c.name not in stored]
    under = {c.name: c.formerly if c in renamed else c.name for c in table.columns}
    missing = [c for c in table.columns if stored.get(under[c.name], ALL_NULL) == ALL_NULL]
    absent = [c for c in missing if c.nullable or (c.before is not None and c.name not in stored)]
    broken = [f"{c.name} is missing and can't be null" for c in missing if c not in absent]
    broken += [f"{name} is not in the contract (removed or renamed)" for name in stored if name not in under.values()]
    broken += [
        f"{c.name} is {stored[under[c.name]]} and not {c.type}"
        for c in table.columns
        if c not in missing and stored[under[c.name]] != c.type
    ]
    present = [c.name for c in renamed if c not in missing]
    return Fit(tuple(c.name for c in absent), tuple(present), tuple(broken))


def outdated(table: Table, fit: Fit) -> list[str]:
    """What of a fit a store with one set of columns for all partitions has to migrate, in words."""
    renamed = [f"{c.lasting_name} is {c.name} now" for c in table.columns if c.name in fit.renamed]
    return [*renamed, *(f"{c.name} is missing" for c in table.columns if c.name in fit.absent and c.before is not None)]


def complaint(table: Table, partition: object, broken: Iterable[str], span: str | None = None) -> str:
    """The error of a partition that was written under another contract."""
    what = f"{table.address} partition {partition} was written under another contract: {'; '.join(broken)}"
    return f"{what}. {_remedy(table, span or str(partition))}"


def _remedy(table: Table, span: str) -> str:
    """The command that helps; for a ledger, whose rows can't be made again, there is none."""
    if table.write_mode is WriteMode.APPEND:
        return (
            "Its rows can't be made again: keep using the release that wrote it. The contract of a ledger may gain "
            "nullable columns, and may not lose or retype any"
        )
    return f"`nba-props backfill {span} --force` makes it again"
