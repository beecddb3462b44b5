"""The shapes of past results, the distributions that are made with them, and their scores."""

from collections.abc import Collection, Sequence
from datetime import date

import dagster as dg
import pandas as pd

from nba_props.assets import figures
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, made_from, table_assets
from nba_props.assets.windows import WINDOWS
from nba_props.domain.distributions import masses, pairs, shapes
from nba_props.domain.models.card import Model
from nba_props.domain.models.learner import Recipe
from nba_props.domain.results import results_sql
from nba_props.domain.scoring import distribution_scores
from nba_props.domain.stored import span_sql
from nba_props.domain.systems import xgboost_v1
from nba_props.facts.keys import PROP
from nba_props.schemas import analytics, predictions, raw
from nba_props.schemas.distributions import COMBINATION_SCORES, DEPENDENCE, DISTRIBUTION_SCORES, DISTRIBUTIONS, SHAPES
from nba_props.settings import Settings
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import Warehouse

#: the system whose forecast is the centre without a consensus
_FORECASTS = xgboost_v1.SYSTEM
_KEYS = ", ".join(PROP)
_MADE_SQL = f"SELECT {_KEYS}, anchor, lowest, masses FROM {span_sql(DISTRIBUTIONS)} AS d WHERE masses IS NOT NULL"
_FORECASTS_SQL = f"SELECT {_KEYS}, forecast, model_version FROM {span_sql(_FORECASTS.table)} AS x"
_LINES_SQL = f"SELECT {_KEYS}, line, over_price, under_price FROM {span_sql(analytics.BETTING_LINES)} AS b"


def _shapes(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        SHAPES,
        DEPENDENCE,
        partitions=partitions,
        name="shapes",
        deps=[analytics.CONSENSUS, raw.BOX_SCORES, raw.SCHEDULE],
    )
    def of_month(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings]
    ):
        days, tables = partition_days(context), (SHAPES, DEPENDENCE)
        digests = [made_from(context, table) for table in tables]
        stored = [{d: state.made_from for d, state in warehouse.states(table).items()} for table in tables]
        # the dates of the run are made afresh: a rerun is to see a corrected fit. An interrupted run can have stored
        # one table and not the other
        others = (set(stored[0]) & set(stored[1])) - set(days)
        made: list[list[pd.DataFrame]] = []
        fitted: list[date] = []
        for month in sorted({shapes.month_of(d) for d in days}):
            mine = [d for d in days if shapes.month_of(d) == month]
            fresh = [digest[mine[0]] for digest in digests]
            same = [d for d in others if shapes.month_of(d) == month and [of[d] for of in stored] == fresh]
            if same:
                found = [warehouse.read(t, [min(same)]).drop(columns="game_date") for t in tables]
            else:
                fitted.append(month)
                first, last = WINDOWS[SHAPES.address][0].days(month, settings)
                past = shapes.read_past(warehouse.query, first, last)
                found = [shapes.fit(past), pairs.fit(past)]
            made.append([shapes.copies(frame, mine) for frame in found])
        frames = [pd.concat(parts, ignore_index=True) for parts in zip(*made, strict=True)]
        if fitted:
            context.log.info(f"fitted the shapes of {', '.join(f'{month:%Y-%m}' for month in fitted)}")
        return emit(context, [SHAPES, DEPENDENCE], frames, figures.shapes)

    return of_month


def _distributions(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        DISTRIBUTIONS,
        partitions=partitions,
        name="distributions",
        ins={"lines": analytics.BETTING_LINES, "known": analytics.CONSENSUS, "fitted": SHAPES},
        # by query: a run of some systems has distributions around the consensus all the same
        deps=[_FORECASTS.table],
    )
    def distributions(
        context: dg.AssetExecutionContext,
        lines: pd.DataFrame,
        known: pd.DataFrame,
        fitted: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        model_store: dg.ResourceParam[ModelStore],
    ):
        days = partition_days(context)
        forecasts = warehouse.query(_FORECASTS_SQL, first=days[0], last=days[-1])
        forecast = forecasts[forecasts["forecast"].notna()]
        busy = sorted({d.date() for d in forecast["game_date"].unique()})
        recipes = [r for r in _FORECASTS.recipes if r.market in set(forecast["market"])]
        models = _errors(model_store, recipes, busy)
        rows = masses.distributions(lines, known, forecasts, fitted, models)
        return emit(context, [DISTRIBUTIONS], [rows], figures.distributions)

    return distributions


def _errors(store: ModelStore, recipes: Collection[Recipe], days: Sequence[date]) -> pd.DataFrame:
    """The quantiles of the errors of the models that serve some dates, as ``masses.distributions`` takes them."""
    served = [(r.market, day, m) for r in recipes for day, m in store.serving(r, days).items() if isinstance(m, Model)]
    rows = [
        (pd.Timestamp(day), market, m.card.version, str(list(m.card.residuals)), pd.Timestamp(m.card.trained_through))
        for market, day, m in served
        if m.card.residuals
    ]
    return pd.DataFrame(rows, columns=["game_date", "market", "model_version", "quantiles", "last_result"])


def _distribution_scores(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        DISTRIBUTION_SCORES,
        COMBINATION_SCORES,
        partitions=partitions,
        name="distribution_scores",
        # by query: a date of an earlier release has no distributions, and is graded all the same
        deps=[DISTRIBUTIONS, DEPENDENCE, analytics.BETTING_LINES, predictions.PREDICTION_ACCURACY],
    )
    def scores(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]):
        days = partition_days(context)
        span = {"first": days[0], "last": days[-1]}
        rows, results, lines, dependence = (
            warehouse.query(sql, **span)
            for sql in (
                _MADE_SQL,
                results_sql(span_sql(predictions.PREDICTION_ACCURACY)),
                _LINES_SQL,
                f"SELECT * FROM {span_sql(DEPENDENCE)} AS d",
            )
        )
        together = pairs.combination_scores(pairs.combined(rows, lines, dependence), results)
        return emit(
            context,
            [DISTRIBUTION_SCORES, COMBINATION_SCORES],
            [distribution_scores(rows, results, lines), together],
            figures.distribution_scores,
        )

    return scores


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Shapes, distributions and their scores over the given partitions."""
    return [_shapes(partitions), _distributions(partitions), _distribution_scores(partitions)]
