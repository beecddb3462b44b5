"""The gate on generated claims: no invalid line passes, no honest row is held back."""

from __future__ import annotations

from datetime import date

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import digests, gate
from nba_props.domain.lines import claimed_lines_sql
from nba_props.domain.views.ledger import CURRENT_PREDICTIONS, judged_sql
from nba_props.facts import markets
from nba_props.facts.digest import digest
from nba_props.facts.markets import SENTINELS
from nba_props.schemas import predictions
from nba_props_tests.frames import Frames

DAY = pd.Timestamp("2025-11-05")
CUTOFF = pd.Timestamp("2025-11-06T00:00Z")
N = 30_000
SYSTEM = TABLES["nba_predictions.moving_average"]


PREDICTION_ID = "ccaa58af2ed83fbf1e8c4f91d69eddc4"
QUARANTINE_ID, OLDER_ID = "34e3924fb52b903987e6d6a7f4d601ce", "ca104fb1e4ac8d564436f41705a42d6c"


def quotes(n: int) -> pd.DataFrame:
    """Quotes with lines on the half-point grid, genuine 20.0 among them, every tenth in play."""
    i = np.arange(n)
    in_play = i % 10 == 9
    snapshot = CUTOFF + pd.to_timedelta(np.where(in_play, 30, -30 - i % 600), unit="min")
    return pd.DataFrame(
        {
            "game_date": DAY, "quote_id": [f"q{k}" for k in i], "game_id": [f"{22500000 + k % 12:010d}" for k in i],
            "event_id": "e", "bookmaker": np.where(i % 7 == 6, "prizepicks", "draftkings"),
            "book_kind": np.where(i % 7 == 6, "DFS", "SPORTSBOOK"), "market": "player_points",
            "source_name": [f"Player {k}" for k in i], "player_lookup": [f"player{k}" for k in i],
            "line": np.where(i % 13 == 0, 20.0, 0.5 + (i % 80) / 2), "over_price": -110 - i % 30,
            "under_price": 100 + i % 30, "snapshot_at": snapshot, "last_update_at": snapshot, "commence_at": CUTOFF,
            "cutoff_at": CUTOFF, "minutes_before_game": (CUTOFF - snapshot).total_seconds() / 60, "is_in_play": in_play,
            "payload": "p", "data_source": "THE_ODDS_API",
        }
    )  # fmt: skip


def resolved(q: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "game_date": DAY, "game_id": q["game_id"], "source": "THE_ODDS_API", "source_name": q["source_name"],
            "player_id": np.arange(len(q)) + 1, "player_name": q["source_name"], "player_lookup": q["player_lookup"],
            "method": "EXACT", "score": np.nan, "quotes": 1,
        }
    )  # fmt: skip


def honest(q: pd.DataFrame) -> pd.DataFrame:
    """One claim per quote, copied from it faithfully."""
    n = len(q)
    return pd.DataFrame(
        {
            "game_date": DAY, "game_id": q["game_id"], "player_id": np.arange(n) + 1, "player_name": q["source_name"],
            "player_lookup": q["player_lookup"], "market": "points", "system_id": "moving_average", "model_version": "1",
            "forecast": 12.0, "confidence_score": 0.5, "over_probability": 0.5, "recommendation": "PASS", "line_margin": 12.0 - q["line"],
            "abstain_reason": None, "components": "{}", "feature_hash": "0", "cutoff_at": CUTOFF, "has_prop_line": True,
            "line_source": "ACTUAL_PROP", "line_source_api": "ODDS_API", "sportsbook": q["bookmaker"],
            "quote_id": q["quote_id"], "line": q["line"], "over_price": q["over_price"].astype("Int64"),
            "under_price": q["under_price"].astype("Int64"), "line_minutes_before_game": q["minutes_before_game"],
        }
    )  # fmt: skip


NO_LINE = {
    "has_prop_line": False, "line_source": "NO_PROP_LINE", "line_source_api": None, "sportsbook": None, "quote_id": None,
    "line": np.nan, "over_price": pd.NA, "under_price": pd.NA, "line_minutes_before_game": np.nan,
    "recommendation": "NO_LINE", "line_margin": np.nan,
}  # fmt: skip


