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
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.sources.redact import without_secrets
from nba_props.storage import open_path

if TYPE_CHECKING:
    from upath import UPath

_CAPTURE = re.compile(r"-(\d{8}T\d{6}Z)$")
_SUFFIXES = (".json.gz", ".json", ".pdf")
_FETCHED_TOGETHER = 64
MANIFEST = "landing.json"
ALIASES_FILE = "player_aliases.csv"


class LandingError(RuntimeError):
    """The landing zone itself is missing or cannot be used."""


class FetchError(RuntimeError):
    """A live feed or a webhook refused or could not answer.

    Args:
        code: what is wrong, in a word.
        detail: the sentence; secrets are taken out of it.
        status: the HTTP status of the answer, if there was one.
    """

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        self.code = without_secrets(code)
        self.detail = without_secrets(detail)
        self.status = status
        super().__init__(f"{self.code}: {self.detail}" if status is None else f"{self.code} ({status}): {self.detail}")


class PayloadError(ValueError):
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
        name = self.path.rsplit("/", 1)[-1]
        for suffix in _SUFFIXES:
            name = name.removesuffix(suffix)
        return name

    @property
    def captured_at(self) -> datetime | None:
        """The capture instant in the name, or None when the name has none."""
        found = _CAPTURE.search(self.stem)
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None

    @property
    def subject(self) -> str:
        """The name without capture instant and suffix."""
        return _CAPTURE.sub("", self.stem)

    @property
    def order(self) -> tuple[str, str]:
        """Sorts payloads of one subject from oldest to newest; one without an instant is the oldest."""
        found = _CAPTURE.search(self.stem)
        return (found[1] if found else "", self.path)


@dataclass(frozen=True)
class Arrivals:
    """What has arrived in some folders, in a few characters: ``newest`` instant and name, and how many there are.

    In a bucket the instant is when the object was written there, whatever its payload calls itself, so that one that
    comes late is news all the same. A folder's times are anyone's to set: there a hash of the names stands instead.
    """

    instant: str
    newest: str
    count: int

    def __str__(self) -> str:
        return f"{self.instant}|{self.newest}|{self.count}"

    def is_news(self, seen: str) -> bool:
        """Whether something came since ``seen``, the text of earlier arrivals; that something went is none."""
        instant, _, rest = seen.partition("|")
        newest, _, count = rest.rpartition("|")
        if not count.isdigit():
            return True
        if not self.instant:
            return self.newest != newest
        return (self.instant, self.newest) > (instant, newest) or self.count > int(count)


