"""Versions of a date: all tables of a run or none, the past as it was, and what the retention removes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_props.catalog import TABLES
from nba_props.process import clock
from nba_props.warehouse.base import CorruptPartition, Damage, MissingPartition, NotKept, WarehouseError
from nba_props.warehouse.lake import LakeWarehouse, files, manifests, versions
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names, take_out

SLATE = TABLES["nba_analytics.slate"]


@contextmanager
def run(lake: LakeWarehouse, run_id: str, ok: bool = True):
    """A run of this process, which succeeds or fails in the end."""
    with lake.publication(run_id, "predict", "0.1") as publication:
        yield
        if ok:
            publication.publish()


def published(lake: LakeWarehouse, run_id: str, mark: str, ids: list[str] | None = None) -> datetime:
    """A run that writes two tables of a date; returns an instant after it."""
    with run(lake, run_id):
        lake.write(NAMES, names(D1, 2, mark), [D1])
        if ids:
            lake.append(LEDGER, ledger(ids), [D1])
    return clock.utc_now()


def marks(lake: LakeWarehouse) -> list[str]:
    return lake.query(f"SELECT source_name FROM {NAMES.address} ORDER BY game_date, source_name")[
        "source_name"
    ].tolist()


def ids(lake: LakeWarehouse) -> list[str]:
    return lake.query("SELECT prediction_id FROM nba_predictions.ledger ORDER BY prediction_id")[
        "prediction_id"
    ].tolist()


@pytest.fixture
def at(monkeypatch):
    """Sets the clock of the versions."""
    return lambda now: monkeypatch.setattr(clock, "utc_now", lambda: now)


# -- the past ---------------------------------------------------------------------------------------------------------


def test_every_instant_reads_what_the_last_run_before_it_had_published(lake):
    nothing = clock.utc_now()
    one = published(lake, "one", "a", ["x"])
    two = published(lake, "two", "b", ["y"])
    with run(lake, "three"):
        take_out(lake, ["x"], D1)
    three = clock.utc_now()
    assert [marks(lake.as_of(t)) for t in (nothing, one, two, three)] == [[], ["a0", "a1"], ["b0", "b1"], ["b0", "b1"]]
    assert [ids(lake.as_of(t)) for t in (nothing, one, two, three)] == [[], ["x"], ["x", "y"], ["y"]]
    view = "SELECT prediction_id FROM nba_predictions.current_predictions"
    assert [lake.as_of(t).query(view)["prediction_id"].tolist() for t in (nothing, one, three)] == [[], ["x"], ["y"]]
    then = lake.as_of(one)
    assert then.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1"]
    assert (then.partitions(NAMES), lake.as_of(nothing).partitions(NAMES)) == ([D1], [])
    assert then.row_counts(LEDGER, [D1]) == {D1: 1}
    assert then.states(LEDGER)[D1].content != lake.states(LEDGER)[D1].content
    with pytest.raises(MissingPartition):
        lake.as_of(nothing).read(NAMES, [D1])
    # typed statements, in both dialects, and the same instant in another zone
    for text in (
        "select count(*) as n from nba_predictions.ledger",
        "select count(*) as n from `nba_predictions.ledger`",
    ):
        assert lake.as_of(two).read_only(text)["n"].tolist() == [2]
    assert marks(lake.as_of(one.astimezone().replace(microsecond=one.microsecond))) == ["a0", "a1"]


def test_a_version_says_who_made_it_and_what_it_changed(lake):
    published(lake, "one", "a", ["x"])
    with run(lake, "two"):
        lake.write(NAMES, names(D1, 3), [D1])
    first, second = lake.versions(D1)
    assert (first.run_id, first.job_name, first.revision) == ("one", "predict", "0.1")
    assert first.tables == {NAMES.address: 2, LEDGER.address: 1}
    assert set(first.changed) == {NAMES.address, LEDGER.address}
    assert (second.tables, second.changed) == ({NAMES.address: 3, LEDGER.address: 1}, (NAMES.address,))
    assert lake.versions(D2) == []


def test_the_past_is_only_read(lake):
    then = lake.as_of(published(lake, "one", "a", ["x"]))
    for change in (
        lambda: then.write(NAMES, names(D1, 1), [D1]),
        lambda: then.append(LEDGER, ledger(["z"]), [D1]),
        lambda: then.seal(LEDGER, D1),
        lambda: then.claim("REAL"),
        then.create_views,
        lambda: then.take_over(NAMES),
    ):
        with pytest.raises(WarehouseError, match="the past, which can only be read"):
            change()
    assert marks(lake) == ["a0", "a1"]


def test_an_instant_has_a_time_zone_and_has_passed(lake):
    with pytest.raises(WarehouseError, match="has no time zone"):
        lake.as_of(datetime(2026, 1, 9))  # noqa: DTZ001
    with pytest.raises(WarehouseError, match="is in the future"):
        lake.as_of(clock.utc_now() + timedelta(seconds=5))


def test_what_was_stored_before_there_were_versions_is_known_from_when_it_was_written(lake):
    lake.write(NAMES, names(D1, 1, "old"), [D1])
    lake.append(LEDGER, ledger(["x"]), [D1])
    file = lake._layout.located(NAMES, D1)
    long_ago = datetime(2025, 11, 5, 12, tzinfo=UTC)
    os.utime(file, (long_ago.timestamp(),) * 2)
    an_hour_later = long_ago + timedelta(hours=1)
    for is_versioned in (False, True):
        if is_versioned:  # its files stay, and the times at which they were written
            before = clock.utc_now()
            after = published(lake, "one", "new", ["y"])
        then = lake.as_of(an_hour_later)
        assert marks(then) == ["old0"]
        with pytest.raises(NotKept, match=r"what nba_predictions\.ledger had on 2025-11-05 as of .* is not known"):
            ids(then)
        with pytest.raises(NotKept, match=r"nba_predictions\.ledger"):
            then.read(LEDGER, [D1])
        assert then.query("SELECT * FROM nba_predictions.ledger WHERE game_date = '2025-11-06'").empty
        with pytest.raises(NotKept, match=r"nba_reference\.unresolved_names"):
            marks(lake.as_of(long_ago - timedelta(hours=1)))
    assert (marks(lake.as_of(before)), ids(lake.as_of(before))) == (["old0"], ["x"])
    assert marks(lake.as_of(after)) == ["new0", "new1"]
    assert lake.versions(D1)[0].run_id == manifests.AS_FOUND
    assert lake.versions(D1)[0].changed is None


# -- all or none ------------------------------------------------------------------------------------------------------

_KILLED = """
import os, sys
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.warehouse.samples import D1, NAMES, LEDGER, ledger, names
lake = LakeWarehouse(sys.argv[1])
with lake.publication("killed", "predict", "0.1"):
    lake.write(NAMES, names(D1, 2, "half"), [D1])
    os._exit(9)
