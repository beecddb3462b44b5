"""`report` in a terminal: tables that fit, imported records apart, numbers for machines, a page in the browser."""

from __future__ import annotations

import io
import json
import webbrowser
from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from nba_props.cli import main
from nba_props.cli import scores as command
from nba_props.cli.printing import Output, fits, fitted
from nba_props.domain import scoring
from nba_props.presentation import market_tables, report, score_tables
from nba_props.schemas.monitoring import PROMOTIONS
from nba_props_tests.domain.scoring.test_market import bets, quotes, spreads
from nba_props_tests.domain.scoring.test_scoring import graded, scores_of
from nba_props_tests.presentation.test_score_tables import everything, with_verdicts


def beside(nights: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores against the market of so many nights, by true closes and by older lines, and what shopping gained."""
    made = bets(nights), bets(nights, is_close=False, judges_are_close=False, system_id="opening_bets_of_halves")
    found = scoring.market_scores(scoring.market_sums(quotes(nights), pd.concat(made), spreads(nights)))
    shopping = pd.DataFrame({"market": ["points", "points_rebounds_assists"], "hold": 0.064, "best_hold": 0.035})
    for kind in ("ev", "middle", "arbitrage"):
        shopping = shopping.assign(**{
            f"{kind}_bets": 1234.0, f"{kind}_nights": nights, f"{kind}_promised": 0.018, f"{kind}_returned": -0.023,
            f"{kind}_returned_low": -0.091, f"{kind}_returned_high": 0.044,
        })  # fmt: skip
    found = found[found["market"] == "points"]
    return found.assign(system_id=found["system_id"].replace("a", "market_consensus_v1")), shopping


def weights() -> pd.DataFrame:
    """The weights of a system in shadow, with and without one."""
    rows = pd.DataFrame({"market": ["points", "points_rebounds_assists"], "candidate_weight": [0.0312, None]})
    return PROMOTIONS.empty().reindex(rows.index).assign(
        **rows, system_id="market_anchored_v1", weight=[0.0312, 0.0], dates=[61, 12], quotes=[123_456, 1_234],
        gain=[0.00031, None], gain_low=[0.00011, None], gain_high=[0.00052, None], newest_gain=0.0003,
        reason="in shadow, 12 of 60 dates since it was frozen on 2026-11-30",
    )  # fmt: skip


def pairs(nights: int) -> pd.DataFrame:
    """The scores of two props of a player on some nights."""
    rows = pd.DataFrame({"game_date": pd.Timestamp("2026-01-01") + pd.to_timedelta(range(nights), unit="D")})
    return rows.assign(
        market="points", other_market="points_rebounds_assists", pairs=50, log_loss=60.0 + rows.index % 3,
        independent_log_loss=69.0, both_log_loss=25.0 + rows.index % 2, independent_both_log_loss=28.0,
    )  # fmt: skip


def minutes(nights: int) -> pd.DataFrame:
    """The scores of forecasts of minutes on some nights."""
    rows = pd.DataFrame({"game_date": pd.Timestamp("2026-01-01") + pd.to_timedelta(range(nights), unit="D")})
    sums = {"forecasts": 60, "error": 264.0 + rows.index % 3, "ewma_error": 276.0, "within_80": 48}
    return pd.concat([rows.assign(players=who, **sums) for who in ("ALL", "QUOTED")], ignore_index=True)


def claimed() -> pd.DataFrame:
    return pd.DataFrame({"sentence": ["market_anchored_v1, frozen on 2026-11-30: no claim"]})


def span_of(rows: pd.DataFrame, **more) -> report.ReportData:
    """What is read of graded rows, without any finding."""
    daily = scoring.sums(rows).droplevel("market")
    none = pd.DataFrame()
    return report.ReportData(
        "points",
        rows,
        daily,
        scoring.scores(daily),
        none,
        *beside(),
        weights(),
        pairs(12),
        minutes(12),
        claimed(),
        None,
        {},
        {},
        None,
        **more,
    )


@pytest.mark.parametrize("width", [80, 120])
def test_imported_records_are_in_tables_of_their_own_and_every_table_fits(width):
    f = graded(6000, 12).assign(is_valid_line=True, is_current=True, is_backfill=False)
    names = {"a": "moving_average_baseline_v1", "b": "imported_moving_average_baseline_v1"}
    found = span_of(f.assign(system_id=f["system_id"].map(names)))
    out = Output()
    out.console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    command.print_scores(out, found, [date(2026, 1, 1), date(2026, 1, 12)])
    said = out.console.file.getvalue()
    assert "- row" not in said, "no table is too wide"
    assert max(map(len, said.splitlines())) <= width
    words = " ".join(said.split())
    *both, only_own = score_tables.TABLES
    assert [words.count(f"Imported records. {title}, 2026-01-01..") for title in both] == [1] * len(both)
    assert [words.count(f"{title}, 2026-01-01..") for title in both] == [2] * len(both)
    assert words.count(f"{only_own}, 2026-01-01..") == 1, "an export has no P(over)"
    assert said.count("\nmoving_average_baseline_v1 ") == 2 * len(score_tables.TABLES) - 1
    assert "imported_" not in said


@pytest.mark.parametrize("nights", [2, 12], ids=["no interval", "intervals"])
@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_every_table_of_scores_fits_the_terminal_with_whole_numbers(width, nights):
    scores = everything(nights)
    scores = with_verdicts(scores.assign(system_id=["similarity_balanced_v1", "ensemble_v1_1"]))
    scores = scores.assign(rows_scored=123_456.0, wins=12_345.0)
    elsewhere = {"Other markets": score_tables.ELSEWHERE}
    scores = scores.assign(market="points_rebounds_assists")
    for title, columns in (score_tables.TABLES | elsewhere).items():
        kept, gap = fitted(command.score_columns(scores, columns, score_tables.shown), width)
        assert fits(kept, width, gap), f"{title} is wider than {width}"
        for column in kept:
            assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(column.cells)
            forms = (score_tables.shown(scores, columns, brackets=b)[column.heading] for b in (True, False))
            assert tuple(column.cells) in map(tuple, forms)
        assert len(kept) >= 4
    first = next(iter(score_tables.TABLES))
    assert first == "Scoreboard"
    bare = fitted(command.score_columns(scores, score_tables.TABLES[first], score_tables.shown), 80)[0]
    assert [c.heading for c in bare] == ["system", "bets", "nights", "hit rate", "break-even", "ROI", "MAE - line"]


@pytest.mark.parametrize("nights", [2, 12], ids=["no interval", "intervals"])
@pytest.mark.parametrize("width", [80, 120])
def test_every_table_beside_the_market_fits_the_terminal(width, nights):
    scores, shopping = beside(nights)
    tables = {
        "quotes": (market_tables.quotes(scores), market_tables.QUOTES),
        "closes": (market_tables.closes(scores), market_tables.CLOSES),
        "shopping": (shopping, market_tables.SHOPPING),
    }
    for title, (rows, columns) in tables.items():
        assert len(rows), title
        kept, gap = fitted(command.score_columns(rows, columns, market_tables.shown), width)
        assert fits(kept, width, gap), f"{title} is wider than {width}"
        assert len(kept) >= 5, title
        assert "\N{HORIZONTAL ELLIPSIS}" not in "".join("".join(c.cells) for c in kept)
    judges = market_tables.shown(*tables["closes"])["judged by"].tolist()
    assert judges == [
        "own book, close", "others, close", "own book, last line", "others, last line",
    ]  # fmt: skip
    with_brackets = "[" in market_tables.shown(*tables["quotes"]).to_string()
    assert with_brackets == (nights >= 10)


def test_a_machine_gets_the_scores_as_numbers(monkeypatch, tmp_path):
    rows = graded(3000, 12).assign(is_backfill=False)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.setattr(command, "to_read", lambda *_: None)
    monkeypatch.setattr(report, "graded_rows", lambda *_: rows)
    monkeypatch.setattr(report, "read", lambda *_: span_of(rows))
    monkeypatch.setattr(report, "write_report", lambda *_: "page.html")
    result = CliRunner().invoke(main, ["report", "2025-11-01..2025-11-12", "--format", "json"])
    found = {(r["tier"], r["system_id"]): r for r in json.loads(result.stdout)}
    expected = scores_of(rows).set_index(["tier", "system_id"])
    assert set(found) == set(expected.index)
    one = found["ALL", "a"]
    assert (type(one["wins"]), type(one["dates"]), type(one["roi"])) == (int, int, float)
    assert one["mae"] == expected.loc[("ALL", "a"), "mae"]
    assert {*expected.columns, "tier", "system_id"} == set(one), "no column is lost"


@pytest.mark.parametrize(
    ("options", "page", "browser", "status"),
    [
        ([], "reports/a b.html", True, 0),
        (["--open"], "reports/a b.html", True, 0),
        (["--open"], "reports/a b.html", False, 1),
        (["--open"], "gs://bucket/reports/a.html", True, 1),
    ],
    ids=["not asked for", "opened", "no browser", "no file of this machine"],
)
def test_the_page_is_opened_in_a_browser(monkeypatch, tmp_path, options, page, browser, status):
    path = page if "://" in page else str(tmp_path / page)
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.setattr(command, "to_read", lambda *_: None)
    monkeypatch.setattr(report, "graded_rows", lambda *_: graded(300, 2).assign(is_backfill=False))
    monkeypatch.setattr(report, "read", lambda *given: span_of(given[-2]))
    monkeypatch.setattr(report, "write_report", lambda *_: path)
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or browser)
    result = CliRunner().invoke(main, ["report", "2025-11-01..2025-11-02", *options])
    assert result.exit_code == status, result.output
    assert f"page      {path}" in result.output
    asked = options and "://" not in page
    assert opened == ([(tmp_path / page).as_uri()] if asked else [])
    if status:
        assert f"Error: no browser could be started here: open {path} yourself" in result.output
