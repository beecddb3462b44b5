"""The contract of every table: types, units, nullability, bounds, keys and lineage.

Belongs here: what a table promises. Not here: how rows are made (domain) or stored (warehouse).
"""

from nba_props.schemas.base import Column, ContractError, Table, Type, View, WriteMode

__all__ = ["Column", "ContractError", "Table", "Type", "View", "WriteMode"]
