"""Claims: sentences that the evidence allows, and words that nothing else may use."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain.claims import (
    EVIDENCE_SQL,
    FEWEST_GAMES,
    FEWEST_QUOTES,
    claims,
    of_running_versions,
    unbacked,
)
from nba_props.facts.markets import ALL
from nba_props.schemas.predictions import EVIDENCE
from nba_props_tests.domain.scoring.test_market import TODAY, said, stored

FROZEN = date(2026, 11, 30)
ROOT = Path(__file__).parents[2]


def evidence(mean: float, dates: int = 60, games: int = 8, quotes: int = 160, market: str = "points", seed: int = 1):
    """A system whose log-loss is so much more a quote than the consensus'; than the quotes' own by .01 more."""
    rng = np.random.default_rng(seed)
    day = pd.Timestamp(FROZEN) + pd.to_timedelta(1 + np.arange(dates), unit="D")
    off = quotes * (mean + 0.0007 * rng.standard_normal(dates))
    row = {"game_date": day, "system_id": "a", "model_version": "1", "games": games, "quotes": quotes,
           "log_loss": 0.69 * quotes + off, "consensus_log_loss": 0.69 * quotes, "own_log_loss": 0.68 * quotes}  # fmt: skip
    return EVIDENCE.validate(pd.concat([pd.DataFrame({**row, "market": m}) for m in (market, ALL)], ignore_index=True))


def found(rows: pd.DataFrame) -> pd.DataFrame:
    return claims(rows, {"a": FROZEN}).set_index("market")


@pytest.mark.parametrize(
    ("mean", "verdict"), [(-0.001, "better than"), (0.001, "worse than"), (0.0, "not distinguishable from")]
)
def test_enough_evidence_is_a_sentence_with_its_interval(mean, verdict):
    row = found(evidence(mean)).loc[ALL]
    assert row["is_claim"]
    assert (row["games"], row["quotes"], row["dates"]) == (480, 9_600, 60)
    assert row["sentence"].startswith(
        f"a, frozen on 2026-11-30, every market: {verdict} the consensus of the books, log-loss "
    )
    assert (
        f"[{row['low']:+.5f}, {row['high']:+.5f}] on 9,600 quotes of 480 games, 2026-12-01 to 2027-01-29"
        in row["sentence"]
    )


@pytest.mark.parametrize(
    ("lacking", "games", "quotes"),
    [(evidence(-0.001, dates=37), 296, 5_920), (evidence(-0.001, quotes=80), 480, 4_800),
     (evidence(-0.001, dates=9, games=50, quotes=1_000), 450, 9_000)],
    ids=["games", "quotes", "dates"],
)  # fmt: skip
def test_too_little_of_anything_claims_nothing(lacking, games, quotes):
    (row,) = found(lacking).to_dict("records")
    assert not row["is_claim"]
    assert row["sentence"] == (
        f"a, frozen on 2026-11-30: no claim, with {games} of {FEWEST_GAMES} games and {quotes:,} of {FEWEST_QUOTES:,} "
        "quotes that it had published P(over) for in time"
    )


def test_dates_up_to_the_freeze_and_other_systems_do_not_count():
    early = evidence(-0.001).assign(game_date=pd.Timestamp(FROZEN))
    assert found(early).loc[ALL, "games"] == 0
    assert found(evidence(-0.001).assign(system_id="b")).loc[ALL, "games"] == 0
    (row,) = found(evidence(-0.001).iloc[:0]).to_dict("records")
    assert (row["games"], row["is_claim"]) == (0, False)


def test_a_market_is_claimed_where_it_has_the_evidence_itself():
    few = evidence(0.001, market="threes", quotes=20, seed=2)
    rows = found(pd.concat([evidence(-0.001), few[few["market"] == "threes"]]))
    assert rows.index.tolist() == [ALL, "points"]
    assert rows.loc[ALL, "games"] == 480


def test_the_evidence_of_another_version_does_not_count():
    both = pd.concat([evidence(-0.001), evidence(0.1).assign(model_version="2")])
    assert len(of_running_versions(both, {"a": "1"})) == len(evidence(-0.001))
    assert len(of_running_versions(both, {})) == len(both), "a trained system has another version each week"


def test_games_are_counted_once_where_each_market_has_a_model_of_its_own():
    rows = evidence(-0.001)
    both = pd.concat([rows.assign(model_version=f"xgboost/{n}") for n in range(8)])
    row = found(both).loc[ALL]
    assert (row["games"], row["quotes"]) == (480, 8 * 9_600)


@pytest.mark.parametrize(
    ("row", "counted"),
    [({}, 3), ({"is_backfill": True}, 0), ({"is_current": False}, 0), ({"is_valid_line": False}, 0),
     ({"created_at": "2026-01-10T01:00Z"}, 0), ({"over_probability": None}, 0), ({"line": 21.5}, 0)],
)  # fmt: skip
def test_evidence_is_what_was_published_before_the_cut_off_beside_the_consensus_at_its_line(lake, row, counted):
    in_time = {
        "is_backfill": False,
        "created_at": "2026-01-09T12:00Z",
        "cutoff_at": "2026-01-10T00:00Z",
        "model_version": "1",
    }
    given = {**said("a", 20.5, 0.6, 24), **in_time, **row}
    for column in ("created_at", "cutoff_at"):
        given[column] = pd.Timestamp(given[column])
    beside = {**said("market_consensus_v1", 20.5, 0.5, 24), "model_version": "1", "is_backfill": True}
    stored(lake, given, beside)
    rows = EVIDENCE.validate(lake.query(EVIDENCE_SQL, first=TODAY, last=TODAY))
    assert set(rows["market"]) == ({"points", ALL} if counted else set())
    own = rows[rows["market"] == "points"]
    assert own["quotes"].sum() == counted
    if counted:
        assert own["games"].tolist() == [1]
        assert own["log_loss"].sum() == pytest.approx(-3 * np.log(0.6), abs=1e-6)
        assert own["consensus_log_loss"].sum() == pytest.approx(-3 * np.log(0.5), abs=1e-6)


def test_a_quote_without_a_consensus_does_not_count(lake):
    given = {**said("a", 20.5, 0.6, 24), "is_backfill": False, "created_at": pd.Timestamp("2026-01-09T12:00Z"),
             "cutoff_at": pd.Timestamp("2026-01-10T00:00Z")}  # fmt: skip
    stored(lake, given)
    assert lake.query(EVIDENCE_SQL, first=TODAY, last=TODAY).empty


@pytest.mark.parametrize(
    "text",
    ["Our model beats the market.", "It is profitable.\n\nAnother paragraph.", "| xgboost | outperforms |",
     "No doubt it is good; it beats the books.", "a proven edge", "Guaranteed.", "No doubt it beats the market.", "Why not? It beats every book.", "It makes a profit.",
     "It never fails to beat the sportsbooks.", "No question it beats the market.", "It is not just profitable.",
        "It beats bookmakers.", "An edge over bookmakers.", "A way of making money.", "It cannot lose because it is profitable.",
     "It is not slow and it beats the market.", "Not only does it outperform."],
)  # fmt: skip
def test_a_sentence_that_claims_something_is_found(text):
    assert unbacked(text)


@pytest.mark.parametrize(
    "text",
    [
        "So far no system is known to beat the market.",
        "This cannot make a bet profitable.",
        "It has a line.",
        "An unprofitable bet.",
    ],
)
def test_a_denial_is_not_a_claim(text):
    assert not unbacked(text)


PAGES = [
    p for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "nba_props").rglob("*.jinja")))
    if p.name != "claims.md"
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_no_page_claims_more_than_the_ledger(page):
    assert unbacked(page.read_text()) == []


def test_no_text_for_people_claims_more_than_the_ledger():
    """Help texts are in docs/commands.md; these are the descriptions of tables, and what reports and boards print."""
    told = [t.description for t in (*TABLES.values(), *VIEWS.values())]
    printed = [p.read_text() for room in ("presentation", "cli") for p in (ROOT / "nba_props" / room).rglob("*.py")]
    assert [s for text in (*told, *printed) for s in unbacked(text)] == []
