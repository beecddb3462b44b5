"""The training frame: features of played games as of before each game, with their results.

The statements, ``features.values`` and ``market_features.values`` are those of serving, for another set of
player-games. Only players who entered the game are in it, because a prop on a player who does not play is void. Their
cut-off is the scheduled tip-off, also where the feed of odds had an earlier start, since most games that are learned
from have no odds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_props.domain import context, features, history, market_features, minutes
from nba_props.domain.models.learner import Recipe
from nba_props.domain.results import counted
from nba_props.facts import calendar, markets
from nba_props.facts.keys import PLAYER_DAY, PLAYER_GAME, PROP
from nba_props.facts.markets import POINTS

Query = Callable[..., pd.DataFrame]

#: columns of a slate that ``context.values`` drops and played games lack
_SLATE_ONLY = ("team_source", "team_null_reason", "tipoff_at", "is_quoted")
#: the quote of each row, where there is one: the chosen one, and the consensus of all books
_QUOTE = ["line", "over_price", "under_price", "consensus_line"]


@dataclass(frozen=True)
class Rows:
    """What models learn from.

    ``players``: a row for each player-game with the columns of ``nba_analytics.player_features`` but ``null_reasons``,
    its ``result`` in points, the line of points (``_QUOTE``), the minutes that were played and what is known of them.
    ``others``: a row for each player-game and other market with the features of the market, ``result`` and line.
    """

    players: pd.DataFrame
    others: pd.DataFrame

    def of(self, recipe: Recipe) -> pd.DataFrame:
        """The rows of a recipe's market, with all its inputs."""
        if recipe.market == POINTS:
            return self.players
        own = self.others[self.others["market"] == recipe.market].drop(columns="market")
        return own.merge(self.players.drop(columns=["result", *_QUOTE]), on=PLAYER_GAME, validate="one_to_one")


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
    asked: Collection[str] = (POINTS,),
) -> Rows:
    """Features of every player-game played in first..last, with its results in some markets.

    Args:
        query: runs a statement of ``domain/history`` in the warehouse.
        lines: gives the stored ``nba_analytics.betting_lines`` of a span.
        first: first date.
        last: last date.
        look_back_days: as in serving.
        max_games: as in serving.
        asked: the markets; points are always among them.
    """
    others = [m.key for m in markets.MARKETS if m.key in asked and m.key != POINTS]
    parts = [
        _part(query, lines(start, end), start, end, look_back_days, max_games, others)
        for start, end in season_chunks(first, last)
    ]
    players = pd.concat([p.players for p in parts], ignore_index=True)
    by_market = pd.concat([p.others for p in parts], ignore_index=True)
    return Rows(players.sort_values(PLAYER_GAME, kind="stable", ignore_index=True), by_market)


def _part(
    query: Query,
    lines: pd.DataFrame,
    first: date,
    last: date,
    look_back_days: int,
    max_games: int,
    others: Collection[str],
) -> Rows:
    span = {"first": first, "last": last}
    asked = history.PLAYED
    played = query(f"SELECT * FROM {asked} AS s", **span)
    past = query(history.historical_games_sql(look_back_days, max_games, asked, described=False), **span)
    season = query(history.season_sql(asked), **span, history_from=calendar.history_start(first, look_back_days))
    form = query(history.team_form_sql(look_back_days, asked), **span)
    slate = played.drop(columns=[*markets.stats(), "minutes_played"]).assign(**dict.fromkeys(_SLATE_ONLY))
    of_points = lines[lines["market"] == POINTS].drop(columns="market")
    known = slate[PLAYER_GAME].merge(of_points, on=PLAYER_GAME, how="left", validate="one_to_one")
    known["has_prop_line"] = known["has_prop_line"].astype("boolean").fillna(False)
    person = context.values(slate, past, season, form, known, query(history.availability_sql(asked), **span))
    built = features.values(
        person,
        past,
        known,
        matchups=query(history.matchup_sql(asked), **span, last_season_from=calendar.last_season_start(first)),
        team_state=query(history.team_state_sql(look_back_days, asked), **span),
        league=query(history.league_form_sql(look_back_days, asked), **span),
        absences=query(history.absence_sql(look_back_days, asked), **span),
        shots=query(history.shot_zones_sql(look_back_days), **span),
    )
    players = (
        built.merge(_results(played, [POINTS]).drop(columns="market"), on=PLAYER_GAME, validate="one_to_one")
        .merge(known[[*PLAYER_GAME, *_QUOTE]], on=PLAYER_GAME, validate="one_to_one")
        .merge(played[[*PLAYER_GAME, "minutes_played"]], on=PLAYER_GAME, validate="one_to_one")
        .merge(person[[*PLAYER_GAME, "minutes_avg_season"]], on=PLAYER_GAME, validate="one_to_one")
        .merge(minutes.of_past(past), on=PLAYER_DAY, how="left", validate="many_to_one")
    )
    if not others:
        return Rows(players, pd.DataFrame(columns=[*PROP, "result", *_QUOTE]))
    rows = _results(played, others)
    behind = market_features.read_past(query, past, first, last, look_back_days, asked)
    rows = pd.concat([rows, market_features.values(rows, person, behind)], axis=1)
    return Rows(players, rows.merge(lines[[*PROP, *_QUOTE]], on=PROP, how="left", validate="one_to_one"))


def _results(played: pd.DataFrame, asked: Collection[str]) -> pd.DataFrame:
    """The ``result`` of every player-game in each of some markets, with the columns of ``PROP``."""
    keys = markets.keys()
    found = counted(played)
    parts = [played[PLAYER_GAME].assign(market=m, result=found[:, keys.index(m)]) for m in asked]
    return pd.concat(parts, ignore_index=True)
