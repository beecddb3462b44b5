"""The view of the players in the rotation, whose lines matter."""

from nba_props.schemas.base import View
from nba_props.settings.defaults import MIN_MINUTES


def rotation_players(min_minutes: int = MIN_MINUTES) -> View:
    """The view of the players in the rotation: those with at least ``min_minutes`` projected minutes."""
    return View(
        "nba_analytics",
        "rotation_players",
        "The players that matter: one row per slate player who is expected to play min_minutes or more "
        f"(NBA_PROPS_MIN_MINUTES, {MIN_MINUTES} unless set), with a line or without.",
        f"""
        SELECT c.game_date, c.player_id, c.player_lookup, c.player_name, c.team, c.projected_minutes, c.has_prop_line
        FROM nba_analytics.upcoming_player_game_context AS c
        WHERE c.projected_minutes >= {int(min_minutes)}
        """,
    )
