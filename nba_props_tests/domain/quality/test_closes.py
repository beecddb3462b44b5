"""The check that says when closes are missing."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from nba_props.domain.quality.closes import closes_captured
from nba_props.facts.keys import PROP
from nba_props.schemas.analytics import BOOK_LINES
from nba_props.schemas.raw import SCHEDULE
from nba_props_tests.domain.test_lines import CUTOFF, DAY

TODAY, LATER = DAY.date(), (CUTOFF + timedelta(hours=3)).to_pydatetime()


def finding(lake, minutes: list[float], now=LATER, planned=(45, 10), **game):
    rows = BOOK_LINES.empty().reindex(range(len(minutes))).assign(
        game_date=DAY, game_id="0022500001", player_id=range(len(minutes)), market="points", cutoff_at=CUTOFF,
        is_main=True, minutes_before_game=minutes, quote_id=[f"q{n}" for n in range(len(minutes))],
    )  # fmt: skip
    assert not rows.duplicated(PROP).any()
    lake.write_unchecked(BOOK_LINES, BOOK_LINES.conform(rows), TODAY)
    schedule = SCHEDULE.empty().reindex(range(1)).assign(
        game_date=DAY, game_id="0022500001", season_type="Regular Season", is_postponed=False,
    ).assign(**game)  # fmt: skip
    lake.write_unchecked(SCHEDULE, SCHEDULE.conform(schedule), TODAY)
    return closes_captured(lake, [TODAY], now, planned)[TODAY]


@pytest.mark.parametrize(
    ("minutes", "passed"),
    [([5] * 20, True), ([5] * 16 + [40] * 4, True), ([5] * 15 + [40] * 5, False), ([5] * 18 + [46] * 2, False),
     ([5] * 19 + [300], True)],
)  # fmt: skip
def test_too_few_closes_warn(lake, minutes, passed):
    found = finding(lake, minutes)
    assert found.passed == passed
    assert found.severity.name == "WARN"
    assert ("LAST_LINE" in found.text) == (not passed)
    assert found.figures["props"] == 20


def test_the_shortest_are_only_counted_where_no_capture_is_planned_for_them(lake):
    assert finding(lake, [30] * 20, planned=(45,)).passed
    found = finding(lake, [30] * 20)
    assert not found.passed
    assert "within 10" in found.text


def test_games_that_have_not_begun_or_were_postponed_are_not_judged(lake):
    for found in (
        finding(lake, [300] * 20, now=(CUTOFF - timedelta(minutes=5)).to_pydatetime()),
        finding(lake, [300] * 20, is_postponed=True),
    ):
        assert found.passed
        assert found.nothing


def test_a_prop_is_as_near_as_its_newest_book(lake):
    frame = pd.DataFrame({"minutes": [300, 6]})
    rows = BOOK_LINES.empty().reindex(range(2)).assign(
        game_date=DAY, game_id="0022500001", player_id=1, market="points", cutoff_at=CUTOFF, is_main=True,
        minutes_before_game=frame["minutes"], quote_id=["a", "b"],
    )  # fmt: skip
    finding(lake, [6])
    lake.write_unchecked(BOOK_LINES, BOOK_LINES.conform(rows), TODAY)
    assert closes_captured(lake, [TODAY], LATER, [45, 10])[TODAY].passed
