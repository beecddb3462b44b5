"""nba_props: a Dagster asset-based platform for NBA player props.

For analysts: ``import nba_props as nba; lake = nba.open()``, then ``lake.read("current_predictions", "2026-01-09")``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nba_props.process.version import __version__

if TYPE_CHECKING:
    from nba_props.data import Lake, SelectionError
    from nba_props.data import open_lake as open

__all__ = ["Lake", "SelectionError", "__version__", "open"]


def __getattr__(name: str) -> Any:
    """What is exported, imported on first use: until then no library is loaded."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nba_props import data

    return getattr(data, {"open": "open_lake"}.get(name, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
