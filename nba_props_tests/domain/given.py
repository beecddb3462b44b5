"""What a system is given, from frames that a test wrote itself."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.systems.base import SystemInputs
from nba_props.schemas.features import PLAYER_FEATURES


def given(features: pd.DataFrame, lines: pd.DataFrame, past: pd.DataFrame | None = None, models=None) -> SystemInputs:
    """Features, lines and what else a system needs; ``models`` by system and date."""
    return SystemInputs(lines, {PLAYER_FEATURES.address: features}, past, models=models or {})
