"""Which rows of which table or view are asked for: names checked against the contracts, values kept as parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from nba_props.catalog import TABLES
from nba_props.facts.calendar import parse_day, parse_instant, span_of
from nba_props.facts.words import nearest
from nba_props.process.errors import NbaPropsError
from nba_props.schemas import Column, Type

#: one date, a span such as ``2026-01-09..2026-01-10``, or every date
When = str | date | None

DATE = "game_date"


class SelectionError(NbaPropsError, ValueError):
    """There is no such table, column or date, or a value is not of its column's type."""


@dataclass(frozen=True)
class Selection:
    """A statement with its parameters, and the columns of its result."""

    sql: str
    parameters: Mapping[str, Any]
    columns: tuple[Column, ...]


def address_of(name: str, known: Collection[str]) -> str:
    """The address of a table or view that is named by its address or, where that is unique, without its dataset.

    Raises:
        SelectionError: there is none of this name, or several.
    """
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
    for number, (name, value) in enumerate(equal.items()):
        column = _named(address, named, name)
        conditions.append(_condition(column, value, f"value_{number}", parameters))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = (TABLES[address].unique if address in TABLES else None) or sorted(named, key=lambda name: name != DATE)
    listed = ", ".join(f"`{column.name}`" for column in chosen)
    sql = f"SELECT {listed} FROM {address}{where} ORDER BY {', '.join(f'`{name}`' for name in order)}"
    return Selection(sql, parameters, tuple(chosen))


def span(when: str | date, today: Callable[[], date]) -> list[date]:
    """The dates that are asked for, in order.

    Raises:
        SelectionError: it is neither a date nor a span.
    """
    if isinstance(when, datetime):  # a pandas Timestamp is one, too
        if when.tzinfo is not None or when.time() != time(0):
            raise SelectionError(f"{when} is an instant; a game date is the US/Eastern date of tip-off")
        return [when.date()]
    if isinstance(when, date):
        return [when]
    if not isinstance(when, str):
        raise SelectionError(f"{when!r} is neither a date nor a span such as '2026-01-09..2026-01-10'")
    try:
        return span_of(when, today)
    except ValueError as error:
        raise SelectionError(str(error)) from error


def _listed(columns: Sequence[str] | None, named: Mapping[str, Column]) -> Sequence[str]:
    if isinstance(columns, str):
        raise SelectionError(f"columns is {columns!r}: name them in a list, [{columns!r}]")
    if columns is not None and not columns:
        raise SelectionError("columns is empty: leave it out to get all of them")
    return list(named) if columns is None else list(dict.fromkeys(columns))


def _named(address: str, named: Mapping[str, Column], name: str) -> Column:
    if name not in named:
        raise SelectionError(f"{address} has no column {name}{nearest(name, named)}; it has {', '.join(named)}")
    return named[name]


def _condition(column: Column, value: Any, parameter: str, parameters: dict[str, Any]) -> str:
    """The condition of a column, whose value becomes a parameter."""
    if value is None:
        return f"`{column.name}` IS NULL"
    if isinstance(value, list | tuple | set | frozenset):
        if not value:
            return "FALSE"
        parameters[parameter] = [_value(column, v) for v in value]
        return f"`{column.name}` IN UNNEST(@{parameter})"
    parameters[parameter] = _value(column, value)
    return f"`{column.name}` = @{parameter}"


def _value(column: Column, value: Any) -> Any:
    """A value of the column's type; dates and instants may be texts, and numbers those of numpy.

    Raises:
        SelectionError: it is of another type.
    """
    given = value.item() if type(value).__module__ == "numpy" else value
    try:
        if column.type is Type.DATE:
            return parse_day(given) if isinstance(given, str) else _only(date, given)
        if column.type is Type.TIMESTAMP:
            return parse_instant(given) if isinstance(given, str) else _aware(_only(datetime, given))
        if column.type is Type.FLOAT64 and type(given) is int:
            return float(given)
        return _only(_PYTHON[column.type], given)
    except (TypeError, ValueError) as error:
        raise SelectionError(f"{column.name} is {column.type}, and {value!r} is not") from error


_PYTHON: Mapping[Type, type] = {Type.STRING: str, Type.INT64: int, Type.FLOAT64: float, Type.BOOL: bool}


def _only(kind: type, value: Any) -> Any:
    """The value, as plain text where it is a word of a vocabulary.

    Raises:
        TypeError: it is of another type, as a truth value is where a number is asked for.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(kind.__name__)
    return str(value) if kind is str else value


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant
