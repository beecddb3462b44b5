"""The Dagster instance of a home: opening it, and writing and reading its settings."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg
import filelock
import sqlalchemy as db
import yaml

from nba_props.automation.event_log import batch_events
from nba_props.automation.upstream import instance as upstream
from nba_props.operations.home import CONFIG, REPAIR, HomeError, dagster_home, sentence
from nba_props.settings import Settings
from nba_props.storage.files import replace

_DELIVERS = f"{REPAIR} moves it aside and writes the default one"


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The persistent instance: that of DAGSTER_HOME when set, else one under the project's home.

    Raises:
        HomeError: its settings or databases can't be used; the message has the remedy.
    """
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    if not (home / CONFIG).exists():
        deliver_config(home)
    batch_events()
    try:
        return open_dagster(home, upstream.TO_THE_TERMINAL)
    except (db.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise HomeError(sentence(error, settings) or str(error)) from error


def open_if_there(settings: Settings) -> dg.DagsterInstance | None:
    """The instance for somebody who only reads; None for a home that never had one, and gets none by this.

    Raises:
        HomeError: its settings or databases can't be used; the message has the remedy.
    """
    return open_instance(settings) if (dagster_home(settings) / CONFIG).exists() else None


def open_dagster(home: Path, overrides: Mapping[str, Any] = MappingProxyType({})) -> dg.DagsterInstance:
    """The instance of a Dagster home; ``overrides`` take precedence over its own settings."""
    if not os.environ.get("DAGSTER_HOME"):  # the event log's folder is under it; empty means the working folder
        os.environ["DAGSTER_HOME"] = str(home)
    # two processes that create the databases of a new home at the same moment damage them
    with filelock.FileLock(home / ".opening"):
        opener = read_config(home, overrides)
        with _refused(home):
            return opener()


def deliver_config(home: Path) -> None:
    """Write the default settings into a Dagster home."""
    replace(home / CONFIG, (resources.files("nba_props") / CONFIG).read_bytes())


def read_config(home: Path, overrides: Mapping[str, Any] = MappingProxyType({})) -> Callable[[], dg.DagsterInstance]:
    """Read the settings of a Dagster home; returns what opens its instance with them.

    Raises:
        HomeError: they can't be read, or Dagster refuses them; an untested version of Dagster does when it opens.
    """
    if "?" in str(home):
        raise HomeError(f"DAGSTER_HOME is {home}: Dagster can't keep a database under a path with ?; set another one")
    with _refused(home):
        found = yaml.safe_load((home / CONFIG).read_bytes()) if (home / CONFIG).exists() else None
        own = found if found is not None else {}
        if not isinstance(own, dict):
            raise HomeError(f"{home / CONFIG} has no settings. {_DELIVERS}")
        return upstream.opener(home, own, overrides)


@contextmanager
def _refused(home: Path) -> Iterator[None]:
    """An error of Dagster's about the settings of a home becomes one sentence with the remedy."""
    try:
        yield
    except (OSError, ValueError, yaml.YAMLError, *upstream.refusals()) as error:
        why = " ".join(str(error).split())
        raise HomeError(f"{home / CONFIG} can't be used: {why}. Fix it; or {_DELIVERS}") from error
