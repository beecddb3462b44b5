"""Every check, passing and failing, for one date and for a range, and twice."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from datetime import timedelta

import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.checks.partitioned import Scope
from nba_props.checks.rules import all_rules
from nba_props.domain import quality
from nba_props.domain.models.card import Card, week_of
from nba_props.domain.quality import models
from nba_props.domain.systems import RECIPES, SYSTEM_TABLES, SYSTEMS
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT

pytestmark = pytest.mark.slow
#: read when tests are collected, before the small league has a measure of its own
DELIVERED_MEASURE = models.KNOWN_SHARE_DIFFERS


def tamper(platform, address: str, change, day=DAY) -> None:
    """Store rows as a second writer would: past the contract, straight into the lake."""
    table = TABLES[address]
    rows = change(platform.warehouse.read(table, [day]))
    platform.warehouse.write_unchecked(table, rows, day)


def first_row(**values):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        for column, value in values.items():
            frame.loc[0, column] = value
        return frame

    return change


def first_line(**values):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        at = frame.index[frame["has_prop_line"].astype(bool)][0]
        for column, value in values.items():
            frame.loc[at, column] = value(frame.loc[at]) if callable(value) else value
        return frame

    return change


LEDGER = "nba_predictions.ledger"
GRADES = "nba_predictions.prediction_accuracy"
LINES = "nba_analytics.betting_lines"
CONSENSUS, SHAPES = "nba_analytics.consensus", "nba_analytics.shapes"
DISTRIBUTIONS, SPREADS = "nba_predictions.distributions", "nba_predictions.distribution_scores"
OFFERS, PRICES = "nba_analytics.book_lines", "nba_analytics.prices"
CONTEXT = "nba_analytics.upcoming_player_game_context"
HISTORY = "nba_analytics.historical_games"


def in_ledger(change):
    """Damage to the ledger, whichever table the check is on."""
    change.address = LEDGER
    return change


def in_features(change):
    """Damage to the features, whichever table the check is on."""
    change.address = "nba_analytics.player_features"
    return change


BESIDE = "nba_monitoring.market_scores"


def too_good(**values) -> pd.DataFrame:
    """A score that is better than any honest one."""
    row = {
        "game_date": pd.Timestamp(DAY), "market": "points", "span": "SEASON", "system_id": "xgboost_v1",
        "score": "LOG_LOSS_LESS_CONSENSUS", "basis": "QUOTE", "unit": "nats", "first_date": pd.Timestamp(DAY),
        "value": -0.02, "low": -0.03, "high": -0.011, "rows": 5000, "dates": 30, "claim": None, "needed": None,
    }  # fmt: skip
    return TABLES[BESIDE].conform(pd.DataFrame([{**row, **values}]))


def shape(**values) -> pd.DataFrame:
    row = {
        "game_date": pd.Timestamp(DAY), "market": "points", "band": 1, "low": None, "high": None, "quantiles": "[]",
        "results": 400, "first_result": pd.Timestamp("2025-10-21"), "last_result": pd.Timestamp("2025-10-31"),
    }  # fmt: skip
    return TABLES[SHAPES].conform(pd.DataFrame([{**row, **values}]))


PROMOTIONS = "nba_monitoring.promotions"


def promoted(**values):
    """A weight of a market, without the evidence that it takes unless it is given."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = {
            "standing": "PUBLISHED", "weight": 0.03, "dates": 61, "gain": 0.001, "gain_low": 0.0004, "newest_low": 0.0004,
            "since": pd.Timestamp(DAY) - pd.Timedelta(days=14), "evidence_from": pd.Timestamp("2026-12-01"),
        }  # fmt: skip
        return first_row(**{**row, **values})(frame)

    return change


DEPENDENCE, PAIRS = "nba_analytics.dependence", "nba_predictions.combination_scores"


def dependence(**values) -> pd.DataFrame:
    row = {
        "game_date": pd.Timestamp(DAY), "market": "points", "other_market": "assists", "excess": "[]", "results": 400,
        "last_result": pd.Timestamp("2025-10-31"),
    }  # fmt: skip
    return TABLES[DEPENDENCE].conform(pd.DataFrame([{**row, **values}]))


