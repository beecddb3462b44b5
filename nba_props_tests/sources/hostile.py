"""A server on loopback that is a raw socket: it may say whatever a server must not."""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CRLF = b"\r\n"


@dataclass
class Talk:
    """One connection after its request came in."""

    connection: socket.socket
    request: bytes
    over: threading.Event

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def trickle(self, data: bytes, every: float = 0.02) -> None:
        """A byte at a time, until the client has enough."""
        for n in range(len(data)):
            if self.over.wait(every):
                return
            self.send(data[n : n + 1])

    def endless(self, piece: bytes, every: float = 0.0) -> None:
        """The same again and again, until the client has enough."""
        while not self.over.wait(every):
            self.send(piece)

    def silence(self) -> None:
        self.over.wait()


Behaviour = Callable[[Talk], None]


@dataclass
class Hostile:
    url: str = ""
    requests: list[bytes] = field(default_factory=list)


def answer(
    body: bytes = b"{}",
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
    *,
    length: int | str | None = -1,
) -> bytes:
    """An answer; ``length`` is what Content-Length says, None leaves it out, -1 is the truth."""
    said = dict(headers or {})
    if length is not None:
        said["Content-Length"] = str(len(body) if length == -1 else length)
    lines = [f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in said.items()), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + end


@contextmanager
def hostile(
    behave: Behaviour, routes: Mapping[bytes, bytes] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Hostile]:
    """A server that behaves so at every path but those of ``routes``, where it answers with these bytes."""
    over = threading.Event()
    found = Hostile()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            data = b""
            with suppress(OSError):
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                while CRLF * 2 not in data:
                    piece = self.request.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, body = data.partition(CRLF * 2)
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                # what is not read, a closing socket answers with a reset
                while length and len(body) < int(length[1]) and (piece := self.request.recv(65536)):
                    body += piece
                found.requests.append(data)
                path = data.split(b" ", 2)[1].split(b"?")[0]
                ready = (routes or {}).get(path)
                if ready is None:
                    behave(Talk(self.request, data, over))
                else:
                    self.request.sendall(ready)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            server.shutdown()
