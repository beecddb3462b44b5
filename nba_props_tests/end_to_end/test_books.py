"""Another order of books over dates that are published: new rows where lines changed, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pandas.testing as pdt
import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.facts.books import in_order
from nba_props.facts.keys import PROP
from nba_props.facts.markets import POINTS
from nba_props.operations.ledger import lines_to_change
from nba_props.schemas.analytics import BETTING_LINES, PRICES
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props_tests import league
from nba_props_tests.conftest import DAY, SOME_SYSTEMS, Platform

pytestmark = pytest.mark.slow

_JUDGED = "SELECT * FROM nba_predictions.judged_predictions WHERE game_date = @day ORDER BY prediction_id"
_CURRENT = "SELECT * FROM nba_predictions.current_predictions WHERE game_date = @day ORDER BY prediction_id"


def of_order(platform: Platform, *named: str) -> Platform:
    """The same platform with books in another order."""
    return replace(platform, settings=replace(platform.settings, books=in_order(named)))


def published_under(platform: Platform, *named: str) -> Platform:
    """Published again from the lines on: what is loaded before them knows no order of books."""
    other = of_order(platform, *named)
    again = [*other.of("predict", "nba_analytics"), *other.publication(SOME_SYSTEMS, slate=False)]
    other.materialize(DAY, DAY, again)
    return other


def ledger(platform: Platform) -> pd.DataFrame:
    return platform.warehouse.read(LEDGER, [DAY]).set_index("prediction_id").sort_index()


def lined(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["line"].notna()]


def would_publish(platform: Platform) -> int:
    """The rows of ``reline --dry-run``."""
    found = lines_to_change(platform.warehouse, [DAY], [POINTS], platform.now, platform.settings.books)
    return int(found["rows"].sum())


def every_line_is_that_of_its_quote(platform: Platform) -> None:
    judged = lined(platform.query(_JUDGED, day=DAY))
    assert judged["is_valid_line"].all()
    quotes = platform.query("SELECT quote_id, bookmaker, line FROM nba_raw.odds_quotes WHERE game_date = @day", day=DAY)
    both = judged.merge(quotes, on="quote_id", suffixes=("", "_quoted"), validate="many_to_one")
    assert len(both) == len(judged)
    assert (both["line"] == both["line_quoted"]).all()
    assert (both["sportsbook"] == both["bookmaker"]).all()
    assert platform.warehouse.read(QUARANTINED_PREDICTIONS, [DAY]).empty


def test_before_the_cut_off_the_line_of_the_first_book_is_published_beside_the_one_before(published):
    before = ledger(published)
    assert set(lined(before)["sportsbook"]) == {"draftkings"}
    published.now += timedelta(minutes=9)
    other = published_under(published, "betmgm")

    lines = lined(other.warehouse.read(BETTING_LINES, [DAY]))
    assert set(lines["sportsbook"]) == {"betmgm"}
    after, current = ledger(other), other.query(_CURRENT, day=DAY)
    pdt.assert_frame_equal(after.loc[before.index], before)
    assert set(lined(current)["sportsbook"]) == {"betmgm"}
    both = lined(current).merge(lines, on=PROP, suffixes=("", "_chosen"))
    assert (both["quote_id"] == both["quote_id_chosen"]).all()
    assert (both["line"] == both["line_chosen"]).all()
    new = after.drop(before.index)
    assert len(new) == len(lined(before)), "only rows with a line are published a second time"
    assert not new["is_backfill"].any()
    every_line_is_that_of_its_quote(other)

    published_under(other, "betmgm")
    pdt.assert_frame_equal(ledger(other), after)
    assert would_publish(other) == 0
    assert would_publish(published) == len(new), "the house order would change them"

    other.now += timedelta(minutes=9)
    back = published_under(other)
    pdt.assert_frame_equal(ledger(back).loc[after.index], after)
    assert set(lined(back.query(_CURRENT, day=DAY))["sportsbook"]) == {"draftkings"}
    every_line_is_that_of_its_quote(back)


def test_after_the_cut_off_what_was_published_in_time_stays_the_current_row(published):
    before, current = ledger(published), published.query(_CURRENT, day=DAY)
    published.now = league.tipoff(DAY) + timedelta(hours=12)
    assert would_publish(of_order(published, "betmgm")) == len(lined(before))
    other = published_under(published, "betmgm")
    after = ledger(other)
    pdt.assert_frame_equal(after.loc[before.index], before)
    pdt.assert_frame_equal(other.query(_CURRENT, day=DAY), current)
    new = after.drop(before.index)
    assert set(new["sportsbook"]) == {"betmgm"}
    assert new["is_backfill"].all()
    every_line_is_that_of_its_quote(other)
    published_under(other, "betmgm")
    pdt.assert_frame_equal(ledger(other), after)
    assert would_publish(other) == 0, "it is published beside the row that stays"


def test_reline_chooses_by_the_order_of_the_environment(published, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(published.settings.home))
    monkeypatch.setenv("NBA_PROPS_LANDING", published.settings.landing)

    def counted(books: str) -> str:
        shown = CliRunner().invoke(main, ["reline", str(DAY), "--dry-run"], env={"NBA_PROPS_BOOKS": books})
        assert shown.exit_code == 0, shown.output
        return shown.output

    assert "0 rows would be published again" in counted("DraftKings")
    assert f"{len(lined(ledger(published)))} rows would be published again" in counted("BetMGM, draftkings")


def test_equal_best_prices_have_the_same_book_in_lines_and_prices(published):
    other = published_under(published, "fanduel")
    prices, lines = other.warehouse.read(PRICES, [DAY]), lined(other.warehouse.read(BETTING_LINES, [DAY]))
    both = lines.merge(prices, on=["quote_id"], suffixes=("", "_priced"), validate="one_to_one")
    assert len(both) == len(lines)
    for side in ("over", "under"):
        assert (both[f"best_{side}_book"] == both[f"best_{side}_book_priced"]).all()
        assert (both[f"best_{side}_price"] == both[f"best_{side}_price_priced"]).all()
