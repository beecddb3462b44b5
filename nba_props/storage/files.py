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


#: prefix of files that are still being written
TEMPORARY = ".tmp-"
#: separates name and instant in the name of an unreadable file that was set aside
ASIDE = ".damaged-"


def open_path(root: str) -> UPath:
    """The path of a folder, or of anything fsspec opens by URL; listings are not cached, since others write there."""
    from upath import UPath

    return UPath(root, use_listings_cache=False) if "://" in root else UPath(root)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, which replaces another once it is complete and, if it is to be ``durable``, on the disk.

    Readers see the old content or the new, even if the writer is killed; a failed write leaves the old.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as sink:
            yield sink
            sink.flush()
            if durable:
                os.fsync(sink.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.access(path.parent, os.W_OK):  # a disk that became read-only keeps it
            temporary.unlink(missing_ok=True)
        raise


def create(path: Path, data: bytes) -> bool:
    """Write a file that does not exist yet, completely or not at all; False if another process was first."""
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


def replace(path: UPath | Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file atomically: readers see the old content or the new, as object stores guarantee anyway.

    On a disk the file is durable when this returns, so that later writes may rely on it; unless it can be made again
    from others, such as a page.
    """
    if not isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return
    with replacing(path, durable=durable) as sink:
        sink.write(data)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
