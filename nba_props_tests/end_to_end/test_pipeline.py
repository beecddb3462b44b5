"""The whole way on the small league: what a user's day looks like, and what must never happen."""

from __future__ import annotations

import shutil
from datetime import date, timedelta

import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.assets.tables import asset_key
from nba_props.catalog import TABLES
from nba_props.domain.systems import SYSTEMS
from nba_props.schemas import WriteMode
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES, CONSENSUS
from nba_props.schemas.raw import ODDS_QUOTES, QUARANTINED_QUOTES
from nba_props.schemas.reference import RESOLVED_NAMES, UNRESOLVED_NAMES
from nba_props.simulator import payloads
from nba_props.sources import odds_api
from nba_props.warehouse import usage
from nba_props_tests import league
from nba_props_tests.conftest import DAY, SOME_SYSTEMS, Platform, open_platform
from nba_props_tests.copies import copied

pytestmark = pytest.mark.slow

PLAYERS = 4 * league.PLAYERS_PER_TEAM
#: rows of one date in the ledger
ROWS = PLAYERS * len(SYSTEMS)
#: systems that ``Platform.publish`` runs, and the rows that they have
SOME = 2
SOME_ROWS = PLAYERS * SOME
#: tables before the systems that other odds of a date change
MADE_OF_ODDS = (
    ODDS_QUOTES, QUARANTINED_QUOTES, RESOLVED_NAMES, UNRESOLVED_NAMES, BOOK_LINES, BETTING_LINES, CONSENSUS,
)  # fmt: skip


def ledger_of(platform: Platform) -> pd.DataFrame:
    return platform.query("SELECT * FROM nba_predictions.ledger ORDER BY game_date, prediction_id")


def lake_frames(platform: Platform, skip: tuple[str, ...] = ()) -> dict[str, pd.DataFrame]:
    """Every table, sorted, less the columns that say which run wrote the row."""
    frames = {}
    for address, table in TABLES.items():
        days = platform.warehouse.partitions(table)
        frame = platform.warehouse.read(table, days).drop(
            columns=["run_id", "created_at", "quarantined_at", "recorded_at", "row_digest"], errors="ignore"
        )
        frames[address] = frame.sort_values(list(frame.columns[:4]), kind="stable").reset_index(drop=True)
    return frames


def test_the_line_is_the_last_one_before_tipoff_and_never_the_one_in_play(published):
    lines = published.query(
        "SELECT * FROM nba_analytics.betting_lines WHERE game_date = @day AND has_prop_line ORDER BY player_id", day=DAY
    )
    assert (lines["line_minutes_before_game"] == 30).all()
    assert lines["line"].tolist() == [league.line(slot) for _ in range(4) for slot in range(6)]
    assert (lines["opening_line"] == lines["line"] - 1).all()
    in_play = published.query(
        "SELECT COUNT(*) AS n FROM nba_raw.odds_quotes WHERE game_date = @day AND is_in_play", day=DAY
    )["n"][0]
    assert in_play == 2 * 12 * len(league.BOOKS)


def test_running_twice_changes_nothing(predicted):
    before = ledger_of(predicted)
    outcome = predicted.predict(DAY)
    assert outcome.success, outcome.errors
    assert outcome.failed_checks == []
    assert_every_check_has_a_result(predicted, [DAY])
    pdt.assert_frame_equal(ledger_of(predicted), before)


def test_a_moved_line_is_a_new_row_and_the_current_one_until_tipoff(published):
    platform = published
    game = next(g for g in league.games() if g.day == DAY)
    path, content = league.capture(game, 5, shift=1.0)
    of_the_odds = [*map(asset_key, MADE_OF_ODDS), *platform.publication(SOME_SYSTEMS, slate=False)]
    # the second capture comes, is taken back, and comes again: each time the newest answer is the current one
    for published_so_far, minutes in ((2, 5), (3, 30), (4, 5)):
        platform.zone.land(path, content) if minutes == 5 else (platform.zone._path / path).unlink()
        platform.now = platform.now + timedelta(minutes=10)
        platform.materialize(DAY, DAY, of_the_odds)
        ledger = ledger_of(platform)
        moved = ledger[(ledger["game_id"] == game.game_id) & ledger["has_prop_line"].astype(bool)]
        assert len(moved) == published_so_far * 12 * SOME
        current = platform.query("SELECT * FROM nba_predictions.current_predictions")
        assert len(current) == SOME_ROWS
        shown = current[(current["game_id"] == game.game_id) & current["has_prop_line"].astype(bool)]
        assert (shown["line_minutes_before_game"] == minutes).all()

    platform.now = game.tipoff_at + timedelta(hours=1)
    platform.zone.land(*league.capture(game, 2, shift=3.0))
    platform.materialize(DAY, DAY, of_the_odds)
    after = platform.query("SELECT * FROM nba_predictions.current_predictions")
    still = after[(after["game_id"] == game.game_id) & after["has_prop_line"].astype(bool)]
    assert (still["line_minutes_before_game"] == 5).all(), "a row published after tip-off replaced an earlier one"


