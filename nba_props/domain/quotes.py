"""Quotes matched with the schedule: which game an event is, when it begins, and which quotes are in-play."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.games import cutoff, decided, is_counted
from nba_props.domain.names import team_key
from nba_props.facts.keys import GAME


def match_games(parsed: pd.DataFrame, schedule: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quotes of scheduled games, in the columns of ``nba_raw.odds_quotes``, and quotes of games in no schedule.

    Those of games that are not predicted, such as pre-season ones, are in neither.

    An event is the game of its two teams on its date; its cut-off is ``games.cutoff``. A start at midnight Eastern
    means "to be decided", in the feed as in the schedule: the start is then that of another capture or the schedule;
    where none has it, midnight is the cut-off, so that only quotes of the days before count.

    A postponed game keeps its quotes, since earlier predictions are judged by them; it is on no slate, so it gets no
    new ones.

    Args:
        parsed: rows of ``sources.odds_api``; identical captures may repeat.
        schedule: rows of ``nba_raw.schedule`` for the same dates, and of games that have left one of them since.
    """
    quotes = parsed.drop_duplicates("quote_id")
    teams = {n: team_key(n) for n in pd.unique(quotes[["home_team_name", "away_team_name"]].to_numpy().ravel())}
    quotes = quotes.assign(home=quotes["home_team_name"].map(teams), away=quotes["away_team_name"].map(teams))
    # of two games of the same teams the one that is not postponed
    on = schedule.sort_values("is_postponed", kind="stable")
    games = on[[*GAME, "tipoff_at"]].assign(
        home=[team_key(n) for n in on["home_team_name"]],
        away=[team_key(n) for n in on["away_team_name"]],
        is_predicted=is_counted(on),
    )
    swapped = games.rename(columns={"home": "away", "away": "home"})  # neutral sites may be listed either way
    both = pd.concat([games, swapped], ignore_index=True).drop_duplicates(["game_date", "home", "away"])
    out = quotes.merge(both, on=["game_date", "home", "away"], how="left", validate="many_to_one")
    predicted = out["is_predicted"].astype("boolean").fillna(False).astype(bool)
    unknown = out[out["game_id"].isna()]
    out = out[predicted].drop(columns=["home", "away", "home_team_name", "away_team_name", "is_predicted"])
    out = out.assign(**{c: _instants(out[c]) for c in ("commence_at", "tipoff_at")})
    start = decided(out["commence_at"])
    start = start.fillna(start.groupby(out["game_id"]).transform("min"))
    out["cutoff_at"] = cutoff(out["tipoff_at"], _instants(start)).fillna(out["commence_at"])
    minutes = (out["cutoff_at"] - out["snapshot_at"]).dt.total_seconds() / 60
    out["minutes_before_game"] = minutes
    out["is_in_play"] = minutes <= 0
    return out.drop(columns="tipoff_at").reset_index(drop=True), unknown.reset_index(drop=True)


def _instants(values: pd.Series) -> pd.Series:
    """A column of instants in one unit, even if it has no value to infer a type from."""
    return pd.to_datetime(values, utc=True).dt.as_unit("us")
