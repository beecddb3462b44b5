"""``market_consensus_v1``: the median that the lines and prices of all books imply together, in every market.

It knows nothing of basketball: it is what the market as a whole says, with the rounding of the lines taken out
(``domain/consensus.py``), and what every other system has to beat. With fewer than three odds engines it abstains.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.odds import expected_profit
from nba_props.domain.systems.base import Needs, System, SystemInputs, side_of
from nba_props.domain.systems.rows import predict
from nba_props.facts import markets
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.schemas.analytics import CONSENSUS
from nba_props.schemas.features import PLAYER_FEATURES


@dataclass(frozen=True, kw_only=True)
class Consensus(System):
    """The system of the books themselves."""

    def needs(self) -> Needs:
        return Needs(optional=("median", "engines"), tables=(PLAYER_FEATURES, CONSENSUS))

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        rows = with_consensus(inputs, "median", "engines")
        market = rows["market"]
        return predict(self, lambda asked, _: forecast(asked.assign(market=market)), rows, inputs.lines)


def with_consensus(inputs: SystemInputs, *columns: str) -> pd.DataFrame:
    """The players and markets of the dates, with the risk of each and some columns of ``nba_analytics.consensus``."""
    people = inputs.lines[[*PROP, "player_name", "player_lookup", "cutoff_at"]]
    risk = inputs.tables[PLAYER_FEATURES.address][[*PLAYER_GAME, "injury_risk"]]
    rows = people.merge(risk, on=PLAYER_GAME, how="left", validate="many_to_one")
    found = inputs.tables[CONSENSUS.address][[*PROP, *columns]]
    return rows.merge(found, on=PROP, how="left", validate="one_to_one")


def side_worth_its_price(published: pd.Series, over: pd.Series, features: pd.DataFrame) -> np.ndarray:
    """The side of the line where the forecast is, if its price at the chosen book is worth more than the stake by
    P(over); else PASS.
    """
    line = features["line"].astype("float64")
    edge = (published - line).round(9)
    gain = expected_profit(over, features["over_price"]).where(
        edge > 0, expected_profit(1 - over, features["under_price"])
    )
    return side_of(published, line, edge.ne(0) & gain.gt(0))


def confidence(over: pd.Series) -> pd.Series:
    """The probability of the likelier side."""
    return pd.Series(np.maximum(over, 1 - over)).fillna(0.5).round(9)


def forecast(features: pd.DataFrame) -> pd.DataFrame:
    """Median, P(over) at the line and side of each row; see ``rows.Forecast``."""
    median, line = (features[c].astype("float64") for c in ("median", "line"))
    over = pd.Series(consensus.over_chance(median, line, features["market"]), index=features.index)
    # a long price on a line of 0.5 means a median below 0
    published = median.clip(0, features["ceiling"])
    engines = features["engines"].fillna(0).astype(int)
    too_few = consensus.TOO_FEW + ": " + engines.astype(str) + f" of {consensus.MIN_ENGINES}"
    return pd.DataFrame(
        {
            "forecast": published,
            "over_probability": over,
            "confidence_score": confidence(over),
            "side": side_worth_its_price(published, over, features),
            "reason": too_few,
            "term_median": median,
            "term_engines": engines.astype("float64"),
        }
    )


SYSTEM = Consensus(
    system_id="market_consensus_v1",
    description="The median that the lines and prices of all books imply together, without any model; every market.",
    model_version="1",
    markets=markets.keys(),
    is_market=True,
    frozen_on=date(2026, 11, 30),
)
