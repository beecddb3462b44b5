"""The warehouse on BigQuery: the same tables, partitions and views, and the heavy statements run there.

A partition is replaced by one load job into ``table$YYYYMMDD``, a span by a staging table and one transaction; frames
are cast and checked before BigQuery hears of them. Readers see the old rows or the new ones, and a load that fails
leaves the old ones. Every statement has a limit of bytes, and what it cost is shown on what it materialized.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import requests
import tenacity
from dagster_gcp import BigQueryResource, GCSResource
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.facts.calendar import is_plausible
from nba_props.process import stopping
from nba_props.schemas import Table, Type, View, WriteMode
from nba_props.warehouse import dialects, growth, usage
from nba_props.warehouse.base import (
    SEALED_WHOLE,
    AppendResult,
    CorruptPartition,
    Damage,
    MissingPartition,
    MixedSources,
    PartitionState,
    WarehouseError,
    outgrown,
    way_out,
)
from nba_props.warehouse.frames import checked, new_rows, split, to_frame
from nba_props.warehouse.marks import Mark, Marks, Written
from nba_props.warehouse.sql import qualified, reads
from nba_props.warehouse.translation import UnreadableError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

DATE_COLUMN = "game_date"
#: columns that a table is clustered by, as far as it has them
CLUSTERED_BY = ("system_id", "player_id")
_SOURCE_MARK, _SEALED_MARK = "SOURCE", "SEALED"
_FRAMES_KEPT, _ROWS_KEPT = 8, 20_000
_STAGING_LIFE = timedelta(hours=6)
_PARAMETER_TYPES = ((bool, "BOOL"), (datetime, "TIMESTAMP"), (date, "DATE"), (int, "INT64"), (float, "FLOAT64"))
#: types that the API answers with another name for than GoogleSQL has
_API_TYPES = {Type.INT64: "INTEGER", Type.FLOAT64: "FLOAT", Type.BOOL: "BOOLEAN"}
_CONTRACT_TYPES = {api: str(kind) for kind, api in _API_TYPES.items()}
#: where the marks' bucket says what columns a contract has, and under what name those of earlier releases are
_CONTRACTS, _BEFORE = "_contracts", "before"
#: labels of a table: the contract that it has the columns of; it was given a column late that can't be null
_CONTRACT_LABEL, _LATE_LABEL = "contract", "late_columns"
#: another change of the same table came first, or too many came within seconds
_BUSY = re.compile(r"concurrent update|[Cc]ould not serialize|Failed to commit|Exceeded rate limits")
_LABEL = re.compile(r"[^a-z0-9_-]")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, GoogleAPIError) and _BUSY.search(str(error)) is not None


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_busy),
    wait=tenacity.wait_random_exponential(0.5, max=10),
    stop=tenacity.stop_after_delay(180),
    reraise=True,
)
def _in_turn(call: Callable[[], Any]) -> Any:
    """What BigQuery refuses because others change the same table, or too often, is asked again a little later."""
    return call()


class BigQueryAt(BigQueryResource):
    """BigQuery's client for another server than Google's, such as an emulator: no credentials, no TLS."""

    api_endpoint: str

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        yield bigquery.Client(
            project=self.project,
            location=self.location,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.api_endpoint),
        )


class BigQueryWarehouse:
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
        self.prefix = prefix
        self.views = views
        self.maximum_bytes = maximum_bytes
        self.query_count = 0
        self._resource, self._storage = resource, storage
        self._bucket_name = bucket
        self._storage_endpoint = storage_endpoint
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._there: set[str] = set()
        #: what was read last, and the writings that it is of: eight systems read the same lines one after the other
        self._frames: dict[tuple[Any, ...], tuple[tuple[int, ...], pd.DataFrame]] = {}
        #: digests of rows that were read for it, by table and date, and the writing that they are of
        self._contents: dict[tuple[str, date], tuple[int, Mapping[str, str]]] = {}
        #: tables that were given a column that can't be null when partitions were there already
        self._late: set[str] = set()
        self._contracts_read: dict[tuple[str, str], Mapping[str, str]] = {}
        #: what the mark says once it is there, and it stays
        self._sealed: str | None = None
        self._marks = Marks(self._bucket, f"warehouse/{deployment}")
        #: whether every table is known to have today's name
        self._is_todays = False

    # -- clients ----------------------------------------------------------------------------------------------------

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Clients are made when first needed, so that definitions load without credentials."""
        with self._lock:
            if name not in self._clients:
                try:
                    self._clients[name] = make()
                except GoogleAuthError as error:
                    raise WarehouseError(
                        f"no credentials for Google Cloud: {error}. On a workstation `gcloud auth application-default "
                        "login`; in a cluster give the pod a service account"
                    ) from error
            return self._clients[name]

    @property
    def _client(self) -> bigquery.Client:
        def make() -> bigquery.Client:
            with self._resource.get_client() as client:
                return client

        return self._once("bigquery", make)

    def _bucket(self) -> Any:
        return self._once("bucket", lambda: self._storage.get_client().bucket(self._bucket_name))

    def _reader(self) -> Any:
        """The Storage Read API's client of an emulator; None lets the library make its own."""
        if self._storage_endpoint is None:
            return None

        def make() -> Any:
            from google.cloud import bigquery_storage_v1 as api
            from google.cloud.bigquery_storage_v1.services.big_query_read import transports

            # as Google's own transport has it: a block of rows may be large
            options = [("grpc.max_receive_message_length", -1)]
            channel = grpc.insecure_channel(self._storage_endpoint, options=options)
            return api.BigQueryReadClient(transport=transports.BigQueryReadGrpcTransport(channel=channel))

        return self._once("reader", make)

    # -- names and places -------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        return f"BigQuery {self._resource.project}.{self.prefix}nba_*"

    @property
    def catalog(self) -> str | None:
        return None

    def table(self, table: Table) -> str:
        return table.address

    def _name(self, address: str) -> str:
        return f"{self._resource.project}.{self.prefix}{address}"

    def _refuse_outgrown(self, asked_for: str) -> None:
        """Raise when a table still has its name of a release before; looked at once."""
        if self._is_todays:
            return
        for table in (t for t in TABLES.values() if t.formerly):
            if (rows := self.stored_before(table, asked_for)) is not None:
                raise outgrown(table, self.place, rows)
        self._is_todays = True

    def stored_before(self, table: Table, asked_for: str = "") -> dict[date, int | None] | None:
        with _told(asked_for or table.before.address):
            if self._marks.exist(table.before):
                return {day: mark.rows for day, mark in self._marks.of(table.before).items()}
            return {} if self._stands_before(table) else None

    def _stands_before(self, table: Table) -> bool:
        """Whether there is a table under the former name, and not the view that has it now."""
        found = self._found(bigquery.Table(self._name(table.before.address)))
        return found is not None and found.table_type == "TABLE"

    def take_over(self, table: Table) -> None:
        before = table.before
        with self._marks.lock(before), self._marks.lock(table):
            with _told(before.address):
                stands = self._stands_before(table)
                if stands and self._found(bigquery.Table(self._name(table.address))) is not None:
                    raise WarehouseError(
                        f"{self._name(before.address)} and {self._name(table.address)} are both there: a release "
                        "before wrote after the migration. Stop it, copy the former to another dataset and drop it"
                    )
            if stands:
                self._change(f"ALTER TABLE `{self._name(before.address)}` RENAME TO `{table.name}`", {}, table.address)
            with _told(before.address):
                self._marks.rename(before, table, _CONTRACTS)
        self._is_todays = False

    def _ensure(self, address: str) -> str:
        """The full name of a table or view, which is there from now on and as its contract says."""
        self._refuse_outgrown(address)
        name = self._name(address)
        if address not in self._there:
            with _told(address):
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

    def _ensure_all(self, addresses: Collection[str]) -> None:
        """Everything a statement reads is there, and can be read under today's contracts."""
        for address in addresses:
            self._ensure(address)
        self._refuse_broken_behind(addresses)

    def _ensure_table(self, table: Table, name: str) -> None:
        wanted = bigquery_table(table, name)
        found = self._found(wanted)
        if found is None:
            self._keep_contract(table, contract_of(table), _contract(table))
            found = self._get(wanted)
        known = {c: _CONTRACT_TYPES.get(kind, kind) for c, (kind, _) in _promises(found.schema).items()}
        fit = growth.fit(table, known)
        changed = [text for text in fit.broken if text.split()[0] in known]
        if changed:
            raise WarehouseError(self._outgrown(table, name, changed))
        labels = dict(found.labels)
        if labels.get(_CONTRACT_LABEL) != contract_of(table):
            if _CONTRACT_LABEL not in labels:
                self._keep_contract(table, _BEFORE, known)
            self._keep_contract(table, contract_of(table), _contract(table))
            labels[_CONTRACT_LABEL] = contract_of(table)
            labels |= {_LATE_LABEL: "yes"} if fit.broken else {}
        if (_promises(found.schema), found.description, found.labels) != (
            _promises(wanted.schema),
            wanted.description,
            labels,
        ):
            found.schema, found.description, found.labels = wanted.schema, wanted.description, labels
            _in_turn(lambda: self._client.update_table(found, ["schema", "description", "labels"]))
        if _LATE_LABEL in labels:
            self._late.add(table.address)

    def _outgrown(self, table: Table, name: str, changed: Sequence[str]) -> str:
        """What to say of a table whose columns are another contract's: no load job can change that."""
        days = list(self._marks.of(table))
        span = f"{days[0]}..{days[-1]}" if days else "SPAN"
        text = growth.complaint(table, span, changed, span)
        return text if table.write_mode is WriteMode.APPEND else f"{text}, once {name} was dropped"

    def _keep_contract(self, table: Table, contract: str, columns: Mapping[str, str]) -> None:
        """Note what columns a contract has; what is noted stays."""
        self._marks.create(f"{_CONTRACTS}/{table.address}/{contract}", json.dumps(dict(columns)))

    def _columns_of(self, table: Table, contract: str | None) -> Mapping[str, str]:
        """The columns that partitions of a contract were written with."""
        key = table.address, contract or _BEFORE
        if contract == contract_of(table):
            return _contract(table)
        if key not in self._contracts_read:
            text = self._marks.read(f"{_CONTRACTS}/{key[0]}/{key[1]}")
            # where nothing was noted nothing has changed
            self._contracts_read[key] = json.loads(text) if text else _contract(table)
        return self._contracts_read[key]

    def _broken(self, table: Table, marked: Mapping[date, Mark]) -> dict[date, str]:
        """What to say of each partition that can't be read under today's contract."""
        fits: dict[str | None, growth.Fit] = {}
        with _told(table.address):
            for contract in {mark.contract for mark in marked.values()}:
                fits[contract] = growth.fit(table, self._columns_of(table, contract))
        return {
            day: growth.complaint(table, day, fits[mark.contract].broken)
            for day, mark in marked.items()
            if fits[mark.contract].broken
        }

    def _refuse_broken(self, table: Table, marked: Mapping[date, Mark]) -> None:
        broken = self._broken(table, marked)
        if broken:
            more = f" (and {len(broken) - 1} more partitions)" if len(broken) > 1 else ""
            raise CorruptPartition(f"{broken[min(broken)]}{more}")

    def _refuse_broken_behind(self, addresses: Iterable[str]) -> None:
        """The same for whatever a statement reads; only tables that were given a column late have such partitions."""
        for address in addresses:
            if address in self.views:
                self._refuse_broken_behind(reads(self.views[address].sql))
            elif address in self._late:
                self._refuse_broken(TABLES[address], self._marked(TABLES[address]))

    def _ensure_view(self, address: str, name: str) -> None:
        for read in reads(self.views[address].sql):
            self._ensure(read)
        wanted = bigquery.Table(name)
        wanted.view_query = qualified(self.views[address].sql, self._name).strip()
        wanted.description = self.views[address].description
        found = self._get(wanted)
        if (found.view_query.strip(), found.description) != (wanted.view_query, wanted.description):
            text = json.dumps(wanted.description)  # every escape of JSON is one of GoogleSQL
            self._change(
                f"CREATE OR REPLACE VIEW `{name}` OPTIONS (description = {text}) AS {wanted.view_query}", {}, address
            )

    def _found(self, wanted: bigquery.Table) -> bigquery.Table | None:
        try:
            return self._client.get_table(wanted.reference)
        except NotFound:
            return None

    def _get(self, wanted: bigquery.Table) -> bigquery.Table:
        """The table as it is, made if it was not there."""
        found = self._found(wanted)
        if found is None:
            dataset = bigquery.Dataset(f"{wanted.project}.{wanted.dataset_id}")
            dataset.location = self._resource.location
            _in_turn(lambda: self._client.create_dataset(dataset, exists_ok=True))
            found = _in_turn(lambda: self._client.create_table(wanted, exists_ok=True))
        return found

    def partitions(self, table: Table) -> list[date]:
        return list(self._marked(table))

    def dates(self, table: Table) -> list[date]:
        return sorted({*self._marked(table), *(d for d in self._counted(table, None) if is_plausible(d))})

    def _marked(self, table: Table) -> dict[date, Mark]:
        self._refuse_outgrown(table.address)
        with _told(table.address):
            return self._marks.of(table)

    def row_counts(self, table: Table, days: Collection[date]) -> dict[date, int]:
        return {day: mark.rows for day, mark in self._marked(table).items() if day in days}

    def states(self, table: Table, days: Collection[date] | None = None) -> dict[date, PartitionState]:
        marked = {d: m for d, m in self._marked(table).items() if days is None or d in days}
        said = {day: digests.stated(table, mark.state) for day, mark in marked.items()}
        unsaid = [d for d, (content, _) in said.items() if content is None]
        computed = self._computed(table, {d: marked[d] for d in unsaid})
        return {
            day: PartitionState(mark.rows, said[day][0] or computed[day], said[day][1]) for day, mark in marked.items()
        }

    def _computed(self, table: Table, marked: Mapping[date, Mark]) -> dict[date, Mapping[str, str]]:
        """Digests of the rows of partitions whose marks say nothing of them; read once for each writing."""
        kept = {d: self._contents[table.address, d] for d in marked if (table.address, d) in self._contents}
        found = {d: content for d, (generation, content) in kept.items() if generation == marked[d].generation}
        asked = [d for d in marked if d not in found]
        if asked:
            found |= digests.contents(table, self.read(table, asked), asked)
            self._contents |= {
                (table.address, d): (marked[d].generation, found[d])
                for d in asked
                if not digests.is_under_way(marked[d].state)
            }
        return found

    def fingerprints(self, table: Table) -> dict[date, str]:
        found = self._run(
            f"SELECT {DATE_COLUMN}, COUNT(*) AS row_count, "
            "BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS digest "
            f"FROM `{self._ensure(table.address)}` AS t GROUP BY {DATE_COLUMN}",
            {},
            table.address,
        ).to_pydict()
        rows = {
            day: f"{count} {digest}"
            for day, count, digest in zip(found[DATE_COLUMN], found["row_count"], found["digest"], strict=True)
            if day is not None and is_plausible(day)
        }
        # an empty partition leaves no trace in the table
        return {day: rows.get(day, "0 0") for day in sorted({*self.partitions(table), *rows})}

    def create_views(self) -> None:
        for address in self.views:
            self._ensure(address)

    def source(self) -> str | None:
        self._refuse_outgrown(_SOURCE_MARK)
        with _told(_SOURCE_MARK):
            return self._marks.read(_SOURCE_MARK)

    def claim(self, source: str) -> None:
        found = self.source()
        if found is None:
            if not any(self.partitions(t) for t in TABLES.values()):
                self.mark_sealed(is_new=True)
            with _told(_SOURCE_MARK):
                self._marks.create(_SOURCE_MARK, source)
            found = self.source()
        if found != source:
            raise MixedSources(
                f"{self.place} holds {found} data and can't take {source} data in: "
                "set NBA_PROPS_DATASET_PREFIX to another one for the one or the other"
            )

    def is_sealed(self) -> bool:
        if self._sealed is None:
            with _told(_SEALED_MARK):
                self._sealed = self._marks.read(_SEALED_MARK)
        return self._sealed is not None

    def _is_stated(self, table: Table) -> bool:
        """Whether every partition of a table was written with a statement of its rows."""
        return self.is_sealed() and (self._sealed == SEALED_WHOLE or table.write_mode is WriteMode.APPEND)

    def mark_sealed(self, *, is_new: bool = False) -> None:
        with _told(_SEALED_MARK):
            self._marks.create(_SEALED_MARK, SEALED_WHOLE if is_new else "")

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> None:
        rows = checked(table, frame)
        pieces = split(table, rows, partitions)
        name = self._ensure(table.address)
        if len(pieces) == 1:
            ((day, rows),) = pieces.items()
            self._load(table, rows, f"{name}${day:%Y%m%d}", "WRITE_TRUNCATE")
        elif pieces:
            columns = _columns(table.column_names)
            with self._marks.lock(table), self._staged(table, pieces.values()) as staging:
                self._change(
                    "BEGIN TRANSACTION;\n"
                    f"DELETE FROM `{name}` WHERE {DATE_COLUMN} IN UNNEST(@days);\n"
                    f"INSERT INTO `{name}` ({columns}) SELECT {columns} FROM `{staging}`;\n"
                    "COMMIT TRANSACTION;",
                    {"days": list(pieces)},
                    table.address,
                )
        self._mark(table, rows, pieces, made_from or {})

    def _mark(
        self,
        table: Table,
        rows: pd.DataFrame,
        days: Collection[date],
        made_from: Mapping[date, str],
        due: Mapping[date, Mapping[str, str]] | None = None,
    ) -> None:
        """Note that partitions were written just now and what they hold: ``rows``, all of them."""
        content, counts = digests.contents(table, rows, days), rows.groupby(DATE_COLUMN).size()
        written = {
            day: Written(
                int(counts.get(_stamp(day), 0)),
                contract_of(table),
                digests.statement(content[day], made_from.get(day, ""), (due or {}).get(day)),
            )
            for day in days
        }
        with _told(table.address):
            self._marks.put(table, written)

    @contextmanager
    def _restated(
        self,
        table: Table,
        known: pd.DataFrame,
        rows: pd.DataFrame,
        marked: Mapping[date, Mark],
        made_from: Mapping[date, str],
        *,
        vouched: bool = False,
    ) -> Iterator[None]:
        """Inside, ``rows`` take the place of a ledger's ``known`` ones; that those were altered stays on record, unless
        somebody has ``vouched`` for them.

        Before, the marks state that either may be there, so that whoever is killed inside leaves no false alarm, and
        the next writing settles what it was. What is new is not said to be made from anything until it is there.
        """
        content = digests.contents(table, rows, made_from)
        due: dict[date, Mapping[str, str]] = {}
        under_way: dict[date, Written] = {}
        for day in made_from:
            before, mark = known[known[DATE_COLUMN] == _stamp(day)], marked.get(day)
            was = digests.content(table, before, day)
            if mark is None:  # rows without a mark are none of ours, and some may stay
                is_strange = len(before) and (rows[DATE_COLUMN] == _stamp(day)).any()
                owed: Mapping[str, str] | None = {} if is_strange else None
                origin, count = "", 0
            else:
                stated = self._is_stated(table)
                owed = None if vouched else digests.owed(table, mark.state, before, day, is_sealed=stated)
                origin, count = digests.stated(table, mark.state)[1], mark.rows
            wanted = digests.unmet(owed, content[day])
            due |= {} if wanted is None else {day: wanted}
            if was != content[day] or mark is None:
                # no reader takes the fewer of both for a partition that somebody emptied
                fewest = min(count, int((rows[DATE_COLUMN] == _stamp(day)).sum()))
                contract = mark.contract if mark is not None and mark.contract else contract_of(table)
                under_way[day] = Written(fewest, contract, digests.statement(content[day], origin, owed, was))
        with _told(table.address):
            self._marks.put(table, under_way)
        yield
        self._mark(table, rows, made_from, made_from, due)

    def _settled(self, table: Table, days: Collection[date]) -> dict[date, Mark]:
        """The marks of a locked ledger, those of some dates brought up to date where a writer died before he did."""
        marked = self._marked(table)
        open_ends = [d for d in days if d in marked and digests.is_under_way(marked[d].state)]
        if not open_ends:
            return marked
        known = self._ledger(table, open_ends)
        done = {}
        for day in open_ends:
            rows = known[known[DATE_COLUMN] == _stamp(day)]
            if (state := digests.settled(table, marked[day].state, rows, day)) is not None:
                done[day] = Written(len(rows), marked[day].contract or contract_of(table), state)
        with _told(table.address):
            self._marks.put(table, done)
        return self._marked(table)

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> AppendResult:
        import pandas as pd

        pieces = split(table, checked(table, digests.sealed(table, frame)), partitions)
        if not pieces:
            return AppendResult({})
        name = self._ensure(table.address)
        with self._marks.lock(table):
            marked = self._settled(table, pieces)
            self._refuse_broken(table, {d: m for d, m in marked.items() if d in pieces})
            stored = self._ledger(table, list(pieces))
            known = self._adopted(table, stored, {d: m for d, m in marked.items() if d in pieces})
            new = {day: new_rows(table, rows, known) for day, rows in pieces.items()}
            added = [rows for rows in new.values() if len(rows)]
            stopping.check()
            before = {d: digests.stated(table, marked[d].state)[1] for d in pieces if d in marked}
            origin = {d: (made_from or {}).get(d, before.get(d, "")) for d in pieces}
            # what nothing was added to and is made from the same is as it was written
            changed = {d: origin[d] for d in pieces if len(new[d]) or before.get(d) != origin[d]}
            whole = pd.concat([known, *added], ignore_index=True) if added else known
            whole = whole[whole[DATE_COLUMN].isin(map(_stamp, changed))]
            with self._restated(table, stored, whole, marked, changed):
                outdated = {d for d in pieces if len(new[d]) and _differs(stored, known, table, d)}
                for day in outdated:  # rows of a release before digests get theirs in the same step
                    self._load(
                        table, whole[whole[DATE_COLUMN] == _stamp(day)], f"{name}${day:%Y%m%d}", "WRITE_TRUNCATE"
                    )
                if any(len(rows) for day, rows in new.items() if day not in outdated):
                    self._merge(table, name, {day: rows for day, rows in new.items() if day not in outdated})
        return AppendResult({day: (len(new[day]), len(rows) - len(new[day])) for day, rows in pieces.items()})

    def _merge(self, table: Table, name: str, new: Mapping[date, pd.DataFrame]) -> None:
        columns = _columns(table.column_names)
        same = " AND ".join(f"t.`{c}` = s.`{c}`" for c in table.unique)
        with self._staged(table, new.values()) as staging:
            # the keys were compared already; here again, so that even a lease that was lost puts no row in twice
            self._change(
                f"MERGE `{name}` AS t USING `{staging}` AS s\n"
                f"ON {same} AND t.{DATE_COLUMN} IN UNNEST(@days)\n"
                f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({columns})",
                {"days": list(new)},
                table.address,
            )

    def _adopted(self, table: Table, known: pd.DataFrame, marked: Mapping[date, Mark]) -> pd.DataFrame:
        """A ledger's rows, sealed where a release before digests wrote all of a date's."""
        import pandas as pd

        pieces = [
            digests.adopted(
                table,
                marked[stamp.date()].state if stamp.date() in marked else None,
                rows,
                stamp.date(),
                is_sealed=self._is_stated(table),
            )
            for stamp, rows in known.groupby(DATE_COLUMN)
        ]
        return pd.concat(pieces, ignore_index=True) if pieces else known

    def remove(self, table: Table, ids: Collection[str], partition: date) -> int:
        (key,) = table.key
        name = self._ensure(table.address)
        with self._marks.lock(table):
            mark = self._settled(table, [partition]).get(partition)
            self._refuse_broken(table, {partition: mark} if mark else {})
            known = self._ledger(table, [partition])
            leaving = digests.row_ids(table, known).isin(list(ids))
            gone, left = known.loc[leaving, key], known[~leaving]
            if leaving.any():
                with self._restated(table, known, left, *_as_it_was(table, partition, mark)):
                    if gone.isna().any() or gone.duplicated().any() or gone.isin(left[key]).any():
                        # no key tells the rows apart
                        self._load(table, left, f"{name}${partition:%Y%m%d}", "WRITE_TRUNCATE")
                    else:
                        self._change(
                            f"DELETE FROM `{name}` WHERE {DATE_COLUMN} = @day AND `{key}` IN UNNEST(@keys)",
                            {"day": partition, "keys": gone.tolist()},
                            table.address,
                        )
        return int(leaving.sum())

    def put_back(self, table: Table, partition: date, missing: Callable[[pd.DataFrame], pd.DataFrame]) -> int:
        import pandas as pd

        name = self._ensure(table.address)
        with self._marks.lock(table):
            mark = self._settled(table, [partition]).get(partition)
            self._refuse_broken(table, {partition: mark} if mark else {})
            known = self._ledger(table, [partition])
            rows = table.conform(missing(known))
            if len(rows):
                whole = pd.concat([f for f in (known, rows) if len(f)], ignore_index=True)
                with self._restated(table, known, whole, *_as_it_was(table, partition, mark)):
                    self._load(table, whole, f"{name}${partition:%Y%m%d}", "WRITE_TRUNCATE")
        return len(rows)

    def seal(self, table: Table, partition: date) -> int:
        with self._marks.lock(table):
            mark = self._settled(table, [partition]).get(partition)
            self._refuse_broken(table, {partition: mark} if mark else {})
            known = self._ledger(table, [partition])
            whole, as_it_was = digests.completed(table, known), _as_it_was(table, partition, mark)
            # vouched for first: whoever dies before the digests are written has rows without any, and comes again
            self._mark(table, known, [partition], as_it_was[1])
            with self._restated(table, known, whole, self._marked(table), as_it_was[1], vouched=True):
                self._load(table, whole, f"{self._ensure(table.address)}${partition:%Y%m%d}", "WRITE_TRUNCATE")
        return int(known[table.sealed_by].isna().sum()) if table.sealed_by else 0

    def _ledger(self, table: Table, days: list[date]) -> pd.DataFrame:
        """A ledger's rows of some dates."""
        return table.conform(
            to_frame(
                self._run(
                    f"SELECT {_columns(table.column_names)} FROM `{self._ensure(table.address)}` "
                    f"WHERE {DATE_COLUMN} IN UNNEST(@days)",
                    {"days": days},
                    table.address,
                )
            )
        )

    def write_unchecked(self, table: Table, rows: pd.DataFrame, partition: date) -> None:
        name = self._ensure(table.address)
        self._load(table, table.conform(rows), f"{name}${partition:%Y%m%d}", "WRITE_TRUNCATE")
        self._marks.put(table, {partition: Written(len(rows), contract_of(table))})

    @contextmanager
    def _staged(self, table: Table, pieces: Collection[pd.DataFrame]) -> Iterator[str]:
        """A table of its own with the rows, gone afterwards; one that a killed process leaves expires by itself."""
        import pandas as pd

        own = self._name(f"{table.dataset}.staging_{table.name}_{uuid.uuid4().hex[:12]}")
        staging = bigquery.Table(own, schema=fields(table))
        staging.expires = datetime.now(UTC) + _STAGING_LIFE
        filled = [p for p in pieces if len(p)]
        with _told(table.address):
            _in_turn(lambda: self._client.create_table(staging))
        try:
            if filled:
                self._load(table, pd.concat(filled, ignore_index=True), own, "WRITE_EMPTY")
            yield own
        finally:
            with _told(table.address):
                _in_turn(lambda: self._client.delete_table(own, not_found_ok=True))

    def _load(self, table: Table, rows: pd.DataFrame, destination: str, disposition: str) -> None:
        """One load job: all of the rows or none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
        file = io.BytesIO()
        pq.write_table(arrow.replace_schema_metadata(None), file, compression="zstd")
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=fields(table),
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            write_disposition=disposition,
            labels=_labels(),
        )
        size = file.tell()

        def load() -> None:
            self._client.load_table_from_file(file, destination, rewind=True, size=size, job_config=config).result()

        with _told(table.address):
            _in_turn(load)
        usage.charge(usage.Usage(bytes_from_client=size))

    # -- reading ----------------------------------------------------------------------------------------------------

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        if not partitions:
            return table.empty()
        marked = self._marked(table)
        missing = [d for d in partitions if d not in marked]
        if missing:
            raise MissingPartition(
                f"{table.address} has no partition {', '.join(map(str, missing[:5]))}"
                f"{' and more' if len(missing) > 5 else ''}: materialize it first"
            )
        self._ensure(table.address)  # what partitions were written with is noted before the table changes
        self._refuse_broken(table, {d: marked[d] for d in partitions})
        asked = (table.address, *partitions)
        state = tuple(marked[d].generation for d in partitions)
        with self._lock:
            known = self._frames.get(asked)
        if known is None or known[0] != state:
            known = (state, self._read(table, partitions, marked))
            # under one mark of a writing under way there are the rows of before, and then the others
            is_open = any(digests.is_under_way(marked[d].state) for d in partitions)
            with self._lock:
                self._frames.pop(asked, None)
                if len(known[1]) <= _ROWS_KEPT and not is_open:
                    self._frames[asked] = known
                while len(self._frames) > _FRAMES_KEPT:
                    self._frames.pop(next(iter(self._frames)))
        return known[1].copy()

    def _read(self, table: Table, partitions: Sequence[date], marked: Mapping[date, Mark]) -> pd.DataFrame:
        frame = self._refuse_hollow(table, partitions, marked, self._select(table, partitions))
        order = {_stamp(day): place for place, day in enumerate(partitions)}
        frame = frame.assign(_place=frame[DATE_COLUMN].map(order))
        frame = frame.sort_values(["_place", *(table.unique or table.column_names)], kind="stable", ignore_index=True)
        return table.conform(frame.drop(columns="_place"))

    def _select(self, table: Table, days: Sequence[date]) -> pd.DataFrame:
        statement = f"SELECT {_columns(table.column_names)} FROM `{self._ensure(table.address)}` WHERE {DATE_COLUMN} "
        if len(days) == (max(days) - min(days)).days + 1:
            found = self._run(
                f"{statement}BETWEEN @first AND @last", {"first": min(days), "last": max(days)}, table.address
            )
        else:
            found = self._run(f"{statement}IN UNNEST(@days)", {"days": list(days)}, table.address)
        return to_frame(found)

    def _refuse_hollow(
        self, table: Table, days: Sequence[date], marked: Mapping[date, Mark], frame: pd.DataFrame
    ) -> pd.DataFrame:
        """Rows were written and none is there: somebody else emptied the partition, and no answer is an empty slate."""
        import pandas as pd

        hollow = [d for d in _without_rows(days, frame) if marked[d].rows]
        if not hollow:
            return frame
        now = self._marked(table)  # they may have been replaced in between, by empty ones too
        hollow = [d for d in hollow if d in now and now[d].rows]
        late = self._select(table, hollow) if hollow else frame.iloc[:0]
        left = _without_rows(hollow, late)
        if left:
            raise CorruptPartition(
                f"{table.address} partition {left[0]} holds no row, though {now[left[0]].rows} were written on "
                f"{now[left[0]].written_at:%Y-%m-%d %H:%M} UTC. {way_out(table)}"
            )
        return pd.concat([frame, late], ignore_index=True) if len(late) else frame

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        self._ensure_all(reads(sql))
        with self._lock:
            self.query_count += 1
        return to_frame(self._run(qualified(sql, self._name), parameters, "a query"))

    def _run(self, sql: str, parameters: Mapping[str, Any], what: str) -> pyarrow.Table:
        """The rows of one statement that reads; a small answer comes with the first response."""
        with _told(what):
            rows = self._client.query_and_wait(sql, job_config=self._config(parameters))
            arrow = rows.to_arrow(bqstorage_client=self._reader())
        usage.charge(
            usage.Usage(queries=1, bytes_processed=rows.total_bytes_processed or 0, bytes_to_client=arrow.nbytes)
        )
        return arrow

    def _change(self, sql: str, parameters: Mapping[str, Any], what: str) -> None:
        """Run one statement that changes rows, or a script in one transaction."""

        def run() -> bigquery.QueryJob:
            job = self._client.query(sql, job_config=self._config(parameters))
            job.result()
            return job

        with _told(what):
            job = _in_turn(run)
        usage.charge(usage.Usage(queries=1, bytes_processed=job.total_bytes_processed or 0))

    def _config(self, parameters: Mapping[str, Any]) -> bigquery.QueryJobConfig:
        return bigquery.QueryJobConfig(
            query_parameters=[_parameter(n, v) for n, v in parameters.items()],
            maximum_bytes_billed=self.maximum_bytes,
            labels=_labels(),
        )

    def read_only(self, sql: str) -> pd.DataFrame:
        """The result of one SELECT in GoogleSQL; tables are named ``dataset.table``, with any project before it."""
        try:
            own, asked_of = dialects.named(sql, {*TABLES, *self.views}, lambda a: f"`{self._name(a)}`")
        except UnreadableError as error:
            raise WarehouseError(f"the statement: {error}") from error
        # names that are none of ours are refused with the list of those that are
        self._ensure_all([*asked_of, *reads(own)])
        with _told("the statement"):
            asked = self._client.query(own, job_config=bigquery.QueryJobConfig(dry_run=True))
        if asked.statement_type != "SELECT":
            raise WarehouseError(f"one SELECT is allowed, nothing that changes data; this is {asked.statement_type}")
        return to_frame(self._run(own, {}, "the statement"))

    # -- damage -----------------------------------------------------------------------------------------------------

    def damaged(self, days: Collection[date] | None = None) -> list[Damage]:
        found = []
        for table in TABLES.values():
            marked = {d: m for d, m in self._marked(table).items() if days is None or d in days}
            if not marked and self._found(bigquery.Table(self._name(table.address))) is None:
                continue
            try:
                self._ensure(table.address)
            except WarehouseError as error:
                found += [Damage(table, day, str(error)) for day in marked]
                continue
            broken = self._broken(table, marked)
            found += [Damage(table, day, text) for day, text in broken.items()]
            counted = self._counted(table, days)
            wrong = self._flaws(table, {*marked, *counted} - set(broken), marked, counted)
            if wrong:  # a writer may have been between rows and mark: what he leaves is looked at
                wrong = self._flaws(table, wrong, self._marked(table), self._counted(table, list(wrong)))
            is_ledger = table.write_mode is WriteMode.APPEND
            found += [Damage(table, day, text, is_readable=is_ledger) for day, text in wrong.items()]
        return found

    def _flaws(
        self, table: Table, days: Collection[date], marked: Mapping[date, Mark], counted: Mapping[date, int]
    ) -> dict[date, str]:
        found = {}
        for day in sorted(days):
            try:
                text = self._flaw(table, day, marked.get(day), counted.get(day, 0))
            except CorruptPartition as error:
                text = str(error)
            if text:
                found[day] = text
        return found

    def _flaw(self, table: Table, day: date, mark: Mark | None, rows: int) -> str | None:
        """What is wrong with the rows that a date has, in words."""
        name = f"{table.address} partition {day}"
        if mark is None:
            # it may have gone meanwhile
            return f"{name} holds {rows} rows, though no mark says that it was written" if rows else None
        # rows under a statement are compared with that, and what is no ledger is made again when it is not as it was
        is_ledger = table.write_mode is WriteMode.APPEND
        is_counted = not digests.is_under_way(mark.state) and not (is_ledger and mark.state and rows)
        if rows != mark.rows and is_counted:
            return (
                f"{name} holds {rows or 'no'} rows, though {mark.rows} were written on "
                f"{mark.written_at:%Y-%m-%d %H:%M} UTC. {way_out(table)}"
            )
        return self.alteration(table, day) if is_ledger else None

    def _counted(self, table: Table, days: Collection[date] | None) -> dict[date, int]:
        """How many rows the table has on each date, marked or not, of all dates or these."""
        asked = sorted(days) if days is not None else [date.min, date.max]
        if not asked:
            return {}
        counted = self._run(
            f"SELECT {DATE_COLUMN}, COUNT(*) AS row_count FROM `{self._ensure(table.address)}` "
            f"WHERE {DATE_COLUMN} BETWEEN @first AND @last GROUP BY {DATE_COLUMN}",
            {"first": asked[0], "last": asked[-1]},
            table.address,
        ).to_pydict()  # a frame has no dates of other centuries
        found = dict(zip(counted[DATE_COLUMN], counted["row_count"], strict=True))
        return {d: n for d, n in found.items() if d is not None and (days is None or d in days)}

    def alteration(self, table: Table, partition: date) -> str | None:
        mark = self._marked(table).get(partition)
        if mark is None:
            return None
        altered = digests.alteration(
            table, mark.state, self.read(table, [partition]), partition, is_sealed=self._is_stated(table)
        )
        return f"{table.address} partition {partition} {altered}" if altered else None

    def strays(self) -> list[tuple[str, str]]:
        with _told("marks"):
            return self._marks.strays(TABLES.values())

    def set_aside(self, damage: Damage, now: datetime) -> str:
        """Count the partition as never written; its rows stay in the table until it is written again."""
        with _told(damage.table.address):
            self._marks.forget(damage.table, damage.partition)
        return f"{self._name(damage.table.address)}${damage.partition:%Y%m%d}"


def bigquery_table(table: Table, name: str) -> bigquery.Table:
    """The definition of a table: its contract's columns, a partition for each date, rows clustered by who they are."""
    made = bigquery.Table(name, schema=fields(table))
    made.description = table.description
    made.time_partitioning = bigquery.TimePartitioning(field=DATE_COLUMN)
    made.labels = {_CONTRACT_LABEL: contract_of(table)}
    made.clustering_fields = [c for c in CLUSTERED_BY if c in table.column_names] or None
    return made


