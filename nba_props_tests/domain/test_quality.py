"""Detectors and the final validation on made-up ledgers: silent on clean ones, loud on the old system's."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.domain.quality import alarms, detectors
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.monitoring import MONITORING_VIEWS
from nba_props.schemas import Table, predictions, raw, reference
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.frames import split
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.frames import Frames

FIRST = date(2025, 11, 1)
SYSTEMS = ("moving_average", "xgboost_v1")


def made(days: int = 35, players: int = 30, seed: int = 2, systems=SYSTEMS) -> pd.DataFrame:
    """Grades of honest coin-flip systems: half-point lines of every height, sides and results by chance."""
    rng = np.random.default_rng(seed)
    keys = [(FIRST + timedelta(d), p, s) for d in range(days) for p in range(players) for s in systems]
    f = pd.DataFrame(keys, columns=["game_date", "player_id", "system_id"])
    f["game_date"], f["player_id"] = pd.to_datetime(f["game_date"]), f["player_id"] + 1
    spot = rng.integers(5, 30, (days, players)) + 0.5
    result = rng.normal(0, 6, (days, players)).round()
    d, p = (f["game_date"] - pd.Timestamp(FIRST)).dt.days, f["player_id"] - 1
    f["line"], f["actual_points"] = spot[d, p], (spot[d, p] + 0.5 + result[d, p]).clip(0)
    out = PREDICTION_ACCURACY.empty().reindex(range(len(f))).drop(columns=f.columns)
    out = pd.concat([f, out], axis=1)
    out["recommendation"] = rng.choice(["OVER", "UNDER"], len(f))
    out["predicted_points"] = (out["line"] + np.where(out["recommendation"] == "OVER", 2.0, -2.0)).clip(0)
    out["game_id"], out["player_name"], out["player_lookup"], out["model_version"] = "0022500001", "A", "a", "1"
    out["confidence_score"], out["has_prop_line"], out["line_source"] = 0.5, True, "ACTUAL_PROP"
    out["sportsbook"], out["quote_id"], out["over_price"], out["under_price"] = (
        "draftkings",
        "q" + out["player_id"].astype(str),
        -110,
        -110,
    )
    out["prediction_id"], out["run_id"], out["is_backfill"] = [f"p{i}" for i in range(len(f))], "r", True
    out["is_current"], out["is_valid_line"], out["line_problem"] = True, True, None
    return regraded(out)


def regraded(out: pd.DataFrame) -> pd.DataFrame:
    """Outcome and errors anew, after a change of line, points or side."""
    points = out["actual_points"].astype(float)
    out["actual_margin"] = points - out["line"]
    out["outcome"] = np.where((out["actual_margin"] > 0) == (out["recommendation"] == "OVER"), "WIN", "LOSS")
    out["prediction_correct"] = out["outcome"] == "WIN"
    out["signed_error"] = out["predicted_points"] - points
    out["absolute_error"], out["line_absolute_error"] = out["signed_error"].abs(), out["actual_margin"].abs()
    out["created_at"] = out["graded_at"] = out["game_date"].dt.tz_localize("UTC") + pd.Timedelta(days=1)
    out["cutoff_at"] = out["created_at"]
    return out


def poisoned(out: pd.DataFrame, day: date | None = None) -> pd.DataFrame:
    """The old system's data: role players against a made-up 20.0, so that UNDER nearly always wins."""
    at = out["game_date"] == pd.Timestamp(day) if day else pd.Series(True, index=out.index)
    out.loc[at, ["line", "line_source", "line_problem", "quote_id", "sportsbook"]] = [
        20.0,
        None,
        "PLACEHOLDER_LINE",
        None,
        None,
    ]
    out.loc[at, "is_valid_line"] = False
    out.loc[at, "actual_points"] = np.arange(at.sum()) % 22
    out.loc[at, "predicted_points"], out.loc[at, "recommendation"] = 9.0, "UNDER"
    return regraded(out)


