"""What is in a landing zone and not a payload; and payloads that break no reader."""

from __future__ import annotations

import gzip
import json
import os
import socket
import time
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from nba_props.catalog import TABLES
from nba_props.deployment import aliases_of
from nba_props.schemas import raw
from nba_props.settings import SettingsError
from nba_props.sources import nba_stats, odds_api, registry
from nba_props.sources.injury_report.parse import read_reports
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.nba_stats.scoring_shares import read_scoring
from nba_props.sources.odds_api import capture
from nba_props.sources.odds_api.client import Budget
from nba_props.sources.rejects import quarantine_frame
from nba_props.storage import naming
from nba_props.storage.landing import LandingError, LandingZone, Payload, PayloadError, read_aliases, reading
from nba_props_tests import league
from nba_props_tests.conftest import DAY, make_settings, utc

GAMES = [g for g in league.games() if g.day == DAY]
GOOD_PATH, GOOD = league.capture(GAMES[0], 60)
FOLDER = odds_api.folder(DAY)

# -- names that come from outside -------------------------------------------------------------------------------------

HOSTILE_IDS: list[Any] = [
    "../../../etc/cron.d/x", "/etc/passwd", "a/b", "a\\b", "..", ".", "", ".hidden", "a\x00b", "x" * 5000, "a b", "é",
    "\u202eb", "\ud800", "a\nb", "%2e%2e%2f", "a.json", {"a": 1}, ["../"], None, 7, True, float("nan"), 10**400,
]  # fmt: skip


@pytest.mark.parametrize("event_id", HOSTILE_IDS, ids=lambda i: repr(i)[:30])
def test_an_invalid_event_id_is_landed_under_its_hash_within_the_zone_and_held_back(tmp_path, event_id):
    zone = LandingZone(str(tmp_path / "zone"))
    event = {**GOOD["data"], "id": event_id}
    at = GAMES[0].tipoff_at - timedelta(minutes=30)

    class Api:
        budget = Budget(0)

        def events(self, first, last):
            return [event]

        def event_odds(self, asked, markets, regions):
            return event

    done = capture.odds(Api(), zone, DAY, lambda: at, "us")
    expected = f"{FOLDER}/{naming.id_part(event_id)}-20251110T233000Z.json.gz"
    if isinstance(event_id, str):
        assert (done.failures, done.landed) == ([], [expected])
    else:  # nothing can be asked for under it; somebody else's capture may be landed all the same
        assert (len(done.failures), done.landed) == (1, [])
        zone.land(expected, event)
    path = expected
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files == [tmp_path / "zone" / path], "nothing lies anywhere else"
    zone.land(GOOD_PATH, GOOD)
    rows, rejects = odds_api.read_day(zone, DAY)
    assert {r["payload"] for r in rows} == {GOOD_PATH}
    assert [(r.payload, r.reason) for r in rejects] == [(path, "WRONG_SHAPE" if event_id is None else "BAD_ID")]
    assert len(rejects[0].detail) < 300
    assert len(quarantine_frame(raw.QUARANTINED_QUOTES, rejects, DAY)) == 1
    assert zone.strays(registry.layout()) == []


def test_different_ids_have_different_names_and_good_ones_their_own():
    names = [naming.id_part(i) for i in HOSTILE_IDS]
    assert len(set(names)) == len(names)
    assert all(naming.is_part(n) and n.startswith("hash-") for n in names)
    for known in (GOOD["data"]["id"], "0022500001", "2f0e9c64a2b5d1f7", "event-1_a"):
        assert naming.id_part(known) == known
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert naming.is_part(naming.id_part(deep))


