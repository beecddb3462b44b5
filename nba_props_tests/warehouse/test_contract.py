"""The contract that every warehouse keeps: the lake, BigQuery through its emulator, and one as small as one can be."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_props.domain import digests
from nba_props.schemas import ContractError
from nba_props.schemas.raw import SCHEDULE
from nba_props.warehouse.base import LedgerConflict, MissingPartition, MixedSources, PartitionMismatch, WarehouseError
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.warehouse.memory import MemoryWarehouse
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names, take_out


@pytest.fixture(params=["lake", "bigquery", "memory"])
def store(request, tmp_path):
    """An empty warehouse of each kind."""
    if request.param == "lake":
        return LakeWarehouse(tmp_path / "lake")
    if request.param == "memory":
        return MemoryWarehouse()
    return open_warehouse(make_settings(tmp_path, gcp=request.getfixturevalue("make_gcp")()))


def test_what_is_written_is_read_back_bit_for_bit(store):
    both = pd.concat([names(D1, 3), names(D2, 2)], ignore_index=True)
    store.write(NAMES, both, [D1, D2])
    pdt.assert_frame_equal(store.read(NAMES, [D1, D2]), both)
    assert store.partitions(NAMES) == [D1, D2]


def test_statements_on_held_tables_find_the_same_rows(store):
    store.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    with store.held([NAMES], D2):
        found = store.query(f"SELECT * FROM {NAMES.address} WHERE game_date <= @last ORDER BY source_name", last=D1)
    pdt.assert_frame_equal(NAMES.conform(found), names(D1, 3))


def test_a_partition_is_replaced_whole_and_alone(store):
    store.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2])
    store.write(NAMES, names(D1, 1, "b"), [D1])
    assert store.read(NAMES, [D1])["source_name"].tolist() == ["b0"]
    assert len(store.read(NAMES, [D2])) == 2


def test_an_empty_partition_exists_and_a_missing_one_is_an_error(store):
    store.write(NAMES, NAMES.empty(), [D1])
    assert store.read(NAMES, [D1]).empty
    pdt.assert_series_equal(store.read(NAMES, [D1]).dtypes, names(D1, 1).dtypes)
    with pytest.raises(MissingPartition, match=r"unresolved_names has no partition 2025-11-06: materialize it first"):
        store.read(NAMES, [D1, D2])


def test_rows_outside_the_partition_are_refused_before_anything_is_written(store):
    store.write(NAMES, names(D1, 1), [D1])
    with pytest.raises(PartitionMismatch, match="2025-11-06"):
        store.write(NAMES, pd.concat([names(D1, 2, "n"), names(D2, 1)]), [D1])
    assert store.read(NAMES, [D1])["source_name"].tolist() == ["a0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="quotes"), r"missing columns \['quotes'\]"),
        (lambda f: f.assign(extra=1), r"unknown columns \['extra'\]"),
        (lambda f: f.assign(quotes="many"), "quotes: values such as"),
        (lambda f: f.assign(quotes=0), "quotes: greater_than_or_equal_to"),
        (lambda f: f.assign(reason=None), "reason: not_nullable"),
        (lambda f: f.assign(source_name=7), "source_name: values such as"),
        (lambda f: pd.concat([f, f]), "source_name"),
        (lambda f: f.assign(game_date=f["game_date"] + pd.Timedelta(hours=1)), "no time of day"),
    ],
)
def test_a_broken_contract_is_refused_and_the_old_rows_stay(store, change, message):
    store.write(NAMES, names(D1, 2), [D1])
    with pytest.raises(ContractError, match=message):
        store.write(NAMES, change(names(D1, 2, "bad")), [D1])
    assert store.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1"]


def test_columns_are_matched_by_name_not_by_place(store):
    shuffled = names(D1, 2)[NAMES.column_names[::-1]]
    store.write(NAMES, shuffled, [D1])
    pdt.assert_frame_equal(store.read(NAMES, [D1]), names(D1, 2))


def test_naive_instants_are_refused(store):
    with pytest.raises(ContractError, match="timezone-aware"):
        store.append(LEDGER, ledger(["a"]).assign(created_at=pd.Timestamp("2025-11-05")), [D1])


def test_a_ledger_only_grows_by_new_keys(store):
    assert store.append(LEDGER, ledger(["a", "b"]), [D1]) == {D1: (2, 0)}
    again = store.append(LEDGER, ledger(["b", "c"]).assign(run_id="later"), [D1])
    assert again == {D1: (1, 1)}
    stored = store.read(LEDGER, [D1]).set_index("prediction_id")["run_id"]
    assert stored.to_dict() == {"a": "r", "b": "r", "c": "later"}


def test_a_known_key_with_different_values_is_a_conflict(store):
    store.append(LEDGER, ledger(["a"]), [D1])
    with pytest.raises(LedgerConflict, match="raise model_version"):
        store.append(LEDGER, ledger(["a", "b"], points=11.0), [D1])
    assert len(store.read(LEDGER, [D1])) == 1


def test_queries_see_tables_views_and_typed_emptiness(store):
    assert store.query("SELECT * FROM nba_predictions.current_predictions").empty
    store.write(NAMES, names(D1, 3), [D1])
    rows = store.query(
        "SELECT SUM(quotes) AS n, MAX(game_date) AS d FROM nba_reference.unresolved_names WHERE quotes >= @low", low=2
    )
    assert (rows["n"][0], rows["d"][0]) == (5, pd.Timestamp(D1))
    assert rows["n"].dtype == "Int64"
    with pytest.raises(WarehouseError, match=r"no table or view nba_raw\.nothing"):
        store.query("SELECT * FROM nba_raw.nothing")


def test_rows_leave_a_ledger_by_their_key(store):
    store.append(LEDGER, ledger(["a", "b", "c"]), [D1])
    assert take_out(store, ["a", "c", "nobody"], D1) == 2
    assert take_out(store, ["a"], D1) == 0
    assert store.read(LEDGER, [D1])["prediction_id"].tolist() == ["b"]
    assert store.append(LEDGER, ledger(["a"]), [D1]) == {D1: (1, 0)}
    assert store.damaged() == []


def test_a_ledger_that_was_emptied_is_there_and_empty(store):
    store.append(LEDGER, ledger(["a"]), [D1])
    assert take_out(store, ["a"], D1) == 1
    assert store.read(LEDGER, [D1]).empty
    assert store.partitions(LEDGER) == [D1]


def test_partitions_are_read_in_the_order_asked_for_and_by_key_within(store):
    both = pd.concat([names(D1, 3), names(D2, 2, "b")])
    store.write(NAMES, both.sample(frac=1, random_state=3), [D2, D1])
    read = store.read(NAMES, [D2, D1])
    assert read["source_name"].tolist() == ["b0", "b1", "a0", "a1", "a2"]
    far = D1 + timedelta(400)
    store.write(NAMES, names(far, 1, "f"), [far])
    assert store.read(NAMES, [D1, far])["source_name"].tolist() == ["a0", "a1", "a2", "f0"]
    assert store.read(NAMES, []).empty


def test_a_span_replaces_each_of_its_dates_and_no_other(store):
    days = [D1 + timedelta(n) for n in range(5)]
    store.write(NAMES, pd.concat([names(d, 2, "old") for d in days]), days)
    store.write(NAMES, pd.concat([names(d, 1, "new") for d in days[1:3]]), days[1:4])
    assert [len(store.read(NAMES, [d])) for d in days] == [2, 1, 1, 0, 2]
    assert set(store.read(NAMES, days[1:3])["source_name"]) == {"new0"}


def test_what_adds_nothing_to_a_ledger_changes_nothing(store):
    store.append(LEDGER, ledger(["a"]), [D1])
    as_written = store.fingerprints(LEDGER)
    assert store.append(LEDGER, ledger(["a"]), [D1]) == {D1: (0, 1)}
    assert store.fingerprints(LEDGER) == as_written
    store.append(LEDGER, ledger(["a"]), [D1], {D1: "other payloads"})
    assert store.states(LEDGER)[D1].made_from == "other payloads"


def test_a_partition_records_its_content_and_its_inputs(store):
    assert store.states(NAMES) == {}
    store.write(NAMES, pd.concat([names(D1, 3), names(D2, 2)]), [D1, D2], {D1: "the payloads of D1"})
    states = store.states(NAMES)
    assert list(states) == [D1, D2]
    assert {d: (s.rows, s.made_from) for d, s in states.items()} == {D1: (3, "the payloads of D1"), D2: (2, "")}
    assert states[D1].content.keys() == {""}
    assert states[D1].content != states[D2].content


def test_the_digest_is_of_the_rows_and_not_of_their_order_writing_or_run(store):
    store.write(NAMES, names(D1, 5), [D1])
    before = store.states(NAMES)[D1]
    store.write(NAMES, names(D1, 5).sample(frac=1, random_state=1).astype({"quotes": "int64"}), [D1], {D1: "new"})
    after = store.states(NAMES)[D1]
    assert after.content == before.content
    assert (before.made_from, after.made_from) == ("", "new")
    store.write(NAMES, names(D1, 5).assign(best_score=1.0), [D1])
    assert store.states(NAMES)[D1].content != before.content
    store.append(LEDGER, ledger(["a"]).assign(run_id="one"), [D1])
    assert store.states(LEDGER)[D1].content[""] == digests.content(LEDGER, ledger(["a"]), D1)[""]


def test_an_append_is_of_all_rows_and_keeps_the_newest_origin(store):
    store.append(LEDGER, ledger(["a"]), [D1], {D1: "one"})
    store.append(LEDGER, ledger(["b"]), [D1])
    both = store.states(LEDGER)[D1]
    assert (both.rows, both.made_from) == (2, "one")
    assert both.content == digests.content(LEDGER, ledger(["b", "a"]), D1)
    assert store.append(LEDGER, ledger(["b"]), [D1], {D1: "two"}) == {D1: (0, 1)}
    later = store.states(LEDGER)[D1]
    assert (later.rows, later.content, later.made_from) == (2, both.content, "two")
    assert store.read(LEDGER, [D1])["prediction_id"].tolist() == ["a", "b"]
    assert store.append(LEDGER, ledger(["b"]), [D1], {D1: "two"}) == {D1: (0, 1)}
    assert store.states(LEDGER)[D1] == later, "nothing was new, and nothing it is made from"
    take_out(store, ["a"], D1)
    left = store.states(LEDGER)[D1]
    assert (left.rows, left.made_from) == (1, "two")
    assert left.content == digests.content(LEDGER, ledger(["b"]), D1)


def test_an_empty_partition_has_a_digest_like_any_other_empty_one(store):
    store.write(NAMES, names(D2, 2), [D1, D2])
    store.append(LEDGER, ledger(["a"]), [D1])
    take_out(store, ["a"], D1)
    empty, full = store.states(NAMES).values()
    assert empty.rows == 0
    assert empty.content == digests.content(NAMES, NAMES.empty(), D1) != full.content
    assert store.states(LEDGER)[D1].content == digests.content(LEDGER, LEDGER.empty(), D1)


def test_rows_without_a_recorded_state_are_read_for_their_digest(store):
    store.write(NAMES, names(D1, 3), [D1], {D1: "known"})
    said = store.states(NAMES)[D1]
    for rows in (names(D1, 3), names(D1, 4)):
        store.write_unchecked(NAMES, rows, D1)
        found = store.states(NAMES)[D1]
        assert (found.rows, found.made_from) == (len(rows), "")
        assert (found.content == said.content) is (len(rows) == 3)


def test_the_plan_digest_of_a_schedule_changes_with_the_tipoff_and_not_with_the_score(store):
    game = {
        "game_date": pd.Timestamp(D1), "game_id": "0022500001", "season": "2025-26", "season_type": "Regular Season",
        "tipoff_at": pd.Timestamp("2025-11-06T00:00Z"), "status": 1, "is_postponed": False, "home_team_id": 1,
        "home_team": "AAA", "home_team_name": "A", "away_team_id": 2, "away_team": "BBB", "away_team_name": "B",
        "home_score": None, "away_score": None, "is_neutral": False, "arena": None, "payload": "p", "data_source": "S",
    }  # fmt: skip

    def state(**changes):
        store.write(SCHEDULE, pd.DataFrame([{**game, **changes}]), [D1])
        return store.states(SCHEDULE)[D1].content

    planned, final = state(), state(status=3, home_score=100, away_score=99, payload="q")
    moved, other = state(tipoff_at=pd.Timestamp("2025-11-06T01:00Z")), state(payload="other")
    assert planned["plan"] == final["plan"] != moved["plan"]
    assert planned[""] != final[""]
    assert other == planned


def test_a_fingerprint_changes_with_any_row_and_with_nothing_else(store):
    assert store.fingerprints(LEDGER) == {}
    store.append(LEDGER, ledger(["a", "b"]), [D1])
    store.append(LEDGER, LEDGER.empty(), [D2])
    first = store.fingerprints(LEDGER)
    assert list(first) == [D1, D2]
    store.append(LEDGER, ledger(["a"]), [D1])
    assert store.fingerprints(LEDGER) == first, "nothing was new"
    rows = store.read(LEDGER, [D1])
    seen = {first[D1]}
    for changed in (rows.assign(line=20.0), pd.concat([rows, rows]), rows.head(1), rows.iloc[:0]):
        store.write_unchecked(LEDGER, changed, D1)
        marks = store.fingerprints(LEDGER)
        assert marks[D2] == first[D2]
        seen.add(marks[D1])
    assert len(seen) == 5


def test_a_warehouse_keeps_its_first_source(store):
    assert store.source() is None
    store.claim("REAL")
    store.claim("REAL")
    assert store.source() == "REAL"
    with pytest.raises(MixedSources, match="holds REAL data and can't hold SIMULATED"):
        store.claim("SIMULATED")


def test_a_new_warehouse_is_sealed_and_one_with_old_rows_is_not(store):
    assert not store.is_sealed()
    store.claim("REAL")
    assert store.is_sealed()


def test_an_old_ledger_is_sealed_on_request(store):
    store.write_unchecked(LEDGER, ledger(["a"]).assign(row_digest=None), D1)
    store.claim("REAL")
    assert not store.is_sealed()
    assert store.alteration(LEDGER, D1) is None
    store.mark_sealed()
    store.mark_sealed()
    assert "has no statement of its rows" in store.alteration(LEDGER, D1)
    assert store.seal(LEDGER, D1) == 1
    assert store.alteration(LEDGER, D1) is None


def test_a_missing_partition_is_not_sealed(store):
    with pytest.raises(MissingPartition, match="has no partition 2025-11-05"):
        store.seal(LEDGER, D1)
    assert store.partitions(LEDGER) == []


def test_what_is_put_back_depends_on_the_rows_that_are_stored(store):
    store.append(LEDGER, ledger(["a"]), [D1])
    assert store.put_back(LEDGER, D1, lambda known: ledger(["b"])[known["prediction_id"].eq("b").to_numpy()]) == 0
    assert store.put_back(LEDGER, D1, lambda known: ledger(["b"]) if len(known) == 1 else known.iloc[:0]) == 1
    assert store.put_back(LEDGER, D2, lambda known: known) == 0
    assert sorted(store.read(LEDGER, [D1])["prediction_id"]) == ["a", "b"]


def test_a_caller_may_change_a_returned_frame(store):
    store.write(NAMES, names(D1, 3), [D1])
    mine = store.read(NAMES, [D1])
    mine["source_name"] = "spoiled"
    assert store.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1", "a2"]


def test_only_a_select_is_read_only(store):
    store.write(NAMES, names(D1, 3), [D1])
    for statement in ("DELETE FROM nba_reference.unresolved_names WHERE TRUE", "SELECT 1; SELECT 2", "not sql"):
        with pytest.raises(WarehouseError):
            store.read_only(statement)
    assert len(store.read_only("SELECT * FROM nba_reference.unresolved_names")) == 3


TEXT = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12))
NUMBER = st.one_of(st.just(float("nan")), st.floats(0, 100), st.sampled_from([0.1, -0.0, 1e-300, 100 / 3]))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(TEXT, NUMBER, st.integers(1, 2**62)), max_size=5))
def test_any_value_is_read_back_unchanged(store, values):
    frame = NAMES.conform(
        names(D1, len(values)).assign(
            best_candidate=pd.Series([v[0] for v in values], dtype=object),
            best_score=np.array([v[1] for v in values], dtype="float64"),
            quotes=pd.array([v[2] for v in values], dtype="Int64"),
        )
    )
    store.write(NAMES, frame, [D1])
    pdt.assert_frame_equal(store.read(NAMES, [D1]), frame, check_exact=True)


def test_the_lake_and_bigquery_are_the_only_two(make_gcp, tmp_path):
    local, cloud = make_settings(tmp_path), make_settings(tmp_path, gcp=make_gcp())
    assert [type(open_warehouse(s)).__name__ for s in (local, cloud)] == ["LakeWarehouse", "BigQueryWarehouse"]
