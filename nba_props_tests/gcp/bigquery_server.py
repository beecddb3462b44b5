"""Starts the BigQuery emulator with what it lacks: a load job into one partition, ``table$YYYYMMDD``, tables in memory,
answers that are forgotten, and peace between its locks.

Run by the emulator's own Python (3.13), never by the project's; its arguments are local-bigquery's. Real BigQuery
replaces a partition in one atomic job; here the job's rows go to a scratch table first, and then, in one transaction,
into the place of the partition's.
"""

import contextlib
import functools
import re
import sys
import threading
import uuid
from collections import defaultdict, deque
from datetime import date

import duckdb
from local_bigquery.catalog import metadata, tables
from local_bigquery.cli import main
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import load, runner
from local_bigquery.models import Table

# DuckDB looks for it once for each value of each statement, and the emulator's environment has none
sys.modules.setdefault("pandas", None)

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

#: jobs whose answers are kept: older ones have been read by then
_KEPT_ANSWERS = 50
_answers = deque()
_plain_execute = runner._execute


def _execute(job, *arguments):
    """A job, and no answer of long ago: each is a table, and every look-up goes through all tables there are."""
    _plain_execute(job, *arguments)
    _answers.append((job.jobReference.projectId, job.jobReference.jobId))
    if len(_answers) > _KEPT_ANSWERS:
        project, old = _answers.popleft()
        database.execute(f"DROP TABLE IF EXISTS {tables.name(project, tables.RESULTS, old)}")


runner._execute = _execute

#: what the emulator asks of the columns of one table, for which DuckDB lists those of all tables
_OF_ONE_TABLE = {
    "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? "
    "AND NOT is_nullable": 'SELECT name FROM pragma_table_info(?) WHERE "notnull"',
    "SELECT 1 FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? "
    "AND column_name = ?": "SELECT 1 FROM pragma_table_info(?) WHERE name = ?",
}
_plain_fetch = database.fetch


def _fetch(sql, params=None):
    if sql not in _OF_ONE_TABLE:
        return _plain_fetch(sql, params)
    with contextlib.suppress(duckdb.CatalogException, duckdb.BinderException):  # what is not there has no columns
        return _plain_fetch(_OF_ONE_TABLE[sql], [database.quote(*params[:3]), *params[3:]])
    return []


database.fetch = _fetch


_plain_list = metadata.list_
#: what was found since anything was changed
_resources = {}
_resources_lock = threading.RLock()


def _list(model, *keys):
    """Resources as they were found last, unless any was changed since: each statement asks for each a dozen times."""
    with _resources_lock:
        if (model, keys) not in _resources:
            _resources[model, keys] = _plain_list(model, *keys)
        return [*_resources[model, keys]]


def _forgetting(plain):
    def change(*arguments):
        with _resources_lock:
            _resources.clear()
            return plain(*arguments)

    return change


metadata.list_, metadata.save, metadata.delete = _list, _forgetting(metadata.save), _forgetting(metadata.delete)
_plain_objects = database.objects


def _objects(project_id, dataset_id, table_id=None):
    """One table or view by its name, which is asked a hundred times for each statement: DuckDB's own list goes through
    all that there are.
    """
    if table_id is None:
        return _plain_objects(project_id, dataset_id)
    place = database.quote(project_id, dataset_id, table_id)
    stored = metadata.load(Table, project_id, dataset_id, table_id)
    if stored and (stored.view or stored.materializedView):
        return _plain_objects(project_id, dataset_id, table_id)
    with contextlib.suppress(duckdb.CatalogException, duckdb.BinderException):
        return [(table_id, "TABLE", *row) for row in database.fetch(f"SELECT count(*) FROM {place}")]
    return []


database.objects = _objects


def _attach(connection, project_id):
    """A project's tables in memory: DuckLake reads its whole catalog again after every change of a table."""
    connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {database.quote(project_id)}")
    database._attached.add(project_id)


database._attach = _attach
database.projects = lambda: sorted(database._attached)


class _Cursor:
    """A cursor that knows of no temporary table: nothing here makes one, and each job lists all tables to see."""

    _TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"

    def __init__(self, plain):
        self._plain = plain

    def __getattr__(self, name):
        return getattr(self._plain, name)

    def cursor(self):
        return _Cursor(self._plain.cursor())

    def sql(self, query, **options):
        return self._plain.sql("SELECT '' WHERE FALSE" if query == self._TEMPORARY else query, **options)


_plain_connect = database._connect


@functools.cache
def _connect():
    """One thread of DuckDB, jobs and answers in memory, and no search for tables among Python's variables.

    DuckDB answers a statement with parameters while it holds Python's lock; a thread of its own that looks for a
    variable waits for that lock with one of DuckDB's in hand, and the server stands still for good.
    """
    connection = _plain_connect()
    connection.execute("SET threads = 1; SET GLOBAL python_enable_replacements = false")
    connection.execute(f"DETACH emulator; ATTACH ':memory:' AS emulator; {database.EMULATOR_SCHEMA}")
    return _Cursor(connection)


database._connect = _connect

if __name__ == "__main__":
    main()
