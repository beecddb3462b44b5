"""The name by which the user calls this program."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

NAME = "nba-props"
#: a command in a message, wherever the message comes from; not one with a folder before it
_COMMAND = re.compile(rf"(?<![\w./-]){NAME}(?= +[A-Za-z-])")


def program() -> str:
    """How this program was called, as it can be typed again in this folder."""
    name = Path(sys.argv[0]).name
    if shutil.which(name) or name != NAME:
        return NAME
    return os.path.relpath(sys.argv[0])


def typed(text: str, called: str = "") -> str:
    """A message with its commands as they can be typed here; lower layers know only the program's name.

    Args:
        text: the message.
        called: what replaces the program's name, where the commands are for another home.
    """
    return _COMMAND.sub(lambda _: called or program(), text)
