"""Systems whose forecast is a formula of a player's features and, if it needs them, of his past games."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nba_props.domain.systems.base import Needs, System, SystemInputs
from nba_props.domain.systems.rows import Forecast, predict
from nba_props.schemas.features import PLAYER_FEATURES


@dataclass(frozen=True, kw_only=True)
class Formula(System):
    """A system with a formula."""

    #: features without which it abstains
    required: tuple[str, ...]
    #: additive adjustments: a null one is left out and listed in the row's components, never replaced by a value
    optional: tuple[str, ...] = ()
    uses_past: bool = False
    forecast: Forecast

    def needs(self) -> Needs:
        return Needs(
            required=self.required, optional=self.optional, tables=(PLAYER_FEATURES,), uses_past=self.uses_past
        )

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        return predict(self, self.forecast, inputs.features, inputs.lines, inputs.past)
