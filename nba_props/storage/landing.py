"""The landing zone: payloads as delivered, written once and never changed, in a folder or a bucket.

Layout (``[-<capture>]`` is an optional UTC instant such as ``-20251105T170000Z``; a later capture supersedes):

* ``the_odds_api/player_points/<game date>/<event id>-<capture>.json[.gz]``
* ``nba_stats/leaguegamelog/<season>/<game date>-<season type>[-<capture>].json[.gz]``
* ``nba_stats/scheduleleaguev2/<season>[-<capture>].json[.gz]``
* ``nba_stats/boxscorescoringv3/<season>/<game date>-<game id>[-<capture>].json[.gz]``
* ``nba_stats/commonallplayers/<season>/<date>-<capture>.json[.gz]``
* ``injury_report/<game date>/report-<capture>.pdf`` or ``.json[.gz]``
* ``player_aliases.csv``: optional ``alias,player_name``, further spellings of players
* ``landing.json``: optional manifest, such as ``{"data_source": "SIMULATED", "first_date": "2025-10-21"}``

Any other file is not a payload: it is never opened, and ``LandingZone.strays`` lists it with the reason.
"""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import os
import re
import stat
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import DataSource
from nba_props.process.errors import NbaPropsError
from nba_props.storage import fields, naming
from nba_props.storage.fields import FieldError
from nba_props.storage.files import open_path

if TYPE_CHECKING:
    from upath import UPath

_FETCHED_TOGETHER = 64
#: bytes of a payload, packed or not; the largest real one, of everyone who ever played, has 2.5 million
MOST_BYTES = 10_000_000
#: values of a payload, a bound for its memory; the largest real one has 92,000
MOST_VALUES = 500_000
#: levels of nested objects and lists; the deepest real payload has 9
MOST_DEPTH = 50
#: rows, games, quotes or records of a payload; the longest real one has 5,103
MOST_ROWS = 20_000
#: bytes of the zone's own files
MOST_BYTES_OF_OURS = 1_000_000
#: seconds for which a hidden file counts as being landed rather than as a stray
_LANDING_TIME = 3600
#: errors of this process rather than of a file
_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
MANIFEST = "landing.json"
#: the key that is true in payloads of a simulated league, so that a copy without the manifest does not pass as real
SIMULATED_MARK = "simulated"
#: the manifest's key that is true if all payloads have that mark: one without it does not belong to the league
MARKED = "marked"
ALIASES_FILE = "player_aliases.csv"
#: the folders that are read, and the pattern of their payloads' subjects, as regular expressions
Layout = Sequence[tuple[str, str]]
#: the same, folders part by part
_Ways = Sequence[tuple[Sequence[re.Pattern[str]], re.Pattern[str]]]


class LandingError(NbaPropsError):
    """The landing zone itself is missing or cannot be used."""


