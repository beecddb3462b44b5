"""Two props of one player: P of both sides by the dependence of their results, and its log-loss beside independence.

Dependence is the empirical copula of past distances from the consensus: how often both results were below a tenth of
their own, less the product of the two alone. Between the tenths it is interpolated; with ``PRIOR`` results it counts
half. Across players results are taken as independent (measured on real games: -.03 for team-mates' points).
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from nba_props.domain.distributions import masses
from nba_props.domain.distributions.shapes import MIN_RESULTS, unit
from nba_props.facts import markets
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.distributions import COMBINATION_SCORES, DEPENDENCE

#: results with which a pair's dependence counts half
PRIOR = 200
_CUTS = np.arange(1, 10) / 10
#: least probability in a log-loss
_TINY = 1e-4
#: the four outcomes, whether the first and the second result were over
OUTCOMES = {"both_over": (True, True), "over_under": (True, False), "under_over": (False, True),
            "both_under": (False, False)}  # fmt: skip


def fit(past: pd.DataFrame) -> pd.DataFrame:
    """The dependence of every pair of markets, in the columns of ``nba_analytics.dependence`` but the date.

    Args:
        past: ``PLAYER_GAME, market, median, result``, as from ``shapes.read_past``.
    """
    if past.empty:
        return DEPENDENCE.empty().drop(columns="game_date")
    names = [m.key for m in markets.MARKETS if m.key in set(past["market"])]
    distance = (past["result"] - past["median"]) / unit(past["median"], past["market"])
    rank = distance.groupby(past["market"]).rank() / (distance.groupby(past["market"]).transform("size") + 1)
    wide = past[[*PLAYER_GAME, "market"]].assign(rank=rank).pivot(index=PLAYER_GAME, columns="market", values="rank")
    wide = wide.reindex(columns=names).sort_index()
    each = wide.to_numpy("float64")
    known = ~np.isnan(each)
    below = (np.nan_to_num(each, nan=2.0)[:, :, None] <= _CUTS).reshape(len(each), -1).astype("float64")
    first, second = np.triu_indices(len(names), 1)
    together = (known.astype("float64").T @ known)[first, second]
    some = together >= MIN_RESULTS
    first, second, n = first[some], second[some], together[some][:, None, None]
    joint = (below.T @ below).reshape(len(names), 9, len(names), 9)[first, :, second, :]
    alone = (below.T @ known).reshape(len(names), 9, len(names))
    excess = joint / n - alone[first, :, second][:, :, None] * alone[second, :, first][:, None, :] / n**2
    both = known[:, first] & known[:, second]
    newest = len(both) - 1 - both[::-1].argmax(axis=0) if len(first) else np.array([], dtype=int)
    return pd.DataFrame(
        {
            "market": np.array(names, dtype=object)[first], "other_market": np.array(names, dtype=object)[second],
            "excess": [json.dumps(grid) for grid in excess.round(5).tolist()], "results": n.ravel().astype(int),
            "last_result": wide.index.get_level_values("game_date")[newest],
        }
    )  # fmt: skip


def outcomes(first: np.ndarray, second: np.ndarray, excess: np.ndarray, results: np.ndarray) -> pd.DataFrame:
    """P of each of the ``OUTCOMES`` of pairs of props.

    Args:
        first: P(over) of the first prop of each pair.
        second: P(over) of the second.
        excess: the dependence of each pair: nine rows of nine.
        results: the number of results behind it.
    """
    under, other = 1 - first, 1 - second
    grid = np.pad(excess, ((0, 0), (1, 1), (1, 1)))
    # bilinear between the tenths; nothing beyond 0 and 1
    x, y = (np.clip(10 * u, 0, 10 - 1e-9) for u in (under, other))
    i, j = x.astype(int), y.astype(int)
    at, s, t = np.arange(len(grid)), x - i, y - j
    between = (
        (1 - s) * (1 - t) * grid[at, i, j] + s * (1 - t) * grid[at, i + 1, j]
        + (1 - s) * t * grid[at, i, j + 1] + s * t * grid[at, i + 1, j + 1]
    )  # fmt: skip
    both_under = under * other + results / (results + PRIOR) * between
    both_under = np.clip(both_under, np.maximum(0, under + other - 1), np.minimum(under, other))
    return pd.DataFrame(
        {"both_over": 1 - under - other + both_under, "over_under": other - both_under,
         "under_over": under - both_under, "both_under": both_under}
    )  # fmt: skip


def independent(first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    """P of each of the ``OUTCOMES`` as if the two results did not depend on each other."""
    return pd.DataFrame(
        {name: np.where(a, first, 1 - first) * np.where(b, second, 1 - second) for name, (a, b) in OUTCOMES.items()}
    )


def combined(rows: pd.DataFrame, lines: pd.DataFrame, dependence: pd.DataFrame) -> pd.DataFrame:
    """Every pair of props of one player that has a consensus, a line and a dependence.

    Args:
        rows: rows of ``nba_predictions.distributions``.
        lines: ``PROP, line``.
        dependence: rows of ``nba_analytics.dependence``.

    Returns:
        ``PLAYER_GAME, market, other_market``; of each prop ``line`` and ``over_probability``, the second's with
        ``other_`` before; P of the ``OUTCOMES``, and by independence with ``independent_`` before.
    """
    anchored = rows[rows["masses"].notna() & rows["anchor"].eq(Anchor.CONSENSUS)]
    whole = [masses.is_whole(masses.as_array(part)) for part in masses.in_parts(anchored)]
    anchored = anchored[np.concatenate(whole)]
    props = anchored.merge(lines[lines["line"].notna()], on=PROP, validate="one_to_one")
    parts = masses.in_parts(props)
    chance = np.concatenate([masses.over_chance(masses.as_array(p), p["line"].to_numpy("float64")) for p in parts])
    # all of the mass can be on a whole line
    props = props[[*PROP, "line"]].assign(over_probability=chance).dropna(subset=["over_probability"])
    other = props.rename(columns={c: f"other_{c}" for c in ("market", "line", "over_probability")})
    pairs = props.merge(other, on=PLAYER_GAME)
    pairs = pairs.merge(dependence, on=["game_date", "market", "other_market"], validate="many_to_one")
    first, second = (pairs[c].to_numpy("float64") for c in ("over_probability", "other_over_probability"))
    excess = np.array([json.loads(text) for text in pairs["excess"]]).reshape(-1, 9, 9)
    found = outcomes(first, second, excess, pairs["results"].to_numpy("float64"))
    alone = independent(first, second).add_prefix("independent_")
    kept = pairs.drop(columns=["excess", "results", "last_result"])
    return pd.concat([kept, found, alone], axis=1)


def combination_scores(pairs: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``nba_predictions.combination_scores``.

    Args:
        pairs: the result of ``combined``.
        results: ``PROP, result``.
    """
    other = results.rename(columns={"market": "other_market", "result": "other_result"})
    known = pairs.merge(results, on=PROP).merge(other, on=[*PLAYER_GAME, "other_market"])
    known = known[known["result"].ne(known["line"]) & known["other_result"].ne(known["other_line"])]
    if known.empty:
        return COMBINATION_SCORES.empty()
    over = known["result"].gt(known["line"]), known["other_result"].gt(known["other_line"])
    found = known[["game_date", "market", "other_market"]].assign(pairs=1)
    for prefix in ("", "independent_"):
        said = sum(
            known[f"{prefix}{name}"].where(over[0].eq(a) & over[1].eq(b), 0.0) for name, (a, b) in OUTCOMES.items()
        )
        both = known[f"{prefix}both_over"].where(over[0] & over[1], 1 - known[f"{prefix}both_over"])
        found[f"{prefix}log_loss"] = -np.log(said.clip(_TINY, 1))
        found[f"{prefix}both_log_loss"] = -np.log(both.clip(_TINY, 1))
    return found.groupby(["game_date", "market", "other_market"]).sum().round(6).reset_index()
