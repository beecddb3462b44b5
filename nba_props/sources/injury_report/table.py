"""The table of a published report, from the words of its pages.

It is printed without rules: words are put into columns by the positions of the header, and a reason of several lines
belongs to the player nearest above or below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nba_props.facts.calendar import EASTERN, YEARS
from nba_props.sources import pdf_words
from nba_props.sources.injury_report.records import NOT_SUBMITTED, Report, add_record
from nba_props.storage import fields
from nba_props.storage.landing import Payload, PayloadError

_COLUMNS = ("Game Date", "Game Time", "Matchup", "Team", "Player Name", "Current Status", "Reason")
_TITLE = re.compile(r"Injury\s*Report:\s*(\d{2}/\d{2}/\d{2})\s*(\d{1,2}:\d{2}\s*[AP]M)")
_PAGE = re.compile(r"Page\s*\d+\s*of\s*\d+")
#: words that start this close to a column's place belong to it, in points
_SLACK = 4.0


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
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: no title Injury Report with date and time")
    try:
        local = datetime.strptime(f"{title[1]} {title[2].replace(' ', '')}", "%m/%d/%y %I:%M%p")  # noqa: DTZ007
        if local.year not in YEARS:
            raise ValueError(f"{local.year} is not a plausible year of a report")
    except ValueError as error:
        raise PayloadError("BAD_TIME", f"{payload.path}: the title is {title[0]!r}: {error}") from error
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


def _without_headings(text: str) -> str:
    """The text of a line of headings that is not one of them, and so belongs to a row."""
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
            if stray := _without_headings(text):
                at = f"page {number}, {top:.0f} points from the top"
                report.rejects.append((at, "WRONG_SHAPE", f"{fields.shown(stray)} is in a line of headings", text))
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
        add_record(report, f"page {number}, {top:.0f} points from the top", record)
