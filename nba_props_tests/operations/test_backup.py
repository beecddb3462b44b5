"""A backup that is taken while rows move between ledger and archive misses none of them."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import replace

import pandas as pd
import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.domain import digests
from nba_props.operations import remediation
from nba_props.operations.backup import backup
from nba_props.operations.selection import Selection
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS
from nba_props.settings import SettingsError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import make_settings, utc
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, ledger

NOW = utc(2026, 2, 10, 17)


@pytest.fixture
def home(tmp_path):
    settings = make_settings(tmp_path)
    lake = LakeWarehouse(settings.lake)
    lake.claim("REAL")
    lake.append(LEDGER, ledger([f"p{n}" for n in range(300)]), [D1])
    (settings.home / "models/xgboost_v1").mkdir(parents=True)
    (settings.home / "models/xgboost_v1/model.json").write_text("{}")
    return settings


def test_a_backup_works_as_a_home(home, tmp_path):
    made = backup(home, tmp_path / "copy")
    copy = LakeWarehouse(tmp_path / "copy/lake")
    pd.testing.assert_frame_equal(copy.read(LEDGER, [D1]), LakeWarehouse(home.lake).read(LEDGER, [D1]))
    assert (copy.source(), copy.damaged(), made.partitions) == ("REAL", [], 1)
    assert (tmp_path / "copy/models/xgboost_v1/model.json").exists()
    assert copy.query("SELECT COUNT(*) AS n FROM nba_predictions.current_predictions")["n"][0] > 0
    with pytest.raises(SettingsError, match="is not empty"):
        backup(home, tmp_path / "copy")
    with pytest.raises(SettingsError, match="snapshots"):
        backup(replace(home, gcp=object()), tmp_path / "other")


def test_damage_is_copied_as_it_is(home, tmp_path):
    lake = LakeWarehouse(home.lake)
    file = lake._file(LEDGER, D1).resolve()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert [d.partition for d in lake.damaged()] == [D1]
    backup(home, tmp_path / "copy")
    assert [d.partition for d in LakeWarehouse(tmp_path / "copy/lake").damaged()] == [D1]


def test_a_partition_whose_link_is_lost_is_named_and_the_others_are_copied(home, tmp_path):
    lake = LakeWarehouse(home.lake)
    lake.append(LEDGER, ledger(["q"]).assign(game_date=pd.Timestamp(D2)), [D2])
    lake._file(LEDGER, D1).unlink()
    made = backup(home, tmp_path / "copy")
    assert made.partitions == 1
    (lost,) = made.lost
    assert f"{LEDGER.address} partition {D1} was written and" in lost


def test_no_row_is_missing_from_a_backup_of_a_lake_that_is_written_to(home, tmp_path):
    lake = LakeWarehouse(home.lake)
    rows = set(lake.read(LEDGER, [D1])["prediction_id"])
    stop = threading.Event()

    def move() -> None:
        while not stop.is_set():
            batch = remediation.quarantine(lake, Selection("system", D1, D1, system_id="s"), NOW)
            remediation.restore(lake, batch.batch_id, NOW)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for n in range(4):
            backup(home, tmp_path / f"copy{n}")
    finally:
        stop.set()
        mover.join()
    for n in range(4):
        copy = LakeWarehouse(tmp_path / f"copy{n}/lake")
        archived = copy.read(ARCHIVED_PREDICTIONS, copy.partitions(ARCHIVED_PREDICTIONS))
        published = copy.read(LEDGER, [D1])
        assert {*published["prediction_id"], *archived["prediction_id"]} == rows
        assert copy.damaged() == []
        # a remediation that was under way is finished by its own command
        remediation.quarantine(copy, Selection("system", D1, D1, system_id="s"), NOW)
        assert copy.read(LEDGER, [D1]).empty
        ids = digests.row_ids(LEDGER, published)
        assert ids.is_unique


def test_a_target_that_protects_nothing_is_refused(home, tmp_path):
    with pytest.raises(SettingsError, match="is inside the home"):
        backup(home, home.home / "backups")
    with pytest.raises(SettingsError, match="there is no lake"):
        backup(replace(home, home=tmp_path / "nowhere"), tmp_path / "copy")
    refused = CliRunner().invoke(main, ["backup", "gs://bucket/backup"])
    assert (refused.exit_code, "folder of this machine" in refused.output) == (2, True)


def test_only_regular_files_are_copied_and_missing_ones_are_named(home, tmp_path):
    lake = LakeWarehouse(home.lake)
    landing = home.home / "landing/the_odds_api"
    landing.mkdir(parents=True)
    (landing / "payload.json").write_text("{}")
    (landing / "passwd").symlink_to("/etc/passwd")
    (landing / "circle").symlink_to("circle")
    os.mkfifo(landing / "pipe")
    lake._file(LEDGER, D1).resolve().unlink()
    made = backup(home, tmp_path / "copy")
    assert [p.name for p in (tmp_path / "copy/landing/the_odds_api").iterdir()] == ["payload.json"]
    assert (made.partitions, len(made.lost)) == (0, 1)


def test_dev_reports_that_its_port_is_taken(home, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(home.home))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = CliRunner().invoke(main, ["dev", "--port", str(taken.getsockname()[1])])
    assert (refused.exit_code, "name another --port" in refused.output) == (1, True)
