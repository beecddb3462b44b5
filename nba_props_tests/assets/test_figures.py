"""What a partition's page shows: its own figures, whatever run made it."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pandas as pd
import pytest

from nba_props.assets import figures
from nba_props.catalog import TABLES
from nba_props.domain.systems import SYSTEM_TABLES, SYSTEMS
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props_tests.conftest import DAY, NEXT, Platform, open_platform
from nba_props_tests.copies import copied

#: what differs between two runs of the same rows, and says so
_OF_THE_RUN = {"path", "report", "undo"}


def shown(platform: Platform, key: dg.AssetKey, day: str) -> dict[str, Any]:
    """The metadata of the newest materialization of a partition."""
    records = platform.instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[day]), limit=1)
    (record,) = records.records
    return {k: v.value for k, v in record.asset_materialization.metadata.items() if k not in _OF_THE_RUN}


@pytest.fixture(scope="module")
def both(rung, tmp_path_factory) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """What every partition of two dates with games, and the day off between them, shows: of one run, and of three."""
    days = [DAY + (NEXT - DAY) * n / 2 for n in range(3)]
    found: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for name, spans in (("range", [(days[0], days[-1])]), ("days", [(d, d) for d in days])):
        folder = tmp_path_factory.mktemp(name) / "platform"
        copied(rung("prepared"), folder)
        with dg.DagsterInstance.ephemeral() as instance:
            platform = open_platform(folder, instance)
            for job in ("predict", "grade"):
                for first, last in spans:
                    assert platform.run(job, first, last).success
            keys = {k for job in ("predict", "grade") for k in platform.of(job) if ".".join(k.path) in TABLES}
            found[name] = {
                (k.to_user_string(), d.isoformat()): shown(platform, k, d.isoformat()) for k in keys for d in days
            }
    return found


@pytest.mark.long
def test_every_figure_of_a_range_run_is_that_of_its_partition(both):
    assert len(both["days"]) == len(both["range"]) > 60
    for partition, of_the_day in both["days"].items():
        assert both["range"][partition] == of_the_day, partition


@pytest.mark.long
def test_no_partition_has_the_cost_or_rows_of_the_run(both):
    for partition, said in both["range"].items():
        assert not {"rows_in_run", "queries", "bytes_to_client"} & set(said), partition
        assert "dagster/partition_row_count" in said, partition


@pytest.mark.long
def test_there_is_something_to_plot_of_every_date(both):
    def numbers(asset: str, day=DAY) -> set[str]:
        said = both["range"][asset, day.isoformat()]
        return {k for k, v in said.items() if isinstance(v, int | float) and not isinstance(v, bool)}

    assert {"share_with_line", "books", "books_per_line", "line_minutes_before_game"} <= numbers(
        "nba_analytics/betting_lines"
    )
    assert {"share_with_line", "forecasts", "abstained", "picks"} <= numbers("nba_predictions/moving_average")
    ledger = numbers("nba_predictions/ledger")
    assert {"share_with_line", "picks", "gate_passed", "rows_added"} <= ledger
    grades = numbers("nba_predictions/prediction_accuracy")
    assert "bets" in grades
    systems = [s.system_id for s in SYSTEMS]
    for figure in ("hit_rate", "mae_minus_line"):
        assert {n for n in grades if n.startswith(figure)} <= {f"{figure}_{s}" for s in systems}
        assert any(n.startswith(figure) for n in grades)
    assert any(n.startswith("season_hit_rate_") for n in numbers("nba_monitoring/scoreboard"))


@pytest.mark.long
def test_a_preview_shows_the_columns_of_interest_and_no_hash(both):
    def columns(asset: str) -> list[str]:
        head = both["range"][asset, DAY.isoformat()]["preview"].splitlines()[0]
        return [cell.strip() for cell in head.strip("|").split("|")]

    assert columns("nba_predictions/ledger") == [
        "player", "game", "system", "forecast", "line", "side", "edge", "price@book",
    ]  # fmt: skip
    assert columns("nba_predictions/prediction_accuracy")[:3] == ["player", "game", "system"]
    for asset, day in both["range"]:
        if day == DAY.isoformat() and both["range"][asset, day]["preview"] != "no rows":
            assert not {"prediction_id", "quarantine_id", "quote_id", "row_digest", "payload"} & set(columns(asset)), (
                asset
            )


def ledger_row(**more: Any) -> dict[str, Any]:
    return {
        "game_id": "1", "player_name": "A", "market": "points", "system_id": "one", "forecast": 20.0, "line": 18.5,
        "recommendation": "OVER", "line_margin": 1.5, "over_price": 150, "under_price": -110,
        "over_probability": 0.5, "sportsbook": "draftkings", **more,
    }  # fmt: skip


def test_the_ledger_shows_its_ten_largest_edges_on_either_side_and_the_price_of_the_side():
    rows = [ledger_row(player_name=f"P{n:02}", line_margin=float(n)) for n in range(12)]
    under = ledger_row(player_name="Under", recommendation="UNDER", line_margin=-30.0)
    passed = ledger_row(player_name="Passed", recommendation="PASS", line_margin=40.0)
    found = figures.preview(LEDGER, pd.DataFrame([*rows, under, passed]), {"1": "BOS @ LAL"})
    assert found["player"].tolist() == ["Under", *(f"P{n:02}" for n in range(11, 2, -1))]
    assert found.iloc[0][["game", "side", "edge", "price@book"]].tolist() == [
        "BOS @ LAL",
        "UNDER",
        -30.0,
        "-110@draftkings",
    ]
    assert found.iloc[1]["price@book"] == "+150@draftkings"


def test_what_a_bet_is_worth_by_the_systems_own_chance():
    """An over at +150 with an even chance wins 1.5 or loses 1; an under at -110 with a fifth wins .909 or loses 1."""
    rows = [ledger_row(), ledger_row(system_id="two", recommendation="UNDER", over_probability=0.8)]
    rows += [ledger_row(system_id="three", over_probability=None), ledger_row(system_id="four", recommendation="PASS")]
    held = pd.DataFrame({"reason": []})
    found = figures.gate(pd.DataFrame(rows), held)
    assert {k: v for k, v in found.items() if k.startswith("claimed_ev")} == {
        "claimed_ev_one": 0.25, "claimed_ev_two": round(0.2 * 100 / 110 - 0.8, 4),
    }  # fmt: skip
    assert found["picks"] == 3


def test_a_hit_rate_is_of_decided_bets_on_valid_lines_alone():
    def graded(outcome: str, **more: Any) -> dict[str, Any]:
        return {
            **ledger_row(), "outcome": outcome, "void_reason": None, "is_valid_line": True, "is_current": True,
            "absolute_error": 4.0, "line_absolute_error": 5.0, "result": 24, "profit": 1.5, **more,
        }  # fmt: skip

    rows = [graded("WIN"), graded("LOSS"), graded("WIN"), graded("PUSH"), graded("WIN", is_valid_line=False),
            graded("LOSS", is_current=False), graded("NO_BET", recommendation="PASS", absolute_error=6.0)]  # fmt: skip
    found = figures.grades(pd.DataFrame(rows), pd.DataFrame())
    assert (found["bets"], found["hit_rate_one"], found["mae_minus_line_one"]) == (3, 0.6667, -0.6)
    assert figures.grades(PREDICTION_ACCURACY.empty(), pd.DataFrame())["bets"] == 0
    elsewhere = graded("LOSS", market="points_rebounds_assists", system_id="two")
    more = figures.grades(pd.DataFrame([*rows, elsewhere]), pd.DataFrame())
    assert more["hit_rate_one"] == found["hit_rate_one"]
    assert more["hit_rate_by_market"] == {"points_rebounds_assists": {"two": 0.0}}
    assert set(more) == {*found, "hit_rate_by_market", "mae_minus_line_by_market"}


@pytest.mark.parametrize("table", list(TABLES.values()), ids=list(TABLES))
def test_a_partition_without_rows_has_a_preview_without_rows(table):
    assert figures.preview(table, table.empty(), {}).empty


def test_a_date_without_rows_has_counts_and_no_rates():
    empty = {t: TABLES[t].empty() for t in TABLES}
    lines = figures.lines(*(empty[f"nba_analytics.{t}"] for t in ("book_lines", "betting_lines", "consensus")))
    assert (lines["with_line"], lines["share_with_line"], lines["books_per_line"]) == (0, None, None)
    system = figures.forecasts(SYSTEM_TABLES["moving_average"].empty())
    assert (system["forecasts"], system["share_with_line"]) == (0, None)
    gate = figures.gate(LEDGER.empty(), empty["nba_predictions.quarantined_predictions"])
    assert (gate["picks"], gate["share_with_line"]) == (0, None)
    assert figures.scoreboard(empty["nba_monitoring.scoreboard"], empty["nba_monitoring.market_scores"]) == {}
    market = figures.against_the_market(
        *(empty[f"nba_predictions.{t}"] for t in ("closing_line_value", "quote_scores", "evidence"))
    )
    assert market == {
        "bets_with_a_later_line": 0, "bets_with_a_true_close": 0, "quotes_scored": 0, "quotes_that_count": 0,
        "consensus_log_loss_less_quotes": None,
    }  # fmt: skip
