"""The warehouse on BigQuery, with a manifest of its partitions in a bucket.

Belongs here: what is particular to BigQuery. Not here: what every warehouse does (``partitioned``).
"""

from nba_props.warehouse.bigquery.warehouse import BigQueryWarehouse

__all__ = ["BigQueryWarehouse"]