"""


@pytest.mark.slow
def test_a_run_killed_between_two_tables_is_in_no_version_until_the_next_run_of_the_date(lake):
    published(lake, "one", "a", ["x"])
    done = subprocess.run([sys.executable, "-c", _KILLED, str(lake.root)], check=False)
    assert done.returncode == 9
    assert marks(lake) == ["half0", "half1"]
    assert marks(lake.as_of(clock.utc_now())) == ["a0", "a1"]
    with run(lake, "another date"):
        lake.write(NAMES, names(D2, 1, "other"), [D2])
    assert marks(lake.as_of(clock.utc_now())) == ["a0", "a1", "other0"]
    with run(lake, "two"):
        lake.append(LEDGER, ledger(["y"]), [D1])
    now = lake.as_of(clock.utc_now())
    assert (marks(now), ids(now)) == (["half0", "half1", "other0"], ["x", "y"])
    assert [v.run_id for v in lake.versions(D1)] == ["one", "two"]
    assert os.listdir(lake.root / "_versions" / "open") == []


def test_the_first_run_of_a_date_is_in_no_version_either_if_it_fails(lake):
    with run(lake, "failed", ok=False):
        lake.write(NAMES, names(D1, 2), [D1])
    assert marks(lake) == ["a0", "a1"]
    assert marks(lake.as_of(clock.utc_now())) == []
    assert lake.versions(D1) == []


def test_a_run_that_ends_while_another_one_writes_publishes_nothing_of_that(lake):
    published(lake, "one", "a", ["x"])
    with run(lake, "slow"):
        lake.write(NAMES, names(D1, 2, "slow"), [D1])
        with run(lake, "quick"):
            lake.append(LEDGER, ledger(["y"]), [D1])
        between = clock.utc_now()
        lake.append(LEDGER, ledger(["z"]), [D1])
    end = clock.utc_now()
    assert (marks(lake.as_of(between)), ids(lake.as_of(between))) == (["a0", "a1"], ["x", "y"])
    assert (marks(lake.as_of(end)), ids(lake.as_of(end))) == (["slow0", "slow1"], ["x", "y", "z"])


def test_two_runs_that_write_the_same_table_count_as_for_current_readers(lake):
    with run(lake, "outer"):
        lake.write(NAMES, names(D1, 2, "outer"), [D1])
        with run(lake, "inner"):
            lake.write(NAMES, names(D1, 2, "inner"), [D1])
        between = clock.utc_now()
    assert (marks(lake.as_of(between)), marks(lake.as_of(clock.utc_now()))) == (["inner0", "inner1"],) * 2
    # and the earlier write of a run that ends first, while the later one is not published
    with ExitStack() as other:
        with run(lake, "early"):
            lake.write(NAMES, names(D1, 1, "early"), [D1])
            _in_another_run(lake, lambda: lake.write(NAMES, names(D1, 1, "late"), [D1]), other)
        between = clock.utc_now()
        assert (marks(lake), marks(lake.as_of(between))) == (["late0"], ["early0"])
    assert (marks(lake.as_of(between)), marks(lake.as_of(clock.utc_now()))) == (["early0"], ["late0"])


def _in_another_run(lake: LakeWarehouse, write, stack: ExitStack) -> None:
    """Write in a run of another thread, which is at work until this one's is over."""
    wrote, over = threading.Event(), threading.Event()

    def work() -> None:
        with run(lake, "late"):
            write()
            wrote.set()
            over.wait()

    thread = threading.Thread(target=work)
    thread.start()
    wrote.wait()
    stack.callback(thread.join)
    stack.callback(over.set)