def capture_suffix(instant: datetime) -> str:
    """How a capture instant stands in a payload's name."""
    return f"-{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def read_aliases(data: bytes, origin: str) -> tuple[tuple[str, str], ...]:
    """``(alias, player_name)`` pairs from CSV.

    Raises:
        LandingError: it is no UTF-8, a column is missing, or a value of one is.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    except UnicodeDecodeError as error:
        raise LandingError(f"{origin} is not in UTF-8: {error}") from error
    if rows and not {"alias", "player_name"} <= set(rows[0]):
        raise LandingError(f"{origin} needs the columns alias and player_name, it has {', '.join(map(str, rows[0]))}")
    for number, row in enumerate(rows, 2):
        if not (row["alias"] and row["player_name"]):
            raise LandingError(f"{origin}, line {number}: an alias and a player's name are needed")
    return tuple((r["alias"].strip(), r["player_name"].strip()) for r in rows)


class LandingZone:
    """Payloads under a root folder or bucket URL (anything fsspec opens)."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._was_there = False
        self._ahead: dict[str, bytes] = {}

    @cached_property
    def _path(self) -> UPath:
        return open_path(self.root)

    @property
    def _is_local(self) -> bool:
        return self._path.protocol in ("", "file", "local")

    def exists(self) -> bool:
        """Whether the folder is there; of a bucket, which has no folders, whether it can be listed."""
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
                f"there is no landing zone at {self.root}: set NBA_PROPS_LANDING to the folder or bucket "
                "that holds the_odds_api/ and nba_stats/"
            )

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the zone says of itself; empty without a ``landing.json``."""
        path = self._path / MANIFEST
        if not path.exists():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if text := found.get("first_date"):
                date.fromisoformat(text)
        except (ValueError, TypeError, AttributeError) as error:
            raise LandingError(f"{path} is no manifest of a landing zone: {error}") from error
        return dict(found)

    def data_source(self, feed: str) -> str:
        """How rows of a feed are labelled: the feed's own name, or SIMULATED in a simulated zone."""
        return str(self.manifest.get("data_source", feed))

    @property
    def first_date(self) -> date | None:
        """The first date the zone has data for, when its manifest says so."""
        text = self.manifest.get("first_date")
        return date.fromisoformat(text) if text else None

    @property
    def is_simulated(self) -> bool:
        """Whether the payloads are an invented league's."""
        return self.data_source("") == "SIMULATED"

    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Further spellings of players, landed beside the payloads; read at each use."""
        path = self._path / ALIASES_FILE
        return read_aliases(path.read_bytes(), str(path)) if path.exists() else ()

    def _listed(self, path: str, *, detail: bool) -> list[Any] | None:
        """What is directly in a place; None when there is no such place."""
        try:
            found: list[Any] = self._path.fs.ls(path, detail=detail)
        except FileNotFoundError:
            return None
        except Exception as error:  # each kind of bucket has errors of its own
            if self._is_local:
                raise
            raise LandingError(f"{self.root} can't be listed: {error}. See docs/production.md for access") from error
        return found

    def names(self, folder: str) -> list[str]:
        """The names of the payloads directly in a folder, in order: nothing is opened or asked about a file."""
        found = self._listed((self._path / folder).path, detail=False)
        names = (str(p).rsplit("/", 1)[-1] for p in found or ())
        return sorted(n for n in names if n.endswith(_SUFFIXES) and not n.startswith("."))

    def arrivals(self, *folders: str) -> Arrivals | None:
        """What has arrived in some folders; None while there is nothing. Each folder is listed once."""
        if self._is_local:
            names = [n for folder in folders for n in self.names(folder)]
            mark = hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()
            return Arrivals("", mark, len(names)) if names else None
        found = sorted((stamp.isoformat(), n) for folder in folders for n, stamp in self.landed_at(folder).items())
        return Arrivals(*found[-1], len(found)) if found else None

    def list(self, folder: str) -> list[Payload]:
        """The payloads directly in a folder, oldest capture first; an absent folder is empty. Lists nothing else."""
        self.require()
        return sorted((Payload(f"{folder}/{n}") for n in self.names(folder)), key=lambda p: p.order)

    def landed_at(self, folder: str) -> dict[str, datetime]:
        """When each file directly in a folder was landed, by name; an absent folder is empty."""
        self.require()
        found = {}
        for entry in self._listed((self._path / folder).path, detail=True) or ():
            stamp = entry.get("mtime", entry.get("updated"))  # a folder's files tell the one, a bucket's the other
            if isinstance(stamp, str):
                stamp = datetime.fromisoformat(stamp).timestamp()
            elif isinstance(stamp, datetime):
                stamp = stamp.timestamp()
            if stamp is not None and entry["name"].endswith(_SUFFIXES):
                found[str(entry["name"]).rsplit("/", 1)[-1]] = datetime.fromtimestamp(float(stamp), UTC)
        return found

    def folders(self, folder: str) -> Sequence[str]:
        """The names of a folder's subfolders, in order."""
        self.require()
        found = self._listed((self._path / folder).path, detail=True) or ()
        return sorted(str(e["name"]).rstrip("/").rsplit("/", 1)[-1] for e in found if e["type"] == "directory")

    def tree(self, folder: str) -> dict[str, Sequence[str]]:
        """The names of the payloads in each subfolder of a folder; a bucket is listed once."""
        if self._is_local:
            return {name: self.names(f"{folder}/{name}") for name in self.folders(folder)}
        found: dict[str, list[str]] = {}
        for path in self._path.fs.find((self._path / folder).path):
            name, below = str(path).rsplit("/", 1)[-1], str(path).rsplit("/", 2)[-2]
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                found.setdefault(below, []).append(name)
        return {below: sorted(names) for below, names in found.items()}

    def ahead(self, payloads: Sequence[Payload]) -> Iterator[Payload]:
        """The payloads, to be loaded one after the other: from a bucket they are fetched many at a time."""
        if self._is_local:
            yield from payloads
            return
        for start in range(0, len(payloads), _FETCHED_TOGETHER):
            chunk = payloads[start : start + _FETCHED_TOGETHER]
            places = {(self._path / p.path).path: p.path for p in chunk}
            found = self._path.fs.cat(list(places), on_error="omit")
            self._ahead = {places[place]: data for place, data in found.items()}
            yield from chunk

    def load(self, payload: Payload) -> Any:
        """The decoded JSON of a payload.

        Raises:
            PayloadError: EMPTY_FILE, TRUNCATED (gzip or JSON ends early) or NOT_JSON.
        """
        data = self._ahead.pop(payload.path, None)
        if data is None:
            data = (self._path / payload.path).read_bytes()
        if not data:
            raise PayloadError("EMPTY_FILE", f"{payload.path} has no bytes")
        try:
            if payload.path.endswith(".gz"):
                data = gzip.decompress(data)
            return json.loads(data)
        except EOFError as error:
            raise PayloadError("TRUNCATED", f"{payload.path}: {error}") from error
        except (gzip.BadGzipFile, zlib.error, UnicodeDecodeError, OSError) as error:
            raise PayloadError("NOT_JSON", f"{payload.path}: {error}") from error
        except json.JSONDecodeError as error:
            truncated = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
            raise PayloadError("TRUNCATED" if truncated else "NOT_JSON", f"{payload.path}: {error}") from error
        except (RecursionError, ValueError) as error:  # nested too deeply, or a number of too many digits
            raise PayloadError("NOT_JSON", f"{payload.path}: {error}") from error

    def land(self, path: str, content: Any) -> Payload:
        """Write a payload once, gzipped when its name says so; the same name a second time is an error.

        Raises:
            FileExistsError: a payload of this name was landed already; it is unchanged.
        """
        # half a surrogate pair, which UTF-8 can't hold, stays the escape that it came as
        data = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace")
        if path.endswith(".gz"):
            data = gzip.compress(data, compresslevel=5, mtime=0)
        return self.land_bytes(path, data)

    def has(self, path: str) -> bool:
        """Whether a payload of this name was landed."""
        return (self._path / path).exists()

    def load_bytes(self, payload: Payload) -> bytes:
        """A payload as delivered."""
        return (self._path / payload.path).read_bytes()

    def land_bytes(self, path: str, data: bytes) -> Payload:
        """Write a payload once, as it is; the same name a second time is an error.

        Raises:
            FileExistsError: a payload of this name was landed already; it is unchanged.
        """
        target = self._path / path
        if self._is_local:
            # whoever watches the folder must not see half a file
            place = Path(target.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.with_name(f".{uuid.uuid4().hex}")
            try:
                temporary.write_bytes(data)
                os.link(temporary, place)
            finally:
                temporary.unlink(missing_ok=True)
        else:
            target.fs.pipe_file(target.path, data, mode="create")
        return Payload(path)
