"""A warehouse of the release before: nothing opens it, one function brings it to today's names, no row changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pandas.testing as pdt
import pytest
from click.testing import CliRunner
from google.cloud import bigquery

from nba_props.assets.inputs import Inputs
from nba_props.assets.tables import asset_key
from nba_props.catalog import TABLES
from nba_props.cli import main
from nba_props.domain import audit as rules
from nba_props.domain import digests
from nba_props.operations.audit import Memory, audit
from nba_props.operations.backup import backup
from nba_props.schemas import raw, reference
from nba_props.schemas.analytics import BETTING_LINES, CONTEXT
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.bigquery import BigQueryWarehouse
from nba_props.warehouse.bigquery.tables import bigquery_table
from nba_props.warehouse.bigquery.types import contract_of
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.migration import migrate, needed
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.warehouse.old_lakes import FROZEN, outgrown, unpacked
from nba_props_tests.warehouse.samples import D1, D2, NAMES, ledger, names

OLD = LEDGER.before


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a table by its place in it, links by where they lead."""
    return {
        str(p.relative_to(folder)): os.readlink(p).encode() if p.is_symlink() else p.read_bytes()
        for p in folder.rglob("*")
        if (p.is_file() or p.is_symlink()) and p.name not in (".lock", ".changes")
    }


@pytest.fixture(autouse=True)
def tables_keep_their_order() -> Iterator[None]:
    """A table that a test takes from the catalog and puts back would be its last from then on."""
    before = dict(TABLES)
    yield
    TABLES.clear()
    TABLES.update(before)


@pytest.fixture
def home(tmp_path) -> LakeWarehouse:
    """The lake of a home, of the release before: rows on two dates, one of them altered since."""
    lake = LakeWarehouse(make_settings(tmp_path).lake)
    lake.claim("SIMULATED")
    lake.write(NAMES, names(D1, 3), [D1])
    lake.append(LEDGER, ledger(["a", "b"]), [D1], {D1: "inputs"})
    lake.append(LEDGER, ledger(["c"]).assign(game_date=pd.Timestamp(D2)), [D2])
    lake.write_unchecked(LEDGER, lake.read(LEDGER, [D2]).assign(forecast=1.0), D2)
    lake.create_views()
    return outgrown(lake)


def test_the_table_has_a_name_of_its_own_and_the_old_one_is_a_view():
    assert (LEDGER.address, OLD.address) == ("nba_predictions.ledger", "nba_predictions.player_prop_predictions")
    assert OLD.address not in TABLES
    assert OLD.columns == LEDGER.columns


def test_the_table_is_moved_unchanged(home, tmp_path):
    files, altered = content(home._folder(OLD)), home.alteration(OLD, D2)
    before, states = home.read(OLD, [D1, D2]), home.states(OLD)
    ids = digests.row_ids(LEDGER, before).tolist()
    (dry,) = migrate(home, dry_run=True)
    assert dry.text == (
        "nba_predictions.player_prop_predictions -> nba_predictions.ledger, predicted_points -> forecast, market = points: "
        "2 dates, 3 rows"
    )
    assert content(home._folder(OLD)) == files
    assert needed(home) == [dry]
    assert migrate(home) == [dry]
    assert content(home._folder(LEDGER)) == files
    assert not home._folder(OLD).exists()
    pdt.assert_frame_equal(home.read(LEDGER, [D1, D2]), before)
    assert home.states(LEDGER) == states
    assert states[D1].made_from == "inputs"
    assert digests.row_ids(LEDGER, home.read(LEDGER, [D1, D2])).tolist() == ids
    (damage,) = home.damaged()
    assert (damage.partition, damage.reason.partition("parquet) ")[2]) == (D2, altered.partition("parquet) ")[2])
    assert home.strays() == []
    assert migrate(home) == needed(home) == []
    opened = open_warehouse(make_settings(tmp_path))
    assert opened.query(f"SELECT COUNT(*) AS n FROM {OLD.address} WHERE is_active")["n"][0] == 2, (
        "one player on two dates"
    )
    assert opened.append(LEDGER, ledger(["a", "b", "d"]), [D1]) == {D1: (1, 2)}


def test_a_killed_migration_can_be_resumed(home, tmp_path, monkeypatch):
    before, rename, done = home.read(OLD, [D1, D2]), os.rename, []

    def killed(source: object, target: object) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(rename(source, target))

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        migrate(home)
    monkeypatch.undo()
    with pytest.raises(WarehouseError, match=r"\(1 dates\).*nba-props migrate"):
        open_warehouse(make_settings(tmp_path))
    (rest,) = migrate(LakeWarehouse(home.root))
    assert list(rest.rows) == [D2]
    pdt.assert_frame_equal(open_warehouse(make_settings(tmp_path)).read(LEDGER, [D1, D2]), before)


