"""One request and its answer, under the policy of ``http.py``: complete within a deadline and a size limit."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager

from nba_props.process.addresses import host_of, is_loopback
from nba_props.sources.answers import UNREACHABLE, Answer, Limits, Refused

_PIECE = 65536


class Exchange:
    """One request and its answer, which another thread can end at any moment."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._over = False
        self._sockets: list[socket.socket] = []
        self.done = threading.Event()
        self.outcome: Answer | Refused = Refused("NO_ANSWER", "nothing was asked")

    def run(
        self,
        method: str,
        url: str,
        parameters: Any,
        headers: Mapping[str, str] | None,
        content: Any,
        proxies: dict[str, str] | None,
    ) -> None:
        """Make the request, and keep its outcome."""
        _under_way.exchange = self
        try:
            with requests.Session() as session:
                session.auth = _no_credentials
                session.trust_env = not is_loopback(host_of(url))
                own = {**(headers or {}), "Accept-Encoding": "gzip, deflate"}
                request = session.prepare_request(
                    requests.Request(method, url, params=parameters, headers=own, json=content)
                )
                settings = session.merge_environment_settings(url, proxies or {}, True, None, None)
                # a session's own send reads the whole body of a redirect
                with _Adapter() as adapter:
                    timeout = (self._limits.connect, self._limits.silence)
                    self.outcome = self._read(adapter.send(request, timeout=timeout, **settings))
        except Refused as refused:
            self.outcome = refused
        except Exception as error:  # any error of the library; its text and cause contain the URL
            self.outcome = _without_answer(error, host_of(url))
        finally:
            self.done.set()

    def _read(self, response: requests.Response) -> Answer:
        with response:
            if 300 <= response.status_code < 400:
                raise Refused("REDIRECT", "a redirect, which is never followed", response.status_code)
            pieces, size = [], 0
            # not stream(), which takes a chunk of size -1 to mean the rest of the body
            while piece := response.raw.read1(_PIECE, decode_content=False):
                pieces.append(piece)
                size += len(piece)
                if size > self._limits.size:
                    raise self._too_large()
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            body = b"".join(pieces)
            if encoding not in ("", "identity"):
                body = self._decompressed(body, encoding, response)
            return Answer(response.status_code, response.headers, body)

    def _decompressed(self, body: bytes, encoding: str, response: requests.Response) -> bytes:
        """The decompressed body; no more than the limit is ever in memory."""
        windows = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(encoding, ())
        for window in windows:
            decoder = zlib.decompressobj(window)
            with suppress(zlib.error):
                found = decoder.decompress(body, self._limits.size + 1)
                if len(found) > self._limits.size:
                    raise self._too_large()
                if decoder.eof and not decoder.unused_data:
                    return found
        raise Refused("BAD_ENCODING", f"a body that is not valid {encoding[:20]!r}", response.status_code)

    def _too_large(self) -> Refused:
        return Refused("TOO_LARGE", f"more than {self._limits.size:,} bytes")

    def watch(self, connection: socket.socket) -> None:
        """Keep a handle of a connection, which stays valid when TLS wraps the original, or when that is closed."""
        with self._lock:
            if self._over:
                raise OSError("the exchange is over")
            self._sockets.append(connection.dup())

    def end(self) -> None:
        """Shut the connections down, which wakes any thread that reads from one."""
        with self._lock:
            self._over = True
            for handle in self._sockets:
                with suppress(OSError), handle:
                    handle.shutdown(socket.SHUT_RDWR)


def _without_answer(error: Exception, host: str) -> Refused:
    """An error of the library as a refusal."""
    why = next((text for cause in _chain(error) for kind, text in _NO_CONNECTION if isinstance(cause, kind)), None)
    if why is None:
        return Refused("NO_ANSWER", type(error).__name__)
    what = "the proxy" if isinstance(error, requests.exceptions.ProxyError) else host
    return Refused(UNREACHABLE, f"{what} can't be reached ({why}; is this machine online?)")


#: errors before there is a connection, the most specific first
_NO_CONNECTION: tuple[tuple[type[HTTPError], str], ...] = (
    (NameResolutionError, "its name can't be resolved"),
    (NewConnectionError, "it refuses the connection, or there is no route to it"),
    (ConnectTimeoutError, "it did not accept the connection in time"),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error of requests and the errors that it wraps."""
    while error is not None:
        yield error
        inner = [getattr(error, name, None) for name in ("reason", "original_error")]
        error = next((e for e in (*inner, *error.args) if isinstance(e, BaseException)), None)


_under_way = threading.local()


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _under_way.exchange.watch(made)
        return made


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _under_way.exchange.watch(made)
        return made


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """Connects through pools whose connections the exchange can end."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def __enter__(self) -> _Adapter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as it is, without credentials from ``.netrc``."""
    return request
