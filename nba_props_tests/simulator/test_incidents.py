"""Every incident and its effect: a clear quarantine, a check that fails, or a correct result."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta

import dagster as dg
import pandas as pd
import pandas.testing as pdt
import pytest
from click.testing import CliRunner

from nba_props.assets.tables import asset_key
from nba_props.catalog import TABLES
from nba_props.cli import main
from nba_props.deployment import load_settings
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES, CONSENSUS, SLATE
from nba_props.schemas.raw import ODDS_QUOTES, QUARANTINED_QUOTES
from nba_props.schemas.reference import RESOLVED_NAMES, UNRESOLVED_NAMES
from nba_props.simulator.incidents import CLOCK_CHANGE, FREE_DAY, INCIDENTS, NIGHT, apply
from nba_props.simulator.league import simulate
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import Platform, utc
from nba_props_tests.copies import copied
from nba_props_tests.dagster_in_memory import instance_that_forgets

pytestmark = [pytest.mark.long]
OPENING = date(2025, 10, 20)
NEXT = NIGHT + timedelta(1)
NOW = utc(2026, 1, 9, 15)
#: the markets that are quoted
ASKED = ("points", "rebounds", "points_rebounds_assists")
#: the incidents that remove payloads and land none
REMOVES = {"in_play_latest", "games_without_odds"}


def open_league(folder, instance) -> Platform:
    settings = load_settings({"NBA_PROPS_HOME": str(folder)})
    zone, lake = LandingZone(settings.landing), LakeWarehouse(settings.lake)
    return Platform(settings, zone, lake, instance, NOW)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A simulated league, history before the night ingested, to be copied by each test."""
    folder = tmp_path_factory.mktemp("league") / "home"
    folder.mkdir()
    simulate(folder / "landing", odds_days=[NIGHT, NEXT, CLOCK_CHANGE], asked=ASKED)
    with instance_that_forgets() as instance:
        platform = open_league(folder, instance)
        platform.materialize(OPENING, NIGHT - timedelta(1), job="ingest_history")
        platform.materialize(OPENING, OPENING, job="ingest_rosters")
    return folder


@pytest.fixture(scope="module")
def published(base, tmp_path_factory):
    """The night without any incident, published by some of the systems."""
    folder = copied(base, tmp_path_factory.mktemp("clean") / "home")
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_league(folder, instance)
        outcome = platform.publish(NIGHT, slate=True)
        assert outcome.success, outcome.errors
        assert outcome.failed_checks == []
    return folder


@pytest.fixture(scope="module")
def clean(published):
    """The tables of the night without any incident."""
    platform = open_league(published, None)
    return {address: frame(platform, address) for address in TABLES if platform.warehouse.partitions(TABLES[address])}


@pytest.fixture
def league(request, tmp_path):
    """The league before its night; for lines that other odds are chosen from, after its night was published."""
    again = request.node.originalname == "test_incident" and request.node.callspec.params["name"] in _ODDS
    base = request.getfixturevalue("published" if again else "base")
    with dg.DagsterInstance.ephemeral() as instance:
        yield open_league(copied(base, tmp_path / "home"), instance)


def frame(platform: Platform, address: str, day: date = NIGHT) -> pd.DataFrame:
    rows = platform.warehouse.read(TABLES[address], [day])
    return rows.sort_values(rows.columns[:4].tolist(), kind="stable").reset_index(drop=True)


def lines(platform: Platform, day: date = NIGHT) -> pd.DataFrame:
    """The lines of points by player."""
    rows = frame(platform, "nba_analytics.betting_lines", day)
    return rows[rows["market"] == "points"].set_index("player_name")


