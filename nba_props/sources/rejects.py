"""What a parser could not use: rows for the quarantine tables of ``nba_raw``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from nba_props.facts.digest import digest
from nba_props.schemas.base import PANDAS_DTYPES, ContractError, Table
from nba_props.storage.fields import shown
from nba_props.storage.landing import Payload, PayloadError

_RAW_LIMIT = 2_000
_DETAIL_LIMIT = 1_000
#: the column of parsed frames with a row's place in its payload; tables do not have it
POSITION = "position"


@dataclass(frozen=True)
class Reject:
    """One piece of a payload that is held back: where, why, and what it was."""

    payload: str
    position: str | None
    reason: str
    detail: str
    raw: Any = None
    game_date: date | None = None

    @classmethod
    def of(cls, payload: Payload, error: PayloadError, day: date) -> Reject:
        """A payload that can't be used at all."""
        return cls(payload.path, None, error.reason, error.detail, game_date=day)


@dataclass
class Parsed:
    """Rows of the requested dates in a table's columns, what was held back, and remarks on each date."""

    frame: pd.DataFrame
    rejects: list[Reject] = field(default_factory=list)
    remarks: Mapping[date, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: Table,
        frame: pd.DataFrame,
        rejects: Sequence[Reject],
        remarks: Mapping[date, Mapping[str, Any]] | None = None,
    ) -> Parsed:
        """The rows that meet the table's contract, the others held back."""
        rows, broken = keep_contract(table, frame)
        return cls(rows, [*rejects, *broken], remarks or {})


def quarantine_frame(table: Table, rejects: Iterable[Reject], day: date | None = None) -> pd.DataFrame:
    """Rejects as rows of a quarantine table; those without a date get ``day``."""
    rows = []
    for r in rejects:
        raw, detail = _raw(r.raw), _plain(r.detail)[:_DETAIL_LIMIT]
        position = None if r.position is None else _plain(r.position)[:_DETAIL_LIMIT]
        text = "\x1f".join([_plain(r.payload), position or "", r.reason, detail, raw or ""])
        rows.append(
            {
                "game_date": r.game_date or day,
                "quarantine_id": digest(text),
                "payload": _plain(r.payload),
                "position": position,
                "reason": r.reason,
                "detail": detail,
                "raw": raw,
            }
        )
    if not rows:
        return table.empty()
    frame = pd.DataFrame(rows, columns=table.column_names).drop_duplicates(["game_date", "quarantine_id"])
    return table.conform(frame)


def _plain(text: str) -> str:
    """Text without half surrogate pairs, which no file can hold."""
    return text.encode(errors="replace").decode()


def _raw(value: Any) -> str | None:
    """The beginning of a held-back piece as JSON; what JSON can't express is shown by its type."""
    if value is None:
        return None
    try:
        return json.dumps(value, default=str, skipkeys=True)[:_RAW_LIMIT]
    except (RecursionError, ValueError):  # within itself, or a number of too many digits
        return json.dumps(shown(value))


def keep_contract(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Reject]]:
    """The parsed rows that meet their table's contract, and the others with what each breaks.

    Parsers check what is specific to their feed. This holds whatever a feed sends: a row that does not fit a column or
    a key never stops the others. Of equal rows with one key the first is kept; of different ones none, since it is
    unknown which is right.

    Args:
        table: the table that the rows are for.
        frame: its columns, and ``position`` where the parser knows the row's place in its payload.

    Raises:
        ContractError: a column is missing or unknown, which is a fault of the parser, not of a payload.
    """
    if not len(frame.columns):
        return table.empty(), []
    places = frame[POSITION].reset_index(drop=True) if POSITION in frame else None
    rows = frame.drop(columns=POSITION, errors="ignore").reset_index(drop=True)
    broken: dict[int, tuple[str, str]] = {}
    fits = {}
    for column in table.columns:
        if column.name not in rows:
            continue  # conform reports it below
        one = Table(table.dataset, table.name, "", (column,), key=())
        fits[column.name], wrong = _castable(one, rows[column.name])
        for i, why in wrong.items():
            broken.setdefault(i, ("CONTRACT_BREACH", f"{column.name} is {shown(rows[column.name].iloc[i])}, {why}"))
    valid = pd.DataFrame({**{c: fits.get(c, rows[c]) for c in rows}}).drop(index=list(broken))
    kept = table.conform(valid)
    for column in table.columns:
        values = kept[column.name].set_axis(valid.index)
        found = {i: why for wrong, why in column.breaches(values) for i in values.index[wrong]}
        for i, why in found.items():
            broken.setdefault(i, ("CONTRACT_BREACH", f"{column.name} is {shown(rows[column.name].iloc[i])}, {why}"))
    if table.unique:
        valid = valid.drop(index=[i for i in broken if i in valid.index])
        twice = valid[valid.duplicated(table.unique, keep=False)]  # few: only these are compared as text
        content = twice.drop(columns=["payload"], errors="ignore").astype(str)
        again = content.duplicated()
        clash = content[~again].duplicated(table.unique, keep=False).reindex(twice.index, fill_value=False)
        key = ", ".join(table.key)
        broken |= dict.fromkeys(again.index[again], ("DUPLICATE_ROW", "the same row was delivered already"))
        broken |= dict.fromkeys(clash.index[clash], ("CONFLICTING_ROWS", f"different rows of one {key}: none is used"))
    if not broken:
        return kept, []
    rejects = [_as_reject(table, rows.iloc[i], places, i, *broken[i]) for i in sorted(broken)]
    return table.conform(rows.assign(**fits).drop(index=list(broken))), rejects


def _castable(one: Table, values: pd.Series) -> tuple[pd.Series, dict[int, str]]:
    """A column as its type, with nulls where a value is not of it, and why those are not, by position."""
    column = one.columns[0]
    if isinstance(values, pd.DataFrame):
        raise ContractError(f"{one.address}.{column.name} is there twice")
    try:
        cast = one.conform(values.to_frame())[column.name]
        if cast.dtype == object:
            "".join(cast.dropna()).encode()  # no file can hold half a character
        return cast.set_axis(values.index), {}
    except (ContractError, OverflowError, UnicodeEncodeError) as error:
        if len(values) == 1:
            why = (
                f"not {column.type}"
                if not isinstance(error, UnicodeEncodeError)
                else "with characters that are not text"
            )
            return pd.Series([None], index=values.index, dtype=PANDAS_DTYPES[column.type]), {int(values.index[0]): why}
    half = len(values) // 2
    (left, wrong), (right, more) = (_castable(one, part) for part in (values.iloc[:half], values.iloc[half:]))
    return pd.concat([left, right]), {**wrong, **more}


def _as_reject(table: Table, row: pd.Series, places: pd.Series | None, i: int, reason: str, why: str) -> Reject:
    place = places.iloc[i] if places is not None else ", ".join(f"{k}={shown(row[k])}" for k in table.key if k in row)
    day = pd.to_datetime(row["game_date"], errors="coerce")
    payload = str(row["payload"])
    detail = f"{payload}: {why}"
    return Reject(payload, str(place), reason, detail, row.to_dict(), None if pd.isna(day) else day.date())
