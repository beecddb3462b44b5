"""A damaged home: each damage is one sentence with file, cause and way out, from every command; repair moves and remakes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
from click.testing import CliRunner, Result

from nba_props.automation.event_log import SqliteEventLog
from nba_props.automation.home import flaws
from nba_props.automation.instance import open_instance
from nba_props.cli import main
from nba_props.deployment import load_settings
from nba_props.operations import home as homes
from nba_props.settings import Settings
from nba_props.warehouse.lake import LakeWarehouse, files
from nba_props_tests import league
from nba_props_tests.conftest import DAY
from nba_props_tests.copies import copied

WITH_CATALOG = True
NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
RUNS, EVENTS, TICKS = (f"dagster/{place}" for place in homes.DATABASES)


@pytest.fixture
def environ(monkeypatch):
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER"))]:
        monkeypatch.delenv(name)

    def use(folder: Path) -> Settings:
        monkeypatch.setenv("NBA_PROPS_HOME", str(folder / "home"))
        monkeypatch.setenv("NBA_PROPS_LANDING", str(folder / "landing"))
        monkeypatch.setenv("DAGSTER_HOME", "set, so that it is taken back in the end")
        monkeypatch.delenv("DAGSTER_HOME")
        monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
        return load_settings()

    return use


@dg.asset
def something() -> None:
    """What a run made."""


@pytest.fixture(scope="module")
def lived_in(rung, tmp_path_factory) -> Path:
    """A platform with two systems published, a catalog, an audit's memory and one run in Dagster's databases."""
    folder = tmp_path_factory.mktemp("lived-in") / "platform"
    copied(rung("published"), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "home" / "dagster"))
        with open_instance(load_settings({"NBA_PROPS_HOME": str(folder / "home")})) as instance:
            dg.materialize([something], instance=instance)
    memory = folder / "home" / "audit" / "0123"
    (memory / "nba_predictions.ledger").mkdir(parents=True)
    (memory / "judged.json").write_text("{}")
    LakeWarehouse(folder / "home" / "lake").refresh_catalog()
    for path in (folder / "home" / "dagster").rglob("*-wal"):
        assert not path.stat().st_size, "a copy would lack what is not in the database yet"
    return folder


@pytest.fixture
def folder(lived_in, tmp_path, environ) -> Path:
    shutil.copytree(lived_in, tmp_path / "platform", copy_function=os.link)
    dagster = tmp_path / "platform" / "home" / "dagster"
    shutil.rmtree(dagster)  # its databases are written into
    shutil.copytree(lived_in / "home" / "dagster", dagster)
    environ(tmp_path / "platform")
    return tmp_path / "platform"


def garbage(path: Path) -> None:
    _write(path, b"no such thing " * 400)


def truncated(path: Path) -> None:
    _write(path, path.read_bytes()[: path.stat().st_size // 2 + 7])


def emptied(path: Path) -> None:
    _write(path, b"")


def a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # it may be a link to the original
    path.write_bytes(data)


def text(content: str) -> Callable[[Path], None]:
    return lambda path: _write(path, content.encode())


def newest_card(home: Path) -> Path:
    return sorted((home / "models").rglob("card.json"))[-1]


def newest_model(home: Path) -> Path:
    return next(p for p in sorted(newest_card(home).parent.iterdir()) if p.suffix != ".json")


def of_another_week(card: Path) -> None:
    _write(card, card.read_bytes().replace(f'"week": "{card.parent.name}"'.encode(), b'"week": "2025-01-06"'))


@dataclass(frozen=True)
class Damage:
    """A file of a home, by its place there, and how it comes to harm."""

    place: str | Callable[[Path], Path]
    harm: Callable[[Path], None]
    #: the command that meets it, and a part of what that says; None where it goes on
    command: tuple[str, ...] = ()
    says: str | None = None
    #: what the doctor's advice is, unless it makes the file again
    advice: str = homes.REPAIR

    def path(self, home: Path) -> Path:
        return home / self.place if isinstance(self.place, str) else self.place(home)


MOVE = ("quarantine", "placeholder", str(DAY), "--dry-run")
PLAN = ("backfill", str(DAY), "--dry-run")
COUNT = ("sql", "select count(*) from nba_predictions.ledger")
DAMAGES = {
    "runs garbage": Damage(RUNS, garbage, MOVE, "Dagster's record of runs can't be read"),
    "runs truncated": Damage(RUNS, truncated),
    "runs a folder": Damage(RUNS, a_folder),
    "events garbage": Damage(EVENTS, garbage),
    "events truncated": Damage(EVENTS, truncated, MOVE, "Dagster's index of events can't be read"),
    "ticks garbage": Damage(TICKS, garbage, MOVE, "Dagster's sensors and schedules can't be read"),
    "settings garbage": Damage("dagster/dagster.yaml", text("a: [b\x00")),
    "settings a list": Damage("dagster/dagster.yaml", text("- a"), MOVE, "dagster.yaml has no settings"),
    "settings of no Dagster": Damage("dagster/dagster.yaml", text("no_such: 1"), MOVE, "dagster.yaml can't be used"),
    "settings binary": Damage("dagster/dagster.yaml", garbage),
    "settings a folder": Damage("dagster/dagster.yaml", a_folder),
    "catalog garbage": Damage("lake/catalog.duckdb", garbage),
    "catalog truncated": Damage("lake/catalog.duckdb", truncated),
    "catalog a folder": Damage("lake/catalog.duckdb", a_folder),
    "note garbage": Damage("lake/.catalog.json", garbage),
    "note a list": Damage("lake/.catalog.json", text("[1]")),
    "mark emptied": Damage("lake/SOURCE", emptied, ("run", str(DAY)), "SOURCE contains '', neither REAL nor SIMULATED"),
    "mark garbage": Damage("lake/SOURCE", text("\x00\xff")),
    "mark a folder": Damage("lake/SOURCE", a_folder, ("run", str(DAY)), "SOURCE is a folder"),
    "card garbage": Damage(newest_card, garbage, advice="nba-props train"),
    "card of another week": Damage(newest_card, of_another_week, advice="nba-props train"),
    "model truncated": Damage(newest_model, truncated, advice="nba-props train"),
    "memory garbage": Damage("audit/0123/judged.json", garbage),
    "memory a list": Damage("audit/0123/judged.json", text('{"t": {"2026-01-09": [1]}}')),
    "memory's rows": Damage("audit/0123/nba_predictions.ledger/2026-01-09.rows", text("abc")),
}  # fmt: skip
#: every command that reads or writes the home, as short as it can be
COMMANDS = {
    "run": ("run", str(DAY), "--rows", "1"), "backfill": PLAN,
    "train": ("train", str(DAY)), "validate": ("validate", str(DAY)), "report": ("report", str(DAY)), "quarantine": MOVE,
    "sql": COUNT, "doctor": ("doctor", "--offline"), "scrub": ("scrub",), "history": ("history", "Ada", str(DAY)),
    "grade": ("grade", str(DAY)), "batches": ("batches",), "rollback": ("rollback", "last", "--dry-run"),
    "reline": ("reline", str(DAY), "--dry-run"), "prune": ("prune", "--dry-run"),
}  # fmt: skip


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def assert_no_traceback(result: Result) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert sum(line.startswith("Error: ") for line in result.output.splitlines()) <= 1


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_reported_found_and_repaired(folder, name):
    damage, home = DAMAGES[name], folder / "home"
    path = damage.path(home)
    damage.harm(path)
    if damage.command:
        result = invoke(*damage.command)
        assert_no_traceback(result)
        assert result.exit_code == 1
        (line,) = [x for x in result.output.splitlines() if x.startswith("Error: ")]
        assert damage.says in line
        assert str(home) in line
        assert "nba-props doctor" in line
    settings = load_settings()
    lake = LakeWarehouse(settings.lake)
    (flaw,) = flaws(settings, lake)
    assert damage.advice in flaw.advice
    assert str(path.parent) in str(flaw)
    if flaw.remake is None:
        return
    harmed = None if path.is_dir() else path.read_bytes()
    (done,) = homes.repair([flaw], NOW)
    kept = path.with_name(f"{path.name}.damaged-20260109T120000000000Z")
    assert kept.name in done
    assert kept.is_dir() if harmed is None else kept.read_bytes() == harmed, "nothing is deleted"
    assert flaws(settings, lake) == []
    assert lake.source() == "REAL"


def test_the_index_is_rebuilt_from_the_logs_of_runs(folder):
    settings = load_settings()
    with open_instance(settings) as instance:
        (before,) = instance.fetch_materializations(something.key, limit=9).records
    garbage(settings.home / EVENTS)
    (done,) = homes.repair(flaws(settings, LakeWarehouse(settings.lake)), NOW)
    assert "the events of the 1 runs" in done
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, SqliteEventLog)
        (after,) = instance.fetch_materializations(something.key, limit=9).records
        assert after.event_log_entry == before.event_log_entry
        assert after.storage_id > before.storage_id + 10**9, "sensors remember numbers of the index that was lost"
        assert instance.get_asset_keys() == [something.key]
        dg.materialize([something], instance=instance)
        assert len(instance.fetch_materializations(something.key, limit=9).records) == 2


def test_everything_at_once_is_repaired_by_one_command(folder):
    for place in (
        RUNS,
        EVENTS,
        TICKS,
        "dagster/dagster.yaml",
        "lake/catalog.duckdb",
        "lake/.catalog.json",
        "lake/SOURCE",
    ):
        garbage(folder / "home" / place)
    broken = invoke("doctor", "--offline")
    assert_no_traceback(broken)
    assert broken.exit_code == 1
    repaired = invoke("doctor", "--offline", "--repair")
    assert_no_traceback(repaired)
    assert repaired.output.count("repaired ") == 7
    settings = load_settings()
    assert flaws(settings, LakeWarehouse(settings.lake)) == []
    assert invoke(*MOVE).exit_code == 0


def test_on_a_full_disk_no_database_counts_as_damaged_and_nothing_is_moved(folder, monkeypatch):
    """SQLite can't create its files beside a database there, and reports a failure to read."""
    settings, asked = load_settings(), []
    plain = homes._checked

    def checked(path: Path, how: str) -> str:
        asked.append(how)
        if how == "mode=ro":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
            raise error
        return plain(path, how)

    monkeypatch.setattr(homes, "_checked", checked)
    assert flaws(settings, LakeWarehouse(settings.lake)) == []
    assert "immutable=1" in asked
    garbage(folder / "home" / RUNS)
    (flaw,) = flaws(settings, LakeWarehouse(settings.lake))
    assert flaw.remake is None
    assert "free the disk" in flaw.advice
    monkeypatch.undo()
    monkeypatch.setattr(homes, "is_full", lambda _: True)
    found = homes.database_flaws(settings.dagster_home, lambda path: f"{path} is made")
    assert len(found) == 1
    with pytest.raises(homes.HomeError, match="has no room to make a file again: free the disk"):
        list(homes.repair(found, NOW))
    assert found[0].path.exists()


