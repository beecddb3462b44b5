"""Scores against the market: every quote of every book, and bets by the close."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from nba_props.domain import scoring
from nba_props.domain.closing import SHOWN_SQL
from nba_props.domain.prices import prices
from nba_props.facts.vocabulary import Basis
from nba_props.schemas.analytics import PRICES
from nba_props.schemas.distributions import DISTRIBUTION_SCORES
from nba_props.schemas.monitoring import MARKET_SCORES
from nba_props.schemas.predictions import CLOSING_LINE_VALUE, PREDICTION_ACCURACY, QUOTE_SCORES
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props_tests.domain.test_consensus import offers
from nba_props_tests.domain.test_lines import DAY
from nba_props_tests.domain.test_lines import quotes as quotes_of

TODAY = DAY.date()
FIVE = (("draftkings", 20.5, -110, -110, 60), ("fanduel", 20.5, -125, 105, 60), ("betmgm", 21.5, -110, -110, 60),
        ("williamhill_us", 20.5, -120, 100, 60), ("bovada", 19.5, -110, -110, 60))  # fmt: skip


FIVE_QUOTES = quotes_of(*FIVE)


def said(system: str, line: float, chance: float | None, result: int | None, **more) -> dict:
    return {
        "game_date": DAY, "game_id": "0022500001", "player_id": 1, "market": "points", "system_id": system,
        "line": line, "over_probability": chance, "result": result, "is_current": True, "is_valid_line": True, **more,
    }  # fmt: skip


def stored(lake, *rows: dict) -> pd.DataFrame:
    frame = PREDICTION_ACCURACY.empty().reindex(range(len(rows))).assign(**pd.DataFrame(rows))
    frame["prediction_id"] = [f"p{n}" for n in range(len(rows))]
    lake.write_unchecked(PREDICTION_ACCURACY, PREDICTION_ACCURACY.conform(frame), TODAY)
    priced = PRICES.conform(prices(offers(*FIVE)))
    lake.write_unchecked(PRICES, priced, TODAY)
    return priced


def quote_scores(lake) -> pd.DataFrame:
    found = lake.query(scoring.QUOTE_SCORES_SQL, first=TODAY, last=TODAY)
    return QUOTE_SCORES.validate(found).set_index("system_id")


class TestQuotes:
    def test_are_scored_at_the_line_that_a_chance_was_given_for(self, lake):
        priced = stored(lake, said("a", 20.5, 0.6, 24))
        found = quote_scores(lake)
        there = priced[priced["line"] == 20.5]
        assert found.loc["a", "quotes"] == 3
        assert found.loc["a", "log_loss"] == pytest.approx(-3 * np.log(0.6), abs=1e-6)
        assert found.loc["a", "own_log_loss"] == pytest.approx(-np.log(there["own_over_probability"]).sum(), abs=1e-6)
        assert found.loc["a", "others_log_loss"] == pytest.approx(-np.log(there["over_probability"]).sum(), abs=1e-6)
        assert found.loc["a", "own_brier"] == pytest.approx(((1 - there["own_over_probability"]) ** 2).sum(), abs=1e-6)

    def test_of_the_other_books_are_at_every_line_by_the_side_that_won(self, lake):
        priced = stored(lake, said("a", 20.5, 0.6, 20))
        found = quote_scores(lake).loc["other_books"]
        over = priced["line"] < 20
        chance = priced["over_probability"].where(over, 1 - priced["over_probability"])
        assert over.sum() == 1
        assert found["quotes"] == 5
        assert found["log_loss"] == found["others_log_loss"] == pytest.approx(-np.log(chance).sum(), abs=1e-6)

    @pytest.mark.parametrize(
        "row", [
            said("b", 20.5, 0.6, 24, is_current=False), said("b", 20.5, 0.6, 24, is_valid_line=False),
            said("b", 20.5, None, 24), said("b", 22.5, 0.6, 24), said("b", 20.5, 0.6, 24, line_problem="NO_DIGEST"),
            said(None, 20.5, 0.6, 24), said("other_books", 20.5, 0.6, 24), said("opening_bets", 20.5, 0.6, 24),
        ],
    )  # fmt: skip
    def test_leave_out_rows_without_a_valid_chance_at_a_quoted_line(self, lake, row):
        stored(lake, said("a", 20.5, 0.6, 24), row)
        assert sorted(quote_scores(lake).index) == ["a", "other_books"]

    def test_without_a_result_are_not_scored(self, lake):
        stored(lake, said("a", 20.5, 0.6, None))
        assert quote_scores(lake).empty


@pytest.mark.parametrize(
    ("row", "shown"),
    [({}, 1), ({"is_backfill": True}, 0), ({"recommendation": "PASS"}, 0), ({"is_valid_line": False}, 0),
     ({"line_problem": "NO_DIGEST"}, 0), ({"system_id": None}, 0), ({"system_id": "opening_bets"}, 0),
     ({"quote_id": "unknown"}, 0)],
)  # fmt: skip
def test_picks_count_that_were_valid_and_shown_in_time(lake, row, shown):
    lake.write_unchecked(ODDS_QUOTES, FIVE_QUOTES, TODAY)
    pick = {"recommendation": "OVER", "is_backfill": False, "quote_id": "q0", **row}
    stored(lake, {**said("a", 20.5, 0.6, 24), **pick})
    found = lake.query(SHOWN_SQL, first=TODAY, last=TODAY)
    assert len(found) == shown
    assert set(found["quoted_at"]) <= set(FIVE_QUOTES["snapshot_at"])


def quotes(days: int, market: str = "points", system: str = "a") -> pd.DataFrame:
    rng = np.random.default_rng(5)
    dates = pd.Timestamp("2025-11-01") + pd.to_timedelta(range(days), unit="D")
    frame = pd.DataFrame({"game_date": dates, "market": market, "system_id": system})
    frame["quotes"] = rng.integers(5, 40, days)
    for name in ("log_loss", "own_log_loss", "others_log_loss", "brier", "own_brier", "others_brier"):
        frame[name] = frame["quotes"] * rng.uniform(0.6, 0.7, days)
    return QUOTE_SCORES.validate(frame)


def bets(days: int, a_day: int = 6, **values) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    n = days * a_day
    frame = CLOSING_LINE_VALUE.empty().reindex(range(n))
    made = {
        "game_date": pd.Timestamp("2025-11-01") + pd.to_timedelta(np.arange(n) // a_day, unit="D"), "market": "points",
        "system_id": "a", "bet_id": [f"b{k}" for k in range(n)], "prediction_id": "p", "is_close": True,
        "judges_are_close": True, "ev": 0.02, "profit": rng.choice([-1.0, 0.9], n),
    }  # fmt: skip
    scores = ("clv_points", "clv_probability", "clv_ev", "others_clv_probability", "others_clv_ev")
    return frame.assign(**made, **{s: rng.normal(0.01, 0.05, n) for s in scores}).assign(**values)


def scores(found: pd.DataFrame) -> pd.DataFrame:
    """Those of points; all markets have the same besides."""
    rows = scoring.market_scores(found)
    return rows[rows["market"] == "points"].set_index(["score", "basis"])


def spreads(days: int, market: str = "points", anchor: str = "CONSENSUS") -> pd.DataFrame:
    """The scores of ten distributions a date, nine with a line, whose gain over it differs by date."""
    n = np.arange(days)
    zero = {c: np.zeros(days) for c in DISTRIBUTION_SCORES.column_names}
    return DISTRIBUTION_SCORES.conform(
        pd.DataFrame(
            {
                **zero, "game_date": pd.Timestamp("2025-11-01") + pd.to_timedelta(n, unit="D"), "market": market,
                "anchor": anchor, "results": 10, "crps": 30.0 + n % 3, "with_line": 9, "crps_with_line": 27.0,
                "line_crps": 27.5 + n % 3, "within_80": 8.0,
                "with_quote": 8, "log_loss": 5.5 + n % 2, "own_log_loss": 5.6 + n % 2,
            }
        )
    )  # fmt: skip


class TestScores:
    def test_are_means_per_quote_of_the_same_quotes(self):
        rows = quotes(12)
        found = scores(scoring.market_sums(rows, bets(0), spreads(0))).loc[("LOG_LOSS_LESS_CONSENSUS", Basis.QUOTE)]
        expected = (rows["log_loss"] - rows["others_log_loss"]).sum() / rows["quotes"].sum()
        assert found["value"] == pytest.approx(expected)
        assert (found["rows"], found["dates"]) == (rows["quotes"].sum(), 12)
        assert found["low"] < expected < found["high"]
        assert pd.isna(found["needed"])

    @pytest.mark.parametrize(("days", "known"), [(9, False), (10, True)])
    def test_have_no_interval_below_ten_dates(self, days, known):
        found = scoring.market_scores(scoring.market_sums(quotes(days), bets(days), spreads(0)))
        assert found["value"].notna().all()
        assert found[["low", "high"]].notna().all(axis=None) == known
        assert found.loc[found["claim"].notna(), "needed"].notna().all() == known

    def test_never_pool_older_last_lines_with_closes(self):
        rows = pd.concat([bets(12), bets(12, is_close=False, judges_are_close=False).assign(clv_ev=9.0)])
        found = scores(scoring.market_sums(quotes(0), rows, spreads(0)))
        assert found.loc[("CLV_EV", Basis.LAST_LINE), "value"] == 9
        assert found.loc[("CLV_EV", Basis.CLOSE), "value"] < 1
        assert found.loc["CLV_EV", "rows"].tolist() == [72, 72]

    def test_leave_out_bets_that_were_void(self):
        rows = bets(12)
        rows.loc[rows.index % 2 == 0, "profit"] = None
        found = scores(scoring.market_sums(quotes(0), rows, spreads(0)))
        assert found.loc[("CLV_POINTS", Basis.CLOSE), "rows"] == len(rows) / 2

    def test_say_how_many_bets_an_average_needs(self):
        found = scores(scoring.market_sums(quotes(0), bets(40), spreads(0))).loc[("CLV_EV", Basis.CLOSE)]
        reach = (found["high"] - found["low"]) / 2
        # as many bets more as the interval is too wide, squared: its width falls with their root
        four_of_five = ((norm.ppf(0.975) + norm.ppf(0.8)) / norm.ppf(0.975)) ** 2
        assert found["needed"] == np.ceil(found["rows"] * four_of_five * (reach / 0.01) ** 2)
        few = scores(scoring.market_sums(quotes(0), bets(20), spreads(0))).loc[("CLV_EV", Basis.CLOSE)]
        assert found["needed"] / few["needed"] == pytest.approx(1, abs=0.5)

    def test_of_opening_bets_are_what_they_promised_beside_what_they_returned(self):
        rows = bets(12, prediction_id=None, system_id="opening_bets")
        found = scoring.market_scores(scoring.market_sums(quotes(0), pd.concat([rows, bets(12)]), spreads(0)))
        assert found.loc[found["score"].isin(["PROMISED", "RETURN"]), "system_id"].tolist() == ["opening_bets"] * 4
        found = found[found["market"] == "points"].set_index(["system_id", "score", "basis"]).loc["opening_bets"]
        assert found.loc[("PROMISED", Basis.RESULT), "value"] == pytest.approx(0.02)
        assert found.loc[("RETURN", Basis.RESULT), "value"] == pytest.approx(rows["profit"].mean())

    def test_do_not_compare_the_consensus_with_itself(self):
        found = scoring.market_scores(scoring.market_sums(quotes(12, system="other_books"), bets(0), spreads(0)))
        assert set(found["score"]) == {"LOG_LOSS_LESS_OWN", "BRIER_LESS_OWN"}

    def test_add_up_markets_where_the_unit_is_one(self):
        both = pd.concat([quotes(12), quotes(12, "rebounds")]), pd.concat([bets(12), bets(12, market="rebounds")])
        found = scoring.market_scores(scoring.market_sums(*both, spreads(0))).set_index(["market", "score"])
        assert found.loc[("all", "LOG_LOSS_LESS_OWN"), "rows"] == 2 * found.loc[("points", "LOG_LOSS_LESS_OWN"), "rows"]
        assert ("all", "CLV_EV") in found.index
        assert ("all", "CLV_POINTS") not in found.index

    def test_of_distributions_are_means_per_result_and_apart_from_those_without_an_anchor(self):
        both = pd.concat([spreads(12), spreads(12, anchor="UNANCHORED").assign(crps_with_line=40.0)])
        found = scoring.market_scores(scoring.market_sums(quotes(0), bets(0), both))
        found = found.set_index(["system_id", "market", "score"])
        anchored = found.loc[("distributions", "points", "CRPS_LESS_LINE")]
        assert anchored["value"] == pytest.approx((27 - 28.5) / 9)
        assert (anchored["rows"], anchored["dates"], anchored["unit"]) == (108, 12, "stat")
        assert found.loc[("distributions", "points", "WITHIN_80"), "value"] == pytest.approx(0.8)
        assert found.loc[("unanchored_distributions", "points", "CRPS_LESS_LINE"), "value"] > 0
        beside = found.loc[("distributions", "points", "LOG_LOSS_LESS_OWN")]
        assert (beside["value"], beside["rows"], beside["basis"]) == (pytest.approx(-0.0125), 96, "RESULT")
        assert ("distributions", "all", "WITHIN_80") in found.index
        assert ("distributions", "all", "CRPS_LESS_LINE") not in found.index, "points and rebounds have different units"

    def test_of_distributions_without_a_line_know_no_gain_over_it(self):
        without = spreads(12).assign(with_line=0, crps_with_line=0.0, line_crps=0.0, with_quote=0)
        found = scoring.market_scores(scoring.market_sums(quotes(0), bets(0), without))
        assert set(found["score"]) == {"WITHIN_80"}

    def test_of_distributions_of_an_earlier_release_know_nothing_of_their_chances(self):
        old = spreads(12).assign(with_quote=None, log_loss=None, own_log_loss=None)
        found = scoring.market_scores(scoring.market_sums(quotes(0), bets(0), DISTRIBUTION_SCORES.conform(old)))
        assert set(found["score"]) == {"CRPS_LESS_LINE", "WITHIN_80"}

    def test_of_lines_that_never_moved_say_nothing_of_how_many_bets_it_takes(self):
        found = scores(scoring.market_sums(quotes(0), bets(12, clv_points=0.0), spreads(0))).loc[
            ("CLV_POINTS", Basis.CLOSE)
        ]
        assert found["value"] == 0
        assert pd.isna(found["needed"])

    def test_of_a_date_do_not_depend_on_the_other_dates_of_a_run(self):
        rows = pd.concat([quotes(5), quotes(30, "rebounds").iloc[20:]])
        day, later = date(2025, 11, 5), date(2025, 11, 28)
        alone, both = (scoring.market_board(rows, bets(0), spreads(0), days) for days in ([day], [day, later]))
        same = both[both["game_date"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(same, alone)

    def test_as_of_a_date_know_nothing_of_later_ones(self):
        day = date(2025, 11, 12)
        board = MARKET_SCORES.validate(
            scoring.market_board(quotes(30), bets(30), spreads(30), [day, day + timedelta(9)])
        )
        known = lambda frame: frame[frame["game_date"] <= pd.Timestamp(day)]
        cut = scoring.market_board(known(quotes(30)), known(bets(30)), known(spreads(30)), [day])
        mine = board[board["game_date"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, MARKET_SCORES.validate(cut))
        week = mine[(mine["span"] == "LAST_7_DAYS") & (mine["score"] == "CLV_EV")].iloc[0]
        assert (week["dates"], week["rows"]) == (7, 42)
        assert pd.isna(week["low"])
