"""A server on loopback that answers from a script and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: close the connection without a word
    drop: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class FakeServer:
    url: str
    #: path and parameters of every request
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: bodies of what was sent to it
    posted: list[Any] = field(default_factory=list)
    #: what is answered at a path: the answers in turn, the last for ever; or a function of the parameters
    script: dict[str, list[Answer] | Callable[[dict[str, str]], Answer]] = field(default_factory=dict)

    def on(self, path: str, *answers: Answer | Callable[[dict[str, str]], Answer]) -> None:
        self.script[path] = answers[0] if callable(answers[0]) else list(answers)  # type: ignore[arg-type]

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def serve() -> Iterator[FakeServer]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            parameters = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            with lock:
                fake.asked.append((parts.path, parameters))
                planned = fake.script.get(parts.path, [Answer({"message": "no such place"}, 404)])
                if callable(planned):
                    answer = planned(parameters)
                else:
                    answer = planned.pop(0) if len(planned) > 1 else planned[0]
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.content)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError):  # the client waits no longer
                self.wfile.write(answer.content)

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                fake.posted.append(json.loads(body))
            self.do_GET()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = FakeServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
