"""The words of a PDF with their places, read in a process of its own.

A hostile document can make its reader unpack gigabytes or loop forever; here that ends a process, not a slate.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import struct
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

#: seconds and bytes of memory that one document may take; a real report takes half a second and a tenth of the memory
MOST_SECONDS = 10.0
MOST_MEMORY = 500_000_000
#: pages and words; the longest real report has a tenth of them
MOST_PAGES = 60
MOST_WORDS = 50_000
_MOST_ANSWER = 20_000_000
_LENGTH = struct.Struct(">Q")
Words = list[list[dict[str, Any]]]


class UnreadablePdf(ValueError):
    """No words could be extracted from a document; the message has the reason."""


def words(content: bytes) -> Words:
    """The words of each page: ``text``, and ``x0`` and ``top`` in points from the left and from the top.

    Raises:
        UnreadablePdf: it is not a PDF, or has more pages or words than a report.
    """
    import pdfplumber

    found: Words = []
    try:
        with pdfplumber.open(io.BytesIO(content)) as document:
            for number, page in enumerate(document.pages, start=1):
                if number > MOST_PAGES:
                    raise UnreadablePdf(f"more than {MOST_PAGES} pages")
                of_page = page.extract_words(x_tolerance=1.5, y_tolerance=2)
                found.append([{"text": w["text"], "x0": float(w["x0"]), "top": float(w["top"])} for w in of_page])
                if sum(map(len, found)) > MOST_WORDS:
                    raise UnreadablePdf(f"more than {MOST_WORDS:,} words")
                page.close()
    except UnreadablePdf:
        raise
    except MemoryError as error:
        raise UnreadablePdf("it takes more memory than a report") from error
    except Exception as error:  # any error of the parser on a broken file
        raise UnreadablePdf(str(error) or type(error).__name__) from error
    return found


class Reader:
    """Reads documents one after the other in a process that is started for the first, and again after a hostile one."""

    def __init__(self, most_seconds: float = MOST_SECONDS, most_memory: int = MOST_MEMORY) -> None:
        self._most_seconds = most_seconds
        self._most_memory = most_memory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __call__(self, content: bytes) -> Words:
        """As ``words``; a document that takes more time or memory than a report is unreadable too."""
        try:
            answer = json.loads(self._ask(content))
        except UnreadablePdf:
            self.close()
            raise
        if isinstance(answer, str):
            raise UnreadablePdf(answer)
        return list(answer)

    def _ask(self, content: bytes) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this module, by this interpreter
                [sys.executable, "-c", f"from {__name__} import serve; serve({self._most_memory})"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            self._read(self._process, 1, time.monotonic() + 60)  # until its imports are done
        process = self._process
        try:
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            process.stdin.write(_LENGTH.pack(len(content)) + content)
            process.stdin.flush()
        except OSError as error:
            raise UnreadablePdf("its reader ended") from error
        deadline = time.monotonic() + self._most_seconds
        (length,) = _LENGTH.unpack(self._read(process, _LENGTH.size, deadline))
        if length > _MOST_ANSWER:
            raise UnreadablePdf(f"more than {_MOST_ANSWER:,} bytes of text")
        return self._read(process, length, deadline)

    def _read(self, process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        found = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while len(found) < size:
                if not ready.select(max(0.0, deadline - time.monotonic())):
                    raise UnreadablePdf(f"it takes more than {self._most_seconds:.0f} seconds")
                part = os.read(process.stdout.fileno(), size - len(found))
                if not part:
                    raise UnreadablePdf("it exceeds the memory limit, or its reader crashed")
                found += part
        return bytes(found)


def serve(most_memory: int) -> None:
    """Answer each document on standard input with its words, or with why it has none, until the input ends."""
    import pdfplumber  # noqa: F401 - before memory is limited

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _limit_memory(most_memory)
    sink.write(b"r")
    sink.flush()
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        _limit_time()
        content = source.read(_LENGTH.unpack(head)[0])
        try:
            answer: Words | str = words(content)
        except UnreadablePdf as error:
            answer = str(error)[:300]
        data = json.dumps(answer).encode()
        sink.write(_LENGTH.pack(len(data)) + data)
        sink.flush()


def _limit_time() -> None:
    """Let this process end by itself when its parent is gone and a document keeps it busy."""
    import resource

    until = int(time.process_time() + 3 * MOST_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit_memory(most: int) -> None:
    """Limit this process to that many bytes more than it has now, where the system supports it."""
    import resource

    with contextlib.suppress(OSError, ValueError):  # no /proc, or no such limit
        with open("/proc/self/statm", encoding="ascii") as statm:
            now = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + most, now + most))
