"""Several markets in one deployment: from a response with all of them to grades and scores of each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.assets.predictions import _mark, read_inputs
from nba_props.checks.models import inputs_as_in_training
from nba_props.checks.partitioned import Scope
from nba_props.domain import gate
from nba_props.domain.quality import deliveries, inputs, models
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS, recipes_of
from nba_props.facts import markets
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES, CONSENSUS, PRICES
from nba_props.schemas.features import MARKET_FEATURES, MARKET_NAMES
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import BOX_SCORES
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT, Platform, open_platform

OTHERS = league.MARKETS[1:]
#: columns of a row that belong to the run that made it
_OF_A_RUN = ["run_id", "created_at", "is_backfill", "row_digest"]
SPAN = {"first": DAY, "last": DAY}


def current(platform: Platform, where: str = "TRUE") -> pd.DataFrame:
    return platform.query(
        f"SELECT * FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last AND {where} "
        "ORDER BY system_id, market, player_id",
        **SPAN,
    )


def test_every_market_is_quoted_chosen_forecast_and_published(many_predicted):
    lines = many_predicted.warehouse.read(BETTING_LINES, [DAY])
    quoted = 2 * 2 * 2  # games, teams, players
    assert lines.groupby("market").size().to_dict() == {"points": 36, **dict.fromkeys(OTHERS, quoted)}
    assert lines.loc[lines["market"] != "points", "has_prop_line"].all()
    rows = current(many_predicted)
    assert set(rows["market"]) == set(league.MARKETS)
    found = rows.groupby("system_id")["market"].agg(lambda m: tuple(sorted(set(m)))).to_dict()
    assert found == {s.system_id: tuple(sorted(set(s.markets) & set(league.MARKETS))) for s in SYSTEMS}
    of_rebounds = rows[rows["market"] == "rebounds"].set_index("player_id")
    slots = {league.player(t, s)[0]: league.line(s, "rebounds") for t in league.TEAMS for s in (2, 3)}
    assert (of_rebounds["line"] == of_rebounds.index.map(slots)).all()
    made = rows[rows["forecast"].notna() & rows["market"].isin(OTHERS)]
    assert len(made) == 2 * 3 * quoted, "both systems that forecast every market"
    assert (made["forecast"] - made["line"]).abs().max() < 6, "in the unit of the market"
    held_back = many_predicted.query("SELECT COUNT(*) AS n FROM nba_predictions.quarantined_predictions")
    assert held_back["n"].tolist() == [0]


def test_points_are_what_they_are_without_other_markets(many_predicted, predicted):
    """Row for row, ids included."""
    many, alone = current(many_predicted, "market = 'points'"), current(predicted)
    assert len(alone) == 36 * len(SYSTEMS)
    pd.testing.assert_frame_equal(many.drop(columns=_OF_A_RUN), alone.drop(columns=_OF_A_RUN), check_exact=True)


@pytest.mark.long
def test_a_deployment_of_points_alone_stores_the_other_quotes_and_forecasts_none_of_them(make_platform):
    platform = make_platform(lambda zone: league.land(zone, asked=league.MARKETS))
    platform.prepare()
    assert platform.slate(DAY).success
    quotes = platform.query(
        "SELECT market, COUNT(*) AS n FROM nba_raw.odds_quotes WHERE game_date BETWEEN @first AND @last GROUP BY 1",
        **SPAN,
    )
    assert set(quotes["market"]) == {markets.market(m).feed_key for m in league.MARKETS}
    assert set(platform.warehouse.read(BETTING_LINES, [DAY])["market"]) == {"points"}
    assert platform.warehouse.read(MARKET_FEATURES, [DAY]).empty
    assert platform.models.weeks("xgboost_v1/rebounds") == []


def test_the_features_of_a_market_are_plain_averages_of_what_it_counts(many_predicted):
    features = many_predicted.warehouse.read(MARKET_FEATURES, [DAY]).set_index(["market", "player_id"])
    past = many_predicted.query(
        f"SELECT * FROM {BOX_SCORES.address} WHERE game_date < @day ORDER BY game_date DESC", day=DAY
    )
    assert len(features) == 3 * 8
    for (market, player), row in features.iterrows():
        mine = past[past["player_id"] == player]
        counted = mine[list(markets.market(market).stats)].sum(axis=1).astype(float)
        assert row["avg_last_5"] == pytest.approx(counted.head(5).mean())
        assert row["avg_last_10"] == pytest.approx(counted.head(10).mean())
        assert row["avg_season"] == pytest.approx(counted.mean())
        assert row["std_last_10"] == pytest.approx(counted.head(10).std(ddof=1))
        assert row["per_minute_last_10"] == pytest.approx(counted.head(10).sum() / mine["minutes"].head(10).sum())
        weight = 0.5 ** (np.arange(len(counted)) / 6)
        assert row["ewma"] == pytest.approx(np.average(counted, weights=weight))
    whole = past[list(markets.market("rebounds").stats)].sum(axis=1)
    possessions = past["fga"] + 0.44 * past["fta"] + past["tov"] - past["oreb"]
    rebounds = features.loc["rebounds"]
    assert rebounds["league_allows"].to_numpy() == pytest.approx(100 * whole.sum() / possessions.sum())
    assert features["null_reasons"].eq("{}").all()


def test_results_are_counted_by_market_pushes_and_voids_too(many_predicted):
    many_predicted.now = league.tipoff(DAY) + timedelta(hours=12)
    absent = league.player(league.TEAMS[0], 2)[0]
    games = [g for g in league.games() if g.day == DAY]
    rows = [r for g in games for r in league.log_rows(g, frozenset({absent}))]
    game = next(g for g in games if league.TEAMS[0] in (g.home, g.away))
    first = next(n for n, r in enumerate(rows) if r["TEAM_ID"] == league.TEAMS[0].team_id)
    rows[first] = league.scoring_more(rows[first], league.points(2, game))  # the score is what it was
    league.land_log(many_predicted.zone, DAY, rows, "-20251112T090000Z")
    assert many_predicted.run("grade", DAY).success
    grades = many_predicted.warehouse.read(PREDICTION_ACCURACY, [DAY])
    assert len(grades) == len(current(many_predicted))
    boxes = many_predicted.warehouse.read(BOX_SCORES, [DAY]).set_index("player_id")
    for market in league.MARKETS:
        own = grades[grades["market"] == market]
        played = own[own["player_id"] != absent]
        counted = boxes[list(markets.market(market).stats)].sum(axis=1)
        assert (played["result"] == played["player_id"].map(counted)).all()
        assert set(own.loc[own["player_id"] == absent, "outcome"]) == {"VOID"}
        won = played[played["outcome"].isin(["WIN", "LOSS"])]
        over = won["recommendation"].eq("OVER")
        assert ((won["result"] > won["line"]) == over)[won["outcome"] == "WIN"].all()
        assert own["last_10_absolute_error"].notna().any(), "the last-10 average stands beside every system"
    scores = many_predicted.query("SELECT * FROM nba_monitoring.scoreboard WHERE span = 'SEASON' AND tier = 'ALL'")
    assert set(scores["market"]) == set(league.MARKETS)
    assert scores.loc[scores["market"] == "assists", "system_id"].nunique() == 4
    counted = scores.set_index(["market", "system_id"])["predictions"]
    assert counted["rebounds", "xgboost_v1"] == 8


def test_a_range_equals_its_days(many_prepared, many_predicted):
    keys = [k for k in many_prepared.of("predict") if k.path[0] != "nba_monitoring"]
    many_prepared.materialize(DAY, NEXT, keys)
    other = many_predicted  # its first date is made; there is no game on the second
    other.materialize(NEXT, NEXT, keys)
    everywhere = ("xgboost_v1", "shrunk_rate_v1", "market_consensus_v1")
    for table in (BOOK_LINES, BETTING_LINES, PRICES, MARKET_FEATURES, *(SYSTEM_TABLES[s] for s in everywhere)):
        one, two = (p.warehouse.read(table, [DAY, NEXT]) for p in (many_prepared, other))
        order = ["game_date", "market", "player_id", *(["quote_id"] if "quote_id" in one else [])]
        pd.testing.assert_frame_equal(
            one.sort_values(order, ignore_index=True), two.sort_values(order, ignore_index=True), check_exact=True
        )


@pytest.mark.parametrize("how", ["delete", "corrupt"])
def test_nothing_at_or_after_the_cut_off_moves_a_bit_in_any_market(many_predicted, many_prepared, how):
    """The quotes from tip-off on and the box scores of the date are gone, or say something else."""
    games = [g for g in league.games() if g.day == DAY]
    other = many_prepared
    if how == "delete":
        (other.zone._path / league.log_path(DAY)).unlink()
    else:
        rows = [{**r, "AST": 30, "DREB": 20, "REB": 21} for g in games for r in league.log_rows(g)]
        league.land_log(other.zone, DAY, rows, "-20251112T090000Z")
    for game in games:
        path, content = league.capture(game, -30, 8.0, asked=league.MARKETS)
        (other.zone._path / path).unlink()
        if how == "corrupt":
            for book in content["data"]["bookmakers"]:
                for market in book["markets"]:
                    for outcome in market["outcomes"]:
                        outcome["point"] += 3
            other.zone.land(path, content)
    other.materialize(DAY, DAY)
    before, after = current(many_predicted), current(other)
    same = [c for c in before.columns if c not in _OF_A_RUN]
    pd.testing.assert_frame_equal(after[same], before[same], check_exact=True)


def test_a_failing_market_leaves_the_others(many_prepared, monkeypatch):
    """Without a model of rebounds its rows carry the reason; assists and points go on."""
    folder = many_prepared.settings.home / "models" / "xgboost_v1" / "rebounds"
    assert folder.is_dir()
    shutil.rmtree(folder)
    many_prepared.materialize(DAY, DAY)
    rows = current(many_prepared, "system_id = 'xgboost_v1'").groupby("market")
    abstained = rows["abstain_reason"].agg(lambda why: set(why.dropna()))
    assert abstained["rebounds"] == {"NO_MODEL: none is trained yet"}
    assert abstained["assists"] == set()


@pytest.mark.long
def test_a_record_is_all_that_a_market_needs(tmp_path):
    """Turnovers, from a landed slate to grades, in a process of its own that has one more record."""
    script = """
    import json, sys
    from datetime import timedelta
    from pathlib import Path
    from nba_props.facts import markets
    markets.MARKETS = (*markets.MARKETS, markets.Market(
        key="turnovers", title="Turnovers", short="TOV", feed_key="player_turnovers", stats=("tov",), ceiling=15,
        most_line=20.5, line_error=1.1, spread=(0.8, 0.85), tiers=(2, 3)))
    import dagster as dg
    from nba_props_tests import league
    from nba_props_tests import conftest as shared
    from nba_props.domain.models import training
    training.MIN_ROWS = 150
    shared.few_trees()
    asked = ("points", "turnovers")
    usual = league.line
    league.line = lambda slot, market="points": 0.5 if market == "turnovers" else usual(slot, market)
    folder = Path(sys.argv[1])
    with dg.DagsterInstance.ephemeral() as instance:
        platform = shared.open_platform(folder, instance, asked=asked)
        league.land(platform.zone, asked=asked)
        platform.prepare()
        platform.materialize(shared.DAY, shared.DAY)
        platform.now = league.tipoff(shared.DAY) + timedelta(hours=12)
        assert platform.run("grade", shared.DAY).success
        found = platform.query(
            "SELECT a.market, a.system_id, COUNT(*) AS n, COUNT(a.result) AS results, COUNT(a.forecast) AS forecasts, "
            "MAX(a.result) AS most, COUNT(a.last_10_absolute_error) AS last_10, MIN(a.line) AS line "
            "FROM nba_predictions.prediction_accuracy AS a GROUP BY 1, 2")
        scores = platform.query("SELECT market, tier FROM nba_monitoring.scoreboard WHERE span = 'SEASON'")
    print(json.dumps({"grades": found[found["market"] == "turnovers"].to_dict("records"),
                      "tiers": sorted(set(scores.loc[scores["market"] == "turnovers", "tier"]))}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["tiers"] == ["ALL", "UNDER_2"]
    assert {g["system_id"] for g in said["grades"]} == {
        "xgboost_v1",
        "shrunk_rate_v1",
        "market_consensus_v1",
        "market_anchored_v1",
    }
    for grade in said["grades"]:
        forecasts = 0 if grade["system_id"].startswith("market_") else 8  # two books are too few
        assert (grade["n"], grade["results"], grade["forecasts"], grade["last_10"]) == (8, 8, forecasts, 8)
        assert (grade["most"], grade["line"]) == (1, 0.5)


def test_the_ledgers_key_has_the_market(many_predicted):
    rows = many_predicted.warehouse.read(LEDGER, [DAY])
    assert rows["prediction_id"].is_unique
    both = rows[rows["system_id"] == "xgboost_v1"].groupby(["game_id", "player_id"])["market"].nunique()
    assert both.max() == 4


def test_inputs_of_a_market_are_compared_with_its_training(many_predicted):
    """What describes the player is counted over the slate, as he is: a market quotes few, about whom more is known."""
    recipes = recipes_of(["xgboost_v1"], league.MARKETS)
    known = models.known_shares(many_predicted.warehouse, recipes, [DAY])
    assert set(known) == {(DAY, m) for m in league.MARKETS}
    of_player = [n for n in recipes[0].inputs if n in recipes[1].inputs]
    for market in OTHERS:
        assert {n: known[DAY, market][n] for n in of_player} == {n: known[DAY, "points"][n] for n in of_player}
        assert set(MARKET_NAMES) < set(known[DAY, market])
    features = many_predicted.warehouse.read(MARKET_FEATURES, [DAY])
    features.loc[features["market"] == "assists", "opponent_allows"] = float("nan")
    many_predicted.warehouse.write_unchecked(MARKET_FEATURES, features, DAY)
    scope = Scope(many_predicted.inputs.fresh(), many_predicted.now)
    found = inputs_as_in_training(recipes).evaluate(scope, [DAY])[DAY]
    assert not found.passed
    assert "assists: opponent_allows is known for 0% of the slate, for 100% in training" in found.text
    assert "rebounds" not in found.text


def test_models_of_other_markets_do_not_see_what_names_the_date(many_predicted):
    """Trees would learn the dates from what is equal for all players of a date."""
    features = many_predicted.warehouse.read(MARKET_FEATURES, [DAY])
    known = features[features["market"] == "rebounds"][list(MARKET_NAMES)]
    of_date = {n for n in MARKET_NAMES if known[n].nunique() == 1}
    assert "league_allows" in of_date
    for recipe in recipes_of(["xgboost_v1"], OTHERS):
        assert not {"league_allows", "league_pace", "league_def_rating"} & set(recipe.inputs)
        assert {"opponent_allows", "team_pace"} < set(recipe.inputs)


def test_a_market_that_is_asked_for_and_never_quoted_warns(many_predicted):
    asked = (*league.MARKETS, "steals", "blocks")
    found = deliveries.games_with_quotes(many_predicted.now, asked).findings(many_predicted.warehouse, [DAY])[DAY]
    assert (found.passed, found.warns) == (False, True)
    assert found.text.endswith("none is in steals, blocks, which NBA_PROPS_MARKETS asks for")
    whole = deliveries.games_with_quotes(many_predicted.now, league.MARKETS)
    assert whole.findings(many_predicted.warehouse, [DAY])[DAY].passed


def test_an_input_that_is_unknown_for_a_whole_market_warns(many_predicted):
    assert inputs.market_inputs_known(many_predicted.warehouse, [DAY])[DAY].passed
    features = many_predicted.warehouse.read(MARKET_FEATURES, [DAY])
    features.loc[features["market"] == "assists", "opponent_allows"] = float("nan")
    many_predicted.warehouse.write_unchecked(MARKET_FEATURES, features, DAY)
    found = inputs.market_inputs_known(many_predicted.warehouse, [DAY])[DAY]
    assert (found.passed, found.warns) == (False, True)
    assert found.figures["unknown_to_all"] == "opponent_allows of assists"


def test_only_the_market_that_moved_is_published_again(many_predicted):
    rows = current(many_predicted)
    moved = rows.copy()
    mine = (moved["market"] == "assists") & (moved["game_id"] == moved["game_id"].iloc[0])
    moved.loc[mine, "line"] += 1
    again = gate.moved(rows, moved)
    assert 0 < again.sum() < len(rows)
    assert (again == mine).all()
    moved.loc[moved.index[mine][:1], "abstain_reason"] = "REPORTED_ABSENT"
    assert (gate.moved(rows, moved) == (moved["game_id"] == moved["game_id"].iloc[0])).all(), "a report is of the game"


def test_the_days_of_a_market_are_those_of_the_league(many_predicted):
    """A market that is no longer published does not look complete."""
    found = many_predicted.query("SELECT * FROM nba_monitoring.data_quality_summary WHERE scope = 'Overall'")
    days = found.set_index("market")["game_days"]
    assert set(days.index) == set(league.MARKETS)
    assert days.nunique() == 1


def test_a_deployment_of_points_needs_no_features_of_other_markets(predicted):
    """Also where a lake of a release before has none of them."""
    address = predicted.settings.lake / MARKET_FEATURES.dataset / MARKET_FEATURES.name
    shutil.rmtree(address, ignore_errors=True)
    system = next(s for s in SYSTEMS if s.system_id == "xgboost_v1")
    lines = predicted.warehouse.read(BETTING_LINES, [DAY])
    read = read_inputs(system, [DAY], lines, predicted.warehouse, predicted.settings, predicted.models)
    assert read.tables[MARKET_FEATURES.address].empty
    assert len(system.rows(read)) == 36


def test_a_lake_without_a_consensus_has_that_of_its_past_dates_made(predicted):
    """As one of a release before is: shapes are fitted to it, in any order of commands."""
    before = list(predicted.missing(NEXT))
    assert "ingest_lines" not in {job for job, *_ in before}
    shutil.rmtree(predicted.settings.lake / CONSENSUS.dataset / CONSENSUS.name)
    (more,) = [step for step in predicted.missing(NEXT) if step not in before]
    assert more[0] == "ingest_lines"
    assert more[1] <= DAY - timedelta(2)


@pytest.mark.parametrize("reason", ["INVALID_PREDICTION", "MISSING_KEY", "DUPLICATE"])
def test_ids_of_the_quarantine_do_not_depend_on_how_a_reason_is_worded(many_predicted, reason, monkeypatch):
    claims = current(many_predicted, "system_id = 'xgboost_v1'")[gate.CLAIM]
    reasons = pd.Series(reason, index=claims.index)
    before = gate.held_back(claims, reasons)
    monkeypatch.setitem(gate.REASONS, reason, "other words")
    after = gate.held_back(claims, reasons)
    assert set(after["detail"]) == {"other words"}
    assert (after["quarantine_id"] == before["quarantine_id"]).all()


def test_rows_held_back_in_two_markets_are_two_causes():
    row = {"reason": "PLACEHOLDER_LINE", "system_id": "xgboost_v1", "game_id": "1", "player_id": 7}
    one, other = (pd.DataFrame([{**row, "market": m}]) for m in ("points", "rebounds"))
    assert _mark(one) != _mark(other)


@pytest.mark.long
def test_a_date_keeps_its_markets_when_the_setting_names_fewer(many_predicted):
    """Published rows refer to their lines, and grades to their averages; new dates have points alone."""
    narrow = open_platform(
        many_predicted.settings.home.parent, many_predicted.instance, many_predicted.now, asked=["points"]
    )
    before = [many_predicted.warehouse.read(t, [DAY]) for t in (BETTING_LINES, MARKET_FEATURES)]
    published = current(many_predicted)
    keys = [k for k in narrow.of("predict") if k.path[0] != "nba_monitoring"]
    narrow.materialize(DAY, NEXT, keys)
    order = ["market", "player_id"]
    for table, old in zip((BETTING_LINES, MARKET_FEATURES), before, strict=True):
        new = narrow.warehouse.read(table, [DAY])
        pd.testing.assert_frame_equal(
            new.sort_values(order, ignore_index=True), old.sort_values(order, ignore_index=True), check_exact=True
        )
    pd.testing.assert_frame_equal(current(narrow), published, check_exact=True)
    assert set(narrow.warehouse.read(BETTING_LINES, [NEXT])["market"]) == {"points"}
