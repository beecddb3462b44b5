"""The features of players in markets other than points: averages and rates of what each market counts.

All markets are computed at once: past games are a matrix with a column for each (``results.counted``). The features
that do not depend on the market are in ``domain/features.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain import history
from nba_props.domain.context import halved
from nba_props.domain.features import POINTS_HALF_LIFE, RATE_HALF_LIFE, RATE_PRIOR_MINUTES, null_reasons
from nba_props.domain.history.relations import SLATE
from nba_props.domain.results import counted
from nba_props.facts import markets
from nba_props.facts.calendar import history_start
from nba_props.facts.keys import PLAYER_DAY, PROP
from nba_props.schemas.features import BY_MARKET, MARKET_FEATURES, MARKET_NAMES


@dataclass(frozen=True)
class Past:
    """What the warehouse knows of the past of the players asked for.

    ``history``: rows of ``nba_analytics.historical_games``. ``season``, ``allowed`` and ``league``: the results of
    ``history.season_stats_sql``, ``allowed_stats_sql`` and ``league_stats_sql``.
    """

    history: pd.DataFrame
    season: pd.DataFrame
    allowed: pd.DataFrame
    league: pd.DataFrame


def read_past(
    query: Callable[..., pd.DataFrame],
    played: pd.DataFrame,
    first: date,
    last: date,
    look_back_days: int,
    asked: str = SLATE,
) -> Past:
    """The past of the players asked for on the dates first..last.

    Args:
        query: runs a statement of ``domain/history`` in the warehouse.
        played: rows of ``nba_analytics.historical_games``.
        first: first date.
        last: last date.
        look_back_days: how far averages of teams and league reach.
        asked: the relation of the players asked for.
    """
    span = {"first": first, "last": last}
    return Past(
        played,
        query(history.season_stats_sql(asked), **span, history_from=history_start(first, look_back_days)),
        query(history.allowed_stats_sql(look_back_days, asked), **span),
        query(history.league_stats_sql(look_back_days, asked), **span),
    )


def build(asked: pd.DataFrame, context: pd.DataFrame, past: Past) -> pd.DataFrame:
    """The features of every row of ``asked``, in the columns of ``nba_analytics.market_features``.

    Args:
        asked: the keys of players in markets (``PROP``), with ``player_name``, ``player_lookup`` and ``cutoff_at``.
        context: rows of ``nba_analytics.upcoming_player_game_context`` for these players, for their opponents and for
            why one is unknown.
        past: what is known of their past.
    """
    if asked.empty:
        return MARKET_FEATURES.empty()
    rows = asked[[*PROP, "player_name", "player_lookup", "cutoff_at"]].reset_index(drop=True)
    found = values(rows, context, past)
    why = rows[PLAYER_DAY].merge(context[[*PLAYER_DAY, "null_reasons"]], on=PLAYER_DAY, how="left")["null_reasons"]
    return pd.concat([rows, found], axis=1).assign(null_reasons=null_reasons(found, why, BY_MARKET))


def values(asked: pd.DataFrame, context: pd.DataFrame, past: Past) -> pd.DataFrame:
    """The features alone, a column each, indexed like ``asked``."""
    market = asked["market"].map({key: n for n, key in enumerate(markets.keys())}).to_numpy()
    league = past.league.set_index("game_date")
    people = asked[PLAYER_DAY].drop_duplicates(ignore_index=True)
    form = _form(past.history.merge(people, on=PLAYER_DAY), league)
    opponent = context[[*PLAYER_DAY, "opponent_team_id"]]
    team = people.merge(opponent, on=PLAYER_DAY, how="left", validate="one_to_one")[["game_date", "opponent_team_id"]]
    teams = pd.MultiIndex.from_frame(past.allowed[["game_date", "team_id"]])
    tables = {
        **{name: _taken(of_people, form.index, people) for name, of_people in form.averages.items()},
        "avg_season": _taken(counted(past.season), pd.MultiIndex.from_frame(past.season[PLAYER_DAY]), people),
        "opponent_allows": _taken(counted(past.allowed), teams, team),
        "league_allows": _by_date(
            10_000 * counted(league) / league[["possession_hundredths"]].to_numpy("float64"), league, people
        ),
    }
    person = pd.MultiIndex.from_frame(people).get_indexer(pd.MultiIndex.from_frame(asked[PLAYER_DAY]))
    return pd.DataFrame({name: tables[name][person, market] for name in MARKET_NAMES}, index=asked.index)


@dataclass(frozen=True)
class _Form:
    """Averages by player (rows, as in ``index``) and market (columns)."""

    index: pd.MultiIndex
    averages: dict[str, np.ndarray]


def _form(history: pd.DataFrame, league: pd.DataFrame) -> _Form:
    """Averages and rates of each player's past games, in all markets."""
    games = history.sort_values([*PLAYER_DAY, "recency"], kind="stable")
    begins = ~games.duplicated(PLAYER_DAY).to_numpy()
    starts = np.flatnonzero(begins)
    index = pd.MultiIndex.from_frame(games.loc[begins, PLAYER_DAY])
    values_of, minutes = counted(games), games["minutes"].to_numpy("float64")

    def summed(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=0) if len(starts) else values[:0]

    def mean_of(newest: int) -> tuple[np.ndarray, np.ndarray]:
        used = (games["recency"] <= newest).to_numpy("float64")
        n = summed(used)[:, None]
        return summed(values_of * used[:, None]) / n, n

    points_weight, rate_weight = (
        halved(games["recency"], half).to_numpy() for half in (POINTS_HALF_LIFE, RATE_HALF_LIFE)
    )
    ten = (games["recency"] <= 10).to_numpy("float64")
    (five_mean, _), (ten_mean, ten_games) = mean_of(5), mean_of(10)
    # the games' results are whole, so the sums of squares are exact
    squares = summed(values_of**2 * ten[:, None]) - ten_games * ten_mean**2
    ten_minutes = summed(minutes * ten)[:, None]
    prior = _by_date(counted(league) / league[["minutes"]].to_numpy("float64"), league, index.to_frame(index=False))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "avg_last_5": five_mean,
            "avg_last_10": ten_mean,
            "std_last_10": np.sqrt(np.maximum(squares, 0) / np.where(ten_games > 1, ten_games - 1, np.nan)),
            "ewma": summed(values_of * points_weight[:, None]) / summed(points_weight)[:, None],
            "per_minute_last_10": summed(values_of * ten[:, None]) / np.where(ten_minutes > 0, ten_minutes, np.nan),
            "per_minute_shrunk": (summed(values_of * rate_weight[:, None]) + RATE_PRIOR_MINUTES * prior)
            / (summed(minutes * rate_weight)[:, None] + RATE_PRIOR_MINUTES),
        }
    return _Form(index, values)


def _taken(values: np.ndarray, index: pd.MultiIndex, asked: pd.DataFrame) -> np.ndarray:
    """The row of ``values`` of each row of ``asked``, null where there is none."""
    return _at(values, index.get_indexer(pd.MultiIndex.from_frame(asked)))


def _by_date(values: np.ndarray, league: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    """The row of ``values`` of each row's date."""
    return _at(values, league.index.get_indexer(asked["game_date"]))


def _at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The rows of ``values`` at some places; null at -1."""
    return np.vstack([values, np.full((1, values.shape[1]), np.nan)])[place]
