"""What a person types: GoogleSQL as written on both warehouses, DuckDB's own SQL over a lake, and the words of old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from nba_props.schemas.analytics import CONTEXT
from nba_props.warehouse import dialects
from nba_props.warehouse.base import WarehouseError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names
from nba_props_tests.warehouse.test_reading import whole_of

NIGHT, NEXT = date(2026, 1, 9), date(2026, 1, 10)
OLD = "nba_predictions.player_prop_predictions"
#: the queries that users of the system before know by heart, as they know them
BRIEF = [
    f"""
SELECT game_date, system_id, COUNT(*) AS count, COUNTIF(current_points_line = 20.0) AS placeholders, COUNTIF(line_source = 'ACTUAL_PROP') AS actual_props
FROM `nba-props-platform.{OLD}` WHERE game_date = '2026-01-09' AND created_at >= TIMESTAMP('2026-01-09 04:00:00') GROUP BY game_date, system_id ORDER BY system_id;
""",
    f"""
SELECT COUNT(*) AS total_predictions, COUNTIF(current_points_line = 20.0) AS placeholders, ROUND(100.0 * COUNTIF(line_source = 'ACTUAL_PROP') / COUNT(*), 2) AS actual_prop_pct
FROM `nba-props-platform`.{OLD} WHERE game_date >= '2025-11-19';
""",
    f"""
SELECT game_date, COUNT(*) AS total, COUNTIF(current_points_line = 20.0) AS placeholders, ROUND(100.0 * COUNTIF(current_points_line = 20.0) / COUNT(*), 2) AS placeholder_pct
FROM nba-props-platform.{OLD} WHERE game_date >= '2025-11-19' GROUP BY game_date ORDER BY game_date DESC LIMIT 30;
""",
    """
