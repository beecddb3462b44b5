"""What the graph shows and no run of an asset makes: every view, and the tables that jobs and the gate write.

A view is a virtual asset: it has no rows of its own, so nothing materializes it, and it is as new as its tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from nba_props.assets.figures import PREVIEW_ROWS
from nba_props.assets.tables import GROUPS, as_markdown, asset_key, definition_metadata
from nba_props.assets.versions import code_version
from nba_props.catalog import VIEWS
from nba_props.domain.views.monitoring import MONITORING_VIEWS
from nba_props.schemas import Table, View, predictions
from nba_props.warehouse import usage
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.sql import reads

#: the tables that are written beside the assets, with what writes them
WRITTEN_BY: Mapping[Table, str] = {
    predictions.PUBLICATIONS: "the gate",
    predictions.ARCHIVED_PREDICTIONS: "the jobs quarantine, restore and rollback",
    predictions.REMEDIATIONS: "the jobs quarantine, restore and rollback",
    predictions.IMPORTED_PREDICTIONS: "the job import_predictions",
}
#: newest dates with predictions that the observations of views read
_SHOWN_DATES = 31


def view_key(view: View) -> dg.AssetKey:
    """The asset key is the view's address."""
    return dg.AssetKey([view.dataset, view.name])


def build() -> list[dg.AssetSpec]:
    """The views of the catalog, and the tables that are written beside the assets."""
    return [*map(_view, VIEWS.values()), *(_table(table, writer) for table, writer in WRITTEN_BY.items())]


def _view(view: View) -> dg.AssetSpec:
    return dg.AssetSpec(
        view_key(view),
        description=view.description,
        deps=[dg.AssetKey(address.split(".")) for address in reads(view.sql)],
        group_name=GROUPS[view.dataset],
        kinds={"view"},
        code_version=code_version(view.sql),
        metadata={"dagster/table_name": view.address},
        is_virtual=True,
    )


def _table(table: Table, writer: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(table),
        description=f"{table.description} Written by {writer}.",
        group_name=GROUPS[table.dataset],
        kinds={"parquet"},
        metadata=definition_metadata(table),
    )


def observed(warehouse: Warehouse) -> Iterator[dg.AssetObservation]:
    """The newest rows of each monitoring view, as observations: a view by date is queried for its newest dates, since
    reading all of them would cost more with every season.
    """
    published = warehouse.dates(predictions.LEDGER)[-_SHOWN_DATES:]
    for view in MONITORING_VIEWS:
        dated = published and view.newest_by == "game_date"
        within = "WHERE game_date BETWEEN @first AND @last " if dated else ""
        span = {"first": published[0], "last": published[-1]} if dated else {}
        with usage.within(view.address) as cost:
            newest = warehouse.query(
                f"SELECT * FROM {view.address} {within}ORDER BY {view.newest_by} DESC LIMIT {PREVIEW_ROWS}", **span
            )
        yield dg.AssetObservation(view_key(view), metadata={"newest": as_markdown(newest), **cost.billed()})
