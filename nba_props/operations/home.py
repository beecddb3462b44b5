"""The files of a home beside the rows: what can be damaged, the message about it, and its repair.

Nothing is ever deleted: a file that can't be read is moved aside, to a dated name in the same folder, and made again if
possible. What can't be made again, the partitions of append-only tables, is restored from a backup.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from nba_props.facts.vocabulary import DataSource, League, either
from nba_props.operations.audit import place, unreadable_files
from nba_props.process.errors import NbaPropsError
from nba_props.settings import Settings
from nba_props.storage.files import ASIDE
from nba_props.storage.models import CorruptModel, ModelStore
from nba_props.warehouse.base import Warehouse, WarehouseError
from nba_props.warehouse.lake import LakeWarehouse

REPAIR = "nba-props doctor --repair"
#: Dagster's databases by their paths in its home, and what each holds
RUNS, EVENTS, TICKS = "history/runs.db", "history/runs/index.db", "schedules/schedules.db"
DATABASES = {
    RUNS: "Dagster's record of runs",
    EVENTS: "Dagster's index of events",
    TICKS: "Dagster's sensors and schedules",
}
CONFIG = "dagster.yaml"
SIDES = ("", "-wal", "-shm", "-journal")

_WAYS_OUT = {
    errno.ENOSPC: "free the disk and run the same command again; partitions are whole, old or new",
    errno.EDQUOT: "free the disk and run the same command again; partitions are whole, old or new",
    errno.EROFS: "make it writable and run the same command again; partitions are whole, old or new",
    errno.EACCES: "fix its permissions, or set NBA_PROPS_HOME to a folder of your own",
    errno.EPERM: "fix its permissions, or set NBA_PROPS_HOME to a folder of your own",
    errno.ENOTDIR: "move away what is in the place of a folder",
    errno.EEXIST: "move away what is in the place of a folder",
    errno.EISDIR: "move away the folder that is in the place of a file",
    errno.ENAMETOOLONG: "set NBA_PROPS_HOME to a folder with a shorter path",
    errno.ENOENT: "nba-props doctor lists what exists",
}
_OTHERWISE = "nba-props doctor examines every file of the home"
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: free bytes that a disk must have before anything is moved and made again
_ROOM = 1 << 20


def _log_lost() -> str:
    return "the run's log is lost, its rows are in the lake"


class HomeError(NbaPropsError):
    """A home can't be used; the message has the file, the cause and the remedy."""


@dataclass(frozen=True)
class Flaw:
    """A file of a home that can't be used.

    ``remake`` makes it again once it is moved aside, and returns the result in words; None if only a person can, by
    ``advice``.
    """

    what: str
    path: Path
    why: str
    advice: str = REPAIR
    remake: Callable[[], str] | None = None

    def __str__(self) -> str:
        return f"{self.what} can't be read ({self.path}): {self.why}"


def dagster_home(settings: Settings) -> Path:
    """DAGSTER_HOME if it is set, else a folder of the home."""
    return Path(os.environ.get("DAGSTER_HOME") or settings.dagster_home)


def set_aside(path: Path, now: datetime) -> Path:
    """Move a file or folder, with the other files of a database, to a dated name in the same folder."""
    target = path.with_name(f"{path.name}{ASIDE}{now:%Y%m%dT%H%M%S%fZ}")
    for side in SIDES:
        source = path.with_name(path.name + side)
        if os.path.lexists(source):
            os.replace(source, target.with_name(target.name + side))
    return target


def repair(found: Sequence[Flaw], now: datetime) -> Iterator[str]:
    """Move aside all files that can be made again, then make them; yields a sentence for each.

    A file without permission to read it is left alone: its content may be valid.

    Raises:
        HomeError: the disk has no room for it; nothing was moved.
    """
    repairable = [f for f in found if f.remake is not None and os.access(f.path, os.R_OK)]
    for folder in {f.path.parent for f in repairable}:
        if is_full(folder):
            raise HomeError(f"{folder} has no room to make a file again: {_WAYS_OUT[errno.ENOSPC]}")
    for flaw, kept in [(f, set_aside(f.path, now)) for f in repairable]:
        try:
            made = flaw.remake() if flaw.remake else ""
        except Exception as error:
            why = str(error) if isinstance(error, WarehouseError) else sentence(error, None)
            if why is None:
                raise
            made = f"it could not be made again: {why}"
        yield f"{flaw.path} is moved to {kept.name}: {made}"


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder is full."""
    return shutil.disk_usage(folder).free < _ROOM


def _has_room(folder: Path) -> bool:
    return folder.exists() and not is_full(folder)


# -- errors -----------------------------------------------------------------------------------------------------------


def sentence(error: BaseException, settings: Settings | None) -> str | None:
    """A sentence for the user about an error of a disk or of a database; None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, HomeError):
            return str(cause)
        if isinstance(cause, sqlite3.Error):
            return _of_database(cause, settings)
        if isinstance(cause, OSError) and cause.errno is not None and cause.errno != errno.EPIPE:
            where = cause.filename if cause.filename is not None else settings.home if settings else "a file"
            if cause.errno == errno.ENOSPC and cause.filename is None and settings and _has_room(settings.home):
                where = "the output of this command"  # a pipe or a device: the home has room
            if isinstance(where, bytes):
                where = os.fsdecode(where)
            return f"{where} can't be used: {cause.strerror}. {_WAYS_OUT.get(cause.errno, _OTHERWISE)}"
    return None


