"""Columns that views compute; any other means what it does in the table that it comes from."""

from __future__ import annotations

from collections.abc import Mapping

from nba_props.schemas import Column
from nba_props.schemas.base import count, day, flag, instant, real, text
from nba_props.schemas.raw import STAT

_COLUMNS = (
    # of a prediction
    text("line_problem", "Why the line is not valid (domain/lines.py); null for a valid one or none", nullable=True),
    flag("is_valid_line", "A verified quote backs the line; false without a line", nullable=True),
    flag("is_current", "The current row of its system, player, game and market", nullable=True),
    real("predicted_points", "Forecast of points", "points", nullable=True),
    real("current_points_line", "The line that was published", "points", nullable=True),
    flag("is_active", "The current row of its system, player and game", nullable=True),
    text("superseded_by", "prediction_id of the current row; null for the current row itself", nullable=True),
    instant("updated_at", "When the row ceased to be the current one, else when it was published", nullable=True),
    # of a date, a month or a scope
    count("games", "Scheduled games of the date; 0 if it is not a game day", nullable=True),
    text("month", "Calendar month such as 2026-01", nullable=True),
    text("scope", "Overall, Last 30 game days or Last game day", nullable=True),
    count("game_days", "Dates with scheduled games", nullable=True),
    count("game_days_with_predictions", "Game days with a current prediction", nullable=True),
    day("first_date", "First game day counted", nullable=True),
    day("last_date", "Last game day counted", nullable=True),
    # where lines come from
    count("total_predictions", "Current predictions", nullable=True),
    count("actual_prop_count", "Predictions whose line_source is ACTUAL_PROP", nullable=True),
    count("no_prop_line_count", "Predictions whose line_source is NO_PROP_LINE", nullable=True),
    count("other_source_count", "Predictions with any other line_source", nullable=True),
    count("missing_source_count", "Predictions without a line_source", nullable=True),
    count("valid_line_count", "Predictions whose line a verified quote backs", nullable=True),
    count("placeholder_count", "Predictions whose line is a placeholder", nullable=True),
    count("invalid_line_count", "Predictions whose line has a problem, placeholders included", nullable=True),
    count("null_line_count", "Predictions without a line", nullable=True),
    count("verified_line_of_20_count", "Predictions with a line of 20.0 that a verified quote backs", nullable=True),
    real(
        "actual_prop_pct_of_lines", "Share of valid lines among predictions that claim a line", "0-100", nullable=True
    ),
    real("placeholder_pct", "Share of placeholders among all predictions", "0-100", nullable=True),
    count("rotation_predictions", "Predictions for players of the rotation", nullable=True),
    count("rotation_valid_line_count", "Predictions for players of the rotation whose line is valid", nullable=True),
    real(
        "rotation_valid_line_pct",
        "Share of valid lines among predictions for players of the rotation",
        "0-100",
        nullable=True,
    ),
    real("avg_actual_line", "Mean of the lines from a sportsbook", STAT, nullable=True),
    real("stddev_actual_line", "Standard deviation of the lines from a sportsbook", STAT, nullable=True),
    count("sportsbooks", "Different sportsbooks", nullable=True),
    instant("first_created_at", "When the first of the rows was published", nullable=True),
    instant("last_created_at", "When the last of the rows was published", nullable=True),
    text("severity", "OK, WARNING, CRITICAL, or UNKNOWN where there is nothing to judge by", nullable=True),
    # placeholders
    count("rows_inspected", "Published rows that were inspected", nullable=True),
    count("issue_count", "Placeholders that are published", nullable=True),
    count("archived_count", "Placeholders that were published and are archived", nullable=True),
    count("held_back_count", "Placeholders that the gate held back", nullable=True),
    text("examples", "Up to ten placeholders: player, line and line_source", nullable=True),
    instant("first_seen", "When the first of the placeholders was published", nullable=True),
    instant("last_seen", "When the last of the placeholders was published", nullable=True),
    count("placeholders", "Placeholders that were ever published, archived ones included", nullable=True),
    count("held_back", "Placeholders that the gate held back", nullable=True),
    text("verdict", "CLEAN, PLACEHOLDER or NO_EVIDENCE", nullable=True),
    count("streak", "Consecutive clean game days, this one included", "dates", nullable=True),
    # performance
    count("predictions", "Current predictions with a valid line", nullable=True),
    count("wins", "Picks that won", nullable=True),
    count("losses", "Picks that lost", nullable=True),
    count("pushes", "Picks whose result was the line", nullable=True),
    count("voids", "Picks that do not count, such as of a player who did not play", nullable=True),
    count("pending", "Picks whose result is not known yet", nullable=True),
    count("no_bets", "Predictions without a pick", nullable=True),
    count("bet_dates", "Dates with a pick that won or lost", nullable=True),
    real("win_rate", "Wins among picks that won or lost", "0-1", nullable=True),
    real("win_rate_low", "Lower bound of its 95 % interval; null for too few dates", "0-1", nullable=True),
    real("win_rate_high", "Upper bound of its 95 % interval; null for too few dates", "0-1", nullable=True),
    count("rows_with_error", "Predictions with a forecast and a result", nullable=True),
    count("dates", "Dates of these", nullable=True),
    real("avg_error", "Mean absolute error of the forecast", STAT, nullable=True),
    real("avg_line_error", "Mean absolute error of the line on the same rows", STAT, nullable=True),
    real("bias", "Mean of forecast less result", STAT, nullable=True),
    real("avg_confidence", "Mean of confidence_score", nullable=True),
    real("avg_line", "Mean line", STAT, nullable=True),
    # arbitrages and middles
    real("over_line", "The lowest main line, whose over is taken", STAT, nullable=True),
    real("under_line", "The highest main line, whose under is taken", STAT, nullable=True),
    text("over_book", "Sportsbook of the over", nullable=True),
    text("under_book", "Sportsbook of the under", nullable=True),
    real("over_minutes", "Age of the over's price at the cut-off", "min", nullable=True),
    real("under_minutes", "Age of the under's price at the cut-off", "min", nullable=True),
    real("promised", "What both sides pay for a unit split between them", "units", nullable=True),
    flag("hit", "The result was between the lines; null without a result", nullable=True),
)
#: by name, since a name means the same in every view
COLUMNS: Mapping[str, Column] = {column.name: column for column in _COLUMNS}
