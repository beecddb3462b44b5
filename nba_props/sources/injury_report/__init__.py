"""The official injury report: its landed payloads and the rows made from them; other packages import from here.

Belongs here: where reports are, and their parser. Not here: who is predicted (``domain/slate.py``).
"""

from nba_props.sources.injury_report.capture import fetch
from nba_props.sources.injury_report.client import report_instants, url_of
from nba_props.sources.injury_report.landed import folder, folders
from nba_props.sources.injury_report.parse import parse_pdf, read_reports

__all__ = ["fetch", "folder", "folders", "parse_pdf", "read_reports", "report_instants", "url_of"]
