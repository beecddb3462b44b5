"""The landing zone as the rest of the project sees it, whether it is a folder or a bucket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from nba_props.facts.vocabulary import DataSource
from nba_props.storage import fields, naming
from nba_props.storage.files import open_path
from nba_props.storage.landing.bucket import Bucket
from nba_props.storage.landing.folder import Folder
from nba_props.storage.landing.layout import Layout, Ways
from nba_props.storage.landing.own_files import (
    ALIASES_FILE,
    MANIFEST,
    MARKED,
    SIMULATED_MARK,
    read_aliases,
    read_manifest,
)
from nba_props.storage.landing.payload import Arrivals, LandingError, Payload, PayloadError
from nba_props.storage.landing.reading import decode

if TYPE_CHECKING:
    from upath import UPath


class LandingZone:
    """Payloads under a root folder or bucket URL (anything fsspec opens)."""

    def __init__(self, root: str) -> None:
        self.root = root

    @cached_property
    def _path(self) -> UPath:
        return open_path(self.root)

    @cached_property
    def _store(self) -> Folder | Bucket:
        if self._path.protocol in ("", "file", "local"):
            return Folder(self.root, self._path)
        return Bucket(self.root, self._path)

    def _named(self, path: str) -> str:
        """A path of the zone, if its parts are names of a zone.

        Raises:
            LandingError: it is absolute, leads up or is hidden.
        """
        if not all(map(naming.is_part, path.split("/"))):
            raise LandingError(
                f"{fields.shown(path)} is not a path of a landing zone: each part begins with a letter or a digit and "
                "has letters, digits, '.', '_' and '-'"
            )
        return path

    def exists(self) -> bool:
        """Whether the folder exists; for a bucket, which has no folders, whether it can be listed."""
        return self._store.exists()

    def require(self) -> None:
        """Raise :class:`LandingError` when there is no landing zone at the root."""
        if not self.exists():
            raise LandingError(
                f"there is no landing zone at {self.root}: `nba-props start` creates one for the real league, "
                "`nba-props demo` one for a simulated league; or set NBA_PROPS_LANDING to the folder or bucket that "
                "holds the payloads"
            )

    def make(self) -> None:
        """Create the folder if it is missing; a bucket is never created."""
        self._store.make()

    # the zone's own files

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The content of ``landing.json``; empty without one."""
        data = self._store.own_file(MANIFEST)
        return {} if data is None else read_manifest(data, str(self._path / MANIFEST))

    def data_source(self, feed: str) -> str:
        """The label of rows from a feed: the feed's own name, or SIMULATED in a simulated zone."""
        return str(self.manifest.get("data_source", feed))

    @property
    def first_date(self) -> date | None:
        """The first date with data, if the manifest states it."""
        return fields.day(self.manifest, "first_date") if self.manifest.get("first_date") else None

    @property
    def markets(self) -> tuple[str, ...]:
        """The markets of a simulated league, if the manifest states them; empty for the real league."""
        return tuple(map(str, self.manifest.get("markets", ()))) if self.is_simulated else ()

    @property
    def last_date(self) -> date | None:
        """The last date of a simulated league, if the manifest states it; None for the real league."""
        return fields.day(self.manifest, "last_date") if self.is_simulated and self.manifest.get("last_date") else None

    @property
    def is_simulated(self) -> bool:
        """Whether the payloads are of a simulated league."""
        return self.data_source("") == DataSource.SIMULATED

    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Further spellings of players, landed beside the payloads; read at each use."""
        return self._aliases()[0]

    def bad_aliases(self) -> tuple[str, ...]:
        """The lines of the landed aliases that are skipped, with the reason."""
        return tuple(f"{ALIASES_FILE}, {line}" for line in self._aliases()[1])

    def _aliases(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        data = self._store.own_file(ALIASES_FILE)
        return ((), ()) if data is None else read_aliases(data, str(self._path / ALIASES_FILE))

    # listing

    def names(self, folder: str) -> list[str]:
        """The names of the payloads directly in a folder, in order; files are neither opened nor examined."""
        return self._store.names(folder)

    def list(self, folder: str) -> list[Payload]:
        """The payloads directly in a folder, oldest capture first; an absent folder is empty. Lists nothing else."""
        self.require()
        return sorted((Payload(f"{folder}/{n}") for n in self.names(folder)), key=lambda p: p.order)

    def folders(self, folder: str) -> Sequence[str]:
        """The names of a folder's subfolders, in order."""
        self.require()
        return self._store.folders(folder)

    def tree(self, folder: str) -> Mapping[str, Sequence[str]]:
        """The names of the payloads in each subfolder of a folder; a bucket is listed once."""
        self.require()
        return self._store.tree(folder)

    def landed_at(self, folder: str) -> dict[str, datetime]:
        """When each payload directly in a folder was landed, by name; an absent folder is empty."""
        self.require()
        return self._store.landed_at(folder)

    def arrivals(self, *folders: str) -> Arrivals | None:
        """A summary of what has arrived in some folders; None while they are empty. Each folder is listed once."""
        if isinstance(self._store, Bucket):
            self.require()  # a folder may still appear, an absent bucket is a mistake
        return self._store.arrivals(folders)

    def strays(self, layout: Layout, most: int = 1000) -> Sequence[tuple[str, str]]:
        """Everything in the zone that is not a payload and is never opened: ``(path, why)``, by path.

        Only names are judged, and only the aliases are read; the search ends after ``most``.
        """
        self.require()
        found = list(islice(self._store.strays(Ways(layout)), most))
        try:
            found += [(ALIASES_FILE, line.partition(", ")[2]) for line in self.bad_aliases()]
        except LandingError as error:
            found.append((ALIASES_FILE, str(error)))
        return sorted(found)

    # reading

    def ahead(self, payloads: Sequence[Payload]) -> Iterator[Payload]:
        """The payloads, to be loaded one after the other; from a bucket they are prefetched in batches."""
        return self._store.ahead(payloads)

    def load(self, payload: Payload) -> Any:
        """The decoded JSON of a payload.

        Raises:
            PayloadError: as in ``load_bytes`` and ``decode``; SIMULATED: it is marked as simulated, and the zone is
                not; NOT_SIMULATED: all payloads of the zone are marked as simulated, and this one is not.
        """
        content = decode(self.load_bytes(payload), payload.path)
        if not isinstance(content, dict):
            return content
        is_marked = content.get(SIMULATED_MARK) is True
        if is_marked and not self.is_simulated:
            raise PayloadError(
                "SIMULATED", f"{payload.path} is of a simulated league: copy its zone's {MANIFEST} with it"
            )
        if not is_marked and self.is_simulated and self.manifest.get(MARKED) is True:
            raise PayloadError(
                "NOT_SIMULATED", f"{payload.path} is not marked as part of this zone's simulated league: remove it"
            )
        return content

    def load_bytes(self, payload: Payload) -> bytes:
        """A payload as delivered.

        Raises:
            PayloadError: BAD_NAME (it is not a path of the zone), UNREADABLE, NOT_A_FILE, or TOO_LARGE: it has more
                than ``MOST_BYTES`` and was not read.
        """
        try:
            return self._store.read(self._named(payload.path))
        except LandingError as error:
            raise PayloadError("BAD_NAME", str(error)) from error

    # writing, once

    def land(self, path: str, content: Any) -> Payload:
        """Write a payload once, gzipped when its name ends in ``.gz``; the same name a second time is an error.

        Raises:
            FileExistsError: a payload of this name was landed already; it is unchanged.
            LandingError: the path is not within the zone.
        """
        # half a surrogate pair, which UTF-8 can't encode, stays an escape
        data = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace")
        if path.endswith(".gz"):
            data = gzip.compress(data, compresslevel=5, mtime=0)
        return self.land_bytes(path, data)

    def has(self, path: str) -> bool:
        """Whether a payload of this name was landed."""
        return self._store.place(self._named(path)).exists()

    def land_bytes(self, path: str, data: bytes) -> Payload:
        """Write a payload once, as it is; the same name a second time is an error.

        Raises:
            FileExistsError: a payload of this name was landed already; it is unchanged.
            LandingError: the path is not within the zone, or something else is in its place.
            OSError: it can't be written.
        """
        self._store.create(self._named(path), data)
        return Payload(path)
