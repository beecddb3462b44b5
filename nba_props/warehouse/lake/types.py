"""Column types of a contract as DuckDB and Parquet have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nba_props.schemas import Type
from nba_props.warehouse import growth

if TYPE_CHECKING:
    import pyarrow

DUCKDB_TYPES: Mapping[Type, str] = {
    Type.STRING: "VARCHAR",
    Type.INT64: "BIGINT",
    Type.FLOAT64: "DOUBLE",
    Type.BOOL: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}


def stored_columns(schema: pyarrow.Schema) -> dict[str, str]:
    """A file's columns with the contract's names of their types, or Arrow's where the contract has none."""
    found = {f.name: _type_name(f.type) for f in schema}
    for name in schema.names:
        if schema.names.count(name) > 1:
            found[name] = "there more than once"
    return found


def _type_name(kind: pyarrow.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    kinds = {
        Type.STRING: pa.types.is_string(kind) or pa.types.is_large_string(kind),
        Type.INT64: pa.types.is_int64(kind),
        Type.FLOAT64: pa.types.is_float64(kind),
        Type.BOOL: pa.types.is_boolean(kind),
        Type.DATE: pa.types.is_date32(kind),
        Type.TIMESTAMP: pa.types.is_timestamp(kind) and kind.tz is not None,
        growth.ALL_NULL: pa.types.is_null(kind),
    }
    return next((str(name) for name, is_it in kinds.items() if is_it), str(kind))