class PayloadError(NbaPropsError, ValueError):
    """A payload that cannot be read, with a reason code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Payload:
    """One landed file, addressed relative to the landing zone."""

    path: str

    @property
    def stem(self) -> str:
        return naming.stem(self.path.rsplit("/", 1)[-1])

    @property
    def captured_at(self) -> datetime | None:
        """The capture instant in the name, or None when the name has none."""
        return naming.capture_of(self.stem)

    @property
    def subject(self) -> str:
        """The name without capture instant and suffix."""
        return naming.CAPTURE.sub("", self.stem)

    @property
    def order(self) -> tuple[str, str]:
        """Sorts payloads of one subject from oldest to newest; one without an instant is the oldest."""
        found = naming.CAPTURE.search(self.stem)
        return (found[1] if found else "", self.path)


@dataclass(frozen=True)
class Arrivals:
    """A short summary of what has arrived in some folders: instant and name of the newest payload, and their number.

    In a bucket the instant is when the object was written, not the capture in its name, so that a late arrival still
    counts as new. File times in a folder are not trustworthy: there ``newest`` is a hash of all names.
    """

    instant: str
    newest: str
    count: int

    def __str__(self) -> str:
        return f"{self.instant}|{self.newest}|{self.count}"

    def is_news(self, seen: str) -> bool:
        """Whether something arrived since ``seen``, the text of earlier arrivals; deletions do not count."""
        instant, _, rest = seen.partition("|")
        newest, _, count = rest.rpartition("|")
        if not count.isdigit():
            return True
        if not self.instant:
            return self.newest != newest
        return (self.instant, self.newest) > (instant, newest) or self.count > int(count)


def _ways(layout: Layout) -> _Ways:
    return [
        ([re.compile(part, re.ASCII) for part in folder.split("/")], re.compile(subject, re.ASCII))
        for folder, subject in layout
    ]


def _is_on_the_way(folder: str, ways: _Ways) -> bool:
    """Whether payloads are read from a folder or from one below it."""
    parts = folder.split("/")
    return any(
        len(parts) <= len(way) and all(p.fullmatch(t) for p, t in zip(way, parts, strict=False)) for way, _ in ways
    )


def _why_stray(path: str, ways: _Ways) -> str | None:
    """Why a file is not a payload of its folder; None when it is one, or one of the zone's own files."""
    *folders, name = path.split("/")
    if path in (MANIFEST, ALIASES_FILE):
        return None
    subjects = [
        subject
        for way, subject in ways
        if len(way) == len(folders) and all(p.fullmatch(t) for p, t in zip(way, folders, strict=True))
    ]
    if not subjects:
        return "payloads are not read directly from this folder"
    if why := naming.why_not_payload(name):
        return why
    named_so = any(s.fullmatch(Payload(path).subject) for s in subjects)
    return None if named_so else "payloads of this folder are named otherwise"


def _is_being_landed(entry: os.DirEntry[str]) -> bool:
    """Whether a file is hidden because it is not complete yet."""
    try:
        return entry.name.startswith(".") and time.time() - entry.stat().st_mtime < _LANDING_TIME
    except FileNotFoundError:
        return True


