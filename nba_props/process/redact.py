"""Secrets, kept out of everything that is logged, raised or landed: keys, webhooks, proxies' credentials.

A secret is recognized by its place (``apiKey=...``, ``/services/...``, ``https://user:password@``) and, once a client
was created with it, by its value anywhere: plain, URL-encoded, or escaped as in JSON.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, urlsplit

_MARK = "***"
_PLACES = re.compile(r"(api_?key=|/services/)[^\s&\"']+|(?<=://)[^\s/\"']+(?=@)", re.IGNORECASE)
#: shorter values would match innocent text; no real key, password or webhook is that short
_SHORTEST = 6
#: loggers of the HTTP library that write URLs, headers or responses
_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry")

_lock = threading.Lock()
_known: tuple[str, ...] = ()


def forms_of(secrets: Iterable[str | None]) -> tuple[str, ...]:
    """The written forms of some secrets, the longest first; values that are too short are left out."""
    found = set()
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST:
            encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
            lower = {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), e) for e in encoded}
            found |= {secret, unquote(secret), json.dumps(secret)[1:-1], *encoded, *lower}
    return tuple(sorted((f for f in found if len(f) >= _SHORTEST), key=len, reverse=True))


def secrets_of_url(url: str | None) -> tuple[str, ...]:
    """The secret parts of a webhook's or proxy's URL: credentials, and the path with its query."""
    try:
        parts = urlsplit(url or "")
    except ValueError:  # not a URL, so nothing is sent to it
        return (url or "",)
    credentials = parts.netloc.rpartition("@")[0]
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return (credentials, credentials.partition(":")[2], path)


def replaced(text: str, forms: Iterable[str]) -> str:
    """The text with each of the forms replaced by ``***``."""
    for form in forms:
        text = text.replace(form, _MARK)
    return text


def replaced_bytes(data: bytes, forms: Iterable[str]) -> bytes:
    """The bytes with each of the forms replaced by ``***``."""
    for form in forms:
        data = data.replace(form.encode(errors="replace"), _MARK.encode())
    return data


def without_secrets(text: str) -> str:
    """The text with every secret that is known by place or value replaced by ``***``."""
    return replaced(_PLACES.sub(lambda m: f"{m[1] or ''}{_MARK}", text), _known)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        record.exc_info = record.exc_text = None  # its text may quote requests or responses
        return True


def guard_logs(*secrets: str | None) -> None:
    """Filter the HTTP library's logs, and redact these secrets by their value from now on."""
    global _known  # noqa: PLW0603 - one client's secret is redacted in every text of the process
    with _lock:
        _known = tuple(sorted({*_known, *forms_of(secrets)}, key=len, reverse=True))
        for name in _LOGGERS:
            log = logging.getLogger(f"urllib3.{name}")
            if not any(isinstance(f, _Filter) for f in log.filters):
                log.addFilter(_Filter())
