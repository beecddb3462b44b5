"""Names of the predecessor's tables and columns, and what they are called here (docs/from-the-old-system.md)."""

from __future__ import annotations

import re

from nba_props.catalog import TABLES
from nba_props.facts.vocabulary import Outcome

#: old tables by name, whatever their dataset
OLD_TABLES = {
    "odds_api_player_points_props": "nba_raw.odds_quotes",
    "bettingpros_player_points_props": "no table: there is no such feed; quotes are in nba_raw.odds_quotes",
    "odds_api_game_lines": "no table: no system uses spreads or totals",
    "nbac_schedule": "nba_raw.schedule",
    "nbac_gamebook_player_stats": "nba_raw.box_scores",
    "nbac_player_boxscores": "nba_raw.box_scores",
    "bdl_player_boxscores": "nba_raw.box_scores",
    "espn_boxscores": "nba_raw.box_scores",
    "nbac_team_boxscore": "nba_raw.box_scores, its rows summed by team",
    "nbac_injury_report": "nba_raw.injury_reports",
    "espn_team_rosters": "nba_raw.rosters",
    "nba_players_registry": "nba_reference.players",
    "player_aliases": "no table: the file of NBA_PROPS_ALIASES, and nba_reference.resolved_names for what it resolved",
    "unresolved_player_names": "nba_reference.unresolved_names",
    "player_game_summary": "nba_raw.box_scores; each slate player's last games are nba_analytics.historical_games",
    "team_offense_game_summary": (
        "nba_analytics.upcoming_player_game_context: team_off_rating_last_10, team_pace_last_10"
    ),
    "team_defense_game_summary": (
        "nba_analytics.upcoming_player_game_context: opponent_def_rating_last_15, opponent_pace_last_10"
    ),
    "player_daily_cache": "nba_analytics.upcoming_player_game_context",
    "player_composite_factors": "nba_analytics.upcoming_player_game_context",
    "player_shot_zone_analysis": "nba_analytics.player_features: pct_paint, pct_mid_range, pct_three",
    "team_defense_zone_analysis": "nba_analytics.player_features: opponent_def_rating, opponent_pace",
    "ml_feature_store_v2": "nba_analytics.player_features, a column for each feature",
    "prediction_grades": "nba_predictions.prediction_accuracy",
    "system_daily_performance": "nba_monitoring.scoreboard",
    "deleted_placeholder_predictions_20260116": "nba_predictions.archived_predictions",
    "prediction_accuracy_real_lines": "nba_predictions.prediction_accuracy WHERE is_valid_line",
    "daily_performance_real_lines": "nba_monitoring.scoreboard",
    "prediction_worker_runs": "no table: Dagster's runs; nba_predictions.publications has those that published",
    "processor_run_history": "no table: Dagster's runs; nba_predictions.publications has those that published",
    "circuit_breaker_state": "no table: a system that fails has no rows and a failing check",
}
_NO_ESTIMATE = "nowhere: no line is estimated, and nba_analytics.betting_lines has no_line_reason"
_NOT_FILTERED = "nowhere: recommendation in nba_predictions.ledger is PASS, and abstain_reason has the reason"
_INJURY = "injury_status and injury_reported_at in nba_analytics.upcoming_player_game_context"
_COMPONENTS = "components in nba_predictions.ledger, which has each system's terms"
#: old columns by name, whatever their table
OLD_COLUMNS = {
    "universal_player_id": "player_id, the NBA's, in nba_predictions.ledger and every table of players",
    "current_points_line": "line in nba_predictions.ledger; nba_predictions.player_prop_predictions has the old name",
    "prediction_version": "model_version in nba_predictions.ledger",
    "estimated_line_value": _NO_ESTIMATE,
    "estimation_method": _NO_ESTIMATE,
    "was_line_fallback": _NO_ESTIMATE,
    "is_actionable": _NOT_FILTERED,
    "filter_reason": _NOT_FILTERED,
    "injury_status_at_prediction": _INJURY,
    "injury_flag_at_prediction": _INJURY,
    "injury_reason_at_prediction": "reason in nba_raw.injury_reports",
    "injury_checked_at": _INJURY,
    "player_status": _INJURY,
    "injury_report": "nba_raw.injury_reports, a table",
    "similarity_baseline": _COMPONENTS,
    "similar_games_count": _COMPONENTS,
    "avg_similarity_score": _COMPONENTS,
    "feature_importance": _COMPONENTS,
    "invalidation_reason": "deletion_reason in nba_predictions.archived_predictions",
    "invalidated_at": "deleted_at in nba_predictions.archived_predictions",
    "superseded": "superseded_by in nba_predictions.player_prop_predictions",
    "feature_version": "schema_hash in nba_analytics.player_features",
    "feature_quality_score": "null_reasons in nba_analytics.player_features: there are no default values",
    "features": "nba_analytics.player_features, a column for each",
    "build_commit_sha": "revision in nba_predictions.publications",
    "deployment_revision": "revision in nba_predictions.publications",
    "is_voided": f"outcome = '{Outcome.VOID}' in nba_predictions.prediction_accuracy, with void_reason",
    "win_rate": "hit_rate in nba_monitoring.scoreboard; win_rate in nba_monitoring.performance_valid_lines_only",
    "points_line": "line in nba_raw.odds_quotes and in nba_analytics.betting_lines",
    "opening_points_line": "opening_line in nba_analytics.betting_lines",
    "snapshot_timestamp": "snapshot_at in nba_raw.odds_quotes",
    "game_start_time": "commence_at in nba_raw.odds_quotes; tipoff_at in nba_raw.schedule",
    "minutes_before_tipoff": "minutes_before_game in nba_raw.odds_quotes",
    "over_price_american": "over_price in nba_raw.odds_quotes, American as quoted",
    "under_price_american": "under_price in nba_raw.odds_quotes, American as quoted",
    "bookmaker_last_update": "last_update_at in nba_raw.odds_quotes",
    "source_file_path": "payload in every table of nba_raw, such as nba_raw.odds_quotes",
    "game_code": "game_id in nba_raw.schedule, the NBA's ten digits",
    "game_status": "status in nba_raw.schedule, 1 to 3 as before",
    "game_date_est": "tipoff_at in nba_raw.schedule (UTC); game_date is Eastern",
    "home_team_abbr": "home_team in nba_raw.schedule",
    "away_team_abbr": "away_team in nba_raw.schedule",
    "home_team_tricode": "home_team in nba_raw.schedule",
    "away_team_tricode": "away_team in nba_raw.schedule",
    "team_abbr": "team in nba_raw.box_scores and every table of players",
    "opponent_team_abbr": "opponent in nba_raw.box_scores and nba_analytics.slate",
    "player_full_name": "player_name in every table of players, such as nba_analytics.slate",
    "season_year": "season in nba_raw.schedule, as 2025-26",
    "minutes_decimal": "minutes in nba_raw.box_scores",
    "minutes_played": "minutes in nba_raw.box_scores; minutes_played in nba_predictions.prediction_accuracy",
    "assists": "ast in nba_raw.box_scores",
    "steals": "stl in nba_raw.box_scores",
    "blocks": "blk in nba_raw.box_scores",
    "turnovers": "tov in nba_raw.box_scores",
    "personal_fouls": "pf in nba_raw.box_scores",
    "offensive_rebounds": "oreb in nba_raw.box_scores",
    "defensive_rebounds": "dreb in nba_raw.box_scores",
    "total_rebounds": "oreb + dreb in nba_raw.box_scores",
    "win_flag": "won in nba_raw.box_scores",
    "report_date": "game_date in nba_raw.injury_reports; report_at is when it was published",
    "report_hour": "report_at in nba_raw.injury_reports",
    "injury_status": "status in nba_raw.injury_reports; injury_status in nba_analytics.upcoming_player_game_context",
    "roster_date": "game_date in nba_raw.rosters; captured_at is when it was captured",
    "over_under_result": "outcome in nba_predictions.prediction_accuracy, a push apart",
    "home_game": "is_home in nba_analytics.slate",
    "avg_minutes_per_game_last_7": "projected_minutes in nba_analytics.upcoming_player_game_context",
}
_NAME = re.compile(r"\w+")
_QUOTED = re.compile(r"""["'`](\w+)["'`]|[Nn]ame:? (\w+)""")
#: most tables listed for a column
_SHOWN = 4


def explained(statement: str, message: str) -> str:
    """A hint for the error of a statement: what its old names are here, or which tables have a missing column.

    Args:
        statement: the statement that failed.
        message: the engine's message; its first line has the missing name.

    Returns:
        The hint; empty without one.
    """
    first = message.strip().partition("\n")[0].partition("; there are ")[0]
    hints = [f"the old {n} is {OLD_TABLES[n]}" for n in _words(statement) if n in OLD_TABLES]
    hints += [f"the old {n} is {OLD_COLUMNS[n]}" for n in _words(first) if n in OLD_COLUMNS]
    if not hints:
        missing = dict.fromkeys(a or b for a, b in _QUOTED.findall(first))
        hints = [text for n in missing if (text := _where(n.lower()))]
    return f"here {'; '.join(hints)}" if hints else ""


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.lower() for word in _NAME.findall(text)))


def _where(column: str) -> str:
    having = [address for address, table in TABLES.items() if column in table.column_names]
    if not having:
        return ""
    more = f" and {len(having) - _SHOWN} more" if len(having) > _SHOWN else ""
    return f"{column} is a column of {', '.join(having[:_SHOWN])}{more}"
