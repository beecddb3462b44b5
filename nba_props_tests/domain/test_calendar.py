from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.domain import calendar


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2025, 11, 6, 1, 0, tzinfo=UTC), date(2025, 11, 5)),  # an evening game, past midnight UTC
        (datetime(2025, 11, 6, 4, 59, tzinfo=UTC), date(2025, 11, 5)),  # 23:59 Eastern
        (datetime(2025, 11, 6, 5, 0, tzinfo=UTC), date(2025, 11, 6)),  # midnight Eastern, standard time
        (datetime(2025, 10, 31, 4, 0, tzinfo=UTC), date(2025, 10, 31)),  # midnight Eastern, daylight time
        (datetime(2025, 11, 2, 5, 30, tzinfo=UTC), date(2025, 11, 2)),  # the night the clocks go back
        (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), date(2026, 3, 7)),  # the night they go forward
    ],
)
def test_game_date_is_eastern(instant, day):
    assert calendar.game_date_of(instant) == day


def test_naive_instants_are_refused():
    with pytest.raises(ValueError, match="no time zone"):
        calendar.game_date_of(datetime(2025, 11, 5, 19))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        calendar.parse_instant("2025-11-05T19:00:00")


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_seasons_partition_time(day):
    start = calendar.season_start(day)
    assert start <= day < date(start.year + 1, 10, 1)
    assert calendar.season_of(day) == f"{start.year}-{(start.year + 1) % 100:02d}"
    assert calendar.identity_start(day) == date(start.year - 1, 10, 1)
    assert calendar.history_start(day, 90) <= start


def test_season_type_comes_from_the_game_id():
    assert calendar.season_type_of("0042500101") == "Playoffs"
    with pytest.raises(KeyError):
        calendar.season_type_of("0099900001")
