"""The description of exported files as a Frictionless data package (``_datapackage.json``), made from the contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nba_props.process.version import __version__
from nba_props.schemas import Column, Type
from nba_props.schemas.examples import example_text

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES: Mapping[Type, str] = {
    Type.STRING: "string",
    Type.INT64: "integer",
    Type.FLOAT64: "number",
    Type.BOOL: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "datetime",
}


@dataclass(frozen=True)
class Resource:
    """A table or view, and the files that hold its rows, by their paths in the package."""

    address: str
    description: str
    columns: Sequence[Column]
    key: Sequence[str]
    paths: Sequence[str]


def descriptor(resources: Sequence[Resource], league: str) -> dict[str, Any]:
    """The content of ``datapackage.json``; ``league`` is REAL or SIMULATED."""
    return {
        "$schema": PROFILE,
        "name": "nba-props",
        "title": f"NBA player props, {league.lower()} league",
        "description": "Tables of nba_props: a file for each table and US/Eastern game date, the column game_date.",
        "version": __version__,
        "league": league,
        "resources": [_resource(r) for r in resources],
    }


def _resource(of: Resource) -> dict[str, Any]:
    return {
        "name": of.address.replace("_", "-"),
        "title": of.address,
        "description": of.description,
        "path": list(of.paths),
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "schema": {
            "fields": [_field(column, of.address) for column in of.columns],
            "fieldsMatch": ["exact"],
            **({"primaryKey": list(of.key)} if of.key else {}),
        },
    }


def _field(column: Column, address: str) -> dict[str, Any]:
    limits = {
        "required": None if column.nullable else True,
        "minimum": _plain(column, column.ge),
        "maximum": _plain(column, column.le),
        "enum": list(column.isin) if column.isin else None,
    }
    constraints = {name: limit for name, limit in limits.items() if limit is not None}
    return {
        "name": column.name,
        "type": _TYPES[column.type],
        "description": column.description,
        "example": example_text(column, address),
        **({"unit": column.unit} if column.unit else {}),
        **({"constraints": constraints} if constraints else {}),
    }


def _plain(column: Column, bound: float | None) -> float | None:
    return int(bound) if bound is not None and column.type is Type.INT64 else bound
