"""Folders and buckets, behind one kind of path."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath


#: what the name of a file begins with that is not whole yet
TEMPORARY = ".tmp-"
#: what stands between a name and an instant where a file that can't be read was moved aside
ASIDE = ".damaged-"


def open_path(root: str) -> UPath:
    """The path of a folder, or of anything fsspec opens by URL; listings are never remembered: others write there."""
    from upath import UPath

    return UPath(root, use_listings_cache=False) if "://" in root else UPath(root)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of another when it is whole, and on the disk, and not before.

    A reader sees the old content or the new, whenever the writer is killed; a failed one leaves the old.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.access(path.parent, os.W_OK):  # a disk that became read-only keeps it
            temporary.unlink(missing_ok=True)
        raise


def create(path: Path, data: bytes) -> bool:
    """Write a file that is not there yet, whole or not at all; False where another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(data)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def replace(path: UPath | Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new; an object store does that by itself.

    On a disk it is in its folder for good when this returns: what is written next may rely on it.
    """
    if not isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return
    with replacing(path) as sink:
        sink.write(data)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
