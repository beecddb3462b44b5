"""An export of the old production table is judged, kept, published and quarantined by what a quote says of each row."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner

from nba_props import board, remediation, report
from nba_props.automation.audit import Memory, audit, place
from nba_props.cli import main
from nba_props.domain import quality
from nba_props.domain.calendar import days as dates_between
from nba_props.importing import ImportRefused, as_imported, bring_in, read_export
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.predictions import (
    IMPORTED_PREDICTIONS,
    LEDGER,
    QUARANTINED_PREDICTIONS,
    SYSTEM_TABLES,
)
from nba_props.simulator.league import simulate
from nba_props_tests import league
from nba_props_tests.conftest import DAY, open_platform

NOW = datetime(2026, 1, 17, tzinfo=UTC)


def old_row(line: pd.Series, **claims: object) -> dict[str, object]:
    """A row of the old table about a player of the slate, its line the one that is chosen here."""
    return {
        "prediction_id": f"{line['player_lookup']}-{len(claims)}", "system_id": "moving_average",
        "player_lookup": line["player_lookup"], "game_date": str(DAY), "game_id": "20251110_ALB_BRI",
        "predicted_points": line["line"] + 2, "confidence_score": 0.7, "recommendation": "OVER",
        "has_prop_line": True, "current_points_line": line["line"], "line_source": "ACTUAL_PROP",
        "line_source_api": "ODDS_API", "sportsbook": "DRAFTKINGS", "model_version": "v1",
        "created_at": "2025-11-10 15:00:00 UTC", **claims,
    }  # fmt: skip


@pytest.fixture
def lines(predicted) -> pd.DataFrame:
    rows = predicted.warehouse.read(BETTING_LINES, [DAY])
    return rows[rows["line"].notna() & (rows["line"] != 20.0)].sort_values("player_id", ignore_index=True)


def export(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype(object)


def ledger(warehouse) -> pd.DataFrame:
    rows = warehouse.read(LEDGER, [DAY])
    return rows[rows["system_id"].str.startswith("imported_")]


def test_each_row_is_what_its_quote_says(predicted, lines):
    placeholder = {"current_points_line": 20.0, "line_source": None, "sportsbook": None}
    cases = {
        "sound": (old_row(lines.loc[0]), None),
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
        "nobody's quote": (old_row(lines.loc[7], current_points_line=lines["line"][7] + 7), "NO_QUOTE"),
        "other book": (old_row(lines.loc[8], sportsbook="Caesars"), "NO_QUOTE"),
        "wrong side": (old_row(lines.loc[9], recommendation="UNDER"), "INVALID_RECOMMENDATION"),
        "no forecast": (old_row(lines.loc[10], predicted_points=None), "INVALID_PREDICTION"),
        "unknown player": (old_row(lines.loc[11], player_lookup="nobody"), "NO_QUOTE"),
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


def test_importing_twice_changes_nothing(predicted, lines):
    rows = export(*(old_row(lines.loc[n]) for n in range(5)), old_row(lines.loc[5], line_source=None))
    first = bring_in(predicted.warehouse, [rows], "run-1", NOW)
    before = ledger(predicted.warehouse)
    again = bring_in(predicted.warehouse, [rows, rows], "run-2", NOW + timedelta(1))
    pd.testing.assert_frame_equal(first.rows, again.rows)
    pd.testing.assert_frame_equal(ledger(predicted.warehouse), before)
    held = predicted.warehouse.read(QUARANTINED_PREDICTIONS, [DAY])
    assert (held["reason"] == "NO_SOURCE").sum() == 1


def test_of_several_rows_about_one_game_the_newest_sound_one_counts(predicted, lines):
    """The old table kept a row for each line it ever had."""
    rows = [
        old_row(lines.loc[0], created_at="2025-11-10 09:00:00", predicted_points=30.0),
        old_row(lines.loc[0], created_at="2025-11-10 12:00:00", predicted_points=31.0),
        old_row(lines.loc[0], created_at="2025-11-10 18:00:00", predicted_points=32.0, line_source=None),
    ]
    bring_in(predicted.warehouse, [export(*rows)], "run-1", NOW)
    assert list(ledger(predicted.warehouse)["predicted_points"]) == [31.0]
    held = predicted.warehouse.read(QUARANTINED_PREDICTIONS, [DAY])
    assert sorted(held[held["run_id"] == "run-1"]["reason"]) == ["DUPLICATE", "NO_SOURCE"]


def test_a_forecast_gets_the_real_line_where_that_is_asked_for(predicted, lines):
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


def test_dates_without_a_slate_are_refused_with_the_way_there(predicted, lines):
    early = old_row(lines.loc[0], game_date=str(DAY - timedelta(60)))
    with pytest.raises(ImportRefused, match=f"1 of 2 dates .* `nba-props backfill {DAY - timedelta(60)}` first"):
        bring_in(predicted.warehouse, [export(early, old_row(lines.loc[1]))], "run-1", NOW)
    assert ledger(predicted.warehouse).empty


def test_what_is_no_row_is_counted_and_what_is_no_number_is_null(lines):
    rows = export(
        old_row(lines.loc[0], game_date="soon"),
        old_row(lines.loc[0], game_date="9999-12-31"),
        old_row(lines.loc[0], system_id=None),
        old_row(lines.loc[0], predicted_points="many", confidence_score="", created_at="yesterday", has_prop_line="?"),
    )
    made, unread = as_imported(rows, NOW)
    assert unread == {"no date of a game": 2, "no system or no player": 1}
    assert made[["predicted_points", "confidence_score", "source_created_at", "has_prop_line"]].isna().all(axis=None)
    assert json.loads(made["source_row"][0])["predicted_points"] == "many"


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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("old.csv", b"game_date,player_lookup\n2025-11-10,x\n", "has no column system_id, predicted_points"),
        ("old.csv", b"", "can't be read as csv"),
        ("old.csv", b"game_date,player_lookup,system_id,predicted_points,current_points_line\n", "has no row"),
        ("old.csv", b"\xff\xfe\x00", "can't be read as csv"),
        ("old.parquet", b"PAR1 not really", "can't be read as parquet"),
    ],
)
def test_a_file_that_is_no_export_is_a_sentence_and_no_run(predicted, tmp_path, monkeypatch, name, content, said):
    (tmp_path / name).write_bytes(content)
    use(predicted, monkeypatch)
    result = CliRunner().invoke(main, ["import-legacy", str(tmp_path / name)])
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_what_was_imported_passes_the_audit_and_leaves_our_systems_alone(predicted, lines):
    before = board.picks(predicted.warehouse, DAY, DAY)
    bring_in(predicted.warehouse, [export(*(old_row(lines.loc[n]) for n in range(10)))], "run-1", NOW)
    memory = Memory(place(predicted.settings))
    assert not audit(predicted.warehouse, memory, predicted.zone).found
    pd.testing.assert_frame_equal(board.picks(predicted.warehouse, DAY, DAY), before)
    assert set(SYSTEM_TABLES) & set(ledger(predicted.warehouse)["system_id"]) == set()


def test_a_record_of_imported_systems_alone_is_graded_and_has_a_page(platform):
    """Whoever comes from the old system imports first and predicts later."""
    assert platform.run("ingest_history", DAY, DAY).success
    assert platform.run("ingest_lines", DAY, DAY).success
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    bring_in(platform.warehouse, [export(*(old_row(lines.loc[n]) for n in range(10)))], "run-1", NOW)
    outcome = platform.run("grade", DAY, DAY)
    assert not outcome.errors
    assert len(report.read(platform.warehouse, DAY, DAY).scores)


def test_a_row_of_a_game_that_has_not_begun_is_left_out(before_tipoff):
    """Only this platform's own clock says what was published before a cut-off."""
    platform = before_tipoff
    assert platform.run("ingest_lines", DAY, DAY).success
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    rows = export(*(old_row(lines.loc[n]) for n in range(4)))
    done = bring_in(platform.warehouse, [rows], "run-1", platform.now)
    assert done.rows["outcome"].tolist() == ["left out: its game has not begun"]
    assert done.days == ()
    assert ledger(platform.warehouse).empty
    assert bring_in(platform.warehouse, [rows], "run-2", NOW).rows["outcome"].tolist() == ["published"]


