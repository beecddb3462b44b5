"""The vocabulary of table contracts: what a column, a table and a view are.

A contract is plain data, so that loading the definitions stays cheap. The pandera and Arrow schemas are derived from it
here, Dagster's column schema in ``assets/tables.py``, BigQuery's in ``warehouse/bigquery/types.py``. A column's bounds
are masks in ``Column.breaches`` and checks in ``Table.pandera_schema``, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from nba_props.process.errors import NbaPropsError

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa
    import pyarrow


class ContractError(NbaPropsError, ValueError):
    """A frame does not fit the contract of its table; the message names table, column and offending rows."""


class Type(StrEnum):
    """Column types, by their warehouse (GoogleSQL) names."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"


#: pandas dtype of each type: what every frame in the project holds.
PANDAS_DTYPES: Mapping[Type, str] = {
    Type.STRING: "object",
    Type.INT64: "Int64",
    Type.FLOAT64: "float64",
    Type.BOOL: "boolean",
    Type.DATE: "datetime64[ns]",
    # as in the warehouses: a foreign row may have the year 9999, which is out of range for nanoseconds
    Type.TIMESTAMP: "datetime64[us, UTC]",
}


#: columns with the time, run or payload of a row rather than its content
VOLATILE = frozenset(
    {
        "payload",
        "run_id",
        "quarantine_id",
        "created_at",
        "quarantined_at",
        "graded_at",
        "deleted_at",
        "recorded_at",
        "imported_at",
    }
    | {"row_digest", "archive_digest"}
)


class WriteMode(StrEnum):
    """How a partition changes: replaced whole, or appended to by new keys only (a ledger)."""

    REPLACE = "replace"
    APPEND = "append"


@dataclass(frozen=True)
class Column:
    """One column: its type, meaning, unit, bounds and the upstream columns it is made from."""

    name: str
    type: Type
    description: str
    unit: str | None = None
    nullable: bool = False
    ge: float | None = None
    le: float | None = None
    isin: tuple[str, ...] | None = None
    source: tuple[str, ...] = ()
    #: the name in an earlier release, under which older partitions have the column
    formerly: str = ""
    #: what rows mean that were written before a text column was there
    before: str | None = None

    @property
    def lasting_name(self) -> str:
        """The column's first name, by which digests hash its values."""
        return self.formerly or self.name

    @property
    def full_description(self) -> str:
        return f"{self.description} [{self.unit}]" if self.unit else self.description

    def breaches(self, values: pd.Series) -> Iterator[tuple[pd.Series, str]]:
        """Which values, all of the column's type, it does not allow: a mask and a reason for each of its rules."""
        known = values.notna()
        if not self.nullable:
            yield ~known, "but it is required"
        if self.ge is not None:
            yield known & (values < self.ge), f"less than {self.ge}"
        if self.le is not None:
            yield known & (values > self.le), f"more than {self.le}"
        if self.isin is not None:
            yield known & ~values.isin(self.isin), f"not one of {', '.join(self.isin)}"


class _Constructor(Protocol):
    def __call__(
        self,
        name: str,
        description: str,
        unit: str | None = None,
        *,
        nullable: bool = False,
        ge: float | None = None,
        le: float | None = None,
        isin: tuple[str, ...] | None = None,
        source: tuple[str, ...] = (),
        formerly: str = "",
        before: str | None = None,
    ) -> Column: ...


def _column_of(kind: Type, **usual: Any) -> _Constructor:
    def column(name: str, description: str, unit: str | None = None, **more: Any) -> Column:
        return Column(name, kind, description, unit, **{**usual, **more})

    return column


#: columns by type: ``real("line", "Points line", "points", ge=0.5)``
text, whole, real = _column_of(Type.STRING), _column_of(Type.INT64), _column_of(Type.FLOAT64)
flag, day, instant = _column_of(Type.BOOL), _column_of(Type.DATE), _column_of(Type.TIMESTAMP)
#: whole numbers that are never below 0
count = _column_of(Type.INT64, ge=0)


