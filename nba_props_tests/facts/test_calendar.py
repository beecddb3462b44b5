from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.facts import calendar
from nba_props.warehouse.sql import to_duckdb
from nba_props_tests.gcp.googlesql import analyse


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
    assert calendar.last_season_start(day) == date(start.year - 1, 10, 1)
    assert calendar.identity_start(day) == date(start.year - 3, 10, 1)
    assert calendar.history_start(day, 90) <= start


def test_season_type_comes_from_the_game_id():
    assert calendar.season_type_of("0042500101") == "Playoffs"
    with pytest.raises(KeyError):
        calendar.season_type_of("0099900001")


TWO_YEARS = calendar.days(date(2023, 7, 1), date(2025, 6, 30))


def in_summer(day: date) -> bool:
    return date(day.year, 4, 16) <= day <= date(day.year, 9, 30)


@pytest.mark.parametrize("look_back", [1, 30, 90, 150])
def test_the_look_back_skips_the_summer_from_october_on(look_back):
    for day in TWO_YEARS:
        reached = calendar.days(calendar.look_back_start(day, look_back), day - timedelta(1))
        counted = reached if in_summer(day) else [d for d in reached if not in_summer(d)]
        assert len(counted) == look_back, day


def test_on_opening_night_the_look_back_is_the_end_of_last_season():
    assert calendar.look_back_start(date(2025, 10, 21), 90) == date(2025, 2, 5)
    assert calendar.look_back_start(date(2025, 12, 29), 90) == date(2025, 4, 15)
    assert calendar.look_back_start(date(2025, 12, 30), 90) == date(2025, 10, 1)
    assert calendar.look_back_start(date(2025, 9, 30), 90) == date(2025, 7, 2)


def duckdb_dates(expression: str, **parameters: date) -> list[date]:
    sql = to_duckdb(f"SELECT d, {expression} AS found FROM days WHERE d BETWEEN @first AND @last ORDER BY d").sql
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE days AS SELECT unnest(?::DATE[]) AS d", [TWO_YEARS])
        return [row[1] for row in connection.execute(sql, parameters).fetchall()]


@pytest.mark.parametrize("look_back", [30, 90, 300])
def test_the_look_back_is_the_same_in_sql_and_python_on_every_date_of_two_years(look_back):
    span = {"first": TWO_YEARS[0], "last": TWO_YEARS[-1]}
    found = duckdb_dates(calendar.look_back_start_sql("d", look_back), **span)
    assert found == [calendar.look_back_start(d, look_back) for d in TWO_YEARS]


@pytest.mark.parametrize("length", [1, 40, 200, 500])
def test_a_span_reaches_as_far_as_the_earliest_of_its_dates(length):
    for first in TWO_YEARS[:: 29 if length > 1 else 11]:
        span = [d for d in calendar.days(first, first + timedelta(length - 1)) if d <= TWO_YEARS[-1]]
        earliest = min(calendar.look_back_start(d, 90) for d in span)
        sql = calendar.span_look_back_start_sql(90)
        assert set(duckdb_dates(sql, first=first, last=span[-1])) == {earliest}
    assert set(duckdb_dates(calendar.span_look_back_start_sql(90, 7), first=first, last=span[-1])) == {
        earliest - timedelta(7)
    }


def test_googles_analyzer_accepts_the_look_back():
    start, span = calendar.look_back_start_sql("s.game_date", 90), calendar.span_look_back_start_sql(90)
    analyse(f"SELECT {start} AS a FROM nba_analytics.slate AS s WHERE s.game_date >= {span}")


def test_every_season_type_has_its_feed_name_and_one_treatment():
    named = {t.name: (t.feed_name, t.counts) for t in calendar.SEASON_TYPES}
    assert named == {
        "Pre Season": ("Pre Season", False), "Regular Season": ("Regular Season", True), "All-Star": ("All Star", False),
        "Playoffs": ("Playoffs", True), "PlayIn": ("PlayIn", True), "NBA Cup": ("IST", True),
    }  # fmt: skip
    assert calendar.season_type_of("0062400001") == "NBA Cup"


def test_an_instant_outside_every_season_is_refused():
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1900-01-01T00:00:00Z"):
        with pytest.raises(ValueError, match="not in the years"):
            calendar.parse_instant(text)


def test_a_start_at_midnight_eastern_is_to_be_decided():
    assert calendar.is_undecided(datetime(2025, 12, 9, 5, tzinfo=UTC))
    assert calendar.is_undecided(datetime(2026, 4, 18, 4, tzinfo=UTC))
    assert not calendar.is_undecided(datetime(2025, 11, 5, 4, tzinfo=UTC)), "eleven in the evening is a real start"


@given(st.sets(st.integers(0, 120), max_size=40), st.integers(0, 9), st.one_of(st.none(), st.integers(1, 40)))
def test_spans_hold_every_date_once_and_bridge_short_gaps_only(numbers, bridge, longest):
    start = date(2025, 11, 1)
    dates = {start + timedelta(n) for n in numbers}
    found = calendar.spans(dates, bridge, longest)
    assert sorted(d for first, last in found for d in dates if first <= d <= last) == sorted(dates)
    assert all({first, last} <= dates for first, last in found)
    assert all((last - first).days < longest for first, last in found if longest)
    inside = [(a, b) for first, last in found for a, b in pairwise(sorted(d for d in dates if first <= d <= last))]
    assert all((b - a).days <= bridge + 1 for a, b in inside)
    for (first, last), (later, _) in pairwise(found):
        assert (later - last).days > bridge + 1 or (longest and (later - first).days >= longest)


def test_spans_bridge_short_gaps_only():
    first = date(2025, 11, 10)
    days = [first, first + timedelta(1), first + timedelta(9), first + timedelta(30)]
    late = first + timedelta(30)
    assert calendar.spans(days) == [(first, first + timedelta(9)), (late, late)]
    assert calendar.spans([]) == []
    month = [first + timedelta(n) for n in range(31)]
    assert calendar.spans(month, longest=31) == [(first, late)]
    assert calendar.spans([*month, late + timedelta(1)], longest=31)[1:] == [(late + timedelta(1),) * 2]
