"""A distribution for people to read: in words, as a row of bars, and P(over) at each line that the books offer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.distributions import pairs
from nba_props.domain.distributions.masses import as_array, is_whole, over_chance
from nba_props.domain.distributions.shapes import MIN_RESULTS
from nba_props.domain.odds import american
from nba_props.domain.results import results_sql
from nba_props.domain.stored import span_sql
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import Anchor
from nba_props.schemas.analytics import BETTING_LINES, PRICES
from nba_props.schemas.distributions import DEPENDENCE, DISTRIBUTIONS
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.base import Warehouse

_BARS = "▁▂▃▄▅▆▇█"
#: no more bars than fit a narrow terminal
_MOST_BARS = 60
_SQL = f"""
SELECT d.*, r.result FROM {span_sql(DISTRIBUTIONS)} AS d
LEFT JOIN ({results_sql(span_sql(PREDICTION_ACCURACY))}) AS r ON r.game_date = d.game_date AND r.game_id = d.game_id
  AND r.player_id = d.player_id AND r.market = d.market
WHERE d.player_id = @player_id AND d.market = @market
"""
_OFFERED_SQL = f"""
SELECT line, MAX(best_over_price) AS over_price, MAX(best_over_book) AS over_book,
  MAX(best_under_price) AS under_price, MAX(best_under_book) AS under_book
FROM {span_sql(PRICES)} AS p WHERE player_id = @player_id AND market = @market AND is_current
GROUP BY line ORDER BY line
"""
_LINE_SQL = f"SELECT {', '.join(PROP)}, line FROM {span_sql(BETTING_LINES)} AS b WHERE player_id = @player_id"


def read(warehouse: Warehouse, player_id: int, market: str, day: date) -> pd.DataFrame:
    """The row of ``nba_predictions.distributions`` of a player and market on a date, with his ``result``; empty without
    one.
    """
    return warehouse.query(_SQL, first=day, last=day, player_id=int(player_id), market=market)


def offered(warehouse: Warehouse, player_id: int, market: str, day: date) -> pd.DataFrame:
    """The lines that books offer on a player, with the best price of each side and its book."""
    return warehouse.query(_OFFERED_SQL, first=day, last=day, player_id=int(player_id), market=market)


def together(warehouse: Warehouse, player_id: int, markets: Sequence[str], day: date) -> pd.DataFrame:
    """Both sides of a player's lines in two markets together, as ``pairs.combined`` has them; empty without a
    consensus, a line and a dependence.
    """
    asked = {"first": day, "last": day, "player_id": int(player_id)}
    rows = pd.concat([read(warehouse, player_id, market, day) for market in markets])
    lines = warehouse.query(_LINE_SQL, **asked)
    dependence = warehouse.query(f"SELECT * FROM {span_sql(DEPENDENCE)} AS d", first=day, last=day)
    return pairs.combined(rows.drop(columns="result"), lines, dependence)


def why_not_together(warehouse: Warehouse, player_id: int, markets: Sequence[str], day: date) -> str:
    """Why a player's props in two markets have no joint probability, in words."""
    for market in markets:
        row = read(warehouse, player_id, market, day)
        if row.empty:
            return f"no book quotes him in {market}"
        if pd.isna(row["masses"].iloc[0]):
            return f"no distribution of {market}, {row['no_distribution_reason'].iloc[0]}"
        if not is_whole(as_array(row))[0]:
            return f"the stored masses of {market} are broken"
        if row["anchor"].iloc[0] != Anchor.CONSENSUS:
            return f"too few books make a consensus in {market}"
    return (
        f"it takes {MIN_RESULTS} games of earlier months, of any players, with a consensus and a result in both "
        "markets: nba-props backfill SPAN predicts past dates"
    )


def outcomes(row: pd.Series) -> pd.DataFrame:
    """The four outcomes of two props in words, with P of each by their dependence and by independence."""
    sides = {True: "over", False: "under"}
    found = [
        (f"{sides[a]} {row['line']:g} {row['market']}", f"{sides[b]} {row['other_line']:g} {row['other_market']}",
         row[name], row[f"independent_{name}"])
        for name, (a, b) in pairs.OUTCOMES.items()
    ]  # fmt: skip
    return pd.DataFrame(found, columns=["first", "second", "probability", "independent"])


def chances(row: pd.Series, lines: pd.DataFrame) -> pd.DataFrame:
    """``line, anchor, over_probability, fair_over_price, fair_under_price`` at each line, and the best prices offered;
    no fair prices without a consensus.
    """
    mass = np.repeat(as_array(pd.DataFrame([row])), len(lines), axis=0)
    over = pd.Series(over_chance(mass, lines["line"].to_numpy("float64")).round(5), index=lines.index)
    # a result that no mass is on has no price, and without a consensus P does not tell what a bet is worth
    priced = over.where(over.between(0, 1, inclusive="neither") & (row["anchor"] == Anchor.CONSENSUS))
    fair = {
        f"fair_{side}_price": american(p).round().astype("Int64")
        for side, p in (("over", priced), ("under", 1 - priced))
    }
    return lines.assign(anchor=row["anchor"], over_probability=over, **fair)


def results(row: pd.Series) -> pd.DataFrame:
    """``result, probability, reached``: P of each result, and of at most it, from the first that is likelier than one
    in a thousand to the last.
    """
    mass = as_array(pd.DataFrame([row]))[0]
    found = pd.DataFrame({"result": range(len(mass)), "probability": mass, "reached": mass.cumsum().round(5)})
    some = found.index[found["probability"] >= 0.001]
    return found.loc[some[0] : some[-1]].reset_index(drop=True)


def usual_lines(row: pd.Series) -> list[float]:
    """The half points between a tenth and nine tenths of the results, for a player whom no book quotes."""
    return [float(n) + 0.5 for n in range(int(row["q10"]), int(row["q90"]))]


def in_words(row: pd.Series) -> list[str]:
    """What places a distribution, and its quantiles, in sentences."""
    if row["anchor"] == Anchor.CONSENSUS:
        placed = f"around the books' consensus of {row['centre']:.1f}, in the shape of"
    else:
        placed = f"around xgboost_v1's forecast of {row['centre']:.1f}, which knows no quote, in the shape of"
    through = pd.Timestamp(row["last_result"]).date()
    reached = results(row)
    inside = reached.loc[reached["result"].between(row["q10"], row["q90"]), "probability"].sum()
    found = [
        f"{placed} results through {through}",
        f"median {row['q50']:.0f}; {inside:.0%} of results from {row['q10']:.0f} to {row['q90']:.0f}; mean "
        f"{row['mean']:.1f}, standard deviation {row['deviation']:.1f}",
    ]
    return [*found, f"the result was {row['result']:.0f}"] if pd.notna(row["result"]) else found


def bars(row: pd.Series) -> str:
    """The masses as a row of bars, from the first result that is seldom missed to the last."""
    mass = as_array(pd.DataFrame([row]))[0]
    reached = mass.cumsum()
    first, last = int((reached >= 0.005).argmax()), int((reached >= 0.995).argmax())
    each = -(-(last - first + 1) // _MOST_BARS)  # results in a bar
    summed = np.add.reduceat(mass[first : last + 1], np.arange(0, last - first + 1, each))
    heights = np.minimum((summed / summed.max() * len(_BARS)).astype(int), len(_BARS) - 1)
    return f"{first} {''.join(_BARS[h] for h in heights)} {last}"
