from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from nba_props.assets import predictions
from nba_props.assets.tables import asset_key
from nba_props.catalog import TABLES, VIEWS
from nba_props.domain.gate import REASONS
from nba_props.domain.lines import LINE_PROBLEMS, line_problem_sql
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS
from nba_props.schemas import Table, Type, WriteMode
from nba_props.schemas.base import Column
from nba_props.schemas.predictions import SYSTEM_COLUMNS
from nba_props.warehouse.sql import to_duckdb


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_is_fully_described(table):
    assert table.description.endswith(".")
    assert {c.name: c.type for c in table.columns}["game_date"] == "DATE"
    assert all(c.description for c in table.columns)
    assert len(set(table.column_names)) == len(table.columns)
    assert set(table.key) | set(table.content) <= set(table.column_names)
    assert table.violations(table.validate(table.empty())).empty
    assert table.write_mode is WriteMode.REPLACE or table.key


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_lineage_names_columns_that_exist(table):
    for column in table.columns:
        for source in column.source:
            dataset, name, upstream = source.split(".")
            assert upstream in TABLES[f"{dataset}.{name}"].column_names, source


def test_views_read_tables_that_exist():
    for view in VIEWS.values():
        assert set(to_duckdb(view.sql).reads) <= set(TABLES) | set(VIEWS)


def test_every_reason_code_of_the_gate_is_explained():
    import re

    codes = set(re.findall(r"THEN '([A-Z_]+)'", line_problem_sql()))
    assert codes == set(LINE_PROBLEMS)
    assert set(LINE_PROBLEMS) <= set(REASONS)


def test_every_system_has_its_table():
    assert len(SYSTEM_TABLES) == len(SYSTEMS), "two systems have one id"
    assert [t for t in TABLES.values() if t.columns == SYSTEM_COLUMNS] == list(SYSTEM_TABLES.values())
    assets = predictions.build(dg.DailyPartitionsDefinition("2025-10-21"))
    assert {key for asset in assets for key in asset.keys} >= {asset_key(table) for table in SYSTEM_TABLES.values()}


def rows_of(table: Table) -> pd.DataFrame:
    """Three rows that keep a contract whose columns are named by their types."""
    values = {
        Type.STRING: ["a", "b", "a"], Type.INT64: [1, 2, 3], Type.FLOAT64: [0.5, 1.0, 1.5], Type.BOOL: [True, False, True],
        Type.DATE: pd.Timestamp("2025-11-05"), Type.TIMESTAMP: pd.Timestamp("2025-11-05T00:00Z"),
    }  # fmt: skip
    frame = pd.DataFrame({"game_date": [pd.Timestamp("2025-11-05")] * 3, "key": ["x", "y", "z"]})
    for column in table.columns[2:]:
        frame[column.name] = values[column.type]
    return table.conform(frame)


KINDS = Table(
    "nba_raw", "kinds", "Every kind of column.",
    (
        Column("game_date", Type.DATE, "Date"), Column("key", Type.STRING, "Key"),
        *(
            Column(f"{kind.lower()}_{n}", kind, "A value", nullable=bool(n), ge=ge, le=le, isin=isin)
            for kind, ge, le, isin in (
                (Type.STRING, None, None, ("a", "b")), (Type.INT64, 1, 3, None), (Type.FLOAT64, 0.5, 1.5, None),
                (Type.BOOL, None, None, None), (Type.DATE, None, None, None), (Type.TIMESTAMP, None, None, None),
            )
            for n in (0, 1)
        ),
    ),
    key=("key",),
)  # fmt: skip


def breaches() -> Iterator[tuple[str, pd.DataFrame]]:
    """Frames that break the contract in one place, and some that do not."""
    whole = rows_of(KINDS)
    yield "whole", whole
    yield "one row", whole.head(1)
    yield "a key twice", whole.assign(key=["x", "y", "x"])
    yield "a column less", whole.drop(columns="int64_0")
    yield "a column more", whole.assign(more=1)
    yield "another order", whole[whole.columns[::-1]]
    for column in KINDS.columns:
        name, at = column.name, whole.columns.get_loc(column.name)
        empty = whole.copy()
        empty[name] = empty[name].astype(object).where([True, False, True], None).astype(empty[name].dtype)
        yield f"{name} null", empty
        if column.type is not Type.STRING:
            yield f"{name} of another type", whole.assign(**{name: whole[name].astype(str)})
        for value in (column.ge and column.ge - 1, column.le and column.le + 1, "c" if column.isin else None):
            if value is not None:
                changed = whole.copy()
                changed.isetitem(at, changed[name].mask([False, False, True], value).astype(changed[name].dtype))
                yield f"{name} {value}", changed


def test_validation_agrees_with_pandera():
    said = {}
    for what, frame in breaches():
        try:
            KINDS.pandera_schema.validate(frame, lazy=True)
            said[what] = True
        except SchemaErrors:
            said[what] = False
        assert KINDS._is_kept_by(frame) == said[what], what
        assert KINDS.violations(frame).empty == said[what], what
    assert said["whole"]
    assert said["one row"]
    assert sum(said.values()) == 2 + sum(c.nullable for c in KINDS.columns)
