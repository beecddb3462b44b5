"""Which games count, which are predicted, and until when: for frames, and as conditions in SQL."""

from __future__ import annotations

import pandas as pd

from nba_props.facts.calendar import COUNTED_SEASON_TYPES, EASTERN
from nba_props.facts.vocabulary import sql_list

_COUNTED = sql_list(COUNTED_SEASON_TYPES)


def is_counted(games: pd.DataFrame) -> pd.Series:
    """Whether each game is of a type that counts: its box scores are history, its quotes are loaded."""
    return games["season_type"].isin(COUNTED_SEASON_TYPES)


def counted_sql(alias: str = "") -> str:
    """``is_counted`` of the rows of a schedule or of box scores."""
    prefix = f"{alias}." if alias else ""
    return f"{prefix}season_type IN ({_COUNTED})"


def counted(games: pd.DataFrame) -> pd.DataFrame:
    """The games that count."""
    return games[is_counted(games)]


def playable(schedule: pd.DataFrame) -> pd.DataFrame:
    """The games that get predictions: they count and are not postponed."""
    games = counted(schedule)
    return games[~games["is_postponed"].astype(bool)]


def playable_sql(alias: str = "") -> str:
    """The condition for the rows of ``nba_raw.schedule`` that ``playable`` keeps."""
    prefix = f"{alias}." if alias else ""
    return f"{counted_sql(alias)} AND NOT {prefix}is_postponed"


#: ``playable_sql`` where the schedule is the only table
PLAYABLE = playable_sql()


def decided(starts: pd.Series) -> pd.Series:
    """Instants at which games start; null at midnight Eastern, by which feeds mean "to be decided"."""
    local = starts.dt.tz_convert(EASTERN)
    return starts.where(local != local.dt.normalize())


def cutoff(tipoff: pd.Series, start: pd.Series) -> pd.Series:
    """The instant before which data must be known: the earlier of the scheduled tip-off and the odds feed's start.

    With the earlier one, a start that was moved never makes an in-play quote look early. If one is unknown, the other
    counts.
    """
    return tipoff.where(tipoff <= start, start).fillna(tipoff)
