"""Column types of a contract, and of parameters, as BigQuery has them; and a contract's columns there."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from google.cloud import bigquery

from nba_props.facts.digest import digest
from nba_props.schemas import Column, Table, Type

#: types that the API names otherwise than GoogleSQL
_API_TYPES = {Type.INT64: "INTEGER", Type.FLOAT64: "FLOAT", Type.BOOL: "BOOLEAN"}
_CONTRACT_TYPES = {api: str(kind) for kind, api in _API_TYPES.items()}
_PARAMETER_TYPES = ((bool, "BOOL"), (datetime, "TIMESTAMP"), (date, "DATE"), (int, "INT64"), (float, "FLOAT64"))


def fields(table: Table) -> list[bigquery.SchemaField]:
    """The contract's columns. All are nullable there: what must not be null is refused before it is sent to BigQuery,
    and a restored row is stored in the ledger with its faults.
    """
    return [
        bigquery.SchemaField(c.name, _API_TYPES.get(c.type, c.type.value), description=c.full_description)
        for c in table.columns
    ]


def described_fields(schema: Sequence[bigquery.SchemaField], columns: Sequence[Column]) -> list[bigquery.SchemaField]:
    """A view's columns with their meanings, which BigQuery does not take over from the tables behind it."""
    meanings = {c.name: c.full_description for c in columns}
    return [bigquery.SchemaField(f.name, f.field_type, f.mode, description=meanings.get(f.name, "")) for f in schema]


def promises(schema: Sequence[bigquery.SchemaField]) -> dict[str, tuple[str, str | None]]:
    """Type and description of each column of a table in BigQuery."""
    return {f.name: (f.field_type, f.description) for f in schema}


def stored_columns(schema: Sequence[bigquery.SchemaField]) -> dict[str, str]:
    """A table's columns with the contract's names of their types."""
    return {f.name: _CONTRACT_TYPES.get(f.field_type, f.field_type) for f in schema}


def contract_columns(table: Table) -> dict[str, str]:
    """The contract's columns with their types."""
    return {c.name: str(c.type) for c in table.columns}


def contract_of(table: Table) -> str:
    """A short name of a contract's columns."""
    return digest(json.dumps(contract_columns(table)), 8)


def listed(names: Collection[str]) -> str:
    """Columns in a statement."""
    return ", ".join(f"`{n}`" for n in names)


def parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    """A statement's parameter."""
    if isinstance(value, list | tuple):
        return bigquery.ArrayQueryParameter(name, _type_of(value[0]) if value else "STRING", list(value))
    return bigquery.ScalarQueryParameter(name, _type_of(value), value)


def _type_of(value: Any) -> str:
    return next((kind for python, kind in _PARAMETER_TYPES if isinstance(value, python)), "STRING")
