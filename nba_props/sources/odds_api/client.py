"""A client of The Odds API v4, with prices of requests, a budget of credits, and retries.

Formats, prices and error codes: the-odds-api.com/liveapi/guides/v4. The key is a query parameter, since the API takes
it in no other way, so no URL ever reaches a log, an exception or a landed file from here.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from nba_props.settings import Live, SettingsError, revealed
from nba_props.sources.answers import Limits
from nba_props.sources.http import TRANSIENT, FetchError, Http, retrying

NO_KEY = "ODDS_API_KEY is not set: get a key of The Odds API and set it"
BASE_URL = "https://api.the-odds-api.com/v4"
SPORT = "basketball_nba"
#: concurrent requests; the API's limit is 30 a second, which bursts of eight reach
CONCURRENCY = 4
HISTORICAL_FACTOR = 10
_FREQUENCY = "EXCEEDED_FREQ_LIMIT"
#: how the API writes its codes and numbers of credits; anything else is ignored
_CODE = re.compile(r"[A-Z][A-Z_]{2,60}")
_NUMBER = re.compile(r"(-?[0-9]{1,9})(\.[0-9]+)?")


class OddsApiError(FetchError):
    """The API refused or could not answer; ``code`` is its ``error_code``, or our own if it sent none."""


class BudgetExhausted(OddsApiError):
    """A request would take the credits below the reserve; it was not sent."""


@dataclass(frozen=True)
class Credits:
    """The account by the response headers; None where a header is missing."""

    remaining: int | None
    last: int | None


class Budget:
    """The credits left, estimated low, so that the reserve is kept whatever the answers report. Safe between threads.

    The balance is unknown until an answer reports it, as the free list of games does, with which a capture begins.
    Until then, or if no answer ever does, at most ``BLIND`` credits may be spent. From then on each request counts with
    its own price, or with what its answer reports if that is more; a header can lower the balance and never raises it.
    So a run may stop early, since an empty answer is free; the next one starts with the account's balance of that time.
    """

    #: credits that may be spent while the balance is unknown: one snapshot of the archive, or ten games
    BLIND = 10

    def __init__(self, reserve: int = 0) -> None:
        self.reserve = reserve
        #: the lowest balance that an answer reported; None before the first
        self.remaining: int | None = None
        self.spent = 0
        self._least = reserve + self.BLIND
        self._pending = 0
        self._lock = threading.Lock()

    def ask(self, cost: int) -> None:
        """Set a request's cost aside.

        Raises:
            BudgetExhausted: it would take the account below the reserve.
        """
        with self._lock:
            left = self._least if self.remaining is None else min(self._least, self.remaining)
            if cost and left - self._pending - cost < self.reserve:
                known = f"{left} credits are left" if self.remaining is not None else "the balance is unknown"
                raise BudgetExhausted(
                    "BUDGET_EXHAUSTED",
                    f"{known}, with {self._pending} under way; {cost} more could go below the reserve of "
                    f"{self.reserve} (NBA_PROPS_ODDS_RESERVE)",
                )
            self._pending += cost

    def settle(self, cost: int, credits: Credits | None) -> None:
        """Settle a finished request; ``credits`` are those of its response, None without one."""
        with self._lock:
            self._pending -= cost
            reported = credits or Credits(None, None)
            self._least -= max(cost, reported.last or 0)
            if credits is not None:
                self.spent += cost if reported.last is None else reported.last
            if reported.remaining is not None:
                # responses arrive out of order: within a run the balance only falls
                first = self.remaining is None
                self.remaining = reported.remaining if first else min(self.remaining or 0, reported.remaining)
                self._least = reported.remaining if first else min(self._least, reported.remaining)


def _may_pass(error: FetchError) -> bool:
    """Whether a retry may help: too many requests, an error of the server, or no answer. Others may cost again."""
    return error.code in TRANSIENT | {_FREQUENCY} or (error.status or 0) >= 500


class OddsApi:
    """Requests of one account.

    Args:
        key: the API key; never shown.
        budget: what may be spent.
        base_url: another server, for tests.
        sleep: waits between attempts.
        limits: what an answer may take.
    """

    def __init__(
        self,
        key: str,
        budget: Budget | None = None,
        base_url: str = BASE_URL,
        sleep: Callable[[float], None] = time.sleep,
        limits: Limits | None = None,
    ) -> None:
        self._key = key
        self.budget = budget or Budget()
        self._base_url = base_url.rstrip("/")
        self._http = Http(OddsApiError, limits, (key,))
        self._retry = retrying(_may_pass, 20, sleep)

    def __repr__(self) -> str:
        return f"OddsApi({self._base_url}, remaining={self.budget.remaining})"

    def events(self, first: datetime, last: datetime) -> list[Any]:
        """The games that start in first..last, as listed and not validated; free."""
        parameters = {"commenceTimeFrom": _instant(first), "commenceTimeTo": _instant(last)}
        return _list(self._get(f"/sports/{SPORT}/events", parameters, 0))

    def event_odds(self, event_id: str, markets: str, regions: str) -> dict[str, Any]:
        """The current odds of a game; a credit for each market and region that is not empty."""
        parameters = {"markets": markets, "regions": regions, "oddsFormat": "american"}
        return _object(
            self._get(f"/sports/{SPORT}/events/{_segment(event_id)}/odds", parameters, cost(markets, regions))
        )

    def historical_events(self, at: datetime) -> dict[str, Any]:
        """The envelope of the games that were listed at an instant; one credit."""
        return _object(self._get(f"/historical/sports/{SPORT}/events", {"date": _instant(at)}, 1))

    def historical_event_odds(self, event_id: str, at: datetime, markets: str, regions: str) -> dict[str, Any]:
        """The envelope of a game's odds in the newest snapshot at or before an instant; ten times the live cost."""
        parameters = {"markets": markets, "regions": regions, "oddsFormat": "american", "date": _instant(at)}
        price = HISTORICAL_FACTOR * cost(markets, regions)
        return _object(self._get(f"/historical/sports/{SPORT}/events/{_segment(event_id)}/odds", parameters, price))

    def _get(self, path: str, parameters: Mapping[str, str], price: int) -> Any:
        return self._retry(self._once, path, parameters, price)

    def _once(self, path: str, parameters: Mapping[str, str], price: int) -> Any:
        self.budget.ask(price)
        credits = None
        try:
            answer = self._http.get(self._base_url + path, path, {**parameters, "apiKey": self._key})
            credits = _credits(answer.headers)
        finally:
            self.budget.settle(price, credits)
        content = self._http.json(answer, path)
        if answer.ok:
            return content
        raise _refusal(content, path, answer.status)


