"""A name of the old system's leads to what holds the same here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_props.catalog import TABLES, VIEWS
from nba_props.cli import main
from nba_props.presentation.old_names import OLD_COLUMNS, OLD_TABLES, explained
from nba_props.warehouse.base import WarehouseError

PAGE = Path(__file__).parents[2] / "docs" / "from-the-old-system.md"
HERE = {a: set(t.column_names) for a, t in TABLES.items()}


@pytest.mark.parametrize("old", [*OLD_TABLES, *OLD_COLUMNS])
def test_every_new_name_that_is_given_exists(old):
    said = OLD_TABLES.get(old) or OLD_COLUMNS[old]
    named = re.findall(r"nba_[a-z]+\.\w+", said)
    assert named or said.startswith("no table: "), said
    for address in named:
        assert address in TABLES or address in VIEWS, address
    assert old not in {a.split(".")[1] for a in (*TABLES, *VIEWS)}, "the name stands for a table here"
    pairs = re.findall(r"(?:^|; |and )(\w+)(?:, [^;]*?)? in (nba_[a-z]+\.\w+)", said) if old in OLD_COLUMNS else []
    for column, address in pairs:
        assert column in HERE.get(address, {column}), f"{address} has no {column}"
    for column in re.findall(r"(?:: |, )([a-z]+_\w+)", said) if old in OLD_TABLES else ():
        assert any(column in HERE[a] for a in named), column


def test_the_page_names_the_same_tables():
    """A table of the page, as far as it has another name here, is known to `sql` with the page's own first answer."""
    rows = re.findall(r"^\| (`.+?) \| (.*?) \|$", PAGE.read_text().split("## Tables")[1].split("\n## ")[0], re.M)
    listed = {old: new for left, new in rows for old in re.findall(r"`(\w+)`", left)}
    ours = {a.split(".")[1] for a in (*TABLES, *VIEWS)}
    assert set(listed) - ours <= set(OLD_TABLES)
    for old in set(listed) - ours:
        here = re.findall(r"nba_[a-z]+\.\w+", OLD_TABLES[old])
        assert not re.findall(r"`(nba_[a-z]+\.\w+)`", listed[old]) or set(here) & set(re.findall(r"nba_[a-z]+\.\w+", listed[old])), old  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT * FROM nba_raw.nbac_schedule", "the old nbac_schedule is nba_raw.schedule"),
        ("SELECT * FROM `p.nba_raw.nbac_schedule`", "the old nbac_schedule is nba_raw.schedule"),
        ("SELECT * FROM p.nba_precompute.player_daily_cache", "is nba_analytics.upcoming_player_game_context"),
        ("SELECT COUNTIF(features IS NULL) FROM `nba_predictions.ml_feature_store_v2`", "is nba_analytics.player_features"),
        ("SELECT universal_player_id FROM nba_predictions.player_prop_predictions", "is player_id, the NBA's, in "),
        ("SELECT p.is_voided FROM `nba_predictions.prediction_accuracy` AS p", "is outcome = 'VOID' in nba_predictions."),
        ("SELECT COUNTIF(p.win_flag) FROM nba_raw.box_scores AS p", "the old win_flag is won in nba_raw.box_scores"),
        ("SELECT * EXCEPT (filter_reason) FROM nba_predictions.player_prop_predictions", "the old filter_reason is nowhere"),
        ("SELECT line FROM nba_predictions.player_prop_predictions", "line is a column of nba_raw.odds_quotes, "),
        ("SELECT 1 FROM nba_raw.schedule JOIN nba_raw.box_scores USING (game_code)", "the old game_code is game_id in "),
    ],
)  # fmt: skip
def test_an_error_over_a_lake_names_the_new_table(lake, statement, said):
    with pytest.raises(WarehouseError) as caught:
        lake.read_only(statement)
    assert f"here {explained(statement, str(caught.value))}".count(said) == 1, caught.value


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Unrecognized name: universal_player_id at [1:8]", "here the old universal_player_id is player_id"),
        ("Name is_voided not found inside p at [1:10]", "here the old is_voided is outcome = 'VOID'"),
        ("Unrecognized name: row_digest at [1:8]", "here row_digest is a column of nba_predictions.ledger"),
        ("no table or view nba_raw.x; there are nba_raw.schedule, injury_status", ""),
        ("Parser Error: syntax error at or near \"line\"\nLINE 1: assists", "here line is a column of "),
        ("Conversion Error: x", ""),
    ],
)  # fmt: skip
def test_the_old_name_is_read_from_the_start_of_the_error(error, said):
    assert explained("SELECT 1", error)[: len(said) or None] == said


def test_the_sql_command_names_the_new_table(lake, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(lake.root.parent))
    result = CliRunner().invoke(main, ["sql", "SELECT points FROM nba_analytics.player_game_summary"])
    assert result.exit_code == 1
    assert "here the old player_game_summary is nba_raw.box_scores; each" in result.output
