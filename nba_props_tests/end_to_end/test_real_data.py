"""The main job on real payloads, where they are present: names, lines, gate and the anchors measured elsewhere."""

from __future__ import annotations

import warnings
from datetime import date

import dagster as dg
import numpy as np
import pytest

from nba_props.definitions import build_defs
from nba_props.domain.names import player_lookup, without_suffix
from nba_props.domain.systems import SYSTEMS
from nba_props.settings import Settings
from nba_props.sources.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import Platform, utc

pytestmark = [pytest.mark.real, pytest.mark.slow]
FIRST, LAST = date(2025, 10, 21), date(2025, 11, 15)


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    settings = Settings("local", folder / "home", str(real_data / "landing"), first_date=date(2024, 10, 22))
    warehouse, zone = LakeWarehouse(settings.lake), LandingZone(settings.landing)
    with dg.DagsterInstance.ephemeral() as instance, warnings.catch_warnings():
        now = utc(2026, 11, 23)
        definitions = build_defs(settings, warehouse, zone, clock=lambda: now)
        platform = Platform(settings, zone, warehouse, instance, definitions, now)
        assert platform.ingest(settings.first_date, date(2025, 10, 20)).success
        outcome = platform.predict(FIRST, LAST)
        assert outcome.success, outcome.errors
        yield platform, outcome


def test_all_but_coverage_of_opening_nights_passes(real):
    platform, outcome = real
    opening_nights = {f"{s.system_id}.covers_slate": "WARN" for s in SYSTEMS}
    assert platform.failed(outcome) == {"resolved_names.names_resolved": "WARN", **opening_nights}


def test_at_least_995_of_1000_quotes_resolve(real):
    platform, _ = real
    resolved = platform.query("SELECT SUM(quotes) AS n FROM nba_reference.resolved_names")["n"][0]
    left = platform.query("SELECT SUM(quotes) AS n, MIN(game_date) AS first_day, MAX(game_date) AS last_day "
                          "FROM nba_reference.unresolved_names").iloc[0]  # fmt: skip
    assert resolved / (resolved + left["n"]) >= 0.995
    assert left["first_day"] == left["last_day"], "only opening-night debutants are unknown"


def test_no_quote_resolves_to_the_wrong_player(real):
    """Whoever played the game under the quoted name is the one the quote resolved to."""
    platform, _ = real
    names = platform.query("SELECT game_id, source_name, player_id, method FROM nba_reference.resolved_names")
    boxes = platform.query(
        "SELECT game_id, player_id, player_name FROM nba_raw.box_scores WHERE game_date >= @d", d=FIRST
    )
    checked = 0
    for rule in (player_lookup, without_suffix):
        named = names.assign(key=names["source_name"].map(rule))
        played = boxes.assign(key=boxes["player_name"].map(rule)).rename(columns={"player_id": "true_id"})
        both = named.merge(played, on=["game_id", "key"])
        assert (both["player_id"] == both["true_id"]).all()
        checked = max(checked, len(both))
    assert checked > 0.85 * len(names)
    odd = names[~names["method"].isin(["EXACT", "NORMALISED", "SUFFIX", "LEAGUE"])]
    assert set(odd["source_name"]) == {
        "Nicolas Claxton", "Herb Jones", "Carlton Carrington", "Ron Holland", "Vincent Williams Jr",
    }  # fmt: skip


def test_every_published_line_is_a_real_quote_and_none_a_placeholder(real):
    platform, _ = real
    rows = platform.query(
        """
        SELECT p.line, q.line AS quoted, q.snapshot_at, p.cutoff_at, q.book_kind
        FROM nba_predictions.player_prop_predictions AS p
        LEFT JOIN nba_raw.odds_quotes AS q ON q.game_date = p.game_date AND q.quote_id = p.quote_id
        WHERE p.line_source = 'ACTUAL_PROP'
        """
    )
    assert len(rows) > 2000
    assert (rows["line"] == rows["quoted"]).all()
    assert (rows["snapshot_at"] < rows["cutoff_at"]).all()
    assert (rows["book_kind"] == "SPORTSBOOK").all()
    assert (rows["line"] % 1 == 0.5).all(), "a US sportsbook's main line is never whole (market 0.7)"
    assert platform.query("SELECT COUNT(*) AS n FROM nba_predictions.quarantined_predictions")["n"][0] == 0


def test_the_market_is_as_good_as_it_was_measured_to_be(real):
    """Consensus line MAE about 4.95, over rate about 49 % (market 3A): a better figure would be a leak."""
    platform, _ = real
    rows = platform.query(
        """
        SELECT l.consensus_line AS line, b.points FROM nba_analytics.betting_lines AS l
        JOIN nba_raw.box_scores AS b ON b.game_date = l.game_date AND b.game_id = l.game_id AND b.player_id = l.player_id
        WHERE l.has_prop_line
        """
    )
    error = np.abs(rows["line"] - rows["points"].astype(float))
    assert len(rows) > 2000
    assert 4.7 < error.mean() < 5.2
    decided = rows[rows["line"] != rows["points"]]
    assert 0.46 < (decided["points"] > decided["line"]).mean() < 0.52


def test_the_last_ten_average_is_as_bad_as_it_was_measured_to_be(real):
    platform, _ = real
    rows = platform.query(
        """
        SELECT c.points_avg_last_10 AS forecast, b.points FROM nba_analytics.upcoming_player_game_context AS c
        JOIN nba_raw.box_scores AS b ON b.game_date = c.game_date AND b.game_id = c.game_id AND b.player_id = c.player_id
        WHERE c.has_prop_line AND c.games_last_10 >= 5
        """
    )
    assert 4.9 < np.abs(rows["forecast"] - rows["points"].astype(float)).mean() < 5.7