SELECT DISTINCT player_lookup, player_name FROM `nba-props-platform.nba_analytics.upcoming_player_game_context` WHERE game_date = '2026-01-09' AND projected_minutes >= 15;
""",
]  # fmt: skip


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def published(day: date, **columns) -> pd.DataFrame:
    """Rows of the ledger, one for each value of the columns."""
    n = len(columns["prediction_id"])
    return ledger([""] * n).assign(game_date=pd.Timestamp(day), created_at=at("2026-01-09 12:00"), **columns)


def expected(day: date, minutes: list[float | None]) -> pd.DataFrame:
    """Rows of the context: players 1, 2, ... who are expected to play so long."""
    frame = CONTEXT.empty().reindex(range(len(minutes))).assign(
        game_date=pd.Timestamp(day), game_id="g", player_id=range(1, len(minutes) + 1), season="2025-26",
        player_name=[f"P {n}" for n in range(1, len(minutes) + 1)], season_type="Regular Season", team="BOS",
        player_lookup=[f"p{n}" for n in range(1, len(minutes) + 1)], projected_minutes=minutes, null_reasons="{}",
        has_prop_line=[bool(m and m > 20) for m in minutes],
    )  # fmt: skip
    counts = [c.name for c in CONTEXT.columns if c.ge == 0 and not c.nullable]
    return CONTEXT.conform(frame.assign(**dict.fromkeys(counts, 0)))


def fill(store) -> None:
    rows = published(
        NIGHT, prediction_id=["a1", "a2", "b1", "b2"], system_id=["a", "a", "b", "b"], player_id=[1, 2, 1, 2],
        line=[24.5, None, 20.0, 20.0], line_source=["ACTUAL_PROP", "NO_PROP_LINE", "ACTUAL_PROP", None],
    )  # fmt: skip
    rows.loc[2, "created_at"] = at("2026-01-09 03:59")
    store.write_unchecked(LEDGER, rows, NIGHT)
    store.write_unchecked(LEDGER, published(NEXT, prediction_id=["c"], system_id=["a"]), NEXT)
    store.write(CONTEXT, expected(NIGHT, [31.5, 15.0, 14.9, None]), [NIGHT])


@pytest.fixture(params=["lake", "bigquery"])
def settings(request, tmp_path):
    """Those of a warehouse of each kind."""
    return make_settings(tmp_path, gcp=request.getfixturevalue("make_gcp")() if request.param != "lake" else None)


@pytest.fixture
def store(settings):
    """A warehouse of each kind with two nights."""
    made = open_warehouse(settings)
    fill(made)
    return made


def rows(frame: pd.DataFrame) -> list[tuple]:
    frame = frame.assign(**{c: frame[c].astype(str).str[:10] for c in frame if c == "game_date"})
    return [tuple(row) for row in frame.itertuples(index=False)]


def test_the_briefs_queries_run_as_written(store):
    per_system, overall, per_date, players = (store.read_only(sql) for sql in BRIEF)
    assert list(per_system) == ["game_date", "system_id", "count", "placeholders", "actual_props"]
    assert rows(per_system) == [("2026-01-09", "a", 2, 0, 1), ("2026-01-09", "b", 1, 1, 0)]
    assert rows(overall) == [(5, 2, 40.0)]
    assert rows(per_date) == [("2026-01-10", 1, 0, 0.0), ("2026-01-09", 4, 2, 50.0)]
    assert sorted(players["player_lookup"]) == ["p1", "p2"]
    for sql, found in zip(BRIEF, (per_system, overall, per_date, players), strict=True):
        plain = sql.replace("`", "").replace("nba-props-platform.", "")
        pd.testing.assert_frame_equal(store.read_only(plain), found)


def test_the_old_table_shows_which_row_is_active_and_since_when(store):
    chain = published(
        D1, prediction_id=["late", "first", "second"], is_backfill=[True, False, False], line=[9.5, 8.5, 7.5]
    ).assign(created_at=[at("2025-11-06 09:00"), at("2025-11-05 18:00"), at("2025-11-05 20:00")])
    store.write_unchecked(LEDGER, chain, D1)
    found = store.read_only(f"SELECT * FROM {OLD} WHERE game_date = '{D1}' ORDER BY created_at").set_index(
        "prediction_id"
    )
    assert found["is_active"].tolist() == [False, True, False]
    assert found["superseded_by"].where(found["superseded_by"].notna(), None).tolist() == ["second", None, "second"]
    assert [t.hour for t in pd.to_datetime(found["updated_at"], utc=True)] == [20, 20, 9]
    assert found["current_points_line"].tolist() == [8.5, 7.5, 9.5]
    assert set(found.reset_index()) == {
        "prediction_id", "system_id", "player_lookup", "game_date", "game_id", "predicted_points", "confidence_score",
        "recommendation", "has_prop_line", "current_points_line", "line_margin", "line_source", "line_source_api",
        "sportsbook", "line_minutes_before_game", "model_version", "is_active", "superseded_by", "created_at",
        "updated_at",
    }  # fmt: skip


def test_the_players_that_matter(settings, store):
    matter = store.query("SELECT * FROM nba_analytics.rotation_players ORDER BY player_id")
    assert matter["player_lookup"].tolist() == ["p1", "p2"]
    assert matter["projected_minutes"].tolist() == [31.5, 15.0]
    assert matter["has_prop_line"].tolist() == [True, False]
    other = open_warehouse(replace(settings, min_minutes=31))
    assert other.query("SELECT * FROM nba_analytics.rotation_players")["player_lookup"].tolist() == ["p1"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A lake for reading: no test changes it, and those that try to write fail."""
    lake = LakeWarehouse(tmp_path_factory.mktemp("filled") / "lake")
    lake.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    return lake