# -- any sequence -----------------------------------------------------------------------------------------------------

TABLE = st.sampled_from([NAMES, LEDGER])
DAY = st.sampled_from([D1, D2])
WRITES = st.lists(st.tuples(TABLE, DAY), min_size=1, max_size=4)
#: a run with its writes and how it ends, with another run in the middle of it or none; or a write of no run
STEP = st.one_of(
    st.tuples(WRITES, st.booleans(), st.none() | st.tuples(WRITES, st.booleans())),
    st.tuples(TABLE, DAY),
)


class Model:
    """What the versions have to be, in dictionaries."""

    def __init__(self) -> None:
        #: the writes of a table and date: the run and its number
        self.writes: dict[tuple, list[tuple[str, int]]] = {}
        self.open: set[str] = set()
        self.versions: dict = {D1: [], D2: []}

    def publish(self, run_id: str, day) -> None:
        before = self.versions[day][-1][1] if self.versions[day] else {}
        state = {}
        for table in (NAMES, LEDGER):
            done = self.writes.get((table.name, day), [])
            if not done:
                continue
            others = self.open - {run_id}
            # what is current without the writes of runs at work, or else what the version before had
            finished = [n for of, n in done if of not in others]
            found = finished[-1:] or [*filter(None, [before.get(table.name)])]
            if found:
                state[table.name] = found[-1]
        self.versions[day].append((clock.utc_now(), state))

    def at(self, day, instant) -> dict:
        return next((state for since, state in reversed(self.versions[day]) if since <= instant), {})


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=1, max_size=6))
def test_after_any_sequence_of_runs_every_instant_is_as_it_was(tmp_path_factory, steps):
    lake, model, counter, instants = LakeWarehouse(tmp_path_factory.mktemp("lake")), Model(), iter(range(1, 1000)), []

    def write(table, day, run_id) -> None:
        n = next(counter)
        frame = names(day, 1, f"{n}-") if table is NAMES else ledger([f"{n:03}"]).assign(game_date=pd.Timestamp(day))
        (lake.write if table is NAMES else lake.append)(table, frame, [day])
        model.writes.setdefault((table.name, day), []).append((run_id, n))

    def work(run_id, writes, ok, inner=None) -> None:
        with run(lake, run_id, ok):
            model.open.add(run_id)
            for number, (table, day) in enumerate(writes):
                write(table, day, run_id)
                if inner and number == len(writes) // 2:
                    work(f"{run_id}-inner", *inner)
        model.open.discard(run_id)
        if ok:
            for day in sorted({day for _, day in writes}):
                model.publish(run_id, day)
        instants.append(clock.utc_now())

    for number, step in enumerate(steps):
        if isinstance(step[0], list):
            work(f"run-{number}", *step)
        else:
            with run(lake, "begins", ok=False):  # without versions the times of its files count
                lake._versions.begin(step[1])
            write(*step, run_id="")
    for instant in instants:
        then = lake.as_of(instant)
        for day in (D1, D2):
            wanted = model.at(day, instant)
            found = {}
            if day in then.partitions(NAMES):
                found[NAMES.name] = int(then.read(NAMES, [day])["source_name"][0].split("-")[0])
            if day in then.partitions(LEDGER):
                found[LEDGER.name] = int(then.read(LEDGER, [day])["prediction_id"].max())
            assert found == wanted


# -- retention --------------------------------------------------------------------------------------------------------


def kept_files(lake: LakeWarehouse) -> int:
    return sum(p.is_file() for p in (lake.root / "_versions" / "files").rglob("*"))


