"""Copies for other tools: whole dates, described from the contracts, never in the home, the same when repeated."""

from __future__ import annotations

import json
import lzma
import sys
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import duckdb
import jsonschema
import pandas as pd
import pandas.testing as pdt
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from nba_props.catalog import TABLES, VIEWS
from nba_props.data import Lake, SelectionError
from nba_props.data.export import MARK, PACKAGE, Exported, ExportError, export
from nba_props.data.package import Resource, descriptor
from nba_props.storage.files import TEMPORARY
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake.columns import columns_of
from nba_props_tests.cli.conftest import invoke
from nba_props_tests.conftest import DAY, make_settings
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names

SCHEMA = json.loads(lzma.decompress((Path(__file__).parent / "fixtures/datapackage-2.0.json.xz").read_bytes()))
UNRESOLVED = "nba_reference/unresolved_names"


def lake_of(store, folder: Path) -> tuple[Lake, Path]:
    settings = make_settings(folder)
    return Lake(settings, store), settings.home


@pytest.fixture
def copy(store, tmp_path):
    """Exports a warehouse of each kind, with three names on a date and two on the next."""
    store.claim("SIMULATED")
    store.write(NAMES, pd.concat([names(D1, 3), names(D2, 2, "b")]), [D1, D2])
    source, home = lake_of(store, tmp_path)
    return lambda span, *named, form="folder": export(source, home, span, tmp_path / "copy", form, named)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def package(folder: Path) -> dict:
    found = json.loads((folder / PACKAGE).read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(found)
    return found


def test_a_folder_has_a_file_for_each_date_and_is_described(copy, tmp_path):
    assert copy([D1, D2], "unresolved_names") == Exported(1, 2, 5)
    target = tmp_path / "copy"
    whole = pd.read_parquet(target / UNRESOLVED)
    assert whole["source_name"].tolist() == ["a0", "a1", "a2", "b0", "b1"]
    assert whole["game_date"].astype(str).tolist() == [str(D1)] * 3 + [str(D2)] * 2
    found = duckdb.sql(f"SELECT * FROM read_parquet('{target / UNRESOLVED}/*.parquet') WHERE game_date = DATE '{D2}'")
    pdt.assert_frame_equal(NAMES.conform(found.df()), names(D2, 2, "b"))
    (resource,) = package(target)["resources"]
    assert resource["path"] == [f"{UNRESOLVED}/{day}.parquet" for day in (D1, D2)]
    stored = pq.read_schema(target / resource["path"][0]).names
    assert [f["name"] for f in resource["schema"]["fields"]] == stored
    table = pq.read_table(target / resource["path"][0])
    for field in resource["schema"]["fields"]:
        if field.get("constraints", {}).get("required"):
            assert not table[field["name"]].null_count
    assert set(resource["schema"]["primaryKey"]) <= {*stored}


def test_readers_take_the_folder_of_a_table_and_of_a_single_table(copy, tmp_path):
    """Folders are not named by dates, and other files are hidden from readers."""
    copy([D1, D2], "unresolved_names")
    expected = [D1] * 3 + [D2] * 2
    for folder in (tmp_path / "copy", tmp_path / "copy" / UNRESOLVED):
        arrow = ds.dataset(folder, partitioning="hive").to_table()
        assert arrow.schema.names == [c.name for c in NAMES.columns]
        days = {
            "pandas": pd.read_parquet(folder)["game_date"].tolist(),
            "arrow": arrow["game_date"].to_pylist(),
            "duckdb": duckdb.sql(f"SELECT game_date FROM '{folder}/**/*.parquet'").fetchnumpy()["game_date"].tolist(),
        }
        if polars := sys.modules.get("polars") or (find_spec("polars") and import_module("polars")):
            days["polars"] = polars.read_parquet(f"{folder}/**/*.parquet")["game_date"].to_list()
            days["polars' folder"] = polars.read_parquet(tmp_path / "copy" / UNRESOLVED)["game_date"].to_list()
        assert {name: [pd.Timestamp(day).date() for day in found] for name, found in days.items()} == dict.fromkeys(
            days, expected
        )


@pytest.mark.parametrize("form", ["folder", "delta"])
def test_a_span_of_which_nothing_is_stored_leaves_nothing(copy, tmp_path, form):
    if form == "delta":
        pytest.importorskip("deltalake", reason="the extra delta is not installed")
    later = [D2 + timedelta(9), D2 + timedelta(10)]
    with pytest.raises(ExportError, match=f"nothing of {later[0]}..{later[1]} is stored"):
        copy(later, form=form)
    with pytest.raises(ExportError, match="nothing of"):
        copy([D1], "current_predictions", form=form)
    assert not (tmp_path / "copy").exists()
    copy([D1], "unresolved_names", form=form)
    before = files(tmp_path / "copy")
    with pytest.raises(ExportError, match="nothing of"):
        copy(later, "unresolved_names", form=form)
    assert files(tmp_path / "copy") == before


@pytest.mark.parametrize("link", [UNRESOLVED, "nba_reference", MARK, ".export.lock"])
def test_a_link_in_the_folder_is_not_followed(copy, tmp_path, link):
    copy([D1], "unresolved_names")
    path, other = tmp_path / "copy" / link, tmp_path / "other"
    if path.is_dir():
        path.rename(other)
    else:
        other.write_text(path.read_text())
        path.unlink()
    path.symlink_to(other)
    before = files(other) if other.is_dir() else other.read_text()
    with pytest.raises(ExportError, match=f"{link} is a link"):
        copy([D1, D2], "unresolved_names")
    assert (files(other) if other.is_dir() else other.read_text()) == before


def test_a_link_in_place_of_a_file_is_replaced_and_its_target_kept(copy, tmp_path):
    copy([D1], "unresolved_names")
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "folder").mkdir()
    for path, to in ((f"{UNRESOLVED}/{D1}.parquet", "mine"), (PACKAGE, "mine"), (f"{TEMPORARY}left", "folder")):
        (tmp_path / "copy" / path).unlink(missing_ok=True)
        (tmp_path / "copy" / path).symlink_to(tmp_path / to)
    copy([D1], "unresolved_names")
    assert ((tmp_path / "mine").read_text(), (tmp_path / "folder").is_dir()) == ("mine", True)
    assert len(pd.read_parquet(tmp_path / "copy")) == 3