def _contract(table: Table) -> dict[str, str]:
    return {c.name: str(c.type) for c in table.columns}


def contract_of(table: Table) -> str:
    """A short name of a contract's columns."""
    return hashlib.blake2b(json.dumps(_contract(table)).encode(), digest_size=8).hexdigest()


def fields(table: Table) -> list[bigquery.SchemaField]:
    """The contract's columns. All are nullable there: what must not be null is refused before BigQuery is asked, and a
    restored row may stand in the ledger with whatever was wrong with it."""
    return [
        bigquery.SchemaField(c.name, _API_TYPES.get(c.type, c.type.value), description=c.full_description)
        for c in table.columns
    ]


def _promises(schema: Sequence[bigquery.SchemaField]) -> dict[str, tuple[str, str | None]]:
    """Type and description of each column."""
    return {f.name: (f.field_type, f.description) for f in schema}


def _columns(names: Collection[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _as_it_was(table: Table, day: date, mark: Mark | None) -> tuple[dict[date, Mark], dict[date, str]]:
    """The mark of a date, and what its rows are made from, by date."""
    if mark is None:
        return {}, {day: ""}
    return {day: mark}, {day: digests.stated(table, mark.state)[1]}


def _differs(before: pd.DataFrame, after: pd.DataFrame, table: Table, day: date) -> bool:
    """Whether a date's rows were sealed in between."""
    if not table.sealed_by:
        return False
    was, now = (f.loc[f[DATE_COLUMN] == _stamp(day), table.sealed_by].notna().sum() for f in (before, after))
    return bool(was != now)


def _stamp(day: date) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(day)


def _without_rows(days: Sequence[date], frame: pd.DataFrame) -> list[date]:
    there = set(frame[DATE_COLUMN])
    return [d for d in days if _stamp(d) not in there]


def _parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list | tuple):
        return bigquery.ArrayQueryParameter(name, _type_of(value[0]) if value else "STRING", list(value))
    return bigquery.ScalarQueryParameter(name, _type_of(value), value)


def _type_of(value: Any) -> str:
    return next((kind for python, kind in _PARAMETER_TYPES if isinstance(value, python)), "STRING")


def _labels() -> dict[str, str]:
    """By what a bill can be split: the step that asked."""
    step = usage.step_name()
    return {"application": "nba_props", **({"step": _LABEL.sub("-", step.lower())[:63]} if step else {})}


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Google's errors as ours, with what they are about and the way out."""
    try:
        yield
    except GoogleAuthError as error:
        raise WarehouseError(f"{what}: no credentials for Google Cloud: {error}") from error
    except (GoogleAPIError, requests.RequestException, grpc.RpcError) as error:
        text = getattr(error, "message", None) or str(error)
        if "bytesBilledLimitExceeded" in str(error) or "limit for bytes billed" in text.lower():
            raise WarehouseError(
                f"{what}: {text}. NBA_PROPS_MAX_BYTES_BILLED sets the limit: ask for fewer dates, or raise it"
            ) from error
        raise WarehouseError(f"{what}: {text}. What was there before is unchanged; run it again") from error
