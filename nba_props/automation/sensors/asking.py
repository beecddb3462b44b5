"""Helpers of sensors and schedules: cursors, run requests over spans, and whether dates have games."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.automation.ranges import partition_key, range_tags
from nba_props.domain.models.card import week_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import parse_instant
from nba_props.facts.digest import digest
from nba_props.storage.landing import LandingError

#: the run queue takes the higher number first
TONIGHT_FIRST, AFTER_TONIGHT = {"dagster/priority": "10"}, {"dagster/priority": "-1"}


def fingerprint(names: list[str]) -> str:
    """A hash of the names of payloads; payloads are never changed, so a new one has a new name."""
    return digest("\n".join(names), 8)


def marks_of(cursor: str | None) -> dict[str, str]:
    """The cursor's marks by date; empty if it is unreadable, as run keys prevent repeated runs."""
    try:
        found = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def instant_of(cursor: str | None) -> datetime | None:
    """The instant in a cursor; None without one, and for one that was made unreadable in the UI."""
    try:
        return parse_instant(cursor) if cursor else None
    except ValueError:
        return None


def days_off(inputs: Inputs, days: Sequence[date]) -> list[date] | None:
    """The dates without games; None if there is no schedule."""
    try:
        busy = inputs.game_days(days) if days else []
    except LandingError:
        return None
    return [d for d in days if d not in busy]


def has_games(inputs: Inputs, days: Sequence[date]) -> bool:
    """Whether a game is scheduled on one of the dates; True without a schedule."""
    off = days_off(inputs, days)
    return off is None or len(off) < len(days)


def week_dates(day: date) -> list[date]:
    """The dates of a date's week, from Monday on."""
    return dates_between(week_of(day), week_of(day) + timedelta(6))


def run_over(
    job: str, first: date, last: date, cause: str, tags: Mapping[str, str], only: Sequence[dg.AssetKey] | None = None
) -> dg.RunRequest:
    """A request of one run over a span, or of one date; of all assets of the job or ``only`` of some."""
    return dg.RunRequest(
        asset_selection=only,
        run_key=f"{cause}:{job}:{first}..{last}",
        job_name=job,
        partition_key=partition_key(first, last),
        tags={**tags, **range_tags(first, last)},
    )
