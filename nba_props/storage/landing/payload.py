"""A payload by its name, what arrived, and the errors of a landing zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from nba_props.process.errors import NbaPropsError
from nba_props.storage import naming


class LandingError(NbaPropsError):
    """The landing zone itself is missing or cannot be used."""


class PayloadError(NbaPropsError, ValueError):
    """A payload that cannot be read, with a reason code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Payload:
    """One landed file, addressed relative to the landing zone."""

    path: str

    @property
    def stem(self) -> str:
        return naming.stem(self.path.rsplit("/", 1)[-1])

    @property
    def captured_at(self) -> datetime | None:
        """The capture instant in the name, or None when the name has none."""
        return naming.capture_of(self.stem)

    @property
    def subject(self) -> str:
        """The name without capture instant and suffix."""
        return naming.CAPTURE.sub("", self.stem)

    @property
    def order(self) -> tuple[str, str]:
        """Sorts payloads of one subject from oldest to newest; one without an instant is the oldest."""
        found = naming.CAPTURE.search(self.stem)
        return (found[1] if found else "", self.path)


def capture_suffix(instant: datetime) -> str:
    """A capture instant as it ends a payload's name."""
    return f"-{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True)
class Arrivals:
    """A short summary of what has arrived in some folders: instant and name of the newest payload, and their number.

    In a bucket the instant is when the object was written, not the capture in its name, so that a late arrival still
    counts as new. File times in a folder are not trustworthy: there ``newest`` is a hash of all names.
    """

    instant: str
    newest: str
    count: int

    def __str__(self) -> str:
        return f"{self.instant}|{self.newest}|{self.count}"

    def is_news(self, seen: str) -> bool:
        """Whether something arrived since ``seen``, the text of earlier arrivals; deletions do not count."""
        instant, _, rest = seen.partition("|")
        newest, _, count = rest.rpartition("|")
        if not count.isdigit():
            return True
        if not self.instant:
            return self.newest != newest
        return (self.instant, self.newest) > (instant, newest) or self.count > int(count)
