"""Stopping this process when it is asked to: Ctrl-C and SIGTERM in a terminal, a run cancelled in the UI.

No interrupt is raised in the middle of a call: DuckDB and CatBoost turn one into an error of their own, and a system
that failed of it looks like a system that is wrong. In a terminal the signals are blocked instead and a thread waits
for them: it records the run as cancelled, says what stands, and ends the process. That is safe at any moment, because
every write is atomic. Nothing is published once a stop was asked for.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOG = logging.getLogger(__name__)

#: what a shell reports of a program that Ctrl-C ended
EXIT_STATUS = 130
#: seconds for the record of the run and the last line
_LIMIT = 3.5
#: seconds between two looks at the state of a run that somebody may cancel, and until its process is ended
_POLL, _GRACE = 0.5, 3.0
_SHOW_CURSOR = "\x1b[?25h"


class Stopped(KeyboardInterrupt):
    """This process was asked to stop; no ``except Exception`` takes it for an error."""


_asked = threading.Event()
_listening = threading.Event()
_closing: list[Callable[[], str]] = []
_watched: set[str] = set()


def asked() -> bool:
    """Whether this process was asked to stop."""
    return _asked.is_set()


def check() -> None:
    """Raise :class:`Stopped` when this process was asked to stop: before anything is published."""
    if not _asked.is_set():
        return
    if _listening.is_set():
        time.sleep(2 * _LIMIT)  # the process ends meanwhile: an error would be recorded as a run that failed
    raise Stopped


def listen() -> None:
    """From here on Ctrl-C and SIGTERM end this process in an orderly way, with exit status 130.

    To be called before other threads start: they inherit that the signals are blocked.
    """
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # `nohup` and background jobs ignore some on purpose: those stay blocked, since Dagster has a handler for them
    ours = [s for s in stops if signal.getsignal(s) is not signal.SIG_IGN]
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    _listening.set()

    def wait() -> None:
        signal.sigwait(ours)
        _asked.set()
        closing = threading.Thread(target=_close, daemon=True)
        closing.start()
        closing.join(_LIMIT)
        os._exit(EXIT_STATUS)

    threading.Thread(target=wait, daemon=True, name="signals").start()


def _close() -> None:
    """Run what was registered, newest first, and print the last line."""
    said = [text for text in [_said(call) for call in reversed(_closing)][::-1] if text]
    cursor = _SHOW_CURSOR if sys.stdout.isatty() else ""
    with suppress(OSError, ValueError):  # a reader that closed its pipe
        sys.stdout.flush()
    # a progress bar has a thread of its own that would draw once more, even between this write and the end
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.write(2, f"{cursor}\nstopped: {'; '.join(said) or 'nothing was under way'}\n".encode())
    os._exit(EXIT_STATUS)


def _said(call: Callable[[], str]) -> str:
    try:
        return call()
    except Exception as error:  # whatever is broken, the process ends and says so
        return f"{type(error).__name__}: {error}"


@contextmanager
def closing_with(call: Callable[[], str]) -> Iterator[None]:
    """While in here, a stop makes ``call`` first; what it returns is part of the last line."""
    _closing.append(call)
    try:
        yield
    finally:
        if _asked.is_set():
            time.sleep(2 * _LIMIT)  # the process ends meanwhile: nothing more is to be said or done
        _closing.remove(call)


def watch(run_id: str, is_canceling: Callable[[], bool | None], give_up: Callable[[], None]) -> None:
    """Watch a run of this process that may be cancelled from elsewhere; once a run.

    Args:
        run_id: the run.
        is_canceling: whether somebody asked for its end, or recorded it already; None when it ended otherwise.
        give_up: records the end of the run, if nobody has yet, after some seconds; then the process ends.
    """
    if run_id in _watched:
        return
    _watched.add(run_id)

    told = False

    def state() -> bool | None:
        nonlocal told
        try:
            return is_canceling()
        except Exception as error:  # a storage that is away for a while: the run can be cancelled after it too
            if not told:
                _LOG.warning("whether run %s was cancelled can't be read: %s", run_id, error)
            told = True
            return False

    def poll() -> None:
        while not (found := state()):
            if found is None:
                _watched.discard(run_id)
                return
            time.sleep(_POLL)
        if _listening.is_set():
            os.kill(os.getpid(), signal.SIGTERM)  # ends as a stop in the terminal does
            return
        _asked.set()
        time.sleep(_GRACE)
        for call in reversed(_closing):  # of runs that this one has started in turn
            _said(call)
        try:
            give_up()
        except Exception as error:
            _LOG.warning("run %s can't be recorded as cancelled: %s", run_id, error)
        os._exit(EXIT_STATUS)

    threading.Thread(target=poll, daemon=True, name=f"watch {run_id[:8]}").start()
