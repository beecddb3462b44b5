"""A landing zone in a folder of this machine, where files may be links, pipes, unreadable or half written."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nba_props.facts.digest import digest
from nba_props.storage import naming
from nba_props.storage.landing.layout import UNREAD, Ways
from nba_props.storage.landing.own_files import MOST_BYTES_OF_OURS
from nba_props.storage.landing.payload import Arrivals, LandingError, Payload, PayloadError
from nba_props.storage.landing.reading import read_file

if TYPE_CHECKING:
    from upath import UPath

#: seconds for which a hidden file counts as being landed rather than as a stray
_LANDING_TIME = 3600


class Folder:
    """The files of a zone by their paths in it; links are followed only within the zone."""

    def __init__(self, root: str, path: UPath) -> None:
        self._root = root
        self._path = path

    def exists(self) -> bool:
        """Whether the folder exists."""
        return self._path.is_dir()

    def make(self) -> None:
        """Create the folder if it is missing."""
        Path(self._path.path).mkdir(parents=True, exist_ok=True)

    def place(self, path: str) -> UPath:
        """Where a path of the zone is.

        Raises:
            LandingError: a link leads out of the zone.
        """
        if not self._is_inside(path):
            raise LandingError(f"{path} leads out of the landing zone {self._root} by a link: remove the link")
        return self._path / path

    def _is_inside(self, path: str) -> bool:
        """Whether a path is within the zone after its links are followed."""
        place = self._path.path
        parts = path.split("/")
        if not any(os.path.islink(place := os.path.join(place, p)) for p in parts):
            return ".." not in parts
        root = os.path.realpath(self._path.path)
        return os.path.realpath(os.path.join(root, path)).startswith(root.rstrip(os.sep) + os.sep)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """The entries of a folder; none when it does not exist, or is a link out of the zone."""
        if not self._is_inside(folder):
            return []
        try:
            with os.scandir((self._path / folder).path) as found:
                return sorted(found, key=lambda e: e.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LandingError(
                f"{self._path / folder} can't be listed: {error.strerror}. Give this user the right to read it"
            ) from error

    def _is(self, entry: os.DirEntry[str], folder: str, kind: str) -> bool:
        """Whether an entry of a folder is a file or a folder, or a link to one within the zone."""
        follow = entry.is_symlink()
        if follow and not self._is_inside(f"{folder}/{entry.name}"):
            return False
        try:
            return entry.is_file(follow_symlinks=follow) if kind == "file" else entry.is_dir(follow_symlinks=follow)
        except OSError:  # a circle of links
            return False

    def names(self, folder: str) -> list[str]:
        """The names of the payloads directly in a folder, in order; files are neither opened nor examined."""
        entries = self._entries(folder)
        return [e.name for e in entries if not naming.why_not_payload(e.name) and self._is(e, folder, "file")]

    def folders(self, folder: str) -> list[str]:
        """The names of a folder's subfolders, in order."""
        return [e.name for e in self._entries(folder) if naming.is_part(e.name) and self._is(e, folder, "directory")]

    def tree(self, folder: str) -> dict[str, list[str]]:
        """The names of the payloads in each subfolder of a folder."""
        return {name: self.names(f"{folder}/{name}") for name in self.folders(folder)}

    def landed_at(self, folder: str) -> dict[str, datetime]:
        """When each payload directly in a folder was landed, by name."""
        found = {}
        for name in self.names(folder):
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                found[name] = datetime.fromtimestamp(os.stat((self._path / folder / name).path).st_mtime, UTC)
        return found

    def arrivals(self, folders: Sequence[str]) -> Arrivals | None:
        """A summary of what has arrived, by names alone; None while the folders are empty."""
        names = [n for folder in folders for n in self.names(folder)]
        mark = digest("\n".join(names), 8)
        return Arrivals("", mark, len(names)) if names else None

    def strays(self, ways: Ways, folder: str = "") -> Iterator[tuple[str, str]]:
        """Everything below a folder that is not a payload: ``(path, why)``."""
        try:
            entries = self._entries(folder)
        except LandingError as error:
            yield folder, str(error)
            return
        for entry in entries:
            path = f"{folder}/{entry.name}".lstrip("/")
            if self._is(entry, folder or ".", "directory"):
                if ways.lead_through(path):
                    yield from self.strays(ways, path)
                else:
                    yield path, UNREAD
            elif not self._is(entry, folder or ".", "file"):
                yield path, "a link out of the zone, or a broken one" if entry.is_symlink() else "not a regular file"
            elif why := ways.why_stray(path):
                if not _is_being_landed(entry):
                    yield path, why
            elif not os.access(entry.path, os.R_OK):
                yield path, "it can't be read: this user lacks permission"

    def ahead(self, payloads: Sequence[Payload]) -> Iterator[Payload]:
        """The payloads as they are: a disk needs no prefetching."""
        yield from payloads

    def own_file(self, name: str) -> bytes | None:
        """The bytes of one of the zone's own files; None when it does not exist."""
        if not os.path.lexists((self._path / name).path):
            return None
        try:
            return read_file(self.place(name).path, name, MOST_BYTES_OF_OURS)
        except PayloadError as error:
            raise LandingError(f"{self._root}/{error}. Fix the file, or move it away") from error

    def read(self, path: str) -> bytes:
        """A payload's bytes.

        Raises:
            PayloadError: UNREADABLE, NOT_A_FILE or TOO_LARGE.
            LandingError: a link leads out of the zone.
        """
        return read_file(self.place(path).path, path)

    def create(self, path: str, data: bytes) -> None:
        """Write a payload that does not exist yet, completely or not at all.

        Raises:
            FileExistsError: it exists already; it is unchanged.
            LandingError: a link leads out of the zone, or something else is in the payload's place.
        """
        place = Path(self.place(path).path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise LandingError(f"{place.parent} is not a folder, so nothing can be landed in it: {error}") from error
        if place.is_dir():
            raise LandingError(f"{place} is a folder in place of a payload: move it away")
        temporary = place.with_name(f".{uuid.uuid4().hex}")  # watchers of the folder must not see half a file
        try:
            temporary.write_bytes(data)
            os.link(temporary, place)
        finally:
            temporary.unlink(missing_ok=True)


def _is_being_landed(entry: os.DirEntry[str]) -> bool:
    """Whether a file is hidden because it is not complete yet."""
    try:
        return entry.name.startswith(".") and time.time() - entry.stat().st_mtime < _LANDING_TIME
    except FileNotFoundError:
        return True
