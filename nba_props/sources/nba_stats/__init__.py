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
    schedules_near,
    scoring_folder,
)
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.nba_stats.schedule import parse_schedule, read_departed, read_schedule
from nba_props.sources.nba_stats.scoring_shares import read_scoring

__all__ = [
    "SCHEDULE_FOLDER",
    "gamelog_folder",
    "landed_box_score_days",
    "landed_roster_days",
    "parse_schedule",
    "read_box_scores",
    "read_departed",
    "read_rosters",
    "read_schedule",
    "read_scoring",
    "refused_players",
    "roster_folder",
    "schedules_near",
    "scoring_folder",
]