def open_api(live: Live) -> OddsApi:
    """A client by the settings, with a budget of its own.

    Raises:
        SettingsError: there is no key.
    """
    if not (key := revealed(live.odds_key)):
        raise SettingsError(NO_KEY)
    return OddsApi(key, Budget(live.odds_reserve), live.odds_url or BASE_URL)


def _refusal(content: Any, path: str, status: int) -> OddsApiError:
    """The error of an answer with an error status, with the API's own code if the answer has one."""
    fields = content if isinstance(content, dict) else {}
    codes = [fields.get("error_code"), fields.get("code"), _FREQUENCY if status == 429 else "UNKNOWN"]
    code = next(c for c in codes if isinstance(c, str) and _CODE.fullmatch(c))
    message = str(fields.get("message") or "no message")[:300]
    return OddsApiError(code, f"{''.join(c if c.isprintable() else ' ' for c in message)} at {path}", status)


def _segment(event_id: Any) -> str:
    """An event's id as one segment of a path.

    Raises:
        OddsApiError: BAD_EVENT_ID, it can't be one.
    """
    if not isinstance(event_id, str) or not event_id.isprintable() or not 0 < len(event_id.strip(".")) <= 100:
        raise OddsApiError("BAD_EVENT_ID", f"{str(event_id)[:60]!r} is not an id that can be requested")
    return quote(event_id, safe="")


def cost(markets: str, regions: str) -> int:
    """Credits of a live request at most: markets times regions, both comma-separated."""
    return len(markets.split(",")) * len(regions.split(","))


def _credits(headers: Mapping[str, str]) -> Credits:
    """The account by the headers; a negative balance counts as 0, and a negative cost is ignored."""

    def number(name: str) -> int | None:
        found = _NUMBER.fullmatch(headers.get(f"x-requests-{name}", ""))
        return int(found[1]) if found else None

    remaining, last = number("remaining"), number("last")
    return Credits(None if remaining is None else max(remaining, 0), None if last is None or last < 0 else last)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise OddsApiError("WRONG_SHAPE", f"a list of games was expected, not {type(content).__name__}")
    return content


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise OddsApiError("WRONG_SHAPE", f"an object was expected, not {type(content).__name__}")
    return content
