"""Secrets, kept out of everything that is logged, raised or landed: keys, webhooks, proxies' credentials.

A secret is known by its place (``apiKey=...``, ``/services/...``, ``https://user:password@``) and, once a client was
made with it, by its value wherever it stands: as it is, URL-encoded, or escaped as in JSON.
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
#: a shorter value would be found in innocent text; no key, password or webhook of use is as short
_SHORTEST = 6
#: whoever of the HTTP library writes URLs, headers or what a server sent into the log
_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry")

_lock = threading.Lock()
_known: tuple[str, ...] = ()


def forms_of(secrets: Iterable[str | None]) -> tuple[str, ...]:
    """The ways in which some secrets may be written, the longest first; what is too short to be one is left out."""
    found = set()
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST:
            encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
            lower = {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), e) for e in encoded}
            found |= {secret, unquote(secret), json.dumps(secret)[1:-1], *encoded, *lower}
    return tuple(sorted((f for f in found if len(f) >= _SHORTEST), key=len, reverse=True))


def secrets_of_url(url: str | None) -> tuple[str, ...]:
    """What is secret in the URL of a webhook or a proxy: credentials, and the path with its query."""
    try:
        parts = urlsplit(url or "")
    except ValueError:  # no URL: no request is made to it
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
        record.exc_info = record.exc_text = None  # its text may quote what was asked or answered
        return True


def guard_logs(*secrets: str | None) -> None:
    """Filter the HTTP library's logs, and know these secrets by their value from now on."""
    global _known  # noqa: PLW0603 - what is secret to one client is secret in every text of the process
    with _lock:
        _known = tuple(sorted({*_known, *forms_of(secrets)}, key=len, reverse=True))
        for name in _LOGGERS:
            log = logging.getLogger(f"urllib3.{name}")
            if not any(isinstance(f, _Filter) for f in log.filters):
                log.addFilter(_Filter())
