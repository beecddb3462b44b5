"""Versions of a date: a run that succeeds publishes what it wrote by one manifest for each date, renamed last.

A version is the state of a date as its run left it: all tables that the run wrote, and of the others what was current,
without what runs still at work have written so far. So all tables of a run appear together or none. Where two runs
write the same table at once, the later write counts, as it does for current reads. A run that was killed or failed
publishes nothing; what it left is current, so the next run of that date works with it and publishes it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

from nba_props.catalog import TABLES
from nba_props.facts.calendar import named_day
from nba_props.facts.digest import digest
from nba_props.process import clock
from nba_props.schemas import Table
from nba_props.warehouse.base import CorruptPartition, Publication, Version, WarehouseError
from nba_props.warehouse.lake import files
from nba_props.warehouse.lake.journals import Journal
from nba_props.warehouse.lake.layout import Layout
from nba_props.warehouse.lake.manifests import AS_FOUND, Kept, Manifest, Manifests, SetAside
from nba_props.warehouse.lake.partitions import Partitions

_LOG = logging.getLogger(__name__)
_OPEN, _REPLACED = "open", "replaced"
_MARK = re.compile(r"\d{4}-\d{2}-\d{2}~\d{4}-\d{2}-\d{2}", re.ASCII)
#: dates whose old versions a publication removes besides its own: few, since a run waits for it
_AT_ONCE = 5
#: a version that was replaced less long ago is kept, whatever the setting: a reader may have just found it
_LEAST = timedelta(seconds=files.KEPT_SECONDS)


class Versions:
    """The versions of a lake's dates.

    Args:
        layout: the lake.
        partitions: its partitions.
        kept: how long a version is kept after another one has replaced it.
    """

    def __init__(self, layout: Layout, partitions: Partitions, kept: timedelta) -> None:
        self.manifests = Manifests(layout.root)
        self._layout = layout
        self._partitions = partitions
        self._kept = max(kept, _LEAST)

    def of(self, day: date) -> list[Version]:
        """The versions of a date that are kept, the oldest first.

        Raises:
            CorruptPartition: a manifest can't be read.
        """
        found: list[Version] = []
        before: Manifest | None = None
        addresses = {table.lasting_name: table.address for table in TABLES.values()}
        for name in self.manifests.instants(day).values():
            try:
                now = self.manifests.read(day, name)
            except FileNotFoundError:  # removed meanwhile
                continue
            except SetAside:
                before = None
                continue
            old = before.tables if before else {}
            changed = [n for n in sorted({*now.tables, *old}) if now.tables.get(n) != old.get(n)]
            tables = {addresses.get(n, n): kept.rows for n, kept in now.tables.items()}
            # what the oldest one has changed is known only if there was none before it
            is_known = before is not None or now.first == now.instant
            found.append(
                Version(
                    now.instant, now.run_id, now.job_name, now.revision, tables,
                    tuple(addresses.get(n, n) for n in changed) if is_known else None,
                )
            )  # fmt: skip
            before = now
        return found

    # -- writing ----------------------------------------------------------------------------------------------------

    def announce(self, table: Table, day: date, name: str, rows: int) -> None:
        """A file is about to become a partition: recorded for the run that is writing, if one is."""
        running = _running.get()
        if running is not None and running.root == self.manifests.root:
            running.announce(table, day, Kept(name, rows, clock.utc_now()))

    def current_name(self, table: Table, day: date) -> str:
        """The name of a partition's current file, ``""`` if there is none."""
        path = self._layout.located(table, day)
        return os.path.basename(path) if path else ""

    @contextmanager
    def publication(self, run_id: str, job_name: str, revision: str) -> Iterator[Publication]:
        """Inside, what this process writes belongs to a run, which publishes it by :meth:`Publication.publish`."""
        running = _Run(self, run_id, job_name, revision)
        before = _running.get()
        _running.set(running)
        try:
            yield running
        finally:
            _running.set(before)
            running.journal.close()

    def begin(self, day: date) -> None:
        """Before a run first writes a date: what it has from before there were versions becomes the first one."""
        folder = self.manifests.folder(day)
        if folder.exists():
            return
        with self.manifests.locked(day):
            if not folder.exists():
                tables = self._held(day, self._current(day), {}, {}, {}, ())
                self.manifests.begin(day, Manifest(clock.utc_now(), AS_FOUND, "", "", None, tables) if tables else None)

    def publish(self, day: date, run: _Run) -> None:
        """Make what a run has written of a date, and what else is current, its newest version."""
        with self.manifests.locked(day), run.journal.others() as others:
            known = self._corrected(day)
            before = self._newest(day, known)
            current = self._current(day)
            # asked after the links were read: what is current was announced before
            unfinished = others.writing(day)
            tables = self._held(
                day, current, before.tables if before else {}, run.written[day], unfinished, run.replaced
            )
            # as late as can be: whoever asks for this instant or a later one waits until this date is published
            now = self._next(known)
            if known:
                self._note_replaced(day, now)
            first = before.first if before else None if known else now
            self.manifests.write(day, Manifest(now, run.run_id, run.job_name, run.revision, first, tables))
            with _retention():
                self._remove(day, now)

    def _next(self, known: Collection[datetime]) -> datetime:
        """The instant of the next version: now, but after all others, since two may come in one microsecond."""
        now = clock.utc_now()
        return max(now, max(known) + timedelta(microseconds=1)) if known else now

    def _corrected(self, day: date) -> dict[datetime, str]:
        """The instants of a date's versions and their manifests.

        Versions of a clock that was ahead were published before now, too: they get instants that one can ask for.
        """
        known = self.manifests.instants(day)
        now = clock.utc_now()
        ahead = [at for at in known if at > now]
        if not ahead:
            return known
        passed = max((at for at in known if at <= now), default=now - timedelta(seconds=1))
        moved: dict[datetime, datetime] = {}
        for number, at in enumerate(ahead, 1):
            _LOG.warning("the version %s of %s is of the future: it counts as published by now", at.isoformat(), day)
            before_now = now - timedelta(microseconds=len(ahead) + 1 - number)
            moved[at] = max(before_now, passed + timedelta(microseconds=number))
            self.manifests.restamp(day, known[at], moved[at], moved)
        return self.manifests.instants(day)

    def _newest(self, day: date, known: Mapping[datetime, str]) -> Manifest | None:
        """The newest of a date's versions; None if there is none, or it is damaged."""
        try:
            return self.manifests.read(day, known[max(known)]) if known else None
        except CorruptPartition as error:
            _LOG.error("%s: the next one does without it", error)
            return None

    def _current(self, day: date) -> list[tuple[Table, Path | None]]:
        """Each table that has a partition of a date with its current file; None where that is lost."""
        found: list[tuple[Table, Path | None]] = []
        for table in TABLES.values():
            if (path := self._layout.located(table, day)) is not None:
                found.append((table, Path(path)))
            elif files.is_lost(self._layout.file(table, day)):
                found.append((table, None))
        return found

    def _held(
        self,
        day: date,
        current: Sequence[tuple[Table, Path | None]],
        before: Mapping[str, Kept],
        own: Mapping[str, Kept],
        unfinished: Mapping[str, str],
        older: Collection[str],
    ) -> dict[str, Kept]:
        """The files of a version, which are kept from here on.

        Args:
            day: the date.
            current: its tables with their current files.
            before: the files of the version before it.
            own: what the run that publishes has written.
            unfinished: what other runs are writing, each with the file that it replaces.
            older: files that the run that publishes has replaced.
        """
        tables = {}
        for table, path in current:
            name = table.lasting_name
            if path is not None and name in before and self._is_still(before[name], day, path):
                tables[name] = before[name]
                continue
            known = own.get(name), before.get(name)
            for kept, source in self._candidates(table, day, path, *known, unfinished, older):
                if self.manifests.hold(day, source, kept.name):
                    tables[name] = kept
                    break
        return tables

    def _candidates(
        self,
        table: Table,
        day: date,
        path: Path | None,
        own: Kept | None,
        before: Kept | None,
        unfinished: Mapping[str, str],
        older: Collection[str],
    ) -> Iterator[tuple[Kept, Path]]:
        """The files that may be a table's in a version, the best first, each with where it is now.

        That is the current one, or what it has replaced if a run at work has written it; and if that is gone, what the
        run that publishes has written, or what the version before had.
        """
        link = self._layout.file(table, day)
        known = [(kept, link.with_name(kept.name)) for kept in (own, before) if kept is not None]
        if path is not None and path.name in unfinished:
            name = path.name
            while name in unfinished:
                name = unfinished[name]
            # the other run may have looked for what it replaces before this one wrote
            path = link.with_name(name) if files.is_ours(name) and name not in older else None
        if path is not None:
            kept = next((kept for kept, _ in known if kept.name == path.name), None)
            if kept := kept or self._as_found(table, day, path):
                yield kept, path
        yield from known

    def _is_still(self, kept: Kept, day: date, path: Path) -> bool:
        """Whether a partition has what a version has of it: the same file, or another one of the same content."""
        file = self.manifests.file(day, kept.name)
        if not file.exists():
            return False
        if path.name == kept.name:
            return True
        return path.exists() and _digest(path) == kept.digest and files.is_as_written(str(file))

    def _as_found(self, table: Table, day: date, path: Path) -> Kept | None:
        """A partition's file that this run did not write; None if it is gone."""
        try:
            name = path.name if files.is_ours(path.name) else files.name_for(path.read_bytes())
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        try:
            footer = self._partitions.footer(table, day)
            rows = footer.rows if footer and footer.place == str(path) else None
        except CorruptPartition:
            rows = None  # damaged as it is, it was the state of the date
        return Kept(name, rows, written)

    # -- retention --------------------------------------------------------------------------------------------------

    def _note_replaced(self, day: date, now: datetime) -> None:
        """Remember that a version of a date was replaced on this day, so that it is found when it is outdated."""
        mark = self.manifests.root / _REPLACED / f"{now.date()}~{day}"
        mark.parent.mkdir(exist_ok=True)
        mark.touch()

    def _outdated(self, day: date, now: datetime) -> list[str]:
        """The manifests of a date that were replaced too long ago; its newest version stays."""
        known = self.manifests.instants(day)
        return [known[at] for at, until in pairwise(known) if until < now - self._kept]

    def _gone(self, day: date, names: Sequence[str]) -> list[Path]:
        """These manifests of a locked date, and then the files that no other one names."""
        others = [n for n in self.manifests.instants(day).values() if n not in names]
        return [*(self.manifests.folder(day) / name for name in names), *self.manifests.unnamed(day, others)]

    def _remove(self, day: date, now: datetime) -> None:
        """Remove the outdated versions of a locked date."""
        if names := self._outdated(day, now):
            for path in self._gone(day, names):
                path.unlink(missing_ok=True)

    def sweep(self, now: datetime, most: int = _AT_ONCE) -> None:
        """Remove outdated versions of dates that nobody has written since, of so many dates."""
        folder = self.manifests.root / _REPLACED
        try:
            marks = [found for name in sorted(os.listdir(folder)) if (found := _mark_of(name)) is not None]
        except FileNotFoundError:
            return
        for mark, replaced_on, day in marks[:most]:
            if datetime.combine(replaced_on, time(), UTC) + timedelta(days=1) > now - self._kept:
                return
            with _retention():  # one date keeps no other
                with self.manifests.locked(day):
                    self._remove(day, now)
                (folder / mark).unlink(missing_ok=True)

    def outdated(self, now: datetime) -> Iterator[list[Path]]:
        """What is left of outdated versions of each date, in the order in which it may be removed: while it is at hand,
        no other process changes the versions of its date.
        """
        for day in self.manifests.days():
            with self.manifests.locked(day):
                yield self._gone(day, self._outdated(day, now))

    # -- damage -----------------------------------------------------------------------------------------------------

    def damaged(self, days: Collection[date] | None) -> list[tuple[Path, str]]:
        """The manifests and kept files, of all dates or these, that are not as they were written, and what is wrong."""
        found = []
        whole: dict[tuple[int, int], bool] = {}  # by inode: a file may be kept and current
        for day in self.manifests.days():
            if days is not None and day not in days:
                continue
            for name in self.manifests.instants(day).values():
                with suppress(FileNotFoundError):  # removed meanwhile
                    try:
                        self.manifests.read(day, name)
                    except SetAside:
                        continue
                    except CorruptPartition as error:
                        found.append((self.manifests.folder(day) / name, str(error)))
            for path in self.manifests.kept(day):
                try:
                    status = path.stat()
                    inode = status.st_dev, status.st_ino
                    if inode not in whole:
                        whole[inode] = files.is_as_written(str(path))
                    if not whole[inode]:
                        found.append((path, f"a file of versions of {day} was changed after it was written ({path})"))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    found.append((path, f"a file of versions of {day} can't be read ({path}): {error}"))
        return found


