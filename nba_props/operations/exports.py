"""Exports of the old production table, read as rows of ``nba_predictions.imported_predictions``."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import pandas as pd

from nba_props.domain.names import player_lookup
from nba_props.facts.books import OTHER_NAMES
from nba_props.facts.calendar import is_plausible
from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import LineSource
from nba_props.process.errors import NbaPropsError
from nba_props.schemas.base import Type
from nba_props.schemas.predictions import IMPORTED_PREDICTIONS
from nba_props.storage import naming

#: columns that an export must have
_NEEDED = ("game_date", "player_lookup", "system_id", "predicted_points", "current_points_line")
_IS_ONE = f"An export is Parquet, or CSV with commas and a first line of names, {', '.join(_NEEDED)} among them"
_PARQUET = b"PAR1"
_NAMES_SHOWN, _NAME_SHOWN = 8, 40
#: digits of a game's id
_ID_DIGITS = 10
#: a date as exports write it, optionally followed by midnight
_DATE = r"^\s*(\d{4}-\d\d-\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z| ?UTC|[+-]00:?00)?)?\s*$"
#: names of columns here by the old ones
_NAMES = {
    "current_points_line": "line", "prediction_id": "source_prediction_id", "created_at": "source_created_at",
    "model_version": "source_version", "recommendation": "source_recommendation", "game_id": "source_game_id",
}  # fmt: skip
_TRUE, _FALSE = {"true", "t", "1", "yes"}, {"false", "f", "0", "no"}


class ImportRefused(NbaPropsError):
    """An export can't be read or judged; the message has the reason and the remedy."""


def read_export(path: Path) -> pd.DataFrame:
    """The rows of an export (Parquet by its first bytes, else CSV) as text, null for empty values.

    Raises:
        ImportRefused: the file can't be read, or lacks a column that is needed.
    """
    kind = "csv"
    try:
        if path.is_fifo():
            raise ImportRefused(f"{path} is a pipe, and an export is read twice: save it to a file first")
        data = path.read_bytes()
        kind = "parquet" if data.startswith(_PARQUET) or path.suffix == ".parquet" else kind
        frame = _read_csv(data) if kind == "csv" else pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError, UnicodeError) as error:  # also those of Arrow and pandas
        raise ImportRefused(f"{path} can't be read as {kind}: {str(error).strip().rstrip('.')}. {_IS_ONE}") from error
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        found = ", ".join(str(name)[:_NAME_SHOWN] for name in frame.columns[:_NAMES_SHOWN])
        more = f" and {len(frame.columns) - _NAMES_SHOWN} more" if len(frame.columns) > _NAMES_SHOWN else ""
        raise ImportRefused(
            f"{path} has no column {', '.join(missing)}: read as {kind}, it has {found}{more}. {_IS_ONE}"
        )
    if frame.empty:
        raise ImportRefused(f"{path} has no row")
    return frame.astype(object).where(frame.notna(), None)


def _read_csv(data: bytes) -> pd.DataFrame:
    """The rows of a CSV as text.

    Raises:
        ValueError: it is not a CSV, or its rows have more values than its first line has names.
    """
    if b"\0" in data:
        raise ValueError("it has a byte 0")
    frame = pd.read_csv(io.BytesIO(data), dtype=str, encoding="utf-8")
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus values for names of rows
        raise ValueError("its rows have more values than its first line has names; is there a comma at their ends?")
    return frame


def as_imported(frame: pd.DataFrame, now: datetime) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of ``nba_predictions.imported_predictions`` from an export, and the number of unusable rows by reason.

    Repeated rows stay repeated. A value that is not of its column's type is null; ``source_row`` has it as delivered.
    """
    text = frame.map(lambda v: None if v is None else str(v))
    given = text.map(lambda v: v if v is None or v.strip() else None)
    made = pd.DataFrame(index=frame.index)
    # an instant is not a game date: its date depends on a time zone
    made["game_date"] = pd.to_datetime(given["game_date"].str.extract(_DATE)[0], format="%Y-%m-%d", errors="coerce")
    made["source_row"] = [json.dumps(r, sort_keys=True, ensure_ascii=False) for r in text.to_dict("records")]
    made["row_id"] = [digest(r) for r in made["source_row"]]
    # the export's own column with such a name holds something else
    renamed = given.drop(columns=[ours for old, ours in _NAMES.items() if old in given and ours in given])
    renamed = renamed.rename(columns=_NAMES)
    for column in IMPORTED_PREDICTIONS.columns:
        if column.name not in made:
            made[column.name] = _typed(renamed.get(column.name, pd.Series(None, index=frame.index)), column.type)
    made["player_lookup"] = made["player_lookup"].map(player_lookup, na_action="ignore")
    books = made["sportsbook"].astype("string").str.strip().str.lower().str.replace(r"[\s-]+", "_", regex=True)
    made["sportsbook"] = books.replace(OTHER_NAMES).astype(object).where(books.notna(), None)
    made["source_game_id"] = _game_ids(made["source_game_id"])
    # a line that can't be read is not an absent line
    has_line = renamed["line"].notna() & ~renamed["line"].astype("string").str.lower().eq("nan").fillna(False)
    is_unread = has_line & made["line"].isna() & made["line_source"].eq(LineSource.NO_PROP_LINE)
    made["line_source"] = made["line_source"].mask(is_unread, None)
    made["imported_at"] = pd.Timestamp(now)
    dated = made["game_date"].notna() & made["game_date"].map(lambda d: pd.notna(d) and is_plausible(d.date()))
    named = made["system_id"].map(naming.is_id) & made["player_lookup"].notna()
    unread = {
        "no usable game date": int((~dated).sum()),
        "no usable system name, or no player": int((dated & ~named).sum()),
    }
    kept = made[dated & named]
    return kept[IMPORTED_PREDICTIONS.column_names].reset_index(drop=True), {k: v for k, v in unread.items() if v}


def _game_ids(values: pd.Series) -> pd.Series:
    """Game ids in comparable form: numbers with ten digits (an export may have ``22500586`` or ``22500586.0``), others
    as delivered.
    """
    ids = values.astype("string").str.strip().str.upper()
    digits = ids.str.extract(r"^(\d{1,10})(?:\.0*)?$")[0].str.zfill(_ID_DIGITS)
    return digits.fillna(ids).astype(object).where(ids.notna(), None)


def _typed(values: pd.Series, kind: Type) -> pd.Series:
    """Texts as values of a type, null for texts of any other."""
    values = values.astype("string")
    if kind is Type.FLOAT64:
        return pd.to_numeric(values, errors="coerce").astype("float64")
    if kind is Type.BOOL:
        word = values.str.strip().str.lower()
        return word.map(lambda w: True if w in _TRUE else False if w in _FALSE else None).astype("boolean")
    if kind is Type.TIMESTAMP:
        return pd.to_datetime(values.str.replace(" UTC", "Z"), format="ISO8601", errors="coerce", utc=True)
    return values.astype(object).where(values.notna(), None)