def test_the_tables_of_an_instant_are_exported_to_a_folder_of_their_own(lake, tmp_path):
    lake.claim("REAL")
    for ids in (["a"], ["b"]):
        with lake.publication(ids[0], "predict", "0.1") as publication:
            lake.append(LEDGER, ledger(ids), [D1])
            publication.publish()
    first = min(version.instant for version in lake.versions(D1) if version.run_id in "ab")
    source, home = lake_of(lake, tmp_path)
    export(source.as_of(first), home, [D1], tmp_path / "then", "folder", ["ledger"])
    export(source, home, [D1], tmp_path / "now", "folder", ["ledger"])
    assert [len(pd.read_parquet(tmp_path / name)) for name in ("then", "now")] == [1, 2]
    with pytest.raises(ExportError, match=r"another kind .* as of "):
        export(source, home, [D1], tmp_path / "then", "folder", ["ledger"])


def test_a_repeated_export_gives_the_same_files_and_another_span_adds_its_dates(copy, tmp_path):
    copy([D1], "unresolved_names")
    first = files(tmp_path / "copy")
    copy([D1], "unresolved_names")
    assert files(tmp_path / "copy") == first
    copy([D2], "unresolved_names")
    both = files(tmp_path / "copy")
    assert {k: v for k, v in both.items() if k in first and k != PACKAGE} == {
        k: v for k, v in first.items() if k != PACKAGE
    }
    assert len(package(tmp_path / "copy")["resources"][0]["path"]) == 2


