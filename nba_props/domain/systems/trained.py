"""Systems whose forecast is a trained model's: that of each date's week and of the market, with a betting rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from nba_props.domain.models.card import Model
from nba_props.domain.models.chance import anchored_probability
from nba_props.domain.models.learner import RESULT, Learner, model_id
from nba_props.domain.systems.base import Needs, System, SystemInputs, side_of
from nba_props.domain.systems.rows import predict
from nba_props.facts.markets import POINTS, market, scales
from nba_props.schemas.features import MARKET_FEATURES, MARKET_SCHEMA_HASH, PLAYER_FEATURES, SCHEMA_HASH

#: the models of one market, or why there are none, by date
_Models = Mapping[date, Model | str]


@dataclass(frozen=True)
class Training:
    """The recipe of a trained system's models of one market."""

    system_id: str
    market: str
    description: str
    learner: Learner
    inputs: tuple[str, ...]
    required: tuple[str, ...]

    @property
    def average(self) -> str:
        """The feature that is the mean of the last ten games."""
        return "points_avg_last_10" if self.market == POINTS else "avg_last_10"

    @property
    def spread(self) -> str:
        """The feature that is their deviation: an input of the confidence."""
        return "points_std_last_10" if self.market == POINTS else "std_last_10"

    @property
    def target(self) -> str:
        """What the market counts."""
        return RESULT

    @property
    def ceiling(self) -> float:
        """That of the market."""
        return float(market(self.market).ceiling)

    @property
    def schema_hash(self) -> str:
        """The hash of the features' definitions."""
        return SCHEMA_HASH if self.market == POINTS else MARKET_SCHEMA_HASH


@dataclass(frozen=True, kw_only=True)
class Trained(System):
    """A system with trained models, one a week for each market; its rows have the model's version."""

    model_version: str = "none"
    #: the library that trains the models of a market, by the market's scale (``markets.scales``)
    learner: Callable[[float], Learner]
    #: the features that a model of points uses, and those of them without which it abstains; any other may be null
    inputs: tuple[str, ...]
    required: tuple[str, ...]
    #: the same for models of other markets
    elsewhere: tuple[str, ...] = ()
    required_elsewhere: tuple[str, ...] = ()
    #: confidence before quality of inputs and spread of results are added, 0-100
    #: (docs/legacy-systems.md#xgboost_v1)
    base_confidence: float
    #: least distance from the line for a side, in points; in other markets by the error of their lines
    min_edge: float

    @cached_property
    def recipes(self) -> tuple[Training, ...]:
        """The recipes of its models, one for each market."""
        own = {
            True: (self.inputs, self.required),
            False: (self.elsewhere, self.required_elsewhere),
        }
        return tuple(
            Training(self.system_id, m, self.description, self.learner(scales()[m]), *own[m == POINTS])
            for m in self.markets
        )

    def needs(self) -> Needs:
        return self._needs(self.recipes[:1])

    def _needs(self, recipes: Sequence[Training]) -> Needs:
        """What it reads in the markets of some recipes, which have the same inputs."""
        first = recipes[0]
        optional = dict.fromkeys(n for n in (*first.inputs, first.spread) if n not in first.required)
        tables = (PLAYER_FEATURES, MARKET_FEATURES) if len(self.markets) > 1 else (PLAYER_FEATURES,)
        return Needs(required=first.required, optional=tuple(optional), tables=tables, models=self.recipes)

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        of_points = [r for r in self.recipes if r.market == POINTS]
        others = [r for r in self.recipes if r.market != POINTS]
        parts = [self._rows(of_points, inputs.features, inputs)]
        if others:
            parts.append(self._rows(others, inputs.elsewhere([r.market for r in others]), inputs))
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def _rows(self, recipes: Sequence[Training], features: pd.DataFrame, inputs: SystemInputs) -> pd.DataFrame:
        rows = features.reset_index(drop=True)
        asked = {POINTS, *rows["market"]}
        models = {r.market: inputs.models[model_id(r)] for r in recipes if r.market in asked}
        return predict(
            self,
            lambda asked, _: self.forecast(asked, recipes[0], rows["market"][asked.index], models),
            rows,
            inputs.lines,
            needs=self._needs(recipes),
        )

    def forecast(
        self, features: pd.DataFrame, recipe: Training, market: pd.Series, models: Mapping[str, _Models]
    ) -> pd.DataFrame:
        """The forecast of the model of each date and market, or the reason for having none; see ``rows.Forecast``."""
        both = pd.DataFrame({"market": market, "game_date": features["game_date"]})
        pairs = both.drop_duplicates()
        chosen = [models[m][day.date()] for m, day in pairs.itertuples(index=False)]
        codes = pd.MultiIndex.from_frame(pairs).get_indexer(pd.MultiIndex.from_frame(both))
        out = pd.DataFrame(index=features.index)
        out["forecast"] = np.nan
        out["over_probability"] = np.nan
        out["model_version"] = self.model_version
        reasons = np.array([m if isinstance(m, str) else None for m in chosen], dtype=object)
        out["reason"] = pd.Series(reasons[codes], index=features.index, dtype=object)
        for model in {id(m): m for m in chosen if isinstance(m, Model)}.values():
            mine = features.index[np.isin(codes, [n for n, m in enumerate(chosen) if m is model])]
            asked = features.loc[mine]
            found = np.clip(
                recipe.learner.predict(model.artefact, asked[list(recipe.inputs)]), 0, asked["ceiling"].to_numpy()
            )
            out.loc[mine, "forecast"] = found
            out.loc[mine, "over_probability"] = anchored_probability(
                model.card, found, asked["line"].to_numpy("float64"), asked["over_price"], asked["under_price"]
            )
            out.loc[mine, "model_version"] = model.card.version
        line = features["line"].astype("float64")
        bets = (out["forecast"] - line).round(9).abs() >= self.min_edge * features["scale"]
        return out.assign(
            confidence_score=self.confidence(features, recipe).where(out["forecast"].notna()),
            side=side_of(out["forecast"], line, bets),
            term_model=out["forecast"],
        )

    def confidence(self, features: pd.DataFrame, recipe: Training) -> pd.Series:
        """The legacy confidence of model systems (docs/legacy-systems.md#xgboost_v1): not a probability.

        Quality is the share of known inputs: the legacy score without its default values. The spread counts in points,
        in other markets by the error of their lines.
        """
        quality = 100 * features[list(recipe.inputs)].notna().mean(axis=1)
        spread = features[recipe.spread].astype("float64") / features["scale"]
        bonus = np.where(quality >= 90, 10, np.where(quality >= 80, 7, np.where(quality >= 70, 5, 2)))
        steady = np.where(spread < 4, 10, np.where(spread < 6, 7, np.where(spread < 8, 5, 2)))
        return pd.Series((self.base_confidence + bonus + steady) / 100, index=features.index).clip(0, 1).round(9)