def pair_scores(**values) -> pd.DataFrame:
    row = {c.name: 0 for c in TABLES[PAIRS].columns} | {
        "game_date": pd.Timestamp(DAY), "market": "points", "other_market": "assists",
    }  # fmt: skip
    return TABLES[PAIRS].conform(pd.DataFrame([{**row, **values}]))


def spread_scores(**values) -> pd.DataFrame:
    row = {c.name: 0 for c in TABLES[SPREADS].columns} | {
        "game_date": pd.Timestamp(DAY), "market": "points", "anchor": "CONSENSUS",
    }  # fmt: skip
    return TABLES[SPREADS].conform(pd.DataFrame([{**row, **values}]))


#: (table, check) -> the damage that must make it fail, and the severity it must fail with
DAMAGE = {
    ("nba_raw.schedule", "schema"): (first_row(home_team_id=0), "ERROR"),
    ("nba_raw.box_scores", "schema"): (first_row(minutes=-1), "ERROR"),
    ("nba_raw.box_scores", "box_scores_match_schedule"): (lambda f: f[f["game_id"] != f["game_id"].iloc[0]], "WARN"),
    ("nba_raw.odds_quotes", "schema"): (lambda f: pd.concat([f, f.head(1)]), "ERROR"),
    ("nba_raw.odds_quotes", "games_have_quotes"): (lambda f: f[f["game_id"] != f["game_id"].iloc[0]], "WARN"),
    ("nba_raw.odds_quotes", "books_are_fresh"): (
        lambda f: f.assign(last_update_at=f["snapshot_at"] - pd.Timedelta(hours=7)),
        "WARN",
    ),
    ("nba_reference.players", "schema"): (first_row(team_id=0), "ERROR"),
    ("nba_reference.players", "no_future_data"): (first_row(last_game_date=pd.Timestamp(DAY)), "ERROR"),
    ("nba_reference.resolved_names", "schema"): (first_row(player_id=0), "ERROR"),
    ("nba_reference.resolved_names", "names_resolved"): ("unresolved", "WARN"),
    ("nba_analytics.slate", "schema"): (lambda f: pd.concat([f, f.head(1)]), "ERROR"),
    (HISTORY, "schema"): (first_row(recency=0), "ERROR"),
    (HISTORY, "no_future_data"): (first_row(played_on=pd.Timestamp(DAY)), "ERROR"),
    (HISTORY, "history_complete"): ("hole", "ERROR"),
    (OFFERS, "schema"): (lambda f: pd.concat([f, f.head(1)]), "ERROR"),
    (OFFERS, "offers_are_quotes"): (first_row(over_price=-999), "ERROR"),
    (OFFERS, "closes_captured"): (
        # of games that have begun
        lambda f: f.assign(minutes_before_game=300.0, cutoff_at=f["cutoff_at"] - pd.Timedelta(days=1)),
        "WARN",
    ),
    (CONSENSUS, "schema"): (first_row(engines=-1), "ERROR"),
    (SHAPES, "schema"): (lambda f: shape(band=0), "ERROR"),
    (SHAPES, "no_future_data"): (lambda f: shape(last_result=pd.Timestamp(DAY).replace(day=1)), "ERROR"),
    ("nba_analytics.minutes_forecasts", "schema"): (first_row(deviation=-1.0), "ERROR"),
    ("nba_predictions.minutes_scores", "schema"): (first_row(error=-1.0), "ERROR"),
    (DEPENDENCE, "schema"): (lambda f: dependence(results=-1), "ERROR"),
    (DEPENDENCE, "no_future_data"): (lambda f: dependence(last_result=pd.Timestamp(DAY).replace(day=1)), "ERROR"),
    (PAIRS, "schema"): (lambda f: pair_scores(log_loss=-1.0), "ERROR"),
    (DISTRIBUTIONS, "schema"): (first_row(mean=-1.0), "ERROR"),
    (DISTRIBUTIONS, "no_future_data"): (first_row(last_result=pd.Timestamp(DAY)), "ERROR"),
    (DISTRIBUTIONS, "distributions_are_whole"): (first_row(masses="[0.5, 0.4]", lowest=3), "ERROR"),
    (SPREADS, "schema"): (lambda f: spread_scores(results=-1), "ERROR"),
    (PROMOTIONS, "schema"): (first_row(weight=-1.0), "ERROR"),
    (PROMOTIONS, "weights_are_earned"): (promoted(dates=59), "ERROR"),
    (PRICES, "schema"): (first_row(over_probability=1.5), "ERROR"),
    (PRICES, "offers_are_priced"): (lambda f: f.iloc[1:], "ERROR"),
    (LINES, "schema"): (first_row(line_source="ESTIMATED_AVG"), "ERROR"),
    (LINES, "lines_have_provenance"): (first_line(line=20.0), "ERROR"),
    (LINES, "no_future_data"): (first_line(quoted_at=lambda r: r["cutoff_at"]), "ERROR"),
    (CONTEXT, "schema"): (first_row(games_last_5=6), "ERROR"),
    (CONTEXT, "no_future_data"): (first_row(history_through=pd.Timestamp(DAY)), "ERROR"),
    (CONTEXT, "reported_absent_known"): ("unknown reports", "WARN"),
    (CONTEXT, "slate_is_complete"): (lambda f: f[f["team"] != "ALB"], "ERROR"),
    ("nba_analytics.player_features", "schema"): (lambda f: pd.concat([f, f.head(1)]), "ERROR"),
    ("nba_analytics.player_features", "inputs_are_known"): (lambda f: f.assign(pct_paint=float("nan")), "WARN"),
    ("nba_predictions.moving_average", "covers_slate"): (lambda f: f.iloc[1:], "WARN"),
    ("nba_predictions.xgboost_v1", "model_is_in_force"): ("model", "ERROR"),
    ("nba_predictions.xgboost_v1", "inputs_as_in_training"): (
        in_features(lambda f: f.assign(days_rest=float("nan"))),
        "WARN",
    ),
    (GRADES, "schema"): (first_row(outcome="HOLD"), "ERROR"),
    (GRADES, "every_row_is_graded"): (lambda f: pd.concat([f, f.head(1)]), "ERROR"),
    # what was published is judged by the ledger itself
    (GRADES, "expected_outputs"): (in_ledger(lambda f: f[f["system_id"] != "xgboost_v1"]), "ERROR"),
    (GRADES, "lines_vary"): (in_ledger(lambda f: f.assign(line=f["line"].where(f["line"].isna(), 20.0))), "ERROR"),
    (GRADES, "gradable_are_graded"): ("no box score", "WARN"),
    (GRADES, "validation_no_placeholders"): (in_ledger(first_line(line=20.0, quote_id="none")), "ERROR"),
    (GRADES, "validation_lines_are_real"): (in_ledger(lambda f: f.assign(over_price=-999)), "ERROR"),
    (GRADES, "validation_all_systems_present"): (in_ledger(lambda f: f[f["system_id"] != "xgboost_v1"]), "ERROR"),
    (GRADES, "streak_unbroken"): (in_ledger(first_line(line=20.0, quote_id="none")), "ERROR"),
    (LEDGER, "schema"): (first_row(forecast=91.0), "ERROR"),
    (LEDGER, "no_placeholder_lines"): (first_line(line=20.0, quote_id="none"), "ERROR"),
    (LEDGER, "lines_have_provenance"): (first_line(over_price=-999), "ERROR"),
    (LEDGER, "no_future_data"): (first_line(is_backfill=True), "ERROR"),
    (BESIDE, "not_too_good_beside_the_market"): (lambda f: too_good(), "ERROR"),
    ("nba_raw.quarantined_quotes", "nothing_quarantined"): ("quarantine", "WARN"),
}


