"""Leases: one process at a time changes a table.

A lease is an object in the bucket that only one process can create, renewed while the process lives. One that was not
renewed for a while may be taken over, so that a killed process delays others only briefly.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nba_props.schemas import Table
from nba_props.warehouse.base import WarehouseError

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_LOG = logging.getLogger(__name__)
#: a lease that was not renewed for so long is free
LEASE_SECONDS = 45.0
LOCK_TIMEOUT_SECONDS = 300.0
#: longer than any clock is wrong by: a lease of this age needs no watching
_SURELY_OVER = timedelta(minutes=10)
_POLL_SECONDS = 0.25


class Leases:
    """Leases under ``prefix`` of a bucket; ``bucket`` gives each caller's thread one to work with."""

    def __init__(self, bucket: Callable[[], Bucket], prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")

    @contextmanager
    def lock(self, table: Table) -> Iterator[None]:
        """Inside, no other process has the lease on a table.

        Raises:
            WarehouseError: another one held it for too long.
        """
        lease = self._acquire(table)
        over = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(lease, over), daemon=True)
        renewal.start()
        try:
            yield
        finally:
            over.set()
            renewal.join()
            self._release(lease)

    def _acquire(self, table: Table) -> Blob:
        from google.api_core.exceptions import PreconditionFailed

        name, owner = f"{self._prefix}/_locks/{table.address}", uuid.uuid4().hex
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
                    continue  # another process was faster
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
            except GoogleAPIError as error:  # the statement under the lease is atomic and skips known keys by itself
                _LOG.warning("the lease %s could not be renewed: %s", lease.name, error)

    def _release(self, lease: Blob) -> None:
        from google.api_core.exceptions import NotFound, PreconditionFailed

        try:
            lease.delete(if_generation_match=lease.generation)
        except (NotFound, PreconditionFailed):
            _LOG.warning("the lease %s was taken over", lease.name)
