"""Google's clients, and the calls of BigQuery: with a retry, a limit of bytes, labels, and errors of our own.

Clients are made when first needed, so that definitions load without credentials.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import requests
import tenacity
from dagster_gcp import BigQueryResource, GCSResource
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from nba_props.schemas import Table
from nba_props.warehouse import usage
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.bigquery.types import fields, parameter

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

#: another change of the same table was first, or there were too many within seconds
_BUSY = re.compile(r"concurrent update|[Cc]ould not serialize|Failed to commit|Exceeded rate limits")
_LABEL = re.compile(r"[^a-z0-9_-]")


class BigQueryAt(BigQueryResource):
    """BigQuery's client for another server than Google's, such as an emulator: no credentials, no TLS."""

    api_endpoint: str

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        yield bigquery.Client(
            project=self.project,
            location=self.location,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.api_endpoint),
        )


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, GoogleAPIError) and _BUSY.search(str(error)) is not None


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_busy),
    wait=tenacity.wait_random_exponential(0.5, max=10),
    stop=tenacity.stop_after_delay(180),
    reraise=True,
)
def retried_while_busy(call: Callable[[], Any]) -> Any:
    """The call's result; one that BigQuery refuses because of concurrent or too many changes is repeated."""
    return call()


@contextmanager
def translated_errors(what: str) -> Iterator[None]:
    """Google's errors become a :class:`WarehouseError` that names the request and the remedy."""
    try:
        yield
    except GoogleAuthError as error:
        raise WarehouseError(f"{what}: no credentials for Google Cloud: {error}") from error
    except (GoogleAPIError, requests.RequestException, grpc.RpcError) as error:
        text = getattr(error, "message", None) or str(error)
        if "bytesBilledLimitExceeded" in str(error) or "limit for bytes billed" in text.lower():
            raise WarehouseError(
                f"{what}: {text}. NBA_PROPS_MAX_BYTES_BILLED sets the limit: ask for fewer dates, or raise it"
            ) from error
        raise WarehouseError(f"{what}: {text}. What was there before is unchanged; run it again") from error


class Api:
    """BigQuery and the bucket of a deployment.

    Args:
        resource: gives BigQuery's client.
        storage: gives the client of the bucket.
        bucket: its name.
        maximum_bytes: what one statement may be billed for.
        storage_endpoint: ``host:port`` of an emulator's Storage Read API.
    """

    def __init__(
        self,
        resource: BigQueryResource,
        storage: GCSResource,
        bucket: str,
        *,
        maximum_bytes: int,
        storage_endpoint: str | None = None,
    ) -> None:
        self.project = resource.project
        self.location = resource.location
        self.maximum_bytes = maximum_bytes
        self._resource, self._storage = resource, storage
        self._bucket_name = bucket
        self._storage_endpoint = storage_endpoint
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    # -- clients ----------------------------------------------------------------------------------------------------

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if name not in self._clients:
                try:
                    self._clients[name] = make()
                except GoogleAuthError as error:
                    raise WarehouseError(
                        f"no credentials for Google Cloud: {error}. On a workstation `gcloud auth application-default "
                        "login`; in a cluster give the pod a service account"
                    ) from error
            return self._clients[name]

    @property
    def client(self) -> bigquery.Client:
        """BigQuery's client."""

        def make() -> bigquery.Client:
            with self._resource.get_client() as client:
                return client

        return self._once("bigquery", make)

    def bucket(self) -> Any:
        """The bucket."""
        return self._once("bucket", lambda: self._storage.get_client().bucket(self._bucket_name))

    def _reader(self) -> Any:
        """The Storage Read API's client of an emulator; None lets the library make its own."""
        if self._storage_endpoint is None:
            return None

        def make() -> Any:
            from google.cloud import bigquery_storage_v1 as api
            from google.cloud.bigquery_storage_v1.services.big_query_read import transports

            # as Google's own transport has it: a block of rows may be large
            options = [("grpc.max_receive_message_length", -1)]
            channel = grpc.insecure_channel(self._storage_endpoint, options=options)
            return api.BigQueryReadClient(transport=transports.BigQueryReadGrpcTransport(channel=channel))

        return self._once("reader", make)

    # -- calls ------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Mapping[str, Any], what: str) -> pyarrow.Table:
        """The rows of one statement that reads; a small answer comes with the first response."""
        with translated_errors(what):
            rows = self.client.query_and_wait(sql, job_config=self._config(parameters))
            arrow = rows.to_arrow(bqstorage_client=self._reader())
        usage.charge(
            usage.Usage(queries=1, bytes_processed=rows.total_bytes_processed or 0, bytes_to_client=arrow.nbytes)
        )
        return arrow

    def change(self, sql: str, parameters: Mapping[str, Any], what: str) -> None:
        """Run one statement that changes rows, or a script in one transaction."""

        def run() -> bigquery.QueryJob:
            job = self.client.query(sql, job_config=self._config(parameters))
            job.result()
            return job

        with translated_errors(what):
            job = retried_while_busy(run)
        usage.charge(usage.Usage(queries=1, bytes_processed=job.total_bytes_processed or 0))

    def load(self, table: Table, rows: pd.DataFrame, destination: str, disposition: str) -> None:
        """One load job: all of the rows or none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
        file = io.BytesIO()
        pq.write_table(arrow.replace_schema_metadata(None), file, compression="zstd")
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=fields(table),
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            write_disposition=disposition,
            labels=_labels(),
        )
        size = file.tell()

        def load() -> None:
            self.client.load_table_from_file(file, destination, rewind=True, size=size, job_config=config).result()

        with translated_errors(table.address):
            retried_while_busy(load)
        usage.charge(usage.Usage(bytes_from_client=size))

    def kind_of(self, sql: str) -> str | None:
        """The kind of a statement, by a dry run."""
        with translated_errors("the statement"):
            return self.client.query(sql, job_config=bigquery.QueryJobConfig(dry_run=True)).statement_type

    def listed(self, dataset: str) -> list[str]:
        """The names of a dataset's tables and views; none where there is no such dataset."""
        try:
            return [table.table_id for table in self.client.list_tables(dataset)]
        except NotFound:
            return []

    def found(self, name: str) -> bigquery.Table | None:
        """A table or view by its full name; None when there is none."""
        try:
            return self.client.get_table(bigquery.TableReference.from_string(name))
        except NotFound:
            return None

    def _config(self, parameters: Mapping[str, Any]) -> bigquery.QueryJobConfig:
        return bigquery.QueryJobConfig(
            query_parameters=[parameter(n, v) for n, v in parameters.items()],
            maximum_bytes_billed=self.maximum_bytes,
            labels=_labels(),
        )


def _labels() -> dict[str, str]:
    """Labels by which a bill can be split: the step."""
    step = usage.step_name()
    return {"application": "nba_props", **({"step": _LABEL.sub("-", step.lower())[:63]} if step else {})}
