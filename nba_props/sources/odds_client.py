"""A client of The Odds API v4 that knows what a request costs, when to stop, and which failures to try again.

Formats, prices and error codes: the-odds-api.com/liveapi/guides/v4. The key stands in a query parameter, the only way
the API takes it, so no URL ever reaches a log, an exception or a landed file from here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import tenacity

from nba_props.sources.landing import FetchError
from nba_props.sources.redact import guard_logs, without_secrets

BASE_URL = "https://api.the-odds-api.com/v4"
SPORT = "basketball_nba"
#: concurrent requests; the limit of 30 a second is met by bursts of eight (reference 5.1)
CONCURRENCY = 4
HISTORICAL_FACTOR = 10
_ATTEMPTS = 4
_TIMEOUT = (5, 30)
_FREQUENCY = "EXCEEDED_FREQ_LIMIT"


class OddsApiError(FetchError):
    """The API refused or could not answer; ``code`` is its ``error_code``, or ours for what is no answer of its."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}" if status is None else f"{code} ({status}): {message}")
        self.code = code
        self.status = status


class BudgetExhausted(OddsApiError):
    """A request would take the credits below the reserve; it was not sent."""


@dataclass(frozen=True)
class Credits:
    """What the response headers say of the account; None where a header is missing."""

    remaining: int | None
    used: int | None
    last: int | None


class Budget:
    """Credits left by the newest response, less what is under way; stops at the reserve. Safe between threads."""

    def __init__(self, reserve: int = 0) -> None:
        self.reserve = reserve
        self.remaining: int | None = None
        self.spent = 0
        self._pending = 0
        self._lock = threading.Lock()

    def ask(self, cost: int) -> None:
        """Set a request's cost aside.

        Raises:
            BudgetExhausted: it would take the account below the reserve.
        """
        with self._lock:
            if cost and self.remaining is not None and self.remaining - self._pending - cost < self.reserve:
                raise BudgetExhausted(
                    "BUDGET_EXHAUSTED",
                    f"{self.remaining} credits are left and {self._pending} under way; {cost} more would go below the "
                    f"reserve of {self.reserve} (NBA_PROPS_ODDS_RESERVE)",
                )
            self._pending += cost

    def settle(self, cost: int, credits: Credits | None) -> None:
        """A request is over; ``credits`` are what its response said."""
        with self._lock:
            self._pending -= cost
            if credits is None:
                return
            self.spent += credits.last or 0
            if credits.remaining is not None:
                # responses overtake each other: what is left only shrinks within a run
                known = self.remaining
                self.remaining = credits.remaining if known is None else min(known, credits.remaining)


def _retryable(error: BaseException) -> bool:
    """Too fast, the server's own trouble, or no answer; anything else would fail again and may cost again."""
    if not isinstance(error, OddsApiError) or isinstance(error, BudgetExhausted):
        return False
    return error.code in (_FREQUENCY, "NO_ANSWER", "NOT_JSON") or (error.status or 0) >= 500


class OddsApi:
    """Requests of one account.

    Args:
        key: the API key; never shown.
        budget: what may be spent.
        base_url: another server, for tests.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        key: str,
        budget: Budget | None = None,
        base_url: str = BASE_URL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        guard_logs()
        self._key = key
        self.budget = budget or Budget()
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_retryable),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(multiplier=2, max=20),
            reraise=True,
            sleep=sleep,
        )

    def __repr__(self) -> str:
        return f"OddsApi({self._base_url}, remaining={self.budget.remaining})"

    def events(self, first: datetime, last: datetime) -> list[dict[str, Any]]:
        """The games that start in first..last; free."""
        parameters = {"commenceTimeFrom": _instant(first), "commenceTimeTo": _instant(last)}
        return _events(self._get(f"/sports/{SPORT}/events", parameters, 0))

    def event_odds(self, event_id: str, markets: str, regions: str) -> dict[str, Any]:
        """The odds of a game as they stand; a credit for each market and region, none for what is empty."""
        parameters = {"markets": markets, "regions": regions, "oddsFormat": "american"}
        return _object(self._get(f"/sports/{SPORT}/events/{event_id}/odds", parameters, cost(markets, regions)))

    def historical_events(self, at: datetime) -> dict[str, Any]:
        """The envelope of the games that were listed at an instant; one credit."""
        return _object(self._get(f"/historical/sports/{SPORT}/events", {"date": _instant(at)}, 1))

    def historical_event_odds(self, event_id: str, at: datetime, markets: str, regions: str) -> dict[str, Any]:
        """The envelope of a game's odds in the newest snapshot at or before an instant; ten times the live cost."""
        parameters = {"markets": markets, "regions": regions, "oddsFormat": "american", "date": _instant(at)}
        price = HISTORICAL_FACTOR * cost(markets, regions)
        return _object(self._get(f"/historical/sports/{SPORT}/events/{event_id}/odds", parameters, price))

    def _get(self, path: str, parameters: Mapping[str, str], price: int) -> Any:
        return self._retry(self._once, path, parameters, price)

    def _once(self, path: str, parameters: Mapping[str, str], price: int) -> Any:
        self.budget.ask(price)
        credits = None
        try:
            response = self._session.get(
                self._base_url + path, params={**parameters, "apiKey": self._key}, timeout=_TIMEOUT
            )
            credits = _credits(response.headers)
        except requests.RequestException as error:
            # its text and its cause hold the URL
            raise OddsApiError("NO_ANSWER", f"{type(error).__name__} at {path}") from None
        finally:
            self.budget.settle(price, credits)
        try:
            content = response.json()
        except ValueError:
            raise OddsApiError("NOT_JSON", f"the answer of {path} is not JSON", response.status_code) from None
        if response.status_code == requests.codes.ok:
            return content
        raise self._refusal(content, path, response.status_code)

    def _refusal(self, content: Any, path: str, status: int) -> OddsApiError:
        fields = content if isinstance(content, dict) else {}
        code = str(fields.get("error_code") or fields.get("code") or (_FREQUENCY if status == 429 else "UNKNOWN"))
        said = str(fields.get("message") or "no message").replace(self._key, "***")
        return OddsApiError(code, f"{without_secrets(said)} at {path}", status)


def cost(markets: str, regions: str) -> int:
    """Credits of a live request at most: markets times regions, both comma-separated."""
    return len(markets.split(",")) * len(regions.split(","))


def _credits(headers: Mapping[str, str]) -> Credits:
    def number(name: str) -> int | None:
        text = headers.get(f"x-requests-{name}", "")
        try:
            return int(float(text))
        except ValueError:
            return None

    return Credits(number("remaining"), number("used"), number("last"))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _events(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not all(isinstance(e, dict) and "id" in e for e in content):
        raise OddsApiError("WRONG_SHAPE", "a list of events was expected")
    return content


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise OddsApiError("WRONG_SHAPE", f"an object was expected, not {type(content).__name__}")
    return content
