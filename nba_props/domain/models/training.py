"""Training the model of a week on everything before it, once it was judged on the newest part of that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.models import chance
from nba_props.domain.models.card import Card, Model, training_start, why_not
from nba_props.domain.models.learner import RESULT, Recipe, model_id
from nba_props.facts.digest import digest
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.markets import POINTS

#: fewest rows to train on
MIN_ROWS = 1_000
#: share of the rows, the newest, that a model is judged on before it is fitted to all of them
HOLDOUT = 0.15


class TooFewRows(ValueError):
    """There is not enough history before a week to train on."""


def train(
    recipe: Recipe,
    frame: pd.DataFrame,
    week: date,
    seasons: int,
    now: datetime,
    incumbent: Card | None = None,
    made_from: str = "",
    dates_without_lines: int = 0,
) -> Model:
    """The model of a week; ``refused`` in its card has the reason if it is not put in force.

    Args:
        recipe: how it is made.
        frame: the recipe's rows (``frame.Rows.of``); those of the week and after are ignored.
        week: the Monday it begins on.
        seasons: how many seasons to train on.
        now: recorded in the card.
        incumbent: the card of the model of the week before.
        made_from: recorded in the card.
        dates_without_lines: recorded in the card.

    Raises:
        TooFewRows: fewer than ``MIN_ROWS`` rows remain.
    """
    rows = eligible(recipe, frame, week, seasons)
    if len(rows) < MIN_ROWS:
        raise TooFewRows(f"{len(rows)} games of players before {week}, {MIN_ROWS} are needed")
    inputs, results, learner = rows[list(recipe.inputs)], rows[recipe.target].astype("float64"), recipe.learner
    newest = rows["game_date"] >= rows["game_date"].iloc[max(1, int(len(rows) * (1 - HOLDOUT)))]
    judge = learner.fit(inputs[~newest], results[~newest])
    forecast = np.clip(learner.predict(judge, inputs[newest]), 0, recipe.ceiling)
    residuals, anchored, bands = _spread(recipe, rows[newest], results[newest], forecast)
    artefact = learner.fit(inputs, results)
    card = Card(
        system_id=model_id(recipe),
        week=week,
        library=learner.library,
        library_version=learner.version(),
        schema_hash=recipe.schema_hash,
        inputs=recipe.inputs,
        parameters=dict(learner.parameters),
        trained_from=rows["game_date"].iloc[0].date(),
        trained_through=rows["game_date"].iloc[-1].date(),
        rows=len(rows),
        fingerprint=_fingerprint(recipe, rows, anchored),
        sha256=hashlib.sha256(artefact).hexdigest(),
        suffix=learner.suffix,
        metrics=_metrics(rows[newest], forecast, recipe),
        importances=dict(sorted(learner.importances(artefact).items(), key=lambda item: -item[1])),
        residuals=residuals,
        trained_at=now.isoformat(timespec="seconds"),
        made_from=made_from,
        known={n: round(float(v), 4) for n, v in inputs.notna().mean().items()},
        chance=anchored,
        dates_without_lines=dates_without_lines,
        market=recipe.market,
        bands=bands,
    )
    return Model(replace(card, refused=why_not(card, incumbent)), artefact)


def _spread(
    recipe: Recipe, rows: pd.DataFrame, results: pd.Series, forecast: np.ndarray
) -> tuple[tuple[float, ...], dict[str, float], tuple[chance.Band, ...]]:
    """How results lie around held-out forecasts: quantiles and P(over) in a market, else bands of the forecast."""
    if recipe.target != RESULT:
        return (), {}, chance.bands(results.to_numpy("float64"), forecast)
    residuals = chance.residual_quantiles(results, forecast, recipe.market)
    return residuals, chance.anchor(rows, forecast, residuals, recipe.market), ()


def eligible(recipe: Recipe, frame: pd.DataFrame, week: date, seasons: int) -> pd.DataFrame:
    """The rows that a week's model may be trained on, in an order that depends on the rows only."""
    before = frame["game_date"] < pd.Timestamp(week)
    recent = frame["game_date"] >= pd.Timestamp(training_start(week, seasons))
    known = frame[list(recipe.required)].notna().all(axis=1)
    rows = frame[before & recent & known]
    return rows.sort_values(PLAYER_GAME, kind="stable", ignore_index=True)


def _fingerprint(recipe: Recipe, rows: pd.DataFrame, anchored: Mapping[str, float]) -> str:
    """A hash of everything a model is made from."""
    learner = recipe.learner
    made_by: list[Any] = [
        model_id(recipe), learner.library, learner.version(), recipe.schema_hash, recipe.inputs, learner.parameters,
    ]  # fmt: skip
    if recipe.market != POINTS:
        made_by.append(learner.scale)
    made_by.append(anchored)  # made from prices, which need not be among the inputs
    used = rows[["player_id", *recipe.inputs, recipe.target]].astype("float64")
    hashed = pd.util.hash_pandas_object(used, index=False)
    substance = json.dumps(made_by, default=dict).encode() + hashed.to_numpy().tobytes()
    return digest(substance)


def _metrics(rows: pd.DataFrame, forecast: np.ndarray, recipe: Recipe) -> dict[str, float]:
    """Error on held-out rows, beside the last-10 average's and, where there are lines, the line's on the same rows."""
    results = rows[recipe.target].astype("float64").to_numpy()
    line = rows["consensus_line"].to_numpy(dtype="float64")
    if recipe.target != RESULT:
        line = np.full(len(rows), np.nan)  # the line is of something else
    last_10 = np.abs(rows[recipe.average].to_numpy(dtype="float64") - results)
    lined = ~np.isnan(line)
    found = {
        "holdout_rows": len(rows),
        "holdout_mae": np.abs(forecast - results).mean(),
        "holdout_bias": (forecast - results).mean(),
        "holdout_last_10_mae": last_10.mean(),
        "holdout_rows_with_line": int(lined.sum()),
        "holdout_gain_se": _clustered_se(last_10 - np.abs(forecast - results), rows["game_date"]),
    }
    if lined.any():
        found["holdout_mae_with_line"] = np.abs(forecast - results)[lined].mean()
        found["holdout_line_mae"] = np.abs(line - results)[lined].mean()
    return {k: v if isinstance(v, int) else round(float(v), 4) for k, v in found.items()}


def _clustered_se(values: np.ndarray, dates: pd.Series) -> float:
    """Standard error of the mean, clustered by date."""
    sums = pd.Series(values - values.mean()).groupby(dates.to_numpy()).sum()
    groups = len(sums)
    return float(np.sqrt((sums**2).sum() * groups / max(groups - 1, 1)) / len(values))
