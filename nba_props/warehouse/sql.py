"""SQL is written once, in the portable GoogleSQL subset: BigQuery runs it as it is, the lake in DuckDB's dialect."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from nba_props.catalog import TABLES, VIEWS

_ADDRESS = re.compile(r"(?<![\w.`])(nba_[a-z]+\.[a-z]\w*)(?![\w.`])")


@dataclass(frozen=True)
class Statement:
    """A DuckDB statement and the addresses (``dataset.table``) it reads."""

    sql: str
    reads: tuple[str, ...]


@lru_cache(maxsize=256)
def to_duckdb(sql: str) -> Statement:
    """Translate one GoogleSQL statement; raises ``sqlglot.errors.ParseError`` with the place of a mistake."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="bigquery")
    found = sorted({f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db})
    return Statement(tree.sql(dialect="duckdb"), tuple(found))


def reads(sql: str) -> list[str]:
    """The addresses in a statement, without parsing it: datasets are named ``nba_...`` and nothing else is."""
    return sorted(set(_ADDRESS.findall(sql)))


def qualified(sql: str, name: Callable[[str], str]) -> str:
    """The statement with full names for its tables and views, and otherwise unchanged."""
    known = {*TABLES, *VIEWS}
    return _ADDRESS.sub(lambda found: f"`{name(found[1])}`" if found[1] in known else found[1], sql)
