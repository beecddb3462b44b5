"""What a request may take and what it comes to; nothing here loads a library, so that definitions load without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: no connection: the name can't be resolved, the host refuses, or there is no route to it
UNREACHABLE = "UNREACHABLE"


@dataclass(frozen=True)
class Limits:
    """What an answer may take: seconds to connect, between bytes and in all; bytes, before and after decompression."""

    connect: float = 5
    silence: float = 30
    deadline: float = 60
    size: int = 10_000_000


@dataclass(frozen=True)
class Answer:
    """An answer other than a redirect: its body is complete, decompressed, and free of the client's secrets."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Refused(Exception):
    """Why there is no answer; ``Http`` turns it into the client's error."""

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.status = code, detail, status
