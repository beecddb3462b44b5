"""The injury report as the league prints it, as others parsed it, and as it must not be read."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest

from nba_props.sources import injury_report
from nba_props.sources.landing import Payload, PayloadError
from nba_props_tests.conftest import utc
from nba_props_tests.sources.fake_server import Answer

DAY = date(2025, 12, 25)
AT = utc(2025, 12, 25, 18, 15)  # 13:15 Eastern
PAYLOAD = Payload("injury_report/2025-12-25/report-20251225T181500Z.pdf")
PLACES = {
    "Game Date": 23,
    "Game Time": 120,
    "Matchup": 200,
    "Team": 270,
    "Player Name": 425,
    "Current Status": 588,
    "Reason": 665,
}
HEIGHT, WIDTH = 595.0, 842.0

#: points from the top, and what stands in which column
FIRST_PAGE = [
    (40, {"Game Date": "Injury Report: 12/25/25 01:15 PM"}),
    (70, {c: c for c in PLACES}),
    (95, {"Game Date": "12/25/2025", "Game Time": "12:00 (ET)", "Matchup": "CLE@NYK", "Team": "Cleveland Cavaliers",
          "Player Name": "Strus, Max", "Current Status": "Out", "Reason": "Injury/Illness - Left Foot; Surgery"}),
    (115, {"Reason": "Injury/Illness - Right Great Toe;"}),
    (120, {"Player Name": "Porter Jr., Craig", "Current Status": "Questionable"}),
    (125, {"Reason": "Inflammation"}),
    (150, {"Team": "New York Knicks", "Player Name": "Shamet, Landry", "Current Status": "Doubtful", "Reason": "Injury/Illness"}),
    (175, {"Game Time": "02:30 (ET)", "Matchup": "SAS@OKC", "Team": "San Antonio Spurs", "Player Name": "Wembanyama, Victor",
           "Current Status": "Available", "Reason": "Return to Competition"}),
    (200, {"Team": "Oklahoma City Thunder", "Reason": "NOT YET SUBMITTED"}),
    (560, {"Reason": "Page 1 of 2"}),
]  # fmt: skip
SECOND_PAGE = [
    (40, {"Game Date": "Injury Report: 12/25/25 01:15 PM"}),
    (70, {c: c for c in PLACES}),
    (95, {"Player Name": "Sorber, Thomas", "Current Status": "Out", "Reason": "Injury/Illness - Right Knee; ACL"}),
    (120, {"Game Date": "12/26/2025", "Game Time": "07:00 (ET)", "Matchup": "BOS@IND", "Team": "Boston Celtics",
           "Player Name": "Tatum, Jayson", "Current Status": "Out", "Reason": "Injury/Illness - Right Achilles; Repair"}),
    (145, {"Team": "Indiana Pacers", "Player Name": "McConnell, T.J.", "Current Status": "Probable", "Reason": "Rest"}),
    (560, {"Reason": "Page 2 of 2"}),
]  # fmt: skip


def pdf(*pages) -> bytes:
    """A document with text at the given places; letters stay letters."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    sink = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(sink) as document:
        for page in pages:
            figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
            for top, fields in page:
                for column, text in fields.items():
                    figure.text(PLACES[column] / WIDTH, 1 - top / HEIGHT, text, fontsize=8, va="top")
            document.savefig(figure)
    return sink.getvalue()


@pytest.fixture(scope="module")
def document() -> bytes:
    return pdf(FIRST_PAGE, SECOND_PAGE)


