"""Quotes meet the schedule: which game an event is, when it begins, and what is in-play."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.names import team_key


def match_games(parsed: pd.DataFrame, schedule: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quotes of scheduled games, in the columns of ``nba_raw.odds_quotes``, and quotes of games nobody scheduled.

    An event is the game of its two teams on its date. The cut-off is the earlier of the scheduled tip-off and the
    start the odds feed gives: a start that moved never makes an in-play quote look early.

    Args:
        parsed: rows of ``sources.odds_api``; identical captures may repeat.
        schedule: rows of ``nba_raw.schedule`` for the same dates.
    """
    quotes = parsed.drop_duplicates("quote_id")
    teams = {n: team_key(n) for n in pd.unique(quotes[["home_team_name", "away_team_name"]].to_numpy().ravel())}
    quotes = quotes.assign(home=quotes["home_team_name"].map(teams), away=quotes["away_team_name"].map(teams))
    games = schedule.loc[~schedule["is_postponed"].astype(bool), ["game_date", "game_id", "tipoff_at"]].assign(
        home=[team_key(n) for n in schedule.loc[~schedule["is_postponed"].astype(bool), "home_team_name"]],
        away=[team_key(n) for n in schedule.loc[~schedule["is_postponed"].astype(bool), "away_team_name"]],
    )
    swapped = games.rename(columns={"home": "away", "away": "home"})  # neutral sites may be listed either way
    both = pd.concat([games, swapped], ignore_index=True).drop_duplicates(["game_date", "home", "away"])
    out = quotes.merge(both, on=["game_date", "home", "away"], how="left", validate="many_to_one")
    known = out["game_id"].notna()
    unknown = out[~known]
    out = out[known].drop(columns=["home", "away", "home_team_name", "away_team_name"])
    out["cutoff_at"] = out[["tipoff_at", "commence_at"]].min(axis=1)
    minutes = (out["cutoff_at"] - out["snapshot_at"]).dt.total_seconds() / 60
    out["minutes_before_game"] = minutes
    out["is_in_play"] = minutes <= 0
    return out.drop(columns="tipoff_at").reset_index(drop=True), unknown.reset_index(drop=True)
