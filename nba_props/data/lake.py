"""Tables and views as frames, from a home or from BigQuery, by the settings of the commands."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.catalog import TABLES, views
from nba_props.data.selection import SelectionError, When, address_of, is_text, select, span
from nba_props.deployment import clock_of, load_settings, open_to_read
from nba_props.facts.calendar import game_date_of, parse_instant
from nba_props.facts.vocabulary import League
from nba_props.schemas import Column
from nba_props.schemas.base import arrow_schema
from nba_props.schemas.examples import example
from nba_props.settings import BadSetting, Settings, env_file
from nba_props.settings.paths import expanded
from nba_props.warehouse.base import Version, Warehouse

if TYPE_CHECKING:
    import pandas as pd
    import polars
    import pyarrow

_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.I)


def open_lake(home: str | os.PathLike[str] | None = None) -> Lake:
    """The tables of this environment: environment variables and a ``.env``, as for the commands.

    Args:
        home: the folder of another home, whose lake is opened whatever the environment names.

    Raises:
        BadSetting: the home does not exist, or a variable has a value that can't be used.
        WarehouseError: the lake is of an earlier release and has to be migrated first.
    """
    if home is not None and not expanded(Path(home)).exists():
        raise BadSetting(f"there is no {home}: a home is a folder that `nba-props start` or `nba-props demo` has made")
    environ = dict(os.environ)
    env_file.load(environ)
    if home is not None:
        environ |= {"NBA_PROPS_HOME": str(home), "NBA_PROPS_PROFILE": "local"}
    settings = load_settings(environ)
    return Lake(settings, open_to_read(settings))


def frame_of(versions: Sequence[Version]) -> pd.DataFrame:
    """A row for each version of a date; see :meth:`Lake.versions`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "instant": [v.instant for v in versions],
            "run_id": [v.run_id for v in versions],
            "job_name": [v.job_name for v in versions],
            "revision": [v.revision for v in versions],
            "tables": [len(v.tables) for v in versions],
            "rows": [sum(n or 0 for n in v.tables.values()) for v in versions],
            "rows_by_table": [dict(v.tables) for v in versions],
            "changed": [None if v.changed is None else list(v.changed) for v in versions],
        }
    )