LEDGERS = LEDGER.address


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        # GoogleSQL
        (f"SELECT COUNT(*) FROM `p.{LEDGERS}`", 2),
        (f"SELECT COUNT(*) FROM `p`.`nba_predictions`.`ledger` AS l WHERE l.game_date = '{D1}'", 2),
        (f"SELECT COUNT(*) FROM my-project-12.{LEDGERS}", 2),
        (f"SELECT COUNT(*) FROM `{LEDGERS}` -- `why`", 2),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE system_id = \"s\"", 2),
        (f"SELECT COUNT(*) FROM `{LEDGERS}` WHERE system_id IN (\"s\", 't')", 2),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE game_date = DATE(\"2025-11-05\")", 2),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE created_at >= TIMESTAMP('2025-11-05 20:00:00')", 2),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE created_at > TIMESTAMP('2025-11-05 15:00:00', 'America/New_York')", 0),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE game_date > DATE_SUB(DATE '2025-11-06', INTERVAL 2 DAY)", 2),
        (f"SELECT COUNT(*) FROM (SELECT * EXCEPT (components, run_id) FROM {LEDGERS})", 2),
        ("SELECT SAFE_DIVIDE(6, 2)", 3),
        (f"SELECT COUNTIF(line = 20.0) FROM {LEDGERS}", 0),
        (f"SELECT COUNTIF(line IS NULL) FROM {LEDGERS}", 2),
        (f"SELECT MAX(DATE_DIFF(game_date, DATE '2025-11-01', DAY)) FROM {LEDGERS}", 4),
        (f"SELECT MAX(EXTRACT(DAYOFWEEK FROM game_date)) FROM `{LEDGERS}`", 4),
        (f"SELECT MAX(EXTRACT(WEEK FROM game_date)) FROM `{LEDGERS}`", 44),
        (f"SELECT MAX(EXTRACT(ISOWEEK FROM game_date)) FROM `{LEDGERS}`", 45),
        (f"SELECT MAX(EXTRACT(DAY FROM DATE_TRUNC(game_date, WEEK))) FROM `{LEDGERS}`", 2),
        (f"SELECT IF(LOGICAL_AND(is_backfill), 1, 0) FROM {LEDGERS}", 0),
        ("SELECT COUNT(*) FROM UNNEST(GENERATE_DATE_ARRAY('2025-11-01', '2025-11-03')) AS d", 3),
        ("WITH x AS (SELECT 1 AS a UNION ALL SELECT 2) SELECT COUNT(*) FROM `x`", 2),
        ("SELECT LENGTH('nba_raw.schedule`') FROM `nba_predictions.ledger` LIMIT 1", 17),
        # DuckDB's own
        (f"FROM {LEDGERS} SELECT COUNT(*)", 2),
        (f"SELECT COUNT(*) FROM {LEDGERS} WHERE \"system_id\" = 's'", 2),
        (f"SELECT COUNT(*) FILTER (WHERE prediction_id = 'a') FROM {LEDGERS}", 1),
        (f"SELECT MAX(date_diff('day', DATE '2025-11-01', game_date)) FROM {LEDGERS}", 4),
        (f"SELECT COUNT(*) FROM (SELECT * EXCLUDE (run_id) FROM {LEDGERS})", 2),
        (f"SELECT COUNT(\"game_date\") + countif(true) FROM {LEDGERS}", 4),
        ("SELECT list_sum(list_transform([1, 2], x -> x + 1))", 5),
        ("SELECT LENGTH('a`b')", 3),
        ("SELECT LOG(100)", 2),
    ],
)  # fmt: skip
def test_both_dialects_are_read_over_a_lake(filled, statement, answer):
    assert filled.read_only(statement).iloc[0, 0] == answer


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        # a mistyped name must not become a text
        (f"SELECT \"sistem_id\" FROM {LEDGERS}", r'^Binder Error: Referenced column "sistem_id" not found'),
        (f"SELECT 1 FROM {LEDGERS} WHERE \"sistem_id\" = 's'", r'^Binder Error: Referenced column "sistem_id"'),
        (f"SELECT 1 FROM {LEDGERS} GROUP BY \"sistem_id\"", r'^Binder Error: Referenced column "sistem_id"'),
        (f"SELECT 1 FROM {LEDGERS} WHERE line = \"consensus\"", r'^Binder Error: Referenced column "consensus"'),
        # the error of the dialect that was meant
        (f"SELECT typo FROM `p.{LEDGERS}`", r'^read as GoogleSQL: Binder Error: Referenced column "typo" not found'),
        (f"SELECT SAFE_DIVIDE(typo, 1) FROM {LEDGERS}", r'^read as GoogleSQL: .*"typo" not found'),
        (f"SELECT a FROM `{LEDGERS}` WHER x = 1", r"^read as GoogleSQL: .*at line 1, column \d+"),
        ("SELECT * FROM `p.nba_predictions.ledgr`", r'^read as GoogleSQL: .*ledgr does not exist!\nDid you mean "ledger"'),
        (
            f'SELECT typo FROM {LEDGERS} WHERE game_date = "2025-11-05"',
            r'^read as GoogleSQL: Binder Error: Referenced column "typo" not found',
        ),
        (f"SELECT typo FROM {LEDGERS}", r'^Binder Error: Referenced column "typo" not found[^`]*$'),
        (f"SELECT a FROM {LEDGERS} WHER x = 1", r'^Parser Error: syntax error at or near "x"'),
        (f"SELECT nosuch(1) FROM {LEDGERS}", r"^Catalog Error: Scalar Function with name nosuch"),
        (f"SELECT ARRAY_AGG(line LIMIT 1) FROM `{LEDGERS}`", "^read as GoogleSQL: LIMIT inside ARRAY_AGG"),
        (f"SELECT line FROM `{LEDGERS}` WHERE", r"^read as GoogleSQL: something is missing at line 1, column \d+$"),
        ("SELECT `a", "^read as GoogleSQL: "),
        ("SELECT EXTRACT(DAY FROM DATE 'x') FROM `nba_predictions.ledger`", "x"),
    ],
)  # fmt: skip
def test_an_error_is_that_of_the_dialect_that_the_statement_is_in(filled, statement, said):
    with pytest.raises(WarehouseError, match=said) as caught:
        filled.read_only(statement)
    assert "\x1b" not in str(caught.value)


