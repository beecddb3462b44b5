"""The one policy for requests: what is sent where, in what time and memory, and what an error tells."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nba_props.process.addresses import is_loopback
from nba_props.process.redact import guard_logs, secrets_of_url, without_secrets
from nba_props.sources import http
from nba_props.sources.answers import Limits
from nba_props.sources.http import FetchError, Http
from nba_props_tests.sources.hostile import answer, chunked, hostile

SECRET = "t0p/s3cret+key"  # noqa: S105 - what is looked for
QUICK = Limits(connect=5, silence=10, deadline=1, size=100_000)


class ClientError(FetchError):
    """A client's own."""


def test_no_other_module_sends_requests():
    """BigQuery's client, which has a session of Google's, names the exceptions of the library and no more."""
    source = Path(http.__file__).parents[1]
    sends = re.compile(
        r"^\s*(?:import|from) (?!urllib3\.util import parse_url$)(?:requests|urllib3|urllib\.request|http\.client|httpx|aiohttp)\b",
        re.M,
    )
    found = {str(p.relative_to(source)) for p in source.rglob("*.py") if sends.search(p.read_text())}
    assert found == {"sources/exchange.py", "warehouse/bigquery/client.py"}
    used = set(re.findall(r"\brequests\.(\w+)", (source / "warehouse/bigquery/client.py").read_text()))
    assert used == {"RequestException"}


def refused(url: str, limits: Limits | None = None, **asked) -> ClientError:
    with pytest.raises(ClientError) as failure:
        Http(ClientError, limits, (SECRET,)).get(url, "the place", {"apiKey": SECRET}, **asked)
    return failure.value


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "http://10.0.0.1/", "http://0.0.0.0/", "http://127.0.0.1.example.org/",
        "http://localhost.example.org/", "http://localhost@example.org/", "http://user:pass@example.org:80/",
        "http://[2001:db8::1]/", "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "127.0.0.1/x", "", "http://",
        "http://[::1", "https://", "gopher://localhost/",
    ],
)  # fmt: skip
def test_plain_http_is_for_loopback_alone(url, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("something was sent"))
    error = refused(url)
    assert error.code == "NOT_HTTPS"
    assert "pass" not in str(error)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_has_these_names(host):
    assert is_loopback(host)


def test_an_error_has_neither_cause_nor_context():
    with hostile(lambda talk: None) as server:
        error = refused(server.url)
    assert (error.code, error.__cause__, error.__context__) == ("NO_ANSWER", None, None)
    assert SECRET not in "".join(traceback.format_exception(error))
    with hostile(lambda talk: talk.send(answer(b"{" + SECRET.encode()))) as server:
        client = Http(ClientError, secrets=(SECRET,))
        with pytest.raises(ClientError, match=r"NOT_JSON \(200\)") as failure:
            client.json(client.get(server.url), "the place")
    assert (failure.value.__cause__, failure.value.__context__) == (None, None)
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize(
    ("body", "cleaned"),
    [
        (b'{"sent": "t0p/s3cret+key"}', {"sent": "***"}),
        (b'{"t0p/s3cret+key": ["t0p%2Fs3cret%2Bkey"]}', {"***": ["***"]}),
        (b'{"sent": "t0p\\/s3cret\\u002bkey"}', {"sent": "***"}),
        (b'{"sent": "nothing", "and": "\\u00e9"}', {"sent": "nothing", "and": "\u00e9"}),
    ],
)
def test_an_answer_is_without_the_secrets_of_its_client(body, cleaned):
    client = Http(ClientError, secrets=(SECRET,))
    with hostile(lambda talk: talk.send(answer(body))) as server:
        found = client.get(server.url)
    assert SECRET.encode() not in found.body
    assert client.json(found, "the place") == cleaned


def test_certificates_are_verified():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def plain() -> None:
            with listening.accept()[0] as connection:
                connection.sendall(answer())
                connection.recv(65536)

        threading.Thread(target=plain, daemon=True).start()
        error = refused(f"https://127.0.0.1:{listening.getsockname()[1]}/")
    assert str(error) == "NO_ANSWER: SSLError at the place"


