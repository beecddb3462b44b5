"""Payloads and models in a bucket: written once, seen when they arrive, late or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import dagster as dg
import pandas.testing as pdt
import pytest

from nba_props.automation.jobs import FOLLOW_JOB, PREDICT_JOB
from nba_props.sources import nba_stats, odds_api
from nba_props.storage.landing import Arrivals, LandingZone, Payload, PayloadError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, make_settings

GAMES = [g for g in league.games() if g.day == DAY]
FOLDER = odds_api.folder(DAY)


@pytest.fixture
def bucket(make_bucket):
    return LandingZone(f"gs://{make_bucket()}/landing")


def test_a_payload_is_written_once_by_concurrent_writers(bucket):
    path, content = league.capture(GAMES[0], 60)
    landed = bucket.land(path, content)
    with pytest.raises(FileExistsError):
        bucket.land(path, {"other": "content"})
    assert bucket.load(landed) == content
    assert bucket.has(path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: _land(bucket, "nba_stats/x/once.json", n), range(8)))
    assert sorted(answers) == [False] * 7 + [True]
    assert bucket.load(Payload("nba_stats/x/once.json")) == answers.index(True)


def _land(zone: LandingZone, path: str, content) -> bool:
    try:
        zone.land(path, content)
    except FileExistsError:
        return False
    return True


def test_a_bucket_and_a_folder_behave_alike(bucket, zone):
    for place in (bucket, zone):
        league.land(place, days=14)
        place.land_bytes(f"{FOLDER}/cut-20251110T170000Z.json.gz", b"\x1f\x8b")
        place.land_bytes(f"{FOLDER}/empty-20251110T170000Z.json", b"")
        place.land_bytes(f"{FOLDER}/notes.txt", b"no payload")
    for folder in (FOLDER, "nba_stats/leaguegamelog/2025-26", "nba_stats/scheduleleaguev2", "nowhere"):
        assert bucket.names(folder) == zone.names(folder)
        assert bucket.list(folder) == zone.list(folder)
        assert set(bucket.landed_at(folder)) == set(zone.landed_at(folder))
    assert bucket.folders("the_odds_api/player_points") == zone.folders("the_odds_api/player_points")
    assert bucket.exists()
    for name, reason in (("cut-20251110T170000Z.json.gz", "TRUNCATED"), ("empty-20251110T170000Z.json", "EMPTY_FILE")):
        with pytest.raises(PayloadError) as refused:
            bucket.load(Payload(f"{FOLDER}/{name}"))
        assert refused.value.reason == reason


def test_a_missing_bucket_is_not_a_landing_zone(gcs_server):
    assert not LandingZone("gs://there-is-none/landing").exists()


def test_an_arrival_counts_as_new_once_and_a_deletion_never(bucket):
    path, content = league.capture(GAMES[0], 60)
    bucket.land(path, content)
    first = bucket.arrivals(FOLDER)
    assert first.count == 1
    assert first.is_news("")
    assert not first.is_news(str(first))
    bucket.land(*league.capture(GAMES[0], 300))  # captured earlier, landed later: its name is less, its instant greater
    late = bucket.arrivals(FOLDER, "injury_report/none")
    assert late.is_news(str(first))
    place = bucket._path / path
    place.unlink()
    assert not bucket.arrivals(FOLDER).is_news(str(late))
    (bucket._path / league.capture(GAMES[0], 300)[0]).unlink()
    assert bucket.arrivals(FOLDER) is None


@pytest.mark.parametrize("seen", ["", "7", "{", "a|b", "2025-11-10T17:00:00+00:00|b|many"])
def test_an_unreadable_mark_counts_as_new(seen):
    assert Arrivals("2025-11-10T17:00:00+00:00", "b", 3).is_news(seen)
    assert Arrivals("", "0123", 3).is_news(seen)


def test_two_of_the_same_instant_are_both_seen():
    at = "2025-11-10T17:00:00.123000+00:00"
    seen = Arrivals(at, "m.json", 4)
    assert Arrivals(at, "m.json", 5).is_news(str(seen)), "one of a lesser name at the same instant"
    assert not Arrivals(at, "m.json", 4).is_news(str(seen))


def test_the_sensor_on_a_bucket(bucket, tmp_path):
    settings = make_settings(tmp_path)
    league.land(bucket, odds_from=99)
    with dg.DagsterInstance.ephemeral() as instance:
        lake = LakeWarehouse(settings.lake)
        platform = Platform(settings, bucket, lake, instance, league.tipoff(DAY) - timedelta(hours=3))
        assert platform.run("ingest_history", DAY).success
        sensor = next(s for s in platform.definitions.sensors if s.name == "new_odds_sensor")

        def tick(cursor: str | None) -> dg.SensorResult:
            resources = {k: platform.definitions.resources[k] for k in ("inputs", "clock")}
            return sensor(dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources))

        assert not tick(None).run_requests
        bucket.land(*league.capture(GAMES[0], 60))
        first = tick(None)
        assert [(r.job_name, r.partition_key) for r in first.run_requests] == [(PREDICT_JOB, str(DAY))]
        assert not tick(first.cursor).run_requests
        assert tick(None).run_requests[0].run_key == first.run_requests[0].run_key, (
            "a lost cursor asks for no second run"
        )
        bucket.land(*league.capture(GAMES[0], 200))
        bucket.land(*league.capture(GAMES[1], 190))
        second = tick(first.cursor)
        assert len(second.run_requests) == 1
        assert second.run_requests[0].run_key != first.run_requests[0].run_key
        assert len(second.cursor) < 250
        bucket.land(*league.capture(next(g for g in league.games() if g.day == DAY - timedelta(2)), 33))
        assert not tick(second.cursor).run_requests, "another date's folder is not listed"
        assert FOLLOW_JOB not in {r.job_name for r in second.run_requests}


def test_payloads_are_fetched_together_and_read_as_they_are(bucket, zone, monkeypatch):
    for place in (bucket, zone):
        league.land(place)
        place.land_bytes(f"{FOLDER}/cut-20251110T170000Z.json.gz", b"\x1f\x8b")
    fetched = []
    plain = bucket._path.fs.cat
    monkeypatch.setattr(bucket._path.fs, "cat", lambda paths, **o: fetched.append(len(paths)) or plain(paths, **o))
    assert odds_api.read_day(bucket, DAY) == odds_api.read_day(zone, DAY)
    assert fetched == [len(zone.list(FOLDER))]
    days = [g.day for g in league.games()]
    pdt.assert_frame_equal(nba_stats.read_box_scores(bucket, days).frame, nba_stats.read_box_scores(zone, days).frame)
