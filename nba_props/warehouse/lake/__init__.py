"""The local warehouse: Parquet files under a folder, queried by DuckDB in memory.

Belongs here: what is particular to a lake. Not here: what every warehouse does (``partitioned``).
"""

from nba_props.warehouse.lake.warehouse import SET_ASIDE, LakeWarehouse

__all__ = ["SET_ASIDE", "LakeWarehouse"]
