"""The official injury report: its landed payloads and the rows made from them; other packages import from here.

Belongs here: where reports are, and their parser. Not here: who is predicted (``domain/slate.py``).
"""

from nba_props.sources.injury_report.landed import folder

__all__ = ["folder"]