@pytest.fixture
def feed(tmp_path, monkeypatch) -> ssl.SSLContext:
    """A host feed.example.org on this machine, with a certificate that is trusted."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "feed.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feed.example.org")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path / "feed.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    place.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place)
    found = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: found("127.0.0.1", *a, **k))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(place))
    monkeypatch.setenv("NO_PROXY", "*")
    return context


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_policy_holds_over_tls_too_and_blocked_reads_end(feed, scheme):
    """As in production: what is shut down at the deadline is the connection below; no thread is left to read on."""
    behaviours = {
        "valid": lambda talk: talk.send(answer(b"{}")),
        "slow headers": lambda talk: talk.trickle(b"HTTP/1.1 200 " + b"x" * 10_000),
        "slow body": lambda talk: (talk.send(answer(b"", length=9_000)), talk.trickle(b"x" * 9_000)),
        "slow body until close": lambda talk: (talk.send(answer(b"", length=None)), talk.trickle(b"x" * 9_000)),
        "endless body": lambda talk: (talk.send(answer(b"", length=None)), talk.endless(bytes(65536))),
        "redirect": lambda talk: talk.send(answer(b"", "302 Found", {"Location": "https://feed.example.org/"})),
        "cut off": lambda talk: talk.send(answer(b"{}", length=10)),
    }

    def ask(name: str) -> str:
        limits = QUICK if name.startswith("slow") else Limits(size=100_000)
        with hostile(behaviours[name], tls=feed if scheme == "https" else None) as server:
            url = server.url
            if scheme == "https":
                url = url.replace("http://127.0.0.1", "https://feed.example.org")
            try:
                return Http(ClientError, limits).get(url, name).body.decode()
            except ClientError as error:
                code = error.code
            until = time.monotonic() + 5
            while any(t.name == f"ask {name}" for t in threading.enumerate()):
                assert time.monotonic() < until, f"{name}: a thread reads on after {code}"
                time.sleep(0.02)
            return code

    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(behaviours, pool.map(ask, behaviours), strict=True)) == {
            "valid": "{}", "slow headers": "TOO_SLOW", "slow body": "TOO_SLOW", "slow body until close": "TOO_SLOW",
            "endless body": "TOO_LARGE", "redirect": "REDIRECT", "cut off": "NO_ANSWER",
        }  # fmt: skip


def test_a_certificate_for_another_name_is_refused(feed):
    with hostile(lambda talk: talk.send(answer()), tls=feed) as server:
        other = refused(server.url.replace("http://127.0.0.1", "https://other.example.org"))
    assert str(other) == "NO_ANSWER: SSLError at the place"


def test_no_credentials_of_the_machine_are_sent(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password of-another-place\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://user:password@127.0.0.1:9")
    with hostile(lambda talk: talk.send(answer(headers={"Set-Cookie": "a=b"}))) as server:
        client = Http(ClientError)
        assert [client.get(server.url).status for _ in range(2)] == [200, 200], "no proxy stands before loopback"
    for request in server.requests:
        assert b"authorization" not in request.lower()
        assert b"cookie" not in request.lower()
        assert b"Accept-Encoding: gzip, deflate\r\n" in request


def test_a_proxy_gets_its_own_credentials_and_no_extra_time(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")  # the client names its proxy itself
    with hostile(lambda talk: talk.trickle(b"HTTP/1.1 200 " + b"x" * 10_000)) as proxy:
        mine = proxy.url.replace("http://", "http://user:pr0xy-pass@")
        error = refused("https://example.org/", QUICK, proxy=mine)
    assert error.code == "TOO_SLOW"
    assert proxy.requests[0].startswith(b"CONNECT example.org:443 ")
    assert b"Proxy-Authorization: Basic " in proxy.requests[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://no-such-host.invalid/", "no-such-host.invalid can't be reached (its name can't be resolved;"),
        (
            "http://127.0.0.1:{port}/",
            "127.0.0.1 can't be reached (it refuses the connection, or there is no route to it;",
        ),
    ],
)
def test_an_unreachable_host_is_reported_as_unreachable(url, why, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    error = refused(url.format(port=port))
    assert error.code == "UNREACHABLE"
    assert error.detail == f"{why} is this machine online?) at the place"
    assert (error.__cause__, error.__context__) == (None, None)
    behind = refused("https://stats.example.org/", proxy=f"http://me:pa55word@127.0.0.1:{port}")
    assert behind.detail.startswith("the proxy can't be reached (it refuses")
    assert http.silence(error) == "UNREACHABLE"


def test_a_wrong_answer_does_not_count_as_no_answer():
    silent = [("NO_ANSWER", None), ("TOO_SLOW", None), ("REFUSED", 403), ("UNREACHABLE", None)]
    wrong = [("WRONG_SHAPE", 200), ("NOT_JSON", 200), ("SERVER_ERROR", 503), ("REFUSED", 404), ("TOO_LARGE", None)]
    assert [http.silence(FetchError(code, "x", status)) for code, status in silent] == [code for code, _ in silent]
    assert not any(http.silence(FetchError(code, "x", status)) for code, status in wrong)


def test_a_look_up_that_never_ends_is_bounded(monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hold.wait(5) and [])
    started = time.monotonic()
    assert refused("https://example.org/", QUICK).code == "TOO_SLOW"
    assert time.monotonic() - started < 4
    hold.set()


def test_a_handshake_that_never_ends_is_bounded():
    listening = socket.create_server(("127.0.0.1", 0))
    with listening:
        error = refused(f"https://127.0.0.1:{listening.getsockname()[1]}/", QUICK)
    assert error.code == "TOO_SLOW"


def test_each_thread_has_a_deadline_of_its_own():
    """One that is slow does not end the others."""

    def behave(talk) -> None:
        if b"/slow" in talk.request:
            talk.trickle(answer(b"x" * 10_000))
        else:
            talk.over.wait(0.1)
            talk.send(answer(b"{}"))

    client = Http(ClientError, Limits(deadline=2))
    with hostile(behave) as server, ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(client.get, server.url + "/slow") for _ in range(3)]
        quick = [pool.submit(client.get, server.url + "/quick") for _ in range(5)]
        assert [f.result().body for f in quick] == [b"{}"] * 5
        assert [f.exception().code for f in slow] == ["TOO_SLOW"] * 3


@pytest.mark.parametrize("kind", ["bomb", "endless", "chunk of size -1"])
def test_memory_is_bounded(kind):
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packed.compress(bytes(30_000_000)) + packed.flush()
    chunks = {"Transfer-Encoding": "chunked"}

    def behave(talk) -> None:
        if kind == "bomb":
            talk.send(answer(bomb, headers={"Content-Encoding": "gzip"}))
        else:
            talk.send(answer(b"-1\r\n" if kind != "endless" else b"", headers=chunks, length=None))
            talk.endless(chunked(bytes(65536), end=b""))

    with hostile(behave) as server:
        tracemalloc.start()
        try:
            assert refused(server.url, Limits(size=1_000_000)).code == "TOO_LARGE"
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5_000_000


def test_secrets_are_known_by_place_and_by_value():
    guard_logs(SECRET, "pr0xy:pass", *secrets_of_url("https://hooks.example.org/hook/abc-def?t=1"))
    for text, cleaned in {
        "GET /v4?apiKey=abc&x=1": "GET /v4?apiKey=***&x=1",
        "GET /v4?api_key=abc": "GET /v4?api_key=***",
        "POST /services/T/B/x HTTP": "POST /services/*** HTTP",
        "http://user:p@ss@host:1/x": "http://***@host:1/x",
        f"sent {SECRET}!": "sent ***!",
        "sent t0p%2Fs3cret%2Bkey!": "sent ***!",
        "sent t0p%2fs3cret%2bkey!": "sent ***!",
        "sent pr0xy%3Apass": "sent ***",
        "POST /hook/abc-def?t=1": "POST ***",
        "nothing secret": "nothing secret",
    }.items():
        assert without_secrets(text) == cleaned
    error = FetchError(SECRET, f"at https://u:p@h/?q={SECRET}")
    assert str(error) == "***: at https://***@h/?q=***"
    assert SECRET not in repr(error)
    guard_logs("us", "", None, *secrets_of_url(None), *secrets_of_url("http://[bad"))
    assert without_secrets("what is too short, such as us, stays") == "what is too short, such as us, stays"
