"""``nba_analytics``: the slate, its history, its lines and its context."""

import dagster as dg
import pandas as pd

from nba_props.assets import figures
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.domain import consensus, features, history, lines, market_features
from nba_props.domain import context as player_context
from nba_props.domain import prices as pricing
from nba_props.domain import slate as slates
from nba_props.facts.calendar import history_start, last_season_start
from nba_props.facts.markets import POINTS
from nba_props.schemas import analytics, raw, reference
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES, SCHEMA_HASH
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse


def _slate(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        analytics.SLATE,
        partitions=partitions,
        name="slate",
        ins={
            "schedule": raw.SCHEDULE,
            "players": reference.PLAYERS,
            "resolved": reference.RESOLVED_NAMES,
        },
        deps=[raw.ODDS_QUOTES],
    )
    def slate(
        context: dg.AssetExecutionContext,
        schedule: pd.DataFrame,
        players: pd.DataFrame,
        resolved: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
    ):
        days = partition_days(context)
        cutoffs = warehouse.query(slates.FEED_CUTOFFS_SQL, first=days[0], last=days[-1])
        return emit(context, [analytics.SLATE], [slates.slate(schedule, players, resolved, cutoffs)], figures.slate)

    return slate


def _historical_games(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        analytics.HISTORICAL_GAMES,
        partitions=partitions,
        name="historical_games",
        deps=[analytics.SLATE, raw.BOX_SCORES],
    )
    def historical_games(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        days = partition_days(context)
        sql = history.historical_games_sql(settings.look_back_days, settings.max_games)
        return emit(context, [analytics.HISTORICAL_GAMES], [warehouse.query(sql, first=days[0], last=days[-1])])

    return historical_games


def _betting_lines(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        analytics.BOOK_LINES,
        analytics.BETTING_LINES,
        analytics.CONSENSUS,
        partitions=partitions,
        name="betting_lines",
        ins={"slate_rows": analytics.SLATE, "resolved": reference.RESOLVED_NAMES},
        deps=[raw.ODDS_QUOTES],
    )
    def betting_lines(
        context: dg.AssetExecutionContext,
        slate_rows: pd.DataFrame,
        resolved: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        days = partition_days(context)
        # a date keeps its markets when the setting names fewer: published rows refer to their lines
        stored = warehouse.query(lines.MARKETS_SQL, first=days[0], last=days[-1])
        asked = {*settings.markets, *stored["market"]}
        both = lines.read_lines(warehouse.query, slate_rows, resolved, days, asked, settings.books)
        offers, chosen = (lines.of_markets(frame, settings.markets, stored) for frame in both)
        return emit(
            context,
            [analytics.BOOK_LINES, analytics.BETTING_LINES, analytics.CONSENSUS],
            [offers, chosen, consensus.rows(offers)],
            figures.lines,
            games=figures.games(slate_rows),
        )

    return betting_lines


def _prices(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(analytics.PRICES, partitions=partitions, name="prices", ins={"offers": analytics.BOOK_LINES})
    def prices(context: dg.AssetExecutionContext, offers: pd.DataFrame, settings: dg.ResourceParam[Settings]):
        return emit(context, [analytics.PRICES], [pricing.prices(offers, settings.books)], figures.prices)

    return prices


def _upcoming_player_game_context(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        analytics.CONTEXT,
        partitions=partitions,
        name="upcoming_player_game_context",
        ins={
            "slate_rows": analytics.SLATE,
            "past_games": analytics.HISTORICAL_GAMES,
            "line_rows": analytics.BETTING_LINES,
        },
        deps=[raw.BOX_SCORES, raw.SCHEDULE, raw.INJURY_REPORTS],
    )
    def upcoming_player_game_context(
        context: dg.AssetExecutionContext,
        slate_rows: pd.DataFrame,
        past_games: pd.DataFrame,
        line_rows: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        days = partition_days(context)
        season = warehouse.query(
            history.season_sql(),
            first=days[0],
            last=days[-1],
            history_from=history_start(days[0], settings.look_back_days),
        )
        form = warehouse.query(history.team_form_sql(settings.look_back_days), first=days[0], last=days[-1])
        available = warehouse.query(history.availability_sql(), first=days[0], last=days[-1])
        frame = player_context.build(
            slate_rows, past_games, season, form, line_rows[line_rows["market"] == POINTS], available
        )
        return emit(context, [analytics.CONTEXT], [frame])

    return upcoming_player_game_context


def _player_features(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        PLAYER_FEATURES,
        MARKET_FEATURES,
        partitions=partitions,
        name="player_features",
        ins={
            "context_rows": analytics.CONTEXT,
            "past_games": analytics.HISTORICAL_GAMES,
            "line_rows": analytics.BETTING_LINES,
        },
        deps=[raw.BOX_SCORES, raw.SCORING_SHARES, analytics.SLATE],
    )
    def player_features(
        context: dg.AssetExecutionContext,
        context_rows: pd.DataFrame,
        past_games: pd.DataFrame,
        line_rows: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        days = partition_days(context)
        span = {"first": days[0], "last": days[-1]}
        frame = features.build(
            context_rows,
            past_games,
            line_rows[line_rows["market"] == POINTS],
            matchups=warehouse.query(history.matchup_sql(), **span, last_season_from=last_season_start(days[0])),
            team_state=warehouse.query(history.team_state_sql(settings.look_back_days), **span),
            league=warehouse.query(history.league_form_sql(settings.look_back_days), **span),
            absences=warehouse.query(history.absence_sql(settings.look_back_days), **span),
            shots=warehouse.query(history.shot_zones_sql(settings.look_back_days), **span),
        )
        others = line_rows[line_rows["market"] != POINTS]
        by_market = MARKET_FEATURES.empty()
        if len(others):
            past = market_features.read_past(warehouse.query, past_games, days[0], days[-1], settings.look_back_days)
            by_market = market_features.build(others, context_rows, past)
        return emit(
            context,
            [PLAYER_FEATURES, MARKET_FEATURES],
            [frame, by_market],
            of_date=lambda day: {"schema_hash": SCHEMA_HASH},
        )

    return player_features


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The analytics assets over the given partitions."""
    return [
        _slate(partitions),
        _historical_games(partitions),
        _betting_lines(partitions),
        _prices(partitions),
        _upcoming_player_game_context(partitions),
        _player_features(partitions),
    ]
