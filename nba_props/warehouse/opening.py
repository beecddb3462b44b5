"""Which warehouse a deployment has, by its settings; no other place knows."""

from __future__ import annotations

from nba_props.schemas import views
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.lake import LakeWarehouse


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of the profile; nothing is asked of it yet."""
    gcp = settings.gcp
    if gcp is None:
        return LakeWarehouse(settings.lake, views(settings.min_minutes))
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
