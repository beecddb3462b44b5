from __future__ import annotations

import pytest

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain.gate import REASONS
from nba_props.domain.lines import LINE_PROBLEMS, line_problem_sql
from nba_props.domain.systems import SYSTEMS
from nba_props.schemas import WriteMode
from nba_props.warehouse.sql import to_duckdb


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_is_fully_described(table):
    assert table.description.endswith((".", "s"))
    assert table.column("game_date").type == "DATE"
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
    assert {s.table.name for s in SYSTEMS} == {s.system_id for s in SYSTEMS}
