"""stats.nba.com: its landed payloads and the rows made from them; other packages import from here.

Belongs here: its client, its captures, its parsers. Not here: what histories and slates are made of (``domain``).
"""

from nba_props.sources.nba_stats.box_scores import read_box_scores, refused_players
from nba_props.sources.nba_stats.landed import (
    SCHEDULE_FOLDER,
    gamelog_folder,
    landed_box_score_days,
    landed_roster_days,
    roster_folder,
    scoring_folder,
)
from nba_props.sources.nba_stats.schedule import read_schedule

__all__ = [
    "SCHEDULE_FOLDER",
    "gamelog_folder",
    "landed_box_score_days",
    "landed_roster_days",
    "read_box_scores",
    "read_schedule",
    "refused_players",
    "roster_folder",
    "scoring_folder",
]
