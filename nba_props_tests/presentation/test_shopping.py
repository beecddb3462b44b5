"""Line shopping: each side at its best price, what it is worth, and what such sides returned."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from nba_props.cli import main
from nba_props.domain.prices import prices
from nba_props.presentation import shopping
from nba_props.schemas.analytics import PRICES, SLATE
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.domain.test_consensus import at, offers
from nba_props_tests.domain.test_lines import CUTOFF, DAY, slate

TODAY, LATER = DAY.date(), (CUTOFF + pd.Timedelta(hours=5)).to_pydatetime()
#: four books at 20.5, and a fifth that is late by a point
LATE = (*at(20.5, 20.5, 20.5, 20.5), ("bovada", 19.5, 105, -125, 60), ("bovada", 25.5, 240, None, 60))


def graded(result: int | None) -> pd.DataFrame:
    frame = PREDICTION_ACCURACY.empty().reindex(range(1))
    row = {"game_date": DAY, "game_id": "0022500001", "player_id": 1, "market": "points", "result": result}
    return PREDICTION_ACCURACY.conform(frame.assign(**row, prediction_id="p"))


@pytest.fixture
def lake(tmp_path):
    warehouse = LakeWarehouse(tmp_path / "home" / "lake")
    warehouse.claim("REAL")
    warehouse.write_unchecked(PRICES, PRICES.conform(prices(offers(*LATE))), TODAY)
    warehouse.write_unchecked(SLATE, slate(1), TODAY)
    return warehouse


def sides(lake, now=LATER, **more):
    return shopping.best_sides(lake, TODAY, TODAY, ["points"], now, **more)


def test_each_side_of_a_line_is_there_once_at_its_best_price(lake):
    found = sides(lake)
    assert found[["line", "side"]].apply(tuple, axis=1).tolist()[0] == (19.5, "OVER"), "what is worth most comes first"
    assert not found.duplicated(["line", "side"]).any()
    assert set(found["line"]) == {19.5, 20.5}
    assert set(sides(lake, alternates=True)["line"]) == {19.5, 20.5, 25.5}
    late = found.iloc[0]
    assert (late["book"], late["price"]) == ("bovada", 105)
    assert late["ev"] == pytest.approx(late["chance"] * 2.05 - 1)
    under = found[(found["line"] == 19.5) & (found["side"] == "UNDER")].iloc[0]
    assert late["chance"] + under["chance"] == pytest.approx(1)
    assert found["profit"].isna().all()
    assert shopping.record(found) is None


@pytest.mark.parametrize(("nights", "bounds"), [(9, 0), (10, 1)])
def test_a_record_has_an_interval_from_ten_nights_on(nights, bounds):
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(range(nights), unit="D")
    rows = pd.DataFrame(
        {
            "game_date": days,
            "ev": 0.02,
            "ev_shrunk": 0.01,
            "stake": [0.005, 0.0] * (nights // 2) + [None] * (nights % 2),
        }
    )
    rows["profit"] = [0.9, -1.0] * (nights // 2) + [0.9] * (nights % 2)
    said = shopping.record(pd.concat([rows, rows.assign(ev=-0.01, stake=0.0)]))
    assert said.startswith(f"{nights} sides with EV above 0 promised +2.0%")
    assert f"; {nights // 2} sides with a stake promised +1.0% and returned +90.0%" in said
    assert said.count("[") == bounds
    assert said.endswith(f"{nights} nights" + (": too few for a conclusion" if nights < 10 else ""))


def test_an_old_price_has_no_stake_and_is_counted(lake):
    fresh = sides(lake, (CUTOFF - pd.Timedelta(hours=1)).to_pydatetime())
    assert (fresh["quote_age"] == 0).all()
    assert fresh["stake"].gt(0).any()
    assert shopping.old_prices(fresh) is None
    hours_before = [(*quote[:4], quote[4] + 7 * 60) for quote in LATE]
    lake.write_unchecked(PRICES, PRICES.conform(prices(offers(*hours_before))), TODAY)
    old = sides(lake)
    assert (old["quote_age"] == 8).all(), "at the cut-off, though it is later now"
    assert old["stake"].isna().all()
    assert shopping.old_prices(old).startswith(f"{len(old)} of {len(old)} prices: quoted more than 6 hours before")


@pytest.mark.parametrize(("result", "profit"), [(25, 1.05), (12, -1.0), (None, None)])
def test_what_was_promised_stands_beside_what_it_returned(lake, result, profit):
    lake.write_unchecked(PREDICTION_ACCURACY, graded(result), TODAY)
    found = sides(lake)
    if profit is None:
        assert shopping.record(found) is None
        return
    assert found.iloc[0]["profit"] == profit
    said = shopping.record(found)
    assert said.startswith("1 side with EV above 0 promised +")
    assert f"and returned {profit:+.1%} a unit" in said
    assert said.endswith("1 night: too few for a conclusion")


def test_the_command_prints_them(lake, tmp_path, monkeypatch):
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "home"))
    runner = CliRunner()
    told = runner.invoke(main, ["prices", str(TODAY), "--rows", "1"])
    assert told.exit_code == 0, told.output
    assert f"Prices of {TODAY}: 4 sides" in told.output
    assert "3 more" in told.output
    assert "+105" in told.output
    listed = json.loads(runner.invoke(main, ["prices", "--format", "json", "--alternates"]).stdout)
    assert {row["line"] for row in listed} == {19.5, 20.5, 25.5}
    assert "stake" in listed[0]
    assert runner.invoke(main, ["prices", str(TODAY), "--player", "nobody"]).exit_code == 1
    nothing = runner.invoke(main, ["prices", str(TODAY), "--market", "pra"])
    assert nothing.exit_code == 1
    assert "no quote of 2025-11-05, points_rebounds_assists has a fair price" in " ".join(nothing.output.split())
