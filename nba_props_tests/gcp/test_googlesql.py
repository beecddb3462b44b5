"""The judge of statements (conftest runs it over whatever the package asks), and the views."""

from __future__ import annotations

import sys

import pytest

from nba_props.catalog import TABLES, VIEWS
from nba_props.warehouse.sql import qualified, reads, to_duckdb
from nba_props_tests.gcp.googlesql import Gate, analyse, unbounded

BOX = "nba_raw.box_scores"


@pytest.mark.parametrize("address", VIEWS)
def test_googles_analyzer_accepts_every_view(address):
    analyse(VIEWS[address].sql)


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT median(points) FROM {BOX}",
        f"SELECT * EXCLUDE (points) FROM {BOX}",
        f"SELECT points::int FROM {BOX}",
        f"SELECT 1 FROM {BOX} WHERE game_date >= '2025-01-01 00:00:00'",
        f"SELECT nothing FROM {BOX}",
        f"SELECT ROW_NUMBER() OVER (ORDER BY points ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {BOX}",
    ],
)
def test_the_analyzer_refuses_the_syntax_of_duckdb(statement):
    with pytest.raises(Exception, match=r"\S"):
        analyse(statement)


@pytest.mark.parametrize(
    ("statement", "scanned"),
    [
        (f"SELECT * FROM {BOX} WHERE game_date = @day", []),
        (f"SELECT * FROM {BOX} AS b WHERE b.game_date BETWEEN @a AND @b AND b.points > 3", []),
        (f"SELECT * FROM {BOX} WHERE game_date IN UNNEST(@days)", []),
        (f"SELECT * FROM {BOX} WHERE game_date >= CAST(DATE_SUB(@a, INTERVAL 9 DAY) AS DATE)", []),
        (f"SELECT * FROM {BOX}", [BOX]),
        (f"SELECT * FROM {BOX} WHERE points > 3", [BOX]),
        (f"SELECT * FROM {BOX} WHERE game_date = @day OR points > 3", [BOX]),
        (f"SELECT * FROM {BOX} WHERE game_date = season", [BOX]),
        (f"SELECT * FROM {BOX} WHERE game_date >= (SELECT MIN(game_date) FROM {BOX} WHERE game_date = @a)", [BOX]),
        (
            f"SELECT * FROM nba_analytics.slate AS s JOIN {BOX} AS b ON b.game_date < s.game_date "
            "WHERE s.game_date = @day", [BOX],
        ),
        (
            f"SELECT * FROM nba_analytics.slate AS s JOIN {BOX} AS b ON b.game_date < s.game_date "
            "WHERE s.game_date = @day AND b.game_date < @day", [],
        ),
    ],
)  # fmt: skip
def test_a_scan_of_every_date_is_detected(statement, scanned):
    assert unbounded(statement) == scanned


def test_the_gate_reports_a_statement_once(tmp_path):
    gate, here = Gate(tmp_path / "statements"), sys._getframe()
    as_if = type("Frame", (), {"f_code": type("Code", (), {"co_filename": "/x/nba_props/a.py", "co_name": "f"})})
    with pytest.raises(AssertionError, match=r"a\.py, f scans every date of nba_raw\.box_scores"):
        gate.judge(f"SELECT * FROM {BOX}", as_if)
    with pytest.raises(AssertionError, match=r"BigQuery would refuse a statement of a\.py, f"):
        gate.judge(f"SELECT nothing FROM {BOX}", as_if)
    gate.judge(f"SELECT nothing FROM {BOX}", as_if)
    gate.judge("SELECT nonsense", here)  # the tests' own statements are their own


def test_names_are_qualified_and_nothing_else_changes():
    sql = f"SELECT 'nba_raw.box_scores_of_old', b.game_date FROM {BOX} AS b -- nba_raw.nothing\n"
    assert qualified(sql, lambda a: f"p.x_{a}") == sql.replace(f"FROM {BOX}", f"FROM `p.x_{BOX}`")
    for view in VIEWS.values():
        assert set(reads(view.sql)) == set(to_duckdb(view.sql).reads) - {""}
        assert set(reads(view.sql)) <= {*TABLES, *VIEWS}