def test_a_row_from_before_the_cutoff_counts_before_one_written_after_the_game(predicted, lines):
    rows = [
        old_row(lines.loc[0], created_at="2025-11-10 15:00:00", predicted_points=30.0),
        old_row(lines.loc[0], created_at="2025-11-12 15:00:00", predicted_points=41.0),
    ]
    bring_in(predicted.warehouse, [export(*rows)], "run-1", NOW)
    assert list(ledger(predicted.warehouse)["predicted_points"]) == [30.0]


def test_the_order_of_files_changes_nothing(predicted, lines):
    late = old_row(lines.loc[0], created_at="2025-11-10 18:00:00", predicted_points=31.0)
    early = old_row(lines.loc[0], created_at="2025-11-10 09:00:00", predicted_points=30.0)
    bring_in(predicted.warehouse, [export(late)], "run-1", NOW)
    done = bring_in(predicted.warehouse, [export(early)], "run-2", NOW)
    assert done.rows["outcome"].tolist() == ["held back: DUPLICATE"]
    assert list(ledger(predicted.warehouse)["predicted_points"]) == [31.0]


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


def test_imported_rows_have_a_revision_and_make_no_date_ours(platform):
    assert platform.run("ingest_history", DAY, DAY).success
    assert platform.run("ingest_lines", DAY, DAY).success
    lines = platform.warehouse.read(BETTING_LINES, [DAY])
    lines = lines[lines["line"].notna()].reset_index(drop=True)
    bring_in(platform.warehouse, [export(old_row(lines.loc[0]))], "run-1", NOW)
    said = platform.query("SELECT revision, job_name FROM nba_predictions.ledger_revisions WHERE game_date = @d", d=DAY)
    assert said["revision"].notna().all()
    assert set(said["job_name"]) == {"import_legacy"}
    assert remediation.own_dates(platform.warehouse) == []
    stored = quality.published(platform.warehouse, tuple(SYSTEM_TABLES), DAY, DAY, NOW)
    found = quality.all_systems_present(stored, DAY, DAY)
    assert "lacks 1" in found.text, "a date with games that ours never predicted"