class Lake:
    """Every table and view, by name, of a home or of BigQuery; nothing here changes a row.

    A name is an address such as ``nba_predictions.current_predictions``, or ``current_predictions``. Dates are
    ``"2026-01-09"``, a span ``"2026-01-09..2026-01-10"``, a word such as ``"yesterday"``, or a ``date``; without any,
    all. Each further keyword is a column and what it must be equal to: a value, None for null, or several values, in a
    list, an array or a series. A market may have its short name.

    Args:
        settings: what was opened.
        warehouse: its tables.
        instant: the instant as of which they are read; None for now.
    """

    def __init__(self, settings: Settings, warehouse: Warehouse, instant: datetime | None = None) -> None:
        self._settings = settings
        self._instant = instant
        self._warehouse = warehouse
        self._views = views(settings.min_minutes)

    def __repr__(self) -> str:
        source = ", a simulated league" if self.source == League.SIMULATED else ""
        then = f" as of {self._instant.isoformat()}" if self._instant else ""
        return f"<{self._warehouse.place}{then}: {len(TABLES)} tables, {len(self._views)} views{source}>"

    @property
    def instant(self) -> datetime | None:
        """The instant as of which the tables are read; None for now."""
        return self._instant

    @property
    def source(self) -> str | None:
        """REAL or SIMULATED; None before the first data."""
        return self._warehouse.source()

    @property
    def tables(self) -> pd.DataFrame:
        """A row for every table and view: ``name``, ``kind`` and ``description``."""
        import pandas as pd

        return pd.DataFrame(
            [
                *((t.address, "table", t.description) for t in TABLES.values()),
                *((v.address, "view", v.description) for v in self._views.values()),
            ],
            columns=["name", "kind", "description"],
        ).sort_values("name", ignore_index=True)

    def as_of(self, instant: datetime | str) -> Lake:
        """The same tables as they were at an instant: of each date what the last run before it had published.

        Args:
            instant: with a time zone; as text ``"2026-01-09T17:00Z"``.

        Raises:
            SelectionError: it is not an instant, or has no time zone.
            WarehouseError: it is in the future, or nothing is kept of that time.
        """
        try:
            then = parse_instant(instant) if isinstance(instant, str) else instant
        except ValueError as error:
            raise SelectionError(f"{instant!r} is not an instant such as '2026-01-09T17:00Z'") from error
        if not isinstance(then, datetime) or then.tzinfo is None:
            raise SelectionError(f"{instant!r} is not an instant with a time zone, such as '2026-01-09T17:00Z'")
        return Lake(self._settings, self._warehouse.as_of(then), then)

    def versions(self, day: date | str) -> pd.DataFrame:
        """A row for each run that published a date, the oldest first, as far as it is kept; of :meth:`as_of` those of
        that time.

        Columns ``instant``, for :meth:`as_of`; ``run_id``, ``job_name``, ``revision``; ``tables`` and ``rows`` of the
        date; ``rows_by_table``; ``changed``, the tables that the run changed, None where that is not known.

        Raises:
            SelectionError: it is not one date.
            WarehouseError: a version can't be read, or the warehouse keeps none of its own.
        """
        days = span(day, self._today)
        if len(days) != 1:
            raise SelectionError(f"{day} is {len(days)} dates: ask for the versions of one")
        known = self._warehouse.versions(days[0])
        return frame_of([v for v in known if self._instant is None or v.instant <= self._instant])

    def dates(self, name: str) -> list[date]:
        """The dates of a table that are stored, in order, whoever wrote them.

        Raises:
            SelectionError: there is no such table; a view is computed when it is read.
        """
        address = self.address_of(name)
        if address not in TABLES:
            raise SelectionError(f"{address} is a view: ask for the dates of the table that it reads, as 'ledger'")
        return self._warehouse.dates(TABLES[address])

    def describe(self, name: str) -> pd.DataFrame:
        """A row for every column of a table or view: ``column, type, nullable, unit, meaning, example``.

        Raises:
            SelectionError: there is no such table or view.
        """
        import pandas as pd

        address = self.address_of(name)
        rows = [
            (c.name, str(c.type), c.nullable, c.unit, c.description, example(c, address))
            for c in self.columns_of(address)
        ]
        return pd.DataFrame(rows, columns=["column", "type", "nullable", "unit", "meaning", "example"]).astype(
            {"example": object}
        )

    def read(
        self, name: str, when: When = None, /, *, columns: Sequence[str] | None = None, **equal: Any
    ) -> pd.DataFrame:
        """Rows as a pandas frame with the dtypes of the contract: ``Int64``, ``boolean``, ``datetime64[us, UTC]``.

        Args:
            name: the table or view.
            when: its dates.
            columns: the columns of the result; all without.
            **equal: what columns must be equal to.

        Raises:
            SelectionError: a name, a date or a value that does not fit the contract; nothing was read.
            WarehouseError: rows can't be read.
        """
        from nba_props.warehouse.frames import to_frame

        return to_frame(self.arrow(name, when, columns=columns, **equal))

    def arrow(
        self, name: str, when: When = None, /, *, columns: Sequence[str] | None = None, **equal: Any
    ) -> pyarrow.Table:
        """Rows as :meth:`read`, as an Arrow table with the types of the contract."""
        address = self.address_of(name)
        asked = select(address, self.columns_of(address), when, columns, equal, self._today)
        for doubt in asked.doubts:
            doubt.require(self._warehouse.arrow(doubt.sql, **doubt.parameters)["word"].to_pylist())
        return self._warehouse.arrow(asked.sql, **asked.parameters).cast(arrow_schema(asked.columns))

    def polars(
        self, name: str, when: When = None, /, *, columns: Sequence[str] | None = None, **equal: Any
    ) -> polars.DataFrame:
        """Rows as :meth:`read`, as a polars frame.

        Raises:
            ImportError: polars is not installed, and this package does not require it.
        """
        try:
            import polars
        except ImportError as error:
            raise ImportError("lake.polars needs polars: pip install polars. lake.arrow needs nothing more") from error
        return polars.DataFrame(polars.from_arrow(self.arrow(name, when, columns=columns, **equal)))

    def sql(self, statement: str) -> pd.DataFrame:
        """The result of one statement that only reads, as ``nba-props sql`` takes it.

        GoogleSQL, or over a lake also DuckDB's SQL; tables are named ``dataset.table``, and ``SHOW TABLES`` lists them.

        Raises:
            SelectionError: it is not text.
            WarehouseError: the statement is not read-only, or it fails.
        """
        if not is_text(statement):
            raise SelectionError(f"{statement!r} is not a statement of SQL")
        # an engine's own does not look into datasets
        return self.tables if _SHOW_TABLES.fullmatch(statement) else self._warehouse.read_only(statement)

    def address_of(self, name: str) -> str:
        """The address of a table or view: ``current_predictions`` is ``nba_predictions.current_predictions``.

        Raises:
            SelectionError: there is none of this name, or several.
        """
        return address_of(name, [*TABLES, *self._views])

    def columns_of(self, name: str) -> tuple[Column, ...]:
        """The columns of a table or view with type, meaning and unit.

        Raises:
            SelectionError: there is no such table or view.
        """
        from nba_props.warehouse.lake.columns import columns_of

        return columns_of(self.address_of(name), self._views)

    def _today(self) -> date:
        return game_date_of(clock_of(self._settings)())


__all__ = ["Lake", "SelectionError", "open_lake"]
