"""The name by which the user calls this program."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from nba_props.settings import project_root

NAME = "nba-props"
#: a command in a message, wherever the message comes from; not one with a folder before it
_COMMAND = re.compile(rf"(?<![\w./-]){NAME}(?= +[A-Za-z-])")
#: a page of the documentation in a message
_PAGE = re.compile(r"(?<![\w./-])docs/[\w/-]+\.md")
#: where a wheel puts the pages in its environment
_PAGES = Path(sys.prefix, "share", "doc", NAME.replace("-", "_"))


def program() -> str:
    """How this program was called, as it can be typed again in this folder."""
    name = Path(sys.argv[0]).name
    if shutil.which(name) or name != NAME:
        return NAME
    return os.path.relpath(sys.argv[0])


def typed(text: str, called: str = "") -> str:
    """A message with its commands as they can be typed here, and its pages where they are; lower layers know only the
    program's name and the pages of a checkout.

    Args:
        text: the message.
        called: what replaces the program's name, where the commands are for another home.
    """
    return _PAGE.sub(lambda page: _here(page[0]), _COMMAND.sub(lambda _: called or program(), text))


def _here(page: str) -> str:
    """The path of a page: in the checkout, or where it was installed."""
    installed = _PAGES / page
    return str(installed) if installed.exists() and not (project_root() / page).exists() else page