def break_it(platform, address: str, damage) -> None:
    if damage == "hole":
        hole = DAY - timedelta(4)
        boxes = TABLES["nba_raw.box_scores"]
        platform.warehouse.write_unchecked(boxes, boxes.empty(), hole)
        return
    if damage == "no box score":
        platform.warehouse.write(TABLES["nba_raw.box_scores"], TABLES["nba_raw.box_scores"].empty(), [DAY])
        return
    if damage == "model":
        shutil.rmtree(platform.settings.models)
        return
    if damage == "unresolved":
        frame = TABLES["nba_reference.unresolved_names"].empty().reindex([0])
        rows = frame.assign(
            game_date=pd.Timestamp(DAY), game_id="g", source="O", source_name="Nobody", player_lookup="nobody", quotes=50,
            reason="NO_CANDIDATE",
        )  # fmt: skip
        platform.warehouse.write(TABLES["nba_reference.unresolved_names"], rows, [DAY])
        return
    if damage == "unknown reports":
        context = platform.warehouse.read(TABLES[address], [DAY])
        at = context["cutoff_at"].min() - pd.Timedelta(hours=1)
        platform.warehouse.write(TABLES[address], context.assign(injury_reported_at=at), [DAY])
        rows = TABLES["nba_raw.injury_reports"].empty().reindex(range(5)).assign(
            game_date=pd.Timestamp(DAY), report_at=at, away_team="ALB", home_team="BRI", team_name="Alba Herons",
            source_name=[f"{i}, Mr" for i in range(5)], player_name="Mr", player_lookup=[f"mr{i}" for i in range(5)],
            status="OUT", payload="p", data_source="REAL",
        )  # fmt: skip
        platform.warehouse.write(TABLES["nba_raw.injury_reports"], rows, [DAY])
        return
    if damage == "quarantine":
        row = {"game_date": pd.Timestamp(DAY), "quarantine_id": "1", "payload": "p", "position": None, "reason": "NOT_JSON",
               "detail": "p: bad", "raw": None}  # fmt: skip
        platform.warehouse.write(TABLES[address], pd.DataFrame([row]), [DAY])
        return
    tamper(platform, getattr(damage, "address", address), damage)


