"""The Odds API: what is landed of it and how it becomes quotes, for other rooms to import from here.

Belongs here: its client, its captures, its parser. Does not: which quote is a line (``domain/lines.py``).
"""

from nba_props.sources.odds_api.parse import (
    folder,
    landed_days,
    not_as_landed,
    parse_event_odds,
    read_day,
    with_odds,
)

__all__ = ["folder", "landed_days", "not_as_landed", "parse_event_odds", "read_day", "with_odds"]
