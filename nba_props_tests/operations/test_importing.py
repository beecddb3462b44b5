"""An export of the old production table: every row is kept, and published or quarantined by the quote behind it."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner

from nba_props.assets.tables import asset_key
from nba_props.automation import runner
from nba_props.automation.remediation import DRY_RUN_TAG
from nba_props.checks.predictions import NO_PLACEHOLDER_LINES
from nba_props.cli import main
from nba_props.deployment import frozen
from nba_props.domain import quality
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import days as dates_between
from nba_props.operations import remediation
from nba_props.operations.audit import Memory, audit, place
from nba_props.operations.exports import ImportRefused, as_imported, read_export
from nba_props.operations.importing import bring_in
from nba_props.operations.ledger import batches, own_dates
from nba_props.presentation import board, report
from nba_props.schemas import Table
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import (
    GRADE_HISTORY,
    IMPORTED_PREDICTIONS,
    LEDGER,
    PREDICTION_ACCURACY,
    QUARANTINED_PREDICTIONS,
)
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.simulator.league import simulate
from nba_props_tests import league
from nba_props_tests.conftest import DAY, SOME_SYSTEMS, open_platform
from nba_props_tests.gcp import googlesql

NOW = datetime(2026, 1, 17, tzinfo=UTC)
#: the first line of a small CSV
_HEAD = b"game_date,player_lookup,system_id,predicted_points,current_points_line\n"


def old_row(line: pd.Series, **claims: object) -> dict[str, object]:
    """A row of the old table about a player of the slate, its line the one that is chosen here."""
    return {
        "prediction_id": f"{line['player_lookup']}-{len(claims)}", "system_id": "moving_average",
        "player_lookup": line["player_lookup"], "game_date": str(DAY), "game_id": line.get("old_id"),
        "predicted_points": line["line"] + 2, "confidence_score": 0.7, "recommendation": "OVER",
        "has_prop_line": True, "current_points_line": line["line"], "line_source": "ACTUAL_PROP",
        "line_source_api": "ODDS_API", "sportsbook": "DRAFTKINGS", "model_version": "v1",
        "created_at": "2025-11-10 15:00:00 UTC", **claims,
    }  # fmt: skip


@pytest.fixture
def lines(predicted) -> pd.DataFrame:
    return lines_of(predicted)


def lines_of(platform) -> pd.DataFrame:
    rows = platform.warehouse.read(BETTING_LINES, [DAY])
    rows = rows[rows["line"].notna() & (rows["line"] != 20.0)].sort_values("player_id", ignore_index=True)
    slate = platform.warehouse.read(SLATE, [DAY]).set_index("player_id")
    away = slate["opponent"].where(slate["is_home"], slate["team"])
    home = slate["team"].where(slate["is_home"], slate["opponent"])
    ids = rows["player_id"].map(f"{DAY:%Y%m%d}_" + away + "_" + home).astype(object)
    return rows.assign(old_id=ids.where(ids.notna(), None))


def export(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype(object)


def ledger(warehouse) -> pd.DataFrame:
    rows = warehouse.read(LEDGER, [DAY])
    return rows[rows["system_id"].str.startswith("imported_")]


def test_each_row_is_classified_by_its_quote(predicted, lines):
    placeholder = {"current_points_line": 20.0, "line_source": None, "sportsbook": None}
    cases = {
        "valid": (old_row(lines.loc[0]), None),
        "of any book": (old_row(lines.loc[1], sportsbook=None), None),
        "percent": (old_row(lines.loc[2], confidence_score=70, line_source="ODDS_API"), None),
        "honest": (
            old_row(
                lines.loc[3], current_points_line=None, line_source="NO_PROP_LINE", has_prop_line=False,
                sportsbook=None, recommendation="NO_LINE",
            ),
            None,
        ),
        "placeholder": (old_row(lines.loc[4], **placeholder), "PLACEHOLDER_LINE"),
        "no source": (old_row(lines.loc[5], line_source=None), "NO_SOURCE"),
        "estimated": (old_row(lines.loc[6], line_source="ESTIMATED_AVG", current_points_line=21.5), "UNKNOWN_SOURCE"),
        "a line without a quote": (old_row(lines.loc[7], current_points_line=lines["line"][7] + 7), "NO_QUOTE"),
        "other book": (old_row(lines.loc[8], sportsbook="Caesars"), "NO_QUOTE"),
        "wrong side": (old_row(lines.loc[9], recommendation="UNDER"), "INVALID_RECOMMENDATION"),
        "no forecast": (old_row(lines.loc[10], predicted_points=None), "INVALID_PREDICTION"),
        "unknown player": (old_row(lines.loc[11], player_lookup="nobody"), "NO_QUOTE"),
        "its game": (old_row(lines.loc[12], game_id=str(int(lines["game_id"][12]))), None),
        "another game": (old_row(lines.loc[13], game_id="0022509999"), "NO_QUOTE"),
        "contradiction": (
            old_row(lines.loc[14], current_points_line="20,0", line_source="NO_PROP_LINE", has_prop_line=False,
                    sportsbook=None, recommendation="NO_LINE"),
            "NO_SOURCE",
        ),
        "a blank book": (old_row(lines.loc[15], sportsbook=" "), None),
    }  # fmt: skip
    done = bring_in(predicted.warehouse, [export(*(row for row, _ in cases.values()))], "run-1", NOW)
    held = predicted.warehouse.read(QUARANTINED_PREDICTIONS, [DAY])
    held = held[held["run_id"] == "run-1"].set_index("feature_hash")["reason"]
    good = ledger(predicted.warehouse).set_index("feature_hash")
    kept = predicted.warehouse.read(IMPORTED_PREDICTIONS, [DAY])
    ids = {json.loads(r)["prediction_id"] + json.loads(r)["player_lookup"]: i for r, i in zip(kept["source_row"], kept["row_id"], strict=True)}  # fmt: skip
    for what, (row, reason) in cases.items():
        row_id = ids[f"{row['prediction_id']}{row['player_lookup']}"]
        assert held.get(row_id) == reason, what
        assert (row_id in good.index) == (reason is None), what
    assert done.total == len(cases) == len(good) + len(held)
    assert done.days == (DAY,)
    assert good["is_backfill"].all(), "when another system wrote a row is its own claim"
    assert good["confidence_score"].dropna().between(0, 1).all()
    assert set(good["system_id"]) == {"imported_moving_average"}
    lined = good[good["line"].notna()]
    assert lined["quote_id"].notna().all()
    assert lined[["over_price", "under_price"]].notna().all(axis=None)
    assert json.loads(lined["components"].iloc[0])["created_at"] == "2025-11-10 15:00:00 UTC"


GAME_IDS = {
    "0022500041": True, "22500041": True, "22500041.0": True, " 0022500041 ": True, None: True, "": True,
    "20251110_AWY_HOM": True, "20251110_XYZ_HOM": True, "20251110_awy_xyz": True,
    "0022509999": False, "22509999.0": False, " 0022509999": False, "2.2509999e7": False, "22500041,0": False,
    "20251109_AWY_HOM": False, "20251110_XYZ_ABC": False, "a game": False, "00225000410": False,
}  # fmt: skip


def test_a_row_belongs_to_the_game_that_it_names_whatever_form_the_id_has(predicted, lines):
    line = lines.loc[0]
    _, away, home = line["old_id"].split("_")
    own = {"22500041": line["game_id"][2:], "AWY": away, "HOM": home, "awy": away.lower()}

    def here(text: str | None) -> str | None:
        for placeholder, value in own.items():
            text = text and text.replace(placeholder, value)
        return text

    rows = [old_row(line, game_id=here(text), system_id=f"s{n}") for n, text in enumerate(GAME_IDS)]
    bring_in(predicted.warehouse, [export(*rows)], "run-1", NOW)
    published = set(ledger(predicted.warehouse)["system_id"])
    assert {text: f"imported_s{n}" in published for n, text in enumerate(GAME_IDS)} == GAME_IDS


def test_a_row_that_was_rolled_back_does_not_conflict_with_a_corrected_one(predicted, lines):
    """The correction was written earlier, or in the same second, by its own word."""
    for n, created in enumerate(("2025-11-10 14:00:00 UTC", "2025-11-10 15:00:00 UTC")):
        rows = [old_row(lines.loc[k], predicted_points=50.0 + n) for k in range(10)]
        bring_in(predicted.warehouse, [export(*rows)], f"wrong-{n}", NOW)
        remediation.rollback(predicted.warehouse, f"wrong-{n}", NOW)
        right = export(
            *(old_row(lines.loc[k], predicted_points=lines["line"][k] + 1 + n, created_at=created) for k in range(10))
        )
        assert bring_in(predicted.warehouse, [right], "dry", NOW, dry_run=True).rows["outcome"].tolist() == [
            "published"
        ]
        done = bring_in(predicted.warehouse, [right], f"right-{n}", NOW)
        assert done.rows["outcome"].tolist() == ["published"]
        assert done.new == {DAY: (10, 0)}
        remediation.rollback(predicted.warehouse, f"right-{n}", NOW)


def test_importing_twice_changes_nothing(predicted, lines):
    rows = export(*(old_row(lines.loc[n]) for n in range(5)), old_row(lines.loc[5], line_source=None))
    first = bring_in(predicted.warehouse, [rows], "run-1", NOW)
    before = ledger(predicted.warehouse)
    again = bring_in(predicted.warehouse, [rows, rows], "run-2", NOW + timedelta(1))
    assert (first.repeated, again.repeated) == (0, 6)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    pd.testing.assert_frame_equal(ledger(predicted.warehouse), before)
    held = predicted.warehouse.read(QUARANTINED_PREDICTIONS, [DAY])
    assert (held["reason"] == "NO_SOURCE").sum() == 1


def test_a_date_of_which_nothing_is_published_has_no_partition_of_the_ledger(predicted, lines):
    """It would count as predicted, though only its history is loaded."""
    before = predicted.warehouse.partitions(LEDGER)
    day = min(set(predicted.warehouse.partitions(BETTING_LINES)) - set(before))
    bring_in(predicted.warehouse, [export(old_row(lines.loc[0], game_date=str(day), line_source=None))], "run-1", NOW)
    assert predicted.warehouse.row_counts(QUARANTINED_PREDICTIONS, [day]) == {day: 1}
    assert predicted.warehouse.partitions(LEDGER) == before


def test_of_several_rows_about_one_game_the_newest_valid_one_counts(predicted, lines):
    """The old table kept a row for each line it ever had."""
    rows = [
        old_row(lines.loc[0], created_at="2025-11-10 09:00:00", predicted_points=30.0),
        old_row(lines.loc[0], created_at="2025-11-10 12:00:00", predicted_points=31.0),
        old_row(lines.loc[0], created_at="2025-11-10 18:00:00", predicted_points=32.0, line_source=None),
    ]
    bring_in(predicted.warehouse, [export(*rows)], "run-1", NOW)
    assert list(ledger(predicted.warehouse)["forecast"]) == [31.0]
    held = predicted.warehouse.read(QUARANTINED_PREDICTIONS, [DAY])
    assert sorted(held[held["run_id"] == "run-1"]["reason"]) == ["DUPLICATE", "NO_SOURCE"]


def test_a_forecast_gets_the_real_line_on_request(predicted, lines):
    bad = {"current_points_line": 20.0, "line_source": None, "recommendation": "PASS"}
    rows = export(*(old_row(lines.loc[n], **bad) for n in range(6)), old_row(lines.loc[6]))
    plain = bring_in(predicted.warehouse, [rows], "run-1", NOW)
    assert set(plain.rows["outcome"]) == {"published", "held back: PLACEHOLDER_LINE"}
    done = bring_in(predicted.warehouse, [rows], "run-2", NOW, real_lines=True)
    counts = done.rows.set_index("outcome")["rows"]
    assert counts["published with the real line"] == 6
    good = ledger(predicted.warehouse).merge(lines[["player_id", "line"]], on="player_id", suffixes=("", "_chosen"))
    assert len(good) == 7
    assert good["line"].eq(good["line_chosen"]).all()
    assert good["recommendation"].eq("OVER").all()


def test_dates_without_a_slate_are_refused_with_the_command_that_makes_it(predicted, lines):
    early = old_row(lines.loc[0], game_date=str(DAY - timedelta(60)))
    with pytest.raises(ImportRefused, match=f"1 of 2 dates .* `nba-props backfill {DAY - timedelta(60)}` first"):
        bring_in(predicted.warehouse, [export(early, old_row(lines.loc[1]))], "run-1", NOW)
    assert ledger(predicted.warehouse).empty


def test_unusable_rows_are_counted_and_unusable_numbers_are_null(lines):
    rows = export(
        old_row(lines.loc[0], game_date="soon"),
        *(old_row(lines.loc[0], game_date=f"{DAY}{more}") for more in ("trash", " 03:00:00 UTC", "T03:00:00Z")),
        old_row(lines.loc[0], game_date="9999-12-31"),
        old_row(lines.loc[0], system_id=None),
        *(old_row(lines.loc[0], system_id=name) for name in (" ", "<b>\x1b[31m", "x" * 500)),
        old_row(lines.loc[0], predicted_points="many", confidence_score="", created_at="yesterday", has_prop_line="?"),
    )
    made, unread = as_imported(rows, NOW)
    assert unread == {"no usable game date": 5, "no usable system name, or no player": 4}
    assert made[["predicted_points", "confidence_score", "source_created_at", "has_prop_line"]].isna().all(axis=None)
    assert json.loads(made["source_row"][0])["predicted_points"] == "many"
    midnights = [str(DAY), f"{DAY} 00:00:00", f"{DAY}T00:00:00Z", f"{DAY} 00:00:00+00:00", f" {DAY} 00:00:00 UTC"]
    made, unread = as_imported(export(*(old_row(lines.loc[0], game_date=d) for d in midnights)), NOW)
    assert unread == {}
    assert made["game_date"].dt.date.tolist() == [DAY] * len(midnights)


def test_a_column_of_an_export_with_the_name_of_one_of_ours_is_not_mistaken_for_it(lines):
    more = {"line": 1.5, "source_version": "v9", "source_game_id": "1", "source_created_at": "2020-01-01"}
    made, _ = as_imported(export(old_row(lines.loc[0]) | more), NOW)
    assert made["line"][0] == lines["line"][0]
    assert made["source_version"][0] == "v1"
    assert json.loads(made["source_row"][0])["line"] == "1.5", "it is kept as it was delivered"


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.long)])
def test_the_command_imports_and_grades_either_form(predicted, lines, tmp_path, monkeypatch, form):
    rows = export(*(old_row(lines.loc[n]) for n in range(8)), old_row(lines.loc[8], line_source=None))
    path = tmp_path / f"old.{form}"
    if form == "csv":
        rows.to_csv(path, index=False)
    else:
        typed = rows.assign(created_at=pd.to_datetime(rows["created_at"].str.replace(" UTC", "Z")))
        typed.astype({"predicted_points": float, "confidence_score": float, "current_points_line": float}).to_parquet(path)  # fmt: skip
    use(predicted, monkeypatch)
    result = CliRunner().invoke(main, ["import-legacy", str(path), "--format", "json"])
    assert result.exit_code == 0, result.output
    found = {(r["system_id"], r["outcome"]): r["rows"] for r in json.loads(result.stdout)}
    assert found == {
        ("imported_moving_average", "published"): 8,
        ("imported_moving_average", "held back: NO_SOURCE"): 1,
    }
    graded = predicted.query(
        "SELECT COUNT(*) AS n FROM nba_predictions.prediction_accuracy "
        "WHERE system_id = 'imported_moving_average' AND is_valid_line"
    )
    assert graded["n"][0] == 8
    assert "new rows  8 published, 1 quarantined" in result.stderr
    assert re.search(r"undo +nba-props rollback [0-9a-f-]{36}\n", result.stderr)
    taken = ["quarantine", "system", str(DAY), "--dry-run", "--format", "json", "--system"]
    dry = CliRunner().invoke(main, [*taken, "imported_moving_average"])
    assert [r["rows"] for r in json.loads(dry.stdout)] == [8]
    typo = CliRunner().invoke(main, [*taken, "imported_moving_avg"])
    assert typo.exit_code == 2
    assert "for --system: there is no system imported_moving_avg (did you mean imported_moving_average?)" in typo.stderr


NEEDED = "game_date,player_lookup,system_id,predicted_points,current_points_line"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("old.csv", b"game_date,player_lookup\n2025-11-10,x\n", "has no column system_id, predicted_points"),
        ("old.csv", b"", "can't be read as csv"),
        ("old.csv", _HEAD, "has no row"),
        ("old.csv", b"\xff\xfe\x00", "can't be read as csv"),
        ("old.csv", _HEAD + b"2025-11-10,a\0b,s,1,1\n", "can't be read as csv: it has a byte 0"),
        ("old.csv", _HEAD + b"2025-11-10,ab,s,1,1,\n", "more values than its first line has names"),
        ("old.csv", _HEAD + b"1,2025-11-10,ab,s,1,1\n", "more values than its first line has names"),
        ("old.parquet", b"PAR1 not really", "can't be read as parquet"),
        ("000000000000", b"PAR1 not really", "can't be read as parquet"),
        ("README.md", b"# nba_props\n\nOne, two.\n| a, b, c |\n", "can't be read as csv"),
        ("README.md", b"# nba_props\n\nNothing.\n", "no column game_date, player_lookup"),
        ("old.csv", f"{NEEDED.replace(',', ';')}\n1;2;3;4;5\n".encode(), "CSV with commas"),
        ("old.csv", f"{NEEDED}\nsoon,x,y,12,20.0\n".encode(), "no row of the export has a game_date"),
        ("old.csv", f"{NEEDED}\n2025-09-10,x,y,12,20.0\n".encode(), "`nba-props backfill 2025-09-10` first"),
        ("nowhere.csv", None, "No such file"),
        (".", None, "Is a directory"),
    ],
)
def test_a_file_that_is_not_an_export_is_refused_in_a_sentence_without_a_run(
    predicted, tmp_path, monkeypatch, name, content, said
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    use(predicted, monkeypatch)
    result = CliRunner().invoke(main, ["import-legacy", str(tmp_path / name)])
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not list(predicted.settings.dagster_home.rglob("*.db")), "no run was recorded"


def test_what_was_imported_passes_the_audit_and_leaves_our_systems_alone(predicted, lines):
    before = board.picks(predicted.warehouse, DAY, DAY)
    bring_in(predicted.warehouse, [export(*(old_row(lines.loc[n]) for n in range(10)))], "run-1", NOW)
    memory = Memory(place(predicted.settings))
    assert not audit(predicted.warehouse, memory, predicted.zone).found
    pd.testing.assert_frame_equal(board.picks(predicted.warehouse, DAY, DAY), before)
    assert set(SYSTEM_TABLES) & set(ledger(predicted.warehouse)["system_id"]) == set()


def test_the_quarantined_rows_of_an_import_need_no_action(predicted, lines):
    """No user can see it, no run will replace it, and no command has anything left to do with it."""
    bad = {"current_points_line": 20.0, "line_source": None, "recommendation": "OVER"}
    clean, before = verdict(predicted), board.gate_summary(predicted.warehouse, [DAY])
    rows = export(*(old_row(lines.loc[n], **bad) for n in range(6)), old_row(lines.loc[0], system_id="of_old", **bad))
    bring_in(predicted.warehouse, [rows], "run-1", NOW)
    found = verdict(predicted)
    assert clean.passed
    assert found.passed, found.text
    assert found.text == f"{clean.text} (7 in quarantine, where no user sees them)"
    assert found.figures["placeholders_in_quarantine"] == 7
    stored = quality.published(predicted.warehouse, tuple(SYSTEM_TABLES), DAY, DAY, NOW)
    said = quality.no_placeholders(stored, DAY, DAY)
    assert said.passed
    assert said.text.endswith("published rows (7 in quarantine, where no user sees them)")
    assert quality.streak_unbroken(stored, DAY).passed
    alerts = predicted.query("SELECT system_id, severity, held_back_count FROM nba_monitoring.placeholder_alerts")
    alerts = alerts.set_index("system_id")
    assert set(alerts["severity"]) == {"OK"}
    assert alerts.loc["imported_of_old", "held_back_count"] == 1
    pd.testing.assert_frame_equal(board.gate_summary(predicted.warehouse, [DAY]), before)
    assert not audit(predicted.warehouse, Memory(place(predicted.settings)), predicted.zone).found


def verdict(platform):
    from nba_props.checks.partitioned import Scope

    return NO_PLACEHOLDER_LINES.evaluate(Scope(platform.inputs, platform.now), [DAY])[DAY]


def events(platform, table: Table, kind=dg.AssetObservation) -> list[dict[str, Any]]:
    """The events of a date's partition, newest first, with description and run."""
    asked = dg.AssetRecordsFilter(asset_key=asset_key(table), asset_partitions=[str(DAY)])
    fetch = platform.instance.fetch_materializations
    if kind is dg.AssetObservation:
        fetch = platform.instance.fetch_observations
    records = fetch(asked, limit=9).records
    said = [(r.run_id, r.event_log_entry.asset_materialization or r.event_log_entry.asset_observation) for r in records]
    return [{"run": run_id, "said": e.description, **{k: v.value for k, v in e.metadata.items()}} for run_id, e in said]


