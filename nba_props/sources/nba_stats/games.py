"""Dates by the landed schedule: which have games, which of those are over and have no game log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from nba_props.domain.games import playable
from nba_props.facts.calendar import FINAL, game_date_of, season_of, season_start
from nba_props.facts.calendar import days as dates_between
from nba_props.sources.base import Games
from nba_props.sources.nba_stats.landed import SCHEDULE_FOLDER, landed_box_score_days, scoring_folder
from nba_props.sources.nba_stats.schedule import read_schedule
from nba_props.storage.landing import LandingError, LandingZone, Payload

if TYPE_CHECKING:
    import pandas as pd


def has_schedule(zone: LandingZone, season: str) -> bool:
    """Whether a schedule of a season is landed."""
    return zone.exists() and any(p.subject == season for p in zone.list(SCHEDULE_FOLDER))


def landed_games(zone: LandingZone, days: Sequence[date]) -> pd.DataFrame | None:
    """The games of some dates that are predicted; None without a schedule."""
    try:
        return playable(read_schedule(zone, days).frame) if zone.exists() else None
    except LandingError:
        return None


def game_days(zone: LandingZone, days: Sequence[date]) -> list[date]:
    """The dates that have games.

    Raises:
        LandingError: a season of the dates has no schedule.
    """
    schedule = read_schedule(zone, days).frame
    busy = {d.date() for d in playable(schedule)["game_date"].astype("datetime64[ns]")} if len(schedule) else set()
    return [d for d in days if d in busy]


def games_of(zone: LandingZone, now: datetime) -> Games | None:
    """The games of the date of an instant, by the schedule; None without one."""
    today = game_date_of(now)
    games = landed_games(zone, dates_between(today, season_start(today) + timedelta(364)))
    if games is None:
        return None
    tonight = games[[d.date() == today for d in games["game_date"]]]
    later = [d.date() for d in games["game_date"] if d.date() > today]
    begun = sum(at.to_pydatetime() <= now for at in tonight["tipoff_at"].dropna()) if len(tonight) else 0
    return Games(len(tonight), len(tonight) - begun, min(later, default=None))


def unlanded(zone: LandingZone, first: date, today: date) -> list[date] | None:
    """The dates of a season that begins on ``first`` with final games and no game log; None without a schedule."""
    days = dates_between(first, min(today - timedelta(1), first + timedelta(364)))
    games = landed_games(zone, days or [first])
    if games is None:
        return None
    played = {d.date() for d in games.loc[games["status"] == FINAL, "game_date"]} if len(games) else set()
    return sorted(played - set(landed_box_score_days(zone, first, today))) if days else []


def without_zones(zone: LandingZone, first: date, today: date) -> tuple[int, bool]:
    """How many played games of a season lack shot zones, and whether that is unknown without a schedule."""
    games = landed_games(zone, dates_between(first, today))
    if games is None:
        return 0, True
    played = games.loc[games["status"] == FINAL, "game_id"] if len(games) else []
    landed = {Payload(n).subject[11:] for n in zone.names(scoring_folder(season_of(first)))}
    return len(set(played) - landed), False