def test_whatever_an_incident_lands_is_marked_as_simulated(base, tmp_path):
    """Its zone takes no payload that does not say so: an incident would be no more than that."""
    known = {p.stat().st_ino for p in (base / "landing").rglob("*.json.gz")}
    for name in [n for n, incident in INCIDENTS.items() if incident.damage]:
        there = copied(base / "landing", tmp_path / name)
        apply(name, LandingZone(str(there)))
        landed = [p for p in there.rglob("*.json.gz") if p.stat().st_ino not in known]
        assert bool(landed) == (name not in REMOVES), name
        for path in landed:
            with suppress(OSError, EOFError, ValueError, zlib.error):  # an incident may leave no more than bytes
                content = json.loads(gzip.decompress(path.read_bytes()))
                assert not isinstance(content, dict) or content["simulated"] is True, (name, path.name)


def test_the_night_is_the_size_of_the_brief(clean):
    assert len(clean["nba_analytics.upcoming_player_game_context"]) == 454
    rows = clean["nba_analytics.betting_lines"]
    assert rows.groupby("market")["has_prop_line"].sum()["points"] == 162
    assert set(rows["market"]) == set(ASKED)
    unresolved = clean["nba_reference.unresolved_names"]
    assert set(unresolved["source_name"]) == {"Guest Entrant"}
    quotes = clean["nba_raw.odds_quotes"]
    assert set(quotes["data_source"]) == {"SIMULATED"}
    genuine = quotes[(quotes["line"] == 20.0)]
    assert set(genuine["book_kind"]) == {"DFS"}
    assert (quotes[quotes["book_kind"] == "SPORTSBOOK"]["line"] % 1 == 0.5).all()
    methods = set(clean["nba_reference.resolved_names"]["method"])
    assert {"EXACT", "NORMALISED", "SUFFIX", "REORDERED", "INITIAL", "ALIAS"} <= methods


def same_lines(platform: Platform, clean, but: tuple[str, ...] = ()) -> None:
    left, right = (
        f.drop(columns=list(but))
        for f in (frame(platform, "nba_analytics.betting_lines"), clean["nba_analytics.betting_lines"])
    )
    pdt.assert_frame_equal(left, right)


def quarantined(platform: Platform, day: date = NIGHT) -> dict[str, int]:
    return {
        str(k): int(v) for k, v in frame(platform, "nba_raw.quarantined_quotes", day)["reason"].value_counts().items()
    }


def no_invented_number(platform: Platform, table: str) -> None:
    bad = platform.query(
        f"""
        SELECT COUNT(*) AS n FROM {table} AS p
        LEFT JOIN nba_raw.odds_quotes AS q ON q.game_date = p.game_date AND q.quote_id = p.quote_id
        WHERE p.line IS NOT NULL
          AND (q.quote_id IS NULL OR q.line <> p.line OR q.is_in_play OR q.book_kind <> 'SPORTSBOOK')
        """
    )
    assert bad["n"][0] == 0


def missing(field: str):
    def expect(platform, outcome, clean):
        assert outcome.success
        assert platform.failed(outcome) == {"quarantined_quotes.nothing_quarantined": "WARN"}
        assert set(quarantined(platform)) == {f"MISSING_{field.upper()}"}
        assert len(lines(platform)) == 454

    return expect


def in_play_latest(platform, outcome, clean):
    assert outcome.success
    assert platform.failed(outcome) == {"odds_quotes.games_have_quotes": "WARN"}
    chosen = lines(platform)
    assert (chosen["line_minutes_before_game"].dropna() == 420).all()
    assert (chosen["no_line_reason"] == "ONLY_IN_PLAY").sum() > 8


def frozen_book(platform, outcome, clean):
    assert outcome.success
    assert platform.failed(outcome) == {"odds_quotes.books_are_fresh": "WARN"}
    later = lines(platform)
    from_draftkings = later[later["sportsbook"] == "draftkings"]
    assert (from_draftkings["line_minutes_before_game"] > 1200).all(), "only the capture in which it was fresh"
    assert int(later["has_prop_line"].sum()) == 162


