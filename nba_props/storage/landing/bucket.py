"""A landing zone in a bucket, or anything else that fsspec opens by URL: few requests, one listing for many names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nba_props.storage import naming
from nba_props.storage.landing.layout import UNREAD, Ways
from nba_props.storage.landing.payload import Arrivals, LandingError, Payload, PayloadError
from nba_props.storage.landing.reading import MOST_BYTES, too_large

if TYPE_CHECKING:
    from upath import UPath

_FETCHED_TOGETHER = 64


class Bucket:
    """The objects of a zone by their paths in it; a bucket has no links, and no folder without an object."""

    def __init__(self, root: str, path: UPath) -> None:
        self._root = root
        self._path = path
        self._was_there = False
        #: prefetched payloads that were not read yet
        self._ahead: dict[str, bytes] = {}
        #: payloads that are too large by a listing
        self._too_large: set[str] = set()

    def exists(self) -> bool:
        """Whether the bucket can be listed; checked until it was found once."""
        if not self._was_there:
            if self._path.protocol in ("gs", "gcs"):
                bucket = self._path.path.lstrip("/").split("/")[0]
                self._was_there = self._listed(bucket, detail=False) is not None
            else:
                return self._path.is_dir()
        return self._was_there

    def make(self) -> None:
        """Do nothing: buckets are not created here."""

    def place(self, path: str) -> UPath:
        """Where a path of the zone is."""
        return self._path / path

    def _listed(self, path: str, *, detail: bool) -> list[Any] | None:
        """What is directly in a place; None when there is no such place."""
        try:
            found: list[Any] = self._path.fs.ls(path, detail=detail)
        except FileNotFoundError:
            return None
        except Exception as error:  # each kind of bucket has its own errors
            raise LandingError(f"{self._root} can't be listed: {error}. See docs/production.md for access") from error
        return found

    def _payloads(self, folder: str) -> dict[str, dict[str, Any]]:
        """The payloads directly in a folder, by name, with the bucket's details of each."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self._listed(self.place(folder).path, detail=True) or ():
            name = str(entry["name"]).rsplit("/", 1)[-1]
            if entry["type"] == "file" and naming.why_not_payload(name) is None:
                found[name] = entry
                self._note_size(f"{folder}/{name}", entry)
        return found

    def _note_size(self, path: str, entry: dict[str, Any]) -> None:
        if (entry.get("size") or 0) > MOST_BYTES:
            self._too_large.add(path)

    def names(self, folder: str) -> list[str]:
        """The names of the payloads directly in a folder, in order."""
        return sorted(self._payloads(folder))

    def folders(self, folder: str) -> list[str]:
        """The names of a folder's subfolders, in order."""
        found = self._listed(self.place(folder).path, detail=True) or ()
        names = [str(e["name"]).rstrip("/").rsplit("/", 1)[-1] for e in found if e["type"] == "directory"]
        return sorted(filter(naming.is_part, names))

    def tree(self, folder: str) -> dict[str, list[str]]:
        """The names of the payloads in each subfolder of a folder, from one listing."""
        found: dict[str, list[str]] = {}
        for path, entry in self._path.fs.find(self.place(folder).path, detail=True).items():
            below, name = str(path).rsplit("/", 2)[-2:]
            if naming.why_not_payload(name) is None:
                found.setdefault(below, []).append(name)
                self._note_size(f"{folder}/{below}/{name}", entry)
        return {below: sorted(names) for below, names in found.items()}

    def landed_at(self, folder: str) -> dict[str, datetime]:
        """When each payload directly in a folder was landed, by name."""
        found = {}
        for name, entry in self._payloads(folder).items():
            stamp = entry.get("mtime", entry.get("updated", entry.get("created")))  # by kind of bucket
            if isinstance(stamp, str):
                stamp = datetime.fromisoformat(stamp)
            if stamp is not None:
                found[name] = stamp.astimezone(UTC)
        return found

    def arrivals(self, folders: Sequence[str]) -> Arrivals | None:
        """A summary of what has arrived, by the objects' times; None while the folders are empty."""
        found = sorted((stamp.isoformat(), n) for folder in folders for n, stamp in self.landed_at(folder).items())
        return Arrivals(*found[-1], len(found)) if found else None

    def strays(self, ways: Ways) -> Iterator[tuple[str, str]]:
        """Everything in the bucket that is not a payload: ``(path, why)``; an unread folder is one of them."""
        root, seen = self._path.path.strip("/"), set()
        for place in self._path.fs.find(self._path.path):
            if str(place).endswith("/"):
                continue  # the marker of a folder in a console
            path = str(place).strip("/").removeprefix(root).lstrip("/")
            folders = path.split("/")[:-1]
            above = ("/".join(folders[: n + 1]) for n in range(len(folders)))
            unread = next((f for f in above if not ways.lead_through(f)), None)
            if unread is None and (why := ways.why_stray(path)):
                yield path, why
            elif unread is not None and unread not in seen:
                seen.add(unread)
                yield unread, UNREAD

    def ahead(self, payloads: Sequence[Payload]) -> Iterator[Payload]:
        """The payloads, prefetched in batches for the reads that follow."""
        for start in range(0, len(payloads), _FETCHED_TOGETHER):
            chunk = payloads[start : start + _FETCHED_TOGETHER]
            places = {self.place(p.path).path: p.path for p in chunk if p.path not in self._too_large}
            found = self._path.fs.cat(list(places), on_error="omit") if places else {}
            self._ahead = {places[place]: data for place, data in found.items()}
            yield from chunk

    def own_file(self, name: str) -> bytes | None:
        """The bytes of one of the zone's own files; None when it does not exist."""
        place = self.place(name)
        return place.read_bytes() if place.exists() else None

    def read(self, path: str) -> bytes:
        """A payload's bytes.

        Raises:
            PayloadError: UNREADABLE or TOO_LARGE.
        """
        data = self._ahead.pop(path, None)
        if data is not None:
            return data
        place = self.place(path)
        try:
            if path in self._too_large or (place.fs.size(place.path) or 0) > MOST_BYTES:
                raise too_large(path)
            return place.read_bytes()
        except (FileNotFoundError, PermissionError) as error:
            raise PayloadError("UNREADABLE", f"{path} can't be read: {error}") from error

    def create(self, path: str, data: bytes) -> None:
        """Write a payload that does not exist yet, completely or not at all.

        Raises:
            FileExistsError: it exists already; it is unchanged.
            OSError: it can't be written.
        """
        place = self.place(path)
        try:
            place.fs.pipe_file(place.path, data, mode="create")
        except FileExistsError:
            raise
        except Exception as error:  # each kind of bucket has its own errors
            raise OSError(f"{path} could not be landed: {error}") from error
