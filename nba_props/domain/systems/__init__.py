"""The prediction systems, one module each, all with one signature.

To add one: write a module with a ``SYSTEM``, list it here and name its table in ``schemas/predictions.py``; its asset,
checks and place before the gate follow.
"""

from nba_props.domain.systems import (
    catboost_v8,
    ensemble,
    moving_average,
    shrunk_rate,
    similarity,
    xgboost_v1,
    zone_matchup,
)
from nba_props.domain.systems.base import System

SYSTEMS: tuple[System, ...] = (
    moving_average.SYSTEM,
    zone_matchup.SYSTEM,
    similarity.SYSTEM,
    shrunk_rate.SYSTEM,
    xgboost_v1.SYSTEM,
    catboost_v8.SYSTEM,
    ensemble.V1,
    ensemble.V1_1,
)

__all__ = ["SYSTEMS", "System"]
