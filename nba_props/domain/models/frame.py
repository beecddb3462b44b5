"""The training frame: features of played games as of before each game, with the points scored.

The statements and ``features.build`` are those of serving, for another set of player-games. Only players who entered
the game are in it, because a prop on a player who does not play is void. Their cut-off is the scheduled tip-off, also
where the feed of odds had an earlier start, since most games that are learned from have no odds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd

from nba_props.domain import context, features, history
from nba_props.facts import calendar
from nba_props.facts.keys import PLAYER_GAME

Query = Callable[..., pd.DataFrame]

#: columns of a slate that ``context.build`` drops and played games lack
_SLATE_ONLY = ("team_source", "team_null_reason", "tipoff_at", "is_quoted")


def season_chunks(first: date, last: date) -> list[tuple[date, date]]:
    """The span cut at season boundaries, so that memory does not grow with the span."""
    starts = [date(year, 10, 1) for year in range(first.year, last.year + 1)]
    cuts = [first, *(s for s in starts if first < s <= last)]
    ends = [*(date.fromordinal(c.toordinal() - 1) for c in cuts[1:]), last]
    return list(zip(cuts, ends, strict=True))


def build(
    query: Query,
    lines: Callable[[date, date], pd.DataFrame],
    first: date,
    last: date,
    look_back_days: int,
    max_games: int,
) -> pd.DataFrame:
    """Features of every player-game played in first..last, with its ``points``.

    Args:
        query: runs a statement of ``domain/history`` in the warehouse.
        lines: gives the stored ``nba_analytics.betting_lines`` of a span.
        first: first date.
        last: last date.
        look_back_days: as in serving.
        max_games: as in serving.

    Returns:
        The columns of ``nba_analytics.player_features`` without ``null_reasons``, ``points``, and the chosen ``line``
        with its prices.
    """
    parts = [
        _part(query, lines(start, end), start, end, look_back_days, max_games)
        for start, end in season_chunks(first, last)
    ]
    return pd.concat(parts, ignore_index=True).sort_values(PLAYER_GAME, kind="stable", ignore_index=True)


def _part(
    query: Query, lines: pd.DataFrame, first: date, last: date, look_back_days: int, max_games: int
) -> pd.DataFrame:
    span = {"first": first, "last": last}
    asked = history.PLAYED
    played = query(f"SELECT * FROM {asked} AS s", **span)
    past = query(history.historical_games_sql(look_back_days, max_games, asked), **span)
    season = query(history.season_sql(asked), **span, history_from=calendar.history_start(first, look_back_days))
    form = query(history.team_form_sql(look_back_days, asked), **span)
    points = played[[*PLAYER_GAME, "points"]]
    slate = played.drop(columns="points").assign(**dict.fromkeys(_SLATE_ONLY))
    known = slate[PLAYER_GAME].merge(lines, on=PLAYER_GAME, how="left", validate="one_to_one")
    known["has_prop_line"] = known["has_prop_line"].astype("boolean").fillna(False)
    built = features.build(
        context.build(slate, past, season, form, known, query(history.availability_sql(asked), **span)),
        past,
        known,
        matchups=query(history.matchup_sql(asked), **span, last_season_from=calendar.last_season_start(first)),
        team_state=query(history.team_state_sql(look_back_days, asked), **span),
        league=query(history.league_form_sql(look_back_days, asked), **span),
        absences=query(history.absence_sql(look_back_days, asked), **span),
        shots=query(history.shot_zones_sql(look_back_days), **span),
    )
    quoted = known[[*PLAYER_GAME, "line", "over_price", "under_price"]]
    return (
        built.drop(columns="null_reasons")
        .merge(points, on=PLAYER_GAME, validate="one_to_one")
        .merge(quoted, on=PLAYER_GAME, validate="one_to_one")
    )
