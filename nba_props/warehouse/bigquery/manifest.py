"""What BigQuery does not store: that a partition was written, when, with how many rows, and the statement of them.

One object in the bucket for each partition, listed by prefix. An empty partition leaves no trace in a table, but a
slate without players differs from one that was never made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from nba_props.facts.calendar import named_day
from nba_props.schemas import Table
from nba_props.warehouse.entries import Entry, Written

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

_PARTITION = "game_date="
_COUNT = re.compile(r"[0-9]{1,15}")
_ROWS, _STATE, _CONTRACT = "rows", "state", "contract"
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class Mark(Entry):
    """The mark of a partition that was written; its ``version`` is the object's generation."""

    written_at: datetime
    #: names the columns that it was written with; None where an earlier release wrote
    contract: str | None


@dataclass(frozen=True, kw_only=True)
class Note(Written):
    """What a mark records of a partition as it is written."""

    contract: str


class Manifest:
    """Marks and texts under ``prefix`` of a bucket; ``bucket`` gives each caller's thread one to work with."""

    def __init__(self, bucket: Callable[[], Bucket], prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")

    def _folder(self, table: Table) -> str:
        return f"{self._prefix}/{table.dataset}/{table.name}/{_PARTITION}"

    # -- marks ------------------------------------------------------------------------------------------------------

    def of(self, table: Table) -> dict[date, Mark]:
        """The partitions that were written, in order."""
        folder = self._folder(table)
        found = {}
        for blob in self._bucket().list_blobs(prefix=folder):
            day, noted = named_day(blob.name.removeprefix(folder)), blob.metadata or {}
            if day is not None and blob.updated and not _flaw(day, noted):
                found[day] = Mark(
                    table=table,
                    rows=int(noted[_ROWS]),
                    version=blob.generation,
                    statement=noted.get(_STATE),
                    written_at=blob.updated,
                    contract=noted.get(_CONTRACT),
                )
        return dict(sorted(found.items()))

    def exist(self, table: Table) -> bool:
        """Whether any object is named like a mark of the table."""
        return any(self._bucket().list_blobs(prefix=self._folder(table), max_results=1))

    def put(self, table: Table, written: Mapping[date, Note]) -> None:
        """Record that partitions were written just now."""

        def one(day: date) -> None:
            blob = self._bucket().blob(self._folder(table) + day.isoformat())
            note = written[day]
            noted = {_ROWS: str(note.rows), _CONTRACT: note.contract, _STATE: note.statement}
            blob.metadata = {name: text for name, text in noted.items() if text is not None}
            blob.upload_from_string(b"")

        if len(written) == 1:
            one(next(iter(written)))
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(one, written))

    def forget(self, table: Table, day: date) -> None:
        """Let the partition count as never written."""
        blob = self._bucket().get_blob(self._folder(table) + day.isoformat())
        if blob is not None:
            blob.delete()

    def rename(self, before: Table, now: Table, notes: str) -> None:
        """Give a table's marks, and what is recorded of its contracts under ``notes``, the table's name of today.

        All are copied before the first is deleted: a call that was killed can be repeated.
        """
        bucket = self._bucket()
        noted = [f"{self._prefix}/{notes}/{t.address}/" for t in (before, now)]
        for old, new in (noted, (self._folder(before), self._folder(now))):
            for blob in bucket.list_blobs(prefix=old):
                bucket.copy_blob(blob, bucket, new + blob.name.removeprefix(old))
        # the marks last: as long as one exists the table counts as not renamed
        for old in (noted[0], self._folder(before)):
            for blob in bucket.list_blobs(prefix=old):
                blob.delete()

    def strays(self, tables: Iterable[Table]) -> list[tuple[str, str]]:
        """The objects beside the marks of some tables that are not marks, and why."""
        bucket = self._bucket()
        found = []
        for table in tables:
            folder = self._folder(table).removesuffix(_PARTITION)
            for blob in bucket.list_blobs(prefix=folder):
                name = blob.name.removeprefix(folder)
                day = named_day(name.removeprefix(_PARTITION)) if name.startswith(_PARTITION) else None
                if why := _flaw(day, blob.metadata or {}):
                    found.append((f"gs://{bucket.name}/{blob.name}", why))
        return found

    # -- texts ------------------------------------------------------------------------------------------------------

    def read(self, name: str) -> str | None:
        """A text beside the partitions' marks; None when there is none."""
        blob = self._bucket().get_blob(f"{self._prefix}/{name}")
        return None if blob is None else blob.download_as_text()

    def create(self, name: str, text: str) -> bool:
        """Write a text that does not exist yet; False if another process was first."""
        from google.api_core.exceptions import PreconditionFailed

        try:
            self._bucket().blob(f"{self._prefix}/{name}").upload_from_string(text, if_generation_match=0)
        except PreconditionFailed:
            return False
        return True


def _flaw(day: date | None, noted: Mapping[str, str]) -> str:
    """Why an object is not the mark of a partition; empty when it is one."""
    if day is None:
        return f"is not named like a partition's mark ({_PARTITION}2026-01-09)"
    return "" if _COUNT.fullmatch(noted.get(_ROWS, "")) else "does not state how many rows were written"