def test_rows_under_both_names_are_never_merged(home, tmp_path):
    migrate(home)
    LakeWarehouse(home.root).append(OLD, ledger(["late"]), [D1])
    files = content(home._folder(LEDGER)), content(home._folder(OLD))
    with pytest.raises(WarehouseError, match="nba-props migrate"):
        open_warehouse(make_settings(tmp_path))
    with pytest.raises(WarehouseError, match="an earlier release wrote after the migration"):
        migrate(home)
    assert (content(home._folder(LEDGER)), content(home._folder(OLD))) == files


def test_a_partition_that_can_not_be_read_moves_too_and_strays_stay(home):
    link = home._file(OLD, D1)
    link.resolve().write_bytes(b"garbage")
    (home._folder(OLD) / "notes.txt").write_text("mine")
    (move,) = migrate(LakeWarehouse(home.root))
    assert move.rows == {D1: None, D2: 1}
    assert move.text.endswith("2 dates, 1 rows, 1 dates that can't be read")
    assert {d.partition for d in LakeWarehouse(home.root).damaged()} == {D1, D2}
    assert (home._folder(OLD) / "notes.txt").read_text() == "mine"
    assert [why for _, why in home.strays()] == ["is not named like a table"]


#: of every kind: those that run, those that read, those that take out and put back, those that look after a home
COMMANDS = [
    ["run", str(D1)], ["backfill", f"{D1}..{D2}"], ["train", str(D1)], ["grade", str(D1)], ["reline", str(D1)],
    ["sql", "SELECT 1"], ["validate", f"{D1}..{D2}"], ["report", f"{D1}..{D2}"], ["history", "A", str(D1)], ["batches"],
    ["quarantine", "invalid_line", str(D1)], ["restore", "0"], ["restore", "last"], ["rollback", "0"],
    ["doctor", "--offline"], ["scrub"], ["scrub", "--seal"], ["backup", "../copy"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c[:2]))
def test_every_command_names_the_way_out(home, tmp_path, monkeypatch, command):
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER"))]:
        monkeypatch.delenv(name)
    zone = tmp_path / "landing"
    (zone / "nba_stats" / "scheduleleaguev2").mkdir(parents=True)
    monkeypatch.setenv("NBA_PROPS_HOME", str(make_settings(tmp_path).home))
    monkeypatch.setenv("NBA_PROPS_LANDING", str(zone))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.chdir(tmp_path)
    files = content(home.root)
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1, result.output
    assert "nba-props migrate" in result.output
    assert "Traceback" not in result.output
    assert content(home.root) == files


def test_no_backup_leaves_the_ledger_out(home, tmp_path):
    with pytest.raises(WarehouseError, match="nba-props migrate"):
        backup(make_settings(tmp_path), tmp_path.with_name(tmp_path.name + "-copy"))


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda f: f.name.split(".")[0])
def test_a_frozen_lake(frozen, tmp_path):
    lake = unpacked(frozen, make_settings(tmp_path).home)
    with pytest.raises(WarehouseError, match=r"2 dates.*nba-props migrate"):
        open_warehouse(make_settings(tmp_path))
    before = content(lake._folder(OLD))
    (move,) = migrate(open_warehouse(make_settings(tmp_path), as_found=True))
    assert sum(move.rows.values()) == 108
    assert content(lake._folder(LEDGER)) == before
    assert open_warehouse(make_settings(tmp_path)).damaged() == []


def test_the_memory_of_the_audit_and_the_inputs_of_grades_survive_the_rename(home, tmp_path, monkeypatch):
    migrate(home)
    memory = Memory(str(tmp_path / "audit"))
    audit(home, memory)
    memory.save()
    (folder,) = (tmp_path / "audit").iterdir()
    assert OLD.address in json.loads((folder / "judged.json").read_text())
    assert (folder / OLD.address).is_dir()
    # with the ledger called as before, as the release before did: the same memory, the same digests
    parents = [asset_key(t) for t in (LEDGER, raw.ODDS_QUOTES, reference.RESOLVED_NAMES, CONTEXT, BETTING_LINES)]
    inputs = Inputs(home, LandingZone(str(tmp_path)), ModelStore(str(tmp_path / "m")), make_settings(tmp_path))
    today = inputs.digests(PREDICTION_ACCURACY, parents, [D1, D2])
    monkeypatch.delitem(TABLES, LEDGER.address)
    monkeypatch.setitem(TABLES, OLD.address, OLD)
    monkeypatch.setattr(rules, "WATCHED", (OLD, *rules.WATCHED[1:]))
    lake = outgrown(home)
    before = Memory(str(tmp_path / "audit"))
    assert before._folder == memory._folder
    assert before.of(OLD) == memory.of(LEDGER)
    parents[0] = asset_key(OLD)
    assert replace(inputs, warehouse=lake).fresh().digests(PREDICTION_ACCURACY, parents, [D1, D2]) == today


# -- BigQuery ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def gcp(make_gcp):
    return make_gcp()