def test_the_table_of_the_pdf_becomes_records(document):
    report = injury_report.parse_pdf(document, PAYLOAD)
    assert report.report_at == AT
    assert report.rejects == []
    found = {r["player_name"]: r for r in report.records}
    assert list(found) == [
        "Max Strus", "Craig Porter Jr.", "Landry Shamet", "Victor Wembanyama", "NOT YET SUBMITTED", "Thomas Sorber",
        "Jayson Tatum", "T.J. McConnell",
    ]  # fmt: skip
    assert found["NOT YET SUBMITTED"] == {
        "game_date": DAY, "away_team": "SAS", "home_team": "OKC", "team_name": "Oklahoma City Thunder",
        "source_name": "NOT YET SUBMITTED", "player_name": "NOT YET SUBMITTED", "status": "NOT_SUBMITTED", "reason": None,
    }  # fmt: skip
    assert found["Max Strus"] == {
        "game_date": DAY, "away_team": "CLE", "home_team": "NYK", "team_name": "Cleveland Cavaliers",
        "source_name": "Strus, Max", "player_name": "Max Strus", "status": "OUT",
        "reason": "Injury/Illness - Left Foot; Surgery",
    }  # fmt: skip
    assert found["Craig Porter Jr."]["reason"] == "Injury/Illness - Right Great Toe; Inflammation"
    assert (found["Landry Shamet"]["team_name"], found["Landry Shamet"]["home_team"]) == ("New York Knicks", "NYK")
    sorber = found["Thomas Sorber"]
    assert (sorber["team_name"], sorber["game_date"]) == ("Oklahoma City Thunder", DAY), "carried over the page"
    assert found["Jayson Tatum"]["game_date"] == date(2025, 12, 26)
    assert found["T.J. McConnell"]["status"] == "PROBABLE"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "NOT_PDF"),
        (b"<html>403</html>", "NOT_PDF"),
        (pdf([(40, {"Game Date": "Referee Assignments"})]), "WRONG_SHAPE"),
        (pdf([FIRST_PAGE[0], *FIRST_PAGE[2:]]), "WRONG_SHAPE"),
    ],
)
def test_what_is_no_report_is_refused(content, reason):
    with pytest.raises(PayloadError) as failure:
        injury_report.parse_pdf(content, PAYLOAD)
    assert failure.value.reason == reason


def test_a_cut_off_document_is_refused(document):
    with pytest.raises(PayloadError):
        injury_report.parse_pdf(document[: len(document) // 2], PAYLOAD)


def test_a_status_nobody_knows_is_held_back_and_the_others_count():
    odd = [(95, {**FIRST_PAGE[2][1], "Current Status": "Day-To-Day"}), FIRST_PAGE[6]]
    report = injury_report.parse_pdf(pdf([*FIRST_PAGE[:2], *odd]), PAYLOAD)
    assert [(r["player_name"], r["status"]) for r in report.records] == [
        ("Max Strus", "STATUS_UNREADABLE"),
        ("Landry Shamet", "DOUBTFUL"),
    ]
    ((place, reason, detail, _),) = report.rejects
    assert place.startswith("page 1, ")
    assert (reason, "Day-To-Day" in detail) == ("UNKNOWN_STATUS", True)


@pytest.mark.parametrize(
    ("change", "reason", "kept"),
    [
        ({"status": "Gtd"}, "UNKNOWN_STATUS", ["Dean Wade: STATUS_UNREADABLE"]),
        ({"matchup": "Knicks"}, "WRONG_SHAPE", []),
        ({"player": "Max Strus"}, "WRONG_SHAPE", ["NAME UNREADABLE: NAME_UNREADABLE"]),
        ({"player": ""}, "WRONG_SHAPE", ["NAME UNREADABLE: NAME_UNREADABLE"]),
        ({"player": ".,."}, "MISSING_NAME", ["NAME UNREADABLE: NAME_UNREADABLE"]),
        ({"team": " "}, "MISSING_NAME", []),
        ({"date": "2025-12-25"}, "BAD_TIME", []),
    ],
)
def test_records_of_others_are_judged_the_same(zone, change, reason, kept):
    good = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "Cleveland Cavaliers", "player": "Strus, Max",
            "status": "Out", "reason": ""}  # fmt: skip
    zone.land(
        "injury_report/2025-12-25/report-20251225T181500Z.json.gz",
        {
            "metadata": {"report_at": "2025-12-25T18:15:00Z"},
            "records": [good, {**good, "player": "Wade, Dean", **change}, 7],
        },
    )
    parsed = injury_report.read_reports(zone, [DAY])
    found = [
        f"{name}: {status}" for name, status in zip(parsed.frame["player_name"], parsed.frame["status"], strict=True)
    ]
    assert found == ["Max Strus: OUT", *kept], "nobody who is named passes for available"
    assert set(parsed.frame["report_at"]) == {AT}
    assert [r.reason for r in parsed.rejects] == [reason, "BAD_FIELD"]


def test_reports_of_a_date_come_one_after_the_other(zone, document):
    zone.land_bytes(PAYLOAD.path, document)
    earlier = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "Cleveland Cavaliers", "player": "Strus, Max",
               "status": "Questionable", "reason": ""}  # fmt: skip
    zone.land("injury_report/2025-12-25/report-20251225T130000Z.json", {"records": [earlier]})
    zone.land_bytes("injury_report/2025-12-25/report-20251225T190000Z.pdf", b"%PDF-1.4 cut")
    parsed = injury_report.read_reports(zone, [DAY])
    strus = parsed.frame[parsed.frame["player_name"] == "Max Strus"].sort_values("report_at")
    assert strus["status"].tolist() == ["QUESTIONABLE", "OUT"]
    assert set(parsed.frame["game_date"].dt.date) == {DAY}, "tomorrow's games of the report are tomorrow's"
    assert [r.reason for r in parsed.rejects] == ["NOT_PDF"]
    assert parsed.remarks["not_submitted"] == ["2025-12-25 Oklahoma City Thunder"]


