"""A warehouse of each kind, as its own contract has them."""

from nba_props_tests.warehouse.test_contract import store

__all__ = ["store"]
