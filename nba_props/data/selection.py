"""Which rows of which table or view are asked for: names checked against the contracts, values kept as parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any

from nba_props.catalog import TABLES
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts import markets
from nba_props.facts.calendar import parse_day, parse_instant, span_of
from nba_props.facts.words import nearest
from nba_props.process.errors import NbaPropsError
from nba_props.schemas import Column, Type
from nba_props.schemas.raw import ODDS_QUOTES

#: one date, a span such as ``2026-01-09..2026-01-10``, or every date
When = str | date | None

DATE = "game_date"


class SelectionError(NbaPropsError, ValueError):
    """There is no such table, column or date, or a value is not of its column's type."""


@dataclass(frozen=True)
class Doubt:
    """Values that are in no vocabulary of a column whose rows may come from others.

    ``sql`` gives those of them that the rows of the dates have; any other is refused, by ``require``.
    """

    sql: str
    parameters: Mapping[str, Any]
    column: str
    values: Sequence[str]
    words: Sequence[str]

    def require(self, stored: Iterable[str]) -> None:
        """Raise :class:`SelectionError` for a value that is not ``stored``."""
        for value in self.values:
            if value not in {*stored}:
                raise unknown_word(self.column, value, self.words)


@dataclass(frozen=True)
class Selection:
    """A statement with its parameters, and the columns of its result; doubts have to be cleared first."""

    sql: str
    parameters: Mapping[str, Any]
    columns: tuple[Column, ...]
    doubts: tuple[Doubt, ...] = ()


def unknown_word(column: str, value: str, words: Sequence[str]) -> SelectionError:
    """A value is not in the vocabulary of its column."""
    near = nearest(value, words) or nearest(value.upper(), words)
    more = f"; leave {column} out for all of them" if value.lower() == markets.ALL else ""
    return SelectionError(f"there is no {column} {value!r}{near}; there are {', '.join(words)}{more}")


