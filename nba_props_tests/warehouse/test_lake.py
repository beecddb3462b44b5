"""The lake under kills, concurrency and broken disks; what every warehouse promises is in test_contract.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from nba_props.domain.views.columns import COLUMNS
from nba_props.warehouse.base import (
    CatalogError,
    CorruptPartition,
    MissingPartition,
    WarehouseError,
)
from nba_props.warehouse.lake import LakeWarehouse, columns
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM nba_reference.unresolved_names",
        "COPY (SELECT 1) TO '{root}/x.csv'",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/hostname')",
        "ATTACH '{root}/y.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "not sql",
    ],
)
def test_read_only_is_read_only(lake, statement):
    lake.write(NAMES, names(D1, 3), [D1])
    with pytest.raises(WarehouseError):
        lake.read_only(statement.format(root=lake.root))
    assert len(lake.read_only("SELECT * FROM nba_reference.unresolved_names")) == 3


def test_the_catalog_has_a_comment_for_every_table_view_and_column(lake, catalogued, monkeypatch):
    lake.write(NAMES, names(D1, 3), [D1])
    listed = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"

    def comments() -> dict[tuple[str, str], str]:
        with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
            kinds = catalog.execute("SELECT view_name, '', comment FROM duckdb_views() WHERE NOT internal").fetchall()
            return {(of, column): text for of, column, text in [*kinds, *catalog.execute(listed).fetchall()]}

    found = comments()
    assert None not in found.values()
    assert len(found) > 1300
    assert {c.name: found[NAMES.name, c.name] for c in NAMES.columns} == {
        c.name: c.full_description for c in NAMES.columns
    }
    assert found["line_quality_daily", ""].startswith("Per game day, system or other writer")
    assert found["line_quality_daily", "placeholder_pct"].endswith("[0-100]")
    # another partition changes no view; another meaning makes the comments again
    as_made = lake.catalog_path.stat().st_ino
    lake.write(NAMES, names(D2, 3), [D2])
    lake.create_views()
    assert lake.catalog_path.stat().st_ino == as_made
    games = replace(COLUMNS["games"], description="Games of the date")
    monkeypatch.setattr(columns, "COLUMNS", {**COLUMNS, "games": games})
    lake.create_views()
    assert comments() == {**found, ("line_quality_daily", "games"): "Games of the date"}


def test_rows_are_written_where_the_catalog_cannot_be_and_the_next_write_makes_it(lake, catalogued, caplog):
    (lake.catalog_path / "x").mkdir(parents=True)
    lake.write(NAMES, names(D1, 3), [D1])
    lake.append(LEDGER, ledger(["a"]), [D1])
    assert (len(lake.read(NAMES, [D1])), len(lake.read(LEDGER, [D1]))) == (3, 1)
    assert caplog.text.count("cannot write the catalog of views") == 1, "once"
    assert "do not depend on it" in caplog.text
    with pytest.raises(CatalogError, match="cannot write the catalog of views"):
        lake.create_views()
    (lake.catalog_path / "x").rmdir()
    lake.catalog_path.rmdir()
    lake.write(NAMES, names(D1, 2), [D1])
    with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM nba_reference.unresolved_names").fetchall() == [(2,)]
        assert catalog.execute("SELECT COUNT(*) FROM nba_predictions.ledger").fetchall() == [(1,)]


def test_the_catalog_opens_the_lake_in_any_duckdb(lake, catalogued):
    lake.write(NAMES, names(D1, 3), [D1])
    lake.write(NAMES, names(D2, 4), [D2])
    with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM nba_reference.unresolved_names").fetchall() == [(7,)]
        assert catalog.execute("SELECT COUNT(*) FROM nba_predictions.current_predictions").fetchall() == [(0,)]
        kinds = catalog.execute("SELECT DISTINCT table_type FROM information_schema.tables").fetchall()
    assert kinds == [("VIEW",)]


def test_a_corrupt_file_is_named_with_the_way_out(lake):
    lake.write(NAMES, names(D1, 3), [D1])
    path = lake._file(NAMES, D1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        CorruptPartition, match=r"unresolved_names partition 2025-11-05 can't be read.*Materialize it again"
    ):
        lake.read(NAMES, [D1])
    with pytest.raises(CorruptPartition, match="unresolved_names"):
        lake.query("SELECT * FROM nba_reference.unresolved_names")
    lake.write(NAMES, names(D1, 2), [D1])
    assert len(lake.read(NAMES, [D1])) == 2


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/self/ns/user"), reason="needs an unwritable folder")
def test_a_lake_that_cannot_be_written_is_a_clear_error(tmp_path):
    blocked = tmp_path / "file-not-folder"
    blocked.write_text("")
    with pytest.raises(WarehouseError, match=r"is a file, so it is unknown what nba_reference\.unresolved_names"):
        LakeWarehouse(blocked).write(NAMES, names(D1, 1), [D1])
    lake = LakeWarehouse(tmp_path / "lake")
    lake.write(NAMES, names(D2, 1), [D2])
    lake._file(NAMES, D1).parent.touch()
    with pytest.raises(WarehouseError, match=r"cannot write nba_reference\.unresolved_names partition 2025-11-05"):
        lake.write(NAMES, names(D1, 1), [D1])


def test_a_full_disk_leaves_the_old_partition(lake, monkeypatch):
    lake.write(NAMES, names(D1, 3), [D1])

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WarehouseError, match=r"No space left on device\. The old partition is unchanged"):
        lake.write(NAMES, names(D1, 9, "new"), [D1])
    monkeypatch.undo()
    assert lake.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1", "a2"]
    assert list(lake._file(NAMES, D1).parent.glob(".tmp-*")) == []


WRITER = """
import sys
from datetime import UTC, date, datetime, timedelta
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names
from nba_props_tests.warehouse.samples import D1, LEDGER, NAMES, ledger, names
root, mode, start, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
lake = LakeWarehouse(root)
print("ready", flush=True)
for n in range(start, start + count):
    if mode == "replace":
        lake.write(NAMES, names(D1, 200, f"m{n}-"), [D1])
    elif mode == "dates":
        day = D1 + timedelta(n)
        lake.write(NAMES, names(day, 50, f"m{n}-"), [day])
    else:
        lake.append(LEDGER, ledger([f"{start}-{n}-{i}" for i in range(5)]), [D1])
