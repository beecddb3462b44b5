"""Who is reported out or doubtful before the cut-off gets no forecast; later reports are not known."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.domain import features
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.schemas.predictions import LEDGER
from nba_props.simulator import payloads
from nba_props_tests import league
from nba_props_tests.conftest import DAY, open_platform
from nba_props_tests.copies import copied

GAMES = [g for g in league.games() if g.day == DAY]
HOME = GAMES[0].home
OUT, DOUBTFUL, QUESTIONABLE, LATE = (league.player(HOME, slot) for slot in range(4))
CONTEXT = TABLES["nba_analytics.upcoming_player_game_context"]


def report(zone, minutes_before: int, statuses: dict[tuple[int, str], str]) -> None:
    at = GAMES[0].tipoff_at - timedelta(minutes=minutes_before)
    records = []
    for (_, name), status in statuses.items():
        first, _, rest = name.partition(" ")
        records.append(
            {"date": f"{DAY:%m/%d/%Y}", "matchup": f"{GAMES[0].away.code}@{HOME.code}", "team": HOME.full,
             "player": f"{rest}, {first}", "status": status, "reason": "Illness"}
        )  # fmt: skip
    content = {"metadata": {"report_at": payloads.instant(at)}, "records": records}
    zone.land(f"injury_report/{DAY}/report-{at:%Y%m%dT%H%M%SZ}.json.gz", content)


@pytest.fixture(scope="module")
def reported(landed_history, tmp_path_factory):
    """A date predicted with injury reports, to be read only."""
    folder = tmp_path_factory.mktemp("reported") / "platform"
    copied(landed_history, folder)
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_platform(folder, instance)
        assert land_and_predict(platform).success
        yield platform


def land_and_predict(platform):
    report(platform.zone, 400, {OUT: "Questionable", LATE: "Probable"})
    report(platform.zone, 240, {OUT: "Out", DOUBTFUL: "Doubtful", QUESTIONABLE: "Questionable"})
    report(platform.zone, 0, {LATE: "Out"})
    report(platform.zone, -30, {LATE: "Out", QUESTIONABLE: "Out"})
    return platform.predict(DAY)


def test_absent_players_get_no_forecast_and_count_for_their_teammates(reported):
    predicted = reported
    context = predicted.warehouse.read(CONTEXT, [DAY]).set_index("player_id")
    status = context["injury_status"]
    assert [status[p] for p, _ in (OUT, DOUBTFUL, QUESTIONABLE, LATE)] == [
        "OUT",
        "DOUBTFUL",
        "QUESTIONABLE",
        "NOT_LISTED",
    ]
    assert set(context.loc[context["game_id"] == GAMES[0].game_id, "injury_reported_at"]) == {
        pd.Timestamp(GAMES[0].tipoff_at - timedelta(minutes=240))
    }
    mates = context.loc[context["team"] == HOME.code, "teammates_reported_absent"]
    assert mates[OUT[0]] == 1
    assert mates[QUESTIONABLE[0]] == 2
    assert (context.loc[context["team"] == GAMES[0].away.code, "teammates_reported_absent"] == 0).all()
    other = context[context["game_id"] == GAMES[1].game_id]
    assert other["injury_status"].isna().all(), "a game without a report has players of unknown standing"
    assert other["null_reasons"].str.contains('"injury_status": "NO_INJURY_REPORT"').all()

    vectors = predicted.warehouse.read(TABLES["nba_analytics.player_features"], [DAY]).set_index("player_id")
    assert [vectors.loc[p, "injury_risk"] for p, _ in (OUT, DOUBTFUL, QUESTIONABLE, LATE)] == [3, 3, 2, 0]
    assert vectors.loc[other.index, "injury_risk"].isna().all(), "no default stands in for a report"

    ledger = predicted.warehouse.read(LEDGER, [DAY])
    for player, _ in (OUT, DOUBTFUL):
        mine = ledger[ledger["player_id"] == player]
        assert len(mine) == len(SYSTEM_TABLES)
        assert mine["forecast"].isna().all()
        assert set(mine["recommendation"]) <= {"PASS", "NO_LINE"}
        single = mine[~mine["system_id"].str.startswith("ensemble")]
        assert set(single["abstain_reason"]) == {"REPORTED_ABSENT"}
        assert mine["abstain_reason"].notna().all()
    here = ledger[ledger["player_id"] == QUESTIONABLE[0]]
    assert here["forecast"].notna().any()


@pytest.mark.long
def test_a_later_report_changes_the_forecast_and_deleting_it_changes_nothing_before(reported, tmp_path):
    copied(reported.settings.home.parent, tmp_path / "platform")
    predicted = open_platform(tmp_path / "platform", reported.instance)
    before = predicted.warehouse.read(SYSTEM_TABLES["moving_average"], [DAY])
    for path in ("000Z", "3000Z"):
        for file in (predicted.settings.home.parent / "landing/injury_report" / str(DAY)).glob(f"*{path}.json.gz"):
            at = file.name.split("-")[1].split(".")[0]
            if at >= f"{GAMES[0].tipoff_at:%Y%m%dT%H%M%SZ}":
                file.unlink()
    assert predicted.publish(DAY, ["moving_average"], slate=True).success
    assert predicted.warehouse.read(SYSTEM_TABLES["moving_average"], [DAY]).equals(before)
    report(predicted.zone, 60, {OUT: "Available", DOUBTFUL: "Out"})
    predicted.now += timedelta(minutes=5)
    assert predicted.publish(DAY, ["moving_average"], slate=True).success
    after = predicted.warehouse.read(SYSTEM_TABLES["moving_average"], [DAY]).set_index("player_id")
    assert after.loc[OUT[0], "forecast"] > 0
    assert pd.isna(after.loc[DOUBTFUL[0], "forecast"])


def test_the_scale_is_that_of_the_legacy_system():
    assert features.INJURY_RISK == {
        "NOT_LISTED": 0, "AVAILABLE": 0, "PROBABLE": 1, "QUESTIONABLE": 2, "DOUBTFUL": 3, "OUT": 3,
    }  # fmt: skip
