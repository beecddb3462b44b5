"""The probability of each result, around a consensus or a forecast, and P(over) at any line by it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from nba_props.domain.distributions import shapes as shape_rules
from nba_props.domain.models import chance
from nba_props.facts import markets
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.distributions import DISTRIBUTIONS, LEVELS

#: digits of a mass
_DIGITS = 5
#: no result of a market is above it
_MOST_OF = {m.key: int(m.most_line + 0.5) for m in markets.MARKETS}
#: no result is above it
MOST = max(_MOST_OF.values())
#: by how much the sum of rounded masses may differ from 1
SUM_WITHIN = 1e-6
#: results are whole: the bounds between them
BOUNDS = np.arange(MOST + 1) + 0.5
#: rows at once, so that memory does not grow with the dates of a run
_AT_ONCE = 4_000
#: why a row has no distribution
NO_SHAPE, NO_CENTRE = "NO_SHAPE", "NO_CONSENSUS_AND_NO_FORECAST"


def distributions(
    lines: pd.DataFrame, known: pd.DataFrame, forecasts: pd.DataFrame, shapes: pd.DataFrame, models: pd.DataFrame
) -> pd.DataFrame:
    """The rows of ``nba_predictions.distributions``.

    Args:
        lines: rows of ``nba_analytics.betting_lines``.
        known: rows of ``nba_analytics.consensus``.
        forecasts: rows of ``nba_predictions.xgboost_v1``.
        shapes: rows of ``nba_analytics.shapes``.
        models: ``game_date, market, model_version, quantiles, last_result`` of the models behind the forecasts.
    """
    rows = lines[[*PROP, "player_name", "player_lookup", "cutoff_at"]]
    rows = rows.merge(known[[*PROP, "median"]], on=PROP, how="left", validate="one_to_one")
    own = forecasts[[*PROP, "forecast", "model_version"]]
    rows = rows.merge(own, on=PROP, how="left", validate="one_to_one")
    has_consensus = rows["median"].notna()
    rows["centre"] = rows["median"].where(has_consensus, rows["forecast"]).astype("float64")
    rows["anchor"] = np.where(has_consensus, Anchor.CONSENSUS.value, Anchor.UNANCHORED.value)
    every, place = _shape_of(rows, shapes, models)
    found = rows["centre"].notna() & (place >= 0)
    rows["no_distribution_reason"] = np.select(
        [found, rows["centre"].isna(), has_consensus],
        ["", NO_CENTRE, f"{NO_SHAPE}: fewer than {shape_rules.MIN_RESULTS} results of earlier months in the market"],
        f"{NO_SHAPE}: the model of the forecast is not in force",
    )
    rows["no_distribution_reason"] = rows["no_distribution_reason"].replace("", None)
    rows["anchor"] = rows["anchor"].where(rows["centre"].notna(), None)
    rows["last_result"] = every["last_result"].to_numpy()[place] if len(every) else pd.NaT
    rows.loc[~found, "last_result"] = pd.NaT
    if found.any():
        rows = rows.join(pd.concat([_of(part, every, place[part.index]) for part in in_parts(rows[found])]))
    else:
        rows = rows.assign(masses=None)
    return rows.reindex(columns=DISTRIBUTIONS.column_names)


def in_parts(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows in parts whose masses fit into memory together; a part without any where there are none."""
    return (rows.iloc[start : start + _AT_ONCE] for start in range(0, max(len(rows), 1), _AT_ONCE))


