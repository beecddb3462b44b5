"""What analysts read: tables and views of a lake or of BigQuery as frames, and copies of them for other tools.

Belongs here: which rows are asked for, in what form they are handed over, how they are described. Not here: how
they are stored (warehouse) or what they mean (schemas, domain).
"""

from nba_props.data.lake import Lake, open_lake
from nba_props.data.selection import SelectionError

__all__ = ["Lake", "SelectionError", "open_lake"]
