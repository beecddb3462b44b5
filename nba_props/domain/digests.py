"""Digests of a partition's content: equal rows have equal digests, in any order, from any dtype, on any engine.

A cell is hashed with the first name of its column, and a null adds nothing, nor does the value that rows without the
column have: so a column that is added or renamed later changes no digest of older rows. A row's hash is the sum of its
cells', a partition's digest that of its sorted rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from nba_props.facts.digest import digest
from nba_props.schemas import Column, Table, Type

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: incremented when equal rows get other digests than before: those stored under another version are computed again
VERSION = 1
_SAMPLE = 1_000
#: so many numbers are hashed at once
_BLOCK = 1_000_000
#: the facet of all columns but volatile ones
_ALL = ""
#: the ledger's column of digests, also in contracts that do not define it as one
_ROW_DIGEST = "row_digest"
#: raised by a text that is not a statement
_NO_STATEMENT = (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError)


def contents(table: Table, frame: pd.DataFrame, days: Iterable[date]) -> dict[date, dict[str, str]]:
    """The digests of each date's rows, by facet of the table; ``""`` is all columns but volatile ones.

    Args:
        table: the contract.
        frame: conformed rows of these dates, in any order.
        days: the dates; one without rows has digests too.
    """
    import numpy as np

    place = {day: n for n, day in enumerate(dict.fromkeys(days))}
    asked = np.array(list(place), dtype="datetime64[ns]")
    order = np.argsort(asked)
    of_row = order[np.searchsorted(asked[order], frame["game_date"].to_numpy("datetime64[ns]"))]
    found: dict[date, dict[str, str]] = {day: {} for day in place}
    by_day = np.argsort(of_row, kind="stable")
    ends = np.cumsum(np.bincount(of_row, minlength=len(place)))
    for facet, rows in _hashed(table, frame, table.digested).items():
        grouped = rows[by_day]
        for day, n in place.items():
            mine = np.sort(grouped[ends[n - 1] if n else 0 : ends[n]])
            found[day][facet] = digest(mine.astype("<u8").tobytes())
    return found


def content(table: Table, frame: pd.DataFrame, day: date) -> dict[str, str]:
    """The digests of one date's rows."""
    return contents(table, frame, [day])[day]


def statement(
    content: Mapping[str, str],
    made_from: str,
    due: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
) -> str:
    """The text that is stored with a partition: the digests of its rows and of their inputs.

    Args:
        content: the digests of its rows.
        made_from: the digest of their inputs.
        due: the digests that it should have and does not.
        before: the digests that it may still have, where rows and statement can't be written in one step.
    """
    more = {name: dict(said) for name, said in (("due", due), ("before", before)) if said is not None}
    return json.dumps({"version": VERSION, "content": dict(content), "made_from": made_from, **more})


def stated(table: Table, text: str | bytes | None) -> tuple[Mapping[str, str] | None, str]:
    """Digests and origin in a stored statement; no digests where it lacks some that are used today."""
    try:
        said = json.loads(text or "")
        version, content, made_from = said["version"], dict(said["content"]), str(said["made_from"])
    except _NO_STATEMENT:
        return None, ""  # of an earlier release or another writer
    is_whole = version == VERSION and content.keys() >= table.digested.keys() and "before" not in said
    return (content if is_whole else None), made_from


def is_under_way(text: str | bytes | None) -> bool:
    """Whether a statement was stored before its rows were written: the partition may have the old rows or the new."""
    try:
        said = json.loads(text or "")
        return isinstance(said["before"], dict) and isinstance(said["content"], dict)
    except _NO_STATEMENT:
        return False


def settled(table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date) -> str | None:
    """The final statement in place of one that was stored before its rows were written; None when the rows are neither
    the old nor the new ones.
    """
    try:
        said = json.loads(text or "")
        made_from, due = str(said["made_from"]), None if said.get("due") is None else dict(said["due"])
        may_be = [dict(said[name]) for name in ("content", "before")]
    except _NO_STATEMENT:
        return None
    now = content(table, frame, day)
    if not any(_agrees(now, one) for one in may_be):
        return None
    return statement(now, made_from, unmet(due, now))