"""


def writer(root, mode, start, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), mode, str(start), str(count)], stdout=subprocess.PIPE
    )


@pytest.mark.long
def test_a_writer_killed_at_any_moment_leaves_a_whole_partition(lake):
    lake.write(NAMES, names(D1, 200, "m0-"), [D1])
    for attempt in range(6):
        process = writer(lake.root, "replace", 1, 10_000)
        process.stdout.readline()
        time.sleep(0.05 + 0.037 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        rows = lake.read(NAMES, [D1])
        assert len(rows) == 200
        assert rows["source_name"].str.extract(r"^m(\d+)-")[0].nunique() == 1, "rows of two writes are mixed"
        assert lake.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names")["n"][0] == 200
    lake.write(NAMES, names(D1, 3), [D1])
    assert len(lake.read(NAMES, [D1])) == 3


@pytest.mark.long
def test_a_publisher_killed_at_any_moment_releases_the_ledger(lake):
    known: set[str] = set()
    for attempt in range(4):
        process = writer(lake.root, "append", attempt * 100_000, 10_000)
        process.stdout.readline()
        time.sleep(0.2 + 0.041 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        ids = set(lake.read(LEDGER, [D1])["prediction_id"]) if lake.partitions(LEDGER) else set()
        assert known <= ids, "a published row is lost"
        assert len(ids) % 5 == 0, "half an append was kept"
        known = ids
    assert lake.append(LEDGER, ledger(["last"]), [D1]) == {D1: (1, 0)}


@pytest.mark.long
def test_concurrent_processes_lose_nothing_and_disturb_no_reader(lake):
    lake.write(NAMES, names(D1 - timedelta(1), 7), [D1 - timedelta(1)])
    started = [writer(lake.root, "dates", 0, 30), writer(lake.root, "dates", 30, 30)]
    started += [writer(lake.root, "append", 0, 20), writer(lake.root, "append", 1000, 20)]
    reads = 0
    while any(p.poll() is None for p in started):
        assert lake.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names")["n"][0] % 50 == 7
        reads += 1
        time.sleep(0.02)  # the writers want a core as well
    assert [p.returncode for p in started] == [0] * 4
    assert reads > 3
    assert len(lake.partitions(NAMES)) == 61
    assert all(len(lake.read(NAMES, [D1 + timedelta(n)])) == 50 for n in range(60))
    assert len(lake.read(LEDGER, [D1])) == 200


ON_A_SMALL_DISK = """
import subprocess, sys
from datetime import timedelta
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names
from nba_props_tests.warehouse.samples import D1, LEDGER, NAMES, ledger, names
disk = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
lake = LakeWarehouse(disk + "/lake")
lake.append(LEDGER, ledger(["a", "b"]), [D1])
written, said = 0, ""
for n in range(1000):
    try:
        lake.write(NAMES, names(D1, 500, f"m{n}-"), [D1 + timedelta(0)])
        lake.write(NAMES, names(D1 + timedelta(n + 1), 500, f"{n}-"), [D1 + timedelta(n + 1)])
        written = n + 1
    except WarehouseError as error:
        said = str(error)
        break
