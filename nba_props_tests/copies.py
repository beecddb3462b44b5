"""Copies of a platform's folder for a test of its own, at a third of the cost of reading and writing every byte.

A file that is written once under a name of its own (a partition's, a payload, a model) is linked: the platform replaces
such files and never writes into them. A test that does is found out by :func:`spoiled`. Everything else is copied.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

#: files of partitions by their digest, marks that they were written, manifests of versions, payloads and models;
#: models' cards are rewritten
_WRITTEN_ONCE = re.compile(
    r"[0-9a-f]{32}\.[0-9a-f]{8}\.parquet|\.written|\d{8}T\d{6}\.\d{6}Z\..+\.json|.+\.json\.gz|"
    r"[0-9a-f]{32}-[0-9a-f]{64}\.\w+"
)


def copied(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """The target, with everything that the source has. It may be there, and then keeps what it has besides."""
    os.makedirs(target, exist_ok=True)
    _copy(os.fspath(source), os.fspath(target))
    return Path(target)


def _copy(source: str, target: str) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            place = f"{target}/{entry.name}"
            if entry.is_symlink():  # nothing can write into one, and another name of it costs half of another one
                os.link(entry.path, place, follow_symlinks=False)
            elif entry.is_dir():
                with suppress(FileExistsError):
                    os.mkdir(place)
                _copy(entry.path, place)
            elif _WRITTEN_ONCE.fullmatch(entry.name):
                os.link(entry.path, place)
            else:
                shutil.copy2(entry.path, place)


def contents(folder: Path) -> dict[str, str]:
    """A digest of each file that copies of the folder share."""
    shared = (p for p in folder.rglob("*") if _WRITTEN_ONCE.fullmatch(p.name) and p.is_file())
    return {str(p.relative_to(folder)): hashlib.blake2b(p.read_bytes(), digest_size=16).hexdigest() for p in shared}


def spoiled(folder: Path, before: dict[str, str]) -> list[str]:
    """The shared files that hold something else than they did, or are gone."""
    now = contents(folder)
    return sorted(path for path in before if now.get(path) != before[path])