def duplicate_captures(platform, outcome, clean):
    assert outcome.failed_checks == []
    same_lines(platform, clean)
    assert len(frame(platform, "nba_raw.odds_quotes")) == len(clean["nba_raw.odds_quotes"])


def out_of_order_captures(platform, outcome, clean):
    assert outcome.failed_checks == []
    same_lines(platform, clean)


def truncated_json(platform, outcome, clean):
    assert outcome.success
    assert platform.failed(outcome) == {"quarantined_quotes.nothing_quarantined": "WARN"}
    assert quarantined(platform) == {"TRUNCATED": 8}
    assert int(lines(platform)["has_prop_line"].sum()) > 140


def empty_rowset(platform, outcome, clean):
    assert outcome.success, "the box scores that were there are there"
    same_lines(platform, clean)


def event_id_changes(platform, outcome, clean):
    assert outcome.failed_checks == []
    same_lines(platform, clean, but=("quote_id",))


def game_moved(platform, outcome, clean):
    assert outcome.success
    assert platform.failed(outcome) == {}
    assert quarantined(platform) == {}, "rows that were published by them before are judged by them"
    context = frame(platform, "nba_analytics.upcoming_player_game_context")
    assert context["game_id"].nunique() == 12
    assert clean["nba_analytics.upcoming_player_game_context"]["game_id"].nunique() == 13


def past_midnight(platform, outcome, clean):
    assert outcome.success
    assert frame(platform, "nba_analytics.slate")["game_id"].nunique() == 12
    # its box scores stand under the evening's date in the league's log: a check says so
    assert platform.failed(outcome) == {"box_scores.box_scores_match_schedule": "WARN"}
    after = platform.run("predict", NEXT, select=to_lines(platform))
    slate = frame(platform, "nba_analytics.slate", NEXT)
    (late,) = (
        set(slate["game_id"])
        - set(frame(platform, "nba_raw.schedule", NEXT)["game_id"].where(lambda s: s < ""))
        - {
            g
            for g in slate["game_id"]
            if slate.loc[slate["game_id"] == g, "tipoff_at"].iloc[0] != pd.Timestamp("2026-01-10T05:05Z")
        }
    )
    mine = lines(platform, NEXT)
    assert int(mine.loc[mine["game_id"] == late, "has_prop_line"].sum()) > 8
    assert after.success


def traded_today(platform, outcome, clean):
    assert outcome.success
    assert outcome.failed_checks == []
    slate = frame(platform, "nba_analytics.slate")
    (moved,) = slate[slate["team"].isna()].to_dict("records")
    assert moved["team_null_reason"] == "QUOTED_FOR_A_GAME_OF_OTHER_TEAMS"
    features = frame(platform, "nba_analytics.player_features").set_index("player_id")
    why = json.loads(features.loc[moved["player_id"], "null_reasons"])
    of_teams = ("home_away", "opponent_pace", "team_pace", "injury_risk", "rest_advantage", "avg_points_vs_opponent")
    assert {why[name] for name in of_teams} == {"QUOTED_FOR_A_GAME_OF_OTHER_TEAMS"}, "the reason of the context"
    rows = frame(platform, "nba_predictions.moving_average")
    own = rows[rows["player_id"] == moved["player_id"]].iloc[0]
    assert own["abstain_reason"] == "MISSING_INPUT: home_away"
    assert (own["line"], own["recommendation"]) == (21.5, "PASS")


def same_name(platform, outcome, clean):
    assert outcome.success
    unresolved = frame(platform, "nba_reference.unresolved_names")
    twins = unresolved[unresolved["reason"] == "AMBIGUOUS"]
    assert len(twins) >= 1
    assert "resolved_names.names_resolved" in platform.failed(outcome)
    assert int(lines(platform)["has_prop_line"].sum()) == 161


def suffix_dropped(platform, outcome, clean):
    assert outcome.failed_checks == []
    same_lines(platform, clean, but=("quote_id",))