print(said)
print("whole", {len(lake.read(NAMES, [d])) for d in lake.partitions(NAMES)}, len(lake.read(LEDGER, [D1])), written > 2)
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
for attempt in (lambda: lake.write(NAMES, names(D1, 1), [D1]), lambda: lake.append(LEDGER, ledger(["c"]), [D1])):
    try:
        attempt()
    except WarehouseError as error:
        print(error)
print("still", len(lake.read(NAMES, [D1])), len(lake.query("SELECT * FROM nba_predictions.ledger")))
"""


def test_a_disk_that_is_really_full_and_one_that_is_read_only(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run(
        [*inside, "mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting a disk is not allowed on this machine")
    done = subprocess.run(
        [*inside, sys.executable, "-c", ON_A_SMALL_DISK, str(disk)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    full, whole, replaced, appended, still = done.stdout.splitlines()
    assert "cannot write nba_reference.unresolved_names partition" in full
    assert "No space left on device. The old partition is unchanged; free the disk" in full
    assert whole == "whole {500} 2 True"
    assert "Read-only file system. The old partition is unchanged" in replaced
    assert "ledger partition 2025-11-05" in appended
    assert "Read-only file system" in appended
    assert still == "still 500 2"


def test_scrub_finds_what_a_reader_would_fail_on_and_sets_it_aside(lake):
    lake.write(NAMES, names(D1, 3), [D1])
    lake.write(NAMES, names(D1 + timedelta(1), 4), [D1 + timedelta(1)])
    lake.append(LEDGER, ledger(["a"]), [D1])
    assert lake.damaged() == []
    path = lake._file(NAMES, D1)
    content = bytearray(path.read_bytes())
    content[20:60] = bytes(40)  # a page goes bad while header and footer stay whole
    path.write_bytes(content)
    (damage,) = lake.damaged()
    assert (damage.table, damage.partition) == (NAMES, D1)
    assert str(path) in damage.reason
    assert lake.damaged([D1 + timedelta(1)]) == []
    assert (
        lake.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names WHERE game_date > @d", d=D1)["n"][0] == 4
    )
    kept = lake.set_aside(damage, datetime(2026, 1, 1, tzinfo=UTC))
    assert Path(kept).read_bytes() == content
    assert lake.damaged() == []
    assert lake.partitions(NAMES) == [D1 + timedelta(1)]
    assert lake.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names")["n"][0] == 4
    with pytest.raises(MissingPartition):
        lake.read(NAMES, [D1])
    lake.set_aside(replace(damage, partition=D1 + timedelta(1)), datetime(2026, 1, 1, tzinfo=UTC))
    assert lake.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names")["n"][0] == 0
