"""Freshness of payloads, odds, tables and models, by the clock: a run that never started has no checks to fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from nba_props.domain import quality
from nba_props.domain.finding import Finding, Severity
from nba_props.domain.games import PLAYABLE
from nba_props.domain.models.card import week_of
from nba_props.domain.models.learner import model_id
from nba_props.domain.systems import recipes_of
from nba_props.facts.calendar import EASTERN, game_date_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.tipoffs import Tipoffs
from nba_props.schemas import Table
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.sources.base import EXPECTED_FROM, Feed, Moment, Odds
from nba_props.sources.nba_stats.games import game_days
from nba_props.storage.landing import LandingError, LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import Warehouse

#: the daily schedule makes the slate at nine
SLATE_EXPECTED_BY = time(9, 30)
#: the results of last night are due at nine
GRADES_EXPECTED_BY = time(9, 30)
MODELS_EXPECTED_BY = time(12)

#: findings warn: the cause of a missing partition (no odds, a failed run) has an alert of its own
_warning = partial(Finding, severity=Severity.WARN)


def tipoffs(warehouse: Warehouse, first: date, last: date) -> dict[date, Tipoffs]:
    """The tip-offs of the playable games of each date that has any, from the stored schedule."""
    rows = warehouse.query(
        "SELECT game_date, tipoff_at FROM nba_raw.schedule "
        f"WHERE game_date BETWEEN @first AND @last AND {PLAYABLE} ORDER BY game_date, tipoff_at",
        first=first,
        last=last,
    )
    return {
        at.date(): Tipoffs(
            at.date(), tuple(t.to_pydatetime() for t in games.dropna()), undecided=int(games.isna().sum())
        )
        for at, games in rows.groupby("game_date")["tipoff_at"]
    }


def feeds_freshness(settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime) -> dict[str, Finding]:
    """The freshness of every feed, by its name; a feed that is off passes."""
    today = game_date_of(now)
    yesterday = today - timedelta(1)
    starts = tipoffs(warehouse, yesterday, today)
    tonight, last_night = starts.get(today, Tipoffs(today)), starts.get(yesterday, Tipoffs(yesterday))
    moment = Moment(settings.live, zone, tonight, last_night, now)
    return {
        feed.name: feed.freshness(moment)
        if feed.switch.is_on(settings.live)
        else Finding(True, f"{feed.switch.off}: nothing is expected", nothing=True)
        for feed in registry.feeds()
    }


def tonights_odds(
    settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime, feed: Feed, odds: Odds
) -> Finding:
    """Whether odds of today's games are landed: expected from 10:20 Eastern, an error an hour before the first tip-off.

    It is a finding of the clock, because without odds no run has checks that could fail.
    """
    day = game_date_of(now)
    if not feed.switch.is_on(settings.live) and not odds.landed_days(zone):
        return _warning(True, f"{feed.switch.off} and no odds were ever landed: none are expected")
    early = now.astimezone(EASTERN).time() < EXPECTED_FROM
    if day not in warehouse.partitions(SCHEDULE):
        text = f"the schedule of {day} is not loaded, so it is unknown whether there are games"
        return _warning(early, f"{text}: materialize nba_raw/schedule for it")
    tonight = tipoffs(warehouse, day, day).get(day)
    if tonight is None:
        return _warning(True, f"no games on {day}")
    captures = sum(len(zone.names(folder)) for folder in odds.folders(day))
    if captures:
        return _warning(True, f"{captures} captures of the {tonight.games} games of {day} are landed")
    if not tonight.any_to_begin(now):
        return _warning(True, f"all games of {day} have begun without odds")
    overdue = quality.odds_are_overdue(min(tonight.latest), now)
    if early and not overdue:
        return _warning(True, f"odds of {day} are expected from {EXPECTED_FROM:%H:%M} Eastern on")
    first = (
        f"the first at {tonight.known[0].astimezone(EASTERN):%H:%M} Eastern"
        if tonight.known
        else "all tip-offs to be decided"
    )
    text = f"NO ODDS: {tonight.games} games on {day}, {first}, and no capture was landed"
    text += f": nba-props fetch {feed.command.name}"
    return Finding(False, text) if overdue else _warning(False, text)


@dataclass(frozen=True)
class Output:
    """A table that must have rows by a time of day, Eastern: of today, or of the date so many days ``back``."""

    table: Table
    by: time
    back: int = 0


#: the tables of each day, and when they are due. Dagster's own freshness policies do not consider partitions: an old
#: date that is materialized again would make them pass
OUTPUTS = (
    Output(SLATE, SLATE_EXPECTED_BY),
    Output(BETTING_LINES, SLATE_EXPECTED_BY),
    Output(LEDGER, SLATE_EXPECTED_BY),
    Output(PREDICTION_ACCURACY, GRADES_EXPECTED_BY, back=1),
)


def _follows_the_clock(settings: Settings, zone: LandingZone) -> bool:
    """Whether new dates are expected at all: not in a simulated league, and not while every feed is off."""
    return not zone.is_simulated and any(feed.switch.is_on(settings.live) for feed in registry.feeds())


_NO_CLOCK = _warning(True, "no feed is on, or the league is simulated: today is not expected", nothing=True)


def output_freshness(
    settings: Settings, zone: LandingZone, warehouse: Warehouse, output: Output, now: datetime
) -> Finding:
    """Whether a table has its date: today if games are scheduled, or last night if rows were published."""
    if not _follows_the_clock(settings, zone):
        return _NO_CLOCK
    day = game_date_of(now) - timedelta(output.back)
    if now.astimezone(EASTERN).time() < output.by:
        return _warning(True, f"{day} is expected by {output.by:%H:%M} Eastern", nothing=True)
    if output.table is PREDICTION_ACCURACY:
        if not warehouse.row_counts(LEDGER, [day]).get(day):
            return _warning(True, f"nothing was published on {day}, so there is nothing to grade", nothing=True)
    elif day not in warehouse.partitions(SCHEDULE):
        return _warning(False, f"the schedule of {day} is not loaded: materialize nba_raw/schedule for it")
    elif day not in tipoffs(warehouse, day, day):
        return _warning(True, f"no games on {day}", nothing=True)
    rows = warehouse.row_counts(output.table, [day]).get(day)
    if rows:
        return _warning(True, f"{day} has {rows} rows")
    return _warning(False, f"{day} has {'no rows' if rows == 0 else 'not been materialized'}: nba-props run {day}")


def model_freshness(
    settings: Settings, zone: LandingZone, models: ModelStore, system_id: str, now: datetime
) -> Finding:
    """Whether the current week's model was trained, or refused for a reason, by Monday noon, Eastern."""
    if not _follows_the_clock(settings, zone):
        return _NO_CLOCK
    today = game_date_of(now)
    week = week_of(today)
    if today == week and now.astimezone(EASTERN).time() < MODELS_EXPECTED_BY:
        return _warning(True, f"the model of {week} is expected by Monday noon Eastern", nothing=True)
    try:
        busy = game_days(zone, dates_between(week, week + timedelta(6)))
    except LandingError as error:
        return _warning(False, str(error))
    if not busy:
        return _warning(True, f"no game is scheduled in the week of {week}", nothing=True)
    names = [model_id(r) for r in recipes_of([system_id], settings.markets)]
    if missing := [name for name in names if models.made_from(name, week) is None]:
        of = f" of {', '.join(missing)}" if len(names) > 1 else ""
        return _warning(False, f"the week of {week} has no model{of}: nba-props train {today}")
    refused = {name: why for name in names if (why := models.refusal(name, week).get("reason"))}
    text = f"the model{'s' if len(names) > 1 else ''} of {week} {'were' if len(names) > 1 else 'was'} trained"
    if refused:
        text += " and is not in force: " + "; ".join(
            why if name == system_id else f"{name} {why}" for name, why in refused.items()
        )
    return _warning(True, text)


def expected_dates(now: datetime) -> list[date]:
    """The week's dates whose outputs must be complete by now, oldest first."""
    today = game_date_of(now)
    return [today - timedelta(n) for n in range(7, 0, -1)]