def judge(lake: Frames, q: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    day = [DAY.date()]
    lake.write(TABLES["nba_raw.odds_quotes"], q, day)
    lake.write(TABLES["nba_reference.resolved_names"], resolved(q), day)
    lake.write(SYSTEM, SYSTEM.conform(claims[SYSTEM.column_names]), day)
    return lake.query(claimed_lines_sql(f"(SELECT * FROM {SYSTEM.address})"), first=day[0], last=day[0])


def test_a_valid_line_has_a_verified_quote_and_a_row_without_a_line_has_none(lake):
    q = quotes(3)
    claims = honest(q)
    claims.loc[1, list(NO_LINE)] = list(NO_LINE.values())
    claims.loc[2, "line"] += 0.5
    judge(lake, q, claims)
    rows = f"(SELECT *, feature_hash AS prediction_id, FALSE AS is_backfill, cutoff_at AS created_at FROM {SYSTEM.address})"
    found = lake.query(judged_sql(rows), **ON_DAY).set_index("player_id").loc[claims["player_id"]]
    assert list(found["is_valid_line"]) == [True, False, False]
    assert list(found["line_problem"].isna()) == [True, True, False]
    assert found["is_current"].all()


def corruptions(rng: np.random.Generator):
    """Each way a writer goes wrong, and the reasons it may be held back for."""
    sentinel = lambda n: rng.choice(SENTINELS[:3], n)
    return {
        "20.0 without quote": (lambda n: {"line": 20.0, "quote_id": None}, {"PLACEHOLDER_LINE"}),
        "sentinel without source": (lambda n: {"line": sentinel(n), "line_source": None}, {"PLACEHOLDER_LINE"}),
        "no source": (lambda n: {"line_source": None, "line": 11.5}, {"NO_SOURCE"}),
        "estimated": (lambda n: {"line_source": "ESTIMATED_AVG", "line": 11.5}, {"UNKNOWN_SOURCE"}),
        "null line": (lambda n: {"line": np.nan}, {"MISSING_LINE"}),
        "made-up quote": (lambda n: {"quote_id": "made-up", "line": 11.5}, {"NO_QUOTE"}),
        "line moved by half": (lambda n: {"line": "+0.5"}, {"LINE_MISMATCH", "PLACEHOLDER_LINE"}),
        "price changed": (lambda n: {"over_price": -999}, {"PRICE_MISMATCH"}),
        "price missing": (lambda n: {"under_price": pd.NA}, {"PRICE_MISMATCH"}),
        "other book": (lambda n: {"sportsbook": "fanduel"}, {"BOOK_MISMATCH"}),
        "null book": (lambda n: {"sportsbook": None}, {"BOOK_MISMATCH"}),
        "flag down": (lambda n: {"has_prop_line": False}, {"CONTRADICTORY_LINE"}),
        "another's quote": (lambda n: {"player_id": 10_000_000}, {"QUOTE_OF_ANOTHER"}),
        "another game": (lambda n: {"game_id": "0022599999"}, {"QUOTE_OF_ANOTHER"}),
        "another market": (lambda n: {"market": "another"}, {"QUOTE_OF_ANOTHER"}),
        "no market": (lambda n: {"market": None}, {"QUOTE_OF_ANOTHER"}),
        "a market nobody knows": (lambda n: {"market": "dunks"}, {"QUOTE_OF_ANOTHER"}),
        "line on a row without one": (lambda n: {**NO_LINE, "line": 11.5}, {"CONTRADICTORY_LINE"}),
        "20.0 on a row without one": (lambda n: {**NO_LINE, "line": 20.0}, {"PLACEHOLDER_LINE"}),
        "no cut-off": (lambda n: {"cutoff_at": pd.NaT}, {"NO_CUTOFF"}),
        "off every scale": (lambda n: {"forecast": 91.0}, {"INVALID_PREDICTION"}),
        "off the scale of its market": (lambda n: {"forecast": "above"}, {"INVALID_PREDICTION"}),
        "no points, no reason": (
            lambda n: {"forecast": np.nan, "confidence_score": np.nan},
            {"INVALID_PREDICTION"},
        ),
        "confidence in percent": (lambda n: {"confidence_score": 52.0}, {"INVALID_CONFIDENCE"}),
        "probability in percent": (lambda n: {"over_probability": 52.0}, {"INVALID_CONFIDENCE"}),
        "HOLD": (lambda n: {"recommendation": "HOLD"}, {"INVALID_RECOMMENDATION"}),
        "NO_LINE beside a line": (lambda n: {"recommendation": "NO_LINE"}, {"INVALID_RECOMMENDATION"}),
        "no version": (lambda n: {"model_version": None}, {"MISSING_KEY"}),
    }


def test_no_invalid_row_passes_and_no_valid_row_is_held_back(lake):
    rng = np.random.default_rng(7)
    # every market, by main and alternate lines
    market = np.array(markets.keys(), dtype=object)[np.arange(N) % 10]
    feed_keys = [markets.market(m).feed_keys[n % 3 == 0] for n, m in enumerate(market)]
    q = quotes(N).assign(market=feed_keys)
    claims = honest(q).assign(market=market, forecast=5.0)
    without = rng.random(N) < 0.2
    claims.loc[without, list(NO_LINE)] = list(NO_LINE.values())
    kinds = corruptions(rng)
    damaged = rng.random(N) < 0.5
    kind = np.where(damaged, rng.choice(list(kinds), N), "")
    for name, (change, _) in kinds.items():
        at = (kind == name) & ~without
        for column, value in change(int(at.sum())).items():
            changed = {
                "+0.5": lambda old: old + 0.5,
                "above": lambda _, at=at: [markets.market(m).ceiling + 0.5 for m in market[at]],
                "another": lambda _, at=at: ["points" if m != "points" else "rebounds" for m in market[at]],
            }.get(value if isinstance(value, str) else "")
            claims.loc[at, column] = changed(claims.loc[at, column]) if changed else value
    kind = np.where(without, "", kind)

    published, held = gate.split(judge(lake, q, claims))
    assert len(published) + len(held) == N

    lawful = without | ((kind == "") & ~q["is_in_play"] & (q["bookmaker"] == "draftkings"))
    assert set(published["player_id"]) == set(claims.loc[lawful, "player_id"])
    genuine = published[(published["line"] == 20.0)]
    assert len(genuine) > 300, "verified lines of exactly 20.0 pass"

    reason = held.assign(index=held["player_name"].str.removeprefix("Player ").astype(int)).set_index("index")["reason"]
    for name, (_, expected) in kinds.items():
        rows = np.flatnonzero((kind == name) & ~q["is_in_play"] & (q["bookmaker"] == "draftkings"))
        found = set(reason.loc[rows])
        assert found, name
        assert found <= expected, name
    untouched = np.flatnonzero((kind == "") & ~without & q["is_in_play"] & (q["bookmaker"] == "draftkings"))
    assert set(reason.loc[untouched]) == {"IN_PLAY_QUOTE"}
    dfs = np.flatnonzero((kind == "") & ~without & (q["bookmaker"] == "prizepicks"))
    assert set(reason.loc[dfs]) == {"BOOK_NOT_ALLOWED"}
    assert held["detail"].notna().all()
    assert set(held["reason"]) <= set(gate.REASONS)


def test_what_passes_fits_the_ledger_and_what_is_held_back_its_quarantine(lake):
    q = quotes(50)
    claims = honest(q)
    claims.loc[3, "line"] = 20.0
    published, held = gate.split(judge(lake, q, claims))
    now = pd.Timestamp("2025-11-05T20:00Z")
    stamped = published.assign(run_id="r", created_at=now, is_backfill=False)
    predictions.LEDGER.validate(digests.sealed(predictions.LEDGER, stamped))
    predictions.QUARANTINED_PREDICTIONS.validate(held.assign(run_id="r", quarantined_at=now))


def test_two_rows_of_one_system_for_one_player_are_both_held_back(lake):
    q = quotes(3)
    claims = pd.concat([honest(q), honest(q).head(1).assign(forecast=30.0)], ignore_index=True)
    published, held = gate.split(judge(lake, q, claims))
    assert len(published) == 2
    assert held["reason"].tolist() == ["DUPLICATE", "DUPLICATE"]


@pytest.mark.parametrize(("rec", "points"), [("OVER", 5.0), ("UNDER", 30.0)])
def test_a_side_against_its_own_margin_is_held_back(lake, rec, points):
    q = quotes(1).assign(line=12.5)
    published, held = gate.split(judge(lake, q, honest(q).assign(recommendation=rec, forecast=points)))
    assert published.empty
    assert held["reason"].tolist() == ["INVALID_RECOMMENDATION"]


def test_points_have_the_ids_of_releases_without_markets_and_other_markets_have_others(lake):
    q = quotes(1)
    ids = {}
    for market in ("points", "rebounds"):
        published, held = gate.split(
            judge(lake, q.assign(market=markets.market(market).feed_key), honest(q).assign(market=market))
        )
        assert held.empty
        row = published.iloc[0]
        key = [str(row[c]) for c in predictions.LEDGER_KEY]
        assert row["prediction_id"] == digest("\x1f".join([*key, *([market] * (market != "points"))]))
        ids[market] = row["prediction_id"]
    assert ids["points"] != ids["rebounds"]
    bad = [honest(q).assign(market=m, line=20.0, quote_id=None) for m in ("points", "rebounds")]
    first, second = (gate.split(judge(lake, q, claim))[1].iloc[0] for claim in bad)
    assert first["reason"] == second["reason"] == "PLACEHOLDER_LINE"
    texts = ["" if pd.isna(v) else str(v) for n, v in first.items() if n not in ("quarantine_id", "market")]
    assert first["quarantine_id"] == digest("\x1f".join(texts)) != second["quarantine_id"]


def test_a_row_without_a_line_needs_a_market_of_ours(lake):
    q = quotes(3)
    claims = honest(q).assign(**NO_LINE, market=["assists", "dunks", None])
    published, held = gate.split(judge(lake, q, claims))
    assert published["market"].tolist() == ["assists"]
    assert held["reason"].tolist() == ["MISSING_KEY", "MISSING_KEY"]


def test_the_prediction_id_is_the_key_and_nothing_else(lake):
    q = quotes(2)
    one, _ = gate.split(judge(lake, q, honest(q)))
    two, _ = gate.split(judge(lake, q, honest(q).assign(forecast=13.0)))
    three, _ = gate.split(judge(lake, q, honest(q).assign(feature_hash="1")))
    assert one["prediction_id"].tolist() == two["prediction_id"].tolist()
    assert not set(one["prediction_id"]) & set(three["prediction_id"])
    assert date(2025, 11, 5) == one["game_date"][0].date()


CEILING = markets.market("points").ceiling
ABSTAINS = {"forecast": np.nan, "confidence_score": np.nan, "abstain_reason": "NO_HISTORY"}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, None),
        ({"forecast": 0.0}, None),
        ({"forecast": CEILING}, None),
        ({"forecast": -0.1}, "INVALID_PREDICTION"),
        ({"forecast": CEILING + 0.1}, "INVALID_PREDICTION"),
        ({"abstain_reason": "NO_HISTORY"}, "INVALID_PREDICTION"),
        ({**ABSTAINS, "abstain_reason": None}, "INVALID_PREDICTION"),
        (ABSTAINS, None),
        ({**ABSTAINS, "recommendation": "OVER"}, "INVALID_RECOMMENDATION"),
        ({**ABSTAINS, "recommendation": "UNDER"}, "INVALID_RECOMMENDATION"),
        ({**ABSTAINS, "confidence_score": 0.5}, "INVALID_CONFIDENCE"),
        ({**ABSTAINS, "over_probability": 1.01}, "INVALID_CONFIDENCE"),
        ({"confidence_score": 0.0}, None),
        ({"confidence_score": 1.0}, None),
        ({"confidence_score": -0.01}, "INVALID_CONFIDENCE"),
        ({"confidence_score": 1.01}, "INVALID_CONFIDENCE"),
        ({"confidence_score": np.nan}, "INVALID_CONFIDENCE"),
        ({"over_probability": 0.0}, None),
        ({"over_probability": 1.0}, None),
        ({"over_probability": np.nan}, None),
        ({"over_probability": -0.01}, "INVALID_CONFIDENCE"),
        ({"over_probability": 1.01}, "INVALID_CONFIDENCE"),
        ({"line": 12.0, "recommendation": "OVER"}, None),
        ({"line": 11.5, "recommendation": "OVER"}, None),
        ({"line": 12.5, "recommendation": "OVER"}, "INVALID_RECOMMENDATION"),
        ({"line": 12.0, "recommendation": "UNDER"}, None),
        ({"line": 12.5, "recommendation": "UNDER"}, None),
        ({"line": 11.5, "recommendation": "UNDER"}, "INVALID_RECOMMENDATION"),
        ({"recommendation": None}, "INVALID_RECOMMENDATION"),
        ({"recommendation": "NO_LINE"}, "INVALID_RECOMMENDATION"),
        (NO_LINE, None),
        ({**NO_LINE, **ABSTAINS}, None),
        ({**NO_LINE, "recommendation": "PASS"}, "INVALID_RECOMMENDATION"),
        *(({name: None}, "MISSING_KEY") for name in ("game_id", "player_id", "player_name", "player_lookup")),
        *(({name: None}, "MISSING_KEY") for name in ("system_id", "model_version", "feature_hash", "market")),
        ({"market": "dunks", "forecast": -1.0}, "MISSING_KEY"),
        ({"stands_in": "moving_average"}, None),
        ({"stands_in": "another", "forecast": -1.0}, "WRONG_SYSTEM"),
        ({"line_problem": "NO_QUOTE", "feature_hash": None, "recommendation": "HOLD"}, "NO_QUOTE"),
        ({"forecast": -1.0, "confidence_score": 2.0, "recommendation": "HOLD"}, "INVALID_PREDICTION"),
        ({"confidence_score": 2.0, "recommendation": "HOLD"}, "INVALID_CONFIDENCE"),
    ],
)
def test_a_row_has_the_first_problem_that_holds(values, problem):
    """At each limit, and on both sides of it."""
    row = SYSTEM.conform(honest(quotes(1)))
    changed = {"line_problem": None, **values}
    row = row.assign(**{k: pd.Series([v], dtype=object if v is None else None) for k, v in changed.items()})
    assert gate.prediction_problem(row).tolist() == [problem]
    published, held = gate.split(row)
    assert (len(published), len(held)) == ((1, 0) if problem is None else (0, 1))
    assert held["detail"].tolist() == ([gate.REASONS[problem]] if problem else [])
    assert not {"line_problem", "stands_in"} & {*published, *held}


