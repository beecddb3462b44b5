"""One policy for every request of ours: to The Odds API, stats.nba.com, the league's injury report and Slack.

* https alone, except to a loopback host; certificates are verified.
* A redirect is not followed: a key goes to the host it was given for and to no other.
* An answer is whole within a deadline, however its bytes trickle, and within a size, also after decompression.
* No credentials but those of the client: no ``.netrc``, no cookies. Proxies and certificates of the environment count.
* Whatever goes wrong is an error of the client's own with a code, and neither its text nor its chain holds a secret.
"""

from __future__ import annotations

import json
import math
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager

from nba_props.process.addresses import host_of, is_loopback, why_unsafe
from nba_props.process.redact import forms_of, guard_logs, replaced, replaced_bytes
from nba_props.storage.landing import FetchError

if TYPE_CHECKING:
    import tenacity

#: no connection: the name can't be resolved, the host refuses, or nothing leads there
UNREACHABLE = "UNREACHABLE"
#: codes of what may pass when it is asked again
TRANSIENT = frozenset({UNREACHABLE, "NO_ANSWER", "BAD_ENCODING", "NOT_JSON", "SERVER_ERROR"})
#: codes of a host that says nothing, whatever it is asked for
_SILENT = frozenset({UNREACHABLE, "NO_ANSWER", "TOO_SLOW", "NO_PROXY"})
_ATTEMPTS = 4
#: a look-up that failed once may pass; a machine without a network stays without
_ATTEMPTS_TO_CONNECT = 2
#: no feed nests deeper than seven levels
_DEEPEST = 50
_PIECE = 65536


@dataclass(frozen=True)
class Limits:
    """What an answer may take: seconds to connect, of silence and in all; bytes, before decompression and after."""

    connect: float = 5
    silence: float = 30
    deadline: float = 60
    size: int = 10_000_000


@dataclass(frozen=True)
class Answer:
    """An answer that is no redirect: its body is whole, decompressed, and without the secrets of the client."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def silence(error: FetchError) -> str:
    """The code of an error that says that a host would say nothing to another request either: it can't be reached, does
    not answer, or shuts this network out. Empty for an answer that is merely wrong.
    """
    first = error.first or error
    return first.code if first.code in _SILENT or first.status == 403 else ""


def not_asked(host: str) -> str:
    """What is said of a request that was not made, because the host was silent a moment before."""
    return f"not asked for, {host} does not answer"


def retrying(may_pass: Callable[[FetchError], bool], longest: float, sleep: Callable[[float], None]) -> Any:
    """What asks again, with growing pauses of at most ``longest`` seconds, what ``may_pass``: four times in all, a host
    that can't be reached twice.
    """
    import tenacity  # which costs as much as the rest of this module

    def enough(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        unreachable = isinstance(error, FetchError) and error.code == UNREACHABLE
        return state.attempt_number >= (_ATTEMPTS_TO_CONNECT if unreachable else _ATTEMPTS)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, FetchError) and may_pass(e)),
        stop=enough,
        wait=tenacity.wait_exponential_jitter(multiplier=2, max=longest),
        sleep=sleep,
        reraise=True,
    )


class _Refused(Exception):
    """Why there is no answer, before it is the client's error."""

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.status = code, detail, status


class Http:
    """Requests under the policy, for one client. Safe between threads.

    Args:
        error: the client's error, made from code, sentence and status.
        limits: what an answer may take.
        secrets: what must be read nowhere: taken out of answers, and out of every log and error of the process.
    """

    def __init__(
        self, error: type[FetchError] = FetchError, limits: Limits | None = None, secrets: Iterable[str | None] = ()
    ) -> None:
        self._error = error
        self._limits = limits or Limits()
        self._secrets = forms_of(secrets := tuple(secrets))
        guard_logs(*secrets)

    def get(
        self,
        url: str,
        place: str = "",
        parameters: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
    ) -> Answer:
        """The answer to a GET; ``place`` names in errors what was asked for, since a URL may hold a secret.

        Raises:
            FetchError: the client's error, when there is no whole answer: NOT_HTTPS, UNREACHABLE, NO_ANSWER, TOO_SLOW,
                TOO_LARGE, REDIRECT or BAD_ENCODING. An answer with the status of an error is an answer.
        """
        proxies = {"http": proxy, "https": proxy} if proxy else None
        return self._ask(place, "GET", url, parameters, headers, None, proxies)

    def post(self, url: str, content: Any, place: str = "") -> Answer:
        """The answer to a POST of JSON; raises as :meth:`get` does."""
        return self._ask(place, "POST", url, (), None, content, None)

    def json(self, answer: Answer, place: str) -> Any:
        """The JSON of an answer: RFC 8259 with finite numbers, nested no deeper than a feed is.

        Raises:
            FetchError: the client's error, NOT_JSON.
        """
        try:
            content = json.loads(answer.body, parse_constant=_no_number, parse_float=_finite)
            problem = _too_deep(content)
        except (ValueError, RecursionError) as error:
            problem = type(error).__name__
        if problem:
            start = answer.body[:40].decode(errors="replace")
            raise self._error("NOT_JSON", f"{place} answered what is no JSON ({problem}): {start!r}", answer.status)
        if self._secrets and b"\\" in answer.body:  # escaped, a secret looks different
            text = json.dumps(content, ensure_ascii=False)
            cleaned = replaced(text, self._secrets)
            return content if cleaned == text else json.loads(cleaned)
        return content

    def _ask(self, place: str, method: str, url: str, *asked: Any) -> Answer:
        """The answer, got by another thread, so that the deadline holds in the look-up of a name, too."""
        if problem := why_unsafe(url):
            raise self._error("NOT_HTTPS", problem)
        exchange = _Exchange(self._limits)
        threading.Thread(target=exchange.run, args=(method, url, *asked), daemon=True, name=f"ask {place}").start()
        try:
            whole = exchange.done.wait(self._limits.deadline)
        finally:
            exchange.end()
        outcome = exchange.outcome if whole else _Refused("TOO_SLOW", f"no whole answer in {self._limits.deadline:g} s")
        if isinstance(outcome, Answer):
            return Answer(outcome.status, outcome.headers, replaced_bytes(outcome.body, self._secrets))
        raise self._error(outcome.code, f"{outcome.detail} at {place}" if place else outcome.detail, outcome.status)


