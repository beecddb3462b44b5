"""What BigQuery does not keep: that a partition was written at all, when, with how many rows; and who may append.

One object in the bucket for each partition, listed by prefix. An empty partition leaves no trace in a table, but
"nobody was on the slate" and "nobody has run it" are different answers. Appends and spans to one table go one after the
other, under a lease: an object that only one process can create, renewed while it lives, and free for the taking when
it was not renewed for a while, so that a killed process holds nobody up for long.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from nba_props.facts.calendar import named_day
from nba_props.schemas import Table
from nba_props.warehouse.base import WarehouseError

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_LOG = logging.getLogger(__name__)
_PARTITION = "game_date="
_COUNT = re.compile(r"[0-9]{1,15}")
_ROWS, _STATE, _CONTRACT = "rows", "state", "contract"
#: a lease that was not renewed for so long is free
LEASE_SECONDS = 45.0
LOCK_TIMEOUT_SECONDS = 300.0
#: nobody's clock is so wrong: a lease of this age needs no watching
_SURELY_OVER = timedelta(minutes=10)
_POLL_SECONDS = 0.25
_THREADS = 8


@dataclass(frozen=True)
class Mark:
    """A partition that was written: when, with how many rows, and which writing of it that was."""

    written_at: datetime
    rows: int
    generation: int
    #: what the writer stated of the rows (``digests``); None where an earlier release wrote
    state: str | None
    #: names the columns that it was written with; None where an earlier release wrote
    contract: str | None


@dataclass(frozen=True)
class Written:
    """What is noted of a partition that was written just now."""

    rows: int
    contract: str
    state: str | None = None


def _stray_mark(day: date | None, said: Mapping[str, str]) -> str:
    """Why an object is not the mark of a partition; empty when it is one."""
    if day is None:
        return f"is not named like a partition's mark ({_PARTITION}2026-01-09)"
    return "" if _COUNT.fullmatch(said.get(_ROWS, "")) else "doesn't say how many rows were written"


class Marks:
    """Objects under ``prefix`` of a bucket; ``bucket`` gives each caller's thread one to work with."""

    def __init__(self, bucket: Callable[[], Bucket], prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")

    def _folder(self, table: Table) -> str:
        return f"{self._prefix}/{table.dataset}/{table.name}/{_PARTITION}"

    def of(self, table: Table) -> dict[date, Mark]:
        """The partitions that were written, in order."""
        folder = self._folder(table)
        found = {}
        for blob in self._bucket().list_blobs(prefix=folder):
            day, said = named_day(blob.name.removeprefix(folder)), blob.metadata or {}
            if day is not None and blob.updated and not _stray_mark(day, said):
                rows = int(said[_ROWS])
                found[day] = Mark(blob.updated, rows, blob.generation, said.get(_STATE), said.get(_CONTRACT))
        return dict(sorted(found.items()))

    def exist(self, table: Table) -> bool:
        """Whether there is anything that is named like a mark of the table."""
        return any(self._bucket().list_blobs(prefix=self._folder(table), max_results=1))

    def rename(self, before: Table, now: Table, notes: str) -> None:
        """Give a table's marks, and what is noted of its contracts under ``notes``, the table's name of today.

        All are copied before the first goes: whoever is killed in it comes again.
        """
        bucket = self._bucket()
        noted = [f"{self._prefix}/{notes}/{t.address}/" for t in (before, now)]
        for old, new in (noted, (self._folder(before), self._folder(now))):
            for blob in bucket.list_blobs(prefix=old):
                bucket.copy_blob(blob, bucket, new + blob.name.removeprefix(old))
        # the marks last: as long as one is there the table counts as not renamed
        for old in (noted[0], self._folder(before)):
            for blob in bucket.list_blobs(prefix=old):
                blob.delete()

    def strays(self, tables: Iterable[Table]) -> list[tuple[str, str]]:
        """The objects beside the marks of some tables that are none, and why."""
        bucket = self._bucket()
        found = []
        for table in tables:
            folder = self._folder(table).removesuffix(_PARTITION)
            for blob in bucket.list_blobs(prefix=folder):
                name = blob.name.removeprefix(folder)
                day = named_day(name.removeprefix(_PARTITION)) if name.startswith(_PARTITION) else None
                if why := _stray_mark(day, blob.metadata or {}):
                    found.append((f"gs://{bucket.name}/{blob.name}", why))
        return found

    def put(self, table: Table, written: Mapping[date, Written]) -> None:
        """Note that partitions were written just now."""

        def one(day: date) -> None:
            blob = self._bucket().blob(self._folder(table) + day.isoformat())
            of = written[day]
            said = {_ROWS: str(of.rows), _CONTRACT: of.contract, _STATE: of.state}
            blob.metadata = {name: text for name, text in said.items() if text is not None}
            blob.upload_from_string(b"")

        if len(written) == 1:
            one(next(iter(written)))
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(one, written))

    def forget(self, table: Table, day: date) -> None:
        """The partition counts as never written from here on."""
        blob = self._bucket().get_blob(self._folder(table) + day.isoformat())
        if blob is not None:
            blob.delete()

    def read(self, name: str) -> str | None:
        """A text beside the partitions' marks; None when nobody wrote it."""
        blob = self._bucket().get_blob(f"{self._prefix}/{name}")
        return None if blob is None else blob.download_as_text()

    def create(self, name: str, text: str) -> bool:
        """Write a text that nobody has written yet; False when somebody was first."""
        from google.api_core.exceptions import PreconditionFailed

        try:
            self._bucket().blob(f"{self._prefix}/{name}").upload_from_string(text, if_generation_match=0)
        except PreconditionFailed:
            return False
        return True

    @contextmanager
    def lock(self, table: Table) -> Iterator[None]:
        """Only one process at a time is in here for a table.

        Raises:
            WarehouseError: another one was in for too long.
        """
        name = f"{self._prefix}/_locks/{table.address}"
        lease = self._acquire(name, table)
        over = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(lease, over), daemon=True)
        renewal.start()
        try:
            yield
        finally:
            over.set()
            renewal.join()
            self._release(lease)

    def _acquire(self, name: str, table: Table) -> Blob:
        from google.api_core.exceptions import PreconditionFailed

        owner = uuid.uuid4().hex
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        watched: tuple[int, float] | None = None
        while True:
            held = self._bucket().get_blob(name)
            if held is not None and (watched is None or watched[0] != held.generation):
                watched = held.generation, time.monotonic()  # by this clock alone: others may be wrong
            if held is None or self._is_over(held, watched):
                if held is not None:
                    _LOG.warning("the lease on %s was not renewed since %s: taken over", table.address, held.updated)
                lease = self._bucket().blob(name)
                try:
                    lease.upload_from_string(owner, if_generation_match=held.generation if held else 0)
                except PreconditionFailed:
                    continue  # somebody was faster
                return lease
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"{table.address} is held by another run for over {LOCK_TIMEOUT_SECONDS:.0f} s; wait for it or "
                    "stop it, then run again"
                )
            time.sleep(_POLL_SECONDS)

    def _is_over(self, held: Blob, watched: tuple[int, float] | None) -> bool:
        unrenewed = 0.0 if watched is None else time.monotonic() - watched[1]
        return unrenewed > LEASE_SECONDS or datetime.now(UTC) - held.updated > _SURELY_OVER

    def _renew(self, lease: Blob, over: threading.Event) -> None:
        from google.api_core.exceptions import GoogleAPIError

        owner = lease.download_as_bytes()
        while not over.wait(LEASE_SECONDS / 3):
            try:
                lease.upload_from_string(owner, if_generation_match=lease.generation)
            except GoogleAPIError as error:  # the statement under the lease is atomic and knows known keys by itself
                _LOG.warning("the lease %s could not be renewed: %s", lease.name, error)

    def _release(self, lease: Blob) -> None:
        from google.api_core.exceptions import NotFound, PreconditionFailed

        try:
            lease.delete(if_generation_match=lease.generation)
        except (NotFound, PreconditionFailed):
            _LOG.warning("the lease %s was taken over", lease.name)
