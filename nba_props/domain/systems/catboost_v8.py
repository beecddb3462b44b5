"""``catboost_v8``: gradient-boosted symmetric trees on the 33 legacy features, the line and its movement included.

The legacy model file is lost; this one is trained every week. Its loss is the absolute error, because a line is near
the median. Rows without a line are forecast too, from the other features. Betting rule and confidence are the legacy
ones (docs/legacy-systems.md#catboost_v8).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.models import learner
from nba_props.domain.systems.trained import Trained
from nba_props.schemas.features import LEGACY


class CatBoost:
    """Models by ``CatBoostRegressor``, stored in CatBoost's binary format; of points alone, so without a ``scale``."""

    scale = 1.0

    library = "catboost"
    suffix = "cbm"
    parameters: Mapping[str, Any] = {
        "loss_function": "MAE",
        "iterations": 300,
        "depth": 5,
        "learning_rate": 0.08,
        "l2_leaf_reg": 5.0,
        "random_seed": 1,
    }

    def version(self) -> str:
        from importlib.metadata import version

        return version("catboost")

    def fit(self, inputs: pd.DataFrame, results: pd.Series) -> bytes:
        import catboost

        model = catboost.CatBoostRegressor(
            **self.parameters, thread_count=learner.THREADS, logging_level="Silent", allow_writing_files=False
        )
        model.fit(inputs.astype("float32"), results)
        for name in ("model_guid", "train_finish_time"):  # they would make equal models differ
            model.get_metadata()[name] = ""
        with tempfile.TemporaryDirectory() as folder:  # the library writes its format to files only
            path = Path(folder) / "model.cbm"
            model.save_model(str(path), format="cbm")
            return path.read_bytes()

    def predict(self, artefact: bytes, inputs: pd.DataFrame) -> np.ndarray:
        return np.asarray(self._load(artefact).predict(inputs.astype("float32")), dtype="float64")

    def importances(self, artefact: bytes) -> dict[str, float]:
        model = self._load(artefact)
        values = model.get_feature_importance(type="PredictionValuesChange")
        return {
            name: round(float(value) / 100, 5)
            for name, value in zip(model.feature_names_, values, strict=True)
            if value
        }

    @staticmethod
    def _load(artefact: bytes) -> Any:
        import catboost

        model = catboost.CatBoostRegressor()
        model.load_model(blob=artefact)
        return model


SYSTEM = Trained(
    system_id="catboost_v8",
    description="Gradient-boosted trees on the 33 legacy features, line included, trained every week.",
    learner=lambda _: CatBoost(),
    inputs=tuple(f.name for f in LEGACY),
    # without a game this season its MAE exceeds the line's by 1.3 points (198 rows, +- .3), else by .5
    required=("points_avg_last_10", "minutes_avg_last_10", "points_avg_season"),
    base_confidence=75,
    min_edge=1.0,
)
