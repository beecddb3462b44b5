"""One record of an injury report as a row, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nba_props.facts.calendar import game_date_of
from nba_props.facts.teams import are_opponents
from nba_props.schemas import raw
from nba_props.schemas.raw import INJURY_STATUSES
from nba_props.storage import fields
from nba_props.storage.fields import FieldError

NOT_SUBMITTED = "NOT YET SUBMITTED"
#: in the place of a player's name where a row stands for a team
NAMES_OF_TEAMS = {raw.NOT_SUBMITTED: NOT_SUBMITTED, raw.NAME_UNREADABLE: "NAME UNREADABLE"}
_FIELDS = ("date", "matchup", "team", "player", "status", "reason")
_MATCHUP = re.compile(r"([A-Z]{2,3})@([A-Z]{2,3})", re.ASCII)
#: characters of a reason
_LONGEST = {"reason": fields.LONGEST_TEXT}
#: how many days ahead a report names games: the next day's, and one more
_DAYS_AHEAD = 2


@dataclass
class Report:
    """What one report says."""

    report_at: datetime
    #: rows of nba_raw.injury_reports but for what all rows of a report share
    records: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str, str, Any]] = field(default_factory=list)


def add_record(report: Report, at: str, delivered: Mapping[str, Any]) -> None:
    """A record as a row; what is wrong with it as a reject with the reason.

    Who is named beside a status that can't be read, or under a name that can't, must not pass for available: as far as
    the team is known, there is a row that says so.
    """

    refused: set[str] = set()

    def refuse(field: str, reason: str, detail: str) -> None:
        """Once for each field."""
        if field not in refused:
            refused.add(field)
            report.rejects.append((at, reason, detail, delivered))

    record = dict.fromkeys(_FIELDS, "")
    for key in _FIELDS:
        try:
            record[key] = fields.optional_text(delivered, key, _LONGEST.get(key, fields.LONGEST_NAME)) or ""
        except FieldError as error:
            refuse(key, "BAD_FIELD", str(error))
    matchup = _MATCHUP.fullmatch(record["matchup"].replace(" ", ""))
    if matchup is None:
        refuse("matchup", "WRONG_SHAPE", f"matchup {record['matchup']!r} is none such as BOS@NYK")
        return
    if not are_opponents(matchup[1], matchup[2]):
        refuse("matchup", "UNKNOWN_TEAM", f"matchup {record['matchup']!r} is none of two teams of a league")
        return
    try:
        day = datetime.strptime(record["date"], "%m/%d/%Y").date()  # noqa: DTZ007 - an Eastern date without a time
    except ValueError:
        refuse("date", "BAD_TIME", f"game date {record['date']!r} is no date such as 12/25/2025")
        return
    if not -1 <= (day - game_date_of(report.report_at)).days <= _DAYS_AHEAD:
        refuse("date", "BAD_TIME", f"game date {record['date']!r} is none of a report of {report.report_at}")
        return
    if not record["team"].strip():
        refuse("team", "MISSING_NAME", f"player {record['player']!r} has no team")
        return

    def add(status: str, source_name: str, player_name: str, reason: str | None) -> None:
        report.records.append(
            {
                "game_date": day, "away_team": matchup[1], "home_team": matchup[2], "team_name": record["team"],
                "source_name": source_name, "player_name": player_name, "status": status, "reason": reason,
            }
        )  # fmt: skip

    def add_team(status: str) -> None:
        add(status, NAMES_OF_TEAMS[status], NAMES_OF_TEAMS[status], None)

    if not record["player"] and NOT_SUBMITTED in record["reason"].upper():
        add_team(raw.NOT_SUBMITTED)
        return
    last, comma, first = record["player"].partition(",")
    if not comma or not first.strip():
        refuse("player", "WRONG_SHAPE", f"player {record['player']!r} is not written as Last, First")
        add_team(raw.NAME_UNREADABLE)
        return
    try:
        name = fields.person({"player": f"{first.strip()} {last.strip()}"}, "player")
    except FieldError as error:
        refuse("player", "MISSING_NAME", str(error))
        add_team(raw.NAME_UNREADABLE)
        return
    status = record["status"].upper().strip()
    if status not in INJURY_STATUSES:
        refuse("status", "UNKNOWN_STATUS", f"status {record['status']!r} is none of {', '.join(INJURY_STATUSES)}")
        status = raw.STATUS_UNREADABLE
    add(status, record["player"].strip(), name, record["reason"].strip() or None)
