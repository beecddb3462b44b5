"""Which warehouse a deployment has, by its settings; no other place knows."""

from __future__ import annotations

from nba_props.catalog import views
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import refuse_outgrown


def open_warehouse(settings: Settings, *, as_found: bool = False) -> Warehouse:
    """The warehouse of the profile; nothing is asked of it yet, but whether it is one of this release.

    Args:
        settings: where it is.
        as_found: open one of a release before as well, to migrate it.

    Raises:
        WarehouseError: it has to be migrated first; BigQuery is asked, and says so, when it is first used.
    """
    gcp = settings.gcp
    if gcp is None:
        lake = LakeWarehouse(settings.lake, views(settings.min_minutes))
        if not as_found:
            refuse_outgrown(lake)
        return lake
    from dagster_gcp import BigQueryResource, GCSResource

    from nba_props.warehouse.bigquery import BigQueryAt, BigQueryWarehouse

    where = {"project": gcp.project, "location": gcp.location}
    return BigQueryWarehouse(
        BigQueryAt(**where, api_endpoint=gcp.bigquery_url) if gcp.bigquery_url else BigQueryResource(**where),
        GCSResource(project=gcp.project),
        gcp.bucket,
        prefix=gcp.prefix,
        deployment=gcp.deployment,
        maximum_bytes=gcp.maximum_bytes,
        storage_endpoint=gcp.bigquery_storage,
        views=views(settings.min_minutes),
    )
