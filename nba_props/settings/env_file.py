"""The project's ``.env`` file: settings for users without a shell profile to put them in.

It is loaded into the environment once, when a process starts; variables that are already set take precedence. Its
values are never shown.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import stat
from collections.abc import MutableMapping
from pathlib import Path

from nba_props.settings.errors import BadSetting
from nba_props.settings.paths import project_root
from nba_props.settings.variables import SECRETS

NAME = ".env"
#: variables that took precedence over the file, for Dagster's processes, which prefer their working directory's
KEPT = "NBA_PROPS_KEPT_ENVIRONMENT"
#: python-dotenv's own switch
DISABLED = "PYTHON_DOTENV_DISABLED"
_MOST_BYTES = 1 << 20


def path() -> Path:
    """Where the file is, or would be: in the checkout, or the working directory outside of one."""
    return project_root() / NAME


def load(environ: MutableMapping[str, str] = os.environ, file: Path | None = None) -> None:
    """Set the file's variables that the environment lacks; does nothing without a file.

    Raises:
        BadSetting: the file can't be read, or a line of it is not a setting; the message has its number, not its text.
    """
    if _is_disabled(environ):
        return
    kept = _kept(environ.get(KEPT) or "{}")
    environ.update(kept)
    found = read(file or path())
    environ.update({name: value for name, value in found.items() if name not in environ})
    won = kept | {name: environ[name] for name, value in found.items() if environ[name] != value}
    if won:
        environ[KEPT] = json.dumps(won)


def _kept(text: str) -> dict[str, str]:
    """The variables that a parent process handed on."""
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(value, str) for value in kept.values()):
        raise BadSetting(f"{KEPT} is set by this program for processes that it starts: unset it")
    return kept


def adding(*settings: str) -> str:
    """The shell command that appends settings to the file, even when its last line has no newline."""
    try:
        data = path().read_bytes()
    except OSError:
        data = b""
    given = " ".join(map(shlex.quote, settings))
    if data and not data.endswith(b"\n"):
        return f"printf '\\n%s\\n' {given} >> {shlex.quote(str(path()))}"
    print_them = "echo" if len(settings) == 1 else "printf '%s\\n'"
    return f"{print_them} {given} >> {shlex.quote(str(path()))}"


def names(name: str, environ: MutableMapping[str, str] = os.environ) -> bool:
    """Whether a variable that is set has its value from the file."""
    return not _is_disabled(environ) and name in environ and read(path()).get(name) == environ[name]


def readers() -> str:
    """Who else on this machine can read a file with keys, in words; empty if only its owner can."""
    try:
        mode = path().stat().st_mode
    except OSError:
        return ""
    if not SECRETS & read(path()).keys():
        return ""
    return "everyone" if mode & stat.S_IROTH else "its group" if mode & stat.S_IRGRP else ""


def _is_disabled(environ: MutableMapping[str, str]) -> bool:
    return environ.get(DISABLED, "").casefold() in ("1", "true", "t", "yes", "y")


def read(file: Path) -> dict[str, str]:
    """The variables of a file by name; nothing where there is no file."""
    from dotenv.main import DotEnv
    from dotenv.parser import parse_stream

    try:
        if stat.S_ISFIFO(file.stat().st_mode):  # opening one waits for a writer
            raise BadSetting(f"{file} is a pipe: write a file with lines such as NAME=value")
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadSetting(f"{file} can't be read: {error.strerror or error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSetting(f"{file} is not UTF-8 text: write lines such as NAME=value") from error
    if len(data) > _MOST_BYTES or "\0" in text:
        raise BadSetting(f"{file} is not a file of settings: write lines such as NAME=value")
    for binding in parse_stream(io.StringIO(text)):
        is_nameless = binding.key is not None and ("=" in binding.key or not binding.key.strip())
        if binding.error or is_nameless or (binding.key is not None and binding.value is None):
            line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
            raise BadSetting(f"{file}, line {line}: that is not a setting, write NAME=value, or # before a comment")
    found = DotEnv(None, stream=io.StringIO(text), override=False).dict()
    return {name: value for name, value in found.items() if value is not None}
