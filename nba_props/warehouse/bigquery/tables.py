"""The tables and views in BigQuery: created from their contracts, extended with them, renamed after a migration."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from google.cloud import bigquery

from nba_props.catalog import TABLES
from nba_props.schemas import Table, View, WriteMode
from nba_props.warehouse import growth
from nba_props.warehouse.base import WarehouseError, unmigrated
from nba_props.warehouse.bigquery.client import Api, retried_while_busy, translated_errors
from nba_props.warehouse.bigquery.contracts import CONTRACTS, Contracts
from nba_props.warehouse.bigquery.leases import Leases
from nba_props.warehouse.bigquery.manifest import Manifest, Mark
from nba_props.warehouse.bigquery.types import contract_of, described_fields, fields, promises, stored_columns
from nba_props.warehouse.lake.columns import columns_of
from nba_props.warehouse.sql import qualified, reads

DATE_COLUMN = "game_date"
#: columns that a table is clustered by, as far as it has them
CLUSTERED_BY = ("system_id", "player_id")
#: labels of a table: the contract whose columns it has, that it was given a required column late, and that its columns
#: are being migrated
_CONTRACT_LABEL, _LATE_LABEL, _MIGRATING_LABEL = "contract", "late_columns", "migrating"


class Tables:
    """Tables and views ``project.<prefix><dataset>.<table>``, each checked once by a process."""

    def __init__(self, api: Api, manifest: Manifest, leases: Leases, prefix: str, views: Mapping[str, View]) -> None:
        self.prefix = prefix
        self.views = views
        self.contracts = Contracts(manifest)
        self._api, self._manifest, self._leases = api, manifest, leases
        self._there: set[str] = set()
        #: tables that were given a required column when they had partitions already
        self._late: set[str] = set()
        #: whether every table is known to have today's name
        self._is_todays = False

    @property
    def place(self) -> str:
        """Where the tables are, for people to read."""
        return f"BigQuery {self._api.project}.{self.prefix}nba_*"

    def name(self, address: str) -> str:
        """The full name of a table or view."""
        return f"{self._api.project}.{self.prefix}{address}"

    def stored(self) -> set[str]:
        """The addresses of the tables and views that there are, by one request for each dataset."""
        found = set()
        for dataset in sorted({table.dataset for table in TABLES.values()}):
            with translated_errors(dataset):
                names = self._api.listed(f"{self._api.project}.{self.prefix}{dataset}")
            found |= {f"{dataset}.{name}" for name in names}
        return found

    def marked(self, table: Table) -> dict[date, Mark]:
        """The marks of a table's partitions, in order."""
        self.refuse_unmigrated(table.address)
        with translated_errors(table.address):
            return self._manifest.of(table)

    # -- creation ---------------------------------------------------------------------------------------------------

    def ensure(self, address: str) -> str:
        """The full name of a table or view, after it was created or brought to its contract where needed."""
        self.refuse_unmigrated(address)
        name = self.name(address)
        if address not in self._there:
            with translated_errors(address):
                if address in self.views:
                    self._ensure_view(address, name)
                elif address in TABLES:
                    self._ensure_table(TABLES[address], name)
                else:
                    raise WarehouseError(
                        f"there is no table or view {address}; there are {', '.join([*TABLES, *self.views])}"
                    )
            self._there.add(address)
        return name

    def ensure_all(self, addresses: Collection[str]) -> None:
        """Make sure that everything a statement reads exists and can be read under today's contracts."""
        for address in addresses:
            self.ensure(address)
        self._refuse_broken_behind(addresses)

    def _refuse_broken_behind(self, addresses: Iterable[str]) -> None:
        """Raise if a statement reads partitions that can't be read; only tables with a late column have such."""
        for address in addresses:
            if address in self.views:
                self._refuse_broken_behind(reads(self.views[address].sql))
            elif address in self._late:
                self.contracts.refuse_broken(TABLES[address], self.marked(TABLES[address]))

    def _ensure_table(self, table: Table, name: str) -> None:
        wanted = bigquery_table(table, name)
        found = self._api.found(name)
        if found is None:
            self.contracts.keep(table)
            found = self._made(wanted)
        known = stored_columns(found.schema)
        fit = growth.fit(table, known)
        if columns := _outdated(table, fit, found):
            raise unmigrated(table, self.place, self._manifest.of(table), columns)
        changed = [text for text in fit.broken if text.split()[0] in known]
        if changed:
            raise WarehouseError(self._under_another_contract(table, name, changed))
        labels = dict(found.labels)
        if labels.get(_CONTRACT_LABEL) != contract_of(table):
            if _CONTRACT_LABEL not in labels:
                self.contracts.keep_before(table, known)
            self.contracts.keep(table)
            labels[_CONTRACT_LABEL] = contract_of(table)
            labels |= {_LATE_LABEL: "yes"} if fit.broken else {}
        if (promises(found.schema), found.description, found.labels) != (
            promises(wanted.schema),
            wanted.description,
            labels,
        ):
            found.schema, found.description, found.labels = wanted.schema, wanted.description, labels
            update = ["schema", "description", "labels"]
            retried_while_busy(lambda: self._api.client.update_table(found, update))
        if _LATE_LABEL in labels:
            self._late.add(table.address)

    def _under_another_contract(self, table: Table, name: str, changed: Sequence[str]) -> str:
        """The error of a table whose columns are of another contract, which no load job can change."""
        days = list(self._manifest.of(table))
        span = f"{days[0]}..{days[-1]}" if days else "SPAN"
        text = growth.complaint(table, span, changed, span)
        return text if table.write_mode is WriteMode.APPEND else f"{text}, once {name} was dropped"

    def _ensure_view(self, address: str, name: str) -> None:
        for read in reads(self.views[address].sql):
            self.ensure(read)
        wanted = bigquery.Table(name)
        wanted.view_query = qualified(self.views[address].sql, self.name).strip()
        wanted.description = self.views[address].description
        found = self._api.found(name) or self._made(wanted)
        if (found.view_query.strip(), found.description) != (wanted.view_query, wanted.description):
            text = json.dumps(wanted.description)  # every escape of JSON is one of GoogleSQL
            sql = f"CREATE OR REPLACE VIEW `{name}` OPTIONS (description = {text}) AS {wanted.view_query}"
            self._api.change(sql, {}, address)
            found = self._api.found(name) or found
        described = described_fields(found.schema, columns_of(address, self.views))
        if promises(described) != promises(found.schema):
            found.schema = described
            retried_while_busy(lambda: self._api.client.update_table(found, ["schema"]))

    def _made(self, wanted: bigquery.Table) -> bigquery.Table:
        """The table or view, created unless another process was first."""
        dataset = bigquery.Dataset(f"{wanted.project}.{wanted.dataset_id}")
        dataset.location = self._api.location
        retried_while_busy(lambda: self._api.client.create_dataset(dataset, exists_ok=True))
        return retried_while_busy(lambda: self._api.client.create_table(wanted, exists_ok=True))

    # -- earlier releases -------------------------------------------------------------------------------------------

    def refuse_unmigrated(self, asked_for: str) -> None:
        """Raise if a table still has its name of an earlier release; checked once."""
        if self._is_todays:
            return
        for table in (t for t in TABLES.values() if t.formerly):
            if (rows := self.stored_before(table, asked_for)) is not None:
                raise unmigrated(table, self.place, rows)
        self._is_todays = True

    def stored_before(self, table: Table, asked_for: str = "") -> dict[date, int | None] | None:
        """Dates and rows under a table's earlier name; None if nothing is stored there."""
        with translated_errors(asked_for or table.lasting_name):
            if table.formerly and self._manifest.exist(table.before):
                return {day: mark.rows for day, mark in self._manifest.of(table.before).items()}
            if table.formerly and self._is_stored_before(table):
                return {}
            found = self._api.found(self.name(table.address))
            if found is None or not _outdated(table, growth.fit(table, stored_columns(found.schema)), found):
                return None
            return {day: mark.rows for day, mark in self._manifest.of(table).items()}

    def _is_stored_before(self, table: Table) -> bool:
        """Whether there is a table under the earlier name, and not the view that has it now."""
        found = self._api.found(self.name(table.before.address))
        return found is not None and found.table_type == "TABLE"

    def take_over(self, table: Table) -> None:
        """Rename the table that has the earlier name, and its marks; then rename and fill its columns."""
        if table.formerly:
            self._take_over_name(table)
        self._renew_columns(table)
        self._is_todays = False

    def _renew_columns(self, table: Table) -> None:
        """Rename the columns that have another name now, and fill those that rows without them have a value of."""
        name = self.name(table.address)
        with self._leases.lock(table), translated_errors(table.address):
            found = self._api.found(name)
            if found is None:
                return
            known = stored_columns(found.schema)
            fit = growth.fit(table, known)
            if not _outdated(table, fit, found):
                return
            if _CONTRACT_LABEL not in found.labels:
                self.contracts.keep_before(table, known)
            # the label stays until the last column is filled, so that a migration that was killed is repeated
            self._label(found, yes=True)
            if renames := [
                f"RENAME COLUMN `{c.formerly}` TO `{c.name}`" for c in table.columns if c.name in fit.renamed
            ]:
                self._api.change(f"ALTER TABLE `{name}` {', '.join(renames)}", {}, table.address)
            filled = [c for c in table.columns if c.before is not None]
            if filled:
                added = ", ".join(f"ADD COLUMN IF NOT EXISTS `{c.name}` {c.type}" for c in filled)
                self._api.change(f"ALTER TABLE `{name}` {added}", {}, table.address)
            for column in filled:
                self._api.change(
                    f"UPDATE `{name}` SET `{column.name}` = @value WHERE `{column.name}` IS NULL",
                    {"value": column.before},
                    table.address,
                )
            self._label(self._api.found(name), yes=False)

    def _label(self, found: bigquery.Table | None, *, yes: bool) -> None:
        """Record whether a table's columns are being migrated."""
        if found is not None:
            found.labels = {**found.labels, _MIGRATING_LABEL: "yes" if yes else None}
            retried_while_busy(lambda: self._api.client.update_table(found, ["labels"]))

    def _take_over_name(self, table: Table) -> None:
        before, now = self.name(table.before.address), self.name(table.address)
        with self._leases.lock(table.before), self._leases.lock(table):
            with translated_errors(table.before.address):
                is_stored = self._is_stored_before(table)
                if is_stored and self._api.found(now) is not None:
                    raise WarehouseError(
                        f"{before} and {now} both exist: an earlier release wrote after the migration. Stop it, copy "
                        "the first to another dataset and drop it"
                    )
            if is_stored:
                self._api.change(f"ALTER TABLE `{before}` RENAME TO `{table.name}`", {}, table.address)
            with translated_errors(table.before.address):
                self._manifest.rename(table.before, table, CONTRACTS)


def _outdated(table: Table, fit: growth.Fit, found: bigquery.Table) -> list[str]:
    """What of a stored table's columns, which fit the contract so, has to be migrated, in words."""
    words = growth.outdated(table, fit)
    return words or (["a migration was not finished"] if _MIGRATING_LABEL in found.labels else [])


def bigquery_table(table: Table, name: str) -> bigquery.Table:
    """The definition of a table: its contract's columns, a partition for each date, clustered by system and player."""
    made = bigquery.Table(name, schema=fields(table))
    made.description = table.description
    made.time_partitioning = bigquery.TimePartitioning(field=DATE_COLUMN)
    made.labels = {_CONTRACT_LABEL: contract_of(table)}
    made.clustering_fields = [c for c in CLUSTERED_BY if c in table.column_names] or None
    return made
