"""Secrets that stand in URLs, kept out of every log: the HTTP library writes each request's path at level DEBUG."""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(r"(api_?key=|/services/)[^\s&\"']+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with API keys and webhook paths replaced by ``***``."""
    return _SECRETS.sub(r"\1***", text)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _SECRETS.search(text):
            record.msg, record.args = without_secrets(text), ()
        return True


def guard_logs() -> None:
    """Filter the HTTP library's log; more than once does nothing more."""
    log = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(f, _Filter) for f in log.filters):
        log.addFilter(_Filter())
