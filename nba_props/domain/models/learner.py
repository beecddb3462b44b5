"""What makes a model: a library that learns, and what a system wants it to learn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

#: threads of training and of serving; a fixed number, because sums depend on how they are split
THREADS = 2


class Learner(Protocol):
    """A library that makes models; a model travels as bytes in the library's own format."""

    library: str
    #: suffix of the stored file
    suffix: str
    parameters: Mapping[str, Any]

    def version(self) -> str:
        """Version of the library."""

    def fit(self, inputs: pd.DataFrame, points: pd.Series) -> bytes:
        """A model fitted to the rows; the same rows give the same model."""

    def predict(self, artefact: bytes, inputs: pd.DataFrame) -> np.ndarray:
        """The model's forecast for each row."""

    def importances(self, artefact: bytes) -> dict[str, float]:
        """Each input's share in the model, by the library's own measure; they sum to 1."""


class Recipe(Protocol):
    """How the weekly models of a system are made, ``nba_models/<system_id>``."""

    @property
    def system_id(self) -> str:
        """Whose models they are."""

    @property
    def description(self) -> str:
        """What they are, in a sentence."""

    @property
    def learner(self) -> Learner:
        """The library."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features they see."""

    @property
    def required(self) -> tuple[str, ...]:
        """The features without which a row teaches nothing, and is not forecast; any other may be null."""


def definition(recipe: Recipe) -> str:
    """How a system learns, as the code that runs defines it: inputs and parameters, as JSON."""
    return json.dumps([recipe.inputs, recipe.learner.parameters], default=dict, sort_keys=True)