@pytest.mark.parametrize(
    ("tables", "status"),
    [
        (["nba_analytics/slate"], 0),
        (["nba_predictions/ledger"], 1),
        (["nba_analytics/slate", "nba_predictions/ledger"], 1),
    ],
)
def test_setting_aside_fails_where_a_backfill_cannot_make_it_again(folder, tables, status):
    for table in tables:
        truncated((folder / "home" / "lake" / table / f"game_date={DAY}" / files.CURRENT).resolve())
    done = invoke("scrub", str(DAY), "--quarantine")
    assert done.exit_code == status, done.output
    assert done.output.count("set aside ") == len(tables)


def test_strays_are_named_by_doctor_and_scrub_and_are_not_a_failure(folder):
    table = folder / "home" / "lake" / "nba_predictions" / "ledger"
    before = invoke(*COUNT).output
    shutil.copytree(table / f"game_date={DAY}", table / f"game_date={DAY}.bak")
    model = newest_card(folder / "home").parent
    shutil.copytree(model, model.with_name(f"{model.name} copy"))
    assert invoke(*COUNT).output == before, "no row counts twice"
    (model.parent / "2026-01-05 empty").mkdir()
    (folder / "home" / "lake" / "notes.txt").symlink_to("nowhere")
    healthy, scrubbed = invoke("doctor", "--offline"), invoke("scrub")
    assert (healthy.exit_code, scrubbed.exit_code) == (0, 0), healthy.output + scrubbed.output
    said = f"{table / f'game_date={DAY}'}.bak is not named like a partition"
    assert f"off stray: {said}" in healthy.output
    assert f"stray     {said}" in scrubbed.output
    assert f"{model} copy/card.json is not in the folder of a week" in scrubbed.output
    assert f"{model.parent}/2026-01-05 empty is not in the folder of a week" in scrubbed.output
    assert "notes.txt is neither a dataset of tables nor a file of the lake" in scrubbed.output
    assert "every partition is as it was written" in scrubbed.output
    assert "--seal" not in scrubbed.output, "a home of this release is sealed from the beginning"
    shutil.rmtree(model.parent)
    model.parent.touch()
    assert f"{model.parent} is a file in place of a folder" in invoke("scrub").output


