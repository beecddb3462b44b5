"""Which files of a zone are payloads, by the folders that are read and the names in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nba_props.storage import naming
from nba_props.storage.landing.own_files import ALIASES_FILE, MANIFEST
from nba_props.storage.landing.payload import Payload

#: the folders that are read, and the pattern of their payloads' subjects, as regular expressions
Layout = Sequence[tuple[str, str]]
#: why a folder is a stray
UNREAD = "nothing is read from this folder"


class Ways:
    """A layout, compiled: the ways from the root to payloads."""

    def __init__(self, layout: Layout) -> None:
        self._ways = [
            ([re.compile(part, re.ASCII) for part in folder.split("/")], re.compile(subject, re.ASCII))
            for folder, subject in layout
        ]

    def lead_through(self, folder: str) -> bool:
        """Whether payloads are read from a folder or from one below it."""
        parts = folder.split("/")
        return any(
            len(parts) <= len(way) and all(p.fullmatch(t) for p, t in zip(way, parts, strict=False))
            for way, _ in self._ways
        )

    def why_stray(self, path: str) -> str | None:
        """Why a file is not a payload of its folder; None when it is one, or one of the zone's own files."""
        *folders, name = path.split("/")
        if path in (MANIFEST, ALIASES_FILE):
            return None
        subjects = [
            subject
            for way, subject in self._ways
            if len(way) == len(folders) and all(p.fullmatch(t) for p, t in zip(way, folders, strict=True))
        ]
        if not subjects:
            return "payloads are not read directly from this folder"
        if why := naming.why_not_payload(name):
            return why
        named_so = any(s.fullmatch(Payload(path).subject) for s in subjects)
        return None if named_so else "payloads of this folder are named otherwise"