def test_every_table_is_exported_with_its_empty_dates_and_a_view_when_it_is_named(lake, tmp_path):
    lake.claim("REAL")
    lake.write(NAMES, names(D1, 3), [D1, D2])
    lake.append(LEDGER, ledger(["a"]), [D1])
    source, home = lake_of(lake, tmp_path)
    assert export(source, home, [D1, D2], tmp_path / "copy", "folder") == Exported(len(TABLES), 2, 4)
    assert pq.read_metadata(tmp_path / f"copy/{UNRESOLVED}/{D2}.parquet").num_rows == 0
    export(source, home, [D1, D2], tmp_path / "copy", "folder", ["current_predictions"])
    described = {r["title"]: r["path"] for r in package(tmp_path / "copy")["resources"]}
    assert list(described) == ["nba_predictions.current_predictions", LEDGER.address, NAMES.address]
    assert len(described["nba_predictions.current_predictions"]) == 1, "a view has a file where it has rows"
    with pytest.raises(SelectionError, match="data_quality_summary has no dates"):
        export(source, home, [D1], tmp_path / "other", "folder", ["data_quality_summary"])
    assert not (tmp_path / "other").exists()


def test_a_date_that_is_no_longer_stored_leaves_the_copy(lake, tmp_path):
    lake.claim("REAL")
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 3)]), [D1, D2])
    source, home = lake_of(lake, tmp_path)
    export(source, home, [D1, D2], tmp_path / "copy", "folder")
    lake._file(NAMES, D1).write_bytes(b"not parquet")
    (damage,) = lake.damaged()
    lake.set_aside(damage, pd.Timestamp("2026-01-09T00:00Z").to_pydatetime())
    export(source, home, [D1, D2], tmp_path / "copy", "folder")
    assert [p.name for p in (tmp_path / "copy" / UNRESOLVED).iterdir()] == [f"{D2}.parquet"]
    assert package(tmp_path / "copy")["resources"][0]["path"] == [f"{UNRESOLVED}/{D2}.parquet"]


def test_rows_that_cannot_be_read_leave_the_copy_as_it_was(lake, tmp_path):
    lake.claim("REAL")
    lake.write(NAMES, names(D1, 3), [D1])
    lake.append(LEDGER, ledger(["a"]), [D1])
    source, home = lake_of(lake, tmp_path)
    export(source, home, [D1], tmp_path / "copy", "folder")
    before = files(tmp_path / "copy")
    lake.write(LEDGER, LEDGER.empty(), [D1])
    lake._file(NAMES, D1).write_bytes(b"not parquet")
    with pytest.raises(WarehouseError, match="unresolved_names"):
        export(source, home, [D1], tmp_path / "copy", "folder", ["ledger", "unresolved_names"])
    assert files(tmp_path / "copy") == before