def test_a_replaced_version_stays_for_its_days_and_goes_then_with_its_files(tmp_path, at):
    lake = LakeWarehouse(tmp_path / "lake", kept=timedelta(days=2))
    start = datetime(2026, 1, 9, 12, tzinfo=UTC)
    for n, hours in enumerate((0, 1, 72)):
        at(start + timedelta(hours=hours))
        published(lake, f"run-{n}", "abc"[n], ["x"] if n == 0 else None)
    # the first was replaced at 13:00 of the ninth
    with pytest.raises(
        NotKept, match=r"of 2025-11-05 as of 2026-01-09T12:30:00\+00:00 is no longer kept.*VERSION_DAYS"
    ):
        marks(lake.as_of(start + timedelta(minutes=30)))
    assert marks(lake.as_of(start - timedelta(hours=1))) == []
    assert marks(lake.as_of(start + timedelta(hours=2))) == ["b0", "b1"]
    assert [v.run_id for v in lake.versions(D1)] == ["run-1", "run-2"]
    assert lake.versions(D1)[0].changed is None
    assert kept_files(lake) == 3
    then = lake.as_of(start + timedelta(hours=2))
    assert then.partitions(LEDGER) == [D1]
    # another date's run removes it once its day has come, and a reader who still has it gets the reason
    at(start + timedelta(days=7))
    with run(lake, "another date"):
        lake.write(NAMES, names(D2, 1), [D2])
    assert [v.run_id for v in lake.versions(D1)] == ["run-2"]
    with pytest.raises(NotKept, match="NBA_PROPS_VERSION_DAYS"):
        marks(then)
    with pytest.raises(NotKept, match=r"unresolved_names of 2025-11-05 .* is no longer kept"):
        then.read(NAMES, [D1])
    assert ids(then) == ids(lake.as_of(start + timedelta(days=4))) == ["x"], "the ledger was not written again"


def test_with_0_days_a_version_stays_for_an_hour(tmp_path, at):
    lake = LakeWarehouse(tmp_path / "lake", kept=timedelta(0))
    start = datetime(2026, 1, 9, 12, tzinfo=UTC)
    for n, minutes in enumerate((0, 10, 20, 65, 81)):
        at(start + timedelta(minutes=minutes))
        published(lake, f"run-{n}", "abcde"[n])
    assert [v.run_id for v in lake.versions(D1)] == ["run-2", "run-3", "run-4"]
    assert kept_files(lake) == 3
    assert marks(lake.as_of(start + timedelta(minutes=30))) == ["c0", "c1"]


def test_the_sweep_of_a_partition_leaves_versions_alone(lake):
    one = published(lake, "one", "a")
    published(lake, "two", "b")
    folder = lake._file(NAMES, D1).parent
    for file in files.versions(folder):
        os.utime(file, (0, 0))
    published(lake, "three", "c")
    assert len(files.versions(folder)) == 2
    assert marks(lake.as_of(one)) == ["a0", "a1"]


def test_a_publication_that_was_killed_leaves_files_that_the_next_removal_takes(tmp_path, at):
    lake = LakeWarehouse(tmp_path / "lake", kept=timedelta(0))
    start = datetime(2026, 1, 9, 12, tzinfo=UTC)
    at(start)
    published(lake, "one", "a")
    lake.write(NAMES, names(D1, 1, "lost"), [D1])
    path = lake._layout.located(NAMES, D1)
    assert lake._versions.manifests.hold(D1, Path(path), Path(path).name)
    at(start + timedelta(minutes=1))
    published(lake, "two", "b")
    assert [len(paths) for paths in lake.outdated_versions(clock.utc_now())] == [1]
    at(start + timedelta(hours=2))
    assert [len(paths) for paths in lake.outdated_versions(clock.utc_now())] == [3], (
        "a manifest, its file and the one that was lost"
    )


# -- unusual disks and files ------------------------------------------------------------------------------------------


