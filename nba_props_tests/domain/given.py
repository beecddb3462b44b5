"""What a system is given, from frames that a test wrote itself."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.systems.base import SystemInputs
from nba_props.facts.markets import POINTS
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES


def given(features: pd.DataFrame, lines: pd.DataFrame, past: pd.DataFrame | None = None, models=None) -> SystemInputs:
    """Features, lines and what else a system needs, of points; ``models`` by system and date."""
    tables = {PLAYER_FEATURES.address: features, MARKET_FEATURES.address: MARKET_FEATURES.empty()}
    return SystemInputs(lines.assign(market=POINTS), tables, past, models=models or {})
