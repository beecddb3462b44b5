"""The hourly audit finds rows that a second writer added, rows that disappeared or changed, and nothing else."""

from __future__ import annotations

import functools
import json
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from nba_props.automation.alerts import Alerts
from nba_props.automation.audit import AUDIT_JOB, alerts_of
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.domain import audit as rules
from nba_props.domain import digests
from nba_props.operations import audit, remediation, selection
from nba_props.operations.audit import Memory
from nba_props.operations.selection import Selection
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, REMEDIATIONS
from nba_props.warehouse.lake import LakeWarehouse, files
from nba_props_tests.conftest import make_settings, utc
from nba_props_tests.copies import copied
from nba_props_tests.warehouse.samples import LEDGER, ledger

TODAY = date(2026, 2, 10)
OLD = TODAY - timedelta(92)
DATES = [TODAY - timedelta(n) for n in range(0, 100, 23)]
MANY = [TODAY - timedelta(n) for n in range(0, 100, 4)]
NOW = utc(2026, 2, 10, 17)


def rows(day: date, count: int = 4) -> pd.DataFrame:
    """Honest rows without a line, of players of their own."""
    return _rows(day, count).copy()


@functools.cache
def _rows(day: date, count: int) -> pd.DataFrame:
    frame = ledger([f"{day}-{n}" for n in range(count)])
    return digests.sealed(LEDGER, frame.assign(game_date=pd.Timestamp(day), player_id=np.arange(count) + 1))


