"""The feature vector: the name, unit, source and null reason of every feature, and the table that stores it.

The first 33 are the legacy vector (docs/legacy-systems.md#features) with its wrong definitions corrected: the
trend has the right sign, rest advantage compares with the opponent's real rest, win percentage counts wins, minutes are
those of the last ten games.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import NullReason
from nba_props.schemas.analytics import CUTOFF_AT, PERSON
from nba_props.schemas.base import Table, real, text
from nba_props.schemas.raw import MARKET as MARKET_COLUMN
from nba_props.schemas.raw import STAT


@dataclass(frozen=True)
class Feature:
    """One feature: its unit, the tables it comes from, and why it may be null."""

    name: str
    unit: str
    description: str
    source: tuple[str, ...]
    null_reason: NullReason | None = None


CONTEXT_ADDRESS = "nba_analytics.upcoming_player_game_context"
_H = "nba_analytics.historical_games"
_L = "nba_analytics.betting_lines"
_B = "nba_raw.box_scores"


def _context(
    name: str, unit: str, description: str, reason: NullReason | None = None, column: str | None = None
) -> Feature:
    return Feature(name, unit, description, (f"{CONTEXT_ADDRESS}.{column or name}",), reason)


def _history(name: str, unit: str, description: str, columns: tuple[str, ...], reason: NullReason) -> Feature:
    return Feature(name, unit, description, tuple(f"{_H}.{c}" for c in columns), reason)


_NO_GAME = NullReason.NO_GAME_IN_LOOK_BACK
_NO_TEAM = NullReason.NO_TEAM_GAME_IN_LOOK_BACK
LEGACY = (
    _context("points_avg_last_5", "points", "Mean points of the last 5 games", _NO_GAME),
    _context("points_avg_last_10", "points", "Mean points of the last 10 games", _NO_GAME),
    _context("points_avg_season", "points", "Mean points of the season", NullReason.NO_GAME_THIS_SEASON),
    _context("points_std_last_10", "points", "Sample deviation of the last 10 games", NullReason.FEWER_THAN_2_GAMES),
    _context("games_in_last_7_days", "games", "Appearances in the last 7 days"),
    _context("fatigue_score", "0-100", "Freshness, 100 is fresh", _NO_GAME),
    _context("shot_zone_mismatch_score", "-10..10", "Opponent's weakness in the player's zone", NullReason.NO_SHOT_ZONE_FEED),
    _context("pace_score", "-3..3", "Half the opponent's pace less the team's", _NO_TEAM),
    _context("usage_spike_score", "-3..3", "Expected rise in usage", NullReason.NO_USAGE_PROJECTION_FEED),
    Feature("rest_advantage", "days", "Days of rest less the opponent's, within -2..2", (f"{CONTEXT_ADDRESS}.days_rest",), _NO_GAME),
    Feature("injury_risk", "0-3", "Available 0 to out 3", (f"{CONTEXT_ADDRESS}.injury_status",), NullReason.NO_INJURY_REPORT),
    _history("recent_trend", "-2..2", "Last 3 games against the 2 before: 1 at 2 points, 2 at 5", ("points",), NullReason.FEWER_THAN_5_GAMES),
    Feature("minutes_change", "-2..2", "Last-10 minutes against the season's: 1 at 10 %, 2 at 20 %",
            (f"{CONTEXT_ADDRESS}.minutes_avg_last_10", f"{CONTEXT_ADDRESS}.minutes_avg_season"), NullReason.NO_GAME_THIS_SEASON),
    _context("opponent_def_rating", "pts/100", "Opponent's defence, last 15 games", _NO_TEAM, "opponent_def_rating_last_15"),
    _context("opponent_pace", "poss/48", "Opponent's pace, last 10 games", _NO_TEAM, "opponent_pace_last_10"),
    _context("home_away", "0/1", "1 at home", NullReason.TEAM_UNKNOWN, "is_home"),
    _context("back_to_back", "0/1", "1 when he played yesterday", _NO_GAME),
    _context("playoff_game", "0/1", "1 in the playoffs", None, "season_type"),
    Feature("pct_paint", "0-1", "Points in the paint among points, last 10 games", ("nba_raw.scoring_shares.points_paint",), NullReason.FEWER_THAN_5_GAMES_WITH_SHOT_ZONES),
    Feature("pct_mid_range", "0-1", "Points from mid-range among points, last 10 games", ("nba_raw.scoring_shares.points_mid_range",), NullReason.FEWER_THAN_5_GAMES_WITH_SHOT_ZONES),
    _history("pct_three", "0-1", "Three-pointers among attempts, last 10 games", ("fg3a", "fga"), NullReason.NO_ATTEMPTS),
    _history("pct_free_throw", "0-1", "Free throws among points, last 10 games", ("ftm", "points"), NullReason.FEWER_THAN_5_GAMES),
    _context("team_pace", "poss/48", "Team's pace, last 10 games", _NO_TEAM, "team_pace_last_10"),
    _context("team_off_rating", "pts/100", "Team's offence, last 10 games", _NO_TEAM, "team_off_rating_last_10"),
    Feature("team_win_pct", "0-1", "Team's share of wins in the look-back", (f"{_B}.won",), NullReason.FEWER_THAN_5_TEAM_GAMES),
    Feature("vegas_points_line", "points", "Consensus line", (f"{_L}.consensus_line",), NullReason.NO_LINE),
    Feature("vegas_opening_line", "points", "Opening line of the chosen book", (f"{_L}.opening_line",), NullReason.NO_LINE),
    Feature("vegas_line_move", "points", "Chosen line less its opening", (f"{_L}.line_movement",), NullReason.NO_LINE),
    Feature("has_vegas_line", "0/1", "1 with a line", (f"{_L}.has_prop_line",)),
    Feature("avg_points_vs_opponent", "points", "Mean against the opponent, this season and last", (f"{_B}.points",), NullReason.NEVER_MET),
    Feature("games_vs_opponent", "games", "Games behind it", (f"{_B}.game_id",), NullReason.TEAM_UNKNOWN),
    _context("minutes_avg_last_10", "min", "Mean minutes of the last 10 games", _NO_GAME),
    _history("ppm_avg_last_10", "pts/min", "Points per minute over the last 10 games", ("points", "minutes"), _NO_GAME),
)  # fmt: skip
EXTRA = (
    _history("points_ewma", "points", "Points, exponentially weighted", ("points",), _NO_GAME),
    _history("minutes_ewma", "min", "Minutes, exponentially weighted", ("minutes",), _NO_GAME),
    _history("minutes_last_3", "min", "Mean minutes of the last 3 games", ("minutes",), _NO_GAME),
    _history("minutes_std_last_10", "min", "Sample deviation of minutes, last 10 games", ("minutes",), NullReason.FEWER_THAN_2_GAMES),
    _history("ppm_shrunk", "pts/min", "Weighted points per minute, shrunk to the league's", ("points", "minutes"), _NO_GAME),
    _history("fga_per_minute", "shots/min", "Weighted field-goal attempts per minute", ("fga", "minutes"), _NO_GAME),
    _history("fta_per_minute", "shots/min", "Weighted free-throw attempts per minute", ("fta", "minutes"), _NO_GAME),
    _context("days_rest", "days", "Days since his last game", _NO_GAME),
    _context("games_season", "games", "Games this season"),
    _context("games_in_last_14_days", "games", "Appearances in the last 14 days"),
    _context("teammates_reported_absent", "players", "Team-mates reported out or doubtful", NullReason.NO_INJURY_REPORT),
    Feature("league_pace", "poss/48", "League's mean pace in the look-back", (f"{_B}.fga",), NullReason.NO_GAME_IN_LOOK_BACK),
    Feature("league_def_rating", "pts/100", "League's points per 100 possessions in the look-back", (f"{_B}.points",), NullReason.NO_GAME_IN_LOOK_BACK),
    Feature("games_missed", "games", "Games of his team since he last played for it", (f"{_B}.game_id",), NullReason.NOT_YET_PLAYED_FOR_THE_TEAM),
    Feature("teammates_missing_minutes", "min", "Usual minutes of team-mates who sat out the last game and played in one of the three before", (f"{_B}.minutes",), _NO_TEAM),
)  # fmt: skip
FEATURES = (*LEGACY, *EXTRA)
NAMES = tuple(f.name for f in FEATURES)
#: features from the market; systems that must not use it leave them out
MARKET = ("vegas_points_line", "vegas_opening_line", "vegas_line_move", "has_vegas_line")
#: null because of the player, not for want of a feed, or because no landed feed has the legacy input
_NULL_BY_NATURE = (
    NullReason.NEVER_MET,
    NullReason.NO_SHOT_ZONE_FEED,
    NullReason.NO_USAGE_PROJECTION_FEED,
)
#: null because of a missing feed that has its own check: ``feed_is_fresh``, ``games_have_quotes``
_CHECKED_ELSEWHERE = (NullReason.NO_INJURY_REPORT, NullReason.NO_LINE)
#: features that are known for some player on every date once players have played five games of the season
EXPECTED = tuple(
    f.name for f in FEATURES if f.null_reason and f.null_reason not in (*_NULL_BY_NATURE, *_CHECKED_ELSEWHERE)
)
#: and those that are known when their feed delivered
EXPECTED_WITH_FEED = tuple(f.name for f in FEATURES if f.null_reason in _CHECKED_ELSEWHERE)
#: stored models and rows of features carry it: with any changed name, unit or description, every model that was trained
#: before is refused (MODEL_SCHEMA_DIFFERS), and every partition of features is stale
SCHEMA_HASH = digest(json.dumps([(f.name, f.unit, f.description) for f in FEATURES]), 8)

PLAYER_FEATURES = Table(
    "nba_analytics",
    "player_features",
    "One feature vector per slate player, with the hash of the vector's definition and the reason of every null.",
    (
        *PERSON,
        CUTOFF_AT,
        *(real(f.name, f.description, f.unit, nullable=f.null_reason is not None, source=f.source) for f in FEATURES),
        text("schema_hash", "Hash of names, units and meanings of the features"),
        text("null_reasons", "JSON object: each null feature and why it is null"),
    ),
    key=("player_id",),
)


# -- by market --------------------------------------------------------------------------------------------------------

#: the features of a player in a market other than points, whose own are in ``player_features``
BY_MARKET = (
    _history("avg_last_5", STAT, "Mean of the last 5 games", ("recency",), _NO_GAME),
    _history("avg_last_10", STAT, "Mean of the last 10 games", ("recency",), _NO_GAME),
    _history("std_last_10", STAT, "Sample deviation of the last 10 games", ("recency",), NullReason.FEWER_THAN_2_GAMES),
    Feature("avg_season", STAT, "Mean of the season", (f"{_B}.game_id",), NullReason.NO_GAME_THIS_SEASON),
    _history("ewma", STAT, "Exponentially weighted mean", ("recency",), _NO_GAME),
    _history("per_minute_last_10", f"{STAT}/min", "Per minute over the last 10 games", ("minutes",), _NO_GAME),
    _history("per_minute_shrunk", f"{STAT}/min", "Weighted rate per minute, shrunk to the league's", ("minutes",), _NO_GAME),
    Feature("opponent_allows", f"{STAT}/100", "Allowed per 100 possessions by the opponent, last 15 games", (f"{_B}.fga",), _NO_TEAM),
    Feature("league_allows", f"{STAT}/100", "Per 100 possessions in the league in the look-back", (f"{_B}.fga",), _NO_GAME),
)  # fmt: skip
MARKET_NAMES = tuple(f.name for f in BY_MARKET)
#: as ``SCHEMA_HASH``, for models of other markets than points
MARKET_SCHEMA_HASH = digest(json.dumps([SCHEMA_HASH, *((f.name, f.unit, f.description) for f in BY_MARKET)]), 8)

MARKET_FEATURES = Table(
    "nba_analytics",
    "market_features",
    "The features of a player in a market, for every line but those of points: averages and rates of what the market "
    "counts, and how much of it the opponent allows, with the reason of every null.",
    (
        *PERSON,
        MARKET_COLUMN,
        CUTOFF_AT,
        *(real(f.name, f.description, f.unit, nullable=True, source=f.source) for f in BY_MARKET),
        text("null_reasons", "JSON object: each null feature and why it is null"),
    ),
    key=("market", "player_id"),
)
