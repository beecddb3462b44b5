"""``ensemble_v1`` and ``ensemble_v1_1``: other systems' stored results combined.

Formulas: docs/legacy-systems.md#ensemble_v1.

The components are read, never run again. Where the legacy code is undefined or contradicts itself:

* fewer than two components gave 0.0 points; here the system abstains with ``FEWER_THAN_2_COMPONENTS``;
* the majority could choose a side against the ensemble's own margin; here such a row is a PASS, marked in its terms;
* weights are renormalized over the components with a forecast; if none of them has a positive weight, which takes both
  other systems to abstain, the row abstains with ``NO_WEIGHTED_COMPONENT``;
* a component's side counts only if it was chosen against the line of this row;
* the legacy components similarity and catboost's fallback are rounded to .01, ours are not: that is at most .006 points
  and changes no side; where a rounded value was a tie, results differ by .01 (3 % of inputs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.systems import catboost_v8, moving_average, similarity, xgboost_v1, zone_matchup
from nba_props.domain.systems.base import MAX_POINTS, Needs, System, SystemInputs, sides_of
from nba_props.domain.systems.rows import predict
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import Recommendation

FEWEST = 2
_SIGN: Mapping[str, float] = {Recommendation.OVER: 1.0, Recommendation.UNDER: -1.0}


@dataclass(frozen=True, kw_only=True)
class Ensemble(System):
    """A weighted mean of other systems' stored forecasts."""

    components: tuple[System, ...]
    #: a fixed weight for each component, in order; without them each weighs its own confidence
    weights: tuple[float, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The components' ids."""
        return tuple(c.system_id for c in self.components)

    def needs(self) -> Needs:
        return Needs(optional=self.names, systems=self.components)

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        stored, lines = (rows[rows["market"].eq(POINTS)] for rows in (inputs.systems, inputs.lines))
        features = component_matrix(self.names, stored, lines)
        beside = [f"{name}__{what}" for name in self.names for what in ("confidence", "side")]
        return predict(self, lambda asked, _: combine(self, asked), features, lines, beside=beside)


def component_matrix(names: tuple[str, ...], stored: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per player-game with the components' points, confidence and side, null where one has no forecast.

    Args:
        names: the components' ids.
        stored: rows of the components' tables.
        lines: rows of ``nba_analytics.betting_lines``: the lines that sides must refer to.
    """
    who = [*PLAYER_GAME, "player_name", "player_lookup", "cutoff_at"]
    out = stored[[*who, "market"]].drop_duplicates(PLAYER_GAME).sort_values(PLAYER_GAME, ignore_index=True)
    now = lines[[*PLAYER_GAME, "quote_id"]].rename(columns={"quote_id": "quote_now"})
    rows = stored.merge(now, on=PLAYER_GAME, how="left", validate="many_to_one")
    same_line = rows["quote_id"].notna() & rows["quote_id"].eq(rows["quote_now"])
    rows["side"] = rows["recommendation"].map(_SIGN).where(same_line, 0.0).fillna(0.0)
    for name in names:
        own = rows.loc[rows["system_id"] == name, [*PLAYER_GAME, "forecast", "confidence_score", "side"]]
        own = own.rename(
            columns={
                "forecast": name,
                "confidence_score": f"{name}__confidence",
                "side": f"{name}__side",
            }
        )
        out = out.merge(own, on=PLAYER_GAME, how="left", validate="one_to_one")
    return out


def combine(ensemble: Ensemble, features: pd.DataFrame) -> pd.DataFrame:
    """Points, confidence and side of each row; see ``rows.Forecast``."""
    names = list(ensemble.names)
    points = features[names].to_numpy(dtype="float64")
    answered = ~np.isnan(points)
    confidence = np.where(answered, 100 * features[[f"{c}__confidence" for c in names]].to_numpy(dtype="float64"), 0.0)
    sides = np.where(answered, features[[f"{c}__side" for c in names]].to_numpy(dtype="float64"), 0.0)
    n = answered.sum(axis=1)
    fixed = ensemble.weights
    weights = confidence if fixed is None else np.where(answered, fixed, 0.0)
    total = weights.sum(axis=1)
    given = np.where(answered, points, 0.0)
    combined = (n >= FEWEST) & (total > 0)
    count = np.maximum(n, 1)
    # numpy's order of summation depends on the number of rows: rounding makes the result independent of it
    mean = np.round(np.clip((weights * given).sum(axis=1) / np.where(total > 0, total, 1.0), 0, MAX_POINTS), 9)
    centre = given.sum(axis=1) / count
    spread = np.round(np.sqrt((np.where(answered, points - centre[:, None], 0.0) ** 2).sum(axis=1) / count), 9)
    bonus = np.where(spread < 2, 10, np.where(spread < 3, 5, np.where(spread < 6, -5, -10)))
    score = confidence.sum(axis=1) / count + bonus + np.where(n == len(names), 5, 0)
    score = np.round(np.clip(score, 20, 95) / 100, 9)

    line = features["line"].to_numpy(dtype="float64")
    margin = np.round(mean - line, 9)
    bets = combined & ~np.isnan(line) & (score >= 0.65) & (np.abs(margin) >= 1.5)
    contradicted = _contradicted(sides, n, margin)
    side = sides_of(margin > 0, bets & ~contradicted)
    reason = np.where(n < FEWEST, f"FEWER_THAN_{FEWEST}_COMPONENTS", "NO_WEIGHTED_COMPONENT")
    out = pd.DataFrame(
        {
            "forecast": np.where(combined, mean, np.nan),
            "confidence_score": np.where(combined, score, np.nan),
            "side": side,
            "reason": pd.Series(reason, dtype=object).where(~combined, None).to_numpy(),
            "term_spread": np.where(combined, spread, np.nan),
            "term_components": n,
            "term_vote_against_margin": (bets & contradicted).astype(int),
        },
        index=features.index,
    )
    for i, name in enumerate(names):
        out[f"term_{name}"] = points[:, i]
    return out


def _contradicted(sides: np.ndarray, n: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Where most of the ``n`` components that answered chose the side against the margin."""
    overs, unders = (sides > 0).sum(axis=1), (sides < 0).sum(axis=1)
    majority = np.where(overs > n / 2, 1, np.where(unders > n / 2, -1, 0))
    return (majority != 0) & (majority != np.sign(margin))


_LEGACY = (moving_average.SYSTEM, zone_matchup.SYSTEM, similarity.SYSTEM)
V1 = Ensemble(
    system_id="ensemble_v1",
    description="Mean of four systems' stored forecasts, each weighted by its confidence.",
    model_version="legacy-t-merge-1",
    components=(*_LEGACY, catboost_v8.SYSTEM),
)
V1_1 = Ensemble(
    system_id="ensemble_v1_1",
    description="Mean of five systems' stored forecasts with fixed weights.",
    model_version="legacy-1.1",
    components=(*_LEGACY, xgboost_v1.SYSTEM, catboost_v8.SYSTEM),
    weights=(0.20, 0.10, 0.25, 0.0, 0.45),
)
