"""Pruning a home: the records and logs of old runs are deleted, and everything that they made is kept.

Dagster deletes the materializations of a run with it. Here the newest of each partition is kept, and the newest result
of each check, so that the UI shows a pruned home as before. Whether a partition is stale depends on the warehouse
alone.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd

from nba_props.automation.instance import open_dagster
from nba_props.automation.upstream.forgetting import forget_events
from nba_props.automation.upstream.stock_event_log import StockEventLog
from nba_props.operations.home import DATABASES, SIDES, dagster_home
from nba_props.settings import Settings
from nba_props.storage.files import ASIDE, TEMPORARY
from nba_props.warehouse.lake import SET_ASIDE, LakeWarehouse, files

_TOGETHER = 200
#: an unfinished file that is older is left over from a killed process
_ORPHAN_SECONDS = 3600
#: names of unfinished files: of ours in general, and of payloads
_OURS, _PAYLOAD = re.compile(rf"{re.escape(TEMPORARY)}.+"), re.compile(r"\.[0-9a-f]{32}")
_VACUUM_SECONDS = 5.0
_VERSIONS = "files of replaced versions"


@dataclass
class Pruned:
    """What was deleted, or would be: the number of each kind and, for files, their bytes."""

    counts: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, count: int, size: int = 0) -> None:
        """Add a number of things, and their bytes."""
        self.counts[what] = self.counts.get(what, 0) + count
        self.sizes[what] = self.sizes.get(what, 0) + size

    def table(self) -> pd.DataFrame:
        """``what``, ``number`` and ``MB``."""
        rows = [(what, n, round(self.sizes[what] / 1e6, 1)) for what, n in self.counts.items()]
        return pd.DataFrame(rows, columns=["what", "number", "MB"])


def prune(
    settings: Settings, now: datetime, age: timedelta, *, set_aside: bool = False, dry_run: bool = False
) -> Pruned:
    """Delete what is older than ``age``: finished runs with their events and logs, ticks, and orphaned files.

    Args:
        settings: the settings with the home.
        now: the time.
        age: the least time since a run ended, or a file was set aside.
        set_aside: delete files that were set aside, too.
        dry_run: count and delete nothing.
    """
    pruned, home = Pruned(), dagster_home(settings)
    # files first: on a full disk the databases need the space
    _delete("files that killed processes left", list(_orphans(settings)), pruned, dry_run=dry_run)
    _delete(_VERSIONS, [], pruned, dry_run=dry_run)
    for paths in LakeWarehouse(settings.lake, kept=timedelta(settings.version_days)).outdated_versions(now):
        _delete(_VERSIONS, paths, pruned, dry_run=dry_run)
    if set_aside:
        _delete("files set aside", list(_aside(settings, home, now - age)), pruned, dry_run=dry_run)
    if home.exists():
        with open_dagster(home) as instance:
            prune_runs(instance, now - age, pruned, dry_run=dry_run)
    if not dry_run:
        _vacuum(home, pruned)
    return pruned


# -- runs -------------------------------------------------------------------------------------------------------------


def prune_runs(instance: dg.DagsterInstance, before: datetime, pruned: Pruned, *, dry_run: bool) -> None:
    """Delete the finished runs of an instance that were last updated before ``before``."""
    old = instance.get_run_records(dg.RunsFilter(updated_before=before))
    runs = [r.dagster_run.run_id for r in old if r.dagster_run.is_finished]
    if len(old) > len(runs):
        pruned.notes.append(f"unfinished runs of that age: {len(old) - len(runs)}; end them in the UI")
    log = instance.event_log_storage
    forgotten = _without_record(instance, log, before)
    pruned.add("runs", len(runs))
    pruned.add("logs of runs", *_events(log, [*runs, *forgotten]))
    if dry_run:
        return
    for start in range(0, len(runs) + len(forgotten), _TOGETHER):
        chunk = [*runs, *forgotten][start : start + _TOGETHER]
        forget_events(log, chunk)
        for run_id in chunk:
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            _drop_log(log, run_id)
            instance.run_storage.delete_run(run_id)  # last: after a kill the next prune finds the run again
    for state in instance.all_instigator_state():
        instance.purge_ticks(state.instigator_origin_id, state.selector_id, before.timestamp())


def _without_record(instance: dg.DagsterInstance, log: object, before: datetime) -> list[str]:
    """The runs that have a log but no record, because Dagster's databases were replaced since."""
    if not isinstance(log, StockEventLog):
        return []
    known = set(instance.get_run_ids())
    old = [r for r in log.get_all_run_ids() if os.stat(log.path_for_shard(r)).st_mtime < before.timestamp()]
    return [r for r in old if r not in known]


