"""``market_consensus_v1``: the median of the books, P(over) at the chosen line, and the rare side worth its price."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from nba_props.domain import consensus, gate
from nba_props.domain.book_lines import book_lines, judged_quotes
from nba_props.domain.features import ABSENT_RISK
from nba_props.domain.lines import chosen_lines
from nba_props.domain.systems import market_consensus
from nba_props.domain.systems.base import SystemInputs
from nba_props.facts import markets
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES, CONSENSUS
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props_tests.domain.test_consensus import BOOKS, at
from nba_props_tests.domain.test_lines import quotes, resolved, slate


def rows(*quoted: tuple, market: str = "points", risk: float = 0.0, players: int = 1) -> pd.DataFrame:
    """The system's row for each player, of quotes in a market, as the gate takes it."""
    asked, people = [markets.market(market)], slate(*range(1, players + 1))
    given_quotes = quotes(*quoted).assign(market=asked[0].feed_key)
    judged = judged_quotes(people, given_quotes, resolved(*range(1, players + 1)), asked)
    offers = BOOK_LINES.validate(book_lines(judged))
    lines = BETTING_LINES.conform(chosen_lines(people, judged, offers, asked))
    risks = people[["game_date", "game_id", "player_id"]].assign(injury_risk=risk)
    tables = {PLAYER_FEATURES.address: risks, CONSENSUS.address: consensus.rows(offers)}
    return market_consensus.SYSTEM.rows(SystemInputs(lines=lines, tables=tables))


def test_the_median_and_p_over_at_the_chosen_line():
    quoted = [("draftkings", 19.5, -110, -110, 60), *at(20.5, 20.5, 20.5, 20.5)[1:]]
    (row,) = rows(*quoted).to_dict("records")
    median = (19.5 + 3 * 20.5) / 4
    assert (row["line"], row["sportsbook"]) == (19.5, "draftkings")
    assert row["forecast"] == pytest.approx(median)
    assert row["over_probability"] == pytest.approx(norm.cdf((median - 19.5) / (10.5 + 2.25 * 19.5) ** 0.5))
    assert row["abstain_reason"] is None
    assert rows(*at(20.5, 21.0, 20.5, 20.5))["recommendation"].tolist() == ["PASS"], "worth less than its price"


def test_a_side_that_is_worth_more_than_its_price():
    quoted = [("draftkings", 17.5, -105, -115, 60), *at(20.5, 20.5, 20.5, 20.5)[1:]]
    assert rows(*quoted)["recommendation"].tolist() == ["OVER"]


def test_fewer_than_three_engines_abstain_with_the_count():
    (row,) = rows(*at(20.5, 20.5)).to_dict("records")
    assert pd.isna(row["forecast"])
    assert pd.isna(row["over_probability"])
    assert (row["abstain_reason"], row["recommendation"]) == ("TOO_FEW_BOOKS: 2 of 3", "PASS")
    (unquoted,) = rows().to_dict("records")
    assert (unquoted["abstain_reason"], unquoted["recommendation"]) == ("TOO_FEW_BOOKS: 0 of 3", "NO_LINE")


def test_a_player_who_is_reported_out_has_no_forecast():
    (row,) = rows(*at(20.5, 20.5, 20.5), risk=ABSENT_RISK).to_dict("records")
    assert row["abstain_reason"] == "REPORTED_ABSENT"


def test_a_median_below_zero_is_a_forecast_of_zero_and_keeps_its_chance():
    quoted = [(book, 0.5, 900, -1500, 60) for book in BOOKS]
    (row,) = rows(*quoted, market="blocks").to_dict("records")
    assert row["forecast"] == 0
    own = (100 / 1000) / (100 / 1000 + 1500 / 1600)
    assert row["over_probability"] == pytest.approx(own)


@pytest.mark.parametrize("market", markets.keys())
def test_no_row_is_held_back_by_the_gate(market):
    """Whatever the books write: 200 players with three to five books each, any lines, any prices."""
    draw = np.random.default_rng(markets.keys().index(market))
    prices = np.r_[-1500:-99, 100:1501]
    quoted = [
        (book, draw.integers(1, 90) / 2, int(draw.choice(prices)), int(draw.choice(prices)), 60, player)
        for player in range(1, 201)
        for book in BOOKS[: draw.integers(3, 6)]
    ]
    made = rows(*quoted, market=market, players=200)
    problems = gate.prediction_problem(made.assign(line_problem=None, stands_in=made["system_id"]))
    assert problems.isna().all(), made[problems.notna()].iloc[0].to_dict()
    assert made["forecast"].notna().all()
    assert made["over_probability"].notna().all()
    assert set(made["recommendation"]) == {"OVER", "UNDER", "PASS"}