@pytest.fixture
def stored(two_dates):
    """Two game dates predicted, to be damaged."""
    return two_dates


def findings(platform, address: str, name: str, days):
    (rule,) = [r for r in all_rules(SYSTEMS) if (r.table.address, r.name) == (address, name)]
    return rule.evaluate(Scope(platform.inputs, platform.now), days)


SPAN = [DAY + timedelta(n) for n in range(3)]


@pytest.mark.parametrize("days", [[DAY], SPAN], ids=["a date", "a span"])
def test_every_rule_passes_on_clean_data(stored, days):
    scopes = {}  # one for each table, as in a step
    for rule in all_rules(SYSTEMS):
        scope = scopes.setdefault(rule.table.address, Scope(stored.inputs.fresh(), stored.now))
        found = rule.evaluate(scope, days)
        assert list(found) == days
        assert all(v.passed for v in found.values()), (rule.name, rule.table.address, found)


@pytest.mark.parametrize(("address", "name"), DAMAGE, ids=[f"{t}-{n}" for t, n in DAMAGE])
def test_every_rule_fails_on_the_damage_that_it_is_for_and_on_that_date_only(stored, address, name):
    damage, severity = DAMAGE[address, name]
    break_it(stored, address, damage)
    one = findings(stored, address, name, [DAY])[DAY]
    assert not one.passed
    assert one.severity.value == severity
    assert one.text
    both = findings(stored, address, name, SPAN)
    assert not both[DAY].passed
    lasting = damage in ("hole", "model")
    spared = set() if lasting else set(SPAN) - {DAY}
    assert all(both[d].passed for d in spared), both


@pytest.mark.parametrize(
    "late",
    [
        {"is_backfill": False, "created_at": lambda r: r["cutoff_at"]},
        {"is_backfill": False, "created_at": lambda r: r["cutoff_at"] + pd.Timedelta(hours=1)},
        {"is_backfill": None, "created_at": lambda r: r["cutoff_at"]},
        {"is_backfill": False, "cutoff_at": pd.NaT},
    ],
    ids=["at the cut-off", "an hour after it", "with no flag", "without a cut-off"],
)
def test_a_late_row_that_is_not_marked_as_backfill_fails(stored, late):
    tamper(stored, LEDGER, first_line(**late))
    found = findings(stored, LEDGER, "no_future_data", [DAY])[DAY]
    assert (found.passed, found.severity.value) == (False, "ERROR")
    assert found.figures["rows_from_the_future"] == 1


def test_a_row_that_is_marked_as_backfill_passes(stored):
    late = {"is_backfill": True, "created_at": lambda r: r["cutoff_at"]}
    tamper(stored, LEDGER, first_line(**late))
    assert findings(stored, LEDGER, "no_future_data", [DAY])[DAY].passed