@pytest.mark.parametrize(
    "path",
    ["../out.json", "a/../../out.json", "/etc/out.json", "", "a//b.json", "a/./b.json", ".hidden.json", "a/.hidden.json",
     "a\x00.json", "a/" + "x" * 300 + ".json", "a\\..\\b.json", "a/b\n.json", "a/\ud800.json", "~/x.json"],
)  # fmt: skip
def test_a_zone_writes_and_reads_nothing_outside_itself(tmp_path, path):
    for zone in (LandingZone(str(tmp_path / "zone")), LandingZone("memory://hostile-paths")):
        for write in (lambda z: z.land(path, {}), lambda z: z.land_bytes(path, b"x"), lambda z: z.has(path)):
            with pytest.raises(LandingError, match="not a path of a landing zone"):
                write(zone)
        with pytest.raises(PayloadError) as refused:
            zone.load(Payload(path))
        assert refused.value.reason == "BAD_NAME"
    assert list(tmp_path.rglob("*")) == []


def test_links_out_of_the_zone_are_not_followed_and_a_linked_zone_is_one(tmp_path):
    outside = tmp_path / "outside"
    for name in ("zone", "outside"):
        LandingZone(str(tmp_path / name)).land(GOOD_PATH, GOOD)
    root = tmp_path / "zone"
    (tmp_path / "linked").symlink_to(root)
    zone = LandingZone(str(tmp_path / "linked"))
    (root / FOLDER / "link-20251110T190000Z.json.gz").symlink_to(outside / GOOD_PATH)
    (root / FOLDER / "inner-20251110T190000Z.json.gz").symlink_to(root / GOOD_PATH)
    (root / "injury_report").symlink_to(outside)
    other = odds_api.folder(DAY + timedelta(2))
    (root / other).symlink_to(outside / FOLDER)
    assert zone.names(FOLDER) == [GOOD_PATH.rsplit("/", 1)[-1], "inner-20251110T190000Z.json.gz"]
    assert zone.names(other) == []
    assert odds_api.landed_days(zone) == [DAY]
    with pytest.raises(PayloadError, match="by a link") as refused:
        zone.load(Payload(f"{FOLDER}/link-20251110T190000Z.json.gz"))
    assert refused.value.reason == "BAD_NAME"
    for path in (f"{other}/new.json", f"injury_report/{DAY}/new.json"):
        with pytest.raises(LandingError, match="remove the link"):
            zone.land(path, {})
    assert len([p for p in outside.rglob("*") if p.is_file()]) == 1
    assert {p for p, why in zone.strays(registry.layout()) if "link" in why} == {
        "injury_report", other, f"{FOLDER}/link-20251110T190000Z.json.gz",
    }  # fmt: skip