def is_in_use(error: BaseException) -> bool:
    """Whether an error is that of a database that another process keeps locked, and comes after a long wait."""
    return any(isinstance(cause, sqlite3.Error) and _code(cause) in _IN_USE for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _of_database(error: sqlite3.Error, settings: Settings | None) -> str:
    home = dagster_home(settings) if settings else None
    code = _code(error)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and home and home.exists() and is_full(home)):
        return f"Dagster's databases under {home} can't be written: {error}. {_WAYS_OUT[errno.ENOSPC]}"
    if code in _IN_USE:
        return f"Dagster's databases under {home} are in use: {error}. Wait for the other process, or stop it"
    if damaged := database_flaws(home) if home else []:
        return f"{'; '.join(map(str, damaged))}. {REPAIR} moves it aside and makes it again"
    if code in _NOT_WRITABLE:
        return f"Dagster's databases under {home} can't be opened for writing: {error}. {_WAYS_OUT[errno.EACCES]}"
    return f"a database of Dagster under {home} failed: {error}. {_OTHERWISE}"


# -- flaws ------------------------------------------------------------------------------------------------------------


def store_flaws(settings: Settings, warehouse: Warehouse) -> list[Flaw]:
    """The flaws of models, of the lake's own files and of the audit's memory; a scrub reads the partitions."""
    found = list(_model_flaws(ModelStore(settings.models)))
    if isinstance(warehouse, LakeWarehouse):
        found += [*_source_flaw(warehouse), *_catalog_flaws(warehouse)]
    if settings.gcp is None:
        found += _memory_flaws(settings)
    return found


def database_flaws(home: Path, remake: Callable[[Path], str] | None = None) -> list[Flaw]:
    """The flaws of Dagster's databases in its home, those of single runs included.

    ``remake`` makes a database of the instance again once it is moved aside, and returns the result in words.
    """
    runs = {p: f"Dagster's log of run {p.stem[:8]}" for p in sorted((home / EVENTS).parent.glob("*.db"))}
    named = {home / place: what for place, what in DATABASES.items()}
    found = []
    for path, what in {**runs, **named}.items():
        why, is_damaged = _unreadable(path)
        if is_damaged:
            again = _log_lost if path not in named else partial(remake, path) if remake else None
            found.append(Flaw(what, path, why, remake=again))
        elif why:
            found.append(Flaw(what, path, why, "free the disk, and fix the file's permissions"))
    return found


def _unreadable(path: Path) -> tuple[str, bool]:
    """Why SQLite can't read a file, and whether the file is damaged; empty if it can, or if there is no file.

    An empty file is a new database.
    """
    if not os.path.lexists(path):
        return "", False
    if not path.is_file():
        return "it is not a file", True
    try:
        checked = _checked(path, "mode=ro")
    except sqlite3.Error as error:
        if _code(error) in _IN_USE:
            return "", False
        if _code(error) in _DAMAGED:
            return str(error), True
        try:  # on a full or read-only disk SQLite can't create the other files of a database
            checked = _checked(path, "immutable=1")
        except sqlite3.Error as again:
            return str(again), False
        return ("", False) if checked == "ok" else (checked.splitlines()[-1], False)
    return ("", False) if checked == "ok" else (checked.splitlines()[-1], True)


def _checked(path: Path, how: str) -> str:
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)) as connection:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _model_flaws(store: ModelStore) -> Iterator[Flaw]:
    for system, week in store.all_weeks():
        try:
            store.load(store.card(system, week))
            store.refusal(system, week)
        except CorruptModel as error:
            path = Path(store.root) / system / week.isoformat()
            yield Flaw(f"{system}'s model of {week}", path, str(error), f"nba-props train {week}")


def _source_flaw(lake: LakeWarehouse) -> Iterator[Flaw]:
    def remake() -> str:
        if held is None:
            return "the lake has no rows, and the next ones claim it"
        lake.claim(held)
        return f"it is {held} again, like the rows"

    try:
        lake.source()
    except (WarehouseError, OSError) as error:
        what = "the mark of what the lake holds"
        try:
            held = _held(lake)
        except WarehouseError as unknown:
            yield Flaw(what, lake.source_path, f"{error}; nor can its rows be read: {unknown}", "nba-props scrub")
            return
        if held in (None, *League):
            yield Flaw(what, lake.source_path, str(error), remake=remake)
        else:
            by_hand = f"write {either(League)} into it: its rows are {held}"
            yield Flaw(what, lake.source_path, str(error), by_hand)


def _held(lake: LakeWarehouse) -> str | None:
    """The sources of the lake's rows: REAL, SIMULATED, ``REAL and SIMULATED``; None without rows."""
    from nba_props.schemas import raw

    tables = (raw.SCHEDULE, raw.BOX_SCORES, raw.ODDS_QUOTES)
    days = sorted(day for table in tables for day in lake.partitions(table))
    if not days:
        return None
    sql = " UNION DISTINCT ".join(
        f"SELECT data_source FROM {t.address} WHERE game_date BETWEEN @first AND @last" for t in tables
    )
    sources = lake.query(sql, first=days[0], last=days[-1])["data_source"]
    leagues = {League.SIMULATED if source == DataSource.SIMULATED else League.REAL for source in sources}
    return " and ".join(sorted(leagues)) or None


def _catalog_flaws(lake: LakeWarehouse) -> Iterator[Flaw]:
    def remake() -> str:
        lake.refresh_catalog()
        return "the views are made again"

    if why := lake.catalog_flaw():
        yield Flaw("the catalog of views", lake.catalog_path, why, remake=remake)
    if why := lake.catalog_note_flaw():
        yield Flaw("the note of the catalog's views", lake.catalog_note, why, remake=remake)


def _memory_flaws(settings: Settings) -> Iterator[Flaw]:
    for path, why in unreadable_files(Path(place(settings))).items():
        yield Flaw("the audit's memory", path, why, remake=lambda: "the next audit judges its dates again")