def stored(lake, out: pd.DataFrame, game_days: int | None = None, status: int = 3) -> quality.Published:
    """The lake with these grades, the ledger rows behind them, a game on each day, and its box score."""
    days = sorted({d.date() for d in out["game_date"]})
    scheduled = [FIRST + timedelta(n) for n in range(game_days)] if game_days else days
    lake.write(PREDICTION_ACCURACY, out[PREDICTION_ACCURACY.column_names], days)
    ledger = out.assign(components="{}", abstain_reason=None, feature_hash="0", line_source_api="ODDS_API")
    table = predictions.LEDGER
    put(lake, table, ledger.assign(row_digest=None)[table.column_names], days)
    quote(lake, out[out["is_valid_line"].astype(bool)].drop_duplicates(["game_date", "player_id"]), days)
    games = pd.DataFrame({"game_date": pd.to_datetime(scheduled)})
    for c in raw.SCHEDULE.columns:
        if c.name not in games:
            games[c.name] = {"INT64": 1, "BOOL": False, "STRING": "x", "TIMESTAMP": pd.NaT}[c.type.value]
    games = games.assign(
        game_id="0022500001", season_type="Regular Season", status=status, tipoff_at=pd.Timestamp("2025-11-01T23:00Z")
    )
    lake.write(raw.SCHEDULE, games, scheduled)
    boxes = raw.BOX_SCORES.empty().reindex(range(len(scheduled)))
    for c in raw.BOX_SCORES.columns:
        boxes[c.name] = {"INT64": 1, "BOOL": True, "STRING": "x"}.get(c.type.value, games["game_date"])
    lake.write(raw.BOX_SCORES, boxes.assign(game_id="0022500001", game_date=games["game_date"]), scheduled)
    return quality.Published(lake.query, SYSTEMS, FIRST, days[-1])


def put(lake, table: Table, rows: pd.DataFrame, days: list[date]) -> None:
    """Store rows as another's writer does, unchecked."""
    sound = table.conform(rows)
    if isinstance(lake, Frames):
        lake.put(table, sound, days)
        return
    for day, piece in split(table, sound, days).items():
        lake.write_unchecked(table, piece, day)


def quote(lake, rows: pd.DataFrame, days: list[date]) -> None:
    """The quotes behind the valid lines, and whom they are for."""
    at = rows["created_at"] - pd.Timedelta(days=2)
    values = {
        "game_date": rows["game_date"], "quote_id": rows["quote_id"], "game_id": rows["game_id"], "event_id": "e",
        "bookmaker": "draftkings", "book_kind": "SPORTSBOOK", "market": "player_points", "source_name": rows["quote_id"],
        "player_lookup": "a", "line": rows["line"], "over_price": -110, "under_price": -110, "snapshot_at": at,
        "last_update_at": at, "commence_at": rows["cutoff_at"], "cutoff_at": rows["created_at"], "minutes_before_game": 60.0,
        "is_in_play": False, "payload": "p", "data_source": "THE_ODDS_API",
    }  # fmt: skip
    lake.write(raw.ODDS_QUOTES, pd.DataFrame(values), days)
    named = {
        "game_date": rows["game_date"], "game_id": rows["game_id"], "source": "THE_ODDS_API",
        "source_name": rows["quote_id"], "player_id": rows["player_id"], "quotes": 1, "method": "EXACT",
    }  # fmt: skip
    table = reference.RESOLVED_NAMES
    frame = pd.DataFrame(named)
    for column in table.columns:
        if column.name not in frame:
            frame[column.name] = {"STRING": "x", "INT64": 1, "FLOAT64": 1.0}[column.type.value]
    put(lake, table, frame[table.column_names], days)


LAST = FIRST + timedelta(34)


def findings(published: quality.Published, day: date = LAST) -> dict[str, Finding]:
    found = {name: find(published, day) for name, find in quality.DETECTORS.items()}
    return found | {name: find(published, FIRST, day) for name, find in quality.VALIDATION.items()}


def failing(found) -> set[str]:
    return {name.removeprefix("validation_") for name, f in found.items() if not f.passed}


def test_clean_data_leaves_every_finding_silent(lake):
    found = findings(stored(lake, made()))
    assert failing(found) == set()
    assert all(f.text for f in found.values())
    counted = {n: found[n].text for n in ("win_rates_plausible", "sides_not_skewed", "not_too_good")}
    assert counted == {
        "win_rates_plausible": "4 of 4 sides have 100 decided bets or more in 30 days (a system's overs and unders are "
        "counted apart), none shown to be outside 40-65 %",
        "sides_not_skewed": "2 of 2 systems have 100 picks or more in 30 days (overs and unders together), "
        "none over 85 % on one side",
        "not_too_good": "2 of 2 systems have 1,000 bets or forecasts on verified lines this season, none implausibly good",
    }
    assert not [name for name, f in found.items() if f.suspects]


def test_the_old_systems_data_makes_them_loud(lake):
    found = findings(stored(lake, poisoned(made())))
    assert failing(found) == {
        "win_rates_plausible", "share_under_plausible", "lines_vary", "sides_not_skewed",
        "no_placeholders", "lines_are_real", "win_rates", "streak_of_30", "streak_unbroken",
    }  # fmt: skip
    assert "xgboost_v1 UNDER 9" in found["win_rates_plausible"].text
    assert found["win_rates_plausible"].suspects["xgboost_v1"].startswith("UNDER 9")
    assert found["validation_no_placeholders"].figures["placeholders"] == 35 * 30 * 2