@pytest.mark.long
def test_the_page_of_the_partition_shows_what_was_imported_and_removed_and_how_to_undo_it(slated, tmp_path):
    """Whoever looks at the ledger's partition in the UI sees what was done to it from a terminal."""
    predicted, lines = slated, lines_of(slated)
    gate = predicted.publication(SOME_SYSTEMS, slate=False)
    predicted.materialize(DAY, DAY, gate)
    predicted.now = NOW
    path = tmp_path / "old.csv"
    export(*(old_row(lines.loc[n]) for n in range(3)), old_row(lines.loc[4], line_source=None)).to_csv(
        path, index=False
    )
    ours = len(predicted.warehouse.read(LEDGER, [DAY]))

    def do(job: str, **config: object):
        return runner.remediate(predicted.definitions, predicted.instance, job, config)

    def counted(event: dict[str, Any]) -> int:
        return event["dagster/partition_row_count"]

    (published,) = events(predicted, LEDGER, dg.AssetMaterialization)
    assert published["undo"] == f"nba-props rollback {published['run']}"
    assert counted(published) == published["rows_added"] == ours
    do("import_legacy", files=[str(path)], dry_run=True)
    do("rollback", run_id=published["run"], dry_run=True)
    assert events(predicted, LEDGER) == []
    do("import_legacy", files=[str(path)])
    for table, now in ((LEDGER, ours + 3), (QUARANTINED_PREDICTIONS, 1)):
        (event,) = events(predicted, table)
        assert (event["rows_published"], event["rows_quarantined"], counted(event)) == (3, 1, now)
        assert event["said"] == "import_legacy: old.csv"
        assert event["undo"] == f"nba-props rollback {event['run']}"
    predicted.materialize(DAY, DAY, gate)
    (again, _) = events(predicted, QUARANTINED_PREDICTIONS, dg.AssetMaterialization)
    assert (again["rows_added"], counted(again)) == (0, 1), "another run's rows are still in quarantine"
    do("import_legacy", files=[str(path)])
    assert len(events(predicted, LEDGER)) == 1, "the same file again changes nothing"

    system = {"predicate": "system", "first": str(DAY), "last": str(DAY), "system_id": "imported_moving_average"}
    batch = do("quarantine", **system).batch_id
    event = events(predicted, LEDGER)[0]
    assert (event["rows_taken_out"], counted(event), event["batch_id"]) == (3, ours, batch)
    assert event["action"] == f"quarantine system/1 {DAY}..{DAY} system_id=imported_moving_average"
    assert event["undo"] == f"nba-props restore {batch}"
    assert "imported_moving_average" in event["by_system"]
    do("restore", batch_id=batch)
    event = events(predicted, LEDGER)[0]
    assert (event["rows_put_back"], counted(event)) == (3, ours + 3)
    assert event["undo"] == f"nba-props quarantine system {DAY}..{DAY} --system imported_moving_average"
    run_id = events(predicted, LEDGER)[-1]["run"]
    undone = do("rollback", run_id=run_id)
    event = events(predicted, LEDGER)[0]
    assert (event["rows_taken_out"], counted(event), event["undo"]) == (3, ours, f"nba-props restore {undone.batch_id}")
    assert run_id in event["action"]
    do("import_legacy", files=[str(path)])
    listed = batches(predicted.warehouse).set_index("batch_id")
    assert listed.loc[[batch, undone.batch_id], ["archived", "in_the_ledger"]].values.tolist() == [[3, 3], [3, 3]]
    back = do("restore", batch_id=undone.batch_id)
    assert (back.total, back.standing) == (0, 3), "they were published again"
    dry = [
        r.tags.get(DRY_RUN_TAG) for r in predicted.instance.get_runs() if r.job_name in ("import_legacy", "rollback")
    ]
    assert dry == [None, None, None, None, "true", "true"]


