"""Names from outside: what may become part of a path, and what replaces the rest.

Values from a feed are checked here before they name a file, and files in a landing zone are judged here by their names.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from nba_props.facts.calendar import YEARS
from nba_props.facts.digest import digest

SUFFIXES = (".json.gz", ".json", ".pdf")
#: the capture instant at the end of a payload's name
CAPTURE = re.compile(r"-(\d{8}T\d{6}Z)$", re.ASCII)
#: short enough for any file system, with an instant and a suffix to follow
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", re.ASCII)


def is_part(text: str) -> bool:
    """Whether a text may be the name of a file or folder in a landing zone."""
    return _PART.fullmatch(text) is not None


def is_id(value: Any) -> bool:
    """Whether a value is an id as feeds give them: letters, digits, ``_`` and ``-``, at most 80 of them."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def id_part(value: Any) -> str:
    """An id as part of a payload's name; any other value is landed under its hash, so that nothing is lost."""
    if is_id(value):
        return str(value)
    try:
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr, skipkeys=True)
    except (RecursionError, TypeError, ValueError):
        text = type(value).__name__
    return f"hash-{digest(text.encode(errors='surrogatepass'))}"


def stem(name: str) -> str:
    """A file's name without the suffix of a payload."""
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def capture_of(name: str) -> datetime | None:
    """The capture instant at the end of a payload's name; None without one, or if it is not a valid time."""
    found = CAPTURE.search(stem(name))
    try:
        instant = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
    return instant if instant and instant.year in YEARS else None


def why_not_payload(name: str) -> str | None:
    """Why a file of this name is not a payload, in words; None when it is named like one."""
    if name.startswith("."):
        return "hidden"
    if not name.endswith(SUFFIXES):
        return f"its name does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    if not is_part(name):
        return "its name is too long, or has characters that payloads' names do not have"
    if CAPTURE.search(stem(name)) and capture_of(name) is None:
        return "the instant in its name is not a valid time"
    return None