@dataclass(frozen=True)
class Table:
    """The contract of a table, partitioned by ``game_date``, keyed by ``key`` within a partition."""

    dataset: str
    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    write_mode: WriteMode = WriteMode.REPLACE
    #: for a ledger: rows with a known key must agree on these columns, else they are conflicts, not repeats
    content: tuple[str, ...] = field(default=())
    #: a write that removes so many rows at once, and more than half of the partition, is refused, since a payload is
    #: probably missing (``assets/losses.py``); 0 for derived tables
    guarded: int = 0
    #: the column with the digest of the row's other columns (``domain/digests.py``), computed when it is appended
    sealed_by: str = ""
    #: further named groups of columns, each with its own digest (``digested``)
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    #: the name in an earlier release (``warehouse/migration.py``)
    formerly: str = ""

    @property
    def address(self) -> str:
        return f"{self.dataset}.{self.name}"

    @property
    def lasting_name(self) -> str:
        """The table's first address: digests and the audit's memory use it, so that they survive a new name."""
        return f"{self.dataset}.{self.formerly or self.name}"

    @property
    def before(self) -> Table:
        """The table under its former name."""
        return replace(self, name=self.formerly, formerly="")

    @property
    def path(self) -> list[str]:
        return [self.dataset, self.name]

    @cached_property
    def column_names(self) -> list[str]:
        return [c.name for c in self.columns]

    @cached_property
    def unique(self) -> list[str]:
        """Columns whose values together are unique in the table; none where duplicates are judged elsewhere."""
        return list(dict.fromkeys(["game_date", *self.key])) if self.key else []

    @cached_property
    def digested(self) -> dict[str, tuple[str, ...]]:
        """The columns of each digest of a partition's content: ``""`` is all but volatile ones, then the facets."""
        return {"": self.content_but(), **self.facets}

    def content_but(self, *names: str) -> tuple[str, ...]:
        """The columns that are not volatile, without these."""
        return tuple(n for n in self.column_names if n not in VOLATILE and n not in names)

    def empty(self) -> pd.DataFrame:
        """A frame of zero rows with the contract's columns and dtypes."""
        return self._empty.copy()

    @cached_property
    def _empty(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({c.name: pd.Series([], dtype=PANDAS_DTYPES[c.type]) for c in self.columns})

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with exactly the contract's columns, order and dtypes.

        Raises:
            ContractError: a column is missing or superfluous, or a value does not cast to the column's type.
        """
        import pandas as pd

        missing = [c for c in self.column_names if c not in frame.columns]
        extra = [c for c in frame.columns if c not in self.column_names]
        if missing or extra:
            raise ContractError(f"{self.address}: missing columns {missing}, unknown columns {extra}")
        if frame.empty:
            return self.empty()
        given = dict(frame.items())
        out = {}
        for column in self.columns:
            values = given[column.name]
            try:
                out[column.name] = _cast(values, column.type).array
            except (ValueError, TypeError) as error:
                sample = values.dropna().head(3).tolist()
                raise ContractError(
                    f"{self.address}.{column.name}: values such as {sample} are not {column.type}: {error}"
                ) from error
        return pd.DataFrame(out)

    @cached_property
    def pandera_schema(self) -> pa.DataFrameSchema:
        """The pandera schema: types, nullability, bounds, allowed values and the uniqueness of the key."""
        import pandera.pandas as pa

        columns: dict[str, Any] = {}
        for c in self.columns:
            checks = []
            if c.ge is not None:
                checks.append(pa.Check.ge(c.ge))
            if c.le is not None:
                checks.append(pa.Check.le(c.le))
            if c.isin is not None:
                checks.append(pa.Check.isin(c.isin))
            dtype = None if c.type is Type.STRING else PANDAS_DTYPES[c.type]
            columns[c.name] = pa.Column(dtype, checks=checks, nullable=c.nullable, description=c.description)
        return pa.DataFrameSchema(columns, strict=True, ordered=True, unique=self.unique or None, name=self.address)

    def violations(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Every breach of the contract in an already conformed frame: ``column, check, failure_case, index``."""
        import pandas as pd

        if not frame.empty and not self._is_kept_by(frame):
            import pandera.errors

            try:
                self.pandera_schema.validate(frame, lazy=True)
            except pandera.errors.SchemaErrors as error:
                return error.failure_cases[["column", "check", "failure_case", "index"]].reset_index(drop=True)
        return pd.DataFrame(columns=["column", "check", "failure_case", "index"])

    def _is_kept_by(self, frame: pd.DataFrame) -> bool:
        """Whether no row breaks the contract: what pandera checks, at a fraction of the time where all is well."""
        if list(frame.columns) != self.column_names:
            return False
        for column in self.columns:
            values = frame[column.name]
            if values.dtype != PANDAS_DTYPES[column.type] or any(wrong.any() for wrong, _ in column.breaches(values)):
                return False
        return not (self.unique and frame.duplicated(self.unique).any())

    def validate(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The conformed frame, or a :class:`ContractError` that names the first offending rows."""
        import pandas as pd

        conformed = self.conform(frame)
        violations = self.violations(conformed)
        if len(violations):
            first = violations.drop_duplicates(["column", "check"]).head(5)
            details = []
            for row in first.to_dict("records"):
                at = row["index"]
                where = "" if pd.isna(at) else f" in row {conformed.iloc[int(at)][list(self.key)].to_dict()}"
                details.append(f"{row['column']}: {row['check']} fails for {row['failure_case']!r}{where}")
            raise ContractError(f"{self.address} breaks its contract ({len(violations)} cases): " + "; ".join(details))
        return conformed

    def arrow_schema(self) -> pyarrow.Schema:
        return arrow_schema(self.columns)


def arrow_schema(columns: Iterable[Column]) -> pyarrow.Schema:
    """Columns as Arrow has them."""
    import pyarrow as pa

    types = {
        Type.STRING: pa.string(),
        Type.INT64: pa.int64(),
        Type.FLOAT64: pa.float64(),
        Type.BOOL: pa.bool_(),
        Type.DATE: pa.date32(),
        Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([pa.field(c.name, types[c.type]) for c in columns])


@dataclass(frozen=True)
class View:
    """A view over tables: portable GoogleSQL, run by both warehouses."""

    dataset: str
    name: str
    description: str
    sql: str
    #: the column by which the newest rows are shown first
    newest_by: str = "game_date"

    @property
    def address(self) -> str:
        return f"{self.dataset}.{self.name}"


def _text(values: pd.Series) -> pd.Series:
    import pandas as pd

    found = values.to_numpy() if values.dtype == object else values
    if values.dtype == object and len(values) and pd.api.types.infer_dtype(found, skipna=False) == "string":
        return values
    # pandas calls a column of nulls "empty"
    if len(values) and pd.api.types.infer_dtype(found, skipna=True) not in ("string", "empty"):
        raise TypeError("text expected")
    texts = values.to_numpy(object, copy=True)
    texts[pd.isna(texts)] = None
    return pd.Series(texts, index=values.index, dtype=object)


def _dates(values: pd.Series) -> pd.Series:
    import pandas as pd

    dates = values  # to_datetime is slow even for datetimes
    if values.dtype.kind != "M":
        dates = pd.to_datetime(values, format="ISO8601" if values.dtype == object else None)
    if getattr(dates.dtype, "tz", None) is not None:
        raise TypeError("a DATE has no time zone")
    if (dates.dropna() != dates.dropna().dt.normalize()).any():
        raise TypeError("a DATE has no time of day")
    return dates.astype("datetime64[ns]")


def _cast(values: pd.Series, kind: Type) -> pd.Series:
    import pandas as pd

    if kind is Type.STRING:
        return _text(values)
    if str(values.dtype) == PANDAS_DTYPES[kind] and kind not in (Type.DATE, Type.FLOAT64):
        return values
    if kind is Type.DATE:
        return _dates(values)
    if kind is Type.TIMESTAMP:
        stamps = values
        if stamps.dtype == object:
            stamps = pd.to_datetime(stamps, format="ISO8601", utc=None if len(stamps.dropna()) else True)
        if len(stamps.dropna()) and getattr(stamps.dtype, "tz", None) is None:
            raise TypeError("a TIMESTAMP must be timezone-aware")
        if getattr(stamps.dtype, "tz", None) is None:
            stamps = pd.to_datetime(stamps, utc=True)
        return stamps.dt.tz_convert("UTC").astype(PANDAS_DTYPES[kind])
    if kind is Type.BOOL:
        return values.astype("boolean")
    if kind is Type.INT64:
        if pd.api.types.is_bool_dtype(values):
            raise TypeError("whole numbers expected, not truth values")
        return pd.to_numeric(values).astype("Int64")
    numbers = pd.to_numeric(values).astype("Float64") if values.dtype == object else values
    return numbers.astype("float64") + 0.0  # no negative zero: one engine keeps the sign, the other does not
