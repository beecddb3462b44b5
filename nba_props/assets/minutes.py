"""The minutes that players are expected to play, and the errors of these forecasts."""

import dagster as dg
import pandas as pd

from nba_props.assets import figures
from nba_props.assets.models import model_key
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.domain.history import PLAYED
from nba_props.domain.systems import minutes
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.markets import POINTS
from nba_props.schemas import analytics, raw
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.schemas.minutes import MINUTES, MINUTES_SCORES
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import Warehouse

_KEYS = ", ".join(PLAYER_GAME)
_WITHIN = "WHERE game_date BETWEEN @first AND @last"
_MADE_SQL = f"SELECT {_KEYS}, minutes, low, high, minutes_ewma FROM {MINUTES.address} {_WITHIN}"
_PLAYED_SQL = f"SELECT {_KEYS}, minutes_played FROM {PLAYED} AS p"
_LINED_SQL = (
    f"SELECT {_KEYS} FROM {analytics.BETTING_LINES.address} {_WITHIN} AND market = '{POINTS}' AND line IS NOT NULL"
)


def _forecasts(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        MINUTES,
        partitions=partitions,
        name="minutes_forecasts",
        ins={"features": PLAYER_FEATURES, "past": analytics.HISTORICAL_GAMES, "known": analytics.CONTEXT},
        deps=[model_key(minutes.RECIPE.system_id)],
    )
    def minutes_forecasts(
        context: dg.AssetExecutionContext,
        features: pd.DataFrame,
        past: pd.DataFrame,
        known: pd.DataFrame,
        model_store: dg.ResourceParam[ModelStore],
    ):
        busy = sorted({d.date() for d in features["game_date"].unique()})
        models = model_store.serving(minutes.RECIPE, busy)
        return emit(context, [MINUTES], [minutes.forecasts(features, past, known, models)], figures.minutes)

    return minutes_forecasts


def _scores(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        MINUTES_SCORES,
        partitions=partitions,
        name="minutes_scores",
        # by query: a date of an earlier release has no forecasts of minutes, and is graded all the same
        deps=[MINUTES, raw.BOX_SCORES, raw.SCHEDULE, analytics.BETTING_LINES],
    )
    def minutes_scores(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]):
        days = partition_days(context)
        parts = (warehouse.query(sql, first=days[0], last=days[-1]) for sql in (_MADE_SQL, _PLAYED_SQL, _LINED_SQL))
        return emit(context, [MINUTES_SCORES], [minutes.scores(*parts)], figures.minutes_scores)

    return minutes_scores


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Forecasts of minutes and their scores over the given partitions."""
    return [_forecasts(partitions), _scores(partitions)]