# -- strays -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def littered(zone) -> tuple[LandingZone, dict[str, str]]:
    """A zone with payloads of each feed, and everything that has been found beside such."""
    league.land(zone)
    root = zone._path
    logs, logged = f"nba_stats/leaguegamelog/{league.SEASON}", f"{DAY}-regular-season"
    (root / f"{FOLDER}.bak").mkdir()
    (root / f"{FOLDER} (copy)").mkdir()
    (root / f"{FOLDER}.bak" / "inside.json").write_text("{}")
    for name in ("folder-20251110T190000Z.json.gz", "deep"):
        (root / FOLDER / name).mkdir()
    os.mkfifo(root / FOLDER / "fifo-20251110T190000Z.json.gz")
    os.mkfifo(root / logs / f"{logged}-20251112T190000Z.json.gz")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(root / FOLDER)  # the path of a socket is short
        bound.bind("socket.json")
        os.chdir(here)
    (root / FOLDER / "dangling-20251110T190000Z.json.gz").symlink_to(root / "nowhere")
    (root / FOLDER / "round.json").symlink_to(root / FOLDER / "round.json")
    for path in ("notes.txt", f"{logs}/notes.txt", f"{logs}/season.json", f"{FOLDER}/cafe\u0301.json",
                 f"{FOLDER}/a b.json", f"{FOLDER}/bad-20251399T996199Z.json.gz", f"{FOLDER}/old-18991231T000000Z.json",
                 f"{FOLDER}/.DS_Store", "nba_stats/scheduleleaguev2/latest.json", f"nba_stats/{DAY}.json",
                 "the_odds_api/readme.json"):  # fmt: skip
        (root / path).write_bytes(b"never read")
        os.utime(root / path, (1, 1))
    (root / FOLDER / ".4f").write_bytes(b"being landed")
    return zone, {
        "notes.txt": "payloads are not read directly from this folder",
        f"{logs}/notes.txt": "its name does not end in .json.gz, .json or .pdf",
        f"{logs}/season.json": "payloads of this folder are named otherwise",
        f"{logs}/{logged}-20251112T190000Z.json.gz": "not a regular file",
        f"{FOLDER}/cafe\u0301.json": "its name is too long, or has characters that payloads' names do not have",
        f"{FOLDER}/a b.json": "its name is too long, or has characters that payloads' names do not have",
        f"{FOLDER}/bad-20251399T996199Z.json.gz": "the instant in its name is not a valid time",
        f"{FOLDER}/old-18991231T000000Z.json": "the instant in its name is not a valid time",
        f"{FOLDER}/.DS_Store": "hidden",
        f"{FOLDER}/folder-20251110T190000Z.json.gz": "nothing is read from this folder",
        f"{FOLDER}/deep": "nothing is read from this folder",
        f"{FOLDER}/fifo-20251110T190000Z.json.gz": "not a regular file",
        f"{FOLDER}/socket.json": "not a regular file",
        f"{FOLDER}/dangling-20251110T190000Z.json.gz": "a link out of the zone, or a broken one",
        f"{FOLDER}/round.json": "a link out of the zone, or a broken one",
        f"{FOLDER}.bak": "nothing is read from this folder",
        f"{FOLDER} (copy)": "nothing is read from this folder",
        "nba_stats/scheduleleaguev2/latest.json": "payloads of this folder are named otherwise",
        f"nba_stats/{DAY}.json": "payloads are not read directly from this folder",
        "the_odds_api/readme.json": "payloads are not read directly from this folder",
    }


def everything(zone: LandingZone, day=DAY) -> dict[str, Any]:
    """What each reader makes of a date."""
    parsed = {
        "box scores": nba_stats.read_box_scores(zone, [day]),
        "schedule": nba_stats.read_schedule(zone, [day]),
        "shares": read_scoring(zone, [day]),
        "rosters": read_rosters(zone, [day]),
        "injuries": read_reports(zone, [day]),
    }
    rows, rejects = odds_api.read_day(zone, day)
    return {
        "quotes": (len(rows), [r.reason for r in rejects]),
        **{name: (len(p.frame), [r.reason for r in p.rejects]) for name, p in parsed.items()},
    }


def test_strays_are_named_with_the_reason_and_never_opened_or_read(littered, tmp_path):
    zone, wanted = littered
    assert dict(zone.strays(registry.layout())) == wanted
    clean = LandingZone(str(tmp_path / "clean"))
    clean._path.mkdir()
    league.land(clean)
    assert clean.strays(registry.layout()) == []
    assert everything(zone) == everything(clean)
    for folder in (FOLDER, f"nba_stats/leaguegamelog/{league.SEASON}", "nba_stats/scheduleleaguev2"):
        assert [n for n in zone.names(folder) if n not in clean.names(folder)] in ([], ["season.json"], ["latest.json"])
    assert zone.arrivals(FOLDER) == clean.arrivals(FOLDER), "a stray does not count as new"
    assert odds_api.landed_days(zone) == odds_api.landed_days(clean)
    assert set(zone.landed_at(FOLDER)) == set(clean.landed_at(FOLDER))
    assert zone.tree("the_odds_api/player_points")[str(DAY)] == clean.names(FOLDER)


def test_the_search_for_strays_stops_at_its_limit(zone):
    league.land(zone, days=2)
    for n in range(30):
        (zone._path / f"stray{n:02d}").mkdir()
    assert len(zone.strays(registry.layout(), most=10)) == 10


