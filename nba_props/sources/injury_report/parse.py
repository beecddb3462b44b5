"""The official injury report: a PDF that the league publishes through the day, as rows with the report's instant.

Landed as delivered (``injury_report/<date>/report-<capture>.pdf``), or as JSON of the records somebody parsed before.
The PDF, which a process of its own reads (``pdf_words``), is a table without lines: words are put into columns by the
header's places, and a reason that runs over several lines belongs to the player nearest above or below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nba_props.domain.names import player_lookup
from nba_props.facts.calendar import EASTERN, YEARS, game_date_of
from nba_props.facts.teams import are_opponents
from nba_props.schemas import raw
from nba_props.schemas.raw import INJURY_REPORTS, INJURY_STATUSES
from nba_props.sources import pdf_words
from nba_props.sources.http import Http, Limits, silence
from nba_props.sources.odds_api.capture import Fetched
from nba_props.sources.rejects import Parsed, Reject
from nba_props.storage import fields
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import FetchError, LandingZone, Payload, PayloadError, capture_suffix, limited

if TYPE_CHECKING:
    import pandas as pd

FEED = "INJURY_REPORT"
BASE_URL = "https://ak-static.cms.nba.com/referee/injury"
NOT_SUBMITTED = "NOT YET SUBMITTED"
#: in the place of a player's name where a row stands for a team
_NAMES_OF_TEAMS = {raw.NOT_SUBMITTED: NOT_SUBMITTED, raw.NAME_UNREADABLE: "NAME UNREADABLE"}
#: from this date on the file's name has minutes, and there is a report every quarter of an hour
_MINUTES_SINCE = date(2025, 12, 23)
_COLUMNS = ("Game Date", "Game Time", "Matchup", "Team", "Player Name", "Current Status", "Reason")
_FIELDS = ("date", "matchup", "team", "player", "status", "reason")
_TITLE = re.compile(r"Injury\s*Report:\s*(\d{2}/\d{2}/\d{2})\s*(\d{1,2}:\d{2}\s*[AP]M)")
_PAGE = re.compile(r"Page\s*\d+\s*of\s*\d+")
_MATCHUP = re.compile(r"([A-Z]{2,3})@([A-Z]{2,3})", re.ASCII)
#: characters of a reason
_LONGEST = {"reason": fields.LONGEST_TEXT}
#: how many days ahead a report names games: the next day's, and one more
_DAYS_AHEAD = 2
#: words that start this close to a column's place belong to it, in points
_SLACK = 4.0


def folder(day: date) -> str:
    """The landing folder of a game date's reports."""
    return f"injury_report/{day.isoformat()}"


def folders(day: date) -> tuple[date, date]:
    """The dates whose folders may hold reports that name the games of ``day``: the evening before, and its own."""
    return day - timedelta(1), day


# -- fetching ---------------------------------------------------------------------------------------------------------


def report_instants(now: datetime, back: timedelta = timedelta(hours=2)) -> list[datetime]:
    """The instants at which a report may have been published, newest first."""
    step = timedelta(minutes=15) if game_date_of(now) >= _MINUTES_SINCE else timedelta(minutes=60)
    local = now.astimezone(EASTERN)
    hourly = step == timedelta(hours=1)  # then it is as of the half hour
    newest = local.replace(minute=30 if hourly else local.minute // 15 * 15, second=0, microsecond=0)
    if newest > local:
        newest -= step
    return [newest - n * step for n in range(int(back / step) + 1)]


def url_of(at: datetime, base_url: str = BASE_URL) -> str:
    """Where the report of an instant is."""
    local = at.astimezone(EASTERN)
    clock = f"{local:%I_%M%p}" if local.date() >= _MINUTES_SINCE else f"{local:%I%p}"
    return f"{base_url}/Injury-Report_{local:%Y-%m-%d}_{clock}.pdf"


def fetch(
    zone: LandingZone, clock: Callable[[], datetime], base_url: str = BASE_URL, limits: Limits | None = None
) -> Fetched:
    """Land the newest report there is, if it has not been landed.

    The site answers 403 for a report that does not exist (yet); the one before it is asked for then.
    """
    done, http = Fetched(), Http(limits=limits)
    statuses = []
    for at in report_instants(clock()):
        day = game_date_of(at)
        path = f"{folder(day)}/report{capture_suffix(at)}.pdf"
        if zone.has(path):
            done.present += 1
            return done
        try:
            answer = http.get(url_of(at, base_url))
        except FetchError as error:
            done.failures.append(f"injury report: {error}; what was landed before stays in use")
            done.silent = silence(error)
            return done
        if answer.ok and answer.body.startswith(b"%PDF"):
            done.landed.append(zone.land_bytes(path, answer.body).path)
            return done
        statuses.append("no PDF" if answer.ok else str(answer.status))
    done.failures.append(f"injury report: none of the last two hours can be had ({', '.join(dict.fromkeys(statuses))})")
    return done


# -- parsing ----------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What one report says."""

    report_at: datetime
    #: rows of nba_raw.injury_reports but for what all rows of a report share
    records: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str, str, Any]] = field(default_factory=list)


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
                    refused.append(Reject(payload.path, None, error.reason, error.detail, game_date=day))
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
            data_source=zone.data_source(FEED),
        )
        frame, refused = _once(frame)
        rejects += refused
    return Parsed.of(INJURY_REPORTS, frame, rejects, _waiting(frame))


