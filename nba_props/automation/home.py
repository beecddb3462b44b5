"""Dagster's folder of a home: the flaws of its settings and databases, and how these are made again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from nba_props.automation.instance import deliver_config, open_dagster, read_config
from nba_props.automation.upstream.stock_event_log import StockEventLog
from nba_props.operations.home import CONFIG, EVENTS, Flaw, HomeError, dagster_home, database_flaws, store_flaws
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse


def flaws(settings: Settings, warehouse: Warehouse) -> list[Flaw]:
    """The files of a home that can't be used, apart from the partitions, which `nba-props scrub` reads."""
    home = dagster_home(settings)
    if file := next((p for p in (home, home / "history", home / "schedules") if p.exists() and not p.is_dir()), None):
        by_hand = "move it away, or set DAGSTER_HOME to another folder"
        return [Flaw("Dagster's folder", file, "is a file in place of a folder", by_hand)]
    again = partial(_database_again, home)
    return [*_config_flaw(home), *database_flaws(home, again), *store_flaws(settings, warehouse)]


def _config_flaw(home: Path) -> Iterator[Flaw]:
    def remake() -> str:
        deliver_config(home)
        return "the default settings are written"

    try:
        if os.path.lexists(home / CONFIG):
            read_config(home)
    except HomeError as error:
        yield Flaw("Dagster's settings", home / CONFIG, str(error), remake=remake)


def _database_again(home: Path, path: Path) -> str:
    """Let Dagster make a database again, the index from the runs' own databases; returns the result in words."""
    with open_dagster(home) as instance:
        log = instance.event_log_storage
        runs = log.rebuild_index() if path == home / EVENTS and isinstance(log, StockEventLog) else None
        if runs is not None:
            return f"it has the events of the {runs} runs that are kept"
    return "its old content is lost to Dagster, but not to the lake"
