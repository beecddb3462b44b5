"""The zone's own files: the manifest and the aliases of players."""

from __future__ import annotations

import csv
import json
from typing import Any

from nba_props.storage import fields, naming
from nba_props.storage.fields import FieldError
from nba_props.storage.landing.payload import LandingError

MANIFEST = "landing.json"
ALIASES_FILE = "player_aliases.csv"
#: bytes of one of these files
MOST_BYTES_OF_OURS = 1_000_000
#: the key that is true in payloads of a simulated league, so that a copy without the manifest does not pass as real
SIMULATED_MARK = "simulated"
#: the manifest's key that is true if all payloads have that mark: one without it does not belong to the league
MARKED = "marked"


def read_manifest(data: bytes, origin: str) -> dict[str, Any]:
    """The content of ``landing.json``, with valid dates and data source if it has them.

    Raises:
        LandingError: it is not a manifest.
    """
    try:
        found = json.loads(data)
        if not isinstance(found, dict):
            raise FieldError("the manifest", found, "not an object")
        for name in ("first_date", "last_date"):
            if fields.optional_text(found, name):
                fields.day(found, name)
        if "data_source" in found and not naming.is_id(found["data_source"]):
            raise FieldError("data_source", found["data_source"], "not a name such as SIMULATED")
    except (ValueError, RecursionError) as error:
        raise LandingError(
            f"{origin} is not a manifest of a landing zone: {error}. Fix it, or move it away if the payloads are real"
        ) from error
    return found


def read_aliases(data: bytes, origin: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """``(alias, player_name)`` pairs from CSV, and the lines that are skipped, with the reason.

    Raises:
        LandingError: the whole file can't be used: too large, not in UTF-8, or without the two columns.
    """
    remedy = "Fix the file, or move it away: without it only the platform's own aliases count"
    if len(data) > MOST_BYTES_OF_OURS:
        raise LandingError(f"{origin} has more than {MOST_BYTES_OF_OURS:,} bytes. {remedy}")
    first, *lines = data.removeprefix(b"\xef\xbb\xbf").splitlines() or [b"alias,player_name"]
    try:
        header = _cells(first)
    except UnicodeDecodeError as error:
        raise LandingError(f"{origin} is not in UTF-8: {error}. {remedy}") from error
    if not {"alias", "player_name"} <= set(header):
        raise LandingError(f"{origin} needs the columns alias and player_name, it has {fields.shown(header)}. {remedy}")
    pairs, wrong = [], []
    for number, line in enumerate(lines, 2):
        try:
            cells = _cells(line)
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise FieldError("the line", line.decode(), f"{len(cells)} values where {len(header)} are needed")
            row = dict(zip(header, cells, strict=True))
            pairs.append((fields.name(row, "alias"), fields.name(row, "player_name")))
        except UnicodeDecodeError:
            wrong.append(f"line {number} is not in UTF-8")
        except (FieldError, csv.Error) as error:
            wrong.append(f"line {number}: an alias and a player's name are needed: {error}")
    return tuple(pairs), tuple(wrong)


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode()]), [])