def _shape_of(rows: pd.DataFrame, shapes: pd.DataFrame, models: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Every shape, and the number of each row's; -1 for none."""
    prior = shape_rules.PRIOR / (shape_rules.PRIOR + shapes["results"].astype("float64"))
    of_consensus = shapes.assign(anchor=Anchor.CONSENSUS.value, prior=prior)
    of_models = models.assign(anchor=Anchor.UNANCHORED.value, prior=0.0, low=np.nan, high=np.nan)
    columns = ["game_date", "market", "anchor", "model_version", "low", "high", "quantiles", "prior", "last_result"]
    both = [f.reindex(columns=columns) for f in (of_consensus, of_models) if len(f)]
    if not both:
        return pd.DataFrame(columns=columns), np.full(len(rows), -1)
    every = pd.concat(both, ignore_index=True)
    centres = rows[["game_date", "market", "anchor", "model_version", "centre"]].reset_index(names="row")
    pairs = centres.merge(every.reset_index(names="shape"), on=["game_date", "market", "anchor"], suffixes=("", "_of"))
    # the consensus has no version
    same = pairs["anchor"].eq(Anchor.CONSENSUS) | pairs["model_version"].eq(pairs["model_version_of"])
    inside = ~(pairs["centre"] < pairs["low"]) & ~(pairs["centre"] >= pairs["high"]) & pairs["centre"].notna()
    place = np.full(len(rows), -1)
    pairs = pairs[same & inside]
    place[pairs["row"].to_numpy()] = pairs["shape"].to_numpy()
    return every, place


def _of(rows: pd.DataFrame, every: pd.DataFrame, place: np.ndarray) -> pd.DataFrame:
    """Moments, quantiles and masses of rows that have a shape."""
    used, shape = np.unique(place, return_inverse=True)
    own = every.iloc[used]
    consensual = rows["anchor"].eq(Anchor.CONSENSUS).to_numpy()
    unit = np.where(
        consensual,
        shape_rules.unit(rows["centre"], rows["market"]),
        chance.unit(rows["centre"].clip(lower=0).to_numpy(), rows["market"].map(markets.scales()).to_numpy()),
    )
    distance = (BOUNDS - rows["centre"].to_numpy()[:, None]) / unit[:, None]
    reached = shape_rules.below(
        distance, shape_rules.as_arrays(own), shape, every["prior"].to_numpy("float64")[place]
    )  # fmt: skip
    most = rows["market"].map(_MOST_OF).to_numpy()
    reached[np.arange(MOST + 1) >= most[:, None]] = 1.0
    mass = np.diff(reached, axis=1, prepend=0.0).clip(0).round(_DIGITS)
    # rounding is made up for where most of the mass is
    at = np.arange(len(rows)), mass.argmax(axis=1)
    mass[at] = (mass[at] + 1 - mass.sum(axis=1)).round(_DIGITS)
    results = np.arange(MOST + 1)
    mean = mass @ results
    total = mass.cumsum(axis=1).round(_DIGITS)
    some = mass > 0
    first, last = some.argmax(axis=1), MOST - some[:, ::-1].argmax(axis=1)
    return pd.DataFrame(
        {
            "mean": mean.round(_DIGITS),
            "deviation": np.sqrt((mass * (results - mean[:, None]) ** 2).sum(axis=1)).round(_DIGITS),
            **{name: (total >= level).argmax(axis=1) for name, level in LEVELS.items()},
            "lowest": first,
            "masses": [
                json.dumps(row[a : b + 1]) for row, a, b in zip(mass.tolist(), first, last, strict=True)
            ],
        },
        index=rows.index,
    )  # fmt: skip


def as_array(rows: pd.DataFrame) -> np.ndarray:
    """The masses of rows of ``nba_predictions.distributions`` that have some: a row each, a column for each result from
    0 to ``MOST``; NaN where a text is not a list of numbers that fits there.
    """
    out = np.zeros((len(rows), MOST + 1))
    for n, (first, text) in enumerate(zip(rows["lowest"], rows["masses"], strict=True)):
        try:
            own = json.loads(text)
            out[n, int(first) : int(first) + len(own)] = own
        except (TypeError, ValueError):
            out[n] = np.nan
    return out


def is_whole(mass: np.ndarray) -> np.ndarray:
    """Which rows of masses are probabilities that sum to 1."""
    return np.asarray((np.abs(mass.sum(axis=1) - 1) <= SUM_WITHIN) & (mass >= 0).all(axis=1))


def over_chance(mass: np.ndarray, line: np.ndarray) -> np.ndarray:
    """P(result above the line, given that it is not equal to it), for rows of masses; it falls as the line rises."""
    results = np.arange(mass.shape[1])
    over = (mass * (results > line[:, None])).sum(axis=1)
    under = (mass * (results < line[:, None])).sum(axis=1)
    decided = over + under
    return np.divide(over, decided, out=np.full(len(mass), np.nan), where=decided > 0)