def test_rows_are_duplicates_by_system_player_game_and_market():
    row = honest(quotes(1)).assign(line_problem=None)
    others = [
        {"system_id": "ensemble_v1"},
        {"player_id": 9},
        {"game_id": "0022500099"},
        {"market": "assists", "forecast": 5.0},
    ]
    assert gate.prediction_problem(pd.concat([row, *(row.assign(**o) for o in others)], ignore_index=True)).isna().all()
    twice = pd.concat([row, row.assign(feature_hash="1", model_version="2", quote_id="z")], ignore_index=True)
    assert gate.prediction_problem(twice).tolist() == ["DUPLICATE"] * 2
    assert gate.split(twice)[1]["detail"].tolist() == [gate._PREDICTION_PROBLEMS["DUPLICATE"]] * 2


def test_ids_are_those_of_every_release_before():
    """A row that is published or held back again is known again."""
    row = SYSTEM.conform(honest(quotes(1))).assign(line_problem=None)
    published, _ = gate.split(row)
    assert published["prediction_id"].tolist() == [PREDICTION_ID]
    _, held = gate.split(pd.concat([row.assign(line_problem="NO_QUOTE")] * 2))
    assert held["quarantine_id"].tolist() == [QUARANTINE_ID], "and once"
    _, older = gate.split(row.assign(forecast=-1.0))
    assert older["quarantine_id"].tolist() == [OLDER_ID], "its words were others then"
    assert older["detail"].tolist() == [gate.REASONS["INVALID_PREDICTION"]]
    assert set(gate._IN_IDS) == set(gate.REASONS)


