"""Alerts: to Slack by severity where a webhook is set, always to a file and the log; one per cause and cool-down."""

import json
import logging
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import filelock

from nba_props.facts.calendar import parse_instant
from nba_props.process.clock import Clock
from nba_props.process.redact import secrets_of_url, without_secrets
from nba_props.settings import Live, revealed
from nba_props.sources.answers import UNREACHABLE, Limits
from nba_props.sources.http import FetchError, Http

_LOG = logging.getLogger(__name__)
#: sending blocks the caller, and Slack's answers are short
LIMITS = Limits(silence=10, deadline=20, size=100_000)
_MARKS = {"WARN": ":warning:", "ERROR": ":rotating_light:"}


@dataclass(frozen=True)
class Alert:
    """A problem to report.

    ``cause`` identifies the problem and not the moment: a second alert of one cause within the cool-down is not sent,
    unless it is an ERROR and the first was a WARN.
    """

    severity: str
    cause: str
    text: str


class Alerts:
    """Sends alerts and remembers them in ``alerts.jsonl``.

    Args:
        live: webhooks and cool-down.
        folder: where the file is.
        clock: the time.
        limits: limits of a webhook's answer.
    """

    def __init__(self, live: Live, folder: Path, clock: Clock, limits: Limits | None = None) -> None:
        # an alert may quote anything: the secrets of the settings are redacted
        urls = map(revealed, (live.proxy, *live.webhooks.values()))
        secrets = (revealed(live.odds_key), *chain(*map(secrets_of_url, urls)))
        self._http = Http(limits=limits or LIMITS, secrets=secrets)
        self._live = live
        self.path = folder / "alerts.jsonl"
        self._clock = clock

    def send(self, alert: Alert) -> bool:
        """Send an alert, unless its cause was sent within the cool-down; returns whether it was sent."""
        alert = replace(alert, cause=without_secrets(alert.cause), text=without_secrets(alert.text))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.path.with_suffix(".lock")):
            now = self._clock()
            if any(_covers(s, alert) and now - s["at"] < self._live.alert_cooldown for s in self.sent()):
                return False
            record = {
                "at": now.isoformat(), "severity": alert.severity, "cause": alert.cause, "text": alert.text,
                "delivered": self._deliver(alert),
            }  # fmt: skip
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            except OSError as error:  # the alert was sent, so the caller continues
                _LOG.error("%s can't be written, so this alert will be sent again: %s", self.path, error)
        level = logging.ERROR if alert.severity == "ERROR" else logging.WARNING
        _LOG.log(level, "%s: %s", alert.cause, alert.text)
        return True

    def report(self, severity: str, cause: str, text: str) -> bool:
        """Send an alert from its parts."""
        return self.send(Alert(severity, cause, text))

    def sent(self) -> list[dict[str, Any]]:
        """Every alert so far, with ``at`` as a datetime."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            _LOG.error("%s can't be read: %s", self.path, error)
            return []
        found = []
        for line in lines:
            try:
                record = json.loads(line)
                found.append({**record, "at": parse_instant(record["at"]), "cause": str(record["cause"])})
            except (ValueError, KeyError, TypeError):  # a process died while it wrote the line
                _LOG.warning("%s has a line that is not an alert", self.path)
        return found

    def _deliver(self, alert: Alert) -> str:
        """Deliver the alert, and return how; the webhook's URL is a secret and never in a message."""
        url = revealed(self._live.webhooks.get(alert.severity))
        if not url:
            return "file: no webhook is set"
        text = f"{_MARKS.get(alert.severity, '')} *{alert.cause}*\n{alert.text}"
        try:
            answer = self._http.post(url, {"text": text})
        except FetchError as error:
            status = "" if error.status is None else f", status {error.status}"
            why = "is this machine online?" if error.code == UNREACHABLE else f"{error.detail}{status}"
            return f"file: the webhook could not be reached ({why})"
        return "slack" if answer.ok else f"file: the webhook answered {answer.status}"


def _covers(sent: dict[str, Any], alert: Alert) -> bool:
    """Whether an alert that was sent makes this one superfluous."""
    return sent["cause"] == alert.cause and (sent.get("severity") == alert.severity or alert.severity != "ERROR")
