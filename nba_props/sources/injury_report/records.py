"""One record of an injury report as a row, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nba_props.facts.calendar import game_date_of
from nba_props.facts.teams import are_opponents
from nba_props.facts.vocabulary import STATED_STATUSES, InjuryStatus, words
from nba_props.storage import fields
from nba_props.storage.fields import FieldError

NOT_SUBMITTED = "NOT YET SUBMITTED"
#: in place of a player's name in a row for a whole team
NAMES_OF_TEAMS: Mapping[str, str] = {
    InjuryStatus.NOT_SUBMITTED: NOT_SUBMITTED,
    InjuryStatus.NAME_UNREADABLE: "NAME UNREADABLE",
}
_FIELDS = ("date", "matchup", "team", "player", "status", "reason")
_MATCHUP = re.compile(r"([A-Z]{2,3})@([A-Z]{2,3})", re.ASCII)
#: characters of a reason
_LONGEST = {"reason": fields.LONGEST_TEXT}
#: how many days ahead a report names games: the next day's, and one more
_DAYS_AHEAD = 2


@dataclass
class Report:
    """The content of one report."""

    report_at: datetime
    #: rows of nba_raw.injury_reports without the columns that a whole report shares
    records: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str, str, Any]] = field(default_factory=list)


def add_record(report: Report, at: str, delivered: Mapping[str, Any]) -> None:
    """Add a record to its report as a row, and what is wrong with it as rejects.

    A player whose status or name can't be read must not pass for available: if the team is known, there is a row for
    him or for the team.
    """
    record = _Record(report, at, delivered)
    game = record.game()
    if game is None:
        return
    report.records.append({**game, "team_name": record.texts["team"], **record.person()})


class _Record:
    """A delivered record; each of its fields is rejected at most once."""

    def __init__(self, report: Report, at: str, delivered: Mapping[str, Any]) -> None:
        self._report, self._at, self._delivered = report, at, delivered
        self._refused: set[str] = set()
        self.texts = dict.fromkeys(_FIELDS, "")
        for key in _FIELDS:
            try:
                longest = _LONGEST.get(key, fields.LONGEST_NAME)
                self.texts[key] = fields.optional_text(delivered, key, longest) or ""
            except FieldError as error:
                self._refuse(key, "BAD_FIELD", str(error))

    def _refuse(self, field: str, reason: str, detail: str) -> None:
        if field not in self._refused:
            self._refused.add(field)
            self._report.rejects.append((self._at, reason, detail, self._delivered))

    def game(self) -> dict[str, Any] | None:
        """Date and teams; None when they, or the player's team, are unknown."""
        texts = self.texts
        matchup = _MATCHUP.fullmatch(texts["matchup"].replace(" ", ""))
        if matchup is None:
            self._refuse("matchup", "WRONG_SHAPE", f"matchup {texts['matchup']!r} is not written as BOS@NYK")
            return None
        if not are_opponents(matchup[1], matchup[2]):
            self._refuse(
                "matchup", "UNKNOWN_TEAM", f"matchup {texts['matchup']!r} does not name two teams of one league"
            )
            return None
        try:
            day = datetime.strptime(texts["date"], "%m/%d/%Y").date()  # noqa: DTZ007 - an Eastern date without a time
        except ValueError:
            self._refuse("date", "BAD_TIME", f"game date {texts['date']!r} is not a date such as 12/25/2025")
            return None
        report_at = self._report.report_at
        if not -1 <= (day - game_date_of(report_at)).days <= _DAYS_AHEAD:
            self._refuse("date", "BAD_TIME", f"game date {texts['date']!r} is too far from the report of {report_at}")
            return None
        if not texts["team"].strip():
            self._refuse("team", "MISSING_NAME", f"player {texts['player']!r} has no team")
            return None
        return {"game_date": day, "away_team": matchup[1], "home_team": matchup[2]}

    def person(self) -> dict[str, Any]:
        """The player and his status; a row for his team where it has not submitted, or his name can't be read."""
        player = self.texts["player"]
        if not player and NOT_SUBMITTED in self.texts["reason"].upper():
            return _team(InjuryStatus.NOT_SUBMITTED.value)
        last, comma, first = player.partition(",")
        if not comma or not first.strip():
            self._refuse("player", "WRONG_SHAPE", f"player {player!r} is not written as Last, First")
            return _team(InjuryStatus.NAME_UNREADABLE.value)
        try:
            name = fields.person({"player": f"{first.strip()} {last.strip()}"}, "player")
        except FieldError as error:
            self._refuse("player", "MISSING_NAME", str(error))
            return _team(InjuryStatus.NAME_UNREADABLE.value)
        status = self.texts["status"].upper().strip()
        if status not in words(STATED_STATUSES):
            known = ", ".join(STATED_STATUSES)
            self._refuse("status", "UNKNOWN_STATUS", f"status {self.texts['status']!r} is not one of {known}")
            status = InjuryStatus.STATUS_UNREADABLE.value
        return _row(player.strip(), name, status, self.texts["reason"].strip() or None)


def _team(status: str) -> dict[str, Any]:
    """A row for a whole team."""
    return _row(NAMES_OF_TEAMS[status], NAMES_OF_TEAMS[status], status, None)


def _row(source_name: str, player_name: str, status: str, reason: str | None) -> dict[str, Any]:
    return {"source_name": source_name, "player_name": player_name, "status": status, "reason": reason}
