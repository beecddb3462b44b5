"""The warehouse on BigQuery: the same tables, partitions and views, and the heavy statements run there.

A partition is replaced by one load job into ``table$YYYYMMDD``, a span by a staging table and one transaction; frames
are cast and checked before they are sent to BigQuery. Readers see the old rows or the new ones, and a load that fails
leaves the old ones. Every statement has a limit of bytes, and what it cost is shown on what it materialized.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster_gcp import BigQueryResource, GCSResource
from google.cloud import bigquery

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.facts.calendar import is_plausible
from nba_props.process import clock
from nba_props.schemas import Table, View
from nba_props.warehouse import dialects
from nba_props.warehouse.base import (
    Damage,
    UnreadableError,
    Version,
    WarehouseError,
    past_is_fixed,
    refuse_future,
)
from nba_props.warehouse.bigquery.client import Api, retried_while_busy, translated_errors
from nba_props.warehouse.bigquery.damage import damaged
from nba_props.warehouse.bigquery.leases import Leases
from nba_props.warehouse.bigquery.manifest import Manifest, Mark, Note
from nba_props.warehouse.bigquery.past import as_of, refuse_beyond_window
from nba_props.warehouse.bigquery.reading import Reader
from nba_props.warehouse.bigquery.tables import DATE_COLUMN, Tables
from nba_props.warehouse.bigquery.types import contract_of, fields, listed
from nba_props.warehouse.entries import Change, Written, noted
from nba_props.warehouse.frames import in_order, joined, rows_of, to_frame
from nba_props.warehouse.partitioned import SEALED_MARK, SOURCE_MARK, PartitionedWarehouse, missing_partition
from nba_props.warehouse.sql import qualified, reads

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

_STAGING_LIFE = timedelta(hours=6)


class BigQueryWarehouse(PartitionedWarehouse):
    """Tables ``project.<prefix><dataset>.<table>``; marks of their partitions and leases in a bucket.

    Args:
        resource: gives BigQuery's client.
        storage: gives the client of the bucket.
        bucket: where the marks are.
        prefix: put before the names of datasets.
        deployment: names the folder of the marks.
        maximum_bytes: what one statement may be billed for.
        storage_endpoint: ``host:port`` of an emulator's Storage Read API.
        views: the views by their addresses.
    """

    elsewhere = "NBA_PROPS_DATASET_PREFIX to another one"

    def __init__(
        self,
        resource: BigQueryResource,
        storage: GCSResource,
        bucket: str,
        *,
        prefix: str,
        deployment: str,
        maximum_bytes: int,
        storage_endpoint: str | None = None,
        views: Mapping[str, View] = VIEWS,
    ) -> None:
        super().__init__()
        self._api = Api(resource, storage, bucket, maximum_bytes=maximum_bytes, storage_endpoint=storage_endpoint)
        self._manifest = Manifest(self._api.bucket, f"warehouse/{deployment}")
        self._leases = Leases(self._api.bucket, f"warehouse/{deployment}")
        self._tables = Tables(self._api, self._manifest, self._leases, prefix, views)
        self._reader = Reader(self._api, self._tables)
        #: the text of the mark once it is there, since it stays
        self._sealed: str | None = None

    @property
    def place(self) -> str:
        return self._tables.place

    # -- partitions -------------------------------------------------------------------------------------------------

    def partitions(self, table: Table) -> list[date]:
        return list(self._tables.marked(table))

    def dates(self, table: Table) -> list[date]:
        marked, counted = self._tables.marked(table), self._reader.counts(table, None)
        return sorted({*marked, *filter(is_plausible, counted)})

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        if not partitions:
            return table.empty()
        marked = self._tables.marked(table)
        missing = [d for d in partitions if d not in marked]
        if missing:
            raise missing_partition(table, missing)
        self._tables.ensure(table.address)  # the columns of stored partitions are recorded before the table changes
        self._tables.contracts.refuse_broken(table, {d: marked[d] for d in partitions})
        return self._reader.read(table, partitions, marked)

    def _stored(self, table: Table, days: list[date]) -> pd.DataFrame:
        return self._reader.ledger(table, days)

    def _entries(self, table: Table, days: Collection[date] | None) -> dict[date, Mark]:
        return {day: mark for day, mark in self._tables.marked(table).items() if days is None or day in days}

    def _settled(self, table: Table, days: Collection[date]) -> dict[date, Mark]:
        marked = self._entries(table, days)
        if open_ends := [day for day, mark in marked.items() if digests.is_under_way(mark.statement)]:
            self._settle(table, {day: marked[day] for day in open_ends})
            marked = self._entries(table, days)
        self._tables.contracts.refuse_broken(table, marked)
        return marked

    def _settle(self, table: Table, marked: Mapping[date, Mark]) -> None:
        """Complete marks whose writer was killed before it could."""
        known = self._reader.ledger(table, list(marked))
        done = {}
        for day, mark in marked.items():
            rows = rows_of(known, [day])
            if (statement := digests.settled(table, mark.statement, rows, day)) is not None:
                done[day] = Note(rows=len(rows), statement=statement, contract=mark.contract or contract_of(table))
        with translated_errors(table.address):
            self._manifest.put(table, done)

    def fingerprints(self, table: Table) -> dict[date, str]:
        rows = self._reader.fingerprints(table)
        # an empty partition leaves no trace in the table
        return {day: rows.get(day, "0 0") for day in sorted({*self.partitions(table), *rows})}

    # -- writing ----------------------------------------------------------------------------------------------------

    def _locked(self, table: Table, days: Sequence[date]) -> AbstractContextManager[None]:
        self._tables.ensure(table.address)  # others need not wait for a table to be created
        return self._leases.lock(table)

    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        name, columns = self._tables.ensure(table.address), listed(table.column_names)
        if len(written) == 1:
            self._load_partition(table, next(iter(written)), rows)
        elif written:
            with self._leases.lock(table), self._staged(table, rows) as staging:
                self._api.change(
                    "BEGIN TRANSACTION;\n"
                    f"DELETE FROM `{name}` WHERE {DATE_COLUMN} IN UNNEST(@days);\n"
                    f"INSERT INTO `{name}` ({columns}) SELECT {columns} FROM `{staging}`;\n"
                    "COMMIT TRANSACTION;",
                    {"days": list(written)},
                    table.address,
                )
        self._mark(table, written)

    def _mark(self, table: Table, written: Mapping[date, Written]) -> None:
        """Record that partitions were written just now."""
        contract = contract_of(table)
        notes = {d: Note(rows=w.rows, statement=w.statement, contract=contract) for d, w in written.items()}
        with translated_errors(table.address):
            self._manifest.put(table, notes)

    def _announce(self, table: Table, change: Change) -> None:
        """Let the marks state that old or new rows may be there; the origin of new rows is stated once they are."""
        entries: Mapping[date, Any] = change.entries
        if change.is_accepted:
            # accepted first: a call that is killed before the digests are written leaves rows without any, and is
            # repeated
            content = digests.contents(table, change.stored, change.made_from)
            self._mark(table, noted(change.stored, content, change.made_from))
            entries = self._tables.marked(table)
        under_way = {}
        for day, will in change.content.items():
            mark, was = entries.get(day), digests.content(table, rows_of(change.stored, [day]), day)
            if mark is not None and was == will:
                continue
            # with the smaller number no reader takes the partition for one that was emptied
            fewest = min(mark.rows, len(rows_of(change.rows, [day]))) if mark is not None else 0
            origin = mark.made_from if mark is not None else ""
            contract = (mark.contract if mark is not None else None) or contract_of(table)
            statement = digests.statement(will, origin, change.owed[day], was)
            under_way[day] = Note(rows=fewest, statement=statement, contract=contract)
        with translated_errors(table.address):
            self._manifest.put(table, under_way)

    def _insert(self, table: Table, change: Change, added: Mapping[date, pd.DataFrame]) -> None:
        # rows of a release without digests get theirs in the same step
        outdated = [day for day in added if _gains_digests(table, change, day)]
        for day in outdated:
            self._load_partition(table, day, rows_of(change.rows, [day]))
        if new := {day: rows for day, rows in added.items() if day not in outdated}:
            self._merge(table, new)
        self._mark(table, change.written)

    def _merge(self, table: Table, new: Mapping[date, pd.DataFrame]) -> None:
        name, columns = self._tables.ensure(table.address), listed(table.column_names)
        same = " AND ".join(f"t.`{c}` = s.`{c}`" for c in table.unique)
        with self._staged(table, joined(table, new.values())) as staging:
            # the keys were compared already; here again, so that no row is inserted twice even if the lease was lost
            self._api.change(
                f"MERGE `{name}` AS t USING `{staging}` AS s\n"
                f"ON {same} AND t.{DATE_COLUMN} IN UNNEST(@days)\n"
                f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({columns})",
                {"days": list(new)},
                table.address,
            )

    def _delete(self, table: Table, change: Change, gone: pd.DataFrame) -> None:
        (key,), (day,) = table.key, change.content
        keys = gone[key]
        if keys.isna().any() or keys.duplicated().any() or keys.isin(change.rows[key]).any():
            self._load_partition(table, day, change.rows)  # the key does not identify the rows
        else:
            self._api.change(
                f"DELETE FROM `{self._tables.ensure(table.address)}` WHERE {DATE_COLUMN} = @day "
                f"AND `{key}` IN UNNEST(@keys)",
                {"day": day, "keys": keys.tolist()},
                table.address,
            )
        self._mark(table, change.written)

    def _load_partition(self, table: Table, day: date, rows: pd.DataFrame) -> None:
        self._api.load(table, rows, f"{self._tables.ensure(table.address)}${day:%Y%m%d}", "WRITE_TRUNCATE")

    @contextmanager
    def _staged(self, table: Table, rows: pd.DataFrame) -> Iterator[str]:
        """A temporary table with the rows; one that a killed process leaves expires by itself."""
        own = self._tables.name(f"{table.dataset}.staging_{table.name}_{uuid.uuid4().hex[:12]}")
        staging = bigquery.Table(own, schema=fields(table))
        staging.expires = datetime.now(UTC) + _STAGING_LIFE
        client = self._api.client
        with translated_errors(table.address):
            retried_while_busy(lambda: client.create_table(staging))
        try:
            if len(rows):
                self._api.load(table, rows, own, "WRITE_EMPTY")
            yield own
        finally:
            with translated_errors(table.address):
                retried_while_busy(lambda: client.delete_table(own, not_found_ok=True))

    # -- statements -------------------------------------------------------------------------------------------------

    def create_views(self) -> None:
        for address in self._tables.views:
            self._tables.ensure(address)

    def arrow(self, sql: str, /, **parameters: Any) -> pyarrow.Table:
        self._tables.ensure_all(reads(sql))
        with self._count_lock:
            self.query_count += 1
        return self._api.rows(qualified(sql, self._tables.name), parameters, "a query")

    def read_only(self, sql: str) -> pd.DataFrame:
        """The result of one SELECT in GoogleSQL; tables are named ``dataset.table``, with any project before it."""
        known = {*TABLES, *self._tables.views}
        try:
            own, asked_of = dialects.named(sql, known, lambda address: f"`{self._tables.name(address)}`")
        except UnreadableError as error:
            raise WarehouseError(f"the statement: {error}") from error
        return self._selected(own, asked_of)

    def _selected(self, own: str, asked_of: Sequence[str]) -> pd.DataFrame:
        # unknown names are refused with a list of the known ones
        self._tables.ensure_all([*asked_of, *reads(own)])
        kind = self._api.kind_of(own)
        if kind != "SELECT":
            raise WarehouseError(f"one SELECT is allowed, nothing that changes data; this is {kind}")
        return to_frame(self._api.rows(own, {}, "the statement"))

    # -- versions ---------------------------------------------------------------------------------------------------

    def as_of(self, instant: datetime) -> PastBigQuery:
        """The tables by BigQuery's time travel: each as it was at that very instant, in the middle of a run too."""
        now = clock.utc_now()
        refuse_future(instant, now)
        refuse_beyond_window(instant, now)
        return PastBigQuery(self, instant)

    def versions(self, day: date) -> list[Version]:
        raise WarehouseError(
            f"{self.place} keeps every state of its tables for its time travel window, and no list of versions: "
            "name any instant of it"
        )

    # -- what the warehouse holds -----------------------------------------------------------------------------------

    def source(self) -> str | None:
        self._tables.refuse_unmigrated(SOURCE_MARK)
        with translated_errors(SOURCE_MARK):
            return self._manifest.read(SOURCE_MARK)

    def _create_mark(self, name: str, text: str) -> None:
        with translated_errors(name):
            self._manifest.create(name, text)

    def _sealed_as(self) -> str | None:
        if self._sealed is None:
            with translated_errors(SEALED_MARK):
                self._sealed = self._manifest.read(SEALED_MARK)
        return self._sealed

    # -- damage -----------------------------------------------------------------------------------------------------

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        return damaged(self._tables, self._reader, days, self.alteration)

    def set_aside(self, damage: Damage, now: datetime) -> str:
        """Count the partition as never written; its rows stay in the table until it is written again."""
        with translated_errors(damage.table.address):
            self._manifest.forget(damage.table, damage.partition)
        return f"{self._tables.name(damage.table.address)}${damage.partition:%Y%m%d}"

    def strays(self) -> list[tuple[str, str]]:
        with translated_errors("marks"):
            return self._manifest.strays(TABLES.values())

    # -- earlier releases -------------------------------------------------------------------------------------------

    def stored_before(self, table: Table) -> dict[date, int | None] | None:
        return self._tables.stored_before(table)

    def take_over(self, table: Table) -> None:
        self._tables.take_over(table)


