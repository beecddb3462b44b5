"""The version of this release, in its one place: the wheel, the revision of every row and ``nba_props`` have it."""

__version__ = "0.1.0"
