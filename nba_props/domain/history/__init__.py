"""History: the past games of players, teams and the league, strictly before a date.

Each statement is for any number of players and dates, and runs inside the warehouse. The player-games that it is for
are given as a relation: the slate in serving, the games that were played in training.

Belongs here: statements on past games. Not here: features made of them (domain/context.py, domain/features.py).
"""

from nba_props.domain.history.markets import allowed_stats_sql, league_stats_sql, season_stats_sql
from nba_props.domain.history.players import (
    absence_sql,
    availability_sql,
    historical_games_sql,
    matchup_sql,
    past_form_sql,
    season_sql,
    shot_zones_sql,
)
from nba_props.domain.history.relations import GAMES_FOUND_SQL, LONGEST_REST, PLAYED
from nba_props.domain.history.teams import league_form_sql, team_form_sql, team_state_sql

__all__ = [
    "GAMES_FOUND_SQL",
    "LONGEST_REST",
    "PLAYED",
    "absence_sql",
    "allowed_stats_sql",
    "availability_sql",
    "historical_games_sql",
    "league_form_sql",
    "league_stats_sql",
    "matchup_sql",
    "past_form_sql",
    "season_sql",
    "season_stats_sql",
    "shot_zones_sql",
    "team_form_sql",
    "team_state_sql",
]