STANDING = pd.DataFrame(
    [
        {"game_id": game, "market": market, "player_id": player, "system_id": system, "line": 20.5, "sportsbook": "fanduel"}
        for game in "gh" for market in ("points", "assists") for player in (1, 2) for system in "st"
    ]
).assign(abstain_reason=None)  # fmt: skip
ONE = (STANDING["game_id"] == "g") & (STANDING["market"] == "points") & (STANDING["player_id"] == 1)
ITS_MARKET = (STANDING["game_id"] == "g") & (STANDING["market"] == "points")


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ({}, {}, None),
        ({}, {"line": 20.97}, None),
        ({}, {"line": 20.1}, None),
        ({}, {"line": 21.0}, ITS_MARKET),
        ({}, {"line": 20.0}, ITS_MARKET),
        ({}, {"line": 9.5}, ITS_MARKET),
        ({}, {"sportsbook": "draftkings"}, ITS_MARKET),
        ({}, {"line": None, "sportsbook": None}, ITS_MARKET),
        ({"line": None, "sportsbook": None}, {}, ITS_MARKET),
        ({"line": None, "sportsbook": None}, {"line": None, "sportsbook": None}, None),
        ({}, {"line": None}, ITS_MARKET),
        ({"line": None}, {}, ITS_MARKET),
        ({}, {"abstain_reason": "REPORTED_ABSENT"}, STANDING["game_id"] == "g"),
        ({"abstain_reason": "REPORTED_ABSENT"}, {}, STANDING["game_id"] == "g"),
        ({"abstain_reason": "REPORTED_ABSENT"}, {"abstain_reason": "REPORTED_ABSENT"}, None),
        ({}, {"abstain_reason": "NO_HISTORY"}, None),
        ({"abstain_reason": "NO_HISTORY"}, {"abstain_reason": "REPORTED_ABSENT"}, STANDING["game_id"] == "g"),
    ],
)
def test_a_market_of_a_game_is_published_again_when_a_line_of_it_moved(before, after, again):
    current, fresh = (
        STANDING.assign(**{k: STANDING[k].astype(object).mask(ONE, v) for k, v in changed.items()}).astype(
            {"line": float}
        )
        for changed in (before, after)
    )
    expected = again if again is not None else pd.Series(False, index=STANDING.index)
    order = fresh.sample(frac=1, random_state=1)
    found = gate.moved(current, order)
    assert found.index.equals(order.index)
    assert found.sort_index().tolist() == expected.tolist()


