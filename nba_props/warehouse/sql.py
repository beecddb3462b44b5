"""SQL is written once, in the portable GoogleSQL subset, and turned into DuckDB's here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


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
    reads = sorted({f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db})
    return Statement(tree.sql(dialect="duckdb"), tuple(reads))
