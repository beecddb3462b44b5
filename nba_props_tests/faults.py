"""Killing real processes at random moments of an operation, and running several at once over one lake, with several
markets.

Used by the tests in small numbers and by ``python -m benchmarks.kills`` in large ones.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd

from nba_props.automation import planning
from nba_props.automation.instance import open_instance
from nba_props.catalog import TABLES
from nba_props.operations import ledger, remediation
from nba_props.operations.selection import Selection
from nba_props.process import clock
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, PUBLICATIONS, QUARANTINED_PREDICTIONS
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, make_settings, open_platform

LAST = DAY + timedelta(2)
SPAN = [DAY + timedelta(n) for n in range(3)]
NOW = league.tipoff(DAY)
SYSTEMS = ("moving_average", "shrunk_rate_v1")
#: what tells two runs of the same work apart
_OF_A_RUN = ["run_id", "row_digest", "archived_id", "archive_digest"]

#: children start from a process that has imported everything and done nothing
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["nba_props_tests.faults", "nba_props.definitions", "duckdb", "pyarrow.parquet"])


@contextmanager
def opened(folder: Path) -> Iterator[Platform]:
    """The platform of a folder on the instance that a user has; only for processes of their own."""
    os.environ["DAGSTER_HOME"] = str(make_settings(folder).dagster_home)
    with open_instance(make_settings(folder)) as instance:
        yield open_platform(folder, instance, asked=league.MARKETS)


def lake(folder: Path) -> LakeWarehouse:
    return LakeWarehouse(make_settings(folder).lake)


def chosen(platform: Platform) -> list[dg.AssetKey]:
    """Everything from payloads to grades, with two of the systems: the work whose kill is tried out."""
    names = [t.address for t in TABLES.values() if t.dataset in ("nba_raw", "nba_reference", "nba_analytics")]
    return planning.resolve(platform.definitions, [*names, "player_features", *SYSTEMS])


def backfill(folder: Path, first: date = DAY, last: date = LAST) -> None:
    """What `nba-props backfill` does: the dates that are missing or stale, in one run, and late scoreboards."""
    with opened(folder) as platform:
        keys = chosen(platform)
        span = [first + timedelta(n) for n in range((last - first).days + 1)]
        days = planning.pending(platform.definitions, platform.inputs, keys, span)
        outcomes = [platform.run("predict", days[0], days[-1], keys)] if days else []
        late = planning.late_scores(platform.definitions, platform.inputs, span)
        if late:
            outcomes.append(platform.run("grade", late[0], late[-1], list(planning.SCORES)))
        for outcome in outcomes:
            if not outcome.success:
                raise RuntimeError(outcome.errors)


def publish(folder: Path) -> None:
    """The gate alone."""
    with opened(folder) as platform:
        gate = planning.resolve(platform.definitions, [LEDGER.address, QUARANTINED_PREDICTIONS.address])
        outcome = platform.run("predict", DAY, LAST, gate)
        if not outcome.success:
            raise RuntimeError(outcome.errors)


def regenerate(folder: Path, first: date, last: date) -> None:
    """Two systems made again for a span, published and graded, whatever is there already."""
    with opened(folder) as platform:
        keys = planning.resolve(platform.definitions, SYSTEMS)
        outcome = platform.run("predict", first, last, keys)
        if not outcome.success:
            raise RuntimeError(outcome.errors)


ONE_SYSTEM = Selection("system", DAY, LAST, system_id="moving_average")


def quarantine(folder: Path) -> None:
    """A system's rows of three dates to the archive."""
    remediation.quarantine(lake(folder), ONE_SYSTEM, NOW)


def restore(folder: Path) -> None:
    """And back."""
    store = lake(folder)
    remediation.restore(store, ledger.batches(store)["batch_id"].iloc[0], NOW)


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "publish": publish, "quarantine": quarantine, "restore": restore, "backfill": backfill,
}  # fmt: skip


def state(folder: Path) -> dict[tuple[str, date], str]:
    """A hash of every partition of the span, without what names the run that made it."""
    found = {}
    for table in TABLES.values():
        if table is PUBLICATIONS:
            continue  # a run that was killed has put down which code it was, and so has the one after it
        for day in set(lake(folder).partitions(table)) & set(SPAN):
            rows = lake(folder)._partitions.read(table, day)
            rows = rows.drop_columns([c for c in _OF_A_RUN if c in rows.column_names])
            order = ["prediction_id"] if "archived_id" in table.unique else table.unique or rows.column_names
            rows = rows.sort_by([(c, "ascending") for c in order]).combine_chunks()
            content = repr(rows.to_pydict()).encode()
            found[table.address, day] = hashlib.sha256(content).hexdigest()
    return found


