"""A partition's file: written once under a name of its own; a link in the partition's folder leads to the current one.

DuckDB opens a file twice, for its footer and for its rows, so a name must never come to mean another file: writers make
a new one and then replace the link, and the previous one stays for an hour for readers that have its name. An earlier
release, or another program, has written a plain file in place of the link; it is read as well.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path

from nba_props.facts.digest import digest
from nba_props.storage.files import TEMPORARY, replacing

#: the link, or plain file, that is a partition
CURRENT = "data.parquet"
_NAME = re.compile(r"([0-9a-f]{32})\.[0-9a-f]{8}\.parquet", re.ASCII)
#: shows that a partition was written, so that a lost link is not taken for a partition that never existed
WRITTEN = ".written"
#: how long a file that is no longer current may still be read, and an unfinished one may still be written
KEPT_SECONDS = 3600


def locate(link: str) -> tuple[str, tuple[object, ...]] | None:
    """Where a partition's rows are now, and what distinguishes that file from any other; None if there is no partition.

    Cheap, since it is called for every partition of every query. A link to a file that is gone counts as a partition,
    which can't be read.
    """
    try:
        name = os.readlink(link)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        if error.errno != errno.EINVAL:
            return link, ()  # opening it raises the reason
        path = link
    else:
        if _NAME.fullmatch(name) is None:
            return None  # a link to somewhere else is not a partition of this lake
        path = f"{os.path.dirname(link)}/{name}"
    try:
        status = os.stat(path)
    except OSError as error:
        return None if path == link and error.errno == errno.ENOENT else (path, ())
    if not stat.S_ISREG(status.st_mode):
        return None
    return path, (path, status.st_mtime_ns, status.st_size, status.st_ino)


def name_for(data: bytes) -> str:
    """A name that no other file has and that states the file's content."""
    return f"{digest(data)}.{uuid.uuid4().hex[:8]}.parquet"


def put(link: Path, data: bytes, name: str = "") -> None:
    """Make ``data`` the partition's content: readers see the old or the new, whenever the writer is killed.

    Args:
        link: the partition.
        data: the file's content.
        name: the file's name, of :func:`name_for`, for a caller that has announced it.

    Raises:
        OSError: it can't be written; the old content is still current.
    """
    sweep(link.parent)
    _point(link, name or name_for(data), data)


def copy(name: str, data: bytes, link: Path) -> None:
    """Make a file of another lake the partition's content, under the name that states what it was when written.

    Raises:
        OSError: it can't be written.
    """
    if _NAME.fullmatch(name):
        _point(link, name, data)
    else:
        put(link, data)


def _point(link: Path, name: str, data: bytes) -> None:
    folder = link.parent
    file = folder / name
    with replacing(file) as sink:
        sink.write(data)
    temporary = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        before = locate(str(link))
        if before is not None and before[1] and before[0] != str(link):
            os.utime(before[0])  # its hour begins now
        os.symlink(name, temporary)
        os.utime(file)  # a process that was suspended since it was written has an hour again
        os.replace(temporary, link)
    except BaseException:
        temporary.unlink(missing_ok=True)
        found = locate(str(link))
        if found is None or os.path.basename(found[0]) != name:  # a signal may come when it is current already
            file.unlink(missing_ok=True)
        raise
    if not (folder / WRITTEN).exists():  # an earlier writer may have been killed before this line
        (folder / WRITTEN).touch()


def is_ours(name: str) -> bool:
    """Whether a name is one that this module gives to a file."""
    return _NAME.fullmatch(name) is not None


def is_as_written(path: str) -> bool:
    """Whether a file still has the content that its name states; True if the name states none."""
    stated = _NAME.fullmatch(os.path.basename(path))
    return stated is None or digest(Path(path).read_bytes()) == stated[1]


def is_lost(link: Path) -> bool:
    """Whether a partition was written and has no file now."""
    return locate(str(link)) is None and (link.parent / WRITTEN).exists()


def versions(folder: Path) -> list[Path]:
    """The files that a partition's folder has, the newest last."""
    found = [folder / n for n in os.listdir(folder) if is_ours(n)]
    return sorted((p for p in found if p.is_file()), key=lambda p: p.stat().st_mtime)


def save(source: Path, target: Path) -> None:
    """Keep a file elsewhere before its place is given up: as another link, which needs no permission to read it, as a
    copy, or, where neither is allowed, by moving it.
    """
    for keep in (os.link, shutil.copyfile):
        with suppress(OSError):
            keep(source, target)
            return
    source.rename(target)


def forget(link: Path) -> None:
    """Let a partition count as never written; its files are removed by the next write."""
    (link.parent / WRITTEN).unlink(missing_ok=True)


def sweep(folder: Path) -> list[Path]:
    """Remove from a partition's folder what is not current and older than an hour: old files, and what killed writers
    left behind. Returns what it removed.
    """
    return [path for path in left_over(folder) if _removed(path)]


def left_over(folder: Path) -> list[Path]:
    """What :func:`sweep` would remove."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    old = [n for n in names if n.startswith(TEMPORARY) or _NAME.fullmatch(n)]
    if not old:
        return []
    # asked after the listing: what becomes current later has a name that is not in it
    found = locate(str(folder / CURRENT))
    if found is None and is_lost(folder / CURRENT):  # the only copies that there are
        old = [n for n in old if n.startswith(TEMPORARY)]
    current = os.path.basename(found[0]) if found else ""
    gone = [folder / n for n in old if n != current and age(folder / n) > KEPT_SECONDS]
    return [path for path in gone if path.is_symlink() or path.is_file()]


def age(path: Path) -> float:
    """Seconds since a file was written; 0 for one that is gone."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