def test_one_bad_night_shows_in_a_clean_season(lake):
    bad = FIRST + timedelta(30)
    published = stored(lake, poisoned(made(), bad))
    assert failing(findings(published)) >= {"no_placeholders", "streak_of_30"}
    even = quality.lines_vary(published, bad)
    assert (even.passed, even.text.split(": ")[1]) == (False, "moving_average, xgboost_v1")
    assert quality.streak_unbroken(published, bad - timedelta(1)).passed
    assert "broken on 2025-12-01: PLACEHOLDER" in quality.streak_unbroken(published, LAST).text
    assert quality.lines_vary(published, bad - timedelta(1)).passed
    assert published.streaks.set_index("game_date")["streak"].loc[[bad - timedelta(1), bad, LAST]].tolist() == [
        30,
        0,
        4,
    ]


def test_a_game_day_without_evidence_ends_the_streak(lake):
    out = made()
    silent = FIRST + timedelta(20)
    published = stored(lake, out[out["game_date"] != pd.Timestamp(silent)], game_days=35)
    streaks = published.streaks.set_index("game_date")
    assert streaks["verdict"].loc[silent] == "NO_EVIDENCE"
    assert streaks["streak"].loc[[silent - timedelta(1), silent, LAST]].tolist() == [20, 0, 14]
    found = quality.expected_outputs(published, silent)
    assert not found.passed
    assert found.figures["games_predicted"] == 0
    assert not quality.all_systems_present(published, FIRST, LAST).passed


def test_a_day_without_games_is_no_finding(lake):
    out = made()
    free = FIRST + timedelta(20)
    published = stored(lake, out[out["game_date"] != pd.Timestamp(free)])
    assert quality.expected_outputs(published, free).passed
    assert failing(findings(published)) == set()
    assert published.streaks["streak"].max() == 34


def test_a_hole_at_the_start_of_a_span_is_one(lake):
    """What was published before it says that the season had begun."""
    out = made()
    holes = [pd.Timestamp(FIRST + timedelta(n)) for n in (10, 11)]
    published = stored(lake, out[~out["game_date"].isin(holes)], game_days=35)
    found = quality.all_systems_present(published, holes[0].date(), LAST)
    assert not found.passed
    assert f"of 25 game days moving_average lacks 2, the first {holes[0].date()}" in found.text


def test_game_days_before_the_first_that_was_published_are_named(lake):
    out = made()
    begun = FIRST + timedelta(10)
    published = stored(lake, out[out["game_date"] >= pd.Timestamp(begun)], game_days=35)
    found = quality.all_systems_present(published, FIRST, LAST)
    assert found.passed
    assert found.text.endswith(f"; nothing was published on 10 game days before {begun}, the season's first")


def test_one_line_that_is_not_its_quotes_is_enough(lake):
    out = made()
    out.loc[7, "line"] += 1
    out.loc[7, "line_problem"] = "LINE_MISMATCH"
    out.loc[7, "is_valid_line"] = False
    found = quality.lines_are_real(stored(lake, out), FIRST, LAST)
    assert not found.passed
    assert found.figures["claims"] - found.figures["verified"] == 1
    assert ": 1 are not their quote's" in found.text


def test_a_missing_system_is_named(lake):
    out = made()
    day = FIRST + timedelta(5)
    gone = (out["system_id"] == "xgboost_v1") & (out["game_date"] == pd.Timestamp(day))
    published = stored(lake, out[~gone])
    assert quality.expected_outputs(published, day).figures["absent_systems"] == ["xgboost_v1"]
    assert "xgboost_v1 lacks 1, the first 2025-11-06" in quality.all_systems_present(published, FIRST, LAST).text


@pytest.mark.parametrize(
    ("share", "quoted", "passes"), [(0.57, 0.5, True), (0.60, 0.5, False), (0.60, 0.52, False), (0.60, 0.58, True)]
)
def test_too_good_a_hit_rate_is_a_leak(lake, share, quoted, passes):
    """Too good is more than the quotes give the sides that were taken, and more than chance adds."""
    out = made()
    own = out.index[out["system_id"] == "xgboost_v1"]
    winners = np.random.default_rng(1).permutation(own)[: int(share * len(own))]
    side = np.where(out["actual_margin"] > 0, "OVER", "UNDER")
    other = np.where(out["actual_margin"] > 0, "UNDER", "OVER")
    out.loc[own, "recommendation"] = other[own]
    out.loc[winners, "recommendation"] = side[winners]
    out["market_over_probability"] = np.where(out["recommendation"] == "OVER", quoted, 1 - quoted)
    published = stored(lake, regraded(out))
    found = quality.not_too_good(published, LAST)
    assert len(own) >= detectors.TOO_GOOD_ROWS
    assert found.passed == passes
    assert set(found.suspects) == (set() if passes else {"xgboost_v1"})
    span = quality.suspects(published, {}, FIRST, LAST)
    assert span == dict(found.suspects), "a span is judged by the same rule"
    assert quality.suspects(published, {"not_too_good": found}, FIRST, LAST) == span, "and says it once"
    assert passes or f"{100 * quoted:.1f} % by the quotes" in found.text
    assert passes or "xgboost_v1 wins 60.0 %" in found.text