def test_an_export_that_was_killed_is_completed(copy, tmp_path, monkeypatch):
    """After the first rename: what is there are whole dates, and the description comes last."""
    plain, done = Path.replace, []

    def once(path: Path, target: Path) -> Path:
        if target.suffix == ".parquet" and done:
            raise KeyboardInterrupt
        done.append(target)
        return plain(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", once)
        with pytest.raises(KeyboardInterrupt):
            copy([D1, D2], "unresolved_names")
    target = tmp_path / "copy"
    assert [pq.read_metadata(p).num_rows for p in target.rglob("*.parquet")] == [3]
    assert not (target / PACKAGE).exists()
    (target / f"{TEMPORARY}left").mkdir()
    copy([D1, D2], "unresolved_names")
    assert sorted(p.name for p in target.iterdir()) == [".export.lock", MARK, PACKAGE, "nba_reference"]
    assert len(package(target)["resources"][0]["path"]) == 2


def test_a_folder_that_is_not_for_an_export_is_refused(lake, tmp_path):
    lake.claim("REAL")
    lake.write(NAMES, names(D1, 3), [D1])
    source, home = lake_of(lake, tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    export(source, home, [D1], tmp_path / "copy", "folder")
    (tmp_path / "copy" / MARK).write_text("folder of the simulated league")
    for name, message in (
        ("home/copy", "is inside the home"),
        ("link/copy", "is inside the home"),
        ("mine", "is not empty and not an export"),
        ("file", "can't be used"),
        ("copy", r"another kind \(folder of the simulated league\), this is folder of the real league"),
    ):
        with pytest.raises(ExportError, match=message):
            export(source, home, [D1], tmp_path / name, "folder")
    assert list(home.iterdir()) == []
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_nothing_stored_is_not_exported(lake, tmp_path):
    source, home = lake_of(lake, tmp_path)
    with pytest.raises(ExportError, match="nothing is stored yet"):
        export(source, home, [D1], tmp_path / "copy", "folder")
    assert not (tmp_path / "copy").exists()


def test_a_delta_table_replaces_its_dates(copy, tmp_path):
    deltalake = pytest.importorskip("deltalake", reason="the extra delta is not installed")
    assert copy([D1, D2], "unresolved_names", form="delta") == Exported(1, 2, 5)
    assert copy([D1], "unresolved_names", form="delta") == Exported(1, 1, 3)
    table = deltalake.DeltaTable(tmp_path / "copy" / UNRESOLVED)
    assert (table.version(), table.metadata().name) == (1, NAMES.address)
    assert table.history(1)[0]["league"] == "SIMULATED"
    frame = table.to_pandas().sort_values(["game_date", "source_name"])
    assert frame["source_name"].tolist() == ["a0", "a1", "a2", "b0", "b1"]


def test_a_delta_table_needs_a_library(lake, tmp_path, monkeypatch):
    lake.claim("REAL")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    source, home = lake_of(lake, tmp_path)
    with pytest.raises(ExportError, match=r"needs deltalake: pip install 'nba_props\[delta\]'"):
        export(source, home, [D1], tmp_path / "copy", "delta")
    assert not (tmp_path / "copy").exists()


def test_every_table_and_view_has_a_valid_description():
    addresses = [*TABLES, *VIEWS]
    made = descriptor(
        [
            Resource(
                a, (TABLES | VIEWS)[a].description, columns_of(a, VIEWS), TABLES[a].unique if a in TABLES else (), ["a"]
            )
            for a in addresses
        ],
        "REAL",
    )
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(json.dumps(made)))
    fields = {f["name"]: f for f in made["resources"][addresses.index(NAMES.address)]["schema"]["fields"]}
    assert fields["quotes"]["constraints"] == {"required": True, "minimum": 1}
    assert fields["game_date"]["example"] == "2026-01-09"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate({**made, "resources": []})


def test_the_command_exports_a_slate(predicted, tmp_path, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(predicted.settings.home))
    monkeypatch.setenv("NBA_PROPS_LANDING", predicted.settings.landing)
    monkeypatch.chdir(tmp_path)
    done = invoke("export", str(DAY), "--table", "ledger", "--table", "current_predictions")
    assert done.exit_code == 0, done.output
    rows = len(predicted.warehouse.read(LEDGER, [DAY]))
    assert f"export    export: 2 tables, 1 date, {2 * rows} rows" in done.output
    assert package(tmp_path / "export")["league"] == predicted.warehouse.source()
    refused = invoke("export", str(DAY), "--into", str(predicted.settings.home / "x"))
    assert (refused.exit_code, "is inside the home" in refused.output) == (1, True)
    assert invoke("export", str(DAY), "--into", "gs://bucket/x").exit_code == 2
    assert invoke("export", str(DAY), "--to", "csv").exit_code == 2
    wrong = invoke("export", str(DAY), "--table", "ledgr", "--into", "other")
    assert (wrong.exit_code, "did you mean ledger?" in wrong.output) == (2, True)
    wrong = invoke("export", str(DAY), "--table", "zz", "--into", "other")
    assert 'nba-props sql "show tables"` lists them' in wrong.output.replace("\n", " ")
    none = invoke("export", "2030-01-01", "--into", "other")
    assert (none.exit_code, "nothing of 2030-01-01 is stored" in none.output) == (1, True)
    assert not (tmp_path / "other").exists()
    then = invoke("export", str(DAY), "--table", "ledger", "--as-of", "2098-01-09T17:00Z", "--into", "other")
    assert (then.exit_code, "is in the future" in then.output) == (1, True)