class PastBigQuery(BigQueryWarehouse):
    """BigQuery as it was at an instant; its rows can be read, and what is recorded of partitions is that of today."""

    def __init__(self, today: BigQueryWarehouse, instant: datetime) -> None:
        vars(self).update(vars(today))
        self._instant = instant

    def arrow(self, sql: str, /, **parameters: Any) -> pyarrow.Table:
        self._tables.ensure_all(reads(sql))
        with self._count_lock:
            self.query_count += 1
        return self._api.rows(self._then(sql), parameters, "a query")

    def read_only(self, sql: str) -> pd.DataFrame:
        try:
            plain, asked_of = dialects.named(sql, {*TABLES, *self._tables.views}, str)
            own = self._then(plain)
        except UnreadableError as error:
            raise WarehouseError(f"the statement: {error}") from error
        return self._selected(own, asked_of)

    def _then(self, sql: str) -> str:
        return as_of(sql, self._instant, self._tables.views, self._tables.name)

    def partitions(self, table: Table) -> list[date]:
        """The dates with rows, from any writer: an empty partition leaves no trace in the table."""
        found = self.arrow(f"SELECT DISTINCT {DATE_COLUMN} FROM {table.address} WHERE {DATE_COLUMN} IS NOT NULL")
        return sorted(filter(is_plausible, found.to_pydict()[DATE_COLUMN]))

    def dates(self, table: Table) -> list[date]:
        return self.partitions(table)

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        if missing := sorted(set(partitions) - set(self.partitions(table))):
            raise missing_partition(table, missing)
        sql = f"SELECT {listed(table.column_names)} FROM {table.address} WHERE {DATE_COLUMN} IN UNNEST(@days)"
        return in_order(table, to_frame(self.arrow(sql, days=list(partitions))), partitions)

    def _entries(self, table: Table, days: Collection[date] | None) -> dict[date, Mark]:
        raise WarehouseError("what is recorded of partitions is not kept for the past")

    def _locked(self, table: Table, days: Sequence[date]) -> AbstractContextManager[None]:
        raise past_is_fixed()

    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        raise past_is_fixed()

    def _create_mark(self, name: str, text: str) -> None:
        raise past_is_fixed()

    def create_views(self) -> None:
        raise past_is_fixed()

    def set_aside(self, damage: Damage, now: datetime) -> str:
        raise past_is_fixed()

    def take_over(self, table: Table) -> None:
        raise past_is_fixed()


def _gains_digests(table: Table, change: Change, day: date) -> bool:
    """Whether rows of a date that have no digest get one."""
    if not table.sealed_by:
        return False
    before, after = (rows_of(frame, [day])[table.sealed_by].isna().sum() for frame in (change.stored, change.rows))
    return bool(before != after)
