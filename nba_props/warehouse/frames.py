"""What every warehouse does with frames: by partition, by key, and from Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from nba_props.domain.alike import alike
from nba_props.schemas import Table
from nba_props.warehouse.base import LedgerConflict, PartitionMismatch

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow


def checked(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame by its contract, sorted by key: equal rows are stored equally, whatever order a query gave them in.

    Raises:
        ContractError: the frame breaks the contract.
    """
    return table.validate(frame).sort_values(table.unique or ["game_date"], kind="stable", ignore_index=True)


def split(table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> dict[date, pd.DataFrame]:
    """The rows of each requested partition; rows of any other are an error, and so is a row without a date."""
    import pandas as pd

    refuse_strays(table, frame, partitions)
    groups = dict(iter(frame.groupby("game_date", sort=True)))
    empty = frame.iloc[:0]
    return {p: groups.get(pd.Timestamp(p), empty) for p in partitions}


def refuse_strays(table: Table, frame: pd.DataFrame, partitions: Sequence[date]) -> None:
    """Raise :class:`PartitionMismatch` for rows of no requested partition, or without a date."""
    import pandas as pd

    wanted = pd.to_datetime(pd.Index(partitions))
    stray = frame.loc[~frame["game_date"].isin(wanted), "game_date"]
    if len(stray):
        days = sorted({str(d)[:10] for d in stray})
        raise PartitionMismatch(f"{table.address}: {len(stray)} rows of {days[:5]} are outside the partitions written")


def arrow_by_date(table: Table, rows: pd.DataFrame, days: Iterable[date]) -> dict[date, pyarrow.Table]:
    """Rows in the order of their dates as Arrow, a slice for each date: one conversion instead of one for each.

    With a single date, all rows are taken to be of it.
    """
    import numpy as np
    import pyarrow as pa

    arrow = pa.Table.from_pandas(rows, schema=table.arrow_schema(), preserve_index=False)
    days = list(days)
    if len(days) == 1:
        return {days[0]: arrow}
    stamps = rows["game_date"].to_numpy("datetime64[D]")
    asked = np.array(days, dtype="datetime64[D]")
    starts, ends = np.searchsorted(stamps, asked), np.searchsorted(stamps, asked, side="right")
    return {day: arrow.slice(start, end - start) for day, start, end in zip(days, starts, ends, strict=True)}


def stamp(day: date) -> pd.Timestamp:
    """A date as frames hold it."""
    import pandas as pd

    return pd.Timestamp(day)


def rows_of(frame: pd.DataFrame, days: Iterable[date]) -> pd.DataFrame:
    """The rows of some dates."""
    return frame[frame["game_date"].isin([stamp(day) for day in days])]


def joined(table: Table, frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Rows of a table, one frame after the other."""
    import pandas as pd

    filled = [f for f in frames if len(f)]
    return pd.concat(filled, ignore_index=True) if filled else table.empty()


def in_order(table: Table, rows: pd.DataFrame, days: Iterable[date]) -> pd.DataFrame:
    """Rows in the order of these dates and by key within each, as a partition is read."""
    place = {stamp(day): n for n, day in enumerate(days)}
    placed = rows.assign(_place=rows["game_date"].map(place))
    order = ["_place", *(table.unique or table.column_names)]
    return table.conform(placed.sort_values(order, kind="stable", ignore_index=True).drop(columns="_place"))


def new_rows(table: Table, rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows whose key a ledger does not hold yet; ``known`` has at least the key and the content columns.

    Raises:
        LedgerConflict: a known key comes with other content.
    """
    _refuse_conflicts(table, rows, known)
    return rows[~_keys(table, rows).isin(_keys(table, known))]


def _keys(table: Table, frame: pd.DataFrame) -> pd.MultiIndex:
    import pandas as pd

    return pd.MultiIndex.from_frame(frame[table.unique].astype(str))


def _refuse_conflicts(table: Table, rows: pd.DataFrame, known: pd.DataFrame) -> None:
    if not table.content or rows.empty or known.empty:
        return
    both = rows.merge(known, on=table.unique, suffixes=("", "_known"))
    # of several known rows with one key, another writer's among them, one that agrees is enough
    agrees = alike(both, table.content, "_known")
    differs = ~agrees.groupby([both[c] for c in table.unique]).transform("any") if len(both) else ~agrees
    if differs.any():
        first = both.loc[differs, table.unique].astype(str).iloc[0].to_dict()
        raise LedgerConflict(
            f"{table.address}: {int(differs.sum())} rows are published already with other "
            f"{', '.join(table.content)}, the first {first}. The same inputs gave another answer: raise model_version"
        )


def to_frame(arrow: pyarrow.Table) -> pd.DataFrame:
    """An Arrow table as a frame with the project's dtypes: Int64, boolean, datetime64[ns] and [us, UTC]."""
    import pyarrow as pa

    # cast column by column here: in pandas each would be a copy of its own
    wanted = pa.schema([pa.field(f.name, _in_pandas(f.type)) for f in arrow.schema])
    return arrow.cast(wanted).to_pandas(types_mapper=dtype_of, date_as_object=False)


def dtype_of(kind: pyarrow.DataType) -> Any:
    """The dtype of whole numbers and booleans that may be null; None for any other type, which pandas knows."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_integer(kind):
        return pd.UInt64Dtype() if kind == pa.uint64() else pd.Int64Dtype()
    return None


def _in_pandas(kind: pyarrow.DataType) -> pyarrow.DataType:
    """The Arrow type that pandas takes as the project's dtype."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):  # DuckDB sums whole numbers into 128 bits; the contract's are 64
        return pa.int64() if kind.scale == 0 else pa.float64()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC") if kind.tz else pa.timestamp("ns")
    return pa.timestamp("ns") if pa.types.is_date(kind) else kind
