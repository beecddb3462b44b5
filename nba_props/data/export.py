"""Copies of tables for other tools: a folder of Parquet with a description, or Delta tables.

A copy is made beside the one that is there, and replaces its files once all of it is written: whoever reads a file
reads a whole date, and a copy that was killed is completed by the same command.

The date is in the files, and not in the names of folders as well: pandas and Arrow refuse a column that is in both.
Beside the tables' folders there are only files that begin with ``_`` or a dot, which readers of a folder leave out.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.catalog import TABLES
from nba_props.data.lake import Lake
from nba_props.data.package import Resource, descriptor
from nba_props.data.selection import DATE, SelectionError
from nba_props.facts.calendar import named_day
from nba_props.process.errors import NbaPropsError
from nba_props.storage.files import TEMPORARY, create, replace

if TYPE_CHECKING:
    import pyarrow

#: in a folder that holds an export: its form and its league
MARK = ".nba_props_export"
_LOCK = ".export.lock"
PACKAGE = "_datapackage.json"
_SUFFIX = ".parquet"
#: dates that are read at once
_AT_ONCE = 31


class ExportError(NbaPropsError):
    """An export is not possible as requested; nothing was written."""


@dataclass(frozen=True)
class Exported:
    """The size of an export."""

    tables: int
    dates: int
    rows: int


def export(
    lake: Lake, home: Path, span: Sequence[date], target: Path, form: str, names: Sequence[str] = ()
) -> Exported:
    """Copy the dates of a span to a folder, which may hold an export of other dates already.

    Args:
        lake: what is copied.
        home: the home of the lake.
        span: the dates.
        target: the folder; it is created if need be.
        form: one of ``FORMS``.
        names: tables and views; without any, every table.

    Raises:
        ExportError: nothing of the span is stored, the folder is in the home, has links or holds something else, or a
            library is missing; nothing was written.
        SelectionError: there is no such table or view, or it has no dates.
        WarehouseError: rows can't be read; nothing of the export was changed.
    """
    import filelock

    addresses = list(dict.fromkeys(map(lake.address_of, names))) or list(TABLES)
    for address in addresses:
        if DATE not in {c.name for c in lake.columns_of(address)}:
            raise SelectionError(f"{address} has no dates, so it can't be exported by date")
    if form == "delta":
        _deltalake()
    league = lake.source
    if league is None:
        raise ExportError("there is nothing to export: nothing is stored yet")
    _refuse_inside(target, home)
    _refuse_links(target, addresses)
    if not (target / MARK).exists() and not any(_has_rows(lake, address, span) for address in addresses):
        raise _nothing(lake, span)
    then = f" as of {lake.instant.isoformat()}" if lake.instant else ""
    _claim(target, f"{form} of the {league.lower()} league{then}")
    with filelock.FileLock(target / _LOCK):
        return FORMS[form](lake, span, target, addresses, league)


def _nothing(lake: Lake, span: Sequence[date]) -> ExportError:
    days = f"{span[0]}" if span[0] == span[-1] else f"{span[0]}..{span[-1]}"
    if lake.instant is not None:
        then = f"{lake.instant.isoformat()}; `nba-props versions {span[0]}` lists when runs published"
        return ExportError(f"there is nothing to export: nothing of {days} was published by {then}")
    return ExportError(f"there is nothing to export: nothing of {days} is stored")


def _has_rows(lake: Lake, address: str, span: Sequence[date]) -> bool:
    """Whether a table has a date of the span, or a view rows of one."""
    if address in TABLES:
        return not {*span}.isdisjoint(lake.dates(address))
    return bool(lake.arrow(address, f"{span[0]}..{span[-1]}", columns=[DATE]).num_rows)


def _refuse_inside(target: Path, home: Path) -> None:
    if target.resolve().is_relative_to(home.resolve()):
        raise ExportError(f"{target} is inside the home {home}, which other commands write: choose a folder outside")


def _refuse_links(target: Path, addresses: Sequence[str]) -> None:
    """Raise :class:`ExportError` where a link in the folder would lead what is written or removed to another place."""
    folders = [target / address.replace(".", "/") for address in addresses]
    ours = {target / MARK, target / _LOCK, *folders, *(folder.parent for folder in folders)}
    for path in sorted(ours | {log for folder in folders if (log := folder / "_delta_log").is_symlink()}):
        if path.is_symlink():
            raise ExportError(f"{path} is a link to another place: remove it, or choose a folder without links")


def _claim(target: Path, what: str) -> None:
    """Mark a folder as an export of this kind.

    Raises:
        ExportError: it is not a folder, or holds something else.
    """
    mark = target / MARK
    try:
        if not mark.exists() and target.exists() and any(target.iterdir()):
            raise ExportError(f"{target} is not empty and not an export: choose a folder that does not exist yet")
        create(mark, what.encode())
        found = mark.read_text()
    except OSError as error:
        raise ExportError(f"{target} can't be used: {error.strerror or error}") from error
    if found != what:
        raise ExportError(f"{target} holds an export of another kind ({found}), this is {what}: choose another folder")


def _pieces(lake: Lake, address: str, span: Sequence[date]) -> Iterator[tuple[Sequence[date], pyarrow.Table]]:
    """The rows of a table or view, so many dates at a time."""
    for start in range(0, len(span), _AT_ONCE):
        days = span[start : start + _AT_ONCE]
        yield days, lake.arrow(address, f"{days[0]}..{days[-1]}")


def _to_folder(lake: Lake, span: Sequence[date], target: Path, addresses: Sequence[str], league: str) -> Exported:
    """A file for each table and date, ``dataset/table/2026-01-09.parquet``, and their description."""
    import pyarrow.parquet as pq

    for left in target.glob(f"{TEMPORARY}*"):  # of an export that was killed
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)
    made = target / f"{TEMPORARY}{uuid.uuid4().hex}"
    made.mkdir()
    #: the finished files by their names in the copy; their own do not end with .parquet: a killed export leaves them
    written: dict[str, Path] = {}
    rows = 0
    try:
        for address in addresses:
            stored = set(lake.dates(address)) if address in TABLES else set()  # a date without rows is one as well
            for days, arrow in _pieces(lake, address, span):
                for day, piece in _by_date(arrow, days).items():
                    if not piece.num_rows and day not in stored:
                        continue
                    file = written.setdefault(_name(address, day), made / f"{len(written)}")
                    pq.write_table(piece, file, compression="zstd")
                    rows += piece.num_rows
        for name, file in sorted(written.items()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            file.replace(target / name)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    every = (_name(address, day) for address in addresses for day in span)
    # exported once, and no longer stored
    gone = [name for name in every if name not in written and (target / name).exists()]
    if not written and not gone:
        raise _nothing(lake, span)
    # first, so that no file is missing that is described
    package = _described(lake, target, league, {*gone})
    replace(target / PACKAGE, json.dumps(package, indent=1, ensure_ascii=False).encode())
    for name in gone:
        (target / name).unlink()
    return Exported(len(addresses), len({name.rpartition("/")[2] for name in written}), rows)


def _name(address: str, day: date) -> str:
    return f"{address.replace('.', '/')}/{day}{_SUFFIX}"


def _by_date(arrow: pyarrow.Table, days: Sequence[date]) -> dict[date, pyarrow.Table]:
    import pyarrow.compute as pc

    return {day: arrow.filter(pc.equal(arrow[DATE], day)) for day in days}


def _described(lake: Lake, target: Path, league: str, without: Collection[str]) -> dict[str, Any]:
    """The description of every file that the folder has, of earlier exports too, except some."""
    described = lake.tables.set_index("name")["description"]
    resources = []
    for address in described.index:
        folder = target / address.replace(".", "/")
        days = sorted(filter(None, (named_day(p.name.removesuffix(_SUFFIX)) for p in folder.glob(f"*{_SUFFIX}"))))
        if paths := [name for day in days if (name := _name(address, day)) not in without]:
            key = TABLES[address].unique if address in TABLES else ()
            resources.append(Resource(address, described[address], lake.columns_of(address), key, paths))
    return descriptor(resources, league)


def _to_delta(lake: Lake, span: Sequence[date], target: Path, addresses: Sequence[str], league: str) -> Exported:
    """A Delta table for each table and view, ``dataset/table``, partitioned by date; a commit replaces whole dates."""
    library, described = _deltalake(), lake.tables.set_index("name")["description"]
    rows, dates = 0, set[date]()
    if not any(_has_rows(lake, a, span) or _in_delta(library, target / a.replace(".", "/"), span) for a in addresses):
        raise _nothing(lake, span)
    for address in addresses:
        for days, arrow in _pieces(lake, address, span):
            library.write_deltalake(
                target / address.replace(".", "/"),
                arrow,
                mode="overwrite",
                partition_by=[DATE],
                predicate=f"{DATE} >= '{days[0]}' AND {DATE} <= '{days[-1]}'",
                name=address,
                description=described[address],
                commit_properties=library.CommitProperties(custom_metadata={"league": league}),
            )
            rows += arrow.num_rows
            dates |= set(arrow[DATE].unique().to_pylist())
    return Exported(len(addresses), len(dates), rows)


def _in_delta(library: Any, folder: Path, span: Sequence[date]) -> bool:
    """Whether a Delta table has rows of a span."""
    if not library.DeltaTable.is_deltatable(str(folder)):
        return False
    return not {f"{day}" for day in span}.isdisjoint(p[DATE] for p in library.DeltaTable(folder).partitions())


def _deltalake() -> Any:
    try:
        import deltalake
    except ImportError as error:
        raise ExportError("a Delta table needs deltalake: pip install 'nba_props[delta]'") from error
    return deltalake


_Write = Callable[[Lake, Sequence[date], Path, Sequence[str], str], Exported]
#: what can be made, by the name of its form
FORMS: Mapping[str, _Write] = {"folder": _to_folder, "delta": _to_delta}