@pytest.mark.parametrize(("edge", "passes"), [(0.1, True), (0.4, False)])
def test_too_good_an_error_is_a_leak(lake, edge, passes):
    out = made()
    own = out["system_id"] == "xgboost_v1"
    out.loc[own, "absolute_error"] = out.loc[own, "line_absolute_error"] - edge
    found = quality.not_too_good(stored(lake, out), LAST)
    assert found.passed == passes
    assert passes or "beats the line by 0.40 points" in found.text


def with_chances(out: pd.DataFrame, said: float, dates: int) -> pd.DataFrame:
    """One system publishes a P(over) on its newest ``dates`` dates, the quotes' is one half; ``said`` of what happens."""
    newest = sorted(set(out["game_date"]))[-dates:]
    own = (out["system_id"] == "xgboost_v1") & out["game_date"].isin(newest)
    over = out["actual_margin"] > 0
    out["market_over_probability"] = out["market_over_probability"].astype("float64").mask(own, 0.5)
    chance = pd.Series(np.where(over, said, 1 - said), index=out.index)
    out["over_probability"] = out["over_probability"].astype("float64").mask(own, chance)
    return out


@pytest.mark.parametrize(
    ("said", "dates", "passes"),
    [(0.45, 12, False), (0.45, 10, False), (0.45, 9, True), (0.5, 12, True), (0.55, 12, True)],
    ids=["worse", "worse, on just ten dates", "too few dates", "the quotes' own", "better"],
)
def test_chances_worse_than_the_quotes_warn(lake, said, dates, passes):
    rng = np.random.default_rng(4)
    out = with_chances(made(days=12), said, dates)
    # without noise the interval would have no width
    out["over_probability"] = (out["over_probability"] + rng.normal(0, 0.01 * (said != 0.5), len(out))).clip(0, 1)
    published = stored(lake, out)
    found = quality.chances_as_good_as_quotes(published, FIRST + timedelta(11))
    assert found.passed == passes
    assert set(found.figures) == {"xgboost_v1"}
    rows = f"on {30 * dates} rows of {dates} dates"
    assert rows in found.figures["xgboost_v1"]
    if passes:
        assert "worse log-loss" not in found.text
        return
    assert found.warns, "it asks for a look and not for a halt"
    assert found.text.startswith("P(over) has a worse log-loss than the quotes' own: xgboost_v1 +0.10")
    assert rows in found.text


def test_every_rate_names_the_dates_that_it_is_made_of(lake, monkeypatch):
    """A rate over thousands of rows of one night is worth one night, so it says of how many it is."""
    monkeypatch.setattr(detectors, "TOO_GOOD_ROWS", 100)
    out = made(days=12)
    out["recommendation"], out["predicted_points"] = "UNDER", out["line"] - 2
    out["actual_points"] = (out["line"] - 3.5).clip(0)
    published = stored(lake, with_chances(regraded(out), 0.4, 12))
    found = findings(published, FIRST + timedelta(11))
    rates = {
        "win_rates_plausible", "share_under_plausible", "sides_not_skewed", "not_too_good", "validation_win_rates",
        "validation_lines_are_real",
    }  # fmt: skip
    assert rates - {"validation_lines_are_real"} == {n for n in rates if not found[n].passed}, "the texts that matter"
    wins = {"win_rates_plausible", "not_too_good", "validation_win_rates"}
    assert {n for n in rates if found[n].suspects} == wins
    assert all(set(found[n].suspects) == set(SYSTEMS) for n in wins)
    for name in rates:
        shown = [found[name].text, *(v for v in found[name].figures.values() if isinstance(v, str))]
        assert all("12 dates" in text for text in shown), (name, shown)


def test_few_bets_are_not_judged(lake):
    out = made(days=2, players=10)
    out["recommendation"] = np.where(out["actual_margin"] > 0, "OVER", "UNDER")
    published = stored(lake, regraded(out))
    few = FIRST + timedelta(1)
    assert quality.win_rates_plausible(published, few).passed
    assert quality.win_rates_plausible(published, few).text.startswith("0 of 4 sides have 100 decided bets or more")
    for find in (quality.win_rates_plausible, quality.sides_not_skewed, quality.not_too_good):
        assert find(published, few).text.endswith(": too few to judge")