def test_a_bucket_names_its_strays_too():
    zone = LandingZone("memory://littered")
    zone._path.mkdir(parents=True, exist_ok=True)
    league.land(zone, days=4)
    assert zone.strays(registry.layout()) == []
    for path in ("notes.txt", f"{FOLDER}.bak/a.json", f"{FOLDER}.bak/b.json", f"{FOLDER}/bad-20251399T996199Z.json.gz"):
        zone._path.fs.pipe_file((zone._path / path).path, b"x")
    assert zone.strays(registry.layout()) == [
        ("notes.txt", "payloads are not read directly from this folder"),
        (f"{FOLDER}.bak", "nothing is read from this folder"),
        (f"{FOLDER}/bad-20251399T996199Z.json.gz", "the instant in its name is not a valid time"),
    ]
    assert zone.names(FOLDER) == []


def test_an_unreadable_payload_is_held_back_with_the_reason_and_the_others_are_read(zone, monkeypatch):
    league.land(zone)
    closed = f"{FOLDER}/closed-20251110T190000Z.json.gz"
    zone.land(closed, GOOD)
    clean = everything(zone)
    plain = os.open

    def guarded(path, flags, *mode):
        if str(path).endswith("closed-20251110T190000Z.json.gz"):
            raise PermissionError(13, "Permission denied", path)
        return plain(path, flags, *mode)

    monkeypatch.setattr(os, "open", guarded)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("closed-20251110T190000Z.json.gz"))
    rows, rejects = odds_api.read_day(zone, DAY)
    assert len(rows) == clean["quotes"][0] - 48
    assert [(r.payload, r.reason) for r in rejects] == [(closed, "UNREADABLE")]
    assert rejects[0].detail == f"{closed} can't be read: Permission denied"
    assert zone.strays(registry.layout()) == [(closed, "it can't be read: this user lacks permission")]
    full = OSError(24, "Too many open files")
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(OSError, match="Too many open files"):
        odds_api.read_day(zone, DAY)  # of that no payload is to blame


def test_a_fifo_named_like_a_payload_is_refused_at_once(zone):
    (zone._path / FOLDER).mkdir(parents=True)
    os.mkfifo(zone._path / FOLDER / "x.json")
    (zone._path / FOLDER / "y.json").mkdir()
    start, handles = time.monotonic(), len(os.listdir("/dev/fd"))
    for name in ("x.json", "y.json"):
        with pytest.raises(PayloadError, match="not a regular file"):
            zone.load(Payload(f"{FOLDER}/{name}"))
    assert time.monotonic() - start < 1
    assert len(os.listdir("/dev/fd")) == handles


def test_a_folder_that_can_not_be_listed_is_a_sentence(zone, monkeypatch):
    league.land(zone, days=2)

    def closed(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(LandingError, match=r"can't be listed: Permission denied\. Give this user the right to read it"):
        zone.names(FOLDER)
    assert "can't be listed" in zone.strays(registry.layout())[0][1]


# -- the zone's own files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"", b"\xff\xfe\x00", b"[" * 100_000, b'{"first_date": 5}', b'{"first_date": "2026-W02-5"}',
     b'{"first_date": "9999-01-01"}', b'{"data_source": {"a": 1}}', b'{"data_source": ""}', b'{"data_source": "../x"}',
     b"9" * 5000],
    ids=lambda c: c[:20],
)  # fmt: skip
def test_a_damaged_manifest_names_file_cause_and_way_out(zone, content):
    (zone._path / "landing.json").write_bytes(content)
    with pytest.raises(
        LandingError, match=r"landing\.json is not a manifest of a landing zone: .*\. Fix it, or move it"
    ):
        zone.data_source("X")


def test_a_manifest_that_is_not_a_file_or_too_large_is_a_sentence(zone):
    place = zone._path / "landing.json"
    os.mkfifo(place)
    with pytest.raises(LandingError, match="not a regular file"):
        zone.data_source("X")
    place.unlink()
    place.symlink_to(zone._path / "nowhere")  # it may have said that the league is simulated
    with pytest.raises(LandingError, match="can't be read"):
        zone.data_source("X")
    place.unlink()
    place.write_bytes(b"{}" + b" " * 2_000_000)
    with pytest.raises(LandingError, match="more than 1,000,000 bytes"):
        zone.data_source("X")
    place.write_text('{"data_source": "SIMULATED", "first_date": "2025-10-21"}')
    assert (LandingZone(zone.root).is_simulated, LandingZone(zone.root).first_date) == (True, league.FIRST)


