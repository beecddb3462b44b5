"""The official injury report: a PDF that the league publishes through the day, as rows with the report's instant.

Landed as delivered (``injury_report/<date>/report-<capture>.pdf``), or as JSON with records that were parsed elsewhere.
A process of its own reads the PDF (``pdf_words``), and ``table`` finds the records in its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from nba_props.domain.names import player_lookup
from nba_props.facts.calendar import game_date_of
from nba_props.facts.vocabulary import DataSource, InjuryStatus
from nba_props.schemas.raw import INJURY_REPORTS
from nba_props.sources import pdf_words
from nba_props.sources.injury_report.landed import folder, folders
from nba_props.sources.injury_report.records import NAMES_OF_TEAMS, Report, add_record
from nba_props.sources.injury_report.table import parse_words
from nba_props.sources.rejects import Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingZone, Payload, PayloadError, limited

if TYPE_CHECKING:
    import pandas as pd

SOURCE = DataSource.INJURY_REPORT.value


def read_reports(zone: LandingZone, days: Sequence[date]) -> Parsed:
    """Every player named for the given dates, in the reports of these dates and of the evenings before."""
    import pandas as pd

    wanted = set(days)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    with pdf_words.Reader() as read:
        for day in sorted({f for d in days for f in folders(d)}):
            refused: list[Reject] = []
            for payload in zone.list(folder(day)):
                try:
                    report = parse(zone, payload, day, read)
                except PayloadError as error:
                    refused.append(Reject.of(payload, error, day))
                    continue
                refused += [
                    Reject(payload.path, at, why, f"{payload.path}: {text}", raw, game_date=day)
                    for at, why, text, raw in report.rejects
                ]
                shared = {"report_at": report.report_at, "payload": payload.path}
                rows += [{**r, **shared} for r in report.records if r["game_date"] in wanted]
            rejects += refused if day in wanted else []
    frame = pd.DataFrame(rows)
    if len(frame):
        frame = frame.assign(
            game_date=pd.to_datetime(frame["game_date"]),
            report_at=pd.to_datetime(frame["report_at"], utc=True),
            player_lookup=frame["player_name"].map(player_lookup),
            data_source=zone.data_source(SOURCE),
        )
        frame, refused = _once(frame)
        rejects += refused
    return Parsed.of(INJURY_REPORTS, frame, rejects, _waiting(frame))


def _once(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """Each player once for each report; a player who is listed with different statuses gets STATUS_UNREADABLE."""
    key = ["game_date", "report_at", "team_name", "player_lookup"]
    last = frame.drop_duplicates(key, keep="last")
    conflicting = frame.groupby(key)["status"].transform("nunique") > 1
    rejects = [
        Reject(
            r.payload,
            f"{r.team_name}, {r.source_name}",
            "CONFLICTING_ROWS",
            f"{r.payload}: {r.player_name} is listed with status {r.status} and with another: neither is used",
            game_date=r.game_date.date(),
        )
        for r in frame[conflicting].itertuples()
    ]
    return last.assign(
        status=last["status"].mask(conflicting[last.index], InjuryStatus.STATUS_UNREADABLE.value)
    ), rejects


def _waiting(frame: pd.DataFrame) -> dict[date, dict[str, list[str]]]:
    """By date, the teams that have not submitted by its newest report; dates without any are left out."""
    if frame.empty:
        return {}
    newest = frame["report_at"] == frame.groupby("game_date")["report_at"].transform("max")
    late = frame[newest & frame["status"].eq(InjuryStatus.NOT_SUBMITTED)]
    return {
        day.date(): {"not_submitted": sorted(set(teams))}
        for day, teams in late.groupby(late["game_date"].astype("datetime64[ns]"))["team_name"]
    }


def parse(zone: LandingZone, payload: Payload, day: date, read: Callable[[bytes], pdf_words.Words]) -> Report:
    """One landed report.

    Args:
        zone: where it is landed.
        payload: which it is.
        day: the date of its folder.
        read: gives the words of a PDF.

    Raises:
        PayloadError: it can't be read, is not an injury report, or belongs in another folder.
    """
    if payload.path.endswith(".pdf"):
        report = parse_pdf(zone.load_bytes(payload), payload, read)
    else:
        report = parse_records(zone.load(payload), payload)
    if abs(game_date_of(report.report_at) - day) > timedelta(1):
        raise PayloadError("BAD_TIME", f"{payload.path}: a report of {report.report_at} in the folder of {day}")
    _hold_back_contradictory(report)
    return report


def parse_records(content: Any, payload: Payload) -> Report:
    """The records of a report that was parsed elsewhere.

    Raises:
        PayloadError: WRONG_SHAPE, BAD_TIME, NO_SNAPSHOT_TIME or TOO_LARGE.
    """
    if not isinstance(content, dict) or not isinstance(content.get("records"), list):
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: an object with records was expected")
    limited(content["records"], payload, "records")
    metadata = content.get("metadata")
    try:
        stated = fields.optional_instant(metadata if isinstance(metadata, dict) else {}, "report_at")
    except FieldError as error:
        raise PayloadError("BAD_TIME", f"{payload.path}: {error}") from error
    report_at = stated or payload.captured_at
    if report_at is None:
        raise PayloadError("NO_SNAPSHOT_TIME", f"{payload.path}: neither the payload nor its name has an instant")
    report = Report(report_at)
    for n, record in enumerate(content["records"]):
        if isinstance(record, dict):
            add_record(report, f"records[{n}]", record)
        else:
            detail = f"the record is {fields.shown(record)}, not an object"
            report.rejects.append((f"records[{n}]", "BAD_FIELD", detail, record))
    return report


def parse_pdf(content: bytes, payload: Payload, read: Callable[[bytes], pdf_words.Words] = pdf_words.words) -> Report:
    """The table of a report as the league publishes it.

    Raises:
        PayloadError: NOT_PDF, or WRONG_SHAPE or BAD_TIME where title or header are not found.
    """
    try:
        pages = read(content)
    except pdf_words.UnreadablePdf as error:
        raise PayloadError("NOT_PDF", f"{payload.path}: {error}") from error
    return parse_words(pages, payload)


def _hold_back_contradictory(report: Report) -> None:
    """Hold back records whose game contradicts the others': a team plays one game a day, the one that most records
    name. A player named in such a record may be any player of the team.
    """
    games = Counter((r["game_date"], code, r["away_team"], r["home_team"]) for r in report.records
                    for code in (r["away_team"], r["home_team"]))  # fmt: skip
    most: dict[tuple[date, str], int] = {}
    for (day, code, *_), count in games.items():
        most[day, code] = max(most.get((day, code), 0), count)
    mine = {(r["game_date"], r["team_name"]): (r["away_team"], r["home_team"]) for r in report.records}
    kept, contradictory = [], []
    for r in report.records:
        of_game = (r["away_team"], r["home_team"])
        if all(games[r["game_date"], code, *of_game] == most[r["game_date"], code] for code in of_game):
            kept.append(r)
            mine[r["game_date"], r["team_name"]] = of_game
        else:
            contradictory.append(r)
    for r in contradictory:
        detail = f"{r['player_name']} is named for {r['away_team']}@{r['home_team']}, and most others for another game"
        report.rejects.append((r["source_name"], "CONTRADICTORY_ROW", detail, {k: str(v) for k, v in r.items()}))
        away, home = mine[r["game_date"], r["team_name"]]
        unknown = NAMES_OF_TEAMS[InjuryStatus.NAME_UNREADABLE]
        kept.append({**r, "away_team": away, "home_team": home, "source_name": unknown, "player_name": unknown,
                     "status": InjuryStatus.NAME_UNREADABLE.value, "reason": None})  # fmt: skip
    report.records = kept
