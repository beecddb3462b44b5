"""``market_anchored_v1``: the consensus of the books, moved towards a model's forecast by a fitted weight.

    x         (forecast of xgboost_v1 - consensus) / spread, within 1.5, less its median so far in the market
    delta     weight x min(games of the team this season / 15, 1) x x
    P(over)   normal probability of (consensus - line) / spread(line) + delta
    forecast  consensus + spread x delta

The weight of a market is the slope of (result - consensus) / spread on x over all earlier dates, as of the Monday of
the week: with a prior of 0 and a deviation of .035, never below 0, and 0 before 1,500 results. Models say little in a
team's first games, hence the games of the team. With a weight of 0 the forecast is the consensus, without P(over), as
that of ``market_consensus_v1`` would be scored twice. The formula is in shadow: what it says is recorded and scored,
and it counts for nothing until it has earned that (``domain/promotion.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.distributions.shapes import unit
from nba_props.domain.games import counted_sql
from nba_props.domain.models.card import week_of
from nba_props.domain.models.learner import definition
from nba_props.domain.systems import xgboost_v1
from nba_props.domain.systems.base import Needs, System, SystemInputs
from nba_props.domain.systems.market_consensus import confidence, side_worth_its_price, with_consensus
from nba_props.domain.systems.rows import predict
from nba_props.facts import markets
from nba_props.facts.digest import digest
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.facts.vocabulary import NullReason
from nba_props.schemas.analytics import CONSENSUS
from nba_props.schemas.features import PLAYER_FEATURES

#: largest distance of forecast and consensus that counts [spreads]
MOST = 1.5
#: deviation of the weight before any result is known: measured on real lines of 2024
PRIOR = 0.035
#: earlier results without which a market has no weight
MIN_RESULTS = 1_500
#: games of a team from which on its models count in full
FULL_GAMES = 15
_COMPONENT = xgboost_v1.SYSTEM
#: of its numbers, the spreads of markets and the recipes of its models: the evidence for some says nothing of others
_VERSION = digest(
    repr((MOST, PRIOR, MIN_RESULTS, FULL_GAMES, sorted(markets.spreads().items())))
    + "".join(definition(r) for r in _COMPONENT.recipes), 4,
)  # fmt: skip
#: earlier forecasts with the consensus and the result of each, of @learn_from to the day before @learn_before
RECORD_SQL = f"""
SELECT x.game_date, x.market, x.forecast, c.median, {markets.result_of_sql("x.market", "b")} AS result
FROM {_COMPONENT.table.address} AS x
JOIN nba_analytics.consensus AS c ON c.game_date = x.game_date AND c.game_id = x.game_id
  AND c.player_id = x.player_id AND c.market = x.market
JOIN nba_raw.box_scores AS b ON b.game_date = x.game_date AND b.game_id = x.game_id AND b.player_id = x.player_id
WHERE x.game_date >= @learn_from AND x.game_date < @learn_before
  AND c.game_date >= @learn_from AND c.game_date < @learn_before
  AND b.game_date >= @learn_from AND b.game_date < @learn_before
  AND x.forecast IS NOT NULL AND c.median IS NOT NULL AND {counted_sql("b")}
ORDER BY x.game_date, x.game_id, x.player_id, x.market
"""
#: how many games each player's team has played this season before each of the dates
GAMES_SQL = f"""
SELECT s.game_date, s.game_id, s.player_id, COUNT(DISTINCT b.game_id) AS team_games
FROM nba_analytics.slate AS s
LEFT JOIN nba_raw.box_scores AS b ON b.team_id = s.team_id AND b.season = s.season AND b.game_date < s.game_date
  AND b.game_date >= @history_from AND b.game_date < @last AND {counted_sql("b")}
WHERE s.game_date BETWEEN @first AND @last AND s.team_id IS NOT NULL
GROUP BY s.game_date, s.game_id, s.player_id
"""


@dataclass(frozen=True, kw_only=True)
class Anchored(System):
    """The consensus, moved by another system's stored forecast."""

    def needs(self) -> Needs:
        return Needs(
            optional=("median", "model", "team_games", "weight", "middle"),
            tables=(PLAYER_FEATURES, CONSENSUS),
            systems=(_COMPONENT,),
            statements={"record": RECORD_SQL, "games": GAMES_SQL},
        )

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        rows = with_consensus(inputs, "median")
        model = inputs.systems[[*PROP, "forecast"]].rename(columns={"forecast": "model"})
        rows = rows.merge(model, on=PROP, how="left", validate="one_to_one")
        rows = rows.merge(inputs.answers["games"], on=PLAYER_GAME, how="left", validate="many_to_one")
        mondays = {day: pd.Timestamp(week_of(day)) for day in rows["game_date"].unique()}
        rows["week"] = pd.to_datetime(rows["game_date"].map(mondays))
        fitted = weights(inputs.answers["record"], sorted(set(mondays.values())))
        rows = rows.merge(fitted, on=["week", "market"], how="left", validate="many_to_one")
        rows["weight"] = rows["weight"].astype("float64").fillna(0.0)
        market = rows["market"]
        return predict(self, lambda asked, _: forecast(asked.assign(market=market)), rows, inputs.lines)