@pytest.mark.parametrize("there", [pd.Series(False, index=STANDING.index), ~(ONE & (STANDING["system_id"] == "s"))])
def test_a_market_of_a_game_is_published_when_a_system_has_no_prediction_of_it_yet(there):
    lineless = STANDING.assign(line=np.nan, sportsbook=None)
    expected = ITS_MARKET if there.any() else pd.Series(True, index=STANDING.index)
    assert gate.moved(lineless[there], lineless).tolist() == expected.tolist()


def test_what_is_held_back_is_reported_by_reason_placeholders_first(lake):
    q = quotes(60)
    claims = honest(q)
    claims.loc[1, ["line", "quote_id"]] = [20.0, None]
    claims.loc[2, ["line", "line_source"]] = [15.5, None]
    claims.loc[3, "confidence_score"] = 52.0
    claims.loc[4, ["line", "line_source"]] = [11.5, "ESTIMATED_AVG"]
    _, held = gate.split(judge(lake, q, claims))
    said = gate.messages(held, "run-7")
    assert sum(s.rows for s in said) == len(held)
    assert {s.reason for s in said if s.is_placeholder} == {"PLACEHOLDER_LINE", "UNKNOWN_SOURCE"}
    assert [s.is_placeholder for s in said] == sorted((s.is_placeholder for s in said), reverse=True)
    assert all(s.text.endswith("run run-7") for s in said)
    first = next(s for s in said if s.reason == "PLACEHOLDER_LINE")
    assert first.text.startswith("PLACEHOLDER LINE DETECTED: 2 rows, PLACEHOLDER_LINE: a known placeholder value")
    assert "Player 1 20.0 ACTUAL_PROP on 2025-11-05; Player 2 15.5 without a source on 2025-11-05" in first.text
    assert next(s for s in said if s.reason == "INVALID_CONFIDENCE").text.startswith("held back: 1 rows")
    assert gate.messages(held.iloc[:0], "run-7") == []
    assert [(s.reason, s.rows) for s in said if s.is_placeholder] == [("PLACEHOLDER_LINE", 2), ("UNKNOWN_SOURCE", 1)]
    assert [s.rows for s in said if not s.is_placeholder] == [8, 6, 1], "the most first"
    assert next(s for s in said if s.rows == 8).text.count(" on 2025-11-05") == 3, "three examples"
    changed = {"system_id": None, "market": "assists", "line": np.nan, "line_source": None, "player_name": "Z"}
    odd = held.iloc[[0]].assign(**changed)
    later = [odd.assign(player_name="A", game_date=DAY + pd.Timedelta(days=1)), odd.assign(player_name="Y")]
    (one,) = gate.messages(pd.concat([odd, *later]).assign(reason="NO_QUOTE"), "run-7")
    where = "without a line without a source on"
    assert one.text == (
        "held back: 3 rows, NO_QUOTE: no quote with this id exists (no system 3); e.g. "
        f"Y assists {where} 2025-11-05; Z assists {where} 2025-11-05; A assists {where} 2025-11-06; run run-7"
    )
    assert set(gate.PLACEHOLDER_REASONS) < set(gate.REASONS)