@pytest.mark.parametrize(
    ("values", "passes"),
    [({"high": -0.009}, True), ({"span": "LAST_7_DAYS"}, True), ({"score": "LOG_LOSS_LESS_OWN"}, True),
     ({"score": "LOG_LOSS_LESS_OWN", "basis": "RESULT", "system_id": "distributions"}, False),
     ({"score": "CLV_EV", "basis": "CLOSE", "low": 0.031}, False), ({"score": "CLV_EV", "basis": "CLOSE", "low": 0.02}, True),
     ({"score": "OTHERS_CLV_EV", "basis": "CLOSE", "low": 0.05}, False),
     ({"score": "CLV_EV", "basis": "CLOSE", "low": 0.05, "system_id": "opening_bets"}, True),
     ({"score": "CLV_EV", "basis": "LAST_LINE", "low": 0.05}, True), ({"low": None, "high": None}, True)],
)  # fmt: skip
def test_what_is_too_good_beside_the_market(stored, values, passes):
    stored.warehouse.write(TABLES[BESIDE], too_good(**values), [DAY])
    found = findings(stored, BESIDE, "not_too_good_beside_the_market", [DAY])[DAY]
    assert found.passed == passes
    assert ("suspect a leak" in found.text) == (not passes)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [({}, None), ({"newest_low": -0.0006}, "ERROR"), ({"gain": None}, "ERROR"), ({"standing": "SHADOW"}, "ERROR"),
     ({"evidence_from": pd.Timestamp("2026-11-30")}, "ERROR"), ({"since": pd.Timestamp(DAY)}, "WARN"),
     ({"since": pd.Timestamp(DAY), "gain_low": -0.0001}, "ERROR"), ({"standing": "SHADOW", "weight": 0.0}, None)],
)  # fmt: skip
def test_what_a_weight_takes(stored, values, verdict):
    tamper(stored, PROMOTIONS, promoted(**values))
    found = findings(stored, PROMOTIONS, "weights_are_earned", [DAY])[DAY]
    assert (None if found.passed else found.severity.value) == verdict


FEATURES_TABLE = "nba_analytics.player_features"
MARKET_INPUTS = ["vegas_points_line", "vegas_opening_line", "vegas_line_move"]


@pytest.mark.parametrize(
    ("dead", "passes", "why"),
    [
        (["pct_paint"], False, ""),
        (["vegas_line_move"], False, ""),  # the other inputs of the market are there
        (MARKET_INPUTS, True, "(NO_LINE)"),
        (["injury_risk", "teammates_reported_absent"], True, "(NO_INJURY_REPORT)"),
        (["shot_zone_mismatch_score"], True, "(NO_SHOT_ZONE_FEED)"),
        (["usage_spike_score"], True, "(NO_USAGE_PROJECTION_FEED)"),
        (["avg_points_vs_opponent"], True, "(NEVER_MET)"),
    ],
)
def test_the_finding_of_an_unknown_input_names_every_system_that_uses_it(stored, dead, passes, why):
    tamper(stored, FEATURES_TABLE, lambda f: f.assign(**dict.fromkeys(dead, float("nan"))))
    found = findings(stored, FEATURES_TABLE, "inputs_are_known", [DAY])[DAY]
    assert (found.passed, found.severity.value) == (passes, "WARN")
    for name in dead:
        users = [s.system_id for s in SYSTEMS if name in (*s.needs().required, *s.needs().optional)]
        assert users, "an input that no system uses shows nothing"
        (stated,) = [part for part in found.text.split("; ") if part.startswith(f"{name} is unknown")]
        assert stated.endswith(f": {', '.join(users)} did without {why}".rstrip())
        assert name in found.figures["unknown_to_all"].split(", ")


def test_an_input_known_less_often_than_in_training_warns():
    """The small league's measure is another; here it is the one that is delivered."""
    trained = RECIPES["xgboost_v1"]
    known = dict.fromkeys(trained.inputs, 0.9)
    card = Card(**{f.name: "" for f in fields(Card)} | {"week": week_of(DAY), "known": known})
    assert DELIVERED_MEASURE == 0.3
    for share, passes in ((0.61, True), (0.59, False), (0.9, True)):
        now = dict.fromkeys(trained.inputs, 0.9) | {"days_rest": share}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(models, "KNOWN_SHARE_DIFFERS", DELIVERED_MEASURE)
            found = models.inputs_as_in_training(trained, card, now)
        assert (found.passed, found.severity.value) == (passes, "WARN")
        assert passes or "days_rest is known for 59% of the slate, for 90% in training" in found.text


