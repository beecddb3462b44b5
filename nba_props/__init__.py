"""nba_props: a Dagster asset-based platform for NBA player props."""

__version__ = "0.1.0"
