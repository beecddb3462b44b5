"""``xgboost_v1``: gradient-boosted trees on every feature of players and teams, one model for each market.

The legacy system of this name was a rule set with random noise; here it is a model, trained week by week. Its loss is
pseudo-Huber, between mean and median, because a line sits near the median and points are skewed; where it passes from
one to the other is in proportion to the error of the market's lines. Betting rule and
confidence are the legacy ones (docs/legacy-systems.md#xgboost_v1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.models import learner
from nba_props.domain.systems.trained import Trained
from nba_props.facts import markets
from nba_props.schemas.features import MARKET, MARKET_NAMES, NAMES


class XGBoost:
    """Models by ``xgboost.train``, stored as UBJSON; ``scale`` is that of the market (``markets.scales``)."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    library = "xgboost"
    suffix = "ubj"
    parameters: Mapping[str, Any] = {
        "objective": "reg:pseudohubererror",
        "huber_slope": 4.0,
        "max_depth": 4,
        "eta": 0.05,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "min_child_weight": 30,
        "lambda": 5.0,
        "tree_method": "hist",
        "seed": 1,
        "num_boost_round": 300,
        # the library's own start value is far from any point total, where the loss has almost no curvature
        "base_score": "median",
    }

    def version(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            # from one seed the two builds draw different columns, so that their models differ
            return f"{version('xgboost-cpu')}+cpu"
        except PackageNotFoundError:
            return version("xgboost")

    def fit(self, inputs: pd.DataFrame, results: pd.Series) -> bytes:
        import xgboost

        own = {k: v for k, v in self.parameters.items() if k not in ("num_boost_round", "base_score")}
        own |= {"base_score": float(results.median()), "huber_slope": own["huber_slope"] * self.scale}
        matrix = xgboost.QuantileDMatrix(inputs.astype("float32"), results, nthread=learner.THREADS)
        rounds = self.parameters["num_boost_round"]
        booster = xgboost.train({**own, "nthread": learner.THREADS}, matrix, num_boost_round=rounds)
        return bytes(booster.save_raw("ubj"))

    def predict(self, artefact: bytes, inputs: pd.DataFrame) -> np.ndarray:
        booster = self._load(artefact)
        return np.asarray(booster.inplace_predict(inputs.astype("float32")), dtype="float64")

    def importances(self, artefact: bytes) -> dict[str, float]:
        gains = self._load(artefact).get_score(importance_type="total_gain")
        total = sum(gains.values()) or 1.0
        return {name: round(gain / total, 5) for name, gain in gains.items()}

    @staticmethod
    def _load(artefact: bytes) -> Any:
        import xgboost

        booster = xgboost.Booster({"nthread": learner.THREADS})
        booster.load_model(bytearray(artefact))
        return booster


#: the features that do not depend on what a book quotes, and without those that are equal for all players of a date,
#: which name the date: from them the trees learn the dates themselves (in spring 2024 held-out forecasts of points were
#: 1.9 too high, MAE 4.68 instead of 4.47, and no model was put in force for ten weeks)
_PERSON = tuple(n for n in NAMES if n not in MARKET and not n.startswith("league_"))
#: the same in other markets
_ELSEWHERE = tuple(n for n in (*_PERSON, *MARKET_NAMES) if not n.startswith("league_"))
SYSTEM = Trained(
    system_id="xgboost_v1",
    description="Gradient-boosted trees on every feature of players and teams, trained every week; every market.",
    learner=XGBoost,
    markets=markets.keys(),
    inputs=_PERSON,
    elsewhere=_ELSEWHERE,
    required_elsewhere=("avg_last_10", "minutes_ewma", "avg_season"),
    # without a game this season its MAE exceeds the line's by .9 points (198 rows, +- .25), else by .4
    required=("points_avg_last_10", "minutes_ewma", "points_avg_season"),
    base_confidence=70,
    min_edge=1.5,
)