def distance(model: pd.Series, median: pd.Series, market: pd.Series) -> pd.Series:
    """How far a forecast is from the consensus, in spreads, within ``MOST``."""
    return ((model - median) / unit(median, market)).clip(-MOST, MOST)


def weights(record: pd.DataFrame, weeks: Iterable[pd.Timestamp]) -> pd.DataFrame:
    """``week, market, weight, middle, results``: each market's weight as of some Mondays.

    Args:
        record: ``game_date, market, forecast, median, result`` of earlier forecasts.
        weeks: the Mondays; results from then on are not used.
    """
    rows = record.assign(
        far=distance(record["forecast"], record["median"], record["market"]),
        off=(record["result"].astype("float64") - record["median"]) / unit(record["median"], record["market"]),
    )
    none = _as_of(rows.iloc[:0]).assign(week=pd.Series(dtype="datetime64[ns]"))
    parts = [_as_of(rows[rows["game_date"] < week]).assign(week=week) for week in weeks]
    return pd.concat(parts or [none], ignore_index=True)[["week", "market", "weight", "middle", "results"]]


def _as_of(rows: pd.DataFrame) -> pd.DataFrame:
    middle = rows.groupby("market")["far"].transform("median")
    x = rows["far"] - middle
    sums = pd.DataFrame(
        {"market": rows["market"], "xy": x * rows["off"], "xx": x**2, "yy": rows["off"] ** 2, "results": 1}
    ).groupby("market").sum()  # fmt: skip
    slope = sums["xy"] / (sums["xx"] + sums["yy"] / sums["results"] / PRIOR**2)
    # sums of fractions depend on their order, and the weight is an input of every row
    weight = slope.clip(lower=0).where(sums["results"] >= MIN_RESULTS, 0.0).round(9)
    found = pd.DataFrame({"weight": weight, "results": sums["results"]})
    # without a weight the middle is not an input: a row would have another hash with each earlier date
    return found.assign(middle=middle.groupby(rows["market"]).first().round(9).where(weight > 0)).reset_index()


def forecast(features: pd.DataFrame) -> pd.DataFrame:
    """Forecast, P(over) at the line and side of each row; see ``rows.Forecast``.

    Sides and confidence are by the rules of ``market_consensus_v1``.
    """
    number = {c: features[c].astype("float64") for c in ("median", "model", "team_games", "weight", "middle", "line")}
    market, median, line = features["market"], number["median"], number["line"]
    weight = number["weight"]
    far = distance(number["model"], median, market) - number["middle"]
    moved = weight * (number["team_games"] / FULL_GAMES).clip(upper=1) * far
    delta = moved.where(weight > 0, 0.0)
    published = (median + unit(median, market) * delta).clip(0, features["ceiling"])
    chance = pd.Series(consensus.over_chance(median, line, market, delta), index=features.index)
    over = chance.where(weight > 0)
    return pd.DataFrame(
        {
            "forecast": published,
            "over_probability": over,
            "confidence_score": confidence(chance),
            "side": side_worth_its_price(published, over, features),
            "reason": _reason(number),
            "term_median": median,
            "term_weight": weight,
            "term_delta": delta,
        }
    )


def _reason(number: Mapping[str, pd.Series]) -> pd.Series:
    """Why a row has no forecast: the first input that is null."""
    reasons = {
        "median": consensus.TOO_FEW, "model": f"NO_FORECAST: of {_COMPONENT.system_id}",
        "team_games": NullReason.TEAM_UNKNOWN.value,
    }  # fmt: skip
    chosen = np.select([number[name].isna() for name in reasons], list(reasons.values()), "")
    return pd.Series(chosen, index=number["median"].index, dtype=object)


SYSTEM = Anchored(
    system_id="market_anchored_v1",
    description="The consensus of the books, moved towards xgboost_v1's forecast by a fitted weight; every market. In "
    "shadow until it has earned its weight.",
    model_version=f"1-{_VERSION}",
    markets=markets.keys(),
    frozen_on=date(2026, 11, 30),
    shadow=True,
    has_weight=True,
)