LEDGER, ON_DAY = predictions.LEDGER, {"first": DAY.date(), "last": DAY.date()}
#: hash of the inputs and points of three answers
ANSWERS = {"A": ("0", 12.0), "B": ("1", 13.0), "C": ("2", 14.0)}


@pytest.fixture(scope="module")
def answers() -> dict[str, pd.DataFrame]:
    """Each answer about three players, as the gate lets it through."""
    lake, q = Frames(), quotes(3)
    claims = {n: honest(q).assign(feature_hash=h, forecast=points) for n, (h, points) in ANSWERS.items()}
    return {name: gate.split(judge(lake, q, rows))[0] for name, rows in claims.items()}


def standing(lake: Frames) -> pd.DataFrame:
    return lake.query(f"SELECT * FROM {CURRENT_PREDICTIONS.address} WHERE {_DATES}", **ON_DAY)


_DATES = "game_date BETWEEN @first AND @last"


def publish(lake: Frames, answer: pd.DataFrame, hour: int) -> int:
    """Publish an answer so many hours into the day; how many rows were new."""
    now = pd.Timestamp("2025-11-05T12:00Z") + pd.Timedelta(hours=hour)
    rows = answer.assign(run_id=f"run-{hour}", created_at=now, is_backfill=now >= CUTOFF)
    known = lake.query(f"SELECT prediction_id FROM {LEDGER.address} WHERE {_DATES}", **ON_DAY)["prediction_id"]
    return lake.append(LEDGER, gate.renewed(rows, standing(lake), set(known)), [DAY.date()])[DAY.date()][0]