@pytest.mark.long
def test_a_range_run_equals_ordered_day_runs(platform, landed_history, tmp_path):
    first, last = DAY - timedelta(2), DAY  # two weeks, each with its models, and a date without games
    each = open_platform(copied(landed_history, tmp_path / "each"), platform.instance)
    platform.now = each.now = league.tipoff(last) + timedelta(days=1)
    systems = ("moving_average", "similarity_balanced_v1", "xgboost_v1")
    platform.materialize(first, last, platform.publication(systems))
    for n in range((last - first).days + 1):
        each.materialize(first + timedelta(n), first + timedelta(n), each.publication(systems))
    together, apart = lake_frames(platform), lake_frames(each)
    for address, frame in together.items():
        pdt.assert_frame_equal(apart[address], frame, obj=address)
    assert len(together["nba_predictions.ledger"]) == 2 * PLAYERS * len(systems)


def test_days_out_of_order_fail_the_check_instead_of_using_too_little_history(make_platform):
    platform = make_platform()
    outcome = platform.publish(DAY, slate=True)
    assert not outcome.success
    assert platform.failed(outcome)["historical_games.history_complete"] == "ERROR"
    assert platform.warehouse.partitions(TABLES["nba_predictions.ledger"]) == []


def test_a_missing_day_of_box_scores_blocks_and_names_the_day(make_platform):
    day, hole = league.FIRST + timedelta(6), league.FIRST + timedelta(2)

    def fill(zone):
        league.land(zone)
        (zone._path / league.log_path(hole)).unlink()

    platform = make_platform(fill)
    platform.ingest(league.FIRST, day - timedelta(1))
    outcome = platform.publish(day, slate=True)
    assert not outcome.success
    (text,) = [t for a, n, _, t in outcome.failed_checks if n == "history_complete"]
    assert str(hole) in text
    league.land_log(platform.zone, hole, [r for g in league.games() if g.day == hole for r in league.log_rows(g)])
    platform.ingest(hole, hole)
    assert platform.publish(day, slate=True).success


def test_a_placeholder_smuggled_into_a_system_is_quarantined_and_the_rest_is_published(slated, monkeypatch):
    platform = slated
    from nba_props.assets import predictions as assets

    honest = assets._rows

    def smuggle(context, system, *inputs):
        frame = honest(context, system, *inputs).reset_index(drop=True)
        if system.system_id != "moving_average":
            return frame
        frame.loc[0, ["line", "quote_id", "line_source", "sportsbook", "line_source_api"]] = [
            20.0,
            None,
            None,
            None,
            None,
        ]
        frame.loc[1, ["line", "quote_id", "line_source"]] = [20.0, "made-up", "ACTUAL_PROP"]
        frame.loc[2, ["line", "has_prop_line", "line_source"]] = [float("nan"), True, "ACTUAL_PROP"]
        honest_line = frame.index[frame["quote_id"].notna() & (frame.index > 2)][0]
        frame.loc[honest_line, "line"] += 1.0
        return frame

    monkeypatch.setattr(assets, "_rows", smuggle)
    platform.rebuild()
    outcome = platform.publish(DAY)
    assert outcome.success, outcome.errors
    assert platform.failed(outcome)["ledger.no_placeholder_lines"] == "WARN"
    held = platform.query("SELECT reason, COUNT(*) AS n FROM nba_predictions.quarantined_predictions GROUP BY reason")
    assert dict(zip(held["reason"], held["n"], strict=True)) == {
        "PLACEHOLDER_LINE": 2, "MISSING_LINE": 1, "LINE_MISMATCH": 1,
    }  # fmt: skip
    assert len(ledger_of(platform)) == SOME_ROWS - 4

    monkeypatch.setattr(assets, "_rows", honest)
    platform.now += timedelta(minutes=5)
    repaired = platform.publish(DAY)
    assert repaired.failed_checks == [], "rows that were replaced by honest ones still warn"
    assert len(platform.query("SELECT * FROM nba_predictions.current_predictions")) == SOME_ROWS


