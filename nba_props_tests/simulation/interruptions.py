"""What can happen in the middle of a process: it ends, it is stopped, the disk is full, others write and read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import duckdb

from nba_props.catalog import TABLES
from nba_props.process import stopping
from nba_props.process.errors import NbaPropsError
from nba_props.warehouse.lake import LakeWarehouse, files
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
            world.happened[f"{name}, met"] += left[0] == -1
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
