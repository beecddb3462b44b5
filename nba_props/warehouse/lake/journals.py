"""Journals: which files the runs at work are writing, so that no other run publishes half of a run.

A run that writes has ``_versions/open/<run id>.journal`` with a line for each file and the one that it replaces,
written before the file can be found, and a lock beside it, which the system releases when the process ends, however it
does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import filelock

_JOURNAL, _LOCK = ".journal", ".lock"


class Journal:
    """The journal of a run of this process; it exists from the first file on."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._path = folder / f"{run_id}{_JOURNAL}"
        self._lock: filelock.BaseFileLock | None = None
        self._file: IO[bytes] | None = None

    def note(self, day: date, name: str, replaced: str) -> None:
        """Announce a file of a date, and the one that was current before it (``""`` if there was none)."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock_of(self._path)
            self._lock.acquire()  # before the journal exists: one without a lock is of a process that was killed
            self._file = self._path.open("ab", buffering=0)
        self._file.write(json.dumps([day.isoformat(), name, replaced]).encode() + b"\n")

    def close(self) -> None:
        """The run is over: what it has written counts as current from here on."""
        if self._file is not None and self._lock is not None:
            self._file.close()
            _forget(self._path, self._lock)
            self._file = self._lock = None

    @contextmanager
    def others(self) -> Iterator[Others]:
        """The other runs that are at work now."""
        with ExitStack() as stack:
            yield Others(self._path, stack)


class Others:
    """The other runs that were at work at a moment; their journals stay open, also when the runs end meanwhile."""

    def __init__(self, own: Path, stack: ExitStack) -> None:
        self._own, self._stack = own, stack
        self._open: dict[str, IO[bytes]] = {}
        self._look()

    def _look(self) -> None:
        import filelock

        try:
            with os.scandir(self._own.parent) as found:
                journals = [entry.name for entry in found if entry.name.endswith(_JOURNAL) and entry.is_file()]
        except FileNotFoundError:
            return
        for name in {*journals} - {*self._open, self._own.name}:
            path = self._own.with_name(name)
            lock = _lock_of(path)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                try:
                    self._open[name] = self._stack.enter_context(path.open("rb"))
                except FileNotFoundError:
                    continue  # it has ended since
            else:
                _forget(path, lock)

    def writing(self, day: date) -> dict[str, str]:
        """The files of a date that they have announced so far, each with the file that it replaces."""
        self._look()
        found: set[bytes] = set()
        for journal in self._open.values():
            journal.seek(0)
            # a line without its end announces a file that is not there yet
            found |= {line for line in journal.read().split(b"\n")[:-1] if day.isoformat().encode() in line}
        return {name: replaced for _, name, replaced in map(json.loads, found)}


def _lock_of(journal: Path) -> filelock.BaseFileLock:
    import filelock

    return filelock.FileLock(journal.with_suffix(_LOCK), thread_local=False)


def _forget(journal: Path, lock: filelock.BaseFileLock) -> None:
    journal.unlink(missing_ok=True)
    lock.release()
    journal.with_suffix(_LOCK).unlink(missing_ok=True)
