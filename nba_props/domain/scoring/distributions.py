"""Scores of distributions: the continuous ranked probability score, and how often results fall where they should."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.distributions.masses import BOUNDS, MOST, as_array, in_parts, is_whole, over_chance
from nba_props.domain.odds import over_probability
from nba_props.domain.scoring.chances import log_loss
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.distributions import DISTRIBUTION_SCORES

_TENTHS = 10
_COUNTS = ["results", "with_line", "with_quote"]
_SUMS = [*_COUNTS, "crps", "crps_with_line", "line_crps", "log_loss", "own_log_loss", "within_80"]
_PIT = [f"pit_{n}" for n in range(_TENTHS)]


def distribution_scores(rows: pd.DataFrame, results: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``nba_predictions.distribution_scores``.

    Args:
        rows: rows of ``nba_predictions.distributions``.
        results: ``PROP, result``.
        lines: ``PROP, line, over_price, under_price``, null without one.
    """
    known = rows[rows["masses"].notna()].merge(results, on=PROP, validate="one_to_one")
    known = known.merge(lines, on=PROP, how="left", validate="one_to_one")
    if known.empty:
        return DISTRIBUTION_SCORES.empty()
    keys = ["game_date", "market", "anchor"]
    # what is broken has no score: the check of the table reports it
    found = pd.concat(map(_scored, in_parts(known))).dropna(subset=["crps"])
    found = found.groupby(keys)[[*_SUMS, *_PIT]].sum().round(6).reset_index()
    return found.astype(dict.fromkeys(_COUNTS, "int64"))


def _scored(rows: pd.DataFrame) -> pd.DataFrame:
    from scipy.special import ndtr

    result = rows["result"].to_numpy("float64").clip(0, MOST).astype(int)
    mass = as_array(rows)
    reached = mass.cumsum(axis=1).round(5)
    own = np.where(is_whole(mass), crps(reached, result), np.nan)
    line = rows["line"].astype("float64")
    has_line = line.notna().to_numpy()
    there = line.fillna(1.0)
    distance = (BOUNDS - there.to_numpy()[:, None]) / consensus.spread(there, rows["market"])[:, None]
    at_line = crps(ndtr(distance), result)
    chance = pd.Series(over_chance(mass, line.to_numpy()), index=rows.index)
    quoted = over_probability(rows["over_price"], rows["under_price"])
    # P(over) of a bet has a consensus behind it
    judged = rows["anchor"].eq(Anchor.CONSENSUS) & rows["result"].ne(line) & chance.notna() & quoted.notna()
    is_over = rows["result"].gt(line)
    return pd.DataFrame(
        {
            "game_date": rows["game_date"], "market": rows["market"], "anchor": rows["anchor"],
            "results": 1, "crps": own, "with_line": has_line.astype(int),
            "crps_with_line": np.where(has_line, own, 0.0), "line_crps": np.where(has_line, at_line, 0.0),
            "with_quote": judged.astype(int), "log_loss": log_loss(is_over, chance).where(judged, 0.0),
            "own_log_loss": log_loss(is_over, quoted).where(judged, 0.0),
            "within_80": share_within(reached, result, 0.1, 0.9),
            **{name: share_within(reached, result, n / _TENTHS, (n + 1) / _TENTHS) for n, name in enumerate(_PIT)},
        },
        index=rows.index,
    )  # fmt: skip


def crps(reached: np.ndarray, result: np.ndarray) -> np.ndarray:
    """The continuous ranked probability score of distributions on whole numbers: the sum over them of the square of
    P(result at most that) less whether it was (Gneiting and Raftery 2007, JASA 102).

    Args:
        reached: P(result at most 0, 1, ...): one row for each distribution.
        result: the result of each.
    """
    return np.asarray(((reached - (np.arange(reached.shape[1]) >= result[:, None])) ** 2).sum(axis=1))


def share_within(reached: np.ndarray, result: np.ndarray, low: float, high: float) -> np.ndarray:
    """The share of each result's mass between two quantiles: the probability integral transform of counts, which need
    no random numbers (Czado, Gneiting and Held 2009, Biometrics 65). Of right distributions its mean is their distance.
    """
    at = np.arange(len(result))
    top = reached[at, result]
    bottom = np.where(result > 0, reached[at, np.maximum(result - 1, 0)], 0.0)
    # a result without any mass lies at one point
    width = np.maximum(top - bottom, 1e-9)
    bottom = np.minimum(bottom, 1 - width)
    return np.asarray((np.minimum(bottom + width, high) - np.maximum(bottom, low)).clip(0) / width)