def test_a_team_that_has_submitted_since_is_waited_for_no_more(zone, document):
    zone.land_bytes(PAYLOAD.path, document)
    late = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "New York Knicks", "player": "", "status": "",
            "reason": "NOT YET SUBMITTED"}  # fmt: skip
    zone.land("injury_report/2025-12-25/report-20251225T130000Z.json", {"records": [late]})
    assert injury_report.read_reports(zone, [DAY]).remarks["not_submitted"] == ["2025-12-25 Oklahoma City Thunder"]
    tomorrow = {**late, "date": "12/26/2025"}
    zone.land("injury_report/2025-12-25/report-20251225T200000Z.json", {"records": [tomorrow]})
    parsed = injury_report.read_reports(zone, [DAY + timedelta(1)])
    assert parsed.remarks["not_submitted"] == ["2025-12-26 New York Knicks"], "each date's by its newest report"


def test_addresses_before_and_after_the_league_changed_them():
    assert injury_report.url_of(utc(2025, 12, 1, 22, 30)).endswith("/Injury-Report_2025-12-01_05PM.pdf")
    assert injury_report.url_of(utc(2026, 1, 4, 22, 30)).endswith("/Injury-Report_2026-01-04_05_30PM.pdf")
    assert injury_report.url_of(utc(2026, 1, 5, 5, 0)).endswith("/Injury-Report_2026-01-05_12_00AM.pdf")
    assert injury_report.report_instants(utc(2026, 1, 4, 22, 44))[0] == utc(2026, 1, 4, 22, 30)
    assert injury_report.report_instants(utc(2025, 12, 1, 22, 20))[0] == utc(2025, 12, 1, 21, 30)


def test_the_newest_report_there_is_is_landed_once(server, zone, document):
    server.on("/Injury-Report_2025-12-25_01_30PM.pdf", Answer(b"denied", 403))
    server.on("/Injury-Report_2025-12-25_01_15PM.pdf", Answer(document))
    now = lambda: AT + timedelta(minutes=20)
    done = injury_report.fetch(zone, now, server.url)
    assert done.landed == [PAYLOAD.path]
    assert zone.load_bytes(PAYLOAD) == document
    assert injury_report.fetch(zone, now, server.url).present == 1
    assert len(injury_report.read_reports(zone, [DAY]).frame) == 6


def test_no_report_is_said_and_nothing_landed(server, zone):
    done = injury_report.fetch(zone, lambda: AT, server.url)
    assert done.landed == []
    assert "none of the last two hours can be had (404)" in done.failures[0]
    for at in injury_report.report_instants(AT):
        server.on(injury_report.url_of(at, ""), Answer(b"<html>blocked</html>"))
    assert "(no PDF)" in injury_report.fetch(zone, lambda: AT, server.url).failures[0]
    server.on(injury_report.url_of(AT, ""), Answer(drop=True))
    assert (
        "ConnectionError; what was landed before stays in use"
        in injury_report.fetch(zone, lambda: AT, server.url).failures[0]
    )