@pytest.mark.parametrize(("won", "suspects"), [(0.85, {"xgboost_v1"}), (0.2, set())], ids=["too high", "too low"])
def test_a_win_rate_over_the_briefs_is_suspect_and_one_under_it_is_only_bad(lake, won, suspects):
    out = made(days=12)
    own = out.index[out["system_id"] == "xgboost_v1"]
    wins = np.random.default_rng(1).random(len(own)) < won
    over = (out.loc[own, "actual_margin"] > 0).to_numpy()
    out.loc[own, "recommendation"] = np.where(over == wins, "OVER", "UNDER")
    found = quality.win_rates_in_range(stored(lake, regraded(out)), FIRST, FIRST + timedelta(11))
    assert not found.passed
    assert set(found.suspects) == suspects


def test_a_final_game_without_box_score_is_a_finding(lake):
    out = made(days=3)
    out.loc[out["game_date"] == out["game_date"].max(), ["outcome", "actual_points"]] = ["PENDING", None]
    published = stored(lake, out)
    day = FIRST + timedelta(2)
    lake.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), [day])
    found = quality.gradable_are_graded(published, day)
    assert not found.passed
    assert "1 of 1 final games without box score" in found.text
    assert found.figures["pending"] == 60


def test_nothing_published_is_a_failure_and_no_success_with_zero_rows(lake):
    published = stored(lake, made(days=1))
    empty = quality.Published(lake.query, SYSTEMS, FIRST - timedelta(9), FIRST - timedelta(1), scheduled=())
    assert published.rows["published"].sum() > 0
    assert quality.streak_unbroken(published, FIRST).text.startswith("1 game days in a row")
    for find in quality.VALIDATION.values():
        assert not find(empty, FIRST - timedelta(9), FIRST - timedelta(1)).passed, find.__name__


# -- the ledger, and not the copy that was made at the last grading --------------------------------------------------


def written_past_the_gate(lake, day: date, count: int = 30, system_id: str | None = "moving_average") -> None:
    """Lines of 20.0 without a source beside a system's rows, under its name or another's; nobody grades them."""
    table = predictions.LEDGER
    rows = lake.read(table, [day])
    fake = rows[rows["system_id"] == "moving_average"].head(count)
    fake = fake.assign(
        prediction_id=[f"fake{i}" for i in range(len(fake))], line=20.0, line_source=None, quote_id=None, sportsbook=None,
        created_at=fake["created_at"] + pd.Timedelta(minutes=1), recommendation="UNDER", system_id=system_id,
    )  # fmt: skip
    lake.write_unchecked(table, pd.concat([rows, fake]), day)


def test_a_second_writers_row_is_seen_before_anybody_grades(lake):
    published = stored(lake, made(days=3))
    written_past_the_gate(lake, FIRST)
    found = quality.findings(published, FIRST, FIRST)
    assert failing(found) >= {"no_placeholders", "lines_are_real", "streak_unbroken", "lines_vary"}
    assert found["validation_no_placeholders"].figures == {"placeholders": 30, "rows_inspected": 90}
    assert "moving_average" in found["lines_vary"].text
    assert "60 of 90 rows graded" in found["gradable_are_graded"].text
    clean = failing(quality.findings(published, FIRST + timedelta(1), FIRST + timedelta(1)))
    assert clean == {"streak_of_30"}, "the other dates have nothing to do with it"


def test_a_system_that_a_second_writer_took_out_is_missed_before_anybody_grades(lake):
    published = stored(lake, made(days=2))
    table = predictions.LEDGER
    rows = lake.read(table, [FIRST])
    lake.write_unchecked(table, rows[rows["system_id"] != "xgboost_v1"], FIRST)
    assert "absent: xgboost_v1" in quality.expected_outputs(published, FIRST).text
    assert not quality.all_systems_present(published, FIRST, FIRST).passed


def test_the_number_of_queries_is_the_same_for_any_number_of_dates(lake):
    stored(lake, made(days=9, players=6))
    counts = []
    for first in (FIRST, FIRST + timedelta(8)):
        before = lake.query_count
        published = quality.published(lake, SYSTEMS, first, FIRST + timedelta(8), None)
        quality.findings(published, first, FIRST + timedelta(8))
        counts.append(lake.query_count - before)
    assert counts[0] == counts[1] <= 7