@pytest.mark.long
def test_a_record_of_imported_systems_alone_is_graded_and_has_a_page(lined, tmp_path):
    """Whoever comes from the old system imports first and predicts later."""
    platform = lined
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    (path := tmp_path / "old.csv").write_text(export(*(old_row(lines.loc[n]) for n in range(10))).to_csv(index=False))
    platform.now = NOW
    runner.remediate(platform.definitions, platform.instance, "import_legacy", {"files": [str(path)]})
    (event,) = events(platform, LEDGER, dg.AssetMaterialization)
    assert event["rows_published"] == 10, "a partition that only an import has filled is there"
    outcome = platform.run("grade", DAY, DAY)
    assert not outcome.errors
    assert len(report.read(platform.warehouse, DAY, DAY, platform.now, frozen(platform.settings)).scores)


def test_a_row_of_a_game_that_has_not_begun_is_left_out(lined):
    """Only this platform's own clock proves what was published before a cut-off."""
    platform = lined
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    rows = export(*(old_row(lines.loc[n]) for n in range(4)))
    done = bring_in(platform.warehouse, [rows], "run-1", platform.now)
    assert done.rows["outcome"].tolist() == ["left out: its game has not begun"]
    assert done.days == ()
    assert DAY not in platform.warehouse.partitions(LEDGER)
    assert bring_in(platform.warehouse, [rows], "run-2", NOW).rows["outcome"].tolist() == ["published"]


