"""The Odds API: its landed payloads and the quotes made from them; other packages import from here.

Belongs here: its client, its captures, its parser. Not here: which quote is a line (``domain/lines.py``).
"""

from nba_props.sources.odds_api.landed import folder, landed_days, with_odds
from nba_props.sources.odds_api.parse import not_as_landed, read_day

__all__ = ["folder", "landed_days", "not_as_landed", "read_day", "with_odds"]