def ids(folder: Path) -> tuple[list[str], list[str]]:
    """The predictions in the ledger and in the archive."""
    ledger, archive = (
        lake(folder).read(t, lake(folder).partitions(t))["prediction_id"].tolist()
        for t in (LEDGER, ARCHIVED_PREDICTIONS)
    )
    return ledger, archive


def copy(source: Path, target: Path) -> Path:
    """A platform of its own over the same files: partitions are renamed over, never written into."""
    target.mkdir(parents=True)
    for part in ("home", "landing"):
        subprocess.run(["cp", "-al", str(source / part), str(target / part)], check=True)
    databases = make_settings(target).dagster_home
    if databases.exists():  # but these are written into
        shutil.rmtree(databases)
        shutil.copytree(make_settings(source).dagster_home, databases)
    return target


@dataclass
class Scene:
    """An operation with the state it starts from and the one it leads to."""

    name: str
    before: Path
    start: dict[tuple[str, date], str] = field(default_factory=dict)
    end: dict[tuple[str, date], str] = field(default_factory=dict)
    ids_before: set[str] = field(default_factory=set)
    seconds: float = 0.0


@dataclass
class Tally:
    """What became of the kills of one operation."""

    kills: int = 0
    #: the operation had ended before the signal came
    too_late: int = 0
    #: partitions that held neither the old nor the new rows, rows lost or doubled, reruns that ended elsewhere
    faults: list[str] = field(default_factory=list)
    #: kills after which something of the new state was there already
    half_way: int = 0


def _run(operation: Callable[..., None], *arguments: object) -> multiprocessing.process.BaseProcess:
    process = PROCESSES.Process(target=operation, args=arguments)
    process.start()
    return process


def finished(process: multiprocessing.process.BaseProcess) -> bool:
    process.join()
    return process.exitcode == 0


def scenes(
    landed_history: Path, folder: Path, predicted: Path | None = None, names: Iterable[str] = OPERATIONS
) -> dict[str, Scene]:
    """Each of some operations on a lake in which it has work to do.

    ``predicted`` is a platform with the span predicted, where there is one; else it is made from the history.
    """
    empty = copy(landed_history, folder / "empty")
    full = copy(predicted or empty, folder / "full")
    if predicted is None:
        assert finished(_run(backfill, full))
    unpublished = copy(full, folder / "unpublished")
    for table in (LEDGER, QUARANTINED_PREDICTIONS):
        shutil.rmtree(unpublished / "home" / "lake" / table.dataset / table.name)
    archived = copy(full, folder / "archived")
    assert finished(_run(quarantine, archived))
    made = {
        "publish": Scene("publish", unpublished),
        "quarantine": Scene("quarantine", full),
        "restore": Scene("restore", archived),
        "backfill": Scene("backfill", empty),
    }
    made = {name: made[name] for name in names}
    for scene in made.values():
        scene.start = state(scene.before)
        scene.ids_before = set().union(*ids(scene.before))
        after = copy(scene.before, folder / f"after-{scene.name}")
        started = time.monotonic()
        assert finished(_run(OPERATIONS[scene.name], after))
        scene.seconds = time.monotonic() - started
        scene.end = state(after)
        assert scene.end != scene.start
    return made


