"""Detectors and the final validation on made-up ledgers: silent on clean ones, loud on the old system's."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import quality
from nba_props.domain.quality import detectors
from nba_props.schemas import predictions, raw
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.domain.quality.ledgers import (
    FIRST,
    LAST,
    SYSTEMS,
    failing,
    findings,
    made,
    poisoned,
    regraded,
    stored,
    written_past_the_gate,
)


def test_clean_data_fails_no_finding(lake):
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


def test_data_of_the_old_system_fails_the_findings(lake):
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


def test_a_day_without_games_is_not_a_finding(lake):
    out = made()
    free = FIRST + timedelta(20)
    published = stored(lake, out[out["game_date"] != pd.Timestamp(free)])
    assert quality.expected_outputs(published, free).passed
    assert failing(findings(published)) == set()
    assert published.streaks["streak"].max() == 34


def test_a_gap_at_the_start_of_a_span_is_a_finding(lake):
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


def test_one_line_that_differs_from_its_quote_is_a_finding(lake):
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
    assert passes or "beats the line by 0.40" in found.text


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
    out["recommendation"], out["forecast"] = "UNDER", out["line"] - 2
    out["result"] = (out["line"] - 3.5).clip(0)
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
def test_a_win_rate_above_the_limit_is_suspect_and_one_below_it_only_bad(lake, won, suspects):
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
    out.loc[out["game_date"] == out["game_date"].max(), ["outcome", "result"]] = ["PENDING", None]
    published = stored(lake, out)
    day = FIRST + timedelta(2)
    lake.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), [day])
    found = quality.gradable_are_graded(published, day)
    assert not found.passed
    assert "1 of 1 final games without box score" in found.text
    assert found.figures["pending"] == 60


def test_nothing_published_is_a_failure_and_not_a_success_with_zero_rows(lake):
    published = stored(lake, made(days=1))
    empty = quality.Published(lake.query, SYSTEMS, FIRST - timedelta(9), FIRST - timedelta(1), scheduled=())
    assert published.rows["published"].sum() > 0
    assert quality.streak_unbroken(published, FIRST).text.startswith("1 game day in a row")
    for find in quality.VALIDATION.values():
        assert not find(empty, FIRST - timedelta(9), FIRST - timedelta(1)).passed, find.__name__


# -- the ledger, and not the copy that was made at the last grading --------------------------------------------------


def test_a_second_writers_row_is_found_before_grading(lake):
    published = stored(lake, made(days=3))
    written_past_the_gate(lake, FIRST)
    found = quality.findings(published, FIRST, FIRST)
    assert failing(found) >= {"no_placeholders", "lines_are_real", "streak_unbroken", "lines_vary"}
    assert found["validation_no_placeholders"].figures == {"placeholders": 30, "rows_inspected": 90}
    assert "moving_average" in found["lines_vary"].text
    assert "60 of 90 rows graded" in found["gradable_are_graded"].text
    clean = failing(quality.findings(published, FIRST + timedelta(1), FIRST + timedelta(1)))
    assert clean == {"streak_of_30"}, "the other dates have nothing to do with it"


def test_a_system_that_a_second_writer_removed_is_missed_before_grading(lake):
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


def test_a_line_that_moved_three_times_counts_as_one_result(lake):
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


def test_a_player_with_different_current_lines_is_shared_between_them(lake):
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


def test_a_date_after_a_gap_is_not_blamed_for_it(lake):
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


def test_a_past_incident_does_not_fail_todays_date(lake):
    bad, today = FIRST + timedelta(10), FIRST + timedelta(12)
    stored(lake, poisoned(made(days=13, players=6), bad))
    asked = quality.published(lake, SYSTEMS, today, today, None)
    found = quality.findings(asked, today, today)
    assert failing(found) == {"streak_of_30"}
    assert "broken on 2025-11-11: PLACEHOLDER" in found["streak_unbroken"].text
    assert not quality.streak_unbroken(asked, bad).passed


def test_a_date_whose_schedule_is_not_loaded_is_not_a_day_off(lake):
    stored(lake, made(days=3))
    absent, free = FIRST + timedelta(3), FIRST + timedelta(4)
    lake.write(raw.SCHEDULE, raw.SCHEDULE.empty(), [free])
    found = {d: quality.published(lake, SYSTEMS, d, d, None) for d in (absent, free)}
    assert "was never loaded" in quality.expected_outputs(found[absent], absent).text
    assert failing(quality.findings(found[absent], absent, absent)) >= {"expected_outputs", "no_placeholders"}
    assert failing(quality.findings(found[free], free, free)) == {"streak_of_30"}


def test_a_date_with_box_scores_and_no_scheduled_games_is_not_a_day_off(lake):
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
    assert quality.expected_outputs(asked, FIRST).passed, "a pre-season game does not count"


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