@pytest.fixture
def before(gcp, tmp_path):
    """A deployment of the release before: the ledger's table, its marks and what is noted of its contract."""
    store = open_warehouse(make_settings(tmp_path, gcp=gcp), as_found=True)
    with pytest.MonkeyPatch.context() as past:
        past.delitem(TABLES, LEDGER.address)
        past.setitem(TABLES, OLD.address, OLD)
        store._tables.views = {a: v for a, v in store._tables.views.items() if a != OLD.address}
        store.claim("SIMULATED")
        store.append(OLD, ledger(["a", "b"]), [D1], {D1: "inputs"})
        store.append(OLD, ledger(["c"]).assign(game_date=pd.Timestamp(D2)), [D2])
        store.append(OLD, OLD.empty(), [D2 + timedelta(1)])
        rows, states = store.read(OLD, [D1, D2]), store.states(OLD)
    return rows, states


def opened(gcp, tmp_path, **how) -> BigQueryWarehouse:
    return open_warehouse(make_settings(tmp_path, gcp=gcp), **how)


def test_bigquery_is_migrated_by_a_rename(before, gcp, tmp_path, monkeypatch):
    rows, states = before
    for ask in (
        lambda w: w.read(LEDGER, [D1]), lambda w: w.query(f"SELECT * FROM {OLD.address}"), lambda w: w.source(),
        lambda w: w.append(LEDGER, ledger(["x"]), [D1]), lambda w: w.read_only(f"SELECT 1 FROM {NAMES.address}"),
        lambda w: w.create_views(), lambda w: w.damaged(), lambda w: w.partitions(NAMES),
    ):  # fmt: skip
        with pytest.raises(WarehouseError, match=r"\(3 dates\).*nba-props migrate"):
            ask(opened(gcp, tmp_path))
    store = opened(gcp, tmp_path, as_found=True)
    (dry,) = migrate(store, dry_run=True)
    assert dry.rows == {D1: 2, D2: 1, D2 + timedelta(1): 0}
    # killed between the table and its marks, and among the marks
    with monkeypatch.context() as killed:
        killed.setattr(store._manifest, "rename", _kill)
        with pytest.raises(KeyboardInterrupt):
            migrate(store)
    with pytest.raises(WarehouseError, match="nba-props migrate"):
        opened(gcp, tmp_path).read(LEDGER, [D1])
    store = opened(gcp, tmp_path, as_found=True)
    deleted, delete = [], type(store._api.bucket().blob("x")).delete

    def dies(blob, *arguments, **options) -> None:
        if "game_date=" in blob.name:
            if deleted:
                raise KeyboardInterrupt
            deleted.append(blob.name)
        delete(blob, *arguments, **options)

    with monkeypatch.context() as killed:
        killed.setattr(type(store._api.bucket().blob("x")), "delete", dies)
        with pytest.raises(KeyboardInterrupt):
            migrate(store)
    with pytest.raises(WarehouseError, match=r"\(2 dates\).*nba-props migrate"):
        opened(gcp, tmp_path).read(LEDGER, [D1])
    migrate(opened(gcp, tmp_path, as_found=True))
    store = opened(gcp, tmp_path)
    assert needed(store) == []
    assert store.states(LEDGER) == states
    pdt.assert_frame_equal(store.read(LEDGER, [D1, D2]), rows)
    assert store.damaged() == []
    assert store.strays() == []
    table = store._api.client.get_table(store._tables.name(LEDGER.address))
    assert (table.table_type, table.time_partitioning.field) == ("TABLE", "game_date")
    assert store._api.client.get_table(store._tables.name(OLD.address)).table_type == "VIEW"
    assert store._manifest.read(f"_contracts/{LEDGER.address}/{contract_of(LEDGER)}")
    assert store.append(LEDGER, ledger(["a", "b", "d"]), [D1]) == {D1: (1, 2)}
    assert int(store.read_only(f"SELECT COUNT(*) AS n FROM `x.{OLD.address}`")["n"].iloc[0]) == 4


def _kill(*_) -> None:
    raise KeyboardInterrupt


def test_bigquery_tables_under_both_names_are_never_merged(before, gcp, tmp_path):
    store = opened(gcp, tmp_path, as_found=True)
    store._api.client.create_table(bigquery_table(LEDGER, store._tables.name(LEDGER.address)))
    with pytest.raises(WarehouseError, match="both exist"):
        migrate(store)
    found = store._api.client.get_table(store._tables.name(OLD.address))
    assert found.num_rows == 3
    assert isinstance(found, bigquery.Table)
    # marks that somebody lost hide no table
    for day in before[1]:
        store._manifest.forget(OLD, day)
    with pytest.raises(WarehouseError, match="nba-props migrate"):
        opened(gcp, tmp_path).create_views()


def test_a_new_home_needs_none(tmp_path):
    assert needed(open_warehouse(make_settings(tmp_path))) == []
    assert migrate(open_warehouse(make_settings(tmp_path), as_found=True)) == []
    assert not make_settings(tmp_path).lake.exists(), "and nothing is made where there is nothing to move"
