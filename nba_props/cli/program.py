"""What this program is called by whoever types its commands."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

NAME = "nba-props"
#: a command as messages have it, wherever they come from; not one that has its folder before it
_COMMAND = re.compile(rf"(?<![\w./-]){NAME}(?= +[A-Za-z-])")


def program() -> str:
    """How this program was called, as it can be typed again in this folder."""
    name = Path(sys.argv[0]).name
    if shutil.which(name) or name != NAME:
        return NAME
    return os.path.relpath(sys.argv[0])


def typed(text: str, called: str = "") -> str:
    """A message with its commands as they can be typed here: what is said below the terminal knows only the name.

    Args:
        text: the message.
        called: what the program is called instead, where its commands mean another home.
    """
    return _COMMAND.sub(lambda _: called or program(), text)
