"""``ensemble_v1`` and ``ensemble_v1_1``: other systems' stored results combined.

Formulas: docs/legacy-systems.md#ensemble_v1.

The components are read, never run again. Where the legacy code is undefined or contradicts itself:

* fewer than two components gave 0.0 points; here the system abstains with ``FEWER_THAN_2_COMPONENTS``;
* the majority could choose a side against the ensemble's own margin; here such a row passes, and says so in its terms;
* weights are renormalised over the components that spoke; were none of positive weight among them, which takes both
  other systems to be silent, the row abstains with ``NO_WEIGHTED_COMPONENT``;
* a component's side counts only when it was given against the line of this row;
* the legacy components similarity and catboost's fallback come rounded to .01, ours do not: at most .006 points, and no
  side differs; ties of half a cent differ by .01 in 3 % of inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.systems.base import MAX_POINTS, System

FEWEST = 2
_SIDES = {"OVER": 1.0, "UNDER": -1.0}


@dataclass(frozen=True)
class Ensemble:
    """Components by system id, and fixed weights; without weights each component weighs its own confidence."""

    system_id: str
    components: tuple[str, ...]
    weights: Mapping[str, float] | None = None

    def columns(self) -> tuple[str, ...]:
        """The inputs that accompany each component's points: its confidence and its side."""
        return tuple(f"{c}__{what}" for c in self.components for what in ("confidence", "side"))


def wide(ensemble: Ensemble, stored: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per player-game with the components' points, confidence and side, null where one did not speak.

    Args:
        ensemble: what is combined.
        stored: rows of the components' tables.
        lines: rows of ``nba_analytics.betting_lines``: the lines that sides must refer to.
    """
    keys = ["game_date", "game_id", "player_id"]
    who = [*keys, "player_name", "player_lookup", "cutoff_at"]
    out = stored[who].drop_duplicates(keys).sort_values(keys, ignore_index=True)
    now = lines[[*keys, "quote_id"]].rename(columns={"quote_id": "quote_now"})
    rows = stored.merge(now, on=keys, how="left", validate="many_to_one")
    same_line = rows["quote_id"].notna() & rows["quote_id"].eq(rows["quote_now"])
    rows["side"] = rows["recommendation"].map(_SIDES).where(same_line, 0.0).fillna(0.0)
    for component in ensemble.components:
        own = rows.loc[rows["system_id"] == component, [*keys, "predicted_points", "confidence_score", "side"]]
        own = own.rename(
            columns={
                "predicted_points": component,
                "confidence_score": f"{component}__confidence",
                "side": f"{component}__side",
            }
        )
        out = out.merge(own, on=keys, how="left", validate="one_to_one")
    return out


def combine(ensemble: Ensemble, features: pd.DataFrame) -> pd.DataFrame:
    """Points, confidence and side of each row; see ``System`` for the contract."""
    names = list(ensemble.components)
    points = features[names].to_numpy(dtype="float64")
    spoke = ~np.isnan(points)
    confidence = np.where(spoke, 100 * features[[f"{c}__confidence" for c in names]].to_numpy(dtype="float64"), 0.0)
    sides = np.where(spoke, features[[f"{c}__side" for c in names]].to_numpy(dtype="float64"), 0.0)
    n = spoke.sum(axis=1)
    fixed = ensemble.weights
    weights = confidence if fixed is None else np.where(spoke, [fixed[c] for c in names], 0.0)
    total = weights.sum(axis=1)
    spoken = np.where(spoke, points, 0.0)
    answers = (n >= FEWEST) & (total > 0)
    count = np.maximum(n, 1)
    # the order in which numpy adds up a row depends on how many there are: rounding makes one date equal a hundred
    mean = np.round(np.clip((weights * spoken).sum(axis=1) / np.where(total > 0, total, 1.0), 0, MAX_POINTS), 9)
    centre = spoken.sum(axis=1) / count
    spread = np.round(np.sqrt((np.where(spoke, points - centre[:, None], 0.0) ** 2).sum(axis=1) / count), 9)
    bonus = np.where(spread < 2, 10, np.where(spread < 3, 5, np.where(spread < 6, -5, -10)))
    score = confidence.sum(axis=1) / count + bonus + np.where(n == len(names), 5, 0)
    score = np.round(np.clip(score, 20, 95) / 100, 9)

    line = features["line"].to_numpy(dtype="float64")
    margin = np.round(mean - line, 9)
    overs, unders = (sides > 0).sum(axis=1), (sides < 0).sum(axis=1)
    majority = np.where(overs > n / 2, 1, np.where(unders > n / 2, -1, 0))
    contradicted = (majority != 0) & (majority != np.sign(margin))
    bets = answers & ~np.isnan(line) & (score >= 0.65) & (np.abs(margin) >= 1.5)
    side = np.where(bets & ~contradicted, np.where(margin > 0, "OVER", "UNDER"), "PASS")
    reason = np.where(n < FEWEST, f"FEWER_THAN_{FEWEST}_COMPONENTS", "NO_WEIGHTED_COMPONENT")
    out = pd.DataFrame(
        {
            "predicted_points": np.where(answers, mean, np.nan),
            "confidence_score": np.where(answers, score, np.nan),
            "side": side,
            "reason": pd.Series(reason, dtype=object).where(~answers, None).to_numpy(),
            "term_spread": np.where(answers, spread, np.nan),
            "term_components": n,
            "term_vote_against_margin": (bets & contradicted).astype(int),
        },
        index=features.index,
    )
    for i, name in enumerate(names):
        out[f"term_{name}"] = points[:, i]
    return out


def system_of(ensemble: Ensemble, model_version: str) -> System:
    """The system of an ensemble."""

    def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
        return combine(ensemble, features)

    return System(
        system_id=ensemble.system_id,
        model_version=model_version,
        required=(),
        optional=ensemble.components,
        beside=ensemble.columns(),
        forecast=forecast,
        ensemble=ensemble,
    )


V1 = system_of(
    Ensemble("ensemble_v1", ("moving_average", "zone_matchup_v1", "similarity_balanced_v1", "catboost_v8")),
    "legacy-t-merge-1",
)
V1_1 = system_of(
    Ensemble(
        "ensemble_v1_1",
        ("moving_average", "zone_matchup_v1", "similarity_balanced_v1", "xgboost_v1", "catboost_v8"),
        {
            "catboost_v8": 0.45,
            "similarity_balanced_v1": 0.25,
            "moving_average": 0.20,
            "zone_matchup_v1": 0.10,
            "xgboost_v1": 0.0,
        },
    ),
    "legacy-1.1",
)
