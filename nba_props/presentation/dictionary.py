"""The data dictionary, generated from the contracts by ``make docs``."""

from __future__ import annotations

from nba_props.catalog import TABLES, VIEWS
from nba_props.schemas import Column


def _row(column: Column) -> str:
    limits = []
    if column.ge is not None:
        limits.append(f"≥ {column.ge:g}")
    if column.le is not None:
        limits.append(f"≤ {column.le:g}")
    if column.isin:
        limits.append(", ".join(column.isin))
    null = "yes" if column.nullable else ""
    return f"| `{column.name}` | {column.type} | {null} | {'; '.join(limits)} | {column.full_description} |"


def markdown() -> str:
    """Every table and view: key, columns, types, nulls, bounds and meaning."""
    parts = ["# Data dictionary", "", "Generated from `nba_props/schemas/` by `make docs`; do not edit.", ""]
    for table in TABLES.values():
        key = ", ".join(f"`{c}`" for c in table.unique) or "none"
        parts += [f"## {table.address}", "", table.description, "", f"Key: {key}. Written by {table.write_mode}.", ""]
        parts += ["| column | type | null | limits | meaning |", "|---|---|---|---|---|"]
        parts += [_row(c) for c in table.columns]
        parts.append("")
    for view in VIEWS.values():
        parts += [f"## {view.address} (view)", "", view.description, ""]
    return "\n".join(parts)


if __name__ == "__main__":
    print(markdown())  # noqa: T201