def capture_suffix(instant: datetime) -> str:
    """A capture instant as it ends a payload's name."""
    return f"-{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def read_aliases(data: bytes, origin: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """``(alias, player_name)`` pairs from CSV, and the lines that are skipped, with the reason.

    Raises:
        LandingError: the whole file can't be used: too large, not in UTF-8, or without the two columns.
    """
    remedy = "Fix the file, or move it away: without it only the platform's own aliases count"
    if len(data) > MOST_BYTES_OF_OURS:
        raise LandingError(f"{origin} has more than {MOST_BYTES_OF_OURS:,} bytes. {remedy}")
    first, *lines = data.removeprefix(b"\xef\xbb\xbf").splitlines() or [b"alias,player_name"]
    try:
        header = _cells(first)
    except UnicodeDecodeError as error:
        raise LandingError(f"{origin} is not in UTF-8: {error}. {remedy}") from error
    if not {"alias", "player_name"} <= set(header):
        raise LandingError(f"{origin} needs the columns alias and player_name, it has {fields.shown(header)}. {remedy}")
    pairs, wrong = [], []
    for number, line in enumerate(lines, 2):
        try:
            cells = _cells(line)
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise FieldError("the line", line.decode(), f"{len(cells)} values where {len(header)} are needed")
            row = dict(zip(header, cells, strict=True))
            pairs.append((fields.name(row, "alias"), fields.name(row, "player_name")))
        except UnicodeDecodeError:
            wrong.append(f"line {number} is not in UTF-8")
        except (FieldError, csv.Error) as error:
            wrong.append(f"line {number}: an alias and a player's name are needed: {error}")
    return tuple(pairs), tuple(wrong)


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode()]), [])


def decode(data: bytes, path: str) -> Any:
    """The content of a JSON payload, in bounded time and memory whatever the bytes are.

    Raises:
        PayloadError: EMPTY_FILE, TRUNCATED (gzip or JSON ends early), NOT_JSON, or TOO_LARGE: unpacked it has more than
            ``MOST_BYTES``, ``MOST_VALUES`` or ``MOST_DEPTH``.
    """
    if not data:
        raise PayloadError("EMPTY_FILE", f"{path} has no bytes")
    try:
        if path.endswith(".gz"):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:  # a decompression bomb is unpacked no further
                data = packed.read(MOST_BYTES + 1)
        _refuse_large(data, path)
        content = json.loads(data)
    except EOFError as error:
        raise PayloadError("TRUNCATED", f"{path}: {error}") from error
    except (gzip.BadGzipFile, zlib.error, UnicodeDecodeError, OSError) as error:
        raise PayloadError("NOT_JSON", f"{path}: {error}") from error
    except json.JSONDecodeError as error:
        truncated = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
        raise PayloadError("TRUNCATED" if truncated else "NOT_JSON", f"{path}: {error}") from error
    except RecursionError as error:
        raise PayloadError("TOO_LARGE", f"{path} is nested deeper than {MOST_DEPTH}") from error
    except PayloadError:
        raise
    except ValueError as error:  # a number of too many digits
        raise PayloadError("NOT_JSON", f"{path}: {error}") from error
    if _is_deeper(content, MOST_DEPTH):
        raise PayloadError("TOO_LARGE", f"{path} is nested deeper than {MOST_DEPTH}")
    return content


def _refuse_large(data: bytes, path: str) -> None:
    if len(data) > MOST_BYTES:
        raise PayloadError("TOO_LARGE", f"{path} has more than {MOST_BYTES:,} bytes")
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise PayloadError("TOO_LARGE", f"{path} has more than {MOST_VALUES:,} values")


def _is_deeper(content: Any, most: int) -> bool:
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(most):
        inside: list[Any] = []
        for holder in level:
            inside += holder.values() if type(holder) is dict else holder
        level = [v for v in inside if type(v) is dict or type(v) is list]  # JSON has no others
        if not level:
            return False
    return True


def limited(rows: Sequence[Any], payload: Payload, what: str) -> None:
    """Refuse a payload of more rows than any real one has.

    Raises:
        PayloadError: TOO_LARGE.
    """
    if len(rows) > MOST_ROWS:
        raise PayloadError("TOO_LARGE", f"{payload.path} has {len(rows):,} {what}, at most {MOST_ROWS:,} are read")


def read_file(place: str, path: str, most: int = MOST_BYTES) -> bytes:
    """A file's bytes; never waits for a pipe, and does not read what is too large.

    Raises:
        PayloadError: UNREADABLE, NOT_A_FILE or TOO_LARGE.
    """
    try:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO opens at once
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise PayloadError("NOT_A_FILE", f"{path} is not a regular file")
            with open(handle, "rb", closefd=False) as source:
                data = source.read(most + 1) if found.st_size <= most else None
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _OURS:
            raise
        raise PayloadError("UNREADABLE", f"{path} can't be read: {error.strerror}") from error
    if data is None or len(data) > most:
        raise PayloadError("TOO_LARGE", f"{path} has more than {most:,} bytes")
    return data


class LandingZone:
    """Payloads under a root folder or bucket URL (anything fsspec opens)."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._was_there = False
        self._ahead: dict[str, bytes] = {}
        #: payloads of a bucket that are too large by a listing
        self._too_large: set[str] = set()

    @cached_property
    def _path(self) -> UPath:
        return open_path(self.root)

    @property
    def _is_local(self) -> bool:
        return self._path.protocol in ("", "file", "local")

    def _is_inside(self, path: str) -> bool:
        """Whether a path is within the zone after its links are followed; a bucket has no links."""
        place = self._path.path
        parts = path.split("/")
        if not self._is_local or not any(os.path.islink(place := os.path.join(place, p)) for p in parts):
            return ".." not in parts
        root = os.path.realpath(self._path.path)
        return os.path.realpath(os.path.join(root, path)).startswith(root.rstrip(os.sep) + os.sep)

    def _place(self, path: str) -> UPath:
        """Where a path of the zone is.

        Raises:
            LandingError: the path is not within the zone: it is absolute, goes up or out by a link, or is hidden.
        """
        if not all(map(naming.is_part, path.split("/"))):
            raise LandingError(
                f"{fields.shown(path)} is not a path of a landing zone: each part begins with a letter or a digit and "
                "has letters, digits, '.', '_' and '-'"
            )
        if not self._is_inside(path):
            raise LandingError(f"{path} leads out of the landing zone {self.root} by a link: remove the link")
        return self._path / path

    def exists(self) -> bool:
        """Whether the folder exists; for a bucket, which has no folders, whether it can be listed."""
        if self._was_there:
            return True
        if self._path.protocol in ("gs", "gcs"):
            bucket = self._path.path.lstrip("/").split("/")[0]
            self._was_there = self._listed(bucket, detail=False) is not None
            return self._was_there
        return self._path.is_dir()

    def require(self) -> None:
        """Raise :class:`LandingError` when there is no landing zone at the root."""
        if not self.exists():
            raise LandingError(
                f"there is no landing zone at {self.root}: `nba-props start` creates one for the real league, "
                "`nba-props demo` one for a simulated league; or set NBA_PROPS_LANDING to the folder or bucket that "
                "holds the_odds_api/ and nba_stats/"
            )

    def make(self) -> None:
        """Create the folder if it is missing; a bucket is never created."""
        if "://" not in self.root:
            Path(self.root).mkdir(parents=True, exist_ok=True)

    def _own_file(self, name: str) -> bytes | None:
        """The bytes of one of the zone's own files; None when there is none."""
        path = self._path / name
        if not (os.path.lexists(path.path) if self._is_local else path.exists()):
            return None
        try:
            self._place(name)
            return read_file(path.path, name, MOST_BYTES_OF_OURS) if self._is_local else path.read_bytes()
        except PayloadError as error:
            raise LandingError(f"{self.root}/{error}. Fix the file, or move it away") from error

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The content of ``landing.json``; empty without one."""
        data = self._own_file(MANIFEST)
        if data is None:
            return {}
        try:
            found = json.loads(data)
            if not isinstance(found, dict):
                raise FieldError("the manifest", found, "not an object")
            for name in ("first_date", "last_date"):
                if fields.optional_text(found, name):
                    fields.day(found, name)
            if "data_source" in found and not naming.is_id(found["data_source"]):
                raise FieldError("data_source", found["data_source"], "not a name such as SIMULATED")
        except (ValueError, RecursionError) as error:
            raise LandingError(
                f"{self._path / MANIFEST} is not a manifest of a landing zone: {error}. "
                "Fix it, or move it away if the payloads are real"
            ) from error
        return found

    def data_source(self, feed: str) -> str:
        """The label of rows from a feed: the feed's own name, or SIMULATED in a simulated zone."""
        return str(self.manifest.get("data_source", feed))

    @property
    def first_date(self) -> date | None:
        """The first date with data, if the manifest states it."""
        return fields.day(self.manifest, "first_date") if self.manifest.get("first_date") else None

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
        data = self._own_file(ALIASES_FILE)
        return ((), ()) if data is None else read_aliases(data, str(self._path / ALIASES_FILE))

    def _listed(self, path: str, *, detail: bool) -> list[Any] | None:
        """What is directly in a place; None when there is no such place."""
        try:
            found: list[Any] = self._path.fs.ls(path, detail=detail)
        except FileNotFoundError:
            return None
        except Exception as error:  # each kind of bucket has its own errors
            if self._is_local:
                raise
            raise LandingError(f"{self.root} can't be listed: {error}. See docs/production.md for access") from error
        return found

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """The entries of a local folder; none when it does not exist, or is a link out of the zone."""
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
        """Whether an entry of a local folder is a file or a folder, or a link to one within the zone."""
        follow = entry.is_symlink()
        if follow and not self._is_inside(f"{folder}/{entry.name}"):
            return False
        try:
            return entry.is_file(follow_symlinks=follow) if kind == "file" else entry.is_dir(follow_symlinks=follow)
        except OSError:  # a circle of links
            return False

    def names(self, folder: str) -> list[str]:
        """The names of the payloads directly in a folder, in order; files are neither opened nor examined."""
        if self._is_local:
            entries = self._entries(folder)
            return [e.name for e in entries if not naming.why_not_payload(e.name) and self._is(e, folder, "file")]
        return sorted(self._listed_payloads(folder))

    def _listed_payloads(self, folder: str) -> dict[str, dict[str, Any]]:
        """The payloads directly in a folder of a bucket, by name, with the bucket's details of each."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self._listed((self._path / folder).path, detail=True) or ():
            name = str(entry["name"]).rsplit("/", 1)[-1]
            if entry["type"] == "file" and naming.why_not_payload(name) is None:
                found[name] = entry
                self._note_size(f"{folder}/{name}", entry)
        return found

    def _note_size(self, path: str, entry: dict[str, Any]) -> None:
        if (entry.get("size") or 0) > MOST_BYTES:
            self._too_large.add(path)

    def arrivals(self, *folders: str) -> Arrivals | None:
        """A summary of what has arrived in some folders; None while they are empty. Each folder is listed once."""
        if self._is_local:
            names = [n for folder in folders for n in self.names(folder)]
            mark = digest("\n".join(names), 8)
            return Arrivals("", mark, len(names)) if names else None
        found = sorted((stamp.isoformat(), n) for folder in folders for n, stamp in self.landed_at(folder).items())
        return Arrivals(*found[-1], len(found)) if found else None

    def list(self, folder: str) -> list[Payload]:
        """The payloads directly in a folder, oldest capture first; an absent folder is empty. Lists nothing else."""
        self.require()
        return sorted((Payload(f"{folder}/{n}") for n in self.names(folder)), key=lambda p: p.order)

    def landed_at(self, folder: str) -> dict[str, datetime]:
        """When each payload directly in a folder was landed, by name; an absent folder is empty."""
        self.require()
        if self._is_local:
            place, found = self._path / folder, {}
            for name in self.names(folder):
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    found[name] = datetime.fromtimestamp(os.stat((place / name).path).st_mtime, UTC)
            return found
        found = {}
        for name, entry in self._listed_payloads(folder).items():
            stamp = entry.get("mtime", entry.get("updated", entry.get("created")))  # by kind of bucket
            if isinstance(stamp, str):
                stamp = datetime.fromisoformat(stamp)
            if stamp is not None:
                found[name] = stamp.astimezone(UTC)
        return found

    def folders(self, folder: str) -> Sequence[str]:
        """The names of a folder's subfolders, in order."""
        self.require()
        if self._is_local:
            names = [e.name for e in self._entries(folder) if self._is(e, folder, "directory")]
        else:
            found = self._listed((self._path / folder).path, detail=True) or ()
            names = [str(e["name"]).rstrip("/").rsplit("/", 1)[-1] for e in found if e["type"] == "directory"]
        return sorted(filter(naming.is_part, names))

    def tree(self, folder: str) -> dict[str, Sequence[str]]:
        """The names of the payloads in each subfolder of a folder; a bucket is listed once."""
        if self._is_local:
            return {name: self.names(f"{folder}/{name}") for name in self.folders(folder)}
        found: dict[str, list[str]] = {}
        for path, entry in self._path.fs.find((self._path / folder).path, detail=True).items():
            name, below = str(path).rsplit("/", 1)[-1], str(path).rsplit("/", 2)[-2]
            if naming.why_not_payload(name) is None:
                found.setdefault(below, []).append(name)
                self._note_size(f"{folder}/{below}/{name}", entry)
        return {below: sorted(names) for below, names in found.items()}

    def strays(self, layout: Layout, most: int = 1000) -> Sequence[tuple[str, str]]:
        """Everything in the zone that is not a payload and is never opened: ``(path, why)``, by path.

        Only names are judged, and only the aliases are read; the search ends after ``most``.
        """
        self.require()
        ways = _ways(layout)
        looked = self._local_strays("", most, ways) if self._is_local else self._bucket_strays(ways)
        found = list(islice(looked, most))
        try:
            found += [(ALIASES_FILE, line.partition(", ")[2]) for line in self.bad_aliases()]
        except LandingError as error:
            found.append((ALIASES_FILE, str(error)))
        return sorted(found)

    def _local_strays(self, folder: str, most: int, ways: _Ways) -> Iterator[tuple[str, str]]:
        try:
            entries = self._entries(folder)
        except LandingError as error:
            yield folder, str(error)
            return
        for entry in entries:
            path = f"{folder}/{entry.name}".lstrip("/")
            if self._is(entry, folder or ".", "directory"):
                if _is_on_the_way(path, ways):
                    yield from self._local_strays(path, most, ways)
                else:
                    yield path, "nothing is read from this folder"
            elif not self._is(entry, folder or ".", "file"):
                yield path, "a link out of the zone, or a broken one" if entry.is_symlink() else "not a regular file"
            elif why := _why_stray(path, ways):
                if not _is_being_landed(entry):
                    yield path, why
            elif not os.access(entry.path, os.R_OK):
                yield path, "it can't be read: this user lacks permission"

    def _bucket_strays(self, ways: _Ways) -> Iterator[tuple[str, str]]:
        root, seen = self._path.path.strip("/"), set()
        for place in self._path.fs.find(self._path.path):
            if str(place).endswith("/"):
                continue  # the marker of a folder in a console
            path = str(place).strip("/").removeprefix(root).lstrip("/")
            folders = path.split("/")[:-1]
            above = ("/".join(folders[: n + 1]) for n in range(len(folders)))
            unread = next((f for f in above if not _is_on_the_way(f, ways)), None)
            if unread is None and (why := _why_stray(path, ways)):
                yield path, why
            elif unread is not None and unread not in seen:
                seen.add(unread)
                yield unread, "nothing is read from this folder"

    def ahead(self, payloads: Sequence[Payload]) -> Iterator[Payload]:
        """The payloads, to be loaded one after the other; from a bucket they are prefetched in batches."""
        if self._is_local:
            yield from payloads
            return
        for start in range(0, len(payloads), _FETCHED_TOGETHER):
            chunk = payloads[start : start + _FETCHED_TOGETHER]
            places = {(self._path / p.path).path: p.path for p in chunk if p.path not in self._too_large}
            found = self._path.fs.cat(list(places), on_error="omit") if places else {}
            self._ahead = {places[place]: data for place, data in found.items()}
            yield from chunk

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
        data = self._ahead.pop(payload.path, None)
        if data is not None:
            return data
        try:
            place = self._place(payload.path)
        except LandingError as error:
            raise PayloadError("BAD_NAME", str(error)) from error
        if self._is_local:
            return read_file(place.path, payload.path)
        try:
            if payload.path in self._too_large or (place.fs.size(place.path) or 0) > MOST_BYTES:
                raise PayloadError("TOO_LARGE", f"{payload.path} has more than {MOST_BYTES:,} bytes")
            return place.read_bytes()
        except (FileNotFoundError, PermissionError) as error:
            raise PayloadError("UNREADABLE", f"{payload.path} can't be read: {error}") from error

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
        return self._place(path).exists()

    def land_bytes(self, path: str, data: bytes) -> Payload:
        """Write a payload once, as it is; the same name a second time is an error.

        Raises:
            FileExistsError: a payload of this name was landed already; it is unchanged.
            LandingError: the path is not within the zone, or something else is in its place.
            OSError: it can't be written.
        """
        target = self._place(path)
        if self._is_local:
            # watchers of the folder must not see half a file
            place = Path(target.path)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise LandingError(
                    f"{place.parent} is not a folder, so nothing can be landed in it: {error}"
                ) from error
            if place.is_dir():
                raise LandingError(f"{place} is a folder in place of a payload: move it away")
            temporary = place.with_name(f".{uuid.uuid4().hex}")
            try:
                temporary.write_bytes(data)
                os.link(temporary, place)
            finally:
                temporary.unlink(missing_ok=True)
        else:
            try:
                target.fs.pipe_file(target.path, data, mode="create")
            except FileExistsError:
                raise
            except Exception as error:  # each kind of bucket has its own errors
                raise OSError(f"{path} could not be landed: {error}") from error
        return Payload(path)