def alteration(
    table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date, *, is_stated: bool = False
) -> str | None:
    """How a partition differs from the statement that was stored when it was written, in words.

    None if it does not. Without a statement it is from a release before statements and None, too; but not if rows have
    digests, or with ``is_stated``, since every partition has a statement then.
    """
    try:
        said = json.loads(text or "")
        version, stated_content = int(said["version"]), dict(said["content"])
        stated_content[_ALL], before = str(stated_content[_ALL]), dict(said.get("before") or {})
    except _NO_STATEMENT:
        was_stated = is_stated or (bool(table.sealed_by) and bool(frame[table.sealed_by].notna().any()))
        return "has no statement of its rows: another program wrote it" if was_stated else None
    if said.get("due") is not None:
        return "was altered before it was written last"
    if version != VERSION:  # no release had another one yet
        return f"has a statement of version {version}, which this release does not know"
    now = content(table, frame, day)
    if not any(_agrees(now, one) for one in (stated_content, before)):
        return "holds other rows than were written"
    wrong = wrong_digests(table, frame)
    return f"holds {wrong} rows whose digest is wrong or missing" if wrong else None


def _agrees(now: Mapping[str, str], stated_content: Mapping[str, str]) -> bool:
    """Whether digests are the stated ones, for the facets that exist today."""
    return _ALL in stated_content and all(now[f] == digest for f, digest in stated_content.items() if f in now)


def wrong_digests(table: Table, frame: pd.DataFrame) -> int:
    """The number of rows in a partition whose digest is wrong, or missing while other rows have one."""
    if not table.sealed_by or not frame[table.sealed_by].notna().any():
        return 0
    return int(frame[table.sealed_by].ne(row_digests(table, frame)).sum())


def owed(
    table: Table, text: str | bytes | None, known: pd.DataFrame, day: date, *, is_stated: bool = False
) -> Mapping[str, str] | None:
    """The digests of a partition as it was last written, if it was altered since; None if it was not."""
    if not (table.sealed_by or is_stated) or not alteration(table, text, known, day, is_stated=is_stated):
        return None
    try:
        said = json.loads(text or "")
        return dict(said.get("due") or said["content"])
    except _NO_STATEMENT:
        return {}


def unmet(owed: Mapping[str, str] | None, now: Mapping[str, str]) -> Mapping[str, str] | None:
    """The digests that are due (:func:`owed`); None if the rows have them now."""
    return None if owed and all(now.get(facet) == digest for facet, digest in owed.items()) else owed


def row_digests(table: Table, frame: pd.DataFrame) -> pd.Series:
    """The digest of each row's columns but the one that holds it: 16 hexadecimal digits, equal for equal rows.

    It reveals changes by mistake or by writers that do not maintain it; it does not prove who wrote a row.
    """
    return _as_text(table, frame, [c for c in table.column_names if c != table.sealed_by])


def row_ids(table: Table, frame: pd.DataFrame) -> pd.Series:
    """A name for each row of whole partitions, whatever its ids: its digest, and its number among equal rows.

    Equal rows that have their digest come first.
    """
    rows = frame.reset_index(drop=True)
    own = _as_text(table, rows, [c for c in table.column_names if c != _ROW_DIGEST])
    order = rows[_ROW_DIGEST].isna().sort_values(kind="stable").index
    number = own[order].groupby([rows["game_date"][order], own[order]]).cumcount() + 1
    return (own + "#" + number.reindex(rows.index).astype(str)).set_axis(frame.index)


def _as_text(table: Table, frame: pd.DataFrame, columns: Collection[str]) -> pd.Series:
    import pandas as pd

    hashes = _hashed(table, frame, {"": columns})[""]
    return pd.Series([f"{h:016x}" for h in hashes.tolist()], index=frame.index, dtype=object)


