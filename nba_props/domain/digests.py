"""What a partition says, as a short text: equal rows give equal digests, in any order and from any dtype, everywhere.

A cell is hashed with the name of its column, a null one adds nothing: a column that a table is given later, null in
what was there before, changes no digest. A row is the sum of its cells, a partition the hash of its sorted rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from nba_props.facts.digest import digest
from nba_props.schemas import Table, Type

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: raised when equal rows get other digests than before: what was stored under another number is computed anew
VERSION = 1
_SAMPLE = 1_000
#: the facet of all columns but volatile ones
_ALL = ""
#: the ledger's column of digests, also where a contract promises nothing of it
_ROW_DIGEST = "row_digest"
#: what a text that is no statement raises
_NO_STATEMENT = (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError)


def contents(table: Table, frame: pd.DataFrame, days: Iterable[date]) -> dict[date, dict[str, str]]:
    """For each date the digests of its rows, by facet of the table; ``""`` is all columns but volatile ones.

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
    """What is stored with a partition of its rows and origin.

    Args:
        content: the digests of its rows.
        made_from: the digest of what they are made from.
        due: what it should hold and does not.
        before: what it may still hold, where rows can't be written in one step with what is stated of them.
    """
    more = {name: dict(said) for name, said in (("due", due), ("before", before)) if said is not None}
    return json.dumps({"version": VERSION, "content": dict(content), "made_from": made_from, **more})


def stated(table: Table, text: str | bytes | None) -> tuple[Mapping[str, str] | None, str]:
    """Digests and origin by a stored statement; no digests where it has others than are asked for today."""
    try:
        said = json.loads(text or "")
        version, content, made_from = said["version"], dict(said["content"]), str(said["made_from"])
    except _NO_STATEMENT:
        return None, ""  # an earlier release's, or another writer's
    is_whole = version == VERSION and content.keys() >= table.digested.keys() and "before" not in said
    return (content if is_whole else None), made_from


def is_under_way(text: str | bytes | None) -> bool:
    """Whether a statement was made before the rows that it is of were written: either may be there."""
    try:
        said = json.loads(text or "")
        return isinstance(said["before"], dict) and isinstance(said["content"], dict)
    except _NO_STATEMENT:
        return False


def settled(table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date) -> str | None:
    """The statement of the rows that are there, for one that was made before they were written; None when they are
    neither those before nor those after.
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
    table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date, *, is_sealed: bool = False
) -> str | None:
    """What differs between a partition's rows and what was stated of them when they were written, in words.

    None where nothing does, and where nothing was stated; rows that have digests, and where ``is_sealed`` all
    partitions, are of a release that states something.
    """
    try:
        said = json.loads(text or "")
        version, stated_content = int(said["version"]), dict(said["content"])
        stated_content[_ALL], before = str(stated_content[_ALL]), dict(said.get("before") or {})
    except _NO_STATEMENT:
        was_stated = is_sealed or (bool(table.sealed_by) and bool(frame[table.sealed_by].notna().any()))
        return "states nothing of its rows: another writer put it there" if was_stated else None
    if said.get("due") is not None:
        return "was altered before it was written last"
    if version != VERSION:  # no release had another one yet
        return f"states its rows in form {version}, which this release does not know"
    now = content(table, frame, day)
    if not any(_agrees(now, one) for one in (stated_content, before)):
        return "holds other rows than were written"
    wrong = unsound(table, frame)
    return f"holds {wrong} rows whose digest is wrong or missing" if wrong else None


def _agrees(now: Mapping[str, str], stated_content: Mapping[str, str]) -> bool:
    """Whether digests are the stated ones, as far as today's facets go."""
    return _ALL in stated_content and all(now[f] == digest for f, digest in stated_content.items() if f in now)


def unsound(table: Table, frame: pd.DataFrame) -> int:
    """How many rows of a partition have a wrong digest, or none beside rows that have one."""
    if not table.sealed_by or not frame[table.sealed_by].notna().any():
        return 0
    return int(frame[table.sealed_by].ne(row_digests(table, frame)).sum())


def owed(
    table: Table, text: str | bytes | None, known: pd.DataFrame, day: date, *, is_sealed: bool = False
) -> Mapping[str, str] | None:
    """What a partition should hold and does not: as it was written before it was altered; None when it was not."""
    if not (table.sealed_by or is_sealed) or not alteration(table, text, known, day, is_sealed=is_sealed):
        return None
    try:
        said = json.loads(text or "")
        return dict(said.get("due") or said["content"])
    except _NO_STATEMENT:
        return {}


