"""Folders and buckets, behind one kind of path."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath


def open_path(root: str) -> UPath:
    """The path of a folder, or of anything fsspec opens by URL; listings are never remembered: others write there."""
    from upath import UPath

    return UPath(root, use_listings_cache=False) if "://" in root else UPath(root)


def replace(path: UPath, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new; an object store does that by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(path, os.PathLike):
        path.write_bytes(data)
        return
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex}")
    temporary.write_bytes(data)
    os.replace(temporary, path)
