"""Manifests: what the tables of a date were when a run that wrote some of them had succeeded, by file.

They are in ``_versions/game_date=2026-01-09/``, named after instant and run, and never change. The files that they name
are in ``_versions/files/game_date=2026-01-09/`` under the same names as in the partitions, mostly as hard links, so
that the sweep of a partition needs to know nothing of versions. One folder has all tables: a folder takes a block.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from nba_props.storage.files import TEMPORARY, replace, replacing
from nba_props.warehouse.base import CorruptPartition
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.layout import LOCK, PREFIX, day_of, held

#: the folder of versions in a lake
VERSIONS = "_versions"
_FILES = "files"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)\.[^/]+\.json", re.ASCII)
#: in the place of a run's id: the tables of a date as they were found when the first version of it began
AS_FOUND = "as-found"


#: what a manifest says that was set aside, and where it was moved
_ASIDE = "set_aside"


class SetAside(CorruptPartition):
    """A version was published, and its manifest is set aside: what it had can't be read."""


@dataclass(frozen=True)
class Kept:
    """A table's partition in a version: its file, which states the digest of its content in its name."""

    name: str
    #: None where they can't be counted
    rows: int | None
    written: datetime

    @property
    def digest(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Manifest:
    """A version of a date."""

    instant: datetime
    run_id: str
    job_name: str
    revision: str
    #: the instant of the date's first version; None where tables of it were stored before versions were kept
    first: datetime | None
    #: by the table's lasting name
    tables: Mapping[str, Kept]

    @property
    def is_as_found(self) -> bool:
        """Whether these are the tables that were there before versions of the date were kept."""
        return self.run_id == AS_FOUND

    @property
    def file_name(self) -> str:
        return f"{self.instant.strftime(_STAMP)}.{self.run_id}.json"


class Manifests:
    """The manifests of a lake, and the files that they name."""

    def __init__(self, root: Path) -> None:
        self.root = root / VERSIONS

    def folder(self, day: date) -> Path:
        """The manifests of a date."""
        return self.root / f"{PREFIX}{day.isoformat()}"

    def file(self, day: date, name: str) -> Path:
        """A file that a manifest names; the folder's name is the date for DuckDB, as a partition's."""
        return Path(f"{self.root}/{_FILES}/{PREFIX}{day.isoformat()}/{name}")

    def kept(self, day: date) -> list[Path]:
        """The files of a date that are kept, in the order of their names, and nobody else's."""
        return [path for path in sorted(self.file(day, "").glob("*")) if files.is_ours(path.name) and path.is_file()]

    def locked(self, day: date) -> AbstractContextManager[None]:
        """Inside, no other process publishes a version of the date or removes one."""
        return held(self._lock(day), f"the versions of {day}")

    def settled(self, day: date) -> AbstractContextManager[None]:
        """Inside, no publication is between its instant and its manifest, if this process may look for that."""
        path = self._lock(day)
        return self.locked(day) if path.exists() and os.access(path, os.W_OK) else nullcontext()

    def _lock(self, day: date) -> Path:
        return self.root / f".{day}{LOCK}"

    def days(self) -> list[date]:
        """The dates of which versions are kept, in order, also those whose first one is not complete."""
        try:
            names = os.listdir(self.root)
        except FileNotFoundError:
            return []
        return sorted(day for day in map(day_of, names) if day is not None)

    def instants(self, day: date) -> dict[datetime, str]:
        """The instants of a date's versions, the newest last, and the names of their manifests."""
        try:
            names = sorted(os.listdir(self.folder(day)))
        except FileNotFoundError:
            return {}
        stamps = {name: _instant_of(found[1]) for name in names if (found := _NAME.fullmatch(name))}
        return {instant: name for name, instant in stamps.items() if instant is not None}

    def read(self, day: date, name: str) -> Manifest:
        """A manifest.

        Raises:
            CorruptPartition: it can't be read.
            SetAside: it was set aside.
            FileNotFoundError: the retention removed it meanwhile.
        """
        path = self.folder(day) / name
        try:
            found = json.loads(path.read_bytes())
            if aside := found.get(_ASIDE):
                raise SetAside(f"the version {path} was damaged and is set aside ({aside})")
            made = _parsed(found)
            if made.file_name != name:
                raise ValueError(f"it is that of {made.file_name}")
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptPartition(
                f"the version {path} can't be read: {error}. `nba-props scrub {day} --quarantine` moves it away"
            ) from error
        return made

    def set_aside(self, path: Path, target: Path) -> None:
        """Move a manifest or a kept file away; of a manifest it is noted that there was one, or an older version would
        be taken for it.
        """
        if _NAME.fullmatch(path.name) is None:
            path.rename(target)
            return
        files.save(path, target)
        replace(path, json.dumps({_ASIDE: str(target)}).encode())

    def write(self, day: date, manifest: Manifest) -> None:
        """Put a manifest in its place, as the last step of a publication."""
        replace(self.folder(day) / manifest.file_name, _text(day, manifest))

    def restamp(self, day: date, name: str, instant: datetime, first: Mapping[datetime, datetime]) -> None:
        """Give a version another instant, and its date's first version the one that it has got.

        A first version of which no new instant is known, because it was removed, says nothing of when it was. What is
        damaged or set aside is lost, and must not stay ahead of the versions that follow.
        """
        try:
            before = self.read(day, name)
        except CorruptPartition:
            moved = f"{instant.strftime(_STAMP)}.{name.split('.', 2)[2]}"
            (self.folder(day) / name).rename(self.folder(day) / moved)
            return
        began = first.get(before.first, before.first) if before.first else None
        began = began if began and began <= instant else None
        self.write(day, replaced(before, instant=instant, first=began))
        (self.folder(day) / name).unlink()

    def begin(self, day: date, manifest: Manifest | None) -> None:
        """Make the folder of a date, at once with the manifest of what was found, if anything was."""
        made = self.root / f"{TEMPORARY}{uuid.uuid4().hex}"
        made.mkdir(parents=True)
        if manifest is not None:
            (made / manifest.file_name).write_bytes(_text(day, manifest))
        made.rename(self.folder(day))

    def hold(self, day: date, source: Path, name: str) -> bool:
        """Keep a partition's file under this name; False if it is neither there nor kept already."""
        target = self.file(day, name)
        try:
            if source.name != name:  # another program may write into its file again
                raise OSError
            try:
                os.link(source, target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, target)
        except FileExistsError:
            return True
        except FileNotFoundError:
            return target.exists()
        except OSError:  # or the file system has no hard links, or no more of them
            with source.open("rb") as content, replacing(target) as sink:
                shutil.copyfileobj(content, sink)
        return True

    def unnamed(self, day: date, but: Sequence[str]) -> list[Path]:
        """The kept files of a date that none of these manifests names; none of them if one can't be read."""
        try:
            named = {kept.name for name in but for kept in self.read(day, name).tables.values()}
        except CorruptPartition:
            return []
        return [path for path in self.kept(day) if path.name not in named]


def _instant_of(stamp: str) -> datetime | None:
    """The instant in a manifest's name; None for one that never was, as 20260230T..., in a file of somebody else's."""
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _parsed(found: dict[str, Any]) -> Manifest:
    """A manifest of its content.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not as :func:`_text` makes it.
    """
    tables = {name: Kept(_as_text(k["file"]), k["rows"], _instant(k["written"])) for name, k in found["tables"].items()}
    for name, kept in tables.items():
        if not files.is_ours(kept.name) or type(kept.rows) not in (int, type(None)):
            raise ValueError(f"{name} has the file {kept.name} and {kept.rows} rows")
    run_id, job_name, revision = (_as_text(found[key]) for key in ("run_id", "job_name", "revision"))
    first = _instant(found["first"]) if found["first"] else None
    return Manifest(_instant(found["instant"]), run_id, job_name, revision, first, tables)


def _as_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a str")
    return value


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return found


def _text(day: date, manifest: Manifest) -> bytes:
    tables = {
        name: {
            "file": kept.name,
            "rows": kept.rows,
            "written": kept.written.isoformat(),
        }
        for name, kept in sorted(manifest.tables.items())
    }
    content = {
        "game_date": day.isoformat(),
        "instant": manifest.instant.isoformat(),
        "run_id": manifest.run_id,
        "job_name": manifest.job_name,
        "revision": manifest.revision,
        "first": manifest.first.isoformat() if manifest.first else None,
        "tables": tables,
    }
    return json.dumps(content).encode()
