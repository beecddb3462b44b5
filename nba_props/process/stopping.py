"""Stopping this process on request: Ctrl-C and SIGTERM in a terminal, a run cancelled in the UI.

No interrupt is raised in the middle of a call: DuckDB and CatBoost turn one into an error of their own, and an
interrupted system would look like a broken one. In a terminal the signals are blocked instead and a thread waits for
them: it records the run as cancelled, prints what was completed, and ends the process. That is safe at any moment,
because every write is atomic. Nothing is published once a stop was requested.
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

#: exit status of a program that was ended by Ctrl-C
EXIT_STATUS = 130
#: seconds to record the run and print the last line
_LIMIT = 3.5
#: seconds between polls of a run's state, and from its cancellation to the end of the process
_POLL, _GRACE = 0.5, 3.0
_SHOW_CURSOR = "\x1b[?25h"


class Stopped(KeyboardInterrupt):
    """This process was asked to stop; ``except Exception`` does not catch it."""


_asked = threading.Event()
_listening = threading.Event()
_closing: list[Callable[[], str]] = []
_watched: set[str] = set()


def check() -> None:
    """Raise :class:`Stopped` when this process was asked to stop: before anything is published."""
    if not _asked.is_set():
        return
    if _listening.is_set():
        time.sleep(2 * _LIMIT)  # the process ends meanwhile: an error would record the run as failed
    raise Stopped


def hold() -> None:
    """Let the main thread go no further when this process is ending itself; other threads record and print its end."""
    if _asked.is_set() and _listening.is_set() and threading.current_thread() is threading.main_thread():
        time.sleep(2 * _LIMIT)


def listen() -> None:
    """From now on, let Ctrl-C and SIGTERM end this process in an orderly way, with exit status 130.

    Call it before other threads start: they inherit the blocked signals.
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
    messages = [text for text in [_message(call) for call in reversed(_closing)][::-1] if text]
    cursor = _SHOW_CURSOR if sys.stdout.isatty() else ""
    with suppress(OSError, ValueError):  # the reader may have closed its pipe
        sys.stdout.flush()
    # a progress bar's own thread would draw once more, even between this write and the end
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.write(2, f"{cursor}\nstopped: {'; '.join(messages) or 'nothing was running'}\n".encode())
    os._exit(EXIT_STATUS)


def _message(call: Callable[[], str]) -> str:
    try:
        return call()
    except Exception as error:  # whatever failed, the process ends with a message
        return f"{type(error).__name__}: {error}"


@contextmanager
def closing_with(call: Callable[[], str]) -> Iterator[None]:
    """In this context a stop first runs ``call``; its result is part of the last line."""
    _closing.append(call)
    try:
        yield
    finally:
        if _asked.is_set():
            time.sleep(2 * _LIMIT)  # the process ends meanwhile: nothing more may be printed or done
        _closing.remove(call)


def watch(run_id: str, is_canceling: Callable[[], bool | None], give_up: Callable[[], None]) -> None:
    """Watch a run of this process that may be cancelled from elsewhere; at most once per run.

    Args:
        run_id: the run.
        is_canceling: whether its cancellation was requested or recorded; None when it ended otherwise.
        give_up: records the run as cancelled, after some seconds, unless that was done; then the process ends.
    """
    if run_id in _watched:
        return
    _watched.add(run_id)

    logged = False

    def state() -> bool | None:
        nonlocal logged
        try:
            return is_canceling()
        except Exception as error:  # storage may fail for a while: the run can still be cancelled later
            if not logged:
                _LOG.warning("whether run %s was cancelled can't be read: %s", run_id, error)
            logged = True
            return False

    def poll() -> None:
        while not (found := state()):
            if found is None:
                _watched.discard(run_id)
                return
            time.sleep(_POLL)
        if _listening.is_set():
            os.kill(os.getpid(), signal.SIGTERM)  # the process then ends like one stopped in a terminal
            return
        _asked.set()
        time.sleep(_GRACE)
        for call in reversed(_closing):  # end the runs that this process started
            _message(call)
        try:
            give_up()
        except Exception as error:
            _LOG.warning("run %s can't be recorded as cancelled: %s", run_id, error)
        os._exit(EXIT_STATUS)

    threading.Thread(target=poll, daemon=True, name=f"watch {run_id[:8]}").start()