def address_of(name: str, known: Collection[str]) -> str:
    """The address of a table or view that is named by its address or, where that is unique, without its dataset.

    Raises:
        SelectionError: there is none of this name, or several.
    """
    if not isinstance(name, str):
        raise SelectionError(f"{name!r} is not the name of a table or view; lake.tables lists them")
    if name in known:
        return name
    found = [address for address in known if address.partition(".")[2] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise SelectionError(f"{name} can be {' or '.join(found)}: name it with its dataset")
    every = [*known, *(address.partition(".")[2] for address in known)]
    raise SelectionError(f"there is no table or view {name}{nearest(name, every)}; lake.tables lists them")


def select(
    address: str,
    known: Sequence[Column],
    when: When,
    columns: Sequence[str] | None,
    equal: Mapping[str, Any],
    today: Callable[[], date],
) -> Selection:
    """The statement that reads some rows of a table or view, ordered by its key; a view has all columns for one.

    Args:
        address: the table or view.
        known: its columns.
        when: its dates.
        columns: the columns of the result; None for all.
        equal: what columns must be equal to: a value, None for null, or several values.
        today: gives the US/Eastern date.

    Raises:
        SelectionError: a column is unknown, a value is not of its type, or a view without dates is asked for some.
    """
    named = {column.name: column for column in known}
    chosen = [_named(address, named, name) for name in _listed(columns, named)]
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if when is not None:
        if DATE not in named:
            raise SelectionError(f"{address} has no dates: its rows are over many, so leave {when} out")
        days = span(when, today)
        parameters |= {"first_date": days[0], "last_date": days[-1]}
        conditions.append(f"{DATE} BETWEEN @first_date AND @last_date")
    dates, of_dates = list(conditions), dict(parameters)
    doubts: list[Doubt] = []
    for number, (name, value) in enumerate(equal.items()):
        column = _named(address, named, name)
        given, parameter = _given(value), f"value_{number}"
        wanted = None if given is None else [_value(column, v) for v in (given if isinstance(given, list) else [given])]
        if wanted and column.type is Type.STRING:
            wanted, odd = _spoken(address, column, wanted)
            if odd:
                sql = f"SELECT DISTINCT `{name}` AS word FROM {address} WHERE "
                sql += " AND ".join([*dates, f"`{name}` IN UNNEST(@words)"])
                doubts.append(Doubt(sql, {**of_dates, "words": odd}, name, odd, words_of(address, column)))
        conditions.append(_condition(column, wanted, isinstance(given, list), parameter, parameters))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = (TABLES[address].unique if address in TABLES else None) or sorted(named, key=lambda name: name != DATE)
    listed = ", ".join(f"`{column.name}`" for column in chosen)
    sql = f"SELECT {listed} FROM {address}{where} ORDER BY {', '.join(f'`{name}`' for name in order)}"
    return Selection(sql, parameters, tuple(chosen), tuple(doubts))


def words_of(address: str, column: Column) -> tuple[str, ...]:
    """The vocabulary of a column: its contract's or, where rows of others are stored as they are, that of its name."""
    if address == ODDS_QUOTES.address and column.name == "market":
        return tuple(markets.by_feed_key())
    return tuple(map(str, column.isin or _vocabularies().get(column.name, ())))


@cache
def _vocabularies() -> Mapping[str, tuple[str, ...]]:
    """The words of each name of a column that has a closed vocabulary in any table, and the systems."""
    found: dict[str, dict[str, None]] = {"system_id": dict.fromkeys(SYSTEM_TABLES)}
    for column in (c for t in TABLES.values() for c in t.columns if c.isin):
        found.setdefault(column.name, {}).update(dict.fromkeys(column.isin or ()))
    return {name: tuple(words) for name, words in found.items()}


def _spoken(address: str, column: Column, values: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values with the whole names of markets for short ones, and those that are in no vocabulary.

    Raises:
        SelectionError: one is not in the vocabulary of the table's contract, so that no row can have it.
    """
    words = words_of(address, column)
    said = [markets.key_of(v) if v not in words and markets.key_of(v) in words else v for v in values]
    odd = [v for v in said if v not in words] if words else []
    if odd and address in TABLES and column.isin:
        raise unknown_word(column.name, odd[0], words)
    return said, odd


def span(when: str | date, today: Callable[[], date]) -> list[date]:
    """The dates that are asked for, in order.

    Raises:
        SelectionError: it is neither a date nor a span.
    """
    if isinstance(when, date):
        return [_day(when)]
    if not isinstance(when, str):
        raise SelectionError(f"{when!r} is neither a date nor a span such as '2026-01-09..2026-01-10'")
    try:
        return span_of(when, today)
    except ValueError as error:
        raise SelectionError(str(error)) from error


def _day(given: date) -> date:
    """A date, as a midnight without a time zone is one of pandas, too.

    Raises:
        SelectionError: it is an instant, or no date at all.
    """
    if not isinstance(given, datetime):
        return given
    if _is_nat(given):
        raise SelectionError(f"{given} is not a date")
    if given.tzinfo is not None or given.time() != time(0):
        raise SelectionError(f"{given} is an instant; a game date is the US/Eastern date of tip-off")
    return given.date()


def _listed(columns: Sequence[str] | None, named: Mapping[str, Column]) -> Sequence[str]:
    if columns is None:
        return list(named)
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise SelectionError(f"columns is {columns!r}: name them in a list, [{columns!r}]")
    if not (chosen := list(columns)):
        raise SelectionError("columns is empty: leave it out to get all of them")
    return list(dict.fromkeys(map(_as_name, chosen)))


def _as_name(value: object) -> str:
    if not isinstance(value, str):
        raise SelectionError(f"{value!r} is not the name of a column")
    return value


def _named(address: str, named: Mapping[str, Column], name: str) -> Column:
    if name not in named:
        raise SelectionError(f"{address} has no column {name}{nearest(name, named)}; it has {', '.join(named)}")
    return named[name]


def _given(value: Any) -> Any:
    """A single value, None or a list of values: of a list, a set, an array, or a column of pandas, polars or Arrow."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # plain lists of these are numbers
        import pandas as pd

        return pd.Timestamp(value) if not getattr(value, "shape", ()) else pd.Series(value).tolist()
    for plain in ("tolist", "to_list", "to_pylist"):
        if hasattr(value, plain):
            return getattr(value, plain)()
    is_many = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) and value is not None
    return list(value) if is_many and not hasattr(value, "columns") else value


def _condition(
    column: Column, values: Sequence[Any] | None, several: bool, parameter: str, parameters: dict[str, Any]
) -> str:
    """The condition of a column, whose values become a parameter."""
    if values is None:
        return f"`{column.name}` IS NULL"
    if not values:
        return "FALSE"
    parameters[parameter] = list(values) if several else values[0]
    return f"`{column.name}` IN UNNEST(@{parameter})" if several else f"`{column.name}` = @{parameter}"


def _value(column: Column, value: Any) -> Any:
    """A value of the column's type; dates and instants may be texts, and numbers those of numpy.

    Raises:
        SelectionError: it is of another type.
    """
    given = value.item() if type(value).__module__ == "numpy" else value
    try:
        if column.type is Type.DATE:
            return parse_day(given) if isinstance(given, str) else _day(_only(date, given))
        if column.type is Type.TIMESTAMP:
            return parse_instant(given) if isinstance(given, str) else _aware(_only(datetime, given))
        if column.type is Type.FLOAT64 and type(given) is int:
            return float(given)
        return _only(_PYTHON[column.type], given)
    except SelectionError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        why = ": it has no time zone, as '2026-01-09T17:00Z' has" if "no time zone" in str(error) else ""
        raise SelectionError(f"{column.name} is {column.type}, and {value!r} is not{why}") from error


_PYTHON: Mapping[Type, type] = {Type.STRING: str, Type.INT64: int, Type.FLOAT64: float, Type.BOOL: bool}


def _only(kind: type, value: Any) -> Any:
    """The value, as plain text where it is a word of a vocabulary.

    Raises:
        TypeError: it is of another type, as a truth value is where a number is asked for.
    """
    is_other = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
    if is_other or _is_nat(value) or (kind is str and not is_text(value)):
        raise TypeError(kind.__name__)
    return str(value) if kind is str else value


def _is_nat(value: object) -> bool:
    """Whether a value is pandas' NaT, which is a datetime and no instant."""
    return type(value).__name__ == "NaTType"


def is_text(value: object) -> bool:
    """Whether a value is a text that can be written: one half of a pair of UTF-16 is not."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant
