"""Folders and buckets, behind one kind of path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath


def open_path(root: str) -> UPath:
    """The path of a folder, or of anything fsspec opens by URL; listings are never remembered: others write there."""
    from upath import UPath

    return UPath(root, use_listings_cache=False) if "://" in root else UPath(root)