def test_a_row_from_before_the_cutoff_counts_before_one_written_after_the_game(predicted, lines):
    rows = [
        old_row(lines.loc[0], created_at="2025-11-10 15:00:00", predicted_points=30.0),
        old_row(lines.loc[0], created_at="2025-11-12 15:00:00", predicted_points=41.0),
    ]
    bring_in(predicted.warehouse, [export(*rows)], "run-1", NOW)
    assert list(ledger(predicted.warehouse)["forecast"]) == [30.0]


def test_the_order_of_files_changes_nothing(predicted, lines):
    late = old_row(lines.loc[0], created_at="2025-11-10 18:00:00", predicted_points=31.0)
    early = old_row(lines.loc[0], created_at="2025-11-10 09:00:00", predicted_points=30.0)
    bring_in(predicted.warehouse, [export(late)], "run-1", NOW)
    done = bring_in(predicted.warehouse, [export(early)], "run-2", NOW)
    assert done.rows["outcome"].tolist() == ["held back: DUPLICATE"]
    assert list(ledger(predicted.warehouse)["forecast"]) == [31.0]


def test_a_valid_line_keeps_its_side_and_every_row_is_counted_once(predicted, lines):
    rows = export(old_row(lines.loc[0], recommendation="UNDER"), old_row(lines.loc[1], line_source=None))
    done = bring_in(predicted.warehouse, [rows], "run-1", NOW, real_lines=True)
    assert set(done.rows["outcome"]) == {"held back: INVALID_RECOMMENDATION", "published with the real line"}
    assert done.total == 2


