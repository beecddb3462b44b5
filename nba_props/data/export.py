"""Copies of tables for other tools: a folder of Parquet with a description, or Delta tables.

A copy is made beside the one that is there, and replaces its files once all of it is written: whoever reads a file
reads a whole date, and a copy that was killed is completed by the same command.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
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
PACKAGE = "datapackage.json"
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
        ExportError: the folder is in the home or holds something else, or a library is missing.
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
    _claim(target, home, f"{form} {league}")
    with filelock.FileLock(target / _LOCK):
        return FORMS[form](lake, span, target, addresses, league)


def _claim(target: Path, home: Path, what: str) -> None:
    """Mark a folder as an export of this form and league.

    Raises:
        ExportError: it is in the home, is not a folder, or holds something else.
    """
    if target.resolve().is_relative_to(home.resolve()):
        raise ExportError(f"{target} is inside the home {home}, which other commands write: choose a folder outside")
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
    """A file for each table and date, ``dataset/table/game_date=2026-01-09/data.parquet``, and their description."""
    import pyarrow.parquet as pq

    for left in target.glob(f"{TEMPORARY}*"):  # of an export that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    made = target / f"{TEMPORARY}{uuid.uuid4().hex}"
    rows, written = 0, set[str]()
    try:
        for address in addresses:
            stored = set(lake.dates(address)) if address in TABLES else set()  # a date without rows is one as well
            for days, arrow in _pieces(lake, address, span):
                for day, piece in _by_date(arrow, days).items():
                    if not piece.num_rows and day not in stored:
                        continue
                    name = _name(address, day)
                    (made / name).parent.mkdir(parents=True)
                    pq.write_table(piece.drop_columns([DATE]), made / name, compression="zstd")
                    rows += piece.num_rows
                    written.add(name)
        for name in sorted(written):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(target / name)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    for name in {_name(address, day) for address in addresses for day in span} - written:
        if (target / name).exists():  # the date was exported once and is no longer stored
            shutil.rmtree((target / name).parent)
    replace(target / PACKAGE, json.dumps(_described(lake, target, league), indent=1, ensure_ascii=False).encode())
    return Exported(len(addresses), len({name.split("/")[2] for name in written}), rows)


def _name(address: str, day: date) -> str:
    return f"{address.replace('.', '/')}/{DATE}={day}/data.parquet"


def _by_date(arrow: pyarrow.Table, days: Sequence[date]) -> dict[date, pyarrow.Table]:
    import pyarrow.compute as pc

    return {day: arrow.filter(pc.equal(arrow[DATE], day)) for day in days}


def _described(lake: Lake, target: Path, league: str) -> dict[str, Any]:
    """The description of every file that the folder has, of earlier exports too."""
    described = lake.tables.set_index("name")["description"]
    resources = []
    for address in described.index:
        folder = target / address.replace(".", "/")
        days = sorted(filter(None, (named_day(p.name.removeprefix(f"{DATE}=")) for p in folder.glob(f"{DATE}=*"))))
        if days:
            key = TABLES[address].unique if address in TABLES else ()
            paths = [_name(address, day) for day in days]
            resources.append(Resource(address, described[address], lake.columns_of(address), key, paths))
    return descriptor(resources, league)


def _to_delta(lake: Lake, span: Sequence[date], target: Path, addresses: Sequence[str], league: str) -> Exported:
    """A Delta table for each table and view, ``dataset/table``, partitioned by date; a commit replaces whole dates."""
    library, described = _deltalake(), lake.tables.set_index("name")["description"]
    rows, dates = 0, set[date]()
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


def _deltalake() -> Any:
    try:
        import deltalake
    except ImportError as error:
        raise ExportError("a Delta table needs deltalake: pip install 'nba_props[delta]'") from error
    return deltalake


_Write = Callable[[Lake, Sequence[date], Path, Sequence[str], str], Exported]
#: what can be made, by the name of its form
FORMS: Mapping[str, _Write] = {"folder": _to_folder, "delta": _to_delta}