def test_without_hard_links_files_are_copied(lake, monkeypatch):
    def refused(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    one = published(lake, "one", "a")
    published(lake, "two", "b")
    for file in files.versions(lake._file(NAMES, D1).parent):
        os.utime(file, (0, 0))
    lake.write(NAMES, names(D1, 1), [D1])
    assert marks(lake.as_of(one)) == ["a0", "a1"]


def test_a_file_of_another_program_is_kept_by_its_content(lake):
    published(lake, "one", "a", ["x"])
    link = lake._file(NAMES, D1)
    data = Path(lake._layout.located(NAMES, D1)).read_bytes()
    link.unlink()
    link.write_bytes(data)
    for n in range(2):
        with run(lake, f"run-{n}"):
            lake.append(LEDGER, ledger([f"y{n}"]), [D1])
    then = clock.utc_now()
    lake.write(NAMES, names(D1, 1, "other"), [D1])
    link.unlink()
    link.write_bytes(data[:100])
    assert marks(lake.as_of(then)) == ["a0", "a1"]
    assert [v.changed for v in lake.versions(D1)][1:] == [(LEDGER.address,)] * 2


def test_a_damaged_manifest_is_named_and_only_its_time_is_lost(lake):
    one = published(lake, "one", "a", ["x"])
    with run(lake, "other"):
        lake.write(NAMES, names(D2, 1, "other"), [D2])
    (manifest,) = manifests_of(lake)
    manifest.write_text("{")
    with pytest.raises(CorruptPartition, match="can't be read"):
        marks(lake.as_of(one))
    assert lake.as_of(clock.utc_now()).read(NAMES, [D2])["source_name"].tolist() == ["other0"]
    two = published(lake, "two", "b")
    assert marks(lake.as_of(two)) == ["b0", "b1", "other0"]
    assert ids(lake.as_of(two)) == ["x"]


def manifests_of(lake: LakeWarehouse) -> list[Path]:
    return sorted(lake.root.glob("_versions/game_date=2025-11-05/*.json"))


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_a_version_that_was_set_aside_is_an_error_and_no_other_one_stands_for_it(lake, damaged):
    asked = [published(lake, run_id, mark) for run_id, mark in (("one", "a"), ("two", "b"), ("three", "c"))]
    manifests_of(lake)[damaged].write_text("{")
    ((path, _),) = lake.damaged_versions()
    target = Path(lake.set_version_aside(path, clock.utc_now()))
    assert target.read_text() == "{"
    assert lake.damaged_versions() == [], "it is dealt with"

    def check() -> None:
        for number, (instant, mark) in enumerate(zip(asked, "abc", strict=True)):
            if number == damaged:
                with pytest.raises(NotKept, match="was damaged and is set aside"):
                    marks(lake.as_of(instant))
            else:
                assert marks(lake.as_of(instant)) == [f"{mark}0", f"{mark}1"]

    check()
    known = [v.run_id for v in lake.versions(D1)]
    assert known == [r for n, r in enumerate(("one", "two", "three")) if n != damaged]
    four = published(lake, "four", "d")
    check()
    assert marks(lake.as_of(four)) == ["d0", "d1"]


def denied(*_: object) -> None:
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("refused", [[], ["link"], ["link", "copyfile"]])
@pytest.mark.parametrize("what", ["manifest", "partition"])
def test_what_may_not_be_read_linked_or_copied_is_set_aside_all_the_same(lake, monkeypatch, what, refused):
    one = published(lake, "one", "a")
    if what == "manifest":
        (path,) = manifests_of(lake)
    else:
        path = Path(lake._layout.located(NAMES, D1))
    content = path.read_bytes()
    with monkeypatch.context() as patch:
        for name in refused:
            patch.setattr(os if name == "link" else shutil, name, denied)
        if what == "manifest":
            target = lake.set_version_aside(path, clock.utc_now())
        else:
            target = lake.set_aside(Damage(NAMES, D1, ""), clock.utc_now())
    assert Path(target).read_bytes() == content
    if what == "manifest":
        with pytest.raises(NotKept, match="was damaged and is set aside"):
            marks(lake.as_of(one))
    else:
        assert lake.partitions(NAMES) == []


def test_a_kept_file_that_cannot_be_read_is_named_and_the_others_are_looked_at(lake, monkeypatch):
    published(lake, "one", "a", ["x"])
    plain, kept = files.is_as_written, sorted(map(str, (lake.root / "_versions" / "files").rglob("*.parquet")))

    def read(place: str) -> bool:
        return denied() if place == kept[0] else plain(place)

    monkeypatch.setattr(files, "is_as_written", read)
    assert len(kept) == 2
    ((path, why),) = lake.damaged_versions()
    assert str(path) == kept[0]
    assert "can't be read" in why
    assert "Permission denied" in why


@pytest.mark.parametrize(
    "change",
    [
        lambda m: {"tables": []}, lambda m: [], lambda m: None, lambda m: {**m, "instant": "2026-01-01T00:00:00"},
        lambda m: {**m, "instant": "2020-01-01T00:00:00+00:00"}, lambda m: {**m, "run_id": 7},
        lambda m: {**m, "tables": {n: {**k, "file": 7} for n, k in m["tables"].items()}},
        lambda m: {**m, "tables": {n: {**k, "file": "../x"} for n, k in m["tables"].items()}},
        lambda m: {**m, "tables": {n: {**k, "rows": "2"} for n, k in m["tables"].items()}},
        lambda m: {**m, "tables": dict.fromkeys(m["tables"], 7)},
    ],
)  # fmt: skip
def test_a_manifest_of_any_other_form_is_damaged_and_the_next_run_does_without_it(lake, change):
    one = published(lake, "one", "a")
    (path,) = manifests_of(lake)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(CorruptPartition, match="can't be read"):
        marks(lake.as_of(one))
    assert [found for found, _ in lake.damaged_versions()] == [path]
    two = published(lake, "two", "b")
    assert marks(lake.as_of(two)) == ["b0", "b1"]
    lake.set_version_aside(path, clock.utc_now())
    with pytest.raises(NotKept, match="set aside"):
        marks(lake.as_of(one))


def test_a_table_that_was_set_aside_is_missing_from_the_next_version(lake):
    one = published(lake, "one", "a", ["x"])
    file = Path(lake._layout.located(NAMES, D1))
    file.write_bytes(b"spoiled")  # the kept file is the same one
    (damage,) = lake.damaged()
    lake.set_aside(damage, clock.utc_now())
    with run(lake, "two"):
        lake.append(LEDGER, ledger(["y"]), [D1])
    assert lake.versions(D1)[-1].tables == {LEDGER.address: 2}
    with pytest.raises(NotKept, match=r"unresolved_names of 2025-11-05 as of .* was changed after it was written"):
        marks(lake.as_of(one))


def test_a_full_disk_leaves_the_versions_as_they_were(lake, monkeypatch):
    one = published(lake, "one", "a")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with lake.publication("two", "predict", "0.1") as publication:
        lake.write(NAMES, names(D1, 2, "b"), [D1])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(WarehouseError, match=r"of 2025-11-05 is current, but no version .* No space left"):
            publication.publish()
    monkeypatch.setattr(os, "fsync", lambda _: None)
    assert marks(lake.as_of(clock.utc_now())) == marks(lake.as_of(one)) == ["a0", "a1"]
    published(lake, "three", "c")
    assert [v.run_id for v in lake.versions(D1)] == ["one", "three"]


def test_the_clock_may_be_set_back(lake, at):
    start = clock.utc_now()
    published(lake, "one", "a")
    at(start - timedelta(hours=1))
    published(lake, "two", "b")
    first, second = lake.versions(D1)
    assert [first.run_id, second.run_id] == ["one", "two"]
    assert first.instant < second.instant == start - timedelta(hours=1)
    assert marks(lake.as_of(clock.utc_now())) == ["b0", "b1"]
    assert (first.changed, second.changed) == ((NAMES.address,), (NAMES.address,))


def test_versions_of_a_clock_that_was_ahead_count_as_published_by_now(lake, at):
    start = clock.utc_now()
    published(lake, "zero", "z")
    for year, run_id, mark in ((1, "one", "a"), (2, "two", "b")):
        at(start + timedelta(days=365 * year))
        published(lake, run_id, mark)
    at(start + timedelta(hours=1))
    published(lake, "three", "c")
    found = lake.versions(D1)
    assert [v.run_id for v in found][-3:] == ["one", "two", "three"]
    assert [v.instant for v in found] == sorted({v.instant for v in found})
    assert found[-1].instant == clock.utc_now()
    assert [marks(lake.as_of(v.instant))[0] for v in found[-3:]] == ["a0", "b0", "c0"]


def test_the_first_version_of_a_clock_that_was_ahead_is_the_first_for_those_after_it(tmp_path, at):
    lake = LakeWarehouse(tmp_path / "lake", kept=timedelta(days=7))
    start = clock.utc_now()
    for minutes, run_id in ((0, "one"), (1, "two")):
        at(start + timedelta(days=20, minutes=minutes))
        published(lake, run_id, "a")
    at(start)
    published(lake, "three", "c")
    at(start + timedelta(hours=5))
    published(lake, "four", "d")
    soon = start + timedelta(hours=1)
    assert marks(lake.as_of(soon)) == ["c0", "c1"]
    at(start + timedelta(days=9))
    published(lake, "five", "e")
    with pytest.raises(NotKept, match="no longer kept"):
        marks(lake.as_of(soon))


@pytest.mark.parametrize("is_aside", [False, True])
def test_a_damaged_version_of_a_clock_that_was_ahead_keeps_no_later_one_from_being_read(lake, at, is_aside):
    start = clock.utc_now()
    at(start + timedelta(days=20))
    published(lake, "one", "a")
    (path,) = manifests_of(lake)
    path.write_text("{")
    if is_aside:
        lake.set_version_aside(path, clock.utc_now())
    for hours, run_id, mark in ((1, "two", "b"), (2, "three", "c")):
        at(start + timedelta(hours=hours))
        published(lake, run_id, mark)
        assert marks(lake.as_of(clock.utc_now())) == [f"{mark}0", f"{mark}1"]
    assert len(manifests_of(lake)) == 3


def test_a_lake_that_is_held_stays_as_it_is_when_a_date_is_new(lake):
    published(lake, "one", "a", ["x"])
    then = lake.as_of(clock.utc_now())
    assert marks(then) == ["a0", "a1"]
    with run(lake, "tomorrow"):
        lake.append(LEDGER, ledger(["y"]).assign(game_date=pd.Timestamp(D2)), [D2])
    assert ids(then) == ["x"]
    assert ids(lake) == ["x", "y"]


def test_the_past_of_a_past_is_that_of_the_lake(lake):
    lake.write(NAMES, names(D2, 1, "before"), [D2])  # by no run
    one = published(lake, "one", "a")
    two = published(lake, "two", "b")
    assert marks(lake.as_of(one).as_of(two)) == marks(lake.as_of(two)) == ["b0", "b1", "before0"]


def test_a_publication_does_not_fail_for_what_the_retention_cannot_remove(lake, at, monkeypatch):
    published(lake, "one", "a")
    published(lake, "two", "b")

    def refused(self, day, names):
        raise PermissionError("no")

    monkeypatch.setattr(versions.Versions, "_gone", refused)
    at(clock.utc_now() + timedelta(days=30))
    three = published(lake, "three", "c")
    assert marks(lake.as_of(three)) == ["c0", "c1"]


def test_whatever_keeps_one_date_from_being_published_the_others_are(lake, monkeypatch):
    plain = manifests.Manifests.write

    def write(self, day, manifest):
        if day == D1:
            raise AttributeError("a bug")
        plain(self, day, manifest)

    monkeypatch.setattr(manifests.Manifests, "write", write)
    with lake.publication("one", "predict", "0.1") as publication:
        lake.write(NAMES, names(D1, 1, "a"), [D1])
        lake.write(NAMES, names(D2, 1, "b"), [D2])
        with pytest.raises(WarehouseError, match=r"of 2025-11-05 is current, but no version .* a bug"):
            publication.publish()
    assert [v.run_id for v in lake.versions(D2)] == ["one"]


def test_neither_marks_of_others_nor_one_that_fails_keep_a_date_from_being_swept(tmp_path, at):
    lake = LakeWarehouse(tmp_path / "lake", kept=timedelta(days=2))
    start = datetime(2026, 1, 9, 12, tzinfo=UTC)
    for n in (0, 1):
        at(start + timedelta(hours=n))
        with run(lake, f"run-{n}"):
            lake.write(NAMES, names(D2, 1, "ab"[n]), [D2])
    marked = lake.root / "_versions" / "replaced"
    for month in range(13, 20):  # more than a publication removes at once
        (marked / f"2025-{month}-45~{D2}").touch()
    (marked / f"2025-01-01~{D1}").mkdir()
    at(start + timedelta(days=7))
    published(lake, "another date", "c")
    assert [v.run_id for v in lake.versions(D2)] == ["run-1"]
    assert not (marked / f"2026-01-09~{D2}").exists()


def test_files_of_others_among_versions_are_left_alone(lake, at):
    one = published(lake, "one", "a")
    two = published(lake, "two", "b")
    root = lake.root / "_versions"
    others = [root / "files/game_date=2025-11-05" / name for name in (".ipynb_checkpoints", "NOTES.txt")]
    others[0].mkdir()
    others[1].write_text("mine")
    (root / "replaced" / "2025-13-45~2025-11-05").touch()
    (root / "replaced" / ".DS_Store").touch()
    (root / "open" / "x.journal").mkdir(parents=True)
    (root / "game_date=2025-11-05" / "20260230T999999.999999Z.x.json").touch()
    at(clock.utc_now() + timedelta(days=30))
    published(lake, "three", "c")
    assert [v.run_id for v in lake.versions(D1)] == ["two", "three"]
    assert marks(lake.as_of(two)) == ["b0", "b1"]
    with pytest.raises(NotKept):
        marks(lake.as_of(one))
    assert all(path.exists() for path in others)


def test_a_file_that_is_changed_in_its_place_is_an_error_of_every_version_that_has_it(lake):
    one = published(lake, "one", "a", ["x"])
    other = lake._layout.located(NAMES, D1)
    lake.write(NAMES, names(D1, 2, "spoiled"), [D1])
    spoiled = Path(lake._layout.located(NAMES, D1)).read_bytes()
    Path(other).write_bytes(spoiled)  # valid rows, of another time
    then = lake.as_of(one)
    with pytest.raises(NotKept, match=r"unresolved_names of 2025-11-05 as of .* was changed after it was written"):
        marks(then)
    assert ids(then) == ["x"]
    ((path, why),) = lake.damaged_versions()
    assert lake.damaged_versions([D2]) == []
    assert "2025-11-05 was changed" in why
    aside = lake.set_version_aside(path, clock.utc_now())
    assert Path(aside).read_bytes() == spoiled
    assert lake.damaged_versions() == []
    with pytest.raises(NotKept, match="is gone"):
        marks(lake.as_of(one))
    published(lake, "two", "b")
    assert marks(lake.as_of(clock.utc_now())) == ["b0", "b1"]


def test_a_kept_file_that_is_gone_is_kept_again_by_the_next_version(lake):
    one = published(lake, "one", "a", ["x"])
    for path in (lake.root / "_versions" / "files").glob("*/*.parquet"):
        path.unlink()
    with run(lake, "two"):
        lake.append(LEDGER, ledger(["y"]), [D1])
    assert marks(lake.as_of(clock.utc_now())) == ["a0", "a1"]
    assert marks(lake.as_of(one)) == ["a0", "a1"], "of the same name"


def test_the_error_names_the_date_that_was_asked_for(lake):
    for day in (D1, D2):
        with run(lake, f"of-{day}"):
            lake.write(NAMES, names(day, 2), [day])
    for path in (lake.root / "_versions" / "files").glob("*/*.parquet"):
        path.unlink()
    then = lake.as_of(clock.utc_now())
    for day in (D2, D1):
        with pytest.raises(NotKept, match=f"unresolved_names of {day}"):
            then.query(f"SELECT source_name FROM {NAMES.address} WHERE game_date = @day", day=day)


def test_what_is_lost_now_is_not_empty_then(lake):
    lake.write(NAMES, names(D1, 2), [D1])
    then = clock.utc_now()
    lake._file(NAMES, D1).unlink()
    with pytest.raises(NotKept, match="was written, and its file is gone"):
        marks(lake.as_of(then))


def test_who_asks_while_a_date_is_published_gets_what_he_gets_later(lake, monkeypatch):
    published(lake, "one", "a")
    plain, early, late = type(lake._versions.manifests).write, [], []

    def slow(self, day, manifest):
        now = clock.utc_now()
        reader = threading.Thread(target=lambda: early.append(marks(LakeWarehouse(lake.root).as_of(now))))
        reader.start()
        reader.join(0.2)
        plain(self, day, manifest)
        late.append((now, reader))

    monkeypatch.setattr(type(lake._versions.manifests), "write", slow)
    published(lake, "two", "b")
    ((now, reader),) = late
    reader.join()
    assert early == [marks(lake.as_of(now))] == [["b0", "b1"]]


def test_what_a_run_read_of_a_failed_one_is_in_its_version_though_a_third_one_is_writing_it(lake):
    published(lake, "one", "a", ["x"])
    with run(lake, "failed", ok=False):
        lake.write(NAMES, names(D1, 2, "b"), [D1])
    with ExitStack() as other:
        with run(lake, "two"):
            lake.append(LEDGER, ledger(["made-of-b"]), [D1])
            _in_another_run(lake, lambda: lake.write(NAMES, names(D1, 2, "c"), [D1]), other)
        then = clock.utc_now()
    assert marks(lake.as_of(then)) == ["b0", "b1"]
    assert marks(lake.as_of(clock.utc_now())) == ["c0", "c1"]


# -- readers during writers -------------------------------------------------------------------------------------------

_WRITER = """
import sys
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.warehouse.samples import D1, NAMES, LEDGER, ledger, names
lake = LakeWarehouse(sys.argv[1])
for n in range(int(sys.argv[3])):
    mark = f"{sys.argv[2]}-{n}-"
    with lake.publication(mark, "predict", "0.1") as publication:
        lake.write(NAMES, names(D1, 1, mark), [D1])
        lake.append(LEDGER, ledger([mark]), [D1])
        publication.publish()
"""


@pytest.mark.long
def test_readers_of_now_and_then_see_whole_runs_while_four_processes_write(lake):
    one = published(lake, "one", "a", ["x"])
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(lake.root), str(n), "6"]) for n in range(4)]
    looked = 0
    while any(w.poll() is None for w in writers):
        looked += 1
        assert (marks(lake.as_of(one)), ids(lake.as_of(one))) == (["a0", "a1"], ["x"])
        now = lake.as_of(clock.utc_now())
        found, there = marks(now), set(ids(now))
        assert found == ["a0", "a1"] or found[0].removesuffix("0") in there, "a run with one table and not the other"
    assert [w.returncode for w in writers] == [0] * 4
    assert looked
    versions = lake.versions(D1)
    assert len(versions) == 25
    assert all(a.instant < b.instant for a, b in zip(versions, versions[1:], strict=False))
    # of each version, at its very instant: every run up to it is whole
    for number, version in enumerate(versions[1:], 2):
        then = lake.as_of(version.instant)
        ledger_of_then = set(ids(then))
        assert len(ledger_of_then) >= number
        assert {v.run_id for v in versions[1:number]} <= ledger_of_then
    assert marks(lake.as_of(clock.utc_now())) == marks(lake)
    assert set(ids(lake)) == set(ids(lake.as_of(clock.utc_now())))
