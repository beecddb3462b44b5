"""Where the league publishes its injury report, and when."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from nba_props.facts.calendar import EASTERN, game_date_of

BASE_URL = "https://ak-static.cms.nba.com/referee/injury"
#: from this date on the file's name has minutes, and there is a report every quarter of an hour
_MINUTES_SINCE = date(2025, 12, 23)
_BACK = timedelta(hours=2)


def report_instants(now: datetime) -> list[datetime]:
    """The instants of the last two hours at which a report may have been published, newest first."""
    step = timedelta(minutes=15) if game_date_of(now) >= _MINUTES_SINCE else timedelta(minutes=60)
    local = now.astimezone(EASTERN)
    hourly = step == timedelta(hours=1)  # then it is as of the half hour
    newest = local.replace(minute=30 if hourly else local.minute // 15 * 15, second=0, microsecond=0)
    if newest > local:
        newest -= step
    return [newest - n * step for n in range(int(_BACK / step) + 1)]


def url_of(at: datetime, base_url: str = BASE_URL) -> str:
    """Where the report of an instant is."""
    local = at.astimezone(EASTERN)
    clock = f"{local:%I_%M%p}" if local.date() >= _MINUTES_SINCE else f"{local:%I%p}"
    return f"{base_url}/Injury-Report_{local:%Y-%m-%d}_{clock}.pdf"
