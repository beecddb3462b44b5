"""A client of stats.nba.com through ``nba_api``: a season or a day in one call, landed before it is parsed.

The site fails in ways of its own: it drops connections from data centres, answers with a page instead of JSON, and
sometimes with status 200 and no rows. The first two are retried; the third is a failure for callers that request dates
on which games were played.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from nba_props.process.redact import guard_logs, secrets_of_url
from nba_props.settings import Live, revealed
from nba_props.sources.answers import UNREACHABLE, Answer, Limits
from nba_props.sources.base import Switch
from nba_props.sources.http import TRANSIENT, FetchError, Http, retrying

HOST = "stats.nba.com"
#: also the switch of the injury report
SWITCH = Switch(
    lambda live: live.stats,
    "NBA_PROPS_STATS is off",
    "NBA_PROPS_STATS is off: set it to on to use stats.nba.com and the injury report",
)
#: seconds between two requests of one client
PAUSE = 1.0
#: a season's game log in one answer has about 10 MB
LIMITS = Limits(silence=60, deadline=120, size=64_000_000)
#: the schedule of the running season where the statistics site does not answer
CDN_SCHEDULE = "https://cdn.nba.com/static/json/staticData/scheduleLeagueV2_1.json"
#: the body of the site's failures with status 200
_SITE_FAILED = b'{"Message":"An error has occurred."}'


class StatsApiError(FetchError):
    """The site refused or could not answer; ``code`` has the reason."""


class StatsApi:
    """Requests to stats.nba.com, one after the other with a pause.

    Args:
        proxy: a proxy's URL; None takes ``NBA_API_PROXY``. Never shown.
        base_url: another server, for tests: ``http://host/stats/{endpoint}``.
        cdn_schedule: where to request the schedule if the site does not answer; None for nowhere.
        sleep: waits between requests and attempts.
        limits: what an answer may take.
    """

    def __init__(
        self,
        proxy: str | None = None,
        base_url: str | None = None,
        cdn_schedule: str | None = CDN_SCHEDULE,
        sleep: Callable[[float], None] = time.sleep,
        limits: Limits | None = None,
    ) -> None:
        from nba_api.stats.library.http import NBAStatsHTTP

        self._http = Http(StatsApiError, limits or LIMITS, secrets_of_url(proxy))
        self._headers: Mapping[str, str] = NBAStatsHTTP.headers
        self._base_url = base_url or NBAStatsHTTP.base_url
        self._proxy = proxy
        self._cdn_schedule = cdn_schedule
        self._sleep = sleep
        self._asked = False
        self._retry = retrying(lambda e: e.code in TRANSIENT, 60, sleep)

    def game_log(self, season: str, season_type: str, first: str = "", last: str = "") -> dict[str, Any]:
        """Box scores of all players in a season, or between two dates (``MM/DD/YYYY``)."""
        from nba_api.stats.endpoints import leaguegamelog

        asked = leaguegamelog.LeagueGameLog(
            player_or_team_abbreviation="P", season=season, season_type_all_star=season_type,
            date_from_nullable=first, date_to_nullable=last, get_request=False,
        )  # fmt: skip
        return self._get("leaguegamelog", asked.parameters, "resultSets")

    def schedule(self, season: str, *, site: bool = True) -> dict[str, Any]:
        """A season's schedule; the CDN's copy of the running one if the site does not answer, or ``site`` is False."""
        from nba_api.stats.endpoints import scheduleleaguev2

        asked = scheduleleaguev2.ScheduleLeagueV2(season=season, get_request=False)
        try:
            if not site:
                raise StatsApiError("NO_ANSWER", "the site did not answer a moment ago")
            return self._get("scheduleleaguev2", asked.parameters, "leagueSchedule")
        except StatsApiError as error:
            if not self._cdn_schedule:
                raise
            try:
                content = self._cdn(self._cdn_schedule)
            except StatsApiError as other:
                if other.code == UNREACHABLE:
                    raise error from None
                both = StatsApiError(other.code, f"{other.detail}; before, {error}", other.status)
                both.first = error
                raise both from None
            if content["leagueSchedule"].get("seasonYear") != season:
                raise
            return content

    def roster(self, season: str) -> dict[str, Any]:
        """Who belongs to which team now."""
        from nba_api.stats.endpoints import commonallplayers

        asked = commonallplayers.CommonAllPlayers(is_only_current_season=1, season=season, get_request=False)
        return self._get("commonallplayers", asked.parameters, "resultSets")

    def scoring(self, game_id: str) -> dict[str, Any]:
        """Where a game's points came from, by player."""
        from nba_api.stats.endpoints import boxscorescoringv3

        asked = boxscorescoringv3.BoxScoreScoringV3(game_id=game_id, get_request=False)
        return self._get("boxscorescoringv3", asked.parameters, "boxScoreScoring")

    def _get(self, endpoint: str, parameters: Mapping[str, Any], holds: str) -> dict[str, Any]:
        found: dict[str, Any] = self._retry(self._once, endpoint, parameters, holds)
        return found

    def _once(self, endpoint: str, parameters: Mapping[str, Any], holds: str) -> dict[str, Any]:
        if self._asked:
            self._sleep(PAUSE)
        self._asked = True
        # the site has answered only requests with sorted parameters
        answer = self._http.get(
            self._base_url.replace("{endpoint}", endpoint),
            endpoint,
            sorted(parameters.items()),
            self._headers,
            _resolved(self._proxy),
        )
        if answer.status >= 500 or answer.status == 429 or _SITE_FAILED in answer.body:
            raise StatsApiError("SERVER_ERROR", f"status {answer.status} at {endpoint}")
        return self._content(answer, endpoint, holds, "the site blocks many networks, try a proxy")

    def _cdn(self, url: str) -> dict[str, Any]:
        place = "the CDN's schedule"
        return self._content(
            self._http.get(url, place), place, "leagueSchedule", "check its address, NBA_PROPS_CDN_URL"
        )

    def _content(self, answer: Answer, place: str, holds: str, advice: str) -> dict[str, Any]:
        if not answer.ok:
            raise StatsApiError("REFUSED", f"{place} is refused: {advice}", answer.status)
        content = self._http.json(answer, place)
        form = list if holds == "resultSets" else dict
        if not isinstance(content, dict) or not isinstance(content.get(holds), form) or not content[holds]:
            raise StatsApiError("WRONG_SHAPE", f"{place} answered without {holds}")
        return content


def open_api(live: Live) -> StatsApi:
    """A client by the settings; it makes no request yet."""
    return StatsApi(revealed(live.proxy), live.stats_url, live.cdn_url or CDN_SCHEDULE)


def _resolved(proxy: str | None) -> str | None:
    """The proxy of a request, by nba_api's rules; its credentials are redacted from here on.

    Raises:
        StatsApiError: NO_PROXY, when NBA_API_REQUIRE_PROXY demands one and there is none.
    """
    from nba_api.library.proxy import ProxyRequiredError, resolve_proxy

    try:
        found: str | None = resolve_proxy(proxy)
    except ProxyRequiredError as error:
        raise StatsApiError("NO_PROXY", str(error)) from error
    guard_logs(*secrets_of_url(found))
    return found
