"""The tool that changes the rules and asks whether tests notice: what it changes, and what it accepts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import mutants
from benchmarks.sql_changes import changed_sql, is_sql

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("a.x <= 1", ["a.x < 1", "a.x > 1", "a.x <= 2", "a.x <= 0"]),
        ("a.x = b.x AND a.y IS NULL", [
            "a.x <> b.x AND a.y IS NULL", "a.x = b.x OR a.y IS NULL", "a.y IS NULL", "a.x = b.x ",
            "a.x = b.x AND a.y IS NOT NULL",
        ]),
        ("a.d BETWEEN @first AND @last", []),
        ("(a.x = 'NO_LINE' OR NOT a.y) AND a.d BETWEEN 'x' AND 'y'", [
            "(a.x <> 'NO_LINE' OR NOT a.y) AND a.d BETWEEN 'x' AND 'y'",
            "(a.x = 'XNO_LINE' OR NOT a.y) AND a.d BETWEEN 'x' AND 'y'",
            "(a.x = 'NO_LINE' AND NOT a.y) AND a.d BETWEEN 'x' AND 'y'", "(NOT a.y) AND a.d BETWEEN 'x' AND 'y'",
            "(a.x = 'NO_LINE' ) AND a.d BETWEEN 'x' AND 'y'", "(a.x = 'NO_LINE' OR  a.y) AND a.d BETWEEN 'x' AND 'y'",
            "(a.x = 'NO_LINE' OR NOT a.y) OR a.d BETWEEN 'x' AND 'y'", "a.d BETWEEN 'x' AND 'y'",
            "(a.x = 'NO_LINE' OR NOT a.y) ",
        ]),
        ("CASE WHEN a.x THEN 1 WHEN a.y THEN 2 ELSE 3 END", [
            "CASE WHEN a.y THEN 2 ELSE 3 END", "CASE WHEN a.x THEN 1 ELSE 3 END", "CASE WHEN a.x THEN 2 WHEN a.y THEN 2 ELSE 3 END",
            "CASE WHEN a.x THEN 0 WHEN a.y THEN 2 ELSE 3 END", "CASE WHEN a.x THEN 1 WHEN a.y THEN 3 ELSE 3 END",
            "CASE WHEN a.x THEN 1 WHEN a.y THEN 1 ELSE 3 END", "CASE WHEN a.x THEN 1 WHEN a.y THEN 2 ELSE 4 END",
            "CASE WHEN a.x THEN 1 WHEN a.y THEN 2 ELSE 2 END",
        ]),
        ("SELECT DISTINCT MAX(COALESCE(a.x, TRUE)) FROM a LEFT JOIN b ORDER BY a.x, a.y", [
            "SELECT  MAX(COALESCE(a.x, TRUE)) FROM a LEFT JOIN b ORDER BY a.x, a.y",
            "SELECT DISTINCT MIN(COALESCE(a.x, TRUE)) FROM a LEFT JOIN b ORDER BY a.x, a.y",
            "SELECT DISTINCT MAX(COALESCE(a.x)) FROM a LEFT JOIN b ORDER BY a.x, a.y",
            "SELECT DISTINCT MAX(COALESCE(a.x, FALSE)) FROM a LEFT JOIN b ORDER BY a.x, a.y",
            "SELECT DISTINCT MAX(COALESCE(a.x, TRUE)) FROM a  JOIN b ORDER BY a.x, a.y",
            "SELECT DISTINCT MAX(COALESCE(a.x, TRUE)) FROM a LEFT JOIN b ORDER BY a.x DESC, a.y",
        ]),
    ],
)  # fmt: skip
def test_sql_is_changed_in_one_place(sql, changes):
    assert sorted(changed_sql(sql)) == sorted(changes)


def test_sql_is_recognised():
    assert is_sql("q.quote_id IS NULL")
    assert is_sql("p.cutoff_at > g.start_at")
    assert is_sql("AND {0}.game_date BETWEEN @first AND @last")
    assert not is_sql("the line's source is neither ACTUAL_PROP nor NO_PROP_LINE")
    assert not is_sql("over_price")


SOURCE = '''
"""A docstring of 1."""
X: tuple[int, 1] = (1.0, "NO_CODE")
@cache(5)
def f(frame: Frame[2], side="over"):
    """And > another."""
    if not frame.a.isna().any() and len(frame) >= 3:
        raise ValueError("wrong")
    frame["z"] = frame["x"].fillna(0).where(frame["over_price"].eq(2) & frame.b)
    return f"SELECT * FROM t WHERE t.a = {side} AND t.b"
'''


def changes(source: str) -> list[tuple[int, str]]:
    return [(m.number, m.change) for m in mutants.mutants("m.py", ast.parse(source), source.splitlines())]


def test_python_is_changed_where_it_decides():
    found = changes(SOURCE)
    assert {number for number, _ in found} == {3, 5, 7, 8, 9, 10}, "neither docstrings, nor types, nor decorators"
    assert [change for number, change in found if number in (3, 5, 8, 10)] == [
        "(1.0, 'NO_CODE') -> ('NO_CODE',)", "(1.0, 'NO_CODE') -> (1.0,)", "(1.0, 'NO_CODE') -> (1.1, 'NO_CODE')",
        "(1.0, 'NO_CODE') -> (0.9, 'NO_CODE')", "(1.0, 'NO_CODE') -> (1.0, 'XNO_CODE')", "'over' -> 'under'",
        "raise ValueError('wrong') -> pass", "t.a = {side} -> t.a <> {side}", "{side} AND t.b -> {side} OR t.b",
        "WHERE t.a = {side} AND t.b -> WHERE t.b", "= {side} AND t.b -> = {side}",
    ]  # fmt: skip


def test_every_mutant_is_another_module():
    whole = ast.unparse(ast.parse(SOURCE))
    for n in range(len(changes(SOURCE))):
        tree = ast.parse(SOURCE)
        mutants.mutants("m.py", tree, SOURCE.splitlines())[n].apply()
        compile(tree, "m.py", "exec")
        assert ast.unparse(tree) != whole


def test_every_listed_survivor_is_a_mutant_of_the_code_as_it_is():
    """A line that was changed since has other mutants, and its entry has to go."""
    there = set()
    for module in mutants.MODULES:
        text = (ROOT / module).read_text()
        there |= {m.key for m in mutants.mutants(module, ast.parse(text), text.splitlines())}
    assert set(mutants.known()) <= there
    assert all(mutants.known().values()), "each has a reason"


@pytest.mark.long
def test_some_mutants_are_killed_and_the_others_are_listed():
    command = [sys.executable, "-m", "benchmarks.mutants", "prices", "names", "archive", "--sample", "7", "--seed", "3"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for module in ("domain/prices.py", "domain/names.py", "operations/archive.py"):
        (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith(f"nba_props/{module} ")]
        assert row[1] == "7"
        assert int(row[2]) + int(row[3]) == 7
        assert int(row[2]) >= 4, "a change of a rule is noticed"