@pytest.mark.parametrize("place", ["nba_predictions", "nba_predictions/ledger"])
def test_a_file_in_the_place_of_tables_is_not_counted_as_empty(folder, place):
    path = folder / "home" / "lake" / place
    shutil.move(path, folder / "elsewhere")
    path.touch()
    for command in (COUNT, ("scrub",), ("batches",) if "/" not in place else COUNT):
        result = invoke(*command)
        assert result.exit_code == 1, result.output
        assert "is a file, so it is unknown what" in result.output or "Not a directory" in result.output


def test_a_lost_link_is_not_counted_as_empty(folder):
    (folder / "home" / "lake" / "nba_predictions" / "ledger" / f"game_date={DAY}" / "data.parquet").unlink()
    result = invoke(*COUNT)
    assert result.exit_code == 1
    assert "is gone or leads nowhere" in result.output


@pytest.mark.parametrize("place", ["", "history"])
def test_a_file_in_the_place_of_dagsters_folder_is_found(folder, place):
    path = folder / "home" / "dagster" / place
    shutil.rmtree(path)
    path.touch()
    result = invoke("doctor", "--offline")
    assert result.exit_code == 1
    assert f"is a file in place of a folder ({path})" in result.output


@pytest.mark.parametrize(
    "command",
    [["scrub"], ["scrub", "--seal"], list(COUNT), ["batches"], ["history", "Ada", str(DAY)], ["validate", str(DAY)],
     ["report", str(DAY)], ["rollback", "last"]],
    ids=lambda c: " ".join(c[:2]),
)  # fmt: skip
def test_a_home_that_is_not_there_is_not_whole(tmp_path, monkeypatch, command):
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "hom"))
    result = invoke(*command)
    assert result.exit_code == 2
    assert not (tmp_path / "hom").exists()
    assert "is NBA_PROPS_HOME the home that you mean?" in result.output


