"""What a partition reads of other dates than its own: by table, the span of dates of another table.

Belongs here: which dates. Does not: what their digests are, and whether a partition is stale (``assets/inputs.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from nba_props.domain.history import LONGEST_REST
from nba_props.domain.models.card import training_start
from nba_props.domain.systems import SYSTEMS
from nba_props.facts.calendar import history_start, identity_start, last_season_start, season_start
from nba_props.schemas import Table, analytics, monitoring, predictions, raw, reference
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.settings import Settings


@dataclass(frozen=True)
class Window:
    """Dates that a partition's rows are made from: from ``start`` through the day before its own, or its own."""

    table: Table
    start: Callable[[date, Settings], date]
    #: the partition's own date belongs to it as well
    own: bool = False

    def days(self, day: date, settings: Settings) -> tuple[date, date]:
        return self.start(day, settings), day if self.own else day - timedelta(1)


def _identity(day: date, settings: Settings) -> date:
    return identity_start(day)


def _met(day: date, settings: Settings) -> date:
    """Games against an opponent count from last season on."""
    return min(last_season_start(day), _history(day, settings))


def _history(day: date, settings: Settings) -> date:
    return history_start(day, settings.look_back_days)


def _long_history(day: date, settings: Settings) -> date:
    return history_start(day, settings.look_back_days) - timedelta(LONGEST_REST)


def _season(day: date, settings: Settings) -> date:
    return season_start(day)


_PAST_FORM = (Window(raw.BOX_SCORES, _long_history),)
#: tables that read more than their own date of another
WINDOWS: Mapping[str, tuple[Window, ...]] = {
    reference.PLAYERS.address: (Window(raw.BOX_SCORES, _identity), Window(raw.ROSTERS, _identity, own=True)),
    analytics.HISTORICAL_GAMES.address: (Window(raw.BOX_SCORES, _history),),
    analytics.CONTEXT.address: (Window(raw.BOX_SCORES, _history),),
    PLAYER_FEATURES.address: (Window(raw.BOX_SCORES, _met), Window(raw.SCORING_SHARES, _history)),
    **{s.table.address: _PAST_FORM for s in SYSTEMS if s.needs().uses_past},
    monitoring.SCOREBOARD.address: (Window(predictions.PREDICTION_ACCURACY, _season, own=True),),
}


def _trained_on(day: date, settings: Settings) -> date:
    return day


#: what a model learns from, by where it is read from for the first date that it is trained on, and up to its week
LEARNED = (
    Window(raw.SCHEDULE, _trained_on),
    Window(raw.BOX_SCORES, _met),
    Window(raw.SCORING_SHARES, _history),
    Window(raw.INJURY_REPORTS, _trained_on),
    Window(analytics.BETTING_LINES, _trained_on),
)


def learned_from(week: date, settings: Settings) -> date:
    """First date whose box scores a week's model learns from."""
    return _met(training_start(week, settings.training_seasons), settings)
