"""Systems whose forecast is a trained model's: that of each date's week, with a betting rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.models.card import Model
from nba_props.domain.models.chance import anchored_probability
from nba_props.domain.models.learner import Learner
from nba_props.domain.systems.base import Needs, System, SystemInputs, side_of
from nba_props.domain.systems.rows import predict
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.schemas.predictions import MAX_POINTS

#: the input of the confidence besides the share of known inputs
_SPREAD = "points_std_last_10"


@dataclass(frozen=True, kw_only=True)
class Trained(System):
    """A system with trained models, and the recipe of them; its rows have the model's version."""

    model_version: str = "none"
    learner: Learner
    #: the features that the model uses
    inputs: tuple[str, ...]
    #: features without which it abstains; any other may be null
    required: tuple[str, ...]
    #: confidence before quality of inputs and spread of points are added, 0-100 (docs/legacy-systems.md#xgboost_v1)
    base_confidence: float
    #: least distance from the line for a side
    min_edge: float

    def needs(self) -> Needs:
        optional = dict.fromkeys(n for n in (*self.inputs, _SPREAD) if n not in self.required)
        return Needs(required=self.required, optional=tuple(optional), tables=(PLAYER_FEATURES,), models=(self,))

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        models = inputs.models[self.system_id]
        return predict(self, lambda asked, _: self.forecast(asked, models), inputs.features, inputs.lines)

    def forecast(self, features: pd.DataFrame, models: Mapping[date, Model | str]) -> pd.DataFrame:
        """The forecast of each date's model, or the reason for having none; see ``rows.Forecast``."""
        days = features["game_date"].dt.date
        chosen = {d: models[d] for d in days.unique()}
        out = pd.DataFrame(index=features.index)
        out["predicted_points"] = np.nan
        out["over_probability"] = np.nan
        out["model_version"] = self.model_version
        out["reason"] = pd.Series(
            [m if isinstance(m, str) else None for m in (chosen[d] for d in days)], index=features.index, dtype=object
        )
        distinct = {m.card.fingerprint: m for m in chosen.values() if isinstance(m, Model)}
        for fingerprint, model in distinct.items():
            mine = features.index[[_made_by(chosen[d], fingerprint) for d in days]]
            asked = features.loc[mine]
            points = np.clip(self.learner.predict(model.artefact, asked[list(self.inputs)]), 0, MAX_POINTS)
            out.loc[mine, "predicted_points"] = points
            out.loc[mine, "over_probability"] = anchored_probability(
                model.card, points, asked["line"].to_numpy("float64"), asked["over_price"], asked["under_price"]
            )
            out.loc[mine, "model_version"] = model.card.version
        line = features["line"].astype("float64")
        bets = (out["predicted_points"] - line).round(9).abs() >= self.min_edge
        return out.assign(
            confidence_score=self.confidence(features).where(out["predicted_points"].notna()),
            side=side_of(out["predicted_points"], line, bets),
            term_model=out["predicted_points"],
        )

    def confidence(self, features: pd.DataFrame) -> pd.Series:
        """The legacy confidence of model systems (docs/legacy-systems.md#xgboost_v1): not a probability.

        Quality is the share of known inputs: the legacy score without its default values.
        """
        quality = 100 * features[list(self.inputs)].notna().mean(axis=1)
        spread = features[_SPREAD].astype("float64")
        bonus = np.where(quality >= 90, 10, np.where(quality >= 80, 7, np.where(quality >= 70, 5, 2)))
        steady = np.where(spread < 4, 10, np.where(spread < 6, 7, np.where(spread < 8, 5, 2)))
        return pd.Series((self.base_confidence + bonus + steady) / 100, index=features.index).clip(0, 1).round(9)


def _made_by(model: Model | str, fingerprint: str) -> bool:
    return isinstance(model, Model) and model.card.fingerprint == fingerprint
