"""The warehouse on BigQuery, with a manifest of its partitions in a bucket.

Belongs here: what BigQuery does its own way. Does not: what every warehouse does (``partitioned``).
"""

from nba_props.warehouse.bigquery.warehouse import BigQueryWarehouse

__all__ = ["BigQueryWarehouse"]
