"""A file that is not named like a partition or model is ignored, stops no command, and is named."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from nba_props.catalog import TABLES
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import MissingPartition
from nba_props.warehouse.bigquery.manifest import Manifest
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.warehouse.samples import D1, D2, NAMES, names

D9 = date(2026, 1, 9)
WITH_CATALOG = True
COUNT = "SELECT COUNT(*) AS n FROM nba_reference.unresolved_names"


def copied(folder: Path, name: str) -> None:
    shutil.copytree(folder / f"game_date={D1}", folder / name)


def in_place_of_a_folder(folder: Path) -> None:
    (folder / f"game_date={D9}").write_bytes((folder / f"game_date={D1}" / "data.parquet").read_bytes())


def a_folder_as_file(folder: Path) -> None:
    (folder / f"game_date={D9}" / "data.parquet").mkdir(parents=True)


ARABIC = "2026-01-09".translate({ord("0") + n: 0x660 + n for n in range(10)})
#: by what they are: how each comes into the folder of a table, and what is named
STRAYS = {
    **{
        name: (lambda folder, name=name: copied(folder, name), name)
        for name in (
            f"game_date={D1}.bak", f"game_date={D1} (copy)", "game_date=2026-13-01", "game_date=2026-02-30",
            "game_date=2026-1-9", f"game_date={ARABIC}", "game_date=", "game_date=9999-01-01", f"Game_date={D1}",
            f".game_date={D1}", f"game_date={D1}\n", "game_date=[2026-01-09]", "backup",
        )
    },
    "file": (in_place_of_a_folder, f"game_date={D9}"),
    "folder": (a_folder_as_file, f"game_date={D9}/data.parquet"),
    "beside": (lambda f: (f / f"game_date={D1}/old").mkdir(), f"game_date={D1}/old"),
    "hidden": (lambda f: (f / ".DS_Store").write_bytes(b"x"), ".DS_Store"),
    "parquet": (
        lambda f: shutil.copy(f / f"game_date={D1}/data.parquet", f / f"game_date={D1}/data (1).parquet"),
        f"game_date={D1}/data (1).parquet",
    ),
}  # fmt: skip


@pytest.fixture
def two_dates(lake: LakeWarehouse) -> LakeWarehouse:
    lake.write(NAMES, names(D1, 3), [D1])
    lake.write(NAMES, names(D2, 4), [D2])
    return lake


@pytest.mark.parametrize("kind", STRAYS)
def test_a_stray_is_ignored_and_named(two_dates, kind):
    make, named = STRAYS[kind]
    make(two_dates._folder(NAMES))
    lake = LakeWarehouse(two_dates.root)
    assert lake.partitions(NAMES) == [D1, D2]
    assert list(lake.states(NAMES)) == [D1, D2]
    assert list(lake.fingerprints(NAMES)) == [D1, D2]
    assert lake.damaged() == []
    for asked in (lake, two_dates):  # a warehouse that was open before sees it as well
        assert asked.query(COUNT)["n"][0] == 7
    with pytest.raises(MissingPartition):
        lake.read(NAMES, [D9])
    ((path, why),) = lake.strays()
    assert path == str(lake._folder(NAMES) / named)
    assert why


def test_no_stray_is_in_the_catalog_or_in_the_way_of_a_later_date(two_dates):
    lake = LakeWarehouse(two_dates.root)
    made = {kind: named for kind, (_, named) in STRAYS.items() if kind != "folder"}  # in the place of "file"
    for kind in made:
        STRAYS[kind][0](lake._folder(NAMES))
    lake.refresh_catalog()
    later = D2 + timedelta(1)
    for rows in (7, 12):
        with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
            assert catalog.execute(COUNT).fetchall() == [(rows,)]
        for asked in (lake, two_dates):
            assert asked.query(COUNT)["n"][0] == rows
            assert asked.read_only(COUNT)["n"][0] == rows
        lake.write(NAMES, names(later, 5), [later])
    assert {path for path, _ in lake.strays()} == {str(lake._folder(NAMES) / named) for named in made.values()}


@pytest.mark.parametrize("place", ["nba_raw copy", "nba_raw/schedule (copy)", "nba_raw/notes.txt", "nba_raw/schedule"])
def test_a_stray_beside_the_tables_is_named(two_dates, place):
    path = two_dates.root / place
    if path.suffix or place == "nba_raw/schedule":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    else:
        path.mkdir(parents=True)
    assert two_dates.query(COUNT)["n"][0] == 7
    assert [found for found, _ in two_dates.strays()] == [str(path)]


def test_a_lake_of_its_own_files_has_no_stray(two_dates):
    two_dates._folder(NAMES).joinpath(f"game_date={D1}", ".tmp-1").write_bytes(b"")
    with two_dates._layout.locked(NAMES, D1):
        assert two_dates.strays() == []
    assert LakeWarehouse(two_dates.root / "nowhere").strays() == []


ODD_PLACES = 'a [b] c/a*b/it\'s "it"/50%/a#b/a b/Dončić/[2026]*'


def test_a_lake_lies_under_any_name(tmp_path):
    lake = LakeWarehouse(tmp_path / ODD_PLACES / "lake")
    lake.claim("SIMULATED")
    lake.write(NAMES, names(D1, 3), [D1])
    (lake._folder(NAMES) / "game_date=2026-13-01").mkdir()  # the files are listed then, not found by a pattern
    for again in range(2):
        assert lake.query(COUNT)["n"][0] == 3 + again
        assert lake.read_only(COUNT)["n"][0] == 3 + again
        with duckdb.connect(str(lake.catalog_path), read_only=True) as catalog:
            assert catalog.execute(COUNT).fetchall() == [(3 + again,)]
        (lake._folder(NAMES) / "game_date=2026-13-01").rmdir() if not again else None
        lake.write(NAMES, names(D1, 4), [D1])
        lake.refresh_catalog()
    assert lake.strays() == []
    assert lake.source() == "SIMULATED"


def test_the_catalog_includes_partitions_that_are_written_later(two_dates):
    two_dates.write(NAMES, names(D9, 5), [D9])
    with duckdb.connect(str(two_dates.catalog_path), read_only=True) as catalog:
        assert catalog.execute(COUNT).fetchall() == [(12,)]


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("catboost_v8 copy/2026-01-05/card.json", "a trained system"),
        ("catboost_v8/2026-01-05 copy/card.json", "a week"),
        ("catboost_v8/2026-1-5/card.json", "a week"),
        ("catboost_v8/notes.txt", "a week"),
        ("catboost_v8/2026-01-05/card (1).json", "a model or its card"),
        (".DS_Store", "a trained system"),
    ],
)
def test_a_stray_among_models_is_named_and_is_not_a_week(tmp_path, place, why):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    store = ModelStore(str(tmp_path))
    assert store.weeks("catboost_v8") in ([], [date(2026, 1, 5)])
    assert store.weeks("catboost_v8") == []
    ((found, said),) = store.strays()
    assert found == str(path)
    assert why in said


def test_models_have_no_stray(platform):
    assert platform.models.all_weeks()
    assert platform.models.strays() == []
    assert ModelStore(str(Path(platform.settings.home) / "nowhere")).strays() == []


class Bucket:
    """A bucket that can be listed."""

    name = "bucket"

    def __init__(self, **rows: str | None) -> None:
        self.objects = rows

    def list_blobs(self, prefix: str) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(
                name=name, metadata=None if rows is None else {"rows": rows}, updated=datetime(2026, 1, 9, tzinfo=UTC), generation=1
            )
            for name, rows in self.objects.items()
            if name.startswith(prefix)
        ]  # fmt: skip


def test_a_mark_with_an_odd_name_or_content_is_ignored_and_named():
    place = f"marks/{NAMES.dataset}/{NAMES.name}/"
    odd = {
        "game_date=2026-01-09.bak": "3", "game_date=2026-01-09 (copy)": "3", "game_date=2026-13-01": "3", "game_date=": "3",
        f"game_date={ARABIC}": "3", "game_date=2026-01-10": "\u0663", "game_date=2026-01-11": "\u00b2",
        "game_date=2026-01-12": None, "game_date=2026-01-13/old": "3", "notes.txt": None,
    }  # fmt: skip
    bucket = Bucket(**{place + name: rows for name, rows in {"game_date=2026-01-09": "3", **odd}.items()})
    marks = Manifest(lambda: bucket, "marks")  # type: ignore[arg-type,return-value]
    assert {day: mark.rows for day, mark in marks.of(NAMES).items()} == {D9: 3}
    found = dict(marks.strays(TABLES.values()))
    assert set(found) == {f"gs://bucket/{place}{name}" for name in odd}