GOOGLE_PENS = [
    "INSERT INTO `nba_reference.unresolved_names` (quotes) VALUES (1)",
    "UPDATE `nba_reference.unresolved_names` SET quotes = 0 WHERE TRUE",
    "DELETE FROM `nba_reference.unresolved_names` WHERE TRUE",
    "MERGE `nba_reference.unresolved_names` AS t USING (SELECT 1 AS a) AS s ON FALSE WHEN NOT MATCHED THEN INSERT ROW",
    "TRUNCATE TABLE `nba_reference.unresolved_names`",
    "DROP VIEW `nba_reference.unresolved_names`",
    "DROP TABLE `nba_reference.unresolved_names`",
    "ALTER TABLE `nba_reference.unresolved_names` RENAME TO x",
    "CREATE TABLE `nba_reference.x` AS SELECT 1 AS a",
    "CREATE OR REPLACE VIEW `nba_reference.unresolved_names` AS SELECT 1 AS a",
    "CREATE TEMP FUNCTION f(x INT64) AS (x); SELECT f(1) FROM `nba_reference.unresolved_names`",
    "EXPORT DATA OPTIONS (uri = 'gs://x/*', format = 'CSV') AS SELECT * FROM `nba_reference.unresolved_names`",
    "LOAD DATA INTO `nba_reference.unresolved_names` FROM FILES (format = 'CSV', uris = ['gs://x'])",
    "SELECT 1 FROM `nba_reference.unresolved_names`; DELETE FROM `nba_reference.unresolved_names` WHERE TRUE",
    "BEGIN TRANSACTION; DELETE FROM `nba_reference.unresolved_names` WHERE TRUE; COMMIT TRANSACTION",
    "EXECUTE IMMEDIATE 'DELETE FROM `nba_reference.unresolved_names` WHERE TRUE'",
    "DECLARE x INT64 DEFAULT 1; SELECT x FROM `nba_reference.unresolved_names`",
    "CALL `x.y`()",
    "SELECT * FROM `{file}`",
    "SELECT * FROM `/etc/hostname`",
    "SELECT * FROM READ_TEXT('/etc/hostname'), `nba_reference.unresolved_names`",
    "WITH `x` AS (SELECT 1) DELETE FROM `nba_reference.unresolved_names`",
    "EXPLAIN ANALYZE COPY (SELECT 1 AS `a`) TO '{file}'",
    "COPY (SELECT 1 AS `a`) TO '{file}'",
    "SELECT * FROM EXTERNAL_QUERY('a', 'DELETE FROM x'), `nba_reference.unresolved_names`",
]


@pytest.mark.parametrize("statement", GOOGLE_PENS)
def test_googlesql_cannot_write_either(filled, statement):
    before = whole_of(filled.root)
    file = filled._file(LEDGER, D1)
    with pytest.raises(WarehouseError):
        filled.read_only(statement.format(file=file))
    assert whole_of(filled.root) == before


def test_table_names_are_found_wherever_they_occur():
    known = {"nba_raw.schedule", "nba_raw.box_scores"}
    written, asked = dialects.named(
        "SELECT 'nba_raw.schedule', \"nba_raw.schedule\" /* nba_raw.schedule */, a-nba_raw.x FROM p-1.nba_raw.schedule s "
        "JOIN `p.nba_raw`.box_scores USING (x) JOIN `p`.NBA_RAW.`SCHEDULE` JOIN other.schedule",
        known,
        "<{}>".format,
    )
    assert written == (
        "SELECT 'nba_raw.schedule', \"nba_raw.schedule\" /* nba_raw.schedule */, a-nba_raw.x FROM <nba_raw.schedule> s "
        "JOIN <nba_raw.box_scores> USING (x) JOIN <nba_raw.schedule> JOIN other.schedule"
    )
    assert set(asked) == {*known, "nba_raw.x"}


@pytest.mark.parametrize("name", ["nba_raw.nosuch", "`p.nba_raw.nosuch`", "p.nba_raw.nosuch"])
def test_an_unknown_name_is_refused_with_a_list_of_the_known_ones(shared_gcp, tmp_path, name):
    store = open_warehouse(make_settings(tmp_path, gcp=shared_gcp))
    with pytest.raises(WarehouseError, match=r"no table or view nba_raw\.nosuch; there are nba_raw\.schedule, "):
        store.read_only(f"SELECT * FROM {name}")
