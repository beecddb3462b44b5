"""The data dictionary, generated from the contracts by ``make docs``."""

from __future__ import annotations

from collections.abc import Sequence

from nba_props.catalog import TABLES, VIEWS
from nba_props.schemas import Column
from nba_props.schemas.examples import example_text
from nba_props.warehouse.lake.columns import columns_of


def _row(column: Column, address: str) -> str:
    limits = []
    if column.ge is not None:
        limits.append(f"≥ {column.ge:g}")
    if column.le is not None:
        limits.append(f"≤ {column.le:g}")
    if column.isin:
        limits.append(", ".join(column.isin))
    null = "yes" if column.nullable else ""
    shown = example_text(column, address).replace("|", "\\|")
    return f"| `{column.name}` | {column.type} | {null} | {'; '.join(limits)} | `{shown}` | {column.full_description} |"


def _columns(columns: Sequence[Column], address: str) -> list[str]:
    heading = ["| column | type | null | limits | example | meaning |", "|---|---|---|---|---|---|"]
    return [*heading, *(_row(column, address) for column in columns), ""]


def markdown() -> str:
    """Every table and view: key, columns, types, nulls, bounds, an example of each column, and meaning."""
    parts = ["# Data dictionary", "", "Generated from `nba_props/schemas/` by `make docs`; do not edit."]
    parts += ["Examples show the form of a value and are of no game.", ""]
    for table in TABLES.values():
        key = ", ".join(f"`{c}`" for c in table.unique) or "none"
        parts += [f"## {table.address}", "", table.description, "", f"Key: {key}. Written by {table.write_mode}.", ""]
        parts += _columns(table.columns, table.address)
    for view in VIEWS.values():
        parts += [f"## {view.address} (view)", "", view.description, ""]
        parts += _columns(columns_of(view.address, VIEWS), view.address)
    return "\n".join(parts)


if __name__ == "__main__":
    print(markdown())  # noqa: T201
