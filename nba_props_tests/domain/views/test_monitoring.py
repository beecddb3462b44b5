"""The monitoring views on made-up ledgers."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import quality
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.monitoring import MONITORING_VIEWS
from nba_props.schemas import predictions
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props_tests.domain.quality.ledgers import (
    FIRST,
    LAST,
    SYSTEMS,
    failing,
    made,
    poisoned,
    put,
    stored,
    written_past_the_gate,
)


def test_line_quality_adds_up_and_grades_each_day(lake):
    bad = FIRST + timedelta(3)
    out = poisoned(made(days=5), bad)
    estimated = out.index[(out["game_date"] == pd.Timestamp(FIRST)) & (out["system_id"] == "xgboost_v1")][:4]
    out.loc[estimated, ["line_source", "line_problem", "is_valid_line"]] = ["ESTIMATED_AVG", "UNKNOWN_SOURCE", False]
    stored(lake, out, game_days=6)
    rows = lake.query("SELECT * FROM nba_monitoring.line_quality_daily")
    parts = ["actual_prop_count", "no_prop_line_count", "other_source_count", "missing_source_count"]
    assert (rows[parts].sum(axis=1) == rows["total_predictions"]).all()
    assert len(rows) == 6 * len(SYSTEM_TABLES)
    by = rows.set_index(["game_date", "system_id"])
    assert by.loc[(pd.Timestamp(FIRST), "xgboost_v1"), "other_source_count"] == 4
    assert by.loc[(pd.Timestamp(bad), "moving_average"), "severity"] == "CRITICAL"
    assert by.loc[(pd.Timestamp(bad), "moving_average"), "placeholder_count"] == 30
    assert by.loc[(pd.Timestamp(FIRST + timedelta(5)), "moving_average"), "severity"] == "UNKNOWN"
    assert by.loc[
        (pd.Timestamp(FIRST + timedelta(5)), "moving_average"), "actual_prop_pct_of_lines"
    ] is pd.NA or np.isnan(by.loc[(pd.Timestamp(FIRST + timedelta(5)), "moving_average"), "actual_prop_pct_of_lines"])


def test_alerts_show_how_many_rows_they_inspected(lake):
    bad = FIRST + timedelta(1)
    stored(lake, poisoned(made(days=3), bad), game_days=4)
    alerts = lake.query("SELECT * FROM nba_monitoring.placeholder_alerts").set_index(["game_date", "system_id"])
    wrong = alerts.loc[(pd.Timestamp(bad), "xgboost_v1")]
    assert (wrong["rows_inspected"], wrong["issue_count"], wrong["severity"]) == (30, 30, "CRITICAL")
    assert wrong["examples"].count("A 20.0 no source") == 10
    assert wrong["first_seen"] <= wrong["last_seen"]
    clean = alerts.loc[(pd.Timestamp(FIRST), "xgboost_v1")]
    assert clean["rows_inspected"] == 30
    assert alerts.loc[(pd.Timestamp(FIRST + timedelta(3)), "xgboost_v1"), "severity"] == "UNKNOWN"


@pytest.mark.parametrize("name", ["legacy_backfill", None])
@pytest.mark.parametrize("fate", ["stands", "archived"])
def test_a_placeholder_counts_from_any_writer(lake, name, fate):
    """A second writer has a name of his own, or none; archived since, his row still ends the streak."""
    bad = FIRST + timedelta(1)
    stored(lake, made(days=3, players=7))
    written_past_the_gate(lake, bad, 7, system_id=name)
    if fate == "archived":
        table, archive = predictions.LEDGER, predictions.ARCHIVED_PREDICTIONS
        rows = lake.read(table, [bad])
        his = rows["prediction_id"].str.startswith("fake")
        his_as_archived = rows[his].assign(
            batch_id="b", deletion_reason="placeholder", line_problem="PLACEHOLDER_LINE", deleted_at=rows["created_at"].max(),
            archived_id=rows["prediction_id"], archive_digest=None,
        )  # fmt: skip
        put(lake, table, rows[~his], [bad])
        put(lake, archive, his_as_archived, [bad])
    alerts = lake.query("SELECT * FROM nba_monitoring.placeholder_alerts").set_index(["game_date", "system_id"])
    his = alerts.loc[(pd.Timestamp(bad), name or "no system")]
    count = "issue_count" if fate == "stands" else "archived_count"
    assert (his[count], his["severity"]) == (7, "CRITICAL" if fate == "stands" else "UNKNOWN")
    streaks = lake.query("SELECT * FROM nba_monitoring.placeholder_free_streak ORDER BY game_date")
    assert streaks["verdict"].tolist() == ["CLEAN", "PLACEHOLDER", "CLEAN"]
    assert streaks["streak"].tolist() == [1, 0, 1]
    lines = lake.query("SELECT * FROM nba_monitoring.line_quality_daily").set_index(["game_date", "system_id"])
    his_lines = (pd.Timestamp(bad), name or "no system")
    assert (his_lines in lines.index) == (fate == "stands")
    if fate == "stands":
        assert lines.loc[his_lines, ["total_predictions", "placeholder_count"]].tolist() == [7, 7]
        found = quality.findings(quality.published(lake, SYSTEMS, bad, bad, None), bad, bad)
        assert failing(found) >= {"no_placeholders", "streak_unbroken", "lines_vary"}
        assert (name or "no system") in found["lines_vary"].text


def test_a_placeholder_on_a_date_without_games_ends_the_streak_and_a_clean_row_there_does_not_count(lake):
    stored(lake, made(days=3, players=7))
    table, (clean, bad) = predictions.LEDGER, (FIRST + timedelta(3), FIRST + timedelta(4))
    row = lake.read(table, [FIRST]).head(1)
    put(lake, table, row.assign(game_date=pd.Timestamp(clean), line=None, line_source="NO_PROP_LINE", quote_id=None,
                                sportsbook=None, over_price=None, under_price=None, has_prop_line=False), [clean])  # fmt: skip
    put(lake, table, row.assign(game_date=pd.Timestamp(bad), line=20.0, line_source=None), [bad])
    streaks = lake.query("SELECT * FROM nba_monitoring.placeholder_free_streak ORDER BY game_date")
    assert [d.date() for d in streaks["game_date"]] == [FIRST, FIRST + timedelta(1), FIRST + timedelta(2), bad]
    assert streaks["streak"].tolist() == [1, 2, 3, 0]
    lines = lake.query("SELECT * FROM nba_monitoring.line_quality_daily").set_index(["game_date", "system_id"])
    assert lines.loc[(pd.Timestamp(bad), "moving_average"), ["games", "placeholder_count"]].tolist() == [0, 1]


def test_performance_counts_each_outcome_apart_and_only_valid_lines(lake):
    out = poisoned(made(days=33), FIRST + timedelta(2))
    out.loc[out.index[:40], "outcome"] = ["PUSH"] * 10 + ["VOID"] * 10 + ["PENDING"] * 10 + ["NO_BET"] * 10
    stored(lake, out)
    rows = lake.query("SELECT * FROM nba_monitoring.performance_valid_lines_only")
    assert set(rows["month"]) == {"2025-11", "2025-12"}
    parts = ["wins", "losses", "pushes", "voids", "pending", "no_bets"]
    assert (rows[parts].sum(axis=1) == rows["predictions"]).all()
    assert rows["predictions"].sum() == (33 - 1) * 60
    assert rows[["pushes", "voids", "pending", "no_bets"]].sum().tolist() == [10, 10, 10, 10]
    november = rows[rows["month"] == "2025-11"]
    assert november["win_rate"].between(november["win_rate_low"], november["win_rate_high"], inclusive="neither").all()
    december = rows[rows["month"] == "2025-12"]
    assert december["bet_dates"].eq(3).all()
    assert december[["win_rate_low", "win_rate_high"]].isna().all(axis=None), "three nights are too few"
    only_void = out.assign(outcome="VOID", absolute_error=np.nan)
    lake.write(
        PREDICTION_ACCURACY, only_void[PREDICTION_ACCURACY.column_names], sorted({d.date() for d in out["game_date"]})
    )
    undecided = lake.query("SELECT * FROM nba_monitoring.performance_valid_lines_only")
    assert undecided["win_rate"].isna().all(), "no division by zero"


def test_a_fresh_incident_shows_in_the_summary(lake):
    stored(lake, poisoned(made(), LAST))
    rows = lake.query("SELECT * FROM nba_monitoring.data_quality_summary").set_index("scope")
    assert rows["placeholder_count"].tolist() == [60, 60, 60]
    assert rows.loc["Last game day", "placeholder_pct"] == 100.0
    assert rows.loc["Overall", "placeholder_pct"] < 3
    assert rows.loc["Last 30 game days", "game_days"] == 30
    assert rows.loc["Overall", "game_days_with_predictions"] == 35


def test_every_view_runs_on_an_empty_lake(lake):
    for view in MONITORING_VIEWS:
        assert lake.query(f"SELECT * FROM {view.address}").empty or view.name == "data_quality_summary"
