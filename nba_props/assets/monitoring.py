"""Grades, scoreboard and its page: the results of the predictions, and how good they were."""

import json

import dagster as dg
import pandas as pd

from nba_props.assets import external, figures
from nba_props.assets.pages import located, page_asset
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import asset_key, costed, emit, table_assets
from nba_props.assets.versions import code_version
from nba_props.deployment import frozen, in_shadow
from nba_props.domain import audit, claims, closing, grading, promotion, scoring
from nba_props.domain.results import results_sql
from nba_props.domain.stored import span_sql
from nba_props.domain.systems import INDEPENDENT, SYSTEM_TABLES, VERSIONS, WEIGHTED
from nba_props.domain.systems.base import stored_sql
from nba_props.domain.views.ledger import judged_sql
from nba_props.facts.calendar import season_start
from nba_props.facts.markets import ALL, POINTS
from nba_props.presentation.pages import templates
from nba_props.presentation.report import against_market, graded_rows, read, write_report
from nba_props.process.clock import Clock
from nba_props.schemas import analytics, monitoring, predictions, raw, reference
from nba_props.schemas.distributions import DISTRIBUTION_SCORES
from nba_props.schemas.features import MARKET_FEATURES
from nba_props.settings import Settings
from nba_props.sources import nba_stats
from nba_props.warehouse.base import CatalogError, Warehouse

#: the page of the scoreboard: jobs that grade make it, and none that predicts
REPORT_PAGE = dg.AssetKey(["nba_monitoring", "report_page"])
_NAMELESS_WAY_OUT = (
    "they have no prediction_id, or one of another row. See nba-props quarantine invalid_line DATE --dry-run"
)
_WITHIN = "WHERE game_date BETWEEN @first AND @last"
#: ``judged_predictions`` of some dates only
_JUDGED_SQL = judged_sql(f"(SELECT * FROM nba_predictions.ledger {_WITHIN})")
_AVERAGES_SQL = f"""
SELECT game_date, player_id, '{POINTS}' AS market, points_avg_last_10 AS avg_last_10
FROM nba_analytics.upcoming_player_game_context {_WITHIN}
UNION ALL
SELECT game_date, player_id, market, avg_last_10 FROM {MARKET_FEATURES.address} {_WITHIN}
"""
_GRADES = span_sql(predictions.PREDICTION_ACCURACY)
#: the evidence of systems in shadow, by market
_IN_SHADOW_SQL = (
    f"SELECT * FROM {predictions.EVIDENCE.address} {_WITHIN} AND system_id IN UNNEST(@systems) AND market <> '{ALL}' "
    "ORDER BY game_date, system_id, market, model_version"
)


def _grades(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        predictions.PREDICTION_ACCURACY,
        predictions.GRADE_HISTORY,
        partitions=partitions,
        name="grades",
        ins={
            "schedule": raw.SCHEDULE,
            "box_scores": raw.BOX_SCORES,
            "refused_rows": raw.QUARANTINED_BOX_SCORES,
            "line_rows": analytics.BETTING_LINES,
        },
        deps=[predictions.LEDGER, raw.ODDS_QUOTES, reference.RESOLVED_NAMES, analytics.CONTEXT, MARKET_FEATURES],
    )
    def grades(
        context: dg.AssetExecutionContext,
        schedule: pd.DataFrame,
        box_scores: pd.DataFrame,
        refused_rows: pd.DataFrame,
        line_rows: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ):
        days = partition_days(context)
        span = {"first": days[0], "last": days[-1]}
        judged = warehouse.query(_JUDGED_SQL, **span)
        averages = warehouse.query(_AVERAGES_SQL, **span)
        refused = nba_stats.refused_players(refused_rows)
        # without an id of its own no row can have a grade of its own
        verdicts = audit.verdicts(judged, is_sealed=warehouse.is_sealed())
        nameless = verdicts["nameless"]
        if nameless.any():
            context.log.error(f"{int(nameless.sum())} rows can't be graded: {_NAMELESS_WAY_OUT}")
        without = {k: int(v) for k, v in judged.loc[nameless, "game_date"].value_counts().items()}
        whole = judged["is_valid_line"].astype(bool) & verdicts["problem"].isna()
        judged = judged.assign(line_problem=verdicts["problem"], is_valid_line=whole)[~nameless]
        graded = grading.grade(judged, schedule, box_scores, line_rows, averages, pd.Timestamp(clock()), refused)
        known = [d for d in warehouse.partitions(predictions.GRADE_HISTORY) if days[0] <= d <= days[-1]]
        settled, changed = grading.settle(graded, warehouse.read(predictions.GRADE_HISTORY, known))
        return emit(
            context,
            [predictions.PREDICTION_ACCURACY, predictions.GRADE_HISTORY],
            [settled, changed],
            figures.grades,
            games=figures.games(schedule),
            of_date=lambda day: {"rows_without_an_id": without.get(pd.Timestamp(day))},
        )

    return grades


