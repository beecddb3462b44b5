"""The minutes that a player plays, should he play: a model of his past minutes, with a spread around it.

Gradient-boosted trees on means of his past minutes with several half-lives, his last game, rest and absences, trained
every week as ``xgboost_v1`` is. On real games of players with a line its mean absolute error was 4.39 in spring 2024
and in autumn 2025, the exponentially weighted mean's 4.60 and 4.70. The spread is that of the errors on held-out games,
by band of the forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.features import ABSENT_RISK
from nba_props.domain.minutes import OF_PAST, of_past
from nba_props.domain.models.card import Model
from nba_props.domain.models.learner import Learner
from nba_props.domain.systems.xgboost_v1 import XGBoost
from nba_props.facts.keys import PLAYER_DAY, PLAYER_GAME
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import REPORTED_ABSENT
from nba_props.schemas.features import SCHEMA_HASH
from nba_props.schemas.minutes import EVERYONE, MINUTES, MINUTES_SCORES, QUOTED

#: the column of training rows with the minutes that were played
TARGET = "minutes_played"
#: no forecast is above it: a game without overtime
MOST = 48
INPUTS = (
    *OF_PAST, "minutes_avg_season", "days_rest", "games_in_last_14_days", "games_season", "games_missed",
    "playoff_game", "team_win_pct",
)  # fmt: skip


class Trees(XGBoost):
    """The trees of ``xgboost_v1`` for minutes: a smaller error counts as an outlier, and trees see every input."""

    parameters: Mapping[str, Any] = {**XGBoost.parameters, "huber_slope": 2.0, "colsample_bytree": 1.0}


@dataclass(frozen=True)
class Minutes:
    """The recipe of the models (``learner.Recipe``)."""

    system_id: str = "minutes_v1"
    #: they are for all markets, and trained with the first
    market: str = POINTS
    description: str = "The minutes of a player who plays, from his past minutes."
    learner: Learner = Trees()  # noqa: RUF009
    inputs: tuple[str, ...] = INPUTS
    required: tuple[str, ...] = ("minutes_ewma",)
    average: str = "minutes_ewma"
    schema_hash: str = SCHEMA_HASH
    target: str = TARGET
    ceiling: float = MOST


RECIPE = Minutes()


def forecasts(
    features: pd.DataFrame, past: pd.DataFrame, context: pd.DataFrame, models: Mapping[date, Model | str]
) -> pd.DataFrame:
    """The rows of ``nba_analytics.minutes_forecasts``.

    Args:
        features: rows of ``nba_analytics.player_features``.
        past: rows of ``nba_analytics.historical_games``.
        context: rows of ``nba_analytics.upcoming_player_game_context``.
        models: for each date the model that serves it, or why it has none.
    """
    season = context[[*PLAYER_GAME, "minutes_avg_season"]]
    rows = features.merge(season, on=PLAYER_GAME, how="left", validate="one_to_one")
    rows = rows.merge(of_past(past), on=PLAYER_DAY, how="left", validate="many_to_one")
    out = rows[[c for c in MINUTES.column_names if c in rows]].copy()
    for column in ("minutes", "low", "high", "deviation"):
        out[column] = np.nan
    out["model_version"] = None
    unknown, absent = rows["minutes_ewma"].isna(), rows["injury_risk"].ge(ABSENT_RISK).fillna(False).astype(bool)
    out["abstain_reason"] = np.select([absent, unknown], [REPORTED_ABSENT, "MISSING_INPUT: minutes_ewma"], "")
    # a model serves the dates of a week: each is loaded once
    for model in {id(m): m for m in models.values()}.values():
        served = [pd.Timestamp(day) for day, m in models.items() if m is model]
        mine = rows["game_date"].isin(served) & ~unknown & ~absent
        if isinstance(model, str):
            out.loc[mine, "abstain_reason"] = model
            continue
        asked = rows.loc[mine, list(INPUTS)]
        found = np.clip(RECIPE.learner.predict(model.artefact, asked), 0, MOST)
        out.loc[mine, "minutes"] = found
        out.loc[mine, ["low", "high", "deviation"]] = _around(found, model.card.bands)
        out.loc[mine, "model_version"] = model.card.version
    return out.assign(abstain_reason=out["abstain_reason"].replace("", None))[MINUTES.column_names]


def _around(found: np.ndarray, bands: Any) -> np.ndarray:
    """A tenth, nine tenths and the deviation of the minutes around some forecasts, by their bands."""
    edges = np.array([upper for upper, *_ in bands[:-1]])
    spread = np.array([own for _, *own in bands])[np.searchsorted(edges, found, side="right")]
    ends = np.clip(found[:, None] + spread[:, :2], 0, None)
    return np.column_stack([ends, spread[:, 2]])


def scores(rows: pd.DataFrame, played: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``nba_predictions.minutes_scores``.

    Args:
        rows: rows of ``nba_analytics.minutes_forecasts``.
        played: ``PLAYER_GAME, minutes_played`` of those who played.
        lines: ``PLAYER_GAME`` of those who have a line of points.
    """
    known = rows[rows["minutes"].notna()].merge(played, on=PLAYER_GAME, validate="one_to_one")
    if known.empty:
        return MINUTES_SCORES.empty()
    result = known["minutes_played"].astype("float64")
    each = known[PLAYER_GAME].assign(
        forecasts=1, error=(known["minutes"] - result).abs(), ewma_error=(known["minutes_ewma"] - result).abs(),
        within_80=(result.ge(known["low"].round(9)) & result.le(known["high"].round(9))).astype(int),
    )  # fmt: skip
    quoted = each.merge(lines[PLAYER_GAME].drop_duplicates(), on=PLAYER_GAME)
    both = pd.concat([each.assign(players=EVERYONE), quoted.assign(players=QUOTED)])
    sums = ["forecasts", "error", "ewma_error", "within_80"]
    return both.groupby(["game_date", "players"])[sums].sum().round(6).reset_index()