def test_a_dry_run_keeps_nothing(predicted, lines):
    rows = export(old_row(lines.loc[0]), old_row(lines.loc[1], line_source=None))
    dry = bring_in(predicted.warehouse, [rows], "run-1", NOW, dry_run=True)
    assert predicted.warehouse.partitions(IMPORTED_PREDICTIONS) == []
    assert ledger(predicted.warehouse).empty
    done = bring_in(predicted.warehouse, [rows], "run-2", NOW)
    pd.testing.assert_frame_equal(dry.rows, done.rows)


def test_imported_rows_have_a_revision_and_do_not_make_a_date_our_own(lined, monkeypatch):
    platform = lined
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    bring_in(platform.warehouse, [export(old_row(lines.loc[0]))], "run-1", NOW)
    said = platform.query("SELECT revision, job_name FROM nba_predictions.ledger_revisions WHERE game_date = @d", d=DAY)
    assert said["revision"].notna().all()
    assert set(said["job_name"]) == {"import_legacy"}
    assert own_dates(platform.warehouse) == []
    stored = quality.published(platform.warehouse, tuple(SYSTEM_TABLES), DAY, DAY, NOW)
    found = quality.all_systems_present(stored, DAY, DAY)
    assert "lacks 1" in found.text, "a date with games that ours never predicted"
    use(platform, monkeypatch)
    said = CliRunner().invoke(main, ["board", str(DAY)])
    assert said.exit_code == 1
    assert f"nothing is published for {DAY}" in said.output
    assert "predictions: none" in CliRunner().invoke(main, ["doctor", "--offline"]).output
    said = CliRunner().invoke(main, ["board", "--system", "imported_moving_average"])
    assert said.exit_code == 2
    assert "is an imported record" in " ".join(said.output.split())