def due(
    table: Table,
    text: str | bytes | None,
    known: pd.DataFrame,
    now: Mapping[str, str],
    day: date,
    *,
    is_sealed: bool = False,
) -> Mapping[str, str] | None:
    """What a partition should hold that was altered before it is written now; None when it was not, or when what is
    written is what it should hold.

    Args:
        table: a ledger.
        text: what is stated of the ``known`` rows, that are replaced.
        known: these rows.
        now: the digests of the rows in their place.
        day: the date.
        is_sealed: whether all partitions are of a release that states something.
    """
    return unmet(owed(table, text, known, day, is_sealed=is_sealed), now)


def unmet(owed: Mapping[str, str] | None, now: Mapping[str, str]) -> Mapping[str, str] | None:
    """What is owed (:func:`owed`), unless digests show that it is there."""
    return None if owed and all(now.get(facet) == digest for facet, digest in owed.items()) else owed


def row_digests(table: Table, frame: pd.DataFrame) -> pd.Series:
    """The digest of each row's columns but the one that holds it: 16 hexadecimal digits, equal for equal rows.

    It shows what was changed by mistake or by a writer that does not know it; it is no signature.
    """
    return _as_text(table, frame, [c for c in table.column_names if c != table.sealed_by])


def row_ids(table: Table, frame: pd.DataFrame) -> pd.Series:
    """What names each row of whole partitions, whatever ids it has: its digest, and its number among equal rows.

    Of equal rows the one that carries its digest comes first.
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


def adopted(
    table: Table, text: str | bytes | None, frame: pd.DataFrame, day: date, *, is_sealed: bool = False
) -> pd.DataFrame:
    """A partition's rows, sealed where a release before digests wrote all of them, as it stated where it did."""
    if is_sealed:  # and none of such a release is left
        return frame
    if not table.sealed_by or frame.empty or frame[table.sealed_by].notna().any():
        return frame
    return frame if text and alteration(table, text, frame, day) else sealed(table, frame)


def _hashed(table: Table, frame: pd.DataFrame, asked: Mapping[str, Collection[str]]) -> dict[str, np.ndarray]:
    """A 64-bit hash of each row, by named group of columns."""
    import numpy as np

    sums = {facet: np.zeros(len(frame), dtype="uint64") for facet in asked}
    for column in table.columns:
        facets = [facet for facet, columns in asked.items() if column.name in columns]
        if facets:
            cells = _cells(column.name, column.type, frame[column.name])
            for facet in facets:
                sums[facet] += cells
    return {facet: _mixed(rows) for facet, rows in sums.items()}


def _cells(name: str, kind: Type, values: pd.Series) -> np.ndarray:
    """A 64-bit hash of each value and the column's name; 0 for a null."""
    import numpy as np
    import pandas as pd

    seed = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=8).digest(), dtype="<u8")[0]
    if kind is Type.STRING:
        texts = values.to_numpy(object)
        sample = texts[:_SAMPLE]
        if len(set(sample)) > len(sample) / 2:  # ids: a dictionary of what does not repeat costs more than it saves
            cells = _mixed(pd.util.hash_array(texts, categorize=False) + seed)
            cells[values.isna().to_numpy()] = 0
            return cells
        codes, distinct = pd.factorize(texts)
        hashed = _mixed(pd.util.hash_array(np.asarray(distinct, dtype=object), categorize=False) + seed)
        return np.append(hashed, np.uint64(0))[codes]  # a null has the code -1
    null = values.isna().to_numpy()
    if kind is Type.FLOAT64:
        # a zero has no sign here, and a NaN is a null
        bits = (values.to_numpy("float64", na_value=np.nan) + 0.0).view("uint64")
    elif kind in (Type.DATE, Type.TIMESTAMP):
        bits = values.to_numpy("datetime64[us]").view("uint64")
    else:
        bits = values.to_numpy("int64", na_value=0).view("uint64")
    cells = _mixed(bits + seed)
    cells[null] = 0
    return cells


def _mixed(values: np.ndarray) -> np.ndarray:
    """Each number scattered over 64 bits (the finaliser of splitmix64), so that sums of them tell sets apart."""
    import numpy as np

    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
