"""The digest of a partition: what changes it, and what does not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.schemas import Table, Type
from nba_props.schemas.base import VOLATILE, Column
from nba_props_tests.warehouse.samples import D1, NAMES, names

ALL_TYPES = Table(
    "nba_raw",
    "all_types",
    "A column of each type.",
    (
        Column("game_date", Type.DATE, "The partition"),
        Column("text", Type.STRING, "Text", nullable=True),
        Column("other", Type.STRING, "Text", nullable=True),
        Column("whole", Type.INT64, "Whole", nullable=True),
        Column("number", Type.FLOAT64, "Number", nullable=True),
        Column("truth", Type.BOOL, "Truth", nullable=True),
        Column("instant", Type.TIMESTAMP, "Instant", nullable=True),
        Column("run_id", Type.STRING, "Run", nullable=True),
    ),
    key=(),
    facets={"texts": ("text", "other")},
)

_ROW = st.tuples(
    st.none() | st.sampled_from(["", "nan", "None", "a", "é", "\U0001f600"]),
    st.none() | st.sampled_from(["", "nan", "None", "a"]),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.booleans(),
    st.none() | st.sampled_from([pd.Timestamp("2025-11-05T20:00Z"), pd.Timestamp("2025-11-05T20:00:00.000001Z")]),
)


def frame(rows, day: date = D1) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    kinds = ("object", "object", "Int64", "Float64", "boolean", "datetime64[ns, UTC]")
    made = {n: pd.Series(list(v), dtype=k) for n, v, k in zip(ALL_TYPES.column_names[1:7], columns, kinds, strict=True)}
    return ALL_TYPES.conform(pd.DataFrame({"game_date": pd.Timestamp(day), **made, "run_id": None}))


def said(rows) -> list[str]:
    """The values of rows as text that distinguishes null from text and True from 1."""
    return sorted(repr([float(v) + 0.0 if isinstance(v, float) else v for v in row]) for row in rows)


@given(st.lists(_ROW, max_size=4), st.lists(_ROW, max_size=4), st.randoms())
def test_digests_are_equal_exactly_when_the_rows_are(one, other, random):
    shuffled = random.sample(one, len(one))
    assert digests.content(ALL_TYPES, frame(one), D1) == digests.content(ALL_TYPES, frame(shuffled), D1)
    a, b = (digests.content(ALL_TYPES, frame(rows), D1) for rows in (one, other))
    assert (a[""] == b[""]) is (said(one) == said(other))
    assert (a["texts"] == b["texts"]) is (said(r[:2] for r in one) == said(r[:2] for r in other))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.astype({"quotes": "int64"}),
        lambda f: f.astype({"quotes": "float64"}),
        lambda f: f.astype({"source_name": "string"}),
        lambda f: f.assign(best_score=pd.array([None] * len(f), dtype="Float64")),
        lambda f: f.assign(game_date=f["game_date"].dt.date),
        lambda f: f.assign(game_date=f["game_date"].astype("datetime64[us]")),
        lambda f: f.assign(game_date=f["game_date"].astype(str)),
        lambda f: f[f.columns[::-1]],
        lambda f: f.set_index("source_name", drop=False),
        lambda f: f.iloc[::-1],
    ],
)
def test_no_variant_of_the_dtypes_changes_a_digest(change):
    plain = names(D1, 4)
    assert digests.content(NAMES, NAMES.conform(change(plain)), D1) == digests.content(NAMES, plain, D1)


def test_the_sign_of_zero_and_the_payload_of_nan_do_not_change_a_digest():
    odd = np.array([0x7FF8000000000001], dtype="uint64").view("float64")[0]
    one, other = (
        names(D1, 2).assign(best_score=[0.0, np.nan]),
        NAMES.conform(names(D1, 2).assign(best_score=[-0.0, odd])),
    )
    assert digests.content(NAMES, one, D1) == digests.content(NAMES, other, D1)


def test_a_span_in_one_pass_has_the_digests_of_its_dates_alone():
    days = [D1 + timedelta(n) for n in range(6)]
    pieces = {d: names(d, n) for n, d in enumerate(days)}
    span = pd.concat(list(pieces.values())[::-1]).sample(frac=1, random_state=2)
    together = digests.contents(NAMES, span, days[::-1])
    assert together == {d: digests.content(NAMES, rows, d) for d, rows in pieces.items()}
    assert len({v[""] for v in together.values()}) == 6


def test_a_new_column_that_is_null_changes_no_digest_and_one_with_a_value_does():
    wider = Table(
        "nba_raw", "t", "Wider.", (*NAMES.columns, Column("note", Type.STRING, "Note", nullable=True)), key=()
    )
    plain = names(D1, 3)
    assert digests.content(wider, wider.conform(plain.assign(note=None)), D1) == digests.content(NAMES, plain, D1)
    assert digests.content(wider, wider.conform(plain.assign(note="x")), D1) != digests.content(NAMES, plain, D1)


def test_rows_that_are_stored_twice_differ_from_rows_that_are_stored_once():
    once, twice = names(D1, 1), pd.concat([names(D1, 1)] * 2)
    thrice = pd.concat([names(D1, 1)] * 3)
    assert len({digests.content(NAMES, f, D1)[""] for f in (once, twice, thrice)}) == 3


def test_the_digests_are_those_of_the_release_before():
    """Stored digests stay comparable; who changes how they are made raises ``digests.VERSION``."""
    row = ("é", None, 7, 0.1, True, pd.Timestamp("2025-11-05T20:00Z"))
    assert digests.VERSION == 1
    assert digests.content(ALL_TYPES, frame([row]), D1)[""] == "ee9f6957413b27405da30a6f1b68c173"
    assert digests.content(ALL_TYPES, frame([]), D1)[""] == "cae66941d9efbd404e4d88758ea67670"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_facet_names_columns_with_content(table):
    for facet, columns in table.digested.items():
        assert set(columns) <= set(table.column_names) - (VOLATILE if facet != "rows" else set())
        assert columns


def test_only_names_of_runs_payloads_and_moments_of_work_are_volatile():
    kinds = {c.name: c.description for t in TABLES.values() for c in t.columns if c.name in VOLATILE}
    assert kinds.keys() == VOLATILE, "each is a column of some table"
    instants = {c.name for t in TABLES.values() for c in t.columns if c.type is Type.TIMESTAMP} - VOLATILE
    assert {"captured_at", "report_at", "snapshot_at", "last_update_at", "tipoff_at", "cutoff_at"} <= instants