def test_a_placeholder_written_past_the_gate_fails_the_blocking_check(published):
    table = TABLES["nba_predictions.ledger"]
    assert table.write_mode is WriteMode.APPEND
    rows = published.warehouse.read(table, [DAY])
    fake = rows.head(1).assign(
        prediction_id="f" * 32, line=20.0, line_source="ACTUAL_PROP", has_prop_line=True, quote_id="none"
    )
    published.warehouse.append(table, fake, [DAY])
    failed = published.failed(published.publish(DAY))
    assert failed["ledger.no_placeholder_lines"] == "ERROR"
    assert failed["ledger.lines_have_provenance"] == "ERROR"


def test_a_genuine_verified_twenty_passes(platform):
    game = next(g for g in league.games() if g.day == DAY)
    at = game.tipoff_at - timedelta(minutes=30)
    quote = {"player": league.player(game.home, 3)[1], "line": 20.0, "over": -110, "under": -110}
    books = {"draftkings": [payloads.market("player_points", [quote], at)]}
    event = payloads.event_odds(game.event_id, game.tipoff_at, game.home.full, game.away.full, books)
    shutil.rmtree(platform.zone._path / odds_api.folder(DAY))
    platform.zone.land(f"{odds_api.folder(DAY)}/{game.event_id}-x.json.gz", payloads.historical(event, at))
    outcome = platform.publish(DAY, slate=True)
    assert outcome.success
    assert platform.failed(outcome) == {"odds_quotes.games_have_quotes": "WARN"}
    lines = ledger_of(platform)["line"].dropna()
    assert lines.tolist() == [20.0] * SOME


def test_two_dates_are_predicted_published_and_explained_one_of_them_without_games(platform, monkeypatch):
    asking, plain = set(), usage.charge

    def charge(cost: usage.Usage) -> None:
        asking.add(usage.step_name())
        plain(cost)

    monkeypatch.setattr(usage, "charge", charge)
    free = DAY + timedelta(1)
    outcome = platform.predict(DAY, free)
    assert outcome.success, outcome.errors
    assert outcome.failed_checks == []
    assert_every_check_has_a_result(platform, [DAY, free])
    assert None not in asking, "a bill is split by the step that asks, those of the checks included"
    assert {"historical_games", "gate", "nba_raw__odds_quotes__checks"} <= asking
    for table in ("nba_analytics.slate", "nba_predictions.ledger"):
        assert platform.warehouse.read(TABLES[table], [free]).empty
    rows = ledger_of(platform)
    assert set(rows["system_id"]) == {s.system_id for s in SYSTEMS}
    rows = rows[rows["system_id"] == "moving_average"]
    slate = platform.query("SELECT * FROM nba_analytics.slate WHERE game_date = @day", day=DAY)
    assert len(rows) == len(slate) == PLAYERS
    with_line = rows[rows["has_prop_line"].astype(bool)]
    assert len(with_line) == 4 * 6
    assert with_line["quote_id"].notna().all()
    assert set(with_line["sportsbook"]) == {"draftkings"}
    assert (rows["recommendation"].eq("NO_LINE") == rows["line"].isna()).all()
    assert not rows["is_backfill"].any()


def assert_every_check_has_a_result(platform: Platform, dates: list[date]) -> None:
    for assets_check in platform.definitions.asset_checks:
        for spec in (
            s for s in assets_check.check_specs if s.name not in ("feed_is_fresh", "tonight_has_odds", "is_fresh")
        ):  # of an hour, not of a date
            history = platform.instance.event_log_storage.get_asset_check_execution_history(spec.key, limit=100)
            found = {record.partition for record in history if record.status.value == "SUCCEEDED"}
            assert {str(d) for d in dates} <= found, spec.key