def test_a_final_game_without_box_scores_is_an_error_from_the_next_morning_on(stored):
    break_it(stored, GRADES, "no box score")
    for hours, severity in ((0, "WARN"), (24, "ERROR")):
        stored.now = league.tipoff(DAY) + timedelta(hours=hours)
        found = findings(stored, GRADES, "gradable_are_graded", [DAY])[DAY]
        assert (found.passed, found.severity.value) == (False, severity)


def test_a_slate_without_any_odds_is_an_error_when_the_first_tipoff_is_near(stored):
    quotes = TABLES["nba_raw.odds_quotes"]
    stored.warehouse.write(quotes, quotes.empty(), [DAY])
    tipoff = league.tipoff(DAY)
    day, minute = timedelta(1), timedelta(minutes=1)
    moments = {
        tipoff - 61 * minute: "WARN",
        tipoff - 59 * minute: "ERROR",
        tipoff + day: "ERROR",
        tipoff + 8 * day: "WARN",
    }
    for stored.now, severity in moments.items():
        found = findings(stored, "nba_raw.odds_quotes", "games_have_quotes", [DAY])[DAY]
        assert (found.passed, found.severity.value) == (False, severity)
        assert found.text.startswith("NO ODDS: none of 2 games")


def test_a_date_without_a_stored_schedule_is_not_a_day_off(stored):
    shutil.rmtree(stored.warehouse._file(TABLES["nba_raw.schedule"], DAY).parent)
    known = (GRADES, "expected_outputs"), ("nba_raw.odds_quotes", "games_have_quotes"), (CONTEXT, "slate_is_complete")
    for address, name in known:
        found = findings(stored, address, name, SPAN)
        assert not found[DAY].passed, name
        assert "never loaded" in found[DAY].text
        assert found[NEXT].passed, name


def test_validate_agrees_with_the_checks_of_a_date(stored):
    tamper(stored, LEDGER, first_line(line=20.0, quote_id="none"))
    loud = {}
    for day in SPAN:
        published = quality.published(stored.warehouse, tuple(SYSTEM_TABLES), day, day, stored.now)
        said = quality.findings(published, day, day)
        wrong = {n for n, f in said.items() if not f.passed and not f.warns}
        names = [r.name for r in all_rules(SYSTEMS) if r.table.address == GRADES and r.name in said]
        checks = {n: findings(stored, GRADES, n, [day])[day] for n in names}
        assert {n for n, v in checks.items() if not v.passed and v.severity.value == "ERROR"} == wrong
        loud[day] = wrong
    assert loud[DAY] >= {"validation_no_placeholders", "streak_unbroken"}
    assert loud[NEXT] == set()


def test_a_date_without_games_reads_no_season(stored):
    free = DAY + timedelta(1)
    before = stored.warehouse.query_count
    published = quality.published(stored.warehouse, tuple(SYSTEM_TABLES), free, free, stored.now)
    assert all(f.passed or f.warns for n, f in quality.findings(published, free, free).items())
    assert published.first == free, "no window is read"
    assert stored.warehouse.query_count - before <= 5


def test_no_rule_is_left_untested():
    rules = {(r.table.address, r.name) for r in all_rules(SYSTEMS)}
    alike = {
        "nba_raw.rosters",
        "nba_raw.scoring_shares",
        "nba_raw.quarantined_scoring",
        "nba_raw.injury_reports",
        "nba_raw.quarantined_injuries",
        "nba_raw.quarantined_games",
        "nba_raw.quarantined_box_scores",
        "nba_raw.quarantined_rosters",
        "nba_analytics.market_features",
    }
    # the systems share their rules, and a system's schema promises types only
    alike |= {s.table.address for s in SYSTEMS}
    # these need a hundred bets or ten dates, and are shown passing and failing in domain/quality/test_quality.py
    many = {"win_rates_plausible", "share_under_plausible", "sides_not_skewed", "not_too_good", "validation_win_rates"}
    many |= {"chances_as_good_as_quotes"}
    left = {(t, n) for t, n in rules - set(DAMAGE) if t not in alike}
    assert left == {(GRADES, n) for n in many}