def test_what_may_not_be_read_is_left_alone(folder, monkeypatch):
    settings = load_settings()
    for place in ("lake/SOURCE", "dagster/dagster.yaml", RUNS):
        garbage(settings.home / place)
    found = flaws(settings, LakeWarehouse(settings.lake))
    assert len(found) == 3
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert list(homes.repair(found, NOW)) == []
    assert all(f.path.exists() for f in found)


def test_a_catalog_that_is_damaged_at_the_first_write_is_rebuilt(folder):
    lake = LakeWarehouse(folder / "home" / "lake")
    for harm, path in ((garbage, lake.catalog_path), (truncated, lake.catalog_path), (garbage, lake.catalog_note)):
        harm(path)
        note = lake.catalog_note
        if path != note:
            _write(note, note.read_bytes().replace(b"nba_raw", b"nba_raw ", 1))  # one view is another one now
        lake.refresh_catalog()
        assert lake.catalog_flaw() == lake.catalog_note_flaw() == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/h/lake/x"), "/h/lake/x can't be used: No space left.*free the disk"),
        (OSError(errno.EROFS, "Read-only file system", "/h/x"), "/h/x can't be used: Read-only.*make it writable"),
        (PermissionError(errno.EACCES, "Permission denied", "/h/x"), "/h/x can't be used: Permission denied. fix its perm"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/h/x"), "/h/x .*move away what is in the place of a folder"),
        (OSError(errno.ENOSPC, "No space left on device"), "/h can't be used: No space left on device"),
        (OSError(errno.EIO, "Input/output error", b"/h/x"), "/h/x can't be used: Input/output error. nba-props doctor"),
        (OSError("of a library"), None),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), None),
        (ValueError("a mistake of ours"), None),
    ],
)  # fmt: skip
def test_a_disk_error_is_a_sentence_however_deeply_nested(error, said):
    settings = load_settings({"NBA_PROPS_HOME": "/h", "NBA_PROPS_FIRST_DATE": "2025-10-21"})
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = error
    found = homes.sentence(wrapped, settings)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(said, found)


