"""Captures of the injury report: the newest one, landed as delivered."""

from __future__ import annotations

from nba_props.facts.calendar import game_date_of
from nba_props.process.clock import Clock
from nba_props.sources.answers import Limits
from nba_props.sources.base import Fetched
from nba_props.sources.http import FetchError, Http, silence
from nba_props.sources.injury_report.client import BASE_URL, report_instants, url_of
from nba_props.sources.injury_report.landed import folder
from nba_props.storage.landing import LandingZone, capture_suffix


def fetch(zone: LandingZone, clock: Clock, base_url: str = BASE_URL, limits: Limits | None = None) -> Fetched:
    """Land the newest report there is, if it has not been landed.

    The site answers 403 for a report that does not exist (yet); then the one before it is requested.
    """
    done, http = Fetched(), Http(limits=limits)
    statuses = []
    for at in report_instants(clock()):
        day = game_date_of(at)
        path = f"{folder(day)}/report{capture_suffix(at)}.pdf"
        if zone.has(path):
            done.present += 1
            return done
        try:
            answer = http.get(url_of(at, base_url))
        except FetchError as error:
            done.failures.append(f"injury report: {error}; what was landed before stays in use")
            done.silent = silence(error)
            return done
        if answer.ok and answer.body.startswith(b"%PDF"):
            done.landed.append(zone.land_bytes(path, answer.body).path)
            return done
        statuses.append("no PDF" if answer.ok else str(answer.status))
    done.failures.append(f"injury report: there is none of the last two hours ({', '.join(dict.fromkeys(statuses))})")
    return done
