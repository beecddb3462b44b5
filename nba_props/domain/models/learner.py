"""What a model is made by: a library, and a system's recipe for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nba_props.facts.markets import POINTS

#: threads of training and of serving; a fixed number, because sums depend on how they are split
THREADS = 2


class Learner(Protocol):
    """A library that trains models; a model is bytes in the library's own format."""

    library: str
    #: suffix of the stored file
    suffix: str
    parameters: Mapping[str, Any]
    #: what a point is worth in the market that it learns (``markets.scales``)
    scale: float

    def version(self) -> str:
        """Version of the library."""

    def fit(self, inputs: pd.DataFrame, results: pd.Series) -> bytes:
        """A model fitted to the rows; the same rows give the same model."""

    def predict(self, artefact: bytes, inputs: pd.DataFrame) -> np.ndarray:
        """The model's forecast for each row."""

    def importances(self, artefact: bytes) -> dict[str, float]:
        """Each input's share in the model, by the library's own measure; they sum to 1."""


class Recipe(Protocol):
    """How the weekly models of a system are made, ``nba_models/<system_id>``."""

    @property
    def system_id(self) -> str:
        """The system that they are for."""

    @property
    def market(self) -> str:
        """The market that they forecast."""

    @property
    def description(self) -> str:
        """A description in a sentence."""

    @property
    def learner(self) -> Learner:
        """The library that trains them."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features that they use."""

    @property
    def required(self) -> tuple[str, ...]:
        """The features without which a row is neither trained on nor forecast; any other may be null."""

    @property
    def average(self) -> str:
        """The feature that is the mean of the last ten games, which a model has to beat."""

    @property
    def schema_hash(self) -> str:
        """The hash of the features' definitions."""

    @property
    def target(self) -> str:
        """The column of training rows that they forecast: ``result``, unless it is not what a market counts."""

    @property
    def ceiling(self) -> float:
        """No forecast is above it, as none is below 0."""


#: the target of models of a market
RESULT = "result"


def model_id(recipe: Recipe) -> str:
    """The name of a recipe's models: the system's for points, with the market for others."""
    return recipe.system_id if recipe.market == POINTS else f"{recipe.system_id}/{recipe.market}"


def definition(recipe: Recipe) -> str:
    """The inputs and parameters of a system's models as the running code defines them, as JSON."""
    parts: list[Any] = [recipe.inputs, recipe.learner.parameters]
    if recipe.market != POINTS:  # the training data of points have the hash already
        parts += [recipe.schema_hash, recipe.learner.scale]
    return json.dumps(parts, default=dict, sort_keys=True)