@pytest.mark.long
def test_findings_are_the_same_on_bigquery(make_gcp, tmp_path):
    lake, cloud = LakeWarehouse(tmp_path / "lake"), open_warehouse(make_settings(tmp_path, gcp=make_gcp()))
    day = FIRST + timedelta(1)
    said = []
    for warehouse in (lake, cloud):
        stored(warehouse, made(days=2, players=7))
        written_past_the_gate(warehouse, day, 7)
        published = quality.published(warehouse, SYSTEMS, day, day, None)
        said.append({name: (f.passed, f.text) for name, f in quality.findings(published, day, day).items()})
    assert said[0] == said[1]
    assert not said[0]["validation_no_placeholders"][0]


# -- each player once a date -----------------------------------------------------------------------------------------


def test_a_line_that_moved_three_times_is_one_result_of_one_player(lake):
    """Superseded rows of one player do not outvote the others: the share is that of the players, as its text says."""
    out = made(days=5)
    stored(lake, out)
    honest = quality.Published(lake.query, SYSTEMS, FIRST, FIRST + timedelta(4))
    day = pd.Timestamp(FIRST)
    under = out[(out["game_date"] == day) & (out["actual_margin"] < 0)]
    moved = [
        under.assign(prediction_id=under["prediction_id"] + f"m{n}", line=under["line"] + n, created_at=at, is_backfill=True)
        for n in (1, 2, 3)
        if (at := under["created_at"] - pd.Timedelta(hours=n)) is not None
    ]  # fmt: skip
    superseded = pd.concat(moved).assign(is_current=False, is_valid_line=False, line_problem="LINE_MISMATCH")
    stored(lake, pd.concat([out, superseded], ignore_index=True))
    after = quality.Published(lake.query, SYSTEMS, FIRST, FIRST + timedelta(4))
    asked = [quality.share_under_plausible(p, FIRST + timedelta(4)) for p in (honest, after)]
    assert asked[0] == asked[1]
    assert asked[1].figures["players"] == 5 * 30
    assert "of 150 players on 5 dates end under their line" in asked[1].text


def test_a_player_with_different_standing_lines_is_shared_between_them(lake):
    """One system on invented lines among others on real ones shows, and still counts each player once."""
    out = made(days=5)
    theirs = out["system_id"] == "xgboost_v1"
    out.loc[theirs, "line"] = 60.5
    stored(lake, regraded(out))
    found = quality.share_under_plausible(quality.Published(lake.query, SYSTEMS, FIRST, LAST), FIRST + timedelta(4))
    real = (out.loc[~theirs, "actual_margin"] < 0).mean()
    assert found.figures["share_under"] == pytest.approx((1 + real) / 2)
    assert (found.figures["players"], found.figures["dates"]) == (150, 5)


# -- a date's findings are about that date ---------------------------------------------------------------------------


def test_a_date_after_a_gap_is_not_to_blame_for_it(lake):
    out = made(days=20, players=6)
    silent = [FIRST + timedelta(n) for n in range(5, 15)]
    stored(lake, out[~out["game_date"].isin(pd.to_datetime(silent))], game_days=20)
    after = FIRST + timedelta(19)
    asked = quality.published(lake, SYSTEMS, after, after, None)
    found = quality.findings(asked, after, after)
    assert failing(found) == {"streak_of_30"}
    assert found["validation_streak_of_30"].warns
    span = quality.published(lake, SYSTEMS, FIRST, after, None)
    assert (
        "lacks 10, the first 2025-11-06" in quality.findings(span, FIRST, after)["validation_all_systems_present"].text
    )


def test_a_past_incident_is_no_fault_of_todays_date(lake):
    bad, today = FIRST + timedelta(10), FIRST + timedelta(12)
    stored(lake, poisoned(made(days=13, players=6), bad))
    asked = quality.published(lake, SYSTEMS, today, today, None)
    found = quality.findings(asked, today, today)
    assert failing(found) == {"streak_of_30"}
    assert "broken on 2025-11-11: PLACEHOLDER" in found["streak_unbroken"].text
    assert not quality.streak_unbroken(asked, bad).passed


def test_a_schedule_that_nobody_took_in_is_no_day_off(lake):
    stored(lake, made(days=3))
    absent, free = FIRST + timedelta(3), FIRST + timedelta(4)
    lake.write(raw.SCHEDULE, raw.SCHEDULE.empty(), [free])
    found = {d: quality.published(lake, SYSTEMS, d, d, None) for d in (absent, free)}
    assert "was never loaded" in quality.expected_outputs(found[absent], absent).text
    assert failing(quality.findings(found[absent], absent, absent)) >= {"expected_outputs", "no_placeholders"}
    assert failing(quality.findings(found[free], free, free)) == {"streak_of_30"}