@pytest.mark.parametrize("last", [DAY, NEXT])
def test_evaluations_are_recorded_per_date_in_single_and_range_runs_twice(stored, last):
    """One date is broken: its evaluation fails, the others pass, in the instance as a user sees it, run after run."""
    game = next(g for g in league.games() if g.day == DAY)
    (stored.zone._path / f"the_odds_api/player_points/{DAY}/broken.json").write_bytes(b"")
    assert game.day == DAY
    from nba_props.checks.partitioned import asset_key

    key = [
        s.key
        for c in stored.definitions.asset_checks
        for s in c.check_specs
        if s.asset_key == asset_key(TABLES["nba_raw.quarantined_quotes"])
    ][0]
    odds = [asset_key(TABLES[f"nba_raw.{t}"]) for t in ("odds_quotes", "quarantined_quotes")]
    for run in (1, 2):
        outcome = stored.run("predict", DAY, last, select=odds)
        assert stored.failed(outcome) == {"quarantined_quotes.nothing_quarantined": "WARN"}
        history = stored.instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
        by_date = {}
        for record in history:
            if record.partition:
                by_date.setdefault(record.partition, []).append(record.status.value)
        assert by_date[str(DAY)] == ["FAILED"] * run
        if last != DAY:
            assert by_date[str(NEXT)] == ["SUCCEEDED"] * run
            assert by_date[str(DAY + timedelta(1))] == ["SUCCEEDED"] * run


def test_a_model_whose_inputs_have_changed_since_warns(stored):
    game = next(g for g in league.games() if g.day == DAY - timedelta(4))
    rows = stored.warehouse.read(TABLES["nba_raw.box_scores"], [game.day])
    stored.warehouse.write(TABLES["nba_raw.box_scores"], rows.assign(points=rows["points"] + 1), [game.day])
    found = findings(stored, "nba_predictions.catboost_v8", "model_is_in_force", [DAY])[DAY]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert found.text.startswith("stale: its training data has changed since: nba-props train")


def test_a_model_that_was_trained_without_landed_lines_or_was_not_put_in_force_warns(stored):
    address, name, system = "nba_predictions.catboost_v8", "model_is_in_force", "catboost_v8"
    model = stored.models.load(stored.models.card(system, week_of(DAY)))
    stored.models.put(replace(model, card=replace(model.card, dates_without_lines=78)))
    found = findings(stored, address, name, [DAY])[DAY]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert found.text.startswith("trained without the lines of 78 landed dates")
    stored.models.refuse(system, week_of(DAY), "WORSE_THAN_LAST_10: MAE 6", model.card.made_from)
    found = findings(stored, address, name, [DAY])[DAY]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert found.text.startswith("not in force: WORSE_THAN_LAST_10")


def test_a_missed_training_warns_before_the_system_has_no_model(stored):
    """A week without a new model warns; two weeks without one fail, and so does a model of another library."""
    name = "model_is_in_force"
    address = "nba_predictions.catboost_v8"
    days = [DAY + timedelta(8), DAY + timedelta(13), DAY + timedelta(16)]
    lines = stored.warehouse.read(TABLES[LINES], [DAY])
    for day in days:
        stored.warehouse.write(TABLES[LINES], lines.assign(game_date=pd.Timestamp(day)), [day])
    found = findings(stored, address, name, days)
    assert [(v.passed, v.severity.value) for v in found.values()] == [
        (False, "WARN"),
        (False, "WARN"),
        (False, "ERROR"),
    ]
    assert "materialize nba_models/catboost_v8 for 2025-11-24" in found[days[2]].text
    card = stored.models.card("catboost_v8", DAY)
    old = stored.models.load(card)
    stored.models.put(replace(old, card=replace(card, library_version="0.26")))
    (found,) = findings(stored, address, name, [DAY]).values()
    assert not found.passed
    assert found.text.startswith("MODEL_LIBRARY_DIFFERS: trained by catboost 0.26")
