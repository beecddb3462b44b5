"""Contracts grow under rows that are stored: one rule, held by the lake and by BigQuery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.schemas import Table, Type
from nba_props.schemas.base import Column
from nba_props.settings import Gcp
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import migrate, needed
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import drop_tables, make_settings
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names, take_out

NOTE = Column("note", Type.STRING, "A note", nullable=True)
SIZE = Column("size", Type.FLOAT64, "A size", nullable=True)
D3 = D2 + timedelta(1)


def opening(folder: Path, gcp: Gcp | None) -> Callable[[], Any]:
    """Opens a lake, or the warehouse of a deployment, every time as a new process would."""
    if gcp is None:
        return lambda: LakeWarehouse(folder / "lake")
    settings = make_settings(folder, gcp=gcp)
    return lambda: open_warehouse(settings)


@pytest.fixture(params=["lake", "bigquery"])
def reopen(request, tmp_path) -> Callable[[], Any]:
    """Opens one warehouse of each kind."""
    return opening(tmp_path, request.getfixturevalue("make_gcp")() if request.param == "bigquery" else None)


@pytest.fixture
def release(monkeypatch) -> Callable[[Table], Table]:
    """Puts a contract in force, as a release does."""

    def put(table: Table) -> Table:
        monkeypatch.setitem(TABLES, table.address, table)
        return table

    return put


def wider(table: Table, *columns: Column) -> Table:
    return replace(table, columns=(*table.columns, *columns))


def changed(name: str, /, **changes: Any) -> tuple[Column, ...]:
    return tuple(replace(c, **changes) if c.name == name else c for c in NAMES.columns)


def notes(store, where: str = "TRUE") -> list[Any]:
    sql = f"SELECT source_name, note, size FROM {NAMES.address} WHERE {where} ORDER BY game_date, source_name"
    return store.query(sql).astype(object).where(lambda f: f.notna(), None).values.tolist()


def test_a_new_column_that_may_be_null_reads_as_null_from_what_was_written_before(reopen, release):
    store = reopen()
    store.write(NAMES, names(D1, 1), [D1], {D1: "payload"})
    store.write(NAMES, NAMES.empty(), [D3])
    before = store.states(NAMES)
    grown = release(wider(NAMES, NOTE, SIZE))
    store = reopen()
    assert notes(store) == [["a0", None, None]], "nothing has them yet"
    assert store.read(grown, [D1, D3])[["note", "size"]].isna().all(axis=None)
    assert store.states(grown) == before, "it says what it said, so nothing made from it is stale"
    store.write(grown, names(D2, 2, "b").assign(note="new", size=[0.5, None]), [D2])
    for each in (store, reopen()):
        assert notes(each) == [["a0", None, None], ["b0", "new", 0.5], ["b1", "new", None]]
        assert notes(each, f"game_date = DATE '{D1}'") == [["a0", None, None]]
        read = each.read(grown, [D1, D2])
        assert list(read["note"]) == [None, "new", "new"]
        pd.testing.assert_series_equal(read.dtypes, grown.empty().dtypes)
        assert each.damaged() == []
    store.write(grown, names(D1, 1).assign(note="late", size=1.5), [D1])
    assert notes(store, "note = 'late'") == [["a0", "late", 1.5]]


def test_a_ledger_grows_too_and_rows_are_appended_to_what_was_there(reopen, release):
    reopen().append(LEDGER, ledger(["a"]), [D1], {D1: "one"})
    grown = release(wider(LEDGER, NOTE))
    store = reopen()
    assert store.query("SELECT note FROM nba_predictions.current_predictions")["note"].tolist() == [None]
    again = store.append(grown, pd.concat([ledger(["a"]), ledger(["b"])]).assign(note=["x", "y"]), [D1])
    assert again == {D1: (1, 1)}
    found = store.query("SELECT prediction_id, note FROM nba_predictions.ledger ORDER BY 1")
    assert found.values.tolist() == [["a", None], ["b", "y"]]
    assert take_out(store, ["b"], D1, grown) == 1
    left = store.states(grown)[D1]
    assert left.content == digests.content(LEDGER, ledger(["a"]), D1)
    assert left.made_from == "one"
    assert len(store.query("SELECT * FROM nba_predictions.judged_predictions WHERE note IS NULL")) == 1


MARKET = Column("market", Type.STRING, "A market", before="points")
#: a column with another name, and one that had a single value as long as there was none
RENEWED = replace(NAMES, columns=(*changed("best_candidate", name="closest", formerly="best_candidate"), MARKET))


def renewed(rows: pd.DataFrame, market: str = "points") -> pd.DataFrame:
    return rows.rename(columns={"best_candidate": "closest"}).assign(market=market)


def test_a_column_with_a_new_name_and_one_that_had_one_value_read_as_such_from_older_rows(reopen, release):
    store = reopen()
    store.write(NAMES, pd.concat([names(D1, 2), names(D2, 1)]), [D1, D2], {D1: "payload", D2: "payload"})
    store.write(NAMES, NAMES.empty(), [D3])
    before, states = store.read(NAMES, [D1, D2]), store.states(NAMES)
    release(RENEWED)
    store = brought_to_today(reopen)
    assert store.states(RENEWED) == states, "no digest changes"
    pd.testing.assert_frame_equal(store.read(RENEWED, [D1, D2]), RENEWED.conform(renewed(before)))
    assert store.damaged() == []
    store.write(RENEWED, renewed(names(D2, 2, "b"), "assists"), [D2])
    assert store.states(RENEWED)[D2].content != states[D2].content
    sql = f"SELECT source_name, closest, market FROM {RENEWED.address} WHERE {{}} ORDER BY game_date, source_name"
    old, new = (renewed(names(D1, 2))["closest"].tolist(), renewed(names(D2, 2, "b"))["closest"].tolist())
    rows = [["a0", old[0], "points"], ["a1", old[1], "points"], ["b0", new[0], "assists"], ["b1", new[1], "assists"]]
    for each in (store, reopen()):
        for ask in (each.query, each.read_only):
            assert ask(sql.format("TRUE")).values.tolist() == rows
            assert ask(sql.format("market = 'points'")).values.tolist() == rows[:2]
            assert ask(sql.format(f"game_date = DATE '{D2}'")).values.tolist() == rows[2:]
        assert list(each.read(RENEWED, [D1, D2])["market"]) == ["points", "points", "assists", "assists"]
        assert each.damaged() == []


def brought_to_today(reopen) -> Any:
    """A lake is read as it is; BigQuery has one set of columns for all partitions, and has to be migrated."""
    store = reopen()
    if isinstance(store, LakeWarehouse):
        assert needed(store) == []
        return store
    for ask in (lambda: store.read(RENEWED, [D1]), lambda: store.query(f"SELECT 1 FROM {RENEWED.address}")):
        with pytest.raises(
            WarehouseError, match=r"best_candidate is closest now, market is missing.*nba-props migrate"
        ):
            ask()
    (dry,) = migrate(reopen(), dry_run=True)
    assert dry.text == f"{RENEWED.address}, best_candidate -> closest, market = points: 3 dates, 3 rows"
    store = reopen()
    change, done = store._api.change, []

    def killed(sql: str, *arguments: object) -> None:
        if sql.startswith("UPDATE"):
            raise KeyboardInterrupt
        done.append(change(sql, *arguments))

    store._api.change = killed
    with pytest.raises(KeyboardInterrupt):
        migrate(store)
    assert done
    with pytest.raises(WarehouseError, match="a migration was not finished"):
        reopen().read(RENEWED, [D1])
    assert [m.table for m in migrate(reopen())] == [RENEWED]
    assert migrate(reopen()) == []
    return reopen()


BREAKS = {
    "removed": (
        replace(NAMES, columns=tuple(c for c in NAMES.columns if c.name != "runner_up_score")),
        "runner_up_score is not in the contract",
    ),
    "renamed": (
        replace(NAMES, columns=changed("best_candidate", name="closest")),
        "best_candidate is not in the contract",
    ),
    "text for a number": (replace(NAMES, columns=changed("quotes", type=Type.STRING, ge=None)), "quotes is INT64 and"),
    "whole for a number": (
        replace(NAMES, columns=changed("best_score", type=Type.INT64)),
        "best_score is FLOAT64 and not INT64",
    ),
    "a number for whole": (
        replace(NAMES, columns=changed("quotes", type=Type.FLOAT64)),
        "quotes is INT64 and not FLOAT64",
    ),
}


@pytest.fixture(scope="module", params=["lake", "bigquery"])
def two_dates(request, tmp_path_factory) -> Iterator[Callable[[], Any]]:
    """Opens one warehouse of each kind that holds two dates, for tests that change nothing in it."""
    gcp = request.getfixturevalue("deploy")() if request.param == "bigquery" else None
    opened = opening(tmp_path_factory.mktemp("two-dates"), gcp)
    opened().write(NAMES, pd.concat([names(D1, 2), names(D2, 2)]), [D1, D2])
    yield opened
    if gcp is not None:
        drop_tables(gcp)


@pytest.mark.parametrize(("other", "words"), BREAKS.values(), ids=BREAKS)
def test_any_other_change_names_table_partition_columns_and_the_command(two_dates, release, other, words):
    release(other)
    is_refused(two_dates(), other, words)


def test_a_new_column_that_cannot_be_null_names_table_partition_column_and_the_command(reopen, release):
    reopen().write(NAMES, pd.concat([names(D1, 2), names(D2, 2)]), [D1, D2])
    other = release(wider(NAMES, Column("note", Type.STRING, "A note")))
    is_refused(reopen(), other, "note is missing and can't be null")


def is_refused(store: Any, other: Table, words: str) -> None:
    """Whatever reads rows of the old contract fails with the reason; other tables can be read."""
    message = (
        rf"nba_reference\.unresolved_names partition {D1}.* was written under another contract: .*{words}.*"
        rf"`nba-props backfill {D1}.* --force` makes it again"
    )
    attempts = (
        lambda: store.read(other, [D1, D2]),
        lambda: store.query(f"SELECT COUNT(*) AS n FROM {NAMES.address}"),
        lambda: store.query(f"SELECT quotes AS n FROM {NAMES.address} WHERE game_date = @day", day=D2),
        lambda: store.read_only(f"SELECT * FROM {NAMES.address}"),
    )
    for attempt in attempts:
        with pytest.raises(WarehouseError, match=message):
            attempt()
    assert [(d.partition, words in d.reason) for d in store.damaged()] == [(D1, True), (D2, True)]
    assert len(store.read_only("SELECT * FROM nba_predictions.current_predictions")) == 0, "others can still be read"


def test_the_command_helps_where_a_column_is_new_and_not_null(reopen, release):
    reopen().write(NAMES, pd.concat([names(D1, 2), names(D2, 2)]), [D1, D2])
    other = release(wider(NAMES, Column("note", Type.STRING, "A note")))
    store = reopen()
    store.write(other, names(D1, 1).assign(note="x"), [D1])
    assert store.read(other, [D1])["note"].tolist() == ["x"]
    with pytest.raises(WarehouseError, match=f"partition {D2} was written under another contract"):
        reopen().query(f"SELECT note FROM {NAMES.address}")
    store.write(other, names(D2, 1).assign(note="y"), [D2])
    for each in (store, reopen()):
        assert each.query(f"SELECT note FROM {NAMES.address} ORDER BY note")["note"].tolist() == ["x", "y"]
        assert each.damaged() == []


def test_the_error_of_a_ledger_under_another_contract_warns_that_its_rows_cannot_be_made_again(reopen, release):
    reopen().append(LEDGER, ledger(["a"]), [D1])
    other = release(wider(LEDGER, Column("note", Type.STRING, "A note")))
    store = reopen()
    message = rf"ledger partition {D1} .*note is missing.*can't be made again: keep using the release"
    rows = ledger(["b"]).assign(note="x")
    for attempt in (
        lambda: store.append(other, rows, [D1]),
        lambda: store.remove(other, ["a"], D1),
        lambda: store.query("SELECT * FROM nba_predictions.current_predictions"),
    ):
        with pytest.raises(WarehouseError, match=message):
            attempt()
    assert store.append(other, rows.assign(game_date=pd.Timestamp(D2)), [D2]) == {D2: (1, 0)}


@pytest.mark.usefixtures("catalogued")
class TestTheCatalogOfTheLake:
    def rows(self, lake: LakeWarehouse, sql: str) -> list[tuple]:
        with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
            return catalog.execute(sql).fetchall()

    def test_has_the_new_column_before_and_after_partitions_have_it(self, lake, release):
        lake.write(NAMES, names(D1, 1), [D1])
        lake.append(LEDGER, ledger(["a"]), [D1])
        grown = release(wider(NAMES, NOTE, SIZE))
        release(wider(LEDGER, NOTE))
        lake.refresh_catalog()
        sql = "SELECT source_name, note, size FROM nba_reference.unresolved_names ORDER BY 1"
        assert self.rows(lake, sql) == [("a0", None, None)]
        assert self.rows(lake, "SELECT prediction_id, note FROM nba_predictions.current_predictions") == [("a", None)]
        lake.write(grown, names(D2, 1, "b").assign(note="new", size=2.0), [D2])
        assert self.rows(lake, sql) == [("a0", None, None), ("b0", "new", 2.0)], "the catalog was not made again"

    def test_has_columns_under_todays_names_and_goes_on_when_partitions_have_them(self, lake, release):
        lake.write(NAMES, pd.concat([names(D1, 1), names(D2, 1)]), [D1, D2])
        release(RENEWED)
        lake.refresh_catalog()
        closest = names(D1, 1)["best_candidate"].iloc[0]
        sql = "SELECT closest, market FROM nba_reference.unresolved_names ORDER BY game_date"
        assert self.rows(lake, sql) == [(closest, "points")] * 2
        lake.write(RENEWED, renewed(names(D2, 1), "assists"), [D2])
        assert self.rows(lake, sql) == [(closest, "points"), (closest, "assists")]
        lake.write(RENEWED, renewed(names(D1, 1), "assists"), [D1])
        assert self.rows(lake, sql) == [(closest, "assists")] * 2, "the catalog was not made again"

    def test_names_the_way_out_where_a_partition_has_another_contract(self, lake, release):
        lake.write(NAMES, names(D1, 1), [D1])
        lake.append(LEDGER, ledger(["a"]), [D1])
        other = release(replace(NAMES, columns=changed("quotes", type=Type.FLOAT64)))
        lake.refresh_catalog()
        with pytest.raises(duckdb.Error, match="backfill 2025-11-05 --force"):
            self.rows(lake, "SELECT * FROM nba_reference.unresolved_names")
        assert self.rows(lake, "SELECT COUNT(*) FROM nba_predictions.current_predictions") == [(1,)]
        lake.write(other, other.conform(names(D1, 1)), [D1])
        lake.refresh_catalog()
        assert self.rows(lake, "SELECT quotes FROM nba_reference.unresolved_names") == [(1.0,)]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.astype({"quotes": "float64"}), "quotes is FLOAT64 and not INT64"),
        (lambda f: f.astype({"best_score": "str"}), "best_score is STRING and not FLOAT64"),
        (lambda f: f.drop(columns="reason"), "reason is missing and can't be null"),
        (lambda f: f.assign(more=1), "more is not in the contract"),
    ],
)
def test_a_file_of_another_writer_is_held_to_the_same_rule(lake, spoil, words):
    lake.write(NAMES, pd.concat([names(D1, 2), names(D2, 2)]), [D1, D2])
    spoil(names(D1, 2)).to_parquet(lake._file(NAMES, D1))
    other = LakeWarehouse(lake.root)
    for attempt in (lambda: other.read(NAMES, [D1]), lambda: other.query(f"SELECT * FROM {NAMES.address}")):
        with pytest.raises(WarehouseError, match=f"partition {D1} was written under another contract: .*{words}"):
            attempt()


def test_a_file_of_another_writer_with_the_same_columns_is_read(lake):
    lake.write(NAMES, names(D1, 2), [D1])
    before = lake.states(NAMES)[D1]
    mine = names(D1, 2).iloc[::-1][NAMES.column_names[::-1]]
    mine.assign(game_date=mine["game_date"].dt.date, reason=mine["reason"].astype("category")).to_parquet(
        lake._file(NAMES, D1)
    )
    pd.testing.assert_frame_equal(lake.read(NAMES, [D1]).iloc[::-1].reset_index(drop=True), names(D1, 2))
    after = lake.states(NAMES)[D1]
    assert (after.content, after.made_from) == (before.content, "")


def test_one_damaged_file_affects_only_queries_of_its_date(lake):
    lake.write(NAMES, pd.concat([names(d, 2) for d in (D1, D2, D3)]), [D1, D2, D3])
    lake._file(NAMES, D2).write_bytes(b"PAR1 and nothing more")
    assert len(lake.query(f"SELECT * FROM {NAMES.address} WHERE game_date = @day", day=D3)) == 2
    with pytest.raises(WarehouseError, match="unresolved_names"):
        lake.query(f"SELECT * FROM {NAMES.address} WHERE game_date = @day", day=D2)
    assert list(lake.states(NAMES)) == [D1, D3], "it counts as never written, so it is made again"
