"""Systems whose forecast is a formula of a player's features and, if it needs them, of his past games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from nba_props.domain.systems.base import Needs, System, SystemInputs
from nba_props.domain.systems.rows import Forecast, predict
from nba_props.facts.markets import POINTS
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES


@dataclass(frozen=True, kw_only=True)
class Formula(System):
    """A system with a formula."""

    #: features without which it abstains, by their names for points
    required: tuple[str, ...]
    #: additive adjustments: a null one is left out and listed in the row's components, never replaced by a value
    optional: tuple[str, ...] = ()
    #: the features that take the place of some of these in other markets
    elsewhere: Mapping[str, str] = field(default_factory=dict, hash=False)
    uses_past: bool = False
    forecast: Forecast

    @property
    def others(self) -> tuple[str, ...]:
        """The markets other than points."""
        return tuple(m for m in self.markets if m != POINTS)

    def needs(self) -> Needs:
        tables = (PLAYER_FEATURES, MARKET_FEATURES) if self.others else (PLAYER_FEATURES,)
        return Needs(required=self.required, optional=self.optional, tables=tables, uses_past=self.uses_past)

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        points = predict(self, self.forecast, inputs.features, inputs.lines, inputs.past)
        if not self.others:
            return points
        names = self.elsewhere
        needs = replace(
            self.needs(),
            required=tuple(names.get(n, n) for n in self.required),
            optional=tuple(names.get(n, n) for n in self.optional),
        )

        def forecast(features: pd.DataFrame, past: pd.DataFrame | None) -> pd.DataFrame:
            return self.forecast(features.rename(columns={new: old for old, new in names.items()}), past)

        elsewhere = predict(self, forecast, inputs.elsewhere(self.others), inputs.lines, inputs.past, needs=needs)
        return pd.concat([points, elsewhere], ignore_index=True) if len(elsewhere) else points
