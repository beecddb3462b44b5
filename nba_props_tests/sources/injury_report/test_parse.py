"""The injury report as the league prints it, as others parsed it, and as it must not be read."""

from __future__ import annotations

import io
import random
import time
import zlib
from datetime import date, timedelta

import pytest

from nba_props.sources import pdf_words
from nba_props.sources.injury_report.capture import fetch
from nba_props.sources.injury_report.client import report_instants, url_of
from nba_props.sources.injury_report.parse import parse_pdf, read_reports
from nba_props.storage.landing import Payload, PayloadError
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


def pdf(*pages, embedded: bool = False) -> bytes:
    """A document with text at the given places; letters stay letters. Its font is one that every reader has, or is
    embedded, which takes ten times as long as all the rest.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    sink = io.BytesIO()
    font = {"pdf.fonttype": 42} if embedded else {"pdf.use14corefonts": True, "font.family": "Helvetica"}
    with mpl.rc_context(font), PdfPages(sink) as document:
        for page in pages:
            figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
            for top, fields in page:
                for column, text in fields.items():
                    figure.text(PLACES[column] / WIDTH, 1 - top / HEIGHT, text, fontsize=8, va="top")
            document.savefig(figure)
    return sink.getvalue()


@pytest.fixture(scope="module")
def document() -> bytes:
    return pdf(FIRST_PAGE, SECOND_PAGE, embedded=True)


def test_the_table_of_the_pdf_becomes_records(document):
    report = parse_pdf(document, PAYLOAD)
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
def test_a_document_that_is_not_a_report_is_refused(content, reason):
    with pytest.raises(PayloadError) as failure:
        parse_pdf(content, PAYLOAD)
    assert failure.value.reason == reason


def test_a_truncated_document_is_refused(document):
    with pytest.raises(PayloadError):
        parse_pdf(document[: len(document) // 2], PAYLOAD)


def test_an_unknown_status_is_held_back_and_the_others_count():
    odd = [(95, {**FIRST_PAGE[2][1], "Current Status": "Day-To-Day"}), FIRST_PAGE[6]]
    report = parse_pdf(pdf([*FIRST_PAGE[:2], *odd]), PAYLOAD)
    assert [(r["player_name"], r["status"]) for r in report.records] == [
        ("Max Strus", "STATUS_UNREADABLE"),
        ("Landry Shamet", "DOUBTFUL"),
    ]
    ((place, reason, detail, _),) = report.rejects
    assert place.startswith("page 1, ")
    assert (reason, "Day-To-Day" in detail) == ("UNKNOWN_STATUS", True)


@pytest.mark.parametrize("line", [0, 1])
def test_words_of_a_row_in_a_heading_line_are_held_back(line):
    top, headings = FIRST_PAGE[line]
    odd = (top, {**headings, "Reason": headings.get("Reason", "") + " Strus"})
    report = parse_pdf(pdf([odd if n == line else row for n, row in enumerate(FIRST_PAGE)]), PAYLOAD)
    assert len(report.records) == 5
    ((_, reason, detail, _),) = report.rejects
    assert (reason, detail) == ("WRONG_SHAPE", "'Strus' is in a line of headings")


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
        ({"date": "12/25/0001"}, "BAD_TIME", []),
        ({"date": "12/31/9999"}, "BAD_TIME", []),
        ({"date": "12/29/2025"}, "BAD_TIME", []),
        ({"matchup": "CLE@CLE"}, "UNKNOWN_TEAM", []),
        ({"matchup": "CLE@XYZ"}, "UNKNOWN_TEAM", []),
        ({"player": "Wade\u202e, Dean"}, "BAD_FIELD", ["NAME UNREADABLE: NAME_UNREADABLE"]),
        ({"player": "[/i], Dean"}, "MISSING_NAME", ["NAME UNREADABLE: NAME_UNREADABLE"]),
        ({"status": ["Out"]}, "BAD_FIELD", ["Dean Wade: STATUS_UNREADABLE"]),
        ({"reason": "x" * 301}, "BAD_FIELD", ["Dean Wade: OUT"]),
    ],
)
def test_records_of_other_tools_are_validated_the_same(zone, change, reason, kept):
    good = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "Cleveland Cavaliers", "player": "Strus, Max",
            "status": "Out", "reason": ""}  # fmt: skip
    zone.land(
        "injury_report/2025-12-25/report-20251225T181500Z.json.gz",
        {
            "metadata": {"report_at": "2025-12-25T18:15:00Z"},
            "records": [good, {**good, "player": "Wade, Dean", **change}, 7],
        },
    )
    parsed = read_reports(zone, [DAY])
    found = [
        f"{name}: {status}" for name, status in zip(parsed.frame["player_name"], parsed.frame["status"], strict=True)
    ]
    assert found == ["Max Strus: OUT", *kept], "no named player counts as available"
    assert set(parsed.frame["report_at"]) == {AT}
    assert [r.reason for r in parsed.rejects] == [reason, "BAD_FIELD"]


GOOD = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "Cleveland Cavaliers", "player": "Strus, Max",
        "status": "Out", "reason": ""}  # fmt: skip


def records(zone, *found, at: str = "2025-12-25T18:15:00Z"):
    content = {"metadata": {"report_at": at}, "records": list(found)}
    zone.land("injury_report/2025-12-25/report-20251225T181500Z.json.gz", content)
    parsed = read_reports(zone, [DAY])
    rows = zip(parsed.frame["player_name"], parsed.frame["home_team"], parsed.frame["status"], strict=True)
    return [" ".join(r) for r in rows], [r.reason for r in parsed.rejects]


def test_a_player_with_two_statuses_in_one_report_has_no_status(zone):
    found = records(zone, GOOD, {**GOOD, "player": "Wade, Dean"}, {**GOOD, "status": "Questionable"}, GOOD)
    assert found == (["Dean Wade NYK OUT", "Max Strus NYK STATUS_UNREADABLE"], ["CONFLICTING_ROWS"] * 3)


def test_a_record_that_contradicts_the_others_on_the_game_leaves_its_team_unknown(zone):
    others = [{**GOOD, "player": f"Wade{'abc'[i] * 3}, Dean"} for i in range(3)]
    found, reasons = records(zone, *others, {**GOOD, "matchup": "CLE@BOS"})
    assert (found[-1], len(found), reasons) == ("NAME UNREADABLE NYK NAME_UNREADABLE", 4, ["CONTRADICTORY_ROW"])


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2025-12-20T18:15:00Z", "2035-12-25T18:15:00Z"]
)
def test_a_report_of_another_time_than_its_folder_is_refused(zone, at):
    assert records(zone, GOOD, at=at) == ([], ["BAD_TIME"])


# -- documents that want to hurt --------------------------------------------------------------------------------------

SHOWN = b"BT /F1 12 Tf 50 500 Td (Injury Report: 12/25/25 01:15 PM) Tj ET"


def written(stream: bytes, filters: str = "/FlateDecode", pages: int = 1) -> bytes:
    """A PDF by hand: pages with the same stream for content."""
    kids = " ".join(f"{n} 0 R" for n in range(5, 5 + pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]/Contents 3 0 R/Resources<</Font<</F1 4 0 R>>>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids [{kids}]/Count {pages}>>".encode(),
        f"<</Length {len(stream)}/Filter {filters}>>\nstream\n".encode() + stream + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", *[page] * pages,
    ]  # fmt: skip
    found, places = b"%PDF-1.4\n", []
    for n, one in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(found))
        found += b"%d 0 obj\n" % n + one + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(places)
    return found + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, len(found))


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()


HURTING = {
    "a bomb in a bomb": lambda: written(zlib.compress(bomb(150), 9), "[/FlateDecode /FlateDecode]"),
    "a million rectangles": lambda: written(zlib.compress(b"0 0 1 1 re f " * 1_000_000)),
    "61 pages": lambda: written(zlib.compress(SHOWN), pages=61),
}
HURTING_LONGER = {
    "a bomb": lambda: written(bomb(1000)),
    "three million states": lambda: written(zlib.compress(b"q " * 3_000_000)),
    "a million words": lambda: written(zlib.compress(b"BT /F1 1 Tf " + b"(a b c d e f g) Tj " * 200_000 + b"ET")),
    "a broken stream": lambda: written(zlib.compress(bytes(range(256)) * 20_000)[:-2] + b"xx"),
}


@pytest.mark.parametrize("kind", [*HURTING, *(pytest.param(k, marks=pytest.mark.long) for k in HURTING_LONGER)])
def test_a_malicious_document_ends_its_reader_and_the_next_one_is_read(kind):
    hurting = (HURTING | HURTING_LONGER)[kind]()
    assert len(hurting) < 1_100_000
    start = time.monotonic()
    with pdf_words.Reader(most_seconds=2.0, most_memory=100_000_000) as read:
        read(written(zlib.compress(SHOWN)))
        with pytest.raises(pdf_words.UnreadablePdf):
            read(hurting)
        assert [w["text"] for w in read(written(zlib.compress(SHOWN)))[0]][:2] == ["Injury", "Report:"]
    assert time.monotonic() - start < 60, "not a second longer than it may take, on a machine that is busy"


def test_a_malicious_document_does_not_affect_the_others(zone, document):
    zone.land_bytes("injury_report/2025-12-25/report-20251225T120000Z.pdf", HURTING["61 pages"]())
    zone.land_bytes(PAYLOAD.path, document)
    parsed = read_reports(zone, [DAY])
    assert (len(parsed.frame), [r.reason for r in parsed.rejects]) == (6, ["NOT_PDF"])
    assert "more than 60 pages" in parsed.rejects[0].detail


@pytest.mark.parametrize("flips", [60, pytest.param(3000, marks=pytest.mark.long)])
def test_flipped_bytes_of_a_document_raise_only_that_it_is_invalid(flips):
    rng, good = random.Random(7), written(zlib.compress(SHOWN))  # noqa: S311 - no secret
    with pdf_words.Reader() as read:
        for _ in range(flips):
            data = bytearray(good)
            for _ in range(rng.randint(1, 6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            cut = bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
            with pytest.raises(PayloadError) as refused:  # it never had a table
                parse_pdf(cut, PAYLOAD, read)
            assert refused.value.reason in ("NOT_PDF", "WRONG_SHAPE", "BAD_TIME")


def test_reports_of_a_date_come_one_after_the_other(zone, document):
    zone.land_bytes(PAYLOAD.path, document)
    earlier = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "Cleveland Cavaliers", "player": "Strus, Max",
               "status": "Questionable", "reason": ""}  # fmt: skip
    zone.land("injury_report/2025-12-25/report-20251225T130000Z.json", {"records": [earlier]})
    zone.land_bytes("injury_report/2025-12-25/report-20251225T190000Z.pdf", b"%PDF-1.4 cut")
    parsed = read_reports(zone, [DAY])
    strus = parsed.frame[parsed.frame["player_name"] == "Max Strus"].sort_values("report_at")
    assert strus["status"].tolist() == ["QUESTIONABLE", "OUT"]
    assert set(parsed.frame["game_date"].dt.date) == {DAY}, "tomorrow's games of the report are tomorrow's"
    assert [r.reason for r in parsed.rejects] == ["NOT_PDF"]
    assert parsed.remarks == {DAY: {"not_submitted": ["Oklahoma City Thunder"]}}


def test_a_team_that_has_submitted_since_is_no_longer_pending(zone, document):
    zone.land_bytes(PAYLOAD.path, document)
    late = {"date": "12/25/2025", "matchup": "CLE@NYK", "team": "New York Knicks", "player": "", "status": "",
            "reason": "NOT YET SUBMITTED"}  # fmt: skip
    zone.land("injury_report/2025-12-25/report-20251225T130000Z.json", {"records": [late]})
    assert read_reports(zone, [DAY]).remarks == {DAY: {"not_submitted": ["Oklahoma City Thunder"]}}
    tomorrow = {**late, "date": "12/26/2025"}
    zone.land("injury_report/2025-12-25/report-20251225T200000Z.json", {"records": [tomorrow]})
    parsed = read_reports(zone, [DAY + timedelta(1)])
    assert parsed.remarks == {DAY + timedelta(1): {"not_submitted": ["New York Knicks"]}}, (
        "each date's by its newest report"
    )


def test_addresses_before_and_after_the_league_changed_them():
    assert url_of(utc(2025, 12, 1, 22, 30)).endswith("/Injury-Report_2025-12-01_05PM.pdf")
    assert url_of(utc(2026, 1, 4, 22, 30)).endswith("/Injury-Report_2026-01-04_05_30PM.pdf")
    assert url_of(utc(2026, 1, 5, 5, 0)).endswith("/Injury-Report_2026-01-05_12_00AM.pdf")
    assert report_instants(utc(2026, 1, 4, 22, 44))[0] == utc(2026, 1, 4, 22, 30)
    assert report_instants(utc(2025, 12, 1, 22, 20))[0] == utc(2025, 12, 1, 21, 30)


def test_the_newest_report_there_is_is_landed_once(server, zone, document):
    server.on("/Injury-Report_2025-12-25_01_30PM.pdf", Answer(b"denied", 403))
    server.on("/Injury-Report_2025-12-25_01_15PM.pdf", Answer(document))
    now = lambda: AT + timedelta(minutes=20)
    done = fetch(zone, now, server.url)
    assert done.landed == [PAYLOAD.path]
    assert zone.load_bytes(PAYLOAD) == document
    assert fetch(zone, now, server.url).present == 1
    assert len(read_reports(zone, [DAY]).frame) == 6


def test_a_missing_report_is_reported_and_nothing_is_landed(server, zone):
    done = fetch(zone, lambda: AT, server.url)
    assert done.landed == []
    assert "there is none of the last two hours (404)" in done.failures[0]
    for at in report_instants(AT):
        server.on(url_of(at, ""), Answer(b"<html>blocked</html>"))
    assert "(no PDF)" in fetch(zone, lambda: AT, server.url).failures[0]
    server.on(url_of(AT, ""), Answer(drop=True))
    assert "ConnectionError; what was landed before stays in use" in fetch(zone, lambda: AT, server.url).failures[0]