def test_a_bad_line_of_the_aliases_is_skipped_and_named(zone, tmp_path):
    lines = [
        b"\xef\xbb\xbfalias,player_name", b"Ada A.,Ada Archer", b"x", b"", b'"Open,Ben Cole', b"Luka D\xf3n,Luka",
        b"Nul\x00l,Ben", b"a,b,c", "Rtl\u202e,Ben".encode(), b"y" * 200_000 + b",Ben", b",Ben", b"Cy,Cyrus Cole\r",
    ]  # fmt: skip
    (zone._path / "player_aliases.csv").write_bytes(b"\n".join(lines))
    assert zone.aliases() == (("Ada A.", "Ada Archer"), ("Cy", "Cyrus Cole"))
    found = zone.bad_aliases()
    assert [line.split(",")[1].split()[1].rstrip(":") for line in found] == ["3", "5", "6", "7", "8", "9", "10", "11"]
    assert "player_aliases.csv, line 6 is not in UTF-8" in found
    assert all(len(line) < 300 for line in found)
    assert [path for path, _ in zone.strays(registry.layout())] == ["player_aliases.csv"] * 8
    own = tmp_path / "own.csv"
    own.write_bytes(b"alias,player_name\nB.,Ben\nx\n")
    from dataclasses import replace

    settings = replace(make_settings(tmp_path), landing=zone.root, aliases_file=own)
    aliases, left_out = aliases_of(settings)
    assert aliases[-1] == ("B.", "Ben")
    assert left_out[-1].startswith(f"{own}, line 3: an alias and a player's name are needed")
    own.unlink()
    os.mkfifo(own)
    with pytest.raises(SettingsError, match=r"NBA_PROPS_ALIASES names .* not a regular file"):
        aliases_of(settings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("alias,player_name\nA,B".encode("utf-16"), "is not in UTF-8"),
        (b"alias\nA", "needs the columns alias and player_name, it has list"),
        (b"alias,player_name\n" + b"A,B\n" * 300_000, "more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_holds_no_aliases_names_the_way_out(content, said):
    with pytest.raises(LandingError, match=said) as refused:
        read_aliases(content, "player_aliases.csv")
    assert "Fix the file, or move it away" in str(refused.value)


# -- bounds -----------------------------------------------------------------------------------------------------------

TEN = reading.MOST_BYTES


def bomb() -> bytes:
    """A gigabyte of blanks in a megabyte."""
    block = gzip.compress(b" " * 10_000_000, mtime=0)
    return block * 100


def padded(inside: bytes, size: int = TEN) -> bytes:
    return inside[: size - 1].ljust(size - 1, b" ") + b"\n"


LARGE: dict[str, tuple[bytes, str]] = {
    "lists": (b"[" + b"[]," * (TEN // 3 - 1) + b"0]", "TOO_LARGE"),
    "objects": (b"[" + b'{"":0},' * 249_000 + b"0]", "WRONG_SHAPE"),
    "numbers": (b"[" + b"1.5," * 2_000_000 + b"0]", "TOO_LARGE"),
    "deep": (b"[" * 400_000, "TOO_LARGE"),
    "deep objects": (b'{"a":' * 100_000 + b"0" + b"}" * 100_000, "TOO_LARGE"),
    "51 deep": (b"[" * 51 + b"]" * 51, "TOO_LARGE"),
    "50 deep": (b"[" * 50 + b"]" * 50, "WRONG_SHAPE"),
    "many keys": (b"{" + b",".join(b'"%d":0' % n for n in range(300_000)) + b"}", "WRONG_SHAPE"),
    "long text": (b'{"data": "' + b"x" * (TEN - 20) + b'"}', "BAD_TIME"),
    "wide text": (('{"a": "\U0001f600' + "x" * (TEN - 20) + '"}').encode(), "WRONG_SHAPE"),
    "digits": (b"[" + b"9" * 4000 + b"]", "WRONG_SHAPE"),
    "too many digits": (b"9" * 5000, "NOT_JSON"),
    "long fraction": (b"[0." + b"9" * 9_000_000 + b"]", "WRONG_SHAPE"),
    "blanks": (padded(b"[]"), "WRONG_SHAPE"),
    "an inch too long": (padded(b"[]", TEN + 1), "TOO_LARGE"),
}


@pytest.mark.parametrize("kind", [*LARGE, "bomb", "bombs in bombs"])
def test_any_payload_of_ten_megabytes_takes_at_most_a_second_and_200_megabytes(zone, kind):
    data, reason = LARGE[kind] if kind in LARGE else (bomb(), "TOO_LARGE")
    name = f"x-20251110T190000Z.json{'' if kind in LARGE else '.gz'}"
    zone.land_bytes(f"{FOLDER}/{name}", gzip.compress(data) if kind == "bombs in bombs" else data)
    start = time.process_time()
    rows, rejects = odds_api.read_day(zone, DAY)
    took = time.process_time() - start
    assert ([r.reason for r in rejects], rows) == ([reason if kind != "bombs in bombs" else "NOT_JSON"], [])
    assert took < 2, "a second on a machine that does nothing else"
    if kind in ("lists", "objects", "wide text", "bomb"):
        tracemalloc.start()
        odds_api.read_day(zone, DAY)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200_000_000, f"{peak:,}"


def test_a_file_that_is_too_large_is_not_read(zone, monkeypatch):
    path = f"{FOLDER}/x-20251110T190000Z.json"
    zone.land_bytes(path, b"")
    os.truncate(zone._path / path, 50_000_000_000)  # a hole, which takes no place
    with pytest.raises(PayloadError, match="more than 10,000,000 bytes") as refused:
        zone.load(Payload(path))
    assert refused.value.reason == "TOO_LARGE"
    bucket = LandingZone("memory://too-large")
    bucket._path.mkdir(parents=True, exist_ok=True)
    bucket.land(GOOD_PATH, GOOD)
    bucket.land_bytes(path, b" " * 10_000_001)
    reads = []
    plain = type(bucket._path.fs).cat_file
    monkeypatch.setattr(
        type(bucket._path.fs), "cat_file", lambda self, p, *a, **k: reads.append(p) or plain(self, p, *a, **k)
    )
    rows, rejects = odds_api.read_day(bucket, DAY)
    assert ([r.reason for r in rejects], len(rows)) == (["TOO_LARGE"], 48)
    assert not any("x-2025" in p for p in reads)


def test_a_payload_with_more_rows_than_any_real_one_is_refused(zone):
    many = reading.MOST_ROWS + 1
    log = json.loads(json.dumps(league.capture(GAMES[0], 60)[1]))
    log["data"]["bookmakers"][0]["markets"][0]["outcomes"] = [0] * many
    zone.land(f"{FOLDER}/x.json", log)
    assert [r.reason for r in odds_api.read_day(zone, DAY)[1]] == ["TOO_LARGE"]
    rows = [r for g in GAMES for r in league.log_rows(g)]
    from nba_props.simulator import payloads

    content = payloads.game_log(league.SEASON, "Regular Season", DAY, rows[:1])
    content["resultSets"][0]["rowSet"] = [0] * many
    zone.land(league.log_path(DAY), content)
    assert [r.reason for r in nba_stats.read_box_scores(zone, [DAY]).rejects] == ["TOO_LARGE"]
    zone.land(f"injury_report/{DAY}/report-20251110T180000Z.json", {"records": [0] * many})
    assert [r.reason for r in read_reports(zone, [DAY]).rejects] == ["TOO_LARGE"]
    share = league.scoring(GAMES[0])
    share["boxScoreScoring"]["homeTeam"]["players"] = [0] * many
    zone.land(league.scoring_path(GAMES[0]), share)
    assert [r.reason for r in read_scoring(zone, [DAY]).rejects] == ["TOO_LARGE"]
    games = league.schedule(GAMES, DAY)
    games["leagueSchedule"]["gameDates"] = [0] * many
    zone.land(f"nba_stats/scheduleleaguev2/{league.SEASON}.json", games)
    with pytest.raises(LandingError, match="TOO_LARGE"):
        nba_stats.read_schedule(zone, [DAY])


def test_an_unreadable_capture_of_shares_leaves_the_one_before_in_use(zone):
    zone.land(league.scoring_path(GAMES[0]), league.scoring(GAMES[0]))
    zone.land_bytes(league.scoring_path(GAMES[0], "-20251112T000000Z"), b"\x1f\x8b")
    parsed = read_scoring(zone, [DAY])
    assert (len(parsed.frame), [r.reason for r in parsed.rejects]) == (18, ["TRUNCATED"])


@pytest.mark.parametrize("inside", [b"null", b"[]", b'{"a": 1}'])
def test_a_flipped_bit_affects_only_its_payload(inside):
    packed = gzip.compress(inside, mtime=0)
    reasons = set()
    for place in range(len(packed) * 8):
        data = bytearray(packed)
        data[place // 8] ^= 1 << place % 8
        try:
            reading.decode(bytes(data), "x.json.gz")
        except PayloadError as error:
            reasons.add(error.reason)
    assert reasons <= {"NOT_JSON", "TRUNCATED", "TOO_LARGE"}
    assert "NOT_JSON" in reasons


def test_an_invalid_capture_instant_is_ignored():
    assert Payload("x/a-20251399T996199Z.json").captured_at is None
    assert Payload("x/a-\u0662\u0660251110T200000Z.json").captured_at is None
    assert Payload("x/a-18991231T000000Z.json").captured_at is None
    assert Payload("x/a-20251110T200000Z.json").captured_at == utc(2025, 11, 10, 20)


def test_a_quarantine_row_holds_whatever_was_refused():
    from nba_props.sources.rejects import Reject

    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    raws = [deep, 10**6000, {"a": 10**5000}, "\ud800", {1: {2}}, float("inf")]
    rejects = [Reject("\udcff.json", "\ud800", f"R{n}", "\ud800" * 5000, r) for n, r in enumerate(raws)]
    frame = quarantine_frame(TABLES["nba_raw.quarantined_quotes"], rejects, DAY)
    assert len(TABLES["nba_raw.quarantined_quotes"].validate(frame)) == len(raws)
    for column in ("payload", "position", "detail", "raw"):
        "".join(frame[column]).encode()


def test_a_payload_marked_as_simulated_is_refused_in_a_real_zone(zone):
    """A copy of a simulated league without its manifest would be taken for real."""
    payload = zone.land("nba_stats/scheduleleaguev2/2025-26.json.gz", {"simulated": True, "leagueSchedule": {}})
    with pytest.raises(PayloadError, match=r"of a simulated league: copy its zone's landing.json with it") as refused:
        zone.load(payload)
    assert refused.value.reason == "SIMULATED"
    (zone._path / "landing.json").write_text('{"data_source": "SIMULATED"}')
    assert LandingZone(zone.root).load(payload)["leagueSchedule"] == {}


def test_an_unmarked_payload_is_refused_in_a_zone_of_marked_payloads(zone):
    """A real one that somebody copied there; a zone of a release before the mark is read as before."""
    payload = zone.land("nba_stats/scheduleleaguev2/2025-26.json.gz", {"leagueSchedule": {}})
    (zone._path / "landing.json").write_text('{"data_source": "SIMULATED"}')
    assert LandingZone(zone.root).load(payload) == {"leagueSchedule": {}}
    (zone._path / "landing.json").write_text('{"data_source": "SIMULATED", "marked": true}')
    with pytest.raises(PayloadError, match="is not marked as part of this zone's simulated league") as refused:
        LandingZone(zone.root).load(payload)
    assert refused.value.reason == "NOT_SIMULATED"