def test_a_damaged_export_costs_nothing_that_stands(predicted, lines, tmp_path):
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
    """Phases 2 to 5 of the hand-off note: 24,033 rows of 20.0 among 74,033, over 53 dates of a league of 30 teams."""
    out = tmp_path / "platform" / "landing"
    simulate(out, 1, 7, odds_days=dates_between(FIRST, LAST))
    with dg.DagsterInstance.ephemeral() as instance:
        now = league.tipoff(LAST) + timedelta(days=7)
        platform = open_platform(tmp_path / "platform", instance, now, first_date=date(2025, 10, 1))
        assert platform.run("ingest_history", date(2025, 10, 20), LAST).success
        assert platform.run("ingest_lines", FIRST, LAST).success
        lines = platform.warehouse.read(BETTING_LINES, dates_between(FIRST, LAST))
        lines = lines[lines["line"].notna()].sort_values(["game_date", "player_id"], ignore_index=True)
        sound = pd.concat([_claims(lines, system) for system in OLD_SYSTEMS], ignore_index=True).head(GOOD)
        wrong = pd.concat([_claims(lines, "xgboost_v1"), _claims(lines, "catboost_v8")] * 3, ignore_index=True).head(
            BAD
        )
        wrong = wrong.assign(
            current_points_line=20.0, line_source=None, sportsbook=None, recommendation="OVER",
            created_at="2026-01-01 00:00:00 UTC", prediction_id=[f"bad-{n}" for n in range(BAD)],
        )  # fmt: skip
        assert (len(sound), len(wrong)) == (GOOD, BAD)
        export = pd.concat([sound, wrong], ignore_index=True).sample(frac=1, random_state=1)
        export.to_parquet(tmp_path / "old.parquet")
        done = bring_in(platform.warehouse, [read_export(tmp_path / "old.parquet")], "import", now)
        counts = done.rows.groupby("outcome")["rows"].sum()
        assert counts.to_dict() == {"published": GOOD, "held back: PLACEHOLDER_LINE": BAD}
        again = bring_in(platform.warehouse, [read_export(tmp_path / "old.parquet")], "again", now, real_lines=True)
        relined = again.rows.groupby("outcome")["rows"].sum()
        assert relined["published"] == GOOD
        rows = platform.query(
            "SELECT COUNT(*) AS n, COUNTIF(line = 20.0 AND line_source IS NULL) AS placeholders, "
            "COUNT(DISTINCT prediction_id) AS ids FROM nba_predictions.ledger"
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
        assert graded["n"] == graded["valid"] == rows["n"]


def _claims(lines: pd.DataFrame, system: str) -> pd.DataFrame:
    """A row of the old table for each line, of one system."""
    return pd.DataFrame(
        {
            "prediction_id": [f"{system}-{d:%Y%m%d}-{p}" for d, p in zip(lines["game_date"], lines["player_id"], strict=True)],
            "system_id": system, "player_lookup": lines["player_lookup"], "game_date": lines["game_date"].dt.date,
            "predicted_points": (lines["line"] + 1.3).round(1), "confidence_score": 0.6, "recommendation": "OVER",
            "has_prop_line": True, "current_points_line": lines["line"], "line_source": "ACTUAL_PROP",
            "line_source_api": "ODDS_API", "sportsbook": lines["sportsbook"].str.upper(), "model_version": "v1",
            "created_at": "2025-12-31 00:00:00 UTC",
        }
    )  # fmt: skip