def book_renames_player(platform, outcome, clean):
    assert outcome.success
    unresolved = frame(platform, "nba_reference.unresolved_names")
    assert "The Lighthouse" in set(unresolved["source_name"])
    of_points = clean["nba_analytics.betting_lines"].query("market == 'points'")
    star = of_points.sort_values("line").dropna(subset=["line"])["player_name"].iloc[-1]
    assert lines(platform).loc[star, "sportsbook"] != "draftkings"
    assert int(lines(platform)["has_prop_line"].sum()) == 162


def corrected_box_scores(platform, outcome, clean):
    assert outcome.failed_checks == []
    now, before = (f.set_index("player_id") for f in (frame(platform, "nba_analytics.upcoming_player_game_context"),
                                                      clean["nba_analytics.upcoming_player_game_context"]))  # fmt: skip
    changed = now.index[(now["points_avg_season"] - before["points_avg_season"]).abs() > 1e-9]
    assert len(changed) <= 1, "only the corrected player's averages change"


def games_without_odds(platform, outcome, clean):
    assert outcome.success
    assert platform.failed(outcome) == {"odds_quotes.games_have_quotes": "WARN"}
    ledger = frame(platform, "nba_predictions.ledger")
    assert len(ledger) == 454 * 2, "one row of each published system for every player"
    assert set(ledger["recommendation"]) == {"NO_LINE"}
    assert ledger["line"].isna().all()


def odds_without_games(platform, outcome, clean):
    assert outcome.success, outcome.errors
    assert platform.failed(outcome) == {"quarantined_quotes.nothing_quarantined": "WARN"}
    assert set(quarantined(platform, FREE_DAY)) == {"GAME_NOT_IN_SCHEDULE"}
    assert frame(platform, "nba_predictions.ledger", FREE_DAY).empty


def clock_change(platform, outcome, clean):
    assert outcome.success, outcome.errors
    schedule = frame(platform, "nba_raw.schedule", CLOCK_CHANGE)
    late = schedule[schedule["tipoff_at"] == pd.Timestamp("2025-11-02T06:30Z")]
    assert len(late) == 1
    quotes = frame(platform, "nba_raw.odds_quotes", CLOCK_CHANGE)
    mine = quotes[quotes["game_id"] == late["game_id"].iloc[0]]
    assert set(mine["minutes_before_game"]) == {90.0, 60.0, 30.0, 0.0, -30.0}
    assert set(mine.loc[mine["is_in_play"].astype(bool), "minutes_before_game"]) == {0.0, -30.0}
    chosen = lines(platform, CLOCK_CHANGE)
    own = chosen[(chosen["game_id"] == late["game_id"].iloc[0]) & chosen["has_prop_line"].astype(bool)]
    assert (own["line_minutes_before_game"] == 30).all()


