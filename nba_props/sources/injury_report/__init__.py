"""The official injury report: what is landed of it and how it becomes rows, for other rooms to import from here.

Belongs here: where reports are, and their parser. Does not: who is predicted all the same (``domain/slate.py``).
"""

from nba_props.sources.injury_report.parse import (
    fetch,
    folder,
    folders,
    parse_pdf,
    read_reports,
    report_instants,
    url_of,
)

__all__ = ["fetch", "folder", "folders", "parse_pdf", "read_reports", "report_instants", "url_of"]
