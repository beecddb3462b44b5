"""The dates, other than its own, that a partition is made from: for each table, spans of dates of other tables.

Belongs here: which dates. Not here: their digests, and whether a partition is stale (``assets/inputs.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from nba_props.deployment import in_shadow
from nba_props.domain.distributions.shapes import month_of
from nba_props.domain.history import LONGEST_REST
from nba_props.domain.models.card import training_start, week_of
from nba_props.domain.systems import SYSTEMS, market_anchored
from nba_props.facts.calendar import history_start, identity_start, last_season_start, season_start
from nba_props.schemas import Table, analytics, monitoring, predictions, raw, reference
from nba_props.schemas.distributions import DEPENDENCE, DISTRIBUTION_SCORES, SHAPES
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES
from nba_props.settings import Settings


@dataclass(frozen=True)
class Window:
    """Dates of a table that a partition is made from: from ``start`` through the day before its own, or its own."""

    table: Table
    start: Callable[[date, Settings], date]
    #: whether the partition's own date is in the window
    own: bool = False
    #: the date before which it ends, if that is not the partition's
    before: Callable[[date], date] = lambda day: day
    #: whether the table's rows of the partition's date are an input besides
    beside: bool = False

    def days(self, day: date, settings: Settings) -> tuple[date, date]:
        """The first and the last date of the window of a partition."""
        return self.start(day, settings), day if self.own else self.before(day) - timedelta(1)


def _identity(day: date, settings: Settings) -> date:
    return identity_start(day)


def _met(day: date, settings: Settings) -> date:
    """Games against an opponent count from the start of last season."""
    return min(last_season_start(day), _history(day, settings))


def _history(day: date, settings: Settings) -> date:
    return history_start(day, settings.look_back_days)


def _long_history(day: date, settings: Settings) -> date:
    return history_start(day, settings.look_back_days) - timedelta(LONGEST_REST)


def _season(day: date, settings: Settings) -> date:
    return season_start(day)


def _shaped_from(day: date, settings: Settings) -> date:
    """Shapes are of as many seasons as models."""
    return max(training_start(month_of(day), settings.training_seasons), settings.first_date)


_OF_SHAPES = tuple(
    Window(t, _shaped_from, before=month_of) for t in (analytics.CONSENSUS, raw.BOX_SCORES, raw.SCHEDULE)
)


def _frozen(day: date, settings: Settings) -> date:
    return min(in_shadow(settings).values())


def _ever(day: date, settings: Settings) -> date:
    return settings.first_date


_PAST_FORM = (Window(raw.BOX_SCORES, _long_history),)
#: tables that are made from other dates than their own, by address
WINDOWS: Mapping[str, tuple[Window, ...]] = {
    reference.PLAYERS.address: (Window(raw.BOX_SCORES, _identity), Window(raw.ROSTERS, _identity, own=True)),
    analytics.HISTORICAL_GAMES.address: (Window(raw.BOX_SCORES, _history),),
    analytics.CONTEXT.address: (Window(raw.BOX_SCORES, _history),),
    PLAYER_FEATURES.address: (Window(raw.BOX_SCORES, _met), Window(raw.SCORING_SHARES, _history)),
    MARKET_FEATURES.address: (Window(raw.BOX_SCORES, _history),),
    SHAPES.address: _OF_SHAPES,
    DEPENDENCE.address: _OF_SHAPES,
    **{s.table.address: _PAST_FORM for s in SYSTEMS if s.needs().uses_past},
    market_anchored.SYSTEM.table.address: (
        *(
            Window(t, _ever, before=week_of, beside=True)
            for t in (*(s.table for s in market_anchored.SYSTEM.needs().systems), analytics.CONSENSUS)
        ),
        Window(raw.BOX_SCORES, _ever),
    ),
    monitoring.PROMOTIONS.address: (Window(predictions.EVIDENCE, _frozen, before=week_of),),
    monitoring.SCOREBOARD.address: (Window(predictions.PREDICTION_ACCURACY, _season, own=True),),
    monitoring.MARKET_SCORES.address: (
        Window(predictions.QUOTE_SCORES, _season, own=True),
        Window(predictions.CLOSING_LINE_VALUE, _season, own=True),
        Window(DISTRIBUTION_SCORES, _season, own=True),
    ),
}


def _trained_on(day: date, settings: Settings) -> date:
    return day


#: the training data of a model: ``start`` is for the first date that it is trained on, and the end is its week
LEARNED = (
    Window(raw.SCHEDULE, _trained_on),
    Window(raw.BOX_SCORES, _met),
    Window(raw.SCORING_SHARES, _history),
    Window(raw.INJURY_REPORTS, _trained_on),
    Window(analytics.BETTING_LINES, _trained_on),
)


def learned_from(week: date, settings: Settings) -> date:
    """The first date whose box scores a week's model learns from."""
    return _met(training_start(week, settings.training_seasons), settings)
