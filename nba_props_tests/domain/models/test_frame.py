"""The training frame: the features of served rows, and nothing from behind its own date."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pandas.testing as pdt

from nba_props.assets.training import training_frame
from nba_props.catalog import TABLES
from nba_props.domain.models import frame
from nba_props.schemas import analytics, raw
from nba_props.schemas.features import NAMES, PLAYER_FEATURES
from nba_props_tests import league
from nba_props_tests.conftest import DAY


def learn(platform, first, last):
    return training_frame(platform.warehouse, platform.settings, first, last).players


def test_a_training_row_is_the_row_that_was_served(published):
    """The same player-game has the same features when it is served before tip-off and learnt from afterwards."""
    platform = published
    platform.materialize(DAY, DAY + timedelta(4), job="ingest_history")
    rows = learn(platform, league.FIRST, DAY + timedelta(4))
    served = platform.warehouse.read(PLAYER_FEATURES, [DAY])
    mine = rows[rows["game_date"] == pd.Timestamp(DAY)]
    assert len(mine) == len(served) == 36
    keys = ["player_id", *NAMES]
    pdt.assert_frame_equal(
        mine.sort_values("player_id")[keys].reset_index(drop=True),
        served.sort_values("player_id")[keys].reset_index(drop=True),
        check_exact=True, check_dtype=False,
    )  # fmt: skip
    assert mine["vegas_points_line"].notna().sum() == 24
    boxes = platform.warehouse.read(raw.BOX_SCORES, [DAY]).set_index("player_id")["points"]
    assert (mine.set_index("player_id")["result"] == boxes).all()


def test_later_games_change_no_row(platform):
    before = learn(platform, league.FIRST, DAY - timedelta(1))
    cut = DAY - timedelta(6)
    for day in [d for d in platform.warehouse.partitions(raw.BOX_SCORES) if d > cut]:
        frame = platform.warehouse.read(raw.BOX_SCORES, [day])
        platform.warehouse.write_unchecked(raw.BOX_SCORES, frame.assign(points=99, minutes=1, fga=50), day)
    after = learn(platform, league.FIRST, DAY - timedelta(1))
    early = before["game_date"] <= pd.Timestamp(cut)
    assert early.sum() > 100
    pdt.assert_frame_equal(after[early], before[early], check_exact=True)
    assert not after[~early].equals(before[~early])


def test_queries_follow_the_seasons_and_not_the_players(platform):
    counts = []
    for first in (league.FIRST, DAY - timedelta(4)):
        start = platform.warehouse.query_count
        learn(platform, first, DAY - timedelta(1))
        counts.append(platform.warehouse.query_count - start)
    assert counts[0] == counts[1] <= 11


def test_a_span_is_cut_where_seasons_begin():
    chunks = frame.season_chunks(date(2022, 3, 1), date(2024, 11, 5))
    assert chunks == [
        (date(2022, 3, 1), date(2022, 9, 30)),
        (date(2022, 10, 1), date(2023, 9, 30)),
        (date(2023, 10, 1), date(2024, 9, 30)),
        (date(2024, 10, 1), date(2024, 11, 5)),
    ]
    assert frame.season_chunks(date(2025, 10, 21), date(2025, 11, 1)) == [(date(2025, 10, 21), date(2025, 11, 1))]


def test_rows_do_not_depend_on_chunks(platform, monkeypatch):
    whole = learn(platform, league.FIRST, DAY - timedelta(1))
    cut = DAY - timedelta(8)
    monkeypatch.setattr(frame, "season_chunks", lambda first, last: [(first, cut), (cut + timedelta(1), last)])
    pdt.assert_frame_equal(learn(platform, league.FIRST, DAY - timedelta(1)), whole, check_exact=True)


def test_a_date_without_stored_lines_has_no_line(platform):
    rows = learn(platform, league.FIRST, DAY - timedelta(1))
    assert TABLES["nba_analytics.betting_lines"] is analytics.BETTING_LINES
    quoted = rows["game_date"] >= pd.Timestamp(league.FIRST + timedelta(10))
    assert rows.loc[~quoted, "vegas_points_line"].isna().all()
    assert (rows.loc[~quoted, "has_vegas_line"] == 0).all()
    assert rows.loc[quoted, "has_vegas_line"].sum() > 0
    assert np.isfinite(rows["points_ewma"]).mean() > 0.8