def test_the_pages_queries_count_pushes_voids_and_rows_without_a_line_apart(predicted, lines):
    """Each query of the page is GoogleSQL and runs; its win rate is that of an oracle that knows what was exported."""
    scored = predicted.query("SELECT player_id, points FROM nba_raw.box_scores WHERE game_date = @d", d=DAY)
    known = lines.merge(scored, on="player_id")
    pushed = known.iloc[0]
    quotes = predicted.warehouse.read(ODDS_QUOTES, [DAY])
    his = (quotes["player_lookup"] == pushed["player_lookup"]) & (quotes["line"] == pushed["line"])
    predicted.warehouse.write(
        ODDS_QUOTES, quotes.assign(line=quotes["line"].where(~his, float(pushed["points"]))), [DAY]
    )
    known.loc[0, "line"] = float(pushed["points"])
    sides = ["OVER", "UNDER"]
    rows = [
        old_row(row, recommendation=sides[n % 2], predicted_points=row["line"] + (0.5 if n % 2 == 0 else -0.5))
        for n, row in known.iterrows()
    ]
    rows[1] |= {
        "current_points_line": None, "line_source": "NO_PROP_LINE", "has_prop_line": False, "sportsbook": None,
        "recommendation": "NO_LINE",
    }  # fmt: skip
    rows[2] |= {"recommendation": "PASS", "predicted_points": known["line"][2]}
    rows[3] |= {"current_points_line": 20.0, "line_source": None}
    older = rows[4] | {"created_at": "2025-11-10 09:00:00", "recommendation": sides[1], "predicted_points": 0.0}
    bring_in(predicted.warehouse, [export(*rows, older)], "run-1", NOW)
    predicted.now = NOW
    predicted.materialize(DAY, DAY, [asset_key(t) for t in (PREDICTION_ACCURACY, GRADE_HISTORY)], "grade")
    answers = {}
    for statement, stated in page_queries():
        here = re.sub(r"BETWEEN '\S+' AND '\S+'", f"BETWEEN '{DAY}' AND '{DAY}'", statement)
        googlesql.analyse(here)
        answer = predicted.warehouse.read_only(here)
        assert list(answer) == stated[0], statement
        answers[stated[0][0], stated[0][-1]] = answer
    decided = [n for n in range(len(rows)) if n not in (0, 1, 2, 3)]
    won = sum((known["points"][n] > known["line"][n]) == (n % 2 == 0) for n in decided)
    (rate,) = answers["system_id", "win_rate"].to_dict("records")
    assert rate == {
        "system_id": "imported_moving_average", "wins": won, "losses": len(decided) - won, "pushes": 1, "voids": 0,
        "win_rate": round(100 * won / len(decided), 1),
    }  # fmt: skip
    (account,) = answers["delivered", "quarantined"].to_dict("records")
    assert account == {"delivered": len(rows) + 1, "published": len(rows) - 1, "quarantined": 2}
    assert dict(answers["reason", "dates"][["reason", "count"]].to_numpy()) == {"PLACEHOLDER_LINE": 1, "DUPLICATE": 1}
    assert answers["duplicates", "duplicates"]["duplicates"].tolist() == [0]
    assert dict(answers["line_source", "pct"][["line_source", "count"]].to_numpy())["NO_PROP_LINE"] == 1
    assert answers["total_predictions", "placeholders"].to_numpy().tolist() == [[len(rows) - 1, 0]]


