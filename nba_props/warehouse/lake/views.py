"""The lake's tables and views in a DuckDB connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from nba_props.catalog import TABLES
from nba_props.facts.digest import digest
from nba_props.schemas import Table, View
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.sql import to_duckdb

if TYPE_CHECKING:
    import duckdb


class Views:
    """Every view by its address."""

    def __init__(self, views: Mapping[str, View]) -> None:
        self.views = views
        #: the body of each view, with its statement and the tables behind it at that time
        self._bodies: dict[str, tuple[str, list[Table], str]] = {}

    @property
    def addresses(self) -> list[str]:
        """Every table and view."""
        return [*TABLES, *self.views]

    def tables_behind(self, address: str) -> list[Table]:
        """A table itself, or the tables that a view reads, through others too."""
        if address not in self.views:
            return [TABLES[address]] if address in TABLES else []
        found = {t.address: t for read in self._reads(address) for t in self.tables_behind(read)}
        return [found[a] for a in sorted(found)]

    def _reads(self, address: str) -> Sequence[str]:
        return to_duckdb(self.views[address].sql).reads

    def body(self, address: str) -> str:
        """A view's statement, and a mark of the contracts behind it: DuckDB keeps the columns that a ``*`` once had."""
        behind = self.tables_behind(address)
        sql = self.views[address].sql
        known = self._bodies.get(address)
        if known is None or known[:2] != (sql, behind):
            contracts = json.dumps([(t.address, [(c.name, c.type) for c in t.columns]) for t in behind])
            known = self._bodies[address] = sql, behind, f"{to_duckdb(sql).sql} /* {digest(contracts, 8)} */"
        return known[2]

    def create(
        self,
        connection: duckdb.DuckDBPyConnection,
        addresses: Sequence[str],
        known: dict[str, str],
        scan: Callable[[Table], str],
    ) -> None:
        """Create views of the given names and of what they read.

        Args:
            connection: where.
            addresses: tables and views.
            known: the statements that the connection has already, by address; those created are added.
            scan: gives the statement that reads a table.

        Raises:
            WarehouseError: there is no such table or view.
        """
        for address in addresses:
            if address in self.views:
                self.create(connection, self._reads(address), known, scan)
                body = self.body(address)
            elif address in TABLES:
                body = scan(TABLES[address])
            else:
                raise WarehouseError(f"there is no table or view {address}; there are {', '.join(self.addresses)}")
            if known.get(address) != body:
                dataset, name = address.split(".")
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')
                connection.execute(f'CREATE OR REPLACE VIEW "{dataset}"."{name}" AS {body}')
                known[address] = body