@hypothesis.given(
    names=st.lists(st.text("ABC", min_size=3, max_size=3), min_size=1, max_size=6), start=st.sampled_from([0, 24])
)
@hypothesis.settings(max_examples=5)  # of three players, each with a sequence of his own
def test_the_newest_answer_is_the_current_one_whatever_was_published_before(answers, names, start):
    """Before the cut-off or after it: an injury report that is withdrawn, a correction that is taken back."""
    lake, players = Frames(), sorted(answers["A"]["player_id"])
    before = "---"
    for hour, each in enumerate(names, start):
        rows = pd.concat([a[a["player_id"] == p] for p, a in zip(players, map(answers.get, each), strict=True)])
        assert publish(lake, rows, hour) == sum(new != old for new, old in zip(each, before, strict=True))
        shown = standing(lake).set_index("player_id")["forecast"]
        assert shown.to_dict() == {p: ANSWERS[name][1] for p, name in zip(players, each, strict=True)}
        assert publish(lake, rows, hour) == 0, "the same answer twice"
        before = each
    assert lake.read(LEDGER, [DAY.date()])["prediction_id"].is_unique


def test_an_answer_that_is_current_keeps_its_id_and_any_other_one_has_its_own(answers, lake):
    for hour, name in enumerate("ABA"):
        assert publish(lake, answers[name], hour) == 3
    current, published = standing(lake), answers["A"].assign(is_backfill=False)
    known = set(lake.read(LEDGER, [DAY.date()])["prediction_id"])
    own = published["prediction_id"].tolist()
    assert known > {*own, *current["prediction_id"]}
    assert not set(own) & set(current["prediction_id"]), "A came back under another id"

    def ids(rows: pd.DataFrame, now: pd.DataFrame = current) -> list[str]:
        return gate.renewed(rows, now, known)["prediction_id"].tolist()

    assert sorted(ids(published)) == sorted(current["prediction_id"])
    assert ids(published.assign(forecast=99.0)) == own, "the key of the current one, and another answer: a conflict"
    new = [f"new {n}" for n in range(3)]
    assert ids(published.assign(feature_hash="9", prediction_id=new)) == new
    assert ids(published, current.iloc[:0]) == own, "nothing is replaced"