def test_a_damaged_export_is_refused(predicted, lines, tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(export(old_row(lines.loc[0])).to_csv(index=False) + '"never closed')
    with pytest.raises(ImportRefused, match="can't be read"):
        read_export(path)


def use(platform, monkeypatch) -> None:
    for name in [n for n in os.environ if n.startswith(("NBA_PROPS", "DAGSTER"))]:
        monkeypatch.delenv(name)
    settings = platform.settings
    monkeypatch.setenv("NBA_PROPS_HOME", str(settings.home))
    monkeypatch.setenv("NBA_PROPS_LANDING", settings.landing)
    monkeypatch.setenv("NBA_PROPS_FIRST_DATE", str(league.FIRST))
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))


FIRST, LAST = date(2025, 11, 19), date(2026, 1, 10)
BAD, GOOD = 24_033, 50_000
OLD_SYSTEMS = (
    "catboost_v8", "ensemble_v1", "ensemble_v1_1", "moving_average", "moving_average_baseline_v1", "similarity_v1",
    "similarity_balanced_v1", "xgboost_v0", "xgboost_v1", "zone_matchup_v1",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.long
def test_the_old_teams_repair_on_its_own_rows(tmp_path, monkeypatch):
    """Phases 2 to 5 of docs/legacy-systems.md: 24,033 rows of 20.0 among 74,033, over 53 dates of a league of 30 teams."""
    out = tmp_path / "platform" / "landing"
    simulate(out, 1, 7, odds_days=dates_between(FIRST, LAST))
    with dg.DagsterInstance.ephemeral() as instance:
        now = league.tipoff(LAST) + timedelta(days=7)
        platform = open_platform(tmp_path / "platform", instance, now, first_date=date(2025, 10, 1))
        assert platform.run("ingest_history", date(2025, 10, 20), LAST).success
        assert platform.run("ingest_lines", FIRST, LAST).success
        lines = platform.warehouse.read(BETTING_LINES, dates_between(FIRST, LAST))
        lines = lines[lines["line"].notna()].sort_values(["game_date", "player_id"], ignore_index=True)
        old_export(lines).to_parquet(tmp_path / "old.parquet")
        done = bring_in(platform.warehouse, [read_export(tmp_path / "old.parquet")], "import", now)
        counts = done.rows.groupby("outcome")["rows"].sum()
        assert counts.to_dict() == {"published": GOOD, "held back: PLACEHOLDER_LINE": BAD}
        assert not platform.run("grade", FIRST, LAST).errors
        queries = page_queries()
        assert len(queries) >= 7
        for statement, stated in queries:
            assert as_stated(platform.warehouse.read_only(statement)) == stated, statement
        again = bring_in(platform.warehouse, [read_export(tmp_path / "old.parquet")], "again", now, real_lines=True)
        relined = again.rows.groupby("outcome")["rows"].sum()
        assert relined["published"] == GOOD
        rows = platform.query(
            "SELECT COUNT(*) AS n, COUNTIF(line = 20.0 AND line_source IS NULL) AS placeholders, "
            "COUNT(DISTINCT prediction_id) AS ids, COUNT(line) AS lines FROM nba_predictions.ledger"
        ).iloc[0]
        assert rows["placeholders"] == 0
        assert rows["n"] == rows["ids"] == GOOD + relined.get("published with the real line", 0)
        held = platform.query("SELECT COUNT(*) AS n FROM nba_predictions.quarantined_predictions")["n"][0]
        kept = platform.query("SELECT COUNT(*) AS n FROM nba_predictions.imported_predictions")["n"][0]
        assert (held, kept) == (BAD, BAD + GOOD), "nothing is lost and nothing is there twice"
        assert not platform.run("grade", FIRST, LAST).errors
        graded = platform.query(
            "SELECT COUNT(*) AS n, COUNTIF(is_valid_line) AS valid FROM nba_predictions.prediction_accuracy"
        ).iloc[0]
        assert (graded["n"], graded["valid"]) == (rows["n"], rows["lines"])


def old_export(lines: pd.DataFrame) -> pd.DataFrame:
    """74,033 rows of the old table over some lines: 50,000 backed by a quote or rightly without a line,
    and 24,033 of 20.0.
    """
    valid = pd.concat([_claims(lines, system) for system in OLD_SYSTEMS], ignore_index=True).head(GOOD)
    wrong = pd.concat([_claims(lines, "xgboost_v1"), _claims(lines, "catboost_v8")] * 3, ignore_index=True).head(BAD)
    wrong = wrong.assign(
        current_points_line=20.0, line_source=None, sportsbook=None, recommendation="OVER",
        created_at="2026-01-01 00:00:00 UTC", prediction_id=[f"bad-{n}" for n in range(BAD)],
    )  # fmt: skip
    assert (len(valid), len(wrong)) == (GOOD, BAD)
    return pd.concat([valid, wrong], ignore_index=True).sample(frac=1, random_state=1)


def page_queries() -> list[tuple[str, list[list[str]]]]:
    """The statements of the page for users of the old system, each with the table of its answer."""
    page = (Path(__file__).parents[2] / "docs" / "from-the-old-system.md").read_text()
    found = re.findall(r"```sql\n(.*?)```\n\n((?:\|[^\n]*\n)+)", page, re.S)
    assert len(found) == page.count("```sql"), "a query without its answer"
    tables = [[[c.strip() for c in row.strip("|\n ").split("|")] for row in text.splitlines()] for _, text in found]
    return [(sql.strip(), [rows[0], *rows[2:]]) for (sql, _), rows in zip(found, tables, strict=True)]


def as_stated(answer: pd.DataFrame) -> list[list[str]]:
    """An answer as the page shows it: its header and its rows."""
    dates = {c: answer[c].astype(str).str[:10] for c in answer if c == "game_date"}
    return [list(answer), *([str(v) for v in row] for row in answer.assign(**dates).itertuples(index=False))]


def _claims(lines: pd.DataFrame, system: str) -> pd.DataFrame:
    """A row of the old table for each line, of one system: either side, a few passes, and every tenth without a line."""
    place = (lines["player_id"] + lines["game_date"].dt.dayofyear + len(system)).astype(int)
    margin = (place % 9 - 4) * 0.8
    side = margin.map(lambda m: "OVER" if m > 0 else "UNDER" if m < 0 else "PASS")
    claims = pd.DataFrame(
        {
            "prediction_id": [f"{system}-{d:%Y%m%d}-{p}" for d, p in zip(lines["game_date"], lines["player_id"], strict=True)],
            "system_id": system, "player_lookup": lines["player_lookup"], "game_date": lines["game_date"].dt.date,
            "predicted_points": (lines["line"] + margin).clip(lower=0).round(1), "confidence_score": 0.6,
            "recommendation": side, "has_prop_line": True, "current_points_line": lines["line"],
            "line_source": "ACTUAL_PROP", "line_source_api": "ODDS_API", "sportsbook": lines["sportsbook"].str.upper(),
            "model_version": "v1", "created_at": "2025-12-31 00:00:00 UTC",
        }
    )  # fmt: skip
    honest = {
        "recommendation": "NO_LINE", "has_prop_line": False, "current_points_line": None,
        "line_source": "NO_PROP_LINE", "line_source_api": None, "sportsbook": None,
    }  # fmt: skip
    return claims.assign(**{c: claims[c].astype(object).where(place % 10 > 0, v) for c, v in honest.items()})
