"""Who reads gets old rows or new ones, never an error and never a pen."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_props.domain import digests
from nba_props.schemas.predictions import LEDGER
from nba_props.warehouse.base import CorruptPartition, WarehouseError
from nba_props.warehouse.lake import LakeWarehouse, files
from nba_props_tests.warehouse.samples import D1, D2, NAMES, ledger, names, take_out

#: statements that would write, each with the ledger's file for {file} and its folder for {folder}
PENS = [
    "COPY (SELECT 1 AS a) TO '{file}'",
    "COPY (SELECT 1 AS a) TO '{file}' (FORMAT parquet)",
    "COPY (SELECT 1 AS a) TO '{folder}/x.parquet'",
    "COPY (SELECT 1 AS a) TO '{folder}' (FORMAT parquet, PARTITION_BY (a), OVERWRITE_OR_IGNORE)",
    "COPY nba_reference.unresolved_names TO '{folder}/x.csv'",
    "COPY (FROM nba_reference.unresolved_names) TO '/dev/stdout'",
    "EXPORT DATABASE '{folder}/x'",
    "EXPORT DATABASE '{folder}/x' (FORMAT parquet)",
    "ATTACH '{folder}/x.duckdb'",
    "ATTACH '{folder}/x.duckdb' AS y (READ_WRITE)",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TABLE nba_reference.unresolved_names AS SELECT 1",
    "CREATE OR REPLACE VIEW nba_reference.unresolved_names AS SELECT 1 AS a",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE MACRO x() AS 1",
    "CREATE SCHEMA x",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "DROP VIEW nba_reference.unresolved_names",
    "DROP SCHEMA nba_reference CASCADE",
    "ALTER VIEW nba_reference.unresolved_names RENAME TO x",
    "INSERT INTO nba_reference.unresolved_names DEFAULT VALUES",
    "UPDATE nba_reference.unresolved_names SET quotes = 0",
    "DELETE FROM nba_reference.unresolved_names",
    "TRUNCATE nba_reference.unresolved_names",
    "MERGE INTO nba_reference.unresolved_names USING (SELECT 1) ON FALSE WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "PRAGMA enable_profiling",
    "PRAGMA profiling_output = '{folder}/x'",
    "SET log_query_path = '{folder}/x'",
    "SET temp_directory = '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "USE nba_reference",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "CALL pragma_version()",
    "SELECT 1; COPY (SELECT 1) TO '{file}'",
    "COPY (SELECT 1) TO '{file}'; SELECT 1",
    "WITH a AS (SELECT 1) COPY a TO '{file}'",
    "SELECT * FROM read_csv('/etc/hostname')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/hostname')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM sqlite_scan('{file}', 'x')",
    "SELECT * FROM pg_read_file('/etc/hostname')",
    "not sql",
]
EXPLAINED = [f"{how} {pen}" for pen in PENS[:11] for how in ("EXPLAIN", "EXPLAIN ANALYZE", "explain /* a */ analyze")]
EXPLAINED += [
    f"{how}COPY (SELECT 1 AS a) TO '{{file}}'"
    for how in ("-- a\nEXPLAIN ANALYZE ", "/* EXPLAIN */ EXPLAIN ", "EXPLAIN (ANALYZE) ", "EXPLAIN (FORMAT json) ",
                "EXPLAIN (ANALYZE, FORMAT json) ", "EXPLAIN\nANALYZE\n", "EXPLAIN EXPLAIN ", "EXPLAIN ANALYZE EXPLAIN ")
]  # fmt: skip


def whole_of(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_none_of_a_hundred_statements_writes_or_reads_outside_the_tables(lake):
    lake.write(NAMES, names(D1, 3), [D1])
    lake.append(LEDGER, ledger(["a"]), [D1])
    before = whole_of(lake.root)
    file = lake._file(LEDGER, D1)
    attacks = [*PENS, *EXPLAINED]
    assert len(attacks) >= 100
    for attack in attacks:
        with pytest.raises(WarehouseError):
            lake.read_only(attack.format(file=file, folder=file.parent))
    assert whole_of(lake.root) == before


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT * FROM nba_reference.unresolved_names", 5),
        ('FROM "nba_reference"."unresolved_names" WHERE game_date = DATE \'2025-11-06\'', 2),
        ("SELECT * FROM nba_predictions.current_predictions", 1),
        ("WITH a AS (SELECT * FROM nba_predictions.judged_predictions) SELECT * FROM a", 1),
        ("DESCRIBE nba_raw.schedule", None),
        ("SHOW ALL TABLES", None),
        ("SUMMARIZE nba_reference.unresolved_names", None),
        ("EXPLAIN SELECT * FROM nba_reference.unresolved_names", None),
        ("EXPLAIN ANALYZE SELECT * FROM nba_reference.unresolved_names", None),
        ("-- why\nSELECT COUNT(*) FROM nba_reference.unresolved_names", 1),
    ],
)
def test_what_reads_is_answered(lake, statement, rows):
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    lake.append(LEDGER, ledger(["a"]), [D1])
    found = lake.read_only(statement)
    assert len(found) == rows if rows is not None else len(found)


def test_a_file_never_changes_and_is_deleted_an_hour_after_it_was_replaced(lake, monkeypatch):
    lake.write(NAMES, names(D1, 3), [D1])
    link = lake._file(NAMES, D1)
    first = Path(files.locate(str(link))[0])
    with duckdb.connect() as reader:  # whatever it opens, and however often, is the file that it was given
        rows = reader.execute(f"SELECT * FROM read_parquet('{first}')")
        lake.write(NAMES, names(D1, 4), [D1])
        assert len(rows.fetchall()) == 3
    assert first.exists()
    os.utime(first, (0, time.time() - files.KEPT_SECONDS - 1))
    (link.parent / ".tmp-killed").write_bytes(b"half")
    lake.write(NAMES, names(D1, 5), [D1])
    assert not first.exists()
    assert (link.parent / ".tmp-killed").exists(), "somebody may be writing it"
    assert len(list(link.parent.glob("*.parquet"))) == 3, "the link, its file and the one before"
    assert len(lake.read(NAMES, [D1])) == 5


def test_a_partition_whose_file_is_missing_is_damaged_and_not_absent(lake):
    lake.write(NAMES, names(D1, 3), [D1])
    Path(files.locate(str(lake._file(NAMES, D1)))[0]).unlink()
    assert lake.partitions(NAMES) == [D1]
    for read in (lambda: lake.read(NAMES, [D1]), lambda: lake.query(f"SELECT * FROM {NAMES.address}")):
        with pytest.raises(CorruptPartition, match="unresolved_names"):
            read()
    (damage,) = lake.damaged()
    assert (damage.partition, damage.is_readable) == (D1, False)
    lake.set_aside(damage, pd.Timestamp("2026-01-01T00:00Z").to_pydatetime())
    assert lake.partitions(NAMES) == []


def test_what_another_process_wrote_is_read_at_once(lake):
    other = LakeWarehouse(lake.root)
    lake.write(NAMES, names(D1, 1), [D1])
    for rows in range(2, 8):
        assert len(other.query(f"SELECT * FROM {NAMES.address}")) == rows - 1
        lake.write(NAMES, names(D1, rows), [D1])


def _write(root: str, day: date, stop: object, pause: float = 0) -> None:
    """Replace a partition again and again: as many rows as its newest number says."""
    store, turn = LakeWarehouse(root), 0
    while not stop.is_set():  # type: ignore[attr-defined]
        turn += 1
        store.write(NAMES, names(day, 1 + turn % 40), [day])
        time.sleep(pause)


_ALL = f"SELECT game_date, COUNT(*) AS n, MAX(quotes) AS newest FROM {NAMES.address} GROUP BY game_date"


def _read(root: str, queries: int, every: int = 5) -> int:
    """Ask the lake in every way; each partition is one writing, whole. Returns how many queries were asked."""
    store = LakeWarehouse(root)
    for turn in range(queries):
        found = store.query(_ALL) if turn % every else store.read_only(_ALL)
        assert (found["n"] == found["newest"]).all(), "rows of two writings"
        assert len(found) > 0
    return queries


def test_readers_beside_writers_see_whole_partitions(lake):
    days = [D1, D2]
    lake.write(NAMES, pd.concat([names(d, 1) for d in days]), days)
    stop = threading.Event()
    writers = [threading.Thread(target=_write, args=(str(lake.root), d, stop)) for d in days]
    for writer in writers:
        writer.start()
    try:
        assert _read(str(lake.root), 25) == 25
    finally:
        stop.set()
        for writer in writers:
            writer.join()


@pytest.mark.long
def test_eight_writers_and_four_readers_of_fifty_thousand_queries(lake):
    days = [date(2025, 11, n) for n in range(1, 9)]
    lake.write(NAMES, pd.concat([names(d, 1) for d in days]), days)
    context = multiprocessing.get_context("forkserver")
    with context.Manager() as manager:
        stop = manager.Event()
        writers = [context.Process(target=_write, args=(str(lake.root), d, stop, 0.2)) for d in days]
        for writer in writers:
            writer.start()
        with context.Pool(4) as readers:
            asked = readers.starmap(_read, [(str(lake.root), 12_500, 50)] * 4)
        alive = [writer.is_alive() for writer in writers]
        stop.set()
        for writer in writers:
            writer.join()
    assert sum(asked) == 50_000
    assert all(alive), "and no writer died of a reader"
    assert lake.damaged() == []


@pytest.mark.parametrize(
    "source",
    ["{t}", "{t} p", "{t} AS p", "{t} AS ledger", "{T}", "memory.{t}", "{t} TABLESAMPLE 100%",
     "(SELECT * FROM {t} AS a JOIN {t} AS b USING (prediction_id))", "(WITH ledger AS (FROM {t}) FROM ledger)",
     "nba_predictions.judged_predictions j", "(SELECT * FROM nba_predictions.current_predictions c, LATERAL (SELECT 1))"],
)  # fmt: skip
def test_a_table_name_is_resolved_however_it_is_spelled(lake, source):
    lake.append(LEDGER, pd.concat([ledger(["a"]), ledger(["b"]).assign(player_id=2)]), [D1])
    written = source.format(t=LEDGER.address, T=LEDGER.address.upper())
    assert lake.read_only(f"SELECT COUNT(*) AS n FROM {written}")["n"][0] == 2


def test_an_interrupt_right_after_the_link_is_replaced_leaves_the_new_rows(lake, monkeypatch):
    lake.append(LEDGER, ledger(["a"]), [D1])
    replace = os.replace

    def interrupted(source: object, target: object) -> None:
        replace(source, target)
        if str(target).endswith(files.CURRENT):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lake.append(LEDGER, ledger(["b"]), [D1])
    monkeypatch.undo()
    assert lake.read(LEDGER, [D1])["prediction_id"].tolist() == ["a", "b"]
    assert lake.damaged() == []


def test_a_partition_whose_link_is_lost_is_damaged_and_keeps_its_files(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    link = lake._file(LEDGER, D1)
    (file,) = files.versions(link.parent)
    link.unlink()
    os.utime(file, (0, 0))
    (damage,) = lake.damaged()
    assert f"ln -s {file.name}" in damage.reason
    with pytest.raises(CorruptPartition, match="leads nowhere"):
        lake.append(LEDGER, ledger(["b"]), [D1])
    assert files.left_over(link.parent) == []
    link.symlink_to(file.name)
    assert lake.damaged() == []
    assert lake.append(LEDGER, ledger(["b"]), [D1]) == {D1: (1, 0)}
    link.unlink()
    kept = lake.set_aside(damage, pd.Timestamp("2026-01-01T00:00Z").to_pydatetime())
    assert Path(kept).exists()
    assert lake.damaged() == []
    assert lake.append(LEDGER, ledger(["c"]), [D1]) == {D1: (1, 0)}


def test_what_an_append_or_a_removal_finds_altered_stays_on_record(lake):
    lake.append(LEDGER, ledger(["a", "b", "c"]), [D1])
    whole = lake.read(LEDGER, [D1])
    lake.write_unchecked(LEDGER, whole.iloc[1:], D1)
    lake.append(LEDGER, ledger(["d"]), [D1])
    (damage,) = lake.damaged()
    assert damage.is_readable
    assert take_out(lake, ["d"], D1) == 1
    assert len(lake.damaged()) == 1
    assert lake.seal(LEDGER, D1) == 0
    assert lake.damaged() == []
    # a row that somebody added is taken out: what is left is what was written
    before = lake.states(LEDGER)[D1].content
    path = Path(files.locate(str(lake._file(LEDGER, D1)))[0])
    statement = pq.ParquetFile(path).metadata.metadata
    more = pa.concat_tables([pq.read_table(path, partitioning=None), _row(ledger(["x"]))])
    pq.write_table(more.replace_schema_metadata(statement), path)
    assert len(lake.damaged()) == 1
    assert take_out(lake, ["x"], D1) == 1
    assert lake.damaged() == []
    assert lake.states(LEDGER)[D1].content == before


def _row(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, schema=LEDGER.arrow_schema(), preserve_index=False)


def test_a_row_of_another_date_belongs_to_the_date_of_its_folder(lake):
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    path = Path(files.locate(str(lake._file(LEDGER, D1)))[0])
    table = pq.ParquetFile(path).read()
    at = table.schema.get_field_index("game_date")
    pq.write_table(table.set_column(at, "game_date", pa.array([D2, D1], pa.date32())), path)
    assert [d.partition for d in lake.damaged()] == [D1]
    assert lake.query(f"SELECT COUNT(*) AS n FROM {LEDGER.address} WHERE game_date = @d", d=D1)["n"][0] == 2
    assert lake.append(LEDGER, ledger(["c"]), [D1]) == {D1: (1, 0)}
    assert len(lake.read(LEDGER, [D1])) == 3


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b"null", b"[]", b'{"version": 1}', b"\xff", b'{"version": Infinity, "content": {"": "x"}}',
     b'{"before": {}}', b'["before"]', b'"before"'],
)  # fmt: skip
def test_an_invalid_statement_states_nothing(text):
    assert digests.stated(LEDGER, text) == (None, "")
    assert not digests.is_under_way(text)
    assert digests.settled(LEDGER, text, ledger(["a"]), D1) is None
    assert "another program" in str(digests.alteration(LEDGER, text, ledger(["a"]), D1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 1, "content": {}, "made_from": ""}', "another program"),
        ('{"version": 1, "content": {"nothing": "0"}, "before": {}, "made_from": ""}', "another program"),
        (
            '{"version": 2, "content": {"": "0"}, "made_from": ""}',
            "a statement of version 2, which this release does not know",
        ),
        ('{"version": 1, "content": {"": "0"}, "before": {}, "made_from": ""}', "other rows than were written"),
    ],
)
def test_an_incomplete_statement_hides_no_alteration(text, said):
    assert digests.stated(LEDGER, text)[0] is None
    assert said in str(digests.alteration(LEDGER, text, ledger(["a"]), D1))


@pytest.mark.parametrize("damage", ["cut", "another's", "not ours"])
@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM {t}", "SELECT COUNT(*) FROM {t} WHERE prediction_id = 'a'", "SELECT MAX(line) FROM {t}",
     "SELECT COUNT(*) FROM nba_predictions.judged_predictions WHERE is_current"],
)  # fmt: skip
def test_an_unreadable_partition_is_named_and_never_counted_as_empty(lake, damage, statement):
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    path = Path(files.locate(str(lake._file(LEDGER, D1)))[0])
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "another's":
        pq.write_table(pa.table({"a": [1]}), path)
    else:
        path.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    asked = statement.format(t=LEDGER.address)
    with pytest.raises(WarehouseError, match=f"ledger partition {D1} .*"):
        lake.read_only(asked)
    with pytest.raises(CorruptPartition, match=f"ledger partition {D1} .*"):
        lake.query(asked)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("damage", ["link", "file", "garbage"])
def test_an_unreadable_date_does_not_affect_other_dates(lake, damage, place):
    days = [D1, D2, D2 + timedelta(1)]
    for day in days:
        lake.write(NAMES, names(day, 2), [day])
    link = lake._file(NAMES, days[place])
    if damage == "link":
        link.unlink()
    elif damage == "file":
        link.resolve().unlink()
    else:
        link.resolve().write_bytes(b"garbage")
    lake = LakeWarehouse(lake.root)
    assert lake.fingerprints(NAMES)
    sql = f"SELECT COUNT(*) AS n FROM {NAMES.address} WHERE game_date BETWEEN "
    for day in days:
        for ask in (
            lambda d=day: lake.query(sql + "@d AND @d", d=d),
            lambda d=day: lake.read_only(f"{sql} '{d}' AND '{d}'"),
        ):
            if day == days[place]:
                with pytest.raises(WarehouseError, match=f"unresolved_names partition {day}"):
                    ask()
            else:
                assert ask()["n"][0] == 2
    with pytest.raises(WarehouseError, match=f"unresolved_names partition {days[place]}"):
        lake.query(f"SELECT COUNT(*) AS n FROM {NAMES.address} WHERE source_name = 'a0'")


def test_an_error_of_the_statement_is_not_blamed_on_a_partition(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    empty = lake._file(LEDGER, D2).parent
    empty.mkdir()
    (empty / ".lock").touch()
    for ask in (lake.read_only, lake.query):
        with pytest.raises(WarehouseError, match=r"Could not convert string 'a'|Conversion Error"):
            ask(
                f"SELECT CAST(prediction_id AS {'INTEGER' if ask == lake.read_only else 'INT64'}) FROM {LEDGER.address}"
            )


def test_a_lost_written_marker_is_restored_by_the_next_write(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    link = lake._file(LEDGER, D1)
    (link.parent / files.WRITTEN).unlink()
    lake.append(LEDGER, ledger(["b"]).assign(player_id=2), [D1])
    link.unlink()
    assert lake.damaged(), "and a link that is lost afterwards is damage"


def test_a_result_that_is_not_a_table_is_refused_in_a_sentence(lake):
    with pytest.raises(WarehouseError, match="No known equivalent"):
        lake.read_only("SELECT * FROM test_all_types()")


def how_many(lake: LakeWarehouse) -> int:
    return int(lake.query(f"SELECT COUNT(*) AS n FROM {NAMES.address}")["n"].iloc[0])


def test_held_rows_are_read_once_and_by_one_thread_and_have_no_later_date(lake):
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    elsewhere: list[int] = []
    with lake.held([NAMES], D1):
        assert how_many(lake) == 3
        lake.write(NAMES, names(D1, 1), [D1])
        other = threading.Thread(target=lambda: elsewhere.append(how_many(lake)))
        other.start()
        other.join()
        assert (how_many(lake), elsewhere) == (3, [3]), "three held, and one and two in the files"
    assert how_many(lake) == 3
    with pytest.raises(WarehouseError), lake.held([NAMES], D2):
        lake.query("SELECT 1 FROM nba_raw.nothing")
    lake.write(NAMES, names(D1, 4), [D1])
    assert how_many(lake) == 6


def test_a_damaged_date_is_an_error_of_those_who_hold_it(lake):
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    lake._file(NAMES, D2).write_bytes(b"PAR1")
    lake = LakeWarehouse(lake.root)
    with lake.held([NAMES], D1):
        assert how_many(lake) == 3
    with pytest.raises(CorruptPartition, match=f"{D2}"), lake.held([NAMES], D2):
        pass
    with lake.held([NAMES], D1):
        assert how_many(lake) == 3
