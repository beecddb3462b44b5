"""The contract each partition was written under: its columns are recorded in the bucket, and marks name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from nba_props.schemas import Table
from nba_props.warehouse import growth
from nba_props.warehouse.base import CorruptPartition
from nba_props.warehouse.bigquery.client import translated_errors
from nba_props.warehouse.bigquery.manifest import Manifest, Mark
from nba_props.warehouse.bigquery.types import contract_columns, contract_of

#: where the columns of a contract are recorded, and under what name those of earlier releases are
CONTRACTS = "_contracts"
_BEFORE = "before"


class Contracts:
    """The contracts that a deployment's tables have had."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._read: dict[tuple[str, str], Mapping[str, str]] = {}

    def keep(self, table: Table) -> None:
        """Record the columns of today's contract, unless they are recorded already."""
        self._note(table, contract_of(table), contract_columns(table))

    def keep_before(self, table: Table, columns: Mapping[str, str]) -> None:
        """Record the columns that earlier releases wrote, whose marks name no contract."""
        self._note(table, _BEFORE, columns)

    def _note(self, table: Table, contract: str, columns: Mapping[str, str]) -> None:
        self._manifest.create(f"{CONTRACTS}/{table.address}/{contract}", json.dumps(dict(columns)))

    def _columns(self, table: Table, contract: str | None) -> Mapping[str, str]:
        """The columns that partitions of a contract were written with."""
        key = table.address, contract or _BEFORE
        if contract == contract_of(table):
            return contract_columns(table)
        if key not in self._read:
            text = self._manifest.read(f"{CONTRACTS}/{key[0]}/{key[1]}")
            # where nothing was recorded nothing has changed
            self._read[key] = json.loads(text) if text else contract_columns(table)
        return self._read[key]

    def broken(self, table: Table, marked: Mapping[date, Mark]) -> dict[date, str]:
        """For each partition that can't be read under today's contract, the reason and the remedy."""
        fits: dict[str | None, growth.Fit] = {}
        with translated_errors(table.address):
            for contract in {mark.contract for mark in marked.values()}:
                fits[contract] = growth.fit(table, self._columns(table, contract))
        return {
            day: growth.complaint(table, day, fits[mark.contract].broken)
            for day, mark in marked.items()
            if fits[mark.contract].broken
        }

    def refuse_broken(self, table: Table, marked: Mapping[date, Mark]) -> None:
        """Raise :class:`CorruptPartition` if a partition can't be read under today's contract."""
        broken = self.broken(table, marked)
        if broken:
            more = f" (and {len(broken) - 1} more partitions)" if len(broken) > 1 else ""
            raise CorruptPartition(f"{broken[min(broken)]}{more}")
