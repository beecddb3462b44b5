"""What can happen in the middle of a process: it ends, it is stopped, the disk is full, others write and read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import duckdb

from nba_props.catalog import TABLES
from nba_props.process import stopping
from nba_props.process.errors import NbaPropsError
from nba_props.warehouse.lake import LakeWarehouse, files
from nba_props.warehouse.lake.manifests import Manifests
from nba_props.warehouse.lake.versions import Versions
from nba_props_tests.simulation.world import World

Put = Callable[..., None]


class Killed(BaseException):
    """The process ends: nothing that follows is done, and nothing catches it."""


def _before(end: BaseException) -> Callable[[Put], Put]:
    def ends(_plain: Put) -> Put:
        def put(*_: Any) -> None:
            raise end

        return put

    return ends


def _after(end: BaseException) -> Callable[[Put], Put]:
    def ends(plain: Put) -> Put:
        def put(*given: Any) -> None:
            plain(*given)
            raise end

        return put

    return ends


def _refused(number: int) -> BaseException:
    return OSError(number, os.strerror(number))


#: by name, what the file that is written then becomes
ENDS: dict[str, Callable[[Put], Put]] = {
    "killed_before_a_file": _before(Killed()),
    "killed_after_a_file": _after(Killed()),
    "stopped": _before(stopping.Stopped()),
    "full_disk": _before(_refused(errno.ENOSPC)),
    "read_only_disk": _before(_refused(errno.EROFS)),
}
#: those after which every further file ends so as well
_LASTING = ("full_disk", "read_only_disk")


@contextmanager
def ending(world: World, name: str, file: int) -> Iterator[None]:
    """What is done inside ends in such a way at its n-th file of a partition, if it writes that many."""
    plain, left = files.put, [file]
    faulty = ENDS[name](plain)

    def put(*given: Any) -> None:
        left[0] -= 1
        if left[0] == -1 or (left[0] < 0 and name in _LASTING):
            world.happened[name] += left[0] == -1
            return faulty(*given)
        return plain(*given)

    try:
        with patch.object(files, "put", put):
            yield
    except (Killed, stopping.Stopped, OSError) as end:
        world.reported.append(f"{name}: {end!r}")
    finally:
        # the next process knows nothing of this one
        world.platform.rebuild()


#: by name, what the step of a publication then becomes: a file that is kept, or the manifest that names them
IN_A_VERSION: dict[str, Callable[[Put], Put]] = {
    "killed_before_a_step_of_a_version": _before(Killed()),
    "killed_after_a_step_of_a_version": _after(Killed()),
    "full_disk_in_a_version": _before(_refused(errno.ENOSPC)),
}


@contextmanager
def ending_in_a_version(world: World, name: str, step: int) -> Iterator[None]:
    """What is done inside ends in such a way at its n-th step that makes a version, if it makes as many."""
    left = [step]

    def ends(plain: Put) -> Put:
        faulty = IN_A_VERSION[name](plain)

        def taken(*given: Any) -> Any:
            left[0] -= 1
            if left[0] == -1:
                world.happened[name] += 1
                return faulty(*given)
            return plain(*given)

        return taken

    try:
        with ExitStack() as patches:
            for point in ("begin", "hold", "write"):
                patches.enter_context(patch.object(Manifests, point, ends(getattr(Manifests, point))))
            yield
    except (Killed, OSError) as end:
        world.reported.append(f"{name}: {end!r}")
    finally:
        world.platform.rebuild()


@contextmanager
def noting_publications(world: World) -> Iterator[None]:
    """Inside, what each run wrote of a date is known when it begins to publish it."""
    plain = Versions.publish

    def publish(versions: Versions, day: date, run: Any) -> None:
        world.wrote[run.run_id, day] = dict(run.written[day])
        plain(versions, day, run)

    with patch.object(Versions, "publish", publish):
        yield


def lose_catalog(world: World) -> None:
    """The file of views is gone or damaged, or the note of what it holds is; the doctor sees damage, and moves it."""
    lake = world.lake
    lake.refresh_catalog()
    lost = world.rng.choice([lake.catalog_path, lake.catalog_note])
    if world.rng.random() < 0.5:
        lost.unlink()
        return
    lost.write_bytes(lost.read_bytes()[:100])
    if not (lake.catalog_flaw() or lake.catalog_note_flaw()):
        world.broken.append(f"{lost.name} is cut, and the doctor says nothing")
    if lake.catalog_flaw():
        lost.unlink()


def read_catalog(world: World) -> list[str]:
    """What another program finds wrong in the file of views."""
    found = []
    with duckdb.connect(str(world.lake.catalog_path), read_only=True) as connection:
        for table in TABLES.values():
            rows = sum(state.rows for state in world.lake.states(table).values())
            if any(address == table.address for address, _ in world.damaged):
                continue
            counted = connection.execute(f"SELECT COUNT(*) FROM {table.address}").fetchall()[0][0]
            if counted != rows:
                found.append(f"the catalog has {counted} rows of {table.address}, the lake {rows}")
    return found


@contextmanager
def meanwhile(world: World, write: int, do: Callable[[], None]) -> Iterator[None]:
    """Another process does something before the n-th table that is written inside."""
    left = [write]

    def noted(plain: Callable[..., Any]) -> Callable[..., Any]:
        def writing(lake: LakeWarehouse, *given: Any, **named: Any) -> Any:
            if lake is world.lake:
                left[0] -= 1
                if left[0] == -1:
                    do()
            return plain(lake, *given, **named)

        return writing

    with (
        patch.object(LakeWarehouse, "write", noted(LakeWarehouse.write)),
        patch.object(LakeWarehouse, "append", noted(LakeWarehouse.append)),
    ):
        yield


def read_everything(world: World) -> list[str]:
    """What another process finds wrong as it reads every partition and the views of what is current."""
    lake, found = LakeWarehouse(world.lake.root), []
    for table in TABLES.values():
        for day, state in lake.states(table).items():
            if (
                day in world.span
                and (table.address, day) not in world.damaged
                and len(lake.read(table, [day])) != state.rows
            ):
                found.append(f"a reader saw half of {table.address} of {day}")
    if not world.damaged:
        try:
            lake.query("SELECT COUNT(*) AS n FROM nba_predictions.current_predictions")
        except (NbaPropsError, duckdb.Error) as error:
            found.append(f"a reader saw an error: {error}")
    return found


def damage(world: World, address: str, day: date) -> bool:
    """Cut a partition's file in half, or turn its bytes; whether there was one."""
    file = world.lake._layout.located(TABLES[address], day)
    if file is None:
        return False
    with open(file, "rb") as source:
        data = source.read()
    harmed = data[: len(data) // 2] if world.rng.random() < 0.5 else data[::-1]
    os.unlink(file)  # a copy may share it
    with open(file, "wb") as target:
        target.write(harmed)
    world.damaged[address, day] = file
    return True