def test_box_scores_of_games_that_no_schedule_has_are_no_day_off(lake):
    stored(lake, made(days=3))
    lake.write(raw.SCHEDULE, raw.SCHEDULE.empty(), [FIRST])
    boxes = lake.read(raw.BOX_SCORES, [FIRST]).assign(season_type="Regular Season")
    lake.write(raw.BOX_SCORES, boxes, [FIRST])
    asked = quality.published(lake, SYSTEMS, FIRST, FIRST, None)
    found = quality.expected_outputs(asked, FIRST)
    assert not found.passed
    assert "1 games have box scores and are not in the schedule" in found.text
    lake.write(raw.BOX_SCORES, boxes.assign(season_type="Pre Season"), [FIRST])
    asked = quality.published(lake, SYSTEMS, FIRST, FIRST, None)
    assert quality.expected_outputs(asked, FIRST).passed, "a pre-season game is none that counts"


@pytest.mark.parametrize(
    ("now", "warns"), [("2025-11-02T13:59Z", True), ("2025-11-02T14:00Z", False), ("2026-03-01T00:00Z", False)]
)
def test_a_final_game_without_box_score_is_an_error_from_nine_in_the_morning(lake, now, warns):
    stored(lake, made(days=1))
    lake.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), [FIRST])
    asked = quality.published(lake, SYSTEMS, FIRST, FIRST, datetime.fromisoformat(now))
    found = quality.gradable_are_graded(asked, FIRST)
    assert not found.passed
    assert found.warns == warns
    assert warns or "due since 09:00 EST on 2025-11-02" in found.text


# -- how often they are wrong ----------------------------------------------------------------------------------------


class Season(quality.Published):
    """A season's daily sums as chance makes them; nothing is stored and nothing is asked."""

    def __init__(self, seed: int, *, under: float = 0.5, leak: float = 0.0, nights: int = alarms.SEASON_DATES) -> None:
        """``under`` is the chance of a line's under; ``leak`` the share of bets that know the result."""
        names = tuple(f"system_{i}" for i in range(8))
        last = date(2025, 10, 21) + timedelta(nights - 1)
        super().__init__(pytest.fail, names, date(2025, 10, 21), last)
        rng = np.random.default_rng(seed)
        night = np.repeat(np.arange(nights), rng.integers(1, 14, nights) * 11)
        # what a night's results have in common: a deviation of the chance itself
        chance = under + rng.normal(0, np.sqrt(0.25 * alarms.DATE_CORRELATION), nights)
        ends_under = rng.random(len(night)) < chance[night]
        dates = np.array([self.first + timedelta(n) for n in range(nights)])
        cells = []
        for i, name in enumerate(names):
            bets = rng.random(len(night)) < 0.15 + 0.1 * i
            says_under = rng.random(len(night)) < 0.3 + 0.08 * i  # the last one bets nearly everything on one side
            knows = rng.random(len(night)) < leak
            says_under = np.where(knows, ends_under, says_under)
            miss, off = rng.normal(0, 6, len(night)), rng.normal(0, 2, len(night))
            error, line_error = np.abs(miss + off), np.abs(miss)
            for side, mine in (("UNDER", bets & says_under), ("OVER", bets & ~says_under), ("PASS", ~bets)):
                won = mine & (ends_under == (side == "UNDER")) & (side != "PASS")
                count = lambda w, mine=mine: np.bincount(night[mine], w[mine], nights)
                ones = np.ones(len(night))
                sums = {
                    "published": count(ones), "wins": count(won), "losses": count((~won & (side != "PASS")).astype(float)),
                    "rows_with_error": count(ones), "error": count(error), "line_error": count(line_error),
                    "disagreement": count(off**2), "quoted_wins": count(0.5 * (side != "PASS") * ones),
                }  # fmt: skip
                frame = pd.DataFrame(sums).assign(game_date=dates, system_id=name, recommendation=side)
                cells.append(frame.assign(is_valid_line=True, is_current=True))
        self.__dict__["cells"] = pd.concat(cells, ignore_index=True)
        unders = np.bincount(night, ends_under, nights)
        total = np.bincount(night, minlength=nights)
        self.__dict__["lines"] = pd.DataFrame(
            {"game_date": dates, "system_id": "", "players": total, "distinct_lines": 20, "unders": unders, "overs": total - unders}
        )  # fmt: skip

    def alarms(self, every: int = 1) -> set[str]:
        """The detectors of severity ERROR that fire on some date of the season."""
        asks = {n: f for n, f in quality.DETECTORS.items() if n in self.RATES}
        dates = [self.first + timedelta(n) for n in range(0, (self.last - self.first).days + 1, every)]
        found = {name for name, find in asks.items() if any(not find(self, d).passed for d in dates)}
        return found | {"win_rates" for d in dates if not quality.win_rates_in_range(self, d, d).passed}

    RATES = ("win_rates_plausible", "share_under_plausible", "not_too_good", "lines_vary")