def test_a_full_pipe_is_not_a_full_home(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device")
    found = homes.sentence(error, load_settings({"NBA_PROPS_HOME": str(tmp_path)}))
    assert found is not None
    assert found.startswith("the output of this command can't be used: No space left")


@pytest.mark.parametrize("place", ["landing.json", "player_aliases.csv", "own.csv", "reports", "audit"])
def test_a_folder_in_the_place_of_a_file_and_the_reverse_is_a_sentence(folder, monkeypatch, place):
    home = place in ("reports", "audit")
    path = folder / ("home" if home else "landing") / place
    if place == "reports":  # of a date that is not graded there is no page
        assert "WIN" in invoke("grade", str(DAY)).output
    if home:
        shutil.rmtree(path, ignore_errors=True)
        path.write_bytes(b"")
    else:
        a_folder(path)
        if place == "own.csv":
            monkeypatch.setenv("NBA_PROPS_ALIASES", str(path))
    result = invoke(*(("report", str(DAY)) if place == "reports" else ("doctor", "--offline") if home else PLAN))
    assert_no_traceback(result)
    if place != "audit":
        assert result.exit_code == 1
        assert str(path) in result.output


def full_database(*_: object, **__: object) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count = 3")
    try:
        connection.execute("INSERT INTO t VALUES (randomblob(1000000))")
    except sqlite3.Error as error:
        raise db.exc.OperationalError("INSERT INTO event_logs ...", {}, error) from error
    raise AssertionError("a database of three pages took a megabyte")


def test_a_full_disk_in_the_middle_of_a_run_is_a_sentence(folder, monkeypatch):
    monkeypatch.setattr(SqliteEventLog, "store_event", full_database)
    result = invoke(*MOVE)
    assert_no_traceback(result)
    assert result.exit_code == 1
    assert f"Error: Dagster's databases under {folder / 'home' / 'dagster'} can't be written" in result.output
    assert "database or disk is full. free the disk" in result.output


@pytest.mark.parametrize("command", ["backfill", pytest.param("report", marks=pytest.mark.long), "quarantine"])
def test_a_full_disk_leaves_no_temporary_file(folder, monkeypatch, command):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if command == "report":
        assert "Grades of the current predictions" in invoke("grade", str(DAY)).output
    shutil.rmtree(folder / "home" / "dagster")
    monkeypatch.setattr(os, "fsync", full)
    arguments = {"report": ("report", str(DAY)), "backfill": ("backfill", str(DAY), "--force"), "quarantine": MOVE}
    result = invoke(*arguments[command])
    assert_no_traceback(result)
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "free the disk" in result.output
    assert list(folder.rglob(".tmp-*")) == []


@pytest.mark.parametrize(
    "name",
    [
        "a [b] 50% é 'it' \"#\"",
        *(pytest.param(n, marks=pytest.mark.long) for n in ("a*b", "50%", "a#b", "Dončić", "%41", "a;b", "$(a)", "-a", "~")),
    ],
)  # fmt: skip
def test_a_home_lies_under_any_name(lived_in, tmp_path, environ, name):
    folder = tmp_path / name
    shutil.copytree(lived_in, folder, copy_function=os.link, ignore=shutil.ignore_patterns("dagster", "catalog*"))
    settings = environ(folder)
    result = invoke(*MOVE)
    assert result.exit_code == 0, result.output
    assert invoke(*COUNT).exit_code == 0
    assert flaws(settings, LakeWarehouse(settings.lake)) == []
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, SqliteEventLog), "its settings are found"
        assert len(instance.get_run_ids()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [name], "nothing lies beside it"


def test_a_path_that_dagster_cannot_use_is_reported(tmp_path, environ):
    environ(tmp_path / "what?")
    result = invoke("backfill", str(DAY), "--dry-run")
    assert_no_traceback(result)
    for name in ("landing", "home"):
        (tmp_path / "what?" / name).mkdir(parents=True)
    result = invoke(*MOVE)
    assert_no_traceback(result)
    assert "Dagster can't keep a database under a path with ?" in result.output
    environ(tmp_path / "a[b]")
    result = invoke("dev")
    assert_no_traceback(result)
    assert "set another one" in result.output


@pytest.mark.parametrize("command", ["quarantine", "sql", "doctor"])
def test_a_home_of_another_user_is_a_sentence(folder, command):
    closed = [folder / "home" / "lake", folder / "home" / "dagster"]
    for path in closed:
        path.chmod(0o000)
    try:
        if os.access(closed[0], os.R_OK):
            pytest.skip("this user may read everything")
        result = invoke(*COMMANDS[command])
    finally:
        for path in closed:
            path.chmod(0o700)
    assert_no_traceback(result)
    assert result.exit_code == 1
    assert "ermission denied" in result.output


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", DAMAGES)
def test_no_command_ends_in_a_traceback(folder, name, command):
    damage = DAMAGES[name]
    damage.harm(damage.path(folder / "home"))
    assert_no_traceback(invoke(*COMMANDS[command]))
