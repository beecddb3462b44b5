"""What analysts read: rows by name, date and column, checked against the contracts, over every warehouse."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pyarrow as pa
import pytest

import nba_props as nba
from nba_props.catalog import TABLES, VIEWS
from nba_props.data import Lake, SelectionError
from nba_props.domain.views.columns import COLUMNS
from nba_props.schemas import Type
from nba_props.schemas.base import PANDAS_DTYPES
from nba_props.schemas.examples import example
from nba_props.settings import BadSetting, SettingsError
from nba_props.sources import registry
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.lake.columns import columns_of
from nba_props.warehouse.lake.manifests import AS_FOUND
from nba_props_tests.conftest import DAY, make_settings
from nba_props_tests.gcp import googlesql
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names


@pytest.fixture
def read(store, tmp_path) -> Lake:
    """A warehouse of each kind with three names on a date and two on the next."""
    store.write(NAMES, pd.concat([names(D1, 3), names(D2, 2, "b")]), [D1, D2])
    return Lake(make_settings(tmp_path), store)


@pytest.fixture
def small(lake, tmp_path) -> Lake:
    """The same over a lake alone, for what does not depend on the warehouse."""
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 2, "b")]), [D1, D2])
    return Lake(make_settings(tmp_path), lake)


def test_rows_are_those_of_the_contract_by_date_span_and_column(read):
    every = read.read("unresolved_names")
    pdt.assert_frame_equal(every, pd.concat([names(D1, 3), names(D2, 2, "b")], ignore_index=True))
    assert read.read("nba_reference.unresolved_names", D2)["source_name"].tolist() == ["b0", "b1"]
    assert len(read.read("unresolved_names", f"{D1}..{D2}")) == 5
    one = read.read("unresolved_names", "2025-11-05", columns=["quotes", "source_name"], quotes=2)
    assert one.to_dict("records") == [{"quotes": 2, "source_name": "a1"}]
    assert read.read("unresolved_names", "2025-11-04").empty


def test_a_filter_is_a_value_several_or_null(read):
    assert read.read("unresolved_names", source_name=["a2", "b0"])["source_name"].tolist() == ["a2", "b0"]
    assert len(read.read("unresolved_names", best_candidate=None)) == 5
    assert read.read("unresolved_names", source_name=[]).empty
    assert (
        read.read("unresolved_names", game_date=str(D2), runner_up_score=1.5, quotes=np.int64(1))["quotes"].item() == 1
    )


def test_a_text_is_a_value_and_never_a_part_of_the_statement(read):
    assert read.read("unresolved_names", source_name="a0' OR '1' = '1").empty
    assert read.read("unresolved_names", source_name="@value_0`; DROP TABLE x; --").empty


def test_a_view_is_read_like_a_table(read, store):
    store.append(LEDGER, ledger(["a", "b"]), [D1])
    found = read.read("current_predictions", D1, market="points", columns=["prediction_id", "forecast"])
    assert found.to_dict("records") == [{"prediction_id": "a", "forecast": 10.0}], "both are of one player"
    assert read.read("current_predictions", D1, market="assists").empty
    summary = read.read("data_quality_summary")
    assert list(summary.columns) == [c.name for c in read.columns_of("data_quality_summary")]
    assert {n: str(t) for n, t in summary.dtypes.items()} == {
        c.name: PANDAS_DTYPES[c.type] for c in read.columns_of("data_quality_summary")
    }


def test_arrow_has_the_types_of_the_contract(read):
    arrow = read.arrow("unresolved_names", D1)
    assert arrow.schema == NAMES.arrow_schema()
    assert arrow.num_rows == 3


def test_a_statement_is_read_only(read):
    assert read.sql("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names")["n"].item() == 5
    with pytest.raises(WarehouseError):
        read.sql("DELETE FROM nba_reference.unresolved_names WHERE TRUE")
    for other in (None, 1, b"SELECT 1", "SELECT '\ud800'"):
        with pytest.raises(SelectionError, match="is not a statement"):
            read.sql(other)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r("unresolved_name"), r"no table or view unresolved_name \(did you mean unresolved_names\?\)"),
        (lambda r: r("unresolved_names", quote=1), r"no column quote \(did you mean quotes\?\); it has game_date, "),
        (lambda r: r("unresolved_names", columns=["quots"]), r"no column quots \(did you mean quotes\?\)"),
        (lambda r: r("unresolved_names", columns="quotes"), r"name them in a list, \['quotes'\]"),
        (lambda r: r("unresolved_names", columns=[]), "columns is empty"),
        (lambda r: r("unresolved_names", quotes="2"), "quotes is INT64, and '2' is not"),
        (lambda r: r("unresolved_names", quotes=True), "quotes is INT64, and True is not"),
        (lambda r: r("unresolved_names", source_name=7), "source_name is STRING, and 7 is not"),
        (lambda r: r("unresolved_names", game_date="5 November"), "game_date is DATE, and '5 November' is not"),
        (lambda r: r("ledger", created_at=datetime(2026, 1, 9)), "created_at is TIMESTAMP"),  # noqa: DTZ001
        (lambda r: r("unresolved_names", "2025-11-31"), "is not a date of the calendar"),
        (lambda r: r("unresolved_names", "2025-11-06..2025-11-05"), "ends before it begins"),
        (lambda r: r("unresolved_names", 20251105), "20251105 is neither a date nor a span"),
        (lambda r: r("unresolved_names", datetime(2025, 11, 5, 23, tzinfo=UTC)), "is an instant"),
        (lambda r: r("unresolved_names", pd.NaT), "NaT is not a date"),
        (lambda r: r("unresolved_names", game_date=pd.NaT), "game_date is DATE, and NaT is not"),
        (lambda r: r("unresolved_names", game_date=pd.Timestamp("2025-11-05T12:00")), "12:00:00 is an instant"),
        (lambda r: r("unresolved_names", game_date=[D1, datetime(2025, 11, 5, tzinfo=UTC)]), "is an instant"),
        (lambda r: r("ledger", created_at=pd.NaT), "created_at is TIMESTAMP, and NaT is not"),
        (lambda r: r("unresolved_names", source_name="\ud800"), "source_name is STRING, and "),
        (lambda r: r("unresolved_names", best_score=10**400), "best_score is FLOAT64, and 1000"),
        (lambda r: r("data_quality_summary", "2025-11-05"), "data_quality_summary has no dates"),
        (lambda r: r(3), "3 is not the name of a table"),
        (lambda r: r(["unresolved_names"]), "is not the name of a table"),
        (lambda r: r("unresolved_names", columns=[3]), "3 is not the name of a column"),
        (lambda r: r("unresolved_names", columns=3), "columns is 3: name them in a list"),
        (lambda r: r("unresolved_names", quotes=np.array(["a"])), "quotes is INT64, and 'a' is not"),
        (lambda r: r("unresolved_names", quotes=np.array([[1, 2]])), r"quotes is INT64, and \[1, 2\] is not"),
        (lambda r: r("unresolved_names", source_name={"a": 1}), "source_name is STRING, and {'a': 1} is not"),
        (lambda r: r("unresolved_names", source_name=pd.DataFrame({"a": [1]})), "source_name is STRING, and "),
        (
            lambda r: r("ledger", created_at="2026-01-09T17:00"),
            "is not: it has no time zone, as '2026-01-09T17:00Z' has",
        ),
        (lambda r: r("ledger", created_at="2026-01-09"), "is not: it has no time zone"),
        (lambda r: r("prices", market="poinst"), r"there is no market 'poinst' \(did you mean points\?\); there are p"),
        (lambda r: r("prices", market="all"), "there is no market 'all'; .*; leave market out for all of them"),
        (lambda r: r("prices", market=["points", "rebound"]), r"no market 'rebound' \(did you mean rebounds\?\)"),
        (lambda r: r("scoreboard", span="season"), r"no span 'season' \(did you mean SEASON\?\)"),
    ],
)
def test_what_does_not_fit_the_contract_is_refused_by_name(small, ask, message):
    before = small._warehouse.query_count
    with pytest.raises(SelectionError, match=message):
        ask(small.read)
    assert small._warehouse.query_count == before, "nothing was read"


@pytest.mark.parametrize(
    ("name", "equal", "message"),
    [
        ("ledger", {"market": "poinst"}, r"no market 'poinst' \(did you mean points\?\)"),
        ("ledger", {"market": "all"}, "no market 'all'.*leave market out"),
        ("ledger", {"system_id": "catboost"}, r"no system_id 'catboost' \(did you mean catboost_v8\?\)"),
        ("ledger", {"system_id": ["moving_average", "movingaverage"]}, "no system_id 'movingaverage'"),
        ("current_predictions", {"recommendation": "over"}, r"\(did you mean OVER\?\)"),
        ("judged_predictions", {"market": "poinst"}, "did you mean points"),
        ("odds_quotes", {"market": "points"}, r"no market 'points' \(did you mean player_points"),
    ],
)
def test_a_word_that_no_row_has_is_refused_with_the_nearest(small, lake, name, equal, message):
    lake.append(LEDGER, ledger(["a"]), [D1])
    with pytest.raises(SelectionError, match=message):
        small.read(name, D1, **equal)
    with pytest.raises(SelectionError, match=message):
        small.read(name, **equal)


def test_a_word_of_another_writer_is_found_where_a_row_has_it(small, lake):
    theirs = ledger(["a", "b"]).assign(system_id=["theirs", "moving_average"])
    lake.append(LEDGER, theirs, [D1])
    assert small.read("ledger", system_id="theirs")["prediction_id"].tolist() == ["a"]
    assert len(small.read("ledger", D1, system_id=["theirs", "moving_average", "catboost_v8"])) == 2
    with pytest.raises(SelectionError, match="no system_id 'theirs'"):
        small.read("ledger", D2, system_id="theirs")


def test_a_market_may_have_its_short_name(small, lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    for name in ("PTS", "pts", "points"):
        assert len(small.read("ledger", market=name)) == 1
    assert small.read("ledger", market=["pra", "REB"]).empty


@pytest.mark.parametrize(
    "several",
    [np.array([1, 2]), pd.Series([1, 2]), pd.Index([1, 2]), pd.array([1, 2], "Int64"), pa.array([1, 2]), range(1, 3),
     {1: "", 2: ""}.keys(), (n for n in (1, 2))],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_any_column_of_values_is_a_list(small, several):
    assert sorted(small.read("unresolved_names", quotes=several)["quotes"].unique()) == [1, 2]


def test_dates_of_numpy_and_columns_of_pandas_are_taken(small):
    days = np.array([D1, D2], dtype="datetime64[ns]")
    assert len(small.read("unresolved_names", game_date=days)) == 5
    assert len(small.read("unresolved_names", game_date=days[0])) == 3
    assert len(small.read("unresolved_names", game_date=pd.Series(days[1:]))) == 2
    assert list(small.read("unresolved_names", columns=pd.Index(["quotes", "game_date"])).columns) == [
        "quotes",
        "game_date",
    ]
    assert small.read("unresolved_names", quotes=np.array([], dtype=int)).empty


def test_show_tables_lists_tables_and_views(small):
    assert small.sql(" show TABLES; ").equals(small.tables)


def test_a_date_may_be_a_word_or_of_pandas(small, monkeypatch):
    monkeypatch.setattr("nba_props.data.lake.clock_of", lambda _: lambda: datetime(2025, 11, 6, 18, tzinfo=UTC))
    assert small.read("unresolved_names", "yesterday")["source_name"].tolist() == ["a0", "a1", "a2"]
    assert small.read("unresolved_names", pd.Timestamp(D2))["source_name"].tolist() == ["b0", "b1"]


def test_a_short_name_is_of_one_table_or_view(small):
    every = [*TABLES, *VIEWS]
    assert [small.address_of(address.partition(".")[2]) for address in every] == every
    assert not {"columns", "name", "when", "self"} & {c.name for a in every for c in columns_of(a, VIEWS)}


def test_every_statement_is_googlesql(small, monkeypatch):
    asked = []
    plain = LakeWarehouse.arrow
    monkeypatch.setattr(LakeWarehouse, "arrow", lambda self, sql, **p: asked.append(sql) or plain(self, sql, **p))
    for name in ("ledger", "judged_predictions", "line_quality_daily"):
        small.read(name, D1, market=["points", "assists"], system_id=None)
    small.read("scoreboard", D1, columns=["system_id"])
    for sql in asked:
        googlesql.analyse(sql)
    assert [googlesql.unbounded(sql) for sql in asked] == [[]] * 4


def test_every_table_and_view_is_listed_and_described(small):
    listed = small.tables
    assert sorted(listed["name"]) == sorted([*TABLES, *VIEWS])
    assert listed["description"].str.len().min() > 20
    for address in listed["name"]:
        described = small.describe(address)
        assert described["meaning"].str.len().min() > 3, address
        assert described["example"].notna().all(), address
    row = small.describe("ledger").set_index("column").loc["line_margin"]
    assert (row["type"], row["nullable"], row["unit"]) == ("FLOAT64", True, "stat")


def test_an_example_of_a_payload_is_of_the_feed_of_its_table_and_teams_differ(small):
    for feed in registry.feeds():
        for table in (table for raw in feed.tables for table in (raw.table, raw.quarantine)):
            row = small.describe(table.address).set_index("column")["example"]
            assert row["payload"].startswith(f"{feed.name}/"), table.address
    row = small.describe("schedule").set_index("column")["example"]
    assert len(str(row["home_team_id"])) == 10
    assert row["home_team_id"] != row["away_team_id"]


def test_an_example_keeps_the_contract():
    for table in TABLES.values():
        row = table.conform(pd.DataFrame([{c.name: example(c) for c in table.columns}]))
        assert table.violations(row).empty, table.address
    kinds = {
        Type.STRING: str,
        Type.INT64: int,
        Type.FLOAT64: float,
        Type.BOOL: bool,
        Type.DATE: date,
        Type.TIMESTAMP: datetime,
    }
    assert all(type(example(c)) is kinds[c.type] for c in COLUMNS.values())


def test_a_view_has_the_types_that_are_stated_of_its_own_columns():
    found = {c.name: c.type for address in VIEWS for c in columns_of(address, VIEWS) if c.name in COLUMNS}
    assert found == {name: column.type for name, column in COLUMNS.items()}, "one that no view has can go"
    tables = {c.name for t in TABLES.values() for c in t.columns}
    assert "is_valid_line" in COLUMNS.keys() & tables, "a view may compute what another table stores"


def test_a_column_of_a_view_means_what_it_does_in_the_table_that_is_read_first():
    judged = {c.name: c for c in columns_of("nba_predictions.judged_predictions", VIEWS)}
    assert judged["quote_id"].description == next(c for c in LEDGER.columns if c.name == "quote_id").description
    prices = TABLES["nba_analytics.prices"]
    arbitrages = {c.name: c for c in columns_of("nba_monitoring.arbitrages", VIEWS)}
    assert arbitrages["line"].full_description == next(c for c in prices.columns if c.name == "line").full_description


def test_the_package_alone_loads_no_library():
    code = (
        "import sys, nba_props as nba; assert {'open', 'Lake'} <= set(dir(nba)) and nba.__version__; "
        "import json; print(json.dumps(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('pandas', 'numpy', 'duckdb', 'dagster', 'pyarrow', 'sqlglot', 'pydantic', 'nba_props'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["nba_props", "nba_props.process", "nba_props.process.version"]


def test_reading_loads_no_dagster(tmp_path):
    LakeWarehouse(tmp_path / "lake").write(NAMES, names(D1, 3), [D1])
    code = (
        f"import sys, nba_props as nba; lake = nba.open({str(tmp_path)!r}); "
        "print(len(lake.read('unresolved_names')), 'dagster' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]


def test_a_home_is_opened_by_its_path_or_by_the_environment(tmp_path, monkeypatch):
    LakeWarehouse(tmp_path / "one" / "lake").write(NAMES, names(D1, 3), [D1])
    LakeWarehouse(tmp_path / "two" / "lake").claim("SIMULATED")
    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path / "one"))
    assert len(nba.open().read("unresolved_names")) == 3
    two = nba.open(tmp_path / "two")
    assert two.read("unresolved_names").empty
    assert (two.source, repr(two)[-20:]) == ("SIMULATED", ", a simulated league>"[-20:])
    monkeypatch.setenv("HOME", str(tmp_path))
    assert nba.open(home="~/one").source == nba.open(home=tmp_path / "one").source
    with pytest.raises(BadSetting, match=f"there is no {tmp_path / 'three'}"):
        nba.open(tmp_path / "three")
    monkeypatch.setenv("NBA_PROPS_PROFILE", "gcp")
    monkeypatch.delenv("NBA_PROPS_GCP_PROJECT", raising=False)
    with pytest.raises(SettingsError, match="the profile gcp needs"):
        nba.open()
    assert len(nba.open(tmp_path / "one").read("unresolved_names")) == 3, "a home that is named is a lake"


def test_an_unknown_attribute_of_the_package_is_an_error():
    with pytest.raises(AttributeError, match="module 'nba_props' has no attribute 'opne'"):
        _ = nba.opne


def test_polars_is_used_where_it_is_installed(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"lake\.polars needs polars: pip install polars"):
        small.polars("unresolved_names")
    made = type(
        "Polars", (), {"from_arrow": staticmethod(lambda a: a), "DataFrame": staticmethod(lambda a: a.num_rows)}
    )
    monkeypatch.setitem(sys.modules, "polars", made)
    assert small.polars("unresolved_names", D1) == 3


def test_a_whole_slate_is_read(predicted):
    lake = Lake(predicted.settings, predicted.warehouse)
    rows = lake.read("current_predictions", DAY, market="points")
    assert rows["system_id"].nunique() >= 8
    assert rows["game_date"].unique().tolist() == [pd.Timestamp(DAY)]
    assert lake.read("current_predictions", f"{DAY - timedelta(5)}..{DAY}", has_prop_line=True)["line"].notna().all()


def test_a_lake_as_of_an_instant_reads_tables_and_views_as_they_were(small, lake):
    start = datetime.now(UTC)
    for ids in (["a"], ["b"]):
        with lake.publication(ids[0], "predict", "0.1") as publication:
            lake.append(LEDGER, ledger(ids), [D1])
            publication.publish()
    first, _ = (version.instant for version in lake.versions(D1) if version.run_id in "ab")
    then = small.as_of(first)
    assert repr(then).startswith(f"<{lake.place} as of {first.isoformat()}: ")
    assert then.read("ledger", D1)["prediction_id"].tolist() == ["a"]
    assert then.arrow("current_predictions")["prediction_id"].to_pylist() == ["a"]
    assert then.sql("select count(*) as n from nba_predictions.ledger")["n"].tolist() == [1]
    assert (then.dates("ledger"), small.as_of(start).dates("ledger")) == ([D1], [])
    assert then.tables.equals(small.tables)
    assert small.as_of(first.isoformat().replace("+00:00", "Z")).read("ledger")["prediction_id"].tolist() == ["a"]
    assert len(small.read("ledger")) == 2


def test_the_versions_of_a_date_are_instants_to_ask_for(small, lake):
    for run_id, mark in (("one", "x"), ("two", "y")):
        with lake.publication(run_id, "predict", "0.1") as publication:
            lake.write(NAMES, names(D2, 1, mark), [D2])
            publication.publish()
    found = small.versions(D2)
    assert found["run_id"].tolist() == [AS_FOUND, "one", "two"]
    assert found["rows"].tolist() == [2, 1, 1]
    read = [small.as_of(at).read("unresolved_names", D2)["source_name"].tolist() for at in found["instant"]]
    assert read == [["b0", "b1"], ["x0"], ["y0"]]
    then = small.as_of(found["instant"][1])
    assert then.versions(D2)["run_id"].tolist() == [AS_FOUND, "one"], "what was not yet published was not"
    assert small.versions("2025-11-04").empty
    with pytest.raises(SelectionError, match="is 2 dates: ask for the versions of one"):
        small.versions(f"{D1}..{D2}")


@pytest.mark.parametrize("instant", ["2026-01-09", "2026-01-09T17:00", "yesterday", datetime(2026, 1, 9), D1, None])  # noqa: DTZ001
def test_an_instant_without_a_time_zone_is_refused(small, instant):
    with pytest.raises(SelectionError, match=r"is not an instant .*such as '2026-01-09T17:00Z'"):
        small.as_of(instant)
    with pytest.raises(WarehouseError, match="is in the future"):
        small.as_of("2098-01-09T17:00Z")