class _Run(Publication):
    """A run of this process, and what it has written so far."""

    def __init__(self, versions: Versions, run_id: str, job_name: str, revision: str) -> None:
        self.run_id, self.job_name, self.revision = run_id, job_name, revision
        self.root = versions.manifests.root
        self.journal = Journal(self.root / _OPEN, run_id)
        #: the newest file of each table, by its lasting name, and date
        self.written: dict[date, dict[str, Kept]] = {}
        #: the files that were current before
        self.replaced: set[str] = set()
        self._versions = versions

    def announce(self, table: Table, day: date, kept: Kept) -> None:
        """Record a file that is about to become a partition."""
        if day not in self.written:
            self._versions.begin(day)
        before = self._versions.current_name(table, day)
        self.journal.note(day, kept.name, before)
        self.replaced.add(before)
        self.written.setdefault(day, {})[table.lasting_name] = kept

    def publish(self) -> list[date]:
        failed = {}
        for day in sorted(self.written):
            try:
                self._versions.publish(day, self)
            except Exception as error:  # whatever it is, the other dates are published
                failed[day] = error
        if failed:
            first = min(failed)
            dates = f"{first} and {len(failed) - 1} more" if len(failed) > 1 else f"{first}"
            raise WarehouseError(
                f"what this run has written of {dates} is current, but no version of it could be published: "
                f"{failed[first]}. The next run of the date publishes it"
            ) from failed[first]
        if self.written:
            with _retention():
                self._versions.sweep(clock.utc_now())
        return sorted(self.written)


@contextmanager
def _retention() -> Iterator[None]:
    """Inside, old versions are removed after a new one is published: a failure is not one of the publication."""
    try:
        yield
    except (OSError, WarehouseError) as error:
        _LOG.warning("old versions can't be removed: %s. `nba-props prune` does it later", error)


def _mark_of(name: str) -> tuple[str, date, date] | None:
    """A mark with the day on which a version was replaced and that version's date; None for somebody else's file."""
    if _MARK.fullmatch(name) is None:
        return None
    replaced_on, day = map(named_day, name.split("~"))
    return (name, replaced_on, day) if replaced_on is not None and day is not None else None


#: the run of this process that is writing
_running: ContextVar[_Run | None] = ContextVar("running", default=None)


def _digest(path: Path) -> str:
    """The digest of a partition's content, of which a plain file of another program states none."""
    return path.name.partition(".")[0] if files.is_ours(path.name) else digest(path.read_bytes())
