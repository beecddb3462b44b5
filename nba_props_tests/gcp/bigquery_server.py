"""Starts the BigQuery emulator with what it lacks: a load job into one partition, ``table$YYYYMMDD``, thrift, and peace
between its locks.

Run by the emulator's own Python (3.13), never by the project's; its arguments are local-bigquery's. Real BigQuery
replaces a partition in one atomic job; here the job's rows go to a scratch table first, and then, in one transaction,
into the place of the partition's.
"""

import functools
import re
import threading
import uuid
from collections import defaultdict
from datetime import date

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.cli import main
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import load, runner

_DECORATED = re.compile(r"^(.+)\$(\d{8})$")
_plain_run = load.run
_one_writer = defaultdict(threading.Lock)


def _run(cur, config, upload):
    target = config.destinationTable
    found = _DECORATED.match(target.tableId)
    if not found:
        return _plain_run(cur, config, upload)
    reference = (target.projectId, target.datasetId, found[1])
    day = date.fromisoformat(found[2]).isoformat()
    if config.writeDisposition != "WRITE_TRUNCATE":
        raise BigQueryError("invalid", "this emulator replaces partitions, it does not append to them")
    if not tables.exists(*reference):
        raise BigQueryError("notFound", f"Not found: Table {'.'.join(reference)}")
    partitioning = tables.load(*reference).timePartitioning
    if not partitioning or not partitioning.field or (partitioning.type or "DAY") != "DAY":
        raise BigQueryError("invalid", f"{found[1]} is not partitioned by day of a column")
    scratch = target.model_copy(update={"tableId": f"{found[1]}_scratch_{uuid.uuid4().hex}"})
    own = config.model_copy(
        update={"destinationTable": scratch, "createDisposition": "CREATE_IF_NEEDED", "timePartitioning": None,
                "clustering": None}
    )  # fmt: skip
    place = (scratch.projectId, scratch.datasetId, scratch.tableId)
    statistics = _plain_run(cur, own, upload)
    try:
        base, fresh, column = tables.name(*reference), tables.name(*place), tables.quote(partitioning.field)
        stray = cur.sql(f"SELECT count(*) FROM {fresh} WHERE {column} IS DISTINCT FROM DATE '{day}'").fetchone()[0]
        if stray:
            raise BigQueryError("invalid", f"{stray} rows belong to other partitions than {found[2]}")
        names = ", ".join(tables.quote(f.name) for f in tables.columns(*place))
        with _one_writer[reference]:
            cur.begin()
            try:
                cur.execute(f"DELETE FROM {base} WHERE {column} = DATE '{day}'")
                cur.execute(f"INSERT INTO {base} ({names}) SELECT {names} FROM {fresh}")
                cur.commit()
            except BaseException:
                cur.rollback()
                raise
    finally:
        tables.delete(*place)
    return statistics


runner.HANDLERS["load"] = _run

_plain_objects = database.objects


def _objects(project_id, dataset_id, table_id=None):
    """The tables and views of a dataset, from the catalog itself.

    Every statement asks for them several times, and DuckDB's own listing opens each table of each dataset.
    """
    if project_id == "emulator" and table_id:  # the answer to a statement
        try:
            database.execute(f"FROM {database.quote(project_id, dataset_id, table_id)} LIMIT 0")
        except duckdb.CatalogException:
            return []
        return [(table_id, "TABLE", 0)]
    catalog = f"__ducklake_metadata_{project_id}"
    if project_id not in database.projects():
        return _plain_objects(project_id, dataset_id, table_id)
    found = [
        f"SELECT o.{kind}_name, '{kind.upper()}', 0 FROM {database.quote(catalog)}.ducklake_{kind} AS o "
        f"JOIN {database.quote(catalog)}.ducklake_schema AS s ON s.schema_id = o.schema_id "
        f"WHERE s.schema_name = $1 AND o.{kind}_name = coalesce($2, o.{kind}_name) "
        "AND o.end_snapshot IS NULL AND s.end_snapshot IS NULL"
        for kind in ("table", "view")
    ]
    return database.fetch(" UNION ALL ".join(found) + " ORDER BY 1", [dataset_id, table_id])


database.objects = _objects

_plain_connect = database._connect


@functools.cache
def _connect():
    """One thread of DuckDB, and no search for tables among Python's variables.

    DuckDB answers a statement with parameters while it holds Python's lock; a thread of its own that looks for a
    variable waits for that lock with one of DuckDB's in hand, and the server stands still for good.
    """
    connection = _plain_connect()
    connection.execute("SET threads = 1; SET GLOBAL python_enable_replacements = false")
    return connection


database._connect = _connect

if __name__ == "__main__":
    main()
