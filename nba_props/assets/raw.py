"""``nba_raw``: landed payloads as typed rows, and a quarantine of what is not one, for every table of every feed."""

import inspect

import dagster as dg
import pandas as pd

from nba_props.assets.inputs import landing_key
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.facts.vocabulary import League
from nba_props.sources import registry
from nba_props.sources.base import Feed, RawTable
from nba_props.sources.rejects import quarantine_frame
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse


def origin(landing: LandingZone) -> str:
    """REAL or SIMULATED: a warehouse holds one of the two, never both."""
    return (League.SIMULATED if landing.is_simulated else League.REAL).value


def landing_files(feed: Feed) -> dg.AssetSpec:
    """The asset of a feed's payloads, which no run of Dagster materializes."""
    return dg.AssetSpec(landing_key(feed), group_name="landing", description=feed.description, kinds=set(feed.kinds))


def raw_assets(feed: Feed, source: RawTable, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """A table of landed payloads, and the quarantine of what could not become one of its rows."""
    table, quarantine, read = source.table, source.quarantine, source.read

    def rows(context, landing: LandingZone, warehouse: Warehouse, **frames: pd.DataFrame):
        warehouse.claim(origin(landing))
        days = partition_days(context)
        parsed = read(landing, days, **frames)
        refused = quarantine_frame(quarantine, parsed.rejects, days[0])
        return emit(
            context, [table, quarantine], [parsed.frame, refused], of_date=lambda day: parsed.remarks.get(day, {})
        )

    # Dagster reads from a signature which frames and resources a step needs
    annotated = {
        "context": dg.AssetExecutionContext,
        **dict.fromkeys(source.reads, pd.DataFrame),
        "landing": dg.ResourceParam[LandingZone],
        "warehouse": dg.ResourceParam[Warehouse],
    }
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    rows.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind, annotation=annotation) for name, annotation in annotated.items()]
    )
    step = table_assets(
        table, quarantine, partitions=partitions, name=table.name, ins=dict(source.reads), deps=[landing_key(feed)]
    )
    return step(rows)


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The raw assets over the given partitions."""
    feeds = registry.feeds()
    return [
        *(landing_files(feed) for feed in feeds),
        *(raw_assets(feed, source, partitions) for feed in feeds for source in feed.tables),
    ]
