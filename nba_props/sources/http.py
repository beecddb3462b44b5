"""One policy for every outgoing request: to The Odds API, stats.nba.com, the league's injury report and Slack.

* Only https, except to a loopback host; certificates are verified.
* Redirects are not followed: a key is sent only to the host that it is for.
* An answer must be complete within a deadline, however slowly it arrives, and within a size, also after decompression.
* Only the client's own credentials: no ``.netrc``, no cookies. Proxies and certificates come from the environment.
* Every failure is the client's own error, with a code; neither its text nor its chain contains a secret.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nba_props.process.addresses import why_unsafe
from nba_props.process.errors import NbaPropsError
from nba_props.process.redact import forms_of, guard_logs, replaced, replaced_bytes, without_secrets
from nba_props.sources.answers import UNREACHABLE, Answer, Limits, Refused
from nba_props.storage.landing import MOST_DEPTH, is_deeper

if TYPE_CHECKING:
    import tenacity

#: codes of failures that may not occur again
TRANSIENT = frozenset({UNREACHABLE, "NO_ANSWER", "BAD_ENCODING", "NOT_JSON", "SERVER_ERROR"})
#: codes of a host that answers no request at all
_SILENT = frozenset({UNREACHABLE, "NO_ANSWER", "TOO_SLOW", "NO_PROXY"})
_ATTEMPTS = 4
#: a failed look-up may succeed the second time; a machine without a network stays offline
_ATTEMPTS_TO_CONNECT = 2


class FetchError(NbaPropsError):
    """A live feed or a webhook refused a request or failed to answer.

    Args:
        code: what is wrong, in a word.
        detail: the sentence; secrets are redacted.
        status: the HTTP status of the answer, if there was one.
    """

    #: the error of the first server, where a second one was tried
    first: FetchError | None = None

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        self.code = without_secrets(code)
        self.detail = without_secrets(detail)
        self.status = status
        super().__init__(f"{self.code}: {self.detail}" if status is None else f"{self.code} ({status}): {self.detail}")


def silence(error: FetchError) -> str:
    """The code of an error after which further requests to the host would fail as well: it can't be reached, does not
    answer, or blocks this network. Empty for any other error.
    """
    first = error.first or error
    return first.code if first.code in _SILENT or first.status == 403 else ""


def not_asked(host: str) -> str:
    """The failure of a request that was not made, because the host had just failed to answer."""
    return f"not requested, {host} does not answer"


def retrying(may_pass: Callable[[FetchError], bool], longest: float, sleep: Callable[[float], None]) -> Any:
    """A retrier of failures that ``may_pass``, with growing pauses of at most ``longest`` seconds: four attempts in
    all, two if the host can't be reached.
    """
    import tenacity  # which costs as much as the rest of this module

    def enough(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        unreachable = isinstance(error, FetchError) and error.code == UNREACHABLE
        return state.attempt_number >= (_ATTEMPTS_TO_CONNECT if unreachable else _ATTEMPTS)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, FetchError) and may_pass(e)),
        stop=enough,
        wait=tenacity.wait_exponential_jitter(multiplier=2, max=longest),
        sleep=sleep,
        reraise=True,
    )


class Http:
    """Requests under the policy, for one client. Safe between threads.

    Args:
        error: the client's error, made from code, sentence and status.
        limits: what an answer may take.
        secrets: removed from answers, and from every log and error of the process.
    """

    def __init__(
        self, error: type[FetchError] = FetchError, limits: Limits | None = None, secrets: Iterable[str | None] = ()
    ) -> None:
        self._error = error
        self._limits = limits or Limits()
        self._secrets = forms_of(secrets := tuple(secrets))
        guard_logs(*secrets)

    def get(
        self,
        url: str,
        place: str = "",
        parameters: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
    ) -> Answer:
        """The answer to a GET; ``place`` names the request in errors, since a URL may contain a secret.

        Raises:
            FetchError: the client's error, when there is no complete answer: NOT_HTTPS, UNREACHABLE, NO_ANSWER,
                TOO_SLOW, TOO_LARGE, REDIRECT or BAD_ENCODING. An answer with an error status is returned.
        """
        proxies = {"http": proxy, "https": proxy} if proxy else None
        return self._ask(place, "GET", url, parameters, headers, None, proxies)

    def post(self, url: str, content: Any) -> Answer:
        """The answer to a POST of JSON; raises as :meth:`get` does."""
        return self._ask("", "POST", url, (), None, content, None)

    def json(self, answer: Answer, place: str) -> Any:
        """The JSON of an answer: RFC 8259 with finite numbers, nested no deeper than a payload may be.

        Raises:
            FetchError: the client's error, NOT_JSON.
        """
        try:
            content = json.loads(answer.body, parse_constant=_no_number, parse_float=_finite)
            problem = f"nested deeper than {MOST_DEPTH} levels" if is_deeper(content, MOST_DEPTH) else ""
        except (ValueError, RecursionError) as error:
            problem = type(error).__name__
        if problem:
            start = answer.body[:40].decode(errors="replace")
            raise self._error(
                "NOT_JSON", f"{place} answered something other than JSON ({problem}): {start!r}", answer.status
            )
        if self._secrets and b"\\" in answer.body:  # escaped, a secret looks different
            text = json.dumps(content, ensure_ascii=False)
            cleaned = replaced(text, self._secrets)
            return content if cleaned == text else json.loads(cleaned)
        return content

    def _ask(self, place: str, method: str, url: str, *asked: Any) -> Answer:
        """The answer, fetched by another thread, so that the deadline covers the look-up of the name as well."""
        if problem := why_unsafe(url):
            raise self._error("NOT_HTTPS", problem)
        from nba_props.sources.exchange import Exchange

        exchange = Exchange(self._limits)
        threading.Thread(target=exchange.run, args=(method, url, *asked), daemon=True, name=f"ask {place}").start()
        try:
            whole = exchange.done.wait(self._limits.deadline)
        finally:
            exchange.end()
        outcome = (
            exchange.outcome if whole else Refused("TOO_SLOW", f"no complete answer in {self._limits.deadline:g} s")
        )
        if isinstance(outcome, Answer):
            return Answer(outcome.status, outcome.headers, replaced_bytes(outcome.body, self._secrets))
        raise self._error(outcome.code, f"{outcome.detail} at {place}" if place else outcome.detail, outcome.status)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without a finite value")
    return number
