"""How tables are stored by the assets: no good rows are replaced by none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg
import pandas as pd
import pytest

from nba_props.assets import tables
from nba_props.assets.inputs import Inputs
from nba_props.assets.losses import ALLOW_LOSS, refuse_loss
from nba_props.assets.tables import IO_MANAGER, WarehouseIOManager, table_assets
from nba_props.catalog import TABLES
from nba_props.schemas import raw
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import RowsWouldBeLost
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import make_settings

D1 = date(2025, 11, 5)
PARTITIONS = dg.DailyPartitionsDefinition("2025-11-01", end_date="2025-12-01")


def box_scores(day: date, rows: int) -> pd.DataFrame:
    return raw.BOX_SCORES.conform(
        pd.DataFrame(
            {
                "game_date": pd.Timestamp(day), "game_id": [f"{n // 26:010}" for n in range(rows)],
                "player_id": [n + 1 for n in range(rows)], "player_name": "A", "player_lookup": "a",
                "season": "2025-26", "season_type": "Regular Season", "team_id": 1, "team": "AAA", "opponent": "BBB",
                "is_home": True, "won": True, **{c.name: 1 for c in raw.BOX_SCORE_STATS}, "plus_minus": 1,
                "payload": "p", "data_source": "S",
            }
        )
    )  # fmt: skip


def step(lake: LakeWarehouse, made: dict[date, int], **tags: str) -> dg.ExecuteInProcessResult:
    """A run of a step over the dates that makes so many rows of each."""
    days = sorted(made)
    span = {
        "dagster/asset_partition_range_start": days[0].isoformat(),
        "dagster/asset_partition_range_end": days[-1].isoformat(),
    }

    @table_assets(raw.BOX_SCORES, partitions=PARTITIONS, name=raw.BOX_SCORES.name)
    def box(context):
        return pd.concat([box_scores(day, n) for day, n in made.items()], ignore_index=True)

    settings = make_settings(lake.root)
    inputs = Inputs(lake, LandingZone(settings.landing), ModelStore(settings.models), settings)
    resources = {IO_MANAGER: WarehouseIOManager(lake), "inputs": inputs}
    return dg.materialize([box], resources=resources, tags={**span, **tags}, raise_on_error=False)


def message(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = (e for e in result.all_events if e.is_step_failure)
    return str(failure.step_failure_data.error.cause or failure.step_failure_data.error)


def test_a_missing_game_log_leaves_the_stored_box_scores_in_place(lake):
    assert step(lake, {D1: 173}).success
    before = lake.states(raw.BOX_SCORES)[D1]
    refused = step(lake, {D1: 0})
    assert not refused.success
    text = message(refused)
    assert "RowsWouldBeLost" in text
    assert "nba_raw.box_scores partition 2025-11-05 would go from 173 rows to 0" in text
    assert "Put the payload back and run it again; or" in text
    assert "--allow-loss (the run tag nba_props/allow_loss=true)" in text
    assert lake.states(raw.BOX_SCORES)[D1] == before


def test_with_the_tag_the_loss_is_allowed(lake):
    assert step(lake, {D1: 173}).success
    assert not step(lake, {D1: 0}, **{ALLOW_LOSS: "false"}).success
    assert step(lake, {D1: 0}, **{ALLOW_LOSS: "true"}).success
    assert lake.read(raw.BOX_SCORES, [D1]).empty


def test_of_a_span_nothing_is_written_when_one_date_would_lose_its_rows(lake):
    days = [D1 + timedelta(n) for n in range(6)]
    assert step(lake, dict.fromkeys(days, 40)).success
    before = lake.states(raw.BOX_SCORES)
    refused = step(lake, {**dict.fromkeys(days, 45), **dict.fromkeys(days[1:5], 3)})
    text = message(refused)
    assert "2025-11-06 would go from 40 rows to 3; 2025-11-07" in text
    assert "and 1 more: more likely a payload is missing" in text
    assert "for none of its 6 dates (2025-11-05 to 2025-11-10)" in text
    assert lake.states(raw.BOX_SCORES) == before


@pytest.mark.parametrize(("before", "after"), [(173, 172), (173, 200), (20, 10), (9, 1), (0, 0), (0, 50), (18, 9)])
def test_a_correction_is_allowed(lake, before, after):
    lake.write(raw.BOX_SCORES, box_scores(D1, before), [D1])
    refuse_loss(lake, raw.BOX_SCORES, box_scores(D1, after), [D1])


@pytest.mark.parametrize(("before", "after"), [(173, 86), (20, 9), (10, 0), (12, 2), (9, 0), (1, 0)])
def test_the_loss_of_most_rows_is_refused(lake, before, after):
    lake.write(raw.BOX_SCORES, box_scores(D1, before), [D1])
    with pytest.raises(RowsWouldBeLost, match=f"from {before} rows to {after}"):
        refuse_loss(lake, raw.BOX_SCORES, box_scores(D1, after), [D1])


@pytest.mark.parametrize(("before", "after", "passes"), [(2, 0, True), (2, 1, True), (3, 0, False), (9, 3, False)])
def test_the_few_games_of_a_date_may_all_be_moved(lake, before, after, passes):
    def games(count: int) -> pd.DataFrame:
        game = {
            "game_date": pd.Timestamp(D1), "season": "2025-26", "season_type": "Regular Season", "tipoff_at": None,
            "status": 1, "is_postponed": False, "home_team_id": 1, "home_team": "AAA", "home_team_name": "A",
            "away_team_id": 2, "away_team": "BBB", "away_team_name": "B", "home_score": None, "away_score": None,
            "is_neutral": None, "arena": None, "payload": "p", "data_source": "S",
        }  # fmt: skip
        frame = pd.DataFrame([{**game, "game_id": f"{n:010}"} for n in range(count)], columns=raw.SCHEDULE.column_names)
        return raw.SCHEDULE.conform(frame)

    lake.write(raw.SCHEDULE, games(before), [D1])
    if passes:
        refuse_loss(lake, raw.SCHEDULE, games(after), [D1])
    else:
        with pytest.raises(RowsWouldBeLost):
            refuse_loss(lake, raw.SCHEDULE, games(after), [D1])


def test_the_loss_of_a_whole_game_is_refused_even_if_most_rows_stay(lake):
    """A log cut short at six tenths: two of seven games would be gone, and their bets pending again."""
    lake.write(raw.BOX_SCORES, box_scores(D1, 173), [D1])
    with pytest.raises(RowsWouldBeLost, match="2025-11-05 would lose all 26 rows of game 0000000005; 2025-11-05"):
        refuse_loss(lake, raw.BOX_SCORES, box_scores(D1, 120), [D1])


def test_an_unreadable_file_may_be_replaced(lake):
    lake.write(raw.BOX_SCORES, box_scores(D1, 50), [D1])
    lake._file(raw.BOX_SCORES, D1).write_bytes(b"nothing")
    assert step(lake, {D1: 0}).success, "a backfill repairs what scrub found"


def test_all_external_data_is_guarded_and_nothing_else():
    delivered = (raw.SCHEDULE, raw.BOX_SCORES, raw.ODDS_QUOTES, raw.ROSTERS, raw.INJURY_REPORTS, raw.SCORING_SHARES)
    assert {t.address for t in TABLES.values() if t.guarded} == {t.address for t in delivered}


def test_the_inputs_of_a_step_are_stored_with_its_rows(lake, monkeypatch):
    def noted(context: dg.OutputContext) -> Mapping[date, str]:
        return {date.fromisoformat(key): f"made from {key}" for key in context.asset_partition_keys}

    monkeypatch.setattr(tables, "inputs_digest", noted)
    assert step(lake, {D1: 3, D1 + timedelta(1): 0}).success
    found = {d: s.made_from for d, s in lake.states(raw.BOX_SCORES).items()}
    assert found == {D1: "made from 2025-11-05", D1 + timedelta(1): "made from 2025-11-06"}


def test_an_input_that_changes_after_it_was_loaded_makes_the_rows_stale(lake, monkeypatch):
    """The digest is of the inputs that the rows were made from, not of those stored when they were computed."""

    @table_assets(raw.SCORING_SHARES, partitions=PARTITIONS, name="shares", ins={"boxes": raw.BOX_SCORES})
    def shares(context, boxes):
        seen.append(len(boxes))
        return raw.SCORING_SHARES.empty()

    seen: list[int] = []
    settings = make_settings(lake.root)
    inputs = Inputs(lake, LandingZone(settings.landing), ModelStore(settings.models), settings)
    lake.write(raw.BOX_SCORES, box_scores(D1, 12), [D1])
    plain = LakeWarehouse.read

    def read(self, table, days):
        rows = plain(self, table, days)
        if table is raw.BOX_SCORES and not changed:
            changed.append(True)
            self.write(raw.BOX_SCORES, box_scores(D1, 13), [D1])
        return rows

    def outdated() -> set[date]:
        return inputs.fresh().outdated(raw.SCORING_SHARES, [dg.AssetKey(raw.BOX_SCORES.path)], [D1])

    monkeypatch.setattr(LakeWarehouse, "read", read)
    resources = {IO_MANAGER: WarehouseIOManager(lake), "inputs": inputs}
    stored = dg.AssetSpec(raw.BOX_SCORES.path, partitions_def=PARTITIONS).with_io_manager_key(IO_MANAGER)
    changed: list[bool] = []
    for expected in (12, 13):
        assert dg.materialize([stored, shares], resources=resources, partition_key=D1.isoformat()).success
        assert seen[-1] == expected
        assert outdated() == ({D1} if expected == 12 else set())