def sealed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with each row's digest, where the table has a column for it.

    Raises:
        ContractError: a column is missing, or a value is not of its type.
    """
    if not table.sealed_by:
        return frame
    rows = table.conform(frame.assign(**{table.sealed_by: None}))
    return rows.assign(**{table.sealed_by: row_digests(table, rows)})


def completed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with digests in the rows that have none, where the table has a column for them."""
    if not table.sealed_by:
        return frame
    stated = frame[table.sealed_by]
    return frame.assign(**{table.sealed_by: stated.where(stated.notna(), row_digests(table, frame))})


def adopted(table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """A partition's rows, sealed if a release before digests wrote all of them and they are as it stated, if it did."""
    if not table.sealed_by or frame.empty or frame[table.sealed_by].notna().any():
        return frame
    return frame if text and alteration(table, text, frame, day) else sealed(table, frame)


def _hashed(table: Table, frame: pd.DataFrame, asked: Mapping[str, Collection[str]]) -> dict[str, np.ndarray]:
    """A 64-bit hash of each row, by named group of columns."""
    import numpy as np

    sums = {facet: np.zeros(len(frame), dtype="uint64") for facet in asked}
    columns = [c for c in table.columns if any(c.name in names for names in asked.values())]
    for name, cells in _cells(columns, frame):
        for facet, names in asked.items():
            if name in names:
                sums[facet] += cells
    return {facet: _mixed(rows) for facet, rows in sums.items()}


def _cells(columns: Iterable[Column], frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """For each column a 64-bit hash of each value and the column's name; 0 for a null."""
    texts = [c for c in columns if c.type is Type.STRING]
    for column in texts:
        yield column.name, _of_texts(column, frame[column.name])
    others = [c for c in columns if c.type is not Type.STRING]
    # a partition has few rows and many columns, so that a call for each costs more than its work
    together = max(_BLOCK // max(len(frame), 1), 1)
    for block in (others[n : n + together] for n in range(0, len(others), together)):
        yield from zip([c.name for c in block], _of_numbers(block, frame), strict=True)


def _of_numbers(columns: Sequence[Column], frame: pd.DataFrame) -> np.ndarray:
    """Hashes of numbers, truth values and times, a row for each column."""
    import numpy as np

    bits = np.empty((len(columns), len(frame)), dtype="uint64")
    null = np.empty(bits.shape, dtype=bool)
    for n, column in enumerate(columns):
        values = frame[column.name]
        null[n] = values.isna()
        if column.type is Type.FLOAT64:
            # without the sign of a zero; a NaN is a null
            bits[n] = (values.to_numpy("float64", na_value=np.nan) + 0.0).view("uint64")
        elif column.type in (Type.DATE, Type.TIMESTAMP):
            bits[n] = values.to_numpy("datetime64[us]").view("uint64")
        else:
            bits[n] = values.to_numpy("int64", na_value=0).view("uint64")
    cells = _mixed(bits + np.array([[_seed(c.lasting_name)] for c in columns]))
    cells[null] = 0
    return cells


def _of_texts(column: Column, values: pd.Series) -> np.ndarray:
    import numpy as np
    import pandas as pd

    seed = _seed(column.lasting_name)
    texts = values.to_numpy(object)
    if column.before is not None:
        texts = np.where(values.eq(column.before), None, texts)
    sample = texts[:_SAMPLE]
    if len(set(sample)) > len(sample) / 2:  # ids: factorizing values that do not repeat costs more than it saves
        cells = _mixed(pd.util.hash_array(texts, categorize=False) + seed)
        cells[pd.isna(texts)] = 0
        return cells
    codes, distinct = pd.factorize(texts)
    hashed = _mixed(pd.util.hash_array(np.asarray(distinct, dtype=object), categorize=False) + seed)
    return np.append(hashed, np.uint64(0))[codes]  # a null has the code -1


@cache
def _seed(column: str) -> np.uint64:
    """A number for each column, so that equal values of two columns have different hashes."""
    import numpy as np

    return np.frombuffer(bytes.fromhex(digest(column, 8)), dtype="<u8")[0]


def _mixed(values: np.ndarray) -> np.ndarray:
    """Each number scattered over 64 bits (the finalizer of splitmix64), so that sums differ for different sets."""
    import numpy as np

    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
