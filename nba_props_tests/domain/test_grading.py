"""Every outcome, every void, and the accounts: as many grades as predictions, each change on record."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.domain import grading
from nba_props.domain.grading import FanOut
from nba_props.schemas import analytics, raw
from nba_props.schemas.predictions import GRADE_HISTORY, LEDGER, PREDICTION_ACCURACY

DAY = pd.Timestamp("2025-11-05")
NOW = pd.Timestamp("2025-11-06T12:00Z")
GRADE_ID, NEXT_GRADE_ID = "891112e16ea04fe01c4aa5fb5e57f8a1", "7279cda9796c1ecd7f2fb9a746e1b713"
ME, GAME, OTHER_GAME = 7, "0022500001", "0022500002"


def prediction(**values) -> dict:
    base = {
        "game_date": DAY, "game_id": GAME, "player_id": ME, "player_name": "A", "player_lookup": "a", "market": "points", "system_id": "s",
        "model_version": "1", "forecast": 24.0, "confidence_score": 0.55, "over_probability": np.nan,
        "recommendation": "OVER", "line_margin": 1.5, "abstain_reason": None, "components": "{}", "feature_hash": "0",
        "cutoff_at": NOW, "has_prop_line": True, "line_source": "ACTUAL_PROP", "line_source_api": "ODDS_API",
        "sportsbook": "draftkings", "quote_id": "q", "line": 22.5, "over_price": -110, "under_price": -120,
        "line_minutes_before_game": 60.0, "prediction_id": "p", "run_id": "r", "created_at": NOW, "is_backfill": False,
        "row_digest": None, "line_problem": None, "is_current": True,
    }  # fmt: skip
    claim = {**base, **values}
    return {**claim, "is_valid_line": claim["line_problem"] is None and claim["line_source"] == "ACTUAL_PROP"}


def ledger(*rows: dict) -> pd.DataFrame:
    numbered = [
        {"prediction_id": f"p{i}", **r} if r.get("prediction_id", "p") == "p" else r for i, r in enumerate(rows)
    ]
    frame = pd.DataFrame([{**r, "prediction_id": f"p{i}"} for i, r in enumerate(numbered)])
    assert set(LEDGER.column_names) <= set(frame)
    return frame


def schedule(status: int = 3, postponed: bool = False, games=(GAME,)) -> pd.DataFrame:
    frame = pd.DataFrame({"game_date": DAY, "game_id": list(games), "status": status, "is_postponed": postponed})
    return frame.assign(home_team_id=1, away_team_id=2, home_score=None, away_score=None)


def box(*rows: dict) -> pd.DataFrame:
    empty = {c.name: 0 for c in raw.BOX_SCORE_STATS} | {"plus_minus": 0, "game_date": DAY, "game_id": GAME}
    empty |= {"team_id": 1, "won": True}
    rest_of_the_team = {"player_id": 99, "points": 10, "minutes": 240, "fga": 8}
    opponents = {"player_id": 97, "points": 9, "minutes": 240, "team_id": 2, "won": False}
    return pd.DataFrame([{**empty, **r} for r in (rest_of_the_team, opponents, *rows)])


def played(points: int, minutes: int = 30, **more) -> dict:
    return {"player_id": ME, "points": points, "minutes": minutes, **more}


LINES = pd.DataFrame(
    [{"game_date": DAY, "game_id": GAME, "player_id": ME, "market": "points", "quote_id": "q", "best_over_price": 105, "best_under_price": -105}]
)  # fmt: skip
AVERAGES = pd.DataFrame([{"game_date": DAY, "player_id": ME, "market": "points", "avg_last_10": 21.0}])


def graded(rows: pd.DataFrame, games: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    out = grading.grade(rows, games, boxes, LINES, AVERAGES, NOW)
    assert len(out) == len(rows)
    return PREDICTION_ACCURACY.validate(out)


NO_BOX = box().iloc[:0]


@pytest.mark.parametrize(
    ("claim", "games", "boxes", "outcome", "reason"),
    [
        ({}, schedule(), box(played(23)), "WIN", None),
        ({}, schedule(), box(played(22)), "LOSS", None),
        ({"recommendation": "UNDER"}, schedule(), box(played(22)), "WIN", None),
        ({"recommendation": "UNDER"}, schedule(), box(played(23)), "LOSS", None),
        ({"line": 22.0}, schedule(), box(played(22)), "PUSH", None),
        ({"recommendation": "PASS"}, schedule(), box(played(23)), "NO_BET", None),
        ({"recommendation": "NO_LINE", "line": np.nan}, schedule(), box(played(23)), "NO_BET", None),
        ({"recommendation": "PASS", "forecast": np.nan}, schedule(), box(played(23)), "NO_BET", None),
        # did not play: no row in the game's box score
        ({}, schedule(), box(), "VOID", "DID_NOT_PLAY"),
        ({"recommendation": "PASS"}, schedule(), box(), "VOID", "DID_NOT_PLAY"),
        # no points are a result: a row of zeroes is somebody who played some seconds
        ({}, schedule(), box(played(0, 0)), "LOSS", None),
        ({"recommendation": "UNDER"}, schedule(), box(played(0, 0, plus_minus=0)), "WIN", None),
        ({"recommendation": "PASS"}, schedule(), box(played(0, 0)), "NO_BET", None),
        ({}, schedule(), box(played(0, 12)), "LOSS", None),
        ({"recommendation": "UNDER"}, schedule(), box(played(0, 0, pf=1)), "WIN", None),
        ({"recommendation": "UNDER"}, schedule(), box(played(0, 0, plus_minus=-2)), "WIN", None),
        # pending: no box score of the game yet, whatever other games have
        ({}, schedule(), NO_BOX, "PENDING", None),
        ({}, schedule(1), NO_BOX, "PENDING", None),
        ({}, schedule(2), box(played(23)).assign(won=None), "PENDING", None),
        ({}, schedule(games=(GAME, OTHER_GAME)), box(played(23)).assign(game_id=OTHER_GAME), "PENDING", None),
        # a box score landed before the schedule had the game as over
        ({}, schedule(1), box(played(23)), "WIN", None),
        ({}, schedule(postponed=True), NO_BOX, "VOID", "POSTPONED"),
        ({}, schedule(postponed=True), box(played(23)), "VOID", "POSTPONED"),
        ({}, schedule(games=(OTHER_GAME,)), NO_BOX, "VOID", "GAME_MOVED"),
        ({}, schedule(games=(OTHER_GAME,)), box(played(23)), "WIN", None),  # the schedule is behind
        # what nobody counts gives no bet on a player who played: he did not play elsewhere
        ({"market": "dunks"}, schedule(), box(played(23, fg3m=30)), "NO_BET", None),
        ({"market": "dunks"}, schedule(), box(), "VOID", "DID_NOT_PLAY"),
        ({"market": "dunks"}, schedule(), NO_BOX, "PENDING", None),
        ({"market": "rebounds", "line": 4.5}, schedule(), box(played(1, oreb=2, dreb=3)), "WIN", None),
        ({"recommendation": "OVER", "line": np.nan}, schedule(), box(played(23)), "NO_BET", None),
        ({"recommendation": None}, schedule(), box(played(23)), "NO_BET", None),
        # traded: quoted for the old team's game, on court for the new one
        (
            {},
            schedule(games=(GAME, OTHER_GAME)),
            pd.concat([box(), box(played(30)).assign(game_id=OTHER_GAME)]).drop_duplicates(["game_id", "player_id"]),
            "VOID",
            "PLAYED_ELSEWHERE",
        ),
        # an invalid line is graded like any other, and classified
        ({"line": 20.0, "line_problem": "PLACEHOLDER_LINE"}, schedule(), box(played(8)), "LOSS", None),
    ],
)  # fmt: skip
def test_outcomes(claim, games, boxes, outcome, reason):
    row = graded(ledger(prediction(**claim)), games, boxes).iloc[0]
    assert (row["outcome"], row["void_reason"]) == (outcome, reason)
    assert row["is_valid_line"] == (claim.get("line_problem") is None)
    decided = outcome in ("WIN", "LOSS")
    assert pd.isna(row["profit"]) or outcome != "NO_BET"
    assert pd.notna(row["prediction_correct"]) == decided
    if decided:
        assert row["prediction_correct"] == (outcome == "WIN")
    if outcome in ("VOID", "PENDING") or row["market"] == "dunks":
        assert pd.isna(row["result"])
        assert row[["minutes_played", "within_3", "within_5", "line_absolute_error"]].isna().all()
        assert np.isnan(row["absolute_error"])
        assert np.isnan(row["actual_margin"])


PAYLOAD, OLDER = "2025-11-05-regular-season-20251106T100000Z.json", "2025-11-05-regular-season.json"


@pytest.mark.parametrize(
    ("payload", "game", "player", "outcome"),
    [
        (PAYLOAD, GAME, ME, "PENDING"),
        (PAYLOAD, GAME, None, "PENDING"),  # it may be his
        (PAYLOAD, None, ME, "PENDING"),
        (PAYLOAD, None, None, "PENDING"),
        (PAYLOAD, GAME, 98, "VOID"),
        (PAYLOAD, None, 98, "VOID"),
        (PAYLOAD, OTHER_GAME, ME, "VOID"),
        (PAYLOAD, OTHER_GAME, None, "VOID"),
        (OLDER, GAME, ME, "VOID"),  # the newer capture has no such row any more
        (OLDER, None, None, "VOID"),
    ],
)
def test_a_player_whose_row_is_held_back_did_not_sit_out(payload, game, player, outcome):
    refused = pd.DataFrame(
        {"game_date": [DAY], "payload": payload, "game_id": [game], "player_id": pd.array([player], dtype="Int64")}
    )
    both = pd.concat([refused, refused])
    for boxes, expected in ((box(), outcome), (box(played(23)), "WIN"), (NO_BOX, "PENDING")):
        landed = boxes.assign(payload=PAYLOAD)
        out = PREDICTION_ACCURACY.validate(
            grading.grade(ledger(prediction()), schedule(), landed, LINES, AVERAGES, NOW, both)
        )
        assert out["outcome"].tolist() == [expected]
        assert out["void_reason"].tolist() == ["DID_NOT_PLAY" if expected == "VOID" else None]


def test_who_played_elsewhere_is_void_whatever_is_held_back_of_the_game():
    payload = {"payload": PAYLOAD}
    refused = pd.DataFrame([{"game_date": DAY, **payload, "game_id": GAME, "player_id": ME}]).astype(
        {"player_id": "Int64"}
    )
    boxes = pd.concat([box(), box(played(30)).assign(game_id=OTHER_GAME)]).drop_duplicates(["game_id", "player_id"])
    games = schedule(games=(GAME, OTHER_GAME))
    out = grading.grade(ledger(prediction()), games, boxes.assign(**payload), LINES, AVERAGES, NOW, refused)
    assert out[["outcome", "void_reason"]].to_numpy().tolist() == [["VOID", "PLAYED_ELSEWHERE"]]


def test_errors_margins_and_money():
    rows = ledger(prediction(), prediction(recommendation="UNDER"), prediction(recommendation="PASS"))
    over, under, none = (r for _, r in graded(rows, schedule(), box(played(26))).iterrows())
    assert over["result"] == 26
    assert over["minutes_played"] == 30
    assert (over["absolute_error"], over["signed_error"]) == (2.0, -2.0)
    assert (over["predicted_margin"], over["actual_margin"]) == (1.5, 3.5)
    assert (over["line_absolute_error"], over["last_10_absolute_error"]) == (3.5, 5.0)
    assert over["within_3"]
    assert over["confidence_decile"] == 6
    assert over["profit"] == pytest.approx(100 / 110)
    assert over["best_profit"] == pytest.approx(1.05)
    assert (under["profit"], under["best_profit"]) == (-1.0, -1.0)
    assert np.isnan(none["profit"])
    assert over["market_over_probability"] == pytest.approx((110 / 210) / (110 / 210 + 120 / 220))


@pytest.mark.parametrize(
    ("forecast", "within_3", "within_5"),
    [(23.0, True, True), (26.0, True, True), (20.0, True, True), (26.5, False, True), (19.5, False, True),
     (28.0, False, True), (18.0, False, True), (28.5, False, False), (17.5, False, False)],
)  # fmt: skip
def test_a_forecast_is_within_three_and_five_on_either_side(forecast, within_3, within_5):
    row = graded(ledger(prediction(forecast=forecast)), schedule(), box(played(23))).iloc[0]
    assert (row["within_3"], row["within_5"]) == (within_3, within_5)
    assert (row["absolute_error"], row["signed_error"]) == (abs(forecast - 23), forecast - 23)


@pytest.mark.parametrize("result", [20, 26])
def test_errors_are_of_the_players_own_line_and_average_on_either_side(result):
    others = [{"player_id": 8}, {"market": "assists"}, {"game_date": DAY - pd.Timedelta(days=1)}]
    averages = pd.concat([AVERAGES.assign(avg_last_10=99.0, **o) for o in others] + [AVERAGES], ignore_index=True)
    games, boxes = schedule(), box(played(result))
    row = PREDICTION_ACCURACY.validate(grading.grade(ledger(prediction()), games, boxes, LINES, averages, NOW)).iloc[0]
    assert row["line_absolute_error"] == abs(22.5 - result)
    assert row["last_10_absolute_error"] == abs(21 - result)
    assert (row["predicted_margin"], row["actual_margin"]) == (1.5, result - 22.5)


@pytest.mark.parametrize(
    ("confidence", "decile"), [(0.0, 1), (0.3, 4), (0.59, 6), (0.6, 7), (0.1 + 0.7, 9), (0.99, 10), (1.0, 10)]
)
def test_deciles(confidence, decile):
    assert (
        graded(ledger(prediction(confidence_score=confidence)), schedule(), box(played(1)))["confidence_decile"][0]
        == decile
    )


def test_pushes_and_voids_return_the_stake_and_a_missing_price_gives_no_profit():
    rows = ledger(prediction(line=26.0), prediction(over_price=None))
    push, unpriced = (r for _, r in graded(rows, schedule(), box(played(26))).iterrows())
    assert push["profit"] == 0.0
    assert np.isnan(unpriced["profit"])
    assert graded(ledger(prediction()), schedule(), box())["profit"][0] == 0.0
    passed = ledger(prediction(recommendation="PASS"), prediction(recommendation="UNDER", under_price=None))
    assert graded(passed, schedule(), box())["profit"].isna().all(), "nothing was staked, or nobody knows at what"


def test_each_side_is_paid_at_its_own_price():
    rows = ledger(prediction(over_price=150), prediction(recommendation="UNDER", under_price=-200))
    won = [graded(rows, schedule(), box(played(points))) for points in (26, 20)]
    assert won[0]["profit"].tolist() == [1.5, -1.0]
    assert won[1]["profit"].tolist() == [-1.0, 0.5]
    assert won[0]["best_profit"].tolist() == pytest.approx([1.05, -1.0])
    assert won[1]["best_profit"].tolist() == pytest.approx([-1.0, 100 / 105])


def test_the_best_price_counts_only_for_its_own_quote():
    row = graded(ledger(prediction(quote_id="older")), schedule(), box(played(26))).iloc[0]
    assert row["profit"] == pytest.approx(100 / 110)
    assert np.isnan(row["best_profit"])


@pytest.mark.parametrize("what", ["boxes", "games", "averages"])
def test_a_join_that_would_multiply_grades_is_an_error(what, monkeypatch):
    twice = {
        "boxes": box(played(23), played(23)),
        "games": schedule(games=(GAME, GAME)),
        "averages": pd.concat([AVERAGES] * 2),
    }
    games = twice["games"] if what == "games" else schedule()
    boxes = twice["boxes"] if what == "boxes" else box(played(23))
    averages = twice["averages"] if what == "averages" else AVERAGES
    with pytest.raises(FanOut, match="grades would multiply"):
        grading.grade(ledger(prediction()), games, boxes, LINES, averages, NOW)


def test_the_error_has_the_count_of_repeats_and_the_first_of_them():
    boxes = box(played(23), played(23), played(24), {"player_id": 8}, {"player_id": 8})
    first = r"3 rows repeat game_date, game_id, player_id, the first .*'player_id': 7}: grades would multiply"
    with pytest.raises(FanOut, match=first):
        grading.grade(ledger(prediction()), schedule(), boxes, LINES, AVERAGES, NOW)


def history(*frames: pd.DataFrame) -> pd.DataFrame:
    return GRADE_HISTORY.validate(pd.concat(frames)) if frames else GRADE_HISTORY.empty()


def test_a_corrected_score_is_a_new_entry_and_the_old_one_stays():
    rows, later = ledger(prediction()), NOW + pd.Timedelta(days=1)
    steps = [NO_BOX, box(played(22)), box(played(23)), box(played(22)), box(played(22))]
    known = history()
    seen = []
    for n, boxes in enumerate(steps):
        now = NOW + pd.Timedelta(hours=n)
        settled, new = grading.settle(grading.grade(rows, schedule(), boxes, LINES, AVERAGES, now), known)
        seen.append((settled["outcome"][0], len(new), settled["graded_at"][0]))
        known = history(known, new) if len(new) else known
    assert [s[:2] for s in seen] == [("PENDING", 1), ("LOSS", 1), ("WIN", 1), ("LOSS", 1), ("LOSS", 0)]
    assert seen[4][2] == seen[3][2], "a grade that did not change keeps the instant it was given"
    assert known["outcome"].tolist() == ["PENDING", "LOSS", "WIN", "LOSS"]
    assert known["replaces"].tolist() == [None, *known["grade_id"][:3]]
    assert known["grade_id"].is_unique
    assert later > NOW


def test_a_grade_is_compared_with_the_newest_one_of_its_prediction():
    """Entries that were replaced do not count, nor does the order in which they are read; nor do two heads, of two
    graders at once, but for the later one.
    """
    rows = ledger(prediction(), prediction(system_id="t"))

    def at(minutes: int, points: int | None, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        boxes, now = NO_BOX if points is None else box(played(points)), NOW + pd.Timedelta(minutes=minutes)
        return grading.settle(grading.grade(rows, schedule(), boxes, LINES, AVERAGES, now), known)

    _, pending = at(0, None, history())
    _, lost = at(1, 22, history(pending))
    known = history(lost, pending).sample(frac=1, random_state=2)
    settled, new = at(2, 22, known)
    assert new.empty
    assert settled["graded_at"].tolist() == [NOW + pd.Timedelta(minutes=1)] * 2
    _, won = at(3, 23, history(pending))  # by another grader, who had not seen the second entry
    for both in (history(lost, won, pending), history(won, lost, pending)):
        again, none = at(4, 23, both)
        assert none.empty
        assert again["graded_at"].tolist() == [NOW + pd.Timedelta(minutes=3)] * 2
    assert lost["replaces"].tolist() == pending["grade_id"].tolist()
    assert pending["replaces"].isna().all()
    one, two = at(5, 24, history(pending, lost.head(1)))
    assert two["replaces"].tolist() == [lost["grade_id"].iloc[0], pending["grade_id"].iloc[1]]
    assert one["graded_at"].tolist() == [NOW + pd.Timedelta(minutes=5)] * 2


def test_the_ids_of_grades_are_those_of_every_release_before():
    settled, new = grading.settle(graded(ledger(prediction()), schedule(), box(played(23))), history())
    assert new["grade_id"].tolist() == [GRADE_ID]
    _, then = grading.settle(graded(ledger(prediction()), schedule(), NO_BOX), history(new))
    assert then["grade_id"].tolist() == [NEXT_GRADE_ID]
    assert settled["outcome"].tolist() == ["WIN"]


def test_two_graders_write_the_same_history():
    rows = ledger(prediction(), prediction(system_id="t"))
    one, two = (
        grading.settle(
            grading.grade(rows, schedule(), box(played(23)), LINES, AVERAGES, NOW + pd.Timedelta(seconds=s)), history()
        )[1]
        for s in (0, 5)
    )
    assert one["grade_id"].tolist() == two["grade_id"].tolist()


def test_every_row_is_graded_once_whatever_is_missing():
    """Every combination of recommendation, line, forecast, status and box score gets exactly one outcome."""
    claims = [
        prediction(recommendation=side, line=line, forecast=points)
        for side, line, points in itertools.product(
            ["OVER", "UNDER", "PASS", "NO_LINE", None], [22.5, 22.0, np.nan], [24.0, np.nan]
        )
    ]
    rows = ledger(*claims).sample(frac=1, random_state=1).reset_index(drop=True)
    for games in (schedule(), schedule(1), schedule(2), schedule(postponed=True), schedule(games=(OTHER_GAME,))):
        for boxes in (NO_BOX, box(), box(played(22)), box(played(0, 0))):
            out = graded(rows, games, boxes)
            assert out["prediction_id"].tolist() == rows["prediction_id"].tolist()
            assert out["outcome"].notna().all()
            bet = out["recommendation"].isin(["OVER", "UNDER"]) & out["line"].notna()
            assert (bet | ~out["outcome"].isin(["WIN", "LOSS", "PUSH"])).all()
            assert (out["outcome"].eq("VOID") == out["void_reason"].notna()).all()


def test_no_predictions_no_grades():
    none = ledger(prediction()).iloc[:0]
    out = graded(none, schedule(), box(played(23)))
    assert out.empty
    settled, new = grading.settle(out, history())
    assert settled.empty
    assert new.empty
    pdt.assert_index_equal(analytics.BETTING_LINES.empty().columns[:1], out.columns[:1].map(lambda _: "game_date"))
