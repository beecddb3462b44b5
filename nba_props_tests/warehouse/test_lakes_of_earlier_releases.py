"""Lakes that earlier releases wrote, kept under fixtures/: every later one opens them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.operations.selection import judged
from nba_props.schemas import Type
from nba_props.schemas.base import Column, WriteMode
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, GRADE_HISTORY, LEDGER, PUBLICATIONS, REMEDIATIONS
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import migrate
from nba_props_tests.warehouse.old_lakes import FROZEN, unpacked
from nba_props_tests.warehouse.samples import take_out

WITH_CATALOG = True
NIGHTS = [date(2025, 11, 2), date(2025, 11, 4)]
#: rows and partitions that all frozen lakes have alike, as the release that made the first one counted them
ROWS = {
    "nba_raw.schedule": (15, 16), "nba_raw.box_scores": (15, 288), "nba_raw.odds_quotes": (2, 576),
    "nba_raw.injury_reports": (15, 0), "nba_analytics.historical_games": (2, 468), "nba_analytics.slate": (2, 72),
    "nba_analytics.betting_lines": (2, 72), "nba_predictions.moving_average": (2, 72),
    "nba_predictions.ledger": (2, 108), "nba_predictions.archived_predictions": (2, 72),
    "nba_predictions.remediations": (2, 5), "nba_predictions.prediction_accuracy": (2, 108),
    "nba_predictions.grade_history": (2, 144), "nba_predictions.xgboost_v1": (0, 0),
}  # fmt: skip


@pytest.fixture(params=FROZEN, ids=[f.name.split(".")[0] for f in FROZEN])
def old(request, tmp_path) -> LakeWarehouse:
    """One of them, migrated (``test_migration.py``)."""
    lake = unpacked(request.param, tmp_path)
    migrate(lake)
    return lake


def test_they_are_small():
    assert FROZEN
    assert sum(f.stat().st_size for f in FROZEN) < 400_000


def test_every_table_and_view_is_read_with_all_of_its_rows(old):
    assert old.source() == "REAL"
    for table in TABLES.values():
        rows = old.read(table, old.partitions(table))
        pd.testing.assert_series_equal(rows.dtypes, table.empty().dtypes)
        assert int(old.query(f"SELECT COUNT(*) AS n FROM {table.address}")["n"][0]) == len(rows)
    found = {a: (len(old.partitions(TABLES[a])), len(old.read(TABLES[a], old.partitions(TABLES[a])))) for a in ROWS}
    assert found == ROWS
    shown = {a: len(old.query(f"SELECT * FROM {a}")) for a in VIEWS}
    assert shown["nba_predictions.judged_predictions"] == shown["nba_predictions.current_predictions"] == 108
    assert shown["nba_monitoring.line_quality_daily"] > 0


def test_nothing_of_them_counts_as_damaged_and_each_partition_has_a_state(old):
    assert old.damaged() == []
    for table in TABLES.values():
        states = old.states(table)
        assert list(states) == old.partitions(table)
        for day, state in states.items():
            rows = old.read(table, [day])
            assert (state.rows, state.content) == (len(rows), digests.content(table, rows, day))


def test_their_ledgers_are_appended_to(old):
    (night, _) = NIGHTS
    before = old.read(LEDGER, [night])
    one = before.head(1).assign(prediction_id="new", created_at=pd.Timestamp("2025-11-02T20:00Z"))
    result = old.append(LEDGER, pd.concat([before, one]), [night], {night: "inputs"})
    assert result == {night: (1, len(before))}
    pd.testing.assert_frame_equal(old.read(LEDGER, [night]).iloc[:-1].assign(row_digest=None), before)
    problems = judged(old, night, night)["problem"].dropna()
    assert set(problems) == {"DUPLICATE"}, "of the copy and its twin; what an earlier release published is valid"
    state = old.states(LEDGER)[night]
    assert (state.rows, state.made_from) == (len(before) + 1, "inputs")
    assert take_out(old, ["new"], night) == 1
    pd.testing.assert_frame_equal(old.read(LEDGER, [night]).assign(row_digest=None), before)
    count = old.query("SELECT COUNT(*) AS n FROM nba_predictions.judged_predictions")["n"][0]
    assert count == ROWS[LEDGER.address][1]


def test_their_catalog_opens_in_any_duckdb(old):
    old.create_views()
    with duckdb.connect(str(old.catalog_path), read_only=True) as catalog:
        for address in (*TABLES, *VIEWS):
            assert catalog.execute(f"SELECT COUNT(*) FROM {address}").fetchone() is not None


def test_a_release_that_gives_each_table_a_column_opens_them_too(old, monkeypatch):
    for table in list(TABLES.values()):
        note = Column("a_later_note", Type.STRING, "A note", nullable=True)
        monkeypatch.setitem(TABLES, table.address, replace(table, columns=(*table.columns, note)))
    for table in TABLES.values():
        assert old.read(table, old.partitions(table))["a_later_note"].isna().all()
    for address in (*TABLES, *VIEWS):
        old.query(f"SELECT * FROM {address}")
    old.create_views()
    with duckdb.connect(str(old.catalog_path), read_only=True) as catalog:
        assert catalog.execute(f"SELECT COUNT(a_later_note), COUNT(*) FROM {LEDGER.address}").fetchone() == (0, 108)
    assert old.damaged() == []


def test_going_back_a_release_finds_what_this_one_published_and_all_else_as_it_was(old):
    """As docs/production.md says: the release before reads every partition, and each untouched file is the same."""

    def files() -> dict[Path, str]:
        return {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in old.root.rglob("data.parquet")}

    before = files()
    columns = {
        t: pq.read_schema(old._file(t, old.partitions(t)[0])).names
        for t in TABLES.values()
        if t.write_mode is WriteMode.APPEND and old.partitions(t)
    }
    assert {LEDGER, ARCHIVED_PREDICTIONS, REMEDIATIONS, GRADE_HISTORY} <= columns.keys(), "what can't be made again"
    (night, _) = NIGHTS
    new = old.read(LEDGER, [night]).head(1).assign(prediction_id="new", run_id="of this release")
    signed = pd.DataFrame(
        [{"game_date": pd.Timestamp(night), "run_id": "of this release", "revision": "r2", "job_name": "predict",
          "command": None, "recorded_at": pd.Timestamp("2025-11-02T20:00Z")}]
    )  # fmt: skip
    old.append(PUBLICATIONS, signed, [night])
    assert old.append(LEDGER, new, [night]) == {night: (1, 0)}
    old.create_views()
    there = {t: names for t, names in columns.items() if night in old.partitions(t)}
    gained = {t: set(pq.read_schema(old._file(t, night)).names) - set(names) for t, names in there.items()}
    assert {t.name: names for t, names in gained.items() if names} == {
        LEDGER.name: {"forecast", "market", "row_digest"}
    }, "a column that a later release gave is named in its notes: see docs/production.md"
    after = files()
    changed = {f for f in before if after.get(f) != before[f]}
    assert changed == {old._file(LEDGER, night)}, "nothing but the date that was published is written again"
    assert set(after) - set(before) == {old._file(PUBLICATIONS, night)}
    said = old.query(
        "SELECT run_id, revision FROM nba_predictions.ledger_revisions WHERE game_date = @night", night=night
    )
    assert said.loc[said["run_id"] == "of this release", "revision"].tolist() == ["r2"]
    assert said.loc[said["run_id"] != "of this release", "revision"].isna().all(), "of releases before revisions"


def test_a_table_gets_its_older_name_back_as_documented_and_its_newer_one_again(old):
    """docs/production.md: a folder is moved, and not a byte of it differs."""
    folder = old.root / "nba_predictions"
    files = {f.relative_to(folder / "ledger"): f.read_bytes() for f in (folder / "ledger").rglob("*") if f.is_file()}
    (folder / "ledger").rename(folder / "player_prop_predictions")
    back = {f.relative_to(folder / "player_prop_predictions"): f.read_bytes()
            for f in (folder / "player_prop_predictions").rglob("*") if f.is_file()}  # fmt: skip
    assert back == files
    found = LakeWarehouse(old.root)
    assert [m.table for m in migrate(found)] == [LEDGER]
    assert {f.relative_to(folder / "ledger"): f.read_bytes()
            for f in (folder / "ledger").rglob("*") if f.is_file()} == files  # fmt: skip
