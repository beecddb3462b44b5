"""What servers must not say, to each of the clients: how it ends, in what time, what is landed, and who sees a secret.

A case names the behaviour and what must come of it; every case runs once, many at a time, and is a test of its own. The
table began with 61 hostile answers.
"""

from __future__ import annotations

import gzip
import json
import logging
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from nba_props.automation.alerts import Alert, Alerts
from nba_props.settings import Live
from nba_props.sources.answers import Limits
from nba_props.sources.injury_report.capture import fetch
from nba_props.sources.nba_stats import capture as stats_fetch
from nba_props.sources.nba_stats.client import StatsApi
from nba_props.sources.odds_api import capture
from nba_props.sources.odds_api.client import Budget, OddsApi
from nba_props.storage.landing import LandingZone
from nba_props_tests import league
from nba_props_tests.conftest import DAY, utc
from nba_props_tests.sources.hostile import Behaviour, Hostile, Talk, answer, chunked, hostile
from nba_props_tests.sources.odds_api.test_client import EVENTS, GAMES, NOON, event, listed

KEY = "k3y+of/12=s3cret"
HOOK = "/services/T0/B0/h00k-s3cret"
ESCAPED = "".join(f"\\u{ord(c):04x}" for c in KEY)
SIZE = 300_000
USUAL = Limits(connect=5, silence=10, deadline=30, size=SIZE)
SLOW = Limits(connect=5, silence=10, deadline=1, size=SIZE)
SILENT = Limits(connect=5, silence=0.5, deadline=30, size=SIZE)
#: no case may take longer, on a busy machine too; what hangs would hang for ever
SECONDS = 8
#: another host, which no redirect may lead to
elsewhere = Hostile()

ODDS, STATS, CDN, INJURIES, SLACK = "odds", "stats", "cdn", "injuries", "slack"
JSON = (ODDS, STATS)
ALL = (ODDS, STATS, INJURIES, SLACK)

GOOD = {
    ODDS: json.dumps(event(GAMES[0])).encode(),
    STATS: b'{"resultSets": [{"name": "CommonAllPlayers", "headers": [], "rowSet": []}]}',
    CDN: json.dumps(league.schedule(league.games(), DAY)).encode(),
    INJURIES: b"%PDF-1.4 a report",
    SLACK: b"ok",
}


@dataclass
class Case:
    name: str
    client: str
    behave: Behaviour
    #: OK, or the code; for Slack and the report, which have no codes of a feed, what stands in the text
    expected: str
    limits: Limits = USUAL

    @property
    def id(self) -> str:
        return f"{self.client}-{self.name}".replace(" ", "-")


@dataclass
class Outcome:
    text: str = ""
    landed: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    requests: list[bytes] = field(default_factory=list)
    error: BaseException | None = None
    budget: Budget | None = None


CASES: list[Case] = []


def add(name, make, expected, clients=ALL, limits=USUAL, *, slack=None, injuries=None):
    """A case for each client; ``make`` gives the behaviour for a valid body of that client."""
    own = {SLACK: slack, INJURIES: injuries}
    CASES.extend(Case(name, c, make(GOOD[c]), own.get(c) or expected, limits) for c in clients)


def says(make):
    """A behaviour that sends bytes and closes."""
    return lambda good: lambda talk: talk.send(make(good))


def bomb(wbits: int) -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return packed.compress(b"[" + bytes(5_000_000)) + packed.flush()


GZIP_BOMB, DEFLATE_BOMB = bomb(31), bomb(15)
ENCODED = {"Content-Encoding": "gzip"}

# -- redirects: not followed, whatever they are
for status in (300, 301, 302, 303, 304, 307, 308, 399):
    add(
        f"redirect {status} to another host",
        says(lambda good, status=status: answer(b"", f"{status} Elsewhere", {"Location": elsewhere.url})),
        f"REDIRECT ({status})",
        slack=f"a redirect, which is never followed, status {status}",
    )
