"""The Odds API: its landed payloads and the quotes made from them; other packages import from here.

Belongs here: its client, its captures, its parser. Not here: which quote is a line (``domain/lines.py``).
"""

from nba_props.sources.odds_api.landed import captures, folder, landed_days
from nba_props.sources.odds_api.parse import read_day

__all__ = ["captures", "folder", "landed_days", "read_day"]
