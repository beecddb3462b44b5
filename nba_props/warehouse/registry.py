"""The warehouse of a deployment, by its settings; no other module chooses one."""

from __future__ import annotations

from datetime import timedelta

from nba_props.catalog import views
from nba_props.settings import Gcp, Settings
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import refuse_unmigrated
from nba_props.warehouse.partitioned import PartitionedWarehouse


def open_warehouse(settings: Settings, *, as_found: bool = False) -> PartitionedWarehouse:
    """The warehouse of the profile; so far only its release is checked.

    Args:
        settings: where it is.
        as_found: also open one of an earlier release, to migrate it.

    Raises:
        WarehouseError: it has to be migrated first; for BigQuery this is raised at its first use.
    """
    if settings.gcp is not None:
        return _bigquery(settings, settings.gcp)
    lake = LakeWarehouse(settings.lake, views(settings.min_minutes), kept=timedelta(days=settings.version_days))
    if not as_found:
        refuse_unmigrated(lake)
    return lake


def _bigquery(settings: Settings, gcp: Gcp) -> PartitionedWarehouse:
    from dagster_gcp import BigQueryResource, GCSResource

    from nba_props.warehouse.bigquery import BigQueryWarehouse
    from nba_props.warehouse.bigquery.client import BigQueryAt

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
