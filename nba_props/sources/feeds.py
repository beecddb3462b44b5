"""The live feeds of a deployment, by its settings: one place that knows which client fetches what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from nba_props.facts.calendar import season_of
from nba_props.settings import Live, SettingsError
from nba_props.storage.landing import LandingZone

if TYPE_CHECKING:
    from nba_props.sources.nba_stats.client import StatsApi
    from nba_props.sources.odds_api.capture import Fetched
    from nba_props.sources.odds_api.client import OddsApi

NO_KEY = "ODDS_API_KEY is not set: get a key of The Odds API and set it"
STATS_OFF = "NBA_PROPS_STATS is off: set it to on to ask stats.nba.com and the injury report"


@dataclass(frozen=True)
class Feeds:
    """Requests in, landed payloads out.

    Args:
        live: which feeds are on, and where they are.
        zone: where payloads are landed.
        clock: the time.
    """

    live: Live
    zone: LandingZone
    clock: Callable[[], datetime]

    def require_real(self) -> None:
        """Raise :class:`SettingsError` where payloads would be landed beside those of a simulated league."""
        if self.zone.exists() and self.zone.is_simulated:
            raise SettingsError(
                f"the landing zone {self.zone.root} holds a simulated league, and nothing real is landed beside it: "
                "`nba-props start` names the line that gives real data a home of its own"
            )

    def odds_api(self) -> OddsApi:
        """The client of The Odds API.

        Raises:
            SettingsError: there is no key.
        """
        from nba_props.sources.odds_api.client import BASE_URL, Budget, OddsApi

        if not self.live.odds_key:
            raise SettingsError(NO_KEY)
        return OddsApi(self.live.odds_key, Budget(self.live.odds_reserve), self.live.odds_url or BASE_URL)

    def odds(self, day: date, tipoff: datetime | None = None, since: datetime | None = None) -> Fetched:
        """Capture the odds of a date's games that have not begun, or of those of one tip-off.

        What was captured at ``since`` or later is not bought again.
        """
        from nba_props.sources.odds_api import capture

        self.require_real()
        return capture.odds(self.odds_api(), self.zone, day, self.clock, tipoff, self.live.odds_regions, since)

    def odds_history(self, days: Iterable[date], minutes_before: Sequence[int]) -> Fetched:
        """Buy past dates' odds from the archive, as far as they are not landed; stops where the budget does.

        A date whose list of games can't be had is noted and costs the others nothing.

        Raises:
            OddsApiError: the account may not ask, and nothing was landed.
        """
        from nba_props.sources.http import UNREACHABLE
        from nba_props.sources.odds_api import capture
        from nba_props.sources.odds_api.client import BudgetExhausted, OddsApiError

        self.require_real()
        api, total, left = self.odds_api(), capture.Fetched(), list(days)
        while left:
            day = left.pop(0)
            try:
                total.add(capture.history(api, self.zone, day, minutes_before, self.live.odds_regions))
            except OddsApiError as error:
                may_not_ask = error.status in (401, 403)
                if may_not_ask and not total.landed:
                    raise
                total.failures.append(f"{day}: {error}")
                total.exhausted |= isinstance(error, BudgetExhausted)
                total.silent = UNREACHABLE if error.code == UNREACHABLE else ""
                if may_not_ask:
                    break
            if total.exhausted or total.silent:
                break
        if total.silent and left:
            total.failures.append(f"{len(left)} more dates were not asked for, since the host can't be reached")
        return total

    def stats_api(self) -> StatsApi:
        """The client of stats.nba.com.

        Raises:
            SettingsError: it is switched off.
        """
        from nba_props.sources.nba_stats.client import CDN_SCHEDULE, StatsApi

        if not self.live.stats:
            raise SettingsError(STATS_OFF)
        return StatsApi(self.live.proxy, self.live.stats_url, self.live.cdn_url or CDN_SCHEDULE)

    def stats(self, days: Sequence[date], played: Iterable[date] = (), *, shot_zones: bool = True) -> Fetched:
        """Land schedule and box scores of some dates and today's roster; shot zones are a request for each game."""
        from nba_props.sources.nba_stats import capture as stats_fetch

        self.require_real()
        api = self.stats_api()
        seasons = sorted({season_of(d) for d in days})
        total = stats_fetch.box_scores(api, self.zone, days, self.clock, set(played))
        if total.silent:
            # the schedule of the running season has a second place
            total.add(stats_fetch.schedule(api, self.zone, seasons[-1], self.clock, site=False))
            rest = [*(f"schedule {s}" for s in seasons[:-1]), "rosters", *(["shot zones"] if shot_zones else [])]
            total.failures += [f"{what}: {stats_fetch.NOT_ASKED}" for what in rest]
            return total
        for season in seasons:
            total.add(stats_fetch.schedule(api, self.zone, season, self.clock))
        total.add(stats_fetch.roster(api, self.zone, seasons[-1], self.clock))
        if shot_zones and not total.silent:
            total.add(stats_fetch.shot_zones(api, self.zone, days, self.clock))
        return total

    def injuries(self) -> Fetched:
        """Land the newest injury report."""
        from nba_props.sources.injury_report.parse import BASE_URL, fetch

        if not self.live.stats:
            raise SettingsError(STATS_OFF)
        self.require_real()
        return fetch(self.zone, self.clock, self.live.injury_url or BASE_URL)