def _closing_line_value(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        predictions.CLOSING_LINE_VALUE,
        predictions.QUOTE_SCORES,
        predictions.EVIDENCE,
        partitions=partitions,
        name="closing_line_value",
        deps=[predictions.PREDICTION_ACCURACY, analytics.BOOK_LINES, analytics.PRICES, raw.ODDS_QUOTES],
    )
    def closing_line_value(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]):
        days = partition_days(context)
        shown, results, offers, quotes, evidence = (
            warehouse.query(sql, first=days[0], last=days[-1])
            for sql in (
                closing.SHOWN_SQL,
                results_sql(_GRADES),
                closing.OFFERS_SQL,
                scoring.QUOTE_SCORES_SQL,
                claims.EVIDENCE_SQL,
            )
        )
        return emit(
            context,
            [predictions.CLOSING_LINE_VALUE, predictions.QUOTE_SCORES, predictions.EVIDENCE],
            [closing.bets(shown, results, offers, INDEPENDENT), quotes, evidence],
            figures.against_the_market,
        )

    return closing_line_value


def _scoreboard(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        monitoring.SCOREBOARD,
        monitoring.MARKET_SCORES,
        partitions=partitions,
        name="scoreboard",
        deps=[
            predictions.PREDICTION_ACCURACY,
            predictions.QUOTE_SCORES,
            predictions.CLOSING_LINE_VALUE,
            DISTRIBUTION_SCORES,
        ],
    )
    def scoreboard(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]):
        days = partition_days(context)
        first = min(season_start(d) for d in days)
        board = scoring.scoreboard(graded_rows(warehouse, first, days[-1]), days)
        beside = scoring.market_board(*against_market(warehouse, first, days[-1]), days)
        failure: dict[str, str] = {}
        try:  # no run makes a virtual asset, and whoever reads scores reads the views beside them
            warehouse.create_views()
        except CatalogError as error:
            context.log.warning(str(error))
            failure["failure"] = str(error)
        for seen in external.observed(warehouse):
            context.log_event(seen)
        return emit(
            context,
            [monitoring.SCOREBOARD, monitoring.MARKET_SCORES],
            [board, beside],
            figures.scoreboard,
            of_date=lambda day: failure,
        )

    return scoreboard


def _promotions(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        monitoring.PROMOTIONS,
        partitions=partitions,
        name="promotions",
        deps=[predictions.EVIDENCE, *SYSTEM_TABLES.values()],
    )
    def promotions(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings]
    ):
        days, shadowed = partition_days(context), in_shadow(settings)
        # of rows with a weight and rows without terms those with one come first
        rows = warehouse.query(
            "SELECT game_date, system_id, market, MIN(components) AS components "
            f"FROM ({stored_sql(SYSTEM_TABLES[name] for name in shadowed)}) AS s GROUP BY game_date, system_id, market",
            first=days[0],
            last=days[-1],
        )
        weights = rows.assign(candidate_weight=[json.loads(text).get("weight") for text in rows["components"]])
        # without a row that has a weight, a system with one of its own has 0
        own = weights["system_id"].isin(WEIGHTED)
        stated = weights["candidate_weight"].astype("float64")
        weights["candidate_weight"] = stated.mask(own & stated.isna(), 0.0)
        quotes = warehouse.query(_IN_SHADOW_SQL, first=min(shadowed.values()), last=days[-1], systems=list(shadowed))
        quotes = claims.of_running_versions(quotes, VERSIONS)
        found = promotion.promotions(quotes, weights.drop(columns="components"), shadowed, days)
        return emit(context, [monitoring.PROMOTIONS], [found], figures.promotions)

    return promotions


def _report_page(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @page_asset(
        REPORT_PAGE,
        partitions,
        [asset_key(monitoring.SCOREBOARD)],
        "monitoring",
        code_version(write_report, templates()),
        "The season's scoreboard as a page: tables and pictures in one HTML file. A run over several dates "
        "makes one page, as of the last of them.",
    )
    def report_page(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ):
        last = partition_days(context)[-1]
        first = season_start(last)
        with costed(context, REPORT_PAGE, "report_page"):
            path = write_report(
                warehouse, settings, first, last, read(warehouse, first, last, clock(), frozen(settings))
            )
        page = located(settings, path, "page", "report")
        return dg.MaterializeResult(metadata={**page, "as_of": last.isoformat()})

    return report_page


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Grades, scoreboard and page over the given partitions."""
    return [
        _grades(partitions),
        _closing_line_value(partitions),
        _scoreboard(partitions),
        _promotions(partitions),
        _report_page(partitions),
    ]