class _Exchange:
    """One request and its answer, which another thread can end at any moment."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._over = False
        self._sockets: list[socket.socket] = []
        self.done = threading.Event()
        self.outcome: Answer | _Refused = _Refused("NO_ANSWER", "nothing was asked")

    def run(
        self,
        method: str,
        url: str,
        parameters: Any,
        headers: Mapping[str, str] | None,
        content: Any,
        proxies: dict[str, str] | None,
    ) -> None:
        """Ask, and keep what came of it."""
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
        except _Refused as refused:
            self.outcome = refused
        except Exception as error:  # whatever the library meets in a foreign answer; its text and cause hold the URL
            self.outcome = _without_answer(error, host_of(url))
        finally:
            self.done.set()

    def _read(self, response: requests.Response) -> Answer:
        with response:
            if 300 <= response.status_code < 400:
                raise _Refused("REDIRECT", "a redirect, which is never followed", response.status_code)
            pieces, size = [], 0
            # not stream(): it takes a chunk of size -1 for everything that is still to come
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
        """The body, never more of it in memory than may be."""
        windows = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(encoding, ())
        for window in windows:
            decoder = zlib.decompressobj(window)
            with suppress(zlib.error):
                found = decoder.decompress(body, self._limits.size + 1)
                if len(found) > self._limits.size:
                    raise self._too_large()
                if decoder.eof and not decoder.unused_data:
                    return found
        raise _Refused("BAD_ENCODING", f"a body that is not what {encoding[:20]!r} is", response.status_code)

    def _too_large(self) -> _Refused:
        return _Refused("TOO_LARGE", f"more than {self._limits.size:,} bytes")

    def watch(self, connection: socket.socket) -> None:
        """Keep a handle of a connection; it stays good when TLS wraps the first one, or when that is closed."""
        with self._lock:
            if self._over:
                raise OSError("the exchange is over")
            self._sockets.append(connection.dup())

    def end(self) -> None:
        """Shut the connections down, so that whoever reads from one is woken."""
        with self._lock:
            self._over = True
            for handle in self._sockets:
                with suppress(OSError), handle:
                    handle.shutdown(socket.SHUT_RDWR)


def _without_answer(error: Exception, host: str) -> _Refused:
    """What it means that a request ended in an error of the library."""
    why = next((text for cause in _chain(error) for kind, text in _NO_CONNECTION if isinstance(cause, kind)), None)
    if why is None:
        return _Refused("NO_ANSWER", type(error).__name__)
    what = "the proxy" if isinstance(error, requests.exceptions.ProxyError) else host
    return _Refused(UNREACHABLE, f"{what} can't be reached ({why}; is this machine online?)")


#: kinds of errors before there is a connection, the particular ones first
_NO_CONNECTION: tuple[tuple[type[HTTPError], str], ...] = (
    (NameResolutionError, "its name can't be resolved"),
    (NewConnectionError, "it refuses the connection or nothing leads there"),
    (ConnectTimeoutError, "nobody took the connection in time"),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error of requests and what it wraps, as urllib3 hands it on."""
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
    """Connects through pools whose connections the exchange knows."""

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
    """Says that the request is authenticated as it is: nothing is looked up in ``.netrc``."""
    return request


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without a finite value")
    return number


def _too_deep(content: Any) -> str | None:
    level = [content]
    for _ in range(_DEEPEST):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return None
    return f"nested deeper than {_DEEPEST} levels"