def test_a_backfill_does_not_replace_what_was_published_in_time(answers, lake):
    assert [publish(lake, answers[n], hour) for hour, n in enumerate("AB")] == [3, 3]
    assert [publish(lake, answers[n], hour) for hour, n in enumerate("ACA", 24)] == [0, 3, 0]
    assert set(standing(lake)["forecast"]) == {ANSWERS["B"][1]}


def test_a_current_row_of_another_writer_is_replaced_though_nobody_knows_when_it_was_published(answers):
    late, current = (
        answers[n].assign(is_backfill=pd.array([f] * 3, dtype="boolean")) for n, f in (("A", True), ("B", None))
    )
    known = {*late["prediction_id"], *current["prediction_id"]}
    assert not set(gate.renewed(late, current, known)["prediction_id"]) & known
    first = gate.renewed(late, current, set(current["prediction_id"]))
    assert first["prediction_id"].tolist() == late["prediction_id"].tolist(), "it was never published, so its id is new"
    in_time = current.assign(is_backfill=False)
    assert gate.renewed(late, in_time, known)["prediction_id"].tolist() == late["prediction_id"].tolist()


def test_an_answer_that_conflicts_with_the_ledger_is_held_back_alone():
    published, held = gate.split(honest(quotes(3)).assign(line_problem=None))
    assert held.empty
    known = published[["prediction_id", *predictions.LEDGER.content]]
    same, none = gate.without_conflicts(published, known)
    assert (len(same), len(none)) == (3, 0)
    points = known["forecast"].to_numpy(copy=True)
    points[0] = np.nextafter(points[0], 99)
    other = known.assign(forecast=points)
    left, conflicting = gate.without_conflicts(published, pd.concat([other, other.assign(prediction_id=None)]))
    assert left["player_id"].tolist() == published["player_id"].tolist()[1:]
    assert conflicting[["player_id", "reason"]].values.tolist() == [[published["player_id"][0], "CONFLICTING_ANSWER"]]
    assert conflicting["detail"].notna().all()
    beside = gate.without_conflicts(published, pd.concat([other, known]))
    assert [len(f) for f in beside] == [3, 0], "a forged row with its id does not make an answer conflict"
    nothing, _ = gate.split(honest(quotes(0)).assign(line_problem=None))
    untyped = known.iloc[:0].astype({"prediction_id": "float64"})  # what a query without rows may give
    for some, there in (
        (nothing, known), (published, known.iloc[:0]), (published.iloc[:0], known.iloc[:0]), (published, untyped),
        (published.iloc[:0], untyped),
    ):  # fmt: skip
        left, conflicting = gate.without_conflicts(some, there)
        pd.testing.assert_frame_equal(left, some)
        assert conflicting.empty
        assert {"reason", "detail", "quarantine_id"} < set(conflicting)


def test_a_row_in_the_table_of_another_system_is_held_back():
    rows = honest(quotes(1)).assign(line_problem=None, stands_in="someone_else")
    published, held = gate.split(rows)
    assert published.empty
    assert held["reason"].tolist() == ["WRONG_SYSTEM"]
    published, held = gate.split(rows.assign(stands_in=rows["system_id"]))
    assert (len(published), len(held)) == (1, 0)
    assert "stands_in" not in published
