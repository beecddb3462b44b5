"""GoogleSQL over a lake means what BigQuery's documentation says, or is refused in a sentence."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.catalog import TABLES
from nba_props.warehouse import dialects
from nba_props.warehouse.base import UnreadableError, WarehouseError

#: what BigQuery answers: the examples of its reference where it has one, else counted by hand from its definitions
MEANINGS = {
    # weeks of a year: Sunday's, a weekday's (days before the first are in week 0), and ISO's
    "EXTRACT(WEEK FROM DATE '2017-01-01')": 1,
    "EXTRACT(WEEK FROM DATE '2016-01-02')": 0,
    "EXTRACT(WEEK(SUNDAY) FROM DATE '2017-11-05')": 45,
    "EXTRACT(WEEK(MONDAY) FROM DATE '2017-11-05')": 44,
    "EXTRACT(WEEK(MONDAY) FROM DATE '2025-01-05')": 0,
    "EXTRACT(WEEK(MONDAY) FROM DATE '2025-01-06')": 1,
    "EXTRACT(WEEK(THURSDAY) FROM DATE '2025-01-02')": 1,
    "EXTRACT(WEEK(SATURDAY) FROM DATE '2025-12-31')": 52,
    "EXTRACT(ISOWEEK FROM DATE '2025-01-06')": 2,
    "EXTRACT(ISOWEEK FROM TIMESTAMP '2017-11-05 02:00:00+00')": 44,
    "EXTRACT(ISOYEAR FROM DATE '2017-01-01')": 2016,
    "EXTRACT(WEEK FROM TIMESTAMP '2025-11-09 02:00:00+00' AT TIME ZONE 'America/New_York')": 44,
    "EXTRACT(DAYOFWEEK FROM TIMESTAMP '2025-11-09 02:00:00+00' AT TIME ZONE 'America/New_York')": 7,
    "COUNTIF(EXTRACT(DAYOFWEEK FROM d) = 1) FROM UNNEST([DATE '2025-11-09', DATE '2025-11-10']) AS d": 1,
    # borders of weeks
    "DATE_TRUNC(DATE '2017-11-05', WEEK)": "2017-11-05",
    "DATE_TRUNC(DATE '2017-11-05', WEEK(MONDAY))": "2017-10-30",
    "DATE_TRUNC(DATE '2017-11-07', WEEK(THURSDAY))": "2017-11-02",
    "DATE_TRUNC(DATE '2015-06-15', ISOYEAR)": "2014-12-29",
    "TIMESTAMP_TRUNC(TIMESTAMP '2017-11-05 12:00:00+00', ISOWEEK)": "2017-10-30",
    "TIMESTAMP_TRUNC(TIMESTAMP '2017-11-06 02:00:00+00', DAY, 'America/New_York')": "2017-11-05 04:00",
    "DATE_DIFF(DATE '2017-10-15', DATE '2017-10-14', WEEK)": 1,
    "DATE_DIFF(DATE '2017-12-18', DATE '2017-12-17', WEEK)": 0,
    "DATE_DIFF(DATE '2017-12-18', DATE '2017-12-17', WEEK(MONDAY))": 1,
    "DATE_DIFF(DATE '2017-12-18', DATE '2017-12-17', ISOWEEK)": 1,
    "DATE_DIFF(DATE '2017-12-30', DATE '2014-12-30', YEAR)": 3,
    "DATE_DIFF(DATE '2017-12-30', DATE '2014-12-30', ISOYEAR)": 2,
    "LAST_DAY(DATE '2008-11-10', WEEK(SUNDAY))": "2008-11-15",
    "LAST_DAY(DATE '2008-11-10', WEEK(MONDAY))": "2008-11-16",
    # whole units between instants, borders between dates and clock times
    "TIMESTAMP_DIFF(TIMESTAMP '2010-07-07 10:20:00+00', TIMESTAMP '2008-12-25 15:30:00+00', HOUR)": 13410,
    "TIMESTAMP_DIFF(TIMESTAMP '2001-02-01 01:00:00+00', TIMESTAMP '2001-02-01 00:00:01+00', HOUR)": 0,
    "TIMESTAMP_DIFF(TIMESTAMP '2018-08-14 00:00:00+00', TIMESTAMP '2018-10-14 00:00:00+00', DAY)": -61,
    "DATETIME_DIFF(DATETIME '2017-10-15 00:00:00', DATETIME '2017-10-14 23:00:00', DAY)": 1,
    # parts, zones and formats
    "EXTRACT(MILLISECOND FROM TIMESTAMP '2025-11-06 02:00:59.5+00')": 500,
    "EXTRACT(MICROSECOND FROM t) FROM UNNEST([TIMESTAMP '2025-11-06 02:00:59.5+00']) AS t": 500_000,
    "EXTRACT(DATE FROM TIMESTAMP '2025-11-06 02:00:00+00' AT TIME ZONE 'America/New_York')": "2025-11-05",
    "FORMAT_TIMESTAMP('%F %H:%M', TIMESTAMP '2025-11-06 02:00:00+00', 'America/New_York')": "2025-11-05 21:00",
    "FORMAT_TIMESTAMP('%H:%M', TIMESTAMP '2025-11-06 02:00:00+00')": "02:00",
    "FORMAT_DATE('%x', DATE '2008-12-25')": "12/25/08",
    "FORMAT_DATE('%b-%d-%Y', DATE '2008-12-25')": "Dec-25-2008",
    "FORMAT_DATE('%U %W %V %G %u %w %j', DATE '2025-01-05')": "01 00 01 2025 7 0 005",
    "PARSE_DATE('%Y%m%d', '20081225')": "2008-12-25",
    "PARSE_TIMESTAMP('%Y-%m-%d %H:%M', '2025-01-09 10:00', 'America/New_York')": "2025-01-09 15:00",
    "TIMESTAMP('2025-11-05 15:00:00', 'America/New_York')": "2025-11-05 20:00",
    "DATE(TIMESTAMP '2025-11-06 02:00:00+00', 'America/New_York')": "2025-11-05",
    "STRING(TIMESTAMP '2025-11-06 02:00:00+00')": "2025-11-06 02:00:00+00",
    # numbers
    "SAFE_DIVIDE(20, 4)": 5.0,
    "SAFE_DIVIDE(0, 20)": 0.0,
    "SAFE_DIVIDE(20, 0)": None,
    "5 / 2": 2.5,
    "5 / NULLIF(0, 0)": None,
    "DIV(20, 4)": 5,
    "DIV(-5, 2)": -2,
    "MOD(-5, 3)": -2,
    "CAST(2.5 AS INT64)": 3,
    "CAST(-2.5 AS INT64)": -3,
    "CAST(5 / 2 AS INT64)": 3,
    "SAFE_CAST(x AS INT64) FROM UNNEST([24.5]) AS x": 25,
    "SAFE_CAST('apple' AS INT64)": None,
    "CAST('12' AS INT64)": 12,
    "ROUND(2.5)": 3.0,
    "ROUND(-2.5)": -3.0,
    "0.1 + 0.2 = 0.3": False,
    "LOG(8, 2)": 3.0,
    "ROUND(LOG(100), 6)": 4.60517,
    "GREATEST(1, NULL)": None,
    "APPROX_QUANTILES(x, 2)[OFFSET(1)] FROM UNNEST([1, 1, 1, 4, 5, 6, 7, 8, 9, 10]) AS x": 5,
    "APPROX_QUANTILES(x, 100)[OFFSET(90)] FROM UNNEST([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) AS x": 9,
    "APPROX_QUANTILES(DISTINCT x, 2)[OFFSET(1)] FROM UNNEST([1, 1, 1, 4, 5, 6, 7, 8, 9, 10]) AS x": 6,
    "PERCENTILE_CONT(x, 0.5) OVER () FROM UNNEST([0, 3, NULL, 1, 2]) AS x LIMIT 1": 1.5,
    # texts and arrays
    "SUBSTR('apple', 0, 2)": "ap",
    "SUBSTR('apple', -3)": "ple",
    "SUBSTR('apple', x) FROM UNNEST([0]) AS x": "apple",
    "CONCAT('a', NULL)": None,
    "FORMAT('%05.1f of %d, %s: 100%%', 3.14159, 7, 'x')": "003.1 of 7, x: 100%",
    "SPLIT('a,b')[OFFSET(1)]": "b",
    "[10, 20, 30][ORDINAL(1)]": 10,
    "REGEXP_EXTRACT('foo12', r'[a-z]+(\\d+)')": "12",
    "SUBSTR('abc', -5, 4)": "abc",
    "SUBSTR('abc', -2, 1)": "b",
    "'ab_c' LIKE r'%\\_c'": True,
    "'abxc' LIKE r'%\\_c'": False,
    "'abxc' NOT LIKE '%_c'": False,
    "'50%' LIKE '50\\\\%'": True,
    "CAST(CEIL(19.5) AS STRING)": "20",
    "CAST(19.5 AS STRING)": "19.5",
    "CAST(x AS STRING) FROM UNNEST(['20.0']) AS x": "20.0",
    "CAST(TRUE AS STRING)": "true",
    "SAFE_CAST('12.5' AS INT64)": None,
    "SAFE_CAST(' -12 ' AS INT64)": -12,
    "SAFE_CAST(x AS INT64) FROM UNNEST(['0x1A']) AS x": 26,
    "SAFE_CAST('yes' AS BOOL)": None,
    "CAST('True' AS BOOL)": True,
    "[1, 2][SAFE_OFFSET(-2)]": None,
    "[1, 2][SAFE_OFFSET(5)]": None,
    "[1, 2][SAFE_ORDINAL(2)]": 2,
    "[1, 2][SAFE_ORDINAL(0)]": None,
    "SPLIT('Vasco Kirkbride', ' ')[SAFE_OFFSET(1)]": "Kirkbride",
    # nine digits of a NUMERIC
    "CAST(ROUND(CAST(0.123456789 AS NUMERIC) * 1000000000) AS INT64)": 123_456_789,
    "CAST(NUMERIC '1.23456' * 100000 AS INT64)": 123_456,
    "SUM(CAST(x AS NUMERIC)) * 10000 = 3 FROM UNNEST([0.0001, 0.0002]) AS x": True,
    # a name of a result's column comes before a table's in GROUP BY and HAVING
    "x > 1 AS x FROM UNNEST([1, 2, 3]) AS x WHERE x > 1 GROUP BY x": True,
    "COUNT(*) FROM (SELECT CAST(FLOOR(x / 2) AS INT64) AS x FROM UNNEST([1, 2, 3]) AS x GROUP BY x)": 2,
    "n FROM (SELECT x > 1 AS x, COUNT(*) AS n FROM UNNEST([1, 2, 3]) AS x GROUP BY x HAVING x)": 2,
    "n FROM (SELECT x > 1 AS y, COUNT(*) AS n FROM UNNEST([1, 2, 3]) AS x GROUP BY y HAVING n = 2 AND SUM(x) = 5)": 2,
    # nulls come first, as the least
    "x FROM UNNEST([1, NULL, 2]) AS x ORDER BY x LIMIT 1": None,
    "FIRST_VALUE(x) OVER (ORDER BY x DESC) FROM UNNEST([1, NULL, 2]) AS x LIMIT 1": 2,
}
REFUSED = {
    "EXTRACT(WEEK(NODAY) FROM d) FROM UNNEST([DATE '2017-11-05']) AS d": r"WEEK\(NODAY\): NODAY is not a day of the week",
    "FORMAT_DATE('%Q', DATE '2025-05-05')": "%Q .* is not supported over a lake; there are %A, ",
    "FORMAT_DATE('%e', DATE '2025-05-05')": "%e .* is not supported",
    "FORMAT_TIMESTAMP('%Z', TIMESTAMP '2025-05-05 00:00:00+00')": "%Z .* is not supported",
    "STRING(TIMESTAMP '2025-05-05 00:00:00+00', 'America/New_York')": "STRING with a zone is not supported over a lake",
    "FORMAT('%t', DATE '2025-05-05')": "FORMAT is supported over a lake only with",
    "FORMAT('%d %d', 1)": "FORMAT has 2 places for 1 values",
    "APPROX_QUANTILES(x, 2 RESPECT NULLS) FROM UNNEST([1, NULL]) AS x": "RESPECT NULLS",
    "x FROM UNNEST([1, 2]) AS x WITH OFFSET AS o WHERE o = 1": "WITH OFFSET is not supported over a lake",
    "CAST(1 AS BIGNUMERIC)": "BIGNUMERIC is not supported over a lake",
    "COUNTIF(DISTINCT x > 1) FROM UNNEST([1, 2]) AS x": r"COUNTIF\(DISTINCT",
}


@pytest.fixture(scope="module")
def session():
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.mark.parametrize("asked", MEANINGS)
def test_a_statement_means_the_same_over_a_lake_as_on_bigquery(session, asked):
    translated = dialects.from_googlesql(f"SELECT {asked}", set(TABLES))
    ((found,),) = session.execute(translated).fetchall()
    stated = MEANINGS[asked]
    if isinstance(found, pd.Timestamp | str) or hasattr(found, "isoformat"):
        assert str(found).startswith(str(stated)), translated
    else:
        assert found == stated, translated
        assert isinstance(found, bool) == isinstance(stated, bool)


@pytest.mark.parametrize("asked", REFUSED)
def test_what_has_no_equivalent_is_refused_in_a_sentence(asked):
    with pytest.raises(UnreadableError, match=REFUSED[asked]):
        dialects.from_googlesql(f"SELECT {asked}", set(TABLES))


@pytest.mark.parametrize("asked", ["1 / 0", "5 / x FROM UNNEST([0]) AS x", "MOD(5, 0)", "DIV(5, 0)", "1.5 / 0.0"])
def test_a_division_by_zero_is_an_error(session, asked):
    import duckdb

    translated = dialects.from_googlesql(f"SELECT {asked}", set(TABLES))
    with pytest.raises(duckdb.Error, match="division by zero"):
        session.execute(translated).fetchall()


@pytest.mark.parametrize(
    "asked", ["CAST('1.5' AS INT64)", "CAST('yes' AS BOOL)", "[1, 2][OFFSET(5)]", "[1][OFFSET(-1)]", "[1][ORDINAL(0)]"]
)
def test_an_error_on_bigquery_is_an_error_over_a_lake(session, asked):
    import duckdb

    translated = dialects.from_googlesql(f"SELECT {asked}", set(TABLES))
    with pytest.raises(duckdb.Error, match=r"not a value of the type|no such position"):
        session.execute(translated).fetchall()


@pytest.mark.parametrize(
    ("asked", "stated"),
    [
        ("EXTRACT(WEEK FROM DATE '2025-01-06')", 1),
        ("EXTRACT(ISOWEEK FROM DATE '2025-01-06')", 2),
        ("extract ( week(MONDAY) FROM DATE '2025-01-05')", 0),
        ("EXTRACT(DAYOFWEEK FROM DATE '2017-11-05')", 1),
        ("EXTRACT(MILLISECOND FROM TIMESTAMP '2025-11-06 02:00:59.5')", 500),
        ("FORMAT('%d of %s', 3, 'x')", "3 of x"),
        # DuckDB's own
        ("format('{} of {}', 3, 'x')", "3 of x"),
        ("extract(dow FROM DATE '2017-11-05')", 0),
    ],
)
def test_functions_of_both_dialects_have_googlesqls_meaning(lake, asked, stated):
    assert lake.read_only(f"SELECT {asked}").iloc[0, 0] == stated


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("x FROM UNNEST([1, 2]) AS x WITH OFFSET AS o WHERE o = 1", "^read as GoogleSQL: UNNEST … WITH OFFSET"),
        ("FORMAT('%t', DATE '2025-05-05')", "^read as GoogleSQL: FORMAT is supported"),  # DuckDB would answer %t
    ],
)
def test_a_query_fails_with_the_reason_of_the_refusal(lake, asked, said):
    with pytest.raises(WarehouseError, match=said):
        lake.read_only(f"SELECT {asked}")