def test_two_clean_seasons_raise_no_false_alarm():
    for seed in range(2):
        assert Season(seed).alarms(every=4) == set(), seed


@pytest.mark.long
def test_twenty_clean_seasons_asked_on_every_date_raise_at_most_one_false_alarm():
    loud = [seed for seed in range(20) if Season(seed).alarms()]
    assert len(loud) <= 1, loud


@pytest.mark.parametrize(
    ("damage", "loud"),
    [
        ({"under": 0.9}, {"win_rates_plausible", "share_under_plausible"}),
        ({"under": 0.7}, {"share_under_plausible"}),
        ({"leak": 0.5}, {"win_rates_plausible"}),
    ],
)
def test_what_the_detectors_are_for_is_caught_within_two_weeks(damage, loud):
    season = Season(3, nights=14, **damage)
    found = {n for n in loud if not quality.DETECTORS[n](season, season.last).passed}
    assert found == loud


def test_the_old_incidents_win_rates_are_caught_in_their_first_nights():
    """85-97 % of a few hundred bets; and a system that wins 65 % of a season's bets has seen the results."""
    first = Season(5, under=0.9, nights=4)
    assert not quality.share_under_plausible(first, first.last).passed
    assert not quality.win_rates_plausible(first, first.last).passed
    leaky = Season(1, leak=0.3)
    assert not quality.not_too_good(leaky, leaky.last).passed
    assert not quality.win_rates_in_range(Season(1, leak=0.6), leaky.first, leaky.last).passed


def test_chances_as_good_as_the_quotes_are_warned_of_in_about_one_of_six_seasons():
    """Two hundred systems whose P(over) is exactly as good as the quotes, each asked through a season of its own."""
    rng, nights, first = np.random.default_rng(1), alarms.SEASON_DATES, date(2025, 10, 21)
    names = [f"system_{i:03d}" for i in range(200)]
    rows = rng.integers(1, 14, (len(names), nights)) * 11.0
    dates = [first + timedelta(n) for n in range(nights)]
    index = pd.MultiIndex.from_product([names, dates], names=["system_id", "game_date"])
    sums = {
        "chances": rows.ravel(),
        "log_loss": (rng.normal(size=rows.shape) * np.sqrt(rows)).ravel(),
        "market_log_loss": 0.0,
    }
    season = quality.Published(pytest.fail, tuple(names), first, dates[-1])
    season.__dict__["chances"] = pd.DataFrame(sums, index=index).reset_index()
    season.__dict__["games"] = pd.DataFrame({"game_date": dates})
    loud: set[str] = set()
    for day in dates[9::3]:
        text = quality.chances_as_good_as_quotes(season, day).text
        loud |= {name for name in names if name in text}
    assert 0.10 < len(loud) / len(names) < 0.22, len(loud)


def test_a_side_that_a_formula_prefers_a_little_is_not_warned_of_by_chance():
    """Every ask of a season of eight systems, as if none overlapped another, at the fewest bets that are judged."""
    most, n = round(detectors.MAX_ONE_SIDED * detectors.ENOUGH), detectors.ENOUGH
    beyond = {
        p: sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(most + 1, n + 1)) for p in (0.5, 0.65, 0.75)
    }
    asks = alarms.SEASON_DATES * 8
    assert asks * 2 * beyond[0.5] < 1e-9
    assert asks * beyond[0.65] < 0.01
    assert asks * beyond[0.75] > 1, "and one that truly takes it in three of four is warned of"


def test_the_share_of_a_false_alarm_is_what_the_docs_say():
    assert alarms.limit(8) == pytest.approx(4.48, abs=0.01)
    asks = alarms.SEASON_DATES * (8 * 5 + 1)
    assert 2 * (1 - NormalDist().cdf(alarms.limit(8))) * asks == pytest.approx(alarms.FALSE_ERRORS, rel=1e-3)
    # the old rule: 59 % of 137 lines, a few nights into a season
    early = Season(0, nights=2)
    lines = pd.DataFrame({"game_date": [early.first], "system_id": "", "players": 137, "distinct_lines": 20, "unders": 81, "overs": 56})  # fmt: skip
    early.__dict__["lines"] = lines
    assert quality.share_under_plausible(early, early.first).passed


# -- the views ------------------------------------------------------------------------------------------------------


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


def test_alerts_say_how_many_rows_they_inspected(lake):
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
def test_a_placeholder_counts_whoever_wrote_it(lake, name, fate):
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


def test_a_placeholder_on_a_date_without_games_ends_the_streak_and_a_clean_row_there_is_no_game_day(lake):
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
