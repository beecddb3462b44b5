"""The protocol of a prediction system: the inputs that it needs, and the rows that it makes of them.

Formulas, trained models and ensembles implement it; no other module depends on which of them a system is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from nba_props.domain.models.card import Model
from nba_props.domain.models.learner import Recipe
from nba_props.facts.keys import PROP
from nba_props.facts.markets import POINTS, market
from nba_props.facts.vocabulary import SIDES, Recommendation, words
from nba_props.schemas import Table
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES
from nba_props.schemas.predictions import SYSTEM_COLUMNS, system_table

#: no forecast of points is above it
MAX_POINTS = market(POINTS).ceiling


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a system reads, besides its dates' lines."""

    #: inputs without which it abstains
    required: tuple[str, ...] = ()
    #: inputs that may be null: a null one is left out and listed in the row's components, never replaced by a value
    optional: tuple[str, ...] = ()
    #: tables whose rows of the dates are read
    tables: tuple[Table, ...] = ()
    #: the players' past games (``history.past_form_sql``)
    uses_past: bool = False
    #: systems whose stored rows are read
    systems: tuple[System, ...] = ()
    #: further statements, by name: with @first and @last of the dates, @history_from, the start of the first one's
    #: season, and @learn_from and @learn_before: from the first date of all to the last one's Monday
    statements: Mapping[str, str] = field(default_factory=dict)
    #: the recipes of the models that it forecasts with
    models: tuple[Recipe, ...] = ()


@dataclass(frozen=True)
class SystemInputs:
    """What was read for a system."""

    #: rows of ``nba_analytics.betting_lines``
    lines: pd.DataFrame
    #: rows of each table that it needs, by address
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    #: result of ``history.past_form_sql``, where it is needed
    past: pd.DataFrame | None = None
    #: the stored rows of the systems that it needs
    systems: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: the results of the statements that it needs, by name
    answers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    #: by the recipe's model and the date: the model, or the reason for having none
    models: Mapping[str, Mapping[date, Model | str]] = field(default_factory=dict)

    @property
    def features(self) -> pd.DataFrame:
        """Rows of ``nba_analytics.player_features``, each for the market of points."""
        return self.tables[PLAYER_FEATURES.address].assign(market=POINTS)

    def elsewhere(self, markets: Collection[str]) -> pd.DataFrame:
        """Rows of ``nba_analytics.market_features`` in some markets, with the features of the player beside."""
        rows = self.tables[MARKET_FEATURES.address]
        own = rows[rows["market"].isin(markets)].drop(columns="null_reasons")
        person = self.tables[PLAYER_FEATURES.address].drop(columns=["player_name", "player_lookup", "cutoff_at"])
        return own.merge(person, on=[c for c in PROP if c != "market"], how="left", validate="many_to_one")


@dataclass(frozen=True, kw_only=True)
class System(ABC):
    """A prediction system: for every player of a slate a forecast and a side, or a reason to abstain."""

    #: the name of its asset and table, and in its rows
    system_id: str
    #: a sentence that describes it, and its table
    description: str
    #: version of the formula, as in its rows
    model_version: str
    #: the markets that it forecasts
    markets: tuple[str, ...] = (POINTS,)
    #: whether it is what the books say: no opinion that agrees with a side
    is_market: bool = False
    #: the date on which its formula was frozen, if it was: what it says of later dates is evidence
    #: (``domain/claims.py``)
    frozen_on: date | None = None
    #: whether it is in shadow until it has earned its weight on such dates (``domain/promotion.py``)
    shadow: bool = False
    #: whether its rows have a weight of its own, in their components
    has_weight: bool = False

    @cached_property
    def table(self) -> Table:
        """Where its predictions are stored."""
        return system_table(self.system_id, self.description)

    @abstractmethod
    def needs(self) -> Needs:
        """What it reads."""

    @abstractmethod
    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        """One row for every player with features and market, in the columns of its table (see ``rows.predict``)."""


def stored_sql(tables: Iterable[Table]) -> str:
    """SQL for the rows of systems' tables in @first..@last, with the system whose table each ``stands_in``."""
    columns = ", ".join(c.name for c in SYSTEM_COLUMNS)
    return " UNION ALL ".join(
        f"SELECT {columns}, '{t.name}' AS stands_in FROM {t.address} WHERE game_date BETWEEN @first AND @last"
        for t in tables
    )


def v1_confidence(features: pd.DataFrame) -> pd.Series:
    """Confidence of the first two legacy systems: spread of points and games in the last week."""
    spread, games = features["points_std_last_10"], features["games_in_last_7_days"]
    confidence = (
        0.50
        - np.where(spread > 6, 0.15, np.where(spread > 4, 0.08, 0.0))
        + np.where(games >= 3, 0.10, np.where(games == 2, 0.05, -0.10))
    )
    # the sums are short decimals: rounding undoes binary noise, so that 0.45 compares as 0.45
    return pd.Series(confidence, index=features.index).clip(0.2, 0.8).round(9)


def v1_side(points: pd.Series, confidence: pd.Series, line: pd.Series) -> np.ndarray:
    """Side of the first two legacy systems: a bet on an edge above 2.0 at a confidence above 0.45."""
    return side_of(points, line, (points - line).round(9).abs().gt(2.0) & confidence.gt(0.45))


def side_of(points: pd.Series, line: pd.Series, bets: pd.Series) -> np.ndarray:
    """OVER or UNDER by the sign of points less line where a bet is made and a line exists, else PASS."""
    return sides_of((points - line).round(9) > 0, bets & line.notna())


def sides_of(is_over: np.ndarray | pd.Series, bets: np.ndarray | pd.Series) -> np.ndarray:
    """OVER or UNDER where a bet is made, else PASS."""
    over, under, none = words((*SIDES, Recommendation.PASS))
    return np.where(bets, np.where(is_over, over, under), none)
