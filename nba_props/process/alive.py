"""Which process does some work, and whether it still exists: a killed one can't record that its work has ended."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_PROC = Path("/proc")
_STARTED = 19  # of the fields after the name of the command
_WORDS = re.compile(r"(\S+) (\d+) (\d*)")


def this_process() -> str:
    """This process as text."""
    return process(os.getpid())


def process(number: int) -> str:
    """A process as text: the machine, its number there and, where the system has it, the time of its start."""
    return f"{_machine()} {number} {_started(number)}"


def has_ended(text: str) -> bool:
    """Whether a process, as text, is known to have ended; False for one of another machine."""
    found = _WORDS.fullmatch(text)
    if found is None or found[1] != _machine():
        return False
    number = int(found[2])
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass  # it exists, and is another user's
    return _started(number) != found[3]  # numbers are used again


def _machine() -> str:
    return "".join(socket.gethostname().split()) or "?"


def _started(number: int) -> str:
    """When a process was started, in ticks since the machine was; empty where there is no ``/proc``."""
    try:
        fields = (_PROC / str(number) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[_STARTED] if len(fields) > _STARTED and fields[0] != "Z" else "0"