def _once(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """Each player once for each report; what is said of one that is listed with different statuses is not known."""
    key = ["game_date", "report_at", "team_name", "player_lookup"]
    last = frame.drop_duplicates(key, keep="last")
    torn = frame.groupby(key)["status"].transform("nunique") > 1
    rejects = [
        Reject(
            r.payload,
            f"{r.team_name}, {r.source_name}",
            "CONFLICTING_ROWS",
            f"{r.payload}: {r.player_name} is listed with status {r.status} and with another: neither is used",
            game_date=r.game_date.date(),
        )
        for r in frame[torn].itertuples()
    ]
    return last.assign(status=last["status"].mask(torn[last.index], raw.STATUS_UNREADABLE)), rejects


def _waiting(frame: pd.DataFrame) -> dict[date, dict[str, list[str]]]:
    """The teams that have not submitted by the newest report of each date that lacks one."""
    if frame.empty:
        return {}
    newest = frame["report_at"] == frame.groupby("game_date")["report_at"].transform("max")
    late = frame[newest & frame["status"].eq(raw.NOT_SUBMITTED)]
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
        PayloadError: it can't be read, or it is no injury report, or none of its folder.
    """
    if payload.path.endswith(".pdf"):
        report = parse_pdf(zone.load_bytes(payload), payload, read)
    else:
        report = parse_records(zone.load(payload), payload)
    if abs(game_date_of(report.report_at) - day) > timedelta(1):
        raise PayloadError("BAD_TIME", f"{payload.path}: a report of {report.report_at} in the folder of {day}")
    _drop_strangers(report)
    return report


def parse_records(content: Any, payload: Payload) -> Report:
    """The records of a report that somebody parsed before.

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
            _add(report, f"records[{n}]", record)
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


def parse_words(pages: pdf_words.Words, payload: Payload) -> Report:
    """The table of a report from the words of its pages.

    Raises:
        PayloadError: WRONG_SHAPE or BAD_TIME where title or header are not found.
    """
    lines = [_lines(words) for words in pages]
    title = next(
        (m for page in lines for _, row in page if (m := _TITLE.search(" ".join(w["text"] for w in row)))), None
    )
    if title is None:
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: no line says Injury Report with date and time")
    try:
        local = datetime.strptime(f"{title[1]} {title[2].replace(' ', '')}", "%m/%d/%y %I:%M%p")  # noqa: DTZ007
        if local.year not in YEARS:
            raise ValueError(f"no report is of {local.year}")
    except ValueError as error:
        raise PayloadError("BAD_TIME", f"{payload.path}: the title says {title[0]!r}: {error}") from error
    report = Report(local.replace(tzinfo=EASTERN))
    places: dict[str, float] | None = None
    carried = {"Game Date": "", "Game Time": "", "Matchup": "", "Team": ""}
    for number, page in enumerate(lines, start=1):
        places = next((found for _, row in page if (found := _header(row))), places)
        if places is None:
            raise PayloadError("WRONG_SHAPE", f"{payload.path}: no header with {', '.join(_COLUMNS)}")
        _read_page(report, page, places, carried, number)
    return report


def _lines(words: Sequence[dict[str, Any]]) -> list[tuple[float, list[dict[str, Any]]]]:
    """Words by line, from the top, each from the left."""
    found: list[tuple[float, list[dict[str, Any]]]] = []
    for word in sorted(words, key=lambda w: (w["top"], w["x0"])):
        if found and abs(word["top"] - found[-1][0]) <= 2:
            found[-1][1].append(word)
        else:
            found.append((word["top"], [word]))
    return [(top, sorted(row, key=lambda w: w["x0"])) for top, row in found]


def _header(row: Sequence[dict[str, Any]]) -> dict[str, float] | None:
    """Where each column begins, when the line is the header."""
    text = [w["text"].replace(" ", "") for w in row]
    joined = "".join(text)
    if not all(c.replace(" ", "") in joined for c in _COLUMNS):
        return None
    starts: dict[str, float] = {}
    at = 0
    for column in _COLUMNS:
        wanted = column.replace(" ", "")
        got = ""
        if at == len(row):
            return None
        starts[column] = row[at]["x0"]
        while got != wanted and at < len(row):
            got += text[at]
            at += 1
            if not wanted.startswith(got):
                return None
    return starts


def _beside(text: str) -> str:
    """What stands in a line of headings and is none: a word that belongs to a row."""
    rest = _PAGE.sub("", _TITLE.sub("", text))
    columns, joined = "".join(_COLUMNS).replace(" ", ""), rest.replace(" ", "")
    return joined.removeprefix(columns)


def _read_page(
    report: Report,
    page: Sequence[tuple[float, Sequence[dict[str, Any]]]],
    places: dict[str, float],
    carried: dict[str, str],
    number: int,
) -> None:
    rows: list[tuple[float, dict[str, str]]] = []
    reasons: list[tuple[float, str]] = []
    for top, words in page:
        text = " ".join(w["text"] for w in words)
        if _header(words) or _TITLE.search(text) or _PAGE.fullmatch(text):
            if beside := _beside(text):
                at = f"page {number}, {top:.0f} points from the top"
                report.rejects.append((at, "WRONG_SHAPE", f"{fields.shown(beside)} stands in a line of headings", text))
            continue
        cells = dict.fromkeys(_COLUMNS, "")
        for word in words:
            column = [_COLUMNS[0], *(c for c in _COLUMNS if word["x0"] >= places[c] - _SLACK)][-1]
            cells[column] = f"{cells[column]} {word['text']}".strip()
        if cells["Reason"] and not any(cells[c] for c in _COLUMNS[:-1]):
            reasons.append((top, cells["Reason"]))
        else:
            rows.append((top, cells))
    for top, reason in reasons:
        if rows:
            nearest = min(rows, key=lambda r: abs(r[0] - top))
            own = nearest[1]["Reason"]
            nearest[1]["Reason"] = f"{reason} {own}".strip() if top < nearest[0] else f"{own} {reason}".strip()
    for top, cells in rows:
        carried |= {name: cells[name] for name in carried if cells[name]}
        late = NOT_SUBMITTED in " ".join(cells.values()).upper()
        record = {
            "date": carried["Game Date"], "matchup": carried["Matchup"], "team": carried["Team"],
            "player": "" if late else cells["Player Name"], "status": "" if late else cells["Current Status"],
            "reason": NOT_SUBMITTED if late else cells["Reason"],
        }  # fmt: skip
        _add(report, f"page {number}, {top:.0f} points from the top", record)


def _add(report: Report, at: str, delivered: Mapping[str, Any]) -> None:
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
        add(status, _NAMES_OF_TEAMS[status], _NAMES_OF_TEAMS[status], None)

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


def _drop_strangers(report: Report) -> None:
    """Hold back records whose game another one contradicts: a team plays one game a day, the one that most name.

    Whoever is named there may be anybody of his team.
    """
    games = Counter((r["game_date"], code, r["away_team"], r["home_team"]) for r in report.records
                    for code in (r["away_team"], r["home_team"]))  # fmt: skip
    most: dict[tuple[date, str], int] = {}
    for (day, code, *_), count in games.items():
        most[day, code] = max(most.get((day, code), 0), count)
    mine = {(r["game_date"], r["team_name"]): (r["away_team"], r["home_team"]) for r in report.records}
    kept, strangers = [], []
    for r in report.records:
        of_game = (r["away_team"], r["home_team"])
        if all(games[r["game_date"], code, *of_game] == most[r["game_date"], code] for code in of_game):
            kept.append(r)
            mine[r["game_date"], r["team_name"]] = of_game
        else:
            strangers.append(r)
    for r in strangers:
        detail = f"{r['player_name']} is named for {r['away_team']}@{r['home_team']}, and most others for another game"
        report.rejects.append((r["source_name"], "CONTRADICTORY_ROW", detail, {k: str(v) for k, v in r.items()}))
        away, home = mine[r["game_date"], r["team_name"]]
        unknown = _NAMES_OF_TEAMS[raw.NAME_UNREADABLE]
        kept.append({**r, "away_team": away, "home_team": home, "source_name": unknown, "player_name": unknown,
                     "status": raw.NAME_UNREADABLE, "reason": None})  # fmt: skip
    report.records = kept