@pytest.mark.long
def test_second_writer(published, tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        second_writer(open_league(copied(published, tmp_path / "home"), instance))


def second_writer(platform):
    said = INCIDENTS["second_writer"].afterwards(platform.warehouse)
    assert said.startswith("454 rows")
    again = platform.publish(NIGHT)
    failed = platform.failed(again)
    assert failed["ledger.no_placeholder_lines"] == "ERROR"
    assert failed["ledger.schema"] == "ERROR"
    assert not again.success
    graded = platform.run("grade", NIGHT)
    failed = {name.removeprefix("prediction_accuracy."): s for name, s in platform.failed(graded).items()}
    loud = {
        "win_rates_plausible",
        "share_under_plausible",
        "streak_unbroken",
        "validation_no_placeholders",
        "validation_lines_are_real",
    }
    assert {name for name, severity in failed.items() if severity == "ERROR"} >= loud
    shown = CliRunner().invoke(main, ["validate", str(NIGHT)], env={"NBA_PROPS_HOME": str(platform.settings.home)})
    assert shown.exit_code == 1
    assert "454 placeholders in" in shown.output


EXPECTED: dict[str, Callable] = {
    "missing_point": missing("point"),
    "missing_price": missing("price"),
    "in_play_latest": in_play_latest,
    "frozen_book": frozen_book,
    "duplicate_captures": duplicate_captures,
    "out_of_order_captures": out_of_order_captures,
    "truncated_json": truncated_json,
    "empty_rowset": empty_rowset,
    "event_id_changes": event_id_changes,
    "game_moved": game_moved,
    "past_midnight": past_midnight,
    "clock_change": clock_change,
    "traded_today": traded_today,
    "same_name": same_name,
    "suffix_dropped": suffix_dropped,
    "book_renames_player": book_renames_player,
    "corrected_box_scores": corrected_box_scores,
    "odds_without_games": odds_without_games,
    "games_without_odds": games_without_odds,
}
#: from which date on history is loaded, or loaded again, before the incident's own date
_HISTORY = {
    "clock_change": OPENING,
    "same_name": NIGHT - timedelta(10),
    "corrected_box_scores": NIGHT - timedelta(1),
    "odds_without_games": NIGHT,
}
#: other odds and nothing else
_ODDS = {
    "missing_point",
    "missing_price",
    "in_play_latest",
    "frozen_book",
    "duplicate_captures",
    "out_of_order_captures",
    "truncated_json",
    "event_id_changes",
    "suffix_dropped",
    "book_renames_player",
}
#: these are judged by what is made of the lines; the others show in the lines, and go on to the ledger in the long test
_PUBLISHED = {"game_moved", "traded_today", "corrected_box_scores", "odds_without_games", "games_without_odds"}
LINES, LEDGER = "nba_analytics.betting_lines", "nba_predictions.ledger"


def prepare(league: Platform, name: str) -> date:
    day = INCIDENTS[name].day
    assert apply(name, league.zone)
    if name in _HISTORY:
        league.materialize(_HISTORY[name], day - timedelta(1), job="ingest_history")
    if name == "empty_rowset":
        again = league.ingest(day - timedelta(1), day - timedelta(1))
        assert not again.success
        assert any("box_scores partition 2026-01-08 would go from" in error for error in again.errors), again.errors
    return day


def to_lines(league: Platform) -> list[dg.AssetKey]:
    """From payloads to the lines of the slate."""
    return [
        *league.of("predict", "nba_raw", "nba_reference"),
        *map(asset_key, (SLATE, BOOK_LINES, BETTING_LINES, CONSENSUS)),
    ]


#: whose rules have tests of their own in the suite: here they are long stories
_LONG = {
    "past_midnight", "odds_without_games", "traded_today", "game_moved", "clock_change", "corrected_box_scores",
    "games_without_odds", "same_name", "event_id_changes",
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long) if n in _LONG else n for n in EXPECTED])
def test_incident(league, clean, name):
    day = prepare(league, name)
    if name in _ODDS:
        tables = (
            ODDS_QUOTES,
            QUARANTINED_QUOTES,
            RESOLVED_NAMES,
            UNRESOLVED_NAMES,
            BOOK_LINES,
            BETTING_LINES,
            CONSENSUS,
        )
        EXPECTED[name](league, league.run("predict", day, select=[*map(asset_key, tables)]), clean)
        no_invented_number(league, LINES)
    elif name in _PUBLISHED:
        EXPECTED[name](league, league.publish(day, slate=True), clean)
        no_invented_number(league, LEDGER)
    else:
        EXPECTED[name](league, league.run("predict", day, select=to_lines(league)), clean)
        no_invented_number(league, LINES)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - _PUBLISHED))
def test_incident_to_the_ledger(league, clean, name):
    EXPECTED[name](league, league.publish(prepare(league, name), slate=True), clean)
    no_invented_number(league, LEDGER)


def test_every_incident_has_an_expectation():
    assert {*EXPECTED, "second_writer"} == set(INCIDENTS)
    assert all(i.description for i in INCIDENTS.values())
