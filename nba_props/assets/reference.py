"""``nba_reference``: the players known before each date, and which of them a sportsbook's spelling refers to."""

from typing import Any

import dagster as dg
import pandas as pd

from nba_props.assets.figures import counts
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.deployment import aliases_of
from nba_props.domain import names, slate
from nba_props.facts.calendar import identity_start
from nba_props.schemas import raw, reference
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse


def _players(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        reference.PLAYERS,
        partitions=partitions,
        name="players",
        deps=[raw.SCHEDULE, raw.BOX_SCORES, raw.ROSTERS],
    )
    def players(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]):
        days = partition_days(context)
        frame = warehouse.query(slate.PLAYERS_SQL, first=days[0], last=days[-1], identity_from=identity_start(days[0]))
        return emit(context, [reference.PLAYERS], [frame])

    return players


def _resolved_names(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_assets(
        reference.RESOLVED_NAMES,
        reference.UNRESOLVED_NAMES,
        partitions=partitions,
        name="resolved_names",
        ins={"schedule": raw.SCHEDULE, "known": reference.PLAYERS},
        deps=[raw.ODDS_QUOTES],
    )
    def resolved_names(
        context: dg.AssetExecutionContext,
        schedule: pd.DataFrame,
        known: pd.DataFrame,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ):
        days = partition_days(context)
        asked = warehouse.query(names.QUOTED_SQL, first=days[0], last=days[-1])
        aliases, left_out = aliases_of(settings)
        resolved, unresolved = names.resolve(asked, slate.roster_candidates(schedule, known), known, aliases)
        if left_out:
            context.log.warning(f"lines of aliases that are left out: {'; '.join(left_out)}")

        def figures(resolved: pd.DataFrame, unresolved: pd.DataFrame) -> dict[str, Any]:
            known, unknown = (int(rows["quotes"].sum()) for rows in (resolved, unresolved))
            share = round(known / (known + unknown), 5) if known + unknown else None
            return {"quotes_resolved_share": share, "methods": counts(resolved["method"])}

        return emit(
            context,
            [reference.RESOLVED_NAMES, reference.UNRESOLVED_NAMES],
            [resolved, unresolved],
            figures,
            of_date=lambda day: {"alias_lines_left_out": list(left_out)},
        )

    return resolved_names


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The reference assets over the given partitions."""
    return [_players(partitions), _resolved_names(partitions)]
