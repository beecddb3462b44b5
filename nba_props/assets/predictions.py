"""``nba_predictions``: one asset per system, from one factory, and the gate before the published ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime

import dagster as dg
import pandas as pd

from nba_props.assets.tables import emit, table_assets
from nba_props.domain import gate, history, lines
from nba_props.domain.systems.base import System, predict
from nba_props.partitions import partition_days
from nba_props.schemas import analytics, predictions, raw, reference
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse

Clock = Callable[[], datetime]


def build_system(system: System, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset of one prediction system."""
    table = system.table

    @table_assets(
        table,
        partitions=partitions,
        name=system.system_id,
        ins={"feature_rows": PLAYER_FEATURES, "line_rows": analytics.BETTING_LINES},
        deps=[analytics.HISTORICAL_GAMES, raw.BOX_SCORES] if system.uses_past else [],
    )
    def system_predictions(
        context: dg.AssetExecutionContext,
        feature_rows: pd.DataFrame,
        line_rows: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        past = None
        if system.uses_past:
            days = partition_days(context)
            sql = history.past_form_sql(settings.look_back_days)
            past = warehouse.query(sql, first=days[0], last=days[-1])
        frame = predict(system, feature_rows, line_rows, past)
        return emit(
            context,
            [table],
            [frame],
            forecasts=int(frame["predicted_points"].notna().sum()),
            abstentions=int(frame["abstain_reason"].notna().sum()),
            recommendations={str(k): int(v) for k, v in frame["recommendation"].value_counts().items()},
        )

    return system_predictions


def build_gate(systems: Sequence[System], partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The gate: every system's rows in, the ledger and the quarantine out."""
    tables = [s.table for s in systems]

    @table_assets(
        predictions.PLAYER_PROP_PREDICTIONS,
        predictions.QUARANTINED_PREDICTIONS,
        partitions=partitions,
        name="gate",
        deps=[*tables, raw.ODDS_QUOTES, reference.RESOLVED_NAMES],
    )
    def gate_predictions(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ):
        days = partition_days(context)
        columns = ", ".join(c.name for c in predictions.SYSTEM_COLUMNS)
        claims = " UNION ALL ".join(
            f"SELECT {columns} FROM {warehouse.table(t)} WHERE game_date BETWEEN @first AND @last" for t in tables
        )
        judged = warehouse.query(lines.claimed_lines_sql(f"({claims})"), first=days[0], last=days[-1])
        published, held_back = gate.split(judged)
        now = pd.Timestamp(clock())
        published = published.assign(
            run_id=context.run.run_id,
            created_at=now,
            is_backfill=published["cutoff_at"].isna() | (published["cutoff_at"] <= now),
        )
        held_back = held_back.assign(run_id=context.run.run_id, quarantined_at=now)
        return emit(
            context,
            [predictions.PLAYER_PROP_PREDICTIONS, predictions.QUARANTINED_PREDICTIONS],
            [published, held_back],
            gate_passed=len(published),
            gate_quarantined=len(held_back),
            reasons={str(k): int(v) for k, v in held_back["reason"].value_counts().items()},
        )

    return gate_predictions