def sealed(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows with the digests that they would have been published with."""
    return digests.sealed(LEDGER, pd.concat(parts, ignore_index=True))


def write(lake, day: date, frame: pd.DataFrame) -> None:
    """What a writer does that goes past the gate."""
    lake.write_unchecked(LEDGER, frame, day)


def placeholders(day: date, count: int = 2) -> pd.DataFrame:
    fake = rows(day, count).assign(line=20.0, line_source=None, run_id="legacy_backfill", recommendation="UNDER")
    return fake.assign(prediction_id=[f"fake-{day}-{n}" for n in range(count)])


@pytest.fixture(scope="module")
def quarter(tmp_path_factory) -> Path:
    """The lake of a quarter of a year and the memory of a first look, to be copied."""
    folder = tmp_path_factory.mktemp("quarter")
    lake = LakeWarehouse(folder / "lake")
    lake.append(LEDGER, pd.concat([rows(day) for day in DATES]), DATES)
    look(lake, folder)
    return folder


@pytest.fixture
def published(quarter, tmp_path) -> LakeWarehouse:
    """A quarter of a year, published, and looked at an hour ago."""
    copied(quarter / "audit", tmp_path / "audit")
    return LakeWarehouse(copied(quarter / "lake", tmp_path / "lake"))


def look(lake, tmp_path) -> audit.Audit:
    """One hour's look, remembered."""
    memory = Memory(str(tmp_path / "audit"))
    result = audit.audit(lake, memory)
    memory.save()
    return result


def alerted(result: audit.Audit) -> list[str]:
    return [a.cause for a in alerts_of(result.found)]


def test_an_hour_in_which_nothing_changed_costs_no_query(published, tmp_path):
    shutil.rmtree(tmp_path / "audit")
    first = look(published, tmp_path)
    assert (len(first.judged), first.rows, first.found) == (len(DATES), 4 * len(DATES), [])
    before = published.query_count
    again = look(published, tmp_path)
    assert published.query_count == before
    assert (again.dates, again.judged, again.found) == (len(DATES), [], [])


def test_a_second_writers_row_on_a_date_three_months_old_is_found_within_an_hour(published, tmp_path):
    assert OLD in DATES
    look(published, tmp_path)
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    before = published.query_count
    result = look(published, tmp_path)
    assert published.query_count - before == 1
    assert result.judged == [f"{LEDGER.address} {OLD}"], "no other date is read"
    (alert,) = alerts_of(result.found)
    assert alert.severity == "ERROR"
    assert alert.cause[:-11] == f"ledger audit: PLACEHOLDER_LINE in {LEDGER.address}, 2 rows of {OLD}..{OLD}"
    assert alert.text.startswith("PLACEHOLDER LINE DETECTED: 2 rows")
    assert f"nba-props quarantine invalid_line {OLD}..{OLD}" in alert.text


def test_a_finding_is_reported_again_only_when_it_grows(published, tmp_path):
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    assert len(alerted(look(published, tmp_path))) == 1
    later = pd.concat([rows(OLD, 5), placeholders(OLD)])
    write(published, OLD, later)
    result = look(published, tmp_path)
    assert (len(result.judged), alerted(result)) == (1, []), (
        "one more valid row is not a reason to report the bad ones again"
    )
    write(published, OLD, pd.concat([later, placeholders(OLD, 3).tail(1)]))
    assert "3 rows" in alerted(look(published, tmp_path))[0]
    assert audit.known_faults(Memory(str(tmp_path / "audit")))["rows"].tolist() == [3]


def test_as_many_other_bad_rows_within_the_hour_are_reported(published, tmp_path):
    five, fakes = rows(OLD), placeholders(OLD, 10)
    write(published, OLD, pd.concat([five, fakes.head(5)]))
    first = alerted(look(published, tmp_path))
    write(published, OLD, pd.concat([five, fakes.tail(5)]))
    result = look(published, tmp_path)
    assert [(f.rows, f.new) for f in result.found if f.kind == "PLACEHOLDER_LINE"] == [(5, 5)]
    second = [cause for cause in alerted(result) if "PLACEHOLDER_LINE" in cause]
    assert (len(second), set(first) & set(second)) == (1, set()), "another cause, or the cool-down would swallow it"
    write(published, OLD, pd.concat([five, fakes.tail(3)]))
    repaired = look(published, tmp_path)
    assert [(f.rows, f.new) for f in repaired.found if f.kind == "PLACEHOLDER_LINE"] == [(3, 0)], (
        "some of them repaired"
    )


def test_as_many_other_losses_are_reported(published, tmp_path):
    write(published, OLD, rows(OLD).iloc[2:])
    assert "ROWS_GONE" in alerted(look(published, tmp_path))[0]
    write(published, OLD, rows(OLD).iloc[:2])
    assert [(f.kind, f.rows, f.new) for f in look(published, tmp_path).found] == [("ROWS_GONE", 2, 2)]


def test_one_more_copy_of_the_same_row_is_reported(published, tmp_path):
    twin = rows(OLD).head(1)
    for times in (1, 2):
        write(published, OLD, pd.concat([rows(OLD), *[twin] * times]))
        found = [(f.rows, f.new) for f in look(published, tmp_path).found if f.kind == "SAME_ID"]
        assert found == [(times, 1)]


def test_with_a_memory_of_counts_alone_only_what_exceeds_them_is_reported(published, tmp_path):
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    look(published, tmp_path)
    (index,) = (tmp_path / "audit").glob("*/judged.json")
    known = json.loads(index.read_text())
    del known[LEDGER.lasting_name][str(OLD)]["which"]
    index.write_text(json.dumps(known))
    write(published, OLD, pd.concat([rows(OLD, 5), placeholders(OLD)]))
    assert alerted(look(published, tmp_path)) == []


@pytest.mark.long
def test_many_dates_are_one_alert_for_each_kind(lake, tmp_path):
    lake.append(LEDGER, pd.concat([rows(day) for day in MANY]), MANY)
    look(lake, tmp_path)
    for day in MANY:
        write(lake, day, pd.concat([rows(day), placeholders(day)]))
    result = look(lake, tmp_path)
    (alert,) = alerts_of(result.found)
    assert f"{2 * len(MANY)} rows of {min(MANY)}..{max(MANY)}" in alert.cause
    assert "15 more dates" in alert.text


@pytest.mark.parametrize(
    ("change", "kind", "count"),
    [
        (lambda f: f.iloc[1:], "ROWS_GONE", 1),
        (lambda f: f.iloc[:0], "ROWS_GONE", 4),
        (lambda f: f.assign(forecast=[11.0, *f["forecast"][1:]]), "ROWS_CHANGED", 1),
        (lambda f: f.assign(forecast=[np.nan, *f["forecast"][1:]]), "INVALID_PREDICTION", 1),
        (lambda f: f.assign(forecast=[1e6, *f["forecast"][1:]]), "INVALID_PREDICTION", 1),
        (lambda f: pd.concat([f, f.head(1).assign(player_id=9)]), "SAME_ID", 1),
        (lambda f: pd.concat([f.head(1).assign(player_id=9, row_digest=None), f]), "SAME_ID", 1),
        (lambda f: f.assign(is_backfill=[True, *f["is_backfill"][1:]]), "ROW_ALTERED", 1),
        (lambda f: f.assign(row_digest=[None, *f["row_digest"][1:]]), "NO_DIGEST", 1),
        (lambda f: pd.concat([f, f.head(1).assign(player_id=9, prediction_id=None)]), "NO_ID", 1),
        (lambda f: sealed([f, f.head(1).assign(prediction_id="b")]), "DUPLICATE", 2),
        (lambda f: sealed([f, f.head(1).assign(prediction_id="b", run_id="follow")]), "PARTITION_ALTERED", 1),
        (lambda f: pd.concat([f, f.head(1).assign(prediction_id="b", line_source=None)]), "DUPLICATE", 0),
        (lambda f: f.sample(frac=1, random_state=1), "PARTITION_ALTERED", 1),
        (lambda f: pd.concat([f, f.head(1)]), "SAME_ID", 1),
    ],
)
def test_what_happened_to_a_date_is_named(published, tmp_path, change, kind, count):
    write(published, OLD, change(rows(OLD)))
    found = {f.kind: f.rows for f in look(published, tmp_path).found if f.kind == kind or not kind}
    assert found == ({kind: count} if count else {})


def test_a_loss_stays_on_record_until_the_rows_are_back(published, tmp_path):
    write(published, OLD, rows(OLD).iloc[2:])
    assert "ROWS_GONE" in alerted(look(published, tmp_path))[0]
    write(published, OLD, pd.concat([rows(OLD).iloc[2:], rows(OLD, 5).tail(1)]))
    still = look(published, tmp_path)
    assert [(f.kind, f.rows, f.new) for f in still.found] == [("ROWS_GONE", 2, 0)]
    write(published, OLD, rows(OLD, 5))
    assert [f.kind for f in look(published, tmp_path).found] == ["PARTITION_ALTERED"], "another's hands put them back"
    assert published.seal(LEDGER, OLD) == 0
    assert look(published, tmp_path).found == []
    assert audit.known_faults(Memory(str(tmp_path / "audit"))).empty


def test_a_partition_that_was_deleted_is_a_loss(published, tmp_path):
    shutil.rmtree(published._file(LEDGER, OLD).parent)
    result = look(published, tmp_path)
    assert [c[:-11] for c in alerted(result)] == [
        f"ledger audit: ROWS_GONE in {LEDGER.address}, 4 rows of {OLD}..{OLD}"
    ]
    assert alerted(look(published, tmp_path)) == []


def test_what_a_remediation_took_out_is_in_the_archive_and_not_a_loss(published, tmp_path):
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    look(published, tmp_path)
    batch = remediation.quarantine(published, Selection("placeholder", OLD, OLD), NOW)
    assert batch.total == 2
    after = look(published, tmp_path)
    assert [f.kind for f in after.found] == ["PARTITION_ALTERED"], "what it held is not recorded"
    assert {j.split()[0] for j in after.judged} == {t.address for t in rules.WATCHED}
    published.seal(LEDGER, OLD)
    assert look(published, tmp_path).found == []
    remediation.restore(published, batch.batch_id, NOW)
    assert "PLACEHOLDER_LINE" in alerted(look(published, tmp_path))[0], "they are in the ledger again"
    remediation.quarantine(published, Selection("placeholder", OLD, OLD), NOW + timedelta(hours=1))
    archive = published.read(ARCHIVED_PREDICTIONS, [OLD])
    look(published, tmp_path)
    published.write_unchecked(ARCHIVED_PREDICTIONS, archive.iloc[1:], OLD)
    assert [c[:-11] for c in alerted(look(published, tmp_path))] == [
        f"ledger audit: ROWS_GONE in {ARCHIVED_PREDICTIONS.address}, 1 rows of {OLD}..{OLD}"
    ]


def test_a_row_that_was_published_again_after_a_remediation_is_not_a_change(published, tmp_path):
    remediation.quarantine(published, Selection("system", OLD, OLD, system_id="s"), NOW)
    published.append(LEDGER, rows(OLD).assign(run_id="again"), [OLD])
    assert look(published, tmp_path).found == []


def test_with_a_lost_or_corrupt_memory_everything_is_judged_again(published, tmp_path):
    (index,) = (tmp_path / "audit").glob("*/judged.json")
    for spoiled in (
        '{"a": {"2026-01-09": {"fingerprint": "", "findings": {}, "which": {"A": "AAAA"}}}}',
        '{"a": {"2026-01-09": {"fingerprint": "", "findings": {}, "which": {"A": 5}}}}',
    ):
        index.write_text(spoiled)
        assert list(audit.unreadable_files(tmp_path / "audit")) == [index]
    for spoiled in ("{", "[]", "7", '{"a": {"never": 1}}', '{"a": {"2026-01-09": [1]}}', '{"a": {"2026-01-09": {}}}'):
        index.write_text(spoiled)
        result = look(published, tmp_path)
        assert (len(result.judged), result.found) == (len(DATES), []), spoiled
    shutil.rmtree(tmp_path / "audit")
    assert len(look(published, tmp_path).judged) == len(DATES)


@pytest.mark.parametrize("spoil", [lambda p: p.write_bytes(b"abc"), lambda p: (p.unlink(), p.mkdir())])
def test_remembered_rows_that_are_corrupt_are_dropped_with_a_warning(published, tmp_path, spoil, caplog):
    (path,) = (tmp_path / "audit").glob(f"*/{LEDGER.lasting_name}/{OLD}.*.rows")
    spoil(path)
    write(published, OLD, rows(OLD).iloc[1:])
    memory = Memory(str(tmp_path / "audit"))
    assert len(memory.rows(LEDGER, OLD).keys) == 0
    assert f"{path} can't be read" in caplog.text
    assert list(audit.unreadable_files(tmp_path / "audit")) == [path]


def test_an_interrupted_audit_leaves_what_was_judged_and_its_rows_unchanged(published, tmp_path):
    memory = Memory(str(tmp_path / "audit"))
    before = memory.known_valid(OLD, OLD)
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    audit.audit(published, Memory(str(tmp_path / "audit")))  # and nothing is saved
    assert Memory(str(tmp_path / "audit")).known_valid(OLD, OLD).tolist() == before.tolist()
    look(published, tmp_path)
    after = Memory(str(tmp_path / "audit"))
    assert set(after.known_valid(OLD, OLD)) == set(before), "what is wrong is not right because it was seen"
    (folder,) = (tmp_path / "audit").glob(f"*/{LEDGER.lasting_name}")
    assert len(list(folder.glob(f"{OLD}*"))) == 2
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    look(published, tmp_path)
    assert len(list(folder.glob(f"{OLD}*"))) == 1, "and rows that nothing names go after a day"


def test_an_unreadable_date_affects_only_itself(published, tmp_path):
    for day in (DATES[0], OLD):
        write(published, day, pd.concat([rows(day), placeholders(day)]))
    path = Path(files.locate(str(published._file(LEDGER, DATES[0])))[0])
    path.write_bytes(path.read_bytes()[:100])
    causes = alerted(look(published, tmp_path))
    assert {c.split()[2] for c in causes} == {"UNREADABLE", "PLACEHOLDER_LINE"}
    assert [c.split()[2] for c in alerted(look(published, tmp_path))] == ["UNREADABLE"], "until it can be read"


def test_a_partition_whose_file_is_missing_stops_no_audit(published, tmp_path):
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    published._file(LEDGER, DATES[0]).resolve().unlink()
    causes = alerted(look(LakeWarehouse(published.root), tmp_path))
    assert {(c.split()[2], c.split()[-2]) for c in causes} == {
        ("UNREADABLE", f"{DATES[0]}..{DATES[0]}"),
        ("PLACEHOLDER_LINE", f"{OLD}..{OLD}"),
    }


def test_the_rows_of_an_earlier_audit_stay_readable(published, tmp_path):
    """A quarantine beside an audit, and two audits at once."""
    first = Memory(str(tmp_path / "audit"))
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    look(published, tmp_path)
    assert len(first.known_valid(OLD, OLD)) == len(rows(OLD))
    audit.audit(published, first)
    first.save()
    assert len(Memory(str(tmp_path / "audit")).known_valid(OLD, OLD)) == len(rows(OLD))


def test_sealing_old_rows_is_not_a_change(lake, tmp_path):
    """Rows of a release before digests are given theirs by `scrub --seal`, or by the next append."""
    old = rows(OLD).assign(row_digest=None)
    lake.write_unchecked(LEDGER, old, OLD)
    look(lake, tmp_path)
    lake.append(LEDGER, rows(OLD).head(1).assign(prediction_id="new", player_id=99), [OLD])
    assert look(lake, tmp_path).found == []
    lake.write_unchecked(LEDGER, old, OLD)
    look(lake, tmp_path / "2")
    lake.seal(LEDGER, OLD)
    assert look(lake, tmp_path / "2").found == []


def test_altered_records_are_reported_and_remove_no_valid_row(lake, tmp_path):
    """The record that a batch was restored is deleted: its rows look as if they were not restored."""
    lake.claim("SIMULATED")
    lake.append(LEDGER, rows(OLD), [OLD])
    batch = remediation.rollback(lake, rows(OLD)["run_id"].iloc[0], NOW)
    remediation.restore(lake, batch.batch_id, NOW + timedelta(minutes=1))
    assert look(lake, tmp_path).found == []
    records = lake.read(REMEDIATIONS, [OLD])
    lake.write_unchecked(REMEDIATIONS, records[records["step"] != "RESTORED"], OLD)
    assert selection.judged(lake, OLD, OLD)["problem"].isna().all()
    assert [d.table for d in lake.damaged()] == [REMEDIATIONS]
    assert [c.split()[2] for c in alerted(look(lake, tmp_path))] == ["ROWS_GONE"]
    remediation.rollback(lake, rows(OLD)["run_id"].iloc[0], NOW + timedelta(minutes=2))
    assert lake.damaged(), "and stays on record"


def test_an_alert_that_was_not_sent_is_sent_the_next_time(published, tmp_path):
    write(published, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
    died = audit.audit(published, Memory(str(tmp_path / "audit")))  # and nothing is saved
    assert alerted(died) == alerted(look(published, tmp_path)) != []


def test_queries_grow_with_months_and_not_with_dates(lake, tmp_path):
    lake.append(LEDGER, pd.concat([rows(day) for day in MANY]), MANY)
    before = lake.query_count
    look(lake, tmp_path)
    assert lake.query_count - before == 4


def test_findings_are_shown_in_the_ui_and_alerted(tmp_path):
    settings = make_settings(tmp_path)
    (tmp_path / "landing").mkdir()
    definitions = build_defs(deployed(settings, clock=lambda: NOW))
    lake = definitions.resources["warehouse"]
    lake.append(LEDGER, rows(OLD), [OLD])
    job = definitions.resolve_job_def(AUDIT_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        write(lake, OLD, pd.concat([rows(OLD), placeholders(OLD)]))
        assert job.execute_in_process(instance=instance).success
        assert job.execute_in_process(instance=instance).success
        seen = instance.fetch_observations(dg.AssetKey(LEDGER.path), limit=1).records[0].asset_observation
    assert seen.metadata["rows_wrong"].value == 2, "it is shown until it is repaired"
    assert "PLACEHOLDER_LINE" in seen.metadata["wrong"].value
    assert seen.metadata["partitions_judged"].value == 0
    (sent,) = Alerts(settings.live, settings.home, lambda: NOW).sent()
    assert (sent["severity"], sent["cause"][:13]) == ("ERROR", "ledger audit:")
    hourly = next(s for s in definitions.schedules if s.name == "ledger_audit_hourly")
    assert (hourly.job_name, hourly.cron_schedule) == (AUDIT_JOB, "40 * * * *")


def test_the_memory_can_be_in_a_bucket(lake, make_bucket):
    lake.append(LEDGER, rows(OLD), [OLD])
    root = f"gs://{make_bucket()}/audit/main"
    for judged in (1, 0):
        memory = Memory(root)
        assert len(audit.audit(lake, memory).judged) == judged
        memory.save()
    write(lake, OLD, rows(OLD).iloc[1:])
    assert "ROWS_GONE" in alerted(audit.audit(lake, Memory(root)))[0]
