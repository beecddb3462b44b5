"""Folders and buckets, behind one kind of path."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath


#: prefix of files that are still being written
TEMPORARY = ".tmp-"
#: of Linux's renameat2: paths are relative to the working folder, and exchanged
_HERE, _EXCHANGE = -100, 2
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


def replace_folder(folder: UPath | Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a folder, in order, and nothing else into it.

    On a disk readers see the old folder or the new. In a bucket each file is replaced by itself, and those that are no
    longer there are removed last. Only one process may do this for the folders beside each other at a time.
    """
    if not isinstance(folder, Path):
        for name, data in files.items():
            replace(folder / name, data)
        for path in [p for p in folder.iterdir() if p.name not in files]:
            path.unlink()
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{TEMPORARY}*"):  # of a writer that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    made = folder.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    made.mkdir()
    try:
        for name, data in files.items():
            (made / name).write_bytes(data)
        if folder.exists():
            _exchange(made, folder)
        else:
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two folders at once, where the system can (Linux); else one after the other."""
    import ctypes

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is not None and rename(_HERE, bytes(one), _HERE, bytes(other), _EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}-old")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)
