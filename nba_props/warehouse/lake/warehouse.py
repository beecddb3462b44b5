"""The local warehouse: a lake of Parquet files, one for each table and date, queried by DuckDB in memory.

A partition is a link to a file that never changes (``files``): a writer makes a new file and replaces the link, so a
reader sees the old rows or the new ones, and a killed writer leaves the old ones. Any number of processes may read and
write at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.catalog import TABLES, VIEWS
from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import League, words
from nba_props.process import clock
from nba_props.schemas import Table, View
from nba_props.settings.defaults import VERSION_DAYS
from nba_props.storage.files import create
from nba_props.warehouse import usage
from nba_props.warehouse.base import (
    CatalogError,
    CorruptPartition,
    Damage,
    Publication,
    Version,
    WarehouseError,
    past_is_fixed,
    refuse_future,
)
from nba_props.warehouse.entries import Entry, Written
from nba_props.warehouse.frames import arrow_by_date, to_frame
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.catalog import Catalog
from nba_props.warehouse.lake.layout import Layout
from nba_props.warehouse.lake.partitions import Footer, Partitions
from nba_props.warehouse.lake.past import Past
from nba_props.warehouse.lake.queries import Queries
from nba_props.warehouse.lake.read_only import answer
from nba_props.warehouse.lake.scans import Scans
from nba_props.warehouse.lake.strays import strays
from nba_props.warehouse.lake.versions import Versions
from nba_props.warehouse.lake.views import Views
from nba_props.warehouse.partitioned import (
    SEALED_MARK,
    SEALED_WHOLE,
    SOURCE_MARK,
    PartitionedWarehouse,
    missing_partition,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

_LOG = logging.getLogger(__name__)
#: where files that can't be read are kept
SET_ASIDE = "_set_aside"


class LakeWarehouse(PartitionedWarehouse):
    """Tables under ``root/<dataset>/<table>/game_date=YYYY-MM-DD/data.parquet``, each of which ``files`` resolves."""

    elsewhere = "NBA_PROPS_HOME to another folder"

    def __init__(
        self,
        root: str | os.PathLike[str],
        views: Mapping[str, View] = VIEWS,
        *,
        kept: timedelta = timedelta(days=VERSION_DAYS),
        layout: Layout | None = None,
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self._layout = layout or Layout(self.root)
        self._partitions = Partitions(self._layout)
        self._scans = Scans(self._layout, self._partitions)
        self._versions = Versions(self._layout, self._partitions, kept)
        self._views = views
        named = Views(views)
        self._queries = Queries(self._layout, self._partitions, self._scans, named)
        self._catalog = Catalog(self.root, self._scans, named)
        #: since it could not be written
        self._catalog_is_behind = False

    @property
    def place(self) -> str:
        return str(self.root)

    @property
    def _title(self) -> str:
        return f"the lake {self.root}"

    def _folder(self, table: Table) -> Path:
        return self._layout.folder(table)

    def _file(self, table: Table, partition: date) -> Path:
        return self._layout.file(table, partition)

    # -- partitions -------------------------------------------------------------------------------------------------

    def partitions(self, table: Table) -> list[date]:
        return self._layout.partitions(table)

    def _dates_to_check(self, table: Table) -> list[date]:
        return self._layout.days(table)

    def _is_empty(self) -> bool:
        return not any(self._layout.names(table) for table in TABLES.values())

    def read(self, table: Table, partitions: Sequence[date]) -> pd.DataFrame:
        import pyarrow as pa

        missing = [day for day in partitions if not self._layout.located(table, day)]
        if missing:
            raise missing_partition(table, missing)
        pieces = [self._partitions.read(table, day) for day in partitions]
        arrow = pa.concat_tables(pieces) if pieces else table.arrow_schema().empty_table()
        usage.charge(usage.Usage(bytes_to_client=arrow.nbytes))
        return to_frame(arrow)

    def _stored(self, table: Table, days: list[date]) -> pd.DataFrame:
        there = [day for day in days if self._layout.located(table, day)]
        return self.read(table, there) if there else table.empty()

    def _entry(self, table: Table, partition: date) -> Footer | None:
        footer = self._partitions.footer(table, partition)
        if footer is None:
            self._layout.refuse_lost(table, partition)
        return footer

    def _settled(self, table: Table, days: Collection[date]) -> Mapping[date, Entry]:
        found = {day: self._entry(table, day) for day in days}
        return {day: footer for day, footer in found.items() if footer is not None}

    def _entries(self, table: Table, days: Collection[date] | None) -> Mapping[date, Entry]:
        folder = str(self._folder(table))
        found = {}
        for day in self._layout.days(table) if days is None else sorted(set(days)):
            with _skipping_unreadable():
                if (footer := self._partitions.footer(table, day, folder)) is not None:
                    found[day] = footer
        return found

    def _computed(self, table: Table, entries: Mapping[date, Entry]) -> dict[date, Mapping[str, str]]:
        found: dict[date, Mapping[str, str]] = {}
        for day, entry in entries.items():
            with _skipping_unreadable():
                found |= super()._computed(table, {day: entry})
        return found

    def fingerprints(self, table: Table) -> dict[date, str]:
        found = {}
        for day in self.partitions(table):
            path = self._layout.located(table, day)
            if path is None:
                continue  # removed meanwhile
            try:
                # of the bytes, not of the name, which does not change when the file is edited
                found[day] = digest(Path(path).read_bytes())
            except OSError as error:
                found[day] = f"unreadable: {type(error).__name__}"  # a read of it gives the whole error
        return found

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> None:
        with self._catalogued(table):
            super().write(table, frame, partitions, made_from)

    def append(
        self,
        table: Table,
        frame: pd.DataFrame,
        partitions: Sequence[date],
        made_from: Mapping[date, str] | None = None,
    ) -> dict[date, tuple[int, int]]:
        with self._catalogued(table):
            return super().append(table, frame, partitions, made_from)

    @contextmanager
    def _catalogued(self, table: Table) -> Iterator[None]:
        """The catalog finds the partitions that are written inside, if need be because it is made again.

        What was written stays written where the catalog can't be: that is logged, once.
        """
        is_needed = not (self._layout.has_partition(table) and self._layout.glob_is_exact(table))
        yield
        if is_needed or self._catalog_is_behind:
            try:
                self.refresh_catalog(None if self._catalog_is_behind else table)
                self._catalog_is_behind = False
            except CatalogError as error:
                if not self._catalog_is_behind:
                    _LOG.warning("%s", error)
                self._catalog_is_behind = True

    def _batches(self, days: Collection[date]) -> Iterable[list[date]]:
        """Each partition has a lock of its own."""
        return ([day] for day in days)

    @contextmanager
    def _locked(self, table: Table, days: Sequence[date]) -> Iterator[None]:
        (day,) = days
        with self._layout.locked(table, day):
            yield

    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        for day, piece in arrow_by_date(table, rows, written).items():
            self._partitions.write(table, day, piece, written[day].statement, self._versions.announce)
            self._note_change(table)

    def _note_change(self, table: Table) -> None:
        self._scans.forget(table)
        self._layout.note_change(table)

    def lost_partitions(self, table: Table) -> list[str]:
        """For each partition that was written and whose link is gone, its error."""
        found = []
        for day in sorted({*self._layout.days(table)} - {*self.partitions(table)}):
            try:
                self._layout.refuse_lost(table, day)
            except CorruptPartition as error:
                found.append(str(error))
        return found

    def copy_partition(self, table: Table, partition: date, into: LakeWarehouse) -> None:
        """Copy a partition as it is into another lake."""
        self._partitions.copy(table, partition, into._layout)

    # -- statements -------------------------------------------------------------------------------------------------

    def arrow(self, sql: str, /, **parameters: Any) -> pyarrow.Table:
        with self._count_lock:
            self.query_count += 1
        arrow = self._queries.run(sql, parameters)
        usage.charge(usage.Usage(queries=1, bytes_to_client=arrow.nbytes))
        return arrow

    def held(self, tables: Collection[Table], until: date) -> AbstractContextManager[None]:
        return self._queries.held(tables, until)

    def read_only(self, sql: str) -> pd.DataFrame:
        return answer(self._queries, sql)

    # -- versions ---------------------------------------------------------------------------------------------------

    def publication(self, run_id: str, job_name: str, revision: str) -> AbstractContextManager[Publication]:
        return self._versions.publication(run_id, job_name, revision)

    def versions(self, day: date) -> list[Version]:
        return self._versions.of(day)

    def outdated_versions(self, now: datetime) -> Iterator[list[Path]]:
        """The files of each date's versions that are no longer to be kept; remove them, in order, as they come."""
        return self._versions.outdated(now)

    def as_of(self, instant: datetime) -> PastLake:
        refuse_future(instant, clock.utc_now())
        return PastLake(self.root, self._views, layout=Past(self._layout.now, self._versions.manifests, instant))

    # -- what the lake holds ----------------------------------------------------------------------------------------

    @property
    def source_path(self) -> Path:
        """The file that states whether the lake holds real or simulated data."""
        return self.root / SOURCE_MARK

    def source(self) -> str | None:
        try:
            found = self.source_path.read_bytes().decode("utf-8", "replace").strip()
            wrong = f"contains {found[:40]!r}, neither {' nor '.join(League)}"
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            found, wrong = "", "is a folder"
        if found not in words(League):
            raise WarehouseError(
                f"{self.source_path} {wrong}, so it is unknown what the lake holds: nba-props doctor --repair"
            )
        return found

    @property
    def is_whole(self) -> bool:
        """Whether every partition of every table was written with a statement of its rows."""
        return self._sealed_as() == SEALED_WHOLE

    def _sealed_as(self) -> str | None:
        mark = self.root / SEALED_MARK
        if not os.path.lexists(mark):
            return None
        try:
            return mark.read_text().strip()
        except (OSError, ValueError):
            return ""

    def _create_mark(self, name: str, text: str) -> None:
        create(self.root / name, text.encode())

    # -- damage -----------------------------------------------------------------------------------------------------

    def _flaw(self, entry: Entry) -> str | None:
        return None if files.is_as_written(entry.place) else "was changed in its place after it was written"

    def set_aside(self, damage: Damage, now: datetime) -> str:
        table, day = damage.table, damage.partition
        target = self.root / SET_ASIDE / table.address / f"{day.isoformat()}-{now:%Y%m%dT%H%M%S%fZ}.parquet"
        with self._layout.locked(table, day):
            target.parent.mkdir(parents=True, exist_ok=True)
            path, link = self._layout.located(table, day), self._file(table, day)
            kept = [Path(path)] if path is not None and os.path.exists(path) else files.versions(link.parent)
            for number, file in enumerate(kept):  # first, so that a kill in between loses nothing
                files.save(file, target if not number else target.with_suffix(f".{number}.parquet"))
            link.unlink(missing_ok=True)
            files.forget(link)
            self._note_change(table)
        return str(target)

    def damaged_versions(self, days: Collection[date] | None = None) -> list[tuple[Path, str]]:
        return self._versions.damaged(days)

    def set_version_aside(self, path: Path, now: datetime) -> str:
        target = self.root / SET_ASIDE / "versions" / f"{path.parent.name}-{now:%Y%m%dT%H%M%S%fZ}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        self._versions.manifests.set_aside(path, target)
        return str(target)

    def strays(self) -> list[tuple[str, str]]:
        return strays(self._layout)

    # -- earlier releases -------------------------------------------------------------------------------------------

    def stored_before(self, table: Table) -> dict[date, int | None] | None:
        days = self._layout.days(table.before) if table.formerly else []
        if not days:  # columns of an earlier release are read as they are
            return None
        counts = self.row_counts(table.before, days)
        return {day: counts.get(day) for day in days}

    def take_over(self, table: Table) -> None:
        if table.formerly:
            self._layout.rename(table.before, table)
        self._scans.forget(table)

    # -- the catalog ------------------------------------------------------------------------------------------------

    @property
    def catalog(self) -> str | None:
        return str(self.catalog_path)

    @property
    def catalog_path(self) -> Path:
        """A DuckDB file that holds only views over the lake, for BI tools."""
        return self._catalog.path

    def create_views(self) -> None:
        self.refresh_catalog()

    def refresh_catalog(self, only: Table | None = None) -> Path:
        """Bring the catalog up to date (``catalog``), if it is not."""
        self._catalog.refresh(only)
        return self.catalog_path

    def catalog_flaw(self) -> str:
        """Why the catalog can't be opened; empty when it can, or does not exist."""
        return self._catalog.flaw()

    @property
    def catalog_note(self) -> Path:
        """What views the catalog has, as text."""
        return self._catalog.note

    def catalog_note_flaw(self) -> str:
        """Why the note can't be read; empty when it can."""
        return self._catalog.note_flaw()


class PastLake(LakeWarehouse):
    """A lake as it was at an instant; it can only be read."""

    def _replace(self, table: Table, rows: pd.DataFrame, written: Mapping[date, Written]) -> None:
        raise past_is_fixed()

    def _create_mark(self, name: str, text: str) -> None:
        raise past_is_fixed()

    def take_over(self, table: Table) -> None:
        raise past_is_fixed()

    def refresh_catalog(self, only: Table | None = None) -> Path:
        raise past_is_fixed()


@contextmanager
def _skipping_unreadable() -> Iterator[None]:
    """A partition that can't be opened is left out: a read of it raises, and it is made again."""
    try:
        yield
    except CorruptPartition as error:
        _LOG.warning("%s", error)
