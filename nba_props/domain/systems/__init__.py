"""The prediction systems, one module each, all with one signature.

To add one: write a module with a ``SYSTEM``, list it here and name its table in ``schemas/predictions.py``; its asset,
checks and place before the gate follow.
"""

from nba_props.domain.systems import moving_average, shrunk_rate, similarity, zone_matchup
from nba_props.domain.systems.base import System

SYSTEMS: tuple[System, ...] = (
    moving_average.SYSTEM,
    zone_matchup.SYSTEM,
    similarity.SYSTEM,
    shrunk_rate.SYSTEM,
)

__all__ = ["SYSTEMS", "System"]
