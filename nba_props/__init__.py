"""nba_props: a Dagster asset-based platform for NBA player-points props."""

__version__ = "0.1.0"