for name, place in {
    "to a path": "/other",
    "to plain http": "http://example.org/",
    "to a file": "file:///etc/passwd",
    "with the key": f"/?apiKey={quote(KEY)}&k={KEY}",
}.items():
    add(
        f"redirect {name}",
        says(lambda good, place=place: answer(b"", "302 Found", {"Location": place})),
        "REDIRECT (302)",
        slack="a redirect, which is never followed, status 302",
    )
add(
    "redirect with a bomb",
    says(lambda good: answer(GZIP_BOMB, "302 Found", {"Location": "/x", **ENCODED})),
    "REDIRECT (302)",
    slack="a redirect, which is never followed, status 302",
)

# -- time
HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"x" * 10_000
for name, make in {
    "slow status line": lambda good: lambda t: t.trickle(b"HTTP/1.1 200 " + LONG),
    "slow headers": lambda good: lambda t: (t.send(HEAD), t.trickle(b"X-Slow: " + LONG)),
    "endless small headers": lambda good: lambda t: (t.send(HEAD), t.endless(b"A: b\r\n", 0.05)),
    "endless continue": lambda good: lambda t: t.endless(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
    "slow body": lambda good: lambda t: (t.send(answer(b"", length=10_000)), t.trickle(LONG)),
    "slow body until close": lambda good: lambda t: (t.send(answer(b"", length=None)), t.trickle(LONG)),
    "slow chunks": lambda good: (
        lambda t: (
            t.send(answer(b"", headers={"Transfer-Encoding": "chunked"}, length=None)),
            t.endless(b"1\r\nx\r\n", 0.02),
        )
    ),
    "slow size of a chunk": lambda good: (
        lambda t: (
            t.send(answer(b"", headers={"Transfer-Encoding": "chunked"}, length=None)),
            t.trickle(b"0" * 10_000),
        )
    ),
    "endless trailers": lambda good: (
        lambda t: (
            t.send(answer(b"", headers={"Transfer-Encoding": "chunked"}, length=None), chunked(good, end=b"0\r\n")),
            t.endless(b"A: b\r\n", 0.02),
        )
    ),
}.items():
    add(name, make, "TOO_SLOW", limits=SLOW, slack="no complete answer in 1 s")
silent = "could not be reached (ReadTimeout)"
add("silence", lambda good: Talk.silence, "NO_ANSWER", limits=SILENT, slack=silent)
add(
    "silence after the headers",
    lambda good: lambda t: (t.send(answer(b"", length=9)), t.silence()),
    "NO_ANSWER", limits=SILENT, slack="could not be reached (ReadTimeout",
)  # fmt: skip
add(
    "silence in the body",
    lambda good: lambda t: (t.send(answer(good, length=len(good) + 1)), t.silence()),
    "NO_ANSWER", limits=SILENT, slack="could not be reached (ReadTimeout",
)  # fmt: skip

# -- size
large = f"more than {SIZE:,} bytes"
ZEROS = bytes(65536)
for name, make in {
    "endless body": lambda good: lambda t: (t.send(answer(b"", length=None)), t.endless(ZEROS)),
    "endless chunks": lambda good: (
        lambda t: (
            t.send(answer(b"", headers={"Transfer-Encoding": "chunked"}, length=None)),
            t.endless(chunked(ZEROS, end=b"")),
        )
    ),
    "a chunk of size -1": lambda good: (
        lambda t: (
            t.send(answer(b"-1\r\n", headers={"Transfer-Encoding": "chunked"}, length=None)),
            t.endless(ZEROS),
        )
    ),
    "a body of a terabyte": lambda good: lambda t: (t.send(answer(b"", length=10**12)), t.endless(ZEROS)),
    "gzip bomb": says(lambda good: answer(GZIP_BOMB, headers=ENCODED)),
    "gzip bomb with status 500": says(lambda good: answer(GZIP_BOMB, "500 Oops", ENCODED)),
    "deflate bomb": says(lambda good: answer(DEFLATE_BOMB, headers={"Content-Encoding": "deflate"})),
}.items():
    add(name, make, "TOO_LARGE", slack=large)

# -- encodings
for name, body, encoding in (
    ("plain body that says gzip", lambda good: good, "gzip"),
    ("gzip that ends early", lambda good: gzip.compress(good)[:-9], "gzip"),
    ("gzip with a tail", lambda good: gzip.compress(good) + b"more", "gzip"),
    ("gzip with a flipped bit", lambda good: gzip.compress(good)[:-1] + b"\xff", "gzip"),
    ("brotli that was not requested", lambda good: good, "br"),
    ("zstd that was not requested", lambda good: good, "zstd"),
    ("gzip of a bomb of gzip", lambda good: gzip.compress(GZIP_BOMB), "gzip, gzip"),
    ("an encoding of 2,000 links", lambda good: good, ", ".join(["gzip"] * 2_000)),
    ("an encoding with the key", lambda good: good, KEY),
):
    add(
        name,
        says(lambda good, body=body, encoding=encoding: answer(body(good), headers={"Content-Encoding": encoding})),
        "BAD_ENCODING",
        slack="could not be reached (a body that is not valid",
    )
for encoding, packed in (("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)):
    add(
        f"valid {encoding}",
        says(lambda good, e=encoding, p=packed: answer(p(good), headers={"Content-Encoding": e})),
        "OK",
    )
add(
    "raw deflate",
    says(lambda good: answer(zlib.compress(good)[2:-4], headers={"Content-Encoding": "deflate"})),
    "OK",
)

# -- the protocol


def reset(talk: Talk) -> None:
    import socket

    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.connection.close()


broken = "could not be reached ("
for name, make in {
    "closed at once": lambda good: lambda t: None,
    "reset": lambda good: reset,
    "half a status line": says(lambda good: b"HTTP/1.1 2"),
    "junk for a status line": says(lambda good: b"HELLO THERE\r\n\r\n" + good),
    "binary for a status line": says(lambda good: bytes(range(256)) * 4),
    "a status that is not a number": says(lambda good: answer(good, "2xx OK")),
    "a status of four digits": says(lambda good: answer(good, "2000 OK")),
    "a status line of 200 kB": says(lambda good: answer(good, "200 " + "x" * 200_000)),
    "a header of 200 kB": says(lambda good: answer(good, headers={"X-Long": "x" * 200_000})),
    "1,000 headers": says(lambda good: answer(good, headers={f"X-{n}": "y" for n in range(1_000)})),
    "a body that is cut off": says(lambda good: answer(good, length=len(good) + 10)),
    "two lengths": says(lambda good: answer(good, headers={"content-length": "3"})),
    "a chunk that is cut off": says(
        lambda good: answer(b"ffff\r\n" + good, headers={"Transfer-Encoding": "chunked"}, length=None)
    ),
    "a chunk without an end": says(
        lambda good: answer(chunked(good, end=b""), headers={"Transfer-Encoding": "chunked"}, length=None)
    ),
    "a chunk of size zz": says(
        lambda good: answer(b"zz\r\n" + good, headers={"Transfer-Encoding": "chunked"}, length=None)
    ),
}.items():
    add(name, make, "NO_ANSWER", slack=broken)
for name, make in {
    "a length below zero": says(lambda good: answer(good, length="-7")),
    "a length that is not a number": says(lambda good: answer(good, length="many")),
    "a header without a colon": says(lambda good: answer(good).replace(b"Connection", b"no colon\r\nConnection", 1)),
    "a header with bytes of latin-1": says(lambda good: answer(good, headers={"X-Odd": "\xe9\xff\x01"})),
    "chunks and a length": says(lambda good: answer(chunked(good), headers={"Transfer-Encoding": "chunked"}, length=3)),
    "cookies": says(lambda good: answer(good, headers={"Set-Cookie": f"session={KEY}; Domain=.com; Expires=never"})),
    "an invalid type": says(lambda good: answer(good, headers={"Content-Type": "\xff/;;charset=utf-99"})),
}.items():
    add(name, make, "OK")

# -- contents
for name, damage in {
    "half of the JSON": lambda good: good[: len(good) // 2],
    "JSON that is not all": lambda good: good + b"}",
    "NaN": lambda good: good[:-1] + b', "x": NaN}',
    "Infinity": lambda good: good[:-1] + b', "x": -Infinity}',
    "a number that is infinite": lambda good: good[:-1] + b', "x": 1e999}',
    "an integer of 5,000 digits": lambda good: good[:-1] + b', "x": ' + b"9" * 5_000 + b"}",
    "100,000 levels": lambda good: b"[" * 100_000 + b"]" * 100_000,
    "60 levels": lambda good: good[:-1] + b', "x": ' + b"[" * 60 + b"]" * 60 + b"}",
    "bytes that are not UTF-8": lambda good: good[:-1] + b', "x": "\xff\xfe"}',
    "an HTML page": lambda good: b"<!DOCTYPE html><title>" + KEY.encode() + b"</title>",
    "nothing": lambda good: b"",
    "a NUL": lambda good: b"\x00",
}.items():
    add(
        name, says(lambda good, damage=damage: answer(damage(good))), "NOT_JSON", (*JSON, CDN, INJURIES, SLACK),
        slack="OK", injuries="(no PDF)" if name in ("an HTML page", "nothing", "a NUL", "100,000 levels") else "OK",
    )  # fmt: skip
for name, content in {"a number": b"7", "a list": b"[1]", "null": b"null", "a text": b'"x"', "true": b"true"}.items():
    add(name, says(lambda good, content=content: answer(content)), "WRONG_SHAPE", (*JSON, CDN))
for content in (b'{"leagueSchedule": [1]}', b'{"leagueSchedule": {}}', b'{"leagueSchedule": "x"}'):
    add(f"a schedule of {content.decode()}", says(lambda good, content=content: answer(content)), "WRONG_SHAPE", (CDN,))
for name, damage in {
    "half a surrogate pair": lambda good: good[:-1] + b', "x": "\\ud800"}',
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "a name of control characters": lambda good: good[:-1] + b', "\\u0000\\u202e": "\\u001b[2J"}',
}.items():
    add(name, says(lambda good, damage=damage: answer(damage(good))), "OK", JSON)

# -- statuses
for status in (400, 401, 402, 403, 404, 407, 418, 422, 451):
    add(
        f"status {status}",
        says(lambda good, status=status: answer(b"{}", f"{status} No")),
        f"UNKNOWN ({status})",
        (ODDS,),
    )
    add(f"status {status}", says(lambda good, status=status: answer(b"{}", f"{status} No")), "REFUSED", (STATS, CDN))
for status in (500, 502, 503, 504, 599, 999):
    make = says(lambda good, status=status: answer(b"{}", f"{status} Oops"))
    add(f"status {status}", make, f"UNKNOWN ({status})", (ODDS,))
    add(f"status {status}", make, "SERVER_ERROR", (STATS,))
add("status 429", says(lambda good: answer(b"{}", "429 Slow down")), "EXCEEDED_FREQ_LIMIT (429)", (ODDS,))
add("status 429", says(lambda good: answer(b"{}", "429 Slow down")), "SERVER_ERROR", (STATS,))
for status in (400, 401, 403, 404, 407, 429, 500, 503, 999):
    make = says(lambda good, status=status: answer(b"{}", f"{status} No", {"WWW-Authenticate": "Basic realm=x"}))
    add(f"status {status}", make, f"({status})", (INJURIES,))
    add(f"status {status}", make, f"file: the webhook answered {status}", (SLACK,))
add("status 204", says(lambda good: answer(b"", "204 No Content")), "NOT_JSON", slack="OK", injuries="(no PDF)")
add("status 101", says(lambda good: answer(b"", "101 Upgrade")), "NOT_JSON", (ODDS,))
add(
    "a failure with status 200",
    says(lambda good: answer(b'{"Message":"An error has occurred."}')),
    "SERVER_ERROR",
    (STATS,),
)

# -- credits, and secrets that come back
for number, text in enumerate(
    ["inf", "-inf", "nan", "-3000", "1e30", "9" * 400, "0x10", "", " ", "\xb2\xb3", "١٢", "1,000", "true", KEY]
):
    said = {f"x-requests-{n}": text.encode().decode("latin-1") for n in ("remaining", "used", "last")}
    add(f"credits {number}", says(lambda good, said=said: answer(good, headers=said)), "OK", (ODDS,))
for name, form in {"plain": KEY, "in URL form": quote(KEY, safe=""), "in small URL form": quote(KEY, safe="").lower(),
                   "escaped": ESCAPED}.items():  # fmt: skip
    add(
        f"the key {name} in the body",
        says(lambda good, form=form: answer(good[:-1] + f', "you": "sent {form} to us", "{form}": 1}}'.encode())),
        "OK",
        (ODDS,),
    )
    for where in ("error_code", "code", "message"):
        add(
            f"the key {name} as {where}",
            says(lambda good, form=form, where=where: answer(f'{{"{where}": "{form}"}}'.encode(), "401 No")),
            "UNKNOWN (401)",
            (ODDS,),
        )
add(
    "the key as a header",
    says(lambda good: answer(good, headers={KEY.replace("/", ""): KEY, "Server": KEY})),
    "OK",
    (ODDS,),
)
add("the key as a reason", says(lambda good: answer(b"{}", f"403 {KEY}")), "UNKNOWN (403)", (ODDS,))
add(
    "the key in a broken header",
    says(lambda good: answer(good).replace(b"Connection", KEY.encode() + b" no colon\r\nConnection", 1)),
    "OK",
    (ODDS,),
)
add(
    "a message of a megabyte",
    says(lambda good: answer(b'{"message": "' + b"x" * 200_000 + b'"}', "400 No")),
    "UNKNOWN (400)",
    (ODDS,),
)
add(
    "a message of control characters",
    says(lambda good: answer(b'{"message": "\\u001b[2J\\r\\n"}', "400 No")),
    "UNKNOWN (400)",
    (ODDS,),
)
add(
    "the webhook in the body",
    says(lambda good: answer(HOOK.encode(), "403 No")),
    "file: the webhook answered 403",
    (SLACK,),
)
add(
    "the webhook in a broken header",
    says(lambda good: answer(good).replace(b"Connection", HOOK.encode() + b" no colon\r\nConnection", 1)),
    "OK",
    (SLACK,),
)


def ask(case: Case, server: Hostile, folder) -> Outcome:
    """What a client makes of the server."""
    found = Outcome()
    zone = LandingZone(str(folder))
    folder.mkdir()
    skip = lambda seconds: None
    started = time.monotonic()
    try:
        if case.client == ODDS:
            found.budget = Budget(reserve=20)
            api = OddsApi(KEY, found.budget, server.url, skip, case.limits)
            done = capture.odds(api, zone, DAY, lambda: NOON, "us")
        elif case.client in (STATS, CDN):
            api = StatsApi(None, server.url + "/stats/{endpoint}", server.url + "/cdn.json", skip, case.limits)
            get = stats_fetch.roster if case.client == STATS else stats_fetch.schedule
            done = get(api, zone, league.SEASON, lambda: NOON)
        elif case.client == INJURIES:
            done = fetch(zone, lambda: utc(2025, 12, 25, 18, 15), server.url, case.limits)
        else:
            alerts = Alerts(Live(webhooks={"ERROR": server.url + HOOK}), folder / "alerts", lambda: NOON, case.limits)
            alerts.send(Alert("ERROR", "cause", "text"))
            found.text = alerts.sent()[0]["delivered"]
            done = None
    except Exception as error:
        found.error = error
    else:
        found.text = "\n".join(done.failures) if done else found.text
    found.seconds = time.monotonic() - started
    found.landed = [p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and "alerts" not in p.parts]
    return found


def routes(client: str) -> dict[bytes, bytes]:
    if client == ODDS:
        return {EVENTS.encode(): answer(json.dumps([listed(GAMES[0])]).encode())}
    if client == CDN:
        return {b"/stats/scheduleleaguev2": answer(b"no", "403 No")}
    return {}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every case, once: the outcomes by id, and all that was logged."""
    folder = tmp_path_factory.mktemp("hostile")
    logged: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            logged.append(self.format(record))

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)

    def one(case: Case) -> tuple[str, Outcome]:
        with hostile(case.behave, routes(case.client)) as server:
            found = ask(case, server, folder / case.id)
            found.requests = server.requests
            return case.id, found

    few = pytest.MonkeyPatch()  # how often is tried again is tested with each client
    few.setattr("nba_props.sources.http._ATTEMPTS", 2)
    try:
        with hostile(lambda talk: talk.send(answer())) as other, ThreadPoolExecutor(12) as pool:
            elsewhere.url, elsewhere.requests = other.url, other.requests
            yield dict(pool.map(one, CASES)), logged
    finally:
        few.undo()
        root.removeHandler(keep)
        root.setLevel(level)


def test_the_table_is_as_long_as_the_audits():
    assert len({c.id for c in CASES}) == len(CASES) > 61
    assert {c.client for c in CASES} == {*ALL, CDN}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_hostile_server(everything, case):
    found = everything[0][case.id]
    assert found.error is None, f"{type(found.error).__name__} left the client: {found.error}"
    assert found.seconds < SECONDS
    kept = b"".join(gzip.decompress(b) if b.startswith(b"\x1f\x8b") else b for b in found.landed)
    if case.expected == "OK":
        assert found.text == ("slack" if case.client == SLACK else "")
        assert len(found.landed) == (case.client != SLACK)
        if case.client == ODDS:
            assert json.loads(kept)["id"] == GAMES[0].event_id
    else:
        assert case.expected in found.text
        assert found.landed == []
    assert "\x1b" not in found.text
    assert len(found.text) < 1_000
    for secret in (KEY, quote(KEY, safe=""), quote(KEY, safe="").lower(), HOOK):
        assert secret not in found.text
        assert secret.encode() not in kept
    assert KEY not in str(json.loads(kept) if kept and case.client == ODDS else "")
    for request in found.requests:
        assert b"cookie" not in request.lower()
        assert b"authorization" not in request.lower()
    if found.budget:
        assert found.budget.spent >= 0
        assert found.budget.remaining is None or found.budget.remaining >= 0
    if case.expected in ("TOO_SLOW", "TOO_LARGE") or "REDIRECT" in case.expected:
        assert len(found.requests) - len(routes(case.client)) == 1, "it would end so again"


def test_no_redirect_was_followed(everything):
    assert len([c for c in CASES if c.expected.startswith("REDIRECT")]) > 30
    assert elsewhere.url
    assert elsewhere.requests == []


def test_no_thread_is_left_behind(everything):
    until = time.monotonic() + SECONDS
    while left := [t.name for t in threading.enumerate() if t.name.startswith("ask")]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_no_secret_was_logged(everything):
    outcomes, logged = everything
    text = "\n".join(logged)
    assert len(outcomes) == len(CASES)
    assert "apiKey=***" in text
    assert "/services/***" in text
    for secret in (KEY, quote(KEY, safe=""), quote(KEY, safe="").lower(), HOOK):
        assert secret not in text
