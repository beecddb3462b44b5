"""Markets in commands: one is shown, the others are counted, and none makes an output ten times as long."""

from __future__ import annotations

import json
import shutil

import pytest

from nba_props.facts import markets
from nba_props_tests import league
from nba_props_tests.cli.conftest import invoke
from nba_props_tests.conftest import DAY
from nba_props_tests.copies import copied

D = str(DAY)
SOMEONE = league.player(league.TEAMS[0], 2)


@pytest.fixture
def many(home, rung, monkeypatch):
    """A home whose lake has several markets; a date of it is published."""
    copied(rung("many_predicted"), home)
    monkeypatch.setenv("NBA_PROPS_MARKETS", ",".join(league.MARKETS))
    return home


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the first test that needs a graded home leaves it to the others."""
    return tmp_path_factory.mktemp("graded") / "home"


@pytest.fixture
def graded(many, kept):
    """The same home after the command that grades."""
    if kept.exists():
        shutil.rmtree(many / "home")
        copied(kept, many / "home")
    else:
        assert invoke("grade", D).exit_code == 0
        copied(many / "home", kept)
    return many


def test_a_board_is_of_one_market_and_counts_the_others(many):
    points = invoke("board", D).output
    assert f"Slate of {DAY}: 24 players with a line" in points
    listed = "rebounds 8, assists 8, points_rebounds_assists 8; --market shows one, or all"
    assert f"players with a line in other markets on {DAY}: {listed}" in " ".join(points.split())
    rebounds = invoke("board", D, "--market", "rebounds").output
    assert f"Slate of {DAY}, rebounds: 8 players with a line" in rebounds
    assert "of xgboost_v1" in rebounds
    assert "points 24, assists 8" in " ".join(rebounds.split())
    whole = json.loads(invoke("board", D, "--market", "all", "--format", "json").stdout)
    assert {m: sum(r["market"] == m for r in whole) for m in league.MARKETS} == {
        "points": 24, "rebounds": 8, "assists": 8, "points_rebounds_assists": 8,
    }  # fmt: skip
    assert "REB" in invoke("board", D, "--market", "all", "--rows", "0").output
    of_one = invoke("board", D, "--market", "all", "--system", "shrunk_rate_v1", "--rows", "1").output
    assert "of shrunk_rate_v1" in of_one
    assert "ensemble" not in of_one
    assert f"board {D} --market all --system shrunk_rate_v1 --rows 0" in " ".join(of_one.split())
    lines = {(r["player_name"], r["market"]): r["line"] for r in whole}
    assert lines[SOMEONE[1], "assists"] == league.line(2, "assists")


def test_a_system_that_does_not_forecast_a_market_is_said_with_those_that_do(many):
    result = invoke("board", D, "--market", "assists", "--system", "ensemble_v1")
    assert result.exit_code == 1
    assert result.output.strip().endswith(
        "Error: ensemble_v1 does not forecast assists: xgboost_v1, shrunk_rate_v1 and market_consensus_v1 do"
    )
    wrong = invoke("board", D, "--market", "rebound")
    assert wrong.exit_code == 2
    assert "there is no market rebound (did you mean rebounds?)" in " ".join(wrong.output.split())


def test_a_player_and_a_prediction_by_market(many):
    log = json.loads(invoke("player", str(SOMEONE[0]), "--market", "assists", "--format", "json").stdout)
    assert log[0]["line"] == league.line(2, "assists")
    played = {r["game_date"]: r["result"] for r in log if r["result"] is not None}
    games = {str(g.day): g for g in league.games() if league.TEAMS[0] in (g.home, g.away)}
    assert played
    assert all(result == league.assists(2, games[day]) for day, result in played.items())
    assert "average" in invoke("player", str(SOMEONE[0]), "--market", "assists").output
    one = json.loads(invoke("history", str(SOMEONE[0]), D, "--market", "rebounds", "--format", "json").stdout)
    assert {r["system_id"] for r in one} == {
        "xgboost_v1", "shrunk_rate_v1", "market_consensus_v1", "market_anchored_v1",
    }  # fmt: skip
    every = json.loads(invoke("history", str(SOMEONE[0]), D, "--market", "all", "--format", "json").stdout)
    assert {r["market"] for r in every} == set(league.MARKETS)
    assert {r["market"] for r in json.loads(invoke("history", str(SOMEONE[0]), D, "--format", "json").stdout)} == {
        "points"
    }
    none = invoke("history", str(SOMEONE[0]), D, "--market", "steals")
    assert none.exit_code == 1
    assert "nothing was ever published for" in none.output
    assert "in steals" in none.output


def test_a_report_has_one_market_in_full_and_a_row_for_each_of_the_others(graded):
    points = invoke("report", D)
    assert points.exit_code == 0, points.output
    assert f"Other markets, {DAY}" in points.output
    for market in league.MARKETS[1:]:
        assert points.output.count(f"\n{market} ") == 5, "four systems forecast it, and it has a row of prices"
    page = (graded / "home" / "reports" / f"{DAY}_{DAY}.html").read_text()
    assert "<h2>Other markets</h2>" in page
    rebounds = invoke("report", D, "--market", "rebounds")
    assert rebounds.exit_code == 0, rebounds.output
    assert f"Scoreboard of rebounds, {DAY}" in " ".join(rebounds.output.split())
    own = (graded / "home" / "reports" / f"{DAY}_{DAY}_rebounds.html").read_text()
    assert "Scoreboard of rebounds" in own
    assert f"{DAY}, rebounds</a>" in (graded / "home" / "reports" / "index.html").read_text()
    scores = json.loads(invoke("report", D, "--format", "json").stdout)
    assert {(s["market"], s["system_id"]) for s in scores} >= {("rebounds", "xgboost_v1"), ("points", "ensemble_v1")}
    nothing = invoke("report", D, "--market", "blocks")
    assert nothing.exit_code == 1
    assert "in blocks" in nothing.output


def test_validate_judges_every_market(graded):
    found = json.loads(invoke("validate", D, "--format", "json").stdout)
    real = next(r for r in found if r["check"] == "validation_lines_are_real")
    assert real["verdict"] == "passes"
    lines = 24 * 10 + 3 * 8 * 4
    assert f"of {lines} lines" in real["text"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("rebound", "has 'rebound', which is not a market: did you mean rebounds?"),
        ("points,xyz", "has 'xyz', which is not a market: they are points, rebounds,"),
        ("rebounds,assists", "points has to be among the markets, since most systems forecast it"),
    ],
)
def test_a_wrong_setting_is_one_sentence(home, monkeypatch, value, said):
    monkeypatch.setenv("NBA_PROPS_MARKETS", value)
    result = invoke("board")
    assert result.exit_code == 2
    assert "NBA_PROPS_MARKETS" in result.output
    assert said in " ".join(result.output.split())


def test_all_is_every_market_in_its_usual_order(monkeypatch):
    from nba_props.settings import read_settings

    assert read_settings({"NBA_PROPS_MARKETS": "all"}).markets == markets.keys()
    assert read_settings({"NBA_PROPS_MARKETS": "assists, points"}).markets == ("points", "assists")
    assert read_settings({}).markets == ("points",)


def test_a_system_in_shadow_is_on_no_board_that_does_not_ask_for_it(many):
    board = invoke("board", D, "--format", "csv", "--rows", "0")
    assert "market_consensus_v1" in board.output
    assert "market_anchored_v1" not in board.output
    asked = invoke("board", D, "--system", "market_anchored_v1")
    assert asked.exit_code == 0, asked.output
    assert "which is in shadow until it has earned a weight" in " ".join(asked.output.split())
    weights = invoke("weights", D)
    assert weights.exit_code == 0, weights.output
    assert "in shadow, 0 of 60 dates since it was frozen on 2026-11-30" in " ".join(weights.output.split())


def test_a_board_of_one_game_has_its_two_teams(many):
    rows = json.loads(invoke("board", D, "--format", "json").stdout)
    game = (rows[0]["away_team"], rows[0]["home_team"])
    for text in (game[0], game[1].lower(), "@".join(game)):
        mine = json.loads(invoke("board", D, "--game", text, "--format", "json").stdout)
        assert {(r["away_team"], r["home_team"]) for r in mine} == {game}
        assert len(mine) < len(rows)
    wrong = invoke("board", D, "--game", "XXX")
    assert (wrong.exit_code, "no game of XXX has a line: there are " in wrong.output) == (1, True)
