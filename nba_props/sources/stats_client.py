"""A client of stats.nba.com through ``nba_api``: a season or a day in one call, landed before it is parsed.

The failure shapes are the site's own (reference 5.2): it drops connections from data centres, answers with a page
instead of JSON, and sometimes with status 200 and an empty row set. The first two are tried again; the third is a
failure of the caller's who asked for dates on which games were played.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
import tenacity

from nba_props.sources.landing import FetchError

#: seconds between two requests of one client
PAUSE = 1.0
_TIMEOUT = 60
_ATTEMPTS = 4
#: the schedule of the running season where the statistics site does not answer
CDN_SCHEDULE = "https://cdn.nba.com/static/json/staticData/scheduleLeagueV2_1.json"


class StatsApiError(FetchError):
    """The site refused or could not answer; ``code`` says how."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class StatsApi:
    """Requests to stats.nba.com, one after the other with a pause.

    Args:
        proxy: a proxy's URL; None takes ``NBA_API_PROXY``. Never shown.
        base_url: another server, for tests: ``http://host/stats/{endpoint}``.
        cdn_schedule: where the schedule is when the site is not; None asks nowhere else.
        sleep: waits between requests and attempts.
    """

    def __init__(
        self,
        proxy: str | None = None,
        base_url: str | None = None,
        cdn_schedule: str | None = CDN_SCHEDULE,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = _TIMEOUT,
    ) -> None:
        from nba_api.stats.library.http import NBAStatsHTTP

        self._http = NBAStatsHTTP()
        if base_url:
            self._http.base_url = base_url
        self._proxy = proxy
        self._cdn_schedule = cdn_schedule
        self._sleep = sleep
        self._timeout = timeout
        self._asked = False
        self._retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, StatsApiError) and e.code in ("NO_ANSWER", "NOT_JSON", "SERVER_ERROR")
            ),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(multiplier=2, max=60),
            sleep=sleep,
            reraise=True,
        )

    def game_log(self, season: str, season_type: str, first: str = "", last: str = "") -> dict[str, Any]:
        """Box scores of all players in a season, or between two dates (``MM/DD/YYYY``)."""
        from nba_api.stats.endpoints import leaguegamelog

        asked = leaguegamelog.LeagueGameLog(
            player_or_team_abbreviation="P", season=season, season_type_all_star=season_type,
            date_from_nullable=first, date_to_nullable=last, get_request=False,
        )  # fmt: skip
        return self._get("leaguegamelog", asked.parameters, "resultSets")

    def schedule(self, season: str) -> dict[str, Any]:
        """The schedule of a season; the CDN's copy of the running one where the site does not answer."""
        from nba_api.stats.endpoints import scheduleleaguev2

        asked = scheduleleaguev2.ScheduleLeagueV2(season=season, get_request=False)
        try:
            return self._get("scheduleleaguev2", asked.parameters, "leagueSchedule")
        except StatsApiError:
            if not self._cdn_schedule:
                raise
            content = self._cdn(self._cdn_schedule)
            found = (content.get("leagueSchedule") or {}).get("seasonYear")
            if found != season:
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
        return self._retry(self._once, endpoint, parameters, holds)

    def _once(self, endpoint: str, parameters: Mapping[str, Any], holds: str) -> dict[str, Any]:
        if self._asked:
            self._sleep(PAUSE)
        self._asked = True
        try:
            answer = self._http.send_api_request(
                endpoint=endpoint, parameters=parameters, proxy=self._proxy, timeout=self._timeout
            )
        except requests.RequestException as error:  # its text may name the proxy
            raise StatsApiError("NO_ANSWER", f"{type(error).__name__} at {endpoint}") from None
        status = answer._status_code
        if status >= 500 or status == 429:
            raise StatsApiError("SERVER_ERROR", f"status {status} at {endpoint}")
        if status != requests.codes.ok:
            raise StatsApiError("REFUSED", f"status {status} at {endpoint}: the site blocks many networks, try a proxy")
        return _content(answer.get_response(), endpoint, holds)

    def _cdn(self, url: str) -> dict[str, Any]:
        try:
            answer = self._http.get_session().get(url, timeout=self._timeout)
        except requests.RequestException as error:
            raise StatsApiError("NO_ANSWER", f"{type(error).__name__} at the CDN's schedule") from None
        if answer.status_code != requests.codes.ok:
            raise StatsApiError("REFUSED", f"status {answer.status_code} at the CDN's schedule")
        return _content(answer.text, "the CDN's schedule", "leagueSchedule")


def _content(text: str, place: str, holds: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        raise StatsApiError("NOT_JSON", f"{place} answered {text[:40]!r}") from None
    if not isinstance(content, dict) or not content.get(holds):
        raise StatsApiError("WRONG_SHAPE", f"{place} answered without {holds}")
    return content