def _events(log: object, runs: Sequence[str]) -> tuple[int, int]:
    """The number of the event databases of some runs, and their bytes; zeros if the events are on a server."""
    if not isinstance(log, StockEventLog):
        return 0, 0
    files = [p for r in runs if (p := Path(log.path_for_shard(r))).exists()]
    return len(files), sum(_size(p) for p in files)


def _drop_log(log: object, run_id: str) -> None:
    """Delete a run's own database of events, if it has one."""
    if isinstance(log, StockEventLog):
        log.close(run_id)
        for side in SIDES:
            Path(log.path_for_shard(run_id) + side).unlink(missing_ok=True)


# -- files ------------------------------------------------------------------------------------------------------------


def _orphans(settings: Settings) -> Iterator[Path]:
    """Unfinished files and folders on this machine, and files of partitions that have been replaced."""
    for root, unfinished in ((str(settings.home), _OURS), (settings.landing, _PAYLOAD)):
        for folder, folders, names in os.walk(root):  # finds nothing under a bucket's URL
            found = [n for n in (*folders, *names) if unfinished.fullmatch(n)]
            folders[:] = [n for n in folders if n not in found]
            yield from (p for n in found if files.age(p := Path(folder, n)) > _ORPHAN_SECONDS)
    for partition in settings.lake.glob("[!_]*/*/game_date=*"):  # not the files of versions, which have no current one
        yield from (p for p in files.left_over(partition) if files.is_ours(p.name))


def _aside(settings: Settings, home: Path, before: datetime) -> Iterator[Path]:
    """The files that were set aside before ``before``."""
    moved = [p for root in (settings.home, home) for p in _below(root) if ASIDE in p.name]
    kept = [p for p in _below(settings.lake / SET_ASIDE) if p.suffix in (".parquet", ".json")]
    yield from (p for p in dict.fromkeys([*moved, *kept]) if _changed(p) < before.timestamp())


def _below(root: Path) -> Iterator[Path]:
    """All files and folders below one, but for what is removed meanwhile."""
    for folder, folders, names in os.walk(root):
        yield from (Path(folder, name) for name in (*folders, *names))


def _changed(path: Path) -> float:
    """When a file was last changed or moved; infinity for one that is gone."""
    try:
        return path.lstat().st_ctime
    except FileNotFoundError:
        return math.inf


def _size(path: Path) -> int:
    """The bytes of a file or folder; 0 for one that its writer has removed meanwhile."""
    try:
        if path.is_dir() and not path.is_symlink():
            return sum(map(_size, path.iterdir()))
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _delete(what: str, paths: Sequence[Path], pruned: Pruned, *, dry_run: bool) -> None:
    pruned.add(what, len(paths), sum(map(_size, paths)))
    for path in () if dry_run else paths:
        if path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):
                shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _vacuum(home: Path, pruned: Pruned) -> None:
    """Return the space of deleted rows to the disk; a database in use keeps it until the next prune."""
    for path in (home / place for place in DATABASES):
        if not path.exists():
            continue
        before = _size(path)
        try:
            with closing(sqlite3.connect(path, timeout=_VACUUM_SECONDS, isolation_level=None)) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as error:
            pruned.notes.append(f"{path} keeps its size: {error}; the next prune shrinks it")
            continue
        pruned.add("databases made smaller", 1, max(0, before - _size(path)))
