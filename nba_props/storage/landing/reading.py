"""Bytes of a payload and what they decode to, within bounds of time and memory whatever the bytes are."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import stat
import zlib
from collections.abc import Sequence
from typing import Any

from nba_props.storage.landing.payload import Payload, PayloadError

#: bytes of a payload, packed or not; the largest real one, of everyone who ever played, has 2.5 million
MOST_BYTES = 10_000_000
#: values of a payload, a bound for its memory; the largest real one has 92,000
MOST_VALUES = 500_000
#: levels of nested objects and lists; the deepest real payload has 9
MOST_DEPTH = 50
#: rows, games, quotes or records of a payload; the longest real one has 5,103
MOST_ROWS = 20_000
#: errors of this process rather than of a file
_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def too_large(path: str, most: int = MOST_BYTES) -> PayloadError:
    """The refusal of a payload of more than so many bytes."""
    return PayloadError("TOO_LARGE", f"{path} has more than {most:,} bytes")


def read_file(place: str, path: str, most: int = MOST_BYTES) -> bytes:
    """A file's bytes; never waits for a pipe, and does not read what is too large.

    Raises:
        PayloadError: UNREADABLE, NOT_A_FILE or TOO_LARGE.
    """
    try:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO opens at once
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise PayloadError("NOT_A_FILE", f"{path} is not a regular file")
            with open(handle, "rb", closefd=False) as source:
                data = source.read(most + 1) if found.st_size <= most else None
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _OURS:
            raise
        raise PayloadError("UNREADABLE", f"{path} can't be read: {error.strerror}") from error
    if data is None or len(data) > most:
        raise too_large(path, most)
    return data


def decode(data: bytes, path: str) -> Any:
    """The content of a JSON payload, in bounded time and memory whatever the bytes are.

    Raises:
        PayloadError: EMPTY_FILE, TRUNCATED (gzip or JSON ends early), NOT_JSON, or TOO_LARGE: unpacked it has more than
            ``MOST_BYTES``, ``MOST_VALUES`` or ``MOST_DEPTH``.
    """
    if not data:
        raise PayloadError("EMPTY_FILE", f"{path} has no bytes")
    try:
        if path.endswith(".gz"):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:  # a decompression bomb is unpacked no further
                data = packed.read(MOST_BYTES + 1)
        _refuse_large(data, path)
        content = json.loads(data)
    except EOFError as error:
        raise PayloadError("TRUNCATED", f"{path}: {error}") from error
    except (gzip.BadGzipFile, zlib.error, UnicodeDecodeError, OSError) as error:
        raise PayloadError("NOT_JSON", f"{path}: {error}") from error
    except json.JSONDecodeError as error:
        truncated = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
        raise PayloadError("TRUNCATED" if truncated else "NOT_JSON", f"{path}: {error}") from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except PayloadError:
        raise
    except ValueError as error:  # a number of too many digits
        raise PayloadError("NOT_JSON", f"{path}: {error}") from error
    if is_deeper(content, MOST_DEPTH):
        raise _too_deep(path)
    return content


def _too_deep(path: str) -> PayloadError:
    return PayloadError("TOO_LARGE", f"{path} is nested deeper than {MOST_DEPTH}")


def _refuse_large(data: bytes, path: str) -> None:
    if len(data) > MOST_BYTES:
        raise too_large(path)
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise PayloadError("TOO_LARGE", f"{path} has more than {MOST_VALUES:,} values")


def is_deeper(content: Any, most: int) -> bool:
    """Whether decoded JSON has more than ``most`` levels of objects and lists."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(most):
        inside: list[Any] = []
        for holder in level:
            inside += holder.values() if type(holder) is dict else holder
        level = [v for v in inside if type(v) is dict or type(v) is list]  # JSON has no others
        if not level:
            return False
    return True


def limited(rows: Sequence[Any], payload: Payload, what: str) -> None:
    """Refuse a payload of more rows than any real one has.

    Raises:
        PayloadError: TOO_LARGE.
    """
    if len(rows) > MOST_ROWS:
        raise PayloadError("TOO_LARGE", f"{payload.path} has {len(rows):,} {what}, at most {MOST_ROWS:,} are read")