def kill(scene: Scene, seed: int, tally: Tally) -> None:
    """Start the operation, kill it at a random moment, look at what is left, and let it finish."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory(dir=scene.before.parent) as room:
        folder = copy(scene.before, Path(room) / "platform")
        process = _run(OPERATIONS[scene.name], folder)
        time.sleep(chance.uniform(0.02, scene.seconds * 1.05))
        process.kill()  # SIGKILL; a process that has ended already is left alone
        process.join()
        if process.exitcode != -signal.SIGKILL:
            tally.too_late += 1
        tally.kills += 1
        left = state(folder)
        tally.faults += [f"{scene.name} {seed}: {text}" for text in faults(scene, folder, left)]
        tally.half_way += left not in (scene.start, scene.end)
        if not finished(_run(OPERATIONS[scene.name], folder)):
            tally.faults.append(f"{scene.name} {seed}: the rerun failed")
        elif (ended := state(folder)) != scene.end:
            differs = {k for k in scene.end if ended.get(k) != scene.end[k]}
            tally.faults.append(f"{scene.name} {seed}: the rerun ended elsewhere: {sorted(map(str, differs))[:5]}")


def faults(scene: Scene, folder: Path, left: dict[tuple[str, date], str]) -> list[str]:
    """What a killed operation must not leave: a half partition, a row lost or there twice."""
    found = [f"damaged: {d.reason}" for d in lake(folder).damaged()]
    for key, content in left.items():
        if content not in (scene.start.get(key), scene.end.get(key)):
            # a batch's record of a date grows line by line; everything else is old or new
            if key[0] == "nba_predictions.remediations":
                continue
            found.append(f"{key[0]} {key[1]} is neither old nor new")
    found += [f"{key[0]} {key[1]} is gone" for key in scene.start if key not in left]
    ledger, archive = ids(folder)
    found += [f"{name} holds a row twice" for name, rows in (("ledger", ledger), ("archive", archive))
              if len(rows) != len(set(rows))]  # fmt: skip
    if scene.ids_before - {*ledger, *archive}:
        found.append("a published row is in neither ledger nor archive")
    return [*found, *_half_versions(scene, folder)]


def _half_versions(scene: Scene, folder: Path) -> list[str]:
    """The newest version of a date is the one from before, or has everything as the operation left it."""
    found = []
    for day in SPAN:
        before, after = (lake(of).versions(day)[-1:] for of in (scene.before, folder))
        if after == before:
            continue
        then = lake(folder).as_of(after[0].instant)
        found += [
            f"the version of {day} has another {table.address} than there is"
            for table in TABLES.values()
            if then.fingerprints(table).get(day) != lake(folder).fingerprints(table).get(day)
        ]
    return found


# -- several processes at once ----------------------------------------------------------------------------------------


def read_on(folder: Path, until: Path, report: Path) -> None:
    """Query the lake in a loop as a dashboard does, until a file appears; writes what it saw."""
    import duckdb

    reads, errors = 0, []
    store = lake(folder)
    while not until.exists():
        try:
            rows = store.query("SELECT COUNT(*) AS n, COUNT(DISTINCT prediction_id) AS ids FROM nba_predictions.ledger")
            if rows["n"][0] != rows["ids"][0]:
                errors.append("a row twice")
            for day in store.partitions(LEDGER):
                store.read(LEDGER, [day])
            store.query("SELECT * FROM nba_monitoring.line_quality_daily")
            then = store.as_of(clock.utc_now())
            days = then.partitions(LEDGER)
            if set(days) & set(then.partitions(QUARANTINED_PREDICTIONS)) != set(days):
                errors.append("a version has one table of the gate without the other")
            then.query("SELECT * FROM nba_monitoring.line_quality_daily")
            if store.catalog_path.exists():
                with duckdb.connect(str(store.catalog_path), read_only=True) as catalog:
                    catalog.execute("SELECT COUNT(*) FROM nba_raw.box_scores").fetchall()
            reads += 1
        except Exception as error:
            errors.append(repr(error))
    report.write_text("\n".join([str(reads), *errors]))


def together(scene: Scene, folder: Path, writers: int = 8) -> dict[str, object]:
    """Writers over overlapping spans and two readers on one lake, against one writer alone.

    None of them has run before, so the databases of a new instance are made by all at once too.
    """
    alone, shared = (copy(scene.before, folder / name) for name in ("alone", "shared"))
    shutil.rmtree(make_settings(shared).dagster_home, ignore_errors=True)
    lake(shared).refresh_catalog()  # a copied one names the files of the original
    assert finished(_run(regenerate, alone, DAY, LAST))
    done = folder / "done"
    reports = [folder / f"reader-{n}" for n in range(2)]
    readers = [_run(read_on, shared, done, report) for report in reports]
    spans = [(SPAN[n % 3], SPAN[max(n % 3, 2 - (n // 3) % 3)]) for n in range(writers)]
    try:
        started = [_run(regenerate, shared, *span) for span in spans]
        failed = [span for span, process in zip(spans, started, strict=True) if not finished(process)]
    finally:
        done.touch()
        for reader in readers:
            reader.join()
    lines = [report.read_text().splitlines() for report in reports]
    return {
        "failed": failed, "reads": [int(found[0]) for found in lines], "errors": [e for found in lines for e in found[1:]],
        "equal": state(shared) == state(alone), "rows": len(ids(shared)[0]), "rows_alone": len(ids(alone)[0]),
    }  # fmt: skip


def summary(tallies: dict[str, Tally]) -> pd.DataFrame:
    """One line for each operation."""
    return pd.DataFrame(
        [
            {
                "operation": name,
                "kills": t.kills,
                "too_late": t.too_late,
                "half_way": t.half_way,
                "faults": len(t.faults),
            }
            for name, t in tallies.items()
        ]
    )
